//! The request body of a notification, in the field's shape.
//!
//! The same inputs give the same bytes, member order included: a body is written once, kept with its notification, and
//! signed and sent unchanged on every attempt (design section 5). The provider's records stand in `raw` exactly as they
//! were read, number texts and blanks included; what a provider notified stands there whole, however many notifications
//! its events fill (events §1).
//!
//! Not here: which events go together (the store and the deliverer), signatures and retries (`delivery`).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::event::{Event, EventType, seconds};
use crate::id::{EventId, InstanceId, NotificationId, OrgId};

/// The three owners that a notification names, as integers.
///
/// There are no accounts and users of their own yet: [`AccountIds::of_organisation`] gives the organisation's number
/// for all three, so that they are stable and tell organisations apart, and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountIds {
    /// `accountId`.
    pub account: i64,
    /// `companyId`.
    pub company: i64,
    /// `userId`.
    pub user: i64,
}

impl AccountIds {
    /// The organisation's number in all three places.
    pub fn of_organisation(org: OrgId) -> AccountIds {
        AccountIds { account: org.0, company: org.0, user: org.0 }
    }
}

/// What a notification is written from.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// Its id.
    pub id: NotificationId,
    /// The instance that the events belong to.
    pub instance: InstanceId,
    /// The instance's name.
    pub instance_name: &'a str,
    /// The connector's key.
    pub element_key: &'a str,
    /// Whom it belongs to.
    pub accounts: AccountIds,
    /// When it is formed; written as `createdDate`.
    pub now: Timestamp,
    /// Its events, in log order; at least one. Those of polls are all of one resource.
    pub events: &'a [&'a Event],
    /// What the provider sent, as JSON, if that is how the events came to be known.
    pub received: Option<&'a str>,
}

/// Writes the body. `None` when there is no event to tell of.
///
/// A deletion without a record contributes nothing to `raw`; nor does a record that is no JSON, which the core never
/// records.
pub fn body(contents: &Contents<'_>) -> Option<String> {
    let first = contents.events.first()?;
    let raw = match contents.received {
        Some(text) => Raw::Received(serde_json::from_str(text).unwrap_or(RawValue::NULL)),
        None => {
            Raw::Polled { instance: contents.instance, resource: &first.object_type, events: contents.events }
        }
    };
    let body = Body {
        severity: "medium",
        created_date: java_date(contents.now),
        topic: format!("instance-{}-{}-events", contents.instance, contents.element_key),
        action: "create",
        id: contents.id.to_string(),
        message: Message {
            element_key: contents.element_key,
            event_id: first.id,
            account_id: contents.accounts.account,
            company_id: contents.accounts.company,
            instance_id_snake: contents.instance,
            instance_id: contents.instance,
            instance_name: contents.instance_name,
            raw,
            user_id: contents.accounts.user,
            events: contents.events.iter().map(|event| member(event)).collect(),
        },
        user: "turnstone",
    };
    Some(serde_json::to_string(&body).expect("texts, integers and well-formed JSON always serialise"))
}

/// An instant as Java prints a `Date` in UTC: `Tue Sep 22 19:48:03 UTC 2015`.
pub fn java_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a %b %d %H:%M:%S UTC %Y").to_string()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    severity: &'a str,
    created_date: String,
    topic: String,
    action: &'a str,
    id: String,
    message: Message<'a>,
    user: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    element_key: &'a str,
    event_id: EventId,
    account_id: i64,
    company_id: i64,
    #[serde(rename = "instance_id")]
    instance_id_snake: InstanceId,
    instance_id: InstanceId,
    instance_name: &'a str,
    raw: Raw<'a>,
    user_id: i64,
    events: Vec<Member<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member<'a> {
    date: String,
    element_key: &'a str,
    event_type: EventType,
    object_id: &'a str,
    object_type: &'a str,
    event_id: EventId,
    sequence: u64,
    reason: &'a str,
}

fn member(event: &Event) -> Member<'_> {
    Member {
        date: seconds(event.date),
        element_key: &event.element_key,
        event_type: event.event_type,
        object_id: &event.object_id,
        object_type: &event.object_type,
        event_id: event.id,
        sequence: event.sequence,
        reason: &event.reason,
    }
}

/// What the provider sent.
enum Raw<'a> {
    /// For polling: the records of this notification's events under their resource's name.
    Polled { instance: InstanceId, resource: &'a str, events: &'a [&'a Event] },
    /// By itself.
    Received(&'a RawValue),
}

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (instance, resource, events) = match self {
            Raw::Received(text) => return text.serialize(serializer),
            Raw::Polled { instance, resource, events } => (instance, resource, events),
        };
        let records: Vec<&RawValue> = events
            .iter()
            .filter_map(|event| event.record.as_deref())
            .filter_map(|record| serde_json::from_str(record).ok())
            .collect();
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("instance_id", instance)?;
        map.serialize_entry("objectType", resource)?;
        map.serialize_entry(resource, &records)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PollerId, RunId};

    fn event(number: u8, event_type: EventType, object_id: &str, record: Option<&str>) -> Event {
        Event {
            id: EventId([number; 16]),
            poller: PollerId(1),
            instance: InstanceId(341_984),
            run: RunId([0; 16]),
            inbound: None,
            event_type,
            object_type: "contacts".into(),
            object_id: object_id.into(),
            element_key: "sfdc".into(),
            date: "2015-09-22T19:52:16.987Z".parse().unwrap(),
            sequence: u64::from(number),
            reason: "it says \"new\"".into(),
            compared: String::new(),
            page: 0,
            record: record.map(str::to_string),
        }
    }

    fn written(events: &[&Event]) -> Option<String> {
        body(&Contents {
            id: NotificationId(162_595),
            instance: InstanceId(341_984),
            instance_name: "Formula Contact",
            element_key: "sfdc",
            accounts: AccountIds::of_organisation(OrgId(7)),
            now: "2015-09-22T19:48:03.4Z".parse().unwrap(),
            events,
            received: None,
        })
    }

    const LONG_NUMBER: &str = "{ \"Id\" : 12345678901234567890123 ,\n \"rate\":1.10, \"n\": \"\\u00fc\" }";

    #[test]
    fn the_bytes_are_fixed() {
        let created = event(1, EventType::Created, "12345678901234567890123", Some(LONG_NUMBER));
        let deleted = event(2, EventType::Deleted, "b", None);
        let expect = concat!(
            r#"{"severity":"medium","createdDate":"Tue Sep 22 19:48:03 UTC 2015","#,
            r#""topic":"instance-341984-sfdc-events","action":"create","id":"162595","message":{"#,
            r#""elementKey":"sfdc","eventId":"evt_01040g2081040g2081040g2081","accountId":7,"companyId":7,"#,
            r#""instance_id":341984,"instanceId":341984,"instanceName":"Formula Contact","raw":{"#,
            r#""instance_id":341984,"objectType":"contacts","contacts":["#,
            "{ \"Id\" : 12345678901234567890123 ,\n \"rate\":1.10, \"n\": \"\\u00fc\" }",
            r#"]},"userId":7,"events":[{"date":"2015-09-22T19:52:16Z","elementKey":"sfdc","#,
            r#""eventType":"CREATED","objectId":"12345678901234567890123","objectType":"contacts","#,
            r#""eventId":"evt_01040g2081040g2081040g2081","sequence":1,"reason":"it says \"new\""},"#,
            r#"{"date":"2015-09-22T19:52:16Z","elementKey":"sfdc","#,
            r#""eventType":"DELETED","objectId":"b","objectType":"contacts","#,
            r#""eventId":"evt_02081040g2081040g2081040g2","sequence":2,"reason":"it says \"new\""}]},"#,
            r#""user":"turnstone"}"#,
        );
        assert_eq!(written(&[&created, &deleted]).unwrap(), expect);
    }

    #[test]
    fn nothing_to_tell_gives_no_body() {
        assert_eq!(written(&[]), None);
    }

    /// The member names of the field's published notification are all there, with the same JSON types.
    #[test]
    fn every_member_of_the_published_example_is_there() {
        let published: serde_json::Value = serde_json::from_str(
            r#"{"severity":"medium","createdDate":"Tue Sep 22 19:48:03 UTC 2015",
            "topic":"instance-341984-sfdc-events","action":"create","id":"162595","message":{"elementKey":"sfdc",
            "eventId":"12345","accountId":8237,"companyId":928,"instance_id":128908,"instanceId":123210,
            "instanceName":"Formula Contact","raw":{},"userId":1234,"events":[{"date":"2015-09-22T19:52:16Z",
            "elementKey":"sfdc","eventType":"CREATED","objectId":"008i002z4e3XABQ","objectType":"Contact"}]},
            "user":"cloud-elements"}"#,
        )
        .unwrap();
        let created = event(1, EventType::Created, "a", Some("{}"));
        let ours: serde_json::Value = serde_json::from_str(&written(&[&created]).unwrap()).unwrap();
        same_shape(&published, &ours, "$");
    }

    #[track_caller]
    fn same_shape(published: &serde_json::Value, ours: &serde_json::Value, path: &str) {
        match (published, ours) {
            (serde_json::Value::Object(published), serde_json::Value::Object(ours)) => {
                for (name, value) in published {
                    let found = ours.get(name).unwrap_or_else(|| panic!("{path}.{name} is missing"));
                    same_shape(value, found, &format!("{path}.{name}"));
                }
            }
            (serde_json::Value::Array(published), serde_json::Value::Array(ours)) => {
                same_shape(&published[0], &ours[0], &format!("{path}[0]"));
            }
            (published, ours) => assert_eq!(
                std::mem::discriminant(published),
                std::mem::discriminant(ours),
                "{path}: {published} and {ours}"
            ),
        }
    }

    #[test]
    fn single_digit_days_have_a_leading_zero() {
        assert_eq!(java_date("2026-03-01T02:03:04Z".parse().unwrap()), "Sun Mar 01 02:03:04 UTC 2026");
    }
}
