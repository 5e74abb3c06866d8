// A value of a run on a card: one line of it, and all of it when asked for.
import { UnstyledButton } from "@mantine/core";

import { useCanvas } from "./context";

const LINE = 120;

/** A value as one line. */
export function line(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > LINE ? `${text.slice(0, LINE)}…` : text;
}

/** The value of an input or an output. */
export function Value(props: { name: string; value: unknown }) {
  const { openValue } = useCanvas();
  if (props.value === undefined) return null;
  return (
    <UnstyledButton className="flow-value nodrag" onClick={() => openValue(props.name, props.value)} aria-label={`Value of ${props.name}: ${line(props.value)}`}>
      {line(props.value)}
    </UnstyledButton>
  );
}
