// With ten thousand instances and a hundred thousand events no screen asks for more than it shows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { browser, opened, signIn, type Turnstone, turnstone } from "./harness.ts";

const REQUESTS_MAX = 6;
const BYTES_MAX = 300 * 1024;
const SCREENS = ["/", "/instances", "/instances/7", "/instances/7/pollers/orders", "/connectors", "/monitors", "/events", "/deliveries", "/ask", "/settings"];

let server: Turnstone;
let chromium: Browser;
before(async () => {
  server = await turnstone({ instances: 10_000, events: 100_000 });
  chromium = await browser();
});
after(async () => {
  await chromium.close();
  await server.stop();
});

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

test("no screen makes more than six requests or moves more than 300 KiB, its own files included", async () => {
  const first = await opened(chromium);
  await signIn(first.page, server);
  const storageState = await first.context.storageState();
  const rows: string[] = [];
  const beyond: string[] = [];
  for (const screen of SCREENS) {
    // A profile of its own for each: nothing is in the browser's cache.
    const { page, context } = await opened(chromium, { storageState });
    const { asked, bytes } = await watched(page);
    const started = performance.now();
    await page.goto(`${server.url}${screen}`);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.waitForFunction(() => document.querySelector('[aria-busy="true"], [aria-label="Loading"]') === null);
    const took = Math.round(performance.now() - started);
    rows.push(`${screen}: ${asked.length} requests, ${Math.round(bytes() / 1024)} KiB, ${took} ms`);
    if (asked.length > REQUESTS_MAX || bytes() > BYTES_MAX) beyond.push(`${screen} asked for ${asked.join(" ")} and moved ${bytes()} bytes`);
    await context.close();
  }
  console.log(rows.join("\n"));
  assert.deepEqual(beyond, []);
  await first.context.close();
});
