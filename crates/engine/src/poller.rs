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
use turnstone_core::id::{InboundId, PollerId, RunId};
use turnstone_core::limits::HINTS_PER_RUN_MAX;
use turnstone_core::poll::{
    Batch, Finish, Notices, Options, Pass, PollerState, RECONNECT_NEEDED, RunFault, RunKind, RunOutcome,
    RunRecord, Start, Status, start,
};
use turnstone_core::schedule;
use turnstone_store::{Claim, Committed, Due, Intake, Lease, Result, StoreError};

use crate::calls::Calls;
use crate::clock::Entropy;
use crate::driver::{Ended, Progress, Tools, Watch, drive_until};
use crate::egress::{Bodies, BodyBudget};
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
        let host =
            |prepared: Arc<Prepared>| Some(prepared.host(&prepared.plan(&claim.poller).ok()?.resource));
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
        let finish = failed(claim, run, started_at, now, fault, self.entropy.next_u64());
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
    // A state that cannot be read is kept for whoever repairs it; its failures cannot be counted.
    let (state, failures) = match PollerState::read(&poller.state) {
        Ok(mut state) => {
            state.failures = state.failures.saturating_add(1);
            let failures = state.failures;
            (state.write(), failures)
        }
        Err(_) => (poller.state.clone(), 1),
    };
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
            kind: RunKind::Poll,
            started_at,
            finished_at: now,
            outcome: RunOutcome::Failed,
            error: Some(fault),
            counts: Default::default(),
            story: Default::default(),
        },
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
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use serde_json::json;
    use turnstone_core::check::CheckSettings;
    use turnstone_core::id::OrgId;
    use turnstone_core::run::{Reply, Request, Response};
    use turnstone_store::memory::MemoryStore;
    use turnstone_store::{NewInstance, NewPoller, Store};

    use super::*;
    use crate::clock::{Clock, SeededEntropy, SystemClock};
    use crate::egress::{Callback, CallbackReply, Connection, Net};
    use crate::prepare::References;
    use crate::secrets::KeyRing;

    /// A provider whose host names say how it behaves.
    #[derive(Default)]
    struct Provider {
        at_once: AtomicUsize,
        most: AtomicUsize,
        asked: Mutex<Vec<String>>,
        arrived: Notify,
        go: Notify,
    }

    #[async_trait]
    impl Net for Provider {
        async fn send(&self, request: Request, _: &Connection) -> Reply {
            self.asked.lock().unwrap().push(request.url.clone());
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.arrived.notify_one();
            assert!(!request.url.contains("panics.test"), "a mistake of ours");
            if request.url.contains("slow.test") {
                self.go.notified().await;
            }
            tokio::task::yield_now().await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            let clock = SystemClock::new();
            let body = r#"[{"id":1,"updated":"2026-01-01T00:00:00Z"}]"#.to_owned();
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            let response = Response { status: 200, headers, body };
            Reply { sent_at: clock.now(), to_head: Duration::ZERO, outcome: Ok(response) }
        }

        async fn post(&self, _: Callback) -> CallbackReply {
            unreachable!("nothing is delivered here")
        }
    }

    struct World {
        store: Arc<MemoryStore>,
        provider: Arc<Provider>,
        poller: Arc<Poller>,
        ended: Arc<Notify>,
    }

    fn world(settings: PollerSettings) -> World {
        let (store, provider) = (Arc::new(MemoryStore::new()), Arc::new(Provider::default()));
        let tools = Tools {
            store: Arc::clone(&store) as Arc<dyn Store>,
            net: Arc::clone(&provider) as Arc<dyn Net>,
            clock: Arc::new(SystemClock::new()),
        };
        let keys = Arc::new(KeyRing::parse(&"07".repeat(32), "the test").unwrap());
        let checks = CheckSettings::new(tools.clock.now());
        let preparer = Arc::new(Preparer::new(checks, keys, References::Refuse));
        let ended = Arc::new(Notify::new());
        let told = Arc::clone(&ended);
        let on_progress: OnProgress = Arc::new(move |_, progress| {
            if let Progress::Committed(_) = progress {
                told.notify_one();
            }
        });
        let entropy = Arc::new(SeededEntropy::new(1));
        let poller = Poller::new(tools, preparer, BodyBudget::default(), entropy, settings, on_progress);
        World { store, provider, poller, ended }
    }

    impl World {
        async fn add(&self, org: &str, host: &str) -> (OrgId, PollerId) {
            let now = SystemClock::new().now();
            let org = self.store.ensure_org(org, now).await.unwrap();
            let document = json!({
                "element": {"key": "crm"},
                "configuration": {"event.poller.configuration": {"customers": {
                    "url": format!("https://{host}/customers"), "idField": "id", "startFrom": "beginning",
                    "datesConfiguration": {
                        "updatedDateField": "updated", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"}}}}
            });
            let mut token_hash = [0; 32];
            let count = self.store.instances(org).await.unwrap().len() as u8;
            token_hash[..2].copy_from_slice(&[org.0 as u8, count]);
            let new = NewInstance {
                org,
                element_key: "crm".into(),
                element: None,
                name: "crm".into(),
                tags: Vec::new(),
                token_hash,
                document: if host.is_empty() { "{}".into() } else { document.to_string() },
                enabled: true,
                pollers: vec![NewPoller {
                    resource: "customers".into(),
                    revision: 1,
                    next_due: now,
                    interval: Duration::from_secs(3600),
                }],
                endpoint: None,
                intake: None,
            };
            let instance = self.store.create_instance(new, now).await.unwrap();
            (org, self.store.pollers(org, Some(instance)).await.unwrap()[0].id)
        }

        async fn last_run(&self, org: OrgId, poller: PollerId) -> Option<RunRecord> {
            self.store.runs(org, poller, 1).await.unwrap().into_iter().next()
        }

        /// Polls until each of these pollers has a run, and stops.
        async fn run_all(&self, pollers: &[(OrgId, PollerId)]) {
            let stop = Stop::new();
            let watch = async {
                for (org, poller) in pollers {
                    while self.last_run(*org, *poller).await.is_none() {
                        tokio::task::yield_now().await;
                    }
                }
                stop.ask();
            };
            tokio::join!(self.poller.run(&stop), watch);
        }
    }

    #[tokio::test]
    async fn what_is_due_is_polled_and_recorded() {
        let world = world(PollerSettings::default());
        let (org, poller) = world.add("one", "api.test").await;
        world.run_all(&[(org, poller)]).await;
        let run = world.last_run(org, poller).await.unwrap();
        assert_eq!((run.outcome, run.counts.events()), (RunOutcome::Completed, 1), "{run:?}");
        assert!(world.store.poller(org, poller).await.unwrap().next_due > run.finished_at);
    }

    #[tokio::test]
    async fn a_panic_is_a_failed_run_and_harms_no_other() {
        let world = world(PollerSettings::default());
        let bad = world.add("one", "panics.test").await;
        let good = world.add("two", "api.test").await;
        world.run_all(&[bad, good]).await;
        let run = world.last_run(bad.0, bad.1).await.unwrap();
        assert_eq!(run.error.map(|fault| fault.code).as_deref(), Some("internal"));
        assert_eq!(world.last_run(good.0, good.1).await.unwrap().outcome, RunOutcome::Completed);
        let row = world.store.poller(bad.0, bad.1).await.unwrap();
        assert_eq!(PollerState::read(&row.state).unwrap().failures, 1);
        assert_eq!(row.status.code, "internal");
    }

    #[tokio::test]
    async fn a_document_that_cannot_be_prepared_fails_with_its_sentence() {
        let world = world(PollerSettings::default());
        let (org, poller) = world.add("one", "").await;
        world.run_all(&[(org, poller)]).await;
        let fault = world.last_run(org, poller).await.unwrap().error.unwrap();
        assert_eq!(fault.code, "badConfiguration");
        assert!(fault.message.contains("element"), "{}", fault.message);
        assert!(world.store.poller(org, poller).await.unwrap().status.needs_attention);
    }

    #[tokio::test]
    async fn one_host_is_not_asked_more_often_than_allowed_at_once() {
        let world = world(PollerSettings { runs_per_host_max: 2, ..PollerSettings::default() });
        let mut pollers = Vec::new();
        for org in ["one", "two", "three", "four", "five"] {
            pollers.push(world.add(org, "api.test").await);
        }
        world.run_all(&pollers).await;
        assert!(world.provider.most.load(Ordering::SeqCst) <= 2);
        assert_eq!(world.provider.asked.lock().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn a_stop_releases_the_claim_and_leaves_the_poller_due() {
        let world = world(PollerSettings::default());
        let (org, poller) = world.add("one", "slow.test").await;
        let due = world.store.poller(org, poller).await.unwrap().next_due;
        let stop = Stop::new();
        let watch = async {
            world.provider.arrived.notified().await;
            stop.ask();
        };
        tokio::join!(world.poller.run(&stop), watch);
        assert!(world.last_run(org, poller).await.is_none());
        let now = SystemClock::new().now();
        let again = world.store.claim(poller, now, Duration::from_secs(1)).await.unwrap().unwrap();
        assert_eq!(again.poller.next_due, due);
    }

    #[tokio::test]
    async fn a_lost_lease_ends_the_run() {
        let lease = Duration::from_millis(30);
        let world = world(PollerSettings { lease, ..PollerSettings::default() });
        let (_, poller) = world.add("one", "slow.test").await;
        let stop = Stop::new();
        let run = world.poller.poll_once(poller, Options::default(), &stop);
        let watch = async {
            world.provider.arrived.notified().await;
            world.store.reopen(); // Every claim ends, as after a crash.
        };
        let (turn, ()) = tokio::join!(run, watch);
        assert!(matches!(turn, Ok(Some(Turn::LeaseLost))), "{turn:?}");
    }

    #[tokio::test]
    async fn a_slow_run_keeps_its_lease_and_tells_its_progress() {
        let lease = Duration::from_millis(30);
        let world = world(PollerSettings { lease, ..PollerSettings::default() });
        let (org, poller) = world.add("one", "slow.test").await;
        let stop = Stop::new();
        let run = world.poller.poll_once(poller, Options::default(), &stop);
        let watch = async {
            world.provider.arrived.notified().await;
            tokio::time::sleep(4 * lease).await;
            assert!(world.store.due(SystemClock::new().now(), 9, 9).await.unwrap().is_empty(), "still ours");
            world.provider.go.notify_one();
            world.ended.notified().await;
        };
        let (turn, ()) = tokio::join!(run, watch);
        assert!(matches!(turn, Ok(Some(Turn::Finished(_)))), "{turn:?}");
        assert_eq!(world.last_run(org, poller).await.unwrap().outcome, RunOutcome::Completed);
    }
}
