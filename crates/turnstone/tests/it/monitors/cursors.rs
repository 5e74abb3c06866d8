//! Cursors: set, reset, put back, written down, and kept when a run saves one that is too large.

use serde_json::{Value, json};

use super::{World, monitor};
use crate::bench::wait_for;

#[test]
fn a_cursor_is_set_reset_and_put_back_and_the_audit_knows() {
    let world = World::start();
    world.users(&[1]);
    let id = world.subscribed(&monitor(), json!({}));
    let run = world.run(id);
    let path = format!("/subscriptions/{id}");
    let cursor = format!("{path}/cursor");
    let saved = world.get(&cursor);
    assert_eq!(
        (&saved["savedBy"], &saved["type"], &saved["bytes"]),
        (&run["id"], &json!("object"), &json!(10))
    );

    let set = world
        .ask("PUT", &cursor, &json!({"cursor": {"last": 7, "exact": 12345678901234567890u64}}))
        .expect(200);
    assert_eq!((&set["cursor"]["last"], &set["savedBy"]), (&json!(7), &Value::Null));
    assert_eq!(world.cursor(id)["exact"], json!(12345678901234567890u64));
    world.run(id);
    let asked = world.asked();
    assert!(asked.last().unwrap().contains("seen=7"), "the next run starts from it: {asked:?}");

    let reset = world.ask("DELETE", &cursor, &Value::Null).expect(200);
    assert_eq!(reset["cursor"], Value::Null);
    let former = world.get(&format!("{path}/cursors"));
    let of_seven = former.as_array().unwrap().iter().find(|one| one["cursor"]["last"] == 7);
    let of_seven = of_seven.unwrap_or_else(|| panic!("{former}"));
    let back = world.ask("POST", &format!("{path}/rewind"), &json!({"to": of_seven["id"]})).expect(200);
    assert_eq!(back["cursor"]["last"], json!(7));
    world.ask("POST", &format!("{path}/rewind"), &json!({"to": 999_999})).expect(404);

    let audit = world.get("/audit");
    for (action, from, to) in [
        ("replaceCursor", r#"{"last":1}"#, r#"{"last":7"#),
        ("resetCursor", r#"{"last":1}"#, "null"),
        ("rewindCursor", "null", r#"{"last":7"#),
    ] {
        let entry = audit.as_array().unwrap().iter().find(|entry| entry["action"] == action);
        let detail = &entry.unwrap_or_else(|| panic!("{action}: {audit}"))["detail"]["cursor"];
        let said = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        assert!(said(&detail["from"]).starts_with(from), "{action}: {detail}");
        assert!(said(&detail["to"]).starts_with(to), "{action}: {detail}");
    }
}

#[test]
fn a_cursor_of_another_type_or_size_is_refused_and_the_good_one_stays() {
    let world = World::start();
    world.users(&[1]);
    let id = world.subscribed(&monitor(), json!({}));
    world.run(id);
    let cursor = format!("/subscriptions/{id}/cursor");
    let large = json!({"x": "y".repeat(10_240)});
    for (body, words) in [
        (json!({"cursor": 7}), "Object"),
        (json!({"cursor": large}), "10240"),
        (json!({}), "not given"),
        (json!({"last": 1}), "unknown field"),
        (json!([1]), "object"),
    ] {
        let error = world.ask("PUT", &cursor, &body).expect(400);
        let message = error["message"].as_str().unwrap();
        assert!(message.to_lowercase().contains(&words.to_lowercase()), "`{words}` is not in: {message}");
    }
    assert_eq!(world.cursor(id), json!({"last": 1}));

    // A run that would save too much fails with a reason, and the next one goes on from the good one.
    world.people.lock().unwrap().users = vec![json!({"id": "z".repeat(11_000), "name": "long"})];
    let failed = world.run(id);
    assert_eq!(
        (&failed["outcome"], &failed["error"]["code"]),
        (&json!("failed"), &json!("cursor-too-large"))
    );
    assert_eq!(world.cursor(id), json!({"last": 1}));
    world.users(&[1, 2]);
    assert_eq!(world.run(id)["outcome"], json!("completed"));
    assert_eq!(world.cursor(id), json!({"last": 2}));
}

#[test]
fn a_cursor_is_not_changed_under_a_run() {
    let world = World::start();
    world.users(&[1]);
    let id = world.subscribed(&monitor(), json!({}));
    world.run(id);
    let path = format!("/subscriptions/{id}");
    // Another version, for a move.
    let of = format!("/monitors/{}", world.get(&path)["monitorId"]);
    let mut document = monitor();
    document["description"] = json!("the same again");
    world.ask("PUT", &of, &json!({"document": document})).expect(200);
    world.ask("POST", &format!("{of}/deploy"), &json!({})).expect(200);
    let (runs, asked) = (format!("{path}/runs"), world.asked().len());
    let held = world.gate.lock().unwrap();
    world.ask("POST", &format!("{path}/run"), &Value::Null).expect(202);
    wait_for("request", || (world.asked().len() > asked).then_some(()));
    let former = world.get(&format!("{path}/cursors"))[0]["id"].clone();
    for (method, part, body) in [
        ("PUT", "/cursor", json!({"cursor": {"last": 5}})),
        ("DELETE", "/cursor", Value::Null),
        ("POST", "/rewind", json!({"to": former})),
        ("PATCH", "", json!({"cursor": {"last": 5}})),
        ("PATCH", "", json!({"version": 2})),
    ] {
        let error = world.ask(method, &format!("{path}{part}"), &body).expect(409);
        assert_eq!(error["code"], json!("underWay"), "{method} {part}: {error}");
        assert!(error["message"].as_str().unwrap().contains("try again in a moment"), "{error}");
    }
    drop(held);
    wait_for("end of the run", || (world.get(&runs).as_array().unwrap().len() == 2).then_some(()));
    assert_eq!(world.cursor(id), json!({"last": 1}));
    world.ask("PUT", &format!("{path}/cursor"), &json!({"cursor": {"last": 5}})).expect(200);
    assert_eq!(world.cursor(id), json!({"last": 5}));
    let moved = world.ask("PATCH", &path, &json!({"version": 2})).expect(200);
    assert_eq!((&moved["version"], &moved["cursor"]), (&json!(2), &json!({"last": 5})));
}
