// Putting right what was not delivered, by clicking alone: endpoints off and on, what waits sent again one by one, by
// filter and since a time, and another key and header for what is sent from then on.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

import { faultBeside, goTo, instanceByAddress } from "./clicks.ts";
import { browser, type Callback, callback, opened, type Provider, provider, seriousFindings, signIn, type Turnstone, turnstone, until } from "./harness.ts";

let server: Turnstone;
let [shop, app, other]: [Provider, Callback, Callback] = [undefined as never, undefined as never, undefined as never];
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, shop, app, other, chromium] = await Promise.all([turnstone(), provider(), callback(), callback(), browser()]);
  shop.add("Old");
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
  const address = `${shop.url}/contacts?updatedAfter=2020-01-01T00:00:00Z`;
  for (const [name, { url }] of [["North", app], ["South", other]] as const) {
    const asked = shop.log.length;
    await instanceByAddress(page, server, { name, key: name.toLowerCase(), address, callback: url });
    // Its first poll says from when on there are events. One request was for the suggestion.
    await page.getByRole("link", { name: "To the instance" }).click();
    await page.getByRole("button", { name: "Poll now: contacts" }).click();
    await until(() => shop.log.length >= asked + 2, `${name} is not polled`);
  }
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await Promise.all([server?.stop(), shop?.stop(), app?.stop(), other?.stop()]);
});

const dialog = (): Locator => page.getByRole("dialog");

/** Polls an account, once something is there to find. */
async function poll(instance: string): Promise<void> {
  await goTo(page, "Instances");
  await page.getByRole("link", { name: instance, exact: true }).click();
  await page.getByRole("button", { name: "Poll now: contacts" }).click();
  await page.getByText("contacts is polled now.").last().waitFor();
}

async function endpoint(instance: string): Promise<Locator> {
  await goTo(page, "Deliveries");
  await page.getByRole("tab", { name: "Endpoints" }).click();
  return page.getByRole("region", { name: `Endpoint of ${instance}` });
}

async function choose(label: string, option: string | RegExp): Promise<void> {
  await dialog().getByRole("combobox", { name: label, exact: true }).click();
  await page.getByRole("option", { name: option }).click();
}

test("what waits is sent again by a filter and since a time, as much as the dialog says before", async () => {
  // Receivers that want nothing any more: what is held for them stays so until somebody releases it.
  app.status = other.status = 410;
  shop.add("Ada");
  for (const [instance, at] of [["North", app], ["South", other]] as const) {
    await poll(instance);
    await until(() => at.received.some(({ body }) => body.includes("Ada")), `the callback of ${instance} was not told`);
  }

  await goTo(page, "Deliveries");
  const table = page.getByRole("table", { name: "Deliveries" });
  await table.getByRole("row", { name: /held/ }).nth(1).waitFor();
  await page.getByRole("button", { name: "Redeliver many…" }).click();
  const many = dialog().getByRole("status");
  await many.getByText("2 deliveries are like that.").waitFor();
  await choose("Which", "Dead letters only");
  await many.getByText("No delivery is like that.").waitFor();
  await choose("Which", /^What waits for somebody/);
  await dialog().getByRole("combobox", { name: "Instance" }).fill("Nor");
  await page.getByRole("option", { name: /^North/ }).click();
  await many.getByText("1 delivery is like that.").waitFor();
  await dialog().getByRole("textbox", { name: "Callback URL" }).fill(other.url);
  await many.getByText("No delivery is like that.").waitFor();
  await dialog().getByRole("textbox", { name: "Callback URL" }).fill(app.url);
  await many.getByText("1 delivery is like that.").waitFor();
  await choose("Since", "Formed since an instant…");
  const instant = dialog().getByRole("textbox", { name: "Instant" });
  for (const wrong of ["", "yesterday", "5", "2026-01-31", "2026-13-01T00:00:00Z"]) {
    await instant.fill(wrong);
    await dialog().getByRole("button", { name: "Redeliver" }).click();
    assert.match(await faultBeside(instant), /Write an instant/, wrong);
  }
  assert.deepEqual(await seriousFindings(page), []);
  await instant.fill(new Date(Date.now() + 3_600_000).toISOString());
  await many.getByText("No delivery is like that.").waitFor();
  await choose("Since", "Formed in the last hour");
  await many.getByText("1 delivery is like that.").waitFor();
  await dialog().getByRole("button", { name: "Leave it" }).click();
  await dialog().waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Redeliver many…" }).click();
  await many.getByText("1 delivery is like that.").waitFor();
  app.status = 200;
  const before = [app.received.length, other.received.length];
  await dialog().getByRole("button", { name: "Redeliver" }).click();
  await page.getByText("1 delivery is sent again.").waitFor();
  await table.getByRole("row", { name: /delivered/ }).waitFor();
  assert.equal(await table.getByRole("row", { name: /held/ }).count(), 1, "that of the other account waits as before");
  assert.deepEqual([app.received.length, other.received.length], [before[0]! + 1, before[1]], "it went out once, and nothing else did");
});

test("an endpoint is switched off after a question, keeps what happens meanwhile, and sends it when it is on", async () => {
  const north = await endpoint("North");
  await north.getByRole("button", { name: "Switch off…" }).click();
  await dialog().getByRole("button", { name: "Leave it" }).click();
  await dialog().waitFor({ state: "detached" });
  await north.getByText("active", { exact: true }).waitFor();
  await north.getByRole("button", { name: "Switch off…" }).click();
  await dialog().getByRole("button", { name: "Switch off" }).click();
  await page.getByText("The endpoint is switched off.").waitFor();
  await north.getByRole("button", { name: "Switch on" }).waitFor();
  const before = app.received.length;
  shop.add("Cem");
  await poll("North");
  await goTo(page, "Events");
  await page.getByRole("row", { name: /Cem/ }).first().waitFor();
  assert.equal(app.received.length, before, "nothing is sent there");
  await (await endpoint("North")).getByRole("button", { name: "Switch on" }).click();
  await page.getByText("The endpoint takes notifications again.").waitFor();
  await until(() => app.received.slice(before).some(({ body }) => body.includes("Cem")), "what happened meanwhile is not sent");
  await north.getByRole("button", { name: "Switch off…" }).waitFor();
});

test("a receiver that wants nothing any more is off with the reason, and is released with what waits for it", async () => {
  app.status = 410;
  shop.add("Dora");
  await poll("North");
  const north = await endpoint("North");
  await north.getByText(/410/).first().waitFor();
  const release = north.getByRole("button", { name: "Redeliver 1 that wait" });
  await release.waitFor();
  await north.getByText("disabled", { exact: true }).waitFor();
  await north.getByRole("link", { name: "Its deliveries" }).click();
  await page.getByRole("button", { name: /^Only endpoint \d+/ }).waitFor();
  await page.getByRole("table", { name: "Deliveries" }).getByRole("row", { name: /held/ }).waitFor();
  await page.getByRole("combobox", { name: "State" }).click();
  await page.getByRole("option", { name: "Held" }).click();
  await page.getByRole("row", { name: /delivered/ }).first().waitFor({ state: "detached" });
  assert.equal(await page.getByRole("row", { name: /held/ }).count(), 1);

  app.status = 200;
  const before = app.received.length;
  await endpoint("North");
  await release.click();
  await page.getByText("1 delivery is sent again.").waitFor();
  await until(() => app.received.slice(before).some(({ body }) => body.includes("Dora")), "what waited is not sent");
  await north.getByText("active", { exact: true }).waitFor();
  await release.waitFor({ state: "detached" });
  await page.getByRole("tab", { name: "Dead letters" }).click();
  await page.getByText("No dead letters").waitFor();
});

test("what is sent from now on carries another key and another header", async () => {
  const signed = (key: string, body: string) => `sha256=${createHmac("sha256", key).update(body).digest("base64")}`;
  const change = async (key: string, header: string, isFirst: boolean) => {
    await goTo(page, "Instances");
    await page.getByRole("link", { name: "North", exact: true }).click();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.getByRole("button", { name: "Show Optional Fields" }).click();
    const field = page.getByRole("textbox", { name: "Callback Notification Signature Key" });
    assert.equal(await field.inputValue(), isFirst ? "" : "********", "a key is not shown again");
    await field.fill(key);
    const headers = page.getByRole("group", { name: "Callback headers" });
    if (isFirst) await headers.getByRole("button", { name: "Add header" }).click();
    if (isFirst) await headers.getByRole("textbox", { name: "Name of header 1" }).fill("X-Team");
    await headers.getByRole("textbox", { name: "Value of header 1" }).fill(header);
    await page.getByRole("button", { name: "See what it does" }).click();
    await dialog().getByRole("button", { name: "Save instance" }).click();
    await page.waitForURL(/\/instances\/\d+$/);
  };
  for (const [name, key, team] of [["Emil", "the first key of North", "blue"], ["Fay", "the second key of North", "red"]] as const) {
    await change(key, team, name === "Emil");
    shop.add(name);
    await poll("North");
    await until(() => app.received.some(({ body }) => body.includes(name)), `${name} is not told`);
    const { body, headers } = app.received.find(({ body }) => body.includes(name)) as Callback["received"][number];
    assert.equal(headers["elements-webhook-signature"], signed(key, body));
    assert.equal(headers["x-team"], team);
  }
  assert.deepEqual(complaints, []);
});
