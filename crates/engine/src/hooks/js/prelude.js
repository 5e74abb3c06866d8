// What a hook finds around itself: the libraries of the field, a clock and a chance that can be replayed, and JSON that
// loses no digit. Evaluated anew in the fresh realm of every run, before the hook; what the hook then does to the
// built-ins harms no one but itself, and what is needed afterwards is held here. It is compiled for every run, so what
// few runs need stands in files of its own.
(function (host) {
  "use strict";
  const { apply, construct } = Reflect;
  const { isRawJSON, parse, rawJSON, stringify } = JSON;
  const { keys, hasOwn, defineProperty } = Object;
  const uncurry = (method) => (self, ...rest) => apply(method, self, rest);
  const [mapGet, mapSet, mapHas] = [Map.prototype.get, Map.prototype.set, Map.prototype.has].map(uncurry);
  const [includes, startsWith, slice, lastIndexOf, toWellFormed] = [
    "includes",
    "startsWith",
    "slice",
    "lastIndexOf",
    "toWellFormed",
  ].map((name) => uncurry(String.prototype[name]));
  const global = globalThis;
  const RealDate = Date;
  const hide = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

  // ---- JSON ----------------------------------------------------------------------------------------------------

  // Longest text that is handed to a function of the host; an input is never longer.
  const TEXT_LENGTH_MAX = 8 * 1024 * 1024;

  // Made for the first text with a number that a double spells differently; most runs never need it.
  let numbers;
  const exactNumbers = () => (numbers ??= load("numbers")(host, { isRawJSON, parse, rawJSON, stringify }));

  function readInputs(texts) {
    let special = false;
    for (let at = 0; at < texts.length; at++) special ||= texts[at] !== undefined && host.hasSpecial(texts[at]);
    if (special) return exactNumbers().readInputs(texts);
    const values = [];
    for (let at = 0; at < texts.length; at++) values[at] = texts[at] === undefined ? undefined : parse(texts[at]);
    return values;
  }

  hide(JSON, "parse", function (text, revive) {
    text = `${text}`;
    // Beside inputs with such numbers, a plain 1 must be told apart from their 1.0.
    const special =
      numbers !== undefined || (text.length <= TEXT_LENGTH_MAX && host.hasSpecial(toWellFormed(text)));
    return special ? exactNumbers().parse(text, revive) : parse(text, revive);
  });

  hide(JSON, "stringify", function (value, replacer, space) {
    return numbers === undefined ? stringify(value, replacer, space) : numbers.stringify(value, replacer, space);
  });

  // What is handed to `done`: a BigInt of the hook's own is written as its digits.
  function encode(value) {
    if (numbers !== undefined) return numbers.stringify(value);
    try {
      return stringify(value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return exactNumbers().stringify(value);
    }
  }

  // ---- time and chance -----------------------------------------------------------------------------------------

  function HookDate(...parts) {
    if (new.target === undefined) return apply(toText, new RealDate(host.now()), []);
    return construct(RealDate, parts.length === 0 ? [host.now()] : parts, new.target);
  }
  const toText = RealDate.prototype.toString;
  hide(HookDate, "name", "Date");
  hide(HookDate, "length", 7);
  hide(HookDate, "now", () => host.now());
  hide(HookDate, "parse", RealDate.parse);
  hide(HookDate, "UTC", RealDate.UTC);
  defineProperty(HookDate, "prototype", { value: RealDate.prototype, writable: false });
  hide(RealDate.prototype, "constructor", HookDate);
  hide(global, "Date", HookDate);
  hide(Math, "random", () => host.random());

  // ---- libraries -----------------------------------------------------------------------------------------------

  const modules = new Map();

  function load(name) {
    if (mapHas(modules, name)) return mapGet(modules, name).exports;
    const module = { exports: {} };
    mapSet(modules, name, module);
    const body = host.load(name);
    if (body === undefined) {
      throw new Error("this build holds no lodash; run `bash scripts/setup-test.sh` and build it again");
    }
    // Inside a package, a path is a file beside the others.
    apply(body, undefined, [module, module.exports, (path) => load(slice(path, lastIndexOf(path, "/") + 1))]);
    return module.exports;
  }

  function require(name) {
    name = `${name}`;
    const plain = startsWith(name, "node:") ? slice(name, 5) : name;
    switch (plain) {
      case "lodash":
        return load("lodash.min");
      case "lodash/fp":
        return load("fp");
      case "util":
        return load("util");
      case "http":
      case "https":
        return host.refuse(`the network (require("${plain}"))`);
      default:
        throw new Error(`require("${name}") is not offered, there are lodash, lodash/fp and util`);
    }
  }

  const say = (...words) => {
    let text = "";
    let isPlain = true;
    for (let at = 0; at < words.length; at++) {
      isPlain &&= typeof words[at] === "string" && (at > 0 || !includes(words[at], "%"));
      if (isPlain) text += at === 0 ? words[at] : ` ${words[at]}`;
    }
    if (!isPlain) text = apply(load("util").format, undefined, words);
    host.log(toWellFormed(slice(text, 0, host.logMax)));
  };
  hide(global, "console", { log: say, info: say, warn: say, error: say, debug: say });

  const given = (name, value) => {
    if (value === undefined || value === null) throw new TypeError(`${name} needs a text, it got ${value}`);
    const text = `${value}`;
    if (text.length > TEXT_LENGTH_MAX) throw new RangeError(`${name} takes at most ${TEXT_LENGTH_MAX} letters`);
    return toWellFormed(text);
  };
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const randomString = () => {
    let text = "";
    for (let at = 0; at < 10; at++) text += letters[Math.floor(host.random() * letters.length)];
    return text;
  };
  const CE = {
    randomString,
    randomEmail: () => `${randomString()}@example.com`,
    md5: (text) => host.md5(given("CE.md5", text)),
    b64: (text) => host.b64(given("CE.b64", text)),
    decode64: (text) => host.decode64(given("CE.decode64", text)),
    hmac: (algorithm) => (encoding) => (secret, text) =>
      host.hmac(
        given("CE.hmac", algorithm),
        given("CE.hmac", encoding),
        given("CE.hmac's secret", secret),
        given("CE.hmac", text),
      ),
  };
  for (const algorithm of ["Sha1", "Sha256", "Md5"]) {
    for (const encoding of ["Hex", "hex", "Base64", "base64"]) {
      const name = `hmac${algorithm}${encoding}`;
      CE[name] = (secret, text) =>
        host.hmac(algorithm, encoding, given(`CE.${name}'s secret`, secret), given(`CE.${name}`, text));
    }
  }
  hide(global, "CE", CE);
  hide(global, "require", require);
  hide(global, "notify", { email: () => host.refuse("notify.email") });
  // Older hooks filled a list of the host's.
  hide(global, "getArray", () => {
    const list = [];
    hide(list, "add", (value) => {
      list[list.length] = value;
      return true;
    });
    return list;
  });
  hide(global, "base64Encode", (text) => host.b64(given("base64Encode", text)));

  // ---- the run -------------------------------------------------------------------------------------------------

  const HEADERS = ["request_vendor_headers", "response_headers"];

  // Published event hooks ask for a header in the provider's letter case or in lower case; on the wire neither counts.
  function withAnyCase(headers) {
    if (typeof headers !== "object" || headers === null) return headers;
    const lower = uncurry(String.prototype.toLowerCase);
    const find = (target, name) => {
      if (typeof name !== "string" || hasOwn(target, name)) return name;
      const wanted = lower(name);
      const all = keys(target);
      for (let at = 0; at < all.length; at++) if (lower(all[at]) === wanted) return all[at];
      return name;
    };
    return new Proxy(headers, {
      get: (target, name) => target[find(target, name)],
      has: (target, name) => find(target, name) in target,
    });
  }

  let finished = false;

  // A hook that deletes a header from the very object it was given means that it goes: null says so.
  function withRemovals(result, headers) {
    for (let at = 0; at < headers.length; at++) {
      const { name, object, names } = headers[at];
      if (object === undefined || result[name] !== object) continue;
      const all = {};
      let removes = false;
      for (let n = 0; n < names.length; n++) {
        if (hasOwn(object, names[n])) continue;
        all[names[n]] = null;
        removes = true;
      }
      if (removes) result = { ...result, [name]: { ...all, ...object } };
    }
    return result;
  }

  return function run(hook, texts, names, isLegacy, mayReturnNothing) {
    const values = readInputs(texts);
    const headers = [];
    for (let at = 0; at < names.length; at++) {
      const object = values[at];
      if (names[at] === "events" && typeof object === "object" && object !== null && hasOwn(object, "eventHeaders")) {
        object.eventHeaders = withAnyCase(object.eventHeaders);
      }
      if (!HEADERS.includes(names[at]) || typeof object !== "object" || object === null) continue;
      headers[headers.length] = { name: names[at], object, names: keys(object) };
    }
    const finish = (result) => {
      // The first result counts.
      if (finished) return;
      finished = true;
      if (result === undefined) return host.done(undefined);
      let text;
      try {
        const isObject = typeof result === "object" && result !== null;
        text = encode(isObject ? withRemovals(result, headers) : result);
      } catch (error) {
        host.unwritable(error);
        throw error;
      }
      if (text === undefined) host.unwritable(`it is a ${typeof result}`);
      else if (text.length > host.outputMax) host.tooLarge();
      else host.done(text);
    };
    values[values.length] = (result) => finish(result);
    const result = apply(hook, undefined, values);
    if (isLegacy && (result !== undefined || mayReturnNothing)) finish(result);
  };
});
