//! Which member is a record's id.

use std::collections::HashSet;

use super::fields::{Field, Fields, Found};
use super::shape;
use super::words::{counted, joined, singular, words};
use super::{Alternative, Draft, NoSuggestion, Proposal};

/// A member that may be the id.
struct Candidate<'f> {
    field: &'f Field,
    /// Records in which it has a value.
    present: usize,
    /// Different values.
    distinct: usize,
    /// How much its name and its values speak for it, 0 to 1.
    likeness: f64,
}

impl Candidate<'_> {
    fn is_complete(&self, records: usize) -> bool {
        self.present == records
    }

    fn is_unique(&self) -> bool {
        self.distinct == self.present
    }

    fn says(&self, records: usize) -> String {
        if self.is_complete(records) && self.is_unique() {
            return format!("present, unique and never empty in {records} of {}", counted(records, "record"));
        }
        let there = format!("present in {} of {}", self.present, counted(records, "record"));
        if self.is_unique() {
            there
        } else {
            format!("{there}, with {}", counted(self.distinct, "different value"))
        }
    }
}

/// Proposes `idField`. Fails when no record has anything that could be one.
pub(super) fn propose(fields: &Fields, resource: &str, draft: &mut Draft) -> Result<(), NoSuggestion> {
    let records = fields.records;
    let mut candidates: Vec<Candidate<'_>> =
        fields.fields.iter().filter_map(|field| candidate(field, resource)).collect();
    // What is missing or repeated cannot tell records apart, whatever it is called.
    candidates.sort_by(|one, other| {
        let key = |candidate: &Candidate<'_>| {
            (candidate.is_complete(records), candidate.is_unique(), candidate.likeness)
        };
        key(other).partial_cmp(&key(one)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let Some((best, others)) = candidates.split_first() else {
        let words = "no member of the records is a text or a number that could be an id; polling needs one";
        return Err(NoSuggestion::new(words));
    };
    let is_sound = best.is_complete(records) && best.is_unique();
    let mut confidence = if is_sound { best.likeness } else { 0.2 };
    if records == 1 {
        confidence = confidence.min(0.7);
    }
    if !is_sound {
        draft.warn(format!(
            "`{}` is {}: records without an id of their own are set aside; look for a member that every record has",
            best.field.path,
            best.says(records)
        ));
    } else if best.likeness < 0.5 {
        draft.warn(format!("nothing is called like an id; `{}` is only the likeliest", best.field.path));
    }
    let alternatives = others
        .iter()
        .filter(|other| other.is_complete(records) && other.is_unique())
        .map(|other| Alternative::new(other.field.path.clone(), other.says(records)));
    let proposal = Proposal::new("idField", best.field.path.clone(), confidence, best.says(records));
    draft.propose(proposal.or(alternatives));
    Ok(())
}

fn candidate<'f>(field: &'f Field, resource: &str) -> Option<Candidate<'f>> {
    let values: Vec<&str> = field.scalars().map(|(_, text)| text).collect();
    if values.is_empty() || !field.is_scalar() {
        return None;
    }
    let distinct = values.iter().collect::<HashSet<_>>().len();
    let likeness = name_likeness(field, resource) * value_likeness(field);
    Some(Candidate { field, present: values.len(), distinct, likeness })
}

/// How much a member's name speaks for an id.
fn name_likeness(field: &Field, resource: &str) -> f64 {
    let parts = field.words();
    let whole = joined(&parts);
    let own = singular(&words(resource).concat());
    let last = parts.last().map_or("", String::as_str);
    let likeness = match whole.as_str() {
        "id" => 1.0,
        "uuid" | "guid" | "uid" | "oid" | "objectid" | "recordid" | "identifier" | "gid" => 0.93,
        _ if !own.is_empty()
            && matches!(whole.strip_prefix(&own), Some("id" | "uuid" | "guid" | "key" | "number" | "no")) =>
        {
            0.95
        }
        "key" | "number" | "code" | "sku" | "slug" | "ref" | "reference" | "href" | "self" => 0.6,
        _ if matches!(last, "id" | "uuid" | "guid" | "key") => 0.55,
        "email" | "login" | "username" | "url" | "uri" => 0.4,
        _ if matches!(last, "number" | "code" | "no") => 0.4,
        _ => 0.15,
    };
    // An id of something inside the record is that thing's.
    let depth = i32::try_from(field.names.len()).unwrap_or(i32::MAX).saturating_sub(1);
    likeness * 0.75_f64.powi(depth)
}

/// How much its values do: dates, fractions and long texts are unique by accident.
fn value_likeness(field: &Field) -> f64 {
    let mut likeness: f64 = 1.0;
    for (_, found) in &field.values {
        let one = match found {
            Found::Number(text) if text.contains(['.', 'e', 'E', '-']) => 0.3,
            Found::Text(text) if !shape::formats(text).is_empty() && text.contains(['-', '/', ':']) => 0.3,
            Found::Text(text) if text.len() > 80 || text.contains(char::is_whitespace) => 0.5,
            Found::Number(_) | Found::Text(_) | Found::Empty | Found::Other => 1.0,
        };
        likeness = likeness.min(one);
    }
    likeness
}
