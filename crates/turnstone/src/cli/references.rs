//! `env:NAME` and `file:PATH` in the documents that a command sends: looked up on this machine, because a server
//! refuses them. They would read its own secrets.
//!
//! A reference is a whole value of `configuration`, of a list of headers, or of `providerData`. What is polled
//! (`event.poller.configuration`) holds none.

use serde_json::{Map, Value};
use turnstone_core::check::Fault;
use turnstone_core::instance::SecretRef;
use turnstone_engine::document::HIDDEN;
use turnstone_engine::prepare::look_up;

use crate::difference::member_path;

/// Lists of headers, which may be one text.
const HEADERS: [&str; 2] = ["http.headers", "event.notification.callback.headers"];
const POLLED: &str = "event.poller.configuration";

/// A document whose references were looked up.
#[derive(Debug, Default)]
pub(crate) struct LookedUp {
    /// The document. A value that is not there stands as the sign for "as it is".
    pub(crate) document: Value,
    /// The places that were references; their values are not to be shown.
    pub(crate) places: Vec<String>,
    /// Those that could not be looked up.
    pub(crate) faults: Vec<Fault>,
}

/// Looks everything up that a document refers to.
pub(crate) fn look_up_all(document: &Value) -> LookedUp {
    let mut found = LookedUp { document: document.clone(), ..LookedUp::default() };
    let mut document = std::mem::take(&mut found.document);
    if let Some(members) = document.get_mut("configuration").and_then(Value::as_object_mut) {
        for (key, value) in members.iter_mut().filter(|(key, _)| key.trim() != POLLED) {
            let place = member_path("configuration", key);
            if HEADERS.contains(&key.trim().to_ascii_lowercase().as_str()) {
                found.headers(&place, value);
            } else {
                found.value(&place, value);
            }
        }
    }
    if let Some(members) = document.get_mut("providerData").and_then(Value::as_object_mut) {
        for (key, value) in members.iter_mut() {
            found.value(&member_path("providerData", key), value);
        }
    }
    found.document = document;
    found
}

impl LookedUp {
    fn headers(&mut self, place: &str, value: &mut Value) {
        if let Value::String(text) = value
            && let Some(headers) = as_object(text)
        {
            *value = Value::Object(headers);
        }
        match value {
            Value::Object(headers) => {
                for (name, value) in headers.iter_mut() {
                    // A header is a text. Sent as a number it would come back as its text, and seem to have changed.
                    if value.is_number() || value.is_boolean() {
                        *value = Value::String(value.to_string());
                    }
                    self.value(&member_path(place, name), value);
                }
            }
            other => self.value(place, other),
        }
    }

    fn value(&mut self, place: &str, value: &mut Value) {
        let Value::String(text) = value else { return };
        if !is_reference(text) {
            return;
        }
        self.places.push(place.to_owned());
        let looked_up = match SecretRef::parse(text) {
            None => {
                Err((format!("`{text}` refers to nothing"), "write `env:NAME` or `file:PATH`".to_owned()))
            }
            Some(reference) => look_up(&reference).map_err(|error| problem(&reference, &error.to_string())),
        };
        match looked_up {
            Ok(secret) => *value = Value::String(secret.expose().to_owned()),
            Err((problem, remedy)) => {
                *value = Value::String(HIDDEN.to_owned());
                self.faults.push(Fault { path: place.to_owned(), problem, remedy });
            }
        }
    }
}

fn problem(reference: &SecretRef, error: &str) -> (String, String) {
    match reference {
        SecretRef::Env(name) => (
            format!("the environment variable `{name}` is not set"),
            "set it where this command runs".to_owned(),
        ),
        _ => (error.to_owned(), "put the file there, readable for this command".to_owned()),
    }
}

/// Whether a text refers to this machine.
pub(crate) fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

/// Headers that are written as one text, when one of them is a reference: `A: env:B`, per line or between semicolons.
fn as_object(text: &str) -> Option<Map<String, Value>> {
    let separator = if text.trim().contains('\n') { '\n' } else { ';' };
    let pieces = text.split(separator).map(str::trim).filter(|piece| !piece.is_empty());
    let mut headers = Map::new();
    for piece in pieces {
        let (name, value) = piece.split_once(':')?;
        // Given twice: left to be refused as it is.
        if headers.insert(name.trim().to_owned(), Value::from(value.trim())).is_some() {
            return None;
        }
    }
    headers.values().any(|value| value.as_str().is_some_and(is_reference)).then_some(headers)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_looked_up_where_they_stand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "from the file\n").unwrap();
        let file = format!("file:{}", path.display());
        let found = look_up_all(&json!({
            "name": "env:is no reference here",
            "providerData": {"code": file},
            "configuration": {
                "password": "env:TURNSTONE_NEVER_SET_1",
                "subdomain": file,
                "plain": "x",
                "http.headers": {"X-A": file, "X-B": "env:", "X-N": 7},
                "event.notification.callback.headers": format!("X-C: 1; X-D: {file}"),
                "event.poller.configuration": {"a": {"url": "env:stays"}},
            }
        }));
        let expect = json!({
            "name": "env:is no reference here",
            "providerData": {"code": "from the file"},
            "configuration": {
                "password": HIDDEN,
                "subdomain": "from the file",
                "plain": "x",
                "http.headers": {"X-A": "from the file", "X-B": HIDDEN, "X-N": "7"},
                "event.notification.callback.headers": {"X-C": "1", "X-D": "from the file"},
                "event.poller.configuration": {"a": {"url": "env:stays"}},
            }
        });
        assert_eq!(found.document, expect);
        let faults: Vec<String> = found.faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("`TURNSTONE_NEVER_SET_1` is not set"), "{faults:?}");
        assert!(faults[1].contains("refers to nothing"), "{faults:?}");
        assert_eq!(found.places.len(), 6, "{:?}", found.places);
        assert!(found.places.contains(&"configuration.\"http.headers\".X-A".to_owned()));
    }

    #[test]
    fn headers_without_references_stay_as_they_are() {
        for text in ["X-A: 1\nX-B: a;b", "X-A: env:B; X-A: 2", "no header env:B"] {
            assert_eq!(as_object(text), None, "{text}");
        }
    }
}
