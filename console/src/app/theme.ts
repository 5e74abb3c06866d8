import { createTheme, type CSSVariablesResolver } from "@mantine/core";

const LIST = { defaultProps: { withScrollArea: false }, styles: { options: { maxHeight: 240, overflowY: "auto" as const } } };

/** The console's look: quiet greys, one teal, and colours that keep 4.5:1 against their ground. */
export const theme = createTheme({
  primaryColor: "teal",
  primaryShade: 9,
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SFMono-Regular', 'DejaVu Sans Mono', Menlo, Consolas, monospace",
  headings: { sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.15rem" }, h3: { fontSize: "1rem" } } },
  components: {
    Anchor: { defaultProps: { underline: "hover" } },
    // A menu begins at its first entry; the library's place before it is none that a menu may hold.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    // What is wider than the window scrolls in itself, by keyboard too.
    TableScrollContainer: { defaultProps: { type: "native", tabIndex: 0 } },
    Table: { defaultProps: { verticalSpacing: "xs", highlightOnHover: true } },
    Modal: { defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } },
    // The list itself scrolls: so it is part of its field, and no stop of its own for the keyboard.
    Autocomplete: LIST,
    MultiSelect: LIST,
    Select: LIST,
    TagsInput: LIST,
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
  },
});

/** Greys and reds of the library that are too faint for small text, made strong enough for 4.5:1. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#565d64",
    "--mantine-color-placeholder": "#6a7178",
    "--mantine-color-error": "#b02525",
    "--mantine-color-anchor": "#08636b",
  },
  dark: {
    "--mantine-color-dimmed": "#a9b0b8",
    "--mantine-color-placeholder": "#959ca4",
    "--mantine-color-error": "#ffa3a3",
    "--mantine-color-anchor": "#63e6be",
  },
});
