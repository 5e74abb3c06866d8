// Scripts that want all memory there is. Each is stopped at its own memory, long before the machine notices.

//// list that grows: memory
const list = []; for (;;) list.push(new Array(1000).fill(1));

//// text that doubles: thrown
let text = "x"; for (;;) text += text;

//// text that is repeated: memory
const all = []; for (;;) all.push("x".repeat(1 << 22) + all.length);

//// one buffer of a gigabyte: memory
new ArrayBuffer(1 << 30);

//// typed arrays: memory
const all = []; for (;;) all.push(new Float64Array(1 << 18));

//// objects in objects: memory
let chain = {}; for (;;) chain = { chain, more: {} };

//// map that grows: memory
const map = new Map(); for (let i = 0; ; i++) map.set(i, { i });

//// set of texts: memory
const set = new Set(); for (let i = 0; ; i++) set.add("key" + i);

//// closures that hold each other: memory
let f = () => 0; for (;;) { const g = f; f = () => g; }

//// members of one object: memory
const object = {}; for (let i = 0; ; i++) object["m" + i] = i;

//// list that is spread: memory
let list = [1]; for (;;) list = [...list, ...list];

//// text that is padded: memory
"x".padEnd(2 ** 29, "y").padStart(2 ** 30 - 1, "z");

//// regular expression that copies: memory
"x".repeat(1 << 20).replace(/x/g, "$`");

//// bigint of a billion digits: memory
let n = 1n << 1000000n; const all = []; for (;;) all.push(n + BigInt(all.length));

//// memory that is caught and tried again: stopped
const all = []; for (;;) { try { for (;;) all.push("x".repeat(1 << 20) + all.length); } catch (e) {} }

//// promises that wait: memory
const all = []; for (;;) all.push(new Promise(() => {}));

//// symbols: memory
const all = []; for (;;) all.push(Symbol("s" + all.length));

//// JSON of a list that is there many times: stopped
let list = ["xxxxxxxxxxxxxxxx"]; for (let i = 0; i < 24; i++) list = [list, list]; JSON.stringify(list);

//// lines of a log: stopped
for (;;) console.log("x".repeat(1 << 16).split(""));
