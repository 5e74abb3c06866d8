// The organisation's users: roles, secrets, and links that sign a browser in once.
import { Button, Group, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../api/client";
import { asFailure, faultsAt } from "../../api/failure";
import type { components } from "../../api/schema";
import { type Role, useMay, useSession } from "../../app/session";
import { Actions } from "../../parts/Actions";
import { Dialog } from "../../parts/Dialog";
import { Loaded, Refusal } from "../../parts/Loaded";
import { When } from "../../parts/When";
import { Confirm } from "./Confirm";
import { Once } from "./Once";

type User = components["schemas"]["User"];

const ROLES: readonly { value: Role; label: string }[] = [
  { value: "reader", label: "reader: looks at everything that holds no secret" },
  { value: "member", label: "member: instances, deliveries, subscriptions" },
  { value: "admin", label: "admin: connectors, monitors, how resources are polled" },
  { value: "owner", label: "owner: users, roles, secrets" },
];
const KEY = ["users"] as const;

/** The panel. */
export function Users() {
  const query = useQuery({ queryKey: KEY, queryFn: () => told(api.GET(`${BASE}/users`)) });
  const isOwner = useMay("owner");
  const [adds, setAdds] = useState(false);
  const [shown, setShown] = useState<{ title: string; secret: string; about: string }>();
  const link = useMutation({
    mutationFn: (user: User) => told(api.POST(`${BASE}/users/{id}/sign-in-link`, { params: { path: { id: user.id } } })),
    onSuccess: ({ url }, user) => setShown({ title: `A link for ${user.name}`, secret: url, about: "It signs one browser in once, within an hour." }),
  });
  const [asks, setAsks] = useState<{ of: User; what: "secret" | "remove" }>();
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: async ({ of, what }: { of: User; what: "secret" | "remove" }) => {
      const params = { params: { path: { id: of.id } } };
      if (what === "remove") return void (await told(api.DELETE(`${BASE}/users/{id}`, params)));
      const { secret } = await told(api.POST(`${BASE}/users/{id}/token`, params));
      setShown({ title: `The new secret of ${of.name} is shown only now`, secret, about: "Hand it over; the old one and all their sessions have ended." });
    },
    onSuccess: () => {
      setAsks(undefined);
      void client.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <Stack>
      {shown ? <Once {...shown} onClose={() => setShown(undefined)} /> : null}
      {link.error ? <Refusal error={link.error} /> : null}
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Each role may do what those below it may. {isOwner ? "" : "Owners change users and roles."}
        </Text>
        {isOwner ? <Button onClick={() => setAdds(true)}>Add user</Button> : null}
      </Group>
      <Loaded query={query}>
        {(users) => (
          <Table.ScrollContainer minWidth={560}>
            <Table aria-label="Users">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>E-mail address</Table.Th>
                  <Table.Th>Role</Table.Th>
                  <Table.Th>Added</Table.Th>
                  <Table.Th aria-label="More" />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {users.map((user) => (
                  <Row key={user.id} user={user} isOwner={isOwner} onLink={() => link.mutate(user)} onAsk={(what) => setAsks({ of: user, what })} />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Loaded>
      <Dialog opened={adds} onClose={() => setAdds(false)} title="Add user">
        <AddUser
          onAdded={(user) => {
            setAdds(false);
            setShown({ title: `The secret of ${user.name} is shown only now`, secret: user.secret, about: "Hand it over, or make a link that signs them in once." });
          }}
        />
      </Dialog>
      <Confirm
        opened={asks !== undefined}
        title={asks?.what === "remove" ? `Remove ${asks.of.name}?` : `A new secret for ${asks?.of.name ?? ""}?`}
        text={asks?.what === "remove" ? "Their secret, sessions and links end at once. What they made stays." : "Their present secret and all their sessions end at once."}
        action={asks?.what === "remove" ? "Remove user" : "Make a new secret"}
        error={act.error}
        isPending={act.isPending}
        onClose={() => {
          act.reset();
          setAsks(undefined);
        }}
        onGo={() => asks && act.mutate(asks)}
      />
    </Stack>
  );
}

function Row(props: { user: User; isOwner: boolean; onLink: () => void; onAsk: (what: "secret" | "remove") => void }) {
  const { user, isOwner } = props;
  const me = useSession();
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (role: Role) => told(api.PATCH(`${BASE}/users/{id}`, { params: { path: { id: user.id } }, body: { role } })),
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
  });
  return (
    <Table.Tr>
      <Table.Td>
        {user.name}
        {user.id === me.userId ? " (you)" : ""}
      </Table.Td>
      <Table.Td>{user.emailAddress}</Table.Td>
      <Table.Td>
        {isOwner ? (
          <Select aria-label={`Role of ${user.name}`} size="xs" w={120} data={ROLES.map(({ value }) => value)} value={user.role} allowDeselect={false} error={change.error ? asFailure(change.error).message : undefined} onChange={(role) => role !== null && role !== user.role && change.mutate(role as Role)} />
        ) : (
          user.role
        )}
      </Table.Td>
      <Table.Td>
        <When at={user.createdDate} />
      </Table.Td>
      <Table.Td>
        {isOwner ? (
          <Actions
            label={`What to do with ${user.name}`}
            actions={[
              { label: "Sign-in link", onClick: props.onLink },
              { label: "New secret", onClick: () => props.onAsk("secret") },
              { label: "Remove", isDanger: true, onClick: () => props.onAsk("remove") },
            ]}
          />
        ) : null}
      </Table.Td>
    </Table.Tr>
  );
}

function AddUser(props: { onAdded: (user: components["schemas"]["UserWithSecret"]) => void }) {
  const [typed, setTyped] = useState<{ name: string; emailAddress: string; role: Role }>({ name: "", emailAddress: "", role: "member" });
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: () => told(api.POST(`${BASE}/users`, { body: typed })),
    onSuccess: (user) => {
      void client.invalidateQueries({ queryKey: KEY });
      props.onAdded(user);
    },
  });
  const failure = add.error ? asFailure(add.error) : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Stack>
        {failure && failure.faults.length === 0 ? <Refusal error={failure} /> : null}
        <TextInput label="Name" required value={typed.name} error={faultsAt(failure?.faults ?? [], "name")} onChange={(event) => setTyped({ ...typed, name: event.currentTarget.value })} />
        <TextInput label="E-mail address" value={typed.emailAddress} error={faultsAt(failure?.faults ?? [], "emailAddress")} onChange={(event) => setTyped({ ...typed, emailAddress: event.currentTarget.value })} />
        <Select label="Role" data={ROLES} value={typed.role} allowDeselect={false} onChange={(role) => role !== null && setTyped({ ...typed, role: role as Role })} />
        <Group justify="flex-end">
          <Button type="submit" loading={add.isPending}>
            Add user
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
