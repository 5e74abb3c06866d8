// All monitors, and who subscribes to them.
import { Anchor, Button, CloseButton, Group, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "wouter";

import { api, BASE, page } from "../../api/client";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { type Column, Rows } from "../../parts/Rows";
import { Screen } from "../../parts/Screen";
import { When } from "../../parts/When";
import { MonitorList, NewFlow } from "./MonitorList";
import { cursorLine, scheduleWords } from "./subscription/words";

const COLUMNS: Column<components["schemas"]["Subscription"]>[] = [
  {
    head: "Name",
    cell: (subscription) => (
      <Anchor component={Link} href={`/subscriptions/${subscription.id}`} fw={600}>
        {subscription.name}
      </Anchor>
    ),
  },
  { head: "State", cell: (subscription) => (subscription.active ? <Mark word={subscription.status.code} tone={subscription.status.needsAttention ? "bad" : undefined} /> : <Mark word="off" />) },
  { head: "Version", cell: (subscription) => subscription.version },
  { head: "Schedule", cell: (subscription) => scheduleWords(subscription.schedule) },
  { head: "Last run", cell: (subscription) => <When at={subscription.lastRun?.finishedAt} /> },
  { head: "Cursor", cell: (subscription) => <span className="mono">{cursorLine(subscription.cursor)}</span> },
];

/** The screen at `/monitors`; `?connector=` and `?monitor=` narrow it. */
export default function Monitors() {
  const [search, setSearch] = useSearchParams();
  const connector = search.get("connector") ?? undefined;
  const monitor = search.get("monitor");
  const maySubscribe = useMay("member");
  const without = (key: string) => setSearch((now) => {
    now.delete(key);
    return now;
  });
  return (
    <Screen title="Monitors" about="Flows of cards that poll where a declared resource is not enough" actions={<NewFlow connector={connector} />}>
      {connector !== undefined ? (
        <Group gap="xs">
          <Mark word={`connector ${connector}`} tone="info" />
          <CloseButton size="sm" aria-label="Show those of all connectors" onClick={() => without("connector")} />
        </Group>
      ) : null}
      <MonitorList
        connector={connector}
        actions={(monitor) => (
          <Group gap="xs">
            <Button size="compact-sm" variant="default" component={Link} href={`/monitors?monitor=${monitor.id}`} aria-label={`Show subscriptions of ${monitor.name}`}>
              Show
            </Button>
            {maySubscribe && monitor.version != null ? (
              <Button size="compact-sm" variant="subtle" component={Link} href={`/subscriptions/new?monitor=${monitor.id}`} aria-label={`Subscribe an instance to ${monitor.name}`}>
                Subscribe
              </Button>
            ) : null}
          </Group>
        )}
      />
      <Subscriptions monitor={monitor === null ? undefined : Number(monitor)} onAll={() => without("monitor")} />
    </Screen>
  );
}

function Subscriptions(props: { monitor: number | undefined; onAll: () => void }) {
  const place = usePlace();
  const query = useQuery({
    queryKey: ["subscriptions", "list", props.monitor, place.token],
    queryFn: () => page(api.GET(`${BASE}/subscriptions`, { params: { query: { pageSize: 50, ...(props.monitor === undefined ? {} : { monitorId: props.monitor }), ...(place.token === undefined ? {} : { nextPage: Number(place.token) }) } } })),
  });
  return (
    <Stack component="section" gap="sm" aria-label="Subscriptions">
      <Group gap="xs">
        <Title order={2}>Subscriptions</Title>
        {props.monitor === undefined ? null : (
          <>
            <Mark word={`of monitor ${props.monitor}`} tone="info" />
            <CloseButton size="sm" aria-label="Show all subscriptions" onClick={props.onAll} />
          </>
        )}
      </Group>
      <Loaded query={query}>
        {(list) =>
          list.entries.length === 0 ? (
            <Nothing title="No subscriptions" text="A subscription runs a deployed version for one instance, on its own schedule and with its own cursor. Deploy a monitor, then subscribe an instance to it." />
          ) : (
            <>
              <Rows label="Subscriptions" lead={["Name", "State"]} columns={COLUMNS} rows={list.entries} keyOf={(subscription) => subscription.id} />
              <Pager page={list} place={place} what="subscriptions" />
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}
