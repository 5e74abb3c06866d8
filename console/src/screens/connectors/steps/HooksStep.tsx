// Scripts around every call.
import { Button, Group, Stack, Text } from "@mantine/core";

import { HookEditor } from "../../../parts/hooks/HookEditor";
import type { HookType } from "../../../parts/hooks/Reference";
import type { StepProps } from "../Connector";
import { isEventHook, newHook, withItem } from "../document";

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
      {hooks.map(({ hook, at }) => (
        <HookEditor
          key={at}
          title={hook.type.toLowerCase() === "prerequest" ? "Before requests" : "After answers"}
          type={hook.type.toLowerCase() === "prerequest" ? "preRequest" : "postRequest"}
          script={hook.body}
          isLegacy={hook.isLegacy === true}
          path={`hooks[${at}]`}
          mayChange={mayChange}
          onChange={(body) => edit((now) => ({ ...now, hooks: now.hooks.map((one, place) => (place === at ? { ...one, body } : one)) }))}
          onRemove={() => edit((now) => ({ ...now, hooks: withItem(now.hooks, at, undefined) }))}
        />
      ))}
    </Stack>
  );
}
