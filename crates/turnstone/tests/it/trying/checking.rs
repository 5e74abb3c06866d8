//! Documents that are judged and not kept.

use serde_json::{Value, json};

use crate::calls::world::small_element;
use crate::instances::world::{World, own_settings};

fn problems(found: &Value) -> Vec<String> {
    found.as_array().unwrap().iter().map(|fault| format!("{}: {}", fault["path"], fault["problem"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_gets_the_words_of_the_check() {
    let world = World::new();
    let check = |path: &str, body: &Value| world.ask("POST", path, Some(body));
    let mut document = own_settings("http://127.0.0.1:9");
    let told = check("/instances/check", &document).expect(200);
    assert_eq!((&told["sound"], &told["faults"]), (&json!(true), &json!([])), "{told}");
    assert!(problems(&told["warnings"]).iter().any(|problem| problem.contains("pagination")), "{told}");

    document["configuration"]["event.poller.configuration"]["things"]["idField"] = json!("");
    document["configuration"]["http.headers"] = json!({"X": "********"});
    let told = check("/instances/check", &document).expect(200);
    let stored = world.ask("POST", "/instances", Some(&document)).expect(400);
    assert_eq!((&told["sound"], &told["faults"]), (&json!(false), &stored["faults"]));
    assert!(!told["faults"].as_array().unwrap().is_empty());

    // What is hidden is there, where the document replaces that of an instance.
    let mut kept = own_settings("http://127.0.0.1:9");
    kept["configuration"]["http.headers"] = json!({"X": "canary"});
    kept["configuration"]["event.notification.enabled"] = json!(false);
    let made = world.make(&kept);
    let shown = world.get(&format!("/instances/{}", made["id"]));
    assert_eq!(check("/instances/check", &shown).expect(200)["sound"], false);
    let of_it = format!("/instances/check?instanceId={}", made["id"]);
    assert_eq!(check(&of_it, &shown).expect(200)["sound"], true);
    check("/instances/check?instanceId=999999", &shown).expect(404);
    check("/instances/check?instanceId=x", &shown).expect(400);
    for odd in [json!([]), json!(1), json!("x"), json!(null)] {
        assert_eq!(check("/instances/check", &odd).expect(200)["sound"], false, "{odd}");
    }
    assert_eq!(world.get("/instances").as_array().unwrap().len(), 1, "nothing else is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_gets_the_words_of_the_check() {
    let world = World::new();
    let check = |body: &Value| world.ask("POST", "/elements/check", Some(body)).expect(200);
    let mut element: Value = serde_json::from_str(&small_element(json!({}))).unwrap();
    assert_eq!(check(&element)["sound"], true);
    element["hooks"] =
        json!([{"type": "preRequest", "mimeType": "application/javascript", "body": "done({"}]);
    let told = check(&element);
    assert_eq!(told["sound"], true, "{told}");
    assert!(problems(&told["warnings"]).iter().any(|problem| problem.contains("does not compile")), "{told}");
    element["resources"] = json!({"none": 1});
    let told = check(&element);
    let stored = world.ask("POST", "/elements", Some(&element)).expect(400);
    assert_eq!((&told["sound"], &told["faults"]), (&json!(false), &stored["faults"]), "{told}");
    assert_eq!(world.get("/elements"), json!([]), "nothing is kept");
    world.ask("POST", "/elements/check", Some(&json!([]))).expect(400);
}
