// A part of a connector as a form or as JSON, which follow each other.
import { Button, Group, NumberInput, SegmentedControl, Select, SimpleGrid, Stack, Switch, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Members } from "../../../api/trying";
import { ResourceCode } from "../../../parts/polling/Resources";
import type { PartField } from "./PartDialog";

/** The form. */
export default function PartForm(props: { fields: readonly PartField[]; value: Members; onClose: () => void; onTake: (value: Members) => void }) {
  const [value, setValue] = useState(props.value);
  const [view, setView] = useState("edit");
  const isWhole = props.fields.every(({ name, required }) => !required || String(value[name] ?? "").trim() !== "");
  const set = (name: string, next: unknown) => {
    const changed = { ...value, [name]: next };
    if (next === undefined) delete changed[name];
    setValue(changed);
  };
  return (
    <Stack>
      <SegmentedControl size="xs" aria-label="How it is edited" value={view} onChange={setView} data={[{ value: "edit", label: "Edit" }, { value: "code", label: "Code" }]} style={{ alignSelf: "flex-start" }} />
      {view === "code" ? (
        <ResourceCode name="The part" value={value} onChange={setValue} label="All of it as JSON" />
      ) : (
        <SimpleGrid cols={{ base: 1, sm: 2 }} verticalSpacing="sm">
          {props.fields.map((field) => (
            <Field key={field.name} field={field} value={value[field.name]} onChange={(next) => set(field.name, next)} />
          ))}
        </SimpleGrid>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          Leave it as it was
        </Button>
        <Button disabled={!isWhole} onClick={() => props.onTake(value)}>
          Take it over
        </Button>
      </Group>
    </Stack>
  );
}

function Field({ field, value, onChange }: { field: PartField; value: unknown; onChange: (value: unknown) => void }) {
  const { kind = "text", label, about: description, required = false } = field;
  const written = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  if (kind === "flag") return <Switch label={label} description={description} checked={value === true || value === "true"} onChange={(event) => onChange(event.currentTarget.checked)} />;
  if (kind === "long") return <Textarea label={label} description={description} value={written} autosize minRows={2} maxRows={12} onChange={(event) => onChange(event.currentTarget.value)} />;
  if (kind === "number") return <NumberInput label={label} description={description} value={written} onChange={(next) => onChange(next === "" ? undefined : next)} />;
  if (typeof kind !== "string") {
    const data = written === "" || kind.includes(written) ? [...kind] : [...kind, written];
    return <Select label={label} description={description} data={data} value={written === "" ? null : written} required={required} clearable={!required} onChange={(next) => onChange(next ?? undefined)} />;
  }
  return <TextInput label={label} description={description} value={written} required={required} onChange={(event) => onChange(event.currentTarget.value === "" && !required ? undefined : event.currentTarget.value)} />;
}
