// The stream of events: one connection for the whole page, shared by whoever looks.
//
// It goes on after the last position it saw, so that nothing is missed over a lost connection.
import { useEffect, useSyncExternalStore } from "react";

import { BASE } from "./client";
import type { components } from "./schema";

/** An event as the stream brings it. */
export type LiveEvent = components["schemas"]["FeedEvent"];

type Connection = "connecting" | "open" | "lost";
type Listener = (event: LiveEvent) => void;

const PAUSE_MS = 2_000;
const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
let source: EventSource | undefined;
let connection: Connection = "connecting";
let last: string | undefined;
let again: ReturnType<typeof setTimeout> | undefined;

function become(next: Connection): void {
  if (connection === next) return;
  connection = next;
  for (const watcher of watchers) watcher();
}

function open(): void {
  const after = last === undefined ? "" : `?after=${encodeURIComponent(last)}`;
  source = new EventSource(`${BASE}/events${after}`);
  source.onopen = () => become("open");
  source.addEventListener("event", (message) => {
    last = message.lastEventId;
    let event: LiveEvent;
    try {
      event = JSON.parse(message.data) as LiveEvent;
    } catch {
      return;
    }
    for (const listener of listeners) listener(event);
  });
  source.onerror = () => {
    become("lost");
    // The browser tries again by itself unless the answer was none of a stream.
    if (source?.readyState === EventSource.CLOSED) {
      again = setTimeout(open, PAUSE_MS);
    }
  };
}

/** Opens the stream, once somebody is signed in. */
export function startLive(): () => void {
  open();
  return () => {
    clearTimeout(again);
    source?.close();
    source = undefined;
    last = undefined;
    connection = "connecting";
  };
}

/** Calls for every event from now on, while the component is shown. */
export function useLiveEvents(listener: Listener): void {
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listener]);
}

/** How the stream is. */
export function useConnection(): Connection {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    () => connection,
  );
}
