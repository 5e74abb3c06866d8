//! The scripted provider: every version that its records ever had, and what it answers at which moment.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use crate::rng::Rng;
use crate::scenario::{Filter, Order, Paging, Scenario};
use crate::stamp::*;

/// Records of one world, and versions of them all: enough for several pages, and for a pass to come to its end.
const RECORDS_MAX: usize = 45;
const VERSIONS_MAX: usize = 2_000;

/// What a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Live,
    /// Marked as deleted.
    Removed,
    /// Not there any more.
    Gone,
}

/// One version of one record: the ground truth.
#[derive(Clone, Debug)]
pub struct Version {
    pub record: usize,
    pub kind: Kind,
    /// The date that the provider gave it, before anything is cut off.
    pub stamp: Micros,
    /// From when on the provider's first replica shows it.
    pub visible: Micros,
    /// Its content. Equal for two versions only when a content was taken back.
    pub content: u64,
}

/// One record.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: String,
    pub created: Micros,
    /// Places in [`World::versions`], oldest first.
    pub versions: Vec<usize>,
}

/// An answer of the provider, before the network has its way with it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Whether it continues a list.
    pub continues: bool,
}

/// The provider.
#[derive(Debug)]
pub struct World {
    pub scenario: Scenario,
    pub rng: Rng,
    pub versions: Vec<Version>,
    pub records: Vec<Record>,
    /// Things that really happened, for the table.
    pub classes: BTreeSet<String>,
    snapshots: Vec<Vec<usize>>,
    contents: u64,
    /// Changes that are still to happen: their instants.
    planned: BTreeMap<Micros, u32>,
    planned_to: Micros,
    /// Nothing changes any more.
    pub quiet: bool,
    /// Stands for the versions of the last answer.
    tag: u64,
    /// The instant of the present answer.
    at: Micros,
    /// When a look at each record failed.
    pub failed_looks: BTreeMap<String, Vec<Micros>>,
    /// When each version stood in a list.
    pub served: BTreeMap<usize, Vec<Micros>>,
    /// Whether the last record that was read alone was not as the primary has it.
    pub is_stale: bool,
}

impl World {
    /// The provider as it is before the first poll.
    pub fn new(scenario: Scenario, rng: Rng) -> World {
        let start = scenario.start;
        let initial = scenario.initial;
        let mut world = World {
            scenario,
            rng,
            versions: Vec::new(),
            records: Vec::new(),
            classes: BTreeSet::new(),
            snapshots: Vec::new(),
            contents: 0,
            planned: BTreeMap::new(),
            planned_to: start,
            quiet: false,
            tag: 0,
            at: start,
            failed_looks: BTreeMap::new(),
            served: BTreeMap::new(),
            is_stale: false,
        };
        world.note_classes();
        for _ in 0..initial {
            let reach = *world.rng.pick(&[HOUR, DAY, 30 * DAY]);
            let at = start - world.rng.between(1, reach);
            world.create(at, at, at);
        }
        world
    }

    /// Classes that lie in the scenario itself.
    fn note_classes(&mut self) {
        let Scenario { skew, date, filter, stamp, start, .. } = self.scenario.clone();
        let mut note = |holds: bool, name: &str| {
            if holds {
                self.classes.insert(name.into());
            }
        };
        note(skew >= MINUTE, "our clock ahead");
        note(skew <= -MINUTE, "our clock behind");
        note(date.is_none(), "no Date");
        note(date.is_some_and(|date| date >= MINUTE), "Date ahead");
        note(date.is_some_and(|date| date <= -MINUTE), "Date behind");
        note(filter.is_none(), "no filter");
        note(filter.is_some_and(|filter| filter.strict), "strict filter");
        note(filter.is_some_and(|filter| filter.cut >= MINUTE), "coarse filter");
        let local = stamp == Stamp::Local || filter.is_some_and(|filter| filter.format == Stamp::Local);
        note(local && Stamp::changes_within(start, 6 * HOUR), "clocks of a zone change");
    }

    /// A class of what can go wrong really occurred.
    pub fn class(&mut self, name: impl Into<String>) {
        self.classes.insert(name.into());
    }

    fn plan_until(&mut self, to: Micros) {
        while self.planned_to < to && !self.quiet {
            let from = self.planned_to;
            self.planned_to += self.scenario.interval;
            for _ in 0..self.rng.below(2 * self.scenario.changes + 1) {
                let at = from + self.rng.between(1, self.scenario.interval - 1);
                *self.planned.entry(at).or_default() += 1;
            }
        }
    }

    /// When something changes next, up to `to`.
    pub fn next_change(&mut self, to: Micros) -> Option<Micros> {
        self.plan_until(to);
        self.planned.keys().next().copied()
    }

    /// Lets time pass up to `to`: what changes meanwhile, changes.
    pub fn run_until(&mut self, to: Micros) {
        self.plan_until(to);
        while let Some(entry) = self.planned.first_entry().filter(|entry| *entry.key() <= to) {
            let (at, count) = entry.remove_entry();
            for _ in 0..count {
                self.change(at);
            }
        }
    }

    /// The end of all changes.
    pub fn fall_silent(&mut self) {
        self.quiet = true;
        self.planned.clear();
    }

    /// One change at this instant.
    pub fn change(&mut self, at: Micros) {
        if self.versions.len() >= VERSIONS_MAX {
            return;
        }
        if self.rng.percent(self.scenario.burst_percent) {
            let count = self.rng.between(3, 3 * i64::from(self.scenario.page_size));
            for _ in 0..count {
                self.single(at);
            }
            self.class("equal stamps");
        } else {
            self.single(at);
        }
    }

    fn single(&mut self, at: Micros) {
        let live: Vec<usize> = (0..self.records.len()).filter(|at| self.kind(*at) == Kind::Live).collect();
        let few = self.records.len() < RECORDS_MAX;
        if few && (live.is_empty() || self.records.len() < 4 || self.rng.percent(25)) {
            let (stamp, visible) = self.times(at, None);
            self.create(at, stamp, visible);
            return;
        }
        // Now and then one that was deleted comes back.
        let any = live.is_empty() || self.rng.percent(4);
        let record =
            if any { self.rng.below(self.records.len() as u64) as usize } else { *self.rng.pick(&live) };
        // Too many at once, and a sweep asks a person: not the subject here.
        let gone = self.versions.iter().filter(|version| version.kind == Kind::Gone).count();
        let braked = self.scenario.sweep.is_some() && !self.scenario.soft_delete && gone >= 18;
        let deletes =
            self.rng.percent(self.scenario.delete_percent) && self.kind(record) == Kind::Live && !braked;
        let kind = match (deletes, self.scenario.soft_delete) {
            (false, _) => Kind::Live,
            (true, true) => Kind::Removed,
            (true, false) => Kind::Gone,
        };
        if deletes {
            self.class(if kind == Kind::Gone { "hard delete" } else { "soft delete" });
        }
        if kind == Kind::Gone {
            // What is gone is gone at once: there is nothing to be late.
            let content = self.fresh_content();
            self.add(record, kind, at, at, content);
            return;
        }
        let (stamp, visible) = self.times(at, Some(record));
        let content = self.content(record, kind, stamp);
        self.add(record, kind, stamp, visible, content);
    }

    fn kind(&self, record: usize) -> Kind {
        self.records[record].versions.last().map_or(Kind::Gone, |last| self.versions[*last].kind)
    }

    fn fresh_content(&mut self) -> u64 {
        self.contents += 1;
        self.contents
    }

    /// The content of a new version: often one that is not the last, on the same date.
    fn content(&mut self, record: usize, kind: Kind, stamp: Micros) -> u64 {
        let last_two = self.records[record].versions.iter().rev().take(2).copied().collect::<Vec<_>>();
        if let ([last, before], Kind::Live) = (last_two.as_slice(), kind)
            && self.rng.percent(self.scenario.flip_percent)
            && self.versions[*before].kind == Kind::Live
            && self.versions[*last].kind == Kind::Live
            && self.shown(self.versions[*before].stamp) == self.shown(stamp)
        {
            self.class("content flips back on one date");
            return self.versions[*before].content;
        }
        self.fresh_content()
    }

    /// Date and first visibility of a change at this instant.
    fn times(&mut self, at: Micros, record: Option<usize>) -> (Micros, Micros) {
        if self.rng.percent(self.scenario.future_percent) {
            self.class("future date");
            let ahead = *self.rng.pick(&[HOUR, DAY, 300 * DAY]);
            return (at + self.rng.between(1, ahead), at);
        }
        let settling = self.scenario.settling();
        if self.rng.percent(self.scenario.lag_percent) {
            let (name, factor) = *self.rng.pick(&[("0.5", 50), ("0.99", 99), ("1.01", 101), ("10", 1_000)]);
            let late = settling * factor / 100 - self.scenario.replica_lag();
            // A record is not served before it exists, nor a later version before an earlier one.
            let floor = record.map_or(at, |record| self.last_visible(record));
            if late > 0 && at + late >= floor {
                self.class(format!("late by {name} × (pollDelay + overlap)"));
                return (at, at + late);
            }
        }
        (at, at)
    }

    fn last_visible(&self, record: usize) -> Micros {
        self.records[record].versions.iter().map(|at| self.versions[*at].visible).max().unwrap_or(0)
    }

    fn create(&mut self, at: Micros, stamp: Micros, visible: Micros) {
        let number = self.records.len();
        let id =
            if self.scenario.text_ids { format!("c-{number:03}") } else { format!("90071992547{number:06}") };
        self.records.push(Record { id, created: stamp.min(at), versions: Vec::new() });
        let content = self.fresh_content();
        self.add(number, Kind::Live, stamp, visible, content);
    }

    fn add(&mut self, record: usize, kind: Kind, stamp: Micros, visible: Micros, content: u64) {
        self.records[record].versions.push(self.versions.len());
        self.versions.push(Version { record, kind, stamp, visible, content });
    }

    /// The instant as a reader of a record sees it.
    pub fn shown(&self, at: Micros) -> Micros {
        self.scenario.stamp.shown(at)
    }

    fn stored(&self, at: Micros) -> Micros {
        at.div_euclid(self.scenario.stored_unit) * self.scenario.stored_unit
    }

    /// The version of a record that a replica so far behind shows at this instant.
    pub fn current(&self, record: usize, at: Micros, behind: Micros) -> Option<usize> {
        let of_record = self.records[record].versions.iter().rev();
        of_record.copied().find(|version| self.versions[*version].visible + behind <= at)
    }

    fn listed(&self, at: Micros, behind: Micros) -> Vec<usize> {
        let current = (0..self.records.len()).filter_map(|record| self.current(record, at, behind));
        current.filter(|version| self.versions[*version].kind != Kind::Gone).collect()
    }

    /// Answers a request at this instant.
    pub fn answer(&mut self, url: &str, at: Micros, etag: Option<&str>) -> Answer {
        let url = Url::parse(url).expect("the machine asks for well-formed addresses");
        self.at = at;
        let replica = self.rng.below(self.scenario.replicas.len() as u64) as usize;
        let behind = self.scenario.replicas[replica];
        if behind > 0 {
            self.class("stale replica");
        }
        let mut answer = if let Some(id) = url.path().strip_prefix("/v1/one/") {
            self.one(id, at, behind)
        } else {
            self.list(&url, at, behind)
        };
        if let Some(ahead) = self.scenario.date {
            answer.headers.push(("date".into(), http_date(at + ahead)));
        }
        if self.scenario.conditional && answer.status == 200 {
            let tag = format!("\"{:x}\"", self.tag);
            if etag == Some(tag.as_str()) {
                self.class("not modified");
                answer = Answer { status: 304, body: String::new(), ..answer };
            }
            answer.headers.push(("etag".into(), tag));
        }
        answer
    }

    fn one(&mut self, id: &str, at: Micros, behind: Micros) -> Answer {
        let record = self.records.iter().position(|record| record.id == id);
        let version = record.and_then(|record| self.current(record, at, behind));
        self.is_stale = version != record.and_then(|record| self.current(record, at, 0));
        match version.filter(|version| self.versions[*version].kind != Kind::Gone) {
            Some(version) => {
                let body = self.body_of(version);
                self.tag = version as u64;
                Answer { status: 200, headers: Vec::new(), body, continues: false }
            }
            None => Answer { status: 404, headers: Vec::new(), body: "{}".into(), continues: false },
        }
    }

    fn list(&mut self, url: &Url, at: Micros, behind: Micros) -> Answer {
        let mut query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let token = query.remove("token");
        let size = query.get("limit").and_then(|size| size.parse().ok()).unwrap_or(usize::MAX);
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
        if let Some(rest) = token.as_deref().and_then(|token| token.strip_prefix("s.")) {
            return self.frozen(rest, size);
        }
        let versions = self.sorted(url, at, behind, query.get("since").or(query.get("updated_gte")));
        if self.scenario.paging == Paging::KeySet {
            return self.after(versions, token.as_deref(), size);
        }
        if self.scenario.paging == Paging::Snapshot && versions.len() > size {
            self.snapshots.push(versions.clone());
        }
        let skip = match self.scenario.paging {
            Paging::None | Paging::Snapshot | Paging::KeySet => 0,
            Paging::Page | Paging::Link => (number("page").unwrap_or(1) - 1) * size.min(1 << 20),
            Paging::Offset | Paging::Next => number("skip").unwrap_or(0),
        };
        let end = skip.saturating_add(size).min(versions.len());
        let page = versions.get(skip..end).unwrap_or_default().to_vec();
        let more = end < versions.len();
        let mut headers = Vec::new();
        let mut next = "null".to_string();
        match self.scenario.paging {
            Paging::Link => {
                let mut links = format!("<{}>; rel=\"first\"", replaced(url, "page", "1"));
                if more {
                    let page = (skip / size + 2).to_string();
                    links = format!("<{}>; rel=\"next\", {links}", replaced(url, "page", &page));
                }
                headers.push(("link".to_string(), links));
            }
            Paging::Next if more => next = format!("\"{}\"", replaced(url, "skip", &end.to_string())),
            Paging::Snapshot if more => next = format!("\"s.{}.{end}\"", self.snapshots.len() - 1),
            _ => {}
        }
        let continues = skip > 0;
        Answer { status: 200, headers, body: self.page(&page, &next, more), continues }
    }

    /// The next piece of a frozen list.
    fn frozen(&mut self, rest: &str, size: usize) -> Answer {
        let (which, skip) = rest.split_once('.').expect("a token of ours");
        let (which, skip): (usize, usize) = (which.parse().expect("ours"), skip.parse().expect("ours"));
        let Some(versions) = self.snapshots.get(which).filter(|versions| !versions.is_empty()).cloned()
        else {
            return Answer { status: 410, headers: Vec::new(), body: "{}".into(), continues: true };
        };
        if self.rng.percent(self.scenario.failure_percent + 2) {
            self.class("token expires");
            self.snapshots[which].clear();
            return Answer { status: 410, headers: Vec::new(), body: "{}".into(), continues: true };
        }
        let end = skip.saturating_add(size).min(versions.len());
        let more = end < versions.len();
        let next = if more { format!("\"s.{which}.{end}\"") } else { "null".into() };
        let body = self.page(&versions[skip..end], &next, more);
        Answer { status: 200, headers: Vec::new(), body, continues: true }
    }

    /// The records after a key.
    fn after(&mut self, versions: Vec<usize>, token: Option<&str>, size: usize) -> Answer {
        let continues = token.is_some();
        let key = token.and_then(|token| token.strip_prefix("k.")?.split_once('.'));
        let key = key
            .map(|(at, record)| (at.parse::<i64>().expect("ours"), record.parse::<usize>().expect("ours")));
        let beyond: Vec<usize> = versions
            .into_iter()
            .filter(|version| key.is_none_or(|key| self.place(*version) > self.place_of(key)))
            .collect();
        let page = &beyond[..size.min(beyond.len())];
        let more = page.len() < beyond.len();
        let next = match page.last() {
            Some(last) if more => {
                let version = &self.versions[*last];
                format!("\"k.{}.{}\"", self.stored(version.stamp), version.record)
            }
            _ => "null".into(),
        };
        let page = page.to_vec();
        Answer { status: 200, headers: Vec::new(), body: self.page(&page, &next, more), continues }
    }

    fn place(&self, version: usize) -> (i64, usize) {
        let version = &self.versions[version];
        self.place_of((self.stored(version.stamp), version.record))
    }

    fn place_of(&self, (stored, record): (i64, usize)) -> (i64, usize) {
        match self.scenario.order {
            Order::Ascending => (stored, record),
            Order::Descending => (-stored, record),
            Order::ById => (0, record),
        }
    }

    fn sorted(&mut self, url: &Url, at: Micros, behind: Micros, bound: Option<&String>) -> Vec<usize> {
        let mut versions = self.listed(at, behind);
        if let (Some(filter), "/v1/list") = (self.scenario.filter, url.path())
            && let Some(text) = bound
        {
            let bound = filter.format.read(text, filter.later).expect("the bound is written as declared");
            versions.retain(|version| self.passes(filter, self.versions[*version].stamp, bound));
        }
        if self.scenario.shuffled {
            let salt = self.rng.next();
            versions.sort_by_key(|version| {
                let (stored, record) = self.place(*version);
                (stored, Rng::new(salt ^ record as u64).next())
            });
            self.class("ties shuffled");
        } else {
            versions.sort_by_key(|version| self.place(*version));
        }
        versions
    }

    fn passes(&self, filter: Filter, stamp: Micros, bound: Micros) -> bool {
        let cut = |at: Micros| at.div_euclid(filter.cut) * filter.cut;
        let (stamp, bound) = (cut(self.stored(stamp)), cut(bound));
        stamp > bound || stamp == bound && !filter.strict
    }

    fn page(&mut self, versions: &[usize], next: &str, more: bool) -> String {
        self.tag =
            versions.iter().fold(u64::from(more), |tag, at| Rng::new(tag ^ *at as u64 ^ 1 << 40).next());
        for version in versions {
            self.served.entry(*version).or_default().push(self.at);
        }
        let records: Vec<String> = versions.iter().map(|version| self.body_of(*version)).collect();
        let list = format!("[{}]", records.join([",", ", ", ",\n "][self.rng.below(3) as usize]));
        if !self.scenario.enveloped() {
            return list;
        }
        let meta = format!("{{\"more\": {more}, \"next\": {next}}}");
        if self.rng.percent(50) {
            format!("{{\"meta\": {meta}, \"data\": {{\"items\": {list}}}}}")
        } else {
            format!("{{\"data\":{{\"count\":{},\"items\":{list}}},\"meta\":{meta}}}", versions.len() + 7)
        }
    }

    /// A record as it is served: never twice in the same bytes.
    fn body_of(&mut self, version: usize) -> String {
        let Version { record, kind, stamp, content, .. } = self.versions[version].clone();
        let Record { id, created, .. } = &self.records[record];
        let id = if self.scenario.text_ids { format!("\"{id}\"") } else { id.clone() };
        let print = |at| self.scenario.stamp.print(at);
        let mut members = vec![
            format!("\"id\":{id}"),
            format!("\"content\":{content}"),
            format!("\"dates\":{{\"updated\":{},\"created\":{}}}", print(stamp), print(*created)),
        ];
        if self.scenario.soft_delete {
            members.push(format!("\"removed\":{}", kind == Kind::Removed));
        }
        if self.scenario.volatile {
            self.classes.insert("volatile member".into());
            members.push(format!("\"stats\":{{\"views\":{}}}", self.rng.below(1_000_000)));
        }
        if self.scenario.fault == Some(crate::fault::Fault::RawHash) {
            members.push(format!("\"raw\":{}", self.rng.below(1_000_000)));
        }
        let turn = self.rng.below(members.len() as u64) as usize;
        members.rotate_left(turn);
        let (open, between) = *self.rng.pick(&[("{", ","), ("{ ", ", "), ("{\n", ",\n")]);
        format!("{open}{}}}", members.join(between))
    }

    /// Whether two instants lie where a local time may be read as one hour earlier or later than it was meant.
    pub fn doubled_hour(&self, one: Micros, two: Micros) -> bool {
        self.scenario.stamp == Stamp::Local && (one - two).abs() <= HOUR && {
            let reads_back = |at: Micros| self.shown(at) != at.div_euclid(SECOND) * SECOND;
            reads_back(one) || reads_back(two)
        }
    }

    /// Whether a version's date is written like another's.
    pub fn same_unit(&self, one: usize, two: usize) -> bool {
        let text = |version: usize| self.scenario.stamp.print(self.versions[version].stamp);
        text(one) == text(two)
    }
}

fn replaced(url: &Url, name: &str, value: &str) -> String {
    let mut new = url.clone();
    let kept: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    new.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
    new.into()
}
