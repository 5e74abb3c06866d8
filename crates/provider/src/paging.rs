//! What a list request asks for, and which records answer it.
//!
//! [`ListQuery::read`] turns query parameters into bounds, order and position; [`Pager`] picks the records from an
//! index. Writing the answer, links included, is the business of `server`.
//!
//! A page's *style* says where the next page is named, its *progress* what that name means: a page number, an offset,
//! a snapshot taken at the first page, or the last key (key set). Only key set needs an order by the updated value.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{Names, Resolution, Settings};
use crate::data::Chance;
use crate::dates::{DateStyle, Zone, parse_any};
use crate::world::{Index, Record};

/// Snapshots kept; the oldest is dropped, and its tokens are then refused as expired.
const SNAPSHOTS_MAX: usize = 64;
/// Record lists kept between the pages of one read.
const VIEWS_MAX: usize = 4;

/// Where the next page is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageStyle {
    /// Nowhere: `page` and `per_page` are counted by the client.
    Page,
    /// Nowhere: `offset` and `limit` are counted by the client.
    Offset,
    /// `meta.next_cursor` in the body, to be sent as `cursor`.
    Cursor,
    /// The header `X-Next-Cursor`, to be sent as `cursor`.
    HeaderCursor,
    /// `paging.next` in the body: an object of parameters to merge into the next query.
    Merge,
    /// `paging.next` in the body: a URL.
    Next,
    /// The header `Next-Page`: a URL.
    NextHeader,
    /// `Link: <…>; rel="next"`.
    Link,
    /// `has_more` in the body; `page` is counted by the client.
    HasMore,
    /// There are no pages: everything in one answer.
    None,
}

impl PageStyle {
    /// Whether the body must be an object to hold what names the next page.
    pub fn needs_envelope(self) -> bool {
        matches!(self, Self::Cursor | Self::Merge | Self::Next | Self::HasMore)
    }

    fn progress(self) -> Progress {
        match self {
            Self::Page | Self::HasMore | Self::None | Self::Next | Self::NextHeader | Self::Link => {
                Progress::Page
            }
            Self::Offset => Progress::Offset,
            Self::Cursor | Self::HeaderCursor | Self::Merge => Progress::Keyset,
        }
    }
}

/// What the name of a next page means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// A page number over the living list.
    Page,
    /// An offset into the living list.
    Offset,
    /// A position in the list as it was at the first page.
    Snapshot,
    /// The last updated value and id; the page begins after them.
    Keyset,
}

/// Order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Oldest updated value first.
    Asc,
    /// Newest updated value first.
    Desc,
    /// No order that means anything, but always the same one.
    None,
    /// Another order on every request.
    Random,
    /// By the member `seq`.
    Seq,
}

/// The place of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Records to skip.
    Skip(usize),
    /// After this updated value and key.
    After {
        /// Updated value in microseconds.
        stamp: i64,
        /// Key of the record.
        key: u32,
    },
    /// In a snapshot.
    Snapshot {
        /// Which one.
        number: u64,
        /// Records to skip.
        skip: usize,
    },
}

impl Position {
    /// Whether a page before this one exists.
    pub fn is_later(self) -> bool {
        self != Position::Skip(0)
    }
}

/// Half-open bounds on a date or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    from: i64,
    until: i64,
}

impl Bounds {
    const ALL: Bounds = Bounds { from: i64::MIN, until: i64::MAX };

    fn contains(self, value: i64) -> bool {
        self.from <= value && value < self.until
    }

    /// Narrows by a comparison in which both sides are rounded down to the unit.
    fn narrow(&mut self, operator: Operator, value: i64, unit: i64) {
        let floor = value.saturating_sub(value.rem_euclid(unit));
        let next = floor.saturating_add(unit);
        match operator {
            Operator::Later => self.from = self.from.max(next),
            Operator::LaterOrEqual => self.from = self.from.max(floor),
            Operator::Earlier => self.until = self.until.min(floor),
            Operator::EarlierOrEqual => self.until = self.until.min(next),
            Operator::Equal => {
                self.from = self.from.max(floor);
                self.until = self.until.min(next);
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Later,
    LaterOrEqual,
    Earlier,
    EarlierOrEqual,
    Equal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Updated,
    Created,
    Seq,
}

/// Which records, in which order: what makes two requests pages of one list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    updated: Bounds,
    created: Bounds,
    seq: Bounds,
    order: Order,
    only_deleted: bool,
}

/// A request that cannot be answered, as a sentence for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadQuery {
    /// 400, or 410 for an expired token.
    pub status: u16,
    /// What is wrong.
    pub message: String,
}

impl BadQuery {
    fn new(message: impl Into<String>) -> BadQuery {
        BadQuery { status: 400, message: message.into() }
    }
}

/// A list request.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Which records, in which order.
    pub selection: Selection,
    /// Where the page begins.
    pub position: Position,
    /// Records on the page.
    pub size: usize,
    /// Where the next page is named.
    pub style: PageStyle,
    /// What its name means.
    pub progress: Progress,
    /// Where the records are in the body; `None` is a bare array.
    pub list: Option<String>,
    /// Names of the members.
    pub names: Names,
    /// How dates are written.
    pub dates: DateStyle,
    /// In which zone.
    pub zone: Zone,
    /// Number of the first page.
    pub first_page: usize,
}

/// How dates of the request are written and compared; gathered before the filters are read.
struct DateRules<'a> {
    names: &'a Names,
    zone: Zone,
    filter: DateStyle,
    unit: i64,
}

impl ListQuery {
    /// Reads the decoded parameters of a request over the resource's settings.
    pub fn read(
        pairs: &[(String, String)],
        settings: &Settings,
        only_deleted: bool,
        token_epoch: u32,
    ) -> Result<ListQuery, BadQuery> {
        let style: PageStyle = choice(pairs, "style", settings.style)?;
        let tokens = match value(pairs, &["tokens"]) {
            Some(_) => Some(choice(pairs, "tokens", Progress::Page)?),
            None => settings.tokens,
        };
        let dates: DateStyle = choice(pairs, "dates", settings.dates)?;
        let zone_name = value(pairs, &["zone"]).unwrap_or(&settings.zone);
        let zone = Zone::from_name(zone_name)
            .ok_or_else(|| BadQuery::new(format!("there is no zone `{zone_name}`")))?;
        let resolution: Resolution = choice(pairs, "filter_resolution", settings.filter_resolution)?;
        let rules = DateRules {
            names: &settings.names,
            zone: zone.clone(),
            filter: choice(pairs, "filter_dates", dates)?,
            unit: resolution.micros(),
        };
        let mut selection = Selection {
            updated: Bounds::ALL,
            created: Bounds::ALL,
            seq: Bounds::ALL,
            order: read_order(pairs, settings.sort)?,
            only_deleted,
        };
        for (name, value) in pairs {
            selection.filter(name, value, &rules)?;
        }
        let size = match value(pairs, &["per_page", "limit", "page_size", "pageSize", "size"]) {
            Some(text) => number(text)?.clamp(1, settings.page_size_max),
            None => settings.page_size,
        };
        let position = read_position(pairs, style, size, settings.first_page, token_epoch)?;
        if let (Position::Skip(skip), Some(cap)) = (position, settings.result_cap)
            && skip.saturating_add(size) > cap
        {
            return Err(BadQuery::new(format!("only the first {cap} results can be read")));
        }
        let list = match value(pairs, &["list", "envelope"]).or(settings.list.as_deref()) {
            Some("bare") if style.needs_envelope() => {
                return Err(BadQuery::new(
                    "a bare list has no place for what this style says of the next page",
                ));
            }
            Some("bare") => None,
            Some(path) => Some(path.to_owned()),
            None if style.needs_envelope() => Some("data.items".to_owned()),
            None => None,
        };
        if list.as_deref().is_some_and(|path| !is_list_path(path)) {
            return Err(BadQuery::new(
                "the list path must be dotted names and must not begin at meta or paging",
            ));
        }
        let progress = tokens.unwrap_or(style.progress());
        if progress == Progress::Keyset && !matches!(selection.order, Order::Asc | Order::Desc) {
            return Err(BadQuery::new("key-set tokens need sort=asc or sort=desc"));
        }
        let (names, first_page) = (settings.names.clone(), settings.first_page);
        let size = if style == PageStyle::None { usize::MAX } else { size };
        Ok(ListQuery { selection, position, size, style, progress, list, names, dates, zone, first_page })
    }

    /// The parameters that lead to a position, in the words of this request's style.
    pub fn parameters_of(&self, position: Position, token_epoch: u32) -> Vec<(&'static str, String)> {
        match position {
            Position::After { stamp, key } if self.style == PageStyle::Merge => {
                vec![("after_time", stamp.to_string()), ("after_key", key.to_string())]
            }
            Position::After { .. } | Position::Snapshot { .. } => {
                vec![("cursor", self.token_of(position, token_epoch))]
            }
            Position::Skip(skip) if self.progress == Progress::Page => {
                vec![("page", (skip / self.size + self.first_page).to_string())]
            }
            Position::Skip(skip) => vec![("offset", skip.to_string())],
        }
    }

    /// An opaque token for a position; tokens of an older epoch are refused as expired.
    pub fn token_of(&self, position: Position, token_epoch: u32) -> String {
        match position {
            Position::Skip(skip) => format!("o{token_epoch}-{skip}"),
            Position::After { stamp, key } => format!("k{token_epoch}-{stamp:x}-{key}"),
            Position::Snapshot { number, skip } => format!("s{token_epoch}-{number}-{skip}"),
        }
    }
}

impl Selection {
    /// Whether the same records come in the same order while nothing changes.
    pub fn is_repeatable(&self) -> bool {
        self.order != Order::Random
    }

    fn filter(&mut self, name: &str, value: &str, rules: &DateRules<'_>) -> Result<(), BadQuery> {
        let (field, operator) = match name {
            "updated_since" | "updated_after" | "modified_since" | "modified_after" | "updated_at_gt"
            | "updated_gt" | "since" => (Field::Updated, Operator::Later),
            "updated_at_gte" | "updated_gte" | "updated_from" | "modified_at_gte" | "modified_from"
            | "start" => (Field::Updated, Operator::LaterOrEqual),
            "updated_before" | "updated_at_lt" | "modified_before" | "end" => {
                (Field::Updated, Operator::Earlier)
            }
            "updated_at_lte" | "updated_until" => (Field::Updated, Operator::EarlierOrEqual),
            "created_since" | "created_after" | "createdAfter" | "created_at_gt" => {
                (Field::Created, Operator::Later)
            }
            "created_at_gte" | "created_from" => (Field::Created, Operator::LaterOrEqual),
            "created_before" | "createdBefore" | "created_at_lt" => (Field::Created, Operator::Earlier),
            "created_at_lte" | "created_until" => (Field::Created, Operator::EarlierOrEqual),
            "seq_gt" | "after_seq" => (Field::Seq, Operator::Later),
            "seq_gte" => (Field::Seq, Operator::LaterOrEqual),
            "filter" | "where" => return self.filter_expression(value, rules),
            _ => return Ok(()),
        };
        self.narrow(field, operator, value, rules)
    }

    /// Reads `updated_at>='…' and created_at<…`.
    fn filter_expression(&mut self, text: &str, rules: &DateRules<'_>) -> Result<(), BadQuery> {
        for condition in split_and(text) {
            let place = condition
                .find(['<', '>', '='])
                .ok_or_else(|| BadQuery::new(format!("there is no comparison in `{condition}`")))?;
            let (name, rest) = condition.split_at(place);
            let (operator, value) = [
                (">=", Operator::LaterOrEqual),
                ("<=", Operator::EarlierOrEqual),
                (">", Operator::Later),
                ("<", Operator::Earlier),
                ("=", Operator::Equal),
            ]
            .into_iter()
            .find_map(|(sign, operator)| rest.strip_prefix(sign).map(|value| (operator, value)))
            .ok_or_else(|| BadQuery::new(format!("there is no comparison in `{condition}`")))?;
            let field = match name.trim() {
                name if name == rules.names.updated => Field::Updated,
                name if name == rules.names.created => Field::Created,
                "updated_at" | "updated" | "modified" | "lastModified" | "lastModifiedDate" | "mdate" => {
                    Field::Updated
                }
                "created_at" | "created" | "createdDate" | "cdate" => Field::Created,
                "seq" => Field::Seq,
                other => return Err(BadQuery::new(format!("records cannot be filtered by `{other}`"))),
            };
            self.narrow(field, operator, value.trim().trim_matches(['\'', '"']), rules)?;
        }
        Ok(())
    }

    fn narrow(
        &mut self,
        field: Field,
        operator: Operator,
        text: &str,
        rules: &DateRules<'_>,
    ) -> Result<(), BadQuery> {
        if field == Field::Seq {
            let value = text.parse().map_err(|_| BadQuery::new(format!("`{text}` is not a number")))?;
            self.seq.narrow(operator, value, 1);
            return Ok(());
        }
        let value = parse_any(text, rules.filter, &rules.zone)
            .ok_or_else(|| BadQuery::new(format!("`{text}` is not a date that is understood here")))?;
        match field {
            Field::Updated => self.updated.narrow(operator, value, rules.unit),
            Field::Created | Field::Seq => self.created.narrow(operator, value, rules.unit),
        }
        Ok(())
    }

    fn contains(&self, record: &Record) -> bool {
        self.updated.contains(record.updated)
            && self.created.contains(record.created)
            && self.seq.contains(i64::try_from(record.seq).unwrap_or(i64::MAX))
            && (!self.only_deleted || record.deleted)
    }

    /// Everything that is selected, in order.
    fn view(&self, index: &Index, entropy: u64) -> Vec<Arc<Record>> {
        if self.updated.from >= self.updated.until {
            return Vec::new();
        }
        let range = index.by_updated().range((self.updated.from, 0)..(self.updated.until, 0));
        let selected = range.map(|(_, record)| record).filter(|record| self.contains(record));
        let scrambled = |seed: u64, record: &Record| Chance::new(&[seed, u64::from(record.key)]).next();
        match self.order {
            Order::Asc => selected.cloned().collect(),
            Order::Desc => selected.rev().cloned().collect(),
            Order::None | Order::Random | Order::Seq => {
                let seed = if self.order == Order::Random { entropy } else { 0 };
                let mut view: Vec<Arc<Record>> = selected.cloned().collect();
                view.sort_by_cached_key(|record| match self.order {
                    Order::Seq => (record.seq, u64::from(record.key)),
                    _ => (scrambled(seed, record), 0),
                });
                view
            }
        }
    }
}

/// The records of a page and what follows it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<Arc<Record>>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Position>,
    /// Size of the whole list, where it is known.
    pub total: Option<usize>,
}

/// What spoils the picking of a page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spoil {
    /// Shuffles records with equal stamps.
    pub tie_seed: Option<u64>,
    /// Share of the records that are left out, 0 to 1.
    pub vanish: f64,
    /// Fewer records than asked.
    pub size: Option<usize>,
    /// Order of random lists.
    pub entropy: u64,
}

/// Picks pages; keeps the lists of reads that are under way.
#[derive(Debug, Default)]
pub struct Pager {
    snapshots: VecDeque<(u64, Arc<Vec<Arc<Record>>>)>,
    snapshot_count: u64,
    views: HashMap<ViewName, Arc<Vec<Arc<Record>>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ViewName {
    resource: String,
    revision: u64,
    selection: Selection,
}

impl Pager {
    /// Picks the page that a query asks for.
    pub fn page(
        &mut self,
        resource: &str,
        index: &Index,
        query: &ListQuery,
        spoil: Spoil,
    ) -> Result<Page, BadQuery> {
        let size = spoil.size.unwrap_or(query.size).min(query.size);
        let mut page = match (query.progress, query.position) {
            (_, Position::After { stamp, key }) => keyset_page(index, query, Some((stamp, key)), size),
            (Progress::Keyset, Position::Skip(_)) => keyset_page(index, query, None, size),
            (_, Position::Snapshot { number, skip }) => {
                let list = self.snapshots.iter().find(|(held, _)| *held == number);
                let list = list.map(|(_, list)| Arc::clone(list)).ok_or_else(expired)?;
                slice(&list, skip, size, |skip| Position::Snapshot { number, skip })
            }
            (Progress::Snapshot, Position::Skip(skip)) => {
                let list = self.view(resource, index, query, spoil);
                self.snapshot_count += 1;
                let number = self.snapshot_count;
                if self.snapshots.len() == SNAPSHOTS_MAX {
                    self.snapshots.pop_front();
                }
                self.snapshots.push_back((number, Arc::clone(&list)));
                slice(&list, skip, size, |skip| Position::Snapshot { number, skip })
            }
            (Progress::Page, Position::Skip(skip)) => {
                // A short page does not move the numbers of the pages after it.
                let list = self.view(resource, index, query, spoil);
                let mut page = slice(&list, skip, query.size, Position::Skip);
                page.records.truncate(size);
                page
            }
            (Progress::Offset, Position::Skip(skip)) => {
                let list = self.view(resource, index, query, spoil);
                slice(&list, skip, size, Position::Skip)
            }
        };
        if spoil.vanish > 0.0 {
            page.records.retain(|record| Chance::new(&[u64::from(record.key)]).unit() >= spoil.vanish);
        }
        Ok(page)
    }

    /// Drops all snapshots.
    pub fn expire(&mut self) {
        self.snapshots.clear();
    }

    fn view(
        &mut self,
        resource: &str,
        index: &Index,
        query: &ListQuery,
        spoil: Spoil,
    ) -> Arc<Vec<Arc<Record>>> {
        if query.selection.order == Order::Random {
            return Arc::new(query.selection.view(index, spoil.entropy));
        }
        if let Some(seed) = spoil.tie_seed {
            let mut view = query.selection.view(index, spoil.entropy);
            shuffle_ties(&mut view, seed);
            return Arc::new(view);
        }
        let selection = query.selection.clone();
        let name = ViewName { resource: resource.to_owned(), revision: index.revision(), selection };
        if let Some(view) = self.views.get(&name) {
            return Arc::clone(view);
        }
        let view = Arc::new(query.selection.view(index, spoil.entropy));
        if self.views.len() >= VIEWS_MAX {
            self.views.clear();
        }
        self.views.insert(name, Arc::clone(&view));
        view
    }
}

fn slice(list: &[Arc<Record>], skip: usize, size: usize, position: impl FnOnce(usize) -> Position) -> Page {
    let start = skip.min(list.len());
    let end = start.saturating_add(size).min(list.len());
    let next = (end < list.len()).then(|| position(end));
    Page { records: list[start..end].to_vec(), next, total: Some(list.len()) }
}

fn keyset_page(index: &Index, query: &ListQuery, after: Option<(i64, u32)>, size: usize) -> Page {
    let selection = &query.selection;
    let (mut from, mut until) = ((selection.updated.from, 0), (selection.updated.until, 0));
    let is_desc = selection.order == Order::Desc;
    match after {
        Some(place) if is_desc => until = until.min(place),
        Some((stamp, key)) => from = from.max((stamp, key.saturating_add(1))),
        None => {}
    }
    if from >= until {
        return Page { records: Vec::new(), next: None, total: None };
    }
    let range = index.by_updated().range(from..until).map(|(_, record)| record);
    let range = range.filter(|record| selection.contains(record));
    let wanted = size.saturating_add(1);
    let mut records: Vec<Arc<Record>> = if is_desc {
        range.rev().take(wanted).cloned().collect()
    } else {
        range.take(wanted).cloned().collect()
    };
    let is_last = records.len() <= size;
    records.truncate(size);
    let last = records.last().map(|record| (record.updated, record.key));
    // An empty page in the middle leads to itself: the place it began at.
    let edge = if is_desc { (i64::MAX, 0) } else { (i64::MIN, 0) };
    let (stamp, key) = last.or(after).unwrap_or(edge);
    Page { records, next: (!is_last).then_some(Position::After { stamp, key }), total: None }
}

fn shuffle_ties(view: &mut [Arc<Record>], seed: u64) {
    for ties in view.chunk_by_mut(|one, other| one.updated == other.updated) {
        ties.sort_by_cached_key(|record| Chance::new(&[seed, u64::from(record.key)]).next());
    }
}

fn expired() -> BadQuery {
    BadQuery { status: 410, message: "the page token has expired".to_owned() }
}

fn value<'a>(pairs: &'a [(String, String)], names: &[&str]) -> Option<&'a str> {
    pairs.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str())
}

fn choice<T: for<'a> Deserialize<'a>>(
    pairs: &[(String, String)],
    name: &str,
    default: T,
) -> Result<T, BadQuery> {
    match value(pairs, &[name]) {
        Some(text) => serde_json::from_value(serde_json::Value::String(text.to_owned()))
            .map_err(|_| BadQuery::new(format!("`{text}` is not a choice for `{name}`"))),
        None => Ok(default),
    }
}

fn number(text: &str) -> Result<usize, BadQuery> {
    text.parse().map_err(|_| BadQuery::new(format!("`{text}` is not a whole number")))
}

fn read_order(pairs: &[(String, String)], default: Order) -> Result<Order, BadQuery> {
    let Some(text) = value(pairs, &["sort", "order", "order_by"]) else { return Ok(default) };
    match text {
        "asc" | "updated_at" | "updated_at asc" => Ok(Order::Asc),
        "desc" | "-updated_at" | "updated_at desc" => Ok(Order::Desc),
        "none" => Ok(Order::None),
        "random" => Ok(Order::Random),
        "seq" => Ok(Order::Seq),
        other => Err(BadQuery::new(format!("lists cannot be sorted by `{other}`"))),
    }
}

fn read_position(
    pairs: &[(String, String)],
    style: PageStyle,
    size: usize,
    first_page: usize,
    token_epoch: u32,
) -> Result<Position, BadQuery> {
    if style == PageStyle::None {
        return Ok(Position::Skip(0));
    }
    if let Some(token) = value(pairs, &["cursor"]).filter(|token| !token.is_empty()) {
        return read_token(token, token_epoch);
    }
    if let (Some(time), Some(key)) = (value(pairs, &["after_time"]), value(pairs, &["after_key"])) {
        return match (time.parse(), key.parse()) {
            (Ok(stamp), Ok(key)) => Ok(Position::After { stamp, key }),
            _ => Err(BadQuery::new("`after_time` and `after_key` must be numbers")),
        };
    }
    if let Some(page) = value(pairs, &["page"]) {
        let page = number(page)?
            .checked_sub(first_page)
            .ok_or_else(|| BadQuery::new(format!("pages are numbered from {first_page}")))?;
        return Ok(Position::Skip(page.saturating_mul(size)));
    }
    Ok(Position::Skip(value(pairs, &["offset"]).map_or(Ok(0), number)?))
}

fn read_token(token: &str, token_epoch: u32) -> Result<Position, BadQuery> {
    let bad = || BadQuery::new("the page token is not one of ours");
    let kind = token.chars().next().ok_or_else(bad)?;
    let mut parts = token.get(kind.len_utf8()..).unwrap_or_default().splitn(2, '-');
    let epoch: u32 = parts.next().and_then(|part| part.parse().ok()).ok_or_else(bad)?;
    let rest = parts.next().ok_or_else(bad)?;
    if epoch != token_epoch {
        return Err(expired());
    }
    let two = || rest.rsplit_once('-').ok_or_else(bad);
    match kind {
        'o' => Ok(Position::Skip(rest.parse().map_err(|_| bad())?)),
        'k' => {
            let (stamp, key) = two()?;
            // Stamps are written in two's complement, so that those before 1970 have no sign.
            let stamp = u64::from_str_radix(stamp, 16).map_err(|_| bad())?.cast_signed();
            Ok(Position::After { stamp, key: key.parse().map_err(|_| bad())? })
        }
        's' => {
            let (number, skip) = two()?;
            let number = number.parse().map_err(|_| bad())?;
            Ok(Position::Snapshot { number, skip: skip.parse().map_err(|_| bad())? })
        }
        _ => Err(bad()),
    }
}

fn is_list_path(path: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let first = path.split('.').next().unwrap_or_default();
    path.split('.').all(is_name) && !matches!(first, "meta" | "paging" | "has_more")
}

/// Splits at the word `and` in any letter case.
fn split_and(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    // ASCII lower case keeps every byte in its place.
    while let Some(place) = rest.to_ascii_lowercase().find(" and ") {
        parts.push(&rest[..place]);
        rest = &rest[place + 5..];
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)]) -> Result<ListQuery, BadQuery> {
        let pairs: Vec<(String, String)> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ListQuery::read(&pairs, &Settings::default(), false, 3)
    }

    #[track_caller]
    fn check_bounds(query: &[(&str, &str)], from: i64, until: i64) {
        assert_eq!(read(query).expect("a good query").selection.updated, Bounds { from, until });
    }

    #[test]
    fn operators_and_resolutions() {
        let stamp = "2019-05-09T20:37:30.250Z";
        let (micros, second, minute) = (1_557_434_250_250_000, 1_557_434_250_000_000, 1_557_434_220_000_000);
        check_bounds(&[("updated_since", stamp)], micros + 1, i64::MAX);
        check_bounds(&[("updated_at_gte", stamp)], micros, i64::MAX);
        check_bounds(&[("modified_after", "1557434250")], second + 1, i64::MAX);
        check_bounds(&[("updated_since", stamp), ("filter_resolution", "s")], second + 1_000_000, i64::MAX);
        check_bounds(&[("updated_at_gte", stamp), ("filter_resolution", "min")], minute, i64::MAX);
        check_bounds(
            &[("updated_at_lte", stamp), ("filter_resolution", "min")],
            i64::MIN,
            minute + 60_000_000,
        );
        let between = format!("updated_at>='{stamp}' AND updated_at < 1557434251");
        check_bounds(&[("where", &between)], micros, second + 1_000_000);
    }

    #[test]
    fn the_ends_of_time_are_bounds_too() {
        let least = ("updated_at_gte", "-9223372036854775808");
        check_bounds(&[("dates", "epoch_us"), least, ("filter_resolution", "day")], i64::MIN, i64::MAX);
    }

    #[test]
    fn bad_queries_are_refused() {
        for query in [
            ("updated_since", "2019-05-09T20:37:30 02:00"),
            ("filter", "colour=red"),
            ("filter", "updated_at"),
            ("page", "0"),
            ("per_page", "many"),
            ("style", "telepathy"),
            ("cursor", "x"),
            ("cursor", "k3-zz"),
            ("cursor", "é3-1-1"),
            ("zone", "Mars/Olympus"),
            ("list", "meta.items"),
            ("sort", "name"),
        ] {
            assert_eq!(read(&[query]).expect_err("a bad query").status, 400, "{query:?}");
        }
        assert_eq!(read(&[("cursor", "o2-40")]).expect_err("expired").status, 410);
    }

    #[test]
    fn tokens_lead_back() {
        let query = read(&[("style", "cursor")]).expect("a good query");
        for position in [
            Position::Skip(40),
            Position::After { stamp: -5, key: 7 },
            Position::Snapshot { number: 2, skip: 60 },
        ] {
            assert_eq!(read_token(&query.token_of(position, 3), 3), Ok(position));
        }
    }
}
