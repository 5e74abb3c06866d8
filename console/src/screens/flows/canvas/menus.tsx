// The menus of the canvas: they are loaded when one of them is gone for first.
import { Menu } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import type { ReactElement } from "react";

import { typeLabel } from "../model/catalogue";
import { allCards, type Card, cardAt, flowOf, nameOf } from "../model/document";
import * as edit from "../model/edit";
import { get, isBelow, items, type Json } from "../model/json";
import { type InputRow, sourcesFor } from "../model/pins";
import { referenceOf } from "../model/references";
import { type CanvasValue, useCanvas } from "./context";
import { KINDS, kindOf } from "./kinds";

interface Shown {
  isOpen: boolean;
  onChange: (isOpen: boolean) => void;
  /** The button that opens it. */
  children: ReactElement;
}

/** What can be done with a card. */
export function CardMenu(props: Shown & { card: Card; canvas: CanvasValue }) {
  return (
    <Menu position="bottom-end" width={260} opened={props.isOpen} onChange={props.onChange}>
      <Menu.Target>{props.children}</Menu.Target>
      <Menu.Dropdown>{props.isOpen ? <Actions {...props} /> : null}</Menu.Dropdown>
    </Menu>
  );
}

/** What an input can be wired to, and what can be typed instead. */
export function SourcesMenu(props: Shown & { card: Card; row: InputRow; put: (value: Json | undefined) => void }) {
  return (
    <Menu position="bottom-end" width={280} opened={props.isOpen} onChange={props.onChange} withinPortal>
      <Menu.Target>{props.children}</Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: "auto" }}>{props.isOpen ? <Choices {...props} /> : null}</Menu.Dropdown>
    </Menu>
  );
}

/** Where a card can be moved: into the blocks of its flow that are not its own, and out. */
function destinations(doc: Json, card: Card): { label: string; list: Card["list"]; at: number }[] {
  const flow = flowOf(card.path);
  const lanes = allCards(doc, flow)
    .filter((other) => !isBelow(other.path, card.path))
    .flatMap((other) => other.lanes.map((lane) => ({ label: `Into ${lane.label} of ${nameOf(other)}${other.id === undefined ? "" : ` ${other.id}`}`, list: lane.path, at: items(get(doc, lane.path)).length })))
    .filter(({ list }) => list.join("/") !== card.list.join("/"));
  const out = card.parent === undefined ? [] : [{ label: "Out of the block", list: card.parent.list, at: card.parent.at + 1 }];
  return [...out, ...lanes];
}

function Actions(props: { card: Card; canvas: CanvasValue }) {
  const { canvas } = props;
  const { edit: change } = canvas;
  const doc = canvas.now();
  const card = cardAt(doc, props.card);
  const count = items(get(doc, card.list)).length;
  const move = (list: Card["list"], at: number) => change((doc) => edit.moveCard(doc, card.path, list, at));
  return (
    <>
      <Menu.Item onClick={() => canvas.openCard(card)}>Settings of the card</Menu.Item>
      <Menu.Item disabled={card.at === 0} onClick={() => move(card.list, card.at - 1)}>
        Move left
      </Menu.Item>
      <Menu.Item disabled={card.at >= count - 1} onClick={() => move(card.list, card.at + 2)}>
        Move right
      </Menu.Item>
      {destinations(doc, card).map(({ label, list, at }) => (
        <Menu.Item key={label} onClick={() => move(list, at)}>
          {label}
        </Menu.Item>
      ))}
      <Menu.Divider />
      <Menu.Item color="red" onClick={() => change((doc) => edit.removeCard(doc, card))}>
        Remove the card
      </Menu.Item>
    </>
  );
}

function Choices(props: { card: Card; row: InputRow; put: (value: Json | undefined) => void }) {
  const { row, put } = props;
  const { now, edit: change } = useCanvas();
  const from = referenceOf(row.value);
  const sources = sourcesFor(now(), cardAt(now(), props.card), row.call);
  const kinds = row.type === "any" ? KINDS : KINDS.filter(({ kind }) => kind === kindOf(undefined, row.type) || kind === "nothing" || kind === "json");
  return (
    <>
      {sources.map((source) => (
        <div key={`${source.label}${source.card?.place ?? source.source}`}>
          <Menu.Label>{source.label}</Menu.Label>
          {source.outputs.map((output) => {
            const here = source.source === "" ? output.name : `${source.source}.${output.name}`;
            return (
              <Menu.Item key={output.name} leftSection={from === here ? <IconCheck size={14} aria-label="now" /> : undefined} rightSection={<span className="flow-type">{typeLabel(output.type)}</span>} onClick={() => change((doc) => edit.wire(doc, row.path, { card: source.card, source: source.source, output: output.name }))}>
                {output.label}
              </Menu.Item>
            );
          })}
        </div>
      ))}
      {sources.length === 0 ? <Menu.Label>No earlier card gives anything</Menu.Label> : null}
      <Menu.Divider />
      <Menu.Label>Type a value</Menu.Label>
      {kinds.map(({ kind, label, first }) => (
        <Menu.Item key={kind} onClick={() => put(first)}>
          {label}
        </Menu.Item>
      ))}
      {row.value === undefined || row.isOwn ? null : <Menu.Item onClick={() => put(undefined)}>Leave it out</Menu.Item>}
    </>
  );
}
