//! Reading one JSON object of a configuration: every member once, every fault noted, nothing overlooked.
//!
//! The reader asks for the members that it knows; [`Section::finish`] then names those that nobody asked for. A member
//! that is written a little differently (`filterByUpdateDate`) is found all the same and noted as a repair.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::json_path::JsonPath;
use crate::template::TemplateProblem;

use super::{Fault, nearest};

/// What a reader has to say.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) faults: Vec<Fault>,
    pub(crate) repairs: Vec<Fault>,
    pub(crate) warnings: Vec<Fault>,
}

impl Findings {
    pub(crate) fn fault(&mut self, path: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(Fault { path: path.to_string(), problem: problem.into(), remedy: remedy.into() });
    }

    pub(crate) fn repair(&mut self, path: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.repairs.push(Fault { path: path.to_string(), problem: problem.into(), remedy: remedy.into() });
    }

    /// A repair, or advice, that another module put into one sentence: "what: remedy".
    pub(super) fn note_repair(&mut self, path: &str, sentence: &str) {
        let otherwise = "write it that way, so that other readers agree";
        let TemplateProblem { problem, remedy } = TemplateProblem::from_sentence(sentence, otherwise);
        self.repair(path, problem, remedy);
    }

    pub(crate) fn warn(&mut self, path: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.warnings.push(Fault { path: path.to_string(), problem: problem.into(), remedy: remedy.into() });
    }
}

/// One object and which of its members were asked for.
pub(super) struct Section<'v> {
    path: String,
    members: &'v Map<String, Value>,
    asked: Vec<&'v str>,
    /// What was asked for and found under another spelling, with that spelling.
    respelt: Vec<(String, &'v str)>,
}

impl<'v> Section<'v> {
    pub(super) fn new(path: impl Into<String>, members: &'v Map<String, Value>) -> Section<'v> {
        Section { path: path.into(), members, asked: Vec::new(), respelt: Vec::new() }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The place of a member, as the document spells it.
    pub(super) fn path_of(&self, key: &str) -> String {
        let written = self.respelt.iter().find(|(meant, _)| meant == key).map(|(_, written)| *written);
        member_path(&self.path, written.unwrap_or(key))
    }

    /// The member as it is written here, in another letter case, or under another spelling of the field.
    /// `null` counts as absent.
    pub(super) fn get(&mut self, key: &str, findings: &mut Findings) -> Option<&'v Value> {
        let (written, value) = match self.members.get_key_value(key) {
            Some(exact) => exact,
            None => {
                let same = |name: &str| {
                    name.eq_ignore_ascii_case(key)
                        || VARIANTS
                            .iter()
                            .any(|(variant, meant)| *meant == key && name.eq_ignore_ascii_case(variant))
                };
                let found = self.members.iter().find(|(name, value)| same(name) && !value.is_null())?;
                self.respelt.push((key.to_string(), found.0));
                let problem = format!("`{}` is read as `{key}`", found.0);
                findings.repair(&self.path_of(found.0), problem, format!("write `{key}`"));
                found
            }
        };
        self.asked.push(written);
        (!value.is_null()).then_some(value)
    }

    /// Whether the member is there under its own name. It does not count as asked for.
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.get(key).is_some_and(|value| !value.is_null())
    }

    /// A text; blank text counts as absent, and text that is left to fill in is a fault.
    pub(super) fn text(&mut self, key: &str, findings: &mut Findings) -> Option<&'v str> {
        match self.get(key, findings)? {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => self.filled_in(key, text, findings),
            other => {
                findings.fault(
                    &self.path_of(key),
                    format!("{} is not a text", kind(other)),
                    "write a text in quotes",
                );
                None
            }
        }
    }

    fn filled_in(&self, key: &str, text: &'v str, findings: &mut Findings) -> Option<&'v str> {
        if is_fill_in(text) {
            let problem = format!("`{}` is left to fill in", text.trim());
            findings.fault(&self.path_of(key), problem, "replace it with its value");
            return None;
        }
        Some(text)
    }

    /// A truth value; the texts `true` and `false` will do.
    pub(super) fn flag(&mut self, key: &str, findings: &mut Findings) -> Option<bool> {
        let value = self.get(key, findings)?;
        match value {
            Value::Bool(flag) => return Some(*flag),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "" => return None,
                "true" => return Some(true),
                "false" => return Some(false),
                _ => {
                    self.filled_in(key, text, findings)?;
                }
            },
            _ => {}
        }
        findings.fault(
            &self.path_of(key),
            format!("{} is neither true nor false", shown(value)),
            "write true or false",
        );
        None
    }

    /// A number; a text that holds one will do.
    pub(super) fn number(&mut self, key: &str, remedy: &str, findings: &mut Findings) -> Option<f64> {
        let value = self.get(key, findings)?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => self.filled_in(key, text, findings)?.trim().parse().ok(),
            _ => None,
        };
        let finite = number.filter(|number: &f64| number.is_finite());
        if finite.is_none() {
            findings.fault(&self.path_of(key), format!("{} is not a number", shown(value)), remedy);
        }
        finite
    }

    /// A whole number inside bounds.
    pub(super) fn count(
        &mut self,
        key: &str,
        bounds: std::ops::RangeInclusive<u64>,
        findings: &mut Findings,
    ) -> Option<u64> {
        let remedy = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
        let number = self.number(key, &remedy, findings)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and not negative")]
        let whole = (number >= 0.0 && number.fract() == 0.0 && number < 9e15).then_some(number as u64);
        let found = whole.filter(|whole| bounds.contains(whole));
        if found.is_none() {
            findings.fault(&self.path_of(key), format!("{number} is out of range"), remedy);
        }
        found
    }

    /// A duration: a number of seconds, or a text such as `90s`, `5m` or `2h`.
    pub(super) fn seconds(&mut self, key: &str, findings: &mut Findings) -> Option<Duration> {
        const REMEDY: &str = "write seconds, from 0 to 31536000";
        if let Some(Value::String(text)) = self.members.get(key)
            && let Some(duration) = duration_text(text)
        {
            self.get(key, findings);
            return Some(duration);
        }
        let number = self.number(key, REMEDY, findings)?;
        if !(0.0..=31_536_000.0).contains(&number) {
            findings.fault(&self.path_of(key), format!("{number} is out of range"), REMEDY);
            return None;
        }
        Some(Duration::from_secs_f64(number))
    }

    /// One of several words, in any letter case.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        choices: &[(&str, T)],
        findings: &mut Findings,
    ) -> Option<T> {
        let text = self.text(key, findings)?;
        let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        if found.is_none() {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            let problem = format!("`{text}` is not one of its values");
            findings.fault(&self.path_of(key), problem, format!("write {}", words.join(", ")));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// The place of a member of a record.
    pub(super) fn field(&mut self, key: &str, findings: &mut Findings) -> Option<JsonPath> {
        let text = self.text(key, findings)?;
        parse_field(&self.path_of(key), text, findings)
    }

    /// An object inside this one.
    pub(super) fn object(&mut self, key: &str, findings: &mut Findings) -> Option<Section<'v>> {
        match self.get(key, findings)? {
            Value::Object(members) => Some(Section::new(self.path_of(key), members)),
            other => {
                let problem = format!("{} is not an object", shown(other));
                findings.fault(&self.path_of(key), problem, "write its settings in braces");
                None
            }
        }
    }

    /// Notes members that are accepted and change nothing.
    pub(super) fn inert(&mut self, keys: &[&str], remedy: &str, findings: &mut Findings) {
        for (name, _) in self.rest() {
            if keys.iter().any(|key| key.eq_ignore_ascii_case(name)) {
                self.asked.push(name);
                findings.warn(&self.path_of(name), format!("`{name}` is accepted and has no effect"), remedy);
            }
        }
    }

    /// The members that nobody asked for so far.
    pub(super) fn rest(&self) -> Vec<(&'v str, &'v Value)> {
        let members: &'v Map<String, Value> = self.members;
        let unasked = |(name, value): (&'v String, &'v Value)| {
            (!self.asked.contains(&name.as_str())).then_some((name.as_str(), value))
        };
        members.iter().filter_map(unasked).collect()
    }

    /// Counts a member as asked for.
    pub(super) fn take(&mut self, name: &'v str) {
        self.asked.push(name);
    }

    /// Warns about every member that nobody asked for, with the nearest known name.
    pub(super) fn finish(self, known: &[&str], findings: &mut Findings) {
        for (name, _) in self.rest() {
            let remedy = match nearest::nearest(name, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("remove it; known here: {}", known.join(", ")),
            };
            findings.warn(
                &self.path_of(name),
                format!("`{name}` is not a setting and has no effect"),
                remedy,
            );
        }
    }
}

/// Spellings of the field that differ by more than letter case.
const VARIANTS: [(&str, &str); 4] = [
    ("filterByUpdateDate", "filterByUpdatedDate"),
    ("updatedDateTimeZoneId", "updatedDateTimezone"),
    ("createDateField", "createdDateField"),
    ("createDateFormat", "createdDateFormat"),
];

/// Reads the place of a member.
pub(super) fn parse_field(path: &str, text: &str, findings: &mut Findings) -> Option<JsonPath> {
    match JsonPath::parse(text) {
        Ok(field) => Some(field),
        Err(error) => {
            let sentence = error.to_string();
            let (problem, remedy) = sentence.split_once("; ").unwrap_or((sentence.as_str(), "name a field"));
            findings.fault(path, problem, remedy);
            None
        }
    }
}

/// Appends a member to a path, in quotes when it holds more than a word.
pub(crate) fn member_path(path: &str, key: &str) -> String {
    let plain = key.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'));
    let shown = if plain && !key.is_empty() { key.to_string() } else { format!("{key:?}") };
    if path.is_empty() { shown } else { format!("{path}.{shown}") }
}

/// Whether a text is a place that a person was meant to fill in: `<minutes>`, `<INSTANCE_NAME>`, `{{name}}`.
pub(super) fn is_fill_in(text: &str) -> bool {
    let text = text.trim();
    let inner = text.strip_prefix('<').map(|rest| rest.strip_suffix('>').unwrap_or(rest));
    let inner = inner.or_else(|| text.strip_prefix("{{")?.strip_suffix("}}"));
    inner.is_some_and(|name| {
        name.trim().starts_with(|first: char| first.is_alphabetic())
            && name.chars().all(|letter| letter.is_alphanumeric() || " _-.".contains(letter))
    })
}

/// `90s`, `5m`, `1h30m`, `2d`: at most a year. `None` for anything else, a bare number included.
pub fn duration_text(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = 0u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let amount: u64 = rest[..digits].parse().ok()?;
        let letters = rest[digits..].trim_start();
        let end = letters.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(letters.len());
        let unit = match letters[..end].to_ascii_lowercase().as_str() {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        total = total.checked_add(amount.checked_mul(unit)?)?;
        rest = letters[end..].trim_start();
    }
    (total <= 366 * 86_400).then(|| Duration::from_secs(total))
}

/// The kind of a value, for places where the value itself may be a secret.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value in a message. Long texts are not shown; secrets are never shown with this.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() <= 40 => format!("`{text}`"),
        Value::String(_) => "a long text".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
