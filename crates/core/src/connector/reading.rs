//! Reading one object of a connector's document: wrong types become faults with their place and remedy.
//!
//! `null` counts as absent, because exports write it for everything that is unset. Members that nobody asks for are no
//! fault: the document keeps them, and other programs know what they mean.

use crate::check::Fault;
use crate::json_text::{self, Kind, Member};

/// What a reader has to say.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

impl Findings {
    pub(super) fn fault(
        &mut self,
        path: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.faults.push(Fault { path: path.into(), problem: problem.into(), remedy: remedy.into() });
    }

    pub(super) fn warn(
        &mut self,
        path: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.warnings.push(Fault { path: path.into(), problem: problem.into(), remedy: remedy.into() });
    }
}

/// One object of the document.
pub(super) struct Object<'t> {
    path: String,
    members: Vec<Member<'t>>,
}

impl<'t> Object<'t> {
    /// Opens the value that stands at `path`; a fault when it is no object.
    pub(super) fn open(path: &str, value: &'t str, findings: &mut Findings) -> Option<Object<'t>> {
        let members = json_text::members(value);
        if members.is_none() {
            let found = json_text::kind(value).map_or("nothing", Kind::noun);
            findings.fault(path, format!("{found} stands where an object is expected"), "write it in braces");
        }
        members.map(|members| Object { path: path.to_string(), members })
    }

    /// The place of a member.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) }
    }

    /// A member's text as it stands in the document.
    pub(super) fn raw(&self, key: &str) -> Option<&'t str> {
        let found = self.members.iter().rev().find(|member| member.name == key)?;
        (json_text::kind(found.value) != Some(Kind::Null)).then_some(found.value)
    }

    /// A text; anything else is a fault.
    pub(super) fn text(&self, key: &str, findings: &mut Findings) -> Option<String> {
        let raw = self.raw(key)?;
        match json_text::text(raw) {
            Some(text) => Some(text.into_owned()),
            None => {
                let found = json_text::kind(raw).map_or("nothing", Kind::noun);
                findings.fault(self.at(key), format!("{found} is not a text"), "write a text in quotes");
                None
            }
        }
    }

    /// A text with something in it.
    pub(super) fn filled(&self, key: &str, findings: &mut Findings) -> Option<String> {
        self.text(key, findings).filter(|text| !text.trim().is_empty())
    }

    /// A text or a number, as text.
    pub(super) fn word(&self, key: &str, findings: &mut Findings) -> Option<String> {
        match self.raw(key) {
            Some(raw) if json_text::kind(raw) == Some(Kind::Number) => Some(raw.to_string()),
            _ => self.filled(key, findings),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, key: &str, remedy: &str, findings: &mut Findings) -> Option<String> {
        let faults = findings.faults.len();
        let text = self.filled(key, findings);
        if text.is_none() && findings.faults.len() == faults {
            findings.fault(self.at(key), format!("`{key}` is missing"), remedy);
        }
        text
    }

    /// A truth value; the texts `true` and `false` will do, and an empty text is none.
    pub(super) fn flag(&self, key: &str, findings: &mut Findings) -> Option<bool> {
        let raw = self.raw(key)?;
        match json_text::scalar(raw).as_deref().map(str::trim) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some("") => None,
            _ => {
                findings.fault(self.at(key), "it is neither true nor false", "write true or false");
                None
            }
        }
    }

    /// The items of a list with their places; absent is empty, anything else is a fault.
    pub(super) fn list(&self, key: &str, findings: &mut Findings) -> Vec<(String, &'t str)> {
        let Some(raw) = self.raw(key) else { return Vec::new() };
        let path = self.at(key);
        match json_text::items(raw) {
            Some(items) => items
                .into_iter()
                .enumerate()
                .map(|(position, item)| (format!("{path}[{position}]"), item))
                .collect(),
            None => {
                let found = json_text::kind(raw).map_or("nothing", Kind::noun);
                findings.fault(
                    path,
                    format!("{found} stands where a list is expected"),
                    "write it in brackets",
                );
                Vec::new()
            }
        }
    }

    /// An object inside this one; anything else is a fault.
    pub(super) fn object(&self, key: &str, findings: &mut Findings) -> Option<Object<'t>> {
        Object::open(&self.at(key), self.raw(key)?, findings)
    }

    /// One of several words, in any letter case.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
        findings: &mut Findings,
    ) -> Option<T> {
        let text = self.filled(key, findings)?;
        let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        if found.is_none() {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            let remedy = format!("write {}", words.join(", "));
            findings.fault(self.at(key), format!("`{}` is not one of its values", cut(&text)), remedy);
        }
        found.map(|(_, meaning)| *meaning)
    }
}

/// A text for a message: whole when it is short.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}
