// What goes wrong: every screen whose questions are refused, what is not there, and a server that goes away.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { ROUTES } from "../src/app/routes.ts";
import { browser, opened, signIn, type Turnstone, turnstone } from "./harness.ts";
import { Looks } from "./looks.ts";

let server: Turnstone;
let chromium: Browser;
let page: Page;
let complaints: string[];
before(async () => {
  [server, chromium] = await Promise.all([turnstone(), browser()]);
  ({ page, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

const REFUSAL = { status: 403, json: { message: "this asks for the role `admin`; a token that belongs to a reader only looks", code: "forbidden", requestId: "req_1", faults: [] } };
/** What asks nothing until somebody does something, or knows its address to be wrong. */
const ASKS_NOTHING = ["/subscriptions/new"];

test("every screen shows a refusal in the words of the API, with a way on", async () => {
  const looks = new Looks(page);
  await page.route(/\/elements\/(?!.*\/session$)/, (route) => (route.request().headers()["accept"]?.includes("event-stream") ? route.continue() : route.fulfill(REFUSAL)));
  for (const [name, path] of Object.entries(ROUTES)) {
    const address = path.replace(":key/*?", "crm").replace(":id", "7").replace(":resource", "contacts");
    if (ASKS_NOTHING.includes(address)) continue;
    await page.goto(server.url + address);
    await page.getByText(REFUSAL.json.message).first().waitFor();
    assert.ok((await page.getByRole("heading", { level: 1 }).count()) === 1, `${name} has no heading when it is refused`);
    await looks.at(`refused-${name}`);
  }
  await page.unrouteAll();
  assert.equal(looks.faults.join("\n"), "");
  assert.deepEqual(complaints, []);
});

test("what is not there is said so, with a way back", async () => {
  const looks = new Looks(page);
  for (const address of ["/connectors/nobody", "/instances/999", "/instances/999/pollers/none", "/instances/new?connector=nobody", "/runs/run_none", "/events/evt_none", "/deliveries/999", "/monitors/999", "/subscriptions/999"]) {
    await page.goto(server.url + address);
    await page.getByRole("alert").waitFor();
    assert.ok((await page.getByRole("main").getByRole("link").count()) > 0, `${address} has no way back`);
    if (address === "/instances/999") await looks.at("not-there");
  }
  assert.equal(looks.faults.join("\n"), "");
  assert.deepEqual(complaints, []);
});

test("a server that goes away is told, and what was typed stays", async () => {
  const looks = new Looks(page);
  await page.goto(`${server.url}/events`);
  await page.getByRole("textbox", { name: "Record id" }).or(page.getByRole("searchbox", { name: "Record id" })).fill("typed");
  await page.getByRole("status").getByText("Live").waitFor();
  await server.stop();
  await page.getByText("The connection to the server is lost").waitFor();
  await looks.at("lost");
  assert.equal(await page.getByLabel("Record id").inputValue(), "typed");
  assert.equal(looks.faults.join("\n"), "");
});
