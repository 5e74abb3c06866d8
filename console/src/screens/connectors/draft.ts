// The connector under edit: one draft over all steps, kept while the page is, saved as a whole.
//
// Steps are addresses, and a change of address makes the screen anew: so the draft is kept beside React.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

import { api, BASE, told } from "../../api/client";
import { asFailure, type Failure, type Fault } from "../../api/failure";
import type { Members } from "../../api/trying";
import { type Doc, readDoc } from "./document";

interface Held {
  draft: Doc | undefined;
  faults: readonly Fault[];
  warnings: readonly Fault[];
  /** What was saved over which document, until the query gives the new one. */
  saved: { over: Doc; doc: Doc } | undefined;
  /** Values of the account that previews use; never saved. */
  trial: Members;
}

const NOTHING: Held = { draft: undefined, faults: [], warnings: [], saved: undefined, trial: {} };
const held = new Map<string, Held>();
const watchers = new Set<() => void>();

function keep(key: string, next: Partial<Held>): void {
  held.set(key, { ...(held.get(key) ?? NOTHING), ...next });
  for (const watcher of watchers) watcher();
}

/** Under which a connector is kept. */
export function connectorKey(key: string) {
  return ["connector", key] as const;
}

/** A connector, as it is stored. */
export function useConnector(key: string) {
  return useQuery({
    queryKey: connectorKey(key),
    queryFn: async () => readDoc(await told<string>(api.GET(`${BASE}/elements/{keyOrId}`, { params: { path: { keyOrId: key } }, parseAs: "text" }))),
    staleTime: 30_000,
  });
}

/** What the steps work with. */
export interface Draft {
  doc: Doc;
  isChanged: boolean;
  edit: (change: (doc: Doc) => Doc) => void;
  discard: () => void;
  save: () => void;
  isSaving: boolean;
  isSaved: boolean;
  failure: Failure | undefined;
  /** Beside the fields: what was refused, or what works less than it seems. */
  findings: readonly Fault[];
  isRefused: boolean;
  trial: Members;
  setTrial: (trial: Members) => void;
}

/** The draft of a connector. */
export function useDraft(key: string, asked: Doc): Draft {
  const client = useQueryClient();
  const now = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    () => held.get(key) ?? NOTHING,
  );
  const stored = now.saved?.over === asked ? now.saved.doc : asked;
  const doc = now.draft ?? stored;
  const isChanged = now.draft !== undefined;
  const save = useMutation({
    mutationFn: async () => readDoc(await told<string>(api.PUT(`${BASE}/elements/{keyOrId}`, { params: { path: { keyOrId: key } }, body: sendable(doc), parseAs: "text" }))),
    onSuccess: (saved) => {
      const warnings = Array.isArray(saved["warnings"]) ? (saved["warnings"] as Fault[]) : [];
      client.setQueryData(connectorKey(key), saved);
      void client.invalidateQueries({ queryKey: ["connectors"] });
      void client.invalidateQueries({ queryKey: ["date-formats"] });
      keep(key, { draft: undefined, faults: [], warnings, saved: { over: asked, doc: saved } });
    },
    onError: (error) => keep(key, { faults: asFailure(error).faults, warnings: [] }),
  });
  useEffect(() => {
    if (!isChanged) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isChanged]);
  return {
    doc,
    isChanged,
    edit: (change) => keep(key, { draft: change(held.get(key)?.draft ?? stored) }),
    discard: () => {
      save.reset();
      keep(key, { draft: undefined, faults: [], warnings: [] });
    },
    save: () => save.mutate(),
    isSaving: save.isPending,
    isSaved: save.isSuccess,
    failure: save.error ? asFailure(save.error) : undefined,
    findings: now.faults.length > 0 ? now.faults : now.warnings,
    isRefused: now.faults.length > 0,
    trial: now.trial,
    setTrial: (trial) => keep(key, { trial }),
  };
}

/** What is sent: without what our answers add. */
export function sendable(doc: Doc): Members {
  const { warnings: _ours, ...rest } = doc;
  return rest;
}
