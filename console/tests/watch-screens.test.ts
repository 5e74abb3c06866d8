// Every screen for watching: readable in light and dark and at 390 pixels, few requests, few bytes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { browser, type Callback, callback, isCut, opened, picture, type Provider, provider, seriousFindings, signIn, type Turnstone, turnstone } from "./harness.ts";
import { type Call, connected, prepare, until } from "./prepare.ts";

type Poller = { lastRuns: { id: string; outcome: string }[] };

let server: Turnstone;
let chromium: Browser;
let shop: Provider;
let broken: Provider;
let receiver: Callback;
let page: Page;
let complaints: string[];
let call: Call;
let north: number;

before(async () => {
  [server, chromium, shop, broken, receiver] = await Promise.all([turnstone(), browser(), provider(), provider(), callback()]);
  ({ page, complaints } = await opened(chromium));
  await signIn(page, server);
  call = await prepare(page, server);
  for (let one = 1; one <= 8; one++) shop.add(`Contact ${one}`, { city: "Bern" });
  broken.failing = { status: 503, body: JSON.stringify({ message: "the shop is being rebuilt" }) };
  north = await connected(call, { name: "Shop of the north", api: shop.url, callback: receiver.url });
  await connected(call, { name: "Shop that is down", api: broken.url, callback: receiver.url });
  await until<unknown[]>(call, `/instances/${north}/events`, (events) => events.length === 8, "the first events");
  await until<Poller>(call, `/instances/${north}/pollers/contacts`, (poller) => poller.lastRuns.length > 0, "the end of the first poll");
  // A poll with something of everything: new, changed, and known already.
  shop.change(2, { city: "Basel" });
  shop.change(5, { city: "Chur" });
  shop.add("Contact 9", { city: "Thun" });
  await call("POST", `/instances/${north}/pollers/contacts/run`);
  await until<Poller>(call, `/instances/${north}/pollers/contacts`, (poller) => poller.lastRuns.length > 1 && poller.lastRuns[0]?.outcome === "completed", "the end of the second poll");
});
after(async () => {
  await chromium.close();
  await Promise.all([server.stop(), shop.stop(), broken.stop(), receiver.stop()]);
});

test("every screen can be read in light and dark and at 390 pixels, and asks for little", async () => {
  const run = (await call<Poller>("GET", `/instances/${north}/pollers/contacts`)).lastRuns[0]?.id;
  const [event] = await call<{ id: string }[]>("GET", `/instances/${north}/events?pageSize=1&objectId=2`);
  const screens: Record<string, string> = {
    home: "/",
    instances: "/instances",
    instance: `/instances/${north}`,
    poller: `/instances/${north}/pollers/contacts`,
    cursor: `/instances/${north}/pollers/contacts?tab=cursor`,
    poll: `/runs/${run}`,
    ask: `/ask?instance=${north}&resource=contacts&id=2`,
    events: "/events",
    event: `/events/${event?.id}`,
    deliveries: "/deliveries",
    endpoints: "/deliveries?show=endpoints",
    delivery: "/deliveries/1",
    "settings-keys": "/settings?tab=keys",
  };
  for (const [name, path] of Object.entries(screens)) {
    let count = 0;
    let bytes = 0;
    const counted = (request: { url: () => string }) => {
      if (request.url().includes("/elements/")) count++;
    };
    const measured = async (response: { url: () => string; headers: () => Record<string, string>; body: () => Promise<Buffer> }) => {
      if (response.url().includes("/elements/") && !(response.headers()["content-type"] ?? "").includes("event-stream")) bytes += (await response.body()).length;
    };
    page.on("request", counted);
    page.on("response", measured);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(server.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByRole("status", { name: "Loading" }).first().waitFor({ state: "detached" });
    page.off("request", counted);
    page.off("response", measured);
    assert.ok(count <= 6, `${name} made ${count} requests`);
    assert.ok(bytes <= 300_000, `${name} moved ${bytes} bytes`);
    await picture(page, name);
    assert.deepEqual(await seriousFindings(page), [], `${name}, light`);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 390, height: 844 });
    assert.deepEqual(await seriousFindings(page), [], `${name}, dark and narrow`);
    assert.equal(await isCut(page), false, `${name} is cut at 390 pixels`);
  }
  assert.deepEqual(complaints, []);
});
