// Deploying the draft, and the versions that were deployed.
import { Alert, Anchor, Button, Group, Stack, Table, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";

import { api, BASE, told } from "../../../api/client";
import type { components } from "../../../api/schema";
import { Dialog } from "../../../parts/Dialog";
import { Loaded, Refusal } from "../../../parts/Loaded";
import { Mark } from "../../../parts/Mark";
import { When } from "../../../parts/When";
import type { Checked } from "./useCheck";

type Monitor = components["schemas"]["Monitor"];

interface Props {
  isOpen: boolean;
  monitor: Monitor;
  checked: Checked;
  isChanged: boolean;
  onClose: () => void;
}

/** Makes the saved draft the next version, or says why it cannot be. */
export function DeployDialog(props: Props) {
  return (
    <Dialog opened={props.isOpen} onClose={props.onClose} title="Deploy" size="lg">
      {props.isOpen ? <Body {...props} /> : null}
    </Dialog>
  );
}

function Body(props: Props) {
  const { monitor, checked } = props;
  const client = useQueryClient();
  const deploy = useMutation({
    mutationFn: () => told(api.POST(`${BASE}/monitors/{id}/deploy`, { params: { path: { id: monitor.id } }, body: { revision: monitor.revision } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["monitors"], predicate: ({ queryKey }) => queryKey[1] !== "check" }),
  });
  const why = props.isChanged ? "There are changes that are not saved. Save them first: the saved draft is deployed." : checked.faults > 0 ? `${checked.faults === 1 ? "One fault" : `${checked.faults} faults`} must be put right first; each stands beside its card.` : undefined;
  if (deploy.data !== undefined) {
    return (
      <Stack>
        <Alert color="green" title={`Version ${deploy.data.version} is deployed`} role="status">
          It never changes. Subscriptions stay with their version until they are moved.
        </Alert>
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Close
          </Button>
          <Button component={Link} href={`/subscriptions/new?monitor=${monitor.id}`}>
            Subscribe an instance
          </Button>
        </Group>
      </Stack>
    );
  }
  return (
    <Stack>
      <Text size="sm">
        The draft (revision {monitor.revision}) becomes version {(monitor.version ?? 0) + (monitor.changed || monitor.version == null ? 1 : 0)}.{monitor.changed || monitor.version == null ? "" : " It is deployed already, so it gets no second number."}
      </Text>
      {why ? <Alert color="orange">{why}</Alert> : null}
      {checked.warnings > 0 ? <Alert color="gray">{checked.warnings === 1 ? "One warning stands" : `${checked.warnings} warnings stand`} beside the cards: it works, and could be better.</Alert> : null}
      {deploy.error ? <Refusal error={deploy.error} title="It is not deployed" /> : null}
      <Versions monitor={monitor.id} onPick={props.onClose} />
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          Cancel
        </Button>
        <Button disabled={why !== undefined} loading={deploy.isPending} onClick={() => deploy.mutate()}>
          Deploy now
        </Button>
      </Group>
    </Stack>
  );
}

/** The deployed versions, newest first. */
export function Versions(props: { monitor: number; onPick?: () => void }) {
  const query = useQuery({ queryKey: ["monitors", "versions", props.monitor], queryFn: () => told(api.GET(`${BASE}/monitors/{id}/versions`, { params: { path: { id: props.monitor } } })) });
  return (
    <Loaded query={query} rows={1}>
      {(versions) =>
        versions.length === 0 ? (
          <Text size="sm" c="dimmed">
            No version was deployed yet.
          </Text>
        ) : (
          <Table aria-label="Versions">
            <Table.Tbody>
              {versions.map(({ version, createdDate }, at) => (
                <Table.Tr key={version}>
                  <Table.Td>
                    <Anchor component={Link} href={`/monitors/${props.monitor}?version=${version}`} onClick={props.onPick}>
                      Version {version}
                    </Anchor>
                  </Table.Td>
                  <Table.Td>
                    <When at={createdDate} />
                  </Table.Td>
                  <Table.Td>{at === 0 ? <Mark word="newest" tone="info" /> : null}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )
      }
    </Loaded>
  );
}
