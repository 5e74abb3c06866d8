// The document under edit, with its undo, and kept over a reload until it is saved.
import { useCallback, useEffect, useState } from "react";

import { parseJson } from "../model/exact";
import type { Json } from "../model/json";

const STEPS_MAX = 100;

interface State {
  past: Json[];
  doc: Json | undefined;
  future: Json[];
}

/** A document and what can be done with it. */
export interface Edited {
  doc: Json | undefined;
  isChanged: boolean;
  /** It was changed before the page was loaded, and not saved. */
  isRestored: boolean;
  edit: (change: (doc: Json) => Json) => void;
  /** Begins anew from a document; `isSaved` when it is what the server has. */
  start: (doc: Json | undefined, isSaved: boolean) => void;
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
}

function kept(key: string | undefined): Json | undefined {
  try {
    const text = key === undefined ? null : sessionStorage.getItem(key);
    return text === null ? undefined : parseJson(text);
  } catch {
    return undefined;
  }
}

/** Edits a document that the server has as `saved`. Without a key nothing is kept. */
export function useDocument(saved: Json | undefined, key: string | undefined): Edited {
  const [before] = useState(() => kept(key));
  const [state, setState] = useState<State>({ past: [], doc: before ?? saved, future: [] });
  const [base, setBase] = useState(saved);
  const [isRestored, setRestored] = useState(before !== undefined && JSON.stringify(before) !== JSON.stringify(saved));
  const isChanged = state.doc !== base && JSON.stringify(state.doc) !== JSON.stringify(base);

  useEffect(() => {
    if (key === undefined) return;
    try {
      if (isChanged && state.doc !== undefined) sessionStorage.setItem(key, JSON.stringify(state.doc));
      else sessionStorage.removeItem(key);
    } catch {
      // Without room the document is kept by the page alone.
    }
  }, [key, isChanged, state.doc]);

  useEffect(() => {
    if (!isChanged) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isChanged]);

  const edit = useCallback((change: (doc: Json) => Json) => {
    setState((state) => {
      if (state.doc === undefined) return state;
      const doc = change(state.doc);
      return doc === state.doc ? state : { past: [...state.past, state.doc].slice(-STEPS_MAX), doc, future: [] };
    });
  }, []);
  const start = useCallback((doc: Json | undefined, isSaved: boolean) => {
    setRestored(false);
    setState((state) => (isSaved && state.doc === doc ? state : { past: [], doc, future: [] }));
    if (isSaved) setBase(doc);
  }, []);
  const undo = () => setState(({ past, doc, future }) => ({ past: past.slice(0, -1), doc: past.at(-1) ?? doc, future: doc === undefined ? future : [doc, ...future] }));
  const redo = () => setState(({ past, doc, future: [next, ...future] }) => ({ past: doc === undefined ? past : [...past, doc], doc: next ?? doc, future }));
  return { doc: state.doc, isChanged, isRestored, edit, start, undo: state.past.length > 0 ? undo : undefined, redo: state.future.length > 0 ? redo : undefined };
}
