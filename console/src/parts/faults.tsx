// How faults find their fields: a field asks for its place, and what nobody asks for stands above the form.
import { Alert } from "@mantine/core";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from "react";

import { type Fault, sentence } from "../api/failure";

class Book {
  readonly faults: readonly Fault[];
  private readonly claimed = new Map<Fault, number>();
  private readonly watchers = new Set<() => void>();
  private left: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    this.faults = faults;
    this.left = faults;
  }

  claim(found: readonly Fault[], by: 1 | -1): void {
    for (const fault of found) this.claimed.set(fault, (this.claimed.get(fault) ?? 0) + by);
    this.left = this.faults.filter((fault) => (this.claimed.get(fault) ?? 0) <= 0);
    for (const watcher of this.watchers) watcher();
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  };

  unmatched = (): readonly Fault[] => this.left;
}

const Context = createContext(new Book([]));

/**
 * Gives the faults of the last answer to the fields below. Another `attempt` than before brings the first faulty field
 * into view, and the focus to it: it may be far above the button that was pressed.
 */
export function Faults(props: { faults: readonly Fault[]; attempt?: number | undefined; children: ReactNode }) {
  const book = useMemo(() => new Book(props.faults), [props.faults]);
  const isFaulty = props.faults.length > 0;
  useEffect(() => {
    if (!props.attempt || !isFaulty) return;
    // What is folded opens first.
    const frame = requestAnimationFrame(() => {
      const fields = document.querySelectorAll<HTMLElement>("main [aria-invalid=true]");
      const first = [...fields].find((field) => field.offsetParent !== null) ?? document.querySelector<HTMLElement>("main [role=alert]");
      first?.scrollIntoView({ block: "center" });
      first?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [props.attempt]);
  return <Context value={book}>{props.children}</Context>;
}

/** The sentences of the faults that a field takes as its own. */
export function useFault(...paths: string[]): string | undefined {
  const key = paths.join("\n");
  return useFaultsWhere((fault) => key.split("\n").includes(fault.path), key);
}

/** The same for faults that are told by more than their place. `key` says when to look again. */
export function useFaultsWhere(test: (fault: Fault) => boolean, key: string): string | undefined {
  const book = useContext(Context);
  const found = useMemo(() => book.faults.filter(test), [book, key]);
  useEffect(() => {
    if (found.length === 0) return;
    book.claim(found, 1);
    return () => book.claim(found, -1);
  }, [book, found]);
  return found.length > 0 ? found.map(sentence).join(" ") : undefined;
}

/** Whether a fault lies at one of these places or below it. Takes none of them away. */
export function useHasFault(...prefixes: string[]): boolean {
  const { faults } = useContext(Context);
  return faults.some((fault) => prefixes.some((prefix) => fault.path === prefix || fault.path.startsWith(`${prefix}.`) || fault.path.startsWith(`${prefix}[`)));
}

/** Faults that no field shows. */
export function UnmatchedFaults(props: { title?: string; isAdvice?: boolean }) {
  const book = useContext(Context);
  const left = useSyncExternalStore(book.watch, book.unmatched);
  if (left.length === 0) return null;
  return (
    <Alert color={props.isAdvice ? "orange" : "red"} role="alert" title={props.title ?? "This has to be put right first"}>
      <ul style={{ margin: 0, paddingLeft: "1.2rem" }}>
        {left.map((fault) => (
          <li key={`${fault.path} ${fault.problem}`}>
            {fault.path ? <span className="mono">{fault.path}: </span> : null}
            {sentence(fault)}
          </li>
        ))}
      </ul>
    </Alert>
  );
}

/** A member's place as the API writes it. */
export function memberPath(path: string, key: string): string {
  const shown = /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
  return path === "" ? shown : `${path}.${shown}`;
}
