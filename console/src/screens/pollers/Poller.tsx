// One poller: how it is, its polls, its cursor, and what a poll would do now.
import { Paper, Stack, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, BASE, told } from "../../api/client";
import { useRefreshOnEvents } from "../../api/refresh";
import { useAddress } from "../../parts/address";
import { Facts } from "../../parts/Facts";
import { Loaded } from "../../parts/Loaded";
import { Screen } from "../../parts/Screen";
import { CursorPanel } from "./CursorPanel";
import { Explain } from "./Explain";
import { PollerActions, pollerFacts, PollerMark, PollerTrouble, untilDue } from "./parts";
import { Runs } from "./Runs";

/** The screen of a poller. */
export default function Poller(props: { instance: number; resource: string }) {
  const { instance: id, resource } = props;
  const [address, change] = useAddress();
  const query = useQuery({
    queryKey: ["pollers", "of", id, resource],
    queryFn: () => told(api.GET(`${BASE}/instances/{id}/pollers/{resource}`, { params: { path: { id, resource } } })),
    refetchInterval: (query) => untilDue(query.state.data && [query.state.data]),
  });
  const owner = useQuery({ queryKey: ["instance", id], queryFn: () => told(api.GET(`${BASE}/instances/{id}`, { params: { path: { id } } })), staleTime: 60_000 });
  useRefreshOnEvents([["pollers", "of", id, resource], ["runs"]], (event) => event.instanceId === id && event.objectType === resource);
  return (
    <Loaded query={query} rows={8} head={{ title: resource, crumbs: [{ label: "Instances", to: "/instances" }, { label: owner.data?.name || `Instance ${id}`, to: `/instances/${id}` }] }}>
      {(poller) => (
        <Screen
          title={resource}
          crumbs={[
            { label: "Instances", to: "/instances" },
            { label: owner.data?.name || `Instance ${id}`, to: `/instances/${id}` },
          ]}
          about={<PollerMark poller={poller} />}
          actions={<PollerActions poller={poller} />}
        >
          <Paper withBorder p="md">
            <Stack gap="sm">
              <PollerTrouble poller={poller} />
              <Facts facts={[...pollerFacts(poller), ["Complete passes", poller.passes], ["Configuration", `revision ${poller.revision}`]]} />
            </Stack>
          </Paper>
          <Tabs value={address.get("tab") ?? "polls"} onChange={(tab) => change({ tab: tab === "polls" ? undefined : (tab ?? undefined) })} keepMounted={false}>
            <Tabs.List mb="md">
              <Tabs.Tab value="polls">Polls</Tabs.Tab>
              <Tabs.Tab value="cursor">Cursor</Tabs.Tab>
              <Tabs.Tab value="explain">What a poll would do now</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="polls">
              <Runs poller={poller} />
            </Tabs.Panel>
            <Tabs.Panel value="cursor">
              <CursorPanel poller={poller} />
            </Tabs.Panel>
            <Tabs.Panel value="explain">
              <Explain poller={poller} />
            </Tabs.Panel>
          </Tabs>
        </Screen>
      )}
    </Loaded>
  );
}
