//! Keeps worker processes and gives each call one of them.
//!
//! One call at a time is in a worker. A worker that misses its deadline is killed, one that met a limit is not used
//! again; the next call finds another or starts one. No organisation has more than half of the workers or of the queue,
//! and who waits is served by how little its organisation has running.
//!
//! Not here: what a script may do; the worker and its walls see to that.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;
use turnstone_core::hook::{HookCall, HookFault, HookOutcome, HookReply};
use turnstone_core::id::OrgId;
use turnstone_core::limits;

use super::walls::{Probe, Wall, WallState};
use super::wire::{self, Answer, End, Ready};
use crate::clock::Clock;

/// The only variable in a worker's environment: scripts reckon in UTC on every machine.
pub(super) const TIME_ZONE: (&str, &str) = ("TZ", "UTC");

/// How a pool is made.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// The program that runs as a worker.
    pub program: PathBuf,
    /// What makes it one.
    pub arguments: Vec<OsString>,
    /// Workers at once.
    pub workers: usize,
    /// Calls that may wait.
    pub queue: usize,
    /// Time beyond a call's own before its worker is killed.
    pub grace: Duration,
}

impl PoolSettings {
    /// As many workers of this program as the machine has processors, at least two.
    pub fn of_this_program() -> io::Result<Self> {
        Ok(PoolSettings::of(std::env::current_exe()?))
    }

    /// The same with another program, for tests.
    pub fn of(program: PathBuf) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        PoolSettings {
            program,
            arguments: vec!["js-worker".into()],
            workers: processors.max(2),
            queue: limits::HOOK_QUEUE_MAX,
            grace: limits::HOOK_GRACE,
        }
    }
}

/// Runs hooks. Clones share the workers.
#[derive(Clone)]
pub struct HookPool {
    inner: Arc<Inner>,
}

struct Inner {
    settings: PoolSettings,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    running: HashMap<OrgId, usize>,
    running_sum: usize,
    waiting: VecDeque<Waiting>,
    walls: Vec<Wall>,
}

struct Waiting {
    org: OrgId,
    turn: oneshot::Sender<Permit>,
}

/// The right to use one worker, counted for an organisation.
struct Permit {
    inner: Arc<Inner>,
    org: OrgId,
}

/// A process that is ready for a call. Dropping it kills it.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

/// How an exchange with a worker failed.
enum Broken {
    /// It was dead before it took the call.
    BeforeTheCall,
    /// It died with the call.
    Died(String),
    /// It did not answer in time.
    Late,
}

impl HookPool {
    /// A pool without workers; they are started when they are needed.
    pub fn new(settings: PoolSettings, clock: Arc<dyn Clock>) -> Self {
        HookPool { inner: Arc::new(Inner { settings, clock, state: Mutex::default() }) }
    }

    /// Runs one hook for an organisation. Never fails by itself: what went wrong is in the reply.
    ///
    /// Dropping the future kills the worker that is at it.
    pub async fn run(&self, org: OrgId, call: &HookCall) -> HookReply {
        let frame = match call.check_size().and_then(|()| encode(call)) {
            Ok(frame) => frame,
            Err(fault) => return HookReply::failed(fault),
        };
        let permit = match self.inner.admit(org).await {
            Ok(permit) => permit,
            Err(fault) => return HookReply::failed(fault),
        };
        let sent = self.inner.clock.monotonic();
        let mut reply = match self.inner.exchange(&frame, call).await {
            Ok(answer) => reply(call, answer),
            Err(fault) => HookReply::failed(fault),
        };
        reply.took = self.inner.clock.monotonic().saturating_sub(sent);
        drop(permit);
        reply
    }

    /// The walls around the workers, as the last one that started told them; none when none has started.
    pub fn walls(&self) -> Vec<Wall> {
        self.inner.lock().walls.clone()
    }

    /// Processes that wait for a call.
    pub fn idle_workers(&self) -> usize {
        self.inner.lock().idle.len()
    }
}

/// Starts a worker that tries to get out, and tells its walls and what came of it.
pub async fn inspect(settings: &PoolSettings) -> Result<(Vec<Wall>, Vec<Probe>), HookFault> {
    let mut settings = settings.clone();
    settings.arguments.push("--probe".into());
    let (_, ready) = Worker::start(&settings).await?;
    Ok((ready.walls, ready.probes))
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves counts and lists whole: each change is a single step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, or refuses at once when too many wait.
    async fn admit(self: &Arc<Self>, org: OrgId) -> Result<Permit, HookFault> {
        let turn = {
            let mut state = self.lock();
            if state.has_room(org, &self.settings) {
                state.count(org);
                return Ok(Permit { inner: Arc::clone(self), org });
            }
            let of_org = state.waiting.iter().filter(|waiting| waiting.org == org).count();
            let waiting = state.waiting.len();
            if waiting >= self.settings.queue || of_org >= half(self.settings.queue) {
                return Err(HookFault::Busy { waiting });
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting.push_back(Waiting { org, turn: sender });
            receiver
        };
        // The pool outlives its callers, so a sender is only dropped with its turn given.
        turn.await.map_err(|_| HookFault::Busy { waiting: 0 })
    }

    /// Gives the turns that there is room for.
    fn serve_waiting(self: &Arc<Self>) {
        loop {
            let (waiting, permit) = {
                let mut state = self.lock();
                let Some(waiting) = state.next_waiting(&self.settings) else { return };
                state.count(waiting.org);
                let org = waiting.org;
                (waiting, Permit { inner: Arc::clone(self), org })
            };
            // Whoever gave up in this very moment does not take it: the permit comes back, and dropping it gives the
            // turn on.
            drop(waiting.turn.send(permit));
        }
    }

    /// Sends the call to a worker and waits for its answer.
    async fn exchange(&self, frame: &[u8], call: &HookCall) -> Result<Answer, HookFault> {
        loop {
            let kept = self.lock().idle.pop();
            let is_kept = kept.is_some();
            let mut worker = match kept {
                Some(worker) => worker,
                None => {
                    let (worker, ready) = Worker::start(&self.settings).await?;
                    self.note_walls(ready.walls);
                    worker
                }
            };
            let most = call.limits.time + self.settings.grace;
            let outcome = match timeout(most, worker.exchange(frame)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Broken::Late),
            };
            return match outcome {
                Ok(answer) => {
                    if !answer.retires {
                        self.lock().idle.push(worker);
                    }
                    Ok(answer)
                }
                // It died while it was idle, and the script is not to blame.
                Err(Broken::BeforeTheCall) if is_kept => continue,
                Err(Broken::BeforeTheCall) => Err(died("it ended before it took the call")),
                Err(Broken::Died(how)) => Err(died(how)),
                Err(Broken::Late) => {
                    worker.end().await;
                    Err(HookFault::Deadline { limit: call.limits.time, line: None })
                }
            };
        }
    }

    fn note_walls(&self, walls: Vec<Wall>) {
        let missing = |walls: &[Wall]| -> Vec<String> {
            walls
                .iter()
                .filter(|wall| wall.state == WallState::Absent)
                .map(|wall| wall.name.clone())
                .collect()
        };
        let mut state = self.lock();
        let now = missing(&walls);
        if !now.is_empty() && missing(&state.walls) != now {
            tracing::warn!(
                walls = now.join(", "),
                "hooks run without some of their walls; see `turnstone hook doctor`"
            );
        }
        state.walls = walls;
    }
}

impl State {
    fn has_room(&self, org: OrgId, settings: &PoolSettings) -> bool {
        self.running_sum < settings.workers && self.of(org) < half(settings.workers)
    }

    fn of(&self, org: OrgId) -> usize {
        self.running.get(&org).copied().unwrap_or(0)
    }

    fn count(&mut self, org: OrgId) {
        *self.running.entry(org).or_default() += 1;
        self.running_sum += 1;
    }

    fn uncount(&mut self, org: OrgId) {
        self.running_sum -= 1;
        if let Some(running) = self.running.get_mut(&org) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(&org);
            }
        }
    }

    /// Takes the call that is next: of the organisation with the least running, the one that waits longest.
    fn next_waiting(&mut self, settings: &PoolSettings) -> Option<Waiting> {
        self.waiting.retain(|waiting| !waiting.turn.is_closed());
        let open =
            self.waiting.iter().enumerate().filter(|(_, waiting)| self.has_room(waiting.org, settings));
        let (at, _) = open.min_by_key(|(at, waiting)| (self.of(waiting.org), *at))?;
        self.waiting.remove(at)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.inner.lock().uncount(self.org);
        self.inner.serve_waiting();
    }
}

impl Worker {
    /// Starts a process and waits until its walls are up.
    async fn start(settings: &PoolSettings) -> Result<(Worker, Ready), HookFault> {
        let no_worker = |why: String| HookFault::NoWorker { why };
        let mut child = Command::new(&settings.program)
            .args(&settings.arguments)
            .env_clear()
            .env(TIME_ZONE.0, TIME_ZONE.1)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| no_worker(format!("`{}`: {error}", settings.program.display())))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = (input.expect("it is piped"), output.expect("it is piped"));
        let mut worker = Worker { child, input, output };
        let frame = match timeout(limits::HOOK_START_MAX, worker.read()).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(error)) => return Err(no_worker(format!("it did not say that it is ready ({error})"))),
            Err(_) => return Err(no_worker("it took too long to start".to_owned())),
        };
        let ready = serde_json::from_slice(&frame)
            .map_err(|error| no_worker(format!("`{}` is no worker ({error})", settings.program.display())))?;
        Ok((worker, ready))
    }

    async fn exchange(&mut self, frame: &[u8]) -> Result<Answer, Broken> {
        if self.input.write_all(frame).await.is_err() {
            return Err(Broken::BeforeTheCall);
        }
        match self.read().await {
            Ok(frame) => {
                serde_json::from_slice(&frame).map_err(|error| Broken::Died(format!("it answered {error}")))
            }
            Err(error) => {
                // The pipe closes a moment before the process is gone.
                let ended = timeout(Duration::from_secs(1), self.child.wait()).await;
                Err(Broken::Died(match ended {
                    Ok(Ok(status)) => describe(status),
                    Ok(Err(_)) | Err(_) => error.to_string(),
                }))
            }
        }
    }

    /// Kills the process and waits until it is gone, so that its processor is free for the next.
    async fn end(mut self) {
        // A process that cannot be killed is the kernel's; it is killed once more when this is dropped.
        let _ = timeout(Duration::from_secs(1), self.child.kill()).await;
    }

    async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 4];
        self.output.read_exact(&mut head).await?;
        let mut frame = vec![0; wire::length(head)?];
        self.output.read_exact(&mut frame).await?;
        Ok(frame)
    }
}

fn half(of: usize) -> usize {
    (of / 2).max(1)
}

fn died(how: impl Into<String>) -> HookFault {
    HookFault::WorkerDied { how: how.into() }
}

#[cfg(unix)]
fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("by signal {signal}"),
        (None, Some(code)) => format!("with exit code {code}"),
        (None, None) => "for no known reason".to_owned(),
    }
}

#[cfg(not(unix))]
fn describe(status: ExitStatus) -> String {
    status.to_string()
}

fn encode(call: &HookCall) -> Result<Vec<u8>, HookFault> {
    wire::encode(call).map_err(|error| HookFault::NoWorker { why: error.to_string() })
}

/// What a worker's answer means.
fn reply(call: &HookCall, answer: Answer) -> HookReply {
    HookReply {
        result: outcome(call, answer.end),
        log: answer.log,
        log_dropped: answer.log_dropped,
        took: Duration::ZERO,
    }
}

fn outcome(call: &HookCall, end: End) -> Result<HookOutcome, HookFault> {
    Err(match end {
        End::Done(json) => return HookOutcome::read(call.kind, Some(&json)),
        End::Unchanged => return HookOutcome::read(call.kind, None),
        End::NoDone => HookFault::NoDone { is_legacy: call.is_legacy },
        End::Unwritable(problem) => HookFault::Shape { member: "done".to_owned(), problem },
        End::Syntax { line, message } => HookFault::Syntax { line, message },
        End::Thrown { line, message } => HookFault::Thrown { line, message },
        End::Time { line } => HookFault::Deadline { limit: call.limits.time, line },
        End::Memory => HookFault::Memory { limit_bytes: call.limits.memory_bytes },
        End::Stack { line } => HookFault::Stack { line },
        End::Output => HookFault::OutputTooLarge { limit: call.limits.output_bytes },
        End::Refused(capability) => HookFault::Refused { capability },
    })
}
