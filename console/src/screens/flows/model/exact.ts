// Numbers keep the digits that they were written with, as the API keeps them: what a JavaScript number cannot hold is
// carried as a raw JSON value. Where the browser has no such values, numbers are read as usual.
import type { Json } from "./json";

interface ExactJson {
  rawJSON?: (text: string) => Json;
  isRawJSON?: (value: unknown) => boolean;
  parse: (text: string, revive?: (this: unknown, key: string, value: Json, context?: { source?: string }) => Json) => Json;
}

const exact = JSON as unknown as ExactJson;

/** A number of JSON by its digits. */
export function numberOf(source: string): Json {
  const plain = Number(source);
  return exact.rawJSON === undefined || String(plain) === source ? plain : exact.rawJSON(source);
}

/** Whether it is a number that is carried by its digits. */
export function isExact(value: unknown): boolean {
  return exact.isRawJSON?.(value) ?? false;
}

/** Whether a text is a number of JSON. */
export function isNumber(text: string): boolean {
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text);
}

/** A text of JSON as a value; numbers keep their digits. Throws what `JSON.parse` throws. */
export function parseJson(text: string): Json {
  return exact.parse(text, (_, value, context) => (typeof value === "number" && context?.source !== undefined ? numberOf(context.source) : value));
}
