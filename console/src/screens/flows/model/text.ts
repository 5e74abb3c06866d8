// The document as a text, and back.
import { parseDocument, type ScalarTag, stringify, visit } from "yaml";

import { isExact, isNumber, numberOf, parseJson } from "./exact";
import { isMembers, type Json } from "./json";

/** The languages of the text. */
export type Language = "yaml" | "json";

/** Writes a number by its digits. */
const EXACT: ScalarTag = { tag: "tag:yaml.org,2002:float", default: true, identify: isExact, test: /^(?!)/, resolve: numberOf, stringify: ({ value }) => JSON.stringify(value) };

/** A document as text. */
export function written(doc: Json, language: Language): string {
  return language === "json" ? `${JSON.stringify(doc, null, 2)}\n` : stringify(doc, { lineWidth: 110, aliasDuplicateObjects: false, customTags: (tags) => [EXACT, ...tags] });
}

/** A text as a document, or what is wrong with it. YAML holds JSON too. */
export function read(source: string, language: Language): { doc: Json } | { fault: string } {
  try {
    const value = language === "json" ? parseJson(source) : readYaml(source);
    if (!isMembers(value)) return { fault: "A monitor's document is an object: `name`, `cursor`, `outputs`, `cards` …" };
    return { doc: value };
  } catch (thrown) {
    return { fault: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

function readYaml(source: string): Json {
  const parsed = parseDocument(source, { prettyErrors: true, version: "1.2", uniqueKeys: true });
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(error.message.split("\n")[0] ?? error.message);
  visit(parsed, {
    Scalar: (_, node) => {
      if (typeof node.value === "number" && node.source !== undefined && isNumber(node.source)) node.value = numberOf(node.source);
    },
  });
  return parsed.toJS({ maxAliasCount: 100 }) as Json;
}
