// One's own account.
import { Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, BASE, stayHere, told } from "../../api/client";
import { asFailure, faultsAt } from "../../api/failure";
import type { components } from "../../api/schema";
import { SESSION_KEY } from "../../app/session";
import { Loaded, Refusal } from "../../parts/Loaded";
import { done } from "../../parts/said";
import { When } from "../../parts/When";
import { Confirm } from "./Confirm";
import { Once } from "./Once";

type User = components["schemas"]["User"];

/** The panel. */
export function Me() {
  const query = useQuery({ queryKey: ["me"], queryFn: () => told(api.GET(`${BASE}/users/me`)) });
  return <Loaded query={query}>{(user) => <Form user={user} />}</Loaded>;
}

function Form({ user }: { user: User }) {
  const client = useQueryClient();
  const [typed, setTyped] = useState({ name: user.name, emailAddress: user.emailAddress });
  const [asks, setAsks] = useState(false);
  const save = useMutation({
    mutationFn: () => told(api.PATCH(`${BASE}/users/me`, { body: typed })),
    onSuccess: (changed) => {
      client.setQueryData(["me"], changed);
      void client.invalidateQueries({ queryKey: SESSION_KEY });
      done("Saved.");
    },
  });
  const renew = useMutation({ mutationFn: () => told(api.POST(`${BASE}/users/me/token`)), onSuccess: () => setAsks(false) });
  // Its session is over, and whoever goes to keep the secret and comes back must still find it.
  const isShown = renew.data !== undefined;
  useEffect(() => (isShown ? stayHere() : undefined), [isShown]);
  const leave = () => {
    renew.reset();
    // Asked once nothing is shown any more that would be lost.
    setTimeout(() => void client.invalidateQueries({ queryKey: SESSION_KEY }), 0);
  };
  const failure = save.error ? asFailure(save.error) : undefined;
  return (
    <Stack maw={560} gap="xl">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">
            Your role is {user.role}; owners change roles. Added <When at={user.createdDate} />.
          </Text>
          {failure && failure.faults.length === 0 ? <Refusal error={failure} /> : null}
          <TextInput label="Name" value={typed.name} error={faultsAt(failure?.faults ?? [], "name")} onChange={(event) => setTyped({ ...typed, name: event.currentTarget.value })} />
          <TextInput label="E-mail address" description="Nothing is sent to it." value={typed.emailAddress} error={faultsAt(failure?.faults ?? [], "emailAddress")} onChange={(event) => setTyped({ ...typed, emailAddress: event.currentTarget.value })} />
          <Group>
            <Button type="submit" loading={save.isPending} disabled={typed.name === user.name && typed.emailAddress === user.emailAddress}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
      <Stack>
        <Title order={2}>Your secret</Title>
        <Text size="sm">Scripts send it as Authorization: User …, and it signs you in here. A new one ends the old one and all your sessions, this one too.</Text>
        {renew.data ? <Once title="Your new secret is shown only now" secret={renew.data.secret} about="Keep it before you leave this page: your session has ended, and you sign in with it." onClose={leave} /> : null}
        <Group>
          <Button variant="default" onClick={() => setAsks(true)} disabled={renew.data !== undefined}>
            Take a new secret
          </Button>
        </Group>
      </Stack>
      <Confirm opened={asks} title="Take a new secret?" text="The present one stops working at once, in scripts too, and all your sessions end." action="Take a new one" error={renew.error} isPending={renew.isPending} onClose={() => setAsks(false)} onGo={() => renew.mutate()} />
    </Stack>
  );
}
