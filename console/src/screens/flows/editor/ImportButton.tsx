// Reading an export of another builder (`.flopack`) into a document.
import { Alert, Button, FileButton, Group, List, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { IconFileImport } from "@tabler/icons-react";
import { useState } from "react";

import { api, BASE, told } from "../../../api/client";
import { Failure } from "../../../api/failure";
import type { components } from "../../../api/schema";
import { Dialog } from "../../../parts/Dialog";
import { Refusal } from "../../../parts/Loaded";
import { parseJson } from "../model/exact";
import type { Json } from "../model/json";

/** What came of an export. */
export type Imported = components["schemas"]["ImportedFlow"];

/** Asks for an export and gives the document that it becomes. */
export function ImportButton(props: { onImported: (doc: Json, about: Imported) => void }) {
  const [file, setFile] = useState<{ name: string; text: string }>();
  const [main, setMain] = useState("");
  const run = useMutation({
    mutationFn: async (chosen: { text: string; main: string }) => {
      let body: unknown;
      try {
        body = parseJson(chosen.text);
      } catch {
        throw new Failure(400, { message: "The file holds no JSON. An export (`.flopack`) is a JSON file." });
      }
      return told(api.POST(`${BASE}/monitors/import`, { params: { query: chosen.main === "" ? {} : { main: chosen.main } }, body: body as never }));
    },
    onSuccess: (imported) => {
      setFile(undefined);
      props.onImported(imported.document as Json, imported);
    },
  });
  const choose = async (chosen: File | null) => {
    if (chosen === null) return;
    const text = await chosen.text();
    setFile({ name: chosen.name, text });
    run.mutate({ text, main: "" });
  };
  return (
    <>
      <FileButton onChange={(chosen) => void choose(chosen)} accept=".flopack,.json,application/json" inputProps={{ "aria-label": "File of the export" }}>
        {(button) => (
          <Button variant="default" leftSection={<IconFileImport size={16} />} loading={run.isPending} {...button}>
            Import an export
          </Button>
        )}
      </FileButton>
      <Dialog opened={file !== undefined && run.isError} onClose={() => setFile(undefined)} title={`Import of ${file?.name ?? ""}`}>
        <Stack>
          <Refusal error={run.error} title="It was not imported" />
          <TextInput label="Flow that becomes the monitor" description="Where an export holds several: its name or id." value={main} onChange={(event) => setMain(event.currentTarget.value)} />
          <Group justify="flex-end">
            <Button onClick={() => file && run.mutate({ text: file.text, main })}>Import again</Button>
          </Group>
        </Stack>
      </Dialog>
    </>
  );
}

/** What a person should look at after an import. */
export function ImportNotes(props: { about: Imported; onClose: () => void }) {
  const { unknown, notes } = props.about;
  return (
    <Alert color={unknown.length > 0 ? "orange" : "gray"} title="Imported; look it through and save it" withCloseButton closeButtonLabel="Close the remarks" onClose={props.onClose}>
      {unknown.length > 0 ? (
        <>
          <Text size="sm">Cards that are not known here keep their places:</Text>
          <List size="sm">
            {unknown.map((word) => (
              <List.Item key={word}>{word}</List.Item>
            ))}
          </List>
        </>
      ) : null}
      <List size="sm">
        {notes.map((note) => (
          <List.Item key={note}>{note}</List.Item>
        ))}
      </List>
    </Alert>
  );
}
