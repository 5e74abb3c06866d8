//! A store that fails on demand: before a write, after it, or never answering at all.
//!
//! [`Faulty`] wraps any store and counts every call. A plan says which calls fail and how; a fault of a write answers
//! [`StoreError::Unknown`], as a connection that drops during a commit does, whether or not the write happened. A crash
//! is a future that never resolves: whoever drives it drops the run at that point. Needs no clock and no runtime.
//!
//! Not here: what a crash does to the store itself (see [`crate::memory::MemoryStore::reopen`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{
    EndpointId, InboundId, InstanceId, MonitorId, NotificationId, OrgId, PollerId, RunId, SubscriptionId,
    TokenId,
};
use turnstone_core::intake::RawRequest;
use turnstone_core::ledger::{Compared, Known, Recall};
use turnstone_core::poll::{Batch, Decision, Finish, Named, RunRecord};

use crate::api::*;
use crate::intake::*;
use crate::monitors::*;
use crate::watch::*;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing is done; the caller is told that nobody knows.
    Before,
    /// It is done; the caller is told that nobody knows.
    After,
    /// Nothing is done, and no answer ever comes.
    CrashBefore,
    /// It is done, and no answer ever comes.
    CrashAfter,
}

/// A call that is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is called.
    pub verb: Verb,
    /// Which call of this verb it is, from 1.
    pub of_verb: u64,
    /// Which call of all verbs it is, from 1.
    pub of_all: u64,
}

type Plan = Box<dyn FnMut(Call) -> Option<Fault> + Send>;

#[derive(Default)]
struct Calls {
    calls: BTreeMap<Verb, u64>,
    of_all: u64,
    /// Faults for certain calls of a verb.
    booked: BTreeMap<(Verb, u64), Fault>,
    plan: Option<Plan>,
}

/// A store that fails on demand.
pub struct Faulty<S: ?Sized> {
    inner: Arc<S>,
    watch: Mutex<Calls>,
}

impl<S: ?Sized> Faulty<S> {
    /// Wraps a store; nothing fails yet.
    pub fn new(inner: Arc<S>) -> Faulty<S> {
        Faulty { inner, watch: Mutex::default() }
    }

    /// The store inside.
    pub fn inner(&self) -> &Arc<S> {
        &self.inner
    }

    /// Lets the next call of this verb fail, once.
    pub fn fail_next(&self, verb: Verb, fault: Fault) {
        let next = self.calls(verb) + 1;
        self.fail_at(verb, next, fault);
    }

    /// Lets the n-th call of this verb fail, counted from 1 since the wrapping.
    pub fn fail_at(&self, verb: Verb, call: u64, fault: Fault) {
        self.watch().booked.insert((verb, call), fault);
    }

    /// Asks this before every call that has no fault of its own. Replaces the plan before it.
    pub fn plan(&self, plan: impl FnMut(Call) -> Option<Fault> + Send + 'static) {
        self.watch().plan = Some(Box::new(plan));
    }

    /// Lets one in so many writes fail in one of these ways, chosen by the seed alone. `one_in` 0 or no faults: none.
    pub fn fail_by_seed(&self, seed: u64, one_in: u64, faults: &'static [Fault]) {
        let mut state = seed;
        self.plan(move |call| {
            let (chosen, way) = (draw(&mut state), draw(&mut state));
            if !call.verb.writes() || one_in == 0 || faults.is_empty() || chosen % one_in != 0 {
                return None;
            }
            Some(faults[(way % faults.len() as u64) as usize])
        });
    }

    /// Lets nothing fail any more. The counts stay.
    pub fn heal(&self) {
        let mut watch = self.watch();
        watch.booked.clear();
        watch.plan = None;
    }

    /// How often this verb was called, failed calls included.
    pub fn calls(&self, verb: Verb) -> u64 {
        self.watch().calls.get(&verb).copied().unwrap_or(0)
    }

    /// How often any verb was called.
    pub fn calls_of_all(&self) -> u64 {
        self.watch().of_all
    }

    fn watch(&self) -> MutexGuard<'_, Calls> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says how it fails, if it does. A plan may look at the store, so the lock is not held
    /// meanwhile.
    fn begin(&self, verb: Verb) -> Option<Fault> {
        let mut watch = self.watch();
        watch.of_all += 1;
        let of_all = watch.of_all;
        let count = watch.calls.entry(verb).or_default();
        *count += 1;
        let call = Call { verb, of_verb: *count, of_all };
        if let Some(fault) = watch.booked.remove(&(verb, call.of_verb)) {
            return Some(fault);
        }
        let mut plan = watch.plan.take()?;
        drop(watch);
        let fault = plan(call);
        self.watch().plan.get_or_insert(plan);
        fault
    }
}

/// What the caller is told.
fn told(verb: Verb) -> StoreError {
    if verb.writes() {
        StoreError::Unknown(format!("the connection was lost during {}", verb.name()))
    } else {
        StoreError::Failed(format!("the connection was lost during {}", verb.name()))
    }
}

/// The next number of a sequence (splitmix64).
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

macro_rules! verbs {
    ($($trait:ident {$(
        $kind:ident $variant:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;
    )*})*) => {
        /// The verbs of [`Store`], [`Intake`], [`Monitors`] and [`Watch`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Verb {$($(
            #[doc = concat!("[`", stringify!($trait), "::", stringify!($name), "`].")]
            $variant,
        )*)*}

        impl Verb {
            /// All of them, in the traits' order.
            pub const ALL: &[Verb] = &[$($(Verb::$variant),*),*];

            /// Its name in the trait.
            pub fn name(self) -> &'static str {
                match self {$($(
                    Verb::$variant => stringify!($name),
                )*)*}
            }

            /// Whether it changes anything.
            pub fn writes(self) -> bool {
                match self {$($(
                    Verb::$variant => stringify!($kind) == "write",
                )*)*}
            }
        }

        $(
        #[async_trait]
        impl<S: $trait + ?Sized> $trait for Faulty<S> {$(
            async fn $name(&self $(, $arg: $type)*) -> Result<$answer> {
                let verb = Verb::$variant;
                let fault = self.begin(verb);
                match fault {
                    Some(Fault::Before) => return Err(told(verb)),
                    Some(Fault::CrashBefore) => return std::future::pending().await,
                    Some(Fault::After | Fault::CrashAfter) | None => {}
                }
                let answer = self.inner.$name($($arg),*).await;
                match fault {
                    Some(Fault::After) => Err(told(verb)),
                    Some(Fault::CrashAfter) => std::future::pending().await,
                    Some(Fault::Before | Fault::CrashBefore) | None => answer,
                }
            }
        )*}
        )*
    };
}

verbs! {
    Store {
        write EnsureOrg ensure_org(name: &str, now: Timestamp) -> OrgId;
        read OrgByToken org_by_token(token_hash: [u8; 32]) -> Option<OrgId>;
        write AddOrgToken add_org_token(org: OrgId, token_hash: [u8; 32], now: Timestamp) -> TokenId;
        write CreateInstance create_instance(new: NewInstance, now: Timestamp) -> InstanceId;
        read Instance instance(org: OrgId, id: InstanceId) -> InstanceRow;
        read Instances instances(org: OrgId) -> Vec<InstanceRow>;
        write UpdateInstance update_instance(org: OrgId, id: InstanceId, new: NewInstance, now: Timestamp) -> ();
        write SetEnabled set_enabled(org: OrgId, id: InstanceId, enabled: bool) -> ();
        write DeleteInstance delete_instance(org: OrgId, id: InstanceId, now: Timestamp) -> ();
        read Pollers pollers(org: OrgId, instance: Option<InstanceId>) -> Vec<PollerRow>;
        read Poller poller(org: OrgId, id: PollerId) -> PollerRow;
        write SetDue set_due(org: OrgId, id: PollerId, due: Timestamp, unpause: bool) -> ();
        write Pause pause(org: OrgId, id: PollerId, reason: &str) -> ();
        write SetState set_state(
            org: OrgId,
            id: PollerId,
            state: &str,
            watermark: Option<Compared>,
            now: Timestamp
        ) -> ();
        read Due due(now: Timestamp, limit: u32, per_org: u32) -> Vec<Due>;
        read NextDue next_due() -> Option<Timestamp>;
        write Claim claim(poller: PollerId, now: Timestamp, lease_for: Duration) -> Option<Claim>;
        write Renew renew(lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> Committed;
        read Recall recall(poller: PollerId, recall: &Recall) -> Known;
        write Commit commit(lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Committed;
        write Finish finish(lease: Lease<PollerId>, finish: Finish, now: Timestamp) -> Committed;
        write Release release(lease: Lease<PollerId>, due: Timestamp) -> ();
        read Runs runs(org: OrgId, poller: PollerId, limit: u32) -> Vec<RunRecord>;
        read Run run(org: OrgId, id: RunId) -> (RunRecord, Vec<Decision>);
        read Events events(org: OrgId, filter: &EventFilter) -> Vec<LoggedEvent>;
        read EndpointsWaiting endpoints_waiting(limit: u32) -> Vec<EndpointRow>;
        read Waiting waiting(endpoint: EndpointId, events_max: EventsMax) -> Waiting;
        write ReserveNotification reserve_notification() -> NotificationId;
        write Form form(
            id: NotificationId,
            new: NewNotification,
            position_was: i64,
            now: Timestamp,
            lease_for: Duration
        ) -> Option<Delivery>;
        write ClaimNotifications claim_notifications(
            now: Timestamp,
            limit: u32,
            per_endpoint: u32,
            lease_for: Duration
        ) -> Vec<Delivery>;
        write FinishAttempt finish_attempt(
            lease: Lease<NotificationId>,
            result: AttemptResult,
            now: Timestamp
        ) -> Committed;
        write Redeliver redeliver(org: OrgId, filter: &NotificationFilter, now: Timestamp) -> u64;
        read NextNotificationDue next_notification_due() -> Option<Timestamp>;
        read Endpoints endpoints(org: OrgId) -> Vec<EndpointRow>;
        read Notifications notifications(org: OrgId, filter: &NotificationFilter) -> Vec<NotificationRow>;
        read Attempts attempts(org: OrgId, notification: NotificationId) -> Vec<AttemptRow>;
        write ExpireLeases expire_leases(now: Timestamp) -> u64;
        write Prune prune(retention: &Retention) -> Kept;
    }
    Intake {
        read InstanceByAddress instance_by_address(address_hash: [u8; 32]) -> Option<InstanceRow>;
        read InstanceAnywhere instance_anywhere(id: InstanceId) -> Option<InstanceRow>;
        read InstancesByMatch instances_by_match(
            element_key: &str,
            value_hash: [u8; 32],
            limit: u32
        ) -> Vec<InstanceRow>;
        read Address address(org: OrgId, instance: InstanceId) -> Option<String>;
        write ReplaceAddress replace_address(
            org: OrgId,
            instance: InstanceId,
            address_hash: [u8; 32],
            sealed: &str,
            now: Timestamp
        ) -> ();
        write Receive receive(new: Vec<NewInbound>, now: Timestamp) -> Vec<Received>;
        read WaitingRequests waiting_requests(now: Timestamp, limit: u32) -> Vec<WaitingRequest>;
        read NextRequestDue next_request_due() -> Option<Timestamp>;
        read WaitingByOrg waiting_by_org() -> Vec<(OrgId, u64)>;
        write Settle settle(id: InboundId, settlement: Settlement, now: Timestamp) -> SettledAs;
        read Requests requests(org: OrgId, filter: &InboundFilter) -> Vec<InboundRow>;
        read Request request(org: OrgId, id: InboundId) -> RawRequest;
        write Replay replay(org: OrgId, filter: &InboundFilter, now: Timestamp) -> u64;
        write Discard discard(org: OrgId, filter: &InboundFilter, now: Timestamp) -> u64;
        read RequestCounts request_counts(org: OrgId, instance: InstanceId) -> InboundCounts;
        read Hints hints(poller: PollerId, limit: u32) -> Vec<Named>;
        read EventCounts event_counts(
            org: OrgId,
            from: Timestamp,
            to: Timestamp,
            interval: Interval
        ) -> Vec<EventCount>;
    }
    Monitors {
        write CreateMonitor create_monitor(org: OrgId, name: &str, draft: &str, now: Timestamp) -> MonitorId;
        read Monitors monitors(org: OrgId) -> Vec<MonitorRow>;
        read Monitor monitor(org: OrgId, id: MonitorId) -> MonitorRow;
        write SaveDraft save_draft(
            org: OrgId,
            id: MonitorId,
            was: i64,
            name: &str,
            draft: &str,
            now: Timestamp
        ) -> i64;
        write Deploy deploy(org: OrgId, id: MonitorId, was: i64, now: Timestamp) -> i64;
        read Versions versions(org: OrgId, id: MonitorId) -> Vec<VersionRow>;
        read Version version(org: OrgId, id: MonitorId, version: i64) -> VersionRow;
        write DeleteMonitor delete_monitor(org: OrgId, id: MonitorId) -> ();
        write Subscribe subscribe(new: NewSubscription, now: Timestamp) -> SubscriptionId;
        read Subscriptions subscriptions(org: OrgId, filter: SubscriptionFilter) -> Vec<SubscriptionRow>;
        read Subscription subscription(org: OrgId, id: SubscriptionId) -> SubscriptionRow;
        read Running running(poller: PollerId) -> Option<(SubscriptionRow, String)>;
        write ChangeSubscription change_subscription(
            org: OrgId,
            id: SubscriptionId,
            change: SubscriptionChange,
            now: Timestamp
        ) -> ();
        write SetActive set_active(org: OrgId, id: SubscriptionId, active: bool, due: Timestamp) -> ();
        write Unsubscribe unsubscribe(org: OrgId, id: SubscriptionId, now: Timestamp) -> ();
        read Cursors cursors(org: OrgId, poller: PollerId, limit: u32) -> Vec<CursorRow>;
        read Trace trace(org: OrgId, run: RunId) -> Option<String>;
    }
    Watch {
        read PollerPage poller_page(org: OrgId, filter: &PollerFilter) -> (Vec<PollerRow>, u64);
        read Overview overview(org: OrgId) -> Overview;
        read RunPage run_page(org: OrgId, filter: &RunFilter) -> Vec<RunRecord>;
        read RunRecords run_records(org: OrgId, ids: &[RunId]) -> Vec<RunRecord>;
        read InstanceNames instance_names(org: OrgId, ids: &[InstanceId]) -> Vec<(InstanceId, String)>;
        read Places places(org: OrgId, pollers: &[PollerId]) -> Vec<Place>;
        read RecordStory record_story(org: OrgId, poller: PollerId, object_id: &str, limit: u32) -> RecordStory;
        read EndpointPage endpoint_page(org: OrgId, filter: &EndpointFilter) -> (Vec<EndpointView>, u64);
        write SwitchEndpoint switch_endpoint(
            org: OrgId,
            id: EndpointId,
            state: EndpointState,
            reason: &str
        ) -> ();
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::memory::MemoryStore;

    /// The answer of a future that is ready at once; `None` when it hangs.
    fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
        match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }

    fn check(fault: Option<Fault>, done: bool, answer: &str) {
        let store = Faulty::new(Arc::new(MemoryStore::new()));
        if let Some(fault) = fault {
            store.fail_next(Verb::AddOrgToken, fault);
        }
        let org = now_or_never(store.ensure_org("acme", Timestamp::UNIX_EPOCH)).unwrap().unwrap();
        let told = match now_or_never(store.add_org_token(org, [1; 32], Timestamp::UNIX_EPOCH)) {
            Some(Ok(_)) => "done",
            Some(Err(StoreError::Unknown(_))) => "unknown",
            Some(Err(_)) => "error",
            None => "silence",
        };
        assert_eq!(told, answer, "{fault:?}");
        let found = now_or_never(store.inner().org_by_token([1; 32])).unwrap().unwrap();
        assert_eq!(found.is_some(), done, "{fault:?}");
        assert_eq!((store.calls(Verb::AddOrgToken), store.calls_of_all()), (1, 2));
        let again = now_or_never(store.add_org_token(org, [2; 32], Timestamp::UNIX_EPOCH));
        assert!(again.unwrap().is_ok(), "a fault happens once");
    }

    #[test]
    fn faults_are_before_or_after_the_write() {
        check(None, true, "done");
        check(Some(Fault::Before), false, "unknown");
        check(Some(Fault::After), true, "unknown");
        check(Some(Fault::CrashBefore), false, "silence");
        check(Some(Fault::CrashAfter), true, "silence");
    }

    #[test]
    fn a_plan_sees_every_call() {
        let store = Faulty::new(Arc::new(MemoryStore::new()));
        store.plan(|call| (call.of_all == 3 && call.verb == Verb::NextDue).then_some(Fault::Before));
        store.fail_at(Verb::NextDue, 4, Fault::After);
        let answers: Vec<bool> = (0..5).map(|_| now_or_never(store.next_due()).unwrap().is_ok()).collect();
        assert_eq!(answers, [true, true, false, false, true]);
        let refused = Faulty::new(Arc::new(MemoryStore::new()));
        refused.fail_next(Verb::NextDue, Fault::Before);
        let answer = now_or_never(refused.next_due()).unwrap();
        assert!(matches!(answer, Err(StoreError::Failed(_))), "a read has no unknown outcome");
    }

    #[test]
    fn a_seed_tells_every_fault() {
        let told = |seed| -> Vec<bool> {
            let store = Faulty::new(Arc::new(MemoryStore::new()));
            store.fail_by_seed(seed, 4, &[Fault::Before, Fault::After]);
            let calls = (0..200).map(|_| now_or_never(store.reserve_notification()).unwrap().is_ok());
            let answers = calls.collect();
            store.heal();
            assert!(now_or_never(store.reserve_notification()).unwrap().is_ok());
            answers
        };
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
        let failed = told(1).iter().filter(|done| !**done).count();
        assert!((20..80).contains(&failed), "{failed} of 200");
    }

    #[test]
    fn verbs_know_what_they_are() {
        assert_eq!(Verb::ALL.len(), 81);
        assert!(Verb::Commit.writes() && Verb::Form.writes() && Verb::Prune.writes());
        assert!(!Verb::Recall.writes() && !Verb::Waiting.writes());
        assert_eq!(Verb::FinishAttempt.name(), "finish_attempt");
    }
}
