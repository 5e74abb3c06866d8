// Every further parameter of a polled resource.
import { Accordion, Alert, NumberInput, Select, SimpleGrid, Stack, Switch, TagsInput, TextInput, Title } from "@mantine/core";
import { useState } from "react";

import { memberPath, useFault, useHasFault } from "../faults";
import { ADVANCED, PAGING, type Resource, type Setting, settingPath, valueAt, withValueAt } from "./settings";

interface Props {
  value: Resource;
  onChange: (value: Resource) => void;
  path: string;
}

const PARTS = [...new Set(ADVANCED.flatMap(({ settings }) => settings.map(({ at }) => at.split(".")[0] as string)))];

/** The settings under Advanced; it opens by itself where one of them has a fault. */
export function Advanced(props: Props) {
  const [isOpen, setOpen] = useState(false);
  const hasFault = useHasFault(...PARTS.map((part) => memberPath(props.path, part)));
  const set = ADVANCED.flatMap(({ settings }) => settings).filter(({ at }) => valueAt(props.value, at) !== undefined).length;
  return (
    <Accordion value={isOpen || hasFault ? "advanced" : null} onChange={(value) => setOpen(value !== null)} variant="contained" order={4}>
      <Accordion.Item value="advanced">
        <Accordion.Control>Advanced{set > 0 ? ` (${set} set)` : ""}</Accordion.Control>
        <Accordion.Panel>
          {isOpen || hasFault ? <Groups {...props} /> : null}
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

function Groups(props: Props) {
  const paging = valueAt(props.value, "pagination.type");
  const isShown = ({ at }: Setting) => {
    const [first, second] = at.split(".");
    if (first !== "pagination" || second === "type") return true;
    return PAGING[String(paging)]?.includes(second ?? "") || valueAt(props.value, at) !== undefined;
  };
  return (
    <Stack gap="lg">
      <Alert color="gray" title="For the most technical users">
        Changing how a resource is polled is recommended only for the most technical users. Updating the polling interval can be done by anyone.
      </Alert>
      {ADVANCED.map(({ title, settings }) => (
        <Stack key={title} gap="xs">
          <Title order={5}>{title}</Title>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md" verticalSpacing="sm">
            {settings.filter(isShown).map((setting) => (
              <Field key={setting.at} setting={setting} {...props} />
            ))}
          </SimpleGrid>
        </Stack>
      ))}
    </Stack>
  );
}

function Field({ setting, value, onChange, path }: Props & { setting: Setting }) {
  const own = settingPath(path, setting.at);
  const parent = own.split(".").slice(0, -1).join(".");
  const error = useFault(own, ...(setting.at === "pagination.type" || setting.at === "sweep.every" || setting.at === "webhook.readUrl" ? [parent] : []));
  const now = valueAt(value, setting.at);
  const set = (next: unknown) => onChange(withValueAt(value, setting.at, next));
  const common = { label: setting.label, description: setting.about, error };
  const written = now === undefined || now === null ? "" : typeof now === "object" ? JSON.stringify(now) : String(now);
  const placeholder = setting.initial === undefined ? "not set" : String(setting.initial);
  switch (setting.kind) {
    case "flag":
      return (
        <Switch
          {...common}
          checked={now === undefined ? setting.initial === true : now === true || now === "true"}
          onChange={(event) => set(event.currentTarget.checked === setting.initial ? undefined : event.currentTarget.checked)}
        />
      );
    case "choice":
      return <Select {...common} data={[...(setting.choices ?? [])]} value={written === "" ? null : written} placeholder={placeholder} clearable clearButtonProps={{ "aria-label": `Clear ${setting.label}` }} onChange={(next) => set(next ?? undefined)} />;
    case "number":
      return <NumberInput {...common} value={written} placeholder={placeholder} allowDecimal={false} onChange={(next) => set(next === "" ? undefined : next)} />;
    case "list": {
      const items = Array.isArray(now) ? now.map(String) : written === "" ? [] : [written];
      const isOfNumbers = setting.at.endsWith(".gone");
      return <TagsInput {...common} value={items} placeholder={items.length === 0 ? "type one, then Enter" : ""} onChange={(next) => set(next.length === 0 ? undefined : isOfNumbers ? next.map((one) => (/^\d+$/.test(one) ? Number(one) : one)) : next)} />;
    }
    case "text":
      return <TextInput {...common} value={written} placeholder={placeholder} onChange={(event) => set(event.currentTarget.value === "" ? undefined : event.currentTarget.value)} />;
  }
}
