// A connector from four lines; its setup goes on at the next step.
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";

import { api, BASE, told } from "../../api/client";
import { asFailure } from "../../api/failure";
import { Dialog } from "../../parts/Dialog";
import { Faults, UnmatchedFaults, useFault } from "../../parts/faults";
import { Refusal } from "../../parts/Loaded";

/** The dialog. What was typed is still there when it is opened again. */
export function NewConnector(props: { opened: boolean; onClose: () => void }) {
  const [typed, setTyped] = useState({ name: "", key: "", hub: "", url: "" });
  const [ownKey, setOwnKey] = useState(false);
  const client = useQueryClient();
  const [, go] = useLocation();
  const key = ownKey ? typed.key : keyOf(typed.name);
  const make = useMutation({
    mutationFn: () =>
      told<unknown>(
        api.POST(`${BASE}/elements`, {
          body: {
            key,
            name: typed.name.trim(),
            ...(typed.hub.trim() === "" ? {} : { hub: typed.hub.trim() }),
            authentication: { type: "none" },
            configuration: typed.url.trim() === "" ? [] : [{ key: "base.url", name: "Base URL", type: "TEXTFIELD_1000", defaultValue: typed.url.trim(), required: false }],
            parameters: [],
            hooks: [],
            resources: [],
          },
        }),
      ),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["connectors"] });
      go(`/connectors/${encodeURIComponent(key)}/info`);
    },
  });
  const failure = make.error ? asFailure(make.error) : undefined;
  const set = (name: keyof typeof typed) => (value: string) => setTyped({ ...typed, [name]: value });
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title="New connector" size="lg">
      <Faults faults={failure?.faults ?? NONE}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            make.mutate();
          }}
        >
          <Stack>
            {failure ? failure.faults.length > 0 ? <UnmatchedFaults /> : failure.code === "exists" ? null : <Refusal error={failure} /> : null}
            <Field label="Name" path="name" value={typed.name} onChange={set("name")} required />
            <Field
              label="Key"
              path="key"
              description="It stands in addresses and becomes elementKey of every event."
              value={key}
              onChange={(value) => {
                setOwnKey(true);
                set("key")(value);
              }}
              problem={failure?.code === "exists" ? failure.message : undefined}
              required
              mono
            />
            <Field label="Hub" path="hub" description="The kind of provider, such as crm or finance: /hubs/crm/contacts. It may stay empty." value={typed.hub} onChange={set("hub")} />
            <Field label="Base URL" path="configuration[0].defaultValue" description="Where the provider's API begins." placeholder="https://api.example.com/v1" value={typed.url} onChange={set("url")} mono />
            <Group justify="flex-end">
              <Button variant="default" onClick={props.onClose}>
                Not now
              </Button>
              <Button type="submit" loading={make.isPending} disabled={typed.name.trim() === "" || key === ""}>
                Create connector
              </Button>
            </Group>
          </Stack>
        </form>
      </Faults>
    </Dialog>
  );
}

const NONE: never[] = [];

function Field(props: { label: string; path: string; value: string; onChange: (value: string) => void; description?: string; placeholder?: string; problem?: string | undefined; required?: boolean; mono?: boolean }) {
  const fault = useFault(props.path);
  return (
    <TextInput
      label={props.label}
      description={props.description}
      placeholder={props.placeholder}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      error={fault ?? props.problem}
      required={props.required ?? false}
      styles={props.mono ? { input: { fontFamily: "var(--mono)" } } : {}}
    />
  );
}

/** The key that a name gets by itself. */
export function keyOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9._-]/g, "");
}
