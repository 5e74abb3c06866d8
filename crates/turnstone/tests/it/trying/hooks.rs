//! A hook that is kept nowhere, run once over the API.

use serde_json::{Value, json};

use crate::instances::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_run_as_live_ones_are() {
    let (world, role) = World::with_people().await;
    let test = |body: &Value| world.ask("POST", "/hooks/test", Some(body));
    let body = json!({"type": "preRequest", "script": "console.log('hi'); done({request_vendor_headers: {...request_vendor_headers, 'x-key': configuration.key}});",
        "input": {"request_vendor_headers": {"a": "b"}, "configuration": {"key": "k"}}});
    let told = test(&body).expect(200);
    assert_eq!(
        (&told["ok"], &told["fault"], &told["log"]),
        (&json!(true), &json!(null), &json!(["hi"])),
        "{told}"
    );
    assert!(told["result"].to_string().contains("x-key"), "{told}");
    assert!(told["tookMs"].as_f64().is_some_and(|took| took > 0.0), "{told}");

    let fixed = json!({"type": "event", "script": "done({events: [{event_type: 'UPDATED', event_object_type: 'x', event_object_id: String(Math.random())}]});",
        "now": "2026-01-01T00:00:00Z", "seed": 7});
    let (one, two) = (test(&fixed).expect(200), test(&fixed).expect(200));
    assert_eq!(
        (&one["result"], &one["ok"], &one["seed"]),
        (&two["result"], &json!(true), &json!(7)),
        "{one}"
    );

    let thrown = json!({"type": "postRequest", "script": "\n\nthrow new Error('no');"});
    let told = test(&thrown).expect(200);
    assert_eq!(
        (&told["ok"], &told["result"], &told["fault"]["line"]),
        (&json!(false), &json!(null), &json!(3)),
        "{told}"
    );
    let endless = json!({"type": "event", "script": "for (;;) {}"});
    assert_eq!(test(&endless).expect(200)["fault"]["code"], "time");
    let legacy = json!({"type": "preRequest", "legacy": true, "script": "return {continue: true};"});
    assert_eq!(test(&legacy).expect(200)["ok"], true);
    // No way out of its walls.
    let reads = json!({"type": "event", "script": "const fs = require('fs'); done({events: []});"});
    assert_eq!(test(&reads).expect(200)["ok"], false);

    for (body, words) in [
        (json!({"type": "later", "script": ""}), "later"),
        (json!({"type": "event"}), "script"),
        (json!({"type": "event", "script": "done()", "input": []}), "input"),
        (json!({"type": "event", "script": "done()", "input": {"nothing": 1}}), "`nothing`"),
        (json!({"type": "event", "script": "done()", "now": "later"}), ""),
    ] {
        let message = test(&body).expect(400)["message"].to_string();
        assert!(message.contains(words), "{message}");
    }
    world.server.ask(&role("member"), "POST", "/hooks/test", Some(&body)).expect(403);
}
