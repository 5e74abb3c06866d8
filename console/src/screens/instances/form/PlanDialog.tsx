// What a change would do to each cursor, shown before it is made.
import { Alert, Button, Group, List, Stack, Text } from "@mantine/core";

import { sentence } from "../../../api/failure";
import type { components } from "../../../api/schema";
import { Dialog } from "../../../parts/Dialog";
import { Mark } from "../../../parts/Mark";
import { type Column, Rows } from "../../../parts/Rows";

const TONES = { kept: "good", "begins anew": "warn", new: "info", removed: "bad" } as const;

const COLUMNS: Column<components["schemas"]["Plan"]["changes"][number]>[] = [
  { head: "Resource", cell: ({ resource }) => resource },
  { head: "Its cursor", cell: ({ cursor }) => <Mark word={cursor} tone={TONES[cursor as keyof typeof TONES] ?? "calm"} /> },
  { head: "Why", cell: ({ why }) => why },
];

/** The plan, with a way on and a way back. */
export function PlanDialog(props: { plan: components["schemas"]["Plan"] | undefined; onClose: () => void; onGo: () => void; isGoing: boolean }) {
  const { plan } = props;
  return (
    <Dialog opened={plan !== undefined} onClose={props.onClose} title="What this change does" size="lg">
      {plan ? (
        <Stack>
          {plan.document.length === 0 && plan.changes.length === 0 ? <Text size="sm">Nothing: it is as it was.</Text> : null}
          {plan.document.length > 0 ? (
            <Text size="sm">
              Another: <span className="mono">{plan.document.join(", ")}</span>
            </Text>
          ) : null}
          {plan.changes.length > 0 ? (
            <Rows label="What becomes of each cursor" lead={["Resource", "Its cursor"]} columns={COLUMNS} rows={plan.changes} keyOf={({ resource }) => resource} />
          ) : null}
          <Findings title="What would work less well than it could" list={plan.warnings} />
          <Findings title="What is misspelt and read as it is meant" list={plan.repairs} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Back to the form
            </Button>
            <Button loading={props.isGoing} onClick={props.onGo}>
              Save instance
            </Button>
          </Group>
        </Stack>
      ) : null}
    </Dialog>
  );
}

/** Sentences that keep nobody from going on. */
export function Findings(props: { title: string; list: readonly components["schemas"]["Fault"][] | undefined }) {
  if (props.list === undefined || props.list.length === 0) return null;
  return (
    <Alert color="orange" title={props.title}>
      <List size="sm" spacing={4}>
        {props.list.map((one) => (
          <List.Item key={one.path + one.problem}>
            <span className="mono">{one.path}</span>: {sentence(one)}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
