// Asks for the name of a flow.
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";

import { type Failure } from "../../../api/failure";
import { Dialog } from "../../../parts/Dialog";
import { Refusal } from "../../../parts/Loaded";

interface Props {
  isOpen: boolean;
  name: string;
  isPending: boolean;
  failure: Failure | undefined;
  onClose: () => void;
  onSave: (name: string) => void;
}

/** Asks for a name, and saves under it. */
export function SaveDialog(props: Props) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Save the flow">
      {props.isOpen ? <Form {...props} /> : null}
    </Dialog>
  );
}

function Form(props: Props) {
  const [name, setName] = useState(props.name);
  const [isTried, setTried] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim() !== "") props.onSave(name.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput data-autofocus label="Name of the flow" placeholder="New users" value={name} error={isTried && name.trim() === "" ? "Give the flow a name." : undefined} onChange={(event) => setName(event.currentTarget.value)} />
        {props.failure ? <Refusal error={props.failure} title="It is not saved" /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={props.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
