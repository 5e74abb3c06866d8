// Everything a test of the console needs around it: a real server with an empty organisation, an API to poll, a
// callback to notify, and a real browser. Nothing in here calls our API: what tests do, they do by clicking.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";

const HERE = import.meta.dirname;
const PROGRAM = process.env["TURNSTONE_BIN"] ?? join(HERE, "..", "..", "target", "debug", "turnstone");
const FILLER = process.env["TURNSTONE_MANY"] ?? join(HERE, "..", "..", "target", "debug", "examples", "many");
const AGER = process.env["TURNSTONE_AGED"] ?? join(HERE, "..", "..", "target", "debug", "examples", "aged");
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** How long a browser waits for what it is told to find, in milliseconds. */
export const PATIENCE = 20_000;

/** A running server with an organisation in which nothing is. */
export interface Turnstone {
  url: string;
  /** Signs its first user in once. */
  link: string;
  stop: () => Promise<void>;
  /** Ends the process and starts it again on the same data and port. */
  restart: () => Promise<void>;
  /** Ends the process, does something without it, with the folder of its data, and starts it again. */
  without: (act: (data: string) => Promise<unknown>) => Promise<void>;
}

/** Starts a server on a directory of its own; with `fill`, on one with so many instances and events in it. */
export async function turnstone(fill?: { instances: number; events: number }): Promise<Turnstone> {
  if (!existsSync(PROGRAM)) throw new Error(`there is no program at ${PROGRAM}; build it with: cargo build --workspace`);
  const data = await mkdtemp(join(tmpdir(), "turnstone-console-"));
  let listen = "127.0.0.1:0";
  let process = await start(data, listen);
  const url = process.url;
  const link = process.link;
  if (link === undefined) throw new Error("the first start printed no link to sign in");
  listen = new URL(url).host;
  if (fill !== undefined) {
    await ended(process.child);
    await promisify(execFile)(FILLER, [data, String(fill.instances), String(fill.events)]);
    process = await start(data, listen);
  }
  return {
    url,
    link,
    stop: async () => {
      await ended(process.child);
      await rm(data, { recursive: true, force: true });
    },
    restart: async () => {
      await ended(process.child);
      process = await start(data, listen);
    },
    without: async (act) => {
      await ended(process.child);
      try {
        await act(data);
      } finally {
        process = await start(data, listen);
      }
    },
  };
}

async function start(data: string, listen: string): Promise<{ child: ChildProcess; url: string; link: string | undefined }> {
  const child = spawn(PROGRAM, ["serve", "--quiet", "--listen", listen, "--data", data, "--allow-private", "--interval-minimum", "0.2"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  return await new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const url = /turnstone listens on (http:\/\/[^/\s]+)/.exec(text)?.[1];
      if (url !== undefined) {
        resolve({ child, url, link: /(http:\/\/\S+\/sign-in\?code=\S+)/.exec(text)?.[1] });
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}:\n${text}`)));
  });
}

/** Makes what is being retried as old as what has one try left; for [Turnstone.without]. */
export const aged = (data: string): Promise<unknown> => promisify(execFile)(AGER, [data]);

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await over;
}

/** A record of the test's own API. */
export type Contact = { id: number; name: string; createdAt: string; updatedAt: string } & Record<string, unknown>;

/** An API that cannot call anybody: `GET /contacts?updatedAfter=…&page=…`, and `GET /v1/users` for monitors. */
export interface Provider {
  url: string;
  contacts: Contact[];
  /** Adds a contact dated now. */
  add: (name: string, more?: Record<string, unknown>) => Contact;
  /** Changes one, dated now. */
  change: (id: number, change: Partial<Contact>) => void;
  /** While set, everything is answered so. */
  failing: { status: number; body: string } | undefined;
  /** The requests so far, newest last. */
  log: string[];
  stop: () => Promise<void>;
}

/** Starts it. */
export async function provider(): Promise<Provider> {
  const state: Omit<Provider, "url" | "stop"> = {
    contacts: [],
    failing: undefined,
    log: [],
    add: (name, more = {}) => {
      const at = new Date().toISOString();
      const contact: Contact = { id: state.contacts.length + 1, name, createdAt: at, updatedAt: at, ...more };
      state.contacts.push(contact);
      return contact;
    },
    change: (id, change) => {
      const contact = state.contacts.find((contact) => contact.id === id);
      if (contact) Object.assign(contact, { updatedAt: new Date().toISOString() }, change);
    },
  };
  const server = await listen((request, response) => {
    const url = new URL(request.url ?? "/", "http://provider");
    state.log.push(`${request.method} ${request.url}`);
    if (state.failing) {
      response.writeHead(state.failing.status, { "content-type": "application/json" }).end(state.failing.body);
      return;
    }
    const since = url.searchParams.get("updatedAfter") ?? url.searchParams.get("createdAfter");
    const until = url.searchParams.get("createdBefore");
    const size = Number(url.searchParams.get("pageSize") ?? 100);
    const from = (Number(url.searchParams.get("page") ?? 1) - 1) * size;
    const found = state.contacts
      .filter((contact) => since === null || Date.parse(contact.updatedAt) >= Date.parse(since))
      .filter((contact) => until === null || Date.parse(contact.createdAt) < Date.parse(until))
      .sort((a, b) => a.updatedAt.localeCompare(b.updatedAt));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found.slice(from, from + size)));
  });
  return Object.assign(state, { url: server.url, stop: server.stop });
}

/** What a callback received. */
export interface Received {
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A callback: keeps what it got, and answers as it is told. */
export interface Callback {
  url: string;
  received: Received[];
  status: number;
  stop: () => Promise<void>;
}

/** Starts it. */
export async function callback(): Promise<Callback> {
  const state: Omit<Callback, "url" | "stop"> = { received: [], status: 200 };
  const server = await listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      state.received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(state.status).end("told");
    });
  });
  return Object.assign(state, { url: `${server.url}/notify`, stop: server.stop });
}

/** Any other server that a test needs, on a port of its own. */
export async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ url: string; stop: () => Promise<void> }> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Starts the browser. */
export async function browser(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error("there is no Chromium; Debian: apt-get install chromium");
  return await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
}

/** A page of a new browser profile; what its scripts complain about fails the test through `complaints`. */
export async function opened(browser: Browser, options: Parameters<Browser["newContext"]>[0] = {}): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  return { page, context, complaints };
}

/** Goes in by the link of the first start. */
export async function signIn(page: Page, server: Turnstone): Promise<void> {
  await page.goto(server.link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Places" }).waitFor();
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A finding of axe. */
export interface Finding {
  id: string;
  impact: string;
  nodes: string[];
}

/** Waits until nothing fades or slides any more: a colour on its way to another one is neither. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let frames = 0; frames < 2 || document.getAnimations().some((one) => one.playState === "running" && one.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY); frames++) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
}

/** What axe finds serious or critical on the page as it is, or within one part of it. */
export async function seriousFindings(page: Page, within?: string): Promise<Finding[]> {
  await settled(page);
  if (await page.evaluate(() => !("axe" in window))) await page.evaluate(axe);
  return await page.evaluate(async (within) => {
    type Result = { violations: { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] }[] };
    const run = (window as unknown as { axe: { run: (within: string | Document, options: object) => Promise<Result> } }).axe.run;
    const { violations } = await run(within ?? document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, impact, nodes }) => ({ id, impact: impact ?? "", nodes: nodes.map((node) => `${node.html} ${node.failureSummary ?? ""}`.slice(0, 400)) }));
  }, within);
}

/** Whether the page is wider than its window. */
export async function isCut(page: Page): Promise<boolean> {
  return await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth + 1);
}

/** Keeps a picture of the screen under `docs/screens` when `SCREENS=1`, from its top or from a part of it; else only that it can be taken. */
export async function picture(page: Page, name: string, from?: Locator): Promise<void> {
  await (from ?? page.locator("body")).evaluate((element) => {
    // The bar on top stands over what is scrolled.
    window.scrollTo(0, element.getBoundingClientRect().top + window.scrollY - 72);
  });
  const folder = process.env["SCREENS"] ? join(HERE, "..", "..", "docs", "screens") : join(tmpdir(), "turnstone-screens");
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Waits for something that no locator can wait for. */
export async function until(is: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const end = Date.now() + PATIENCE / 2;
  while (!(await is())) {
    if (Date.now() > end) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Fails where axe finds something serious, light or dark, or where the screen is cut at 390 pixels; takes its picture. */
export async function looksRight(page: Page, name: string, from?: Locator): Promise<void> {
  const light = await seriousFindings(page);
  if (light.length > 0) throw new Error(`${name}, light: ${JSON.stringify(light, null, 2)}`);
  await picture(page, name, from);
  await page.getByRole("button", { name: "Dark colours" }).click();
  const dark = await seriousFindings(page);
  await page.getByRole("button", { name: "Light colours" }).click();
  if (dark.length > 0) throw new Error(`${name}, dark: ${JSON.stringify(dark, null, 2)}`);
  const window = page.viewportSize() ?? { width: 1280, height: 900 };
  await page.setViewportSize({ width: 390, height: 844 });
  try {
    // What stands beside the screen moves away first.
    await until(async () => !(await isCut(page)), `${name} is wider than 390 pixels`);
  } finally {
    await page.setViewportSize(window);
  }
}
