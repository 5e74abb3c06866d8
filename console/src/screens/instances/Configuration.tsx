// The settings that count for an instance, its own and those it has from its connector.
import { useQuery } from "@tanstack/react-query";

import { api, BASE, told } from "../../api/client";
import type { components } from "../../api/schema";
import { Json } from "../../parts/Json";
import { Loaded } from "../../parts/Loaded";
import { Nothing } from "../../parts/Nothing";
import { type Column, Rows } from "../../parts/Rows";

type Entry = components["schemas"]["Entry"];

const COLUMNS: Column<Entry>[] = [
  { head: "Setting", cell: (entry) => <>{entry.name === entry.key ? null : <div>{entry.name}</div>}<div className="mono">{entry.key}</div></> },
  { head: "Value", cell: (entry) => (/^\s*[[{]/.test(entry.propertyValue) ? <Json value={entry.propertyValue} label={`Value of ${entry.name}`} height={220} /> : entry.propertyValue || <em>empty</em>) },
  { head: "From", cell: (entry) => (entry.own ? "this instance" : "its connector") },
];

/** Them, to read; they are changed where the instance is edited. */
export function Configuration(props: { instance: number }) {
  const query = useQuery({ queryKey: ["instance", props.instance, "configuration"], queryFn: () => told(api.GET(`${BASE}/instances/{id}/configuration`, { params: { path: { id: props.instance } } })) });
  return <Loaded query={query}>{(entries) => (entries.length === 0 ? <Nothing title="No settings" text="This instance takes all of its settings from its connector." /> : <Rows label="Settings" columns={COLUMNS} rows={entries} keyOf={(entry) => entry.key} />)}</Loaded>;
}
