// Changes that are polled for: how often, and what of which resource.
import { Accordion, Alert, PasswordInput, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";

import { textOf } from "../../../api/exact";
import { explainConnector } from "../../../api/trying";
import { useFault } from "../../../parts/faults";
import { Interval } from "../../../parts/polling/Interval";
import { Resources } from "../../../parts/polling/Resources";
import type { StepProps } from "../Connector";
import { polledOf, valueOf, valuePath, withValue } from "../document";
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
        empty={
          <Text size="sm" c="dimmed" maw={640}>
            Any resource can be polled whose records have an id and a date of their last change. Name one, then say where its list is.
          </Text>
        }
      />
    </Stack>
  );
}

/** The values of an account for previews. */
function Trial({ draft }: StepProps) {
  const { doc, trial, setTrial } = draft;
  const asked = doc.configuration.filter(({ key, hideFromConsole }) => !/^(event|pagination)\./.test(key) && hideFromConsole !== true);
  if (asked.length === 0) return null;
  return (
    <Accordion variant="contained" order={3}>
      <Accordion.Item value="trial">
        <Accordion.Control>Trial account</Accordion.Control>
        <Accordion.Panel>
          <Text size="sm" c="dimmed" mb="sm">
            Previews sign in with these. They are not saved; where one is empty, the connector's default counts.
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
