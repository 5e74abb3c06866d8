// States as a word with a colour; the word alone says it all.
import { Badge } from "@mantine/core";

type Tone = "good" | "bad" | "warn" | "calm" | "info";

const COLOURS: Record<Tone, string> = { good: "green", bad: "red", warn: "orange", calm: "gray", info: "blue" };

const TONES: Record<string, Tone> = {
  ok: "good", delivered: "good", NOTIFIED: "good", completed: "good", active: "good", connected: "good", CREATED: "good",
  failed: "bad", dead: "bad", deactivated: "bad", DELETED: "bad", quarantined: "bad",
  retry: "warn", queued: "warn", paused: "warn", yielded: "warn", disabled: "warn", DISPATCHED: "warn", split: "calm",
  UPDATED: "info", NEW: "info", created: "info", starting: "info", poll: "calm", sweep: "calm", look: "calm", flow: "calm",
};

/** A state. Words that are not known are shown plainly. */
export function Mark(props: { word: string; tone?: Tone; label?: string }) {
  const tone = props.tone ?? TONES[props.word] ?? "calm";
  return (
    <Badge color={COLOURS[tone]} variant="light" tt="none" fw={600} style={{ color: `var(--mark-${tone})`, flexShrink: 0, minWidth: "max-content" }}>
      {props.label ?? props.word}
    </Badge>
  );
}
