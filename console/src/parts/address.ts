// What a screen shows is part of its address: filters and searches can be sent to a colleague, and "back" takes them away.
import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

/** The parameters of the address, and a way to change some; an empty one is left out. */
export function useAddress(): [URLSearchParams, (change: Record<string, string | undefined>) => void] {
  // `useSearch` tells that the address has changed; what it gives is decoded once too often to be parsed.
  const changed = useSearch();
  const [, go] = useLocation();
  const parameters = useMemo(() => new URLSearchParams(window.location.search), [changed]);
  const change = useCallback(
    (change: Record<string, string | undefined>) => {
      const next = new URLSearchParams(window.location.search);
      for (const [key, value] of Object.entries(change)) {
        if (value === undefined || value === "") next.delete(key);
        else next.set(key, value);
      }
      const search = next.toString();
      go(window.location.pathname + (search ? `?${search}` : ""), { replace: true });
    },
    [go],
  );
  return [parameters, change];
}
