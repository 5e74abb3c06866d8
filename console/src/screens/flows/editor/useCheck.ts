// What the API says of the document while it is edited.
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { api, BASE, told } from "../../../api/client";
import type { components } from "../../../api/schema";
import type { Found } from "../canvas/context";
import { sorted, type Shown } from "../model/findings";
import { get, type Json, members, set, text } from "../model/json";

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

const NO_OUTPUTS: Found = { path: "outputs", problem: "no group is declared", remedy: "add one with its fields", isFault: true };

/**
 * What is sent. A document without a name or outputs is judged as if it had some, because nothing else is judged
 * before they are there; the name is asked for when it is saved, and the outputs are missed by us.
 */
function judged(doc: Json, hasOutputs: boolean): Json {
  const named = (text(get(doc, ["name"])) ?? "").trim() !== "" ? doc : set(doc, ["name"], "New flow");
  return hasOutputs ? named : set(named, ["outputs"], { Record: { ID: "any" } });
}

function counted(found: Shown<Found>, isFault: boolean): number {
  return [...found.inputs.values(), ...found.cards.values(), ...found.flows.values(), found.rest].flat().filter((one) => one.isFault === isFault).length;
}

/** Checks the document a moment after it was changed last. A name is asked for when it is saved. */
export function useCheck(doc: Json | undefined): Checked {
  const [settled] = useDebouncedValue(doc, PAUSE_MS);
  const hasOutputs = Object.keys(members(get(settled, ["outputs"]))).length > 0;
  const named = settled === undefined ? undefined : judged(settled, hasOutputs);
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
    if (hasOutputs) return sorted(settled, all);
    return sorted(settled, [...all.filter(({ path }) => !path.startsWith("record")), NO_OUTPUTS]);
  }, [query.data, settled, hasOutputs]);
  return {
    found,
    faults: counted(found, true),
    warnings: counted(found, false),
    options: query.data?.options ?? [],
    isFresh: settled === doc && query.data !== undefined && !query.isPlaceholderData,
    error: query.error,
  };
}
