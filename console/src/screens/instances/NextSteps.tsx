// What one can do with an instance that was just made.
import { Alert, Anchor, Button, Code, CopyButton, Group, List, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Link } from "wouter";

import { api, BASE, told } from "../../api/client";
import { asFailure } from "../../api/failure";
import { Loaded, Refusal, Waiting } from "../../parts/Loaded";
import { Screen } from "../../parts/Screen";
import { tokenOf } from "./token";

const InstanceDocs = lazy(() => import("../../parts/docs/InstanceDocs"));

/** The screen. */
export function NextSteps(props: { instance: number }) {
  const query = useQuery({ queryKey: ["instance", props.instance], queryFn: () => told(api.GET(`${BASE}/instances/{id}`, { params: { path: { id: props.instance } } })) });
  const token = tokenOf(props.instance);
  return (
    <Loaded query={query} rows={8} head={{ title: "Next steps", crumbs: [{ label: "Instances", to: "/instances" }] }}>
      {(instance) => (
        <Screen
          title="Next steps"
          crumbs={[
            { label: "Instances", to: "/instances" },
            { label: instance.name, to: `/instances/${instance.id}` },
          ]}
          about={`The instance ${instance.name} is there${instance.eventsEnabled ? ", and is polled from now on" : ""}.`}
        >
          <Group>
            <Button component={Link} href={`/instances/${instance.id}`}>
              To the instance
            </Button>
            <Button component={Link} href={`/events?instance=${instance.id}`} variant="default">
              Watch its events
            </Button>
            <Button component={Link} href={`/instances/new?edit=${instance.id}`} variant="default">
              Change it
            </Button>
          </Group>
          {token === undefined ? null : (
            <Alert color="teal" title="Its token is shown only now">
              <Group gap="sm">
                <Code style={{ wordBreak: "break-all" }}>{token}</Code>
                <CopyButton value={token}>
                  {({ copied, copy }) => (
                    <Button size="xs" variant="default" onClick={copy}>
                      {copied ? "Copied" : "Copy token"}
                    </Button>
                  )}
                </CopyButton>
              </Group>
              <Text size="sm" mt="xs">
                Scripts call its resources with Authorization: User …, Element &lt;token&gt;.
              </Text>
            </Alert>
          )}
          <Findings list={instance} />
          <Title order={2}>API docs</Title>
          {instance.elementId === undefined || instance.elementId === null ? (
            <Text size="sm" c="dimmed">
              This instance brings its own settings, so there is nothing to call. Make a connector of its API where calls are wanted too:{" "}
              <Anchor component={Link} href="/connectors" underline="always">
                Connectors
              </Anchor>
              .
            </Text>
          ) : (
            <Docs instance={instance.id} token={token} />
          )}
        </Screen>
      )}
    </Loaded>
  );
}

function Findings(props: { list: { warnings?: { path: string; problem: string; remedy: string }[] | null; repairs?: { path: string; problem: string; remedy: string }[] | null } }) {
  const said = [...(props.list.warnings ?? []), ...(props.list.repairs ?? [])];
  if (said.length === 0) return null;
  return (
    <Alert color="orange" title="Worth knowing">
      <List size="sm">
        {said.map((one) => (
          <List.Item key={one.path + one.problem}>
            <span className="mono">{one.path}</span>: {one.problem}; {one.remedy}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

function Docs(props: { instance: number; token: string | undefined }) {
  const query = useQuery({ queryKey: ["instance docs", props.instance], queryFn: () => told<unknown>(api.GET(`${BASE}/instances/{id}/docs`, { params: { path: { id: props.instance } } })), staleTime: 60_000 });
  if (query.error && asFailure(query.error).code === "noConnector") return <Refusal error={query.error} />;
  return (
    <Loaded query={query}>
      {(docs) => (
        <Suspense fallback={<Waiting rows={8} />}>
          <Stack>
            <InstanceDocs document={docs} token={props.token} />
          </Stack>
        </Suspense>
      )}
    </Loaded>
  );
}
