//! A store in memory, a clock that stands until it is moved, and receivers that do what the test says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::event::{Event, EventType, Identity, Moment};
use turnstone_core::id::{EndpointId, InstanceId, NotificationId, OrgId, PollerId, RunId};
use turnstone_core::json_hash::ContentHash;
use turnstone_core::poll::Batch;
use turnstone_core::run::{FetchError, FetchErrorKind, Reply, Request};
use turnstone_engine::clock::{Clock, ManualClock, SeededEntropy};
use turnstone_engine::deliverer::{
    DeliveredSummary, Deliverer, EndpointConfig, HttpCallback, Limits, Parts, Vault,
};
use turnstone_engine::egress::{Callback, CallbackAnswer, CallbackReply, Connection, Net};
use turnstone_store::memory::MemoryStore;
use turnstone_store::{
    AttemptRow, Committed, EndpointRow, Lease, NewEndpoint, NewInstance, NewPoller, NotificationFilter,
    NotificationRow, Store,
};

pub const START: &str = "2026-03-01T12:00:00Z";

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers with this status.
    Status(u16),
    /// Answers with this status and `Retry-After`.
    Later(u16, &'static str),
    /// The connection breaks; `true` when the receiver had read the request.
    Break(bool),
    /// Says nothing until the request's time is over.
    Hang,
}

/// One request as a receiver got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub at: Timestamp,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub accepted: bool,
}

impl Seen {
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let of_name = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value.as_str()).collect()
    }

    pub fn id(&self) -> &str {
        self.headers("Elements-Webhook-Id")[0]
    }

    fn events(&self) -> Vec<serde_json::Value> {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["message"]["events"].as_array().unwrap().clone()
    }

    /// `a1 b2`: record and sequence of each event.
    pub fn story(&self) -> String {
        let one = |event: &serde_json::Value| {
            format!("{}{}", event["objectId"].as_str().unwrap(), event["sequence"].as_u64().unwrap())
        };
        self.events().iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

type Script = dyn Fn(&Seen, usize) -> Act + Send + Sync;

/// The network: hands every request to the script, with the number of requests before it.
pub struct Receivers {
    clock: ManualClock,
    script: Mutex<Arc<Script>>,
    seen: Mutex<Vec<Seen>>,
    hanging: Mutex<BTreeMap<String, (usize, usize)>>,
}

impl Receivers {
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The most requests that hung at once towards this address.
    pub fn hung_at_most(&self, url: &str) -> usize {
        self.hanging.lock().unwrap().get(url).map_or(0, |(_, most)| *most)
    }

    /// The stories of what was accepted, in order.
    pub fn accepted(&self) -> Vec<String> {
        self.seen().iter().filter(|seen| seen.accepted).map(Seen::story).collect()
    }
}

#[async_trait]
impl Net for Receivers {
    async fn send(&self, _request: Request, _connection: &Connection) -> Reply {
        panic!("a deliverer asks nobody for records")
    }

    async fn post(&self, callback: Callback) -> CallbackReply {
        let sent_at = self.clock.now();
        let headers = callback.headers.iter();
        let mut seen = Seen {
            at: sent_at,
            url: callback.url.clone(),
            headers: headers.map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
            body: String::from_utf8(callback.body.to_vec()).unwrap(),
            accepted: false,
        };
        let script = Arc::clone(&self.script.lock().unwrap());
        let act = {
            let mut log = self.seen.lock().unwrap();
            let act = script(&seen, log.len());
            seen.accepted = matches!(act, Act::Status(200..=299) | Act::Break(true));
            log.push(seen);
            act
        };
        let answer = |status, retry_after: Option<&str>| {
            let text = format!("said {status}");
            Ok(CallbackAnswer { status, retry_after: retry_after.map(str::to_owned), text })
        };
        let failed =
            |kind, message: &str| Err(FetchError { kind, message: format!("`{}` {message}", callback.url) });
        let outcome = match act {
            Act::Status(status) => answer(status, None),
            Act::Later(status, retry_after) => answer(status, Some(retry_after)),
            Act::Break(_) => failed(FetchErrorKind::Broken, "broke the connection"),
            Act::Hang => {
                {
                    let mut hanging = self.hanging.lock().unwrap();
                    let (now, most) = hanging.entry(callback.url.clone()).or_default();
                    *now += 1;
                    *most = (*most).max(*now);
                }
                self.clock.sleep(callback.timeout).await;
                self.hanging.lock().unwrap().get_mut(&callback.url).unwrap().0 -= 1;
                failed(FetchErrorKind::Timeout, "did not answer in time")
            }
        };
        let duration = Duration::try_from(self.clock.now().duration_since(sent_at)).unwrap();
        CallbackReply { sent_at, duration, outcome }
    }
}

/// An instance with one endpoint and one poller.
#[derive(Clone, Copy)]
pub struct Place {
    pub instance: InstanceId,
    pub endpoint: EndpointId,
    poller: PollerId,
    lease: Lease<PollerId>,
}

pub struct World {
    pub store: Arc<MemoryStore>,
    pub clock: ManualClock,
    pub receivers: Arc<Receivers>,
    pub deliverer: Arc<Deliverer>,
    pub org: OrgId,
    sequences: Mutex<BTreeMap<(InstanceId, String), u64>>,
    places: AtomicU64,
}

impl World {
    pub async fn new(script: impl Fn(&Seen, usize) -> Act + Send + Sync + 'static) -> World {
        let clock = ManualClock::new(START.parse().unwrap());
        let store = Arc::new(MemoryStore::new());
        let org = store.ensure_org("acme", clock.now()).await.unwrap();
        let receivers = Arc::new(Receivers {
            clock: clock.clone(),
            script: Mutex::new(Arc::new(script)),
            seen: Mutex::default(),
            hanging: Mutex::default(),
        });
        let deliverer = Arc::new(deliverer(Arc::clone(&store) as Arc<dyn Store>, &clock, &receivers));
        let (sequences, places) = (Mutex::default(), AtomicU64::new(0));
        World { store, clock, receivers, deliverer, org, sequences, places }
    }

    /// One more deliverer on the same store.
    pub fn another(&self) -> Deliverer {
        self.on(Arc::clone(&self.store) as Arc<dyn Store>)
    }

    /// A deliverer on this store.
    pub fn on(&self, store: Arc<dyn Store>) -> Deliverer {
        deliverer(store, &self.clock, &self.receivers)
    }

    /// From now on receivers do this.
    pub fn script(&self, script: impl Fn(&Seen, usize) -> Act + Send + Sync + 'static) {
        *self.receivers.script.lock().unwrap() = Arc::new(script);
    }

    pub async fn place(&self, url: &str) -> Place {
        self.place_with("callback", &config(url).to_json()).await
    }

    pub async fn place_with(&self, kind: &str, config: &str) -> Place {
        let now = self.clock.now();
        let number = self.places.fetch_add(1, Ordering::Relaxed) as u8;
        let instance = self
            .store
            .create_instance(
                NewInstance {
                    org: self.org,
                    element_key: "crm".into(),
                    element: None,
                    name: "Our CRM".into(),
                    tags: Vec::new(),
                    token_hash: [number; 32],
                    document: "{}".into(),
                    enabled: true,
                    pollers: vec![NewPoller {
                        resource: "contacts".into(),
                        revision: 1,
                        next_due: now,
                        interval: Duration::from_secs(60),
                    }],
                    endpoint: Some(NewEndpoint { kind: kind.into(), config: config.into() }),
                    intake: None,
                },
                now,
            )
            .await
            .unwrap();
        let endpoint = self.store.instance(self.org, instance).await.unwrap().endpoint.unwrap();
        let poller = self.store.pollers(self.org, Some(instance)).await.unwrap()[0].id;
        let year = Duration::from_secs(366 * 24 * 3600);
        let lease = self.store.claim(poller, now, year).await.unwrap().unwrap().lease;
        Place { instance, endpoint, poller, lease }
    }

    /// Records the next event of each record.
    pub async fn record(&self, place: Place, objects: &[&str]) {
        self.record_of(place, objects, "{\"n\": 1.10}").await;
    }

    /// The same, with the provider's text of the records.
    pub async fn record_of(&self, place: Place, objects: &[&str], text: &str) {
        let mut batch = Batch::default();
        for object in objects {
            let mut sequences = self.sequences.lock().unwrap();
            let sequence = sequences.entry((place.instance, (*object).to_owned())).or_default();
            *sequence += 1;
            batch.events.push(self.event(place, object, *sequence, text));
        }
        let committed = self.store.commit(place.lease, batch, self.clock.now()).await.unwrap();
        assert_eq!(committed, Committed::Yes);
    }

    fn event(&self, place: Place, object: &str, sequence: u64, text: &str) -> Event {
        let compared = sequence.to_string();
        let moment =
            Moment::Version { order: None, compared: &compared, hash: ContentHash([0; 16]), recurrence: 0 };
        let identity = Identity {
            org: self.org,
            instance: place.instance,
            resource: "contacts",
            object_id: object,
            incarnation: 1,
            moment,
        };
        Event {
            id: identity.id(),
            poller: place.poller,
            instance: place.instance,
            run: RunId([0; 16]),
            inbound: None,
            event_type: EventType::Updated,
            object_type: "contacts".into(),
            object_id: object.into(),
            element_key: "crm".into(),
            date: self.clock.now(),
            sequence,
            reason: "updated".into(),
            compared: String::new(),
            page: 0,
            record: Some(text.into()),
        }
    }

    pub async fn once(&self) -> DeliveredSummary {
        self.deliverer.deliver_once().await.unwrap()
    }

    /// Rounds until nothing is left to do now.
    pub async fn settle(&self) {
        for _ in 0..1_000 {
            if self.once().await.is_idle() {
                return;
            }
        }
        panic!("the deliverer never comes to rest");
    }

    /// Moves to the next due time and says whether there was one.
    pub async fn move_on(&self) -> bool {
        let Some(due) = self.deliverer.next_due().await.unwrap() else { return false };
        self.move_to(due);
        true
    }

    pub fn move_to(&self, at: Timestamp) {
        if let Ok(by) = Duration::try_from(at.duration_since(self.clock.now())) {
            self.clock.advance(by);
        }
    }

    /// Settles and moves on until nothing is due any more.
    pub async fn live(&self) {
        for _ in 0..1_000 {
            self.settle().await;
            if !self.move_on().await {
                return;
            }
        }
        panic!("something is always due");
    }

    pub fn seconds(&self, at: Timestamp) -> f64 {
        at.duration_since(START.parse().unwrap()).as_secs_f64()
    }

    pub async fn notifications(&self) -> Vec<NotificationRow> {
        let filter = NotificationFilter { limit: 10_000, ..NotificationFilter::default() };
        self.store.notifications(self.org, &filter).await.unwrap()
    }

    /// The states of all notifications, by id.
    pub async fn states(&self) -> Vec<&'static str> {
        self.notifications().await.iter().map(|row| row.state.as_str()).collect()
    }

    pub async fn attempts(&self, id: NotificationId) -> Vec<AttemptRow> {
        self.store.attempts(self.org, id).await.unwrap()
    }

    pub async fn endpoint(&self, place: Place) -> EndpointRow {
        let endpoints = self.store.endpoints(self.org).await.unwrap();
        endpoints.into_iter().find(|row| row.id == place.endpoint).unwrap()
    }

    /// Releases everything that waits.
    pub async fn release(&self) -> u64 {
        let filter = NotificationFilter { limit: 10_000, ..NotificationFilter::default() };
        self.store.redeliver(self.org, &filter, self.clock.now()).await.unwrap()
    }

    /// The receivers' view: every event accepted at least once, those of a record in their order, and the same id
    /// always with the same bytes.
    #[track_caller]
    pub fn check_promise(&self, url: &str, expect: &[&str]) {
        let mut bytes: BTreeMap<String, String> = BTreeMap::new();
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        let mut events = BTreeSet::new();
        for seen in self.receivers.seen().iter().filter(|seen| seen.url == url) {
            let first = bytes.entry(seen.id().to_owned()).or_insert_with(|| seen.body.clone());
            assert_eq!(*first, seen.body, "notification {} changed", seen.id());
            for event in seen.events().iter().filter(|_| seen.accepted) {
                let object = event["objectId"].as_str().unwrap().to_owned();
                let sequence = event["sequence"].as_u64().unwrap();
                let last = last.entry(object.clone()).or_default();
                assert!(sequence >= *last, "{object}{sequence} came after {object}{last}");
                *last = sequence;
                events.insert(format!("{object}{sequence}"));
            }
        }
        assert_eq!(events, expect.iter().map(|event| (*event).to_owned()).collect());
    }
}

pub fn config(url: &str) -> EndpointConfig {
    EndpointConfig::from_json(&format!("{{\"url\":\"{url}\"}}")).unwrap()
}

fn deliverer(store: Arc<dyn Store>, clock: &ManualClock, receivers: &Arc<Receivers>) -> Deliverer {
    let net: Arc<dyn Net> = Arc::clone(receivers) as Arc<dyn Net>;
    let sink = HttpCallback::new(net, Arc::new(clock.clone()), Vault::of_user());
    Deliverer::new(Parts {
        store,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(7)),
        inbox: None,
        limits: Limits::default(),
    })
    .with_sink(HttpCallback::KIND, Arc::new(sink))
}
