// Looking after accounts, by clicking alone: calling one from its API docs, switching its events and itself off and on
// again, changing it, and removing what is not needed any more.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

import { goTo, importConnector } from "./clicks.ts";
import { browser, type Callback, callback, listen, opened, signIn, type Turnstone, turnstone, until } from "./harness.ts";

const FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";

let server: Turnstone;
let shop: Shop;
let app: Callback;
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

before(async () => {
  [server, shop, app, chromium] = await Promise.all([turnstone(), openShop(), callback(), browser()]);
  ({ page, context, complaints } = await opened(chromium, { reducedMotion: "reduce" }));
  await signIn(page, server);
});
after(async () => {
  await context?.close();
  await chromium?.close();
  await Promise.all([server?.stop(), shop?.stop(), app?.stop()]);
});

interface Order {
  id: number;
  title: string;
  changed: string;
}

/** A shop that can be called and polled: orders are listed, read, made, changed and removed. */
interface Shop {
  url: string;
  orders: Order[];
  /** What was asked, newest last. */
  log: { method: string; url: string; body: string; headers: Record<string, unknown> }[];
  add: (title: string) => void;
  stop: () => Promise<void>;
}

async function openShop(): Promise<Shop> {
  const orders: Order[] = [];
  const log: Shop["log"] = [];
  const add = (title: string): Order => {
    const order = { id: orders.length + 1, title, changed: new Date().toISOString() };
    orders.push(order);
    return order;
  };
  const server = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      log.push({ method: request.method ?? "", url: request.url ?? "", body, headers: request.headers });
      const url = new URL(request.url ?? "/", "http://shop");
      const answer = (status: number, value: unknown) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      const id = /^\/orders\/(.+)$/.exec(url.pathname)?.[1];
      if (id !== undefined) {
        const found = orders.find((order) => String(order.id) === id);
        return found === undefined ? answer(404, { message: `there is no order ${decodeURIComponent(id)}` }) : answer(200, found);
      }
      if (request.method === "POST") {
        const made = JSON.parse(body) as { title?: string };
        return made.title ? answer(201, add(made.title)) : answer(422, { message: "an order needs a title" });
      }
      const since = url.searchParams.get("changedAfter");
      answer(200, orders.filter(({ changed }) => since === null || Date.parse(changed) >= Date.parse(since)));
    });
  });
  return { url: server.url, orders, log, add, stop: server.stop };
}

function connector(): { key: string; name: string } & Record<string, unknown> {
  const polled = { orders: { url: `/orders?changedAfter=\${gmtDate:${FORMAT}}`, idField: "id", datesConfiguration: { updatedDateField: "changed", updatedDateFormat: FORMAT } } };
  const entry = (key: string, name: string, defaultValue: string) => ({ key, name, type: "TEXTFIELD_1000", defaultValue });
  const resource = (method: string, path: string, parameters: unknown[]) => ({ type: "api", method, path: `/hubs/shop${path}`, vendorMethod: method, vendorPath: path, parameters, hooks: [] });
  const id = { name: "id", type: "path", vendorName: "id", vendorType: "path", required: true };
  return {
    key: "shop",
    name: "Shop",
    hub: "shop",
    authentication: { type: "none" },
    configuration: [
      entry("base.url", "Base URL", shop.url),
      entry("event.notification.enabled", "Enable/Disable Event Notification", "true"),
      entry("event.vendor.type", "Vendor Event Notification Type", "polling"),
      entry("event.poller.configuration", "Event Poller Resources Configuration", JSON.stringify(polled)),
    ],
    parameters: [],
    hooks: [],
    resources: [
      resource("GET", "/orders", [{ name: "changedAfter", type: "query", vendorName: "changedAfter", vendorType: "query" }]),
      resource("GET", "/orders/{id}", [id]),
      resource("POST", "/orders", [{ name: "order", type: "body", vendorName: "order", vendorType: "body" }]),
    ],
  };
}

const dialog = (): Locator => page.getByRole("dialog");

/** Makes an instance of the shop, and ends at its next steps. */
async function newInstance(name: string, minutes = "0.005"): Promise<void> {
  await goTo(page, "Connectors");
  await page.getByRole("button", { name: "What to do with Shop" }).click();
  await page.getByRole("menuitem", { name: "New instance" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("textbox", { name: "Event Notification Callback URL" }).fill(app.url);
  await page.getByRole("textbox", { name: "Event poller refresh interval (mins)" }).fill(minutes);
  await page.getByRole("button", { name: "Create Instance" }).click();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
}

test("an account is called from its API docs: the answer is shown, and so is what is refused", async () => {
  shop.add("A broom");
  await importConnector(page, connector());
  await newInstance("Corner shop");
  const operation = async (name: string): Promise<Locator> => {
    await page.getByRole("button", { name, exact: true }).click();
    return page.getByRole("region", { name: `Try ${name}` });
  };

  const list = await operation("GET /orders");
  await list.getByRole("button", { name: "Try it" }).click();
  const answer = list.getByRole("region", { name: "The answer" });
  await answer.getByText("200", { exact: true }).waitFor();
  await answer.getByRole("region", { name: "Body of the answer" }).getByText("A broom").waitFor();
  await answer.getByRole("region", { name: "Headers of the answer" }).getByText("elements-element-instance-id").waitFor();

  const one = await operation("GET /orders/{id}");
  await one.getByText("Fill in id first.").waitFor();
  assert.ok(await one.getByRole("button", { name: "Try it" }).isDisabled());
  await one.getByRole("textbox", { name: "id (path)" }).fill("no such/order");
  await one.getByRole("button", { name: "Try it" }).click();
  await one.getByText("404", { exact: true }).waitFor();
  await one.getByRole("region", { name: "Body of the answer" }).getByText("there is no order no such/order").waitFor();
  await one.getByRole("textbox", { name: "id (path)" }).fill("1");
  await one.getByRole("button", { name: "Try it" }).click();
  await one.getByText("200", { exact: true }).waitFor();

  const make = await operation("POST /orders");
  await make.getByText("Changes something at the provider.").waitFor();
  await make.getByRole("textbox", { name: "Body" }).fill("{}");
  await make.getByRole("button", { name: "Try it" }).click();
  await make.getByText("422", { exact: true }).waitFor();
  await make.getByRole("region", { name: "Body of the answer" }).getByText("an order needs a title").waitFor();
  await make.getByRole("textbox", { name: "Body" }).fill('{"title": "A bucket"}');
  await make.getByRole("button", { name: "Try it" }).click();
  await make.getByText("200", { exact: true }).waitFor();
  assert.equal(shop.orders.at(-1)?.title, "A bucket");

  // Somebody else's token, or none that is known.
  await page.getByRole("textbox", { name: "Element token" }).fill("bakC5Rcsio5YDeo2bkdDighoeeBMEa5YK2Mcxjn_xTA");
  await make.getByRole("button", { name: "Try it" }).click();
  await make.getByText("401", { exact: true }).waitFor();
  await page.getByRole("heading", { name: "Next steps" }).waitFor();
  await page.getByRole("textbox", { name: "Element token" }).fill("");
  await make.getByText("The Element token is needed first.").waitFor();
  assert.ok(shop.log.every(({ headers }) => headers["authorization"] === undefined && headers["cookie"] === undefined), "nothing of ours went to the provider");
});

/** Opens what can be done with the instance at hand. */
async function more(item: string): Promise<void> {
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

/** Saves what the form of an instance holds, over what it says that this does. */
async function saveChange(): Promise<Locator> {
  await page.getByRole("button", { name: "See what it does" }).click();
  const plan = page.getByRole("dialog", { name: "What this change does" });
  await plan.getByRole("button", { name: "Save instance" }).waitFor();
  return plan;
}

const told = (title: string): boolean => app.received.some(({ body }) => body.includes(title));

test("events of an account are switched off and on again, and what changed meanwhile is told then", async () => {
  await page.getByRole("link", { name: "Watch its events" }).click();
  await page.getByRole("heading", { name: "Events", level: 1 }).waitFor();
  const shown = page.getByRole("combobox", { name: "Instance" });
  await until(async () => /^Corner shop \(\d+\)$/.test(await shown.inputValue()), "the events of other accounts are shown too");
  await page.goBack();
  await page.getByRole("link", { name: "To the instance" }).click();
  await page.getByRole("heading", { name: "Corner shop", level: 1 }).waitFor();
  await page.getByRole("img", { name: /^The last/ }).waitFor();
  shop.add("A ladder");
  await until(() => told("A ladder"), "the callback is told of nothing");

  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByRole("switch", { name: "Events Enabled" }).uncheck();
  await page.getByText("Off: nothing is polled and nothing is told.").waitFor();
  const off = await saveChange();
  await off.getByText("event.notification.enabled").waitFor();
  await off.getByRole("button", { name: "Back to the form" }).click();
  await off.waitFor({ state: "detached" });
  assert.equal(await page.getByRole("switch", { name: "Events Enabled" }).isChecked(), false);
  await (await saveChange()).getByRole("button", { name: "Save instance" }).click();
  await page.waitForURL(/\/instances\/\d+$/);
  await page.getByText(/^Paused: events are off/).waitFor();
  await page.getByRole("button", { name: "Resume orders" }).click();
  await page.getByRole("alert").getByText(/event.notification.enabled/).waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await goTo(page, "Instances");
  await page.getByRole("row", { name: /Corner shop/ }).getByText("no events", { exact: true }).waitFor();
  const asked = shop.log.length;
  shop.add("A lamp");

  await page.getByRole("link", { name: "Corner shop" }).click();
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByRole("switch", { name: "Events Enabled" }).check();
  assert.equal(await page.getByRole("textbox", { name: "Event Notification Callback URL" }).inputValue(), app.url, "its settings are as they were");
  assert.equal(shop.log.length, asked, "nothing was asked while it was off");
  await (await saveChange()).getByRole("button", { name: "Save instance" }).click();
  await page.getByRole("button", { name: "Poll now: orders" }).waitFor();
  await until(() => told("A lamp"), "what changed while events were off is not told");
});

test("an account is switched off: nothing is polled, calls are refused, and its cursor stays", async () => {
  await more("Switch off…");
  await dialog().getByText("It is polled no more").waitFor();
  await dialog().getByRole("button", { name: "Leave it" }).click();
  await dialog().waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Poll now: orders" }).waitFor();
  await more("Switch off…");
  await dialog().getByRole("button", { name: "Switch off" }).click();
  await page.getByText("It is switched off: nothing is polled, and calls to it are refused.").waitFor();
  await goTo(page, "Instances");
  await page.getByRole("row", { name: /Corner shop/ }).getByText("off", { exact: true }).waitFor();
  const asked = shop.log.length;
  shop.add("A kettle");
  await page.getByRole("link", { name: "Corner shop" }).click();
  await page.getByText("It is switched off", { exact: false }).first().waitFor();
  assert.ok(shop.log.length <= asked + 1, "it is polled no more");
  await more("Switch on");
  await page.getByText("Corner shop is switched on.").waitFor();
  await page.getByText("It is switched off: nothing is polled", { exact: false }).waitFor({ state: "detached" });
  await until(() => told("A kettle"), "what changed while it was off is not told");
});

test("an account is changed: nothing before it is saved, and everything that was not touched stays", async () => {
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.fill("Nobody's shop");
  await page.getByRole("button", { name: "Show Optional Fields" }).click();
  await page.getByRole("button", { name: "Add header" }).click();
  await page.getByRole("textbox", { name: "Name of header 1" }).fill("X-Forgotten");
  await page.getByRole("textbox", { name: "Value of header 1" }).fill("yes");
  await page.getByText("There are changes that are not saved.").waitFor();
  await page.getByRole("button", { name: "Discard changes" }).click();
  await page.getByText("Everything is saved.").waitFor();
  assert.equal(await name.inputValue(), "Corner shop");
  await page.getByRole("textbox", { name: "Name of header 1" }).waitFor({ state: "detached" });

  await name.fill("Market stall");
  await page.getByRole("button", { name: "Show Optional Fields" }).click();
  await page.getByRole("button", { name: "Add header" }).click();
  await page.getByRole("textbox", { name: "Name of header 1" }).fill("X-Stall");
  await page.getByRole("textbox", { name: "Value of header 1" }).fill("number four");
  await page.getByRole("textbox", { name: "Description" }).fill("Sells on Saturdays");
  await page.getByRole("combobox", { name: "Element Instance Tags" }).fill("market");
  await page.keyboard.press("Enter");
  const plan = await saveChange();
  await plan.getByText("name, description, tags").waitFor();
  await plan.getByRole("row", { name: /orders kept/ }).waitFor();
  await plan.getByRole("button", { name: "Save instance" }).click();
  await page.getByRole("heading", { name: "Market stall", level: 1 }).waitFor();
  await page.getByText("Sells on Saturdays").waitFor();
  await page.getByText("market", { exact: true }).waitFor();
  const before = app.received.length;
  shop.add("A pear");
  await until(() => app.received.slice(before).some(({ body, headers }) => body.includes("A pear") && headers["x-stall"] === "number four"), "the callback is not told with the header");
  await page.getByRole("tab", { name: "Settings" }).click();
  await page.getByRole("row", { name: /event.notification.callback.headers/ }).getByText("this instance").waitFor();
  assert.equal(await page.getByText("number four").count(), 0, "the value of a header is not shown");
});

test("accounts and their connector are removed after a question, and the lists say so", async () => {
  await newInstance("Attic", "600");
  await goTo(page, "Connectors");
  await page.getByRole("button", { name: "What to do with Shop" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await dialog().getByRole("button", { name: "Delete connector" }).click();
  await dialog().getByRole("alert").getByText(/instance/).waitFor();
  await dialog().getByRole("button", { name: "Keep it" }).click();
  await dialog().waitFor({ state: "detached" });

  await goTo(page, "Instances");
  await page.getByRole("link", { name: "Attic" }).click();
  await more("Remove…");
  await dialog().getByText("this cannot be undone").waitFor();
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  await more("Remove…");
  await dialog().getByRole("button", { name: "Leave it" }).click();
  await dialog().waitFor({ state: "detached" });
  const address = page.url();
  await goTo(page, "Instances");
  for (const [gone, left] of [["Attic", 1], ["Market stall", 0]] as const) {
    await page.getByRole("link", { name: gone }).click();
    await more("Remove…");
    await dialog().getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("heading", { name: "Instances", level: 1 }).waitFor();
    await page.getByRole("link", { name: gone }).waitFor({ state: "detached" });
    assert.equal(await page.getByRole("table", { name: "Instances" }).getByRole("row").count(), left === 0 ? 0 : left + 1);
  }
  await page.getByText("No account is connected yet").waitFor();
  await page.goto(address);
  await page.getByRole("alert").getByText("there is no such instance").waitFor();

  await goTo(page, "Connectors");
  for (const act of ["Keep it", "Delete connector"] as const) {
    await page.getByRole("button", { name: "What to do with Shop" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await dialog().getByRole("button", { name: act }).click();
    await dialog().waitFor({ state: "detached" });
    if (act === "Keep it") await page.getByRole("link", { name: "Shop" }).waitFor();
  }
  await page.getByRole("heading", { name: "No connectors yet" }).waitFor();
  assert.deepEqual(complaints, []);
});
