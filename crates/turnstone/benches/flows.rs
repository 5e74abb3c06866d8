//! Measures flows of cards: cards a second, and the mission's example over many records against the same work done by
//! a declared resource.
//!
//! Both sides of the second measure ask the same provider in memory for one list of `RECORDS` records, go through the
//! whole of the engine (claim, ledger, one transaction in a SQLite file with full synchronisation), and make an event
//! of every record; then the same again, when nothing has changed. Sides alternate, and the median of `ROUNDS` counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use turnstone_core::check::{CheckSettings, check_resource};
use turnstone_core::date::ZoneRules;
use turnstone_core::flow::check::check;
use turnstone_core::flow::document::Document;
use turnstone_core::flow::run::{Bounds, Entry, FlowStart, FlowStep, start};
use turnstone_core::poll::{self, Options, Pass, Plan, PollerState, RunOutcome, Start};
use turnstone_core::run::{Reply, Request, Response};
use turnstone_engine::clock::{Clock, SystemClock, SystemEntropy};
use turnstone_engine::driver::{Ended, Tools, drive};
use turnstone_engine::egress::{Bodies, BodyBudget, Callback, CallbackReply, Connection, Net};
use turnstone_engine::flows::{self, Flows};
use turnstone_engine::poller::{Beside, Poller, PollerSettings, Turn};
use turnstone_engine::prepare::{Preparer, References};
use turnstone_engine::secrets::KeyRing;
use turnstone_engine::stop::Stop;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{
    Monitors as _, NewInstance, NewPoller, NewSubscription, Store, SubscriptionSettings, Timing,
};

const EXAMPLE: &str = include_str!("../../../examples/monitors/new-users.yaml");

fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<()> {
    let number =
        |name: &str, or: usize| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (records, rounds) = (number("RECORDS", 10_000), number("ROUNDS", 5));
    cards_per_second(rounds)?;
    println!("\n{records} records in one list, {rounds} rounds, median");
    println!("{:<44} {:>12} {:>10}", "side", "records/s", "of poll");
    let (mut polls, mut flows) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let world = World::new(records, &folder.path().join("a.db")).await?;
        for (at, events) in [records, 0].into_iter().enumerate() {
            polls[at].push(timed(records, world.poll(events as u64)).await?);
            flows[at].push(timed(records, world.run_flow(events as u64)).await?);
        }
    }
    for (at, what) in ["every record an event", "nothing changed"].into_iter().enumerate() {
        line(&format!("declared poll: {what}"), &polls[at], None);
        line(&format!("flow of the example: {what}"), &flows[at], Some(&polls[at]));
    }
    Ok(())
}

/// Cards that only compute, in a loop of 19,000 calls of a helper flow of five cards each.
fn cards_per_second(rounds: usize) -> Result<()> {
    let document = json!({
        "name": "Cards", "cursor": "number",
        "outputs": {"Sum": {"total": "number"}},
        "cards": [
            {"id": "numbers", "card": "list.map", "flow": "one", "inputs": {"list": (0..19_000).collect::<Vec<i32>>()},
             "values": {"n": {"from": "item"}}},
            {"id": "count", "card": "list.length", "inputs": {"list": {"from": "numbers.new list"}}},
            {"card": "control.cursor", "inputs": {"Properties": {"from": "count.length"}}},
            {"card": "control.returnOutputs", "inputs": {"List": [{"Sum": {"total": {"from": "count.length"}}}]}},
        ],
        "flows": {"one": {
            "inputs": {"n": "number"}, "outputs": {"text": "text"},
            "cards": [
                {"id": "sum", "card": "number.add", "inputs": {"number 1": {"from": "inputs.n"}, "number 2": 1}},
                {"id": "text", "card": "text.concatenate", "inputs": {"text 1": "n", "text 2": {"from": "sum.output"}}},
                {"id": "object", "card": "object.construct", "inputs": {"a": {"from": "text.output"}}},
                {"id": "get", "card": "object.get", "inputs": {"object": {"from": "object.output"}, "path": "a"},
                 "outputs": {"output": "text"}},
                {"card": "control.return", "inputs": {"text": {"from": "get.output"}}},
            ],
        }},
    });
    let flow = flow_of(&document)?;
    let mut speeds = Vec::new();
    let mut cards = 0;
    for _ in 0..rounds {
        let began = Instant::now();
        let FlowStep::Done(end) = start(start_of(&flow)) else { bail!("it asked for something") };
        if let Err(error) = &end.result {
            bail!("{error}");
        }
        cards = end.cards;
        speeds.push(end.cards as f64 / began.elapsed().as_secs_f64());
    }
    println!("{cards} cards that compute, in one run: {:.0} cards/s", median(speeds.into_iter()));
    Ok(())
}

fn flow_of(document: &Value) -> Result<Arc<turnstone_core::flow::Flow>> {
    let document = Document::read(document).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let checked = check(&document);
    checked.flow.map(Arc::new).with_context(|| format!("{:?}", checked.faults))
}

fn start_of(flow: &Arc<turnstone_core::flow::Flow>) -> FlowStart {
    FlowStart {
        flow: Arc::clone(flow),
        entry: Entry::Monitor,
        cursor: None,
        options: Vec::new(),
        now: Timestamp::UNIX_EPOCH,
        provider_now: Timestamp::UNIX_EPOCH,
        seed: 1,
        execution: "bench".into(),
        base_url: None,
        zones: ZoneRules::default(),
        bounds: Bounds { cards: 1_000_000, ..Bounds::default() },
    }
}

/// A provider that has one answer.
struct Answers(String);

#[async_trait]
impl Net for Answers {
    async fn send(&self, _: Request, _: &Connection) -> Reply {
        let now = Timestamp::now();
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let headers = vec![("date".into(), date), ("content-type".into(), "application/json".into())];
        let response = Response { status: 200, headers, body: self.0.clone() };
        Reply { sent_at: now, to_head: Duration::ZERO, outcome: Ok(response) }
    }

    async fn post(&self, _: Callback) -> CallbackReply {
        unreachable!("nothing is delivered here")
    }
}

fn records(count: usize) -> String {
    let since = 1_760_000_000;
    let all: Vec<Value> = (0..count)
        .map(|number| {
            let at = Timestamp::from_second(since + number as i64).unwrap_or(Timestamp::UNIX_EPOCH);
            json!({
                "id": format!("u{number}"), "name": format!("User {number}"),
                "email": format!("user{number}@example.com"), "createdAt": at.to_string(),
                "note": "a text that is there so that a record has about the size of a real one",
            })
        })
        .collect();
    Value::from(all).to_string()
}

/// One store with a declared resource and a subscription of the example.
struct World {
    store: Arc<SqliteStore>,
    tools: Tools,
    plan: Arc<Plan>,
    connection: Connection,
    poller: Arc<Poller>,
    subscription: turnstone_core::id::PollerId,
}

impl World {
    async fn new(count: usize, database: &std::path::Path) -> Result<World> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let now = clock.now();
        let store = Arc::new(SqliteStore::open(database)?);
        let net: Arc<dyn Net> = Arc::new(Answers(records(count)));
        let tools =
            Tools { store: Arc::clone(&store) as _, net: Arc::clone(&net), clock: Arc::clone(&clock) };
        let org = store.ensure_org("bench", now).await?;
        let instance = NewInstance {
            org,
            element_key: "people".into(),
            element: None,
            name: "bench".into(),
            tags: Vec::new(),
            token_hash: [1; 32],
            document: json!({
                "name": "bench", "element": {"key": "people"},
                "configuration": {
                    "base.url": "https://bench.example.com", "event.notification.enabled": true,
                    "event.vendor.type": "polling",
                    "event.poller.configuration": {"users": configuration()},
                },
            })
            .to_string(),
            enabled: true,
            pollers: vec![NewPoller {
                resource: "users".into(),
                revision: 1,
                next_due: now,
                interval: Duration::from_millis(1),
            }],
            endpoint: None,
            intake: None,
        };
        let instance = store.create_instance(instance, now).await?;
        let poller = store.pollers(org, Some(instance)).await?.remove(0).id;
        let checked = check_resource("users", &configuration(), &CheckSettings::new(now), None);
        let resource =
            checked.resources.into_iter().next().with_context(|| format!("{:?}", checked.faults))?;
        let plan = Plan {
            org,
            instance,
            poller,
            element_key: "people".into(),
            resource,
            revision: 1,
            interval: Duration::from_millis(1),
        };
        let document: Value = serde_saphyr::from_str(EXAMPLE)?;
        let monitor = store.create_monitor(org, "New users", &document.to_string(), now).await?;
        store.deploy(org, monitor, 1, now).await?;
        let settings = SubscriptionSettings {
            name: "bench".into(),
            version: 1,
            options: "{}".into(),
            mode: Default::default(),
            timing: Timing { interval: Duration::from_millis(1), cron: None },
            next_due: Some(now),
            endpoint: None,
        };
        let new = NewSubscription { org, instance, monitor, settings, state: String::new(), active: true };
        let id = store.subscribe(new, now).await?;
        let subscription = store.subscription(org, id).await?.poller;
        let keys = Arc::new(KeyRing::parse(&"5a".repeat(32), "the benchmark")?);
        let preparer = Arc::new(Preparer::new(CheckSettings::new(now), keys, References::Refuse));
        let budget = BodyBudget::default();
        let flows = Flows::new(flows::Parts {
            store: Arc::clone(&store) as _,
            monitors: Arc::clone(&store) as _,
            preparer: Arc::clone(&preparer),
            calls: None,
            net,
            clock,
            entropy: Arc::new(SystemEntropy),
            budget: budget.clone(),
            zones: ZoneRules::default(),
        });
        let poller = Poller::of_node(
            tools.clone(),
            preparer,
            budget.clone(),
            Arc::new(SystemEntropy),
            PollerSettings::default(),
            Arc::new(|_, _| {}),
            Beside { flows: Some(flows), ..Beside::default() },
        );
        let connection = Connection::new(&"https://bench.example.com".parse()?, Bodies::new(&budget));
        Ok(World { store, tools, plan: Arc::new(plan), connection, poller, subscription })
    }

    /// A declared poll until its pass is complete.
    async fn poll(&self, events: u64) -> Result<()> {
        let mut found = 0;
        loop {
            let now = self.tools.clock.now();
            self.store.set_due(self.plan.org, self.plan.poller, now, true).await?;
            let lease = Duration::from_secs(600);
            let claim = self.store.claim(self.plan.poller, now, lease).await?.context("not claimed")?;
            let step = poll::start(Start {
                plan: Arc::clone(&self.plan),
                state: PollerState::read(&claim.poller.state)?,
                pass: claim.poller.checkpoint.as_deref().map(Pass::read).transpose()?,
                run: turnstone_core::id::RunId::new(now, 1),
                now,
                due: now,
                entropy: 1,
                options: Options::default(),
                notices: None,
            });
            let Ended::Finished(finish) = drive(step, claim.lease, &self.tools, &self.connection).await?
            else {
                bail!("the lease was lost");
            };
            found += finish.run.counts.events();
            match finish.run.outcome {
                RunOutcome::Completed => break,
                RunOutcome::Yielded => {}
                RunOutcome::Failed => bail!("{:?}", finish.run.error),
            }
        }
        if found != events {
            bail!("the poll made {found} events instead of {events}");
        }
        Ok(())
    }

    /// A run of the subscription.
    async fn run_flow(&self, events: u64) -> Result<()> {
        self.store.set_due(self.plan.org, self.subscription, self.tools.clock.now(), true).await?;
        let turn = self.poller.poll_once(self.subscription, Options::default(), &Stop::new()).await?;
        let Some(Turn::Finished(finish)) = turn else { bail!("it did not run: {turn:?}") };
        if let Some(error) = &finish.run.error {
            bail!("{error:?}");
        }
        let found = finish.run.counts.events();
        if found != events {
            bail!("the flow made {found} events instead of {events}");
        }
        Ok(())
    }
}

/// What the example does, declared.
fn configuration() -> Value {
    json!({
        "url": "https://bench.example.com/v1/users", "idField": "id", "startFrom": "beginning",
        "pagination": {"type": "none"},
        "datesConfiguration": {
            "updatedDateField": "createdAt", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
            "createdDateField": "createdAt", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX",
        },
    })
}

async fn timed(records: usize, side: impl Future<Output = Result<()>>) -> Result<f64> {
    let began = Instant::now();
    side.await?;
    Ok(records as f64 / began.elapsed().as_secs_f64())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn line(name: &str, rounds: &[f64], of: Option<&Vec<f64>>) {
    let share = of.map(|of| {
        let ratios = rounds.iter().zip(of).map(|(ours, theirs)| ours / theirs);
        format!("{:.0} %", median(ratios) * 100.0)
    });
    println!("{name:<44} {:>12.0} {:>10}", median(rounds.iter().copied()), share.unwrap_or_default());
}
