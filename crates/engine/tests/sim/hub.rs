//! What everything simulated shares: the world, true time, and the gate at which runs crash or stop.
//!
//! Every future of the simulation is ready at once, except at the gate: there a run that is to crash waits for ever
//! (its runner drops it), and one whose node stops waits once (its runner polls it again when the time has come).

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::event::Event;
use turnstone_core::poll::{Batch, Finish, RunKind, RunOutcome};
use turnstone_core::run::{FetchError, FetchErrorKind, Reply, Request, Response};
use turnstone_engine::clock::Clock;
use turnstone_engine::egress::{Callback, CallbackAnswer, CallbackReply, Connection, Net};

use crate::rng::Rng;
use crate::stamp::*;
use crate::world::World;

/// Requests of one seed; more are a run that never ends.
const REQUESTS_MAX: u64 = 100_000;

/// The places where a run can crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    FetchUnsent,
    FetchUnread,
    Recall,
    Wait,
    CommitBefore,
    CommitAfter,
    DoneBefore,
    DoneAfter,
    /// Of deliveries, not of polls.
    PostUnsent,
    PostUnread,
    /// Of intake.
    ReceiveBefore,
    ReceiveAfter,
    Hook,
    SettleBefore,
    SettleAfter,
    /// Of monitors, beside some of the above.
    Claimed,
    Running,
}

impl Point {
    pub const ALL: [Point; 8] = [
        Point::FetchUnsent,
        Point::FetchUnread,
        Point::Recall,
        Point::Wait,
        Point::CommitBefore,
        Point::CommitAfter,
        Point::DoneBefore,
        Point::DoneAfter,
    ];

    /// Those of a run of a monitor.
    pub const OF_FLOWS: [Point; 8] = [
        Point::Claimed,
        Point::Running,
        Point::FetchUnsent,
        Point::FetchUnread,
        Point::Recall,
        Point::Wait,
        Point::DoneBefore,
        Point::DoneAfter,
    ];
}

/// What becomes of the run that is being polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Runs,
    Crashed,
    StopsUntil(Micros),
}

/// What is planned for a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// It crashes when it comes to this place for the nth time.
    pub crash: Option<(Point, u32)>,
    /// Its node stops there for so long.
    pub pause: Option<(Point, u32, Micros)>,
    /// When its first complete answer was asked for.
    pub first_answer: Option<Micros>,
    /// It looks at records that notifications named, instead of polling.
    pub look: bool,
}

/// The shared state.
pub struct Inner {
    pub world: World,
    /// True time.
    pub now: Micros,
    pub rng: Rng,
    /// The plan of the run that is being polled.
    pub plan: Plan,
    pub fate: Fate,
    /// Wakes the place where the node stopped.
    pub waker: Option<Waker>,
    /// When the first request that counts was sent: its run went on to write something.
    pub baseline: Option<Micros>,
    /// When the first run of the pass that is open began.
    pub pass_since: Option<Micros>,
    /// When the pass began that is parked.
    pub parked_since: Option<Micros>,
    /// The passes that were closed as complete.
    pub passes: Vec<ClosedPass>,
    pub trace: Option<Vec<String>>,
    pub requests: u64,
    /// Bodies that the receiver took, in order, repeats included.
    pub arrivals: Vec<String>,
}

/// A pass that was closed as complete, in true time.
#[derive(Clone, Copy, Debug)]
pub struct ClosedPass {
    pub kind: RunKind,
    pub from: Micros,
    pub to: Micros,
}

/// A handle to it.
#[derive(Clone)]
pub struct Hub(Arc<Mutex<Inner>>);

impl Hub {
    pub fn new(inner: Inner) -> Hub {
        Hub(Arc::new(Mutex::new(inner)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A place where the run may crash or its node may stop.
    pub async fn pass(&self, point: Point) {
        let fate = self.lock().at(point);
        match fate {
            Fate::Runs => {}
            Fate::Crashed => std::future::pending().await,
            Fate::StopsUntil(_) => {
                let mut stopped = false;
                poll_fn(|context| {
                    if std::mem::replace(&mut stopped, true) {
                        return Poll::Ready(());
                    }
                    self.lock().waker = Some(context.waker().clone());
                    Poll::Pending
                })
                .await
            }
        }
    }
}

impl Inner {
    fn at(&mut self, point: Point) -> Fate {
        let strikes = |nth: &mut u32| {
            *nth = nth.saturating_sub(1);
            *nth == 0
        };
        if let Some((at, nth)) = &mut self.plan.crash
            && *at == point
            && strikes(nth)
        {
            self.plan.crash = None;
            self.fate = Fate::Crashed;
            self.world.class(format!("crash at {point:?}"));
            if self.plan.look {
                self.world.class("look run crashed");
            }
            self.note(|| format!("CRASH at {point:?}"));
            return Fate::Crashed;
        }
        if let Some((at, nth, pause)) = &mut self.plan.pause
            && *at == point
            && strikes(nth)
        {
            let until = self.now + *pause;
            self.plan.pause = None;
            self.fate = Fate::StopsUntil(until);
            self.world.class("node stops");
            self.note(|| format!("node stops at {point:?}"));
            return Fate::StopsUntil(until);
        }
        Fate::Runs
    }

    /// Lets true time pass.
    pub fn advance(&mut self, to: Micros) {
        if to > self.now {
            self.world.run_until(to);
            self.now = to;
        }
    }

    /// Our clock.
    pub fn clock(&self) -> Micros {
        self.now + self.world.scenario.skew
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if self.trace.is_some() {
            let line = format!("{} {}", timestamp(self.now), line());
            if let Some(trace) = &mut self.trace {
                trace.push(line);
            }
        }
    }

    /// The run that is being polled has ended, and its end is written.
    pub fn finished(&mut self, finish: &Finish) {
        self.wrote();
        let run = &finish.run;
        if run.kind == RunKind::Look {
            return self.looked(finish); // It is no pass.
        }
        if !finish.batch.heard.is_empty() {
            self.world.class("hint heard by a poll");
        }
        // A sweep that failed on its way is parked with the state, and goes on later from there.
        let state: serde_json::Value = serde_json::from_str(&finish.state).unwrap_or_default();
        let parked = !state["parked"].is_null();
        let earlier = self.parked_since.filter(|_| run.kind == RunKind::Sweep);
        let since = earlier.or(self.pass_since).unwrap_or(self.now);
        if run.outcome == RunOutcome::Completed {
            if self.passes.is_empty() && self.world.versions.iter().any(|version| version.visible > since) {
                self.world.class("changes during the baseline");
            }
            self.passes.push(ClosedPass { kind: run.kind, from: since, to: self.now });
        }
        self.pass_since = (!finish.pass_closed).then_some(since);
        if run.kind == RunKind::Sweep {
            self.parked_since = parked.then_some(since);
        }
        if parked {
            self.world.class("sweep parked");
        }
        if run.outcome == RunOutcome::Yielded {
            self.world.class("pass over several runs");
        }
        if run.error.as_ref().is_some_and(|error| error.code == "unstable") {
            self.world.class("called unstable");
        }
        self.note(|| {
            let error = run.error.as_ref().map_or("", |error| error.message.as_str());
            let watermark = finish.watermark.map(|at| timestamp(at).to_string()).unwrap_or_default();
            format!(
                "DONE {:?} {:?} {error} watermark {watermark} bound {:?} {:?} {:?}",
                run.kind, run.outcome, run.story.lower_bound, run.counts, run.story.notes
            )
        });
    }

    /// What is written of notifications that were heard.
    pub fn heard(&mut self, batch: &Batch) {
        if batch.heard.iter().any(|heard| heard.again) {
            self.world.class("looked at again");
        }
        let believed = |event: &Event| event.reason == "its provider notified that it is gone";
        if batch.events.iter().any(believed) {
            self.world.class("a deletion is believed");
        }
        if self.plan.look && batch.events.iter().any(|event| event.reason.contains("reading it answered")) {
            self.world.class("a notified deletion is found");
        }
    }

    fn looked(&mut self, finish: &Finish) {
        let run = &finish.run;
        self.world.class("look run");
        if run.outcome == RunOutcome::Failed {
            self.world.class("look run failed");
        }
        let error = run.error.as_ref().map_or("", |error| error.message.as_str());
        self.note(|| format!("LOOKED {:?} {error} {:?} {:?}", run.outcome, run.counts, run.story.notes));
    }

    /// The run that is being polled has written something: its first request is the beginning.
    pub fn wrote(&mut self) {
        if self.baseline.is_none() {
            self.baseline = self.plan.first_answer;
        }
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
        self.0.pass(Point::Wait).await;
        let mut inner = self.0.lock();
        let to = inner.now + pause.as_micros() as Micros;
        inner.advance(to);
    }
}

/// What happens beside a run while it waits for an answer.
pub type Meanwhile = Arc<dyn Fn() + Send + Sync>;

/// The way to the provider.
pub struct SimNet {
    pub hub: Hub,
    pub meanwhile: Option<Meanwhile>,
}

#[async_trait]
impl Net for SimNet {
    async fn send(&self, request: Request, _connection: &Connection) -> Reply {
        self.hub.pass(Point::FetchUnsent).await;
        let reply = exchange(&mut self.hub.lock(), &request);
        if let Some(meanwhile) = &self.meanwhile {
            meanwhile();
        }
        self.hub.pass(Point::FetchUnread).await;
        reply
    }

    async fn post(&self, callback: Callback) -> CallbackReply {
        self.hub.pass(Point::PostUnsent).await;
        let reply = take(&mut self.hub.lock(), &callback);
        self.hub.pass(Point::PostUnread).await;
        reply
    }
}

/// The receiver takes a notification, or does not, or its answer is lost.
fn take(inner: &mut Inner, callback: &Callback) -> CallbackReply {
    let (sent, sent_at) = (inner.now, timestamp(inner.clock()));
    let ill = !inner.world.quiet && inner.rng.percent(inner.world.scenario.receiver_failure_percent);
    let pause = inner.rng.between(5, 2_000) * MILLI;
    inner.advance(sent + pause);
    let trouble = if ill { inner.rng.below(3) } else { 3 };
    if trouble != 0 {
        inner.arrivals.push(String::from_utf8_lossy(&callback.body).into_owned());
    }
    if ill {
        inner.world.class("receiver fails");
    }
    let outcome = match trouble {
        0 => Ok(CallbackAnswer { status: 503, retry_after: None, text: String::new() }),
        1 => Err(lost(FetchErrorKind::Timeout)),
        2 => Ok(CallbackAnswer { status: 500, retry_after: None, text: String::new() }),
        _ => Ok(CallbackAnswer { status: 200, retry_after: None, text: String::new() }),
    };
    inner.note(|| format!("POST {} -> {outcome:?}", String::from_utf8_lossy(&callback.body)));
    CallbackReply { sent_at, duration: Duration::from_micros((inner.now - sent).unsigned_abs()), outcome }
}

fn exchange(inner: &mut Inner, request: &Request) -> Reply {
    let (sent, sent_at) = (inner.now, timestamp(inner.clock()));
    let scenario = &inner.world.scenario;
    let slow = scenario.slow_percent;
    let mut leg =
        || if inner.rng.percent(slow) { inner.rng.between(200, 9_000) } else { inner.rng.between(5, 300) };
    let (out, back) = (leg() * MILLI, leg() * MILLI);
    inner.advance(sent + out);
    let changes = !inner.world.quiet && inner.rng.percent(inner.world.scenario.between_percent);
    let (before, at) = (inner.world.versions.len(), inner.now);
    if changes {
        for _ in 0..inner.rng.between(1, 3) {
            inner.world.change(at);
        }
    }
    let outcome = outcome(inner, request, at, before, sent);
    inner.advance(at + back);
    inner.note(|| {
        let told = match &outcome {
            Ok(response) => format!("{} {}", response.status, response.body.replace(['\n', ' '], "")),
            Err(error) => error.to_string(),
        };
        format!("GET {} -> {told}", request.url)
    });
    Reply { sent_at, to_head: Duration::from_micros((inner.now - sent).unsigned_abs()), outcome }
}

fn outcome(
    inner: &mut Inner,
    request: &Request,
    at: Micros,
    before: usize,
    sent: Micros,
) -> Result<Response, FetchError> {
    inner.requests += 1;
    if inner.requests > REQUESTS_MAX {
        if let Some(trace) = &inner.trace {
            println!("{}", trace.join("\n"));
        }
        panic!("a run that never ends");
    }
    let wait_first = matches!(inner.plan.crash, Some((Point::Wait, _)));
    if wait_first && inner.rng.percent(50) {
        inner.world.class("told to wait");
        return Ok(refusal(429, "1"));
    }
    let etag = request.headers.iter().find(|(name, _)| name == "if-none-match").map(|(_, tag)| tag.clone());
    let failing = !inner.world.quiet && inner.rng.percent(inner.world.scenario.failure_percent);
    if failing {
        inner.world.class("request fails");
        if let Some((_, id)) = request.url.split_once("/v1/one/").filter(|_| !inner.plan.look) {
            inner.world.failed_looks.entry(id.to_string()).or_default().push(at);
        }
        match inner.rng.below(6) {
            0 => return Ok(refusal(503, "2")),
            1 => return Ok(refusal(500, "")),
            2 => return Err(lost(FetchErrorKind::Timeout)),
            3 => return Err(lost(FetchErrorKind::Truncated)),
            4 => {
                return Ok(Response {
                    status: 200,
                    headers: Vec::new(),
                    body: "<html>Maintenance</html>".into(),
                });
            }
            _ => {}
        }
    }
    let answer = inner.world.answer(&request.url, at, etag.as_deref());
    if inner.plan.look {
        if answer.status == 404 {
            inner.world.class("named record read: 404");
        }
        if inner.world.is_stale {
            inner.world.class("named record read: stale");
        }
    }
    if answer.continues {
        note_between(inner, before);
    }
    let mut body = answer.body;
    if failing {
        // The last of the six: the body ends in the middle, and nobody says so.
        body.truncate(body.len() / 2);
        return Ok(Response { status: answer.status, headers: answer.headers, body });
    }
    if answer.status == 200 && inner.plan.first_answer.is_none() {
        inner.plan.first_answer = Some(sent);
    }
    let mut headers = answer.headers;
    if inner.world.scenario.fault == Some(crate::fault::Fault::BaselineSwallows) {
        headers.retain(|(name, _)| name != "date");
    }
    Ok(Response { status: answer.status, headers, body })
}

/// A page was asked for after another one: what changed just before it, changed between pages.
fn note_between(inner: &mut Inner, before: usize) {
    use crate::world::Kind;
    let paging = inner.world.scenario.paging;
    let kinds: Vec<Kind> = inner.world.versions[before..].iter().map(|version| version.kind).collect();
    for kind in kinds {
        let what = if kind == Kind::Live { "update" } else { "delete" };
        inner.world.class(format!("{what} between pages: {paging:?}"));
    }
}

fn refusal(status: u16, retry_after: &str) -> Response {
    let headers = match retry_after {
        "" => Vec::new(),
        seconds => vec![("retry-after".to_string(), seconds.to_string())],
    };
    Response { status, headers, body: "{}".into() }
}

pub fn lost(kind: FetchErrorKind) -> FetchError {
    FetchError { kind, message: "the network of the simulation lost it".into() }
}
