//! Measures polling against two floors, in one run: ratios, because machines differ and are shared.
//!
//! - (a) the durable floor: fetches the same pages, parses borrowed fields, and writes one row with the record's text
//!   per record to SQLite (WAL, full synchronisation), one transaction per page. Against it: every record is an event.
//! - (b) the reading floor: the same without writing. Against it: a poll in which nothing has changed.
//!
//! The provider runs in a process of its own, so that its work is in neither side's CPU time. Sides alternate, and the
//! median of the rounds counts: of each side's figures, and of the ratios, each of them between two sides of one round.
//! `RECORDS` and `ROUNDS` change the size.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use turnstone_core::check::{CheckSettings, check_resource};
use turnstone_core::poll::{self, Options, Pass, Plan, PollerState, RunOutcome, Start};
use turnstone_engine::clock::{Clock, SystemClock};
use turnstone_engine::driver::{Ended, Tools, drive};
use turnstone_engine::egress::{
    Bodies, BodyBudget, Client, Connection, Guard, Policy, Setup, install_crypto,
};
use turnstone_provider::{Provider, ProviderConfig, RecordKind, ResourceConfig};
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{NewInstance, NewPoller, Store};

const PROVIDER_ENV: &str = "TURNSTONE_BENCH_PROVIDER";

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let Ok(records) = std::env::var(PROVIDER_ENV) {
        return runtime.block_on(provide(records.parse()?));
    }
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    runtime.block_on(measure())
}

/// The provider's process: a frozen world, pages by key-set tokens.
async fn provide(records: u32) -> Result<()> {
    let customers = ResourceConfig::new("customers", RecordKind::Customers).with_initial(records);
    let config = ProviderConfig { paused: true, ..ProviderConfig::of(7, vec![customers]) };
    let provider = Provider::start(config).await?;
    println!("{}", provider.url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}

struct Peer {
    child: Child,
    url: String,
}

impl Peer {
    fn start(records: u32) -> Result<Peer> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(PROVIDER_ENV, records.to_string())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the provider has no output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
        Ok(Peer { child, url: line.trim().to_string() })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill(); // It may be gone already; nobody waits for it.
        let _ = self.child.wait();
    }
}

/// What one side took.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: Duration,
    cpu: Duration,
    records: u64,
}

impl Took {
    fn per_second(&self) -> f64 {
        self.records as f64 / self.wall.as_secs_f64()
    }

    fn per_cpu_second(&self) -> f64 {
        self.records as f64 / self.cpu.as_secs_f64().max(0.001)
    }
}

/// CPU time of this process so far, from the system's own account.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10) // USER_HZ is 100 on every Linux that matters.
}

async fn timed<F: Future<Output = Result<u64>>>(side: F) -> Result<Took> {
    let (wall, before) = (Instant::now(), cpu());
    let records = side.await?;
    Ok(Took { wall: wall.elapsed(), cpu: cpu() - before, records })
}

async fn measure() -> Result<()> {
    let number =
        |name: &str, or: u32| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (records, rounds) = (number("RECORDS", 60_000), number("ROUNDS", 3));
    install_crypto();
    let peer = Peer::start(records)?;
    println!("{records} records of {}, {rounds} rounds, median", peer.url);
    println!(
        "{:<34} {:>6} {:>12} {:>14} {:>8} {:>10}",
        "side", "page", "records/s", "per CPU-second", "of floor", "per CPU"
    );
    for page in [100, 1_000] {
        let mut sides: [Vec<Took>; 4] = Default::default();
        for _ in 0..rounds {
            let dir = tempfile::tempdir()?;
            sides[0].push(timed(floor(&peer.url, page, Some(&dir.path().join("floor.db")))).await?);
            let world = World::new(&peer.url, page, &dir.path().join("ours.db")).await?;
            sides[1].push(timed(world.poll(u64::from(records))).await?);
            sides[2].push(timed(floor(&peer.url, page, None)).await?);
            sides[3].push(timed(world.poll(0)).await?);
        }
        let [durable, events, reading, unchanged] = &sides;
        line("(a) durable floor", page, durable, None);
        line("    every record an event", page, events, Some(durable));
        line("(b) reading floor", page, reading, None);
        line("    nothing changed", page, unchanged, Some(reading));
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One line of the table. Ratios are taken round by round, because what else the machine does changes from one round to
/// the next and slows both sides of a round alike.
fn line(name: &str, page: u32, rounds: &[Took], floor: Option<&Vec<Took>>) {
    let share = |speed: fn(&Took) -> f64| match floor {
        None => String::new(),
        Some(floor) => {
            let ratios = rounds.iter().zip(floor).map(|(ours, floor)| speed(ours) / speed(floor));
            format!("{:.0} %", median(ratios) * 100.0)
        }
    };
    println!(
        "{name:<34} {page:>6} {:>12.0} {:>14.0} {:>8} {:>10}",
        median(rounds.iter().map(Took::per_second)),
        median(rounds.iter().map(Took::per_cpu_second)),
        share(Took::per_second),
        share(Took::per_cpu_second)
    );
}

fn list_url(base: &str, page: u32) -> String {
    format!("{base}/v1/customers?style=cursor&tokens=keyset&sort=asc&list=data.items&per_page={page}")
}

#[derive(Deserialize)]
struct Envelope<'t> {
    #[serde(borrow)]
    data: Items<'t>,
    #[serde(borrow)]
    meta: Meta<'t>,
}

#[derive(Deserialize)]
struct Meta<'t> {
    #[serde(borrow)]
    next_cursor: Option<std::borrow::Cow<'t, str>>,
}

#[derive(Deserialize)]
struct Items<'t> {
    #[serde(borrow)]
    items: Vec<&'t RawValue>,
}

#[derive(Deserialize)]
struct Fields<'t> {
    #[serde(borrow)]
    id: &'t RawValue,
    updated_at: &'t str,
}

/// Reads every page; writes one row per record when there is a database.
async fn floor(base: &str, page: u32, database: Option<&std::path::Path>) -> Result<u64> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut connection = database.map(rusqlite::Connection::open).transpose()?;
    if let Some(connection) = &connection {
        connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; \
             create table row (position integer primary key, id text, updated text, body text);",
        )?;
    }
    let mut token: Option<String> = None;
    let mut records = 0;
    loop {
        let mut url = list_url(base, page);
        if let Some(token) = &token {
            url.push_str(&format!("&cursor={token}"));
        }
        let body = client.get(url).send().await?.error_for_status()?.text().await?;
        let (page_records, next) = floor_page(&body, connection.as_mut())?;
        records += page_records;
        match next {
            Some(next) => token = Some(next),
            None => return Ok(records),
        }
    }
}

fn floor_page(body: &str, connection: Option<&mut rusqlite::Connection>) -> Result<(u64, Option<String>)> {
    let envelope: Envelope<'_> = serde_json::from_str(body)?;
    let mut fields = Vec::with_capacity(envelope.data.items.len());
    for item in &envelope.data.items {
        let parsed: Fields<'_> = serde_json::from_str(item.get())?;
        fields.push((parsed.id.get(), parsed.updated_at, item.get()));
    }
    if let Some(connection) = connection {
        let transaction = connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("insert into row (id, updated, body) values (?1, ?2, ?3)")?;
            for row in &fields {
                insert.execute(*row)?;
            }
        }
        transaction.commit()?;
    }
    Ok((fields.len() as u64, envelope.meta.next_cursor.map(|token| token.into_owned())))
}

/// Our side: one poller on a store of its own.
struct World {
    tools: Tools,
    plan: Arc<Plan>,
    connection: Connection,
}

impl World {
    async fn new(base: &str, page: u32, database: &std::path::Path) -> Result<World> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(database)?);
        let net = Arc::new(Client::new(Setup::new(Guard::new(Policy::AllowPrivate), Arc::clone(&clock)))?);
        let config = json!({
            "url": format!("{base}/v1/customers?style=cursor&tokens=keyset&sort=asc&list=data.items"),
            "idField": "id", "list": "data.items", "pageSize": page, "startFrom": "beginning",
            "pagination": {"type": "cursor", "size": "per_page", "token": "meta.next_cursor", "param": "cursor"},
            "datesConfiguration": {
                "updatedDateField": "updated_at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
                "createdDateField": "created_at", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
            }
        });
        let checked = check_resource("customers", &config, &CheckSettings::new(clock.now()), None);
        if !checked.faults.is_empty() {
            bail!("the benchmark's configuration is wrong: {:?}", checked.faults);
        }
        let resource = checked.resources.into_iter().next().context("no resource")?;
        let org = store.ensure_org("bench", clock.now()).await?;
        let instance = store.create_instance(instance(org, clock.now()), clock.now()).await?;
        let poller = store.pollers(org, Some(instance)).await?.remove(0).id;
        let plan = Plan {
            org,
            instance,
            poller,
            element_key: "bench".into(),
            resource,
            revision: 1,
            interval: Duration::from_millis(1),
        };
        let bodies = Bodies::new(&BodyBudget::default());
        let connection = Connection::new(&base.parse()?, bodies);
        Ok(World { tools: Tools { store, net, clock }, plan: Arc::new(plan), connection })
    }

    /// Polls until a pass is complete and returns how many records it read. Fails when the events are not as many as
    /// expected.
    async fn poll(&self, events: u64) -> Result<u64> {
        let (mut records, mut found) = (0, 0);
        loop {
            let now = self.tools.clock.now();
            self.tools.store.set_due(self.plan.org, self.plan.poller, now, true).await?;
            let lease = Duration::from_secs(600);
            let claim = self.tools.store.claim(self.plan.poller, now, lease).await?.context("not claimed")?;
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
            records += finish.run.counts.records;
            found += finish.run.counts.events();
            match finish.run.outcome {
                RunOutcome::Completed => break,
                RunOutcome::Yielded => {}
                RunOutcome::Failed => bail!("{:?}", finish.run.error),
            }
        }
        if found != events {
            bail!("{found} events instead of {events}");
        }
        Ok(records)
    }
}

fn instance(org: turnstone_core::id::OrgId, now: jiff::Timestamp) -> NewInstance {
    NewInstance {
        org,
        element_key: "bench".into(),
        element: None,
        name: "bench".into(),
        tags: Vec::new(),
        token_hash: [1; 32],
        document: "{}".into(),
        enabled: true,
        pollers: vec![NewPoller {
            resource: "customers".into(),
            revision: 1,
            next_due: now,
            interval: Duration::from_millis(1),
        }],
        endpoint: None,
        intake: None,
    }
}
