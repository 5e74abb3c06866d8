// The log of events, live: what arrives is put on top as the stream brings it, and nothing else is asked for.
import { Anchor, Badge, Button, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { Link } from "wouter";

import { useAddress } from "../../parts/address";
import { glimpse } from "../../parts/fields";
import { InstancePicker } from "../../parts/InstancePicker";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { type Column, Rows } from "../../parts/Rows";
import { Screen } from "../../parts/Screen";
import { When } from "../../parts/When";
import { logBelow, useArrived } from "./arrived";
import { type EventRow, ofEntry, ofLive } from "./rows";

const PAGE = 40;
const TYPES = ["CREATED", "UPDATED", "DELETED", "UNKNOWN"];
const AGES = [
  { value: "1", label: "The last hour" },
  { value: "24", label: "The last day" },
  { value: "168", label: "The last week" },
];

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
  { head: "Resource", cell: (event) => event.objectType },
  {
    head: "Instance",
    cell: (event) => (
      <Anchor component={Link} href={`/instances/${event.instanceId}`} size="sm">
        {event.instanceName ?? `${event.elementKey} · ${event.instanceId}`}
      </Anchor>
    ),
  },
  {
    head: "Content",
    cell: (event) => (
      <Text size="sm" c="dimmed" lineClamp={1} style={{ maxWidth: "22rem" }}>
        {glimpse(event.record)}
      </Text>
    ),
  },
  { head: "Recorded", cell: (event) => <When at={event.at} /> },
  { head: "State", cell: (event) => (event.status === undefined ? <Badge variant="default" tt="none">just arrived</Badge> : <Mark word={event.status} />) },
];

/** The screen. */
export default function Events() {
  const [address, change] = useAddress();
  const place = usePlace();
  const { restart } = place;
  const instance = address.get("instance") ? Number(address.get("instance")) : undefined;
  const eventType = address.get("type") ?? undefined;
  const [typedId, setTypedId] = useState(address.get("record") ?? "");
  const [typedResource, setTypedResource] = useState(address.get("resource") ?? "");
  const [objectId] = useDebouncedValue(typedId.trim(), 250);
  const [objectType] = useDebouncedValue(typedResource.trim(), 250);
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    change({ record: objectId, resource: objectType });
    restart();
    // Another search begins at the first page; what else changes here is no search.
  }, [objectId, objectType]);

  const [age, setAge] = useState<string | null>(null);
  const filter = { instance, eventType, objectId, objectType };
  const list = useQuery({
    queryKey: ["events", filter, age, place.token],
    queryFn: () =>
      logBelow(
        {
          pageSize: PAGE,
          ...(place.token ? { nextPage: place.token } : {}),
          ...(eventType ? { eventType } : {}),
          ...(age === null ? {} : { from: new Date(Date.now() - Number(age) * 3_600_000).toISOString() }),
          ...(objectId ? { objectId } : {}),
          ...(objectType ? { objectType } : {}),
        },
        instance,
      ),
    placeholderData: keepPreviousData,
  });
  const { arrived, isNew } = useArrived(filter);
  const isFirst = place.token === undefined;
  const known = useMemo(() => new Set((list.data?.entries ?? []).map((entry) => entry.id)), [list.data]);
  const fresh = arrived.filter(({ event }) => !known.has(event.id));
  const shownFresh = isFirst && !isHeld ? fresh : [];
  const waiting = fresh.length - shownFresh.length;
  const logged = (list.data?.entries ?? []).map(ofEntry);
  const rows = [...shownFresh.map(ofLive), ...logged];
  const isNarrowed = instance !== undefined || eventType !== undefined || age !== null || objectId !== "" || objectType !== "";

  return (
    <Screen title="Events" about="Every change that was recorded, the newest first. New ones appear by themselves." actions={<Switch label="Show new ones at once" checked={!isHeld} onChange={(event) => setHeld(!event.currentTarget.checked)} />}>
      <div className="filters">
        <TextInput label="Record id" type="search" placeholder="Exactly" value={typedId} onChange={(event) => setTypedId(event.currentTarget.value)} />
        <TextInput label="Resource" type="search" placeholder="Exactly" value={typedResource} onChange={(event) => setTypedResource(event.currentTarget.value)} />
        <Select
          label="Type"
          placeholder="All"
          clearable
          clearButtonProps={{ "aria-label": "All types" }}
          data={TYPES}
          value={eventType ?? null}
          onChange={(value) => {
            change({ type: value ?? undefined });
            place.restart();
          }}
        />
        <Select
          label="Recorded in"
          placeholder="All times"
          clearable
          clearButtonProps={{ "aria-label": "All times" }}
          data={AGES}
          value={age}
          onChange={(value) => {
            setAge(value);
            place.restart();
          }}
        />
        <InstancePicker
          value={instance}
          onChange={(id) => {
            change({ instance: id === undefined ? undefined : String(id) });
            place.restart();
          }}
        />
      </div>
      {waiting > 0 ? (
        <Button
          variant="light"
          onClick={() => {
            setHeld(false);
            place.restart();
          }}
        >
          Show {waiting} new {waiting === 1 ? "event" : "events"}
        </Button>
      ) : null}
      <Loaded query={list} rows={8}>
        {(page) =>
          rows.length === 0 ? (
            isNarrowed ? (
              <Nothing title="No such event" text="None is in the log with this filter. If you expected one, ask about the record: every poll that could have seen it answers." action={<Button component={Link} href={`/ask${objectId ? `?id=${encodeURIComponent(objectId)}` : ""}`}>Ask about a record</Button>} />
            ) : (
              <Nothing title="No event yet" text="As soon as a poll or a webhook finds a change, it appears here by itself." action={<Button component={Link} href="/instances">To the instances</Button>} />
            )
          ) : (
            <Stack>
              <Rows label="Events" lead={["Type", "Record", "Recorded", "State"]} columns={COLUMNS} rows={rows} keyOf={(event) => event.id} className={(event) => (isNew(event.id) ? "is-new" : undefined)} />
              <Pager page={page} place={place} what="events" />
            </Stack>
          )
        }
      </Loaded>
    </Screen>
  );
}
