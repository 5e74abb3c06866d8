//! The event log: positions in commit order, each derived id once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use turnstone_core::event::Event;
use turnstone_core::id::{EventId, OrgId};

use super::state::{State, micros};
use crate::api::*;

/// The events of all organisations. Copies share the events themselves, which never change.
#[derive(Clone, Default)]
pub(super) struct Log {
    last: i64,
    events: BTreeMap<i64, (OrgId, Arc<LoggedEvent>)>,
    /// The channel of each event: see the column of `event_batch`.
    channels: HashMap<i64, i64>,
    ids: HashMap<EventId, i64>,
    by_channel: BTreeSet<(i64, i64)>,
}

impl Log {
    /// The last position given.
    pub fn end(&self) -> i64 {
        self.last
    }

    /// Adds an event, unless its id is there.
    pub fn add(&mut self, org: OrgId, channel: i64, mut event: Event, now: Timestamp) {
        if self.ids.contains_key(&event.id) {
            return;
        }
        self.last += 1;
        event.date = micros(event.date);
        self.ids.insert(event.id, self.last);
        self.by_channel.insert((channel, self.last));
        self.channels.insert(self.last, channel);
        let logged = LoggedEvent { position: self.last, recorded_at: micros(now), event };
        self.events.insert(self.last, (org, Arc::new(logged)));
    }

    /// Whether this event was recorded.
    pub fn has(&self, id: EventId) -> bool {
        self.ids.contains_key(&id)
    }

    /// The event at a position.
    pub fn at(&self, position: i64) -> Option<&LoggedEvent> {
        self.events.get(&position).map(|(_, logged)| &**logged)
    }

    /// The channel of an event.
    pub fn channel_at(&self, position: i64) -> Option<i64> {
        self.channels.get(&position).copied()
    }

    /// A channel's events beyond a position, in log order.
    pub fn of_channel(&self, channel: i64, after: i64) -> impl Iterator<Item = &LoggedEvent> {
        let range = (Bound::Excluded((channel, after)), Bound::Included((channel, i64::MAX)));
        // An inverted range would panic; there is nothing after the largest number.
        let positions = (after < i64::MAX).then(|| self.by_channel.range(range));
        positions.into_iter().flatten().filter_map(|(_, position)| self.at(*position))
    }

    /// All events, in log order, with their organisations.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = (OrgId, &LoggedEvent)> {
        self.events.values().map(|(org, logged)| (*org, &**logged))
    }

    /// Takes an event out.
    pub fn remove(&mut self, position: i64) {
        if let Some((_, logged)) = self.events.remove(&position) {
            self.ids.remove(&logged.event.id);
            if let Some(channel) = self.channels.remove(&position) {
                self.by_channel.remove(&(channel, position));
            }
        }
    }
}

impl State {
    pub fn events(&self, org: OrgId, filter: &EventFilter) -> Vec<LoggedEvent> {
        let limit = filter.limit as usize;
        if let Some(id) = filter.id {
            let found = self.log.ids.get(&id).and_then(|position| self.log.events.get(position));
            return found
                .into_iter()
                .filter(|(owner, logged)| *owner == org && matches(filter, logged))
                .take(limit)
                .map(|(_, logged)| (**logged).clone())
                .collect();
        }
        let matching = self.log.all().filter(|(owner, logged)| *owner == org && matches(filter, logged));
        if filter.newest_first {
            matching.rev().take(limit).map(|(_, logged)| logged.clone()).collect()
        } else {
            matching.take(limit).map(|(_, logged)| logged.clone()).collect()
        }
    }
}

fn matches(filter: &EventFilter, logged: &LoggedEvent) -> bool {
    let event = &logged.event;
    logged.position > filter.after
        && filter.instance.is_none_or(|instance| instance == event.instance)
        && filter.resource.as_ref().is_none_or(|resource| *resource == event.object_type)
        && filter.object_id.as_ref().is_none_or(|object_id| *object_id == event.object_id)
        && filter.id.is_none_or(|id| id == event.id)
        && filter.poller.is_none_or(|poller| poller == event.poller)
        && filter.event_type.is_none_or(|event_type| event_type == event.event_type)
        && filter.before.is_none_or(|before| logged.position < before)
        && filter.from.is_none_or(|from| logged.recorded_at >= micros(from))
        && filter.to.is_none_or(|to| logged.recorded_at < micros(to))
}
