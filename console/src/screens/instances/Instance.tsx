// One connected account: what is polled and how that goes, its subscriptions, its address for webhooks, its settings.
import { Alert, Anchor, Badge, Button, Group, Tabs, Text } from "@mantine/core";
import { IconEdit } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";

import { api, BASE, told } from "../../api/client";
import type { components } from "../../api/schema";
import { useMay } from "../../app/session";
import { Actions as More } from "../../parts/Actions";
import { useAddress } from "../../parts/address";
import { Confirm } from "../../parts/Confirm";
import { Loaded } from "../../parts/Loaded";
import { Mark } from "../../parts/Mark";
import { done } from "../../parts/said";
import { Screen } from "../../parts/Screen";
import { When } from "../../parts/When";
import { Pollers } from "./Pollers";
import { Configuration } from "./Configuration";
import { Subscriptions } from "./Subscriptions";
import { Webhook } from "./Webhook";

type Instance = components["schemas"]["Instance"];

/** The screen of an instance. */
export default function Instance(props: { id: number }) {
  const { id } = props;
  const query = useQuery({ queryKey: ["instance", id], queryFn: () => told(api.GET(`${BASE}/instances/{id}`, { params: { path: { id } } })), enabled: Number.isInteger(id) });
  const [address, change] = useAddress();
  return (
    <Loaded query={query} rows={8} head={{ title: `Instance ${id}`, crumbs: [{ label: "Instances", to: "/instances" }] }}>
      {(instance) => (
        <Screen title={instance.name || `Instance ${id}`} crumbs={[{ label: "Instances", to: "/instances" }]} about={<About instance={instance} />} actions={<Actions instance={instance} />}>
          {instance.disabled ? <Alert color="gray">It is switched off: nothing is polled, and calls to it are refused. Its cursors and its events are kept.</Alert> : null}
          {instance.connection.state !== "connected" ? (
            <Alert color="red" role="alert" title="The account is not connected">
              {instance.connection.reason || "The provider takes its credentials no more."}{" "}
              <Anchor component={Link} href={`/instances/new?edit=${id}`} underline="always">
                Connect it anew
              </Anchor>
            </Alert>
          ) : null}
          <Tabs value={address.get("tab") ?? "pollers"} onChange={(tab) => change({ tab: tab === "pollers" ? undefined : (tab ?? undefined) })} keepMounted={false}>
            <Tabs.List mb="md">
              <Tabs.Tab value="pollers">Pollers</Tabs.Tab>
              <Tabs.Tab value="subscriptions">Subscriptions</Tabs.Tab>
              <Tabs.Tab value="webhook">Webhook</Tabs.Tab>
              <Tabs.Tab value="settings">Settings</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="pollers">
              <Pollers instance={instance} />
            </Tabs.Panel>
            <Tabs.Panel value="subscriptions">
              <Subscriptions instance={id} />
            </Tabs.Panel>
            <Tabs.Panel value="webhook">
              <Webhook instance={id} />
            </Tabs.Panel>
            <Tabs.Panel value="settings">
              <Configuration instance={id} />
            </Tabs.Panel>
          </Tabs>
        </Screen>
      )}
    </Loaded>
  );
}

function About(props: { instance: Instance }) {
  const { instance } = props;
  return (
    <Group gap="xs" mt={4}>
      <Mark word={instance.disabled ? "off" : instance.connection.state} tone={instance.disabled ? "calm" : undefined} />
      <span>
        <Anchor component={Link} href={`/connectors/${encodeURIComponent(instance.element.key)}`} size="sm" underline="always">
          {instance.element.name ?? instance.element.key}
        </Anchor>
        , made <When at={instance.createdDate} />
      </span>
      {instance.tags.map((tag) => (
        <Badge key={tag} variant="default" tt="none" fw={400}>
          {tag}
        </Badge>
      ))}
      {instance.description ? <Text size="sm">{instance.description}</Text> : null}
    </Group>
  );
}

function Actions(props: { instance: Instance }) {
  const { instance } = props;
  const client = useQueryClient();
  const mayAct = useMay("member");
  const [, go] = useLocation();
  const [asked, setAsked] = useState<"off" | "remove">();
  const params = { path: { id: instance.id } };
  const act = useMutation({
    mutationFn: async (what: "on" | "off" | "remove") => {
      if (what === "on") await told(api.PUT(`${BASE}/instances/{id}/enabled`, { params }));
      if (what === "off") await told(api.DELETE(`${BASE}/instances/{id}/enabled`, { params }));
      if (what === "remove") await told(api.DELETE(`${BASE}/instances/{id}`, { params }));
    },
    onSuccess: (_, what) => {
      setAsked(undefined);
      done(what === "remove" ? `${instance.name} is removed.` : `${instance.name} is switched ${what}.`);
      if (what === "remove") go("/instances");
      else void client.invalidateQueries({ queryKey: ["instance", instance.id] });
      void client.invalidateQueries({ queryKey: ["instances"] });
      void client.invalidateQueries({ queryKey: ["pollers"] });
    },
  });
  const close = () => {
    act.reset();
    setAsked(undefined);
  };
  return (
    <>
      <Button component={Link} href={`/events?instance=${instance.id}`} variant="default" size="sm">
        Events
      </Button>
      <Button component={Link} href={`/deliveries?instance=${instance.id}`} variant="default" size="sm">
        Deliveries
      </Button>
      {mayAct ? (
        <>
          <Button component={Link} href={`/instances/new?edit=${instance.id}`} size="sm" leftSection={<IconEdit size={16} aria-hidden />}>
            Edit
          </Button>
          <More
            label="More"
            variant="default"
            size="lg"
            actions={[
              instance.disabled ? { label: "Switch on", onClick: () => act.mutate("on") } : { label: "Switch off…", onClick: () => setAsked("off") },
              { label: "Remove…", isDanger: true, onClick: () => setAsked("remove") },
            ]}
          />
        </>
      ) : null}
      <Confirm opened={asked === "off"} title={`Switch ${instance.name} off?`} act="Switch off" busy={act.isPending} error={act.error} onClose={close} onAct={() => act.mutate("off")}>
        It is polled no more, its provider's notifications are not taken, and calls through it are refused until it is switched on again. Its cursors stay where they are.
      </Confirm>
      <Confirm opened={asked === "remove"} title={`Remove ${instance.name}?`} act="Remove" danger busy={act.isPending} error={act.error} onClose={close} onAct={() => act.mutate("remove")}>
        Its account is given back to the provider, and its pollers go with their cursors: this cannot be undone. Events and deliveries stay for their retention.
      </Confirm>
    </>
  );
}
