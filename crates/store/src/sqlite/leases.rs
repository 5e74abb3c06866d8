//! Claims, in memory: one process owns the file, so nobody else needs to see them.
//!
//! Epochs start at the number of times that the database was opened, so that a lease from before a restart is stale for
//! ever. Only the writer touches this; what a group of writes changed here is taken back together with the group.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{EndpointId, NotificationId, PollerId};

use crate::Lease;

/// One claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub epoch: u64,
    pub until: Timestamp,
    /// Whose open claims are counted together; `None` for pollers.
    pub endpoint: Option<EndpointId>,
}

#[derive(Debug)]
enum Undo {
    Poller(PollerId, Option<Held>),
    Notification(NotificationId, Option<Held>),
}

/// All claims of an open database.
#[derive(Debug)]
pub(super) struct Leases {
    pollers: HashMap<PollerId, Held>,
    notifications: HashMap<NotificationId, Held>,
    last_epoch: u64,
    undo: Vec<Undo>,
}

/// The end of a claim that starts now.
fn end(now: Timestamp, lease_for: Duration) -> Timestamp {
    now.checked_add(lease_for).unwrap_or(Timestamp::MAX)
}

impl Leases {
    /// No claims, and epochs that no earlier opening has handed out.
    pub fn new(open_epoch: u32) -> Leases {
        Leases {
            pollers: HashMap::new(),
            notifications: HashMap::new(),
            last_epoch: u64::from(open_epoch) << 32,
            undo: Vec::new(),
        }
    }

    fn next_epoch(&mut self) -> u64 {
        self.last_epoch += 1;
        self.last_epoch
    }

    /// The claim on a poller, whether it ran out or not.
    pub fn poller(&self, id: PollerId) -> Option<Held> {
        self.pollers.get(&id).copied()
    }

    /// The claim on a notification, whether it ran out or not.
    pub fn notification(&self, id: NotificationId) -> Option<Held> {
        self.notifications.get(&id).copied()
    }

    /// Whether a poller may not be claimed at this time.
    pub fn is_poller_claimed(&self, id: PollerId, now: Timestamp) -> bool {
        self.pollers.get(&id).is_some_and(|held| held.until > now)
    }

    /// Whether a notification may not be claimed at this time.
    pub fn is_notification_claimed(&self, id: NotificationId, now: Timestamp) -> bool {
        self.notifications.get(&id).is_some_and(|held| held.until > now)
    }

    /// Whether this very claim still stands.
    pub fn holds_poller(&self, lease: Lease<PollerId>) -> bool {
        self.pollers.get(&lease.id).is_some_and(|held| held.epoch == lease.epoch)
    }

    /// Whether this very claim still stands.
    pub fn holds_notification(&self, lease: Lease<NotificationId>) -> bool {
        self.notifications.get(&lease.id).is_some_and(|held| held.epoch == lease.epoch)
    }

    /// Claims of each endpoint that have not run out.
    pub fn count_by_endpoint(&self, now: Timestamp) -> HashMap<EndpointId, u32> {
        let mut counts = HashMap::new();
        for held in self.notifications.values().filter(|held| held.until > now) {
            if let Some(endpoint) = held.endpoint {
                *counts.entry(endpoint).or_default() += 1;
            }
        }
        counts
    }

    /// Claims a poller, taking a claim that ran out.
    pub fn claim_poller(&mut self, id: PollerId, now: Timestamp, lease_for: Duration) -> Lease<PollerId> {
        let epoch = self.next_epoch();
        self.set_poller(id, Some(Held { epoch, until: end(now, lease_for), endpoint: None }));
        Lease { id, epoch }
    }

    /// Claims a notification of an endpoint, taking a claim that ran out.
    pub fn claim_notification(
        &mut self,
        id: NotificationId,
        endpoint: EndpointId,
        now: Timestamp,
        lease_for: Duration,
    ) -> Lease<NotificationId> {
        let epoch = self.next_epoch();
        let held = Held { epoch, until: end(now, lease_for), endpoint: Some(endpoint) };
        self.set_notification(id, Some(held));
        Lease { id, epoch }
    }

    /// Prolongs a claim; false when it is not this one any more.
    pub fn renew_poller(&mut self, lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> bool {
        match self.poller(lease.id) {
            Some(held) if held.epoch == lease.epoch => {
                self.set_poller(lease.id, Some(Held { until: end(now, lease_for), ..held }));
                true
            }
            _ => false,
        }
    }

    /// Ends the claim on a poller, whoever has it.
    pub fn release_poller(&mut self, id: PollerId) {
        self.set_poller(id, None);
    }

    /// Ends the claim on a notification, whoever has it.
    pub fn release_notification(&mut self, id: NotificationId) {
        self.set_notification(id, None);
    }

    /// Ends the claims that ran out and says how many these were.
    pub fn expire(&mut self, now: Timestamp) -> u64 {
        let pollers: Vec<PollerId> = out(&self.pollers, now);
        let notifications: Vec<NotificationId> = out(&self.notifications, now);
        let count = pollers.len() + notifications.len();
        pollers.into_iter().for_each(|id| self.release_poller(id));
        notifications.into_iter().for_each(|id| self.release_notification(id));
        count as u64
    }

    fn set_poller(&mut self, id: PollerId, held: Option<Held>) {
        let before = put(&mut self.pollers, id, held);
        self.undo.push(Undo::Poller(id, before));
    }

    fn set_notification(&mut self, id: NotificationId, held: Option<Held>) {
        let before = put(&mut self.notifications, id, held);
        self.undo.push(Undo::Notification(id, before));
    }

    /// A place to come back to with [`Leases::roll_back`].
    pub fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back every change since the mark. Epochs stay used.
    pub fn roll_back(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some(Undo::Poller(id, held)) => drop(put(&mut self.pollers, id, held)),
                Some(Undo::Notification(id, held)) => drop(put(&mut self.notifications, id, held)),
                None => break,
            }
        }
    }

    /// The changes are durable, or need no durability.
    pub fn settle(&mut self) {
        self.undo.clear();
    }
}

fn put<Id: std::hash::Hash + Eq>(map: &mut HashMap<Id, Held>, id: Id, held: Option<Held>) -> Option<Held> {
    match held {
        Some(held) => map.insert(id, held),
        None => map.remove(&id),
    }
}

fn out<Id: Copy>(map: &HashMap<Id, Held>, now: Timestamp) -> Vec<Id> {
    map.iter().filter(|(_, held)| held.until <= now).map(|(id, _)| *id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_taken_back_leaves_no_trace_but_the_epoch() {
        let mut leases = Leases::new(3);
        let first = leases.claim_poller(PollerId(1), at(0), MINUTE);
        leases.settle();
        let mark = leases.mark();
        leases.release_poller(PollerId(1));
        let second = leases.claim_poller(PollerId(1), at(0), MINUTE);
        assert!(!leases.holds_poller(first));
        leases.roll_back(mark);
        assert!(leases.holds_poller(first) && !leases.holds_poller(second));
        assert!(leases.claim_poller(PollerId(2), at(0), MINUTE).epoch > second.epoch);
    }

    #[test]
    fn a_claim_ends_at_its_end_and_stands_until_somebody_takes_it() {
        let mut leases = Leases::new(1);
        let lease = leases.claim_poller(PollerId(1), at(0), MINUTE);
        assert!(leases.is_poller_claimed(PollerId(1), at(59)));
        assert!(!leases.is_poller_claimed(PollerId(1), at(60)));
        assert!(leases.holds_poller(lease));
        assert!(leases.renew_poller(lease, at(60), MINUTE));
        assert_eq!(leases.expire(at(119)), 0);
        assert_eq!(leases.expire(at(120)), 1);
        assert!(!leases.renew_poller(lease, at(120), MINUTE));
    }

    #[test]
    fn epochs_of_a_later_opening_are_larger() {
        let mut before = Leases::new(7);
        let mut after = Leases::new(8);
        let old = (0..1000).map(|_| before.claim_poller(PollerId(1), at(0), MINUTE).epoch).max().unwrap();
        assert!(after.claim_poller(PollerId(1), at(0), MINUTE).epoch > old);
    }
}
