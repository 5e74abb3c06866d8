// Scripts that leave something behind for the next run, or look for what the last one left. Every run begins anew.

//// leave a global: contained
const found = globalThis.left; globalThis.left = "secret"; report(found !== undefined);

//// leave a global by eval: contained
const found = typeof leftByEval !== "undefined"; (0, eval)("var leftByEval = 1"); report(found);

//// leave a member of a built-in: contained
const found = Array.isArray.left; Array.isArray.left = 1; report(found !== undefined);

//// leave a member of a library: contained
const _ = require("lodash"); const found = _.left; _.left = 1; report(found !== undefined);

//// leave a library's setting: contained
const _ = require("lodash"); const found = _.templateSettings.left; _.templateSettings.left = 1; _.mixin({ left: () => 1 }); report(found !== undefined);

//// leave a member of util: contained
const u = require("util"); const found = u.left; u.left = 1; report(found !== undefined);

//// leave a member of CE: contained
const found = CE.left; CE.left = 1; report(found !== undefined);

//// leave a symbol: contained
const key = Symbol.for("left"); const found = Object.prototype[key]; Object.prototype[key] = 1; report(found !== undefined);

//// leave a template object: contained
const f = (s) => s; const t = f`left`; const found = globalThis.t; globalThis.t = t; report(found !== undefined);

//// leave a regular expression's last match: contained
const found = RegExp.$1 || RegExp.lastMatch; /(left)/.test("left"); report(!!found);

//// leave a waiting promise: contained
const found = globalThis.later; Promise.resolve().then(() => { globalThis.later = 1; }); report(found !== undefined);

//// leave a finaliser: contained
const found = globalThis.final; globalThis.final = new FinalizationRegistry(() => {}); globalThis.final.register({}, 1); report(found !== undefined);

//// leave a bent clock: contained
const bent = Date.now() < 0; Date.now = () => -1; Math.random = () => -1; report(bent);

//// leave a bent log: contained
const bent = console.left; console.left = 1; console.log = () => { throw 1; }; report(bent !== undefined);

//// leave numbers' texts: contained
const text = JSON.stringify({ left: 1.5 }); JSON.parse('{"left": 1.50}'); report(text !== '{"left":1.5}');

//// look for earlier inputs in memory: contained
const big = new Uint8Array(4 << 20); let found = false; for (let i = 0; i < big.length; i++) if (big[i] === 115) { found = true; break; } report(found);

//// look for earlier inputs in texts: contained
report(/secret/.test(Object.getOwnPropertyNames(globalThis).join() + JSON.stringify(globalThis)));

//// leave a bent require: contained
const bent = require.left; require.left = 1; globalThis.require = () => "bent"; report(bent !== undefined);

//// leave the engine half-way: time
globalThis.left = "secret"; Object.prototype.left = 1; for (;;) {}

//// leave memory nearly full: memory
globalThis.left = []; for (;;) globalThis.left.push("secret".repeat(1000) + globalThis.left.length);
