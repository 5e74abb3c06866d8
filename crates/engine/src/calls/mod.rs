//! Resource calls of instances: for the API, and for polls whose `url` is one of their own connector's resources.
//!
//! ```text
//!   API ─────────────► call ─► connections (settings, tokens) ─► the core's `call` ─► way (hooks, egress)
//!   poll ─► net ───────┘                        ▲──────────── 401, or due ───────────────┘
//! ```
//!
//! What the hooks of a call set in the configuration is durable before the call is answered.
//!
//! Not here: mapping, paging, what an answer means (the core), tokens (`connections`), HTTP routes (the binary).

mod net;
pub(crate) mod way;

use std::sync::Arc;

use turnstone_core::call::{
    CallAnswer, CallContext, CallFault, CallRequest, CallStep, Renewal, VendorRequest, start,
};
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_core::run::{FetchError, FetchErrorKind, Reply};
use turnstone_store::{Directory, InstanceRow, Store, StoreError};

use self::way::{Hosts, Way};
use crate::clock::{Clock, Entropy};
use crate::connections::{Account, ConnectionSettings, Connections, NotReady, Trial};
use crate::egress::{Bodies, BodyBudget, Net};
use crate::hooks::HookPool;
use crate::prepare::Preparer;

/// What calls are made with.
pub struct Parts {
    /// Instances.
    pub store: Arc<dyn Store>,
    /// Connectors and connections.
    pub directory: Arc<dyn Directory>,
    /// Opens documents; it must know the connectors of the same store.
    pub preparer: Arc<Preparer>,
    /// The way out.
    pub net: Arc<dyn Net>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Runs hooks; `None` where there is no program to be a worker.
    pub hooks: Option<HookPool>,
    /// Memory of all answers.
    pub budget: BodyBudget,
    /// Bounds.
    pub settings: CallSettings,
}

/// Bounds of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSettings {
    /// Requests of calls that are under way to one host.
    pub requests_per_host_max: usize,
    /// How credentials are renewed.
    pub connections: ConnectionSettings,
}

impl Default for CallSettings {
    fn default() -> Self {
        CallSettings { requests_per_host_max: 8, connections: ConnectionSettings::default() }
    }
}

/// Makes resource calls. Clones share connections and bounds.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    way: Arc<Way>,
    connections: Connections,
    budget: BodyBudget,
}

impl Calls {
    /// Calls with these parts.
    pub fn new(parts: Parts) -> Calls {
        let Parts { store, directory, preparer, net, clock, entropy, hooks, budget, settings } = parts;
        let hosts = Hosts::new(settings.requests_per_host_max);
        let way = Arc::new(Way { net, clock, entropy, hooks, hosts });
        let connections = Connections::new(
            Arc::clone(&store),
            directory,
            preparer,
            Arc::clone(&way),
            budget.clone(),
            settings.connections,
        );
        Calls(Arc::new(Inner { store, way, connections, budget }))
    }

    /// How instances are connected to their providers.
    pub fn connections(&self) -> &Connections {
        &self.0.connections
    }

    /// Runs hooks; `None` where they are switched off.
    pub fn hooks(&self) -> Option<&HookPool> {
        self.0.way.hooks.as_ref()
    }

    /// Makes a call of an instance. Never fails by itself: what went wrong is in the answer.
    ///
    /// Whether the instance is switched off is for the caller to look at.
    pub async fn call(&self, org: OrgId, instance: InstanceId, request: CallRequest) -> CallAnswer {
        match self.0.store.instance(org, instance).await {
            Ok(row) => self.call_row(&row, request, &Bodies::new(&self.0.budget)).await,
            Err(StoreError::NotFound(_)) => {
                CallFault::new(404, "there is no such instance").into_answer(instance.0, &self.request_id())
            }
            Err(error) => {
                tracing::error!(%error, %instance, "an instance cannot be read");
                let words = "the instance cannot be read now; try again";
                CallFault::new(503, words).into_answer(instance.0, &self.request_id())
            }
        }
    }

    /// The same for an instance that is at hand. Its answers take their memory from `bodies`.
    pub async fn call_row(&self, row: &InstanceRow, request: CallRequest, bodies: &Bodies) -> CallAnswer {
        let request_id = self.request_id();
        let account = match self.0.connections.ready(row).await {
            Ok(account) => account,
            Err(not_ready) => return refused(not_ready, row, &request_id),
        };
        let renewals = account.renewals;
        let step = start(self.context(row, account, request_id.clone()), request);
        let mut answer = self.drive(row, step, renewals, bodies).await;
        let changes = std::mem::take(&mut answer.configuration);
        if !changes.is_empty()
            && let Err(error) = self.0.connections.remember(row, changes).await
        {
            tracing::error!(%error, instance = %row.id, "what hooks set could not be stored");
            let words = "the call was made, but what its hooks set in the configuration could not be stored";
            return CallFault::new(503, words).into_answer(row.id.0, &request_id);
        }
        answer
    }

    /// A way out for a poll of this instance: its own paths are calls, everything else goes through `plain`.
    pub fn net(&self, row: InstanceRow, plain: Arc<dyn Net>) -> Arc<dyn Net> {
        Arc::new(net::InstanceNet { calls: self.clone(), account: net::Account::Row(Box::new(row)), plain })
    }

    /// The same for an account that is kept nowhere.
    pub fn trial_net(&self, trial: Trial, plain: Arc<dyn Net>) -> Arc<dyn Net> {
        Arc::new(net::InstanceNet { calls: self.clone(), account: net::Account::Trial(trial), plain })
    }

    /// Makes a call with an account that is kept nowhere. Its credentials are not renewed: nothing would keep them.
    async fn call_trial(&self, trial: &Trial, request: CallRequest, bodies: &Bodies) -> CallAnswer {
        let (way, nobody) = (&self.0.way, InstanceId(0));
        let context = way.context(nobody, Arc::clone(&trial.connector), trial.settings(), self.request_id());
        let not_renewed = || {
            let words = "the credentials were refused, and those of a trial are not renewed".to_owned();
            let renewal = std::future::ready(Renewal::Failed(words));
            Box::pin(renewal) as futures_util::future::BoxFuture<'_, _>
        };
        let mut answer = way.drive(trial.org, start(context, request), bodies, &not_renewed).await;
        trial.remember(&std::mem::take(&mut answer.configuration));
        answer
    }

    /// Sends a request that bears its credentials already.
    pub(crate) async fn send_signed(&self, request: VendorRequest, bodies: &Bodies) -> Reply {
        self.0.way.send(request, bodies).await
    }

    /// What a request of a flow is signed with.
    pub(crate) fn context_of(&self, row: &InstanceRow, account: Account) -> CallContext {
        self.context(row, account, self.request_id())
    }

    async fn drive(&self, row: &InstanceRow, step: CallStep, renewals: u64, bodies: &Bodies) -> CallAnswer {
        let renew = || {
            let renewing = self.0.connections.renew(row, renewals);
            Box::pin(renewing) as futures_util::future::BoxFuture<'_, _>
        };
        self.0.way.drive(row.org, step, bodies, &renew).await
    }

    fn context(&self, row: &InstanceRow, account: Account, request_id: String) -> CallContext {
        self.0.way.context(row.id, account.connector, account.settings, request_id)
    }

    fn request_id(&self) -> String {
        self.0.way.request_id()
    }
}

/// The answer to a call whose account is not ready for it.
fn refused(not_ready: NotReady, row: &InstanceRow, request_id: &str) -> CallAnswer {
    let (fault, unreachable) = match not_ready {
        NotReady::Reconnect(words) => {
            let error = FetchError { kind: FetchErrorKind::Reconnect, message: words.clone() };
            (CallFault::new(401, words), Some(error))
        }
        NotReady::Faulty(fault) => (fault, None),
    };
    CallAnswer { unreachable, ..fault.into_answer(row.id.0, request_id) }
}
