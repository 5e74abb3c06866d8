// Where nothing is: the way in, the first run of an empty organisation, every list without entries, what is not there.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Browser } from "playwright-core";

import { loaded } from "./addresses.ts";
import { browser, opened, PATIENCE, signIn, type Turnstone, turnstone } from "./harness.ts";
import { Looks } from "./looks.ts";
import { prepare } from "./prepare.ts";

let server: Turnstone;
let chromium: Browser;
before(async () => {
  [server, chromium] = await Promise.all([turnstone(), browser()]);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

test("the way in can be read, with its link and with a secret that is refused", async () => {
  const { page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" });
  const looks = new Looks(page);
  await page.goto(server.link);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await looks.at("sign-in-link");
  await page.goto(server.url);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await looks.at("sign-in");
  await page.getByLabel("Secret").fill("of nobody");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await looks.at("sign-in-refused");
  assert.equal(looks.faults.join("\n"), "");
  assert.deepEqual(complaints, []);
  await context.close();
});

/** The titles of what stands where nothing is, as the sources have them. */
async function titles(): Promise<string[]> {
  const folder = join(import.meta.dirname, "..", "src");
  const found: string[] = [];
  for (const file of await readdir(folder, { recursive: true })) {
    if (!file.endsWith(".tsx")) continue;
    const source = await readFile(join(folder, file), "utf8");
    for (const [, literal, expression] of source.matchAll(/<Nothing\s+title=(?:"([^"]+)"|\{([^}]*)\})/g)) {
      found.push(...(literal === undefined ? [...(expression ?? "").matchAll(/"([^"]+)"/g)].map(([, text]) => text ?? "") : [literal]));
    }
  }
  return found.sort();
}

test("every screen where nothing is says what it would be and what comes next", async () => {
  const { page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" });
  await signIn(page, server);
  const looks = new Looks(page);
  const all = async (addresses: Record<string, string>) => {
    for (const [name, address] of Object.entries(addresses)) {
      await page.goto(server.url + address);
      await loaded(page);
      await looks.at(name);
    }
  };
  await all({
    "home-first": "/",
    "connectors-none": "/connectors",
    "instances-none": "/instances",
    "instance-new-none": "/instances/new",
    "monitors-none": "/monitors",
    "events-none": "/events",
    "events-none-found": "/events?record=nobody",
    "deliveries-none": "/deliveries",
    "deliveries-dead-none": "/deliveries?show=dead",
    "endpoints-none": "/deliveries?show=endpoints",
    "deliveries-none-found": "/deliveries?status=retry&endpoint=7",
    "ask-none": "/ask",
    "audit-none": "/settings?tab=audit",
    "subscription-new-none": "/subscriptions/new",
    "not-found": "/nowhere",
  });
  const call = await prepare(page, server);
  const made = async (name: string, configuration: object) => (await call<{ id: number }>("POST", "/instances", { name, element: { key: name }, configuration })).id;
  const bare = await made("bare", { "base.url": server.url, "event.poller.configuration": {} });
  const young = await made("young", { "base.url": server.url, "event.notification.enabled": true, "event.poller.refresh_interval": "600", "event.poller.configuration": { contacts: { url: "/contacts", idField: "id" } } });
  await call("POST", "/elements", { key: "crm", name: "Customers", authentication: { type: "none" }, configuration: [], parameters: [], hooks: [], resources: [] });
  const document = await readFile(join(import.meta.dirname, "..", "..", "examples", "monitors", "new-users.yaml"), "utf8");
  await call("POST", "/monitors", { document });
  await all({
    "instance-bare": `/instances/${bare}`,
    "instance-bare-subscriptions": `/instances/${bare}?tab=subscriptions`,
    "instance-bare-webhook": `/instances/${bare}?tab=webhook`,
    "instances-none-found": "/instances?search=nobody",
    "connector-flows-none": "/connectors/crm/flows",
    "connector-no-step": "/connectors/crm/nowhere",
    "subscription-new-not-deployed": "/subscriptions/new?monitor=1",
  });
  // It has run by now; nothing failed of what never ran, and the other way round where an answer says so.
  await page.route(/\/elements\/.*\/runs\?/, (route) => route.fulfill({ json: [] }));
  await all({ "poller-no-polls": `/instances/${young}/pollers/contacts` });
  await page.getByRole("radiogroup", { name: "Which polls" }).getByText("Failed").click();
  await page.getByRole("heading", { name: "None failed" }).waitFor();
  await looks.at("poller-none-failed");
  await page.unrouteAll();
  await page.route(/\/elements\/.*\/configuration$/, (route) => route.fulfill({ json: [] }));
  await all({ "instance-bare-settings": `/instances/${bare}?tab=settings` });
  await page.unrouteAll();
  await page.goto(`${server.url}/monitors/1`);
  await loaded(page);
  await page.getByRole("button", { name: "Run history" }).click();
  await page.getByRole("heading", { name: "No runs yet" }).waitFor({ timeout: PATIENCE });
  await looks.at("flow-history-none", "[role=dialog]");
  assert.equal(looks.faults.join("\n"), "");
  assert.deepEqual((await titles()).filter((title) => !looks.headings.has(title)), [], "is never looked at");
  assert.deepEqual(complaints, []);
  await context.close();
});
