// Scripts that never end by themselves. Each is stopped at its time: by the engine where it looks at the clock, by the
// end of its process where it does not. The engine looks at none of those marked "blind".

//// for without end: time
for (;;) {}

//// while that catches everything: time
while (true) { try { while (true) {} } catch (e) {} finally { continue; } }

//// microtasks without end: stopped
const again = () => Promise.resolve().then(again); again();

//// generator without end: time
function* g() { while (true) yield 1; } for (const x of g()) {}

//// sort with a comparison that never ends: time
[3, 2, 1].sort(() => { for (;;) {} });

//// regular expression that backtracks: time
/^(a+)+$/.test("a".repeat(40) + "b");

//// regular expression with alternatives that backtrack: time
/^(\w|\w\w)*!$/.exec("a".repeat(60));

//// getter that never ends while the result is written: time
done({ get configuration() { for (;;) {} } });

//// toJSON that never ends: time
done({ toJSON() { while (1); } });

//// proxy that never ends: time
done(new Proxy({}, { ownKeys() { for (;;) {} } }));

//// waiting on a shared array: thrown
report(Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) === "ok");

//// clock that is asked for ever: time
while (Date.now() > 0) {}

//// done and then no end: time
done({}); for (;;) {}

//// message of an error that never ends: time
throw { get message() { for (;;) {} }, toString() { for (;;) {} } };

//// indexOf over a list without end: time
[].indexOf.call({ length: 2 ** 53 - 1 }, 1);

//// includes over a list without end: time
[].includes.call({ length: 2 ** 53 - 1 }, 1);

//// lastIndexOf over a list without end: time
[].lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);

//// string search that is quadratic: stopped
let s = "ab".repeat(1 << 19); for (;;) s.lastIndexOf("a".repeat(1 << 18) + "c");

//// date loop backwards: time
for (let t = Date.now(); ; t -= 1) { new Date(t).toISOString(); }

//// bigint power loop: stopped-or-thrown
let n = 3n; for (;;) n = n * n;

//// blind reverse: time
[].reverse.call({ length: 2 ** 53 - 1 });

//// blind join: time
[].join.call({ length: 2 ** 53 - 1 }, "");

//// blind copyWithin: time
[].copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1);

//// blind splice: time
[].splice.call({ length: 2 ** 53 - 2 }, 0, 0, 1);

//// blind shift: time
[].shift.call({ length: 2 ** 53 - 1 });

//// blind unshift: time
[].unshift.call({ length: 2 ** 53 - 2 }, 1);

//// blind slice: stopped
[].slice.call({ length: 2 ** 32 - 1 });

//// blind concat: stopped
[].concat.call({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true });

//// blind join of a long list: stopped
new Array(4294967295).join("x");

//// blind String.raw: time
String.raw({ raw: { length: 2 ** 53 - 1 } });

//// blind fill of a typed array: time
let a = new Uint8Array(20e6); for (;;) a.fill(1);
