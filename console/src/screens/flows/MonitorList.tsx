// Monitors as a table, for the screen of all and for a connector's tab.
import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";

import { api, BASE, page } from "../../api/client";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { type Column, Rows } from "../../parts/Rows";
import { When } from "../../parts/When";

/** A monitor in a list; newer servers tell its connector. */
export type Summary = components["schemas"]["MonitorSummary"] & { connector?: string | null };

/** A page of monitors. `connector` asks for one connector's. */
export function useMonitors(connector: string | undefined, token: string | undefined) {
  return useQuery({
    queryKey: ["monitors", "list", connector, token],
    queryFn: () => {
      const query = { pageSize: 50, ...(token === undefined ? {} : { nextPage: Number(token) }), ...(connector === undefined ? {} : { connector }) };
      return page<Summary>(api.GET(`${BASE}/monitors`, { params: { query } }));
    },
  });
}

const COLUMNS: Column<Summary>[] = [
  {
    head: "Name",
    cell: (monitor) => (
      <Anchor component={Link} href={`/monitors/${monitor.id}`} fw={600}>
        {monitor.name}
      </Anchor>
    ),
  },
  {
    head: "Deployed",
    cell: (monitor) => (
      <Group gap={6}>
        {monitor.version == null ? <Mark word="not deployed" /> : <Mark word={`version ${monitor.version}`} tone="good" />}
        {monitor.version != null && monitor.changed ? <Mark word="draft is newer" tone="info" /> : null}
      </Group>
    ),
  },
  { head: "Changed", cell: (monitor) => <When at={monitor.updatedDate} /> },
];

/** The button that begins a flow. */
export function NewFlow(props: { connector: string | undefined; variant?: string }) {
  const mayEdit = useMay("admin");
  if (!mayEdit) return null;
  const query = props.connector === undefined ? "" : `?connector=${encodeURIComponent(props.connector)}`;
  return (
    <Button component={Link} href={`/monitors/new${query}`} leftSection={<IconPlus size={16} aria-hidden />} variant={props.variant ?? "filled"}>
      New Flow
    </Button>
  );
}

/** The monitors of a connector, or all. `actions` stand behind each. */
export function MonitorList(props: { connector: string | undefined; actions?: (monitor: Summary) => ReactNode }) {
  const { connector } = props;
  const place = usePlace();
  const query = useMonitors(connector, place.token);
  return (
    <Loaded query={query}>
      {(list) => {
        const isTold = list.entries.every((monitor) => monitor.connector !== undefined);
        const shown = connector === undefined || !isTold ? list.entries : list.entries.filter((monitor) => monitor.connector == null || monitor.connector === connector);
        if (shown.length === 0) {
          return (
            <Nothing
              title={connector === undefined ? "No monitors yet" : "No flows yet"}
              text="A polling monitor is a flow of cards that asks an API for what is new, where a declared resource is not enough. Begin one from an empty canvas, or import an export."
              action={<NewFlow connector={connector} />}
            />
          );
        }
        return (
          <Stack gap="sm">
            {connector !== undefined && !isTold ? (
              <Text size="sm" c="dimmed">
                This server does not tell which connector a monitor is made for, so those of all connectors are listed.
              </Text>
            ) : null}
            <Rows label="Monitors" lead={["Name", "Deployed"]} columns={props.actions ? [...COLUMNS, { head: "Subscriptions", cell: props.actions }] : COLUMNS} rows={shown} keyOf={(monitor) => monitor.id} />
            <Pager page={list} place={place} what="monitors" />
          </Stack>
        );
      }}
    </Loaded>
  );
}
