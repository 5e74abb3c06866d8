//! What every store must do, as named cases that each store runs, and a random comparison of two stores.
//!
//! A case gets an empty store and panics when the store is wrong; run all of [`CASES`] against every implementation,
//! one by one or with [`all`].
//! [`reopens`] needs to know how a store is opened anew. [`random`] drives two stores through the same seeded steps and
//! compares every answer, with [`crate::memory::MemoryStore`] as the model.
//!
//! The cases of people and connectors stand apart, in [`directory`], those of what providers send, in [`intake`], and
//! those of monitors, in [`monitors`], and those of screens, in [`watch`], as their traits do.
//!
//! Not here: what only one database can do wrong (files, locks, connections); that is tested beside it.

/// Makes of named cases what runs them on a store: the list, and `all`. Rooms follow the trait object that they need.
macro_rules! cases {
    ($store:ty; $($room:ident: $($name:ident)*;)*) => {
        /// One case: takes an empty store, panics when something is wrong. Wants a Tokio runtime around it.
        pub type Case = fn(std::sync::Arc<$store>) -> $crate::suite::Running;

        /// Every case with its name.
        pub const CASES: &[(&str, Case)] = &[$($(
            (concat!(stringify!($room), "::", stringify!($name)), |store| Box::pin($room::$name(store))),
        )*)*];

        /// Runs every case on an empty store of its own, to the end, and panics with the names of those that failed.
        /// Wants a Tokio runtime around it.
        pub async fn all(make: impl AsyncFn() -> std::sync::Arc<$store>) {
            let mut failed = Vec::new();
            for (name, case) in CASES {
                if tokio::spawn(case(make().await)).await.is_err() {
                    failed.push(*name);
                }
            }
            assert!(failed.is_empty(), "{} of {} cases failed: {failed:#?}", failed.len(), CASES.len());
        }
    };
}

mod catalog;
mod deliveries;
pub mod directory;
pub mod intake;
mod ledger;
pub mod monitors;
mod random;
mod runs;
mod upkeep;
pub mod watch;
mod world;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Committed, Store};
use world::{World, at};

pub use random::random;

/// A case at work.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

cases! {
    dyn Store;
    catalog:
        organisations_are_made_once
        organisation_tokens_find_their_organisation
        instances_come_back_as_they_were_made
        instances_need_an_organisation
        instance_tokens_are_taken_once
        resources_stand_once
        organisations_do_not_see_each_other
        ids_are_never_used_twice
        updates_replace_what_they_name
        updates_keep_what_a_poller_knows
        updates_remove_pollers_with_their_ledger
        updates_keep_the_endpoint_in_place
        an_endpoint_that_is_left_out_is_removed
        a_late_endpoint_starts_at_the_end
        switched_off_pollers_are_not_due
        switching_off_lets_a_run_finish
        deleting_ends_leases_and_keeps_events
        deleting_frees_the_token
        pausing_keeps_the_reason
        states_are_replaced_between_runs
        a_lapsed_claim_gives_way_to_a_new_state
        texts_hold_any_character
        numbers_reach_their_ends
        instants_keep_their_microseconds
        finer_instants_are_cut;
    runs:
        the_earliest_are_due_first
        no_organisation_hides_the_others
        due_needs_its_time
        next_due_is_the_earliest_free_one
        a_claim_is_exclusive
        a_claim_carries_everything
        a_lapsed_claim_can_be_taken
        a_late_holder_may_write_until_replaced
        renewing_keeps_the_claim
        stale_leases_write_nothing
        a_foreign_epoch_is_stale
        finishing_writes_everything
        an_open_pass_outlives_its_run
        releasing_leaves_no_trace
        decisions_belong_to_the_run_that_finishes
        decisions_of_a_lost_run_are_lost
        runs_are_listed_newest_first
        runs_need_their_organisation
        one_stale_lease_fails_alone
        many_pollers_commit_at_once
        one_claim_among_many_wins;
    ledger:
        nothing_is_known_at_first
        answers_come_in_the_order_asked
        the_last_version_is_known
        versions_in_the_window_are_known
        versions_without_a_value_are_versions
        entries_are_replaced_whole
        pruning_forgets_only_older_versions
        sweeping_marks_what_was_seen
        missing_entries_come_in_pages
        deleted_entries_are_not_missing
        pollers_do_not_share_a_ledger
        events_are_written_once
        a_repeated_event_does_not_stop_its_batch
        positions_grow_in_commit_order
        events_are_filtered
        events_are_filtered_by_time_and_type
        events_come_back_untouched
        big_batches_are_written_whole
        an_empty_batch_is_a_batch;
    deliveries:
        nothing_waits_at_first
        events_wait_in_log_order
        one_record_sends_one_event_at_a_time
        one_notification_carries_one_resource
        a_blocked_record_does_not_stop_the_others
        held_events_follow_in_order
        dead_letters_do_not_block
        blocked_endpoints_are_not_listed
        those_farthest_behind_are_listed_first
        forming_claims_and_moves
        forming_is_refused_when_the_endpoint_moved
        forming_is_refused_for_members_that_are_not_free
        an_id_forms_one_notification
        two_formers_make_one
        due_notifications_are_claimed_in_order
        claims_per_endpoint_are_bounded
        a_lapsed_delivery_is_claimed_anew
        stale_attempts_write_nothing
        delivering_closes
        failing_waits_for_its_time
        queueing_waits_for_release
        splitting_leaves_singles
        bad_splits_write_nothing
        endpoints_that_are_off_keep_their_events
        redelivering_starts_from_zero
        redelivering_wakes_endpoints
        redelivering_counts_what_it_releases
        redelivering_needs_an_endpoint
        deleting_cancels_what_is_open
        notifications_are_filtered
        what_waits_is_listed_by_its_state
        attempts_come_oldest_first
        next_notification_due_is_the_earliest_free_one
        other_instances_are_not_sent;
    upkeep:
        lapsed_claims_are_given_up
        standing_claims_are_left
        undelivered_events_stay
        held_events_stay
        events_of_switched_off_endpoints_stay
        delivered_events_go_with_their_notification
        events_without_an_endpoint_go
        runs_go_with_their_decisions
        deleted_entries_go_with_their_versions
        living_entries_stay
        upkeep_is_bounded;
}

/// What a store must do when it is opened anew after a crash: rows stay, every lease is stale, claims are free.
pub async fn reopens(store: Arc<dyn Store>, reopen: impl AsyncFnOnce(Arc<dyn Store>) -> Arc<dyn Store>) {
    let mut world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    let poll = world.claim(1).await;
    world.commit(poll, world.batch(&[(2, "b")]), 1).await;
    // The world lets go of the store, so that whoever reopens it may close it first.
    let closing = std::mem::replace(&mut world.store, Arc::new(crate::memory::MemoryStore::new()));
    world.store = reopen(closing).await;

    assert_eq!(world.try_commit(poll, world.batch(&[(3, "c")]), 2).await, Committed::StaleLease);
    let result = world.delivered(&delivery, 2);
    let finished = world.store.finish_attempt(delivery.lease, result, at(2)).await.unwrap();
    assert_eq!(finished, Committed::StaleLease);
    assert_eq!(world.objects().await, ["a", "b"], "what was committed stays");

    let again = world.claim(2).await;
    assert_ne!(again.epoch, poll.epoch);
    assert_eq!(world.try_commit(poll, world.batch(&[(3, "c")]), 3).await, Committed::StaleLease);
    world.commit(again, world.batch(&[(3, "c")]), 3).await;
    let second = world.store.claim_notifications(at(3), 9, 9, Duration::from_secs(60)).await.unwrap();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].notification, delivery.notification, "its id, members and bytes never change");
    assert_ne!(second[0].lease, delivery.lease);
}
