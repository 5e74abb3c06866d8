// Who did what, newest first.
import { Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { api, BASE, page, told } from "../../api/client";
import { Loaded } from "../../parts/Loaded";
import { Pager, usePlace } from "../../parts/Pages";
import { When } from "../../parts/When";

/** The panel. */
export function Audit() {
  const place = usePlace();
  const users = useQuery({ queryKey: ["users"], queryFn: () => told(api.GET(`${BASE}/users`)) });
  const query = useQuery({
    queryKey: ["audit", place.token],
    queryFn: () => page(api.GET(`${BASE}/audit`, { params: { query: { pageSize: 50, ...(place.token === undefined ? {} : { nextPage: Number(place.token) }) } } })),
    placeholderData: (last) => last,
  });
  const nameOf = (id: number | null | undefined) => (id === null || id === undefined ? "the program" : (users.data?.find((user) => user.id === id)?.name ?? `user ${id}, who is gone`));
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        Every change that succeeded, and every sign-in. Secrets are never in it, and calls of resources neither.
      </Text>
      <Loaded query={query}>
        {(found) => (
          <>
            <Table.ScrollContainer minWidth={640}>
              <Table aria-label="Audit">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>When</Table.Th>
                    <Table.Th>Who</Table.Th>
                    <Table.Th>What</Table.Th>
                    <Table.Th>To which</Table.Th>
                    <Table.Th>Particulars</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {found.entries.map((entry) => (
                    <Table.Tr key={entry.id}>
                      <Table.Td className="nowrap">
                        <When at={entry.date} />
                      </Table.Td>
                      <Table.Td>{nameOf(entry.userId)}</Table.Td>
                      <Table.Td>{entry.action}</Table.Td>
                      <Table.Td className="mono">{entry.target}</Table.Td>
                      <Table.Td className="mono">{Object.keys(entry.detail).length === 0 ? "" : JSON.stringify(entry.detail)}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
            <Pager page={found} place={place} what="entries" />
          </>
        )}
      </Loaded>
    </Stack>
  );
}
