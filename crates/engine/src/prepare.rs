//! From a stored instance to what a run needs: the document opened and checked, its references looked up, the plan of
//! one poller and the connection to its provider.
//!
//! The document is the only source: it is read again whenever it changed, and kept by its hash until then. Looking up
//! `env:NAME` and `file:PATH` happens at every run, so that a rotated secret is used without a restart.
//!
//! Not here: who may run (`poller`), which values are secrets (`document`), and what is wrong with a document (the
//! core's `check`, whose sentences are passed on).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use turnstone_core::check::{CheckSettings, Checked, ConnectorDefaults, Fault, check};
use turnstone_core::connector::{self, CheckedConnector, Connector, Document, UnsetPlaces, keys};
use turnstone_core::id::InstanceId;
use turnstone_core::instance::{Basic, Instance, SecretRef};
use turnstone_core::poll::{Plan, RunFault};
use turnstone_core::resource::Resource;
use turnstone_core::schedule;
use turnstone_store::{InstanceRow, NewPoller, PollerRow};
use url::{Origin, Url};

use crate::clock::Entropy;
use crate::connectors::Connectors;
use crate::document::{configuration_of, open_document, redact_document, references};
use crate::egress::{Bodies, Connection};
use crate::secrets::{KeyRing, Secret, SecretError};

/// Documents that are kept ready. One is some kilobytes; beyond this number all are forgotten and read again.
const READY_MAX: usize = 10_000;

/// Bytes of a file that `file:PATH` names. A secret is short; a larger file is a mistake.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Whether documents may refer to this machine (`env:NAME`, `file:PATH`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// They may: the documents are the user's own, or the server's owner has switched it on.
    Allow,
    /// They may not: otherwise a tenant could send the server's own secrets to an address of his choice.
    Refuse,
}

/// Why an instance cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The stored text is no JSON.
    #[error("the document of instance {0} cannot be read: {1}")]
    Unreadable(InstanceId, String),
    /// The document has faults; the first one is told.
    #[error("the configuration of instance {instance} is not sound: {first}{}", more(*.count))]
    Faults {
        /// The instance.
        instance: InstanceId,
        /// The first fault.
        first: Fault,
        /// How many there are.
        count: usize,
    },
    /// A sealed value does not open.
    #[error("{0}")]
    Sealed(String),
    /// What a reference names is not there.
    #[error("{0}")]
    Reference(String),
    /// The poller's resource is not in the document.
    #[error("the configuration of instance {0} has no resource `{1}`; add it, or remove the poller")]
    NoResource(InstanceId, String),
    /// The connector that it was made from cannot be had.
    #[error("the connector of instance {0} cannot be used: {1}")]
    Connector(InstanceId, String),
    /// What the document was read from is not to be used as an address.
    #[error("the address of `{0}` has no host; correct its `url`")]
    NoOrigin(String),
}

fn more(count: usize) -> String {
    if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() }
}

impl PrepareError {
    /// The same as a run's fault. None of these goes away without a person, except a secret file that is being rotated.
    pub fn fault(&self) -> RunFault {
        let (code, transient) = match self {
            PrepareError::Reference(_) => ("secretMissing", true),
            PrepareError::Sealed(_) => ("secretSealed", false),
            PrepareError::Unreadable(..)
            | PrepareError::Faults { .. }
            | PrepareError::NoResource(..)
            | PrepareError::NoOrigin(_) => ("badConfiguration", false),
            PrepareError::Connector(..) => ("noConnector", true),
        };
        RunFault::new(code, self.to_string(), transient)
    }
}

/// Makes instances ready to run.
pub struct Preparer {
    settings: CheckSettings,
    keys: Arc<KeyRing>,
    references: References,
    connectors: Option<Arc<Connectors>>,
    ready: Mutex<Ready>,
}

/// The instances that are ready, each with the hash of the document that it was made from.
type Ready = HashMap<InstanceId, ([u8; 32], Arc<Prepared>)>;

impl Preparer {
    /// `settings` are those of the server; their `now` is replaced by the time of each call.
    pub fn new(settings: CheckSettings, keys: Arc<KeyRing>, references: References) -> Self {
        Preparer { settings, keys, references, connectors: None, ready: Mutex::default() }
    }

    /// Lets instances be made from the connectors of a store.
    #[must_use]
    pub fn with_connectors(self, connectors: Arc<Connectors>) -> Self {
        Preparer { connectors: Some(connectors), ..self }
    }

    /// The connectors of the store; `None` where there is none.
    pub fn connectors(&self) -> Option<&Arc<Connectors>> {
        self.connectors.as_ref()
    }

    /// Whether documents may refer to this machine.
    pub fn references(&self) -> References {
        self.references
    }

    /// The connector that an instance was made from.
    pub async fn connector_of(&self, row: &InstanceRow) -> Result<Option<Arc<Connector>>, PrepareError> {
        let unusable = |words: String| PrepareError::Connector(row.id, words);
        match (&self.connectors, row.element) {
            (_, None) => Ok(None),
            (Some(connectors), Some(_)) => {
                connectors.of_instance(row).await.map_err(|error| unusable(error.to_string()))
            }
            (None, Some(_)) => Err(unusable("there is no store of connectors here".to_owned())),
        }
    }

    /// The keys that seal this server's documents.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Checks a document that somebody brings, by the server's settings. References are faults where they are refused.
    pub fn check(&self, document: &Value, now: Timestamp) -> Checked {
        self.check_for(document, None, now)
    }

    /// Checks a connector that somebody brings, by the server's settings.
    pub fn check_connector(&self, document: &Document, now: Timestamp) -> CheckedConnector {
        connector::check(document, &self.settings(None, now))
    }

    /// The same for an instance of a connector, which gives what the document leaves to it.
    pub fn check_for(&self, document: &Value, connector: Option<&Arc<Connector>>, now: Timestamp) -> Checked {
        let mut checked = check(document, &self.settings(connector, now));
        if self.references == References::Refuse {
            let refused = references(document).into_iter().map(|path| Fault {
                path,
                problem: "the value refers to the server's own environment or files".to_owned(),
                remedy: "give the secret itself; it is sealed when it is stored".to_owned(),
            });
            checked.faults.extend(refused);
            if !checked.faults.is_empty() {
                checked.instance = None;
            }
        }
        checked
    }

    fn settings(&self, connector: Option<&Arc<Connector>>, now: Timestamp) -> CheckSettings {
        let connector = connector.map(ConnectorDefaults::of).or_else(|| self.settings.connector.clone());
        CheckSettings { now, connector, ..self.settings.clone() }
    }

    /// Makes an instance ready. Cheap while its document does not change.
    pub async fn prepare(&self, row: &InstanceRow, now: Timestamp) -> Result<Arc<Prepared>, PrepareError> {
        let hash = version(row);
        if let Some((known, prepared)) = self.ready().get(&row.id)
            && *known == hash
        {
            return Ok(Arc::clone(prepared));
        }
        let connector = self.connector_of(row).await?;
        let document: Value = serde_json::from_str(&row.document)
            .map_err(|error| PrepareError::Unreadable(row.id, error.to_string()))?;
        let open = open_document(&document, &self.keys, row.org)
            .map_err(|error: SecretError| PrepareError::Sealed(error.to_string()))?;
        let Checked { instance, faults, .. } = self.check_for(&open, connector.as_ref(), now);
        let Some(instance) = instance else {
            let count = faults.len();
            let first = faults.into_iter().next().unwrap_or_else(|| Fault {
                path: String::new(),
                problem: "the document is not understood".to_owned(),
                remedy: "run `turnstone check` on it".to_owned(),
            });
            return Err(PrepareError::Faults { instance: row.id, first, count });
        };
        let own_host = connector.as_deref().map(|connector| own_host(connector, &open)).unwrap_or_default();
        let prepared = Arc::new(Prepared { row: row.id, instance, own_host });
        let mut ready = self.ready();
        if ready.len() >= READY_MAX {
            ready.clear();
        }
        ready.insert(row.id, (hash, Arc::clone(&prepared)));
        Ok(prepared)
    }

    /// Makes an instance ready that is kept nowhere: `checked` is what [`Preparer::check_for`] made of `open`.
    pub fn unsaved(&self, checked: Instance, connector: Option<&Connector>, open: &Value) -> Prepared {
        let own_host = connector.map(|connector| own_host(connector, open)).unwrap_or_default();
        Prepared { row: InstanceId(0), instance: checked, own_host }
    }

    /// The resources that a stored document configures, without opening its secrets: to see what an update changes.
    /// Empty when the document is not sound any more.
    pub fn stored_resources(
        &self,
        document: &str,
        connector: Option<&Arc<Connector>>,
        now: Timestamp,
    ) -> Vec<Resource> {
        let Ok(document) = serde_json::from_str::<Value>(document) else { return Vec::new() };
        let settings = self.settings(connector, now);
        check(&redact_document(&document), &settings).instance.map_or(Vec::new(), |found| found.resources)
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a ready instance was made from: its document, and the revision of its connector.
fn version(row: &InstanceRow) -> [u8; 32] {
    let mut hash = Sha256::new();
    let (element, revision) = row.element.map_or((0, 0), |(element, revision)| (element.0, revision));
    hash.update(element.to_be_bytes());
    hash.update(revision.to_be_bytes());
    hash.update(row.document.as_bytes());
    hash.finalize().into()
}

/// Scheme, host and port where a connector's calls for an instance go, as far as its configuration tells.
fn own_host(connector: &Connector, document: &Value) -> String {
    let settings = connector.settings(&configuration_of(document));
    let filled = settings.filled(keys::BASE_URL).and_then(|base| {
        settings.fill(base, keys::BASE_URL, UnsetPlaces::Stay).ok().and_then(|base| Url::parse(&base).ok())
    });
    filled.map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// An instance that is ready to run.
#[derive(Debug)]
pub struct Prepared {
    row: InstanceId,
    /// Where the connector's own calls go; empty without one.
    own_host: String,
    /// The instance, with its secrets open.
    pub instance: Instance,
}

impl Prepared {
    /// What a poller of this instance polls.
    pub fn plan(&self, poller: &PollerRow) -> Result<Arc<Plan>, PrepareError> {
        let resource = self.instance.resources.iter().find(|resource| resource.name == poller.resource);
        let Some(resource) = resource else {
            return Err(PrepareError::NoResource(self.row, poller.resource.clone()));
        };
        Ok(Arc::new(Plan {
            org: poller.org,
            instance: poller.instance,
            poller: poller.id,
            element_key: self.instance.element_key.clone(),
            resource: resource.clone(),
            revision: poller.revision,
            interval: poller.interval,
        }))
    }

    /// The connection for a resource: its credentials, looked up now, and the origins that receive them: those that
    /// the configuration names for this resource, and the base of the relative ones.
    pub fn connection(&self, resource: &Resource, bodies: Bodies) -> Result<Connection, PrepareError> {
        let mut named = vec![resource.url.origin()];
        if let Some(sweep) = &resource.sweep {
            named.push(sweep.url.origin());
            named.push(sweep.read_url.clone());
        }
        named.push(self.instance.base_url.clone());
        let mut origins: Vec<Origin> = Vec::new();
        for url in named.into_iter().flatten().filter_map(|text| Url::parse(&text).ok()) {
            if !origins.contains(&url.origin()) {
                origins.push(url.origin());
            }
        }
        // A resource that the connector calls has no address of its own: the calls bring theirs.
        if origins.is_empty() && resource.url.is_absolute() {
            return Err(PrepareError::NoOrigin(resource.name.clone()));
        }
        let headers = self.instance.headers.iter();
        let headers = headers.map(|(name, value)| Ok((name.clone(), look_up(value)?)));
        Ok(Connection {
            headers: headers.collect::<Result<_, PrepareError>>()?,
            basic: self.instance.basic.as_ref().map(look_up_basic).transpose()?,
            origins,
            bodies,
        })
    }

    /// The connection for flows: its credentials, looked up now, for the base of relative URLs and nothing else.
    pub fn connection_of_flows(&self, bodies: Bodies) -> Result<Connection, PrepareError> {
        let base = self.instance.base_url.as_deref().and_then(|base| Url::parse(base).ok());
        let headers = self.instance.headers.iter();
        let headers = headers.map(|(name, value)| Ok((name.clone(), look_up(value)?)));
        Ok(Connection {
            headers: headers.collect::<Result<_, PrepareError>>()?,
            basic: self.instance.basic.as_ref().map(look_up_basic).transpose()?,
            origins: base.map(|base| base.origin()).into_iter().collect(),
            bodies,
        })
    }

    /// Scheme, host and port that flows of this instance burden.
    pub fn host_of_flows(&self) -> String {
        let base = self.instance.base_url.as_deref().and_then(|base| Url::parse(base).ok());
        base.map_or_else(|| self.own_host.clone(), |base| base.origin().ascii_serialization())
    }

    /// Host and port of a resource's provider: whom a poll of it burdens.
    pub fn host(&self, resource: &Resource) -> String {
        resource.url.origin().unwrap_or_else(|| self.own_host.clone())
    }
}

/// User name and password of HTTP Basic, looked up now.
pub fn look_up_basic(basic: &Basic) -> Result<(String, Secret), PrepareError> {
    Ok((look_up(&basic.username)?.expose().to_owned(), look_up(&basic.password)?))
}

/// A secret, looked up now where the document only refers to it.
pub fn look_up(secret: &SecretRef) -> Result<Secret, PrepareError> {
    match secret {
        SecretRef::Literal(text) => Ok(Secret::from(text.expose_secret())),
        SecretRef::Env(name) => match std::env::var(name) {
            Ok(value) if !value.is_empty() => Ok(Secret::from(value)),
            Ok(_) | Err(std::env::VarError::NotPresent) => Err(PrepareError::Reference(format!(
                "the environment variable `{name}`, which the configuration refers to, is not set; set it"
            ))),
            Err(std::env::VarError::NotUnicode(_)) => Err(PrepareError::Reference(format!(
                "the environment variable `{name}`, which the configuration refers to, is not a text"
            ))),
        },
        SecretRef::File(path) => read_secret(Path::new(path)).map_err(|error| {
            PrepareError::Reference(format!(
                "the file `{path}`, which the configuration refers to, cannot be read ({error})"
            ))
        }),
    }
}

fn read_secret(path: &Path) -> io::Result<Secret> {
    let mut text = String::new();
    File::open(path)?.take(SECRET_FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SECRET_FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is longer than {SECRET_FILE_BYTES_MAX} bytes")));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::from(line.strip_suffix('\r').unwrap_or(line)))
}

/// What an instance had before an update.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before<'a> {
    /// Its pollers.
    pub pollers: &'a [PollerRow],
    /// What they polled, as [`Preparer::stored_resources`] tells it.
    pub resources: &'a [Resource],
}

/// The pollers of a new or changed instance: one per resource. A poller keeps its revision, and with it its open pass,
/// while its resource is configured as before.
pub fn pollers_of(
    instance: &Instance,
    before: Before<'_>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Vec<NewPoller> {
    let poller = |resource: &Resource| {
        let known = before.pollers.iter().find(|poller| poller.resource == resource.name);
        let old = before.resources.iter().find(|old| old.name == resource.name);
        // The settings are plain values and show themselves completely; there is no other equality on templates.
        let is_same = old.is_some_and(|old| format!("{old:?}") == format!("{resource:?}"));
        let revision = match known {
            Some(known) if is_same => known.revision,
            Some(known) => known.revision + 1,
            None => 1,
        };
        let next_due = schedule::first(now, instance.interval, entropy.next_u64());
        NewPoller { resource: resource.name.clone(), revision, next_due, interval: instance.interval }
    };
    instance.resources.iter().map(poller).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use turnstone_core::id::{OrgId, PollerId};
    use turnstone_core::poll::Status;

    use super::*;
    use crate::clock::SeededEntropy;
    use crate::document::seal_document;
    use crate::egress::BodyBudget;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn keys() -> Arc<KeyRing> {
        Arc::new(KeyRing::parse(&"07".repeat(32), "the test").unwrap())
    }

    fn preparer(references: References) -> Preparer {
        Preparer::new(CheckSettings::new(now()), keys(), references)
    }

    fn document(url: &str, header: &str) -> Value {
        json!({
            "element": {"key": "crm"},
            "configuration": {
                "base.url": "https://api.test/v1",
                "http.headers": {"X-Key": header},
                "event.poller.configuration": {
                    "customers": {"url": url, "idField": "id", "datesConfiguration": {
                        "updatedDateField": "updated", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"}}
                }
            }
        })
    }

    const RELATIVE: &str = "/customers?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}";

    fn row(document: &Value) -> InstanceRow {
        let sealed = seal_document(document, &keys(), OrgId(3), &SeededEntropy::new(1));
        InstanceRow {
            id: InstanceId(5),
            org: OrgId(3),
            element_key: "crm".into(),
            element: None,
            name: "crm".into(),
            tags: Vec::new(),
            document: sealed.to_string(),
            enabled: true,
            created_at: now(),
            endpoint: None,
        }
    }

    fn poller(resource: &str, revision: i64) -> PollerRow {
        PollerRow {
            subscription: None,
            id: PollerId(9),
            org: OrgId(3),
            instance: InstanceId(5),
            resource: resource.into(),
            revision,
            interval: std::time::Duration::from_secs(60),
            next_due: now(),
            regular_due: None,
            paused: None,
            status: Status::ok(),
            watermark: None,
            state: String::new(),
            checkpoint: None,
        }
    }

    #[tokio::test]
    async fn a_stored_instance_becomes_a_plan_and_a_connection() {
        let preparer = preparer(References::Refuse);
        let row = row(&document(RELATIVE, "canary"));
        assert!(!row.document.contains("canary"));
        let prepared = preparer.prepare(&row, now()).await.unwrap();
        let plan = prepared.plan(&poller("customers", 4)).unwrap();
        assert_eq!((plan.revision, plan.element_key.as_str()), (4, "crm"));
        let connection = prepared.connection(&plan.resource, Bodies::new(&BodyBudget::default())).unwrap();
        assert_eq!(connection.headers, [("X-Key".to_owned(), Secret::from("canary"))]);
        assert!(connection.owns(&Url::parse("https://api.test/v1/customers").unwrap()));
        assert!(!connection.owns(&Url::parse("https://other.test/").unwrap()));
        assert!(
            Arc::ptr_eq(&prepared, &preparer.prepare(&row, now()).await.unwrap()),
            "kept while it does not change"
        );
        assert_eq!(
            prepared.plan(&poller("orders", 1)).unwrap_err().to_string(),
            "the configuration of instance 5 has no resource `orders`; add it, or remove the poller"
        );
    }

    #[tokio::test]
    async fn references_are_looked_up_only_where_they_are_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "from the file\n").unwrap();
        let document = document(RELATIVE, &format!("file:{}", path.display()));
        let refused = preparer(References::Refuse);
        assert!(refused.check(&document, now()).instance.is_none());
        let error = refused.prepare(&row(&document), now()).await.unwrap_err();
        assert!(error.to_string().contains("the server's own environment"), "{error}");

        let prepared = preparer(References::Allow).prepare(&row(&document), now()).await.unwrap();
        let resource = &prepared.instance.resources[0];
        let bodies = || Bodies::new(&BodyBudget::default());
        let headers = prepared.connection(resource, bodies()).unwrap().headers;
        assert_eq!(headers[0].1.expose(), "from the file");
        std::fs::write(&path, "rotated").unwrap();
        let headers = prepared.connection(resource, bodies()).unwrap().headers;
        assert_eq!(headers[0].1.expose(), "rotated");
        std::fs::remove_file(&path).unwrap();
        let fault = prepared.connection(resource, bodies()).unwrap_err().fault();
        assert_eq!((fault.code.as_str(), fault.transient), ("secretMissing", true));
    }

    #[tokio::test]
    async fn a_document_that_became_unsound_says_why() {
        let mut broken = document(RELATIVE, "x");
        broken["configuration"]["event.poller.configuration"]["customers"]["idField"] = json!("");
        let fault = preparer(References::Refuse).prepare(&row(&broken), now()).await.unwrap_err().fault();
        assert_eq!(fault.code, "badConfiguration");
        assert!(fault.message.contains("`idField` is empty"), "{}", fault.message);
    }

    #[tokio::test]
    async fn only_a_changed_resource_gets_a_new_revision() {
        let preparer = preparer(References::Refuse);
        let stored = row(&document(RELATIVE, "one"));
        let old = preparer.stored_resources(&stored.document, None, now());
        let pollers = [poller("customers", 7)];
        let before = Before { pollers: &pollers, resources: &old };
        let revision = async |url: &str, header: &str| {
            let prepared = preparer.prepare(&row(&document(url, header)), now()).await.unwrap();
            pollers_of(&prepared.instance, before, now(), &SeededEntropy::new(1))[0].revision
        };
        assert_eq!(revision(RELATIVE, "two").await, 7, "another secret is no other configuration");
        assert_eq!(revision("/clients?since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}", "one").await, 8);
    }
}
