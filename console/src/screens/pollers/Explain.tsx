// A rehearsal: what a poll would do now. Nothing is written, nothing is sent.
import { Alert, Button, Group, Paper, Radio, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../api/client";
import type { components } from "../../api/schema";
import { Facts } from "../../parts/Facts";
import { Json } from "../../parts/Json";
import { Refusal } from "../../parts/Loaded";
import { ended, Sentence } from "../../parts/Sentence";
import { When } from "../../parts/When";
import { Decisions } from "./Decisions";
import type { Poller } from "./parts";
import { Timeline } from "./Timeline";
import { Tally, withEvents } from "./verdicts";

type Explanation = components["schemas"]["Explanation"];

/** The tab. */
export function Explain(props: { poller: Poller }) {
  const { instanceId, resource } = props.poller;
  const [kind, setKind] = useState("poll");
  const rehearse = useMutation({
    mutationFn: (kind: string) => told(api.GET(`${BASE}/instances/{id}/pollers/{resource}/explain`, { params: { path: { id: instanceId, resource }, query: { kind } } })),
  });
  return (
    <Stack>
      <Paper withBorder p="md">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            rehearse.mutate(kind);
          }}
        >
          <Stack gap="sm">
            <Text>Asks the provider as the next poll would, and decides about every record. Nothing is written and nothing is sent; it reads at most 20 pages.</Text>
            <Group justify="space-between" align="flex-end">
              <Radio.Group label="What to rehearse" value={kind} onChange={setKind}>
                <Group mt={4}>
                  <Radio value="poll" label="A poll: what changed" />
                  <Radio value="sweep" label="A sweep: everything, to find deletes" />
                </Group>
              </Radio.Group>
              <Button type="submit" loading={rehearse.isPending}>
                Rehearse it
              </Button>
            </Group>
          </Stack>
        </form>
      </Paper>
      {rehearse.error ? <Refusal error={rehearse.error} /> : null}
      {rehearse.data ? <Rehearsed explanation={rehearse.data} /> : null}
    </Stack>
  );
}

/** What came of a rehearsal. */
export function Rehearsed(props: { explanation: Explanation }) {
  const { explanation } = props;
  const { events } = explanation;
  const decisions = withEvents(explanation.decisions, events);
  return (
    <Paper withBorder p="md" component="section" aria-label="Rehearsal">
      <Stack>
        <p className={explanation.error ? "said is-bad" : "said"}>
          {explanation.error
            ? "It would fail."
            : events.length === 0
              ? `It would read ${explanation.counts.records} records and report nothing.`
              : `It would read ${explanation.counts.records} records and report ${events.length} ${events.length === 1 ? "event" : "events"}.`}
        </p>
        {explanation.error ? (
          <Alert color="red" title={explanation.error.code}>
            <Sentence text={ended(explanation.error.message)} />
          </Alert>
        ) : null}
        {explanation.status.sentence && !explanation.error ? (
          <Alert color="orange">
            <Sentence text={explanation.status.sentence} />
          </Alert>
        ) : null}
        <Facts
          facts={[
            ["Window from", <When key="from" at={explanation.window.from} exact none="no lower bound" />],
            ["to", <When key="to" at={explanation.window.to} exact none="–" />],
            ["Pages", explanation.counts.pages],
            ["Cursor", <Moved key="moved" before={explanation.watermarkBefore} after={explanation.watermarkAfter} />],
          ]}
        />
        <Timeline run={explanation} decisions={decisions} />
        <Tally counts={explanation.counts} />
        {explanation.requests.length > 0 ? (
          <details>
            <summary>The requests</summary>
            <ol>
              {explanation.requests.map((request, index) => (
                <li key={index} className="mono">
                  {request}
                </li>
              ))}
            </ol>
          </details>
        ) : null}
        {events.length > 0 ? (
          <details>
            <summary>The events as they would be recorded ({events.length})</summary>
            <Json value={events.slice(0, 20)} label="Events" height={320} />
          </details>
        ) : null}
        <Title order={3}>Decisions</Title>
        <Decisions decisions={decisions} counts={explanation.counts} />
      </Stack>
    </Paper>
  );
}

function Moved(props: { before: number | null | undefined; after: number | null | undefined }) {
  if (props.before === props.after) return <>stays where it is</>;
  return (
    <>
      <Point at={props.before} /> → <Point at={props.after} />
    </>
  );
}

/** A watermark that may be microseconds or a plain number: what is in this century reads as a date. */
function Point(props: { at: number | null | undefined }) {
  if (props.at === null || props.at === undefined) return <>none</>;
  return props.at > 9.4e14 && props.at < 4.1e15 ? <When at={new Date(props.at / 1000).toISOString()} exact /> : <span className="mono">{props.at}</span>;
}
