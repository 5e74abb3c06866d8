//! Drives two stores through the same seeded steps of intake and compares every answer.
//!
//! The steps share few records, keys and times, so that they meet: requests that are repeated, settled out of turn and
//! run again, hints for pollers in the middle of a run, notifications of events that polls and requests brought.
//! Numbers that a store hands out are replaced by the order of their first appearance.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{AttemptId, EndpointId, EventId, InboundId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::intake::{BodyFormat, Hint, ReceivedEvent, Reported};
use turnstone_core::ledger::{Counts, Recall};
use turnstone_core::poll::{Batch, Finish, Heard, Named, RunKind, RunOutcome, RunRecord, Status, Story};

use super::Both;
use super::world::{any_request, content, named, quarantine, request};
use crate::api::*;
use crate::intake::*;
use crate::suite::random::{Chance, Names, told};
use crate::suite::world::{LEASE, any_event, any_notification, at, entry, version};

/// Runs `steps` seeded steps against both stores, which must be empty, and panics at the first answer that differs.
pub async fn random(model: Arc<dyn Both>, store: Arc<dyn Both>, seed: u64, steps: u32) {
    let (mut model, mut tested) = (Side::new(model).await, Side::new(store).await);
    let mut chance = Chance(seed);
    let mut now = 0;
    let mut before: VecDeque<String> = VecDeque::new();
    for step in 0..steps {
        now += chance.below(12) as i64;
        let draws = Chance(chance.draw());
        let expected = model.act(draws, now).await;
        let answer = tested.act(draws, now).await;
        assert!(
            expected == answer,
            "seed {seed}, step {step}, second {now}\nexpected {expected}\nanswered {answer}\nafter {before:#?}"
        );
        before.push_back(expected);
        if before.len() > 12 {
            before.pop_front();
        }
    }
    let (expected, answer) = (model.everything(now).await, tested.everything(now).await);
    assert_eq!(expected, answer, "seed {seed}, in the end");
}

/// One store with what it told so far.
struct Side {
    store: Arc<dyn Both>,
    orgs: Vec<OrgId>,
    instances: Vec<(OrgId, InstanceId)>,
    pollers: Vec<(OrgId, PollerId, InstanceId)>,
    /// Pollers of events, those that never run included.
    tellers: Vec<PollerId>,
    endpoints: Vec<EndpointId>,
    leases: Vec<Lease<PollerId>>,
    deliveries: Vec<Delivery>,
    requests: Vec<InboundId>,
    named: Vec<(PollerId, Named)>,
    tokens: u8,
    instance_names: Names,
    poller_names: Names,
    endpoint_names: Names,
    notification_names: Names,
    position_names: Names,
    request_names: Names,
    hint_names: BTreeMap<PollerId, Names>,
}

fn object(chance: &mut Chance) -> String {
    format!("r\0{}", chance.below(5))
}

fn event_type(chance: &mut Chance) -> EventType {
    let types = [EventType::Created, EventType::Updated, EventType::Deleted, EventType::Unknown];
    chance.of(&types).expect("there are four")
}

impl Side {
    async fn new(store: Arc<dyn Both>) -> Side {
        let mut orgs = Vec::new();
        for name in ["one", "two"] {
            orgs.push(store.ensure_org(name, at(0)).await.expect("an empty store takes organisations"));
        }
        Side {
            store,
            orgs,
            instances: Vec::new(),
            pollers: Vec::new(),
            tellers: Vec::new(),
            endpoints: Vec::new(),
            leases: Vec::new(),
            deliveries: Vec::new(),
            requests: Vec::new(),
            named: Vec::new(),
            tokens: 0,
            instance_names: Names::default(),
            poller_names: Names::default(),
            endpoint_names: Names::default(),
            notification_names: Names::default(),
            position_names: Names::default(),
            request_names: Names::default(),
            hint_names: BTreeMap::new(),
        }
    }

    async fn act(&mut self, mut chance: Chance, now: i64) -> String {
        if self.instances.len() < 2 {
            return self.create(&mut chance, now).await;
        }
        match chance.below(100) {
            0..2 => self.create(&mut chance, now).await,
            2..5 => self.change(&mut chance, now).await,
            5..8 => self.tend(&mut chance, now).await,
            8..27 => self.receive(&mut chance, now).await,
            27..48 => self.settle(&mut chance, now).await,
            48..52 => self.put_right(&mut chance, now).await,
            52..60 => self.claim(&mut chance, now).await,
            60..68 => self.commit(&mut chance, now).await,
            68..75 => self.finish(&mut chance, now).await,
            75..83 => self.form(&mut chance, now).await,
            83..90 => self.finish_attempt(&mut chance, now).await,
            90..93 => self.upkeep(&mut chance, now).await,
            93..98 => self.look(&mut chance, now).await,
            _ => self.everything(now).await,
        }
    }

    fn new_instance(&mut self, chance: &mut Chance, org: OrgId) -> NewInstance {
        let mut pollers = Vec::new();
        for resource in ["contacts", "deals"] {
            if chance.below(4) > 0 {
                pollers.push(NewPoller {
                    resource: resource.into(),
                    revision: i64::from(chance.one_in(4)),
                    next_due: at(chance.below(50) as i64),
                    interval: Duration::from_secs(60),
                });
            }
        }
        let address =
            chance.one_in(2).then(|| ([chance.below(5) as u8; 32], format!("s{}", chance.below(9))));
        let matches = (0..chance.below(3)).map(|_| [chance.below(3) as u8; 32]).collect();
        self.tokens = self.tokens.wrapping_add(1);
        NewInstance {
            org,
            element_key: if chance.one_in(3) { "shop".into() } else { "crm".into() },
            element: None,
            name: "n".into(),
            tags: Vec::new(),
            token_hash: [self.tokens; 32],
            document: "{}".into(),
            enabled: !chance.one_in(8),
            pollers,
            endpoint: (!chance.one_in(6))
                .then(|| NewEndpoint { kind: "callback".into(), config: "{}".into() }),
            intake: (!chance.one_in(4)).then_some(NewIntake { address, matches }),
        }
    }

    async fn create(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).expect("there are two");
        let new = self.new_instance(chance, org);
        let mut made = self.store.create_instance(new, at(now)).await;
        if let Ok(id) = &mut made {
            self.instances.push((org, *id));
            self.learn(org, *id).await;
            self.instance_names.rename(&mut id.0);
        }
        told("create_instance", made)
    }

    /// Notes the pollers and the endpoint of an instance.
    async fn learn(&mut self, org: OrgId, instance: InstanceId) {
        for row in self.store.pollers(org, Some(instance)).await.unwrap_or_default() {
            if !self.pollers.iter().any(|(_, known, _)| *known == row.id) {
                self.pollers.push((org, row.id, instance));
            }
        }
        let endpoint = self.store.instance(org, instance).await.ok().and_then(|row| row.endpoint);
        self.endpoints.extend(endpoint.filter(|endpoint| !self.endpoints.contains(endpoint)));
    }

    async fn change(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id)) = chance.of(&self.instances) else { return String::new() };
        match chance.below(12) {
            0 => told("delete_instance", self.store.delete_instance(org, id, at(now)).await),
            1..3 => told("set_enabled", self.store.set_enabled(org, id, !chance.one_in(3)).await),
            3..5 => {
                let hash = [chance.below(5) as u8; 32];
                told("replace_address", self.store.replace_address(org, id, hash, "new", at(now)).await)
            }
            _ => {
                let new = self.new_instance(chance, org);
                let answer = self.store.update_instance(org, id, new, at(now)).await;
                self.learn(org, id).await;
                told("update_instance", answer)
            }
        }
    }

    async fn tend(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id, _)) = chance.of(&self.pollers) else { return String::new() };
        let due = at(now + chance.below(60) as i64);
        match chance.below(6) {
            0 => told("pause", self.store.pause(org, id, "for a while").await),
            1 => told("set_state", self.store.set_state(org, id, "s", None, at(now)).await),
            2 => {
                let Some(lease) = chance.of(&self.leases) else { return String::new() };
                told("release", self.store.release(lease, due).await)
            }
            _ => told("set_due", self.store.set_due(org, id, due, true).await),
        }
    }

    async fn receive(&mut self, chance: &mut Chance, now: i64) -> String {
        let mut new = Vec::new();
        for _ in 0..=chance.below(4) {
            let Some((mut org, instance)) = chance.of(&self.instances) else { return String::new() };
            if chance.one_in(40) {
                org = chance.of(&self.orgs).expect("there are two");
            }
            let key = match chance.one_in(2) {
                true => named(chance.below(14) as u8),
                false => content(100 + chance.below(4) as u8, chance.below(30)),
            };
            new.push(NewInbound { org, instance, key, request: request(chance.below(200) as u8) });
        }
        let mut received = self.store.receive(new, at(now)).await;
        for received in received.iter_mut().flatten() {
            let (Received::New(id) | Received::Repeated(id)) = received;
            if !self.requests.contains(id) {
                self.requests.push(*id);
            }
            self.request_names.rename(&mut id.0);
        }
        told("receive", received)
    }

    fn reported(chance: &mut Chance, now: i64) -> Reported {
        let date = at(now - chance.below(60) as i64);
        if chance.one_in(2) {
            let resource = chance.of(&["contacts", "contacts", "deals", "orders"]).expect("there are four");
            return Reported::Hint(Hint {
                resource: resource.into(),
                object_id: object(chance),
                event_type: event_type(chance),
                date: (!chance.one_in(3)).then_some(date),
            });
        }
        let object_type = chance.of(&["orders", "orders", "notes", "contacts"]).expect("there are four");
        Reported::Event(Box::new(ReceivedEvent {
            id: EventId(u128::from(chance.below(900)).to_be_bytes()),
            event_type: event_type(chance),
            object_type: object_type.into(),
            object_id: object(chance),
            date,
            reason: "reported".into(),
        }))
    }

    async fn settle(&mut self, chance: &mut Chance, now: i64) -> String {
        let mut waiting = self.store.waiting_requests(at(now), chance.below(5) as u32).await;
        let ids: Vec<InboundId> = waiting.iter().flatten().map(|waiting| waiting.row.id).collect();
        for waiting in waiting.iter_mut().flatten() {
            self.request(&mut waiting.row);
            self.instance(&mut waiting.instance);
        }
        let answer = told("waiting_requests", waiting);
        let chosen = if chance.one_in(8) { chance.of(&self.requests) } else { chance.of(&ids) };
        let Some(id) = chosen else { return answer };
        let outcome = match chance.below(8) {
            0 => InboundOutcome::Quarantined(quarantine()),
            1 => InboundOutcome::Postponed {
                failures: 1 + chance.below(5) as u32,
                next_due: at(now + chance.below(20) as i64),
            },
            _ => InboundOutcome::Settled((0..chance.below(6)).map(|_| Self::reported(chance, now)).collect()),
        };
        let settlement = Settlement {
            run: RunId([chance.below(9) as u8; 16]),
            format: chance.of(&BodyFormat::ALL).expect("there are four").1,
            element_revision: chance.one_in(2).then_some(3),
            look_at: at(now + chance.below(5) as i64),
            outcome,
        };
        let settled = self.store.settle(id, settlement, at(now)).await;
        format!("{answer}\n{}", told("settle", settled))
    }

    fn filter(&self, chance: &mut Chance) -> InboundFilter {
        use InboundState::{Discarded, Quarantined, Received, Settled};
        let known = chance.of(&self.requests).map_or(0, |id| id.0);
        InboundFilter {
            instance: chance.of(&self.instances).map(|(_, id)| id).filter(|_| chance.one_in(2)),
            state: chance.of(&[Discarded, Quarantined, Received, Settled]).filter(|_| chance.one_in(3)),
            id: chance.of(&self.requests).filter(|_| chance.one_in(6)),
            after: if chance.one_in(3) { known } else { 0 },
            newest_first: chance.one_in(2),
            limit: chance.below(8) as u32,
        }
    }

    async fn put_right(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).expect("there are two");
        let filter = self.filter(chance);
        match chance.one_in(3) {
            true => told("discard", self.store.discard(org, &filter, at(now)).await),
            false => told("replay", self.store.replay(org, &filter, at(now)).await),
        }
    }

    async fn claim(&mut self, chance: &mut Chance, now: i64) -> String {
        let due = self.store.due(at(now), 20, 20).await.unwrap_or_default();
        let Some(poller) = chance.of(&due).map(|due| due.poller) else { return "nothing is due".into() };
        let claimed = self.store.claim(poller, at(now), LEASE).await;
        let claimed = claimed.map(|claimed| {
            claimed.map(|mut claim| {
                self.leases.push(claim.lease);
                self.poller(&mut claim.poller);
                claim.poller
            })
        });
        let mut hints = self.store.hints(poller, 1 + chance.below(9) as u32).await;
        self.named.extend(hints.iter().flatten().map(|named| (poller, named.clone())));
        hints.iter_mut().flatten().for_each(|named| self.hint(poller, named));
        format!("{} {}", told("claim", claimed), told("hints", hints))
    }

    /// A lease, mostly one of the last.
    fn lease(&self, chance: &mut Chance) -> Option<Lease<PollerId>> {
        let first = self.leases.len().saturating_sub(4);
        chance.of(&self.leases[first..])
    }

    fn batch(&self, chance: &mut Chance, poller: PollerId, now: i64) -> Batch {
        let mut batch = Batch::default();
        let heard_of: Vec<&Named> =
            self.named.iter().filter(|(of, _)| *of == poller).map(|(_, named)| named).collect();
        for _ in 0..chance.below(4) {
            let Some(named) = chance.of(&heard_of) else { break };
            let object_id = if chance.one_in(6) { object(chance) } else { named.object_id.clone() };
            batch.heard.push(Heard { object_id, inbound: named.inbound, again: chance.one_in(2) });
        }
        let instance = self.pollers.iter().find(|(_, known, _)| *known == poller);
        let instance = instance.map_or(InstanceId(0), |(_, _, instance)| *instance);
        for _ in 0..chance.below(3) {
            let mut known = entry(&object(chance), chance.below(9) as i64, 0);
            known.deleted_at = chance.one_in(4).then(|| at(now));
            batch.entries.push(known);
            batch.events.push(Event {
                id: EventId(u128::from(chance.below(900)).to_be_bytes()),
                poller,
                instance,
                run: RunId([3; 16]),
                inbound: None,
                event_type: event_type(chance),
                object_type: "contacts".into(),
                object_id: object(chance),
                element_key: "crm".into(),
                date: at(now),
                sequence: chance.below(9),
                reason: "it changed".into(),
                compared: String::new(),
                page: 0,
                record: Some("{}".into()),
            });
        }
        batch
    }

    async fn commit(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some(lease) = self.lease(chance) else { return String::new() };
        let batch = self.batch(chance, lease.id, now);
        told("commit", self.store.commit(lease, batch, at(now)).await)
    }

    async fn finish(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some(lease) = self.lease(chance) else { return String::new() };
        let known = self.named.iter().filter(|(of, _)| *of == lease.id).map(|(_, named)| named.inbound);
        let known: Vec<InboundId> = known.collect();
        let ill = Status { code: "unreachable".into(), sentence: "x".into(), needs_attention: false };
        let next_due = now - 5 + chance.below(60) as i64;
        let outcomes =
            [RunOutcome::Completed, RunOutcome::Completed, RunOutcome::Yielded, RunOutcome::Failed];
        let finish = Finish {
            flow: None,
            batch: self.batch(chance, lease.id, now),
            pass_closed: true,
            state: "s".into(),
            watermark: None,
            status: if chance.one_in(6) { ill } else { Status::ok() },
            next_due: at(next_due),
            regular_due: chance.one_in(3).then(|| at(next_due + chance.below(60) as i64)),
            hints_known: chance.of(&known).filter(|_| !chance.one_in(4)).unwrap_or(InboundId(0)),
            prune_versions_below: None,
            run: RunRecord {
                id: RunId::new(at(now), chance.draw()),
                poller: lease.id,
                kind: RunKind::Look,
                started_at: at(now),
                finished_at: at(now),
                outcome: chance.of(&outcomes).expect("there are four"),
                error: None,
                counts: Counts { announced: chance.below(3), ..Counts::default() },
                story: Story::default(),
            },
        };
        told("finish", self.store.finish(lease, finish, at(now)).await)
    }

    async fn form(&mut self, chance: &mut Chance, now: i64) -> String {
        let listed = self.store.endpoints_waiting(10).await.unwrap_or_default();
        let listed: Vec<EndpointId> = listed.iter().map(|row| row.id).collect();
        let Some(endpoint) = chance.of(&listed) else { return "nothing waits".into() };
        let most = EventsMax { polled: chance.below(4) as u32, received: chance.below(6) as u32 };
        let waiting = self.store.waiting(endpoint, most).await;
        let Ok(mut waiting) = waiting else { return told("waiting", waiting) };
        let mut members: Vec<i64> = waiting.events.iter().map(|logged| logged.position).collect();
        if chance.one_in(5) {
            // Somebody forms what does not belong together.
            let filter = EventFilter { instance: Some(waiting.endpoint.instance), ..any_event() };
            let all = self.store.events(waiting.endpoint.org, &filter).await.unwrap_or_default();
            members.extend(chance.of(&all).map(|logged| logged.position));
            members.sort_unstable();
            members.dedup();
        }
        let position_was = waiting.endpoint.position;
        self.endpoint(&mut waiting.endpoint);
        waiting.events.iter_mut().for_each(|logged| self.logged(logged));
        let Ok(id) = self.store.reserve_notification().await else { return "no id".into() };
        let new = NewNotification { endpoint, split_from: None, members, body: "{}".into() };
        let mut formed = self.store.form(id, new, position_was, at(now), LEASE).await;
        if let Ok(Some(delivery)) = &mut formed {
            self.deliveries.push(delivery.clone());
            delivery.lease.epoch = 0;
            self.notification_names.rename(&mut delivery.lease.id.0);
            self.notification(&mut delivery.notification);
            self.endpoint(&mut delivery.endpoint);
        }
        format!("{} {waiting:?} {}", listed.len(), told("form", formed))
    }

    async fn finish_attempt(&mut self, chance: &mut Chance, now: i64) -> String {
        let first = self.deliveries.len().saturating_sub(5);
        let Some(delivery) = chance.of(&self.deliveries[first..]) else { return String::new() };
        use NotificationState::{Dead, Delivered};
        let result = AttemptResult {
            attempt: AttemptRow {
                id: AttemptId::new(at(now), chance.draw()),
                notification: delivery.notification.id,
                started_at: at(now),
                duration_ms: 1,
                status: Some(200),
                error: None,
                answer: String::new(),
                request: String::new(),
            },
            state: chance.of(&[Delivered, Delivered, Dead]).expect("there are three"),
            next_due: None,
            failures: 0,
            singles: Vec::new(),
            endpoint: None,
        };
        told("finish_attempt", self.store.finish_attempt(delivery.lease, result, at(now)).await)
    }

    async fn upkeep(&mut self, chance: &mut Chance, now: i64) -> String {
        let mut before = || at(now - chance.below(200) as i64);
        let retention = Retention {
            events_before: before(),
            runs_before: before(),
            attempts_before: before(),
            deleted_entries_before: before(),
            requests_before: before(),
            rows_max: 10_000,
        };
        told("prune", self.store.prune(&retention).await)
    }

    async fn look(&mut self, chance: &mut Chance, now: i64) -> String {
        match chance.below(4) {
            0 => {
                let org = chance.of(&self.orgs).expect("there are two");
                let mut rows = self.store.requests(org, &self.filter(chance)).await;
                rows.iter_mut().flatten().for_each(|row| self.request(row));
                told("requests", rows)
            }
            1 => self.recalled(chance).await,
            2 => {
                let key = if chance.one_in(2) { "crm" } else { "shop" };
                let limit = chance.below(4) as u32;
                let mut rows = self.store.instances_by_match(key, [chance.below(3) as u8; 32], limit).await;
                rows.iter_mut().flatten().for_each(|row| self.instance(row));
                let mut found = self.store.instance_by_address([chance.below(5) as u8; 32]).await;
                found.iter_mut().flatten().for_each(|row| self.instance(row));
                format!("{} {}", told("instances_by_match", rows), told("instance_by_address", found))
            }
            _ => {
                let org = chance.of(&self.orgs).expect("there are two");
                let from = at(now - chance.below(300) as i64);
                let to = at(now - chance.below(100) as i64);
                let interval = Interval { step: 1 + chance.below(90_000_000) as i64 };
                self.counted(org, from, to, interval).await
            }
        }
    }

    async fn recalled(&mut self, chance: &mut Chance) -> String {
        let known: Vec<PollerId> = self.pollers.iter().map(|(_, id, _)| *id).collect();
        let poller = if chance.one_in(2) { chance.of(&self.tellers) } else { chance.of(&known) };
        let Some(poller) = poller else { return String::new() };
        let versions = (0..6).map(|number| version(&format!("r\0{number}"), 1)).collect();
        told("recall", self.store.recall(poller, &Recall::Versions(versions)).await)
    }

    async fn counted(
        &mut self,
        org: OrgId,
        from: jiff::Timestamp,
        to: jiff::Timestamp,
        interval: Interval,
    ) -> String {
        let mut counts = self.store.event_counts(org, from, to, interval).await;
        counts.iter_mut().flatten().for_each(|count| self.instance_names.rename(&mut count.instance.0));
        told("event_counts", counts)
    }

    /// All that can be read.
    async fn everything(&mut self, now: i64) -> String {
        let mut answers = vec![
            told("waiting_by_org", self.store.waiting_by_org().await),
            told("next_request_due", self.store.next_request_due().await),
            told("next_due", self.store.next_due().await),
        ];
        for org in self.orgs.clone() {
            let mut pollers = self.store.pollers(org, None).await;
            pollers.iter_mut().flatten().for_each(|row| self.poller(row));
            let mut endpoints = self.store.endpoints(org).await;
            endpoints.iter_mut().flatten().for_each(|row| self.endpoint(row));
            let mut events = self.store.events(org, &any_event()).await;
            for logged in events.iter_mut().flatten() {
                if !self.tellers.contains(&logged.event.poller) {
                    self.tellers.push(logged.event.poller);
                }
                self.logged(logged);
            }
            let mut rows = self.store.requests(org, &any_request()).await;
            for id in rows.iter().flatten().map(|row| row.id).collect::<Vec<_>>() {
                answers.push(told("request", self.store.request(org, id).await));
            }
            rows.iter_mut().flatten().for_each(|row| self.request(row));
            let mut notifications = self.store.notifications(org, &any_notification()).await;
            notifications.iter_mut().flatten().for_each(|row| self.notification(row));
            answers.extend([
                told("pollers", pollers),
                told("endpoints", endpoints),
                told("events", events),
                told("requests", rows),
                told("notifications", notifications),
            ]);
            let interval = Interval { step: 50_000_000 };
            answers.push(self.counted(org, at(0), at(now + 1), interval).await);
        }
        for (org, instance) in self.instances.clone() {
            answers.push(told("request_counts", self.store.request_counts(org, instance).await));
            answers.push(told("address", self.store.address(org, instance).await));
        }
        for (_, poller, _) in self.pollers.clone() {
            let mut hints = self.store.hints(poller, 100).await;
            hints.iter_mut().flatten().for_each(|named| self.hint(poller, named));
            answers.push(told("hints", hints));
        }
        let versions: Vec<_> = (0..6).map(|number| version(&format!("r\0{number}"), 1)).collect();
        for poller in self.tellers.clone() {
            answers
                .push(told("recall", self.store.recall(poller, &Recall::Versions(versions.clone())).await));
        }
        answers.join("\n")
    }

    fn request(&mut self, row: &mut InboundRow) {
        self.request_names.rename(&mut row.id.0);
        self.instance_names.rename(&mut row.instance.0);
    }

    fn hint(&mut self, poller: PollerId, named: &mut Named) {
        self.hint_names.entry(poller).or_default().rename(&mut named.inbound.0);
    }

    fn instance(&mut self, row: &mut InstanceRow) {
        self.instance_names.rename(&mut row.id.0);
        if let Some(endpoint) = &mut row.endpoint {
            self.endpoint_names.rename(&mut endpoint.0);
        }
    }

    fn poller(&mut self, row: &mut PollerRow) {
        self.poller_names.rename(&mut row.id.0);
        self.instance_names.rename(&mut row.instance.0);
    }

    fn endpoint(&mut self, row: &mut EndpointRow) {
        self.endpoint_names.rename(&mut row.id.0);
        self.instance_names.rename(&mut row.instance.0);
        self.position_names.rename(&mut row.position);
    }

    fn logged(&mut self, logged: &mut LoggedEvent) {
        self.position_names.rename(&mut logged.position);
        self.poller_names.rename(&mut logged.event.poller.0);
        self.instance_names.rename(&mut logged.event.instance.0);
        if let Some(inbound) = &mut logged.event.inbound {
            self.request_names.rename(&mut inbound.0);
        }
    }

    fn notification(&mut self, row: &mut NotificationRow) {
        self.notification_names.rename(&mut row.id.0);
        self.endpoint_names.rename(&mut row.endpoint.0);
        self.instance_names.rename(&mut row.instance.0);
    }
}
