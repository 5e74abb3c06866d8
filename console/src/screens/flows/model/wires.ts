// The wires of a flow: from outputs to inputs, as the references say.
import { allCards, type Card, type FlowName, type Lane } from "./document";
import { type Json, keyOf, type Path } from "./json";
import { inputRows, laneRows } from "./pins";
import { parsed, referenceOf, referencesIn } from "./references";

/** A wire. */
export interface Wire {
  key: string;
  /** The box that it leaves, and which of its outputs. */
  from: string;
  output: string;
  to: string;
  input: string;
  path: Path;
  /** The input holds the reference among other things. */
  isInside: boolean;
}

/** All wires of a flow. References that lead nowhere are none; the check names them. */
export function wiresOf(doc: Json, flow: FlowName): Wire[] {
  const cards = allCards(doc, flow);
  const byId = new Map<string, Card>();
  for (const card of cards) if (card.id !== undefined && !byId.has(card.id)) byId.set(card.id, card);
  const wires: Wire[] = [];
  const add = (card: Card, to: string, rows: ReturnType<typeof inputRows>, lane?: Lane) => {
    for (const row of rows) {
      const isWhole = referenceOf(row.value) !== undefined;
      for (const [at, from] of referencesIn(row.value).entries()) {
        const start = startOf(from, card, byId, lane);
        if (start !== undefined) wires.push({ key: `${to}:${handleOf(row.path)}:${at}`, ...start, to, input: handleOf(row.path), path: row.path, isInside: !isWhole });
      }
    }
  };
  for (const card of cards) {
    add(card, keyOf(card.path), inputRows(doc, card));
    for (const lane of card.lanes) add(card, `lane:${keyOf(lane.path)}`, laneRows(doc, card, lane), lane);
  }
  return wires;
}

/** The handle of an input: its last two steps, which tell `inputs` from `values`. */
export function handleOf(path: Path): string {
  return path.slice(-2).map(String).join("/");
}

function startOf(from: string, card: Card, byId: ReadonlyMap<string, Card>, lane: Lane | undefined): { from: string; output: string } | undefined {
  const { source, output } = parsed(from);
  if (["item", "index", "key", "memo", "page"].includes(source)) return undefined;
  if (["monitor", "options", "inputs", "context"].includes(source)) return { from: "event", output: `${source}.${output ?? ""}` };
  if (source === "error") {
    for (let here: Card | undefined = card, inside = lane ?? card.inside; here !== undefined; here = here.parent, inside = here?.inside) {
      if (inside?.kind === "ifError") return { from: `lane:${keyOf(inside.path)}`, output: `error.${output ?? ""}` };
    }
    return undefined;
  }
  const start = byId.get(source);
  return start === undefined || output === undefined ? undefined : { from: keyOf(start.path), output };
}
