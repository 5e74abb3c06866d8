export { javascript as default } from "@codemirror/legacy-modes/mode/javascript";
