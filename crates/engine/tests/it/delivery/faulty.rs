//! A store whose writes of outcomes go wrong on demand, before or after they happen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{EndpointId, InstanceId, NotificationId, OrgId, PollerId, RunId, TokenId};
use turnstone_core::ledger::{Compared, Known, Recall};
use turnstone_core::poll::{Batch, Decision, Finish, RunRecord};
use turnstone_engine::clock::Clock;
use turnstone_engine::deliverer::Limits;
use turnstone_store::memory::MemoryStore;
use turnstone_store::*;

use super::world::{Act, World};

/// What goes wrong with one write.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It does not happen.
    Refused,
    /// It happens, and nobody is told.
    Unknown,
}

struct Faulty {
    inner: Arc<MemoryStore>,
    faults: Mutex<VecDeque<Fault>>,
}

macro_rules! faulty {
    ($(fn $verb:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Faulty {
            $(async fn $verb(&self, $($name: $kind),*) -> $answer {
                self.inner.$verb($($name),*).await
            })*

            async fn finish_attempt(
                &self,
                lease: Lease<NotificationId>,
                result: AttemptResult,
                now: Timestamp,
            ) -> Result<Committed> {
                let fault = self.faults.lock().unwrap().pop_front();
                match fault {
                    None => self.inner.finish_attempt(lease, result, now).await,
                    Some(Fault::Refused) => Err(StoreError::Failed("the disk is full".into())),
                    Some(Fault::Unknown) => {
                        self.inner.finish_attempt(lease, result, now).await?;
                        Err(StoreError::Unknown("the commit was not answered".into()))
                    }
                }
            }
        }
    };
}

faulty! {
    fn ensure_org(name: &str, now: Timestamp) -> Result<OrgId>;
    fn org_by_token(token_hash: [u8; 32]) -> Result<Option<OrgId>>;
    fn add_org_token(org: OrgId, token_hash: [u8; 32], now: Timestamp) -> Result<TokenId>;
    fn create_instance(new: NewInstance, now: Timestamp) -> Result<InstanceId>;
    fn instance(org: OrgId, id: InstanceId) -> Result<InstanceRow>;
    fn instances(org: OrgId) -> Result<Vec<InstanceRow>>;
    fn update_instance(org: OrgId, id: InstanceId, new: NewInstance, now: Timestamp) -> Result<()>;
    fn set_enabled(org: OrgId, id: InstanceId, enabled: bool) -> Result<()>;
    fn delete_instance(org: OrgId, id: InstanceId, now: Timestamp) -> Result<()>;
    fn pollers(org: OrgId, instance: Option<InstanceId>) -> Result<Vec<PollerRow>>;
    fn poller(org: OrgId, id: PollerId) -> Result<PollerRow>;
    fn set_due(org: OrgId, id: PollerId, due: Timestamp, unpause: bool) -> Result<()>;
    fn pause(org: OrgId, id: PollerId, reason: &str) -> Result<()>;
    fn set_state(org: OrgId, id: PollerId, state: &str, watermark: Option<Compared>, now: Timestamp) -> Result<()>;
    fn due(now: Timestamp, limit: u32, per_org: u32) -> Result<Vec<Due>>;
    fn next_due() -> Result<Option<Timestamp>>;
    fn claim(poller: PollerId, now: Timestamp, lease_for: Duration) -> Result<Option<Claim>>;
    fn renew(lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> Result<Committed>;
    fn recall(poller: PollerId, recall: &Recall) -> Result<Known>;
    fn commit(lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Result<Committed>;
    fn finish(lease: Lease<PollerId>, finish: Finish, now: Timestamp) -> Result<Committed>;
    fn release(lease: Lease<PollerId>, due: Timestamp) -> Result<()>;
    fn runs(org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<RunRecord>>;
    fn run(org: OrgId, id: RunId) -> Result<(RunRecord, Vec<Decision>)>;
    fn events(org: OrgId, filter: &EventFilter) -> Result<Vec<LoggedEvent>>;
    fn endpoints_waiting(limit: u32) -> Result<Vec<EndpointRow>>;
    fn waiting(endpoint: EndpointId, events_max: EventsMax) -> Result<Waiting>;
    fn reserve_notification() -> Result<NotificationId>;
    fn form(id: NotificationId, new: NewNotification, position_was: i64, now: Timestamp, lease_for: Duration) -> Result<Option<Delivery>>;
    fn claim_notifications(now: Timestamp, limit: u32, per_endpoint: u32, lease_for: Duration) -> Result<Vec<Delivery>>;
    fn redeliver(org: OrgId, filter: &NotificationFilter, now: Timestamp) -> Result<u64>;
    fn next_notification_due() -> Result<Option<Timestamp>>;
    fn endpoints(org: OrgId) -> Result<Vec<EndpointRow>>;
    fn notifications(org: OrgId, filter: &NotificationFilter) -> Result<Vec<NotificationRow>>;
    fn attempts(org: OrgId, notification: NotificationId) -> Result<Vec<AttemptRow>>;
    fn expire_leases(now: Timestamp) -> Result<u64>;
    fn prune(retention: &Retention) -> Result<Kept>;
}

/// One event, first answered as the script says, while writes of outcomes go wrong like this.
async fn world(faults: &[Fault], first: Act) -> (World, turnstone_engine::deliverer::Deliverer) {
    let world = World::new(move |_, count| if count == 0 { first.clone() } else { Act::Status(200) }).await;
    let place = world.place("https://a.test/events").await;
    world.record(place, &["a", "b"]).await;
    let faults = Mutex::new(faults.iter().copied().collect());
    let deliverer = world.on(Arc::new(Faulty { inner: Arc::clone(&world.store), faults }));
    (world, deliverer)
}

#[tokio::test]
async fn a_refused_write_of_an_outcome_is_done_again() {
    let (world, deliverer) = world(&[Fault::Refused, Fault::Refused], Act::Status(200)).await;
    assert_eq!(deliverer.deliver_once().await.unwrap().delivered, 1);
    assert_eq!(world.states().await, ["delivered"]);
    assert_eq!(world.receivers.seen().len(), 1);
}

#[tokio::test]
async fn a_write_that_happened_unseen_is_not_done_twice() {
    for (first, state, failures) in [(Act::Status(200), "delivered", 0), (Act::Status(500), "retry", 1)] {
        let (world, deliverer) = world(&[Fault::Unknown], first).await;
        assert_eq!(deliverer.deliver_once().await.unwrap().stale, 1);
        let rows = world.notifications().await;
        assert_eq!((rows[0].state.as_str(), rows[0].failures), (state, failures));
        assert_eq!(world.attempts(rows[0].id).await.len(), 1);
        world.clock.advance(Limits::default().lease);
        world.live().await;
        // Sent again only where the receiver had refused it.
        assert_eq!(world.receivers.seen().len(), 1 + failures as usize);
    }
}

#[tokio::test]
async fn an_outcome_that_cannot_be_kept_sends_the_same_bytes_again() {
    let (world, deliverer) = world(&[Fault::Refused; 3], Act::Status(200)).await;
    let error = deliverer.deliver_once().await.unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(world.states().await, ["created"]);
    assert!(deliverer.deliver_once().await.unwrap().is_idle());
    world.clock.advance(Limits::default().lease);
    assert_eq!(deliverer.deliver_once().await.unwrap().delivered, 1);
    let seen = world.receivers.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].id(), &seen[0].body), (seen[1].id(), &seen[1].body));
    assert_eq!(world.notifications().await[0].completed_at, Some(world.clock.now()));
}
