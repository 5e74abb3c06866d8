// The form of an instance: who it is, how it signs in, what is polled, where its events go.
import { Alert, Button, Collapse, Fieldset, Group, Paper, SimpleGrid, Stack, Switch, TagsInput, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";

import { api, BASE, told } from "../../api/client";
import { asFailure, type Fault } from "../../api/failure";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { Faults, UnmatchedFaults, useFault, useFaultsWhere, useHasFault } from "../../parts/faults";
import { Refusal } from "../../parts/Loaded";
import { Interval } from "../../parts/polling/Interval";
import { asMembers } from "../../parts/polling/Resources";
import { Screen } from "../../parts/Screen";
import { forgetUnread, UnreadScope, unreadSentence, useUnreadOf } from "../../parts/unread";
import { type Doc, polledOf as defaultsOf, valueOf } from "../connectors/document";
import { changeOf, type Form, type InstanceDoc, KEY, keepForm, keyPaths, polledOf, useForm, whole } from "./form/document";
import { HeaderRows, KeyField, WebhookSecret } from "./form/fields";
import { FirstPoll, startOf } from "./form/FirstPoll";
import { PlanDialog } from "./form/PlanDialog";
import { ResourcesPart } from "./form/ResourcesPart";
import { lacking, OwnApi, SignIn } from "./form/SignIn";
import { keepToken } from "./token";

interface Props {
  id: string;
  connector: Doc | undefined;
  stored: components["schemas"]["Instance"] | undefined;
  initial: InstanceDoc;
}

type Plan = components["schemas"]["Plan"];

/** The form. */
export function InstanceForm(props: Props) {
  const { connector, stored } = props;
  const form = useForm(props.id, props.initial);
  const client = useQueryClient();
  const [, go] = useLocation();
  const [plan, setPlan] = useState<Plan>();
  // Fields hold what they cannot give away yet, such as a header without a name: they begin anew with the form.
  const [round, setRound] = useState(0);
  const mayMake = useMay("member");
  const unread = useUnreadOf(props.id);
  const [isHeld, setHeld] = useState(false);
  const [isTried, setTried] = useState(false);
  const change = () => changeOf(props.initial, form.doc);
  const save = useMutation({
    mutationFn: async (only: "plan" | "save") => {
      const query = only === "plan" ? { plan: true } : {};
      if (stored === undefined) return await told(api.POST(`${BASE}/instances`, { params: { query }, body: whole(form.doc) }));
      return await told(api.PATCH(`${BASE}/instances/{id}`, { params: { path: { id: stored.id }, query }, body: change() }));
    },
    onSuccess: (answer, only) => {
      if (only === "plan") {
        if (stored !== undefined) setPlan(answer as Plan);
        return;
      }
      const instance = answer as components["schemas"]["Instance"];
      void client.invalidateQueries();
      if (instance.token) keepToken(instance.id, instance.token);
      go(stored === undefined ? `/instances/new?made=${instance.id}` : `/instances/${instance.id}`);
      keepForm(props.id, undefined);
      forgetUnread(props.id);
    },
    onError: () => setPlan(undefined),
  });
  const lacks = connector === undefined || stored !== undefined ? NONE : lacking(connector, form);
  const start = () => {
    setHeld(unread.length > 0);
    setTried(true);
    // What is lacking is shown together with what else the API would say.
    if (unread.length === 0) save.mutate(stored === undefined && lacks.length === 0 ? "save" : "plan");
  };
  const failure = save.error ? asFailure(save.error) : undefined;
  const lacksNow = isTried ? lacks.map(({ path }) => path).join() : "";
  const faults = useMemo(() => [...(lacksNow === "" ? NONE : lacks), ...(failure?.faults ?? NONE)], [lacksNow, save.error]);
  const title = stored !== undefined ? `Change ${stored.name}` : connector === undefined ? "Poll an API by its address" : `New instance of ${connector.name}`;
  return (
    <Screen title={title} crumbs={[{ label: "Instances", to: "/instances" }]} about={stored === undefined ? "An instance is one connected account: what is polled, how often, and where the events go." : "Before anything is saved you see what becomes of each cursor."}>
      <UnreadScope value={props.id}>
      <Faults faults={faults} attempt={save.isPending ? undefined : save.submittedAt}>
        <Stack key={round} gap="lg" maw={1180}>
          {isHeld && unread.length > 0 ? <Alert color="red" role="alert">{unreadSentence(unread)}</Alert> : null}
          {mayMake ? null : <Alert color="gray">Instances are made and changed by members.</Alert>}
          {failure ? failure.faults.length > 0 ? <UnmatchedFaults /> : <Refusal error={failure} title={stored === undefined ? "The instance was not created" : "Nothing was changed"} /> : null}
          <Fieldset legend="The account">
            <Stack maw={760}>
              <NameField form={form} connector={connector} />
              {connector === undefined ? <OwnApi form={form} isNew={stored === undefined} /> : <SignIn form={form} connector={connector} />}
            </Stack>
          </Fieldset>
          <Optional form={form} />
          <Events form={form} connector={connector} stored={stored} />
          <Tags form={form} />
          <Paper withBorder p="sm" pos="sticky" bottom={8} style={{ zIndex: 5 }}>
            <Group justify="space-between">
              <Text size="sm" c="dimmed" role="status" visibleFrom="sm">
                {stored === undefined ? "Nothing is stored until the account is connected." : form.isChanged ? "There are changes that are not saved." : "Everything is saved."}
              </Text>
              <Group gap="xs">
                {form.isChanged || unread.length > 0 ? (
                  <Button variant="default" onClick={() => { save.reset(); setTried(false); keepForm(props.id, undefined); forgetUnread(props.id); setRound(round + 1); }}>
                    {stored === undefined ? "Start again" : "Discard changes"}
                  </Button>
                ) : null}
                {stored === undefined ? null : (
                  <Button component={Link} href={`/instances/${stored.id}`} variant="default">
                    To the instance
                  </Button>
                )}
                <Button disabled={!mayMake || (stored !== undefined && !form.isChanged && unread.length === 0)} loading={save.isPending} onClick={start}>
                  {stored === undefined ? "Create Instance" : "See what it does"}
                </Button>
              </Group>
            </Group>
          </Paper>
        </Stack>
        <PlanDialog plan={plan} onClose={() => setPlan(undefined)} onGo={() => save.mutate("save")} isGoing={save.isPending} />
      </Faults>
      </UnreadScope>
    </Screen>
  );
}

const NONE: readonly Fault[] = [];

function NameField(props: { form: Form; connector: Doc | undefined }) {
  const { form } = props;
  return <TextInput label="Name" description="What people call this account." value={form.doc.name ?? ""} placeholder={props.connector?.name} required={props.connector === undefined} error={useFault("name")} onChange={(event) => { const name = event.currentTarget.value; form.edit((doc) => ({ ...doc, name })); }} />;
}

const OPTIONAL = [KEY.signature, KEY.headers, KEY.user, KEY.password];

function Optional({ form }: { form: Form }) {
  const [isOpen, setOpen] = useState(false);
  const hasFault = useHasFault(...OPTIONAL.flatMap(keyPaths), "description");
  const isShown = isOpen || hasFault;
  return (
    <div>
      <Button variant="default" size="sm" onClick={() => setOpen(!isShown)} aria-expanded={isShown} aria-controls="optional-fields">
        {isShown ? "Hide Optional Fields" : "Show Optional Fields"}
      </Button>
      <Collapse expanded={isShown} id="optional-fields">
        <Stack maw={760} mt="md">
          <KeyField form={form} entry={KEY.signature} label="Callback Notification Signature Key" kind="secret" description="Signs every notification, so that your callback can tell them from others." />
          <HeaderRows form={form} entry={KEY.headers} label="Callback headers" description="Sent with every notification." />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <KeyField form={form} entry={KEY.user} label="Callback user name" />
            <KeyField form={form} entry={KEY.password} label="Callback password" kind="secret" />
          </SimpleGrid>
          <TextInput label="Description" value={form.doc.description ?? ""} error={useFault("description")} onChange={(event) => { const description = event.currentTarget.value; form.edit((doc) => ({ ...doc, description })); }} />
        </Stack>
      </Collapse>
    </div>
  );
}

function Events(props: { form: Form; connector: Doc | undefined; stored: Props["stored"] }) {
  const { form, connector } = props;
  const mayPoll = useMay("admin");
  const said = form.text(KEY.enabled) || (connector === undefined ? "" : valueOf(connector, KEY.enabled));
  const isOn = said === "true";
  const defaults = connector === undefined ? {} : defaultsOf(connector);
  const kind = form.text("event.vendor.type") || (connector === undefined ? "" : valueOf(connector, "event.vendor.type"));
  const isVerified = (form.text("event.webhook.verification") || (connector === undefined ? "" : valueOf(connector, "event.webhook.verification"))).trim() !== "";
  const polls = !(/webhook/i.test(kind) && !/polling|both/i.test(kind));
  const polled = polledOf(form.doc);
  const start = startOf(polled);
  const enabledFault = useFault(...keyPaths(KEY.enabled));
  const setStart = (from: string | undefined) => {
    const next = Object.entries(polled).map(([name, settings]) => {
      const own = asMembers(settings);
      const whole = Object.keys(own).length === 0 ? asMembers(defaults[name]) : own;
      const { startFrom: _before, ...rest } = whole;
      if (from !== undefined) return [name, { ...rest, startFrom: from }];
      return [name, Object.keys(own).length === 0 || JSON.stringify(rest) === JSON.stringify(defaults[name]) ? {} : rest];
    });
    form.set(KEY.polled, Object.fromEntries(next));
  };
  return (
    <Fieldset legend="Events">
      <Stack gap="lg">
        <Switch label="Events Enabled" checked={isOn} error={enabledFault} onChange={(event) => form.set(KEY.enabled, event.currentTarget.checked)} size="md" />
        {isOn ? (
          <>
            <div style={{ maxWidth: 760 }}>
              <KeyField form={form} entry={KEY.callback} label="Event Notification Callback URL" placeholder="https://app.example.com/events" description="Where events are sent. Without one they are recorded, and can be read from the API." />
            </div>
            {/webhook|both/i.test(kind) && isVerified ? (
              <div style={{ maxWidth: 760 }}>
                <WebhookSecret form={form} />
              </div>
            ) : null}
            {polls ? (
              <>
                <div style={{ maxWidth: 720 }}>
                  <IntervalField form={form} connector={connector} />
                </div>
                <Stack gap="xs">
                  <Text fw={600}>Resources to poll</Text>
                  <PolledFault />
                  <ResourcesPart form={form} defaults={defaults} base={form.text(KEY.base) || (connector === undefined ? "" : valueOf(connector, KEY.base))} startFrom={start === "differs" ? undefined : start} instance={props.stored?.id} isOwn={connector === undefined} />
                </Stack>
                {props.stored === undefined ? <FirstPoll value={start} onChange={setStart} disabled={Object.keys(polled).length === 0 ? "Select or add a resource first." : mayPoll ? undefined : "How resources are polled is changed by admins; yours begin now."} /> : null}
              </>
            ) : (
              <Text size="sm" c="dimmed">
                This connector has webhooks only. The instance gets an address to give to the provider.
              </Text>
            )}
          </>
        ) : (
          <Text size="sm" c="dimmed">
            Off: nothing is polled and nothing is told. Its resources can be called all the same.
          </Text>
        )}
      </Stack>
    </Fieldset>
  );
}

/** What is wrong with the resources as a whole. Taken as shown only while it is. */
function PolledFault() {
  const fault = useFault(...keyPaths(KEY.polled));
  return fault === undefined ? null : (
    <Alert color="red" role="alert">
      {fault}
    </Alert>
  );
}

function IntervalField({ form, connector }: { form: Form; connector: Doc | undefined }) {
  const initial = Number((connector === undefined ? "" : valueOf(connector, KEY.interval)) || 15);
  return <Interval label="Event poller refresh interval (mins)" value={form.text(KEY.interval)} onChange={(value) => form.set(KEY.interval, value)} error={useFault(...keyPaths(KEY.interval))} initial={initial} />;
}

function Tags({ form }: { form: Form }) {
  const tags = useQuery({ queryKey: ["tags"], queryFn: () => told(api.GET(`${BASE}/tags`)), staleTime: 60_000 });
  const error = useFaultsWhere(({ path }) => path.startsWith("tags"), "tags");
  return (
    <div style={{ maxWidth: 760 }}>
      <TagsInput label="Element Instance Tags" description="Words to find it by. Select one, or type it and press Enter." data={(tags.data ?? []).map(({ tag }) => tag)} value={form.doc.tags ?? []} error={error} onChange={(next) => form.edit((doc) => ({ ...doc, tags: next }))} />
    </div>
  );
}
