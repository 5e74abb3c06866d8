// The door to what tries something out and keeps nothing: rehearsals, checks, suggestions, hooks on a sample.
import { api, BASE, told } from "./client";
import type { Fault } from "./failure";
import type { components } from "./schema";

/** Any JSON object. */
export type Members = Record<string, unknown>;

/** A date of a sample record: as it is written, and the instant that it means. */
export interface SampleDate {
  raw: unknown;
  understood: string | null;
  fault: string | null;
}

/** One record of a rehearsal. */
export interface SampleRecord {
  id: string | null;
  dates: { updated: SampleDate | null; created: SampleDate | null };
  verdict: string | null;
  ignored: string | null;
  reason: string;
  record: unknown;
}

/** What a first poll of one resource would do. */
export interface Explained {
  resource: string;
  faults?: Fault[];
  explanation: (components["schemas"]["Explanation"] & { sample: SampleRecord[] }) | null;
}

/** One proposed setting with its evidence. */
export interface Proposal {
  setting: string;
  value: unknown;
  evidence: string;
  confidence: number;
  alternatives: { value: unknown; evidence: string }[];
}

/** What a sample answer suggests. */
export interface Suggestion {
  name?: string;
  resource: Members;
  proposals: Proposal[];
  warnings: string[];
  sampleRecords: number;
}

/** What came of a hook on a sample. */
export interface HookTried {
  ok: boolean;
  result?: unknown;
  fault?: { code: string; message: string; line?: number | null } | null;
  log?: unknown[];
  logDropped?: number;
  tookMs?: number;
}

/** What is said about a document that is kept nowhere. */
export interface Judged {
  faults: Fault[];
  warnings: Fault[];
  repairs: Fault[];
}

type Post = (path: string, init: { body: unknown; signal?: AbortSignal; params?: unknown }) => Promise<{ data?: never; error?: unknown; response: Response }>;

function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return told<T>((api.POST as unknown as Post)(`${BASE}${path}`, signal === undefined ? { body } : { body, signal }));
}

/** Rehearses the first poll of an instance that is not saved. */
export function explainInstance(body: { instance: Members; instanceId?: number; resource?: string; pages?: number; startFrom?: string }, signal?: AbortSignal): Promise<Explained[]> {
  return post("/instances/explain", body, signal);
}

/** Rehearses the first poll of a connector under edit, with the configuration of a trial account. */
export function explainConnector(
  key: string,
  body: { element?: unknown; configuration?: Members; resource?: string; pages?: number; startFrom?: string },
  signal?: AbortSignal,
): Promise<Explained[]> {
  return post(`/elements/${encodeURIComponent(key)}/explain`, body, signal);
}

/** Proposes a resource from one sample answer. */
export function suggest(body: { url?: string; headers?: Record<string, string>; sample?: unknown }): Promise<Suggestion> {
  return post("/suggest", body);
}

/** Runs a hook on an input. */
export function tryHook(body: { type: string; script: string; input: unknown; legacy?: boolean }): Promise<HookTried> {
  return post("/hooks/test", body);
}
