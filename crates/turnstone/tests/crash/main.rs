//! Kills a real `turnstone serve` with `kill -9`, again and again, and compares what a receiver got with what really
//! happened at the provider.
//!
//! The oracle is outside: the provider's own log on one side, the receiver's on the other. Lost: a record whose last
//! version never arrived. Doubled: one version that arrived under two event ids. Repeats of one id are what "at least
//! once" allows. `ROUNDS` sets the number of kills.

mod receiver;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use receiver::{Receiver, TOKEN};

/// The secret of the server's owner.
const USER: &str = "a-user-who-outlives-crashes";
use serde_json::json;
use turnstone_provider::{
    Control, DeleteMode, Order, PageStyle, Provider, ProviderConfig, RecordKind, ResourceConfig,
    RunningProvider, Settings,
};

/// Share of the kills that must hit a callback or a poll under way, in percent.
const HITS_PERCENT_MIN: usize = 80;

/// Changes per second, all resources together; each becomes an event unless a later one overtakes it between two polls.
const CHANGES_PER_SECOND_MIN: f64 = 200.0;

/// How long nothing that is missing may arrive before it counts as lost.
const STANDSTILL: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_by_kills() {
    turnstone_engine::egress::install_crypto();
    let rounds: usize = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let provider = Provider::start(world()).await.unwrap();
    let receiver = Receiver::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut chance = Chance(0x5eed);

    let mut node = Node::start(data.path());
    create_instance(&node, &provider, &receiver).await;
    let started = Instant::now();
    let before = provider.truth(0).len();
    let mut hits = 0;
    for round in 1..=rounds {
        tokio::time::sleep(Duration::from_millis(300 + chance.below(900))).await;
        let requests = provider.request_count();
        hits += usize::from(receiver.in_flight() > 0 || provider.request_count() > requests);
        node.kill();
        if round % 20 == 0 {
            println!("{round} kills, {} notifications received", receiver.count());
        }
        node = Node::start(data.path());
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = (provider.truth(0).len() - before) as f64 / seconds;
    let pause = Control { pause: Some(true), ..Control::default() };
    provider.control(pause).unwrap();
    let verdict = settle(&provider, &receiver).await;
    node.kill();

    println!(
        "{rounds} kills, {hits} in flight, {rate:.0} changes/s, {} events, {} repeats by id, {} lost, {} doubled, {} out \
         of order, {} bad signatures",
        verdict.events,
        verdict.repeats,
        verdict.lost.len(),
        verdict.doubled.len(),
        verdict.disordered.len(),
        receiver.bad_signatures()
    );
    assert!(verdict.lost.is_empty(), "lost: {:?}", verdict.lost.iter().take(10).collect::<Vec<_>>());
    assert!(verdict.doubled.is_empty(), "doubled: {:?}", verdict.doubled.iter().take(10).collect::<Vec<_>>());
    assert!(
        verdict.disordered.is_empty(),
        "disordered: {:?}",
        verdict.disordered.iter().take(10).collect::<Vec<_>>()
    );
    assert_eq!(receiver.bad_signatures(), 0);
    assert!(hits * 100 >= rounds * HITS_PERCENT_MIN, "only {hits} of {rounds} kills hit anything in flight");
    assert!(rate >= CHANGES_PER_SECOND_MIN, "only {rate:.0} changes/s");
}

/// Three resources, read in three ways.
fn world() -> ProviderConfig {
    let resource = |name: &str, kind, style, updates| {
        let settings = Settings {
            style,
            sort: Order::Asc,
            deletes: DeleteMode::Soft,
            list: Some("data.items".into()),
            ..Settings::default()
        };
        ResourceConfig::new(name, kind)
            .with_initial(200)
            .with_rates(30.0, updates, 3.0)
            .with_settings(settings)
    };
    ProviderConfig {
        log_initial: true,
        ..ProviderConfig::of(
            11,
            vec![
                resource("customers", RecordKind::Customers, PageStyle::Page, 60.0),
                resource("orders", RecordKind::Orders, PageStyle::Offset, 60.0),
                resource("tickets", RecordKind::Tickets, PageStyle::Cursor, 60.0),
            ],
        )
    }
}

async fn create_instance(node: &Node, provider: &RunningProvider, receiver: &Receiver) {
    let poller = |name: &str, pagination: serde_json::Value| {
        json!({
            "url": format!("{}/v1/{name}?updated_at_gte=${{gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}}", provider.url()),
            "idField": "id", "list": "data.items", "pageSize": 50, "startFrom": "beginning", "overlap": 2,
            "sort": "asc", "pagination": pagination, "deletedField": "is_deleted",
            "datesConfiguration": {
                "updatedDateField": "updated_at", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
                "createdDateField": "created_at", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
            }
        })
    };
    let document = json!({
        "name": "crash", "element": {"key": "fakecrm"},
        "configuration": {
            "event.notification.enabled": true,
            "event.notification.callback.url": receiver.url(),
            "event.notification.signature.key": receiver::KEY,
            "event.poller.refresh_interval": "0.01",
            "event.poller.configuration": {
                "customers": poller("customers", json!({"type": "page", "page": "page", "size": "per_page"})),
                "orders": poller("orders", json!({"type": "offset", "offset": "offset", "size": "limit"})),
                "tickets": poller("tickets", json!({
                    "type": "cursor", "token": "meta.next_cursor", "param": "cursor", "size": "per_page"
                })),
            }
        }
    });
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{}/instances", node.api))
        .header("authorization", format!("User {USER}, Organization {TOKEN}"))
        .header("content-type", "application/json")
        .body(document.to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
}

/// What the two logs say when they are laid side by side.
struct Verdict {
    events: usize,
    repeats: usize,
    lost: Vec<String>,
    doubled: Vec<String>,
    disordered: Vec<String>,
}

/// Waits until every last version has arrived, for as long as something still arrives, and compares.
async fn settle(provider: &RunningProvider, receiver: &Receiver) -> Verdict {
    let (mut least, mut arrived_at) = (usize::MAX, Instant::now());
    loop {
        let began = Instant::now();
        let verdict = compare(provider, receiver);
        let missing = verdict.lost.len();
        if missing < least {
            (least, arrived_at) = (missing, Instant::now());
        }
        if missing == 0 || arrived_at.elapsed() > STANDSTILL {
            return verdict;
        }
        // Comparing long logs takes a core that the node needs to catch up.
        tokio::time::sleep(Duration::from_millis(250).max(began.elapsed() * 10)).await;
    }
}

fn compare(provider: &RunningProvider, receiver: &Receiver) -> Verdict {
    let mut last: BTreeMap<(String, String), u32> = BTreeMap::new();
    for change in provider.truth(0) {
        last.insert((change.resource, change.id), change.version);
    }
    let mut seen: BTreeMap<(String, String), BTreeMap<u32, BTreeSet<String>>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let mut sequences: BTreeMap<(String, String), u64> = BTreeMap::new();
    let (mut repeats, mut disordered) = (0, Vec::new());
    for event in receiver.events() {
        let key = (event.resource.clone(), event.object_id.clone());
        if !ids.insert(event.event_id.clone()) {
            repeats += 1;
            continue;
        }
        let before = sequences.insert(key.clone(), event.sequence).unwrap_or(0);
        if event.sequence <= before {
            disordered.push(format!("{key:?}: sequence {} after {before}", event.sequence));
        }
        seen.entry(key).or_default().entry(event.version).or_default().insert(event.event_id);
    }
    let missing = |key: &(String, String), version: &u32| {
        !seen.get(key).is_some_and(|versions| versions.contains_key(version))
    };
    let lost = last.iter().filter(|(key, version)| missing(key, version));
    let doubled = seen.iter().flat_map(|(key, versions)| {
        versions
            .iter()
            .filter(|(_, ids)| ids.len() > 1)
            .map(move |(version, ids)| format!("{key:?} {version}: {ids:?}"))
    });
    Verdict {
        events: ids.len(),
        repeats,
        lost: lost.map(|(key, version)| format!("{key:?} version {version}")).collect(),
        doubled: doubled.collect(),
        disordered,
    }
}

/// A running `turnstone serve`.
struct Node {
    child: Child,
    api: String,
}

impl Node {
    fn start(data: &std::path::Path) -> Node {
        let mut child = Command::new(env!("CARGO_BIN_EXE_turnstone"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--allow-private",
                "--interval-minimum",
                "0.5",
                "--data",
            ])
            .arg(data)
            .env("TURNSTONE_TOKEN", TOKEN)
            .env("TURNSTONE_USER_TOKEN", USER)
            .env("TURNSTONE_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let api = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            if let Some((_, address)) = line.split_once("listens on ") {
                break address.trim().to_string();
            }
        };
        Node { child, api }
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill(); // Gone already, unless a test failed.
        let _ = self.child.wait();
    }
}

/// SplitMix64, so that a run can be repeated.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
