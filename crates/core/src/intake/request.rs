//! A request as it is kept: byte for byte, so that it can be run again when a hook is mended.
//!
//! Its body is read in the way that the configuration names, never in the one that the sender claims (H05), and handed
//! to the event hook with the order of members and the text of numbers as they came: the published pattern of checking
//! a signature inside a hook writes the body anew and compares (reference/events §5).
//!
//! Not here: whether it is the provider's (`verification`), where it is kept (the store).

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Inbound;
use crate::event::EventType;
use crate::hook::HookEvent;
use crate::id::{EventId, InstanceId, OrgId};
use crate::json_text;
use crate::resource::Resource;

/// How the body of a provider's requests is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    /// As JSON. An empty body has no members.
    #[default]
    Json,
    /// As the fields of a form.
    Form,
    /// Not at all: the members are the query's parameters.
    Query,
    /// As text, in the one member `text`.
    Text,
}

impl BodyFormat {
    /// All of them with their words.
    pub const ALL: [(&'static str, BodyFormat); 4] = [
        ("json", BodyFormat::Json),
        ("form", BodyFormat::Form),
        ("query", BodyFormat::Query),
        ("text", BodyFormat::Text),
    ];

    /// The word in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            BodyFormat::Json => "json",
            BodyFormat::Form => "form",
            BodyFormat::Query => "query",
            BodyFormat::Text => "text",
        }
    }
}

/// A request as it came in, owned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawRequest {
    /// Its method.
    pub method: String,
    /// The address that it was sent to; empty in what is kept, because whoever knows it may send.
    pub url: String,
    /// Its query parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Its headers in their order and letter case as far as the transport keeps it.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte.
    pub body: Vec<u8>,
}

/// A body that is not what the configuration says it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the body cannot be read as {format}: {problem}; look at `event.webhook.body`, which says how it is read"
)]
pub struct BodyError {
    format: &'static str,
    problem: String,
}

impl RawRequest {
    /// A look at it, for those who judge.
    pub fn as_inbound(&self) -> Inbound<'_> {
        Inbound {
            method: &self.method,
            url: &self.url,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }

    /// What it says, as JSON: a JSON body as it is, byte for byte; fields and parameters as an object of texts, with a
    /// list where one name stands more than once; text as the object's member `text`. A request by `GET` has no body
    /// worth the name, so its parameters are taken whatever is declared.
    pub fn content(&self, format: BodyFormat) -> Result<Cow<'_, str>, BodyError> {
        if self.method == "GET" {
            return Ok(Cow::Owned(object_of(&self.query)));
        }
        let wrong = |problem: String| BodyError { format: format.as_str(), problem };
        match format {
            BodyFormat::Query => Ok(Cow::Owned(object_of(&self.query))),
            BodyFormat::Form => {
                let fields: Vec<(String, String)> = url::form_urlencoded::parse(&self.body)
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect();
                Ok(Cow::Owned(object_of(&fields)))
            }
            BodyFormat::Json => {
                let text = std::str::from_utf8(&self.body).map_err(|error| wrong(error.to_string()))?;
                let text = text.trim_start_matches('\u{feff}');
                if text.trim().is_empty() {
                    return Ok(Cow::Borrowed("{}"));
                }
                serde_json::from_str::<&RawValue>(text).map_err(|error| wrong(error.to_string()))?;
                Ok(Cow::Borrowed(text))
            }
            BodyFormat::Text => {
                let text = std::str::from_utf8(&self.body).map_err(|error| wrong(error.to_string()))?;
                Ok(Cow::Owned(format!("{{\"text\":{}}}", json_text::quote(text))))
            }
        }
    }

    /// The input `events` of an event hook: what the request says, with `eventHeaders` and `eventId` added behind it.
    /// Members of these names in the body are replaced: nothing of a body may pass for a header (H05). A list keeps
    /// its shape only inside `events`: an array has no members, so it stands in one of its own, `events.body`.
    pub fn hook_events(&self, format: BodyFormat, id: &str) -> Result<String, BodyError> {
        let content = self.content(format)?;
        let is_object = content.trim_start().starts_with('{');
        let object = if is_object { content } else { Cow::Owned(format!("{{\"body\":{content}}}")) };
        let headers = json_text::with_member(&object, "eventHeaders", &object_of(&self.headers));
        Ok(json_text::with_member(&headers, "eventId", &json_text::quote(id)))
    }
}

fn object_of(pairs: &[(String, String)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in pairs {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let member = |name: &&str| {
        let values: Vec<String> = pairs
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| json_text::quote(value))
            .collect();
        let value = if values.len() == 1 { values[0].clone() } else { format!("[{}]", values.join(",")) };
        format!("{}:{value}", json_text::quote(name))
    };
    let members: Vec<String> = names.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}

/// How a delivery that is sent again is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// By the name that the provider gives it: for as long as it is kept.
    Named,
    /// By its content: two equal ones within this time are one.
    Content(Duration),
}

/// What two requests have in common when they are the same delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryKey {
    /// The hash that they share.
    pub hash: [u8; 32],
    /// How long it counts.
    pub recognition: Recognition,
}

/// The key of a delivery of an instance: its provider's name for it, else a hash of method, parameters and body. What a
/// sender writes anew with every try, such as the time of a signature, stands in headers and is not part of it.
pub fn delivery_key(
    instance: InstanceId,
    name: Option<&str>,
    request: &RawRequest,
    window: Duration,
) -> DeliveryKey {
    let mut hasher = Sha256::new();
    hasher.update(b"turnstone delivery 1");
    hasher.update(instance.0.to_be_bytes());
    let recognition = match name {
        Some(name) => {
            hasher.update(b"n");
            part(&mut hasher, name.as_bytes());
            Recognition::Named
        }
        None => {
            hasher.update(b"c");
            part(&mut hasher, request.method.as_bytes());
            for (name, value) in &request.query {
                part(&mut hasher, name.as_bytes());
                part(&mut hasher, value.as_bytes());
            }
            part(&mut hasher, &request.body);
            Recognition::Content(window)
        }
    };
    DeliveryKey { hash: hasher.finalize().into(), recognition }
}

/// The id of an event that an event hook reported: derived from the delivery, so that running a request again gives the
/// same event. A delivery that is only known by its content counts anew once its time is over, hence `received_at`.
pub fn event_id(org: OrgId, key: &DeliveryKey, received_at: Timestamp, index: usize) -> EventId {
    let mut hasher = Sha256::new();
    hasher.update(b"turnstone received event 1");
    hasher.update(org.0.to_be_bytes());
    hasher.update(key.hash);
    if matches!(key.recognition, Recognition::Content(_)) {
        hasher.update(received_at.as_microsecond().to_be_bytes());
    }
    hasher.update((index as u64).to_be_bytes());
    let digest = hasher.finalize();
    // The order in front lets an index of ids grow at its end (decision 0007).
    let order = received_at.as_second().clamp(0, (1 << 40) - 1);
    let mut id = [0; 16];
    id[..5].copy_from_slice(&order.to_be_bytes()[3..]);
    id[5..].copy_from_slice(&digest[..11]);
    EventId(id)
}

fn part(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

/// Why a request was put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantine {
    /// Stable code, such as `hookFailed` or `badBody`.
    pub code: String,
    /// One sentence that names the place and the remedy.
    pub reason: String,
    /// The line of the hook at which it failed, from 1.
    pub line: Option<u32>,
}

/// What became of one event that a hook reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// An event to be recorded. Poller and sequence are the store's to give.
    Event(Box<ReceivedEvent>),
    /// A record of a polled resource that is to be looked at.
    Hint(Hint),
}

/// An event that a hook reported, before it has its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// Derived from the delivery.
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// The name of the resource.
    pub object_type: String,
    /// The record's id.
    pub object_id: String,
    /// When it happened by the provider's account; when it was received, where the hook does not say.
    pub date: Timestamp,
    /// Why it is an event, in words.
    pub reason: String,
}

/// A record that a notification of the provider named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The polled resource.
    pub resource: String,
    /// The record's id.
    pub object_id: String,
    /// What the provider says happened to it.
    pub event_type: EventType,
    /// When, if it says so.
    pub date: Option<Timestamp>,
}

/// Sorts what a hook reported: records of `polled` resources are looked at by their poller, which reports them once
/// however they became known; everything else is an event as it stands.
pub fn sort_reported(
    org: OrgId,
    key: &DeliveryKey,
    received_at: Timestamp,
    events: Vec<HookEvent>,
    polled: &[Resource],
) -> Vec<Reported> {
    let sorted = events.into_iter().enumerate().map(|(index, event)| {
        if let Some(resource) = polled.iter().find(|resource| resource.name == event.object_type) {
            // The ledger knows a record by its canonical id.
            let canonical = resource.case_insensitive_ids.then(|| event.object_id.to_lowercase());
            return Reported::Hint(Hint {
                resource: event.object_type,
                object_id: canonical.unwrap_or(event.object_id),
                event_type: event.event_type,
                date: event.date,
            });
        }
        Reported::Event(Box::new(ReceivedEvent {
            id: event_id(org, key, received_at, index),
            event_type: event.event_type,
            object_type: event.object_type,
            object_id: event.object_id,
            date: event.date.unwrap_or(received_at),
            reason: "reported by the event hook".to_owned(),
        }))
    });
    sorted.collect()
}
