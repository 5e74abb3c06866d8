// What else can be done with a thing: a button with a menu, whose code comes when somebody goes for it.
import { ActionIcon, Button } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { lazy, type ReactNode, Suspense, useRef, useState } from "react";

const load = () => import("./ActionsMenu");
const ActionsMenu = lazy(load);

/** One of them: it goes somewhere, or does something. */
export interface Action {
  label: string;
  to?: string;
  onClick?: () => void;
  /** It cannot be undone. */
  isDanger?: boolean;
  disabled?: boolean;
}

const SOON_MS = 30;

/** A menu whose code is loaded when somebody goes for its button; `button` is what that is given. */
export function useLaterMenu(load: () => unknown) {
  const [isOpen, setOpen] = useState(false);
  const [isWanted, setWanted] = useState(false);
  const target = useRef<HTMLButtonElement>(null);
  const change = (next: boolean) => {
    setOpen(next);
    if (next) return;
    // The menu remembers nothing of before it was there.
    setTimeout(() => {
      if (document.activeElement === document.body) target.current?.focus({ preventScroll: true });
    }, SOON_MS);
  };
  const want = () => {
    setWanted(true);
    setOpen(true);
  };
  const button = {
    ref: target,
    "aria-haspopup": "menu" as const,
    "aria-expanded": isOpen,
    onPointerEnter: () => void load(),
    onFocus: () => void load(),
    ...(isWanted ? {} : { onClick: want }),
  };
  return { isOpen, isWanted, change, button };
}

/** The button: three dots, or words and a picture where `children` are given. What is not there is left out. */
export function Actions(props: { label: string; actions: readonly (Action | undefined | false)[]; heading?: string; variant?: "subtle" | "default"; size?: string; leftSection?: ReactNode; children?: ReactNode }) {
  const menu = useLaterMenu(load);
  const common = { ...menu.button, variant: props.variant ?? "subtle", color: props.variant === "default" ? undefined : "gray", size: props.size };
  const button = props.children ? (
    <Button {...common} leftSection={props.leftSection}>
      {props.children}
    </Button>
  ) : (
    <ActionIcon {...common} aria-label={props.label}>
      <IconDots size={18} aria-hidden />
    </ActionIcon>
  );
  if (!menu.isWanted) return button;
  return (
    <Suspense fallback={button}>
      <ActionsMenu actions={props.actions.filter((one) => one !== undefined && one !== false)} heading={props.heading} isOpen={menu.isOpen} onChange={menu.change}>
        {button}
      </ActionsMenu>
    </Suspense>
  );
}
