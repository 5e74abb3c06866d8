// Flows with branches and loops, by clicking alone, and all that a person does with a subscription afterwards: a cron
// pattern, a callback of its own, another version, off and on, and gone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

import { faultBeside, goTo, instanceByAddress } from "./clicks.ts";
import { browser, type Callback, callback, opened, type Provider, provider, signIn, type Turnstone, turnstone, until } from "./harness.ts";

let server: Turnstone;
let [people, app, own]: [Provider, Callback, Callback] = [undefined as never, undefined as never, undefined as never];
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, people, app, own, chromium] = await Promise.all([turnstone(), provider(), callback(), callback(), browser()]);
  people.add("Ada");
  people.add("Grace");
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
  await instanceByAddress(page, server, { name: "People", key: "people", address: `${people.url}/contacts?updatedAfter=2020-01-01T00:00:00Z`, callback: app.url });
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await Promise.all([server?.stop(), people?.stop(), app?.stop(), own?.stop()]);
});

const card = (name: string | RegExp): Locator => page.getByRole("region", { name, exact: typeof name === "string" });
const dialog = (): Locator => page.getByRole("dialog");

/** Puts a card in at a plus. */
async function add(where: string, words: string, name: RegExp): Promise<void> {
  await page.getByRole("button", { name: `Add a card ${where}`, exact: true }).click();
  await page.getByLabel("Search cards").fill(words);
  await dialog().getByRole("button", { name }).first().click();
  await dialog().waitFor({ state: "hidden" });
}

/** Wires an input from its menu. */
async function take(on: Locator, input: string, from: string | RegExp): Promise<void> {
  await on.getByRole("button", { name: `What ${input} takes`, exact: true }).click();
  await page.getByRole("menuitem", { name: from }).first().click();
  await on.getByRole("button", { name: `Cut the wire to ${input}`, exact: true }).waitFor();
}

async function rename(on: Locator, what: "input" | "output", from: string, to: string): Promise<void> {
  await on.getByRole("button", { name: `Rename ${what} ${from}`, exact: true }).click();
  await on.getByLabel(`New name of ${what} ${from}`, { exact: true }).fill(to);
  await page.keyboard.press("Enter");
  await on.getByRole("button", { name: `Rename ${what} ${to}`, exact: true }).waitFor();
}

async function saved(): Promise<void> {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/^Saved · /).waitFor();
}

async function run(): Promise<Locator> {
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await dialog().getByLabel(/^Instance/).selectOption({ label: "People (people)" });
  await dialog().getByRole("button", { name: "Run now" }).click();
  await dialog().waitFor({ state: "hidden" });
  const result = card("Result of the run");
  await result.waitFor();
  return result;
}

test("If/Else and For Each are put in, wired and run: each branch and each call shows its values", async () => {
  await page.goto(`${server.url}/monitors/new`);
  await page.getByRole("button", { name: "Add event" }).click();
  await dialog().getByRole("button", { name: /^Polling Monitor/ }).click();
  await card("Polling Monitor").getByLabel("Type of Cursor").selectOption("number");

  await add("at the beginning", "http get", /^HTTP Get/);
  const get = card(/^HTTP Get/);
  await get.getByLabel("URL", { exact: true }).fill("/contacts");
  await get.getByLabel("Type of body").selectOption("list of object");
  await add("after HTTP Get", "length", /^List Length/);
  await take(card(/^List Length/), "list", /^body/);

  await add("after List Length", "if/else", /^If\/Else/);
  const frame = card(/^If\/Else/);
  await take(frame, "value a", /^length/);
  await frame.getByLabel("comparison", { exact: true }).selectOption(">");
  await frame.getByRole("button", { name: "What value b takes" }).click();
  await page.getByRole("menuitem", { name: "Number", exact: true }).click();
  await frame.getByLabel("value b", { exact: true }).fill("1");
  await frame.getByRole("button", { name: "Add output" }).click();
  await rename(frame, "output", "output", "size");
  await frame.getByRole("button", { name: /^More for If\/Else/ }).first().click();
  await page.getByRole("menuitem", { name: "Settings of the card" }).click();
  await dialog().getByRole("textbox", { name: "Id" }).fill("two words");
  assert.notEqual(await faultBeside(dialog().getByRole("textbox", { name: "Id" })), "");
  assert.ok(await dialog().getByRole("button", { name: "Apply" }).isDisabled());
  await dialog().getByRole("textbox", { name: "Id" }).fill("crowd");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await dialog().waitFor({ state: "hidden" });
  await add("at the beginning of If true", "return", /^Return ends/);
  await card("Return").first().getByLabel("size", { exact: true }).fill("many");
  await add("at the beginning of Else", "return", /^Return ends/);
  await card("Return").nth(1).getByLabel("size", { exact: true }).fill("few");

  await page.getByRole("button", { name: "Helper flow" }).click();
  await dialog().getByLabel("Name of the helper flow").fill("greet");
  await dialog().getByRole("button", { name: "Add the flow" }).click();
  await card("Helper Flow greet").getByRole("button", { name: "Add Inputs" }).click();
  await dialog().getByRole("button", { name: "Add Field" }).click();
  await dialog().getByLabel("Field 1 of greet", { exact: true }).fill("name");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await dialog().waitFor({ state: "hidden" });
  await add("at the beginning", "http get", /^HTTP Get/);
  await card(/^HTTP Get/).getByLabel("URL", { exact: true }).fill("/hello");
  await card(/^HTTP Get/).getByRole("button", { name: "What Query takes" }).click();
  await page.getByRole("menuitem", { name: "Object or list, as JSON" }).click();
  await card(/^HTTP Get/).getByLabel("Query", { exact: true }).fill('{"to": {"from": "inputs.name"}}');
  await page.getByRole("tab", { name: /^Monitor/ }).click();

  await add("after If/Else crowd", "for each", /^List For Each calls/);
  const each = card(/^List For Each/);
  await each.getByLabel("Flow").selectOption("greet");
  await take(each, "list", /^body/);
  await take(each, "name", /^item/);
  await each.getByLabel("Path into item for name").fill("name");
  await page.keyboard.press("Enter");
  await each.getByRole("textbox", { name: "Path into item for name" }).waitFor();
  await take(card("Cursor"), "Properties", /^length/);

  const back = card("Return Outputs");
  await back.getByRole("button", { name: "Add Outputs" }).click();
  await dialog().getByRole("button", { name: "Add group" }).click();
  await dialog().getByLabel("Group 1", { exact: true }).fill("Crowd");
  await dialog().getByLabel("Field 1 of Crowd", { exact: true }).fill("Size");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await back.getByRole("button", { name: "What List takes" }).click();
  await page.getByRole("menuitem", { name: "Object or list, as JSON" }).click();
  await back.getByLabel("List", { exact: true }).fill('[{"Crowd": {"Size": {"from": "crowd.size"}}}]');

  await page.getByRole("button", { name: "Save", exact: true }).click();
  await dialog().getByLabel("Name of the flow").fill("Crowds");
  await dialog().getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved · not deployed").waitFor();

  const many = await run();
  await many.getByText("ended well").waitFor();
  await many.getByRole("cell", { name: "many" }).waitFor();
  await frame.getByRole("button", { name: "Value of value a: 2" }).waitFor();
  await frame.getByRole("button", { name: "Value of size: many" }).waitFor();
  await card("Return").nth(1).getByText("did not run").waitFor();
  await each.getByText(/✓ \d+ ms/).waitFor();
  assert.deepEqual(people.log.filter((line) => line.includes("/hello")), ["GET /hello?to=Ada", "GET /hello?to=Grace"]);
  await page.getByRole("tab", { name: "greet" }).click();
  const calls = card(/^HTTP Get/).getByRole("combobox", { name: /^Call of HTTP Get/ });
  assert.deepEqual(await calls.locator("option").allTextContents(), ["Call 1 of 2", "Call 2 of 2"]);
  await card(/^HTTP Get/).getByRole("button", { name: /^Value of Query: .*Ada/ }).waitFor();
  await calls.selectOption("Call 2 of 2");
  await card(/^HTTP Get/).getByRole("button", { name: /^Value of Query: .*Grace/ }).click();
  await dialog().getByRole("region", { name: "Query" }).getByText('"to": "Grace"').waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: /^Monitor/ }).click();

  people.contacts.pop();
  const few = await run();
  await few.getByRole("cell", { name: "few" }).waitFor();
  await card("Return").first().getByText("did not run").waitFor();
  await frame.getByRole("button", { name: "Value of size: few" }).waitFor();
});

test("it is subscribed by a cron pattern with a callback of its own; every mistake stands beside its field", async () => {
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await dialog().getByRole("button", { name: "Deploy now" }).click();
  await dialog().getByRole("link", { name: "Subscribe an instance" }).click();
  await page.getByRole("combobox", { name: /^Instance/ }).selectOption({ label: "People (people)" });
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Every morning");
  await page.getByText("By a cron pattern", { exact: true }).click();
  const [cron, zone] = [page.getByRole("textbox", { name: "Cron pattern" }), page.getByRole("textbox", { name: "Time zone" })];
  await cron.fill("every morning");
  await zone.fill("Europe/Berlin");
  await page.getByRole("switch", { name: "A callback of its own" }).check();
  const url = page.getByRole("textbox", { name: "Callback URL" });
  await url.fill("ftp://nowhere");
  const subscribe = page.getByRole("button", { name: "Subscribe", exact: true });
  await subscribe.click();
  assert.match(await faultBeside(cron), /cron/);
  assert.match(await faultBeside(url), /http/);
  assert.equal(await zone.getAttribute("aria-invalid"), null, "nothing is wrong with the zone");
  await cron.fill("* * * * *");
  await zone.fill("Mars/Olympus");
  await url.fill(own.url);
  await subscribe.click();
  assert.match(await faultBeside(zone), /Mars\/Olympus/);
  await zone.fill("Europe/Berlin");
  await subscribe.click();
  assert.match(await faultBeside(cron), /5 minutes/);
  assert.equal(await page.getByRole("textbox", { name: "Name", exact: true }).inputValue(), "Every morning");
  await cron.fill("0 6 * * MON-FRI");
  await page.getByRole("textbox", { name: "Signature key" }).fill("a key of its own for mornings");
  await subscribe.click();
  await page.getByText("Version 1, 0 6 * * MON-FRI (Europe/Berlin)").waitFor();
  await page.getByText(`Events go to ${own.url}.`).waitFor();
});

test("its events go to its own callback alone, signed with its own key", async () => {
  const before = app.received.length;
  await page.getByText("It has not run yet.").waitFor();
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("table", { name: "Runs" }).getByText("completed").first().waitFor();
  await until(() => own.received.some(({ body }) => body.includes("few")), "its own callback is not told");
  assert.ok(own.received.every(({ headers }) => typeof headers["elements-webhook-signature"] === "string"), "signed");
  assert.equal(app.received.length, before, "nothing of it goes to the instance's");
  await goTo(page, "Deliveries");
  await page.getByRole("tab", { name: "Endpoints" }).click();
  await page.getByRole("region", { name: "Endpoint of People" }).filter({ hasText: own.url }).getByRole("link", { name: "People" }).click();
  await page.getByRole("heading", { name: "Every morning", level: 1 }).waitFor();
});

test("it moves to a newer version, with another cursor where that one saves another type", async () => {
  await page.getByRole("link", { name: /^Monitor \d+$/ }).click();
  await card("Polling Monitor").getByLabel("Type of Cursor").selectOption("date");
  await page.getByRole("button", { name: "Undo" }).click();
  assert.equal(await card("Polling Monitor").getByLabel("Type of Cursor").inputValue(), "number");
  await page.getByRole("button", { name: "Redo" }).click();
  assert.equal(await card("Polling Monitor").getByLabel("Type of Cursor").inputValue(), "date");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").getByText(/the cursor of this monitor is Date.*, and Number is saved/).waitFor();
  await add("at the beginning", "date now", /^Date & Time Now/);
  await take(card("Cursor"), "Properties", /^date/);
  await saved();
  await page.getByText(/version 1 is deployed, the draft is newer/).waitFor();
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await dialog().getByRole("button", { name: "Deploy now" }).click();
  await dialog().getByText("Version 2 is deployed").waitFor();
  await dialog().getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("button", { name: "More for the flow" }).click();
  await page.getByRole("menuitem", { name: "Its subscriptions" }).click();
  await page.getByRole("link", { name: "Every morning" }).click();

  await page.getByRole("button", { name: "Change", exact: true }).click();
  await dialog().getByRole("combobox", { name: "Version" }).selectOption("Version 2");
  await dialog().getByRole("textbox", { name: "Name", exact: true }).fill("Every evening");
  await dialog().getByRole("textbox", { name: "Cron pattern" }).fill("0 18 * * *");
  await dialog().getByRole("button", { name: "Save" }).click();
  const cursor = dialog().getByRole("textbox", { name: "Cursor of the other version" });
  assert.match(await faultBeside(cursor), /this version saves date/);
  await cursor.fill("one");
  assert.match(await faultBeside(cursor), /no JSON/);
  await cursor.fill('"soon"');
  await dialog().getByRole("button", { name: "Save" }).click();
  await until(async () => /soon/.test(await faultBeside(cursor)), "a word is no date");
  await cursor.fill('"2026-01-31T08:00:00Z"');
  assert.equal(await dialog().getByRole("textbox", { name: "Name", exact: true }).inputValue(), "Every evening", "nothing is lost by refusals");
  await dialog().getByRole("button", { name: "Save" }).click();
  await dialog().waitFor({ state: "hidden" });
  await page.getByRole("heading", { name: "Every evening", level: 1 }).waitFor();
  await page.getByText("Version 2, 0 18 * * * (Europe/Berlin)").waitFor();
  await page.getByRole("region", { name: "Cursor", exact: true }).last().getByText("2026-01-31T08:00:00Z").waitFor();

  // An interval that is taken out is the shortest again.
  for (const [typed, words] of [["15m", "every 15m"], ["", "every 5m"]] as const) {
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await dialog().getByText("At an interval", { exact: true }).click();
    await dialog().getByRole("textbox", { name: "Interval" }).fill(typed);
    await dialog().getByRole("button", { name: "Save" }).click();
    await dialog().waitFor({ state: "hidden" });
    await page.getByText(`Version 2, ${words}`).waitFor();
  }
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await dialog().getByRole("switch", { name: "A callback of its own" }).uncheck();
  await dialog().getByRole("button", { name: "Save" }).click();
  await page.getByText("Events go where the instance's go.").waitFor();
});

test("it is switched off and on, and removed after a question; a flow goes after its subscriptions", async () => {
  const active = page.getByRole("switch", { name: "Active" });
  await active.click();
  await page.getByText("not while it is off").waitFor();
  assert.ok(await page.getByRole("button", { name: "Run now" }).isDisabled());
  await active.click();
  await page.getByText("not while it is off").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("table", { name: "Runs" }).getByRole("row").nth(2).waitFor();

  const flow = async () => {
    await goTo(page, "Monitors");
    await page.getByRole("link", { name: "Crowds", exact: true }).click();
    await page.getByRole("button", { name: "More for the flow" }).click();
    await page.getByRole("menuitem", { name: "Remove…" }).click();
  };
  await flow();
  await dialog().getByRole("button", { name: "Remove flow" }).click();
  await dialog().getByRole("alert").getByText(/subscription/).waitFor();
  await dialog().getByRole("button", { name: "Leave it" }).click();
  await dialog().waitFor({ state: "hidden" });

  await goTo(page, "Monitors");
  await page.getByRole("link", { name: "Every evening" }).click();
  for (const button of ["Cancel", "Remove it for good"]) {
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await dialog().getByRole("button", { name: button }).click();
    await dialog().waitFor({ state: "hidden" });
    if (button === "Cancel") await page.getByRole("heading", { name: "Every evening", level: 1 }).waitFor();
  }
  await page.getByText("No subscriptions", { exact: true }).waitFor();
  await goTo(page, "Instances");
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("tab", { name: "Subscriptions" }).click();
  await page.getByText("No monitor watches this account").waitFor();
  await flow();
  await dialog().getByRole("button", { name: "Leave it" }).click();
  await dialog().waitFor({ state: "hidden" });
  await flow();
  await dialog().getByRole("button", { name: "Remove flow" }).click();
  await page.getByText("Crowds is removed.").waitFor();
  await page.getByRole("heading", { name: "No monitors yet" }).waitFor();
  assert.deepEqual(complaints, []);
});
