// Every dialog, drawer and menu of the console: where it is, what opens it, and in which source file it is written. A
// dialog in the sources that is missing here fails the tests.
import type { Locator, Page } from "playwright-core";

import { loaded } from "./addresses.ts";
import { sourcesWith } from "./looks.ts";
import type { World } from "./world.ts";

/** One of them. */
export interface Dialog {
  name: string;
  /** The source file that has it. */
  file: string;
  at: string;
  /** What is done on the screen before it can be opened. */
  before?: (page: Page) => Promise<void>;
  opener: (page: Page) => Locator;
  /** The entry of the menu that the opener opens. */
  entry?: string | RegExp;
  /** What can be seen further on in it. */
  further?: (page: Page) => Promise<void>;
}

const button = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name, exact: typeof name === "string" }).first();

/** The dialogs of setting up and of settings. */
export function setupDialogsOf(world: World): Dialog[] {
  const { north, pushy } = world;
  return [
    { name: "person-menu", file: "app/Shell.tsx", at: "/", opener: button("owner") },
    { name: "connector-new", file: "screens/connectors/NewConnector.tsx", at: "/connectors", opener: button("New connector") },
    {
      name: "connector-import",
      file: "screens/connectors/ImportConnector.tsx",
      at: "/connectors",
      opener: button("Import"),
      further: async (page) => {
        await page.getByLabel("File to import").setInputFiles({ name: "tasks.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify({ openapi: "3.0.0", info: { title: "Tasks", version: "1" }, servers: [{ url: "https://tasks.example.com" }], paths: { "/tasks": { get: { operationId: "listTasks", responses: { 200: { description: "All" } } } } } })) });
        await page.getByRole("button", { name: "Turn it into a connector" }).click();
        await page.getByRole("button", { name: "Import connector" }).waitFor();
      },
    },
    { name: "connector-clone", file: "screens/connectors/Changes.tsx", at: "/connectors", opener: button(/^What to do with/), entry: "Clone" },
    { name: "connector-delete", file: "screens/connectors/Changes.tsx", at: "/connectors", opener: button(/^What to do with/), entry: "Delete" },
    { name: "connector-part", file: "screens/connectors/steps/PartDialog.tsx", at: "/connectors/crm/resources", opener: button("Add resource") },
    {
      name: "resource-suggest",
      file: "parts/polling/Suggest.tsx",
      at: "/connectors/crm/events/polling",
      opener: button("Suggest"),
      further: async (page) => {
        await page.getByRole("textbox", { name: "Address of the list" }).fill(`${world.shop.url}/contacts?updatedAfter=2020-01-01T00:00:00Z`);
        await page.getByRole("button", { name: "Look at it" }).click();
        await page.getByRole("button", { name: /^Take \d+ of/ }).waitFor();
      },
    },
    { name: "resource-copy", file: "parts/polling/Resources.tsx", at: "/connectors/crm/events/polling", opener: button("Copy contacts") },
    { name: "resource-remove", file: "parts/polling/Resources.tsx", at: "/connectors/crm/events/polling", opener: button("Remove contacts") },
    {
      name: "instance-plan",
      file: "screens/instances/form/PlanDialog.tsx",
      at: `/instances/new?edit=${north}`,
      before: async (page) => await page.getByRole("textbox", { name: "Event poller refresh interval (mins)" }).fill("15"),
      opener: button("See what it does"),
    },
    { name: "instance-off", file: "screens/instances/Instance.tsx", at: `/instances/${north}`, opener: button("More"), entry: "Switch off…" },
    { name: "instance-remove", file: "screens/instances/Instance.tsx", at: `/instances/${north}`, opener: button("More"), entry: "Remove…" },
    { name: "webhook-address", file: "screens/instances/Webhook.tsx", at: `/instances/${pushy}?tab=webhook`, opener: button("Another address…") },
    { name: "webhook-discard", file: "screens/instances/Webhook.tsx", at: `/instances/${pushy}?tab=webhook`, opener: button("Discard…") },
    { name: "user-add", file: "screens/settings/Users.tsx", at: "/settings?tab=users", opener: button("Add user") },
    { name: "user-secret", file: "screens/settings/Users.tsx", at: "/settings?tab=users", opener: button(/^What to do with/), entry: "New secret" },
    { name: "token-end", file: "screens/settings/Tokens.tsx", at: "/settings?tab=organisation", opener: button(/^End token/) },
    { name: "me-secret", file: "screens/settings/Me.tsx", at: "/settings", opener: button("Take a new secret") },
  ];
}

/** The dialogs of watching and mending. */
export function watchingDialogsOf(world: World): Dialog[] {
  const { north, down, subscription } = world;
  const poller = `/instances/${north}/pollers/contacts`;
  const rewound = async (page: Page) => {
    await page.getByRole("button", { name: "Look what that would do" }).click();
    await page.getByRole("button", { name: "Rewind and poll…" }).waitFor();
  };
  return [
    { name: "poller-pause", file: "screens/pollers/parts.tsx", at: poller, opener: button("Pause contacts") },
    { name: "poller-deletes", file: "screens/pollers/parts.tsx", at: `/instances/${down}/pollers/contacts`, before: braked, opener: button("Confirm deletes") },
    { name: "cursor-rewind", file: "screens/pollers/CursorPanel.tsx", at: `${poller}?tab=cursor`, before: rewound, opener: button("Rewind and poll…") },
    { name: "endpoint-off", file: "screens/deliveries/Endpoints.tsx", at: "/deliveries?show=endpoints", opener: button("Switch off…") },
    {
      name: "redeliver-many",
      file: "screens/deliveries/RedeliverMany.tsx",
      at: "/deliveries",
      opener: button(/^Redeliver many/),
      further: async (page) => {
        await page.getByRole("combobox", { name: "Since" }).click();
        await page.getByRole("option", { name: "Formed since an instant…" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Redeliver", exact: true }).click();
        await page.getByText("Write an instant with its zone").waitFor();
      },
    },
    { name: "subscription-change", file: "screens/flows/Subscription.tsx", at: `/subscriptions/${subscription}`, opener: button("Change") },
    { name: "subscription-remove", file: "screens/flows/Subscription.tsx", at: `/subscriptions/${subscription}`, opener: button("Remove") },
    { name: "subscription-cursor", file: "screens/flows/subscription/CursorPanel.tsx", at: `/subscriptions/${subscription}`, opener: button("Set the cursor") },
    { name: "subscription-reset", file: "screens/flows/subscription/CursorPanel.tsx", at: `/subscriptions/${subscription}`, opener: button("Reset") },
    { name: "subscription-rewind", file: "screens/flows/subscription/CursorPanel.tsx", at: `/subscriptions/${subscription}`, opener: button(/^Rewind to/) },
  ];
}

/** The dialogs of flows. */
export function flowDialogsOf(world: World): Dialog[] {
  const { north, monitor } = world;
  const at = `/monitors/${monitor}`;
  const toHelper = async (page: Page) => await page.getByRole("tab", { name: "asRecord" }).click();
  return [
    { name: "flow-event", file: "screens/flows/dialogs/AddEvent.tsx", at: "/monitors/new", opener: button("Add event") },
    {
      name: "flow-import-fault",
      file: "screens/flows/editor/ImportButton.tsx",
      at: "/monitors/new?connector=crm",
      before: async (page) => {
        const chosen = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Import an export" }).click();
        await (await chosen).setFiles({ name: "broken.flopack", mimeType: "application/json", buffer: Buffer.from("{}") });
        await page.getByRole("dialog").waitFor();
      },
      opener: button("Import an export"),
    },
    {
      name: "flow-add-card",
      file: "screens/flows/dialogs/AddCard.tsx",
      at,
      opener: button("Add a card at the beginning"),
      further: async (page) => await page.getByLabel("Search cards").fill("date"),
    },
    { name: "flow-card", file: "screens/flows/dialogs/CardDialog.tsx", at, opener: button(/^More for Object Get/), entry: "Settings of the card" },
    { name: "flow-options", file: "screens/flows/dialogs/OptionsDialog.tsx", at, opener: button(/Options$/), further: async (page) => await page.getByRole("button", { name: "Add option", exact: true }).click() },
    { name: "flow-outputs", file: "screens/flows/dialogs/OutputsDialog.tsx", at, opener: button(/^(Change|Add) Outputs/) },
    { name: "flow-signature", file: "screens/flows/dialogs/SignatureDialog.tsx", at, before: toHelper, opener: button("Change Inputs") },
    { name: "flow-helper", file: "screens/flows/editor/FlowTabs.tsx", at, opener: button("Helper flow") },
    { name: "flow-save", file: "screens/flows/editor/SaveDialog.tsx", at, opener: button("More for the flow"), entry: "Rename" },
    { name: "flow-remove", file: "screens/flows/editor/RemoveFlow.tsx", at, opener: button("More for the flow"), entry: "Remove…" },
    { name: "flow-deploy", file: "screens/flows/editor/DeployDialog.tsx", at, opener: button("Deploy") },
    { name: "flow-history", file: "screens/flows/editor/HistoryDrawer.tsx", at, opener: button("Run history") },
    { name: "flow-run", file: "screens/flows/editor/RunDialog.tsx", at, opener: button("Run") },
    {
      name: "flow-value",
      file: "screens/flows/editor/FlowEditor.tsx",
      at,
      before: async (page) => {
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await page.getByRole("dialog").getByLabel(/^Instance/).selectOption(String(north));
        await page.getByRole("dialog").getByRole("button", { name: "Run now" }).click();
        await page.getByRole("region", { name: "Result of the run" }).waitFor();
      },
      opener: button(/^Value of/),
    },
    { name: "flow-wire-menu", file: "screens/flows/canvas/InputField.tsx", at, opener: button(/^What .* takes$/) },
  ];
}

const BRAKED = /\/elements\/.*\/pollers\/contacts$/;

/** Lets the answer about a poller say that a sweep missed many records. */
async function braked(page: Page): Promise<void> {
  await page.route(BRAKED, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), brake: { missing: 412, known: 1_000, released: false } } });
  });
  await page.reload();
  await page.getByRole("button", { name: "Confirm deletes" }).waitFor();
  await page.unroute(BRAKED);
}

/** All of them. */
export function allDialogsOf(world: World): Dialog[] {
  return [...setupDialogsOf(world), ...watchingDialogsOf(world), ...flowDialogsOf(world)];
}

/** Goes to where a dialog is opened. */
export async function toOpener(page: Page, url: string, dialog: Dialog): Promise<Locator> {
  // A screen on which nothing was done but opening and closing serves again.
  if (dialog.before !== undefined || dialog.further !== undefined || page.url() !== url + dialog.at) {
    await page.evaluate(() => sessionStorage.clear());
    await page.goto(url + dialog.at);
    await loaded(page);
  }
  await dialog.before?.(page);
  const opener = dialog.opener(page);
  await opener.waitFor({ state: "attached" });
  return opener;
}

/** Source files with dialogs that are not among these, or with more of them than are. */
export async function forgottenDialogs(dialogs: readonly Dialog[]): Promise<string[]> {
  // What asks is written once and used by others, who are looked at.
  const written = await sourcesWith(/<(Modal|Drawer|Dialog|SideDialog|Confirm)\b(?!\.)/);
  for (const shared of ["parts/Dialog.tsx", "parts/Confirm.tsx", "screens/settings/Confirm.tsx"]) written.delete(shared);
  return [...written].flatMap(([file, count]) => {
    const looked = dialogs.filter((dialog) => dialog.file === file).length;
    return looked >= count ? [] : [`${file} has ${count}, of which ${looked} are looked at`];
  });
}
