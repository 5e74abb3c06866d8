//! Measures the taking in of webhooks by the real program: requests acknowledged a second, each after the flush, and
//! how long one takes; then a burst of ten times a steady rate, of which everything that is acknowledged must become
//! an event and everything else must be told when to come back.
//!
//! The program, the senders and the receiver of the events share the machine. `STEADY` sets the steady rate per second,
//! `BURST` the seconds of the burst.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use turnstone_engine::egress::install_crypto;

const TOKEN: &str = "bench-organisation-token-0123456789";
const USER: &str = "bench-user-token-0123456789-abcdef";
const HOOK: &str = r#"done({events: [{event_type: "UPDATED", event_object_id: events.id, event_object_type: "contacts"}]});"#;
/// Senders at once while the most is measured.
const SENDERS: usize = 64;
/// Instances that the load is spread over.
const INSTANCES: usize = 8;

struct Node {
    child: Child,
    api: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Tally {
    number: AtomicU64,
    acknowledged: AtomicU64,
    told_to_wait: AtomicU64,
    without_retry_after: AtomicU64,
    unanswered: AtomicU64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    install_crypto();
    let number =
        |name: &str, or: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let data = tempfile::tempdir()?;
    let node = start(data.path())?;
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(4_096).build()?;
    let addresses = Arc::new(set_up(&node, &client).await?);
    let tally = Arc::new(Tally::default());

    let (waits, took) = most(&client, &addresses, &tally, Duration::from_secs(10)).await?;
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    println!(
        "{SENDERS} senders: {:.0} requests/s acknowledged after the flush, p50 {:.1} ms, p99 {:.1} ms",
        waits.len() as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.99)
    );
    settled(&node, &client, tally.acknowledged.load(Ordering::SeqCst)).await?;

    let (steady, seconds) = (number("STEADY", 400), number("BURST", 30));
    let before = tally.acknowledged.load(Ordering::SeqCst);
    let waited_before = tally.told_to_wait.load(Ordering::SeqCst);
    burst(&client, &addresses, &tally, steady * 10, Duration::from_secs(seconds)).await;
    let acknowledged = tally.acknowledged.load(Ordering::SeqCst);
    let waiting = tally.told_to_wait.load(Ordering::SeqCst) - waited_before;
    println!(
        "burst of {} requests/s for {seconds} s: {} acknowledged, {waiting} told to come back, {} of them without \
         Retry-After, {} unanswered",
        steady * 10,
        acknowledged - before,
        tally.without_retry_after.load(Ordering::SeqCst),
        tally.unanswered.load(Ordering::SeqCst)
    );
    let began = Instant::now();
    let events = settled(&node, &client, acknowledged).await?;
    println!(
        "events of all {acknowledged} acknowledged requests: {events}, lost {}; the last {:.1} s after the burst",
        acknowledged.saturating_sub(events),
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

fn start(data: &std::path::Path) -> Result<Node> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_turnstone"))
        .args(["serve", "--listen", "127.0.0.1:0", "--allow-private", "--quiet", "--data"])
        .arg(data)
        .env("TURNSTONE_TOKEN", TOKEN)
        .env("TURNSTONE_USER_TOKEN", USER)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("it is piped")?).lines();
    loop {
        let line = lines.next().context("it ended before it listened")??;
        if let Some((_, address)) = line.split_once("listens on ") {
            let api = address.trim().to_owned();
            // Read on, or the program would wait for somebody to do it.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(Node { child, api });
        }
    }
}

async fn ask(
    node: &Node,
    client: &reqwest::Client,
    method: reqwest::Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value> {
    let mut request = client
        .request(method, format!("{}{path}", node.api))
        .header("authorization", format!("User {USER}, Organization {TOKEN}"));
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{status}: {text}");
    }
    Ok(serde_json::from_str(&text)?)
}

/// A connector with an event hook, and instances of it; their addresses.
async fn set_up(node: &Node, client: &reqwest::Client) -> Result<Vec<String>> {
    let element = json!({
        "key": "pushy", "name": "pushy", "description": "d", "hub": "crm", "authentication": {"type": "none"},
        "configuration": [], "parameters": [], "resources": [],
        "hooks": [{"type": "event", "mimeType": "application/javascript", "body": HOOK, "isLegacy": false}],
    });
    ask(node, client, reqwest::Method::POST, "/elements", Some(element)).await?;
    let mut addresses = Vec::new();
    for _ in 0..INSTANCES {
        let document = json!({"name": "bench", "element": {"key": "pushy"},
            "configuration": {"event.notification.enabled": true}});
        let made = ask(node, client, reqwest::Method::POST, "/instances", Some(document)).await?;
        let shown =
            ask(node, client, reqwest::Method::GET, &format!("/instances/{}/webhook", made["id"]), None)
                .await?;
        addresses.push(shown["url"].as_str().context("an address")?.to_owned());
    }
    Ok(addresses)
}

/// Sends one notification. Whether it was acknowledged.
async fn notify(client: &reqwest::Client, addresses: &[String], tally: &Tally) -> bool {
    let number = tally.number.fetch_add(1, Ordering::SeqCst);
    let address = &addresses[number as usize % addresses.len()];
    let filler = "x".repeat(900);
    let body = json!({"id": format!("r{number}"), "filler": filler}).to_string();
    match client.post(address).body(body).send().await {
        Ok(answer) if answer.status().is_success() => {
            let _ = answer.bytes().await;
            tally.acknowledged.fetch_add(1, Ordering::SeqCst);
            true
        }
        Ok(answer) => {
            let asks = answer.headers().contains_key("retry-after");
            let fits = matches!(answer.status().as_u16(), 429 | 503) && asks;
            tally.told_to_wait.fetch_add(1, Ordering::SeqCst);
            tally.without_retry_after.fetch_add(u64::from(!fits), Ordering::SeqCst);
            let _ = answer.bytes().await;
            false
        }
        Err(_) => {
            tally.unanswered.fetch_add(1, Ordering::SeqCst);
            false
        }
    }
}

/// As many as these senders get acknowledged, one after the other each.
async fn most(
    client: &reqwest::Client,
    addresses: &Arc<Vec<String>>,
    tally: &Arc<Tally>,
    time: Duration,
) -> Result<(Vec<Duration>, Duration)> {
    let began = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (client, addresses, tally) = (client.clone(), Arc::clone(addresses), Arc::clone(tally));
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while began.elapsed() < time {
                    let sent = Instant::now();
                    if notify(&client, &addresses, &tally).await {
                        waits.push(sent.elapsed());
                    }
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for sender in senders {
        waits.extend(sender.await?);
    }
    waits.sort_unstable();
    if waits.is_empty() {
        bail!("nothing was acknowledged");
    }
    Ok((waits, began.elapsed()))
}

/// So many a second, whatever becomes of them.
async fn burst(
    client: &reqwest::Client,
    addresses: &Arc<Vec<String>>,
    tally: &Arc<Tally>,
    per_second: u64,
    time: Duration,
) {
    let mut flights = tokio::task::JoinSet::new();
    let began = Instant::now();
    let mut sent = 0;
    while began.elapsed() < time {
        let due = (began.elapsed().as_secs_f64() * per_second as f64) as u64;
        while sent < due {
            sent += 1;
            let (client, addresses, tally) = (client.clone(), Arc::clone(addresses), Arc::clone(tally));
            flights.spawn(async move { notify(&client, &addresses, &tally).await });
        }
        while flights.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while flights.join_next().await.is_some() {}
}

/// Waits until nothing waits for its hook any more; how many events there are.
async fn settled(node: &Node, client: &reqwest::Client, wanted: u64) -> Result<u64> {
    let began = Instant::now();
    loop {
        let waiting =
            ask(node, client, reqwest::Method::GET, "/webhooks/requests?state=received&pageSize=1", None)
                .await?;
        let is_idle = waiting.as_array().is_some_and(Vec::is_empty);
        if is_idle || began.elapsed() > Duration::from_secs(600) {
            let last = ask(node, client, reqwest::Method::GET, "/instances/events?pageSize=1", None).await?;
            let events = last[0]["position"].as_u64().unwrap_or(0);
            if !is_idle {
                bail!("only {events} events of {wanted} after ten minutes");
            }
            return Ok(events);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
