// What an instance polls: the connector's resources as they are, its own versions of them, copies, and new ones.
import { Button, Checkbox, Group, Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { explainInstance, type Members } from "../../../api/trying";
import { memberPath, useHasFault } from "../../../parts/faults";
import { asMembers, CopyDialog, ResourceCard, ResourceCode, Resources, type ResourcesProps, UnreadRemark } from "../../../parts/polling/Resources";
import { type Form, isSame, KEY, keyPaths, polledOf, whole } from "./document";

const PATH = keyPaths(KEY.polled)[0] as string;

/** The part of the form. `defaults` are the connector's resources. */
export function ResourcesPart(props: { form: Form; defaults: Members; base: string; startFrom: string | undefined; instance: number | undefined; isOwn: boolean }) {
  const { form, defaults } = props;
  const [isCode, setCode] = useState(false);
  const polled = polledOf(form.doc);
  const write = (next: Members) => form.set(KEY.polled, Object.fromEntries(Object.entries(next).map(([name, settings]) => [name, name in defaults && isSame(settings, defaults[name]) ? {} : settings])));
  const shared: ResourcesProps = {
    value: effective(polled, defaults),
    onChange: write,
    path: PATH,
    explain: (resource, startFrom, signal) => explainInstance({ instance: whole(form.doc), resource, pages: 1, ...(startFrom === undefined ? {} : { startFrom }), ...(props.instance === undefined ? {} : { instanceId: props.instance }) }, signal),
    about: Object.fromEntries(Object.entries(form.doc.configuration).filter(([key]) => key !== KEY.polled)),
    ...(props.base === "" || props.base.includes("{") ? {} : { base: props.base }),
  };
  const start = (settings: Members): Members => (props.startFrom === undefined ? settings : { ...settings, startFrom: props.startFrom });
  const own = Object.fromEntries(Object.entries(shared.value).filter(([name]) => !(name in defaults)));
  return (
    <Stack>
      <Group justify="flex-end">
        <Button size="xs" variant="default" onClick={() => setCode(!isCode)} aria-pressed={isCode}>
          {isCode ? "Back to the form" : "All of it as code"}
        </Button>
      </Group>
      {isCode ? (
        <ResourceCode name="All resources" label="Resources as JSON" value={polled} onChange={(next) => form.set(KEY.polled, next)} />
      ) : (
        <>
          <UnreadRemark name="All resources" onCode={() => setCode(true)} />
          {Object.keys(defaults).map((name) => (
            <DefaultResource
              key={name}
              {...shared}
              name={name}
              settings={asMembers(defaults[name])}
              polled={polled}
              onSelect={(on) => {
                const { [name]: _was, ...rest } = polled;
                form.set(KEY.polled, on ? { ...rest, [name]: props.startFrom === undefined ? {} : start(asMembers(defaults[name])) } : rest);
              }}
              onCopy={(to) => form.set(KEY.polled, { ...polled, [to]: start(asMembers(shared.value[name] ?? defaults[name])) })}
            />
          ))}
          <Resources
            {...shared}
            value={own}
            onChange={(next) => write({ ...Object.fromEntries(Object.entries(shared.value).filter(([name]) => name in defaults && name in polled)), ...Object.fromEntries(Object.entries(next).map(([name, settings]) => [name, name in own ? settings : start(asMembers(settings))])) })}
            empty={
              Object.keys(defaults).length > 0 ? null : (
                <Text size="sm" c="dimmed" maw={640}>
                  Name what is to be polled; Suggest can fill in the rest from one answer of the API.
                </Text>
              )
            }
          />
        </>
      )}
    </Stack>
  );
}

function effective(polled: Members, defaults: Members): Members {
  return Object.fromEntries(Object.entries(polled).map(([name, settings]) => [name, Object.keys(asMembers(settings)).length === 0 && name in defaults ? defaults[name] : settings]));
}

function DefaultResource(props: ResourcesProps & { name: string; settings: Members; polled: Members; onSelect: (on: boolean) => void; onCopy: (to: string) => void }) {
  const { name, settings, polled } = props;
  const [open, setOpen] = useState<"edit" | "code">();
  const [copies, setCopies] = useState(false);
  const isSelected = name in polled;
  const isOwn = isSelected && Object.keys(asMembers(polled[name])).length > 0;
  const hasFault = useHasFault(memberPath(props.path, name));
  const select = <Checkbox label={name} aria-label={`Poll ${name}`} checked={isSelected} onChange={(event) => { if (!event.currentTarget.checked) setOpen(undefined); props.onSelect(event.currentTarget.checked); }} />;
  if (isSelected && (open !== undefined || hasFault)) {
    return <ResourceCard {...props} key={open} resource={asMembers(props.value[name])} view={open ?? "edit"} beside={<Button size="xs" variant="subtle" onClick={() => setOpen(undefined)}>Close</Button>} />;
  }
  return (
    <Paper withBorder p="sm" component="section" aria-label={`Resource ${name}`}>
      <Group justify="space-between" gap="xs">
        <div>
          {select}
          <Text size="xs" c="dimmed" ml={32} className="mono" style={{ wordBreak: "break-all" }}>
            {isOwn ? "changed for this instance" : String(settings["url"] ?? "")}
          </Text>
        </div>
        <Group gap="xs">
          <Button size="xs" variant="default" disabled={!isSelected} onClick={() => setOpen("edit")} aria-label={`Edit ${name}`}>
            Edit
          </Button>
          <Button size="xs" variant="default" disabled={!isSelected} onClick={() => setOpen("code")} aria-label={`Code of ${name}`}>
            Code
          </Button>
          <Button size="xs" variant="default" onClick={() => setCopies(true)} aria-label={`Copy ${name}`}>
            Copy
          </Button>
        </Group>
      </Group>
      <CopyDialog opened={copies} onClose={() => setCopies(false)} name={name} taken={Object.keys(polled)} onCopy={props.onCopy} />
    </Paper>
  );
}
