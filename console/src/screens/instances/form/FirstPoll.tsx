// What the first poll reports, of all resources at once; under Advanced each can say otherwise.
import { Group, Radio, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import type { Members } from "../../../api/trying";
import { asMembers } from "../../../parts/polling/Resources";

type Choice = "now" | "since" | "beginning";

/** What the resources say together; `differs` where they do not agree. */
export function startOf(polled: Members): string | undefined | "differs" {
  const said = Object.values(polled).map((settings) => {
    const from = asMembers(settings)["startFrom"];
    return from === undefined || from === "now" ? undefined : String(from);
  });
  const first = said[0];
  return said.every((one) => one === first) ? first : "differs";
}

/** The choice. `value` is nothing for "from now". */
export function FirstPoll(props: { value: string | undefined | "differs"; onChange: (value: string | undefined) => void; disabled?: string | undefined }) {
  const { value } = props;
  const [since, setSince] = useState(() => (value !== undefined && /^\d/.test(value) ? value.slice(0, 16) : ""));
  const [isSince, setIsSince] = useState(value !== undefined && /^\d/.test(value));
  const choice: Choice | "" = isSince ? "since" : value === "differs" ? "" : value === undefined ? "now" : value === "beginning" ? "beginning" : "since";
  const choose = (next: Choice) => {
    setIsSince(next === "since");
    if (next === "now") props.onChange(undefined);
    else if (next === "beginning") props.onChange("beginning");
    else if (since !== "") props.onChange(instant(since));
  };
  return (
    <div>
      <Radio.Group label="What the first poll reports" description={props.disabled ?? "Records that are there already: none of them, those that changed since a date, or all of them."} value={choice} onChange={(next) => choose(next as Choice)}>
        <Group mt={6} gap="lg" align="center">
          <Radio value="now" label="From now" disabled={props.disabled !== undefined} />
          <Radio value="since" label="Since a date" disabled={props.disabled !== undefined} />
          <Radio value="beginning" label="Everything" disabled={props.disabled !== undefined} />
        </Group>
      </Radio.Group>
      {isSince ? (
        <TextInput
          mt="xs"
          type="datetime-local"
          label="Since"
          description="In UTC."
          value={since}
          maw={260}
          onChange={(event) => {
            setSince(event.currentTarget.value);
            if (event.currentTarget.value !== "") props.onChange(instant(event.currentTarget.value));
          }}
        />
      ) : null}
      {value === "differs" ? (
        <Text size="sm" c="dimmed" mt={4}>
          The resources say different things; a choice here sets all of them.
        </Text>
      ) : null}
    </div>
  );
}

function instant(local: string): string {
  return `${local.length === 16 ? `${local}:00` : local}Z`;
}
