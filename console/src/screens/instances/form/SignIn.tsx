// How the account signs in: what the connector asks for, or what an API without a connector needs.
import { Button, Collapse, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Fault } from "../../../api/failure";
import type { Members } from "../../../api/trying";
import { useFault, useHasFault } from "../../../parts/faults";
import type { Doc, Entry } from "../../connectors/document";
import { keyOf } from "../../connectors/NewConnector";
import { SIGN_IN } from "../../connectors/steps/signIn";
import { type Form, KEY, keyPaths } from "./document";
import { EntryField, HeaderRows, isRequired, KeyField } from "./fields";
import { OAuth } from "./OAuth";

/** What a connector asks an account for, and what else can be set. */
function fieldsOf(connector: Doc) {
  const type = String((connector["authentication"] as Members | undefined)?.["type"] ?? "none");
  const way = SIGN_IN.find(({ value }) => value.toLowerCase() === type.toLowerCase());
  const shown = connector.configuration.filter(({ key, hideFromConsole, internal }) => !/^(event|pagination|bulk)\./.test(key) && !key.startsWith("oauth.user.") && hideFromConsole !== true && internal !== true && !(way?.holds ?? []).includes(key) && key !== "oauth.callback.url");
  const hasDefault = (entry: Entry) => entry.defaultValue !== undefined && entry.defaultValue !== null && entry.defaultValue !== "";
  const isAsked = (entry: Entry) => ((way?.asks ?? []).includes(entry.key) || entry.required === true) && !(hasDefault(entry) && entry.required !== true);
  const asked = shown.filter(isAsked);
  const further = shown.filter((entry) => !isAsked(entry));
  return { way, asked, further };
}

/** What the connector requires of an account and the form does not have yet. The API takes an instance without it, for it may be set later. */
export function lacking(connector: Doc, form: Form): Fault[] {
  const empty = fieldsOf(connector).asked.filter((entry) => isRequired(entry) && form.text(entry.key) === "");
  return empty.map(({ key, name }) => ({ path: keyPaths(key)[0] ?? key, problem: `\`${key}\` is missing`, remedy: `write ${name ?? key} of the account` }));
}

/** The fields of a connector. */
export function SignIn(props: { form: Form; connector: Doc }) {
  const { form, connector } = props;
  const [isOpen, setOpen] = useState(false);
  const { way, asked, further } = fieldsOf(connector);
  const hasFault = useHasFault(...further.flatMap(({ key }) => keyPaths(key)));
  const redirects = way?.value === "oauth2" || way?.value === "oauth1";
  return (
    <>
      <Text size="sm" c="dimmed">
        {way?.value === "none" || way === undefined ? "This connector needs no sign-in." : `Signs in by: ${way.label}`}
      </Text>
      {asked.length > 0 ? (
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {asked.map((entry) => (
            <EntryField key={entry.key} form={form} entry={entry} />
          ))}
        </SimpleGrid>
      ) : null}
      {redirects ? <OAuth form={form} connector={connector} /> : null}
      {further.length > 0 ? (
        <div>
          <Button size="compact-sm" variant="subtle" onClick={() => setOpen(!isOpen)} aria-expanded={isOpen || hasFault}>
            {isOpen || hasFault ? "Hide further settings" : `Show further settings (${further.length})`}
          </Button>
          <Collapse expanded={isOpen || hasFault}>
            <SimpleGrid cols={{ base: 1, sm: 2 }} mt="xs">
              {further.map((entry) => (
                <EntryField key={entry.key} form={form} entry={entry} />
              ))}
            </SimpleGrid>
          </Collapse>
        </div>
      ) : null}
    </>
  );
}

/** The fields of an API without a connector. */
export function OwnApi(props: { form: Form; isNew: boolean }) {
  const { form } = props;
  const key = String(form.doc.element?.["key"] ?? "");
  const keyFault = useFault("element", "element.key");
  const kind = form.text("authentication.type") === "basic" ? "basic" : "none";
  return (
    <Stack>
      <TextInput
        label="Key"
        description="It becomes elementKey of every event."
        value={key}
        placeholder={keyOf(form.doc.name ?? "") || "shop"}
        error={keyFault}
        readOnly={!props.isNew}
        onChange={(event) => {
          const next = event.currentTarget.value;
          form.edit((doc) => ({ ...doc, element: { key: next } }));
        }}
      />
      <KeyField form={form} entry={KEY.base} label="Base URL" placeholder="https://api.example.com/v1" description="What the URLs of the resources continue. It may stay empty where they are full addresses." />
      <HeaderRows form={form} entry={KEY.http} label="Headers" description="Sent with every request to the API, such as Authorization. Values are sealed where they are stored." />
      <Select label="Signs in by" data={[{ value: "none", label: "Nothing, or a header above" }, { value: "basic", label: "Basic: user name and password" }]} value={kind} allowDeselect={false} maw={380} error={useFault(...keyPaths("authentication.type"))} onChange={(next) => form.set("authentication.type", next === "basic" ? "basic" : undefined)} />
      {kind === "basic" ? (
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <KeyField form={form} entry="username" label="Username" />
          <KeyField form={form} entry="password" label="Password" kind="secret" />
        </SimpleGrid>
      ) : null}
    </Stack>
  );
}
