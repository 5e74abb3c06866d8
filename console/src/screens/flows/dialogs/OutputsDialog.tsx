// The Outputs dialog of Return Outputs: groups of fields, and how a record is recognised.
import { ActionIcon, Alert, Button, Group, NativeSelect, Paper, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";

import { Dialog } from "../../../parts/Dialog";
import { freeName, followRecord, outputGroups, type OutputGroup, setOutputs } from "../model/edit";
import { get, isMembers, type Json, type Members } from "../model/json";
import { faultOfName, FieldRows } from "./FieldRows";

interface Props {
  isOpen: boolean;
  doc: Json;
  isFixed: boolean;
  onClose: () => void;
  onApply: (change: (doc: Json) => Json) => void;
}

/** Edits the outputs; nothing is changed before Apply. */
export function OutputsDialog(props: Props) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Outputs" size="lg" closeOnClickOutside={false}>
      {props.isOpen ? <Form {...props} /> : null}
    </Dialog>
  );
}

const KINDS = [
  { value: "byLedger", label: "CREATED when the id is new, else UPDATED" },
  { value: "CREATED", label: "always CREATED" },
  { value: "UPDATED", label: "always UPDATED" },
  { value: "DELETED", label: "always DELETED" },
  { value: "UNKNOWN", label: "always UNKNOWN" },
];

function Form(props: Props) {
  const { isFixed } = props;
  const [groups, setGroups] = useState<OutputGroup[]>(() => outputGroups(props.doc));
  const [record, setRecord] = useState<Members | undefined>(() => {
    const found = get(props.doc, ["record"]);
    return isMembers(found) ? found : undefined;
  });
  const names = groups.map(({ name }) => name);
  const change = (next: OutputGroup[]) => {
    // What the record's paths called by an old name, they call by the new one.
    if (record !== undefined) setRecord(followRecord(record, next.map((group, at) => ({ ...group, was: groups[at]?.name, fields: group.fields.map((field, index) => ({ ...field, was: groups[at]?.fields[index]?.name })) })).slice(0, Math.min(next.length, groups.length))));
    setGroups(next);
  };
  const put = (at: number, more: Partial<OutputGroup>) => {
    const next = groups.map((group, other) => (other === at ? { ...group, ...more } : group));
    if (more.fields !== undefined && more.fields.length !== groups[at]?.fields.length) setGroups(next);
    else change(next);
  };
  const isFaulty = groups.some((group) => faultOfName(group.name, names) !== undefined || group.fields.length === 0 || group.fields.some((field) => faultOfName(field.name, group.fields.map(({ name }) => name)) !== undefined));
  const ofRecord = groups.find(({ name }) => name === record?.["group"]);
  const member = (key: string, value: string) => {
    const next = { ...(record ?? {}) };
    if (value === "") delete next[key];
    else next[key] = value;
    setRecord(Object.keys(next).length === 0 || (key === "group" && value === "") ? undefined : next);
  };
  const fieldChoices = (none: string, wanted?: Json) => {
    const listed = ofRecord?.fields.map(({ name }) => name) ?? [];
    const more = typeof wanted === "string" && !listed.includes(wanted) ? [wanted] : [];
    return [{ value: "", label: none }, ...[...more, ...listed].map((name) => ({ value: name, label: name }))];
  };
  const kind = typeof record?.["eventType"] === "string" ? record["eventType"] : "";
  return (
    <Stack>
      {groups.length === 0 ? <Alert color="gray">A returned record is an object: its groups are the first level, the fields of each the second. Add a group to begin.</Alert> : null}
      {groups.map((group, at) => (
        <Paper key={at} withBorder p="sm" role="group" aria-label={`Group ${group.name}`}>
          <Stack gap="xs">
            <Group gap="xs" align="flex-end" wrap="nowrap">
              <TextInput style={{ flex: 1 }} label={`Group ${at + 1}`} value={group.name} readOnly={isFixed} error={faultOfName(group.name, names)} onChange={(event) => put(at, { name: event.currentTarget.value })} />
              {isFixed ? null : (
                <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Remove group ${group.name}`} onClick={() => setGroups(groups.filter((_, other) => other !== at))}>
                  <IconTrash size={16} />
                </ActionIcon>
              )}
            </Group>
            <FieldRows fields={group.fields} of={group.name} add="Add Field" isFixed={isFixed} onChange={(fields) => put(at, { fields })} />
          </Stack>
        </Paper>
      ))}
      {isFixed ? null : (
        <Button variant="default" size="sm" leftSection={<IconPlus size={16} />} style={{ alignSelf: "flex-start" }} onClick={() => setGroups([...groups, { was: undefined, name: freeName("Record", names), fields: [{ was: undefined, name: "ID", type: "text" }] }])}>
          Add group
        </Button>
      )}
      {groups.length > 0 ? (
        <Paper withBorder p="sm" role="group" aria-label="How a record is recognised">
          <Stack gap="xs">
            <NativeSelect label="Records are recognised in group" description="With an id, what was reported is not reported again." disabled={isFixed} value={typeof record?.["group"] === "string" ? record["group"] : ""} onChange={(event) => member("group", event.currentTarget.value)} data={[{ value: "", label: "not at all: every returned record is an event" }, ...[...new Set([...(typeof record?.["group"] === "string" ? [record["group"]] : []), ...names])].map((name) => ({ value: name, label: name }))]} />
            {record !== undefined ? (
              <Group grow gap="xs" align="flex-start">
                <NativeSelect label="by id" disabled={isFixed} value={typeof record["id"] === "string" ? record["id"] : ""} onChange={(event) => member("id", event.currentTarget.value)} data={fieldChoices("no id", record["id"])} />
                <NativeSelect label="and date of change" disabled={isFixed} value={typeof record["updated"] === "string" ? record["updated"] : ""} onChange={(event) => member("updated", event.currentTarget.value)} data={fieldChoices("by content", record["updated"])} />
                <NativeSelect label="Type of event" disabled={isFixed} value={kind} onChange={(event) => member("eventType", event.currentTarget.value)} data={[{ value: "", label: "as by default" }, ...KINDS, ...(ofRecord?.fields ?? []).filter(({ name }) => !KINDS.some(({ value }) => value === name)).map(({ name }) => ({ value: name, label: `what ${name} says` }))]} />
              </Group>
            ) : null}
          </Stack>
        </Paper>
      ) : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          {isFixed ? "Close" : "Cancel"}
        </Button>
        {isFixed ? null : (
          <Button
            disabled={isFaulty}
            onClick={() => {
              props.onApply((doc) => setOutputs(doc, groups, record));
              props.onClose();
            }}
          >
            Apply
          </Button>
        )}
      </Group>
    </Stack>
  );
}
