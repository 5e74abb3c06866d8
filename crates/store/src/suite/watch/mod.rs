//! What every store must answer to screens.
//!
//! A case gets an empty store that has all sides that a screen looks at.

mod lists;
mod records;

use std::sync::Arc;

use turnstone_core::id::{PollerId, RunId};
use turnstone_core::poll::{Batch, RunOutcome, Status};

use crate::api::{Committed, Store};
use crate::monitors::Monitors;
use crate::watch::Watch;

use super::world::{self, at};

/// A store with the sides that a screen looks at.
pub trait Watched: Store + Monitors + Watch {}

impl<S: Store + Monitors + Watch> Watched for S {}

cases! {
    dyn Watched;
    lists:
        pollers_are_listed_worst_first
        an_overview_counts_everything
        runs_of_an_organisation_are_paged
        endpoints_are_listed_and_switched
        organisations_see_their_own;
    records:
        a_record_has_its_story
        what_a_run_under_way_decided_is_no_story;
}

/// The other cases' world, and the side that is tested.
struct World {
    base: world::World,
    watch: Arc<dyn Watched>,
}

impl std::ops::Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.base
    }
}

impl World {
    async fn new(watch: Arc<dyn Watched>) -> World {
        let store: Arc<dyn Store> = watch.clone();
        World { base: world::World::new(store).await, watch }
    }

    /// A run of a poller that is due, from its claim to its end at this second.
    async fn run_of(
        &self,
        poller: PollerId,
        batch: Batch,
        seconds: i64,
        status: Status,
        outcome: RunOutcome,
    ) -> RunId {
        let lease = self.claim_of(poller, seconds).await;
        let mut finish = self.finish(batch, seconds);
        finish.run.poller = poller;
        finish.run.id = RunId::new(at(seconds), poller.0 as u64);
        (finish.status, finish.run.outcome) = (status, outcome);
        finish.next_due = at(0);
        let id = finish.run.id;
        assert_eq!(self.store.finish(lease, finish, at(seconds)).await.unwrap(), Committed::Yes);
        id
    }
}

fn wrong(code: &str, needs_attention: bool) -> Status {
    Status { code: code.into(), sentence: "it is wrong".into(), needs_attention }
}
