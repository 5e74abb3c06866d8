// One input of a card: typed in place, or wired to an output that an earlier card gives.
import { ActionIcon, CloseButton, NativeSelect, Text, TextInput, Textarea } from "@mantine/core";
import { Handle, Position } from "@xyflow/react";
import { IconArrowsRightLeft } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useState } from "react";

import { useLaterMenu } from "../../../parts/Actions";
import { choicesOf, typeLabel } from "../model/catalogue";
import type { Card } from "../model/document";
import { isExact, isNumber, numberOf, parseJson } from "../model/exact";
import * as edit from "../model/edit";
import { isMembers, type Json } from "../model/json";
import { type InputRow, isOfCall } from "../model/pins";
import { parsed, type Reference, referenceOf } from "../model/references";
import { handleOf } from "../model/wires";
import { useCanvas } from "./context";
import { Findings } from "./Findings";
import { type Kind, kindOf } from "./kinds";
import { RenameField } from "./RenameField";
import { Value } from "./Value";

const menus = () => import("./menus");
const SourcesMenu = lazy(async () => ({ default: (await menus()).SourcesMenu }));

/** An input as a row. `given` is what a run gave it. */
export function InputField(props: { card: Card; row: InputRow; given: unknown }) {
  const { card, row } = props;
  const { doc, edit: change, isFixed, found } = useCanvas();
  const from = referenceOf(row.value);
  const put = (value: Json | undefined) => change((doc) => edit.setInput(doc, row.path, value));
  const findings = found.inputs.get(row.place);
  return (
    <div className="flow-row flow-input" data-fault={findings?.some(({ isFault }) => isFault) || undefined}>
      <Handle type="target" position={Position.Left} id={handleOf(row.path)} isConnectable={!isFixed} className="flow-handle" />
      <div className="flow-row-head">
        <span className="flow-name">
          {row.isOwn && !isFixed ? <RenameField what="input" name={row.label} taken={siblings(doc, row)} onRename={(name) => change((doc) => edit.renameInput(doc, card, row.path, name))} /> : row.label}
          {row.required ? <span aria-hidden> *</span> : null}
        </span>
        <span className="flow-type">{typeLabel(row.type)}</span>
        {row.isOwn && !isFixed ? <CloseButton size="xs" className="nodrag" aria-label={`Remove input ${row.label}`} onClick={() => put(undefined)} /> : null}
      </div>
      <div className="flow-control nodrag nowheel">
        {from === undefined ? <Literal card={card} row={row} put={put} isFixed={isFixed} /> : <Wired row={row} from={from} put={put} isFixed={isFixed} />}
        {isFixed ? null : <Sources card={card} row={row} put={put} />}
      </div>
      <Value name={row.label} value={props.given} />
      <Findings found={findings} />
    </div>
  );
}

function siblings(doc: Json, row: InputRow): string[] {
  const parent = row.path.slice(0, -1).reduce<Json | undefined>((value, step) => (Array.isArray(value) ? value[step as number] : isMembers(value) ? value[step] : undefined), doc);
  return isMembers(parent) ? Object.keys(parent) : [];
}

/** The reference, where a word of each call has no output but a path at once. */
function ofCall({ source, output, rest }: Reference, row: InputRow): Reference {
  if (output === undefined || !isOfCall(row.call, source)) return { source, output, rest };
  return { source, output: undefined, rest: [output, ...rest] };
}

function Wired(props: { row: InputRow; from: string; put: (value: Json | undefined) => void; isFixed: boolean }) {
  const { source, output, rest } = ofCall(parsed(props.from), props.row);
  const path = rest.join(".");
  const base = output === undefined ? source : `${source}.${output}`;
  const [text, setText] = useState(path);
  useEffect(() => setText(path), [path]);
  const keep = (next: string) => props.put({ from: next.trim() === "" ? base : `${base}.${next.trim()}` });
  return (
    <div className="flow-wired">
      <span className="flow-chip" title={props.from}>
        {source === "monitor" ? "Cursor" : base.replace(".", " · ")}
      </span>
      <TextInput size="xs" className="flow-path" variant="unstyled" value={text} placeholder="path" readOnly={props.isFixed} aria-label={`Path into ${base} for ${props.row.label}`} onChange={(event) => setText(event.currentTarget.value)} onBlur={() => text !== path && keep(text)} onKeyDown={(event) => event.key === "Enter" && keep(text)} />
      {props.isFixed ? null : <CloseButton size="xs" aria-label={`Cut the wire to ${props.row.label}`} onClick={() => props.put(undefined)} />}
    </div>
  );
}

function Literal(props: { card: Card; row: InputRow; put: (value: Json | undefined) => void; isFixed: boolean }) {
  const { row, put, isFixed } = props;
  const kind = kindOf(row.value, row.type);
  const list = row.spec === undefined ? undefined : choicesOf(props.card.spec?.id ?? "", row.spec);
  const hint = row.otherwise === undefined ? (row.required ? "needed" : "left out") : String(row.otherwise);
  if (list !== undefined && (row.value === undefined || typeof row.value === "string")) {
    const known = list.find(({ value, label }) => value === row.value || label === row.value);
    const other = row.value !== undefined && known === undefined ? [{ value: row.value as string, label: row.value as string }] : [];
    return (
      <NativeSelect size="xs" aria-label={row.label} disabled={isFixed} value={known?.value ?? (row.value as string | undefined) ?? ""} onChange={(event) => put(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}>
        <option value="">{hint}</option>
        {[...other, ...list].map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </NativeSelect>
    );
  }
  if (kind === "boolean") {
    return <NativeSelect size="xs" aria-label={row.label} disabled={isFixed} value={row.value === undefined ? "" : String(row.value)} data={[{ value: "", label: hint }, { value: "true", label: "true" }, { value: "false", label: "false" }]} onChange={(event) => put(event.currentTarget.value === "" ? undefined : event.currentTarget.value === "true")} />;
  }
  if (kind === "nothing") return <Text size="xs" c="dimmed" fs="italic" className="flow-nothing">nothing</Text>;
  if (kind === "json") return <JsonField row={row} put={put} isFixed={isFixed} hint={hint} />;
  const text = row.value === undefined ? "" : isExact(row.value) ? JSON.stringify(row.value) : String(row.value);
  return <TextInput size="xs" aria-label={row.label} value={text} placeholder={hint} readOnly={isFixed} inputMode={kind === "number" ? "decimal" : undefined} onChange={(event) => put(typed(event.currentTarget.value, kind, row))} />;
}

/** What was typed. A number that is none yet stays a text, and the check says so. */
function typed(text: string, kind: Kind, row: InputRow): Json | undefined {
  if (text === "" && (row.value !== "" || kind === "number")) return undefined;
  if (kind === "number" && isNumber(text)) return numberOf(text);
  return text;
}

function JsonField(props: { row: InputRow; put: (value: Json | undefined) => void; isFixed: boolean; hint: string }) {
  const { row } = props;
  const kept = row.value === undefined ? "" : JSON.stringify(row.value);
  const [text, setText] = useState(kept);
  const [isTyping, setTyping] = useState(false);
  useEffect(() => {
    if (!isTyping) setText(kept);
  }, [kept, isTyping]);
  const parsed = parse(text);
  const change = (next: string) => {
    setText(next);
    const value = parse(next);
    if (value !== "fault") props.put(value.json);
  };
  return (
    <Textarea size="xs" autosize minRows={1} maxRows={6} aria-label={row.label} className="flow-json" value={text} placeholder={props.hint} readOnly={props.isFixed} error={parsed === "fault" ? "This is no JSON yet; what stood here before counts." : undefined} onFocus={() => setTyping(true)} onBlur={() => setTyping(false)} onChange={(event) => change(event.currentTarget.value)} />
  );
}

function parse(text: string): { json: Json | undefined } | "fault" {
  if (text.trim() === "") return { json: undefined };
  try {
    return { json: parseJson(text) };
  } catch {
    return "fault";
  }
}

/** The menu at an input: what it may be wired to, and what may be typed instead. */
function Sources(props: { card: Card; row: InputRow; put: (value: Json | undefined) => void }) {
  const menu = useLaterMenu(menus);
  const button = (
    <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`What ${props.row.label} takes`} {...menu.button}>
      <IconArrowsRightLeft size={14} />
    </ActionIcon>
  );
  if (!menu.isWanted) return button;
  return (
    <Suspense fallback={button}>
      <SourcesMenu {...props} isOpen={menu.isOpen} onChange={menu.change}>
        {button}
      </SourcesMenu>
    </Suspense>
  );
}
