//! `turnstone poll`: polls a document's resources and prints what changed, without a server.
//!
//! One task polls, one prints; with `--deliver` a third posts to the callback. What is recorded is durable before it is
//! printed, and printed exactly once unless the process is killed in the middle of a line's write.
//!
//! Not here: what a change is (the core), carrying runs out (the engine), the place of standard output (`bookmark`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::sync::Notify;
use turnstone_core::id::PollerId;
use turnstone_core::poll::{Finish, Options, PollerState, RunKind, RunOutcome};
use turnstone_core::resource::StartFrom;
use turnstone_engine::clock::{Clock, SystemClock};
use turnstone_engine::deliverer::{Deliverer, HttpCallback, Limits, Parts, Vault};
use turnstone_engine::driver::Progress;
use turnstone_engine::egress::BodyBudget;
use turnstone_engine::keeper::{Keeper, KeeperSettings};
use turnstone_engine::poller::{OnProgress, Poller, PollerSettings, Turn};
use turnstone_engine::stop::Stop;
use turnstone_store::{EndpointState, NotificationFilter, NotificationState, PollerRow};

use super::bookmark::{Bookmark, Printed};
use super::output::{Output, tame};
use super::session::{Delivery, Session, State, Sweep, Wishes, state};
use super::{DocumentArgs, Failure, Outcome, check, input};

/// Time between two messages about a long run.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  turnstone poll contacts.yaml --state crm.db            one poll; run it again whenever you like
  turnstone poll contacts.yaml --state crm.db --follow --every 30s
  turnstone poll contacts.yaml --state crm.db --follow | jq -r .objectId
  turnstone poll contacts.yaml --state crm.db --deliver  posts to the callback of the document as well

A document (JSON or YAML; `turnstone check FILE` says what is wrong with one):
  element: { key: mycrm }
  configuration:
    base.url: https://api.example.com/v1
    http.headers: { authorization: \"env:CRM_AUTH\" }
    event.poller.configuration:
      contacts:
        url: /contacts?updated_at_gte=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}
        idField: id
        datesConfiguration:
          updatedDateField: updated_at
          updatedDateFormat: yyyy-MM-dd'T'HH:mm:ssXXX

An event is one line of JSON: {\"id\",\"eventType\",\"objectType\",\"objectId\",\"date\",\"elementKey\",\"instanceId\",
\"sequence\",\"reason\",\"record\"}.";

/// Polls the resources of a document and prints every change as one line of JSON.
///
/// Polls once, or again and again with `--follow`. Standard output is an endpoint like any other: a line counts as
/// delivered when its write returned, and the next start prints first what was not. With `startFrom: now` (the default)
/// the first poll only learns what is there, so nothing is printed; with `--state` the next poll prints what changed
/// since.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PollArgs {
    #[command(flatten)]
    document: DocumentArgs,
    /// Remembers everything in this file; it is made when it is not there. Only one process may use it.
    #[arg(long, value_name = "STATE")]
    state: Option<PathBuf>,
    /// Polls again and again until it is interrupted.
    #[arg(long)]
    follow: bool,
    /// Time between two polls, as in `30s`, `5m`, `2h`; the document's interval otherwise.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "follow")]
    every: Option<Duration>,
    /// Reads everything once more, to find what is gone and what was missed. Needs `sweep` in the resource.
    #[arg(long)]
    sweep: bool,
    /// Posts to the callback of the document as well.
    #[arg(long)]
    deliver: bool,
    /// Polls only this resource. May be given several times.
    #[arg(long = "resource", value_name = "NAME")]
    resources: Vec<String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let remedy = "write a number and `s`, `m`, `h` or `d`, from 1 second to 30 days, as in `30s`";
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        other => return Err(format!("`{other}` is no unit; {remedy}")),
    };
    let seconds = number.parse::<f64>().map_err(|_| remedy.to_owned())? * unit;
    if (1.0..=30.0 * 86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("that is out of range; {remedy}"))
    }
}

/// What runs have done so far, for messages about long ones.
#[derive(Default)]
struct Tally {
    counts: Mutex<BTreeMap<PollerId, (u64, u64, u64)>>,
}

impl Tally {
    fn add(&self, poller: PollerId, progress: Progress) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (answers, records, events) = counts.entry(poller).or_default();
        match progress {
            Progress::Answered => *answers += 1,
            Progress::Read(count) => *records += count as u64,
            Progress::Committed(count) => *events += count as u64,
        }
    }

    fn take(&self, poller: PollerId) -> Option<(u64, u64, u64)> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).remove(&poller)
    }

    fn get(&self, poller: PollerId) -> Option<(u64, u64, u64)> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(&poller).copied()
    }
}

/// Everything that one `poll` shares between its tasks.
struct Job {
    args: PollArgs,
    output: Output,
    session: Session,
    poller: Arc<Poller>,
    deliverer: Option<Arc<Deliverer>>,
    stop: Stop,
    /// Told whenever something was committed.
    recorded: Arc<Notify>,
    tally: Arc<Tally>,
}

/// Runs the command.
pub(crate) async fn run(args: PollArgs, output: Output) -> Outcome {
    let document = input::read(&args.document.file)?;
    let settings = check::settings(&args.document, SystemClock::new().now())?;
    let wishes = Wishes {
        settings,
        every: args.every,
        resources: args.resources.clone(),
        sweep: if args.sweep { Sweep::Asked } else { Sweep::NotAsked },
        delivery: if args.deliver { Delivery::Post } else { Delivery::Leave },
        state: args.state.clone().map_or(State::Memory, State::File),
    };
    let session = Session::open(&document, wishes, &output).await?;
    let job = Job::new(args, output, session);
    job.introduce();
    job.carry_out().await
}

impl Job {
    fn new(args: PollArgs, output: Output, session: Session) -> Job {
        let (stop, recorded, tally) = (Stop::new(), Arc::new(Notify::new()), Arc::new(Tally::default()));
        let deliverer = args.deliver.then(|| {
            let parts = Parts {
                inbox: None,
                store: Arc::clone(&session.tools.store),
                clock: Arc::clone(&session.tools.clock),
                entropy: Arc::clone(&session.entropy),
                limits: Limits::default(),
            };
            let vault = Vault::of_server(Arc::clone(&session.keys));
            let (net, clock) = (Arc::clone(&session.tools.net), Arc::clone(&session.tools.clock));
            let sink = Arc::new(HttpCallback::new(net, clock, vault));
            Arc::new(Deliverer::new(parts).with_sink(HttpCallback::KIND, sink))
        });
        let on_progress: OnProgress = {
            let (recorded, tally, deliverer) = (Arc::clone(&recorded), Arc::clone(&tally), deliverer.clone());
            Arc::new(move |poller, progress| {
                tally.add(poller, progress);
                if let Progress::Committed(1..) = progress {
                    recorded.notify_one();
                    if let Some(deliverer) = &deliverer {
                        deliverer.wake();
                    }
                }
            })
        };
        let poller = Poller::new(
            session.tools.clone(),
            Arc::clone(&session.preparer),
            BodyBudget::default(),
            Arc::clone(&session.entropy),
            PollerSettings::default(),
            on_progress,
        );
        Job { args, output, session, poller, deliverer, stop, recorded, tally }
    }

    /// What a first-time user would wonder about.
    fn introduce(&self) {
        let instance = &self.session.instance;
        if !instance.enabled {
            self.output
                .note("`event.notification.enabled` is not true: a server would not poll this; `poll` does");
        }
        if instance.callback.is_some() && !self.args.deliver {
            self.output.note("events are printed only; --deliver posts them to the callback as well");
        }
        for poller in &self.session.pollers {
            let is_first = PollerState::read(&poller.state).is_ok_and(|state| !state.primed);
            let from_now =
                self.session.resource(poller).is_some_and(|resource| resource.start_from == StartFrom::Now);
            if !is_first || !from_now {
                continue;
            }
            let name = tame(&poller.resource);
            if self.args.state.is_none() && !self.args.follow {
                self.output.warn(&format!(
                    "`{name}`: the first poll takes what is there as known and prints nothing, and without --state \
                     nothing is remembered; add `--state FILE` and poll again later, or `--follow`, or set \
                     `startFrom: beginning` to print everything"
                ));
            } else {
                self.output.note(&format!(
                    "`{name}`: the first poll takes what is there as known; what changes from now on is printed \
                     (`startFrom` chooses otherwise)"
                ));
            }
        }
    }

    async fn carry_out(self) -> Outcome {
        let job = Arc::new(self);
        let session = &job.session;
        let (store, clock) = (Arc::clone(&session.tools.store), Arc::clone(&session.tools.clock));
        let (org, instance) = (session.org, session.row.id);
        let mut bookmark =
            Bookmark::open(store, clock, session.entropy.as_ref(), org, instance).await.map_err(state)?;
        let interrupted = tokio::spawn(interrupt(job.stop.clone(), job.output.clone()));
        // First what an earlier start recorded and could not print.
        if bookmark.print(&job.stop).await.map_err(state)? == Printed::Closed {
            return Ok(());
        }
        // The printer and the deliverer outlive the polls: what these record last must still go out.
        let polled = Stop::new();
        let printing = tokio::spawn(Arc::clone(&job).print(bookmark, polled.clone()));
        let delivering = job.deliverer.clone().filter(|_| job.args.follow).map(|deliverer| {
            let stop = job.stop.clone();
            tokio::spawn(async move { deliverer.run(stop.asked()).await })
        });
        let progress = tokio::spawn(Arc::clone(&job).tell_progress());

        job.release_endpoint().await?;
        let outcome = job.poll().await;
        progress.abort();
        polled.ask();
        job.recorded.notify_one();
        let printed =
            printing.await.map_err(|error| Failure::Internal(format!("printing failed ({error})")))?;
        let mut delivered = Ok(());
        if let Some(task) = delivering {
            job.stop.ask();
            task.await.map_err(|error| Failure::Internal(format!("delivering failed ({error})")))?;
        } else if job.deliverer.is_some() && !job.stop.is_asked() {
            delivered = job.deliver_once().await;
        }
        let tidied = if job.stop.is_asked() { Ok(()) } else { job.tidy().await };
        interrupted.abort();
        printed.and(outcome).and(delivered).and(tidied)
    }

    /// Polls every resource once and then, with `--follow`, whenever one is due.
    async fn poll(&self) -> Outcome {
        let mut worst = Ok(());
        for poller in &self.session.pollers {
            let mut kinds = vec![None];
            kinds.extend(self.args.sweep.then_some(Some(RunKind::Sweep)));
            for kind in kinds {
                let outcome = self.poll_now(poller, kind).await;
                match outcome {
                    Err(failure @ (Failure::State(_) | Failure::Internal(_))) => return Err(failure),
                    // In a stream of polls a failure is told and tried again; a single one ends with its code.
                    Err(failure) if self.args.follow || worst.is_err() => {
                        self.output.error(&failure.to_string())
                    }
                    Err(failure) => worst = Err(failure),
                    Ok(()) => {}
                }
                if self.stop.is_asked() {
                    return worst;
                }
            }
        }
        if self.args.follow { self.follow().await } else { worst }
    }

    fn keeper(&self) -> Keeper {
        let (store, clock) = (Arc::clone(&self.session.tools.store), Arc::clone(&self.session.tools.clock));
        Keeper::new(store, clock, KeeperSettings::default())
    }

    /// Removes what is older than its retention, after everything is printed.
    async fn tidy(&self) -> Outcome {
        self.keeper().prune(&self.stop).await.map_err(state)?;
        Ok(())
    }

    async fn follow(&self) -> Outcome {
        let (keeper, stop) = (self.keeper(), self.stop.clone());
        // It ends with the stop, or with the runtime.
        tokio::spawn(async move { keeper.run(&stop).await });
        let (store, clock) = (&self.session.tools.store, &self.session.tools.clock);
        while !self.stop.is_asked() {
            let rows = store.pollers(self.session.org, Some(self.session.row.id)).await.map_err(state)?;
            let ours = |row: &&PollerRow| self.session.pollers.iter().any(|poller| poller.id == row.id);
            let Some(next) = rows.iter().filter(ours).min_by_key(|row| row.next_due) else { return Ok(()) };
            let pause = Duration::try_from(next.next_due.duration_since(clock.now())).unwrap_or_default();
            if self.stop.unless_asked(clock.sleep(pause)).await.is_none() {
                break;
            }
            match self.turn(next, None).await {
                Ok(_) => {}
                Err(failure @ (Failure::State(_) | Failure::Internal(_))) => return Err(failure),
                Err(failure) => self.output.error(&failure.to_string()),
            }
        }
        Ok(())
    }

    /// Polls one resource now, until its pass is complete and no sweep is due.
    async fn poll_now(&self, poller: &PollerRow, kind: Option<RunKind>) -> Outcome {
        loop {
            let now = self.session.tools.clock.now();
            let store = &self.session.tools.store;
            store.set_due(self.session.org, poller.id, now, true).await.map_err(state)?;
            let Some(finish) = self.turn(poller, kind).await? else { return Ok(()) };
            let goes_on =
                finish.run.outcome == RunOutcome::Yielded || finish.next_due <= finish.run.finished_at;
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// One run. `None` when it was stopped, or is not due after all.
    async fn turn(&self, poller: &PollerRow, kind: Option<RunKind>) -> Result<Option<Box<Finish>>, Failure> {
        let options = Options { kind, ..Options::default() };
        let turn = self.poller.poll_once(poller.id, options, &self.stop).await.map_err(state)?;
        self.tally.take(poller.id);
        match turn {
            None | Some(Turn::Stopped) => Ok(None),
            Some(Turn::Finished(finish)) => self.tell(poller, finish).map(Some),
            Some(Turn::StoreFailed(error)) => Err(state(error)),
            Some(Turn::LeaseLost) => Err(Failure::State(
                "the state changed hands while it was polled; is another process using the file?".to_owned(),
            )),
        }
    }

    fn tell(&self, poller: &PollerRow, finish: Box<Finish>) -> Result<Box<Finish>, Failure> {
        let run = &finish.run;
        for note in &run.story.notes {
            self.output.note(&format!("`{}`: {}", tame(&poller.resource), tame(note)));
        }
        if let Some(fault) = &run.error {
            return Err(refusal(&poller.resource, &fault.code, &fault.message));
        }
        let what = match run.kind {
            RunKind::Poll => "polled",
            RunKind::Sweep => "swept",
            RunKind::Look => "looked",
            RunKind::Flow => "ran",
        };
        let complete =
            run.story.complete_to.map_or(String::new(), |at| format!("; complete to {}", seconds(at)));
        self.output.note(&format!(
            "`{}`: {what}: {}{complete}",
            tame(&poller.resource),
            super::explain::counted(&run.counts)
        ));
        if run.counts.quarantined > 0 {
            self.output.warn(&format!(
                "`{}`: {} of {} records cannot be used and were left out; `turnstone explain` names each with its \
                 reason",
                tame(&poller.resource),
                run.counts.quarantined,
                run.counts.records
            ));
        }
        if finish.status.needs_attention {
            self.output.warn(&tame(&finish.status.sentence));
        }
        Ok(finish)
    }

    /// Prints what is recorded until the polls are over and everything is out.
    async fn print(self: Arc<Self>, mut bookmark: Bookmark, polled: Stop) -> Outcome {
        loop {
            // Seen before printing: what is recorded until then is printed by this round.
            let is_last = polled.is_asked();
            match bookmark.print(&self.stop).await {
                Ok(Printed::All) if is_last => return Ok(()),
                Ok(Printed::All) => self.recorded.notified().await,
                Ok(Printed::Closed) => {
                    // Nobody reads any more. That is how a pipe ends; what is not printed is printed next time.
                    self.stop.ask();
                    return Ok(());
                }
                Err(error) => {
                    self.stop.ask();
                    return Err(state(error));
                }
            }
        }
    }

    /// Says what long runs do, and what the callback does not take.
    async fn tell_progress(self: Arc<Self>) {
        let mut told: BTreeMap<PollerId, (u64, u64, u64)> = BTreeMap::new();
        let mut refused: Option<String> = None;
        loop {
            self.session.tools.clock.sleep(PROGRESS_EVERY).await;
            if self.deliverer.is_some() && self.args.follow {
                // A store that fails ends the polls, which say so.
                let reason = self.refusal().await.unwrap_or(None);
                if let Some(reason) = reason.as_ref().filter(|reason| refused.as_ref() != Some(reason)) {
                    self.output.warn(reason);
                }
                refused = reason;
            }
            for poller in &self.session.pollers {
                let Some(now) = self.tally.get(poller.id) else { continue };
                if told.insert(poller.id, now) != Some(now) {
                    let (pages, records, events) = now;
                    self.output.note(&format!(
                        "`{}`: {pages} pages, {records} records, {events} events so far",
                        tame(&poller.resource)
                    ));
                }
            }
        }
    }

    /// Whoever calls `poll --deliver` wants it delivered: a callback that was given up is tried once more.
    async fn release_endpoint(&self) -> Outcome {
        let (true, Some(id)) = (self.deliverer.is_some(), self.session.row.endpoint) else { return Ok(()) };
        let store = &self.session.tools.store;
        let endpoints = store.endpoints(self.session.org).await.map_err(state)?;
        if endpoints.iter().any(|endpoint| endpoint.id == id && endpoint.state != EndpointState::Active) {
            let filter =
                NotificationFilter { endpoint: Some(id), limit: u32::MAX, ..NotificationFilter::default() };
            let now = self.session.tools.clock.now();
            store.redeliver(self.session.org, &filter, now).await.map_err(state)?;
        }
        Ok(())
    }

    /// Posts everything that is due now. What fails is kept and tried again by a later start.
    async fn deliver_once(&self) -> Outcome {
        let Some(deliverer) = &self.deliverer else { return Ok(()) };
        let mut delivered = 0_u64;
        loop {
            let round = self.stop.unless_asked(deliverer.deliver_once()).await;
            let Some(round) = round.transpose().map_err(state)? else { break };
            delivered += u64::from(round.delivered);
            if round.is_idle() {
                break;
            }
        }
        if delivered > 0 {
            self.output.note(&format!("the callback accepted {delivered} notifications"));
        }
        // What was refused as a group and accepted one by one is no refusal.
        self.refusal().await?.map_or(Ok(()), |reason| Err(Failure::Callback(reason)))
    }

    /// Why notifications are still open, if any are.
    async fn refusal(&self) -> Result<Option<String>, Failure> {
        let Some(endpoint) = self.session.row.endpoint else { return Ok(None) };
        let store = &self.session.tools.store;
        for open in [NotificationState::Retry, NotificationState::Queued, NotificationState::Dead] {
            let filter = NotificationFilter {
                endpoint: Some(endpoint),
                state: Some(open),
                limit: 1,
                ..NotificationFilter::default()
            };
            let found = store.notifications(self.session.org, &filter).await.map_err(state)?;
            let Some(notification) = found.first() else { continue };
            let attempts = store.attempts(self.session.org, notification.id).await.map_err(state)?;
            let reason = match attempts.last().map(|attempt| (attempt.status, attempt.error.clone())) {
                Some((Some(status), _)) => format!("it answered {status}"),
                Some((None, Some(error))) => error,
                Some((None, None)) | None => "it was given up earlier".to_owned(),
            };
            let url = self.session.instance.callback.as_ref().map_or("", |callback| callback.url.as_str());
            let remedy = if self.args.follow { "correct it" } else { "correct it and run this again" };
            return Ok(Some(format!(
                "the callback {} did not accept every event: {}; {remedy}, the events are kept",
                tame(url.split('?').next().unwrap_or_default()),
                tame(&reason)
            )));
        }
        Ok(None)
    }
}

/// Waits for Ctrl-C or an end from outside: the first finishes the page in hand, the second ends at once.
async fn interrupt(stop: Stop, output: Output) {
    wait_for_signal().await;
    output.note("stopping; what is in hand is finished, interrupt again to end at once");
    stop.ask();
    wait_for_signal().await;
    std::process::exit(130);
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    // Without a signal to wait for, the process is ended from outside.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A run's fault, with the resource and the remedy where its sentence does not name them.
pub(crate) fn refusal(resource: &str, code: &str, message: &str) -> Failure {
    let remedy = match code {
        "unreachable" | "broken" => "check the address in `url`, and that the provider is up",
        "tls" => "check the address in `url`, and the provider's certificate",
        "timeout" => "check that the provider is up, or ask for smaller pages with `pageSize`",
        "truncated" | "undecodable" => {
            "the answer is not used; poll again, and ask the provider if it stays so"
        }
        "tooLarge" => "ask for smaller pages with `pageSize`",
        "redirected" => "correct `url`",
        "addressForbidden" | "badUrl" => "correct `url`",
        _ => return failure(code, tame(message)),
    };
    let place = if message.contains(resource) { String::new() } else { format!("`{}`: ", tame(resource)) };
    let remedy = if message.contains("; ") { String::new() } else { format!("; {remedy}") };
    failure(code, format!("{place}{}{remedy}", tame(message)))
}

/// Which exit code a run's fault leads to.
pub(crate) fn failure(code: &str, message: String) -> Failure {
    match code {
        "badConfiguration" | "secretMissing" | "secretSealed" | "badUrl" | "addressForbidden" => {
            Failure::Configuration(message)
        }
        "badState" => Failure::State(message),
        "internal" | "protocol" => Failure::Internal(message),
        _ => Failure::Provider(message),
    }
}

fn seconds(at: Timestamp) -> String {
    turnstone_core::event::seconds(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_bounded() {
        let check = |text: &str, expect: Option<f64>| {
            assert_eq!(duration(text).ok().map(|time| time.as_secs_f64()), expect, "{text}");
        };
        check("30s", Some(30.0));
        check("30", Some(30.0));
        check("5m", Some(300.0));
        check("1.5h", Some(5_400.0));
        check("30d", Some(2_592_000.0));
        for text in ["", "s", "0s", "0.5s", "31d", "5 weeks", "-5s", "1e5s", "1..5s"] {
            check(text, None);
        }
    }
}
