// The flows of a document as tabs: the monitor, its helper flows, and one more.
import { Button, Group, Stack, Tabs, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";

import { Actions } from "../../../parts/Actions";
import { Dialog } from "../../../parts/Dialog";
import { type FlowName, helperNames, isId } from "../model/document";
import { addFlow, removeFlow, renameFlow } from "../model/edit";
import type { Json } from "../model/json";

/** The tabs. */
export function FlowTabs(props: { doc: Json; flow: FlowName; isFixed: boolean; faults: (flow: FlowName) => number; onFlow: (flow: FlowName) => void; edit: (change: (doc: Json) => Json) => void }) {
  const { doc, flow, isFixed } = props;
  const [asked, setAsked] = useState<"new" | "rename">();
  const names = helperNames(doc);
  const word = (name: FlowName) => {
    const faults = props.faults(name);
    return `${name ?? "Monitor"}${faults > 0 ? ` (${faults})` : ""}`;
  };
  return (
    <Group gap="xs" justify="space-between" wrap="wrap">
      <Tabs value={tabOf(flow)} onChange={(value) => props.onFlow(value?.startsWith("flow ") ? value.slice(5) : null)} variant="pills">
        <Tabs.List aria-label="Flows">
          <Tabs.Tab value={tabOf(null)}>{word(null)}</Tabs.Tab>
          {names.map((name) => (
            <Tabs.Tab key={name} value={tabOf(name)}>
              {word(name)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      {isFixed ? null : (
        <Group gap={4}>
          <Button size="xs" variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => setAsked("new")}>
            Helper flow
          </Button>
          {flow === null ? null : (
            <Actions
              label={`More for the flow ${flow}`}
              actions={[
                { label: "Rename the flow", onClick: () => setAsked("rename") },
                {
                  label: "Remove the flow",
                  isDanger: true,
                  onClick: () => {
                    props.onFlow(null);
                    props.edit((doc) => removeFlow(doc, flow));
                  },
                },
              ]}
            />
          )}
        </Group>
      )}
      <Dialog opened={asked !== undefined} onClose={() => setAsked(undefined)} title={asked === "rename" ? "Rename the flow" : "New helper flow"}>
        {asked === undefined ? null : (
          <NameForm
            name={asked === "rename" ? (flow ?? "") : ""}
            taken={names}
            onName={(name) => {
              props.edit((doc) => (asked === "rename" && flow !== null ? renameFlow(doc, flow, name) : addFlow(doc, name)));
              props.onFlow(name);
              setAsked(undefined);
            }}
          />
        )}
      </Dialog>
    </Group>
  );
}

/** A flow as the value of its tab. */
function tabOf(flow: FlowName): string {
  return flow === null ? "monitor" : `flow ${flow}`;
}

function NameForm(props: { name: string; taken: readonly string[]; onName: (name: string) => void }) {
  const [name, setName] = useState(props.name);
  const fault = !isId(name) ? "Begin with a letter or _, then letters, digits, - and _, at most 64." : name !== props.name && props.taken.includes(name) ? "There is a flow of this name." : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (fault === undefined) props.onName(name);
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput data-autofocus label="Name of the helper flow" description="Cards call it by this. One called httpHelper replaces the built-in one; _authping tries a connection." value={name} error={name === "" ? undefined : fault} onChange={(event) => setName(event.currentTarget.value)} />
        <Group justify="flex-end">
          <Button type="submit" disabled={fault !== undefined}>
            {props.name === "" ? "Add the flow" : "Rename"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
