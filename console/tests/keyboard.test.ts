// Where the focus is on every screen.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ROUTES, type ScreenName } from "../src/app/routes.ts";
import { addressesOf, loaded } from "./addresses.ts";
import { unseen } from "./keyboard.ts";
import { worldOfFile } from "./world.ts";

const all = worldOfFile();

test("one sees on every screen where the focus is", async () => {
  const { page, server } = all();
  const faults: string[] = [];
  for (const name of Object.keys(ROUTES) as ScreenName[]) {
    const [first] = await addressesOf(name, all());
    await page.goto(server.url + first);
    await loaded(page);
    faults.push(...(await unseen(page, name, 45)));
  }
  assert.equal(faults.join("\n"), "");
});
