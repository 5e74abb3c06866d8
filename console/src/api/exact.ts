// JSON whose numbers keep their text: what somebody imported (`1.0`, ids beyond 2^53) goes back as it came.
//
// Browsers that cannot do that yet read numbers as JavaScript does.
type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

const exact = JSON as unknown as { parse: (text: string, reviver: Reviver) => unknown; rawJSON?: (text: string) => unknown };

/** Reads JSON; numbers that would be written differently stay as their text until they are written again. */
export function parseExact(text: string): unknown {
  const { rawJSON } = exact;
  if (rawJSON === undefined) return JSON.parse(text);
  return exact.parse(text, (_key, value, context) => {
    const isOther = typeof value === "number" && context?.source !== undefined && JSON.stringify(value) !== context.source;
    return isOther ? rawJSON(context.source ?? "") : value;
  });
}

/** A value as the text of a field; nothing is empty, and what is no text is JSON. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
