//! The event: one recorded change, immutable, with an id derived from what happened.
//!
//! Because the id is a hash of the change and not drawn, a re-poll, a second node, a commit with an unknown outcome or
//! a restored backup produces the same id: the store's unique index and the receiver's memory both see a repeat as a
//! repeat (design section 5).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::{EventId, InboundId, InstanceId, OrgId, PollerId, RunId};
use crate::json_hash::ContentHash;

/// What happened to a record, in the field's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventType {
    /// It is new.
    Created,
    /// It changed.
    Updated,
    /// It is gone.
    Deleted,
    /// A source that does not say.
    Unknown,
}

impl EventType {
    /// The field's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Created => "CREATED",
            EventType::Updated => "UPDATED",
            EventType::Deleted => "DELETED",
            EventType::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for EventType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "CREATED" => Ok(EventType::Created),
            "UPDATED" => Ok(EventType::Updated),
            "DELETED" => Ok(EventType::Deleted),
            "UNKNOWN" => Ok(EventType::Unknown),
            _ => Err(()),
        }
    }
}

/// One recorded change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Derived from the change.
    pub id: EventId,
    /// The poller that saw it; for one that a provider notified, what keeps the numbers of its resource's records.
    pub poller: PollerId,
    /// Its instance.
    pub instance: InstanceId,
    /// The run that recorded it.
    pub run: RunId,
    /// The provider's request that brought it; `None` for what a poll saw.
    pub inbound: Option<InboundId>,
    /// What happened.
    pub event_type: EventType,
    /// The resource name.
    pub object_type: String,
    /// The record's id, exactly as the provider wrote it.
    pub object_id: String,
    /// The connector's key.
    pub element_key: String,
    /// When it happened by the provider's account; when we read it, where the record carries no date.
    pub date: Timestamp,
    /// Number of this event among the record's events, from 1.
    pub sequence: u64,
    /// Why it is an event, in words.
    pub reason: String,
    /// The value that was compared, as the provider wrote it; empty where none was.
    pub compared: String,
    /// Page of the pass that held the record, from 1; 0 where no page did: an absence, a request, a monitor's run.
    pub page: u32,
    /// The provider's own JSON, untouched. For a deletion the last that is known, or nothing. What came in by a request
    /// is kept once, with the request.
    pub record: Option<String>,
}

/// What an event's id is made of.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The organisation.
    pub org: OrgId,
    /// The instance.
    pub instance: InstanceId,
    /// The resource name.
    pub resource: &'a str,
    /// Canonical id of the record.
    pub object_id: &'a str,
    /// How often this id was born.
    pub incarnation: u32,
    /// Which of its moments this is.
    pub moment: Moment<'a>,
}

/// The moment of a record that an event reports.
#[derive(Clone, Copy, Debug)]
pub enum Moment<'a> {
    /// A version.
    Version {
        /// Compared value as a number: seconds since 1970 for dates, the number itself otherwise.
        order: Option<i64>,
        /// Compared value as text.
        compared: &'a str,
        /// Content.
        hash: ContentHash,
        /// How often versions of this record returned before.
        recurrence: u32,
    },
    /// Its end, after this version.
    Deleted {
        /// Compared value of the last version as text.
        compared: &'a str,
        /// Content of the last version.
        hash: ContentHash,
    },
}

impl Identity<'_> {
    /// The event's id: 40 bits of the compared value, then 88 bits of a SHA-256 over length-prefixed parts, so that no
    /// two changes share a text. The order in front lets an index of ids grow at its end (decision 0007); a deletion,
    /// which has no value of its own, has zeros there.
    pub fn id(&self) -> EventId {
        let mut hasher = Sha256::new();
        hasher.update(b"turnstone event 1");
        hasher.update(self.org.0.to_be_bytes());
        hasher.update(self.instance.0.to_be_bytes());
        part(&mut hasher, self.resource.as_bytes());
        part(&mut hasher, self.object_id.as_bytes());
        hasher.update(self.incarnation.to_be_bytes());
        match self.moment {
            Moment::Version { compared, hash, recurrence, .. } => {
                hasher.update(b"v");
                part(&mut hasher, compared.as_bytes());
                hasher.update(hash.0);
                hasher.update(recurrence.to_be_bytes());
            }
            Moment::Deleted { compared, hash } => {
                hasher.update(b"d");
                part(&mut hasher, compared.as_bytes());
                hasher.update(hash.0);
            }
        }
        let digest = hasher.finalize();
        let order = match self.moment {
            Moment::Version { order, .. } => order.unwrap_or(0).clamp(0, (1 << 40) - 1),
            Moment::Deleted { .. } => 0,
        };
        let mut id = [0; 16];
        id[..5].copy_from_slice(&order.to_be_bytes()[3..]);
        id[5..].copy_from_slice(&digest[..11]);
        EventId(id)
    }
}

fn part(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

/// An event as one line of JSON: the form of `turnstone poll`, `tail` and the pull feed (design section 5).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventLine<'a> {
    id: EventId,
    event_type: EventType,
    object_type: &'a str,
    object_id: &'a str,
    date: String,
    element_key: &'a str,
    instance_id: i64,
    sequence: u64,
    reason: &'a str,
    record: Option<&'a serde_json::value::RawValue>,
}

/// Writes an event as one line of JSON, without the line break. The record's own line breaks, if it was pretty-printed,
/// are blanks between tokens and are left out; nothing else of it changes.
pub fn line(event: &Event) -> String {
    let record = event.record.as_deref().map(one_line);
    let raw = record.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let line = EventLine {
        id: event.id,
        event_type: event.event_type,
        object_type: &event.object_type,
        object_id: &event.object_id,
        date: seconds(event.date),
        element_key: &event.element_key,
        instance_id: event.instance.0,
        sequence: event.sequence,
        reason: &event.reason,
        record: raw,
    };
    serde_json::to_string(&line).expect("texts, numbers and well-formed JSON always serialise")
}

/// A raw line break can only stand between tokens: inside a JSON string it must be escaped.
fn one_line(record: &str) -> std::borrow::Cow<'_, str> {
    if record.contains(['\n', '\r']) {
        std::borrow::Cow::Owned(record.replace(['\n', '\r'], ""))
    } else {
        std::borrow::Cow::Borrowed(record)
    }
}

/// An instant as the field writes it: UTC, whole seconds, `Z`.
pub fn seconds(at: Timestamp) -> String {
    let whole = at.as_microsecond().div_euclid(1_000_000);
    Timestamp::from_second(whole).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity<'a>(resource: &'a str, object_id: &'a str, compared: &'a str) -> Identity<'a> {
        Identity {
            org: OrgId(1),
            instance: InstanceId(2),
            resource,
            object_id,
            incarnation: 1,
            moment: Moment::Version { order: Some(7), compared, hash: ContentHash([7; 16]), recurrence: 0 },
        }
    }

    #[test]
    fn the_same_change_has_the_same_id_and_no_other_has() {
        let base = identity("contacts", "7", "2024-01-01").id();
        assert_eq!(base, identity("contacts", "7", "2024-01-01").id());
        assert_ne!(base, identity("contact", "s7", "2024-01-01").id());
        assert_ne!(base, identity("contacts", "7", "2024-01-02").id());
        let moment = Moment::Deleted { compared: "2024-01-01", hash: ContentHash([7; 16]) };
        assert_ne!(base, Identity { moment, ..identity("contacts", "7", "") }.id());
    }

    #[test]
    fn later_changes_have_later_ids() {
        let at = |order| {
            let moment = Moment::Version {
                order: Some(order),
                compared: "x",
                hash: ContentHash([7; 16]),
                recurrence: 0,
            };
            Identity { moment, ..identity("contacts", "7", "x") }.id()
        };
        assert!(at(1_700_000_000) < at(1_700_000_001));
        assert!(at(-5) < at(1));
        assert!(at(i64::MAX) > at(1_700_000_000));
    }

    #[test]
    fn a_line_keeps_the_record_untouched() {
        let event = Event {
            id: identity("contacts", "7", "x").id(),
            poller: PollerId(1),
            instance: InstanceId(2),
            run: RunId([0; 16]),
            inbound: None,
            event_type: EventType::Updated,
            object_type: "contacts".into(),
            object_id: "7".into(),
            element_key: "crm".into(),
            date: "2024-05-01T10:00:00.9Z".parse().unwrap(),
            sequence: 3,
            reason: "created earlier".into(),
            compared: String::new(),
            page: 0,
            record: Some("{\n  \"rate\": 1.10 }".into()),
        };
        let line = line(&event);
        assert!(line.ends_with(r#""record":{  "rate": 1.10 }}"#), "{line}");
        assert!(line.contains(r#""date":"2024-05-01T10:00:00Z""#), "{line}");
    }
}
