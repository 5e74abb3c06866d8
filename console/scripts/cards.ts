// Writes the catalogue of cards that the canvas shows, from the manual's tables (docs/flow-cards.md), which a test of
// the program holds against what the cards declare. The API has no such list yet.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const HERE = import.meta.dirname;
const MANUAL = join(HERE, "..", "..", "docs", "flow-cards.md");
/** Where it is kept. */
export const CATALOGUE = join(HERE, "..", "src", "screens", "flows", "catalogue.json");

const WORDS: Record<string, string> = { Text: "text", Number: "number", "True/False": "boolean", "Date & Time": "date", Object: "object", File: "file", Flow: "flow", Any: "any" };
const TYPE = `(?:List of )?(?:${Object.keys(WORDS).join("|")})`;
const INPUT = new RegExp(`^\`([^\`]+)\`(?: \\(([^)]+)\\))? (${TYPE})(…|\\?| = .+)?$`);
const OUTPUT = new RegExp(`^\`([^\`]+)\` (${TYPE})(†)?$`);

/** The text of the catalogue that the manual makes. */
export async function catalogue(): Promise<string> {
  const tables = (await readFile(MANUAL, "utf8")).split("<!-- cards -->")[1] ?? "";
  const cards: object[] = [];
  let group = "";
  for (const line of tables.split("\n")) {
    if (line.startsWith("### ")) group = line.slice(4).trim();
    if (line.startsWith("| `")) cards.push(card(group, line));
  }
  if (cards.length === 0) throw new Error("the manual lists no card");
  return `[\n${cards.map((card) => `  ${JSON.stringify(card)}`).join(",\n")}\n]\n`;
}

function card(group: string, line: string): object {
  const [ids = "", name = "", inputs = "", outputs = "", about = ""] = line.replace(/^\| /, "").replace(/ \|$/, "").split(" | ").map((cell) => cell.trim());
  const [id, ...aliases] = [...ids.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
  const taken = parts(inputs);
  const given = parts(outputs);
  return {
    id,
    aliases,
    label: name.replace(/ \*$/, ""),
    group,
    about,
    inputs: taken.filter((part) => part.startsWith("`")).map(input),
    authorInputs: taken.includes("the author’s"),
    outputs: given.filter((part) => part.startsWith("`")).map(output),
    authorOutputs: given.includes("the author’s"),
    mirrored: given.includes("its inputs"),
  };
}

function parts(cell: string): string[] {
  return cell.split("; ").map((part) => part.trim()).filter((part) => part !== "");
}

function type(word: string): string {
  const list = word.startsWith("List of ");
  const of = WORDS[list ? word.slice(8) : word];
  if (of === undefined) throw new Error(`the manual has a type that is not known: ${word}`);
  return list ? `list of ${of}` : of;
}

function input(text: string): object {
  const [, key, label, of = "", mark = ""] = INPUT.exec(text) ?? [];
  if (key === undefined) throw new Error(`the manual has an input that cannot be read: ${text}`);
  return {
    key,
    label: label ?? key,
    type: type(of),
    required: mark === "",
    ...(mark.startsWith(" = ") ? { default: JSON.parse(mark.slice(3)) as unknown } : {}),
    ...(mark === "…" ? { repeated: true } : {}),
  };
}

function output(text: string): object {
  const [, key, of = "", mark] = OUTPUT.exec(text) ?? [];
  if (key === undefined) throw new Error(`the manual has an output that cannot be read: ${text}`);
  return { key, type: type(of), ...(mark === undefined ? {} : { picked: true }) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await writeFile(CATALOGUE, await catalogue());
