//! The same for providers that call: many senders notify a real node that is killed again and again, and each sends its
//! notification again until it is acknowledged, as providers do.
//!
//! The oracle is outside again: what was acknowledged on one side, what the receiver got on the other. A notification
//! names a record and its step; lost is one that was acknowledged and never told, doubled one that was told under two
//! event ids, disordered a record whose steps were told in another order than they were acknowledged in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::receiver::{KEY, Receiver, TOKEN, Told};
use crate::{Chance, Node, STANDSTILL, USER};

/// Kills of this test; `make crash` makes more.
const ROUNDS: usize = 20;
/// Senders at once, each with records of its own.
const SENDERS: usize = 16;
/// A sender's pause after an acknowledgement.
const BREATH: Duration = Duration::from_millis(60);
/// Records that one sender speaks of in turn.
const RECORDS: u64 = 5;

const HOOK: &str = r#"done({events: [{event_type: "UPDATED", event_object_id: events.id, event_object_type: "contacts"}]});"#;

#[derive(Default)]
struct Log {
    /// Acknowledged steps by record, in order.
    acknowledged: Mutex<BTreeMap<String, Vec<u64>>>,
    tries: AtomicU64,
    in_flight: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_notification_is_lost_or_doubled_by_kills() {
    turnstone_engine::egress::install_crypto();
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let receiver = Receiver::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut node = Node::start(data.path());
    let path = set_up(&node, &receiver).await;
    let (api, log) = (Arc::new(RwLock::new(node.api.clone())), Arc::new(Log::default()));
    let ends = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            tokio::spawn(send(sender, path.clone(), Arc::clone(&api), Arc::clone(&log), Arc::clone(&ends)))
        })
        .collect();
    let (mut chance, mut hits) = (Chance(0xcafe), 0);
    for _ in 0..rounds {
        tokio::time::sleep(Duration::from_millis(200 + chance.below(700))).await;
        // A kill between two requests proves nothing.
        let until = Instant::now() + Duration::from_secs(1);
        while log.in_flight.load(Ordering::SeqCst) == 0 && Instant::now() < until {
            tokio::task::yield_now().await;
        }
        hits += usize::from(log.in_flight.load(Ordering::SeqCst) > 0);
        node.kill();
        node = Node::start(data.path());
        api.write().unwrap().clone_from(&node.api);
    }
    ends.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    let acknowledged = log.acknowledged.lock().unwrap().clone();
    let count: usize = acknowledged.values().map(Vec::len).sum();
    let verdict = settle(&acknowledged, &receiver).await;
    println!(
        "{rounds} kills, {hits} with requests in flight, {count} notifications acknowledged in {} tries, {} repeats by id, \
         {} lost, {} doubled, {} out of order, {} bad signatures",
        log.tries.load(Ordering::SeqCst),
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
    assert!(count > rounds * 20, "only {count} notifications");
    assert!(hits * 100 >= rounds * 80, "only {hits} of {rounds} kills hit a request in flight");
}

/// One sender: notifies of its records in turn, each notification again until it is acknowledged.
async fn send(sender: usize, path: String, api: Arc<RwLock<String>>, log: Arc<Log>, ends: Arc<AtomicBool>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for step in 0.. {
        let id = format!("s{sender}-r{}", step % RECORDS);
        let body = json!({"id": id, "step": step / RECORDS}).to_string();
        loop {
            let url = format!("{}{path}", api.read().unwrap().clone());
            log.tries.fetch_add(1, Ordering::SeqCst);
            log.in_flight.fetch_add(1, Ordering::SeqCst);
            let request = client.post(url).body(body.clone()).timeout(Duration::from_secs(20));
            let answer = request.send().await;
            log.in_flight.fetch_sub(1, Ordering::SeqCst);
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                log.acknowledged.lock().unwrap().entry(id).or_default().push(step / RECORDS);
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if ends.load(Ordering::SeqCst) {
            return;
        }
        // As fast as the receiver takes what comes of it, or the end of the test is a long wait.
        tokio::time::sleep(BREATH).await;
    }
}

struct Verdict {
    repeats: usize,
    lost: Vec<String>,
    doubled: Vec<String>,
    disordered: Vec<String>,
}

async fn settle(acknowledged: &BTreeMap<String, Vec<u64>>, receiver: &Receiver) -> Verdict {
    let (mut least, mut arrived_at) = (usize::MAX, Instant::now());
    loop {
        let verdict = compare(acknowledged, &receiver.told());
        if verdict.lost.len() < least {
            (least, arrived_at) = (verdict.lost.len(), Instant::now());
        }
        if verdict.lost.is_empty() || arrived_at.elapsed() > STANDSTILL {
            return verdict;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn compare(acknowledged: &BTreeMap<String, Vec<u64>>, told: &[Told]) -> Verdict {
    let mut ids = BTreeSet::new();
    let mut steps: BTreeMap<(&str, u64), BTreeSet<&str>> = BTreeMap::new();
    let mut order: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut repeats = 0;
    for one in told {
        if !ids.insert(one.event_id.as_str()) {
            repeats += 1;
            continue;
        }
        steps.entry((&one.object_id, one.step)).or_default().insert(&one.event_id);
        order.entry(&one.object_id).or_default().push(one.step);
    }
    let lost = acknowledged.iter().flat_map(|(id, all)| {
        all.iter()
            .filter(|step| !steps.contains_key(&(id.as_str(), **step)))
            .map(move |step| format!("{id} {step}"))
    });
    let lost: Vec<String> = lost.collect();
    let doubled = steps.iter().filter(|(_, ids)| ids.len() > 1).map(|(key, ids)| format!("{key:?}: {ids:?}"));
    let disordered =
        order.iter().filter(|(_, steps)| !steps.is_sorted()).map(|(id, steps)| format!("{id}: {steps:?}"));
    Verdict { repeats, doubled: doubled.collect(), disordered: disordered.collect(), lost }
}

/// A connector with an event hook and an instance of it; the path of its address.
async fn set_up(node: &Node, receiver: &Receiver) -> String {
    let ask = async |method: reqwest::Method, path: &str, body: Option<Value>| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client
            .request(method, format!("{}{path}", node.api))
            .header("authorization", format!("User {USER}, Organization {TOKEN}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let element = json!({
        "key": "pushy", "name": "pushy", "description": "d", "hub": "crm", "authentication": {"type": "none"},
        "configuration": [], "parameters": [], "resources": [],
        "hooks": [{"type": "event", "mimeType": "application/javascript", "body": HOOK, "isLegacy": false}],
    });
    ask(reqwest::Method::POST, "/elements", Some(element)).await;
    let document = json!({
        "name": "crash", "element": {"key": "pushy"},
        "configuration": {
            "event.notification.enabled": true,
            "event.notification.callback.url": receiver.url_of("/told"),
            "event.notification.signature.key": KEY,
            // A node that is down for longer than any window is what this is about.
            "event.webhook.repeatWindow": "24h",
        }
    });
    let made = ask(reqwest::Method::POST, "/instances", Some(document)).await;
    let shown = ask(reqwest::Method::GET, &format!("/instances/{}/webhook", made["id"]), None).await;
    let url = shown["url"].as_str().unwrap();
    url.split_once("/api-v2").unwrap().1.to_owned()
}
