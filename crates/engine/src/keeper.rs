//! Upkeep: removes what is older than its retention, and gives up the claims of processes that are gone.
//!
//! Not here: what may be removed at all. The store keeps every undelivered event and every live ledger row, whatever
//! it is asked for.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use metrics::counter;
use turnstone_core::window::minus;
use turnstone_store::{Result, Retention, Store};

use crate::clock::Clock;
use crate::metrics::{LEASES_EXPIRED, ROWS_PRUNED, STORE_FAILURES};
use crate::stop::Stop;

/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// Pause between two calls while there is more to remove, so that upkeep never holds up the writers in line.
const BREATH: Duration = Duration::from_millis(50);

/// How long things are kept, and how often the keeper looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperSettings {
    /// Events; never undelivered ones.
    pub events: Duration,
    /// Runs with their decisions.
    pub runs: Duration,
    /// Attempts.
    pub attempts: Duration,
    /// Ledger rows of deleted records.
    pub deleted_entries: Duration,
    /// What providers sent, once it was settled; never while an event of it is kept.
    pub requests: Duration,
    /// Rows of each kind in one transaction: some milliseconds of a writer's time.
    pub rows_max: u32,
    /// Time between two rounds of removal.
    pub prune_every: Duration,
    /// Time between two looks for claims that ran out.
    pub expire_every: Duration,
}

impl Default for KeeperSettings {
    fn default() -> Self {
        KeeperSettings {
            events: 30 * DAY,
            runs: 14 * DAY,
            attempts: 30 * DAY,
            deleted_entries: 30 * DAY,
            // Longer than any provider tries to deliver again, and than twice any tolerance of a signature (H03).
            requests: 7 * DAY,
            rows_max: 2_000,
            prune_every: Duration::from_secs(600),
            expire_every: Duration::from_secs(5),
        }
    }
}

/// Keeps a store tidy.
pub struct Keeper {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    settings: KeeperSettings,
}

impl Keeper {
    /// A keeper of this store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, settings: KeeperSettings) -> Self {
        Keeper { store, clock, settings }
    }

    /// Works until it is stopped. A store that fails is asked again at the next turn.
    pub async fn run(&self, stop: &Stop) {
        let mut pruned_at: Option<Duration> = None;
        while !stop.is_asked() {
            self.expire().await;
            let now = self.clock.monotonic();
            if pruned_at.is_none_or(|at| now.saturating_sub(at) >= self.settings.prune_every) {
                pruned_at = Some(now);
                if let Err(error) = self.prune(stop).await {
                    counter!(STORE_FAILURES, "loop" => "keeper").increment(1);
                    tracing::warn!(%error, "old rows could not be removed");
                }
            }
            stop.unless_asked(self.clock.sleep(self.settings.expire_every)).await;
        }
    }

    /// Removes everything whose retention is over, in small transactions. Returns how many rows.
    pub async fn prune(&self, stop: &Stop) -> Result<u64> {
        let retention = self.settings.retention(self.clock.now());
        let mut removed = 0;
        loop {
            let kept = self.store.prune(&retention).await?;
            removed += kept.removed;
            counter!(ROWS_PRUNED).increment(kept.removed);
            if !kept.more || stop.unless_asked(self.clock.sleep(BREATH)).await.is_none() {
                return Ok(removed);
            }
        }
    }

    async fn expire(&self) {
        match self.store.expire_leases(self.clock.now()).await {
            Ok(0) => {}
            Ok(count) => {
                counter!(LEASES_EXPIRED).increment(count);
                tracing::info!(count, "gave up claims that ran out");
            }
            Err(error) => {
                counter!(STORE_FAILURES, "loop" => "keeper").increment(1);
                tracing::warn!(%error, "claims that ran out could not be given up");
            }
        }
    }
}

impl KeeperSettings {
    fn retention(&self, now: Timestamp) -> Retention {
        Retention {
            events_before: minus(now, self.events),
            runs_before: minus(now, self.runs),
            attempts_before: minus(now, self.attempts),
            deleted_entries_before: minus(now, self.deleted_entries),
            requests_before: minus(now, self.requests),
            rows_max: self.rows_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use turnstone_core::check::CheckSettings;
    use turnstone_core::poll::{Finish, RunKind, RunOutcome, RunRecord, Status};
    use turnstone_store::memory::MemoryStore;
    use turnstone_store::{NewInstance, NewPoller};

    use super::*;
    use crate::clock::ManualClock;

    fn start() -> Timestamp {
        CheckSettings::new("2026-03-01T12:00:00Z".parse().unwrap()).now
    }

    /// A store with one poller, which is due at once.
    async fn store(clock: &ManualClock) -> Arc<MemoryStore> {
        let store = Arc::new(MemoryStore::new());
        let org = store.ensure_org("one", clock.now()).await.unwrap();
        let poller = NewPoller {
            resource: "customers".into(),
            revision: 1,
            next_due: clock.now(),
            interval: Duration::from_secs(60),
        };
        let new = NewInstance {
            org,
            element_key: "crm".into(),
            element: None,
            name: "crm".into(),
            tags: Vec::new(),
            token_hash: [1; 32],
            document: "{}".into(),
            enabled: true,
            pollers: vec![poller],
            endpoint: None,
            intake: None,
        };
        store.create_instance(new, clock.now()).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_claim_of_a_process_that_is_gone_is_given_up() {
        let clock = ManualClock::new(start());
        let store = store(&clock).await;
        let due = store.due(clock.now(), 1, 1).await.unwrap()[0];
        store.claim(due.poller, clock.now(), Duration::from_secs(30)).await.unwrap().unwrap();
        let stop = Stop::new();
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let keeper = Keeper::new(shared, Arc::new(clock.clone()), KeeperSettings::default());
        let keep = keeper.run(&stop);
        let watch = async {
            while store.next_due().await.unwrap().is_none() {
                clock.advance_to_next();
                tokio::task::yield_now().await;
            }
            stop.ask();
        };
        tokio::join!(keep, watch);
        assert!(clock.now() >= start() + jiff::SignedDuration::from_secs(30));
    }

    #[tokio::test]
    async fn runs_go_when_their_time_is_over_and_not_before() {
        let clock = ManualClock::new(start());
        let store = store(&clock).await;
        let due = store.due(clock.now(), 1, 1).await.unwrap()[0];
        let claim = store.claim(due.poller, clock.now(), DAY).await.unwrap().unwrap();
        let run = RunRecord {
            id: turnstone_core::id::RunId::new(clock.now(), 1),
            poller: due.poller,
            kind: RunKind::Poll,
            started_at: clock.now(),
            finished_at: clock.now(),
            outcome: RunOutcome::Completed,
            error: None,
            counts: Default::default(),
            story: Default::default(),
        };
        let finish = Finish {
            flow: None,
            batch: Default::default(),
            pass_closed: true,
            state: String::new(),
            watermark: None,
            status: Status::ok(),
            next_due: clock.now(),
            regular_due: None,
            hints_known: turnstone_core::id::InboundId(0),
            prune_versions_below: None,
            run,
        };
        store.finish(claim.lease, finish, clock.now()).await.unwrap();
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let keeper = Keeper::new(shared, Arc::new(clock.clone()), KeeperSettings::default());
        clock.advance(14 * DAY);
        assert_eq!(keeper.prune(&Stop::new()).await.unwrap(), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(keeper.prune(&Stop::new()).await.unwrap(), 1);
    }
}
