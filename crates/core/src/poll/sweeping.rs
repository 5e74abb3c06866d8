//! The second half of a sweep: what it missed is looked at, and only what is really gone becomes DELETED (rule 12).

use super::machine::{AfterCommit, Poll, redacted};
use super::outcome::{Batch, RunFault};
use super::reading::retry_after;
use super::state::Brake;
use crate::event::{Event, EventType, Moment};
use crate::ledger::Entry;
use crate::limits::{SWEEP_BRAKE_COUNT, SWEEP_BRAKE_PERCENT};
use crate::resource::Sweep;
use crate::run::{Reply, Request, Step};
use crate::schedule::add;

impl Poll {
    fn sweep(&self) -> Option<&Sweep> {
        self.plan.resource.sweep.as_ref()
    }

    /// Asks for what this sweep and the one before it (without `readUrl`: the two before it) have missed.
    pub(super) fn look_for_missing(self: Box<Self>) -> Step {
        let missed = if self.sweep().is_some_and(|sweep| sweep.read_url.is_some()) { 2 } else { 3 };
        let below = (self.sweep_number() + 1).saturating_sub(missed);
        if below == 0 {
            return self.close_sweep(Batch::default());
        }
        self.recall_missing(below)
    }

    /// Takes the next missing records: the brake first, then a look at each.
    pub(super) fn on_missing(mut self: Box<Self>, entries: Vec<Entry>, missing: u64, alive: u64) -> Step {
        let released = self.state.brake.is_some_and(|brake| brake.released);
        let too_many = missing > SWEEP_BRAKE_COUNT && missing * 100 > alive * SWEEP_BRAKE_PERCENT;
        if self.pass.missing_after.is_none() && too_many && !released {
            self.state.brake = Some(Brake { missing, known: alive, released: false });
            self.note(format!(
                "{missing} of {alive} known records are missing: nothing is reported as deleted"
            ));
            return self.close_sweep(Batch::default());
        }
        if entries.is_empty() {
            return self.close_sweep(Batch::default());
        }
        self.looked_before = self.pass.missing_after.take();
        self.pass.missing_after = entries.last().map(|entry| entry.id.clone());
        // A person who said that they are gone has decided about the young ones, too.
        let entries: Vec<Entry> =
            entries.into_iter().filter(|entry| released || !self.is_too_young(entry)).collect();
        if entries.is_empty() {
            return self.commit_look(Batch::default());
        }
        let Some(template) = self.sweep().and_then(|sweep| sweep.read_url.clone()) else {
            let mut batch = Batch { sweep: self.sweep_number(), ..Batch::default() };
            for entry in entries {
                self.delete(entry, "missing in three complete sweeps", &mut batch);
            }
            return self.commit_look(batch);
        };
        let requests: Vec<Request> =
            entries.iter().map(|entry| Request::get(fill_id(&template, &entry.id))).collect();
        if let Some(first) = requests.first() {
            self.story.requests.push(redacted(&first.url));
        }
        self.ask_gone(requests, entries)
    }

    /// Whether this sweep began so soon after the record was first read that it may have read a replica that did not
    /// have it yet. Then its missing says nothing, and neither does a look at it: a later sweep decides.
    fn is_too_young(&self, entry: &Entry) -> bool {
        self.pass.started_at < add(entry.first_read_at, self.resource().settling())
    }

    /// Takes the answers to the look at each missing record.
    pub(super) fn judge_missing(mut self: Box<Self>, entries: Vec<Entry>, replies: Vec<Reply>) -> Step {
        if replies.len() != entries.len() {
            return self.fail(RunFault::new("noReply", "a request was not sent", true), None);
        }
        let mut batch = Batch { sweep: self.sweep_number(), ..Batch::default() };
        // What lies before the first of these entries was looked at in an earlier step.
        let mut looked_at = None;
        for (entry, reply) in entries.into_iter().zip(replies) {
            let status = reply.outcome.as_ref().map_or(0, |response| response.status);
            let readable = reply.outcome.as_ref().is_ok_and(|response| is_json(&response.body));
            if matches!(status, 429 | 503) {
                // It asks for patience: the look goes on here, later.
                self.pass.missing_after = looked_at.or(self.looked_before.take());
                let asked = reply.outcome.as_ref().ok().and_then(|response| retry_after(response, &reply));
                let fault = RunFault::new(
                    "tooManyRequests",
                    format!("looking at missing records was answered with {status}: it goes on later"),
                    true,
                );
                return self.finish_failed(batch, fault, asked, false);
            }
            looked_at = Some(entry.id.clone());
            if self.sweep().is_some_and(|sweep| sweep.gone.contains(&status)) {
                let reason = format!("missing in two complete sweeps, and reading it answered {status}");
                self.delete(entry, &reason, &mut batch);
            } else if status == 200 && readable {
                batch.swept.push(entry.id);
            } else {
                let what = if status == 200 { ", and it is not JSON" } else { "" };
                self.note(format!(
                    "a missing record was read with status {status}{what}: undecided, it stays"
                ));
            }
        }
        self.commit_look(batch)
    }

    fn commit_look(mut self: Box<Self>, mut batch: Batch) -> Step {
        if self.is_over_budget() {
            return self.yield_run(batch);
        }
        batch.checkpoint = Some(self.pass.write_brief());
        self.commit(batch, AfterCommit::Look)
    }

    pub(super) fn delete(&mut self, mut entry: Entry, reason: &str, batch: &mut Batch) {
        entry.sequence += 1;
        entry.deleted_at = Some(self.now);
        entry.first_read_at = self.now;
        self.counts.deleted += 1;
        let moment = Moment::Deleted { compared: &entry.compared_text, hash: entry.hash };
        batch.events.push(Event {
            id: self.identity(&entry.id, entry.incarnation, moment).id(),
            poller: self.plan.poller,
            instance: self.plan.instance,
            run: self.run,
            inbound: None,
            event_type: EventType::Deleted,
            object_type: self.plan.resource.name.clone(),
            object_id: entry.id.clone(),
            element_key: self.plan.element_key.clone(),
            date: self.pass.provider_time.unwrap_or(self.now),
            sequence: entry.sequence,
            reason: reason.to_string(),
            compared: entry.compared_text.clone(),
            page: 0,
            record: entry.last_body.take(),
        });
        batch.entries.push(entry);
    }
}

/// Whether a record was really answered: a login or maintenance page comes with 200 as well (rule 11).
fn is_json(body: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok()
}

/// The address of one record: `{id}` filled in, encoded for a path segment or a query value.
pub(super) fn fill_id(template: &str, id: &str) -> String {
    let encoded: String = id
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => (byte as char).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    template.replace("{id}", &encoded)
}

#[cfg(test)]
mod tests {
    use super::fill_id;

    #[test]
    fn an_id_cannot_leave_its_place() {
        assert_eq!(fill_id("https://x/c/{id}", "a/../b?c"), "https://x/c/a%2F..%2Fb%3Fc");
        assert_eq!(fill_id("https://x/c/{id}", "42"), "https://x/c/42");
    }
}
