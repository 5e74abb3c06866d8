//! The service: its API against the real binary, a fake provider and a receiver that checks signatures.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use turnstone_provider::{
    Control, Op, OpKind, Provider, ProviderConfig, RecordKind, ResourceConfig, RunningProvider,
};

use crate::bench::{Callback, Receiver, SOON, Server, raw, request, turnstone, wait_for};

const KEY: &str = "a key that nobody knows";

/// A provider that changes only when told to.
pub fn provider(runtime: &Runtime) -> RunningProvider {
    let customers = ResourceConfig::new("customers", RecordKind::Customers).with_initial(30);
    let config = ProviderConfig { paused: true, ..ProviderConfig::of(7, vec![customers]) };
    runtime.block_on(Provider::start(config)).unwrap()
}

pub fn document(provider: &str, callback: &str) -> Value {
    let format = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";
    json!({
        "element": {"key": "crm"}, "name": "Shop <b>one</b>", "tags": ["test", "<i>blue</i>"],
        "configuration": {
            "base.url": provider,
            "http.headers": {"X-Api-Key": "canary-header"},
            "event.notification.enabled": true,
            "event.notification.callback.url": callback,
            "event.notification.signature.key": KEY,
            "event.poller.refresh_interval": "0.005",
            "event.poller.configuration": {"customers": {
                "url": "/v1/customers?updated_at_gte=${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}",
                "idField": "id",
                "datesConfiguration": {
                    "updatedDateField": "updated_at", "updatedDateFormat": format,
                    "createdDateField": "created_at", "createdDateFormat": format
                },
                "pageSize": 50,
                "pagination": {"type": "page", "page": "page", "size": "per_page"}
            }}
        }
    })
}

pub fn change(provider: &RunningProvider, op: OpKind) -> String {
    let reply = provider.control(Control::ops(vec![Op::some(op, "customers", 1)])).unwrap();
    reply.changes[0].id.clone()
}

/// The next callback's only event, after its signature was checked.
#[track_caller]
fn next_event(receiver: &Receiver) -> (Callback, Value) {
    let callback = receiver.next(SOON).expect("a callback");
    assert!(callback.verified, "{callback:?}");
    let events = callback.body["message"]["events"].as_array().expect("events").clone();
    assert_eq!(events.len(), 1, "{callback:?}");
    (callback, events[0].clone())
}

const OPEN: [&str; 3] = ["--allow-private", "--interval-minimum", "0.05"];

#[test]
fn an_instance_is_polled_its_events_arrive_signed_and_a_restart_keeps_everything() {
    let runtime = Runtime::new().unwrap();
    let (provider, receiver, data) = (provider(&runtime), Receiver::start(KEY), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &OPEN);
    let token = server.token.clone().expect("the first start shows a token");
    let callback = format!("http://{}/events", receiver.address);
    let ask = |server: &Server, method: &str, path: &str| server.ask(&token, method, path, None);

    let made = server.ask(&token, "POST", "/instances", Some(&document(&provider.url(), &callback)));
    assert!(made.header("Elements-Request-Id").is_some());
    let made = made.expect(200);
    assert_eq!((&made["name"], &made["tags"]), (&json!("Shop one"), &json!(["test", "blue"])));
    assert_eq!(made["configuration"]["event.notification.signature.key"], "********");
    assert!(made["token"].as_str().is_some_and(|token| token.len() > 40));
    assert!(made["warnings"].is_array() && made["repairs"] == json!([]), "{made}");
    let base = format!("/instances/{}", made["id"]);
    let poller = format!("{base}/pollers/customers");
    let primed = |server: &Server| {
        let poller = ask(server, "GET", &poller).expect(200);
        (poller["passes"].as_u64() > Some(0)).then_some(poller)
    };
    let shown = wait_for("completed pass", || primed(&server));
    assert_eq!(shown["status"]["code"], "ok", "{shown}");
    assert!(shown["watermarkDate"].is_string() && shown["completeTo"].is_string(), "{shown}");
    assert_eq!(shown["lastRuns"][0]["outcome"], "completed");

    let id = change(&provider, OpKind::Update);
    let (_, event) = next_event(&receiver);
    assert_eq!((&event["eventType"], &event["objectId"]), (&json!("UPDATED"), &json!(id)));
    let entry = format!("{base}/events/{}", event["eventId"].as_str().unwrap());
    let entry = wait_for("notified event", || {
        Some(ask(&server, "GET", &entry).expect(200)).filter(|entry| entry["status"] == "NOTIFIED")
    });
    assert!(entry["providerData"].as_str().unwrap().contains("\"updated_at\""));
    assert_eq!(entry["notifiedData"][0]["objectType"], "customers");
    let feed = ask(&server, "GET", "/events?after=0").expect(200);
    assert_eq!((&feed[0]["position"], &feed[0]["id"]), (&json!(1), &event["eventId"]));
    assert_eq!(feed[0]["record"]["id"].to_string(), id);
    let delivery = ask(&server, "GET", &format!("{base}/deliveries?status=delivered")).expect(200);
    let delivery = ask(&server, "GET", &format!("/deliveries/{}", delivery[0]["id"])).expect(200);
    assert_eq!(delivery["attempts"][0]["status"], 200, "{delivery}");
    let metrics = request(server.address, "GET", "/metrics", Some(&token), None, b"");
    assert!(metrics.body.contains("turnstone_runs_total"), "{}", metrics.body);

    // Pause, change, explain: the rehearsal sees it and writes nothing.
    ask(&server, "PUT", &format!("{poller}/paused")).expect(200);
    wait_for("run to end", || {
        let before = ask(&server, "GET", &poller).expect(200)["lastRuns"][0]["id"].clone();
        std::thread::sleep(Duration::from_millis(700));
        (before == ask(&server, "GET", &poller).expect(200)["lastRuns"][0]["id"]).then_some(())
    });
    ask(&server, "POST", &format!("{poller}/run")).expect(409);
    let born = change(&provider, OpKind::Create);
    for _ in 0..2 {
        let told = ask(&server, "GET", &format!("{poller}/explain")).expect(200);
        assert_eq!(told["events"][0]["eventType"], "CREATED", "{told}");
        assert_eq!(told["events"][0]["objectId"], json!(born));
    }
    assert_eq!(ask(&server, "GET", "/events?after=0").expect(200).as_array().unwrap().len(), 1);
    assert!(receiver.next(Duration::from_millis(300)).is_none());

    assert!(server.terminate(), "it ends well when asked to");
    let server = Server::start(data.path(), &OPEN);
    assert_eq!(server.token, None, "the token is shown once");
    let shown = ask(&server, "GET", &poller).expect(200);
    assert_eq!(shown["paused"], "a person paused it");
    assert!(receiver.next(Duration::from_millis(500)).is_none(), "nothing is sent again");
    ask(&server, "DELETE", &format!("{poller}/paused")).expect(202);
    let (_, event) = next_event(&receiver);
    assert_eq!((&event["eventType"], &event["objectId"]), (&json!("CREATED"), &json!(born)));
    assert!(receiver.next(Duration::from_millis(500)).is_none(), "and nothing twice");

    ask(&server, "DELETE", &base).expect(200);
    ask(&server, "GET", &base).expect(404);
    ask(&server, "GET", &poller).expect(404);
}

#[test]
fn a_document_is_changed_without_repeating_its_secrets() {
    let runtime = Runtime::new().unwrap();
    let (provider, receiver, data) = (provider(&runtime), Receiver::start(KEY), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &OPEN);
    let token = server.token.clone().unwrap();
    let callback = format!("http://{}/events", receiver.address);
    let made =
        server.ask(&token, "POST", "/instances", Some(&document(&provider.url(), &callback))).expect(200);
    let base = format!("/instances/{}", made["id"]);
    let poller = format!("{base}/pollers/customers");
    let passes = |server: &Server| server.ask(&token, "GET", &poller, None).expect(200)["passes"].as_u64();
    wait_for("completed pass", || passes(&server).filter(|passes| *passes > 0));

    // Read, change a name, send back: the hidden secrets stay.
    let mut read = server.ask(&token, "GET", &base, None).expect(200);
    assert_eq!(read["configuration"]["http.headers"]["X-Api-Key"], "********");
    read["name"] = json!("Renamed");
    let changed = server.ask(&token, "PUT", &base, Some(&read)).expect(200);
    assert_eq!(changed["name"], "Renamed");
    let id = change(&provider, OpKind::Update);
    assert_eq!(next_event(&receiver).1["objectId"], json!(id), "signed with the key that nobody sent again");

    let patch = json!({"tags": ["x"], "configuration": {"event.poller.refresh_interval": "30", "http.headers": null}});
    let patched = server.ask(&token, "PATCH", &base, Some(&patch)).expect(200);
    assert_eq!((&patched["tags"], patched["configuration"].get("http.headers")), (&json!(["x"]), None));
    let shown = server.ask(&token, "GET", &poller, None).expect(200);
    assert_eq!(shown["intervalSeconds"], 1800.0);
    assert_eq!(shown["revision"], 1, "another interval is no other configuration");

    // A faulty change changes nothing.
    let faulty = json!({"configuration": {"event.poller.refresh_interval": "-1"}});
    let refused = server.ask(&token, "PATCH", &base, Some(&faulty)).expect(400);
    assert_eq!(refused["faults"].as_array().unwrap().len(), 1);
    assert_eq!(server.ask(&token, "GET", &base, None).expect(200), {
        let mut same = patched.clone();
        same.as_object_mut().unwrap().retain(|name, _| name != "warnings" && name != "repairs");
        same
    });

    // Off and on, and poll now.
    assert_eq!(server.ask(&token, "DELETE", &format!("{base}/enabled"), None).expect(200)["disabled"], true);
    server.ask(&token, "POST", &format!("{poller}/run"), None).expect(409);
    assert_eq!(server.ask(&token, "PUT", &format!("{base}/enabled"), None).expect(200)["disabled"], false);
    let id = change(&provider, OpKind::Update);
    server.ask(&token, "POST", &format!("{poller}/run"), None).expect(202);
    assert_eq!(next_event(&receiver).1["objectId"], json!(id));

    let stored = std::fs::read(data.path().join("turnstone.db-wal")).unwrap_or_default();
    let stored = [stored, std::fs::read(data.path().join("turnstone.db")).unwrap()].concat();
    for secret in [KEY, "canary-header", &token] {
        let found = stored.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "`{secret}` stands in the database");
    }
}

#[test]
fn a_refused_delivery_waits_and_is_released() {
    let runtime = Runtime::new().unwrap();
    let (provider, receiver, data) = (provider(&runtime), Receiver::start(KEY), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &OPEN);
    let token = server.token.clone().unwrap();
    let callback = format!("http://{}/events", receiver.address);
    let made =
        server.ask(&token, "POST", "/instances", Some(&document(&provider.url(), &callback))).expect(200);
    let base = format!("/instances/{}", made["id"]);
    let poller = format!("{base}/pollers/customers");
    wait_for("completed pass", || {
        server.ask(&token, "GET", &poller, None).expect(200)["passes"].as_u64().filter(|passes| *passes > 0)
    });
    // 410 disables the endpoint at once, so the delivery waits until somebody releases it.
    receiver.answer(410);
    change(&provider, OpKind::Update);
    let (first, _) = next_event(&receiver);
    let queued = wait_for("queued delivery", || {
        let found = server.ask(&token, "GET", &format!("{base}/deliveries?status=queued"), None).expect(200);
        found.get(0).cloned()
    });
    let log = server.ask(&token, "GET", &format!("{base}/events"), None).expect(200);
    assert_eq!(log[0]["status"], "DISPATCHED");
    receiver.answer(200);
    let path = format!(
        "/notifications/subscriptions/deliveries?where=channel='webhook'%20and%20status='queued'%20\
                        and%20config.url='{callback}'"
    );
    assert_eq!(server.ask(&token, "GET", &path, None).expect(200)[0]["id"], queued["id"]);
    let nothing = path.replace("/events", "/other");
    assert_eq!(server.ask(&token, "PUT", &nothing, None).expect(200)["released"], 0);
    assert_eq!(server.ask(&token, "PUT", &path, None).expect(200)["released"], 1);
    let (again, _) = next_event(&receiver);
    assert_eq!(
        (first.webhook_id, first.body),
        (again.webhook_id, again.body),
        "the same bytes under the same id"
    );
    let again = server.ask(&token, "POST", &format!("/deliveries/{}/redeliver", queued["id"]), None);
    wait_for("delivered", || {
        let shown = server.ask(&token, "GET", &format!("/deliveries/{}", queued["id"]), None).expect(200);
        (shown["status"] == "delivered").then_some(())
    });
    assert_eq!(again.status, 409, "{}", again.body);
}

#[test]
fn the_log_and_the_feed_are_read_in_pages() {
    let runtime = Runtime::new().unwrap();
    let (provider, data) = (provider(&runtime), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &OPEN);
    let token = server.token.clone().unwrap();
    let mut silent = document(&provider.url(), "");
    let configuration = silent["configuration"].as_object_mut().unwrap();
    configuration
        .retain(|key, _| !key.starts_with("event.notification.c") && !key.ends_with("signature.key"));
    let made = server.ask(&token, "POST", "/instances", Some(&silent)).expect(200);
    assert_eq!(made["warnings"].as_array().unwrap().len(), 1, "events go nowhere: {made}");
    let base = format!("/instances/{}", made["id"]);
    let poller = format!("{base}/pollers/customers");
    wait_for("completed pass", || {
        server.ask(&token, "GET", &poller, None).expect(200)["passes"].as_u64().filter(|passes| *passes > 0)
    });
    provider.control(Control::ops(vec![Op::some(OpKind::Create, "customers", 130)])).unwrap();
    wait_for("all events", || {
        let feed = server.ask(&token, "GET", "/events?after=129", None);
        (feed.expect(200).as_array().unwrap().len() == 1).then_some(())
    });
    let positions = |path: &str| -> (Vec<i64>, Option<i64>) {
        let answer = server.ask(&token, "GET", path, None);
        let next = answer.header("Elements-Next-Page-Token").map(|token| token.parse().unwrap());
        let entries = answer.expect(200);
        assert_eq!(
            answer.header("Elements-Returned-Count"),
            Some(entries.as_array().unwrap().len().to_string().as_str())
        );
        (entries.as_array().unwrap().iter().map(|entry| entry["position"].as_i64().unwrap()).collect(), next)
    };
    assert_eq!(positions("/events?pageSize=120"), ((1..=120).collect(), Some(120)));
    assert_eq!(positions("/events?pageSize=120&after=120"), ((121..=130).collect(), Some(130)));
    assert_eq!(positions("/events?after=130"), (vec![], Some(130)));
    let log = format!("{base}/events");
    assert_eq!(positions(&format!("{log}?pageSize=70")), ((61..=130).rev().collect(), Some(61)));
    assert_eq!(positions(&format!("{log}?pageSize=70&nextPage=61")), ((1..=60).rev().collect(), None));
    assert_eq!(positions(&format!("{log}?order=asc&pageSize=70")), ((1..=70).collect(), Some(70)));
    assert_eq!(positions(&format!("{log}?order=asc&pageSize=70&nextPage=70")), ((71..=130).collect(), None));
    assert_eq!(server.ask(&token, "GET", &log, None).expect(200)[0]["status"], "RECEIVED");
    let mut lines =
        "GET /elements/api-v2/events?pageSize=3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_owned();
    lines.push_str(&format!("Accept: application/x-ndjson\r\nAuthorization: {token}\r\n\r\n"));
    let lines = raw(server.address, lines.as_bytes());
    assert_eq!(lines.header("Content-Type"), Some("application/x-ndjson"));
    let parsed: Vec<Value> = lines.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(parsed.len(), 3, "{}", lines.body);
}

#[test]
fn deletions_in_masses_wait_for_a_person() {
    let runtime = Runtime::new().unwrap();
    let (provider, receiver, data) = (provider(&runtime), Receiver::start(KEY), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &OPEN);
    let token = server.token.clone().unwrap();
    let callback = format!("http://{}/events", receiver.address);
    let mut document = document(&provider.url(), &callback);
    document["configuration"]["event.poller.configuration"]["customers"]["sweep"] =
        json!({"every": "1 poll", "url": "/v1/customers", "readUrl": "/v1/customers/{id}"});
    let made = server.ask(&token, "POST", "/instances", Some(&document)).expect(200);
    let poller = format!("/instances/{}/pollers/customers", made["id"]);
    let read = || server.ask(&token, "GET", &poller, None).expect(200);
    let confirm = || server.ask(&token, "POST", &format!("{poller}/confirm-deletes"), None);
    wait_for("first sweep", || (read()["sweeps"].as_u64() > Some(0)).then_some(()));
    confirm().expect(409);
    provider.control(Control::ops(vec![Op::some(OpKind::Delete, "customers", 25)])).unwrap();
    let braked = wait_for("brake", || Some(read()).filter(|poller| poller["status"]["code"] == "braked"));
    assert_eq!(
        (&braked["status"]["needsAttention"], &braked["brake"]["missing"]),
        (&json!(true), &json!(25))
    );
    assert!(receiver.next(Duration::from_millis(500)).is_none(), "nothing is sent before a person says so");
    wait_for("confirmation, which waits for a run in flight", || (confirm().status == 202).then_some(()));
    let mut deleted = std::collections::BTreeSet::new();
    while deleted.len() < 25 {
        let callback = receiver.next(SOON).expect("a callback");
        for event in callback.body["message"]["events"].as_array().unwrap() {
            assert_eq!(event["eventType"], "DELETED");
            assert!(deleted.insert(event["objectId"].as_str().unwrap().to_owned()), "twice: {event}");
        }
    }
    wait_for("peace", || (read()["status"]["code"] == "ok").then_some(()));
}

#[test]
fn private_addresses_are_refused_unless_allowed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--interval-minimum", "0.05"]);
    let token = server.token.clone().unwrap();
    let public = "https://api.example.com";
    for (provider, callback, place) in [
        ("http://127.0.0.1:9", "https://app.example.com/events", "base.url"),
        (public, "http://127.0.0.1:9/events", "callback.url"),
        (public, "http://[::1]/events", "callback.url"),
        (public, "http://169.254.169.254/latest", "callback.url"),
        (public, "http://2130706433/", "callback.url"),
    ] {
        let refused =
            server.ask(&token, "POST", "/instances", Some(&document(provider, callback))).expect(400);
        let faults = refused["faults"].as_array().unwrap();
        assert!(faults.iter().any(|fault| fault["path"].as_str().unwrap().contains(place)), "{refused}");
    }
    assert_eq!(server.ask(&token, "GET", "/instances", None).expect(200), json!([]));
    // A name is judged when it is resolved: the run says so, and nothing is sent.
    let mut named = document("http://localhost:9", "https://app.example.com/events");
    named["configuration"]["event.notification.callback.url"] = Value::Null;
    named["configuration"].as_object_mut().unwrap().retain(|key, _| !key.starts_with("event.notification.c"));
    named["configuration"].as_object_mut().unwrap().remove("event.notification.signature.key");
    let made = server.ask(&token, "POST", "/instances", Some(&named));
    if made.status == 400 {
        return; // Refused by its name already.
    }
    let base = format!("/instances/{}/pollers/customers", made.expect(200)["id"]);
    let failed = wait_for("failed run", || {
        let shown = server.ask(&token, "GET", &base, None).expect(200);
        shown["lastRuns"].get(0).filter(|run| run["outcome"] == "failed").cloned()
    });
    assert!(failed["error"]["message"].as_str().unwrap().contains("localhost"), "{failed}");
}

/// Method, path, content type, body; the status and the code to expect.
type Case<'a> = (&'a str, String, Option<&'a str>, &'a [u8], u16, &'a str);

#[test]
fn whatever_is_sent_is_answered_in_the_fields_shape() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let token = server.token.clone().unwrap();
    let base = "/elements/api-v2";
    let json_kind = Some("application/json");
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let unknown = "/instances/1/pollers/x";
    let release = "/notifications/subscriptions/deliveries";
    let cases: Vec<Case<'_>> = vec![
        ("GET", "/instances/1".into(), None, b"", 404, "notFound"),
        ("GET", "/instances/x".into(), None, b"", 404, "notFound"),
        ("GET", "/instances/99999999999999999999".into(), None, b"", 404, "notFound"),
        ("GET", "/instances/-1".into(), None, b"", 404, "notFound"),
        ("GET", "/instances/%00".into(), None, b"", 404, "notFound"),
        ("GET", "/instances/%ff".into(), None, b"", 400, "badRequest"),
        ("GET", unknown.into(), None, b"", 404, "notFound"),
        ("POST", format!("{unknown}/run"), None, b"", 404, "notFound"),
        ("GET", format!("{unknown}/explain"), None, b"", 404, "notFound"),
        ("POST", format!("{unknown}/confirm-deletes"), None, b"", 404, "notFound"),
        ("GET", "/runs/run_0".into(), None, b"", 404, "notFound"),
        ("GET", "/runs/run_00000000000000000000000000".into(), None, b"", 404, "notFound"),
        ("GET", "/instances/events/evt_0".into(), None, b"", 404, "notFound"),
        ("GET", "/deliveries/7".into(), None, b"", 404, "notFound"),
        ("POST", "/deliveries/7/redeliver".into(), None, b"", 404, "notFound"),
        ("GET", "/nowhere".into(), None, b"", 404, "noSuchRoute"),
        ("DELETE", "/tags".into(), None, b"", 405, "methodNotAllowed"),
        ("DELETE", "/instances".into(), None, b"", 400, "noElementToken"),
        ("BREW", "/instances".into(), None, b"", 405, "methodNotAllowed"),
        ("POST", "/instances".into(), None, b"", 415, "unsupportedMediaType"),
        ("POST", "/instances".into(), Some("text/plain"), b"{}", 415, "unsupportedMediaType"),
        ("POST", "/instances".into(), json_kind, b"", 400, "malformedJson"),
        ("POST", "/instances".into(), json_kind, b"{\"a\":\n  nil}", 400, "malformedJson"),
        ("POST", "/instances".into(), json_kind, b"\xff\xfe{}", 400, "malformedJson"),
        ("POST", "/instances".into(), json_kind, deep.as_bytes(), 400, "malformedJson"),
        ("POST", "/instances".into(), json_kind, large.as_bytes(), 413, "bodyTooLarge"),
        ("POST", "/instances".into(), json_kind, b"[]", 400, "badDocument"),
        ("POST", "/instances".into(), json_kind, b"null", 400, "badDocument"),
        ("POST", "/instances".into(), json_kind, b"{\"element\":{\"key\":5}}", 400, "badDocument"),
        ("PATCH", "/instances/1".into(), json_kind, b"{}", 404, "notFound"),
        ("GET", "/events?after=-1".into(), None, b"", 400, "badParameter"),
        ("GET", "/events?after=x".into(), None, b"", 400, "badParameter"),
        ("GET", "/events?after=9223372036854775808".into(), None, b"", 400, "badParameter"),
        ("GET", "/instances/events?pageSize=0".into(), None, b"", 400, "badParameter"),
        ("GET", "/instances/events?pageSize=100000".into(), None, b"", 400, "badParameter"),
        ("PUT", release.into(), None, b"", 400, "badParameter"),
        ("PUT", format!("{release}?where="), None, b"", 400, "badWhere"),
        ("PUT", format!("{release}?where=status!='queued'"), None, b"", 400, "badWhere"),
        ("PUT", format!("{release}?where=channel='sms'"), None, b"", 400, "badWhere"),
    ];
    for (method, path, kind, body, status, code) in cases {
        let answer = request(server.address, method, &format!("{base}{path}"), Some(&token), kind, body);
        let case = format!("{method} {path}: {answer:?}");
        assert_eq!(answer.status, status, "{case}");
        let error = answer.json();
        assert_eq!(error["code"], code, "{case}");
        assert!(error["faults"].is_array() && !error["message"].as_str().unwrap().is_empty(), "{case}");
        assert_eq!(error["requestId"].as_str(), answer.header("Elements-Request-Id"), "{case}");
    }
    let place = request(
        server.address,
        "POST",
        "/elements/api-v2/instances",
        Some(&token),
        json_kind,
        b"{\"a\":\n  nil}",
    );
    assert!(place.json()["message"].as_str().unwrap().contains("line 2 column"), "{place:?}");
    // The server is none the worse.
    assert_eq!(server.ask(&token, "GET", "/instances", None).expect(200), json!([]));
    assert_eq!(request(server.address, "GET", "/health", None, None, b"").expect(200)["ready"], true);
    let garbage = raw(server.address, b"\x16\x03\x01 no http at all\r\n\r\n");
    assert_eq!(garbage.status, 400, "{garbage:?}");
}

/// The document with one value replaced, for every value.
fn replaced(value: &Value, by: &Value) -> Vec<Value> {
    let mut all = vec![by.clone()];
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                all.extend(replaced(inner, by).into_iter().map(|inner| {
                    let mut changed = members.clone();
                    changed.insert(name.clone(), inner);
                    Value::Object(changed)
                }));
            }
        }
        Value::Array(entries) => {
            for (place, inner) in entries.iter().enumerate() {
                all.extend(replaced(inner, by).into_iter().map(|inner| {
                    let mut changed = entries.clone();
                    changed[place] = inner;
                    Value::Array(changed)
                }));
            }
        }
        _ => {}
    }
    all
}

#[test]
fn every_member_may_hold_anything() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--interval-minimum", "0.05"]);
    let token = server.token.clone().unwrap();
    let mut sound = document("https://api.example.com", "https://app.example.com/events");
    sound["configuration"]["event.notification.enabled"] = json!(false);
    sound["configuration"]["event.poller.configuration"]["customers"]["sweep"] =
        json!({"every": "1 poll", "url": "/v1/customers", "readUrl": "/v1/customers/{id}"});
    let made = server.ask(&token, "POST", "/instances", Some(&sound)).expect(200);
    let base = format!("/instances/{}", made["id"]);
    let strange =
        [json!(null), json!(true), json!(-1e300), json!("\u{0}é<b>${"), json!([[]]), json!({"$sealed": "x"})];
    let mut stored = 0;
    for by in &strange {
        for document in replaced(&sound, by) {
            let answer = server.ask(&token, "PUT", &base, Some(&document));
            match answer.status {
                200 => stored += 1,
                400 => assert!(answer.json()["faults"].is_array(), "{document}: {answer:?}"),
                // Another element, or a sealed value that is not ours.
                409 => assert!(answer.json()["code"].is_string(), "{document}: {answer:?}"),
                _ => panic!("{document}: {answer:?}"),
            }
            server.ask(&token, "GET", &base, None).expect(200);
        }
    }
    assert!(stored > 10, "{stored} of them are harmless");
}

#[test]
fn nobody_enters_without_the_token() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let token = server.token.clone().unwrap();
    let (user, organization) = token.split_once(", ").unwrap();
    let head = |authorisation: &str| {
        format!(
            "GET /elements/api-v2/instances HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorisation}\r\n"
        )
    };
    for (authorisation, status) in [
        (String::new(), 401),
        ("Authorization: Bearer x\r\n".to_owned(), 401),
        (format!("Authorization: Bearer {token}\r\n"), 401),
        ("Authorization: User x, Organization 0123456789abcdef0123456789abcdef\r\n".to_owned(), 401),
        (format!("Authorization: User x, {organization}\r\n"), 401),
        (format!("Authorization: {organization}\r\n"), 401),
        (format!("Authorization: {user}x, {organization}\r\n"), 401),
        (format!("Authorization: {user}, {organization}x\r\n"), 401),
        (format!("Authorization: {user}, {organization}, Element e\r\n"), 401),
        (format!("Authorization: {user}\r\n"), 200),
        (format!("Authorization: {token}\r\n"), 200),
        (
            format!(
                "Authorization: {organization},{}\r\n",
                user.to_uppercase().replacen(&user.to_uppercase()[5..], &user[5..], 1)
            ),
            200,
        ),
    ] {
        let answer = raw(server.address, head(&authorisation).as_bytes());
        assert_eq!(answer.status, status, "{authorisation}: {answer:?}");
        assert_eq!(answer.header("WWW-Authenticate").is_some(), status == 401);
    }
    let unmarked = request(server.address, "GET", "/metrics", None, None, b"");
    assert_eq!(unmarked.status, 401);
}

#[test]
fn slow_heads_are_cut_while_others_are_served() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let token = server.token.clone().unwrap();
    let mut slow: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let started = Instant::now();
    let mut cut = 0;
    while cut < slow.len() && started.elapsed() < SOON {
        cut = 0;
        for stream in &mut slow {
            // A byte now and then: the connection is alive, the head never ends.
            let failed = stream.write_all(b"G").is_err();
            stream.set_nonblocking(true).unwrap();
            let closed = !matches!(stream.read(&mut [0; 512]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
            stream.set_nonblocking(false).unwrap();
            cut += usize::from(failed || closed);
        }
        let asked = Instant::now();
        assert_eq!(server.ask(&token, "GET", "/instances", None).expect(200), json!([]));
        assert!(asked.elapsed() < Duration::from_secs(5), "others wait for {:?}", asked.elapsed());
        std::thread::sleep(Duration::from_millis(250));
    }
    assert_eq!(cut, slow.len(), "after {:?}", started.elapsed());
}

#[test]
fn a_slow_body_and_an_idle_connection_are_cut() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let token = server.token.clone().unwrap();
    let address = server.address;
    let head = format!("Host: x\r\nAuthorization: {token}\r\n");
    let body = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let unfinished = format!("POST /elements/api-v2/instances HTTP/1.1\r\n{head}Connection: close\r\n{body}");
    let slow = std::thread::spawn(move || raw(address, unfinished.as_bytes()));
    // Kept alive and then silent: `raw` returns when the server has closed.
    let started = Instant::now();
    let idle = raw(address, format!("GET /elements/api-v2/instances HTTP/1.1\r\n{head}\r\n").as_bytes());
    assert_eq!(idle.status, 200);
    assert!(started.elapsed() < Duration::from_secs(20), "idle for {:?}", started.elapsed());
    let slow = slow.join().unwrap();
    assert_eq!((slow.status, &slow.json()["code"]), (408, &json!("bodyTooSlow")), "{slow:?}");
}

#[test]
fn a_data_directory_belongs_to_one_server() {
    let data = tempfile::tempdir().unwrap();
    let _server = Server::start(data.path(), &[]);
    let mut second = turnstone();
    second.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
    let output = second.output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("turnstone.db"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn a_preset_token_is_taken_and_logs_can_be_json() {
    let data = tempfile::tempdir().unwrap();
    let mut command = turnstone();
    command.args(["serve", "--json-messages", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
    let short = command.env("TURNSTONE_TOKEN", "short").output().unwrap();
    assert!(!short.status.success());
    assert!(String::from_utf8_lossy(&short.stderr).contains("TURNSTONE_TOKEN must be"));
    let preset = "0123456789abcdef0123456789abcdef";
    command.env("TURNSTONE_TOKEN", preset).env("TURNSTONE_USER_TOKEN", preset);
    let same = command.output().unwrap();
    assert!(String::from_utf8_lossy(&same.stderr).contains("must differ"), "{same:?}");
    let user = "fedcba9876543210fedcba9876543210";
    command.env("TURNSTONE_USER_TOKEN", user);
    let (server, stderr) = Server::start_with(&mut command);
    assert_eq!(server.token, None, "a token that somebody brought is not shown");
    assert_eq!(
        server.ask(&format!("User {user}, Organization {preset}"), "GET", "/instances", None).expect(200),
        json!([])
    );
    assert!(server.terminate());
    let mut log = String::new();
    { stderr }.read_to_string(&mut log).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let request = lines.iter().find(|line| line["path"] == "/elements/api-v2/instances").expect("a request");
    assert_eq!(request["status"], 200);
    assert!(!log.contains(preset) && !log.contains(user), "tokens are not logged");
}

#[test]
fn keys_may_come_from_the_environment() {
    let data = tempfile::tempdir().unwrap();
    let mut command = turnstone();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
    command.env("TURNSTONE_KEYS", "07".repeat(32));
    let (server, _stderr) = Server::start_with(&mut command);
    assert!(server.terminate());
    assert!(!data.path().join("turnstone.key").exists(), "no key is made beside it");
    let wrong = command.env("TURNSTONE_KEYS", "07").output().unwrap();
    assert_eq!(wrong.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("TURNSTONE_KEYS"), "{wrong:?}");
}
