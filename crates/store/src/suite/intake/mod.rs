//! What every store must do with what providers send: cases, a store that is opened anew, and a random comparison.
//!
//! A case gets an empty store that is both a [`Store`] and an [`Intake`].

mod addresses;
mod hints;
mod log;
mod random;
mod requests;
mod settling;
mod world;

use std::sync::Arc;

use turnstone_core::event::EventType;
use turnstone_core::id::{InboundId, InstanceId};

use crate::api::Store;
use crate::intake::{InboundState, Intake, Received};
use crate::monitors::Monitors;
use crate::suite::world::{at, everything_before};
use world::{World, any_request, hint, named, order, request};

pub use random::random;

/// A store with both its sides, and with pollers that intake must leave alone.
pub trait Both: Store + Intake + Monitors {}

impl<S: Store + Intake + Monitors> Both for S {}

cases! {
    dyn Both;
    addresses:
        an_address_finds_its_instance
        an_address_is_taken_once
        an_address_is_replaced
        changes_keep_the_address
        an_intake_that_is_left_out_is_removed
        values_find_instances
        values_are_replaced
        an_id_finds_any_instance
        addresses_go_with_their_instance
        addresses_belong_to_their_organisation;
    requests:
        requests_come_back_as_they_came
        requests_need_their_instance
        a_name_is_kept_once
        a_name_is_known_after_its_request_was_settled
        repeats_meet_within_one_call
        equal_content_counts_within_its_time
        keys_belong_to_their_instance
        numbers_grow_in_the_order_of_arrival
        numbers_are_never_used_twice
        many_are_received_at_once
        the_first_of_each_instance_waits
        one_that_is_not_due_holds_up_the_later_ones
        next_request_due_is_the_earliest_first_one
        waiting_is_counted_by_organisation
        requests_are_filtered
        lists_are_read_in_pages
        requests_are_counted
        requests_belong_to_their_organisation
        instants_and_windows_are_cut_to_microseconds;
    settling:
        settling_records_events
        a_request_is_settled_once
        only_the_first_is_settled
        one_that_is_put_aside_lets_the_others_pass
        postponing_waits_for_its_time
        the_reason_stays_until_it_is_settled
        known_events_are_passed_over
        records_are_numbered
        a_deleted_record_may_come_back
        numbers_go_on_however_many_records_there_are
        one_of_two_settlers_wins
        kinds_of_objects_are_bounded
        what_numbers_events_is_no_poller
        changes_keep_the_numbers
        replaying_starts_from_zero
        replaying_counts_what_qualifies
        discarding_ends_what_was_put_aside
        deleting_gives_up_what_waits;
    hints:
        named_records_are_hints
        those_named_first_come_first
        a_record_is_named_once
        what_is_said_later_replaces_what_was_said
        hints_for_nobody_are_dropped
        hints_do_not_reach_subscriptions
        hints_make_their_poller_due
        a_second_hint_keeps_the_regular_time
        only_pollers_that_are_well_are_made_due
        a_look_closes_a_hint
        a_look_that_decided_nothing_is_counted
        a_record_that_is_named_meanwhile_stays
        a_run_that_did_not_know_is_followed_at_once
        a_run_that_knew_is_not_followed
        a_poller_that_is_not_well_waits
        stale_looks_write_nothing
        requests_that_run_again_name_later
        poll_now_forgets_the_regular_time
        a_changed_poller_forgets_the_regular_time
        releasing_keeps_the_regular_time
        finishing_keeps_the_regular_time
        recall_knows_what_was_announced
        hints_go_with_their_poller
        looked_at_hints_go_in_time;
    log:
        one_request_is_one_notification
        events_of_polls_and_requests_do_not_mix
        limits_go_by_kind
        a_record_waits_for_its_earlier_event
        forming_is_refused_for_two_requests
        requests_stay_as_long_as_their_events
        requests_that_wait_for_somebody_stay
        old_requests_go_with_what_they_said
        upkeep_is_bounded
        events_are_counted_by_time
        events_are_counted_by_what_became_of_them;
}

/// What a store must do when it is opened anew after a crash: what was answered is there, numbers go on where they were
/// and are never used twice, and what waits, waits.
pub async fn reopens(store: Arc<dyn Both>, reopen: impl AsyncFnOnce(Arc<dyn Both>) -> Arc<dyn Both>) {
    let world = World::new(store).await;
    world.well(0).await;
    let told = world.tell(1, vec![order(1, "a"), hint("c", EventType::Updated, Some(2))], 1).await;
    let put_aside = world.receive(2, 2).await;
    world.put_aside(put_aside, 2).await;
    let waiting = world.receive(3, 3).await;
    let refused = world.inbound(InstanceId(999), named(4), 4);
    let both = vec![world.inbound(world.instance, named(5), 5), refused];
    world.intake.receive(both, at(3)).await.unwrap_err();
    let last = world.receive(6, 3).await;
    let rows = world.intake.requests(world.org, &any_request()).await.unwrap();
    let (hints, dues) = (world.hints().await, world.dues().await);

    let world = world.reopen(reopen).await;
    assert_eq!(world.intake.requests(world.org, &any_request()).await.unwrap(), rows);
    assert_eq!((world.hints().await, world.dues().await), (hints, dues));
    assert_eq!(world.intake.request(world.org, waiting).await.unwrap(), request(3));
    assert_eq!(world.due_requests(3).await, [waiting]);
    assert_eq!(world.take_in(world.instance, named(1), 4).await, Received::Repeated(told));
    assert!(world.receive(5, 4).await > last, "a number is not used again");
    world.settle(waiting, vec![order(2, "a")], 5).await;
    assert_eq!(world.numbered().await, [("a".to_string(), 1), ("a".to_string(), 2)]);
    assert_eq!(world.intake.replay(world.org, &any_request(), at(6)).await.unwrap(), 1);
    assert_eq!(world.row(put_aside).await.state, InboundState::Received);

    // The rows are gone, and their numbers with them for ever.
    let highest = world.ids(any_request()).await.into_iter().max().unwrap_or(InboundId(0));
    world.store.delete_instance(world.org, world.instance, at(7)).await.unwrap();
    world.store.prune(&everything_before(99)).await.unwrap();
    assert_eq!(world.ids(any_request()).await, []);
    let (instance, _) = world.add(9, &[]).await;
    let Received::New(id) = world.take_in(instance, named(7), 100).await else { panic!("it is new") };
    assert!(id > highest);
}
