//! How many requests of each organisation wait for their hooks, counted in memory: an organisation that floods is told
//! to come back before it fills the disk, and no other notices (H07, I02).
//!
//! Whoever settles a request may be faster than who counts it, or another node; so the counts drift, and before anybody
//! is told to come back the rows are counted.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use turnstone_core::id::OrgId;

/// The counts. They are a bound and not the truth: rows are.
#[derive(Default)]
pub(super) struct Backlog {
    counts: Mutex<HashMap<OrgId, u64>>,
    counted_at: Mutex<Option<Duration>>,
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, HashMap<OrgId, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, counts: Vec<(OrgId, u64)>) {
        *self.lock() = counts.into_iter().collect();
    }

    /// Whether the rows are to be counted now: not within `pause` after the last time, however many are told to come
    /// back.
    pub(super) fn is_count_due(&self, now: Duration, pause: Duration) -> bool {
        let mut counted_at = self.counted_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = counted_at.is_none_or(|at| now.saturating_sub(at) >= pause);
        if is_due {
            *counted_at = Some(now);
        }
        is_due
    }

    pub(super) fn of(&self, org: OrgId) -> u64 {
        self.lock().get(&org).copied().unwrap_or(0)
    }

    pub(super) fn add(&self, org: OrgId) {
        *self.lock().entry(org).or_default() += 1;
    }

    pub(super) fn remove(&self, org: OrgId) {
        let mut counts = self.lock();
        if let Some(count) = counts.get_mut(&org) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&org);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_once_in_a_while_however_many_ask() {
        let backlog = Backlog::default();
        let due = |seconds| backlog.is_count_due(Duration::from_secs(seconds), Duration::from_secs(5));
        assert_eq!([0, 1, 4, 5, 6, 20].map(due), [true, false, false, true, false, true]);
    }
}
