//! What names a delivery, so that the same one is known when its provider sends it again (H02).
//!
//! A name is a hint of the provider and not always signed with the rest; whoever keeps names must bear two requests
//! under one. A value that could name every delivery alike (`true`, blank text) or that no store can keep is no name.
//!
//! Not here: remembering names, and what stands in for one where there is none.

use super::{Inbound, Refusal};
use crate::json_path::{JsonPath, Picker, scalar};
use crate::limits::DELIVERY_ID_BYTES_MAX;

/// Where the name of a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryId {
    /// In a header.
    Header(String),
    /// In a query parameter.
    Parameter(String),
    /// In a field of the JSON body.
    Field(JsonPath),
}

impl DeliveryId {
    /// The name that a request carries: a text as it is, a number as it is written. `None` where nothing stands, where
    /// it stands twice, and where the value is blank, longer than [`DELIVERY_ID_BYTES_MAX`] or holds control
    /// characters.
    pub fn read(&self, request: &Inbound<'_>) -> Option<String> {
        self.find(request).ok().flatten()
    }

    /// As [`DeliveryId::read`], but a name that stands twice is a refusal.
    pub(super) fn find(&self, request: &Inbound<'_>) -> Result<Option<String>, Refusal> {
        let found = match self {
            DeliveryId::Header(name) => request.header(name)?.map(str::to_owned),
            DeliveryId::Parameter(name) => request.parameter(name)?.map(str::to_owned),
            DeliveryId::Field(path) => {
                std::str::from_utf8(request.body).ok().and_then(|body| field(body, path))
            }
        };
        Ok(found.filter(|name| is_name(name)))
    }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= DELIVERY_ID_BYTES_MAX && !text.contains(char::is_control)
}

/// A text or a number of a JSON document, with every digit. `None` for anything else, and where the document is broken.
pub(super) fn field(json: &str, path: &JsonPath) -> Option<String> {
    let raw = Picker::new([Some(path)]).pick(json).ok()?.pop()??;
    let is_truth_value = matches!(raw.as_bytes().first(), Some(b't' | b'f'));
    if is_truth_value { None } else { scalar(raw).map(std::borrow::Cow::into_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_body(path: &str, body: &[u8]) -> Option<String> {
        let request = Inbound { method: "POST", url: "", query: &[], headers: &[], body };
        DeliveryId::Field(JsonPath::parse(path).unwrap()).read(&request)
    }

    #[test]
    fn a_field_names_a_delivery_with_every_digit() {
        for (path, body, expect) in [
            ("id", r#"{"id":"evt_1"}"#, Some("evt_1")),
            ("event.id", r#"{"event":{"id":12345678901234567890123}}"#, Some("12345678901234567890123")),
            ("id", r#"{"id":1.0}"#, Some("1.0")),
            ("[0].eventId", r#"[{"eventId":7},{"eventId":8}]"#, Some("7")),
            ("['a.b']", r#"{"a.b":"\u0041\"x"}"#, Some("A\"x")),
            ("id", r#"{"id":true}"#, None),
            ("id", r#"{"id":null}"#, None),
            ("id", r#"{"id":{"a":1}}"#, None),
            ("id", r#"{"id":" "}"#, None),
            ("id", r#"{"id":"a\u0000b"}"#, None),
            ("id", r#"{"id":"a"}x"#, None),
            ("id", "id=evt_1", None),
            ("id", "", None),
        ] {
            assert_eq!(of_body(path, body.as_bytes()).as_deref(), expect, "{path} of {body}");
        }
        assert_eq!(of_body("id", b"{\"id\":\"\xff\"}"), None);
    }

    #[test]
    fn headers_and_parameters_name_one_too() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (query, headers) = ([pair("delivery", "q-1")], [pair("x-delivery", "h-1")]);
        let request = Inbound { method: "GET", url: "", query: &query, headers: &headers, body: b"" };
        assert_eq!(DeliveryId::Header("X-Delivery".into()).read(&request).as_deref(), Some("h-1"));
        assert_eq!(DeliveryId::Parameter("delivery".into()).read(&request).as_deref(), Some("q-1"));
        assert_eq!(
            DeliveryId::Parameter("Delivery".into()).read(&request),
            None,
            "parameters have a letter case"
        );
        let twice = [pair("x-delivery", "h-1"), pair("X-Delivery", "h-2")];
        let request = Inbound { headers: &twice, ..request };
        assert_eq!(DeliveryId::Header("X-Delivery".into()).read(&request), None);
    }

    #[test]
    fn a_name_is_short() {
        let body = |length: usize| format!(r#"{{"id":"{}"}}"#, "a".repeat(length)).into_bytes();
        assert!(of_body("id", &body(DELIVERY_ID_BYTES_MAX)).is_some());
        assert!(of_body("id", &body(DELIVERY_ID_BYTES_MAX + 1)).is_none());
    }
}
