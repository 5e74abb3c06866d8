//! The mission's connectors, imported and instantiated over HTTP with its bodies, polled against providers that answer
//! as theirs do, and every event delivered once with a signature that holds.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{PATIENCE, QUIET, World};
use crate::bench::Receiver;
use crate::calls::mission;
use crate::calls::vendor::{Records, Vendor};

const KEY: &str = "a key that nobody knows";
const RECORDS: u64 = 65;

/// What is told: type, object, id.
type Told = BTreeSet<(String, String, String)>;

/// Imports, instantiates, polls three times, and sees what is delivered.
async fn delivers(
    document: &str,
    vendor: &Vendor,
    records: &Records,
    mut body: Value,
    resources: &[&str],
) -> (World, Value) {
    let world = World::new();
    let receiver = Receiver::start(KEY);
    let element = world.import(document);
    records.made(RECORDS, Timestamp::from_second(vendor.now().as_second() - 900_000).unwrap());
    body["configuration"]["event.notification.callback.url"] =
        json!(format!("http://{}/events", receiver.address));
    body["configuration"]["event.notification.signature.key"] = json!(KEY);
    let made = world.make(&body);
    assert_eq!(made["elementId"], element["id"]);
    assert_eq!(
        (&made["valid"], &made["disabled"], &made["eventsEnabled"]),
        (&json!(true), &json!(false), &json!(true))
    );
    assert_eq!(
        (&made["name"], &made["tags"]),
        (&body["name"], &body.get("tags").cloned().unwrap_or(json!([])))
    );
    for secret in [KEY, "secret-1", "access-token-1", "refresh-token-1", "temporary-1", "key-0123"] {
        assert!(!made.to_string().contains(secret) && !world.holds(secret), "{secret}");
    }
    assert!(made.get("providerData").is_none());
    for resource in resources {
        let poller = world.poll(&made, resource);
        assert_eq!(poller["status"]["code"], "ok", "{poller}");
    }
    assert!(receiver.next(QUIET).is_none(), "the start is silent");
    let now = vendor.pass(30);
    let changed_at = Timestamp::from_second(now.as_second() - 600).unwrap();
    for number in [3, 40] {
        records.change(number, changed_at);
    }
    records.made(2, Timestamp::from_second(changed_at.as_second() - RECORDS as i64).unwrap());
    let mut expect = Told::new();
    for resource in resources {
        world.poll(&made, resource);
        for (id, kind) in [("3", "UPDATED"), ("40", "UPDATED"), ("66", "CREATED"), ("67", "CREATED")] {
            expect.insert((kind.into(), (*resource).to_owned(), id.into()));
        }
    }
    let (mut told, mut count, mut ids) = (Told::new(), 0, BTreeSet::new());
    while told.len() < expect.len() {
        let callback = receiver.next(PATIENCE).expect("all events come");
        assert!(callback.verified, "{callback:?}");
        for event in callback.body["message"]["events"].as_array().unwrap() {
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            told.insert((text("eventType"), text("objectType"), text("objectId")));
            ids.insert(text("eventId"));
            count += 1;
        }
    }
    assert_eq!(told, expect);
    assert_eq!((count, ids.len()), (expect.len(), expect.len()), "each once");
    vendor.pass(1);
    for resource in resources {
        world.poll(&made, resource);
    }
    assert!(receiver.next(QUIET).is_none(), "nothing twice");
    let log = world.get(&format!("/instances/{}/events", made["id"]));
    assert_eq!(log.as_array().unwrap().len(), expect.len());
    (world, made)
}

#[tokio::test(flavor = "multi_thread")]
async fn revel() {
    let records = Records::default();
    let vendor = mission::revel(&records).await;
    let body = mission::revel_body(&vendor.url());
    let (world, made) = delivers(mission::REVEL, &vendor, &records, body, &["employees", "timesheets"]).await;
    assert_eq!(made["configuration"]["event.poller.configuration"]["timesheets"], json!({}));
    assert_eq!(made["configuration"]["oauth.api.secret"], "********");
    // The format that was typed is kept for the next time; one of the published ones is not.
    let audit = world.holds("yyyy-MM-dd'T'HH:mm:ss.SSS");
    assert!(audit);
    // What is given back, and gone.
    world.ask("DELETE", &format!("/instances/{}", made["id"]), None).expect(200);
    let own = world.as_instance(&made);
    world.server.ask(&own, "GET", "/hubs/employee/employees", None).expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn servicenow() {
    let records = Records::default();
    let vendor = mission::servicenow(&records).await;
    let mut body = mission::servicenow_body(&vendor.url());
    // As a text, and numbers as numbers: both are published.
    let polled = body["configuration"]["event.poller.configuration"].to_string();
    body["configuration"]["event.poller.configuration"] = json!(polled);
    body["configuration"]["event.poller.refresh_interval"] = json!(15);
    body["configuration"]["event.notification.enabled"] = json!("true");
    let (world, made) = delivers(mission::SERVICENOW, &vendor, &records, body, &["accounts"]).await;
    let own = world.as_instance(&made);
    let missing = world.server.ask(&own, "GET", "/hubs/helpdesk/incidents", None);
    assert_eq!(missing.header("elements-request-id"), missing.json()["requestId"].as_str());
    assert!(missing.status == 404 && missing.body.contains("No Record found"), "{}", missing.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn deals() {
    let records = Records::default();
    let vendor = mission::deals(&records).await;
    let body = mission::deals_body(&vendor.url());
    let (world, made) = delivers(mission::DEALS, &vendor, &records, body, &["deals"]).await;
    let entries = world.get(&format!("/instances/{}/configuration", made["id"]));
    let entry = |key: &str| {
        entries
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["key"] == key)
            .unwrap_or_else(|| panic!("{key}"))
    };
    assert_eq!(entry("api.token")["propertyValue"], "********");
    assert_eq!(entry("event.poller.configuration")["propertyValue"], r#"{"deals":{}}"#);
    let shown = world.get("/elements/activecampaign2");
    let known = shown["configuration"].as_array().unwrap();
    let known = known.iter().find(|known| known["key"] == "account").unwrap();
    assert_eq!((&entry("account")["id"], &entry("account")["propertyValue"]), (&known["id"], &json!("acme")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sage_one() {
    let records = Records::default();
    let vendor = mission::sageone(&records).await;
    let body = mission::sageone_body(&vendor.url());
    delivers(mission::SAGEONE, &vendor, &records, body, &["customers"]).await;
}
