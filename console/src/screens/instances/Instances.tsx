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
/** Pollers that fail and are shown above the list. */
const FAILING = 5;
/** Pollers of the instances of a page, the worst first: more are needed only where each has many resources. */
const OF_PAGE = 400;

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
  const ids = (list.data?.entries ?? []).map((instance) => instance.id);
  const own = useQuery({ queryKey: ["pollers", "of page", ids], queryFn: () => pollers({ instanceId: ids, pageSize: OF_PAGE }), enabled: ids.length > 0, refetchInterval: 30_000, placeholderData: keepPreviousData });
  const trouble = troubled(failing.data?.entries ?? []);
  // The worst comes first, so the first of an instance says how it is.
  const worst = new Map<number, PollerEntry>();
  for (const poller of own.data?.entries ?? []) if (!worst.has(poller.instanceId)) worst.set(poller.instanceId, poller);
  // Where more polls than were told, nothing can be said of the others but that they are connected.
  const isAllKnown = own.data !== undefined && own.data.next === undefined;
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
    { head: "Health", cell: (instance) => <Health instance={instance} worst={worst.get(instance.id)} isSure={isAllKnown} /> },
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

function Health(props: { instance: Instance; worst: PollerEntry | undefined; isSure: boolean }) {
  const { instance, worst } = props;
  const isTroubled = worst !== undefined && troubled([worst]).length > 0;
  const [word, tone, why] = instance.disabled
    ? (["off", "calm", "switched off: neither polled nor called"] as const)
    : instance.connection.state !== "connected"
      ? (["not connected", "bad", instance.connection.reason] as const)
      : isTroubled
        ? (["failing", "bad", `${worst.resource}: ${worst.status.sentence || "its last polls failed"}`] as const)
        : !instance.eventsEnabled
          ? (["no events", "calm", "events are not enabled"] as const)
          : worst?.paused
            ? (["paused", "warn", `${worst.resource}: ${worst.paused}`] as const)
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
