// Scripts that reach for the network. It is refused in one sentence, also when the script catches the error.

//// require http: refused
require("http").get("http://169.254.169.254/");

//// require https: refused
require("https").request("https://example.com");

//// require node:http: refused
require("node:http");

//// http that is caught: refused
try { require("http"); } catch (e) {} done({});

//// http after done: refused
done({}); require("https");

//// http in a promise: refused
Promise.resolve().then(() => require("http")).catch(() => done({}));

//// notify.email: refused
notify.email("a@example.com", "subject", "body");

//// notify.email that is caught: refused
try { notify.email(); } catch { done({}); }

//// require net: thrown
require("net").connect(80, "127.0.0.1");

//// require dgram: thrown
require("dgram");

//// require dns: thrown
require("dns").lookup("example.com", () => {});

//// require tls: thrown
require("node:tls");

//// require request: thrown
require("request")("http://localhost");

//// fetch: contained
report(typeof fetch !== "undefined");

//// XMLHttpRequest and WebSocket: contained
report(typeof XMLHttpRequest !== "undefined" || typeof WebSocket !== "undefined" || typeof EventSource !== "undefined");

//// navigator: contained
report(typeof navigator !== "undefined");

//// import of an address: contained
import("https://example.com/x.js").then(() => report(true), () => report(false));

//// image and link of a page: contained
report(typeof document !== "undefined" || typeof Image !== "undefined" || typeof window !== "undefined");
