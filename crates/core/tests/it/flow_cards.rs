//! Cards as data: every case names its line of the catalogue, its inputs, and what comes out.
//!
//! Inputs are JSON; `{"$date": "…"}` is a date, which JSON has no form of. Expected outputs are compared with their
//! digits and the order of their members; `types` says what an output must be besides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use turnstone_core::date::ZoneRules;
use turnstone_core::flow::cards::compare::{Operator, compare};
use turnstone_core::flow::cards::{
    AuthorOutput, CardError, Context, ErrorCode, Group, Inputs, Outputs, Runs, all, evaluate, spec,
};
use turnstone_core::flow::value::{File, Object, Type, Value};

const SECTIONS: [(&str, &str); 7] = [
    ("object", include_str!("../flow/cards/object.json")),
    ("list", include_str!("../flow/cards/list.json")),
    ("date", include_str!("../flow/cards/date.json")),
    ("text", include_str!("../flow/cards/text.json")),
    ("number", include_str!("../flow/cards/number.json")),
    ("logic", include_str!("../flow/cards/logic.json")),
    ("encoding", include_str!("../flow/cards/encoding.json")),
];

const CASES: usize = 301;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case<'t> {
    card: &'t str,
    catalogue: &'t str,
    #[serde(borrow)]
    inputs: &'t RawValue,
    now: Option<Timestamp>,
    #[serde(default)]
    declared: BTreeMap<String, String>,
    #[serde(borrow)]
    outputs: Option<&'t RawValue>,
    #[serde(default)]
    types: BTreeMap<String, String>,
    error: Option<String>,
}

/// Puts dates where the cases say so.
fn with_dates(value: Value) -> Value {
    match value {
        Value::Object(members) => match members.get("$date") {
            Some(Value::Text(text)) => Value::Date(text.parse().expect("a date of a case")),
            _ => {
                let members = Arc::unwrap_or_clone(members);
                Value::object(members.into_iter().map(|(key, value)| (key, with_dates(value))).collect())
            }
        },
        Value::List(items) => Value::list(Arc::unwrap_or_clone(items).into_iter().map(with_dates).collect()),
        other => other,
    }
}

fn context(now: Option<Timestamp>) -> Context {
    let now = now.unwrap_or_else(|| "2025-03-01T12:30:45.678Z".parse().expect("an instant"));
    Context { now, zones: ZoneRules::default(), seed: 1, counter: 0 }
}

fn run(case: &Case<'_>) -> Result<Outputs, CardError> {
    let Value::Object(inputs) = with_dates(Value::from_json(case.inputs.get()).expect("JSON")) else {
        panic!("the inputs of a case are an object");
    };
    let declared = case.declared.iter().map(|(key, of)| {
        let of = Type::parse(of).unwrap_or_else(|| panic!("`{of}` is a type"));
        AuthorOutput { key: key.clone(), of }
    });
    let inputs = Inputs::from(Arc::unwrap_or_clone(inputs)).with_outputs(declared.collect());
    evaluate(case.card, &inputs, &context(case.now))
}

/// What is wrong with a case.
fn fault(case: &Case<'_>) -> Option<String> {
    let result = run(case);
    match (result, case.outputs, &case.error) {
        (Ok(outputs), Some(expect), None) => {
            let expect = Value::from_json(expect.get()).expect("JSON");
            let wrong_type = case.types.iter().find(|(key, of)| {
                Some(outputs.get(*key).map(|value| value.own_type())) != Some(Type::parse(of))
            });
            if let Some((key, of)) = wrong_type {
                return Some(format!("`{key}` is no {of}"));
            }
            // Members of the whole may stand in any order; inside of a value it counts.
            let sorted = |object: &Object| {
                let mut lines: Vec<String> =
                    object.iter().map(|(key, value)| format!("{key}: {}", value.to_json())).collect();
                lines.sort();
                lines.join("\n")
            };
            let Value::Object(expect) = expect else { panic!("the outputs of a case are an object") };
            let (is, should) = (sorted(&outputs), sorted(&expect));
            (is != should).then(|| format!("gives\n{is}\nand not\n{should}"))
        }
        (Err(error), None, Some(expect)) => {
            (!error.message.contains(expect.as_str())).then(|| format!("fails with `{error}`"))
        }
        (result, _, _) => Some(format!("gives {result:?}")),
    }
}

fn cases() -> Vec<Case<'static>> {
    let of = |(section, text): &(&str, &'static str)| -> Vec<Case<'static>> {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{section}.json: {error}"))
    };
    SECTIONS.iter().flat_map(of).collect()
}

#[test]
fn cards_do_what_their_cases_say() {
    let cases = cases();
    let faults: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let fault = fault(case)?;
            Some(format!("{} ({}) with {}: {fault}", case.card, case.catalogue, case.inputs.get()))
        })
        .collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n\n"));
    assert_eq!(cases.len(), CASES);
    let line = |case: &&Case<'_>| !case.catalogue.starts_with('§');
    assert_eq!(cases.iter().filter(line).count(), 0, "every case names its line of the catalogue");
}

#[test]
fn every_pure_card_has_a_case_that_works_and_its_outputs_are_declared() {
    let cases = cases();
    let mut tried = BTreeSet::new();
    for case in cases.iter().filter(|case| case.outputs.is_some()) {
        let card = spec(case.card).unwrap_or_else(|| panic!("`{}` is a card", case.card));
        tried.insert(card.id);
        if card.author_outputs || card.mirrored {
            continue;
        }
        for key in run(case).expect("it works").keys() {
            assert!(card.output(key).is_some(), "`{}` gives `{key}`, which it does not declare", card.id);
        }
    }
    for card in all() {
        assert_eq!(tried.contains(card.id), card.runs == Runs::Pure, "`{}` has a case that works", card.id);
    }
}

#[test]
fn the_table_of_cards_is_sound() {
    let mut ids = BTreeSet::new();
    for card in all() {
        for id in std::iter::once(&card.id).chain(card.aliases) {
            assert!(ids.insert(*id), "`{id}` means two cards");
            assert_eq!(spec(id).map(|card| card.id), Some(card.id));
        }
        for input in card.inputs {
            if let Some(default) = input.default {
                let value = Value::from_json(default).expect("a default is JSON");
                assert_eq!(value.own_type(), input.of, "the default of `{}` of `{}`", input.key, card.id);
            }
            assert_eq!(card.input(input.key).map(|found| found.key), Some(input.key));
            assert!(!(input.required && input.default.is_some()), "`{}` of `{}`", input.key, card.id);
        }
        assert!(!card.about.is_empty() && !card.about.ends_with('.'), "`{}`", card.id);
    }
    assert_eq!(spec("object.none").map(|card| card.id), None);
    let error = evaluate("object.none", &Inputs::new(), &context(None)).unwrap_err();
    assert_eq!(
        (error.code, error.to_string().as_str()),
        (ErrorCode::UnknownCard, "there is no card `object.none`")
    );
}

#[test]
fn repeated_inputs_are_found_by_number() {
    let concat = spec("string.concat").expect("a card");
    for name in ["text", "text 1", "text2", "text 9999"] {
        assert_eq!(concat.input(name).map(|input| input.key), Some("text"), "{name}");
    }
    for name in ["texts", "text 99999", "text x", "text  1", "text -1"] {
        assert!(concat.input(name).is_none(), "{name}");
    }
    assert_eq!(
        spec("control.if").and_then(|card| card.input("Value A")).map(|input| input.key),
        Some("left-operand")
    );
}

#[test]
fn chance_is_replayed() {
    let draw = |seed, counter| {
        let context = Context { seed, counter, ..context(None) };
        evaluate("string.random", &Inputs::new(), &context).expect("it works")
    };
    assert_eq!(draw(1, 1), draw(1, 1));
    assert_ne!(draw(1, 1), draw(1, 2));
    assert_ne!(draw(1, 1), draw(2, 1));
    let mut dice = Inputs::new();
    dice.set("min", Value::whole(1)).set("max", Value::whole(6));
    let faces: BTreeSet<String> = (0..200)
        .map(|counter| {
            let context = Context { counter, ..context(None) };
            evaluate("math.random", &dice, &context).expect("it works")["output"].to_json()
        })
        .collect();
    assert_eq!(faces.into_iter().collect::<String>(), "123456");
}

#[test]
fn what_is_too_large_is_refused() {
    let mut inputs = Inputs::new();
    inputs.set("string", "a".repeat(1_000_000)).set("src", "a").set("dest", "b".repeat(100));
    let error = evaluate("string.replace", &inputs, &context(None)).unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert!(error.message.starts_with("input `string` makes a text of"), "{error}");

    // Nesting that a loop would build step by step ends at the bound.
    let mut nested = Value::Null;
    let mut depth = 0;
    let error = loop {
        let mut inputs = Inputs::new();
        inputs.set("inner", nested.clone());
        match evaluate("object.construct", &inputs, &context(None)) {
            Ok(outputs) => nested = outputs["output"].clone(),
            Err(error) => break error,
        }
        depth += 1;
        assert!(depth < 1_000);
    };
    assert_eq!((depth, error.code), (128, ErrorCode::TooLarge));

    let million = Value::list(vec![Value::Null; 600_000]);
    let mut inputs = Inputs::new();
    inputs.set("list 1", million.clone()).set("list 2", million);
    let error = evaluate("list.combineAll", &inputs, &context(None)).unwrap_err();
    assert_eq!(error.message, "input `list` makes a list of 1200000 items; at most 1000000");
}

/// Values that people do not think of.
fn nasty() -> Vec<Value> {
    let texts = [
        "\u{0}",
        "😀é",
        "%",
        "%zz",
        "[",
        "[a",
        "{{",
        "{{a}}",
        "(?:",
        "a{99999}",
        "\\",
        "$1",
        "..",
        "a..b",
        "-1",
        "+",
        "1e999999999999",
        "99999999999999999999999999999999999999999",
        "2025-13-45",
        "YYYY-MM-DD",
        "[YYYY",
        "x X",
        "L LT llll",
        "10000-01-01",
        "-9999-01-02T00:00:00Z",
        "true",
        "{\"a\":[1]}",
        "https://[::1",
        "İ",
        "days",
        "math",
        ">=",
        "base64",
        "md5",
    ];
    let numbers = [
        "-0",
        "1e308",
        "-1e308",
        "1e-400",
        "1e400",
        "9223372036854775807",
        "-9223372036854775808",
        "0.1",
        "1e38",
        "170141183460469231731687303715884105727",
        "-170141183460469231731687303715884105728",
        "253402207200000",
        "20",
        "-1",
    ];
    let mut values: Vec<Value> = texts.into_iter().map(Value::text).collect();
    values.extend(numbers.into_iter().map(|text| Value::from_json(text).expect("a number")));
    values.extend([Timestamp::MIN, Timestamp::MAX].map(Value::Date));
    values.push(Value::text("9".repeat(2_000)));
    values.push(Value::list(vec![Value::Null, Value::whole(1), Value::text("a"), Value::list(Vec::new())]));
    values.push(Value::from_json(r#"[{"key":"a","value":1},{"key":null},{"a":{"b":[{}]}}]"#).expect("JSON"));
    values.extend(samples().into_iter().map(|(_, value)| value));
    values
}

#[test]
fn no_input_makes_a_card_panic() {
    let values = nasty();
    let mut state = 7u64;
    let mut draw = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % end as u64).expect("it is below the end")
    };
    let (mut worked, mut failed) = (0, 0);
    for card in all().filter(|card| card.runs == Runs::Pure) {
        for round in 0..600u64 {
            let mut inputs = Inputs::new();
            for input in card.inputs {
                for number in 1..=if input.repeated { 1 + draw(3) } else { 1 } {
                    let key =
                        if input.repeated { format!("{} {number}", input.key) } else { input.key.to_owned() };
                    if draw(5) > 0 {
                        inputs.set(key, values[draw(values.len())].clone());
                    }
                }
            }
            if card.author_inputs {
                inputs.set("a", values[draw(values.len())].clone());
            }
            let declared = ["output", "a.b", "a", "values"].map(|key| AuthorOutput {
                key: key.to_owned(),
                of: [Type::ANY, Type::TEXT, Type::NUMBER.list(), Type::DATE][draw(4)],
            });
            let inputs = if draw(3) == 0 { inputs.with_outputs(declared.to_vec()) } else { inputs };
            let context = Context { counter: round, ..context(None) };
            let result = evaluate(card.id, &inputs, &context);
            assert_eq!(result, evaluate(card.id, &inputs, &context), "`{}` with {inputs:?}", card.id);
            match result {
                Ok(_) => worked += 1,
                Err(error) => {
                    failed += 1;
                    let sentence = &error.message;
                    let sound = !sentence.is_empty() && !sentence.contains('\n') && !sentence.ends_with('.');
                    assert!(sound && sentence.len() < 5_000, "`{}` says `{sentence}`", card.id);
                }
            }
        }
    }
    assert!(worked > 10_000 && failed > 10_000, "{worked} worked, {failed} failed");
}

/// Values of every type, with the names that the table uses.
fn samples() -> Vec<(&'static str, Value)> {
    let json = |text: &str| Value::from_json(text).expect("JSON");
    let file = File { name: "a.txt".into(), content_type: "text/plain".into(), bytes: "YWI=".into() };
    vec![
        ("null", Value::Null),
        ("\"\"", json("\"\"")),
        ("\"ab\"", json("\"ab\"")),
        ("\"80\"", json("\"80\"")),
        ("\"2025-01-01T00:00:00Z\"", json("\"2025-01-01T00:00:00Z\"")),
        ("0", json("0")),
        ("9", json("9")),
        ("80.0", json("80.0")),
        ("-4", json("-4")),
        ("true", json("true")),
        ("false", json("false")),
        ("2025-01-01", Value::Date("2025-01-01T00:00:00Z".parse().expect("a date"))),
        ("2025-01-02", Value::Date("2025-01-02T00:00:00Z".parse().expect("a date"))),
        ("{}", json("{}")),
        ("{\"ab\":1}", json("{\"ab\":1}")),
        ("[]", json("[]")),
        ("[\"ab\",80]", json("[\"ab\",80]")),
        ("file", Value::File(Arc::new(file))),
    ]
}

#[test]
fn every_comparison_on_every_type() {
    let samples = samples();
    let mut table = String::new();
    for (name, left) in &samples {
        for operator in Operator::ALL {
            let results: String = samples
                .iter()
                .map(|(_, right)| match compare(left, operator, right, Type::ANY) {
                    Ok(true) => 'T',
                    Ok(false) => '.',
                    Err(_) => 'E',
                })
                .collect();
            writeln!(table, "{results} {name} {}", operator.code()).expect("it can be written");
        }
    }
    let committed = include_str!("../golden/comparisons.txt");
    let expect: String =
        committed.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert_eq!(table.lines().count(), samples.len() * 13);
    let wrong: Vec<(&str, &str)> = table
        .lines()
        .zip(expect.lines().chain(std::iter::repeat("")))
        .filter(|(is, should)| is != should)
        .collect();
    assert!(wrong.is_empty() && table == expect, "{} rows differ; the table now is:\n{table}", wrong.len());
}

#[test]
fn opposite_comparisons_are_opposite() {
    let samples = samples();
    let pairs = [
        (Operator::Equal, Operator::NotEqual),
        (Operator::In, Operator::NotIn),
        (Operator::Has, Operator::HasNot),
        (Operator::Empty, Operator::NotEmpty),
    ];
    for (_, left) in &samples {
        for (_, right) in &samples {
            let result = |operator| compare(left, operator, right, Type::ANY).ok();
            for (operator, opposite) in pairs {
                assert_eq!(result(operator).map(|holds| !holds), result(opposite));
            }
            let below = result(Operator::Less);
            let equal = result(Operator::Equal);
            let at_most = result(Operator::AtMost);
            // Where there is an order, at most is below or equal.
            if let (Some(below), Some(true), Some(at_most)) = (below, equal, at_most) {
                assert_eq!((below, at_most), (false, !left.is_null()));
            }
        }
    }
}

/// The table of `docs/flow-cards.md`, from what the cards declare.
fn manual() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        writeln!(out, "\n### {}\n", group.label()).expect("it can be written");
        out.push_str("| card | label | inputs | outputs | what it does |\n| --- | --- | --- | --- | --- |\n");
        for card in all().filter(|card| card.group == group) {
            let mut inputs: Vec<String> = card
                .inputs
                .iter()
                .map(|input| {
                    let mark = match (input.repeated, input.required, input.default) {
                        (true, _, _) => "…".to_owned(),
                        (false, true, _) => String::new(),
                        (false, false, Some(default)) => format!(" = {default}"),
                        (false, false, None) => "?".to_owned(),
                    };
                    let label =
                        if input.label == input.key { String::new() } else { format!(" ({})", input.label) };
                    format!("`{}`{label} {}{mark}", input.key, input.of)
                })
                .collect();
            inputs.extend(card.author_inputs.then(|| "the author’s".to_owned()));
            let mut outputs: Vec<String> = card
                .outputs
                .iter()
                .map(|output| {
                    format!("`{}` {}{}", output.key, output.of, if output.typed_by_author { "†" } else { "" })
                })
                .collect();
            outputs.extend(card.author_outputs.then(|| "the author’s".to_owned()));
            outputs.extend(card.mirrored.then(|| "its inputs".to_owned()));
            let aliases: String = card.aliases.iter().map(|id| format!(", `{id}`")).collect();
            let run = if card.runs == Runs::Flow { " *" } else { "" };
            writeln!(
                out,
                "| `{}`{aliases} | {}{run} | {} | {} | {} |",
                card.id,
                card.label,
                inputs.join("; "),
                outputs.join("; "),
                card.about
            )
            .expect("it can be written");
        }
    }
    out
}

#[test]
fn the_manual_lists_every_card() {
    let manual_text = include_str!("../../../../docs/flow-cards.md");
    let listed = manual_text.split("<!-- cards -->").nth(1).unwrap_or_default();
    let table = manual();
    assert!(
        listed.trim() == table.trim(),
        "docs/flow-cards.md lists other cards; the table now is:\n{table}"
    );
}
