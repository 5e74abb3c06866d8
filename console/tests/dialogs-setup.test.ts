// Every dialog of setting up: opened, gone through and closed by keyboard alone, with the focus seen all the time and brought
// back; nothing serious for axe in light and dark, nothing cut at 1280 and at 390 pixels.
import { test } from "node:test";

import { setupDialogsOf } from "./dialogs.ts";
import { dialogsWork, reached } from "./keyboard.ts";

const all = dialogsWork("setting up", setupDialogsOf);

test("a connector is made, and asked for by a wrong name, with the keyboard alone", async () => {
  const { page, server } = all();
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
