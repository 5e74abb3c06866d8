// Sends again everything that a filter finds, or everything since a time.
import { Alert, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { redeliverWhere } from "../../api/watching";
import { asFailure, faultsAt } from "../../api/failure";
import { Dialog } from "../../parts/Dialog";
import { InstancePicker } from "../../parts/InstancePicker";
import { done } from "../../parts/said";
import { clause } from "./clause";

const STATES = [
  { value: "queued", label: "What waits for somebody, dead letters included" },
  { value: "dead", label: "Dead letters only" },
  { value: "retry", label: "What is being retried: at once" },
];
const SINCE = [
  { value: "", label: "All of them" },
  { value: "1", label: "Formed in the last hour" },
  { value: "24", label: "Formed in the last day" },
  { value: "168", label: "Formed in the last week" },
  { value: "at", label: "Formed since an instant…" },
];

/** The dialog. What was chosen stays when it is refused. */
export function RedeliverMany(props: { opened: boolean; instance: number | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [status, setStatus] = useState("queued");
  const [instance, setInstance] = useState<number | undefined | null>(null);
  const [url, setUrl] = useState("");
  const [since, setSince] = useState("");
  const [at, setAt] = useState("");
  const [fault, setFault] = useState<string>();
  const chosen = instance === null ? props.instance : instance;
  const act = useMutation({
    mutationFn: (instant: string | undefined) => redeliverWhere(clause({ status, instance: chosen, url: url.trim() || undefined }), instant),
    onSuccess: ({ released }) => {
      done(released === 0 ? "No delivery is like that; nothing was sent." : `${released} ${released === 1 ? "delivery is" : "deliveries are"} sent again.`);
      for (const key of ["deliveries", "delivery", "endpoints", "overview"]) void client.invalidateQueries({ queryKey: [key] });
      props.onClose();
    },
  });
  const send = () => {
    if (since === "") return act.mutate(undefined);
    if (since !== "at") return act.mutate(new Date(Date.now() - Number(since) * 3_600_000).toISOString());
    const instant = new Date(at.trim());
    if (at.trim() === "" || Number.isNaN(instant.getTime())) return setFault("Write an instant like 2026-01-31T08:00:00Z.");
    setFault(undefined);
    act.mutate(instant.toISOString());
  };
  const failure = act.error ? asFailure(act.error) : undefined;
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title="Redeliver many">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <Stack>
          <Text size="sm">Each is sent again with its own id and bytes, so that a receiver that has it already can tell. Its tries are counted from zero, and an endpoint that was deactivated is switched on.</Text>
          {failure ? (
            <Alert color="red" role="alert">
              {failure.message}
            </Alert>
          ) : null}
          <Select label="Which" data={STATES} value={status} allowDeselect={false} onChange={(value) => setStatus(value ?? "queued")} />
          <InstancePicker value={chosen} onChange={setInstance} />
          <TextInput label="Callback URL" placeholder="All" value={url} onChange={(event) => setUrl(event.currentTarget.value)} error={failure ? faultsAt(failure.faults, "where", true) : undefined} />
          <Select label="Since" data={SINCE} value={since} allowDeselect={false} onChange={(value) => setSince(value ?? "")} />
          {since === "at" ? <TextInput label="Instant" description="RFC 3339" placeholder="2026-01-31T08:00:00Z" value={at} onChange={(event) => setAt(event.currentTarget.value)} error={fault ?? (failure ? faultsAt(failure.faults, "since") : undefined)} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              Leave it
            </Button>
            <Button type="submit" loading={act.isPending}>
              Redeliver
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
