// Asking about a record: twenty records, each with a fate of its own, are asked about in the browser. What the answer
// must name, the poll that decided and why, is known from the moment when the poll was started, not from the answer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { aged, browser, type Callback, callback, listen, opened, signIn, type Turnstone, turnstone } from "./harness.ts";
import { type Call, prepare, until } from "./prepare.ts";

type Row = Record<string, unknown>;
type Run = { id: string; outcome: string };
type Delivery = { id: number; status: string };

const FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";

/** An instance whose provider says what it is told to say, polled only when it is told to be. */
class Shop {
  /** The whole list, whatever is asked for. */
  list: Row[] = [];
  status = 200;
  id = 0;
  constructor(
    readonly name: string,
    readonly call: Call,
    readonly stop: () => Promise<void>,
  ) {}

  static async open(call: Call, name: string, options: { callback?: string; more?: Row } = {}): Promise<Shop> {
    const server = await listen((_, response) => {
      response.writeHead(shop.status, { "content-type": "application/json" }).end(JSON.stringify(shop.list));
    });
    const shop: Shop = new Shop(name, call, server.stop);
    shop.list = [record("there before", { updated: ago(86_400) })];
    const made = await call<{ id: number }>("POST", "/instances", {
      element: { key: "shop" },
      name,
      configuration: {
        "event.notification.enabled": true,
        ...(options.callback === undefined ? {} : { "event.notification.callback.url": options.callback }),
        "event.poller.refresh_interval": "1440",
        "base.url": server.url,
        "event.poller.configuration": {
          orders: {
            url: `/orders?since=\${gmtDate:${FORMAT}}`,
            idField: "id",
            datesConfiguration: { updatedDateField: "updated", updatedDateFormat: FORMAT, createdDateField: "created", createdDateFormat: FORMAT },
            pagination: { type: "none" },
            deletedField: "gone",
            missingDate: "skip",
            ...options.more,
          },
        },
      },
    });
    shop.id = made.id;
    await until<Run[]>(call, `/runs?instanceId=${shop.id}&pageSize=1`, (runs) => runs.length === 1, "the first poll");
    shop.list = [];
    return shop;
  }

  /** Polls what the provider lists now; the id of that poll. */
  async poll(...list: Row[]): Promise<string> {
    this.list = list;
    const path = `/runs?instanceId=${this.id}&pageSize=1`;
    const last = (await this.call<Run[]>("GET", path))[0]?.id;
    await this.call("POST", `/instances/${this.id}/pollers/orders/run`);
    const [run] = await until<Run[]>(this.call, path, ([run]) => run !== undefined && run.id !== last, `a poll of ${this.name}`);
    return run?.id ?? "";
  }

  /** Waits until its newest delivery is in this state. */
  async delivered(status: string): Promise<number> {
    const [found] = await until<Delivery[]>(this.call, `/deliveries?instanceId=${this.id}&pageSize=1`, ([one]) => one?.status === status, `a delivery of ${this.name} that is ${status}`);
    return found?.id ?? 0;
  }
}

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();

/** A record, created long ago and updated now unless it says otherwise. */
const record = (id: string, more: Row = {}): Row => ({ id, created: ago(400 * 86_400), updated: ago(0), ...more });

/** What somebody asks, and what the answer must say. */
interface Question {
  shop: string;
  id: string;
  /** The poll that decided; none where no poll saw the record. */
  run?: string;
  /** What the sentence must say. */
  says: string[];
  /** The decision that the poll's own screen shows for it. */
  decision?: string;
}

let server: Turnstone;
let chromium: Browser;
let page: Page;
let complaints: string[];
let well: Callback;
let bad: Callback;
let gone: Callback;
const shops: Shop[] = [];
const questions: Question[] = [];

const open = async (call: Call, ...rest: [name: string, options?: Parameters<typeof Shop.open>[2]]): Promise<Shop> => {
  const shop = await Shop.open(call, ...rest);
  shops.push(shop);
  return shop;
};

before(async () => {
  [server, chromium, well, bad, gone] = await Promise.all([turnstone(), browser(), callback(), callback(), callback()]);
  bad.status = 500;
  gone.status = 410;
  ({ page, complaints } = await opened(chromium));
  await signIn(page, server);
  const call = await prepare(page, server);
  await decided(call);
  // First, because it makes everything that is being retried old.
  await beyond(call);
  await underWay(call);
  await stopped(call);
});
after(async () => {
  await chromium?.close();
  await Promise.all([server?.stop(), ...shops.map((shop) => shop.stop()), ...[well, bad, gone].map((one) => one?.stop())]);
});

/** What a poll decided: reported, or ignored for one reason or another. */
async function decided(call: Call): Promise<void> {
  const shop = await open(call, "North", { callback: well.url });
  const [seeding] = await call<Run[]>("GET", `/runs?instanceId=${shop.id}&pageSize=1`);
  const ask = (id: string, run: string | undefined, says: string[], decision?: string) => questions.push({ shop: "North", id, run, says, decision });
  const made = ago(0);
  const twice = record("twice");
  const newer = record("older after newer");
  const one = await shop.poll(record("new", { created: made, updated: made }), twice, newer, record("no date", { updated: "soon" }), record("undated", { updated: null, created: null }), record("long ago", { updated: ago(30 * 86_400) }), record("to be deleted"), record("to come back"));
  await shop.delivered("delivered");
  const two = await shop.poll(twice, { ...newer, updated: new Date(Date.parse(String(newer["updated"])) - 2_000).toISOString() }, record("to be deleted", { gone: true }), record("to come back", { gone: true }));
  const back = ago(0);
  const three = await shop.poll(record("to come back", { created: back, updated: back }));
  await shop.delivered("delivered");
  ask("there before", seeding?.id, ["It is no event, because", "(seeded)"], "seeded");
  ask("new", one, ["It was reported as CREATED by", "it was delivered by delivery"], "CREATED");
  ask("twice", one, ["It was reported as UPDATED by", `${two} read the same version again and did not report it twice (reported)`], "UPDATED");
  ask("older after newer", two, ["It is no event, because", "(superseded)", `Before that, it was reported as UPDATED by ${one}`], "superseded");
  ask("no date", one, ["It is no event, because", "(quarantined)", "cannot read updated of record no date, which is soon"], "quarantined");
  ask("undated", one, ["It is no event, because", "(filtered): it has no date"], "filtered");
  ask("long ago", one, ["It is no event, because", "(before-window): older than the window"], "before the window");
  ask("to be deleted", two, ["It was reported as DELETED by"], "DELETED");
  ask("to come back", three, ["It was reported as CREATED by"], "CREATED");
  ask("never listed", undefined, ["No run has seen a record `never listed`", "The poller is well"]);
}

/** Events that are on their way, or that nobody is told. */
async function underWay(call: Call): Promise<void> {
  const quiet = await open(call, "Without a callback");
  questions.push({ shop: quiet.name, id: "read from the feed", run: await quiet.poll(record("read from the feed")), says: ["It was reported as UPDATED by", "no callback to go to"], decision: "UPDATED" });
  const west = await open(call, "West", { callback: bad.url });
  // One event each: a notification of several would be taken apart.
  const retried = await west.poll(record("retried"));
  const first = await west.delivered("retry");
  await west.poll(record("held"));
  const second = await until<Delivery[]>(call, `/deliveries?instanceId=${west.id}&status=retry`, (open) => open.length === 2, "the second delivery");
  const held = await west.poll(record("held"));
  questions.push({ shop: west.name, id: "retried", run: retried, says: ["It was reported as UPDATED by", `delivery ${first} carries it, failed`, "is being retried, next at"], decision: "UPDATED" });
  questions.push({ shop: west.name, id: "held", run: held, says: ["it is held behind the earlier event", `whose delivery ${second[0]?.id} is retry`], decision: "UPDATED" });
  const east = await open(call, "East", { callback: gone.url });
  const refused = await east.poll(record("refused"));
  const queued = await east.delivered("queued");
  questions.push({ shop: east.name, id: "refused", run: refused, says: [`delivery ${queued} carries it and is queued until somebody releases it`, "is disabled", "410"], decision: "UPDATED" });
  questions.push({ shop: east.name, id: "behind it", run: await east.poll(record("behind it")), says: ["it waits, because endpoint", "is disabled", "410"], decision: "UPDATED" });
}

/** Events that were given up. */
async function beyond(call: Call): Promise<void> {
  const dead = await open(call, "Dead", { callback: bad.url });
  const given = await dead.poll(record("given up"));
  const letter = await dead.delivered("retry");
  const cancelled = await open(call, "Cancelled", { callback: bad.url });
  const run = await cancelled.poll(record("cancelled"));
  const closed = await cancelled.delivered("retry");
  // Without the notification its endpoint goes, and what waits there with it.
  const instance = await call<Row & { configuration: Row }>("GET", `/instances/${cancelled.id}`);
  delete instance.configuration["event.notification.callback.url"];
  await call("PUT", `/instances/${cancelled.id}`, instance);
  await cancelled.delivered("cancelled");
  await server.without(aged);
  await dead.delivered("dead");
  questions.push({ shop: dead.name, id: "given up", run: given, says: [`delivery ${letter} is a dead letter: given up after its last retry`], decision: "UPDATED" });
  questions.push({ shop: cancelled.name, id: "cancelled", run, says: [`delivery ${closed} was cancelled, because its endpoint was removed`], decision: "UPDATED" });
}

/** Records that nobody could see, and why. */
async function stopped(call: Call): Promise<void> {
  const unseen = (shop: string, ...says: string[]) => questions.push({ shop, id: "unseen", says: ["No run has seen a record `unseen`", ...says] });
  const paused = await open(call, "Paused");
  await call("PUT", `/instances/${paused.id}/pollers/orders/paused`, {});
  unseen("Paused", "The poller is paused: a person paused it");
  const failing = await open(call, "Failing");
  failing.status = 401;
  await failing.poll();
  unseen("Failing", "The poller is failing", "401");
  const off = await open(call, "Off");
  await call("DELETE", `/instances/${off.id}/enabled`);
  unseen("Off", "Its instance is disabled");
}

test("twenty records are told with the poll that decided and the reason", async () => {
  assert.equal(questions.length, 20);
  for (const { shop, id, run, says, decision } of questions) {
    const what = `${id} of ${shop}`;
    await page.goto(`${server.url}/ask`);
    await page.getByRole("combobox", { name: "Polled as" }).click();
    await page.getByRole("option", { name: `${shop} · orders` }).click();
    await page.getByLabel("Record id").fill(id);
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    const sentence = await page.locator("p.said").innerText();
    for (const words of [...says.map((one) => one.replaceAll("`", "")), ...(run === undefined ? [] : [run])]) {
      assert.ok(sentence.replaceAll("`", "").includes(words), `${what}: «${words}» is missing in: ${sentence}`);
    }
    if (run === undefined || decision === undefined) {
      await page.getByText("No poll that is kept has listed it.").waitFor();
      continue;
    }
    // The poll's own screen agrees.
    const sightings = page.getByRole("table", { name: "Polls that saw it" });
    await sightings.locator(`a[href^="/runs/${run}"]`).first().click();
    await page.getByRole("table", { name: "Decisions" }).getByRole("row").filter({ hasText: id }).filter({ hasText: decision }).first().waitFor();
  }
  assert.deepEqual(complaints, []);
});
