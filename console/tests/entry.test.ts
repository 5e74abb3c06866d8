// The way in, the frame, and what holds on every page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser } from "playwright-core";

import { browser, opened, seriousFindings, signIn, type Turnstone, turnstone } from "./harness.ts";

let server: Turnstone;
let chromium: Browser;
before(async () => {
  server = await turnstone();
  chromium = await browser();
});
after(async () => {
  await chromium.close();
  await server.stop();
});

test("without a session the page asks for a secret, and says what is wrong with one", async () => {
  const { page, context } = await opened(chromium);
  await page.goto(`${server.url}/instances`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByLabel("Secret").fill("of nobody");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("the secret is not known").waitFor();
  assert.equal(await page.getByLabel("Secret").inputValue(), "of nobody", "what was typed stays");
  assert.deepEqual(await seriousFindings(page), []);
  assert.deepEqual(await page.evaluate(() => [...document.images].map((image) => image.naturalWidth > 0)), [true], "its picture is there");
  await context.close();
});

test("the link of the first start signs in, and the session holds over a reload until it is left", async () => {
  const { page, context, complaints } = await opened(chromium);
  await signIn(page, server);
  const cookies = await context.cookies();
  const session = cookies.find((cookie) => cookie.name === "turnstone_session");
  assert.ok(session?.httpOnly && session.sameSite === "Strict", JSON.stringify(cookies));
  await page.reload();
  await page.getByRole("navigation", { name: "Places" }).waitFor();
  for (const place of ["Connectors", "Instances", "Monitors", "Events", "Deliveries", "Ask about a record", "Settings", "Home"]) {
    await page.getByRole("link", { name: place, exact: true }).click();
  }
  await page.getByRole("button", { name: "owner" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("no script but ours may run, and nobody may frame the page", async () => {
  const response = await fetch(server.url, { headers: { accept: "text/html" } });
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
});
