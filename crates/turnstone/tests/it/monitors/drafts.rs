//! Drafts and versions.

use serde_json::{Value, json};

use super::{World, monitor, places};

#[test]
fn a_monitor_begins_with_its_two_cards_and_is_deployed_as_it_stands() {
    let world = World::start();
    let made = world.ask("POST", "/monitors", &json!({"name": "Watch <b>it</b>"})).expect(200);
    assert_eq!((&made["name"], &made["draft"]["name"]), (&json!("Watch it"), &json!("Watch it")));
    assert_eq!(
        (&made["revision"], &made["version"], &made["changed"]),
        (&json!(1), &Value::Null, &json!(true))
    );
    let cards = made["draft"]["cards"].to_string();
    assert!(cards.contains("control.cursor") && cards.contains("control.returnOutputs"), "{cards}");
    let path = format!("/monitors/{}", made["id"]);
    for _ in 0..2 {
        let deployed = world.ask("POST", &format!("{path}/deploy"), &Value::Null).expect(200);
        assert_eq!(deployed, json!({"version": 1}), "a draft that is deployed gets no second number");
    }
    assert_eq!(world.get(&path)["changed"], json!(false));
    let again = world.ask("POST", "/monitors", &json!({"name": "Watch it"})).expect(409);
    assert!(again["message"].as_str().unwrap().contains("another name"), "{again}");
}

#[test]
fn a_draft_with_faults_is_refused_with_all_of_them_and_the_old_one_stays() {
    let world = World::start();
    let made = world.ask("POST", "/monitors", &json!({"document": monitor()})).expect(200);
    let path = format!("/monitors/{}", made["id"]);
    let mut faulty = monitor();
    faulty["cards"][0]["inputs"]["relative_ulr"] = json!("/x");
    faulty["cards"][2]["card"] = json!("control.cursr");
    faulty["record"]["id"] = json!("Nothing");
    for (method, path) in [("PUT", path.as_str()), ("POST", "/monitors")] {
        let error = world.ask(method, path, &json!({"document": faulty})).expect(400);
        let places = places(&error);
        for place in ["cards.call.inputs.relative_ulr", "cards[2].card", "record.id"] {
            assert!(places.iter().any(|path| path == place), "{place} is not among {places:?}");
        }
    }
    let kept = world.get(&path);
    assert_eq!((&kept["revision"], &kept["draft"]), (&json!(1), &monitor()));
    for (body, status) in [
        (json!({"document": 7}), 400),
        (json!({"document": "name: [unclosed"}), 400),
        (json!({"document": "  "}), 400),
        (json!({"document": {}}), 400),
        (json!({}), 400),
        (json!({"name": "x", "documents": {}}), 400),
        (json!({"name": "n".repeat(1000)}), 400),
        (json!([]), 400),
    ] {
        let error = world.ask("POST", "/monitors", &body).expect(status);
        assert!(!error["message"].as_str().unwrap().is_empty(), "{error}");
    }
}

#[test]
fn versions_never_change_and_a_stale_draft_is_not_saved_over_a_newer_one() {
    let world = World::start();
    let id = world.deployed(&monitor());
    let path = format!("/monitors/{id}");
    let mut next = monitor();
    next["description"] = json!("the second one");
    let yaml = format!("# JSON is YAML\n{next}");
    let saved = world.ask("PUT", &path, &json!({"document": yaml, "revision": 1})).expect(200);
    assert_eq!((&saved["revision"], &saved["draft"], &saved["changed"]), (&json!(2), &next, &json!(true)));
    let stale = world.ask("PUT", &path, &json!({"document": monitor(), "revision": 1})).expect(409);
    assert!(stale["message"].as_str().unwrap().contains("revision 2"), "{stale}");
    world.ask("POST", &format!("{path}/deploy"), &json!({"revision": 1})).expect(409);
    assert_eq!(world.ask("POST", &format!("{path}/deploy"), &Value::Null).expect(200)["version"], 2);
    let versions = world.get(&format!("{path}/versions"));
    let numbers: Vec<&Value> = versions.as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
    assert_eq!(world.get(&format!("{path}/versions/1"))["document"], monitor());
    assert_eq!(world.get(&format!("{path}/versions/2"))["document"], next);
    for nothing in ["3", "0", "-1", "x", "99999999999999999999"] {
        world.ask("GET", &format!("{path}/versions/{nothing}"), &Value::Null).expect(404);
    }
    world.subscribe(&json!({"monitorId": id, "options": {"Group": "all"}})).expect(200);
    let used = world.ask("DELETE", &path, &Value::Null).expect(409);
    assert!(used["message"].as_str().unwrap().contains("subscription"), "{used}");
}

#[test]
fn a_document_is_judged_and_an_export_converted_without_keeping_either() {
    let world = World::start();
    let known = world.ask("POST", "/monitors/check", &json!({"document": monitor()})).expect(200);
    assert_eq!((&known["faults"], &known["cursor"]), (&json!([]), &json!("object")));
    assert_eq!(known["outputs"], json!({"User": {"ID": "text", "Name": "text"}}));
    assert_eq!((&known["minimumIntervalMinutes"], &known["hasAuthping"]), (&json!(5.0), &json!(true)));
    assert_eq!(known["options"][0]["values"][1], json!({"display": "staff", "value": "staff"}));
    let faulty = world.ask("POST", "/monitors/check", &json!({"document": {"name": "x"}})).expect(200);
    assert!(faulty["faults"].as_array().unwrap().len() >= 3, "{faulty}");
    let export = json!({"type": "flopack", "data": {"flos": {}}});
    let empty = world.ask("POST", "/monitors/import", &export).expect(400);
    assert!(empty["message"].as_str().unwrap().contains("no flow"), "{empty}");
    world.ask("POST", "/monitors/import", &json!({"a": 1})).expect(400);
    assert_eq!(world.get("/monitors"), json!([]));
}
