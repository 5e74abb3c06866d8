// The library's dialogs: they are loaded when one is opened first.
export { Drawer, Modal } from "@mantine/core";
