//! What every directory must do: cases, a store that is opened anew, and a random comparison.
//!
//! A case gets an empty store that is both a [`Store`] and a [`Directory`], since instances and organisations are made
//! by the one and known by the other.

mod authorizations;
mod connections;
mod elements;
mod instances;
mod people;
mod random;
mod rim;
mod sessions;
mod world;

use std::sync::Arc;

use crate::api::{NewInstance, Store, StoreError};
use crate::directory::*;
use crate::suite::world::{LEASE, at, new_instance};
use world::World;

pub use random::random;

/// A store with both its sides.
pub trait Whole: Store + Directory {}

impl<S: Store + Directory> Whole for S {}

cases! {
    dyn Whole;
    elements:
        part_numbers_are_handed_out_once
        many_hands_get_different_part_numbers
        connectors_come_back_as_they_were_made
        connectors_need_an_organisation
        a_key_is_taken_once_per_organisation
        a_change_makes_a_revision
        an_old_revision_is_refused
        one_of_two_changes_wins
        a_change_may_keep_its_key_and_not_take_anothers
        every_revision_keeps_its_document
        revisions_that_never_were_are_missing
        a_connector_in_use_stays
        deleting_frees_the_key_and_not_the_id
        organisations_do_not_share_connectors
        connectors_hold_any_text
        large_documents_come_back_whole;
    instances:
        instances_know_their_connector
        a_connector_must_be_there
        instances_keep_their_revision
        an_instance_moves_to_another_connector
        an_instance_leaves_its_connector
        tokens_find_their_instance
        pages_follow_each_other
        names_are_searched
        pages_are_narrowed_by_tags
        pages_are_narrowed_by_connector
        pages_hold_nothing_foreign
        tags_are_counted
        tags_hold_any_text
        claims_carry_the_connector;
    people:
        organisations_are_listed
        organisation_tokens_are_listed_and_removed
        a_removed_organisation_token_is_free
        users_come_back_as_they_were_made
        users_need_an_organisation
        names_are_taken_once_per_organisation
        tokens_are_taken_once_by_anybody
        user_tokens_are_no_organisation_tokens
        roles_change
        users_change_as_a_whole_or_not_at_all
        the_last_owner_stays
        two_owners_leave_one
        an_organisation_without_owner_may_stay_so
        removed_users_are_forgotten
        user_ids_are_never_used_twice
        tokens_are_replaced
        organisations_do_not_share_users
        people_have_any_name;
    sessions:
        sessions_stand_until_they_end
        sessions_follow_their_user
        sessions_need_a_user
        a_session_is_opened_once
        closing_ends_one_session
        closing_all_ends_those_of_one_user
        sessions_go_with_their_user
        codes_sign_in_once
        two_callers_share_no_code
        codes_end
        codes_need_a_user
        codes_go_with_their_user
        instants_are_cut_to_microseconds;
    connections:
        nothing_is_known_at_first
        tokens_count_generations
        an_old_generation_writes_nothing
        one_of_two_writers_wins
        a_generation_that_never_was_is_moved
        reconnecting_keeps_the_tokens
        new_tokens_reconnect
        an_old_refusal_changes_nothing
        one_refresh_is_in_flight
        many_callers_make_one_refresh
        a_lapsed_refresh_gives_way
        a_late_holder_ends_nothing
        a_late_refresh_still_brings_its_tokens
        new_tokens_end_the_refresh
        a_refresh_belongs_to_its_generation
        connections_go_with_their_instance
        organisations_do_not_share_connections
        connections_hold_any_text;
    authorizations:
        a_state_is_taken_once
        an_application_finds_what_waits_for_it_alone
        authorisations_end_and_are_replaced
        authorisations_belong_to_their_organisation
        two_callers_share_no_state;
    rim:
        settings_are_replaced
        settings_need_an_organisation
        date_formats_are_kept_once
        a_zone_makes_another_date_format
        removed_date_formats_are_gone
        date_formats_belong_to_their_organisation
        audits_are_read_newest_first
        audits_are_read_in_pages
        audits_outlive_their_user
        audits_belong_to_their_organisation
        answers_are_remembered_once
        answers_belong_to_their_organisation
        what_has_ended_is_removed
        upkeep_is_bounded
        everything_holds_any_text;
}

/// What a store must do when it is opened anew after a crash: every row stays, numbers go on where they were, and a
/// refresh in flight keeps its claim, since its request may still arrive.
pub async fn reopens(store: Arc<dyn Whole>, reopen: impl AsyncFnOnce(Arc<dyn Whole>) -> Arc<dyn Whole>) {
    let world = World::new(store).await;
    let (org, element) = (world.org, world.element);
    let parts = world.store.reserve_part_ids(7).await.unwrap();
    let owner = world.user("owner", Role::Owner, 1).await;
    let gone = world.user("gone", Role::Member, 2).await;
    world.store.remove_user(org, gone).await.unwrap();
    world.store.open_session(world.session_of(owner, 3), at(0)).await.unwrap();
    world.store.add_sign_in_code(world.code_of(owner, 4), at(0)).await.unwrap();
    world.store.put_setting(org, "a", "b").await.unwrap();
    let made_from = NewInstance { element: Some((element, 1)), ..new_instance(org, 9, &[]) };
    let instance = world.store.create_instance(made_from, at(0)).await.unwrap();
    let written = world.store.put_tokens(org, instance, world.tokens(0)).await.unwrap();
    assert_eq!(written, Written::Yes);
    let lease = world.store.begin_refresh(org, instance, 1, at(5), LEASE).await.unwrap().unwrap();
    let before = world.everything().await;

    // Whoever reopens the store may want to close it first, so nobody else holds it.
    let World { store, .. } = world;
    let world = World { store: reopen(store).await, org, element };
    assert_eq!(world.everything().await, before);
    assert_eq!(world.store.reserve_part_ids(1).await.unwrap(), parts + 7);
    assert!(world.user("new", Role::Member, 5).await > gone, "ids are not used again");
    assert_eq!(world.store.begin_refresh(org, instance, 1, at(6), LEASE).await.unwrap(), None);
    world.store.end_refresh(lease).await.unwrap();
    let again = world.store.begin_refresh(org, instance, 1, at(6), LEASE).await.unwrap().unwrap();
    assert!(again.epoch > lease.epoch);
    assert!(world.store.use_sign_in_code([4; 32], at(6)).await.unwrap().is_some());
    assert!(world.store.session([3; 32], at(6)).await.unwrap().is_some());
    let taken = world.store.delete_element(org, element).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
}
