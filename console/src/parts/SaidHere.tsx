// What came of something that was done, said once and in passing at the foot of the window.
import { Notification, Stack } from "@mantine/core";
import { useEffect, useSyncExternalStore } from "react";

import { drop, heard, type Said, saidNow } from "./said";

const SHOWN_MS = 5_000;

/** Shows what is said. What went wrong stays until somebody has seen it. */
export function SaidHere() {
  const all = useSyncExternalStore(heard, saidNow);
  return (
    <Stack className="said-here" gap="xs" role="region" aria-label="What was done" aria-live="polite">
      {all.map((one) => (
        <One key={one.id} said={one} />
      ))}
    </Stack>
  );
}

function One({ said }: { said: Said }) {
  const { id, isBad, message } = said;
  useEffect(() => {
    if (isBad) return;
    const due = setTimeout(() => drop(id), SHOWN_MS);
    return () => clearTimeout(due);
  }, [id, isBad]);
  return (
    <Notification role={isBad ? "alert" : "status"} color={isBad ? "red" : "teal"} withBorder title={isBad ? "It was not done" : undefined} onClose={() => drop(id)} closeButtonProps={{ "aria-label": "Dismiss" }}>
      {message}
    </Notification>
  );
}
