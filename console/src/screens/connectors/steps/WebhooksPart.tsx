// Changes that the provider tells by itself: how a notification is proved, and the hook that makes events of it.
import { Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, BASE, told } from "../../../api/client";
import { useFault } from "../../../parts/faults";
import type { StepProps } from "../Connector";
import { isEventHook, newHook, valueOf, valuePath, withValue } from "../document";
import { DraftHook } from "./DraftHook";

const VERIFICATION = "event.webhook.verification";

/** The part of the step. */
export default function WebhooksPart({ draft, mayChange }: StepProps) {
  const { doc, edit } = draft;
  const hooks = doc.hooks.map((hook, at) => ({ hook, at })).filter(({ hook }) => isEventHook(hook));
  const presets = useQuery({ queryKey: ["webhook-presets"], queryFn: () => told(api.GET(`${BASE}/webhooks/presets`)), staleTime: Infinity });
  const verification = useFault(valuePath(doc, VERIFICATION));
  return (
    <Stack component="section" aria-labelledby="webhooks-title">
      <Title order={2} id="webhooks-title">
        Webhooks
      </Title>
      <Text size="sm" c="dimmed">
        An event hook makes events of what the provider sends. Each instance gets an address of its own to give to the provider.
      </Text>
      <TextInput
        list="webhook-presets"
        label="Verification"
        description="How a notification shows that it is the provider's: one of these by name, or a declaration in braces. Each instance has the secret of it (event.webhook.secret)."
        placeholder="none: the hook checks by itself"
        value={valueOf(doc, VERIFICATION)}
        onChange={({ currentTarget: { value } }) => edit((now) => withValue(now, VERIFICATION, value))}
        error={verification}
        disabled={!mayChange}
        maw={560}
      />
      <datalist id="webhook-presets">
        {(presets.data ?? [])
          .filter(({ verifies }) => verifies)
          .map(({ name }) => (
            <option key={name} value={name} />
          ))}
      </datalist>
      {hooks.length === 0 ? (
        <Group>
          <Button variant="default" disabled={!mayChange} onClick={() => edit((now) => ({ ...now, hooks: [...now.hooks, newHook("event")] }))}>
            Add an Event Hook
          </Button>
        </Group>
      ) : null}
      {hooks.map(({ at }) => (
        <DraftHook key={at} draft={draft} mayChange={mayChange} at={at} title="Event hook" type="event" />
      ))}
    </Stack>
  );
}
