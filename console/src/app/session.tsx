// Who is signed in, and what they may do.
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect } from "react";

import { api, BASE, isStaying, keepChangeToken, told, whenSignedOut } from "../api/client";
import { Failure } from "../api/failure";
import { startLive } from "../api/live";
import type { components } from "../api/schema";

/** A person in a browser. */
export type Session = components["schemas"]["Session"];
/** What a person may do, each including those before it. */
export type Role = Session["role"];

const ORDER: Role[] = ["reader", "member", "admin", "owner"];
const Context = createContext<Session | undefined>(undefined);
/** Under which the session is kept. */
export const SESSION_KEY = ["session"] as const;

/** Forgets every answer but who is signed in: another person sees nothing of them. */
export function forgetOthers(client: QueryClient): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION_KEY[0] });
}

/** Reads the session from the server, and keeps its change token. */
export async function readSession(): Promise<Session | null> {
  try {
    const session = await told(api.GET(`${BASE}/session`));
    keepChangeToken(session.changeToken);
    return session;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.status === 401 && !isStaying()) return null;
    throw thrown;
  }
}

/** Shows its children to who is signed in, and `otherwise` to everybody else. */
export function SessionGate(props: { children: ReactNode; otherwise: ReactNode; waiting: (error: Error | null) => ReactNode }) {
  const client = useQueryClient();
  const { data, error } = useQuery({ queryKey: SESSION_KEY, queryFn: readSession, staleTime: 5 * 60_000 });
  const isIn = data !== undefined && data !== null;
  useEffect(() => whenSignedOut(() => client.setQueryData(SESSION_KEY, null)), [client]);
  useEffect(() => (isIn ? startLive() : undefined), [isIn]);
  if (data === undefined) return props.waiting(error);
  if (data === null) return props.otherwise;
  return <Context value={data}>{props.children}</Context>;
}

/** Who is signed in. */
export function useSession(): Session {
  const session = useContext(Context);
  if (session === undefined) throw new Error("no session around this component");
  return session;
}

/** Whether who is signed in has at least this role. */
export function useMay(role: Role): boolean {
  return ORDER.indexOf(useSession().role) >= ORDER.indexOf(role);
}
