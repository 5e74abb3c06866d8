// A way in steps, each following from the one before.
import { Text } from "@mantine/core";
import type { ReactNode } from "react";

import "./parts.css";

/** One step: what it is, and what happened there. `tone` is its mark's colour beside the words. */
export interface Step {
  head: string;
  tone?: "good" | "bad" | "warn" | "calm" | "info";
  body: ReactNode;
}

/** The steps from top to bottom. */
export function Way(props: { steps: Step[]; label: string }) {
  return (
    <ol className="way" aria-label={props.label}>
      {props.steps.map((step, index) => (
        <li key={index}>
          <span className="way-dot" style={{ background: `var(--mark-${step.tone ?? "calm"})` }} aria-hidden />
          <Text size="xs" c="dimmed" fw={600}>
            {step.head}
          </Text>
          <div>{step.body}</div>
        </li>
      ))}
    </ol>
  );
}
