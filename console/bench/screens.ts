// How long screens take, with ten thousand instances and a hundred thousand events beside an empty organisation: the
// floor, with the same browser, program and pages in the same minute. Each screen is opened in turns on both, by a new
// profile with nothing in its cache, until what it asked for is shown. Prints the table of docs/benchmarks.md.
//
//   npm run bench          ROUNDS=5 INSTANCES=10000 EVENTS=100000
import type { Browser } from "playwright-core";

import { browser, opened, signIn, type Turnstone, turnstone } from "../tests/harness.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const INSTANCES = Number(process.env["INSTANCES"] ?? 10_000);
const EVENTS = Number(process.env["EVENTS"] ?? 100_000);
const SCREENS = ["/", "/instances", "/events", "/deliveries", "/deliveries?show=endpoints", "/ask", "/monitors", "/connectors", "/settings"];

type State = Awaited<ReturnType<Awaited<ReturnType<typeof opened>>["context"]["storageState"]>>;

interface Side {
  server: Turnstone;
  state: State;
  /** Milliseconds by screen. */
  took: Map<string, number[]>;
}

async function side(chromium: Browser, fill?: { instances: number; events: number }): Promise<Side> {
  const server = await turnstone(fill);
  const { page, context } = await opened(chromium);
  await signIn(page, server);
  const state = await context.storageState();
  await context.close();
  return { server, state, took: new Map() };
}

async function open(chromium: Browser, { server, state, took }: Side, screen: string): Promise<void> {
  const { page, context } = await opened(chromium, { storageState: state });
  const started = performance.now();
  await page.goto(server.url + screen);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"], [aria-label="Loading"]') === null);
  took.set(screen, [...(took.get(screen) ?? []), performance.now() - started]);
  await context.close();
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const chromium = await browser();
const empty = await side(chromium);
const full = await side(chromium, { instances: INSTANCES, events: EVENTS });
// The first round warms both sides up, and does not count.
for (let round = 0; round <= ROUNDS; round++) {
  for (const screen of SCREENS) {
    for (const one of round % 2 === 0 ? [empty, full] : [full, empty]) await open(chromium, one, screen);
  }
  if (round === 0) for (const one of [empty, full]) one.took.clear();
}
console.log(`screens: medians of ${ROUNDS} rounds, ${INSTANCES} instances and ${EVENTS} events\n`);
console.log("| screen | empty organisation | filled | ratio |");
console.log("| --- | --- | --- | --- |");
for (const screen of SCREENS) {
  const [floor, filled] = [median(empty.took.get(screen) ?? []), median(full.took.get(screen) ?? [])];
  console.log(`| \`${screen}\` | ${Math.round(floor)} ms | ${Math.round(filled)} ms | ${(filled / floor).toFixed(2)} |`);
}
await chromium.close();
await Promise.all([empty.server.stop(), full.server.stop()]);
