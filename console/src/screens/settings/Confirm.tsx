// Asks before something is done that cannot be undone.
import { Button, Group, Stack, Text } from "@mantine/core";

import { Dialog } from "../../parts/Dialog";
import { Refusal } from "../../parts/Loaded";

/** The question. */
export function Confirm(props: { opened: boolean; title: string; text: string; action: string; error: unknown; isPending: boolean; onClose: () => void; onGo: () => void }) {
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title={props.title}>
      <Stack>
        <Text size="sm">{props.text}</Text>
        {props.error ? <Refusal error={props.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Not now
          </Button>
          <Button color="red" loading={props.isPending} onClick={props.onGo}>
            {props.action}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
