// The cursor of a subscription: what it is, what it was, and how to set it, forget it or put an earlier one back.
import { Alert, Button, Group, Paper, Stack, Table, Text, Textarea, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../../api/client";
import type { components } from "../../../api/schema";
import { useMay } from "../../../app/session";
import { Dialog } from "../../../parts/Dialog";
import { Json as Printed } from "../../../parts/Json";
import { Loaded, Refusal } from "../../../parts/Loaded";
import { When } from "../../../parts/When";
import { exactly } from "../editor/exactly";
import { parseJson } from "../model/exact";
import { typeLabel } from "../model/catalogue";
import { cursorLine } from "./words";

type Former = components["schemas"]["FormerCursor"];

/** The cursor with its history. */
export function CursorPanel(props: { id: number }) {
  const { id } = props;
  const mayChange = useMay("member");
  const client = useQueryClient();
  const [asked, setAsked] = useState<"set" | "reset" | Former>();
  const cursor = useQuery({ queryKey: ["subscriptions", id, "cursor"], structuralSharing: false, queryFn: () => exactly<components["schemas"]["Cursor"]>(api.GET(`${BASE}/subscriptions/{id}/cursor`, { params: { path: { id } }, parseAs: "text" })) });
  const former = useQuery({ queryKey: ["subscriptions", id, "cursors"], structuralSharing: false, queryFn: () => exactly<Former[]>(api.GET(`${BASE}/subscriptions/{id}/cursors`, { params: { path: { id }, query: { pageSize: 20 } }, parseAs: "text" })) });
  const done = () => {
    setAsked(undefined);
    void client.invalidateQueries({ queryKey: ["subscriptions", id] });
  };
  return (
    <Paper withBorder p="md" component="section" aria-label="Cursor">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2}>Cursor</Title>
          {mayChange ? (
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => setAsked("set")}>
                Set the cursor
              </Button>
              <Button size="xs" variant="default" onClick={() => setAsked("reset")}>
                Reset
              </Button>
            </Group>
          ) : null}
        </Group>
        <Loaded query={cursor} rows={1}>
          {(cursor) => (
            <>
              {cursor.cursor == null ? <Text size="sm">None: the next run is a first run.</Text> : <Printed value={cursor.cursor} label="Cursor" height={180} />}
              <Text size="xs" c="dimmed" component="div">
                {cursor.type ? `${typeLabel(cursor.type)}, ` : ""}
                {cursor.bytes} of 10,240 bytes
                {cursor.savedDate ? (
                  <>
                    {" "}
                    · saved <When at={cursor.savedDate} /> {cursor.savedBy ? "by a run" : "by a person"}
                  </>
                ) : null}
              </Text>
            </>
          )}
        </Loaded>
        <Title order={3}>Earlier cursors</Title>
        <Loaded query={former} rows={1}>
          {(list) =>
            list.length === 0 ? (
              <Text size="sm" c="dimmed">
                None was replaced yet.
              </Text>
            ) : (
              <Table.ScrollContainer minWidth={420}>
                <Table aria-label="Earlier cursors">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Cursor</Table.Th>
                      <Table.Th>Replaced</Table.Th>
                      {mayChange ? <Table.Th>Put back</Table.Th> : null}
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {list.map((entry) => (
                      <Table.Tr key={entry.id}>
                        <Table.Td className="mono">{cursorLine(entry.cursor)}</Table.Td>
                        <Table.Td>
                          <When at={entry.replacedDate} />
                        </Table.Td>
                        {mayChange ? (
                          <Table.Td>
                            <Button size="compact-xs" variant="default" onClick={() => setAsked(entry)} aria-label={`Rewind to ${cursorLine(entry.cursor)}`}>
                              Rewind
                            </Button>
                          </Table.Td>
                        ) : null}
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
            )
          }
        </Loaded>
      </Stack>
      <SetCursor id={id} isOpen={asked === "set"} value={cursor.data?.cursor} onClose={() => setAsked(undefined)} onDone={done} />
      <Confirm id={id} asked={asked === "set" ? undefined : asked} onClose={() => setAsked(undefined)} onDone={done} />
    </Paper>
  );
}

function SetCursor(props: { id: number; isOpen: boolean; value: unknown; onClose: () => void; onDone: () => void }) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Set the cursor">
      {props.isOpen ? <SetForm {...props} /> : null}
    </Dialog>
  );
}

function SetForm(props: { id: number; value: unknown; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(props.value ?? null, null, 2));
  const parsed = parse(text);
  const set = useMutation({ mutationFn: (value: unknown) => told(api.PUT(`${BASE}/subscriptions/{id}/cursor`, { params: { path: { id: props.id } }, body: { cursor: value } as components["schemas"]["CursorToSet"] })), onSuccess: props.onDone });
  return (
    <Stack>
      <Textarea data-autofocus label="Cursor" description="JSON of the monitor's cursor type; null is none." autosize minRows={3} styles={{ input: { fontFamily: "var(--mono)", fontSize: 13 } }} value={text} error={parsed === undefined ? "This is no JSON; a text stands in quotes." : undefined} onChange={(event) => setText(event.currentTarget.value)} />
      {set.error ? <Refusal error={set.error} title="It is not set" /> : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          Cancel
        </Button>
        <Button disabled={parsed === undefined} loading={set.isPending} onClick={() => parsed && set.mutate(parsed.value)}>
          Set it
        </Button>
      </Group>
    </Stack>
  );
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: parseJson(text) };
  } catch {
    return undefined;
  }
}

function Confirm(props: { id: number; asked: "reset" | Former | undefined; onClose: () => void; onDone: () => void }) {
  const { id, asked } = props;
  const act = useMutation({
    mutationFn: () => {
      const path = { path: { id } };
      return asked === "reset" ? told(api.DELETE(`${BASE}/subscriptions/{id}/cursor`, { params: path })) : told(api.POST(`${BASE}/subscriptions/{id}/rewind`, { params: path, body: { to: (asked as Former).id } }));
    },
    onSuccess: props.onDone,
  });
  return (
    <Dialog opened={asked !== undefined} onClose={props.onClose} title={asked === "reset" ? "Reset the cursor" : "Rewind the cursor"}>
      <Stack>
        <Alert color="gray">
          {asked === "reset" ? "The next run is a first run. What was reported is known and is not reported again where records have an id; the present cursor stays in the history." : `The next run begins from ${cursorLine(asked?.cursor)}. What was reported is known and is not reported again where records have an id.`}
        </Alert>
        {act.error ? <Refusal error={act.error} title="Nothing was changed" /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button loading={act.isPending} onClick={() => act.mutate()}>
            {asked === "reset" ? "Reset it" : "Rewind it"}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
