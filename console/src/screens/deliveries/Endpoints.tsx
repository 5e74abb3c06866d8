// Where notifications go, and how each of these places is; those that take nothing stand first.
import { Anchor, Badge, Button, Group, Paper, Stack, Text } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";

import { type Endpoint, endpoints, redeliverWhere, switchEndpoint } from "../../api/watching";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { Facts } from "../../parts/Facts";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { done, refused } from "../../parts/said";
import { Sentence } from "../../parts/Sentence";
import { When } from "../../parts/When";
import { lookAgain } from "./again";
import { clause } from "./clause";

/** The tab. */
export function Endpoints() {
  const place = usePlace();
  const query = useQuery({
    queryKey: ["endpoints", place.token],
    queryFn: () => endpoints({ pageSize: 50, ...(place.token ? { nextPage: place.token } : {}) }),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
  return (
    <Loaded query={query}>
      {(page) =>
        page.entries.length === 0 ? (
          <Nothing title="No endpoint yet" text="The callback URL of an instance is an endpoint. Say it where the instance is edited." action={<Button component={Link} href="/instances">To the instances</Button>} />
        ) : (
          <Stack>
            {page.entries.map((endpoint) => (
              <One key={endpoint.id} endpoint={endpoint} />
            ))}
            <Pager page={page} place={place} what="endpoints" />
          </Stack>
        )
      }
    </Loaded>
  );
}

function One(props: { endpoint: Endpoint }) {
  const { endpoint } = props;
  const { open } = endpoint;
  const client = useQueryClient();
  const mayAct = useMay("member");
  const [isAsked, setAsked] = useState(false);
  const isOn = endpoint.state === "active";
  const waits = open.dead + open.queued;
  const close = () => {
    turn.reset();
    setAsked(false);
  };
  const turn = useMutation({
    mutationFn: (on: boolean) => switchEndpoint(endpoint.id, on),
    onSuccess: (_, on) => {
      done(on ? "The endpoint takes notifications again." : "The endpoint is switched off.");
      setAsked(false);
      lookAgain(client);
    },
  });
  const release = useMutation({
    mutationFn: () => redeliverWhere(clause({ status: "queued", instance: endpoint.instanceId, url: endpoint.url ?? undefined }), undefined),
    onSuccess: ({ released }) => {
      done(`${released} ${released === 1 ? "delivery is" : "deliveries are"} sent again.`);
      lookAgain(client);
    },
    onError: refused,
  });
  return (
    <Paper component="section" aria-label={`Endpoint of ${endpoint.instanceName}`} withBorder p="md">
      <Group justify="space-between" align="flex-start" mb="xs">
        <Group gap="xs">
          <Mark word={endpoint.state} />
          {endpoint.behind ? (
            <Badge variant="light" color="orange" tt="none" style={{ color: "var(--mark-warn)" }}>
              behind
            </Badge>
          ) : null}
          <Anchor component={Link} href={endpoint.subscriptionId ? `/subscriptions/${endpoint.subscriptionId}` : `/instances/${endpoint.instanceId}`} fw={600}>
            {endpoint.instanceName}
          </Anchor>
          <Text size="sm" c="dimmed">
            {endpoint.kind}
          </Text>
        </Group>
        <Group gap="xs">
          <Button component={Link} size="xs" variant="default" href={`/deliveries?endpoint=${endpoint.id}`}>
            Its deliveries
          </Button>
          {waits > 0 ? (
            <Button size="xs" disabled={!mayAct} loading={release.isPending} onClick={() => release.mutate()}>
              Redeliver {waits} that wait
            </Button>
          ) : null}
          {isOn ? (
            <Button size="xs" variant="default" disabled={!mayAct} onClick={() => setAsked(true)}>
              Switch off…
            </Button>
          ) : (
            <Button size="xs" variant={waits > 0 ? "default" : "filled"} disabled={!mayAct} loading={turn.isPending} onClick={() => turn.mutate(true, { onError: refused })}>
              Switch on
            </Button>
          )}
        </Group>
      </Group>
      <Text className="mono" mb="xs">
        {endpoint.url ?? endpoint.kind}
      </Text>
      {endpoint.reason ? (
        <Text size="sm" mb="xs">
          <Sentence text={endpoint.reason} />
        </Text>
      ) : null}
      <Facts
        facts={[
          ["Accepted last", <When key="accepted" at={endpoint.acceptedAt} none="nothing yet" />],
          ["Being retried", open.retry],
          ["Held", open.queued],
          ["Dead letters", open.dead],
          ["Position in the log", endpoint.position],
        ]}
      />
      <Confirm opened={isAsked} title="Switch this endpoint off?" act="Switch off" busy={turn.isPending} error={turn.error} onClose={close} onAct={() => turn.mutate(false)}>
        Nothing is sent there until somebody switches it on. Events go on being recorded, and are sent then.
      </Confirm>
    </Paper>
  );
}
