// What was sent again has an answer a moment later, and nothing tells of it: so it is looked for.
import type { QueryClient } from "@tanstack/react-query";

const LOOKS_MS = [0, 600, 2_000, 5_000];

/** Asks for deliveries and endpoints now, and again when their receivers may have answered. */
export function lookAgain(client: QueryClient): void {
  for (const after of LOOKS_MS) {
    setTimeout(() => {
      for (const key of ["deliveries", "delivery", "endpoints", "event", "overview"]) void client.invalidateQueries({ queryKey: [key] });
    }, after);
  }
}
