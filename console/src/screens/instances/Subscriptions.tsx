// The monitors' subscriptions that use this instance's connection.
import { Anchor, Button, Stack } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { api, BASE, page } from "../../api/client";
import type { components } from "../../api/schema";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { type Column, Rows } from "../../parts/Rows";
import { When } from "../../parts/When";

type Subscription = components["schemas"]["Subscription"];

const COLUMNS: Column<Subscription>[] = [
  {
    head: "Name",
    cell: (one) => (
      <Anchor component={Link} href={`/subscriptions/${one.id}`} fw={600}>
        {one.name}
      </Anchor>
    ),
  },
  { head: "State", cell: (one) => <Mark word={!one.active ? "inactive" : one.failuresInARow > 0 ? "failing" : one.status.code} tone={one.failuresInARow > 0 ? "bad" : one.active ? "good" : "calm"} /> },
  { head: "Why", cell: (one) => one.paused ?? one.status.sentence },
  { head: "Next run", cell: (one) => (one.active ? <When at={one.nextDue} /> : "none") },
  { head: "Last run", cell: (one) => (one.lastRun ? <Anchor component={Link} href={`/runs/${one.lastRun.id}`}><When at={one.lastRun.startedAt} still /></Anchor> : "none yet") },
];

/** Them. */
export function Subscriptions(props: { instance: number }) {
  const place = usePlace();
  const query = useQuery({
    queryKey: ["subscriptions", { instance: props.instance, at: place.token }],
    queryFn: () => page(api.GET(`${BASE}/instances/{id}/subscriptions`, { params: { path: { id: props.instance }, query: { pageSize: 50, ...(place.token ? { nextPage: place.token as never } : {}) } } })),
    placeholderData: keepPreviousData,
  });
  return (
    <Loaded query={query}>
      {(page) =>
        page.entries.length === 0 ? (
          <Nothing
            title="No monitor watches this account"
            text="A polling monitor is a small flow of cards that fetches records. A subscription runs one with this instance's connection."
            action={
              <Button component={Link} href="/monitors">
                To the monitors
              </Button>
            }
          />
        ) : (
          <Stack>
            <Rows label="Subscriptions" lead={["Name", "State"]} columns={COLUMNS} rows={page.entries} keyOf={(one) => one.id} />
            <Pager page={page} place={place} what="subscriptions" />
          </Stack>
        )
      }
    </Loaded>
  );
}
