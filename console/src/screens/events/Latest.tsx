// The newest events in short, live.
import { Anchor, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { glimpse } from "../../parts/fields";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { type Column, Rows } from "../../parts/Rows";
import { When } from "../../parts/When";
import { logBelow, useArrived } from "./arrived";
import { type EventRow, ofEntry, ofLive } from "./rows";

const COUNT = 8;

const COLUMNS: Column<EventRow>[] = [
  { head: "Type", cell: (event) => <Mark word={event.eventType} /> },
  {
    head: "Record",
    cell: (event) => (
      <Anchor component={Link} href={`/events/${event.id}`} className="mono" fw={600}>
        {event.objectId || "(no id)"}
      </Anchor>
    ),
  },
  { head: "Of", cell: (event) => `${event.instanceName ?? event.elementKey} · ${event.objectType}` },
  {
    head: "Content",
    cell: (event) => (
      <Text size="sm" c="dimmed" lineClamp={1}>
        {glimpse(event.record)}
      </Text>
    ),
  },
  { head: "Recorded", cell: (event) => <When at={event.at} /> },
];

const EVERYTHING = { instance: undefined, eventType: undefined, objectId: "", objectType: "" };

/** Them. */
export function Latest() {
  const query = useQuery({ queryKey: ["events", "latest"], queryFn: () => logBelow({ pageSize: COUNT }) });
  const { arrived, isNew } = useArrived(EVERYTHING);
  return (
    <Loaded query={query}>
      {(page) => {
        const known = new Set(page.entries.map((entry) => entry.id));
        const logged = page.entries.map(ofEntry);
        const rows = [...arrived.filter(({ event }) => !known.has(event.id)).map(ofLive), ...logged].slice(0, COUNT);
        return rows.length === 0 ? <Text c="dimmed">None yet.</Text> : <Rows label="Newest events" lead={["Type", "Record", "Recorded"]} columns={COLUMNS} rows={rows} keyOf={(event) => event.id} className={(event) => (isNew(event.id) ? "is-new" : undefined)} />;
      }}
    </Loaded>
  );
}
