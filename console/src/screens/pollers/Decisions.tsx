// What was decided about single records, page by page, searchable by id.
import { Button, Chip, Group, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";

import type { Decision } from "../../api/watching";
import type { components } from "../../api/schema";
import { type Column, Rows } from "../../parts/Rows";
import { Sentence } from "../../parts/Sentence";
import { Compared, KINDS, keyOf, Verdict, wrote } from "./verdicts";

const SHOWN = 100;

/** The list. `onOpen` makes of every record a way to more about it. */
export function Decisions(props: {
  decisions: readonly Decision[];
  counts: components["schemas"]["Counts"];
  search?: string;
  onSearch?: (id: string) => void;
  onOpen?: (decision: Decision) => void;
  opened?: Decision | undefined;
}) {
  const { decisions, onOpen } = props;
  const [own, setOwn] = useState("");
  const search = props.search ?? own;
  const setSearch = props.onSearch ?? setOwn;
  const [kind, setKind] = useState<string>("");
  const [more, setMore] = useState(1);
  const needle = search.trim().toLowerCase();
  const found = useMemo(
    () => decisions.filter((decision) => (kind === "" || keyOf(decision) === kind) && (needle === "" || decision.objectId.toLowerCase().includes(needle))),
    [decisions, kind, needle],
  );
  const kinds = KINDS.filter((one) => decisions.some((decision) => keyOf(decision) === one.key));
  const unlisted = props.counts.records - decisions.length;
  const columns: Column<Decision>[] = [
    {
      head: "Record",
      cell: (decision) =>
        onOpen ? (
          <UnstyledButton onClick={() => onOpen(decision)} aria-pressed={props.opened === decision} className={wrote(decision.objectId)} style={{ color: "var(--mantine-color-anchor)", textDecoration: "underline", fontWeight: props.opened === decision ? 700 : undefined }}>
            {decision.objectId || "(no id)"}
          </UnstyledButton>
        ) : (
          <span className={wrote(decision.objectId)}>{decision.objectId || "(no id)"}</span>
        ),
    },
    { head: "Verdict", cell: (decision) => <Verdict decision={decision} /> },
    { head: "Reason", cell: (decision) => <Sentence text={decision.reason} /> },
    { head: "Compared", cell: (decision) => <Compared value={decision.compared} /> },
    { head: "Page", cell: (decision) => (decision.page > 0 ? decision.page : "–") },
  ];
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-end">
        <TextInput label="Record id" placeholder="Search" type="search" leftSection={<IconSearch size={16} aria-hidden />} value={search} onChange={(event) => setSearch(event.currentTarget.value)} style={{ flex: "1 1 12rem", maxWidth: 320 }} />
        {kinds.length > 1 ? (
          <Chip.Group value={kind} onChange={(value) => setKind(String(value))}>
            <Group gap={6} role="group" aria-label="Only these decisions">
              <Chip value="" size="xs" variant="outline">
                All
              </Chip>
              {kinds.map((one) => (
                <Chip key={one.key} value={one.key} size="xs" variant="outline">
                  {one.label}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
        ) : null}
      </Group>
      {found.length === 0 ? (
        <Text c="dimmed">{decisions.length === 0 ? (props.counts.records === 0 ? "No record was read." : "No single decision is kept of this run.") : needle ? `No decision about a record with “${search.trim()}” in its id is kept for this run.` : "None of this kind."}</Text>
      ) : (
        <Rows label="Decisions" lead={["Record", "Verdict"]} columns={columns} rows={found.slice(0, SHOWN * more)} keyOf={(decision) => `${decision.page} ${decision.objectId} ${decision.compared} ${keyOf(decision)}`} />
      )}
      <Group justify="space-between">
        {found.length > SHOWN * more ? (
          <Button size="xs" variant="default" onClick={() => setMore(more + 1)}>
            Show {Math.min(SHOWN, found.length - SHOWN * more)} more of {found.length}
          </Button>
        ) : (
          <span />
        )}
        {unlisted > 0 && needle === "" ? (
          <Text size="xs" c="dimmed">
            {unlisted} of the {props.counts.records} records are counted only: the first 1,000 that were ignored are kept one by one, and what was read twice is listed once.
          </Text>
        ) : null}
      </Group>
    </Stack>
  );
}
