// Dialogs and drawers: what every one of them does.
import type { DrawerProps, ModalProps } from "@mantine/core";
import { lazy } from "react";

import { useReturnedFocus } from "./focus";
import { Later } from "./Later";

const modals = () => import("./modals");
const Modal = lazy(async () => ({ default: (await modals()).Modal }));
const Drawer = lazy(async () => ({ default: (await modals()).Drawer }));

/** A dialog over the screen. The focus comes back when it closes. */
export function Dialog(props: ModalProps) {
  useReturnedFocus(props.opened);
  return (
    <Later when={props.opened}>
      <Modal {...props} returnFocus={false} />
    </Later>
  );
}

/** A dialog at the side of the screen. */
export function SideDialog(props: DrawerProps) {
  useReturnedFocus(props.opened);
  return (
    <Later when={props.opened}>
      <Drawer {...props} returnFocus={false} />
    </Later>
  );
}
