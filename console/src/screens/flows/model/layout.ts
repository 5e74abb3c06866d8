// Where things stand on the canvas: from left to right by their order. Positions are never stored.
import { type Card, cardsPath, type FlowName, flowOf, laneCards, type Lane, topCards } from "./document";
import { type Json, keyOf, type Path } from "./json";

/** What is drawn. */
export interface Box {
  key: string;
  kind: "event" | "card" | "frame" | "lane" | "plus";
  x: number;
  y: number;
  width: number;
  height: number;
  /** The card, of a card or a frame; the card around, of a lane. */
  card: Card | undefined;
  lane: Lane | undefined;
  /** Where a card would be put in, of a plus. */
  list: Path | undefined;
  at: number;
  /** The event card or the card before a plus, for its name. */
  before: Card | undefined;
}

/** A row of cards and the room that it takes, for finding where something was dropped. */
export interface Room {
  list: Path;
  x: number;
  y: number;
  width: number;
  height: number;
  centres: number[];
}

/** A flow laid out. */
export interface Layout {
  boxes: Box[];
  rooms: Room[];
  width: number;
  height: number;
}

/** Widths and gaps, in pixels. */
export const CARD_WIDTH = 300;
const LANE_WIDTH = 190;
const BRANCH_WIDTH = 280;
const GAP = 64;
const PLUS = 28;
const PAD = 18;
const LANE_GAP = 18;
const GUESS = 150;

/** Lays a flow out. `sizes` are measured heights by key; what is not measured yet is guessed. */
export function laidOut(doc: Json, flow: FlowName, sizes: ReadonlyMap<string, number>): Layout {
  const boxes: Box[] = [];
  const rooms: Room[] = [];
  const height = (key: string) => sizes.get(key) ?? GUESS;
  const add = (box: Partial<Box> & Pick<Box, "key" | "kind" | "x" | "y" | "width" | "height">) =>
    boxes.push({ card: undefined, lane: undefined, list: undefined, at: 0, before: undefined, ...box });

  const plus = (list: Path, at: number, x: number, y: number, before: Card | undefined) =>
    add({ key: `plus:${keyOf(list)}/${at}`, kind: "plus", x, y: y + 10, width: PLUS, height: PLUS, list, at, before });

  /** A row of cards, beside the head of its lane; gives its width and height. */
  const row = (cards: Card[], list: Path, x: number, y: number, head = { width: 0, height: 0 }): { width: number; height: number } => {
    const centres: number[] = [];
    let right = x;
    let bottom = y + 48;
    plus(list, 0, right, y, undefined);
    right += PLUS + (GAP - PLUS) / 2;
    for (const card of cards) {
      const size = card.lanes.length === 0 ? single(card, right, y) : frame(card, right, y);
      centres.push(right + size.width / 2);
      right += size.width + (GAP - PLUS) / 2;
      plus(list, card.at + 1, right, y, card);
      right += PLUS + (GAP - PLUS) / 2;
      bottom = Math.max(bottom, y + size.height);
    }
    rooms.push({ list, x: x - head.width, y, width: right - x + head.width, height: Math.max(bottom - y, head.height), centres });
    return { width: right - x, height: bottom - y };
  };

  const single = (card: Card, x: number, y: number) => {
    const key = keyOf(card.path);
    add({ key, kind: "card", x, y, width: CARD_WIDTH, height: height(key), card });
    return { width: CARD_WIDTH, height: height(key) };
  };

  const frame = (card: Card, x: number, y: number) => {
    const key = keyOf(card.path);
    const at = boxes.length;
    add({ key, kind: "card", x: x + PAD, y: y + PAD, width: CARD_WIDTH, height: height(key), card });
    const left = x + PAD + CARD_WIDTH + PAD;
    let top = y + PAD;
    let right = left;
    for (const lane of card.lanes) {
      const laneKey = `lane:${keyOf(lane.path)}`;
      const width = lane.own === undefined ? LANE_WIDTH : BRANCH_WIDTH;
      add({ key: laneKey, kind: "lane", x: left, y: top, width, height: height(laneKey), card, lane });
      const size = row(laneCards(doc, card, lane), lane.path, left + width + 12, top, { width: width + 12, height: height(laneKey) });
      right = Math.max(right, left + width + 12 + size.width);
      top += Math.max(size.height, height(laneKey)) + LANE_GAP;
    }
    const bottom = Math.max(top - LANE_GAP, y + PAD + height(key)) + PAD;
    const size = { width: right + PAD - x, height: bottom - y };
    boxes.splice(at, 0, { key: `frame:${key}`, kind: "frame", x, y, ...size, card, lane: undefined, list: undefined, at: 0, before: undefined });
    return size;
  };

  add({ key: "event", kind: "event", x: 16, y: 16, width: CARD_WIDTH, height: height("event") });
  const all = row(topCards(doc, flow), cardsPath(flow), 16 + CARD_WIDTH + (GAP - PLUS) / 2, 16);
  return {
    boxes,
    rooms,
    width: 16 + CARD_WIDTH + (GAP - PLUS) / 2 + all.width + 24,
    height: Math.max(height("event"), all.height) + 40,
  };
}

/** Where a card would go that was dropped there: the innermost row under the point, and the position in it. */
export function dropPlace(layout: Layout, x: number, y: number): { list: Path; at: number } | undefined {
  const under = layout.rooms.filter((room) => x >= room.x - 12 && x <= room.x + room.width + 40 && y >= room.y - 12 && y <= room.y + room.height + 24);
  const room = under.sort((a, b) => b.list.length - a.list.length)[0] ?? layout.rooms.find((room) => room.list.length === shortest(layout));
  if (room === undefined) return undefined;
  return { list: room.list, at: room.centres.filter((centre) => centre < x).length };
}

function shortest(layout: Layout): number {
  return Math.min(...layout.rooms.map((room) => room.list.length));
}

/** The flow of a layout's box, for the event. */
export function flowOfBox(box: Box): FlowName {
  return box.card === undefined ? null : flowOf(box.card.path);
}
