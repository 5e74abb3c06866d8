//! Hooks that fail: the request is kept with the line, and runs again when the hook is mended.

use serde_json::json;

use super::{World, told};
use crate::bench::wait_for;

fn aside(world: &World) -> serde_json::Value {
    wait_for("request that was put aside", || {
        let all = world.ask("GET", "/webhooks/requests?state=quarantined", None).expect(200);
        all.get(0).cloned()
    })
}

/// Changes the connector's event hook.
fn mend(world: &World, element: &serde_json::Value, script: &str) {
    let hooks = world.ask("GET", &format!("/elements/{}/hooks", element["id"]), None).expect(200);
    let id = &hooks[0]["id"];
    let body =
        json!({"type": "event", "mimeType": "application/javascript", "body": script, "isLegacy": false});
    world.ask("PUT", &format!("/elements/{}/hooks/{id}", element["id"]), Some(&body)).expect(200);
}

#[test]
fn a_failed_hook_keeps_its_request_and_runs_again_when_it_is_mended() {
    let world = World::start();
    let broken = "const a = 1;\nconst b = events.no.such;\ndone({events: []});";
    let element = world.connector("pushy", broken, &[], json!([]));
    let made = world.instance("pushy", json!({}));
    let path = world.path(&made);
    let body = br#"{"id": "7", "type": "CREATED", "at": "2026-03-01T10:00:00Z"}"#;
    world.send("POST", &path, &[], body).expect(200);
    let row = aside(&world);
    assert_eq!(
        (&row["quarantine"]["code"], &row["quarantine"]["line"]),
        (&json!("thrown"), &json!(2)),
        "{row}"
    );
    let shown = world.ask("GET", &format!("/instances/{}/webhook", made["id"]), None).expect(200);
    assert_eq!(shown["quarantined"], 1);
    world.silence();

    // Others are not held up; the instance takes the mended hook with its connector's new revision.
    mend(&world, &element, super::HOOK);
    world
        .ask("PATCH", &format!("/instances/{}", made["id"]), Some(&json!({"configuration": {"a": "b"}})))
        .expect(200);
    world.send("POST", &path, &[], br#"{"id": "8", "type": "CREATED"}"#).expect(200);
    assert_eq!(told(&world.next()), ["CREATED 8"]);
    let replayed = world.ask("POST", &format!("/instances/{}/webhook/replay", made["id"]), None).expect(200);
    assert_eq!(replayed, json!({"replayed": 1}));
    let callback = world.next();
    assert_eq!(told(&callback), ["CREATED 7"]);
    assert_eq!(callback.body["message"]["events"][0]["date"], "2026-03-01T10:00:00Z");
    let request = format!("/instances/{}/webhook/requests/{}", made["id"], row["id"]);
    assert_eq!(world.ask("GET", &request, None).expect(200)["state"], "settled");
    world.ask("POST", &format!("{request}/replay"), None).expect(409);
    world.ask("DELETE", &request, None).expect(409);
    world.silence();
}

#[test]
fn every_wrong_result_is_put_aside_with_a_clear_reason() {
    for (script, code, words) in [
        ("", "no-result", "without a result"),
        ("done();", "wrong-result", "events"),
        ("done({events: 7});", "wrong-result", "`events`"),
        ("done({events: [{event_type: 'BORN'}]});", "wrong-result", "event_type"),
        (
            "const list = []; for (let i = 0; i < 100000; i++) list.push({event_type: 'UPDATED', event_object_id: '' + i, event_object_type: 'x'}); done({events: list});",
            "wrong-result",
            "1000 are allowed",
        ),
        ("for (;;) {}", "time", "longer than"),
        ("done({events: [", "syntax", "does not compile"),
        ("require('http')", "refused", "do not get here"),
        ("const a = {}; a.a = a; done({events: a});", "wrong-result", ""),
    ] {
        let world = World::start();
        world.connector("pushy", script, &[], json!([]));
        let path = world.path(&world.instance("pushy", json!({})));
        world.send("POST", &path, &[], br#"{"a": 1}"#).expect(200);
        let row = aside(&world);
        let reason = row["quarantine"]["reason"].as_str().unwrap();
        assert!(row["quarantine"]["code"] == code && reason.contains(words), "{script}: {row}");
        let request = format!("/instances/{}/webhook/requests/{}", row["instanceId"], row["id"]);
        assert_eq!(world.ask("DELETE", &request, None).expect(200)["state"], "discarded");
    }
}

#[test]
fn what_waits_survives_a_restart() {
    let options = ["--allow-private", "--interval-minimum", "0.05"];
    let world = World::with(&options);
    world.connector("pushy", super::HOOK, &[], json!([]));
    let path = world.path(&world.instance("pushy", json!({})));
    for id in 0..20 {
        world
            .send(
                "POST",
                &path,
                &[],
                json!({"id": format!("{id}"), "type": "CREATED"}).to_string().as_bytes(),
            )
            .expect(200);
    }
    let world = world.restart(&options);
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 20 {
        seen.extend(told(&world.next()));
    }
}
