// Every dialog of watching: opened, gone through and closed by keyboard alone, with the focus seen all the time and brought
// back; nothing serious for axe in light and dark, nothing cut at 1280 and at 390 pixels.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { allDialogsOf, watchingDialogsOf, forgottenDialogs } from "./dialogs.ts";
import { workedAll } from "./keyboard.ts";
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

test("every dialog of watching can be read and worked without a mouse", async () => {
  await workedAll(all.page, all.server.url, watchingDialogsOf(all));
  assert.deepEqual(all.complaints, []);
});
