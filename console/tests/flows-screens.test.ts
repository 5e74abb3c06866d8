// Flows by clicking: faults while one types, the keyboard alone, the document beside the canvas, and every screen's looks.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Browser, Locator, Page } from "playwright-core";

import { browser, type Callback, callback, isCut, opened, type Provider, provider, seriousFindings, signIn, type Turnstone, turnstone } from "./harness.ts";
import { prepareInstance, prepareSubscription } from "./prepare-flows.ts";

let server: Turnstone;
let people: Provider;
let receiver: Callback;
let chromium: Browser;
let page: Page;
let complaints: string[];
let leave: () => Promise<void>;

before(async () => {
  [server, people, receiver, chromium] = await Promise.all([turnstone(), provider(), callback(), browser()]);
  people.add("Ada", { createdAt: "2025-01-10T00:00:00Z", updatedAt: "2025-01-10T00:00:00Z" });
  people.add("Grace", { createdAt: "2025-02-10T00:00:00Z", updatedAt: "2025-02-10T00:00:00Z" });
  const first = await opened(chromium, { reducedMotion: "reduce" });
  ({ page, complaints } = first);
  leave = () => first.context.close();
  page.on("dialog", (dialog) => void dialog.accept());
  await signIn(page, server);
  await prepareInstance(page, server, people, receiver);
  await prepareSubscription(page, server);
});
after(async () => {
  await leave();
  await chromium.close();
  await Promise.all([server.stop(), people.stop(), receiver.stop()]);
});

const card = (name: string | RegExp): Locator => page.getByRole("region", { name, exact: typeof name === "string" });
const dialog = (): Locator => page.getByRole("dialog");

/** Opens the canvas of a new flow, with the event chosen. */
async function begin(connector = ""): Promise<void> {
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(`${server.url}/monitors/new${connector === "" ? "" : `?connector=${connector}`}`);
  await page.getByRole("button", { name: "Add event" }).click();
  await dialog().getByRole("button", { name: /^Polling Monitor/ }).click();
  await card("Return Outputs").waitFor();
}

/** Puts a card in at a plus. */
async function add(where: string, words: string, name: RegExp): Promise<void> {
  await page.getByRole("button", { name: `Add a card ${where}`, exact: true }).click();
  await page.getByLabel("Search cards").fill(words);
  await dialog().getByRole("button", { name }).first().click();
  await dialog().waitFor({ state: "hidden" });
}

test("the choice of events offers the polling monitor, and says what is not there yet", async () => {
  await page.goto(`${server.url}/monitors`);
  await page.getByRole("link", { name: "New Flow" }).first().click();
  await page.getByRole("button", { name: "Add event" }).click();
  const others = dialog().getByRole("button", { name: /not available yet/ });
  await others.first().waitFor();
  assert.ok((await others.count()) >= 5);
  assert.ok(await others.first().isDisabled());
  await dialog().getByRole("button", { name: /^Polling Monitor/ }).click();
  const event = card("Polling Monitor");
  const mode = event.getByRole("switch", { name: /^Enable run mode/ });
  assert.ok((await mode.isChecked()) && (await mode.isDisabled()), "on and locked");
  await event.getByText("Always on").waitFor();
  for (const name of ["Cursor", "Return Outputs"]) await card(name).waitFor();
  await event.getByLabel("Type of Cursor").selectOption("number");
  await card("Cursor").getByText("Saves Number as the cursor of the next run.").waitFor();
});

test("faults stand beside their cards while one types, saving is refused with them, and nothing is lost", async () => {
  await begin();
  await add("at the beginning", "date add", /^Date & Time Add/);
  const sum = card(/^Date & Time Add/);
  await sum.getByText(/the required input `units` is missing/).waitFor();
  await sum.getByLabel("add", { exact: true }).fill("many");
  await sum.getByText(/the value does not fit/).waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await dialog().getByLabel("Name of the flow").fill("With faults");
  await dialog().getByRole("button", { name: "Save" }).click();
  await dialog().getByRole("alert").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await sum.getByLabel("add", { exact: true }).inputValue(), "many");
  await sum.getByLabel("add", { exact: true }).fill("2");
  await sum.getByLabel("units", { exact: true }).selectOption("days");
  await sum.getByText(/does not fit/).waitFor({ state: "hidden" });
  await page.reload();
  await page.getByText("Changes that were not saved are here again").waitFor();
  assert.equal(await sum.getByLabel("add", { exact: true }).inputValue(), "2");
  await sum.getByRole("button", { name: /^More for Date & Time Add/ }).click();
  await page.getByRole("menuitem", { name: "Move right" }).click();
  await page.getByRole("button", { name: "Add a card after Date & Time Add" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await sum.getByRole("button", { name: /^More for Date & Time Add/ }).click();
  await page.getByRole("menuitem", { name: "Remove the card" }).click();
  await sum.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Begin anew" }).click();
  await page.getByRole("button", { name: "Add event" }).waitFor();
});

test("a wire is made by keyboard alone", async () => {
  await begin();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await tabTo("What Properties takes");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: /^Cursor/ }).waitFor();
  await until(() => page.evaluate(() => /^Cursor/.test(document.activeElement?.textContent ?? "") && document.activeElement?.getAttribute("role") === "menuitem"));
  await page.keyboard.press("Enter");
  await card("Cursor").getByRole("button", { name: "Cut the wire to Properties" }).waitFor();
  assert.equal(await page.locator(".react-flow__edge").count(), 1);
});

/** Goes on by Tab until the control of this name has the focus. */
async function tabTo(name: string): Promise<void> {
  for (let step = 0; step < 80; step++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))) === name) return;
  }
  assert.fail(`no Tab leads to ${name}`);
}

/** Waits for the browser to come to it. */
async function until(holds: () => Promise<boolean>, otherwise = "it did not come to that"): Promise<void> {
  for (let look = 0; look < 200; look++) if (await holds()) return;
  assert.fail(otherwise);
}

test("options are declared and taken, and cards are moved by their grip and by their menu", async () => {
  await begin();
  const event = card("Polling Monitor");
  await event.getByRole("button", { name: "Add Options" }).click();
  await dialog().getByRole("button", { name: "Add option" }).click();
  await dialog().getByLabel("Option 1", { exact: true }).fill("Team");
  await dialog().getByLabel("Field type").selectOption("dropdown");
  const values = dialog().getByLabel("Values");
  for (const value of ["red", "blue"]) {
    await values.fill(value);
    await values.press("Enter");
  }
  await dialog().getByRole("button", { name: "Apply" }).click();
  await event.getByText("Team", { exact: true }).waitFor();
  await add("at the beginning", "if error", /^If Error/);
  await add("at the beginning", "upper case", /^Text To Upper Case/);
  const upper = card(/^Text To Upper Case/);
  await upper.getByRole("button", { name: "What text takes" }).click();
  await page.getByRole("menuitem", { name: /^Team/ }).click();
  await upper.getByRole("button", { name: "Cut the wire to text" }).waitFor();
  await page.getByText("50 %").click();
  const grip = await upper.locator(".flow-drag").boundingBox();
  const target = await card("If Error of If Error").boundingBox();
  assert.ok(grip && target);
  await page.mouse.move(grip.x + 3, grip.y + 3);
  await page.mouse.down();
  await page.mouse.move(target.x + 40, target.y + 10, { steps: 8 });
  await page.mouse.up();
  await page.getByRole("button", { name: "Add a card after Text To Upper Case" }).waitFor();
  await page.getByText("Document", { exact: true }).click();
  const editor = page.getByRole("textbox", { name: "Document" });
  await editor.getByText("ifError:").waitFor();
  const inBlock = (text: string) => /ifError:\n\s+- card: (string|text)\.toUpper/.test(text);
  await until(async () => inBlock(await editor.innerText()), "the card was dropped into the block");
  await page.getByText("Canvas", { exact: true }).click();
  await upper.getByRole("button", { name: /^More for Text To Upper Case/ }).click();
  await page.getByRole("menuitem", { name: "Into Try of If Error" }).click();
  await upper.getByRole("button", { name: /^More for Text To Upper Case/ }).click();
  await page.getByRole("menuitem", { name: "Out of the block" }).click();
  await page.getByText("Document", { exact: true }).click();
  await until(async () => /try: \[\]/.test(await editor.innerText()) && /from: options\.Team/.test(await editor.innerText()), "it went through Try and out again with its wire");
});

test("the document and the canvas follow each other, an export is imported, and hostile words stay words", async () => {
  await begin();
  await page.getByText("Document", { exact: true }).click();
  const editor = page.getByRole("textbox", { name: "Document" });
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  const hostile = "<img src=x onerror=alert(1)>";
  await page.keyboard.insertText(`name: x\ncursor: date\ndescription: kept\noutputs: {"${hostile}": {ID: text}}\ncards:\n- {id: now, card: date.now, note: "${hostile}"}\n- {card: control.let, inputs: {big: 12345678901234567890, price: 1.50}}\n- {card: nobody.knows, inputs: {a: {from: now.date}}}\n- {card: control.returnOutputs}\n`);
  await page.getByText("cards[2].card:").waitFor();
  await page.getByText("Canvas", { exact: true }).click();
  await card("Date & Time Now now").getByText(hostile).waitFor();
  await card("nobody.knows").getByText("This card is not known here").waitFor();
  await card("nobody.knows").getByText(/there is no card `nobody.knows`/).waitFor();
  await card("Date & Time Now now").getByRole("button", { name: /^More for/ }).click();
  await page.getByRole("menuitem", { name: "Settings of the card" }).click();
  await dialog().getByLabel("Id").fill("end");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await page.getByText("Document", { exact: true }).click();
  await editor.getByText("end.date").waitFor();
  await editor.getByText("description: kept").waitFor();
  for (const language of ["YAML", "JSON"]) {
    await page.getByText(language, { exact: true }).click();
    await until(async () => /big"?: 12345678901234567890,?\s+"?price"?: 1\.50/.test(await editor.innerText()), `digits are kept in ${language}`);
  }
  assert.equal(await page.locator("img[src=x]").count(), 0);

  await page.evaluate(() => sessionStorage.clear());
  await page.goto(`${server.url}/monitors/new?connector=other`);
  const file = join(import.meta.dirname, "..", "..", "crates", "turnstone", "tests", "it", "monitors", "new-users.flopack.json");
  assert.ok((await readFile(file, "utf8")).includes("flopack"));
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Import an export" }).click();
  await (await chosen).setFiles(file);
  await page.getByText("Imported; look it through and save it").waitFor();
  await card("Polling Monitor").waitFor();
});

test("every screen of flows is free of serious findings in light and dark, fits a phone, and asks little", async () => {
  await page.evaluate(() => sessionStorage.clear());
  const screens: [string, string][] = [
    ["/monitors", "Monitors"],
    ["/monitors/1", "New users"],
    ["/subscriptions/1", "New users"],
    ["/subscriptions/new?monitor=1", "New subscription"],
  ];
  const asked: string[] = [];
  page.on("request", (request) => request.url().includes("/elements/") && asked.push(request.url()));
  for (const scheme of ["light", "dark"] as const) {
    await page.evaluate((scheme) => localStorage.setItem("mantine-color-scheme-value", scheme), scheme);
    for (const [path, name] of screens) {
      asked.length = 0;
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(server.url + path);
      await page.getByRole("heading", { name, level: 1 }).waitFor();
      await page.waitForLoadState("load");
      if (path === "/monitors/1") await card("Return Outputs").waitFor();
      assert.deepEqual(await seriousFindings(page), [], `${path} in ${scheme}`);
      assert.ok(new Set(asked).size <= 6, `${path} asks for ${asked.join(", ")}`);
      await page.setViewportSize({ width: 390, height: 844 });
      await until(async () => !(await isCut(page)), `${path} is cut at 390 pixels`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  const real = complaints.filter((text) => !text.includes("EventSource"));
  assert.deepEqual(real, []);
});
