// Answers that an event makes old are asked for again, at most once a second.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";

import { type LiveEvent, useLiveEvents } from "./live";

const PAUSE_MS = 1_000;

/** Asks again for the answers under a key when an event arrives that concerns them. */
export function useRefreshOnEvents(keys: readonly (readonly unknown[])[], concerns: (event: LiveEvent) => boolean = () => true): void {
  const client = useQueryClient();
  const due = useRef<ReturnType<typeof setTimeout>>(undefined);
  const said = useRef({ keys, concerns });
  said.current = { keys, concerns };
  useEffect(() => () => clearTimeout(due.current), []);
  useLiveEvents(
    useCallback(
      (event: LiveEvent) => {
        if (due.current !== undefined || !said.current.concerns(event)) return;
        due.current = setTimeout(() => {
          due.current = undefined;
          for (const queryKey of said.current.keys) void client.invalidateQueries({ queryKey });
        }, PAUSE_MS);
      },
      [client],
    ),
  );
}
