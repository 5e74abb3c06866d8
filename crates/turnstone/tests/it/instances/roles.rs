//! Who may change what of an instance: the interval anybody, how resources are polled an admin.

use serde_json::{Value, json};

use super::world::{World, own_settings};
use crate::bench::Answer;
use crate::calls::vendor::Vendor;
use crate::calls::world::small_element;

async fn vendor() -> Vendor {
    Vendor::start(|_| (200, Vec::new(), json!({"items": []}))).await
}

fn keyed() -> String {
    small_element(json!({
        "authentication": {"type": "apiKey"},
        "configuration": [
            {"key": "api.key", "name": "Key", "type": "PASSWORD"},
            {"key": "oauth.token.url", "name": "T", "type": "TEXTFIELD_1000", "defaultValue": "https://a.test/token"}
        ]
    }))
}

/// A PATCH by somebody: its status and sentence.
fn patch(world: &World, header: &str, id: &Value, body: Value) -> (u16, String) {
    let answer = world.server.ask(header, "PATCH", &format!("/instances/{id}"), Some(&body));
    let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
    (answer.status, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_may_change() {
    let vendor = vendor().await;
    let (world, header) = World::with_people().await;
    world.import(&keyed());
    let body = json!({"element": {"key": "small"}, "name": "one", "configuration": {
        "base.url": vendor.url(), "api.key": "key-0123", "event.notification.enabled": true,
        "event.poller.refresh_interval": "15"}});
    // A member makes one from what the connector leaves open and what it polls by default.
    let made = world.server.ask(&header("member"), "POST", "/instances", Some(&body)).expect(200);
    assert_eq!(made["user"]["firstName"], "a member");
    world.server.ask(&header("reader"), "POST", "/instances", Some(&body)).expect(403);
    let resource = |members: Value| {
        let mut resource = json!({"url": "/hubs/crm/things", "idField": "id"});
        resource.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({"configuration": {"event.poller.configuration": {"things": resource}}})
    };
    let configuration = |key: &str, value: Value| json!({"configuration": {key: value}});
    let anybody = [
        json!({"name": "two"}),
        json!({"tags": ["a", "b"]}),
        configuration("event.poller.refresh_interval", json!(5)),
        configuration("event.notification.callback.url", json!("http://127.0.0.1:9/x")),
        configuration("event.notification.signature.key", json!("k")),
        configuration("event.notification.enabled", json!(true)),
        configuration("api.key", json!("key-4567")),
        // The same meaning as the connector's default, written differently.
        configuration("event.poller.configuration", json!({"things": {}})),
        configuration("event.poller.configuration", json!("{\"things\": {}}")),
    ];
    let admins = [
        resource(json!({})),
        resource(json!({"pageSize": 7})),
        configuration("base.url", json!("http://127.0.0.1:9")),
        configuration("http.headers", json!({"X-Key": "v"})),
        configuration("oauth.token.url", json!("http://127.0.0.1:9/token")),
    ];
    let id = &made["id"];
    for body in &anybody {
        let (status, message) = patch(&world, &header("reader"), id, body.clone());
        assert!(status == 403 && message.contains("`member`"), "{body} {status} {message}");
        let (status, message) = patch(&world, &header("member"), id, body.clone());
        assert_eq!(status, 200, "{body} {message}");
    }
    for body in &admins {
        let (status, message) = patch(&world, &header("member"), id, body.clone());
        assert_eq!(status, 403, "{body} {message}");
        let said = message.contains("needs the role `admin`")
            && message.contains("`event.poller.refresh_interval`) can be changed by anyone");
        assert!(said, "{message}");
        // Planning tells nothing that doing would refuse.
        let plan = format!("/instances/{id}?plan=true");
        world.server.ask(&header("member"), "PATCH", &plan, Some(body)).expect(403);
    }
    for (role, body) in
        ["admin", "owner"].into_iter().flat_map(|role| admins.iter().map(move |body| (role, body)))
    {
        let (status, message) = patch(&world, &header(role), id, body.clone());
        assert_eq!(status, 200, "{body} {message}");
    }
    // Entry by entry and as a whole it is the same.
    let entry = format!("/instances/{id}/configuration/event.poller.configuration");
    let value =
        json!({"propertyValue": "{\"things\": {\"url\": \"/hubs/crm/things\", \"idField\": \"nr\"}}"});
    world.server.ask(&header("member"), "PATCH", &entry, Some(&value)).expect(403);
    let entry = format!("/instances/{id}/configuration/event.poller.refresh_interval");
    let changed = world.server.ask(&header("member"), "PATCH", &entry, Some(&json!({"propertyValue": "7"})));
    assert_eq!(changed.expect(200)["propertyValue"], "7");
    let mut whole = world.get(&format!("/instances/{id}"));
    whole["configuration"]["event.poller.refresh_interval"] = json!("8");
    world.server.ask(&header("member"), "PUT", &format!("/instances/{id}"), Some(&whole)).expect(200);
    whole["configuration"]["event.poller.configuration"]["things"]["idField"] = json!("nr");
    world.server.ask(&header("member"), "PUT", &format!("/instances/{id}"), Some(&whole)).expect(403);
    let enabled = |role: &str, method: &str| -> Answer {
        world.server.ask(&header(role), method, &format!("/instances/{id}/enabled"), None)
    };
    assert_eq!((enabled("reader", "DELETE").status, enabled("member", "DELETE").status), (403, 200));
    enabled("member", "PUT").expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_may_make() {
    let vendor = vendor().await;
    let (world, header) = World::with_people().await;
    world.import(&keyed());
    let member = |body: &Value| world.server.ask(&header("member"), "POST", "/instances", Some(body));
    let body = |more: Value| {
        let mut body =
            json!({"element": {"key": "small"}, "configuration": {"base.url": vendor.url(), "api.key": "k"}});
        body["configuration"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    member(&body(json!({}))).expect(200);
    member(&body(json!({"event.poller.configuration": {"things": {}}}))).expect(200);
    member(&body(
        json!({"event.poller.configuration": {"mine": {"url": "/hubs/crm/things", "idField": "id"}}}),
    ))
    .expect(403);
    member(&body(json!({"oauth.token.url": "http://127.0.0.1:9"}))).expect(403);
    member(&body(json!({"http.headers": {"X-Key": "v"}}))).expect(403);
    // Without a connector everything about polling is one's own.
    let own = own_settings(&vendor.url());
    let refused = member(&own).expect(403);
    assert!(refused["message"].as_str().unwrap().contains("`things`"), "{refused}");
    world.server.ask(&header("admin"), "POST", "/instances", Some(&own)).expect(200);
    // An instance of the admin's stays what it is in a member's hands.
    let made = world.make(&own);
    let (status, message) = patch(
        &world,
        &header("member"),
        &made["id"],
        json!({"configuration": {"event.poller.refresh_interval": 3}}),
    );
    assert_eq!(status, 200, "{message}");
    let mut removed = own.clone();
    removed["configuration"]["event.poller.configuration"] =
        json!({"others": {"url": "/things", "idField": "id"}});
    let path = format!("/instances/{}", made["id"]);
    world.server.ask(&header("member"), "PUT", &path, Some(&removed)).expect(403);
    assert_eq!(world.get("/instances").as_array().unwrap().len(), 4);
}
