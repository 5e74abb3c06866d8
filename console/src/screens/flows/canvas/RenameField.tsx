// A name that can be changed in place. Wires follow.
import { ActionIcon, TextInput } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";

import { isFieldName } from "../model/document";

/** Shows a name with a pencil; Enter keeps what is typed, Escape what was. */
export function RenameField(props: { what: string; name: string; taken: readonly string[]; onRename: (name: string) => void; fault?: (name: string) => string | undefined }) {
  const [text, setText] = useState<string>();
  if (text === undefined) {
    return (
      <>
        {props.name}
        <ActionIcon variant="subtle" color="gray" size="xs" className="nodrag flow-pencil" aria-label={`Rename ${props.what} ${props.name}`} onClick={() => setText(props.name)}>
          <IconPencil size={12} />
        </ActionIcon>
      </>
    );
  }
  const fault = props.fault === undefined ? faultOf(text, props.name, props.taken) : props.fault(text);
  const keep = () => {
    if (fault !== undefined) return;
    setText(undefined);
    if (text !== props.name) props.onRename(text);
  };
  return (
    <TextInput
      size="xs"
      className="nodrag"
      autoFocus
      aria-label={`New name of ${props.what} ${props.name}`}
      value={text}
      error={fault}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => (fault === undefined ? keep() : setText(undefined))}
      onKeyDown={(event) => {
        if (event.key === "Enter") keep();
        if (event.key === "Escape") {
          event.stopPropagation();
          setText(undefined);
        }
      }}
    />
  );
}

function faultOf(text: string, name: string, taken: readonly string[]): string | undefined {
  if (!isFieldName(text)) return "Leave out full stops and blanks around it, and use at most 100 letters.";
  return text !== name && taken.includes(text) ? "This name is taken." : undefined;
}
