//! The provider is told where to send its notifications, and told when that ends.

use serde_json::{Value, json};

use super::{HOOK, World, told};
use crate::harness::{Peer, answer, json_answer};

/// A step of a connector that is told our address.
fn step(kind: &str, method: &str, path: &str, parameters: Value) -> Value {
    json!({"type": kind, "method": method, "vendorMethod": method, "path": path, "vendorPath": path, "parameters": parameters,
        "hooks": [], "description": kind, "response": {"contentType": "application/json"}})
}

fn steps() -> Value {
    let body = json!([{"name": "{\"target\": {\"url\": \"{webhookCallbackUrl}\"}, \"ref\": \"{encodedId}\"}", "vendorName": "body",
        "type": "value", "vendorType": "body", "dataType": "string", "required": true}]);
    json!([
        step("onProvisionWebhook", "POST", "/hooks", body),
        step("onDeleteWebhook", "DELETE", "/hooks/{event.notification.subscription.id}", json!([])),
    ])
}

#[test]
fn the_provider_gets_our_address_and_its_subscription_is_taken_back() {
    let world = World::start();
    let peer = Peer::start(|seen, _| match seen.path.as_str() {
        "/hooks" => json_answer(&json!({"id": 9_007_199_254_740_993_u64, "active": true})),
        _ => answer("200 OK", "application/json", "{}"),
    });
    let base = peer.url("");
    world.connector("pushy", HOOK, &[("base.url", &base)], steps());
    let made = world.instance("pushy", json!({}));
    let path = world.path(&made);
    let sent = peer.seen.lock().unwrap()[0].clone();
    let body: Value = serde_json::from_str(&sent.body).unwrap_or_else(|error| panic!("{error}: {sent:?}"));
    let url = body["target"]["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with(&path) && url.starts_with("http://"), "{url}");
    assert!(body["ref"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    let shown = world.ask("GET", &format!("/instances/{}/webhook", made["id"]), None).expect(200);
    assert_eq!(shown["subscriptionId"], "9007199254740993");
    world.send("POST", &path, &[], br#"{"id": "1", "type": "CREATED"}"#).expect(200);
    assert_eq!(told(&world.next()), ["CREATED 1"]);

    world.ask("DELETE", &format!("/instances/{}", made["id"]), None).expect(200);
    let last = peer.seen.lock().unwrap().last().unwrap().clone();
    assert_eq!(last.path, "/hooks/9007199254740993");
    world.send("POST", &path, &[], br#"{"id": "2", "type": "CREATED"}"#).expect(404);
}

#[test]
fn a_provider_that_does_not_accept_us_leaves_no_instance_behind() {
    let world = World::start();
    let peer =
        Peer::start(|_, _| answer("422 Unprocessable", "application/json", r#"{"error": "no such event"}"#));
    world.connector("pushy", HOOK, &[("base.url", &peer.url(""))], steps());
    let refused = world.try_instance("pushy", json!({}));
    assert!((400..600).contains(&refused.status), "{refused:?}");
    assert!(refused.json()["message"].as_str().unwrap().contains("onProvisionWebhook"), "{refused:?}");
    assert_eq!(world.ask("GET", "/instances", None).expect(200), json!([]));
}

#[test]
fn switching_events_off_and_on_tells_the_provider_both_times() {
    let world = World::start();
    let peer = Peer::start(|_, number| json_answer(&json!({"id": format!("s{number}")})));
    world.connector("pushy", HOOK, &[("base.url", &peer.url(""))], steps());
    let made = world.instance("pushy", json!({}));
    let path = format!("/instances/{}", made["id"]);
    let set = |enabled: bool| {
        let patch = json!({"configuration": {"event.notification.enabled": enabled}});
        world.ask("PATCH", &path, Some(&patch)).expect(200);
    };
    set(false);
    set(true);
    let paths: Vec<String> = peer.seen.lock().unwrap().iter().map(|seen| seen.path.clone()).collect();
    assert_eq!(paths, ["/hooks", "/hooks/s0", "/hooks"]);
}
