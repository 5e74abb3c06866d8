// A hook: its script, what it gets and gives, and a run on a sample.
import { Alert, Button, Grid, Group, NativeSelect, Paper, Stack, Table, Text, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../api/client";
import { asFailure } from "../../api/failure";
import { type HookTried, type Members, tryHook } from "../../api/trying";
import { Code } from "../Code";
import { useFault } from "../faults";
import { Json } from "../Json";
import { Refusal } from "../Loaded";
import { Mark } from "../Mark";
import { type HookType, Reference } from "./Reference";

const START: Record<HookType, Members> = {
  event: { events: { contact: { id: "1", updated: "2026-01-31T12:00:00Z" }, eventHeaders: {}, eventId: "1" }, configuration: {} },
  preRequest: { request_vendor_headers: {}, request_vendor_parameters: {}, request_vendor_path: "/contacts", request_vendor_method: "GET", configuration: {} },
  postRequest: { response_body: {}, response_headers: {}, response_status_code: 200, response_iserror: false, configuration: {} },
};

/** The editor of one hook. `path` is where the API says that it stands. */
export function HookEditor(props: { title: string; type: HookType; script: string; isLegacy: boolean; onChange: (script: string) => void; onRemove: () => void; path: string; mayChange: boolean }) {
  const [input, setInput] = useState(() => JSON.stringify(START[props.type], null, 2));
  const fault = useFault(`${props.path}.body`, props.path, `${props.path}.type`);
  const run = useMutation({
    mutationFn: () => {
      let read: unknown;
      try {
        read = JSON.parse(input);
      } catch (thrown) {
        throw new Error(`The sample is no JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
      return tryHook({ type: props.type, script: props.script, input: read, legacy: props.isLegacy });
    },
  });
  return (
    <Paper withBorder p="md" component="section" aria-label={props.title}>
      <Stack>
        <Group justify="space-between">
          <Title order={3}>{props.title}</Title>
          <Button size="xs" variant="default" disabled={!props.mayChange} onClick={props.onRemove}>
            Remove hook
          </Button>
        </Group>
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 7 }}>
            <Stack>
              {props.type === "event" && props.mayChange ? <Samples onSample={(script, sample) => { if (props.script.trim() === "") props.onChange(script); setInput(sample); }} onScript={props.onChange} isEmpty={props.script.trim() === ""} /> : null}
              <Code label={`${props.title}: JavaScript`} language="javascript" value={props.script} height={220} error={fault} {...(props.mayChange ? { onChange: props.onChange } : {})} />
              <Code label="Sample" description="What the script gets in this run." language="json" value={input} onChange={setInput} height={140} />
              <Group>
                <Button variant="default" loading={run.isPending} disabled={!props.mayChange} onClick={() => run.mutate()}>
                  Run
                </Button>
                <Text size="sm" c="dimmed">
                  Runs the script as it stands above, in the same walls as live ones. Nothing is stored.
                </Text>
              </Group>
              {run.error ? <Unrun error={run.error} /> : null}
              {run.data ? <Outcome type={props.type} tried={run.data} /> : null}
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 5 }}>
            <Reference type={props.type} />
          </Grid.Col>
        </Grid>
      </Stack>
    </Paper>
  );
}

function Unrun({ error }: { error: Error }) {
  const failure = asFailure(error);
  if (failure.status === 404 || failure.status === 405) return <Alert color="gray">This server cannot run hooks on samples.</Alert>;
  return <Refusal error={failure} title="It did not run" />;
}

function Outcome(props: { type: HookType; tried: HookTried }) {
  const { ok, result, fault, log, tookMs } = props.tried;
  const events = props.type === "event" && typeof result === "object" && result !== null ? (result as Members)["events"] : undefined;
  return (
    <Stack gap="xs" component="section" aria-label="What came of the run">
      {ok ? null : (
        <Alert color="red" role="alert" title="The script failed">
          {fault ? `${fault.message}${fault.line ? ` (line ${fault.line})` : ""}` : "It has no result."}
        </Alert>
      )}
      {Array.isArray(events) ? <Events events={events as Members[]} /> : null}
      {result !== undefined && result !== null ? <Json value={result} label="Result" height={220} /> : ok ? <Text size="sm">It handed over nothing, so nothing would change.</Text> : null}
      {log && log.length > 0 ? <Json value={log.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")} label="Log" height={160} /> : null}
      {tookMs === undefined ? null : (
        <Text size="xs" c="dimmed">
          It took {tookMs} ms.
        </Text>
      )}
    </Stack>
  );
}

function Events(props: { events: Members[] }) {
  // The events as they were understood, no more in the script's own words.
  const cell = (value: unknown) => (value === undefined || value === null ? "" : String(value));
  return (
    <Table aria-label="Events of the run" verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Type</Table.Th>
          <Table.Th>Object</Table.Th>
          <Table.Th>Id</Table.Th>
          <Table.Th>Date</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {props.events.map((event, at) => (
          <Table.Tr key={at}>
            <Table.Td>
              <Mark word={cell(event["eventType"])} />
            </Table.Td>
            <Table.Td>{cell(event["objectType"])}</Table.Td>
            <Table.Td className="mono">{cell(event["objectId"])}</Table.Td>
            <Table.Td className="mono">{cell(event["date"])}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Samples(props: { onSample: (script: string, input: string) => void; onScript: (script: string) => void; isEmpty: boolean }) {
  const samples = useQuery({ queryKey: ["webhook-samples"], queryFn: () => told(api.GET(`${BASE}/webhooks/samples`)), staleTime: Infinity });
  const [name, setName] = useState("");
  const read = useMutation({
    mutationFn: (wanted: string) => told(api.GET(`${BASE}/webhooks/samples/{name}`, { params: { path: { name: wanted } } })),
    onSuccess: (sample) => props.onSample(sample.script, inputOf(sample)),
  });
  return (
    <Group align="flex-end" gap="sm">
      <NativeSelect
        label="Start from a sample"
        data={[{ value: "", label: "a provider's webhook…" }, ...(samples.data ?? []).map((sample) => ({ value: sample.name, label: sample.title }))]}
        value={name}
        onChange={({ currentTarget: { value: next } }) => {
          setName(next);
          if (next !== "") read.mutate(next);
        }}
        style={{ flex: "1 1 14rem" }}
      />
      {read.data && !props.isEmpty ? (
        <Button variant="default" onClick={() => read.data && props.onScript(read.data.script)}>
          Use its script
        </Button>
      ) : null}
    </Group>
  );
}

function inputOf(sample: { request: { body: string; headers: string[][]; query: string[][] } }): string {
  let body: Members = {};
  try {
    const read: unknown = JSON.parse(sample.request.body);
    body = typeof read === "object" && read !== null && !Array.isArray(read) ? (read as Members) : { body: read };
  } catch {
    body = Object.fromEntries(new URLSearchParams(sample.request.body));
  }
  const headers = Object.fromEntries(sample.request.headers as [string, string][]);
  const query = Object.fromEntries(sample.request.query as [string, string][]);
  return JSON.stringify({ events: { ...query, ...body, eventHeaders: headers, eventId: "1" }, configuration: {} }, null, 2);
}
