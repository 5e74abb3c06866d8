// The instance under edit: the document that POST /instances takes, kept while the tab is, so that it survives a
// sign-in at the provider's own pages.
import { useCallback, useSyncExternalStore } from "react";

import { parseExact, textOf } from "../../../api/exact";
import type { Members } from "../../../api/trying";
import { memberPath } from "../../../parts/faults";
import { asMembers } from "../../../parts/polling/Resources";
import { keyOf } from "../../connectors/NewConnector";

/** Keys that the form has fields for. */
export const KEY = {
  enabled: "event.notification.enabled",
  callback: "event.notification.callback.url",
  headers: "event.notification.callback.headers",
  user: "event.notification.basic.username",
  password: "event.notification.basic.password",
  signature: "event.notification.signature.key",
  secret: "event.webhook.secret",
  interval: "event.poller.refresh_interval",
  polled: "event.poller.configuration",
  base: "base.url",
  http: "http.headers",
} as const;

/** An instance as it is filled in. */
export interface InstanceDoc extends Members {
  element?: Members;
  name?: string;
  description?: string;
  tags?: string[];
  configuration: Members;
  providerData?: Members;
}

const memory = new Map<string, InstanceDoc>();
const watchers = new Set<() => void>();
const PREFIX = "turnstone.instance.";

function read(id: string): InstanceDoc | undefined {
  const kept = memory.get(id);
  if (kept !== undefined) return kept;
  const text = window.sessionStorage.getItem(PREFIX + id);
  if (text === null) return undefined;
  try {
    const found = parseExact(text) as InstanceDoc;
    memory.set(id, found);
    return found;
  } catch {
    return undefined;
  }
}

/** Keeps a form, or forgets it. */
export function keepForm(id: string, doc: InstanceDoc | undefined): void {
  if (doc === undefined) {
    memory.delete(id);
    window.sessionStorage.removeItem(PREFIX + id);
  } else {
    memory.set(id, doc);
    window.sessionStorage.setItem(PREFIX + id, JSON.stringify(doc));
  }
  for (const watcher of watchers) watcher();
}

/** What a form works with. */
export interface Form {
  id: string;
  doc: InstanceDoc;
  isChanged: boolean;
  edit: (change: (doc: InstanceDoc) => InstanceDoc) => void;
  text: (key: string) => string;
  set: (key: string, value: unknown) => void;
}

/** A form that begins with `initial`. */
export function useForm(id: string, initial: InstanceDoc): Form {
  const kept = useSyncExternalStore(
    useCallback((watcher: () => void) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    }, []),
    () => read(id),
  );
  const doc = kept ?? initial;
  const edit = (change: (doc: InstanceDoc) => InstanceDoc) => keepForm(id, change(read(id) ?? initial));
  return {
    id,
    doc,
    isChanged: kept !== undefined,
    edit,
    text: (key) => textOf(doc.configuration[key]),
    set: (key, value) =>
      edit((now) => {
        const { [key]: _before, ...rest } = now.configuration;
        return { ...now, configuration: value === undefined || value === "" ? rest : { ...rest, [key]: value } };
      }),
  };
}

/** The places where the API may say that a key's value is wrong. */
export function keyPaths(key: string): string[] {
  return [memberPath("configuration", key), `configuration.${JSON.stringify(key)}`];
}

/** The resources of a document, by name. */
export function polledOf(doc: InstanceDoc): Members {
  const value = doc.configuration[KEY.polled];
  if (typeof value !== "string") return asMembers(value);
  try {
    return asMembers(JSON.parse(value));
  } catch {
    return {};
  }
}

/** Whether two JSON values say the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [one as Members, other as Members];
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => name in right && isSame(left[name], right[name]));
}

/** What a new instance sends. An API without a connector gets its key from its name where none was typed. */
export function whole(doc: InstanceDoc): Members {
  const name = (doc.name ?? "").trim();
  const key = String(doc.element?.["key"] ?? "") || keyOf(name);
  const { description, ...rest } = doc;
  return { ...rest, element: { key }, ...(name === "" ? {} : { name }), ...(description ? { description } : {}) };
}

/** What a change of an instance sends: only what is another, and `null` for what is gone. */
export function changeOf(before: InstanceDoc, after: InstanceDoc): Members {
  const change: Members = {};
  for (const name of ["name", "description", "tags"] as const) {
    if (!isSame(before[name] ?? (name === "tags" ? [] : ""), after[name] ?? (name === "tags" ? [] : ""))) change[name] = after[name] ?? null;
  }
  const keys = new Set([...Object.keys(before.configuration), ...Object.keys(after.configuration)]);
  const configuration: Members = {};
  for (const key of keys) {
    if (!isSame(before.configuration[key], after.configuration[key])) configuration[key] = after.configuration[key] ?? null;
  }
  if (Object.keys(configuration).length > 0) change["configuration"] = configuration;
  if (after.providerData !== undefined) change["providerData"] = after.providerData;
  return change;
}
