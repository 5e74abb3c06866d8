// The cursor of a poller: where it is, where it was, and moving it with a look at what that would send and cost.
import { Alert, Button, Group, NumberInput, Paper, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { type CursorTarget, cursors, type FormerPollerCursor, moveCursor, previewRewind, type RewindPreview, rewind } from "../../api/watching";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { Facts } from "../../parts/Facts";
import { Loaded, Refusal } from "../../parts/Loaded";
import { type Column, Rows } from "../../parts/Rows";
import { done } from "../../parts/said";
import { When } from "../../parts/When";
import { Rehearsed } from "./Explain";
import { Cursor, type Poller } from "./parts";

/** The tab. */
export function CursorPanel(props: { poller: Poller }) {
  const { poller } = props;
  const { instanceId: id, resource } = poller;
  const counts = poller.watermark !== null && poller.watermark !== undefined && !poller.watermarkDate;
  const client = useQueryClient();
  const mayAct = useMay("member");
  const [target, setTarget] = useState<CursorTarget>();
  const [isAsked, setAsked] = useState<"rewind" | "move">();
  const history = useQuery({ queryKey: ["cursors", id, resource], queryFn: () => cursors(id, resource) });
  const preview = useMutation({ mutationFn: (body: CursorTarget) => previewRewind(id, resource, body) });
  const act = useMutation({
    mutationFn: (how: "rewind" | "move") => (target === undefined ? Promise.resolve() : how === "rewind" ? rewind(id, resource, target) : moveCursor(id, resource, target)),
    onSuccess: (_, how) => {
      done(how === "rewind" ? `${resource} is rewound and polled now.` : `The cursor of ${resource} is moved.`);
      setAsked(undefined);
      preview.reset();
      for (const key of ["pollers", "cursors", "runs"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const columns: Column<FormerPollerCursor>[] = [
    { head: "Cursor", cell: (one) => <Cursor poller={one} /> },
    { head: "Replaced", cell: (one) => <When at={one.replacedAt} /> },
    {
      head: "Actions",
      quiet: true,
      cell: (one) => (
        <Button
          size="xs"
          variant="default"
          disabled={!mayAct}
          loading={preview.isPending && target !== undefined && "to" in target && target.to === one.id}
          onClick={() => {
            setTarget({ to: one.id });
            preview.mutate({ to: one.id });
          }}
        >
          Look at going back here
        </Button>
      ),
    },
  ];
  return (
    <Stack>
      <Paper withBorder p="md">
        <Stack gap="sm">
          <Title order={2}>Where it is</Title>
          <Facts
            facts={[
              [counts ? "Cursor, a number" : "Cursor", <Cursor key="cursor" poller={poller} />],
              ["Complete to", <When key="complete" at={poller.completeTo} exact none="no pass is complete yet" />],
            ]}
          />
          <Target
            counts={counts}
            disabled={!mayAct}
            busy={preview.isPending}
            onLook={(body) => {
              setTarget(body);
              preview.mutate(body);
            }}
          />
          {preview.error ? <Refusal error={preview.error} title="It cannot be rewound so" /> : null}
        </Stack>
      </Paper>
      {preview.data ? (
        <Preview
          preview={preview.data}
          onRewind={() => setAsked("rewind")}
          onMove={() => setAsked("move")}
          onLeave={() => preview.reset()}
        />
      ) : null}
      <Paper withBorder p="md">
        <Title order={2} mb="sm">
          Where it was before somebody moved it
        </Title>
        <Loaded query={history}>
          {(list) => (list.length === 0 ? <Text c="dimmed">Nobody has moved it yet.</Text> : <Rows label="Earlier cursors" columns={columns} rows={list} keyOf={(one) => one.id} />)}
        </Loaded>
      </Paper>
      <Confirm
        opened={isAsked !== undefined}
        title={isAsked === "rewind" ? `Rewind ${resource} and poll now?` : `Move the cursor of ${resource}?`}
        act={isAsked === "rewind" ? "Rewind and poll" : "Move the cursor"}
        busy={act.isPending}
        error={act.error}
        onClose={() => {
          act.reset();
          setAsked(undefined);
        }}
        onAct={() => isAsked && act.mutate(isAsked)}
      >
        {isAsked === "rewind"
          ? "It reads again from there. Versions that were reported before are not reported twice; to send again what was sent, redeliver it."
          : "Nothing is read now. The next poll asks from the new place; what lies between is not read if the cursor moves on."}
      </Confirm>
    </Stack>
  );
}

function Target(props: { counts: boolean; disabled: boolean; busy: boolean; onLook: (target: CursorTarget) => void }) {
  const [how, setHow] = useState("1");
  const [date, setDate] = useState("");
  const [number, setNumber] = useState<string | number>("");
  const [fault, setFault] = useState<string>();
  const look = () => {
    if (props.counts) {
      if (number === "") return setFault("Write the number to read from.");
      setFault(undefined);
      return props.onLook({ watermark: Number(number) });
    }
    if (how !== "date") {
      setFault(undefined);
      return props.onLook({ date: new Date(Date.now() - Number(how) * 3_600_000).toISOString() });
    }
    const at = new Date(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(date.trim()) ? `${date.trim().replace(" ", "T")}Z` : date.trim());
    if (date.trim() === "" || Number.isNaN(at.getTime())) return setFault("Write an instant like 2026-01-31T08:00:00Z.");
    setFault(undefined);
    props.onLook({ date: at.toISOString() });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        look();
      }}
    >
      <Group align="flex-end" gap="sm">
        {props.counts ? (
          <NumberInput label="Rewind to the number" value={number} onChange={setNumber} error={fault} allowDecimal={false} />
        ) : (
          <>
            <Select
              label="Rewind by"
              allowDeselect={false}
              value={how}
              onChange={(value) => setHow(value ?? "1")}
              data={[
                { value: "1", label: "an hour" },
                { value: "24", label: "a day" },
                { value: "168", label: "a week" },
                { value: "date", label: "to an instant…" },
              ]}
            />
            {how === "date" ? <TextInput label="Instant" description="RFC 3339; UTC where no zone is written" placeholder="2026-01-31T08:00:00Z" value={date} onChange={(event) => setDate(event.currentTarget.value)} error={fault} /> : null}
          </>
        )}
        <Button type="submit" variant="default" disabled={props.disabled} title={props.disabled ? "needs a member" : undefined} loading={props.busy}>
          Look what that would do
        </Button>
      </Group>
    </form>
  );
}

function Preview(props: { preview: RewindPreview; onRewind: () => void; onMove: () => void; onLeave: () => void }) {
  const { preview } = props;
  const { created, updated, deleted } = preview.events;
  const total = created + updated + deleted;
  return (
    <Stack gap="sm">
      <Alert color="blue" title="Nothing has been done yet">
        <Stack gap="xs">
          <Text size="sm">
            A rewind to <Cursor poller={preview.to} /> would cost {preview.more ? "more than " : ""}
            {preview.pages} {preview.pages === 1 ? "request" : "requests"} to the provider, read {preview.more ? "more than " : ""}
            {preview.records} records, and send {total === 0 ? "nothing: all of it was reported" : `${preview.more ? "at least " : ""}${total} ${total === 1 ? "event" : "events"} (${created} created, ${updated} updated, ${deleted} deleted)`}.
          </Text>
          <Group gap="xs">
            <Button size="xs" onClick={props.onRewind}>
              Rewind and poll…
            </Button>
            <Button size="xs" variant="default" onClick={props.onMove}>
              Only move the cursor…
            </Button>
            <Button size="xs" variant="default" onClick={props.onLeave}>
              Leave it
            </Button>
          </Group>
        </Stack>
      </Alert>
      <Rehearsed explanation={preview.explanation} />
    </Stack>
  );
}
