// All connectors, and the ways to a new one.
import { Anchor, Button, Group, Table, Text, TextInput } from "@mantine/core";
import { IconPlus, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";

import { api, BASE, page } from "../../api/client";
import { useMay } from "../../app/session";
import { Actions } from "../../parts/Actions";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { Nothing } from "../../parts/Nothing";
import { Pager, usePlace } from "../../parts/Pages";
import { Screen } from "../../parts/Screen";
import { CloneConnector, DeleteConnector, exportConnector } from "./Changes";
import { ImportConnector } from "./ImportConnector";
import { NewConnector } from "./NewConnector";
import { SIGN_IN } from "./steps/signIn";

/** A connector in short. */
export interface Short {
  id: number;
  key: string;
  name: string;
  description?: string;
  hub?: string;
  active?: boolean;
  authentication?: { type?: string };
}

/** The list. */
export default function Connectors() {
  const place = usePlace();
  const [sought, setSought] = useState("");
  const [dialog, setDialog] = useState<{ kind: "new" | "import" } | { kind: "clone" | "delete"; of: Short }>();
  const mayChange = useMay("admin");
  const query = useQuery({
    queryKey: ["connectors", place.token, sought],
    queryFn: () => {
      const where = sought.trim() === "" ? {} : { where: clause(sought.trim()) };
      const next = place.token === undefined ? {} : { nextPage: Number(place.token) };
      return page<Short>(api.GET(`${BASE}/elements`, { params: { query: { pageSize: 50, ...where, ...next } } }) as Promise<{ data?: Short[]; error?: unknown; response: Response }>);
    },
    placeholderData: (last) => last,
  });
  const close = () => setDialog(undefined);
  const ways = mayChange ? (
    <>
      <Button variant="default" leftSection={<IconUpload size={16} aria-hidden />} onClick={() => setDialog({ kind: "import" })}>
        Import
      </Button>
      <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog({ kind: "new" })}>
        New connector
      </Button>
    </>
  ) : (
    <Text size="sm" c="dimmed">
      Connectors are made by admins.
    </Text>
  );
  return (
    <Screen title="Connectors" about="What providers offer: how accounts sign in, what can be called, and how changes are found." actions={ways}>
      <Loaded query={query} rows={5}>
        {(found) =>
          found.entries.length === 0 && sought === "" && place.token === undefined ? (
            <Nothing
              title="No connectors yet"
              text="A connector describes a provider once; every account of it is an instance. Make one from its base address, import an export of another platform, or let an OpenAPI description make one. An API can also be polled without any connector."
              action={
                <Group mt="sm" justify="center">
                  {mayChange ? (
                    <Button onClick={() => setDialog({ kind: "new" })}>Make the first one</Button>
                  ) : null}
                  <Button component={Link} href="/instances/new" variant="default">
                    Poll an API by its address
                  </Button>
                </Group>
              }
            />
          ) : (
            <>
              <TextInput
                aria-label="Find a connector"
                placeholder="Find by key or name"
                value={sought}
                maw={320}
                onChange={(event) => {
                  place.restart();
                  setSought(event.currentTarget.value);
                }}
              />
              <Table.ScrollContainer minWidth={520}>
                <Table aria-label="Connectors">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Name</Table.Th>
                      <Table.Th>Key</Table.Th>
                      <Table.Th>Hub</Table.Th>
                      <Table.Th>Signs in by</Table.Th>
                      <Table.Th>State</Table.Th>
                      <Table.Th aria-label="More" />
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {found.entries.map((one) => (
                      <Table.Tr key={one.id}>
                        <Table.Td>
                          <Anchor component={Link} href={`/connectors/${encodeURIComponent(one.key)}/info`}>
                            {one.name}
                          </Anchor>
                          {one.description ? (
                            <Text size="xs" c="dimmed" lineClamp={1}>
                              {one.description}
                            </Text>
                          ) : null}
                        </Table.Td>
                        <Table.Td className="mono">{one.key}</Table.Td>
                        <Table.Td>{one.hub ?? ""}</Table.Td>
                        <Table.Td>{SIGN_IN.find(({ value }) => value === one.authentication?.type)?.label ?? one.authentication?.type ?? ""}</Table.Td>
                        <Table.Td>
                          <Mark word={one.active === false ? "inactive" : "active"} />
                        </Table.Td>
                        <Table.Td>
                          <Actions
                            label={`What to do with ${one.name}`}
                            actions={[
                              { label: "New instance", to: `/instances/new?connector=${encodeURIComponent(one.key)}` },
                              { label: "Set up events", to: `/connectors/${encodeURIComponent(one.key)}/events` },
                              { label: "Export", onClick: () => void exportConnector(one.key) },
                              mayChange && { label: "Clone", onClick: () => setDialog({ kind: "clone", of: one }) },
                              mayChange && { label: "Delete", isDanger: true, onClick: () => setDialog({ kind: "delete", of: one }) },
                            ]}
                          />
                        </Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Table.ScrollContainer>
              {found.entries.length === 0 ? <Text c="dimmed">No connector is called so.</Text> : null}
              <Pager page={found} place={place} what="connectors" />
            </>
          )
        }
      </Loaded>
      <NewConnector opened={dialog?.kind === "new"} onClose={close} />
      <ImportConnector opened={dialog?.kind === "import"} onClose={close} />
      <CloneConnector of={dialog?.kind === "clone" ? dialog.of : undefined} onClose={close} />
      <DeleteConnector of={dialog?.kind === "delete" ? dialog.of : undefined} onClose={close} />
    </Screen>
  );
}

function clause(sought: string): string {
  const text = `'%${sought.replaceAll("'", "''")}%'`;
  return `key like ${text} or name like ${text}`;
}
