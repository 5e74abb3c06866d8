// How an account signs in: what every account is asked for, and what the connector says once for all.
import { Alert, Button, Group, Select, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";

import type { Members } from "../../../api/trying";
import { useFault } from "../../../parts/faults";
import type { StepProps } from "../Connector";
import { type Doc, entryAt, withEntries, withoutEntries } from "../document";
import { ValueField } from "./fields";
import { SIGN_IN } from "./signIn";

const LABELS: Record<string, string> = {
  username: "Username",
  password: "Password",
  "oauth.api.key": "API Key (client id)",
  "oauth.api.secret": "API Secret (client secret)",
  "oauth.callback.url": "OAuth Callback URL",
  "oauth.authorization.url": "OAuth Authorization URL",
  "oauth.token.url": "OAuth Token URL",
  "oauth.token.refresh_url": "OAuth Token Refresh URL",
  "oauth.token.revoke_url": "OAuth Token Revoke URL",
  "oauth.request.url": "OAuth Request Token URL",
  "oauth.scope": "OAuth Scope",
};

/** The step. */
export default function AuthenticationStep(props: StepProps) {
  const { draft, mayChange } = props;
  const authentication = draft.doc["authentication"] as Members | undefined;
  const type = String(authentication?.["type"] ?? "");
  const way = SIGN_IN.find(({ value }) => value.toLowerCase() === type.toLowerCase());
  const error = useFault("authentication.type", "authentication");
  const choose = (next: string | null) => {
    const chosen = SIGN_IN.find(({ value }) => value === next);
    if (chosen === undefined) return;
    const gone = [...(way?.asks ?? []), ...(way?.holds ?? [])].filter((key) => !chosen.asks.includes(key) && !chosen.holds.includes(key));
    draft.edit((doc) => {
      const signed = withEntries(withoutEntries({ ...doc, authentication: { ...(doc["authentication"] as Members | undefined), type: chosen.value } }, gone), chosen.asks);
      // What is placed already may be the key under another name: then it is asked, and not added.
      if (chosen.value === "apiKey") return signed.parameters.some(placesSomething) ? signed : withKey(signed);
      return way?.value === "apiKey" ? withoutKey(signed) : signed;
    });
  };
  return (
    <Stack maw={820}>
      <Select label="Authentication Type" data={SIGN_IN.map(({ value, label }) => ({ value, label }))} value={way?.value ?? null} placeholder={type} onChange={choose} allowDeselect={false} error={error} disabled={!mayChange} maw={420} />
      {way && way.holds.length > 0 ? (
        <>
          <Title order={2} mt="sm">
            The same for every account
          </Title>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {way.holds.map((key) => (
              <ValueField key={key} {...props} entry={key} label={LABELS[key] ?? key} mono />
            ))}
          </SimpleGrid>
        </>
      ) : null}
      {way && way.asks.length > 0 ? (
        <>
          <Title order={2} mt="sm">
            Asked for with every instance
          </Title>
          <Text size="sm" c="dimmed">
            What is filled in here is the default; leave it empty where each account brings its own.
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {way.asks.map((key) => (
              <ValueField key={key} {...props} entry={key} label={LABELS[key] ?? key} kind={/secret|password/.test(key) ? "secret" : "text"} />
            ))}
          </SimpleGrid>
        </>
      ) : null}
      {way?.value === "apiKey" ? <ApiKey {...props} /> : null}
      {way?.value === "custom" ? <Alert color="gray">Entries and parameters of the next step, and hooks, sign each request.</Alert> : null}
    </Stack>
  );
}

/** The entry that holds an account's key. */
const KEY = "api.token";
const KEY_HEADER = "X-Api-Key";

const placesSomething = (parameter: Doc["parameters"][number]): boolean => parameter["type"] === "configuration";
const placesKey = (parameter: Doc["parameters"][number]): boolean => placesSomething(parameter) && parameter.name === KEY;

/** With the key's entry and the parameter that places it. */
function withKey(doc: Doc): Doc {
  const entry = { key: KEY, name: "API Key", description: `${doc.name} API Key`, type: "PASSWORD", required: true, active: true, internal: false, hideFromConsole: false };
  const parameter = { name: KEY, type: "configuration", vendorName: KEY_HEADER, vendorType: "header", required: true };
  return { ...doc, configuration: entryAt(doc, KEY) < 0 ? [...doc.configuration, entry] : doc.configuration, parameters: [...doc.parameters, parameter] };
}

function withoutKey(doc: Doc): Doc {
  return withoutEntries({ ...doc, parameters: doc.parameters.filter((parameter) => !placesKey(parameter)) }, [KEY]);
}

/** Where the key goes with each request. */
function ApiKey(props: StepProps) {
  const { draft, mayChange } = props;
  const { parameters } = draft.doc;
  const at = parameters.findIndex(placesKey);
  const fault = useFault(`parameters[${at}].vendorName`, `parameters[${at}]`);
  const key = parameters[at];
  const others = parameters.filter((parameter) => placesSomething(parameter) && !placesKey(parameter));
  return (
    <>
      {key ? (
        <TextInput
          label={key["vendorType"] === "header" ? "Header that takes the key" : `Where the key goes (${String(key["vendorType"])})`}
          description="Each account is asked for its key. Config & Parameters has the details."
          value={String(key["vendorName"] ?? "")}
          onChange={({ currentTarget: { value } }) => draft.edit((doc) => ({ ...doc, parameters: doc.parameters.map((parameter, place) => (place === at ? { ...parameter, vendorName: value } : parameter)) }))}
          error={fault ?? (String(key["vendorName"] ?? "").trim() === "" ? "Without a name the key is not sent." : undefined)}
          disabled={!mayChange}
          maw={420}
        />
      ) : null}
      {others.length > 0 ? (
        <Alert color="gray" title="What is sent with each request">
          {others.map((parameter) => (
            <Text size="sm" key={String(parameter.name)}>
              <span className="mono">{parameter.name}</span> is sent as the {String(parameter["vendorType"])} <span className="mono">{String(parameter["vendorName"])}</span>. Config &amp; Parameters has the details.
            </Text>
          ))}
        </Alert>
      ) : null}
      {key === undefined ? (
        <Group>
          <Button variant="default" disabled={!mayChange} onClick={() => draft.edit(withKey)}>
            Ask each account for a key
          </Button>
        </Group>
      ) : null}
    </>
  );
}
