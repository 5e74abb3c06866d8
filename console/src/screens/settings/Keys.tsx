// Which callbacks get signed notifications, and how long things are kept.
import { Anchor, Badge, Code, List, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { api, BASE, told } from "../../api/client";
import { endpoints, type Endpoint } from "../../api/watching";
import { Loaded } from "../../parts/Loaded";
import { Pager, usePlace } from "../../parts/Pages";
import { type Column, Rows } from "../../parts/Rows";

const PAGE = 25;

const COLUMNS: Column<Endpoint>[] = [
  {
    head: "Endpoint of",
    cell: (one) => (
      <Anchor component={Link} href={one.subscriptionId ? `/subscriptions/${one.subscriptionId}` : `/instances/${one.instanceId}`} fw={600}>
        {one.instanceName}
      </Anchor>
    ),
  },
  {
    head: "Callback",
    cell: (one) => (
      <Text span inherit className="mono" size="sm" style={{ overflowWrap: "anywhere" }}>
        {one.url ?? one.kind}
      </Text>
    ),
  },
  {
    head: "Signature",
    cell: (one) =>
      one.signatureKeys > 0 ? (
        <Badge variant="light" color="teal" tt="none" style={{ color: "var(--mark-good)" }}>
          {one.signatureKeys === 1 ? "signed" : `signed with ${one.signatureKeys} keys`}
        </Badge>
      ) : (
        <Badge variant="light" color="orange" tt="none" style={{ color: "var(--mark-warn)" }}>
          not signed
        </Badge>
      ),
  },
  {
    head: "Actions",
    quiet: true,
    cell: (one) => (
      <Anchor component={Link} href={one.subscriptionId ? `/subscriptions/${one.subscriptionId}` : `/instances/new?edit=${one.instanceId}`} size="sm" aria-label={`Change the key of ${one.instanceName}`}>
        Change the key
      </Anchor>
    ),
  },
];

/** The panel. */
export function Keys() {
  return (
    <Stack gap="xl">
      <SigningKeys />
      <Retention />
    </Stack>
  );
}

function SigningKeys() {
  const place = usePlace();
  const query = useQuery({ queryKey: ["endpoints", "keys", place.token], queryFn: () => endpoints({ pageSize: PAGE, ...(place.token ? { nextPage: place.token } : {}) }) });
  return (
    <Stack gap="xs" maw={960}>
      <Title order={2}>Signing keys</Title>
      <Text size="sm" maw={760}>
        Each instance has a key of its own, the <b>Callback Notification Signature Key</b> among its optional fields. With it every notification carries <Code>Elements-Webhook-Signature</Code>, by which your callback knows that it comes from here and was not changed. Keys are kept sealed and never shown again. A new key counts from the next attempt on, and the old one signs nothing any more.
      </Text>
      <Loaded query={query} rows={4}>
        {(page) =>
          page.entries.length === 0 && place.token === undefined ? (
            <Text size="sm" c="dimmed">
              No notifications go anywhere yet: there is no instance with a callback.
            </Text>
          ) : (
            <>
              <Rows label="Signing keys" columns={COLUMNS} rows={page.entries} keyOf={(one) => String(one.id)} />
              <Pager page={page} place={place} what="endpoints" />
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}

function Retention() {
  const query = useQuery({ queryKey: ["retention"], queryFn: () => told(api.GET(`${BASE}/retention`)) });
  return (
    <Stack gap="xs" maw={760}>
      <Title order={2}>Retention</Title>
      <Text size="sm">
        What is older is removed for good. Whoever runs the server sets it, with <Code>turnstone serve --keep-events</Code> and its siblings.
      </Text>
      <Loaded query={query} rows={4}>
        {(kept) => (
          <Table aria-label="Retention">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>What</Table.Th>
                <Table.Th>Kept for</Table.Th>
                <Table.Th>Exception</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              <Kept what="Events" days={kept.events} but="one that waits for its delivery stays until it is there" />
              <Kept what="Polls and runs, with what they decided" days={kept.runs} />
              <Kept what="Attempts of deliveries" days={kept.attempts} />
              <Kept what="Webhooks as the provider sent them" days={kept.webhooks} but="never shorter than an event that came of one" />
              <Kept what="What is known of a record that was deleted" days={kept.deletedRecords} />
            </Table.Tbody>
          </Table>
        )}
      </Loaded>
      <List size="sm" spacing="xs">
        <List.Item>What is known of records that are still there is never removed, or they would be reported twice.</List.Item>
        <List.Item>What the cards of a flow did is kept of the last 50 runs of a subscription.</List.Item>
        <List.Item>Entries of the audit stay when their user is gone.</List.Item>
        <List.Item>A link that signs a browser in is good for an hour, a session for twelve.</List.Item>
      </List>
    </Stack>
  );
}

function Kept(props: { what: string; days: number; but?: string }) {
  return (
    <Table.Tr>
      <Table.Td>{props.what}</Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        {props.days} {props.days === 1 ? "day" : "days"}
      </Table.Td>
      <Table.Td>{props.but ?? "–"}</Table.Td>
    </Table.Tr>
  );
}
