// Scripts that call, nest or parse themselves too deep. The stack ends them with an error that they may even catch; the
// process goes on.

//// function that calls itself: stack
(function f() { f(); })();

//// two that call each other: stack
const a = () => b(); const b = () => a(); a();

//// recursion that is caught: contained
let depth = 0; try { (function f() { depth++; f(); })(); } catch (e) {} report(depth > 1e6);

//// recursion that is caught at every level: stopped
(function f() { try { f(); } catch (e) { f(); } })();

//// getter of itself: stack
const o = { get x() { return this.x; } }; o.x;

//// proxy of itself: stack
const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x;

//// toString of itself: stack
const o = { toString() { return "" + this; } }; "" + o;

//// JSON.parse of deep text: contained
let ok = true; try { JSON.parse("[".repeat(1e6) + "]".repeat(1e6)); } catch (e) { ok = false; } report(ok);

//// JSON.stringify of a deep list: contained
let list = []; for (let i = 0; i < 5e4; i++) list = [list]; let ok = true; try { JSON.stringify(list); } catch (e) { ok = false; } report(ok);

//// result that is too deep: stopped
let list = []; for (let i = 0; i < 2e5; i++) list = [list]; done({ configuration: { list } });

//// eval in eval: stack
(function f() { eval("f()"); })();

//// deep source text: contained
let ok = true; try { eval("(".repeat(1e5) + "1" + ")".repeat(1e5)); } catch (e) { ok = false; } report(ok);

//// constructor of itself: stack
class A { constructor() { new A(); } } new A();

//// sort that sorts: stack
const f = () => [2, 1].sort(f); f();

//// replace that replaces: stack
const f = () => "x".replace("x", f); f();

//// regular expression that is nested: contained
let ok = true; try { new RegExp("(".repeat(1e5) + ")".repeat(1e5)); } catch (e) { ok = false; } report(ok);

//// bound function of a bound function: memory
let f = () => 1; for (;;) f = f.bind(null); let ok = true; try { f(); } catch (e) { ok = false; } report(false);

//// reviver that parses: stack
const f = () => JSON.parse("[1.0]", f); f();

//// flat without end: stack
const list = []; list[0] = list; list.flat(Infinity);
