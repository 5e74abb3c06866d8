//! `turnstone demo`: the whole way in one terminal, without a network and without configuration.
//!
//! A fake provider changes, a real engine polls it on an embedded store, notifications go to a receiver that checks
//! their signatures, and every verified event is shown. At the end what came is compared with the provider's own log.
//!
//! Not here: how lines look (`screen`), the comparison (`tally`), the provider and the document (`shop`).

mod receiver;
mod screen;
mod shop;
mod tally;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use turnstone_core::check::CheckSettings;
use turnstone_core::id::{OrgId, PollerId, RunId};
use turnstone_core::poll::{RunKind, RunOutcome};
use turnstone_engine::clock::{Clock as _, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::deliverer::{EndpointConfig, HttpCallback};
use turnstone_engine::document::seal_document;
use turnstone_engine::egress::Policy;
use turnstone_engine::keeper::KeeperSettings;
use turnstone_engine::prepare::{Before, pollers_of};
use turnstone_engine::secrets::{KeyRing, WhenMissing};
use turnstone_engine::stop::Stop;
use turnstone_provider::{Control, Provider, RunningProvider};
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{
    Directory as _, NewEndpoint, NewInstance, NewUser, NotificationFilter, NotificationState, PollerRow,
    Role, Store,
};

use self::receiver::{Received, ReceivedEvent, Receiver};
use self::screen::{Form, Heading, Score, Screen};
use self::tally::{Comparison, Sitting};
use super::node::{Node, Settings};
use super::output::Output;
use super::serve::{Outside, api_of};
use super::{Failure, Outcome};
use crate::api::access::{self, session};
use crate::api::{self, server};
use crate::console::Console;
use crate::telemetry;

/// How often the store is looked at for finished runs.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Runs of one poller between two looks, at most.
const RUNS_PER_LOOK: u32 = 50;
/// Time that deliveries on their way get at the end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the first reads may take before something is wrong.
const PRIMING_MAX: Duration = Duration::from_secs(30);

/// Shows the whole way in this terminal: a fake API, polls, signed events. Needs no network and no configuration.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Stops after so many seconds; exit code 0 only if all three kinds of events were delivered and verified
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Prints JSON lines for programs
    #[arg(long)]
    json: bool,
    /// Another seed gives another shop
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Prints the instance document of the demo, and ends
    #[arg(long)]
    document: bool,
}

/// Runs the demo. With `--quiet` polls are not shown.
pub(crate) async fn run(args: DemoArgs, output: Output) -> Outcome {
    let ended = if args.document { print_document() } else { show(&args, &output).await };
    match ended {
        Ok(()) => Ok(()),
        Err(error) if is_closed_pipe(&error) => Ok(()),
        Err(error) => Err(Failure::Internal(format!("{error:#}"))),
    }
}

fn print_document() -> anyhow::Result<()> {
    let document = shop::template();
    Ok(writeln!(io::stdout(), "{document:#}")?)
}

async fn show(args: &DemoArgs, output: &Output) -> anyhow::Result<()> {
    let form = if args.json { Form::Json } else { Form::Lines };
    let screen = Screen::stdout(form, output);
    let (score, comparison) = Demo::start(args, screen).await?.watch(args.seconds).await?;
    if !comparison.holds() || score.refused > 0 {
        bail!("what was delivered is not what happened; the summary says how");
    }
    if args.seconds.is_some() && !score.complete() {
        bail!("the time was too short for events of all three kinds");
    }
    Ok(())
}

/// Whether whoever read our output has gone.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Everything that is up during a demo.
struct Demo {
    screen: Screen,
    provider: RunningProvider,
    receiver: Receiver,
    store: Arc<dyn Store>,
    node: Node,
    stop: Stop,
    org: OrgId,
    pollers: Vec<PollerRow>,
    /// The newest run of each poller that was shown.
    shown: HashMap<PollerId, RunId>,
    sittings: Vec<Sitting>,
    received: Vec<ReceivedEvent>,
    score: Score,
    /// By the monotonic clock.
    started: Duration,
    // Removed last, with the database in it.
    _folder: tempfile::TempDir,
}

impl Demo {
    async fn start(args: &DemoArgs, mut screen: Screen) -> anyhow::Result<Demo> {
        let provider =
            Provider::start(shop::provider(args.seed)).await.context("cannot start the provider")?;
        let key = format!("{:016x}{:016x}", SystemEntropy.next_u64(), SystemEntropy.next_u64());
        let receiver = Receiver::start(key.clone()).await.context("cannot start the receiver")?;
        let document = shop::document(&provider.url(), &receiver.url(), &key);
        let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
        let database = folder.path().join("demo.db");
        let database = Arc::new(SqliteStore::open(&database)?);
        let store: Arc<dyn Store> = Arc::clone(&database) as _;
        let keys = KeyRing::from_file(&folder.path().join("demo.key"), WhenMissing::Make, &SystemEntropy)?;
        let keys = Arc::new(keys);
        let mut check = CheckSettings::new(SystemClock::new().now());
        check.interval_min = Duration::from_secs(1);
        let stop = Stop::new();
        let policy = Policy::AllowPrivate;
        let keeper = KeeperSettings::default();
        let node =
            Node::start(Settings { store: Arc::clone(&database), keys, policy, check, keeper }, &stop)?;
        let org = store.ensure_org("demo", node.tools.clock.now()).await?;
        let interval = create(&node, store.as_ref(), org, &document).await?;
        let pollers = store.pollers(org, None).await?;
        let console = open_console(&node, database, org, &stop).await?;
        screen.heading(&Heading {
            provider: &provider.url(),
            receiver: &receiver.url(),
            store: "SQLite, in a temporary directory",
            interval,
            console: console.as_deref(),
        })?;
        Ok(Demo {
            screen,
            provider,
            receiver,
            store,
            stop,
            org,
            pollers,
            shown: HashMap::new(),
            sittings: Vec::new(),
            received: Vec::new(),
            score: Score::default(),
            started: node.tools.clock.monotonic(),
            node,
            _folder: folder,
        })
    }

    /// Shows everything until the end.
    async fn watch(mut self, seconds: Option<u64>) -> anyhow::Result<(Score, Comparison)> {
        let ended = async move {
            match seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        let mut ended = std::pin::pin!(ended);
        let mut interrupted = std::pin::pin!(interrupted());
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = false;
        loop {
            tokio::select! {
                biased;
                () = &mut interrupted => break,
                () = &mut ended => break,
                Some(received) = self.receiver.next() => {
                    // The run that found it stands before it.
                    self.look().await?;
                    self.take(received)?;
                }
                _ = look.tick() => {
                    self.look().await?;
                    if !open {
                        open = self.open_shop()?;
                    }
                }
            }
            self.screen.count(&self.score, self.elapsed())?;
        }
        let comparison = self.close_shop().await?;
        let elapsed = self.elapsed();
        self.screen.summary(&self.score, &comparison, elapsed)?;
        self.stop.ask();
        self.node.join().await?;
        self.provider.stop().await;
        Ok((self.score, comparison))
    }

    fn elapsed(&self) -> Duration {
        self.node.tools.clock.monotonic().saturating_sub(self.started)
    }

    /// Lets time bring changes once every resource was read.
    fn open_shop(&mut self) -> anyhow::Result<bool> {
        let is_read = |poller: &PollerRow| self.sittings.iter().any(|run| run.resource == poller.resource);
        if !self.pollers.iter().all(is_read) {
            if self.elapsed() > PRIMING_MAX {
                bail!("the first reads did not end in {} s; the polls above say why", PRIMING_MAX.as_secs());
            }
            return Ok(false);
        }
        self.provider.control(shop::opening()).map_err(anyhow::Error::msg)?;
        self.screen
            .remark("what is there is known; now the shop opens, and every change becomes an event")?;
        Ok(true)
    }

    fn take(&mut self, received: Received) -> io::Result<()> {
        let now = self.node.tools.clock.now();
        if let Some(fault) = received.fault {
            self.score.refused += 1;
            return self.screen.refused(fault, &received.webhook_id, now);
        }
        self.score.verified += 1;
        for event in received.events {
            match event.kind.as_str() {
                "CREATED" => self.score.created += 1,
                "UPDATED" => self.score.updated += 1,
                "DELETED" => self.score.deleted += 1,
                _ => {}
            }
            self.screen.event(&event, now)?;
            self.received.push(event);
        }
        Ok(())
    }

    /// Shows the runs that ended since the last look.
    async fn look(&mut self) -> anyhow::Result<()> {
        let mut fresh = Vec::new();
        for poller in &self.pollers {
            let last = self.shown.get(&poller.id).copied();
            let runs = self.store.runs(self.org, poller.id, RUNS_PER_LOOK).await?;
            let new = runs.into_iter().take_while(|run| Some(run.id) != last);
            fresh.extend(new.map(|run| (poller.resource.clone(), run)));
        }
        fresh.sort_by_key(|(_, run)| run.finished_at);
        for (resource, run) in fresh {
            self.shown.insert(run.poller, run.id);
            self.score.polls += 1;
            if run.outcome == RunOutcome::Completed {
                self.sittings.push(Sitting {
                    resource: resource.clone(),
                    sweep: run.kind == RunKind::Sweep,
                    started: run.started_at.as_microsecond(),
                    finished: run.finished_at.as_microsecond(),
                });
            }
            self.screen.run(&resource, &run)?;
        }
        Ok(())
    }

    /// Stops the changes, waits for what is on its way, and compares.
    async fn close_shop(&mut self) -> anyhow::Result<Comparison> {
        self.provider
            .control(Control { pause: Some(true), ..Control::default() })
            .map_err(anyhow::Error::msg)?;
        // Whatever these runs recorded is delivered below; runs that end later prove nothing.
        self.look().await?;
        let end = self.elapsed() + FAREWELL;
        while self.elapsed() < end && self.is_delivering().await? {
            while let Ok(Some(received)) = tokio::time::timeout(LOOK_EVERY, self.receiver.next()).await {
                self.take(received)?;
            }
        }
        while let Ok(Some(received)) = tokio::time::timeout(LOOK_EVERY, self.receiver.next()).await {
            self.take(received)?;
        }
        let truth = self.provider.truth(0);
        // Deletions of customers leave no trace; those of tickets are marked.
        Ok(tally::compare(&self.received, &truth, &self.sittings, &[shop::RESOURCES[0]]))
    }

    async fn is_delivering(&self) -> anyhow::Result<bool> {
        if !self.store.endpoints_waiting(1).await?.is_empty() {
            return Ok(true);
        }
        for state in [NotificationState::Created, NotificationState::Retry] {
            let filter = NotificationFilter { state: Some(state), limit: 1, ..NotificationFilter::default() };
            if !self.store.notifications(self.org, &filter).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Serves the API with the console beside the demo, and says how a browser gets in. Nothing where it was not built.
async fn open_console(
    node: &Node,
    database: Arc<SqliteStore>,
    org: OrgId,
    stop: &Stop,
) -> anyhow::Result<Option<String>> {
    let console = Console::Embedded;
    if !console.is_built() {
        return Ok(None);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen for the console")?;
    let origin = format!("http://{}", listener.local_addr()?);
    let token_hash = access::hash(&api::secret(node.entropy.as_ref()));
    let (name, email) = ("visitor".to_owned(), String::new());
    let new = NewUser { org, name, email, role: Role::Owner, token_hash };
    let user = database.create_user(new, node.tools.clock.now()).await?;
    let outside = Outside { public_url: origin.clone(), console, metrics: telemetry::metrics()? };
    let api = api_of(node, database, outside, stop);
    let code =
        session::sign_in_code(&api, org, user).await.map_err(|error| anyhow::anyhow!(error.message))?;
    tokio::spawn(server::serve(listener, api::router(api), server::Limits::default(), stop.clone()));
    Ok(Some(api::people::sign_in_address(&origin, &code)))
}

/// Makes the instance as a user would: the document is checked, its secrets are sealed. Returns its interval.
async fn create(node: &Node, store: &dyn Store, org: OrgId, document: &Value) -> anyhow::Result<Duration> {
    let now = node.tools.clock.now();
    let checked = node.preparer.check(document, now);
    let Some(instance) = checked.instance else {
        bail!(
            "the demo's document is not sound: {}",
            checked.faults.first().map_or("?".into(), ToString::to_string)
        );
    };
    let entropy = node.entropy.as_ref();
    let callback = instance.callback.as_ref().context("the demo's document names no callback")?;
    let endpoint = EndpointConfig::of_callback(callback, org, &node.vault, entropy)?;
    let new = NewInstance {
        org,
        element_key: instance.element_key.clone(),
        element: None,
        name: instance.name.clone(),
        tags: instance.tags.clone(),
        token_hash: [0; 32],
        document: seal_document(document, node.preparer.keys(), org, entropy).to_string(),
        enabled: instance.enabled,
        pollers: pollers_of(&instance, Before::default(), now, entropy),
        endpoint: Some(NewEndpoint { kind: HttpCallback::KIND.into(), config: endpoint.to_json() }),
        intake: None,
    };
    store.create_instance(new, now).await?;
    (node.waker())();
    Ok(instance.interval)
}

/// Ctrl-C, or the request to end.
async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    // Without signals nothing but `--seconds` ends it.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
