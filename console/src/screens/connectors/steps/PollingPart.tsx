// Changes that are polled for: how often, and what of which resource.
import { Accordion, Alert, Button, PasswordInput, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";

import { textOf } from "../../../api/exact";
import { explainConnector, type Members } from "../../../api/trying";
import { useFault } from "../../../parts/faults";
import { Interval } from "../../../parts/polling/Interval";
import { Resources } from "../../../parts/polling/Resources";
import type { StepProps } from "../Connector";
import { type Doc, polledOf, valueOf, valuePath, withValue } from "../document";
import { sendable } from "../draft";

const POLLED = "event.poller.configuration";
const INTERVAL = "event.poller.refresh_interval";

/** The part of the step. */
export default function PollingPart(props: StepProps) {
  const { draft, mayChange } = props;
  const { doc, edit } = draft;
  const text = valueOf(doc, POLLED);
  const isUnreadable = text.trim() !== "" && Object.keys(polledOf(doc)).length === 0 && text.trim() !== "{}";
  const base = valueOf(doc, "base.url");
  return (
    <Stack component="section" aria-labelledby="polling-title">
      <Title order={2} id="polling-title">
        Polling
      </Title>
      <div style={{ maxWidth: 720 }}>
        <Interval label="Default Interval Polling Time (in minutes)" value={valueOf(doc, INTERVAL)} onChange={(next) => edit((now) => withValue(now, INTERVAL, next))} error={useFault(valuePath(doc, INTERVAL))} disabled={!mayChange} />
      </div>
      <Trial {...props} />
      {isUnreadable ? (
        <Alert color="orange" title="What stands there cannot be read">
          The poller configuration of this connector is no JSON object. What you add here replaces it.
        </Alert>
      ) : null}
      <Resources
        value={polledOf(doc)}
        onChange={(next) => edit((now) => withValue(now, POLLED, JSON.stringify(next)))}
        path={valuePath(doc, POLLED)}
        explain={(resource, startFrom, signal) => explainConnector(doc.key, { element: sendable(doc), configuration: draft.trial, resource, pages: 1, ...(startFrom === undefined ? {} : { startFrom }) }, signal)}
        about={[draft.trial, doc["authentication"], base]}
        {...(base === "" || base.includes("{") ? {} : { base })}
        headers={trialHeaders(draft)}
        {...(askedOf(doc).length === 0 ? {} : { hint: "Previews sign in with the trial account above." })}
        note={(resource) => <Unsigned {...props} url={typeof resource["url"] === "string" ? resource["url"] : ""} />}
        empty={
          <Text size="sm" c="dimmed" maw={640}>
            Any resource can be polled whose records have an id and a date of their last change. Name one, then say where its list is.
          </Text>
        }
      />
    </Stack>
  );
}

/** Says of a path that the connector has no resource for that its sign-in and hooks are left out, and makes it one. */
function Unsigned(props: StepProps & { url: string }) {
  const { doc, edit } = props.draft;
  const path = props.url.split("?")[0] ?? "";
  const isSigned = !/^(none)?$/i.test(String((doc["authentication"] as Members | undefined)?.["type"] ?? "")) || doc.parameters.length > 0 || doc.hooks.length > 0;
  const isPlain = /^\/(?!hubs\/)[^$]+$/.test(path) && !doc.resources.some((resource) => String(resource["method"]).toUpperCase() === "GET" && asPattern(String(resource["path"])).test(path));
  if (!isSigned || !isPlain) return null;
  return (
    <Alert color="orange" title="It is read without the connector's sign-in">
      <Stack gap="xs" align="flex-start">
        <span>
          The connector has no resource <span className="mono">{path}</span>, so its keys, parameters and hooks are not used for it.
        </span>
        <Button size="xs" variant="default" disabled={!props.mayChange} onClick={() => edit((now) => ({ ...now, resources: [...now.resources, { type: "api", method: "GET", path, vendorMethod: "GET", vendorPath: path, parameters: [], hooks: [] }] }))}>
          Make it a resource of the connector
        </Button>
      </Stack>
    </Alert>
  );
}

/** The paths that a resource's path stands for: `/accounts/{id}` for that of every account. */
function asPattern(path: string): RegExp {
  const parts = path.split(/\{[^}]*\}/).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`, "i");
}

/** What an account is asked for. */
const askedOf = (doc: Doc): Doc["configuration"] => doc.configuration.filter(({ key, hideFromConsole }) => !/^(event|pagination)\./.test(key) && hideFromConsole !== true);

/** The headers that the connector makes of the trial account's values, a line each; a value that is not there is left to be written. */
function trialHeaders({ doc, trial }: StepProps["draft"]): string {
  const placed = doc.parameters.filter((parameter) => parameter["type"] === "configuration" && parameter["vendorType"] === "header");
  return placed.map((parameter) => `${String(parameter["vendorName"])}: ${String(trial[String(parameter.name)] ?? "")}`).join("\n");
}

/** The values of an account for previews. */
function Trial({ draft }: StepProps) {
  const { doc, trial, setTrial } = draft;
  const asked = askedOf(doc);
  if (asked.length === 0) return null;
  return (
    <Accordion variant="contained" order={3}>
      <Accordion.Item value="trial">
        <Accordion.Control>
          Trial account
          <Text size="sm" c="dimmed">
            {asked.some(({ key }) => trial[key] !== undefined) ? "Previews sign in with what is written here." : "Nothing is written here: previews sign in with the connector's defaults."}
          </Text>
        </Accordion.Control>
        <Accordion.Panel>
          <Text size="sm" c="dimmed" mb="sm">
            They are not saved; where one is empty, the connector's default counts.
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {asked.map(({ key, name, type, defaultValue }) => {
              const common = {
                label: name ?? key,
                value: String(trial[key] ?? ""),
                placeholder: textOf(defaultValue),
                autoComplete: "off",
                onChange: (event: { currentTarget: { value: string } }) => {
                  const { [key]: _before, ...rest } = trial;
                  setTrial(event.currentTarget.value === "" ? rest : { ...rest, [key]: event.currentTarget.value });
                },
              };
              return type === "PASSWORD" || /secret|password/.test(key) ? <PasswordInput key={key} {...common} /> : <TextInput key={key} {...common} />;
            })}
          </SimpleGrid>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
