//! How the pages of a list follow each other: the URL of a position, and the position after a page.
//!
//! The end of a list is what the API declares as its end (design section 4, rule 9; catalogue B12): a flag, a missing
//! token, a `Link` header without `next`, or a page without records where pages are counted. A short page is no end,
//! because providers cap and filter pages after cutting them. A total count is never believed (B13).
//!
//! Not here: whether the pages fit each other (`poll`, drift), what stands in them (`records`).

use serde::{Deserialize, Serialize};
use url::Url;

use crate::json_path::scalar;
use crate::records::{Page, PageFault};
use crate::resource::{Pagination, PaginationKind, Place};
use crate::run::Response;

/// A place in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Position {
    /// The beginning.
    First,
    /// A page's number.
    Page(u64),
    /// Records to skip.
    Offset(u64),
    /// A token, sent back in the declared parameter.
    Token(String),
    /// Parameters to merge into the query.
    Merge(Vec<(String, String)>),
    /// A URL of the same origin.
    Url(String),
}

/// What follows a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the list is complete.
    End,
    /// More, here.
    At(Position),
}

/// The URL of a position of the list at `url` (rendered, absolute).
pub fn url_of(pagination: &Pagination, page_size: u32, url: &str, position: &Position) -> String {
    let sized = match (&pagination.size_param, position) {
        (Some(param), Position::First | Position::Page(_) | Position::Offset(_) | Position::Token(_))
        | (Some(param), Position::Merge(_)) => with_param(url, param, &page_size.to_string()),
        (None, _) | (Some(_), Position::Url(_)) => url.to_string(),
    };
    match (&pagination.kind, position) {
        (PaginationKind::Page { param, start }, Position::First) => {
            with_param(&sized, param, &start.to_string())
        }
        (PaginationKind::Page { param, .. }, Position::Page(number)) => {
            with_param(&sized, param, &number.to_string())
        }
        (PaginationKind::Offset { param }, Position::First) => with_param(&sized, param, "0"),
        (PaginationKind::Offset { param }, Position::Offset(skip)) => {
            with_param(&sized, param, &skip.to_string())
        }
        (PaginationKind::Cursor { param: Some(param), .. }, Position::Token(token)) => {
            with_param(&sized, param, token)
        }
        (_, Position::Merge(params)) => {
            params.iter().fold(sized, |url, (name, value)| with_param(&url, name, value))
        }
        (_, Position::Url(next)) => next.clone(),
        _ => sized,
    }
}

/// What follows `page`, which was read at `position` from `url`. Pages counted by offset follow each other without
/// overlap here; whoever wants them to overlap steps back.
pub fn next(
    pagination: &Pagination,
    url: &str,
    position: &Position,
    page: &Page<'_>,
    response: &Response,
) -> Result<Next, PageFault> {
    let more = flag(pagination, page, response)?;
    if let Some(more) = more
        && !more
    {
        return Ok(Next::End);
    }
    let declared_more = more.is_some();
    match &pagination.kind {
        PaginationKind::None => Ok(Next::End),
        PaginationKind::Undeclared | PaginationKind::Link => link(url, response),
        PaginationKind::Page { start, .. } => {
            if !declared_more && (page.records.is_empty() || link_says_end(response)) {
                return Ok(Next::End);
            }
            let number = match position {
                Position::Page(number) => *number,
                _ => *start,
            };
            Ok(Next::At(Position::Page(number + 1)))
        }
        PaginationKind::Offset { .. } => {
            if !declared_more && (page.records.is_empty() || link_says_end(response)) {
                return Ok(Next::End);
            }
            let skip = match position {
                Position::Offset(skip) => *skip,
                _ => 0,
            };
            Ok(Next::At(Position::Offset(skip + page.records.len() as u64)))
        }
        PaginationKind::Cursor { token, param } => match value_at(token, page.next, response) {
            None if declared_more => Err(missing_next(token)),
            None => Ok(Next::End),
            Some(raw) => token_position(raw, param.as_deref()),
        },
        PaginationKind::Next { url: place } => match value_at(place, page.next, response) {
            None if declared_more => Err(missing_next(place)),
            None => Ok(Next::End),
            Some(raw) => same_origin(url, &text_of(raw)).map(|next| Next::At(Position::Url(next))),
        },
    }
}

fn missing_next(place: &Place) -> PageFault {
    PageFault::new(
        "nextMissing",
        format!("the answer says that there is more, but {} is empty; correct `pagination`", named(place)),
    )
}

fn named(place: &Place) -> String {
    match place {
        Place::Body(path) => format!("`{path}`"),
        Place::Header(name) => format!("its header `{name}`"),
    }
}

/// The declared flag: `Some(true)` when there is more. A flag that is missing decides nothing.
fn flag(pagination: &Pagination, page: &Page<'_>, response: &Response) -> Result<Option<bool>, PageFault> {
    let Some(place) = &pagination.more else { return Ok(None) };
    let raw = match place {
        Place::Body(_) => page.more,
        Place::Header(name) => response.header(name),
    };
    let Some(raw) = raw else { return Ok(None) };
    Ok(Some(match text_of(raw).to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => true,
        "false" | "0" | "no" | "" | "null" => false,
        other => {
            // A number counts what is left; anything else is not a flag.
            let count: Result<f64, _> = other.parse();
            match count {
                Ok(left) => left > 0.0,
                Err(_) => {
                    return Err(PageFault::new(
                        "moreUnreadable",
                        format!("`pagination.more` points at `{other}`, which is neither true nor false"),
                    ));
                }
            }
        }
    }))
}

/// A value that stands for a next page; `null`, `false`, blanks and zero-length texts stand for none.
fn value_at<'v>(place: &Place, body: Option<&'v str>, response: &'v Response) -> Option<&'v str> {
    let raw = match place {
        Place::Body(_) => body?,
        Place::Header(name) => response.header(name)?,
    };
    match raw.trim() {
        "" | "null" | "false" | "\"\"" | "{}" => None,
        value => Some(value),
    }
}

/// A JSON value's text; a header's value is its own.
fn text_of(raw: &str) -> String {
    let raw = raw.trim();
    scalar(raw).filter(|_| raw.starts_with('"')).map_or_else(|| raw.to_string(), |text| text.into_owned())
}

fn token_position(raw: &str, param: Option<&str>) -> Result<Next, PageFault> {
    if raw.starts_with('{') {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(raw)
            .map_err(|_| PageFault::new("tokenUnreadable", "the next-page token is not well-formed JSON"))?;
        let params = members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let text = match value {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                };
                (name, text)
            })
            .collect();
        return Ok(Next::At(Position::Merge(params)));
    }
    if param.is_none() {
        return Err(PageFault::new(
            "tokenNotAnObject",
            "the next-page token is not an object; set `pagination.param` to the parameter that takes it",
        ));
    }
    Ok(Next::At(Position::Token(text_of(raw))))
}

/// `rel=next` of the `Link` header (RFC 8288).
fn link(url: &str, response: &Response) -> Result<Next, PageFault> {
    match links(response).into_iter().find(|(_, rels)| rels.iter().any(|rel| rel == "next")) {
        None => Ok(Next::End),
        Some((target, _)) => same_origin(url, &target).map(|next| Next::At(Position::Url(next))),
    }
}

/// Whether a `Link` header speaks of pages and names no next one: a declared end, also for counted pages.
fn link_says_end(response: &Response) -> bool {
    let links = links(response);
    let paging = |rel: &String| matches!(rel.as_str(), "first" | "prev" | "previous" | "last" | "next");
    links.iter().any(|(_, rels)| rels.iter().any(paging))
        && !links.iter().any(|(_, rels)| rels.iter().any(|rel| rel == "next"))
}

/// Targets and relation types of all `Link` headers.
fn links(response: &Response) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (_, value) in response.headers.iter().filter(|(name, _)| name == "link") {
        let mut rest = value.as_str();
        while let Some(open) = rest.find('<') {
            let Some(close) = rest[open..].find('>') else { break };
            let target = rest[open + 1..open + close].trim().to_string();
            rest = &rest[open + close + 1..];
            // Parameters run to the next link's `<`; a comma inside a quoted value does not matter for `rel`.
            let params = &rest[..rest.find('<').unwrap_or(rest.len())];
            let rels = params
                .split(';')
                .filter_map(|param| param.trim().trim_end_matches(',').trim().split_once('='))
                .filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
                .flat_map(|(_, value)| value.trim().trim_matches('"').split_ascii_whitespace())
                .map(str::to_ascii_lowercase)
                .collect();
            found.push((target, rels));
        }
    }
    found
}

/// Resolves a next URL and refuses one that leaves the origin (B07): our credentials would go with it.
fn same_origin(url: &str, next: &str) -> Result<String, PageFault> {
    let unreadable =
        || PageFault::new("nextUnreadable", format!("the next page's address `{next}` is not a URL"));
    let base = Url::parse(url).map_err(|_| unreadable())?;
    let target = base.join(next).map_err(|_| unreadable())?;
    if target.origin() != base.origin() {
        return Err(PageFault::new(
            "foreignNext",
            format!(
                "the next page is said to be at {}, outside {}; it was not followed",
                target.origin().ascii_serialization(),
                base.origin().ascii_serialization()
            ),
        ));
    }
    Ok(target.to_string())
}

/// Sets a query parameter: replaces every parameter of this name, leaves all other text as it is.
pub fn with_param(url: &str, name: &str, value: &str) -> String {
    let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let encoded_name = encode(name);
    let mut parts: Vec<String> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .filter(|part| {
            let key = part.split('=').next().unwrap_or_default();
            key != name && key != encoded_name
        })
        .map(str::to_string)
        .collect();
    parts.push(format!("{encoded_name}={}", encode(value)));
    let mut out = format!("{path}?{}", parts.join("&"));
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

/// Percent-encodes everything but unreserved characters (RFC 3986), and `_` and brackets of names such as `page[size]`.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'[' | b']' => {
                out.push(byte as char)
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_path::JsonPath;

    fn answer(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Response { status: 200, headers, body: String::new() }
    }

    fn page(records: usize, next: Option<&'static str>, more: Option<&'static str>) -> Page<'static> {
        Page { records: vec!["{}"; records], next, more }
    }

    fn kind(kind: PaginationKind) -> Pagination {
        Pagination { kind, size_param: None, more: None }
    }

    const URL: &str = "https://api.example.com/v1/contacts?q=a%20b";

    #[track_caller]
    fn check(
        pagination: &Pagination,
        position: Position,
        page: &Page<'_>,
        response: &Response,
        expect: Next,
    ) {
        assert_eq!(next(pagination, URL, &position, page, response), Ok(expect));
    }

    #[test]
    fn counted_pages_end_with_an_empty_page_not_with_a_short_one() {
        let pages = kind(PaginationKind::Page { param: "page".into(), start: 1 });
        check(&pages, Position::First, &page(3, None, None), &answer(&[]), Next::At(Position::Page(2)));
        check(&pages, Position::Page(2), &page(0, None, None), &answer(&[]), Next::End);
        let offsets = kind(PaginationKind::Offset { param: "skip".into() });
        check(
            &offsets,
            Position::Offset(20),
            &page(7, None, None),
            &answer(&[]),
            Next::At(Position::Offset(27)),
        );
    }

    #[test]
    fn a_declared_end_is_believed() {
        let pages = kind(PaginationKind::Page { param: "page".into(), start: 1 });
        let last = answer(&[("link", r#"<https://api.example.com/v1/contacts?page=1>; rel="first""#)]);
        check(&pages, Position::Page(4), &page(20, None, None), &last, Next::End);
        let flagged = Pagination { more: Some(Place::Body(JsonPath::parse("more").unwrap())), ..pages };
        check(
            &flagged,
            Position::First,
            &page(0, None, Some("true")),
            &answer(&[]),
            Next::At(Position::Page(2)),
        );
        check(&flagged, Position::First, &page(20, None, Some("false")), &answer(&[]), Next::End);
    }

    #[test]
    fn tokens_and_addresses_are_followed_inside_the_origin() {
        let token = Place::Body(JsonPath::parse("meta.next").unwrap());
        let cursor = kind(PaginationKind::Cursor { token, param: Some("cursor".into()) });
        check(
            &cursor,
            Position::First,
            &page(0, Some(r#""a+b""#), None),
            &answer(&[]),
            Next::At(Position::Token("a+b".into())),
        );
        check(&cursor, Position::First, &page(9, Some("null"), None), &answer(&[]), Next::End);
        let merged = Next::At(Position::Merge(vec![("after".into(), "7".into()), ("k".into(), "v".into())]));
        check(&cursor, Position::First, &page(9, Some(r#"{"after":7,"k":"v"}"#), None), &answer(&[]), merged);
        let next_url = kind(PaginationKind::Next { url: Place::Header("next-page".into()) });
        let relative = answer(&[("next-page", "/v1/contacts?page=2")]);
        let expect = Next::At(Position::Url("https://api.example.com/v1/contacts?page=2".into()));
        check(&next_url, Position::First, &page(9, None, None), &relative, expect);
    }

    #[test]
    fn links_are_read_as_the_standard_writes_them() {
        let link = answer(&[("link", r#"<?page=1>; title="a, b"; rel="prev first", <?page=3>; rel=next"#)]);
        let expect = Next::At(Position::Url("https://api.example.com/v1/contacts?page=3".into()));
        check(&kind(PaginationKind::Undeclared), Position::First, &page(9, None, None), &link, expect);
    }

    #[test]
    fn another_origin_is_not_followed() {
        let link = answer(&[("link", r#"<https://evil.example/v1/contacts?page=2>; rel="next""#)]);
        let fault = next(&kind(PaginationKind::Link), URL, &Position::First, &page(9, None, None), &link)
            .unwrap_err();
        assert_eq!(fault.code, "foreignNext");
    }

    #[test]
    fn parameters_replace_their_own_name_only() {
        assert_eq!(with_param("https://x/y?page=1&q=a%20b", "page", "2"), "https://x/y?q=a%20b&page=2");
        assert_eq!(with_param("https://x/y", "page[size]", "a&b"), "https://x/y?page[size]=a%26b");
        assert_eq!(with_param("https://x/y?a=1#top", "b", "+"), "https://x/y?a=1&b=%2B#top");
    }
}
