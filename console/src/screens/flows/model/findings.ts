// Which fault belongs to which card, and which values of a run.
import { everyCard, helperNames, memberPlace, type Card } from "./document";
import { type Json } from "./json";
import { inputRows, laneRows } from "./pins";

/** A fault or a warning as the API names it. */
export interface Finding {
  path: string;
  problem: string;
  remedy: string;
}

/** Findings by the place where they are shown. */
export interface Shown<T extends Finding> {
  /** By the place of an input that the canvas shows. */
  inputs: Map<string, T[]>;
  /** By the place of a card, what stands at none of its inputs. */
  cards: Map<string, T[]>;
  /** By helper flow. */
  flows: Map<string, T[]>;
  /** Of the document: name, options, outputs, record. */
  rest: T[];
}

/** Sorts findings to cards and inputs; each is shown exactly once, and none is lost. */
export function sorted<T extends Finding>(doc: Json, findings: readonly T[]): Shown<T> {
  const cards = everyCard(doc);
  const inputs = new Set<string>(cards.flatMap((card) => rowPlaces(doc, card)));
  const places = new Set(cards.map((card) => card.place));
  const flows = new Map(helperNames(doc).map((name) => [memberPlace("flows", name), name] as const));
  const shown: Shown<T> = { inputs: new Map(), cards: new Map(), flows: new Map(), rest: [] };
  for (const finding of findings) {
    const input = longest(finding.path, inputs);
    const card = longest(finding.path, places);
    const flow = longest(finding.path, new Set(flows.keys()));
    if (input !== undefined) push(shown.inputs, input, finding);
    else if (card !== undefined) push(shown.cards, card, finding);
    else if (flow !== undefined) push(shown.flows, flows.get(flow) ?? "", finding);
    else shown.rest.push(finding);
  }
  return shown;
}

function rowPlaces(doc: Json, card: Card): string[] {
  return [...inputRows(doc, card), ...card.lanes.flatMap((lane) => laneRows(doc, card, lane))].map((row) => row.place);
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}

/** The longest of the places that a path is, or lies below. */
function longest(path: string, places: ReadonlySet<string>): string | undefined {
  for (let end = path.length; end > 0; end = Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1))) {
    const place = path.slice(0, end);
    if (places.has(place)) return place;
  }
  return undefined;
}

/** One card of a run, as the API tells it. */
export interface Step {
  flow?: string;
  card?: string;
  place?: string;
  kind?: string;
  index?: number | null;
  startedAt?: string | null;
  finishedAt?: string | null;
  inputs?: unknown;
  outputs?: unknown;
  error?: string | null;
  raw?: string | null;
}

/** The steps of a run by the place of their card. */
export function byPlace(steps: readonly Step[]): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  for (const step of steps) push(found, step.place ?? "", step);
  return found;
}

/** How long a step took, in milliseconds; nothing where it is not known. */
export function tookMs(step: Step): number | undefined {
  if (!step.startedAt || !step.finishedAt) return undefined;
  const took = Date.parse(step.finishedAt) - Date.parse(step.startedAt);
  return Number.isNaN(took) ? undefined : took;
}
