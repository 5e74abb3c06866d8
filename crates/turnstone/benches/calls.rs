//! Measures resource calls: a second's worth through mapping and hooks, against the same requests made bare.
//!
//! `CALLS` sets their number, `AT_ONCE` how many are under way. All sides ask the same provider over real sockets in
//! one run, so that their ratio says what a call costs beside its request: finding the resource, settings and tokens
//! from the store, mapping 100 records, and two hooks in their workers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use turnstone_core::call::{CallRequest, VendorBody, VendorRequest};
use turnstone_core::check::CheckSettings;
use turnstone_core::id::OrgId;
use turnstone_engine::calls::{CallSettings, Calls, Parts};
use turnstone_engine::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::connectors::Connectors;
use turnstone_engine::document::seal_document_of;
use turnstone_engine::egress::{
    Bodies, BodyBudget, Client, Connection, Guard, Net, Policy, Setup, install_crypto,
};
use turnstone_engine::hooks::{HookPool, PoolSettings};
use turnstone_engine::prepare::{Preparer, References};
use turnstone_engine::secrets::KeyRing;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{Directory, InstanceRow, NewElement, NewInstance, Store};

/// Records of one answer.
const RECORDS: usize = 100;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    install_crypto();
    let number = |name: &str, otherwise: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (calls, at_once) = (number("CALLS", 5_000), number("AT_ONCE", 4).max(1));
    let provider = provider().await?;
    let node = Node::new().await?;
    let plain = node.instance("plain", &provider, false).await?;
    let hooked = node.instance("hooked", &provider, true).await?;

    let bare = measure("made bare", calls, at_once, {
        let (node, url) = (node.clone(), format!("{provider}/things?size={RECORDS}"));
        move || node.clone().bare(url.clone())
    })
    .await?;
    for (name, row) in [("through mapping", plain), ("through mapping and two hooks", hooked)] {
        let node = node.clone();
        let rate = measure(name, calls, at_once, move || node.clone().call(row.clone())).await?;
        println!("  ratio to bare: {:.2}", rate / bare);
    }
    Ok(())
}

/// A provider that always says the same.
async fn provider() -> Result<String> {
    let record = |at: usize| json!({"id": at, "name": format!("thing {at}"), "amount": 12.5, "owner": {"name": "ann"}, "tags": ["a", "b"]});
    let body = json!({"items": (0..RECORDS).map(record).collect::<Vec<_>>()}).to_string();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let answer = move || {
        let body = body.clone();
        async move { ([("content-type", "application/json")], body) }
    };
    let router = axum::Router::new().route("/things", axum::routing::get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// What calls are made with.
#[derive(Clone)]
struct Node {
    store: Arc<SqliteStore>,
    connectors: Arc<Connectors>,
    keys: Arc<KeyRing>,
    net: Arc<dyn Net>,
    calls: Calls,
    budget: BodyBudget,
    org: OrgId,
}

impl Node {
    async fn new() -> Result<Node> {
        let store = Arc::new(SqliteStore::in_memory()?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let keys = Arc::new(KeyRing::parse(&"07".repeat(32), "the benchmark")?);
        let client = Client::new(Setup::new(Guard::new(Policy::AllowPrivate), Arc::clone(&clock)))?;
        let net: Arc<dyn Net> = Arc::new(client);
        let connectors = Arc::new(Connectors::new(Arc::clone(&store) as _, Arc::clone(&keys)));
        let preparer = Preparer::new(CheckSettings::new(clock.now()), Arc::clone(&keys), References::Refuse);
        let program = PathBuf::from(env!("CARGO_BIN_EXE_turnstone"));
        let budget = BodyBudget::default();
        let calls = Calls::new(Parts {
            store: Arc::clone(&store) as _,
            directory: Arc::clone(&store) as _,
            preparer: Arc::new(preparer.with_connectors(Arc::clone(&connectors))),
            net: Arc::clone(&net),
            clock: Arc::clone(&clock),
            entropy,
            hooks: Some(HookPool::new(PoolSettings::of(program), Arc::clone(&clock))),
            budget: budget.clone(),
            settings: CallSettings::default(),
        });
        let org = store.ensure_org("one", clock.now()).await?;
        Ok(Node { store, connectors, keys, net, calls, budget, org })
    }

    /// An instance of a connector of its own.
    async fn instance(&self, key: &str, provider: &str, with_hooks: bool) -> Result<InstanceRow> {
        let now = SystemClock::new().now();
        let new = NewElement {
            org: self.org,
            key: key.to_owned(),
            name: key.to_owned(),
            document: element(key, with_hooks).to_string(),
            ids: "{}".to_owned(),
            active: true,
        };
        let element = self.store.create_element(new, now).await?;
        let connector = self.connectors.get(self.org, element, 1).await?;
        let document =
            json!({"element": {"key": key}, "configuration": {"base.url": provider, "api.key": "key-0123"}});
        let sealed = seal_document_of(Some(&connector), &document, &self.keys, self.org, &SystemEntropy);
        let mut token_hash = [0; 32];
        SystemEntropy.fill(&mut token_hash);
        let new = NewInstance {
            org: self.org,
            element_key: key.to_owned(),
            element: Some((element, 1)),
            name: key.to_owned(),
            tags: Vec::new(),
            token_hash,
            document: sealed.to_string(),
            enabled: true,
            pollers: Vec::new(),
            endpoint: None,
            intake: None,
        };
        let id = self.store.create_instance(new, now).await?;
        Ok(self.store.instance(self.org, id).await?)
    }

    /// The request alone, its answer read to the end.
    fn bare(self, url: String) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let origin = url::Url::parse(&url)?.origin();
            let request =
                VendorRequest { method: "GET".into(), url, headers: Vec::new(), body: VendorBody::Empty };
            let connection = Connection {
                headers: Vec::new(),
                basic: None,
                origins: vec![origin],
                bodies: Bodies::new(&self.budget),
            };
            let reply = self.net.send(request.into_request("none"), &connection).await;
            let response = reply.outcome.map_err(|error| anyhow::anyhow!(error.message))?;
            ensure!(response.status == 200, "the provider answers {}", response.status);
            Ok(())
        })
    }

    /// What `GET /hubs/crm/things` does behind its route.
    fn call(self, row: InstanceRow) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let url = format!("/hubs/crm/things?pageSize={RECORDS}&where=since='2026-01-01T00:00:00Z'");
            let answer = self.calls.call(row.org, row.id, CallRequest::get(&url)).await;
            ensure!(answer.status == 200, "the call answers {answer:?}");
            Ok(())
        })
    }
}

fn element(key: &str, with_hooks: bool) -> Value {
    let hook = |kind: &str, body: &str| json!({"type": kind, "mimeType": "application/javascript", "body": body, "isLegacy": false});
    let hooks = match with_hooks {
        true => vec![
            hook("preRequest", "done({request_vendor_headers: {'X-Mark': CE.md5 ? '1' : '2'}})"),
            hook("postRequest", "done({response_body: response_body})"),
        ],
        false => Vec::new(),
    };
    json!({
        "key": key, "name": key, "description": "for the benchmark", "hub": "crm",
        "authentication": {"type": "apiKey"},
        "configuration": [
            {"key": "base.url", "name": "Base", "type": "TEXTFIELD_1000"},
            {"key": "api.key", "name": "Key", "type": "PASSWORD"}
        ],
        "parameters": [
            {"name": "api.key", "type": "configuration", "vendorName": "x-key", "vendorType": "header"}
        ],
        "hooks": hooks,
        "resources": [{
            "type": "api", "method": "GET", "path": "/hubs/crm/things", "vendorMethod": "GET", "vendorPath": "/things",
            "rootKey": "|items",
            "parameters": [
                {"name": "where", "type": "query", "vendorName": "where", "vendorType": "query",
                    "converter": "toQueryParameters"},
                {"name": "pageSize", "type": "query", "vendorName": "size", "vendorType": "query"},
                {"name": "ownerName", "type": "bodyField", "vendorName": "owner.name", "vendorType": "bodyField",
                    "source": "response"}
            ],
            "hooks": []
        }]
    })
}

/// Calls a second.
async fn measure(
    name: &str,
    count: usize,
    at_once: usize,
    make: impl Fn() -> BoxFuture<'static, Result<()>> + Clone + Send + 'static,
) -> Result<f64> {
    make().await.with_context(|| format!("{name}: the first fails"))?;
    let started = Instant::now();
    let tasks: Vec<_> = (0..at_once)
        .map(|_| {
            let make = make.clone();
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(count / at_once);
                for _ in 0..count.div_ceil(at_once) {
                    let began = Instant::now();
                    make().await?;
                    times.push(began.elapsed());
                }
                anyhow::Ok(times)
            })
        })
        .collect();
    let mut times: Vec<Duration> = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{name}, {at_once} at once: {rate:.0} calls/s with {RECORDS} records, p50 {:.2} ms, p99 {:.2} ms",
        at(0.5),
        at(0.99)
    );
    Ok(rate)
}
