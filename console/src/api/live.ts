// The stream of events: one connection for the whole page, shared by whoever looks.
//
// It goes on after the last position it saw, so that nothing is missed over a lost connection. A tab that nobody sees
// has none: browsers allow six connections to a server, and tabs in the background would take them all.
import { useEffect, useSyncExternalStore } from "react";

import { BASE } from "./client";
import type { components } from "./schema";

/** An event as the stream brings it. */
export type LiveEvent = components["schemas"]["FeedEvent"];

type Connection = "connecting" | "open" | "lost";
type Listener = (event: LiveEvent) => void;

const PAUSE_MS = 2_000;
/** How long a list waits for the stream's start before it is read without it, in milliseconds. */
const START_MS = 1_000;
const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
const waiting = new Set<() => void>();
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
  const opened = new EventSource(`${BASE}/events${after}`);
  source = opened;
  opened.onopen = () => become("open");
  opened.addEventListener("start", (message) => {
    last = message.lastEventId;
    for (const resolve of waiting) resolve();
    waiting.clear();
    look();
  });
  opened.addEventListener("event", (message) => {
    last = message.lastEventId;
    let event: LiveEvent;
    try {
      event = JSON.parse(message.data) as LiveEvent;
    } catch {
      return;
    }
    for (const listener of listeners) listener(event);
  });
  opened.onerror = () => {
    become("lost");
    // The browser tries again by itself unless the answer was none of a stream.
    if (opened.readyState === EventSource.CLOSED) {
      clearTimeout(again);
      again = setTimeout(open, PAUSE_MS);
    }
  };
}

function close(): void {
  clearTimeout(again);
  source?.close();
  source = undefined;
  become("connecting");
}

/** Opens or closes the stream as the tab is seen or not; before it is known where the stream begins it stays. */
function look(): void {
  if (!document.hidden) {
    if (source === undefined) open();
  } else if (last !== undefined) {
    close();
  }
}

/** Opens the stream, once somebody is signed in. */
export function startLive(): () => void {
  open();
  document.addEventListener("visibilitychange", look);
  return () => {
    document.removeEventListener("visibilitychange", look);
    close();
    last = undefined;
  };
}

/** Resolves once it is known where the stream begins: what a list that is read then does not have, the stream brings. */
export function started(): Promise<void> {
  if (last !== undefined) return Promise.resolve();
  return new Promise((resolve) => {
    waiting.add(resolve);
    setTimeout(resolve, START_MS);
  });
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
