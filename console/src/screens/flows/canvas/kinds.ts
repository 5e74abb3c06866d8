import { isExact } from "../model/exact";
import type { Json } from "../model/json";

/** What a literal can be. */
export type Kind = "text" | "number" | "boolean" | "json" | "nothing";
/** All of them, with what each begins with. */
export const KINDS: readonly { kind: Kind; label: string; first: Json }[] = [
  { kind: "text", label: "Text", first: "" },
  { kind: "number", label: "Number", first: 0 },
  { kind: "boolean", label: "True/False", first: true },
  { kind: "json", label: "Object or list, as JSON", first: {} },
  { kind: "nothing", label: "Nothing", first: null },
];

/** What a value is, or would be where there is none yet. */
export function kindOf(value: Json | undefined, type: string): Kind {
  if (value === undefined) return type === "number" ? "number" : type === "boolean" ? "boolean" : type === "object" || type === "file" || type.startsWith("list") ? "json" : "text";
  if (value === null) return "nothing";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number" || isExact(value)) return "number";
  return typeof value === "string" ? (type === "number" ? "number" : "text") : "json";
}
