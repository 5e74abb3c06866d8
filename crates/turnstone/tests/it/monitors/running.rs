//! Runs of subscriptions: what they report, where to, and what a failure leaves.

use serde_json::{Value, json};

use super::{KEY, PASSWORD, World, monitor, next, told};
use crate::bench::{Receiver, wait_for};
use crate::webhooks::stands_in;

#[test]
fn a_first_run_reports_all_a_second_nothing_and_a_failing_one_moves_nothing() {
    let world = World::start();
    world.users(&[1, 2]);
    let id = world.subscribed(&monitor(), json!({}));
    assert_eq!(world.cursor(id), Value::Null);
    let first = world.run(id);
    assert_eq!((&first["outcome"], &first["kind"]), (&json!("completed"), &json!("flow")));
    assert_eq!(told(&world.next()), ["CREATED 1", "CREATED 2"]);
    assert_eq!(world.cursor(id), json!({"last": 2}));
    let asked = |number: usize| world.provider.seen.lock().unwrap()[number].path.clone();
    assert_eq!(asked(0), "/users?group=all", "nothing is known before the first run");

    let second = world.run(id);
    assert_eq!((&second["counts"]["reported"], &second["counts"]["created"]), (&json!(2), &json!(0)));
    assert!(asked(1).contains("seen=2"), "{}", asked(1));

    world.users(&[1, 2, 3]);
    world.fail_with(Some(503));
    let failed = world.run(id);
    assert_eq!(failed["outcome"], json!("failed"));
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("503"), "{message}");
    assert_eq!(world.cursor(id), json!({"last": 2}), "a failing fetch moves nothing");
    let shown = world.get(&format!("/subscriptions/{id}"));
    assert_eq!((&shown["failuresInARow"], &shown["lastRun"]["id"]), (&json!(1), &failed["id"]));

    world.fail_with(None);
    let after = world.run(id);
    assert_eq!(after["counts"]["created"], json!(1));
    assert_eq!(told(&world.next()), ["CREATED 3"]);
    assert_eq!(world.cursor(id), json!({"last": 3}));
    // Pollers of subscriptions are none of declared resources.
    let pollers = world.get(&format!("/instances/{}/pollers", world.instance));
    assert_eq!((pollers.as_array().unwrap().len(), &pollers[0]["resource"]), (1, &json!("idle")));
}

#[test]
fn what_the_cards_did_is_told_without_a_secret() {
    let world = World::start();
    world.users(&[1]);
    let id = world.subscribed(&monitor(), json!({}));
    let run = world.run(id);
    let trace = world.get(&format!("/runs/{}/trace", run["id"].as_str().unwrap()));
    let cards = trace["cards"].as_array().unwrap();
    let call = cards.iter().find(|card| card["card"] == "call").unwrap_or_else(|| panic!("{trace}"));
    assert_eq!(call["inputs"]["relative_url"], json!("/users"));
    assert_eq!(call["outputs"]["body"]["users"][0]["id"], json!(1));
    assert!(!trace.to_string().contains(PASSWORD), "{trace}");

    // A provider that repeats the password in its answer.
    let mut echoes = monitor();
    echoes["name"] = json!("echoes");
    echoes["cards"][0]["inputs"]["relative_url"] = json!("/me");
    echoes["cards"][1]["inputs"]["list"] = json!([]);
    echoes["cards"][2]["inputs"]["Properties"] = json!({"a": 1});
    let echoing = world.subscribed(&echoes, json!({}));
    let run = world.run(echoing);
    assert_eq!(run["outcome"], json!("completed"), "{run}");
    let trace = world.get(&format!("/runs/{}/trace", run["id"].as_str().unwrap())).to_string();
    assert!(trace.contains("echo") && !trace.contains(PASSWORD), "{trace}");
    assert!(!stands_in(world.data.path(), PASSWORD), "the password stands in the database");

    world.ask("GET", "/runs/run_00000000000000000000000000/trace", &Value::Null).expect(404);
    world.ask("GET", "/runs/x/trace", &Value::Null).expect(404);
}

#[test]
fn an_own_callback_gets_its_events_and_the_instances_does_not() {
    let world = World::start();
    world.users(&[1]);
    let own = Receiver::start("another key");
    let callback = json!({"url": format!("http://{}/own", own.address), "signatureKey": "another key",
                          "headers": {"X-Team": "a secret word"}});
    let id = world.subscribed(&monitor(), json!({"callback": callback}));
    let path = format!("/subscriptions/{id}");
    let shown = world.get(&path)["callback"].clone();
    assert_eq!(
        (&shown["signatureKey"], &shown["headers"]["X-Team"]),
        (&json!("********"), &json!("********"))
    );
    world.run(id);
    assert_eq!(told(&next(&own)), ["CREATED 1"]);
    wait_for("status", || {
        let event = world.get(&format!("/instances/{}/events", world.instance)).get(0)?.clone();
        (event["status"] == "NOTIFIED").then_some(())
    });

    // Sent back as it is shown, it stays as it is; and another subscription tells the instance's.
    world.ask("PATCH", &path, &json!({"callback": shown, "name": "own"})).expect(200);
    world.users(&[1, 2]);
    world.run(id);
    assert_eq!(told(&next(&own)), ["CREATED 2"]);
    let other =
        json!({"monitorId": world.get(&path)["monitorId"], "name": "other", "options": {"Group": "staff"}});
    let other = world.subscribe(&other).expect(200)["id"].as_i64().unwrap();
    world.run(other);
    assert_eq!(
        told(&world.next()),
        ["CREATED 1", "CREATED 2"],
        "the first that the instance's callback hears"
    );

    // Without its own, what comes later goes where the instance's goes.
    let gone = world.ask("PATCH", &path, &json!({"callback": null})).expect(200);
    assert_eq!(gone["callback"], Value::Null);
    world.users(&[1, 2, 3]);
    world.run(id);
    assert_eq!(told(&world.next()), ["CREATED 3"]);
    let missing = world.ask(
        "PATCH",
        &path,
        &json!({"callback": {"url": "http://127.0.0.1:9/", "signatureKey": "********"}}),
    );
    assert_eq!(super::places(&missing.expect(400)), ["callback.signatureKey"]);
    assert!(!stands_in(world.data.path(), "another key") && !stands_in(world.data.path(), KEY));
}

#[test]
fn one_that_is_switched_off_keeps_its_cursor_and_runs_not() {
    let world = World::start();
    world.users(&[1]);
    let id = world.subscribed(&monitor(), json!({}));
    world.run(id);
    let path = format!("/subscriptions/{id}");
    let off = world.ask("DELETE", &format!("{path}/active"), &Value::Null).expect(200);
    assert_eq!((&off["active"], &off["cursor"]), (&json!(false), &json!({"last": 1})));
    let refused = world.ask("POST", &format!("{path}/run"), &Value::Null).expect(409);
    assert_eq!(refused["code"], json!("inactive"));
    let on = world.ask("PUT", &format!("{path}/active"), &Value::Null).expect(200);
    assert_eq!((&on["active"], &on["cursor"]), (&json!(true), &json!({"last": 1})));
    world.run(id);
    world.ask("DELETE", &format!("/instances/{}/enabled", world.instance), &Value::Null).expect(200);
    let refused = world.ask("POST", &format!("{path}/run"), &Value::Null).expect(409);
    assert_eq!(refused["code"], json!("disabled"));
    assert_eq!(world.ask("DELETE", &path, &Value::Null).expect(200), json!({}));
    world.ask("GET", &path, &Value::Null).expect(404);
}
