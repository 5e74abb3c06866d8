// Deliveries as rows.
import { Anchor, Group } from "@mantine/core";
import { Link } from "wouter";

import type { components } from "../../api/schema";
import { Mark } from "../../parts/Mark";
import { type Column, Rows } from "../../parts/Rows";
import { When } from "../../parts/When";
import { Redeliver } from "./Redeliver";

type Delivery = components["schemas"]["Delivery"];

const WORDS: Record<string, string> = { dead: "dead letter", retry: "being retried", created: "not tried yet", queued: "held" };

/** The state of a delivery in people's words. */
export function DeliveryMark(props: { status: string }) {
  return <Mark word={props.status} label={WORDS[props.status] ?? props.status} />;
}

const COLUMNS: Column<Delivery>[] = [
  {
    head: "Notification",
    cell: (one) => (
      <Anchor component={Link} href={`/deliveries/${one.id}`} fw={600}>
        {one.id}
      </Anchor>
    ),
  },
  {
    head: "State",
    cell: (one) => <DeliveryMark status={one.status} />,
  },
  { head: "Instance", cell: (one) => <Anchor component={Link} href={`/instances/${one.instanceId}`} size="sm">{one.instanceName ?? one.instanceId}</Anchor> },
  { head: "Events", cell: (one) => one.events.length },
  { head: "Failures", cell: (one) => one.failures },
  { head: "Formed", cell: (one) => <When at={one.createdDate} /> },
  { head: "Next try", cell: (one) => (one.nextDue && !one.completedDate ? <When at={one.nextDue} /> : "–") },
  {
    head: "Actions",
    quiet: true,
    cell: (one) => (
      <Group gap="xs" justify="flex-end">
        <Redeliver delivery={one} />
      </Group>
    ),
  },
];

/** Them. */
export function DeliveryRows(props: { deliveries: Delivery[] }) {
  return <Rows label="Deliveries" lead={["Notification", "State"]} columns={COLUMNS} rows={props.deliveries} keyOf={(one) => one.id} />;
}
