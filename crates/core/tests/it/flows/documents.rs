//! Documents: the schema and the reader agree; what a scaffold makes is sound; every fault is named at once.

use serde_json::{Value as Json, json};
use turnstone_core::flow::check::check;
use turnstone_core::flow::document::{Document, scaffold};

use super::{path, sound, yaml_file};

/// The committed schema.
fn schema() -> impl Fn(&Json) -> Result<(), String> {
    let text = std::fs::read_to_string(path("docs/schema/monitor.schema.json")).unwrap();
    let schema: Json = serde_json::from_str(&text).unwrap();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("monitor.schema.json", schema).unwrap();
    let index = compiler.compile("monitor.schema.json", &mut schemas).unwrap();
    move |document| schemas.validate(document, index).map_err(|error| error.to_string())
}

/// The reader and the schema say the same.
#[track_caller]
fn agree(validate: &impl Fn(&Json) -> Result<(), String>, document: &Json, expect: bool) {
    let read = Document::read(document);
    let by_schema = validate(document);
    assert_eq!(read.is_ok(), expect, "the reader: {:#?}\n{document:#}", read.err());
    assert_eq!(by_schema.is_ok(), expect, "the schema: {:#?}\n{document:#}", by_schema.err());
}

fn set(document: &mut Json, pointer: &str, value: Json) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
        Json::Object(members) => {
            members.insert(name.to_string(), value);
        }
        Json::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{parent} holds nothing"),
    }
}

#[test]
fn the_examples_agree_with_the_schema_and_are_sound() {
    let validate = schema();
    let mut count = 0;
    for entry in std::fs::read_dir(path("examples/monitors")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let document = yaml_file(&format!("examples/monitors/{name}"));
        agree(&validate, &document, true);
        let document = Document::read(&document).unwrap();
        let checked = check(&document);
        assert!(checked.faults.is_empty() && checked.warnings.is_empty(), "{name}: {checked:#?}");
        count += 1;
    }
    assert!(count > 0);
    for file in ["new-users", "control", "loops"] {
        for case in yaml_file(&format!("crates/core/tests/flows/{file}.yaml")).as_array().unwrap() {
            if case["document"].is_object() {
                agree(&validate, &case["document"], true);
            }
        }
    }
}

/// A document with a bit of everything.
fn full() -> Json {
    json!({
        "name": "n", "description": "d", "connector": "crm", "cursor": "date", "cursorOverlap": "1h30m",
        "minimumInterval": 300,
        "options": [
            {"label": "Group", "type": "dropdown", "values": ["a", {"display": "B", "value": "b"}]},
            {"label": "Other", "type": "dropdown", "required": false, "values": {"flow": "choices"}},
            {"label": "Plain"},
        ],
        "outputs": {"Main group": {"the id": "text", "tags": "list of text"}},
        "record": {"group": "Main group", "id": "the id", "eventType": "CREATED"},
        "cards": [
            {"id": "a", "card": "control.spawn", "note": "x", "flow": "f", "inputs": {"p": {"from": "monitor.cursor"}},
             "outputs": {"q": "text"}, "timeout": "10s",
             "onError": {"retry": 3, "after": 5, "then": {"return": {"q": {"literal": {"from": 1}}}}}},
            {"card": "control.tryCatch", "try": [], "ifError": [{"card": "control.comment"}]},
            {"card": "control.if", "then": [], "else": []},
            {"card": "control.branch", "branches": [{"inputs": {"a": [1, {"from": "a.q.0.x"}]}, "then": []}]},
            {"card": "list.map", "flow": "f", "values": {"p": {"from": "item"}},
             "onError": {"then": {"flow": "f", "values": {"p": 1}}}},
        ],
        "flows": {"f": {"description": "d", "inputs": {"p": "any"}, "outputs": {"q": "object"}, "cards": []}},
    })
}

#[test]
fn the_schema_and_the_reader_accept_and_refuse_the_same() {
    let validate = schema();
    agree(&validate, &full(), true);
    let fine: &[(&str, Json)] = &[
        ("/cursor", json!("list of any")),
        ("/cursorOverlap", json!(0)),
        ("/cursorOverlap", json!(5.0)),
        ("/cursorOverlap", json!(" 2 Days 1h")),
        ("/cards", json!([])),
        ("/cards/0/onError", json!({})),
        ("/cards/0/onError/then", json!("halt")),
        ("/cards/0/inputs/p", json!(null)),
        ("/cards/0/inputs/p", json!({"literal": null})),
        ("/cards/0/inputs/p", json!({"a": {"from": "x.y"}, "b": [{"literal": {"from": 5}}]})),
        ("/options/0/values", json!([""])),
        ("/options", json!([])),
        ("/flows", json!({})),
        ("/flows/httpHelper", json!({"cards": []})),
        ("/outputs/Größe", json!({"ß": "file"})),
    ];
    let wrong: &[(&str, Json)] = &[
        ("/name", json!("")),
        ("/name", json!("  ")),
        ("/name", json!(5)),
        ("/name", json!(null)),
        ("/description", json!(null)),
        ("/cursor", json!("Date")),
        ("/cursor", json!("texts")),
        ("/cursor", json!(["text"])),
        ("/cursorOverlap", json!(-1)),
        ("/cursorOverlap", json!(1.5)),
        ("/cursorOverlap", json!("soon")),
        ("/cursorOverlap", json!("5")),
        ("/cursorOverlap", json!("")),
        ("/minimumInterval", json!(true)),
        ("/colour", json!("blue")),
        ("/outputs", json!({})),
        ("/outputs", json!([])),
        ("/outputs/G", json!({})),
        ("/outputs/G", json!({"f": "strings"})),
        ("/outputs/G", json!({"a.b": "text"})),
        ("/outputs/ G", json!({"a": "text"})),
        ("/outputs/G", json!({"a ": "text"})),
        ("/record", json!({})),
        ("/record", json!({"group": "G", "key": "x"})),
        ("/record/id", json!("")),
        ("/options/0/label", json!("a.b")),
        ("/options/0/type", json!("number")),
        ("/options/0/required", json!("yes")),
        ("/options/0/values", json!([])),
        ("/options/0/values", json!([5])),
        ("/options/0/values", json!([{"display": "x"}])),
        ("/options/1/values", json!({"flow": "a b"})),
        ("/options/2", json!({"label": "x", "values": ["a"]})),
        ("/options/2", json!({"label": "x", "type": "dropdown"})),
        ("/options/2", json!({"type": "text"})),
        ("/cards", json!({})),
        ("/cards/0", json!("object.get")),
        ("/cards/0", json!({"id": "x"})),
        ("/cards/0/id", json!("a b")),
        ("/cards/0/id", json!("1a")),
        ("/cards/0/id", json!("a.b")),
        ("/cards/0/card", json!("")),
        ("/cards/0/inputs", json!([])),
        ("/cards/0/inputs/p", json!({"from": ""})),
        ("/cards/0/inputs/p", json!({"from": "a..b"})),
        ("/cards/0/inputs/p", json!({"from": 5})),
        ("/cards/0/inputs/p", json!({"from": "a.b", "path": "c"})),
        ("/cards/0/inputs/p", json!({"literal": 1, "other": 2})),
        ("/cards/0/inputs/p", json!({"deep": [{"from": []}]})),
        ("/cards/0/inputs/a.b", json!(1)),
        ("/cards/0/outputs/q", json!("strin")),
        ("/cards/0/flow", json!("a b")),
        ("/cards/0/timeout", json!(0)),
        ("/cards/0/timeout", json!("0s")),
        ("/cards/0/onError/retry", json!(11)),
        ("/cards/0/onError/retry", json!("3")),
        ("/cards/0/onError/after", json!(null)),
        ("/cards/0/onError/then", json!("stop")),
        ("/cards/0/onError/then", json!({})),
        ("/cards/0/onError/then", json!({"return": {}, "flow": "f"})),
        ("/cards/0/onError/then", json!({"return": {}, "values": {}})),
        ("/cards/0/onEror", json!({})),
        ("/cards/1/try", json!({})),
        ("/cards/1/ifError/0", json!({})),
        ("/cards/3/branches", json!({})),
        ("/cards/3/branches/0", json!({"inputs": {}})),
        ("/cards/3/branches/0", json!({"then": [], "cards": []})),
        ("/flows/f", json!({})),
        ("/flows/f", json!({"cards": [], "name": "f"})),
        ("/flows/a b", json!({"cards": []})),
    ];
    for (expect, cases) in [(true, fine), (false, wrong)] {
        for (pointer, value) in cases {
            let mut document = full();
            set(&mut document, pointer, value.clone());
            agree(&validate, &document, expect);
        }
    }
    for missing in ["name", "cursor", "outputs", "cards"] {
        let mut document = full();
        document.as_object_mut().unwrap().shift_remove(missing);
        agree(&validate, &document, false);
    }
    for other in [json!([]), json!("x"), json!(null)] {
        agree(&validate, &other, false);
    }
}

#[test]
fn a_scaffold_is_sound_and_agrees_with_the_schema() {
    let validate = schema();
    for name in ["New customers", " "] {
        let document = scaffold(name);
        agree(&validate, &document, true);
        sound(&document);
        let cards = document["cards"].as_array().unwrap();
        let names: Vec<&str> = cards.iter().map(|card| card["card"].as_str().unwrap()).collect();
        assert_eq!(names, ["date.now", "control.cursor", "control.returnOutputs"]);
    }
}

/// Every fault of a document, in any order.
#[test]
fn every_fault_is_named_with_card_input_and_remedy() {
    let cases = yaml_file("crates/core/tests/flows/faults.yaml");
    let (mut count, mut wrong) = (0, Vec::new());
    for case in cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut document = json!({
            "name": "t", "cursor": "date", "outputs": {"G": {"id": "text", "at": "date", "n": "number", "o": "object"}},
            "record": {"group": "G", "id": "id", "updated": "at"},
            "cards": [
                {"id": "now", "card": "date.now"},
                {"card": "control.cursor", "inputs": {"Properties": {"from": "now.date"}}},
                {"card": "control.returnOutputs", "inputs": {"List": []}},
            ],
        });
        for (member, value) in case["document"].as_object().unwrap() {
            if value.is_null() {
                document.as_object_mut().unwrap().shift_remove(member);
            } else {
                document[member] = value.clone();
            }
        }
        let found = match Document::read(&document) {
            Ok(document) => {
                let checked = check(&document);
                assert_eq!(checked.flow.is_some(), checked.faults.is_empty());
                (checked.faults, checked.warnings)
            }
            Err(faults) => (faults, Vec::new()),
        };
        for (kind, found) in [("faults", found.0), ("warnings", found.1)] {
            let mut found: Vec<String> = found.iter().map(ToString::to_string).collect();
            let wanted = case[kind].as_array().into_iter().flatten();
            let mut wanted: Vec<String> = wanted.map(|fault| fault.as_str().unwrap().to_string()).collect();
            found.sort();
            wanted.sort();
            if found != wanted {
                wrong.push(format!("{name}: {kind}\nfound {found:#?}\nwanted {wanted:#?}"));
            }
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= 38, "{count}");
}

#[test]
fn what_a_user_chose_is_checked() {
    let flow = sound(&json!({
        "name": "t", "cursor": "date", "outputs": {"G": {"f": "text"}}, "cards": [{"card": "control.returnOutputs"}],
        "options": [
            {"label": "Group", "type": "dropdown", "values": ["all", {"display": "Own staff", "value": "staff"}]},
            {"label": "Team", "required": false},
        ],
    }));
    let faults = |values: &[(&str, &str)]| -> Vec<String> {
        let values: Vec<(String, String)> =
            values.iter().map(|(label, value)| ((*label).to_string(), (*value).to_string())).collect();
        flow.check_options(&values).iter().map(ToString::to_string).collect()
    };
    assert!(faults(&[("Group", "staff")]).is_empty());
    assert!(faults(&[("Group", "all"), ("Team", "x")]).is_empty());
    assert_eq!(faults(&[("Group", " ")]), ["options.Group: the option `Group` is required; give it a value"]);
    assert_eq!(
        faults(&[("Group", "Own staff"), ("Teem", "x")]),
        [
            "options.Group: `Own staff` is not one of its values; choose one of all, staff",
            "options.Teem: there is no option `Teem`; did you mean `Team`?",
        ]
    );
}
