// The frame of a block, its lanes, and the buttons between cards.
import { ActionIcon, CloseButton } from "@mantine/core";
import type { NodeProps } from "@xyflow/react";
import { IconPlus } from "@tabler/icons-react";

import { nameOf } from "../model/document";
import * as edit from "../model/edit";
import type { Box } from "../model/layout";
import { ERROR_FIELDS, laneRows } from "../model/pins";
import { useCanvas } from "./context";
import { InputField } from "./InputField";
import { OutputField } from "./OutputField";

const boxOf = (props: NodeProps) => (props.data as unknown as { box: Box }).box;

/** The ground of a card with blocks. */
export function FrameNode() {
  return <div className="flow-frame" />;
}

/** The head of a lane: its name, a branch's condition, an error's fields. */
export function LaneNode(props: NodeProps) {
  const { card, lane } = boxOf(props);
  const { doc, edit: change, isFixed } = useCanvas();
  if (card === undefined || lane === undefined) return null;
  const rows = laneRows(doc, card, lane);
  const label = `${lane.label} of ${nameOf(card)}${card.id === undefined ? "" : ` ${card.id}`}`;
  return (
    <section className="flow-lane" data-kind={lane.kind} aria-label={label}>
      <header className="flow-lane-head">
        <strong>{lane.label}</strong>
        {lane.kind === "branch" && lane.label !== "If" && !isFixed ? <CloseButton size="xs" aria-label={`Remove ${label}`} onClick={() => change((doc) => edit.removeBranch(doc, lane))} /> : null}
      </header>
      {rows.map((row) => (
        <InputField key={row.key} card={card} row={row} given={undefined} />
      ))}
      {lane.kind === "ifError" ? ERROR_FIELDS.slice(0, 2).map(({ name, type }) => <OutputField key={name} handle={`error.${name}`} label={`error ${name}`} type={type} given={undefined} />) : null}
    </section>
  );
}

/** A place where a card can be put in. */
export function PlusNode(props: NodeProps) {
  const box = boxOf(props);
  const { isFixed, openAdd } = useCanvas();
  if (isFixed || box.list === undefined) return <div className="flow-plus" />;
  const { list, at, before } = box;
  const where = before !== undefined ? `after ${nameOf(before)}${before.id === undefined ? "" : ` ${before.id}`}` : list.length <= 3 && list.at(-1) === "cards" ? "at the beginning" : `at the beginning of ${laneWord(list)}`;
  return (
    <div className="flow-plus">
      <ActionIcon size="sm" radius="xl" variant="default" aria-label={`Add a card ${where}`} onClick={() => openAdd(list, at)}>
        <IconPlus size={14} />
      </ActionIcon>
    </div>
  );
}

function laneWord(list: readonly (string | number)[]): string {
  const last = list.at(-1);
  return last === "try" ? "Try" : last === "ifError" ? "If Error" : last === "else" ? "Else" : list.includes("branches") ? `branch ${Number(list.at(-2)) + 1}` : "If true";
}
