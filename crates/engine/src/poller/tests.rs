//! Turns, leases, stops and panics of the loop, over the store in memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::json;
use turnstone_core::check::CheckSettings;
use turnstone_core::id::OrgId;
use turnstone_core::run::{Reply, Request, Response};
use turnstone_store::memory::MemoryStore;
use turnstone_store::{NewInstance, NewPoller, Store};

use super::*;
use crate::clock::{Clock, SeededEntropy, SystemClock};
use crate::egress::{Callback, CallbackReply, Connection, Net};
use crate::prepare::References;
use crate::secrets::KeyRing;

/// A provider whose host names say how it behaves.
#[derive(Default)]
struct Provider {
    at_once: AtomicUsize,
    most: AtomicUsize,
    asked: Mutex<Vec<String>>,
    arrived: Notify,
    go: Notify,
}

#[async_trait]
impl Net for Provider {
    async fn send(&self, request: Request, _: &Connection) -> Reply {
        self.asked.lock().unwrap().push(request.url.clone());
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.arrived.notify_one();
        assert!(!request.url.contains("panics.test"), "a mistake of ours");
        if request.url.contains("slow.test") {
            self.go.notified().await;
        }
        tokio::task::yield_now().await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let clock = SystemClock::new();
        let body = r#"[{"id":1,"updated":"2026-01-01T00:00:00Z"}]"#.to_owned();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let response = Response { status: 200, headers, body };
        Reply { sent_at: clock.now(), to_head: Duration::ZERO, outcome: Ok(response) }
    }

    async fn post(&self, _: Callback) -> CallbackReply {
        unreachable!("nothing is delivered here")
    }
}

struct World {
    store: Arc<MemoryStore>,
    provider: Arc<Provider>,
    poller: Arc<Poller>,
    ended: Arc<Notify>,
}

fn world(settings: PollerSettings) -> World {
    let (store, provider) = (Arc::new(MemoryStore::new()), Arc::new(Provider::default()));
    let tools = Tools {
        store: Arc::clone(&store) as Arc<dyn Store>,
        net: Arc::clone(&provider) as Arc<dyn Net>,
        clock: Arc::new(SystemClock::new()),
    };
    let keys = Arc::new(KeyRing::parse(&"07".repeat(32), "the test").unwrap());
    let checks = CheckSettings::new(tools.clock.now());
    let preparer = Arc::new(Preparer::new(checks, keys, References::Refuse));
    let ended = Arc::new(Notify::new());
    let told = Arc::clone(&ended);
    let on_progress: OnProgress = Arc::new(move |_, progress| {
        if let Progress::Committed(_) = progress {
            told.notify_one();
        }
    });
    let entropy = Arc::new(SeededEntropy::new(1));
    let poller = Poller::new(tools, preparer, BodyBudget::default(), entropy, settings, on_progress);
    World { store, provider, poller, ended }
}

impl World {
    async fn add(&self, org: &str, host: &str) -> (OrgId, PollerId) {
        let now = SystemClock::new().now();
        let org = self.store.ensure_org(org, now).await.unwrap();
        let document = json!({
            "element": {"key": "crm"},
            "configuration": {"event.poller.configuration": {"customers": {
                "url": format!("https://{host}/customers"), "idField": "id", "startFrom": "beginning",
                "datesConfiguration": {
                    "updatedDateField": "updated", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"}}}}
        });
        let mut token_hash = [0; 32];
        let count = self.store.instances(org).await.unwrap().len() as u8;
        token_hash[..2].copy_from_slice(&[org.0 as u8, count]);
        let new = NewInstance {
            org,
            element_key: "crm".into(),
            element: None,
            name: "crm".into(),
            tags: Vec::new(),
            token_hash,
            document: if host.is_empty() { "{}".into() } else { document.to_string() },
            enabled: true,
            pollers: vec![NewPoller {
                resource: "customers".into(),
                revision: 1,
                next_due: now,
                interval: Duration::from_secs(3600),
            }],
            endpoint: None,
            intake: None,
        };
        let instance = self.store.create_instance(new, now).await.unwrap();
        (org, self.store.pollers(org, Some(instance)).await.unwrap()[0].id)
    }

    async fn last_run(&self, org: OrgId, poller: PollerId) -> Option<RunRecord> {
        self.store.runs(org, poller, 1).await.unwrap().into_iter().next()
    }

    /// Polls until each of these pollers has a run, and stops.
    async fn run_all(&self, pollers: &[(OrgId, PollerId)]) {
        let stop = Stop::new();
        let watch = async {
            for (org, poller) in pollers {
                while self.last_run(*org, *poller).await.is_none() {
                    tokio::task::yield_now().await;
                }
            }
            stop.ask();
        };
        tokio::join!(self.poller.run(&stop), watch);
    }
}

#[tokio::test]
async fn what_is_due_is_polled_and_recorded() {
    let world = world(PollerSettings::default());
    let (org, poller) = world.add("one", "api.test").await;
    world.run_all(&[(org, poller)]).await;
    let run = world.last_run(org, poller).await.unwrap();
    assert_eq!((run.outcome, run.counts.events()), (RunOutcome::Completed, 1), "{run:?}");
    assert!(world.store.poller(org, poller).await.unwrap().next_due > run.finished_at);
}

#[tokio::test]
async fn a_panic_is_a_failed_run_and_harms_no_other() {
    let world = world(PollerSettings::default());
    let bad = world.add("one", "panics.test").await;
    let good = world.add("two", "api.test").await;
    world.run_all(&[bad, good]).await;
    let run = world.last_run(bad.0, bad.1).await.unwrap();
    assert_eq!(run.error.map(|fault| fault.code).as_deref(), Some("internal"));
    assert_eq!(world.last_run(good.0, good.1).await.unwrap().outcome, RunOutcome::Completed);
    let row = world.store.poller(bad.0, bad.1).await.unwrap();
    assert_eq!(PollerState::read(&row.state).unwrap().failures, 1);
    assert_eq!(row.status.code, "internal");
}

#[tokio::test]
async fn a_document_that_cannot_be_prepared_fails_with_its_sentence() {
    let world = world(PollerSettings::default());
    let (org, poller) = world.add("one", "").await;
    world.run_all(&[(org, poller)]).await;
    let fault = world.last_run(org, poller).await.unwrap().error.unwrap();
    assert_eq!(fault.code, "badConfiguration");
    assert!(fault.message.contains("element"), "{}", fault.message);
    assert!(world.store.poller(org, poller).await.unwrap().status.needs_attention);
}

#[tokio::test]
async fn one_host_is_not_asked_more_often_than_allowed_at_once() {
    let world = world(PollerSettings { runs_per_host_max: 2, ..PollerSettings::default() });
    let mut pollers = Vec::new();
    for org in ["one", "two", "three", "four", "five"] {
        pollers.push(world.add(org, "api.test").await);
    }
    world.run_all(&pollers).await;
    assert!(world.provider.most.load(Ordering::SeqCst) <= 2);
    assert_eq!(world.provider.asked.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_stop_releases_the_claim_and_leaves_the_poller_due() {
    let world = world(PollerSettings::default());
    let (org, poller) = world.add("one", "slow.test").await;
    let due = world.store.poller(org, poller).await.unwrap().next_due;
    let stop = Stop::new();
    let watch = async {
        world.provider.arrived.notified().await;
        stop.ask();
    };
    tokio::join!(world.poller.run(&stop), watch);
    assert!(world.last_run(org, poller).await.is_none());
    let now = SystemClock::new().now();
    let again = world.store.claim(poller, now, Duration::from_secs(1)).await.unwrap().unwrap();
    assert_eq!(again.poller.next_due, due);
}

#[tokio::test]
async fn a_lost_lease_ends_the_run() {
    let lease = Duration::from_millis(30);
    let world = world(PollerSettings { lease, ..PollerSettings::default() });
    let (_, poller) = world.add("one", "slow.test").await;
    let stop = Stop::new();
    let run = world.poller.poll_once(poller, Options::default(), &stop);
    let watch = async {
        world.provider.arrived.notified().await;
        world.store.reopen(); // Every claim ends, as after a crash.
    };
    let (turn, ()) = tokio::join!(run, watch);
    assert!(matches!(turn, Ok(Some(Turn::LeaseLost))), "{turn:?}");
}

#[tokio::test]
async fn a_slow_run_keeps_its_lease_and_tells_its_progress() {
    let lease = Duration::from_millis(30);
    let world = world(PollerSettings { lease, ..PollerSettings::default() });
    let (org, poller) = world.add("one", "slow.test").await;
    let stop = Stop::new();
    let run = world.poller.poll_once(poller, Options::default(), &stop);
    let watch = async {
        world.provider.arrived.notified().await;
        tokio::time::sleep(4 * lease).await;
        assert!(world.store.due(SystemClock::new().now(), 9, 9).await.unwrap().is_empty(), "still ours");
        world.provider.go.notify_one();
        world.ended.notified().await;
    };
    let (turn, ()) = tokio::join!(run, watch);
    assert!(matches!(turn, Ok(Some(Turn::Finished(_)))), "{turn:?}");
    assert_eq!(world.last_run(org, poller).await.unwrap().outcome, RunOutcome::Completed);
}
