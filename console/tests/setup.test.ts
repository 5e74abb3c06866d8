// Setting up, by clicking alone and from an empty organisation: a connector with polled resources and an event hook,
// an instance whose callback gets the signed first event, and what the forms do with mistakes.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Page } from "playwright-core";

import { browser, type Callback, callback, listen, looksRight, opened, type Provider, provider, seriousFindings, signIn, type Turnstone, turnstone, until } from "./harness.ts";

const FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";
const LIST = "/contacts?updatedAfter=${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}";

let server: Turnstone;
let api: Provider;
let app: Callback;
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, api, app, chromium] = await Promise.all([turnstone(), provider(), callback(), browser()]);
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await Promise.all([server?.stop(), api?.stop(), app?.stop()]);
});

async function place(name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name, exact: true }).click();
}

async function step(name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Setup" }).getByRole("link", { name }).click();
}

async function save(): Promise<void> {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Everything is saved.", { exact: false }).waitFor();
}

test("a connector is made, and polling is set up for a resource with a preview beside it", async () => {
  api.add("Ann");
  api.add("Bob <img src=x onerror=alert(1)>");
  await place("Connectors");
  await page.getByRole("heading", { name: "No connectors yet" }).waitFor();
  await page.getByRole("button", { name: "New connector" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Contacts");
  await page.getByRole("textbox", { name: "Hub" }).fill("crm");
  await page.getByRole("textbox", { name: "Base URL" }).fill(api.url);
  await page.getByRole("button", { name: "Create connector" }).click();
  await page.getByRole("heading", { name: "Contacts", level: 1 }).waitFor();
  await step("Events");
  await page.getByRole("switch", { name: "Enable Events" }).click();
  await page.getByRole("radio", { name: "Polling" }).check();
  const minutes = page.getByRole("textbox", { name: "Default Interval Polling Time (in minutes)" });
  const slider = page.getByRole("slider", { name: "Default Interval Polling Time (in minutes)" });
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await minutes.inputValue(), "16 min", "the field follows the slider");
  await minutes.fill("5");
  assert.equal(await slider.getAttribute("aria-valuenow"), "5", "the slider follows the field");

  await page.getByRole("textbox", { name: "Resource name" }).fill("contacts");
  await page.getByRole("button", { name: "Add Polling Resource" }).click();
  const resource = page.getByRole("region", { name: "Resource contacts" });
  await resource.getByRole("textbox", { name: "URL" }).fill(LIST);
  await resource.getByRole("textbox", { name: "ID Field" }).fill("id");
  await resource.getByRole("textbox", { name: "Updated Date Field" }).fill("updatedAt");
  await resource.getByRole("combobox", { name: "Updated Date Format" }).fill(FORMAT);
  await resource.getByRole("textbox", { name: "Created Date Field" }).fill("createdAt");
  await resource.getByRole("combobox", { name: "Created Date Format" }).fill(FORMAT);
  await resource.getByRole("button", { name: "Preview", exact: true }).click();
  const preview = resource.getByRole("region", { name: "Preview of contacts" });
  const records = preview.getByRole("table", { name: "Sample records" });
  await records.getByRole("row").filter({ hasText: api.contacts[0]!.updatedAt.replace("T", " ").replace(/\.?0*Z$/, "") }).first().waitFor();
  assert.equal(await records.getByText("CREATED", { exact: true }).count(), 2);
  await preview.getByText(`${api.url}/contacts?updatedAfter=`).waitFor();
  await preview.getByRole("button", { name: "Record 2" }).click();
  await preview.getByText("Bob <img src=x onerror=alert(1)>").waitFor();
  // It follows what is typed.
  await resource.getByRole("textbox", { name: "ID Field" }).fill("name");
  await records.getByRole("button", { name: "Record Ann" }).waitFor();
  await resource.getByRole("textbox", { name: "ID Field" }).fill("id");
  await records.getByRole("button", { name: "Record 1" }).waitFor();

  // The form and its JSON follow each other.
  await resource.getByText("Code", { exact: true }).click();
  await resource.getByRole("textbox", { name: "contacts as JSON" }).getByText('"idField"').waitFor();
  await resource.getByText("Edit", { exact: true }).click();
  assert.equal(await resource.getByRole("textbox", { name: "Updated Date Field" }).inputValue(), "updatedAt");
  await resource.getByRole("button", { name: "Advanced" }).click();
  await resource.getByText("recommended only for the most technical users").waitFor();
  await resource.getByRole("textbox", { name: "Poll delay (pollDelay)" }).fill("1");
  await save();
  await looksRight(page, "connector-events", resource);

  await page.reload();
  await page.getByRole("region", { name: "Resource contacts" }).waitFor();
  assert.equal(await page.getByRole("textbox", { name: "URL" }).inputValue(), LIST);
  assert.equal(await minutes.inputValue(), "5 min");
});

test("an event hook is added and run on a sample before it is saved", async () => {
  await page.getByRole("radio", { name: "Both" }).check();
  await page.getByRole("button", { name: "Add an Event Hook" }).click();
  const hook = page.getByRole("region", { name: "Event hook" });
  await hook.getByRole("complementary", { name: "Function reference" }).getByText("event_object_id", { exact: true }).waitFor();
  const script = hook.getByRole("textbox", { name: "Event hook: JavaScript" });
  await script.fill('done({ events: [{ event_type: "UPDATED", event_object_id: events.contact.id, event_object_type: "contacts", event_date: events.contact.changed }] });');
  await hook.getByRole("textbox", { name: "Sample" }).fill('{"events": {"contact": {"id": "c-7", "changed": "2026-01-31T12:00:00Z"}}, "configuration": {}}');
  await hook.getByRole("button", { name: "Run", exact: true }).click();
  await hook.getByRole("table", { name: "Events of the run" }).getByRole("cell", { name: "c-7" }).waitFor();
  await script.fill("throw new Error('the signature is wrong');");
  await hook.getByRole("button", { name: "Run", exact: true }).click();
  await hook.getByRole("alert").getByText("the signature is wrong").waitFor();
  await script.fill('done({ events: [] });');
  await save();
  await page.reload();
  await page.getByRole("textbox", { name: "Event hook: JavaScript" }).getByText("done").waitFor();
  await page.getByRole("radio", { name: "Polling" }).check();
  await save();
});

test("every step shows what the connector has, and can be used at any width", async () => {
  for (const name of ["Info", "Properties", "Authentication", "Config & Parameters", "Hooks", "Resources"]) {
    await step(name);
    await page.getByRole("navigation", { name: "Setup" }).getByRole("link", { name, exact: false }).and(page.locator("[aria-current=step]")).waitFor();
    await looksRight(page, `connector-${name.toLowerCase().replace(/\W+/g, "-")}`);
  }
  await step("Resources");
  await page.getByRole("button", { name: "Add resource" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Our path" }).fill("/hubs/crm/contacts");
  await dialog.getByRole("textbox", { name: "The provider's path" }).fill("/contacts");
  await dialog.getByRole("button", { name: "Take it over" }).click();
  await save();
  await page.getByRole("table", { name: "Resources" }).getByText("/hubs/crm/contacts").waitFor();
});

test("faults stand beside their fields, and nothing that was typed is lost", async () => {
  // A connector: the API's words at the field, and at the step that has it.
  await step("Resources");
  await page.getByRole("button", { name: "Add resource" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Our path" }).fill("/hubs/crm/{broken");
  await dialog.getByRole("button", { name: "Take it over" }).click();
  await step("Info");
  await page.getByRole("textbox", { name: "Description" }).fill("kept over every step");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").getByText("is not closed").waitFor();
  await page.getByRole("navigation", { name: "Setup" }).getByLabel("1 to put right").waitFor();
  await step("Resources");
  await page.getByRole("alert").getByText("is not closed").waitFor();
  await step("Info");
  assert.equal(await page.getByRole("textbox", { name: "Description" }).inputValue(), "kept over every step");
  await step("Resources");
  await page.getByRole("button", { name: "Remove GET /hubs/crm/{broken" }).click();
  await save();

  // What would not poll is saved, and told at its field.
  await step("Events");
  const format = page.getByRole("combobox", { name: "Updated Date Format" });
  await format.fill("HH:MM");
  await save();
  await page.getByRole("navigation", { name: "Setup" }).getByLabel(/to look at/).waitFor();
  await format.and(page.locator("[aria-invalid=true]")).waitFor();
  await format.fill(FORMAT);
  await save();

  // An instance.
  await page.getByRole("link", { name: "New instance" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("North");
  await page.getByRole("textbox", { name: "Event Notification Callback URL" }).fill("not an address");
  await page.getByRole("textbox", { name: "Event poller refresh interval (mins)" }).fill("0");
  await page.getByRole("checkbox", { name: "Poll contacts" }).check();
  await page.getByRole("button", { name: "Edit contacts" }).click();
  const resource = page.getByRole("region", { name: "Resource contacts" });
  await resource.getByRole("combobox", { name: "Updated Date Format" }).fill("HH:MM");
  await resource.getByRole("textbox", { name: "ID Field" }).fill("");
  await page.getByRole("button", { name: "Create Instance" }).click();
  const said = async (role: "textbox" | "combobox", name: string) => {
    const field = page.getByRole(role, { name, exact: true });
    await field.and(page.locator("[aria-invalid=true]")).waitFor();
    return await field.evaluate((input) => {
      const ids = (input.getAttribute("aria-describedby") ?? "").split(" ");
      return ids.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
    });
  };
  assert.match(await said("textbox", "Event Notification Callback URL"), /is not an address/);
  assert.match(await said("textbox", "ID Field"), /`idField` is/);
  await resource.getByText(/HH:MM/).first().waitFor();
  await page.getByText(/minutes are out of range/).waitFor();
  await looksRight(page, "instance-faults");
  assert.equal(await page.getByRole("textbox", { name: "Event Notification Callback URL" }).inputValue(), "not an address");
  // Elsewhere and back, and over a reload.
  await place("Events");
  await page.goBack();
  await page.getByRole("heading", { name: "New instance of Contacts" }).waitFor();
  await page.reload();
  assert.equal(await page.getByRole("textbox", { name: "Name", exact: true }).inputValue(), "North");
  await page.getByRole("button", { name: "Start again" }).click();
  assert.equal(await page.getByRole("textbox", { name: "Name", exact: true }).inputValue(), "");
});

test("an instance is created, and its callback receives the signed first event", async () => {
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("North");
  await page.getByRole("button", { name: "Show Optional Fields" }).click();
  await page.getByRole("textbox", { name: "Callback Notification Signature Key" }).fill("a key of sixteen signs");
  await page.getByRole("textbox", { name: "Event Notification Callback URL" }).fill(app.url);
  await page.getByRole("textbox", { name: "Event poller refresh interval (mins)" }).fill("0.005");
  await page.getByRole("checkbox", { name: "Poll contacts" }).check();
  await page.getByRole("button", { name: "Copy contacts" }).click();
  await page.getByRole("textbox", { name: "Name of the copy" }).fill("people");
  await page.getByRole("button", { name: "Copy it" }).click();
  await page.getByRole("region", { name: "Resource people" }).waitFor();
  await page.getByRole("button", { name: "Remove people" }).click();
  await page.getByRole("button", { name: "Take it out" }).click();
  assert.equal(await page.getByRole("radio", { name: "From now" }).isChecked(), true);
  await page.getByRole("combobox", { name: "Element Instance Tags" }).fill("production");
  await page.keyboard.press("Enter");
  await looksRight(page, "instance-new");
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
  await page.getByText("Its token is shown only now").waitFor();
  await page.getByRole("button", { name: "GET /contacts" }).click();
  await page.getByRole("button", { name: "Try it" }).waitFor();
  await looksRight(page, "instance-next-steps");

  // What was there is no event; what comes now is.
  const polls = api.log.length;
  await until(() => api.log.length > polls + 1, "it is not polled");
  api.add("Cem");
  await until(() => app.received.length > 0, "the callback got nothing");
  const first = app.received[0]!;
  const event = JSON.parse(first.body) as unknown;
  assert.match(JSON.stringify(event), /"eventType":"CREATED"/);
  assert.match(JSON.stringify(event), /"objectId":"?3"?/);
  const signature = String(first.headers["elements-webhook-signature"] ?? first.headers["x-elements-webhook-signature"] ?? "");
  assert.ok(signature !== "", `no signature among ${Object.keys(first.headers).join(", ")}`);
  const digests = ["sha1", "sha256", "sha512"].flatMap((algorithm) => (["base64", "hex"] as const).map((encoding) => createHmac(algorithm, "a key of sixteen signs").update(first.body).digest(encoding)));
  assert.ok(digests.some((digest) => signature.endsWith(digest)), `${signature} is not the body's`);
});

test("the next event arrives live, and what the callback did not take is delivered again by a click", async () => {
  const looking = await context.newPage();
  await looking.goto(`${server.url}/events`);
  await looking.getByRole("status").getByText("Live").waitFor();
  app.status = 503;
  api.add("Dora");
  await looking.getByRole("row", { name: /Dora/ }).first().waitFor();
  await looking.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Deliveries", exact: true }).click();
  await looking.getByRole("table", { name: "Deliveries" }).getByRole("row", { name: /being retried/ }).getByRole("link").first().click();
  await looking.getByRole("region", { name: "Attempts" }).getByText("503", { exact: true }).first().waitFor();
  const before = app.received.length;
  app.status = 200;
  await looking.getByRole("button", { name: /Redeliver/ }).click();
  await looking.getByText(/Its event was accepted/).waitFor();
  assert.ok(app.received.length > before, "it was sent again");
  await looking.close();
});

test("a change of an instance says first what becomes of each cursor", async () => {
  await page.getByRole("link", { name: "Change it" }).click();
  await page.getByRole("heading", { name: "Change North" }).waitFor();
  await page.getByRole("textbox", { name: "Event poller refresh interval (mins)" }).fill("15");
  await page.getByRole("button", { name: "See what it does" }).click();
  const plan = page.getByRole("dialog", { name: "What this change does" });
  await plan.getByRole("row", { name: /contacts kept/ }).waitFor();
  await plan.getByRole("button", { name: "Save instance" }).click();
  await page.waitForURL(/\/instances\/\d+$/);
});

test("an API without a connector is polled by its address, as a sample of it suggests", async () => {
  await page.goto(`${server.url}/instances/new`);
  await page.getByRole("link", { name: "Poll an API by its address" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Plain API");
  await page.getByRole("textbox", { name: "Resource name" }).fill("contacts");
  await page.getByRole("button", { name: "Add Polling Resource" }).click();
  await page.getByRole("button", { name: "Suggest" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Address of the list" }).fill(`${api.url}/contacts?updatedAfter=2020-01-01T00:00:00Z`);
  await dialog.getByRole("button", { name: "Look at it" }).click();
  await dialog.getByRole("checkbox", { name: "idField" }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await dialog.getByRole("button", { name: /^Take \d+ of/ }).click();
  assert.equal(await page.getByRole("textbox", { name: "ID Field" }).inputValue(), "id");
  assert.equal(await page.getByRole("textbox", { name: "Updated Date Field" }).inputValue(), "updatedAt");
  await page.getByRole("radio", { name: "Everything", exact: true }).last().check();
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
});

test("a connector is made of an OpenAPI description, cloned, and deleted after a question", async () => {
  await place("Connectors");
  await page.getByRole("button", { name: "Import" }).click();
  const dialog = page.getByRole("dialog", { name: "Import a connector" });
  const description = { openapi: "3.0.0", info: { title: "Tasks", version: "1" }, servers: [{ url: api.url }], paths: { "/tasks": { get: { operationId: "listTasks", responses: { 200: { description: "All" } } } } } };
  await dialog.getByLabel("File to import").setInputFiles({ name: "tasks.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(description)) });
  await dialog.getByRole("button", { name: "Turn it into a connector" }).click();
  await dialog.getByRole("button", { name: "Import connector" }).click();
  await page.getByRole("heading", { name: "Tasks", level: 1 }).waitFor();
  await step("Resources");
  await page.getByRole("table", { name: "Resources" }).getByText("/tasks").first().waitFor();
  await place("Connectors");
  await page.getByRole("button", { name: "What to do with Tasks" }).click();
  await page.getByRole("menuitem", { name: "Clone" }).click();
  await page.getByRole("textbox", { name: "Key of the copy" }).fill("contacts");
  await page.getByRole("button", { name: "Clone it" }).click();
  await page.getByText(/there is an element `contacts` already/).waitFor();
  await page.getByRole("textbox", { name: "Key of the copy" }).fill("tasks2");
  await page.getByRole("button", { name: "Clone it" }).click();
  await page.getByRole("heading", { name: "Tasks (copy)", level: 1 }).waitFor();
  await place("Connectors");
  await page.getByRole("button", { name: "What to do with Tasks (copy)" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete connector" }).click();
  await page.getByRole("link", { name: "Tasks (copy)" }).waitFor({ state: "detached" });
  // One that has instances stays, and says so.
  await page.getByRole("button", { name: "What to do with Contacts" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete connector" }).click();
  await page.getByRole("dialog").getByRole("alert").getByText(/instance/).waitFor();
  await page.getByRole("button", { name: "Keep it" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await looksRight(page, "connectors");
});

test("an account is connected over the provider's own pages", async (t) => {
  const grants: string[] = [];
  const signer = await listen((request, response) => {
    const url = new URL(request.url ?? "/", "http://signer");
    if (url.pathname === "/authorize") {
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      back.searchParams.set("code", "a-code");
      back.searchParams.set("state", url.searchParams.get("state") ?? "");
      response.writeHead(302, { location: back.toString() }).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      grants.push(Buffer.concat(chunks).toString());
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ access_token: "t", token_type: "Bearer", expires_in: 3600, refresh_token: "r" }));
    });
  });
  t.after(signer.stop);
  await page.getByRole("link", { name: "Tasks", exact: true }).click();
  await step("Authentication");
  await page.getByRole("combobox", { name: "Authentication Type" }).click();
  await page.getByRole("option", { name: "OAuth 2", exact: true }).click();
  await page.getByRole("textbox", { name: "OAuth Authorization URL" }).fill(`${signer.url}/authorize`);
  await page.getByRole("textbox", { name: "OAuth Token URL" }).fill(`${signer.url}/token`);
  await save();
  await page.getByRole("link", { name: "New instance" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Signed in");
  await page.getByRole("textbox", { name: "API Key" }).fill("the-key");
  await page.getByRole("textbox", { name: "API Secret" }).fill("the-secret");
  await page.getByRole("button", { name: "Sign in at the provider" }).click();
  await page.getByText("The provider allowed the access").waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Name", exact: true }).inputValue(), "Signed in", "the form is as it was left");
  await page.getByRole("switch", { name: "Events Enabled" }).click();
  await page.getByRole("textbox", { name: "Resource name" }).fill("tasks");
  await page.getByRole("button", { name: "Add Polling Resource" }).click();
  await page.getByRole("textbox", { name: "URL", exact: true }).fill("/tasks");
  await page.getByRole("textbox", { name: "ID Field" }).fill("id");
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
  assert.match(grants.join(), /a-code/);
  assert.deepEqual(complaints, []);
});
