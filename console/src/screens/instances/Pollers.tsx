// The pollers of an instance, each with its state, when it polls next, and its last polls as a picture.
import { Anchor, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { api, BASE, told } from "../../api/client";
import { runs } from "../../api/watching";
import { asFailure } from "../../api/failure";
import { useRefreshOnEvents } from "../../api/refresh";
import type { components } from "../../api/schema";
import { Facts } from "../../parts/Facts";
import { Loaded } from "../../parts/Loaded";
import { Nothing } from "../../parts/Nothing";
import { Polls, told as toldOf } from "../../parts/Polls";
import { When } from "../../parts/When";
import { type Poller, PollerActions, pollerAddress, pollerFacts, PollerMark, PollerTrouble, untilDue } from "../pollers/parts";

type Run = components["schemas"]["Run"];

/** Runs that are asked for at once, over all pollers of the instance. */
const RUNS = 40;

/** All of them. */
export function Pollers(props: { instance: components["schemas"]["Instance"] }) {
  const { instance } = props;
  const { id } = instance;
  const list = useQuery({
    queryKey: ["pollers", "of", id],
    queryFn: () => told(api.GET(`${BASE}/instances/{id}/pollers`, { params: { path: { id } } })),
    refetchInterval: (query) => untilDue(query.state.data),
  });
  const last = useQuery({ queryKey: ["runs", { instance: id }], queryFn: () => runs({ instanceId: id, pageSize: RUNS }), refetchInterval: () => untilDue(list.data) });
  useRefreshOnEvents([["pollers", "of", id], ["runs", { instance: id }]], (event) => event.instanceId === id);
  return (
    <Loaded query={list}>
      {(pollers) =>
        pollers.length === 0 ? (
          <Nothing
            title="Nothing is polled here"
            text={instance.eventsEnabled ? "This instance has no polling resource. Add one where the instance is edited." : "Events are not enabled for this instance. Enable them where the instance is edited, and say what to poll."}
            action={
              <Button component={Link} href={`/instances/new?edit=${id}`}>
                Edit the instance
              </Button>
            }
          />
        ) : (
          <Stack>
            {pollers.map((poller) => (
              <Card key={poller.id} poller={poller} runs={last.data?.entries.filter((run) => run.pollerId === poller.id)} />
            ))}
            {last.error ? (
              <Text size="sm" c="dimmed">
                The last polls are not shown: {asFailure(last.error).message}
              </Text>
            ) : null}
          </Stack>
        )
      }
    </Loaded>
  );
}

function Card(props: { poller: Poller; runs: Run[] | undefined }) {
  const { poller, runs } = props;
  const newest = runs?.[0];
  return (
    <Paper component="section" aria-label={`Poller ${poller.resource}`} withBorder p="md">
      <Group justify="space-between" align="flex-start" mb="sm">
        <Group gap="xs">
          <Title order={2}>
            <Anchor component={Link} href={pollerAddress(poller)} inherit>
              {poller.resource}
            </Anchor>
          </Title>
          <PollerMark poller={poller} />
        </Group>
        <PollerActions poller={poller} />
      </Group>
      <Stack gap="sm">
        <PollerTrouble poller={poller} />
        <Facts facts={pollerFacts(poller)} />
        {runs && runs.length > 0 ? (
          <div>
            <Polls runs={runs} />
            <Text size="xs" c="dimmed" mt={4}>
              {newest ? (
                <>
                  Last polls, the newest at the right:{" "}
                  <Anchor component={Link} href={`/runs/${newest.id}`} size="xs" underline="always">
                    <When at={newest.startedAt} still />: {toldOf(newest)}
                  </Anchor>
                </>
              ) : null}
            </Text>
          </div>
        ) : null}
      </Stack>
    </Paper>
  );
}
