// Dialogs and drawers: what every one of them does.
import { Drawer, type DrawerProps, Modal, type ModalProps } from "@mantine/core";

import { useReturnedFocus } from "./focus";

/** A dialog over the screen. The focus comes back when it closes. */
export function Dialog(props: ModalProps) {
  useReturnedFocus(props.opened);
  return <Modal {...props} returnFocus={false} />;
}

/** A dialog at the side of the screen. */
export function SideDialog(props: DrawerProps) {
  useReturnedFocus(props.opened);
  return <Drawer {...props} returnFocus={false} />;
}
