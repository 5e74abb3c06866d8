// What people get wrong, by clicking alone: names that are taken, code that cannot be read, dates and addresses that
// are none, and a server that is away. Each fault stands beside its field, and nothing that was typed is lost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

import { faultBeside, goTo } from "./clicks.ts";
import { browser, opened, type Provider, provider, seriousFindings, signIn, type Turnstone, turnstone, until } from "./harness.ts";

let server: Turnstone;
let api: Provider;
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, api, chromium] = await Promise.all([turnstone(), provider(), browser()]);
  api.add("Ann");
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  page.on("dialog", (dialog) => void dialog.accept());
  await signIn(page, server);
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await Promise.all([server?.stop(), api?.stop()]);
});

const dialog = (): Locator => page.getByRole("dialog");
const field = (name: string): Locator => page.getByRole("textbox", { name, exact: true });

test("a key that is taken is told beside the key, and the dialog keeps what was typed", async () => {
  await goTo(page, "Connectors");
  for (const round of [1, 2]) {
    await page.getByRole("button", { name: "New connector" }).click();
    await dialog().getByRole("textbox", { name: "Name" }).fill("Book club");
    await dialog().getByRole("textbox", { name: "Key" }).fill("books");
    await dialog().getByRole("textbox", { name: "Base URL" }).fill(api.url);
    await dialog().getByRole("button", { name: "Create connector" }).click();
    if (round === 1) await page.getByRole("heading", { name: "Book club", level: 1 }).waitFor();
    if (round === 1) await goTo(page, "Connectors");
  }
  assert.match(await faultBeside(dialog().getByRole("textbox", { name: "Key" })), /there is an element `books` already/);
  assert.equal(await dialog().getByRole("textbox", { name: "Base URL" }).inputValue(), api.url);
  await dialog().getByRole("textbox", { name: "Key" }).fill("bo/oks");
  await dialog().getByRole("button", { name: "Create connector" }).click();
  assert.match(await faultBeside(dialog().getByRole("textbox", { name: "Key" })), /bo\/oks/);
  await dialog().getByRole("button", { name: "Not now" }).click();
});

/** The JSON editor of a resource. */
const code = (name: string): Locator => page.getByRole("textbox", { name: `${name} as JSON` });

test("code that cannot be read is kept over every change of the view and a reload, and holds the saving up", async () => {
  await page.goto(`${server.url}/connectors/books/events`);
  await page.getByRole("switch", { name: "Enable Events" }).click();
  await field("Resource name").fill("contacts");
  await page.getByRole("button", { name: "Add Polling Resource" }).click();
  const resource = page.getByRole("region", { name: "Resource contacts" });
  await resource.getByRole("textbox", { name: "URL" }).fill("/contacts");
  await resource.getByRole("textbox", { name: "ID Field" }).fill("id");
  await resource.getByText("Code", { exact: true }).click();
  await code("contacts").fill('{"url": "/contacts", "idField": "name"');
  await page.getByText(/Not taken over yet/).waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").getByText("The code of contacts cannot be read yet, so nothing is saved.", { exact: false }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await resource.getByText("Edit", { exact: true }).click();
  await resource.getByText("What was typed as code cannot be read yet").waitFor();
  assert.equal(await resource.getByRole("textbox", { name: "ID Field" }).inputValue(), "id");
  await page.getByRole("navigation", { name: "Setup" }).getByRole("link", { name: "Info" }).click();
  await page.getByRole("navigation", { name: "Setup" }).getByRole("link", { name: "Events" }).click();
  await resource.getByRole("button", { name: "Back to the code" }).click();
  await code("contacts").getByText('"name"').waitFor();
  await code("contacts").fill('{"url": "/contacts", "idField": "name"}');
  await page.getByText(/Not taken over yet/).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Everything is saved.", { exact: false }).waitFor();
  await resource.getByText("Edit", { exact: true }).click();
  assert.equal(await resource.getByRole("textbox", { name: "ID Field" }).inputValue(), "name");

  // The same of an instance, of one resource and of all of them.
  await page.getByRole("link", { name: "New instance" }).click();
  await field("Name").fill("Readers");
  await page.getByRole("button", { name: "All of it as code" }).click();
  const all = page.getByRole("textbox", { name: "Resources as JSON" });
  await all.fill("[1]");
  await page.getByText("Not taken over yet: it is not an object in braces").waitFor();
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("alert").getByText("The code of All resources cannot be read yet", { exact: false }).waitFor();
  await page.getByRole("button", { name: "Back to the form" }).click();
  await page.reload();
  await page.getByRole("button", { name: "Back to the code" }).click();
  await all.getByText("[1]").waitFor();
  await page.getByRole("button", { name: "Take it back to what it was" }).click();
  await all.getByText('"contacts"').waitFor();
  assert.equal(await field("Name").inputValue(), "Readers");
  await page.getByRole("button", { name: "Back to the form" }).click();
  await page.getByRole("button", { name: "Start again" }).click();
});

test("a flow's document that cannot be read is kept over the canvas, and holds the saving up", async () => {
  await page.goto(`${server.url}/monitors/new`);
  await page.getByRole("button", { name: "Add event" }).click();
  await dialog().getByRole("button", { name: /^Polling Monitor/ }).click();
  await page.getByText("Document", { exact: true }).click();
  const document = page.getByRole("textbox", { name: "Document" });
  await document.getByText("control.cursor").waitFor();
  await document.fill("name: [half");
  await page.getByText("This text cannot be read; the canvas stays as it was").waitFor();
  await page.getByText("Canvas", { exact: true }).click();
  await page.getByRole("region", { name: "Return Outputs" }).waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").getByText("The code of the document cannot be read yet, so nothing is saved.", { exact: false }).waitFor();
  assert.equal(await dialog().count(), 0, "no name is asked for");
  await page.getByText("Document", { exact: true }).click();
  await document.getByText("name: [half").waitFor();
  await page.getByRole("button", { name: "Take it back to what it was" }).click();
  await document.getByText("control.cursor").waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await dialog().getByLabel("Name of the flow").waitFor();
  await dialog().getByRole("button", { name: "Save" }).click();
  assert.match(await faultBeside(dialog().getByLabel("Name of the flow")), /Give the flow a name/);
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("an export that is none is refused in words, and another file can be taken", async () => {
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(`${server.url}/monitors/new`);
  const file = page.getByLabel("File of the export");
  const give = (name: string, text: string) => file.setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
  await give("broken.flopack", "{");
  await dialog().getByRole("alert").getByText("The file holds no JSON").waitFor();
  await page.keyboard.press("Escape");
  await give("other.flopack", "{}");
  await dialog().getByRole("alert").getByText(/it is not an export/).waitFor();
  await page.keyboard.press("Escape");
  const flow = (id: string, name: string) => ({ id, name, description: "", data: { uuid: id, methods: [], orderings: {} } });
  await give("two.flopack", JSON.stringify({ type: "flopack", version: "1.5.0", data: { flos: { a: flow("a", "First"), b: flow("b", "Second") }, configs: {}, tables: {}, groups: {} } }));
  await dialog().getByRole("alert").getByText(/does not say which flow is the monitor/).waitFor();
  await dialog().getByRole("textbox", { name: "Flow that becomes the monitor" }).fill("Second");
  await dialog().getByRole("button", { name: "Import again" }).click();
  await page.getByText("Imported; look it through and save it").waitFor();
  await page.getByRole("heading", { name: "Second", level: 1 }).waitFor();
});

test("a server that is away is told, waited for, and found again, with everything that was typed", async () => {
  const looking = await context.newPage();
  await looking.goto(`${server.url}/events`);
  await looking.getByRole("status").getByText("Live").waitFor();
  await page.goto(`${server.url}/instances/new?own`);
  await field("Name").fill("Plain");
  await field("Base URL").fill(api.url);
  await page.getByRole("switch", { name: "Events Enabled" }).check();
  await field("Resource name").fill("contacts");
  await page.getByRole("button", { name: "Add Polling Resource" }).click();
  await field("URL").fill("/contacts");
  await field("ID Field").fill("id");
  await field("Event poller refresh interval (mins)").fill("0.005");
  await server.without(async () => {
    await page.getByRole("alert").getByText("It is tried again all the time.", { exact: false }).waitFor();
    await looking.getByRole("alert").getByText("It is tried again all the time.", { exact: false }).waitFor();
    await page.getByRole("status").getByText("Not connected").waitFor();
    await page.getByRole("button", { name: "Create Instance" }).click();
    await page.getByRole("alert").getByText("The server cannot be reached; what you typed is kept.").waitFor();
    await field("Name").fill("Plain and simple");
    assert.deepEqual(await seriousFindings(page), []);
  });
  await page.getByRole("alert").getByText("It is tried again all the time.", { exact: false }).waitFor({ state: "detached" });
  await looking.getByRole("alert").getByText("It is tried again all the time.", { exact: false }).waitFor({ state: "detached" });
  assert.equal(await field("Name").inputValue(), "Plain and simple");
  const asked = api.log.length;
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
  await until(() => api.log.length > asked + 1, "it is not polled");
  api.add("Bob");
  await looking.getByRole("row", { name: /Bob/ }).first().waitFor();
  assert.deepEqual(complaints.filter((text) => !/EventSource|ERR_CONNECTION|ERR_INCOMPLETE/.test(text)), []);
});
