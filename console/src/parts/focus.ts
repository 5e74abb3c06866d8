// Keeps the focus where somebody had it: a dialog gives it back to what opened it, also when that was an entry of a menu
// which is gone by then, and a button that rests while it works has it again afterwards.
import { useEffect, useRef } from "react";

/** What had the focus last; of a menu it is what opens the menu. */
let last: HTMLElement | undefined;

/** What is there when everything else is gone: the screen itself. */
const SCREEN = "screen";

const awake = new MutationObserver(() => {
  if (last !== undefined && !last.matches(":disabled") && isNowhere()) last.focus({ preventScroll: true });
});

function isNowhere(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

function remember(event: FocusEvent): void {
  if (!(event.target instanceof HTMLElement)) return;
  const menu = event.target.closest("[role=menu]");
  const opener = menu === null ? event.target : document.querySelector(`[aria-controls="${menu.id}"]`);
  if (!(opener instanceof HTMLElement) || opener === last) return;
  last = opener;
  awake.disconnect();
  if (opener instanceof HTMLButtonElement) awake.observe(opener, { attributes: true, attributeFilter: ["disabled"] });
}

document.addEventListener("focusin", remember);

const SOON_MS = 20;

/** Gives the focus back when what is opened is closed. */
export function useReturnedFocus(isOpen: boolean): void {
  const from = useRef<HTMLElement>(undefined);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (isOpen) {
      from.current = last;
      wasOpen.current = true;
      return;
    }
    if (!wasOpen.current) return;
    wasOpen.current = false;
    const opener = from.current;
    const due = setTimeout(() => {
      // Somebody who went on by then is left in peace.
      if (!isNowhere() && document.activeElement?.closest("[role=dialog]") === null) return;
      const back = opener?.isConnected === true ? opener : document.getElementById(SCREEN);
      back?.focus({ preventScroll: true });
    }, SOON_MS);
    return () => clearTimeout(due);
  }, [isOpen]);
}
