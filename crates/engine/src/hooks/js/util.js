// A small `util` of our own, by the names that hooks use: `format`, `inspect`, `inherits`, `isArray` and its like,
// `isDeepStrictEqual`. Not here: `promisify` and `callbackify` (hooks are synchronous), streams, colours.
"use strict";

const DEPTH = 2;
const MEMBERS_MAX = 100;

function quoted(text) {
  const quote = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes("`") ? "`" : "'";
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return quote + escaped.replaceAll(quote, `\\${quote}`) + quote;
}

function memberName(name) {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

function inspectPlain(value) {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : `${value}`;
    case "symbol":
      return value.toString();
    case "function":
      return value.name ? `[Function: ${value.name}]` : "[Function (anonymous)]";
    default:
      return `${value}`;
  }
}

function listed(parts, open, close, prefix) {
  if (parts.length === 0) return `${prefix}${open}${close}`;
  const line = parts.join(", ");
  if (line.length <= 72 && !line.includes("\n")) return `${prefix}${open} ${line} ${close}`;
  return `${prefix}${open}\n  ${parts.join(",\n").replaceAll("\n", "\n  ")}\n${close}`;
}

function inspectValue(value, depth, above) {
  if (typeof value !== "object" || value === null) return inspectPlain(value);
  if (above.includes(value)) return "[Circular *1]";
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return value.toString();
  const isList = Array.isArray(value);
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  if (depth < 0) return isList ? "[Array]" : `[${name ?? "Object"}]`;
  const inside = [...above, value];
  const inner = (member) => inspectValue(member, depth - 1, inside);
  let parts;
  let prefix = name === undefined ? "[Object: null prototype] " : name === "Object" || name === "Array" ? "" : `${name} `;
  if (isList) {
    parts = value.slice(0, MEMBERS_MAX).map(inner);
  } else if (value instanceof Map) {
    prefix = `Map(${value.size}) `;
    parts = [...value].slice(0, MEMBERS_MAX).map(([key, member]) => `${inner(key)} => ${inner(member)}`);
  } else if (value instanceof Set) {
    prefix = `Set(${value.size}) `;
    parts = [...value].slice(0, MEMBERS_MAX).map(inner);
  } else {
    parts = Object.keys(value)
      .slice(0, MEMBERS_MAX)
      .map((key) => `${memberName(key)}: ${inner(value[key])}`);
  }
  const count = isList ? value.length : (value.size ?? Object.keys(value).length);
  if (count > MEMBERS_MAX) parts.push(`... ${count - MEMBERS_MAX} more items`);
  return isList ? listed(parts, "[", "]", prefix) : listed(parts, "{", "}", prefix);
}

/** A value as text for people. `depth` levels of members are shown, two by default, null for all. */
function inspect(value, options) {
  const depth = options?.depth === null ? 100 : (options?.depth ?? DEPTH);
  return inspectValue(value, depth, []);
}

function directive(letter, value) {
  switch (letter) {
    case "s":
      return typeof value === "object" && value !== null ? inspect(value, { depth: 0 }) : String(value);
    case "d":
      return typeof value === "bigint" ? `${value}n` : typeof value === "object" ? "NaN" : `${Number(value)}`;
    case "i":
      return typeof value === "bigint" ? `${value}n` : `${Number.parseInt(value)}`;
    case "f":
      return `${Number.parseFloat(value)}`;
    case "j":
      try {
        return JSON.stringify(value);
      } catch {
        return "[Circular]";
      }
    default:
      return inspect(value, { depth: 4 });
  }
}

/** `printf` of Node: `%s %d %i %f %j %o %O %%`, what is left over follows after blanks. */
function format(...values) {
  let next = 0;
  let text = "";
  if (typeof values[0] === "string") {
    next = 1;
    text = values[0].replace(/%[sdifjoOc%]/g, (place) => {
      if (place === "%%") return next < values.length || values.length === 1 ? "%" : place;
      if (next >= values.length) return place;
      const value = values[next++];
      return place === "%c" ? "" : directive(place[1], value);
    });
  }
  for (; next < values.length; next++) {
    const value = values[next];
    text += (next === 0 ? "" : " ") + (typeof value === "string" ? value : inspect(value));
  }
  return text;
}

function inherits(child, parent) {
  Object.defineProperty(child, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(child.prototype, parent.prototype);
}

function isDeepStrictEqual(one, other) {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (one instanceof Date) return one.getTime() === other.getTime();
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => Object.hasOwn(other, name) && isDeepStrictEqual(one[name], other[name]));
}

module.exports = {
  format,
  inspect,
  inherits,
  isDeepStrictEqual,
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === "boolean",
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === "number",
  isString: (value) => typeof value === "string",
  isUndefined: (value) => value === undefined,
  isObject: (value) => value !== null && typeof value === "object",
  isFunction: (value) => typeof value === "function",
  isPrimitive: (value) => value === null || (typeof value !== "object" && typeof value !== "function"),
  isDate: (value) => value instanceof Date,
  isError: (value) => value instanceof Error,
  isRegExp: (value) => value instanceof RegExp,
};
