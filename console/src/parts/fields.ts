// What differs between two versions of a record, field by field.

/** One field in both versions; `undefined` where a version has none. */
export interface Difference {
  path: string;
  before: string | undefined;
  after: string | undefined;
  kind: "same" | "changed" | "added" | "gone";
}

const MOST = 2_000;

/** The fields of both versions in the order of the later one, those that are gone after them. */
export function differences(before: unknown, after: unknown): Difference[] {
  const old = fields(before);
  const now = fields(after);
  const all: Difference[] = [];
  for (const [path, value] of now) {
    const was = old.get(path);
    all.push({ path, before: was, after: value, kind: was === undefined ? "added" : was === value ? "same" : "changed" });
  }
  for (const [path, value] of old) {
    if (!now.has(path)) all.push({ path, before: value, after: undefined, kind: "gone" });
  }
  return all;
}

/** A record as paths and values; an empty list or object is a value itself. */
export function fields(value: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (value: unknown, path: string) => {
    if (found.size >= MOST) return;
    if (value !== null && typeof value === "object") {
      const entries: [string, unknown][] = Array.isArray(value) ? value.map((item, index) => [`${path}[${index}]`, item]) : Object.entries(value).map(([name, item]) => [path === "" ? named(name) : `${path}.${named(name)}`, item]);
      if (entries.length > 0) {
        for (const [below, item] of entries) walk(item, below);
        return;
      }
    }
    found.set(path === "" ? "(the whole)" : path, JSON.stringify(value) ?? "");
  };
  walk(value, "");
  return found;
}

function named(name: string): string {
  return /^[A-Za-z_$][\w$-]*$/.test(name) ? name : JSON.stringify(name);
}

/** JSON text as a value; other text, or nothing, as it is. */
export function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The first plain members of a record, to know it by. */
export function glimpse(value: unknown): string {
  const record = parsed(value);
  if (record === null || record === undefined || record === "") return "";
  if (typeof record !== "object") return String(record).slice(0, 120);
  return Object.entries(record)
    .filter(([name, item]) => (typeof item === "string" || typeof item === "number" || typeof item === "boolean") && !/(^id$|_id$|Id$|_at$|At$|date$|Date$)/.test(name))
    .slice(0, 3)
    .map(([name, item]) => `${name}: ${String(item).slice(0, 60)}`)
    .join(", ");
}
