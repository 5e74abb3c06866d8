// What is known of cards: their inputs, outputs and words.
import list from "../catalogue.json";
import { type Json } from "./json";

/** An input of a card. */
export interface InputSpec {
  key: string;
  label: string;
  type: string;
  required: boolean;
  default?: Json;
  repeated?: boolean;
}

/** An output of a card. */
export interface OutputSpec {
  key: string;
  type: string;
  /** The author picks its type. */
  picked?: boolean;
}

/** A card of the catalogue. */
export interface CardSpec {
  id: string;
  aliases: string[];
  label: string;
  group: string;
  about: string;
  inputs: InputSpec[];
  authorInputs: boolean;
  outputs: OutputSpec[];
  authorOutputs: boolean;
  /** Its inputs are its outputs. */
  mirrored: boolean;
}

/** All cards. */
export const CARDS = list as unknown as readonly CardSpec[];
const BY_ID = new Map<string, CardSpec>(CARDS.flatMap((card) => [card.id, ...card.aliases].map((id) => [id, card] as const)));

/** A card by its id or another name of it. */
export function specOf(id: string | undefined): CardSpec | undefined {
  return id === undefined ? undefined : BY_ID.get(id);
}

/** Cards that may be put into a flow, by group. The event of a flow is no card of its list. */
export function choices(words: string, isMain: boolean): { group: string; cards: CardSpec[] }[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const fits = (card: CardSpec) => {
    const hay = `${card.label} ${card.group} ${card.id} ${card.about}`.toLowerCase();
    return wanted.every((word) => hay.includes(word));
  };
  const groups = new Map<string, CardSpec[]>();
  for (const card of CARDS) {
    if (card.group === "Event" || NOT_HERE.has(card.id) || !fits(card)) continue;
    if (!isMain && ONLY_MAIN.has(card.id)) continue;
    groups.set(card.group, [...(groups.get(card.group) ?? []), card]);
  }
  const rank = (card: CardSpec) => (wanted.every((word) => `${card.group} ${card.label}`.toLowerCase().includes(word)) ? 0 : 1);
  return [...groups].map(([group, cards]) => ({ group, cards: [...cards].sort((a, b) => rank(a) - rank(b)) }));
}

/** Cards that mean nothing in a monitor. */
const NOT_HERE = new Set(["control.returnRaw", "control.close", "object.expand"]);
const ONLY_MAIN = new Set(["control.cursor", "control.returnOutputs"]);

/** The words of the types, in the order of menus. */
export const TYPES = ["text", "number", "boolean", "date", "object", "file", "any"] as const;
/** All types of fields. */
export const FIELD_TYPES: readonly string[] = [...TYPES, ...TYPES.map((type) => `list of ${type}`)];
/** Types of a cursor, first those of the documents. */
export const CURSOR_TYPES: readonly string[] = ["date", "number", "text", "object", "boolean", "list of object", "list of text", "list of number", "list of date"];

const SHOWN: Record<string, string> = { text: "Text", number: "Number", boolean: "True/False", date: "Date & Time", object: "Object", file: "File", any: "Any", flow: "Flow" };

/** A type as people read it. */
export function typeLabel(type: string): string {
  const list = type.startsWith("list of ");
  const of = SHOWN[list ? type.slice(8) : type] ?? type;
  return list ? `List of ${of}` : of;
}

/** Comparisons of conditions, code and words. */
export const COMPARISONS: readonly { value: string; label: string }[] = [
  ["==", "equal to"],
  ["!=", "not equal to"],
  [">", "greater than"],
  ["<", "less than"],
  [">=", "greater than or equal to"],
  ["<=", "less than or equal to"],
  ["%", "a multiple of"],
  ["in", "in"],
  ["not in", "not in"],
  ["has", "has key"],
  ["doesn't have", "does not have key"],
  ["is empty", "is empty"],
  ["is not empty", "is not empty"],
].map(([value = "", label = ""]) => ({ value, label }));

/** What an input may be chosen from, where there is a list. */
export function choicesOf(card: string, input: InputSpec): readonly { value: string; label: string }[] | undefined {
  if (input.key === "operator") return COMPARISONS;
  const plain = (values: string[]) => values.map((value) => ({ value, label: value }));
  if (input.key === "units") return plain(["milliseconds", "seconds", "minutes", "hours", "days", "weeks", "months", "years"]);
  if (input.key === "unit" && card === "control.wait") return plain(["second", "minute"]);
  if (input.key === "algorithm") return plain(["md5", "sha1", "sha256", "sha384", "sha512"]);
  if (input.key === "digest") return plain(["hex", "base64", "base64url"]);
  return undefined;
}
