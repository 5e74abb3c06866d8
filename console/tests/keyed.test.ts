// An API that wants a key, has its list deep inside and writes dates as numbers, by clicking alone: the key's header, a
// trial account for suggestion and preview, and an account whose key is asked for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { faultBeside, goTo, importConnector } from "./clicks.ts";
import { browser, type Callback, callback, listen, opened, seriousFindings, signIn, type Turnstone, turnstone, until } from "./harness.ts";

const KEY = "a-key-that-is-none-of-yours";

let server: Turnstone;
let app: Callback;
let api: { url: string; stop: () => Promise<void> };
let chromium: Browser;
let page: Page;
let complaints: string[];
/** Requests that were let in. */
let answered = 0;
const books = [1, 2, 3].map((number) => bookOf(number, 3_600));

function bookOf(number: number, age: number) {
  const at = Math.floor(Date.now() / 1000) - age;
  return { meta: { uid: `b-${number}` }, title: `Book ${number}`, modified: at, added: at };
}

before(async () => {
  [server, app, chromium, api] = await Promise.all([
    turnstone(),
    callback(),
    browser(),
    listen((request, response) => {
      const url = new URL(request.url ?? "/", "http://api");
      const isLetIn = request.headers["x-shop-key"] === KEY;
      if (isLetIn) answered++;
      const since = Number(url.searchParams.get("modified_since") ?? 0);
      const found = { data: { items: books.filter(({ modified }) => modified >= since) } };
      response.writeHead(isLetIn ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(isLetIn ? found : { error: "no key" }));
    }),
  ]);
  ({ page, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
});
after(async () => {
  await chromium?.close();
  await Promise.all([server?.stop(), app?.stop(), api?.stop()]);
});

const step = (name: string) => page.getByRole("navigation", { name: "Setup" }).getByRole("link", { name }).click();
const field = (name: string) => page.getByRole("textbox", { name, exact: true });
async function save(): Promise<void> {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Everything is saved.", { exact: false }).waitFor();
}

test("the header of the key is set where the type of signing in is chosen, and goes with it", async () => {
  await goTo(page, "Connectors");
  await page.getByRole("button", { name: "New connector" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("Books");
  await page.getByRole("dialog").getByRole("textbox", { name: "Base URL" }).fill(`${api.url}/v1`);
  await page.getByRole("button", { name: "Create connector" }).click();
  await page.getByRole("heading", { name: "Books", level: 1 }).waitFor();
  await step("Authentication");
  const type = page.getByRole("combobox", { name: "Authentication Type" });
  const choose = async (name: string) => {
    await type.click();
    await page.getByRole("option", { name, exact: true }).click();
  };
  const header = field("Header that takes the key");
  await choose("API key");
  await header.fill("");
  assert.match(await faultBeside(header), /Without a name the key is not sent/);
  await header.fill("X-Shop-Key");
  await choose("Nothing");
  await header.waitFor({ state: "detached" });
  await step("Config & Parameters");
  assert.equal(await page.getByText("api.token").count(), 0, "what was asked for is gone");
  await step("Authentication");
  await choose("API key");
  await header.fill("X-Shop-Key");
  assert.deepEqual(await seriousFindings(page), []);
  await save();
  await page.reload();
  assert.equal(await header.inputValue(), "X-Shop-Key");
});

test("a preview that is refused says where an account is written; suggestion and preview sign in with it", async () => {
  await step("Events");
  await page.getByRole("switch", { name: "Enable Events" }).click();
  await field("Resource name").fill("books");
  await page.getByRole("button", { name: "Add Polling Resource" }).click();
  const resource = page.getByRole("region", { name: "Resource books" });
  await resource.getByRole("textbox", { name: "URL" }).fill("/books");
  await resource.getByRole("textbox", { name: "ID Field" }).fill("title");
  await resource.getByRole("button", { name: "Preview", exact: true }).click();
  await resource.getByRole("alert").getByText("Previews sign in with the trial account above.").waitFor();
  const unsigned = resource.getByRole("alert").filter({ hasText: "It is read without the connector's sign-in" });
  await unsigned.getByText("The connector has no resource /books").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await unsigned.getByRole("button", { name: "Make it a resource of the connector" }).click();
  await unsigned.waitFor({ state: "detached" });

  await page.getByRole("button", { name: /^Trial account/ }).click();
  await page.getByLabel("API Key", { exact: true }).fill(KEY);
  await page.getByText("Previews sign in with what is written here.").waitFor();
  await resource.getByRole("button", { name: "Suggest" }).click();
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByRole("textbox", { name: "Headers" }).inputValue(), `X-Shop-Key: ${KEY}`);
  await dialog.getByRole("button", { name: "Look at it" }).click();
  await dialog.getByText("?updated_since=${epoch:s}", { exact: false }).waitFor();
  await dialog.getByRole("button", { name: /^Take \d+ of/ }).click();
  assert.equal(await resource.getByRole("textbox", { name: "URL" }).inputValue(), "/books", "it stays below the base URL");
  assert.equal(await resource.getByRole("textbox", { name: "ID Field" }).inputValue(), "meta.uid");
  await resource.getByRole("textbox", { name: "URL" }).fill("/books?modified_since=${epoch:s}");
  await resource.getByRole("table", { name: "Sample records" }).getByRole("button", { name: "Record b-3" }).waitFor();
  await resource.getByText("/books?modified_since=0", { exact: false }).first().waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await save();
});

test("an account is asked for its key, and its events arrive", async () => {
  await page.getByRole("link", { name: "New instance" }).click();
  await field("Name").fill("Bookshop");
  await page.getByRole("textbox", { name: "Event Notification Callback URL" }).fill(app.url);
  await page.getByRole("textbox", { name: "Event poller refresh interval (mins)" }).fill("0.005");
  await page.getByRole("checkbox", { name: "Poll books" }).check();
  await page.getByRole("button", { name: "Create Instance" }).click();
  const key = page.getByLabel("API Key");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-invalid") === "true");
  assert.match(await faultBeside(key), /is missing|required/);
  await key.fill(KEY);
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
  await goTo(page, "Events");
  await page.getByRole("status").getByText("Live").waitFor();
  // What is there at the first poll is known; what comes after it is new.
  const polled = answered;
  await until(() => answered > polled + 1, "it is not polled");
  books.push(bookOf(4, 0));
  await page.getByRole("row", { name: /CREATED b-4 books Bookshop/ }).waitFor();
  await until(() => app.received.some(({ body }) => body.includes("b-4")), "the callback got nothing");
  assert.ok(!app.received.some(({ body }) => body.includes(KEY)), "no notification holds the key");
  assert.deepEqual(complaints, []);
});

test("a connector that sends something else already is asked whether a key is to be added", async () => {
  const tenant = { name: "tenant", type: "configuration", vendorName: "X-Tenant", vendorType: "header" };
  await importConnector(page, { key: "tenants", name: "Tenants", description: "d", authentication: { type: "none" }, configuration: [{ key: "tenant", name: "Tenant", type: "TEXTFIELD_32" }], parameters: [tenant], hooks: [], resources: [] });
  await step("Authentication");
  await page.getByRole("combobox", { name: "Authentication Type" }).click();
  await page.getByRole("option", { name: "API key", exact: true }).click();
  await page.getByText("X-Tenant").waitFor();
  assert.equal(await field("Header that takes the key").count(), 0);
  await page.getByRole("button", { name: "Ask each account for a key" }).click();
  assert.equal(await field("Header that takes the key").inputValue(), "X-Api-Key");
  await page.getByText("X-Tenant").waitFor();
  await save();
});
