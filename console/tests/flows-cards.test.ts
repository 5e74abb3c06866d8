// Flows with branches and loops, by clicking alone: put in, wired, and run with the values of every branch and call.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Page } from "playwright-core";

import { canvasOf } from "./canvas.ts";
import { faultBeside, instanceByAddress } from "./clicks.ts";
import { browser, type Callback, callback, opened, type Provider, provider, signIn, type Turnstone, turnstone } from "./harness.ts";

let server: Turnstone;
let [people, app]: [Provider, Callback] = [undefined as never, undefined as never];
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, people, app, chromium] = await Promise.all([turnstone(), provider(), callback(), browser()]);
  people.add("Ada");
  people.add("Grace");
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
  await instanceByAddress(page, server, { name: "People", key: "people", address: `${people.url}/contacts?updatedAfter=2020-01-01T00:00:00Z`, callback: app.url });
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await Promise.all([server?.stop(), people?.stop(), app?.stop()]);
});

const { add, card, dialog, rename, run, take } = canvasOf(() => page);

test("If/Else and For Each are put in, wired and run: each branch and each call shows its values", async () => {
  await page.goto(`${server.url}/monitors/new`);
  await page.getByRole("button", { name: "Add event" }).click();
  await dialog().getByRole("button", { name: /^Polling Monitor/ }).click();
  await card("Polling Monitor").getByLabel("Type of Cursor").selectOption("number");

  await add("at the beginning", "http get", /^HTTP Get/);
  const get = card(/^HTTP Get/);
  await get.getByLabel("URL", { exact: true }).fill("/contacts");
  await get.getByLabel("Type of body").selectOption("list of object");
  await add("after HTTP Get", "length", /^List Length/);
  await take(card(/^List Length/), "list", /^body/);

  await add("after List Length", "if/else", /^If\/Else/);
  const frame = card(/^If\/Else/);
  await take(frame, "value a", /^length/);
  await frame.getByLabel("comparison", { exact: true }).selectOption(">");
  await frame.getByRole("button", { name: "What value b takes" }).click();
  await page.getByRole("menuitem", { name: "Number", exact: true }).click();
  await frame.getByLabel("value b", { exact: true }).fill("1");
  await frame.getByRole("button", { name: "Add output" }).click();
  await rename(frame, "output", "output", "size");
  await frame.getByRole("button", { name: /^More for If\/Else/ }).first().click();
  await page.getByRole("menuitem", { name: "Settings of the card" }).click();
  await dialog().getByRole("textbox", { name: "Id" }).fill("two words");
  assert.notEqual(await faultBeside(dialog().getByRole("textbox", { name: "Id" })), "");
  assert.ok(await dialog().getByRole("button", { name: "Apply" }).isDisabled());
  await dialog().getByRole("textbox", { name: "Id" }).fill("crowd");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await dialog().waitFor({ state: "hidden" });
  await add("at the beginning of If true", "return", /^Return ends/);
  await card("Return").first().getByLabel("size", { exact: true }).fill("many");
  await add("at the beginning of Else", "return", /^Return ends/);
  await card("Return").nth(1).getByLabel("size", { exact: true }).fill("few");

  await page.getByRole("button", { name: "Helper flow" }).click();
  await dialog().getByLabel("Name of the helper flow").fill("greet");
  await dialog().getByRole("button", { name: "Add the flow" }).click();
  await card("Helper Flow greet").getByRole("button", { name: "Add Inputs" }).click();
  await dialog().getByRole("button", { name: "Add Field" }).click();
  await dialog().getByLabel("Field 1 of greet", { exact: true }).fill("name");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await dialog().waitFor({ state: "hidden" });
  await add("at the beginning", "http get", /^HTTP Get/);
  await card(/^HTTP Get/).getByLabel("URL", { exact: true }).fill("/hello");
  await card(/^HTTP Get/).getByRole("button", { name: "What Query takes" }).click();
  await page.getByRole("menuitem", { name: "Object or list, as JSON" }).click();
  await card(/^HTTP Get/).getByLabel("Query", { exact: true }).fill('{"to": {"from": "inputs.name"}}');
  await page.getByRole("tab", { name: /^Monitor/ }).click();

  await add("after If/Else crowd", "for each", /^List For Each calls/);
  const each = card(/^List For Each/);
  await each.getByLabel("Flow").selectOption("greet");
  await take(each, "list", /^body/);
  await take(each, "name", /^item/);
  await each.getByLabel("Path into item for name").fill("name");
  await page.keyboard.press("Enter");
  await each.getByRole("textbox", { name: "Path into item for name" }).waitFor();
  await take(card("Cursor"), "Properties", /^length/);

  const back = card("Return Outputs");
  await back.getByRole("button", { name: "Add Outputs" }).click();
  await dialog().getByRole("button", { name: "Add group" }).click();
  await dialog().getByLabel("Group 1", { exact: true }).fill("Crowd");
  await dialog().getByLabel("Field 1 of Crowd", { exact: true }).fill("Size");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await back.getByRole("button", { name: "What List takes" }).click();
  await page.getByRole("menuitem", { name: "Object or list, as JSON" }).click();
  await back.getByLabel("List", { exact: true }).fill('[{"Crowd": {"Size": {"from": "crowd.size"}}}]');

  await page.getByRole("button", { name: "Save", exact: true }).click();
  await dialog().getByLabel("Name of the flow").fill("Crowds");
  await dialog().getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved · not deployed").waitFor();

  const many = await run();
  await many.getByText("ended well").waitFor();
  await many.getByRole("cell", { name: "many" }).waitFor();
  await frame.getByRole("button", { name: "Value of value a: 2" }).waitFor();
  await frame.getByRole("button", { name: "Value of size: many" }).waitFor();
  await card("Return").nth(1).getByText("did not run").waitFor();
  await each.getByText(/✓ \d+ ms/).waitFor();
  assert.deepEqual(people.log.filter((line) => line.includes("/hello")), ["GET /hello?to=Ada", "GET /hello?to=Grace"]);
  await page.getByRole("tab", { name: "greet" }).click();
  const calls = card(/^HTTP Get/).getByRole("combobox", { name: /^Call of HTTP Get/ });
  assert.deepEqual(await calls.locator("option").allTextContents(), ["Call 1 of 2", "Call 2 of 2"]);
  await card(/^HTTP Get/).getByRole("button", { name: /^Value of Query: .*Ada/ }).waitFor();
  await calls.selectOption("Call 2 of 2");
  await card(/^HTTP Get/).getByRole("button", { name: /^Value of Query: .*Grace/ }).click();
  await dialog().getByRole("region", { name: "Query" }).getByText('"to": "Grace"').waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: /^Monitor/ }).click();

  people.contacts.pop();
  const few = await run();
  await few.getByRole("cell", { name: "few" }).waitFor();
  await card("Return").first().getByText("did not run").waitFor();
  await frame.getByRole("button", { name: "Value of size: few" }).waitFor();
  assert.deepEqual(complaints, []);
});
