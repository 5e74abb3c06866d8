export { yaml as default } from "@codemirror/legacy-modes/mode/yaml";
