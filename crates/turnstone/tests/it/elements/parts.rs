//! Parts of a connector, each with its five verbs.

use serde_json::{Value, json};

use super::world::{REVEL, World};

/// Creates, lists, reads, replaces and removes a part; `changed` is what it becomes.
#[track_caller]
fn goes_around(world: &World, list: &str, part: &Value, changed: &Value) {
    let before = world.get(list).expect(200);
    let made = world.send("POST", list, part).expect(200);
    let id = made["id"].as_i64().unwrap_or_else(|| panic!("{made}"));
    let has = |shown: &Value, part: &Value| {
        for (name, value) in part.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{shown}");
        }
    };
    has(&made, part);
    let one = format!("{list}/{id}");
    assert_eq!(world.get(&one).expect(200), made);
    let all = world.get(list).expect(200);
    assert_eq!(all.as_array().unwrap().last(), Some(&made));
    assert_eq!(all.as_array().unwrap().len(), before.as_array().unwrap().len() + 1);
    let put = world.send("PUT", &one, changed).expect(200);
    has(&put, changed);
    assert_eq!((&put["id"], &world.get(&one).expect(200)), (&json!(id), &put));
    // What was read may be sent back.
    assert_eq!(world.send("PUT", &one, &put).expect(200), put);
    assert_eq!(world.delete(&one).expect(200), json!({}));
    for method in ["GET", "DELETE"] {
        assert_eq!(world.server.ask(&world.token, method, &one, None).status, 404, "{method} {one}");
    }
    world.send("PUT", &one, changed).expect(404);
    assert_eq!(world.get(list).expect(200), before);
}

#[test]
fn every_part_is_made_read_changed_and_removed() {
    let world = World::new();
    let element = world.import(REVEL);
    let export = || world.get("/elements/revel/export").body;
    let before = export();
    let parameter = json!({"name": "param", "type": "query", "vendorName": "theParam", "vendorType": "query",
        "dataType": "string", "sampleData": null, "x": 1.5});
    let changed = json!({"name": "param", "type": "header", "vendorName": "X-Param", "vendorType": "header"});
    let hook =
        json!({"mimeType": "application/javascript", "type": "preRequest", "body": "done({\"a\": 1});"});
    let hook_changed =
        json!({"type": "postRequest", "body": "done();", "isLegacy": false, "description": "changed"});
    let resource = json!({"path": "/hubs/employee/churros", "method": "GET", "vendorPath": "/getChurros",
        "vendorMethod": "GET", "description": "A resource", "response": null, "hooks": [], "parameters": []});
    let resource_changed =
        json!({"path": "/hubs/employee/churros/{id}", "method": "PATCH", "hooks": [], "parameters": []});
    for name in ["revel".to_owned(), element["id"].to_string()] {
        let base = format!("/elements/{name}");
        goes_around(&world, &format!("{base}/parameters"), &parameter, &changed);
        goes_around(&world, &format!("{base}/hooks"), &hook, &hook_changed);
        goes_around(&world, &format!("{base}/resources"), &resource, &resource_changed);
        let first = format!("{base}/resources/{}", element["resources"][0]["id"]);
        goes_around(&world, &format!("{first}/parameters"), &parameter, &changed);
        goes_around(&world, &format!("{first}/hooks"), &hook, &hook_changed);
    }
    let (left, right): (Value, Value) =
        (serde_json::from_str(&export()).unwrap(), serde_json::from_str(&before).unwrap());
    assert_eq!(left, right, "all of it is gone again");

    let second =
        element["resources"].as_array().unwrap().iter().find(|resource| resource.get("model").is_none());
    let id = second.map_or_else(|| element["resources"][0]["id"].clone(), |resource| resource["id"].clone());
    let models = format!("/elements/revel/resources/{id}/models");
    let model = json!({"name": "model", "swagger": {}});
    assert_eq!(world.send("POST", &models, &model).expect(200), model);
    assert_eq!(world.get(&models).expect(200), model);
    let renamed = json!({"name": "updated", "swagger": {}, "requestName": "body"});
    assert_eq!(world.send("PUT", &models, &renamed).expect(200), renamed);
    assert_eq!(world.get(&format!("/elements/revel/resources/{id}")).expect(200)["model"], renamed);
    world.delete(&models).expect(200);
    world.get(&models).expect(404);
    world.delete(&models).expect(404);
    world.send("PUT", &models, &json!([])).expect(400);
}

#[test]
fn a_part_with_a_fault_is_refused_and_changes_nothing() {
    let world = World::new();
    world.import(REVEL);
    let before = world.get("/elements/revel").body;
    let first = world.get("/elements/revel/resources").json()[0].clone();
    let one = format!("/elements/revel/resources/{}", first["id"]);
    for (method, path, body, status, code) in [
        ("POST", "/elements/revel/parameters", json!({"type": "query"}), 400, "badDocument"),
        ("POST", "/elements/revel/parameters", json!([]), 400, "badDocument"),
        ("POST", "/elements/revel/hooks", json!({"type": "whenever", "body": "x"}), 400, "badDocument"),
        ("POST", "/elements/revel/hooks", json!({"type": "event"}), 400, "badDocument"),
        ("POST", "/elements/revel/resources", json!({"path": "/x"}), 400, "badDocument"),
        (
            "POST",
            "/elements/revel/resources",
            json!({"path": first["path"], "method": first["method"]}),
            409,
            "exists",
        ),
        (
            "POST",
            "/elements/revel/resources",
            json!({"path": "/x", "method": "GET", "nextResource": "GET /nowhere"}),
            400,
            "badDocument",
        ),
        ("POST", "/elements/revel/resources/0/hooks", json!({"type": "event", "body": ""}), 404, "notFound"),
        (
            "POST",
            "/elements/revel/resources/x/parameters",
            json!({"name": "a", "type": "query"}),
            404,
            "notFound",
        ),
        ("PUT", "/elements/revel/hooks/x", json!({"type": "event", "body": ""}), 404, "notFound"),
        ("POST", "/elements/nobody/hooks", json!({"type": "event", "body": ""}), 404, "notFound"),
        (
            "POST",
            &format!("{one}/parameters"),
            json!({"name": "a", "type": "query", "converter": "toMagic"}),
            400,
            "badDocument",
        ),
    ] {
        let answer = world.send(method, path, &body).expect(status);
        assert_eq!(answer["code"], code, "{method} {path} {body}: {answer}");
    }
    world.text("POST", "/elements/revel/hooks", "{").expect(400);
    assert_eq!(world.get("/elements/revel").body, before);

    let hook = world
        .send("POST", "/elements/revel/hooks", &json!({"type": "preRequest", "body": "done()"}))
        .expect(200);
    assert_eq!(hook["isLegacy"], false);
    let legacy = json!({"type": "preRequest", "body": "return {}", "isLegacy": true});
    let path = format!("/elements/revel/hooks/{}", hook["id"]);
    assert_eq!(world.send("PUT", &path, &legacy).expect(400)["code"], "becomesLegacy");
    let broken = world.send("PUT", &path, &json!({"type": "preRequest", "body": "done("})).expect(200);
    assert!(broken["warnings"][0]["problem"].as_str().unwrap().contains("does not compile"), "{broken}");
    let mended =
        json!({"type": "preRequest", "body": "done()", "warnings": broken["warnings"], "id": broken["id"]});
    assert!(world.send("PUT", &path, &mended).expect(200).get("warnings").is_none());
    assert!(!world.get("/elements/revel/export").body.contains("warnings"));
}

#[test]
fn edits_at_the_same_time_are_all_kept() {
    let world = World::new();
    world.import(r#"{"name": "busy", "authentication": {"type": "none"}}"#);
    std::thread::scope(|scope| {
        for at in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for step in 0..5 {
                    let part = json!({"name": format!("p{at}-{step}"), "type": "query"});
                    world.send("POST", "/elements/busy/parameters", &part).expect(200);
                }
            });
        }
    });
    let all = world.get("/elements/busy/parameters").json();
    let mut ids: Vec<i64> = all.as_array().unwrap().iter().map(|part| part["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20, "{all}");
}
