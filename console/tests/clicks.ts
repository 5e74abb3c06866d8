// What several tasks begin with, done as a person does it: by clicking.
import type { Locator, Page } from "playwright-core";

import type { Turnstone } from "./harness.ts";

/** Makes an instance of an API by its address, as a sample of it suggests; gives what its choice in a list says. */
export async function instanceByAddress(page: Page, server: Turnstone, wanted: { name: string; key: string; address: string; callback: string }): Promise<string> {
  await page.goto(`${server.url}/instances/new`);
  await page.getByRole("link", { name: "Poll an API by its address" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(wanted.name);
  await page.getByRole("textbox", { name: "Key", exact: true }).fill(wanted.key);
  await page.getByRole("textbox", { name: "Base URL", exact: true }).fill(new URL(wanted.address).origin);
  await page.getByRole("textbox", { name: "Event Notification Callback URL" }).fill(wanted.callback);
  await page.getByRole("textbox", { name: "Resource name" }).fill("contacts");
  await page.getByRole("button", { name: "Add Polling Resource" }).click();
  await page.getByRole("button", { name: "Suggest" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Address of the list" }).fill(wanted.address);
  await dialog.getByRole("button", { name: "Look at it" }).click();
  await dialog.getByRole("button", { name: /^Take \d+ of/ }).click();
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
  return `${wanted.name} (${wanted.key})`;
}

/** Goes to a place of the navigation. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name, exact: true }).click();
}

/** Imports a connector from a file, and ends at its setup. */
export async function importConnector(page: Page, document: { key: string; name: string } & Record<string, unknown>): Promise<void> {
  await goTo(page, "Connectors");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Import a connector" });
  await dialog.getByLabel("File to import").setInputFiles({ name: `${document.key}.json`, mimeType: "application/json", buffer: Buffer.from(JSON.stringify(document)) });
  await dialog.getByRole("button", { name: "Import connector" }).click();
  await page.getByRole("heading", { name: document.name, level: 1 }).waitFor();
}

/** Whatever stands beside a field: what it is about, and what is wrong with it. */
export async function besideField(field: Locator): Promise<string> {
  return await field.evaluate((input) =>
    (input.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join(" "),
  );
}

/** The fault beside a field, once it has one. */
export async function faultBeside(field: Locator): Promise<string> {
  await field.and(field.page().locator("[aria-invalid=true]")).waitFor();
  return await besideField(field);
}
