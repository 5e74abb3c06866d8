// Preparation only: an organisation in which everything is that a screen can show, for tests of looking.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";

import type { Browser, BrowserContext, Page } from "playwright-core";

import { browser, type Callback, callback, opened, type Provider, provider, signIn, type Turnstone, turnstone } from "./harness.ts";
import { type Call, connected, FORMAT, prepare, until } from "./prepare.ts";

type Run = { id: string; outcome: string };
type Poller = { lastRuns: Run[] };

/** It, with the ids of what is in it. */
export interface World {
  server: Turnstone;
  chromium: Browser;
  context: BrowserContext;
  page: Page;
  complaints: string[];
  call: Call;
  shop: Provider;
  receiver: Callback;
  /** Works; has a monitor's subscription. */
  north: number;
  /** Its provider answers 503. */
  down: number;
  /** Polls and takes webhooks, of the connector `crm`; its callback fails. */
  pushy: number;
  monitor: number;
  subscription: number;
  stop: () => Promise<void>;
}

const HOOK = `if (!events.contact) throw new Error("there is no contact in it");
done({ events: [{ event_type: "UPDATED", event_object_id: events.contact.id, event_object_type: "contacts", event_date: events.contact.changed }] });`;

/** What is polled of the contacts. */
function polled(): Record<string, unknown> {
  return {
    url: `/contacts?updatedAfter=\${gmtDate:${FORMAT}}`,
    idField: "id",
    datesConfiguration: { updatedDateField: "updatedAt", updatedDateFormat: FORMAT, createdDateField: "createdAt", createdDateFormat: FORMAT },
    pagination: { type: "page", page: "page", size: "pageSize" },
  };
}

/** A connector that polls, takes webhooks, asks for a key, and can be called. */
function connector(base: string): Record<string, unknown> {
  const entry = (key: string, name: string, defaultValue: string, more = {}) => ({ key, name, type: "TEXTFIELD_1000", defaultValue, required: false, ...more });
  return {
    key: "crm",
    name: "Customer relations",
    description: "Contacts and companies of the shop.",
    hub: "crm",
    tags: ["sales"],
    authentication: { type: "none" },
    configuration: [
      entry("base.url", "Base URL", base),
      entry("region", "Region", "eu"),
      entry("event.notification.enabled", "Enable/Disable Event Notification", "true", { type: "BOOLEAN" }),
      entry("event.vendor.type", "Vendor Event Notification Type", "polling,webhooks"),
      entry("event.poller.refresh_interval", "Event poller refresh interval (mins)", "15"),
      entry("event.poller.configuration", "Event Poller Resources Configuration", JSON.stringify({ contacts: { ...polled(), overlap: 30 } }), { type: "TEXTAREA" }),
    ],
    parameters: [{ name: "region", vendorName: "X-Region", type: "configuration", vendorType: "header", source: "request" }],
    hooks: [
      { type: "event", mimeType: "application/javascript", body: HOOK, isLegacy: false },
      { type: "preRequest", mimeType: "application/javascript", body: "done({});", isLegacy: false },
    ],
    resources: [{ type: "api", method: "GET", path: "/hubs/crm/contacts", vendorMethod: "GET", vendorPath: "/contacts", parameters: [], hooks: [] }],
  };
}

/** One for the tests of a file: it is there when the first of them begins, and goes after the last. */
export function worldOfFile(): () => World {
  let all: World | undefined;
  before(async () => {
    all = await world();
  });
  after(async () => {
    await all?.stop();
  });
  return () => {
    if (all === undefined) throw new Error("no test has begun yet");
    return all;
  };
}

/** Starts a server and puts it all there. */
export async function world(): Promise<World> {
  const [server, chromium, shop, broken, receiver, deaf, gone] = await Promise.all([turnstone(), browser(), provider(), provider(), callback(), callback(), callback()]);
  const { page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" });
  await signIn(page, server);
  const call = await prepare(page, server);
  for (let one = 1; one <= 12; one++) shop.add(`Contact ${one}`, { city: "Bern", address: { street: "Gerechtigkeitsgasse", number: one }, remark: "A remark that goes on for a while, as remarks in customer systems often do." });
  broken.failing = { status: 503, body: JSON.stringify({ message: "the shop is being rebuilt" }) };
  deaf.status = 500;
  gone.status = 410;
  const north = await connected(call, { name: "Shop of the north", api: shop.url, callback: receiver.url });
  const down = await connected(call, { name: "Shop that is down", api: broken.url, callback: receiver.url });
  const resting = await connected(call, { name: "Shop at rest", api: shop.url, callback: deaf.url });
  const closed = await connected(call, { name: "Shop with an address that is gone", api: shop.url, callback: gone.url });
  const off = await connected(call, { name: "Shop that is switched off", api: shop.url });
  await call("DELETE", `/instances/${off}/enabled`);
  await call("POST", "/elements", connector(shop.url));
  const { id: pushy } = await call<{ id: number }>("POST", "/instances", {
    name: "Shop that calls",
    element: { key: "crm" },
    tags: ["calls", "test"],
    configuration: { "event.notification.enabled": true, "event.notification.callback.url": receiver.url, "event.poller.refresh_interval": "600" },
  });
  const { url } = await call<{ url: string }>("GET", `/instances/${pushy}/webhook`);
  await page.request.post(url, { data: { contact: { id: "c-7", changed: "2026-01-31T12:00:00Z" } } });
  await page.request.post(url, { data: { nobody: true } });
  await until<unknown[]>(call, "/webhooks/requests?state=quarantined", (list) => list.length > 0, "what is put aside");

  const document = await readFile(join(import.meta.dirname, "..", "..", "examples", "monitors", "new-users.yaml"), "utf8");
  const { id: monitor } = await call<{ id: number }>("POST", "/monitors", { document });
  await call("POST", "/monitors", { name: "A draft", document: document.replace("name: New users", "name: A draft") });
  await call("POST", `/monitors/${monitor}/deploy`, {});
  const { id: subscription } = await call<{ id: number }>("POST", `/instances/${north}/subscriptions`, { monitorId: monitor, schedule: { interval: "10h" } });
  await call("POST", `/subscriptions/${subscription}/run`);

  await until<unknown[]>(call, `/instances/${north}/events`, (events) => events.length >= 12, "the first events");
  for (const id of [north, down, resting, closed]) await until<Poller>(call, `/instances/${id}/pollers/contacts`, (poller) => poller.lastRuns.length > 0, `the first poll of ${id}`);
  await call("PUT", `/instances/${resting}/pollers/contacts/paused`, { reason: "The shop moves house" });
  shop.change(2, { city: "Basel" });
  await call("POST", `/instances/${north}/pollers/contacts/run`);
  await until<Poller>(call, `/instances/${north}/pollers/contacts`, (poller) => poller.lastRuns.length > 1, "the second poll");
  await call("PUT", `/instances/${north}/pollers/contacts/cursor`, { date: "2026-01-01T00:00:00Z" });
  await until<unknown[]>(call, "/deliveries?where=status='delivered'", (list) => list.length > 0, "a delivery that is accepted");
  await until<unknown[]>(call, "/deliveries?where=status='retry'", (list) => list.length > 0, "a delivery that failed");
  await until<{ lastRun?: unknown }>(call, `/subscriptions/${subscription}`, (one) => one.lastRun != null, "the run of the monitor");
  await call("PUT", `/subscriptions/${subscription}/cursor`, { cursor: { cursor_value: "2026-01-01T00:00:00Z" } });
  return {
    server, chromium, context, page, complaints, call, shop, receiver, north, down, pushy, monitor, subscription,
    stop: async () => {
      await chromium.close();
      await Promise.all([server.stop(), shop.stop(), broken.stop(), receiver.stop(), deaf.stop(), gone.stop()]);
    },
  };
}
