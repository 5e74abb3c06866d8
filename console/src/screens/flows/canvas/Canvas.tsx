// The flow on a canvas. Where things stand is computed; the frame around scrolls, so that the keyboard, a finger and
// a wheel move it like any other part of the page.
import "@xyflow/react/dist/base.css";
import "./flow.css";

import { useElementSize } from "@mantine/hooks";
import { type Connection, type Edge, type Node, type NodeChange, type NodeTypes, ReactFlow, type ReactFlowInstance } from "@xyflow/react";
import { type MouseEvent as ReactMouseEvent, useCallback, useMemo, useRef, useState } from "react";

import { type Card, allCards } from "../model/document";
import * as edit from "../model/edit";
import { keyOf, type Path } from "../model/json";
import { type Box, dropPlace, laidOut } from "../model/layout";
import { inputRows, laneRows, sourcesFor } from "../model/pins";
import { handleOf, wiresOf } from "../model/wires";
import { CardNode } from "./CardNode";
import { CanvasProvider, type CanvasValue } from "./context";
import { EventNode } from "./EventNode";
import { FrameNode, LaneNode, PlusNode } from "./Small";

const TYPES: NodeTypes = { event: EventNode, card: CardNode, lane: LaneNode, frame: FrameNode, plus: PlusNode };
const DEPTH: Record<Box["kind"], number> = { frame: 0, event: 10, card: 10, lane: 10, plus: 4 };

/** How small and how large cards are drawn. */
const [ZOOM_MIN, ZOOM_MAX] = [0.1, 2];

/** The canvas of one flow; without `zoom` as small as it takes to see the whole of it, and never larger than it is. */
export default function Canvas(props: { value: CanvasValue; zoom: number | undefined; label: string }) {
  const { value } = props;
  const { doc, flow, isFixed, edit: change } = value;
  const [sizes, setSizes] = useState<ReadonlyMap<string, number>>(new Map());
  const [dragged, setDragged] = useState<{ key: string; x: number; y: number }>();
  const flowView = useRef<ReactFlowInstance>(undefined);
  const layout = useMemo(() => laidOut(doc, flow, sizes), [doc, flow, sizes]);
  const wires = useMemo(() => wiresOf(doc, flow), [doc, flow]);
  const frame = useElementSize({ box: "content-box" });
  const zoom = props.zoom ?? Math.min(1, Math.max(ZOOM_MIN, frame.width / layout.width));

  const nodes: Node[] = layout.boxes.map((box) => {
    const isFree = box.kind === "frame" || box.kind === "plus";
    const height = isFree ? box.height : sizes.get(box.key);
    const at = dragged?.key === box.key ? dragged : box;
    return {
      id: box.key,
      type: box.kind,
      position: { x: at.x, y: at.y },
      data: { box },
      style: { width: box.width, pointerEvents: box.kind === "frame" ? "none" : "all", ...(isFree ? { height: box.height } : {}) },
      ...(height === undefined ? {} : { measured: { width: box.width, height } }),
      draggable: box.kind === "card" && !isFixed,
      dragHandle: ".flow-drag",
      selectable: false,
      focusable: false,
      zIndex: DEPTH[box.kind] + (box.kind === "frame" ? (box.card?.path.length ?? 0) / 100 : 0) + (dragged?.key === box.key ? 100 : 0),
    };
  });
  const edges: Edge[] = wires.map((wire) => ({ id: wire.key, source: wire.from, sourceHandle: wire.output, target: wire.to, targetHandle: wire.input, selectable: false, focusable: false, zIndex: 2, ...(wire.isInside ? { className: "flow-inside" } : {}) }));

  const onNodesChange = useCallback((changes: NodeChange[]) => {
    const heights = changes.flatMap((change) => (change.type === "dimensions" && change.dimensions && !/^(frame|plus):/.test(change.id) ? [[change.id, change.dimensions.height] as const] : []));
    if (heights.length > 0) setSizes((before) => (heights.every(([key, height]) => before.get(key) === height) ? before : new Map([...before, ...heights])));
    for (const change of changes) if (change.type === "position" && change.position && change.dragging) setDragged({ key: change.id, ...change.position });
  }, []);

  // A card goes where the pointer is, however it was taken.
  const drop = (event: MouseEvent | TouchEvent | ReactMouseEvent, node: Node) => {
    setDragged(undefined);
    const card = (node.data as { box: Box }).box.card;
    const at = "changedTouches" in event ? event.changedTouches[0] : event;
    if (at === undefined || flowView.current === undefined) return;
    const { x, y } = flowView.current.screenToFlowPosition({ x: at.clientX, y: at.clientY });
    const place = dropPlace(layout, x, y);
    if (card !== undefined && place !== undefined) change((doc) => edit.moveCard(doc, card.path, place.list, place.at));
  };

  const inputOf = (connection: Connection | Edge): { card: Card; path: Path; call: ReturnType<typeof inputRows>[number]["call"] } | undefined => {
    for (const card of allCards(doc, flow)) {
      const rows = connection.target === keyOf(card.path) ? inputRows(doc, card) : card.lanes.flatMap((lane) => (connection.target === `lane:${keyOf(lane.path)}` ? laneRows(doc, card, lane) : []));
      const row = rows.find((row) => handleOf(row.path) === connection.targetHandle);
      if (row !== undefined) return { card, path: row.path, call: row.call };
    }
    return undefined;
  };
  const sourceOf = (connection: Connection | Edge) => {
    const input = inputOf(connection);
    if (input === undefined || !connection.sourceHandle) return undefined;
    const handle = connection.sourceHandle;
    const fits = sourcesFor(doc, input.card, input.call).find(({ card, source, outputs }) => (card === undefined ? outputs.some(({ name }) => `${source}.${name}` === handle) : keyOf(card.path) === connection.source));
    if (fits === undefined) return undefined;
    return { input, from: { card: fits.card, source: fits.source, output: fits.card === undefined ? handle.slice((fits.source ?? "").length + 1) : handle } };
  };
  const connect = (connection: Connection) => {
    const found = sourceOf(connection);
    if (found !== undefined) change((doc) => edit.wire(doc, found.input.path, found.from));
  };

  return (
    <CanvasProvider value={value}>
      <div className="flow-scroll" ref={frame.ref} role="region" aria-label={props.label} tabIndex={0}>
        <div style={{ width: layout.width * zoom, height: layout.height * zoom, minWidth: "100%", minHeight: "99%" }}>
          <ReactFlow
            nodes={nodes}
            edges={edges}
            nodeTypes={TYPES}
            viewport={{ x: 0, y: 0, zoom }}
            onViewportChange={() => undefined}
            onNodesChange={onNodesChange}
            onInit={(instance) => {
              flowView.current = instance;
            }}
            onNodeDragStop={drop}
            onConnect={connect}
            isValidConnection={(connection) => sourceOf(connection) !== undefined}
            connectionRadius={24}
            minZoom={ZOOM_MIN}
            maxZoom={ZOOM_MAX}
            panOnDrag={false}
            panOnScroll={false}
            zoomOnScroll={false}
            zoomOnPinch={false}
            zoomOnDoubleClick={false}
            preventScrolling={false}
            nodesFocusable={false}
            edgesFocusable={false}
            elementsSelectable={false}
            nodesConnectable={!isFixed}
            autoPanOnConnect={false}
            autoPanOnNodeDrag={false}
            deleteKeyCode={null}
          />
        </div>
      </div>
    </CanvasProvider>
  );
}
