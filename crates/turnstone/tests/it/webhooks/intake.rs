//! Who may send what where, and what comes of it.

use serde_json::json;

use super::{HOOK, SECRET, World, get, github_signature, stands_in, told};
use crate::bench::wait_for;

const CHANGE: &[u8] = br#"{"id": "12345678901234567890", "type": "UPDATED", "at": "2026-03-01T10:00:00Z"}"#;

#[test]
fn a_notification_becomes_a_signed_event_with_its_whole_body() {
    let world = World::start();
    world.connector("pushy", HOOK, &[], json!([]));
    let made = world.instance("pushy", json!({}));
    let path = world.path(&made);
    assert!(path.rsplit('/').next().unwrap().len() >= 22, "at least 128 bits: {path}");
    world.send("POST", &path, &[("Content-Type", "application/json")], CHANGE).expect(200);
    let callback = world.next();
    assert_eq!(told(&callback), ["UPDATED 12345678901234567890"]);
    let message = &callback.body["message"];
    assert_eq!(message["raw"], serde_json::from_slice::<serde_json::Value>(CHANGE).unwrap());
    assert_eq!((&message["elementKey"], &message["instanceId"]), (&json!("pushy"), &made["id"]));
    assert_eq!(message["events"][0]["date"], "2026-03-01T10:00:00Z");
    assert_eq!(message["events"][0]["sequence"], 1);

    // The log, in the field's shape.
    let id = message["eventId"].as_str().unwrap();
    let entry = wait_for("notified event", || {
        let entry = world.ask("GET", &format!("/instances/events/{id}"), None).expect(200);
        (entry["status"] == "NOTIFIED").then_some(entry)
    });
    assert_eq!(entry["providerData"].as_str().unwrap().as_bytes(), CHANGE, "what came in, byte for byte");
    let requests = world.ask("GET", &format!("/instances/{}/webhook/requests", made["id"]), None).expect(200);
    assert_eq!((&requests[0]["state"], &requests[0]["events"]), (&json!("settled"), &json!(1)));
    assert_eq!(requests[0]["id"], entry["requestId"]);
    let address = path.rsplit('/').next().unwrap();
    assert!(!stands_in(world.data.path(), address), "an address lets in whoever knows it, so it is sealed");
}

#[test]
fn a_hundred_events_are_told_twenty_at_a_time_each_with_the_whole_body() {
    let world = World::start();
    world.connector("pushy", HOOK, &[], json!([]));
    let path = world.path(&world.instance("pushy", json!({})));
    let changes: Vec<_> = (0..100).map(|id| json!({"id": format!("r{id}"), "type": "CREATED"})).collect();
    let body = json!({"changes": changes, "note": "1.10"}).to_string();
    world.send("POST", &path, &[], body.as_bytes()).expect(200);
    let whole: serde_json::Value = serde_json::from_str(&body).unwrap();
    let mut all = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let callback = world.next();
        let events = told(&callback);
        assert_eq!(events.len(), 20);
        assert_eq!(callback.body["message"]["raw"], whole);
        all.extend(events);
    }
    assert_eq!(all.len(), 100);
    world.silence();
}

#[test]
fn the_same_delivery_is_one_and_order_per_record_is_kept() {
    let world = World::start();
    world.connector("pushy", HOOK, &[("event.webhook.verification", "github")], json!([]));
    let path = world.path(&world.instance("pushy", json!({"event.webhook.secret": SECRET})));
    let send = |delivery: &str, body: &[u8]| {
        let signature = github_signature(body);
        world.send(
            "POST",
            &path,
            &[("X-Hub-Signature-256", &signature), ("X-GitHub-Delivery", delivery)],
            body,
        )
    };
    for (number, kind) in ["CREATED", "UPDATED", "UPDATED", "DELETED", "CREATED"].into_iter().enumerate() {
        let body = json!({"id": "r", "type": kind}).to_string();
        for _ in 0..3 {
            send(&format!("d{number}"), body.as_bytes()).expect(200);
        }
    }
    let mut seen = Vec::new();
    for number in 1..=5 {
        let callback = world.next();
        assert_eq!(callback.body["message"]["events"][0]["sequence"], number);
        seen.extend(told(&callback));
    }
    assert_eq!(seen, ["CREATED r", "UPDATED r", "UPDATED r", "DELETED r", "CREATED r"]);
    world.silence();
    let requests = world.ask("GET", "/webhooks/requests?order=asc", None).expect(200);
    assert_eq!(requests.as_array().unwrap().len(), 5);
    assert_eq!(requests[0]["repeats"], 2);
}

#[test]
fn without_a_name_equal_content_is_one_delivery_for_a_while() {
    let world = World::start();
    world.connector("pushy", HOOK, &[], json!([]));
    let path = world.path(&world.instance("pushy", json!({})));
    for _ in 0..3 {
        world.send("POST", &path, &[], CHANGE).expect(200);
    }
    world.next();
    let none = world.path(&world.instance("pushy", json!({"event.webhook.repeatWindow": "0s"})));
    for _ in 0..2 {
        world.send("POST", &none, &[], CHANGE).expect(200);
    }
    assert_eq!(told(&world.next()), told(&world.next()));
    world.silence();
}

#[test]
fn forms_and_queries_are_read_as_they_are_declared_and_not_as_they_claim() {
    let world = World::start();
    let hook = r#"done({events: [{event_type: "UPDATED", event_object_id: String(events.id), event_object_type: "x"}]});"#;
    world.connector("pushy", hook, &[], json!([]));
    let form = world.path(&world.instance("pushy", json!({"event.webhook.body": "form"})));
    world.send("POST", &form, &[("Content-Type", "application/json")], b"id=a%2Bb&x=1&x=2").expect(200);
    let callback = world.next();
    assert_eq!(told(&callback), ["UPDATED a+b"]);
    assert_eq!(callback.body["message"]["raw"], json!({"id": "a+b", "x": ["1", "2"]}));
    let plain = world.path(&world.instance("pushy", json!({})));
    get(&world.server, &format!("{plain}?id=7&note=caf%C3%A9")).expect(200);
    let callback = world.next();
    assert_eq!(told(&callback), ["UPDATED 7"]);
    assert_eq!(callback.body["message"]["raw"], json!({"id": "7", "note": "café"}));
    // A form that claims to be JSON is no JSON: it is put aside with the reason, and nothing is lost.
    world.send("POST", &plain, &[("Content-Type", "application/x-www-form-urlencoded")], b"id=1").expect(200);
    let aside = wait_for("request that was put aside", || {
        let all = world.ask("GET", "/webhooks/requests?state=quarantined", None).expect(200);
        all.get(0).cloned()
    });
    assert_eq!(aside["quarantine"]["code"], "badBody");
    assert!(aside["quarantine"]["reason"].as_str().unwrap().contains("event.webhook.body"), "{aside}");
}

#[test]
fn strangers_learn_nothing() {
    let world = World::start();
    world.connector("pushy", HOOK, &[("event.webhook.verification", "github")], json!([]));
    world.connector("open", HOOK, &[], json!([]));
    let signed = world.instance("pushy", json!({"event.webhook.secret": SECRET}));
    let open = world.instance("open", json!({}));
    let own = world.path(&signed);
    let encoded = |instance: &serde_json::Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(instance["id"].to_string())
    };
    let base = "/elements/api-v2/events";
    let signature = github_signature(CHANGE);
    let proof = [("X-Hub-Signature-256", signature.as_str())];

    // The field's address opens where something is proven, and only there.
    world.send("POST", &format!("{base}/pushy/{}", encoded(&signed)), &proof, CHANGE).expect(200);
    world.next();
    world.send("POST", &format!("{base}/open/{}", encoded(&open)), &[], CHANGE).expect(404);
    world
        .send("POST", &format!("{base}/open"), &[("Element-Instances", &open["id"].to_string())], CHANGE)
        .expect(404);
    let listed = [proof[0], ("Element-Instances", &*signed["id"].to_string())];
    let other = [b"  ", CHANGE].concat();
    let again = github_signature(&other);
    world
        .send("POST", &format!("{base}/pushy"), &[("X-Hub-Signature-256", &again), listed[1]], &other)
        .expect(200);
    world.next();

    // Unknown, of another connector, malformed: all the same.
    let address = own.rsplit('/').next().unwrap();
    let mut answers = Vec::new();
    for path in [
        format!("{base}/pushy/{}", "A".repeat(43)),
        format!("{base}/open/{address}"),
        format!("{base}/nobody/{address}"),
        format!("{base}/pushy/OTk5OTk="),
        format!("{base}/pushy/%00%ff"),
        format!("{base}/pushy"),
    ] {
        let answer = world.send("POST", &path, &proof, CHANGE);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        answers.push(answer.json()["message"].clone());
    }
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");

    // Every failed proof is the same refusal.
    let mut refusals = Vec::new();
    for headers in [vec![], vec![("X-Hub-Signature-256", "sha256=00")], vec![proof[0], proof[0]]] {
        let answer = world.send("POST", &own, &headers, CHANGE);
        assert_eq!(answer.status, 401, "{headers:?}");
        refusals.push(answer.json()["message"].clone());
    }
    assert!(refusals.iter().all(|one| *one == refusals[0]), "{refusals:?}");
    let shown = world.ask("GET", &format!("/instances/{}/webhook", signed["id"]), None).expect(200);
    assert_eq!(shown["refused"]["count"], 3, "its own people see why: {shown}");

    // Disabled, it is not there.
    world.ask("DELETE", &format!("/instances/{}/enabled", signed["id"]), None).expect(200);
    world.send("POST", &own, &proof, CHANGE).expect(404);
    world.silence();
}

#[test]
fn an_admin_may_open_the_fields_address_and_renew_ours() {
    let world = World::start();
    world.connector("open", HOOK, &[], json!([]));
    let made = world.instance("open", json!({"event.webhook.open": true}));
    let base = "/elements/api-v2/events/open";
    let id = made["id"].to_string();
    world.send("POST", base, &[("Element-Instances", &id)], CHANGE).expect(200);
    world.next();
    let old = world.path(&made);
    let shown = world.ask("POST", &format!("/instances/{id}/webhook/address"), None).expect(200);
    assert!(!shown["url"].as_str().unwrap().ends_with(&old));
    world.send("POST", &old, &[], CHANGE).expect(404);
    world.send("POST", &world.path(&made), &[], br#"{"id": "z", "type": "CREATED"}"#).expect(200);
    assert_eq!(told(&world.next()), ["CREATED z"]);
}

#[test]
fn the_common_address_finds_the_instance_by_a_value() {
    let world = World::start();
    let defaults =
        [("event.notification.instance.finder", "team.id = team.id"), ("event.webhook.open", "true")];
    let mut entries = defaults.to_vec();
    entries.push(("team.id", ""));
    world.connector("teams", HOOK, &entries, json!([]));
    let one = world.instance("teams", json!({"team.id": "T1"}));
    let two = world.instance("teams", json!({"team.id": "T2"}));
    let base = "/elements/api-v2/events/teams";
    let body = |team: &str, id: &str| json!({"team": {"id": team}, "id": id, "type": "UPDATED"}).to_string();
    world.send("POST", base, &[], body("T2", "b").as_bytes()).expect(200);
    let callback = world.next();
    assert_eq!(
        (told(&callback), &callback.body["message"]["instanceId"]),
        (vec!["UPDATED b".into()], &two["id"])
    );
    world.send("POST", base, &[], body("T1", "a").as_bytes()).expect(200);
    assert_eq!(world.next().body["message"]["instanceId"], one["id"]);
    world.send("POST", base, &[], body("T3", "c").as_bytes()).expect(404);
    world.send("POST", base, &[], b"{}").expect(404);
}

#[test]
fn questions_are_answered_by_the_declared_rule() {
    let world = World::start();
    world.connector("slacky", HOOK, &[("event.webhook.verification", "slack")], json!([]));
    let path = world.path(&world.instance("slacky", json!({"event.webhook.secret": SECRET})));
    let question = br#"{"type": "url_verification", "challenge": "3eZbrw1a"}"#;
    let answer = world.send("POST", &path, &[], question);
    assert_eq!((answer.status, answer.body.as_str()), (200, "3eZbrw1a"));
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    let script = br#"{"type": "url_verification", "challenge": "<script>alert(1)</script>"}"#;
    world.send("POST", &path, &[], script).expect(401);
    let requests = world.ask("GET", "/webhooks/requests", None).expect(200);
    assert_eq!(requests, json!([]), "a question is nothing to keep");
}

#[test]
fn what_is_too_large_or_never_ends_is_cut() {
    let world = World::start();
    world.connector("pushy", HOOK, &[], json!([]));
    let path = world.path(&world.instance("pushy", json!({})));
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n");
    assert_eq!(crate::bench::raw(world.server.address, head.as_bytes()).status, 413);
    let large = vec![b'a'; 5 * 1024 * 1024 + 1];
    let chunked = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        large.len()
    );
    assert_eq!(
        crate::bench::raw(world.server.address, &[chunked.as_bytes(), &large, b"\r\n0\r\n\r\n"].concat())
            .status,
        413
    );
    let slow =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc");
    assert_eq!(crate::bench::raw(world.server.address, slow.as_bytes()).status, 408);
    let header = "a".repeat(40_000);
    let answer = world.send("POST", &format!("{path}?x={header}"), &[("X-Long", &header)], b"{}");
    assert!(matches!(answer.status, 414 | 431), "{}", answer.status);
    assert_eq!(world.ask("GET", "/webhooks/requests", None).expect(200), json!([]));
}

#[test]
fn secrets_that_were_shown_at_the_door_are_not_kept() {
    let world = World::start();
    let token = r#"{"token": {"header": "X-Token"}}"#;
    world.connector("tokened", HOOK, &[("event.webhook.verification", token)], json!([]));
    world.connector("basic", HOOK, &[("event.webhook.verification", r#"{"basic": true}"#)], json!([]));
    let tokened = world.path(&world.instance("tokened", json!({"event.webhook.secret": "canary-token"})));
    world.send("POST", &tokened, &[("X-Token", "wrong")], CHANGE).expect(401);
    world.send("POST", &tokened, &[("X-Token", "canary-token"), ("X-Other", "stays")], CHANGE).expect(200);
    world.next();
    let basic = world.path(&world.instance("basic", json!({"event.webhook.secret": "user:canary-basic"})));
    let credentials = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode("user:canary-basic")
    };
    world.send("POST", &basic, &[("Authorization", &format!("Basic {credentials}"))], CHANGE).expect(200);
    world.next();
    let requests = world.ask("GET", "/webhooks/requests?order=asc", None).expect(200);
    let one = &requests[0];
    let path = format!("/instances/{}/webhook/requests/{}", one["instanceId"], one["id"]);
    let content = world.ask("GET", &path, None).expect(200);
    assert!(content["headers"].as_array().unwrap().contains(&json!(["x-other", "stays"])), "{content}");
    assert_eq!(content["content"]["type"], "UPDATED");
    for secret in ["canary-token", "canary-basic", &credentials] {
        assert!(!stands_in(world.data.path(), secret), "{secret}");
    }
}

#[test]
fn how_many_events_there_were_is_counted_over_time() {
    let world = World::start();
    world.connector("pushy", HOOK, &[], json!([]));
    let made = world.instance("pushy", json!({}));
    let path = world.path(&made);
    for id in 0..3 {
        world
            .send("POST", &path, &[], json!({"id": id.to_string(), "type": "CREATED"}).to_string().as_bytes())
            .expect(200);
        world.next();
    }
    let now = jiff::Timestamp::now();
    let hour = jiff::SignedDuration::from_hours(1);
    let query = format!("from={}&to={now}&interval=minute", now - hour);
    let plain = world.ask("GET", &format!("/instances/events/analytics?{query}"), None).expect(200);
    let counts: u64 = plain.as_array().unwrap().iter().map(|point| point["count"].as_u64().unwrap()).sum();
    assert_eq!((plain.as_array().unwrap().len(), counts), (61, 3), "{plain}");
    wait_for("delivered events", || {
        let by =
            world.ask("GET", &format!("/instances/events/analytics/instances?{query}"), None).expect(200);
        let points = by.as_array().unwrap().clone();
        let sum = |name: &str| -> u64 {
            points
                .iter()
                .flat_map(|point| point["records"].as_array().unwrap())
                .map(|one| one[name].as_u64().unwrap())
                .sum()
        };
        assert!(points.iter().all(|point| {
            point["records"].as_array().unwrap().iter().all(|one| one["instanceId"] == made["id"])
        }));
        ((sum("count"), sum("success"), sum("failed")) == (3, 3, 0)).then_some(())
    });
    let accounts =
        world.ask("GET", &format!("/instances/events/analytics/accounts?{query}"), None).expect(200);
    assert!(accounts.as_array().unwrap().iter().any(|point| point["records"][0]["accountId"].is_i64()));
    for (path, status) in [
        ("analytics?interval=second", 400),
        ("analytics?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", 400),
        ("analytics?from=yesterday", 400),
        ("analytics/accounts?accountIds[]=0", 403),
        ("analytics/instances?accountIds[]=x", 400),
        ("analytics?from=1900-01-01T00:00:00Z&interval=minute", 400),
    ] {
        let answer = world.ask("GET", &format!("/instances/events/{path}"), None);
        let body = answer.expect(status);
        assert!(body["requestId"].is_string() && body["message"].is_string(), "{body}");
    }
}
