// The one door to the API: typed by its own document, signed in by the browser's cookie.
//
// A change brings the session's change token, which `GET /session` told. Nothing here knows a screen.
import createClient, { type Middleware } from "openapi-fetch";

import { Failure } from "./failure";
import type { paths } from "./schema";

/** Base of every path of the API. */
export const BASE = "/elements/api-v2";

let changeToken: string | undefined;
let onSignedOut: () => void = () => {};

/** Keeps the token that changes need. */
export function keepChangeToken(token: string | null | undefined): void {
  changeToken = token ?? undefined;
}

/** The headers that a change brings, for requests that do not go through the client. */
export function changeHeaders(): Record<string, string> {
  return changeToken === undefined ? {} : { "X-Change-Token": changeToken };
}

/** Says what happens when the session has ended. */
export function whenSignedOut(call: () => void): void {
  onSignedOut = call;
}

let isHeld = false;

/** Stays on the page although the session has ended: something on it is shown only now. Gives a way to let go. */
export function stayHere(): () => void {
  isHeld = true;
  return () => {
    isHeld = false;
  };
}

/** Whether somebody stays although the session has ended. */
export function isStaying(): boolean {
  return isHeld;
}

const credentials: Middleware = {
  onRequest({ request }) {
    if (changeToken !== undefined && !["GET", "HEAD"].includes(request.method)) {
      request.headers.set("X-Change-Token", changeToken);
    }
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== `${BASE}/session` && !isHeld) onSignedOut();
    return undefined;
  },
};

/** The typed client. Its answers are `{data, error, response}`; [`told`] makes a value or a failure of them. */
export const api = createClient<paths>({ baseUrl: "/", credentials: "same-origin" });
api.use(credentials);

/** What came of a call: its data, or a thrown [`Failure`]. */
export async function told<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await reached(call);
  if (!response.ok) throw new Failure(response.status, error as ConstructorParameters<typeof Failure>[1]);
  return data as T;
}

/** One page of a list: its entries, and what the next page is asked for with. */
export interface Page<T> {
  entries: T[];
  next: string | undefined;
  total: number | undefined;
}

/** What came of a call for a page. */
export async function page<T>(call: Promise<{ data?: T[]; error?: unknown; response: Response }>): Promise<Page<T>> {
  const { data, error, response } = await reached(call);
  if (!response.ok) throw new Failure(response.status, error as ConstructorParameters<typeof Failure>[1]);
  const total = response.headers.get("Elements-Total-Count");
  return {
    entries: data ?? [],
    next: response.headers.get("Elements-Next-Page-Token") ?? undefined,
    total: total === null ? undefined : Number(total),
  };
}

async function reached<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : new Failure(0, undefined);
  }
}
