// An event as a row, whether it was read from the log or brought by the stream.
import type { LogEntry } from "../../api/watching";
import type { LiveEvent } from "../../api/live";

/** What a list shows of an event. The stream does not tell how far its delivery is. */
export interface EventRow {
  id: string;
  eventType: string;
  objectType: string;
  objectId: string;
  instanceId: number;
  /** As it is called; `undefined` where neither list nor stream tell. */
  instanceName: string | undefined;
  elementKey: string;
  at: string;
  status: string | undefined;
  record: unknown;
}

/** Of an entry of the log. */
export function ofEntry(entry: LogEntry): EventRow {
  const told = entry.notifiedData[0];
  return {
    id: entry.id,
    eventType: told?.eventType ?? "UNKNOWN",
    objectType: told?.objectType ?? "",
    objectId: told?.objectId ?? "",
    instanceId: entry.instanceId,
    instanceName: entry.instanceName ?? undefined,
    elementKey: entry.elementKey,
    at: entry.eventDate,
    status: entry.status,
    record: entry.providerData,
  };
}

/** Of an event of the stream, which came at an instant; the stream does not tell what instances are called. */
export function ofLive({ event, at }: { event: LiveEvent; at: string }, names: Map<number, string>): EventRow {
  return { id: event.id, eventType: event.eventType, objectType: event.objectType, objectId: event.objectId, instanceId: event.instanceId, instanceName: names.get(event.instanceId), elementKey: event.elementKey, at, status: undefined, record: event.record };
}

/** What the instances of these rows are called, for what the stream brings beside them. */
export function namesOf(rows: readonly EventRow[]): Map<number, string> {
  return new Map(rows.flatMap(({ instanceId, instanceName }) => (instanceName === undefined ? [] : [[instanceId, instanceName] as const])));
}
