//! The polling loop: takes what is due, in turn, and carries out one run for each.
//!
//! ```text
//!   due ─► choose (organisations in turn, then instances) ─► claim ─► prepare ─► run ─► finish
//!                                                              │                  │
//!                                                              └── lease renewed ─┘
//! ```
//!
//! Woken by a hint, by the end of a run, or by the next due time; the periodic look at the store is the truth. A run
//! that panics is recorded as failed and harms no other. A stop ends every run between two steps.
//!
//! Not here: whose turn it is (`turns`), what a run decides (the core's `poll`), carrying out its steps (`driver`).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use metrics::{counter, gauge, histogram};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use turnstone_core::connector::VendorType;
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::id::{InboundId, PollerId, RunId};
use turnstone_core::limits::HINTS_PER_RUN_MAX;
use turnstone_core::poll::{
    Batch, Finish, Notices, Options, Pass, PollerState, RECONNECT_NEEDED, RunFault, RunKind, RunOutcome,
    RunRecord, Start, Status, start,
};
use turnstone_core::schedule;
use turnstone_store::{Claim, Committed, Due, Intake, Lease, PollerRow, Result, StoreError};

use crate::calls::Calls;
use crate::clock::Entropy;
use crate::driver::{Ended, Progress, Tools, Watch, drive_until};
use crate::egress::{Bodies, BodyBudget};
use crate::flows::{FlowRun, Flows, TurnError};
use crate::metrics as names;
use crate::prepare::{Prepared, Preparer};
use crate::stop::Stop;
use crate::turns::Turns;

/// Pause before a poller is tried again whose run could not be written.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// How many runs at once, and how long things may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollerSettings {
    /// Runs under way on this node.
    pub runs_max: usize,
    /// Runs under way against one host: a provider's limits are usually per customer, but its patience is not.
    pub runs_per_host_max: usize,
    /// How long a claim holds without being renewed. It is renewed three times in that time.
    pub lease: Duration,
    /// Longest time between two looks at the store.
    pub scan: Duration,
    /// How long runs may take to stop before they are dropped.
    pub grace: Duration,
    /// How each run goes.
    pub options: Options,
}

impl Default for PollerSettings {
    fn default() -> Self {
        PollerSettings {
            runs_max: 32,
            runs_per_host_max: 8,
            lease: Duration::from_secs(60),
            scan: Duration::from_secs(5),
            grace: Duration::from_secs(20),
            options: Options::default(),
        }
    }
}

/// What came of one turn.
#[derive(Debug)]
pub enum Turn {
    /// The run was carried out, well or not, and its end is durable.
    Finished(Box<Finish>),
    /// The lease was lost; whoever holds it now goes on.
    LeaseLost,
    /// A stop was asked for; what was committed is durable and the claim is released.
    Stopped,
    /// The store failed; nothing more was written, and the claim is released or runs out.
    StoreFailed(StoreError),
}

/// Is told what runs do while they do it. Must be quick.
pub type OnProgress = Arc<dyn Fn(PollerId, Progress) + Send + Sync>;

/// Polls.
pub struct Poller {
    tools: Tools,
    preparer: Arc<Preparer>,
    budget: BodyBudget,
    entropy: Arc<dyn Entropy>,
    settings: PollerSettings,
    on_progress: OnProgress,
    beside: Beside,
    wake: Notify,
}

/// What a poller works with beside its tools, in a whole node.
#[derive(Clone, Default)]
pub struct Beside {
    /// Calls the resources of instances that are made from connectors.
    pub calls: Option<Calls>,
    /// What the providers' notifications named.
    pub inbox: Option<Arc<dyn Intake>>,
    /// Runs the subscriptions of monitors.
    pub flows: Option<Flows>,
}

impl Poller {
    /// A poller. `on_progress` sees every run; a node's deliverer is woken from there.
    pub fn new(
        tools: Tools,
        preparer: Arc<Preparer>,
        budget: BodyBudget,
        entropy: Arc<dyn Entropy>,
        settings: PollerSettings,
        on_progress: OnProgress,
    ) -> Arc<Poller> {
        Poller::of_node(tools, preparer, budget, entropy, settings, on_progress, Beside::default())
    }

    /// A poller of a whole node: of instances that may be made from connectors, and whose providers may notify us.
    pub fn of_node(
        tools: Tools,
        preparer: Arc<Preparer>,
        budget: BodyBudget,
        entropy: Arc<dyn Entropy>,
        settings: PollerSettings,
        on_progress: OnProgress,
        beside: Beside,
    ) -> Arc<Poller> {
        let wake = Notify::new();
        Arc::new(Poller { tools, preparer, budget, entropy, settings, on_progress, beside, wake })
    }

    /// Hints that something may be due earlier than was known.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Polls whatever is due until a stop is asked for; then ends the runs under way and releases their claims.
    pub async fn run(self: &Arc<Self>, stop: &Stop) {
        let mut turns = Turns::new(self.settings.runs_max, self.settings.runs_per_host_max);
        let mut flights: FuturesUnordered<BoxFuture<'static, Lease<PollerId>>> = FuturesUnordered::new();
        while !stop.is_asked() {
            let pause = match self.take_off(&mut turns, &mut flights, stop).await {
                Ok(pause) => pause,
                Err(error) => {
                    counter!(names::STORE_FAILURES, "loop" => "poller").increment(1);
                    tracing::error!(%error, "cannot look for what is due; trying again");
                    self.settings.scan
                }
            };
            gauge!(names::RUNS_IN_FLIGHT).set(flights.len() as f64);
            tokio::select! {
                biased;
                () = stop.asked() => {}
                Some(lease) = flights.next() => turns.landed(lease.id),
                () = self.wake.notified() => {}
                () = self.tools.clock.sleep(pause) => {}
            }
        }
        self.land(turns, flights).await;
    }

    /// Claims this poller now, whatever its turn, and carries out one run. `None` when it cannot be claimed: not due,
    /// off, paused, claimed, or gone.
    pub async fn poll_once(
        self: &Arc<Self>,
        poller: PollerId,
        options: Options,
        stop: &Stop,
    ) -> Result<Option<Turn>> {
        let claimed_at = self.tools.clock.monotonic();
        let now = self.tools.clock.now();
        let Some(claim) = self.tools.store.claim(poller, now, self.settings.lease).await? else {
            return Ok(None);
        };
        Ok(Some(self.guarded(claim, claimed_at, options, stop).await))
    }

    /// Starts as many runs as there is room for. Returns how long to wait at most.
    async fn take_off(
        self: &Arc<Self>,
        turns: &mut Turns,
        flights: &mut FuturesUnordered<BoxFuture<'static, Lease<PollerId>>>,
        stop: &Stop,
    ) -> Result<Duration> {
        let clock = &self.tools.clock;
        if turns.free() > 0 {
            let per_org = u32::try_from(self.settings.runs_max.saturating_mul(4)).unwrap_or(u32::MAX).max(64);
            let mut due = self.tools.store.due(clock.now(), per_org.saturating_mul(16), per_org).await?;
            while let Some(next) = turns.choose(&mut due) {
                if let Some(flight) = self.claim(turns, next, stop).await? {
                    flights.push(flight);
                }
            }
            if let Some(at) = self.tools.store.next_due().await? {
                let until = Duration::try_from(at.duration_since(clock.now())).unwrap_or_default();
                if !until.is_zero() {
                    return Ok(until.min(self.settings.scan));
                }
            }
        }
        // No room, nothing known to be due later, or what is due is blocked: the end of a run wakes us.
        Ok(self.settings.scan)
    }

    async fn claim(
        self: &Arc<Self>,
        turns: &mut Turns,
        next: Due,
        stop: &Stop,
    ) -> Result<Option<BoxFuture<'static, Lease<PollerId>>>> {
        let clock = &self.tools.clock;
        let (claimed_at, now) = (clock.monotonic(), clock.now());
        let Some(claim) = self.tools.store.claim(next.poller, now, self.settings.lease).await? else {
            return Ok(None);
        };
        // Which host it burdens is known only now. What cannot be prepared burdens none.
        let prepared = self.preparer.prepare(&claim.instance, now).await.ok();
        let host = |prepared: Arc<Prepared>| match claim.poller.subscription {
            Some(_) => Some(prepared.host_of_flows()),
            None => Some(prepared.host(&prepared.plan(&claim.poller).ok()?.resource)),
        };
        let host = prepared.and_then(host).unwrap_or_default();
        if !turns.take(next, &host) {
            self.tools.store.release(claim.lease, claim.poller.next_due).await?;
            return Ok(None);
        }
        let lag = now.duration_since(next.due).as_secs_f64();
        histogram!(names::RUN_LAG_SECONDS).record(lag.max(0.0));
        let (poller, stop) = (Arc::clone(self), stop.clone());
        Ok(Some(Box::pin(async move {
            let (lease, options) = (claim.lease, poller.settings.options);
            poller.guarded(claim, claimed_at, options, &stop).await;
            lease
        })))
    }

    /// Waits for the runs under way to stop, and releases what does not in time.
    async fn land(
        &self,
        mut turns: Turns,
        mut flights: FuturesUnordered<BoxFuture<'static, Lease<PollerId>>>,
    ) {
        let all = async {
            while let Some(lease) = flights.next().await {
                turns.landed(lease.id);
            }
        };
        tokio::select! {
            biased;
            () = all => {}
            () = self.tools.clock.sleep(self.settings.grace) => {
                let count = flights.len();
                tracing::warn!(count, "runs did not stop in time and are dropped; their claims run out");
            }
        }
        gauge!(names::RUNS_IN_FLIGHT).set(0.0);
    }

    /// Carries out a run in a task of its own, so that a panic stays there.
    async fn guarded(
        self: &Arc<Self>,
        claim: Claim,
        claimed_at: Duration,
        options: Options,
        stop: &Stop,
    ) -> Turn {
        let started = self.tools.clock.monotonic();
        let run = RunId::new(self.tools.clock.now(), self.entropy.next_u64());
        let (poller, stop, mine) = (Arc::clone(self), stop.clone(), claim.clone());
        let mut task =
            AbortOnDrop(tokio::spawn(
                async move { poller.turn(mine, claimed_at, run, options, &stop).await },
            ));
        let (turn, outcome) = match (&mut task.0).await {
            Ok(turn) => {
                let outcome = outcome(&turn);
                (turn, outcome)
            }
            Err(error) => {
                tracing::error!(%run, poller = %claim.poller.id, %error, "a run ended in a mistake of ours");
                let message = format!(
                    "`{}`: the run ended in a mistake of this program (see its log); it is tried again",
                    claim.poller.resource
                );
                let fault = RunFault::new("internal", message, true);
                (self.fail(&claim, run, self.tools.clock.now(), fault).await, "panicked")
            }
        };
        counter!(names::RUNS, "outcome" => outcome).increment(1);
        let took = self.tools.clock.monotonic().saturating_sub(started);
        histogram!(names::RUN_SECONDS).record(took.as_secs_f64());
        turn
    }

    async fn turn(
        &self,
        claim: Claim,
        claimed_at: Duration,
        run: RunId,
        options: Options,
        stop: &Stop,
    ) -> Turn {
        if claim.poller.subscription.is_some() {
            return self.flow_turn(claim, claimed_at, run, stop).await;
        }
        let now = self.tools.clock.now();
        let begun = self.begin(&claim, run, now, options).await;
        let (step, connection) = match begun {
            Ok(begun) => begun,
            Err(fault) => return self.fail(&claim, run, now, fault).await,
        };
        let tools = self.tools_of(&claim);
        let id = claim.poller.id;
        let progress = |progress| (self.on_progress)(id, progress);
        let watch = Watch { stop, progress: &progress };
        let ended = tokio::select! {
            biased;
            ended = drive_until(step, claim.lease, &tools, &connection, watch) => ended,
            () = self.keep(claim.lease, claimed_at) => Ok(Some(Ended::Abandoned)),
        };
        match ended {
            Ok(Some(Ended::Finished(finish))) => {
                note(&finish, &claim);
                self.pause_when_disconnected(&claim, &finish).await;
                Turn::Finished(finish)
            }
            Ok(Some(Ended::Abandoned)) => {
                counter!(names::LEASES_LOST).increment(1);
                tracing::warn!(%run, poller = %id, "the claim was lost; whoever holds it now goes on");
                Turn::LeaseLost
            }
            Ok(None) => match self.tools.store.release(claim.lease, claim.poller.next_due).await {
                Ok(()) => Turn::Stopped,
                Err(error) => self.store_failed(&claim, error).await,
            },
            Err(error) => self.store_failed(&claim, error).await,
        }
    }

    /// Carries out a run of a subscription. Nothing is written before its end, and then everything at once.
    async fn flow_turn(&self, claim: Claim, claimed_at: Duration, run: RunId, stop: &Stop) -> Turn {
        let now = self.tools.clock.now();
        let Some(flows) = &self.beside.flows else {
            let fault = RunFault::new("noFlows", "this program runs no monitors; run a whole node", false);
            return self.fail(&claim, run, now, fault).await;
        };
        let ended = tokio::select! {
            biased;
            ended = flows.turn(&claim, run, now, stop) => ended,
            () = self.keep(claim.lease, claimed_at) => {
                counter!(names::LEASES_LOST).increment(1);
                tracing::warn!(%run, poller = %claim.poller.id, "the claim was lost; nothing of the run counts");
                return Turn::LeaseLost;
            }
        };
        let finish = match ended {
            Ok(FlowRun::Finish(finish)) => finish,
            Ok(FlowRun::Stopped) => {
                return match self.tools.store.release(claim.lease, claim.poller.next_due).await {
                    Ok(()) => Turn::Stopped,
                    Err(error) => self.store_failed(&claim, error).await,
                };
            }
            Err(TurnError::Fault(fault)) => {
                let turn = self.fail(&claim, run, now, fault).await;
                if let Turn::Finished(finish) = &turn {
                    self.pause_when_disconnected(&claim, finish).await;
                }
                return turn;
            }
            Err(TurnError::Store(error)) => return self.store_failed(&claim, error).await,
        };
        let events = finish.batch.events.len();
        (self.on_progress)(claim.poller.id, Progress::Read(finish.run.counts.records as usize));
        match self.tools.store.finish(claim.lease, (*finish).clone(), self.tools.clock.now()).await {
            Ok(Committed::Yes) => {
                (self.on_progress)(claim.poller.id, Progress::Committed(events));
                note(&finish, &claim);
                self.pause_when_disconnected(&claim, &finish).await;
                Turn::Finished(finish)
            }
            Ok(Committed::StaleLease) => {
                counter!(names::LEASES_LOST).increment(1);
                Turn::LeaseLost
            }
            Err(error) => self.store_failed(&claim, error).await,
        }
    }

    /// The tools of a run: one of an instance with a connector asks through its own resources.
    fn tools_of(&self, claim: &Claim) -> Tools {
        match &self.beside.calls {
            Some(calls) if claim.instance.element.is_some() => Tools {
                net: calls.net(claim.instance.clone(), Arc::clone(&self.tools.net)),
                ..self.tools.clone()
            },
            Some(_) | None => self.tools.clone(),
        }
    }

    /// An account that must be connected anew is not asked again before that: its pollers rest where they are. One
    /// that is not paused now (the store failed, say) is at its next run.
    async fn pause_when_disconnected(&self, claim: &Claim, finish: &Finish) {
        let Some(fault) = finish.run.error.as_ref().filter(|fault| fault.code == RECONNECT_NEEDED) else {
            return;
        };
        let (org, id) = (claim.poller.org, claim.poller.id);
        if let Err(error) = self.tools.store.pause(org, id, &fault.message).await {
            tracing::warn!(%error, poller = %id, "it must be connected anew and could not be paused");
        }
    }

    /// Everything that a run starts from, or why it cannot.
    async fn begin(
        &self,
        claim: &Claim,
        run: RunId,
        now: Timestamp,
        options: Options,
    ) -> std::result::Result<(turnstone_core::run::Step, crate::egress::Connection), RunFault> {
        let prepared = self.preparer.prepare(&claim.instance, now).await.map_err(|error| error.fault())?;
        let plan = prepared.plan(&claim.poller).map_err(|error| error.fault())?;
        let bodies = Bodies::new(&self.budget);
        let connection = prepared.connection(&plan.resource, bodies).map_err(|error| error.fault())?;
        let state = PollerState::read(&claim.poller.state).map_err(|error| {
            let text = format!(
                "the state of poller {} cannot be read ({error}); restore it, or reset the poller",
                claim.poller.id
            );
            RunFault::new("badState", text, false)
        })?;
        // A pass that cannot be read is begun again: that costs requests and loses nothing.
        let pass = claim.poller.checkpoint.as_deref().and_then(|text| Pass::read(text).ok());
        let entropy = self.entropy.next_u64();
        let due = claim.poller.next_due;
        let notices = match prepared.instance.events {
            VendorType::Both => self.notices(claim).await?,
            VendorType::Polling | VendorType::Webhooks => None,
        };
        Ok((start(Start { plan, state, pass, run, now, due, entropy, options, notices }), connection))
    }

    /// What the provider's notifications named.
    async fn notices(&self, claim: &Claim) -> std::result::Result<Option<Notices>, RunFault> {
        let Some(inbox) = &self.beside.inbox else { return Ok(None) };
        let named = inbox.hints(claim.poller.id, HINTS_PER_RUN_MAX).await.map_err(|error| {
            RunFault::new(
                "store",
                format!("what notifications named cannot be read ({error}); it is tried again"),
                true,
            )
        })?;
        let regular_due = claim.poller.regular_due.unwrap_or(claim.poller.next_due);
        Ok(Some(Notices { named, regular_due }))
    }

    /// Renews a claim for as long as it is polled; returns when it is lost, or cannot be trusted any more.
    async fn keep(&self, lease: Lease<PollerId>, claimed_at: Duration) {
        let (clock, long) = (&self.tools.clock, self.settings.lease);
        // Trusted from before the request that obtained it, less a margin for a clock that runs faster elsewhere.
        let trusted = |asked: Duration| asked + long - long / 6;
        let mut until = trusted(claimed_at);
        loop {
            clock.sleep(long / 3).await;
            let asked = clock.monotonic();
            match self.tools.store.renew(lease, clock.now(), long).await {
                Ok(Committed::Yes) => until = trusted(asked),
                Ok(Committed::StaleLease) => return,
                Err(error) => {
                    tracing::warn!(%error, poller = %lease.id, "a claim could not be renewed; trying again");
                    if clock.monotonic() + long / 3 >= until {
                        return;
                    }
                }
            }
        }
    }

    /// Writes the end of a run that could not be carried out.
    async fn fail(&self, claim: &Claim, run: RunId, started_at: Timestamp, fault: RunFault) -> Turn {
        let now = self.tools.clock.now();
        let entropy = self.entropy.next_u64();
        let mut finish = failed(claim, run, started_at, now, fault, entropy);
        if let (Some(_), Some(flows)) = (claim.poller.subscription, &self.beside.flows)
            && let Some(cadence) = flows.cadence_of(claim.poller.id).await
        {
            let (_, failures) = failed_once_more(&claim.poller);
            finish.next_due = cadence.after_failure(now, claim.poller.interval, failures, None, entropy);
        }
        note(&finish, claim);
        match self.tools.store.finish(claim.lease, finish.clone(), now).await {
            Ok(Committed::Yes) => Turn::Finished(Box::new(finish)),
            Ok(Committed::StaleLease) => Turn::LeaseLost,
            Err(error) => self.store_failed(claim, error).await,
        }
    }

    async fn store_failed(&self, claim: &Claim, error: StoreError) -> Turn {
        counter!(names::STORE_FAILURES, "loop" => "poller").increment(1);
        tracing::error!(%error, poller = %claim.poller.id, "a run could not be written");
        let due = schedule::add(self.tools.clock.now(), STORE_PAUSE);
        if let Err(error) = self.tools.store.release(claim.lease, due).await {
            tracing::warn!(%error, poller = %claim.poller.id, "its claim could not be released and runs out");
        }
        Turn::StoreFailed(error)
    }
}

/// Ends the task when nobody waits for it any more.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn outcome(turn: &Turn) -> &'static str {
    match turn {
        Turn::Finished(finish) => finish.run.outcome.as_str(),
        Turn::LeaseLost => "lost",
        Turn::Stopped => "stopped",
        Turn::StoreFailed(_) => "store",
    }
}

/// The end of a run that never began. Watermark and pass stay as they are.
fn failed(
    claim: &Claim,
    run: RunId,
    started_at: Timestamp,
    now: Timestamp,
    fault: RunFault,
    entropy: u64,
) -> Finish {
    let poller = &claim.poller;
    let (state, failures) = failed_once_more(poller);
    Finish {
        flow: None,
        batch: Batch::default(),
        pass_closed: false,
        state,
        watermark: poller.watermark,
        status: Status {
            code: fault.code.clone(),
            sentence: fault.message.clone(),
            needs_attention: !fault.transient,
        },
        next_due: schedule::after_failure(now, poller.interval, failures, None, entropy),
        regular_due: None,
        hints_known: InboundId(0),
        prune_versions_below: None,
        run: RunRecord {
            id: run,
            poller: poller.id,
            kind: if poller.subscription.is_some() { RunKind::Flow } else { RunKind::Poll },
            started_at,
            finished_at: now,
            outcome: RunOutcome::Failed,
            error: Some(fault),
            counts: Default::default(),
            story: Default::default(),
        },
    }
}

/// The state after one more failure, and how many there are in a row. A state that cannot be read is kept for whoever
/// repairs it; its failures cannot be counted.
fn failed_once_more(poller: &PollerRow) -> (String, u32) {
    match (poller.subscription, PollerState::read(&poller.state), SubscriptionState::read(&poller.state)) {
        (None, Ok(mut state), _) => {
            state.failures = state.failures.saturating_add(1);
            (state.write(), state.failures)
        }
        (Some(_), _, Ok(mut state)) => {
            state.failures = state.failures.saturating_add(1);
            (state.write(), state.failures)
        }
        (None, Err(_), _) | (Some(_), _, Err(_)) => (poller.state.clone(), 1),
    }
}

/// Counts a run and logs it.
fn note(finish: &Finish, claim: &Claim) {
    let (run, counts) = (&finish.run, &finish.run.counts);
    counter!(names::PAGES).increment(counts.pages);
    for (verdict, count) in [
        ("created", counts.created),
        ("updated", counts.updated),
        ("deleted", counts.deleted),
        ("seeded", counts.seeded),
        ("reported", counts.reported),
        ("before-window", counts.before_window),
        ("superseded", counts.superseded),
        ("quarantined", counts.quarantined),
        ("filtered", counts.filtered),
    ] {
        counter!(names::RECORDS, "verdict" => verdict).increment(count);
    }
    let (instance, poller, resource) = (claim.instance.id, claim.poller.id, claim.poller.resource.as_str());
    let (events, pages, records) = (counts.events(), counts.pages, counts.records);
    match &run.error {
        Some(fault) => tracing::info!(
            run = %run.id, %instance, %poller, resource, pages, records, events, code = fault.code,
            "a poll failed: {}", fault.message
        ),
        None => {
            tracing::debug!(run = %run.id, %instance, %poller, resource, pages, records, events, "polled")
        }
    }
}

#[cfg(test)]
mod tests;
