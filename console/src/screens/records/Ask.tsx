// Ask about a record: an id in; out comes one sentence, and every poll that could have seen it.
import { Button, Group, Paper, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, BASE, told } from "../../api/client";
import { pollers, record } from "../../api/watching";
import { useAddress } from "../../parts/address";
import { InstancePicker } from "../../parts/InstancePicker";
import { Loaded, Refusal } from "../../parts/Loaded";
import { Nothing } from "../../parts/Nothing";
import { Screen } from "../../parts/Screen";
import { Answer } from "./Answer";

/** Up to so many pollers are offered in one list; beyond that an instance is chosen first. */
const LISTED = 60;

/** The screen. */
export default function Ask() {
  const [address, change] = useAddress();
  const id = address.get("id") ?? "";
  const poller = address.get("poller") ? Number(address.get("poller")) : undefined;
  const wanted = { instance: address.get("instance") ? Number(address.get("instance")) : undefined, resource: address.get("resource") ?? undefined };
  const [typed, setTyped] = useState(id);
  const [fault, setFault] = useState<{ id?: string; where?: string }>({});
  useEffect(() => setTyped(id), [id]);

  const all = useQuery({ queryKey: ["pollers", "to ask"], queryFn: () => pollers({ pageSize: LISTED }), staleTime: 60_000 });
  const isMany = all.data?.next !== undefined;
  const own = useQuery({
    queryKey: ["pollers", "of", wanted.instance],
    queryFn: () => told(api.GET(`${BASE}/instances/{id}/pollers`, { params: { path: { id: wanted.instance ?? 0 } } })),
    enabled: wanted.instance !== undefined && (isMany || all.isError),
  });
  const options = isMany || all.isError ? (own.data ?? []).map((one) => ({ ...one, label: one.resource })) : (all.data?.entries ?? []).map((one) => ({ ...one, label: `${one.instanceName} · ${one.resource}` }));
  // A link may name the instance and the resource; the one poller that there is needs no choice.
  const meant =
    options.find((one) => one.id === poller) ??
    options.find((one) => poller === undefined && one.instanceId === wanted.instance && one.resource === wanted.resource) ??
    (poller === undefined && options.length === 1 && !isMany ? options[0] : undefined);
  const chosen = meant?.id ?? poller;

  const answer = useQuery({ queryKey: ["record", chosen, id], queryFn: () => record(chosen ?? 0, id), enabled: chosen !== undefined && id !== "" });
  const ask = () => {
    const next = { ...(typed.trim() === "" ? { id: "Write the record's id, as the provider writes it." } : {}), ...(chosen === undefined ? { where: "Choose where the record is polled." } : {}) };
    setFault(next);
    if (next.id !== undefined || next.where !== undefined) return;
    if (typed === id) void answer.refetch();
    else change({ id: typed, poller: String(chosen) });
  };

  return (
    <Screen title="Ask about a record" about="Why did it fire, or why did it not? Every poll that could have seen the record answers.">
      <Paper withBorder p="md">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            ask();
          }}
        >
          <Group gap="sm" align="flex-start">
            {isMany || all.isError ? <InstancePicker placeholder="Search by name" value={wanted.instance} onChange={(instance) => change({ instance: instance === undefined ? undefined : String(instance), poller: undefined, resource: undefined })} /> : null}
            <Select
              label="Polled as"
              placeholder={all.isPending ? "Loading" : isMany && wanted.instance === undefined ? "Choose an instance first" : "Choose"}
              searchable
              data={options.map((one) => ({ value: String(one.id), label: one.label }))}
              value={chosen === undefined ? null : String(chosen)}
              onChange={(value) => {
                setFault({});
                change({ poller: value ?? undefined, resource: undefined });
              }}
              error={fault.where}
              style={{ flex: "1 1 14rem", maxWidth: 340 }}
            />
            <TextInput label="Record id" placeholder="As the provider writes it" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} error={fault.id} style={{ flex: "1 1 14rem", maxWidth: 340 }} />
            <Button type="submit" mt={24} loading={answer.isFetching}>
              Ask
            </Button>
          </Group>
        </form>
      </Paper>
      {all.error ? <Refusal error={all.error} title="The pollers are not told" again={() => void all.refetch()} /> : null}
      {chosen !== undefined && id !== "" ? (
        <Loaded query={answer} rows={6}>
          {(data) => <Answer answer={data} />}
        </Loaded>
      ) : (
        <Nothing title="Every poll remembers what it decided" text="Write the id of a record, and where it is polled. The answer begins with one sentence, and goes on with the polls, events and notifications that it rests on." />
      )}
    </Screen>
  );
}
