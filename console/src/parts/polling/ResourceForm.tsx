// One polled resource as a form: where its records are, what tells them apart, and what their dates mean.
import { Fieldset, SimpleGrid, Stack, Textarea, TextInput } from "@mantine/core";

import { useFault, useFaultsWhere } from "../faults";
import { Advanced } from "./Advanced";
import { DateFormat } from "./DateFormat";
import { type Resource, settingPath, valueAt, withValueAt } from "./settings";
import { Zone } from "./Zone";

/** A resource's form. `path` is where the API says that it stands, for its faults. */
export function ResourceForm(props: { value: Resource; onChange: (value: Resource) => void; path: string }) {
  const { value, onChange, path } = props;
  const text = (at: string) => {
    const now = valueAt(value, at);
    return now === undefined || now === null ? "" : String(now);
  };
  const set = (at: string, next: string) => onChange(withValueAt(value, at, next === "" ? undefined : next));
  return (
    <Stack gap="md">
      <Textarea
        label="URL"
        description="The list, with any query parameters that select what is updated: where=lastModifiedDate>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'. A full address, a path below the base URL, or a path of the connector's own (/hubs/…)."
        value={text("url")}
        onChange={(event) => set("url", event.currentTarget.value.replaceAll("\n", ""))}
        error={useOwnFault(path, "url")}
        autosize
        minRows={2}
        styles={{ input: { fontFamily: "var(--mono)", fontSize: "0.85rem" } }}
      />
      <TextInput label="ID Field" description="What makes a record unique: id, user.id" value={text("idField")} onChange={(event) => set("idField", event.currentTarget.value)} error={useOwnFault(path, "idField")} maw={420} />
      <Dates which="Updated" path={path} text={text} set={set} />
      <Dates which="Created" path={path} text={text} set={set} />
      <Advanced value={value} onChange={onChange} path={path} />
    </Stack>
  );
}

function Dates(props: { which: "Updated" | "Created"; path: string; text: (at: string) => string; set: (at: string, next: string) => void }) {
  const { which, path, text, set } = props;
  const at = (part: string) => `datesConfiguration.${which.toLowerCase()}Date${part}`;
  const field = useFault(settingPath(path, at("Field")));
  const format = useFault(settingPath(path, at("Format")));
  const inside = useFault(settingPath(path, at("Timezone")));
  const beside = useFault(settingPath(path, `${which.toLowerCase()}DateTimezone`));
  const whole = useFault(...(which === "Updated" ? [settingPath(path, "datesConfiguration")] : []));
  return (
    <Fieldset legend={`${which} date`} p="sm">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
        <TextInput label={`${which} Date Field`} placeholder={which === "Updated" ? "updatedAt" : "createdAt"} value={text(at("Field"))} onChange={(event) => set(at("Field"), event.currentTarget.value)} error={field ?? whole} />
        <DateFormat label={`${which} Date Format`} value={text(at("Format"))} zone={text(at("Timezone"))} onChange={(next) => set(at("Format"), next)} error={format} />
        <Zone label={`${which} Date Timezone`} value={text(at("Timezone"))} onChange={(next) => set(at("Timezone"), next)} error={inside ?? beside} />
      </SimpleGrid>
    </Fieldset>
  );
}

/** Faults of a member that is missing stand at the resource; their words name it. */
function useOwnFault(path: string, name: string): string | undefined {
  const own = settingPath(path, name);
  return useFaultsWhere((fault) => fault.path === own || (fault.path === path && fault.problem.startsWith(`\`${name}\` is`)), own);
}
