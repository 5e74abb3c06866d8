// One event: why it was recorded, the record before and after, and how it was sent.
import { Anchor, Button, Group, Paper, Stack, Tabs, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { deliveries, event as readEvent, type LogEntry } from "../../api/watching";
import { Differences } from "../../parts/Differences";
import { parsed } from "../../parts/fields";
import { Facts } from "../../parts/Facts";
import { Json } from "../../parts/Json";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Screen } from "../../parts/Screen";
import { ended, Sentence } from "../../parts/Sentence";
import { When } from "../../parts/When";
import { DeliveryRows } from "../deliveries/DeliveryRows";

const STATUS: Record<string, string> = {
  NEW: "It waits to be sent.",
  DISPATCHED: "It is in a notification that is not accepted yet.",
  NOTIFIED: "Its callback accepted it.",
  RECEIVED: "Its instance has no callback: it is read from the feed.",
};

/** The screen of an event. */
export default function Event(props: { id: string }) {
  const query = useQuery({ queryKey: ["event", props.id], queryFn: () => readEvent(props.id) });
  return (
    <Loaded query={query} rows={8} head={{ title: "Event", crumbs: [{ label: "Events", to: "/events" }] }}>
      {(entry) => {
        const told = entry.notifiedData[0];
        return (
          <Screen
            title={told ? `${told.eventType} ${told.objectType} ${told.objectId}` : entry.id}
            crumbs={[{ label: "Events", to: "/events" }]}
            about={
              <Group gap="xs" mt={4}>
                <Mark word={entry.status} />
                <span>
                  recorded <When at={entry.eventDate} />
                </span>
                <span className="mono">{entry.id}</span>
              </Group>
            }
            actions={
              told ? (
                <>
                  <Button component={Link} variant="default" href={`/events?record=${encodeURIComponent(told.objectId)}&resource=${encodeURIComponent(told.objectType)}&instance=${entry.instanceId}`}>
                    All events of this record
                  </Button>
                  <Button component={Link} href={`/ask?instance=${entry.instanceId}&resource=${encodeURIComponent(told.objectType)}&id=${encodeURIComponent(told.objectId)}`}>
                    Ask about this record
                  </Button>
                </>
              ) : null
            }
          >
            <Told entry={entry} />
          </Screen>
        );
      }}
    </Loaded>
  );
}

function Told(props: { entry: LogEntry }) {
  const { entry } = props;
  const told = entry.notifiedData[0];
  const after = parsed(entry.providerData);
  const before = entry.before === undefined || entry.before === null ? undefined : parsed(entry.before);
  const sent = useQuery({ queryKey: ["deliveries", { event: entry.id }], queryFn: () => deliveries({ eventId: entry.id, pageSize: 20 }) });
  return (
    <>
      <p className="said">
        <Sentence text={sentence(entry.reason)} /> {STATUS[entry.status] ?? ""}
      </p>
      <Paper withBorder p="md">
        <Facts
          facts={[
            ["Instance", <Anchor key="instance" component={Link} href={`/instances/${entry.instanceId}`} inherit>{entry.instanceName ?? `${entry.elementKey} · ${entry.instanceId}`}</Anchor>],
            ["Date of the change", <When key="date" at={told?.date} exact />],
            ["Number among the record's events", entry.sequence],
            ["Position in the log", entry.position],
            entry.requestId
              ? ["Brought by", <Anchor key="request" component={Link} href={`/instances/${entry.instanceId}?tab=webhook`} inherit>{`notification ${entry.requestId} of the provider`}</Anchor>]
              : ["Found by", <Anchor key="run" component={Link} href={`/runs/${entry.runId}${told ? `?record=${encodeURIComponent(told.objectId)}` : ""}`} inherit>this poll</Anchor>],
          ]}
        />
      </Paper>
      <Paper withBorder p="md" component="section" aria-labelledby="record">
        <Title order={2} id="record" mb="sm">
          The record
        </Title>
        <Tabs defaultValue="fields" keepMounted={false}>
          <Tabs.List mb="sm">
            <Tabs.Tab value="fields">{before === undefined ? "Fields" : "Before and after"}</Tabs.Tab>
            <Tabs.Tab value="raw">Raw</Tabs.Tab>
            <Tabs.Tab value="sent">As it is sent</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="fields">
            {entry.providerData === "" ? (
              <Text c="dimmed">{told?.eventType === "DELETED" ? "The record is gone at the provider, so there is nothing to show of it." : "Its content is kept no more."}</Text>
            ) : (
              <Stack gap="sm">
                {before === undefined ? <Text size="sm" c="dimmed">{entry.sequence === 1 ? "It is the first event of this record, so there is no version before." : "The log keeps no earlier version of it."}</Text> : null}
                <Differences before={before} after={after} />
              </Stack>
            )}
          </Tabs.Panel>
          <Tabs.Panel value="raw">
            <Json value={entry.providerData} label="The record as the provider wrote it" height={520} />
          </Tabs.Panel>
          <Tabs.Panel value="sent">
            <Json value={entry.notifiedData} label="What goes out" height={520} />
          </Tabs.Panel>
        </Tabs>
      </Paper>
      <Paper withBorder p="md" component="section" aria-labelledby="sent">
        <Title order={2} id="sent" mb="sm">
          How it was sent
        </Title>
        <Loaded query={sent}>
          {(page) => (page.entries.length === 0 ? <Text c="dimmed">{entry.status === "RECEIVED" ? "Its instance has no callback. Read it from the feed." : "It is in no notification yet."}</Text> : <DeliveryRows deliveries={page.entries} />)}
        </Loaded>
      </Paper>
    </>
  );
}

function sentence(reason: string): string {
  if (reason === "") return "";
  return ended(`${reason.charAt(0).toUpperCase()}${reason.slice(1)}`);
}
