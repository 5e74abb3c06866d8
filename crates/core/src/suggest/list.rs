//! Where the records are: the lists of objects in an answer, likeliest first.

use super::words::{counted, singular, words};
use super::{Alternative, Draft, Proposal};
use crate::json_text::{self, Kind};

/// Levels of objects that are looked through. Envelopes are not deeper.
const DEPTH_MAX: usize = 5;

/// Members that are looked at.
const MEMBERS_MAX: usize = 20_000;

/// Names of lists of records, in envelopes of many APIs.
const USUAL: [&str; 18] = [
    "data",
    "items",
    "item",
    "results",
    "result",
    "records",
    "record",
    "value",
    "values",
    "entries",
    "entry",
    "rows",
    "list",
    "objects",
    "content",
    "hits",
    "elements",
    "resources",
];

/// Names of lists that stand beside the records.
const BESIDE: [&str; 14] = [
    "included",
    "includes",
    "links",
    "link",
    "errors",
    "error",
    "warnings",
    "meta",
    "facets",
    "aggregations",
    "columns",
    "schema",
    "messages",
    "filters",
];

/// A list of objects in an answer.
#[derive(Clone, Debug)]
pub(super) struct List<'t> {
    /// Its path; empty when the answer itself is the list.
    pub(super) path: String,
    /// Names along the path.
    names: Vec<String>,
    /// Its items that are objects.
    pub(super) records: Vec<&'t str>,
    /// Items that are none.
    others: usize,
    /// How much its name speaks for it.
    rank: i32,
}

impl List<'_> {
    /// What its own name would call a resource.
    pub(super) fn name(&self) -> Option<String> {
        let last = self.names.last()?;
        let is_usual = USUAL.contains(&last.to_lowercase().as_str());
        (!is_usual).then(|| super::url::plain_name(last)).flatten()
    }
}

/// The lists with objects in them. The one whose name is that of records or of the address comes first, then the one
/// with most records, then the one that stands higher.
pub(super) fn find<'t>(body: &'t str, named: Option<&str>) -> Vec<List<'t>> {
    let mut found = Vec::new();
    let mut budget = MEMBERS_MAX;
    walk(body, &mut Vec::new(), named, &mut budget, &mut found);
    found.sort_by(|one: &List<'_>, other: &List<'_>| {
        let key = |list: &List<'_>| (-list.rank, std::cmp::Reverse(list.records.len()), list.names.len());
        key(one).cmp(&key(other))
    });
    found
}

fn walk<'t>(
    value: &'t str,
    names: &mut Vec<String>,
    named: Option<&str>,
    budget: &mut usize,
    found: &mut Vec<List<'t>>,
) {
    if json_text::kind(value) == Some(Kind::List) {
        found.extend(list_at(value, names, named));
        return;
    }
    if names.len() >= DEPTH_MAX {
        return;
    }
    for member in json_text::members(value).unwrap_or_default() {
        if *budget == 0 {
            return;
        }
        *budget -= 1;
        if matches!(json_text::kind(member.value), Some(Kind::List | Kind::Object)) {
            names.push(member.name.into_owned());
            walk(member.value, names, named, budget, found);
            names.pop();
        }
    }
}

fn list_at<'t>(value: &'t str, names: &[String], named: Option<&str>) -> Option<List<'t>> {
    let items = json_text::items(value)?;
    let count = items.len();
    let is_record = |item: &&str| {
        json_text::kind(item) == Some(Kind::Object)
            && json_text::members(item).is_some_and(|found| !found.is_empty())
    };
    let records: Vec<&str> = items.into_iter().filter(is_record).collect();
    if records.is_empty() {
        return None;
    }
    let path = super::fields::path_text(names)?;
    let others = count - records.len();
    Some(List { path, names: names.to_vec(), records, others, rank: rank(names, named) })
}

/// 2 for the address's own name, 1 for a usual one, -1 for one beside the records.
fn rank(names: &[String], named: Option<&str>) -> i32 {
    let Some(last) = names.last() else { return 2 };
    let parts = words(last);
    let whole = parts.concat();
    if named.is_some_and(|named| singular(&words(named).concat()) == singular(&whole)) {
        return 2;
    }
    if BESIDE.contains(&whole.as_str())
        || names.iter().any(|name| BESIDE.contains(&name.to_lowercase().as_str()))
    {
        return -1;
    }
    i32::from(USUAL.contains(&whole.as_str()))
}

/// Proposes `list`; nothing where the answer itself is the list.
pub(super) fn propose(best: &List<'_>, others: &[List<'_>], draft: &mut Draft) {
    if best.others > 0 {
        draft.warn(format!(
            "{} of the list {} no object and would be set aside as unreadable",
            counted(best.others, "item"),
            if best.others == 1 { "is" } else { "are" }
        ));
    }
    if best.path.is_empty() {
        return;
    }
    let says = |list: &List<'_>| format!("a list of {}", counted(list.records.len(), "object"));
    let evidence = match others.len() {
        0 => format!("`{}` is {}, and the only list of objects in the answer", best.path, says(best)),
        count => format!(
            "`{}` is {}; {} of objects in the answer {} less likely",
            best.path,
            says(best),
            counted(count, "other list"),
            if count == 1 { "is" } else { "are" }
        ),
    };
    let is_close = others.first().is_some_and(|other| other.rank == best.rank);
    let confidence = match (others.is_empty(), is_close) {
        (true, _) => 0.98,
        (false, false) => 0.9,
        (false, true) => 0.6,
    };
    let alternatives = others.iter().filter(|other| !other.path.is_empty());
    let alternatives = alternatives.map(|other| Alternative::new(other.path.clone(), says(other)));
    draft.propose(Proposal::new("list", best.path.clone(), confidence, evidence).or(alternatives));
}
