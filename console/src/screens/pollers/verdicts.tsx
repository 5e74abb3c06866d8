// What can be decided about a record: the words, their tones, and how they are counted and told apart.
import { Group, Text } from "@mantine/core";

import type { Decision } from "../../api/watching";
import type { components } from "../../api/schema";
import { Mark } from "../../parts/Mark";

import "../../parts/parts.css";

/** The key under which decisions are counted: an event's type, `SEEDED`, or the reason for ignoring. */
export type VerdictKey = "CREATED" | "UPDATED" | "DELETED" | "SEEDED" | "reported" | "before-window" | "superseded" | "quarantined" | "filtered";

interface Kind {
  key: VerdictKey;
  label: string;
  tone: string;
  about: string;
  count: (counts: components["schemas"]["Counts"]) => number;
}

/** All of them, events first. */
export const KINDS: readonly Kind[] = [
  { key: "CREATED", label: "CREATED", tone: "created", about: "became an event", count: (c) => c.created },
  { key: "UPDATED", label: "UPDATED", tone: "updated", about: "became an event", count: (c) => c.updated },
  { key: "DELETED", label: "DELETED", tone: "deleted", about: "became an event", count: (c) => c.deleted },
  { key: "SEEDED", label: "seeded", tone: "seeded", about: "taken as known without an event", count: (c) => c.seeded },
  { key: "reported", label: "reported", tone: "ignored", about: "this version was reported before", count: (c) => c.reported },
  { key: "before-window", label: "before the window", tone: "ignored", about: "older than what was asked for", count: (c) => c.beforeWindow },
  { key: "superseded", label: "superseded", tone: "ignored", about: "replaced by a later version that was reported", count: (c) => c.superseded },
  { key: "quarantined", label: "quarantined", tone: "quarantined", about: "no id, or unreadable", count: (c) => c.quarantined },
  { key: "filtered", label: "filtered", tone: "ignored", about: "left out by configuration", count: (c) => c.filtered },
];

const BY_KEY = new Map(KINDS.map((kind) => [kind.key as string, kind]));

/** The key of a decision. */
export function keyOf(decision: Pick<Decision, "verdict" | "ignored">): string {
  return decision.verdict === "IGNORED" ? (decision.ignored ?? "ignored") : decision.verdict;
}

/** The tone in which a kind is drawn. */
export function toneOf(key: string): string {
  return BY_KEY.get(key)?.tone ?? "ignored";
}

/** The decisions of a rehearsal together with its events, which it tells apart. */
export function withEvents(decisions: readonly Decision[], events: readonly { id: string; eventType: string; objectId: string; date: string; reason: string }[]): Decision[] {
  const made = events.map((event): Decision => ({ objectId: event.objectId, verdict: event.eventType, reason: event.reason, compared: event.date, comparedDate: event.date, page: 0, eventId: event.id }));
  return [...made, ...decisions];
}

/** Whether a decision became an event. */
export function isEvent(decision: Pick<Decision, "verdict">): boolean {
  return decision.verdict !== "IGNORED" && decision.verdict !== "SEEDED";
}

/** A verdict as a word with its colour. */
export function Verdict(props: { decision: Pick<Decision, "verdict" | "ignored"> }) {
  const key = keyOf(props.decision);
  return (
    <Group gap={6} wrap="nowrap" display="inline-flex">
      <span className={`chip tone-${toneOf(key)}`} aria-hidden />
      <Mark word={key} label={BY_KEY.get(key)?.label ?? key} />
    </Group>
  );
}

/** How many of each there were; none of a kind is left out. */
export function Tally(props: { counts: components["schemas"]["Counts"] }) {
  const there = KINDS.filter((kind) => kind.count(props.counts) > 0);
  if (there.length === 0) return <Text size="sm" c="dimmed">Nothing to decide.</Text>;
  return (
    <Group gap="md">
      {there.map((kind) => (
        <Group key={kind.key} gap={6} wrap="nowrap">
          <span className={`chip tone-${kind.tone}`} aria-hidden />
          <Text size="sm">
            <b>{kind.count(props.counts)}</b> {kind.label}
          </Text>
        </Group>
      ))}
    </Group>
  );
}

/** So many letters are not broken: ids and instants as most providers write them. */
const WHOLE = 26;

/** The style of what a provider wrote: what is short stays in one piece. */
export function wrote(value: string): string {
  return value.length <= WHOLE ? "mono nowrap" : "mono";
}

/** What was compared, as the provider wrote it. */
export function Compared(props: { value: string }) {
  return <span className={wrote(props.value)}>{props.value || "–"}</span>;
}
