//! From the provider's answer to ours: what went wrong in the field's shape, and records under our names.
//!
//! A provider's refusal stays what it is (401, 403, 404, 429 …), its breakdown becomes 502, 503 or 504, and none of
//! them is ever a 500 of ours (platform-api §7). Without a response mapping a record is the provider's own text.

use crate::connector::{Connector, Parameter, ParameterPlace, Resource, Settings, Source};
use crate::json_text::{self, Kind};
use crate::json_tree::Tree;
use crate::run::{FetchError, FetchErrorKind};

use super::CallFault;
use super::field::field_place;
use super::hooking::Answer;
use super::value::{Value, convert};

/// Longest part of a provider's words that is passed on.
const PROVIDER_MESSAGE_CHARS: usize = 500;

/// Reads a provider's body: JSON, other text, or nothing.
pub(super) fn read(status: u16, headers: Vec<(String, String)>, body: String) -> Answer {
    let trimmed = body.trim_ascii();
    let (body, text) = match trimmed.is_empty() {
        true => (None, None),
        false if json_text::validate(trimmed).is_ok() => (Some(trimmed.to_string()), None),
        false => (None, Some(body)),
    };
    Answer { status, headers, body, text, is_error: !(200..300).contains(&status), ..Answer::default() }
}

/// The fault of a request without an answer.
pub(super) fn unreachable(error: &FetchError) -> CallFault {
    let status = match error.kind {
        FetchErrorKind::Timeout => 504,
        FetchErrorKind::Forbidden | FetchErrorKind::BadUrl | FetchErrorKind::Call => 400,
        FetchErrorKind::Reconnect => 401,
        FetchErrorKind::Dns
        | FetchErrorKind::Connect
        | FetchErrorKind::Tls
        | FetchErrorKind::Truncated
        | FetchErrorKind::TooLarge
        | FetchErrorKind::Undecodable
        | FetchErrorKind::Redirect
        | FetchErrorKind::Broken => 502,
    };
    CallFault::new(status, format!("the provider cannot be reached: {}", error.message))
}

/// The fault that an error answer stands for, with the provider's own words.
pub(super) fn refused(answer: &Answer, settings: &Settings) -> CallFault {
    let status = match answer.status {
        status @ 400..=499 => status,
        503 => 503,
        504 => 504,
        _ => 502,
    };
    let message = match answer.status {
        400 | 422 => "the provider refused the request".to_string(),
        401 => "the provider refused the credentials; reconnect the instance".to_string(),
        402 | 403 => "the provider forbids this to the account".to_string(),
        404 | 410 => "Not found".to_string(),
        405 => "the provider does not know this method here".to_string(),
        409 => "the provider has a conflicting record".to_string(),
        429 => "the provider asks to slow down; wait before the next call".to_string(),
        300..=399 => {
            format!("the provider redirects ({}), which is not followed; correct `base.url`", answer.status)
        }
        200..=299 => "the call failed".to_string(),
        status => format!("the provider failed with {status}; try again later"),
    };
    CallFault { status, message, provider_message: provider_message(answer, settings) }
}

/// The provider's words: a member that is called message, or its text, shortened and without our secrets.
pub(super) fn provider_message(answer: &Answer, settings: &Settings) -> Option<String> {
    let words = match (&answer.body, &answer.text) {
        (Some(body), _) => message_of(body, 0).unwrap_or_else(|| body.clone()),
        (None, Some(text)) if text.trim_start().starts_with('<') => html_title(text),
        (None, Some(text)) => text.clone(),
        (None, None) => return None,
    };
    let words: String = words.trim().chars().filter(|letter| !letter.is_control()).collect();
    let cut = match words.char_indices().nth(PROVIDER_MESSAGE_CHARS) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words,
    };
    (!cut.is_empty()).then(|| settings.redacted(&cut))
}

fn message_of(body: &str, depth: usize) -> Option<String> {
    const NAMES: [&str; 12] = [
        "message",
        "error_description",
        "errorMessage",
        "error_message",
        "detail",
        "details",
        "description",
        "title",
        "reason",
        "error",
        "errors",
        "fault",
    ];
    if depth > 3 {
        return None;
    }
    match json_text::kind(body)? {
        Kind::Text => {
            json_text::text(body).map(|text| text.into_owned()).filter(|text| !text.trim().is_empty())
        }
        Kind::Object => NAMES.iter().find_map(|name| message_of(json_text::member(body, name)?, depth + 1)),
        Kind::List => message_of(json_text::items(body)?.first()?, depth + 1),
        Kind::Null | Kind::Bool | Kind::Number => None,
    }
}

fn html_title(text: &str) -> String {
    // ASCII lower case keeps byte positions.
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|open| {
        let start = open + lower[open..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(text[start..end].trim().to_string())
    });
    match title.filter(|title| !title.is_empty()) {
        Some(title) => format!("an HTML page: {title}"),
        None => "an HTML page".to_string(),
    }
}

/// How answers are rewritten for one resource.
pub(super) struct AnswerMapping<'c> {
    parameters: Vec<&'c Parameter>,
    drop_nulls: bool,
    fields: Vec<String>,
}

/// What an answer says besides its records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Aside {
    pub(super) headers: Vec<(String, String)>,
    pub(super) configuration: Vec<(String, Option<String>)>,
}

impl<'c> AnswerMapping<'c> {
    /// `fields` are those that the caller wants; empty for all.
    pub(super) fn new(
        connector: &'c Connector,
        resource: &'c Resource,
        settings: &Settings,
        fields: Vec<String>,
    ) -> AnswerMapping<'c> {
        let all = connector.parameters.iter().chain(&resource.parameters);
        let parameters = all.filter(|parameter| parameter.source == Source::Response).collect();
        let keeps =
            settings.filled("filter.response.nulls").is_some_and(|flag| flag.eq_ignore_ascii_case("false"));
        AnswerMapping { parameters, drop_nulls: !keeps, fields }
    }

    /// What parameters read from the whole answer: our headers, and configuration values.
    pub(super) fn aside(&self, answer: &Answer) -> Aside {
        let mut aside = Aside::default();
        for parameter in &self.parameters {
            let Some(value) = self.of_whole(parameter, answer) else { continue };
            match parameter.place {
                ParameterPlace::Header => aside.headers.push((parameter.name.clone(), value)),
                ParameterPlace::Configuration => {
                    aside.configuration.push((parameter.name.clone(), Some(value)));
                }
                _ => {}
            }
        }
        aside
    }

    fn of_whole(&self, parameter: &Parameter, answer: &Answer) -> Option<String> {
        match parameter.vendor_place {
            ParameterPlace::Header => {
                let is_it = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(&parameter.vendor_name);
                answer.headers.iter().find(is_it).map(|(_, value)| value.clone())
            }
            ParameterPlace::BodyField => {
                let place = field_place(&parameter.vendor_name).ok()?;
                let raw = place.read(&mut Tree::raw(answer.body.as_deref()?))?;
                Value::Json(raw).into_text(None).ok()
            }
            _ => None,
        }
    }

    /// Whether records pass as they came.
    fn is_plain(&self, raw: &str) -> bool {
        let moves = self.parameters.iter().any(|parameter| parameter.place == ParameterPlace::BodyField);
        !moves && self.fields.is_empty() && !(self.drop_nulls && raw.contains("null"))
    }

    /// Rewrites one record, or one object. `None` when it passes as it came.
    pub(super) fn record(&self, raw: &str, answer: &Answer) -> Result<Option<String>, CallFault> {
        if self.is_plain(raw) {
            return Ok(None);
        }
        let mut record = Tree::raw(raw);
        for parameter in &self.parameters {
            self.carry(parameter, &mut record, answer).map_err(|problem| {
                let sentence = format!(
                    "the answer's `{}` does not fit: {problem}; correct its mapping",
                    parameter.vendor_name
                );
                CallFault::new(502, sentence)
            })?;
        }
        if self.drop_nulls {
            record.drop_nulls();
        }
        if !self.fields.is_empty() {
            record = self.chosen(record);
        }
        Ok(Some(record.write()))
    }

    fn carry(&self, parameter: &Parameter, record: &mut Tree<'_>, answer: &Answer) -> Result<(), String> {
        if parameter.place != ParameterPlace::BodyField {
            return Ok(());
        }
        let to = field_place(&parameter.name)?;
        let typed = |raw: String| match parameter.data_type {
            Some(kind) => convert(raw, kind),
            None => Ok(raw),
        };
        match parameter.vendor_place {
            ParameterPlace::BodyField => field_place(&parameter.vendor_name)?.move_to(&to, record, typed),
            ParameterPlace::Header => match self.of_whole(parameter, answer) {
                Some(text) => to.put(record, Value::Text(text).into_json(parameter.data_type)?),
                None => Ok(()),
            },
            ParameterPlace::Value => {
                let constant = Value::Text(parameter.vendor_name.clone());
                to.put(record, constant.into_json(parameter.data_type)?)
            }
            _ => Ok(()),
        }
    }

    /// Only the wanted fields, in the record's own order of members.
    fn chosen(&self, mut record: Tree<'_>) -> Tree<'static> {
        if !matches!(record.open(), Tree::Object(_)) {
            return record.into_owned();
        }
        let mut chosen = Tree::object();
        for field in &self.fields {
            let Ok(place) = field_place(field) else { continue };
            if let Some(value) = place.read(&mut record) {
                // A field below one that is there already has no place of its own.
                let _ = place.put(&mut chosen, value);
            }
        }
        chosen
    }
}

/// The names of `fields`.
pub(super) fn field_names(text: Option<&str>) -> Vec<String> {
    let names = text.unwrap_or_default().split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_string).collect()
}
