//! What people look at: lists of a whole organisation, sorted and counted for a screen, and one record's story.
//!
//! The verbs beside [`crate::Store`] that nothing but a screen needs. All of them read but one: switching an endpoint.
//! Counts and orders are made of rows in one pass; documents, states and settings are opened for the page that is
//! answered alone. The conventions are those of [`crate::api`].
//!
//! Not here: what is said about what was found.

use async_trait::async_trait;
use turnstone_core::id::{EndpointId, InstanceId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_core::ledger::{Entry, Version};
use turnstone_core::poll::{Decision, RunOutcome, RunRecord, Status};

use crate::api::{EndpointRow, EndpointState, PollerRow, Result};

/// How a poller is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Something is wrong, and only a person can help.
    NeedsAttention,
    /// Something is wrong.
    Failing,
    /// Somebody paused it, or its instance wants no events.
    Paused,
    /// It has not polled yet.
    Starting,
    /// All is well.
    Ok,
}

impl Health {
    /// The health of a poller: a paused one is paused, whatever it was before.
    pub fn of(is_paused: bool, needs_attention: bool, code: &str) -> Health {
        match (is_paused, needs_attention, code) {
            (true, _, _) => Health::Paused,
            (false, true, _) => Health::NeedsAttention,
            (false, false, "ok") => Health::Ok,
            (false, false, "starting") => Health::Starting,
            (false, false, _) => Health::Failing,
        }
    }

    /// The same of a row.
    pub fn of_row(row: &PollerRow) -> Health {
        let Status { code, needs_attention, .. } = &row.status;
        Health::of(row.paused.is_some(), *needs_attention, code)
    }

    /// Whether something is wrong.
    pub fn is_wrong(self) -> bool {
        matches!(self, Health::NeedsAttention | Health::Failing)
    }
}

/// Which pollers to list: those that are worst first, then by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollerFilter {
    /// Only those of this health, or of one of these; empty for all.
    pub health: Vec<Health>,
    /// Only those of these instances; empty for all.
    pub instances: Vec<InstanceId>,
    /// So many of the first are left out.
    pub skip: u32,
    /// At most so many.
    pub limit: u32,
}

/// What an organisation has, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Its instances.
    pub instances: u64,
    /// Of these, those that are switched on.
    pub instances_enabled: u64,
    /// Of these, those with a poller that is wrong.
    pub instances_failing: u64,
    /// Pollers that are well.
    pub pollers_ok: u64,
    /// Pollers that something is wrong with.
    pub pollers_failing: u64,
    /// Pollers that are paused.
    pub pollers_paused: u64,
    /// Pollers that have not polled yet.
    pub pollers_starting: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Of these, those that run.
    pub subscriptions_active: u64,
    /// Endpoints that take notifications.
    pub endpoints_active: u64,
    /// Endpoints whose last retry failed.
    pub endpoints_deactivated: u64,
    /// Endpoints that are off.
    pub endpoints_disabled: u64,
    /// What is open or dead, of all endpoints.
    pub open: Open,
    /// Connectors that it keeps.
    pub connectors: u64,
}

/// Notifications that wait for their time or for somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Those that failed, and are tried again.
    pub retry: u64,
    /// Dead letters.
    pub dead: u64,
    /// Those that wait for their release.
    pub queued: u64,
}

/// Which runs to list: newest first, by their start and then by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only this poller's, which may be gone.
    pub poller: Option<PollerId>,
    /// Only those of this instance's pollers that are there.
    pub instance: Option<InstanceId>,
    /// Only those that ended so.
    pub outcome: Option<RunOutcome>,
    /// Only those before this one in the list. Nothing, when it is not there any more: what is older is gone as well.
    pub before: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}

/// Where a poller belongs, by names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The poller.
    pub poller: PollerId,
    /// Its instance.
    pub instance: InstanceId,
    /// The instance's name.
    pub instance_name: String,
    /// The resource's name, or the subscription's.
    pub resource: String,
    /// The subscription that it runs.
    pub subscription: Option<SubscriptionId>,
}

/// What is kept of one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordStory {
    /// Its entry in the ledger.
    pub entry: Option<Entry>,
    /// Its versions in the window that were replaced.
    pub versions: Vec<Version>,
    /// What runs decided about it without an event, the latest run first.
    pub decisions: Vec<(RunId, Decision)>,
}

/// An endpoint with what waits there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// The endpoint.
    pub row: EndpointRow,
    /// Its instance's name.
    pub instance_name: String,
    /// Whether there are events that it has not taken yet.
    pub is_behind: bool,
    /// What is open or dead there.
    pub open: Open,
}

/// Which endpoints to list: those that are off first, then those with something open or dead, then by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointFilter {
    /// Only this one.
    pub id: Option<EndpointId>,
    /// So many of the first are left out.
    pub skip: u32,
    /// At most so many.
    pub limit: u32,
}

/// The verbs. Object safe; one implementation per database.
#[async_trait]
pub trait Watch: Send + Sync {
    /// A page of an organisation's pollers, those of subscriptions included, and how many match in all.
    async fn poller_page(&self, org: OrgId, filter: &PollerFilter) -> Result<(Vec<PollerRow>, u64)>;
    /// What an organisation has, counted.
    async fn overview(&self, org: OrgId) -> Result<Overview>;
    /// A page of runs, newest first.
    async fn run_page(&self, org: OrgId, filter: &RunFilter) -> Result<Vec<RunRecord>>;
    /// The records of these runs, as far as they are there, in this order.
    async fn run_records(&self, org: OrgId, ids: &[RunId]) -> Result<Vec<RunRecord>>;
    /// The names of these instances, as far as they are there, in this order.
    async fn instance_names(&self, org: OrgId, ids: &[InstanceId]) -> Result<Vec<(InstanceId, String)>>;
    /// Where these pollers belong, as far as they are there, in this order.
    async fn places(&self, org: OrgId, pollers: &[PollerId]) -> Result<Vec<Place>>;
    /// What is kept of one record of a poller, with at most so many decisions.
    async fn record_story(
        &self,
        org: OrgId,
        poller: PollerId,
        object_id: &str,
        limit: u32,
    ) -> Result<RecordStory>;
    /// A page of endpoints, and how many match in all.
    async fn endpoint_page(&self, org: OrgId, filter: &EndpointFilter) -> Result<(Vec<EndpointView>, u64)>;
    /// Switches an endpoint on, or off with a reason in words. What is open there waits while it is off.
    async fn switch_endpoint(
        &self,
        org: OrgId,
        id: EndpointId,
        state: EndpointState,
        reason: &str,
    ) -> Result<()>;
}
