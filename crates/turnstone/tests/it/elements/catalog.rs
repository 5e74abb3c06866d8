//! Whole connectors.

use serde_json::{Value, json};
use turnstone_core::json_text;

use super::world::{DEALS, REVEL, SAGEONE, SERVICENOW, World};

/// How many objects of a tree have an `id` of their own among the four kinds of parts.
fn part_ids(element: &Value) -> usize {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut parts: Vec<Value> = ["configuration", "parameters", "hooks", "resources"]
        .iter()
        .flat_map(|name| list(element, name))
        .collect();
    for resource in list(element, "resources") {
        parts.extend(["parameters", "hooks"].iter().flat_map(|name| list(&resource, name)));
    }
    parts.iter().filter(|part| part["id"].is_i64()).count()
}

#[test]
fn the_connectors_of_the_mission_come_and_go_as_they_are() {
    let world = World::new();
    for text in [REVEL, SERVICENOW, DEALS, SAGEONE] {
        let made = world.import(text);
        let key = made["key"].as_str().unwrap().to_owned();
        assert!(made["id"].is_i64() && part_ids(&made) > 3, "{made}");
        let export = world.get(&format!("/elements/{key}/export"));
        assert_eq!(export.status, 200);
        assert!(export.body == text, "{key} is exported as it was imported");
        let disposition = format!("attachment; filename=\"{key}.json\"");
        assert_eq!(export.header("content-disposition"), Some(disposition.as_str()));
        let by_id = world.get(&format!("/elements/{}", made["id"])).expect(200);
        assert_eq!(by_id, world.get(&format!("/elements/{key}")).expect(200));
        let mut shown = made.clone();
        shown.as_object_mut().unwrap().remove("warnings");
        assert_eq!(by_id, shown);

        // What was read and is sent back changes nothing, not even a number.
        let again = world.text("PUT", &format!("/elements/{key}"), &by_id.to_string()).expect(200);
        assert_eq!(part_ids(&again), part_ids(&made));
        assert_eq!(
            world.get(&format!("/elements/{key}")).expect(200)["configuration"],
            by_id["configuration"]
        );
        let exported = world.get(&format!("/elements/{key}/export")).json();
        assert_eq!(exported, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(part_ids(&exported), 0);
        world.text("POST", "/elements", text).expect(409);
    }
    let keys = world.get("/elements/keys").expect(200);
    assert_eq!(keys, json!(["revel", "servicenowoauth", "activecampaign2", "sageone"]));
    world.delete("/elements/revel").expect(204);
    world.get("/elements/revel").expect(404);
    world.get("/elements/revel/export").expect(404);
    assert!(json_text::validate(REVEL).is_ok());
}

#[test]
fn a_connector_is_switched_off_and_on() {
    let world = World::new();
    world.import(r#"{"name": "Small One", "authentication": {"type": "none"}, "x-more": 1.50}"#);
    let export = || world.get("/elements/smallone/export").body;
    let before = export();
    assert_eq!(
        before,
        r#"{"name": "Small One", "authentication": {"type": "none"}, "x-more": 1.50, "key": "smallone","configuration": [],"parameters": [],"hooks": [],"resources": []}"#
    );
    let active = |method: &str| {
        world.server.ask(&world.token, method, "/elements/smallone/active", None).expect(200)["active"]
            .clone()
    };
    assert_eq!((active("PUT"), export()), (json!(true), before.clone()), "it is active already");
    assert_eq!(active("DELETE"), json!(false));
    assert_eq!(world.get("/elements/smallone").expect(200)["active"], json!(false));
    assert_eq!(active("PUT"), json!(true));
}
