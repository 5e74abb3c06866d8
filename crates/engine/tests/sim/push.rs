//! The provider's own notifications: what it sends when, what it forgets, repeats and delays, and the node that takes
//! them in with the real intake. Like real providers it sends again until it hears that it was understood.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use turnstone_core::intake::RawRequest;
use turnstone_engine::clock::SeededEntropy;
use turnstone_engine::intake::{Answer, Intake, Limits, Parts, Target};
use turnstone_engine::prepare::Preparer;

use crate::hub::{Fate, Hub, Inner, Plan, Point, SimClock};
use crate::inbox::{SimHooks, SimInbox};
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::stamp::*;
use crate::world::{Kind, World};

/// What the provider signs with.
const SECRET: &str = "the provider's own";

/// Kinds of objects that are polled, and that are not.
pub const POLLED: &str = "contacts";
pub const TICKETS: &str = "tickets";

/// What the provider says about when something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dated {
    No,
    Exact,
    /// As the records show it.
    Shown,
}

/// How a provider notifies us.
#[derive(Clone, Debug)]
pub struct Pushing {
    /// Percent of notifications that are never sent.
    pub dropped: u64,
    /// Percent that are sent again although they were understood.
    pub repeated: u64,
    /// Percent that come later than others.
    pub late_percent: u64,
    pub late_max: Micros,
    /// Whether one record can be read.
    pub read_url: bool,
    pub dated: Dated,
    /// Signed and named; else they are recognised by their content.
    pub signed: bool,
    /// Percent of answers that the provider does not hear.
    pub unheard_percent: u64,
    /// Percent of hooks that fail for a while.
    pub hook_failure_percent: u64,
    /// Percent of notifications after which nobody settles at once.
    pub idle_percent: u64,
    /// Requests that may wait before the provider is told to come back.
    pub waiting_max: u64,
    /// Hints that one run is told of.
    pub hints_max: u32,
    /// Records that are notified and not polled.
    pub tickets: u64,
}

impl Pushing {
    pub fn draw(rng: &mut Rng) -> Pushing {
        Pushing {
            dropped: 30,
            repeated: 20,
            late_percent: *rng.pick(&[10, 20, 40]),
            late_max: *rng.pick(&[30, 300, 1_800]) * SECOND,
            read_url: rng.percent(55),
            dated: *rng.pick(&[Dated::No, Dated::Exact, Dated::Shown]),
            signed: rng.percent(50),
            unheard_percent: *rng.pick(&[0, 5, 10]),
            hook_failure_percent: if rng.percent(40) { 10 } else { 0 },
            idle_percent: *rng.pick(&[0, 20, 50]),
            waiting_max: if rng.percent(30) { 3 } else { 50_000 },
            hints_max: if rng.percent(25) { 2 } else { 1_000 },
            tickets: rng.between(1, 5) as u64,
        }
    }

    /// What the document says about it.
    pub fn configuration(&self) -> Value {
        let mut configuration = json!({
            "event.notification.enabled": true,
            "event.vendor.type": "both",
            "event.webhook.repeatWindow": "1h",
        });
        if self.signed {
            configuration["event.webhook.verification"] = json!("github");
            configuration["event.webhook.secret"] = json!(SECRET);
        }
        configuration
    }
}

/// One thing that a notification tells.
#[derive(Clone, Debug)]
pub struct Told {
    pub kind: &'static str,
    pub id: String,
    pub what: &'static str,
    pub at: Option<Timestamp>,
    /// Which version of the world it tells of.
    version: Option<usize>,
}

/// A notification, and what the provider knows of its fate.
#[derive(Clone, Debug)]
pub struct Sent {
    pub told: Vec<Told>,
    /// Steps of the sender, at which it was first tried and first understood.
    pub tried: Option<u64>,
    pub understood: Option<u64>,
    is_late: bool,
    /// When it was due.
    due: Micros,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Work of a node that stands still.
struct Stopped {
    work: Work,
    plan: Plan,
    until: Micros,
    waker: Option<Waker>,
}

struct State {
    rng: Rng,
    intake: Intake,
    /// What is to be sent, by its time: places in `log`.
    queue: BTreeMap<(Micros, u64), usize>,
    queued: u64,
    steps: u64,
    log: Vec<Sent>,
    /// Versions of the world that were looked at.
    announced: usize,
    tickets_to: Micros,
    tickets: HashMap<String, bool>,
    settle_at: Option<Micros>,
    stopped: Vec<Stopped>,
    /// The newest version of each record that a notification brought.
    newest: HashMap<usize, usize>,
}

/// The sender, and the intake that it sends to.
pub struct Push {
    hub: Hub,
    pub pushing: Pushing,
    pub inbox: Arc<SimInbox>,
    preparer: Arc<Preparer>,
    address: String,
    element_key: String,
    state: Mutex<State>,
}

/// What the work of a moment came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    Well,
    /// The node died over it.
    Crashed,
}

/// How rough the world is to intake.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rough {
    pub crash_percent: u64,
    pub pause_percent: u64,
}

impl Push {
    pub fn new(
        hub: Hub,
        scenario: &Scenario,
        inbox: Arc<SimInbox>,
        preparer: Arc<Preparer>,
        address: String,
        mut rng: Rng,
    ) -> Push {
        let pushing = scenario.pushing.clone().expect("of a provider that notifies");
        let intake = intake(&hub, &pushing, &inbox, &preparer, rng.next());
        let announced = hub.lock().world.versions.len();
        let state = State {
            rng,
            intake,
            queue: BTreeMap::new(),
            queued: 0,
            steps: 0,
            log: Vec::new(),
            announced,
            tickets_to: scenario.start,
            tickets: HashMap::new(),
            settle_at: None,
            stopped: Vec::new(),
            newest: HashMap::new(),
        };
        let element_key = "simulated".to_string();
        Push { hub, pushing, inbox, preparer, address, element_key, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Sends and settles whatever is due by now.
    pub fn work(&self, rough: Rough) -> Went {
        let mut state = self.lock();
        loop {
            self.schedule(&mut state);
            let now = self.hub.lock().now;
            if let Some(at) = state.stopped.iter().position(|stopped| stopped.until <= now) {
                let stopped = state.stopped.remove(at);
                if let Some(waker) = stopped.waker {
                    waker.wake();
                }
                self.hub.lock().note(|| "node of intake goes on".into());
                state.settle_at = Some(now);
                if self.go(&mut state, stopped.work, stopped.plan) == Went::Crashed {
                    return self.crashed(&mut state);
                }
                continue;
            }
            if let Some(entry) = state.queue.first_entry().filter(|entry| entry.key().0 <= now) {
                let number = entry.remove();
                if self.send(&mut state, number, rough) == Went::Crashed {
                    return self.crashed(&mut state);
                }
                continue;
            }
            if state.settle_at.is_none_or(|at| at > now) {
                return Went::Well;
            }
            if self.settle(&mut state, rough) == Went::Crashed {
                return self.crashed(&mut state);
            }
        }
    }

    /// When there is something to do again, up to `until`.
    pub fn next(&self, inner: &mut Inner, until: Micros) -> Option<Micros> {
        let state = self.lock();
        let sends = state.queue.keys().next().map(|(at, _)| *at);
        let stopped = state.stopped.iter().map(|stopped| stopped.until).min();
        let changes = inner.world.next_change(until);
        [sends, stopped, changes, state.settle_at].into_iter().flatten().min().filter(|at| *at <= until)
    }

    /// Whether everything was sent, understood and settled.
    pub fn is_done(&self) -> bool {
        let state = self.lock();
        state.queue.is_empty() && state.stopped.is_empty() && state.settle_at.is_none()
    }

    pub fn log(&self) -> Vec<Sent> {
        self.lock().log.clone()
    }

    /// The process begins anew: what it had only in memory is gone.
    pub fn restarted(&self) {
        self.crashed(&mut self.lock());
    }

    fn crashed(&self, state: &mut State) -> Went {
        self.inbox.forget();
        state.intake = intake(&self.hub, &self.pushing, &self.inbox, &self.preparer, state.rng.next());
        let now = self.hub.lock().now;
        // The first thing that a process does is to look for what waits.
        let pause = state.rng.between(1, 20) * SECOND;
        state.settle_at = Some(state.settle_at.map_or(now + pause, |at| at.min(now + pause)));
        Went::Crashed
    }

    /// Decides about what happened since the last time: whether it is told, when, and together with what.
    fn schedule(&self, state: &mut State) {
        let mut inner = self.hub.lock();
        while state.announced < inner.world.versions.len() {
            let version = state.announced;
            state.announced += 1;
            let (told, visible) = self.told(&inner.world, version);
            if state.rng.percent(self.pushing.dropped) {
                inner.world.class("notification dropped");
                continue;
            }
            let joins = state.rng.percent(15);
            let last = state.log.last_mut().filter(|last| joins && last.tried.is_none());
            match last.filter(|last| !last.is_late && last.due + SECOND >= visible) {
                Some(last) => last.told.push(told),
                None => self.enqueue(state, vec![told], visible),
            }
        }
        let Inner { world, now, .. } = &mut *inner;
        while !world.quiet && state.tickets_to < *now + world.scenario.interval {
            let from = state.tickets_to;
            state.tickets_to += world.scenario.interval;
            for _ in 0..state.rng.below(2 * self.pushing.tickets + 1) {
                let at = from + state.rng.between(1, world.scenario.interval);
                let told = (0..state.rng.between(1, 3)).map(|_| self.ticket(state, world)).collect();
                self.enqueue(state, told, at);
            }
        }
    }

    fn enqueue(&self, state: &mut State, told: Vec<Told>, happened: Micros) {
        let mut due = happened + state.rng.between(10, 3_000) * MILLI;
        let is_late = state.rng.percent(self.pushing.late_percent);
        if is_late {
            due += state.rng.between(SECOND, self.pushing.late_max);
        }
        state.log.push(Sent { told, tried: None, understood: None, is_late, due });
        let number = state.log.len() - 1;
        state.put(due, number);
    }

    fn told(&self, world: &World, version: usize) -> (Told, Micros) {
        let truth = &world.versions[version];
        let record = &world.records[truth.record];
        let before = record.versions.iter().rev().find(|at| **at < version);
        let was_there = before.is_some_and(|at| world.versions[*at].kind == Kind::Live);
        let what = match (truth.kind, was_there) {
            (Kind::Live, false) => "CREATED",
            (Kind::Live, true) => "UPDATED",
            (Kind::Removed | Kind::Gone, _) => "DELETED",
        };
        let at = match self.pushing.dated {
            Dated::No => None,
            Dated::Exact => Some(timestamp(truth.stamp)),
            Dated::Shown => Some(timestamp(world.shown(truth.stamp))),
        };
        let told = Told { kind: POLLED, id: record.id.clone(), what, at, version: Some(version) };
        (told, truth.visible)
    }

    /// Something about an object that nobody polls, under a date of its own.
    fn ticket(&self, state: &mut State, world: &World) -> Told {
        let id = format!("t-{}", state.rng.below(5));
        let is_there = state.tickets.get(&id).copied().unwrap_or(false);
        let ends = is_there && state.rng.percent(20);
        state.tickets.insert(id.clone(), !ends);
        let what = match (is_there, ends) {
            (false, _) => "CREATED",
            (true, false) => "UPDATED",
            (true, true) => "DELETED",
        };
        state.steps += 1;
        let at = Some(timestamp(world.scenario.start + state.steps as Micros));
        Told { kind: TICKETS, id, what, at, version: None }
    }

    /// One try to be understood.
    fn send(&self, state: &mut State, number: usize, rough: Rough) -> Went {
        let request = self.request(&state.log[number], number);
        state.steps += 1;
        let step = state.steps;
        state.log[number].tried.get_or_insert(step);
        let answer: Arc<Mutex<Option<Answer>>> = Arc::default();
        let (intake, heard) = (state.intake.clone(), answer.clone());
        let (address, element_key) = (self.address.clone(), self.element_key.clone());
        let work = Box::pin(async move {
            let target = Target::Own { element_key: &element_key, address: &address };
            let answer = intake.take(target, request).await;
            *heard.lock().expect("one thread") = Some(answer);
        });
        let plan = state.plan(rough, &[Point::ReceiveBefore, Point::ReceiveAfter]);
        let went = self.go(state, work, plan);
        let answer = answer.lock().expect("one thread").take();
        self.hear(state, number, answer);
        went
    }

    /// What the provider does about an answer, or about none.
    fn hear(&self, state: &mut State, number: usize, answer: Option<Answer>) {
        let mut inner = self.hub.lock();
        let now = inner.now;
        inner.note(|| format!("NOTIFY #{number} {:?} -> {answer:?}", state.log[number].told));
        let unheard = !inner.world.quiet && state.rng.percent(self.pushing.unheard_percent);
        if matches!(answer, Some(Answer::Kept { .. })) {
            let is_idle = state.rng.percent(self.pushing.idle_percent);
            let pause = if is_idle { state.rng.between(1, 120) * SECOND } else { 0 };
            state.settle_at = Some(state.settle_at.map_or(now + pause, |at| at.min(now + pause)));
        }
        match answer {
            Some(Answer::Kept { .. }) if unheard => {
                inner.world.class("acknowledgement unheard");
                let again = state.rng.between(1, 60) * SECOND;
                state.put(now + again, number);
            }
            Some(Answer::Kept { .. }) => {
                if state.log[number].understood.is_some() {
                    inner.world.class("notification repeated");
                    return;
                }
                state.steps += 1;
                state.log[number].understood = Some(state.steps);
                if state.log[number].is_late {
                    inner.world.class("notification late");
                }
                let told: Vec<usize> =
                    state.log[number].told.iter().filter_map(|told| told.version).collect();
                for version in told {
                    let record = inner.world.versions[version].record;
                    let newest = state.newest.entry(record).or_insert(version);
                    if *newest > version {
                        inner.world.class("notification out of order");
                    }
                    *newest = version.max(*newest);
                }
                if state.rng.percent(self.pushing.repeated) {
                    let again = state.rng.between(0, 600) * SECOND;
                    state.put(now + again, number);
                }
            }
            Some(Answer::ComeBack { after, .. }) => {
                inner.world.class("told to come back");
                state.put(now + after.as_micros() as Micros, number);
            }
            None => {
                let again = state.rng.between(1, 60) * SECOND;
                state.put(now + again, number);
            }
            Some(answer @ (Answer::Unknown | Answer::Refused | Answer::Challenge { .. })) => {
                panic!("a sound notification was answered with {answer:?}")
            }
        }
    }

    fn request(&self, sent: &Sent, number: usize) -> RawRequest {
        let changes: Vec<Value> = sent
            .told
            .iter()
            .map(|told| {
                let mut change = json!({"kind": told.kind, "id": told.id, "type": told.what});
                if let Some(at) = told.at {
                    change["at"] = json!(at.to_string());
                }
                change
            })
            .collect();
        let body = json!({"number": number, "changes": changes}).to_string().into_bytes();
        let mut headers = vec![("Content-Type".to_string(), "application/json".to_string())];
        if self.pushing.signed {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
            mac.update(&body);
            let signature = hex::encode(mac.finalize().into_bytes());
            headers.push(("X-Hub-Signature-256".into(), format!("sha256={signature}")));
            headers.push(("X-GitHub-Delivery".into(), format!("delivery-{number}")));
        }
        RawRequest { method: "POST".into(), headers, body, ..RawRequest::default() }
    }

    /// Settles what waits.
    fn settle(&self, state: &mut State, rough: Rough) -> Went {
        let intake = state.intake.clone();
        let due: Arc<Mutex<Option<Option<Timestamp>>>> = Arc::default();
        let heard = due.clone();
        let work = Box::pin(async move {
            intake.settle_once().await.expect("the store does not fail");
            let next = intake.next_due().await.expect("the store does not fail");
            *heard.lock().expect("one thread") = Some(next);
        });
        let plan = state.plan(rough, &[Point::Hook, Point::SettleBefore, Point::SettleAfter]);
        let went = self.go(state, work, plan);
        let now = self.hub.lock().now;
        let skew = self.hub.lock().world.scenario.skew;
        state.settle_at = match due.lock().expect("one thread").take() {
            Some(next) => next.map(|at| (at.as_microsecond() - skew).max(now + 1)),
            // Another node looks at the store, too.
            None => Some(now + 5 * SECOND),
        };
        went
    }

    /// Carries work on until it ends, or its node dies or stops.
    fn go(&self, state: &mut State, mut work: Work, plan: Plan) -> Went {
        let (kept_plan, kept_fate) = {
            let mut inner = self.hub.lock();
            (std::mem::replace(&mut inner.plan, plan), std::mem::replace(&mut inner.fate, Fate::Runs))
        };
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut inner = self.hub.lock();
        let plan = std::mem::replace(&mut inner.plan, kept_plan);
        let fate = std::mem::replace(&mut inner.fate, kept_fate);
        match (polled, fate) {
            (Poll::Ready(()), _) => Went::Well,
            (Poll::Pending, Fate::StopsUntil(until)) => {
                let waker = inner.waker.take();
                state.stopped.push(Stopped { work, plan, until, waker });
                Went::Well
            }
            (Poll::Pending, Fate::Crashed) => Went::Crashed,
            (Poll::Pending, Fate::Runs) => unreachable!("only the gate keeps work waiting"),
        }
    }
}

impl State {
    fn put(&mut self, at: Micros, number: usize) {
        self.queued += 1;
        self.queue.insert((at, self.queued), number);
    }

    /// What happens to the next piece of work.
    fn plan(&mut self, rough: Rough, points: &[Point]) -> Plan {
        let mut plan = Plan::default();
        let nth = self.rng.between(1, 2) as u32;
        if self.rng.percent(rough.crash_percent) {
            plan.crash = Some((*self.rng.pick(points), nth));
        } else if self.rng.percent(rough.pause_percent) {
            plan.pause = Some((*self.rng.pick(points), nth, self.rng.between(5, 300) * SECOND));
        }
        plan
    }
}

/// The intake of a process that has just begun.
fn intake(
    hub: &Hub,
    pushing: &Pushing,
    inbox: &Arc<SimInbox>,
    preparer: &Arc<Preparer>,
    chance: u64,
) -> Intake {
    let failure_percent = pushing.hook_failure_percent;
    Intake::new(Parts {
        store: inbox.clone(),
        preparer: preparer.clone(),
        hooks: Arc::new(SimHooks { hub: hub.clone(), failure_percent }),
        clock: Arc::new(SimClock(hub.clone())),
        entropy: Arc::new(SeededEntropy::new(chance)),
        limits: Limits { waiting_per_org: pushing.waiting_max, ..Limits::default() },
        on_settled: Arc::new(|_| {}),
    })
}
