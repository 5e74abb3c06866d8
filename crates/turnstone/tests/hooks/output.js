// Scripts that answer too much, or something that is no answer. Nothing of it reaches the caller but a sentence.

//// text beyond the limit: output
done({ response_body: "x".repeat(2 << 20) });

//// list beyond the limit: output
done({ response_body: new Array(1 << 20).fill(1) });

//// names beyond the limit: output
done({ configuration: { ["n".repeat(2 << 20)]: 1 } });

//// letters that take more bytes than places: output
done({ response_body: "€".repeat(900000) });

//// escapes that grow: output
done({ response_body: "\u0001".repeat(300000) });

//// a log of lines without end: contained
for (let i = 0; i < 100000; i++) console.log("line " + i); report(false);

//// a log of one endless line: contained
console.log("x".repeat(4 << 20)); report(false);

//// many results: contained
for (let i = 0; i < 1000; i++) done({ configuration: { reached: false } });

//// cycle: wrong-result
const o = {}; o.o = o; done(o);

//// function: wrong-result
done(() => 1);

//// symbol: wrong-result
done(Symbol("s"));

//// list: wrong-result
done([1, 2, 3]);

//// text: wrong-result
done("done");

//// header with a line of its own: wrong-result
done({ request_vendor_headers: { "X-A": "1\r\nX-B: 2" } });

//// header name with a line of its own: wrong-result
done({ request_vendor_headers: { "X-A: 1\r\nX-B": "2" } });

//// method that is a request: wrong-result
done({ request_vendor_method: "GET /secret HTTP/1.1" });

//// status that is none: wrong-result
done({ response_status_code: 99999 });

//// headers that are a text: wrong-result
done({ request_vendor_headers: "X: 1" });

//// nothing: no-result
let x = 1;

//// promise that never ends: no-result
new Promise(() => {}).then(done);

//// error with a long message: thrown
throw new Error("x".repeat(1 << 20));
