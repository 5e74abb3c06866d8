//! One seed from its beginning to its end: polls come due, runs crash and nodes stop, the world changes meanwhile, and
//! at last it falls silent until everything must have arrived.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use turnstone_core::check::{CheckSettings, check_resource};
use turnstone_core::id::{OrgId, PollerId, RunId};
use turnstone_core::ledger::Recall;
use turnstone_core::poll::{Notices, Options, Pass, Plan as PollPlan, PollerState, RunKind, Start, start};
use turnstone_core::resource::Resource;
use turnstone_core::run::Step;
use turnstone_engine::clock::SeededEntropy;
use turnstone_engine::deliverer::{Deliverer, HttpCallback, Limits, Parts, Vault};
use turnstone_engine::driver::{Ended, Tools, drive};
use turnstone_engine::egress::{Bodies, BodyBudget, Connection};
use turnstone_store::memory::MemoryStore;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{
    Claim, EventFilter, Intake, Monitors, NewEndpoint, NewInstance, NewIntake, NewPoller, PollerRow, Store,
};

use crate::both;
use crate::fault::Fault;
use crate::hub::{Fate, Hub, Inner, Meanwhile, Plan, Point, SimClock, SimNet};
use crate::oracle::{Received, Verdict, judge, judge_deliveries};
use crate::push::{Push, Rough, TICKETS, Went};
use crate::rng::Rng;
use crate::scenario::{BASE, Scenario};
use crate::stamp::*;
use crate::store::SimStore;
use crate::tickets::judge_tickets;
use crate::world::World;

/// Settings of the receiver.
const CALLBACK: &str = r#"{"url":"https://receiver.example.com/hook"}"#;

/// How long a claim lasts.
const LEASE: Micros = 120 * SECOND;

type Run = Pin<Box<dyn Future<Output = turnstone_store::Result<Ended>>>>;

/// A node with a run under way that stands still.
struct Stopped {
    run: Run,
    plan: Plan,
    until: Micros,
    waker: Option<Waker>,
}

/// Which store the simulation runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    Memory,
    Sqlite,
}

/// The store itself.
pub enum Kept {
    Memory(Arc<MemoryStore>),
    Sqlite(Arc<SqliteStore>),
}

impl Kept {
    pub fn new(backing: Backing) -> Kept {
        match backing {
            Backing::Memory => Kept::Memory(Arc::new(MemoryStore::new())),
            Backing::Sqlite => {
                Kept::Sqlite(Arc::new(SqliteStore::in_memory_inline().expect("memory is there")))
            }
        }
    }

    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Kept::Memory(store) => store.clone(),
            Kept::Sqlite(store) => store.clone(),
        }
    }

    pub fn intake(&self) -> Arc<dyn Intake> {
        match self {
            Kept::Memory(store) => store.clone(),
            Kept::Sqlite(store) => store.clone(),
        }
    }

    pub fn monitors(&self) -> Arc<dyn Monitors> {
        match self {
            Kept::Memory(store) => store.clone(),
            Kept::Sqlite(store) => store.clone(),
        }
    }

    /// What a crash and a restart do to it.
    pub fn restart(&self) {
        match self {
            Kept::Memory(store) => store.reopen(),
            Kept::Sqlite(store) => ready(store.restart()),
        }
    }
}

pub struct Simulation {
    hub: Hub,
    tools: Tools,
    store: Arc<SimStore>,
    backing: Kept,
    resource: Resource,
    scenario: Scenario,
    rng: Rng,
    poller: PollerId,
    stopped: Vec<Stopped>,
    received: Vec<Received>,
    position: i64,
    /// The provider's own notifications, and what takes them in.
    push: Option<Arc<Push>>,
}

/// Runs one seed of a provider that notifies us while it is polled.
pub fn simulate_both(seed: u64, backing: Backing, fault: Option<Fault>, traced: bool) -> Verdict {
    let mut rng = Rng::new(seed);
    let mut chance = Rng::new(seed ^ 0x6e6f_7469_6679);
    let scenario = Scenario::draw(&mut rng, fault).with_pushing(&mut chance);
    let mut simulation = Simulation::new(scenario, rng, backing, traced, Some(chance));
    simulation.live();
    simulation.settle();
    simulation.deliver_the_rest();
    simulation.verdict()
}

/// Runs one seed.
pub fn simulate(seed: u64, backing: Backing, fault: Option<Fault>, traced: bool) -> Verdict {
    let mut rng = Rng::new(seed);
    let scenario = Scenario::draw(&mut rng, fault);
    let mut simulation = Simulation::new(scenario, rng, backing, traced, None);
    simulation.live();
    simulation.settle();
    simulation.deliver_the_rest();
    simulation.verdict()
}

impl Simulation {
    fn new(
        scenario: Scenario,
        mut rng: Rng,
        backing: Backing,
        traced: bool,
        push_chance: Option<Rng>,
    ) -> Simulation {
        let world = World::new(scenario.clone(), Rng::new(rng.next()));
        let mut trace = traced.then(Vec::new);
        let configuration = scenario.configuration();
        if let Some(trace) = &mut trace {
            trace.push(format!("{scenario:?}"));
            trace.push(configuration.to_string());
        }
        let hub = Hub::new(Inner {
            world,
            now: scenario.start,
            rng: Rng::new(rng.next()),
            plan: Plan::default(),
            fate: Fate::Runs,
            waker: None,
            baseline: None,
            pass_since: None,
            parked_since: None,
            passes: Vec::new(),
            trace,
            requests: 0,
            arrivals: Vec::new(),
        });
        let settings = CheckSettings::new(timestamp(scenario.start + scenario.skew));
        let checked = check_resource("contacts", &configuration, &settings, Some(BASE));
        assert!(checked.faults.is_empty(), "{:?} in {configuration}", checked.faults);
        let resource = checked.resources.into_iter().next().expect("there is one");
        let backing = Kept::new(backing);
        let door = scenario.pushing.as_ref().map(|_| both::door(&scenario));
        let store = Arc::new(SimStore {
            inner: backing.store(),
            hub: hub.clone(),
            fault: scenario.fault,
            latest: Mutex::default(),
            printed: Mutex::default(),
        });
        let intake = door.as_ref().map(|door| door.new.clone());
        let poller = create(&*backing.store(), &scenario, intake);
        let push = push_chance
            .zip(door)
            .map(|(chance, door)| Arc::new(both::push(&hub, &scenario, backing.intake(), door, chance)));
        let meanwhile = push.clone().map(|push| -> Meanwhile {
            Arc::new(move || {
                push.work(Rough::default());
            })
        });
        let tools = Tools {
            store: store.clone(),
            net: Arc::new(SimNet { hub: hub.clone(), meanwhile }),
            clock: Arc::new(SimClock(hub.clone())),
        };
        let (stopped, received) = (Vec::new(), Vec::new());
        Simulation {
            hub,
            tools,
            store,
            backing,
            resource,
            scenario,
            rng,
            poller,
            stopped,
            received,
            position: 0,
            push,
        }
    }

    /// Polls while the world changes.
    fn live(&mut self) {
        let mut runs = 0;
        while runs < self.scenario.polls {
            runs += u32::from(self.turn());
            if self.rng.percent(60) {
                self.deliver();
            }
        }
    }

    /// Nothing changes any more; polls go on until everything within the limits must have arrived.
    fn settle(&mut self) {
        let from = {
            let mut inner = self.hub.lock();
            inner.world.fall_silent();
            let lag = inner.world.scenario.replica_lag();
            let visible = inner.world.versions.iter().map(|version| version.visible).max();
            inner.now.max(visible.unwrap_or(0) + lag)
        };
        self.scenario.crash_percent = 0;
        self.scenario.pause_percent = 0;
        let enough = from + self.scenario.settling() + MINUTE;
        let sweeps = if self.scenario.sweep.is_some() { 4 } else { 0 };
        // Ties that are shuffled for ever keep a poller from completing; one page a run takes many runs.
        let turns = if self.scenario.shuffled { 60 } else { 3_000 };
        let turns = if self.push.is_some() { 3 * turns } else { turns };
        for _ in 0..turns {
            self.turn();
            let inner = self.hub.lock();
            let of =
                |kind| inner.passes.iter().filter(|pass| pass.kind == kind && pass.from > enough).count();
            let told = self.push.as_ref().is_none_or(|push| push.is_done());
            if of(RunKind::Poll) >= 2 && of(RunKind::Sweep) >= sweeps && told {
                return;
            }
            if inner.now < enough - HOUR {
                // Nothing happens in between: a version that becomes visible days later is not waited for in polls.
                let to = enough - HOUR;
                drop(inner);
                self.hub.lock().advance(to);
            }
        }
        self.hub.lock().world.class("never settles");
    }

    /// Lets time pass until something can be done, and does it. Whether a run began.
    fn turn(&mut self) -> bool {
        self.push_until_due();
        let due = self.row_due();
        let mut inner = self.hub.lock();
        let due = due - inner.world.scenario.skew;
        let woken = self.stopped.iter().enumerate().min_by_key(|(_, stopped)| stopped.until);
        let woken = woken.map(|(at, stopped)| (at, stopped.until));
        if let Some((at, until)) = woken.filter(|(_, until)| *until <= due.max(inner.now)) {
            inner.advance(until);
            inner.note(|| "node goes on".into());
            drop(inner);
            let stopped = self.stopped.remove(at);
            if let Some(waker) = stopped.waker {
                waker.wake();
            }
            self.go(stopped.run, stopped.plan);
            return false;
        }
        inner.advance(due);
        let now = timestamp(inner.clock());
        drop(inner);
        match ready(self.store.claim(self.poller, now, Duration::from_micros(LEASE.unsigned_abs()))) {
            Some(claim) => self.begin(claim, now),
            None => {
                let mut inner = self.hub.lock();
                let to = inner.now + 5 * SECOND;
                inner.advance(to);
                false
            }
        }
    }

    /// Lets the provider notify us until the poller is due, or a node goes on.
    fn push_until_due(&mut self) {
        let Some(push) = self.push.clone() else { return };
        let Scenario { crash_percent, pause_percent, skew, .. } = self.scenario;
        let rough = Rough { crash_percent: crash_percent / 3, pause_percent };
        loop {
            if push.work(rough) == Went::Crashed {
                self.restart();
                continue;
            }
            let due = self.row_due() - skew;
            let woken = self.stopped.iter().map(|stopped| stopped.until).min();
            let mut inner = self.hub.lock();
            let until = woken.map_or(due, |woken| woken.min(due)).max(inner.now);
            let Some(at) = push.next(&mut inner, until) else { return };
            inner.advance(at);
        }
    }

    /// What notifications named, as a node's poller tells its run.
    fn notices(&self, row: &PollerRow) -> Option<Notices> {
        let push = self.push.as_ref()?;
        let named = ready(self.backing.intake().hints(row.id, push.pushing.hints_max));
        Some(Notices { named, regular_due: row.regular_due.unwrap_or(row.next_due) })
    }

    fn row_due(&self) -> Micros {
        ready(self.backing.store().poller(OrgId(1), self.poller)).next_due.as_microsecond()
    }

    /// Begins a run. Whether it polls: a run that looks at what was named does not count.
    fn begin(&mut self, claim: Claim, now: Timestamp) -> bool {
        let row = claim.poller;
        let notices = self.notices(&row);
        let plan = PollPlan {
            org: row.org,
            instance: row.instance,
            poller: row.id,
            element_key: claim.instance.element_key,
            resource: self.resource.clone(),
            revision: row.revision,
            interval: row.interval,
        };
        let entropy = self.rng.next();
        let step = start(Start {
            plan: Arc::new(plan),
            state: PollerState::read(&row.state).expect("written by the core"),
            pass: row.checkpoint.map(|text| Pass::read(&text).expect("written by the core")),
            run: RunId::new(now, entropy),
            now,
            due: row.next_due,
            entropy,
            options: Options { pages_max: self.scenario.pages_max, ..Options::default() },
            notices,
        });
        let look = match &step {
            Step::Fetch(requests, _) => requests.0.iter().any(|request| request.url.contains("/v1/one/")),
            Step::Recall(recall, _) => matches!(recall, Recall::Versions(_)),
            Step::Wait(..) | Step::Commit(..) | Step::Done(_) => false,
        };
        let (tools, lease) = (self.tools.clone(), claim.lease);
        let base = url::Url::parse(BASE).expect("a constant");
        let connection = Connection::new(&base, Bodies::new(&BodyBudget::default()));
        let run: Run = Box::pin(async move { drive(step, lease, &tools, &connection).await });
        let plan = Plan { look, ..self.plan() };
        {
            let mut inner = self.hub.lock();
            let now = inner.now;
            if !look {
                inner.pass_since.get_or_insert(now);
            }
            inner.note(|| format!("RUN {plan:?}"));
        }
        self.go(run, plan);
        !look
    }

    /// What happens to the next run.
    fn plan(&mut self) -> Plan {
        let mut plan = Plan::default();
        if self.rng.percent(self.scenario.crash_percent) {
            let nth = self.rng.between(1, 3) as u32;
            let point = *self.rng.pick(&Point::ALL);
            let nth =
                if matches!(point, Point::DoneBefore | Point::DoneAfter | Point::Wait) { 1 } else { nth };
            plan.crash = Some((point, nth));
        } else if self.rng.percent(self.scenario.pause_percent) {
            let point =
                *self.rng.pick(&[Point::FetchUnread, Point::Recall, Point::CommitBefore, Point::DoneBefore]);
            let nth = if point == Point::DoneBefore { 1 } else { self.rng.between(1, 2) as u32 };
            plan.pause = Some((point, nth, self.rng.between(20, 900) * SECOND));
        }
        plan
    }

    /// Polls a run until it ends, crashes or stops.
    fn go(&mut self, mut run: Run, plan: Plan) {
        {
            let mut inner = self.hub.lock();
            inner.plan = plan;
            inner.fate = Fate::Runs;
        }
        let polled = run.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let (fate, plan, waker) = {
            let mut inner = self.hub.lock();
            (inner.fate, inner.plan, inner.waker.take())
        };
        match (polled, fate) {
            (Poll::Ready(ended), _) => {
                if let Ok(Ended::Abandoned) = ended {
                    let mut inner = self.hub.lock();
                    inner.world.class("stale lease refused");
                    inner.note(|| "ABANDONED".into());
                }
            }
            (Poll::Pending, Fate::StopsUntil(until)) => {
                self.stopped.push(Stopped { run, plan, until, waker })
            }
            (Poll::Pending, Fate::Crashed) => {
                drop(run);
                self.restart();
            }
            (Poll::Pending, Fate::Runs) => unreachable!("only the gate keeps a run waiting"),
        }
        self.receive();
    }

    /// After a crash: the process starts again, or another node waits for the lease to end.
    fn restart(&mut self) {
        let mut inner = self.hub.lock();
        if self.rng.percent(70) {
            self.backing.restart();
            let to = inner.now + self.rng.between(1, 20) * SECOND;
            inner.advance(to);
            drop(inner);
            if let Some(push) = &self.push {
                push.restarted();
            }
        }
    }

    fn deliverer(&mut self) -> Arc<Deliverer> {
        let Tools { store, net, clock } = self.tools.clone();
        let entropy = Arc::new(SeededEntropy::new(self.rng.next()));
        let inbox = self.push.as_ref().map(|_| self.backing.intake());
        let sink = HttpCallback::new(net, clock.clone(), Vault::of_user());
        let deliverer = Deliverer::new(Parts { store, clock, entropy, inbox, limits: Limits::default() });
        Arc::new(deliverer.with_sink(HttpCallback::KIND, Arc::new(sink)))
    }

    /// Delivers until there is nothing to do, or until the node dies of it.
    fn deliver(&mut self) {
        let deliverer = self.deliverer();
        // What a provider notified is sent on request by request, so that there is more to send.
        let rounds = if self.push.is_some() { 10_000 } else { 100 };
        for _ in 0..rounds {
            let mut plan = Plan::default();
            if self.rng.percent(self.scenario.crash_percent / 4) {
                plan.crash = Some((*self.rng.pick(&[Point::PostUnsent, Point::PostUnread]), 1));
            }
            {
                let mut inner = self.hub.lock();
                (inner.plan, inner.fate) = (plan, Fate::Runs);
            }
            let at_work = deliverer.clone();
            let mut round = Box::pin(async move { at_work.deliver_once().await });
            match round.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(done) => {
                    if done.expect("the store does not fail").is_idle() {
                        return;
                    }
                }
                Poll::Pending => {
                    drop(round);
                    return self.restart();
                }
            }
        }
    }

    /// Everything that is still under way arrives.
    fn deliver_the_rest(&mut self) {
        self.backing.restart();
        for _ in 0..200 {
            self.deliver();
            let Some(due) = ready(self.backing.store().next_notification_due()) else { return };
            let to = due.as_microsecond() - self.scenario.skew;
            self.hub.lock().advance(to);
        }
    }

    /// The receiver takes what the log has for it.
    fn receive(&mut self) {
        let at = self.hub.lock().now;
        for event in self.store.printed.lock().expect("one thread").drain(..) {
            self.received.push(Received { event, at });
        }
        let filter = EventFilter { after: self.position, limit: 100_000, ..EventFilter::default() };
        for logged in ready(self.backing.store().events(OrgId(1), &filter)) {
            self.position = logged.position;
            let at = logged.recorded_at.as_microsecond() - self.scenario.skew;
            self.received.push(Received { event: logged.event, at });
        }
    }

    fn verdict(self) -> Verdict {
        let mut inner = self.hub.lock();
        let mut trace = inner.trace.take();
        if let Some(trace) = &mut trace {
            for (at, record) in inner.world.records.iter().enumerate() {
                for version in record.versions.iter().map(|at| &inner.world.versions[*at]) {
                    trace.push(format!(
                        "TRUTH {} #{at} {:?} stamp {} visible {} content {}",
                        record.id,
                        version.kind,
                        timestamp(version.stamp),
                        timestamp(version.visible),
                        version.content
                    ));
                }
            }
            for Received { event, at } in &self.received {
                trace.push(format!(
                    "EVENT {} {} {} seq {} {}: {:?}",
                    timestamp(*at),
                    event.event_type,
                    event.object_id,
                    event.sequence,
                    event.reason,
                    event.record
                ));
            }
        }
        let (of_tickets, polled): (Vec<Received>, Vec<Received>) =
            self.received.iter().cloned().partition(|received| received.event.object_type == TICKETS);
        let mut verdict = judge(&inner.world, &inner.passes, inner.baseline, &polled);
        if let Some(push) = &self.push {
            judge_tickets(&push.log(), &of_tickets, &mut verdict);
        }
        if inner.world.scenario.fault.is_none() {
            judge_deliveries(&self.received, &inner.arrivals, &mut verdict);
        }
        verdict.requests = inner.requests;
        verdict.trace = trace.unwrap_or_default();
        verdict
    }
}

fn create(store: &dyn Store, scenario: &Scenario, intake: Option<NewIntake>) -> PollerId {
    let now = timestamp(scenario.start + scenario.skew);
    let org = ready(store.ensure_org("simulated", now));
    let interval = Duration::from_micros(scenario.interval.unsigned_abs());
    let instance = ready(store.create_instance(
        NewInstance {
            org,
            element_key: "simulated".into(),
            element: None,
            name: "simulated".into(),
            tags: Vec::new(),
            token_hash: [1; 32],
            document: both::document(scenario).to_string(),
            enabled: true,
            pollers: vec![NewPoller { resource: "contacts".into(), revision: 1, next_due: now, interval }],
            endpoint: Some(NewEndpoint { kind: HttpCallback::KIND.into(), config: CALLBACK.into() }),
            intake,
        },
        now,
    ));
    ready(store.pollers(org, Some(instance)))[0].id
}

/// The answer of a store in memory, which is always ready.
fn ready<T>(future: impl Future<Output = turnstone_store::Result<T>>) -> T {
    future.now_or_never().expect("a store in memory never waits").expect("and never fails")
}
