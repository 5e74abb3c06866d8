// Lists that the API pages: one page at a time, forward and back.
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";

import type { Page } from "../api/client";

/** Where one is in a list: the tokens of the pages so far. */
export interface Place {
  token: string | undefined;
  forward: (next: string) => void;
  back: (() => void) | undefined;
  restart: () => void;
}

/** Keeps one's place in a paged list. */
export function usePlace(): Place {
  const [tokens, setTokens] = useState<string[]>([]);
  return {
    token: tokens.at(-1),
    forward: (next) => setTokens([...tokens, next]),
    back: tokens.length > 0 ? () => setTokens(tokens.slice(0, -1)) : undefined,
    restart: () => setTokens([]),
  };
}

/** The buttons below a page. Nothing where one page is all. */
export function Pager<T>(props: { page: Page<T>; place: Place; what: string }) {
  const { page, place } = props;
  if (page.next === undefined && place.back === undefined) return null;
  return (
    <Group justify="space-between">
      <Text size="sm" c="dimmed">
        {page.entries.length} {props.what} on this page{page.total === undefined ? "" : `, ${page.total} in all`}
      </Text>
      <Group gap="xs">
        <Button size="xs" variant="default" disabled={place.back === undefined} onClick={place.back}>
          Previous page
        </Button>
        <Button size="xs" variant="default" disabled={page.next === undefined} onClick={() => page.next !== undefined && place.forward(page.next)}>
          Next page
        </Button>
      </Group>
    </Group>
  );
}
