// Fields of an instance's configuration, with their faults.
import { ActionIcon, Button, Group, Input, Stack, Switch, Textarea, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";

import { textOf } from "../../../api/exact";
import type { Members } from "../../../api/trying";
import { useFault, useFaultsWhere } from "../../../parts/faults";
import { Secret } from "../../../parts/Secret";
import { asMembers } from "../../../parts/polling/Resources";
import type { Entry } from "../../connectors/document";
import { type Form, KEY, keyPaths } from "./document";

/** One key of the configuration. */
export function KeyField(props: { form: Form; entry: string; label: string; description?: string; placeholder?: string; kind?: "text" | "secret" | "long" | "flag"; required?: boolean; initial?: string }) {
  const { form, entry, kind = "text" } = props;
  const error = useFault(...keyPaths(entry));
  const value = form.text(entry);
  const common = { label: props.label, description: props.description, placeholder: props.placeholder ?? props.initial, error, required: props.required ?? false };
  const onChange = (event: { currentTarget: { value: string } }) => form.set(entry, event.currentTarget.value);
  if (kind === "flag") return <Switch label={props.label} description={props.description} error={error} checked={(value === "" ? props.initial : value) === "true"} onChange={(event) => form.set(entry, event.currentTarget.checked)} />;
  if (kind === "secret") return <Secret {...common} value={value} onChange={onChange} autoComplete="off" />;
  if (kind === "long") return <Textarea {...common} value={value} onChange={onChange} autosize minRows={2} />;
  return <TextInput {...common} value={value} onChange={onChange} />;
}

/** Whether an account has to say it, because the connector does not. */
export const isRequired = (entry: Entry): boolean => entry.required === true && textOf(entry.defaultValue) === "";

/** A key that a connector asks for. */
export function EntryField(props: { form: Form; entry: Entry }) {
  const { entry } = props;
  const initial = textOf(entry.defaultValue);
  const type = (entry.type ?? "").toUpperCase();
  const isSecret = type === "PASSWORD" || /(^|\.)(password|secret)$/.test(entry.key) || entry.key === "oauth.api.secret";
  const about = typeof entry["description"] === "string" && entry["description"] !== entry.name ? { description: entry["description"] } : {};
  return (
    <KeyField
      form={props.form}
      entry={entry.key}
      label={entry.name ?? entry.key}
      kind={isSecret ? "secret" : type === "BOOLEAN" ? "flag" : type === "TEXTAREA" ? "long" : "text"}
      initial={initial}
      required={isRequired(entry)}
      {...about}
    />
  );
}

/** What the provider's notifications are known by. A fault that it is missing stands at the configuration. */
export function WebhookSecret({ form }: { form: Form }) {
  const paths = keyPaths(KEY.secret);
  const error = useFaultsWhere(({ path, problem }) => paths.some((own) => path === own || path.startsWith(`${own}[`)) || (path === "configuration" && problem.startsWith(`\`${KEY.secret}\``)), KEY.secret);
  return <Secret label="Webhook secret" description="What the provider signs with or shows, as its own settings say it. Another one counts from then on." value={form.text(KEY.secret)} onChange={(event) => form.set(KEY.secret, event.currentTarget.value)} error={error} autoComplete="off" />;
}

/** Headers as rows of a name and a value. */
export function HeaderRows(props: { form: Form; entry: string; label: string; description: string }) {
  const { form, entry } = props;
  const [rows, setRows] = useState(() => Object.entries(asMembers(form.doc.configuration[entry])).map(([name, value]) => ({ name, value: textOf(value) })));
  const paths = keyPaths(entry);
  const error = useFaultsWhere(({ path }) => paths.some((own) => path === own || path.startsWith(`${own}.`)), entry);
  const change = (next: { name: string; value: string }[]) => {
    setRows(next);
    const named = next.filter(({ name }) => name.trim() !== "");
    form.set(entry, named.length === 0 ? undefined : (Object.fromEntries(named.map(({ name, value }) => [name.trim(), value])) as Members));
  };
  return (
    <Input.Wrapper role="group" aria-label={props.label} label={props.label} labelElement="div" description={props.description} error={error}>
      <Stack gap="xs" mt={6}>
        {rows.map((row, at) => (
          <Group key={at} gap="xs" wrap="nowrap">
            <TextInput aria-label={`Name of header ${at + 1}`} placeholder="Authorization" value={row.name} onChange={(event) => change(rows.map((one, place) => (place === at ? { ...one, name: event.currentTarget.value } : one)))} style={{ flex: "0 1 14rem" }} />
            <Secret aria-label={`Value of header ${at + 1}`} placeholder="Bearer …" value={row.value} autoComplete="off" onChange={(event) => change(rows.map((one, place) => (place === at ? { ...one, value: event.currentTarget.value } : one)))} style={{ flex: 1 }} />
            <ActionIcon variant="subtle" color="gray" aria-label={`Remove header ${at + 1}`} onClick={() => change(rows.filter((_, place) => place !== at))}>
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button size="xs" variant="default" onClick={() => setRows([...rows, { name: "", value: "" }])}>
            Add header
          </Button>
        </Group>
      </Stack>
    </Input.Wrapper>
  );
}
