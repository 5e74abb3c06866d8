// What the screens for watching ask for: a function for each question, with the shapes of the API's own document.
import { api, BASE, type Page, page, told } from "./client";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
type Queried<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Query } } } ? NonNullable<Query> : never;
/** A list's query; places in it are the texts that the answer before said. */
type Listed<P extends keyof paths> = Omit<Queried<P>, "nextPage" | "before"> & { nextPage?: string; before?: string };

/** A poller in a list of the organisation's. */
export type PollerEntry = Schemas["PollerOfAll"];
/** A run in a list of the organisation's. */
export type RunEntry = Schemas["RunOfAll"];
/** A decision, with the event that came of it. */
export type Decision = Schemas["Decision"];
/** A run with its decisions and where it belongs. */
export type RunDetail = Schemas["RunWithDecisions"];
/** An entry of the log; what the record was before and its deliveries are told where one entry is asked for. */
export type LogEntry = Schemas["LogEntry"] & Partial<Schemas["LogEntryWithMore"]>;
/** Where notifications go, and how that is. */
export type Endpoint = Schemas["Endpoint"];
/** A try. */
export type Attempt = Schemas["Attempt"];
/** A delivery with its tries. */
export type DeliveryDetail = Schemas["DeliveryWithAttempts"];
/** The home screen in one answer. */
export type Overview = Schemas["Overview"];
/** Where a poller stands; the watermark is a date, or a number where the provider counts. */
export type PollerCursor = Schemas["PollerCursor"];
/** A cursor of a poller that somebody replaced. */
export type FormerPollerCursor = Schemas["FormerPollerCursor"];
/** Where to move a cursor. */
export type CursorTarget = { date: string } | { watermark: number } | { to: number };
/** What a rewind would do. */
export type RewindPreview = Schemas["RewindPreview"];
/** Everything about one record of a poller. */
export type RecordAnswer = Schemas["RecordAnswer"];

/** A place in a list as the API takes it; places of runs are ids and stay texts. */
const place = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

/** How everything is. */
export const overview = (): Promise<Overview> => told(api.GET(`${BASE}/overview`));

/** Pollers of the organisation, those that need somebody first. */
export const pollers = (query: Listed<`${typeof BASE}/pollers`>): Promise<Page<PollerEntry>> => page(api.GET(`${BASE}/pollers`, { params: { query: { ...query, nextPage: place(query.nextPage) } } }));

/** Runs, newest first; the next page is asked for with `before`. */
export const runs = (query: Queried<`${typeof BASE}/runs`>): Promise<Page<RunEntry>> => page(api.GET(`${BASE}/runs`, { params: { query } }));

/** One run; with `objectId` only what was decided about that record. */
export const run = (id: string, objectId?: string): Promise<RunDetail> => told(api.GET(`${BASE}/runs/{id}`, { params: { path: { id }, query: objectId === undefined ? {} : { objectId } } }));

/** What is known of a record. */
export const record = (poller: number, id: string): Promise<RecordAnswer> => told(api.GET(`${BASE}/records/{poller}/{id}`, { params: { path: { poller, id } } }));

/** The log, newest first. */
export const eventLog = (asked: Listed<`${typeof BASE}/instances/events`>, instance?: number): Promise<Page<LogEntry>> => {
  const query = { ...asked, nextPage: place(asked.nextPage), before: place(asked.before) };
  return page(
    instance === undefined ? api.GET(`${BASE}/instances/events`, { params: { query } }) : api.GET(`${BASE}/instances/{id}/events`, { params: { query, path: { id: instance } } }),
  );
};

/** One entry of it. */
export const event = (id: string): Promise<LogEntry> => told(api.GET(`${BASE}/instances/events/{event}`, { params: { path: { event: id } } }));

/** Endpoints, those that take nothing first. */
export const endpoints = (query: Listed<`${typeof BASE}/endpoints`>): Promise<Page<Endpoint>> => page(api.GET(`${BASE}/endpoints`, { params: { query: { pageSize: query.pageSize, nextPage: place(query.nextPage) } } }));

/** Switches an endpoint on or off. */
export const switchEndpoint = (id: number, on: boolean): Promise<Endpoint> =>
  told(on ? api.PUT(`${BASE}/endpoints/{id}/active`, { params: { path: { id } } }) : api.DELETE(`${BASE}/endpoints/{id}/active`, { params: { path: { id } } }));

/** Instances, a page of them; `search` is a part of the name. */
export const instances = (query: { pageSize?: number; nextPage?: string; search?: string; tag?: string }): Promise<Page<Schemas["Instance"]>> => {
  const { tag, nextPage, ...rest } = query;
  const asked = { ...rest, nextPage: place(nextPage), hydrate: false, ...(tag ? { "tags[]": [tag] } : {}) };
  // Without an Element token the answer is a list.
  return page(api.GET(`${BASE}/instances`, { params: { query: asked } }) as Promise<{ data?: Schemas["Instance"][]; error?: unknown; response: Response }>);
};

/** The cursors that a poller had, newest first. */
export const cursors = (id: number, resource: string): Promise<FormerPollerCursor[]> =>
  told(api.GET(`${BASE}/instances/{id}/pollers/{resource}/cursors`, { params: { path: { id, resource }, query: { pageSize: 50 } } }));

/** Moves a cursor and does no more. */
export const moveCursor = (id: number, resource: string, body: CursorTarget): Promise<unknown> =>
  told(api.PUT(`${BASE}/instances/{id}/pollers/{resource}/cursor`, { params: { path: { id, resource } }, body }));

/** What a rewind would do; nothing is written. */
export const previewRewind = (id: number, resource: string, body: CursorTarget): Promise<RewindPreview> =>
  // A preview is answered with 200, a rewind with 202 and the poller.
  told(api.POST(`${BASE}/instances/{id}/pollers/{resource}/rewind`, { params: { path: { id, resource }, query: { preview: true } }, body })) as Promise<RewindPreview>;

/** Moves the cursor back and polls. */
export const rewind = (id: number, resource: string, body: CursorTarget): Promise<unknown> =>
  told(api.POST(`${BASE}/instances/{id}/pollers/{resource}/rewind`, { params: { path: { id, resource } }, body }));

/** Deliveries, newest first; the next page is asked for with `before`. */
export const deliveries = (query: Listed<`${typeof BASE}/deliveries`>): Promise<Page<Schemas["Delivery"]>> =>
  page(api.GET(`${BASE}/deliveries`, { params: { query: { ...query, nextPage: place(query.nextPage), before: place(query.before) } } }));

/** One delivery with its tries. */
export const delivery = (id: number): Promise<DeliveryDetail> => told(api.GET(`${BASE}/deliveries/{id}`, { params: { path: { id } } }));

/** Sends again what a search finds. */
export const redeliverWhere = (where: string, since: string | undefined): Promise<Schemas["Released"]> =>
  told(api.POST(`${BASE}/deliveries/redeliver`, { body: since === undefined ? { where } : { where, since } }));

/** Deliveries that a search finds, oldest first; at most [`FOUND_MAX`] of them. */
export const findDeliveries = (where: string): Promise<Schemas["Delivery"][]> => told(api.GET(`${BASE}/notifications/subscriptions/deliveries`, { params: { query: { where } } }));
/** How many a search finds at most. */
export const FOUND_MAX = 200;
