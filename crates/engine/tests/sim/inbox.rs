//! The storing side of a simulated intake: the real one behind it, crash points before and after every write, an event
//! hook without JavaScript, and the planted faults that lie between intake and its store.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use turnstone_core::hook::HookEvent;
use turnstone_core::id::{EventId, InboundId, InstanceId, OrgId, PollerId};
use turnstone_core::intake::{BodyFormat, RawRequest, Reported};
use turnstone_core::poll::Named;
use turnstone_engine::intake::{EventHooks, Failure};
use turnstone_store::*;

use crate::fault::Fault;
use crate::hub::{Hub, Point};

/// A store of requests that crashes and errs on demand.
pub struct SimInbox {
    pub inner: Arc<dyn Intake>,
    pub hub: Hub,
    pub fault: Option<Fault>,
    memory: Mutex<Memory>,
}

/// What a faulty process has in its memory alone.
#[derive(Default)]
struct Memory {
    /// Requests that were answered before they were written.
    unwritten: Vec<(NewInbound, Timestamp)>,
    /// What was reported and waits to be written with the next request.
    held: Vec<Reported>,
    /// Whose the last request was.
    last: Option<NewInbound>,
}

impl SimInbox {
    pub fn new(inner: Arc<dyn Intake>, hub: Hub, fault: Option<Fault>) -> SimInbox {
        SimInbox { inner, hub, fault, memory: Mutex::default() }
    }

    /// The process ends.
    pub fn forget(&self) {
        let mut memory = self.memory.lock().expect("one thread");
        memory.unwritten.clear();
        memory.held.clear();
    }

    fn chance(&self) -> u64 {
        self.hub.lock().rng.next()
    }

    fn random_hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&self.chance().to_be_bytes());
        hash
    }

    async fn taken(&self, mut new: Vec<NewInbound>, now: Timestamp) -> Result<Vec<Received>> {
        self.memory.lock().expect("one thread").last = new.first().cloned();
        if self.fault == Some(Fault::AcknowledgedBeforeKept) {
            let mut memory = self.memory.lock().expect("one thread");
            let count = new.len();
            memory.unwritten.extend(new.into_iter().map(|new| (new, now)));
            return Ok(vec![Received::New(InboundId(i64::MAX)); count]);
        }
        if self.fault == Some(Fault::RepeatsUnknown) {
            for new in &mut new {
                new.key.hash = self.random_hash();
            }
        }
        self.inner.receive(new, now).await
    }

    async fn written(&self, id: InboundId, mut settlement: Settlement, now: Timestamp) -> Result<SettledAs> {
        if let InboundOutcome::Settled(reported) = &mut settlement.outcome {
            match self.fault {
                Some(Fault::HintsForgotten) => reported.retain(|one| matches!(one, Reported::Event(_))),
                Some(Fault::SettledUnordered) => {
                    let mut memory = self.memory.lock().expect("one thread");
                    if memory.held.is_empty() {
                        memory.held = std::mem::take(reported);
                    } else {
                        reported.append(&mut memory.held);
                    }
                }
                _ => {}
            }
        }
        let settled = self.inner.settle(id, settlement.clone(), now).await?;
        if settled == SettledAs::Stale {
            self.hub.lock().world.class("settling came too late");
            if self.fault == Some(Fault::SettledTwice) {
                return self.write_anyway(settlement, now).await;
            }
        }
        Ok(settled)
    }

    /// Somebody settles what somebody else has settled.
    async fn write_anyway(&self, mut settlement: Settlement, now: Timestamp) -> Result<SettledAs> {
        let Some(mut copy) = self.memory.lock().expect("one thread").last.clone() else {
            return Ok(SettledAs::Stale);
        };
        copy.key.hash = self.random_hash();
        copy.request = RawRequest::default();
        if let InboundOutcome::Settled(reported) = &mut settlement.outcome {
            for one in reported {
                if let Reported::Event(event) = one {
                    event.id = EventId(u128::from(self.chance()).to_be_bytes());
                }
            }
        }
        match self.inner.receive(vec![copy], now).await?.pop() {
            Some(Received::New(id)) => self.inner.settle(id, settlement, now).await,
            Some(Received::Repeated(_)) | None => Ok(SettledAs::Stale),
        }
    }

    /// What was answered is written at last.
    async fn write_late(&self) -> Result<()> {
        let unwritten = std::mem::take(&mut self.memory.lock().expect("one thread").unwritten);
        for (new, at) in unwritten {
            self.inner.receive(vec![new], at).await?;
        }
        Ok(())
    }
}

macro_rules! intake {
    ($($verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Intake for SimInbox {
            $(async fn $verb(&self, $($name: $type),*) -> Result<$answer> {
                self.inner.$verb($($name),*).await
            })*

            async fn receive(&self, new: Vec<NewInbound>, now: Timestamp) -> Result<Vec<Received>> {
                self.hub.pass(Point::ReceiveBefore).await;
                let received = self.taken(new, now).await?;
                self.hub.pass(Point::ReceiveAfter).await;
                Ok(received)
            }

            async fn waiting_requests(&self, now: Timestamp, limit: u32) -> Result<Vec<WaitingRequest>> {
                self.write_late().await?;
                self.inner.waiting_requests(now, limit).await
            }

            async fn settle(&self, id: InboundId, settlement: Settlement, now: Timestamp) -> Result<SettledAs> {
                self.hub.pass(Point::SettleBefore).await;
                let settled = self.written(id, settlement, now).await?;
                self.hub.pass(Point::SettleAfter).await;
                Ok(settled)
            }
        }
    };
}

intake! {
    instance_by_address(address_hash: [u8; 32]) -> Option<InstanceRow>;
    instance_anywhere(id: InstanceId) -> Option<InstanceRow>;
    instances_by_match(element_key: &str, value_hash: [u8; 32], limit: u32) -> Vec<InstanceRow>;
    address(org: OrgId, instance: InstanceId) -> Option<String>;
    replace_address(org: OrgId, instance: InstanceId, address_hash: [u8; 32], sealed: &str, now: Timestamp) -> ();
    next_request_due() -> Option<Timestamp>;
    waiting_by_org() -> Vec<(OrgId, u64)>;
    requests(org: OrgId, filter: &InboundFilter) -> Vec<InboundRow>;
    request(org: OrgId, id: InboundId) -> RawRequest;
    replay(org: OrgId, filter: &InboundFilter, now: Timestamp) -> u64;
    discard(org: OrgId, filter: &InboundFilter, now: Timestamp) -> u64;
    request_counts(org: OrgId, instance: InstanceId) -> InboundCounts;
    hints(poller: PollerId, limit: u32) -> Vec<Named>;
    event_counts(org: OrgId, from: Timestamp, to: Timestamp, interval: Interval) -> Vec<EventCount>;
}

/// An event hook that reads what the simulated provider writes.
pub struct SimHooks {
    pub hub: Hub,
    pub failure_percent: u64,
}

#[async_trait]
impl EventHooks for SimHooks {
    async fn events(
        &self,
        waiting: &WaitingRequest,
        format: BodyFormat,
    ) -> std::result::Result<Vec<HookEvent>, Failure> {
        self.hub.pass(Point::Hook).await;
        {
            let mut inner = self.hub.lock();
            if !inner.world.quiet && inner.rng.percent(self.failure_percent) {
                inner.world.class("hook fails for a while");
                return Err(Failure::Passing("no worker is free".into()));
            }
        }
        let content = waiting.request.content(format).expect("what the provider writes is JSON");
        let body: Value = serde_json::from_str(&content).expect("what the provider writes is JSON");
        let text = |change: &Value, name: &str| change[name].as_str().map(str::to_owned);
        let events = body["changes"].as_array().into_iter().flatten().map(|change| HookEvent {
            event_type: text(change, "type").and_then(|word| word.parse().ok()).expect("a type of ours"),
            object_id: text(change, "id").expect("an id"),
            object_type: text(change, "kind").expect("a kind"),
            date: text(change, "at").map(|at| at.parse().expect("an instant")),
        });
        Ok(events.collect())
    }
}
