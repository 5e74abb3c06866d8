// Every dialog of setting up: opened, gone through and closed by keyboard alone, with the focus seen all the time and brought
// back; nothing serious for axe in light and dark, nothing cut at 1280 and at 390 pixels.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { allDialogsOf, setupDialogsOf, forgottenDialogs } from "./dialogs.ts";
import { reached, workedAll } from "./keyboard.ts";
import { type World, world } from "./world.ts";

let all: World;
before(async () => {
  all = await world();
});
after(async () => {
  await all?.stop();
});

test("no dialog of the sources is left out", async () => {
  assert.deepEqual(await forgottenDialogs(allDialogsOf(all)), []);
});

test("every dialog of setting up can be read and worked without a mouse", async () => {
  await workedAll(all.page, all.server.url, setupDialogsOf(all));
  assert.deepEqual(all.complaints, []);
});

test("a connector is made, and asked for by a wrong name, with the keyboard alone", async () => {
  const { page, server } = all;
  await page.goto(`${server.url}/connectors`);
  const opener = page.getByRole("button", { name: "New connector" });
  await opener.waitFor();
  await reached(page, opener, "New connector");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "New connector" });
  const name = dialog.getByRole("textbox", { name: "Name" });
  await name.waitFor();
  await reached(page, name, "Name");
  await page.keyboard.type("Customer relations");
  await reached(page, dialog.getByRole("textbox", { name: "Key" }), "Key");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("crm");
  await page.keyboard.press("Enter");
  await dialog.getByText(/there is an element `crm` already/).waitFor();
  await reached(page, dialog.getByRole("textbox", { name: "Key" }), "Key");
  await page.keyboard.type("2");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Customer relations", level: 1 }).waitFor();
});
