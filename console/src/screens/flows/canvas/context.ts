// What the cards of a canvas share.
import { createContext, useContext } from "react";

import type { Card, FlowName } from "../model/document";
import type { Finding, Shown, Step } from "../model/findings";
import type { Json, Path } from "../model/json";

/** A finding, and whether it is a fault or a warning. */
export type Found = Finding & { isFault: boolean };

/** The values of a run, for the cards that show them. */
export interface RunValues {
  steps: Map<string, Step[]>;
  /** What the event of the monitor gave. */
  cursor: unknown;
  options: Record<string, unknown>;
}

/** What a canvas gives to its cards. */
export interface CanvasValue {
  doc: Json;
  /** The document at this moment, for what is asked for later than it was drawn. */
  now: () => Json;
  flow: FlowName;
  /** Nothing can be changed: somebody may not, or it is an old version. */
  isFixed: boolean;
  edit: (change: (doc: Json) => Json) => void;
  found: Shown<Found>;
  run: RunValues | undefined;
  openAdd: (list: Path, at: number) => void;
  openCard: (card: Card) => void;
  openOutputs: () => void;
  openOptions: () => void;
  openSignature: (side: "inputs" | "outputs") => void;
  openFlow: (flow: string) => void;
  openValue: (title: string, value: unknown) => void;
}

const Context = createContext<CanvasValue | undefined>(undefined);
/** Gives it to the canvas. */
export const CanvasProvider = Context;

/** What the canvas around gives. */
export function useCanvas(): CanvasValue {
  const value = useContext(Context);
  if (value === undefined) throw new Error("no canvas around this card");
  return value;
}
