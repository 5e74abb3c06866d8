//! A file made from the documented structure of exports (catalogue §13), and what becomes of it.

use serde_json::{Value as Json, json};

use super::super::check::check;
use super::super::document::Document;
use super::{Imported, import};

fn field(key: &str, group: &str, of: &str, data: Json) -> Json {
    json!({"key": key, "group": group, "required": false, "value": {"type": of, "collection": false,
        "data": data, "available": []}})
}

fn list_field(key: &str, group: &str, of: &str) -> Json {
    json!({"key": key, "group": group, "value": {"type": of, "collection": true, "data": null}})
}

/// A method; `pins` are `(output field, target, input field)`.
fn method(
    uuid: &str,
    address: &str,
    name: &str,
    inputs: Json,
    outputs: Json,
    pins: &[(&str, &str, &str)],
) -> Json {
    let mut wires = json!({});
    for (output, target, input) in pins {
        if wires[output][target].is_null() {
            wires[output][target] = json!([]);
        }
        wires[output][target].as_array_mut().unwrap().push(json!({"input": input, "transform": null}));
    }
    json!({
        "uuid": uuid, "address": address, "pins": wires,
        "node": {"key": address.rsplit(':').next(), "data": {"name": name}, "model": {
            "inputs": {"extensible": true, "data": inputs}, "outputs": {"extensible": true,
                "data": outputs},
            "policy": {"error": {"type": "finish", "retry": 0}}, "timeout": 90_000,
        }},
    })
}

fn kernel(channel: &str, key: &str) -> String {
    format!("root:kernel:{channel}:0.0.1:{key}")
}

fn flow(id: &str, name: &str, methods: Vec<Json>) -> Json {
    let order: Vec<&str> = methods.iter().map(|method| method["uuid"].as_str().unwrap()).collect();
    let edges: serde_json::Map<String, Json> =
        order.windows(2).enumerate().map(|(at, pair)| (format!("e{at}"), json!(pair))).collect();
    // Written in another order than they run in: the edges decide.
    let written: Vec<&Json> = methods.iter().rev().collect();
    json!({"id": id, "name": name, "description": "", "data": {"uuid": id, "methods": written,
        "orderings": edges}})
}

fn export(flows: Vec<Json>) -> Json {
    let flos: serde_json::Map<String, Json> =
        flows.into_iter().map(|flow| (flow["id"].as_str().unwrap().to_string(), flow)).collect();
    json!({"type": "flopack", "version": "1.5.0", "data": {"flos": flos, "configs": {}, "tables": {},
        "groups": {}}})
}

/// A helper that is called per item, with a policy and an embedded Try.
fn helper() -> Json {
    let inner = json!({"uuid": "inner", "methods": [
        method("i1", &kernel("control", "callable"), "Try", json!({}), json!({"p": field("user", "",
            "object", Json::Null)}),
            &[("p", "i2", "o")]),
        method("i2", &kernel("object", "get"), "Get", json!({"o": field("object", "", "object",
            Json::Null), "q": field("path", "", "string", json!("name"))}),
            json!({"r": field("output", "", "string", Json::Null)}), &[("r", "i3", "n")]),
        method("i3", &kernel("control", "return"), "Return", json!({"n": field("name", "", "string",
            Json::Null)}), json!({}), &[]),
    ], "orderings": {"a": ["i1", "i2"], "b": ["i2", "i3"]}});
    let caught = json!({"uuid": "caught", "methods": [
        method("c1", &kernel("control", "callable"), "If Error", json!({}), json!({"m": field("message",
            "", "string", Json::Null)}),
            &[("m", "c2", "n")]),
        method("c2", &kernel("control", "return"), "Return", json!({"n": field("name", "", "string",
            Json::Null)}), json!({}), &[]),
    ], "orderings": {"a": ["c1", "c2"]}});
    let mut guarded = method(
        "h2",
        &kernel("control", "tryCatch"),
        "If Error",
        json!({"t": field("try", "", "flo", inner), "c": field("catch", "", "flo", caught),
            "u": field("user", "inputs", "object", Json::Null)}),
        json!({"x": field("name", "", "string", Json::Null)}),
        &[("x", "h3", "n")],
    );
    guarded["node"]["model"]["policy"]["error"] = json!({"type": "return", "retry": 2, "delay": [60_000,
        180_000], "retryCondition": "ratelimits", "values": {"name": "nobody"}});
    flow(
        "helper",
        "Shape a user",
        vec![
            method(
                "h1",
                &kernel("control", "callable"),
                "Helper Flow",
                json!({}),
                json!({"p": field("user", "", "object", Json::Null), "c": field("index", "context",
                    "number", Json::Null)}),
                &[("p", "h2", "u")],
            ),
            guarded,
            method(
                "h3",
                &kernel("control", "return"),
                "Return",
                json!({"n": field("name", "", "string", Json::Null)}),
                json!({}),
                &[],
            ),
        ],
    )
}

fn branching() -> Json {
    let mut branch = method(
        "m3",
        &kernel("control", "if"),
        "If/Else",
        json!({"a": field("left-operand", "", "string", Json::Null), "o": field("operator", "",
            "string", json!("==")), "b": field("right-operand", "", "string", json!("x"))}),
        json!({}),
        &[],
    );
    branch["branches"] = json!({"yes": true, "no": false});
    branch
}

fn main_flow() -> Json {
    let mut proxied = field("user", "", "object", Json::Null);
    proxied["value"]["proxy"] = json!({"dynamic": true, "path": "", "dest": {"key": "user", "group": ""}});
    let mut flow = flow(
        "main",
        "New users",
        vec![
            method("m1", &kernel("control", "scheduled"), "Scheduled Flow", json!({}), json!({}), &[]),
            method(
                "m2",
                "root:channels:http:httpfunctions:1.0.0:get",
                "List users",
                json!({"u": field("url", "", "string", json!("https://api.example.com/users"))}),
                json!({"s": field("statusCode", "", "number", Json::Null), "b": field("body", "", "object",
                    Json::Null)}),
                &[("b", "m5", "l"), ("s", "m3", "a")],
            ),
            branching(),
            method(
                "m5",
                &kernel("list", "map"),
                "Map",
                json!({"l": list_field("list", "", "object"), "f": field("flo", "", "flo",
                    json!("helper")), "u": proxied, "k": field("concurrency", "", "number", json!(4))}),
                json!({"n": list_field("new list", "", "string")}),
                &[("n", "m6", "x")],
            ),
            method(
                "m6",
                "root:channels:crm:bigcrm:2.0.0:createContact",
                "Create contact",
                json!({"x": field("names", "", "string", Json::Null)}),
                json!({"id": field("id", "", "string", Json::Null)}),
                &[],
            ),
        ],
    );
    let inside = [
        ("yes", kernel("control", "noop"), json!({}), json!({}), vec![]),
        (
            "y1",
            kernel("control", "let"),
            json!({"v": field("word", "", "string", json!("was x"))}),
            json!({"w": field("word", "", "string", Json::Null)}),
            vec![("w", "join", "t")],
        ),
        ("no", kernel("control", "noop"), json!({}), json!({}), vec![]),
        (
            "join",
            kernel("control", "join"),
            json!({"t": field("word", "true", "string", Json::Null), "f": field("word", "false", "string",
                json!("other"))}),
            json!({"o": field("word", "", "string", Json::Null)}),
            vec![],
        ),
    ];
    for (uuid, address, inputs, outputs, pins) in inside {
        let name = address.rsplit(':').next().unwrap().to_string();
        let made = method(uuid, &address, &name, inputs, outputs, &pins);
        flow["data"]["methods"].as_array_mut().unwrap().push(made);
    }
    flow["data"]["orderings"] = json!({
        "a": ["m1", "m2"], "b": ["m2", "m3"], "c": ["m3", "yes"], "d": ["m3", "no"], "e": ["yes", "y1"],
        "f": ["y1", "join"], "g": ["no", "join"], "h": ["join", "m5"], "i": ["m5", "m6"],
    });
    flow
}

#[test]
fn known_cards_are_converted_and_unknown_ones_listed() {
    let Imported { document, unknown, notes } = import(&export(vec![main_flow(), helper()]), None).unwrap();
    assert_eq!(unknown, ["flow `New-users`: Create contact (`bigcrm.createContact`)"]);
    assert_eq!(notes.len(), 2, "{notes:#?}");
    let expect = json!([
        {"id": "List-users", "card": "http.get", "note": "List users",
            "inputs": {"url": "https://api.example.com/users"}, "outputs": {"body": "object"},
            "timeout": 90},
        {"id": "If-Else", "card": "control.if", "note": "If/Else", "timeout": 90,
         "inputs": {"left-operand": {"from": "List-users.statusCode"}, "operator": "==",
             "right-operand": "x"},
         "then": [
            {"id": "let", "card": "control.let", "note": "let", "inputs": {"word": "was x"}, "timeout": 90},
            {"card": "control.return", "inputs": {"word": {"from": "let.word"}}},
         ],
         "outputs": {"word": "text"},
         "else": [{"card": "control.return", "inputs": {"word": "other"}}]},
        {"id": "Map", "card": "list.map", "note": "Map", "flow": "Shape-a-user", "timeout": 90,
         "inputs": {"list": {"from": "List-users.body"}, "concurrency": 4},
             "values": {"user": {"from": "item"}},
         "outputs": {"new list": "list of text"}},
        {"id": "Create-contact", "card": "bigcrm.createContact", "note": "Create contact",
         "inputs": {"names": {"from": "Map.new list"}}, "outputs": {"id": "text"}, "timeout": 90},
    ]);
    assert_eq!(document["cards"], expect, "{:#}", document["cards"]);
    let expect = json!({
        "inputs": {"user": "object"}, "outputs": {"name": "text"},
        "cards": [
            {"id": "If-Error", "card": "control.tryCatch", "note": "If Error", "timeout": 90,
             "try": [
                {"id": "Get", "card": "object.get", "note": "Get", "timeout": 90,
                 "inputs": {"object": {"from": "inputs.user"}, "path": "name"},
                     "outputs": {"output": "text"}},
                {"id": "Return-2", "card": "control.return", "note": "Return",
                    "inputs": {"name": {"from": "Get.output"}}, "timeout": 90},
             ],
             "ifError": [
                {"id": "Return-3", "card": "control.return", "note": "Return",
                    "inputs": {"name": {"from": "error.message"}}, "timeout": 90},
             ],
             "outputs": {"name": "text"},
             "onError": {"retry": 2, "after": 180, "then": {"return": {"name": "nobody"}}}},
            {"id": "Return", "card": "control.return", "note": "Return",
                "inputs": {"name": {"from": "If-Error.name"}}, "timeout": 90},
        ],
    });
    assert_eq!(document["flows"]["Shape-a-user"], expect, "{:#}", document["flows"]);
}

#[test]
fn what_was_imported_is_a_document_whose_faults_are_what_is_left_to_do() {
    let imported = import(&export(vec![main_flow(), helper()]), None).unwrap();
    let document = Document::read(&imported.document).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let faults: Vec<String> = check(&document).faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.contains("there is no card `bigcrm.createContact`")));
    assert!(faults.iter().any(|fault| fault.contains("there is no Return Outputs card")));
}

#[test]
fn which_flow_is_meant_is_said_or_asked_for() {
    let two = export(vec![main_flow(), flow("other", "Other", Vec::new()), helper()]);
    let error = import(&two, None).unwrap_err();
    assert!(error.starts_with("the export does not say which flow is the monitor; name one of "), "{error}");
    assert_eq!(import(&two, Some("Other")).unwrap().document["name"], "Other");
    assert_eq!(import(&two, Some("main")).unwrap().document["name"], "New users");
    assert!(import(&two, Some("none")).unwrap_err().contains("the export has no flow `none`"));
    let monitor = method(
        "p",
        &kernel("control", "pollingMonitor"),
        "Polling Monitor",
        json!({}),
        json!({"c": field("Cursor", "", "Date", Json::Null)}),
        &[],
    );
    let told = export(vec![main_flow(), flow("poll", "Poll", vec![monitor]), helper()]);
    let document = import(&told, None).unwrap().document;
    assert_eq!((&document["name"], &document["cursor"]), (&json!("Poll"), &json!("date")));
}

#[test]
fn damaged_exports_are_refused_or_survived() {
    for (broken, words) in [
        (json!({}), "it is not an export"),
        (json!({"type": "flopack"}), "it is not an export"),
        (json!({"type": "flopack", "data": {"flos": {}}}), "the export holds no flow"),
    ] {
        assert!(import(&broken, None).unwrap_err().contains(words));
    }
    let odd = json!({"type": "flopack", "data": {"flos": {"a": {"name": 5, "data": {"methods": [
        {"uuid": "x", "address": 7, "pins": [], "node": {"model": {"inputs": {"data": {"f": {"key": "a.b",
            "value": {"data": {"from": "x"}}}}}}}},
        {"uuid": "y", "address": "root:kernel:control:0.0.1:if", "branches": {"y": true}},
        7, {},
    ], "orderings": {"a": ["x", "y"], "b": ["y", "x"], "c": 5}}}}}});
    let imported = import(&odd, None).unwrap();
    Document::read(&imported.document)
        .unwrap_or_else(|faults| panic!("{faults:#?}\n{:#}", imported.document));
}
