// What a helper flow takes or gives.
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { Dialog } from "../../../parts/Dialog";
import { signatureOf } from "../model/document";
import { setSignature } from "../model/edit";
import type { Json } from "../model/json";
import { faultOfName, type FieldRow, FieldRows } from "./FieldRows";

interface Props {
  side: "inputs" | "outputs" | undefined;
  flow: string | null;
  doc: Json;
  isFixed: boolean;
  onClose: () => void;
  onApply: (change: (doc: Json) => Json) => void;
}

/** Edits one side of a helper flow; the cards that call it follow. */
export function SignatureDialog(props: Props) {
  const isOpen = props.side !== undefined && props.flow !== null;
  return (
    <Dialog opened={isOpen} onClose={props.onClose} title={props.side === "inputs" ? "Inputs of the flow" : "Outputs of the flow"} size="lg" closeOnClickOutside={false}>
      {isOpen ? <Form {...props} /> : null}
    </Dialog>
  );
}

function Form(props: Props) {
  const { flow, side, isFixed } = props;
  const [fields, setFields] = useState<FieldRow[]>(() => (flow === null || side === undefined ? [] : (signatureOf(props.doc, flow)?.[side] ?? [])).map(({ name, type }) => ({ was: name, name, type })));
  const names = fields.map(({ name }) => name);
  if (flow === null || side === undefined) return null;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {side === "inputs" ? "What a card that calls the flow gives it." : "What the flow's Return card hands back."}
      </Text>
      <FieldRows fields={fields} of={flow} add="Add Field" isFixed={isFixed} onChange={setFields} />
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          {isFixed ? "Close" : "Cancel"}
        </Button>
        {isFixed ? null : (
          <Button
            disabled={names.some((name) => faultOfName(name, names) !== undefined)}
            onClick={() => {
              props.onApply((doc) => setSignature(doc, flow, side, fields));
              props.onClose();
            }}
          >
            Apply
          </Button>
        )}
      </Group>
    </Stack>
  );
}
