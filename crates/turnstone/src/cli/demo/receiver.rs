//! The receiving side, written as a user would write it: an HTTP server that checks the signature of every notification
//! over the bytes as they came, before it reads anything.
//!
//! None of Turnstone's own code is used to verify: a receiver must share no mistake with the sender.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Notifications that may wait to be shown. When it is full the callback is answered later.
const WAITING_MAX: usize = 256;
/// Bytes of a notification: ten events of the largest record that is read.
const BODY_BYTES_MAX: usize = 48 * 1024 * 1024;

/// One notification that came in.
#[derive(Debug)]
pub struct Received {
    /// Its `Elements-Webhook-Id`.
    pub webhook_id: String,
    /// What was wrong with it; its events are not read then.
    pub fault: Option<&'static str>,
    /// Its events.
    pub events: Vec<ReceivedEvent>,
}

/// One event of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// Its id, by which a receiver recognises a repeat.
    pub id: String,
    /// `CREATED`, `UPDATED` or `DELETED`.
    pub kind: String,
    /// The resource.
    pub resource: String,
    /// The record's id.
    pub object_id: String,
    /// Why it is an event.
    pub reason: String,
    /// The member `version` of the record, where the notification holds the record.
    pub version: Option<u32>,
}

/// A receiver that is up. Dropping it stops it.
pub struct Receiver {
    address: SocketAddr,
    incoming: mpsc::Receiver<Received>,
    task: JoinHandle<()>,
}

struct Inner {
    key: String,
    out: mpsc::Sender<Received>,
}

impl Receiver {
    /// Listens on a free port of the loopback address.
    pub async fn start(key: String) -> std::io::Result<Receiver> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (out, incoming) = mpsc::channel(WAITING_MAX);
        let router = Router::new()
            .route("/events", post(take))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::new(Inner { key, out }));
        let task = tokio::spawn(async move {
            // It ends with the task only; a connection's failure is the sender's to see.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Receiver { address, incoming, task })
    }

    /// Where notifications are to be sent.
    pub fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// The next notification.
    pub async fn next(&mut self) -> Option<Received> {
        self.incoming.recv().await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let webhook_id = text("elements-webhook-id").to_owned();
    let judged = if verify(inner.key.as_bytes(), &body, text("elements-webhook-signature")) {
        read(&body).ok_or("it cannot be read")
    } else {
        Err("its signature does not match")
    };
    let (status, received) = match judged {
        Ok(events) => (StatusCode::OK, Received { webhook_id, fault: None, events }),
        Err(fault) => {
            (StatusCode::UNAUTHORIZED, Received { webhook_id, fault: Some(fault), events: Vec::new() })
        }
    };
    match inner.out.send(received).await {
        Ok(()) => (status, "{}"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "{}"),
    }
}

/// Whether a signature header belongs to these bytes: `sha256=` and the base64 of their HMAC-SHA256.
fn verify(key: &[u8], body: &[u8], header: &str) -> bool {
    let Some(signature) = header.strip_prefix("sha256=").and_then(|text| STANDARD.decode(text).ok()) else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(body);
    // Compares in constant time.
    mac.verify_slice(&signature).is_ok()
}

#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    raw: Option<&'a RawValue>,
    events: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    event_id: String,
    event_type: String,
    object_type: String,
    object_id: String,
    #[serde(default)]
    reason: String,
}

fn read(body: &[u8]) -> Option<Vec<ReceivedEvent>> {
    let notification: Notification<'_> = serde_json::from_slice(body).ok()?;
    let raw: Value = match notification.message.raw {
        Some(raw) => serde_json::from_str(raw.get()).ok()?,
        None => Value::Null,
    };
    let event = |member: Member| ReceivedEvent {
        version: version(&raw, &member.object_type, &member.object_id),
        id: member.event_id,
        kind: member.event_type,
        resource: member.object_type,
        object_id: member.object_id,
        reason: member.reason,
    };
    Some(notification.message.events.into_iter().map(event).collect())
}

/// The member `version` of a record in `raw`.
fn version(raw: &Value, resource: &str, object_id: &str) -> Option<u32> {
    let same = |record: &&Value| match record.get("id") {
        Some(Value::String(text)) => text == object_id,
        Some(Value::Number(number)) => number.to_string() == object_id,
        _ => false,
    };
    let record = raw.get(resource)?.as_array()?.iter().find(same)?;
    u32::try_from(record.get("version")?.as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_signature_holds_and_no_other_does() {
        let (key, body) = (b"MySecretEventSignatureKey", b"<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>");
        let header = "sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=";
        assert!(verify(key, body, header));
        assert!(!verify(b"another key", body, header));
        assert!(!verify(key, b"another body", header));
        assert!(!verify(key, body, &header.replace("sha256", "sha1")));
        assert!(!verify(key, body, ""));
    }

    #[test]
    fn a_notification_is_read_with_the_versions_of_its_records() {
        let body = br#"{"id":"9","message":{"raw":{"instance_id":1,"objectType":"tickets","tickets":[
            {"id":90071992547409931,"version":3}]},"events":[
            {"eventId":"evt_1","eventType":"UPDATED","objectType":"tickets","objectId":"90071992547409931",
             "reason":"known record, newer version"},
            {"eventId":"evt_2","eventType":"DELETED","objectType":"tickets","objectId":"7"}]}}"#;
        let events = read(body).unwrap();
        assert_eq!(events[0].version, Some(3));
        assert_eq!(events[0].reason, "known record, newer version");
        assert_eq!((events[1].version, events[1].kind.as_str()), (None, "DELETED"));
        assert!(read(b"{}").is_none());
    }
}
