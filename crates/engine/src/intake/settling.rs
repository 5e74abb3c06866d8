//! Runs the event hooks of what was kept, and writes what came of it.
//!
//! Requests of one instance are settled one after the other, in the order of their arrival; those of different
//! instances side by side. A hook that fails by its own fault puts its request aside, with the line; a passing
//! trouble (no worker free, a store that does not answer) is tried again and puts nothing aside.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use metrics::{counter, histogram};
use turnstone_core::connector::VendorType;
use turnstone_core::hook::HookFault;
use turnstone_core::id::{InstanceId, RunId};
use turnstone_core::intake::{BodyFormat, Quarantine, sort_reported};
use turnstone_core::resource::Resource;
use turnstone_core::schedule::add;
use turnstone_store::{InboundOutcome, SettledAs, Settlement, StoreError, WaitingRequest};

use super::Intake;
use super::hooks::Failure;
use crate::metrics as names;
use crate::stop::Stop;

/// Pauses between tries double from here.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// And end here.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Times that a worker may die over a request before the request is taken to be the reason.
const DEATHS_MAX: u32 = 3;

/// What settling one request brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Events in the log.
    pub events: u32,
    /// Pollers that are due.
    pub pollers: u32,
}

impl Intake {
    /// Settles whatever waits until a stop is asked for; then ends what is in hand.
    pub async fn run(&self, stop: &Stop) {
        let mut busy: HashSet<InstanceId> = HashSet::new();
        let mut flights: FuturesUnordered<BoxFuture<'static, InstanceId>> = FuturesUnordered::new();
        if let Err(error) = self.count().await {
            tracing::error!(%error, "notifications that wait could not be counted; the bound counts from zero");
        }
        while !stop.is_asked() {
            let pause = match self.take_up(&mut busy, &mut flights).await {
                Ok(pause) => pause,
                Err(error) => {
                    counter!(names::STORE_FAILURES, "loop" => "intake").increment(1);
                    tracing::error!(%error, "cannot look for notifications that wait; trying again");
                    self.0.parts.limits.scan
                }
            };
            tokio::select! {
                biased;
                () = stop.asked() => {}
                Some(instance) = flights.next() => { busy.remove(&instance); }
                () = self.0.wake.notified(), if flights.len() < self.0.parts.limits.hooks => {}
                () = self.0.parts.clock.sleep(pause) => {}
            }
        }
        while flights.next().await.is_some() {}
    }

    /// Settles what waits, one after the other, until nothing is due. Returns how many requests were taken up.
    pub async fn settle_once(&self) -> Result<u32, StoreError> {
        let mut count = 0;
        loop {
            let waiting = self.0.parts.store.waiting_requests(self.0.parts.clock.now(), 1).await?;
            let Some(one) = waiting.into_iter().next() else { return Ok(count) };
            count += 1;
            self.settle(one).await?;
        }
    }

    /// When [`Intake::settle_once`] is worth calling again, apart from new requests.
    pub async fn next_due(&self) -> Result<Option<jiff::Timestamp>, StoreError> {
        self.0.parts.store.next_request_due().await
    }

    /// Starts as many as there is room for. Returns how long to wait at most.
    async fn take_up(
        &self,
        busy: &mut HashSet<InstanceId>,
        flights: &mut FuturesUnordered<BoxFuture<'static, InstanceId>>,
    ) -> Result<Duration, StoreError> {
        let parts = &self.0.parts;
        let room = parts.limits.hooks.saturating_sub(flights.len());
        if room == 0 {
            return Ok(parts.limits.scan);
        }
        let limit = u32::try_from(busy.len() + room).unwrap_or(u32::MAX);
        let waiting = parts.store.waiting_requests(parts.clock.now(), limit).await?;
        for one in waiting {
            let instance = one.instance.id;
            if flights.len() >= parts.limits.hooks || !busy.insert(instance) {
                continue;
            }
            let intake = self.clone();
            flights.push(Box::pin(async move {
                intake.settle_guarded(one).await;
                instance
            }));
        }
        let Some(at) = parts.store.next_request_due().await? else { return Ok(parts.limits.scan) };
        let until = Duration::try_from(at.duration_since(parts.clock.now())).unwrap_or_default();
        // What is due already and was not taken up belongs to a busy instance: its end wakes us.
        Ok(if until.is_zero() { parts.limits.scan } else { until.min(parts.limits.scan) })
    }

    /// A mistake of ours while one request is settled harms no other, and is tried again.
    async fn settle_guarded(&self, waiting: WaitingRequest) {
        let id = waiting.row.id;
        match AssertUnwindSafe(self.settle(waiting)).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                counter!(names::STORE_FAILURES, "loop" => "intake").increment(1);
                tracing::warn!(%error, request = %id, "what came of a notification could not be written; it is done again");
                self.0.parts.clock.sleep(PAUSE_MIN).await;
            }
            Err(_) => {
                tracing::error!(request = %id, "settling a notification ended in a mistake of this program");
                self.0.parts.clock.sleep(PAUSE_MAX).await;
            }
        }
    }

    async fn settle(&self, waiting: WaitingRequest) -> Result<(), StoreError> {
        let parts = &self.0.parts;
        let started = parts.clock.monotonic();
        let (id, org) = (waiting.row.id, waiting.row.org);
        let settlement = self.make(&waiting).await;
        let written = match parts.store.settle(id, settlement.clone(), parts.clock.now()).await {
            Err(StoreError::Conflict(sentence)) => {
                let quarantine = Quarantine { code: "tooManyResources".into(), reason: sentence, line: None };
                let outcome = InboundOutcome::Quarantined(quarantine);
                let aside = Settlement { outcome, ..settlement.clone() };
                parts.store.settle(id, aside, parts.clock.now()).await?
            }
            other => other?,
        };
        let is_postponed = matches!(settlement.outcome, InboundOutcome::Postponed { .. });
        let SettledAs::Done { events, pollers } = written else { return Ok(()) };
        if !is_postponed {
            self.0.backlog.remove(org);
        }
        let outcome = match &settlement.outcome {
            InboundOutcome::Settled(_) => "settled",
            InboundOutcome::Quarantined(quarantine) => {
                tracing::warn!(request = %id, instance = %waiting.instance.id, code = quarantine.code, "a notification is put aside: {}", quarantine.reason);
                "quarantined"
            }
            InboundOutcome::Postponed { .. } => "postponed",
        };
        counter!(names::INBOUND_SETTLED, "outcome" => outcome).increment(1);
        let took = parts.clock.monotonic().saturating_sub(started);
        histogram!(names::INBOUND_SECONDS).record(took.as_secs_f64());
        if events > 0 || pollers > 0 {
            (parts.on_settled)(Settled { events, pollers });
        }
        Ok(())
    }

    /// Runs the hook, and says what becomes of the request.
    async fn make(&self, waiting: &WaitingRequest) -> Settlement {
        let parts = &self.0.parts;
        let now = parts.clock.now();
        let run = RunId::new(now, parts.entropy.next_u64());
        let revision = waiting.instance.element.map(|(_, revision)| revision);
        let mut format = BodyFormat::default();
        let outcome = match self.run_hook(waiting, &mut format).await {
            Ok(outcome) => outcome,
            Err(why) => self.failed(waiting, why),
        };
        let look_at = add(now, parts.limits.look_after);
        Settlement { run, format, element_revision: revision, look_at, outcome }
    }

    async fn run_hook(
        &self,
        waiting: &WaitingRequest,
        format: &mut BodyFormat,
    ) -> Result<InboundOutcome, Failure> {
        let parts = &self.0.parts;
        let row = &waiting.row;
        let prepared = parts.preparer.prepare(&waiting.instance, parts.clock.now()).await?;
        let Some(webhook) = &prepared.instance.webhook else {
            return Err(Failure::aside("notForWebhooks", "the instance takes no webhooks any more"));
        };
        *format = webhook.body;
        let events = parts.hooks.events(waiting, webhook.body).await?;
        let polled: &[Resource] = match prepared.instance.events {
            VendorType::Both => &prepared.instance.resources,
            VendorType::Polling | VendorType::Webhooks => &[],
        };
        Ok(InboundOutcome::Settled(sort_reported(row.org, &row.key, row.received_at, events, polled)))
    }

    fn failed(&self, waiting: &WaitingRequest, why: Failure) -> InboundOutcome {
        let failures = waiting.row.failures + 1;
        let again = |reason: &dyn std::fmt::Display| {
            tracing::warn!(request = %waiting.row.id, "a notification is tried again later: {reason}");
            let pause = PAUSE_MIN.saturating_mul(1 << (failures - 1).min(10)).min(PAUSE_MAX);
            InboundOutcome::Postponed { failures, next_due: add(self.0.parts.clock.now(), pause) }
        };
        match why {
            Failure::Aside(quarantine) => InboundOutcome::Quarantined(quarantine),
            Failure::Passing(reason) => again(&reason),
            Failure::Hook(fault) if fault.is_passing() => again(&fault),
            Failure::Hook(fault @ HookFault::WorkerDied { .. }) if failures < DEATHS_MAX => again(&fault),
            Failure::Hook(fault) => InboundOutcome::Quarantined(Quarantine {
                code: fault.code().to_owned(),
                reason: fault.to_string(),
                line: fault.line(),
            }),
        }
    }
}
