// One flow: a new one, a monitor's draft, a version of it, or a run of a subscription over it.
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";

import { api, BASE, told } from "../../api/client";
import type { components } from "../../api/schema";
import { Loaded } from "../../parts/Loaded";
import { When } from "../../parts/When";
import { exactly } from "./editor/exactly";
import { FlowEditor, type Opened } from "./editor/FlowEditor";
import type { ShownRun } from "./editor/RunPanel";
import type { Json } from "./model/json";

/** The screen at `/monitors/:id`, where `new` begins one. */
export default function Flow(props: { id: string }) {
  const [search] = useSearchParams();
  if (props.id === "new") return <FlowEditor opened={{ monitor: undefined, connector: search.get("connector") ?? undefined, version: undefined, run: undefined }} />;
  const version = search.get("version");
  const run = search.get("run");
  const subscription = search.get("subscription");
  const key = [props.id, version, run].join(" ");
  if (run !== null && subscription !== null) return <OverRun key={key} id={Number(props.id)} run={run} subscription={Number(subscription)} />;
  return <OfMonitor key={key} id={Number(props.id)} version={version === null ? undefined : Number(version)} run={undefined} />;
}

/** What a flow is called as long as it is not there. */
function headOf(id: number) {
  return { title: `Monitor ${id}`, crumbs: [{ label: "Monitors", to: "/monitors" }] };
}

function useMonitor(id: number) {
  return useQuery({ queryKey: ["monitors", "one", id], queryFn: () => exactly<components["schemas"]["Monitor"]>(api.GET(`${BASE}/monitors/{id}`, { params: { path: { id } }, parseAs: "text" })), refetchOnWindowFocus: false, structuralSharing: false });
}

function OfMonitor(props: { id: number; version: number | undefined; run: ShownRun | undefined }) {
  const { id, version } = props;
  const monitor = useMonitor(id);
  const deployed = useQuery({
    queryKey: ["monitors", "version", id, version],
    enabled: version !== undefined,
    staleTime: Infinity,
    structuralSharing: false,
    queryFn: () => exactly<components["schemas"]["VersionWithDocument"]>(api.GET(`${BASE}/monitors/{id}/versions/{version}`, { params: { path: { id, version: version ?? 0 } }, parseAs: "text" })),
  });
  const opened = (monitor: components["schemas"]["Monitor"], document: Json | undefined): Opened => ({
    monitor,
    connector: undefined,
    version: version === undefined || document === undefined ? undefined : { number: version, document },
    run: props.run,
  });
  const head = headOf(id);
  return (
    <Loaded query={monitor} rows={8} head={head}>
      {(monitor) => (version === undefined ? <FlowEditor opened={opened(monitor, undefined)} /> : <Loaded query={deployed} rows={8} head={head}>{(deployed) => <FlowEditor opened={opened(monitor, deployed.document as Json)} />}</Loaded>)}
    </Loaded>
  );
}

/** A run stands over the version that its subscription uses. */
function OverRun(props: { id: number; run: string; subscription: number }) {
  const subscription = useQuery({ queryKey: ["subscriptions", props.subscription], queryFn: () => told(api.GET(`${BASE}/subscriptions/{id}`, { params: { path: { id: props.subscription } } })) });
  const trace = useQuery({ queryKey: ["runs", props.run, "trace"], staleTime: Infinity, structuralSharing: false, queryFn: () => exactly<components["schemas"]["RunTrace"]>(api.GET(`${BASE}/runs/{id}/trace`, { params: { path: { id: props.run } }, parseAs: "text" })) });
  const head = headOf(props.id);
  return <Loaded query={subscription} rows={8} head={head}>{(subscription) => <Loaded query={trace} rows={8} head={head}>{(trace) => <OfMonitor id={props.id} version={subscription.version} run={ofTrace(trace, subscription)} />}</Loaded>}</Loaded>;
}

function ofTrace(trace: components["schemas"]["RunTrace"], subscription: components["schemas"]["Subscription"]): ShownRun {
  const began = trace.cards?.[0]?.startedAt;
  const isSame = JSON.stringify(trace.cursorBefore ?? null) === JSON.stringify(trace.cursorAfter ?? null);
  return {
    title: (
      <>
        Run of {subscription.name}
        {began ? (
          <>
            , <When at={began} exact />
          </>
        ) : null}
      </>
    ),
    isGood: trace.error == null,
    error: trace.error?.message,
    cards: trace.cards ?? [],
    cardsRun: trace.cardsRun,
    requests: trace.requests,
    notes: [...trace.notes, ...(trace.leftOut ? [`${trace.leftOut} cards of loops are not shown.`] : [])],
    cursorBefore: trace.cursorBefore,
    cursorAfter: isSame ? undefined : { value: trace.cursorAfter },
    records: undefined,
  };
}
