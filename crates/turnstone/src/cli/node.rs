//! One node: the loops that poll, deliver and keep house, over one store, started together and joined at shutdown.
//!
//! Shared by `serve` and `demo`. Not here: what the loops do (the engine), and who asks for the stop.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use turnstone_core::check::CheckSettings;
use turnstone_engine::calls::{self, CallSettings, Calls};
use turnstone_engine::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::connectors::Connectors;
use turnstone_engine::deliverer::{self, Deliverer, HttpCallback, Vault};
use turnstone_engine::driver::{Progress, Tools};
use turnstone_engine::egress::{BodyBudget, Client, Guard, Net, Policy, Setup};
use turnstone_engine::flows::{self, Flows};
use turnstone_engine::hooks::{HookPool, PoolSettings};
use turnstone_engine::intake::{self, ConnectorHooks, Intake};
use turnstone_engine::keeper::{Keeper, KeeperSettings};
use turnstone_engine::poller::{Beside, Poller, PollerSettings};
use turnstone_engine::prepare::{Preparer, References};
use turnstone_engine::secrets::KeyRing;
use turnstone_engine::stop::Stop;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{Directory, Monitors, Store};

/// What a node is made of.
pub struct Settings {
    /// Where everything is kept.
    pub store: Arc<SqliteStore>,
    /// Seals and opens secrets.
    pub keys: Arc<KeyRing>,
    /// Which addresses may be dialled.
    pub policy: Policy,
    /// How documents are judged.
    pub check: CheckSettings,
    /// How long things are kept.
    pub keeper: KeeperSettings,
}

/// A node that runs.
pub struct Node {
    /// Store, way out and clock.
    pub tools: Tools,
    /// Checks and opens documents.
    pub preparer: Arc<Preparer>,
    /// Makes resource calls, and knows how instances are connected.
    pub calls: Calls,
    /// Keeps the secrets of endpoints.
    pub vault: Vault,
    /// Judges addresses.
    pub guard: Guard,
    /// Memory of all answers.
    pub budget: BodyBudget,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// What providers sent.
    pub inbox: Arc<dyn turnstone_store::Intake>,
    /// Takes it in.
    pub intake: Intake,
    /// Monitors and subscriptions.
    pub monitors: Arc<dyn Monitors>,
    /// Runs them.
    pub flows: Flows,
    /// Told when events were recorded.
    pub recorded: Arc<Notify>,
    /// How long things are kept.
    pub kept: KeeperSettings,
    poller: Arc<Poller>,
    deliverer: Arc<Deliverer>,
    loops: JoinSet<()>,
}

impl Node {
    /// Starts the loops. They end when the stop is asked for; [`Node::join`] waits for that.
    pub fn start(settings: Settings, stop: &Stop) -> anyhow::Result<Node> {
        let Settings { store, keys, policy, check, keeper: kept } = settings;
        let directory: Arc<dyn Directory> = Arc::clone(&store) as _;
        let inbox: Arc<dyn turnstone_store::Intake> = Arc::clone(&store) as _;
        let monitors: Arc<dyn Monitors> = Arc::clone(&store) as _;
        let store: Arc<dyn Store> = store;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let guard = Guard::new(policy);
        let client = Client::new(Setup::new(guard.clone(), Arc::clone(&clock))).context("cannot start")?;
        let net: Arc<dyn Net> = Arc::new(client);
        let tools = Tools { store: Arc::clone(&store), net: Arc::clone(&net), clock: Arc::clone(&clock) };
        let connectors = Arc::new(Connectors::new(Arc::clone(&directory), Arc::clone(&keys)));
        let zones = check.zone_rules;
        let preparer = Preparer::new(check, Arc::clone(&keys), References::Refuse);
        let preparer = Arc::new(preparer.with_connectors(connectors));
        let vault = Vault::of_server(keys);
        let budget = BodyBudget::default();
        let workers =
            PoolSettings::of_this_program().context("cannot find this program to run hooks with")?;
        let hooks = HookPool::new(workers, Arc::clone(&clock));
        let calls = Calls::new(calls::Parts {
            store: Arc::clone(&store),
            directory,
            preparer: Arc::clone(&preparer),
            net: Arc::clone(&net),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            hooks: Some(hooks),
            budget: budget.clone(),
            settings: CallSettings::default(),
        });
        let flows = Flows::new(flows::Parts {
            store: Arc::clone(&store),
            monitors: Arc::clone(&monitors),
            preparer: Arc::clone(&preparer),
            calls: Some(calls.clone()),
            net: Arc::clone(&net),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            budget: budget.clone(),
            zones,
        });
        let callback = HttpCallback::new(net, Arc::clone(&clock), vault.clone());
        let parts = deliverer::Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            inbox: Some(Arc::clone(&inbox)),
            limits: deliverer::Limits::default(),
        };
        let deliverer = Arc::new(Deliverer::new(parts).with_sink(HttpCallback::KIND, Arc::new(callback)));
        let recorded = Arc::new(Notify::new());
        let (woken, polled) = (Arc::clone(&deliverer), Arc::clone(&recorded));
        let on_progress = Arc::new(move |_, progress| {
            if matches!(progress, Progress::Committed(events) if events > 0) {
                woken.wake();
                polled.notify_waiters();
            }
        });
        let poller = Poller::of_node(
            tools.clone(),
            Arc::clone(&preparer),
            budget.clone(),
            Arc::clone(&entropy),
            PollerSettings::default(),
            on_progress,
            Beside {
                calls: Some(calls.clone()),
                inbox: Some(Arc::clone(&inbox)),
                flows: Some(flows.clone()),
            },
        );
        let (polls, delivers) = (Arc::clone(&poller), Arc::clone(&deliverer));
        let received = Arc::clone(&recorded);
        let intake = Intake::new(intake::Parts {
            store: Arc::clone(&inbox),
            preparer: Arc::clone(&preparer),
            hooks: Arc::new(ConnectorHooks {
                calls: calls.clone(),
                clock: Arc::clone(&clock),
                entropy: Arc::clone(&entropy),
            }),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            limits: intake::Limits::default(),
            on_settled: Arc::new(move |settled| {
                if settled.events > 0 {
                    delivers.wake();
                    received.notify_waiters();
                }
                if settled.pollers > 0 {
                    polls.wake();
                }
            }),
        });
        let keeper = Keeper::new(store, clock, kept);
        let mut loops = JoinSet::new();
        let (polling, polls_until) = (Arc::clone(&poller), stop.clone());
        loops.spawn(async move { polling.run(&polls_until).await });
        let (delivering, delivers_until) = (Arc::clone(&deliverer), stop.clone());
        loops.spawn(async move { delivering.run(async move { delivers_until.asked().await }).await });
        let (taking, takes_until) = (intake.clone(), stop.clone());
        loops.spawn(async move { taking.run(&takes_until).await });
        let keeps_until = stop.clone();
        loops.spawn(async move { keeper.run(&keeps_until).await });
        Ok(Node {
            tools,
            preparer,
            calls,
            vault,
            guard,
            budget,
            entropy,
            inbox,
            intake,
            monitors,
            flows,
            recorded,
            kept,
            poller,
            deliverer,
            loops,
        })
    }

    /// A hint for the loops that there may be something to do.
    pub fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let (poller, deliverer) = (Arc::clone(&self.poller), Arc::clone(&self.deliverer));
        move || {
            poller.wake();
            deliverer.wake();
        }
    }

    /// Waits for the loops to end what they have in hand. A loop that ended by a mistake of ours is told.
    pub async fn join(mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.loops.join_next().await {
            ended.context("a loop ended by a mistake of this program")?;
        }
        Ok(())
    }
}
