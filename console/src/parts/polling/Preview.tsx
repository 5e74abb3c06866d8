// What the first poll of a configuration would read and decide: asked once by hand, from then on it follows the form.
import { Alert, Button, Group, SegmentedControl, Stack, Table, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Fragment, useEffect, useState } from "react";

import { asFailure, Failure, sentence } from "../../api/failure";
import type { Explained, SampleDate, SampleRecord } from "../../api/trying";
import { Json } from "../Json";
import { Refusal } from "../Loaded";
import { Mark } from "../Mark";

/** How long typing must rest before the provider is asked again. */
const REST_MS = 900;

/** How a preview is asked for. */
export type Explain = (resource: string, startFrom: string | undefined, signal: AbortSignal) => Promise<Explained[]>;

/** The live preview of one resource. `about` is everything that it depends on, `hint` what may help where it is refused. */
export function Preview(props: { resource: string; about: unknown; explain: Explain; hint?: string }) {
  const [isOn, setOn] = useState(false);
  const [from, setFrom] = useState<"said" | "beginning">("beginning");
  const said = JSON.stringify([props.resource, from, props.about]);
  const settled = useRested(said);
  const query = useQuery({
    queryKey: ["preview", settled],
    queryFn: ({ signal }) => props.explain(props.resource, from === "beginning" ? "beginning" : undefined, signal),
    enabled: isOn,
    staleTime: 30_000,
    gcTime: 60_000,
    placeholderData: (last) => last,
  });
  const found = query.data?.find(({ resource }) => resource === props.resource) ?? query.data?.[0];
  return (
    <Stack gap="sm" component="section" aria-label={`Preview of ${props.resource}`} aria-busy={query.isFetching}>
      <Group justify="space-between" gap="xs">
        <Text fw={600}>Preview</Text>
        <Group gap="xs">
          <SegmentedControl size="xs" aria-label="What the test read reports" value={from} onChange={(value) => setFrom(value as "said" | "beginning")} data={[{ value: "beginning", label: "Everything" }, { value: "said", label: "As configured" }]} />
          <Button size="xs" variant={isOn ? "default" : "filled"} loading={query.isFetching} onClick={() => (isOn ? void query.refetch() : setOn(true))}>
            {isOn ? "Read again" : "Preview"}
          </Button>
        </Group>
      </Group>
      {!isOn ? (
        <Text size="sm" c="dimmed">
          Reads the first page as the first poll would, and shows what it would make of each record. Nothing is written and nothing is sent on. After the first time it follows what you change.
        </Text>
      ) : query.error && !query.isFetching ? (
        <Unanswered error={query.error} again={() => void query.refetch()} />
      ) : found ? (
        <Answer found={found} hint={props.hint} />
      ) : null}
    </Stack>
  );
}

function useRested(value: string): string {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), REST_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}

function Unanswered(props: { error: Error; again: () => void }) {
  const failure = asFailure(props.error);
  if (failure instanceof Failure && (failure.status === 404 || failure.status === 405) && failure.code !== "notFound") {
    return <Alert color="gray">This server cannot rehearse what is not saved yet.</Alert>;
  }
  return <Refusal error={failure} again={props.again} title="The preview cannot begin" />;
}

function Answer({ found, hint }: { found: Explained; hint: string | undefined }) {
  const run = found.explanation;
  return (
    <Stack gap="sm">
      {found.faults && found.faults.length > 0 ? (
        <Alert color="red" title="This cannot be polled yet">
          {found.faults.map((fault) => (
            <Text key={fault.path + fault.problem} size="sm">
              <span className="mono">{fault.path}</span>: {sentence(fault)}
            </Text>
          ))}
        </Alert>
      ) : null}
      {run ? (
        <>
          {run.error ? (
            <Alert color="red" title="The provider was asked, and this came of it" role="alert">
              {typeof run.error === "string" ? run.error : run.error.message}
              {hint === undefined ? null : (
                <Text size="sm" mt={4}>
                  {hint}
                </Text>
              )}
            </Alert>
          ) : null}
          <div>
            <Text size="xs" c="dimmed">
              The rendered URL
            </Text>
            {run.requests.length === 0 ? <Text size="sm">Nothing was requested.</Text> : null}
            {run.requests.map((request, at) => (
              <Text key={`${at} ${request}`} className="mono" style={{ wordBreak: "break-all" }}>
                {request}
              </Text>
            ))}
          </div>
          <Text size="sm">
            {run.counts.records} {run.counts.records === 1 ? "record" : "records"} on {run.counts.pages} {run.counts.pages === 1 ? "page" : "pages"}
            {run.sample.length < run.counts.records ? `, the first ${run.sample.length} shown` : ""}.
          </Text>
          {run.sample.length > 0 ? <Records records={run.sample} /> : null}
        </>
      ) : null}
    </Stack>
  );
}

function Records(props: { records: SampleRecord[] }) {
  const [open, setOpen] = useState<number>();
  return (
    <Table verticalSpacing={6} aria-label="Sample records" fz="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th miw="3rem">Id</Table.Th>
          <Table.Th>Dates as understood</Table.Th>
          <Table.Th>Verdict and reason</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {props.records.map((record, at) => (
          <Fragment key={at}>
            <Table.Tr style={{ verticalAlign: "top" }}>
              <Table.Td>
                <UnstyledButton className="mono" onClick={() => setOpen(open === at ? undefined : at)} aria-expanded={open === at} aria-label={`Record ${record.id ?? "none"}`} td="underline">
                  {record.id ?? "none"}
                </UnstyledButton>
              </Table.Td>
              <Table.Td>
                <Understood what="updated" date={record.dates.updated} />
                <Understood what="created" date={record.dates.created} />
              </Table.Td>
              <Table.Td>
                {record.verdict ? <Mark word={record.verdict} /> : <Mark word="undecided" />}
                <Text size="xs" mt={2}>
                  {record.reason}
                </Text>
              </Table.Td>
            </Table.Tr>
            {open === at ? (
              <Table.Tr>
                <Table.Td colSpan={3}>
                  <Json value={record.record ?? "too large to be shown"} label={`Record ${record.id ?? "none"} as it came`} height={260} />
                </Table.Td>
              </Table.Tr>
            ) : null}
          </Fragment>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Understood({ what, date }: { what: string; date: SampleDate | null | undefined }) {
  if (!date) return null;
  const raw = date.raw === null || date.raw === undefined ? "absent" : typeof date.raw === "string" ? date.raw : JSON.stringify(date.raw);
  return (
    <Text size="xs" component="div" mb={4}>
      <span style={{ color: "var(--mantine-color-dimmed)" }}>{what} </span>
      {date.understood ? <b style={{ fontWeight: 600 }}>{date.understood.replace("T", " ").replace("Z", " UTC")}</b> : null}
      {date.fault ? <span style={{ color: "var(--mark-bad)" }}>{date.fault}</span> : null}
      <div className="mono" style={{ color: "var(--mantine-color-dimmed)" }}>
        {raw}
      </div>
    </Text>
  );
}
