// A query's three states in one place: not there yet, refused, there.
import { Alert, Button, Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { asFailure } from "../api/failure";
import { type Crumb, Screen } from "./Screen";

import "./parts.css";

/**
 * Shows the answer of a query once it is there; while it is asked for again the last answer stays. `head` is what a whole
 * screen is called, and where it lies, as long as its answer is not there.
 */
export function Loaded<T>(props: { query: UseQueryResult<T, Error>; children: (data: T) => ReactNode; rows?: number; head?: { title: string; crumbs: Crumb[] } }) {
  const { query, head } = props;
  if (query.data !== undefined) return <>{props.children(query.data)}</>;
  const meanwhile = query.error ? <Refusal error={query.error} again={() => void query.refetch()} /> : <Waiting rows={props.rows ?? 3} />;
  return head === undefined ? meanwhile : <Screen {...head}>{meanwhile}</Screen>;
}

/** What stands where something is still on its way. */
export function Waiting(props: { rows: number }) {
  return (
    <Stack aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: props.rows }, (_, row) => (
        <Skeleton key={row} h={28} />
      ))}
    </Stack>
  );
}

/** What the API refused, in its own words, with every fault. */
export function Refusal(props: { error: unknown; title?: string; again?: () => void; faults?: boolean }) {
  const failure = asFailure(props.error);
  return (
    <Alert color="red" role="alert" title={props.title}>
      <Stack gap="xs" align="flex-start">
        <div className="words">{failure.message}</div>
        {props.faults !== false && failure.faults.length > 0 ? (
          <ul style={{ margin: 0, paddingLeft: "1.2rem" }}>
            {failure.faults.map((fault) => (
              <li key={`${fault.path} ${fault.problem}`}>
                <span className="mono">{fault.path}</span>: {fault.problem}. {fault.remedy}
              </li>
            ))}
          </ul>
        ) : null}
        {props.again ? (
          <Button size="xs" variant="default" onClick={props.again}>
            Try again
          </Button>
        ) : null}
      </Stack>
    </Alert>
  );
}
