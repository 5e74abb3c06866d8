// The editor for JSON, JavaScript and YAML. It is loaded when it is shown first.
import { Input, Skeleton, Text } from "@mantine/core";
import { lazy, Suspense, useId } from "react";

import type { EditorProps } from "./Editor";

import "./parts.css";

const Editor = lazy(() => import("./Editor"));

/** A labelled editor. `error` stands below it, as at every other field; Escape and then Tab leave it by keyboard. */
export function Code(props: Omit<EditorProps, "labelledBy"> & { label: string; description?: string; error?: string | undefined }) {
  const { label, description, error, ...editor } = props;
  const id = useId();
  return (
    <Input.Wrapper className="code" label={label} labelElement="div" labelProps={{ id }} description={description} error={error}>
      <Suspense fallback={<Skeleton h={editor.height ?? 200} />}>
        <Editor {...editor} labelledBy={id} />
      </Suspense>
      {editor.onChange === undefined ? null : (
        <Text size="xs" c="dimmed" className="code-keys" id={`${id}-keys`}>
          Tab indents; Escape and then Tab leaves the editor.
        </Text>
      )}
    </Input.Wrapper>
  );
}
