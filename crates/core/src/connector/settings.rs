//! The configuration values that one account's calls are made with, and how they are written into a text.
//!
//! A base address such as `https://{subdomain}.example.com`, a constant such as `Bearer
//! ${configuration.oauth.user.token}` and a path such as `/v1/{account}` all name configuration keys. What is not
//! there is an error with the key's name, never a half-filled address.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::json_text::{self, Kind};

/// Configuration values by key. Prints its keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<String, String>,
    secret: BTreeSet<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A text names a configuration value that the account does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration value `{key}` is missing, which {place} needs; set it on the instance")]
pub struct Unset {
    /// The key.
    pub key: String,
    /// What names it.
    pub place: String,
}

impl Settings {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The value of a key, when something stands in it.
    pub fn filled(&self, key: &str) -> Option<&str> {
        self.get(key).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Whether a key says yes (`true`, in any letter case).
    pub fn is_true(&self, key: &str) -> bool {
        self.filled(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The text under which a member of an instance's `configuration` is kept: a text as it is, a number or a truth
    /// value as it is written, an object or a list as its JSON. `None` for `null`.
    pub fn text_of(json: &str) -> Option<String> {
        match json_text::kind(json)? {
            Kind::Null => None,
            Kind::Object | Kind::List => Some(json.trim_ascii().to_string()),
            Kind::Bool | Kind::Number | Kind::Text => json_text::scalar(json).map(|text| text.into_owned()),
        }
    }

    /// Sets a value.
    pub fn set(&mut self, key: &str, value: &str) {
        self.values.insert(key.to_string(), value.to_string());
    }

    /// Removes a value.
    pub fn remove(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Notes that a key's value is a secret.
    pub fn mark_secret(&mut self, key: &str) {
        self.secret.insert(key.to_string());
    }

    /// Whether a key's value is a secret.
    pub fn is_secret(&self, key: &str) -> bool {
        self.secret.contains(key) || super::keys::is_secret(key)
    }

    /// All keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The text without the secrets that it may repeat: for messages of others.
    pub fn redacted(&self, text: &str) -> String {
        let mut clean = text.to_string();
        for (key, value) in &self.values {
            // Shorter values would cut ordinary words out of a sentence.
            if self.is_secret(key) && value.len() >= 6 && clean.contains(value.as_str()) {
                clean = clean.replace(value.as_str(), "********");
            }
        }
        clean
    }

    /// Writes configuration values into a text: `${configuration.key}` and `{key}`. Braces that name no key of any
    /// configuration, such as the variables of a path, stay when `unset` is [`UnsetPlaces::Stay`].
    pub fn fill(&self, text: &str, place: &str, unset: UnsetPlaces) -> Result<String, Unset> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let Some(length) = rest[open..].find('}') else { break };
            let inner = &rest[open + 1..open + length];
            if inner.contains('{') {
                // A brace around braces, as of an object: what is meant stands inside.
                filled.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
                continue;
            }
            let dollar = rest[..open].ends_with('$');
            let key = if dollar { inner.strip_prefix("configuration.") } else { Some(inner) };
            let value = key.and_then(|key| self.get(key.trim()));
            match (value, key) {
                (Some(value), _) => {
                    filled.push_str(&rest[..open - usize::from(dollar)]);
                    filled.push_str(value);
                }
                (None, Some(key)) if unset == UnsetPlaces::Refuse || dollar => {
                    return Err(Unset { key: key.trim().to_string(), place: place.to_string() });
                }
                (None, _) => filled.push_str(&rest[..=open + length]),
            }
            rest = &rest[open + length + 1..];
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// What becomes of braces that name no configuration value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsetPlaces {
    /// They stay: something else may fill them.
    Stay,
    /// They are an error.
    Refuse,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.set("subdomain", "acme");
        settings.set("oauth.user.token", "tok-123456");
        settings
    }

    #[track_caller]
    fn fills(text: &str, expect: &str) {
        assert_eq!(settings().fill(text, "`base.url`", UnsetPlaces::Stay).unwrap(), expect);
    }

    #[test]
    fn values_are_written_into_texts() {
        fills("https://{subdomain}.example.com", "https://acme.example.com");
        fills("Bearer ${configuration.oauth.user.token}", "Bearer tok-123456");
        fills("{ subdomain }/{id}", "acme/{id}");
        fills("no ${date} and {open", "no ${date} and {open");
        fills(r#"{"host": "{subdomain}", "a": {"b": "{id}"}}"#, r#"{"host": "acme", "a": {"b": "{id}"}}"#);
        fills("", "");
        let refused = settings().fill("https://{host}", "`base.url`", UnsetPlaces::Refuse).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the configuration value `host` is missing, which `base.url` needs; set it on the instance"
        );
        assert!(settings().fill("${configuration.x}", "`a`", UnsetPlaces::Stay).is_err());
    }

    #[test]
    fn members_of_a_configuration_are_kept_as_text() {
        for (json, text) in [
            ("true", "true"),
            ("15", "15"),
            (r#""15""#, "15"),
            (r#"{"a":1.50}"#, r#"{"a":1.50}"#),
            ("[1]", "[1]"),
        ] {
            assert_eq!(Settings::text_of(json).as_deref(), Some(text));
        }
        assert_eq!(Settings::text_of("null"), None);
    }

    #[test]
    fn secrets_do_not_print() {
        let settings = settings();
        assert_eq!(format!("{settings:?}"), r#"{"oauth.user.token", "subdomain"}"#);
        assert_eq!(settings.redacted("bad token tok-123456 of acme"), "bad token ******** of acme");
    }
}
