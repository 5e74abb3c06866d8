//! The secret values of an instance document: sealed before it is stored, opened before it is used, hidden before it is
//! shown.
//!
//! A secret value is known by its place: certain keys of `configuration`, and the values of the two header lists.
//! References (`env:NAME`, `file:PATH`) are no secrets and stay as they are. What the account's authorisation brought
//! (`providerData`) is used once, when the instance is made, and is never stored.
//!
//! Not here: whether a document is right (the core's `check`), and looking references up (`prepare`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use turnstone_core::connector::Connector;
use turnstone_core::id::OrgId;

use crate::clock::Entropy;
use crate::secrets::{KeyRing, Place, Secret, SecretError};

/// What stands in place of a secret value when a document is shown.
pub const HIDDEN: &str = "********";

/// The one member of the object that a sealed value becomes. No setting has such an object as its value, so it cannot
/// be taken for anything that a person wrote.
const SEALED: &str = "$sealed";

/// Headers of requests to the provider and of callbacks: every value may be a credential.
const HEADERS: [&str; 2] = ["http.headers", "event.notification.callback.headers"];

/// Keys of user names.
const NAMES: [&str; 2] = ["username", "event.notification.basic.username"];

/// Replaces every secret value by a sealed text, bound to the organisation and the place in the document. Values that
/// are sealed already stay. `providerData` is left out.
pub fn seal_document(document: &Value, keys: &KeyRing, org: OrgId, entropy: &dyn Entropy) -> Value {
    seal_document_of(None, document, keys, org, entropy)
}

/// The same for an instance of a connector, whose own secret entries are sealed too.
pub fn seal_document_of(
    connector: Option<&Connector>,
    document: &Value,
    keys: &KeyRing,
    org: OrgId,
    entropy: &dyn Entropy,
) -> Value {
    let mut sealed = document.clone();
    if let Some(members) = sealed.as_object_mut() {
        members.shift_remove("providerData");
    }
    let is_own = |key: &str| {
        connector.and_then(|connector| connector.entry(key)).is_some_and(|entry| entry.secret)
            // A poller's configuration must stay readable, whatever a connector calls it.
            && !key.starts_with("event.")
    };
    each_secret_of(&is_own, &mut sealed, &mut |place, value| {
        if let Some(text) = plain(value) {
            let row = row(place);
            let place = Place { organisation: org.0, row: &row };
            *value = json!({ SEALED: keys.seal(&Secret::from(text), place, entropy) });
        }
        Ok(())
    })
    .unwrap_or_else(|never: std::convert::Infallible| match never {});
    sealed
}

/// Opens every sealed value. Fails with the first that does not open, and names it.
pub fn open_document(document: &Value, keys: &KeyRing, org: OrgId) -> Result<Value, SecretError> {
    let mut open = document.clone();
    each_secret(&mut open, &mut |place, value| {
        if let Some(sealed) = sealed(value) {
            let row = row(place);
            let secret = keys.open(sealed, Place { organisation: org.0, row: &row })?;
            *value = Value::String(secret.expose().to_owned());
        }
        Ok(())
    })?;
    Ok(open)
}

/// Hides every secret value, sealed or not. References stay visible: they say where to look, not what is there.
pub fn redact_document(document: &Value) -> Value {
    let mut shown = document.clone();
    if let Some(members) = shown.as_object_mut() {
        members.shift_remove("providerData");
    }
    each_secret(&mut shown, &mut |_, value| {
        if sealed(value).is_some() || plain(value).is_some() {
            *value = Value::String(HIDDEN.to_owned());
        }
        Ok(())
    })
    .unwrap_or_else(|never: std::convert::Infallible| match never {});
    shown
}

/// Puts the stored values back where a document that was read and sent again shows them hidden, so that an update need
/// not repeat the secrets.
pub fn restore_hidden(document: &Value, stored: &Value) -> Value {
    let mut known: Vec<(String, Value)> = Vec::new();
    let mut stored = stored.clone();
    // A connector may call any of its keys a secret.
    each_secret_of(&|_| true, &mut stored, &mut |place, value| {
        known.push((place.to_owned(), value.clone()));
        Ok(())
    })
    .unwrap_or_else(|never: std::convert::Infallible| match never {});
    let mut restored = document.clone();
    each_secret_of(&|_| true, &mut restored, &mut |place, value| {
        if value.as_str() == Some(HIDDEN)
            && let Some((_, before)) = known.iter().find(|(known, _)| known == place)
        {
            *value = before.clone();
        }
        Ok(())
    })
    .unwrap_or_else(|never: std::convert::Infallible| match never {});
    restored
}

/// Whether the document refers to the environment or to files of this machine.
pub fn references(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    // A user name is no secret, and may be a reference all the same.
    let is_name = |key: &str| NAMES.iter().any(|name| name.eq_ignore_ascii_case(key.trim()));
    each_secret_of(&is_name, &mut document.clone(), &mut |place, value| {
        if value.as_str().is_some_and(is_reference) {
            found.push(place.to_owned());
        }
        Ok(())
    })
    .unwrap_or_else(|never: std::convert::Infallible| match never {});
    found
}

/// The configuration of an open document as the texts that a connector's calls take. The lists of headers are ours and
/// stay out of it.
pub fn configuration_of(document: &Value) -> BTreeMap<String, String> {
    let members = document.get("configuration").and_then(Value::as_object);
    let text = |(key, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) => Some((key.clone(), text.clone())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some((key.clone(), value.to_string()))
        }
    };
    let is_theirs =
        |(key, _): &(&String, &Value)| !HEADERS.contains(&key.trim().to_ascii_lowercase().as_str());
    members.into_iter().flatten().filter(is_theirs).filter_map(text).collect()
}

/// Calls for every secret value with its place.
fn each_secret<E>(
    document: &mut Value,
    call: &mut dyn FnMut(&str, &mut Value) -> Result<(), E>,
) -> Result<(), E> {
    each_secret_of(&|_| false, document, call)
}

/// The same, with the keys that a connector says are secret.
fn each_secret_of<E>(
    is_own: &dyn Fn(&str) -> bool,
    document: &mut Value,
    call: &mut dyn FnMut(&str, &mut Value) -> Result<(), E>,
) -> Result<(), E> {
    let Some(configuration) = document.get_mut("configuration").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    for (key, value) in configuration.iter_mut() {
        let place = format!("configuration.{key:?}");
        if HEADERS.iter().any(|headers| headers.eq_ignore_ascii_case(key.trim())) {
            each_header(&place, value, call)?;
        } else if is_secret(key) || is_own(key) || sealed(value).is_some() {
            // While a secret is being replaced there may be a list of them.
            match value {
                Value::Array(secrets) => {
                    for (at, secret) in secrets.iter_mut().enumerate() {
                        call(&format!("{place}[{at}]"), secret)?;
                    }
                }
                one => call(&place, one)?,
            }
        }
    }
    Ok(())
}

fn each_header<E>(
    place: &str,
    value: &mut Value,
    call: &mut dyn FnMut(&str, &mut Value) -> Result<(), E>,
) -> Result<(), E> {
    let is_list = |members: &Map<String, Value>| !members.contains_key(SEALED);
    match value {
        Value::Object(members) if is_list(members) => {
            for (name, value) in members.iter_mut() {
                call(&format!("{place}.{name:?}"), value)?;
            }
            Ok(())
        }
        // The callback's headers may be one text with all of them.
        other => call(place, other),
    }
}

/// Whether a key of `configuration` names a secret. Rather one too many: what the connector's own settings are called
/// is not known here.
fn is_secret(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    // An event's own settings are known by name: `event.poller.configuration` must stay readable.
    if let Some(event) = key.strip_prefix("event.") {
        return matches!(
            event,
            "notification.signature.key" | "notification.basic.password" | "webhook.secret"
        );
    }
    let words: Vec<&str> = key.split(['.', '_', '-']).collect();
    let last = words.last().copied().unwrap_or_default();
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey"]
        .iter()
        .any(|word| last.ends_with(word))
        || key.ends_with("api.key")
        || key.ends_with("api_key")
        || key.ends_with("private.key")
        || key.ends_with("private_key")
}

/// The plain text of a value that must be sealed.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if is_reference(text) || text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

fn sealed(value: &Value) -> Option<&str> {
    value.as_object().filter(|members| members.len() == 1)?.get(SEALED)?.as_str()
}

fn row(place: &str) -> String {
    format!("instance/document/{place}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    fn ring() -> KeyRing {
        KeyRing::parse(&"07".repeat(32), "the test").unwrap()
    }

    fn document() -> Value {
        json!({
            "element": {"key": "crm"},
            "providerData": {"code": "canary-code"},
            "configuration": {
                "authentication.type": "basic",
                "username": "ann",
                "password": "canary-1",
                "oauth.api.key": "canary-2",
                "oauth.client_secret": "canary-3",
                "event.notification.basic.password": "canary-4",
                "event.notification.signature.key": "canary-5",
                "event.notification.callback.headers": "X-Key: canary-6",
                "http.headers": {"Authorization": "canary-7", "X-Two": "env:TWO", "X-Number": 7788990},
                "event.poller.configuration": {"customers": {"url": "https://a.test/", "idField": "id"}}
            }
        })
    }

    #[test]
    fn what_is_sealed_shows_nothing_and_opens_again() {
        let sealed = seal_document(&document(), &ring(), OrgId(4), &SeededEntropy::new(1));
        let text = sealed.to_string();
        assert!(!text.contains("canary") && !text.contains("7788990"), "{text}");
        assert!(
            text.contains("env:TWO") && text.contains("ann") && text.contains("https://a.test/"),
            "{text}"
        );
        let again = seal_document(&sealed, &ring(), OrgId(4), &SeededEntropy::new(2));
        assert_eq!(again, sealed, "sealing again changes nothing");
        let open = open_document(&sealed, &ring(), OrgId(4)).unwrap();
        let mut expect = document();
        expect.as_object_mut().unwrap().shift_remove("providerData");
        expect["configuration"]["http.headers"]["X-Number"] = json!("7788990");
        assert_eq!(open, expect);
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_was_sealed() {
        let mut sealed = seal_document(&document(), &ring(), OrgId(4), &SeededEntropy::new(1));
        assert!(open_document(&sealed, &ring(), OrgId(5)).is_err(), "another organisation");
        sealed["configuration"]["oauth.api.key"] = sealed["configuration"]["password"].clone();
        let error = open_document(&sealed, &ring(), OrgId(4)).unwrap_err().to_string();
        assert!(error.contains("oauth.api.key"), "{error}");
    }

    #[test]
    fn what_is_shown_hides_and_comes_back() {
        let stored = seal_document(&document(), &ring(), OrgId(4), &SeededEntropy::new(1));
        for shown in [redact_document(&document()), redact_document(&stored)] {
            let text = shown.to_string();
            assert!(!text.contains("canary") && !text.contains("$sealed"), "{text}");
            assert_eq!(shown["configuration"]["password"], json!(HIDDEN));
            assert_eq!(shown["configuration"]["http.headers"]["X-Two"], json!("env:TWO"));
            assert_eq!(restore_hidden(&shown, &stored), stored);
        }
    }

    #[test]
    fn references_are_named() {
        assert_eq!(references(&document()), [r#"configuration."http.headers"."X-Two""#]);
        let names = json!({"configuration": {
            "username": "env:A", "event.notification.basic.username": "file:b", "name": "env:of a connector"}});
        let places = [r#"configuration."username""#, r#"configuration."event.notification.basic.username""#];
        assert_eq!(references(&names), places, "a server would look them up");
        assert!(references(&json!([1])).is_empty());
    }

    #[test]
    fn keys_that_are_no_secrets_stay_readable() {
        for key in [
            "event.poller.configuration",
            "event.helper.key",
            "oauth.token.url",
            "base.url",
            "username",
            "authentication.type",
            "token.lifetime",
        ] {
            assert!(!is_secret(key), "{key}");
        }
        for key in ["password", "db.password", "oauth.user.refresh_token", "X.ApiKey", "consumer_secret"] {
            assert!(is_secret(key), "{key}");
        }
    }
}
