//! The store of a simulated node that runs monitors: the real one behind it, crash points at every verb of a run, a log
//! of what was committed, and the planted faults that lie between a run and its store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::id::{EventId, PollerId, RunId};
use turnstone_core::ledger::{Known, KnownVersion, Recall};
use turnstone_core::poll::{Batch, Finish, RunOutcome};
use turnstone_store::{Claim, Committed, Lease, Result, Store, StoreError};

use super::hub::{Answer, Hub};
use super::scenario::Asking;
use crate::fault::Fault;
use crate::hub::Point;
use crate::stamp::*;

/// A run whose end was written.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Which subscription, by its place in the scenario.
    pub of: usize,
    pub run: RunId,
    pub completed: bool,
    /// The cursor before and after.
    pub before: Option<Micros>,
    /// Whether a run had saved the one before; one that a person gave may be ahead of *Now* by a little.
    pub by_run: bool,
    pub after: Option<Micros>,
    /// When the attempt that counts sent its first request, in true time.
    pub asked: Option<Micros>,
    /// When the answer that counts was made, in true time.
    pub listed_at: Option<Micros>,
    /// Whom the attempt's answer listed; `None` where no whole answer came.
    pub listed: Option<Vec<usize>>,
}

/// What the store of a run and its log are made of.
pub struct FlowStore {
    pub inner: Arc<dyn Store>,
    pub hub: Hub,
    pub fault: Option<Fault>,
    /// Pollers in the order of the scenario.
    pub pollers: Mutex<Vec<PollerId>>,
    pub log: Mutex<Vec<Ran>>,
}

impl FlowStore {
    pub fn place_of(&self, poller: PollerId) -> usize {
        let pollers = self.pollers.lock().expect("one thread");
        pollers.iter().position(|known| *known == poller).expect("a poller of the scenario")
    }

    pub async fn claimed(
        &self,
        poller: PollerId,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Claim>> {
        let claim = self.inner.claim(poller, now, lease_for).await?;
        if claim.is_some() {
            let mut inner = self.hub.lock();
            inner.answers.clear();
            inner.note(|| format!("CLAIMED {}", self.place_of(poller)));
        }
        self.hub.pass(Point::Claimed).await;
        Ok(claim)
    }

    pub async fn recalled(&self, poller: PollerId, recall: &Recall) -> Result<Known> {
        self.hub.pass(Point::Recall).await;
        let known = self.inner.recall(poller, recall).await?;
        let Known::Versions(mut known) = known else { return Ok(known) };
        match self.fault {
            Some(Fault::FlowWithoutLedger) => known = vec![KnownVersion::default(); known.len()],
            Some(Fault::LedgerShared) => {
                let others = self.pollers.lock().expect("one thread").clone();
                for other in others.into_iter().filter(|other| *other != poller) {
                    if let Known::Versions(more) = self.inner.recall(other, recall).await? {
                        for (mine, more) in known.iter_mut().zip(more) {
                            if mine.entry.is_none() && more.entry.is_some() {
                                *mine = more;
                            }
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(Known::Versions(known))
    }

    pub async fn committed(&self, lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Result<Committed> {
        self.inner.commit(lease, batch, now).await
    }

    pub async fn finished(
        &self,
        lease: Lease<PollerId>,
        mut finish: Finish,
        now: Timestamp,
    ) -> Result<Committed> {
        let ran = self.ran(lease.id, &finish).await?;
        self.spoil(&mut finish, &ran).await;
        self.crash_between(lease, &finish, now, &ran).await?;
        self.hub.pass(Point::DoneBefore).await;
        let plan = self.hub.lock().plan;
        if plan.overtaken {
            self.overtake(lease.id).await?;
        }
        if plan.store_fails == Some(Point::DoneBefore) {
            self.hub.lock().class("store fails before it wrote");
            return Err(StoreError::Failed("planned by the seed".into()));
        }
        let committed = self.write(lease, finish, now, ran).await?;
        self.hub.pass(Point::DoneAfter).await;
        if plan.store_fails == Some(Point::DoneAfter) {
            self.hub.lock().class("store fails after it wrote");
            return Err(StoreError::Unknown("planned by the seed".into()));
        }
        Ok(committed)
    }

    async fn write(
        &self,
        lease: Lease<PollerId>,
        finish: Finish,
        now: Timestamp,
        mut ran: Ran,
    ) -> Result<Committed> {
        ran.after = cursor_of(&finish.state);
        let committed = self.inner.finish(lease, finish, now).await?;
        let mut inner = self.hub.lock();
        match committed {
            Committed::Yes => {
                if ran.listed.is_none() && ran.asked.is_some() {
                    inner.class(if ran.completed { "fetch fails in a Try" } else { "fetch ends the run" });
                }
                inner.note(|| format!("RAN {ran:?}"));
                self.log.lock().expect("one thread").push(ran);
            }
            Committed::StaleLease => {
                inner.class("stale lease refused");
                inner.note(|| "STALE LEASE".into());
            }
        }
        Ok(committed)
    }

    /// What the provider's log says of the run that is about to be written.
    async fn ran(&self, poller: PollerId, finish: &Finish) -> Result<Ran> {
        let row = self.inner.poller(turnstone_core::id::OrgId(1), poller).await?;
        let mut inner = self.hub.lock();
        let asking = inner.scenario.asking;
        // An attempt that was begun anew has another Now, and so another window.
        let last = inner.answers.last().cloned();
        let of_attempt = |answer: &&Answer| last.as_ref().is_some_and(|last| last.window == answer.window);
        let attempt: Vec<Answer> = inner.answers.iter().filter(of_attempt).cloned().collect();
        if attempt.len() < inner.answers.len() {
            inner.class("run again, because Now was ahead");
        }
        let counts = |answer: &&Answer| answer.whole && (asking != Asking::TriedTwice || answer.seen);
        let listed = last.as_ref().filter(counts).map(|answer| answer.listed.clone());
        Ok(Ran {
            of: self.place_of(poller),
            run: finish.run.id,
            completed: finish.run.outcome == RunOutcome::Completed,
            before: cursor_of(&row.state),
            by_run: SubscriptionState::read(&row.state).is_ok_and(|state| state.saved_by.is_some()),
            after: None,
            asked: attempt.first().map(|answer| answer.asked),
            listed_at: last.map(|answer| answer.at),
            listed,
        })
    }

    /// Somebody else takes the claim over while this node stands still, and is not heard of again.
    async fn overtake(&self, poller: PollerId) -> Result<()> {
        let now = {
            let mut inner = self.hub.lock();
            let to = inner.now + 200 * SECOND;
            // The node stands still: its own renewals do, too, so time passes behind their back.
            inner.now = to;
            timestamp(inner.clock())
        };
        self.inner.claim(poller, now, super::hub::LEASE).await?;
        Ok(())
    }

    /// What the planted faults do to the end of a run.
    async fn spoil(&self, finish: &mut Finish, ran: &Ran) {
        if self.fault == Some(Fault::FlowWithoutLedger) {
            let mut inner = self.hub.lock();
            for event in &mut finish.batch.events {
                event.id = EventId(u128::from(inner.rng.next()).to_be_bytes());
            }
        }
        if self.fault == Some(Fault::FailureMovesCursor) && ran.listed.is_none() {
            let now = finish.run.story.provider_time.unwrap_or(finish.run.started_at);
            let state = SubscriptionState::read(&finish.state).expect("written by the core");
            let cursor = serde_json::json!({"cursor_value": now.to_string()}).to_string();
            finish.state = state.with_cursor(Some(cursor), now).write();
        }
    }

    /// The planted faults that write in two transactions: a crash falls between them.
    async fn crash_between(
        &self,
        lease: Lease<PollerId>,
        finish: &Finish,
        now: Timestamp,
        ran: &Ran,
    ) -> Result<()> {
        let crashes = matches!(self.hub.lock().plan.crash, Some((Point::DoneBefore, _)));
        match self.fault.filter(|_| crashes) {
            Some(Fault::CursorBeforeEvents) => {
                let cursor_only = Finish { batch: Batch::default(), ..finish.clone() };
                self.write(lease, cursor_only, now, ran.clone()).await.map(drop)
            }
            Some(Fault::EventsBeforeCursor) => {
                self.inner.commit(lease, finish.batch.clone(), now).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// The instant that a cursor holds.
pub fn cursor_of(state: &str) -> Option<Micros> {
    let state: Value = serde_json::from_str(state).unwrap_or_default();
    let cursor: Value = serde_json::from_str(state["cursor"].as_str()?).expect("a cursor is JSON");
    let at = cursor["cursor_value"].as_str().expect("the flow saves a date");
    Some(at.parse::<Timestamp>().expect("a date").as_microsecond())
}
