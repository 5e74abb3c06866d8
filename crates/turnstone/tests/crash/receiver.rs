//! A callback receiver that keeps everything, and checks signatures with nothing of ours.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// The key that callbacks are signed with.
pub const KEY: &str = "MySecretEventSignatureKey";

/// The organisation's token in these tests.
pub const TOKEN: &str = "crash-test-organisation-token-0123456789";

/// One event as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The derived id.
    pub event_id: String,
    /// The resource.
    pub resource: String,
    /// The record.
    pub object_id: String,
    /// Its version, as the provider's record says.
    pub version: u32,
    /// Its number among the record's events.
    pub sequence: u64,
}

/// One event that a provider notified, as it was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// The derived id.
    pub event_id: String,
    /// The record.
    pub object_id: String,
    /// The step that the provider's body names.
    pub step: u64,
}

#[derive(Default)]
struct Log {
    events: Mutex<Vec<Received>>,
    told: Mutex<Vec<Told>>,
    notifications: AtomicU64,
    in_flight: AtomicI64,
    bad_signatures: AtomicU64,
}

/// A running receiver.
pub struct Receiver {
    address: std::net::SocketAddr,
    log: Arc<Log>,
}

impl Receiver {
    /// Listens on a free port.
    pub async fn start() -> Receiver {
        let log = Arc::new(Log::default());
        let router = Router::new().route("/hook", post(receive)).route("/told", post(hear));
        let router = router.with_state(Arc::clone(&log));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Receiver { address, log }
    }

    pub fn url(&self) -> String {
        self.url_of("/hook")
    }

    pub fn url_of(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn told(&self) -> Vec<Told> {
        self.log.told.lock().unwrap().clone()
    }

    pub fn in_flight(&self) -> i64 {
        self.log.in_flight.load(Ordering::SeqCst)
    }

    pub fn count(&self) -> u64 {
        self.log.notifications.load(Ordering::SeqCst)
    }

    pub fn bad_signatures(&self) -> u64 {
        self.log.bad_signatures.load(Ordering::SeqCst)
    }

    pub fn events(&self) -> Vec<Received> {
        self.log.events.lock().unwrap().clone()
    }
}

/// Counts a request as in flight until its handler ends, also when the sender is killed and the handler dropped.
struct InFlight<'a>(&'a AtomicI64);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        InFlight(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn receive(State(log): State<Arc<Log>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let _in_flight = InFlight::new(&log.in_flight);
    // A receiver takes its time before and after it has kept what it got: kills fall into both.
    let spread = u64::from(body.len() as u32 % 60);
    tokio::time::sleep(Duration::from_millis(20 + spread)).await;
    if !is_signed(&headers, &body) {
        log.bad_signatures.fetch_add(1, Ordering::SeqCst);
        return StatusCode::UNAUTHORIZED;
    }
    let events = read(&body);
    log.events.lock().unwrap().extend(events);
    log.notifications.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(20 + spread)).await;
    StatusCode::OK
}

/// Takes what a provider notified: the body of the provider stands in `raw`, whole.
async fn hear(State(log): State<Arc<Log>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !is_signed(&headers, &body) {
        log.bad_signatures.fetch_add(1, Ordering::SeqCst);
        return StatusCode::UNAUTHORIZED;
    }
    let notification: Value = serde_json::from_slice(&body).unwrap();
    let message = &notification["message"];
    let step = message["raw"]["step"].as_u64().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = message["events"].as_array().unwrap().iter().map(|event| Told {
        event_id: text(&event["eventId"]),
        object_id: text(&event["objectId"]),
        step,
    });
    log.told.lock().unwrap().extend(told);
    StatusCode::OK
}

fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(body);
    let expected =
        format!("sha256={}", base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes()));
    headers.get("elements-webhook-signature").is_some_and(|given| given.as_bytes() == expected.as_bytes())
}

fn read(body: &[u8]) -> Vec<Received> {
    let notification: Value = serde_json::from_slice(body).unwrap();
    let message = &notification["message"];
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let events = message["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| {
            let resource = text(&event["objectType"]);
            let object_id = text(&event["objectId"]);
            let records = message["raw"][&resource].as_array().unwrap();
            let record = records.iter().find(|record| text(&record["id"]) == object_id).unwrap();
            Received {
                event_id: text(&event["eventId"]),
                version: record["version"].as_u64().unwrap() as u32,
                sequence: event["sequence"].as_u64().unwrap(),
                resource,
                object_id,
            }
        })
        .collect()
}
