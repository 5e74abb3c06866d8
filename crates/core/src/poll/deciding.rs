//! From a page and the ledger's knowledge to a batch: every record is judged, and what must agree is put together.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::machine::{AfterCommit, Poll};
use super::outcome::{Batch, Decision, Ignored, RunFault, RunKind, Verdict};
use super::reading::PageRead;
use crate::change::{Change, Circumstances, entry_after, judge, open_superseded};
use crate::event::{Event, EventType, Identity, Moment};
use crate::ledger::{Compared, Entry, KnownVersion, Version};
use crate::limits;
use crate::records::Item;
use crate::run::Step;
use crate::schedule::add;
use crate::window::{LowerBound, instant, unit_is_before};

/// What this page changes, on top of what the ledger knew before it.
#[derive(Default)]
pub(crate) struct Overlay {
    entries: HashMap<String, Entry>,
    versions: HashMap<Version, ()>,
    /// Ids that stand on the page more than once, with their newest value.
    newest: HashMap<String, Option<Compared>>,
}

impl Poll {
    /// Judges a page's records and goes on: to the next page, to another read, or to the end.
    pub(super) fn decide(mut self: Box<Self>, page: PageRead, mut known: Vec<KnownVersion>) -> Step {
        if known.len() != page.items.len() {
            return self.fail(RunFault::new("protocol", "the store answered another question", true), None);
        }
        let mut batch = Batch { sweep: self.sweep_number(), ..Batch::default() };
        let mut overlay = Overlay::of(repeated(&page.items));
        for at in order(&page.items, overlay.repeats()) {
            let item = &page.items[at];
            let known = overlay.over(item, std::mem::take(&mut known[at]));
            if let Err(fault) = self.decide_one(item, known, &page, &mut batch, &mut overlay) {
                return self.fail(RunFault::new("missingDate", fault, false), None);
            }
        }
        self.count_unreadable(&page);
        batch.decisions = std::mem::take(&mut self.decisions);
        if page.ends_read { self.end_of_read(batch) } else { self.go_on(batch) }
    }

    /// The next page, with this page's batch on the way if there is anything in it.
    pub(super) fn go_on(mut self: Box<Self>, mut batch: Batch) -> Step {
        if self.is_over_budget() {
            return self.yield_run(batch);
        }
        if batch.is_idle() {
            self.decisions = batch.decisions;
            return self.fetch_page();
        }
        batch.checkpoint = Some(self.pass.write_brief());
        self.commit(batch, AfterCommit::Reply)
    }

    pub(super) fn is_over_budget(&self) -> bool {
        let spent = self.now.duration_since(self.started_at).unsigned_abs();
        self.pages >= self.options.pages_max || spent >= self.options.time_max
    }

    /// The provider's clock at an instant of ours, as far as it was measured.
    pub(super) fn provider_clock(&self, at: Timestamp) -> Timestamp {
        let skew = jiff::SignedDuration::from_micros(self.state.skew.unwrap_or(0));
        at.checked_sub(skew).unwrap_or(at)
    }

    /// The sweep that sees a record now: the running one, or the last that closed.
    pub(super) fn sweep_number(&self) -> u64 {
        match self.pass.kind {
            RunKind::Sweep => self.state.sweeps + 1,
            RunKind::Poll | RunKind::Look | RunKind::Flow => self.state.sweeps,
        }
    }

    /// Judges one record, and answers what it means.
    pub(super) fn decide_one(
        &mut self,
        item: &Item,
        known: KnownVersion,
        page: &PageRead,
        batch: &mut Batch,
        overlay: &mut Overlay,
    ) -> Result<Change, String> {
        let plan = Arc::clone(&self.plan);
        let now = Circumstances {
            resource: &plan.resource,
            bound: self.pass.bound.filter(|_| self.pass.kind == RunKind::Poll).map(LowerBound),
            provider_time: self.pass.provider_time.unwrap_or(page.read_at),
            read_at: page.read_at,
            ahead: add(page.read_at.max(self.provider_clock(page.read_at)), limits::UNDATED_PROVIDER_MARGIN),
            as_of: self.pass.started_at,
            was_parked: self.pass.was_parked,
            sweep: self.pass.kind == RunKind::Sweep,
            polled_below: self.state.last_bound.or(self.pass.floor).map(LowerBound),
            beside_newer: overlay.has_newer(item),
            baseline: self.baseline(),
        };
        let change = judge(item, &known, &now);
        if let Change::Fault(fault) = &change {
            return Err(fault.clone());
        }
        let entry = entry_after(item, known.entry.as_ref(), &change, &now, self.sweep_number());
        let mut event = None;
        if let (Change::Event { event_type, reason, .. }, Some(entry)) = (&change, &entry) {
            let told = self.with_notice(reason, item, &known);
            event = Some(self.event(item, entry, *event_type, &told, page));
        }
        if let Some(low) = open_superseded(item, &change) {
            self.pass.superseded = Some(self.pass.superseded.map_or(low, |known| known.min(low)));
        }
        if matches!(change, Change::Ignored(Ignored::Superseded, _))
            && !known.version
            && !self.pass.was_parked
        {
            // Seen is seen: once another version is reported, this one must not look new because of its date. (What a
            // parked pass brings may be new all the same: a live list decides.)
            overlay.saw(item.version());
            batch.versions.push(item.version());
        }
        self.count(&change, item);
        if let Some(mut entry) = entry {
            if plan.resource.keep_last {
                entry.last_body = Some(page.body[item.raw.clone()].to_string());
            }
            // An entry is the row of its last version; only the one that it replaces needs a row of its own.
            if let Some(replaced) =
                known.entry.as_ref().map(Entry::version).filter(|old| *old != entry.version())
            {
                overlay.saw(replaced.clone());
                batch.versions.push(replaced);
            }
            overlay.wrote(&entry);
            batch.entries.push(entry);
        } else if now.sweep && known.entry.is_some_and(|entry| entry.deleted_at.is_none()) {
            batch.swept.push(item.id.clone());
        }
        batch.events.extend(event);
        Ok(change)
    }

    /// Why a record is an event, with what the provider's notifications have to do with it.
    fn with_notice<'r>(&mut self, reason: &'r str, item: &Item, known: &KnownVersion) -> Cow<'r, str> {
        if self.pass.kind == RunKind::Look {
            self.counts.announced += 1;
            return Cow::Owned(format!("{reason}; its provider notified us"));
        }
        if !self.expects_notices() {
            return Cow::Borrowed(reason);
        }
        if self.was_announced(item, known) {
            self.counts.announced += 1;
            return Cow::Borrowed(reason);
        }
        self.counts.unannounced += 1;
        Cow::Owned(format!("{reason}; its provider has not notified us"))
    }

    fn event(
        &self,
        item: &Item,
        entry: &Entry,
        event_type: EventType,
        reason: &str,
        page: &PageRead,
    ) -> Event {
        let dated = self.plan.resource.compared_format().is_some();
        let moment = match event_type {
            EventType::Deleted => Moment::Deleted { compared: &item.compared_text, hash: item.hash },
            EventType::Created | EventType::Updated | EventType::Unknown => Moment::Version {
                order: item.compared.map(|value| if dated { value.div_euclid(1_000_000) } else { value }),
                compared: &item.compared_text,
                hash: item.hash,
                recurrence: entry.recurrence,
            },
        };
        let date = item.compared.filter(|_| dated).map(instant).or(item.updated).or(item.created);
        Event {
            id: self.identity(&item.id, entry.incarnation, moment).id(),
            poller: self.plan.poller,
            instance: self.plan.instance,
            run: self.run,
            inbound: None,
            event_type,
            object_type: self.plan.resource.name.clone(),
            object_id: item.object_id.clone(),
            element_key: self.plan.element_key.clone(),
            date: date.unwrap_or(page.read_at),
            sequence: entry.sequence,
            reason: reason.to_string(),
            compared: item.compared_text.clone(),
            page: self.pass.pages,
            record: Some(page.body[item.raw.clone()].to_string()),
        }
    }

    pub(super) fn identity<'a>(
        &'a self,
        object_id: &'a str,
        incarnation: u32,
        moment: Moment<'a>,
    ) -> Identity<'a> {
        Identity {
            org: self.plan.org,
            instance: self.plan.instance,
            resource: &self.plan.resource.name,
            object_id,
            incarnation,
            moment,
        }
    }

    fn count(&mut self, change: &Change, item: &Item) {
        self.pass.readable += u64::from(!matches!(change, Change::Ignored(Ignored::Quarantined, _)));
        let (verdict, reason) = match change {
            Change::Event { event_type, .. } => {
                match event_type {
                    EventType::Created => self.counts.created += 1,
                    EventType::Updated | EventType::Unknown => self.counts.updated += 1,
                    EventType::Deleted => self.counts.deleted += 1,
                }
                self.count_lateness(item);
                return; // An event carries its own reason.
            }
            Change::Fault(_) => return,
            Change::Seeded => {
                self.counts.seeded += 1;
                (Verdict::Seeded, "already there when the first poll began".to_string())
            }
            Change::Rebased => {
                self.counts.seeded += 1;
                (Verdict::Seeded, "compared by a new recipe from now on".to_string())
            }
            Change::Ignored(why, reason) => {
                match why {
                    Ignored::Reported => self.counts.reported += 1,
                    Ignored::BeforeWindow => self.counts.before_window += 1,
                    Ignored::Superseded => self.counts.superseded += 1,
                    Ignored::Quarantined => {
                        self.counts.quarantined += 1;
                        self.pass.unreadable += 1;
                        self.pass.unreadable_reason.get_or_insert_with(|| reason.to_string());
                    }
                    Ignored::Filtered => self.counts.filtered += 1,
                }
                (Verdict::Ignored(*why), reason.to_string())
            }
        };
        self.keep_decision(&item.object_id, verdict, reason, &item.compared_text);
    }

    fn keep_decision(&mut self, object_id: &str, verdict: Verdict, reason: String, compared: &str) {
        if self.kept_decisions >= self.options.decisions_max {
            return;
        }
        self.kept_decisions += 1;
        self.decisions.push(Decision {
            object_id: object_id.to_string(),
            verdict,
            reason,
            compared: compared.to_string(),
            page: self.pass.pages,
        });
    }

    /// A record dated before the start of the last complete pass, which did not see it, came late.
    fn count_lateness(&mut self, item: &Item) {
        let (Some(complete_to), Some(value)) = (self.state.complete_to, item.compared) else { return };
        let dated = self.plan.resource.compared_format().is_some();
        if !dated || !self.state.primed || !unit_is_before(&self.plan.resource, value, complete_to) {
            return;
        }
        let late = complete_to.duration_since(instant(value)).as_secs().unsigned_abs() + 1;
        self.state.lateness.count += 1;
        self.state.lateness.worst_seconds = self.state.lateness.worst_seconds.max(late);
    }

    fn count_unreadable(&mut self, page: &PageRead) {
        for bad in &page.unreadable {
            self.counts.quarantined += 1;
            self.pass.unreadable += 1;
            self.pass.unreadable_reason.get_or_insert_with(|| bad.reason.clone());
            let verdict = Verdict::Ignored(Ignored::Quarantined);
            self.keep_decision(&bad.object_id, verdict, bad.reason.clone(), "");
        }
    }
}

impl Overlay {
    /// For records of which these ids stand there more than once ([`repeated`]).
    pub(crate) fn of(newest: HashMap<String, Option<Compared>>) -> Overlay {
        Overlay { newest, ..Overlay::default() }
    }

    /// Whether an id stands there more than once.
    pub(crate) fn repeats(&self) -> bool {
        !self.newest.is_empty()
    }

    /// Whether a newer version of the same record stands there.
    pub(crate) fn has_newer(&self, item: &Item) -> bool {
        self.newest.get(&item.id).is_some_and(|newest| item.compared < *newest)
    }

    /// This version is known from now on.
    pub(crate) fn saw(&mut self, version: Version) {
        self.versions.insert(version, ());
    }

    /// This entry is written.
    pub(crate) fn wrote(&mut self, entry: &Entry) {
        if self.newest.contains_key(&entry.id) {
            self.entries.insert(entry.id.clone(), entry.clone());
        }
    }

    /// What is known of a version, this page's own changes included.
    pub(crate) fn over(&self, item: &Item, known: KnownVersion) -> KnownVersion {
        match self.entries.get(&item.id) {
            None => known,
            Some(entry) => KnownVersion {
                version: known.version
                    || entry.version() == item.version()
                    || self.versions.contains_key(&item.version()),
                entry: Some(entry.clone()),
                announced_at: known.announced_at,
            },
        }
    }
}

/// Ids that stand on a page more than once, with their newest value.
pub(crate) fn repeated(items: &[Item]) -> HashMap<String, Option<Compared>> {
    let mut ids: Vec<&Item> = items.iter().collect();
    ids.sort_unstable_by(|one, two| one.id.cmp(&two.id));
    let runs = ids.chunk_by(|one, two| one.id == two.id).filter(|run| run.len() > 1);
    runs.map(|run| (run[0].id.clone(), run.iter().map(|item| item.compared).max().flatten())).collect()
}

/// The order in which a page's records are judged: as they stand, unless an id stands there twice; then by compared
/// value, so that its versions become events in their order (B16).
pub(crate) fn order(items: &[Item], repeats: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    if repeats {
        order.sort_by_key(|at| items[*at].compared);
    }
    order
}
