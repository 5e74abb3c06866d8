// PREPARATION ONLY: what the tests of flows need and do not test, made over HTTP with the session of the browser: an
// instance, whose own screen is another's, and a subscription for the looks of the screens. Nothing that a flow's test
// claims is done here.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Page } from "playwright-core";

import type { Callback, Provider, Turnstone } from "./harness.ts";

async function send(page: Page, server: Turnstone, path: string, data: object): Promise<void> {
  const base = `${server.url}/elements/api-v2`;
  const { changeToken } = (await (await page.request.get(`${base}/session`)).json()) as { changeToken: string };
  const response = await page.request.post(`${base}${path}`, { headers: { "X-Change-Token": changeToken }, data });
  if (!response.ok()) throw new Error(`${path} cannot be prepared: ${response.status()} ${await response.text()}`);
}

/** The example of the documents, deployed, with the first instance subscribed to it. */
export async function prepareSubscription(page: Page, server: Turnstone): Promise<void> {
  const document = await readFile(join(import.meta.dirname, "..", "..", "examples", "monitors", "new-users.yaml"), "utf8");
  await send(page, server, "/monitors", { document });
  await send(page, server, "/monitors/1/deploy", {});
  await send(page, server, "/instances/1/subscriptions", { monitorId: 1, schedule: { interval: "10m" } });
}

/** Makes an instance whose connection reaches the test's API; gives its name. */
export async function prepareInstance(page: Page, server: Turnstone, provider: Provider, callback: Callback): Promise<string> {
  const name = "People";
  await send(page, server, "/instances", {
    name,
    element: { key: "people" },
    configuration: {
      "base.url": provider.url,
      "event.notification.enabled": "true",
      "event.vendor.type": "polling",
      "event.poller.refresh_interval": "60",
      "event.poller.configuration": { idle: { url: "/idle", idField: "id" } },
      "event.notification.callback.url": callback.url,
    },
  });
  return name;
}
