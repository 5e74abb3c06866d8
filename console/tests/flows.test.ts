// Flows by clicking alone, from an empty organisation: the polling monitor of the documents from an empty canvas, run,
// deployed, subscribed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Locator, Page } from "playwright-core";

import { canvasOf } from "./canvas.ts";
import { instanceByAddress } from "./clicks.ts";
import { browser, type Callback, callback, opened, picture, type Provider, provider, seriousFindings, signIn, type Turnstone, turnstone, until } from "./harness.ts";

let server: Turnstone;
let people: Provider;
let receiver: Callback;
let chromium: Browser;
let page: Page;
let leave: () => Promise<void>;

before(async () => {
  [server, people, receiver, chromium] = await Promise.all([turnstone(), provider(), callback(), browser()]);
  people.add("Ada", { createdAt: "2025-01-10T00:00:00Z", updatedAt: "2025-01-10T00:00:00Z" });
  people.add("Grace", { createdAt: "2025-02-10T00:00:00Z", updatedAt: "2025-02-10T00:00:00Z" });
  const first = await opened(chromium, { reducedMotion: "reduce" });
  page = first.page;
  leave = () => first.context.close();
  page.on("dialog", (dialog) => void dialog.accept());
  await signIn(page, server);
  await instanceByAddress(page, server, { name: "People", key: "people", address: `${people.url}/contacts?updatedAfter=2020-01-01T00:00:00Z`, callback: receiver.url });
});
after(async () => {
  await leave();
  await chromium.close();
  await Promise.all([server.stop(), people.stop(), receiver.stop()]);
});

const { add, card, dialog, rename, run, take } = canvasOf(() => page);

test("the monitor of the documents is built from an empty canvas, saved, run from null and from a cursor", async () => {
  await page.goto(`${server.url}/monitors`);
  await page.getByRole("heading", { name: "No monitors yet" }).waitFor();
  await page.getByRole("link", { name: "New Flow" }).first().click();
  await page.getByRole("button", { name: "Add event" }).click();
  await dialog().getByRole("button", { name: /^Polling Monitor/ }).click();
  await card("Polling Monitor").getByLabel("Type of Cursor").selectOption("object");

  await add("at the beginning", "object get", /^Object Get/);
  const get = card(/^Object Get/);
  await take(get, "object", /^Cursor/);
  await get.getByLabel("path", { exact: true }).fill("cursor_value");
  await get.getByLabel("Type of output").selectOption("date");
  await rename(get, "output", "output", "saved start date");

  await add("after Object Get", "date now", /^Date & Time Now/);
  const now = card(/^Date & Time Now/);
  await rename(now, "output", "date", "New end date");

  await add("after Date & Time Now", "construct object", /^Object Construct/);
  const query = card(/^Object Construct/);
  await query.getByRole("button", { name: "Add input" }).click();
  await rename(query, "input", "field", "createdAfter");
  await query.getByRole("button", { name: "Add input" }).click();
  await rename(query, "input", "field", "createdBefore");
  await take(query, "createdAfter", /^saved start date/);
  await take(query, "createdBefore", /^New end date/);

  await add("after Object Construct", "if error", /^If Error/);
  const block = card("If Error");
  await block.getByRole("button", { name: "Add output" }).click();
  await rename(block, "output", "output", "newUsersList");
  await block.getByLabel("Type of newUsersList").selectOption("list of object");
  await add("at the beginning of Try", "call flow", /^Call Flow runs/);
  const call = card(/^Call Flow/);
  await call.getByLabel("relative_url", { exact: true }).fill("/v1/users");
  await call.getByLabel("request_method", { exact: true }).fill("GET");
  await drag(query, "output", call, "inputs/query");
  await call.getByRole("button", { name: "Cut the wire to query" }).waitFor();
  await add("after Call Flow", "return", /^Return ends/);
  await take(card("Return").first(), "newUsersList", /^body/);
  await add("at the beginning of If Error", "return", /^Return ends/);
  await card("Return").nth(1).getByLabel("newUsersList", { exact: true }).fill("[]");

  await page.getByRole("button", { name: "Helper flow" }).click();
  await dialog().getByLabel("Name of the helper flow").fill("asRecord");
  await dialog().getByRole("button", { name: "Add the flow" }).click();
  for (const [button, name] of [["Add Inputs", "user"], ["Add Outputs", "record"]] as const) {
    await card("Helper Flow asRecord").getByRole("button", { name: button }).click();
    await dialog().getByRole("button", { name: "Add Field" }).click();
    await dialog().getByLabel("Field 1 of asRecord", { exact: true }).fill(name);
    await dialog().getByLabel("Type of field 1 of asRecord").selectOption("object");
    await dialog().getByRole("button", { name: "Apply" }).click();
    await dialog().waitFor({ state: "hidden" });
  }
  await add("at the beginning", "construct object", /^Object Construct/);
  const fields = card(/^Object Construct/);
  for (const [name, path] of [["ID", "id"], ["Name", "name"], ["Created", "createdAt"]] as const) {
    await fields.getByRole("button", { name: "Add input" }).click();
    await rename(fields, "input", "field", name);
    await take(fields, name, /^user/);
    const into = fields.getByLabel(`Path into inputs.user for ${name}`);
    await into.fill(path);
    await into.press("Enter");
  }
  await take(card("Return"), "record", /^output/);
  await card("Return").getByRole("button", { name: "What record takes" }).click();
  await page.getByRole("menuitem", { name: "Object or list, as JSON" }).click();
  await card("Return").getByLabel("record", { exact: true }).fill('{"User": {"from": "objectConstruct.output"}}');
  await page.getByRole("tab", { name: /^Monitor/ }).click();

  await add("after If Error", "list map", /^List Map/);
  const map = card(/^List Map/);
  await map.getByLabel("Flow").selectOption("asRecord");
  await take(map, "list", /^newUsersList/);
  await take(map, "user", /^item/);

  await add("after List Map", "construct object", /^Object Construct/);
  const next = card("Object Construct");
  await next.getByRole("button", { name: "Add input" }).click();
  await rename(next, "input", "field", "cursor_value");
  await take(next, "cursor_value", /^New end date/);
  await take(card("Cursor"), "Properties", /^output/);

  const back = card("Return Outputs");
  await back.getByRole("button", { name: "Add Outputs" }).click();
  await dialog().getByRole("button", { name: "Add group" }).click();
  await dialog().getByLabel("Group 1", { exact: true }).fill("User");
  for (const [at, name, type] of [[2, "Name", "text"], [3, "Created", "date"]] as const) {
    await dialog().getByRole("button", { name: "Add Field" }).click();
    await dialog().getByLabel(`Field ${at} of User`, { exact: true }).fill(name);
    await dialog().getByLabel(`Type of field ${at} of User`).selectOption(type);
  }
  await dialog().getByLabel("Records are recognised in group").selectOption("User");
  await dialog().getByLabel("by id").selectOption("ID");
  await dialog().getByLabel("and date of change").selectOption("Created");
  await dialog().getByRole("button", { name: "Apply" }).click();
  await take(back, "List", /^new list/);

  await page.getByRole("status", { name: "State of the flow" }).getByText("no faults").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  const canvas = page.getByRole("region", { name: "Canvas of the monitor" });
  assert.ok(await canvas.evaluate((frame) => frame.scrollWidth > frame.clientWidth), "the flow is long");
  await page.getByText("Whole flow", { exact: true }).click();
  await until(() => canvas.evaluate((frame) => frame.scrollWidth <= frame.clientWidth), "the whole flow is not seen");
  await page.getByText("50 %", { exact: true }).click();
  await canvas.evaluate((frame) => frame.scrollTo(0, 0));
  await picture(page, "flow-canvas");
  await page.getByText("100 %", { exact: true }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await dialog().getByLabel("Name of the flow").fill("New users");
  await dialog().getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "New users", level: 1 }).waitFor();
  await page.getByText("Saved · not deployed").waitFor();

  const first = await run("");
  await first.getByRole("heading", { name: "2 records returned" }).waitFor();
  await first.getByText("ended well").waitFor();
  assert.match(await first.getByRole("region", { name: "Cursor that is saved" }).innerText(), /"cursor_value": "20\d\d-/);
  await card(/^Object Get/).getByText(/✓ \d+ ms/).waitFor();
  await card(/^Call Flow/).getByRole("button", { name: /^Value of status_code: 200/ }).waitFor();
  await card("Return").nth(1).getByText("did not run").waitFor();

  const second = await run('{"cursor_value": "2025-02-01T00:00:00Z"}');
  await second.getByRole("heading", { name: "1 record returned" }).waitFor();
  await second.getByRole("cell", { name: "Grace" }).waitFor();
  assert.ok(people.log.some((line) => line.includes("createdAfter=2025-01-31T23%3A58")), "the overlap is asked for again");
  await picture(page, "flow-run");

  people.failing = { status: 503, body: "busy" };
  const third = await run("null");
  await card(/^Call Flow/).getByText("✗ failed").waitFor();
  await third.getByRole("heading", { name: "0 records returned" }).waitFor();
  people.failing = undefined;
});

/** Draws a wire with the mouse. */
/** Where something is once it has stopped moving: the canvas lays itself out anew when its size changes. */
async function settled(of: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  for (let last = "", still = 0; ; ) {
    const box = await of.boundingBox();
    still = box !== null && JSON.stringify(box) === last ? still + 1 : 0;
    if (box !== null && still >= 5) return box;
    last = JSON.stringify(box);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  }
}

async function drag(from: Locator, output: string, to: Locator, input: string): Promise<void> {
  const start = from.locator(`.react-flow__handle[data-handleid="${output}"]`);
  const end = to.locator(`.react-flow__handle[data-handleid="${input}"]`);
  const frame = page.getByRole("region", { name: /^Canvas of/ });
  await page.getByText("50 %").click();
  await end.scrollIntoViewIfNeeded();
  await frame.evaluate((element, x) => element.scrollTo({ left: x }), await start.evaluate((element) => Math.max(0, (element.closest(".react-flow__node") as HTMLElement).getBoundingClientRect().x + (element.closest("[role=region][tabindex]") as HTMLElement).scrollLeft - 300)));
  const [a, b] = [await settled(start), await settled(end)];
  await page.mouse.move(a.x + a.width / 2, a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2, { steps: 5 });
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 5 });
  await page.mouse.up();
  await page.getByText("100 %").click();
}

test("it is deployed and subscribed; its runs open on the canvas, and its cursor can be put back", async () => {
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await dialog().getByRole("button", { name: "Deploy now" }).click();
  await dialog().getByText("Version 1 is deployed").waitFor();
  await dialog().getByRole("link", { name: "Subscribe an instance" }).click();
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText("Choose an instance.").waitFor();
  await page.getByRole("combobox", { name: /^Instance/ }).selectOption({ label: "People (people)" });
  await page.getByRole("textbox", { name: "Interval" }).fill("1m");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText(/let at least 5 minutes pass/).waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Name" }).inputValue(), "New users", "nothing is lost by a refusal");
  await page.getByRole("textbox", { name: "Interval" }).fill("10m");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page.getByText("Version 1, every 10m").waitFor();
  await page.getByRole("table", { name: "Runs" }).getByText("completed").first().waitFor();
  await page.getByRole("region", { name: "Cursor", exact: true }).last().getByText("cursor_value").waitFor();
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("table", { name: "Runs" }).getByText("completed").nth(1).waitFor();
  const told = () => new Set(receiver.received.flatMap(({ body }) => [...body.matchAll(/"objectId":\s*"(\d+)"/g)].map(([, id]) => id)));
  assert.deepEqual([...told()].sort(), ["1", "2"], "both users were told to the callback");

  await page.getByRole("button", { name: /^Rewind to none yet/ }).click();
  await dialog().getByRole("button", { name: "Rewind it" }).click();
  await page.getByText("None: the next run is a first run.").waitFor();
  await page.getByRole("button", { name: "Set the cursor" }).click();
  await dialog().getByLabel("Cursor").fill("5");
  await dialog().getByRole("button", { name: "Set it" }).click();
  await dialog().getByRole("alert").waitFor();
  await dialog().getByLabel("Cursor").fill('{"cursor_value": "2025-02-01T00:00:00Z"}');
  await dialog().getByRole("button", { name: "Set it" }).click();
  await page.getByText(/saved .* by a person/).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await picture(page, "subscription");

  await page.getByRole("table", { name: "Runs" }).getByRole("link").last().click();
  await page.getByRole("heading", { name: "New users, version 1" }).waitFor();
  await card(/^Call Flow/).getByRole("button", { name: /^Value of status_code: 200/ }).waitFor();
  assert.equal(await page.getByRole("button", { name: /^Add a card/ }).count(), 0, "a version never changes");
  await page.goto(`${server.url}/monitors/1`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const saved = dialog().getByLabel("Saved cursors");
  await saved.locator("option", { hasText: "New users" }).waitFor({ state: "attached" });
  await saved.selectOption({ index: 1 });
  assert.match(await dialog().getByLabel("Cursor", { exact: true }).inputValue(), /2025-02-01/);
});
