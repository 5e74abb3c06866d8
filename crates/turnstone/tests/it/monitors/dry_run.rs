//! Runs that write nothing.

use serde_json::{Value, json};

use super::{PASSWORD, World, monitor, places};
use crate::bench::{request, wait_for};

#[test]
fn a_dry_run_tells_everything_and_changes_nothing() {
    let world = World::start();
    world.users(&[1, 2]);
    let id = world.subscribed(&monitor(), json!({}));
    world.run(id);
    world.next();
    world.users(&[1, 2, 3]);
    let monitors = format!("/monitors/{}", world.get(&format!("/subscriptions/{id}"))["monitorId"]);
    let before = world.everything(id);

    let tested = world.ask("POST", &format!("{monitors}/test"), &json!({"subscriptionId": id})).expect(200);
    assert_eq!(
        (&tested["ok"], &tested["error"], &tested["recordCount"]),
        (&json!(true), &Value::Null, &json!(3))
    );
    assert_eq!((&tested["cursor"], &tested["savesCursor"]), (&json!({"last": 3}), &json!(true)));
    let events = tested["reported"]["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{tested}");
    assert_eq!((&events[0]["eventType"], &events[0]["objectId"]), (&json!("CREATED"), &json!("3")));
    assert!(events[0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    let call = tested["cards"].as_array().unwrap().iter().find(|card| card["card"] == "call").unwrap();
    assert_eq!(call["inputs"]["query"], json!({"group": "all", "seen": 2}));
    assert_eq!(call["outputs"]["body"]["mark"], json!({"last": 3}));
    assert!(call["startedAt"].is_string() && call["finishedAt"].is_string(), "{call}");

    let body = json!({"instanceId": world.instance, "document": monitor(), "options": {"Group": "staff"}, "cursor": {"last": 9}});
    let inline = world.ask("POST", "/monitors/test", &body).expect(200);
    assert_eq!((&inline["recordCount"], &inline["reported"]), (&json!(3), &Value::Null));
    assert_eq!(world.asked().last().unwrap(), "/users?group=staff&seen=9");
    assert_eq!(world.everything(id), before, "a dry run changed something");
    // Both went out with the credentials of the instance, and that is written down.
    let audit = world.get("/audit?pageSize=2");
    let entry = |at: usize| (audit[at]["action"].clone(), audit[at]["detail"].clone());
    let of = |more: Value| json!({"monitor": 1, "instance": world.instance, "revision": more});
    assert_eq!(entry(1), (json!("testMonitor"), of(json!(1))), "{audit}");
    let of_document = json!({"document": "New users", "instance": world.instance});
    assert_eq!(entry(0), (json!("testDocument"), of_document), "{audit}");
    world.receiver_is_silent();
}

#[test]
fn a_failure_names_its_card_and_keeps_the_providers_words() {
    let world = World::start();
    world.users(&[1]);
    world.fail_with(Some(502));
    let made = world.ask("POST", "/monitors", &json!({"document": monitor()})).expect(200);
    let path = format!("/monitors/{}/test", made["id"]);
    let body = json!({"instanceId": world.instance, "options": {"Group": "all"}});
    let tested = world.ask("POST", &path, &body).expect(200);
    let error = &tested["error"];
    assert_eq!((&tested["ok"], &error["status"]), (&json!(false), &json!(502)));
    assert!(error["raw"].as_str().unwrap().contains("the database of the provider is away"), "{error}");
    assert!(error["card"].as_str().is_some_and(|card| !card.is_empty()), "{error}");
    assert_eq!((&tested["savesCursor"], &tested["records"]), (&json!(false), &json!([])));
}

#[test]
fn a_helper_flow_is_run_by_its_name_and_no_secret_is_told() {
    let world = World::start();
    let made = world.ask("POST", "/monitors", &json!({"document": monitor()})).expect(200);
    let path = format!("/monitors/{}/test", made["id"]);
    let ping =
        world.ask("POST", &path, &json!({"instanceId": world.instance, "flow": "_authping"})).expect(200);
    assert_eq!(ping["returned"], json!({"who": "somebody"}));
    assert!(!ping.to_string().contains(PASSWORD), "{ping}");
    let body =
        json!({"instanceId": world.instance, "flow": "asRecord", "values": {"user": {"id": 5, "name": "x"}}});
    let record = world.ask("POST", &path, &body).expect(200);
    assert_eq!(record["returned"]["record"]["User"]["Name"], json!("x"));

    for (body, place) in [
        (json!({}), "instanceId"),
        (json!({"instanceId": 1, "subscriptionId": 1}), "instanceId"),
        (json!({"instanceId": "x"}), "instanceId"),
        (json!({"instanceId": world.instance}), "options.Group"),
        (json!({"instanceId": world.instance, "flow": "nothing"}), "flow"),
        (json!({"instanceId": world.instance, "flow": 7}), "flow"),
        (json!({"instanceId": world.instance, "flow": "asRecord", "values": [1]}), "values"),
        (json!({"instanceId": world.instance, "options": {"Group": "all"}, "cursor": 7}), "cursor"),
        (json!({"instanceId": world.instance, "document": {}}), "document"),
        (json!({"instanceId": world.instance, "version": 0}), "version"),
    ] {
        assert_eq!(places(&world.ask("POST", &path, &body).expect(400)), [place], "{body}");
    }
    world.ask("POST", &path, &json!({"instanceId": 999})).expect(404);
    world.ask("POST", &path, &json!({"subscriptionId": 999})).expect(404);
    world.ask("POST", &path, &json!({"instanceId": world.instance, "version": 1})).expect(404);
    world.ask("POST", "/monitors/999/test", &json!({"instanceId": world.instance})).expect(404);
    let inline = |document: Value| json!({"instanceId": world.instance, "document": document});
    assert!(
        !places(&world.ask("POST", "/monitors/test", &inline(json!({"name": "x"}))).expect(400)).is_empty()
    );
    world.ask("POST", "/monitors/test", &inline(Value::Null)).expect(400);
}

#[test]
fn a_subscription_of_another_monitor_or_of_other_options_is_refused() {
    let world = World::start();
    world.users(&[1]);
    let id = world.subscribed(&monitor(), json!({}));
    let own = format!("/monitors/{}", world.get(&format!("/subscriptions/{id}"))["monitorId"]);
    let mut other = monitor();
    (other["name"], other["cursor"]) = (json!("other"), json!("number"));
    other["options"] = json!([{"label": "Team", "type": "dropdown", "values": ["north"]}]);
    other["cards"][0]["inputs"]["query"] =
        json!({"team": {"from": "options.Team"}, "seen": {"from": "monitor.cursor"}});
    other["cards"][2]["inputs"]["Properties"] = json!({"from": "call.body.mark.last"});
    let others = format!("/monitors/{}", world.deployed(&other));
    let of = json!({"subscriptionId": id});
    let refused = world.ask("POST", &format!("{others}/test"), &of).expect(400);
    assert_eq!(places(&refused), ["subscriptionId"]);
    assert!(refused["message"].as_str().unwrap().contains("a subscription of another monitor"), "{refused}");
    assert_eq!(world.asked(), [""; 0], "nobody was asked");

    // The draft wants other options and another cursor, and says so as a move of the subscription to it would.
    world.run(id);
    world.ask("PUT", &own, &json!({"name": "New users", "document": other})).expect(200);
    let tested = places(&world.ask("POST", &format!("{own}/test"), &of).expect(400));
    assert_eq!(tested, ["cursor", "options.Team", "options.Group"]);
    world.ask("POST", &format!("{own}/deploy"), &Value::Null).expect(200);
    let moved = world.ask("PATCH", &format!("/subscriptions/{id}"), &json!({"version": 2})).expect(400);
    assert_eq!(places(&moved), tested[1..]);
    let with = json!({"subscriptionId": id, "cursor": 1, "options": {"Team": "north"}});
    let tested = world.ask("POST", &format!("{own}/test"), &with).expect(200);
    assert_eq!((&tested["ok"], &tested["cursor"]), (&json!(true), &json!(1)), "{tested}");
    let inline = json!({"subscriptionId": id, "document": monitor()});
    assert_eq!(world.ask("POST", "/monitors/test", &inline).expect(200)["ok"], json!(true));
}

#[test]
fn a_stopping_server_ends_a_dry_run_and_says_so() {
    let world = World::start();
    let body = json!({"instanceId": world.instance, "document": monitor(), "options": {"Group": "all"}});
    let World { server, token, provider, gate, .. } = world;
    let held = gate.lock().unwrap();
    let address = server.address;
    let asked = std::thread::spawn(move || {
        let path = "/elements/api-v2/monitors/test";
        request(address, "POST", path, Some(&token), Some("application/json"), body.to_string().as_bytes())
    });
    let is_asked = || provider.seen.lock().unwrap().iter().any(|seen| seen.path.starts_with("/users"));
    wait_for("request", || is_asked().then_some(()));
    // The provider does not answer before the server is gone.
    assert!(server.terminate());
    let error = asked.join().unwrap().expect(503);
    assert_eq!(error["code"], json!("stopping"), "{error}");
    drop(held);
}
