// The Flows tab of a connector.
import { Group, Stack, Text } from "@mantine/core";

import { MonitorList, NewFlow } from "./MonitorList";

/** The flows of a connector, and a button for one more. */
export function FlowsTab(props: { connector: string }) {
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start">
        <Text size="sm" c="dimmed" maw="40rem">
          Flows of cards for this connector. A polling monitor keeps a cursor and returns what is new since its last run; instances subscribe to a deployed version.
        </Text>
        <NewFlow connector={props.connector} />
      </Group>
      <MonitorList connector={props.connector} />
    </Stack>
  );
}

export default FlowsTab;
