//! Resource calls over HTTP: paths, pages, clauses, bodies, and what a provider says when it says no.

use serde_json::{Value, json};

use super::world::World;
use crate::calls::vendor::{Said, Seen, Vendor};
use crate::calls::world::small_element;

/// A provider with 7 things, and an answer for every mood.
async fn vendor() -> Vendor {
    Vendor::start(|seen: &Seen| -> Said {
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/things") => {
                let (page, size) = (seen.number("page", 1), seen.number("size", 100));
                let all = (1..=7).map(|id| json!({"id": id, "name": format!("thing {id}"), "none": null}));
                let page: Vec<Value> = all.skip((page - 1) * size).take(size).collect();
                (200, vec![("x-total-count", "7".to_owned())], json!({"items": page}))
            }
            ("GET", "/things/a%2Fb") => (200, Vec::new(), json!({"id": "a/b"})),
            ("GET", "/moods/refused") => (401, Vec::new(), json!({"error": {"message": "who are you"}})),
            ("GET", "/moods/forbidden") => (403, Vec::new(), json!({"message": "not yours"})),
            ("GET", "/moods/busy") => {
                (429, vec![("retry-after", "7".to_owned())], json!({"message": "slowly"}))
            }
            ("GET", "/moods/broken") => (500, Vec::new(), json!("<html><title>Oops</title></html>")),
            ("GET", "/moods/page") => (200, Vec::new(), json!("<html><title>Log in</title></html>")),
            ("GET", "/moods/cut") => (200, Vec::new(), json!("{\"id\": 1")),
            ("POST", "/things") => {
                (201, Vec::new(), serde_json::from_str(&seen.body).unwrap_or(json!({"form": seen.body})))
            }
            ("PUT" | "PATCH", _) => (200, Vec::new(), json!({"method": seen.method, "sent": seen.body})),
            ("DELETE", _) => (204, Vec::new(), Value::Null),
            _ => (404, Vec::new(), json!({"message": "nothing here"})),
        }
    })
    .await
}

fn element() -> String {
    let resource = |method: &str, path: &str| {
        json!({"type": "api", "method": method, "path": format!("/hubs/crm{path}"), "vendorMethod": method, "vendorPath": path,
            "parameters": [], "hooks": []})
    };
    let body = |method: &str, path: &str| {
        let mut one = resource(method, path);
        one["parameters"] = json!([{"name": "body", "type": "body", "vendorName": "body", "vendorType": "body"},
            {"name": "id", "type": "path", "vendorName": "id", "vendorType": "path"}]);
        one
    };
    let id = |method: &str, path: &str| {
        let mut one = resource(method, path);
        one["parameters"] = json!([{"name": "id", "type": "path", "vendorName": "id", "vendorType": "path"}]);
        one
    };
    let mut made = body("POST", "/things");
    made["parameters"].as_array_mut().unwrap().pop();
    made["model"] = json!({"name": "Thing", "schema": {"type": "object", "properties": {
        "id": {"type": "integer"}, "name": {"type": "string"}}}});
    small_element(json!({"resources": [
        made, id("GET", "/things/{id}"), body("PUT", "/things/{id}"), body("PATCH", "/things/{id}"),
        id("DELETE", "/things/{id}"), id("GET", "/moods/{id}"), id("GET", "/things/{id}/parts"), id("DELETE", "/tags")
    ]}))
}

/// A world with an instance, and its header.
async fn called(vendor: &Vendor) -> (World, Value, String) {
    let world = World::new();
    world.import(&element());
    let body = json!({"element": {"key": "small"}, "configuration": {"base.url": vendor.url()}});
    let made = world.make(&body);
    let own = world.as_instance(&made);
    (world, made, own)
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_pages_and_clauses() {
    let vendor = vendor().await;
    let (world, made, own) = called(&vendor).await;
    let get = |path: &str| world.server.ask(&own, "GET", path, None);
    let first = get("/hubs/crm/things?pageSize=3");
    assert_eq!(first.expect(200).as_array().unwrap().len(), 3);
    assert_eq!(first.json()[0], json!({"id": 1, "name": "thing 1"}), "nulls are left out");
    let header = |name: &str| first.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("elements-returned-count"), "3");
    assert_eq!(header("elements-total-count"), "7");
    assert_eq!(header("elements-has-more"), "true");
    assert_eq!(header("elements-element-instance-id"), made["id"].to_string());
    assert_eq!(header("elements-request-id").len(), 24);
    assert_eq!(
        header("access-control-expose-headers"),
        "Elements-Returned-Count, Elements-Total-Count, \
        Elements-Request-Id, Elements-Next-Page-Token, Elements-Trace-Id, Elements-Error, Content-Disposition"
    );
    // Whatever the hub, and without one, the same pages to the end.
    let (mut ids, mut next) = (Vec::new(), Some(String::new()));
    let mut paths = ["/hubs/any/things", "/things", "/hubs/crm/things"].into_iter().cycle();
    while let Some(token) = next {
        let page = get(&format!("{}?pageSize=3&nextPage={token}", paths.next().unwrap()));
        ids.extend(page.expect(200).as_array().unwrap().iter().map(|thing| thing["id"].as_i64().unwrap()));
        next = page.header("elements-next-page-token").map(str::to_owned);
    }
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
    let mut twice = get("/things?pageSize=2&page=1").json().as_array().unwrap().clone();
    twice.extend(get("/things?pageSize=2&page=2").json().as_array().unwrap().clone());
    assert_eq!(json!(twice), get("/things?pageSize=4&page=1").json());
    assert_eq!(get("/things?fields=name&pageSize=1").json(), json!([{"name": "thing 1"}]));
    get("/hubs/crm/things?where=changed%3E%3D'2026-01-01T00:00:00Z'").expect(200);
    let seen = vendor.asked("/things");
    assert_eq!(seen.last().unwrap().parameter("since"), Some("2026-01-01T00:00:00Z"));
    assert!(get("/hubs/crm/things?where=changed%20like").expect(400)["message"].is_string());
    get("/hubs/crm/things?pageSize=0").expect(400);
    get("/hubs/crm/things?nextPage=t1-nonsense").expect(400);
    assert_eq!(get("/hubs/crm/things/a%2Fb").expect(200), json!({"id": "a/b"}));
    assert_eq!(get("/hubs/crm/nothing").expect(404)["code"], "noSuchResource");
    assert_eq!(get("/nothing").expect(404)["code"], "noSuchResource");
    // Without an Element token a path of nobody is nobody's, and a call says what is missing.
    assert_eq!(world.ask("GET", "/things", None).expect(404)["code"], "noSuchRoute");
    assert_eq!(world.ask("GET", "/hubs/crm/things", None).expect(400)["code"], "noElementToken");
    let unknown = format!("{}, Element nobodys-token-0123456", world.owner);
    world.server.ask(&unknown, "GET", "/things", None).expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_methods() {
    let vendor = vendor().await;
    let (world, _, own) = called(&vendor).await;
    let ask = |method: &str, path: &str, body: Option<&Value>| world.server.ask(&own, method, path, body);
    let thing = json!({"id": 90071992547409931_u64, "name": "x"});
    assert_eq!(ask("POST", "/hubs/crm/things", Some(&thing)).expect(200), thing);
    for method in ["PUT", "PATCH"] {
        assert_eq!(ask(method, "/things/5", Some(&json!({"a": 1.50}))).expect(200)["method"], method);
    }
    let gone = ask("DELETE", "/hubs/crm/things/5", None);
    assert_eq!((gone.status, gone.body.as_str()), (200, ""));
    assert_eq!(ask("PUT", "/hubs/crm/things", Some(&thing)).expect(405)["code"], "noSuchResource");
    // A route of ours does not hide a connector's method that it does not have.
    assert_eq!(ask("DELETE", "/tags", None).status, 200);
    assert_eq!(world.ask("DELETE", "/tags", None).expect(405)["code"], "methodNotAllowed");
    let raw = |kind: &str, body: &str| {
        crate::bench::request(
            world.server.address,
            "POST",
            "/elements/api-v2/hubs/crm/things",
            Some(&own),
            Some(kind),
            body.as_bytes(),
        )
    };
    raw("application/json", "{\"a\":").expect(400);
    raw("application/xml", "<a/>").expect(415);
    assert_eq!(raw("application/x-www-form-urlencoded", "a=b").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_refuses_is_passed_on() {
    let vendor = vendor().await;
    let (world, _, own) = called(&vendor).await;
    let get = |mood: &str| world.server.ask(&own, "GET", &format!("/hubs/crm/moods/{mood}"), None);
    for (mood, status, code, words) in [
        ("refused", 401, "providerRefused", Some("who are you")),
        ("forbidden", 403, "providerRefused", Some("not yours")),
        ("missing", 404, "providerRefused", Some("nothing here")),
        ("busy", 429, "providerRefused", Some("slowly")),
        ("broken", 502, "providerFailed", Some("an HTML page: Oops")),
        ("page", 502, "badAnswer", Some("an HTML page: Log in")),
        ("cut", 502, "badAnswer", Some("{\"id\": 1")),
    ] {
        let answer = get(mood);
        assert_eq!(answer.status, status, "{mood}: {}", answer.body);
        let said = answer.json();
        assert_eq!(
            (&said["code"], said["providerMessage"].as_str()),
            (&json!(code), words),
            "{mood}: {said}"
        );
        assert_eq!(answer.header("elements-request-id"), said["requestId"].as_str());
        assert!(
            said["message"].as_str().is_some_and(|message| !message.is_empty())
                && said["faults"] == json!([])
        );
    }
    assert_eq!(get("busy").header("retry-after"), Some("7"));
    // A provider that is not there.
    let body = json!({"element": {"key": "small"}, "configuration": {"base.url": "http://127.0.0.1:9"}});
    let made = world.make(&body);
    let gone = world.server.ask(&world.as_instance(&made), "GET", "/things", None);
    assert_eq!(gone.expect(502)["code"], "providerUnreachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_connector_answers() {
    let vendor = vendor().await;
    let (world, _, own) = called(&vendor).await;
    let get = |path: &str| world.server.ask(&own, "GET", path, None);
    for base in ["/hubs/crm", ""] {
        assert_eq!(get(&format!("{base}/objects")).expect(200), json!(["things", "moods", "tags"]));
        let metadata = get(&format!("{base}/objects/things/metadata")).expect(200);
        assert_eq!(metadata["fields"][0], json!({"path": "id", "vendorPath": "id", "type": "integer"}));
        get(&format!("{base}/objects/nothing/metadata")).expect(404);
        let ping = get(&format!("{base}/ping")).expect(200);
        assert!(ping["endpoint"] == "small" && ping["dateTime"].is_string(), "{ping}");
    }
    assert_eq!(vendor.asked("/things").last().unwrap().parameter("size"), Some("1"));
    let hubs = world.get("/hubs");
    assert_eq!((&hubs[0]["key"], &hubs[0]["elements"][0]["key"]), (&json!("crm"), &json!("small")));
    assert_eq!(hubs[0].get("resources"), None);
    let hub = world.get("/hubs/crm?hydrate=true");
    assert_eq!(
        hub["resources"][0],
        json!({"path": "/things", "method": "GET", "description": "", "elementKey": "small"})
    );
    world.ask("GET", "/hubs/other", None).expect(404);
}
