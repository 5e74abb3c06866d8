// Asks before something is done that cannot be undone, or that others will notice.
import { Button, Group, Stack } from "@mantine/core";
import type { ReactNode } from "react";

import { Dialog } from "./Dialog";
import { Refusal } from "./Loaded";

/** A question with a way out. A refusal is shown in it, and what was typed stays. */
export function Confirm(props: {
  opened: boolean;
  title: string;
  children: ReactNode;
  act: string;
  danger?: boolean;
  busy?: boolean;
  disabled?: boolean;
  error?: unknown;
  onAct: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title={props.title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          props.onAct();
        }}
      >
        <Stack>
          <div>{props.children}</div>
          {props.error ? <Refusal error={props.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose} data-autofocus>
              Leave it
            </Button>
            <Button type="submit" color={props.danger ? "red.8" : undefined} loading={props.busy} disabled={props.disabled}>
              {props.act}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
