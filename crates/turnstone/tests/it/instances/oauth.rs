//! Signing in over HTTP at an authorisation server that we did not write: the address, the code, the instance, its
//! polls; a grant that is gone, and the account connected anew where it stood.

use serde_json::{Map, Value, json};

use super::world::World;
use crate::bench::wait_for;
use crate::calls::oidc::{CALLBACK, Server};
use crate::calls::renewal::oauth_element;

fn encoded(value: &Value) -> String {
    let text = value.as_str().unwrap();
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What a person's allowing brings, by way of the address that the API names.
async fn grant(world: &World, server: &Server, key: &str) -> Map<String, Value> {
    let configuration = server.configuration("turnstone");
    let names = [
        ("apiKey", "oauth.api.key"),
        ("apiSecret", "oauth.api.secret"),
        ("callbackUrl", "oauth.callback.url"),
        ("scope", "oauth.scope"),
        ("oauth.authorization.url", "oauth.authorization.url"),
    ];
    let query: Vec<String> =
        names.iter().map(|(name, key)| format!("{name}={}", encoded(&configuration[*key]))).collect();
    let url = world.get(&format!("/elements/{key}/oauth/url?{}", query.join("&")));
    assert_eq!(url["element"], key);
    let url = url["oauthUrl"].as_str().unwrap();
    assert!(url.contains("code_challenge_method=S256") && url.contains("state="), "{url}");
    assert!(!url.contains("secret-of-turnstone"));
    server.allow(url).await
}

fn body(server: &Server, key: &str, data: &Map<String, Value>) -> Value {
    json!({"element": {"key": key}, "providerData": data, "configuration": server.configuration("turnstone")})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_from_its_address_to_its_end_and_anew() {
    let server = Server::start().await;
    let world = World::new();
    world.import(&oauth_element("oidc", json!({})));
    server.things(0..30, 5_000).await;
    let data = grant(&world, &server, "oidc").await;
    let made = world.make(&body(&server, "oidc", &data));
    let path = format!("/instances/{}", made["id"]);
    let code = data["code"].as_str().unwrap();
    assert!(!made.to_string().contains(code) && !world.holds(code), "it is kept nowhere");
    assert_eq!(made["configuration"]["oauth.user.token"], "********");
    // The code and its state are good once.
    let again = world.ask("POST", "/instances", Some(&body(&server, "oidc", &data))).expect(400);
    assert!(again["message"].as_str().unwrap().contains("was used already"), "{again}");
    world.poll(&made, "things");
    let events = |count: usize| {
        let found = world.get(&format!("{path}/events?pageSize=200")).as_array().unwrap().len();
        (found == count).then_some(())
    };
    wait_for("30 events", || events(30));
    // A renewed token is used by polls and calls alike.
    server.control("expire", json!({})).await;
    let own = world.as_instance(&made);
    world.server.ask(&own, "GET", "/things?pageSize=1", None).expect(200);
    assert_eq!(server.count("refreshes").await, 1);

    let place = world.get(&format!("{path}/pollers/things"));
    server.control("revoke", json!({})).await;
    server.things(30..35, 200).await;
    let refused = world.server.ask(&own, "GET", "/things", None).expect(401);
    assert_eq!(refused["code"], "reconnectNeeded");
    let shown = world.get(&path);
    assert_eq!((&shown["valid"], &shown["connection"]["state"]), (&json!(false), &json!("reconnect needed")));
    assert!(shown["connection"]["reason"].as_str().unwrap().contains("invalid_grant"), "{shown}");
    world.ask("POST", &format!("{path}/pollers/things/run"), None).expect(202);
    let rests = wait_for("rest", || {
        Some(world.get(&format!("{path}/pollers/things"))).filter(|poller| poller["paused"].is_string())
    });
    assert!(rests["paused"].as_str().unwrap().starts_with("reconnect needed"), "{rests}");
    assert_eq!(rests["watermark"], place["watermark"], "it keeps its place");
    // A rename does not connect it; a code does, and it goes on where it stood.
    world.ask("PATCH", &path, Some(&json!({"name": "renamed"}))).expect(200);
    assert_eq!(world.get(&path)["valid"], false);
    let refused = world.ask("PATCH", &path, Some(&json!({"providerData": {"code": "made up"}}))).expect(401);
    assert_eq!(refused["code"], "signInFailed");
    let data = grant(&world, &server, "oidc").await;
    let anew = world.ask("PATCH", &path, Some(&json!({"providerData": data}))).expect(200);
    assert_eq!((&anew["valid"], &anew["name"]), (&json!(true), &json!("renamed")));
    wait_for("what happened meanwhile", || events(35));
    world.server.ask(&own, "GET", "/things?pageSize=1", None).expect(200);
    // Sent back as it is read it keeps its grant.
    world.ask("PUT", &path, Some(&world.get(&path))).expect(200);
    let bare = json!({"element": {"key": "oidc"}, "configuration": server.configuration("turnstone")});
    world.ask("PUT", &path, Some(&bare)).expect(200);
    world.server.ask(&own, "GET", "/things?pageSize=1", None).expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_tokens_that_were_obtained_elsewhere() {
    let server = Server::start().await;
    let world = World::new();
    world.import(&oauth_element("oidc", json!({})));
    server.things(0..3, 5_000).await;
    let configuration = server.configuration("turnstone");
    let asked = json!({"apiKey": "turnstone", "callbackUrl": CALLBACK, "state": "mine", "scope": "openid",
        "oauth.authorization.url": configuration["oauth.authorization.url"]});
    let url = world.ask("POST", "/elements/oidc/oauth/url", Some(&asked)).expect(200);
    assert!(url["oauthUrl"].as_str().unwrap().contains("state=mine"), "{url}");
    let missing = world.ask("GET", "/elements/oidc/oauth/url", None).expect(400);
    assert!(missing["message"].as_str().unwrap().contains("oauth.authorization.url"), "{missing}");
    world.ask("GET", "/elements/nobodys/oauth/url", None).expect(404);
    world.ask("GET", "/elements/oidc/oauth/token", None).expect(400);
    // `externalAuthentication`: the first tokens come along.
    let data = grant(&world, &server, "oidc").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", data["code"].as_str().unwrap()),
        ("client_id", "turnstone"),
    ];
    assert_eq!(form.len(), 3, "the verifier is ours alone, so nobody else can use this code");
    let mut body = body(&server, "oidc", &Map::new());
    body["externalAuthentication"] = json!("initial");
    body["configuration"]["oauth.user.token"] = json!("canary-not-a-token");
    let made = world.make(&body);
    assert_eq!(made["externalAuthentication"], "initial");
    assert!(!world.holds("canary-not-a-token"));
    let own = world.as_instance(&made);
    // The server knows no such token, and there is nothing to renew it with.
    let refused = world.server.ask(&own, "GET", "/things", None);
    assert_eq!(refused.status, 401, "{}", refused.body);
    body["externalAuthentication"] = json!("all");
    world.ask("POST", "/instances", Some(&body)).expect(400);
    body["externalAuthentication"] = json!("none");
    body["configuration"].as_object_mut().unwrap().remove("oauth.user.token");
    let refused = world.ask("POST", "/instances", Some(&body)).expect(400);
    assert_eq!(refused["code"], "signInFailed");
}
