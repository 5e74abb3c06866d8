//! What goes in comes out: number texts, ids, member order, through everything that hooks do with data.

use proptest::prelude::*;

use super::*;

const NUMBERS: &str = "[1.0,0.10,1e400,-1E5,-0,-0.0,0.00,12345678901234567890,9007199254740993,-9007199254740993,\
                       0.1234567890123456789,1.10,10000000000000000000001,1e-7,100,0.5,123456789.25,3000000000.0]";

#[test]
fn what_is_not_touched_keeps_its_text() {
    check("done({v: events})", NUMBERS, &format!("{{\"v\":{NUMBERS}}}"));
    let object = r#"{"z":1.0,"a":{"id":9007199254740993,"list":[{"x":1e400}]},"é":-0.0,"__proto__":{"y":2.50},"constructor":1.0}"#;
    check("done(events)", object, object);
    check("done({v: events})", "1.0", r#"{"v":1.0}"#);
    check("done({v: events})", "12345678901234567890", r#"{"v":12345678901234567890}"#);
}

#[test]
fn the_published_signature_pattern_reproduces_the_body() {
    let body =
        r#"{"id":12345678901234567890,"amount":1.10,"lines":[{"qty":2.0,"price":0.50}],"b":1e2,"a":-0}"#;
    let events =
        format!(r#"{{{},"eventHeaders":{{"X-Sign":"s"}},"eventId":"17"}}"#, &body[1..body.len() - 1]);
    for copy in [
        "Object.assign({}, events)",
        "({...events})",
        "require('lodash').clone(events)",
        "require('lodash').cloneDeep(events)",
        "JSON.parse(JSON.stringify(events))",
    ] {
        let hook = format!(
            "let copy = {copy}; delete copy.eventId; delete copy.eventHeaders; const text = JSON.stringify(copy); \
             done({{text, sign: CE.hmac('sha256')('Base64')('key', text)}})"
        );
        let found: serde_json::Value = serde_json::from_str(&done(run(&call(&hook, &events)))).unwrap();
        assert_eq!(found["text"], body, "{copy}");
    }
}

#[test]
fn numbers_are_ordinary_numbers() {
    let events = r#"{"zero":0.00,"one":1.0,"ten":10.00,"tenth":0.10,"huge":1e400}"#;
    for (expression, expect) in [
        ("typeof events.one", "\"number\""),
        ("events.one === 1", "true"),
        ("events.zero ? 'yes' : 'no'", "\"no\""),
        ("!events.zero", "true"),
        ("events.one + events.ten", "11"),
        ("events.ten / 4", "2.5"),
        ("events.tenth * 3", "0.30000000000000004"),
        ("[events.ten, 2, events.one].sort((a, b) => a - b).length", "3"),
        ("`${events.ten}`", "\"10\""),
        ("events.huge === Infinity", "true"),
        ("Number.isInteger(events.ten)", "true"),
        ("Math.max(events.ten, 3)", "10"),
        ("[5, 10].includes(events.ten)", "true"),
        ("({10: 'found'})[events.ten]", "\"found\""),
        ("(() => { switch (events.one) { case 1: return 'one' } })()", "\"one\""),
    ] {
        check(&format!("done({{v: {expression}}})"), events, &format!("{{\"v\":{expect}}}"));
    }
}

#[test]
fn a_script_s_own_numbers_are_its_own() {
    let events = r#"{"a":1.0,"b":2.00,"c":0.50,"n":3}"#;
    check(
        "done({a: 1, b: 2, n: 3, sum: 1 + 1, len: [1].length})",
        events,
        r#"{"a":1,"b":2,"n":3,"sum":2,"len":1}"#,
    );
    check("events.n += 1; events.a = 7; done(events)", events, r#"{"a":7,"b":2.00,"c":0.50,"n":4}"#);
    check("done({half: events.a / 4})", events, r#"{"half":0.25}"#);
    check("done({v: {...JSON.parse('{\"x\":1,\"y\":2}')}})", events, r#"{"v":{"x":1,"y":2}}"#);
    // Calculated, and equal to an input: the same number in the input's spelling.
    check("done({v: events.c * 2})", events, r#"{"v":1.0}"#);
}

#[test]
fn renamed_and_moved_numbers_keep_their_text() {
    let events = r#"{"order":{"total":10.0,"tax":1.90,"id":9007199254740995},"rate":1.90}"#;
    check(
        "const o = events.order; done({sum: o.total, list: [o.tax], ref: {key: o.id}, rate: events.rate})",
        events,
        r#"{"sum":10.0,"list":[1.90],"ref":{"key":9007199254740995},"rate":1.90}"#,
    );
}

#[test]
fn the_same_value_in_two_spellings_keeps_both() {
    let events = r#"[{"id":1,"price":1.0},{"id":2,"price":1.00},{"id":3,"price":1},{"id":4,"price":1.000}]"#;
    let whole = format!("{{\"v\":{events}}}");
    for body in [
        "done({v: events})",
        "done({v: events.map(one => ({...one}))})",
        "done({v: JSON.parse(JSON.stringify(events))})",
        "done({v: require('lodash').cloneDeep(events)})",
        "done({v: events.map(one => Object.assign({}, one))})",
        "done({v: require('lodash').map(events, one => require('lodash').pick(one, ['id', 'price']))})",
    ] {
        check(body, events, &whole);
    }
    check(
        "done({v: events.slice().reverse().map(one => ({...one, extra: 1}))})",
        events,
        r#"{"v":[{"id":4,"price":1.000,"extra":1},{"id":3,"price":1,"extra":1},{"id":2,"price":1.00,"extra":1},{"id":1,"price":1.0,"extra":1}]}"#,
    );
    check(
        "done({v: events.filter(one => one.id > 2)})",
        events,
        r#"{"v":[{"id":3,"price":1},{"id":4,"price":1.000}]}"#,
    );
    check("done({v: [...events]})", "[0.1,0.10,0.100,0.1]", r#"{"v":[0.1,0.10,0.100,0.1]}"#);
    // Nothing else tells these apart, but they are copied in their order.
    let alike = r#"[{"p":1.0},{"p":1.00},{"p":1.0},{"p":1e0}]"#;
    check("done({v: require('lodash').cloneDeep(events)})", alike, &format!("{{\"v\":{alike}}}"));
    check("done({v: [...events]})", "[-0e0,[-0,1,0.10],0.1]", r#"{"v":[-0e0,[-0,1,0.10],0.1]}"#);
    check(
        "done({v: {...events}})",
        r#"{"a":{"b":1.00,"x":2},"b":1.0}"#,
        r#"{"v":{"a":{"b":1.00,"x":2},"b":1.0}}"#,
    );
}

#[test]
fn long_integers_are_exact_in_texts_and_comparisons() {
    let events = r#"{"id":12345678901234567890,"other":12345678901234567891,"same":12345678901234567890,"edge":9007199254740992}"#;
    for (expression, expect) in [
        ("typeof events.id", "\"bigint\""),
        ("typeof events.edge", "\"bigint\""),
        ("String(events.id)", "\"12345678901234567890\""),
        ("'/x/' + events.id + `/${events.other}`", "\"/x/12345678901234567890/12345678901234567891\""),
        ("events.id === events.same", "true"),
        ("events.id === events.other", "false"),
        ("events.id == '12345678901234567890'", "true"),
        ("events.id > 5", "true"),
        ("[events.other, events.id].indexOf(events.same)", "1"),
        ("new Set([events.id, events.same, events.other]).size", "2"),
        ("({[events.id]: 1})", "{\"12345678901234567890\":1}"),
        ("events.id ? 1 : 2", "1"),
        ("events.id + 1n", "12345678901234567891"),
        ("Number(events.id) > 1e19", "true"),
        (
            "require('lodash').find([{id: events.other}, {id: events.id}], {id: events.same}) !== undefined",
            "true",
        ),
        ("CE.md5(events.id) === CE.md5('12345678901234567890')", "true"),
        // Through a double and back it is the one input that has this double.
        ("[parseInt(events.edge)]", "[9007199254740992]"),
    ] {
        check(&format!("done({{v: {expression}}})"), events, &format!("{{\"v\":{expect}}}"));
    }
    match run(&call("done({v: events.id + 1})", events)).end {
        End::Thrown { line: Some(1), message } => assert!(message.contains("Number(x)"), "{message}"),
        other => panic!("{other:?}"),
    }
    check("done({v: 2n ** 64n})", "0", r#"{"v":18446744073709551616}"#);
}

#[test]
fn json_behaves_as_it_always_does() {
    let events = r#"{"a":1.0,"b":[0.10,{"c":1e2}],"id":12345678901234567890}"#;
    for (expression, expect) in [
        (
            "JSON.stringify(events, ['id', 'b', 'c'])",
            r#""{\"id\":12345678901234567890,\"b\":[0.10,{\"c\":1e2}]}""#,
        ),
        ("JSON.stringify(events.b, null, 1)", r#""[\n 0.10,\n {\n  \"c\": 1e2\n }\n]""#),
        (
            "JSON.stringify(events, (k, v) => k === 'b' ? undefined : v)",
            r#""{\"a\":1.0,\"id\":12345678901234567890}""#,
        ),
        ("JSON.stringify(events, (k, v) => k === 'a' ? {t: v} : k ? undefined : v)", r#""{\"a\":{}}""#),
        ("JSON.stringify({toJSON: () => events.a})", r#""1.0""#),
        (
            "JSON.stringify([undefined, NaN, () => 1, new Date(0), new Number(3), 'x\\u2028'])",
            r#""[null,null,null,\"1970-01-01T00:00:00.000Z\",3,\"x\u2028\"]""#,
        ),
        ("JSON.stringify(undefined) === undefined", "true"),
        (
            "JSON.parse('{\"x\": 1.50, \"n\": 12345678901234567890}')",
            r#"{"x":1.50,"n":12345678901234567890}"#,
        ),
        ("JSON.parse('[1.0, 2]', (k, v) => Array.isArray(v) ? v : v + 1)", "[2,3]"),
        ("JSON.parse('[1.0, 2]', (k, v) => v)", "[1.0,2]"),
        ("(() => { try { JSON.parse('{bad') } catch (e) { return e.name } })()", "\"SyntaxError\""),
        ("JSON.stringify.length + JSON.parse.length", "5"),
    ] {
        check(
            &format!("done({{v: {expression}}})"),
            events,
            &format!("{{\"v\":{}}}", expect.replace("\\u2028", "\u{2028}")),
        );
    }
}

#[test]
fn names_that_look_like_indexes_come_first() {
    // The one order that JavaScript does not keep.
    check(
        "done(events)",
        r#"{"b":1,"10":2,"a":3,"2":4,"-1":5,"01":6}"#,
        r#"{"2":4,"10":2,"b":1,"a":3,"-1":5,"01":6}"#,
    );
    check("done(events)", r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
}

/// A number as some provider may write it, in many spellings of few values and in any spelling of any.
fn number() -> impl Strategy<Value = String> {
    let pool = [
        "1", "1.0", "1.00", "1e0", "10E-1", "0", "-0", "0.0", "0.10", "0.1", "100", "1e2", "1e400", "-1e400",
    ];
    prop_oneof![
        4 => proptest::sample::select(pool.to_vec()).prop_map(str::to_owned),
        3 => "-?(0|[1-9][0-9]{0,24})",
        2 => "-?(0|[1-9][0-9]{0,9})\\.[0-9]{1,20}",
        1 => "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,4})?[eE][+-]?[0-9]{1,3}",
    ]
}

/// A document in the spelling of `JSON.stringify`, but for its numbers.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => number(),
        1 => proptest::sample::select(vec!["true", "false", "null", "[]", "{}"]).prop_map(str::to_owned),
        2 => "[a-z \"\\\\é😀\n]{0,6}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name =
            proptest::sample::select(vec!["id", "a", "b", "price", "__proto__", "toString", "x y", "-1"]);
        let members = proptest::collection::vec((name, inner.clone()), 0..6).prop_map(|mut members| {
            let mut seen = std::collections::HashSet::new();
            members.retain(|(name, _)| seen.insert(*name));
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![
            members,
            proptest::collection::vec(inner, 0..6).prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
}

/// Records with ids of their own, as hooks meet them.
fn records() -> impl Strategy<Value = String> {
    let record = (number(), number(), number(), "[a-z]{1,3}");
    proptest::collection::vec(record, 1..12).prop_map(|records| {
        let record = |(at, (price, tax, id, name)): (usize, (String, String, String, String))| {
            format!(r#"{{"key":"k{at}","price":{price},"name":"{name}","of":{{"ref":"r{at}","id":{id},"tax":{tax}}}}}"#)
        };
        let records: Vec<String> = records.into_iter().enumerate().map(record).collect();
        format!("[{}]", records.join(","))
    })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn any_document_comes_out_as_it_went_in(json in document()) {
        for body in ["done({v: events})", "done({v: JSON.parse(JSON.stringify(events))})", "done({v: [events][0]})"] {
            prop_assert_eq!(done(run(&call(body, &json))), format!("{{\"v\":{}}}", json), "{}", body);
        }
    }

    #[test]
    fn a_shallow_copy_comes_out_as_it_went_in(json in document()) {
        let body = "const copy = Array.isArray(events) ? [...events] : events && typeof events === 'object' ? {...events} : events; \
                    done({v: copy})";
        prop_assert_eq!(done(run(&call(body, &json))), format!("{{\"v\":{}}}", json));
    }
}

proptest! {
    #![proptest_config(config(120))]

    #[test]
    fn deep_copies_of_records_keep_every_number(json in records()) {
        for body in [
            "done({v: events.map(r => ({...r, of: {...r.of}}))})",
            "done({v: require('lodash').cloneDeep(events)})",
            "const c = v => Array.isArray(v) ? v.map(c) : v && typeof v === 'object' ? \
             Object.fromEntries(Object.entries(v).map(([k, m]) => [k, c(m)])) : v; done({v: c(events)})",
            "done({v: events.map(r => ({...r, of: {...r.of}})).reverse().sort((a, b) => a.key.slice(1) - b.key.slice(1))})",
        ] {
            prop_assert_eq!(done(run(&call(body, &json))), format!("{{\"v\":{}}}", json), "{}", body);
        }
    }

    #[test]
    fn ids_are_texts_without_loss(id in "[1-9][0-9]{0,39}") {
        let events = format!(r#"{{"id":{id},"list":[{id}]}}"#);
        let body = "done({s: String(events.id), t: `${events.list[0]}`, c: '' + events.id, n: events.id, k: Object.keys({[events.id]: 1})[0]})";
        let expect = format!(r#"{{"s":"{id}","t":"{id}","c":"{id}","n":{id},"k":"{id}"}}"#);
        prop_assert_eq!(done(run(&call(body, &events))), expect);
    }
}
