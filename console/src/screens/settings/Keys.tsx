// Where signing keys are, and how long things are kept, as far as the API tells.
import { Anchor, Code, List, Stack, Text, Title } from "@mantine/core";
import { Link } from "wouter";

/** The panel. */
export function Keys() {
  return (
    <Stack maw={760} gap="xl">
      <Stack gap="xs">
        <Title order={2}>Signing keys</Title>
        <Text size="sm">
          Each instance has a signing key of its own, the <b>Callback Notification Signature Key</b> among its optional fields. Every notification then carries a signature that your callback can check. To change a key, open the instance, choose to change it, and type the new one; the old one is used no more from then on.
        </Text>
        <Text size="sm">
          <Anchor component={Link} href="/instances">
            To the instances
          </Anchor>
        </Text>
      </Stack>
      <Stack gap="xs">
        <Title order={2}>Retention</Title>
        <Text size="sm">The API does not tell for how long events, runs and deliveries are kept; who runs the server decides it. What it does say:</Text>
        <List size="sm" spacing="xs">
          <List.Item>Events and deliveries of an instance that was removed stay for their retention.</List.Item>
          <List.Item>What the cards of a flow did is kept of the last 50 runs of a subscription.</List.Item>
          <List.Item>Entries of the audit stay when their user is gone.</List.Item>
          <List.Item>
            A link that signs a browser in is good for an hour, a session for twelve hours. <Code>GET /session</Code> says when yours ends.
          </List.Item>
        </List>
      </Stack>
    </Stack>
  );
}
