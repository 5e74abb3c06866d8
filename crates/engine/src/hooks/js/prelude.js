// What a hook finds around itself: the libraries of the field, a clock and a chance that can be replayed, and JSON that
// loses no digit. Evaluated anew in the fresh realm of every run, before the hook; what the hook then does to the
// built-ins harms no one but itself, and what is needed afterwards is held here.
//
// Numbers. A number is an ordinary double, so `typeof`, `===`, truth and arithmetic are as in any JavaScript. What a
// double's own spelling loses (`1.0`, `0.10`, `1e400`) is remembered beside it, by container and member, and written
// again when that member is written. In a copy of a container it is found again by member and value; the engine keeps
// small whole numbers of a script apart from doubles, so that a script's own 1 is never written as an input's `1.0`. An
// integer beyond 2^53 is a BigInt, because ids must be right in texts and comparisons too.
(function (host) {
  "use strict";
  const { apply, construct } = Reflect;
  const { parse, stringify, rawJSON } = JSON;
  const { is, keys, hasOwn, defineProperty } = Object;
  const { isArray } = Array;
  const { isSafeInteger } = Number;
  const uncurry = (method) => (self, ...rest) => apply(method, self, rest);
  const [mapGet, mapSet, mapHas] = [Map.prototype.get, Map.prototype.set, Map.prototype.has].map(uncurry);
  const [weakGet, weakSet] = [WeakMap.prototype.get, WeakMap.prototype.set].map(uncurry);
  const [includes, startsWith, slice, lastIndexOf] = ["includes", "startsWith", "slice", "lastIndexOf"].map((name) =>
    uncurry(String.prototype[name]),
  );
  const toWellFormed = uncurry(String.prototype.toWellFormed);
  const global = globalThis;
  const RealDate = Date;
  const hide = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

  // ---- numbers -------------------------------------------------------------------------------------------------

  // Candidates that are looked at for a number in a copy.
  const CANDIDATES_MAX = 256;
  const MEMBERS_COMPARED_MAX = 32;
  // Notes of a container that are kept in a list; more are kept in a map.
  const LISTED_MAX = 8;
  // Longest text that is handed to a function of the host; an input is never longer.
  const TEXT_LENGTH_MAX = 8 * 1024 * 1024;
  const MIXED = { text: undefined };

  let exact = false; // Whether anything was remembered.
  let round = 0; // Counts the writings, so that equal candidates are used in turn.
  const notes = new WeakMap(); // Container → [member, value, text, …], or a map of member → [value, text].
  const groups = new Map(); // Double → the first of a chain of entries, of the inputs.
  const originals = new WeakMap(); // A container with chosen members → the one it was chosen from.

  const differs = (one, other) => one.text !== other.text || !is(one.value, other.value);

  function tally(members, entry) {
    const known = mapGet(members, entry.member);
    if (known === undefined) mapSet(members, entry.member, entry);
    else if (known !== MIXED && differs(known, entry)) mapSet(members, entry.member, MIXED);
  }

  // Adds an input's number to those of the same value. Which members write it how is only kept when they disagree.
  function share(entry) {
    const first = mapGet(groups, entry.value);
    if (first === undefined) {
      entry.last = entry;
      entry.count = 1;
      mapSet(groups, entry.value, entry);
      return;
    }
    if (first.members === undefined && differs(first, entry)) {
      first.members = new Map();
      for (let one = first; one !== undefined; one = one.next) tally(first.members, one);
    }
    if (first.members !== undefined) tally(first.members, entry);
    first.count += 1;
    if (first.count > CANDIDATES_MAX) return;
    first.last.next = entry;
    first.last = entry;
  }

  function note(holder, member, value, text, isInput) {
    exact = true;
    const known = weakGet(notes, holder);
    if (known === undefined) {
      weakSet(notes, holder, [member, value, text]);
    } else if (!isArray(known)) {
      mapSet(known, member, [value, text]);
    } else if (known.length < 3 * LISTED_MAX) {
      const at = known.length;
      known[at] = member;
      known[at + 1] = value;
      known[at + 2] = text;
    } else {
      const map = new Map();
      for (let at = 0; at < known.length; at += 3) mapSet(map, known[at], [known[at + 1], known[at + 2]]);
      mapSet(map, member, [value, text]);
      weakSet(notes, holder, map);
    }
    if (isInput) share({ holder, member, value, text, used: 0, next: undefined });
  }

  // The text noted for this very place, when it still holds this value.
  function noted(holder, member, value) {
    const known = weakGet(notes, holder);
    if (known === undefined) return undefined;
    if (!isArray(known)) {
      const pair = mapGet(known, member);
      return pair !== undefined && is(pair[0], value) ? pair[1] : undefined;
    }
    // A name that is read again replaces the earlier note, so the last one counts.
    for (let at = known.length - 3; at >= 0; at -= 3) {
      if (known[at] === member) return is(known[at + 1], value) ? known[at + 2] : undefined;
    }
    return undefined;
  }

  function readNumber(holder, member, value, text, isInput) {
    if (!isSafeInteger(value) && !includes(text, ".") && !includes(text, "e") && !includes(text, "E")) {
      exact = true;
      return BigInt(text);
    }
    if (`${value}` !== text) {
      note(holder, member, value, text, isInput);
      return value;
    }
    // As the engine's own whole number, which is told apart from a double.
    return (value | 0) === value ? value | 0 : value;
  }

  const reviver = (isInput) =>
    function (member, value, context) {
      return typeof value === "number" ? readNumber(this, member, value, context.source, isInput) : value;
    };

  // Remembers the inputs' ordinary spellings of values that also occur in another one.
  function survey(roots) {
    const open = [roots];
    while (open.length > 0) {
      const holder = open[open.length - 1];
      open.length -= 1;
      const members = keys(holder);
      for (let at = 0; at < members.length; at++) {
        const value = holder[members[at]];
        if (typeof value === "object" && value !== null) {
          open[open.length] = value;
        } else if (typeof value === "number" && mapHas(groups, value) && !host.isInt(value)) {
          if (noted(holder, members[at], value) === undefined) note(holder, members[at], value, `${value}`, true);
        }
      }
    }
  }

  function readInputs(texts) {
    let special = false;
    for (let at = 0; at < texts.length; at++) special ||= texts[at] !== undefined && host.hasSpecial(texts[at]);
    const values = [];
    for (let at = 0; at < texts.length; at++) {
      if (texts[at] === undefined) values[at] = undefined;
      else values[at] = special ? parse(texts[at], reviver(true)) : parse(texts[at]);
    }
    if (exact) survey(values);
    return values;
  }

  function likeness(one, other) {
    if (isArray(one) !== isArray(other)) return 0;
    const members = keys(one);
    let same = 0;
    for (let at = 0; at < members.length && at < MEMBERS_COMPARED_MAX; at++) {
      const value = one[members[at]];
      const isPlain = typeof value !== "object" || value === null;
      if (hasOwn(other, members[at]) && (!isPlain || is(value, other[members[at]]))) same += isPlain ? 2 : 1;
    }
    return same;
  }

  // Of the inputs' numbers with this value, the text of the one that this seems to be a copy of.
  function copied(first, holder, member, value) {
    if (first.members === undefined) return is(first.value, value) ? first.text : undefined;
    const known = mapGet(first.members, member);
    if (known !== undefined && known !== MIXED) return is(known.value, value) ? known.text : undefined;
    let best;
    let bestScore = -1;
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (!is(entry.value, value) || (known === MIXED && entry.member !== member)) continue;
      const score = 2 * likeness(holder, entry.holder) + (entry.used === round ? 0 : 1);
      if (score > bestScore) [best, bestScore] = [entry, score];
    }
    if (best === undefined) return undefined;
    best.used = round;
    return best.text;
  }

  // The text to write for a number, when it is not the double's own.
  function textOf(holder, member, value) {
    holder = weakGet(originals, holder) ?? holder;
    const text = noted(holder, member, value);
    if (text !== undefined) return text;
    const first = mapGet(groups, value);
    return first === undefined || host.isInt(value) ? undefined : copied(first, holder, member, value);
  }

  function spelled(holder, member, value) {
    if (typeof value === "bigint") return rawJSON(`${value}`);
    if (typeof value !== "number") return value;
    const text = textOf(holder, member, value);
    return text === undefined ? value : rawJSON(text);
  }

  function only(value, names) {
    const some = {};
    for (let at = 0; at < names.length; at++) {
      if (hasOwn(value, names[at])) {
        defineProperty(some, names[at], {
          value: value[names[at]],
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    }
    weakSet(originals, some, value);
    return some;
  }

  function exactly(value, replacer, space) {
    round += 1;
    let names;
    if (isArray(replacer)) {
      names = [];
      for (let at = 0; at < replacer.length; at++) names[at] = `${replacer[at]}`;
    }
    const call = typeof replacer === "function";
    return stringify(
      value,
      function (member, value) {
        if (call) value = apply(replacer, this, [member, value]);
        if (names !== undefined && typeof value === "object" && value !== null && !isArray(value)) {
          if (!JSON_isRaw(value)) return only(value, names);
        }
        return spelled(this, member, value);
      },
      space,
    );
  }
  const JSON_isRaw = JSON.isRawJSON;

  hide(JSON, "parse", function (text, revive) {
    text = `${text}`;
    const special = text.length <= TEXT_LENGTH_MAX && host.hasSpecial(toWellFormed(text));
    if (!special) return parse(text, revive);
    const read = reviver(false);
    if (typeof revive !== "function") return parse(text, read);
    return parse(text, function (member, value, context) {
      return apply(revive, this, [member, apply(read, this, [member, value, context]), context]);
    });
  });

  hide(JSON, "stringify", function (value, replacer, space) {
    return exact ? exactly(value, replacer, space) : stringify(value, replacer, space);
  });

  // What is handed to `done`: a BigInt of the hook's own is written as its digits.
  function encode(value) {
    if (exact) return exactly(value);
    try {
      return stringify(value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return exactly(value);
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
