// References of inputs: `{from: card.output.path}`, also inside lists and objects.
import { everyCard, type FlowName, flowOf, isFieldName } from "./document";
import { get, isMembers, type Json, made, type Members, type Path, set } from "./json";

/** A reference, taken apart. */
export interface Reference {
  source: string;
  output: string | undefined;
  /** What follows the output. */
  rest: string[];
}

/** A text of a reference, taken apart. */
export function parsed(from: string): Reference {
  const [source = "", output, ...rest] = from.split(".");
  return { source, output, rest };
}

/** The reference that an input is, if it is one and nothing around it. */
export function referenceOf(value: Json | undefined): string | undefined {
  return isMembers(value) && typeof value["from"] === "string" ? value["from"] : undefined;
}

/** All references in an input. */
export function referencesIn(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isMembers(value)) return [];
  if (Object.hasOwn(value, "from")) return typeof value["from"] === "string" ? [value["from"]] : [];
  if (Object.hasOwn(value, "literal")) return [];
  return Object.values(value).flatMap(referencesIn);
}

/** The input with every reference as `change` says; `undefined` leaves it. */
export function mapped(value: Json, change: (from: string) => string | undefined): Json {
  if (Array.isArray(value)) {
    const next = value.map((item) => mapped(item, change));
    return next.some((item, at) => item !== value[at]) ? next : value;
  }
  if (!isMembers(value)) return value;
  if (Object.hasOwn(value, "from")) {
    const from = value["from"];
    const next = typeof from === "string" ? change(from) : undefined;
    return next === undefined || next === from ? value : { ...value, from: next };
  }
  if (Object.hasOwn(value, "literal")) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, mapped(item, change)] as const);
  return entries.some(([key, item]) => item !== value[key]) ? made(entries) : value;
}

/** Where inputs stand in a card. */
function inputPlaces(card: Members): Path[] {
  const places: Path[] = [["inputs"], ["values"], ["onError", "then", "return"], ["onError", "then", "values"]];
  const branches = Array.isArray(card["branches"]) ? card["branches"].map((_, at): Path => ["branches", at, "inputs"]) : [];
  return [...places, ...branches];
}

/** The document with the references of a flow as `change` says. */
export function mapFlow(doc: Json, flow: FlowName, change: (from: string) => string | undefined): Json {
  let next = doc;
  for (const card of everyCard(doc)) {
    if (flowOf(card.path) !== flow) continue;
    for (const place of inputPlaces(card.value)) {
      const path = [...card.path, ...place];
      const inputs = get(next, path);
      if (!isMembers(inputs)) continue;
      const entries = Object.entries(inputs).map(([key, value]) => [key, mapped(value, change)] as const);
      if (entries.some(([key, value]) => value !== inputs[key])) next = set(next, path, made(entries));
    }
  }
  return next;
}

/** The document in which references of a flow to one source, or one output of it, bear another name. */
export function renameReferences(doc: Json, flow: FlowName, from: { source: string; output?: string }, to: string): Json {
  return mapFlow(doc, flow, (reference) => {
    const { source, output, rest } = parsed(reference);
    if (source !== from.source) return undefined;
    if (from.output === undefined) return [to, output, ...rest].filter((part) => part !== undefined).join(".");
    return output === from.output ? [source, to, ...rest].join(".") : undefined;
  });
}

/** A reference to an output, with a path into it. */
export function reference(source: string, output: string, path = ""): string {
  return path === "" ? `${source}.${output}` : `${source}.${output}.${path}`;
}

/** Whether a name can be referred to. */
export function canBeReferred(name: string): boolean {
  return isFieldName(name);
}
