//! One seed of polling monitors: three subscriptions of the example of the mission on one instance, two with
//! `record.id` and one without, over a provider whose clock, answers and lateness are chance; nodes crash, clocks are
//! set, a person turns a cursor back; and at last it falls silent until everything must have arrived.

mod hub;
mod monitors;
mod oracle;
mod scenario;
mod store;
mod users;

use std::cell::OnceCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Runtime;
use turnstone_core::check::CheckSettings;
use turnstone_core::date::ZoneRules;
use turnstone_core::event::Event;
use turnstone_core::flow::records::RunMode;
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::id::{OrgId, PollerId};
use turnstone_core::poll::Options;
use turnstone_engine::clock::SeededEntropy;
use turnstone_engine::driver::Tools;
use turnstone_engine::egress::BodyBudget;
use turnstone_engine::flows::{Flows, Parts};
use turnstone_engine::poller::{Beside, Poller, PollerSettings, Turn};
use turnstone_engine::prepare::{Preparer, References};
use turnstone_engine::secrets::KeyRing;
use turnstone_engine::stop::Stop;
use turnstone_store::{
    EventFilter, NewInstance, NewSubscription, PollerRow, StoreError, SubscriptionSettings, Timing,
};

use crate::fault::Fault;
use crate::hub::Point;
use crate::oracle::Verdict;
use crate::rng::Rng;
use crate::run::{Backing, Kept};
use crate::scenario::BASE;
use crate::stamp::*;
use hub::{Hub, Inner, LEASE, Plan, SimClock, SimNet};
use monitors::SimMonitors;
use oracle::{Case, judge};
use scenario::Scenario;
pub use store::FlowStore;
use store::cursor_of;

/// The organisation of the simulation.
const ORG: OrgId = OrgId(1);

/// Turns after which a world that fell silent must have come to rest.
const SETTLING_TURNS: u32 = 120;

/// Runs one seed.
pub fn simulate_flows(seed: u64, backing: Backing, fault: Option<Fault>, traced: bool) -> Verdict {
    let mut rng = Rng::new(seed ^ 0x6d6f_6e69_746f_7273);
    let scenario = Scenario::draw(&mut rng, fault);
    let mut simulation = Simulation::new(scenario, rng, backing, traced);
    simulation.live();
    simulation.settle();
    simulation.verdict()
}

struct Simulation {
    hub: Hub,
    scenario: Scenario,
    rng: Rng,
    backing: Kept,
    store: Arc<FlowStore>,
    monitors: Arc<SimMonitors>,
    poller: Arc<Poller>,
    /// The earliest cursor of each subscription.
    from: Vec<Option<Micros>>,
    rewind: Option<u32>,
}

impl Simulation {
    fn new(scenario: Scenario, mut rng: Rng, backing: Backing, traced: bool) -> Simulation {
        let mut inner = Inner::new(scenario.clone(), &mut rng, traced);
        inner.note(|| format!("{scenario:?}"));
        let hub = Hub::new(inner);
        let backing = Kept::new(backing);
        let pollers = subscribe(&backing, &scenario);
        let monitors = Arc::new(SimMonitors { inner: backing.monitors(), hub: hub.clone() });
        let store = Arc::new(FlowStore {
            inner: backing.store(),
            hub: hub.clone(),
            fault: scenario.fault,
            pollers: Mutex::new(pollers),
            log: Mutex::default(),
        });
        let poller = node(&hub, &store, &monitors, rng.next());
        let from = scenario.subscribed.iter().map(|subscribed| subscribed.from).collect();
        let rewind = scenario.rewind;
        Simulation { hub, scenario, rng, backing, store, monitors, poller, from, rewind }
    }

    fn rows(&self) -> Vec<PollerRow> {
        let pollers = self.store.pollers.lock().expect("one thread").clone();
        pollers.into_iter().map(|poller| ready(self.backing.store().poller(ORG, poller))).collect()
    }

    /// Runs while users are born, clocks are set and nodes crash.
    fn live(&mut self) {
        for turn in 0..self.scenario.turns {
            self.set_our_clock();
            if self.rewind == Some(turn) && !self.turn_back() {
                self.rewind = Some(turn + 1);
            }
            self.births();
            let plan = self.plan();
            self.turn(plan);
        }
    }

    /// Nobody is born and nothing fails any more; runs go on until everything must have arrived.
    fn settle(&mut self) {
        let (visible, born) = {
            let mut inner = self.hub.lock();
            inner.quiet = true;
            let visible = inner.users.all.iter().map(|user| user.visible).max().unwrap_or(0);
            let born = inner.users.all.iter().map(|user| user.born).max().unwrap_or(0);
            // *Now* is never ahead of our clock either: ours must have come to the last date, too.
            let ours = born - inner.ours + 2 * SECOND;
            let to = visible.max(ours).max(born - self.scenario.theirs + 2 * SECOND);
            inner.advance(to);
            inner.note(|| "SILENCE".into());
            (visible, born)
        };
        let since = self.store.log.lock().expect("one thread").len();
        for _ in 0..SETTLING_TURNS {
            self.turn(Plan::default());
            let log = self.store.log.lock().expect("one thread");
            let done = |of: usize| {
                let enough = log.iter().skip(since).filter(|ran| {
                    ran.of == of
                        && ran.asked.is_some_and(|asked| asked >= visible)
                        && ran.listed.is_some()
                        && ran.after.is_some_and(|after| after > born)
                });
                enough.count() >= 2
            };
            if (0..self.scenario.subscribed.len()).all(done) {
                return;
            }
        }
        self.hub.lock().class("never settles");
    }

    /// Users are born until the next run is due.
    fn births(&mut self) {
        let due = self.next_due();
        let mut inner = self.hub.lock();
        let from = inner.now;
        let to = (due - inner.ours).max(from);
        for _ in 0..self.rng.below(2 * self.scenario.births + 1) {
            let at = from + self.rng.between(0, (to - from) / MILLI) * MILLI + self.rng.between(0, 999);
            let classes = inner.users.birth(&self.scenario, at.min(to));
            inner.classes.extend(classes);
        }
    }

    fn next_due(&self) -> Micros {
        self.rows().iter().map(|row| row.next_due.as_microsecond()).min().expect("there are three")
    }

    /// Our clock is set, within an hour and a half of the provider's.
    fn set_our_clock(&mut self) {
        if !self.rng.percent(self.scenario.step_percent) {
            return;
        }
        let by = *self.rng.pick(&[900 * MILLI, 2 * SECOND, 90 * SECOND, 15 * MINUTE]);
        let by = self.rng.between(-by / MILLI, by / MILLI) * MILLI;
        let mut inner = self.hub.lock();
        if (inner.ours + by - self.scenario.theirs).abs() > 90 * MINUTE {
            return;
        }
        inner.ours += by;
        inner.class(if by < 0 { "our clock is set back" } else { "our clock is set forward" });
        inner.note(|| format!("our clock is set by {by}"));
    }

    /// A person turns a cursor back. Returns whether it could be done now.
    fn turn_back(&mut self) -> bool {
        let of = self.rng.below(3) as usize;
        let row = self.rows().swap_remove(of);
        let Some(cursor) = cursor_of(&row.state) else { return false };
        let to = self.rng.percent(80).then(|| cursor - self.rng.between(1, 10_800) * SECOND);
        let now = timestamp(self.hub.lock().clock());
        let state = SubscriptionState::read(&row.state).expect("written by the core");
        let state = state.with_cursor(to.map(cursor_text), now).write();
        let store = self.backing.store();
        let set = store.set_state(ORG, row.id, &state, None, now).now_or_never();
        match set.expect("a store in memory never waits") {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) => return false, // A crashed node still holds the claim.
            Err(error) => panic!("{error}"),
        }
        self.from[of] = self.from[of].zip(to).map(|(from, to)| from.min(to));
        let mut inner = self.hub.lock();
        inner.class(if self.scenario.subscribed[of].by_id {
            "a cursor is turned back"
        } else {
            "turned back without an id"
        });
        inner.note(|| format!("the cursor of {of} is turned back to {:?}", to.map(timestamp)));
        true
    }

    /// What happens to the next run.
    fn plan(&mut self) -> Plan {
        let mut plan = Plan::default();
        if self.rng.percent(self.scenario.crash_percent) {
            let point = *self.rng.pick(&Point::OF_FLOWS);
            let fetches = matches!(point, Point::FetchUnsent | Point::FetchUnread);
            plan.crash = Some((point, if fetches { self.rng.between(1, 2) as u32 } else { 1 }));
        } else if self.rng.percent(self.scenario.crash_percent / 3) {
            plan.overtaken = true;
        } else if self.rng.percent(self.scenario.crash_percent / 3) {
            plan.store_fails = Some(*self.rng.pick(&[Point::DoneBefore, Point::DoneAfter]));
        }
        plan
    }

    /// One turn of the subscription that is due first.
    fn turn(&mut self, plan: Plan) {
        let row = self.rows().into_iter().min_by_key(|row| row.next_due).expect("there are three");
        {
            let mut inner = self.hub.lock();
            let due = row.next_due.as_microsecond() - inner.ours;
            inner.advance(due);
            inner.plan = plan;
            inner.crashed = false;
        }
        match self.poll(row.id) {
            Some(Ok(Some(turn))) => self.hub.lock().note(|| told(&turn)),
            Some(Ok(None)) => {
                // A node that is gone holds the claim, or our clock was set back.
                let mut inner = self.hub.lock();
                let to = inner.now + 20 * SECOND;
                inner.advance(to);
            }
            Some(Err(error)) => panic!("a claim fails: {error}"),
            None => self.restart(),
        }
    }

    /// Polls a run until it ends; `None`: its node crashed.
    fn poll(&self, poller: PollerId) -> Option<Result<Option<Turn>, StoreError>> {
        let (node, hub) = (Arc::clone(&self.poller), self.hub.clone());
        in_runtime(async move {
            let stop = Stop::new();
            let ended = {
                let mut run = pin!(node.poll_once(poller, Options::default(), &stop));
                poll_fn(|context| {
                    if let Poll::Ready(ended) = run.as_mut().poll(context) {
                        return Poll::Ready(Some(ended));
                    }
                    let mut inner = hub.lock();
                    inner.runner = Some(context.waker().clone());
                    if inner.crashed { Poll::Ready(None) } else { Poll::Pending }
                })
                .await
            };
            // A run that was dropped is dropped by the runtime at its next turn.
            tokio::task::yield_now().await;
            ended
        })
    }

    /// After a crash: the process starts again, or another node waits for the lease to end.
    fn restart(&mut self) {
        let entropy = self.rng.next();
        self.poller = node(&self.hub, &self.store, &self.monitors, entropy);
        if self.rng.percent(70) {
            self.backing.restart();
            let mut inner = self.hub.lock();
            let to = inner.now + self.rng.between(1, 20) * SECOND;
            inner.advance(to);
        }
    }

    fn verdict(self) -> Verdict {
        let filter = EventFilter { limit: 1_000_000, ..EventFilter::default() };
        let mut events: Vec<Vec<Event>> = vec![Vec::new(); self.scenario.subscribed.len()];
        for logged in ready(self.backing.store().events(ORG, &filter)) {
            let of = self.store.place_of(logged.event.poller);
            events[of].push(logged.event);
        }
        let mut inner = self.hub.lock();
        let log = self.store.log.lock().expect("one thread");
        let case = Case {
            scenario: &self.scenario,
            users: &inner.users.all,
            ran: &log,
            from: &self.from,
            events: &events,
        };
        let mut verdict = judge(&case);
        let skew = self.scenario.ours - self.scenario.theirs;
        let clocks = if skew > 0 { "our clock ahead" } else { "our clock behind" };
        verdict.classes.insert(clocks.into());
        verdict.classes.append(&mut inner.classes);
        verdict.requests = inner.requests;
        verdict.trace = inner.trace.take().unwrap_or_default();
        let traced = !verdict.trace.is_empty();
        for (at, user) in inner.users.all.iter().enumerate().filter(|_| traced) {
            let (born, visible) = (timestamp(user.born), timestamp(user.visible));
            verdict.trace.push(format!("TRUTH u{at} {} born {born} visible {visible}", user.group));
        }
        verdict
    }
}

fn told(turn: &Turn) -> String {
    match turn {
        Turn::Finished(finish) => format!(
            "DONE {:?} {:?} {:?} {:?}",
            finish.run.outcome, finish.run.error, finish.run.counts, finish.run.story
        ),
        other => format!("TURN {other:?}"),
    }
}

/// A cursor as the flow saves it.
fn cursor_text(at: Micros) -> String {
    serde_json::json!({"cursor_value": timestamp(at).to_string()}).to_string()
}

/// A node that polls; it knows nothing of the one before it.
fn node(hub: &Hub, store: &Arc<FlowStore>, monitors: &Arc<SimMonitors>, entropy: u64) -> Arc<Poller> {
    let clock = Arc::new(SimClock(hub.clone()));
    let net = Arc::new(SimNet(hub.clone()));
    let keys = Arc::new(KeyRing::parse(&"07".repeat(32), "the simulation").expect("a sound key"));
    let settings = CheckSettings::new(timestamp(hub.lock().clock()));
    let preparer = Arc::new(Preparer::new(settings, keys, References::Refuse));
    let entropy = Arc::new(SeededEntropy::new(entropy));
    let budget = BodyBudget::default();
    let flows = Flows::new(Parts {
        store: store.clone(),
        monitors: monitors.clone(),
        preparer: preparer.clone(),
        calls: None,
        net: net.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        budget: budget.clone(),
        zones: ZoneRules::default(),
    });
    let tools = Tools { store: store.clone(), net, clock };
    let settings = PollerSettings { lease: LEASE, ..PollerSettings::default() };
    let beside = Beside { flows: Some(flows), ..Beside::default() };
    Poller::of_node(tools, preparer, budget, entropy, settings, Arc::new(|_, _| ()), beside)
}

/// One instance with its subscriptions, each with the cursor that it starts from. Returns their pollers.
fn subscribe(backing: &Kept, scenario: &Scenario) -> Vec<PollerId> {
    let (store, monitors) = (backing.store(), backing.monitors());
    let now = timestamp(scenario.start + scenario.ours);
    let org = ready(store.ensure_org("simulated", now));
    // An instance without a connector declares a resource; nobody polls it here.
    let declared = serde_json::json!({"users": {"url": "/v1/users", "idField": "id"}});
    let document = serde_json::json!({
        "element": {"key": "simulated"},
        "configuration": {"base.url": BASE, "event.poller.configuration": declared},
    });
    let instance = NewInstance {
        org,
        element_key: "simulated".into(),
        element: None,
        name: "simulated".into(),
        tags: Vec::new(),
        token_hash: [1; 32],
        document: document.to_string(),
        enabled: true,
        pollers: Vec::new(),
        endpoint: None,
        intake: None,
    };
    let instance = ready(store.create_instance(instance, now));
    let deployed = [true, false].map(|by_id| {
        let name = if by_id { "with an id" } else { "without an id" };
        let monitor = ready(monitors.create_monitor(org, name, &scenario.document(by_id), now));
        (monitor, ready(monitors.deploy(org, monitor, 1, now)))
    });
    let subscribed = scenario.subscribed.iter().enumerate().map(|(at, subscribed)| {
        let (monitor, version) = deployed[usize::from(!subscribed.by_id)];
        let options = match subscribed.group {
            Some(group) => serde_json::json!({"Group": group}),
            None => serde_json::json!({}),
        };
        let from = subscribed.from.map(cursor_text);
        let settings = SubscriptionSettings {
            name: format!("subscription {at}"),
            version,
            options: options.to_string(),
            mode: RunMode::EachRecord,
            timing: Timing {
                interval: Duration::from_micros(subscribed.interval.unsigned_abs()),
                cron: None,
            },
            next_due: Some(now),
            endpoint: None,
        };
        let state = SubscriptionState::default().with_cursor(from, now).write();
        let new = NewSubscription { org, instance, monitor, settings, state, active: true };
        let id = ready(monitors.subscribe(new, now));
        ready(monitors.subscription(org, id)).poller
    });
    subscribed.collect()
}

/// Runs a future to its end in the runtime of this thread, which computes cards on one more thread.
fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
    }
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.max_blocking_threads(1).build().expect("a runtime needs nothing of the machine")
        });
        runtime.block_on(future)
    })
}

/// The answer of a store in memory, which is always ready.
fn ready<T>(future: impl Future<Output = turnstone_store::Result<T>>) -> T {
    future.now_or_never().expect("a store in memory never waits").expect("and never fails")
}
