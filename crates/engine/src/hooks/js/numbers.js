// Reads and writes JSON so that a number that is left alone keeps its text.
//
// A number is an ordinary double, so `typeof`, `===`, truth and arithmetic are as in any JavaScript. What a double's own
// spelling loses (`1.0`, `0.10`, `1e400`) is remembered beside it, by container and member, and written again when that
// member is written. In a copy of a container it is found again by member and value; the engine keeps small whole numbers
// of a script apart from doubles, so that a script's own 1 is never written as an input's `1.0`. An integer beyond 2^53
// is a BigInt, because ids must be right in texts and comparisons too.
"use strict";

module.exports = function (host, { isRawJSON, parse, rawJSON, stringify }) {
  const { apply } = Reflect;
  const { is, keys, hasOwn, defineProperty } = Object;
  const { isArray } = Array;
  const { isSafeInteger } = Number;
  const uncurry = (method) => (self, ...rest) => apply(method, self, rest);
  const [mapGet, mapSet, mapHas] = [Map.prototype.get, Map.prototype.set, Map.prototype.has].map(uncurry);
  const [weakGet, weakSet] = [WeakMap.prototype.get, WeakMap.prototype.set].map(uncurry);
  const includes = uncurry(String.prototype.includes);

  // Candidates that are looked at for a number in a copy.
  const CANDIDATES_MAX = 256;
  const MEMBERS_COMPARED_MAX = 32;
  // Notes of a container that are kept in a list; more are kept in a map.
  const LISTED_MAX = 8;
  const MIXED = { text: undefined };

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
    const values = [];
    for (let at = 0; at < texts.length; at++) {
      values[at] = texts[at] === undefined ? undefined : parse(texts[at], reviver(true));
    }
    survey(values);
    return values;
  }

  // How much a container looks like a copy of another: members of the same value, most of all the same containers.
  function likeness(one, other) {
    if (isArray(one) !== isArray(other)) return 0;
    const members = keys(one);
    let same = members.length === keys(other).length ? 1 : 0;
    for (let at = 0; at < members.length && at < MEMBERS_COMPARED_MAX; at++) {
      if (!hasOwn(other, members[at])) continue;
      const [mine, its] = [one[members[at]], other[members[at]]];
      if (typeof mine === "object" && mine !== null) {
        if (mine === its) same += 6;
        else if (typeof its === "object" && its !== null && isArray(mine) === isArray(its)) same += 2;
      } else if (is(mine, its)) {
        same += 4;
      }
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
          if (!isRawJSON(value)) return only(value, names);
        }
        return spelled(this, member, value);
      },
      space,
    );
  }

  function parseExactly(text, revive) {
    const read = reviver(false);
    if (typeof revive !== "function") return parse(text, read);
    return parse(text, function (member, value, context) {
      return apply(revive, this, [member, apply(read, this, [member, value, context]), context]);
    });
  }

  return { readInputs, parse: parseExactly, stringify: exactly };
};
