// The door to what tries something out and keeps nothing: rehearsals, checks, suggestions, hooks on a sample.
import { api, BASE, told } from "./client";
import type { components } from "./schema";

/** Any JSON object. */
export type Members = Record<string, unknown>;

type Schemas = components["schemas"];

/** What a first poll of one resource would do. */
export type Explained = Schemas["ExplainedResource"];
/** One record of a rehearsal. */
export type SampleRecord = NonNullable<Explained["explanation"]>["sample"][number];
/** A date of a sample record: as it is written, and the instant that it means. */
export type SampleDate = NonNullable<SampleRecord["dates"]["updated"]>;
/** What a sample answer suggests. */
export type Suggestion = Schemas["Suggested"];
/** One proposed setting with its evidence. */
export type Proposal = Suggestion["proposals"][number];
/** What came of a hook on a sample. */
export type HookTried = Schemas["TriedHook"];

/** Rehearses the first poll of an instance that is not saved. */
export function explainInstance(body: Schemas["ToExplain"], signal?: AbortSignal): Promise<Explained[]> {
  return told(api.POST(`${BASE}/instances/explain`, { body, signal }));
}

/** Rehearses the first poll of a connector under edit, with the configuration of a trial account. */
export function explainConnector(key: string, body: Schemas["ElementToExplain"], signal?: AbortSignal): Promise<Explained[]> {
  return told(api.POST(`${BASE}/elements/{keyOrId}/explain`, { params: { path: { keyOrId: key } }, body, signal }));
}

/** Proposes a resource from one sample answer. */
export function suggest(body: Omit<Schemas["ToSuggest"], "sample"> & { sample?: unknown }): Promise<Suggestion> {
  return told(api.POST(`${BASE}/suggest`, { body: { sample: undefined, ...body } }));
}

/** Runs a hook on an input. */
export function tryHook(body: Omit<Schemas["ToTry"], "input"> & { input: unknown }): Promise<HookTried> {
  return told(api.POST(`${BASE}/hooks/test`, { body: { ...body, input: body.input as Schemas["ToTry"]["input"] } }));
}
