//! Drives two stores through the same seeded steps and compares every answer.
//!
//! Numbers that a store hands out (ids, positions, epochs) may differ between stores, so every answer is written down
//! with them replaced by the order of their first appearance. What a step does is drawn from the seed and from earlier
//! answers of the same store; as long as the answers agree, both stores are asked the same.

mod flows;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{
    AttemptId, EndpointId, EventId, InboundId, InstanceId, NotificationId, OrgId, PollerId, RunId,
};
use turnstone_core::ledger::{Counts, Recall, Version};
use turnstone_core::poll::{Batch, Finish, RunKind, RunOutcome, RunRecord, Status, Story};

use super::world::{LEASE, any_event, any_notification, at, decision, entry, hash, most, version};
use crate::api::*;
use crate::monitors::Monitors;

/// A store of pollers, with monitors that are run as such.
pub trait Whole: Store + Monitors {}

impl<S: Store + Monitors> Whole for S {}

/// Runs `steps` seeded steps against both stores, which must be empty, and panics at the first answer that differs.
pub async fn random(model: Arc<dyn Whole>, store: Arc<dyn Whole>, seed: u64, steps: u32) {
    let (mut model, mut tested) = (Side::new(model).await, Side::new(store).await);
    let mut chance = Chance(seed);
    let mut now = 0;
    let mut told: VecDeque<String> = VecDeque::new();
    for step in 0..steps {
        now += chance.below(20) as i64;
        let draws = Chance(chance.draw());
        let expected = model.act(draws, now).await;
        let answer = tested.act(draws, now).await;
        assert!(
            expected == answer,
            "seed {seed}, step {step}, second {now}\nexpected {expected}\nanswered {answer}\nafter {told:#?}"
        );
        told.push_back(expected);
        if told.len() > 12 {
            told.pop_front();
        }
    }
    assert_eq!(model.everything().await, tested.everything().await, "seed {seed}, in the end");
}

/// A sequence of numbers (splitmix64).
#[derive(Clone, Copy)]
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    pub(super) fn one_in(&mut self, parts: u64) -> bool {
        self.below(parts) == 0
    }

    pub(super) fn of<T: Clone>(&mut self, things: &[T]) -> Option<T> {
        let place = self.below(things.len() as u64) as usize;
        things.get(place).cloned()
    }
}

/// The numbers of one kind, in the order of their first appearance.
#[derive(Default)]
pub(super) struct Names(BTreeMap<i64, i64>);

impl Names {
    pub(super) fn rename(&mut self, number: &mut i64) {
        let next = self.0.len() as i64 + 1;
        *number = *self.0.entry(*number).or_insert(next);
    }
}

/// One store with what it told so far.
struct Side {
    store: Arc<dyn Whole>,
    orgs: Vec<OrgId>,
    instances: Vec<(OrgId, InstanceId)>,
    pollers: Vec<(OrgId, PollerId, InstanceId)>,
    endpoints: Vec<EndpointId>,
    leases: Vec<Lease<PollerId>>,
    deliveries: Vec<Delivery>,
    flows: flows::Known,
    tokens: u8,
    instance_names: Names,
    poller_names: Names,
    endpoint_names: Names,
    notification_names: Names,
    position_names: Names,
}

/// An answer, written down.
pub(super) fn told<T: Debug>(verb: &str, answer: Result<T>) -> String {
    match answer {
        Ok(answer) => format!("{verb}: {answer:?}"),
        Err(StoreError::NotFound(what)) => format!("{verb}: no {what}"),
        Err(StoreError::Conflict(_)) => format!("{verb}: conflict"),
        Err(StoreError::Failed(_)) => format!("{verb}: failed"),
        Err(StoreError::Unknown(_)) => format!("{verb}: unknown"),
        Err(StoreError::Unusable(_)) => format!("{verb}: unusable"),
    }
}

impl Side {
    async fn new(store: Arc<dyn Whole>) -> Side {
        let mut orgs = Vec::new();
        for name in ["one", "two"] {
            orgs.push(store.ensure_org(name, at(0)).await.expect("an empty store takes organisations"));
        }
        Side {
            store,
            orgs,
            instances: Vec::new(),
            pollers: Vec::new(),
            endpoints: Vec::new(),
            leases: Vec::new(),
            deliveries: Vec::new(),
            flows: flows::Known::default(),
            tokens: 0,
            instance_names: Names::default(),
            poller_names: Names::default(),
            endpoint_names: Names::default(),
            notification_names: Names::default(),
            position_names: Names::default(),
        }
    }

    async fn act(&mut self, mut chance: Chance, now: i64) -> String {
        if self.instances.len() < 2 {
            return self.create(&mut chance, now).await;
        }
        match chance.below(116) {
            100..116 => self.flow(&mut chance, now).await,
            0..2 => self.create(&mut chance, now).await,
            2..4 => self.update(&mut chance, now).await,
            4..5 => self.switch(&mut chance, now).await,
            5..14 => self.tend_poller(&mut chance, now).await,
            14..32 => self.claim(&mut chance, now).await,
            32..52 => self.commit(&mut chance, now).await,
            52..60 => self.finish(&mut chance, now).await,
            60..66 => self.recall(&mut chance).await,
            66..78 => self.form(&mut chance, now).await,
            78..82 => self.claim_notifications(&mut chance, now).await,
            82..94 => self.finish_attempt(&mut chance, now).await,
            94..96 => self.redeliver(&mut chance, now).await,
            96..98 => self.upkeep(&mut chance, now).await,
            _ => self.look(&mut chance, now).await,
        }
    }

    fn new_instance(&mut self, chance: &mut Chance, org: OrgId) -> NewInstance {
        let mut pollers = Vec::new();
        for resource in ["contacts", "deals", "notes"] {
            if chance.below(3) > 0 {
                pollers.push(NewPoller {
                    resource: resource.into(),
                    revision: chance.below(3) as i64,
                    next_due: at(chance.below(50) as i64),
                    interval: Duration::from_secs(1 + chance.below(9)),
                });
            }
        }
        self.tokens = self.tokens.wrapping_add(1);
        NewInstance {
            org,
            element_key: "crm".into(),
            element: None,
            name: format!("n\0{}", chance.below(3)),
            tags: vec![format!("t{}", chance.below(3))],
            token_hash: [if chance.one_in(9) { 1 } else { self.tokens }; 32],
            document: format!("{{\"d\":{}}}", chance.below(9)),
            enabled: !chance.one_in(6),
            pollers,
            endpoint: (!chance.one_in(6))
                .then(|| NewEndpoint { kind: "callback".into(), config: format!("{}", chance.below(9)) }),
            intake: None,
        }
    }

    async fn create(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).expect("there are two");
        let new = self.new_instance(chance, org);
        let made = self.store.create_instance(new, at(now)).await;
        if let Ok(id) = made {
            self.instances.push((org, id));
            self.learn(org, id).await;
        }
        let made = made.map(|mut id| {
            self.instance_names.rename(&mut id.0);
            id
        });
        told("create_instance", made)
    }

    /// Notes the pollers and the endpoint of an instance.
    async fn learn(&mut self, org: OrgId, instance: InstanceId) {
        for row in self.store.pollers(org, Some(instance)).await.unwrap_or_default() {
            if !self.pollers.iter().any(|(_, known, _)| *known == row.id) {
                self.pollers.push((org, row.id, instance));
            }
        }
        let row = self.store.instance(org, instance).await;
        let endpoint = row.ok().and_then(|row| row.endpoint);
        self.endpoints.extend(endpoint.filter(|endpoint| !self.endpoints.contains(endpoint)));
    }

    async fn update(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((mut org, id)) = chance.of(&self.instances) else { return String::new() };
        if chance.one_in(9) {
            org = chance.of(&self.orgs).expect("there are two");
        }
        let mut new = self.new_instance(chance, org);
        if chance.one_in(9) {
            new.pollers.extend(new.pollers.first().cloned());
        }
        let answer = self.store.update_instance(org, id, new, at(now)).await;
        self.learn(org, id).await;
        told("update_instance", answer)
    }

    async fn switch(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id)) = chance.of(&self.instances) else { return String::new() };
        if chance.one_in(4) {
            return told("delete_instance", self.store.delete_instance(org, id, at(now)).await);
        }
        told("set_enabled", self.store.set_enabled(org, id, !chance.one_in(3)).await)
    }

    async fn tend_poller(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id, _)) = chance.of(&self.pollers) else { return String::new() };
        match chance.below(10) {
            0 => told("pause", self.store.pause(org, id, "for a while").await),
            1 | 2 => {
                let state = format!("s{}", chance.below(9));
                let watermark = (!chance.one_in(3)).then(|| chance.below(9) as i64);
                told("set_state", self.store.set_state(org, id, &state, watermark, at(now)).await)
            }
            3 => {
                let Some(lease) = chance.of(&self.leases) else { return String::new() };
                told("renew", self.store.renew(lease, at(now), LEASE).await)
            }
            4 => {
                let Some(lease) = chance.of(&self.leases) else { return String::new() };
                told("release", self.store.release(lease, at(now)).await)
            }
            _ => {
                let due = at(now - chance.below(9) as i64);
                told("set_due", self.store.set_due(org, id, due, chance.one_in(2)).await)
            }
        }
    }

    async fn claim(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((_, id, _)) = chance.of(&self.pollers) else { return String::new() };
        self.claim_of(chance, id, now).await
    }

    async fn claim_of(&mut self, chance: &mut Chance, id: PollerId, now: i64) -> String {
        let lease_for = Duration::from_secs(1 + chance.below(200));
        let mut answer = self.store.claim(id, at(now), lease_for).await;
        if let Ok(Some(claim)) = &mut answer {
            self.leases.push(claim.lease);
            claim.lease.epoch = 0;
            self.poller_names.rename(&mut claim.lease.id.0);
            self.poller(&mut claim.poller);
            self.instance(&mut claim.instance);
        }
        told("claim", answer)
    }

    /// A lease; mostly one of the latest, which are the likeliest to hold.
    fn lease(&self, chance: &mut Chance) -> Option<Lease<PollerId>> {
        let first = self.leases.len().saturating_sub(if chance.one_in(5) { 40 } else { 4 });
        chance.of(&self.leases[first..])
    }

    fn batch(&self, chance: &mut Chance, poller: PollerId, now: i64) -> Batch {
        let place = self.pollers.iter().position(|(_, known, _)| *known == poller).unwrap_or(0);
        let instance = self.pollers.get(place).map_or(InstanceId(0), |(_, _, instance)| *instance);
        let id = |chance: &mut Chance| format!("r\0{}", chance.below(12));
        let mut batch = Batch { sweep: chance.below(5), ..Batch::default() };
        for _ in 0..chance.below(5) {
            let mut known = entry(&id(chance), chance.below(30) as i64, chance.below(5));
            known.deleted_at = chance.one_in(4).then(|| at(now));
            known.compared = known.compared.filter(|_| !chance.one_in(5));
            known.last_body = chance.one_in(3).then(|| "{}".to_string());
            batch.entries.push(known);
            let bare = Version { id: id(chance), compared: None, hash: hash(chance.below(4) as i64) };
            let full = version(&id(chance), chance.below(30) as i64);
            batch.versions.push(if chance.one_in(6) { bare } else { full });
            batch.swept.push(id(chance));
        }
        for _ in 0..chance.below(4) {
            batch.decisions.push(decision(&id(chance)));
        }
        for _ in 0..chance.below(6) {
            batch.events.push(Event {
                id: EventId((place as u128 * 1_000 + u128::from(chance.below(1_000))).to_be_bytes()),
                poller,
                instance,
                run: RunId([3; 16]),
                inbound: None,
                event_type: EventType::Updated,
                object_type: "contacts".into(),
                object_id: id(chance),
                element_key: "crm".into(),
                date: at(now - 5),
                sequence: chance.below(9),
                reason: "it changed".into(),
                compared: "é1".repeat(chance.below(3) as usize),
                page: chance.below(9) as u32,
                record: (!chance.one_in(5)).then(|| format!("{{\"n\": {}}}", chance.below(9))),
            });
        }
        batch.checkpoint = chance.one_in(3).then(|| format!("p{}", chance.below(9)));
        batch
    }

    async fn commit(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some(lease) = self.lease(chance) else { return String::new() };
        let batch = self.batch(chance, lease.id, now);
        told("commit", self.store.commit(lease, batch, at(now)).await)
    }

    async fn finish(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some(lease) = self.lease(chance) else { return String::new() };
        let run = RunRecord {
            id: self.flows.run(chance, now),
            poller: lease.id,
            kind: chance.of(&[RunKind::Poll, RunKind::Sweep, RunKind::Flow]).expect("there are three"),
            started_at: at(now),
            finished_at: at(now + 1),
            outcome: RunOutcome::Completed,
            error: None,
            counts: Counts { records: chance.below(9), ..Counts::default() },
            story: Story { notes: vec!["a\0b".into()], ..Story::default() },
        };
        let finish = Finish {
            flow: (!chance.one_in(3)).then(|| flows::record(chance)),
            batch: self.batch(chance, lease.id, now),
            pass_closed: chance.one_in(2),
            state: format!("s{}", chance.below(9)),
            watermark: chance.one_in(2).then(|| chance.below(30) as i64),
            status: Status::ok(),
            next_due: at(now + chance.below(30) as i64),
            regular_due: None,
            hints_known: InboundId(0),
            prune_versions_below: chance.one_in(2).then(|| chance.below(30) as i64),
            run,
        };
        self.flows.runs.push(finish.run.id);
        told("finish", self.store.finish(lease, finish, at(now)).await)
    }

    async fn recall(&mut self, chance: &mut Chance) -> String {
        let Some((_, id, _)) = chance.of(&self.pollers) else { return String::new() };
        let name = |chance: &mut Chance| format!("r\0{}", chance.below(12));
        let recall = if chance.one_in(3) {
            Recall::Missing {
                last_sweep_below: chance.below(6),
                after: chance.one_in(2).then(|| name(chance)),
                limit: chance.below(6) as u32,
            }
        } else {
            let asked = (0..20).map(|_| {
                let compared = (!chance.one_in(5)).then(|| chance.below(30) as i64);
                let content = compared.unwrap_or_else(|| chance.below(30) as i64);
                Version { id: name(chance), compared, hash: hash(content) }
            });
            Recall::Versions(asked.collect())
        };
        told("recall", self.store.recall(id, &recall).await)
    }

    async fn form(&mut self, chance: &mut Chance, now: i64) -> String {
        let listed = self.store.endpoints_waiting(10).await.unwrap_or_default();
        let listed: Vec<EndpointId> = listed.iter().map(|row| row.id).collect();
        let mut endpoint = chance.of(&listed);
        if endpoint.is_none() || chance.one_in(8) {
            endpoint = chance.of(&self.endpoints);
        }
        let Some(endpoint) = endpoint else { return String::new() };
        let waiting = self.store.waiting(endpoint, most(1 + chance.below(6) as u32)).await;
        let Ok(mut waiting) = waiting else { return told("waiting", waiting) };
        let mut members: Vec<i64> = waiting.events.iter().map(|logged| logged.position).collect();
        if chance.one_in(4) {
            members.retain(|_| chance.one_in(2));
        }
        let position_was = waiting.endpoint.position - i64::from(chance.one_in(12));
        self.endpoint(&mut waiting.endpoint);
        waiting.events.iter_mut().for_each(|logged| self.logged(logged));
        let Ok(id) = self.store.reserve_notification().await else { return "no id".into() };
        let new = NewNotification { endpoint, split_from: None, members, body: "{\"e\":\"\0\"}".into() };
        let lease_for = Duration::from_secs(1 + chance.below(100));
        let mut formed = self.store.form(id, new, position_was, at(now), lease_for).await;
        if let Ok(Some(delivery)) = &mut formed {
            self.deliveries.push(delivery.clone());
            self.delivery(delivery);
        }
        format!("{listed:?} {waiting:?} {}", told("form", formed), listed = listed.len())
    }

    async fn claim_notifications(&mut self, chance: &mut Chance, now: i64) -> String {
        let (limit, per_endpoint) = (chance.below(6) as u32, chance.below(4) as u32);
        let mut claimed = self.store.claim_notifications(at(now), limit, per_endpoint, LEASE).await;
        if let Ok(claimed) = &mut claimed {
            self.deliveries.extend(claimed.iter().cloned());
            claimed.iter_mut().for_each(|delivery| self.delivery(delivery));
        }
        told("claim_notifications", claimed)
    }

    async fn finish_attempt(&mut self, chance: &mut Chance, now: i64) -> String {
        let first = self.deliveries.len().saturating_sub(6);
        let Some(delivery) = chance.of(&self.deliveries[first..]) else { return String::new() };
        let state = chance.of(&[
            NotificationState::Delivered,
            NotificationState::Delivered,
            NotificationState::Retry,
            NotificationState::Split,
            NotificationState::Dead,
            NotificationState::Queued,
        ]);
        let state = state.expect("there are some");
        let mut singles = Vec::new();
        if state == NotificationState::Split {
            for event in &delivery.notification.events {
                let id = self.store.reserve_notification().await.unwrap_or(NotificationId(0));
                singles.push((id, self.single(&delivery, *event).await));
            }
            if chance.one_in(9) {
                singles.pop();
            }
        }
        let endpoint_state =
            chance.of(&[EndpointState::Active, EndpointState::Deactivated, EndpointState::Disabled]);
        let result = AttemptResult {
            attempt: AttemptRow {
                id: AttemptId::new(at(now), chance.draw()),
                notification: delivery.notification.id,
                started_at: at(now),
                duration_ms: chance.below(99) as i64,
                status: chance.one_in(2).then_some(200),
                error: None,
                answer: "a\0".into(),
                request: "é".repeat(chance.below(3) as usize),
            },
            state,
            next_due: chance.one_in(2).then(|| at(now + chance.below(40) as i64)),
            failures: delivery.notification.failures + u32::from(state != NotificationState::Delivered),
            singles,
            endpoint: endpoint_state.filter(|_| chance.one_in(9)).map(|state| (state, "why".to_string())),
        };
        told("finish_attempt", self.store.finish_attempt(delivery.lease, result, at(now)).await)
    }

    async fn single(&self, delivery: &Delivery, event: EventId) -> NewNotification {
        let filter = EventFilter { id: Some(event), ..any_event() };
        let found = self.store.events(delivery.notification.org, &filter).await.unwrap_or_default();
        NewNotification {
            endpoint: delivery.endpoint.id,
            split_from: Some(delivery.notification.id),
            members: found.iter().map(|logged| logged.position).collect(),
            body: "single".into(),
        }
    }

    async fn redeliver(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).expect("there are two");
        let filter = NotificationFilter {
            endpoint: chance.of(&self.endpoints).filter(|_| chance.one_in(2)),
            state: chance.one_in(4).then_some(NotificationState::Dead),
            limit: chance.below(6) as u32,
            ..any_notification()
        };
        told("redeliver", self.store.redeliver(org, &filter, at(now)).await)
    }

    async fn upkeep(&mut self, chance: &mut Chance, now: i64) -> String {
        if chance.one_in(2) {
            return told("expire_leases", self.store.expire_leases(at(now)).await);
        }
        let retention = Retention {
            events_before: at(now - chance.below(300) as i64),
            runs_before: at(now - chance.below(300) as i64),
            attempts_before: at(now - chance.below(300) as i64),
            deleted_entries_before: at(now - chance.below(300) as i64),
            requests_before: at(now - chance.below(300) as i64),
            rows_max: 10_000,
        };
        told("prune", self.store.prune(&retention).await)
    }

    async fn look(&mut self, chance: &mut Chance, now: i64) -> String {
        if chance.one_in(2) {
            return self.everything().await;
        }
        let mut due = self.store.due(at(now), chance.below(9) as u32, chance.below(5) as u32).await;
        if let Ok(due) = &mut due {
            for turn in due {
                self.poller_names.rename(&mut turn.poller.0);
                self.instance_names.rename(&mut turn.instance.0);
            }
        }
        let next_due = self.store.next_due().await;
        let next_delivery = self.store.next_notification_due().await;
        [told("due", due), told("next_due", next_due), told("next_notification_due", next_delivery)]
            .join("\n")
    }

    /// All that can be read.
    async fn everything(&mut self) -> String {
        let mut answers = Vec::new();
        for org in self.orgs.clone() {
            let mut instances = self.store.instances(org).await;
            instances.iter_mut().flatten().for_each(|row| self.instance(row));
            let mut pollers = self.store.pollers(org, None).await;
            pollers.iter_mut().flatten().for_each(|row| self.poller(row));
            let mut endpoints = self.store.endpoints(org).await;
            endpoints.iter_mut().flatten().for_each(|row| self.endpoint(row));
            let mut events = self.store.events(org, &any_event()).await;
            events.iter_mut().flatten().for_each(|logged| self.logged(logged));
            let mut notifications = self.store.notifications(org, &any_notification()).await;
            for id in notifications.iter().flatten().map(|row| row.id).collect::<Vec<_>>() {
                let mut attempts = self.store.attempts(org, id).await;
                for attempt in attempts.iter_mut().flatten() {
                    self.notification_names.rename(&mut attempt.notification.0);
                }
                answers.push(told("attempts", attempts));
            }
            notifications.iter_mut().flatten().for_each(|row| self.notification(row));
            answers.push(told("instances", instances));
            answers.push(told("pollers", pollers));
            answers.push(told("endpoints", endpoints));
            answers.push(told("events", events));
            answers.push(told("notifications", notifications));
        }
        for (org, poller, _) in self.pollers.clone() {
            answers.push(self.runs(org, poller).await);
        }
        answers.push(self.every_flow().await);
        let waiting = self.store.endpoints_waiting(100).await;
        let waiting = waiting.map(|mut rows| {
            rows.iter_mut().for_each(|row| self.endpoint(row));
            rows
        });
        answers.push(told("endpoints_waiting", waiting));
        answers.join("\n")
    }

    async fn runs(&mut self, org: OrgId, poller: PollerId) -> String {
        let mut runs = self.store.runs(org, poller, 50).await;
        let mut answers = Vec::new();
        for id in runs.iter().flatten().map(|run| run.id).collect::<Vec<_>>() {
            let decisions = self.store.run(org, id).await.map(|(_, decisions)| decisions);
            answers.push(told("run", decisions));
        }
        for run in runs.iter_mut().flatten() {
            self.poller_names.rename(&mut run.poller.0);
        }
        answers.push(told("runs", runs));
        answers.join("\n")
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
        if let Some(subscription) = &mut row.subscription {
            self.flows.subscription_names.rename(&mut subscription.0);
        }
    }

    fn endpoint(&mut self, row: &mut EndpointRow) {
        self.endpoint_names.rename(&mut row.id.0);
        self.instance_names.rename(&mut row.instance.0);
        self.position_names.rename(&mut row.position);
        if let Some(subscription) = &mut row.subscription {
            self.flows.subscription_names.rename(&mut subscription.0);
        }
    }

    fn logged(&mut self, logged: &mut LoggedEvent) {
        self.position_names.rename(&mut logged.position);
        self.poller_names.rename(&mut logged.event.poller.0);
        self.instance_names.rename(&mut logged.event.instance.0);
    }

    fn notification(&mut self, row: &mut NotificationRow) {
        self.notification_names.rename(&mut row.id.0);
        self.endpoint_names.rename(&mut row.endpoint.0);
        self.instance_names.rename(&mut row.instance.0);
        if let Some(parent) = &mut row.split_from {
            self.notification_names.rename(&mut parent.0);
        }
    }

    fn delivery(&mut self, delivery: &mut Delivery) {
        delivery.lease.epoch = 0;
        self.notification_names.rename(&mut delivery.lease.id.0);
        self.notification(&mut delivery.notification);
        self.endpoint(&mut delivery.endpoint);
    }
}
