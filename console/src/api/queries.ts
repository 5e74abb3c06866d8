// How long answers are good, and when to try again.
import { QueryClient } from "@tanstack/react-query";

import { Failure } from "./failure";

/** The cache of all answers. A refusal is final; a server that cannot be reached is asked again until it is there. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      networkMode: "always",
      retry: (count, error) => error instanceof Failure && error.status === 0 && count < 60,
      retryDelay: (count) => Math.min(500 * 2 ** count, 5_000),
    },
    mutations: { retry: false, networkMode: "always" },
  },
});
