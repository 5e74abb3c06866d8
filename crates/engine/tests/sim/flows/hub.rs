//! What everything simulated shares: the provider, true time, the gate at which runs crash; and our clock and network
//! over it.
//!
//! Cards are computed on another thread, so a run is polled by a real runtime; but time passes only where a run sends
//! or waits, by what the scenario says. The renewal of a lease sleeps beside the run: it wakes when time has passed it.

use std::collections::BTreeSet;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::run::{FetchError, FetchErrorKind, Reply, Request, Response};
use turnstone_engine::clock::Clock;
use turnstone_engine::egress::{Callback, CallbackReply, Connection, Net};

use super::scenario::Scenario;
use super::users::{Users, Window, window_of};
use crate::fault::Fault;
use crate::hub::{Point, lost};
use crate::rng::Rng;
use crate::stamp::*;

/// How long a claim holds. A third of it is the pause between two renewals, by which they are known: no request and no
/// card of the simulation waits exactly so long.
pub const LEASE: Duration = Duration::from_secs(99);

/// An answer to a request for users, as the provider logged it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When it was asked, in true time.
    pub asked: Micros,
    /// When it was made.
    pub at: Micros,
    pub window: Window,
    /// Whom it listed.
    pub listed: Vec<usize>,
    /// Whether it arrived whole.
    pub whole: bool,
    /// Whether the second request after it, where the flow makes one, was answered well.
    pub seen: bool,
}

/// What is planned for a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// It crashes when it comes to this place for the nth time.
    pub crash: Option<(Point, u32)>,
    /// Its node stands still before its commit until somebody else holds the claim.
    pub overtaken: bool,
    /// The store fails at its commit: before it wrote, or after it.
    pub store_fails: Option<Point>,
}

/// The shared state.
pub struct Inner {
    pub scenario: Scenario,
    pub users: Users,
    /// True time.
    pub now: Micros,
    /// Our clock minus true time.
    pub ours: Micros,
    pub rng: Rng,
    pub plan: Plan,
    pub crashed: bool,
    /// Wakes whoever polls the run.
    pub runner: Option<Waker>,
    /// Sleepers beside the run, and when each wakes.
    sleepers: Vec<(Micros, Waker)>,
    /// Nothing fails any more.
    pub quiet: bool,
    /// Answers of the run under way.
    pub answers: Vec<Answer>,
    pub requests: u64,
    pub classes: BTreeSet<String>,
    pub trace: Option<Vec<String>>,
}

impl Inner {
    pub fn new(scenario: Scenario, rng: &mut Rng, traced: bool) -> Inner {
        let (now, ours) = (scenario.start, scenario.ours);
        let mut users = Users::new(Rng::new(rng.next()));
        users.settle_in(&scenario);
        Inner {
            scenario,
            users,
            now,
            ours,
            rng: Rng::new(rng.next()),
            plan: Plan::default(),
            crashed: false,
            runner: None,
            sleepers: Vec::new(),
            quiet: false,
            answers: Vec::new(),
            requests: 0,
            classes: BTreeSet::new(),
            trace: traced.then(Vec::new),
        }
    }

    /// Our clock.
    pub fn clock(&self) -> Micros {
        self.now + self.ours
    }

    pub fn class(&mut self, class: impl Into<String>) {
        self.classes.insert(class.into());
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", timestamp(self.now), line()));
        }
    }

    /// Lets true time pass at once.
    pub fn advance(&mut self, to: Micros) {
        self.now = self.now.max(to);
        let (due, rest) = std::mem::take(&mut self.sleepers).into_iter().partition(|(at, _)| *at <= self.now);
        self.sleepers = rest;
        let due: Vec<(Micros, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn strikes(&mut self, point: Point) -> bool {
        let Some((at, nth)) = &mut self.plan.crash else { return false };
        if *at != point {
            return false;
        }
        *nth = nth.saturating_sub(1);
        let strikes = *nth == 0;
        if strikes {
            self.plan.crash = None;
            self.crashed = true;
            self.class(format!("crash at {point:?}"));
            self.note(|| format!("CRASH at {point:?}"));
            if let Some(runner) = self.runner.take() {
                runner.wake();
            }
        }
        strikes
    }
}

/// A handle to it.
#[derive(Clone)]
pub struct Hub(Arc<Mutex<Inner>>);

impl Hub {
    pub fn new(inner: Inner) -> Hub {
        Hub(Arc::new(Mutex::new(inner)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place where the run may crash.
    pub async fn pass(&self, point: Point) {
        let struck = {
            let mut inner = self.lock();
            inner.crashed || inner.strikes(point)
        };
        if struck {
            pending().await
        }
    }

    /// Lets time pass for the run; whoever sleeps beside it has its turn in between.
    async fn elapse(&self, pause: Micros) {
        let to = self.lock().now + pause;
        loop {
            {
                let mut inner = self.lock();
                let first = inner.sleepers.iter().map(|(at, _)| *at).min();
                let until = first.map_or(to, |first| first.min(to));
                inner.advance(until);
                if inner.now >= to {
                    return;
                }
            }
            let mut yielded = false;
            poll_fn(|context| {
                if std::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    async fn sleep_beside(&self, pause: Micros) {
        let until = self.lock().now + pause;
        poll_fn(|context| {
            let mut inner = self.lock();
            if inner.now >= until {
                return Poll::Ready(());
            }
            inner.sleepers.push((until, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// Our clock.
pub struct SimClock(pub Hub);

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        timestamp(self.0.lock().clock())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.lock().now.unsigned_abs())
    }

    async fn sleep(&self, pause: Duration) {
        let micros = pause.as_micros() as Micros;
        if pause == LEASE / 3 {
            return self.0.sleep_beside(micros).await;
        }
        self.0.pass(Point::Wait).await;
        self.0.lock().class("the flow waits");
        self.0.elapse(micros).await;
    }
}

/// The way to the provider.
pub struct SimNet(pub Hub);

#[async_trait]
impl Net for SimNet {
    async fn send(&self, request: Request, _connection: &Connection) -> Reply {
        self.0.pass(Point::FetchUnsent).await;
        let (sent, sent_at, out, back) = {
            let mut inner = self.0.lock();
            let slow = inner.scenario.slow_percent;
            let mut leg = || {
                if inner.rng.percent(slow) {
                    inner.rng.between(200, 20_000)
                } else {
                    inner.rng.between(5, 300)
                }
            };
            let (out, back) = (leg() * MILLI, leg() * MILLI);
            if out + back > 5 * SECOND {
                inner.class("slow answer");
            }
            (inner.now, timestamp(inner.clock()), out, back)
        };
        self.0.elapse(out).await;
        let (outcome, pause) = answer(&mut self.0.lock(), &request, sent);
        self.0.elapse(pause.unwrap_or(back)).await;
        let to_head = {
            let mut inner = self.0.lock();
            inner.note(|| match &outcome {
                Ok(response) => format!("{} -> {} {}", request.url, response.status, response.body),
                Err(error) => format!("{} -> {error}", request.url),
            });
            Duration::from_micros((inner.now - sent).unsigned_abs())
        };
        self.0.pass(Point::FetchUnread).await;
        Reply { sent_at, to_head, outcome }
    }

    async fn post(&self, _callback: Callback) -> CallbackReply {
        unreachable!("monitors of the simulation notify nobody")
    }
}

/// What the provider says, and how long it takes where that is not chance.
fn answer(
    inner: &mut Inner,
    request: &Request,
    asked: Micros,
) -> (Result<Response, FetchError>, Option<Micros>) {
    inner.requests += 1;
    assert!(inner.requests < 20_000, "a run that never ends");
    let (scenario, now) = (inner.scenario.clone(), inner.now);
    let lists = request.url.starts_with("https://api.example.com/v1/users");
    let window = if lists { Some(window_of(&request.url)) } else { None };
    if let Some(window) = window.as_ref().filter(|_| !inner.quiet) {
        if inner.rng.percent(scenario.edge_percent) && inner.users.birth_on_edge(&scenario, window, now) {
            inner.class("born on an edge");
        }
        if inner.rng.percent(15) {
            inner.class("born while it is asked");
            let classes = inner.users.birth(&scenario, now);
            inner.classes.extend(classes);
        }
    }
    let listed = window.as_ref().map(|window| inner.users.listed(&scenario, window, now)).unwrap_or_default();
    let body = if lists { inner.users.body(&listed) } else { "{}".to_owned() };
    let failing = !inner.quiet && inner.rng.percent(scenario.failure_percent);
    let waits = matches!(inner.plan.crash, Some((Point::Wait, _))) && inner.rng.percent(60);
    let (outcome, pause) = match (waits, failing) {
        (true, _) => (Ok(refusal(429, Some("7"))), None),
        (false, true) => fail(inner, &body, lists),
        (false, false) => (Ok(well(&body)), None),
    };
    let well = !waits && !failing;
    match window {
        Some(window) => {
            inner.answers.push(Answer { asked, at: now, window, listed, whole: well, seen: false })
        }
        None => {
            if let Some(last) = inner.answers.last_mut() {
                last.seen = well;
            }
        }
    }
    let dated = scenario.fault != Some(Fault::NowByOurClock) && (well || inner.rng.percent(70));
    let outcome = outcome.map(|mut response| {
        if dated {
            response.headers.push(("date".to_owned(), http_date(now + scenario.theirs)));
        }
        response
    });
    (outcome, pause)
}

/// One of the ways in which a request fails.
fn fail(inner: &mut Inner, body: &str, lists: bool) -> (Result<Response, FetchError>, Option<Micros>) {
    inner.class(if lists { "request fails" } else { "second request of a Try fails" });
    let which = inner.rng.below(if lists { 7 } else { 4 });
    let after = (*inner.rng.pick(&[1, 5, 40])).to_string();
    inner.class(format!("failure: {}", FAILURES[which as usize]));
    match which {
        0 => (Ok(refusal(429, Some(&after))), None),
        1 => (Ok(refusal(500, None)), None),
        2 => (Err(lost(FetchErrorKind::Timeout)), Some(30 * SECOND)),
        3 => (Ok(refusal(503, Some(&after))), None),
        4 => (Err(lost(FetchErrorKind::Truncated)), None),
        5 => {
            let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
            (Ok(Response { status: 200, headers, body: "<html>Maintenance</html>".into() }), None)
        }
        _ => {
            let mut half = well(body);
            half.body.truncate(half.body.len() / 2);
            (Ok(half), None)
        }
    }
}

const FAILURES: [&str; 7] = ["429", "500", "timeout", "503", "cut off", "a page for people", "half a body"];

fn well(body: &str) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response { status: 200, headers, body: body.to_owned() }
}

fn refusal(status: u16, after: Option<&str>) -> Response {
    let headers = after.map(|after| ("retry-after".to_owned(), after.to_owned()));
    Response { status, headers: headers.into_iter().collect(), body: "{}".into() }
}
