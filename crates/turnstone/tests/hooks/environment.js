// Scripts that look for secrets of the process: variables, arguments, the host's objects, the real clock.

//// process.env: contained
report(typeof process !== "undefined" && process.env !== undefined);

//// environment by a constructor: contained
report((function () {}).constructor("try { return process.env } catch (e) { return false }")() !== false);

//// names of the global object: contained
const known = new Set(["console", "CE", "require", "notify", "getArray", "base64Encode"]); const strange = Object.getOwnPropertyNames(globalThis).filter((n) => /env|proc|path|home|token|secret|turnstone|host|rust/i.test(n) && !known.has(n)); report(strange.length > 0);

//// the host object: contained
report(typeof host !== "undefined" || typeof globalThis.host !== "undefined");

//// the prelude by a stack: contained
let stack = ""; try { JSON.stringify(new Proxy({}, { ownKeys() { throw new Error("x"); } })); } catch (e) { stack = String(e.stack); } report(/\/(src|usr|home|root)\//.test(stack));

//// the prelude by arguments: contained
let got; try { got = arguments.callee; } catch (e) {} report(got !== undefined);

//// the prelude by a getter's caller: contained
let seen; const o = { toJSON: function () { try { seen = this.toJSON.caller; } catch (e) {} return {}; } }; JSON.stringify(o); report(seen !== undefined && seen !== null);

//// the source of the prelude: contained
report(/passwd|TURNSTONE_|\/(usr|home|root)\//.test(CE.md5.toString() + done.toString() + JSON.stringify.toString() + Date.toString()));

//// require.main and require.cache: contained
report(require.main !== undefined || require.cache !== undefined || require.resolve !== undefined);

//// import.meta: syntax
report(import.meta.url);

//// real time by Date: contained
const first = new Date().getTime(); report(Math.abs(first - 1769851800000) > 60000);

//// real time by Date from a prototype: contained
const Real = Date.prototype.constructor; report(Math.abs(new Real().getTime() - 1769851800000) > 60000);

//// real time by a subclass: contained
class D extends Date {} report(Math.abs(new D().getTime() - 1769851800000) > 60000);

//// real time by Reflect: contained
report(Math.abs(Reflect.construct(Date, []).getTime() - 1769851800000) > 60000);

//// real time by lodash: contained
report(Math.abs(require("lodash").now() - 1769851800000) > 60000);

//// real time by performance: contained
report(typeof performance !== "undefined");

//// the machine's zone: contained
report(new Date(0).getTimezoneOffset() !== 0 || new Date(2026, 6, 1).getHours() !== 0);

//// real chance: contained
report(Math.random() !== 0.3898297483912715);

//// memory that is not cleared: contained
report(new Uint8Array(1 << 20).some((b) => b !== 0));

//// locale of the machine: contained
report(typeof Intl !== "undefined");
