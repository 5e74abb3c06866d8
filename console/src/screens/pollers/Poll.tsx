// One poll from window to delivery: what was asked for, what came, what was decided and why, and what was sent.
import { Alert, Button, Grid, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link } from "wouter";

import { type Decision, run as readRun, type RunDetail } from "../../api/watching";
import { useAddress } from "../../parts/address";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { eventsOf } from "../../parts/Polls";
import { Screen } from "../../parts/Screen";
import { ended, Sentence } from "../../parts/Sentence";
import { duration, When } from "../../parts/When";
import { Cards } from "./Cards";
import { Decisions } from "./Decisions";
import { pollerAddress } from "./parts";
import { RecordWay } from "./RecordWay";
import { Timeline } from "./Timeline";
import { isEvent, keyOf, Tally } from "./verdicts";

const KIND = { poll: "Poll", sweep: "Sweep", look: "Look at single records", flow: "Monitor's run" } as Record<string, string>;

/** The screen of a run. */
export default function Poll(props: { run: string }) {
  const query = useQuery({ queryKey: ["run", props.run], queryFn: () => readRun(props.run), staleTime: 60_000 });
  return (
    <Loaded query={query} rows={8} head={{ title: "Poll", crumbs: [{ label: "Instances", to: "/instances" }] }}>
      {(run) => {
        const place = run.instanceId && run.resource ? pollerAddress({ instanceId: run.instanceId, resource: run.resource, subscriptionId: run.subscriptionId }) : undefined;
        return (
          <Screen
            title={`${KIND[run.kind] ?? run.kind} of ${run.resource ?? `poller ${run.pollerId}`}`}
            crumbs={[
              ...(!run.instanceId ? [] : [{ label: "Instances", to: "/instances" }, { label: run.instanceName || `Instance ${run.instanceId}`, to: `/instances/${run.instanceId}` }]),
              ...(place === undefined ? [] : [{ label: run.resource ?? "", to: place }]),
            ]}
            about={
              <Group gap="xs" mt={4}>
                <Mark word={run.outcome} />
                <span>
                  started <When at={run.startedAt} />, took {duration((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000)}
                </span>
                <span className="mono">{run.id}</span>
              </Group>
            }
            actions={
              place && run.kind !== "flow" ? (
                <Button component={Link} href={`${place}?tab=explain`} variant="default">
                  What a poll would do now
                </Button>
              ) : null
            }
          >
            <Told run={run} />
          </Screen>
        );
      }}
    </Loaded>
  );
}

function Told(props: { run: RunDetail }) {
  const { run } = props;
  const [address, change] = useAddress();
  const search = address.get("search") ?? "";
  const openedId = address.get("record") ?? undefined;
  const isThere = search === "" || run.decisions.some((decision) => decision.objectId.toLowerCase().includes(search.trim().toLowerCase()));
  // What is not among the decisions that came with the run may still be kept under its id.
  const exact = useQuery({
    queryKey: ["run", run.id, "record", search.trim()],
    queryFn: () => readRun(run.id, search.trim()),
    enabled: !isThere && run.counts.records > run.decisions.length,
    retry: false,
  });
  const isFlow = run.kind === "flow";
  const decisions = [...run.decisions, ...(isThere ? [] : (exact.data?.decisions ?? []))];
  const opened = openedId === undefined ? undefined : (decisions.find((one) => one.objectId === openedId && isEvent(one)) ?? decisions.find((one) => one.objectId === openedId));
  const panel = useRef<HTMLHeadingElement>(null);
  const before = useRef(openedId);
  useEffect(() => {
    if (openedId !== undefined && openedId !== before.current) panel.current?.focus();
    before.current = openedId;
  }, [openedId]);
  return (
    <>
      <p className={run.outcome === "failed" ? "said is-bad" : "said"}>{summary(run)}</p>
      {run.error ? (
        <Alert color="red" title={run.error.code}>
          <Sentence text={ended(run.error.message)} /> {run.error.transient ? "It is tried again by itself." : "It needs somebody."}
        </Alert>
      ) : null}
      {run.notes.length > 0 ? (
        <Alert color="gray" title="Remarks">
          <ul style={{ margin: 0, paddingLeft: "1.2rem" }}>
            {run.notes.map((note, index) => (
              <li key={index}>
                <Sentence text={note} />
              </li>
            ))}
          </ul>
        </Alert>
      ) : null}
      <Stages run={run} />
      {isFlow ? <Cards run={run.id} /> : null}
      {!isFlow || decisions.length > 0 ? (
        <>
          {run.counts.records > 0 || run.outcome !== "failed" ? (
            <Paper withBorder p="md" component="section" aria-labelledby="time">
              <Title order={2} id="time" mb="sm">
                The window and the records
              </Title>
              <Stack gap="sm">
                <Timeline run={run} decisions={decisions} {...(opened ? { marked: opened.objectId } : {})} />
                <Tally counts={run.counts} />
              </Stack>
            </Paper>
          ) : null}
          <Grid gap="md">
            {opened ? (
              <Grid.Col span={{ base: 12, md: 5 }} order={{ base: 1, md: 2 }}>
                <Paper withBorder p="md" component="section" aria-labelledby="way" style={{ position: "sticky", top: 72 }}>
                  <Group justify="space-between" wrap="nowrap" align="flex-start" mb="sm">
                    <Title order={2} id="way" ref={panel} tabIndex={-1} style={{ outline: "none" }}>
                      Record <span className="mono">{opened.objectId || "without an id"}</span>
                    </Title>
                    <Button size="xs" variant="default" onClick={() => change({ record: undefined })}>
                      Close
                    </Button>
                  </Group>
                  <RecordWay run={run} decision={opened} />
                </Paper>
              </Grid.Col>
            ) : null}
            <Grid.Col span={{ base: 12, md: opened ? 7 : 12 }} order={{ base: 2, md: 1 }}>
              <Paper withBorder p="md" component="section" aria-labelledby="decisions">
                <Title order={2} id="decisions" mb="sm">
                  Records and what was decided
                </Title>
                <Decisions
                  decisions={decisions}
                  counts={run.counts}
                  search={search}
                  onSearch={(search) => change({ search })}
                  onOpen={(decision: Decision) => change({ record: decision === opened ? undefined : decision.objectId })}
                  opened={opened}
                />
              </Paper>
            </Grid.Col>
          </Grid>
          <Requests run={run} />
        </>
      ) : null}
    </>
  );
}

function summary(run: RunDetail): string {
  const { counts } = run;
  const events = eventsOf(run);
  const pages = `${counts.pages} ${counts.pages === 1 ? "page" : "pages"}`;
  const records = `${counts.records} ${counts.records === 1 ? "record" : "records"}`;
  const read = run.kind === "flow" ? records : `${records} on ${pages}`;
  if (run.outcome === "failed") return `It failed after ${read}. The cursor stays where it was; nothing is lost.`;
  const did = events === 0 ? "reported nothing" : `reported ${events} ${events === 1 ? "event" : "events"}`;
  if (run.kind === "flow") return `Its cards returned ${read}, and it ${did}.`;
  return run.outcome === "yielded" ? `It read ${read}, ${did} so far, and the pass goes on in the next run.` : `It read ${read} and ${did}.`;
}

function Stages(props: { run: RunDetail }) {
  const { run } = props;
  const { counts } = run;
  const ignored = counts.reported + counts.beforeWindow + counts.superseded + counts.filtered;
  const stage = (head: string, value: React.ReactNode, about: React.ReactNode) => (
    <li>
      <Text size="xs" c="dimmed">
        {head}
      </Text>
      <Text fw={700}>{value}</Text>
      <Text size="xs" c="dimmed" component="div">
        {about}
      </Text>
    </li>
  );
  return (
    <ol className="stages" aria-label="From window to events">
      {run.kind === "flow" ? null : stage("Window", run.window.from ? <When at={run.window.from} exact /> : "no lower bound", run.window.to ? <>to <When at={run.window.to} exact /></> : "")}
      {run.kind === "flow" ? null : stage("Pages", counts.pages, `${run.requests.length} ${run.requests.length === 1 ? "request is" : "requests are"} kept`)}
      {stage("Records", counts.records, counts.quarantined > 0 ? `${counts.quarantined} quarantined` : "")}
      {stage("Ignored", ignored, counts.seeded > 0 ? `${counts.seeded} taken as known` : ignored > 0 ? "each with its reason below" : "")}
      {stage(
        "Events",
        eventsOf(run),
        eventsOf(run) > 0 ? `${counts.created} created, ${counts.updated} updated, ${counts.deleted} deleted` : "",
      )}
    </ol>
  );
}

function Requests(props: { run: RunDetail }) {
  const { run } = props;
  if (run.requests.length === 0) return null;
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="requests">
      <Title order={2} id="requests" mb="sm">
        What the provider was asked
      </Title>
      <ol style={{ margin: 0, paddingLeft: "1.6rem" }}>
        {run.requests.map((request, index) => (
          <li key={index} className="mono">
            {request}
          </li>
        ))}
      </ol>
      <Text size="xs" c="dimmed" mt="xs">
        {run.clockSkewMs === null || run.clockSkewMs === undefined ? "" : `Our clock was ${Math.abs(run.clockSkewMs)} ms ${run.clockSkewMs >= 0 ? "ahead of" : "behind"} the provider's. `}
        {run.completeTo ? (
          <>
            Everything is known up to <When at={run.completeTo} exact />.
          </>
        ) : null}{" "}
        {decidedTwice(run) ? "Records that were read on two pages are decided twice." : ""}
      </Text>
    </Paper>
  );
}

function decidedTwice(run: RunDetail): boolean {
  const seen = new Set<string>();
  return run.decisions.some((decision) => {
    const key = `${decision.objectId} ${keyOf(decision)}`;
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}

