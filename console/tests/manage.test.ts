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
