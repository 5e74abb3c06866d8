// What one can do to a document on the canvas. Every function gives a new document and leaves the old one.
import { specOf } from "./catalogue";
import { allCards, type Card, cardsPath, everyCard, fieldsOf, type FlowName, flowOf, fullLabel, helperNames, isId, type Lane } from "./document";
import { get, insert, isBelow, isMembers, items, type Json, made, type Members, members, type Path, renamed, samePath, set, text } from "./json";
import { givenNames } from "./pins";
import { mapFlow, mapped, parsed, reference, referenceOf, renameReferences } from "./references";

/** Names that no card may have. */
const RESERVED = new Set(["monitor", "options", "inputs", "context", "error", "item", "index", "key", "memo", "page"]);

/** A new monitor's document: its event with the Cursor and Return Outputs cards. */
export function emptyMonitor(connector: string | undefined): Json {
  return {
    name: "",
    ...(connector === undefined ? {} : { connector }),
    cursor: "date",
    outputs: {},
    cards: [{ card: "control.cursor" }, { card: "control.returnOutputs" }],
  };
}

/** Puts a new card into a list. */
export function addCard(doc: Json, list: Path, at: number, kind: string): Json {
  const card: Members = { card: kind };
  if (kind === "control.tryCatch") Object.assign(card, { try: [], ifError: [] });
  if (kind === "control.if") Object.assign(card, { then: [], else: [] });
  if (kind === "control.branch") Object.assign(card, { branches: [{ then: [] }], else: [] });
  if (kind === "control.spawn") card["flow"] = "httpHelper";
  return insert(doc, list, at, card);
}

/** Takes a card away with what stands in its blocks, and the wires that led to it. */
export function removeCard(doc: Json, card: Card): Json {
  const gone = new Set(allCards(doc, flowOf(card.path)).filter((other) => isBelow(other.path, card.path)).flatMap(({ id }) => id ?? []));
  return dropWires(set(doc, card.path, undefined), flowOf(card.path), (from) => gone.has(parsed(from).source));
}

/** Takes inputs away that are nothing but a reference which `isGone`. */
export function dropWires(doc: Json, flow: FlowName, isGone: (from: string) => boolean): Json {
  let next = doc;
  for (const card of allCards(doc, flow)) {
    const places: Path[] = [["inputs"], ["values"], ...items(card.value["branches"]).map((_, at): Path => ["branches", at, "inputs"])];
    for (const place of places) {
      const path = [...card.path, ...place];
      const inputs = get(next, path);
      if (!isMembers(inputs)) continue;
      const kept = Object.entries(inputs).filter(([, value]) => !isGone(referenceOf(value) ?? ""));
      if (kept.length < Object.keys(inputs).length) next = set(next, path, kept.length === 0 && place.length === 1 ? undefined : made(kept));
    }
  }
  return next;
}

/** Moves a card to a position of a list; nothing happens when the list lies in the card itself. */
export function moveCard(doc: Json, from: Path, list: Path, at: number): Json {
  if (isBelow(list, from)) return doc;
  const card = get(doc, from);
  if (card === undefined) return doc;
  const home = from.slice(0, -1);
  const was = from.at(-1) as number;
  const without = set(doc, from, undefined);
  if (samePath(home, list)) return insert(without, list, at > was ? at - 1 : at, card);
  // A list further on in the same list as the card has moved one to the left.
  const target = isBelow(list, home) && (list[home.length] as number) > was ? [...home, (list[home.length] as number) - 1, ...list.slice(home.length + 1)] : list;
  return insert(without, target, at, card);
}

/** Gives an input a value; `undefined` leaves it out. */
export function setInput(doc: Json, path: Path, value: Json | undefined): Json {
  const next = set(doc, path, value);
  const inputs = path.slice(0, -1);
  return value === undefined && Object.keys(members(get(next, inputs))).length === 0 ? set(next, inputs, undefined) : next;
}

/** Wires an output of a card or an event to an input. A card without an id gets one. */
export function wire(doc: Json, input: Path, from: { card: Card | undefined; source: string | undefined; output: string }): Json {
  const [next, source] = from.card === undefined ? [doc, from.source ?? ""] : withId(doc, from.card);
  return setInput(next, input, { from: source === "" ? from.output : reference(source, from.output) });
}

/** The document in which the card has an id, and that id. */
export function withId(doc: Json, card: Card): [Json, string] {
  if (card.id !== undefined) return [doc, card.id];
  const id = freeId(doc, flowOf(card.path), card.spec === undefined ? "card" : fullLabel(card.spec));
  return [set(doc, card.path, made([["id", id], ...Object.entries(card.value)])), id];
}

/** An id that no card of the flow has, made of words. */
export function freeId(doc: Json, flow: FlowName, words: string): string {
  const parts = words.replace(/[^A-Za-z0-9]+/g, " ").trim().split(" ");
  const base = parts.map((part, at) => (at === 0 ? part.charAt(0).toLowerCase() + part.slice(1) : part.charAt(0).toUpperCase() + part.slice(1))).join("") || "card";
  const safe = isId(base) ? base : `card${base}`.slice(0, 60);
  const taken = new Set(allCards(doc, flow).flatMap(({ id }) => id ?? []));
  for (let number = 1; ; number++) {
    const id = number === 1 ? safe : `${safe}${number}`;
    if (!taken.has(id) && !RESERVED.has(id)) return id;
  }
}

/** Why a text cannot be the id of a card; nothing when it can. */
export function faultOfId(doc: Json, card: Card, id: string): string | undefined {
  if (id === "") return undefined;
  if (!isId(id)) return "Begin with a letter, then letters, digits, - and _, at most 64.";
  if (RESERVED.has(id)) return `References mean something else by ${id}.`;
  return allCards(doc, flowOf(card.path)).some((other) => other.id === id && !samePath(other.path, card.path)) ? "Another card has this id." : undefined;
}

/** Gives a card another id; wires follow. An empty one is taken away when nothing refers to it. */
export function setId(doc: Json, card: Card, id: string): Json {
  if (faultOfId(doc, card, id) !== undefined || id === (card.id ?? "")) return doc;
  if (id === "") return set(doc, [...card.path, "id"], undefined);
  if (card.id === undefined) return set(doc, card.path, made([["id", id], ...Object.entries(card.value)]));
  return renameReferences(set(doc, [...card.path, "id"], id), flowOf(card.path), { source: card.id }, id);
}

/** Sets or takes away a plain member of a card: `flow`, `timeout`, `onError`. */
export function setMember(doc: Json, card: Card, key: string, value: Json | undefined): Json {
  return set(doc, [...card.path, key], value);
}

/** Sets the remark of a card and keeps the names of its outputs. */
export function setNote(doc: Json, card: Card, note: string): Json {
  return writeNote(doc, card, note, givenNames(card).names);
}

function writeNote(doc: Json, card: Card, note: string, names: Map<string, string>): Json {
  const lines = [...(note.trim() === "" ? [] : [note]), ...[...names].map(([key, name]) => `${key} - ${name}`)];
  return set(doc, [...card.path, "note"], lines.length === 0 ? undefined : lines.join("\n"));
}

/** Renames an output. The author's own are renamed in the document, and wires follow; others get a name beside theirs. */
export function renameOutput(doc: Json, card: Card, output: string, name: string): Json {
  const fixed = card.spec?.outputs.some(({ key }) => key === output) ?? false;
  if (fixed) {
    const { names, note } = givenNames(card);
    if (name === "" || name === output) names.delete(output);
    else names.set(output, name);
    return writeNote(doc, card, note, names);
  }
  let next = set(doc, [...card.path, "outputs"], renamed(members(card.value["outputs"]), output, name));
  for (const lane of card.lanes) next = renameReturns(next, lane.path, output, name);
  return card.id === undefined ? next : renameReferences(next, flowOf(card.path), { source: card.id, output }, name);
}

/** Renames what the Return cards of a list give. */
function renameReturns(doc: Json, list: Path, from: string, to: string): Json {
  let next = doc;
  for (const [at, value] of items(get(doc, list)).entries()) {
    if (specOf(text(members(value)["card"]))?.id !== "control.return") continue;
    const path = [...list, at, "inputs"];
    const inputs = get(next, path);
    if (isMembers(inputs)) next = set(next, path, renamed(inputs, from, to));
  }
  return next;
}

/** Adds an output, or sets the type of one. */
export function setOutputType(doc: Json, card: Card, output: string, type: string): Json {
  return set(doc, [...card.path, "outputs", output], type);
}

/** Takes an output of the author's away, with its wires. */
export function removeOutput(doc: Json, card: Card, output: string): Json {
  let next = set(doc, [...card.path, "outputs", output], undefined);
  if (Object.keys(members(get(next, [...card.path, "outputs"]))).length === 0) next = set(next, [...card.path, "outputs"], undefined);
  return dropWires(next, flowOf(card.path), (from) => parsed(from).source === card.id && parsed(from).output === output);
}

/** Renames an input of the author's; where it is an output too, wires follow. */
export function renameInput(doc: Json, card: Card, path: Path, name: string): Json {
  const key = String(path.at(-1));
  const inputs = path.slice(0, -1);
  const next = set(doc, inputs, renamed(members(get(doc, inputs)), key, name));
  return card.spec?.mirrored && card.id !== undefined ? renameReferences(next, flowOf(card.path), { source: card.id, output: key }, name) : next;
}

/** A name that is not among these: `field`, `field 2` … */
export function freeName(base: string, taken: readonly string[]): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base} ${number}`;
    if (!taken.includes(name)) return name;
  }
}

/** One more branch of an If/ElseIf. */
export function addBranch(doc: Json, card: Card): Json {
  return insert(doc, [...card.path, "branches"], items(card.value["branches"]).length, { then: [] });
}

/** Takes a branch away. */
export function removeBranch(doc: Json, lane: Lane): Json {
  return set(doc, lane.path.slice(0, -1), undefined);
}

/** A member of the document itself; empty ones are taken away. */
export function setTop(doc: Json, key: string, value: Json | undefined): Json {
  return set(doc, [key], value);
}

/** A row of a dialog: what it was called, what it is called, and the rest. */
export interface Renaming {
  was: string | undefined;
  name: string;
}

/** Sets the options; references to renamed ones follow, those to removed ones go. */
export function setOptions(doc: Json, options: Json[], renamings: readonly Renaming[]): Json {
  const before = items(get(doc, ["options"])).flatMap((option) => text(members(option)["label"]) ?? []);
  let next = set(doc, ["options"], options.length === 0 ? undefined : options);
  const names = new Map(renamings.flatMap(({ was, name }) => (was === undefined ? [] : [[was, name] as const])));
  next = dropWires(next, null, (from) => parsed(from).source === "options" && before.includes(parsed(from).output ?? "") && !names.has(parsed(from).output ?? ""));
  return mapFlow(next, null, (from) => {
    const { source, output = "", rest } = parsed(from);
    const name = names.get(output);
    return source === "options" && name !== undefined ? [source, name, ...rest].join(".") : undefined;
  });
}

/** A group of outputs as the dialog has it. */
export interface OutputGroup extends Renaming {
  fields: (Renaming & { type: string })[];
}

/** The groups of outputs as the dialog begins with them. */
export function outputGroups(doc: Json): OutputGroup[] {
  return Object.entries(members(get(doc, ["outputs"]))).map(([name, fields]) => ({ was: name, name, fields: fieldsOf(fields).map((field) => ({ was: field.name, name: field.name, type: field.type })) }));
}

/** Sets the groups of outputs, and how records are recognised. `record` follows names; cards that make such objects do too. */
export function setOutputs(doc: Json, groups: readonly OutputGroup[], record: Members | undefined): Json {
  const next = set(doc, ["outputs"], made(groups.map(({ name, fields }) => [name, made(fields.map((field) => [field.name, field.type]))] as const)));
  return placed(set(next, ["record"], record), ["record"], "outputs");
}

/** The record's paths under the new names of groups and fields. */
export function followRecord(record: Members, groups: readonly OutputGroup[]): Members {
  const group = groups.find(({ was }) => was !== undefined && was === record["group"]);
  if (group === undefined) return record;
  const path = (value: Json | undefined): Json | undefined => {
    if (typeof value !== "string") return value;
    const [first = "", ...rest] = value.split(".");
    const field = group.fields.find(({ was }) => was === first);
    return field === undefined ? value : [field.name, ...rest].join(".");
  };
  return made(Object.entries(record).map(([key, value]) => [key, key === "group" ? group.name : (path(value) ?? null)]));
}

/** Puts a top member right after another one, so that texts read in a sensible order. */
function placed(doc: Json, path: readonly [string], after: string): Json {
  const [key] = path;
  const all = members(doc);
  const value = all[key];
  if (value === undefined) return doc;
  const rest = Object.entries(all).filter(([name]) => name !== key);
  return made(rest.flatMap(([name, member]) => (name === after ? [[name, member], [key, value]] as const : [[name, member]] as const)));
}

/** A new helper flow with a Return card. */
export function addFlow(doc: Json, name: string): Json {
  return set(doc, ["flows", name], { cards: [{ card: "control.return" }] });
}

/** Takes a helper flow away. */
export function removeFlow(doc: Json, name: string): Json {
  const next = set(doc, ["flows", name], undefined);
  return helperNames(next).length === 0 ? set(next, ["flows"], undefined) : next;
}

/** Renames a helper flow; the cards that call it follow. */
export function renameFlow(doc: Json, from: string, to: string): Json {
  let next = set(doc, ["flows"], renamed(members(get(doc, ["flows"])), from, to));
  for (const card of everyCard(next)) {
    if (card.value["flow"] === from) next = set(next, [...card.path, "flow"], to);
    if (get(card.value, ["onError", "then", "flow"]) === from) next = set(next, [...card.path, "onError", "then", "flow"], to);
  }
  for (const [at, option] of items(get(next, ["options"])).entries()) if (get(option, ["values", "flow"]) === from) next = set(next, ["options", at, "values", "flow"], to);
  return next;
}

/** Sets what a helper flow takes or gives; its own wires, its callers and its Return cards follow the names. */
export function setSignature(doc: Json, flow: string, side: "inputs" | "outputs", fields: readonly (Renaming & { type: string })[]): Json {
  const types = made(fields.map(({ name, type }) => [name, type] as const));
  let next = set(doc, ["flows", flow, side], fields.length === 0 ? undefined : types);
  next = cardsLast(next, flow);
  for (const { was, name } of fields) if (was !== undefined && was !== name) next = followField(next, flow, side, was, name);
  return next;
}

function cardsLast(doc: Json, flow: string): Json {
  const entries = Object.entries(members(get(doc, ["flows", flow])));
  return set(doc, ["flows", flow], made([...entries.filter(([key]) => key !== "cards"), ...entries.filter(([key]) => key === "cards")]));
}

function followField(doc: Json, flow: string, side: "inputs" | "outputs", was: string, name: string): Json {
  let next = side === "inputs" ? renameReferences(doc, flow, { source: "inputs", output: was }, name) : renameReturns(doc, cardsPath(flow), was, name);
  for (const card of everyCard(next)) {
    if (card.value["flow"] !== flow) continue;
    if (side === "inputs") {
      for (const key of ["inputs", "values"]) {
        const given = get(next, [...card.path, key]);
        if (isMembers(given)) next = set(next, [...card.path, key], renamed(given, was, name));
      }
    } else if (card.spec?.id === "control.spawn") {
      const types = get(next, [...card.path, "outputs"]);
      if (isMembers(types)) next = set(next, [...card.path, "outputs"], renamed(types, was, name));
      if (card.id !== undefined) next = renameReferences(next, flowOf(card.path), { source: card.id, output: was }, name);
    }
  }
  return next;
}

/** The document with the type of the cursor; the Cursor cards follow by themselves. */
export function setCursorType(doc: Json, type: string): Json {
  return set(doc, ["cursor"], type);
}

/** A copy of an input's value in which a literal object that looks like a reference is taken as it stands. */
export function asLiteral(value: Json): Json {
  return isMembers(value) && (Object.hasOwn(value, "from") || Object.hasOwn(value, "literal")) ? { literal: value } : mapped(value, () => undefined);
}
