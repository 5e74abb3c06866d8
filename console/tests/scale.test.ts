// With ten thousand instances and a hundred thousand events no screen asks for more than it shows.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Page } from "playwright-core";

import { ROUTES, type ScreenName } from "../src/app/routes.ts";
import { loaded } from "./addresses.ts";
import { browser, opened, signIn, type Turnstone, turnstone } from "./harness.ts";
import { type Call, prepare } from "./prepare.ts";

const REQUESTS_MAX = 6;
/** What a screen may move is 300 KB; the rest is the margin for what comes. */
const BYTES_MAX = 280 * 1024;

let server: Turnstone;
let chromium: Browser;
let state: Awaited<ReturnType<BrowserContext["storageState"]>>;
let screens: Record<ScreenName, string[]>;

before(async () => {
  server = await turnstone({ instances: 10_000, events: 100_000 });
  chromium = await browser();
  const { page, context } = await opened(chromium);
  await signIn(page, server);
  screens = await addresses(await prepare(page, server));
  state = await context.storageState();
  await context.close();
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

/** Where every screen is, with what it can show at most. */
async function addresses(call: Call): Promise<Record<ScreenName, string[]>> {
  const entry = (key: string, defaultValue: string) => ({ key, name: key, type: "TEXTFIELD_1000", defaultValue, required: false });
  await call("POST", "/elements", {
    key: "crm",
    name: "Customers",
    authentication: { type: "none" },
    configuration: [entry("base.url", "https://crm.example.com"), entry("event.notification.enabled", "true"), entry("event.vendor.type", "polling,webhooks"), entry("event.poller.configuration", '{"contacts":{"url":"/contacts","idField":"id"}}')],
    parameters: [],
    hooks: [{ type: "event", mimeType: "application/javascript", body: "done({ events: [] });", isLegacy: false }],
    resources: [],
  });
  const document = await readFile(join(import.meta.dirname, "..", "..", "examples", "monitors", "new-users.yaml"), "utf8");
  const { id: monitor } = await call<{ id: number }>("POST", "/monitors", { document });
  await call("POST", `/monitors/${monitor}/deploy`, {});
  const { id: subscription } = await call<{ id: number }>("POST", "/instances/7/subscriptions", { monitorId: monitor, schedule: { interval: "10h" } });
  const [event] = await call<{ id: string; runId: string }[]>("GET", "/instances/events?pageSize=1");
  const [run] = await call<{ id: string }[]>("GET", "/runs?pageSize=1");
  const [delivery] = await call<{ id: number }[]>("GET", "/deliveries?pageSize=1");
  const of = (path: string, id: string | number | undefined) => (id === undefined ? [] : [`${path}/${id}`]);
  return {
    home: ["/"],
    connectors: ["/connectors"],
    connector: ["info", "properties", "authentication", "config", "hooks", "events", "events/polling", "resources", "flows"].map((step) => `/connectors/crm/${step}`),
    instances: ["/instances"],
    newInstance: ["/instances/new", "/instances/new?connector=crm", "/instances/new?own", "/instances/new?edit=7", "/instances/new?made=7"],
    instance: ["pollers", "subscriptions", "webhook", "settings"].map((tab) => `/instances/7?tab=${tab}`),
    poller: ["polls", "cursor", "explain"].map((tab) => `/instances/7/pollers/orders?tab=${tab}`),
    run: of("/runs", run?.id ?? event?.runId),
    ask: ["/ask", "/ask?instance=7&resource=orders&id=7"],
    events: ["/events", "/events?instance=7&type=UPDATED"],
    event: of("/events", event?.id),
    deliveries: ["all", "dead", "endpoints"].map((show) => `/deliveries?show=${show}`),
    delivery: of("/deliveries", delivery?.id ?? 1),
    monitors: ["/monitors"],
    flow: ["/monitors/new", `/monitors/${monitor}`, `/monitors/${monitor}?view=document`],
    subscription: [`/subscriptions/new?monitor=${monitor}`, `/subscriptions/${subscription}`],
    settings: ["you", "users", "organisation", "keys", "audit", "api"].map((tab) => `/settings?tab=${tab}`),
  };
}

/** Waits for what a screen shows after everything else. */
const LATE: Record<string, (page: Page) => Promise<void>> = {
  "?view=document": async (page) => await page.getByRole("textbox", { name: "Document" }).waitFor(),
  "/crm/events": async (page) => await page.getByRole("textbox", { name: "Event hook: JavaScript" }).waitFor(),
};

/** What the page asks the API for, and all bytes that come over the wire, its own files included. */
async function watched(page: Page): Promise<{ asked: string[]; bytes: () => number }> {
  const asked: string[] = [];
  let bytes = 0;
  const wire = await page.context().newCDPSession(page);
  await wire.send("Network.enable");
  wire.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  page.on("request", (request) => {
    if (["fetch", "xhr", "eventsource"].includes(request.resourceType())) asked.push(request.url().slice(server.url.length));
  });
  return { asked, bytes: () => bytes };
}

/** A page of a profile of its own: nothing is in the browser's cache. */
async function fresh(address: string): Promise<{ page: Page; asked: string[]; bytes: () => number; close: () => Promise<void> }> {
  const { page, context } = await opened(chromium, { storageState: state });
  const { asked, bytes } = await watched(page);
  await page.goto(`${server.url}${address}`);
  await loaded(page);
  for (const [part, wait] of Object.entries(LATE)) if (address.endsWith(part)) await wait(page);
  await page.waitForLoadState("load");
  return { page, asked, bytes, close: () => context.close() };
}

test("no screen makes more than six requests or moves more than 280 KiB, its own files included", async () => {
  assert.deepEqual(Object.keys(screens).sort(), Object.keys(ROUTES).sort());
  const rows: string[] = [];
  const beyond: string[] = [];
  for (const [name, list] of Object.entries(screens)) {
    assert.ok(list.length > 0, `there is nothing to show on ${name}`);
    for (const address of list) {
      const started = performance.now();
      const { asked, bytes, close } = await fresh(address);
      rows.push(`${address}: ${asked.length} requests, ${Math.round(bytes() / 1024)} KiB, ${Math.round(performance.now() - started)} ms`);
      if (asked.length > REQUESTS_MAX || bytes() > BYTES_MAX) beyond.push(`${address} asked for ${asked.join(" ")} and moved ${Math.round(bytes() / 1024)} KiB`);
      await close();
    }
  }
  console.log(rows.join("\n"));
  assert.deepEqual(beyond, []);
});

test("a dialog of a flow brings little with it", async () => {
  const [, canvas] = screens.flow;
  const { page, asked, bytes, close } = await fresh(canvas ?? "");
  const before = { asked: asked.length, bytes: bytes() };
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("dialog").getByLabel("Cursor", { exact: true }).waitFor();
  await page.waitForLoadState("networkidle");
  assert.ok(asked.length - before.asked <= 2, asked.slice(before.asked).join(" "));
  assert.ok(bytes() <= BYTES_MAX, `${before.bytes} bytes and ${bytes() - before.bytes} more`);
  console.log(`the Run dialog: ${asked.length - before.asked} requests and ${Math.round((bytes() - before.bytes) / 1024)} KiB more`);
  await close();
});
