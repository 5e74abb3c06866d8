// PREPARATION ONLY: what the tests of flows need and do not test, made over HTTP with the session of the browser: an
// instance, whose own screen is another's. Nothing that a flow's test claims is done here.
import type { Page } from "playwright-core";

import type { Callback, Provider, Turnstone } from "./harness.ts";

/** Makes an instance whose connection reaches the test's API; gives its name. */
export async function prepareInstance(page: Page, server: Turnstone, provider: Provider, callback: Callback): Promise<string> {
  const name = "People";
  const base = `${server.url}/elements/api-v2`;
  const { changeToken } = (await (await page.request.get(`${base}/session`)).json()) as { changeToken: string };
  const response = await page.request.post(`${base}/instances`, {
    headers: { "X-Change-Token": changeToken },
    data: {
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
    },
  });
  if (!response.ok()) throw new Error(`the instance cannot be prepared: ${response.status()} ${await response.text()}`);
  return name;
}
