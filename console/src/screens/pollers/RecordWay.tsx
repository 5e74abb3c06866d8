// The way of one record through one poll: window, page, decision, event, notifications, attempts.
import { Anchor, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { type Decision, deliveries, delivery, type RunDetail } from "../../api/watching";
import { asFailure } from "../../api/failure";
import { Mark } from "../../parts/Mark";
import { Sentence } from "../../parts/Sentence";
import { type Step, Way } from "../../parts/Way";
import { duration, When } from "../../parts/When";
import { instantOf } from "./Timeline";
import { isEvent, Verdict } from "./verdicts";

/** The steps. */
export function RecordWay(props: { run: RunDetail; decision: Decision }) {
  const { run, decision } = props;
  const at = instantOf(decision);
  const request = run.requests[decision.page - 1];
  const became = isEvent(decision);
  const steps: Step[] = [
    {
      head: "Window",
      tone: "info",
      body: (
        <>
          asked from {run.window.from ? <When at={run.window.from} exact /> : "the beginning"} on{at === undefined ? "" : <>; its compared value lies {place(at, run)}</>}
        </>
      ),
    },
    { head: decision.page > 0 ? `Page ${decision.page}` : "Page", tone: "info", body: request ? <span className="mono">{request}</span> : decision.page > 0 ? "its request is not among those that are kept" : "no page held it" },
    { head: "Compared value", tone: "info", body: <span className="mono">{decision.compared || "none"}</span> },
    {
      head: "Decision",
      tone: became ? "good" : decision.ignored === "quarantined" ? "warn" : "calm",
      body: (
        <>
          <Verdict decision={decision} /> <Sentence text={decision.reason} />
        </>
      ),
    },
  ];
  if (became && decision.eventId) {
    steps.push({
      head: "Event",
      tone: "good",
      body: (
        <Anchor component={Link} href={`/events/${decision.eventId}`} underline="always" className="mono">
          {decision.eventId}
        </Anchor>
      ),
    });
  }
  return (
    <>
      <Way label="The way of the record" steps={steps} />
      {became && decision.eventId ? <Sent event={decision.eventId} /> : null}
      {became && !decision.eventId ? <Text size="sm" c="dimmed">The event itself is kept no more, or is not told yet.</Text> : null}
      {!became ? (
        <Text size="sm" c="dimmed">
          The way ends here: no event, so nothing was sent.
        </Text>
      ) : null}
      {run.instanceId && decision.objectId ? (
        <Anchor component={Link} href={`/ask?poller=${run.pollerId}&instance=${run.instanceId}&id=${encodeURIComponent(decision.objectId)}`} size="sm" underline="always">
          Ask every poll about this record
        </Anchor>
      ) : null}
    </>
  );
}

function place(at: number, run: RunDetail): string {
  if (run.window.from && at < Date.parse(run.window.from)) return "before it";
  if (run.window.to && at > Date.parse(run.window.to)) return "after the provider's time at the start";
  return "within it";
}

function Sent(props: { event: string }) {
  const query = useQuery({ queryKey: ["deliveries", { event: props.event }], queryFn: () => deliveries({ eventId: props.event, pageSize: 10 }) });
  if (query.error) return <Text size="sm" c="dimmed">Its notifications are not shown: {asFailure(query.error).message}</Text>;
  if (query.data === undefined) return <Loader size="sm" aria-label="Loading" />;
  if (query.data.entries.length === 0) return <Text size="sm" c="dimmed" mb="sm">No notification holds it yet: its instance has no callback, or it waits to be sent.</Text>;
  // A notification that was split has a successor that says how it went on; the newest is first.
  return (
    <>
      {query.data.entries.slice(0, 2).map((one) => (
        <Notification key={one.id} id={one.id} />
      ))}
    </>
  );
}

function Notification(props: { id: number }) {
  const query = useQuery({ queryKey: ["delivery", props.id], queryFn: () => delivery(props.id) });
  const { data } = query;
  if (data === undefined) return query.error ? <Text size="sm">{asFailure(query.error).message}</Text> : <Loader size="sm" aria-label="Loading" />;
  const tone = data.status === "delivered" ? "good" : data.status === "dead" ? "bad" : "warn";
  return (
    <Way
      label={`Notification ${data.id}`}
      steps={[
        {
          head: "Notification",
          tone,
          body: (
            <>
              <Anchor component={Link} href={`/deliveries/${data.id}`} underline="always">
                {data.id}
              </Anchor>{" "}
              <Mark word={data.status} /> with {data.events.length} {data.events.length === 1 ? "event" : "events"}
            </>
          ),
        },
        ...data.attempts.map(
          (attempt, index): Step => ({
            head: `Attempt ${index + 1}`,
            tone: attempt.status !== null && attempt.status !== undefined && attempt.status < 300 ? "good" : "bad",
            body: (
              <>
                <When at={attempt.startedAt} />: {attempt.status ?? "no answer"} after {duration(attempt.durationMs / 1000)} {attempt.error ? <Sentence text={attempt.error} /> : null}
              </>
            ),
          }),
        ),
      ]}
    />
  );
}
