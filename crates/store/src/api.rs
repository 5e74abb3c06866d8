//! The verbs, and the rows that they speak of.
//!
//! Conventions: every row belongs to an organisation; instants are kept as whole microseconds UTC; secret values arrive
//! here already sealed; opaque JSON texts (`state`, `checkpoint`, `document`) are written and read back untouched.
//! Every text may hold any character, NUL included. Ids and positions start at 1, grow, and are never used twice.
//!
//! A verb that names a row answers `NotFound` when the row is not there or belongs to another organisation: the words
//! are `organisation`, `connector`, `instance`, `poller`, `run`, `endpoint` and `notification`. Filters that match
//! nothing, a foreign id included, give an empty list; a limit of 0 gives one too. Texts are ordered by their UTF-8
//! bytes.
//!
//! A claim holds until it is released, given up by [`Store::expire_leases`], or taken by the next claimer once it ran
//! out (`now` at or past its end). Until then its holder's writes count, late or not: the epoch decides, not the clock.
//! All claims end when the store is opened anew.
//!
//! Every event has a channel, from its recording on for good: its subscription's, if that had an endpoint of its own
//! then, and otherwise its instance's. An endpoint takes the events of one channel.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{
    AttemptId, ElementId, EndpointId, EventId, InstanceId, NotificationId, OrgId, PollerId, RunId,
    SubscriptionId, TokenId,
};
use turnstone_core::ledger::{Compared, Known, Recall};
use turnstone_core::poll::{Batch, Decision, Finish, RunRecord, Status};

use crate::intake::NewIntake;

/// Why a verb did not do its work.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened or is not usable; the sentence says why and what helps.
    #[error("{0}")]
    Unusable(String),
    /// The write may or may not have happened. Derived ids and the lease's epoch make doing it again safe.
    #[error("the outcome of a write is unknown: {0}")]
    Unknown(String),
    /// The database refused or failed; nothing was written.
    #[error("the store failed: {0}")]
    Failed(String),
    /// No such row for this organisation.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The row is taken: a name, a token, or a version that moved on.
    #[error("{0}")]
    Conflict(String),
}

/// What the verbs return.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A fenced claim: valid while the epoch is the one stored with the claimed row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease<Id> {
    /// What is claimed.
    pub id: Id,
    /// Grows with every claim of the row.
    pub epoch: u64,
}

/// What came of a write that checks a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is durable.
    Yes,
    /// The lease is not ours any more; nothing was written.
    StaleLease,
}

/// A new instance, checked and sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewInstance {
    /// Its organisation.
    pub org: OrgId,
    /// Its connector's key.
    pub element_key: String,
    /// The connector that it was made from and which revision of it; `None` for a document that brings its own.
    pub element: Option<(ElementId, i64)>,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Hash of its token; the token itself is not kept.
    pub token_hash: [u8; 32],
    /// Its document, with secret values sealed.
    pub document: String,
    /// Whether its pollers run.
    pub enabled: bool,
    /// One poller per polled resource.
    pub pollers: Vec<NewPoller>,
    /// Where its notifications go, if anywhere.
    pub endpoint: Option<NewEndpoint>,
    /// How its provider's own notifications reach it, if they may.
    pub intake: Option<NewIntake>,
}

/// A poller of a new or changed instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPoller {
    /// The resource name.
    pub resource: String,
    /// Number of its configuration; a changed configuration has a larger one.
    pub revision: i64,
    /// First due time.
    pub next_due: Timestamp,
    /// Its interval.
    pub interval: Duration,
}

/// A place for notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEndpoint {
    /// `callback` (HTTP) or `stdout`.
    pub kind: String,
    /// Its settings as JSON, secrets sealed.
    pub config: String,
}

/// An instance as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceRow {
    /// Its id.
    pub id: InstanceId,
    /// Its organisation.
    pub org: OrgId,
    /// Its connector's key.
    pub element_key: String,
    /// The connector that it was made from and which revision of it, if it is a stored one.
    pub element: Option<(ElementId, i64)>,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its document, with secret values sealed.
    pub document: String,
    /// Whether its pollers run.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its own endpoint; those of its subscriptions stand with them.
    pub endpoint: Option<EndpointId>,
}

/// A poller as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct PollerRow {
    /// Its id.
    pub id: PollerId,
    /// Its organisation.
    pub org: OrgId,
    /// Its instance.
    pub instance: InstanceId,
    /// The resource name; of a subscription its own name.
    pub resource: String,
    /// The subscription that it runs, if it is one of a monitor.
    pub subscription: Option<SubscriptionId>,
    /// Number of its configuration.
    pub revision: i64,
    /// Its interval.
    pub interval: Duration,
    /// When it is due.
    pub next_due: Timestamp,
    /// When it would be due without the notifications of its provider that made it due earlier.
    pub regular_due: Option<Timestamp>,
    /// Why it is paused, if it is.
    pub paused: Option<String>,
    /// How it is.
    pub status: Status,
    /// Its watermark.
    pub watermark: Option<Compared>,
    /// Its state, as the core wrote it; empty before the first run.
    pub state: String,
    /// Its open pass, as the core wrote it.
    pub checkpoint: Option<String>,
}

/// A poller that is due, for whoever decides about turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The poller.
    pub poller: PollerId,
    /// Its organisation.
    pub org: OrgId,
    /// Its instance.
    pub instance: InstanceId,
    /// Since when.
    pub due: Timestamp,
}

/// A claimed poller with everything that its run starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Proof of the claim.
    pub lease: Lease<PollerId>,
    /// The poller.
    pub poller: PollerRow,
    /// Its instance.
    pub instance: InstanceRow,
}

/// An endpoint as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRow {
    /// Its id.
    pub id: EndpointId,
    /// Its organisation.
    pub org: OrgId,
    /// Its instance.
    pub instance: InstanceId,
    /// The subscription whose own it is; the instance's where this is nothing.
    pub subscription: Option<SubscriptionId>,
    /// `callback` or `stdout`.
    pub kind: String,
    /// Its settings, secrets sealed.
    pub config: String,
    /// Up to where it has taken events from its organisation's log.
    pub position: i64,
    /// `active`, `deactivated` (after its last retry) or `disabled` (by 410 or by a person).
    pub state: EndpointState,
    /// Why it is in that state, in words; empty while active.
    pub reason: String,
    /// The last time that it accepted anything.
    pub accepted_at: Option<Timestamp>,
}

impl EndpointRow {
    /// The channel whose events it takes: the instance's, by its id, or its subscription's, by the negated id. An event
    /// stays on the channel that its poller had when it was recorded.
    pub(crate) fn channel(&self) -> i64 {
        self.subscription.map_or(self.instance.0, |id| -id.0)
    }
}

/// Whether an endpoint takes notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It does.
    Active,
    /// Its last retry failed and nothing was accepted since the first failure. Events wait for it.
    Deactivated,
    /// It answered 410, or a person switched it off. Events wait for it.
    Disabled,
}

impl EndpointState {
    /// The stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            EndpointState::Active => "active",
            EndpointState::Deactivated => "deactivated",
            EndpointState::Disabled => "disabled",
        }
    }
}

/// An event with its place in the organisation's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its position; grows in commit order.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The event.
    pub event: Event,
}

/// Which events an endpoint might be sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its endpoint.
    pub endpoint: EndpointRow,
    /// The next events of one resource, or of one request of a provider, in log order, of which none waits for an
    /// earlier one of its record. At most as many as were asked for, at most one per record.
    pub events: Vec<LoggedEvent>,
}

/// How many events one notification may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsMax {
    /// Of those that polls saw.
    pub polled: u32,
    /// Of those that a request of the provider brought.
    pub received: u32,
}

/// A notification that was just formed. Its id, members and bytes never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotification {
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// The notification that it was split from.
    pub split_from: Option<NotificationId>,
    /// Its events, by position in the log, ascending.
    pub members: Vec<i64>,
    /// The request body. `{notificationId}` never stands in it: the id is handed out by
    /// [`Store::reserve_notification`].
    pub body: String,
}

/// The state of a notification at its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotificationState {
    /// Formed, not tried yet.
    Created,
    /// Failed, and due again.
    Retry,
    /// Accepted.
    Delivered,
    /// Failed as a group and replaced by single notifications.
    Split,
    /// Given up after the last retry: a dead letter.
    Dead,
    /// Held until somebody releases it.
    Queued,
    /// Its endpoint was removed.
    Cancelled,
}

impl NotificationState {
    /// The stored code, which is the field's delivery status where the field has one.
    pub fn as_str(self) -> &'static str {
        match self {
            NotificationState::Created => "created",
            NotificationState::Retry => "retry",
            NotificationState::Delivered => "delivered",
            NotificationState::Split => "split",
            NotificationState::Dead => "dead",
            NotificationState::Queued => "queued",
            NotificationState::Cancelled => "cancelled",
        }
    }

    /// Whether its events still count as undelivered, so that later events of the same records wait.
    pub fn is_open(self) -> bool {
        match self {
            NotificationState::Created | NotificationState::Retry | NotificationState::Queued => true,
            NotificationState::Delivered
            | NotificationState::Split
            | NotificationState::Dead
            | NotificationState::Cancelled => false,
        }
    }
}

/// A notification as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationRow {
    /// Its id.
    pub id: NotificationId,
    /// Its organisation.
    pub org: OrgId,
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// Its instance.
    pub instance: InstanceId,
    /// The notification that it was split from.
    pub split_from: Option<NotificationId>,
    /// Its state.
    pub state: NotificationState,
    /// Failed attempts so far.
    pub failures: u32,
    /// When the first attempt failed: the `now` of the write that first brought a failure.
    pub first_failed_at: Option<Timestamp>,
    /// When it is due, while it is `Created` or `Retry`.
    pub next_due: Option<Timestamp>,
    /// When it was formed.
    pub created_at: Timestamp,
    /// When it was closed.
    pub completed_at: Option<Timestamp>,
    /// The request body.
    pub body: String,
    /// Its events, in log order.
    pub events: Vec<EventId>,
}

/// A claimed notification with its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Proof of the claim.
    pub lease: Lease<NotificationId>,
    /// The notification.
    pub notification: NotificationRow,
    /// Where it goes.
    pub endpoint: EndpointRow,
}

/// One HTTP try, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its id.
    pub id: AttemptId,
    /// Its notification.
    pub notification: NotificationId,
    /// When it was sent.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// The first bytes of the answer.
    pub answer: String,
    /// What was asked for, as its kind of endpoint writes it; empty where nothing was sent. The body is the
    /// notification's.
    pub request: String,
}

/// What an attempt leads to, already decided; written together with the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptResult {
    /// The attempt.
    pub attempt: AttemptRow,
    /// The notification's new state.
    pub state: NotificationState,
    /// When it is due again, for `Retry` (at once without it); when the singles are due, for `Split`.
    pub next_due: Option<Timestamp>,
    /// Failed attempts, this one included.
    pub failures: u32,
    /// The single notifications that replace it, for `Split`, with their reserved ids: one per member, in member order;
    /// anything else is `Failed`. They start as `Created`, without failures, due at `next_due` (or at once). Empty for
    /// every other state.
    pub singles: Vec<(NotificationId, NewNotification)>,
    /// What becomes of the endpoint, if anything: its new state and why.
    pub endpoint: Option<(EndpointState, String)>,
}

/// Which events to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this instance's.
    pub instance: Option<InstanceId>,
    /// Only this resource's.
    pub resource: Option<String>,
    /// Only this record's.
    pub object_id: Option<String>,
    /// Only this event.
    pub id: Option<EventId>,
    /// Only this poller's.
    pub poller: Option<PollerId>,
    /// Only of this type.
    pub event_type: Option<EventType>,
    /// Only positions after this.
    pub after: i64,
    /// Only positions before this.
    pub before: Option<i64>,
    /// Only what was recorded at this instant or later.
    pub from: Option<Timestamp>,
    /// Only what was recorded before this instant.
    pub to: Option<Timestamp>,
    /// Newest first instead of in log order.
    pub newest_first: bool,
    /// At most so many.
    pub limit: u32,
}

/// Which notifications to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// Only this instance's.
    pub instance: Option<InstanceId>,
    /// Only this endpoint's.
    pub endpoint: Option<EndpointId>,
    /// Only in this state.
    pub state: Option<NotificationState>,
    /// Only this one.
    pub id: Option<NotificationId>,
    /// Only those that carry this event.
    pub event: Option<EventId>,
    /// Only those that were formed at this instant or later.
    pub since: Option<Timestamp>,
    /// Only ids after this.
    pub after: i64,
    /// Only ids before this.
    pub before: Option<i64>,
    /// Newest first instead of by id. [`Store::redeliver`] takes them by id.
    pub newest_first: bool,
    /// Without their bodies, which are left empty and not read.
    pub brief: bool,
    /// At most so many.
    pub limit: u32,
}

/// What an upkeep removes, decided by the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events recorded before this go, unless one is undelivered: not yet passed by the endpoint of its channel, held
    /// there, or a member of a notification that stays. A channel without an endpoint has nothing undelivered. Dead
    /// letters stay. Other closed notifications completed before this go when no attempt of theirs is left.
    pub events_before: Timestamp,
    /// Runs finished before this go with their decisions and what their cards did, and records that notifications named
    /// before this and that were looked at.
    pub runs_before: Timestamp,
    /// Attempts started before this go.
    pub attempts_before: Timestamp,
    /// Ledger entries deleted before this go, with their versions.
    pub deleted_entries_before: Timestamp,
    /// Requests of providers that were settled or discarded before this go, with what they had to say, unless an event
    /// of theirs is in the log. Those that wait for somebody stay.
    pub requests_before: Timestamp,
    /// At most so many rows of each kind in one call.
    pub rows_max: u32,
}

/// What an upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Rows removed: attempts, notifications, events, runs, entries and requests; what goes along with them is not
    /// counted, and neither are records that notifications named.
    pub removed: u64,
    /// Whether a kind reached `rows_max`, so that another call is due soon.
    pub more: bool,
}

/// The verbs. Object safe; one implementation per database.
#[async_trait]
pub trait Store: Send + Sync {
    // Organisations, instances, pollers.

    /// The organisation of this name, made when it is not there.
    async fn ensure_org(&self, name: &str, now: Timestamp) -> Result<OrgId>;
    /// The organisation whose token has this hash.
    async fn org_by_token(&self, token_hash: [u8; 32]) -> Result<Option<OrgId>>;
    /// Adds an organisation token by its hash, and answers its id. `Conflict` when the hash is known.
    async fn add_org_token(&self, org: OrgId, token_hash: [u8; 32], now: Timestamp) -> Result<TokenId>;
    /// Makes an instance with its pollers and its endpoint, which starts at the end of the log. `Conflict` when the
    /// token is taken, or a resource stands twice; names may repeat. `NotFound` of a connector that the organisation
    /// does not have, or not in this revision.
    async fn create_instance(&self, new: NewInstance, now: Timestamp) -> Result<InstanceId>;
    /// One instance.
    async fn instance(&self, org: OrgId, id: InstanceId) -> Result<InstanceRow>;
    /// The organisation's instances, by id.
    async fn instances(&self, org: OrgId) -> Result<Vec<InstanceRow>>;
    /// Replaces an instance's document, name, tags, pollers and endpoint settings. Pollers are matched by resource name
    /// and keep their state and ledger; an open pass is left to the core, which sees the new revision. Pollers whose
    /// resource is gone are removed with their ledger; their runs and events stay. A known poller takes the interval
    /// and the revision, and the new due time when the revision changed; it stays paused if it was, and a claim stays
    /// valid. The endpoint keeps its position and state; one that is new starts at the end of the log, one that is left
    /// out is removed, and its open notifications are cancelled. The same goes for its intake, which keeps its address
    /// as long as there is one, and its requests. The connector is the new one, and its key comes along with it;
    /// without one the key stays. Organisation, token and `enabled` stay as they are, and so do its subscriptions with
    /// their pollers and endpoints.
    async fn update_instance(
        &self,
        org: OrgId,
        id: InstanceId,
        new: NewInstance,
        now: Timestamp,
    ) -> Result<()>;
    /// Switches an instance on or off. Pollers of one that is off are not due; a run in flight may still finish.
    async fn set_enabled(&self, org: OrgId, id: InstanceId, enabled: bool) -> Result<()>;
    /// Removes an instance: its pollers, ledger, endpoint, subscriptions with their endpoints, and intake; open
    /// notifications are cancelled, and requests that wait are discarded. Its events, runs, notifications and requests
    /// stay for their retention; whoever holds a lease of it finds it stale.
    async fn delete_instance(&self, org: OrgId, id: InstanceId, now: Timestamp) -> Result<()>;
    /// The pollers of an instance, or of the whole organisation, by id: those that poll.
    async fn pollers(&self, org: OrgId, instance: Option<InstanceId>) -> Result<Vec<PollerRow>>;
    /// One poller that polls.
    async fn poller(&self, org: OrgId, id: PollerId) -> Result<PollerRow>;
    /// Makes a poller due at this time (used by "poll now"), which is its regular time then; also wakes a paused one
    /// when `unpause`. The end of a run in flight overwrites it.
    async fn set_due(&self, org: OrgId, id: PollerId, due: Timestamp, unpause: bool) -> Result<()>;
    /// Pauses a poller, with the reason in words. A run in flight may still finish.
    async fn pause(&self, org: OrgId, id: PollerId, reason: &str) -> Result<()>;
    /// Replaces a poller's state (cursor set, rewind, reset, confirmed deletes); the old one goes into the cursor
    /// history, and the open pass goes, since it belongs to the old state. Refused with `Conflict` while a run holds
    /// the lease; one that ran out is taken away.
    async fn set_state(
        &self,
        org: OrgId,
        id: PollerId,
        state: &str,
        watermark: Option<Compared>,
        now: Timestamp,
    ) -> Result<()>;

    // Runs.

    /// Pollers that are due (at `now` or before), enabled, unpaused and unclaimed (or whose claim ran out), at most
    /// `limit`, earliest first and then by id, but at most `per_org` of one organisation so that none hides the others.
    async fn due(&self, now: Timestamp, limit: u32, per_org: u32) -> Result<Vec<Due>>;
    /// When the earliest enabled, unpaused, unclaimed poller is due. A claim that ran out still counts as one here.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
    /// Claims a poller until `now + lease_for`. `None` when it is not due any more, off, paused, claimed, or gone.
    async fn claim(&self, poller: PollerId, now: Timestamp, lease_for: Duration) -> Result<Option<Claim>>;
    /// Prolongs a claim, also one that ran out and that nobody took.
    async fn renew(&self, lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> Result<Committed>;
    /// What the ledger knows. Nothing, of a poller that is gone.
    async fn recall(&self, poller: PollerId, recall: &Recall) -> Result<Known>;
    /// Writes one batch; what it heard of is looked at no more, or once more, unless it was named again meanwhile. An
    /// event whose id is already in the log is not written again and keeps its position; everything else is. Within the
    /// batch entries come first, so that `swept` reaches those too; a swept id without an entry is passed over.
    /// Decisions become visible with the run that finishes under the same lease, and are lost if none does.
    async fn commit(&self, lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Result<Committed>;
    /// Writes the end of a run, its last batch first, and releases the claim. A poller of which a request named records
    /// after those that the run knew of ([`Finish::hints_known`]) is due at once, if it is well (`ok`) and the run did
    /// not fail. Versions without a compared value are not pruned.
    async fn finish(&self, lease: Lease<PollerId>, finish: Finish, now: Timestamp) -> Result<Committed>;
    /// Releases a claim without a trace, due again at `due` (a run that was interrupted by shutdown). Does nothing when
    /// the lease is stale.
    async fn release(&self, lease: Lease<PollerId>, due: Timestamp) -> Result<()>;
    /// The runs of a poller, by start, newest first.
    async fn runs(&self, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<RunRecord>>;
    /// One run with its single decisions, in the order of their writing.
    async fn run(&self, org: OrgId, id: RunId) -> Result<(RunRecord, Vec<Decision>)>;

    // Events and deliveries.

    /// Events of an organisation.
    async fn events(&self, org: OrgId, filter: &EventFilter) -> Result<Vec<LoggedEvent>>;
    /// Active endpoints that have events waiting: exactly those for which [`Store::waiting`] would answer at least one
    /// event. Those farthest behind (smallest position, then id) first, at most `limit`.
    async fn endpoints_waiting(&self, limit: u32) -> Result<Vec<EndpointRow>>;
    /// The next events for an endpoint: looks at its channel's events from its position on, and at those held earlier
    /// whose record is free by now. Those of one request of a provider, or of one resource (poller) that was polled: of
    /// the first free event in log order. At most the number of `events_max` for such events, at most one per record,
    /// none whose record (poller and object id) has a member of an open notification at this endpoint. No events while
    /// the endpoint is not active. Reads only; [`Store::form`] moves the position.
    async fn waiting(&self, endpoint: EndpointId, events_max: EventsMax) -> Result<Waiting>;
    /// The next notification id, so that the body can hold it. Ids that are never used leave gaps.
    async fn reserve_notification(&self) -> Result<NotificationId>;
    /// Writes a formed notification, claimed at once for its first attempt (`Created`, due `now`), and moves the
    /// endpoint: its position goes to the last member if that is beyond it, and the events of its channel passed over
    /// on the way are held. `None` when the endpoint moved meanwhile, is not active any more or gone, the id is used,
    /// or the members are not what [`Store::waiting`] might answer (none at all, of two resources or requests, two of
    /// one record, not free, not the first of its record, not in the log): nothing is written.
    async fn form(
        &self,
        id: NotificationId,
        new: NewNotification,
        position_was: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Delivery>>;
    /// Claims due notifications (`Created` or `Retry`) of active endpoints, earliest first and then by id, at most
    /// `limit`, at most `per_endpoint` open claims of one endpoint, those of [`Store::form`] included. A claim that ran
    /// out is no claim.
    async fn claim_notifications(
        &self,
        now: Timestamp,
        limit: u32,
        per_endpoint: u32,
        lease_for: Duration,
    ) -> Result<Vec<Delivery>>;
    /// Writes an attempt and what it leads to, and releases the claim. `Delivered` also notes at the endpoint that it
    /// accepted something. A notification that was closed meanwhile (cancelled) counts as a stale lease.
    async fn finish_attempt(
        &self,
        lease: Lease<NotificationId>,
        result: AttemptResult,
        now: Timestamp,
    ) -> Result<Committed>;
    /// Releases, makes due again and counts from zero: notifications that match, if dead, queued or in retry, as long
    /// as their endpoint exists and no claim on them stands. They become `Retry`, due `now`; their endpoints become
    /// active again. The filter's `after` and `limit` count, by id, among those that qualify. Returns how many.
    async fn redeliver(&self, org: OrgId, filter: &NotificationFilter, now: Timestamp) -> Result<u64>;
    /// When the earliest unclaimed `Created` or `Retry` notification of an active endpoint is due. A claim that ran out
    /// still counts as one here.
    async fn next_notification_due(&self) -> Result<Option<Timestamp>>;
    /// Endpoints of an organisation, by id.
    async fn endpoints(&self, org: OrgId) -> Result<Vec<EndpointRow>>;
    /// Notifications of an organisation, by id.
    async fn notifications(&self, org: OrgId, filter: &NotificationFilter) -> Result<Vec<NotificationRow>>;
    /// The attempts of a notification, oldest first.
    async fn attempts(&self, org: OrgId, notification: NotificationId) -> Result<Vec<AttemptRow>>;

    // Upkeep.

    /// Gives up claims that ran out, of pollers and of notifications. Returns how many.
    async fn expire_leases(&self, now: Timestamp) -> Result<u64>;
    /// Removes what is older than its retention. Never an undelivered event, never a live ledger row.
    async fn prune(&self, retention: &Retention) -> Result<Kept>;
}
