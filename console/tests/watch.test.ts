// Watching: events live, what fails and why, pausing, redelivery, one poll by record, and hostile names.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

import { browser, type Callback, callback, opened, type Provider, provider, signIn, type Turnstone, turnstone } from "./harness.ts";
import { type Call, connected, prepare, until } from "./prepare.ts";

const HOSTILE = `<img src=x onerror="window.pwned=1">`;

type Run = { id: string; outcome: string };
type Poller = { lastRuns: Run[] };

let server: Turnstone;
let chromium: Browser;
let shop: Provider;
let broken: Provider;
let receiver: Callback;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let call: Call;
let north: number;
let hostile: number;

before(async () => {
  [server, chromium, shop, broken, receiver] = await Promise.all([turnstone(), browser(), provider(), provider(), callback()]);
  ({ page, context, complaints } = await opened(chromium));
  await signIn(page, server);
  call = await prepare(page, server);
  for (let one = 1; one <= 5; one++) shop.add(`Contact ${one}`, { city: "Bern" });
  shop.contacts.push({ ...shop.add(HOSTILE), id: HOSTILE as never, remark: "<script>window.pwned=1</script>" });
  shop.contacts.splice(5, 1);
  broken.failing = { status: 503, body: JSON.stringify({ message: "the shop is being rebuilt" }) };
  north = await connected(call, { name: "Shop of the north", api: shop.url, callback: receiver.url });
  hostile = await connected(call, { name: "Shop of hostile names", api: shop.url, resource: `100%41 "><svg onload=window.pwned=1>/` });
  const down = await connected(call, { name: "Shop that is down", api: broken.url });
  await until<{ position: number }[]>(call, `/instances/${north}/events`, (events) => events.length === 6, "the first events");
  await until<Poller>(call, `/instances/${north}/pollers/contacts`, (poller) => poller.lastRuns.length > 0, "the end of the first poll");
  await until<Poller>(call, `/instances/${down}/pollers/contacts`, (poller) => poller.lastRuns.length > 0, "the poll that fails");
});
after(async () => {
  await chromium.close();
  await Promise.all([server.stop(), shop.stop(), broken.stop(), receiver.stop()]);
});

/** Goes on with the Tab key until a control has the focus. */
async function reached(control: Locator): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if (await control.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not reach ${control}`);
}

test("what does not work stands first, with its reason and the way to it", async () => {
  await page.goto(`${server.url}/`);
  const attention = page.getByRole("region", { name: "Needs attention" });
  const first = attention.getByRole("listitem").first();
  await first.getByText(/503/).first().waitFor();
  await first.getByRole("link", { name: "Shop that is down · contacts" }).click();
  await page.getByRole("heading", { name: "contacts", level: 1 }).waitFor();
  await page.getByText(/failed in a row/).first().waitFor();
  await page.getByRole("link", { name: "Instances", exact: true }).first().click();
  await page.getByRole("heading", { name: "Instances", level: 1 }).waitFor();
  const row = page.getByRole("row", { name: /Shop that is down/ });
  await row.getByText("failing").waitFor();
  await row.getByText(/503/).waitFor();
  await page.getByLabel("Search").fill("NORTH");
  await page.getByRole("row", { name: /Shop of the north/ }).waitFor();
  await row.waitFor({ state: "detached" });
});

test("polling now brings a new event that appears by itself, without any request but the stream", async () => {
  const looking = await context.newPage();
  await looking.goto(`${server.url}/events`);
  await looking.getByRole("row", { name: /Contact 5/ }).first().waitFor();
  await looking.getByRole("status").getByText("Live").waitFor();
  const asked: string[] = [];
  looking.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
  shop.add("Newcomer", { city: "Chur" });

  await page.goto(`${server.url}/instances/${north}`);
  await page.getByRole("button", { name: "Poll now: contacts" }).click();
  await looking.getByRole("row", { name: /Newcomer/ }).first().waitFor();
  const top = looking.getByRole("table", { name: "Events" }).getByRole("row").nth(1);
  assert.match((await top.textContent()) ?? "", /Newcomer/, "the new one stands on top");
  assert.deepEqual(asked, [], "the page asked for something");

  // Both instances read this shop: the other one's event may come at any time, and its resource has another name.
  await looking.getByRole("row", { name: / contacts .*Newcomer/ }).getByRole("link").first().click();
  await looking.getByRole("heading", { name: /CREATED contacts/ }).waitFor();
  await looking.getByRole("row", { name: /city.*Chur/ }).waitFor();
  await looking.close();
});

test("a tab that nobody sees holds no connection, and shows what it missed when it is seen", async () => {
  const hidden = await context.newPage();
  // A stream that is never closed turns this red, and does not hang it.
  const ended = hidden.waitForEvent("requestfailed", { predicate: (request) => request.resourceType() === "eventsource" });
  ended.catch(() => undefined);
  await hidden.goto(`${server.url}/events`);
  await hidden.getByRole("row", { name: /Contact 5/ }).first().waitFor();
  await hidden.getByRole("status").getByText("Live").waitFor();
  /** Chromium without a window shows every tab, so it is told here. */
  const seen = (is: boolean) =>
    hidden.evaluate((is) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: !is });
      document.dispatchEvent(new Event("visibilitychange"));
    }, is);
  await seen(false);
  await ended;
  shop.add("Latecomer");
  await page.goto(`${server.url}/instances/${north}`);
  await page.getByRole("button", { name: "Poll now: contacts" }).click();
  await until<{ notifiedData: { objectId: string }[] }[]>(call, `/instances/${north}/events?objectId=7`, (events) => events.length === 1, "the event");
  assert.equal(await hidden.getByRole("row", { name: /Latecomer/ }).count(), 0);
  await seen(true);
  await hidden.getByRole("row", { name: / contacts .*Latecomer/ }).waitFor();
  await hidden.close();
});

test("an event shows the record before and after, with the difference marked", async () => {
  shop.change(2, { city: "Basel" });
  await page.goto(`${server.url}/instances/${north}`);
  await page.getByRole("button", { name: "Poll now: contacts" }).click();
  // A page that is left takes its request with it.
  await page.getByText("contacts is polled now.").waitFor();
  await page.goto(`${server.url}/events`);
  await page.getByRole("row", { name: /UPDATED.*Basel/ }).getByRole("link").first().click();
  await page.getByRole("heading", { name: "UPDATED contacts 2" }).waitFor();
  const row = page.getByRole("table", { name: "Before and after" }).getByRole("row", { name: /city/ });
  assert.deepEqual(await row.getByRole("cell").allTextContents(), ['"Bern"', '"Basel"']);
  await row.getByRole("img", { name: "changed" }).waitFor();
  assert.equal(await page.getByRole("row", { name: /name/ }).count(), 0, "what is the same is left out");
  await page.getByLabel("All fields").check();
  await page.getByRole("row", { name: /name/ }).waitFor();
});

test("a poller is paused with a reason that everybody sees, and goes on", async () => {
  await page.goto(`${server.url}/instances/${north}`);
  await page.getByRole("button", { name: "Pause contacts" }).click();
  const dialog = page.getByRole("dialog", { name: "Pause contacts" });
  await dialog.getByLabel("Reason").fill("The shop moves house");
  await dialog.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused: The shop moves house").waitFor();
  await page.goto(`${server.url}/instances`);
  await page.getByRole("row", { name: /Shop of the north/ }).getByText("contacts: The shop moves house").waitFor();
  await page.getByRole("link", { name: "Shop of the north" }).click();
  await page.getByRole("button", { name: "Resume contacts" }).click();
  await page.getByText("Paused: The shop moves house").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Poll now: contacts" }).waitFor();
});

test("the same is done by keyboard alone", async () => {
  await page.goto(`${server.url}/instances/${north}`);
  const pause = page.getByRole("button", { name: "Pause contacts" });
  await pause.waitFor();
  await reached(pause);
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Pause contacts" });
  await dialog.getByLabel("Reason").waitFor();
  await reached(dialog.getByLabel("Reason"));
  await page.keyboard.type("Without a mouse");
  await reached(dialog.getByRole("button", { name: "Pause" }));
  await page.keyboard.press("Enter");
  await page.getByText("Paused: Without a mouse").waitFor();
  const resume = page.getByRole("button", { name: "Resume contacts" });
  await resume.waitFor();
  await reached(resume);
  await page.keyboard.press("Enter");
  await pause.waitFor();
});

test("a notification that failed is seen with its reason, and is delivered again by a click", async () => {
  receiver.status = 500;
  const before = receiver.received.length;
  shop.add("Unheard");
  await page.goto(`${server.url}/instances/${north}`);
  await page.getByRole("button", { name: "Poll now: contacts" }).click();
  await page.getByRole("link", { name: "Deliveries", exact: true }).last().click();
  const row = page.getByRole("table", { name: "Deliveries" }).getByRole("row", { name: /being retried/ });
  await row.getByRole("link").first().click();
  await page.getByText(/was not accepted yet, and is tried again/).waitFor();
  const attempts = page.getByRole("region", { name: "Attempts" });
  await attempts.getByText("500", { exact: true }).first().waitFor();
  receiver.status = 200;
  await page.getByRole("button", { name: /Redeliver/ }).click();
  await page.getByText(/Its event was accepted/).waitFor();
  // What was sent is told as the receiver saw it.
  await attempts.getByText("Request", { exact: true }).first().click();
  await attempts.getByText(`POST ${receiver.url}`).first().waitFor();
  const id = receiver.received.at(-1)?.headers["elements-webhook-id"];
  await attempts.getByText(`Elements-Webhook-Id: ${id}`).first().waitFor();
  assert.ok(receiver.received.length > before + 1, "it was sent again");
  const bodies = receiver.received.slice(before).map(({ body }) => body);
  assert.ok(bodies.every((body) => body === bodies[0]), "with the same bytes");
});

test("one poll is searched by a record's id, from window to attempts", async () => {
  const { lastRuns } = await until<Poller>(call, `/instances/${north}/pollers/contacts`, (poller) => poller.lastRuns.length > 1, "a second poll");
  assert.ok(lastRuns.length > 1);
  await page.goto(`${server.url}/instances/${north}`);
  await page.getByRole("link", { name: "contacts", exact: true }).click();
  const table = page.getByRole("table", { name: "Polls" });
  await table.getByRole("row").last().getByRole("link").click();
  await page.getByRole("heading", { name: "Poll of contacts" }).waitFor();
  await page.getByRole("img", { name: /on a line of time/ }).waitFor();
  await page.getByLabel("Record id").fill("3");
  const decisions = page.getByRole("table", { name: "Decisions" });
  await decisions.getByRole("row", { name: /CREATED/ }).waitFor();
  assert.equal(await decisions.getByRole("row").count(), 2, "its head and the one record");
  await decisions.getByRole("button", { name: "3" }).click();
  const way = page.getByRole("list", { name: "The way of the record" });
  await way.getByText("CREATED").waitFor();
  await way.getByText("Page 1").waitFor();
  const sent = page.getByRole("list", { name: /Notification/ });
  await sent.getByText("delivered").waitFor();
  await sent.getByText("Attempt 1").waitFor();
  await page.getByRole("link", { name: "Ask every poll about this record" }).click();
  await page.getByRole("table", { name: "Polls that saw it" }).getByRole("row").nth(1).waitFor();
});

test("asking about a record answers in one sentence, also for one that nobody saw", async () => {
  await page.goto(`${server.url}/ask`);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByText("Write the record's id, as the provider writes it.").waitFor();
  await page.getByRole("combobox", { name: "Polled as" }).click();
  await page.getByRole("option", { name: "Shop of the north · contacts" }).click();
  await page.getByLabel("Record id").fill("2");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("table", { name: "Its events" }).getByRole("row", { name: /UPDATED/ }).waitFor();
  await page.getByLabel("Record id").fill("nobody-100%");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByText("No poll that is kept has listed it.").waitFor();
  await page.getByText("It became no event.").waitFor();
});

test("a rehearsal and a rewind are looked at before anything is done", async () => {
  await page.goto(`${server.url}/instances/${north}/pollers/contacts?tab=explain`);
  await page.getByRole("button", { name: "Rehearse it" }).click();
  await page.getByText(/It would read \d+ records and report/).waitFor();
  await page.getByRole("tab", { name: "Cursor" }).click();
  await page.getByRole("button", { name: "Look what that would do" }).click();
  await page.getByText(/A rewind .*would cost \d+ request/).waitFor();
  await page.getByRole("button", { name: "Rewind and poll…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Rewind and poll" }).click();
  await page.getByText("contacts is rewound and polled now.").waitFor();
});

test("what providers write is shown as text, and no script of theirs runs", async () => {
  await page.goto(`${server.url}/events`);
  await page.getByRole("row", { name: /<img src=x/ }).first().waitFor();
  await page.getByRole("link", { name: HOSTILE }).first().click();
  await page.getByRole("heading", { name: new RegExp("CREATED .*<img src=x") }).waitFor();
  await page.getByRole("cell", { name: /<script>window.pwned=1/ }).waitFor();
  await page.getByRole("link", { name: "Ask about this record" }).click();
  await page.getByRole("status").filter({ hasText: "." }).first().waitFor();
  await page.goto(`${server.url}/instances/${hostile}`);
  await page.getByRole("link", { name: /<svg onload/ }).click();
  await page.getByRole("heading", { level: 1, name: /<svg onload/ }).waitFor();
  await page.getByRole("table", { name: "Polls" }).getByRole("link").first().click();
  await page.getByRole("table", { name: "Decisions" }).getByText(HOSTILE).waitFor();
  assert.equal(await page.evaluate(() => (window as unknown as { pwned?: number }).pwned), undefined);
  assert.deepEqual(complaints, []);
});
