//! Endpoints, what waits there, notifications and their attempts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{EndpointId, NotificationId, OrgId, PollerId};

use super::state::{Endpoint, Held, Notification, State, micros, next, stands};
use crate::api::*;
use crate::intake::Group;

/// What stays in order: one record of one poller.
type Record<'a> = (PollerId, &'a str);

fn record(logged: &LoggedEvent) -> Record<'_> {
    (logged.event.poller, &logged.event.object_id)
}

fn group(logged: &LoggedEvent) -> Group {
    Group::of(logged.event.poller, logged.event.inbound)
}

/// Whether a notification in this state is tried when its time comes.
fn is_tried(state: NotificationState) -> bool {
    match state {
        NotificationState::Created | NotificationState::Retry => true,
        NotificationState::Delivered
        | NotificationState::Split
        | NotificationState::Dead
        | NotificationState::Queued
        | NotificationState::Cancelled => false,
    }
}

impl State {
    /// Events that the endpoint has not sent, in log order: those held, then those beyond its position.
    fn unsent<'a>(&'a self, endpoint: &'a Endpoint) -> impl Iterator<Item = &'a LoggedEvent> {
        let held = endpoint.held.iter().filter_map(|position| self.log.at(*position));
        held.chain(self.log.of_channel(endpoint.row.channel(), endpoint.row.position))
    }

    /// Records with a member of an open notification at the endpoint.
    fn blocked<'a>(&'a self, endpoint: &'a Endpoint) -> HashSet<Record<'a>> {
        let open = endpoint.open.iter().filter_map(|id| self.notifications.get(id));
        let members = open.flat_map(|notification| notification.members.iter());
        members.filter_map(|position| self.log.at(*position)).map(record).collect()
    }

    /// The next events, of one group. A record is met first by its earliest unsent event, so that whatever is
    /// already in `met` either is open at the endpoint or stands further ahead.
    fn next_events(&self, endpoint: &Endpoint, events_max: EventsMax) -> Vec<LoggedEvent> {
        if endpoint.row.state != EndpointState::Active {
            return Vec::new();
        }
        let mut met = self.blocked(endpoint);
        let mut free = self.unsent(endpoint).filter(|logged| met.insert(record(logged)));
        let Some(first) = free.next() else { return Vec::new() };
        let most = group(first).events_max(events_max);
        let alike = free.filter(|logged| group(logged) == group(first));
        std::iter::once(first).chain(alike).take(most).cloned().collect()
    }

    pub fn endpoints_waiting(&self, limit: u32) -> Vec<EndpointRow> {
        let mut waiting: Vec<&EndpointRow> = self
            .endpoints
            .values()
            .filter(|endpoint| !self.next_events(endpoint, EventsMax { polled: 1, received: 1 }).is_empty())
            .map(|endpoint| &endpoint.row)
            .collect();
        waiting.sort_by_key(|row| (row.position, row.id));
        waiting.into_iter().take(limit as usize).cloned().collect()
    }

    pub fn waiting(&self, id: EndpointId, events_max: EventsMax) -> Result<Waiting> {
        let endpoint = self.endpoints.get(&id).ok_or(StoreError::NotFound("endpoint"))?;
        let events = self.next_events(endpoint, events_max);
        Ok(Waiting { endpoint: endpoint.row.clone(), events })
    }

    pub fn reserve_notification(&mut self) -> NotificationId {
        NotificationId(next(&mut self.numbers.notification))
    }

    /// Whether these may be sent together now.
    fn are_free(&self, endpoint: &Endpoint, members: &[i64]) -> bool {
        let mut met = self.blocked(endpoint);
        let mut wanted = members.iter().peekable();
        let mut chosen = None;
        for logged in self.unsent(endpoint) {
            let Some(position) = wanted.peek() else { break };
            let free = met.insert(record(logged));
            if logged.position < **position {
                continue;
            }
            let group = group(logged);
            if logged.position > **position || !free || *chosen.get_or_insert(group) != group {
                return false;
            }
            wanted.next();
        }
        !members.is_empty() && wanted.peek().is_none()
    }

    pub fn form(
        &mut self,
        id: NotificationId,
        new: NewNotification,
        position_was: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Option<Delivery> {
        let endpoint = self.endpoints.get(&new.endpoint)?;
        if endpoint.row.state != EndpointState::Active
            || endpoint.row.position != position_was
            || self.notifications.contains_key(&id)
            || !self.are_free(endpoint, &new.members)
        {
            return None;
        }
        let last = new.members.last().copied()?;
        let passed: Vec<i64> = self
            .log
            .of_channel(endpoint.row.channel(), position_was)
            .map(|logged| logged.position)
            .take_while(|position| *position <= last)
            .collect();
        let claim = self.new_claim(now, lease_for);
        let endpoint = self.endpoints.get_mut(&new.endpoint)?;
        endpoint.held.extend(passed);
        for member in &new.members {
            endpoint.held.remove(member);
        }
        endpoint.row.position = position_was.max(last);
        let row = endpoint.row.clone();
        self.add_notification(id, new, &row, now, now);
        self.take(id, claim)
    }

    fn add_notification(
        &mut self,
        id: NotificationId,
        new: NewNotification,
        endpoint: &EndpointRow,
        due: Timestamp,
        now: Timestamp,
    ) {
        let events = new.members.iter().filter_map(|position| self.log.at(*position));
        let row = NotificationRow {
            id,
            org: endpoint.org,
            endpoint: endpoint.id,
            instance: endpoint.instance,
            split_from: new.split_from,
            state: NotificationState::Created,
            failures: 0,
            first_failed_at: None,
            next_due: Some(micros(due)),
            created_at: micros(now),
            completed_at: None,
            body: new.body,
            events: events.map(|logged| logged.event.id).collect(),
        };
        let notification = Notification { row, members: new.members, claim: None, attempts: Vec::new() };
        self.notifications.insert(id, notification);
        if let Some(endpoint) = self.endpoints.get_mut(&endpoint.id) {
            endpoint.open.insert(id);
        }
    }

    fn take(&mut self, id: NotificationId, claim: Held) -> Option<Delivery> {
        let notification = self.notifications.get_mut(&id)?;
        notification.claim = Some(claim);
        let row = notification.row.clone();
        let endpoint = self.endpoints.get(&row.endpoint)?.row.clone();
        Some(Delivery { lease: Lease { id, epoch: claim.epoch }, notification: row, endpoint })
    }

    /// The open notifications of active endpoints, by endpoint.
    fn open_at_active(&self) -> impl Iterator<Item = (EndpointId, Vec<&Notification>)> {
        let active = self.endpoints.values().filter(|known| known.row.state == EndpointState::Active);
        active.map(|known| {
            let open = known.open.iter().filter_map(|id| self.notifications.get(id)).collect();
            (known.row.id, open)
        })
    }

    pub fn claim_notifications(
        &mut self,
        now: Timestamp,
        limit: u32,
        per_endpoint: u32,
        lease_for: Duration,
    ) -> Vec<Delivery> {
        let mut due: Vec<(Timestamp, NotificationId, EndpointId)> = Vec::new();
        let mut taken: BTreeMap<EndpointId, u32> = BTreeMap::new();
        for (endpoint, open) in self.open_at_active() {
            for notification in open {
                if stands(notification.claim, now) {
                    *taken.entry(endpoint).or_default() += 1;
                } else if let Some(at) = notification.row.next_due.filter(|at| *at <= now)
                    && is_tried(notification.row.state)
                {
                    due.push((at, notification.row.id, endpoint));
                }
            }
        }
        due.sort();
        due.retain(|(_, _, endpoint)| {
            let taken = taken.entry(*endpoint).or_default();
            *taken = taken.saturating_add(1);
            *taken <= per_endpoint
        });
        due.truncate(limit as usize);
        let mut deliveries = Vec::with_capacity(due.len());
        for (_, id, _) in due {
            let claim = self.new_claim(now, lease_for);
            deliveries.extend(self.take(id, claim));
        }
        deliveries
    }

    pub fn finish_attempt(
        &mut self,
        lease: Lease<NotificationId>,
        result: AttemptResult,
        now: Timestamp,
    ) -> Result<Committed> {
        let known = self.notifications.get(&lease.id).filter(|known| known.row.state.is_open());
        let Some(known) = known.filter(|known| known.claim.is_some_and(|held| held.epoch == lease.epoch))
        else {
            return Ok(Committed::StaleLease);
        };
        let Some(endpoint) = self.endpoints.get(&known.row.endpoint) else {
            return Ok(Committed::StaleLease);
        };
        let endpoint = endpoint.row.clone();
        self.check_singles(known, &result)?;
        let due = result.next_due.unwrap_or(now);
        for (id, mut single) in result.singles {
            single.split_from = Some(lease.id);
            self.add_notification(id, single, &endpoint, due, now);
        }
        if let Some(known) = self.notifications.get_mut(&lease.id) {
            known.claim = None;
            let mut attempt = result.attempt;
            attempt.started_at = micros(attempt.started_at);
            known.attempts.push(attempt);
            let row = &mut known.row;
            row.state = result.state;
            row.failures = result.failures;
            if row.failures > 0 && row.first_failed_at.is_none() {
                row.first_failed_at = Some(micros(now));
            }
            row.next_due = is_tried(row.state).then(|| micros(due));
            row.completed_at = (!row.state.is_open()).then(|| micros(now));
        }
        if let Some(endpoint) = self.endpoints.get_mut(&endpoint.id) {
            if !result.state.is_open() {
                endpoint.open.remove(&lease.id);
            }
            if result.state == NotificationState::Delivered {
                endpoint.row.accepted_at = Some(micros(now));
            }
            if let Some((state, reason)) = result.endpoint {
                endpoint.row.state = state;
                endpoint.row.reason = reason;
            }
        }
        Ok(Committed::Yes)
    }

    fn check_singles(&self, known: &Notification, result: &AttemptResult) -> Result<()> {
        let split = result.state == NotificationState::Split;
        let parts: &[i64] = if split { &known.members } else { &[] };
        let fit = parts.len() == result.singles.len()
            && parts.iter().zip(&result.singles).all(|(member, (_, single))| single.members == [*member]);
        if !fit {
            return Err(StoreError::Failed("a split needs one notification per member, in order".into()));
        }
        let mut ids = BTreeSet::new();
        match result.singles.iter().find(|(id, _)| self.notifications.contains_key(id) || !ids.insert(*id)) {
            Some((id, _)) => Err(StoreError::Failed(format!("the notification id {id} is used"))),
            None => Ok(()),
        }
    }

    pub fn redeliver(&mut self, org: OrgId, filter: &NotificationFilter, now: Timestamp) -> u64 {
        let State { endpoints, notifications, .. } = self;
        let released: Vec<&mut Notification> = notifications
            .values_mut()
            .filter(|known| known.row.org == org && matches(filter, &known.row))
            .filter(|known| endpoints.contains_key(&known.row.endpoint) && !stands(known.claim, now))
            .filter(|known| match known.row.state {
                NotificationState::Dead | NotificationState::Queued | NotificationState::Retry => true,
                NotificationState::Created
                | NotificationState::Delivered
                | NotificationState::Split
                | NotificationState::Cancelled => false,
            })
            .take(filter.limit as usize)
            .collect();
        let count = released.len() as u64;
        for known in released {
            known.claim = None;
            let row = &mut known.row;
            row.state = NotificationState::Retry;
            row.failures = 0;
            row.first_failed_at = None;
            row.completed_at = None;
            row.next_due = Some(micros(now));
            if let Some(endpoint) = endpoints.get_mut(&row.endpoint) {
                endpoint.open.insert(row.id);
                endpoint.row.state = EndpointState::Active;
                endpoint.row.reason.clear();
            }
        }
        count
    }

    pub fn next_notification_due(&self) -> Option<Timestamp> {
        let open = self.open_at_active().flat_map(|(_, open)| open);
        open.filter(|known| known.claim.is_none() && is_tried(known.row.state))
            .filter_map(|known| known.row.next_due)
            .min()
    }

    pub fn endpoints(&self, org: OrgId) -> Vec<EndpointRow> {
        let of_org = self.endpoints.values().filter(|endpoint| endpoint.row.org == org);
        of_org.map(|endpoint| endpoint.row.clone()).collect()
    }

    pub fn notifications(&self, org: OrgId, filter: &NotificationFilter) -> Vec<NotificationRow> {
        let rows = self.notifications.values().map(|known| &known.row);
        let matching = rows.filter(|row| row.org == org && matches(filter, row));
        let limit = filter.limit as usize;
        let chosen: Vec<&NotificationRow> = match filter.newest_first {
            true => matching.rev().take(limit).collect(),
            false => matching.take(limit).collect(),
        };
        let shown = |row: &NotificationRow| match filter.brief {
            true => NotificationRow { body: String::new(), ..row.clone() },
            false => row.clone(),
        };
        chosen.into_iter().map(shown).collect()
    }

    pub fn attempts(&self, org: OrgId, id: NotificationId) -> Result<Vec<AttemptRow>> {
        let known = self.notifications.get(&id).filter(|known| known.row.org == org);
        let mut attempts = known.ok_or(StoreError::NotFound("notification"))?.attempts.clone();
        attempts.sort_by_key(|attempt| (attempt.started_at, attempt.id));
        Ok(attempts)
    }

    /// Takes an endpoint away; what it still had to send is cancelled.
    pub fn remove_endpoint(&mut self, id: EndpointId, now: Timestamp) {
        let Some(endpoint) = self.endpoints.remove(&id) else { return };
        for id in endpoint.open {
            if let Some(known) = self.notifications.get_mut(&id) {
                known.claim = None;
                known.row.state = NotificationState::Cancelled;
                known.row.next_due = None;
                known.row.completed_at = Some(micros(now));
            }
        }
    }
}

fn matches(filter: &NotificationFilter, row: &NotificationRow) -> bool {
    row.id.0 > filter.after
        && filter.instance.is_none_or(|instance| instance == row.instance)
        && filter.endpoint.is_none_or(|endpoint| endpoint == row.endpoint)
        && filter.state.is_none_or(|state| state == row.state)
        && filter.id.is_none_or(|id| id == row.id)
        && filter.before.is_none_or(|before| row.id.0 < before)
        && filter.since.is_none_or(|since| row.created_at >= micros(since))
        && filter.event.is_none_or(|event| row.events.contains(&event))
}
