//! Proposes how a resource is polled, from one answer of its API.
//!
//! Everything that is proposed has its evidence in one sentence with numbers, what else could be meant, and how sure it
//! is. A sample shows what *is* there and never what the provider promises; so nothing is proposed here that would lose
//! records if the guess were wrong (an order of the list, a resolution of the filter), and what a sample cannot tell is
//! a warning. What is proposed was judged by [`crate::check`] before it is handed out.
//!
//! Not here: fetching the sample, and writing a document around the proposal (the caller's).

mod dates;
mod fields;
mod id;
mod list;
mod paging;
mod shape;
mod url;
mod words;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::check::{CheckSettings, check_resource};
use crate::json_text;

/// Records that are looked at. More of them would not make a proposal surer.
const RECORDS_MAX: usize = 1_000;

/// Records below which uniqueness and order show little.
const RECORDS_FEW: usize = 3;

/// Alternatives of one proposal.
const ALTERNATIVES_MAX: usize = 5;

/// One answer of an API, and what is known about how it came.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    /// The address that it was read from; without one no `url` is proposed.
    pub url: Option<&'s str>,
    /// Its headers; names in lower case.
    pub headers: &'s [(String, String)],
    /// Its body.
    pub body: &'s str,
    /// When it was read.
    pub now: Timestamp,
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// A name for the resource.
    pub name: String,
    /// Its configuration, as `event.poller.configuration` takes it under that name. Without a `url` where none is
    /// known; otherwise it is without fault.
    pub resource: Map<String, Value>,
    /// One entry per setting, in the order of the configuration.
    pub proposals: Vec<Proposal>,
    /// What the sample cannot tell, or what speaks against a proposal.
    pub warnings: Vec<String>,
    /// Records that were looked at.
    pub records: usize,
}

/// One setting with its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its place in the resource, such as `datesConfiguration.updatedDateField`.
    pub setting: String,
    /// What is proposed.
    pub value: Value,
    /// Why, in one sentence.
    pub evidence: String,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// What else it could be, likeliest first.
    pub alternatives: Vec<Alternative>,
}

/// Something else that a setting could be.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The value.
    pub value: Value,
    /// What speaks for it, in one sentence.
    pub evidence: String,
}

/// Why nothing is proposed: one sentence with its remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSuggestion(String);

impl NoSuggestion {
    fn new(sentence: impl Into<String>) -> NoSuggestion {
        NoSuggestion(sentence.into())
    }
}

/// What is being put together.
#[derive(Debug, Default)]
struct Draft {
    resource: Map<String, Value>,
    proposals: Vec<Proposal>,
    warnings: Vec<String>,
}

impl Draft {
    /// Proposes a member of the resource, or of its `datesConfiguration`.
    fn propose(&mut self, proposal: Proposal) {
        match proposal.setting.split_once('.') {
            None => self.resource.insert(proposal.setting.clone(), proposal.value.clone()),
            Some((object, member)) => {
                let inner = self.resource.entry(object).or_insert_with(|| json!({}));
                inner
                    .as_object_mut()
                    .and_then(|inner| inner.insert(member.to_owned(), proposal.value.clone()))
            }
        };
        self.proposals.push(proposal);
    }

    fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }
}

impl Proposal {
    fn new(setting: &str, value: impl Into<Value>, confidence: f64, evidence: impl Into<String>) -> Proposal {
        let (setting, value, evidence) = (setting.to_owned(), value.into(), evidence.into());
        Proposal { setting, value, evidence, confidence, alternatives: Vec::new() }
    }

    fn or(mut self, alternatives: impl IntoIterator<Item = Alternative>) -> Proposal {
        self.alternatives.extend(alternatives);
        self.alternatives.truncate(ALTERNATIVES_MAX);
        self
    }
}

impl Alternative {
    fn new(value: impl Into<Value>, evidence: impl Into<String>) -> Alternative {
        Alternative { value: value.into(), evidence: evidence.into() }
    }
}

/// Proposes a resource from a sample. Pure and total: any text gets a proposal or a sentence, and never a panic.
///
/// Fails where the answer is no JSON, holds no list of objects, or no record has anything that could be its id.
pub fn suggest(sample: &Sample<'_>) -> Result<Suggestion, NoSuggestion> {
    let body = sample.body.trim_start_matches('\u{feff}').trim_ascii();
    judge_body(body)?;
    let address = sample.url.map(url::Address::parse).transpose()?;
    let named = address.as_ref().and_then(url::Address::name);
    let lists = list::find(body, named.as_deref());
    let Some((best, others)) = lists.split_first() else { return Err(no_list(body)) };
    let records: Vec<&str> = best.records.iter().copied().take(RECORDS_MAX).collect();
    let fields = fields::Fields::of(&records);
    let mut draft = Draft::default();
    let name = named.or_else(|| best.name()).unwrap_or_else(|| "records".to_owned());
    let place = draft.resource.entry("url").or_insert(Value::Null);
    *place = Value::Null; // Keeps its place at the head; it is known only when paging is.
    id::propose(&fields, &name, &mut draft)?;
    list::propose(best, others, &mut draft);
    dates::propose(&fields, sample.now, &mut draft);
    let pages = paging::propose(sample, body, best, address.as_ref(), &mut draft);
    url::propose(address.as_ref(), &pages, sample.now, &mut draft);
    if records.len() < RECORDS_FEW {
        draft.warn(format!(
            "the sample has {}: what is unique or in order shows only in more of them",
            words::counted(records.len(), "record")
        ));
    }
    judged(name, draft, records.len(), sample)
}

fn judge_body(body: &str) -> Result<(), NoSuggestion> {
    if body.is_empty() {
        return Err(NoSuggestion::new("the sample is empty; give an answer that lists records"));
    }
    if body.starts_with('<') {
        let words =
            "the sample is HTML or XML, not JSON: a login page, or a wrong address; give an answer in JSON";
        return Err(NoSuggestion::new(words));
    }
    json_text::validate(body)
        .map_err(|error| NoSuggestion::new(format!("the sample cannot be read: {error}")))
}

fn no_list(body: &str) -> NoSuggestion {
    let what = match json_text::kind(body) {
        Some(json_text::Kind::List) if json_text::items(body).is_some_and(|items| items.is_empty()) => {
            "the sample is an empty list; take one with records in it, for example without a filter"
        }
        Some(json_text::Kind::List) => {
            "the sample is a list of values that are no objects, so no record has an id; take an answer that lists \
             objects"
        }
        Some(json_text::Kind::Object) => {
            "the sample holds no list with objects in it; take the answer that lists records, with records in it"
        }
        _ => "the sample is a single value; take the answer that lists records",
    };
    NoSuggestion::new(what)
}

/// Hands out what [`check_resource`] accepts. What it finds wrong is told and left out, unless nothing works without.
fn judged(
    name: String,
    draft: Draft,
    records: usize,
    sample: &Sample<'_>,
) -> Result<Suggestion, NoSuggestion> {
    let Draft { mut resource, mut proposals, mut warnings } = draft;
    let settings = CheckSettings::new(sample.now);
    let known = resource.get("url").is_some_and(|url| !url.is_null());
    if !known {
        resource.insert("url".to_owned(), json!("https://address.invalid/"));
    }
    let needed = ["url", "idField", "list"];
    let faults = check_resource(&name, &Value::Object(resource.clone()), &settings, None).faults;
    if let Some(first) = faults.first() {
        resource.retain(|member, _| needed.contains(&member.as_str()));
        proposals.retain(|proposal| needed.contains(&proposal.setting.as_str()));
        warnings.push(format!("what else was found cannot be used: {first}"));
        let left = check_resource(&name, &Value::Object(resource.clone()), &settings, None).faults;
        if let Some(fault) = left.first() {
            return Err(NoSuggestion::new(format!("nothing can be proposed: {fault}")));
        }
    }
    if !known {
        resource.shift_remove("url");
        warnings.push("no address is known, so `url` is missing; give the address of the list".to_owned());
    }
    let order = |proposal: &Proposal| {
        let head = proposal.setting.split('.').next().unwrap_or_default();
        resource.keys().position(|member| member == head)
    };
    proposals.sort_by_key(order);
    Ok(Suggestion { name, resource, proposals, warnings, records })
}

#[cfg(test)]
mod tests;
