//! What a receiver sees of a request, and what is kept of its answer.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::delivery::{Outcome, standard, verify};
use turnstone_engine::clock::Clock;
use turnstone_engine::clock::SeededEntropy;
use turnstone_engine::deliverer::{
    Deliverer, EndpointConfig, Forming, NOTIFICATION_RECORD_BYTES_MAX, Parts, Request, Sent, Sink,
    StoredSecret,
};
use turnstone_engine::document::HIDDEN;
use turnstone_store::{Delivery, EndpointState, Store};

use super::world::{Act, World, config};

const URL: &str = "https://a.test/events";

#[tokio::test]
async fn a_request_has_the_fields_headers_and_the_kept_bytes() {
    let world = World::new(|_, _| Act::Status(200)).await;
    let settings = r#"{"url":"https://a.test/events",
        "headers":[["X-Tenant",{"plain":"7"}],["elements-webhook-id",{"plain":"forged"}]],
        "basic":{"username":{"plain":"user"},"password":{"plain":"pass"}},
        "signatureKeys":[{"plain":"new"},{"plain":"old"}]}"#;
    let place = world.place_with("callback", settings).await;
    world.record(place, &["a", "b"]).await;
    world.settle().await;
    let [seen] = &world.receivers.seen()[..] else { panic!("one request") };
    let [row] = &world.notifications().await[..] else { panic!("one notification") };
    assert_eq!(seen.body, row.body);
    assert_eq!(seen.headers("Elements-Webhook-Id"), [row.id.to_string()]);
    assert!(seen.body.contains(&format!("\"id\":\"{}\"", row.id)));
    assert!(seen.body.contains("\"contacts\":[{\"n\": 1.10},{\"n\": 1.10}]"), "{}", seen.body);
    assert_eq!(seen.headers("X-Tenant"), ["7"]);
    assert_eq!(seen.headers("Authorization"), ["Basic dXNlcjpwYXNz"]);
    let signatures = seen.headers("Elements-Webhook-Signature");
    assert_eq!(signatures.len(), 2);
    assert!(verify(&["new"], seen.body.as_bytes(), &signatures[..1]));
    assert!(verify(&["old"], seen.body.as_bytes(), &signatures[1..]));
    let [attempt] = &world.attempts(row.id).await[..] else { panic!("one attempt") };
    assert_eq!(
        (attempt.status, attempt.error.as_deref(), attempt.answer.as_str()),
        (Some(200), None, "said 200")
    );
    assert_eq!(world.endpoint(place).await.accepted_at, Some(world.clock.now()));

    // What a person is shown of the request is what the receiver saw, without the subscriber's secrets.
    let told = Request::from_json(&attempt.request).expect("it was sent");
    assert_eq!((told.method.as_str(), told.url.as_str()), ("POST", URL));
    let hidden: Vec<&str> =
        told.headers.iter().filter(|(_, value)| value == HIDDEN).map(|(name, _)| name.as_str()).collect();
    assert_eq!(hidden, ["X-Tenant", "Authorization"]);
    let shown = |wanted: &str| -> Vec<&str> {
        told.headers.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(shown("Content-Type"), seen.headers("Content-Type"));
    assert_eq!(shown("Elements-Webhook-Id"), seen.headers("Elements-Webhook-Id"));
    assert_eq!(shown("Elements-Webhook-Signature"), signatures);
}

#[tokio::test]
async fn standard_webhooks_sign_the_time_of_each_attempt() {
    let world = World::new(|_, count| Act::Status(if count == 0 { 500 } else { 200 })).await;
    let settings = r#"{"url":"https://a.test/events","format":"standardWebhooks",
        "headers":[["webhook-signature",{"plain":"v1,forged"}]],
        "signatureKeys":[{"plain":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]}"#;
    let place = world.place_with("callback", settings).await;
    world.record(place, &["a"]).await;
    world.live().await;
    let seen = world.receivers.seen();
    assert_eq!(seen.len(), 2);
    let secrets = [standard::Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()];
    for seen in &seen {
        assert!(seen.headers("Elements-Webhook-Signature").is_empty());
        let [timestamp] = seen.headers("webhook-timestamp")[..] else { panic!("one time") };
        assert_eq!(timestamp, seen.at.as_second().to_string());
        let [id] = seen.headers("webhook-id")[..] else { panic!("one id") };
        let [signatures] = seen.headers("webhook-signature")[..] else { panic!("one signature header") };
        let signed = standard::Signed { id, timestamp, signatures, body: seen.body.as_bytes() };
        assert!(standard::verify(&secrets, &signed, seen.at));
    }
    assert_ne!(seen[0].headers("webhook-signature"), seen[1].headers("webhook-signature"));
}

#[track_caller]
fn one_clause(text: &str, part: &str) {
    assert!(text.contains(part), "{text}");
    assert!(!text.ends_with('.') && !text.contains('\n') && text.starts_with(['t', '`']), "{text}");
}

#[tokio::test]
async fn every_refusal_says_why_in_one_clause() {
    for (act, status, part) in [
        (Act::Status(302), Some(302), "redirects are not followed"),
        (Act::Status(304), Some(304), "redirects are not followed"),
        (Act::Status(401), Some(401), "correct the credentials"),
        (Act::Status(404), Some(404), "correct the address"),
        (Act::Status(410), Some(410), "the endpoint is disabled"),
        (Act::Status(429), Some(429), "asks for patience"),
        (Act::Status(500), Some(500), "it failed"),
        (Act::Break(false), None, "broke the connection"),
    ] {
        let world = World::new(move |_, _| act.clone()).await;
        let place = world.place(URL).await;
        world.record(place, &["a"]).await;
        world.once().await;
        let row = &world.notifications().await[0];
        assert_eq!(row.failures, 1);
        let attempt = &world.attempts(row.id).await[0];
        assert_eq!(attempt.status, status);
        one_clause(attempt.error.as_deref().unwrap(), part);
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_fail_the_attempt_and_say_so() {
    let sealed =
        EndpointConfig { signature_keys: vec![StoredSecret::Sealed("v1.x.y".into())], ..config(URL) };
    let missing = EndpointConfig {
        signature_keys: vec![StoredSecret::Env("TURNSTONE_TEST_NOTHING".into())],
        ..config(URL)
    };
    for (settings, part) in [
        (sealed.to_json(), "no key ring"),
        (missing.to_json(), "TURNSTONE_TEST_NOTHING"),
        ("{}".to_owned(), "save its callback anew"),
        (
            r#"{"url":"u","format":"standardWebhooks","signatureKeys":[{"plain":"ö"}]}"#.to_owned(),
            "is not `whsec_`",
        ),
    ] {
        let world = World::new(|_, _| panic!("nothing may be sent")).await;
        let place = world.place_with("callback", &settings).await;
        world.record(place, &["a"]).await;
        world.once().await;
        let row = &world.notifications().await[0];
        assert_eq!((row.state.as_str(), row.failures), ("retry", 1));
        one_clause(world.attempts(row.id).await[0].error.as_deref().unwrap(), part);
    }
}

#[tokio::test]
async fn a_new_address_counts_at_the_next_attempt() {
    let world = World::new(|seen, _| Act::Status(if seen.url.contains("new") { 200 } else { 404 })).await;
    let place = world.place(URL).await;
    world.record(place, &["a"]).await;
    world.settle().await;
    let row = world.store.instance(world.org, place.instance).await.unwrap();
    let new = turnstone_store::NewInstance {
        org: row.org,
        element_key: row.element_key,
        element: None,
        name: row.name,
        tags: row.tags,
        token_hash: [0; 32],
        document: row.document,
        enabled: row.enabled,
        pollers: Vec::new(),
        endpoint: Some(turnstone_store::NewEndpoint {
            kind: "callback".into(),
            config: config("https://new.test/").to_json(),
        }),
        intake: None,
    };
    world.store.update_instance(world.org, place.instance, new, world.clock.now()).await.unwrap();
    world.live().await;
    let seen = world.receivers.seen();
    assert_eq!(seen.iter().map(|seen| seen.url.as_str()).collect::<Vec<_>>(), [URL, "https://new.test/"]);
    assert_eq!((seen[0].id(), &seen[0].body), (seen[1].id(), &seen[1].body));
}

#[tokio::test]
async fn ten_events_go_together_and_fewer_when_their_records_are_large() {
    let world = World::new(|_, _| Act::Status(200)).await;
    let place = world.place(URL).await;
    let ids: Vec<String> = (0..23).map(|number| format!("r{number}-")).collect();
    world.record(place, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    world.settle().await;
    let counts: Vec<usize> =
        world.receivers.accepted().iter().map(|story| story.split(' ').count()).collect();
    assert_eq!(counts, [10, 10, 3]);

    let world = World::new(|_, _| Act::Status(200)).await;
    let place = world.place(URL).await;
    let large = format!("\"{}\"", "x".repeat(NOTIFICATION_RECORD_BYTES_MAX * 2 / 5));
    world.record_of(place, &["a", "b", "c"], &large).await;
    let huge = format!("\"{}\"", "x".repeat(NOTIFICATION_RECORD_BYTES_MAX));
    world.record_of(place, &["d", "e"], &huge).await;
    world.settle().await;
    assert_eq!(world.receivers.accepted(), ["a1 b1", "c1", "d1", "e1"]);
}

/// A sink of another kind, as the command line adds one for its output.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

#[async_trait]
impl Sink for Lines {
    fn body(&self, forming: &Forming<'_>) -> String {
        forming.events.iter().map(|event| format!("{}\n", event.object_id)).collect()
    }

    async fn send(&self, delivery: &Delivery) -> Sent {
        let body = &delivery.notification.body;
        assert!(!body.contains("bug"), "the sink stumbles over {body}");
        self.0.lock().unwrap().push(body.clone());
        let outcome = Outcome::Answered { status: 200, retry_after: None };
        Sent {
            sent_at: Timestamp::UNIX_EPOCH,
            duration: std::time::Duration::ZERO,
            outcome,
            error: None,
            answer: String::new(),
            request: None,
        }
    }
}

#[tokio::test]
async fn another_kind_is_left_alone_until_there_is_a_sink_for_it() {
    let world = World::new(|_, _| Act::Status(200)).await;
    let output = world.place_with("stdout", "{}").await;
    let callback = world.place(URL).await;
    world.record(output, &["o", "p"]).await;
    world.record(callback, &["a"]).await;
    world.settle().await;
    assert_eq!(world.receivers.accepted(), ["a1"]);
    assert_eq!(world.notifications().await.len(), 1);

    let lines = Arc::new(Lines::default());
    let with_output = Deliverer::new(Parts {
        store: Arc::clone(&world.store) as Arc<dyn Store>,
        clock: Arc::new(world.clock.clone()),
        entropy: Arc::new(SeededEntropy::new(1)),
        inbox: None,
        limits: turnstone_engine::deliverer::Limits::default(),
    })
    .with_sink("stdout", Arc::clone(&lines) as Arc<dyn Sink>);
    assert_eq!(with_output.deliver_once().await.unwrap().delivered, 1);
    assert_eq!(*lines.0.lock().unwrap(), ["o\np\n"]);

    // A sink that panics fails its attempt, and nothing else.
    world.record(output, &["bug"]).await;
    let summary = with_output.deliver_once().await.unwrap();
    assert_eq!((summary.delivered, summary.failed), (0, 1));
    let row = world.notifications().await.pop().unwrap();
    one_clause(world.attempts(row.id).await[0].error.as_deref().unwrap(), "a fault of ours");
    assert_eq!(world.endpoint(output).await.state, EndpointState::Active);
    assert!(row.next_due > Some(world.clock.now()));
}
