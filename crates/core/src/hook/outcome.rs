//! What a hook handed to `done`, parsed and validated.
//!
//! The text comes from a script that nobody trusts: every member is checked like user input, and a fault names it.
//! Names such as `__proto__` are data only. A member that is no result is ignored, and named in
//! [`HookOutcome::ignored`].
//!
//! Not here: what a change does to a request or a response (`apply`).

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::apply::HookBody;
use super::{HookFault, HookKind};
use crate::event::EventType;
use crate::limits::HOOK_EVENTS_MAX;

/// A header's or parameter's name with its new text; `None` removes it.
pub(super) type Change = (String, Option<String>);

/// What an event hook reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookEvent {
    /// What happened.
    pub event_type: EventType,
    /// The record's id, with every digit that the provider wrote.
    pub object_id: String,
    /// The resource name.
    pub object_type: String,
    /// When; absent means the time of receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
}

/// Changes to the request that goes to the provider.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VendorChange {
    /// The whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<HookBody>,
    /// Single headers; what is not named stays.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_object")]
    pub headers: Vec<Change>,
    /// All query parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<(String, String)>>,
    /// The path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The method, in capitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The whole URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Changes to the answer that goes to the caller.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ResponseChange {
    /// The whole body; `null` is a body too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
    /// Single headers; what is not named stays.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_object")]
    pub headers: Vec<Change>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether it is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
}

/// What a hook wants. The default is what `done()` says: nothing changes. As JSON it is what `turnstone hook run`
/// shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HookOutcome {
    /// `continue: false` of a preRequest hook: answer at once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stops: bool,
    /// `response_error`: the call fails with these words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Changes to the request.
    #[serde(skip_serializing_if = "VendorChange::is_empty")]
    pub vendor: VendorChange,
    /// Changes to the answer.
    #[serde(skip_serializing_if = "ResponseChange::is_empty")]
    pub response: ResponseChange,
    /// Entries to merge into the instance's stored configuration.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_object")]
    pub configuration: Vec<(String, Box<RawValue>)>,
    /// The events, of an event hook.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<HookEvent>,
    /// Members of the result that mean nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
}

impl HookOutcome {
    /// Reads what the hook handed out; `None` when it changes nothing. Fails with a fault that names the member.
    pub fn read(kind: HookKind, json: Option<&RawValue>) -> Result<Self, HookFault> {
        let mut outcome = HookOutcome::default();
        let Some(json) = json else { return outcome.checked(kind, false) };
        let members = object("done", json, "hand an object to done")?;
        let mut has_events = false;
        for (name, value) in members {
            // `undefined` has no text; `null` says nothing, except where it stands for an empty body.
            match name.as_ref() {
                "continue" => outcome.stops = !boolean("continue", value)?.unwrap_or(true),
                // The second spelling is that of a later product with the same hooks.
                "response_error" | "response_error_message" => outcome.error = words(&name, value)?,
                "configuration" => outcome.configuration = configuration(value)?,
                "events" => {
                    has_events = true;
                    outcome.events = events(value)?;
                }
                _ if outcome.vendor.read(&name, value)? || outcome.response.read(&name, value)? => {}
                _ => outcome.ignored.push(name.into_owned()),
            }
        }
        outcome.checked(kind, has_events)
    }

    fn checked(self, kind: HookKind, has_events: bool) -> Result<Self, HookFault> {
        if kind == HookKind::Event && !has_events {
            return Err(HookFault::shape("events", "it is missing, hand {\"events\": […]} to done"));
        }
        Ok(self)
    }
}

/// Pairs as the members of one object.
fn as_object<S: Serializer, V: Serialize>(pairs: &[(String, V)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

impl VendorChange {
    /// Whether the request stays as it is.
    pub fn is_empty(&self) -> bool {
        let VendorChange { body, headers, parameters, path, method, url } = self;
        body.is_none()
            && headers.is_empty()
            && parameters.is_none()
            && path.is_none()
            && method.is_none()
            && url.is_none()
    }

    /// Takes the member when it is one of the request's.
    fn read(&mut self, name: &str, value: &RawValue) -> Result<bool, HookFault> {
        match name {
            "request_vendor_body" => self.body = Some(HookBody::read(value)),
            // A map is another view of the body; the body itself wins when both are given.
            "request_vendor_body_map" => {
                if self.body.is_none() {
                    self.body = Some(HookBody::read(value));
                }
            }
            "request_vendor_headers" => self.headers = headers(name, value)?,
            "request_vendor_parameters" => self.parameters = parameters(name, value)?,
            "request_vendor_path" => self.path = words(name, value)?,
            "request_vendor_url" => self.url = words(name, value)?,
            "request_vendor_method" => self.method = method(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl ResponseChange {
    /// Whether the answer stays as it is.
    pub fn is_empty(&self) -> bool {
        let ResponseChange { body, headers, status, is_error } = self;
        body.is_none() && headers.is_empty() && status.is_none() && is_error.is_none()
    }

    /// Takes the member when it is one of the answer's.
    fn read(&mut self, name: &str, value: &RawValue) -> Result<bool, HookFault> {
        match name {
            "response_body" => self.body = Some(value.to_owned()),
            "response_headers" => self.headers = headers(name, value)?,
            "response_status_code" => self.status = status(name, value)?,
            "response_iserror" => self.is_error = boolean(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The members of an object in their order, values as text.
#[derive(Debug)]
pub(super) struct Members<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some(name) = map.next_key::<Name<'de>>()? {
                    let value = map.next_value()?;
                    members.push((name.0, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

/// A member's name, borrowed where it holds no escape.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// What a JSON text is, for a message.
fn describe(json: &RawValue) -> &'static str {
    match json.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn is_null(json: &RawValue) -> bool {
    json.get() == "null"
}

fn is_number(json: &RawValue) -> bool {
    json.get().starts_with(|letter: char| letter == '-' || letter.is_ascii_digit())
}

/// A text, or a number or truth value as it is written; `None` for null.
fn words(member: &str, json: &RawValue) -> Result<Option<String>, HookFault> {
    match describe(json) {
        "null" => Ok(None),
        "a text" => serde_json::from_str(json.get())
            .map(Some)
            .map_err(|_| HookFault::shape(member, "it holds half a character, write well-formed text")),
        "a number" | "a truth value" => Ok(Some(json.get().to_owned())),
        other => Err(HookFault::shape(member, format!("it is {other}, write a text"))),
    }
}

/// A truth value, also as text; `None` for null.
fn boolean(member: &str, json: &RawValue) -> Result<Option<bool>, HookFault> {
    match json.get() {
        "null" => Ok(None),
        "true" | "\"true\"" => Ok(Some(true)),
        "false" | "\"false\"" => Ok(Some(false)),
        _ => Err(HookFault::shape(member, format!("it is {}, write true or false", describe(json)))),
    }
}

fn status(member: &str, json: &RawValue) -> Result<Option<u16>, HookFault> {
    let Some(text) = words(member, json)? else { return Ok(None) };
    // A script may calculate one: 4.04e2 is no status, 404.0 is.
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match text.parse::<u16>() {
        Ok(status @ 100..=599) => Ok(Some(status)),
        _ => Err(HookFault::shape(
            member,
            format!("`{}` is no status, write one from 100 to 599", short(text)),
        )),
    }
}

fn method(member: &str, json: &RawValue) -> Result<Option<String>, HookFault> {
    let Some(text) = words(member, json)? else { return Ok(None) };
    let is_token = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_token {
        return Err(HookFault::shape(
            member,
            format!("`{}` is no method, write one such as GET", short(&text)),
        ));
    }
    Ok(Some(text.to_ascii_uppercase()))
}

/// The members of an object; none for null.
fn members<'a>(member: &str, json: &'a RawValue) -> Result<Vec<(Cow<'a, str>, &'a RawValue)>, HookFault> {
    if is_null(json) {
        return Ok(Vec::new());
    }
    object(member, json, "write an object")
}

fn object<'a>(
    member: &str,
    json: &'a RawValue,
    remedy: &str,
) -> Result<Vec<(Cow<'a, str>, &'a RawValue)>, HookFault> {
    let members: Result<Members<'a>, _> = serde_json::from_str(json.get());
    members.map(|members| members.0).map_err(|_| match describe(json) {
        // It was written by an engine, so nothing but half a character can be wrong with it.
        "an object" => {
            HookFault::shape(member, "a name in it holds half a character, write well-formed names")
        }
        other => HookFault::shape(member, format!("it is {other}, {remedy}")),
    })
}

/// The elements of a list.
fn elements<'a>(member: &str, json: &'a RawValue) -> Result<Vec<&'a RawValue>, HookFault> {
    serde_json::from_str(json.get())
        .map_err(|_| HookFault::shape(member, format!("it is {}, write a list", describe(json))))
}

fn headers(member: &str, json: &RawValue) -> Result<Vec<Change>, HookFault> {
    let mut changes = Vec::new();
    for (name, value) in members(member, json)? {
        let place = format!("{member}.{name}");
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if !is_name {
            return Err(HookFault::shape(&place, "this is no name of a header, use letters, digits and `-`"));
        }
        let text = match describe(value) {
            "a list" => {
                let texts: Result<Vec<_>, _> =
                    elements(&place, value)?.into_iter().map(|one| words(&place, one)).collect();
                Some(texts?.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            _ => words(&place, value)?,
        };
        if text.as_ref().is_some_and(|text| text.chars().any(|letter| letter.is_control() && letter != '\t'))
        {
            return Err(HookFault::shape(&place, "it holds a control character, write one line of text"));
        }
        changes.push((name.into_owned(), text));
    }
    Ok(changes)
}

/// Query parameters: a list repeats the name, null leaves it out, an object stands as its JSON.
fn parameters(member: &str, json: &RawValue) -> Result<Option<Vec<(String, String)>>, HookFault> {
    let mut all = Vec::new();
    for (name, value) in members(member, json)? {
        let place = format!("{member}.{name}");
        let values = if describe(value) == "a list" { elements(&place, value)? } else { vec![value] };
        for value in values {
            let text = if describe(value) == "an object" {
                Some(value.get().to_owned())
            } else {
                words(&place, value)?
            };
            all.extend(text.map(|text| (name.to_string(), text)));
        }
    }
    Ok(Some(all))
}

fn configuration(json: &RawValue) -> Result<Vec<(String, Box<RawValue>)>, HookFault> {
    let members = members("configuration", json)?;
    Ok(members.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned())).collect())
}

fn events(json: &RawValue) -> Result<Vec<HookEvent>, HookFault> {
    let elements = elements("events", json)?;
    if elements.len() > HOOK_EVENTS_MAX {
        let problem = format!("it has {} events, {HOOK_EVENTS_MAX} are allowed", elements.len());
        return Err(HookFault::shape("events", problem));
    }
    elements.iter().enumerate().map(|(at, one)| event(&format!("events[{at}]"), one)).collect()
}

fn event(place: &str, json: &RawValue) -> Result<HookEvent, HookFault> {
    if describe(json) != "an object" {
        return Err(HookFault::shape(place, format!("it is {}, write an object", describe(json))));
    }
    let (mut event_type, mut object_id, mut object_type, mut date) = (None, None, None, None);
    for (name, value) in members(place, json)? {
        let member = format!("{place}.{name}");
        match name.as_ref() {
            "event_type" => event_type = words(&member, value)?,
            "event_object_id" => object_id = words(&member, value)?,
            "event_object_type" => object_type = words(&member, value)?,
            "event_date" => date = event_date(&member, value)?,
            // A hook may say more than an event holds.
            _ => {}
        }
    }
    let needed = |name: &str, text: Option<String>| match text {
        Some(text) if !text.trim().is_empty() => Ok(text),
        Some(_) => Err(HookFault::shape(format!("{place}.{name}"), "it is empty, write a text")),
        None => Err(HookFault::shape(format!("{place}.{name}"), "it is missing, every event has one")),
    };
    let kind = needed("event_type", event_type)?;
    let event_type = kind.to_ascii_uppercase().parse().map_err(|()| {
        let problem = format!("`{}` is none of CREATED, UPDATED, DELETED, UNKNOWN", short(&kind));
        HookFault::shape(format!("{place}.event_type"), problem)
    })?;
    Ok(HookEvent {
        event_type,
        object_id: needed("event_object_id", object_id)?,
        object_type: needed("event_object_type", object_type)?,
        date,
    })
}

/// An ISO date with a zone, or without one in UTC; a number is milliseconds since 1970.
fn event_date(member: &str, json: &RawValue) -> Result<Option<Timestamp>, HookFault> {
    let Some(text) = words(member, json)? else { return Ok(None) };
    if text.is_empty() {
        return Ok(None);
    }
    let date = if is_number(json) {
        text.parse::<i64>().ok().and_then(|millis| Timestamp::from_millisecond(millis).ok())
    } else {
        let civil = || text.parse::<DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
        text.parse::<Timestamp>().ok().or_else(|| civil().map(|zoned| zoned.timestamp()))
    };
    let problem = || format!("`{}` is no ISO date, write one such as 2026-01-31T09:30:00Z", short(&text));
    date.map(Some).ok_or_else(|| HookFault::shape(member, problem()))
}

/// The beginning of a text of others, for a message.
fn short(text: &str) -> String {
    const LETTERS: usize = 40;
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: HookKind, json: &str) -> Result<HookOutcome, HookFault> {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        HookOutcome::read(kind, Some(&raw))
    }

    #[track_caller]
    fn refused(kind: HookKind, json: &str, member: &str) {
        match read(kind, json) {
            Err(HookFault::Shape { member: found, problem }) => {
                assert_eq!(found, member, "{json}: {problem}");
            }
            other => panic!("{json} gave {other:?}"),
        }
    }

    #[test]
    fn nothing_changes_nothing() {
        let outcome = HookOutcome::read(HookKind::PreRequest, None).unwrap();
        assert!(!outcome.stops && outcome.error.is_none() && outcome.vendor.headers.is_empty());
        assert!(HookOutcome::read(HookKind::Event, None).is_err());
    }

    #[test]
    fn every_member_is_read() {
        let outcome = read(
            HookKind::PreRequest,
            r#"{"continue": false, "response_error": "no", "configuration": {"token": "t", "n": 1.0},
                "request_vendor_body": {"a": 12345678901234567890}, "request_vendor_headers": {"A": 1.0, "B": null, "C": ["x", 2]},
                "request_vendor_parameters": {"p": 1.10, "q": [1, "2"], "r": null, "s": {"t": 1}}, "request_vendor_path": "/x",
                "request_vendor_method": "patch", "request_vendor_url": "https://a.example/x", "response_body": [1.0],
                "response_headers": {"elements-next-page-token": "n"}, "response_status_code": 202, "response_iserror": false,
                "surprise": 1, "__proto__": {"x": 1}}"#,
        )
        .unwrap();
        assert!(outcome.stops);
        assert_eq!(outcome.error.as_deref(), Some("no"));
        assert_eq!(outcome.configuration[1].1.get(), "1.0");
        assert_eq!(outcome.vendor.body, Some(HookBody::Json(raw(r#"{"a": 12345678901234567890}"#))));
        let changes: Vec<(&str, Option<&str>)> =
            outcome.vendor.headers.iter().map(|(name, text)| (name.as_str(), text.as_deref())).collect();
        assert_eq!(changes, [("A", Some("1.0")), ("B", None), ("C", Some("x, 2"))]);
        let pairs = outcome.vendor.parameters.unwrap();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(pairs, [("p", "1.10"), ("q", "1"), ("q", "2"), ("s", r#"{"t": 1}"#)]);
        assert_eq!(outcome.vendor.path.as_deref(), Some("/x"));
        assert_eq!(outcome.vendor.method.as_deref(), Some("PATCH"));
        assert_eq!(outcome.vendor.url.as_deref(), Some("https://a.example/x"));
        assert_eq!(outcome.response.body.unwrap().get(), "[1.0]");
        assert_eq!(outcome.response.status, Some(202));
        assert_eq!(outcome.response.is_error, Some(false));
        assert_eq!(outcome.ignored, ["surprise", "__proto__"]);
    }

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn an_outcome_is_shown_without_what_it_leaves_alone() {
        let shown = |json: &str| serde_json::to_string(&read(HookKind::PreRequest, json).unwrap()).unwrap();
        assert_eq!(shown("{}"), "{}");
        assert_eq!(
            shown(
                r#"{"continue": false, "request_vendor_headers": {"A": null, "B": "1"}, "configuration": {"n": 1.0}}"#
            ),
            r#"{"stops":true,"vendor":{"headers":{"A":null,"B":"1"}},"configuration":{"n":1.0}}"#
        );
        assert_eq!(
            shown(r#"{"request_vendor_body": "a=1", "response_body": [1.10]}"#),
            r#"{"vendor":{"body":"a=1"},"response":{"body":[1.10]}}"#
        );
    }

    #[test]
    fn wrong_members_are_named() {
        let pre = HookKind::PreRequest;
        refused(pre, "[1]", "done");
        refused(pre, "\"text\"", "done");
        refused(pre, "null", "done");
        refused(pre, r#"{"\ud800": 1}"#, "done");
        refused(pre, r#"{"configuration": {"\ud800": 1}}"#, "configuration");
        refused(pre, r#"{"continue": "maybe"}"#, "continue");
        refused(pre, r#"{"continue": 0}"#, "continue");
        refused(pre, r#"{"configuration": []}"#, "configuration");
        refused(pre, r#"{"request_vendor_headers": "X: 1"}"#, "request_vendor_headers");
        refused(pre, r#"{"request_vendor_headers": {"X": {}}}"#, "request_vendor_headers.X");
        refused(pre, r#"{"request_vendor_headers": {"X": "a\r\nY: b"}}"#, "request_vendor_headers.X");
        refused(pre, r#"{"request_vendor_headers": {"X: a": "b"}}"#, "request_vendor_headers.X: a");
        refused(pre, r#"{"request_vendor_headers": {"": "b"}}"#, "request_vendor_headers.");
        refused(pre, r#"{"request_vendor_parameters": 1}"#, "request_vendor_parameters");
        refused(pre, r#"{"request_vendor_parameters": {"a": [[1]]}}"#, "request_vendor_parameters.a");
        refused(pre, r#"{"request_vendor_path": {}}"#, "request_vendor_path");
        refused(pre, r#"{"request_vendor_method": "GET /x"}"#, "request_vendor_method");
        refused(pre, r#"{"request_vendor_url": []}"#, "request_vendor_url");
        refused(pre, r#"{"response_status_code": 99}"#, "response_status_code");
        refused(pre, r#"{"response_status_code": "many"}"#, "response_status_code");
        refused(pre, r#"{"response_headers": [1]}"#, "response_headers");
        refused(pre, r#"{"response_iserror": "yes"}"#, "response_iserror");
        refused(pre, r#"{"response_error": {"a": 1}}"#, "response_error");
        refused(pre, r#"{"response_error": "\ud800"}"#, "response_error");
    }

    #[test]
    fn null_says_nothing() {
        let outcome = read(
            HookKind::PostRequest,
            r#"{"continue": null, "response_error": null, "configuration": null, "request_vendor_headers": null,
                "request_vendor_path": null, "response_status_code": null, "response_iserror": null, "response_body": null}"#,
        )
        .unwrap();
        assert!(!outcome.stops && outcome.error.is_none() && outcome.vendor.path.is_none());
        assert_eq!(outcome.response.body.unwrap().get(), "null");
    }

    #[test]
    fn events_are_read_with_every_digit() {
        let outcome = read(
            HookKind::Event,
            r#"{"events": [
                {"event_type": "CREATED", "event_object_id": 12345678901234567890, "event_object_type": "contacts", "more": 1},
                {"event_type": "deleted", "event_object_id": "007", "event_object_type": "deals", "event_date": "2026-01-31T10:00:00+01:00"},
                {"event_type": "UNKNOWN", "event_object_id": "1.0", "event_object_type": "deals", "event_date": "2026-01-31T10:00:00"},
                {"event_type": "UPDATED", "event_object_id": 1.0, "event_object_type": "deals", "event_date": 1769850000000}]}"#,
        )
        .unwrap();
        let ids: Vec<&str> = outcome.events.iter().map(|event| event.object_id.as_str()).collect();
        assert_eq!(ids, ["12345678901234567890", "007", "1.0", "1.0"]);
        let dates: Vec<Option<String>> =
            outcome.events.iter().map(|event| event.date.map(|date| date.to_string())).collect();
        let expect =
            [None, Some("2026-01-31T09:00:00Z"), Some("2026-01-31T10:00:00Z"), Some("2026-01-31T09:00:00Z")];
        assert_eq!(dates.iter().map(Option::as_deref).collect::<Vec<_>>(), expect);
        assert_eq!(outcome.events[1].event_type, EventType::Deleted);
        assert!(read(HookKind::Event, r#"{"events": []}"#).unwrap().events.is_empty());
    }

    #[test]
    fn wrong_events_are_named() {
        let event = HookKind::Event;
        refused(event, r#"{"event": []}"#, "events");
        refused(event, r#"{"events": {}}"#, "events");
        refused(event, r#"{"events": [1]}"#, "events[0]");
        refused(event, r#"{"events": [null]}"#, "events[0]");
        let one = |members: &str| format!(r#"{{"events": [{{{members}}}]}}"#);
        let (kind, id, object) =
            (r#""event_type": "CREATED""#, r#""event_object_id": "1""#, r#""event_object_type": "a""#);
        refused(event, &one(&format!("{id}, {object}")), "events[0].event_type");
        refused(event, &one(&format!(r#""event_type": "BORN", {id}, {object}"#)), "events[0].event_type");
        refused(event, &one(&format!("{kind}, {object}")), "events[0].event_object_id");
        refused(
            event,
            &one(&format!(r#"{kind}, "event_object_id": " ", {object}"#)),
            "events[0].event_object_id",
        );
        refused(
            event,
            &one(&format!(r#"{kind}, "event_object_id": {{}}, {object}"#)),
            "events[0].event_object_id",
        );
        refused(event, &one(&format!("{kind}, {id}")), "events[0].event_object_type");
        refused(
            event,
            &one(&format!(r#"{kind}, {id}, {object}, "event_date": "soon""#)),
            "events[0].event_date",
        );
        let many = format!(r#"{{"events": [{}]}}"#, vec!["1"; HOOK_EVENTS_MAX + 1].join(","));
        refused(event, &many, "events");
    }
}
