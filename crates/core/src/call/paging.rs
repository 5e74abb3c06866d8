//! Our pages over the provider's: whatever it counts by, pages 1 and 2 of size n are page 1 of size 2n.
//!
//! The caller counts pages from 1 or hands back our token; the provider counts pages, skips records, hands out tokens
//! or links, or answers everything at once. A [`Position`] is a place in the provider's counting and a number of
//! records to skip there, so a page of ours may begin and end inside a page of the provider, or hold several of them.
//!
//! An empty page ends a list that is counted, and a short one only when `pagination.max` promises the size: a provider
//! that caps its pages silently would lose records otherwise (decision 0017).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::connector::{
    Connector, Parameter, ParameterPlace, Resource, ResourcePagination, Settings, Source,
};
use crate::json_text;
use crate::json_tree::Tree;
use crate::limits::{CALL_PAGE_SIZE_MAX, PAGE_TOKEN_BYTES_MAX};

use super::field::field_place;
use super::{CallFault, CallRequest, address};

/// Records of a page when nobody says (platform-api §5).
const PAGE_SIZE_DEFAULT: u32 = 200;

/// What our tokens begin with.
const TOKEN_MARK: &str = "t1-";

/// How a provider pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// By numbers of pages.
    Page,
    /// By records to skip.
    Offset,
    /// By tokens or addresses in the answer.
    Cursor,
    /// Not at all, or by `Link` headers: nothing is sent to it.
    Whole,
}

/// A place in the provider's counting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum At {
    /// The beginning.
    #[serde(rename = "f")]
    First,
    /// A page.
    #[serde(rename = "p")]
    Page(u64),
    /// Records to skip.
    #[serde(rename = "o")]
    Offset(u64),
    /// A token of the provider.
    #[serde(rename = "t")]
    Token(String),
    /// An address of the provider.
    #[serde(rename = "u")]
    Url(String),
}

/// Where a page of ours begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    #[serde(rename = "a")]
    pub(super) at: At,
    /// Records to drop there first.
    #[serde(rename = "k", default)]
    pub(super) skip: u64,
    /// The size that the provider's pages were counted with.
    #[serde(rename = "s", default)]
    pub(super) size: Option<u32>,
}

/// The values of the paging parameters for one provider page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PageValues {
    pub(super) page: Option<String>,
    pub(super) size: Option<String>,
    pub(super) next: Option<String>,
}

/// How one call pages.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    style: Style,
    /// Records that the caller wants.
    pub(super) want: u32,
    /// Whether the caller asked for a page, so that an answer without paging is cut.
    pub(super) asked: bool,
    /// Whether the caller counts pages or records, so that a page of ours must be full.
    pub(super) fills: bool,
    /// First number of the provider's counting.
    start: u64,
    /// Whether a full page of a size that the provider promised is what we ask for.
    promised: bool,
    has_next_parameter: bool,
    next_key: Option<String>,
}

impl Plan {
    /// Decides how a call pages, and where it begins.
    pub(super) fn make(
        connector: &Connector,
        resource: &Resource,
        settings: &Settings,
        request: &CallRequest,
    ) -> Result<(Plan, Position), CallFault> {
        let number = |name: &str| count(request.parameter(name), name);
        let (page, size) = (number("page")?, number("pageSize")?);
        let parameter = |name: &str| declared(connector, resource, name);
        let max =
            settings.filled("pagination.max").and_then(|max| max.parse::<u32>().ok()).filter(|max| *max > 0);
        let style = style(resource, settings, parameter("page"), parameter("nextPage"));
        let default = max.unwrap_or(PAGE_SIZE_DEFAULT);
        let want =
            size.map_or(default, |size| u32::try_from(size).unwrap_or(u32::MAX)).min(CALL_PAGE_SIZE_MAX);
        let sized = parameter("pageSize").is_some() && style != Style::Whole;
        let vendor_size = sized.then(|| want.min(max.unwrap_or(want)));
        let start = settings.filled("pagination.page.startindex").and_then(|start| start.parse().ok());
        let start = start.unwrap_or(u64::from(style == Style::Page));
        if is_hooked(connector, resource) {
            return Ok((Plan::whole(want), Position { at: At::First, skip: 0, size: None }));
        }
        let plan = Plan {
            style,
            want,
            asked: page.is_some() || size.is_some() || request.parameter("nextPage").is_some(),
            fills: page.is_some() || size.is_some(),
            start,
            promised: sized && max.is_some(),
            has_next_parameter: parameter("nextPage").is_some(),
            next_key: resource.next_page_key.clone(),
        };
        let position = match request.parameter("nextPage").filter(|token| !token.is_empty()) {
            Some(token) => plan.read_token(token, vendor_size)?,
            None => plan.begin(page.unwrap_or(1), vendor_size),
        };
        Ok((plan, position))
    }

    fn whole(want: u32) -> Plan {
        Plan {
            style: Style::Whole,
            want,
            asked: false,
            fills: false,
            start: 0,
            promised: false,
            has_next_parameter: false,
            next_key: None,
        }
    }

    /// Where the caller's page `page` begins.
    fn begin(&self, page: u64, size: Option<u32>) -> Position {
        let first = page.saturating_sub(1).saturating_mul(u64::from(self.want));
        match (self.style, size.map(u64::from)) {
            (Style::Page, Some(length)) => {
                Position { at: At::Page(self.start + first / length), skip: first % length, size }
            }
            (Style::Page, None) => Position { at: At::Page(self.start), skip: first, size },
            (Style::Offset, _) => Position { at: At::Offset(self.start + first), skip: 0, size },
            (Style::Cursor | Style::Whole, _) => Position { at: At::First, skip: first, size },
        }
    }

    /// Reads a token: ours, or a bare one of the provider that a hook handed out.
    fn read_token(&self, token: &str, size: Option<u32>) -> Result<Position, CallFault> {
        if token.len() > PAGE_TOKEN_BYTES_MAX {
            let sentence =
                format!("`nextPage` is longer than {PAGE_TOKEN_BYTES_MAX} bytes; begin with the first page");
            return Err(CallFault::new(400, sentence));
        }
        if let Some(ours) = token.strip_prefix(TOKEN_MARK) {
            let bytes = URL_SAFE_NO_PAD.decode(ours).ok();
            let position = bytes.and_then(|bytes| serde_json::from_slice::<Position>(&bytes).ok());
            return position.ok_or_else(|| {
                CallFault::new(400, "`nextPage` is not a token of this resource; begin with the first page")
            });
        }
        let number = token.parse::<u64>().ok();
        let at = match (self.style, number) {
            (Style::Page, Some(number)) => At::Page(number),
            (Style::Offset, Some(number)) => At::Offset(number),
            _ => At::Token(token.to_string()),
        };
        Ok(Position { at, skip: 0, size })
    }

    /// The values of the paging parameters at a position.
    pub(super) fn values(&self, position: &Position) -> PageValues {
        let size = position.size.map(|size| size.to_string());
        match &position.at {
            At::Page(number) | At::Offset(number) => {
                PageValues { page: Some(number.to_string()), size, next: None }
            }
            At::Token(token) if self.has_next_parameter => {
                PageValues { page: None, size, next: Some(token.clone()) }
            }
            At::Token(token) => PageValues { page: Some(token.clone()), size, next: None },
            At::First | At::Url(_) => PageValues { page: None, size, next: None },
        }
    }

    /// Whether an answer may hold more than the caller's page without having been asked for less.
    pub(super) fn cuts(&self) -> bool {
        self.style != Style::Whole
    }

    /// What follows a page of `count` records at `position`, by the answer's own words. `None` is the end.
    pub(super) fn after(
        &self,
        position: &Position,
        count: usize,
        url: &str,
        body: &str,
        headers: &[(String, String)],
    ) -> Result<Option<At>, CallFault> {
        let link = link_next(headers);
        if let Some(named) = self.next_key.as_deref().and_then(|key| next_value(key, body, headers)) {
            return follow(&position.at, named, url);
        }
        let ends = link == LinkNext::None
            || count == 0
            || (self.promised && position.size.is_some_and(|size| count < size as usize));
        match &position.at {
            At::Page(_) | At::Offset(_) if ends => Ok(None),
            At::Page(number) => Ok(Some(At::Page(number + 1))),
            At::Offset(skip) => Ok(Some(At::Offset(skip + count as u64))),
            At::First | At::Token(_) | At::Url(_) => match link {
                LinkNext::Url(next) => follow(&position.at, next, url),
                LinkNext::None | LinkNext::Silent => Ok(None),
            },
        }
    }
}

/// A token for the caller.
pub(super) fn write_token(position: &Position) -> String {
    let json = serde_json::to_vec(position).unwrap_or_default();
    format!("{TOKEN_MARK}{}", URL_SAFE_NO_PAD.encode(json))
}

fn style(
    resource: &Resource,
    settings: &Settings,
    page: Option<&Parameter>,
    next: Option<&Parameter>,
) -> Style {
    if resource.pagination == ResourcePagination::NotSupported {
        return Style::Whole;
    }
    let named = settings.filled("pagination.type").unwrap_or_default().to_ascii_lowercase();
    match named.as_str() {
        "none" | "link" => Style::Whole,
        "cursor" | "token" | "nextpage" | "next" => Style::Cursor,
        // Counting needs a parameter to count with.
        "offset" if page.is_some() => Style::Offset,
        "page" | "pagenumber" if page.is_some() => Style::Page,
        _ if resource.next_page_key.is_some() || next.is_some() => Style::Cursor,
        _ => match page.map(|page| page.vendor_name.to_ascii_lowercase()) {
            Some(name) if ["offset", "skip", "start"].iter().any(|word| name.contains(word)) => Style::Offset,
            Some(_) => Style::Page,
            None => Style::Whole,
        },
    }
}

/// Whether the provider hands out tokens or addresses of its own for the pages of a resource.
pub(super) fn is_tokened(connector: &Connector, resource: &Resource, settings: &Settings) -> bool {
    let parameter = |name: &str| declared(connector, resource, name);
    style(resource, settings, parameter("page"), parameter("nextPage")) == Style::Cursor
}

fn declared<'c>(connector: &'c Connector, resource: &'c Resource, name: &str) -> Option<&'c Parameter> {
    let is_it = |parameter: &&Parameter| {
        parameter.source == Source::Request
            && parameter.place == ParameterPlace::Query
            && parameter.name == name
    };
    let sent = |parameter: &&Parameter| parameter.vendor_place != ParameterPlace::NoOp;
    connector.parameters.iter().chain(&resource.parameters).filter(is_it).rfind(sent)
}

/// Whether hooks page by themselves: a paging parameter that goes nowhere is theirs to read.
fn is_hooked(connector: &Connector, resource: &Resource) -> bool {
    connector.parameters.iter().chain(&resource.parameters).any(|parameter| {
        parameter.place == ParameterPlace::Query
            && parameter.vendor_place == ParameterPlace::NoOp
            && ["page", "pageSize", "nextPage"].contains(&parameter.name.as_str())
    })
}

fn count(text: Option<&str>, name: &str) -> Result<Option<u64>, CallFault> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    match text.parse::<u64>() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(CallFault::new(400, format!("`{name}` is not a whole number from 1; correct it"))),
    }
}

/// Where the next page is, from a value that names it.
fn follow(now: &At, named: String, url: &str) -> Result<Option<At>, CallFault> {
    let is_address = named.starts_with("http://") || named.starts_with("https://") || named.starts_with('/');
    let next = if is_address {
        match address::on_origin_of(url, &named) {
            Some(next) => At::Url(next),
            None => {
                let sentence = "the provider names a next page at another origin, which is not followed; correct \
                                `nextPageKey`";
                return Err(CallFault::new(502, sentence));
            }
        }
    } else {
        match now {
            At::Page(_) => named.parse().map_or(At::Token(named), At::Page),
            At::Offset(_) => named.parse().map_or(At::Token(named), At::Offset),
            At::First | At::Token(_) | At::Url(_) => At::Token(named),
        }
    };
    if next == *now {
        let sentence = "the provider names the page that it just sent as its next one; correct `nextPageKey`";
        return Err(CallFault::new(502, sentence));
    }
    Ok(Some(next))
}

/// The value at `nextPageKey`: a place in the body, `header:Name`, or a header of that name.
fn next_value(key: &str, body: &str, headers: &[(String, String)]) -> Option<String> {
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    };
    if let Some(name) = key.strip_prefix("header:") {
        return header(name.trim()).filter(|value| !value.is_empty());
    }
    let whole = json_text::member(body, key).map(str::to_string);
    let found = whole.or_else(|| {
        let path = key.strip_prefix("$.").unwrap_or(key);
        field_place(path).ok().and_then(|place| place.read(&mut Tree::raw(body)))
    });
    let text = found.as_deref().and_then(json_text::scalar).map(|text| text.into_owned());
    let text = text.or_else(|| header(key));
    text.filter(|text| !text.is_empty() && text != "false")
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LinkNext {
    /// No `Link` header says anything about pages.
    Silent,
    /// One does, and there is no next page.
    None,
    /// The next page.
    Url(String),
}

fn link_next(headers: &[(String, String)]) -> LinkNext {
    let mut found = LinkNext::Silent;
    for (_, value) in headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link")) {
        for link in value.split(",<").flat_map(|part| part.split(", <")) {
            let link = link.trim().trim_start_matches('<');
            let Some((url, attributes)) = link.split_once('>') else { continue };
            let relation = attributes.to_ascii_lowercase().replace(['"', ' ', '\''], "");
            if relation.contains("rel=next") {
                return LinkNext::Url(url.to_string());
            }
            if ["rel=prev", "rel=first", "rel=last"].iter().any(|word| relation.contains(word)) {
                found = LinkNext::None;
            }
        }
    }
    found
}
