// The organisation and oneself: people, secrets, what was done, and the API behind all of it.
import { Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useLocation, useSearch } from "wouter";

import { useMay } from "../../app/session";
import { Waiting } from "../../parts/Loaded";
import { Screen } from "../../parts/Screen";
import { Audit } from "./Audit";
import { Keys } from "./Keys";
import { Me } from "./Me";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

const ApiReference = lazy(() => import("./ApiReference"));

/** The screen. */
export default function Settings() {
  const [, go] = useLocation();
  const tab = new URLSearchParams(useSearch()).get("tab") ?? "you";
  const [isAdmin, isOwner] = [useMay("admin"), useMay("owner")];
  const tabs = [
    { value: "you", label: "You", isShown: true },
    { value: "users", label: "Users and roles", isShown: isAdmin },
    { value: "organisation", label: "Organisation", isShown: isOwner },
    { value: "keys", label: "Signing keys and retention", isShown: true },
    { value: "audit", label: "Audit", isShown: isAdmin },
    { value: "api", label: "API reference", isShown: true },
  ].filter(({ isShown }) => isShown);
  return (
    <Screen title="Settings">
      <Tabs value={tabs.some(({ value }) => value === tab) ? tab : "you"} onChange={(next) => go(`/settings?tab=${next}`, { replace: true })} keepMounted={false}>
        <Tabs.List mb="md">
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="you">
          <Me />
        </Tabs.Panel>
        <Tabs.Panel value="users">
          <Users />
        </Tabs.Panel>
        <Tabs.Panel value="organisation">
          <Tokens />
        </Tabs.Panel>
        <Tabs.Panel value="keys">
          <Keys />
        </Tabs.Panel>
        <Tabs.Panel value="audit">
          <Audit />
        </Tabs.Panel>
        <Tabs.Panel value="api">
          <Suspense fallback={<Waiting rows={8} />}>
            <ApiReference />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Screen>
  );
}
