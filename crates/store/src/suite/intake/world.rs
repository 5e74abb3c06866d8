//! The little world that the cases of intake start from: that of the other cases, with a way in.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use turnstone_core::event::EventType;
use turnstone_core::id::{EventId, InboundId, InstanceId, RunId};
use turnstone_core::intake::{
    BodyFormat, DeliveryKey, Hint, Quarantine, RawRequest, ReceivedEvent, Recognition, Reported,
};
use turnstone_core::poll::{Batch, Heard, Named};

use super::Both;
use crate::api::*;
use crate::intake::*;
use crate::suite::world::{self, at};

/// A store, and the other cases' world in it.
pub struct World {
    base: world::World,
    pub intake: Arc<dyn Both>,
}

impl Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.base
    }
}

/// Every request.
pub fn any_request() -> InboundFilter {
    InboundFilter { limit: 1_000, ..InboundFilter::default() }
}

/// A key by a name that the number tells.
pub fn named(number: u8) -> DeliveryKey {
    DeliveryKey { hash: [number; 32], recognition: Recognition::Named }
}

/// A key by content, which counts for so many seconds.
pub fn content(number: u8, seconds: u64) -> DeliveryKey {
    DeliveryKey { hash: [number; 32], recognition: Recognition::Content(Duration::from_secs(seconds)) }
}

/// A request whose body tells the number.
pub fn request(number: u8) -> RawRequest {
    RawRequest {
        method: "POST".into(),
        url: "https://turnstone.example/events/crm".into(),
        query: vec![("a".into(), "b\0 &".into()), ("a".into(), String::new())],
        headers: vec![("X-Sign".into(), "é".into())],
        body: vec![0xff, 0, number],
    }
}

/// A record of `contacts` that is named.
pub fn hint(object_id: &str, event_type: EventType, date: Option<i64>) -> Reported {
    Reported::Hint(Hint {
        resource: "contacts".into(),
        object_id: object_id.into(),
        event_type,
        date: date.map(at),
    })
}

/// An event of a kind of objects that nobody polls, dated 3. Its id is told by the number.
pub fn event(number: u128, object_type: &str, object_id: &str, event_type: EventType) -> Reported {
    Reported::Event(Box::new(ReceivedEvent {
        id: EventId(number.to_be_bytes()),
        event_type,
        object_type: object_type.into(),
        object_id: object_id.into(),
        date: at(3),
        reason: "reported".into(),
    }))
}

/// An updated order.
pub fn order(number: u128, object_id: &str) -> Reported {
    event(number, "orders", object_id, EventType::Updated)
}

pub fn quarantine() -> Quarantine {
    Quarantine { code: "hookFailed".into(), reason: "it threw".into(), line: Some(7) }
}

/// What comes of a hook, with pollers to look at 5.
pub fn settlement(outcome: InboundOutcome) -> Settlement {
    Settlement {
        run: RunId([9; 16]),
        format: BodyFormat::Json,
        element_revision: Some(4),
        look_at: at(5),
        outcome,
    }
}

/// A look at a record.
pub fn heard(object_id: &str, inbound: InboundId, again: bool) -> Batch {
    Batch { heard: vec![Heard { object_id: object_id.into(), inbound, again }], ..Batch::default() }
}

impl World {
    pub async fn new(intake: Arc<dyn Both>) -> World {
        let store: Arc<dyn Store> = intake.clone();
        World { base: world::World::new(store).await, intake }
    }

    /// Lets go of the store, for whoever closes it, and takes the one that was opened anew.
    pub async fn reopen(mut self, reopen: impl AsyncFnOnce(Arc<dyn Both>) -> Arc<dyn Both>) -> World {
        let nothing = Arc::new(crate::memory::MemoryStore::new());
        self.base.store = nothing.clone();
        let closing = std::mem::replace(&mut self.intake, nothing);
        self.intake = reopen(closing).await;
        self.base.store = self.intake.clone();
        self
    }

    pub fn inbound(&self, instance: InstanceId, key: DeliveryKey, number: u8) -> NewInbound {
        NewInbound { org: self.org, instance, key, request: request(number) }
    }

    pub async fn take_in(&self, instance: InstanceId, key: DeliveryKey, seconds: i64) -> Received {
        let new = self.inbound(instance, key, key.hash[0]);
        self.intake.receive(vec![new], at(seconds)).await.unwrap().remove(0)
    }

    /// Takes in a request of the world's instance that was never seen before.
    pub async fn receive(&self, number: u8, seconds: i64) -> InboundId {
        match self.take_in(self.instance, named(number), seconds).await {
            Received::New(id) => id,
            Received::Repeated(id) => panic!("{number} is {id}"),
        }
    }

    pub async fn try_settle(
        &self,
        id: InboundId,
        outcome: InboundOutcome,
        seconds: i64,
    ) -> Result<SettledAs> {
        let look_at = at(seconds.max(5));
        self.intake.settle(id, Settlement { look_at, ..settlement(outcome) }, at(seconds)).await
    }

    /// Settles a request, with pollers to look at 5, or at once; how many events are new and how many pollers are due
    /// by it.
    pub async fn settle(&self, id: InboundId, reported: Vec<Reported>, seconds: i64) -> (u32, u32) {
        match self.try_settle(id, InboundOutcome::Settled(reported), seconds).await.unwrap() {
            SettledAs::Done { events, pollers } => (events, pollers),
            SettledAs::Stale => panic!("{id} waits and is the first"),
        }
    }

    /// Takes in and settles.
    pub async fn tell(&self, number: u8, reported: Vec<Reported>, seconds: i64) -> InboundId {
        let id = self.receive(number, seconds).await;
        self.settle(id, reported, seconds).await;
        id
    }

    pub async fn put_aside(&self, id: InboundId, seconds: i64) {
        let done = self.try_settle(id, InboundOutcome::Quarantined(quarantine()), seconds).await.unwrap();
        assert_eq!(done, SettledAs::Done { events: 0, pollers: 0 });
    }

    pub async fn row(&self, id: InboundId) -> InboundRow {
        let filter = InboundFilter { id: Some(id), ..any_request() };
        self.intake.requests(self.org, &filter).await.unwrap().remove(0)
    }

    /// Ids of the requests that a filter names.
    pub async fn ids(&self, filter: InboundFilter) -> Vec<InboundId> {
        let rows = self.intake.requests(self.org, &filter).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    /// Ids of the requests to work on.
    pub async fn due_requests(&self, seconds: i64) -> Vec<InboundId> {
        let waiting = self.intake.waiting_requests(at(seconds), 100).await.unwrap();
        waiting.into_iter().map(|waiting| waiting.row.id).collect()
    }

    /// A poller after a run that left it well, due at 300 after the second.
    pub async fn well(&self, seconds: i64) {
        let lease = self.claim(seconds).await;
        let finished = self.store.finish(lease, self.finish(Batch::default(), seconds), at(seconds)).await;
        assert_eq!(finished.unwrap(), Committed::Yes);
    }

    pub async fn poller_row(&self) -> PollerRow {
        self.store.poller(self.org, self.poller).await.unwrap()
    }

    /// When the poller is due, and when it would be due without notifications.
    pub async fn dues(&self) -> (jiff::Timestamp, Option<jiff::Timestamp>) {
        let row = self.poller_row().await;
        (row.next_due, row.regular_due)
    }

    pub async fn hints(&self) -> Vec<Named> {
        self.intake.hints(self.poller, 100).await.unwrap()
    }

    /// Records to be looked at, with how often that was done.
    pub async fn open_hints(&self) -> Vec<(String, u32)> {
        self.hints().await.into_iter().map(|named| (named.object_id, named.looks)).collect()
    }

    /// Every event that a request brought: its record, number, and request.
    pub async fn numbered(&self) -> Vec<(String, u64)> {
        let events = self.store.events(self.org, &world::any_event()).await.unwrap();
        events.into_iter().map(|logged| (logged.event.object_id, logged.event.sequence)).collect()
    }
}
