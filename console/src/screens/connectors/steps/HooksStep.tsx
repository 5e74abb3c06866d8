// Scripts around every call.
import { Button, Group, Stack, Text } from "@mantine/core";

import type { HookType } from "../../../parts/hooks/Reference";
import type { StepProps } from "../Connector";
import { isEventHook, newHook } from "../document";
import { DraftHook } from "./DraftHook";

/** The step. */
export default function HooksStep({ draft, mayChange }: StepProps) {
  const { doc, edit } = draft;
  const hooks = doc.hooks.map((hook, at) => ({ hook, at })).filter(({ hook }) => !isEventHook(hook));
  const has = (type: HookType) => hooks.some(({ hook }) => hook.type.toLowerCase() === type.toLowerCase());
  const add = (type: HookType) => edit((now) => ({ ...now, hooks: [...now.hooks, newHook(type)] }));
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        Hooks run around every call of this connector; those of one resource stand with it. Hooks for webhooks are on the Events step.
      </Text>
      <Group>
        <Button variant="default" disabled={!mayChange || has("preRequest")} onClick={() => add("preRequest")}>
          Add a hook before requests
        </Button>
        <Button variant="default" disabled={!mayChange || has("postRequest")} onClick={() => add("postRequest")}>
          Add a hook after answers
        </Button>
      </Group>
      {hooks.map(({ hook, at }) => {
        const isBefore = hook.type.toLowerCase() === "prerequest";
        return <DraftHook key={at} draft={draft} mayChange={mayChange} at={at} title={isBefore ? "Before requests" : "After answers"} type={isBefore ? "preRequest" : "postRequest"} />;
      })}
    </Stack>
  );
}
