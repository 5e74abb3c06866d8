// Date formats to choose from; one that is typed anew is kept for future use.
import { Autocomplete, Button, Group, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, BASE, told } from "../../api/client";
import { asFailure, sentence } from "../../api/failure";
import { useMay } from "../../app/session";

const KEY = ["date-formats"] as const;
const COUNTED = ["milliseconds", "seconds", "microseconds"];

/** The formats that there are, built in and kept. */
export function useDateFormats() {
  return useQuery({ queryKey: KEY, queryFn: () => told(api.GET(`${BASE}/date-formats`)), staleTime: 60_000 });
}

/** A list of formats that takes new entries. */
export function DateFormat(props: { label: string; value: string; zone?: string; onChange: (value: string) => void; error?: string | undefined }) {
  const formats = useDateFormats();
  const client = useQueryClient();
  const mayKeep = useMay("member");
  const known = formats.data ?? [];
  const found = known.find(({ format }) => format === props.value);
  const keep = useMutation({
    mutationFn: () => told(api.POST(`${BASE}/date-formats`, { body: { format: props.value, ...(props.zone ? { timezone: props.zone } : {}) } })),
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
  });
  const failure = keep.error ? asFailure(keep.error) : undefined;
  const refusal = failure === undefined ? undefined : failure.faults.length > 0 ? failure.faults.map(sentence).join(" ") : failure.message;
  const isNew = props.value.trim() !== "" && formats.data !== undefined && found === undefined && !COUNTED.includes(props.value);
  const values = [...new Set([...known.map(({ format }) => format), ...COUNTED])];
  const example = (value: string) => known.find(({ format }) => format === value)?.example;
  return (
    <div>
      <Autocomplete
        label={props.label}
        placeholder="Select one, or type your own"
        value={props.value}
        data={values}
        limit={30}
        // All are offered when one is chosen already: it is a list to choose from first.
        filter={({ options, search, limit }) => (values.includes(search) ? options : options.filter((option) => "value" in option && option.value.toLowerCase().includes(search.toLowerCase()))).slice(0, limit)}
        onChange={(value) => {
          keep.reset();
          props.onChange(value);
        }}
        renderOption={({ option }) => (
          <div>
            <Text size="sm" className="mono">
              {option.value}
            </Text>
            <Text size="xs" c="dimmed">
              {example(option.value) ?? "counted since 1970"}
            </Text>
          </div>
        )}
        error={props.error ?? refusal}
        styles={{ input: { fontFamily: "var(--mono)", fontSize: "0.85rem" } }}
      />
      {found ? (
        <Text size="xs" c="dimmed" mt={2}>
          like {found.example}
        </Text>
      ) : null}
      {isNew ? (
        <Group gap="xs" mt={4}>
          <Text size="xs" c="dimmed">
            New: it is kept when you save.
          </Text>
          {mayKeep ? (
            <Button size="compact-xs" variant="default" loading={keep.isPending} onClick={() => keep.mutate()}>
              Keep it now
            </Button>
          ) : null}
        </Group>
      ) : null}
    </div>
  );
}
