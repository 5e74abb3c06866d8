// Nothing that the sources have is left out by the tests that look at all of it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { forgotten } from "./addresses.ts";
import { allDialogsOf, forgottenDialogs } from "./dialogs.ts";
import type { World } from "./world.ts";

test("no screen of the route table is left out", () => {
  assert.deepEqual(forgotten(), []);
});

test("no dialog of the sources is left out", async () => {
  // Where they are is all that counts here; their ids are those of no world.
  const nowhere = { shop: {} } as World;
  assert.deepEqual(await forgottenDialogs(allDialogsOf(nowhere)), []);
});
