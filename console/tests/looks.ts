// Looking at a screen as it stands: what axe finds in light and in dark, and what is cut at 1280 and at 390 pixels.
import { mkdir, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";

import { seriousFindings } from "./harness.ts";

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
const SOURCES = join(import.meta.dirname, "..", "src");

/** What cannot be read: words and controls beyond the window or behind an edge, where nothing scrolls to them. */
export async function cutParts(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const found: string[] = [];
    const width = window.innerWidth;
    const wide = document.documentElement.scrollWidth;
    if (wide > width + 1) found.push(`the page is ${wide} pixels wide`);
    for (const element of document.body.querySelectorAll("*")) {
      const isControl = element.matches("button, select, textarea, input:not([type=hidden], [type=file])");
      const texts = [...element.childNodes].filter((node) => node.nodeType === 3 && (node.textContent ?? "").trim() !== "");
      if (!isControl && texts.length === 0) continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const own = element.getBoundingClientRect();
      // What is for screen readers alone is one pixel wide.
      if (own.width <= 2 || own.height <= 2) continue;
      const boxes = isControl ? [own] : texts.map((text) => {
        const range = document.createRange();
        range.selectNodeContents(text);
        return range.getBoundingClientRect();
      });
      const left = Math.min(...boxes.map((box) => box.left));
      const right = Math.max(...boxes.map((box) => box.right));
      // What lies left of everything comes when it gets the focus.
      if (right <= 0) continue;
      let isReached = false;
      let edge = "";
      for (let up: Element | null = element; up !== null && up !== document.documentElement; up = up.parentElement) {
        const style = getComputedStyle(up);
        const box = up.getBoundingClientRect();
        if (box.width <= 2) isReached = true;
        if (style.overflowX === "auto" || style.overflowX === "scroll") isReached = true;
        // Words that end in dots at the end of so many lines are meant to.
        if (style.webkitLineClamp !== "none" && style.webkitLineClamp !== "") isReached = true;
        if (isReached) break;
        if ((style.overflowX === "hidden" || style.overflowX === "clip") && (right > box.right + 2 || left < box.left - 2)) edge = ` behind the edge of <${up.tagName.toLowerCase()} class="${up.className}">`;
        if (style.position === "fixed") break;
      }
      if (isReached) continue;
      const words = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 60);
      if (edge !== "") found.push(`“${words}”${edge}`);
      else if (right > width + 1 || left < -1) found.push(`“${words}” from ${Math.round(left)} to ${Math.round(right)} of ${width} pixels`);
    }
    return [...new Set(found)];
  });
}

/** Looks at screens one after the other, and keeps what is wrong with them. */
export class Looks {
  /** Everything that was found, in words. */
  readonly faults: string[] = [];
  /** Every heading that was seen. */
  readonly headings = new Set<string>();
  /** What was looked at. */
  readonly names = new Set<string>();

  constructor(readonly page: Page) {}

  /**
   * Looks at what is there now, or at one part of it: wide in light, narrow in dark. With `LOOKS=folder` pictures are kept in both widths and
   * both schemes.
   */
  async at(name: string, within?: string): Promise<void> {
    const { page } = this;
    this.names.add(name);
    await page.setViewportSize(WIDE);
    await page.emulateMedia({ colorScheme: "light" });
    await this.#look(name, "light", WIDE.width, within);
    for (const heading of await page.getByRole("heading").allTextContents()) this.headings.add(heading.trim());
    if (process.env["LOOKS"]) await this.#kept(name, "light", NARROW, WIDE);
    await page.setViewportSize(NARROW);
    await page.emulateMedia({ colorScheme: "dark" });
    await this.#look(name, "dark", NARROW.width, within);
    if (process.env["LOOKS"]) await this.#kept(name, "dark", WIDE, NARROW);
    await page.setViewportSize(WIDE);
    await page.emulateMedia({ colorScheme: "light" });
  }

  async #look(name: string, scheme: string, width: number, within: string | undefined): Promise<void> {
    const found = await seriousFindings(this.page, within);
    for (const { id, nodes } of found) this.faults.push(`${name}, ${scheme} at ${width}: ${id}: ${nodes.join(" | ")}`);
    for (const cut of await cutParts(this.page)) this.faults.push(`${name}, ${scheme} at ${width}: cut: ${cut}`);
    await this.#picture(name, scheme, width);
  }

  async #kept(name: string, scheme: string, other: typeof WIDE, back: typeof WIDE): Promise<void> {
    await this.page.setViewportSize(other);
    await this.#picture(name, scheme, other.width);
    await this.page.setViewportSize(back);
  }

  async #picture(name: string, scheme: string, width: number): Promise<void> {
    const folder = process.env["LOOKS"] ?? join(tmpdir(), "turnstone-looks");
    await mkdir(folder, { recursive: true });
    const isWhole = process.env["LOOKS"] !== undefined && (await this.page.getByRole("dialog").count()) === 0;
    await this.page.screenshot({ path: join(folder, `${name.replaceAll(/[^\w.-]+/g, "-")}-${width}-${scheme}.png`), fullPage: isWhole });
  }
}

/** The console's source files that hold any of these words, with how often. */
export async function sourcesWith(words: RegExp): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const file of await readdir(SOURCES, { recursive: true })) {
    if (!file.endsWith(".tsx")) continue;
    const count = [...(await readFile(join(SOURCES, file), "utf8")).matchAll(new RegExp(words, "g"))].length;
    if (count > 0) found.set(file, count);
  }
  return found;
}
