// Connectors from files: element JSON as it is, OpenAPI descriptions turned into it first.
import { Alert, Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";

import { api, BASE, told } from "../../api/client";
import { asFailure, type Fault, sentence } from "../../api/failure";
import { Code } from "../../parts/Code";
import { Dialog } from "../../parts/Dialog";
import { Refusal } from "../../parts/Loaded";
import { readDoc } from "./document";

/** The dialog. */
export function ImportConnector(props: { opened: boolean; onClose: () => void }) {
  const [text, setText] = useState("");
  const [warnings, setWarnings] = useState<Fault[]>([]);
  const client = useQueryClient();
  const [, go] = useLocation();
  const isOpenApi = looksLikeOpenApi(text);
  const convert = useMutation({
    mutationFn: () =>
      told<string>(
        api.POST(`${BASE}/elements/convert`, {
          body: text,
          bodySerializer: (body: unknown) => String(body),
          headers: { "content-type": /^\s*\{/.test(text) ? "application/json" : "application/yaml" },
          parseAs: "text",
        } as never) as Promise<{ data?: string; error?: unknown; response: Response }>,
      ),
    onSuccess: (made) => {
      const doc = readDoc(made);
      const { warnings: told, ...rest } = doc;
      setWarnings(Array.isArray(told) ? (told as Fault[]) : []);
      setText(JSON.stringify(rest, null, 2));
    },
  });
  const bring = useMutation({
    // The text itself is sent: what was imported is kept byte by byte.
    mutationFn: () => told<string>(api.POST(`${BASE}/elements`, { body: text, bodySerializer: (body: unknown) => String(body), headers: { "content-type": "application/json" }, parseAs: "text" }) as Promise<{ data?: string; error?: unknown; response: Response }>),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ["connectors"] });
      go(`/connectors/${encodeURIComponent(readDoc(made).key)}/info`);
    },
  });
  const failure = convert.error ?? bring.error;
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title="Import a connector" size="xl">
      <Stack>
        <Text size="sm">Element JSON, such as an export of Cloud Elements, SAP Open Connectors or Axway AMPLIFY, is taken as it is. An OpenAPI description (2 or 3, JSON or YAML) becomes a connector that you can look at before it is stored.</Text>
        <Group>
          <FileButton
            onChange={(file) =>
              void file?.text().then((read) => {
                convert.reset();
                bring.reset();
                setWarnings([]);
                setText(read);
              })
            }
            accept=".json,.yaml,.yml,application/json,application/yaml"
            inputProps={{ "aria-label": "File to import" }}
          >
            {(file) => (
              <Button variant="default" {...file}>
                Choose a file
              </Button>
            )}
          </FileButton>
          <Text size="sm" c="dimmed">
            or paste it below
          </Text>
        </Group>
        <Code label="The document" language={/^\s*[a-z]/.test(text) ? "yaml" : "json"} value={text} onChange={setText} height={260} />
        {failure ? <Refusal error={asFailure(failure)} title="It cannot be imported as it is" /> : null}
        {warnings.length > 0 ? (
          <Alert color="orange" title="What has no counterpart">
            <ul style={{ margin: 0, paddingLeft: "1.2rem" }}>
              {warnings.map((warning) => (
                <li key={warning.path + warning.problem}>
                  <span className="mono">{warning.path}</span>: {sentence(warning)}
                </li>
              ))}
            </ul>
          </Alert>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Not now
          </Button>
          {isOpenApi ? (
            <Button loading={convert.isPending} onClick={() => convert.mutate()}>
              Turn it into a connector
            </Button>
          ) : (
            <Button loading={bring.isPending} disabled={text.trim() === ""} onClick={() => bring.mutate()}>
              Import connector
            </Button>
          )}
        </Group>
      </Stack>
    </Dialog>
  );
}

function looksLikeOpenApi(text: string): boolean {
  return /^\s*(openapi|swagger)\s*:/m.test(text) || /^\s*\{[^]{0,2000}"(openapi|swagger)"\s*:\s*"/.test(text);
}
