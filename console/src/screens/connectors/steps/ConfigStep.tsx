// What accounts configure, and where values go in every call.
import { Badge, Stack } from "@mantine/core";
import { useState } from "react";

import { textOf } from "../../../api/exact";
import type { Members } from "../../../api/trying";
import type { StepProps } from "../Connector";
import { type Entry, isReserved, type Parameter, withItem } from "../document";
import { PartDialog, type PartField } from "./PartDialog";
import { PartTable } from "./PartTable";

const PLACES = ["configuration", "header", "path", "query", "body", "bodyField", "form", "multipart", "file", "value", "prevBody", "prevBodyField", "bodyToken", "no-op"] as const;

const ENTRY: readonly PartField[] = [
  { name: "key", label: "Key", required: true, about: "What instances set it by, such as subdomain" },
  { name: "name", label: "Name", about: "What people see" },
  { name: "type", label: "Type", kind: ["TEXTFIELD_1000", "TEXTFIELD_128", "TEXTFIELD_32", "PASSWORD", "BOOLEAN", "TEXTAREA", "COMBO"] },
  { name: "defaultValue", label: "Default value" },
  { name: "description", label: "Description", kind: "long" },
  { name: "required", label: "Required", kind: "flag" },
  { name: "hideFromConsole", label: "Hidden from the instance form", kind: "flag" },
];

/** Members of a parameter. */
export const PARAMETER: readonly PartField[] = [
  { name: "name", label: "Our name", required: true, about: "For a value: the value itself, with ${…} filled in" },
  { name: "type", label: "Where it is on our side", kind: PLACES, required: true },
  { name: "vendorName", label: "The provider's name" },
  { name: "vendorType", label: "Where it goes", kind: PLACES },
  { name: "dataType", label: "Data type", kind: ["string", "integer", "number", "boolean", "date"] },
  { name: "converter", label: "Converter", kind: ["toQueryParameters", "toODataFilter"] },
  { name: "source", label: "Part of", kind: ["request", "response"] },
  { name: "required", label: "Required", kind: "flag" },
  { name: "description", label: "Description", kind: "long" },
];

type Open = { of: "entry" | "parameter"; at: number; value: Members };

/** The step. */
export default function ConfigStep({ draft, mayChange }: StepProps) {
  const { doc, edit } = draft;
  const [open, setOpen] = useState<Open>();
  return (
    <Stack gap="xl">
      <PartTable<Entry>
        title="Configuration"
        about="What an account gives when an instance is made. Keys of the platform are set on the other steps."
        add="Add configuration"
        list={doc.configuration}
        path="configuration"
        isShown={({ key }) => !isReserved(key) || key === "username" || key === "password"}
        name={({ key }) => key}
        columns={[
          { title: "Name", shows: ({ name, key }) => name ?? key },
          { title: "Key", shows: ({ key }) => <span className="mono">{key}</span> },
          { title: "Type", shows: ({ type }) => type ?? "TEXTFIELD_1000" },
          { title: "Default", shows: ({ defaultValue }) => <span className="mono">{textOf(defaultValue)}</span> },
          { title: "", shows: ({ required }) => (required ? <Badge variant="default">required</Badge> : null) },
        ]}
        onAdd={() => setOpen({ of: "entry", at: doc.configuration.length, value: { key: "", name: "", type: "TEXTFIELD_1000", required: false } })}
        onOpen={(at) => setOpen({ of: "entry", at, value: doc.configuration[at] ?? {} })}
        onRemove={(at) => edit((now) => ({ ...now, configuration: withItem(now.configuration, at, undefined) }))}
        mayChange={mayChange}
      />
      <PartTable<Parameter>
        title="Parameters"
        about="Where values go in every call to the provider."
        add="Add parameter"
        list={doc.parameters}
        path="parameters"
        name={({ name }) => name}
        columns={[
          { title: "Our name", shows: ({ name }) => <span className="mono">{name}</span> },
          { title: "From", shows: (one) => String(one["type"] ?? "") },
          { title: "The provider's name", shows: (one) => <span className="mono">{String(one["vendorName"] ?? one.name)}</span> },
          { title: "Goes into", shows: (one) => String(one["vendorType"] ?? one["type"] ?? "") },
        ]}
        onAdd={() => setOpen({ of: "parameter", at: doc.parameters.length, value: { name: "", type: "configuration", vendorName: "", vendorType: "header" } })}
        onOpen={(at) => setOpen({ of: "parameter", at, value: doc.parameters[at] ?? {} })}
        onRemove={(at) => edit((now) => ({ ...now, parameters: withItem(now.parameters, at, undefined) }))}
        mayChange={mayChange}
      />
      <PartDialog
        title={open?.of === "entry" ? "Configuration" : "Parameter"}
        fields={open?.of === "entry" ? ENTRY : PARAMETER}
        value={open?.value}
        onClose={() => setOpen(undefined)}
        onTake={(value) => {
          if (open?.of === "entry") edit((now) => ({ ...now, configuration: withItem(now.configuration, open.at, value as Entry) }));
          else if (open) edit((now) => ({ ...now, parameters: withItem(now.parameters, open.at, value as Parameter) }));
          setOpen(undefined);
        }}
      />
    </Stack>
  );
}
