//! Delivers: forms notifications from what waits, sends them, and keeps what came of it.
//!
//! Rows are the queue, and every step is one transaction of the store: form (which also claims), send, finish. A crash
//! between any two of them leaves a claim that runs out, after which the same bytes go out again under the same id.
//! That, and an answer that was lost, are the only sources of repeats on the wire.
//!
//! [`Deliverer::deliver_once`] does one round, one thing after another, so that a simulator can drive it;
//! [`Deliverer::run`] does the same with many attempts at once: at most [`Limits::per_endpoint`] towards one endpoint,
//! so that a receiver that hangs delays only itself.
//!
//! Kinds of endpoints are [`Sink`]s. Endpoints of a kind that this process has no sink for are left alone.
//!
//! Not here: what an attempt leads to (`turnstone_core::delivery`), which events may go together (the store).

mod config;
mod measures;
mod running;
mod sink;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::sync::Notify;
use turnstone_core::delivery::{Outcome, RetryPolicy, Situation, Verdict, judge};
use turnstone_core::event::Event;
use turnstone_core::id::{AttemptId, EndpointId, OrgId};
use turnstone_core::schedule::{RETRY_AFTER_MAX, add};
use turnstone_store::{
    AttemptResult, AttemptRow, Committed, Delivery, EndpointRow, EndpointState, EventFilter, InboundFilter,
    Intake, LoggedEvent, NewNotification, NotificationState, Store, StoreError,
};

use crate::clock::{Clock, Entropy};

pub use config::{
    ConfigError, EndpointConfig, Format, References, StoredBasic, StoredSecret, TIMEOUT_SECONDS_MAX, Vault,
    VaultError,
};
pub use sink::{Forming, HttpCallback, Request, Sent, Sink};

/// Bytes of records that go together. Ten records of the largest size would make a body that few receivers take, so a
/// notification of large records has fewer events; it always has one.
pub const NOTIFICATION_RECORD_BYTES_MAX: usize = 1024 * 1024;

/// Notifications that one [`Deliverer::deliver_once`] claims at most, so that a round ends however much is due.
const CLAIMS_PER_ROUND_MAX: u32 = 1_000;

/// Bytes of the notifications that a larger one is split into. Each holds all that the provider sent; beyond this it
/// stays whole.
const SPLIT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Tries of a write that the store refused. The claim makes doing it again safe; what fails all of them is sent again.
const WRITES_MAX: u32 = 3;

/// Bounds of a deliverer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attempts under way at once.
    pub attempts: u32,
    /// Attempts under way towards one endpoint.
    pub per_endpoint: u32,
    /// How long a notification stays claimed. It outlasts the longest attempt, so that nobody takes over one that is
    /// still under way.
    pub lease: Duration,
    /// How often the store is looked at without a hint.
    pub scan: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            attempts: 256,
            per_endpoint: 4,
            lease: Duration::from_secs(2 * TIMEOUT_SECONDS_MAX),
            scan: Duration::from_secs(1),
        }
    }
}

/// What a deliverer works with.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// For jitter and attempt ids.
    pub entropy: Arc<dyn Entropy>,
    /// What providers sent, for the notifications of what they notified; `None` where nothing is taken in.
    pub inbox: Option<Arc<dyn Intake>>,
    /// Bounds.
    pub limits: Limits,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveredSummary {
    /// Notifications formed from waiting events.
    pub formed: u32,
    /// Attempts made.
    pub attempts: u32,
    /// Notifications accepted.
    pub delivered: u32,
    /// Attempts that failed.
    pub failed: u32,
    /// Attempts whose outcome was not kept, because somebody else had taken over or the notification was cancelled.
    pub stale: u32,
}

impl DeliveredSummary {
    /// Whether there was nothing to do.
    pub fn is_idle(&self) -> bool {
        self.attempts == 0 && self.formed == 0
    }

    fn count(&mut self, done: Done) {
        self.attempts += 1;
        match done {
            Done::Kept(Verdict::Delivered) => self.delivered += 1,
            Done::Kept(_) => self.failed += 1,
            Done::Stale => self.stale += 1,
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Kept(Verdict),
    Stale,
}

/// A claimed notification.
struct Job {
    delivery: Delivery,
    /// When its oldest event was recorded, where that is at hand.
    recorded_at: Option<Timestamp>,
}

/// Delivers notifications. Share it with an `Arc`; several may work on one store.
pub struct Deliverer {
    parts: Parts,
    sinks: BTreeMap<String, Arc<dyn Sink>>,
    hint: Notify,
    /// Endpoints that asked for patience, and until when: nothing new is formed for them. In memory only, because the
    /// notification that was refused keeps its own due time.
    patience: Mutex<BTreeMap<EndpointId, Timestamp>>,
}

impl Deliverer {
    /// A deliverer without sinks.
    pub fn new(parts: Parts) -> Deliverer {
        Deliverer { parts, sinks: BTreeMap::new(), hint: Notify::new(), patience: Mutex::default() }
    }

    /// Adds the sink for endpoints of a kind, replacing an earlier one.
    pub fn with_sink(mut self, kind: &str, sink: Arc<dyn Sink>) -> Deliverer {
        self.sinks.insert(kind.to_owned(), sink);
        self
    }

    /// Hints that there may be something to do: events were committed, or notifications released. Carries no data, and
    /// a hint that is lost costs at most one [`Limits::scan`].
    pub fn wake(&self) {
        self.hint.notify_one();
    }

    /// One round, one thing after another: tries what is due, then forms and tries one notification per endpoint where
    /// events wait. Call it again until it is idle. After an error the rest of the round is left for the next one.
    pub async fn deliver_once(&self) -> Result<DeliveredSummary, StoreError> {
        let mut summary = DeliveredSummary::default();
        for _ in 0..CLAIMS_PER_ROUND_MAX {
            // One by one: what is claimed is sent at once, so that no claim runs out in a queue.
            let claimed = self.claim(1).await?;
            if claimed.is_empty() {
                break;
            }
            for job in claimed.into_iter().filter(|job| self.has_sink(&job.delivery.endpoint)) {
                summary.count(self.carry_out(job).await?);
            }
        }
        for endpoint in self.candidates(u32::MAX, |_| true).await? {
            if let Some(job) = self.form_next(&endpoint).await? {
                summary.formed += 1;
                summary.count(self.carry_out(job).await?);
            }
        }
        Ok(summary)
    }

    /// When [`Deliverer::deliver_once`] is worth calling again, apart from new events.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due = self.parts.store.next_notification_due().await?;
        let now = self.parts.clock.now();
        let patience = self.patience().values().copied().filter(|until| *until > now).min();
        Ok(due.into_iter().chain(patience).min())
    }

    async fn claim(&self, limit: u32) -> Result<Vec<Job>, StoreError> {
        let Parts { store, clock, limits, .. } = &self.parts;
        let claimed =
            store.claim_notifications(clock.now(), limit, limits.per_endpoint, limits.lease).await?;
        Ok(claimed.into_iter().map(|delivery| Job { delivery, recorded_at: None }).collect())
    }

    fn has_sink(&self, endpoint: &EndpointRow) -> bool {
        self.sinks.contains_key(&endpoint.kind)
    }

    /// Endpoints with events waiting that may take a notification now, at most `room`. Endpoints that may not can stand
    /// first in the store's order, so it is asked for more until one is found or there are no more.
    async fn candidates(
        &self,
        room: u32,
        has_room: impl Fn(EndpointId) -> bool,
    ) -> Result<Vec<EndpointRow>, StoreError> {
        let mut limit = room.clamp(1, u32::MAX / 2) * 2;
        loop {
            let rows = self.parts.store.endpoints_waiting(limit).await?;
            let is_all = (rows.len() as u64) < u64::from(limit);
            let now = self.parts.clock.now();
            let patience = self.patience().clone();
            let is_patient = |id| patience.get(&id).is_some_and(|until| *until > now);
            let mut usable: Vec<EndpointRow> = rows
                .into_iter()
                .filter(|row| self.has_sink(row) && has_room(row.id) && !is_patient(row.id))
                .collect();
            if is_all || !usable.is_empty() || limit == u32::MAX {
                usable.truncate(room as usize);
                return Ok(usable);
            }
            limit = limit.saturating_mul(2);
        }
    }

    /// Forms the next notification of an endpoint. `None` when there is nothing to form, or somebody else was faster.
    async fn form_next(&self, endpoint: &EndpointRow) -> Result<Option<Job>, StoreError> {
        let Parts { store, clock, limits, .. } = &self.parts;
        let Some(sink) = self.sinks.get(&endpoint.kind) else { return Ok(None) };
        let Some(waiting) = or_gone(store.waiting(endpoint.id, sink.events_max()).await)? else {
            return Ok(None);
        };
        let Some(instance) = or_gone(store.instance(endpoint.org, endpoint.instance).await)? else {
            return Ok(None);
        };
        let logged = fitting(&waiting.events);
        let Some(recorded_at) = logged.iter().map(|logged| logged.recorded_at).min() else { return Ok(None) };
        let id = store.reserve_notification().await?;
        let now = clock.now();
        let events: Vec<&Event> = logged.iter().map(|logged| &logged.event).collect();
        let received = self.received(endpoint.org, events.first().copied()).await?;
        let received = received.as_deref();
        let new = NewNotification {
            endpoint: endpoint.id,
            split_from: None,
            members: logged.iter().map(|logged| logged.position).collect(),
            body: sink.body(&Forming { id, instance: &instance, events: &events, received, now }),
        };
        let formed = store.form(id, new, waiting.endpoint.position, now, limits.lease).await?;
        Ok(formed.map(|delivery| Job { delivery, recorded_at: Some(recorded_at) }))
    }

    /// Sends, judges, and keeps the outcome.
    async fn carry_out(&self, job: Job) -> Result<Done, StoreError> {
        let Parts { clock, entropy, .. } = &self.parts;
        let Job { delivery, recorded_at } = job;
        let sent = self.send(&delivery).await;
        let now = clock.now();
        let verdict = self.judge(&delivery, sent.outcome, now, entropy.next_u64()).await?;
        let (verdict, result) = self.result(&delivery, &sent, verdict, now).await?;
        let committed = self.finish(&delivery, &result, now).await?;
        match committed {
            Committed::StaleLease => {
                measures::attempt("stale", sent.duration);
                Ok(Done::Stale)
            }
            Committed::Yes => {
                measures::attempt(verdict.as_str(), sent.duration);
                self.note(&delivery, &sent, &result);
                if verdict == Verdict::Delivered {
                    self.note_lag(&delivery, recorded_at, now).await;
                }
                Ok(Done::Kept(verdict))
            }
        }
    }

    /// A panic of a sink is a failure of this attempt, and of nothing else.
    async fn send(&self, delivery: &Delivery) -> Sent {
        let now = self.parts.clock.now();
        let Some(sink) = self.sinks.get(&delivery.endpoint.kind) else {
            return sink::unsent(
                now,
                format!("no part of this process sends to `{}`", delivery.endpoint.kind),
            );
        };
        AssertUnwindSafe(sink.send(delivery)).catch_unwind().await.unwrap_or_else(|_| {
            sink::unsent(now, "the attempt failed by a fault of ours; see the log".to_owned())
        })
    }

    async fn judge(
        &self,
        delivery: &Delivery,
        outcome: Outcome,
        now: Timestamp,
        entropy: u64,
    ) -> Result<Verdict, StoreError> {
        let Delivery { notification, endpoint, .. } = delivery;
        let policy = self.sinks.get(&endpoint.kind).map_or(RetryPolicy::Retry, |sink| sink.policy(endpoint));
        let mut situation = Situation {
            failures: notification.failures,
            first_failed_at: notification.first_failed_at,
            accepted_at: endpoint.accepted_at,
            events: notification.events.len(),
        };
        let verdict = judge(outcome, &situation, policy, now, entropy);
        if verdict != Verdict::DeadAndDeactivate {
            return Ok(verdict);
        }
        // The endpoint's row is from before the attempt; it may have accepted another notification meanwhile.
        let endpoints = self.parts.store.endpoints(endpoint.org).await?;
        if let Some(fresh) = endpoints.iter().find(|known| known.id == endpoint.id) {
            situation.accepted_at = fresh.accepted_at;
        }
        Ok(judge(outcome, &situation, policy, now, entropy))
    }

    /// What is written. A split whose events are not all there any more stays whole and is tried again.
    async fn result(
        &self,
        delivery: &Delivery,
        sent: &Sent,
        mut verdict: Verdict,
        now: Timestamp,
    ) -> Result<(Verdict, AttemptResult), StoreError> {
        let notification = &delivery.notification;
        let mut singles = Vec::new();
        if let Verdict::Split { at } = verdict {
            singles = self.singles(delivery, now).await?;
            if singles.is_empty() {
                verdict = Verdict::Retry { at };
            }
        }
        let (state, next_due) = match verdict {
            Verdict::Delivered => (NotificationState::Delivered, None),
            Verdict::Retry { at } => (NotificationState::Retry, Some(at)),
            Verdict::Split { at } => (NotificationState::Split, Some(at)),
            Verdict::Queue | Verdict::Disable => (NotificationState::Queued, None),
            Verdict::Dead | Verdict::DeadAndDeactivate => (NotificationState::Dead, None),
        };
        let said = sent.error.as_deref().unwrap_or("nothing");
        let endpoint = match verdict {
            Verdict::Delivered | Verdict::Retry { .. } | Verdict::Split { .. } | Verdict::Dead => None,
            Verdict::Queue => Some((EndpointState::Deactivated, format!("its policy is `queue`: {said}"))),
            Verdict::DeadAndDeactivate => {
                let since = notification.first_failed_at.unwrap_or(now);
                let why =
                    format!("nothing was accepted since {}: {said}", turnstone_core::event::seconds(since));
                Some((EndpointState::Deactivated, why))
            }
            Verdict::Disable => Some((EndpointState::Disabled, said.to_owned())),
        };
        let failures = notification.failures + u32::from(verdict != Verdict::Delivered);
        let attempt = self.attempt(delivery, sent);
        Ok((verdict, AttemptResult { attempt, state, next_due, failures, singles, endpoint }))
    }

    fn attempt(&self, delivery: &Delivery, sent: &Sent) -> AttemptRow {
        let status = match sent.outcome {
            Outcome::Answered { status, .. } => Some(status),
            Outcome::Unanswered => None,
        };
        AttemptRow {
            id: AttemptId::new(sent.sent_at, self.parts.entropy.next_u64()),
            notification: delivery.notification.id,
            started_at: sent.sent_at,
            duration_ms: i64::try_from(sent.duration.as_millis()).unwrap_or(i64::MAX),
            status,
            error: sent.error.clone(),
            answer: sent.answer.clone(),
            request: sent.request.as_ref().map(Request::to_json).unwrap_or_default(),
        }
    }

    /// One notification per event. Their bodies are new, the ids of their events are not.
    async fn singles(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Vec<(turnstone_core::id::NotificationId, NewNotification)>, StoreError> {
        let Delivery { notification, endpoint, .. } = delivery;
        let store = &self.parts.store;
        let Some(sink) = self.sinks.get(&endpoint.kind) else { return Ok(Vec::new()) };
        let Some(instance) = or_gone(store.instance(endpoint.org, endpoint.instance).await)? else {
            return Ok(Vec::new());
        };
        let mut singles = Vec::with_capacity(notification.events.len());
        let mut received = None;
        for event in &notification.events {
            let filter = EventFilter { id: Some(*event), limit: 1, ..EventFilter::default() };
            let Some(logged) = store.events(endpoint.org, &filter).await?.pop() else {
                return Ok(Vec::new());
            };
            if singles.is_empty() {
                received = self.received(endpoint.org, Some(&logged.event)).await?;
                let bytes = received.as_ref().map_or(0, String::len) * notification.events.len();
                if bytes > SPLIT_BYTES_MAX {
                    return Ok(Vec::new());
                }
            }
            let received = received.as_deref();
            let id = store.reserve_notification().await?;
            let new = NewNotification {
                endpoint: endpoint.id,
                split_from: Some(notification.id),
                members: vec![logged.position],
                body: sink.body(&Forming {
                    id,
                    instance: &instance,
                    events: &[&logged.event],
                    received,
                    now,
                }),
            };
            singles.push((id, new));
        }
        Ok(singles)
    }

    /// What the provider sent that brought an event, as JSON; `None` for what a poll saw, and where it is not kept any
    /// more.
    async fn received(&self, org: OrgId, event: Option<&Event>) -> Result<Option<String>, StoreError> {
        let (Some(inbox), Some(id)) = (&self.parts.inbox, event.and_then(|event| event.inbound)) else {
            return Ok(None);
        };
        let filter = InboundFilter { id: Some(id), limit: 1, ..InboundFilter::default() };
        let Some(row) = inbox.requests(org, &filter).await?.pop() else { return Ok(Some("null".to_owned())) };
        let raw = inbox.request(org, id).await?;
        // It was read like this before, or there were no event.
        let content = raw.content(row.format.unwrap_or_default());
        Ok(Some(content.map_or_else(|_| "null".to_owned(), std::borrow::Cow::into_owned)))
    }

    /// Writes the outcome. After an unknown one the same write answers `StaleLease` if it had happened, which then
    /// counts as kept by somebody: the row is right either way.
    async fn finish(
        &self,
        delivery: &Delivery,
        result: &AttemptResult,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        let mut tries = 1;
        loop {
            match self.parts.store.finish_attempt(delivery.lease, result.clone(), now).await {
                Err(StoreError::Unknown(_) | StoreError::Failed(_)) if tries < WRITES_MAX => tries += 1,
                other => return other,
            }
        }
    }

    /// Tells people, and remembers who asked for patience.
    fn note(&self, delivery: &Delivery, sent: &Sent, result: &AttemptResult) {
        let now = self.parts.clock.now();
        let endpoint = &delivery.endpoint;
        let mut patience = self.patience();
        match sent.outcome {
            Outcome::Answered { retry_after: Some(asked), .. } if !sent.outcome.is_accepted() => {
                patience.insert(endpoint.id, add(now, asked.min(RETRY_AFTER_MAX)));
            }
            Outcome::Answered { .. } | Outcome::Unanswered => {}
        }
        patience.retain(|_, until| *until > now);
        drop(patience);
        if let Some((state, reason)) = &result.endpoint {
            measures::stopped(state.as_str());
            tracing::warn!(
                endpoint = endpoint.id.0,
                instance = endpoint.instance.0,
                state = state.as_str(),
                "the endpoint takes no notifications any more and its events wait: {reason}"
            );
        } else if result.state == NotificationState::Dead {
            tracing::warn!(
                endpoint = endpoint.id.0,
                notification = delivery.notification.id.0,
                "a notification is a dead letter: {}",
                sent.error.as_deref().unwrap_or_default()
            );
        }
    }

    /// Measures from commit to acceptance. A store that fails here costs a measurement and nothing else: the outcome is
    /// kept already.
    async fn note_lag(&self, delivery: &Delivery, recorded_at: Option<Timestamp>, now: Timestamp) {
        let mut recorded_at = recorded_at;
        if let (None, Some(first)) = (recorded_at, delivery.notification.events.first()) {
            let filter = EventFilter { id: Some(*first), limit: 1, ..EventFilter::default() };
            let found = self.parts.store.events(delivery.endpoint.org, &filter).await;
            recorded_at = found.ok().and_then(|found| found.first().map(|logged| logged.recorded_at));
        }
        if let Some(lag) = recorded_at.and_then(|at| Duration::try_from(now.duration_since(at)).ok()) {
            measures::lag(lag);
        }
    }

    /// A panic elsewhere while it was held leaves at worst an entry too many.
    fn patience(&self) -> MutexGuard<'_, BTreeMap<EndpointId, Timestamp>> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many of the first events as fit together; at least one, if there is one.
fn fitting(events: &[LoggedEvent]) -> &[LoggedEvent] {
    let mut bytes = 0;
    let size = |logged: &LoggedEvent| logged.event.record.as_deref().map_or(0, str::len);
    let fit = events.iter().take_while(|logged| {
        bytes += size(logged);
        bytes <= NOTIFICATION_RECORD_BYTES_MAX
    });
    let count = fit.count().max(1).min(events.len());
    &events[..count]
}

/// `None` for a row that was removed meanwhile.
fn or_gone<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
