//! Measures what ten thousand idle pollers cost: memory of the process, and allocations while nothing is due.
//!
//! `POLLERS` sets their number, `SECONDS` how long the idle node is watched.

use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::sync::Notify;
use turnstone_core::check::CheckSettings;
use turnstone_engine::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::driver::Tools;
use turnstone_engine::egress::{BodyBudget, Client, Guard, Policy, Setup, install_crypto};
use turnstone_engine::poller::{Poller, PollerSettings};
use turnstone_engine::prepare::{Preparer, References};
use turnstone_engine::secrets::KeyRing;
use turnstone_engine::stop::Stop;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{NewInstance, NewPoller, Store};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    install_crypto();
    let number =
        |name: &str, or: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (pollers, seconds) = (number("POLLERS", 10_000), number("SECONDS", 20));
    let dir = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir.path().join("idle.db"))?);
    let before = resident_kib();
    fill(store.as_ref(), clock.as_ref(), pollers).await?;

    let client = Client::new(Setup::new(Guard::new(Policy::AllowPrivate), Arc::clone(&clock)))?;
    let tools = Tools { store, net: Arc::new(client), clock: Arc::clone(&clock) };
    let keys = Arc::new(KeyRing::parse(&"5a".repeat(32), "the benchmark")?);
    let preparer = Arc::new(Preparer::new(CheckSettings::new(clock.now()), keys, References::Refuse));
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let settings = PollerSettings::default();
    let poller = Poller::new(tools, preparer, BodyBudget::default(), entropy, settings, Arc::new(|_, _| {}));
    let stop = Stop::new();
    let (looping, until) = (Arc::clone(&poller), stop.clone());
    let task = tokio::spawn(async move { looping.run(&until).await });
    let woken = Notify::new();
    let _ = tokio::time::timeout(Duration::from_secs(2), woken.notified()).await; // Let it settle.

    let region = Region::new(ALLOCATOR);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let change = region.change();
    println!(
        "{pollers} idle pollers: {} MiB resident ({} MiB before them), {} live MiB allocated, {:.0} allocations/s, {:.1} \
         KiB allocated/s",
        resident_kib() / 1024,
        before / 1024,
        (region.initial().bytes_allocated.saturating_sub(region.initial().bytes_deallocated)) / (1024 * 1024),
        change.allocations as f64 / seconds as f64,
        change.bytes_allocated as f64 / 1024.0 / seconds as f64,
    );
    stop.ask();
    task.await?;
    Ok(())
}

/// Ten pollers an instance, due in an hour.
async fn fill(store: &dyn Store, clock: &dyn Clock, pollers: u64) -> Result<()> {
    let org = store.ensure_org("bench", clock.now()).await?;
    let due = clock.now() + Duration::from_secs(3600);
    for number in 0..pollers.div_ceil(10) {
        let mut token_hash = [0; 32];
        token_hash[..8].copy_from_slice(&number.to_be_bytes());
        let poller = |at: u64| NewPoller {
            resource: format!("resource{at}"),
            revision: 1,
            next_due: due,
            interval: Duration::from_secs(900),
        };
        let new = NewInstance {
            org,
            element_key: "bench".into(),
            element: None,
            name: format!("bench {number}"),
            tags: Vec::new(),
            token_hash,
            document: json!({"element": {"key": "bench"}}).to_string(),
            enabled: true,
            pollers: (0..10).map(poller).collect(),
            endpoint: None,
            intake: None,
        };
        store.create_instance(new, clock.now()).await?;
    }
    Ok(())
}

/// Memory of this process that is in RAM, from the system's own account.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|text| text.parse().ok()).unwrap_or(0)
}
