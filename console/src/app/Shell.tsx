// What stands around every screen: where one can go, who is signed in, and whether the server is there.
import { ActionIcon, Alert, AppShell, Burger, Button, Group, Menu, NavLink, ScrollArea, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBolt, IconHome, IconMoon, IconPlugConnected, IconPuzzle, IconSearch, IconSend, IconSettings, IconSitemap, IconSun, IconUser } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";

import { api, BASE, keepChangeToken } from "../api/client";
import { useConnection } from "../api/live";
import { useAgingOnEvents } from "../api/refresh";
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
    <AppShell header={{ height: 56 }} navbar={{ width: 230, breakpoint: "sm", collapsed: { mobile: !isOpen } }} padding="md">
      <a className="skip" href="#screen">
        Skip to the screen
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Places" aria-expanded={isOpen} />
            <Logo />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Live />
            <SchemeSwitch />
            <Person />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Places">
        <ScrollArea>
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
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="screen" tabIndex={-1}>
        <Lost />
        {props.children}
      </AppShell.Main>
    </AppShell>
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
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" color="gray" leftSection={<IconUser size={18} aria-hidden />}>
          {session.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{session.role}</Menu.Label>
        <Menu.Item component={Link} href="/settings">
          Settings
        </Menu.Item>
        <Menu.Item onClick={() => void leave()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
