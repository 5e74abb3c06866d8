//! Scripts in this process: what they find around them, and what comes out as it went in.
//!
//! Not here: scripts that mean harm; they get processes of their own, in the program's tests.
#![cfg(test)]

use serde_json::value::RawValue;
use turnstone_core::hook::{HookCall, HookInputs, HookKind, HookLimits, InputName};

use super::super::wire::{Answer, End};
use super::{run, run_with};

/// An event hook with this input.
fn call(body: &str, events: &str) -> HookCall {
    HookCall {
        kind: HookKind::Event,
        body: body.to_owned(),
        is_legacy: false,
        inputs: HookInputs::new().with(InputName::Events, raw(events)),
        limits: HookLimits::default(),
        now: "2026-01-31T09:30:00Z".parse().unwrap(),
        seed: 7,
    }
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

#[track_caller]
fn done(answer: Answer) -> String {
    match answer.end {
        End::Done(json) => json.get().to_owned(),
        other => panic!("{other:?}, log {:?}", answer.log),
    }
}

/// What `done` got, from a hook with `events`.
#[track_caller]
fn check(body: &str, events: &str, expect: &str) {
    assert_eq!(done(run(&call(body, events))), expect, "{body}");
}

/// What an expression is, as JSON.
#[track_caller]
fn value(expression: &str, expect: &str) {
    check(&format!("done({{v: {expression}}})"), "{}", &format!("{{\"v\":{expect}}}"));
}

mod contract {
    use super::*;

    #[test]
    fn inputs_are_ordinary_variables() {
        check("events.b = 2; done(events)", r#"{"a":1}"#, r#"{"a":1,"b":2}"#);
        check("events = [events]; done({e: events})", "1", r#"{"e":[1]}"#);
        check("let events = 5; const done2 = done; done2({e: events})", "1", r#"{"e":5}"#);
        check(
            "done({t: typeof response_body, u: typeof request_vendor_path})",
            "1",
            r#"{"t":"undefined","u":"undefined"}"#,
        );
        let mut call = call(
            "request_vendor_path += '?x=1'; configuration.a = 2; done({request_vendor_path, configuration})",
            "0",
        );
        call.kind = HookKind::PreRequest;
        call.inputs = HookInputs::new()
            .with_text(InputName::RequestVendorPath, "/p")
            .with(InputName::Configuration, raw(r#"{"a":1}"#));
        assert_eq!(done(run(&call)), r#"{"request_vendor_path":"/p?x=1","configuration":{"a":2}}"#);
    }

    #[test]
    fn strict_unless_legacy() {
        let undeclared = "x = 5; return {x: x}";
        assert!(matches!(run(&call(undeclared, "0")).end, End::Thrown { line: Some(1), .. }));
        let legacy = HookCall { is_legacy: true, ..call(undeclared, "0") };
        assert_eq!(done(run(&legacy)), r#"{"x":5}"#);
    }

    #[test]
    fn legacy_hooks_return_their_result() {
        let legacy =
            |body: &str, kind| run(&HookCall { is_legacy: true, kind, ..call(body, r#"{"id":7}"#) }).end;
        let body = "var list = getArray(); list.add({event_object_id: events.id}); return {events: list}";
        assert!(
            matches!(legacy(body, HookKind::Event), End::Done(json) if json.get() == r#"{"events":[{"event_object_id":7}]}"#)
        );
        assert!(matches!(legacy("return;", HookKind::PreRequest), End::Unchanged));
        assert!(matches!(legacy("return;", HookKind::Event), End::NoDone));
        assert!(
            matches!(legacy("done({a: 1}); return {b: 2}", HookKind::Event), End::Done(json) if json.get() == r#"{"a":1}"#)
        );
        assert!(
            matches!(legacy("return {v: base64Encode('a:b')}", HookKind::Event), End::Done(json) if json.get() == r#"{"v":"YTpi"}"#)
        );
        // Only they do.
        assert!(matches!(run(&call("return {a: 1}", "0")).end, End::NoDone));
    }

    #[test]
    fn the_first_result_counts() {
        check("done({a: 1}); done({a: 2})", "0", r#"{"a":1}"#);
        let answer = run(&call("done({a: 1});\nnull.x", "0"));
        assert!(answer.log[0].starts_with("threw at line 2 after done: TypeError"), "{:?}", answer.log);
        assert_eq!(done(answer), r#"{"a":1}"#);
        assert!(matches!(run(&call("done()", "0")).end, End::Unchanged));
        assert!(matches!(run(&call("done(null)", "0")).end, End::Done(json) if json.get() == "null"));
        check("const o = {a: 1}; done(o); o.a = 2", "0", r#"{"a":1}"#);
    }

    #[test]
    fn promises_are_followed_to_their_end() {
        check("Promise.resolve(3).then(n => done({n}))", "0", r#"{"n":3}"#);
        check("(async () => { await null; done({n: 4}) })()", "0", r#"{"n":4}"#);
        assert!(matches!(run(&call("new Promise(() => {})", "0")).end, End::NoDone));
    }

    #[test]
    fn errors_name_their_line() {
        let end = |body: &str| run(&call(body, "0")).end;
        match end("let a = 1;\nlet b = ;\n") {
            End::Syntax { line: Some(2), message } => {
                assert!(message.starts_with("SyntaxError"), "{message}")
            }
            other => panic!("{other:?}"),
        }
        match end("let a;\n\nfunction f() {\n  return a.b;\n}\nf();") {
            End::Thrown { line: Some(4), message } => assert!(message.starts_with("TypeError"), "{message}"),
            other => panic!("{other:?}"),
        }
        match end("throw 'plain text'") {
            End::Thrown { line: None, message } => assert_eq!(message, "plain text"),
            other => panic!("{other:?}"),
        }
        match end("class Bad extends Error { get name() { return 'Bad' } }\nthrow new Bad('x')") {
            // Its own constructor, which it inherits, counts as the place where the class stands.
            End::Thrown { line: Some(1), message } => assert_eq!(message, "Bad: x"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(end("throw Symbol('x')"), End::Thrown { .. }));
        assert!(matches!(end("throw {toString() { throw 1 }}"), End::Thrown { .. }));
        match end("const a = {}; a.a = a; done(a)") {
            End::Unwritable(why) => assert!(why.contains("circular"), "{why}"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(end("done(() => 1)"), End::Unwritable(_)));
    }

    #[test]
    fn a_deleted_header_is_a_removed_one() {
        let call = HookCall {
            kind: HookKind::PreRequest,
            inputs: HookInputs::new().with(InputName::RequestVendorHeaders, raw(r#"{"A":"1","B":"2"}"#)),
            ..call("delete request_vendor_headers.A; done({request_vendor_headers})", "0")
        };
        assert_eq!(done(run(&call)), r#"{"request_vendor_headers":{"A":null,"B":"2"}}"#);
        let other = HookCall { body: "done({request_vendor_headers: {B: '3'}})".into(), ..call };
        assert_eq!(done(run(&other)), r#"{"request_vendor_headers":{"B":"3"}}"#);
    }

    #[test]
    fn the_log_is_kept() {
        let answer = run(&call(
            "console.log('a', 'b'); console.error({a: [1, 'x']}, 2n); console.log('%s-%d', 'n', 3, 'rest'); done()",
            "0",
        ));
        assert_eq!(answer.log, ["a b", "{ a: [ 1, 'x' ] } 2n", "n-3 rest"]);
        let answer = run(&call("for (let i = 0; i < 1000; i++) console.log(i); done()", "0"));
        assert_eq!((answer.log.len(), answer.log_dropped), (100, 900));
    }

    #[test]
    fn time_and_chance_are_the_calls() {
        value("new Date().toISOString()", "\"2026-01-31T09:30:00.000Z\"");
        value("[Date.now(), Date.now()].map(n => n % 1000)", "[0,1]");
        value("new Date(0).getTimezoneOffset()", "0");
        value("new Date(2026, 0, 31).toISOString()", "\"2026-01-31T00:00:00.000Z\"");
        value("typeof Date()", "\"string\"");
        value(
            "[new Date() instanceof Date, Date.name, Date.length, new Date(5).constructor === Date]",
            "[true,\"Date\",7,true]",
        );
        value("(() => { class D extends Date {} return new D(5).getTime() })()", "5");
        value(
            "(() => { const end = Date.now() + 500; let n = 0; while (Date.now() < end) n++; return n })()",
            "499",
        );
        value("typeof performance", "\"undefined\"");
        let numbers = "done({v: [Math.random(), Math.random(), CE.randomString(), CE.randomEmail()]})";
        let (one, two) = (done(run(&call(numbers, "0"))), done(run(&call(numbers, "0"))));
        assert_eq!(one, two);
        assert_ne!(one, done(run(&HookCall { seed: 8, ..call(numbers, "0") })));
        value("CE.randomString().length", "10");
        value("/^[a-z0-9]{10}@example\\.com$/.test(CE.randomEmail())", "true");
    }
}

mod libraries {
    use super::*;

    /// Vectors from Python's hashlib, hmac and base64.
    #[test]
    fn ce_functions_agree_with_others() {
        value("CE.md5('héllo')", "\"be50e8478cf24ff3595bc7307fb91b50\"");
        value("CE.b64('héllo €')", "\"aMOpbGxvIOKCrA==\"");
        value("CE.decode64('aMOpbGxvIOKCrA==')", "\"héllo €\"");
        value("CE.decode64(CE.b64('\\u{1f600}'))", "\"😀\"");
        let vectors = [
            ("md5", "c476c06ff3ecc8a7127d160581b83185", "xHbAb/PsyKcSfRYFgbgxhQ=="),
            ("sha1", "4bfb8e34d57fc7411f3c3d65d6c1b2cb7417549b", "S/uONNV/x0EfPD1l1sGyy3QXVJs="),
            (
                "sha224",
                "af47c883de4cf4b2aa86d3abf0a8c6ecade4cbd6f4ed1fcfd3c1b3a4",
                "r0fIg95M9LKqhtOr8KjG7K3ky9b07R/P08GzpA==",
            ),
            (
                "sha256",
                "e4dbb6905de7f340450d6a1d180d3a70ce099775ba4f1166673d3cf4c58eb10f",
                "5Nu2kF3n80BFDWodGA06cM4Jl3W6TxFmZz089MWOsQ8=",
            ),
            (
                "sha384",
                "4e24855f28b6bc9b2bcefb95797f9b75b4dc34db3dc020525fc984c38bb8e6970b9692a2584c6cad722ccf8d3f2a8f06",
                "TiSFXyi2vJsrzvuVeX+bdbTcNNs9wCBSX8mEw4u45pcLlpKiWExsrXIsz40/Ko8G",
            ),
            (
                "sha512",
                "d3c86e0f4cbe35c8d24f56847d496904c6288c3784827990a6090d6d0c4f2ad721a3681c59ba603839f6594ce63fb0c6bb1a28a06c7c7\
                 de3a8bec5439567e4fe",
                "08huD0y+NcjST1aEfUlpBMYojDeEgnmQpgkNbQxPKtcho2gcWbpgODn2WUzmP7DGuxoooGx8feOovsVDlWfk/g==",
            ),
        ];
        let sign = |function: &str, expect: &str| {
            value(&format!("{function}('sécret', 'a body €')"), &format!("\"{expect}\""))
        };
        for (algorithm, hex, base64) in vectors {
            for (encoding, expect) in [("hex", hex), ("Hex", hex), ("base64", base64), ("Base64", base64)] {
                sign(&format!("CE.hmac('{algorithm}')('{encoding}')"), expect);
            }
        }
        sign("CE.hmac('SHA-256')('base64url')", "5Nu2kF3n80BFDWodGA06cM4Jl3W6TxFmZz089MWOsQ8");
        for (name, at) in [("Md5", 0), ("Sha1", 1), ("Sha256", 3)] {
            for encoding in ["Hex", "hex"] {
                sign(&format!("CE.hmac{name}{encoding}"), vectors[at].1);
            }
            for encoding in ["Base64", "base64"] {
                sign(&format!("CE.hmac{name}{encoding}"), vectors[at].2);
            }
        }
        // The vector that is published for a notification's signature.
        let body = "done({v: CE.hmacSha256Base64('MySecretEventSignatureKey', '<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>')})";
        check(body, "0", "{\"v\":\"jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=\"}");
    }

    #[test]
    fn a_missing_secret_signs_nothing() {
        for body in ["CE.hmacSha256Hex(undefined, 'x')", "CE.hmac('sha1')('hex')(null, 'x')", "CE.md5()"] {
            match run(&call(body, "0")).end {
                End::Thrown { message, .. } => assert!(message.contains("needs a text"), "{message}"),
                other => panic!("{other:?}"),
            }
        }
        for body in ["CE.hmac('crc')('hex')('k', 'x')", "CE.hmac('md5')('hax')('k', 'x')"] {
            assert!(matches!(run(&call(body, "0")).end, End::Thrown { .. }), "{body}");
        }
    }

    #[test]
    fn util_is_a_small_one() {
        value(
            "require('util').format('%s %d %i %j %%', 'a', 1.5, 2.7, {b: 1}, 'c')",
            "\"a 1.5 2 {\\\"b\\\":1} % c\"",
        );
        value("require('util').inspect({a: {b: {c: {d: 1}}}})", "\"{ a: { b: { c: [Object] } } }\"");
        value("require('util').inspect(new Map([[1, {a: 2}]]))", "\"Map(1) { 1 => { a: 2 } }\"");
        value(
            "require('util').inspect((() => { const a = {}; a.me = a; return a })())",
            "\"{ me: [Circular *1] }\"",
        );
        value("require('util').isArray([])", "true");
        value("require('node:util') === require('util')", "true");
        value("typeof require('util').promisify", "\"undefined\"");
        let body = "const {inherits} = require('util'); function A() {} A.prototype.hi = () => 1; function B() {} inherits(B, A); done({v: new B().hi(), s: B.super_ === A})";
        check(body, "0", r#"{"v":1,"s":true}"#);
        value("require('util').isDeepStrictEqual({a: [1, {b: 2}]}, {a: [1, {b: 2}]})", "true");
    }

    #[test]
    fn lodash_is_there() {
        value("require('lodash').chunk([1, 2, 3], 2)", "[[1,2],[3]]");
        value("require('lodash').VERSION.split('.')[0]", "\"4\"");
        value("require('lodash').get({a: [{b: 3}]}, 'a[0].b')", "3");
        value("require('lodash').template('hi <%= n %>')({n: 'x'})", "\"hi x\"");
        value("require('lodash/fp').map(n => n + 1)([1, 2])", "[2,3]");
        value(
            "require('lodash/fp').flow(require('lodash/fp').filter('a'), require('lodash/fp').map('b'))([{a: 1, b: 2}, {b: 3}])",
            "[2]",
        );
        value("require('lodash') === require('lodash')", "true");
    }

    #[test]
    fn a_build_without_lodash_says_so() {
        match run_with(&call("const _ = require('lodash')", "0"), &[]).end {
            End::Thrown { line: Some(1), message } => {
                assert!(message.contains("this build holds no lodash"), "{message}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            done(run_with(&call("done({v: require('util').isArray([])})", "0"), &[])),
            r#"{"v":true}"#
        );
    }

    #[test]
    fn the_network_is_refused_even_when_caught() {
        for (body, what) in [
            ("require('http')", "the network (require(\"http\"))"),
            ("try { require('node:https') } catch {} done()", "the network (require(\"https\"))"),
            ("try { notify.email('a', 'b') } catch {} done()", "notify.email"),
        ] {
            assert!(matches!(run(&call(body, "0")).end, End::Refused(found) if found == what), "{body}");
        }
        match run(&call("require('fs')", "0")).end {
            End::Thrown { line: Some(1), message } => {
                assert!(message.contains("there are lodash"), "{message}")
            }
            other => panic!("{other:?}"),
        }
    }
}

mod numbers;
mod samples;
