//! The store of a simulated run: the real one behind it, crash points before and after every write, and the planted
//! faults that lie between a machine and its store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::event::Event;
use turnstone_core::id::{EndpointId, EventId, InstanceId, NotificationId, OrgId, PollerId, RunId, TokenId};
use turnstone_core::ledger::{Compared, Known, KnownVersion, Recall};
use turnstone_core::poll::{Batch, Decision, Finish, RunRecord};
use turnstone_store::*;

use crate::fault::Fault;
use crate::flows::FlowStore;
use crate::hub::{Hub, Point};

/// A store that crashes and errs on demand.
pub struct SimStore {
    pub inner: Arc<dyn Store>,
    pub hub: Hub,
    pub fault: Option<Fault>,
    /// The youngest lease, for the store without a fence.
    pub latest: Mutex<Option<Lease<PollerId>>>,
    /// What left before it was recorded.
    pub printed: Mutex<Vec<Event>>,
}

impl SimStore {
    /// What the planted faults do to a batch.
    fn spoil(&self, batch: &mut Batch) {
        let looks = self.fault == Some(Fault::LookWithoutLedger) && self.hub.lock().plan.look;
        if self.fault == Some(Fault::NoLedger) || looks {
            let mut inner = self.hub.lock();
            for event in &mut batch.events {
                event.id = EventId(u128::from(inner.rng.next()).to_be_bytes());
            }
        }
        if self.fault == Some(Fault::PrintBeforeCommit) {
            self.printed.lock().expect("one thread").extend(batch.events.iter().cloned());
        }
    }

    /// The lease to write with. A store without a fence lets the writer in, whoever holds the claim.
    async fn let_in(&self, lease: Lease<PollerId>, now: Timestamp) -> Result<Lease<PollerId>> {
        if self.fault != Some(Fault::NoFence) {
            return Ok(lease);
        }
        let latest = *self.latest.lock().expect("one thread");
        let Some(latest) = latest.filter(|latest| *latest != lease) else { return Ok(lease) };
        if self.inner.renew(latest, now, Duration::from_secs(60)).await? == Committed::Yes {
            return Ok(latest);
        }
        self.inner.set_due(OrgId(1), lease.id, now, true).await?;
        match self.inner.claim(lease.id, now, Duration::from_secs(60)).await? {
            Some(claim) => {
                *self.latest.lock().expect("one thread") = Some(claim.lease);
                Ok(claim.lease)
            }
            None => Ok(lease),
        }
    }

    async fn claimed(&self, poller: PollerId, now: Timestamp, lease_for: Duration) -> Result<Option<Claim>> {
        let claim = self.inner.claim(poller, now, lease_for).await?;
        if let Some(claim) = &claim {
            *self.latest.lock().expect("one thread") = Some(claim.lease);
        }
        Ok(claim)
    }

    async fn committed(&self, lease: Lease<PollerId>, mut batch: Batch, now: Timestamp) -> Result<Committed> {
        self.hub.pass(Point::CommitBefore).await;
        self.spoil(&mut batch);
        let lease = self.let_in(lease, now).await?;
        let committed = self.inner.commit(lease, batch.clone(), now).await?;
        if committed == Committed::Yes {
            self.hub.lock().wrote();
            self.hub.lock().heard(&batch);
        }
        self.hub.pass(Point::CommitAfter).await;
        Ok(committed)
    }

    async fn finished(
        &self,
        lease: Lease<PollerId>,
        mut finish: Finish,
        now: Timestamp,
    ) -> Result<Committed> {
        self.hub.pass(Point::DoneBefore).await;
        self.spoil(&mut finish.batch);
        if self.fault == Some(Fault::WatermarkAtEnd) && finish.pass_closed && finish.run.error.is_none() {
            let at = self.hub.lock().now;
            let mut state: serde_json::Value =
                serde_json::from_str(&finish.state).expect("written by the core");
            state["watermark"] = at.into();
            finish.state = state.to_string();
        }
        let lease = self.let_in(lease, now).await?;
        let committed = self.inner.finish(lease, finish.clone(), now).await?;
        if committed == Committed::Yes {
            self.hub.lock().heard(&finish.batch);
            self.hub.lock().finished(&finish);
        }
        self.hub.pass(Point::DoneAfter).await;
        Ok(committed)
    }

    async fn recalled(&self, poller: PollerId, recall: &Recall) -> Result<Known> {
        self.hub.pass(Point::Recall).await;
        let known = self.inner.recall(poller, recall).await?;
        let look = self.hub.lock().plan.look;
        Ok(match (self.fault, known) {
            (Some(Fault::NoLedger), Known::Versions(known)) => {
                Known::Versions(vec![KnownVersion::default(); known.len()])
            }
            (Some(Fault::LookWithoutLedger), Known::Versions(known)) if look => {
                Known::Versions(vec![KnownVersion::default(); known.len()])
            }
            (_, known) => known,
        })
    }
}

/// Makes a store of a type that has another one in `inner`: its own `claimed`, `recalled`, `committed` and `finished`
/// stand for the verbs of a run, everything else goes through.
macro_rules! store_over_inner {
    ($($wrapper:ident)*) => { $(
        store_over_inner! { @of $wrapper
            ensure_org(name: &str, now: Timestamp) -> OrgId;
            org_by_token(token_hash: [u8; 32]) -> Option<OrgId>;
            add_org_token(org: OrgId, token_hash: [u8; 32], now: Timestamp) -> TokenId;
            create_instance(new: NewInstance, now: Timestamp) -> InstanceId;
            instance(org: OrgId, id: InstanceId) -> InstanceRow;
            instances(org: OrgId) -> Vec<InstanceRow>;
            update_instance(org: OrgId, id: InstanceId, new: NewInstance, now: Timestamp) -> ();
            set_enabled(org: OrgId, id: InstanceId, enabled: bool) -> ();
            delete_instance(org: OrgId, id: InstanceId, now: Timestamp) -> ();
            pollers(org: OrgId, instance: Option<InstanceId>) -> Vec<PollerRow>;
            poller(org: OrgId, id: PollerId) -> PollerRow;
            set_due(org: OrgId, id: PollerId, due: Timestamp, unpause: bool) -> ();
            pause(org: OrgId, id: PollerId, reason: &str) -> ();
            set_state(org: OrgId, id: PollerId, state: &str, watermark: Option<Compared>, now: Timestamp) -> ();
            due(now: Timestamp, limit: u32, per_org: u32) -> Vec<Due>;
            next_due() -> Option<Timestamp>;
            renew(lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> Committed;
            release(lease: Lease<PollerId>, due: Timestamp) -> ();
            runs(org: OrgId, poller: PollerId, limit: u32) -> Vec<RunRecord>;
            run(org: OrgId, id: RunId) -> (RunRecord, Vec<Decision>);
            events(org: OrgId, filter: &EventFilter) -> Vec<LoggedEvent>;
            endpoints_waiting(limit: u32) -> Vec<EndpointRow>;
            waiting(endpoint: EndpointId, events_max: EventsMax) -> Waiting;
            reserve_notification() -> NotificationId;
            form(id: NotificationId, new: NewNotification, position_was: i64, now: Timestamp, lease_for: Duration) -> Option<Delivery>;
            claim_notifications(now: Timestamp, limit: u32, per_endpoint: u32, lease_for: Duration) -> Vec<Delivery>;
            finish_attempt(lease: Lease<NotificationId>, result: AttemptResult, now: Timestamp) -> Committed;
            redeliver(org: OrgId, filter: &NotificationFilter, now: Timestamp) -> u64;
            next_notification_due() -> Option<Timestamp>;
            endpoints(org: OrgId) -> Vec<EndpointRow>;
            notifications(org: OrgId, filter: &NotificationFilter) -> Vec<NotificationRow>;
            attempts(org: OrgId, notification: NotificationId) -> Vec<AttemptRow>;
            expire_leases(now: Timestamp) -> u64;
            prune(retention: &Retention) -> Kept;
        }
    )* };
    (@of $wrapper:ident $($verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for $wrapper {
            $(async fn $verb(&self, $($name: $type),*) -> Result<$answer> {
                self.inner.$verb($($name),*).await
            })*

            async fn claim(&self, poller: PollerId, now: Timestamp, lease_for: Duration) -> Result<Option<Claim>> {
                self.claimed(poller, now, lease_for).await
            }

            async fn recall(&self, poller: PollerId, recall: &Recall) -> Result<Known> {
                self.recalled(poller, recall).await
            }

            async fn commit(&self, lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Result<Committed> {
                self.committed(lease, batch, now).await
            }

            async fn finish(&self, lease: Lease<PollerId>, finish: Finish, now: Timestamp) -> Result<Committed> {
                self.finished(lease, finish, now).await
            }
        }
    };
}

store_over_inner!(SimStore FlowStore);
