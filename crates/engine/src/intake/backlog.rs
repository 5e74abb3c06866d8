//! How many requests of each organisation wait for their hooks, counted in memory: an organisation that floods is told to
//! come back before it fills the disk, and no other notices (H07, I02).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use turnstone_core::id::OrgId;

/// The counts. They are a bound and not the truth: rows are.
#[derive(Default)]
pub(super) struct Backlog(Mutex<HashMap<OrgId, u64>>);

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, HashMap<OrgId, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, counts: Vec<(OrgId, u64)>) {
        *self.lock() = counts.into_iter().collect();
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
