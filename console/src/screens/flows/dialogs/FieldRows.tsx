// Rows of fields with a name and a type, as several dialogs have them.
import { ActionIcon, Button, Group, NativeSelect, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";

import { FIELD_TYPES, typeLabel } from "../model/catalogue";
import { isFieldName } from "../model/document";
import { freeName, type Renaming } from "../model/edit";

/** A field under edit. */
export type FieldRow = Renaming & { type: string };

/** What is wrong with a name among others; nothing when all is well. */
export function faultOfName(name: string, all: readonly string[]): string | undefined {
  if (!isFieldName(name)) return "Leave out full stops and blanks around it, and use at most 100 letters.";
  return all.filter((other) => other === name).length > 1 ? "This name is there twice." : undefined;
}

/** Edits fields. `of` names what they belong to. */
export function FieldRows(props: { fields: readonly FieldRow[]; of: string; add: string; isFixed: boolean; onChange: (fields: FieldRow[]) => void }) {
  const { fields, onChange, isFixed } = props;
  const names = fields.map(({ name }) => name);
  const put = (at: number, change: Partial<FieldRow>) => onChange(fields.map((field, other) => (other === at ? { ...field, ...change } : field)));
  return (
    <Stack gap="xs">
      {fields.map((field, at) => (
        <Group key={at} gap="xs" align="flex-start" wrap="nowrap">
          <TextInput style={{ flex: 2 }} size="sm" aria-label={`Field ${at + 1} of ${props.of}`} placeholder="name of the field" value={field.name} readOnly={isFixed} error={faultOfName(field.name, names)} onChange={(event) => put(at, { name: event.currentTarget.value })} />
          <NativeSelect style={{ flex: 1 }} size="sm" aria-label={`Type of field ${at + 1} of ${props.of}`} disabled={isFixed} value={field.type} onChange={(event) => put(at, { type: event.currentTarget.value })} data={FIELD_TYPES.map((type) => ({ value: type, label: typeLabel(type) }))} />
          {isFixed ? null : (
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Remove field ${field.name || at + 1} of ${props.of}`} onClick={() => onChange(fields.filter((_, other) => other !== at))}>
              <IconTrash size={16} />
            </ActionIcon>
          )}
        </Group>
      ))}
      {isFixed ? null : (
        <Button size="xs" variant="subtle" leftSection={<IconPlus size={14} />} style={{ alignSelf: "flex-start" }} onClick={() => onChange([...fields, { was: undefined, name: freeName("field", names), type: "text" }])}>
          {props.add}
        </Button>
      )}
    </Stack>
  );
}
