// Scripts that bend the built-ins. What they bend is gone with their run, and what they answer is plain data.

//// Object.prototype gets a member: contained
Object.prototype.polluted = 1; report(false);

//// Object.prototype by a parsed name: contained
const o = JSON.parse('{"__proto__": {"polluted": 1}}'); report({}.polluted === 1);

//// Object.prototype by lodash: contained
const _ = require("lodash"); _.merge({}, JSON.parse('{"__proto__": {"polluted": 1}}')); _.set({}, "__proto__.polluted", 1); _.set({}, "constructor.prototype.polluted", 1); report({}.polluted === 1);

//// Array.prototype gets a setter: wrong-result
Object.defineProperty(Array.prototype, "0", { set() { throw 1; }, configurable: true }); report(false);

//// Array.prototype.push does nothing: contained
Array.prototype.push = () => 0; Array.prototype.map = () => ["bent"]; report(false);

//// JSON is replaced: contained
JSON.stringify = () => '{"configuration":{"reached":true}}'; JSON.parse = () => ({ reached: true }); globalThis.JSON = null; report(false);

//// Map and WeakMap are bent: contained
Map.prototype.get = WeakMap.prototype.get = () => ({ text: "666", value: 1 }); Map.prototype.has = () => true; report(false);

//// Function.prototype.call is bent: contained
Function.prototype.call = Function.prototype.apply = () => { throw new Error("bent"); }; Reflect.apply = null; report(false);

//// toJSON for everything: stack
Object.prototype.toJSON = function () { return { configuration: { reached: false } }; }; report(false);

//// then for everything: contained
Object.prototype.then = function (r) { r({ reached: true }); }; report(false);

//// String.prototype is bent: contained
String.prototype.slice = String.prototype.includes = String.prototype.toWellFormed = () => { throw 1; }; console.log("x"); report(false);

//// globals are frozen: contained
Object.freeze(globalThis); Object.freeze(Object.prototype); Object.freeze(Array.prototype); report(false);

//// Date and chance are replaced: contained
globalThis.Date = function () { return "bent"; }; Math.random = () => 0; globalThis.Math = null; report(false);

//// CE and require are replaced: contained
CE.md5 = () => "bent"; CE.hmac = null; globalThis.require = () => ({ bent: true }); globalThis.CE = null; report(false);

//// a species that steals: contained
Object.defineProperty(Array, Symbol.species, { get() { throw 1; } }); report(false);

//// iterators are bent: thrown-or-contained
Array.prototype[Symbol.iterator] = function* () { yield "bent"; }; report(false);

//// Error is bent: thrown
Error.prepareStackTrace = () => { throw 1; }; Error.prototype.toString = () => "bent"; Object.defineProperty(Error.prototype, "name", { get() { throw 2; } }); null.x;

//// Promise is bent: contained
Promise.prototype.then = () => { throw 1; }; globalThis.Promise = null; report(false);

//// result with a proxy and getters: contained
done(new Proxy({ configuration: { get reached() { return false; }, ["__proto__"]: { x: 1 } } }, {}));
