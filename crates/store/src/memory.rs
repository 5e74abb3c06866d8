//! The store in memory: the model that the databases are compared with, and the simulator's store.
//!
//! It keeps every row in ordered maps behind one mutex that is never held across an await, so that every future is
//! ready at once and a simulated world needs no runtime. [`MemoryStore::reopen`] is a crash and a restart: rows stay,
//! claims end. [`MemoryStore::snapshot`] and [`MemoryStore::restore`] are a backup and its return.
//!
//! Not here: durability.

mod catalog;
mod connections;
mod deliveries;
mod directory;
mod elements;
mod intake;
mod log;
mod monitors;
mod people;
mod polls;
mod rim;
mod state;
mod upkeep;
mod watch;

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{EndpointId, InstanceId, NotificationId, OrgId, PollerId, RunId, TokenId};
use turnstone_core::ledger::{Compared, Known, Recall};
use turnstone_core::poll::{Batch, Decision, Finish, RunRecord};

use crate::api::*;
use state::State;

/// A store that lives as long as the process. Share it with an `Arc`.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

/// Everything that a [`MemoryStore`] held at one moment.
#[derive(Clone)]
pub struct Snapshot(State);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// What a crash and a restart do: rows stay, every claim ends, every lease taken before is stale.
    pub fn reopen(&self) {
        self.lock().open_anew(0);
    }

    /// A copy of everything.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.lock().clone())
    }

    /// Returns to a copy, as a restored backup does: what was written since is gone, and every lease is stale, those
    /// taken after the copy included.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.lock();
        let epoch = state.open_epoch();
        *state = snapshot.0.clone();
        state.open_anew(epoch);
    }

    /// A panic elsewhere while the lock was held leaves at worst a half-written batch of a world that is lost anyway.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn ensure_org(&self, name: &str, now: Timestamp) -> Result<OrgId> {
        Ok(self.lock().ensure_org(name, now))
    }

    async fn org_by_token(&self, token_hash: [u8; 32]) -> Result<Option<OrgId>> {
        Ok(self.lock().org_by_token(token_hash))
    }

    async fn add_org_token(&self, org: OrgId, token_hash: [u8; 32], now: Timestamp) -> Result<TokenId> {
        self.lock().add_org_token(org, token_hash, now)
    }

    async fn create_instance(&self, new: NewInstance, now: Timestamp) -> Result<InstanceId> {
        self.lock().create_instance(new, now)
    }

    async fn instance(&self, org: OrgId, id: InstanceId) -> Result<InstanceRow> {
        self.lock().instance(org, id).map(|instance| instance.row.clone())
    }

    async fn instances(&self, org: OrgId) -> Result<Vec<InstanceRow>> {
        Ok(self.lock().instances(org))
    }

    async fn update_instance(
        &self,
        org: OrgId,
        id: InstanceId,
        new: NewInstance,
        now: Timestamp,
    ) -> Result<()> {
        self.lock().update_instance(org, id, new, now)
    }

    async fn set_enabled(&self, org: OrgId, id: InstanceId, enabled: bool) -> Result<()> {
        self.lock().set_enabled(org, id, enabled)
    }

    async fn delete_instance(&self, org: OrgId, id: InstanceId, now: Timestamp) -> Result<()> {
        self.lock().delete_instance(org, id, now)
    }

    async fn pollers(&self, org: OrgId, instance: Option<InstanceId>) -> Result<Vec<PollerRow>> {
        self.lock().pollers(org, instance)
    }

    async fn poller(&self, org: OrgId, id: PollerId) -> Result<PollerRow> {
        self.lock().poller(org, id).map(|poller| poller.row.clone())
    }

    async fn set_due(&self, org: OrgId, id: PollerId, due: Timestamp, unpause: bool) -> Result<()> {
        self.lock().set_due(org, id, due, unpause)
    }

    async fn pause(&self, org: OrgId, id: PollerId, reason: &str) -> Result<()> {
        self.lock().pause(org, id, reason)
    }

    async fn set_state(
        &self,
        org: OrgId,
        id: PollerId,
        state: &str,
        watermark: Option<Compared>,
        now: Timestamp,
    ) -> Result<()> {
        self.lock().set_state(org, id, state, watermark, now)
    }

    async fn due(&self, now: Timestamp, limit: u32, per_org: u32) -> Result<Vec<Due>> {
        Ok(self.lock().due(now, limit, per_org))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.lock().next_due())
    }

    async fn claim(&self, poller: PollerId, now: Timestamp, lease_for: Duration) -> Result<Option<Claim>> {
        Ok(self.lock().claim(poller, now, lease_for))
    }

    async fn renew(&self, lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> Result<Committed> {
        Ok(self.lock().renew(lease, now, lease_for))
    }

    async fn recall(&self, poller: PollerId, recall: &Recall) -> Result<Known> {
        Ok(self.lock().recall(poller, recall))
    }

    async fn commit(&self, lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Result<Committed> {
        Ok(self.lock().commit(lease, batch, now))
    }

    async fn finish(&self, lease: Lease<PollerId>, finish: Finish, now: Timestamp) -> Result<Committed> {
        Ok(self.lock().finish(lease, finish, now))
    }

    async fn release(&self, lease: Lease<PollerId>, due: Timestamp) -> Result<()> {
        self.lock().release(lease, due);
        Ok(())
    }

    async fn runs(&self, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<RunRecord>> {
        self.lock().runs(org, poller, limit)
    }

    async fn run(&self, org: OrgId, id: RunId) -> Result<(RunRecord, Vec<Decision>)> {
        self.lock().run(org, id)
    }

    async fn events(&self, org: OrgId, filter: &EventFilter) -> Result<Vec<LoggedEvent>> {
        Ok(self.lock().events(org, filter))
    }

    async fn endpoints_waiting(&self, limit: u32) -> Result<Vec<EndpointRow>> {
        Ok(self.lock().endpoints_waiting(limit))
    }

    async fn waiting(&self, endpoint: EndpointId, events_max: EventsMax) -> Result<Waiting> {
        self.lock().waiting(endpoint, events_max)
    }

    async fn reserve_notification(&self) -> Result<NotificationId> {
        Ok(self.lock().reserve_notification())
    }

    async fn form(
        &self,
        id: NotificationId,
        new: NewNotification,
        position_was: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Delivery>> {
        Ok(self.lock().form(id, new, position_was, now, lease_for))
    }

    async fn claim_notifications(
        &self,
        now: Timestamp,
        limit: u32,
        per_endpoint: u32,
        lease_for: Duration,
    ) -> Result<Vec<Delivery>> {
        Ok(self.lock().claim_notifications(now, limit, per_endpoint, lease_for))
    }

    async fn finish_attempt(
        &self,
        lease: Lease<NotificationId>,
        result: AttemptResult,
        now: Timestamp,
    ) -> Result<Committed> {
        self.lock().finish_attempt(lease, result, now)
    }

    async fn redeliver(&self, org: OrgId, filter: &NotificationFilter, now: Timestamp) -> Result<u64> {
        Ok(self.lock().redeliver(org, filter, now))
    }

    async fn next_notification_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.lock().next_notification_due())
    }

    async fn endpoints(&self, org: OrgId) -> Result<Vec<EndpointRow>> {
        Ok(self.lock().endpoints(org))
    }

    async fn notifications(&self, org: OrgId, filter: &NotificationFilter) -> Result<Vec<NotificationRow>> {
        Ok(self.lock().notifications(org, filter))
    }

    async fn attempts(&self, org: OrgId, notification: NotificationId) -> Result<Vec<AttemptRow>> {
        self.lock().attempts(org, notification)
    }

    async fn expire_leases(&self, now: Timestamp) -> Result<u64> {
        Ok(self.lock().expire_leases(now))
    }

    async fn prune(&self, retention: &Retention) -> Result<Kept> {
        Ok(self.lock().prune(retention))
    }
}
