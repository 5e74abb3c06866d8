// One output of a card: its name, its type, and the handle that wires begin at.
import { CloseButton, NativeSelect } from "@mantine/core";
import { Handle, Position } from "@xyflow/react";

import { FIELD_TYPES, typeLabel } from "../model/catalogue";
import { useCanvas } from "./context";
import { RenameField } from "./RenameField";
import { Value } from "./Value";

/** An output as a row. What is not given cannot be done. */
export function OutputField(props: {
  handle: string;
  label: string;
  type: string;
  given: unknown;
  taken?: readonly string[];
  onRename?: ((name: string) => void) | undefined;
  onType?: ((type: string) => void) | undefined;
  onRemove?: (() => void) | undefined;
}) {
  const { isFixed } = useCanvas();
  return (
    <div className="flow-row flow-output">
      <div className="flow-row-head">
        <span className="flow-name">{props.onRename && !isFixed ? <RenameField what="output" name={props.label} taken={props.taken ?? []} onRename={props.onRename} /> : props.label}</span>
        {props.onType && !isFixed ? (
          <NativeSelect size="xs" className="flow-type-select nodrag" variant="unstyled" aria-label={`Type of ${props.label}`} value={props.type} onChange={(event) => props.onType?.(event.currentTarget.value)} data={FIELD_TYPES.map((type) => ({ value: type, label: typeLabel(type) }))} />
        ) : (
          <span className="flow-type">{typeLabel(props.type)}</span>
        )}
        {props.onRemove && !isFixed ? <CloseButton size="xs" className="nodrag" aria-label={`Remove output ${props.label}`} onClick={props.onRemove} /> : null}
      </div>
      <Value name={props.label} value={props.given} />
      <Handle type="source" position={Position.Right} id={props.handle} isConnectable={!isFixed} className="flow-handle" />
    </div>
  );
}
