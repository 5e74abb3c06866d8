// What a person does with a subscription, by clicking alone: a cron pattern, a callback of its own, another version with
// another cursor, off and on, and gone, and its flow after it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Page } from "playwright-core";

import { canvasOf } from "./canvas.ts";
import { faultBeside, goTo, instanceByAddress } from "./clicks.ts";
import { browser, type Callback, callback, opened, type Provider, provider, seriousFindings, signIn, type Turnstone, turnstone, until } from "./harness.ts";

let server: Turnstone;
let [people, app, own]: [Provider, Callback, Callback] = [undefined as never, undefined as never, undefined as never];
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, people, app, own, chromium] = await Promise.all([turnstone(), provider(), callback(), callback(), browser()]);
  people.add("Ada");
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
  await instanceByAddress(page, server, { name: "People", key: "people", address: `${people.url}/contacts?updatedAfter=2020-01-01T00:00:00Z`, callback: app.url });
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await Promise.all([server?.stop(), people?.stop(), app?.stop(), own?.stop()]);
});

const { add, card, dialog, take } = canvasOf(() => page);

async function saved(): Promise<void> {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/^Saved · /).waitFor();
}

/** A flow that counts people: few of them, with their number as the cursor. */
const FLOW = `name: Crowds
cursor: number
outputs: {Crowd: {Size: text}}
cards:
- {id: get, card: http.get, inputs: {url: /contacts}, outputs: {body: list of object}}
- {id: count, card: list.length, inputs: {list: {from: get.body}}}
- {card: control.cursor, inputs: {Properties: {from: count.length}}}
- {card: control.returnOutputs, inputs: {List: [{Crowd: {Size: few}}]}}
`;

test("it is subscribed by a cron pattern with a callback of its own; every mistake stands beside its field", async () => {
  await page.goto(`${server.url}/monitors/new`);
  await page.getByRole("button", { name: "Add event" }).click();
  await dialog().getByRole("button", { name: /^Polling Monitor/ }).click();
  await page.getByText("Document", { exact: true }).click();
  await page.getByRole("textbox", { name: "Document" }).fill(FLOW);
  await page.getByText("Canvas", { exact: true }).click();
  await card("List Length count").waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await dialog().getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved · not deployed").waitFor();
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
  assert.deepEqual(await seriousFindings(page), []);
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
