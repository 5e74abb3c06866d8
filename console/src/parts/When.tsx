// Instants as people read them, with the exact one at hand.
import { Text } from "@mantine/core";
import { lazy, useId, useRef, useState, useSyncExternalStore } from "react";

import { Later } from "./Later";

const Hint = lazy(() => import("./Hint"));

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

let tick = 0;
const watchers = new Set<() => void>();
setInterval(() => {
  tick++;
  for (const watcher of watchers) watcher();
}, 5_000);

/** The present; what shows it is drawn again every few seconds. */
function useNow(): number {
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    () => tick,
  );
  // Not that of the last drawing: what was made since lies in the past, not ahead.
  return Date.now();
}

/** `3 minutes ago`, with the instant in UTC and in the reader's zone when pointed at. `still` within what has the focus itself, as a link. */
export function When(props: { at: string | null | undefined; none?: string; exact?: boolean; still?: boolean }) {
  const present = useNow();
  if (!props.at) return <Text span inherit c="dimmed">{props.none ?? "never"}</Text>;
  const date = new Date(props.at);
  if (Number.isNaN(date.getTime())) return <span>{props.at}</span>;
  return <Instant at={props.at} date={date} words={props.exact ? exact.format(date) : since(date.getTime(), present)} isStop={!props.exact && !props.still} />;
}

function Instant(props: { at: string; date: Date; words: string; isStop: boolean }) {
  const [isPointed, setPointed] = useState(false);
  const target = useRef<HTMLTimeElement>(null);
  const id = useId();
  const [on, off] = [() => setPointed(true), () => setPointed(false)];
  return (
    <>
      <time ref={target} dateTime={props.at} className="nowrap" tabIndex={props.isStop ? 0 : undefined} aria-describedby={isPointed ? id : undefined} onPointerEnter={on} onPointerLeave={off} onFocus={on} onBlur={off}>
        {props.words}
      </time>
      <Later when={isPointed}>
        <Hint target={target} id={id} label={`${props.at} · ${exact.format(props.date)} here`} isShown={isPointed} />
      </Later>
    </>
  );
}

/** The distance of an instant in words. */
export function since(at: number, present: number): string {
  const seconds = Math.round((at - present) / 1000);
  if (Math.abs(seconds) < 2) return "now";
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? (["second", 1] as const);
  return relative.format(Math.round(seconds / size), unit);
}

/** `1 min 30 s`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const parts: string[] = [];
  let left = Math.round(seconds);
  for (const [word, size] of [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const) {
    if (left >= size) {
      parts.push(`${Math.floor(left / size)} ${word}`);
      left %= size;
    }
  }
  return parts.slice(0, 2).join(" ");
}
