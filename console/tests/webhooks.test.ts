// Webhooks, by clicking alone: an account that a provider calls. The test is the provider and sends to the address that
// the screen shows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

import { faultBeside, goTo, importConnector } from "./clicks.ts";
import { browser, looksRight, opened, signIn, type Turnstone, turnstone } from "./harness.ts";

const TOKEN = "a token that only the provider has";
const HOOK = 'done({ events: [{ event_type: "UPDATED", event_object_type: "parcels", event_object_id: events.parcel.id, event_date: "2026-01-31T12:00:00Z" }] });';

let server: Turnstone;
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let address: string;

before(async () => {
  [server, chromium] = await Promise.all([turnstone(), browser()]);
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, server);
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await server?.stop();
});

const dialog = (): Locator => page.getByRole("dialog");

/** Sends as the provider does. */
async function send(body: unknown, token = TOKEN): Promise<number> {
  const answer = await fetch(address, { method: "POST", headers: { "content-type": "application/json", "x-token": token }, body: JSON.stringify(body) });
  return answer.status;
}

async function webhookTab(): Promise<void> {
  await goTo(page, "Instances");
  await page.getByRole("link", { name: "Depot", exact: true }).click();
  await page.getByRole("tab", { name: "Webhook" }).click();
  await page.getByRole("heading", { name: "Address for the provider" }).waitFor();
}

test("an account with webhooks asks for its secret, and shows the address to give to the provider", async () => {
  const entry = (key: string, name: string, defaultValue: string) => ({ key, name, type: "TEXTFIELD_1000", defaultValue });
  await importConnector(page, {
    key: "parcels",
    name: "Parcels",
    hub: "parcels",
    authentication: { type: "none" },
    configuration: [
      entry("base.url", "Base URL", server.url),
      entry("event.notification.enabled", "Enable/Disable Event Notification", "true"),
      entry("event.vendor.type", "Vendor Event Notification Type", "webhooks"),
      entry("event.webhook.verification", "Webhook verification", '{"token": {"header": "X-Token"}}'),
    ],
    parameters: [],
    hooks: [{ type: "event", mimeType: "application/javascript", body: HOOK }],
    resources: [],
  });
  await page.getByRole("link", { name: "New instance" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Depot");
  await page.getByText("The instance gets an address to give to the provider.", { exact: false }).waitFor();
  await page.getByRole("button", { name: "Create Instance" }).click();
  const secret = page.getByRole("textbox", { name: "Webhook secret" });
  assert.match(await faultBeside(secret), /event.webhook.secret/);
  await secret.fill(TOKEN);
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
  await webhookTab();
  address = (await page.getByText(`${server.url}/elements/api-v2/events/parcels/`).textContent()) ?? "";
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);
  await page.getByText("Nothing yet. The provider sends when something changes.").waitFor();
  await looksRight(page, "instance-webhook");
});

test("what the provider sends becomes an event live; what is not the provider's is refused with the reason", async () => {
  const looking = await context.newPage();
  await looking.goto(`${server.url}/events`);
  await looking.getByRole("status").getByText("Live").waitFor();
  assert.equal(await send({ parcel: { id: "p-1" } }), 200);
  await looking.getByRole("row", { name: /UPDATED.*p-1.*parcels/ }).waitFor();
  await looking.close();
  await page.getByRole("table", { name: "Notifications of the provider" }).getByRole("row", { name: /settled/ }).waitFor();
  assert.equal(await send({ parcel: { id: "p-2" } }, "a guess"), 401);
  await webhookTab();
  await page.reload();
  await page.getByText("1 refused since the server began").waitFor();
});

test("what the hook could not read is put aside with the reason, discarded or worked through again", async () => {
  const table = page.getByRole("table", { name: "Notifications of the provider" });
  assert.equal(await send({ box: { id: "p-3" } }), 200);
  assert.equal(await send({ box: { id: "p-4" } }), 200);
  await table.getByRole("row", { name: /quarantined/ }).nth(1).waitFor();
  await table.getByRole("row", { name: /quarantined.*line 1/ }).first().waitFor();
  // The hook is as it was: the same comes of it.
  await table.getByRole("button", { name: "Run again" }).first().click();
  await page.getByText("What was put aside is worked through again.").waitFor();
  for (const button of ["Leave it", "Discard"]) {
    await table.getByRole("button", { name: "Discard…" }).first().click();
    await dialog().getByRole("button", { name: button, exact: true }).click();
    await dialog().waitFor({ state: "detached" });
    if (button === "Leave it") await table.getByRole("row", { name: /quarantined/ }).nth(1).waitFor();
  }
  await table.getByRole("row", { name: /discarded/ }).waitFor();
  await table.getByRole("row", { name: /quarantined/ }).nth(1).waitFor({ state: "detached" });
  assert.equal(await table.getByRole("row", { name: /quarantined/ }).count(), 1);

  // The hook is mended; the account takes it with its next change.
  await goTo(page, "Connectors");
  await page.getByRole("link", { name: "Parcels" }).click();
  await page.getByRole("navigation", { name: "Setup" }).getByRole("link", { name: "Events" }).click();
  await page.getByRole("textbox", { name: "Event hook: JavaScript" }).fill(HOOK.replace("events.parcel.id", "(events.parcel || events.box).id"));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Everything is saved.", { exact: false }).waitFor();
  await goTo(page, "Instances");
  await page.getByRole("link", { name: "Depot", exact: true }).click();
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByRole("textbox", { name: "Webhook secret" }).fill(`${TOKEN}, renewed`);
  await page.getByRole("button", { name: "See what it does" }).click();
  await dialog().getByRole("button", { name: "Save instance" }).click();
  await page.waitForURL(/\/instances\/\d+$/);
  await page.getByRole("tab", { name: "Webhook" }).click();
  await page.getByRole("button", { name: "Run all again that were put aside" }).click();
  await table.getByRole("row", { name: /quarantined/ }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Run all again that were put aside" }).waitFor({ state: "detached" });
  await goTo(page, "Events");
  await page.getByRole("row", { name: /UPDATED.*p-[34]/ }).waitFor();
  assert.equal(await send({ parcel: { id: "p-5" } }), 401, "the old secret is not good any more");
  assert.equal(await send({ parcel: { id: "p-5" } }, `${TOKEN}, renewed`), 200);
  await page.getByRole("row", { name: /p-5/ }).waitFor();
});

test("an account gets another address after a question, and the old one is forgotten", async () => {
  await webhookTab();
  await page.getByRole("button", { name: "Another address…" }).click();
  await dialog().getByRole("button", { name: "Leave it" }).click();
  await dialog().waitFor({ state: "detached" });
  await page.getByText(address, { exact: true }).waitFor();
  await page.getByRole("button", { name: "Another address…" }).click();
  await dialog().getByRole("button", { name: "Make another address" }).click();
  await page.getByText(address, { exact: true }).waitFor({ state: "detached" });
  assert.equal(await send({ parcel: { id: "p-6" } }, `${TOKEN}, renewed`), 404);
  address = (await page.getByText(`${server.url}/elements/api-v2/events/parcels/`).textContent()) ?? "";
  assert.equal(await send({ parcel: { id: "p-7" } }, `${TOKEN}, renewed`), 200);
  await goTo(page, "Events");
  await page.getByRole("row", { name: /p-7/ }).waitFor();
  assert.equal(await page.getByRole("row", { name: /p-6/ }).count(), 0);
  assert.deepEqual(complaints, []);
});
