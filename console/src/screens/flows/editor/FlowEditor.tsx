// A flow under edit: the canvas or the document, what can be done with it, and what a run brought.
import { Alert, Anchor, Button, Center, Loader, SegmentedControl, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconPlus } from "@tabler/icons-react";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import { Link, useLocation } from "wouter";

import { api, BASE } from "../../../api/client";
import { asFailure } from "../../../api/failure";
import type { components } from "../../../api/schema";
import { useMay } from "../../../app/session";
import { Dialog } from "../../../parts/Dialog";
import { useAddress } from "../../../parts/address";
import { Json as Printed } from "../../../parts/Json";
import { Later } from "../../../parts/Later";
import { Refusal } from "../../../parts/Loaded";
import { done } from "../../../parts/said";
import { Screen } from "../../../parts/Screen";
import { forgetUnread, UnreadScope, unreadSentence, useUnreadOf } from "../../../parts/unread";
import type { CanvasValue, Found, RunValues } from "../canvas/context";
import { Findings } from "../canvas/Findings";
import { type Card, type FlowName, helperNames } from "../model/document";
import { addCard, emptyMonitor } from "../model/edit";
import { byPlace } from "../model/findings";
import { get, type Json, type Path, set, text } from "../model/json";
import { exactly } from "./exactly";
import { FlowTabs } from "./FlowTabs";
import { ImportButton, type Imported, ImportNotes } from "./ImportButton";
import type { Ran, RunChoice } from "./RunDialog";
import type { ShownRun } from "./RunPanel";
import { Toolbar } from "./Toolbar";
import { useCheck } from "./useCheck";
import { useDocument } from "./useDocument";

const Canvas = lazy(() => import("../canvas/Canvas"));
const RunPanel = lazy(async () => ({ default: (await import("./RunPanel")).RunPanel }));
const AddCard = lazy(async () => ({ default: (await import("../dialogs/AddCard")).AddCard }));
const AddEvent = lazy(async () => ({ default: (await import("../dialogs/AddEvent")).AddEvent }));
const CardDialog = lazy(async () => ({ default: (await import("../dialogs/CardDialog")).CardDialog }));
const DeployDialog = lazy(async () => ({ default: (await import("./DeployDialog")).DeployDialog }));
const HistoryDrawer = lazy(async () => ({ default: (await import("./HistoryDrawer")).HistoryDrawer }));
const OptionsDialog = lazy(async () => ({ default: (await import("../dialogs/OptionsDialog")).OptionsDialog }));
const OutputsDialog = lazy(async () => ({ default: (await import("../dialogs/OutputsDialog")).OutputsDialog }));
const RemoveFlow = lazy(async () => ({ default: (await import("./RemoveFlow")).RemoveFlow }));
const RunDialog = lazy(async () => ({ default: (await import("./RunDialog")).RunDialog }));
const SaveDialog = lazy(async () => ({ default: (await import("./SaveDialog")).SaveDialog }));
const SignatureDialog = lazy(async () => ({ default: (await import("../dialogs/SignatureDialog")).SignatureDialog }));
const DocumentView = lazy(() => import("./DocumentView"));

type Monitor = components["schemas"]["Monitor"];

/** What is shown: a new flow, a monitor's draft, a version of it, or a run over one. */
export interface Opened {
  monitor: Monitor | undefined;
  connector: string | undefined;
  version: { number: number; document: Json } | undefined;
  run: ShownRun | undefined;
}

type Asked = "event" | "outputs" | "options" | "save" | "run" | "deploy" | "history" | "remove";

/** The editor. */
export function FlowEditor(props: { opened: Opened }) {
  const { monitor, version } = props.opened;
  const [, go] = useLocation();
  const client = useQueryClient();
  const mayEdit = useMay("admin");
  const isFixed = version !== undefined || !mayEdit;
  const saved = version?.document ?? (monitor?.draft as Json | undefined);
  const key = isFixed ? undefined : `flow:${monitor?.id ?? `new:${props.opened.connector ?? ""}`}`;
  const edited = useDocument(saved, key);
  const { doc } = edited;
  const checked = useCheck(version === undefined ? doc : undefined);
  const [address, change] = useAddress();
  const view = address.get("view") === "document" ? "document" : "canvas";
  const [flow, setFlow] = useState<FlowName>(null);
  const [zoom, setZoom] = useState<number | undefined>(1);
  const [dialog, setDialog] = useState<Asked>();
  const [adding, setAdding] = useState<{ list: Path; at: number }>();
  const [settings, setSettings] = useState<Card>();
  const [side, setSide] = useState<"inputs" | "outputs">();
  const [shown, setShown] = useState<{ title: string; value: unknown }>();
  const [imported, setImported] = useState<Imported>();
  const [ran, setRan] = useState<Ran>();
  const [choice, setChoice] = useState<RunChoice>({ instance: "", cursor: "", options: {} });
  const name = monitor?.name ?? text(get(doc, ["name"])) ?? "";
  const here: FlowName = flow !== null && doc !== undefined && helperNames(doc).includes(flow) ? flow : null;

  const save = useMutation({
    mutationFn: async (chosen: { name: string; revision: number | undefined }): Promise<Monitor> => {
      const document = set(doc, ["name"], chosen.name) as Record<string, never>;
      if (monitor === undefined) return exactly(api.POST(`${BASE}/monitors`, { body: { name: chosen.name, document }, parseAs: "text" }));
      return exactly(api.PUT(`${BASE}/monitors/{id}`, { params: { path: { id: monitor.id } }, body: { name: chosen.name, document, revision: chosen.revision }, parseAs: "text" }));
    },
    onSuccess: (next) => {
      edited.start(next.draft as Json, true);
      setDialog(undefined);
      client.setQueryData(["monitors", "one", next.id], next);
      void client.invalidateQueries({ queryKey: ["monitors", "list"] });
      done(`${next.name} is saved.`);
      if (monitor === undefined) {
        sessionStorage.removeItem(key ?? "");
        go(`/monitors/${next.id}${view === "document" ? "?view=document" : ""}`, { replace: true });
      }
    },
  });
  const failure = save.error === null ? undefined : asFailure(save.error);
  const scope = key ?? "";
  const unread = useUnreadOf(scope);
  const [isHeld, setHeld] = useState(false);
  const startSaving = () => {
    save.reset();
    setHeld(unread.length > 0);
    if (unread.length > 0) return;
    if (monitor === undefined) setDialog("save");
    else save.mutate({ name, revision: monitor.revision });
  };

  const tried = useMemo(() => (ran === undefined ? undefined : ofTest(ran)), [ran]);
  const run: ShownRun | undefined = props.opened.run ?? tried;
  const latest = useRef(doc);
  latest.current = doc;
  const values = useMemo<RunValues | undefined>(() => (run === undefined ? undefined : { steps: byPlace(run.cards), cursor: run.cursorBefore, options: ran?.options ?? {} }), [run, ran]);
  const value: CanvasValue | undefined =
    doc === undefined
      ? undefined
      : {
          doc,
          now: () => latest.current ?? doc,
          flow: here,
          isFixed,
          edit: edited.edit,
          found: checked.found,
          run: values,
          openAdd: (list, at) => setAdding({ list, at }),
          openCard: setSettings,
          openOutputs: () => setDialog("outputs"),
          openOptions: () => setDialog("options"),
          openSignature: setSide,
          openFlow: setFlow,
          openValue: (title, value) => setShown({ title, value }),
        };
  const crumbs = [{ label: "Monitors", to: "/monitors" }, ...(version !== undefined && monitor !== undefined ? [{ label: monitor.name, to: `/monitors/${monitor.id}` }] : [])];
  const title = version !== undefined ? `${name}, version ${version.number}` : monitor === undefined && name === "" ? "New flow" : name;
  const rest = checked.found.rest.filter(({ path }) => !/^(options|cursor|cursorOverlap|minimumInterval|connector|outputs|record)\b/.test(path));

  return (
    <Screen
      title={title}
      crumbs={crumbs}
      about={<About opened={props.opened} isChanged={edited.isChanged} mayEdit={mayEdit} />}
      actions={doc === undefined ? null : <Toolbar monitor={monitor} isFixed={isFixed} isOld={version !== undefined} mayRun={mayEdit && version === undefined} edited={edited} checked={checked} isUnread={unread.length > 0} isSaving={save.isPending} onSave={startSaving} onSaveAs={() => (unread.length > 0 ? setHeld(true) : setDialog("save"))} onOpen={setDialog} />}
    >
      {edited.isRestored ? (
        <Alert color="blue" title="Changes that were not saved are here again">
          <Button size="xs" variant="default" onClick={() => { forgetUnread(scope); edited.start(saved, true); }}>
            {monitor === undefined ? "Begin anew" : "Take what is saved"}
          </Button>
        </Alert>
      ) : null}
      {imported ? <ImportNotes about={imported} onClose={() => setImported(undefined)} /> : null}
      {failure !== undefined && dialog !== "save" ? (
        <Refusal error={failure} title="It is not saved; what you made is kept" faults={false} />
      ) : null}
      {failure?.status === 409 && monitor !== undefined && dialog !== "save" ? (
        <Button variant="default" style={{ alignSelf: "flex-start" }} onClick={() => save.mutate({ name, revision: undefined })}>
          Save over the newest draft
        </Button>
      ) : null}
      {checked.error ? <Refusal error={checked.error} title="The flow cannot be checked" /> : null}
      {value === undefined || doc === undefined ? (
        <Empty
          isFixed={isFixed}
          onAdd={() => setDialog("event")}
          onImported={(doc, about) => {
            edited.start(doc, false);
            setImported(about);
          }}
        />
      ) : (
        <>
          <FlowTabs doc={doc} flow={here} isFixed={isFixed} faults={(name) => count(checked.found, name)} onFlow={setFlow} edit={edited.edit} />
          <Findings found={rest} />
          {unread.length > 0 && (isHeld || view === "canvas") ? <Alert color={isHeld ? "red" : "orange"} role="alert">{unreadSentence(unread)}</Alert> : null}
          <SegmentedControl aria-label="View" style={{ alignSelf: "flex-start" }} value={view} onChange={(next) => change({ view: next === "canvas" ? undefined : next })} data={[{ value: "canvas", label: "Canvas" }, { value: "document", label: "Document" }]} />
          <Suspense fallback={<Center mih={300}><Loader aria-label="Loading" /></Center>}>
            {view === "canvas" ? <Canvas value={value} zoom={zoom} label={here === null ? "Canvas of the monitor" : `Canvas of ${here}`} /> : <UnreadScope value={scope}><DocumentView doc={doc} isFixed={isFixed} found={everything(checked.found)} onChange={(next) => edited.edit(() => next)} /></UnreadScope>}
          </Suspense>
          {view === "canvas" ? <Zoom zoom={zoom} onZoom={setZoom} /> : null}
          {run ? (
            <Suspense fallback={null}>
              <RunPanel run={run} {...(props.opened.run === undefined ? { onClose: () => setRan(undefined) } : {})} />
            </Suspense>
          ) : null}
          <Later when={adding !== undefined}>
            <AddCard
              isOpen={adding !== undefined}
              isMain={here === null}
              onClose={() => setAdding(undefined)}
              onPick={(id) => {
                if (adding) edited.edit((doc) => addCard(doc, adding.list, adding.at, id));
                setAdding(undefined);
              }}
            />
          </Later>
          <Later when={dialog === "outputs"}>
            <OutputsDialog isOpen={dialog === "outputs"} doc={doc} isFixed={isFixed} onClose={() => setDialog(undefined)} onApply={edited.edit} />
          </Later>
          <Later when={dialog === "options"}>
            <OptionsDialog isOpen={dialog === "options"} doc={doc} isFixed={isFixed} onClose={() => setDialog(undefined)} onApply={edited.edit} />
          </Later>
          <Later when={side !== undefined}>
            <SignatureDialog side={side} flow={here} doc={doc} isFixed={isFixed} onClose={() => setSide(undefined)} onApply={edited.edit} />
          </Later>
          <Later when={settings !== undefined}>
            <CardDialog card={settings} doc={doc} isFixed={isFixed} onClose={() => setSettings(undefined)} onApply={edited.edit} />
          </Later>
          <Later when={dialog === "save"}>
            <SaveDialog isOpen={dialog === "save"} name={name} isPending={save.isPending} failure={failure} onClose={() => setDialog(undefined)} onSave={(name) => save.mutate({ name, revision: monitor?.revision })} />
          </Later>
          <Later when={dialog === "run"}>
            <RunDialog isOpen={dialog === "run"} doc={set(doc, ["name"], name === "" ? "New flow" : name)} monitor={monitor?.id} connector={text(get(doc, ["connector"]))} options={checked.options} choice={choice} last={ran} onChoice={setChoice} onClose={() => setDialog(undefined)} onRan={setRan} />
          </Later>
          <Later when={dialog === "deploy"}>
            {monitor ? <DeployDialog isOpen={dialog === "deploy"} monitor={monitor} checked={checked} isChanged={edited.isChanged} onClose={() => setDialog(undefined)} /> : null}
          </Later>
          <Later when={dialog === "history"}>
            {monitor ? <HistoryDrawer isOpen={dialog === "history"} monitor={monitor.id} onClose={() => setDialog(undefined)} /> : null}
          </Later>
          <Later when={dialog === "remove"}>
            {monitor ? <RemoveFlow isOpen={dialog === "remove"} monitor={monitor} onClose={() => setDialog(undefined)} onRemoved={() => { forgetUnread(scope); edited.start(saved, true); }} /> : null}
          </Later>
        </>
      )}
      <Later when={dialog === "event"}>
        <AddEvent
          isOpen={dialog === "event"}
          onClose={() => setDialog(undefined)}
          onPick={() => {
            edited.start(emptyMonitor(props.opened.connector), false);
            setDialog(undefined);
          }}
        />
      </Later>
      <Dialog opened={shown !== undefined} onClose={() => setShown(undefined)} title={shown?.title ?? ""} size="lg">
        {shown ? <Printed value={shown.value} label={shown.title} height={480} /> : null}
      </Dialog>
    </Screen>
  );
}

function ofTest(ran: Ran): ShownRun {
  const { result } = ran;
  return {
    title: "Run",
    isGood: result.ok,
    error: result.error?.message,
    cards: result.cards ?? [],
    cardsRun: result.cardsRun,
    requests: result.requests,
    notes: result.notes,
    cursorBefore: ran.cursor,
    cursorAfter: result.savesCursor ? { value: result.cursor } : undefined,
    records: { count: result.recordCount, first: result.records },
  };
}

/** All findings in one list, for the text. */
function everything(found: CanvasValue["found"]): Found[] {
  return [...found.inputs.values(), ...found.cards.values(), ...found.flows.values(), found.rest].flat();
}

function count(found: CanvasValue["found"], flow: FlowName): number {
  const faults = (lists: Iterable<Found[]>) => [...lists].flat().filter(({ isFault }) => isFault);
  const inside = (path: string) => (path.startsWith("flows.") ? path.split(".")[1] : null);
  const all = [...faults(found.inputs.values()), ...faults(found.cards.values()), ...faults(found.flows.values())];
  return all.filter(({ path }) => (inside(path)?.replace(/\[.*$/, "") ?? null) === flow).length;
}

function About(props: { opened: Opened; isChanged: boolean; mayEdit: boolean }) {
  const { monitor, version } = props.opened;
  if (version !== undefined) {
    return (
      <>
        This version never changes.{" "}
        <Anchor component={Link} href={`/monitors/${monitor?.id}`} size="sm" underline="always">
          Open the draft
        </Anchor>
      </>
    );
  }
  if (!props.mayEdit) return "Reading: writing a flow needs an admin.";
  if (monitor === undefined) return "Not saved yet";
  return [props.isChanged ? "Changed, not saved" : "Saved", monitor.version == null ? "not deployed" : monitor.changed ? `version ${monitor.version} is deployed, the draft is newer` : `deployed as version ${monitor.version}`].join(" · ");
}

function Empty(props: { isFixed: boolean; onAdd: () => void; onImported: (doc: Json, about: Imported) => void }) {
  return (
    <div className="flow-scroll flow-empty" style={{ minHeight: 380, display: "grid", placeItems: "center", border: "1px dashed var(--mantine-color-default-border)", borderRadius: 8 }}>
      <Stack align="center" gap="sm" p="xl" ta="center">
        <Text fw={600}>A flow begins with an event.</Text>
        <Text size="sm" c="dimmed" maw="30rem">
          A polling monitor asks an API at regular intervals for what is new. It keeps a cursor from run to run, and returns records.
        </Text>
        <Button leftSection={<IconPlus size={16} />} onClick={props.onAdd} disabled={props.isFixed}>
          Add event
        </Button>
        {props.isFixed ? null : <ImportButton onImported={props.onImported} />}
      </Stack>
    </div>
  );
}

const WHOLE = "whole";
const SIZES = [...[0.5, 0.75, 1, 1.25].map((size) => ({ value: String(size), label: `${size * 100} %` })), { value: WHOLE, label: "Whole flow" }];

function Zoom(props: { zoom: number | undefined; onZoom: (zoom: number | undefined) => void }) {
  return <SegmentedControl size="xs" aria-label="Size of the canvas" style={{ alignSelf: "flex-end" }} value={String(props.zoom ?? WHOLE)} onChange={(value) => props.onZoom(value === WHOLE ? undefined : Number(value))} data={SIZES} />;
}
