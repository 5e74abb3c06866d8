//! Runs of subscriptions: what they report, where to, and what a failure leaves.

use serde_json::{Value, json};
use turnstone_provider::{
    Control, Fault, FaultRule, Names, Op, OpKind, ProviderConfig, RecordKind, ResourceConfig, Settings,
};

use super::{KEY, PASSWORD, World, monitor, next, told, told_in_all};
use crate::bench::{Receiver, wait_for};
use crate::harness::{Crm, root};
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
    assert_eq!(world.asked(), ["/users?group=all"], "nothing is known before the first run");

    let second = world.run(id);
    assert_eq!((&second["counts"]["reported"], &second["counts"]["created"]), (&json!(2), &json!(0)));
    assert_eq!(world.asked()[1..], ["/users?group=all&seen=2"]);

    world.users(&[1, 2, 3]);
    world.fail_with(Some(503));
    let failed = world.run(id);
    assert_eq!(failed["outcome"], json!("failed"));
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("503"), "{message}");
    assert_eq!(world.cursor(id), json!({"last": 2}), "a failing fetch moves nothing");
    // The failing card is marked, in the kept history too, with the provider's own words.
    let trace = world.get(&format!("/runs/{}/trace", failed["id"].as_str().unwrap()));
    let card = &trace["failedCard"];
    assert!(card["card"].is_string() && card["raw"].as_str().is_some_and(|raw| !raw.is_empty()), "{trace}");
    let marked = |card: &&Value| card["error"].is_string() && card["raw"] == trace["failedCard"]["raw"];
    assert!(trace["cards"].as_array().unwrap().iter().any(|card| marked(&card)), "{trace}");
    assert_eq!(trace["cursorBefore"], trace["cursorAfter"]);
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

/// The users of the fake provider, with the member that the example reads.
fn users_of_crm() -> Crm {
    let names = Names { created: "createdAt".into(), ..Names::default() };
    let settings = Settings { names, page_size: 100, page_size_max: 100, ..Settings::default() };
    let users = ResourceConfig::new("users", RecordKind::Customers).with_initial(12).with_settings(settings);
    Crm::start(ProviderConfig { paused: true, ..ProviderConfig::of(3, vec![users]) })
}

#[test]
fn the_example_tells_every_user_once_and_its_cursor_stays_through_failures() {
    let (world, crm) = (World::start(), users_of_crm());
    let instance = world.instance_at("people", "crm", &crm.provider.url())["id"].to_string();
    let example = std::fs::read_to_string(root().join("examples/monitors/new-users.yaml")).unwrap();
    let monitor = world.deployed(&json!(example));
    let made = world.ask(
        "POST",
        &format!("/instances/{instance}/subscriptions"),
        &json!({"monitorId": monitor, "cursor": null}),
    );
    let id = made.expect(200)["id"].as_i64().unwrap();
    let path = format!("/subscriptions/{id}");
    let cursor = || world.ask("GET", &format!("{path}/cursor"), &Value::Null).body;
    assert_eq!(world.cursor(id), Value::Null);

    let first = world.run(id);
    assert_eq!(
        (&first["outcome"], &first["counts"]["created"]),
        (&json!("completed"), &json!(12)),
        "{first}"
    );
    let mut known = told_in_all(&world.receiver, 12);
    known.dedup();
    assert_eq!(known.len(), 12, "none twice: {known:?}");
    let saved = cursor();
    assert!(world.cursor(id)["cursor_value"].is_string(), "{saved}");

    // The service cannot be asked: the example's Try ends the run well, without records, and saves nothing.
    crm.provider.control(Control::faults(vec![FaultRule::always(Fault::Status { code: 503 })])).unwrap();
    let unasked = world.run(id);
    assert_eq!(
        (&unasked["outcome"], &unasked["counts"]["records"]),
        (&json!("completed"), &json!(0)),
        "{unasked}"
    );
    assert_eq!(cursor(), saved);
    crm.provider.control(Control::faults(Vec::new())).unwrap();

    // A new user, whom two runs see and fail over: one over its record, after the cursor was handed over, and one over
    // the cursor itself.
    crm.provider.control(Control::ops(vec![Op::some(OpKind::Create, "users", 1)])).unwrap();
    // *Now* is at most three seconds behind: the part of a second that a `Date` leaves open, in the answer and in it.
    let second = jiff::Timestamp::now().as_second() + 4;
    wait_for("window that holds it", || (jiff::Timestamp::now().as_second() > second).then_some(()));
    let swapped = |from: &str, to: &str| {
        assert!(example.contains(from), "`{from}` is not in the example");
        let body = json!({"document": example.replace(from, to)});
        world.ask("PUT", &format!("/monitors/{monitor}"), &body).expect(200);
        let deployed = world.ask("POST", &format!("/monitors/{monitor}/deploy"), &Value::Null).expect(200);
        world.ask("PATCH", &path, &json!({"version": deployed["version"]})).expect(200);
        let failed = world.run(id);
        assert_eq!(failed["outcome"], json!("failed"), "{failed}");
        assert_eq!(cursor(), saved);
        failed["error"]["code"].as_str().unwrap().to_owned()
    };
    let date = swapped("Created: {from: inputs.user.createdAt}", "Created: {from: inputs.user.name}");
    assert_eq!(date, "wrong-outputs");
    let more = format!("{{cursor_value: {{from: now.date}}, more: {}}}", "x".repeat(10_300));
    assert_eq!(swapped("{cursor_value: {from: now.date}}", &more), "cursor-too-large");
    let events = world.get(&format!("/instances/{instance}/events?pageSize=1000"));
    assert_eq!(events.as_array().unwrap().len(), 12, "{events}");

    world.ask("PATCH", &path, &json!({"version": 1})).expect(200);
    let after = world.run(id);
    assert_eq!(after["counts"]["created"], json!(1), "{after}");
    let new = told(&world.next());
    assert!(new.len() == 1 && !known.contains(&new[0]), "{new:?}");
    assert_ne!(cursor(), saved);
    let last = world.run(id);
    assert_eq!((&last["outcome"], &last["counts"]["created"]), (&json!("completed"), &json!(0)), "{last}");
    let events = world.get(&format!("/instances/{instance}/events?pageSize=1000"));
    assert_eq!(events.as_array().unwrap().len(), 13, "{events}");
    world.receiver_is_silent();
}

#[test]
fn run_modes_tell_that_nothing_is_new_or_everything_at_once() {
    let world = World::start();
    world.users(&[1, 2]);
    let none = world.subscribed(&monitor(), json!({"runMode": "noNewData"}));
    let first = world.run(none);
    assert_eq!((&first["outcome"], &first["counts"]["records"]), (&json!("completed"), &json!(2)), "{first}");
    world.run(none);
    let callback = world.next();
    let events = callback.body["message"]["events"].as_array().unwrap().clone();
    assert_eq!((events.len(), &events[0]["eventType"]), (1, &json!("UNKNOWN")), "{callback:?}");
    assert_eq!(events[0]["reason"], json!("no new data in this run"));
    world.users(&[1, 2, 3]);
    world.run(none);
    assert_eq!(world.cursor(none), json!({"last": 3}));

    let mut all = monitor();
    all["name"] = json!("all users");
    let all = world.subscribed(&all, json!({"runMode": "everyTime"}));
    for (users, expect) in [(&[1, 2][..], vec!["1", "2"]), (&[1, 2, 3], vec!["3"]), (&[1, 2, 3], vec![])] {
        world.users(users);
        world.run(all);
        let callback = world.next();
        let events = callback.body["message"]["events"].as_array().unwrap();
        assert_eq!((events.len(), &events[0]["eventType"]), (1, &json!("UNKNOWN")), "{callback:?}");
        let held = callback.body["message"]["raw"].to_string();
        let found: Vec<&str> =
            ["1", "2", "3"].into_iter().filter(|id| held.contains(&format!(r#""ID":"{id}""#))).collect();
        assert_eq!(found, expect, "{held}");
    }
    world.receiver_is_silent();
}
