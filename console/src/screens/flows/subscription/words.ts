// Schedules, run modes and cursors in words.
import type { components } from "../../../api/schema";
import { line } from "../canvas/Value";

/** When a subscription is due. */
export function scheduleWords(schedule: components["schemas"]["Schedule"]): string {
  return "cron" in schedule ? `${schedule.cron} (${schedule.zone})` : `every ${schedule.interval}`;
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
