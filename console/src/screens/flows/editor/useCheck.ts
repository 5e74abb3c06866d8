// What the API says of the document while it is edited.
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { api, BASE, told } from "../../../api/client";
import type { components } from "../../../api/schema";
import type { Found } from "../canvas/context";
import { sorted, type Shown } from "../model/findings";
import { get, type Json, set, text } from "../model/json";

const PAUSE_MS = 350;

/** What is known of the document. */
export interface Checked {
  found: Shown<Found>;
  faults: number;
  warnings: number;
  options: components["schemas"]["OptionBody"][];
  /** The answer is about the document as it is now. */
  isFresh: boolean;
  error: Error | null;
}

const NOTHING: Shown<Found> = { inputs: new Map(), cards: new Map(), flows: new Map(), rest: [] };

/** Checks the document a moment after it was changed last. A name is asked for when it is saved. */
export function useCheck(doc: Json | undefined): Checked {
  const [settled] = useDebouncedValue(doc, PAUSE_MS);
  const named = settled === undefined || (text(get(settled, ["name"])) ?? "").trim() !== "" ? settled : set(settled, ["name"], "New flow");
  const query = useQuery({
    queryKey: ["monitors", "check", named],
    enabled: named !== undefined,
    queryFn: () => told(api.POST(`${BASE}/monitors/check`, { body: { document: named } })),
    staleTime: Infinity,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
  });
  const found = useMemo(() => {
    if (query.data === undefined || settled === undefined) return NOTHING;
    const all: Found[] = [...query.data.faults.map((fault) => ({ ...fault, isFault: true })), ...query.data.warnings.map((warning) => ({ ...warning, isFault: false }))];
    return sorted(settled, all);
  }, [query.data, settled]);
  return {
    found,
    faults: query.data?.faults.length ?? 0,
    warnings: query.data?.warnings.length ?? 0,
    options: query.data?.options ?? [],
    isFresh: settled === doc && query.data !== undefined && !query.isPlaceholderData,
    error: query.error,
  };
}
