// Working a dialog with the keyboard alone, as somebody does who has no mouse or sees no screen.
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Locator, Page } from "playwright-core";

import { type Dialog, toOpener } from "./dialogs.ts";
import { until } from "./harness.ts";
import { Looks } from "./looks.ts";
import { type World, worldOfFile } from "./world.ts";

const STOPS_MAX = 250;

/** Goes on to the next stop. An editor keeps the Tab key for itself, and says how to leave it. */
async function tab(page: Page): Promise<void> {
  if (await page.evaluate(() => document.activeElement?.closest(".cm-editor") != null)) await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
}

/** Goes on with the Tab key until a control has the focus. */
export async function reached(page: Page, control: Locator, what: string): Promise<void> {
  const wanted = await control.elementHandle();
  for (let presses = 0; presses < STOPS_MAX; presses++) {
    if (await page.evaluate((wanted) => document.activeElement === wanted, wanted)) return;
    await tab(page);
  }
  throw new Error(`the Tab key does not reach ${what}`);
}

/** Where the focus is: the words of it, whether it lies within a selector, and whether one sees that it is there. */
export async function focus(page: Page, within: string): Promise<{ words: string; isWithin: boolean; isSeen: boolean }> {
  return await page.evaluate(async (within) => {
    const here = document.activeElement as HTMLElement | null;
    if (here === null || here === document.body) return { words: "nothing", isWithin: false, isSeen: false };
    const words = `<${here.tagName.toLowerCase()}> ${here.getAttribute("aria-label") ?? here.textContent ?? ""}`.slice(0, 80);
    const isWithin = here.closest(within) !== null;
    // What shows the focus of a control is drawn on it, around it, or on what stands for it.
    const shown = [here, here.parentElement, here.parentElement?.parentElement, here.nextElementSibling, here.closest(".cm-editor")].filter((one) => one instanceof HTMLElement);
    const looks: string[] = [];
    for (let round = 0; round < 2; round++) {
      if (round === 1) here.blur();
      // An editor takes a moment to look different.
      if (here.closest(".cm-editor") !== null) await new Promise((resolve) => setTimeout(resolve, 40));
      const parts: string[] = [];
      for (const one of shown) {
        const style = getComputedStyle(one as HTMLElement);
        const outline = style.outlineStyle === "none" || style.outlineWidth === "0px" ? "none" : `${style.outlineWidth} ${style.outlineColor}`;
        parts.push(`${outline} ${style.borderColor} ${style.boxShadow} ${style.backgroundColor}`);
      }
      looks.push(parts.join());
    }
    here.focus({ focusVisible: true } as FocusOptions);
    return { words, isWithin, isSeen: looks[0] !== looks[1] };
  }, within);
}

/** Opens a dialog by keyboard, looks at it, goes once around in it, closes it, and expects the focus back. Gives what is wrong. */
export async function worked(page: Page, url: string, dialog: Dialog, look: () => Promise<void>): Promise<string[]> {
  const faults: string[] = [];
  const isMenu = isMenuOf(dialog);
  const within = isMenu ? "[role=menu]" : "[role=dialog]";
  const opener = await toOpener(page, url, dialog);
  const isOpen = (await page.locator(within).count()) > 0;
  if (!isOpen) await openedByKeyboard(page, dialog, opener);
  await page.locator(within).waitFor();
  await page.waitForFunction(() => document.querySelector('[role="dialog"] [aria-label="Loading"], [role="dialog"] [aria-busy="true"]') === null);
  if (!isOpen) await until(async () => (await focus(page, within)).isWithin, `${dialog.name}: the focus does not go into it`);
  await dialog.further?.(page);
  await look();
  if (isOpen) return faults;
  // A hand went to the mouse for what is further on.
  if (dialog.further !== undefined) await tab(page);
  const seen = new Set<string>();
  for (let stops = 0; stops < 12 && !isMenu; stops++) {
    const now = await focus(page, within);
    if (!now.isWithin) faults.push(`${dialog.name}: the focus leaves it, to ${now.words}`);
    else if (!now.isSeen) faults.push(`${dialog.name}: nothing shows the focus of ${now.words}`);
    if (seen.has(now.words)) break;
    seen.add(now.words);
    await tab(page);
  }
  if (await page.evaluate(() => document.activeElement?.closest(".cm-editor") != null)) await tab(page);
  await page.keyboard.press("Escape");
  await page.locator(within).waitFor({ state: "detached" });
  try {
    await until(() => opener.evaluate((element) => element === document.activeElement), "elsewhere");
  } catch {
    faults.push(`${dialog.name}: the focus does not go back to what opened it, but is at ${(await focus(page, "body")).words}`);
  }
  return faults;
}

async function openedByKeyboard(page: Page, dialog: Dialog, opener: Locator): Promise<void> {
  await reached(page, opener, dialog.name);
  await page.keyboard.press("Enter");
  if (dialog.entry === undefined) return;
  const entry = page.getByRole("menuitem", { name: dialog.entry, exact: typeof dialog.entry === "string" });
  await entry.waitFor();
  await until(async () => (await focus(page, "[role=menu]")).isWithin, `${dialog.name}: the focus does not go into the menu`);
  for (let presses = 0; presses < 20 && !(await entry.evaluate((element) => element === document.activeElement)); presses++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
}

function isMenuOf(dialog: Dialog): boolean {
  return dialog.name.endsWith("-menu");
}

/** The tests of some dialogs. */
export function dialogsWork(of: string, dialogs: (world: World) => Dialog[]): () => World {
  const all = worldOfFile();
  test(`every dialog of ${of} can be read and worked without a mouse`, async () => {
    await workedAll(all().page, all().server.url, dialogs(all()));
    assert.deepEqual(all().complaints, []);
  });
  return all;
}

/** Works and looks at several. */
async function workedAll(page: Page, url: string, dialogs: readonly Dialog[]): Promise<void> {
  const looks = new Looks(page);
  const faults: string[] = [];
  for (const dialog of dialogs) {
    try {
      faults.push(...(await worked(page, url, dialog, () => looks.at(dialog.name, isMenuOf(dialog) ? "[role=menu]" : "[role=dialog]"))));
    } catch (thrown) {
      faults.push(`${dialog.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  assert.equal([...faults, ...looks.faults].join("\n"), "");
}

/** Goes through the stops of a screen. Gives those whose focus nobody sees. */
export async function unseen(page: Page, name: string, stops: number): Promise<string[]> {
  const faults: string[] = [];
  for (let stop = 0; stop < stops; stop++) {
    await tab(page);
    const now = await focus(page, "body");
    // Round once: the next stop is the browser's own.
    if (!now.isWithin) break;
    if (!now.isSeen) faults.push(`${name}: nothing shows the focus of ${now.words}`);
  }
  return faults;
}
