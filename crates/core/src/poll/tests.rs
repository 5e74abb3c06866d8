//! Passes from their first question to their last, with a provider that is a function of the URL and a ledger in
//! memory. The simulator finds what nobody thought of; what it once found, and finds only in one seed of thousands,
//! stands here.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Batch, Brake, Finish, Notices, Options, Pass, Plan, PollerState, RunKind, Start, start};
use crate::check::{CheckSettings, check_resource};
use crate::event::Event;
use crate::id::{InstanceId, OrgId, PollerId, RunId};
use crate::ledger::{Entry, Known, KnownVersion, Recall, Version};
use crate::resource::Resource;
use crate::run::{Reply, Request, Response, Step};

/// Our clock at the beginning.
const START: &str = "2024-03-01T12:00:00Z";

mod looks;
mod moved;

struct Rig {
    resource: Resource,
    state: PollerState,
    pass: Option<Pass>,
    entries: BTreeMap<String, Entry>,
    versions: HashSet<Version>,
    now: Timestamp,
    /// The provider's `Date` minus our clock.
    date: SignedDuration,
    runs: u64,
    asked: Vec<String>,
    /// What the provider's notifications named, for the next run.
    notices: Option<Notices>,
    /// What the last run heard of, as `id` or `id again`.
    heard: Vec<String>,
    /// The last run's end.
    finish: Option<Finish>,
}

impl Rig {
    /// A resource of records `{"id", "at"}`, with these settings on top.
    fn new(settings: &Value) -> Rig {
        let mut value = json!({
            "url": "/list", "idField": "id", "overlap": 60, "startFrom": "beginning",
            "pagination": {"type": "none"},
            "datesConfiguration": {"updatedDateField": "at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'"},
        });
        for (name, setting) in settings.as_object().into_iter().flatten() {
            value[name] = setting.clone();
        }
        let now: Timestamp = START.parse().unwrap();
        let checked =
            check_resource("contacts", &value, &CheckSettings::new(now), Some("https://x.example.com"));
        assert!(checked.faults.is_empty(), "{:?}", checked.faults);
        Rig {
            resource: checked.resources.into_iter().next().unwrap(),
            state: PollerState::default(),
            pass: None,
            entries: BTreeMap::new(),
            versions: HashSet::new(),
            now,
            date: SignedDuration::ZERO,
            runs: 0,
            asked: Vec::new(),
            notices: None,
            heard: Vec::new(),
            finish: None,
        }
    }

    /// Seconds after the beginning, as a record writes them.
    fn at(seconds: i64) -> String {
        (START.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)).to_string()
    }

    /// One run at `seconds` after the beginning; its events as `TYPE id`.
    fn run(
        &mut self,
        seconds: i64,
        kind: RunKind,
        provider: &mut dyn FnMut(&str) -> (u16, String),
    ) -> Vec<String> {
        let events = self.try_run(seconds, Some(kind), provider);
        let finish = self.finish.as_ref().unwrap();
        assert!(finish.run.error.is_none(), "{:?}", finish.run.error);
        events
    }

    /// The same, of the kind that is due where none is named, and whether it ends well or not.
    fn try_run(
        &mut self,
        seconds: i64,
        kind: Option<RunKind>,
        provider: &mut dyn FnMut(&str) -> (u16, String),
    ) -> Vec<String> {
        self.heard.clear();
        self.now = Rig::at(seconds).parse().unwrap();
        self.runs += 1;
        let plan = Plan {
            org: OrgId(1),
            instance: InstanceId(1),
            poller: PollerId(1),
            element_key: "k".into(),
            resource: self.resource.clone(),
            revision: 1,
            interval: Duration::from_secs(60),
        };
        let mut step = start(Start {
            plan: Arc::new(plan),
            state: self.state.clone(),
            pass: self.pass.take(),
            run: RunId::new(self.now, self.runs),
            now: self.now,
            due: self.now,
            entropy: 0,
            options: Options { kind, ..Options::default() },
            notices: self.notices.take(),
        });
        let mut events = Vec::new();
        loop {
            step = match step {
                Step::Fetch(requests, waiting) => {
                    let replies = requests.0.iter().map(|request| self.reply(request, provider)).collect();
                    waiting.resume(replies)
                }
                Step::Recall(recall, waiting) => waiting.resume(self.known(recall)),
                Step::Wait(pause, waiting) => {
                    self.now += pause;
                    waiting.resume(self.now)
                }
                Step::Commit(batch, request, waiting) => {
                    self.apply(*batch, &mut events);
                    waiting.resume(request.map(|request| self.reply(&request, provider)))
                }
                Step::Done(finish) => {
                    self.state = PollerState::read(&finish.state).unwrap();
                    self.apply(finish.batch.clone(), &mut events);
                    self.finish = Some(*finish);
                    return events
                        .iter()
                        .map(|event| format!("{} {}", event.event_type, event.object_id))
                        .collect();
                }
            };
        }
    }

    fn poll(&mut self, seconds: i64, list: &[(&str, i64)]) -> Vec<String> {
        self.run(seconds, RunKind::Poll, &mut |_| (200, records(list)))
    }

    /// A sweep that reads this list, and this answer where it looks at a missing record.
    fn sweep(&mut self, seconds: i64, list: &[(&str, i64)], look: (u16, &str)) -> Vec<String> {
        self.run(seconds, RunKind::Sweep, &mut |url| match url.contains("/one/") {
            true => (look.0, look.1.to_string()),
            false => (200, records(list)),
        })
    }

    fn reply(&mut self, request: &Request, provider: &mut dyn FnMut(&str) -> (u16, String)) -> Reply {
        let path = request.url.trim_start_matches("https://x.example.com").to_string();
        let (status, body) = provider(&path);
        self.asked.push(path);
        let sent_at = self.now;
        self.now += SignedDuration::from_millis(50);
        let date = (self.now + self.date).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let response = Response { status, headers: vec![("date".into(), date)], body };
        Reply { sent_at, to_head: Duration::from_millis(50), outcome: Ok(response) }
    }

    fn known(&self, recall: Recall) -> Known {
        match recall {
            Recall::Versions(versions) => {
                let known = versions.into_iter().map(|version| {
                    let entry = self.entries.get(&version.id).cloned();
                    let last = entry.as_ref().is_some_and(|entry| entry.version() == version);
                    KnownVersion {
                        version: last || self.versions.contains(&version),
                        entry,
                        announced_at: None,
                    }
                });
                Known::Versions(known.collect())
            }
            Recall::Missing { last_sweep_below, after, limit } => {
                let alive = || self.entries.values().filter(|entry| entry.deleted_at.is_none());
                let missing = || alive().filter(|entry| entry.last_sweep < last_sweep_below);
                let next = missing().filter(|entry| after.as_ref().is_none_or(|after| entry.id > *after));
                Known::Missing {
                    entries: next.take(limit as usize).cloned().collect(),
                    missing: missing().count() as u64,
                    alive: alive().count() as u64,
                }
            }
        }
    }

    fn apply(&mut self, batch: Batch, events: &mut Vec<Event>) {
        for id in batch.swept {
            self.entries.get_mut(&id).unwrap().last_sweep = batch.sweep;
        }
        let again = |again| if again { " again" } else { "" };
        self.heard
            .extend(batch.heard.iter().map(|heard| format!("{}{}", heard.object_id, again(heard.again))));
        self.versions.extend(batch.versions);
        self.entries.extend(batch.entries.into_iter().map(|entry| (entry.id.clone(), entry)));
        events.extend(batch.events);
    }
}

/// A list of records with their dates, in seconds after the beginning. The date is the content.
fn records(list: &[(&str, i64)]) -> String {
    let records = list.iter().map(|(id, at)| json!({"id": id, "at": Rig::at(*at)}));
    Value::Array(records.collect()).to_string()
}

/// Records `skip..skip + limit` of a list.
fn page(list: &[(&str, i64)], skip: usize, limit: usize) -> (u16, String) {
    (200, records(&list[skip.min(list.len())..(skip + limit).min(list.len())]))
}

fn number(url: &str, name: &str) -> usize {
    let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
    rest.split('&').next().unwrap().parse().unwrap()
}

const DAY: i64 = 24 * 3600;

fn sweeping() -> Rig {
    Rig::new(&json!({"sweep": {"every": "1 polls", "url": "/list", "readUrl": "/one/{id}"}}))
}

#[test]
fn a_sweep_decides_nothing_about_a_record_that_a_replica_may_not_have_yet() {
    let mut rig = sweeping();
    rig.poll(0, &[("a", -DAY)]);
    assert_eq!(rig.poll(100, &[("b", 99)]), ["CREATED b"]);
    let gone = (404, "{}");
    rig.sweep(110, &[("a", -DAY)], gone);
    assert!(rig.sweep(120, &[("a", -DAY)], gone).is_empty());
    assert_eq!(rig.sweep(170, &[("a", -DAY)], gone), ["DELETED b"]);
}

#[test]
fn a_person_decides_about_young_records_as_well() {
    let mut rig = sweeping();
    rig.poll(0, &[("a", -DAY)]);
    rig.poll(100, &[("b", 99)]);
    rig.sweep(110, &[("a", -DAY)], (404, "{}"));
    rig.state.brake = Some(Brake { missing: 1, known: 2, released: true });
    assert_eq!(rig.sweep(120, &[("a", -DAY)], (404, "{}")), ["DELETED b"]);
}

#[test]
fn a_look_that_is_answered_with_a_page_for_people_decides_nothing() {
    let mut rig = sweeping();
    rig.poll(0, &[("a", -DAY), ("b", -DAY)]);
    rig.sweep(1_000, &[("a", -DAY)], (404, "{}"));
    assert!(rig.sweep(2_000, &[("a", -DAY)], (200, "<html>Sign in</html>")).is_empty());
    assert_eq!(rig.sweep(3_000, &[("a", -DAY)], (404, "{}")), ["DELETED b"], "missing since three sweeps");
}

#[test]
fn a_look_that_is_answered_keeps_the_record() {
    let mut rig = sweeping();
    rig.poll(0, &[("a", -DAY), ("b", -DAY)]);
    rig.sweep(1_000, &[("a", -DAY)], (404, "{}"));
    assert!(rig.sweep(2_000, &[("a", -DAY)], (200, "{\"id\":\"b\"}")).is_empty());
    assert!(rig.sweep(3_000, &[("a", -DAY)], (404, "{}")).is_empty(), "missing in one sweep only");
}

/// A record is corrected, and read; ten seconds later an answer has a version of it that is dated `ahead` of then.
/// What comes of it at once, and what when it is still served after the settling time.
#[track_caller]
fn check_ahead(date: i64, ahead: i64, at_once: &[&str], later: &[&str]) {
    let mut rig = Rig::new(&json!({}));
    rig.date = SignedDuration::from_secs(date);
    rig.poll(0, &[("a", -DAY)]);
    assert_eq!(rig.poll(100, &[("a", 95)]), ["UPDATED a"]);
    assert_eq!(
        rig.poll(110, &[("a", 110 + ahead)]),
        at_once,
        "at once, {ahead} s ahead, `Date` {date} s ahead"
    );
    assert_eq!(rig.poll(170, &[("a", 110 + ahead)]), later, "later, {ahead} s ahead, `Date` {date} s ahead");
}

#[test]
fn a_date_that_no_clock_can_have_reached_does_not_order_versions() {
    check_ahead(0, 300 * DAY, &[], &["UPDATED a"]);
    check_ahead(-600, 1_210, &[], &["UPDATED a"]);
    check_ahead(600, 1_810, &[], &["UPDATED a"]);
}

#[test]
fn a_date_that_a_clock_may_have_reached_is_believed() {
    check_ahead(-600, 1_190, &["UPDATED a"], &[]);
    check_ahead(600, 1_790, &["UPDATED a"], &[]);
    check_ahead(0, 50, &["UPDATED a"], &[]);
}

/// A page that does not hold the last record of the page before it was read from a list that has shifted.
#[test]
fn what_a_page_that_does_not_join_has_shown_is_reported() {
    let offsets = json!({
        "pageSize": 2, "pagination": {"type": "offset", "offset": "skip", "size": "limit"},
    });
    let mut rig = Rig::new(&offsets);
    let mut shifted = false;
    let events = rig.run(0, RunKind::Poll, &mut |url| match number(url, "skip") {
        1 if !std::mem::replace(&mut shifted, true) => page(&[("x", -5), ("y", -4)], 0, 2),
        skip => page(&[("a", -9), ("b", -8), ("c", -7)], skip, 2),
    });
    assert_eq!(events, ["CREATED a", "CREATED b", "CREATED x", "CREATED y", "CREATED c"]);
}

#[test]
fn what_the_first_window_has_shown_is_reported_though_it_begins_again() {
    let mut rig = Rig::new(&json!({
        "url": "/list?since_gte=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}", "startFrom": "now",
    }));
    rig.date = SignedDuration::from_secs(-600);
    let mut answers = [records(&[("x", -1)]), records(&[])].into_iter();
    let events = rig.run(0, RunKind::Poll, &mut |_| (200, answers.next().unwrap()));
    assert_eq!(rig.asked.len(), 2, "the window begins again at the provider's time");
    assert_eq!(events, ["CREATED x"]);
}

#[test]
fn a_bound_under_which_several_pages_were_read_moves_by_one_unit() {
    let list = [("a", 10), ("b", 10), ("c", 10), ("d", 15), ("e", 19), ("f", 25)];
    let mut rig = Rig::new(&json!({
        "url": "/list?since_gte=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}", "startFrom": Rig::at(10), "sort": "asc",
        "pageSize": 2, "pagination": {"type": "page", "page": "page", "size": "limit"},
    }));
    let events = rig.run(100, RunKind::Poll, &mut |url| {
        let since = url.split_once("since_gte=").unwrap().1.split('&').next().unwrap().replace("%3A", ":");
        let from = list.iter().position(|(_, at)| Rig::at(*at) >= since).unwrap_or(list.len());
        page(&list[from..], 2 * (number(url, "page") - 1), 2)
    });
    assert_eq!(events.len(), list.len());
    let mut bounds: Vec<String> = Vec::new();
    for url in &rig.asked {
        bounds.push(url.split_once("since_gte=").unwrap().1.split('&').next().unwrap().replace("%3A", ":"));
    }
    bounds.dedup();
    // The crowded second fills two pages; from the next one on first pages show all, and the bound goes to their end.
    assert_eq!(bounds, [10, 11, 19, 25].map(Rig::at));
}
