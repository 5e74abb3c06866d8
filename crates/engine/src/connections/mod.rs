//! How instances are connected to their providers: the settings that their calls are made with, and the tokens.
//!
//! Settings are three layers: the connector's defaults, the instance's document, and what is kept beside it (`kept`).
//! Credentials are renewed before use when they are due, and once after a 401; however many callers wait, one request
//! is sent, and nobody sees the new tokens before they are durable (`renewal`). An account that its provider does not
//! take any more says "reconnect needed", and nothing of it is sent until somebody connects it (`sign_in`).
//!
//! Not here: how a request is signed and what a token server's answer means (the core's `auth`), HTTP routes.

mod kept;
mod renewal;
mod sign_in;
mod trial;
mod webhook;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use turnstone_core::auth::{self, Due};
use turnstone_core::call::{CallFault, Change, Renewal};
use turnstone_core::connector::{Connector, Settings};
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_core::instance::SecretRef;
use turnstone_store::{ConnectionState, Directory, InstanceRow, NewTokens, Store, StoreError, Written};

use self::kept::Kept;
use self::renewal::Flights;
use crate::calls::way::Way;
use crate::document::{configuration_of, open_document};
use crate::egress::BodyBudget;
use crate::prepare::{PrepareError, Preparer, References, look_up};
use crate::secrets::SecretError;

pub use sign_in::{AskedFor, RequestToken, SignedIn};
pub use trial::Trial;
pub use webhook::{CallbackAddresses, SUBSCRIPTION_ID, provisions};

/// Pause before a connection that somebody else writes is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// What a person reads of a store that does not answer.
const STORE_WORDS: &str = "the connection of the instance cannot be read or written now; try again";

/// How credentials are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// How long a renewal is claimed for. Another process may try again after that.
    pub lease: Duration,
    /// How long a renewal's request may take: shorter than its claim, so that it is over when others may try.
    pub request: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        ConnectionSettings { lease: Duration::from_secs(60), request: Duration::from_secs(45) }
    }
}

/// Knows how instances are connected. Clones share the renewals under way.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    directory: Arc<dyn Directory>,
    preparer: Arc<Preparer>,
    way: Arc<Way>,
    budget: BodyBudget,
    settings: ConnectionSettings,
    flights: Mutex<Flights>,
}

/// What an instance's calls are made with.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its connector.
    pub connector: Arc<Connector>,
    /// Its configuration: defaults, document and what is kept.
    pub settings: Settings,
    /// How often its credentials were renewed.
    pub(crate) renewals: u64,
    generation: i64,
    /// Why it must be connected anew, if it must.
    reconnect: Option<String>,
}

/// What a write to a connection means for its grant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grant {
    /// There is a new one.
    New,
    /// Nothing.
    AsBefore,
}

/// Why an instance cannot be called.
#[derive(Clone, Debug)]
pub enum NotReady {
    /// A person must connect it anew; one sentence.
    Reconnect(String),
    /// Something else is wrong with it.
    Faulty(CallFault),
}

/// Why a connection cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored does not open.
    #[error(transparent)]
    Sealed(#[from] SecretError),
    /// The instance's document or connector cannot be used.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The instance has no connector.
    #[error("instance {0} has no connector, so it has no resources; make it from a stored connector")]
    NoConnector(InstanceId),
    /// Others wrote it again and again.
    #[error("the connection of instance {0} is busy; try again")]
    Busy(InstanceId),
}

impl ConnectionError {
    /// The same as an answer to a call.
    pub fn fault(&self) -> CallFault {
        match self {
            ConnectionError::Store(StoreError::NotFound(what)) => {
                CallFault::new(404, format!("there is no such {what}"))
            }
            ConnectionError::Store(error) => {
                tracing::error!(%error, "a connection cannot be read or written");
                CallFault::new(503, STORE_WORDS)
            }
            ConnectionError::Busy(_) => CallFault::new(503, self.to_string()),
            ConnectionError::NoConnector(_) => CallFault::new(404, self.to_string()),
            ConnectionError::Sealed(_) | ConnectionError::Prepare(_) => CallFault::new(400, self.to_string()),
        }
    }
}

impl Connections {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        directory: Arc<dyn Directory>,
        preparer: Arc<Preparer>,
        way: Arc<Way>,
        budget: BodyBudget,
        settings: ConnectionSettings,
    ) -> Connections {
        let flights = Mutex::default();
        Connections(Arc::new(Inner { store, directory, preparer, way, budget, settings, flights }))
    }

    /// What an instance's calls are made with, as it is now: nothing is renewed.
    pub async fn account(&self, row: &InstanceRow) -> Result<Account, ConnectionError> {
        self.0.account(row).await
    }

    /// The same, with credentials that are not due for renewal. When renewing them does not work this time, those that
    /// are still there have to do: the provider's word counts.
    pub(crate) async fn ready(&self, row: &InstanceRow) -> Result<Account, NotReady> {
        let faulty = |error: ConnectionError| NotReady::Faulty(error.fault());
        let account = self.0.account(row).await.map_err(faulty)?;
        if let Some(reason) = account.reconnect {
            return Err(NotReady::Reconnect(reason));
        }
        let due = auth::due(&account.settings, self.0.way.clock.now());
        if due != Due::Now || !auth::can_renew(&account.connector, &account.settings) {
            return Ok(account);
        }
        match self.renew(row, account.renewals).await {
            Renewal::Renewed(_) => self.0.account(row).await.map_err(faulty),
            Renewal::Refused(words) => Err(NotReady::Reconnect(words)),
            Renewal::Failed(words) => {
                tracing::warn!(instance = %row.id, "credentials that are due stay in use: {words}");
                Ok(account)
            }
        }
    }

    /// Keeps configuration values that an instance's hooks set.
    pub async fn remember(&self, row: &InstanceRow, changes: Vec<Change>) -> Result<(), ConnectionError> {
        self.0.write(row, Grant::AsBefore, |kept| kept.add(&changes)).await
    }

    /// Takes back what is kept of these keys, because the document says something newer.
    pub async fn forget(&self, row: &InstanceRow, keys: &[String]) -> Result<(), ConnectionError> {
        let forget = |kept: &mut Kept| {
            let before = kept.values.len();
            kept.values.retain(|key, _| !keys.contains(key));
            kept.values.len() != before
        };
        self.0.write(row, Grant::AsBefore, forget).await
    }
}

impl Inner {
    async fn account(&self, row: &InstanceRow) -> Result<Account, ConnectionError> {
        let connector = self.preparer.connector_of(row).await?.ok_or(ConnectionError::NoConnector(row.id))?;
        let unreadable = |error: serde_json::Error| PrepareError::Unreadable(row.id, error.to_string());
        let document: Value = serde_json::from_str(&row.document).map_err(unreadable)?;
        let open = open_document(&document, self.preparer.keys(), row.org)?;
        let mut settings = connector.settings(&self.looked_up(configuration_of(&open), &connector)?);
        let (generation, reconnect, kept) = self.read(row.org, row.id).await?;
        kept.over(&mut settings);
        Ok(Account { connector, settings, renewals: kept.renewals, generation, reconnect })
    }

    /// The values with what they refer to, where documents may refer to this machine.
    fn looked_up(
        &self,
        mut values: BTreeMap<String, String>,
        connector: &Connector,
    ) -> Result<BTreeMap<String, String>, PrepareError> {
        if self.preparer.references() == References::Refuse {
            return Ok(values);
        }
        let is_secret = |key: &str| connector.entry(key).is_some_and(|entry| entry.secret);
        for (_, value) in values.iter_mut().filter(|(key, _)| is_secret(key)) {
            if let Some(reference @ (SecretRef::Env(_) | SecretRef::File(_))) = SecretRef::parse(value) {
                *value = look_up(&reference)?.expose().to_owned();
            }
        }
        Ok(values)
    }

    /// Generation, why it must be connected anew, and what is kept.
    async fn read(&self, org: OrgId, id: InstanceId) -> Result<(i64, Option<String>, Kept), ConnectionError> {
        let Some(row) = self.directory.connection(org, id).await? else {
            return Ok((0, None, Kept::default()));
        };
        let kept = match &row.tokens_sealed {
            Some(sealed) => Kept::open(sealed, self.preparer.keys(), org, id)?,
            None => Kept::default(),
        };
        let reconnect = match row.state {
            ConnectionState::Connected => None,
            ConnectionState::ReconnectNeeded => Some(row.reason),
        };
        Ok((row.generation, reconnect, kept))
    }

    /// Replaces what is kept, if `edit` changes it. Waits while somebody renews the tokens: both write the same row.
    async fn write(
        &self,
        row: &InstanceRow,
        grant: Grant,
        mut edit: impl FnMut(&mut Kept) -> bool,
    ) -> Result<(), ConnectionError> {
        let (clock, lease_for) = (&self.way.clock, self.settings.lease);
        let until = clock.monotonic() + 2 * lease_for;
        while clock.monotonic() <= until {
            let (generation, reconnect, mut kept) = self.read(row.org, row.id).await?;
            if !edit(&mut kept) {
                return Ok(());
            }
            let claim =
                self.directory.begin_refresh(row.org, row.id, generation, clock.now(), lease_for).await?;
            if claim.is_some() && self.put(row, generation, &kept).await? == Written::Yes {
                // What is written connects; other values than a grant do not.
                if let (Grant::AsBefore, Some(reason)) = (grant, reconnect) {
                    self.directory.mark_reconnect(row.org, row.id, generation + 1, &reason).await?;
                }
                return Ok(());
            }
            clock.sleep(PAUSE).await;
        }
        Err(ConnectionError::Busy(row.id))
    }

    /// Writes what is kept as the generation after this one.
    async fn put(&self, row: &InstanceRow, generation: i64, kept: &Kept) -> Result<Written, ConnectionError> {
        let mut settings = Settings::default();
        kept.over(&mut settings);
        let expire_at = match auth::due(&settings, self.way.clock.now()) {
            Due::At(at) => Some(at),
            Due::Now | Due::Unknown => None,
        };
        let tokens_sealed = kept.seal(self.preparer.keys(), row.org, row.id, self.way.entropy.as_ref());
        let tokens = NewTokens { generation_was: generation, tokens_sealed, expire_at };
        Ok(self.directory.put_tokens(row.org, row.id, tokens).await?)
    }
}
