// One delivery: its tries with what was sent and what came back.
import { Alert, Anchor, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { type Attempt, type DeliveryDetail, delivery as readDelivery } from "../../api/watching";
import { Facts } from "../../parts/Facts";
import { Json } from "../../parts/Json";
import { Loaded } from "../../parts/Loaded";
import { Screen } from "../../parts/Screen";
import { Sentence } from "../../parts/Sentence";
import { duration, When } from "../../parts/When";
import { DeliveryMark } from "./DeliveryRows";
import { Redeliver } from "./Redeliver";

/** What the API shows in place of a secret. */
const HIDDEN = "********";

/** The screen of a delivery. */
export default function Delivery(props: { id: number }) {
  const query = useQuery({
    queryKey: ["delivery", props.id],
    queryFn: () => readDelivery(props.id),
    refetchInterval: (query) => {
      const { data } = query.state;
      return data && ["created", "retry"].includes(data.status) ? Math.min(60_000, Math.max(3_000, data.nextDue ? Date.parse(data.nextDue) - Date.now() + 1_500 : 5_000)) : false;
    },
  });
  return (
    <Loaded query={query} rows={8} head={{ title: `Notification ${props.id}`, crumbs: [{ label: "Deliveries", to: "/deliveries" }] }}>
      {(delivery) => (
        <Screen
          title={`Notification ${delivery.id}`}
          crumbs={[{ label: "Deliveries", to: "/deliveries" }]}
          about={
            <Group gap="xs" mt={4}>
              <DeliveryMark status={delivery.status} />
              <span>
                formed <When at={delivery.createdDate} />
              </span>
            </Group>
          }
          actions={<Redeliver delivery={delivery} size="sm" />}
        >
          <Told delivery={delivery} />
        </Screen>
      )}
    </Loaded>
  );
}

function Told(props: { delivery: DeliveryDetail }) {
  const { delivery } = props;
  return (
    <>
      <p className={delivery.status === "dead" ? "said is-bad" : ["retry", "queued"].includes(delivery.status) ? "said is-warn" : "said"}>{summary(delivery)}</p>
      {delivery.status === "dead" ? <Alert color="orange">It is tried no more by itself. When its receiver works again, redeliver it: it goes out with the same id and the same bytes.</Alert> : null}
      <Paper withBorder p="md">
        <Facts
          facts={[
            ["Instance", <Anchor key="instance" component={Link} href={`/instances/${delivery.instanceId}`} inherit>{delivery.instanceName ?? String(delivery.instanceId)}</Anchor>],
            ["Endpoint", <Anchor key="endpoint" component={Link} href={`/deliveries?endpoint=${delivery.subscriptionId}`} inherit>{String(delivery.subscriptionId)}</Anchor>],
            ["Failed tries", delivery.failures],
            ["First failed", delivery.firstFailedAt ? <When key="first" at={delivery.firstFailedAt} /> : undefined],
            ["Next try", delivery.nextDue && !delivery.completedDate ? <When key="next" at={delivery.nextDue} /> : undefined],
            ["Closed", delivery.completedDate ? <When key="closed" at={delivery.completedDate} /> : undefined],
            ["Split from", delivery.splitFrom ? <Anchor key="from" component={Link} href={`/deliveries/${delivery.splitFrom}`} inherit>{`notification ${delivery.splitFrom}`}</Anchor> : undefined],
          ]}
        />
      </Paper>
      <Paper withBorder p="md" component="section" aria-labelledby="attempts">
        <Title order={2} id="attempts" mb="sm">
          Attempts
        </Title>
        {delivery.attempts.length === 0 ? (
          <Text c="dimmed">It was not tried yet.</Text>
        ) : (
          <Stack component="ol" gap="md" m={0} p={0} style={{ listStyle: "none" }}>
            {[...delivery.attempts].reverse().map((attempt, index) => (
              <li key={attempt.id}>
                <Try attempt={attempt} number={delivery.attempts.length - index} isNewest={index === 0} />
              </li>
            ))}
          </Stack>
        )}
      </Paper>
      <Paper withBorder p="md" component="section" aria-labelledby="request">
        <Title order={2} id="request" mb="sm">
          What is sent
        </Title>
        <Text size="sm" c="dimmed" mb="xs">
          The body is the same at every try.
        </Text>
        <Json value={delivery.notification ?? null} label="Body of the notification" />
      </Paper>
      <Paper withBorder p="md" component="section" aria-labelledby="events">
        <Title order={2} id="events" mb="sm">
          Its events
        </Title>
        <Stack component="ul" gap={4} m={0} p={0} style={{ listStyle: "none" }}>
          {delivery.events.map((event) => (
            <li key={event}>
              <Anchor component={Link} href={`/events/${event}`} className="mono">
                {event}
              </Anchor>
            </li>
          ))}
        </Stack>
      </Paper>
    </>
  );
}

function summary(delivery: DeliveryDetail): string {
  const isOne = delivery.events.length === 1;
  const events = isOne ? "event" : `${delivery.events.length} events`;
  const were = isOne ? "was" : "were";
  const are = isOne ? "is" : "are";
  const last = delivery.attempts.at(-1);
  const why = last?.status ? `the last answer was ${last.status}` : (last?.error ?? "no answer came");
  switch (delivery.status) {
    case "delivered":
      return delivery.failures > 0 ? `Its ${events} ${were} accepted, after ${delivery.failures} failed ${delivery.failures === 1 ? "try" : "tries"}.` : `Its ${events} ${were} accepted.`;
    case "retry":
      return `Its ${events} ${were} not accepted yet, and ${are} tried again: ${why}.`;
    case "dead":
      return `Its ${events} ${were} not accepted: ${why}. It is a dead letter.`;
    case "queued":
      return `Its ${events} ${are} held until somebody releases them: ${why}.`;
    case "split":
      return `It was closed and replaced by single ones, one for each event, so that one bad event does not hold up the others.`;
    case "cancelled":
      return `It was cancelled: its ${events} ${are} sent no more.`;
    default:
      return `Its ${events} ${are} about to be sent.`;
  }
}

function Try(props: { attempt: Attempt; number: number; isNewest: boolean }) {
  const { attempt } = props;
  const isGood = attempt.status !== null && attempt.status !== undefined && attempt.status >= 200 && attempt.status < 300;
  return (
    <div style={{ borderLeft: `4px solid var(--mark-${isGood ? "good" : "bad"})`, paddingLeft: "0.75rem" }}>
      <Group gap="xs">
        <Text fw={600}>Attempt {props.number}</Text>
        <Text style={{ color: `var(--mark-${isGood ? "good" : "bad"})` }} fw={600}>
          {attempt.status ?? "no answer"}
        </Text>
        <Text size="sm" c="dimmed">
          <When at={attempt.startedAt} />, after {duration(attempt.durationMs / 1000)}
        </Text>
      </Group>
      {attempt.error ? (
        <Text size="sm">
          <Sentence text={attempt.error} />
        </Text>
      ) : null}
      {attempt.request ? (
        <details>
          <summary>Request</summary>
          <Request request={attempt.request} />
        </details>
      ) : null}
      {attempt.answer ? (
        <details open={!isGood && props.isNewest}>
          <summary>Answer</summary>
          <Json value={attempt.answer} label={`Answer to attempt ${props.number}`} height={200} />
        </details>
      ) : null}
    </div>
  );
}

/** What was sent, beside the body. Long values break rather than push the page apart. */
function Request(props: { request: NonNullable<Attempt["request"]> }) {
  const { request } = props;
  return (
    <div className="mono" style={{ fontSize: "0.8rem", overflowWrap: "anywhere", padding: "0.25rem 0 0.5rem" }}>
      <Text inherit fw={600}>
        {request.method} {request.url}
      </Text>
      {request.headers.map((header, index) => (
        <div key={index}>
          {header.name}: {header.value === HIDDEN ? <Text span inherit c="dimmed">hidden</Text> : header.value}
        </div>
      ))}
    </div>
  );
}
