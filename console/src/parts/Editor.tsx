import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, defaultHighlightStyle, HighlightStyle, indentOnInput, StreamLanguage, type StreamParser, syntaxHighlighting } from "@codemirror/language";
import { Annotation, Compartment, EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useComputedColorScheme } from "@mantine/core";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";

/** What an editor shows. */
export interface EditorProps {
  value: string;
  onChange?: (value: string) => void;
  language: "json" | "javascript" | "yaml";
  height?: number;
  labelledBy: string;
}

const dark = HighlightStyle.define([
  { tag: [tags.keyword, tags.bool, tags.null], color: "#d0a8ff" },
  { tag: [tags.string, tags.special(tags.string)], color: "#a5e3ab" },
  { tag: tags.number, color: "#ffc78a" },
  { tag: [tags.propertyName, tags.definition(tags.variableName)], color: "#a5d0ff" },
  { tag: tags.comment, color: "#a6adb5" },
]);

/** Marks a change that came from outside: nobody typed it, so nobody is told of it. */
const fromOutside = Annotation.define<boolean>();

/** How each language is read line by line, which colours and indents it; whole grammars weigh ten times as much. */
const LANGUAGES: Record<EditorProps["language"], () => Promise<{ default: StreamParser<unknown> }>> = {
  json: () => import("./editor/json"),
  javascript: () => import("./editor/javascript"),
  yaml: () => import("./editor/yaml"),
};

function look(isDark: boolean, height: number | undefined) {
  return [
    syntaxHighlighting(isDark ? dark : defaultHighlightStyle),
    EditorView.theme(
      {
        "&": { border: "1px solid var(--mantine-color-default-border)", borderRadius: "6px", background: "var(--mantine-color-body)", fontSize: "13px" },
        "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)" },
        ".cm-scroller": { fontFamily: "var(--mono)", minHeight: `${height ?? 200}px`, maxHeight: `${Math.max(height ?? 200, 420)}px`, overflow: "auto" },
        ".cm-gutters": { background: "transparent", border: "none", color: "var(--mantine-color-dimmed)" },
        ".cm-content": { caretColor: isDark ? "#fff" : "#000" },
      },
      { dark: isDark },
    ),
  ];
}

/** The editor itself. Tab indents; Escape first lets Tab go on to the next field. */
export default function Editor(props: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const change = useRef(props.onChange);
  const looks = useRef(new Compartment());
  const isDark = useComputedColorScheme("light") === "dark";
  change.current = props.onChange;

  useEffect(() => {
    if (place.current === null) return;
    const language = new Compartment();
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: props.value,
        extensions: [
          lineNumbers(),
          history(),
          indentOnInput(),
          bracketMatching(),
          keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.lineWrapping,
          EditorState.readOnly.of(props.onChange === undefined),
          // Escape is the editor's own key: it does not close the dialog around it.
          EditorView.contentAttributes.of({ "data-mantine-stop-propagation": "true", "aria-labelledby": props.labelledBy, "aria-describedby": `${props.labelledBy}-keys`, role: "textbox", "aria-multiline": "true", tabindex: "0" }),
          EditorView.updateListener.of((update) => {
            const isTyped = !update.transactions.some((one) => one.annotation(fromOutside) === true);
            if (update.docChanged && isTyped) change.current?.(update.state.doc.toString());
          }),
          language.of([]),
          looks.current.of(look(isDark, props.height)),
        ],
      }),
    });
    view.current = made;
    let isGone = false;
    // The text is there at once; its colours come with its language.
    void LANGUAGES[props.language]().then((loaded) => {
      if (!isGone) made.dispatch({ effects: language.reconfigure(StreamLanguage.define(loaded.default)) });
    });
    return () => {
      isGone = true;
      made.destroy();
    };
    // The editor is made once per language; its text and its look are changed below.
  }, [props.language, props.labelledBy, props.onChange === undefined]);

  useEffect(() => {
    view.current?.dispatch({ effects: looks.current.reconfigure(look(isDark, props.height)) });
  }, [isDark, props.height]);

  useEffect(() => {
    const shown = view.current;
    if (shown && shown.state.doc.toString() !== props.value) {
      shown.dispatch({ changes: { from: 0, to: shown.state.doc.length, insert: props.value }, annotations: fromOutside.of(true) });
    }
  }, [props.value]);

  return <div ref={place} />;
}
