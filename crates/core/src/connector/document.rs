//! A connector's document: the text that was imported, every byte of it.
//!
//! Import then export is the same document because nothing is ever rebuilt: the document *is* its text, the typed
//! views are read from it, and an edit splices one part. Ids that we assign live beside it ([`super::Ids`]).

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::json_text::{self, JsonTextError, Kind};
use crate::limits::ELEMENT_BYTES_MAX;

use super::keys;
use super::parts;
use super::view::SECRET_MASK;

/// A connector as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: String,
}

/// Why a text is not a connector's document at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON that we take.
    #[error("the connector's document cannot be read: {0}")]
    Json(#[from] JsonTextError),
    /// Another kind of JSON.
    #[error(
        "the connector's document is {0} and not an object; write it as `{{\"name\": …, \"resources\": […]}}`"
    )]
    NoObject(&'static str),
    /// Too long.
    #[error("the connector's document has {0} bytes, more than {ELEMENT_BYTES_MAX}; split the connector")]
    TooLong(usize),
}

/// The four lists of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `configuration`.
    Configuration,
    /// `parameters`.
    Parameters,
    /// `hooks`.
    Hooks,
    /// `resources`.
    Resources,
}

impl Part {
    /// All of them, in the order of an export.
    pub const ALL: [Part; 4] = [Part::Configuration, Part::Parameters, Part::Hooks, Part::Resources];

    /// The member's name.
    pub fn name(self) -> &'static str {
        match self {
            Part::Configuration => "configuration",
            Part::Parameters => "parameters",
            Part::Hooks => "hooks",
            Part::Resources => "resources",
        }
    }

    /// One of them, in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Part::Configuration => "configuration entry",
            Part::Parameters => "parameter",
            Part::Hooks => "hook",
            Part::Resources => "resource",
        }
    }
}

/// A document that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The document's text.
    pub text: String,
    /// Keys whose default was a secret and is blank in the text.
    pub blanked: Vec<String>,
}

/// What became of a secret that a document does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSecret {
    /// Position of the entry.
    pub position: usize,
    /// Its key.
    pub key: String,
    /// Whether the earlier document's value was kept; else there was none, and the entry is blank.
    pub kept: bool,
}

impl Document {
    /// Takes a document's text. Whether it makes sense is [`super::check`]'s to say.
    pub fn parse(text: impl Into<String>) -> Result<Document, DocumentError> {
        let text = text.into();
        if text.len() > ELEMENT_BYTES_MAX {
            return Err(DocumentError::TooLong(text.len()));
        }
        json_text::validate(&text)?;
        match json_text::kind(&text) {
            Some(Kind::Object) => Ok(Document { text }),
            found => Err(DocumentError::NoObject(found.map_or("nothing", Kind::noun))),
        }
    }

    /// A document from text that was spliced from sound parts.
    pub(super) fn from_sound(text: String) -> Document {
        debug_assert!(json_text::validate(&text).is_ok(), "a splice of sound parts is sound");
        Document { text }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A member's text.
    pub fn member(&self, name: &str) -> Option<&str> {
        json_text::member(&self.text, name)
    }

    /// The texts of one list's items; empty when the list is missing.
    pub fn items(&self, part: Part) -> Vec<&str> {
        self.member(part.name()).and_then(json_text::items).unwrap_or_default()
    }

    /// The connector's key: the document's own, or its name without blanks, in lower case. Empty without both.
    pub fn key(&self) -> String {
        let own = self.member("key").and_then(json_text::text).filter(|key| !key.trim().is_empty());
        let named = || self.member("name").and_then(json_text::text).map(|name| parts::key_of(&name));
        own.map(Cow::into_owned).or_else(named).unwrap_or_default()
    }

    /// The document as it leaves: the imported text, byte by byte. Only the defaults of secret configuration entries
    /// are blank (catalogue I11), and those keys are named.
    pub fn export(&self) -> Export {
        let mut blanked = Vec::new();
        let document = self.with_secrets(|key, _| {
            blanked.push(key.to_string());
            Some(String::new())
        });
        Export { text: document.text, blanked }
    }

    /// The document with every secret default that is set as [`SECRET_MASK`].
    pub fn masked(&self) -> Document {
        self.with_secrets(|_, _| Some(SECRET_MASK.to_string()))
    }

    /// The document with other values for the defaults of its secret entries: those that are a password by their type,
    /// or a secret by their key, and not empty. `change` gets key and value, and answers the new value or leaves it.
    pub fn with_secrets(&self, mut change: impl FnMut(&str, &str) -> Option<String>) -> Document {
        let Some(list) = self.member(Part::Configuration.name()) else { return self.clone() };
        let mut changed = false;
        let list = json_text::with_each_item(list, |_, entry| {
            let secret = secret_default(entry).filter(|(_, value)| !value.is_empty());
            match secret.and_then(|(key, value)| change(&key, &value)) {
                Some(value) => {
                    changed = true;
                    json_text::with_member(entry, "defaultValue", &json_text::quote(&value))
                }
                None => entry.to_string(),
            }
        });
        if changed { self.with_member(Part::Configuration.name(), &list) } else { self.clone() }
    }

    /// The document with the secret defaults of an earlier one where it shows them hidden ([`SECRET_MASK`]) or leaves
    /// them blank, as an export does; and what became of each that was not simply put back. A default that is left out
    /// is none.
    pub fn with_secrets_of(&self, earlier: &Document) -> (Document, Vec<KeptSecret>) {
        let mut told = Vec::new();
        let known: BTreeMap<String, String> =
            earlier.items(Part::Configuration).into_iter().filter_map(secret_default).collect();
        let Some(list) = self.member(Part::Configuration.name()) else { return (self.clone(), told) };
        let mut changed = false;
        let list = json_text::with_each_item(list, |position, entry| {
            let secret = secret_default(entry).filter(|(_, value)| value.is_empty() || value == SECRET_MASK);
            // What was a secret and is none any more is not shown by that.
            let was_secret = || {
                let key = parts::entry_key(entry).filter(|key| known.contains_key(key))?;
                let value = json_text::member(entry, "defaultValue").and_then(json_text::text)?;
                (value == SECRET_MASK).then(|| (key, value.into_owned()))
            };
            let is_secret = secret.is_some();
            let Some((key, value)) = secret.or_else(was_secret) else { return entry.to_string() };
            let before = known.get(&key).filter(|_| is_secret).map_or("", String::as_str);
            match (value.is_empty(), before.is_empty()) {
                (true, true) => return entry.to_string(),
                (true, false) => told.push(KeptSecret { position, key, kept: true }),
                (false, true) => told.push(KeptSecret { position, key, kept: false }),
                (false, false) => {}
            }
            changed = true;
            json_text::with_member(entry, "defaultValue", &json_text::quote(before))
        });
        let document =
            if changed { self.with_member(Part::Configuration.name(), &list) } else { self.clone() };
        (document, told)
    }

    /// A private copy under another key and name, with the defaults of secrets blank.
    pub fn cloned_as(&self, key: &str, name: &str) -> Document {
        let copy = self.with_secrets(|_, _| Some(String::new()));
        copy.with_member("key", &json_text::quote(key))
            .with_member("name", &json_text::quote(name))
            .with_member("private", "true")
    }

    /// The document with its key and all four lists, as a new connector is stored and shown: what is there already
    /// stays where it is.
    pub fn completed(&self) -> Document {
        let mut complete = self.clone();
        if json_text::member(&self.text, "key").and_then(json_text::text).is_none_or(|key| key.is_empty()) {
            complete = complete.with_member("key", &json_text::quote(&self.key()));
        }
        for part in Part::ALL {
            if complete.member(part.name()).is_none_or(|list| json_text::kind(list) == Some(Kind::Null)) {
                complete = complete.with_member(part.name(), "[]");
            }
        }
        complete
    }

    /// The document with its switch set.
    pub fn with_active(&self, active: Activity) -> Document {
        let value = match active {
            Activity::Active => "true",
            Activity::Inactive => "false",
        };
        self.with_member("active", value)
    }

    pub(super) fn with_member(&self, name: &str, value: &str) -> Document {
        Document::from_sound(json_text::with_member(&self.text, name, value))
    }
}

/// Key and default of a secret entry; the default is empty where there is none that is a text. `None` for others, and
/// for an entry that leaves its default out.
fn secret_default(entry: &str) -> Option<(String, String)> {
    let key = parts::entry_key(entry)?;
    let kind = json_text::member(entry, "type").and_then(json_text::text).unwrap_or_default();
    let is_secret = keys::is_secret(&key) || kind.trim().eq_ignore_ascii_case("PASSWORD");
    let value = is_secret.then(|| json_text::member(entry, "defaultValue").and_then(json_text::scalar))??;
    Some((key, value.into_owned()))
}

/// Whether a connector can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It can.
    Active,
    /// It cannot.
    Inactive,
}
