// How the provider's own notifications reach an instance: the address, what waits, what was put aside and why.
import { Alert, Button, Code, CopyButton, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, page, told } from "../../api/client";
import { useRefreshOnEvents } from "../../api/refresh";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { Facts } from "../../parts/Facts";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { type Column, Rows } from "../../parts/Rows";
import { done, refused } from "../../parts/said";
import { When } from "../../parts/When";

type Request = components["schemas"]["ReceivedRequest"];

/** When to look again: soon while something waits for its hook; what is put aside or refused makes no event. */
const LOOK_MS = { soon: 1_000, idle: 5_000 };

/** The tab. */
export function Webhook(props: { instance: number }) {
  const id = props.instance;
  const params = { path: { id } };
  const client = useQueryClient();
  const mayRenew = useMay("admin");
  const [isAsked, setAsked] = useState(false);
  const query = useQuery({ queryKey: ["webhook", id], queryFn: () => told(api.GET(`${BASE}/instances/{id}/webhook`, { params })), refetchInterval: ({ state }) => ((state.data?.waiting ?? 0) > 0 ? LOOK_MS.soon : LOOK_MS.idle) });
  useRefreshOnEvents([["webhook", id]], (event) => event.instanceId === id);
  const renew = useMutation({
    mutationFn: () => told(api.POST(`${BASE}/instances/{id}/webhook/address`, { params })),
    onSuccess: (webhook) => {
      client.setQueryData(["webhook", id], webhook);
      setAsked(false);
      done("The instance has another address.");
    },
  });
  return (
    <Loaded query={query}>
      {(webhook) =>
        webhook.events === "polling" ? (
          <Nothing title="Its provider does not call" text="This connector finds changes by polling alone. Webhooks are declared in the connector: Events, type Webhooks or Both." />
        ) : (
          <Stack>
            <Paper withBorder p="md">
              <Stack gap="sm">
                <Title order={2}>Address for the provider</Title>
                {webhook.url ? (
                  <Group gap="xs">
                    <Code style={{ whiteSpace: "normal" }}>{webhook.url}</Code>
                    <CopyButton value={webhook.url}>
                      {({ copied, copy }) => (
                        <Button size="xs" variant="default" onClick={copy}>
                          {copied ? "Copied" : "Copy"}
                        </Button>
                      )}
                    </CopyButton>
                    <Button size="xs" variant="default" disabled={!mayRenew} title={mayRenew ? undefined : "needs an admin"} onClick={() => setAsked(true)}>
                      Another address…
                    </Button>
                  </Group>
                ) : (
                  <Text c="dimmed">None yet.</Text>
                )}
                <Text size="sm" c="dimmed">
                  Whoever knows it may send. Give it to the provider and to nobody else.
                </Text>
                <Facts
                  facts={[
                    ["Changes arrive by", webhook.events],
                    ["Proof of the sender", webhook.verification],
                    ["Questions are answered", webhook.answersChallenge ? "yes" : "no"],
                    ["Bodies", webhook.body ?? undefined],
                    ["Provider's name for it", webhook.subscriptionId ?? undefined],
                    ["Waiting", webhook.waiting],
                    ["Put aside", webhook.quarantined],
                  ]}
                />
                {webhook.verification === "none" ? <Alert color="orange">Nothing proves that a notification is the provider's, but the address itself.</Alert> : null}
                {webhook.refused ? (
                  <Alert color="orange" title={`${webhook.refused.count} refused since the server began`}>
                    The last one <When at={webhook.refused.at} />: {webhook.refused.reason}
                  </Alert>
                ) : null}
              </Stack>
            </Paper>
            <Requests instance={id} quarantined={webhook.quarantined} />
            <Confirm opened={isAsked} title="Another address?" act="Make another address" danger busy={renew.isPending} error={renew.error} onClose={() => setAsked(false)} onAct={() => renew.mutate()}>
              The old address is forgotten at once: what the provider sends there is lost until it knows the new one.
            </Confirm>
          </Stack>
        )
      }
    </Loaded>
  );
}

function Requests(props: { instance: number; quarantined: number }) {
  const place = usePlace();
  const client = useQueryClient();
  const mayAct = useMay("member");
  const path = { id: props.instance };
  const query = useQuery({
    queryKey: ["webhook", props.instance, "requests", place.token],
    queryFn: () => page(api.GET(`${BASE}/instances/{id}/webhook/requests`, { params: { path, query: { pageSize: 50, ...(place.token ? { nextPage: place.token as never } : {}) } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (place.token !== undefined ? false : state.data?.entries.some((request) => request.state === "received") ? LOOK_MS.soon : LOOK_MS.idle),
  });
  const again = () => void client.invalidateQueries({ queryKey: ["webhook", props.instance] });
  const replay = useMutation({
    mutationFn: async (request: number | undefined) => {
      if (request === undefined) await told(api.POST(`${BASE}/instances/{id}/webhook/replay`, { params: { path } }));
      else await told(api.POST(`${BASE}/instances/{id}/webhook/requests/{requestId}/replay`, { params: { path: { ...path, requestId: request } } }));
    },
    onSuccess: () => {
      done("What was put aside is worked through again.");
      again();
    },
    onError: refused,
  });
  const [asked, setAsked] = useState<Request>();
  const discard = useMutation({
    mutationFn: (request: number) => told(api.DELETE(`${BASE}/instances/{id}/webhook/requests/{requestId}`, { params: { path: { ...path, requestId: request } } })),
    onSuccess: () => {
      done("Nothing comes of it.");
      setAsked(undefined);
      again();
    },
  });
  const close = () => {
    discard.reset();
    setAsked(undefined);
  };
  const columns: Column<Request>[] = [
    { head: "Received", cell: (request) => <When at={request.receivedAt} /> },
    { head: "State", cell: (request) => <Mark word={request.state} /> },
    { head: "Events", cell: (request) => request.events },
    { head: "Size", cell: (request) => `${request.bodyBytes} bytes` },
    { head: "Why", cell: (request) => (request.quarantine ? `${request.quarantine.reason}${request.quarantine.line ? ` (line ${request.quarantine.line})` : ""}` : null) },
    {
      head: "Actions",
      quiet: true,
      cell: (request) =>
        request.state === "quarantined" || request.state === "discarded" ? (
          <Group gap="xs" justify="flex-end">
            <Button size="xs" variant="default" disabled={!mayAct} onClick={() => replay.mutate(request.id)}>
              Run again
            </Button>
            {request.state === "quarantined" ? (
              <Button size="xs" variant="default" disabled={!mayAct} onClick={() => setAsked(request)}>
                Discard…
              </Button>
            ) : null}
          </Group>
        ) : null,
    },
  ];
  return (
    <Paper withBorder p="md">
      <Group justify="space-between" mb="sm">
        <Title order={2}>What came in</Title>
        {props.quarantined > 0 ? (
          <Button size="xs" disabled={!mayAct} loading={replay.isPending} onClick={() => replay.mutate(undefined)}>
            Run all again that were put aside
          </Button>
        ) : null}
      </Group>
      <Loaded query={query}>
        {(page) =>
          page.entries.length === 0 ? (
            <Text c="dimmed">Nothing yet. The provider sends when something changes.</Text>
          ) : (
            <Stack>
              <Rows label="Notifications of the provider" columns={columns} rows={page.entries} keyOf={(request) => request.id} />
              <Pager page={page} place={place} what="notifications" />
            </Stack>
          )
        }
      </Loaded>
      <Confirm opened={asked !== undefined} title="Discard this notification?" act="Discard" danger busy={discard.isPending} error={discard.error} onClose={close} onAct={() => asked && discard.mutate(asked.id)}>
        Nothing shall come of it. It stays in this list for seven days, and can be run again until then.
      </Confirm>
    </Paper>
  );
}
