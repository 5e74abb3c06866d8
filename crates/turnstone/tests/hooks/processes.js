// Scripts that reach for processes, threads and signals. None of the ways exists.

//// require child_process: thrown
require("child_process").execSync("id");

//// require node:child_process: thrown
require("node:child_process").spawn("sh");

//// require worker_threads: thrown
require("worker_threads");

//// require cluster: thrown
require("cluster").fork();

//// require vm: thrown
require("vm").runInThisContext("1");

//// process.kill: thrown
process.kill(1, 9);

//// process.exit: thrown
process.exit(1);

//// this.constructor.constructor: contained
report(typeof (function () {}).constructor("return this")().process !== "undefined");

//// constructor of an error: contained
let p; try { null.x; } catch (e) { p = e.constructor.constructor("return typeof process")(); } report(p !== "undefined");

//// constructor of done: contained
report(done.constructor("return typeof process")() !== "undefined");

//// constructor of a host function: contained
report(CE.md5.constructor("return typeof process")() !== "undefined");

//// constructor of an async function: contained
Object.getPrototypeOf(async () => {}).constructor("return typeof process")().then((t) => report(t !== "undefined"));

//// caller of the hook: contained
let caller = null; try { caller = (function f() { return f.caller; })(); } catch (e) {} report(caller !== null && caller !== undefined && !/hook|report|function/.test(String(caller)));

//// Worker: contained
report(typeof Worker !== "undefined" || typeof SharedWorker !== "undefined");

//// os of the engine's shell: contained
report(typeof os !== "undefined" && typeof os.exec === "function");

//// timers: contained
report(typeof setTimeout !== "undefined" || typeof setInterval !== "undefined" || typeof setImmediate !== "undefined");

//// gc and its finalisers: contained
let called = false; new FinalizationRegistry(() => { called = true; }).register({}, 1); if (typeof gc === "function") gc(); report(called);

//// WebAssembly: contained
report(typeof WebAssembly !== "undefined");
