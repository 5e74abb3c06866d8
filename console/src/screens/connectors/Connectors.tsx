// All connectors, and the ways to a new one.
import { Anchor, Button, Group, Text, TextInput } from "@mantine/core";
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
import { type Column, Rows } from "../../parts/Rows";
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
  const columns: Column<Short>[] = [
    {
      head: "Name",
      cell: (one) => (
        <div>
          <Anchor component={Link} href={`/connectors/${encodeURIComponent(one.key)}/info`} fw={600}>
            {one.name}
          </Anchor>
          {one.description ? (
            <Text size="xs" c="dimmed" lineClamp={1}>
              {one.description}
            </Text>
          ) : null}
        </div>
      ),
    },
    { head: "Key", cell: (one) => <span className="mono">{one.key}</span> },
    { head: "Hub", cell: (one) => one.hub },
    { head: "Signs in by", cell: (one) => SIGN_IN.find(({ value }) => value === one.authentication?.type)?.label ?? one.authentication?.type },
    { head: "State", cell: (one) => <Mark word={one.active === false ? "inactive" : "active"} /> },
    {
      head: "More",
      quiet: true,
      cell: (one) => (
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
      ),
    },
  ];
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
              {found.entries.length === 0 ? null : <Rows label="Connectors" lead={["Name", "State", "More"]} columns={columns} rows={found.entries} keyOf={(one) => one.id} />}
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
