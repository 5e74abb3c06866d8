// Copying, exporting and removing a connector.
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";

import { api, BASE, told } from "../../api/client";
import { asFailure, faultsAt } from "../../api/failure";
import { Dialog } from "../../parts/Dialog";
import { Refusal } from "../../parts/Loaded";
import type { Short } from "./Connectors";
import { readDoc } from "./document";

/** Hands the document to the browser as a file. */
export async function exportConnector(key: string): Promise<void> {
  const text = await told<string>(api.GET(`${BASE}/elements/{keyOrId}/export`, { params: { path: { keyOrId: key } }, parseAs: "text" }));
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${key}.json`;
  link.click();
  URL.revokeObjectURL(url);
}

/** Asks for key and name of a copy. */
export function CloneConnector(props: { of: Short | undefined; onClose: () => void }) {
  return (
    <Dialog opened={props.of !== undefined} onClose={props.onClose} title={`Clone ${props.of?.name ?? ""}`}>
      {props.of ? <CloneForm of={props.of} /> : null}
    </Dialog>
  );
}

function CloneForm({ of }: { of: Short }) {
  const [key, setKey] = useState(`${of.key}-copy`);
  const [name, setName] = useState(`${of.name} (copy)`);
  const client = useQueryClient();
  const [, go] = useLocation();
  const clone = useMutation({
    mutationFn: () => told<string>(api.POST(`${BASE}/elements/{keyOrId}/clone`, { params: { path: { keyOrId: of.key } }, body: { key, name }, parseAs: "text" })),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ["connectors"] });
      go(`/connectors/${encodeURIComponent(readDoc(made).key)}/info`);
    },
  });
  const failure = clone.error ? asFailure(clone.error) : undefined;
  const atKey = faultsAt(failure?.faults ?? [], "key") ?? (failure?.code === "exists" ? failure.message : undefined);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        clone.mutate();
      }}
    >
      <Stack>
        <Text size="sm">A private copy. The defaults of secrets are blank in it.</Text>
        {failure && atKey === undefined ? <Refusal error={failure} /> : null}
        <TextInput label="Name of the copy" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <TextInput label="Key of the copy" value={key} onChange={(event) => setKey(event.currentTarget.value)} error={atKey} />
        <Group justify="flex-end">
          <Button type="submit" loading={clone.isPending}>
            Clone it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Asks before a connector is removed. */
export function DeleteConnector(props: { of: Short | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => told(api.DELETE(`${BASE}/elements/{keyOrId}`, { params: { path: { keyOrId: props.of?.key ?? "" } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["connectors"] });
      close();
    },
  });
  const close = () => {
    remove.reset();
    props.onClose();
  };
  return (
    <Dialog opened={props.of !== undefined} onClose={close} title={`Delete ${props.of?.name ?? ""}?`}>
      <Stack>
        <Text size="sm">The connector and its revisions are gone for good. One that has instances stays: they go first.</Text>
        {remove.error ? <Refusal error={remove.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Keep it
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Delete connector
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
