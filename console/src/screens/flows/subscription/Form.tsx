// The form of a subscription, new or changed.
import { Alert, Button, Fieldset, Group, NativeSelect, SegmentedControl, Stack, Switch, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";

import { api, BASE, told } from "../../../api/client";
import { asFailure, Failure, faultsAt } from "../../../api/failure";
import type { components } from "../../../api/schema";
import { Refusal } from "../../../parts/Loaded";
import { Secret } from "../../../parts/Secret";
import { choicesOf, useInstances } from "../editor/instances";
import { OptionFields } from "../editor/OptionFields";
import { parseJson } from "../model/exact";
import { RUN_MODES } from "./words";

type Subscription = components["schemas"]["Subscription"];
type Body = components["schemas"]["SubscriptionBody"];
type Version = components["schemas"]["VersionWithDocument"];

interface Values {
  instance: string;
  name: string;
  version: string;
  kind: "interval" | "cron";
  interval: string;
  cron: string;
  zone: string;
  runMode: string;
  options: Record<string, string>;
  hasCallback: boolean;
  url: string;
  username: string;
  password: string;
  signatureKey: string;
  active: boolean;
  /** JSON: what the version begins with that cannot read the present cursor. */
  cursor: string;
}

function startOf(subscription: Subscription | undefined, version: Version, monitorName: string): Values {
  const schedule = subscription?.schedule;
  const callback = (subscription?.callback ?? {}) as Record<string, string | undefined>;
  return {
    instance: subscription === undefined ? "" : String(subscription.instanceId),
    name: subscription?.name ?? monitorName,
    version: String(version.version),
    kind: schedule !== undefined && "cron" in schedule ? "cron" : "interval",
    interval: schedule !== undefined && "interval" in schedule ? schedule.interval : "",
    cron: schedule !== undefined && "cron" in schedule ? schedule.cron : "",
    zone: schedule !== undefined && "cron" in schedule ? schedule.zone : (Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC"),
    runMode: subscription?.runMode ?? "eachRecord",
    options: { ...((subscription?.options ?? {}) as Record<string, string>) },
    hasCallback: subscription?.callback != null,
    url: callback["url"] ?? "",
    username: callback["username"] ?? "",
    password: callback["password"] ?? "",
    signatureKey: callback["signatureKey"] ?? "",
    active: subscription?.active ?? true,
    cursor: "null",
  };
}

/** The fields of a subscription; `subscription` is the one that is changed. */
export function SubscriptionForm(props: { monitor: number; monitorName: string; version: Version; versions: readonly number[]; subscription?: Subscription; onDone?: () => void }) {
  const { subscription, version } = props;
  const [values, setValues] = useState<Values>(() => startOf(subscription, version, props.monitorName));
  const [isTried, setTried] = useState(false);
  const [asksCursor, setAsksCursor] = useState(false);
  const [, go] = useLocation();
  const client = useQueryClient();
  const instances = useInstances(subscription === undefined);
  const chosen = Number(values.version);
  const document = useQuery({ queryKey: ["monitors", "version", props.monitor, chosen], enabled: chosen !== version.version, queryFn: () => told(api.GET(`${BASE}/monitors/{id}/versions/{version}`, { params: { path: { id: props.monitor, version: chosen } } })) });
  const used = (chosen === version.version ? version.document : (document.data?.document ?? version.document)) as { connector?: string; options?: RawOption[]; minimumInterval?: string | number };
  const options = (used.options ?? []).map(optionOf);
  const shortest = typeof used.minimumInterval === "number" ? `${used.minimumInterval}s` : (used.minimumInterval ?? "5m");
  const isMoved = subscription !== undefined && chosen !== subscription.version;
  const cursor = parsed(values.cursor);
  const put = (change: Partial<Values>) => setValues((before) => ({ ...before, ...change }));
  const save = useMutation({
    mutationFn: async (): Promise<Subscription> => {
      const body = bodyOf(values, subscription, { hasOptions: options.length > 0, shown: version.version, shortest, ...(asksCursor && isMoved && cursor !== undefined ? { cursor: cursor.value } : {}) });
      if (subscription !== undefined) return told(api.PATCH(`${BASE}/subscriptions/{id}`, { params: { path: { id: subscription.id } }, body }));
      return told(api.POST(`${BASE}/instances/{id}/subscriptions`, { params: { path: { id: Number(values.instance) } }, body: { ...body, monitorId: props.monitor, active: values.active } }));
    },
    onSuccess: (saved) => {
      client.setQueryData(["subscriptions", saved.id], saved);
      // Lists of it, and what hangs on it, such as its cursor.
      void client.invalidateQueries({ queryKey: ["subscriptions"], predicate: ({ queryKey }) => queryKey.length > 2 || queryKey[1] !== saved.id });
      if (subscription === undefined) go(`/subscriptions/${saved.id}`);
      else props.onDone?.();
    },
    onError: (error) => asFailure(error).code === "cursorType" && setAsksCursor(true),
  });
  const failure = save.error === null ? undefined : asFailure(save.error);
  const faults = failure?.faults ?? [];
  const at = (path: string) => faultsAt(faults, path, true);
  const known = ["name", "version", "options", "runMode", "schedule", "callback", "instanceId", "intervalMinutes", "cursor"];
  const cursorFault = cursor === undefined ? "This is no JSON; a text stands in quotes." : failure?.code === "cursorType" ? failure.message : at("cursor");
  const isBeside = (faults.length > 0 || failure?.code === "cursorType") && faults.every(({ path }) => known.some((key) => path.startsWith(key)));
  const others = faults.filter(({ path }) => !known.some((key) => path.startsWith(key)));
  const refusal = failure === undefined ? undefined : isBeside ? new Failure(failure.status, { message: "What is wrong stands beside its field." }) : new Failure(failure.status, { message: failure.message, faults: others });
  const instanceFault = isTried && subscription === undefined && values.instance === "" ? "Choose an instance." : at("instanceId");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if ((subscription === undefined && values.instance === "") || (asksCursor && isMoved && cursor === undefined)) return;
    save.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack maw={640}>
        {refusal ? <Refusal error={refusal} title="It is not saved; what you typed is kept" /> : null}
        {subscription === undefined ? <NativeSelect label="Instance" withAsterisk description="Its connection is used, and its events go where the instance's go." error={instanceFault} value={values.instance} onChange={(event) => put({ instance: event.currentTarget.value })} data={[{ value: "", label: instances.isPending ? "loading…" : "choose an instance" }, ...choicesOf(instances.data, used.connector)]} /> : null}
        <TextInput label="Name" value={values.name} error={at("name")} onChange={(event) => put({ name: event.currentTarget.value })} />
        <NativeSelect label="Version" description={subscription === undefined ? undefined : "Moving keeps the cursor. It is refused when the type of the cursor changed."} error={at("version")} value={values.version} onChange={(event) => put({ version: event.currentTarget.value })} data={props.versions.map((number) => ({ value: String(number), label: `Version ${number}` }))} />
        {asksCursor && isMoved ? <Textarea label="Cursor of the other version" description="JSON of the type that it saves; null begins anew." autosize minRows={2} styles={{ input: { fontFamily: "var(--mono)", fontSize: 13 } }} value={values.cursor} error={cursorFault} onChange={(event) => put({ cursor: event.currentTarget.value })} /> : null}
        <Fieldset legend="Schedule">
          <Stack gap="xs">
            <SegmentedControl aria-label="Kind of schedule" value={values.kind} onChange={(kind) => put({ kind: kind as Values["kind"] })} data={[{ value: "interval", label: "At an interval" }, { value: "cron", label: "By a cron pattern" }]} />
            {values.kind === "interval" ? (
              <TextInput label="Interval" description={`Such as 5m or 1h. Empty: the shortest that the monitor allows (${shortest}).`} placeholder={shortest} value={values.interval} error={at("schedule") ?? at("intervalMinutes")} onChange={(event) => put({ interval: event.currentTarget.value })} />
            ) : (
              <Group grow align="flex-start">
                <TextInput label="Cron pattern" description="Minute, hour, day, month, weekday" placeholder="0 6 * * MON-FRI" value={values.cron} error={faultsAt(faults, "schedule") ?? at("schedule.cron")} onChange={(event) => put({ cron: event.currentTarget.value })} />
                <TextInput label="Time zone" description="Whose hours are meant" placeholder="Europe/Berlin" value={values.zone} error={at("schedule.zone")} onChange={(event) => put({ zone: event.currentTarget.value })} />
              </Group>
            )}
          </Stack>
        </Fieldset>
        <NativeSelect label="Run mode" error={at("runMode")} value={values.runMode} onChange={(event) => put({ runMode: event.currentTarget.value })} data={[...RUN_MODES]} />
        {options.length > 0 ? (
          <Fieldset legend="Options">
            <OptionFields options={options} values={values.options} faults={(label) => faultsAt(faults, `options.${label}`, true) ?? (options[0]?.label === label ? faultsAt(faults, "options") : undefined)} onChange={(options) => put({ options })} />
          </Fieldset>
        ) : null}
        <Fieldset legend="Callback">
          <Stack gap="xs">
            <Switch label="A callback of its own" description="Off: its events go where the instance's go." checked={values.hasCallback} onChange={(event) => put({ hasCallback: event.currentTarget.checked })} />
            {values.hasCallback ? (
              <>
                <TextInput label="Callback URL" type="url" placeholder="https://app.example.com/users" value={values.url} error={faultsAt(faults, "callback.url") ?? faultsAt(faults, "callback")} onChange={(event) => put({ url: event.currentTarget.value })} />
                <Secret label="Signature key" description="Signs what is sent; left empty, it is not signed with one of its own." autoComplete="off" value={values.signatureKey} error={faultsAt(faults, "callback.signatureKey")} onChange={(event) => put({ signatureKey: event.currentTarget.value })} />
                <Group grow align="flex-start">
                  <TextInput label="User name" autoComplete="off" value={values.username} error={faultsAt(faults, "callback.username")} onChange={(event) => put({ username: event.currentTarget.value })} />
                  <Secret label="Password" autoComplete="new-password" value={values.password} error={faultsAt(faults, "callback.password")} onChange={(event) => put({ password: event.currentTarget.value })} />
                </Group>
              </>
            ) : null}
          </Stack>
        </Fieldset>
        {subscription === undefined ? <Switch label="Active" description={values.kind === "cron" ? "On: it runs when the pattern says so. Off: it waits until somebody switches it on." : "On: it runs at once, and then at its interval. Off: it waits until somebody switches it on."} checked={values.active} onChange={(event) => put({ active: event.currentTarget.checked })} /> : null}
        {document.error ? <Alert color="red">{document.error.message}</Alert> : null}
        <Group>
          <Button type="submit" loading={save.isPending}>
            {subscription === undefined ? "Subscribe" : "Save"}
          </Button>
          {props.onDone ? (
            <Button variant="default" onClick={props.onDone}>
              Cancel
            </Button>
          ) : null}
        </Group>
      </Stack>
    </form>
  );
}

type RawOption = { label: string; required?: boolean; values?: (string | { display?: string; value: string })[] | { flow: string } };

function optionOf(option: RawOption): components["schemas"]["OptionBody"] {
  const { label, values } = option;
  const required = option.required !== false;
  if (Array.isArray(values)) return { label, required, values: values.map((value) => (typeof value === "string" ? { display: value, value } : { display: value.display ?? value.value, value: value.value })) };
  return { label, required, ...(values === undefined ? {} : { flow: values.flow }) };
}

interface About {
  hasOptions: boolean;
  /** The version that the form began with. */
  shown: number;
  /** The shortest interval of the chosen version. */
  shortest: string;
  cursor?: unknown;
}

function bodyOf(values: Values, before: Subscription | undefined, about: About): Body {
  const interval = values.interval.trim() || (before === undefined ? "" : about.shortest);
  const schedule = values.kind === "cron" ? { cron: values.cron, zone: values.zone } : interval === "" ? undefined : { interval };
  const callback: Record<string, unknown> = { ...((before?.callback ?? {}) as object), url: values.url };
  for (const key of ["username", "password", "signatureKey"] as const) {
    if (values[key] === "") delete callback[key];
    else callback[key] = values[key];
  }
  const body: Record<string, unknown> = { name: values.name, runMode: values.runMode };
  if (schedule !== undefined) body["schedule"] = schedule;
  if (about.hasOptions) body["options"] = values.options;
  if (before === undefined || Number(values.version) !== before.version || about.shown !== before.version) body["version"] = Number(values.version);
  if ("cursor" in about) body["cursor"] = about.cursor;
  if (values.hasCallback) body["callback"] = callback;
  else if (before?.callback != null) body["callback"] = null;
  return body as Body;
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: text.trim() === "" ? null : parseJson(text) };
  } catch {
    return undefined;
  }
}
