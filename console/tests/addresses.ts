// Where each screen of the console is looked at. A screen of the route table that is missing here fails the tests.
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Page } from "playwright-core";

import { ROUTES, type ScreenName } from "../src/app/routes.ts";
import { Looks } from "./looks.ts";
import { type World, worldOfFile } from "./world.ts";

type Run = { id: string; outcome: string };

/** The parts in which screens are looked at, a test file for each. */
export const PARTS: Record<string, readonly ScreenName[]> = {
  connecting: ["connectors", "connector", "newInstance", "settings"],
  polling: ["home", "instances", "instance", "poller", "run", "ask"],
  sending: ["events", "event", "deliveries", "delivery", "monitors", "flow", "subscription"],
};

/** Screens of the route table that no part looks at. */
export function forgotten(): string[] {
  const looked = new Set<string>(Object.values(PARTS).flat());
  return Object.keys(ROUTES).filter((name) => !looked.has(name));
}

/** The addresses at which a screen shows different things. Its tabs are found on it. */
export async function addressesOf(name: ScreenName, world: World): Promise<string[]> {
  const { call, north, down, pushy, monitor, subscription } = world;
  const runs = async (query: string) => await call<Run[]>("GET", `/runs?${query}`);
  const [event] = await call<{ id: string }[]>("GET", `/instances/${north}/events?eventType=UPDATED`);
  const found: Record<ScreenName, () => Promise<string[]>> = {
    home: async () => ["/"],
    connectors: async () => ["/connectors"],
    connector: async () => ["/connectors/crm", "/connectors/crm/events/polling"],
    newInstance: async () => ["/instances/new", "/instances/new?connector=crm", "/instances/new?own", `/instances/new?edit=${north}`, `/instances/new?made=${pushy}`],
    instances: async () => ["/instances"],
    instance: async () => [`/instances/${north}`, `/instances/${pushy}`, `/instances/${down}`],
    poller: async () => [`/instances/${north}/pollers/contacts`, `/instances/${down}/pollers/contacts`],
    run: async () => {
      const [second, first] = (await runs(`instanceId=${north}`)).filter((run) => (run as { resource?: string }).resource === "contacts");
      const [failed] = await runs("outcome=failed");
      const flow = (await call<{ lastRun: Run }>("GET", `/subscriptions/${subscription}`)).lastRun;
      return [`/runs/${first?.id}`, `/runs/${second?.id}?record=2`, `/runs/${failed?.id}`, `/runs/${flow.id}`];
    },
    ask: async () => ["/ask", `/ask?instance=${north}&resource=contacts&id=2`, `/ask?instance=${north}&resource=contacts&id=nobody`],
    events: async () => ["/events", "/events?record=nobody"],
    event: async () => [`/events/${event?.id}`],
    deliveries: async () => ["/deliveries"],
    delivery: async () => {
      const list = await call<{ id: number; status: string }[]>("GET", "/deliveries?pageSize=50");
      return [...new Map(list.map((one) => [one.status, `/deliveries/${one.id}`])).values()];
    },
    monitors: async () => ["/monitors"],
    flow: async () => {
      const { lastRun } = await call<{ lastRun: Run }>("GET", `/subscriptions/${subscription}`);
      return ["/monitors/new", `/monitors/${monitor}`, `/monitors/${monitor}?version=1`, `/monitors/${monitor}?subscription=${subscription}&run=${lastRun.id}`];
    },
    subscription: async () => ["/subscriptions/new", `/subscriptions/new?monitor=${monitor}`, `/subscriptions/${subscription}`],
    settings: async () => ["/settings"],
  };
  return await found[name]();
}

/** Waits until a screen has what it asked for. */
export async function loaded(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"], [aria-label="Loading"], .mantine-Skeleton-root') === null);
}

/** Looks at a part's screens, with every tab and every step that is found on them. */
async function lookAt(part: string, world: World, looks: Looks): Promise<void> {
  const { page, server } = world;
  for (const name of PARTS[part] ?? []) {
    for (const [index, address] of (await addressesOf(name, world)).entries()) {
      const called = index === 0 ? name : `${name}-${index + 1}`;
      await page.goto(server.url + address);
      await loaded(page);
      await looks.at(called);
      // What differs between addresses of one screen is told by the first tab, but for the one that is called.
      if (index > 0 && !(name === "instance" && index === 1)) continue;
      for (const list of [page.getByRole("tab"), page.getByRole("navigation", { name: "Setup" }).getByRole("link")]) {
        for (let at = 1; at < (await list.count()); at++) {
          await list.nth(at).click();
          await loaded(page);
          await looks.at(`${called}-${((await list.nth(at).textContent()) ?? "").toLowerCase()}`);
        }
      }
    }
  }
}

/** The tests of a part. */
export function looksOf(part: string): void {
  const all = worldOfFile();
  test(`every screen for ${part}, with its tabs, can be read in light and dark, wide and narrow`, async () => {
    const looks = new Looks(all().page);
    await lookAt(part, all(), looks);
    assert.equal(looks.faults.join("\n"), "");
    assert.deepEqual(all().complaints, []);
  });
}
