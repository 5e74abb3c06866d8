// The choice of what begins a flow.
import { Badge, Group, Stack, Text, UnstyledButton } from "@mantine/core";

import { Dialog } from "../../../parts/Dialog";
import { CARDS } from "../model/catalogue";

const EVENTS = CARDS.filter(({ group, id }) => group === "Event" && id !== "control.callable");

/** Asks for the event of a new flow. Only polling monitors can be made yet. */
export function AddEvent(props: { isOpen: boolean; onClose: () => void; onPick: () => void }) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Add event" size="lg">
      <Stack gap={4}>
        {EVENTS.map((card) => {
          const isThere = card.id === "control.pollingMonitor";
          return (
            <UnstyledButton key={card.id} className="flow-pick" disabled={!isThere} onClick={props.onPick} style={isThere ? undefined : { cursor: "default" }}>
              <Group gap={6}>
                <Text fw={600} size="sm">
                  {card.label}
                </Text>
                {isThere ? null : (
                  <Badge variant="default" tt="none" size="sm">
                    not available yet
                  </Badge>
                )}
              </Group>
              <Text size="xs" c="dimmed">
                {card.about}
              </Text>
            </UnstyledButton>
          );
        })}
      </Stack>
    </Dialog>
  );
}
