// The Options dialog of the Polling Monitor card: what a user of the monitor chooses. Values are texts.
import { ActionIcon, Alert, Button, Checkbox, Group, NativeSelect, Paper, Stack, TagsInput, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";

import { Dialog } from "../../../parts/Dialog";
import { helperNames } from "../model/document";
import { freeName, setOptions } from "../model/edit";
import { get, isMembers, items, type Json, type Members, members, text } from "../model/json";
import { faultOfName } from "./FieldRows";

interface Props {
  isOpen: boolean;
  doc: Json;
  isFixed: boolean;
  onClose: () => void;
  onApply: (change: (doc: Json) => Json) => void;
}

/** Edits the options; nothing is changed before Apply. */
export function OptionsDialog(props: Props) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Options" size="lg" closeOnClickOutside={false}>
      {props.isOpen ? <Form {...props} /> : null}
    </Dialog>
  );
}

interface Option {
  was: string | undefined;
  value: Members;
}

type Kind = "text" | "dropdown" | "flow";

function kindOf(option: Members): Kind {
  return text(option["type"]) !== "dropdown" ? "text" : isMembers(option["values"]) ? "flow" : "dropdown";
}

function Form(props: Props) {
  const { isFixed } = props;
  const [options, setAll] = useState<Option[]>(() => items(get(props.doc, ["options"])).map((option) => ({ was: text(members(option)["label"]), value: members(option) })));
  const labels = options.map(({ value }) => text(value["label"]) ?? "");
  const flows = helperNames(props.doc);
  const put = (at: number, change: Members) => setAll(options.map((option, other) => (other === at ? { ...option, value: change } : option)));
  const isFaulty = options.some(({ value }) => faultOfName(text(value["label"]) ?? "", labels) !== undefined || (kindOf(value) === "dropdown" && items(value["values"]).length === 0));
  return (
    <Stack>
      {options.length === 0 ? <Alert color="gray">An option is a value that everyone who uses the monitor chooses once, such as a group or a region. The flow takes it like the output of a card.</Alert> : null}
      {options.map(({ value: option }, at) => {
        const kind = kindOf(option);
        const label = labels[at] ?? "";
        return (
          <Paper key={at} withBorder p="sm" role="group" aria-label={`Option ${label}`}>
            <Stack gap="xs">
              <Group gap="xs" align="flex-end" wrap="nowrap">
                <TextInput style={{ flex: 2 }} label={`Option ${at + 1}`} value={label} readOnly={isFixed} error={faultOfName(label, labels)} onChange={(event) => put(at, { ...option, label: event.currentTarget.value })} />
                <NativeSelect style={{ flex: 2 }} label="Field type" disabled={isFixed} value={kind} onChange={(event) => put(at, withKind(option, event.currentTarget.value as Kind, flows))} data={[{ value: "text", label: "Text Field" }, { value: "dropdown", label: "Dropdown" }, { value: "flow", label: "Dropdown, values from a flow" }]} />
                {isFixed ? null : (
                  <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Remove option ${label}`} onClick={() => setAll(options.filter((_, other) => other !== at))}>
                    <IconTrash size={16} />
                  </ActionIcon>
                )}
              </Group>
              {kind === "dropdown" ? <TagsInput label="Values" description="Enter after each" readOnly={isFixed} value={items(option["values"]).map(valueOf)} error={items(option["values"]).length === 0 ? "Write at least one value." : undefined} onChange={(values) => put(at, { ...option, values: values.map((value) => items(option["values"]).find((known) => valueOf(known) === value) ?? value) })} /> : null}
              {kind === "flow" ? <NativeSelect label="Flow that returns the values" disabled={isFixed} value={text(members(option["values"])["flow"]) ?? ""} onChange={(event) => put(at, { ...option, values: { flow: event.currentTarget.value } })} data={[...new Set([text(members(option["values"])["flow"]) ?? "", ...flows])].map((name) => ({ value: name, label: name || "choose a helper flow" }))} /> : null}
              <Checkbox label="Required" disabled={isFixed} checked={option["required"] !== false} onChange={(event) => put(at, event.currentTarget.checked ? without(option, "required") : { ...option, required: false })} />
            </Stack>
          </Paper>
        );
      })}
      {isFixed ? null : (
        <Button variant="default" size="sm" leftSection={<IconPlus size={16} />} style={{ alignSelf: "flex-start" }} onClick={() => setAll([...options, { was: undefined, value: { label: freeName("Option", labels) } }])}>
          Add option
        </Button>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          {isFixed ? "Close" : "Cancel"}
        </Button>
        {isFixed ? null : (
          <Button
            disabled={isFaulty}
            onClick={() => {
              props.onApply((doc) => setOptions(doc, options.map(({ value }) => value), options.map(({ was, value }) => ({ was, name: text(value["label"]) ?? "" }))));
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

/** What a value is, with or without words for people. */
function valueOf(value: Json): string {
  return typeof value === "string" ? value : (text(members(value)["value"]) ?? "");
}

function without(option: Members, key: string): Members {
  const { [key]: _, ...rest } = option;
  return rest;
}

function withKind(option: Members, kind: Kind, flows: readonly string[]): Members {
  const bare = without(without(option, "type"), "values");
  if (kind === "text") return bare;
  return { ...bare, type: "dropdown", values: kind === "flow" ? { flow: flows[0] ?? "" } : [] };
}
