// All connected accounts: search them, see at once which ones do not work and why.
import { Anchor, Badge, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";

import { api, BASE, told } from "../../api/client";
import { instances, type PollerEntry, pollers } from "../../api/watching";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { useAddress } from "../../parts/address";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { type Column, Rows } from "../../parts/Rows";
import { Screen } from "../../parts/Screen";
import { Sentence } from "../../parts/Sentence";
import { When } from "../../parts/When";
import { Attention } from "../home/Attention";
import { troubled } from "../pollers/parts";

type Instance = components["schemas"]["Instance"];

const PAGE = 50;
/** Pollers that are asked for to know how instances are: enough for a bad day, and little to move. */
const FAILING = 40;

/** The list of instances. */
export default function Instances() {
  const [address, change] = useAddress();
  const place = usePlace();
  const [typed, setTyped] = useState(address.get("search") ?? "");
  const [search] = useDebouncedValue(typed.trim(), 250);
  const tag = address.get("tag") ?? undefined;
  const mayMake = useMay("member");
  const { restart } = place;
  useEffect(() => {
    change({ search });
    restart();
    // The place begins anew with another search only.
  }, [search]);
  const list = useQuery({
    queryKey: ["instances", { search, tag, at: place.token }],
    queryFn: () => instances({ pageSize: PAGE, nextPage: place.token, ...(search ? { search } : {}), ...(tag ? { tag } : {}) }),
    placeholderData: keepPreviousData,
  });
  const tags = useQuery({ queryKey: ["tags"], queryFn: () => told(api.GET(`${BASE}/tags`)), staleTime: 60_000 });
  const failing = useQuery({ queryKey: ["pollers", "failing"], queryFn: () => pollers({ status: "failing", pageSize: FAILING }), refetchInterval: 30_000 });
  const resting = useQuery({ queryKey: ["pollers", "paused"], queryFn: () => pollers({ status: "paused", pageSize: FAILING }), staleTime: 30_000 });
  const trouble = troubled(failing.data?.entries ?? []);
  const restOf = new Map((resting.data?.entries ?? []).filter((poller) => poller.paused).map((poller) => [poller.instanceId, poller]));
  const troubleOf = new Map(trouble.map((poller) => [poller.instanceId, poller]));
  // Where more fail than were told, nothing can be said of the others but that they are connected.
  const isAllKnown = [failing, resting].every((query) => query.data !== undefined && query.data.next === undefined);
  const isNarrowed = search !== "" || tag !== undefined;

  const columns: Column<Instance>[] = [
    {
      head: "Name",
      cell: (instance) => (
        <Group gap="xs">
          <Anchor component={Link} href={`/instances/${instance.id}`} fw={600}>
            {instance.name || `Instance ${instance.id}`}
          </Anchor>
          {instance.tags.map((tag) => (
            <Badge key={tag} variant="default" tt="none" fw={400}>
              {tag}
            </Badge>
          ))}
        </Group>
      ),
    },
    { head: "Connector", cell: (instance) => instance.element.name ?? instance.element.key },
    { head: "Health", cell: (instance) => <Health instance={instance} trouble={troubleOf.get(instance.id)} rest={restOf.get(instance.id)} isSure={isAllKnown} /> },
    { head: "Made", cell: (instance) => <When at={instance.createdDate} /> },
  ];

  return (
    <Screen
      title="Instances"
      about="Connected accounts: each one is polled, or called by its provider, with its own settings and credentials."
      actions={
        mayMake ? (
          <Button component={Link} href="/instances/new" leftSection={<IconPlus size={16} aria-hidden />}>
            New instance
          </Button>
        ) : null
      }
    >
      {!isNarrowed && trouble.length > 0 ? <Attention pollers={trouble.slice(0, 5)} endpoints={[]} total={failing.data?.total ?? trouble.length} /> : null}
      <Group gap="sm" align="flex-end" display={isNarrowed || list.data?.entries.length !== 0 ? undefined : "none"}>
        <TextInput label="Search" placeholder="Part of a name" leftSection={<IconSearch size={16} aria-hidden />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} type="search" style={{ flex: "1 1 14rem", maxWidth: 360 }} />
        {tags.data && tags.data.length > 0 ? (
          <Select
            label="Tag"
            placeholder="All"
            clearable
            searchable
            limit={50}
            data={tags.data.map(({ tag, count }) => ({ value: tag, label: `${tag} (${count})` }))}
            value={tag ?? null}
            clearButtonProps={{ "aria-label": "All tags" }}
            onChange={(value) => {
              change({ tag: value ?? undefined });
              place.restart();
            }}
          />
        ) : null}
      </Group>
      <Loaded query={list} rows={6}>
        {(page) =>
          page.entries.length > 0 ? (
            <Stack>
              <Rows label="Instances" columns={columns} rows={page.entries} keyOf={(instance) => instance.id} />
              <Pager page={page} place={place} what="instances" />
            </Stack>
          ) : isNarrowed ? (
            <Nothing title="No instance is called so" text="Search for another part of the name, or take the tag away." />
          ) : (
            <Nothing
              title="No account is connected yet"
              text="An instance is one account at a provider: its credentials, what is polled and how often, and where its events go."
              action={
                mayMake ? (
                  <Button component={Link} href="/instances/new">
                    Connect the first one
                  </Button>
                ) : undefined
              }
            />
          )
        }
      </Loaded>
    </Screen>
  );
}

function Health(props: { instance: Instance; trouble: PollerEntry | undefined; rest: PollerEntry | undefined; isSure: boolean }) {
  const { instance } = props;
  const [word, tone, why] = instance.disabled
    ? (["off", "calm", "switched off: neither polled nor called"] as const)
    : instance.connection.state !== "connected"
      ? (["not connected", "bad", instance.connection.reason] as const)
      : props.trouble
        ? (["failing", "bad", `${props.trouble.resource}: ${props.trouble.status.sentence || "its last polls failed"}`] as const)
        : !instance.eventsEnabled
          ? (["no events", "calm", "events are not enabled"] as const)
          : props.rest
            ? (["paused", "warn", `${props.rest.resource}: ${props.rest.paused ?? ""}`] as const)
            : ([props.isSure ? "ok" : "connected", "good", undefined] as const);
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <Mark word={word} tone={tone} />
      {why ? (
        <Text size="sm" c="dimmed" lineClamp={2}>
          <Sentence text={why} />
        </Text>
      ) : null}
    </Group>
  );
}
