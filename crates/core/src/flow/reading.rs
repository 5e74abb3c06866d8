//! Reading one object of a monitor document: every member once, strictly.
//!
//! A monitor is written for this program alone, so a member that nobody asked for is a fault and not a warning: a
//! misspelt `onError` would otherwise be a policy that silently does nothing. The committed JSON Schema
//! (`docs/schema/monitor.schema.json`) refuses exactly what is refused here.
//!
//! Not here: what the members mean (`document`, `card`), and everything that a schema cannot say (`check`).

use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::value::{Kind, Type};
use crate::check::nearest::nearest;
use crate::check::section::{Findings, duration_text, member_path, shown};

/// One object and the members that were asked for.
pub(super) struct Members<'v> {
    path: String,
    members: &'v Map<String, Json>,
    known: Vec<&'static str>,
}

impl<'v> Members<'v> {
    /// The members of `value`, which must be an object.
    pub(super) fn new(path: &str, value: &'v Json, findings: &mut Findings) -> Option<Members<'v>> {
        let Json::Object(members) = value else {
            findings.fault(path, format!("{} is not an object", shown(value)), "write its members by name");
            return None;
        };
        Some(Members { path: path.to_string(), members, known: Vec::new() })
    }

    /// The place of a member.
    pub(super) fn path_of(&self, key: &str) -> String {
        member_path(&self.path, key)
    }

    /// A member as it stands; `null` counts as written.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'v Json> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.members.get(key)
    }

    /// A text that is not blank.
    pub(super) fn text(&mut self, key: &'static str, findings: &mut Findings) -> Option<&'v str> {
        let value = self.get(key)?;
        match value.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => Some(text),
            None => {
                let problem = format!("{} is not a text that says something", shown(value));
                findings.fault(&self.path_of(key), problem, "write a text, or remove it");
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn needed_text(
        &mut self,
        key: &'static str,
        remedy: &str,
        findings: &mut Findings,
    ) -> Option<&'v str> {
        self.needed(key, remedy, findings);
        self.text(key, findings)
    }

    /// Notes that a member is missing.
    pub(super) fn needed(&mut self, key: &'static str, remedy: &str, findings: &mut Findings) -> bool {
        let there = self.members.contains_key(key);
        if !there {
            findings.fault(&self.path, format!("`{key}` is missing"), remedy);
        }
        there
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, otherwise: bool, findings: &mut Findings) -> bool {
        let Some(value) = self.get(key) else { return otherwise };
        value.as_bool().unwrap_or_else(|| {
            let problem = format!("{} is neither true nor false", shown(value));
            findings.fault(&self.path_of(key), problem, "write true or false");
            otherwise
        })
    }

    /// A whole number inside bounds.
    pub(super) fn count(
        &mut self,
        key: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
        findings: &mut Findings,
    ) -> Option<u64> {
        let value = self.get(key)?;
        let found = whole(value).filter(|count| bounds.contains(count));
        if found.is_none() {
            let remedy = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
            findings.fault(&self.path_of(key), format!("{} is not such a number", shown(value)), remedy);
        }
        found
    }

    /// A duration: whole seconds, or a text such as `90s`, `5m`, `1h30m`.
    pub(super) fn duration(&mut self, key: &'static str, findings: &mut Findings) -> Option<Duration> {
        let value = self.get(key)?;
        let read = match value {
            Json::Number(_) => {
                whole(value).filter(|seconds| *seconds <= 366 * 86_400).map(Duration::from_secs)
            }
            Json::String(text) => duration_text(text),
            _ => None,
        };
        if read.is_none() {
            let problem = format!("{} is not a duration", shown(value));
            let remedy = "write whole seconds, or a text such as `90s`, `5m` or `1h30m`";
            findings.fault(&self.path_of(key), problem, remedy);
        }
        read
    }

    /// A list; a member that is something else is a fault.
    pub(super) fn list(&mut self, key: &'static str, findings: &mut Findings) -> Option<&'v [Json]> {
        let value = self.get(key)?;
        match value {
            Json::Array(items) => Some(items),
            other => {
                findings.fault(&self.path_of(key), format!("{} is not a list", shown(other)), "write a list");
                None
            }
        }
    }

    /// Names and values of an object, in their order; empty when it is not there.
    pub(super) fn entries(
        &mut self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Vec<(&'v String, &'v Json)> {
        match self.get(key) {
            None => Vec::new(),
            Some(Json::Object(members)) => members.iter().collect(),
            Some(other) => {
                let problem = format!("{} is not an object", shown(other));
                findings.fault(&self.path_of(key), problem, "write values by name");
                Vec::new()
            }
        }
    }

    /// Fields by name with their types: `{ID: text, Tags: list of text}`.
    pub(super) fn types(&mut self, key: &'static str, findings: &mut Findings) -> Vec<(String, Type)> {
        let path = self.path_of(key);
        let entries = self.entries(key, findings);
        let read = |(name, value): (&String, &Json)| read_field(&path, name, value, findings);
        entries.into_iter().filter_map(read).collect()
    }

    /// Names every member that nobody asked for.
    pub(super) fn finish(self, findings: &mut Findings) {
        for name in self.members.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let remedy = match nearest(name, &self.known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("remove it; known here: {}", self.known.join(", ")),
            };
            findings.fault(&self.path_of(name), format!("`{name}` is not known here"), remedy);
        }
    }
}

/// One field with its type.
pub(super) fn read_field(
    path: &str,
    name: &str,
    value: &Json,
    findings: &mut Findings,
) -> Option<(String, Type)> {
    let place = member_path(path, name);
    if !is_field_name(name) {
        let remedy = "leave out full stops and blanks around it, and use at most 100 letters";
        findings.fault(&place, "this name cannot be referred to", remedy);
    }
    let read = value.as_str().and_then(read_type);
    if read.is_none() {
        let remedy =
            "write text, number, boolean, date, object, file or any, or a list of one: `list of text`";
        findings.fault(&place, format!("{} is not a type", shown(value)), remedy);
    }
    read.map(|kind| (name.to_string(), kind))
}

/// A type by its word in a document: `text`, `list of object`.
pub(super) fn read_type(word: &str) -> Option<Type> {
    let (is_list, word) = word.strip_prefix("list of ").map_or((false, word), |word| (true, word));
    let of = match word {
        "text" => Type::TEXT,
        "number" => Type::NUMBER,
        "boolean" => Type::BOOLEAN,
        "date" => Type::DATE,
        "object" => Type::OBJECT,
        "file" => Type::FILE,
        "any" => Type::ANY,
        _ => return None,
    };
    Some(if is_list { of.list() } else { of })
}

/// The word of a type in a document.
pub fn type_word(of: Type) -> String {
    let word = match of.kind {
        Kind::Text | Kind::Flow => "text",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Date => "date",
        Kind::Object => "object",
        Kind::File => "file",
        Kind::Any => "any",
    };
    if of.collection { format!("list of {word}") } else { word.to_string() }
}

/// A whole number that is not negative; `5.0` is one.
fn whole(value: &Json) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and not negative")]
    let of_float =
        |float: f64| (float.fract() == 0.0 && (0.0..9e15).contains(&float)).then_some(float as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(of_float))
}

/// Names of fields: no full stops, because references are written with them.
pub(super) fn is_field_name(name: &str) -> bool {
    let fits = |letter: char| letter >= ' ' && letter != '\u{7f}' && letter != '.';
    !name.is_empty() && name.chars().count() <= 100 && name.trim() == name && name.chars().all(fits)
}

/// Ids of cards and names of helper flows: a letter or `_`, then letters, digits, `-` and `_`; at most 64.
pub(super) fn is_id(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
        && name.len() <= 64
}
