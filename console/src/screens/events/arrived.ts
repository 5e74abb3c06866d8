// What the stream brings while a list is shown: put on top of it without asking for anything.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import { type LiveEvent, started, useLiveEvents } from "../../api/live";
import { eventLog } from "../../api/watching";

/** Rows that are kept before the oldest of them go. */
const ARRIVED_MAX = 200;

/** What a list shows; an empty text or nothing lets all through. */
export interface Filter {
  instance: number | undefined;
  eventType: string | undefined;
  objectId: string;
  objectType: string;
}

/** An event, and when it came. */
export interface Arrival {
  event: LiveEvent;
  at: string;
}

/** Reads the log for a list that the stream is put on top of: nothing falls between the two. */
export async function logBelow(...asked: Parameters<typeof eventLog>): ReturnType<typeof eventLog> {
  await started();
  return await eventLog(...asked);
}

/** What the stream brought since the screen is shown, the newest first, as far as the filter lets it through. */
export function useArrived(filter: Filter): { arrived: Arrival[]; isNew: (id: string) => boolean } {
  const [all, setAll] = useState<Arrival[]>([]);
  const waiting = useRef<Arrival[]>([]);
  const frame = useRef<number>(undefined);
  useEffect(() => () => cancelAnimationFrame(frame.current ?? 0), []);
  // Many may come at once; they are shown together at the next picture.
  useLiveEvents(
    useCallback((event: LiveEvent) => {
      waiting.current.push({ event, at: new Date().toISOString() });
      if (waiting.current.length > ARRIVED_MAX) waiting.current.shift();
      frame.current ??= requestAnimationFrame(() => {
        frame.current = undefined;
        const came = waiting.current.reverse();
        waiting.current = [];
        setAll((all) => {
          const ids = new Set(all.map(({ event }) => event.id));
          return [...came.filter(({ event }) => !ids.has(event.id)), ...all].slice(0, ARRIVED_MAX);
        });
      });
    }, []),
  );
  const arrived = all.filter(
    ({ event }) =>
      (filter.instance === undefined || event.instanceId === filter.instance) &&
      (filter.eventType === undefined || event.eventType === filter.eventType) &&
      (filter.objectId === "" || event.objectId === filter.objectId) &&
      (filter.objectType === "" || event.objectType === filter.objectType),
  );
  const ids = useMemo(() => new Set(all.map(({ event }) => event.id)), [all]);
  return { arrived, isNew: (id: string) => ids.has(id) };
}
