// The first card of a flow: the Polling Monitor event, or the parameters of a helper flow.
import { Button, NativeSelect, Switch } from "@mantine/core";
import { type NodeProps, useUpdateNodeInternals } from "@xyflow/react";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, BASE, told } from "../../../api/client";
import { CURSOR_TYPES, typeLabel } from "../model/catalogue";
import { signatureOf } from "../model/document";
import * as edit from "../model/edit";
import { get, items, members, text } from "../model/json";
import { CONTEXT_FIELDS } from "../model/pins";
import { useCanvas } from "./context";
import { Findings } from "./Findings";
import { GroupIcon } from "./icons";
import { OutputField } from "./OutputField";

/** The node of the event. */
export function EventNode(props: NodeProps) {
  const { flow } = useCanvas();
  return flow === null ? <Monitor id={props.id} /> : <Helper id={props.id} flow={flow} />;
}

function Monitor(props: { id: string }) {
  const { doc, edit: change, isFixed, found, run, openOptions } = useCanvas();
  const connector = text(get(doc, ["connector"]));
  const cursor = text(get(doc, ["cursor"])) ?? "";
  const options = items(get(doc, ["options"])).flatMap((option) => text(members(option)["label"]) ?? []);
  const refresh = useUpdateNodeInternals();
  useEffect(() => refresh(props.id), [refresh, props.id, options.length]);
  const about = found.rest.filter(({ path }) => /^(options|cursor|cursorOverlap|minimumInterval|connector)\b/.test(path));
  return (
    <section className="flow-card flow-event" aria-label="Polling Monitor">
      <header className="flow-head">
        <GroupIcon group="Event" />
        <div className="flow-title">
          <strong>Polling Monitor</strong>
          <span>begins the flow at every poll</span>
        </div>
      </header>
      <div className="flow-row nodrag">
        <Connection connector={connector} />
      </div>
      <div className="flow-row">
        <div className="flow-row-head">
          <span className="flow-name">Options</span>
        </div>
        <Button size="compact-sm" variant="default" className="nodrag" leftSection={<IconPlus size={14} />} onClick={openOptions}>
          {isFixed ? "Options" : options.length === 0 ? "Add Options" : "Change Options"}
        </Button>
      </div>
      <div className="flow-row nodrag">
        <Switch size="sm" checked disabled label="Enable run mode" description="Always on: a polling monitor runs only in a run mode, which its subscription chooses." className="flow-locked" readOnly />
      </div>
      <Findings found={about} />
      <div className="flow-outputs">
        <div className="flow-row nodrag">
          <NativeSelect size="xs" label="Type of Cursor" disabled={isFixed} value={cursor} onChange={({ currentTarget: { value } }) => change((doc) => edit.setCursorType(doc, value))} data={[...new Set([cursor, ...CURSOR_TYPES])].map((type) => ({ value: type, label: type === "" ? "choose a type" : typeLabel(type) }))} />
        </div>
        <OutputField handle="monitor.cursor" label="Cursor" type={cursor} given={run === undefined ? undefined : (run.cursor ?? null)} />
        {options.map((label) => (
          <OutputField key={label} handle={`options.${label}`} label={label} type="text" given={run?.options[label]} />
        ))}
      </div>
    </section>
  );
}

/** Whose connections the flow uses. The list of connectors is asked for when somebody wants to choose. */
function Connection(props: { connector: string | undefined }) {
  const { edit: change, isFixed } = useCanvas();
  const [isWanted, setWanted] = useState(false);
  const query = useQuery({ queryKey: ["elements", "keys"], enabled: isWanted, queryFn: async () => (await told(api.GET(`${BASE}/elements`, { params: { query: { pageSize: 200 } } }))) as { key?: string; name?: string }[] });
  const { connector } = props;
  const listed = (query.data ?? []).flatMap(({ key, name }) => (key === undefined ? [] : [{ value: key, label: name === undefined || name === key ? key : `${name} (${key})` }]));
  const missing = connector === undefined || listed.some(({ value }) => value === connector) ? [] : [{ value: connector, label: connector }];
  return <NativeSelect size="xs" label="Connection" description="That of the instance which subscribes" disabled={isFixed} value={connector ?? ""} onFocus={() => setWanted(true)} onChange={({ currentTarget: { value } }) => change((doc) => edit.setTop(doc, "connector", value === "" ? undefined : value))} data={[{ value: "", label: "of any connector" }, ...missing, ...listed]} />;
}

function Helper(props: { id: string; flow: string }) {
  const { doc, isFixed, found, openSignature } = useCanvas();
  const signature = signatureOf(doc, props.flow);
  const inputs = signature?.inputs ?? [];
  const refresh = useUpdateNodeInternals();
  const names = inputs.map(({ name }) => name).join("\n");
  useEffect(() => refresh(props.id), [refresh, props.id, names]);
  return (
    <section className="flow-card flow-event" aria-label={`Helper Flow ${props.flow}`}>
      <header className="flow-head">
        <GroupIcon group="Event" />
        <div className="flow-title">
          <strong>Helper Flow</strong>
          <span>{props.flow}</span>
        </div>
      </header>
      <Findings found={found.flows.get(props.flow)} />
      <div className="flow-row flow-buttons">
        <Button size="compact-sm" variant="default" className="nodrag" onClick={() => openSignature("inputs")}>
          {isFixed ? "Inputs" : inputs.length === 0 ? "Add Inputs" : "Change Inputs"}
        </Button>
        <Button size="compact-sm" variant="default" className="nodrag" onClick={() => openSignature("outputs")}>
          {isFixed ? "Outputs" : (signature?.outputs.length ?? 0) === 0 ? "Add Outputs" : "Change Outputs"}
        </Button>
      </div>
      <p className="flow-hint">Returns {signature === undefined || signature.outputs.length === 0 ? "nothing yet" : signature.outputs.map(({ name }) => name).join(", ")}.</p>
      <div className="flow-outputs">
        {inputs.map(({ name, type }) => (
          <OutputField key={name} handle={`inputs.${name}`} label={name} type={type} given={undefined} />
        ))}
        {CONTEXT_FIELDS.slice(1, 2).map(({ name, type }) => (
          <OutputField key={name} handle={`context.${name}`} label={`context ${name}`} type={type} given={undefined} />
        ))}
      </div>
    </section>
  );
}
