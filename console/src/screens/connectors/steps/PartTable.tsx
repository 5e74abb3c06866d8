// A list of parts with what can be done to each.
import { ActionIcon, Button, Group, Stack, Table, Text, Title, UnstyledButton } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { useFaultsWhere } from "../../../parts/faults";

/** Parts of one kind, shown in columns. */
export function PartTable<T>(props: {
  title: string;
  about: string;
  add: string;
  list: readonly T[];
  /** Where the API says that the list stands. */
  path: string;
  columns: readonly { title: string; shows: (part: T) => ReactNode }[];
  name: (part: T) => string;
  isShown?: (part: T) => boolean;
  onAdd: () => void;
  onOpen: (at: number) => void;
  onRemove: (at: number) => void;
  mayChange: boolean;
}) {
  const shown = props.list.map((part, at) => ({ part, at })).filter(({ part }) => props.isShown?.(part) ?? true);
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <div>
          <Title order={2}>{props.title}</Title>
          <Text size="sm" c="dimmed">
            {props.about}
          </Text>
        </div>
        <Button variant="default" disabled={!props.mayChange} onClick={props.onAdd}>
          {props.add}
        </Button>
      </Group>
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed">
          None yet.
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={520}>
          <Table aria-label={props.title}>
            <Table.Thead>
              <Table.Tr>
                {props.columns.map(({ title }) => (
                  <Table.Th key={title}>{title}</Table.Th>
                ))}
                <Table.Th aria-label="Remove" w={50} />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map(({ part, at }) => (
                <Row key={at} {...props} part={part} at={at} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}

function Row<T>(props: { columns: readonly { title: string; shows: (part: T) => ReactNode }[]; path: string; part: T; at: number; name: (part: T) => string; onOpen: (at: number) => void; onRemove: (at: number) => void; mayChange: boolean }) {
  const place = `${props.path}[${props.at}]`;
  const fault = useFaultsWhere(({ path }) => path === place || path.startsWith(`${place}.`), place);
  const name = props.name(props.part);
  return (
    <>
      <Table.Tr>
        {props.columns.map(({ title, shows }, column) => (
          <Table.Td key={title}>
            {column === 0 ? (
              <UnstyledButton onClick={() => props.onOpen(props.at)} td="underline" fz="sm" disabled={!props.mayChange}>
                {shows(props.part)}
              </UnstyledButton>
            ) : (
              shows(props.part)
            )}
          </Table.Td>
        ))}
        <Table.Td>
          <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name}`} disabled={!props.mayChange} onClick={() => props.onRemove(props.at)}>
            <IconTrash size={16} />
          </ActionIcon>
        </Table.Td>
      </Table.Tr>
      {fault ? (
        <Table.Tr>
          <Table.Td colSpan={props.columns.length + 1} style={{ color: "var(--mark-bad)" }} role="alert">
            {fault}
          </Table.Td>
        </Table.Tr>
      ) : null}
    </>
  );
}
