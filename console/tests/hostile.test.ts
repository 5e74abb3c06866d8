// Text that would be a script if it were taken for markup, in every field that a provider, a callback or a user of the
// organisation can fill: every screen shows it as text.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ROUTES, type ScreenName } from "../src/app/routes.ts";
import { addressesOf, loaded } from "./addresses.ts";
import { listen } from "./harness.ts";
import { connected, until } from "./prepare.ts";
import { type World, world } from "./world.ts";

/** It runs as an element, as a handler, as a script, or as an address, wherever it is put unescaped. */
const EVIL = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`;
const LINK = "javascript:window.pwned=1";

let all: World;
let angry: { url: string; stop: () => Promise<void> };
let evil: number;

before(async () => {
  all = await world();
  const { call, north, pushy, monitor, subscription, shop, page } = all;
  // A provider and a callback that answer so, whatever they are asked for.
  angry = await listen((request, response) => {
    const isPolled = request.method === "GET";
    response.writeHead(isPolled ? 403 : 500, { "content-type": "application/json" }).end(JSON.stringify({ message: EVIL, help: LINK }));
  });
  shop.add(EVIL, { id: EVIL, [EVIL]: { [EVIL]: [EVIL, LINK] }, link: LINK });
  for (const id of [north, pushy]) await call("PATCH", `/instances/${id}`, { name: EVIL, description: EVIL, tags: [EVIL] });
  evil = await connected(call, { name: `${EVIL} 2`, api: angry.url, callback: angry.url, resource: EVIL });
  await call("PUT", `/instances/${evil}/pollers/${encodeURIComponent(EVIL)}/paused`, { reason: EVIL });
  const connector = await call<Record<string, unknown> & { configuration: Record<string, unknown>[] }>("GET", "/elements/crm");
  const entries = connector.configuration.map((entry) => ({ ...entry, name: `${EVIL} ${String(entry["key"])}`, description: EVIL }));
  const resources = [{ type: "api", method: "GET", path: "/hubs/crm/contacts", vendorMethod: "GET", vendorPath: "/contacts", description: EVIL, parameters: [], hooks: [] }];
  await call("PUT", "/elements/crm", { ...connector, name: EVIL, description: EVIL, hub: "crm", configuration: entries, resources });
  const kept = await call<{ draft: Record<string, unknown>; revision: number }>("GET", `/monitors/${monitor}`);
  await call("PUT", `/monitors/${monitor}`, { document: { ...kept.draft, name: EVIL }, revision: kept.revision });
  await call("PATCH", `/subscriptions/${subscription}`, { name: EVIL });
  await call("POST", "/users", { name: EVIL, role: "reader" });
  await call("PATCH", "/users/me", { name: `${EVIL} me` });
  const { url } = await call<{ url: string }>("GET", `/instances/${pushy}/webhook`);
  await page.request.post(url, { data: { contact: { id: EVIL, changed: "2026-01-31T12:00:00Z" } } });
  await page.request.post(url, { data: { [EVIL]: EVIL } });
  // Its callback refuses with such a text from now on.
  await call("PATCH", `/instances/${north}`, { configuration: { "event.notification.callback.url": angry.url } });
  await call("POST", `/instances/${north}/pollers/contacts/run`);
  await until<{ notifiedData: { objectId: string }[] }[]>(call, `/instances/${north}/events?pageSize=1`, ([one]) => one?.notifiedData[0]?.objectId === EVIL, "the event of the hostile record");
  await until<unknown[]>(call, `/deliveries?instanceId=${north}&status=retry&pageSize=1`, (list) => list.length > 0, "the delivery that is refused");
});
after(async () => {
  await all?.stop();
  await angry?.stop();
});

test("no screen takes text for markup, and every kind of it is seen as it was written", async () => {
  const { page, server } = all;
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    void dialog.dismiss();
  });
  const shown: string[] = [];
  const look = async (name: string) => {
    await loaded(page);
    assert.equal(await page.evaluate(() => (window as unknown as { pwned?: number }).pwned), undefined, `a script ran on ${name}`);
    assert.equal(await page.locator('a[href^="javascript:" i], img[src="x"]').count(), 0, `${name} made an element of a text`);
    const text = await page.evaluate(() => document.body.innerText + [...document.querySelectorAll("input, textarea")].map((one) => (one as HTMLInputElement).value).join(" "));
    // Names that people give lose their tags when they are kept; what providers write is kept as it is.
    if (text.includes("window.pwned=1")) shown.push(name);
  };
  const [event] = await all.call<{ id: string }[]>("GET", `/instances/${all.north}/events?pageSize=1&objectId=${encodeURIComponent(EVIL)}`);
  for (const name of Object.keys(ROUTES) as ScreenName[]) {
    const more = name === "event" ? [`/events/${event?.id}`] : name === "instance" ? [`/instances/${evil}`] : name === "poller" ? [`/instances/${evil}/pollers/${encodeURIComponent(EVIL)}`] : name === "ask" ? [`/ask?instance=${all.north}&resource=contacts&id=${encodeURIComponent(EVIL)}`] : [];
    for (const address of [...(await addressesOf(name, all)), ...more]) {
      await page.goto(server.url + address);
      await look(name);
      const tabs = page.getByRole("tab");
      for (let at = 1; at < (await tabs.count()); at++) {
        await tabs.nth(at).click();
        await look(name);
      }
    }
  }
  assert.deepEqual(asked, []);
  // A look that never met such a text would prove nothing.
  const names = [...new Set(shown)];
  assert.deepEqual(Object.keys(ROUTES).filter((name) => !names.includes(name)), []);
});
