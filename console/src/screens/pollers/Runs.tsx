// The polls of a poller, newest first, with a picture of the last ones.
import { Anchor, Button, Group, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";

import { type RunEntry, runs } from "../../api/watching";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { eventsOf, Polls } from "../../parts/Polls";
import { type Column, Rows } from "../../parts/Rows";
import { Sentence } from "../../parts/Sentence";
import { duration, When } from "../../parts/When";
import { type Poller, untilDue } from "./parts";

const PAGE = 30;
const OUTCOMES = [
  { value: "", label: "All" },
  { value: "failed", label: "Failed" },
];

const COLUMNS: Column<RunEntry>[] = [
  {
    head: "Started",
    cell: (run) => (
      <Anchor component={Link} href={`/runs/${run.id}`} fw={600}>
        <When at={run.startedAt} still />
      </Anchor>
    ),
  },
  { head: "Kind", cell: (run) => run.kind },
  { head: "Outcome", cell: (run) => <Mark word={run.outcome} /> },
  { head: "Window from", cell: (run) => <When at={run.window.from} exact none="no lower bound" /> },
  { head: "Pages", cell: (run) => run.counts.pages },
  { head: "Records", cell: (run) => run.counts.records },
  { head: "Events", cell: (run) => eventsOf(run) },
  { head: "Took", cell: (run) => duration((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000) },
  { head: "What went wrong", cell: (run) => (run.error ? <Sentence text={run.error.message} /> : null) },
];

/** Them. */
export function Runs(props: { poller: Poller }) {
  const { poller } = props;
  const place = usePlace();
  const [outcome, setOutcome] = useState("");
  const query = useQuery({
    queryKey: ["runs", { poller: poller.id, outcome, at: place.token }],
    queryFn: () => runs({ pollerId: poller.id, pageSize: PAGE, ...(outcome ? { outcome } : {}), ...(place.token ? { before: place.token } : {}) }),
    placeholderData: keepPreviousData,
    refetchInterval: () => (place.token ? false : untilDue([poller])),
  });
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <SegmentedControl
          aria-label="Which polls"
          data={OUTCOMES}
          value={outcome}
          onChange={(value) => {
            setOutcome(value);
            place.restart();
          }}
        />
        <AskHere poller={poller} />
      </Group>
      <Loaded query={query} rows={6}>
        {(page) =>
          page.entries.length === 0 ? (
            <Nothing title={outcome ? "None failed" : "It has not polled yet"} text={outcome ? "As far back as runs are kept." : "Its first poll is due soon; or poll it now."} />
          ) : (
            <Stack>
              {outcome === "" && place.token === undefined ? (
                <div>
                  <Polls runs={page.entries} room={PAGE} />
                  <Text size="xs" c="dimmed" mt={4}>
                    The last polls by their events, the newest at the right; a failed one is red and crossed.
                  </Text>
                </div>
              ) : null}
              <Rows label="Polls" lead={["Started", "Kind", "Outcome"]} columns={COLUMNS} rows={page.entries} keyOf={(run) => run.id} />
              <Pager page={page} place={place} what="polls" />
            </Stack>
          )
        }
      </Loaded>
    </Stack>
  );
}

function AskHere(props: { poller: Poller }) {
  const [id, setId] = useState("");
  const [, go] = useLocation();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (id.trim()) go(`/ask?poller=${props.poller.id}&instance=${props.poller.instanceId}&id=${encodeURIComponent(id.trim())}`);
      }}
    >
      <Group gap="xs" align="flex-end">
        <TextInput label="Ask about a record" placeholder="Its id" size="xs" value={id} onChange={(event) => setId(event.currentTarget.value)} />
        <Button type="submit" size="xs" variant="default">
          Ask
        </Button>
      </Group>
    </form>
  );
}
