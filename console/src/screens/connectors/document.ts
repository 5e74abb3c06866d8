// A connector's document as the console edits it: the field's element JSON, of which nothing gets lost that is not shown.
import { parseExact, textOf } from "../../api/exact";
import type { Members } from "../../api/trying";
import type { HookType } from "../../parts/hooks/Reference";

/** An entry of `configuration`. */
export type Entry = Members & { key: string; name?: string; type?: string; defaultValue?: unknown; required?: boolean };
/** A hook around calls, or for webhooks. */
export type Hook = Members & { type: string; body: string; isLegacy?: boolean };
/** A parameter of a call. */
export type Parameter = Members & { name: string };
/** Something that can be called. */
export type CallResource = Members & { path?: string; method?: string };

/** A connector. */
export interface Doc extends Members {
  key: string;
  name: string;
  configuration: Entry[];
  parameters: Parameter[];
  hooks: Hook[];
  resources: CallResource[];
}

/** Reads what the API answers. */
export function readDoc(text: string): Doc {
  const read = parseExact(text) as Members;
  const list = (name: string) => (Array.isArray(read[name]) ? read[name] : []);
  return { ...read, key: String(read["key"]), name: String(read["name"] ?? ""), configuration: list("configuration"), parameters: list("parameters"), hooks: list("hooks"), resources: list("resources") } as Doc;
}

/** How the platform makes entries of reserved keys. */
const RESERVED: Record<string, { name: string; type: string; required?: boolean }> = {
  "base.url": { name: "Base URL", type: "TEXTFIELD_1000" },
  "pagination.type": { name: "Pagination type", type: "TEXTFIELD_32" },
  "pagination.max": { name: "Maximum page size", type: "TEXTFIELD_32" },
  "pagination.page.startindex": { name: "First page", type: "TEXTFIELD_32" },
  username: { name: "Username", type: "TEXTFIELD_1000", required: true },
  password: { name: "Password", type: "PASSWORD", required: true },
  "oauth.api.key": { name: "API Key", type: "TEXTFIELD_1000", required: true },
  "oauth.api.secret": { name: "API Secret", type: "PASSWORD", required: true },
  "oauth.callback.url": { name: "OAuth Callback URL", type: "TEXTFIELD_1000" },
  "oauth.scope": { name: "OAuth Scope", type: "TEXTFIELD_1000" },
  "oauth.authorization.url": { name: "OAuth Authorization URL", type: "TEXTFIELD_1000" },
  "oauth.token.url": { name: "OAuth Token URL", type: "TEXTFIELD_1000" },
  "oauth.token.refresh_url": { name: "OAuth Token Refresh URL", type: "TEXTFIELD_1000" },
  "oauth.token.revoke_url": { name: "OAuth Token Revoke URL", type: "TEXTFIELD_1000" },
  "oauth.request.url": { name: "OAuth Request Token URL", type: "TEXTFIELD_1000" },
  "oauth.basic.header": { name: "Client credentials as basic header", type: "BOOLEAN" },
  "event.notification.enabled": { name: "Enable/Disable Event Notification", type: "BOOLEAN" },
  "event.vendor.type": { name: "Vendor Event Notification Type", type: "TEXTFIELD_32" },
  "event.poller.refresh_interval": { name: "Event poller refresh interval (mins)", type: "TEXTFIELD_32" },
  "event.poller.configuration": { name: "Event Poller Resources Configuration", type: "TEXTAREA" },
  "event.webhook.verification": { name: "Webhook verification", type: "TEXTAREA" },
};

/** Whether the platform fixes what a key means. */
export function isReserved(key: string): boolean {
  return key in RESERVED || /^(event|bulk|aws|oauth)\./.test(key) || ["expires", "expires_in"].includes(key);
}

/** Where the entry of a key stands; −1 where there is none. */
export function entryAt(doc: Doc, key: string): number {
  return doc.configuration.findIndex((entry) => entry.key === key);
}

/** The value of a key as text; empty when there is none. */
export function valueOf(doc: Doc, key: string): string {
  return textOf(doc.configuration.find((entry) => entry.key === key)?.defaultValue);
}

/** The document with another value of a key. An entry that exists keeps everything else; one that is missing is made. */
export function withValue(doc: Doc, key: string, value: string): Doc {
  const at = entryAt(doc, key);
  if (at >= 0) return { ...doc, configuration: doc.configuration.map((entry, place) => (place === at ? { ...entry, defaultValue: value } : entry)) };
  if (value === "") return doc;
  const made = RESERVED[key] ?? { name: key, type: "TEXTFIELD_1000" };
  const entry: Entry = { name: made.name, key, description: `${doc.name} ${made.name}`, defaultValue: value, type: made.type, active: true, internal: false, hideFromConsole: false, required: made.required ?? false };
  return { ...doc, configuration: [...doc.configuration, entry] };
}

/** The document with the entries that a way to sign in asks accounts for. */
export function withEntries(doc: Doc, keys: readonly string[]): Doc {
  const missing = keys.filter((key) => entryAt(doc, key) < 0);
  const made = missing.map((key): Entry => {
    const { name, type, required } = RESERVED[key] ?? { name: key, type: "TEXTFIELD_1000" };
    return { name, key, description: `${doc.name} ${name}`, type, active: true, internal: false, hideFromConsole: false, required: required ?? false };
  });
  return missing.length === 0 ? doc : { ...doc, configuration: [...doc.configuration, ...made] };
}

/** The document without entries that were made for another way to sign in and never got a value. */
export function withoutEntries(doc: Doc, keys: readonly string[]): Doc {
  const isEmpty = ({ key, defaultValue }: Entry) => keys.includes(key) && (defaultValue === undefined || defaultValue === null || defaultValue === "");
  return { ...doc, configuration: doc.configuration.filter((entry) => !isEmpty(entry)) };
}

/** The polled resources; a text that is no JSON object has none. */
export function polledOf(doc: Doc): Members {
  const text = valueOf(doc, "event.poller.configuration");
  if (text.trim() === "") return {};
  try {
    const read: unknown = parseExact(text);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as Members) : {};
  } catch {
    return {};
  }
}

/** Where the API says that the value of a key stands. */
export function valuePath(doc: Doc, key: string): string {
  const at = entryAt(doc, key);
  return `configuration[${at < 0 ? doc.configuration.length : at}].defaultValue`;
}

/** A list with another item, or without it. */
export function withItem<T>(list: readonly T[], at: number, item: T | undefined): T[] {
  return item === undefined ? list.filter((_, place) => place !== at) : at >= list.length ? [...list, item] : list.map((one, place) => (place === at ? item : one));
}

/** A hook as it is made. */
export function newHook(type: HookType): Hook {
  return { type, mimeType: "application/javascript", body: "", isLegacy: false };
}

/** Whether a hook is of webhooks. */
export function isEventHook(hook: Hook): boolean {
  return /^events?$/i.test(hook.type);
}
