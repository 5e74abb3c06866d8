//! What providers send us: where it is sent to, the requests, what becomes of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::event::Event;
use turnstone_core::id::{EventId, InboundId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::intake::{self, DeliveryKey, RawRequest, ReceivedEvent, Recognition, Reported};
use turnstone_core::limits::NOTIFIED_RESOURCES_MAX;
use turnstone_core::poll::{Heard, Named, Status};

use super::MemoryStore;
use super::polls::Ledger;
use super::state::{Poller, State, micros, next};
use crate::api::*;
use crate::intake::*;

/// What [`Store`] knows nothing of.
#[derive(Clone, Default)]
pub(super) struct Requests {
    addresses: BTreeMap<InstanceId, ([u8; 32], String)>,
    matches: BTreeSet<([u8; 32], InstanceId)>,
    requests: BTreeMap<InboundId, (InboundRow, RawRequest)>,
}

/// A record that notifications named, whether it is still to be looked at or not.
#[derive(Clone)]
pub(super) struct Hint {
    named: Named,
    open: bool,
}

impl Poller {
    /// One that nobody claimed and that remembers nothing.
    pub fn new(row: PollerRow) -> Poller {
        Poller {
            row,
            is_intake: false,
            hints: BTreeMap::new(),
            hinted: 0,
            claim: None,
            decisions: Vec::new(),
            ledger: Ledger::default(),
        }
    }

    /// Notes what was looked at.
    pub fn hear(&mut self, heard: &[Heard]) {
        for heard in heard {
            let Some(hint) = self.hints.get_mut(&heard.object_id) else { continue };
            if !hint.open || hint.named.inbound > heard.inbound {
                continue;
            }
            if heard.again {
                hint.named.looks += 1;
            } else {
                hint.open = false;
            }
        }
    }

    /// Whether something was named after this, and is still to be looked at.
    pub fn is_named_after(&self, known: InboundId) -> bool {
        self.hints.values().any(|hint| hint.open && hint.named.inbound > known)
    }

    /// Makes it due earlier without losing its regular time; whether that changed anything.
    pub fn pull(&mut self, due: Timestamp) -> bool {
        let is_earlier = micros(due) < self.row.next_due;
        if is_earlier {
            self.row.regular_due = self.row.regular_due.or(Some(self.row.next_due));
            self.row.next_due = micros(due);
        }
        is_earlier
    }

    /// Keeps a hint, as the last one of its record.
    fn name(&mut self, hint: &intake::Hint, announced_at: Timestamp) {
        let inbound = InboundId(self.hinted);
        let mut named = Named {
            object_id: hint.object_id.clone(),
            event_type: hint.event_type,
            date: hint.date.map(micros),
            inbound,
            announced_at,
            looks: 0,
        };
        if let Some(known) = self.hints.get(&hint.object_id).filter(|known| known.open)
            && let (Some(before), Some(after)) = (known.named.date, named.date)
            && after < before
        {
            named.event_type = known.named.event_type;
            named.date = Some(before);
        }
        self.hints.insert(hint.object_id.clone(), Hint { named, open: true });
    }
}

impl State {
    pub fn announced_at(&self, poller: PollerId, object_id: &str) -> Option<Timestamp> {
        self.pollers.get(&poller)?.hints.get(object_id).map(|hint| hint.named.announced_at)
    }

    /// Refuses an address of another instance. One that has an address does not take a new one.
    pub fn free_address(&self, instance: Option<InstanceId>, new: Option<&NewIntake>) -> Result<()> {
        let keeps = instance.is_some_and(|id| self.intake.addresses.contains_key(&id));
        match new.and_then(|new| new.address.as_ref()) {
            Some((hash, _)) if !keeps => self.no_others_address(instance, hash),
            _ => Ok(()),
        }
    }

    fn no_others_address(&self, instance: Option<InstanceId>, hash: &[u8; 32]) -> Result<()> {
        let mut addresses = self.intake.addresses.iter();
        match addresses.any(|(id, (known, _))| known == hash && Some(*id) != instance) {
            true => Err(StoreError::Conflict("another instance has this address".into())),
            false => Ok(()),
        }
    }

    /// Gives an instance the intake that it shall have.
    pub fn replace_intake(&mut self, id: InstanceId, new: Option<NewIntake>) {
        self.intake.matches.retain(|(_, instance)| *instance != id);
        let Some(new) = new else {
            self.intake.addresses.remove(&id);
            return;
        };
        self.intake.matches.extend(new.matches.into_iter().map(|value| (value, id)));
        if let Some(address) = new.address {
            self.intake.addresses.entry(id).or_insert(address);
        }
    }

    /// Gives up what an instance that goes away has not settled, and where requests for it were sent.
    pub fn forget_intake(&mut self, id: InstanceId, now: Timestamp) {
        self.replace_intake(id, None);
        for (row, _) in self.intake.requests.values_mut().filter(|(row, _)| row.instance == id) {
            if matches!(row.state, InboundState::Received | InboundState::Quarantined) {
                close(row, InboundState::Discarded, now);
            }
        }
    }

    fn instance_row(&self, id: InstanceId) -> Option<InstanceRow> {
        self.instances.get(&id).map(|instance| instance.row.clone())
    }

    fn keep(&mut self, new: NewInbound, now: Timestamp) -> Received {
        let is_repeat = |row: &&mut InboundRow| {
            row.instance == new.instance
                && row.key.hash == new.key.hash
                && match cut(new.key).recognition {
                    Recognition::Named => true,
                    Recognition::Content(window) if window.is_zero() => false,
                    Recognition::Content(window) => {
                        now.as_microsecond() - row.received_at.as_microsecond() < window.as_micros() as i64
                    }
                }
        };
        let rows = self.intake.requests.values_mut().map(|(row, _)| row);
        if let Some(row) = rows.rev().find(is_repeat) {
            row.repeats += 1;
            return Received::Repeated(row.id);
        }
        let id = InboundId(next(&mut self.numbers.inbound));
        let row = InboundRow {
            id,
            org: new.org,
            instance: new.instance,
            key: cut(new.key),
            method: new.request.method.clone(),
            body_bytes: new.request.body.len() as u64,
            received_at: micros(now),
            repeats: 0,
            state: InboundState::Received,
            failures: 0,
            next_due: Some(micros(now)),
            quarantine: None,
            format: None,
            element_revision: None,
            events: 0,
            hints: 0,
            settled_at: None,
        };
        self.intake.requests.insert(id, (row, new.request));
        Received::New(id)
    }

    /// The first waiting request of each instance, in the order of arrival.
    fn heads(&self) -> impl Iterator<Item = &(InboundRow, RawRequest)> {
        let mut met = HashSet::new();
        let waiting = self.intake.requests.values().filter(|(row, _)| row.state == InboundState::Received);
        waiting.filter(move |(row, _)| met.insert(row.instance))
    }

    fn settle(&mut self, id: InboundId, settlement: Settlement, now: Timestamp) -> Result<SettledAs> {
        if !self.heads().any(|(row, _)| row.id == id) {
            return Ok(SettledAs::Stale);
        }
        let (reported, closed) = match settlement.outcome {
            InboundOutcome::Settled(reported) => (reported, Some((InboundState::Settled, None))),
            InboundOutcome::Quarantined(why) => (Vec::new(), Some((InboundState::Quarantined, Some(why)))),
            InboundOutcome::Postponed { failures, next_due } => {
                let Some((row, _)) = self.intake.requests.get_mut(&id) else { return Ok(SettledAs::Stale) };
                row.failures = failures;
                row.next_due = Some(micros(next_due));
                (Vec::new(), None)
            }
        };
        let Some((row, _)) = self.intake.requests.get(&id) else { return Ok(SettledAs::Stale) };
        let row = row.clone();
        let (mut received, mut named) = (Vec::new(), Vec::new());
        for reported in reported {
            match reported {
                Reported::Event(event) => received.push(*event),
                Reported::Hint(hint) => named.push(hint),
            }
        }
        let events = self.record_received(&row, received, settlement.run, now)?;
        let (hints, pollers) = self.keep_hints(&row, &named, settlement.look_at);
        if let Some((row, _)) = self.intake.requests.get_mut(&id) {
            row.format = Some(settlement.format);
            row.element_revision = settlement.element_revision;
            if let Some((state, why)) = closed {
                close(row, state, now);
                row.quarantine = why;
                row.events = events;
                row.hints = hints;
            }
        }
        Ok(SettledAs::Done { events, pollers })
    }

    fn intake_poller(&self, instance: InstanceId, resource: &str) -> Option<PollerId> {
        let mut pollers = self.pollers.values().filter(|known| known.is_intake);
        let found = pollers.find(|known| known.row.instance == instance && known.row.resource == resource);
        found.map(|known| known.row.id)
    }

    fn record_received(
        &mut self,
        request: &InboundRow,
        mut received: Vec<ReceivedEvent>,
        run: RunId,
        now: Timestamp,
    ) -> Result<u32> {
        let mut ids: HashSet<EventId> = HashSet::new();
        received.retain(|event| !self.log.has(event.id) && ids.insert(event.id));
        let instance = request.instance;
        let resources: BTreeSet<&String> = received.iter().map(|event| &event.object_type).collect();
        let is_new = |resource: &&&String| self.intake_poller(instance, resource).is_none();
        let made = resources.iter().filter(is_new).count();
        let of_instance = |known: &&Poller| known.is_intake && known.row.instance == instance;
        let known = self.pollers.values().filter(of_instance).count();
        if made > 0 && made + known > NOTIFIED_RESOURCES_MAX {
            return Err(too_many_resources());
        }
        let count = received.len();
        for event in received {
            let id = match self.intake_poller(instance, &event.object_type) {
                Some(id) => id,
                None => self.add_intake_poller(request, &event.object_type, now),
            };
            let Some(poller) = self.pollers.get_mut(&id) else { continue };
            let entry = next_entry(poller.ledger.entries.get(&event.object_id), &event, now);
            let logged = Event {
                id: event.id,
                poller: id,
                instance,
                run,
                inbound: Some(request.id),
                event_type: event.event_type,
                object_type: event.object_type,
                object_id: event.object_id,
                element_key: self
                    .instances
                    .get(&instance)
                    .map_or(String::new(), |known| known.row.element_key.clone()),
                date: event.date,
                sequence: entry.sequence,
                reason: event.reason,
                compared: String::new(),
                page: 0,
                record: None,
            };
            poller.ledger.put(entry);
            self.log.add(request.org, instance.0, logged, now);
        }
        Ok(count as u32)
    }

    fn add_intake_poller(&mut self, request: &InboundRow, resource: &str, now: Timestamp) -> PollerId {
        let id = PollerId(next(&mut self.numbers.poller));
        let row = PollerRow {
            subscription: None,
            id,
            org: request.org,
            instance: request.instance,
            resource: resource.to_owned(),
            revision: 0,
            interval: std::time::Duration::ZERO,
            next_due: micros(now),
            regular_due: None,
            paused: None,
            status: Status::ok(),
            watermark: None,
            state: String::new(),
            checkpoint: None,
        };
        self.pollers.insert(id, Poller { is_intake: true, ..Poller::new(row) });
        id
    }

    /// How many records were named, and how many pollers became due by that.
    fn keep_hints(&mut self, request: &InboundRow, named: &[intake::Hint], look_at: Timestamp) -> (u32, u32) {
        let of_instance = self.pollers.values().filter(|known| known.row.instance == request.instance);
        let polled: Vec<(PollerId, String, bool)> = of_instance
            .filter(|known| !known.is_intake && known.row.subscription.is_none())
            .map(|known| (known.row.id, known.row.resource.clone(), self.may_run(known)))
            .collect();
        let (mut records, mut pulled) = (0, 0);
        for (id, resource, may_run) in polled {
            let Some(poller) = self.pollers.get_mut(&id) else { continue };
            let hints: Vec<&intake::Hint> = named.iter().filter(|hint| hint.resource == resource).collect();
            if hints.is_empty() {
                continue;
            }
            poller.hinted = request.id.0.max(poller.hinted + 1);
            for hint in &hints {
                poller.name(hint, request.received_at);
            }
            let distinct: BTreeSet<&String> = hints.iter().map(|hint| &hint.object_id).collect();
            records += distinct.len() as u32;
            if may_run && poller.row.status.code == "ok" {
                pulled += u32::from(poller.pull(look_at));
            }
        }
        (records, pulled)
    }

    fn requests(&self, org: OrgId, filter: &InboundFilter) -> Vec<InboundRow> {
        let matching = self.matching(org, filter, |_| true);
        let rows = matching.iter().filter_map(|id| self.intake.requests.get(id));
        rows.map(|(row, _)| row.clone()).take(filter.limit as usize).collect()
    }

    /// Requests that a filter names, its limit aside, in its order.
    fn matching(
        &self,
        org: OrgId,
        filter: &InboundFilter,
        qualifies: impl Fn(&InboundRow) -> bool,
    ) -> Vec<InboundId> {
        let is_in_range = |id: InboundId| match (filter.newest_first, filter.after) {
            (true, 0) => true,
            (true, before) => id.0 < before,
            (false, after) => id.0 > after,
        };
        let rows = self.intake.requests.values().map(|(row, _)| row);
        let mut ids: Vec<InboundId> = rows
            .filter(|row| row.org == org && is_in_range(row.id) && qualifies(row))
            .filter(|row| filter.instance.is_none_or(|id| row.instance == id))
            .filter(|row| filter.state.is_none_or(|state| row.state == state))
            .filter(|row| filter.id.is_none_or(|id| row.id == id))
            .map(|row| row.id)
            .collect();
        if filter.newest_first {
            ids.reverse();
        }
        ids
    }

    fn replay(&mut self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> u64 {
        let qualifies = |row: &InboundRow| {
            matches!(row.state, InboundState::Quarantined | InboundState::Discarded)
                && self.instances.contains_key(&row.instance)
        };
        let mut ids = self.matching(org, filter, qualifies);
        ids.truncate(filter.limit as usize);
        for id in &ids {
            if let Some((row, _)) = self.intake.requests.get_mut(id) {
                row.state = InboundState::Received;
                row.failures = 0;
                row.next_due = Some(micros(now));
                row.settled_at = None;
            }
        }
        ids.len() as u64
    }

    fn discard(&mut self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> u64 {
        let mut ids = self.matching(org, filter, |row| row.state == InboundState::Quarantined);
        ids.truncate(filter.limit as usize);
        for id in &ids {
            if let Some((row, _)) = self.intake.requests.get_mut(id) {
                close(row, InboundState::Discarded, now);
            }
        }
        ids.len() as u64
    }

    pub fn prune_requests(&mut self, before: Timestamp, rows_max: usize) -> usize {
        let told: HashSet<InboundId> =
            self.log.all().filter_map(|(_, logged)| logged.event.inbound).collect();
        let rows = self.intake.requests.values().map(|(row, _)| row);
        let goes: Vec<InboundId> = rows
            .filter(|row| matches!(row.state, InboundState::Settled | InboundState::Discarded))
            .filter(|row| row.settled_at.is_some_and(|at| at < before) && !told.contains(&row.id))
            .map(|row| row.id)
            .take(rows_max)
            .collect();
        for id in &goes {
            self.intake.requests.remove(id);
        }
        goes.len()
    }

    pub fn prune_hints(&mut self, before: Timestamp, rows_max: usize) -> usize {
        let mut count = 0;
        for poller in self.pollers.values_mut() {
            poller.hints.retain(|_, hint| {
                let goes = !hint.open && hint.named.announced_at < before && count < rows_max;
                count += usize::from(goes);
                !goes
            });
        }
        count
    }

    fn event_counts(
        &self,
        org: OrgId,
        from: Timestamp,
        to: Timestamp,
        interval: Interval,
    ) -> Vec<EventCount> {
        let mut counts: BTreeMap<(u64, InstanceId), EventCount> = BTreeMap::new();
        let (from, to) = (micros(from), micros(to));
        let of_org = self.log.all().filter(|(owner, _)| *owner == org).map(|(_, logged)| logged);
        for logged in of_org.filter(|logged| logged.recorded_at >= from && logged.recorded_at < to) {
            let since = logged.recorded_at.as_microsecond() - from.as_microsecond();
            let (step, instance) = ((since / interval.step.max(1)) as u64, logged.event.instance);
            let nothing = EventCount { step, instance, count: 0, success: 0, failed: 0 };
            let count = counts.entry((step, instance)).or_insert(nothing);
            count.count += 1;
            let endpoint = self.endpoint_of(logged.position);
            let has_state = |state| {
                self.notifications.values().any(|known| {
                    Some(known.row.endpoint) == endpoint
                        && known.row.state == state
                        && known.members.contains(&logged.position)
                })
            };
            if endpoint.is_none() || has_state(NotificationState::Delivered) {
                count.success += 1;
            } else if has_state(NotificationState::Dead) {
                count.failed += 1;
            }
        }
        counts.into_values().collect()
    }
}

/// Ends a request, for now.
fn close(row: &mut InboundRow, state: InboundState, now: Timestamp) {
    row.state = state;
    row.failures = 0;
    row.next_due = None;
    row.settled_at = Some(micros(now));
}

/// The key as it is kept: its time in whole microseconds.
fn cut(key: DeliveryKey) -> DeliveryKey {
    let recognition = match key.recognition {
        Recognition::Named => Recognition::Named,
        Recognition::Content(window) => {
            let micros = u64::try_from(window.as_micros()).unwrap_or(u64::MAX).min(i64::MAX as u64);
            Recognition::Content(std::time::Duration::from_micros(micros))
        }
    };
    DeliveryKey { recognition, ..key }
}

#[async_trait]
impl Intake for MemoryStore {
    async fn instance_by_address(&self, address_hash: [u8; 32]) -> Result<Option<InstanceRow>> {
        let state = self.lock();
        let mut addresses = state.intake.addresses.iter();
        let found = addresses.find(|(_, (hash, _))| *hash == address_hash).map(|(id, _)| *id);
        Ok(found.and_then(|id| state.instance_row(id)))
    }

    async fn instance_anywhere(&self, id: InstanceId) -> Result<Option<InstanceRow>> {
        Ok(self.lock().instance_row(id))
    }

    async fn instances_by_match(
        &self,
        element_key: &str,
        value_hash: [u8; 32],
        limit: u32,
    ) -> Result<Vec<InstanceRow>> {
        let state = self.lock();
        let matching = state.intake.matches.iter().filter(|(value, _)| *value == value_hash);
        let rows = matching.filter_map(|(_, id)| state.instance_row(*id));
        Ok(rows.filter(|row| row.element_key == element_key).take(limit as usize).collect())
    }

    async fn address(&self, org: OrgId, instance: InstanceId) -> Result<Option<String>> {
        let state = self.lock();
        state.instance(org, instance)?;
        Ok(state.intake.addresses.get(&instance).map(|(_, sealed)| sealed.clone()))
    }

    async fn replace_address(
        &self,
        org: OrgId,
        instance: InstanceId,
        address_hash: [u8; 32],
        sealed: &str,
        _now: Timestamp,
    ) -> Result<()> {
        let mut state = self.lock();
        state.instance(org, instance)?;
        state.no_others_address(Some(instance), &address_hash)?;
        state.intake.addresses.insert(instance, (address_hash, sealed.to_owned()));
        Ok(())
    }

    async fn receive(&self, new: Vec<NewInbound>, now: Timestamp) -> Result<Vec<Received>> {
        let mut state = self.lock();
        for new in &new {
            state.instance(new.org, new.instance)?;
        }
        Ok(new.into_iter().map(|new| state.keep(new, now)).collect())
    }

    async fn waiting_requests(&self, now: Timestamp, limit: u32) -> Result<Vec<WaitingRequest>> {
        let state = self.lock();
        let due = state.heads().filter(|(row, _)| row.next_due.is_some_and(|due| due <= now));
        let waiting = due.filter_map(|(row, request)| {
            let instance = state.instance_row(row.instance)?;
            Some(WaitingRequest { row: row.clone(), request: request.clone(), instance })
        });
        Ok(waiting.take(limit as usize).collect())
    }

    async fn next_request_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.lock().heads().filter_map(|(row, _)| row.next_due).min())
    }

    async fn waiting_by_org(&self) -> Result<Vec<(OrgId, u64)>> {
        let mut counts: BTreeMap<OrgId, u64> = BTreeMap::new();
        for (row, _) in self.lock().intake.requests.values() {
            if row.state == InboundState::Received {
                *counts.entry(row.org).or_default() += 1;
            }
        }
        Ok(counts.into_iter().collect())
    }

    async fn settle(&self, id: InboundId, settlement: Settlement, now: Timestamp) -> Result<SettledAs> {
        self.lock().settle(id, settlement, now)
    }

    async fn requests(&self, org: OrgId, filter: &InboundFilter) -> Result<Vec<InboundRow>> {
        Ok(self.lock().requests(org, filter))
    }

    async fn request(&self, org: OrgId, id: InboundId) -> Result<RawRequest> {
        let state = self.lock();
        let found = state.intake.requests.get(&id).filter(|(row, _)| row.org == org);
        found.map(|(_, request)| request.clone()).ok_or(StoreError::NotFound("request"))
    }

    async fn replay(&self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64> {
        Ok(self.lock().replay(org, filter, now))
    }

    async fn discard(&self, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64> {
        Ok(self.lock().discard(org, filter, now))
    }

    async fn request_counts(&self, org: OrgId, instance: InstanceId) -> Result<InboundCounts> {
        let state = self.lock();
        state.instance(org, instance)?;
        let mut counts = InboundCounts::default();
        for (row, _) in state.intake.requests.values().filter(|(row, _)| row.instance == instance) {
            match row.state {
                InboundState::Received => counts.received += 1,
                InboundState::Quarantined => counts.quarantined += 1,
                InboundState::Settled | InboundState::Discarded => {}
            }
        }
        Ok(counts)
    }

    async fn hints(&self, poller: PollerId, limit: u32) -> Result<Vec<Named>> {
        let state = self.lock();
        let hints = state.pollers.get(&poller).into_iter().flat_map(|poller| poller.hints.values());
        let mut open: Vec<Named> = hints.filter(|hint| hint.open).map(|hint| hint.named.clone()).collect();
        open.sort_by(|one, other| (one.inbound, &one.object_id).cmp(&(other.inbound, &other.object_id)));
        open.truncate(limit as usize);
        Ok(open)
    }

    async fn event_counts(
        &self,
        org: OrgId,
        from: Timestamp,
        to: Timestamp,
        interval: Interval,
    ) -> Result<Vec<EventCount>> {
        Ok(self.lock().event_counts(org, from, to, interval))
    }
}
