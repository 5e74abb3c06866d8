// The organisation, and the secrets that name it in scripts.
import { Button, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, BASE, told } from "../../api/client";
import { Loaded, Refusal } from "../../parts/Loaded";
import { When } from "../../parts/When";
import { Confirm } from "./Confirm";
import { Once } from "./Once";

const KEY = ["organisation tokens"] as const;

/** The panel. */
export function Tokens() {
  const client = useQueryClient();
  const organisations = useQuery({ queryKey: ["organisations"], queryFn: () => told(api.GET(`${BASE}/organizations`)) });
  const query = useQuery({ queryKey: KEY, queryFn: () => told(api.GET(`${BASE}/organizations/tokens`)) });
  const [ends, setEnds] = useState<number>();
  const make = useMutation({ mutationFn: () => told(api.POST(`${BASE}/organizations/tokens`)), onSuccess: () => client.invalidateQueries({ queryKey: KEY }) });
  const end = useMutation({
    mutationFn: (id: number) => told(api.DELETE(`${BASE}/organizations/tokens/{id}`, { params: { path: { id } } })),
    onSuccess: () => {
      setEnds(undefined);
      void client.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <Stack gap="xl">
      <Stack gap="xs">
        <Title order={2}>Organisations that you see</Title>
        <Loaded query={organisations} rows={1}>
          {(list) => (
            <Table aria-label="Organisations" maw={640}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Number</Table.Th>
                  <Table.Th>Made</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {list.map((one) => (
                  <Table.Tr key={one.id}>
                    <Table.Td>{one.name}</Table.Td>
                    <Table.Td>{one.id}</Table.Td>
                    <Table.Td>
                      <When at={one.createdDate} />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
        </Loaded>
      </Stack>
      <Stack gap="xs">
        <Group justify="space-between">
          <Title order={2}>Organisation tokens</Title>
          <Button variant="default" loading={make.isPending} onClick={() => make.mutate()}>
            Make another token
          </Button>
        </Group>
        <Text size="sm" c="dimmed" maw={720}>
          Scripts send one beside a user's secret: Authorization: User …, Organization …. To replace one, make the second, change the scripts, then end the first.
        </Text>
        {make.error ? <Refusal error={make.error} /> : null}
        {make.data ? <Once title="The new token is shown only now" secret={make.data.secret} about="Keep it where your scripts find it." onClose={() => make.reset()} /> : null}
        <Loaded query={query}>
          {(tokens) => (
            <Table aria-label="Organisation tokens" maw={640}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Number</Table.Th>
                  <Table.Th>Made</Table.Th>
                  <Table.Th aria-label="End" />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {tokens.map(({ id, createdDate }) => (
                  <Table.Tr key={id}>
                    <Table.Td>{id}</Table.Td>
                    <Table.Td>
                      <When at={createdDate} />
                    </Table.Td>
                    <Table.Td ta="right">
                      <Button size="xs" variant="default" onClick={() => setEnds(id)} aria-label={`End token ${id}`}>
                        End
                      </Button>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
        </Loaded>
      </Stack>
      <Confirm
        opened={ends !== undefined}
        title={`End token ${ends ?? ""}?`}
        text="Requests that send it are refused from then on."
        action="End token"
        error={end.error}
        isPending={end.isPending}
        onClose={() => {
          end.reset();
          setEnds(undefined);
        }}
        onGo={() => ends !== undefined && end.mutate(ends)}
      />
    </Stack>
  );
}
