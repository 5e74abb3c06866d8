//! What `poll` and `explain` work with: the document as an instance of a state, and the engine around it.
//!
//! The state belongs to the user, and the document is at hand whenever it is used. So secrets are never readable in the
//! state: they are sealed with a key that lives as long as the process, and sealed anew by the next one.
//!
//! Not here: polling (`poll`), and what is printed (`bookmark`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use turnstone_core::check::{CheckSettings, Checked};
use turnstone_core::id::OrgId;
use turnstone_core::instance::{Basic, Callback, Instance, SecretRef, SecretText};
use turnstone_core::resource::Resource;
use turnstone_engine::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use turnstone_engine::deliverer::{EndpointConfig, HttpCallback, Vault};
use turnstone_engine::document::seal_document;
use turnstone_engine::driver::Tools;
use turnstone_engine::egress::{Client, Guard, Policy, Setup};
use turnstone_engine::prepare::{Before, PrepareError, Preparer, References, look_up, pollers_of};
use turnstone_engine::secrets::KeyRing;
use turnstone_store::memory::MemoryStore;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{InstanceRow, NewEndpoint, NewInstance, PollerRow, Store, StoreError};

use super::bookmark::Bookmark;
use super::output::{Output, tame};
use super::{Failure, check};

/// The one organisation of a state.
const ORG: &str = "local";

/// What becomes of the callback of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Events are posted to it.
    Post,
    /// It stays as the state has it.
    Leave,
}

/// Where a session keeps what it knows.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// Nowhere: it is gone with the process.
    Memory,
    /// In this file, which is made when it is not there.
    File(PathBuf),
}

/// Whether a sweep was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sweep {
    /// It was: every resource must say how.
    Asked,
    /// It was not.
    NotAsked,
}

/// How a session is opened.
pub(crate) struct Wishes {
    /// What the document is judged by.
    pub settings: CheckSettings,
    /// Time between two polls, if not the document's.
    pub every: Option<Duration>,
    /// Only these resources; all of them when empty.
    pub resources: Vec<String>,
    /// Whether a sweep was asked for.
    pub sweep: Sweep,
    /// What becomes of the callback.
    pub delivery: Delivery,
    /// Where everything is kept.
    pub state: State,
}

/// A document in a state, ready to be polled.
pub(crate) struct Session {
    pub tools: Tools,
    pub entropy: Arc<dyn Entropy>,
    pub preparer: Arc<Preparer>,
    pub keys: Arc<KeyRing>,
    pub org: OrgId,
    pub row: InstanceRow,
    pub instance: Instance,
    /// The pollers that were asked for, in the order of the document.
    pub pollers: Vec<PollerRow>,
}

impl Session {
    /// Checks the document and puts it into the state. A document that cannot be polled leaves no state file behind.
    pub(crate) async fn open(document: &Value, wishes: Wishes, output: &Output) -> Result<Session, Failure> {
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
            (Arc::new(SystemClock::new()), Arc::new(SystemEntropy));
        let keys = Arc::new(fresh_keys(entropy.as_ref())?);
        let preparer = Preparer::new(wishes.settings.clone(), Arc::clone(&keys), References::Allow);
        let checked = preparer.check(document, clock.now());
        let instance = sound(checked, output)?;
        let selected = select(&instance, &wishes.resources)?;
        if wishes.sweep == Sweep::Asked {
            refuse_sweep(&instance, &selected)?;
        }
        let store = open_state(&wishes.state)?;
        let setup = Setup::new(Guard::new(Policy::AllowPrivate), Arc::clone(&clock));
        let net = Client::new(setup).map_err(|error| Failure::Internal(error.to_string()))?;
        let tools = Tools { store, net: Arc::new(net), clock };
        let mut session = Session {
            org: tools.store.ensure_org(ORG, tools.clock.now()).await.map_err(state)?,
            tools,
            entropy,
            preparer: Arc::new(preparer),
            keys,
            row: no_row(),
            instance,
            pollers: Vec::new(),
        };
        session.save(document, &wishes).await?;
        let pollers = session.tools.store.pollers(session.org, Some(session.row.id)).await.map_err(state)?;
        session.pollers = selected
            .iter()
            .filter_map(|name| pollers.iter().find(|poller| poller.resource == *name).cloned())
            .collect();
        Ok(session)
    }

    /// Makes the instance, or updates the one that the state has under the same element key and name.
    async fn save(&mut self, document: &Value, wishes: &Wishes) -> Result<(), Failure> {
        let (store, now) = (Arc::clone(&self.tools.store), self.tools.clock.now());
        let rows = store.instances(self.org).await.map_err(state)?;
        let known = rows.into_iter().find(|row| {
            !Bookmark::is_companion(&row.element_key)
                && row.element_key == self.instance.element_key
                && row.name == self.instance.name
        });
        let (pollers, resources) = match &known {
            None => (Vec::new(), Vec::new()),
            Some(row) => (
                store.pollers(self.org, Some(row.id)).await.map_err(state)?,
                self.preparer.stored_resources(&row.document, None, now),
            ),
        };
        let before = Before { pollers: &pollers, resources: &resources };
        let mut polled = self.instance.clone();
        polled.interval = wishes.every.unwrap_or(polled.interval);
        let mut token_hash = [0; 32];
        self.entropy.fill(&mut token_hash);
        let has_endpoint = known.as_ref().is_some_and(|row| row.endpoint.is_some());
        let new = NewInstance {
            org: self.org,
            element_key: self.instance.element_key.clone(),
            element: None,
            name: self.instance.name.clone(),
            tags: self.instance.tags.clone(),
            token_hash,
            document: seal_document(document, &self.keys, self.org, self.entropy.as_ref()).to_string(),
            enabled: true,
            pollers: pollers_of(&polled, before, now, self.entropy.as_ref()),
            endpoint: self.endpoint(wishes.delivery, has_endpoint)?,
            intake: None,
        };
        let id = match &known {
            None => store.create_instance(new, now).await.map_err(state)?,
            Some(row) => {
                store.update_instance(self.org, row.id, new, now).await.map_err(state)?;
                row.id
            }
        };
        self.row = store.instance(self.org, id).await.map_err(state)?;
        Ok(())
    }

    /// The callback as an endpoint, with everything that it refers to looked up and sealed.
    fn endpoint(&self, delivery: Delivery, is_known: bool) -> Result<Option<NewEndpoint>, Failure> {
        let Some(callback) = &self.instance.callback else {
            return match delivery {
                Delivery::Post => Err(Failure::Configuration(
                    "--deliver needs a callback, and the document names none; give `event.notification.callback.url`"
                        .to_owned(),
                )),
                Delivery::Leave => Ok(None),
            };
        };
        if delivery == Delivery::Leave && !is_known {
            return Ok(None);
        }
        let callback = looked_up(callback).map_err(|error| Failure::Configuration(error.to_string()))?;
        let vault = Vault::of_server(Arc::clone(&self.keys));
        let config = EndpointConfig::of_callback(&callback, self.org, &vault, self.entropy.as_ref())
            .map_err(|error| Failure::Configuration(error.to_string()))?;
        Ok(Some(NewEndpoint { kind: HttpCallback::KIND.to_owned(), config: config.to_json() }))
    }

    /// The resource that a poller polls.
    pub(crate) fn resource(&self, poller: &PollerRow) -> Option<&Resource> {
        self.instance.resources.iter().find(|resource| resource.name == poller.resource)
    }
}

/// A row that is replaced before anybody sees it.
fn no_row() -> InstanceRow {
    InstanceRow {
        id: turnstone_core::id::InstanceId(0),
        org: OrgId(0),
        element_key: String::new(),
        element: None,
        name: String::new(),
        tags: Vec::new(),
        document: String::new(),
        enabled: false,
        created_at: Timestamp::UNIX_EPOCH,
        endpoint: None,
    }
}

/// Opens a state file, or a state that is gone with the process.
fn open_state(wanted: &State) -> Result<Arc<dyn Store>, Failure> {
    match wanted {
        State::Memory => Ok(Arc::new(MemoryStore::new())),
        State::File(path) => Ok(Arc::new(SqliteStore::open(path).map_err(state)?)),
    }
}

/// A store's failure, as the command's.
pub(crate) fn state(error: StoreError) -> Failure {
    Failure::State(error.to_string())
}

fn sound(checked: Checked, output: &Output) -> Result<Instance, Failure> {
    for (word, findings) in [("is read as it was meant", &checked.repairs), ("", &checked.warnings)] {
        for finding in findings {
            let note = if word.is_empty() { String::new() } else { format!(" ({word})") };
            output.warn(&format!("{}{note}", tame(&finding.to_string())));
        }
    }
    match checked.instance {
        Some(instance) => Ok(instance),
        None => Err(check::refuse(&checked)),
    }
}

fn select(instance: &Instance, wanted: &[String]) -> Result<Vec<String>, Failure> {
    let known: Vec<String> = instance.resources.iter().map(|resource| resource.name.clone()).collect();
    if known.is_empty() {
        return Err(Failure::Configuration(
            "the document names no resource to poll; name one, or run a monitor with `turnstone flow run`"
                .to_owned(),
        ));
    }
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
        return Err(Failure::Configuration(format!(
            "the document has no resource `{}`; it has {}",
            tame(unknown),
            known.iter().map(|name| format!("`{}`", tame(name))).collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(known.into_iter().filter(|name| wanted.is_empty() || wanted.contains(name)).collect())
}

/// A sweep without settings would report records as gone that the list only leaves out.
fn refuse_sweep(instance: &Instance, selected: &[String]) -> Result<(), Failure> {
    let without = |resource: &&Resource| selected.contains(&resource.name) && resource.sweep.is_none();
    match instance.resources.iter().find(without) {
        None => Ok(()),
        Some(resource) => Err(Failure::Configuration(format!(
            "--sweep: `{}` has no `sweep`; add `\"sweep\": {{\"every\": \"24h\", \"readUrl\": \"…/{{id}}\"}}` to it, or \
             choose others with --resource",
            tame(&resource.name)
        ))),
    }
}

/// Keys that live as long as the process.
pub(super) fn fresh_keys(entropy: &dyn Entropy) -> Result<KeyRing, Failure> {
    let mut key = [0_u8; 32];
    entropy.fill(&mut key);
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    KeyRing::parse(&text, "this process").map_err(|error| Failure::Internal(error.to_string()))
}

fn looked_up(callback: &Callback) -> Result<Callback, PrepareError> {
    let literal = |secret: &SecretRef| -> Result<SecretRef, PrepareError> {
        Ok(SecretRef::Literal(SecretText::new(look_up(secret)?.expose())))
    };
    let headers = callback.headers.iter().map(|(name, value)| Ok((name.clone(), literal(value)?)));
    let basic = match &callback.basic {
        None => None,
        Some(basic) => {
            Some(Basic { username: literal(&basic.username)?, password: literal(&basic.password)? })
        }
    };
    Ok(Callback {
        url: callback.url.clone(),
        headers: headers.collect::<Result<_, PrepareError>>()?,
        basic,
        signature_key: callback.signature_key.as_ref().map(literal).transpose()?,
    })
}
