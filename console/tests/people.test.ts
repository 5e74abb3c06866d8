// People and secrets, by clicking alone: roles given and taken, secrets renewed, tokens made and ended, users removed,
// and the way out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

import { goTo } from "./clicks.ts";
import { browser, opened, signIn, type Turnstone, turnstone, until } from "./harness.ts";

let server: Turnstone;
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, chromium] = await Promise.all([turnstone(), browser()]);
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, server);
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await server?.stop();
});

const dialog = (): Locator => page.getByRole("dialog");
const once = (title: string | RegExp): Locator => page.getByRole("status").filter({ hasText: title });

/** Copies a secret that is shown once. */
async function copied(title: string | RegExp): Promise<string> {
  await once(title).getByRole("button", { name: "Copy", exact: true }).click();
  await once(title).getByRole("button", { name: "Copied" }).waitFor();
  return await page.evaluate(() => navigator.clipboard.readText());
}

async function act(user: string, what: string): Promise<void> {
  await page.getByRole("button", { name: `What to do with ${user}`, exact: true }).click();
  await page.getByRole("menuitem", { name: what }).click();
}

/** Signs somebody in with a secret in a browser of their own. */
async function entered(secret: string, isGood = true): Promise<{ page: Page; context: BrowserContext }> {
  const other = await opened(chromium, { reducedMotion: "reduce" });
  await other.page.goto(server.url);
  await other.page.getByLabel("Secret").fill(secret);
  await other.page.getByRole("button", { name: "Sign in" }).click();
  if (isGood) await other.page.getByRole("navigation", { name: "Places" }).waitFor();
  else await other.page.getByRole("alert").getByText("the secret is not known").waitFor();
  return other;
}

test("a user is added, gets another role and another secret, and is removed after a question", async () => {
  await page.goto(`${server.url}/settings?tab=users`);
  const users = page.getByRole("table", { name: "Users" });
  await page.getByRole("button", { name: "Add user" }).click();
  await dialog().getByRole("textbox", { name: "Name" }).fill("Ann");
  await dialog().getByRole("textbox", { name: "E-mail address" }).fill("x".repeat(400));
  await dialog().getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: /^reader/ }).click();
  await dialog().getByRole("button", { name: "Add user" }).click();
  await dialog().getByText(/emailAddress/).first().waitFor();
  assert.equal(await dialog().getByRole("textbox", { name: "Name" }).inputValue(), "Ann");
  await dialog().getByRole("textbox", { name: "E-mail address" }).fill("ann@example.com");
  await dialog().getByRole("button", { name: "Add user" }).click();
  const first = await copied("The secret of Ann is shown only now");
  const ann = await entered(first);
  await ann.page.goto(`${server.url}/settings`);
  await ann.page.getByText("Your role is reader").waitFor();
  assert.equal(await ann.page.getByRole("tab", { name: "Users and roles" }).count(), 0);

  await users.getByRole("combobox", { name: "Role of Ann" }).click();
  await page.getByRole("option", { name: "admin", exact: true }).click();
  await page.waitForFunction(() => [...document.querySelectorAll("input")].some((input) => input.value === "admin"));
  await ann.page.reload();
  await ann.page.getByRole("tab", { name: "Users and roles" }).click();
  await ann.page.getByRole("row", { name: /Ann \(you\)/ }).getByText("admin").waitFor();

  for (const button of ["Not now", "Make a new secret"]) {
    await act("Ann", "New secret");
    await dialog().getByRole("button", { name: button }).click();
    await dialog().waitFor({ state: "detached" });
    if (button === "Not now") await (await entered(first)).context.close();
  }
  const second = await copied("The new secret of Ann is shown only now");
  await (await entered(first, false)).context.close();
  await ann.page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Events", exact: true }).click();
  await ann.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await ann.context.close();
  const again = await entered(second);

  for (const button of ["Not now", "Remove user"]) {
    await act("Ann", "Remove");
    await dialog().getByRole("button", { name: button }).click();
    await dialog().waitFor({ state: "detached" });
    if (button === "Not now") await users.getByRole("row", { name: /Ann/ }).waitFor();
  }
  await users.getByRole("row", { name: /Ann/ }).waitFor({ state: "detached" });
  await again.page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Events", exact: true }).click();
  await again.page.getByRole("heading", { name: "Sign in" }).waitFor();
  await again.context.close();

  // The last owner stays one, and stays.
  await users.getByRole("combobox", { name: "Role of owner" }).click();
  await page.getByRole("option", { name: "reader", exact: true }).click();
  await users.getByText(/last owner|an owner/).waitFor();
  assert.equal(await users.getByRole("combobox", { name: "Role of owner" }).inputValue(), "owner");
  await act("owner", "Remove");
  await dialog().getByRole("button", { name: "Remove user" }).click();
  await dialog().getByRole("alert").getByText(/owner/).waitFor();
  await dialog().getByRole("button", { name: "Not now" }).click();
  await dialog().waitFor({ state: "detached" });
  await page.getByRole("tab", { name: "Audit" }).click();
  await page.getByRole("cell", { name: "deleteUser" }).waitFor();
});

test("a token of the organisation is made, and ended after a question", async () => {
  await page.getByRole("tab", { name: "Organisation" }).click();
  const tokens = page.getByRole("table", { name: "Organisation tokens" });
  await tokens.getByRole("row").nth(1).waitFor();
  const before = await tokens.getByRole("row").count();
  await page.getByRole("button", { name: "Make another token" }).click();
  assert.match(await copied("The new token is shown only now"), /^\S{16,}$/);
  await tokens.getByRole("row").nth(before).waitFor();
  await once("The new token is shown only now").getByRole("button", { name: "Close" }).click();
  await once("The new token is shown only now").waitFor({ state: "detached" });
  const end = tokens.getByRole("button", { name: /^End token/ });
  for (const button of ["Not now", "End token"]) {
    await end.last().click();
    await dialog().getByRole("button", { name: button }).click();
    await dialog().waitFor({ state: "detached" });
    if (button === "Not now") assert.equal(await tokens.getByRole("row").count(), before + 1);
  }
  await tokens.getByRole("row").nth(before).waitFor({ state: "detached" });
});

test("one's own name is changed, and a new secret of one's own stays until it is put away", async () => {
  await page.getByRole("tab", { name: "You" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Olga");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Olga" }).waitFor();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").getByText(/`name` must have/).waitFor();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Olga");

  for (const button of ["Not now", "Take a new one"]) {
    await page.getByRole("button", { name: "Take a new secret" }).click();
    await dialog().getByRole("button", { name: button }).click();
    await dialog().waitFor({ state: "detached" });
  }
  const secret = await copied("Your new secret is shown only now");
  // Somebody goes to keep it, and comes back: the session is over, and what is shown only now is still shown.
  let refusals = 0;
  page.on("response", (response) => (refusals += response.status() === 401 ? 1 : 0));
  await until(async () => {
    await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
    return refusals > 0;
  }, "nothing was asked for again");
  await once("Your new secret is shown only now").waitFor();
  await once("Your new secret is shown only now").getByRole("button", { name: "Close" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByLabel("Secret").fill(secret);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Olga" }).waitFor();
});

test("signing out ends the session in every tab", async () => {
  const tab = await context.newPage();
  await tab.goto(`${server.url}/instances`);
  await tab.getByRole("navigation", { name: "Places" }).waitFor();
  await goTo(page, "Home");
  await page.getByRole("button", { name: "Olga" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  // The other tab sees it when somebody comes back to it, at the latest.
  await until(async () => {
    await tab.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
    return await tab.getByRole("heading", { name: "Sign in" }).isVisible();
  }, "the other tab is still signed in");
  await tab.getByRole("heading", { name: "Sign in" }).waitFor();
  await tab.close();
  assert.deepEqual(complaints, []);
});
