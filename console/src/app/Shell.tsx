// What stands around every screen: where one can go, who is signed in, and whether the server is there.
import { ActionIcon, Alert, Burger, Group, NavLink, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBolt, IconHome, IconMoon, IconPlugConnected, IconPuzzle, IconSearch, IconSend, IconSettings, IconSitemap, IconSun, IconUser } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";

import { api, BASE, keepChangeToken } from "../api/client";
import { useConnection } from "../api/live";
import { useAgingOnEvents } from "../api/refresh";
import { Actions } from "../parts/Actions";
import { Logo } from "./Logo";
import { forgetOthers, SESSION_KEY, useSession } from "./session";

const PLACES = [
  { to: "/", label: "Home", icon: IconHome },
  { to: "/connectors", label: "Connectors", icon: IconPuzzle },
  { to: "/instances", label: "Instances", icon: IconPlugConnected },
  { to: "/monitors", label: "Monitors", icon: IconSitemap },
  { to: "/events", label: "Events", icon: IconBolt },
  { to: "/deliveries", label: "Deliveries", icon: IconSend },
  { to: "/ask", label: "Ask about a record", icon: IconSearch },
  { to: "/settings", label: "Settings", icon: IconSettings },
] as const;

/** The frame around a screen. */
export function Shell(props: { children: ReactNode }) {
  const [isOpen, { toggle, close }] = useDisclosure();
  useAgingOnEvents();
  const [location] = useLocation();
  const isHere = (to: string) => (to === "/" ? location === "/" : location === to || location.startsWith(`${to}/`));
  return (
    <div className="shell">
      <a className="skip" href="#screen">
        Skip to the screen
      </a>
      <header className="shell-head">
        <Group gap="sm" wrap="nowrap">
          <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Places" aria-expanded={isOpen} aria-controls="places" />
          <Logo />
        </Group>
        <Group gap="xs" wrap="nowrap">
          <Live />
          <SchemeSwitch />
          <Person />
        </Group>
      </header>
      <nav className="shell-places" id="places" aria-label="Places" data-open={isOpen || undefined}>
        {PLACES.map(({ to, label, icon: Icon }) => (
          <NavLink
            key={to}
            component={Link}
            href={to}
            label={label}
            leftSection={<Icon size={18} aria-hidden />}
            active={isHere(to)}
            aria-current={isHere(to) ? "page" : undefined}
            onClick={close}
          />
        ))}
      </nav>
      <main className="shell-screen" id="screen" tabIndex={-1}>
        <Lost />
        {props.children}
      </main>
    </div>
  );
}

function Live() {
  const connection = useConnection();
  const word = connection === "open" ? "Live" : connection === "lost" ? "Not connected" : "Connecting";
  return (
    <Text size="sm" c={connection === "lost" ? "var(--mark-bad)" : "dimmed"} visibleFrom="xs" role="status">
      {word}
    </Text>
  );
}

function Lost() {
  if (useConnection() !== "lost") return null;
  return (
    <Alert color="orange" mb="md" role="alert" title="The connection to the server is lost">
      It is tried again all the time. What you typed stays, and nothing is missed: events go on where they stopped.
    </Alert>
  );
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => setColorScheme(isDark ? "light" : "dark")} aria-label={isDark ? "Light colours" : "Dark colours"}>
      {isDark ? <IconSun size={18} /> : <IconMoon size={18} />}
    </ActionIcon>
  );
}

function Person() {
  const session = useSession();
  const client = useQueryClient();
  const leave = async () => {
    await api.DELETE(`${BASE}/session`);
    keepChangeToken(undefined);
    forgetOthers(client);
    client.setQueryData(SESSION_KEY, null);
  };
  return (
    <Actions
      label={session.name}
      heading={session.role}
      size="sm"
      leftSection={<IconUser size={18} aria-hidden />}
      actions={[
        { label: "Settings", to: "/settings" },
        { label: "Sign out", onClick: () => void leave() },
      ]}
    >
      {session.name}
    </Actions>
  );
}
