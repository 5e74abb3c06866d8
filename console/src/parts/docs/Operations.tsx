// Operations to look through: found by words, opened one at a time.
import { Accordion, Badge, Group, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { Fragment, type ReactNode, useMemo, useState } from "react";

import { Json } from "../Json";
import type { Operation } from "./openapi";

const COLOURS: Record<string, string> = { GET: "info", POST: "good", PUT: "warn", PATCH: "warn", DELETE: "bad" };
/** A name that may be an id of the page. */
const placeOf = ({ method, path }: Operation) => `${method}${path}`.replace(/[^A-Za-z0-9]/g, (sign) => `_${sign.charCodeAt(0)}`);
/** Operations on one page of the list. */
const SHOWN_MAX = 60;

/** The list. `tries` is shown in an operation that is open. */
export function Operations(props: { operations: readonly Operation[]; tries?: (operation: Operation) => ReactNode; label: string }) {
  const [sought, setSought] = useState("");
  const [open, setOpen] = useState<string | null>(null);
  const found = useMemo(() => {
    const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
    return props.operations.filter((one) => {
      const text = `${one.method} ${one.path} ${one.summary} ${one.id} ${one.group} ${one.right ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }, [props.operations, sought]);
  const shown = found.slice(0, SHOWN_MAX);
  return (
    <Stack gap="sm">
      <TextInput aria-label={`Search ${props.label}`} placeholder="Search by path, words or right" value={sought} onChange={(event) => setSought(event.currentTarget.value)} maw={420} />
      <Text size="sm" c="dimmed" role="status">
        {found.length} of {props.operations.length} operations{found.length > shown.length ? `, the first ${shown.length} shown; search narrows them` : ""}
      </Text>
      <Accordion value={open} onChange={setOpen} variant="separated" order={3} aria-label={props.label}>
        {shown.map((one, at) => (
          <Fragment key={`${one.method} ${one.path}`}>
            {at === 0 || shown[at - 1]?.group !== one.group ? (
              <Title order={2} mt={at === 0 ? 0 : "md"} mb={4} fz="sm" tt="capitalize" c="dimmed">
                {one.group}
              </Title>
            ) : null}
            <Accordion.Item value={placeOf(one)}>
              <Accordion.Control py={4}>
                <Group gap="sm" wrap="wrap">
                  <Badge variant="default" w={78} style={{ color: `var(--mark-${COLOURS[one.method] ?? "calm"})` }}>
                    {one.method}
                  </Badge>
                  <Text span className="mono" style={{ wordBreak: "break-all" }}>
                    {one.path}
                  </Text>
                  <Text span size="sm" c="dimmed">
                    {one.summary}
                  </Text>
                </Group>
              </Accordion.Control>
              <Accordion.Panel>{open === placeOf(one) ? <Opened operation={one} tries={props.tries} /> : null}</Accordion.Panel>
            </Accordion.Item>
          </Fragment>
        ))}
      </Accordion>
    </Stack>
  );
}

function Opened({ operation, tries }: { operation: Operation; tries: ((operation: Operation) => ReactNode) | undefined }) {
  return (
    <Stack gap="sm">
      {operation.about ? <Text size="sm">{operation.about}</Text> : null}
      {operation.right ? (
        <Text size="sm" c="dimmed">
          Needs: {operation.right}
        </Text>
      ) : null}
      {operation.parameters.length > 0 ? (
        <Table.ScrollContainer minWidth={420}>
          <Table aria-label={`Parameters of ${operation.id}`} verticalSpacing={4} fz="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Parameter</Table.Th>
                <Table.Th>In</Table.Th>
                <Table.Th>Type</Table.Th>
                <Table.Th>About</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {operation.parameters.map((one) => (
                <Table.Tr key={one.place + one.name}>
                  <Table.Td className="mono">
                    {one.name}
                    {one.required ? " *" : ""}
                  </Table.Td>
                  <Table.Td>{one.place}</Table.Td>
                  <Table.Td>{one.type}</Table.Td>
                  <Table.Td>{one.about}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      ) : null}
      {tries ? tries(operation) : <Shapes operation={operation} />}
    </Stack>
  );
}

function Shapes({ operation }: { operation: Operation }) {
  const answer = operation.answers.find(({ status }) => status.startsWith("2"));
  return (
    <>
      {operation.body === undefined ? null : (
        <div>
          <Text size="sm" fw={600}>
            Body
          </Text>
          <Json value={operation.body} label={`Body of ${operation.id}`} height={240} />
        </div>
      )}
      {answer?.schema === undefined ? null : (
        <div>
          <Text size="sm" fw={600}>
            Answer ({answer.status})
          </Text>
          <Json value={answer.schema} label={`Answer of ${operation.id}`} height={240} />
        </div>
      )}
    </>
  );
}
