import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** What stands where a list is empty or a thing is not there: what it would be, and what to do next. */
export function Nothing(props: { title: string; text: ReactNode; action?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" ta="center">
      <Title order={2}>{props.title}</Title>
      <Text c="dimmed" maw="34rem" component="div">
        {props.text}
      </Text>
      {props.action}
    </Stack>
  );
}
