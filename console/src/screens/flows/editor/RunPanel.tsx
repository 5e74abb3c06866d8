// What a run brought: how it ended, what it returned, the cursor, and every step.
import { Alert, Button, Group, Paper, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { Json as Printed } from "../../../parts/Json";
import { Mark } from "../../../parts/Mark";
import { duration } from "../../../parts/When";
import { line } from "../canvas/Value";
import { isExact } from "../model/exact";
import { type Step, tookMs } from "../model/findings";

/** A run as the panel shows it, whether it was tried here or belongs to a subscription. */
export interface ShownRun {
  title: ReactNode;
  isGood: boolean;
  error: string | undefined;
  cards: readonly Step[];
  cardsRun: number;
  requests: number;
  notes: readonly string[];
  cursorBefore: unknown;
  /** Nothing where the old cursor stays. */
  cursorAfter: { value: unknown } | undefined;
  /** Nothing where the records are not kept with the run. */
  records: { count: number; first: readonly unknown[] } | undefined;
}

const RECORDS_MAX = 50;

/** The result of a run below the canvas. */
export function RunPanel(props: { run: ShownRun; onClose?: () => void; more?: ReactNode }) {
  const { run } = props;
  return (
    <Paper withBorder p="md" component="section" aria-label="Result of the run">
      <Stack gap="sm">
        <Group justify="space-between" align="flex-start">
          <Group gap="xs">
            <Title order={2}>{run.title}</Title>
            <Mark word={run.isGood ? "completed" : "failed"} label={run.isGood ? "ended well" : "failed"} />
            <Text size="sm" c="dimmed">
              {run.cardsRun} {run.cardsRun === 1 ? "card" : "cards"}, {run.requests} {run.requests === 1 ? "request" : "requests"}
            </Text>
          </Group>
          <Group gap="xs">
            {props.more}
            {props.onClose ? (
              <Button size="xs" variant="default" leftSection={<IconX size={14} />} onClick={props.onClose}>
                Clear the values
              </Button>
            ) : null}
          </Group>
        </Group>
        {run.error ? <Alert color="red">{run.error}</Alert> : null}
        {run.notes.length > 0 ? (
          <ul style={{ margin: 0, paddingLeft: "1.2rem" }}>
            {run.notes.map((note) => (
              <li key={note}>
                <Text size="sm">{note}</Text>
              </li>
            ))}
          </ul>
        ) : null}
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <div>
            <Text size="sm" fw={600}>
              Cursor that it began with
            </Text>
            <Printed value={run.cursorBefore ?? null} label="Cursor that it began with" height={160} />
          </div>
          <div>
            <Text size="sm" fw={600}>
              {run.cursorAfter === undefined ? "Cursor" : "Cursor that is saved"}
            </Text>
            {run.cursorAfter === undefined ? <Text size="sm">The old cursor stays.</Text> : <Printed value={run.cursorAfter.value} label="Cursor that is saved" height={160} />}
          </div>
        </SimpleGrid>
        {run.records === undefined ? null : <Records count={run.records.count} first={run.records.first} />}
        <Steps cards={run.cards} />
      </Stack>
    </Paper>
  );
}

function Records(props: { count: number; first: readonly unknown[] }) {
  const shown = props.first.slice(0, RECORDS_MAX);
  const rows = shown.map(flattened);
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return (
    <div>
      <Title order={3}>{props.count === 1 ? "1 record returned" : `${props.count} records returned`}</Title>
      {props.count > shown.length ? (
        <Text size="xs" c="dimmed">
          The first {shown.length} are shown.
        </Text>
      ) : null}
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing came back. With this cursor there is nothing new, or the flow ended before Return Outputs.
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={Math.min(columns.length * 140, 900)}>
          <Table aria-label="Records returned">
            <Table.Thead>
              <Table.Tr>
                {columns.map((column) => (
                  <Table.Th key={column}>{column}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row, at) => (
                <Table.Tr key={at}>
                  {columns.map((column) => (
                    <Table.Td key={column}>{line(row.get(column) ?? "")}</Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </div>
  );
}

/** A record as columns: `group · field`. */
function flattened(record: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value) && !isExact(value);
  if (!isObject(record)) return new Map([["record", record]]);
  for (const [group, fields] of Object.entries(record)) {
    if (!isObject(fields)) found.set(group, fields);
    else for (const [field, value] of Object.entries(fields)) found.set(`${group} · ${field}`, value);
  }
  return found;
}

function Steps(props: { cards: readonly Step[] }) {
  return (
    <details>
      <summary>Every step, in the order in which they began ({props.cards.length})</summary>
      <Table.ScrollContainer minWidth={640}>
        <Table aria-label="Steps of the run">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Flow</Table.Th>
              <Table.Th>Card</Table.Th>
              <Table.Th>Got</Table.Th>
              <Table.Th>Gave</Table.Th>
              <Table.Th>Took</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {props.cards.map((step, at) => {
              const took = tookMs(step);
              return (
                <Table.Tr key={at}>
                  <Table.Td>{step.flow}</Table.Td>
                  <Table.Td>
                    {step.card} {step.index == null ? "" : `#${step.index}`}
                  </Table.Td>
                  <Table.Td className="mono">{line(step.inputs)}</Table.Td>
                  <Table.Td className="mono">{step.error ? step.error : line(step.outputs)}</Table.Td>
                  <Table.Td className="nowrap">{took === undefined ? "" : duration(took / 1000)}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </details>
  );
}
