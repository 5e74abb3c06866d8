//! Whose turn it is: organisations one after the other, then their instances, then whoever waits longest.
//!
//! Never two runs of one instance at once, never more than so many overall or against one host. A tenant with ten
//! thousand due pollers and a tenant with one get the same number of turns as long as both have something due.
//!
//! Not here: claiming. What is chosen here may turn out to be taken by another node.

use std::collections::HashMap;

use turnstone_core::id::{InstanceId, OrgId, PollerId};
use turnstone_store::Due;

/// Remembered turns and hosts; beyond this many they are forgotten. Forgetting costs fairness for one round only.
const REMEMBERED_MAX: usize = 100_000;

/// The runs under way, and whose turn was when.
#[derive(Debug)]
pub(crate) struct Turns {
    runs_max: usize,
    per_host_max: usize,
    flying: HashMap<PollerId, Flight>,
    /// Runs under way against each host.
    hosts: HashMap<String, usize>,
    /// The host of each poller, as its last run showed it.
    host_of: HashMap<PollerId, String>,
    round: u64,
    org_turn: HashMap<OrgId, u64>,
    instance_turn: HashMap<InstanceId, u64>,
}

#[derive(Debug)]
struct Flight {
    org: OrgId,
    instance: InstanceId,
    host: String,
}

impl Turns {
    pub(crate) fn new(runs_max: usize, per_host_max: usize) -> Self {
        Turns {
            runs_max: runs_max.max(1),
            per_host_max: per_host_max.max(1),
            flying: HashMap::new(),
            hosts: HashMap::new(),
            host_of: HashMap::new(),
            round: 0,
            org_turn: HashMap::new(),
            instance_turn: HashMap::new(),
        }
    }

    /// How many more runs may begin.
    pub(crate) fn free(&self) -> usize {
        self.runs_max.saturating_sub(self.flying.len())
    }

    /// Takes the next one out of those that are due; `None` when none may run now.
    pub(crate) fn choose(&self, due: &mut Vec<Due>) -> Option<Due> {
        if self.free() == 0 {
            return None;
        }
        let mut busy: HashMap<OrgId, usize> = HashMap::new();
        for flight in self.flying.values() {
            *busy.entry(flight.org).or_default() += 1;
        }
        let is_free = |due: &Due| {
            self.flying.values().all(|flight| flight.instance != due.instance)
                && self.host_of.get(&due.poller).is_none_or(|host| !self.is_full(host))
        };
        let turn = |due: &Due| {
            (
                busy.get(&due.org).copied().unwrap_or(0),
                self.org_turn.get(&due.org).copied().unwrap_or(0),
                self.instance_turn.get(&due.instance).copied().unwrap_or(0),
                due.due,
                due.poller,
            )
        };
        let next = due.iter().enumerate().filter(|(_, due)| is_free(due)).min_by_key(|(_, due)| turn(due));
        let at = next?.0;
        Some(due.remove(at))
    }

    /// Notes that this poller's run begins. `false`: its host is full, and the run must wait.
    pub(crate) fn take(&mut self, due: Due, host: &str) -> bool {
        if self.host_of.len() >= REMEMBERED_MAX {
            self.host_of.clear();
        }
        self.host_of.insert(due.poller, host.to_owned());
        if self.is_full(host) {
            return false;
        }
        if self.org_turn.len() >= REMEMBERED_MAX || self.instance_turn.len() >= REMEMBERED_MAX {
            self.org_turn.clear();
            self.instance_turn.clear();
        }
        self.round += 1;
        self.org_turn.insert(due.org, self.round);
        self.instance_turn.insert(due.instance, self.round);
        *self.hosts.entry(host.to_owned()).or_default() += 1;
        self.flying
            .insert(due.poller, Flight { org: due.org, instance: due.instance, host: host.to_owned() });
        true
    }

    /// Notes that this poller's run is over.
    pub(crate) fn landed(&mut self, poller: PollerId) {
        let Some(flight) = self.flying.remove(&poller) else { return };
        if let Some(count) = self.hosts.get_mut(&flight.host) {
            *count -= 1;
            if *count == 0 {
                self.hosts.remove(&flight.host);
            }
        }
    }

    /// A host without a name is none: what cannot be prepared burdens nobody.
    fn is_full(&self, host: &str) -> bool {
        !host.is_empty() && self.hosts.get(host).is_some_and(|count| *count >= self.per_host_max)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn due(org: i64, instance: i64, poller: i64) -> Due {
        Due {
            poller: PollerId(poller),
            org: OrgId(org),
            instance: InstanceId(instance),
            due: Timestamp::from_second(poller).unwrap(),
        }
    }

    /// The pollers that get the turns, all on hosts of their own, each run ending before the next `runs_max` begin.
    fn order(runs_max: usize, mut waiting: Vec<Due>) -> Vec<i64> {
        let mut turns = Turns::new(runs_max, 8);
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let mut flying = Vec::new();
            while let Some(next) = turns.choose(&mut waiting) {
                assert!(turns.take(next, &format!("host {}", next.poller)));
                order.push(next.poller.0);
                flying.push(next.poller);
            }
            flying.into_iter().for_each(|poller| turns.landed(poller));
        }
        order
    }

    #[test]
    fn organisations_take_turns_whatever_waits_longer() {
        let crowd = (1..=6).map(|poller| due(1, poller, poller));
        let waiting: Vec<Due> = crowd.chain([due(2, 50, 50), due(3, 60, 60)]).collect();
        assert_eq!(order(1, waiting.clone()), [1, 50, 60, 2, 3, 4, 5, 6]);
        assert_eq!(order(3, waiting)[..3], [1, 50, 60]);
    }

    #[test]
    fn instances_take_turns_within_their_organisation() {
        let waiting = vec![due(1, 1, 1), due(1, 1, 2), due(1, 1, 3), due(1, 2, 9)];
        assert_eq!(order(1, waiting), [1, 9, 2, 3]);
    }

    #[test]
    fn an_instance_runs_once_at_a_time() {
        let mut waiting = vec![due(1, 1, 1), due(1, 1, 2)];
        let mut turns = Turns::new(4, 4);
        let first = turns.choose(&mut waiting).unwrap();
        assert!(turns.take(first, "a"));
        assert_eq!(turns.choose(&mut waiting), None);
        turns.landed(first.poller);
        assert_eq!(turns.choose(&mut waiting).map(|due| due.poller), Some(PollerId(2)));
    }

    #[test]
    fn a_full_host_waits_and_is_known_next_time() {
        let mut waiting = vec![due(1, 1, 1), due(2, 2, 2), due(3, 3, 3)];
        let mut turns = Turns::new(9, 1);
        let first = turns.choose(&mut waiting).unwrap();
        assert!(turns.take(first, "https://a.test"));
        let second = turns.choose(&mut waiting).unwrap();
        assert!(!turns.take(second, "https://a.test"), "full");
        waiting.push(second);
        assert_eq!(
            turns.choose(&mut waiting).map(|due| due.poller),
            Some(PollerId(3)),
            "it is not asked again"
        );
        turns.landed(first.poller);
        assert_eq!(turns.choose(&mut waiting).map(|due| due.poller), Some(second.poller));
        assert!(turns.take(second, "https://a.test"));
    }
}
