// The document as a text, and back.
import { CORE_SCHEMA, defineScalarTag, dump, floatCoreTag, intCoreTag, load, type ScalarTagDefinition } from "js-yaml";

import { isExact, isNumber, numberOf, parseJson } from "./exact";
import { isMembers, type Json } from "./json";

/** The languages of the text. */
export type Language = "yaml" | "json";

/** Reads and writes a kind of number by its digits. */
function exactly(tag: ScalarTagDefinition<number>, isOfIt: (digits: string) => boolean) {
  return defineScalarTag<unknown>(tag.tagName, {
    ...tag,
    resolve: (source, isExplicit, name) => {
      const value = tag.resolve(source, isExplicit, name);
      return typeof value === "number" && isNumber(source) ? numberOf(source) : value;
    },
    identify: (value) => (isExact(value) ? isOfIt(JSON.stringify(value)) : tag.identify(value)),
    represent: (value) => (isExact(value) ? JSON.stringify(value) : tag.represent(value)),
  });
}

const isWhole = (digits: string) => /^-?\d+$/.test(digits);
const SCHEMA = CORE_SCHEMA.withTags(
  exactly(intCoreTag, isWhole),
  exactly(floatCoreTag, (digits) => !isWhole(digits)),
);

/** A document as text. */
export function written(doc: Json, language: Language): string {
  return language === "json" ? `${JSON.stringify(doc, null, 2)}\n` : dump(doc, { schema: SCHEMA, lineWidth: 110, noRefs: true });
}

/** A text as a document, or what is wrong with it. YAML holds JSON too. */
export function read(source: string, language: Language): { doc: Json } | { fault: string } {
  try {
    const value = language === "json" ? parseJson(source) : (load(source, { schema: SCHEMA, maxAliases: 100 }) as Json);
    if (!isMembers(value)) return { fault: "A monitor's document is an object: `name`, `cursor`, `outputs`, `cards` …" };
    return { doc: value };
  } catch (thrown) {
    return { fault: thrown instanceof Error ? (thrown.message.split("\n")[0] ?? thrown.message) : String(thrown) };
  }
}
