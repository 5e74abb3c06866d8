//! The address of the sample taken apart, and the `url` that is proposed: without what paging puts in, and with a place
//! for the lower bound where a parameter holds one.

use jiff::Timestamp;

use super::shape;
use super::words::{has_any, joined, words};
use super::{Draft, NoSuggestion, Proposal};
use crate::query::percent_decode;

/// Names whose values are secrets more often than not.
const SECRETS: [&str; 12] = [
    "key",
    "apikey",
    "token",
    "accesstoken",
    "secret",
    "password",
    "signature",
    "sig",
    "auth",
    "apitoken",
    "appkey",
    "hapikey",
];

/// Words of a lower bound.
const LOWER: [&str; 12] =
    ["since", "after", "from", "gte", "gt", "ge", "min", "start", "begin", "newer", "lower", "updated"];
/// Words of an upper bound, or of an exact date.
const UPPER: [&str; 11] =
    ["until", "before", "to", "lte", "lt", "le", "max", "end", "older", "upper", "till"];
/// Words of a date that says nothing of updates.
const CREATED: [&str; 4] = ["created", "create", "creation", "added"];

/// An address, taken apart and kept as it was written.
#[derive(Debug)]
pub(super) struct Address {
    /// Everything before the `?`.
    base: String,
    path: String,
    pub(super) parameters: Vec<Parameter>,
}

/// One parameter of the query.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    raw: String,
    /// Its name, decoded.
    pub(super) name: String,
    /// Its value, decoded.
    pub(super) value: String,
}

impl Parameter {
    /// The words of its name run together.
    pub(super) fn joined(&self) -> String {
        joined(&words(&self.name))
    }

    /// Its value when that is a small whole number.
    pub(super) fn number(&self) -> Option<u64> {
        let is_small = !self.value.is_empty() && self.value.len() <= 8;
        is_small.then(|| self.value.parse().ok()).flatten()
    }
}

impl Address {
    /// Takes an address apart. A fragment is dropped: it is never sent.
    pub(super) fn parse(text: &str) -> Result<Address, NoSuggestion> {
        let text = text.trim();
        let text = text.split('#').next().unwrap_or_default();
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            let words =
                "the address does not begin with `https://` or `http://`; give the whole address of the list";
            return Err(NoSuggestion::new(words));
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let after = base.find("://").map_or(0, |at| at + 3);
        let path = base[after..].split_once('/').map_or("", |(_, path)| path).to_owned();
        let parameter = |raw: &str| {
            let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
            Parameter { raw: raw.to_owned(), name: percent_decode(name), value: percent_decode(value) }
        };
        let parameters = query.split('&').filter(|raw| !raw.is_empty()).map(parameter).collect();
        Ok(Address { base: base.to_owned(), path, parameters })
    }

    /// What the last part of its path calls the records.
    pub(super) fn name(&self) -> Option<String> {
        let is_version = |part: &str| {
            let digits = part.trim_start_matches(['v', 'V']);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        let mut parts = self.path.rsplit('/').filter(|part| !part.is_empty() && !is_version(part));
        let last = parts.next()?;
        let last = [".json", ".php", ".aspx"].iter().find_map(|end| last.strip_suffix(end)).unwrap_or(last);
        plain_name(last)
    }
}

/// A name that can be a resource's: letters, digits, `_` and `-`.
pub(super) fn plain_name(text: &str) -> Option<String> {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let name: String = text.chars().filter(plain).take(60).collect();
    name.chars().any(|letter| letter.is_ascii_alphabetic()).then_some(name)
}

/// Proposes `url` without the parameters that paging takes.
pub(super) fn propose(address: Option<&Address>, taken: &[String], now: Timestamp, draft: &mut Draft) {
    let Some(address) = address else { return };
    let mut query: Vec<String> = Vec::new();
    let mut bound = None;
    for parameter in address.parameters.iter().filter(|parameter| !taken.contains(&parameter.name)) {
        if SECRETS.contains(&parameter.joined().as_str()) {
            draft.warn(format!(
                "`{}` in the url looks like a secret; better give it as a header, where it is sealed",
                parameter.name
            ));
        }
        match bounded(parameter, now) {
            Bound::Lower { raw, format } if bound.is_none() => {
                bound = Some((parameter.name.clone(), format));
                query.push(raw);
            }
            Bound::Created => {
                draft.warn(format!(
                    "`{}` filters by the created date, which would hide updates of older records; take it out, or \
                     filter by the updated date",
                    parameter.name
                ));
                query.push(parameter.raw.clone());
            }
            Bound::Upper => {
                draft.warn(format!(
                    "`{}` holds a fixed date, which would hide what comes after it; take it out",
                    parameter.name
                ));
                query.push(parameter.raw.clone());
            }
            Bound::Lower { .. } | Bound::None => query.push(parameter.raw.clone()),
        }
    }
    let url = match query.len() {
        0 => address.base.clone(),
        _ => format!("{}?{}", address.base, query.join("&")),
    };
    let (confidence, mut evidence) = match &bound {
        Some((name, format)) => (
            0.85,
            format!(
                "`{name}` holds a date as `{format}` writes it and is called like a lower bound, so every poll fills it in"
            ),
        ),
        None => {
            (0.7, "it is the address of the sample; no parameter of it looks like a lower bound".to_owned())
        }
    };
    if !taken.is_empty() {
        let names: Vec<String> = taken.iter().map(|name| format!("`{name}`")).collect();
        evidence.push_str(&format!("; {} left out, because paging puts it in", names.join(", ")));
    }
    if bound.is_none() {
        // An API that writes dates as numbers takes them as numbers.
        let format =
            draft.resource.get("datesConfiguration").and_then(|dates| dates["updatedDateFormat"].as_str());
        let place = placeholder(format.unwrap_or("yyyy-MM-dd'T'HH:mm:ss'Z'"));
        draft.warn(format!(
            "every poll reads the whole list, because the url names no lower bound; where the API can filter by the \
             updated date, add it, like `?updated_since={place}`",
        ));
    }
    draft.propose(Proposal::new("url", url, confidence, evidence));
}

/// What a parameter bounds.
#[derive(Debug, PartialEq, Eq)]
enum Bound {
    /// Below, written again with a place for it.
    Lower {
        raw: String,
        format: String,
    },
    /// Below, by the created date.
    Created,
    /// Above, or to one date.
    Upper,
    None,
}

fn bounded(parameter: &Parameter, now: Timestamp) -> Bound {
    if let Some(format) = format_of(&parameter.value, now) {
        let parts = words(&parameter.name);
        let whole = joined(&parts);
        let is_number = !parameter.value.contains(['-', '/', ':']);
        let says = |wanted: &[&str]| {
            has_any(&parts, wanted) || wanted.iter().any(|word| word.len() > 4 && whole.contains(word))
        };
        return match (says(&UPPER), says(&CREATED), says(&LOWER)) {
            (true, _, _) => Bound::Upper,
            (false, true, _) => Bound::Created,
            (false, false, true) => {
                let name = parameter.raw.split('=').next().unwrap_or_default();
                Bound::Lower { raw: format!("{name}={}", placeholder(&format)), format }
            }
            // A number may be anything.
            (false, false, false) if is_number => Bound::None,
            (false, false, false) => Bound::None,
        };
    }
    within(parameter, now)
}

/// A date inside of a clause, as in `where=updated>='2026-01-01T00:00:00Z'`: behind an operator that bounds below.
fn within(parameter: &Parameter, now: Timestamp) -> Bound {
    // What is written again must be the text that was there.
    let raw = parameter.raw.replace("%3A", ":").replace("%3a", ":");
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-:.+".contains(letter);
    let mut from = 0;
    while let Some(start) = raw[from..].find(|letter: char| letter.is_ascii_digit()).map(|at| from + at) {
        // Digits of an escaped sign are none of a date.
        if raw[..start].ends_with('%') {
            from = (start + 2).min(raw.len());
            while !raw.is_char_boundary(from) {
                from += 1;
            }
            continue;
        }
        let end = raw[start..].find(|letter| !is_part(letter)).map_or(raw.len(), |length| start + length);
        let text = &raw[start..end];
        if text.len() >= 8
            && text.contains('-')
            && let Some(format) = format_of(text, now)
        {
            let before = percent_decode(&raw[..start]).to_lowercase();
            let before = before.trim_end_matches(['\'', '"', ' ', '+', '(']).trim_end();
            let by_created = CREATED.iter().any(|word| before.contains(word));
            let is_lower = [">=", ">", " ge", " gt", "+ge", "+gt", "gte:", "gte", "from", "since", "after:"];
            return match (is_lower.iter().any(|operator| before.ends_with(operator)), by_created) {
                (true, true) => Bound::Created,
                (true, false) => {
                    let raw = format!("{}{}{}", &raw[..start], placeholder(&format), &raw[end..]);
                    Bound::Lower { raw, format }
                }
                (false, _) => Bound::Upper,
            };
        }
        from = end.max(start + 1);
    }
    Bound::None
}

/// The format of a parameter's date; texts with offsets are asked for in UTC.
fn format_of(value: &str, now: Timestamp) -> Option<String> {
    let format = shape::formats(value).into_iter().next()?;
    let compiled = crate::date::DateFormat::compile(&format, &crate::date::Zone::utc()).ok()?.format;
    let at = compiled.parse(value).ok()?.at;
    compiled.plausible(at, now).ok().map(|()| format)
}

fn placeholder(format: &str) -> String {
    match format {
        "seconds" => "${epoch:s}".to_owned(),
        "milliseconds" => "${milliseconds}".to_owned(),
        "microseconds" => "${epoch:us}".to_owned(),
        // `Z` at its end is what such a parameter showed.
        format => format!("${{gmtDate:{format}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, taken: &[&str], expect: &str) {
        let taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        let mut draft = Draft::default();
        let address = Address::parse(url).unwrap();
        propose(Some(&address), &taken, "2026-06-01T00:00:00Z".parse().unwrap(), &mut draft);
        assert_eq!(draft.resource["url"], expect, "{url}");
    }

    #[test]
    fn a_lower_bound_becomes_a_place() {
        check(
            "https://a.test/c?since=2026-05-01T00:00:00Z",
            &[],
            "https://a.test/c?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}",
        );
        check(
            "https://a.test/c?updated%5Bgte%5D=2026-05-01&x=1",
            &[],
            "https://a.test/c?updated%5Bgte%5D=${gmtDate:yyyy-MM-dd}&x=1",
        );
        check("https://a.test/c?modifiedAfter=1777593600", &[], "https://a.test/c?modifiedAfter=${epoch:s}");
        check(
            "https://a.test/c?updated_after=2026-05-01T00%3A00%3A00Z#x",
            &[],
            "https://a.test/c?updated_after=${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}",
        );
        check(
            "https://a.test/c?where=updated>='2026-05-01T00:00:00Z'",
            &[],
            "https://a.test/c?where=updated>='${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}'",
        );
        check(
            "https://a.test/c?$filter=modified%20ge%202026-05-01T00:00:00Z",
            &[],
            "https://a.test/c?$filter=modified%20ge%20${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}",
        );
    }

    #[test]
    fn what_bounds_nothing_stays() {
        for url in [
            "https://a.test/c",
            "https://a.test/c?created_after=2026-05-01",
            "https://a.test/c?until=2026-05-01",
            "https://a.test/c?where=updated<'2026-05-01'",
            "https://a.test/c?id=1777593600",
            "https://a.test/c?from=20",
        ] {
            check(url, &[], url);
        }
        check("https://a.test/c?page=2&x=%20", &["page"], "https://a.test/c?x=%20");
    }

    #[test]
    fn addresses_name_their_records() {
        for (url, name) in [
            ("https://a.test/api/v2/customers?x=1", Some("customers")),
            ("https://a.test/orders.json", Some("orders")),
            ("https://a.test/users/12/v3/", Some("users")),
            ("https://a.test", None),
            ("https://a.test/%20/", None),
        ] {
            assert_eq!(Address::parse(url).unwrap().name().as_deref(), name, "{url}");
        }
        for url in ["", "a.test/x", "ftp://a.test", "://", "javascript:alert(1)"] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }
}
