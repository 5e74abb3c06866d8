//! The first poll of a configuration that is kept nowhere, over the API.

use serde_json::{Value, json};

use crate::calls::vendor::{Said, Seen, Vendor};
use crate::calls::world::small_element;
use crate::instances::world::World;

const KEY: &str = "canary-api-key";

/// Seven things over two pages, one of which has no id and one a date that is none.
async fn vendor() -> Vendor {
    Vendor::start(|seen: &Seen| -> Said {
        match seen.path.as_str() {
            "/things" if seen.header("x-api-key") == "wrong" => (401, Vec::new(), json!({"message": "who"})),
            "/things" => {
                let (page, size) = (seen.number("page", 1), seen.number("size", 5));
                let all = (1..=7_u32).map(|at| {
                    let mut thing = json!({"id": at, "made": "2026-01-01T00:00:00Z",
                        "changed": format!("2026-02-0{at}T10:00:00Z"), "seen": seen.header("x-api-key").len()});
                    match at {
                        2 => thing["id"] = json!(null),
                        3 => thing["changed"] = json!("yesterday"),
                        _ => {}
                    }
                    thing
                });
                let things: Vec<Value> = all.skip((page - 1) * size).take(size).collect();
                (200, Vec::new(), json!({"items": things}))
            }
            _ => (404, Vec::new(), json!({"message": "nothing here"})),
        }
    })
    .await
}

fn document(vendor: &Vendor) -> Value {
    json!({
        "element": {"key": "own"}, "name": "Own", "configuration": {
            "base.url": vendor.url(),
            "http.headers": {"X-Api-Key": KEY},
            "event.poller.configuration": {"things": {
                "url": "/things", "idField": "id", "list": "items", "startFrom": "beginning", "pageSize": 5,
                "pagination": {"type": "page", "page": "page", "size": "size"},
                "datesConfiguration": {"updatedDateField": "changed", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
                    "createdDateField": "made", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"}}}
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_polled_without_being_kept() {
    let (vendor, world) = (vendor().await, World::new());
    let explain = |body: Value| world.ask("POST", "/instances/explain", Some(&body));
    let told = explain(json!({"instance": document(&vendor)})).expect(200);
    let explanation = &told[0]["explanation"];
    assert_eq!((&told[0]["resource"], told.as_array().unwrap().len()), (&json!("things"), 1));
    assert_eq!(explanation["outcome"], "yielded", "one page was asked for: {told}");
    assert!(explanation["requests"][0].as_str().unwrap().contains("/things?size=5&page=1"), "{told}");
    let sample = explanation["sample"].as_array().unwrap();
    assert_eq!(sample.len(), 5, "{told}");
    assert_eq!(
        (&sample[0]["id"], &sample[0]["verdict"], &sample[0]["record"]["made"]),
        (&json!("1"), &json!("UPDATED"), &json!("2026-01-01T00:00:00Z"))
    );
    let dates = &sample[0]["dates"];
    assert_eq!(
        (&dates["updated"]["raw"], &dates["updated"]["understood"], &dates["created"]["understood"]),
        (&json!("2026-02-01T10:00:00Z"), &json!("2026-02-01T10:00:00Z"), &json!("2026-01-01T00:00:00Z"))
    );
    assert!(sample[0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{}", sample[0]);
    assert_eq!((&sample[1]["id"], &sample[1]["ignored"]), (&json!(null), &json!("quarantined")));
    assert_eq!((&sample[2]["id"], &sample[2]["verdict"]), (&json!("3"), &json!("IGNORED")));
    assert!(sample[2]["dates"]["updated"]["fault"].as_str().unwrap().contains("`changed`"), "{}", sample[2]);
    assert!(!told.to_string().contains(KEY), "{told}");
    assert_eq!(world.get("/instances"), json!([]), "nothing is kept");
    assert!(!world.holds(KEY));

    let told = explain(json!({"instance": document(&vendor), "resource": "things", "pages": 20})).expect(200);
    let explanation = &told[0]["explanation"];
    // Pages that cannot overlap are read again, and no record of them is shown twice.
    assert_eq!(explanation["outcome"], "completed", "{told}");
    assert!(explanation["counts"]["quarantined"].as_u64() >= Some(2), "{told}");
    assert_eq!(explanation["sample"].as_array().unwrap().len(), 7);
    assert_eq!(explanation["events"].as_array().unwrap().len(), 5);
    let told = explain(json!({"instance": document(&vendor), "startFrom": "now"})).expect(200);
    assert_eq!(told[0]["explanation"]["sample"][0]["verdict"], "SEEDED", "{told}");
    assert_eq!(vendor.seen.lock().unwrap().iter().filter(|seen| seen.method != "GET").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_as_for_an_instance() {
    let (vendor, (world, role)) = (vendor().await, World::with_people().await);
    let explain = |body: &Value| world.ask("POST", "/instances/explain", Some(body));
    let mut broken = document(&vendor);
    broken["configuration"]["event.poller.configuration"]["things"]["idField"] = json!("");
    broken["configuration"]["event.poller.configuration"]["things"]["pageSize"] = json!(-1);
    let told = explain(&json!({"instance": broken})).expect(400);
    let stored = world.ask("POST", "/instances", Some(&broken)).expect(400);
    assert_eq!((&told["faults"], &told["message"]), (&stored["faults"], &stored["message"]));
    assert_eq!(told["faults"].as_array().unwrap().len(), 2, "{told}");

    let mut refused = document(&vendor);
    refused["configuration"]["http.headers"]["X-Api-Key"] = json!("wrong");
    let told = explain(&json!({"instance": refused})).expect(200);
    assert_eq!(told[0]["explanation"]["error"]["code"], "unauthorised", "{told}");
    assert_eq!(told[0]["explanation"]["sample"], json!([]));

    let whole = document(&vendor);
    for (body, words) in [
        (json!({"instance": whole, "pages": 0}), "`pages` is 0"),
        (json!({"instance": whole, "pages": 21}), "`pages` is 21"),
        (json!({"instance": whole, "startFrom": "yesterday"}), "`startFrom` is neither"),
        (json!({"instance": whole, "resource": "nothing"}), "there is no resource `nothing`"),
        (json!({"instance": []}), "not an object"),
        (json!({}), "`instance`"),
        (json!({"instance": whole, "more": 1}), "`more`"),
    ] {
        let message = explain(&body).expect(400)["message"].to_string();
        assert!(message.contains(words), "{message}");
    }
    // Deciding what is polled, and where credentials go, is an admin's.
    let body = json!({"instance": whole});
    world.server.ask(&role("member"), "POST", "/instances/explain", Some(&body)).expect(403);
    world.server.ask(&role("reader"), "POST", "/instances/explain", Some(&body)).expect(403);
    world.server.ask(&role("admin"), "POST", "/instances/explain", Some(&body)).expect(200);
    assert_eq!(explain(&json!({"instance": whole, "instanceId": 999_999})).expect(404)["code"], "notFound");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_tried_with_the_secrets_that_it_has() {
    let (vendor, world) = (vendor().await, World::new());
    let mut document = document(&vendor);
    document["configuration"]["event.notification.enabled"] = json!(false);
    let made = world.make(&document);
    let mut shown = world.get(&format!("/instances/{}", made["id"]));
    assert_eq!(shown["configuration"]["http.headers"]["X-Api-Key"], "********");
    let body = json!({"instance": shown, "instanceId": made["id"]});
    let told = world.ask("POST", "/instances/explain", Some(&body)).expect(200);
    assert_eq!(told[0]["explanation"]["sample"][0]["record"]["seen"], KEY.len(), "{told}");
    let faults = world.ask("POST", "/instances/explain", Some(&json!({"instance": shown}))).expect(400);
    assert!(faults["message"].as_str().unwrap().contains("none is kept here"), "{faults}");
    shown["configuration"]["event.poller.configuration"]["things"]["idField"] = json!("seen");
    let body = json!({"instance": shown, "instanceId": made["id"]});
    let told = world.ask("POST", "/instances/explain", Some(&body)).expect(200);
    assert_eq!(told[0]["explanation"]["sample"][0]["id"], KEY.len().to_string(), "the new configuration");
    let kept = world.get(&format!("/instances/{}", made["id"]));
    let things = &kept["configuration"]["event.poller.configuration"]["things"];
    assert_eq!(things["idField"], "id", "nothing is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_tried_before_it_is_changed() {
    let (vendor, world) = (vendor().await, World::new());
    let connector: Value = serde_json::from_str(&small_element(json!({}))).unwrap();
    world.import(&connector.to_string());
    let explain = |body: Value| world.ask("POST", "/elements/small/explain", Some(&body));
    let account = json!({"base.url": vendor.url()});
    let told = explain(json!({"configuration": account, "startFrom": "beginning"})).expect(200);
    let explanation = &told[0]["explanation"];
    assert_eq!(explanation["error"], json!(null), "{told}");
    assert_eq!(explanation["sample"][0]["dates"]["updated"]["understood"], "2026-02-01T10:00:00Z");
    // The members of the records as the connector maps them, by its own resource, with what a hook makes of it.
    let mut edited = connector.clone();
    edited["resources"][0]["hooks"] = json!([{"type": "postRequest", "mimeType": "application/javascript",
        "body": "done({response_body: {items: response_body.items.map((one) => ({...one, own: 'x' + one.id}))}});"}]);
    let polling = edited["configuration"].as_array_mut().unwrap().last_mut().unwrap();
    let text = polling["defaultValue"].as_str().unwrap().replace(r#""idField":"id""#, r#""idField":"own""#);
    polling["defaultValue"] = json!(text);
    let told = explain(json!({"element": edited, "configuration": account})).expect(200);
    assert_eq!(told[0]["explanation"]["sample"][0]["id"], "x1", "{told}");
    let kept = world.get("/elements/small");
    assert_eq!(kept["resources"][0]["hooks"], json!([]), "nothing is kept");
    let told = explain(json!({"element": {"name": "nothing else"}, "configuration": account})).expect(400);
    assert!(told["faults"].as_array().is_some_and(|faults| !faults.is_empty()), "{told}");
    explain(json!({"element": [], "configuration": account})).expect(400);
    world.ask("POST", "/elements/none/explain", Some(&json!({}))).expect(404);
    // A grant is not spent on a trial.
    let mut signed = connector;
    signed["key"] = json!("signed");
    signed["authentication"] = json!({"type": "oauth2"});
    world.import(&signed.to_string());
    let body = json!({"instance": {"element": {"key": "signed"}, "configuration": account, "providerData": {"code": "x"}}});
    let told = world.ask("POST", "/instances/explain", Some(&body)).expect(409);
    assert!(told["message"].as_str().unwrap().contains("not spent on a trial"), "{told}");
}
