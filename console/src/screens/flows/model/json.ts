// Values of JSON that are never changed in place: every edit makes a new document that shares what stayed.

import { isExact } from "./exact";

/** A value of JSON; a number that JavaScript cannot hold is an opaque object, see `exact`. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** An object. */
export type Members = { [key: string]: Json };
/** The way to a value: member names and positions. */
export type Path = readonly (string | number)[];

/** The members of an object; none of anything else. */
export function members(value: Json | undefined): Members {
  return isMembers(value) ? value : {};
}

/** Whether it is an object. */
export function isMembers(value: Json | undefined): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isExact(value);
}

/** The items of a list; none of anything else. */
export function items(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** A text; none of anything else. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value at a path. */
export function get(value: Json | undefined, path: Path): Json | undefined {
  let found = value;
  for (const step of path) {
    if (Array.isArray(found)) found = found[step as number];
    else if (isMembers(found)) found = Object.hasOwn(found, step) ? found[step] : undefined;
    else return undefined;
  }
  return found;
}

/** The value with another one at a path; `undefined` takes a member away. Objects on the way are made. */
export function set(value: Json | undefined, path: Path, next: Json | undefined): Json {
  const [step, ...rest] = path;
  if (step === undefined) return next ?? null;
  if (typeof step === "number") {
    const list = [...items(value)];
    if (rest.length === 0 && next === undefined) list.splice(step, 1);
    else list[step] = set(list[step], rest, next);
    return list;
  }
  const object = members(value);
  if (rest.length === 0 && next === undefined) {
    return made(Object.entries(object).filter(([key]) => key !== step));
  }
  const inner = set(Object.hasOwn(object, step) ? object[step] : undefined, rest, next);
  if (Object.hasOwn(object, step)) return made(Object.entries(object).map(([key, old]) => [key, key === step ? inner : old]));
  return made([...Object.entries(object), [step, inner]]);
}

/** The list at a path with one more item. */
export function insert(value: Json, path: Path, at: number, item: Json): Json {
  const list = [...items(get(value, path))];
  list.splice(at, 0, item);
  return set(value, path, list);
}

/** The object with a member under another name, in the same place. A name that is taken changes nothing. */
export function renamed(object: Members, from: string, to: string): Members {
  if (from === to || !Object.hasOwn(object, from) || Object.hasOwn(object, to)) return object;
  return made(Object.entries(object).map(([key, value]) => [key === from ? to : key, value]));
}

/** An object of entries; a member may be called `__proto__`. */
export function made(entries: readonly (readonly [string, Json])[]): Members {
  return Object.fromEntries(entries);
}

/** Whether two paths are the same. */
export function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((step, at) => step === other[at]);
}

/** Whether a path lies at or below another one. */
export function isBelow(path: Path, above: Path): boolean {
  return path.length >= above.length && above.every((step, at) => step === path[at]);
}

/** A path as a key. */
export function keyOf(path: Path): string {
  return path.map(String).join("/");
}
