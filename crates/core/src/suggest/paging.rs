//! How the pages follow each other, as far as one answer shows it.
//!
//! A total count is never believed (catalogue B13), so it is only told: a list that fits one page today may not do so
//! tomorrow. `none` is therefore never proposed.

use serde_json::{Value, json};

use super::fields::path_text;
use super::list::List;
use super::url::{Address, Parameter};
use super::words::{counted, has_any, joined, words};
use super::{Alternative, Draft, Proposal, Sample};
use crate::json_text::{self, Kind};
use crate::limits::RECORDS_PER_PAGE_MAX;

/// Levels of an envelope that are looked through.
const DEPTH_MAX: usize = 4;
/// Members of an envelope that are looked at.
const MEMBERS_MAX: usize = 2_000;
/// Bytes of a token that is looked at.
const TOKEN_BYTES_MAX: usize = 4_096;

const PAGE: [&str; 9] =
    ["page", "pagenumber", "pageno", "pagenum", "p", "pg", "currentpage", "pageindex", "currentpagenumber"];
const OFFSET: [&str; 9] = [
    "offset",
    "skip",
    "startat",
    "start",
    "startindex",
    "from",
    "pageoffset",
    "firstresult",
    "startposition",
];
const SIZE: [&str; 17] = [
    "perpage",
    "pagesize",
    "limit",
    "size",
    "count",
    "top",
    "maxresults",
    "rows",
    "pagelimit",
    "resultsperpage",
    "max",
    "itemsperpage",
    "num",
    "take",
    "pageperpage",
    "numresults",
    "recordsperpage",
];
const CURSOR: [&str; 15] = [
    "cursor",
    "pagetoken",
    "after",
    "startingafter",
    "continuationtoken",
    "nexttoken",
    "marker",
    "scrollid",
    "pagecursor",
    "pageafter",
    "nextpagetoken",
    "continuation",
    "bookmark",
    "nextcursor",
    "startkey",
];
const TOTAL: [&str; 12] = [
    "total",
    "totalcount",
    "totalresults",
    "totalitems",
    "totalrecords",
    "totalsize",
    "recordcount",
    "totalelements",
    "found",
    "itemcount",
    "count",
    "odatacount",
];
const MORE: [&str; 8] = [
    "hasmore",
    "more",
    "hasnext",
    "hasnextpage",
    "moreresults",
    "hasmoreitems",
    "hasmorepages",
    "moreavailable",
];

/// One way to the next page.
#[derive(Debug)]
struct Way {
    value: Value,
    evidence: String,
    confidence: f64,
    /// Parameters of the address that it puts in itself.
    taken: Vec<String>,
    /// What is only guessed.
    guess: Option<String>,
}

impl Way {
    fn new(value: Value, confidence: f64, evidence: String) -> Way {
        Way { value, evidence, confidence, taken: Vec::new(), guess: None }
    }

    fn kind(&self) -> &str {
        self.value["type"].as_str().unwrap_or_default()
    }
}

/// A scalar member of the envelope.
#[derive(Debug)]
struct Member {
    path: String,
    /// Names along it, the last one its own.
    names: Vec<String>,
    kind: Kind,
    text: String,
}

impl Member {
    fn words(&self) -> Vec<String> {
        words(self.names.last().map_or("", String::as_str))
    }

    fn number(&self) -> Option<u64> {
        (self.kind == Kind::Number || self.kind == Kind::Text).then(|| self.text.parse().ok()).flatten()
    }
}

/// Proposes `pagination` and `pageSize`; the parameters of the address that they take.
pub(super) fn propose(
    sample: &Sample<'_>,
    body: &str,
    list: &List<'_>,
    address: Option<&Address>,
    draft: &mut Draft,
) -> Vec<String> {
    let envelope = envelope(body, &list.path);
    let parameters: &[Parameter] = address.map_or(&[], |address| address.parameters.as_slice());
    let mut ways = of_headers(sample.headers, parameters);
    ways.extend(envelope.iter().filter_map(|member| of_member(member, parameters)));
    ways.extend(of_parameters(parameters));
    ways.extend(of_envelope(&envelope));
    ways.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
    let mut ways = ways.into_iter();
    let Some(mut best) = ways.next() else {
        nothing(sample, list, &envelope, parameters, draft);
        return stray_tokens(parameters, draft);
    };
    add_size(&mut best, parameters, draft);
    add_more(&mut best, &envelope);
    if let Some(guess) = &best.guess {
        draft.warn(guess.clone());
    }
    for name in stray_tokens(parameters, draft) {
        if !best.taken.contains(&name) {
            best.taken.push(name);
        }
    }
    let mut seen = vec![best.kind().to_owned()];
    let others = ways.filter(|way| {
        let is_new = !seen.contains(&way.kind().to_owned());
        seen.push(way.kind().to_owned());
        is_new
    });
    let alternatives: Vec<Alternative> =
        others.map(|way| Alternative::new(way.value, way.evidence)).collect();
    let proposal = Proposal::new("pagination", best.value, best.confidence, best.evidence);
    draft.propose(proposal.or(alternatives));
    best.taken
}

/// The scalars around the list.
fn envelope(body: &str, list: &str) -> Vec<Member> {
    let mut found = Vec::new();
    if json_text::kind(body) == Some(Kind::Object) {
        walk(body, list, &mut Vec::new(), &mut found);
    }
    found
}

fn walk(object: &str, list: &str, names: &mut Vec<String>, found: &mut Vec<Member>) {
    for member in json_text::members(object).unwrap_or_default() {
        if found.len() >= MEMBERS_MAX {
            return;
        }
        let Some(kind) = json_text::kind(member.value) else { continue };
        names.push(member.name.into_owned());
        match (kind, path_text(names)) {
            (Kind::Object, Some(path)) if names.len() < DEPTH_MAX && path != list => {
                walk(member.value, list, names, found);
            }
            (Kind::Text | Kind::Number | Kind::Bool | Kind::Null, Some(path)) => {
                let text = json_text::scalar(member.value).unwrap_or_default();
                if text.len() <= TOKEN_BYTES_MAX {
                    found.push(Member { path, names: names.clone(), kind, text: text.into_owned() });
                }
            }
            _ => {}
        }
        names.pop();
    }
}

fn is_address(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("https://")
        || text.starts_with("http://")
        || text.starts_with('/')
        || text.starts_with('?')
}

fn of_headers(headers: &[(String, String)], parameters: &[Parameter]) -> Vec<Way> {
    let mut found = Vec::new();
    for (name, value) in headers {
        let parts = words(name);
        if name == "link" {
            let flat = value.to_ascii_lowercase().replace(['"', '\'', ' '], "");
            if flat.contains("rel=next") {
                let evidence = "the answer has the header `Link` with `rel=\"next\"`".to_owned();
                found.push(Way::new(json!({"type": "link"}), 0.97, evidence));
            }
        } else if has_any(&parts, &["next"]) && has_any(&parts, &["page", "token", "cursor", "link", "url"]) {
            let place = format!("header:{name}");
            let evidence = format!("the header `{name}` of the answer leads to the next page");
            found.push(match is_address(value) {
                true => Way::new(json!({"type": "next", "next": place}), 0.9, evidence),
                false => {
                    let number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                    let own =
                        if number || joined(&parts).ends_with("nextpage") { "page" } else { name.as_str() };
                    token(json!({"type": "cursor", "token": place}), own, 0.85, evidence, parameters)
                }
            });
        }
    }
    found
}

/// A token, with the parameter that takes it: one of the address, else one called like the token itself.
fn token(mut value: Value, name: &str, confidence: f64, evidence: String, parameters: &[Parameter]) -> Way {
    let own = parameter_name(name);
    let of_address = parameters.iter().find(|parameter| {
        let joined = parameter.joined();
        CURSOR.contains(&joined.as_str()) || joined == joined_of(&own)
    });
    match of_address {
        Some(parameter) => {
            value["param"] = json!(parameter.name);
            let evidence = format!("{evidence}, and the url has the parameter `{}` for it", parameter.name);
            Way { taken: vec![parameter.name.clone()], ..Way::new(value, confidence, evidence) }
        }
        None => {
            value["param"] = json!(own);
            let guess = format!(
                "nothing shows which parameter takes the token of the next page; `{own}` is a guess from its name"
            );
            Way { guess: Some(guess), ..Way::new(value, confidence * 0.75, evidence) }
        }
    }
}

fn joined_of(name: &str) -> String {
    joined(&words(name))
}

/// What APIs call the parameter of a token with this name: `next_cursor` is sent as `cursor`, `nextPageToken` as
/// `pageToken`, `endCursor` as `after`.
fn parameter_name(token: &str) -> String {
    let whole = joined_of(token);
    if whole == "endcursor" {
        return "after".to_owned();
    }
    if whole == "next" {
        return "cursor".to_owned();
    }
    // `nextToken` is sent back under its own name.
    let rest =
        ["next_", "next-", "Next_", "Next-", "next", "Next"].iter().find_map(|head| token.strip_prefix(head));
    match rest {
        Some(rest) if !rest.is_empty() && joined_of(rest) != "token" => {
            let is_hump = token.starts_with("next") && rest.starts_with(char::is_uppercase);
            let mut letters = rest.chars();
            match (is_hump, letters.next()) {
                (true, Some(first)) => first.to_lowercase().chain(letters).collect(),
                _ => rest.to_owned(),
            }
        }
        _ => token.to_owned(),
    }
}

/// A member that leads to the next page.
fn of_member(member: &Member, parameters: &[Parameter]) -> Option<Way> {
    let own = member.words();
    let whole = joined(&own);
    // `_links.next.href`, `paging.next.after`
    let above = member.names.len().checked_sub(2).map(|at| words(&member.names[at])).unwrap_or_default();
    let is_next = has_any(&own, &["next"]) || has_any(&above, &["next"]) || whole.starts_with("next");
    let is_token = CURSOR.contains(&whole.as_str()) && whole != "after" || whole == "endcursor";
    let is_other = has_any(
        &own,
        &["previous", "prev", "sync", "delta", "run", "update", "updated", "at", "date", "time"],
    );
    if is_other || !(is_next || is_token) {
        return None;
    }
    let path = &member.path;
    match member.kind {
        Kind::Text if is_address(&member.text) => {
            let evidence = format!("`{path}` of the answer holds the address of the next page");
            Some(Way::new(json!({"type": "next", "next": path}), 0.95, evidence))
        }
        Kind::Text | Kind::Number => {
            let name = member.names.last().map_or("", String::as_str);
            if let (Some(number), true) = (member.number(), is_next) {
                return Some(of_number(member, number, &whole, parameters));
            }
            let speaks = is_token
                || has_any(&own, &["token", "cursor", "key", "marker", "page", "after", "id"])
                || whole == "next";
            let evidence = format!("`{path}` of the answer holds a token of the next page");
            let value = json!({"type": "cursor", "token": path});
            (speaks && !member.text.trim().is_empty()).then(|| token(value, name, 0.85, evidence, parameters))
        }
        // The last page has no next one.
        Kind::Null => {
            let evidence = format!("`{path}` of the answer is null, as on a last page");
            let name = member.names.last().map_or("", String::as_str);
            let is_url = has_any(&own, &["url", "link", "href", "uri"]) || whole == "next";
            match is_url {
                true => Some(Way::new(json!({"type": "next", "next": path}), 0.5, evidence)),
                false => {
                    let value = json!({"type": "cursor", "token": path});
                    Some(token(value, name, 0.5, evidence, parameters))
                }
            }
        }
        Kind::Bool | Kind::List | Kind::Object => None,
    }
}

/// `next_page: 2` or `next_offset: 50`: a number that is sent back.
fn of_number(member: &Member, number: u64, whole: &str, parameters: &[Parameter]) -> Way {
    let path = &member.path;
    let evidence = format!("`{path}` of the answer is {number}");
    let kind = if whole.contains("page") { "page" } else { "offset" };
    let known: &[&str] = if kind == "page" { &PAGE } else { &OFFSET };
    let of_address = parameters.iter().find(|parameter| known.contains(&parameter.joined().as_str()));
    let name = of_address.map_or_else(
        || {
            if kind == "page" {
                "page".to_owned()
            } else {
                parameter_name(member.names.last().map_or("", String::as_str))
            }
        },
        |parameter| parameter.name.clone(),
    );
    // Sent back as it is, it needs no counting; and its end is its absence.
    let value = json!({"type": "cursor", "token": path, "param": name});
    match of_address {
        Some(parameter) => {
            let evidence = format!("{evidence}, and the url has the parameter `{}` for it", parameter.name);
            Way { taken: vec![parameter.name.clone()], ..Way::new(value, 0.9, evidence) }
        }
        None => {
            let guess =
                format!("nothing shows which parameter takes `{path}`; `{name}` is a guess from its name");
            Way { guess: Some(guess), ..Way::new(value, 0.65, evidence) }
        }
    }
}

/// Parameters of the address that count.
fn of_parameters(parameters: &[Parameter]) -> Vec<Way> {
    let mut found = Vec::new();
    for parameter in parameters {
        let Some(number) = parameter.number() else { continue };
        let (name, joined) = (&parameter.name, parameter.joined());
        let taken = vec![name.clone()];
        if PAGE.contains(&joined.as_str()) {
            let start = u64::from(number != 0);
            let value = match start {
                0 => json!({"type": "page", "page": name, "start": 0}),
                _ => json!({"type": "page", "page": name}),
            };
            let evidence = format!("the url has `{name}={number}`, which is called like a page's number");
            let confidence = if number <= 1 { 0.88 } else { 0.75 };
            found.push(Way { taken, ..Way::new(value, confidence, evidence) });
        } else if OFFSET.contains(&joined.as_str()) {
            let evidence =
                format!("the url has `{name}={number}`, which is called like a number of records to skip");
            found.push(Way { taken, ..Way::new(json!({"type": "offset", "offset": name}), 0.86, evidence) });
        }
    }
    found
}

/// Members that tell where a page stands, where nothing leads to the next one.
fn of_envelope(envelope: &[Member]) -> Vec<Way> {
    let numbered = |known: &[&str]| {
        let is_one = |member: &&Member| {
            member.number().is_some()
                && known.contains(&joined(&member.words()).as_str())
                && member.kind == Kind::Number
        };
        envelope.iter().find(is_one)
    };
    let has_size =
        numbered(&SIZE).is_some() || numbered(&["totalpages", "pages", "pagecount", "lastpage"]).is_some();
    let mut found = Vec::new();
    if let (Some(page), true) = (numbered(&PAGE), has_size) {
        let number = page.number().unwrap_or(1);
        let own = page.names.last().map_or("page", String::as_str);
        let name = if joined_of(own).starts_with("current") { "page" } else { own };
        let value = match number {
            0 => json!({"type": "page", "page": name, "start": 0}),
            _ => json!({"type": "page", "page": name}),
        };
        found.push(guessed(value, name, 0.6, format!("`{}` of the answer is {number}", page.path)));
    }
    if let (Some(offset), true) = (numbered(&OFFSET), has_size) {
        let name = offset.names.last().map_or("offset", String::as_str);
        let number = offset.number().unwrap_or(0);
        let evidence = format!("`{}` of the answer is {number}", offset.path);
        found.push(guessed(json!({"type": "offset", "offset": name}), name, 0.6, evidence));
    }
    found
}

fn guessed(value: Value, name: &str, confidence: f64, evidence: String) -> Way {
    let guess =
        format!("nothing shows which parameter asks for another page; `{name}` is a guess from the answer");
    Way { guess: Some(guess), ..Way::new(value, confidence, evidence) }
}

/// The parameter that takes the size of a page, with the size that was asked for.
fn add_size(best: &mut Way, parameters: &[Parameter], draft: &mut Draft) {
    let is_size = |parameter: &&Parameter| {
        SIZE.contains(&parameter.joined().as_str()) && !best.taken.contains(&parameter.name)
    };
    let Some(parameter) = parameters.iter().find(is_size) else { return };
    let fits = |number: &u64| (1..=RECORDS_PER_PAGE_MAX as u64).contains(number);
    let Some(number) = parameter.number().filter(fits) else { return };
    best.value["size"] = json!(parameter.name);
    best.taken.push(parameter.name.clone());
    let evidence = format!("the url has `{}={number}`", parameter.name);
    draft.propose(Proposal::new("pageSize", number, 0.85, evidence));
}

/// The flag that decides the end, where pages are counted.
fn add_more(best: &mut Way, envelope: &[Member]) {
    let counts = matches!(best.kind(), "page" | "offset" | "cursor");
    let is_flag =
        |member: &&Member| member.kind == Kind::Bool && MORE.contains(&joined(&member.words()).as_str());
    if let (true, Some(flag)) = (counts, envelope.iter().find(is_flag)) {
        best.value["more"] = json!(flag.path);
        best.evidence.push_str(&format!("; `{}` says whether there are more", flag.path));
    }
}

/// Tokens in the address that would always lead to the same page.
fn stray_tokens(parameters: &[Parameter], draft: &mut Draft) -> Vec<String> {
    let mut taken = Vec::new();
    for parameter in parameters {
        let is_token = CURSOR.contains(&parameter.joined().as_str())
            && super::shape::formats(&parameter.value).is_empty();
        if is_token && !parameter.value.is_empty() {
            draft.warn(format!(
                "the token `{}` of the url is left out: it leads to one page only",
                parameter.name
            ));
            taken.push(parameter.name.clone());
        }
    }
    taken
}

/// Says what is known where nothing leads on.
fn nothing(
    sample: &Sample<'_>,
    list: &List<'_>,
    envelope: &[Member],
    parameters: &[Parameter],
    draft: &mut Draft,
) {
    let here = list.records.len() as u64;
    let in_body = envelope.iter().find_map(|member| {
        let is_total = TOTAL.contains(&joined(&member.words()).as_str()) && member.kind == Kind::Number;
        member
            .number()
            .filter(|number| is_total && *number > here)
            .map(|number| (member.path.clone(), number))
    });
    let in_headers = sample.headers.iter().find_map(|(name, value)| {
        let is_total = has_any(&words(name), &["total", "count"]);
        let number = value.parse().ok().filter(|number| is_total && *number > here)?;
        Some((name.clone(), number))
    });
    let is_more =
        |member: &&Member| MORE.contains(&joined(&member.words()).as_str()) && member.text == "true";
    let full = parameters
        .iter()
        .find(|parameter| SIZE.contains(&parameter.joined().as_str()) && parameter.number() == Some(here));
    let records = counted(list.records.len(), "record");
    let known = match (in_body.or(in_headers), envelope.iter().find(is_more), full) {
        (Some((place, total)), ..) => format!("`{place}` is {total} and the sample has {records}"),
        (None, Some(flag), _) => format!("`{}` says that there are more", flag.path),
        (None, None, Some(parameter)) => format!("the page is as full as `{}` allows", parameter.name),
        (None, None, None) => {
            draft.warn(
                "nothing shows how pages follow each other; if the list can be longer than one answer, declare \
                 `pagination`",
            );
            return;
        }
    };
    draft.warn(format!(
        "{known}, so there are more pages, but nothing leads to them; declare `pagination`, or records are missed"
    ));
}
