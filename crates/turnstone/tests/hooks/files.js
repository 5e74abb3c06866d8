// Scripts that reach for files. There is nothing to reach: every way ends in an error or in undefined.

//// require fs: thrown
require("fs").readFileSync("/etc/passwd");

//// require node:fs/promises: thrown
require("node:fs/promises");

//// require a path: thrown
require("/etc/passwd");

//// require a path beside a library: thrown
require("lodash/../../../../../etc/passwd");

//// require a file of a library: thrown
require("lodash/package.json");

//// import a file: contained
import("/etc/passwd").then(() => report(true), () => report(false));

//// import a module of the engine: contained
import("std").then(() => report(true), () => import("os").then(() => report(true), () => report(false)));

//// import in eval: contained
eval('import("file:///etc/passwd")').then(() => report(true), () => report(false));

//// static import: syntax
import fs from "fs";

//// files of the engine's shell: contained
report(typeof std !== "undefined" || typeof os !== "undefined" || typeof bjson !== "undefined");

//// load and read of other shells: contained
report([typeof load, typeof read, typeof readFile, typeof print, typeof quit, typeof File].some((t) => t !== "undefined"));

//// loadScript of the engine's shell: contained
report(typeof loadScript !== "undefined" || typeof __loadScript !== "undefined" || typeof scriptArgs !== "undefined");

//// Deno and Bun: contained
report(typeof Deno !== "undefined" || typeof Bun !== "undefined");

//// process.binding: contained
report(typeof process !== "undefined" && typeof process.binding === "function");

//// module.require by a caller: thrown
module.constructor._load("fs");

//// a stack trace names no file of the machine: contained
let stack = ""; try { null.x; } catch (e) { stack = e.stack; } report(/\/(usr|home|etc|root|proc)\//.test(stack));

//// require that lies about its type: thrown
require({ toString: () => "fs" });

//// a library's own require: thrown
require("lodash").template("<%= require('fs') %>", { imports: { require } })({});
