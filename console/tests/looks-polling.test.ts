// Every screen for polling: nothing serious for axe in light and dark, nothing cut at 1280 and at 390 pixels.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { forgotten, lookAt } from "./addresses.ts";
import { Looks } from "./looks.ts";
import { type World, world } from "./world.ts";

let all: World;
before(async () => {
  all = await world();
});
after(async () => {
  await all?.stop();
});

test("no screen of the route table is left out", () => {
  assert.deepEqual(forgotten(), []);
});

test("every screen for polling, with its tabs, can be read in light and dark, wide and narrow", async () => {
  const looks = new Looks(all.page);
  await lookAt("polling", all, looks);
  assert.equal(looks.faults.join("\n"), "");
  assert.deepEqual(all.complaints, []);
});
