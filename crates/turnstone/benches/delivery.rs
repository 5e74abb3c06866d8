//! Measures the way from a commit to a verified callback: how many events a second, and how long one takes.
//!
//! One node's deliverer on SQLite with full synchronisation, one endpoint per instance, receivers in this process that
//! check every signature. `EVENTS` sets how many events the burst holds, `RATE` the steady load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use turnstone_core::delivery::{SIGNATURE_HEADER, verify};
use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{EventId, InstanceId, PollerId, RunId};
use turnstone_core::poll::Batch;
use turnstone_engine::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::deliverer::{Deliverer, HttpCallback, Limits, Parts, Vault};
use turnstone_engine::egress::{Client, Guard, Policy, Setup, install_crypto};
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{Lease, NewEndpoint, NewInstance, NewPoller, Store};

const KEY: &str = "MySecretEventSignatureKey";
const INSTANCES: usize = 8;

#[derive(Default)]
struct Seen {
    arrived: Mutex<HashMap<String, Instant>>,
    bad: AtomicU64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    install_crypto();
    let number =
        |name: &str, or: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let world = World::start().await?;
    let events = number("EVENTS", 20_000);
    let (took, _) = world.burst(events).await?;
    println!(
        "burst of {events} events, {INSTANCES} endpoints: {:.0} events/s",
        events as f64 / took.as_secs_f64()
    );
    let rate = number("RATE", 500);
    let waits = world.steady(rate, Duration::from_secs(10)).await?;
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!(
        "steady {rate} events/s: commit to verified callback p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("bad signatures: {}", world.seen.bad.load(Ordering::SeqCst));
    world.stop.send(true).ok();
    Ok(())
}

struct World {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    deliverer: Arc<Deliverer>,
    pollers: Vec<(InstanceId, Lease<PollerId>)>,
    seen: Arc<Seen>,
    stop: watch::Sender<bool>,
    next: AtomicU64,
    _dir: tempfile::TempDir,
}

impl World {
    async fn start() -> Result<World> {
        let seen = Arc::new(Seen::default());
        let url = receive(Arc::clone(&seen)).await?;
        let dir = tempfile::tempdir()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir.path().join("delivery.db"))?);
        let org = store.ensure_org("bench", clock.now()).await?;
        let mut pollers = Vec::new();
        for number in 0..INSTANCES {
            let new = instance(org, number as u8, &url, clock.now());
            let id = store.create_instance(new, clock.now()).await?;
            let poller = store.pollers(org, Some(id)).await?.remove(0).id;
            let lease = Duration::from_secs(3600);
            let claim = store.claim(poller, clock.now(), lease).await?.context("not claimed")?;
            pollers.push((id, claim.lease));
        }
        let client = Client::new(Setup::new(Guard::new(Policy::AllowPrivate), Arc::clone(&clock)))?;
        let callback = HttpCallback::new(Arc::new(client), Arc::clone(&clock), Vault::of_user());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let parts = Parts {
            inbox: None,
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            entropy,
            limits: Limits::default(),
        };
        let deliverer = Arc::new(Deliverer::new(parts).with_sink(HttpCallback::KIND, Arc::new(callback)));
        let (stop, mut stopped) = watch::channel(false);
        let running = Arc::clone(&deliverer);
        tokio::spawn(async move {
            running
                .run(async move {
                    let _ = stopped.changed().await; // A sender that is gone means the same.
                })
                .await;
        });
        Ok(World { store, clock, deliverer, pollers, seen, stop, next: AtomicU64::new(1), _dir: dir })
    }

    /// Commits events of one instance and returns their ids.
    async fn commit(&self, at: usize, count: u64) -> Result<Vec<String>> {
        let (instance, lease) = self.pollers[at % self.pollers.len()];
        let events: Vec<Event> = (0..count).map(|_| self.event(instance, lease.id)).collect();
        let ids = events.iter().map(|event| event.id.to_string()).collect();
        self.store.commit(lease, Batch { events, ..Batch::default() }, self.clock.now()).await?;
        self.deliverer.wake();
        Ok(ids)
    }

    fn event(&self, instance: InstanceId, poller: PollerId) -> Event {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let padding = "x".repeat(320);
        Event {
            id: EventId(
                u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes(),
            ),
            poller,
            instance,
            run: RunId([1; 16]),
            inbound: None,
            event_type: EventType::Updated,
            object_type: "customers".into(),
            object_id: number.to_string(),
            element_key: "bench".into(),
            date: self.clock.now(),
            sequence: 1,
            reason: "known record, newer version".into(),
            compared: String::new(),
            page: 0,
            record: Some(format!(
                r#"{{"id":{number},"updated_at":"2026-01-01T00:00:00Z","note":"{padding}"}}"#
            )),
        }
    }

    async fn burst(&self, events: u64) -> Result<(Duration, u64)> {
        let started = Instant::now();
        let before = self.seen.arrived.lock().expect("no panic holds it").len();
        let mut left = events;
        let mut at = 0;
        while left > 0 {
            let count = left.min(500);
            self.commit(at, count).await?;
            at += 1;
            left -= count;
        }
        while self.seen.arrived.lock().expect("no panic holds it").len() < before + events as usize {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok((started.elapsed(), events))
    }

    /// Commits ten events at a time at this rate and returns how long each took to arrive, sorted.
    async fn steady(&self, rate: u64, time: Duration) -> Result<Vec<Duration>> {
        let mut committed = Vec::new();
        let started = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_secs_f64(10.0 / rate as f64));
        let mut at = 0;
        while started.elapsed() < time {
            ticks.tick().await;
            let ids = self.commit(at, 10).await?;
            let now = Instant::now();
            committed.extend(ids.into_iter().map(|id| (id, now)));
            at += 1;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let arrived = self.seen.arrived.lock().expect("no panic holds it");
        let mut waits = Vec::new();
        for (id, at) in &committed {
            let arrival = arrived.get(id).with_context(|| format!("event {id} did not arrive"))?;
            waits.push(arrival.saturating_duration_since(*at));
        }
        waits.sort_unstable();
        Ok(waits)
    }
}

async fn receive(seen: Arc<Seen>) -> Result<String> {
    let router = axum::Router::new().route("/hook", axum::routing::post(take)).with_state(seen);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

async fn take(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !verify(&[KEY], &body, &[signature]) {
        seen.bad.fetch_add(1, Ordering::SeqCst);
        return StatusCode::UNAUTHORIZED;
    }
    let now = Instant::now();
    let Ok(notification) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    let events = notification["message"]["events"].as_array().cloned().unwrap_or_default();
    let mut arrived = seen.arrived.lock().expect("no panic holds it");
    for event in events {
        let id = event["eventId"].as_str().unwrap_or_default().to_string();
        arrived.entry(id).or_insert(now);
    }
    StatusCode::OK
}

fn instance(org: turnstone_core::id::OrgId, number: u8, url: &str, now: jiff::Timestamp) -> NewInstance {
    let config = json!({"url": url, "signatureKeys": [{"plain": KEY}]});
    NewInstance {
        org,
        element_key: "bench".into(),
        element: None,
        name: format!("bench {number}"),
        tags: Vec::new(),
        token_hash: [number; 32],
        document: "{}".into(),
        enabled: true,
        pollers: vec![NewPoller {
            resource: "customers".into(),
            revision: 1,
            next_due: now,
            interval: Duration::from_secs(60),
        }],
        endpoint: Some(NewEndpoint { kind: HttpCallback::KIND.into(), config: config.to_string() }),
        intake: None,
    }
}
