// Looking after an organisation: oneself, users and their links, tokens, the audit, and the API's own reference.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Page } from "playwright-core";

import { browser, looksRight, opened, signIn, type Turnstone, turnstone } from "./harness.ts";

let server: Turnstone;
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, chromium] = await Promise.all([turnstone(), browser()]);
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await server?.stop();
});

test("a user with a role and a link, a token, what was done, and the API", async () => {
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Settings", exact: true }).click();
  await page.getByRole("textbox", { name: "E-mail address" }).waitFor();
  await looksRight(page, "settings-you");
  await page.getByRole("tab", { name: "Users and roles" }).click();
  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("Ann & Co");
  await page.getByRole("dialog").getByRole("button", { name: "Add user" }).click();
  await page.getByText("The secret of Ann & Co is shown only now").waitFor();
  await page.getByRole("button", { name: "What to do with Ann & Co" }).click();
  await page.getByRole("menuitem", { name: "Sign-in link" }).click();
  await page.getByRole("menu").waitFor({ state: "detached" });
  const link = (await page.getByText(`${server.url}/sign-in?code=`).textContent()) ?? "";
  await looksRight(page, "settings-users");
  await page.getByRole("tab", { name: "Organisation" }).click();
  await page.getByRole("button", { name: "Make another token" }).click();
  await page.getByText("The new token is shown only now").waitFor();
  await looksRight(page, "settings-organisation");
  await page.getByRole("tab", { name: "Signing keys and retention" }).click();
  await page.getByRole("heading", { name: "Signing keys" }).waitFor();
  await looksRight(page, "settings-keys");
  await page.getByRole("tab", { name: "Audit" }).click();
  await page.getByRole("cell", { name: "createUser" }).waitFor();
  await looksRight(page, "settings-audit");
  await page.getByRole("tab", { name: "API reference" }).click();
  await page.getByRole("textbox", { name: "Search the API" }).fill("date-formats post");
  await page.getByRole("button", { name: /POST .*date-formats/ }).click();
  await page.getByText("Needs: member").waitFor();
  await looksRight(page, "settings-api");

  // The link signs a reader in, who sees what may be done and by whom.
  const other = await opened(chromium);
  await other.page.goto(link);
  await other.page.getByRole("button", { name: "Sign in" }).click();
  await other.page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Connectors" }).click();
  await other.page.getByText("Connectors are made by admins.").waitFor();
  assert.deepEqual(other.complaints, []);
  await other.context.close();
  assert.deepEqual(complaints, []);
});
