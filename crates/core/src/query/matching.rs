//! Judges a JSON object by a `where` clause, for the lists of our own API.
//!
//! Numbers compare as numbers, instants as instants, everything else as text; a truth value equals its word, in quotes
//! or without (`private='true'`). A field is a member of that name, or a dotted place. A list matches when one of its
//! items does. What is missing or `null` equals nothing and differs from everything.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use super::{Comparator, Comparison, Expression};
use crate::json_text::{self, Kind};

impl Expression {
    /// Whether the object satisfies the clause. Text that is no object satisfies only negations.
    pub fn matches(&self, object: &str) -> bool {
        match self {
            Expression::Is(comparison) => holds(comparison, object),
            Expression::All(parts) => parts.iter().all(|part| part.matches(object)),
            Expression::Any(parts) => parts.iter().any(|part| part.matches(object)),
        }
    }
}

fn holds(comparison: &Comparison, object: &str) -> bool {
    let found = values_at(object, &comparison.field);
    let any = |test: &dyn Fn(&str, &str) -> bool| {
        found.iter().any(|value| comparison.values.iter().any(|wanted| test(value, &wanted.text)))
    };
    let ordered = |wanted: &[Ordering]| any(&|left, right| wanted.contains(&compare(left, right)));
    match comparison.comparator {
        Comparator::Equal | Comparator::In => ordered(&[Ordering::Equal]),
        Comparator::NotEqual | Comparator::NotIn => !ordered(&[Ordering::Equal]),
        Comparator::Less => ordered(&[Ordering::Less]),
        Comparator::Greater => ordered(&[Ordering::Greater]),
        Comparator::AtMost => ordered(&[Ordering::Less, Ordering::Equal]),
        Comparator::AtLeast => ordered(&[Ordering::Greater, Ordering::Equal]),
        Comparator::Like => any(&like),
        Comparator::NotLike => !any(&like),
        Comparator::IsNull => found.is_empty(),
        Comparator::IsNotNull => !found.is_empty(),
    }
}

/// The scalars that stand at a field; those of a list one by one.
fn values_at<'t>(object: &'t str, field: &str) -> Vec<Cow<'t, str>> {
    let whole = json_text::member(object, field);
    let value = whole.or_else(|| {
        let mut value = object;
        for name in field.split('.') {
            value = json_text::member(value, name)?;
        }
        Some(value)
    });
    let Some(value) = value else { return Vec::new() };
    match json_text::kind(value) {
        Some(Kind::List) => {
            json_text::items(value).unwrap_or_default().into_iter().filter_map(json_text::scalar).collect()
        }
        Some(Kind::Object) => vec![Cow::Borrowed(value)],
        _ => json_text::scalar(value).into_iter().collect(),
    }
}

fn compare(left: &str, right: &str) -> Ordering {
    if is_number(left) && is_number(right) {
        if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
            return left.cmp(&right);
        }
        if let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) {
            return left.total_cmp(&right);
        }
    }
    // Only whole instants: a bare year would read as one too.
    if left.len() >= 17
        && right.len() >= 17
        && let (Ok(left), Ok(right)) = (left.parse::<Timestamp>(), right.parse::<Timestamp>())
    {
        return left.cmp(&right);
    }
    left.cmp(right)
}

/// Whether a text is a JSON number.
pub(super) fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// `%` stands for any text; everything else for itself.
fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
