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
  /** As it is called; `undefined` when it is gone. */
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

/** Of an event of the stream, which came at an instant. */
export function ofLive({ event, at }: { event: LiveEvent; at: string }): EventRow {
  return { id: event.id, eventType: event.eventType, objectType: event.objectType, objectId: event.objectId, instanceId: event.instanceId, instanceName: event.instanceName ?? undefined, elementKey: event.elementKey, at, status: undefined, record: event.record };
}
