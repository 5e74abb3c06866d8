// What was sent and what was not: deliveries with filters, dead letters, and how the endpoints are.
import { Button, Select, Stack, Tabs } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";

import { deliveries } from "../../api/watching";
import { useRefreshOnEvents } from "../../api/refresh";
import { useMay } from "../../app/session";
import { useAddress } from "../../parts/address";
import { InstancePicker } from "../../parts/InstancePicker";
import { Loaded } from "../../parts/Loaded";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { Screen } from "../../parts/Screen";
import { DeliveryRows } from "./DeliveryRows";
import { Endpoints } from "./Endpoints";
import { RedeliverMany } from "./RedeliverMany";

const PAGE = 50;
const STATES = [
  { value: "delivered", label: "Delivered" },
  { value: "retry", label: "Being retried" },
  { value: "dead", label: "Dead letters" },
  { value: "queued", label: "Held" },
  { value: "created", label: "Not tried yet" },
  { value: "split", label: "Split into single ones" },
  { value: "cancelled", label: "Cancelled" },
];
const AGES = [
  { value: "1", label: "The last hour" },
  { value: "24", label: "The last day" },
  { value: "168", label: "The last week" },
];

/** The screen. */
export default function Deliveries() {
  const [address, change] = useAddress();
  const show = address.get("show") ?? "all";
  const [isAsked, setAsked] = useState(false);
  const mayAct = useMay("member");
  const instance = address.get("instance") ? Number(address.get("instance")) : undefined;
  return (
    <Screen
      title="Deliveries"
      about="Notifications on their way to callbacks: tried for three days, then kept as dead letters."
      actions={
        <Button disabled={!mayAct} title={mayAct ? undefined : "needs a member"} onClick={() => setAsked(true)}>
          Redeliver many…
        </Button>
      }
    >
      <Tabs value={show} onChange={(next) => change({ show: next === "all" ? undefined : (next ?? undefined), state: undefined })} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="all">All</Tabs.Tab>
          <Tabs.Tab value="dead">Dead letters</Tabs.Tab>
          <Tabs.Tab value="endpoints">Endpoints</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="all">
          <List instance={instance} status={address.get("state") ?? undefined} />
        </Tabs.Panel>
        <Tabs.Panel value="dead">
          <List instance={instance} status="dead" fixed />
        </Tabs.Panel>
        <Tabs.Panel value="endpoints">
          <Endpoints />
        </Tabs.Panel>
      </Tabs>
      <RedeliverMany opened={isAsked} instance={instance} onClose={() => setAsked(false)} />
    </Screen>
  );
}

const LOOK_MS = { least: 2_000, most: 15_000, after: 1_000 };

/** When to look again, in milliseconds: a moment after the next try of one of them. */
function untilTried(shown: readonly { status: string; nextDue?: string | null }[] | undefined): number | false {
  const open = (shown ?? []).filter(({ status }) => status === "retry" || status === "created");
  if (open.length === 0) return false;
  const next = Math.min(...open.map(({ nextDue }) => (nextDue ? Date.parse(nextDue) : Date.now())));
  return Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, next - Date.now() + LOOK_MS.after));
}

function List(props: { instance: number | undefined; status: string | undefined; fixed?: boolean }) {
  const { instance, status } = props;
  const [address, change] = useAddress();
  const place = usePlace();
  const [age, setAge] = useState<string | null>(null);
  const endpoint = address.get("endpoint") ? Number(address.get("endpoint")) : undefined;
  const query = useQuery({
    queryKey: ["deliveries", { instance, endpoint, status, age, at: place.token }],
    queryFn: () =>
      deliveries({
        pageSize: PAGE,
        ...(instance === undefined ? {} : { instanceId: instance }),
        ...(endpoint === undefined ? {} : { endpointId: endpoint }),
        ...(status ? { status } : {}),
        ...(age === null ? {} : { since: new Date(Date.now() - Number(age) * 3_600_000).toISOString() }),
        ...(place.token ? { before: place.token } : {}),
      }),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (place.token === undefined ? untilTried(query.state.data?.entries) : false),
  });
  useRefreshOnEvents([["deliveries", { instance, endpoint, status, age, at: undefined }]], (event) => place.token === undefined && (instance === undefined || event.instanceId === instance));
  const set = (values: Record<string, string | undefined>) => {
    change(values);
    place.restart();
  };
  const isNarrowed = instance !== undefined || endpoint !== undefined || age !== null || (status !== undefined && !props.fixed);
  return (
    <Stack>
      <div className="filters">
        {props.fixed ? null : <Select label="State" placeholder="All" clearable clearButtonProps={{ "aria-label": "All states" }} data={STATES} value={status ?? null} onChange={(value) => set({ state: value ?? undefined })} />}
        <InstancePicker value={instance} onChange={(id) => set({ instance: id === undefined ? undefined : String(id) })} />
        <Select
          label="Formed in"
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
        {endpoint === undefined ? null : (
          <Button variant="default" onClick={() => set({ endpoint: undefined })}>
            Only endpoint {endpoint} ✕
          </Button>
        )}
      </div>
      <Loaded query={query} rows={6}>
        {(page) =>
          page.entries.length > 0 ? (
            <Stack>
              <DeliveryRows deliveries={page.entries} />
              <Pager page={page} place={place} what="deliveries" />
            </Stack>
          ) : isNarrowed ? (
            <Nothing title="No such delivery" text="None is kept with this filter." />
          ) : props.fixed ? (
            <Nothing title="No dead letters" text="Everything that was sent was accepted, or is still being tried." />
          ) : (
            <Nothing title="Nothing was sent yet" text="An event is sent when its instance has a callback URL. Without one it is read from the feed." action={<Button component={Link} href="/events">To the events</Button>} />
          )
        }
      </Loaded>
    </Stack>
  );
}
