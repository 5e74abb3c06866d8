// Preparation only: what tests of looking at things need to be there before anybody looks. The tasks of people are not
// done here but by clicking, in the other files.
import type { Page } from "playwright-core";

import type { Turnstone } from "./harness.ts";

/** Calls the API with the session of a page. */
export type Call = <T = Record<string, unknown>>(method: string, path: string, body?: unknown) => Promise<T>;

/** A way to call it. The page is signed in. */
export async function prepare(page: Page, server: Turnstone): Promise<Call> {
  const base = `${server.url}/elements/api-v2`;
  const session = (await (await page.request.get(`${base}/session`)).json()) as { changeToken: string };
  return async <T>(method: string, path: string, body?: unknown) => {
    const answer = await page.request.fetch(base + path, {
      method,
      headers: { "X-Change-Token": session.changeToken, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { data: JSON.stringify(body) }),
    });
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
    const text = await answer.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
}

/** How the test's API writes dates. */
export const FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";

/** An instance that polls the contacts of a test's API. */
export async function connected(call: Call, options: { name: string; api: string; callback?: string; minutes?: string; startFrom?: string; resource?: string }): Promise<number> {
  const { id } = await call<{ id: number }>("POST", "/instances", {
    element: { key: "shop" },
    name: options.name,
    tags: ["test"],
    configuration: {
      "event.notification.enabled": true,
      ...(options.callback === undefined ? {} : { "event.notification.callback.url": options.callback }),
      "event.poller.refresh_interval": options.minutes ?? "600",
      "base.url": options.api,
      "event.poller.configuration": {
        [options.resource ?? "contacts"]: {
          url: `/contacts?updatedAfter=\${gmtDate:${FORMAT}}`,
          idField: "id",
          datesConfiguration: { updatedDateField: "updatedAt", updatedDateFormat: FORMAT, createdDateField: "createdAt", createdDateFormat: FORMAT },
          pagination: { type: "page", page: "page", size: "pageSize" },
          startFrom: options.startFrom ?? "beginning",
        },
      },
    },
  });
  return id;
}

/** Waits until a question to the API is answered as wanted. */
export async function until<T>(call: Call, path: string, is: (answer: T) => boolean, what: string): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const answer = await call<T>("GET", path);
    if (is(answer)) return answer;
    if (Date.now() > end) throw new Error(`${what} did not come; last answer: ${JSON.stringify(answer).slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
