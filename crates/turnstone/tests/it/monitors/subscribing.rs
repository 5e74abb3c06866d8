//! What a subscription may be, and what becomes of one that moves to another version.

use serde_json::{Value, json};

use super::{World, monitor, places};

#[test]
fn everything_that_is_wrong_is_told_beside_its_member_at_once() {
    let world = World::start();
    let id = world.deployed(&monitor());
    let error = world.subscribe(&json!({
        "monitorId": id, "name": "", "options": {"Group": "none", "Prefx": "x"}, "runMode": "sometimes",
        "schedule": {"interval": "4m"}, "callback": {"url": "ftp://a.test"}, "active": "yes", "cursor": "a text",
    }));
    let found = places(&error.expect(400));
    for place in [
        "name",
        "options.Group",
        "options.Prefx",
        "runMode",
        "schedule.interval",
        "callback.url",
        "active",
        "cursor",
    ] {
        assert!(found.iter().any(|path| path == place), "{place} is not among {found:?}");
    }
    assert_eq!(places(&world.subscribe(&json!({"monitorId": id})).expect(400)), ["options.Group"]);
    assert_eq!(places(&world.subscribe(&json!({})).expect(400)), ["monitorId"]);
    assert_eq!(places(&world.subscribe(&json!({"monitorId": 999})).expect(400)), ["monitorId"]);
    let options = json!({"Group": "all"});
    let more = |name: &str, value: Value| {
        let mut body = json!({"monitorId": id, "options": options});
        body[name] = value;
        places(&world.subscribe(&body).expect(400))
    };
    assert_eq!(more("version", json!(2)), ["version"]);
    let half = world.subscribe(&json!({"monitorId": id, "options": options, "version": 1.5})).expect(400);
    assert!(half["message"].as_str().unwrap().contains("`1.5` is no whole number above 0"), "{half}");
    assert_eq!(more("intervalMinutes", json!(4.9)), ["intervalMinutes"]);
    assert_eq!(more("intervalMinutes", json!(-1)), ["intervalMinutes"]);
    assert_eq!(more("intervalMinutes", json!(1e300)), ["intervalMinutes"]);
    for (schedule, place) in [
        (json!({"cron": "*/2 * * * *"}), "schedule.cron"),
        (json!({"cron": "every day"}), "schedule.cron"),
        (json!({"cron": "0 0 30 2 *"}), "schedule.cron"),
        (json!({"cron": "0 6 * * *", "zone": "Europe/Nowhere"}), "schedule.zone"),
        (json!({"cron": "0 6 * * *", "interval": "5m"}), "schedule"),
        (json!({"intervall": "5m"}), "schedule.intervall"),
        (json!("5m"), "schedule"),
    ] {
        assert_eq!(more("schedule", schedule.clone()), [place], "{schedule}");
    }
    let mut others = monitor();
    (others["name"], others["connector"]) = (json!("others"), json!("crm"));
    let others = world.deployed(&others);
    let error = world.subscribe(&json!({"monitorId": others, "options": options})).expect(400);
    assert_eq!(places(&error), ["instanceId"]);
    let draft = world.ask("POST", "/monitors", &json!({"name": "a draft"})).expect(200)["id"].clone();
    assert_eq!(places(&world.subscribe(&json!({"monitorId": draft})).expect(400)), ["monitorId"]);
    world.ask("POST", "/instances/999/subscriptions", &json!({"monitorId": id})).expect(404);
    assert_eq!(world.get("/subscriptions"), json!([]));
}

#[test]
fn a_subscription_is_due_by_interval_or_by_the_hours_of_a_zone() {
    let world = World::start();
    let id = world.deployed(&monitor());
    let options = json!({"Group": "staff"});
    let plain = world.subscribe(&json!({"monitorId": id, "options": options})).expect(200);
    assert_eq!((&plain["schedule"], &plain["name"]), (&json!({"interval": "5m"}), &json!("New users")));
    assert_eq!((&plain["runMode"], &plain["status"]["code"]), (&json!("eachRecord"), &json!("starting")));
    let cron = json!({"cron": "30 6 * * MON-FRI", "zone": "Europe/Berlin"});
    let body = json!({"monitorId": id, "options": options, "name": "early", "schedule": cron, "runMode": "everyTime"});
    let early = world.subscribe(&body).expect(200);
    assert_eq!(early["schedule"], cron);
    let due: jiff::Timestamp = early["nextDue"].as_str().unwrap().parse().unwrap();
    let due = due.to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    assert_eq!((due.hour(), due.minute()), (6, 30));
    let taken = world.subscribe(&body).expect(409);
    assert!(taken["message"].as_str().unwrap().contains("another name"), "{taken}");
    let path = format!("/subscriptions/{}", early["id"]);
    let changed =
        world.ask("PATCH", &path, &json!({"intervalMinutes": 60, "options": {"Group": "all"}})).expect(200);
    assert_eq!(
        (&changed["schedule"], &changed["options"]),
        (&json!({"interval": "60m"}), &json!({"Group": "all"}))
    );
    assert_eq!((&changed["name"], &changed["runMode"]), (&json!("early"), &json!("everyTime")));
    for (body, place) in [
        (json!({"active": false}), "active"),
        (json!({"monitorId": 1}), "monitorId"),
        (json!({"intervalMinutes": 1}), "intervalMinutes"),
        (json!({"options": {}}), "options.Group"),
    ] {
        assert_eq!(places(&world.ask("PATCH", &path, &body).expect(400)), [place]);
    }
    let of = |query: &str| world.get(&format!("/subscriptions{query}")).as_array().unwrap().len();
    let counts = [
        of(""),
        of(&format!("?monitorId={id}")),
        of("?monitorId=999"),
        of(&format!("?instanceId={}", world.instance)),
    ];
    assert_eq!(counts, [2, 2, 0, 2]);
    world.ask("GET", "/subscriptions?monitorId=x", &Value::Null).expect(400);
}

#[test]
fn another_cursor_type_needs_a_converted_cursor_or_a_new_start() {
    let world = World::start();
    world.users(&[1]);
    let id = world.subscribed(&monitor(), json!({}));
    world.run(id);
    let path = format!("/subscriptions/{id}");
    let monitors = format!("/monitors/{}", world.get(&path)["monitorId"]);
    let mut next = monitor();
    next["cursor"] = json!("number");
    next["cards"][0]["inputs"]["query"]["seen"] = json!({"from": "monitor.cursor"});
    next["cards"][2]["inputs"]["Properties"] = json!({"from": "call.body.mark.last"});
    world.ask("PUT", &monitors, &json!({"document": next})).expect(200);
    world.ask("POST", &format!("{monitors}/deploy"), &Value::Null).expect(200);
    assert_eq!(world.get(&path)["version"], json!(1), "a subscription stays with its version");

    let refused = world.ask("PATCH", &path, &json!({"version": 2})).expect(409);
    assert_eq!(refused["code"], json!("cursorType"));
    assert_eq!((world.get(&path)["version"].clone(), world.cursor(id)), (json!(1), json!({"last": 1})));
    let wrong = world.ask("PATCH", &path, &json!({"version": 2, "cursor": {"last": 1}})).expect(400);
    assert_eq!(places(&wrong), ["cursor"]);
    let moved = world.ask("PATCH", &path, &json!({"version": 2, "cursor": 1})).expect(200);
    assert_eq!((&moved["version"], &moved["cursor"]), (&json!(2), &json!(1)));
    let run = world.run(id);
    assert_eq!((&run["outcome"], &run["counts"]["reported"]), (&json!("completed"), &json!(1)), "{run}");
    assert_eq!(world.cursor(id), json!(1));
    // Back again, and anew: the ledger still knows what was reported.
    let back = world.ask("PATCH", &path, &json!({"version": 1, "cursor": null})).expect(200);
    assert_eq!((&back["version"], &back["cursor"]), (&json!(1), &Value::Null));
    assert_eq!(world.run(id)["counts"]["reported"], json!(1));
}

#[test]
fn a_name_and_a_password_are_kept_or_changed_together() {
    let world = World::start();
    let callback = |username: &str, password: &str| json!({"callback": {"url": "http://127.0.0.1:9/own", "username": username, "password": password}});
    let id = world.subscribed(&monitor(), callback("old", "old-password"));
    let path = format!("/subscriptions/{id}");
    let hidden = "********";
    for (body, place) in [
        (callback("new", hidden), "callback.password"),
        (callback(hidden, "new-password"), "callback.username"),
    ] {
        let error = world.ask("PATCH", &path, &body).expect(400);
        assert_eq!(places(&error), [place], "{error}");
    }
    for body in [callback(hidden, hidden), callback("new", "new-password")] {
        let shown = world.ask("PATCH", &path, &body).expect(200);
        assert_eq!(shown["callback"]["password"], json!(hidden));
    }
}

#[test]
fn the_audit_has_changes_and_nothing_else() {
    let world = World::start();
    let id = world.subscribed(&monitor(), json!({"cursor": {"last": 3}}));
    let path = format!("/subscriptions/{id}");
    let shown = world.get(&path);
    assert_eq!(world.ask("PATCH", &path, &json!({})).expect(200), shown);
    let active = format!("{path}/active");
    for (method, is_active) in
        [("PUT", true), ("DELETE", false), ("DELETE", false), ("PUT", true), ("PUT", true)]
    {
        assert_eq!(world.ask(method, &active, &Value::Null).expect(200)["active"], json!(is_active));
    }
    let audit = world.get("/audit");
    let entries: Vec<&Value> = audit.as_array().unwrap().iter().take(3).collect();
    let actions: Vec<&str> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["activateSubscription", "deactivateSubscription", "createSubscription"], "{audit}");
    assert_eq!(entries[2]["detail"]["cursor"], json!({"from": null, "to": r#"{"last":3}"#}));
}

#[test]
fn lists_of_monitors_and_subscriptions_come_in_pages() {
    let world = World::start();
    let id = world.subscribed(&monitor(), json!({"name": "a"}));
    let monitor = world.get(&format!("/subscriptions/{id}"))["monitorId"].clone();
    for name in ["b", "c"] {
        world
            .subscribe(&json!({"monitorId": monitor, "name": name, "options": {"Group": "all"}}))
            .expect(200);
        world.ask("POST", "/monitors", &json!({"name": name})).expect(200);
    }
    for path in ["/monitors", "/subscriptions", &format!("/instances/{}/subscriptions", world.instance)] {
        let (mut found, mut next) = (Vec::new(), 0);
        for (size, token) in [(2, true), (1, false)] {
            let page = world.ask("GET", &format!("{path}?pageSize=2&nextPage={next}"), &Value::Null);
            assert_eq!(page.header("Elements-Returned-Count"), Some(size.to_string().as_str()), "{path}");
            let told = page.header("Elements-Next-Page-Token").map(|token| token.parse().unwrap());
            assert_eq!(told.is_some(), token, "{path}");
            next = told.unwrap_or(next);
            found.extend(page.json().as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()));
        }
        assert_eq!(found, [1, 2, 3], "{path}");
        assert_eq!(world.get(path).as_array().unwrap().len(), 3);
        world.ask("GET", &format!("{path}?pageSize=0"), &Value::Null).expect(400);
    }
}

#[test]
fn what_only_a_sound_version_can_judge_is_a_conflict_when_it_is_none() {
    let world = World::start();
    let id = world.subscribed(&monitor(), json!({}));
    let path = format!("/subscriptions/{id}");
    // As if a later program did not know one of its cards any more.
    let world = world.restarted(|data| {
        let file = data.join("turnstone.db");
        let mut bytes = std::fs::read(&file).unwrap();
        let (card, unknown) = (b"control.cursor", b"control.cursed");
        let at: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(card)).collect();
        assert!(at.len() >= 2, "draft and version are not readable in the database");
        for at in at {
            bytes[at..at + unknown.len()].copy_from_slice(unknown);
        }
        std::fs::write(&file, bytes).unwrap();
    });
    let before = world.get(&path);
    for body in [
        json!({"cursor": {"last": 5}}),
        json!({"cursor": null}),
        json!({"schedule": {"cron": "0 6 * * *", "zone": "UTC"}}),
    ] {
        let error = world.ask("PATCH", &path, &body).expect(409);
        assert_eq!(error["code"], json!("badMonitor"), "{error}");
    }
    let error = world.ask("PUT", &format!("{path}/cursor"), &json!({"cursor": {"last": 5}})).expect(409);
    assert_eq!(error["code"], json!("badMonitor"), "{error}");
    assert_eq!(world.get(&path)["cursor"], before["cursor"]);
    assert_eq!(world.ask("PATCH", &path, &json!({"name": "other"})).expect(200)["name"], json!("other"));
}

#[test]
fn a_change_of_the_instance_plans_nothing_for_its_subscriptions() {
    let world = World::start();
    let subscription = world.subscribed(&monitor(), json!({"name": "idle"}));
    let path = format!("/instances/{}?plan=true", world.instance);
    let planned = |configuration: Value| {
        let plan = world.ask("PATCH", &path, &json!({"configuration": configuration})).expect(200);
        let fate = |change: &Value| format!("{} {}", change["resource"], change["cursor"]).replace('"', "");
        plan["changes"].as_array().unwrap().iter().map(fate).collect::<Vec<String>>()
    };
    assert_eq!(planned(json!({"event.poller.refresh_interval": "30000"})), ["idle kept"]);
    // A resource of a subscription's name is no subscription.
    let resources = json!({"other": {"url": "/idle", "idField": "id"}});
    assert_eq!(planned(json!({"event.poller.configuration": resources})), ["other new", "idle removed"]);
    let renamed = format!("/subscriptions/{subscription}");
    world.ask("PATCH", &renamed, &json!({"name": "other"})).expect(200);
    assert_eq!(planned(json!({"event.poller.configuration": resources})), ["other new", "idle removed"]);
}
