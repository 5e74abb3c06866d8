// Fields of a connector's document, with their faults.
import { PasswordInput, Select, Switch, Textarea, TextInput } from "@mantine/core";

import { textOf } from "../../../api/exact";
import { useFault } from "../../../parts/faults";
import { valueOf, valuePath, withValue } from "../document";
import type { StepProps } from "../Connector";

/** A member of the document itself. */
export function MemberField(props: StepProps & { member: string; label: string; description?: string; long?: boolean; readOnly?: boolean }) {
  const { draft, member } = props;
  const value = draft.doc[member];
  const common = {
    label: props.label,
    description: props.description,
    error: useFault(member),
    value: textOf(value),
    disabled: !props.mayChange,
    readOnly: props.readOnly ?? false,
    onChange: (event: { currentTarget: { value: string } }) => {
      const next = event.currentTarget.value;
      draft.edit((doc) => ({ ...doc, [member]: next }));
    },
  };
  return props.long ? <Textarea {...common} autosize minRows={2} /> : <TextInput {...common} />;
}

/** The value of a configuration key; the entry is made when it is set first. */
export function ValueField(props: StepProps & { entry: string; label: string; description?: string; placeholder?: string; kind?: "text" | "secret" | "flag" | readonly { value: string; label: string }[]; mono?: boolean }) {
  const { draft, entry, kind = "text" } = props;
  const value = valueOf(draft.doc, entry);
  const error = useFault(valuePath(draft.doc, entry), valuePath(draft.doc, entry).replace(/\.defaultValue$/, ""));
  const set = (next: string) => draft.edit((doc) => withValue(doc, entry, next));
  const common = { label: props.label, description: props.description, error, disabled: !props.mayChange };
  if (kind === "flag") return <Switch {...common} checked={value === "true"} onChange={(event) => set(String(event.currentTarget.checked))} />;
  if (kind === "secret") return <PasswordInput {...common} value={value} placeholder={props.placeholder} autoComplete="off" onChange={(event) => set(event.currentTarget.value)} />;
  if (typeof kind !== "string") return <Select {...common} data={[...kind]} value={value === "" ? null : value} placeholder={props.placeholder} clearable clearButtonProps={{ "aria-label": `Clear ${props.label}` }} onChange={(next) => set(next ?? "")} />;
  return <TextInput {...common} value={value} placeholder={props.placeholder} onChange={(event) => set(event.currentTarget.value)} styles={props.mono ? { input: { fontFamily: "var(--mono)", fontSize: "0.85rem" } } : {}} />;
}
