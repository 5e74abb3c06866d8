// What a card takes and gives, as rows of the canvas; and what may be wired to an input.
import { type CardSpec, type InputSpec } from "./catalogue";
import { allCards, type Card, cardsIn, type Field, fieldsOf, type FlowName, flowOf, type Lane, memberPlace, nameOf, type Signature, signatureOf } from "./document";
import { get, isBelow, items, type Json, type Members, members, type Path, samePath, text } from "./json";

/** An input of a card as a row. */
export interface InputRow {
  /** Its name in the document, or the one that it would get. */
  key: string;
  label: string;
  type: string;
  required: boolean;
  /** What it is when nothing is given. */
  otherwise: Json | undefined;
  /** What stands there. */
  value: Json | undefined;
  /** The way to it. */
  path: Path;
  /** Its place as faults name it. */
  place: string;
  /** Named by the author: it can be renamed and taken away. */
  isOwn: boolean;
  spec: InputSpec | undefined;
  /** In which calls `item` and the like mean something. */
  call: CallKind | undefined;
}

/** An output of a card. */
export interface OutputRow extends Field {
  /** What it is called on the canvas. */
  label: string;
  /** The author picks its type. */
  isPicked: boolean;
  /** Named by the author. */
  isOwn: boolean;
}

/** How a card calls its flow again and again. */
export type CallKind = "items" | "keys" | "memo" | "times" | "pages";

const CALLS: Record<string, CallKind> = {
  "list.map": "items", "list.each": "items", "list.asyncEach": "items", "list.filter": "items", "list.find": "items", "list.reduce": "memo",
  "control.times": "times", "object.map": "keys", "object.process": "keys", "http.paginate": "pages",
};

/** Whether the card calls a helper flow. */
export function callsFlow(spec: CardSpec | undefined): boolean {
  return spec?.inputs.some((input) => input.key === "flo" && spec.id !== "control.branch") ?? false;
}

function callOf(spec: CardSpec | undefined): CallKind | undefined {
  return spec && callsFlow(spec) ? CALLS[spec.id] : undefined;
}

/** The catalogue's input that a name means. */
export function inputSpec(spec: CardSpec | undefined, name: string): InputSpec | undefined {
  const low = name.toLowerCase();
  return (
    spec?.inputs.find((input) => input.key === name) ??
    spec?.inputs.find((input) => input.label.toLowerCase() === low || (input.repeated && name.startsWith(input.key) && /^ ?\d{0,4}$/.test(name.slice(input.key.length))))
  );
}

/** The inputs of a card, in the order of the catalogue, then the author's. */
export function inputRows(doc: Json, card: Card): InputRow[] {
  const { spec, value } = card;
  const given = members(value["inputs"]);
  const signature = signatureOf(doc, text(value["flow"]));
  const call = callOf(spec);
  if (spec?.id === "control.branch") return rowsOf(given, [], [...card.path, "inputs"], memberPlace(card.place, "inputs"), spec);
  const fixed = spec?.inputs.filter((input) => input.type !== "flow") ?? [];
  const isCall = callsFlow(spec) && call === undefined;
  const wanted = isCall ? (signature?.inputs ?? []) : declaredInputs(doc, card);
  const rows = rowsOf(given, fixed, [...card.path, "inputs"], memberPlace(card.place, "inputs"), spec, wanted);
  if (call === undefined) return rows;
  const values = rowsOf(members(value["values"]), [], [...card.path, "values"], memberPlace(card.place, "values"), undefined, signature?.inputs ?? []);
  return [...rows, ...values.map((row) => ({ ...row, call }))];
}

/** The inputs of a branch: its condition. */
export function laneRows(doc: Json, card: Card, lane: Lane): InputRow[] {
  if (lane.own === undefined || lane.ownPlace === undefined) return [];
  const fixed = card.spec?.inputs.filter((input) => input.type !== "flow") ?? [];
  return rowsOf(members(get(doc, lane.own)), fixed, lane.own, lane.ownPlace, card.spec);
}

/** What a Return gives: the outputs of the card around it, or of its flow. */
function declaredInputs(doc: Json, card: Card): Field[] {
  if (card.spec?.id !== "control.return") return [];
  if (card.parent !== undefined) return fieldsOf(card.parent.value["outputs"]);
  const flow = flowOf(card.path);
  return flow === null ? [] : (signatureOf(doc, flow)?.outputs ?? []);
}

function rowsOf(given: Members, fixed: InputSpec[], path: Path, place: string, spec: CardSpec | undefined, wanted: Field[] = []): InputRow[] {
  const rows: InputRow[] = [];
  const taken = new Set<string>();
  const row = (key: string, label: string, type: string, more: Partial<InputRow> = {}) => {
    taken.add(key);
    rows.push({ key, label, type, required: false, otherwise: undefined, value: given[key], path: [...path, key], place: memberPlace(place, key), isOwn: false, spec: undefined, call: undefined, ...more });
  };
  for (const input of fixed) {
    const names = Object.keys(given).filter((name) => inputSpec(spec, name) === input);
    const more = { required: input.required, otherwise: input.default, spec: input };
    if (input.repeated) for (const name of names.length > 0 ? names : [`${input.key} 1`]) row(name, name, input.type, { ...more, required: false, isOwn: names.length > 1 });
    else if (names.length === 0) row(input.key, input.label, input.type, more);
    else for (const name of names) row(name, input.label, input.type, more);
  }
  for (const { name, type } of wanted) if (!taken.has(name)) row(name, name, type);
  for (const name of Object.keys(given)) if (!taken.has(name)) row(name, name, "any", { isOwn: true });
  return rows;
}

/** Name of the next repeated input, where the card takes any number of one. */
export function nextRepeated(card: Card): string | undefined {
  const input = card.spec?.inputs.find((input) => input.repeated);
  if (input === undefined) return undefined;
  const given = Object.keys(members(card.value["inputs"]));
  for (let number = 1; ; number++) if (!given.includes(`${input.key} ${number}`) && !(number === 1 && given.includes(input.key))) return number === 1 && given.length === 0 ? `${input.key} 2` : `${input.key} ${number}`;
}

/** Whether the author may add inputs. */
export function takesOwnInputs(card: Card): boolean {
  const { spec } = card;
  if (spec === undefined || !spec.authorInputs || callsFlow(spec) || spec.id === "control.branch") return false;
  return spec.id !== "control.returnOutputs";
}

/** Names that were given to outputs in the card's remark: a line `output - name` each. */
export function givenNames(card: Card): { names: Map<string, string>; note: string } {
  const names = new Map<string, string>();
  const keys = new Set((card.spec?.outputs ?? []).map((output) => output.key));
  const lines = (text(card.value["note"]) ?? "").split("\n").filter((line) => {
    const [, key = "", name = ""] = /^(.+?) - (.+)$/.exec(line.trim()) ?? [];
    if (!keys.has(key)) return true;
    names.set(key, name);
    return false;
  });
  return { names, note: lines.join("\n") };
}

/** Cards after which nothing runs that could take their outputs. */
const ENDS = new Set(["control.return", "control.returnRaw", "control.throw"]);

/** The outputs of a card. */
export function outputRows(doc: Json, card: Card): OutputRow[] {
  const { spec, value } = card;
  const types = members(value["outputs"]);
  const { names } = givenNames(card);
  const rows: OutputRow[] = (spec?.outputs ?? []).map((output) => ({ name: output.key, label: names.get(output.key) ?? output.key, type: text(types[output.key]) ?? output.type, isPicked: output.picked ?? false, isOwn: false }));
  const has = (name: string) => rows.some((row) => row.name === name);
  const add = (name: string, type: string, isPicked: boolean, isOwn: boolean) => {
    if (!has(name)) rows.push({ name, label: name, type: text(types[name]) ?? type, isPicked, isOwn });
  };
  const signature: Signature | undefined = spec?.id === "control.spawn" ? signatureOf(doc, text(value["flow"])) : undefined;
  for (const output of signature?.outputs ?? []) add(output.name, output.type, true, false);
  if (spec?.mirrored && !ENDS.has(spec.id)) for (const row of inputRows(doc, card)) if (row.value !== undefined) add(row.key, "any", false, false);
  for (const name of Object.keys(types)) add(name, "any", true, true);
  return rows;
}

/** Something that an input may be wired to. */
export interface Source {
  /** What it is called. */
  label: string;
  /** The card that must get an id first, if it has none. */
  card: Card | undefined;
  /** Its name in references; nothing where the card has no id yet. */
  source: string | undefined;
  outputs: OutputRow[];
}

const plain = (name: string, type: string): OutputRow => ({ name, label: name, type, isPicked: false, isOwn: false });
/** What is known of an error. */
export const ERROR_FIELDS: readonly Field[] = [["message", "text"], ["code", "any"], ["method", "text"], ["flo", "text"], ["execution", "text"], ["body", "text"]].map(([name = "", type = ""]) => ({ name, type }));
/** What is known of a call. */
export const CONTEXT_FIELDS: readonly Field[] = [["execution_id", "text"], ["index", "number"], ["parent", "object"], ["error", "object"]].map(([name = "", type = ""]) => ({ name, type }));

/** What the event of a flow gives. */
export function eventSources(doc: Json, flow: FlowName): Source[] {
  const of = (label: string, source: string, outputs: readonly Field[]): Source => ({ label, card: undefined, source, outputs: outputs.map(({ name, type }) => plain(name, type)) });
  if (flow !== null) {
    const inputs = signatureOf(doc, flow)?.inputs ?? [];
    return [...(inputs.length > 0 ? [of("Helper Flow", "inputs", inputs)] : []), of("Call", "context", CONTEXT_FIELDS)];
  }
  const options = items(get(doc, ["options"])).flatMap((option) => text(members(option)["label"]) ?? []);
  const cursor: Source = { label: "Polling Monitor", card: undefined, source: "monitor", outputs: [{ ...plain("cursor", text(get(doc, ["cursor"])) ?? "any"), label: "Cursor" }] };
  return [cursor, ...(options.length > 0 ? [of("Options", "options", options.map((name) => ({ name, type: "text" })))] : [])];
}

const OF_CALL: Record<CallKind, Field[]> = {
  items: [{ name: "item", type: "any" }, { name: "index", type: "number" }],
  memo: [{ name: "item", type: "any" }, { name: "memo", type: "any" }, { name: "index", type: "number" }],
  keys: [{ name: "key", type: "text" }, { name: "item", type: "any" }, { name: "index", type: "number" }],
  times: [{ name: "index", type: "number" }, { name: "item", type: "any" }],
  pages: [{ name: "page", type: "object" }, { name: "index", type: "number" }],
};

/** Whether a name is what each call gives, such as `item`: such a word has no outputs, a path follows it at once. */
export function isOfCall(call: CallKind | undefined, name: string): boolean {
  return call !== undefined && OF_CALL[call].some((field) => field.name === name);
}

/** What an input of a card may be wired to, the nearest card first. `lane` is the branch whose condition it is. */
export function sourcesFor(doc: Json, card: Card, call?: CallKind): Source[] {
  const found: Source[] = [];
  if (call !== undefined) found.push({ label: "Each call", card: undefined, source: "", outputs: OF_CALL[call].map(({ name, type }) => plain(name, type)) });
  for (let here: Card | undefined = card; here !== undefined; here = here.parent) {
    const before = cardsIn(doc, here.list, listPlaceOf(here), here.inside, here.parent).slice(0, here.at).reverse();
    for (const earlier of before) {
      const outputs = outputRows(doc, earlier);
      if (outputs.length > 0) found.push({ label: sourceLabel(earlier), card: earlier, source: earlier.id, outputs });
    }
    if (here.inside?.kind === "ifError" && !found.some(({ source }) => source === "error")) {
      found.push({ label: "Error", card: undefined, source: "error", outputs: ERROR_FIELDS.map(({ name, type }) => plain(name, type)) });
    }
  }
  return [...found, ...eventSources(doc, flowOf(card.path))];
}

/** A card's name in menus. */
export function sourceLabel(card: Card): string {
  const { note } = givenNames(card);
  const name = nameOf(card);
  return card.id !== undefined ? `${name} · ${card.id}` : note !== "" ? `${name} · ${note.split("\n")[0]}` : name;
}

function listPlaceOf(card: Card): string {
  return card.inside?.place ?? (flowOf(card.path) === null ? "cards" : `${memberPlace("flows", String(card.path[1]))}.cards`);
}

/** Whether a card may refer to another one: an earlier one of the same block, or of a block around. */
export function mayRefer(doc: Json, from: Path, to: Path): boolean {
  const list = to.slice(0, -1);
  if (!isBelow(from, list) || samePath(from, to)) return false;
  const at = from[list.length];
  return typeof at === "number" && at > (to.at(-1) as number) && allCards(doc, flowOf(from)).some((card) => samePath(card.path, to));
}
