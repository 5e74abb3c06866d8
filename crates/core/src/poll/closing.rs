//! The end of a read, of a pass, of a run: whether the reads agree, where the watermark goes, when the next run is due.

use std::time::Duration;

use jiff::Timestamp;

use super::looking::Notices;
use super::machine::{AfterCommit, Poll};
use super::outcome::{Batch, Finish, RunFault, RunKind, RunOutcome, RunRecord, Status};
use super::state::{Hold, TrailMark};
use crate::id::InboundId;
use crate::ledger::Compared;
use crate::limits;
use crate::resource::{ComparedBy, SweepEvery};
use crate::run::Step;
use crate::schedule::{RETRY_AFTER_MAX, add, after_failure, after_success};
use crate::window::{instant, minus};

/// Marks that the trail of a `cursorField` keeps.
const TRAIL_MAX: usize = 64;

impl Poll {
    /// The last page under the present bound was read. Where pages cannot overlap and there are several, they are read
    /// again until two reads agree (rule 9).
    pub(super) fn end_of_read(mut self: Box<Self>, batch: Batch) -> Step {
        let alone = self.pass.group.read == 1 && self.pass.group.pages <= 1;
        if self.verifies() && !alone {
            let read = self.pass.group.read;
            let comparison = self.pass.group.sightings.end_read(read);
            if read < 2 || !comparison.agrees() {
                if read >= self.reads_max() || comparison.overflow {
                    let why = match comparison.overflow {
                        true => format!(
                            "more than {} records in one pass cannot be compared; use `offset` or `cursor` pagination",
                            limits::SIGHTINGS_MAX
                        ),
                        false => format!("the list did not hold still during {read} reads"),
                    };
                    self.pass.unstable = Some(why);
                } else {
                    self.note("several pages that cannot overlap: read again and compared");
                    self.pass.restart_group(read + 1);
                    return self.go_on(batch);
                }
            }
        }
        if self.pass.unstable.is_none() {
            if let Some(later) = self.pass.group.moves_to.take() {
                self.move_bound(later);
                return self.go_on(batch);
            }
            self.settle_group();
        }
        match self.pass.kind {
            RunKind::Poll | RunKind::Look | RunKind::Flow => self.close_poll(batch),
            RunKind::Sweep if self.pass.unstable.is_some() || !self.state.primed => self.close_poll(batch),
            RunKind::Sweep => self.begin_look(batch),
        }
    }

    /// A sweep has read everything: now for what it missed.
    fn begin_look(mut self: Box<Self>, mut batch: Batch) -> Step {
        if let Some(fault) = self.unreadable_fault() {
            // Records without a readable id would be taken for missing ones.
            return self.finish_failed(batch, fault, None, true);
        }
        self.pass.looking = true;
        batch.checkpoint = Some(self.pass.write_brief());
        self.commit(batch, AfterCommit::Look)
    }

    /// More records that cannot be read than such that can: that is a wrong configuration, or a changed provider.
    fn unreadable_fault(&self) -> Option<RunFault> {
        let bad = self.pass.unreadable;
        if bad == 0 || bad < self.pass.readable {
            return None;
        }
        let all = bad + self.pass.readable;
        let reason = self.pass.unreadable_reason.clone().unwrap_or_default();
        let message = format!("`{}`: {bad} of {all} records cannot be used: {reason}", self.resource().name);
        Some(RunFault::new("unreadableRecords", message, false))
    }

    /// 304 to a conditional request: complete, and nothing changed (D05).
    pub(super) fn close_unchanged(mut self: Box<Self>) -> Step {
        self.note("the provider answered that nothing has changed");
        self.unchanged = true;
        self.close_poll(Batch::default())
    }

    /// Closes a pass (and the first one of every kind).
    fn close_poll(mut self: Box<Self>, batch: Batch) -> Step {
        if let Some(fault) = self.unreadable_fault() {
            return self.finish_failed(batch, fault, None, true);
        }
        if let Some(why) = self.pass.unstable.clone() {
            let settled = self.pass.settled;
            if self.state.primed && self.pass.kind == RunKind::Poll {
                self.state.watermark = self.state.watermark.max(settled);
            }
            let message = format!(
                "`{}` is unstable: {why}; its events still flow, its watermark stays",
                self.resource().name
            );
            return self.finish_failed(batch, RunFault::new("unstable", message, true), None, true);
        }
        let start = self.pass.provider_time.unwrap_or(self.now);
        let first = !self.state.primed;
        if self.pass.kind == RunKind::Poll || first {
            self.advance(first, start.as_microsecond());
        }
        self.state.primed = true;
        self.state.baseline = None;
        self.state.floor = self.state.floor.or(self.pass.floor);
        let end = if self.url().uses_end() { start.min(self.pass.end) } else { start };
        self.state.complete_to = Some(end);
        self.state.last_bound = self.pass.bound.or(self.state.last_bound);
        self.hold_back();
        if self.pass.kind == RunKind::Sweep {
            self.count_sweep();
        } else {
            self.state.polls_since_sweep += 1;
        }
        self.finish_completed(batch)
    }

    /// Rule 4 (and 8 for the first pass): the watermark only ever grows, and only to what was read or to the start.
    fn advance(&mut self, first: bool, start: Compared) {
        let numbered = matches!(self.resource().compared, ComparedBy::Cursor(_));
        let read = self.pass.settled;
        self.state.watermark = match (first, numbered) {
            (true, false) => self.state.watermark.max(Some(read.unwrap_or(start))),
            _ => self.state.watermark.max(read),
        };
        if let (true, Some(watermark)) = (numbered, self.state.watermark) {
            let oldest = minus(self.pass.started_at, self.resource().settling());
            self.state.trail.push(TrailMark { at: self.pass.started_at, watermark });
            // One mark older than the settling time must stay: it is the bound.
            while self.state.trail.len() > 1
                && (self.state.trail[1].at <= oldest || self.state.trail.len() > TRAIL_MAX)
            {
                self.state.trail.remove(0);
            }
        }
    }

    /// Rule 6: while a superseded version is open the lower bound stays below it, for some passes and until a look at
    /// it can no longer be a stale replica's.
    fn hold_back(&mut self) {
        let settling = self.resource().settling();
        self.state.hold = match (self.pass.superseded, self.state.hold) {
            (None, _) => None,
            (Some(value), None) => Some(Hold { value, passes: 1, until: add(self.now, settling) }),
            (Some(value), Some(old)) => {
                let over = old.passes >= limits::SUPERSEDED_HOLD_PASSES && self.pass.started_at >= old.until;
                let passes = old.passes + 1;
                (!over).then_some(Hold { value: value.min(old.value), passes, until: old.until })
            }
        };
    }

    fn count_sweep(&mut self) {
        self.state.sweeps += 1;
        self.state.polls_since_sweep = 0;
        self.state.swept_at = Some(self.now);
        self.state.sweep_next = false;
    }

    /// Closes a sweep whose missing records were looked at.
    pub(super) fn close_sweep(mut self: Box<Self>, batch: Batch) -> Step {
        if self.state.brake.is_some_and(|brake| brake.released) {
            self.state.brake = None; // The release was for this sweep.
        }
        self.count_sweep();
        self.state.complete_to = self.pass.provider_time.or(self.state.complete_to);
        self.finish_completed(batch)
    }

    fn sweep_is_due(&self) -> bool {
        let Some(sweep) = &self.resource().sweep else { return false };
        match sweep.every {
            SweepEvery::Polls(polls) => self.state.polls_since_sweep >= polls.max(1),
            SweepEvery::Time(every) => {
                self.state.swept_at.is_none_or(|at| self.now.duration_since(at).unsigned_abs() >= every)
            }
        }
    }

    fn finish_completed(mut self: Box<Self>, mut batch: Batch) -> Step {
        self.hear(&mut batch);
        self.state.passes += 1;
        self.state.starts = 0;
        self.state.failures = 0;
        self.state.reseeding = false;
        if self.pass.kind == RunKind::Poll && !self.unchanged {
            // Records that were left undecided must be seen again, so a later answer must not be "not modified".
            let decided = self.counts.filtered == 0 && self.pass.unreadable == 0;
            self.state.validators = self.validators.take().filter(|_| decided);
        }
        let braked = self.state.brake.is_some_and(|brake| !brake.released);
        self.state.sweep_next = self.pass.kind == RunKind::Poll && !braked && self.sweep_is_due();
        let next_due = match (self.state.sweep_next, self.pass.kind) {
            (true, _) => self.now,
            // A sweep stands between two polls and takes the place of none.
            (false, RunKind::Sweep | RunKind::Poll | RunKind::Look | RunKind::Flow) => {
                after_success(self.due, self.now, self.plan.interval, self.entropy)
            }
        };
        let status = match self.state.brake {
            Some(brake) if braked => Status {
                code: "braked".into(),
                sentence: format!(
                    "a sweep missed {} of {} known records; nothing was reported as deleted; confirm it if they are \
                     really gone",
                    brake.missing, brake.known
                ),
                needs_attention: true,
            },
            _ => Status::ok(),
        };
        self.story.complete_to = self.state.complete_to;
        let prune = self.state.watermark.map(|watermark| self.prune_below(watermark));
        self.finish(batch, RunOutcome::Completed, None, status, next_due, true, prune)
    }

    /// Versions older than the next window, less a margin, are never asked for again.
    fn prune_below(&self, watermark: Compared) -> Compared {
        let bound = self.next_bound(watermark);
        match self.resource().compared {
            ComparedBy::Cursor(_) => bound,
            _ => minus(instant(bound), limits::LEDGER_MARGIN).as_microsecond(),
        }
    }

    /// Ends the run with its pass open: the next run goes on there (rule 10).
    pub(super) fn yield_run(mut self: Box<Self>, mut batch: Batch) -> Step {
        batch.checkpoint = Some(self.pass.write());
        let status = self.progress_status().unwrap_or_else(Status::ok);
        self.note("the pass is long: it goes on in the next run");
        let now = self.now;
        self.finish(batch, RunOutcome::Yielded, None, status, now, false, None)
    }

    /// Ends the run with a fault. The watermark stays; an open pass stays open (rule 14).
    pub(super) fn fail(self: Box<Self>, fault: RunFault, asked: Option<Duration>) -> Step {
        self.finish_failed(Batch::default(), fault, asked, false)
    }

    pub(super) fn finish_failed(
        mut self: Box<Self>,
        batch: Batch,
        fault: RunFault,
        asked: Option<Duration>,
        closed: bool,
    ) -> Step {
        self.state.failures += 1;
        if !self.state.primed {
            self.state.baseline = self.state.baseline.or(self.pass.baseline);
            self.state.floor = self.state.floor.or(self.pass.floor);
        }
        let parks = self.pass.kind == RunKind::Sweep && self.state.primed;
        if parks {
            // A sweep that fails must not keep the polls waiting: it goes on after the next one, where it stood, unless
            // that place is what failed.
            self.state.sweep_next = false;
            self.pass.group.sightings = Default::default();
            self.state.parked = (!closed && self.pass.unreadable == 0).then(|| Box::new(self.pass.clone()));
        }
        let closed = closed || parks;
        let next_due = if parks || fault.code == "unstable" {
            let rhythm = after_success(self.due, self.now, self.plan.interval, self.entropy);
            rhythm.max(add(self.now, asked.unwrap_or_default().min(RETRY_AFTER_MAX)))
        } else {
            after_failure(self.now, self.plan.interval, self.state.failures, asked, self.entropy)
        };
        let status = self.progress_status().unwrap_or_else(|| Status {
            code: fault.code.clone(),
            sentence: fault.message.clone(),
            needs_attention: !fault.transient,
        });
        self.finish(batch, RunOutcome::Failed, Some(fault), status, next_due, closed, None)
    }

    fn progress_status(&self) -> Option<Status> {
        let starts = self.state.starts;
        (starts >= limits::STARTS_WITHOUT_COMPLETING_MAX).then(|| Status {
            code: "notProgressing".into(),
            sentence: format!(
                "`{}` was begun {starts} times without completing; the last try read {} pages with {} records",
                self.resource().name,
                self.pass.pages,
                self.counts.records
            ),
            needs_attention: true,
        })
    }

    /// When the poller is due, and when it would be due without what is still to be looked at.
    fn due_again(
        &self,
        outcome: RunOutcome,
        next_due: Timestamp,
        status: &Status,
    ) -> (Timestamp, Option<Timestamp>) {
        if self.pass.kind == RunKind::Look {
            let regular = self.notices.as_ref().map(|notices| notices.regular_due);
            return (next_due, regular.filter(|regular| *regular > next_due));
        }
        let look = self.looks_again.filter(|_| outcome == RunOutcome::Completed && status.code == "ok");
        match look.filter(|look| *look < next_due) {
            Some(look) => (look, Some(next_due)),
            None => (next_due, None),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one value, each with its own type")]
    pub(super) fn finish(
        self: Box<Self>,
        mut batch: Batch,
        outcome: RunOutcome,
        error: Option<RunFault>,
        status: Status,
        next_due: Timestamp,
        pass_closed: bool,
        prune_versions_below: Option<Compared>,
    ) -> Step {
        let (next_due, regular_due) = self.due_again(outcome, next_due, &status);
        batch.decisions.extend(self.decisions);
        if pass_closed {
            batch.checkpoint = None;
        }
        let run = RunRecord {
            id: self.run,
            poller: self.plan.poller,
            kind: self.pass.kind,
            started_at: self.started_at,
            finished_at: self.now,
            outcome,
            error,
            counts: self.counts,
            story: self.story,
        };
        Step::Done(Box::new(Finish {
            batch,
            pass_closed,
            watermark: self.state.watermark,
            state: self.state.write(),
            status,
            next_due,
            regular_due,
            hints_known: self.notices.as_ref().map_or(InboundId(0), Notices::known),
            prune_versions_below,
            run,
            flow: None,
        }))
    }
}
