// The runs of a monitor's subscriptions; each opens on the canvas.
import { Anchor, NativeSelect, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";

import { api, BASE, told } from "../../../api/client";
import { SideDialog } from "../../../parts/Dialog";
import { Loaded } from "../../../parts/Loaded";
import { Mark } from "../../../parts/Mark";
import { Nothing } from "../../../parts/Nothing";
import { When } from "../../../parts/When";

/** Lists runs, newest first. */
export function HistoryDrawer(props: { isOpen: boolean; monitor: number; onClose: () => void }) {
  return (
    <SideDialog opened={props.isOpen} onClose={props.onClose} title="Run history" position="right" size="md">
      {props.isOpen ? <Body {...props} /> : null}
    </SideDialog>
  );
}

function Body(props: { monitor: number; onClose: () => void }) {
  const [chosen, setChosen] = useState("");
  const query = useQuery({ queryKey: ["subscriptions", "of", props.monitor], queryFn: () => told(api.GET(`${BASE}/subscriptions`, { params: { query: { monitorId: props.monitor, pageSize: 100 } } })) });
  return (
    <Loaded query={query}>
      {(subscriptions) => {
        const id = Number(chosen || subscriptions[0]?.id || 0);
        if (subscriptions.length === 0) return <Nothing title="No runs yet" text="Runs belong to subscriptions. Deploy the flow, then subscribe an instance to it." />;
        return (
          <Stack>
            <NativeSelect label="Subscription" value={String(id)} onChange={(event) => setChosen(event.currentTarget.value)} data={subscriptions.map((subscription) => ({ value: String(subscription.id), label: subscription.name }))} />
            <Runs subscription={id} monitor={props.monitor} onPick={props.onClose} />
          </Stack>
        );
      }}
    </Loaded>
  );
}

/** The runs of one subscription. */
export function Runs(props: { subscription: number; monitor: number; onPick?: () => void }) {
  const query = useQuery({ queryKey: ["subscriptions", props.subscription, "runs"], queryFn: () => told(api.GET(`${BASE}/subscriptions/{id}/runs`, { params: { path: { id: props.subscription }, query: { pageSize: 50 } } })) });
  return (
    <Loaded query={query}>
      {(runs) =>
        runs.length === 0 ? (
          <Text size="sm" c="dimmed">
            It has not run yet.
          </Text>
        ) : (
          <Table.ScrollContainer minWidth={340}>
            <Table aria-label="Runs">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th className="nowrap">Started</Table.Th>
                  <Table.Th className="nowrap">Outcome</Table.Th>
                  <Table.Th className="nowrap">Records</Table.Th>
                  <Table.Th className="nowrap">New</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {runs.map((run) => (
                  <Table.Tr key={run.id}>
                    <Table.Td>
                      <Anchor component={Link} size="sm" href={`/monitors/${props.monitor}?subscription=${props.subscription}&run=${run.id}`} onClick={props.onPick}>
                        <When at={run.startedAt} exact />
                      </Anchor>
                    </Table.Td>
                    <Table.Td miw={120}>
                      <Mark word={run.outcome} />
                      {run.error ? <Text size="xs">{run.error.message}</Text> : null}
                    </Table.Td>
                    <Table.Td>{run.counts.records}</Table.Td>
                    <Table.Td>{run.counts.created + run.counts.updated + run.counts.deleted}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )
      }
    </Loaded>
  );
}
