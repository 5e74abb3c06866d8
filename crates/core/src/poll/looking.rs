//! Looks at the records that notifications of the provider named: the fast way beside the poll.
//!
//! A notification is taken as a hint and never as the truth: it may be late, doubled, out of order, or wrong. Where
//! the resource says how one record is read (`webhook.readUrl`), each named record is read and judged like one that
//! stood on a page: same ledger, same rules, so that a version is one event whichever way it came first. Where it does
//! not, the list is polled at once instead; only deletions that the list does not mark are then believed, and only if
//! the provider dates them and the last known version is certainly older.
//!
//! A stale replica may answer a look, or a poll after it. So a deletion is dated where the provider dates it: what is
//! older than that does not bring the record back. One without a date is told only when no replica can be behind it any
//! more, `pollDelay` and `overlap` after it was notified.
//!
//! What a look leaves open is looked at again a few times and then left to the polls, which miss nothing that a window
//! shows, and to the sweeps. A look never moves the watermark.
//!
//! Not here: which records are named (the store's hints), what became of the requests (`intake`).

use std::time::Duration;

use jiff::Timestamp;

use super::machine::{AfterCommit, Asked, Poll};
use super::outcome::{Batch, Heard, Ignored, RunFault, RunKind, RunOutcome, Status};
use super::reading::{PageRead, fault_of, refusal, retry_after};
use super::state::Hold;
use super::sweeping::fill_id;
use crate::change::Change;
use crate::event::EventType;
use crate::id::InboundId;
use crate::json_hash::ContentHash;
use crate::json_path::Picker;
use crate::ledger::{Entry, KnownVersion, Version};
use crate::limits;
use crate::records::{Item, Room};
use crate::run::{AwaitKnown, AwaitReplies, Reply, Request, Requests, Step};
use crate::schedule::{add, after_failure};
use crate::window::unit_is_before;

/// Pauses before a record is looked at again; after the last look it is left to polls and sweeps.
const PAUSES: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];

/// How far the date of a deletion may lie ahead of its notification: what measuring the provider's clock leaves open.
const AHEAD_MAX: Duration = Duration::from_secs(5);

/// A record that a notification of the provider named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The record's id.
    pub object_id: String,
    /// What the provider says happened.
    pub event_type: EventType,
    /// When, by the provider's account; `None` where its notification does not say.
    pub date: Option<Timestamp>,
    /// The request that named it last. Where requests are settled out of the order of their arrival, as those are that
    /// somebody had run again, it is a larger number: whoever names later has the larger one.
    pub inbound: InboundId,
    /// When that was received, by our clock.
    pub announced_at: Timestamp,
    /// Looks that decided nothing.
    pub looks: u32,
}

/// What notifications of the provider have to say to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notices {
    /// The records, those named first first.
    pub named: Vec<Named>,
    /// When the poller would be due without them.
    pub regular_due: Timestamp,
}

impl Notices {
    /// The last request among them.
    pub(super) fn known(&self) -> InboundId {
        self.named.iter().map(|named| named.inbound).max().unwrap_or(InboundId(0))
    }
}

/// What reading a named record brought.
enum Look {
    /// Its text.
    Record(String),
    /// It is not there.
    Gone(u16),
    /// It was not read at all: the provider's notification is all there is.
    Unread,
    /// What was answered is no record.
    Unusable,
    /// It could not be read now.
    Failed,
}

/// A look that waits for the ledger.
pub(super) struct Looked {
    named: Named,
    look: Look,
}

/// The looks of one step, with what was read.
pub(super) struct LookPage {
    looked: Vec<Looked>,
    /// Which of them is an item of the page.
    items: Vec<Option<usize>>,
    page: PageRead,
}

impl Poll {
    /// Whether this run looks at named records instead of polling: there is something that a poll does not do, and the
    /// poll is not due itself.
    pub(super) fn looks_now(&self, has_open_pass: bool) -> bool {
        let Some(notices) = &self.notices else { return false };
        let reads = self.resource().webhook.is_some();
        let worth = notices.named.iter().any(|named| reads || !self.stands_in_list(named));
        let is_braked = self.state.brake.is_some_and(|brake| !brake.released);
        worth && self.state.primed && !has_open_pass && !is_braked && self.now < notices.regular_due
    }

    /// Begins with the first named records.
    pub(super) fn begin_looks(mut self: Box<Self>) -> Step {
        self.to_look = self.notices.iter().flat_map(|notices| notices.named.iter().cloned()).rev().collect();
        if self.resource().webhook.is_none() {
            let mut to_look = std::mem::take(&mut self.to_look);
            to_look.retain(|named| !self.stands_in_list(named));
            self.to_look = to_look;
        }
        self.next_looks()
    }

    /// The next named records, as many as may be asked for at once; the end of the run when there are none.
    pub(super) fn next_looks(mut self: Box<Self>) -> Step {
        let count = self.to_look.len().min(limits::REQUESTS_PER_STEP_MAX);
        if count == 0 {
            return self.close_looks(Batch::default());
        }
        let mut named = self.to_look.split_off(self.to_look.len() - count);
        named.reverse();
        let Some(webhook) = self.resource().webhook.clone() else {
            let looked = named.into_iter().map(|named| Looked { named, look: Look::Unread }).collect();
            return self.recall_looks(looked);
        };
        let requests: Vec<Request> =
            named.iter().map(|named| Request::get(fill_id(&webhook.read_url, &named.object_id))).collect();
        for request in &requests {
            self.remember_address(&request.url);
        }
        self.asked = Asked::Named(named);
        Step::Fetch(Requests(requests), AwaitReplies(self))
    }

    /// Takes the answers to a step of looks.
    pub(super) fn on_looks(mut self: Box<Self>, named: Vec<Named>, replies: Vec<Reply>) -> Step {
        if replies.len() != named.len() {
            return self.fail_looks(RunFault::new("noReply", "a request was not sent", true), None);
        }
        let gone = self.resource().webhook.as_ref().map(|webhook| webhook.gone.clone()).unwrap_or_default();
        let mut looked = Vec::with_capacity(named.len());
        let mut failure = None;
        for (named, reply) in named.into_iter().zip(replies) {
            let response = match &reply.outcome {
                Ok(response) => response,
                Err(error) => {
                    failure.get_or_insert((fault_of(error), None));
                    looked.push(Looked { named, look: Look::Failed });
                    continue;
                }
            };
            self.counts.records += 1;
            if gone.contains(&response.status) {
                looked.push(Looked { named, look: Look::Gone(response.status) });
            } else if response.status == 200 {
                let look = self.record_of(&response.body).map_or(Look::Unusable, Look::Record);
                if matches!(look, Look::Unusable) {
                    self.note("a named record was answered with what is no object: it is left to the polls");
                }
                looked.push(Looked { named, look });
            } else {
                let asked = retry_after(response, &reply);
                let what = format!("`{}` (webhook.readUrl)", self.resource().name);
                let fault = refusal(&what, response.status);
                if matches!(response.status, 401 | 403 | 429 | 503) {
                    return self.fail_looks(fault, asked); // That is about all of them.
                }
                failure.get_or_insert((fault, asked));
                looked.push(Looked { named, look: Look::Failed });
            }
        }
        let all_failed = looked.iter().all(|one| matches!(one.look, Look::Failed));
        match failure {
            Some((fault, asked)) if all_failed => self.fail_looks(fault, asked),
            Some((fault, _)) => {
                self.note(fault.message);
                self.recall_looks(looked)
            }
            None => self.recall_looks(looked),
        }
    }

    /// The text of the record in the answer to a look.
    fn record_of(&self, body: &str) -> Option<String> {
        let path = self.resource().webhook.as_ref().and_then(|webhook| webhook.record.as_ref());
        let raw = match path {
            Some(path) => Picker::new([Some(path)]).pick(body).ok()?.into_iter().next()??,
            None => body.trim_ascii(),
        };
        let is_object = raw.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(raw).is_ok();
        is_object.then(|| raw.to_owned())
    }

    /// Asks what the ledger knows of the records that were looked at.
    fn recall_looks(mut self: Box<Self>, looked: Vec<Looked>) -> Step {
        if looked.is_empty() {
            return self.next_looks();
        }
        let mut body = String::from("[");
        let mut places = Vec::with_capacity(looked.len());
        for one in &looked {
            let Look::Record(text) = &one.look else {
                places.push(None);
                continue;
            };
            if body.len() > 1 {
                body.push(',');
            }
            places.push(Some(body.len()..body.len() + text.len()));
            body.push_str(text);
        }
        body.push(']');
        let mut page =
            PageRead { body, items: Vec::new(), unreadable: Vec::new(), read_at: self.now, ends_read: false };
        let mut items = Vec::with_capacity(looked.len());
        for (one, place) in looked.iter().zip(places) {
            let item = place.and_then(|place| self.item_of(&one.named, &page.body, place));
            items.push(item.map(|item| {
                page.items.push(item);
                page.items.len() - 1
            }));
        }
        let version = |(one, item): (&Looked, &Option<usize>)| match item {
            Some(at) => page.items[*at].version(),
            None => Version {
                id: self.canonical(&one.named.object_id),
                compared: None,
                hash: ContentHash([0; 16]),
            },
        };
        let versions = looked.iter().zip(&items).map(version).collect();
        self.asked = Asked::Looked(Box::new(LookPage { looked, items, page }));
        Step::Recall(crate::ledger::Recall::Versions(versions), AwaitKnown(self))
    }

    fn canonical(&self, object_id: &str) -> String {
        match self.resource().case_insensitive_ids {
            true => object_id.to_lowercase(),
            false => object_id.to_owned(),
        }
    }

    /// Reads what came back as a record of the resource. One of another id answers another question.
    fn item_of(&mut self, named: &Named, body: &str, place: std::ops::Range<usize>) -> Option<Item> {
        match self.reader.item(&self.plan.resource, body, &body[place], self.now, &mut Room::default()) {
            Ok(item) if item.id == self.canonical(&named.object_id) => Some(item),
            Ok(_) => {
                self.note("reading a named record brought another one: it is left to the polls");
                None
            }
            Err(bad) => {
                self.note(format!("a named record cannot be read ({}): it is left to the polls", bad.reason));
                None
            }
        }
    }

    /// Judges what was looked at.
    pub(super) fn decide_looks(mut self: Box<Self>, read: LookPage, known: Vec<KnownVersion>) -> Step {
        if known.len() != read.looked.len() {
            return self
                .fail_looks(RunFault::new("protocol", "the store answered another question", true), None);
        }
        let LookPage { looked, items, page } = read;
        let mut batch = Batch { sweep: self.sweep_number(), ..Batch::default() };
        for ((one, item), known) in looked.into_iter().zip(items).zip(known) {
            let until = self.settled_at(&one.named, &known);
            let again = match (&one.look, item) {
                (Look::Record(_), Some(at)) => {
                    match self.decide_look(&one.named, &page.items[at], known, &page, &mut batch) {
                        Ok(again) => again,
                        Err(fault) => {
                            return self.fail_looks(RunFault::new("missingDate", fault, false), None);
                        }
                    }
                }
                (Look::Record(_) | Look::Unusable, _) => false,
                (Look::Failed, _) => true,
                (Look::Gone(status), _) => self.decide_gone(&one.named, known, *status, &mut batch),
                (Look::Unread, _) => self.believe(&one.named, known, &mut batch),
            };
            let is_end = one.named.event_type == EventType::Deleted && matches!(one.look, Look::Gone(_));
            let waits = is_end && self.now < until;
            let again = again && (waits || (one.named.looks as usize) < PAUSES.len());
            if again {
                let pause = self.pause_after(one.named.looks);
                let at = if waits { pause.max(until) } else { pause };
                self.looks_again = Some(self.looks_again.map_or(at, |known| known.min(at)));
            }
            batch.heard.push(Heard { object_id: one.named.object_id, inbound: one.named.inbound, again });
        }
        batch.decisions = std::mem::take(&mut self.decisions);
        if self.is_over_budget() {
            return self.close_looks(batch);
        }
        self.commit(batch, AfterCommit::Looks)
    }

    /// One record that is there. Answers whether another look is needed.
    fn decide_look(
        &mut self,
        named: &Named,
        item: &Item,
        known: KnownVersion,
        page: &PageRead,
        batch: &mut Batch,
    ) -> Result<bool, String> {
        let last = known.entry.as_ref().and_then(|entry| entry.compared);
        let change = self.decide_one(item, known, page, batch, &mut Default::default())?;
        let is_behind = match (named.date, last) {
            // The provider speaks of something younger than what it serves.
            (Some(date), Some(last)) => {
                self.plan.resource.compared_format().is_some() && date.as_microsecond() > last
            }
            _ => false,
        };
        Ok(match change {
            Change::Ignored(Ignored::Superseded, _) => true,
            Change::Ignored(Ignored::Reported, _) => named.event_type == EventType::Deleted || is_behind,
            Change::Event { event_type, .. } => {
                named.event_type == EventType::Deleted && event_type != EventType::Deleted
            }
            Change::Seeded | Change::Rebased | Change::Ignored(..) | Change::Fault(_) => false,
        })
    }

    /// One record that is not there.
    fn decide_gone(&mut self, named: &Named, known: KnownVersion, status: u16, batch: &mut Batch) -> bool {
        let until = self.settled_at(named, &known);
        let entry = known.entry.filter(|entry| entry.deleted_at.is_none());
        match (named.event_type, entry) {
            (EventType::Deleted, Some(entry)) => {
                let ended_at = self.ended_at(named, &entry);
                if ended_at.is_none() && self.now < until {
                    return true; // A replica may be behind: the one that answered, or one that is asked next.
                }
                let reason =
                    format!("its provider notified that it is gone, and reading it answered {status}");
                self.end(entry, ended_at, &reason, batch);
                false
            }
            (EventType::Deleted, None) => false,
            // What was just made or changed cannot be gone: whoever answered does not have it yet.
            (EventType::Created | EventType::Updated | EventType::Unknown, _) => true,
        }
    }

    /// From when on no replica can be behind a notification, nor behind what is known of its record.
    fn settled_at(&self, named: &Named, known: &KnownVersion) -> Timestamp {
        let read_at = known.entry.as_ref().map_or(named.announced_at, |entry| entry.first_read_at);
        add(named.announced_at.max(read_at), self.resource().settling())
    }

    /// When a record ended by its provider's account, if that is certainly after its last known version. A date that
    /// lies ahead of the notification was set by somebody, and tells nothing of what came first.
    fn ended_at(&self, named: &Named, entry: &Entry) -> Option<Timestamp> {
        self.resource().compared_format()?;
        let last = entry.compared?;
        let told_at = add(self.provider_clock(named.announced_at), AHEAD_MAX);
        named.date.filter(|date| *date <= told_at && unit_is_before(self.resource(), last, *date))
    }

    /// Reports a deletion. From then on only what is younger than its date brings the record back at once.
    fn end(&mut self, entry: Entry, ended_at: Option<Timestamp>, reason: &str, batch: &mut Batch) {
        self.counts.announced += 1;
        let last = entry.version();
        self.delete(entry, reason, batch);
        if let (Some(at), Some(ended)) = (ended_at, batch.entries.last_mut()) {
            ended.compared = Some(at.as_microsecond());
            batch.versions.push(last);
        }
    }

    /// A deletion that nothing but the notification tells of.
    fn believe(&mut self, named: &Named, known: KnownVersion, batch: &mut Batch) -> bool {
        let Some(entry) = known.entry.filter(|entry| entry.deleted_at.is_none()) else { return false };
        let ended_at = self.ended_at(named, &entry);
        if ended_at.is_none() {
            self.note(format!(
                "the deletion of `{}` was notified without a date that is younger than its last version: declare \
                 `webhook.readUrl` or a `sweep`, so that it can be looked at",
                named.object_id
            ));
            return false;
        }
        self.end(entry, ended_at, "its provider notified that it is gone", batch);
        false
    }

    /// Ends a run of looks. Nothing of the poller's own place moves.
    fn close_looks(mut self: Box<Self>, batch: Batch) -> Step {
        if let Some(value) = self.pass.superseded {
            // As a poll does it: what may turn out to be the truth must not leave the window meanwhile (rule 6).
            let value = self.state.hold.map_or(value, |hold| hold.value.min(value));
            let until = add(self.now, self.resource().settling());
            self.state.hold = Some(Hold { value, passes: 1, until });
        }
        self.state.look_failures = 0;
        let regular = self.notices.as_ref().map_or(self.now, |notices| notices.regular_due);
        let leftover = self.has_plain_hints() || !self.to_look.is_empty();
        let next_due = match (leftover, self.looks_again) {
            (true, _) => self.now,
            (false, Some(at)) => at,
            (false, None) => regular,
        };
        self.finish(batch, RunOutcome::Completed, None, Status::ok(), next_due.min(regular), false, None)
    }

    /// Whether a poll finds what a notification tells: everything but a deletion that the list does not mark. Where one
    /// record can be read, a deletion is looked at all the same.
    fn stands_in_list(&self, named: &Named) -> bool {
        let resource = self.resource();
        let is_marked = resource.deleted_field.is_some() && resource.webhook.is_none();
        named.event_type != EventType::Deleted || is_marked
    }

    /// Whether a notification named something that only a poll finds.
    fn has_plain_hints(&self) -> bool {
        self.resource().webhook.is_none()
            && self.notices.iter().flat_map(|notices| &notices.named).any(|named| self.stands_in_list(named))
    }

    fn fail_looks(mut self: Box<Self>, fault: RunFault, asked: Option<Duration>) -> Step {
        self.state.look_failures += 1;
        let failures = self.state.look_failures;
        let next_due = after_failure(self.now, self.plan.interval, failures, asked, self.entropy);
        let status = Status {
            code: fault.code.clone(),
            sentence: fault.message.clone(),
            needs_attention: !fault.transient,
        };
        let regular = self.notices.as_ref().map_or(next_due, |notices| notices.regular_due);
        let batch = Batch::default();
        self.finish(batch, RunOutcome::Failed, Some(fault), status, next_due.min(regular), false, None)
    }

    /// What a completed poll leaves to be looked at: deletions that were notified before it began. Everything else that
    /// was named then stood in its window.
    pub(super) fn hear(&mut self, batch: &mut Batch) {
        let Some(notices) = &self.notices else { return };
        let began = self.pass.started_at;
        let done =
            notices.named.iter().filter(|named| self.stands_in_list(named) && named.announced_at <= began);
        batch.heard.extend(done.map(|named| Heard {
            object_id: named.object_id.clone(),
            inbound: named.inbound,
            again: false,
        }));
        let is_left = |named: &&Named| !self.stands_in_list(named) || named.announced_at > began;
        let due = |named: &Named| {
            let pause = self.pause_after(named.looks);
            let waits = named.event_type == EventType::Deleted && named.looks > 0;
            if waits { pause.max(add(named.announced_at, self.resource().settling())) } else { pause }
        };
        self.looks_again = notices.named.iter().filter(is_left).map(due).min();
    }

    /// When a record is looked at again after so many looks.
    fn pause_after(&self, looks: u32) -> Timestamp {
        add(self.now, PAUSES[(looks as usize).min(PAUSES.len() - 1)])
    }

    /// Whether a notification had named the record of an event that a poll found.
    pub(super) fn was_announced(&self, item: &Item, known: &KnownVersion) -> bool {
        let is_open =
            self.notices.iter().flat_map(|notices| &notices.named).any(|named| named.object_id == item.id);
        let since = known.entry.as_ref().map(|entry| entry.first_read_at);
        is_open || known.announced_at.is_some_and(|at| since.is_none_or(|since| at >= since))
    }

    /// Whether the provider is to notify us of what this pass finds.
    pub(super) fn expects_notices(&self) -> bool {
        self.notices.is_some() && self.state.primed && self.pass.kind != RunKind::Look
    }
}
