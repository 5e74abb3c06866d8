//! Webhooks for speed, polls to reconcile, one stream.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{HOOK, World, told};
use crate::bench::wait_for;
use crate::harness::{Peer, answer, json_answer};

type Records = Arc<Mutex<BTreeMap<String, Value>>>;

/// A provider with a list and an address for each record.
fn provider() -> (Peer, Records) {
    let records: Records = Arc::default();
    let served = Arc::clone(&records);
    let peer = Peer::start(move |seen, _| {
        let records = served.lock().unwrap();
        match seen.path.strip_prefix("/contacts/") {
            Some(id) => match records.get(id) {
                Some(record) => json_answer(record),
                None => answer("404 Not Found", "application/json", "{}"),
            },
            None => json_answer(&Value::Array(records.values().cloned().collect())),
        }
    });
    (peer, records)
}

fn put(records: &Records, id: &str, name: &str) {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut records = records.lock().unwrap();
    let created = records.get(id).map_or(json!(now), |old| old["created"].clone());
    records.insert(id.to_owned(), json!({"id": id, "name": name, "updated": now, "created": created}));
}

fn configuration(base: &str, interval: &str, webhook: Value) -> Value {
    let mut resource = json!({
        "url": format!("{base}/contacts"), "idField": "id", "pagination": {"type": "none"}, "startFrom": "beginning", "overlap": 1,
        "datesConfiguration": {
            "updatedDateField": "updated", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
            "createdDateField": "created", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'"
        }
    });
    if !webhook.is_null() {
        resource["webhook"] = webhook;
    }
    json!({
        "event.vendor.type": "both", "event.poller.refresh_interval": interval, "base.url": base,
        "event.poller.configuration": {"contacts": resource}
    })
}

fn poller(world: &World, made: &Value) -> Value {
    world.ask("GET", &format!("/instances/{}/pollers/contacts", made["id"]), None).expect(200)
}

#[test]
fn a_named_record_is_read_at_once_and_the_poll_does_not_tell_it_again() {
    let world = World::start();
    let (peer, records) = provider();
    put(&records, "a", "one");
    world.connector("pushy", HOOK, &[], json!([]));
    let read_url = format!("{}/contacts/{{id}}", peer.url(""));
    let made = world.instance("pushy", configuration(&peer.url(""), "10", json!({"readUrl": read_url})));
    let path = world.path(&made);
    assert_eq!(told(&world.next()), ["CREATED a"], "the poll is there, too");
    wait_for("closed pass", || (poller(&world, &made)["passes"].as_u64() > Some(0)).then_some(()));

    put(&records, "b", "two");
    for _ in 0..3 {
        world.send("POST", &path, &[], br#"{"id": "b", "type": "CREATED"}"#).expect(200);
    }
    let callback = world.next();
    assert_eq!(told(&callback), ["CREATED b"]);
    assert_eq!(
        callback.body["message"]["raw"]["contacts"][0]["name"], "two",
        "the provider's record, as polled"
    );
    let event = &callback.body["message"]["events"][0];
    assert!(event["reason"].as_str().unwrap().contains("notified"), "{event}");
    records.lock().unwrap().remove("b");
    world.send("POST", &path, &[], br#"{"id": "b", "type": "DELETED"}"#).expect(200);
    assert_eq!(told(&world.next()), ["DELETED b"]);

    // Dropped by the provider: the poll finds it and says so.
    put(&records, "c", "three");
    world.ask("POST", &format!("/instances/{}/pollers/contacts/run", made["id"]), None).expect(202);
    assert_eq!(told(&world.next()), ["CREATED c"]);
    let run = wait_for("run that tells", || {
        let runs = poller(&world, &made)["lastRuns"].clone();
        runs.as_array().unwrap().iter().find(|run| run["counts"]["unannounced"] == 1).cloned()
    });
    assert_eq!(run["kind"], "poll");
    world.silence();
    let runs = poller(&world, &made)["lastRuns"].clone();
    let looks = runs.as_array().unwrap().iter().filter(|run| run["kind"] == "look").count();
    assert!(looks >= 2, "{runs}");
}

#[test]
fn without_a_way_to_read_one_record_the_list_is_polled_at_once() {
    let world = World::start();
    let (peer, records) = provider();
    put(&records, "a", "one");
    world.connector("pushy", HOOK, &[], json!([]));
    let made = world.instance("pushy", configuration(&peer.url(""), "600", Value::Null));
    let path = world.path(&made);
    world.next();
    wait_for("closed pass", || (poller(&world, &made)["passes"].as_u64() > Some(0)).then_some(()));
    put(&records, "b", "two");
    world.send("POST", &path, &[], br#"{"id": "b", "type": "CREATED"}"#).expect(200);
    assert_eq!(told(&world.next()), ["CREATED b"]);
    // What is no polled resource is an event of its own.
    world.send("POST", &path, &[], br#"{"id": "o-1", "type": "CREATED", "kind": "orders"}"#).expect(200);
    let callback = world.next();
    assert_eq!(
        (told(&callback), &callback.body["message"]["events"][0]["objectType"]),
        (vec!["CREATED o-1".into()], &json!("orders"))
    );
    let due = poller(&world, &made)["nextDue"].clone();
    assert!(due.is_string(), "{due}");
    world.silence();
}
