// How changes at the provider reach us: by polling, by webhooks, or by both.
import { Group, Radio, Stack, Switch, Tabs, Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useLocation } from "wouter";

import { useFault, useHasFault } from "../../../parts/faults";
import { Waiting } from "../../../parts/Loaded";
import type { StepProps } from "../Connector";
import { entryAt, isEventHook, valueOf, valuePath, withValue } from "../document";

const PollingPart = lazy(() => import("./PollingPart"));
const WebhooksPart = lazy(() => import("./WebhooksPart"));

type Kind = "polling" | "webhooks" | "polling,webhooks";

/** The step. */
export default function EventsStep(props: StepProps) {
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
          <Parts {...props} kind={kind} />
        </>
      ) : (
        <Text c="dimmed" maw={640}>
          Events tell when something changes at the provider. With polling it is asked at intervals for what was updated; with webhooks it calls by itself, and an event hook turns what it sends into events.
        </Text>
      )}
    </Stack>
  );
}

/** What the type asks for; where it is both, one after the other. */
function Parts(props: StepProps & { kind: Kind | undefined }) {
  const { kind, draft } = props;
  const { doc } = draft;
  const [location, go] = useLocation();
  const isPolling = location.endsWith("/events/polling");
  const hook = doc.hooks.findIndex(isEventHook);
  const polled = `configuration[${entryAt(doc, "event.poller.configuration")}]`;
  const verified = `configuration[${entryAt(doc, "event.webhook.verification")}]`;
  const [inPolling, inWebhooks] = [useHasFault(polled), useHasFault(`hooks[${hook}]`, verified)];
  const shown = (what: "polling" | "webhooks") => <Suspense fallback={<Waiting rows={6} />}>{what === "polling" ? <PollingPart {...props} /> : <WebhooksPart {...props} />}</Suspense>;
  if (kind !== "polling,webhooks") return shown(kind ?? "polling");
  const base = location.replace(/\/events(\/.*)?$/, "/events");
  return (
    <Tabs value={isPolling ? "polling" : "webhooks"} onChange={(next) => go(next === "polling" ? `${base}/polling` : base, { replace: true })} keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="webhooks">Webhooks{inWebhooks ? " (!)" : ""}</Tabs.Tab>
        <Tabs.Tab value="polling">Polling{inPolling ? " (!)" : ""}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="webhooks">{shown("webhooks")}</Tabs.Panel>
      <Tabs.Panel value="polling">{shown("polling")}</Tabs.Panel>
    </Tabs>
  );
}

function kindOf(text: string): Kind | undefined {
  const polls = /polling/i.test(text);
  const calls = /webhook/i.test(text);
  if ((polls && calls) || text.trim().toLowerCase() === "both") return "polling,webhooks";
  return polls ? "polling" : calls ? "webhooks" : undefined;
}
