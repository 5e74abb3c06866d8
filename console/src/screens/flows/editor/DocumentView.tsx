// The document as a text that follows the canvas, and that the canvas follows.
import { Alert, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

import { Code } from "../../../parts/Code";
import { useUnread } from "../../../parts/unread";
import type { Found } from "../canvas/context";
import { Findings } from "../canvas/Findings";
import type { Json } from "../model/json";
import { type Language, read, written } from "../model/text";

/** Shows and takes the text. While it cannot be read, the canvas keeps what it had. */
export default function DocumentView(props: { doc: Json; isFixed: boolean; found: readonly Found[]; onChange: (doc: Json) => void }) {
  const { doc, onChange, isFixed } = props;
  const [language, setLanguage] = useState<Language>("yaml");
  const [text, setText] = useState(() => written(doc, language));
  const [unread, setUnread] = useUnread("the document");
  const fault = unread?.problem;
  const own = useRef(doc);
  useEffect(() => {
    if (own.current === doc) return;
    own.current = doc;
    setText(written(doc, language));
    setUnread(undefined);
  }, [doc, language, setUnread]);
  const change = (next: string) => {
    setText(next);
    const found = read(next, language);
    if ("fault" in found) return setUnread({ text: next, problem: found.fault });
    setUnread(undefined);
    own.current = found.doc;
    onChange(found.doc);
  };
  const toggle = (next: string) => {
    setLanguage(next as Language);
    setText(written(doc, next as Language));
  };
  const back = () => {
    setUnread(undefined);
    setText(written(doc, language));
  };
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <SegmentedControl size="xs" aria-label="Language of the document" value={language} disabled={fault !== undefined} onChange={toggle} data={[{ value: "yaml", label: "YAML" }, { value: "json", label: "JSON" }]} />
        <Text size="xs" c="dimmed">
          The canvas follows what is typed here. Comments of YAML are not kept: use a card's remark.
        </Text>
      </Group>
      {fault ? (
        <Alert color="red" role="alert" title="This text cannot be read; the canvas stays as it was">
          <Text className="mono">{fault}</Text>
          <Button size="xs" variant="default" mt="xs" onClick={back}>
            Take it back to what it was
          </Button>
        </Alert>
      ) : null}
      <Code label="Document" language={language} height={420} value={unread?.text ?? text} {...(isFixed ? {} : { onChange: change })} />
      <Findings found={props.found} hasPlaces />
    </Stack>
  );
}
