// What needs somebody: failing pollers and endpoints, each with its reason and the way to it.
import { Anchor, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "wouter";

import type { Endpoint, PollerEntry } from "../../api/watching";
import { Mark } from "../../parts/Mark";
import { Sentence } from "../../parts/Sentence";
import { When } from "../../parts/When";
import { pollerAddress, PollerMark } from "../pollers/parts";

/** What an endpoint has not accepted. */
function open({ open: { dead, retry, queued } }: Endpoint): string {
  const waiting = retry + queued;
  return [...(dead > 0 ? [`${dead} dead ${dead === 1 ? "letter" : "letters"}`] : []), ...(waiting > 0 || dead === 0 ? [`${waiting === 0 ? "nothing" : waiting} waiting`] : [])].join(", ");
}

/** A list of what does not work, worst first as the API orders it. */
export function Attention(props: { pollers: PollerEntry[]; endpoints: Endpoint[]; total: number }) {
  const shown = props.pollers.length + props.endpoints.length;
  if (shown === 0) return null;
  return (
    <Paper component="section" aria-labelledby="attention" withBorder p="md" style={{ borderLeft: "4px solid #c92a2a" }}>
      <Group gap="xs" mb="xs">
        <IconAlertTriangle size={18} color="var(--mark-bad)" aria-hidden />
        <Title order={2} id="attention">
          Needs attention
        </Title>
      </Group>
      <Stack component="ul" gap="sm" m={0} p={0} style={{ listStyle: "none" }}>
        {props.pollers.map((poller) => (
          <li key={`p${poller.id}`}>
            <Group gap="xs">
              <PollerMark poller={poller} />
              <Anchor component={Link} href={pollerAddress(poller)} fw={600}>
                {poller.instanceName} · {poller.resource}
              </Anchor>
              <Text size="sm" c="dimmed">
                {poller.failuresInARow > 1 ? `${poller.failuresInARow} polls failed in a row; ` : poller.failuresInARow === 1 ? "its last poll failed; " : ""}
                {poller.completeTo ? <>complete to <When at={poller.completeTo} /></> : "no pass is complete yet"}
              </Text>
            </Group>
            <Text size="sm" mt={2}>
              <Sentence text={poller.status.sentence || "Its last polls failed."} />
            </Text>
          </li>
        ))}
        {props.endpoints.map((endpoint) => (
          <li key={`e${endpoint.id}`}>
            <Group gap="xs">
              <Mark word={endpoint.state === "active" ? "waiting" : endpoint.state} tone={endpoint.state === "active" ? "warn" : "bad"} />
              <Anchor component={Link} href={`/deliveries?show=endpoints`} fw={600}>
                {endpoint.instanceName} · {endpoint.kind}
              </Anchor>
              <Text size="sm" c="dimmed">
                {open(endpoint)}; {endpoint.acceptedAt ? <>accepted last <When at={endpoint.acceptedAt} /></> : "it has accepted nothing yet"}
              </Text>
            </Group>
            <Text size="sm" mt={2}>
              <Sentence text={endpoint.reason || "Some of its notifications were not accepted yet."} /> <span className="mono">{endpoint.url ?? ""}</span>
            </Text>
          </li>
        ))}
      </Stack>
      {props.total > shown ? (
        <Button component={Link} href="/instances" variant="subtle" size="xs" mt="xs">
          {props.total - shown} more
        </Button>
      ) : null}
    </Paper>
  );
}
