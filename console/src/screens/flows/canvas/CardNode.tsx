// A card on the canvas: its head, what it takes, what it gives, and what a run did with it.
import { ActionIcon, Button, NativeSelect, Text } from "@mantine/core";
import { type NodeProps, useUpdateNodeInternals } from "@xyflow/react";
import { IconDots, IconGripVertical, IconPlus } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";

import { useLaterMenu } from "../../../parts/Actions";
import { FIELD_TYPES, typeLabel } from "../model/catalogue";
import { type Card, fieldsOf, helperNames, nameOf, signatureOf } from "../model/document";
import * as edit from "../model/edit";
import type { Step } from "../model/findings";
import { tookMs } from "../model/findings";
import { get, members, text } from "../model/json";
import type { Box } from "../model/layout";
import { callsFlow, givenNames, inputRows, nextRepeated, type OutputRow, outputRows, takesOwnInputs } from "../model/pins";
import { CanvasProvider, type CanvasValue, useCanvas } from "./context";
import { Findings } from "./Findings";
import { GroupIcon } from "./icons";
import { InputField } from "./InputField";
import { OutputField } from "./OutputField";

const menus = () => import("./menus");
const CardMenu = lazy(async () => ({ default: (await menus()).CardMenu }));

/** The node of a card. */
export function CardNode(props: NodeProps) {
  const { card } = (props.data as unknown as { box: Box }).box;
  return card === undefined ? null : <Kept id={props.id} card={card} />;
}

/**
 * A card is drawn anew only when something changed that it shows, so that typing stays quick in long flows. What is
 * inside asks `now` where it needs the document as it is at the moment.
 */
function Kept(props: { id: string; card: Card }) {
  const { id, card } = props;
  const canvas = useCanvas();
  const { doc, found } = canvas;
  const around = JSON.stringify([
    card.place,
    card.parent?.value["outputs"],
    get(doc, ["cursor"]),
    card.spec?.id === "control.returnOutputs" ? [get(doc, ["outputs"]), found.rest] : null,
    helperNames(doc).map((name) => [name, signatureOf(doc, name)]),
    found.cards.get(card.place),
    [...found.inputs].filter(([place]) => place.startsWith(`${card.place}.`)),
  ]);
  return useMemo(
    () => (
      <CanvasProvider value={canvas}>
        <CardView id={id} card={card} />
      </CanvasProvider>
    ),
    // The canvas itself is new at every change; what a card shows of it is named here.
    [id, card.value, around, canvas.isFixed, canvas.run, canvas.flow],
  );
}

function CardView(props: { id: string; card: Card }) {
  const { card } = props;
  const canvas = useCanvas();
  const { doc, isFixed, found, run } = canvas;
  const inputs = inputRows(doc, card);
  const outputs = outputRows(doc, card);
  const { note } = givenNames(card);
  const steps = run?.steps.get(card.place);
  const [at, setAt] = useState(0);
  const step = steps?.[Math.min(at, steps.length - 1)];
  const name = nameOf(card);
  const label = card.id === undefined ? name : `${name} ${card.id}`;
  const refresh = useUpdateNodeInternals();
  const handles = [...inputs.map(({ key }) => key), ...outputs.map(({ name }) => name)].join("\n");
  useEffect(() => refresh(props.id), [refresh, props.id, handles]);
  const own = found.cards.get(card.place);
  const isBad = own?.some(({ isFault }) => isFault) || step?.error != null;
  return (
    <section className="flow-card" aria-label={label} data-bad={isBad || undefined} data-ran={run === undefined ? undefined : step !== undefined}>
      <header className="flow-head">
        {isFixed ? null : <IconGripVertical size={16} className="flow-drag" aria-hidden />}
        <GroupIcon group={card.spec?.group} />
        <div className="flow-title">
          <strong>{name}</strong>
          <span>{[card.id, note.split("\n")[0]].filter((word) => word).join(" · ")}</span>
        </div>
        <Ran step={step} ran={run !== undefined} />
        {isFixed ? null : <More card={card} label={label} canvas={canvas} />}
      </header>
      {steps !== undefined && steps.length > 1 ? <NativeSelect size="xs" className="nodrag flow-calls" aria-label={`Call of ${label}`} value={String(at)} onChange={(event) => setAt(Number(event.currentTarget.value))} data={steps.map((step, at) => ({ value: String(at), label: `Call ${at + 1} of ${steps.length}${step.error ? ", failed" : ""}` }))} /> : null}
      {step?.error ? <p className="flow-error">{step.error}{step.raw ? <span className="mono">{step.raw.slice(0, 300)}</span> : null}</p> : null}
      <Findings found={own} />
      {card.spec === undefined ? <Text size="xs" p="xs">This card is not known here. It keeps what it holds; the Document view shows it.</Text> : null}
      {card.spec?.id === "control.comment" ? null : callsFlow(card.spec) ? <CalledFlow card={card} /> : null}
      {card.spec?.id === "control.cursor" ? <p className="flow-hint">Saves {typeLabel(text(get(doc, ["cursor"])) ?? "any")} as the cursor of the next run.</p> : null}
      {inputs.map((row) => (
        <InputField key={`${row.path.at(-2)}/${row.key}`} card={card} row={card.spec?.id === "control.cursor" && row.spec !== undefined ? { ...row, type: text(get(doc, ["cursor"])) ?? row.type } : row} given={ofStep(step, row.spec?.key ?? row.key, row.key)} />
      ))}
      {isFixed ? null : <AddInput card={card} />}
      {card.spec?.id === "control.returnOutputs" ? <Returns canvas={canvas} /> : null}
      {outputs.length > 0 ? <Outputs card={card} outputs={outputs} step={step} /> : null}
      {isFixed ? null : <Adders card={card} />}
    </section>
  );
}

/** What a run gave an input: under its key, or as the document calls it. */
function ofStep(step: Step | undefined, ...keys: string[]): unknown {
  const inputs = step?.inputs as Record<string, unknown> | null | undefined;
  const key = keys.find((key) => inputs != null && typeof inputs === "object" && Object.hasOwn(inputs, key));
  return key === undefined ? undefined : inputs?.[key];
}

function Outputs(props: { card: Card; outputs: OutputRow[]; step: Step | undefined }) {
  const { card, outputs } = props;
  const { edit: change, run } = useCanvas();
  const [isAll, setAll] = useState(false);
  const many = outputs.length > 4 && run === undefined;
  const shown = many && !isAll ? outputs.slice(0, 1) : outputs;
  const given = (props.step?.outputs ?? {}) as Record<string, unknown>;
  return (
    <div className="flow-outputs">
      {shown.map((output) => (
        <OutputField
          key={output.name}
          handle={output.name}
          label={output.label}
          type={output.type}
          given={given[output.name]}
          taken={outputs.map(({ name }) => name)}
          onRename={output.isOwn || card.spec?.outputs.some(({ key }) => key === output.name) ? (name) => change((doc) => edit.renameOutput(doc, card, output.name, name)) : undefined}
          onType={output.isPicked ? (type) => change((doc) => edit.setOutputType(doc, card, output.name, type)) : undefined}
          onRemove={output.isOwn ? () => change((doc) => edit.removeOutput(doc, card, output.name)) : undefined}
        />
      ))}
      {many ? (
        <Button size="compact-xs" variant="subtle" color="gray" className="nodrag" onClick={() => setAll(!isAll)}>
          {isAll ? "Fewer outputs" : `${outputs.length - 1} more outputs`}
        </Button>
      ) : null}
    </div>
  );
}

function Ran(props: { step: Step | undefined; ran: boolean }) {
  if (!props.ran) return null;
  if (props.step === undefined) return <span className="flow-ran" data-state="not">did not run</span>;
  const took = tookMs(props.step);
  const isBad = props.step.error != null;
  return (
    <span className="flow-ran" data-state={isBad ? "bad" : "good"}>
      {isBad ? "✗ failed" : "✓"} {took === undefined ? "" : `${took} ms`}
    </span>
  );
}

function CalledFlow(props: { card: Card }) {
  const { card } = props;
  const { doc, edit: change, isFixed, openFlow } = useCanvas();
  const flow = text(card.value["flow"]);
  const names = [...new Set(["httpHelper", ...helperNames(doc)])];
  const known = flow === undefined || names.includes(flow) ? names : [flow, ...names];
  return (
    <div className="flow-row">
      <div className="flow-control nodrag">
        <NativeSelect size="xs" style={{ flex: 1 }} label="Flow" disabled={isFixed} value={flow ?? ""} onChange={({ currentTarget: { value } }) => change((doc) => edit.setMember(doc, card, "flow", value === "" ? undefined : value))}>
          <option value="">choose a flow</option>
          {known.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </NativeSelect>
        {flow !== undefined && helperNames(doc).includes(flow) ? (
          <Button size="compact-xs" variant="subtle" mt={22} onClick={() => openFlow(flow)}>
            Open
          </Button>
        ) : null}
      </div>
    </div>
  );
}

function Returns(props: { canvas: CanvasValue }) {
  const { doc, isFixed, openOutputs, found } = props.canvas;
  const groups = Object.entries(members(get(doc, ["outputs"])));
  const about = found.rest.filter(({ path }) => /^(outputs|record)\b/.test(path));
  return (
    <div className="flow-row">
      {groups.length > 0 ? (
        <ul className="flow-groups" aria-label="Groups of outputs">
          {groups.map(([name, fields]) => (
            <li key={name}>
              <strong>{name}</strong> {fieldsOf(fields).map((field) => field.name).join(", ")}
            </li>
          ))}
        </ul>
      ) : null}
      <Findings found={about} />
      <Button size="compact-sm" variant="default" className="nodrag" mt={4} leftSection={<IconPlus size={14} />} onClick={openOutputs}>
        {isFixed ? "Outputs" : groups.length === 0 ? "Add Outputs" : "Change Outputs"}
      </Button>
    </div>
  );
}

function AddInput(props: { card: Card }) {
  const { card } = props;
  const { edit: change } = useCanvas();
  const repeated = nextRepeated(card);
  const given = Object.keys(members(card.value["inputs"]));
  if (repeated !== undefined) return <Small label={`Add ${repeated.replace(/ \d+$/, "")}`} onClick={() => change((doc) => edit.setInput(doc, [...card.path, "inputs", repeated], ""))} />;
  if (!takesOwnInputs(card)) return null;
  return <Small label="Add input" onClick={() => change((doc) => edit.setInput(doc, [...card.path, "inputs", edit.freeName("field", given)], ""))} />;
}

function Adders(props: { card: Card }) {
  const { card } = props;
  const { edit: change } = useCanvas();
  const outputs = Object.keys(members(card.value["outputs"]));
  return (
    <>
      {card.spec?.authorOutputs && !callsFlow(card.spec) ? <Small label="Add output" onClick={() => change((doc) => edit.setOutputType(doc, card, edit.freeName("output", outputs), FIELD_TYPES[0] ?? "text"))} /> : null}
      {card.spec?.id === "control.branch" ? <Small label="Add ElseIf" onClick={() => change((doc) => edit.addBranch(doc, card))} /> : null}
    </>
  );
}

/** A quiet button at the foot of a card. */
export function Small(props: { label: string; onClick: () => void }) {
  return (
    <div className="flow-adder">
      <Button size="compact-xs" variant="subtle" className="nodrag" leftSection={<IconPlus size={12} />} onClick={props.onClick}>
        {props.label}
      </Button>
    </div>
  );
}

function More(props: { card: Card; label: string; canvas: CanvasValue }) {
  const menu = useLaterMenu(menus);
  const button = (
    <ActionIcon variant="subtle" color="gray" size="sm" className="nodrag" aria-label={`More for ${props.label}`} {...menu.button}>
      <IconDots size={16} />
    </ActionIcon>
  );
  if (!menu.isWanted) return button;
  return (
    <Suspense fallback={button}>
      <CardMenu card={props.card} canvas={props.canvas} isOpen={menu.isOpen} onChange={menu.change}>
        {button}
      </CardMenu>
    </Suspense>
  );
}
