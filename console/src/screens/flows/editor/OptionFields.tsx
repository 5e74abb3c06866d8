// Values of a monitor's options.
import { NativeSelect, Stack, TextInput } from "@mantine/core";

import type { components } from "../../../api/schema";

/** Fields for the options. A dropdown whose values come from a flow takes what is typed. */
export function OptionFields(props: { options: readonly components["schemas"]["OptionBody"][]; values: Record<string, string>; faults?: (label: string) => string | undefined; onChange: (values: Record<string, string>) => void }) {
  const put = (label: string, value: string) => {
    const next = { ...props.values, [label]: value };
    if (value === "") delete next[label];
    props.onChange(next);
  };
  return (
    <Stack gap="xs">
      {props.options.map(({ label, required, values, flow }) =>
        values ? (
          <NativeSelect key={label} label={label} withAsterisk={required} error={props.faults?.(label)} value={props.values[label] ?? ""} onChange={(event) => put(label, event.currentTarget.value)} data={[{ value: "", label: "not chosen" }, ...values.map(({ display, value }) => ({ value, label: display }))]} />
        ) : (
          <TextInput key={label} label={label} withAsterisk={required} error={props.faults?.(label)} description={flow ? `The helper flow ${flow} lists its values.` : undefined} value={props.values[label] ?? ""} onChange={(event) => put(label, event.currentTarget.value)} />
        ),
      )}
    </Stack>
  );
}
