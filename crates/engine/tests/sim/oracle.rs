//! What is right, decided from two logs only: what the provider had and showed, and what the receiver got.
//!
//! A version **must** be reported when the provider showed it, on every replica, during the whole of a pass that was
//! closed as complete, and when it became visible within `pollDelay + overlap` after its own date. A version that came
//! later than that is *late*: it must be reported when a sweep was complete while it was shown. What came and went
//! between two passes is nobody's duty. Of the beginning: dated before the first request that counts, nothing is due.
//!
//! A version that is not newer than an earlier one of its record (a content taken back on the same date, a date before
//! the last one, a date that lies ahead) looks like a stale replica's answer until `pollDelay + overlap` has passed:
//! due from then on.

use std::collections::{BTreeMap, BTreeSet};

use turnstone_core::event::{Event, EventType};
use turnstone_core::poll::RunKind;

use crate::hub::ClosedPass;
use crate::scenario::{From, Paging, Scenario};
use crate::stamp::*;
use crate::world::{Kind, Version, World};

/// How far ahead of every clock a date must lie before nobody takes it for the time of writing.
const AHEAD: Micros = 20 * MINUTE;

/// What the oracle found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
    pub disordered: Vec<String>,
    pub invented: Vec<String>,
    /// Cursors of monitors that went where they must not.
    pub moved: Vec<String>,
    /// Violations that a stated limit explains, by its name.
    pub limits: BTreeMap<&'static str, u64>,
    /// Versions that were due and arrived.
    pub arrived: u64,
    pub late: u64,
    pub late_found_by_sweep: u64,
    pub events: u64,
    /// Events at the receiver, repeats included.
    pub arrivals: u64,
    pub requests: u64,
    pub passes: u64,
    /// Notifications of objects that are not polled, and became events.
    pub notified: u64,
    pub classes: BTreeSet<String>,
    pub trace: Vec<String>,
}

impl Verdict {
    /// Whether the promise was broken.
    pub fn is_broken(&self) -> bool {
        !(self.lost.is_empty()
            && self.doubled.is_empty()
            && self.disordered.is_empty()
            && self.invented.is_empty()
            && self.moved.is_empty())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Lost,
    Doubled,
    Disordered,
    Invented,
}

struct Oracle<'a> {
    world: &'a World,
    passes: &'a [ClosedPass],
    /// Dated before this, nothing is due.
    due_from: Micros,
    /// Visible before this, nothing is due: the provider tells no time.
    silent_until: Micros,
    /// Records of which a stale version was taken for a new one.
    mistaken: BTreeSet<usize>,
    verdict: Verdict,
}

/// Judges a world by what was received.
pub fn judge(
    world: &World,
    passes: &[ClosedPass],
    baseline: Option<Micros>,
    received: &[Received],
) -> Verdict {
    let first_pass_end = passes.first().map_or(Micros::MAX, |pass| pass.to);
    let (due_from, silent_until) = match world.scenario.from {
        From::Beginning => (Micros::MIN, Micros::MIN),
        From::Instant(at) => (at, Micros::MIN),
        From::Now if world.scenario.date.is_none() => (baseline.unwrap_or(Micros::MAX), first_pass_end),
        From::Now => (baseline.unwrap_or(Micros::MAX), Micros::MIN),
    };
    let mistaken = BTreeSet::new();
    let mut oracle = Oracle { world, passes, due_from, silent_until, mistaken, verdict: Verdict::default() };
    oracle.verdict.classes = world.classes.clone();
    oracle.verdict.events = received.len() as u64;
    oracle.verdict.passes = passes.len() as u64;
    let mut by_record: BTreeMap<&str, Vec<&Received>> = BTreeMap::new();
    for arrival in received {
        let of_record = by_record.entry(arrival.event.object_id.as_str()).or_default();
        // At least once, under a stable id: a repeat is a repeat.
        if !of_record.iter().any(|known| known.event.id == arrival.event.id) {
            of_record.push(arrival);
        }
    }
    for record in 0..world.records.len() {
        let events = by_record.remove(world.records[record].id.as_str()).unwrap_or_default();
        oracle.record(record, &events);
    }
    for id in by_record.keys() {
        oracle.verdict.invented.push(format!("events of `{id}`, which never was"));
    }
    oracle.verdict
}

/// An event as it came to the receiver.
#[derive(Clone, Debug)]
pub struct Received {
    pub event: Event,
    /// When it was recorded, in true time.
    pub at: Micros,
}

/// An event that was matched with the version that it reports.
struct Matched {
    version: usize,
    /// When it was recorded.
    at: Micros,
}

impl Oracle<'_> {
    fn record(&mut self, record: usize, events: &[&Received]) {
        let mut matched: Vec<Matched> = Vec::new();
        let mut sequence = 0;
        for Received { event, at } in events {
            if event.sequence != sequence + 1 {
                let what = format!("`{}`: sequence {} after {sequence}", event.object_id, event.sequence);
                self.wrong(Wrong::Disordered, record, None, Some(*at), what);
            }
            sequence = event.sequence;
            self.take(record, event, *at, &mut matched);
        }
        for place in 0..self.world.records[record].versions.len() {
            self.due(record, place, &matched);
        }
    }

    /// Finds the version that an event reports: of several that look the same, the last that was there by then.
    fn take(&mut self, record: usize, event: &Event, at: Micros, matched: &mut Vec<Matched>) {
        let versions = &self.world.records[record].versions;
        let last = matched.iter().map(|matched| matched.version).max();
        let candidates: Vec<usize> =
            versions.iter().copied().filter(|version| self.is_reported_by(*version, event)).collect();
        let Some(first) = candidates.first() else {
            let what =
                format!("`{}`: {} of what never was: {:?}", event.object_id, event.event_type, event.record);
            return self.wrong(Wrong::Invented, record, None, Some(at), what);
        };
        let next = candidates.iter().rev().find(|version| {
            self.world.versions[**version].visible <= at && last.is_none_or(|last| **version > last)
        });
        match next {
            Some(version) => matched.push(Matched { version: *version, at }),
            None => {
                let what = format!(
                    "`{}`: {} after {:?}: {:?}",
                    event.object_id, event.event_type, last, event.record
                );
                let repeat =
                    candidates.iter().any(|version| matched.iter().any(|known| known.version == *version));
                let wrong = if repeat { Wrong::Doubled } else { Wrong::Disordered };
                self.wrong(wrong, record, Some(*first), Some(at), what);
                // True or not, from now on this is what is believed.
                matched.push(Matched { version: *first, at });
            }
        }
    }

    fn is_reported_by(&self, version: usize, event: &Event) -> bool {
        let truth = &self.world.versions[version];
        let Some(text) = &event.record else {
            // A provider that notifies a deletion may mean one that its list marks.
            let notified = self.world.scenario.pushing.is_some() && event.reason.contains("notified");
            let ends = truth.kind == Kind::Gone || notified && truth.kind == Kind::Removed;
            return ends && event.event_type == EventType::Deleted;
        };
        let body: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let stamp = self.world.scenario.stamp.print(truth.stamp);
        let dated = body["dates"]["updated"].to_string();
        truth.kind != Kind::Gone
            && (truth.kind == Kind::Removed) == (event.event_type == EventType::Deleted)
            && body["content"].as_u64() == Some(truth.content)
            && dated == stamp
    }

    /// Whether a version had to be reported, and was.
    fn due(&mut self, record: usize, place: usize, matched: &[Matched]) {
        let versions = &self.world.records[record].versions;
        let version = versions[place];
        let truth = self.world.versions[version].clone();
        let later = &versions[place + 1..];
        let until = later.iter().map(|at| self.world.versions[*at].visible).min().unwrap_or(Micros::MAX);
        let from = truth.visible + self.world.scenario.replica_lag();
        let lateness = from - truth.stamp;
        let late = lateness > self.world.scenario.settling();
        let reported = self.is_satisfied(record, place, matched);
        if truth.kind == Kind::Gone {
            return self.gone_is_due(record, version, from, until, reported, matched);
        }
        if truth.stamp < self.due_from || truth.visible < self.silent_until {
            return;
        }
        let from = if self.looks_old(record, place) {
            // As long as the version before it was read just now, it may be a stale replica's.
            let earlier = matched.iter().filter(|known| known.version < version).map(|known| known.at).max();
            from.max(earlier.unwrap_or(from)) + self.world.scenario.settling() + SECOND
        } else {
            from
        };
        let shown = |pass: &&ClosedPass| pass.from >= from && pass.to < until;
        let pass = match late {
            false => self.passes.iter().find(shown),
            true => self.passes.iter().filter(|pass| pass.kind == RunKind::Sweep).find(shown),
        };
        self.verdict.late += u64::from(late);
        match (pass, reported) {
            (None, _) => {}
            (Some(_), true) => {
                self.verdict.arrived += 1;
                self.verdict.late_found_by_sweep += u64::from(late);
            }
            (Some(pass), false) => {
                let what = format!(
                    "`{}`: content {} dated {} shown from {}, not reported by the {:?} of {} to {}",
                    self.world.records[record].id,
                    truth.content,
                    timestamp(truth.stamp),
                    timestamp(from),
                    pass.kind,
                    timestamp(pass.from),
                    timestamp(pass.to)
                );
                let shifting = matches!(
                    self.world.scenario.paging,
                    Paging::Page | Paging::Offset | Paging::Link | Paging::Next
                );
                if shifting && until < Micros::MAX && !self.was_served(version, from, until) {
                    let limit = "came and went between two polls: in no page of a list that shifted";
                    *self.verdict.limits.entry(limit).or_default() += 1;
                    return;
                }
                self.wrong(Wrong::Lost, record, Some(version), None, what);
            }
        }
    }

    /// Whether a version stood in a list that a complete pass read while the version was inside its window.
    fn was_served(&self, version: usize, from: Micros, until: Micros) -> bool {
        let served = self.world.served.get(&version).map_or(&[][..], Vec::as_slice);
        let stamp = self.world.versions[version].stamp;
        let mut reach = Micros::MIN;
        self.passes.iter().any(|pass| {
            let reached = stamp >= reach;
            if pass.kind == RunKind::Poll {
                reach = pass.from - self.world.scenario.settling();
            }
            let shown = pass.from >= from && pass.to < until;
            shown && reached && served.iter().any(|at| (pass.from..=pass.to).contains(at))
        })
    }

    /// A version without a trace is reported once two sweeps have missed it.
    fn gone_is_due(
        &mut self,
        record: usize,
        version: usize,
        from: Micros,
        until: Micros,
        reported: bool,
        matched: &[Matched],
    ) {
        let was_known = matched.iter().any(|known| known.version < version);
        let sweeps = self
            .passes
            .iter()
            .filter(|pass| pass.kind == RunKind::Sweep && pass.from >= from && pass.to < until);
        // One more than the sweeps that must miss it: one that started over may have seen it under the same number.
        let needed = if self.world.scenario.sweep_reads { 3 } else { 4 };
        // A look that failed decided nothing.
        let failed = self.world.failed_looks.get(&self.world.records[record].id);
        let failed = failed.map_or(0, |at| at.iter().filter(|at| (from..until).contains(*at)).count());
        let needed = needed + failed;
        if was_known && !reported && sweeps.count() >= needed {
            let what =
                format!("`{}`: gone at {}, not reported", self.world.records[record].id, timestamp(from));
            self.wrong(Wrong::Lost, record, Some(version), None, what);
        } else if reported {
            self.verdict.arrived += 1;
        }
    }

    /// Reported itself, or so alike the last version reported before it that nobody could tell.
    fn is_satisfied(&self, record: usize, place: usize, matched: &[Matched]) -> bool {
        let versions = &self.world.records[record].versions;
        let version = versions[place];
        let before = matched.iter().rev().map(|known| known.version).find(|known| *known <= version);
        let alike = |other: usize| {
            let (one, two) = (&self.world.versions[version], &self.world.versions[other]);
            // What is deleted cannot be deleted once more.
            let removed = one.kind != Kind::Live && two.kind != Kind::Live;
            let same = one.kind == two.kind && one.content == two.content;
            removed || same && self.world.same_unit(version, other)
        };
        match before {
            Some(before) => alike(before),
            // Nothing was reported: it may be as it was in the beginning.
            None => versions[..place].iter().any(|other| alike(*other)),
        }
    }

    /// Whether a version is not newer than an earlier one of its record.
    fn looks_old(&self, record: usize, place: usize) -> bool {
        let versions = &self.world.records[record].versions;
        let truth = &self.world.versions[versions[place]];
        versions[..place].iter().any(|other| {
            let earlier = &self.world.versions[*other];
            let (one, two) = (self.world.shown(truth.stamp), self.world.shown(earlier.stamp));
            two > one || two == one && (earlier.content == truth.content || earlier.kind != Kind::Live)
        }) || place > 0 && self.waits_for_clocks(truth)
    }

    /// Whether a version may be dated so far ahead of every clock that nobody takes its date for the time of writing.
    fn waits_for_clocks(&self, truth: &Version) -> bool {
        let Scenario { skew, date, .. } = self.world.scenario;
        let behind = skew.max(date.unwrap_or(skew)).min(0);
        // A date that is the time of writing never waits, whatever the clocks say.
        truth.stamp > truth.visible && self.world.shown(truth.stamp) > truth.visible + behind + AHEAD
    }

    /// Whether a version's date was set ahead by so little that it may be the time of writing at this instant.
    fn may_be_written_by(&self, version: usize, at: Option<Micros>) -> bool {
        let Scenario { skew, date, .. } = self.world.scenario;
        let truth = &self.world.versions[version];
        let ahead = skew.max(date.unwrap_or(skew)).max(0);
        let shown = self.world.shown(truth.stamp);
        truth.stamp > truth.visible && at.is_none_or(|at| shown <= at + ahead + AHEAD + SECOND)
    }

    /// Files a violation: under the limit that explains it, or as broken.
    fn wrong(
        &mut self,
        wrong: Wrong,
        record: usize,
        version: Option<usize>,
        at: Option<Micros>,
        what: String,
    ) {
        if let Some(limit) = self.limit(wrong, record, version, at) {
            self.mistaken.insert(record);
            *self.verdict.limits.entry(limit).or_default() += 1;
            return;
        }
        match wrong {
            Wrong::Lost => self.verdict.lost.push(what),
            Wrong::Doubled => self.verdict.doubled.push(what),
            Wrong::Disordered => self.verdict.disordered.push(what),
            Wrong::Invented => self.verdict.invented.push(what),
        }
    }

    fn limit(
        &self,
        wrong: Wrong,
        record: usize,
        version: Option<usize>,
        at: Option<Micros>,
    ) -> Option<&'static str> {
        // Without a look at what it missed, a sweep has nothing but its pages, and ties can hide a record from three.
        let unread = self.world.scenario.sweep.is_some() && !self.world.scenario.sweep_reads;
        let taken_for_gone = unread && (wrong == Wrong::Invented || self.mistaken.contains(&record));
        if self.world.scenario.shuffled && (wrong == Wrong::Lost || taken_for_gone) {
            return Some("ties shuffled between requests");
        }
        // A stale version that was taken for a new one may look like the true one that follows it.
        let mistaken = wrong == Wrong::Lost && self.mistaken.contains(&record);
        let affected = matches!(wrong, Wrong::Doubled | Wrong::Disordered) || mistaken;
        if self.world.scenario.replicas.len() > 1 && affected {
            return self.not_told_apart(record, version?, at);
        }
        None
    }

    /// Nothing but its date tells a stale replica's version from a new one, and then only when dates grow. Inside one
    /// unit they do not; an hour that occurs twice is one unit of a local time. Neither do they after a date that was
    /// set ahead, once the clocks have come so near to it that it may be the time of writing.
    fn not_told_apart(&self, record: usize, version: usize, at: Option<Micros>) -> Option<&'static str> {
        let versions = &self.world.records[record].versions;
        let stamp = |at: usize| self.world.versions[at].stamp;
        let others = || versions.iter().copied().filter(|other| *other != version);
        let doubled = |other| self.world.doubled_hour(stamp(version), stamp(other));
        if others().any(|other| self.world.same_unit(version, other) || doubled(other)) {
            return Some("stale replica inside the same unit of time");
        }
        let went_back = |other| (other < version) != (stamp(other) < stamp(version));
        let set_ahead = |at_date| self.may_be_written_by(at_date, at);
        others()
            .any(|other| went_back(other) && (set_ahead(version) || set_ahead(other)))
            .then_some("stale replica of a date that was set ahead by minutes")
    }
}

/// Every recorded event arrived at least once under its id, and of each record in the order of its sequence.
pub fn judge_deliveries(recorded: &[Received], arrivals: &[String], verdict: &mut Verdict) {
    let mut first: BTreeMap<String, (String, u64)> = BTreeMap::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for body in arrivals {
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        for member in body["message"]["events"].as_array().into_iter().flatten() {
            let text = |name: &str| member[name].as_str().unwrap_or_default().to_string();
            let (id, record) = (text("eventId"), text("objectId"));
            let sequence = member["sequence"].as_u64().unwrap_or_default();
            verdict.arrivals += 1;
            if first.insert(id.clone(), (record.clone(), sequence)).is_some() {
                continue; // A repeat is a repeat.
            }
            let before = last.insert(record.clone(), sequence).unwrap_or(0);
            if sequence != before + 1 {
                verdict.disordered.push(format!("`{record}` arrived: {sequence} after {before}"));
            }
        }
    }
    for Received { event, .. } in recorded {
        if first.remove(&event.id.to_string()).is_none() {
            verdict.lost.push(format!("event {} of `{}` never arrived", event.id, event.object_id));
        }
    }
    for (id, (record, _)) in first {
        verdict.invented.push(format!("event {id} of `{record}` arrived and was never recorded"));
    }
}
