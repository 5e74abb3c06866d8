// What is known about one thing, as labels and values.
import type { ReactNode } from "react";

import "./parts.css";

/** A label and its value; a value that is not there leaves the pair out. */
export type Fact = [label: string, value: ReactNode];

/** A grid of them. */
export function Facts(props: { facts: Fact[] }) {
  return (
    <dl className="facts">
      {props.facts
        .filter(([, value]) => value !== undefined && value !== null && value !== false)
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
