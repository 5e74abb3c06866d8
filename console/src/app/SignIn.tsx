// The way in: a secret that the first start printed, or that an owner made.
import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, keepChangeToken, told } from "../api/client";
import { asFailure } from "../api/failure";
import { Logo } from "./Logo";
import { forgetOthers, SESSION_KEY } from "./session";

/** Asks for a user's secret. */
export default function SignIn() {
  const client = useQueryClient();
  const [secret, setSecret] = useState("");
  const enter = useMutation({
    mutationFn: () => told(api.POST(`${BASE}/session`, { body: { user: secret.trim() } })),
    onSuccess: (session) => {
      keepChangeToken(session.changeToken);
      forgetOthers(client);
      client.setQueryData(SESSION_KEY, session);
    },
  });
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w="26rem" maw="100%">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            enter.mutate();
          }}
        >
          <Stack>
            <Logo />
            <Title order={1}>Sign in</Title>
            <PasswordInput
              label="Secret"
              description="Your user secret: the first start of the server printed the owner's, and owners make others."
              autoComplete="current-password"
              required
              value={secret}
              onChange={(event) => setSecret(event.currentTarget.value)}
            />
            {enter.error ? (
              <Alert color="red" role="alert" title="Not signed in">
                {asFailure(enter.error).message}
              </Alert>
            ) : null}
            <Button type="submit" loading={enter.isPending} disabled={secret.trim() === ""}>
              Sign in
            </Button>
            <Text size="sm" c="dimmed">
              No secret at hand? An owner can make a link that signs you in once, and `turnstone serve --new-token` prints new secrets.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
