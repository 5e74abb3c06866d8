export { json as default } from "@codemirror/legacy-modes/mode/javascript";
