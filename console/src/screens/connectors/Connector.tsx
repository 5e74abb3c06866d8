// A connector's setup: seven steps with an address each over one draft, and its flows beside them.
import { Alert, Button, Group, Paper, Stack, Text } from "@mantine/core";
import { type ComponentType, lazy, Suspense, useState } from "react";
import { Link } from "wouter";

import type { Fault } from "../../api/failure";
import { useMay } from "../../app/session";
import { Faults, UnmatchedFaults } from "../../parts/faults";
import { Loaded, Refusal, Waiting } from "../../parts/Loaded";
import { Nothing } from "../../parts/Nothing";
import { Screen } from "../../parts/Screen";
import { forgetUnread, UnreadScope, unreadSentence, useUnreadOf } from "../../parts/unread";
import { type Doc, entryAt } from "./document";
import { type Draft, useConnector, useDraft } from "./draft";
import { Steps } from "./Steps";

const AuthenticationStep = lazy(() => import("./steps/AuthenticationStep"));
const ConfigStep = lazy(() => import("./steps/ConfigStep"));
const EventsStep = lazy(() => import("./steps/EventsStep"));
const HooksStep = lazy(() => import("./steps/HooksStep"));
const InfoStep = lazy(() => import("./steps/InfoStep"));
const PropertiesStep = lazy(() => import("./steps/PropertiesStep"));
const ResourcesStep = lazy(() => import("./steps/ResourcesStep"));
const FlowsTab = lazy(() => import("../flows/FlowsTab"));

/** What a step is given. */
export interface StepProps {
  draft: Draft;
  mayChange: boolean;
}

interface Step {
  name: string;
  label: string;
  shows: ComponentType<StepProps>;
  /** Whether a fault is one of this step's. */
  owns: (fault: Fault, doc: Doc) => boolean;
}

const isEventEntry = (fault: Fault, doc: Doc) => {
  const at = /^configuration\[(\d+)\]/.exec(fault.path)?.[1];
  if (at === undefined) return false;
  return doc.configuration[Number(at)]?.key.startsWith("event.") ?? false;
};
const isEntryOf = (keys: readonly string[]) => (fault: Fault, doc: Doc) => keys.some((key) => entryAt(doc, key) >= 0 && fault.path.startsWith(`configuration[${entryAt(doc, key)}]`));
const isHookOf = (isEvent: boolean) => (fault: Fault, doc: Doc) => {
  const at = /^hooks\[(\d+)\]/.exec(fault.path)?.[1];
  return at !== undefined && /^events?$/.test(doc.hooks[Number(at)]?.type ?? "") === isEvent;
};
const PROPERTIES = ["base.url", "pagination.type", "pagination.max", "pagination.page.startindex"];

const STEPS: readonly Step[] = [
  { name: "info", label: "Info", shows: InfoStep, owns: ({ path }) => /^(name|key|description|hub|tags|active)\b/.test(path) },
  { name: "properties", label: "Properties", shows: PropertiesStep, owns: isEntryOf(PROPERTIES) },
  { name: "authentication", label: "Authentication", shows: AuthenticationStep, owns: ({ path }) => path.startsWith("authentication") },
  { name: "config", label: "Config & Parameters", shows: ConfigStep, owns: (fault, doc) => /^(configuration|parameters)\b/.test(fault.path) && !isEventEntry(fault, doc) && !isEntryOf(PROPERTIES)(fault, doc) },
  { name: "hooks", label: "Hooks", shows: HooksStep, owns: isHookOf(false) },
  { name: "events", label: "Events", shows: EventsStep, owns: (fault, doc) => isEventEntry(fault, doc) || isHookOf(true)(fault, doc) },
  { name: "resources", label: "Resources", shows: ResourcesStep, owns: ({ path }) => path.startsWith("resources") },
];

/** A connector. */
export default function Connector(props: { connector: string; step: string | undefined; part: string | undefined }) {
  const query = useConnector(props.connector);
  return (
    <Loaded query={query} rows={6} head={{ title: props.connector, crumbs: [{ label: "Connectors", to: "/connectors" }] }}>
      {(doc) => <Setup stored={doc} keyOrId={props.connector} step={props.step ?? "info"} />}
    </Loaded>
  );
}

function Setup(props: { stored: Doc; keyOrId: string; step: string }) {
  const mayChange = useMay("admin");
  const draft = useDraft(props.keyOrId, props.stored);
  const { doc, findings } = draft;
  const scope = `connector ${props.keyOrId}`;
  const step = STEPS.find(({ name }) => name === props.step);
  const base = `/connectors/${encodeURIComponent(props.keyOrId)}`;
  const steps = STEPS.map(({ name, label, owns }) => ({ to: `${base}/${name}`, label, isHere: name === props.step, isAdvice: !draft.isRefused, count: findings.filter((fault) => owns(fault, doc)).length }));
  const Shown = step?.shows;
  return (
    <Screen
      title={doc.name}
      crumbs={[{ label: "Connectors", to: "/connectors" }]}
      about={<span className="mono">{doc.key}</span>}
      actions={
        <Button component={Link} href={`/instances/new?connector=${encodeURIComponent(doc.key)}`} variant="default">
          New instance
        </Button>
      }
    >
      <Steps steps={steps} beside={[{ to: `/connectors/${encodeURIComponent(props.keyOrId)}/flows`, label: "Flows", isHere: props.step === "flows", count: 0 }]} />
      {Shown ? (
        <UnreadScope value={scope}>
        <Faults faults={findings}>
          <Stack gap="lg">
            {mayChange ? null : <Alert color="gray">Connectors are changed by admins; you can look at everything here.</Alert>}
            {draft.failure && findings.length === 0 ? <Refusal error={draft.failure} title="Not saved" /> : null}
            {findings.length === 0 ? null : draft.isRefused ? (
              <UnmatchedFaults title="Not saved: this has to be put right first" />
            ) : (
              <>
                <Alert color="orange">Saved. What works less well than it seems is told where it stands; the steps say how much there is.</Alert>
                <UnmatchedFaults title="Elsewhere in this connector" isAdvice />
              </>
            )}
            <Suspense fallback={<Waiting rows={6} />}>
              <Shown draft={draft} mayChange={mayChange} />
            </Suspense>
            <SaveBar draft={draft} mayChange={mayChange} scope={scope} />
          </Stack>
        </Faults>
        </UnreadScope>
      ) : props.step === "flows" ? (
        <Suspense fallback={<Waiting rows={4} />}>
          <FlowsTab connector={doc.key} />
        </Suspense>
      ) : (
        <Nothing title="There is no such step" text="The steps above are all there are." />
      )}
    </Screen>
  );
}

function SaveBar({ draft, mayChange, scope }: StepProps & { scope: string }) {
  const unread = useUnreadOf(scope);
  const [isHeld, setHeld] = useState(false);
  const isChanged = draft.isChanged || unread.length > 0;
  const save = () => {
    setHeld(unread.length > 0);
    if (unread.length === 0) draft.save();
  };
  const discard = () => {
    forgetUnread(scope);
    draft.discard();
  };
  return (
    <Paper withBorder p="sm" pos="sticky" bottom={8} style={{ zIndex: 5 }}>
      {isHeld && unread.length > 0 ? (
        <Alert color="red" role="alert" mb="sm">
          {unreadSentence(unread)}
        </Alert>
      ) : null}
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status" visibleFrom="sm">
          {isChanged ? "There are changes that are not saved." : draft.isSaved ? "Everything is saved. Instances take the new revision when they are changed." : "Everything is saved."}
        </Text>
        <Group gap="xs">
          <Button variant="default" disabled={!isChanged} onClick={discard}>
            Discard changes
          </Button>
          <Button disabled={!mayChange || !isChanged} loading={draft.isSaving} onClick={save}>
            Save
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}
