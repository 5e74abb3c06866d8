// What a card has beside its inputs and outputs: its id, a remark, its time, and what follows an error.
import { Button, Group, NativeSelect, NumberInput, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";

import { Dialog } from "../../../parts/Dialog";
import { type Card, everyCard, fullLabel, helperNames } from "../model/document";
import * as edit from "../model/edit";
import { get, isMembers, type Json, type Members, members, samePath, text } from "../model/json";
import { givenNames } from "../model/pins";

interface Props {
  card: Card | undefined;
  doc: Json;
  isFixed: boolean;
  onClose: () => void;
  onApply: (change: (doc: Json) => Json) => void;
}

/** Edits the settings of a card. */
export function CardDialog(props: Props) {
  const title = props.card?.spec === undefined ? "Card" : fullLabel(props.card.spec);
  return (
    <Dialog opened={props.card !== undefined} onClose={props.onClose} title={`Settings of ${title}`} size="md">
      {props.card === undefined ? null : <Form {...props} card={props.card} />}
    </Dialog>
  );
}

function Form(props: Omit<Props, "card"> & { card: Card }) {
  const { card, doc } = props;
  const policy = members(card.value["onError"]);
  const [id, setId] = useState(card.id ?? "");
  const [note, setNote] = useState(givenNames(card).note);
  const [timeout, setTimeout] = useState(card.value["timeout"] === undefined ? "" : String(card.value["timeout"]));
  const [retry, setRetry] = useState<number | string>(typeof policy["retry"] === "number" ? policy["retry"] : "");
  const [after, setAfter] = useState(policy["after"] === undefined ? "" : String(policy["after"]));
  const [then, setThen] = useState(() => thenOf(policy["then"]));
  const fault = edit.faultOfId(doc, card, id);
  const values = isMembers(policy["then"]) ? policy["then"] : {};
  const [returned, setReturned] = useState(() => JSON.stringify(values["return"] ?? Object.fromEntries(Object.keys(members(card.value["outputs"])).map((name) => [name, null]))));
  const json = parse(returned);
  const isUsed = card.id !== undefined && id === "";

  const apply = () => {
    props.onApply((doc) => {
      let next = edit.setNote(doc, card, note);
      next = set(next, "timeout", timeout === "" ? undefined : number(timeout));
      const chosen: Json | undefined = then === "halt" ? undefined : then === "return" ? { return: json ?? {} } : { ...(isMembers(values) && values["flow"] === then.slice(5) ? values : {}), flow: then.slice(5) };
      const onError: Members = { ...(retry === "" ? {} : { retry: Number(retry) }), ...(after === "" ? {} : { after: number(after) }), ...(chosen === undefined ? {} : { then: chosen }) };
      next = set(next, "onError", Object.keys(onError).length === 0 ? undefined : onError);
      const now = everyCard(next).find((other) => samePath(other.path, card.path));
      return now === undefined ? next : edit.setId(next, now, id);
    });
    props.onClose();
  };
  const set = (doc: Json, key: string, value: Json | undefined) => edit.setMember(doc, card, key, value);
  return (
    <Stack>
      <TextInput label="Id" description="Others refer to it by this; wires follow." value={id} error={fault ?? (isUsed ? "Keep it: wires may begin here." : undefined)} onChange={(event) => setId(event.currentTarget.value)} />
      <Textarea label="Remark" description="For people" autosize minRows={1} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      <TextInput label="Time limit" description="Such as 30s or 2m" value={timeout} onChange={(event) => setTimeout(event.currentTarget.value)} />
      <Group grow align="flex-start">
        <NumberInput label="Retry" description="Times, after a 429" min={0} max={10} value={retry} onChange={setRetry} />
        <TextInput label="After" description="5m by default" value={after} onChange={(event) => setAfter(event.currentTarget.value)} />
      </Group>
      <NativeSelect label="Then" value={then} onChange={(event) => setThen(event.currentTarget.value)} data={[{ value: "halt", label: "Halt: the error goes on" }, { value: "return", label: "Return values" }, ...[...new Set([...(then.startsWith("flow:") ? [then.slice(5)] : []), ...helperNames(doc)])].map((name) => ({ value: `flow:${name}`, label: `Run flow ${name}` }))]} />
      {then === "return" ? <Textarea label="Values of the outputs" description="JSON, by name" autosize minRows={2} value={returned} error={json === undefined ? "This is no JSON object yet." : undefined} onChange={(event) => setReturned(event.currentTarget.value)} /> : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          Cancel
        </Button>
        <Button disabled={fault !== undefined || isUsed || (then === "return" && json === undefined) || props.isFixed} onClick={apply}>
          Apply
        </Button>
      </Group>
    </Stack>
  );
}

function thenOf(then: Json | undefined): string {
  if (!isMembers(then)) return "halt";
  return get(then, ["return"]) !== undefined ? "return" : `flow:${text(then["flow"]) ?? ""}`;
}

function number(value: string): Json {
  return /^\d+$/.test(value.trim()) ? Number(value) : value.trim();
}

function parse(source: string): Members | undefined {
  try {
    const value = JSON.parse(source) as Json;
    return isMembers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
