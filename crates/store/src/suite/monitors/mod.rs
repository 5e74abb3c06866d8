//! What every store must do with monitors and their subscriptions.
//!
//! A case gets an empty store that is both a [`Store`] and a [`Monitors`].

mod cursors;
mod drafts;
mod endpoints;
mod subscriptions;
mod world;

use crate::api::Store;
use crate::monitors::Monitors;

/// A store with both its sides.
pub trait Both: Store + Monitors {}

impl<S: Store + Monitors> Both for S {}

cases! {
    dyn Both;
    drafts:
        a_draft_comes_back_as_it_was_saved
        a_draft_is_changed_where_it_was_read
        names_are_taken_once
        versions_are_numbered_and_stay
        a_monitor_in_use_is_not_removed
        monitors_belong_to_their_organisation;
    subscriptions:
        a_subscription_is_a_poller
        a_subscription_needs_its_parts
        names_are_taken_once_per_instance
        a_change_keeps_what_it_does_not_name
        a_changed_state_waits_for_the_run
        a_change_is_made_from_what_is_there
        a_move_is_not_crossed_by_a_run
        a_run_that_was_overtaken_leaves_the_due_time
        only_active_ones_are_due
        pausing_and_switching_do_not_activate
        updates_of_the_instance_leave_them_alone
        unsubscribing_leaves_events_and_runs
        they_go_with_their_instance
        subscriptions_are_filtered
        subscriptions_belong_to_their_organisation;
    cursors:
        a_run_that_moves_the_cursor_leaves_the_old_one
        everything_of_a_run_is_written_together
        a_stale_lease_writes_nothing
        two_subscriptions_share_no_ledger
        replaced_cursors_are_listed_newest_first
        cursors_are_bounded
        declared_pollers_have_a_history_too
        traces_are_bounded_and_go_with_their_runs;
    endpoints:
        an_own_endpoint_takes_what_its_subscription_tells
        events_stay_where_they_were_recorded
        a_record_waits_at_an_own_endpoint
        forming_is_refused_across_channels
        an_endpoint_that_is_left_out_is_removed
        what_is_undelivered_stays;
}
