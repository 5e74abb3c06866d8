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

    /// Counts requests that are about to be kept. They are counted first: whoever settles one does not wait until its
    /// keeper has heard that it is kept, and what is taken off before it was added would stay for good.
    pub(super) fn reserve(&self, orgs: Vec<OrgId>) -> Reserved<'_> {
        for org in &orgs {
            self.add(*org);
        }
        Reserved { backlog: self, orgs }
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

/// Requests that are counted and may turn out not to be kept: those are taken off, also when nobody waits for it any more.
pub(super) struct Reserved<'a> {
    backlog: &'a Backlog,
    orgs: Vec<OrgId>,
}

impl Reserved<'_> {
    /// One of the organisation is kept and waits.
    pub(super) fn keep(&mut self, org: OrgId) {
        if let Some(at) = self.orgs.iter().position(|known| *known == org) {
            self.orgs.swap_remove(at);
        }
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        for org in &self.orgs {
            self.backlog.remove(*org);
        }
    }
}
