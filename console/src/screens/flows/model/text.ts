// The document as a text, and back.
import { parseDocument, stringify } from "yaml";

import { isMembers, type Json } from "./json";

/** The languages of the text. */
export type Language = "yaml" | "json";

/** A document as text. */
export function written(doc: Json, language: Language): string {
  return language === "json" ? `${JSON.stringify(doc, null, 2)}\n` : stringify(doc, { lineWidth: 110, aliasDuplicateObjects: false });
}

/** A text as a document, or what is wrong with it. YAML holds JSON too. */
export function read(source: string, language: Language): { doc: Json } | { fault: string } {
  try {
    const value = language === "json" ? (JSON.parse(source) as Json) : readYaml(source);
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
  return parsed.toJS({ maxAliasCount: 100 }) as Json;
}
