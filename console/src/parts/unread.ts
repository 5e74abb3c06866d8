// Texts that somebody typed and that cannot be read yet: kept until they can be, over every change of the view, so that
// nothing typed is lost and nothing is saved behind it.
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";

/** Such a text, and why it cannot be read. */
export interface Unread {
  text: string;
  problem: string;
}

const PREFIX = "turnstone.unread.";
const watchers = new Set<() => void>();
const held = new Map<string, Unread>();

function load(): void {
  for (const key of Object.keys(window.sessionStorage).filter((key) => key.startsWith(PREFIX))) {
    try {
      held.set(key.slice(PREFIX.length), JSON.parse(window.sessionStorage.getItem(key) ?? "") as Unread);
    } catch {
      window.sessionStorage.removeItem(key);
    }
  }
}
load();

function keep(place: string, next: Unread | undefined): void {
  if (next === undefined && !held.has(place)) return;
  try {
    if (next === undefined) window.sessionStorage.removeItem(PREFIX + place);
    else window.sessionStorage.setItem(PREFIX + place, JSON.stringify(next));
  } catch {
    // Without room the text is kept by the page alone.
  }
  if (next === undefined) held.delete(place);
  else held.set(place, next);
  for (const watcher of watchers) watcher();
}

const watch = (watcher: () => void) => {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
};

/** Names what the texts below belong to: a form, a connector, a flow. */
export const UnreadScope = createContext("");

/** The text of one place, if it cannot be read, and a way to keep or forget it. */
export function useUnread(name: string): [Unread | undefined, (next: Unread | undefined) => void] {
  const place = `${useContext(UnreadScope)} ${name}`;
  const found = useSyncExternalStore(watch, () => held.get(place));
  return [found, useCallback((next: Unread | undefined) => keep(place, next), [place])];
}

/** The names of what cannot be read in a scope. */
export function useUnreadOf(scope: string): string[] {
  const names = useSyncExternalStore(watch, () => [...held.keys()].filter((place) => place.startsWith(`${scope} `)).map((place) => place.slice(scope.length + 1)).join("\n"));
  return names === "" ? [] : names.split("\n");
}

/** Forgets what could not be read in a scope. */
export function forgetUnread(scope: string): void {
  for (const place of [...held.keys()].filter((place) => place.startsWith(`${scope} `))) keep(place, undefined);
}

/** Why nothing is saved. */
export function unreadSentence(names: readonly string[]): string {
  return `The code of ${names.join(", ")} cannot be read yet, so nothing is saved. Put it right, or take it back to what it was.`;
}
