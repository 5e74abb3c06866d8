// Sends again everything that a filter finds, or everything since a time.
import { Alert, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { findDeliveries, FOUND_MAX, redeliverWhere } from "../../api/watching";
import { asFailure, faultsAt } from "../../api/failure";
import { Dialog } from "../../parts/Dialog";
import { InstancePicker } from "../../parts/InstancePicker";
import { done } from "../../parts/said";
import { lookAgain } from "./again";
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

const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i;
const WRITE = "Write an instant with its zone, like 2026-01-31T08:00:00Z.";

/** The instant that somebody typed; nothing when it is none. */
function instantOf(typed: string): string | undefined {
  const text = typed.trim();
  const instant = new Date(text.replace(" ", "T"));
  return INSTANT.test(text) && !Number.isNaN(instant.getTime()) ? instant.toISOString() : undefined;
}

/** The dialog. What was chosen stays when it is refused. */
export function RedeliverMany(props: { opened: boolean; instance: number | undefined; onClose: () => void }) {
  const client = useQueryClient();
  const [status, setStatus] = useState("queued");
  const [instance, setInstance] = useState<number | undefined | null>(null);
  const [url, setUrl] = useState("");
  const [since, setSince] = useState("");
  const [at, setAt] = useState("");
  const [isTried, setTried] = useState(false);
  const [rested] = useDebouncedValue(url.trim(), 250);
  const chosen = instance === null ? props.instance : instance;
  const from = () => (since === "at" ? instantOf(at) : since === "" ? undefined : new Date(Date.now() - Number(since) * 3_600_000).toISOString());
  const isUnclear = since === "at" && instantOf(at) === undefined;
  const fault = isTried && isUnclear ? WRITE : undefined;
  const act = useMutation({
    mutationFn: () => redeliverWhere(clause({ status, instance: chosen, url: url.trim() || undefined }), from()),
    onSuccess: ({ released }) => {
      done(released === 0 ? "No delivery is like that; nothing was sent." : `${released} ${released === 1 ? "delivery is" : "deliveries are"} sent again.`);
      lookAgain(client);
      props.onClose();
    },
  });
  const send = () => {
    setTried(true);
    if (!isUnclear) act.mutate();
  };
  const where = clause({ status, instance: chosen, url: rested || undefined });
  const found = useQuery({ queryKey: ["deliveries", "to redeliver", where], queryFn: () => findDeliveries(where), enabled: props.opened, placeholderData: keepPreviousData });
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
          <Text size="sm" role="status" fw={600}>
            {found.data === undefined || isUnclear ? "" : howMany(found.data, from())}
          </Text>
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

/** How many are sent again, as far as a search can tell. */
function howMany(found: readonly { createdDate: string }[], from: string | undefined): string {
  const count = found.filter(({ createdDate }) => from === undefined || Date.parse(createdDate) >= Date.parse(from)).length;
  if (found.length >= FOUND_MAX) return `At least ${count} deliveries are like that, and there may be more.`;
  return count === 0 ? "No delivery is like that." : `${count} ${count === 1 ? "delivery is" : "deliveries are"} like that.`;
}
