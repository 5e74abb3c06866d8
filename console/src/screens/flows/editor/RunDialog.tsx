// The Run dialog: from which cursor, over which instance, with which options.
import { Alert, Button, Group, NativeSelect, Stack, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";

import { api, BASE } from "../../../api/client";
import { asFailure } from "../../../api/failure";
import type { components } from "../../../api/schema";
import { Dialog } from "../../../parts/Dialog";
import { Refusal } from "../../../parts/Loaded";
import { line } from "../canvas/Value";
import { parseJson } from "../model/exact";
import type { Json } from "../model/json";
import { exactly } from "./exactly";
import { choicesOf, useInstances } from "./instances";
import { OptionFields } from "./OptionFields";

/** What a run brought, and what it began with. */
export interface Ran {
  result: components["schemas"]["Tested"];
  cursor: unknown;
  options: Record<string, string>;
}

/** What was chosen last, so that the next run begins with it. */
export interface RunChoice {
  instance: string;
  cursor: string;
  options: Record<string, string>;
}

interface Props {
  isOpen: boolean;
  doc: Json;
  monitor: number | undefined;
  connector: string | undefined;
  options: components["schemas"]["OptionBody"][];
  choice: RunChoice;
  last: Ran | undefined;
  onChoice: (choice: RunChoice) => void;
  onClose: () => void;
  onRan: (ran: Ran) => void;
}

/** Asks for what a run begins with, and runs. */
export function RunDialog(props: Props) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Run" size="lg">
      {props.isOpen ? <Form {...props} /> : null}
    </Dialog>
  );
}

function Form(props: Props) {
  const { choice, onChoice } = props;
  const [isTried, setTried] = useState(false);
  const instances = useInstances();
  const subscriptions = useQuery({
    queryKey: ["subscriptions", "of", props.monitor, "cursors"],
    enabled: props.monitor !== undefined,
    structuralSharing: false,
    queryFn: () => exactly<components["schemas"]["Subscription"][]>(api.GET(`${BASE}/subscriptions`, { params: { query: { monitorId: props.monitor, pageSize: 100 } }, parseAs: "text" })),
  });
  const cursor = parsed(choice.cursor);
  const run = useMutation({
    mutationFn: async (): Promise<Ran> => {
      const value = cursor === "fault" ? null : cursor;
      const result = await exactly<components["schemas"]["Tested"]>(api.POST(`${BASE}/monitors/test`, { parseAs: "text", body: { document: props.doc, instanceId: Number(choice.instance), cursor: value, options: choice.options } as components["schemas"]["ToTest"] }));
      return { result, cursor: value, options: choice.options };
    },
    onSuccess: (ran) => {
      props.onRan(ran);
      props.onClose();
    },
  });
  const list = choicesOf(instances.data, props.connector);
  const saved = [
    ...(props.last?.result.savesCursor ? [{ label: `what the last run here would save: ${line(props.last.result.cursor)}`, text: JSON.stringify(props.last.result.cursor, null, 2) }] : []),
    ...(subscriptions.data ?? []).filter((subscription) => subscription.cursor != null).map((subscription) => ({ label: `${subscription.name}: ${line(subscription.cursor)}`, text: JSON.stringify(subscription.cursor, null, 2) })),
  ];
  const missing = isTried && choice.instance === "" ? "Choose the instance whose connection is used." : undefined;
  const submit = () => {
    setTried(true);
    if (choice.instance !== "" && cursor !== "fault") run.mutate();
  };
  return (
    <Stack>
      <NativeSelect label="Instance" description="Requests carry its credentials. Nothing is saved, nothing is reported." withAsterisk error={missing} value={choice.instance} onChange={(event) => onChoice({ ...choice, instance: event.currentTarget.value })} data={[{ value: "", label: instances.isPending ? "loading…" : "choose an instance" }, ...list]} />
      {instances.data?.length === 0 ? (
        <Alert color="gray">
          There is no instance yet. <Link href="/instances/new">Create one</Link> first; the flow is kept.
        </Alert>
      ) : null}
      <Textarea label="Cursor" description="JSON: a value of an earlier run. Empty or null is a first run." placeholder="null" autosize minRows={2} maxRows={10} styles={{ input: { fontFamily: "var(--mono)", fontSize: 13 } }} value={choice.cursor} error={cursor === "fault" ? "This is no JSON; a text stands in quotes." : undefined} onChange={(event) => onChoice({ ...choice, cursor: event.currentTarget.value })} />
      <NativeSelect label="Saved cursors" description={saved.length === 0 ? "None yet: subscriptions of this monitor have theirs here, and what a run would save." : undefined} disabled={saved.length === 0} value="" onChange={(event) => onChoice({ ...choice, cursor: saved[Number(event.currentTarget.value)]?.text ?? choice.cursor })} data={[{ value: "", label: "take a saved one" }, ...saved.map(({ label }, at) => ({ value: String(at), label }))]} />
      {props.options.length > 0 ? <OptionFields options={props.options} values={choice.options} onChange={(options) => onChoice({ ...choice, options })} /> : null}
      {run.error ? <Refusal error={asFailure(run.error)} title="It did not run" /> : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          Cancel
        </Button>
        <Button loading={run.isPending} onClick={submit}>
          Run now
        </Button>
      </Group>
    </Stack>
  );
}

function parsed(source: string): Json | "fault" {
  if (source.trim() === "") return null;
  try {
    return parseJson(source);
  } catch {
    return "fault";
  }
}
