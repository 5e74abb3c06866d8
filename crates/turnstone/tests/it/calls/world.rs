//! A node without its loops: store, connectors, calls and a poller that polls when it is told to.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use turnstone_core::call::{CallAnswer, CallFault, CallRequest};
use turnstone_core::check::CheckSettings;
use turnstone_core::connector::{Connector, Document};
use turnstone_core::event::Event;
use turnstone_core::id::{ElementId, OrgId};
use turnstone_core::poll::{Finish, Options};
use turnstone_engine::calls::{CallSettings, Calls, Parts};
use turnstone_engine::clock::{Clock, SystemClock, SystemEntropy};
use turnstone_engine::connections::ConnectionSettings;
use turnstone_engine::connectors::Connectors;
use turnstone_engine::document::seal_document_of;
use turnstone_engine::driver::Tools;
use turnstone_engine::egress::{BodyBudget, Client, Guard, Net, Policy, Setup};
use turnstone_engine::hooks::{HookPool, PoolSettings};
use turnstone_engine::poller::{Beside, Poller, PollerSettings, Turn};
use turnstone_engine::prepare::{Before, Preparer, References, pollers_of};
use turnstone_engine::secrets::KeyRing;
use turnstone_engine::stop::Stop;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{
    Directory, EventFilter, InstanceRow, NewElement, NewInstance, PollerRow, Store, StoreError,
};

/// Everything that a node works with, over one database.
pub struct World {
    pub store: Arc<SqliteStore>,
    pub calls: Calls,
    pub preparer: Arc<Preparer>,
    pub poller: Arc<Poller>,
    pub connectors: Arc<Connectors>,
    pub org: OrgId,
}

/// A stored connector.
pub struct Element {
    pub id: ElementId,
    pub connector: Arc<Connector>,
}

pub fn keys() -> Arc<KeyRing> {
    Arc::new(KeyRing::parse(&"07".repeat(32), "the test").unwrap())
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_turnstone"))
}

impl World {
    /// A world that is gone with the process.
    pub async fn new() -> World {
        World::over(SqliteStore::in_memory().unwrap(), ConnectionSettings::default()).await
    }

    /// A world in a file; claims of renewals last as long as told.
    pub async fn in_file(path: &Path, lease: Duration) -> World {
        // Only one process is alive at a time, so a slow machine may take longer for a request than a claim lasts.
        let settings = ConnectionSettings { lease, request: Duration::from_secs(30) };
        World::over(SqliteStore::open(path).unwrap(), settings).await
    }

    /// Another process over the same store, as far as it can tell.
    pub async fn twin(&self) -> World {
        World::with(Arc::clone(&self.store), ConnectionSettings::default()).await
    }

    async fn over(store: SqliteStore, connections: ConnectionSettings) -> World {
        World::with(Arc::new(store), connections).await
    }

    async fn with(store: Arc<SqliteStore>, connections: ConnectionSettings) -> World {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let net: Arc<dyn Net> =
            Arc::new(Client::new(Setup::new(Guard::new(Policy::AllowPrivate), Arc::clone(&clock))).unwrap());
        let tools =
            Tools { store: Arc::clone(&store) as _, net: Arc::clone(&net), clock: Arc::clone(&clock) };
        let connectors = Arc::new(Connectors::new(Arc::clone(&store) as _, keys()));
        let check = CheckSettings { interval_min: Duration::ZERO, ..CheckSettings::new(clock.now()) };
        let preparer = Preparer::new(check, keys(), References::Refuse);
        let preparer = Arc::new(preparer.with_connectors(Arc::clone(&connectors)));
        let settings = CallSettings { connections, ..CallSettings::default() };
        let budget = BodyBudget::default();
        let calls = Calls::new(Parts {
            store: Arc::clone(&store) as _,
            directory: Arc::clone(&store) as _,
            preparer: Arc::clone(&preparer),
            net,
            clock: Arc::clone(&clock),
            entropy: Arc::new(SystemEntropy),
            hooks: Some(HookPool::new(PoolSettings::of(program()), Arc::clone(&clock))),
            budget: budget.clone(),
            settings,
        });
        let poller = Poller::of_node(
            tools,
            Arc::clone(&preparer),
            budget,
            Arc::new(SystemEntropy),
            PollerSettings::default(),
            Arc::new(|_, _| {}),
            Beside { calls: Some(calls.clone()), ..Beside::default() },
        );
        let org = store.ensure_org("one", clock.now()).await.unwrap();
        World { store, calls, preparer, poller, connectors, org }
    }

    pub fn now() -> jiff::Timestamp {
        SystemClock::new().now()
    }

    /// Stores a connector.
    pub async fn element(&self, json: &str) -> Element {
        let document = Document::parse(json).unwrap();
        let key = document.key();
        let new = NewElement {
            org: self.org,
            name: key.clone(),
            key,
            document: json.to_owned(),
            ids: "{}".into(),
            active: true,
        };
        let id = self.store.create_element(new, World::now()).await.unwrap();
        Element { id, connector: self.connectors.get(self.org, id, 1).await.unwrap() }
    }

    /// What `POST /instances` does: checks, connects, seals, stores.
    pub async fn instance(&self, element: &Element, mut body: Value) -> Result<InstanceRow, CallFault> {
        let checked = self.preparer.check_for(&body, Some(&element.connector), World::now());
        assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
        let instance = checked.instance.unwrap();
        let connections = self.calls.connections();
        let signed_in = connections.sign_in(self.org, &element.connector, &body).await?;
        signed_in.write_into(&mut body);
        let sealed = seal_document_of(Some(&element.connector), &body, &keys(), self.org, &SystemEntropy);
        let new = NewInstance {
            org: self.org,
            element_key: instance.element_key.clone(),
            element: Some((element.id, 1)),
            name: instance.name.clone(),
            tags: instance.tags.clone(),
            token_hash: rand_hash(),
            document: sealed.to_string(),
            enabled: true,
            pollers: pollers_of(&instance, Before::default(), World::now(), &SystemEntropy),
            endpoint: None,
            intake: None,
        };
        let id = self.store.create_instance(new, World::now()).await.unwrap();
        let row = self.store.instance(self.org, id).await.unwrap();
        connections.adopt(&row, &signed_in).await.unwrap();
        Ok(row)
    }

    pub async fn call(&self, row: &InstanceRow, url: &str) -> CallAnswer {
        self.calls.call(row.org, row.id, CallRequest::get(url)).await
    }

    pub async fn poller_of(&self, row: &InstanceRow, resource: &str) -> PollerRow {
        let pollers = self.store.pollers(row.org, Some(row.id)).await.unwrap();
        pollers.into_iter().find(|poller| poller.resource == resource).unwrap()
    }

    /// Polls a resource now; `None` when the poller rests.
    pub async fn poll(&self, row: &InstanceRow, resource: &str) -> Option<Finish> {
        let poller = self.poller_of(row, resource).await;
        if poller.paused.is_some() {
            return None;
        }
        self.store.set_due(row.org, poller.id, World::now(), false).await.unwrap();
        match self.poller.poll_once(poller.id, Options::default(), &Stop::new()).await.unwrap() {
            Some(Turn::Finished(finish)) => Some(*finish),
            other => panic!("{other:?}"),
        }
    }

    /// The same; everything must have gone well. What was recorded since position `after`, and the last position.
    pub async fn events(&self, row: &InstanceRow, resource: &str, after: &mut i64) -> Vec<Event> {
        let finish = self.poll(row, resource).await.unwrap();
        assert_eq!(finish.run.error, None, "{:?}", finish.run.story);
        self.recorded(row, after).await
    }

    pub async fn recorded(&self, row: &InstanceRow, after: &mut i64) -> Vec<Event> {
        let filter =
            EventFilter { instance: Some(row.id), after: *after, limit: 10_000, ..EventFilter::default() };
        let logged = self.store.events(row.org, &filter).await.unwrap();
        *after = logged.last().map_or(*after, |event| event.position);
        logged.into_iter().map(|logged| logged.event).collect()
    }

    /// Why a person must connect the instance anew, if one must.
    pub async fn reconnect(&self, row: &InstanceRow) -> Option<String> {
        let connection: Result<_, StoreError> = self.store.connection(row.org, row.id).await;
        connection.unwrap().map(|row| row.reason).filter(|reason| !reason.is_empty())
    }
}

fn rand_hash() -> [u8; 32] {
    use turnstone_engine::clock::Entropy as _;
    let mut hash = [0; 32];
    SystemEntropy.fill(&mut hash);
    hash
}

/// An element with these members over a small sound one.
pub fn small_element(more: Value) -> String {
    let mut element = json!({
        "key": "small", "name": "Small", "description": "for tests", "hub": "crm",
        "authentication": {"type": "none"},
        "configuration": [
            {"key": "base.url", "name": "Base", "type": "TEXTFIELD_1000"},
            {"key": "pagination.type", "name": "Paging", "type": "TEXTFIELD_32", "defaultValue": "page"},
            {"key": "event.poller.configuration", "name": "Polling", "type": "TEXTAREA",
                "defaultValue": json!({"things": {
                    "url": "/hubs/crm/things?where=changed>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'",
                    "idField": "id", "startFrom": "beginning",
                    "datesConfiguration": {
                        "updatedDateField": "changed", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
                        "createdDateField": "made", "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'"}}}).to_string()}
        ],
        "parameters": [], "hooks": [],
        "resources": [{
            "type": "api", "method": "GET", "path": "/hubs/crm/things",
            "vendorMethod": "GET", "vendorPath": "/things", "rootKey": "|items",
            "parameters": [
                {"name": "where", "type": "query", "vendorName": "where", "vendorType": "query",
                    "converter": "toQueryParameters"},
                {"name": "changed", "type": "query", "vendorName": "since", "vendorType": "query"},
                {"name": "page", "type": "query", "vendorName": "page", "vendorType": "query"},
                {"name": "pageSize", "type": "query", "vendorName": "size", "vendorType": "query"}
            ],
            "hooks": []
        }]
    });
    merge(&mut element, more);
    element.to_string()
}

/// Members replace, objects merge, and the one resource takes the members of `resource`.
fn merge(element: &mut Value, more: Value) {
    for (name, value) in more.as_object().unwrap().clone() {
        match name.as_str() {
            "resource" => {
                for (name, value) in value.as_object().unwrap() {
                    element["resources"][0][name] = value.clone();
                }
            }
            "configuration" | "resources" => {
                element[name.as_str()].as_array_mut().unwrap().extend(value.as_array().unwrap().clone());
            }
            _ => element[name.as_str()] = value,
        }
    }
}

/// A resource that is polled.
pub struct Polled<'a> {
    pub row: &'a InstanceRow,
    pub resource: &'a str,
}
