// The answer about one record: the sentence first, then what it rests on.
import { Anchor, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { Link } from "wouter";

import type { LogEntry, RecordAnswer } from "../../api/watching";
import { Facts } from "../../parts/Facts";
import { Mark } from "../../parts/Mark";
import { type Column, Rows } from "../../parts/Rows";
import { Sentence } from "../../parts/Sentence";
import { When } from "../../parts/When";
import { DeliveryRows } from "../deliveries/DeliveryRows";
import { Compared, Verdict } from "../pollers/verdicts";

type Sighting = RecordAnswer["sightings"][number];
type Version = RecordAnswer["versions"][number];

const VERSIONS: Column<Version>[] = [
  { head: "Compared", cell: (one) => (one.comparedDate ? <When at={one.comparedDate} exact /> : <span className="mono">{one.compared ?? "none"}</span>) },
  { head: "State", cell: (one) => <Mark word={one.state} /> },
];

const EVENTS: Column<LogEntry>[] = [
  { head: "Type", cell: (one) => <Mark word={one.notifiedData[0]?.eventType ?? "UNKNOWN"} /> },
  {
    head: "Event",
    cell: (one) => (
      <Anchor component={Link} href={`/events/${one.id}`} className="mono">
        {one.id}
      </Anchor>
    ),
  },
  { head: "Number", cell: (one) => one.sequence },
  { head: "Recorded", cell: (one) => <When at={one.eventDate} /> },
  { head: "State", cell: (one) => <Mark word={one.status} /> },
  { head: "Why", cell: (one) => <Sentence text={one.reason} /> },
];

/** It. */
export function Answer(props: { answer: RecordAnswer }) {
  const { answer } = props;
  const sightings: Column<Sighting>[] = [
    {
      head: "Poll",
      cell: ({ run }) => (
        <Anchor component={Link} href={`/runs/${run.id}?record=${encodeURIComponent(answer.objectId)}`} fw={600}>
          <When at={run.startedAt} still />
        </Anchor>
      ),
    },
    { head: "Kind", cell: ({ run }) => run.kind || "not kept any more" },
    { head: "Asked from", cell: ({ run }) => <When at={run.window.from} exact none="no lower bound" /> },
    { head: "Decision", cell: ({ decision }) => <Verdict decision={decision} /> },
    { head: "Reason", cell: ({ decision }) => <Sentence text={decision.reason} /> },
    { head: "Compared", cell: ({ decision }) => <Compared value={decision.compared} /> },
    {
      head: "Event",
      cell: ({ eventId, decision }) =>
        eventId ?? decision.eventId ? (
          <Anchor component={Link} href={`/events/${eventId ?? decision.eventId}`} size="sm">
            open
          </Anchor>
        ) : (
          "–"
        ),
    },
  ];
  const { runsWithout } = answer;
  return (
    <Stack>
      <p className="said" role="status">
        <Told text={answer.sentence} record={answer.objectId} />
      </p>
      <Paper withBorder p="md">
        <Facts
          facts={[
            ["Record", <span key="id" className="mono">{answer.objectId}</span>],
            ["Polled as", <Anchor key="poller" component={Link} href={`/instances/${answer.instanceId}/pollers/${encodeURIComponent(answer.resource)}`} inherit>{answer.resource}</Anchor>],
            ["Known", answer.known ? "yes" : "no"],
            ["Last seen", <When key="seen" at={answer.lastSeen} none="by no poll that is kept" />],
            ["Deleted", answer.deletedAt ? <When key="deleted" at={answer.deletedAt} /> : undefined],
          ]}
        />
      </Paper>
      <Part title={`Polls that saw it (${answer.sightings.length})`} empty="No poll that is kept has listed it." count={answer.sightings.length}>
        <Rows label="Polls that saw it" lead={["Poll", "Kind", "Decision"]} columns={sightings} rows={answer.sightings} keyOf={({ run, decision }) => `${run.id} ${decision.page} ${decision.compared} ${decision.reason}`} />
      </Part>
      {runsWithout.count > 0 ? (
        <Part title={`Polls that could have seen it and did not (${runsWithout.count})`} count={1} empty="">
          <Text size="sm" mb="xs">
            Their window could have held it, and the provider's answer did not list it
            {runsWithout.since ? (
              <>
                ; the first of them ran <When at={runsWithout.since} />
              </>
            ) : null}
            .
          </Text>
          <Group gap="xs">
            {(runsWithout.runs ?? []).map((run) => (
              <Anchor key={run} component={Link} href={`/runs/${run}`} className="mono">
                {run}
              </Anchor>
            ))}
          </Group>
        </Part>
      ) : null}
      <Part title={`Its events (${answer.events.length})`} empty="It became no event." count={answer.events.length}>
        <Rows label="Its events" lead={["Type", "Recorded", "State"]} columns={EVENTS} rows={answer.events} keyOf={(one) => one.id} />
      </Part>
      <Part title={`Its notifications (${answer.deliveries.length})`} empty="Nothing was sent about it." count={answer.deliveries.length}>
        <DeliveryRows deliveries={[...answer.deliveries].sort((a, b) => b.id - a.id)} />
      </Part>
      {answer.versions.length > 0 ? (
        <Part title={`Versions that the ledger keeps (${answer.versions.length})`} empty="" count={answer.versions.length}>
          <Rows label="Versions" lead={["Compared", "State"]} columns={VERSIONS} rows={answer.versions} keyOf={(one) => `${one.compared ?? ""} ${one.state}`} />
        </Part>
      ) : null}
    </Stack>
  );
}

/** What a sentence of the API names: runs, events, deliveries, instants. */
const NAMED = /(\brun_[0-9a-z]+|\bevt_[0-9a-z]+|\bdelivery \d+|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** The sentence, with ways to what it names and with instants as they are read here. */
function Told(props: { text: string; record: string }) {
  return (
    <>
      {props.text.split(NAMED).map((part, index) => {
        if (index % 2 === 0) return <Sentence key={index} text={part} />;
        if (/^\d/.test(part)) return <When key={index} at={part} exact />;
        const to = part.startsWith("run_") ? `/runs/${part}?record=${encodeURIComponent(props.record)}` : part.startsWith("evt_") ? `/events/${part}` : `/deliveries/${part.slice("delivery ".length)}`;
        return (
          <Anchor key={index} component={Link} href={to} inherit underline="always" className={part.includes("_") ? "mono" : undefined}>
            {part}
          </Anchor>
        );
      })}
    </>
  );
}

function Part(props: { title: string; empty: string; count: number; children: React.ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Title order={2} mb="sm">
        {props.title}
      </Title>
      {props.count === 0 ? <Text c="dimmed">{props.empty}</Text> : props.children}
    </Paper>
  );
}
