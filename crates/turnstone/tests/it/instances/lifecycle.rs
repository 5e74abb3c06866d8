//! An instance from its making to its end: what is stored, what a change does, what is planned, and who it belongs to.

use serde_json::{Value, json};

use super::world::{QUIET, World, own_settings};
use crate::calls::vendor::{Said, Seen, Vendor};
use crate::calls::world::small_element;

const KEY: &str = "canary-key-0123";

/// Takes one key, and knows three things.
async fn vendor() -> Vendor {
    Vendor::start(|seen: &Seen| -> Said {
        match (seen.path.as_str(), seen.header("x-key")) {
            ("/me" | "/things", KEY | "canary-key-4567") if seen.path == "/me" => {
                (200, Vec::new(), json!({"id": 1}))
            }
            ("/things", KEY | "canary-key-4567") => {
                let page = seen.number("page", 1);
                let things: Vec<Value> = (1..=3)
                    .map(|id| json!({"id": id.to_string(), "changed": "2026-01-01T00:00:00Z"}))
                    .collect();
                (200, Vec::new(), json!({"items": if page == 1 { things } else { Vec::new() }}))
            }
            _ => (401, Vec::new(), json!({"message": "this key is not known"})),
        }
    })
    .await
}

fn keyed(more: Value) -> String {
    let mut all = json!({
        "authentication": {"type": "apiKey"},
        "configuration": [{"key": "api.key", "name": "Key", "type": "PASSWORD"}],
        "parameters": [{"name": "api.key", "type": "configuration", "vendorName": "x-key", "vendorType": "header"}],
        "resources": [{"type": "provisionAuthValidation", "method": "GET", "path": "/me", "vendorMethod": "GET",
            "vendorPath": "/me", "parameters": [], "hooks": []}]
    });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    small_element(all)
}

fn body(vendor: &Vendor, key: &str) -> Value {
    json!({"element": {"key": "small"}, "name": "<b>one</b>", "tags": ["x", "y"], "configuration": {
        "base.url": vendor.url(), "api.key": key, "event.notification.enabled": true}})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_connected_leaves_nothing() {
    let vendor = vendor().await;
    let world = World::new();
    world.import(&keyed(json!({})));
    let refused = world.ask("POST", "/instances", Some(&body(&vendor, "canary-wrong")));
    let said = refused.expect(401);
    assert_eq!(
        (&said["code"], &said["providerMessage"]),
        (&json!("signInFailed"), &json!("this key is not known"))
    );
    assert_eq!(world.get("/instances"), json!([]));
    assert!(!world.holds("canary-wrong"));
    // Faults are found before the provider is asked.
    let asked = vendor.asked("/me").len();
    let mut faulty = body(&vendor, KEY);
    faulty["configuration"]["event.poller.refresh_interval"] = json!("soon");
    world.ask("POST", "/instances", Some(&faulty)).expect(400);
    for element in [json!({"id": 999}), json!({"id": 1, "key": "other"})] {
        let mut other = body(&vendor, KEY);
        other["element"] = element;
        assert!([400, 404].contains(&world.ask("POST", "/instances", Some(&other)).status));
    }
    assert_eq!(vendor.asked("/me").len(), asked);
    world.ask("DELETE", "/elements/small/active", None).expect(200);
    assert_eq!(
        world.ask("POST", "/instances", Some(&body(&vendor, KEY))).expect(409)["code"],
        "elementInactive"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_changed_with_and_without_its_id() {
    let vendor = vendor().await;
    let world = World::new();
    let element = world.import(&keyed(json!({})));
    let by_id =
        json!({"element": {"id": element["id"]}, "configuration": body(&vendor, KEY)["configuration"]});
    world.make(&by_id);
    let made = world.make(&body(&vendor, KEY));
    assert_eq!((&made["name"], &made["tags"]), (&json!("one"), &json!(["x", "y"])));
    let id = format!("/instances/{}", made["id"]);
    let own = world.as_instance(&made);
    let ask = |method: &str, path: &str, body: Option<&Value>| world.server.ask(&own, method, path, body);
    let shown = world.get(&id);
    assert_eq!(ask("GET", "/instances", None).expect(200), shown);
    assert_eq!(world.get("/instances").as_array().unwrap().len(), 2);
    assert_eq!(shown.get("token"), None);
    assert!(!shown.to_string().contains("canary") && !world.holds(KEY));

    let patched = ask("PATCH", "/instances", Some(&json!({"name": "two", "description": "d"}))).expect(200);
    assert_eq!((&patched["name"], &patched["description"]), (&json!("two"), &json!("d")));
    let whole = ask("PUT", "/instances", Some(&patched)).expect(200);
    assert_eq!(whole["configuration"], patched["configuration"]);
    ask("PATCH", "/instances", Some(&json!({"disabled": true}))).expect(400);
    ask("PATCH", "/instances", Some(&json!({"colour": "red"}))).expect(400);
    assert_eq!(ask("GET", "/instances/tags", None).expect(200), json!(["x", "y"]));
    ask("PUT", "/instances/tags", Some(&json!(["y", "z"]))).expect(200);
    let tags = json!([{"tag": "y", "count": 1}, {"tag": "z", "count": 1}]);
    assert_eq!(world.get("/tags"), tags);
    assert_eq!(world.get("/instances?tags[]=z&tags[]=y&hydrate=false")[0].get("configuration"), None);
    assert_eq!(world.get("/instances?tags[]=x"), json!([]));
    let page = world.ask("GET", "/instances?pageSize=1", None);
    let next = page.header("elements-next-page-token").unwrap().to_owned();
    assert_eq!(world.get(&format!("/instances?pageSize=1&nextPage={next}"))[0]["id"], made["id"]);
    assert_eq!(world.get("/elements/small/instances").as_array().unwrap().len(), 2);
    assert_eq!(world.get(&format!("/elements/small{id}"))["id"], made["id"]);
    let of = json!({"name": "three", "configuration": body(&vendor, KEY)["configuration"]});
    let of = world.ask("POST", &format!("/elements/{}/instances", element["id"]), Some(&of)).expect(200);
    world
        .ask("PATCH", &format!("/elements/small/instances/{}", of["id"]), Some(&json!({"name": "4"})))
        .expect(200);
    world.ask("DELETE", &format!("/elements/small/instances/{}", of["id"]), None).expect(200);

    let docs = ask("GET", "/instances/docs", None).expect(200);
    assert_eq!((&docs["swagger"], &docs["info"]["title"]), (&json!("2.0"), &json!("two")));
    assert!(docs["paths"]["/things"]["get"].is_object() && docs == world.get(&format!("{id}/docs")));

    assert_eq!(ask("DELETE", "/instances/enabled", None).expect(200)["disabled"], true);
    let off = ask("GET", "/hubs/crm/things", None).expect(403);
    assert_eq!(off["code"], "instanceDisabled");
    assert_eq!(ask("GET", "/hubs/crm/objects", None).expect(200), json!(["things"]));
    assert_eq!(ask("PUT", "/instances/enabled", None).expect(200)["disabled"], false);
    ask("GET", "/hubs/crm/things", None).expect(200);
    assert_eq!(ask("GET", "/instances/pollers", None).expect(200)[0]["resource"], "things");
    ask("GET", "/instances/pollers/things/runs", None).expect(200);
    assert_eq!(ask("GET", "/instances/events", None).expect(200), json!([]));
    ask("DELETE", "/instances", None).expect(200);
    ask("GET", "/instances", None).expect(401);
    world.ask("GET", &id, None).expect(404);
    world.ask("GET", "/instances/enabled", None);
    assert_eq!(world.ask("PUT", "/instances/enabled", None).expect(400)["code"], "noElementToken");
    // The audit says who did what, and no secret.
    assert!(!world.holds(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_settings_are_read_and_changed_entry_by_entry() {
    let vendor = vendor().await;
    let world = World::new();
    world.import(&keyed(json!({})));
    let made = world.make(&body(&vendor, KEY));
    let base = format!("/instances/{}/configuration", made["id"]);
    let entries = world.get(&base);
    let entry = |key: &str| {
        entries.as_array().unwrap().iter().find(|entry| entry["key"] == key).cloned().unwrap_or(Value::Null)
    };
    assert_eq!(entry("api.key")["propertyValue"], "********");
    assert_eq!(
        (&entry("pagination.type")["propertyValue"], &entry("pagination.type")["own"]),
        (&json!("page"), &json!(false))
    );
    assert_eq!(entry("event.notification.enabled")["propertyValue"], "true");
    let id = &entry("base.url")["id"];
    assert_eq!(world.get(&format!("{base}/{id}")), entry("base.url"));
    // Sent back as it was shown, a secret stays; a new one is tried first.
    let path = format!("{base}/{}", entry("api.key")["id"]);
    let patch = |path: &str, body: &Value| world.ask("PATCH", path, Some(body));
    patch(&path, &entry("api.key")).expect(200);
    let refused = patch(&path, &json!({"propertyValue": "canary-wrong"})).expect(401);
    assert_eq!(refused["providerMessage"], "this key is not known");
    let own = world.as_instance(&made);
    world.server.ask(&own, "GET", "/things", None).expect(200);
    let changed = patch(&path, &json!({"propertyValue": "canary-key-4567"})).expect(200);
    assert_eq!(changed["propertyValue"], "********");
    world.server.ask(&own, "GET", "/things", None).expect(200);
    let seen = vendor.asked("/things");
    assert_eq!(seen.last().unwrap().header("x-key"), "canary-key-4567");
    // What nobody has set yet, what nobody knows, and what is no entry.
    let interval =
        patch(&format!("{base}/event.poller.refresh_interval"), &json!({"propertyValue": 5})).expect(200);
    assert_eq!((&interval["propertyValue"], &interval["own"]), (&json!("5"), &json!(true)));
    patch(&format!("{base}/nothing.of.ours"), &json!({"propertyValue": "x"})).expect(404);
    patch(&path, &json!({})).expect(400);
    patch(&format!("{base}/event.poller.refresh_interval"), &json!({"propertyValue": "never"})).expect(400);
    world.server.ask(&own, "GET", "/instances/configuration/base.url", None).expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_done_is_planned() {
    let vendor = vendor().await;
    let world = World::new();
    let element = world.import(&keyed(json!({})));
    let plan = |method: &str, path: &str, body: &Value| {
        world.ask(method, &format!("{path}?plan=true"), Some(body)).expect(200)
    };
    let first = plan("POST", "/instances", &body(&vendor, "canary-wrong"));
    assert_eq!(
        (&first["changes"][0]["resource"], &first["changes"][0]["cursor"]),
        (&json!("things"), &json!("new"))
    );
    assert!(first["document"].as_array().unwrap().contains(&json!("element")), "{first}");
    assert_eq!((world.get("/instances"), vendor.asked("/me").len()), (json!([]), 0));
    let made = world.make(&body(&vendor, KEY));
    world.poll(&made, "things");
    let path = format!("/instances/{}", made["id"]);
    let nothing = plan("PUT", &path, &world.get(&path));
    assert_eq!((&nothing["document"], &nothing["changes"][0]["cursor"]), (&json!([]), &json!("kept")));
    let default = "/hubs/crm/things?where=changed>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'";
    let with = |members: Value| {
        let mut thing = json!({"url": default, "idField": "id", "startFrom": "beginning", "datesConfiguration": {
            "updatedDateField": "changed", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
            "createdDateField": "made", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'"}});
        thing.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({"configuration": {"event.poller.configuration": {"things": thing}}})
    };
    let cursor = |body: &Value| plan("PATCH", &path, body)["changes"].clone();
    assert_eq!(cursor(&with(json!({})))[0]["cursor"], "kept");
    assert_eq!(cursor(&with(json!({"pageSize": 5})))[0]["cursor"], "kept");
    assert_eq!(cursor(&with(json!({"filterByUpdatedDate": false})))[0]["cursor"], "begins anew");
    let other = json!({"configuration": {"event.poller.configuration": {"others": {"url": "/things", "idField": "id"}}}});
    let changes = cursor(&other);
    assert_eq!((&changes[0]["cursor"], &changes[1]["cursor"]), (&json!("new"), &json!("removed")));
    let interval = plan(
        "PATCH",
        &path,
        &json!({"configuration": {"event.poller.refresh_interval": 5, "api.key": "canary-2"}}),
    );
    let named = [r#"configuration."api.key""#, r#"configuration."event.poller.refresh_interval""#];
    assert_eq!(interval["document"], json!(named));
    assert!(!interval.to_string().contains("canary"));
    world.ask("PATCH", &format!("{path}?plan=maybe"), Some(&json!({}))).expect(400);
    assert_eq!(world.get(&path)["element"], made["element"]);
    // A new revision reaches the instance when it is changed, and not by words for people.
    let text = keyed(json!({})).replace("\"name\":\"Small\"", "\"name\":\"Smaller\"");
    world
        .ask("PUT", &format!("/elements/{}", element["id"]), Some(&serde_json::from_str(&text).unwrap()))
        .expect(200);
    let revision =
        |body: Value| world.ask("PATCH", &path, Some(&body)).expect(200)["element"]["revision"].clone();
    assert_eq!(revision(json!({"name": "n"})), json!(1));
    assert_eq!(revision(json!({})), json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_takes_an_instance_over_with_its_place() {
    let vendor = vendor().await;
    let world = World::new();
    world.import(&keyed(json!({})));
    let made = world.make(&body(&vendor, KEY));
    let before = world.poll(&made, "things");
    let copy =
        world.ask("POST", "/elements/small/clone", Some(&json!({"key": "mine", "name": "Mine"}))).expect(200);
    let path = format!("/instances/{}", made["id"]);
    let moved = world.ask("PATCH", &path, Some(&json!({"element": {"id": copy["id"]}}))).expect(200);
    assert_eq!((&moved["element"]["key"], &moved["elementId"]), (&copy["key"], &copy["id"]));
    let after = world.get(&format!("{path}/pollers/things"));
    assert_eq!(
        (&after["id"], &after["watermark"], &after["revision"]),
        (&before["id"], &before["watermark"], &before["revision"])
    );
    assert_eq!(world.poll(&made, "things")["status"]["code"], "ok");
    let unknown = world.ask("PATCH", &path, Some(&json!({"element": {"key": "nobodys"}})));
    assert_eq!(unknown.expect(409)["code"], "elementChanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_makes_one_instance() {
    let vendor = vendor().await;
    let world = World::new();
    world.import(&keyed(json!({})));
    let body = body(&vendor, KEY);
    let send = |body: &Value| world.with("POST", "/instances", "Idempotency-Key: one", body);
    let (first, again) = (send(&body), send(&body));
    assert_eq!(first.expect(200), again.expect(200));
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (None, Some("true"))
    );
    assert_eq!(world.get("/instances").as_array().unwrap().len(), 1);
    let mut other = body.clone();
    other["name"] = json!("other");
    assert_eq!(send(&other).expect(409)["code"], "keyUsed");
    assert!(!world.holds(first.json()["token"].as_str().unwrap()), "the token lies nowhere");
    // What was refused may be tried again under the same key.
    let wrong = self::body(&vendor, "canary-wrong");
    let send = |body: &Value| world.with("POST", "/instances", "Idempotency-Key: two", body);
    send(&wrong).expect(401);
    send(&body).expect(200);
    // The audit names what was made, and neither what was planned nor what was only told again.
    world.ask("POST", "/instances?plan=true", Some(&body)).expect(200);
    let audit = world.get("/audit");
    let made = audit.as_array().unwrap().iter().filter(|entry| entry["action"] == "createInstance");
    assert_eq!(made.count(), 2, "{audit}");
    assert!(!audit.to_string().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_events_is_called_and_not_polled() {
    let vendor = vendor().await;
    let world = World::new();
    world.import(&keyed(json!({})));
    let mut quiet = body(&vendor, KEY);
    quiet["configuration"]["event.notification.enabled"] = json!(false);
    let made = world.make(&quiet);
    assert_eq!((&made["eventsEnabled"], &made["disabled"]), (&json!(false), &json!(false)));
    let path = format!("/instances/{}", made["id"]);
    assert_eq!(world.get(&format!("{path}/pollers")), json!([]));
    world.server.ask(&world.as_instance(&made), "GET", "/hubs/crm/things", None).expect(200);
    let enable = |on: bool| {
        world
            .ask("PATCH", &path, Some(&json!({"configuration": {"event.notification.enabled": on}})))
            .expect(200)
    };
    assert_eq!(enable(true)["eventsEnabled"], true);
    let poller = world.poll(&made, "things");
    let events = world.get(&format!("{path}/events")).as_array().unwrap().len();
    enable(false);
    let rests = world.get(&format!("{path}/pollers/things"));
    assert!(rests["paused"].as_str().unwrap().starts_with("events are off"), "{rests}");
    assert_eq!(rests["watermark"], poller["watermark"]);
    let resumed = world.ask("DELETE", &format!("{path}/pollers/things/paused"), None);
    assert_eq!(resumed.expect(409)["code"], "eventsOff");
    let asked = vendor.asked("/things").len();
    std::thread::sleep(QUIET);
    assert_eq!(vendor.asked("/things").len(), asked);
    enable(true);
    world.poll(&made, "things");
    assert_eq!(world.get(&format!("{path}/events")).as_array().unwrap().len(), events, "nothing twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_its_own_stay_when_a_connector_of_its_key_comes() {
    let vendor = vendor().await;
    let world = World::new();
    let mut own = own_settings(&vendor.url());
    own["element"] = json!({"key": "small"});
    let made = world.make(&own);
    assert_eq!((made.get("elementId"), &made["element"]), (None, &json!({"key": "small"})));
    let path = format!("/instances/{}", made["id"]);
    let element = world.import(&keyed(json!({})));
    let read = world.get(&path);
    assert_eq!(world.ask("PUT", &path, Some(&read)).expect(200).get("elementId"), None);
    let docs = world.ask("GET", &format!("{path}/docs"), None).expect(404);
    assert_eq!(docs["code"], "noConnector");
    world.server.ask(&world.as_instance(&made), "GET", "/hubs/crm/things", None).expect(404);
    let refused = world.ask("PATCH", &path, Some(&json!({"element": {"key": "other"}}))).expect(409);
    assert_eq!(refused["code"], "elementChanged");
    let patch = json!({"element": {"id": element["id"]}, "configuration": {"api.key": KEY,
        "event.poller.configuration": {"things": {}}}});
    let moved = world.ask("PATCH", &path, Some(&patch)).expect(200);
    assert_eq!(moved["elementId"], element["id"]);
    world.server.ask(&world.as_instance(&made), "GET", "/hubs/crm/things", None).expect(200);
}
