// One subscription: how it is, its cursor, its runs, and what it is made of.
import { Alert, Anchor, Button, Group, Paper, SimpleGrid, Stack, Switch, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";

import { api, BASE, told } from "../../api/client";
import { useLiveEvents } from "../../api/live";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { Dialog } from "../../parts/Dialog";
import { Loaded, Refusal } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Screen } from "../../parts/Screen";
import { When } from "../../parts/When";
import { Runs } from "./editor/HistoryDrawer";
import { CursorPanel } from "./subscription/CursorPanel";
import { SubscriptionForm } from "./subscription/Form";
import { RUN_MODES, scheduleWords } from "./subscription/words";

type Body = components["schemas"]["Subscription"];

/** The screen at `/subscriptions/:id`; `new?monitor=` makes one. */
export default function Subscription(props: { id: number }) {
  const [search] = useSearchParams();
  if (Number.isNaN(props.id)) return <New monitor={Number(search.get("monitor") ?? 0)} />;
  return <Existing id={props.id} />;
}

/** A version with the numbers of all, for the form. */
function useVersion(monitor: number, version: number | undefined, isWanted = true) {
  return useQuery({
    queryKey: ["monitors", "version", "form", monitor, version],
    enabled: isWanted && monitor > 0,
    queryFn: async () => {
      const versions = await told(api.GET(`${BASE}/monitors/{id}/versions`, { params: { path: { id: monitor } } }));
      const used = version ?? versions[0]?.version;
      const found = used === undefined ? undefined : await told(api.GET(`${BASE}/monitors/{id}/versions/{version}`, { params: { path: { id: monitor, version: used } } }));
      return { numbers: versions.map(({ version }) => version), version: found };
    },
  });
}

function New(props: { monitor: number }) {
  const query = useVersion(props.monitor, undefined);
  const crumbs = [{ label: "Monitors", to: "/monitors" }];
  if (!(props.monitor > 0)) {
    return (
      <Screen title="New subscription" crumbs={crumbs}>
        <Nothing title="Choose a monitor first" text={<Anchor component={Link} href="/monitors">Open the list of monitors, and subscribe from there.</Anchor>} />
      </Screen>
    );
  }
  return (
    <Screen title="New subscription" crumbs={crumbs} about="One use of a deployed version: an instance, a schedule, and a cursor of its own">
      <Loaded query={query} rows={6}>
        {({ numbers, version }) =>
          version === undefined ? (
            <Nothing title="It is not deployed yet" text={<Anchor component={Link} href={`/monitors/${props.monitor}`}>Open the flow and deploy it; subscriptions use a deployed version.</Anchor>} />
          ) : (
            <SubscriptionForm monitor={props.monitor} monitorName={String((version.document as { name?: string }).name ?? "")} version={version} versions={numbers} />
          )
        }
      </Loaded>
    </Screen>
  );
}

function Existing(props: { id: number }) {
  const { id } = props;
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["subscriptions", id], queryFn: () => told(api.GET(`${BASE}/subscriptions/{id}`, { params: { path: { id } } })), refetchInterval: (query) => lookAgain(query.state.data) });
  const waits = useRef<ReturnType<typeof setTimeout>>(undefined);
  const instance = query.data?.instanceId;
  // An event of its instance may come from one of its runs.
  useLiveEvents(
    useCallback(
      (event) => {
        if ((event as { instanceId?: number }).instanceId !== instance || waits.current !== undefined) return;
        waits.current = setTimeout(() => {
          waits.current = undefined;
          void client.invalidateQueries({ queryKey: ["subscriptions", id] });
        }, 1_000);
      },
      [client, id, instance],
    ),
  );
  return <Loaded query={query} rows={6} head={{ title: `Subscription ${id}`, crumbs: [{ label: "Monitors", to: "/monitors" }] }}>{(subscription) => <View subscription={subscription} />}</Loaded>;
}

const DUE_MS = 1_000;
const LATE_MS = 60_000;

/** When to look again, in milliseconds: when it is due, and each second while a run is awaited. */
function lookAgain(subscription: Body | undefined): number | false {
  if (subscription?.active !== true) return false;
  const left = Date.parse(subscription.nextDue) - Date.now();
  return left > 0 ? left + DUE_MS : left > -LATE_MS ? DUE_MS : LATE_MS;
}

function View(props: { subscription: Body }) {
  const { subscription } = props;
  const { id } = subscription;
  const client = useQueryClient();
  const [, go] = useLocation();
  const mayChange = useMay("member");
  const [isEditing, setEditing] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const params = { path: { id } };
  const keep = (next: Body) => {
    client.setQueryData(["subscriptions", id], next);
    void client.invalidateQueries({ queryKey: ["subscriptions", id, "runs"] });
    void client.invalidateQueries({ queryKey: ["subscriptions", id, "cursor"] });
    void client.invalidateQueries({ queryKey: ["subscriptions", id, "cursors"] });
  };
  const toggle = useMutation({ mutationFn: (on: boolean) => told(on ? api.PUT(`${BASE}/subscriptions/{id}/active`, { params }) : api.DELETE(`${BASE}/subscriptions/{id}/active`, { params })), onSuccess: keep });
  const run = useMutation({
    mutationFn: async () => {
      const before = subscription.lastRun?.id;
      await told(api.POST(`${BASE}/subscriptions/{id}/run`, { params }));
      return ranAfter(id, before);
    },
    onSuccess: keep,
  });
  const remove = useMutation({
    mutationFn: () => told(api.DELETE(`${BASE}/subscriptions/{id}`, { params })),
    onSuccess: () => {
      go("/monitors");
      client.removeQueries({ queryKey: ["subscriptions", id] });
      void client.invalidateQueries({ queryKey: ["subscriptions"] });
    },
  });
  const lastRun = subscription.lastRun?.id;
  useEffect(() => {
    for (const part of ["runs", "cursor", "cursors"]) void client.invalidateQueries({ queryKey: ["subscriptions", id, part] });
  }, [client, id, lastRun]);
  const failed = toggle.error ?? run.error;
  return (
    <Screen
      title={subscription.name}
      crumbs={[{ label: "Monitors", to: "/monitors" }, { label: `Monitor ${subscription.monitorId}`, to: `/monitors/${subscription.monitorId}` }]}
      about={`Version ${subscription.version}, ${scheduleWords(subscription.schedule)}`}
      actions={
        mayChange ? (
          <>
            <Switch label="Active" checked={subscription.active} disabled={toggle.isPending} onChange={(event) => toggle.mutate(event.currentTarget.checked)} />
            <Button leftSection={<IconPlayerPlay size={16} />} loading={run.isPending} disabled={!subscription.active} onClick={() => run.mutate()}>
              Run now
            </Button>
            <Button variant="default" onClick={() => setEditing(true)}>
              Change
            </Button>
            <Button variant="default" color="red" leftSection={<IconTrash size={16} />} onClick={() => setRemoving(true)}>
              Remove
            </Button>
          </>
        ) : null
      }
    >
      {failed ? <Refusal error={failed} title="Nothing was done" /> : null}
      {subscription.status.sentence !== "" ? <Alert color={subscription.status.needsAttention ? "red" : "orange"}>{subscription.status.sentence}</Alert> : null}
      <Paper withBorder p="md" component="section" aria-label="State">
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
          <Fact name="State">{subscription.active ? <Mark word={subscription.status.code} tone={subscription.status.needsAttention ? "bad" : undefined} /> : <Mark word="off" />}</Fact>
          <Fact name="Next run">{subscription.active ? <When at={subscription.nextDue} /> : "not while it is off"}</Fact>
          <Fact name="Last run">
            <When at={subscription.lastRun?.finishedAt} />
          </Fact>
          <Fact name="Good runs">{subscription.runs}</Fact>
          <Fact name="Instance">
            <Anchor component={Link} href={`/instances/${subscription.instanceId}`}>
              {subscription.instanceId}
            </Anchor>
          </Fact>
          <Fact name="Run mode">{RUN_MODES.find(({ value }) => value === subscription.runMode)?.label.split(":")[0] ?? subscription.runMode}</Fact>
        </SimpleGrid>
        {Object.keys(subscription.options).length > 0 ? (
          <Text size="sm" mt="sm">
            Options: {Object.entries(subscription.options as Record<string, unknown>).map(([label, value]) => `${label} = ${String(value)}`).join(", ")}
          </Text>
        ) : null}
        <Text size="sm" mt="sm" c="dimmed">
          {subscription.callback == null ? "Events go where the instance's go." : `Events go to ${String((subscription.callback as { url?: string }).url ?? "its callback")}.`}
        </Text>
      </Paper>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <CursorPanel id={id} />
        <Paper withBorder p="md" component="section" aria-label="Runs">
          <Stack gap="sm">
            <Title order={2}>Runs</Title>
            <Text size="xs" c="dimmed">
              A run opens on the canvas, with what every card got and gave. The last 50 are kept so.
            </Text>
            <Runs subscription={id} monitor={subscription.monitorId} />
          </Stack>
        </Paper>
      </SimpleGrid>
      <Dialog opened={isEditing} onClose={() => setEditing(false)} title="Change the subscription" size="lg" closeOnClickOutside={false}>
        {isEditing ? <Change subscription={subscription} onDone={() => setEditing(false)} /> : null}
      </Dialog>
      <Dialog opened={isRemoving} onClose={() => setRemoving(false)} title="Remove the subscription">
        <Stack>
          <Text size="sm">Its cursor and what it knows as reported are removed with it. This cannot be undone; switching it off keeps both.</Text>
          {remove.error ? <Refusal error={remove.error} title="It is not removed" /> : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setRemoving(false)}>
              Cancel
            </Button>
            <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
              Remove it for good
            </Button>
          </Group>
        </Stack>
      </Dialog>
    </Screen>
  );
}

const LOOKS = 60;
const LOOK_MS = 500;

/** The subscription once another run than the last one has ended. */
async function ranAfter(id: number, before: string | undefined): Promise<Body> {
  for (let look = 0; ; look++) {
    const now = await told(api.GET(`${BASE}/subscriptions/{id}`, { params: { path: { id } } }));
    if (now.lastRun?.id !== before || look >= LOOKS) return now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function Change(props: { subscription: Body; onDone: () => void }) {
  const { subscription } = props;
  const query = useVersion(subscription.monitorId, subscription.version);
  return <Loaded query={query}>{({ numbers, version }) => (version === undefined ? null : <SubscriptionForm monitor={subscription.monitorId} monitorName="" version={version} versions={numbers} subscription={subscription} onDone={props.onDone} />)}</Loaded>;
}

function Fact(props: { name: string; children: ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {props.name}
      </Text>
      <Text size="sm" component="div">
        {props.children}
      </Text>
    </div>
  );
}
