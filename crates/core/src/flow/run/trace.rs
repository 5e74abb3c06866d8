//! What is kept of a run for people: every card's inputs, outputs, time and error, bounded, without secrets.
//!
//! A value is shown up to 8 KiB, all of them up to 1 MiB; of a loop only the first calls are shown. What was left out
//! is counted. Members that carry credentials are never shown, whatever holds them.

use jiff::Timestamp;
use serde::Serialize;

use crate::flow::value::Value;
use crate::json_text::quote;
use crate::limits::{FLOW_TRACE_BYTES_MAX, FLOW_TRACE_VALUE_BYTES_MAX};

/// Calls of one loop that are shown, unless they fail.
pub(super) const CALLS_SHOWN: usize = 20;

/// Bytes for failing cards beyond the bound, so that a long run shows why it failed.
const FAILURES_BYTES_MAX: usize = 64 * 1024;

/// The cards of a run, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// What is shown.
    pub cards: Vec<CardTrace>,
    /// Cards that are not shown.
    pub left_out: u64,
    #[serde(skip)]
    bytes: usize,
}

/// One card of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CardTrace {
    /// The flow.
    pub flow: String,
    /// The card's id, or what it is.
    pub card: String,
    /// Its place in the document.
    pub place: String,
    /// What it is.
    pub kind: &'static str,
    /// Position of the call that it belongs to, in the nearest loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Our clock at its start, as the last answer or wait showed it.
    pub started_at: Timestamp,
    /// Our clock at its end; the same for cards that ask and wait for nothing.
    pub finished_at: Option<Timestamp>,
    /// Its inputs as JSON, possibly cut.
    pub inputs: String,
    /// Its outputs as JSON, possibly cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The provider's own words about it, as far as they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

impl Trace {
    /// Whether another card may be shown.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < FLOW_TRACE_BYTES_MAX
    }

    /// Notes the start of a card; its number here.
    pub(super) fn begin(&mut self, card: CardTrace) -> usize {
        self.bytes += card.flow.len() + card.card.len() + card.place.len() + card.inputs.len() + 160;
        self.cards.push(card);
        self.cards.len() - 1
    }

    /// Notes the outputs of a card.
    pub(super) fn outputs(&mut self, at: usize, text: String) {
        self.bytes += text.len();
        self.cards[at].outputs = Some(text);
    }

    /// Notes the error of a card, with the provider's own words.
    pub(super) fn error(&mut self, at: usize, mut text: String, raw: Option<&str>) {
        let mut raw = raw.map(|raw| cut(&without_secrets(raw), FLOW_TRACE_VALUE_BYTES_MAX));
        if self.bytes > FLOW_TRACE_BYTES_MAX + FAILURES_BYTES_MAX {
            text.clear();
            raw = None;
        }
        self.bytes += text.len() + raw.as_ref().map_or(0, String::len);
        self.cards[at].error = Some(text);
        self.cards[at].raw = raw;
    }

    /// The same without what `redacted` takes out of texts: secrets that a provider repeated.
    #[must_use]
    pub fn redacted(mut self, redacted: &dyn Fn(&str) -> String) -> Trace {
        for card in &mut self.cards {
            card.inputs = redacted_json(&card.inputs, redacted);
            card.outputs = card.outputs.as_deref().map(|text| redacted_json(text, redacted));
            card.error = card.error.as_deref().map(redacted);
            card.raw = card.raw.as_deref().map(redacted);
        }
        self
    }

    /// Whether the failure of a card that was not shown may still be.
    pub(super) fn has_room_for_failure(&self) -> bool {
        self.bytes < FLOW_TRACE_BYTES_MAX + FAILURES_BYTES_MAX
    }
}

/// A JSON text without what `redacted` takes out of texts. It stays JSON, whatever a secret consists of: texts, names
/// of members, and numbers that are a secret as a whole are looked at one by one.
pub fn redacted_json(text: &str, redacted: &dyn Fn(&str) -> String) -> String {
    match Value::from_json(text) {
        Ok(value) => without(value, redacted).to_json(),
        // What is no JSON is nobody's to read as JSON.
        Err(_) => redacted(text),
    }
}

fn without(value: Value, redacted: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Text(text) => Value::Text(redacted(&text)),
        Value::List(items) => {
            Value::list(items.iter().cloned().map(|item| without(item, redacted)).collect())
        }
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| (redacted(name), without(value.clone(), redacted)));
            Value::object(members.collect())
        }
        Value::Number(number) => {
            let (text, clean) = (number.to_string(), redacted(&number.to_string()));
            let is_secret = clean != text && !clean.contains(|letter: char| letter.is_ascii_digit());
            if is_secret { Value::Text(clean) } else { Value::Number(number) }
        }
        Value::Null | Value::Boolean(_) | Value::Date(_) | Value::File(_) => value,
    }
}

/// Values by name as JSON, each cut at its bound.
pub(super) fn shown<'v>(values: impl Iterator<Item = (&'v str, &'v Value)>) -> String {
    let mut out = String::from("{");
    for (name, value) in values {
        if out.len() > 1 {
            out.push(',');
        }
        if out.len() > 4 * FLOW_TRACE_VALUE_BYTES_MAX {
            out.push_str("\"…\":\"…\"");
            break;
        }
        out.push_str(&quote(name));
        out.push(':');
        let end = out.len() + FLOW_TRACE_VALUE_BYTES_MAX;
        if is_secret(name) && !value.is_null() {
            out.push_str("\"***\"");
        } else {
            write(value, end, &mut out);
        }
    }
    out.push('}');
    out
}

/// Writes a value; what would pass `end` becomes an ellipsis, so that the text stays JSON.
fn write(value: &Value, end: usize, out: &mut String) {
    match value {
        Value::Object(members) => {
            out.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if out.len() >= end {
                    out.push_str("\"…\":\"…\"");
                    break;
                }
                out.push_str(&quote(&cut(name, 100)));
                out.push(':');
                if is_secret(name) && !member.is_null() {
                    out.push_str("\"***\"");
                } else {
                    write(member, end, out);
                }
            }
            out.push('}');
        }
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if out.len() >= end {
                    out.push_str("\"…\"");
                    break;
                }
                write(item, end, out);
            }
            out.push(']');
        }
        Value::Text(text) => {
            out.push_str(&quote(&cut(&without_secrets(text), end.saturating_sub(out.len()))))
        }
        Value::File(file) => out.push_str(&quote(&format!("file `{}`", cut(&file.name, 100)))),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Date(_) => value.write_json(out),
    }
}

fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_string();
    }
    let mut at = bytes;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    format!("{}…", &text[..at])
}

/// Names of headers and members whose values grant access.
fn is_secret(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    let exact = ["cookie", "setcookie", "jwt", "sessionid", "xauth"];
    let parts = [
        "authorization",
        "apikey",
        "secret",
        "password",
        "passwd",
        "accesstoken",
        "refreshtoken",
        "authtoken",
        "bearertoken",
        "idtoken",
        "privatekey",
        "credential",
    ];
    exact.contains(&plain.as_str()) || parts.iter().any(|part| plain.contains(part))
}

/// A text that is itself the value of an authorisation header, or a URL with secrets in its query, or a JSON text, as
/// it may be shown.
fn without_secrets(text: &str) -> std::borrow::Cow<'_, str> {
    let trimmed = text.trim_start();
    for scheme in ["Bearer ", "Basic ", "Digest ", "OAuth ", "Token "] {
        let is_it = trimmed.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        if is_it && !trimmed[scheme.len()..].trim().contains(' ') {
            return format!("{scheme}***").into();
        }
    }
    let is_url =
        trimmed.starts_with("http://") || trimmed.starts_with("https://") || trimmed.starts_with('/');
    if is_url && text.contains('?') {
        return crate::poll::redacted(text).into();
    }
    if trimmed.starts_with(['{', '[']) && text.len() <= 4 * FLOW_TRACE_VALUE_BYTES_MAX && names_secret(text) {
        return match Value::from_json(text) {
            Ok(value) => {
                let mut out = String::new();
                write(&value, FLOW_TRACE_VALUE_BYTES_MAX, &mut out);
                out.into()
            }
            Err(_) => "***".into(),
        };
    }
    text.into()
}

/// Whether a text may name a secret member, before anybody reads it as JSON.
fn names_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["auth", "key", "secret", "passw", "token", "cookie", "jwt", "credential"]
        .iter()
        .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(json: &str) -> String {
        let value = Value::from_json(json).unwrap();
        shown([("it", &value)].into_iter())
    }

    #[test]
    fn credentials_are_never_shown() {
        let cases = [
            (r#"{"Authorization":"Bearer abc","x":1}"#, r#"{"it":{"Authorization":"***","x":1}}"#),
            (r#"{"headers":{"set-cookie":"a=b"}}"#, r#"{"it":{"headers":{"set-cookie":"***"}}}"#),
            (
                r#"{"X-Api-Key":"k","client_secret":"s"}"#,
                r#"{"it":{"X-Api-Key":"***","client_secret":"***"}}"#,
            ),
            (r#""bearer abc.def""#, r#"{"it":"Bearer ***"}"#),
            (r#""https://h/p?access_token=t&q=1""#, r#"{"it":"https://h/p?access_token=***&q=1"}"#),
            (r#""{\"password\":\"p\",\"a\":1}""#, r#"{"it":"{\"password\":\"***\",\"a\":1}"}"#),
            (r#""basic questions of life""#, r#"{"it":"basic questions of life"}"#),
            (r#"{"next_page_token":"t"}"#, r#"{"it":{"next_page_token":"t"}}"#),
        ];
        for (value, expect) in cases {
            assert_eq!(show(value), expect);
        }
    }

    #[test]
    fn what_a_provider_repeats_is_taken_out_of_values_and_not_of_their_json() {
        let secret = r#"pa"ss\word1"#;
        let redacted = |text: &str| text.replace(secret, "***").replace("123456", "***");
        let value =
            Value::object([("a".to_string(), Value::text(format!("it is {secret}!")))].into_iter().collect());
        let clean = redacted_json(&value.to_json(), &redacted);
        assert_eq!(clean, r#"{"a":"it is ***!"}"#);
        let numbers = r#"{"last":1234567,"pin":123456,"123456":[1.10]}"#;
        assert_eq!(redacted_json(numbers, &redacted), r#"{"last":1234567,"pin":"***","***":[1.10]}"#);
        assert_eq!(redacted_json("it is 123456", &redacted), "it is ***");
    }

    #[test]
    fn large_values_are_cut_and_stay_json() {
        let long = format!("[{}\"z\"]", "\"ä\",".repeat(20_000));
        let text = show(&long);
        assert!(text.len() < FLOW_TRACE_VALUE_BYTES_MAX + 100, "{}", text.len());
        assert!(text.ends_with("\"…\"]}"), "{}", &text[text.len() - 20..]);
        crate::json_text::validate(&text).unwrap();
        let text = show(&format!("\"{}\"", "ü".repeat(20_000)));
        assert!(text.len() < FLOW_TRACE_VALUE_BYTES_MAX + 100);
        crate::json_text::validate(&text).unwrap();
    }
}
