// A monitor's document as the canvas reads it: flows, cards, their blocks and places, without understanding more than
// it shows. What it does not know it leaves as it is.
import { type CardSpec, specOf } from "./catalogue";
import { get, items, type Json, type Members, members, type Path, samePath, text } from "./json";

/** A flow of the document: the monitor's own, or a helper flow's name. */
export type FlowName = string | null;

/** The way to a flow's cards. */
export function cardsPath(flow: FlowName): Path {
  return flow === null ? ["cards"] : ["flows", flow, "cards"];
}

/** The flow that a path lies in. */
export function flowOf(path: Path): FlowName {
  return path[0] === "flows" ? String(path[1]) : null;
}

/** Names of the helper flows. */
export function helperNames(doc: Json): string[] {
  return Object.keys(members(get(doc, ["flows"])));
}

/** Fields with types. */
export interface Field {
  name: string;
  type: string;
}

/** Fields of an object of types. */
export function fieldsOf(value: Json | undefined): Field[] {
  return Object.entries(members(value)).map(([name, type]) => ({ name, type: text(type) ?? "any" }));
}

/** What a flow takes and gives. */
export interface Signature {
  inputs: Field[];
  outputs: Field[];
}

const HTTP_HELPER: Signature = {
  inputs: [["relative_url", "text"], ["request_method", "text"], ["query", "object"], ["headers", "object"], ["body", "any"]].map(field),
  outputs: [["status_code", "number"], ["headers", "object"], ["body", "any"]].map(field),
};

function field([name = "", type = ""]: string[]): Field {
  return { name, type };
}

/** What a flow takes and gives, by its name; nothing where there is no such flow. */
export function signatureOf(doc: Json, flow: string | undefined): Signature | undefined {
  if (flow === undefined) return undefined;
  const own = get(doc, ["flows", flow]);
  if (own !== undefined) return { inputs: fieldsOf(get(own, ["inputs"])), outputs: fieldsOf(get(own, ["outputs"])) };
  return flow === "httpHelper" ? HTTP_HELPER : undefined;
}

/** A row of cards inside a card: one of its blocks. */
export interface Lane {
  kind: "try" | "ifError" | "then" | "branch" | "else";
  label: string;
  /** The way to its cards. */
  path: Path;
  /** Its place as faults name it. */
  place: string;
  /** The way to its own inputs, of a branch. */
  own: Path | undefined;
  ownPlace: string | undefined;
}

/** A card with where it stands. */
export interface Card {
  path: Path;
  /** Its place as faults and traces name it. */
  place: string;
  /** The way to the list that holds it, and its position there. */
  list: Path;
  at: number;
  value: Members;
  id: string | undefined;
  kind: string;
  spec: CardSpec | undefined;
  lanes: Lane[];
  /** The lane that it stands in. */
  inside: Lane | undefined;
  parent: Card | undefined;
}

const ID = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

/** Whether a text may be the id of a card, or the name of a helper flow. */
export function isId(id: string): boolean {
  return ID.test(id);
}

/** Whether a text may be the name of a field. */
export function isFieldName(name: string): boolean {
  // eslint-disable-next-line no-control-regex
  return name !== "" && name.trim() === name && [...name].length <= 100 && !/[.\u0000-\u001f\u007f]/.test(name);
}

/** A place with one more member, as the API writes it. */
export function memberPlace(place: string, key: string): string {
  const shown = /^[A-Za-z0-9_-]+$/.test(key) ? key : `"${key.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return place === "" ? shown : `${place}.${shown}`;
}

/** The card at a position of a list. */
function read(value: Json | undefined, list: Path, at: number, listPlace: string, inside: Lane | undefined, parent: Card | undefined): Card {
  const card = members(value);
  const path = [...list, at];
  const id = text(card["id"]);
  const place = id !== undefined && isId(id) ? `${listPlace}.${id}` : `${listPlace}[${at}]`;
  const kind = text(card["card"]) ?? "";
  const spec = specOf(kind);
  return { path, place, list, at, value: card, id, kind, spec, lanes: lanesOf(card, path, place, spec), inside, parent };
}

function lanesOf(card: Members, path: Path, place: string, spec: CardSpec | undefined): Lane[] {
  const lane = (kind: Lane["kind"], key: string, label: string): Lane => ({ kind, label, path: [...path, key], place: memberPlace(place, key), own: undefined, ownPlace: undefined });
  const lanes: Lane[] = [];
  const wants = (key: string, of: string) => spec?.id === of || Array.isArray(card[key]);
  if (wants("try", "control.tryCatch")) lanes.push(lane("try", "try", "Try"));
  if (wants("ifError", "control.tryCatch")) lanes.push(lane("ifError", "ifError", "If Error"));
  if (wants("then", "control.if")) lanes.push(lane("then", "then", "If true"));
  for (const at of items(card["branches"]).keys()) {
    const own = `${memberPlace(place, "branches")}[${at}]`;
    lanes.push({ kind: "branch", label: at === 0 ? "If" : "ElseIf", path: [...path, "branches", at, "then"], place: memberPlace(own, "then"), own: [...path, "branches", at, "inputs"], ownPlace: memberPlace(own, "inputs") });
  }
  if (wants("else", "control.if") || spec?.id === "control.branch") lanes.push(lane("else", "else", "Else"));
  return lanes;
}

/** The cards of a list, without those in their blocks. */
export function cardsIn(doc: Json, list: Path, listPlace: string, inside?: Lane, parent?: Card): Card[] {
  return items(get(doc, list)).map((value, at) => read(value, list, at, listPlace, inside, parent));
}

/** The cards of a flow, without those in blocks. */
export function topCards(doc: Json, flow: FlowName): Card[] {
  return cardsIn(doc, cardsPath(flow), listPlace(flow));
}

function listPlace(flow: FlowName): string {
  return flow === null ? "cards" : `${memberPlace("flows", flow)}.cards`;
}

/** The cards of a lane. */
export function laneCards(doc: Json, card: Card, lane: Lane): Card[] {
  return cardsIn(doc, lane.path, lane.place, lane, card);
}

/** All cards of a flow, each before those in its blocks. */
export function allCards(doc: Json, flow: FlowName): Card[] {
  const found: Card[] = [];
  const walk = (cards: Card[]) => {
    for (const card of cards) {
      found.push(card);
      for (const lane of card.lanes) walk(laneCards(doc, card, lane));
    }
  };
  walk(topCards(doc, flow));
  return found;
}

/** All cards of all flows. */
export function everyCard(doc: Json): Card[] {
  return [null, ...helperNames(doc)].flatMap((flow) => allCards(doc, flow));
}

/** What people call a card: its remark's first words, or what it is. */
export function nameOf(card: Card): string {
  return card.spec === undefined ? card.kind || "Card" : fullLabel(card.spec);
}

const SAYS_GROUP = new Set(["Object", "List", "Date & Time", "Text", "Number", "True/False", "JSON", "HTTP"]);

/** A card's name with its group where the name alone says little: `Object Get`. */
export function fullLabel(spec: CardSpec): string {
  return SAYS_GROUP.has(spec.group) ? `${spec.group} ${spec.label}` : spec.label;
}

/** The same card in the document as it is now: what stands at its place. */
export function cardAt(doc: Json, card: Card): Card {
  return allCards(doc, flowOf(card.path)).find((other) => samePath(other.path, card.path)) ?? card;
}
