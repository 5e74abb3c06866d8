//! Where notifications go: the trait, and the HTTP callback as one kind of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use turnstone_core::delivery::{self, Outcome, RetryPolicy, standard};
use turnstone_core::event::Event;
use turnstone_core::id::NotificationId;
use turnstone_core::limits::{EVENTS_PER_NOTIFICATION_POLLING, EVENTS_PER_NOTIFICATION_WEBHOOK};
use turnstone_core::notification::{self, AccountIds, Contents};
use turnstone_store::{Delivery, EndpointRow, EventsMax, InstanceRow};
use zeroize::Zeroizing;

use super::config::{EndpointConfig, Format, Purpose, StoredSecret, Vault};
use crate::clock::Clock;
use crate::document::HIDDEN;
use crate::egress::{Callback, Net};
use crate::secrets::{Place, Secret};

/// One kind of endpoint.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Writes the body of a new notification; kept, and handed to every [`Sink::send`] of it unchanged. The field's
    /// notification, unless a kind has another form.
    fn body(&self, forming: &Forming<'_>) -> String {
        let contents = Contents {
            id: forming.id,
            instance: forming.instance.id,
            instance_name: &forming.instance.name,
            element_key: &forming.instance.element_key,
            accounts: AccountIds::of_organisation(forming.instance.org),
            now: forming.now,
            events: forming.events,
            received: forming.received,
        };
        notification::body(&contents).expect("a notification is formed of at least one event")
    }

    /// At most so many events go together.
    fn events_max(&self) -> EventsMax {
        EventsMax {
            polled: EVENTS_PER_NOTIFICATION_POLLING as u32,
            received: EVENTS_PER_NOTIFICATION_WEBHOOK as u32,
        }
    }

    /// What a failure leads to.
    fn policy(&self, _endpoint: &EndpointRow) -> RetryPolicy {
        RetryPolicy::Retry
    }

    /// Tries once. Never fails: what went wrong is part of the answer.
    async fn send(&self, delivery: &Delivery) -> Sent;
}

/// What a new notification is written from.
#[derive(Clone, Copy, Debug)]
pub struct Forming<'a> {
    /// Its id.
    pub id: NotificationId,
    /// Its instance.
    pub instance: &'a InstanceRow,
    /// Its events, in log order, of one resource or of one request of the provider; at least one.
    pub events: &'a [&'a Event],
    /// What the provider sent, as JSON, if that is how they came to be known.
    pub received: Option<&'a str>,
    /// When it is formed.
    pub now: Timestamp,
}

/// What came of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Until it was answered, or failed.
    pub duration: Duration,
    /// What the receiver said, for the verdict.
    pub outcome: Outcome,
    /// Why it is no success, in one clause; `None` when it is one.
    pub error: Option<String>,
    /// The first bytes of the answer, for a person.
    pub answer: String,
    /// What was asked for; `None` where nothing could be sent.
    pub request: Option<Request>,
}

/// A request as a person is shown it: its body is the notification's, and its secrets are [`HIDDEN`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Names and values, in the order in which they were written.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// As it is kept with an attempt.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts can be written")
    }

    /// Reads [`Request::to_json`]; `None` for attempts without one.
    pub fn from_json(text: &str) -> Option<Request> {
        serde_json::from_str(text).ok()
    }
}

/// Sends notifications to callback URLs.
pub struct HttpCallback {
    net: Arc<dyn Net>,
    clock: Arc<dyn Clock>,
    vault: Vault,
}

impl HttpCallback {
    /// The kind of endpoint that this sends to.
    pub const KIND: &'static str = "callback";

    /// A callback sink. The vault opens the endpoints' secrets.
    pub fn new(net: Arc<dyn Net>, clock: Arc<dyn Clock>, vault: Vault) -> HttpCallback {
        HttpCallback { net, clock, vault }
    }

    /// The request, and what a person is shown of it; or one clause about why there can be none.
    fn request(&self, delivery: &Delivery) -> Result<(Callback, Request), String> {
        let config =
            EndpointConfig::from_json(&delivery.endpoint.config).map_err(|error| error.to_string())?;
        let secrets = Secrets { vault: &self.vault, organisation: delivery.endpoint.org.0 };
        let mut headers = Vec::new();
        for (name, value) in config.headers.iter().filter(|(name, _)| !is_ours(name, &config)) {
            headers.push((name.clone(), secrets.open(value, Purpose::Header(name))?));
        }
        if let Some(basic) = &config.basic {
            let username = secrets.open(&basic.username, Purpose::Username)?;
            let password = secrets.open(&basic.password, Purpose::Password)?;
            let pair = Zeroizing::new(format!("{}:{}", username.expose(), password.expose()));
            headers
                .push(("Authorization".into(), format!("Basic {}", STANDARD.encode(pair.as_bytes())).into()));
        }
        // What follows is ours, and signatures tell nothing of their keys.
        let secret = headers.len();
        headers.push(("Content-Type".into(), "application/json".into()));
        let id = delivery.notification.id.to_string();
        headers.push((delivery::ID_HEADER.into(), id.as_str().into()));
        let body = delivery.notification.body.as_bytes();
        let mut keys = Vec::with_capacity(config.signature_keys.len());
        for key in &config.signature_keys {
            keys.push(secrets.open(key, Purpose::Signature)?);
        }
        match config.format {
            Format::Elements => headers.extend(keys.iter().map(|key| {
                (delivery::SIGNATURE_HEADER.to_owned(), delivery::sign(key.expose(), body).into())
            })),
            Format::StandardWebhooks => self.sign_standard(&keys, &id, body, &mut headers)?,
        }
        let shown = headers.iter().enumerate().map(|(place, (name, value))| {
            (name.clone(), if place < secret { HIDDEN } else { value.expose() }.to_owned())
        });
        let request = Request { method: "POST".into(), url: config.url.clone(), headers: shown.collect() };
        let body = Bytes::copy_from_slice(body);
        Ok((Callback { timeout: config.timeout(), url: config.url, headers, body }, request))
    }

    /// The time is that of this attempt: receivers refuse old ones.
    fn sign_standard(
        &self,
        keys: &[Secret],
        id: &str,
        body: &[u8],
        headers: &mut Vec<(String, Secret)>,
    ) -> Result<(), String> {
        let now = self.clock.now();
        headers.push((standard::ID_HEADER.into(), id.into()));
        headers.push((standard::TIMESTAMP_HEADER.into(), now.as_second().to_string().into()));
        let secrets: Result<Vec<_>, _> =
            keys.iter().map(|key| standard::Secret::parse(key.expose())).collect();
        let secrets = secrets.map_err(|error| error.to_string())?;
        if !secrets.is_empty() {
            headers.push((standard::SIGNATURE_HEADER.into(), standard::sign(&secrets, id, now, body).into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Sink for HttpCallback {
    /// The schedule, where the settings cannot be read: then every attempt fails, and says so.
    fn policy(&self, endpoint: &EndpointRow) -> RetryPolicy {
        EndpointConfig::from_json(&endpoint.config).map_or(RetryPolicy::Retry, |config| config.policy)
    }

    async fn send(&self, delivery: &Delivery) -> Sent {
        let (callback, request) = match self.request(delivery) {
            Ok((callback, request)) => (callback, Some(request)),
            Err(reason) => return unsent(self.clock.now(), reason),
        };
        let reply = self.net.post(callback).await;
        let (sent_at, duration) = (reply.sent_at, reply.duration);
        match reply.outcome {
            Ok(answer) => {
                let asked = answer.retry_after.as_deref();
                let retry_after = asked.and_then(|asked| delivery::retry_after(asked, self.clock.now()));
                let outcome = Outcome::Answered { status: answer.status, retry_after };
                let error = (!outcome.is_accepted()).then(|| delivery::refusal(answer.status));
                Sent { sent_at, duration, outcome, error, answer: answer.text, request }
            }
            Err(error) => {
                let error = Some(error.message);
                let (outcome, answer) = (Outcome::Unanswered, String::new());
                Sent { sent_at, duration, outcome, error, answer, request }
            }
        }
    }
}

/// A try that could not be made.
pub(super) fn unsent(now: Timestamp, reason: String) -> Sent {
    Sent {
        sent_at: now,
        duration: Duration::ZERO,
        outcome: Outcome::Unanswered,
        error: Some(reason),
        answer: String::new(),
        request: None,
    }
}

/// Headers that are written here. The check refuses them when they are saved; whatever got past it is left out, because
/// a second value beside ours would let a subscriber's text pass for our signature.
fn is_ours(name: &str, config: &EndpointConfig) -> bool {
    let name = name.to_ascii_lowercase();
    name == "content-type"
        || name.starts_with("elements-")
        || (name == "authorization" && config.basic.is_some())
        || (config.format == Format::StandardWebhooks && name.starts_with("webhook-"))
}

struct Secrets<'a> {
    vault: &'a Vault,
    organisation: i64,
}

impl Secrets<'_> {
    fn open(&self, kept: &StoredSecret, purpose: Purpose<'_>) -> Result<Secret, String> {
        let place = Place { organisation: self.organisation, row: &purpose.row() };
        self.vault.open(kept, place).map_err(|error| error.to_string())
    }
}
