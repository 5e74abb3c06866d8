// Proposals for a resource, made from one sample answer. Each has its evidence, and can be taken or left.
import { Alert, Button, Checkbox, Group, Select, Stack, Switch, Table, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { asFailure, faultsAt } from "../../api/failure";
import { type Members, type Proposal, suggest } from "../../api/trying";
import { Dialog } from "../Dialog";
import { Refusal } from "../Loaded";
import { type Resource, withValueAt } from "./settings";

/** Asks for proposals and hands over the resource with those that were taken. */
export function Suggest(props: { opened: boolean; onClose: () => void; name: string; value: Resource; url?: string; headers: string; onTake: (value: Resource) => void }) {
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title={`Suggest how ${props.name || "the resource"} is polled`} size="xl">
      <Form {...props} />
    </Dialog>
  );
}

function Form(props: { onClose: () => void; value: Resource; url?: string; headers: string; onTake: (value: Resource) => void }) {
  const [isPasted, setPasted] = useState(false);
  const [url, setUrl] = useState(props.url ?? "");
  const [headers, setHeaders] = useState(props.headers);
  const [sample, setSample] = useState("");
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<Members>({});
  const ask = useMutation({
    mutationFn: () => {
      const named = Object.fromEntries(
        headers
          .split("\n")
          .filter((line) => line.includes(":"))
          .map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]),
      );
      const address = url.trim() === "" ? {} : { url: url.trim() };
      return suggest(isPasted ? { ...address, sample: parsed(sample) } : { ...address, headers: named });
    },
    onSuccess: () => {
      setLeft(new Set());
      setChosen({});
    },
  });
  const failure = ask.error ? asFailure(ask.error) : undefined;
  const found = ask.data;
  const take = () => {
    if (found === undefined) return;
    const taken = found.proposals.filter(({ setting }) => !left.has(setting));
    props.onTake(taken.reduce((resource, { setting, value }) => place(resource, setting, setting in chosen ? chosen[setting] : value), props.value));
    props.onClose();
  };
  return (
    <Stack>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput label="Address of the list" description="A full address. Write the value of a lower bound where the list takes one." value={url} onChange={(event) => setUrl(event.currentTarget.value)} error={faultsAt(failure?.faults ?? [], "url")} required={!isPasted} placeholder="https://api.example.com/customers?updated_since=2026-01-01" />
          <Switch label="I have an answer to paste" checked={isPasted} onChange={(event) => setPasted(event.currentTarget.checked)} />
          {isPasted ? (
            <Textarea label="Sample answer" value={sample} onChange={(event) => setSample(event.currentTarget.value)} autosize minRows={5} maxRows={14} error={faultsAt(failure?.faults ?? [], "sample")} styles={{ input: { fontFamily: "var(--mono)", fontSize: "0.8rem" } }} />
          ) : (
            <Textarea label="Headers" description="One Name: value per line. They are sent with this request and kept nowhere." value={headers} onChange={(event) => setHeaders(event.currentTarget.value)} autosize minRows={1} placeholder="Authorization: Bearer …" error={faultsAt(failure?.faults ?? [], "headers", true)} />
          )}
          <Group>
            <Button type="submit" loading={ask.isPending}>
              Look at it
            </Button>
          </Group>
        </Stack>
      </form>
      {failure ? failure.status === 404 || failure.status === 405 ? <Alert color="gray">This server cannot make suggestions.</Alert> : <Refusal error={failure} title="Nothing can be proposed" /> : null}
      {found ? (
        <>
          <Text size="sm">
            {found.sampleRecords} {found.sampleRecords === 1 ? "record was" : "records were"} looked at. Untick what you do not want.
          </Text>
          {found.warnings.length > 0 ? (
            <Alert color="orange" title="What a sample cannot tell">
              <ul style={{ margin: 0, paddingLeft: "1.2rem" }}>
                {found.warnings.map((warning) => (
                  <li key={warning}>{warning}</li>
                ))}
              </ul>
            </Alert>
          ) : null}
          <Proposals proposals={found.proposals} left={left} onLeft={setLeft} chosen={chosen} onChosen={setChosen} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Leave all
            </Button>
            <Button onClick={take} disabled={found.proposals.length === left.size}>
              Take {found.proposals.length - left.size} of {found.proposals.length}
            </Button>
          </Group>
        </>
      ) : null}
    </Stack>
  );
}

function Proposals(props: { proposals: Proposal[]; left: ReadonlySet<string>; onLeft: (left: ReadonlySet<string>) => void; chosen: Members; onChosen: (chosen: Members) => void }) {
  return (
    <Table.ScrollContainer minWidth={520}>
      <Table aria-label="Proposals">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Setting</Table.Th>
            <Table.Th>Value</Table.Th>
            <Table.Th>Evidence</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {props.proposals.map(({ setting, value, evidence, confidence, alternatives }) => {
            const options = [{ value, evidence }, ...alternatives];
            const shown = setting in props.chosen ? props.chosen[setting] : value;
            const at = options.findIndex((option) => written(option.value) === written(shown));
            return (
              <Table.Tr key={setting}>
                <Table.Td>
                  <Checkbox
                    label={setting.replace(/^datesConfiguration\./, "")}
                    checked={!props.left.has(setting)}
                    onChange={({ currentTarget: { checked } }) => {
                      const next = new Set(props.left);
                      if (checked) next.delete(setting);
                      else next.add(setting);
                      props.onLeft(next);
                    }}
                  />
                </Table.Td>
                <Table.Td>
                  {alternatives.length > 0 ? (
                    <Select aria-label={`Value of ${setting}`} data={options.map((option, index) => ({ value: String(index), label: written(option.value) }))} value={String(at)} allowDeselect={false} onChange={(index) => props.onChosen({ ...props.chosen, [setting]: options[Number(index)]?.value })} />
                  ) : (
                    <span className="mono">{written(value)}</span>
                  )}
                </Table.Td>
                <Table.Td>
                  <Text size="sm">{options[at]?.evidence ?? evidence}</Text>
                  {at <= 0 ? (
                    <Text size="xs" c="dimmed">
                      {Math.round(confidence * 100)} % sure
                    </Text>
                  ) : null}
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function place(resource: Resource, setting: string, value: unknown): Resource {
  return setting.split(".").length <= 2 ? withValueAt(resource, setting, value) : resource;
}

function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
