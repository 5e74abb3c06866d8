// Routes that the screens for watching need and the committed document does not list yet: their shapes, and a function
// for each. Once the document has them, its own types take the place of these.
import type { Client } from "openapi-fetch";

import { api, BASE, type Page, page, told } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];

/** A poller in a list of the organisation's. */
export type PollerEntry = Schemas["Poller"] & { instanceName: string; elementKey: string; subscriptionId?: number | null; monitorId?: number | null };
/** A run in a list of the organisation's. */
export type RunEntry = Schemas["Run"] & { instanceId?: number | null; instanceName?: string | null; resource?: string | null; subscriptionId?: number | null };
/** A decision, with the event that came of it. */
export type Decision = Schemas["Decision"] & { eventId?: string | null };
/** A run with its decisions and where it belongs. */
export type RunDetail = RunEntry & { decisions: Decision[] };
/** An entry of the log; what the record was before and its deliveries are told where one entry is asked for. */
export type LogEntry = Schemas["LogEntry"] & { before?: unknown; deliveries?: number[] };
/** Where notifications go, and how that is. */
export interface Endpoint {
  id: number;
  instanceId: number;
  instanceName: string;
  subscriptionId?: number | null;
  kind: string;
  url?: string | null;
  state: string;
  reason: string;
  position: number;
  behind: boolean;
  acceptedAt?: string | null;
  open: { retry: number; dead: number; queued: number };
}
/** A try, with what was sent as far as it is known. */
export type Attempt = Schemas["Attempt"] & { request?: { url?: string; headers?: Record<string, string> | string[][]; body?: unknown } | null };
/** A delivery with its tries. */
export type DeliveryDetail = Schemas["Delivery"] & { attempts: Attempt[]; notification?: unknown };
/** The home screen in one answer. */
export interface Overview {
  instances: { total: number; enabled: number; failing: number };
  pollers: { total: number; ok: number; failing: number; paused: number; starting: number };
  subscriptions: { total: number; active: number };
  endpoints: { total: number; active: number; deactivated: number; disabled: number };
  deliveries: { retry: number; dead: number; queued: number };
  connectors: number;
  failingPollers: PollerEntry[];
  failingEndpoints: Endpoint[];
  since: string;
}
/** Where a poller stands; the watermark is a date, or a number where the provider counts. */
export interface PollerCursor {
  watermark?: number | null;
  watermarkDate?: string | null;
  completeTo?: string | null;
  counts: boolean;
}
/** A cursor of a poller that somebody replaced. */
export interface FormerPollerCursor {
  id: number;
  watermark?: number | null;
  watermarkDate?: string | null;
  replacedAt: string;
}
/** Where to move a cursor. */
export type CursorTarget = { date: string } | { watermark: number } | { to: number };
/** What a rewind would do. */
export interface RewindPreview {
  from: PollerCursor;
  to: PollerCursor;
  explanation: Schemas["Explanation"];
  events: { created: number; updated: number; deleted: number };
  records: number;
  pages: number;
  more: boolean;
}
/** Everything about one record of a poller. */
export interface RecordAnswer {
  pollerId: number;
  instanceId: number;
  resource: string;
  objectId: string;
  known: boolean;
  versions: { compared?: number | null; comparedDate?: string | null; state: string }[];
  lastSeen?: string | null;
  deletedAt?: string | null;
  sightings: { run: Pick<Schemas["Run"], "id" | "kind" | "startedAt" | "outcome" | "window">; decision: Decision; eventId?: string | null }[];
  events: LogEntry[];
  deliveries: (Schemas["Delivery"] & { attempts: number })[];
  runsWithout: { count: number; since?: string | null; runs?: string[] };
  sentence: string;
}

type Get<T, Query = Record<never, never>, Path = Record<never, never>> = {
  get: { parameters: { query?: Query; path: Path }; responses: { 200: { content: { "application/json": T } } } };
};
type Base = typeof BASE;
type Paging = { pageSize?: number; nextPage?: string };
type LogQuery = Paging & { objectType?: string; objectId?: string; eventType?: string; from?: string; to?: string; order?: string };
type Paths = {
  [P in `${Base}/overview`]: Get<Overview>;
} & {
  [P in `${Base}/pollers`]: Get<PollerEntry[], Paging & { status?: string; instanceId?: number }>;
} & {
  [P in `${Base}/runs`]: Get<RunEntry[], { pollerId?: number; instanceId?: number; outcome?: string; before?: string; pageSize?: number }>;
} & {
  [P in `${Base}/runs/{id}`]: Get<RunDetail, { objectId?: string }, { id: string }>;
} & {
  [P in `${Base}/records/{poller}/{id}`]: Get<RecordAnswer, Record<never, never>, { poller: number; id: string }>;
} & {
  [P in `${Base}/instances/events` | `${Base}/instances/{id}/events`]: Get<LogEntry[], LogQuery, P extends `${string}{id}${string}` ? { id: number } : Record<never, never>>;
} & {
  [P in `${Base}/instances/events/{event}`]: Get<LogEntry, Record<never, never>, { event: string }>;
} & {
  [P in `${Base}/endpoints`]: Get<Endpoint[], Paging>;
} & {
  [P in `${Base}/instances`]: Get<Schemas["Instance"][], Paging & { search?: string; "tags[]"?: string[]; hydrate?: boolean }>;
} & {
  [P in `${Base}/instances/{id}/pollers/{resource}/cursors`]: Get<FormerPollerCursor[], Paging, { id: number; resource: string }>;
} & {
  [P in `${Base}/instances/{id}/pollers/{resource}/cursor`]: {
    put: { parameters: { path: { id: number; resource: string } }; requestBody: { content: { "application/json": CursorTarget } }; responses: { 200: { content: { "application/json": PollerCursor } } } };
  };
} & {
  [P in `${Base}/instances/{id}/pollers/{resource}/rewind`]: {
    post: {
      parameters: { path: { id: number; resource: string }; query: { preview: boolean } };
      requestBody: { content: { "application/json": CursorTarget } };
      responses: { 200: { content: { "application/json": RewindPreview } } };
    };
  };
} & {
  [P in `${Base}/deliveries`]: Get<Schemas["Delivery"][], { instanceId?: number; endpointId?: number; status?: string; eventId?: string; since?: string; before?: string; pageSize?: number }>;
} & {
  [P in `${Base}/deliveries/{id}`]: Get<DeliveryDetail, Record<never, never>, { id: number }>;
} & {
  [P in `${Base}/deliveries/redeliver`]: {
    post: { parameters: object; requestBody: { content: { "application/json": { where: string; since?: string } } }; responses: { 200: { content: { "application/json": { released: number } } } } };
  };
} & {
  [P in `${Base}/endpoints/{id}/active`]: Record<"put" | "delete", { parameters: { path: { id: number } }; responses: { 200: { content: { "application/json": Endpoint } } } }>;
};

const coming = api as unknown as Client<Paths>;

/** How everything is. */
export const overview = (): Promise<Overview> => told(coming.GET(`${BASE}/overview`, { params: { path: {} } }));

/** Pollers of the organisation, those that need somebody first. */
export const pollers = (query: Paging & { status?: string; instanceId?: number }): Promise<Page<PollerEntry>> => page(coming.GET(`${BASE}/pollers`, { params: { query, path: {} } }));

/** Runs, newest first; the next page is asked for with `before`. */
export const runs = (query: { pollerId?: number; instanceId?: number; outcome?: string; before?: string; pageSize?: number }): Promise<Page<RunEntry>> =>
  page(coming.GET(`${BASE}/runs`, { params: { query, path: {} } }));

/** One run; with `objectId` only what was decided about that record. */
export const run = (id: string, objectId?: string): Promise<RunDetail> => told(coming.GET(`${BASE}/runs/{id}`, { params: { path: { id }, query: objectId === undefined ? {} : { objectId } } }));

/** What is known of a record. */
export const record = (poller: number, id: string): Promise<RecordAnswer> => told(coming.GET(`${BASE}/records/{poller}/{id}`, { params: { path: { poller, id } } }));

/** The log, newest first. */
export const eventLog = (query: LogQuery, instance?: number): Promise<Page<LogEntry>> =>
  page(
    instance === undefined
      ? coming.GET(`${BASE}/instances/events`, { params: { query, path: {} } })
      : coming.GET(`${BASE}/instances/{id}/events`, { params: { query, path: { id: instance } } }),
  );

/** One entry of it. */
export const event = (id: string): Promise<LogEntry> => told(coming.GET(`${BASE}/instances/events/{event}`, { params: { path: { event: id } } }));

/** Endpoints, those that take nothing first. */
export const endpoints = (query: Paging): Promise<Page<Endpoint>> => page(coming.GET(`${BASE}/endpoints`, { params: { query, path: {} } }));

/** Switches an endpoint on or off. */
export const switchEndpoint = (id: number, on: boolean): Promise<Endpoint> =>
  told(on ? coming.PUT(`${BASE}/endpoints/{id}/active`, { params: { path: { id } } }) : coming.DELETE(`${BASE}/endpoints/{id}/active`, { params: { path: { id } } }));

/** Instances, a page of them; `search` is a part of the name. */
export const instances = (query: Paging & { search?: string; tag?: string }): Promise<Page<Schemas["Instance"]>> => {
  const { tag, ...rest } = query;
  return page(coming.GET(`${BASE}/instances`, { params: { query: { ...rest, hydrate: false, ...(tag ? { "tags[]": [tag] } : {}) }, path: {} } }));
};

/** The cursors that a poller had, newest first. */
export const cursors = (id: number, resource: string): Promise<FormerPollerCursor[]> =>
  told(coming.GET(`${BASE}/instances/{id}/pollers/{resource}/cursors`, { params: { path: { id, resource }, query: { pageSize: 50 } } }));

/** Moves a cursor and does no more. */
export const moveCursor = (id: number, resource: string, body: CursorTarget): Promise<unknown> =>
  told(coming.PUT(`${BASE}/instances/{id}/pollers/{resource}/cursor`, { params: { path: { id, resource } }, body }));

/** What a rewind would do; nothing is written. */
export const previewRewind = (id: number, resource: string, body: CursorTarget): Promise<RewindPreview> =>
  told(coming.POST(`${BASE}/instances/{id}/pollers/{resource}/rewind`, { params: { path: { id, resource }, query: { preview: true } }, body }));

/** Moves the cursor back and polls. */
export const rewind = (id: number, resource: string, body: CursorTarget): Promise<unknown> =>
  told(coming.POST(`${BASE}/instances/{id}/pollers/{resource}/rewind`, { params: { path: { id, resource }, query: { preview: false } }, body }));

/** Deliveries, newest first; the next page is asked for with `before`. */
export const deliveries = (query: { instanceId?: number; endpointId?: number; status?: string; eventId?: string; since?: string; before?: string; pageSize?: number }): Promise<Page<Schemas["Delivery"]>> =>
  page(coming.GET(`${BASE}/deliveries`, { params: { query, path: {} } }));

/** One delivery with its tries. */
export const delivery = (id: number): Promise<DeliveryDetail> => told(coming.GET(`${BASE}/deliveries/{id}`, { params: { path: { id } } }));

/** Sends again what a search finds. */
export const redeliverWhere = (where: string, since: string | undefined): Promise<{ released: number }> =>
  told(coming.POST(`${BASE}/deliveries/redeliver`, { params: {}, body: since === undefined ? { where } : { where, since } }));
