// What several screens show of a poller: its state, what can be done with it, and where it is looked at.
import { Alert, Badge, Button, Group, Text, Textarea } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../api/client";
import type { PollerEntry } from "../../api/watching";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import type { Fact } from "../../parts/Facts";
import { Mark } from "../../parts/Mark";
import { done, refused } from "../../parts/said";
import { Sentence } from "../../parts/Sentence";
import { duration, When } from "../../parts/When";

/** A poller as the API tells it. */
export type Poller = components["schemas"]["Poller"];

/** Where a poller is looked at: a monitor's subscription has a screen of its own. */
export function pollerAddress(poller: Pick<Poller, "instanceId" | "resource"> & { subscriptionId?: number | null }): string {
  return poller.subscriptionId ? `/subscriptions/${poller.subscriptionId}` : `/instances/${poller.instanceId}/pollers/${encodeURIComponent(poller.resource)}`;
}

/** One word for how a poller is. */
export function pollerWord(poller: Poller): "ok" | "starting" | "failing" | "paused" | "off" {
  if (!poller.enabled) return "off";
  if (poller.paused) return "paused";
  if (poller.status.code === "starting") return "starting";
  if (poller.status.code !== "ok" || poller.failuresInARow > 0) return "failing";
  return "ok";
}

/** That word as a mark. */
export function PollerMark(props: { poller: Poller }) {
  const word = pollerWord(props.poller);
  const tone = { ok: "good", starting: "info", failing: "bad", paused: "warn", off: "calm" } as const;
  return <Mark word={word} tone={tone[word]} />;
}

/** Why it does not simply work, if so: the pause, the sentence of its state, and the brake. */
export function PollerTrouble(props: { poller: Poller }) {
  const { poller } = props;
  const failures = poller.failuresInARow > 0 ? `${poller.failuresInARow} ${poller.failuresInARow === 1 ? "poll has" : "polls have"} failed in a row. ` : "";
  return (
    <>
      {poller.paused ? (
        <Text size="sm">
          Paused: <Sentence text={poller.paused} />
        </Text>
      ) : null}
      {poller.status.sentence || failures ? (
        <Text size="sm" style={{ color: poller.failuresInARow > 0 || poller.status.needsAttention ? "var(--mark-bad)" : undefined }}>
          {failures}
          <Sentence text={poller.status.sentence} />
        </Text>
      ) : null}
      {poller.brake ? <Brake poller={poller} brake={poller.brake} /> : null}
    </>
  );
}

function Brake(props: { poller: Poller; brake: components["schemas"]["Brake"] }) {
  const { poller, brake } = props;
  const act = usePollerAct(poller);
  const [isAsked, setAsked] = useState(false);
  const mayAct = useMay("member");
  if (brake.released) {
    return <Alert color="blue">The {brake.missing} missing records were confirmed as gone. The next sweep looks again and reports them.</Alert>;
  }
  return (
    <Alert color="orange" title={`A sweep missed ${brake.missing} of ${brake.known} known records`}>
      <Group justify="space-between">
        <Text size="sm" maw="40rem">
          So many at once are more often a fault of the provider than real deletions. Nothing was sent. Look at the provider first; if they are really gone, confirm it.
        </Text>
        <Button size="xs" color="red.8" disabled={!mayAct} title={mayAct ? undefined : "needs a member"} onClick={() => setAsked(true)}>
          Confirm deletes
        </Button>
      </Group>
      <Confirm
        opened={isAsked}
        title={`Report ${brake.missing} records as deleted?`}
        act="Confirm deletes"
        danger
        busy={act.isPending}
        error={act.error}
        onClose={() => {
          act.reset();
          setAsked(false);
        }}
        onAct={() => act.mutate("confirm-deletes", { onSuccess: () => setAsked(false) })}
      >
        The next sweep of {poller.resource} reads everything again, and every record that is then still missing is reported as DELETED. Events cannot be taken back.
      </Confirm>
    </Alert>
  );
}

type Act = "run" | "resume" | "confirm-deletes" | { pause: string };

const WORDS = { run: "is polled now", resume: "goes on, and is polled now", "confirm-deletes": "sweeps again now" } as const;

/** Does something with a poller, and asks for it anew. */
export function usePollerAct(poller: Pick<Poller, "instanceId" | "resource">) {
  const client = useQueryClient();
  const params = { path: { id: poller.instanceId, resource: poller.resource } };
  return useMutation({
    mutationFn: (act: Act): Promise<Poller> => {
      if (act === "run") return told(api.POST(`${BASE}/instances/{id}/pollers/{resource}/run`, { params }));
      if (act === "resume") return told(api.DELETE(`${BASE}/instances/{id}/pollers/{resource}/paused`, { params }));
      if (act === "confirm-deletes") return told(api.POST(`${BASE}/instances/{id}/pollers/{resource}/confirm-deletes`, { params }));
      return told(api.PUT(`${BASE}/instances/{id}/pollers/{resource}/paused`, { params, body: act.pause ? { reason: act.pause } : {} }));
    },
    onSuccess: (_, act) => {
      done(`${poller.resource} ${typeof act === "string" ? WORDS[act] : "is paused"}.`);
      void client.invalidateQueries({ queryKey: ["pollers"] });
      // What the run brings is there when it has ended; until then the screens ask a few times.
      for (const after of [700, 2_000, 5_000]) {
        setTimeout(() => {
          void client.invalidateQueries({ queryKey: ["pollers"] });
          void client.invalidateQueries({ queryKey: ["runs"] });
        }, after);
      }
    },
  });
}

/** Poll now, pause with a reason, go on. */
export function PollerActions(props: { poller: Poller }) {
  const { poller } = props;
  const act = usePollerAct(poller);
  const mayAct = useMay("member");
  const [isAsked, setAsked] = useState(false);
  const [reason, setReason] = useState("");
  const why = !mayAct ? "needs a member" : !poller.enabled ? "the instance is switched off" : undefined;
  return (
    <Group gap="xs">
      {poller.paused ? (
        <Button size="xs" leftSection={<IconPlayerPlay size={14} aria-hidden />} disabled={why !== undefined} title={why} loading={act.isPending} onClick={() => act.mutate("resume", { onError: refused })} aria-label={`Resume ${poller.resource}`}>
          Resume
        </Button>
      ) : (
        <>
          <Button size="xs" leftSection={<IconRefresh size={14} aria-hidden />} disabled={why !== undefined} title={why} loading={act.isPending && !isAsked} onClick={() => act.mutate("run", { onError: refused })} aria-label={`Poll now: ${poller.resource}`}>
            Poll now
          </Button>
          <Button size="xs" variant="default" leftSection={<IconPlayerPause size={14} aria-hidden />} disabled={!mayAct} onClick={() => setAsked(true)} aria-label={`Pause ${poller.resource}`}>
            Pause
          </Button>
        </>
      )}
      <Confirm
        opened={isAsked}
        title={`Pause ${poller.resource}`}
        act="Pause"
        busy={act.isPending}
        error={act.error}
        onClose={() => {
          act.reset();
          setAsked(false);
        }}
        onAct={() => act.mutate({ pause: reason.trim() }, { onSuccess: () => setAsked(false) })}
      >
        <Text size="sm" mb="sm">
          It keeps its cursor: when it is resumed it goes on where it stopped.
        </Text>
        <Textarea label="Reason" description="Shown to everybody until it is resumed." value={reason} onChange={(event) => setReason(event.currentTarget.value)} maxLength={500} autosize minRows={2} data-autofocus />
      </Confirm>
    </Group>
  );
}

/** The facts of a poller that people ask for. */
export function pollerFacts(poller: Poller): Fact[] {
  const isAtWork = poller.enabled && !poller.paused;
  return [
    ["Next poll", isAtWork ? <When key="next" at={poller.nextDue} /> : "none while it rests"],
    ["Polls", `every ${duration(poller.intervalSeconds)}`],
    ["Complete to", <When key="complete" at={poller.completeTo} none="no pass is complete yet" />],
    ["Cursor", <Cursor key="cursor" poller={poller} />],
    [
      "Late records",
      poller.lateness.count > 0 ? `${poller.lateness.count}, the latest by ${duration(poller.lateness.worstSeconds)}` : undefined,
    ],
    ["A pollDelay that covers them", poller.suggestedPollDelay ? `${poller.suggestedPollDelay} s` : undefined],
    ["Last sweep", poller.sweeps > 0 ? <When key="swept" at={poller.sweptAt} /> : undefined],
    ["Pass", poller.passOpen ? <Badge key="pass" variant="light" color="blue" tt="none" style={{ color: "var(--mark-info)" }}>goes on in the next run</Badge> : undefined],
  ];
}

/** Where a poller stands. */
export function Cursor(props: { poller: Pick<Poller, "watermark" | "watermarkDate"> }) {
  const { watermark, watermarkDate } = props.poller;
  if (watermark === null || watermark === undefined) return <Text span c="dimmed">none yet</Text>;
  return watermarkDate ? <When at={watermarkDate} exact /> : <span className="mono">{watermark}</span>;
}

/** Milliseconds until a poller should be asked for again: soon after it was due, since no stream tells of polls without events. */
export function untilDue(pollers: readonly Poller[] | undefined): number {
  const due = (pollers ?? []).filter((poller) => poller.enabled && !poller.paused).map((poller) => Date.parse(poller.nextDue));
  if (due.length === 0) return 60_000;
  return Math.min(60_000, Math.max(4_000, Math.min(...due) - Date.now() + 1_500));
}

/** The pollers of a list whose state is not plainly good. */
export function troubled(entries: readonly PollerEntry[]): PollerEntry[] {
  return entries.filter((poller) => pollerWord(poller) === "failing" || poller.status.needsAttention || poller.brake?.released === false);
}
