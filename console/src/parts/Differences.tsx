// Two versions of a record side by side, with what differs marked by a sign, a word and a ground.
import { Group, Switch, Text } from "@mantine/core";
import { useMemo, useState } from "react";

import { differences } from "./fields";

import "./parts.css";

const SIGNS = { same: "", changed: "≠", added: "+", gone: "−" } as const;
const WORDS = { same: "the same", changed: "changed", added: "added", gone: "gone" } as const;

/** The table; without an earlier version every field is shown as it is. */
export function Differences(props: { before: unknown; after: unknown }) {
  const [isAll, setAll] = useState(false);
  const has = props.before !== undefined;
  const all = useMemo(() => differences(has ? props.before : props.after, props.after), [props.before, props.after, has]);
  const changed = all.filter((one) => one.kind !== "same");
  const shown = has && !isAll && changed.length > 0 ? changed : all;
  return (
    <>
      {has ? (
        <Group justify="space-between" mb="xs">
          <Text size="sm" c="dimmed">
            {changed.length === 0 ? "No field differs." : `${changed.length} of ${all.length} fields differ.`}
          </Text>
          {changed.length > 0 && changed.length < all.length ? <Switch label="All fields" checked={isAll} onChange={(event) => setAll(event.currentTarget.checked)} /> : null}
        </Group>
      ) : null}
      <table className="diff" aria-label={has ? "Before and after" : "Fields"}>
        <thead>
          <tr>
            <th scope="col">Field</th>
            {has ? <th scope="col">Before</th> : null}
            <th scope="col">{has ? "After" : "Value"}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((one) => (
            <tr key={one.path}>
              <th scope="row">
                {SIGNS[one.kind] ? (
                  <b title={WORDS[one.kind]} aria-label={WORDS[one.kind]} role="img">
                    {SIGNS[one.kind]}{" "}
                  </b>
                ) : null}
                {one.path}
              </th>
              {has ? <td className={one.kind === "changed" || one.kind === "gone" ? "diff-mark-gone" : undefined}>{one.before ?? ""}</td> : null}
              <td className={one.kind === "changed" || one.kind === "added" ? "diff-mark-added" : undefined}>{one.after ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
