// The polled resources of a connector or an instance: a form and its JSON for each, which follow each other.
import { ActionIcon, Alert, Button, Divider, Grid, Group, Paper, SegmentedControl, Stack, Text, TextInput, Title, Tooltip } from "@mantine/core";
import { IconCopy, IconTrash, IconWand } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";

import { parseExact } from "../../api/exact";
import type { Members } from "../../api/trying";
import { Code } from "../Code";
import { Dialog } from "../Dialog";
import { memberPath, useFaultsWhere } from "../faults";
import { useUnread } from "../unread";
import { type Explain, Preview } from "./Preview";
import { ResourceForm } from "./ResourceForm";
import type { Resource } from "./settings";
import { Suggest } from "./Suggest";

/** What the resources are shown with. */
export interface ResourcesProps {
  /** By name. */
  value: Members;
  onChange: (value: Members) => void;
  /** Where the API says that they stand. */
  path: string;
  explain: Explain;
  /** Everything else that a preview depends on. */
  about?: unknown;
  /** A full address that a suggestion can begin with, and what is sent there, a line each. */
  base?: string;
  headers?: string;
  /** What may help where a preview is refused. */
  hint?: string;
  /** What is to be known about one of them, shown above its form. */
  note?: (resource: Resource) => ReactNode;
  /** Shown where there is none yet. */
  empty?: ReactNode;
}

/** All of them, with the field that adds one. */
export function Resources(props: ResourcesProps) {
  const { value, onChange } = props;
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string>();
  const add = () => {
    const wanted = name.trim();
    if (wanted === "") return setProblem("Name the resource first.");
    if (wanted in value) return setProblem(`There is a resource ${wanted} already.`);
    onChange({ ...value, [wanted]: {} });
    setName("");
    setProblem(undefined);
  };
  const names = Object.keys(value);
  return (
    <Stack>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput label="Resource name" placeholder="customers" value={name} error={problem} onChange={(event) => setName(event.currentTarget.value)} style={{ flex: "0 1 20rem" }} />
          <Button type="submit" variant="default">
            Add Polling Resource
          </Button>
        </Group>
      </form>
      {names.length === 0 ? props.empty : null}
      {names.map((one) => (
        <ResourceCard key={one} {...props} name={one} resource={asMembers(value[one])} />
      ))}
    </Stack>
  );
}

/** One resource with its form, its JSON and its preview. */
export function ResourceCard(props: ResourcesProps & { name: string; resource: Resource; view?: "edit" | "code"; beside?: ReactNode }) {
  const { name, resource, value } = props;
  const [view, setView] = useState(props.view ?? "edit");
  const [suggests, setSuggests] = useState(false);
  const [copies, setCopies] = useState(false);
  const [leaves, setLeaves] = useState(false);
  const [, setUnread] = useUnread(name);
  const change = (next: Resource) => props.onChange({ ...value, [name]: next });
  const path = memberPath(props.path, name);
  const own = useFaultsWhere((fault) => fault.path === path && !/^`(url|idField)` is/.test(fault.problem), path);
  const url = typeof resource["url"] === "string" ? resource["url"] : "";
  return (
    <Paper withBorder p="md" component="section" aria-label={`Resource ${name}`}>
      <Stack>
        <Group justify="space-between" gap="xs">
          <Group gap="sm">
            <Title order={3} style={{ overflowWrap: "anywhere" }}>
              {name}
            </Title>
            {props.beside}
          </Group>
          <Group gap="xs">
            <SegmentedControl size="xs" aria-label={`How ${name} is edited`} value={view} onChange={(next) => setView(next as "edit" | "code")} data={[{ value: "edit", label: "Edit" }, { value: "code", label: "Code" }]} />
            <Button size="xs" variant="default" leftSection={<IconWand size={14} aria-hidden />} onClick={() => setSuggests(true)}>
              Suggest
            </Button>
            <Tooltip label="Copy under a new name">
              <ActionIcon variant="default" size={30} aria-label={`Copy ${name}`} onClick={() => setCopies(true)}>
                <IconCopy size={16} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Take it out">
              <ActionIcon variant="default" size={30} aria-label={`Remove ${name}`} onClick={() => setLeaves(true)}>
                <IconTrash size={16} />
              </ActionIcon>
            </Tooltip>
          </Group>
        </Group>
        {own ? (
          <Alert color="red" role="alert">
            {own}
          </Alert>
        ) : null}
        {props.note?.(resource)}
        {view === "edit" ? <UnreadRemark name={name} onCode={() => setView("code")} /> : null}
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, lg: 7 }}>{view === "edit" ? <ResourceForm value={resource} onChange={change} path={path} /> : <ResourceCode name={name} value={resource} onChange={change} />}</Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Divider mb="md" hiddenFrom="lg" />
            <Preview resource={name} about={[resource, props.about]} explain={props.explain} {...(props.hint === undefined ? {} : { hint: props.hint })} />
          </Grid.Col>
        </Grid>
      </Stack>
      <Suggest opened={suggests} onClose={() => setSuggests(false)} name={name} value={resource} url={suggestedUrl(url, props.base)} headers={props.headers ?? ""} onTake={(next) => change(/^https?:/.test(url) ? next : belowBase(next, props.base))} />
      <CopyDialog opened={copies} onClose={() => setCopies(false)} name={name} taken={Object.keys(value)} onCopy={(to) => props.onChange({ ...value, [to]: structuredCopy(resource) })} />
      <Dialog opened={leaves} onClose={() => setLeaves(false)} title={`Take ${name} out?`}>
        <Stack>
          <Text size="sm">Its settings are gone from this form. Nothing is stored until you save.</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setLeaves(false)}>
              Keep it
            </Button>
            <Button color="red" onClick={() => { setUnread(undefined); props.onChange(Object.fromEntries(Object.entries(value).filter(([one]) => one !== name))); }}>
              Take it out
            </Button>
          </Group>
        </Stack>
      </Dialog>
    </Paper>
  );
}

/** A resource as JSON. What cannot be read stays as it is typed, and the form waits for it. */
export function ResourceCode(props: { name: string; value: Members; onChange: (value: Members) => void; label?: string }) {
  const [typed, setTyped] = useState<{ text: string; of: Members }>();
  const [unread, setUnread] = useUnread(props.name);
  const text = unread?.text ?? (typed !== undefined && typed.of === props.value ? typed.text : JSON.stringify(props.value, null, 2));
  const take = (next: string) => {
    try {
      const read: unknown = parseExact(next);
      if (typeof read !== "object" || read === null || Array.isArray(read)) throw new SyntaxError("it is not an object in braces");
      setTyped({ text: next, of: read as Members });
      setUnread(undefined);
      props.onChange(read as Members);
    } catch (thrown) {
      setUnread({ text: next, problem: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  };
  return (
    <Stack gap="xs">
      <Code label={props.label ?? `${props.name} as JSON`} language="json" value={text} onChange={take} height={260} error={unread === undefined ? undefined : `Not taken over yet: ${unread.problem}`} />
      {unread === undefined ? null : (
        <Group>
          <Button size="xs" variant="default" onClick={() => setUnread(undefined)}>
            Take it back to what it was
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** Says in a form that something else was typed as code. */
export function UnreadRemark(props: { name: string; onCode: () => void }) {
  const [unread] = useUnread(props.name);
  if (unread === undefined) return null;
  return (
    <Alert color="orange" title="What was typed as code cannot be read yet">
      <Group justify="space-between">
        <Text size="sm">The form shows what was there before.</Text>
        <Button size="xs" variant="default" onClick={props.onCode}>
          Back to the code
        </Button>
      </Group>
    </Alert>
  );
}

/** Asks for the name of a copy. */
export function CopyDialog(props: { opened: boolean; onClose: () => void; name: string; taken: string[]; onCopy: (to: string) => void }) {
  const [to, setTo] = useState("");
  const wanted = to.trim();
  const isTaken = props.taken.includes(wanted);
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title={`Copy ${props.name}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wanted === "" || isTaken) return;
          props.onCopy(wanted);
          setTo("");
          props.onClose();
        }}
      >
        <Stack>
          <TextInput label="Name of the copy" description="The resource that you want to poll." data-autofocus value={to} onChange={(event) => setTo(event.currentTarget.value)} error={isTaken ? `There is a resource ${wanted} already.` : undefined} />
          <Group justify="flex-end">
            <Button type="submit" disabled={wanted === "" || isTaken}>
              Copy it
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** Any value as members; what is none has none. */
export function asMembers(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

function structuredCopy(value: Members): Members {
  return parseExact(JSON.stringify(value)) as Members;
}

function suggestedUrl(url: string, base: string | undefined): string {
  // A place for the time of the last poll becomes a time long ago, so that the sample has records.
  const plain = url.replace(/\$\{([^}]*)\}/g, (_all, name: string) => (/epoch|seconds|cursor/i.test(name) ? "0" : "2020-01-01T00:00:00Z")).replaceAll("'", "");
  if (/^https?:/.test(url) || base === undefined) return plain;
  return url === "" ? base : base.replace(/\/$/, "") + (plain.startsWith("/") ? plain : `/${plain}`);
}

/** The resource with its url as a path below the base URL, where it lies there. */
function belowBase(resource: Resource, base: string | undefined): Resource {
  const root = base?.replace(/\/$/, "");
  const url = String(resource["url"] ?? "");
  return root !== undefined && url.startsWith(`${root}/`) ? { ...resource, url: url.slice(root.length) } : resource;
}
