// Answers that an event makes old are asked for again, at most once a second, or more seldom where they cost more.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

import { type LiveEvent, useLiveEvents } from "./live";

const PAUSE_MS = 1_000;

/** Asks again for the answers under a key when an event arrives that concerns them. */
export function useRefreshOnEvents(keys: readonly (readonly unknown[])[], concerns: (event: LiveEvent) => boolean = () => true, pause = PAUSE_MS): void {
  const client = useQueryClient();
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  const said = useRef({ keys, concerns, pause });
  said.current = { keys, concerns, pause };
  useEffect(() => () => clearTimeout(due.current), []);
  useLiveEvents(
    useCallback(
      (event: LiveEvent) => {
        if (due.current !== undefined || !said.current.concerns(event)) return;
        due.current = setTimeout(() => {
          due.current = undefined;
          for (const queryKey of said.current.keys) void client.invalidateQueries({ queryKey });
        }, said.current.pause);
      },
      [client],
    ),
  );
}

/** Answers that an event may make old, by the first word of their keys. */
const AGING = new Set(["analytics", "deliveries", "delivery", "endpoints", "event", "events", "overview", "pollers", "record", "runs", "webhook"]);

/** Ages what is kept and not shown when an event arrives: whoever comes back to it sees what happened meanwhile. */
export function useAgingOnEvents(): void {
  const client = useQueryClient();
  useLiveEvents(
    useCallback(() => {
      void client.invalidateQueries({ refetchType: "none", predicate: (query) => !query.isActive() && AGING.has(String(query.queryKey[0])) });
    }, [client]),
  );
}
