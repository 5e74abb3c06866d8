// Choosing one instance among many: the server searches, a page at most is read.
import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../api/client";
import { instances } from "../api/watching";

/** The field. Nothing is asked for before it is used, but the name of what is chosen. */
export function InstancePicker(props: { value: number | undefined; onChange: (id: number | undefined) => void; label?: string; placeholder?: string; size?: string }) {
  const [isUsed, setUsed] = useState(false);
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), 250);
  const chosen = useQuery({
    queryKey: ["instance", props.value],
    queryFn: () => told(api.GET(`${BASE}/instances/{id}`, { params: { path: { id: props.value ?? 0 } } })),
    enabled: props.value !== undefined,
    staleTime: 60_000,
  });
  const name = chosen.data?.name;
  const list = useQuery({
    queryKey: ["instances", "picker", search],
    queryFn: () => instances({ pageSize: 20, ...(search && search !== name ? { search } : {}) }),
    enabled: isUsed,
    placeholderData: keepPreviousData,
  });
  const options = new Map((list.data?.entries ?? []).map((one) => [String(one.id), `${one.name || "Instance"} (${one.id})`]));
  if (props.value !== undefined) options.set(String(props.value), name ? `${name} (${props.value})` : `Instance ${props.value}`);
  return (
    <Select
      label={props.label ?? "Instance"}
      placeholder={props.placeholder ?? "All"}
      searchable
      clearable
      clearButtonProps={{ "aria-label": "All instances" }}
      nothingFoundMessage={list.isFetching ? "Searching…" : "None is called so"}
      data={[...options].map(([value, label]) => ({ value, label }))}
      filter={({ options }) => options}
      value={props.value === undefined ? null : String(props.value)}
      onChange={(value) => props.onChange(value === null ? undefined : Number(value))}
      onFocus={() => setUsed(true)}
      searchValue={undefined}
      onSearchChange={(text) => setTyped(text.replace(/ \(\d+\)$/, ""))}
    />
  );
}
