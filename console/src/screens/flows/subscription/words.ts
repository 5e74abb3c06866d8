// Schedules, run modes and cursors in words.
import type { components } from "../../../api/schema";
import { duration } from "../../../parts/When";
import { line } from "../canvas/Value";

/** When a subscription is due. */
export function scheduleWords(schedule: components["schemas"]["Schedule"]): string {
  return "cron" in schedule ? `${schedule.cron} (${schedule.zone})` : `every ${interval(schedule.interval)}`;
}

/** Beyond so many of a unit an interval is said in larger ones. */
const FITS = 60;

/** An interval as people say it. */
function interval(text: string): string {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text.trim()) ?? [];
  const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit ?? ""];
  return seconds === undefined || Number(count) < FITS ? text : duration(Number(count) * seconds);
}

/** A cursor as one line. */
export function cursorLine(cursor: unknown): string {
  return cursor == null ? "none yet" : line(cursor);
}

/** The run modes with what a run tells. */
export const RUN_MODES: readonly { value: string; label: string }[] = [
  { value: "eachRecord", label: "Each record: one event per new record" },
  { value: "noNewData", label: "No new data: one event when there was none" },
  { value: "everyTime", label: "Every time: one event per run, with all records" },
];
