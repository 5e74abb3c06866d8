// Making an instance, of a connector or of an API by its address; and changing one with the same form.
import { Alert, Anchor, Button, Group, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";

import { api, BASE, told } from "../../api/client";
import type { components } from "../../api/schema";
import type { Members } from "../../api/trying";
import { Loaded } from "../../parts/Loaded";
import { Screen } from "../../parts/Screen";
import type { Short } from "../connectors/Connectors";
import { type Doc, polledOf } from "../connectors/document";
import { useConnector } from "../connectors/draft";
import { type InstanceDoc, KEY, keepForm } from "./form/document";
import { arrived, broughtBack } from "./form/OAuth";
import { InstanceForm } from "./InstanceForm";
import { NextSteps } from "./NextSteps";

/** The screen: what its address asks for. */
export default function NewInstance() {
  const search = useSearch();
  const [, go] = useLocation();
  const found = new URLSearchParams(search);
  const back = broughtBack(search);
  const [refused, setRefused] = useState<string>();
  useEffect(() => {
    if (back === undefined) return;
    arrived();
    const { error } = back.data;
    if (error !== undefined) setRefused(back.data["error_description"] ?? error);
    else broughtInto(back.form, back.data);
    go(`/instances/new?${back.form}`, { replace: true });
  }, [back, go]);
  if (back !== undefined) return null;
  const made = found.get("made");
  const edited = found.get("edit");
  const connector = found.get("connector");
  const problem = refused === undefined ? null : (
    <Alert color="red" role="alert" title="The provider did not allow the access" withCloseButton closeButtonLabel="Close" onClose={() => setRefused(undefined)} mb="md">
      {refused}
    </Alert>
  );
  if (made !== null) return <NextSteps instance={Number(made)} />;
  if (edited !== null) return <Edited instance={Number(edited)} problem={problem} />;
  if (connector !== null) return <OfConnector connector={connector} problem={problem} />;
  if (found.has("own")) return <InstanceForm id="own" connector={undefined} stored={undefined} initial={{ element: { key: "" }, configuration: { "event.notification.enabled": true } }} />;
  return <Choice />;
}

function broughtInto(form: string, data: Record<string, string>): void {
  const text = window.sessionStorage.getItem(`turnstone.instance.${form}`);
  const doc = (text === null ? { configuration: {} } : JSON.parse(text)) as InstanceDoc;
  keepForm(form, { ...doc, providerData: data as Members });
}

function Choice() {
  const [, go] = useLocation();
  const query = useQuery({
    queryKey: ["connectors", "to choose"],
    queryFn: () => told<Short[]>(api.GET(`${BASE}/elements`, { params: { query: { pageSize: 500 } } }) as Promise<{ data?: Short[]; error?: unknown; response: Response }>),
  });
  return (
    <Screen title="New instance" crumbs={[{ label: "Instances", to: "/instances" }]} about="An instance is one connected account: what is polled, how often, and where the events go.">
      <Loaded query={query}>
        {(connectors) => (
          <Stack maw={640} gap="lg">
            <Select
              label="Connector"
              description="Whose account is it?"
              placeholder={connectors.length === 0 ? "There is no connector yet" : "Select one"}
              data={connectors.filter(({ active }) => active !== false).map(({ key, name }) => ({ value: key, label: `${name} (${key})` }))}
              searchable
              disabled={connectors.length === 0}
              onChange={(key) => key !== null && go(`/instances/new?connector=${encodeURIComponent(key)}`)}
            />
            <Group>
              <Button component={Link} href="/instances/new?own" variant="default">
                Poll an API by its address
              </Button>
              <Text size="sm" c="dimmed">
                No connector is needed where an API answers JSON lists.
              </Text>
            </Group>
            {connectors.length === 0 ? (
              <Text size="sm">
                <Anchor component={Link} href="/connectors" underline="always">
                  Make or import a connector
                </Anchor>{" "}
                where many accounts of one provider will be connected.
              </Text>
            ) : null}
          </Stack>
        )}
      </Loaded>
    </Screen>
  );
}

function OfConnector(props: { connector: string; problem: React.ReactNode }) {
  const query = useConnector(props.connector);
  return (
    <Loaded query={query} rows={6} head={{ title: "New instance", crumbs: [{ label: "Instances", to: "/instances" }] }}>
      {(doc) => (
        <>
          {props.problem}
          <InstanceForm id={`connector=${encodeURIComponent(props.connector)}`} connector={doc} stored={undefined} initial={startingWith(doc)} />
        </>
      )}
    </Loaded>
  );
}

function startingWith(doc: Doc): InstanceDoc {
  return { element: { key: doc.key }, name: "", configuration: withAll({}, doc) };
}

/** A configuration that does not say what is polled takes everything that the connector polls: so it is shown. */
function withAll(configuration: Members, doc: Doc): Members {
  const names = Object.keys(polledOf(doc));
  const said = configuration[KEY.polled];
  if ((said !== undefined && said !== null && said !== "") || names.length === 0) return configuration;
  return { ...configuration, [KEY.polled]: Object.fromEntries(names.map((name) => [name, {}])) };
}

function Edited(props: { instance: number; problem: React.ReactNode }) {
  const query = useQuery({
    queryKey: ["instance", props.instance, "to edit"],
    queryFn: () => told(api.GET(`${BASE}/instances/{id}`, { params: { path: { id: props.instance } } })),
    // What is edited is compared with what was there when it was opened.
    staleTime: Infinity,
    gcTime: 0,
  });
  return (
    <Loaded query={query} rows={6} head={changing(`Instance ${props.instance}`)}>
      {(instance) => (
        <>
          {props.problem}
          {instance.elementId === undefined || instance.elementId === null ? <InstanceForm id={`edit=${props.instance}`} connector={undefined} stored={instance} initial={documentOf(instance)} /> : <EditedOfConnector instance={instance} element={instance.elementId} />}
        </>
      )}
    </Loaded>
  );
}

function EditedOfConnector(props: { instance: components["schemas"]["Instance"]; element: number }) {
  const query = useConnector(String(props.element));
  return (
    <Loaded query={query} rows={6} head={changing(props.instance.name)}>
      {(doc) => <InstanceForm id={`edit=${props.instance.id}`} connector={doc} stored={props.instance} initial={{ ...documentOf(props.instance), configuration: withAll((props.instance.configuration ?? {}) as Members, doc) }} />}
    </Loaded>
  );
}

function changing(name: string) {
  return { title: `Change ${name}`, crumbs: [{ label: "Instances", to: "/instances" }] };
}

function documentOf(instance: components["schemas"]["Instance"]): InstanceDoc {
  return { element: { key: instance.element.key }, name: instance.name, description: instance.description ?? "", tags: instance.tags, configuration: (instance.configuration ?? {}) as Members };
}
