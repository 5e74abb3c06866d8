// What a person does on the canvas of a flow, by role and label.
import type { Locator, Page } from "playwright-core";

/** The canvas that a page shows; asked for at each step, because the page is there only when the tests begin. */
export function canvasOf(page: () => Page) {
  const card = (name: string | RegExp): Locator => page().getByRole("region", { name, exact: typeof name === "string" });
  const dialog = (): Locator => page().getByRole("dialog");
  return {
    card,
    dialog,
    /** Puts a card in at a plus. */
    add: async (where: string, words: string, name: RegExp): Promise<void> => {
      await page().getByRole("button", { name: `Add a card ${where}`, exact: true }).click();
      await page().getByLabel("Search cards").fill(words);
      await dialog().getByRole("button", { name }).first().click();
      await dialog().waitFor({ state: "hidden" });
    },
    /** Wires an input from its menu. */
    take: async (on: Locator, input: string, from: string | RegExp, at = 0): Promise<void> => {
      await on.getByRole("button", { name: `What ${input} takes`, exact: true }).click();
      await page().getByRole("menuitem", { name: from }).nth(at).click();
      await on.getByRole("button", { name: `Cut the wire to ${input}`, exact: true }).waitFor();
    },
    /** Gives a field of a card another name. */
    rename: async (on: Locator, what: "input" | "output", from: string, to: string): Promise<void> => {
      await on.getByRole("button", { name: `Rename ${what} ${from}`, exact: true }).click();
      const field = on.getByLabel(`New name of ${what} ${from}`, { exact: true });
      await field.fill(to);
      await field.press("Enter");
      await on.getByRole("button", { name: `Rename ${what} ${to}`, exact: true }).waitFor();
    },
    /** Runs it for the instance `People`, and gives its result. */
    run: async (cursor?: string): Promise<Locator> => {
      await page().getByRole("button", { name: "Run", exact: true }).click();
      await dialog().getByLabel(/^Instance/).selectOption({ label: "People (people)" });
      if (cursor !== undefined) await dialog().getByLabel("Cursor", { exact: true }).fill(cursor);
      await dialog().getByRole("button", { name: "Run now" }).click();
      await dialog().waitFor({ state: "hidden" });
      const result = card("Result of the run");
      await result.waitFor();
      return result;
    },
  };
}
