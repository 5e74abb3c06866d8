// A secret that is shown once.
import { Alert, Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** Shows it, with a way to copy it. */
export function Once(props: { title: string; secret: string; about: ReactNode; onClose: () => void }) {
  return (
    <Alert color="teal" title={props.title} withCloseButton closeButtonLabel="Close" onClose={props.onClose} role="status">
      <Stack gap="xs">
        <Group gap="sm">
          <Code style={{ wordBreak: "break-all" }}>{props.secret}</Code>
          <CopyButton value={props.secret}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? "Copied" : "Copy"}
              </Button>
            )}
          </CopyButton>
        </Group>
        <Text size="sm" component="div">
          {props.about}
        </Text>
      </Stack>
    </Alert>
  );
}
