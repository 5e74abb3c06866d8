//! What providers send us: the verbs for taking a request in, and for what becomes of it.
//!
//! Apart from [`crate::Store`], because nobody who polls or delivers needs any of it. The conventions are those of
//! [`crate::api`], and the words of `NotFound` here are `instance` and `request`.
//!
//! A request is durable before it is answered ([`Intake::receive`]); its event hook runs later, and what came of that
//! is one transaction ([`Intake::settle`]): events, hints for pollers, and the request's state. Requests of an instance
//! are settled in the order of their arrival; a request that is put aside holds up no other.
//!
//! Not here: whether a request is the provider's, what a hook makes of it, how often a failure is tried again.

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::event::EventType;
use turnstone_core::id::{InboundId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::intake::ReceivedEvent;
use turnstone_core::intake::{BodyFormat, DeliveryKey, Quarantine, RawRequest, Reported};
use turnstone_core::json_hash::ContentHash;
use turnstone_core::ledger::Entry;
use turnstone_core::limits::NOTIFIED_RESOURCES_MAX;
use turnstone_core::poll::{Named, RunOutcome, Status};

use crate::api::{EventsMax, InstanceRow, Result, StoreError};

/// Where requests for an instance are sent, of a new or changed instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewIntake {
    /// Hash and sealed text of an address of its own. An instance that has one keeps it.
    pub address: Option<([u8; 32], String)>,
    /// Hashes of the values by which the connector's common address finds it; they replace those it had.
    pub matches: Vec<[u8; 32]>,
}

/// A request that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInbound {
    /// Its organisation.
    pub org: OrgId,
    /// Its instance.
    pub instance: InstanceId,
    /// How it is recognised when it is sent again.
    pub key: DeliveryKey,
    /// The request.
    pub request: RawRequest,
}

/// What came of keeping a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is new.
    New(InboundId),
    /// It was there already.
    Repeated(InboundId),
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InboundState {
    /// Its hook has not run, or is to run again.
    Received,
    /// Its events are recorded.
    Settled,
    /// Its hook failed: it waits for somebody.
    Quarantined,
    /// Somebody decided that nothing shall come of it.
    Discarded,
}

impl InboundState {
    /// The stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            InboundState::Received => "received",
            InboundState::Settled => "settled",
            InboundState::Quarantined => "quarantined",
            InboundState::Discarded => "discarded",
        }
    }
}

impl std::str::FromStr for InboundState {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text {
            "received" => Ok(InboundState::Received),
            "settled" => Ok(InboundState::Settled),
            "quarantined" => Ok(InboundState::Quarantined),
            "discarded" => Ok(InboundState::Discarded),
            _ => Err(()),
        }
    }
}

/// A request as it is kept, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundRow {
    /// Its id; grows in the order of arrival.
    pub id: InboundId,
    /// Its organisation.
    pub org: OrgId,
    /// Its instance.
    pub instance: InstanceId,
    /// How it is recognised.
    pub key: DeliveryKey,
    /// Its method.
    pub method: String,
    /// Bytes of its body.
    pub body_bytes: u64,
    /// When it came.
    pub received_at: Timestamp,
    /// How often it came again.
    pub repeats: u32,
    /// Where it stands.
    pub state: InboundState,
    /// Failures that are being tried again.
    pub failures: u32,
    /// When it is due, while it is `Received`.
    pub next_due: Option<Timestamp>,
    /// Why it was put aside; kept from the last time until it is settled.
    pub quarantine: Option<Quarantine>,
    /// How its body was read when its hook last ran.
    pub format: Option<BodyFormat>,
    /// The revision of the connector whose hook ran last.
    pub element_revision: Option<i64>,
    /// Events that were recorded.
    pub events: u32,
    /// Records that pollers were told to look at.
    pub hints: u32,
    /// When it was settled, put aside or discarded.
    pub settled_at: Option<Timestamp>,
}

/// A request to work on.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingRequest {
    /// Its row.
    pub row: InboundRow,
    /// The request.
    pub request: RawRequest,
    /// Its instance.
    pub instance: InstanceRow,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The run of the hook, for the events.
    pub run: RunId,
    /// How the body was read.
    pub format: BodyFormat,
    /// The revision of the connector whose hook ran.
    pub element_revision: Option<i64>,
    /// When pollers are to look at what was named.
    pub look_at: Timestamp,
    /// And what came of it.
    pub outcome: InboundOutcome,
}

/// What came of running the hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboundOutcome {
    /// These are recorded, in this order.
    Settled(Vec<Reported>),
    /// It is put aside.
    Quarantined(Quarantine),
    /// It is tried again.
    Postponed {
        /// Failures so far.
        failures: u32,
        /// When.
        next_due: Timestamp,
    },
}

/// What came of settling a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledAs {
    /// It is durable: so many events are new in the log, and so many pollers are due earlier than they were.
    Done {
        /// Events.
        events: u32,
        /// Pollers whose turn it brought forward.
        pollers: u32,
    },
    /// Somebody else was faster, or it is not its turn: nothing was written.
    Stale,
}

/// Which requests to list, or to run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboundFilter {
    /// Only this instance's.
    pub instance: Option<InstanceId>,
    /// Only in this state.
    pub state: Option<InboundState>,
    /// Only this one.
    pub id: Option<InboundId>,
    /// Only ids after this (before this, when the newest are first; 0 begins at the end).
    pub after: i64,
    /// Newest first instead of in the order of arrival.
    pub newest_first: bool,
    /// At most so many.
    pub limit: u32,
}

/// Requests of an instance by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboundCounts {
    /// Their hooks have not run.
    pub received: u64,
    /// Put aside.
    pub quarantined: u64,
}

/// How far apart the points of a history of events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Microseconds of one step.
    pub step: i64,
}

/// Events of one instance in one step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// The step, counted from the beginning of the history.
    pub step: u64,
    /// The instance.
    pub instance: InstanceId,
    /// Events that were recorded.
    pub count: u64,
    /// Of these, how many were accepted by the endpoint, or have none to go to.
    pub success: u64,
    /// Of these, how many are dead letters.
    pub failed: u64,
}

/// The verbs. Object safe; one implementation per database.
#[async_trait]
pub trait Intake: Send + Sync {
    /// The instance with this address.
    async fn instance_by_address(&self, address_hash: [u8; 32]) -> Result<Option<InstanceRow>>;
    /// The instance with this id, whatever its organisation: the field's addresses name nothing else.
    async fn instance_anywhere(&self, id: InstanceId) -> Result<Option<InstanceRow>>;
    /// The instances of connectors with this key that are found by this value, by id, at most `limit`.
    async fn instances_by_match(
        &self,
        element_key: &str,
        value_hash: [u8; 32],
        limit: u32,
    ) -> Result<Vec<InstanceRow>>;
    /// The sealed address of an instance, if it has one.
    async fn address(&self, org: OrgId, instance: InstanceId) -> Result<Option<String>>;
    /// Gives an instance another address; the one before is not known any more. `Conflict` when the hash is taken.
    async fn replace_address(
        &self,
        org: OrgId,
        instance: InstanceId,
        address_hash: [u8; 32],
        sealed: &str,
        now: Timestamp,
    ) -> Result<()>;

    /// Keeps requests, all in one transaction, and answers when they are durable. One whose key is known (for good, or
    /// within its time) is not kept again, and counts at the one that is there; keys are an instance's own. `NotFound`
    /// when an instance is gone: then nothing is kept.
    async fn receive(&self, new: Vec<NewInbound>, now: Timestamp) -> Result<Vec<Received>>;
    /// The first waiting request of each instance, of those that are due, in the order of arrival, at most `limit`.
    /// A request that is not due holds up the later ones of its instance.
    async fn waiting_requests(&self, now: Timestamp, limit: u32) -> Result<Vec<WaitingRequest>>;
    /// When the earliest request that is first of its instance is due.
    async fn next_request_due(&self) -> Result<Option<Timestamp>>;
    /// Requests whose hooks have not run, by organisation.
    async fn waiting_by_org(&self) -> Result<Vec<(OrgId, u64)>>;
    /// Writes what became of a request, if it is still waiting and the first of its instance.
    ///
    /// Each event gets its place in the log, a poller row of its resource that is never due, and its number among the
    /// events of its record; one whose id is in the log already is passed over. Each hint is kept once per record of
    /// its poller: named anew, it is to be looked at again, and what the provider says of it gives way to what it says
    /// later, unless both are dated and the new one lies before the old one that is still to be looked at. It makes
    /// that poller due at `look_at` without losing its regular time, unless the poller's last run left it with another
    /// status than `ok`, or it is paused or off; hints for a poller that is not there are dropped. `Conflict` when the
    /// events would be of more kinds of objects than an instance may be told of ([`NOTIFIED_RESOURCES_MAX`]): then
    /// nothing is written.
    async fn settle(&self, id: InboundId, settlement: Settlement, now: Timestamp) -> Result<SettledAs>;
    /// Requests of an organisation.
    async fn requests(&self, org: OrgId, filter: &InboundFilter) -> Result<Vec<InboundRow>>;
    /// The content of one.
    async fn request(&self, org: OrgId, id: InboundId) -> Result<RawRequest>;
    /// Has requests that were put aside (or discarded) run again, as long as their instance is there; `after` and
    /// `limit` count among those that qualify. Returns how many.
    async fn replay(&self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64>;
    /// Discards requests that were put aside. Returns how many.
    async fn discard(&self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64>;
    /// How many requests of an instance wait for their hook or for somebody.
    async fn request_counts(&self, org: OrgId, instance: InstanceId) -> Result<InboundCounts>;

    /// Records that the provider's notifications named and that are still to be looked at, those named first first, at
    /// most `limit`.
    async fn hints(&self, poller: PollerId, limit: u32) -> Result<Vec<Named>>;
    /// Events recorded from `from` (inclusive) to `to` (exclusive), by step of time and instance, in that order. What a
    /// clock that was set back put out of order may be missed at the ends.
    async fn event_counts(
        &self,
        org: OrgId,
        from: Timestamp,
        to: Timestamp,
        interval: Interval,
    ) -> Result<Vec<EventCount>>;
}

/// Whether what notifications named meanwhile makes a poller due after a run that ended like this. One that is not well
/// is asked again in its own time.
pub(crate) fn heeds_hints(status: &Status, outcome: RunOutcome) -> bool {
    status.code == "ok" && outcome != RunOutcome::Failed
}

/// What is remembered of a record after an event that its provider notified: there is no content to compare, so its
/// date stands for it.
pub(crate) fn next_entry(before: Option<&Entry>, event: &ReceivedEvent, now: Timestamp) -> Entry {
    let is_end = event.event_type == EventType::Deleted;
    let date = event.date.as_microsecond();
    let was_gone = before.is_some_and(|entry| entry.deleted_at.is_some());
    let incarnation = before.map_or(1, |entry| entry.incarnation);
    Entry {
        id: event.object_id.clone(),
        incarnation: incarnation.saturating_add(u32::from(was_gone && !is_end)),
        sequence: before.map_or(0, |entry| entry.sequence) + 1,
        compared_text: event.date.to_string(),
        compared: Some(date),
        hash: ContentHash(i128::from(date).to_be_bytes()),
        shape: 0,
        recurrence: 0,
        first_read_at: now,
        last_sweep: 0,
        deleted_at: is_end.then_some(now),
        last_body: None,
    }
}

/// Why a settlement is refused that would make more rows than an instance may have.
pub(crate) fn too_many_resources() -> StoreError {
    StoreError::Conflict(format!(
        "the notifications of this instance tell of more than {NOTIFIED_RESOURCES_MAX} kinds of objects; have its \
         event hook use fewer names as `objectType`"
    ))
}

/// What the events of one notification have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// This poller saw them.
    Polled(PollerId),
    /// This request brought them.
    Received(InboundId),
}

impl Group {
    pub fn of(poller: PollerId, inbound: Option<InboundId>) -> Group {
        inbound.map_or(Group::Polled(poller), Group::Received)
    }

    /// At most so many go together.
    pub fn events_max(self, most: EventsMax) -> usize {
        match self {
            Group::Polled(_) => most.polled as usize,
            Group::Received(_) => most.received as usize,
        }
    }
}
