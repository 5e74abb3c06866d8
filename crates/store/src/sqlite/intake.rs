//! The verbs for what providers send us, carried to the one writer and the readers.
//!
//! A provider that waits for our answer goes before everybody; what becomes of its request takes its turn with the
//! polls, whose work it resembles.

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{InboundId, InstanceId, OrgId, PollerId};
use turnstone_core::intake::RawRequest;
use turnstone_core::poll::Named;

use super::writer::{Class, Weight};
use super::{SqliteStore, addresses, hints, history, inbound, settling};
use crate::api::{InstanceRow, Result};
use crate::intake::*;

#[async_trait]
impl Intake for SqliteStore {
    async fn instance_by_address(&self, address_hash: [u8; 32]) -> Result<Option<InstanceRow>> {
        self.read(Class::Intake, move |db| addresses::instance_by_address(db, address_hash)).await
    }

    async fn instance_anywhere(&self, id: InstanceId) -> Result<Option<InstanceRow>> {
        self.read(Class::Intake, move |db| addresses::instance_anywhere(db, id)).await
    }

    async fn instances_by_match(
        &self,
        element_key: &str,
        value_hash: [u8; 32],
        limit: u32,
    ) -> Result<Vec<InstanceRow>> {
        let key = element_key.to_owned();
        self.read(Class::Intake, move |db| addresses::instances_by_match(db, &key, value_hash, limit)).await
    }

    async fn address(&self, org: OrgId, instance: InstanceId) -> Result<Option<String>> {
        self.read(Class::Api, move |db| addresses::address(db, org, instance)).await
    }

    async fn replace_address(
        &self,
        org: OrgId,
        instance: InstanceId,
        address_hash: [u8; 32],
        sealed: &str,
        now: Timestamp,
    ) -> Result<()> {
        let sealed = sealed.to_owned();
        self.write(Class::Api, Weight::SMALL, move |desk| {
            addresses::replace_address(desk, org, instance, address_hash, &sealed, now)
        })
        .await
    }

    async fn receive(&self, new: Vec<NewInbound>, now: Timestamp) -> Result<Vec<Received>> {
        let weight = inbound::weight(&new);
        self.write(Class::Intake, weight, move |desk| inbound::receive(desk, &new, now)).await
    }

    async fn waiting_requests(&self, now: Timestamp, limit: u32) -> Result<Vec<WaitingRequest>> {
        self.read(Class::Polls, move |db| inbound::waiting_requests(db, now, limit)).await
    }

    async fn next_request_due(&self) -> Result<Option<Timestamp>> {
        self.read(Class::Polls, inbound::next_request_due).await
    }

    async fn waiting_by_org(&self) -> Result<Vec<(OrgId, u64)>> {
        self.read(Class::Polls, inbound::waiting_by_org).await
    }

    async fn settle(&self, id: InboundId, settlement: Settlement, now: Timestamp) -> Result<SettledAs> {
        let weight = settling::weight(&settlement);
        self.write(Class::Polls, weight, move |desk| settling::settle(desk, id, settlement, now)).await
    }

    async fn requests(&self, org: OrgId, filter: &InboundFilter) -> Result<Vec<InboundRow>> {
        let filter = filter.clone();
        self.read(Class::Api, move |db| inbound::requests(db, org, &filter)).await
    }

    async fn request(&self, org: OrgId, id: InboundId) -> Result<RawRequest> {
        self.read(Class::Api, move |db| inbound::request(db, org, id)).await
    }

    async fn replay(&self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64> {
        let filter = filter.clone();
        self.write(Class::Api, Weight::SMALL, move |desk| inbound::replay(desk, org, &filter, now)).await
    }

    async fn discard(&self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64> {
        let filter = filter.clone();
        self.write(Class::Api, Weight::SMALL, move |desk| inbound::discard(desk, org, &filter, now)).await
    }

    async fn request_counts(&self, org: OrgId, instance: InstanceId) -> Result<InboundCounts> {
        self.read(Class::Api, move |db| inbound::request_counts(db, org, instance)).await
    }

    async fn hints(&self, poller: PollerId, limit: u32) -> Result<Vec<Named>> {
        self.read(Class::Polls, move |db| hints::hints(db, poller, limit)).await
    }

    async fn event_counts(
        &self,
        org: OrgId,
        from: Timestamp,
        to: Timestamp,
        interval: Interval,
    ) -> Result<Vec<EventCount>> {
        self.read(Class::Api, move |db| history::event_counts(db, org, from, to, interval)).await
    }
}
