// The head of every screen: its name, where it lies, and what can be done on it.
import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { Link } from "wouter";

/** A step of the way to a screen. */
export interface Crumb {
  label: string;
  to: string;
}

/** A screen with its head. The name is also the page's title. */
export function Screen(props: { title: string; crumbs?: Crumb[]; about?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${props.title} – Turnstone`;
  }, [props.title]);
  return (
    <Stack gap="md" maw={1400} mx="auto">
      <Group justify="space-between" align="flex-start">
        <Stack gap={2}>
          {props.crumbs && props.crumbs.length > 0 ? (
            <Breadcrumbs>
              {props.crumbs.map((crumb) => (
                <Anchor key={crumb.to} component={Link} href={crumb.to} size="sm">
                  {crumb.label}
                </Anchor>
              ))}
            </Breadcrumbs>
          ) : null}
          <Title order={1}>{props.title}</Title>
          {props.about ? (
            <Text c="dimmed" size="sm" component="div">
              {props.about}
            </Text>
          ) : null}
        </Stack>
        {props.actions ? <Group gap="xs">{props.actions}</Group> : null}
      </Group>
      {props.children}
    </Stack>
  );
}
