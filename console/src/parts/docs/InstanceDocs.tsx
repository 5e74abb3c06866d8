// What an instance can be called with, and a way to try each call.
import { Alert, Button, Group, PasswordInput, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { BASE, changeHeaders } from "../../api/client";
import { Code } from "../Code";
import { Json } from "../Json";
import { Mark } from "../Mark";
import { baseOf, type Operation, operationsOf } from "./openapi";
import { Operations } from "./Operations";

interface Credentials {
  token: string;
  user: string;
}

/** The docs of an instance. */
export default function InstanceDocs(props: { document: unknown; token: string | undefined }) {
  const [credentials, setCredentials] = useState<Credentials>({ token: props.token ?? "", user: "" });
  const operations = useMemo(() => operationsOf(props.document), [props.document]);
  const base = baseOf(props.document) || BASE;
  if (operations.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Its connector has no resources, so there is nothing to call.
      </Text>
    );
  }
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }} maw={760}>
        <PasswordInput label="Element token" description="Shown when the instance was made; names it in each call." value={credentials.token} autoComplete="off" onChange={(event) => setCredentials({ ...credentials, token: event.currentTarget.value })} />
        <PasswordInput label="User secret" description="Yours, as scripts send it. It is sent with the calls and kept nowhere." value={credentials.user} autoComplete="off" onChange={(event) => setCredentials({ ...credentials, user: event.currentTarget.value })} />
      </SimpleGrid>
      <Operations operations={operations} label="the calls" tries={(operation) => <TryIt key={operation.method + operation.path} operation={operation} base={base} credentials={credentials} />} />
    </Stack>
  );
}

interface Tried {
  status: number;
  took: number;
  headers: string;
  body: string;
}

function TryIt(props: { operation: Operation; base: string; credentials: Credentials }) {
  const { operation, credentials } = props;
  const [values, setValues] = useState<Record<string, string>>({});
  const [body, setBody] = useState(() => (operation.body === undefined ? "" : JSON.stringify(operation.body, null, 2)));
  const call = useMutation({ mutationFn: () => tried(operation, props.base, values, body, credentials) });
  const missing = operation.parameters.filter(({ name, required, place }) => required && place !== "header" && (values[name] ?? "") === "").map(({ name }) => name);
  return (
    <Stack gap="sm" component="section" aria-label={`Try ${operation.method} ${operation.path}`}>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {operation.parameters
          .filter(({ place, name }) => place === "path" || place === "query" || (place === "header" && name.toLowerCase() !== "authorization"))
          .map((one) => (
            <TextInput key={one.place + one.name} label={`${one.name} (${one.place})`} required={one.required} value={values[one.name] ?? ""} onChange={(event) => setValues({ ...values, [one.name]: event.currentTarget.value })} />
          ))}
      </SimpleGrid>
      {operation.hasBody ? <Code label="Body" language="json" value={body} onChange={setBody} height={140} /> : null}
      <Group>
        <Button size="xs" loading={call.isPending} disabled={missing.length > 0 || credentials.token === ""} onClick={() => call.mutate()}>
          Try it
        </Button>
        <Text size="sm" c="dimmed">
          {credentials.token === "" ? "The Element token is needed first." : missing.length > 0 ? `Fill in ${missing.join(", ")} first.` : operation.method === "GET" ? "Asks the provider." : "Changes something at the provider."}
        </Text>
      </Group>
      {call.error ? <Alert color="red">The server cannot be reached.</Alert> : null}
      {call.data ? (
        <Stack gap="xs" component="section" aria-label="The answer">
          <Group gap="sm">
            <Mark word={String(call.data.status)} tone={call.data.status < 300 ? "good" : "bad"} />
            <Text size="sm" c="dimmed">
              {call.data.took} ms
            </Text>
          </Group>
          {call.data.status === 401 && credentials.user === "" ? <Alert color="gray">This server wants your user secret beside the token.</Alert> : null}
          {call.data.headers === "" ? null : <Json value={call.data.headers} label="Headers of the answer" height={120} />}
          <Json value={call.data.body} label="Body of the answer" height={320} />
        </Stack>
      ) : null}
    </Stack>
  );
}

async function tried(operation: Operation, base: string, values: Record<string, string>, body: string, credentials: Credentials): Promise<Tried> {
  const of = (place: string) => operation.parameters.filter((one) => one.place === place && (values[one.name] ?? "") !== "");
  const path = of("path").reduce((at, { name }) => at.replaceAll(`{${name}}`, encodeURIComponent(values[name] ?? "")), operation.path);
  const query = new URLSearchParams(of("query").map(({ name }) => [name, values[name] ?? ""]));
  const pairs = [...(credentials.user === "" ? [] : [`User ${credentials.user}`]), `Element ${credentials.token}`];
  const headers = { ...changeHeaders(), ...Object.fromEntries(of("header").map(({ name }) => [name, values[name] ?? ""])), Authorization: pairs.join(", "), ...(operation.hasBody ? { "Content-Type": "application/json" } : {}) };
  const began = performance.now();
  const response = await fetch(`${base}${path}${query.size > 0 ? `?${query}` : ""}`, { method: operation.method, headers, ...(operation.hasBody && body !== "" ? { body } : {}) });
  const text = await response.text();
  const shown = [...response.headers].filter(([name]) => name.startsWith("elements-") || name === "content-type").map(([name, value]) => `${name}: ${value}`);
  return { status: response.status, took: Math.round(performance.now() - began), headers: shown.join("\n"), body: text };
}
