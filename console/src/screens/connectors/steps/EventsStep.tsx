// How changes at the provider reach us: by polling, by webhooks, or by both.
import { Accordion, Alert, Autocomplete, Button, Group, PasswordInput, Radio, SimpleGrid, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, BASE, told } from "../../../api/client";
import { textOf } from "../../../api/exact";
import { explainConnector } from "../../../api/trying";
import { useFault } from "../../../parts/faults";
import { HookEditor } from "../../../parts/hooks/HookEditor";
import { Interval } from "../../../parts/polling/Interval";
import { Resources } from "../../../parts/polling/Resources";
import type { StepProps } from "../Connector";
import { polledOf, valueOf, valuePath, withItem, withValue } from "../document";
import { sendable } from "../draft";
import { isEventHook, newHook } from "./HooksStep";

const POLLED = "event.poller.configuration";
const VERIFICATION = "event.webhook.verification";
const INTERVAL = "event.poller.refresh_interval";
type Kind = "polling" | "webhooks" | "polling,webhooks";

/** The step. */
export function EventsStep(props: StepProps) {
  const { draft, mayChange } = props;
  const { doc, edit } = draft;
  const isOn = valueOf(doc, "event.notification.enabled") === "true";
  const kind = kindOf(valueOf(doc, "event.vendor.type"));
  const kindFault = useFault(valuePath(doc, "event.vendor.type"));
  const enable = (on: boolean) =>
    edit((now) => {
      const next = withValue(now, "event.notification.enabled", String(on));
      return on && kindOf(valueOf(next, "event.vendor.type")) === undefined ? withValue(next, "event.vendor.type", "polling") : next;
    });
  return (
    <Stack gap="lg">
      <Switch label="Enable Events" description="Instances have events unless they say otherwise." checked={isOn} onChange={(event) => enable(event.currentTarget.checked)} disabled={!mayChange} size="md" />
      {isOn ? (
        <>
          <Radio.Group label="Event Type" value={kind ?? ""} onChange={(next) => edit((now) => withValue(now, "event.vendor.type", next))} error={kindFault}>
            <Group mt={6} gap="lg">
              <Radio value="polling" label="Polling" disabled={!mayChange} />
              <Radio value="webhooks" label="Webhooks" disabled={!mayChange} />
              <Radio value="polling,webhooks" label="Both" disabled={!mayChange} />
            </Group>
          </Radio.Group>
          {kind === undefined || kind === "polling" ? null : <Webhooks {...props} />}
          {kind === "webhooks" ? null : <Polling {...props} />}
        </>
      ) : (
        <Text c="dimmed" maw={640}>
          Events tell when something changes at the provider. With polling it is asked at intervals for what was updated; with webhooks it calls by itself, and an event hook turns what it sends into events.
        </Text>
      )}
    </Stack>
  );
}

function Webhooks({ draft, mayChange }: StepProps) {
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
      <Autocomplete
        label="Verification"
        description="How a notification shows that it is the provider's: one of these by name, or a declaration in braces. Each instance has the secret of it (event.webhook.secret)."
        placeholder="none: the hook checks by itself"
        data={(presets.data ?? []).filter(({ verifies }) => verifies).map(({ name }) => name)}
        value={valueOf(doc, VERIFICATION)}
        onChange={(next) => edit((now) => withValue(now, VERIFICATION, next))}
        error={verification}
        disabled={!mayChange}
        maw={560}
      />
      {hooks.length === 0 ? (
        <Group>
          <Button variant="default" disabled={!mayChange} onClick={() => edit((now) => ({ ...now, hooks: [...now.hooks, newHook("event")] }))}>
            Add an Event Hook
          </Button>
        </Group>
      ) : null}
      {hooks.map(({ hook, at }) => (
        <HookEditor
          key={at}
          title="Event hook"
          type="event"
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

function Polling(props: StepProps) {
  const { draft, mayChange } = props;
  const { doc, edit } = draft;
  const text = valueOf(doc, POLLED);
  const isUnreadable = text.trim() !== "" && Object.keys(polledOf(doc)).length === 0 && text.trim() !== "{}";
  const base = valueOf(doc, "base.url");
  return (
    <Stack component="section" aria-labelledby="polling-title">
      <Title order={2} id="polling-title">
        Polling
      </Title>
      <div style={{ maxWidth: 720 }}>
        <Interval label="Default Interval Polling Time (in minutes)" value={valueOf(doc, INTERVAL)} onChange={(next) => edit((now) => withValue(now, INTERVAL, next))} error={useFault(valuePath(doc, INTERVAL))} disabled={!mayChange} />
      </div>
      <Trial {...props} />
      {isUnreadable ? (
        <Alert color="orange" title="What stands there cannot be read">
          The poller configuration of this connector is no JSON object. What you add here replaces it.
        </Alert>
      ) : null}
      <Resources
        value={polledOf(doc)}
        onChange={(next) => edit((now) => withValue(now, POLLED, JSON.stringify(next)))}
        path={valuePath(doc, POLLED)}
        explain={(resource, startFrom, signal) => explainConnector(doc.key, { element: sendable(doc), configuration: draft.trial, resource, pages: 1, ...(startFrom === undefined ? {} : { startFrom }) }, signal)}
        about={[draft.trial, doc["authentication"], base]}
        {...(base === "" || base.includes("{") ? {} : { base })}
        empty={
          <Text size="sm" c="dimmed" maw={640}>
            Any resource can be polled whose records have an id and a date of their last change. Name one, then say where its list is.
          </Text>
        }
      />
    </Stack>
  );
}

/** The values of an account for previews. */
function Trial({ draft }: StepProps) {
  const { doc, trial, setTrial } = draft;
  const asked = doc.configuration.filter(({ key, hideFromConsole }) => !/^(event|pagination)\./.test(key) && hideFromConsole !== true);
  if (asked.length === 0) return null;
  return (
    <Accordion variant="contained" order={3}>
      <Accordion.Item value="trial">
        <Accordion.Control>Trial account</Accordion.Control>
        <Accordion.Panel>
          <Text size="sm" c="dimmed" mb="sm">
            Previews sign in with these. They are not saved; where one is empty, the connector's default counts.
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {asked.map(({ key, name, type, defaultValue }) => {
              const common = {
                label: name ?? key,
                value: String(trial[key] ?? ""),
                placeholder: textOf(defaultValue),
                autoComplete: "off",
                onChange: (event: { currentTarget: { value: string } }) => {
                  const { [key]: _before, ...rest } = trial;
                  setTrial(event.currentTarget.value === "" ? rest : { ...rest, [key]: event.currentTarget.value });
                },
              };
              return type === "PASSWORD" || /secret|password/.test(key) ? <PasswordInput key={key} {...common} /> : <TextInput key={key} {...common} />;
            })}
          </SimpleGrid>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

function kindOf(text: string): Kind | undefined {
  const polls = /polling/i.test(text);
  const calls = /webhook/i.test(text);
  if ((polls && calls) || text.trim().toLowerCase() === "both") return "polling,webhooks";
  return polls ? "polling" : calls ? "webhooks" : undefined;
}
