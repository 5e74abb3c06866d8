//! URL templates: an address with places for the window's bounds, and how those are written into it.
//!
//! `…/customers?where=updated>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'` is read once, when a configuration is saved; from
//! then on [`Template::render`] cannot fail. Two kinds of quotes meet in one text, those of the `where` clause around a
//! placeholder and those of the date format inside it, so placeholders are taken out before anything else is judged.
//! Values can change neither scheme nor host nor add a parameter: a placeholder stands in the path or in the query, and
//! everything but a few harmless characters is escaped there.
//!
//! Not here: what the bounds are (`window`), date formats (`date`), operators (`query`), paging parameters (`page`).

mod encode;
mod placeholder;

use jiff::Timestamp;

use crate::date::{DateFormat, Resolution, Zone, ZoneRules};
use crate::query::{self, Operator, QuoteRepair};
use encode::Place;
use placeholder::{HOLE, Hole, Moment};

/// Bytes of a template. Servers refuse longer addresses, and reading one takes time that grows with its square.
const LENGTH_MAX: usize = 8_192;

/// An address with places for values.
#[derive(Clone, Debug)]
pub struct Template {
    /// What was written, after repairs.
    source: String,
    parts: Vec<Part>,
}

/// A template and what its reader should tell the author.
#[derive(Clone, Debug)]
pub struct ParsedTemplate {
    /// The template.
    pub template: Template,
    /// What was damaged and is read as something else now.
    pub repairs: Vec<String>,
    /// What works and could be better.
    pub advice: Vec<String>,
}

/// What a request needs.
#[derive(Clone, Copy, Debug)]
pub struct Values<'v> {
    /// The lower bound.
    pub start: Timestamp,
    /// The upper bound: the provider's time at the start of the pass.
    pub end: Timestamp,
    /// The last number seen, for `${cursor}`; nothing is written without one.
    pub cursor: Option<&'v str>,
}

/// Why a text is not a template: every reason at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct TemplateError {
    /// The reasons, in the order of the text; at least one.
    pub problems: Vec<TemplateProblem>,
}

/// One reason why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl TemplateProblem {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> TemplateProblem {
        TemplateProblem { problem: problem.into(), remedy: remedy.into() }
    }

    /// Splits a sentence of the form "problem: remedy", where the colon stands outside of quoted text; a sentence
    /// without a remedy gets `otherwise`.
    pub(crate) fn from_sentence(text: &str, otherwise: &str) -> TemplateProblem {
        let mut quoted = false;
        for (at, letter) in text.char_indices() {
            match letter {
                '`' => quoted = !quoted,
                ':' | ';' if !quoted && text[at + 1..].starts_with(' ') => {
                    return TemplateProblem::new(&text[..at], &text[at + 2..]);
                }
                _ => {}
            }
        }
        TemplateProblem::new(text, otherwise)
    }
}

impl From<TemplateProblem> for TemplateError {
    fn from(problem: TemplateProblem) -> TemplateError {
        TemplateError { problems: vec![problem] }
    }
}

impl TemplateError {
    fn sentence(&self) -> String {
        let one = |reason: &TemplateProblem| format!("{}: {}", reason.problem, reason.remedy);
        self.problems.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

#[derive(Clone, Debug)]
enum Part {
    /// Text that is encoded already.
    Text(String),
    /// A place for a value, and what the text before says about it.
    Hole { hole: Hole, place: Place, operator: Operator, equated: Option<String> },
}

impl Template {
    /// Reads a template. `server_zone` is the zone of `${date:…}`.
    ///
    /// Fails with every reason at once: unknown placeholders, formats and zones that cannot be read, text that was left
    /// to fill in, line breaks, credentials, a fragment, or a placeholder outside path and query.
    pub fn parse(url: &str, server_zone: &Zone, rules: ZoneRules) -> Result<ParsedTemplate, TemplateError> {
        let mut notes = Notes::default();
        let trimmed = url.trim_matches(' ');
        if trimmed.is_empty() {
            return Err(TemplateProblem::new("it is empty", "name the address that lists the records").into());
        }
        if trimmed.len() > LENGTH_MAX {
            let remedy = format!("shorten it to {LENGTH_MAX} bytes; servers refuse longer ones");
            return Err(TemplateProblem::new(format!("it has {} bytes", trimmed.len()), remedy).into());
        }
        if let Some(found) = trimmed.chars().find(|found| found.is_control()) {
            let remedy = "write the address on one line";
            return Err(TemplateProblem::new(format!("it contains the character {found:?}"), remedy).into());
        }
        let undamaged = trimmed.replace("#{'$'}{", "${");
        if undamaged != trimmed {
            notes
                .repairs
                .push("`#{'$'}{` is read as `${`, because the sign was escaped for another tool".into());
        }
        let zones = placeholder::Zones { server: server_zone, rules };
        let (mut flat, holes) = placeholder::take_out(&undamaged, &zones, &mut notes);
        notes.left_to_fill_in(&flat);
        drop_stray_end(&mut flat, holes.is_empty(), &mut notes);
        let (origin, rest) = split_origin(&flat, &mut notes);
        if rest.contains('#') {
            let remedy =
                "write `%23` where the sign itself is meant, and leave out what follows a fragment's `#`";
            notes.problem("it has a `#`, and what follows that is never sent", remedy);
        }
        if !notes.problems.is_empty() {
            return Err(TemplateError { problems: notes.problems });
        }
        let mut builder = Builder { parts: Vec::new(), holes: holes.into_iter() };
        builder.text(&origin);
        builder.build(&rest, &mut notes);
        notes.advice_on_constant_dates(&rest);
        let template = Template { source: undamaged, parts: builder.parts };
        Ok(ParsedTemplate { template, repairs: notes.repairs, advice: notes.advice })
    }

    /// Writes the address. Never fails and never changes scheme, host or the number of parameters.
    pub fn render(&self, values: &Values<'_>) -> String {
        let mut url = String::with_capacity(self.source.len() + 32);
        for part in &self.parts {
            match part {
                Part::Text(text) => url.push_str(text),
                Part::Hole { hole: Hole::Instant { moment, format }, place, .. } => {
                    let at = match moment {
                        Moment::Start => values.start,
                        Moment::End => values.end,
                    };
                    encode::value(&format.print(at), *place, &mut url);
                }
                Part::Hole { hole: Hole::Cursor, place, .. } => {
                    encode::value(values.cursor.unwrap_or_default(), *place, &mut url);
                }
            }
        }
        url
    }

    /// What was written, after repairs of the text itself.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the answer depends on the window: a full read has neither a start nor a cursor.
    pub fn is_filtered(&self) -> bool {
        self.uses_cursor() || self.start_format().is_some()
    }

    /// Whether `${cursor}` stands in it.
    pub fn uses_cursor(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Hole { hole: Hole::Cursor, .. }))
    }

    /// Whether an `${end…}` stands in it.
    pub fn uses_end(&self) -> bool {
        let is_end =
            |part: &Part| matches!(part, Part::Hole { hole: Hole::Instant { moment: Moment::End, .. }, .. });
        self.parts.iter().any(is_end)
    }

    /// The formats of its start placeholders, in the order of the text.
    pub fn start_formats(&self) -> impl Iterator<Item = &DateFormat> {
        self.starts().map(|(format, _)| format)
    }

    /// The coarsest format among its start placeholders: the one that the lower bound is rounded to.
    pub fn start_format(&self) -> Option<&DateFormat> {
        self.start_formats().max_by_key(|format| format.resolution())
    }

    /// The resolution of [`Self::start_format`].
    pub fn resolution(&self) -> Option<Resolution> {
        self.start_format().map(DateFormat::resolution)
    }

    /// Whether the filter includes its bound: `Some(true)` when every start stands behind `>=` or a filter whose name
    /// ends in `gte`, `Some(false)` when one stands behind `>`, `None` when nothing is known or nothing filters by
    /// date. Only `Some(true)` may be relied on.
    pub fn inclusive(&self) -> Option<bool> {
        let mut operators = self.starts().map(|(_, operator)| operator).peekable();
        operators.peek()?;
        let (mut every_at_least, mut some_after) = (true, false);
        for operator in operators {
            every_at_least &= operator == Operator::AtLeast;
            some_after |= operator == Operator::After;
        }
        if every_at_least {
            Some(true)
        } else if some_after {
            Some(false)
        } else {
            None
        }
    }

    /// Whether a start stands behind `<=` or `<`: the answer then holds what is older than the window.
    pub fn keeps_older(&self) -> bool {
        self.starts().any(|(_, operator)| operator == Operator::Before)
    }

    /// Names that a start placeholder is set equal to, as in `updated_at=${…}`.
    pub fn equated_names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole { hole: Hole::Instant { moment: Moment::Start, .. }, equated, .. } => {
                equated.as_deref()
            }
            Part::Hole { .. } | Part::Text(_) => None,
        })
    }

    /// Whether it names a host.
    pub fn is_absolute(&self) -> bool {
        self.origin().is_some()
    }

    /// Scheme, host and port when it names them, as in `https://api.example.com`.
    pub fn origin(&self) -> Option<String> {
        match self.parts.first() {
            Some(Part::Text(text)) if !text.starts_with('/') => {
                let origin = url::Url::parse(text).ok()?.origin();
                origin.is_tuple().then(|| origin.ascii_serialization())
            }
            _ => None,
        }
    }

    /// Names of its query parameters, decoded.
    pub fn query_names(&self) -> Vec<String> {
        let mut flat = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => flat.push_str(text),
                Part::Hole { .. } => flat.push(HOLE),
            }
        }
        let query = flat.split_once('?').map_or("", |(_, query)| query);
        let name = |parameter: &str| query::percent_decode(parameter.split('=').next().unwrap_or_default());
        query.split('&').filter(|parameter| !parameter.is_empty()).map(name).collect()
    }

    /// The absolute form of a relative template: `https://x/api/v2` and `/customers` give `https://x/api/v2/customers`.
    /// An absolute template stays as it is.
    pub fn resolve(&self, base: &str) -> Result<Template, TemplateError> {
        if self.is_absolute() {
            return Ok(self.clone());
        }
        let prefix = base_prefix(base)?;
        let mut parts = self.parts.clone();
        match parts.first_mut() {
            Some(Part::Text(text)) => text.insert_str(0, &prefix),
            Some(Part::Hole { .. }) | None => parts.insert(0, Part::Text(format!("{prefix}/"))),
        }
        Ok(Template { source: format!("{prefix}{}", self.source), parts })
    }

    fn starts(&self) -> impl Iterator<Item = (&DateFormat, Operator)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole { hole: Hole::Instant { moment: Moment::Start, format }, operator, .. } => {
                Some((format, *operator))
            }
            Part::Hole { .. } | Part::Text(_) => None,
        })
    }
}

/// Puts an id into the address of one record, in place of every `{id}`, encoded for its place.
pub fn with_id(address: &str, id: &str) -> String {
    let query_at = address.find('?').unwrap_or(address.len());
    let (mut url, mut at) = (String::with_capacity(address.len() + id.len()), 0);
    for (found, mark) in address.match_indices("{id}") {
        url.push_str(&address[at..found]);
        let place = if found < query_at { Place::Path } else { Place::Query };
        encode::value(id, place, &mut url);
        at = found + mark.len();
    }
    url.push_str(&address[at..]);
    url
}

/// Checks a base address and returns it without the slash at its end.
///
/// Fails unless it is `http` or `https` with a host and has neither credentials, query nor fragment.
pub fn base_prefix(base: &str) -> Result<String, TemplateProblem> {
    let remedy = "write it like `https://api.example.com/v2`";
    let trimmed = base.trim();
    if trimmed.contains(['<', '>', '{', '}']) || trimmed.chars().any(char::is_control) {
        return Err(TemplateProblem::new("the base address holds text that is left to fill in", remedy));
    }
    let parsed = url::Url::parse(trimmed).map_err(|error| {
        TemplateProblem::new(format!("the base address is not an address ({error})"), remedy)
    })?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(TemplateProblem::new("the base address is neither http nor https", remedy));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(TemplateProblem::new("the base address holds credentials", CREDENTIALS_REMEDY));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(TemplateProblem::new("the base address has a query or a fragment", remedy));
    }
    Ok(parsed.as_str().trim_end_matches('/').to_string())
}

const DATE_REMEDY: &str = "write it as the provider does, for example `yyyy-MM-dd'T'HH:mm:ssXXX`";

const CREDENTIALS_REMEDY: &str = "addresses are logged; use `authentication.type` or `http.headers` instead";

/// What a reader collects on its way.
#[derive(Default)]
struct Notes {
    problems: Vec<TemplateProblem>,
    repairs: Vec<String>,
    advice: Vec<String>,
}

impl Notes {
    fn problem(&mut self, problem: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(TemplateProblem::new(problem, remedy));
    }

    /// Finds what a person was meant to replace: `{id}`, `{{page.name}}`, `<NAME>`.
    fn left_to_fill_in(&mut self, flat: &str) {
        let mut rest = flat;
        while let Some(start) = rest.find(['{', '<']) {
            let tail = &rest[start..];
            rest = &tail[1..];
            let (open, close) = if tail.starts_with('{') { ('{', '}') } else { ('<', '>') };
            let Some(length) = tail.find(close) else { continue };
            let doubled = tail[length + 1..].starts_with(close) && tail[1..].starts_with(open);
            let found = &tail[..length + 1 + usize::from(doubled)];
            let name = found.trim_matches([open, close]);
            if !is_fill_in_name(name) || open == '<' && name.contains(' ') {
                continue;
            }
            self.problem(format!("`{found}` is left to fill in"), "replace it with its value");
            rest = &tail[found.len()..];
        }
    }

    fn advice_on_constant_dates(&mut self, rest: &str) {
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let constant = |value: &str| {
            let bytes = value.as_bytes();
            bytes.windows(10).any(|date| {
                date.iter().enumerate().all(|(at, byte)| match at {
                    4 | 7 => *byte == b'-',
                    _ => byte.is_ascii_digit(),
                })
            })
        };
        if !rest.contains(HOLE) && constant(query) {
            self.advice.push(
                "the filter compares with a date that never moves, so every poll reads everything since then: put a \
                 placeholder there, for example `${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}`"
                    .into(),
            );
        }
    }
}

/// Whether the text between brackets is a name to replace rather than a comparison or a document.
fn is_fill_in_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' '))
}

/// Drops a `}'` or `}` at the end that closes nothing.
fn drop_stray_end(flat: &mut String, without_holes: bool, notes: &mut Notes) {
    for stray in ["}'", "}"] {
        if without_holes && !flat.contains('{') && flat.ends_with(stray) {
            notes.repairs.push(format!("the `{stray}` at the end closes nothing and is dropped"));
            flat.truncate(flat.len() - stray.len());
            return;
        }
    }
}

/// Splits off scheme, host and port in their plain form; empty for a relative address.
fn split_origin(flat: &str, notes: &mut Notes) -> (String, String) {
    let remedy = "begin it with `/`, `http://` or `https://`";
    let Some((scheme, tail)) =
        flat.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', '?', HOLE]))
    else {
        if flat.starts_with("//") || flat.starts_with("/\\") || flat.starts_with('\\') {
            notes.problem("it begins with `//`, which names a host without a scheme", remedy);
        } else if flat.starts_with([HOLE, '?']) {
            notes.problem("it does not begin with a path", remedy);
        } else if !flat.starts_with('/') {
            let before_path = flat.split(['/', '?']).next().unwrap_or_default();
            if before_path.contains([':', '@', ';']) {
                notes.problem(
                    format!("`{}` is neither a path nor an address", before_path.replace(HOLE, "…")),
                    remedy,
                );
            }
            return (String::new(), format!("/{flat}"));
        }
        return (String::new(), flat.to_string());
    };
    let end = tail.find(['/', '?', '#', '\\']).unwrap_or(tail.len());
    let (authority, rest) = tail.split_at(end);
    if authority.contains(HOLE) {
        notes.problem(
            "a placeholder stands in the host",
            "placeholders may stand in the path and in the query",
        );
        return (String::new(), String::new());
    }
    if authority.contains('@') {
        notes.problem("it holds credentials", CREDENTIALS_REMEDY);
    }
    match url::Url::parse(&format!("{scheme}://{authority}/")) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {
            let rest = if rest.starts_with('/') { rest.to_string() } else { format!("/{rest}") };
            (parsed.origin().ascii_serialization(), rest)
        }
        Ok(_) => {
            notes.problem(format!("`{scheme}` is not a scheme that can be polled"), "use `http` or `https`");
            (String::new(), String::new())
        }
        Err(error) => {
            notes.problem(format!("`{authority}` is not a host ({error})"), remedy);
            (String::new(), String::new())
        }
    }
}

struct Builder {
    parts: Vec<Part>,
    holes: std::vec::IntoIter<Hole>,
}

impl Builder {
    fn build(&mut self, rest: &str, notes: &mut Notes) {
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        self.segment(path, Place::Path);
        let Some(query) = query else { return };
        for (position, parameter) in query.split('&').enumerate() {
            self.text(if position == 0 { "?" } else { "&" });
            let repaired = repair_quotes(parameter, notes);
            self.segment(&repaired, Place::Query);
        }
    }

    /// One path or one parameter: text and holes in turn.
    fn segment(&mut self, text: &str, place: Place) {
        let mut before_end = 0;
        for (position, piece) in text.split(HOLE).enumerate() {
            if position > 0
                && let Some(hole) = self.holes.next()
            {
                let (operator, equated) = match place {
                    Place::Path => (Operator::Unknown, None),
                    Place::Query => {
                        let before = &text[..before_end];
                        (query::operator(before), query::equated(before))
                    }
                };
                self.parts.push(Part::Hole { hole, place, operator, equated });
                before_end += HOLE.len_utf8();
            }
            before_end += piece.len();
            let mut encoded = String::new();
            encode::literal(piece, place, &mut encoded);
            self.text(&encoded);
        }
    }

    fn text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(Part::Text(text.to_string())),
        }
    }
}

/// Makes pairs of the quotes of a `where` clause, and of any parameter that quotes a placeholder.
fn repair_quotes(parameter: &str, notes: &mut Notes) -> String {
    let (name, value) = parameter.split_once('=').unwrap_or(("", parameter));
    let quoted_hole = value.contains("'\0") || value.contains("\0'");
    if !name.eq_ignore_ascii_case("where") && !quoted_hole {
        return parameter.to_string();
    }
    match query::quotes(value) {
        QuoteRepair::None => parameter.to_string(),
        QuoteRepair::Append => {
            notes.repairs.push(format!("the last quote of `{name}` is missing and is added"));
            format!("{}'", parameter.trim_end())
        }
        QuoteRepair::DropLast => {
            notes.repairs.push(format!("the quote at the end of `{name}` closes nothing and is dropped"));
            let shorter = parameter.strip_suffix('\'').or_else(|| parameter.strip_suffix("%27"));
            shorter.unwrap_or(parameter).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn parse(url: &str) -> Result<ParsedTemplate, TemplateError> {
        Template::parse(url, &Zone::utc(), ZoneRules::default())
    }

    fn render(template: &Template) -> String {
        template.render(&Values {
            start: at("2019-05-09T20:37:30.123456Z"),
            end: at("2019-05-10T00:00:00Z"),
            cursor: Some("4711"),
        })
    }

    #[track_caller]
    fn check(url: &str, expect: &str) {
        let parsed = parse(url).unwrap();
        assert_eq!(render(&parsed.template), expect, "{url}");
    }

    #[track_caller]
    fn check_repaired(url: &str, expect: &str, repair: &str) {
        let parsed = parse(url).unwrap();
        assert_eq!(render(&parsed.template), expect, "{url}");
        assert!(parsed.repairs.iter().any(|found| found.contains(repair)), "{:?}", parsed.repairs);
    }

    #[track_caller]
    fn check_refused(url: &str, reason: &str) {
        let error = parse(url).unwrap_err();
        assert!(error.to_string().contains(reason), "{url}: {error}");
    }

    #[test]
    fn every_placeholder_of_the_mission_is_filled() {
        check("/c?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}", "/c?since=2019-05-09T20:37:30Z");
        check("/c?since=${date:yyyy/MM/dd HH:mm:ss}", "/c?since=2019/05/09%2020:37:30");
        check("/c?since=${dateTimeZone:PST:yyyy-MM-dd'T'HH:mm:ss.SSS}", "/c?since=2019-05-09T12:37:30.123");
        check(
            "/c?since=${DateTimeZone:-8:00:yyyy-MM-dd'T'HH:mm:ssXXX}",
            "/c?since=2019-05-09T12:37:30-08:00",
        );
        check("/c?since=${DATETIMEZONE:Asia/Kolkata:HH:mm yyyy-MM-dd}", "/c?since=02:07%202019-05-10");
        check("/c?since=${epoch}", "/c?since=1557434250123");
        check("/c?since=${EPOCH:s}", "/c?since=1557434250");
        check("/c?since=${epoch:us}", "/c?since=1557434250123456");
        check(
            "/c?since=${epoch:ms}&x=${milliseconds}&y=${date}",
            "/c?since=1557434250123&x=1557434250123&y=1557434250123",
        );
    }

    #[test]
    fn both_ends_and_the_cursor_are_ours() {
        check("/c?a=${epoch:s}&b=${end.epoch:s}", "/c?a=1557434250&b=1557446400");
        check("/c?b=${end.gmtDate:yyyy-MM-dd}&n=${cursor}", "/c?b=2019-05-10&n=4711");
        check("/c?b=${end.dateTimeZone:-8:00:yyyy-MM-dd}", "/c?b=2019-05-09");
        check("/c/${cursor}/next", "/c/4711/next");
    }

    #[test]
    fn values_are_escaped_for_their_place() {
        check(
            "/c?since=${dateTimeZone:+2:00:yyyy-MM-dd'T'HH:mm:ssXXX}",
            "/c?since=2019-05-09T22:37:30%2B02:00",
        );
        check("/c?since=${gmtDate:yyyy-MM-dd'&x=#/'HH}", "/c?since=2019-05-09%26x%3D%23/20");
        check("/c/${gmtDate:yyyy/MM/dd}", "/c/2019%2F05%2F09");
        let walk = parse("/a/${cursor}/b").unwrap().template;
        let values = |cursor| Values { start: Timestamp::UNIX_EPOCH, end: Timestamp::UNIX_EPOCH, cursor };
        assert_eq!(walk.render(&values(Some(".."))), "/a/%252E%252E/b");
        assert_eq!(
            walk.render(&values(Some("//evil.example\r\n?a=b"))),
            "/a/%2F%2Fevil.example%0D%0A%3Fa%3Db/b"
        );
        assert_eq!(walk.render(&values(None)), "/a//b");
    }

    #[test]
    fn the_text_around_is_escaped_once() {
        check("/c?where=a >= 'x y' and b<'é'", "/c?where=a%20%3E=%20%27x%20y%27%20and%20b%3C%27%C3%A9%27");
        check("/c?where=category%20IS%20NOT%20NULL", "/c?where=category%20IS%20NOT%20NULL");
        check("/c?where=m>=2017-02-28T16:11:29+06:00", "/c?where=m%3E=2017-02-28T16:11:29%2B06:00");
        check("/c?q=a+b&f=100%", "/c?q=a+b&f=100%25");
        check("/c?f={\"a\":{\"$gt\":\"${epoch:s}\"}}", "/c?f=%7B%22a%22:%7B%22$gt%22:%221557434250%22%7D%7D");
    }

    #[test]
    fn damage_of_the_field_is_repaired_and_named() {
        check_repaired(
            "/c?where=m>='${date:yyyy-MM-dd'T'HH:mm:ss'Z'}",
            "/c?where=m%3E=%272019-05-09T20:37:30Z%27",
            "is missing and is added",
        );
        check_repaired(
            "/c?where=m>='${gmtDate:yyyy-MM-dd}' and attributes='created_at,updated_at",
            "/c?where=m%3E=%272019-05-09%27%20and%20attributes=%27created_at,updated_at%27",
            "is missing and is added",
        );
        check_repaired(
            "/c?where=m>='${gmtDate:yyyy-MM-dd}''",
            "/c?where=m%3E=%272019-05-09%27",
            "closes nothing",
        );
        check_repaired("/c?where=m>='#{'$'}{gmtDate:yyyy}'", "/c?where=m%3E=%272019%27", "is read as `${`");
        check_repaired("/messages}'", "/messages", "closes nothing");
        check("/c?name=O'Brien&where=a='b' ", "/c?name=O%27Brien&where=a=%27b%27");
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_remedy() {
        check_refused("", "it is empty");
        check_refused("/c?a=b\r\nHost: x", "the character");
        check_refused(&format!("/{}", "<".repeat(9_000)), "it has 9001 bytes");
        check_refused("/c?a=${518862600}", "`${518862600}` is not a placeholder");
        check_refused("/c?a=${gmtDate}", "has no format");
        check_refused("/c?a=${epoch:h}", "`h` is not a unit");
        check_refused("/c?a=${gmtDate:yyyy-MM-dd", "is not closed");
        check_refused("/c?a=${dateTimeZone:yyyy}", "needs a zone and a format");
        check_refused("/c?a=${dateTimeZone:{Zone}:yyyy}", "the zone `{Zone}` is left to fill in");
        check_refused("/c?a=${dateTimeZone:Nowhere/City:yyyy}", "Nowhere/City");
        check_refused("/c/{id}?w=<NAME>", "`{id}` is left to fill in: replace it with its value; `<NAME>`");
        check_refused("/{{page.kind}}/x", "`{{page.kind}}` is left to fill in");
        check_refused("https://${cursor}.example.com/", "in the host");
        check_refused("https://a:b@example.com/", "credentials");
        check_refused("//example.com/c", "without a scheme");
        check_refused("/\\example.com/c", "without a scheme");
        check_refused("ftp://example.com/c", "not a scheme");
        check_refused("javascript:alert(1)", "neither a path nor an address");
        check_refused("/c#part", "has a `#`");
        check_refused("${cursor}", "does not begin with a path");
    }

    #[test]
    fn the_bound_is_inclusive_only_where_the_text_says_so() {
        let inclusive = |url: &str| parse(url).unwrap().template.inclusive();
        assert_eq!(inclusive("/c?where=m>='${epoch}'"), Some(true));
        assert_eq!(inclusive("/c?where=updated_date__gte='${epoch}'"), Some(true));
        assert_eq!(inclusive("/c?updated[gte]=${epoch}"), Some(true));
        assert_eq!(inclusive("/c?where=m>${epoch}"), Some(false));
        assert_eq!(inclusive("/c?where=a>=${epoch} or b>=${epoch:s}"), Some(true));
        assert_eq!(inclusive("/c?where=a>=${epoch} or b>${epoch:s}"), Some(false));
        assert_eq!(inclusive("/c?updated_after=${epoch}"), None);
        assert_eq!(inclusive("/c/${epoch}"), None);
        assert_eq!(inclusive("/c"), None);
    }

    #[test]
    fn the_coarsest_start_decides_the_rounding() {
        let template =
            parse("/c?a>=${epoch}&b=${gmtDate:yyyy-MM-dd}&c=${end.gmtDate:yyyy}").unwrap().template;
        assert_eq!(template.start_formats().count(), 2);
        let day = template.start_format().unwrap();
        assert_eq!(day.print(at("2019-05-09T20:37:30Z")), "2019-05-09");
        assert!(template.is_filtered() && template.uses_end() && !template.uses_cursor());
        assert!(!parse("/c?b=${end.epoch}").unwrap().template.is_filtered());
        assert_eq!(template.query_names(), ["a>", "b", "c"]);
    }

    #[test]
    fn relative_addresses_keep_the_path_of_their_base() {
        let relative = parse("/customers?since=${epoch:s}").unwrap().template;
        assert!(!relative.is_absolute());
        for base in ["https://x.example/api/v2", "https://X.example:443/api/v2/ "] {
            let resolved = relative.resolve(base).unwrap();
            assert_eq!(render(&resolved), "https://x.example/api/v2/customers?since=1557434250");
            assert_eq!(resolved.origin().as_deref(), Some("https://x.example"));
        }
        let absolute = parse("http://y.example:8080?since=${epoch:s}").unwrap().template;
        assert_eq!(
            render(&absolute.resolve("https://x.example").unwrap()),
            "http://y.example:8080/?since=1557434250"
        );
        for base in ["", "x", "ftp://x", "https://a:b@x", "https://x?y", "https://<SITE>.example"] {
            assert!(relative.resolve(base).is_err(), "{base}");
        }
    }

    #[test]
    fn ids_stay_in_their_place() {
        assert_eq!(
            with_id("https://x.example/c/{id}?a={id}", "a/b ü&c"),
            "https://x.example/c/a%2Fb%20%C3%BC%26c?a=a/b%20%C3%BC%26c"
        );
        assert_eq!(with_id("https://x.example/c/{id}/x", ".."), "https://x.example/c/%252E%252E/x");
        assert_eq!(with_id("https://x.example/c", "7"), "https://x.example/c");
    }

    #[test]
    fn server_zone_is_advised_against() {
        let parsed = parse("/c?a=${date:yyyy}&b=${date:yyyy-MM}").unwrap();
        assert_eq!(parsed.advice.len(), 1, "{:?}", parsed.advice);
        assert!(parse("/c?where=m>=2017-02-28").unwrap().advice[0].contains("never moves"));
    }
}
