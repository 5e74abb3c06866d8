// How everything is: what needs somebody first, then the figures, the events over time, and the newest of them live.
import { Alert, Anchor, Button, Group, List, Paper, SegmentedControl, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";

import { api, BASE, told } from "../../api/client";
import { type Overview, overview } from "../../api/watching";
import { useRefreshOnEvents } from "../../api/refresh";
import { useMay } from "../../app/session";
import { Bars } from "../../parts/Bars";
import { Loaded } from "../../parts/Loaded";
import { Screen } from "../../parts/Screen";
import { Latest } from "../events/Latest";
import { Attention } from "./Attention";

/** The screen. */
export default function Home() {
  const query = useQuery({ queryKey: ["overview"], queryFn: overview, refetchInterval: 10_000 });
  useRefreshOnEvents([["overview"], ["analytics"]], undefined, 5_000);
  return (
    <Screen title="Home">
      <Loaded query={query}>
        {(data) =>
          data.instances.total === 0 ? (
            <Begin overview={data} />
          ) : (
            <Stack>
              <Attention
                pollers={data.failingPollers}
                endpoints={data.failingEndpoints}
                total={Math.max(data.pollers.failing + data.endpoints.deactivated + data.endpoints.disabled, data.failingPollers.length + data.failingEndpoints.length)}
              />
              {data.failingPollers.length + data.failingEndpoints.length === 0 ? (
                <Alert color="teal" variant="light" styles={{ message: { color: "var(--mark-good)" } }}>
                  All is well: every poller works, and every endpoint takes its notifications.
                </Alert>
              ) : null}
              <Figures overview={data} />
            </Stack>
          )
        }
      </Loaded>
      <OverTime />
      <Paper withBorder p="md" component="section" aria-labelledby="latest">
        <Group justify="space-between" mb="sm">
          <Title order={2} id="latest">
            Newest events
          </Title>
          <Anchor component={Link} href="/events" size="sm">
            All events
          </Anchor>
        </Group>
        <Latest />
      </Paper>
    </Screen>
  );
}

function Figures(props: { overview: Overview }) {
  const { instances, pollers, subscriptions, endpoints, deliveries, connectors } = props.overview;
  const waits = deliveries.dead + deliveries.queued;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm">
      <Figure to="/instances" name="Instances" value={instances.total} notes={[`${instances.enabled} switched on`, some(instances.failing, "failing"), `${connectors} ${connectors === 1 ? "connector" : "connectors"}`]} />
      <Figure to="/instances" name="Pollers" value={pollers.total} notes={[`${pollers.ok} ok`, some(pollers.failing, "failing"), some(pollers.paused, "paused"), some(pollers.starting, "starting")]} />
      <Figure to="/monitors" name="Subscriptions" value={subscriptions.total} notes={[`${subscriptions.active} active`]} />
      <Figure to="/deliveries?show=endpoints" name="Endpoints" value={endpoints.total} notes={[`${endpoints.active} active`, some(endpoints.deactivated, "deactivated"), some(endpoints.disabled, "disabled")]} />
      <Figure to={waits > 0 ? "/deliveries?show=dead" : "/deliveries"} name="Waiting deliveries" value={deliveries.retry + waits} notes={[some(deliveries.retry, "being retried"), some(deliveries.dead, "dead letters"), some(deliveries.queued, "held")]} none="all are accepted" />
    </SimpleGrid>
  );
}

function some(count: number, word: string): string | undefined {
  return count > 0 ? `${count} ${word}` : undefined;
}

function Figure(props: { to: string; name: string; value: number; notes: (string | undefined)[]; none?: string }) {
  const notes = props.notes.filter(Boolean);
  return (
    <Paper component={Link} href={props.to} withBorder p="sm" className="row-link" style={{ textDecoration: "none", color: "inherit" }}>
      <Text size="xs" c="dimmed">
        {props.name}
      </Text>
      <Text fz={26} fw={700} lh={1.2}>
        {props.value.toLocaleString()}
      </Text>
      <Text size="xs" c="dimmed">
        {notes.length > 0 ? notes.join(", ") : props.none}
      </Text>
    </Paper>
  );
}

const SPANS = {
  hour: { label: "Hour", interval: "minute", seconds: 60, points: 60, words: "minute" },
  day: { label: "Day", interval: "hour", seconds: 3_600, points: 24, words: "hour" },
  month: { label: "Month", interval: "day", seconds: 86_400, points: 30, words: "day" },
} as const;

const LABELS = {
  minute: new Intl.DateTimeFormat(undefined, { timeStyle: "short" }),
  hour: new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "numeric" }),
  day: new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }),
} as const;

function OverTime() {
  const [span, setSpan] = useState<keyof typeof SPANS>("day");
  const { interval, seconds, points, words } = SPANS[span];
  const query = useQuery({
    queryKey: ["analytics", span],
    queryFn: () => {
      const end = Math.floor(Date.now() / 1000 / seconds) * seconds + seconds;
      const at = (instant: number) => new Date(instant * 1000).toISOString().replace(".000Z", "Z");
      return told(api.GET(`${BASE}/instances/events/analytics`, { params: { query: { from: at(end - points * seconds), to: at(end - 1), interval } } }));
    },
  });
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="over-time">
      <Group justify="space-between" mb="sm">
        <Title order={2} id="over-time">
          Events over time
        </Title>
        <SegmentedControl size="xs" aria-label="How far back" value={span} onChange={(value) => setSpan(value as keyof typeof SPANS)} data={Object.entries(SPANS).map(([value, { label }]) => ({ value, label }))} />
      </Group>
      <Loaded query={query} rows={2}>
        {(data) => {
          const total = data.reduce((sum, point) => sum + point.count, 0);
          const first = data[0];
          const last = data.at(-1);
          return (
            <>
              <Bars bars={data.map((point) => ({ label: LABELS[interval].format(new Date(point.timestamp)), value: point.count }))} label={`${total.toLocaleString()} ${total === 1 ? "event" : "events"} in the last ${span === "month" ? "30 days" : span === "day" ? "24 hours" : "60 minutes"}, a bar for each ${words}`} height={96} />
              {first && last ? (
                <Group justify="space-between">
                  <Text size="xs" c="dimmed">
                    {LABELS[interval].format(new Date(first.timestamp))}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {LABELS[interval].format(new Date(last.timestamp))}
                  </Text>
                </Group>
              ) : null}
            </>
          );
        }}
      </Loaded>
    </Paper>
  );
}

function Begin(props: { overview: Overview }) {
  const mayConnect = useMay("member");
  return (
    <Paper withBorder p="xl">
      <Stack align="flex-start">
        <Title order={2}>Three steps to the first event</Title>
        <List type="ordered" spacing="sm">
          <List.Item>
            <b>A connector</b> says how an API is spoken to, and what can be polled. {props.overview.connectors > 0 ? `${props.overview.connectors} ${props.overview.connectors === 1 ? "is" : "are"} there.` : ""}{" "}
            <Anchor component={Link} href="/connectors" underline="always">
              To the connectors
            </Anchor>
          </List.Item>
          <List.Item>
            <b>An instance</b> connects one account, and says how often to poll and where to send.{" "}
            {mayConnect ? (
              <Anchor component={Link} href="/instances/new" underline="always">
                Connect an account
              </Anchor>
            ) : null}
          </List.Item>
          <List.Item>
            <b>Events</b> then appear below, by themselves, as soon as something changes.
          </List.Item>
        </List>
        <Group gap="xs">
          {props.overview.connectors > 0 ? (
            <Button component={Link} href="/instances/new">
              Connect an account
            </Button>
          ) : (
            <>
              <Button component={Link} href="/instances/new?own">
                Poll an API by its address
              </Button>
              <Button component={Link} href="/connectors" variant="default">
                Make or import a connector
              </Button>
            </>
          )}
        </Group>
        {props.overview.connectors > 0 ? null : (
          <Text size="sm" c="dimmed">
            The quickest way needs no connector: an address that answers with a list of records is enough, and how to poll it is suggested.
          </Text>
        )}
      </Stack>
    </Paper>
  );
}
