// Faults and warnings, beside what they are about.
import { IconAlertTriangle, IconCircleX } from "@tabler/icons-react";

import type { Found } from "./context";

/** The findings of one place, as lines. */
export function Findings(props: { found: readonly Found[] | undefined; hasPlaces?: boolean }) {
  if (props.found === undefined || props.found.length === 0) return null;
  return (
    <ul className="flow-findings">
      {props.found.map((finding) => (
        <li key={`${finding.path} ${finding.problem}`} className={finding.isFault ? "flow-fault" : "flow-warning"}>
          {finding.isFault ? <IconCircleX size={14} aria-label="Fault" /> : <IconAlertTriangle size={14} aria-label="Warning" />}
          <span>
            {props.hasPlaces ? <span className="mono">{finding.path}: </span> : null}
            {finding.problem}
            {finding.remedy === "" ? "" : `: ${finding.remedy}`}
          </span>
        </li>
      ))}
    </ul>
  );
}
