import { IconAlertTriangle, IconArrowsSplit, IconBraces, IconCalendarTime, IconCircuitSwitchOpen, IconCode, IconHash, IconHelp, IconLetterT, IconList, IconLock, IconRoute, IconToggleLeft, IconWorld } from "@tabler/icons-react";

const ICONS: Record<string, typeof IconBraces> = {
  "Flow control": IconRoute, Branching: IconArrowsSplit, "Error handling": IconAlertTriangle, Object: IconBraces, List: IconList, "Date & Time": IconCalendarTime,
  Text: IconLetterT, Number: IconHash, "True/False": IconToggleLeft, JSON: IconCode, "Encryption and URL": IconLock, HTTP: IconWorld, Event: IconCircuitSwitchOpen,
};

/** The sign of a group of cards. */
export function GroupIcon(props: { group: string | undefined }) {
  const Icon = ICONS[props.group ?? ""] ?? IconHelp;
  return <Icon size={18} className="flow-icon" aria-hidden />;
}
