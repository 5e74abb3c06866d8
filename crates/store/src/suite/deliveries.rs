//! What waits at endpoints, notifications and their attempts.

use std::sync::Arc;

use turnstone_core::id::EventId;

use super::world::{LEASE, World, any_notification, at, most, new_instance};
use crate::api::*;

pub async fn nothing_waits_at_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.endpoints_waiting().await, 0);
    assert!(world.waiting_objects().await.is_empty());
    assert_eq!(world.store.next_notification_due().await.unwrap(), None);
    assert_eq!(world.take(9).await, []);
    let unknown = turnstone_core::id::EndpointId(999);
    assert!(matches!(world.store.waiting(unknown, most(1)).await, Err(StoreError::NotFound("endpoint"))));
}

pub async fn events_wait_in_log_order(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(3, "c"), (1, "a"), (2, "b")]).await;
    assert_eq!(world.waiting_objects().await, ["c", "a", "b"]);
    assert_eq!(world.waiting(2).await.len(), 2);
    assert_eq!(world.waiting(0).await.len(), 0);
    assert_eq!(world.endpoints_waiting().await, 1);
    assert_eq!(world.store.endpoints_waiting(0).await.unwrap(), []);
    assert_eq!(world.endpoint_row().await.position, 0, "looking moves nothing");
}

pub async fn one_record_sends_one_event_at_a_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a"), (2, "a"), (3, "b"), (4, "a")]).await;
    let first = world.form(1).await;
    assert_eq!(world.notification(&first).await.events.len(), 2, "the first of each record");
    world.deliver(&first, 2).await;
    let second = world.form(2).await;
    assert_eq!(second.notification.events, [world.event(2, "a").id]);
    assert!(world.waiting_objects().await.is_empty());
    world.deliver(&second, 3).await;
    let third = world.form(3).await;
    assert_eq!(third.notification.events, [world.event(4, "a").id]);
    world.deliver(&third, 4).await;
    assert_eq!(world.endpoints_waiting().await, 0);
}

pub async fn one_notification_carries_one_resource(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let update = new_instance(world.org, 1, &["contacts", "deals"]);
    world.store.update_instance(world.org, world.instance, update, at(0)).await.unwrap();
    let deals = world.store.pollers(world.org, Some(world.instance)).await.unwrap()[1].id;
    let mut batch = world.batch(&[(1, "a"), (2, "a"), (3, "b"), (4, "c")]);
    for place in [1, 2] {
        batch.events[place].poller = deals;
        batch.events[place].object_type = "deals".into();
    }
    world.write(batch).await;
    let contacts = world.waiting(9).await;
    assert_eq!(contacts.iter().map(|(_, object)| object.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    let mixed = [contacts[0].0, contacts[0].0 + 2];
    assert_eq!(world.try_form(&mixed, 0, 1).await, None, "two resources");
    world.form(1).await;
    assert_eq!(
        world.waiting_objects().await,
        ["a", "b"],
        "the same id of another resource is another record"
    );
}

pub async fn a_blocked_record_does_not_stop_the_others(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let poison = world.formed(&[(1, "poison")], 1).await;
    world.retry(&poison, 500, 2).await;
    world.record(&[(2, "poison"), (3, "a"), (4, "poison"), (5, "b"), (6, "a")]).await;
    assert_eq!(world.waiting_objects().await, ["a", "b"]);
    let others = world.form(3).await;
    assert_eq!(others.notification.events.len(), 2);
    world.deliver(&others, 3).await;
    assert_eq!(world.waiting_objects().await, ["a"]);
}

pub async fn held_events_follow_in_order(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.formed(&[(1, "a")], 1).await;
    world.record(&[(2, "a"), (3, "b"), (4, "a"), (5, "c")]).await;
    let second = world.form(2).await;
    assert_eq!(second.endpoint.position, first.endpoint.position + 4, "past what it looked at");
    world.record(&[(6, "d"), (7, "a")]).await;
    assert_eq!(world.waiting_objects().await, ["d"]);
    world.deliver(&first, 3).await;
    let free = world.waiting(9).await;
    let position = first.endpoint.position;
    assert_eq!(free, [(position + 1, "a".into()), (position + 5, "d".into())], "held ones come first");
    assert_eq!(world.waiting(1).await, free[..1]);
    let third = world.try_form(&[free[0].0], position + 4, 4).await.expect("a held event may go alone");
    assert_eq!(third.endpoint.position, position + 4, "the position does not go back");
    assert_eq!(third.notification.events, [world.event(2, "a").id]);
    world.deliver(&third, 5).await;
    let fourth = world.form(5).await;
    assert_eq!(fourth.notification.events, [world.event(4, "a").id, world.event(6, "d").id]);
    world.deliver(&fourth, 6).await;
    assert_eq!(world.waiting_objects().await, ["a"]);
}

pub async fn dead_letters_do_not_block(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a"), (2, "a")], 1).await;
    assert!(world.waiting_objects().await.is_empty());
    world.fail(&delivery, NotificationState::Dead, 2).await;
    assert_eq!(world.waiting_objects().await, ["a"]);
    assert_eq!(world.endpoints_waiting().await, 1);
}

pub async fn blocked_endpoints_are_not_listed(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    world.record(&[(2, "a"), (3, "a")]).await;
    assert_eq!(world.endpoints_waiting().await, 0, "all that waits, waits for its record");
    world.deliver(&delivery, 2).await;
    assert_eq!(world.endpoints_waiting().await, 1);
}

pub async fn those_farthest_behind_are_listed_first(store: Arc<dyn Store>) {
    let mut world = World::new(store).await;
    let first = world.formed(&[(1, "a")], 1).await;
    world.deliver(&first, 1).await;
    let (instance, pollers) = world.add(2, &["contacts"]).await;
    world.record(&[(2, "b")]).await;
    let ahead = world.form(2).await;
    world.record(&[(3, "c")]).await;
    let (mine, other) = (world.endpoint, world.store.endpoints(world.org).await.unwrap()[1].id);
    world.instance = instance;
    world.poller = pollers[0];
    world.record(&[(4, "d")]).await;
    assert_eq!(ahead.endpoint.position, 2);
    let listed: Vec<_> = world.store.endpoints_waiting(9).await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(listed, [other, mine]);
    let one = world.store.endpoints_waiting(1).await.unwrap();
    assert_eq!((one.len(), one[0].id, one[0].position), (1, other, 1));
}

pub async fn forming_claims_and_moves(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a"), (2, "b")]).await;
    let id = world.store.reserve_notification().await.unwrap();
    let new = world.new_notification(&[1, 2]);
    let formed = world.store.form(id, new.clone(), 0, at(5), LEASE).await.unwrap().unwrap();
    let row = &formed.notification;
    assert_eq!(
        (row.id, formed.lease.id, row.endpoint, row.instance),
        (id, id, world.endpoint, world.instance)
    );
    assert_eq!((row.org, row.state, row.failures), (world.org, NotificationState::Created, 0));
    assert_eq!((row.created_at, row.next_due), (at(5), Some(at(5))));
    assert_eq!((row.first_failed_at, row.completed_at, row.split_from), (None, None, None));
    assert_eq!((row.body.as_str(), row.events.len()), (new.body.as_str(), 2));
    assert_eq!(formed.endpoint.position, 2);
    assert_eq!(world.endpoint_row().await, formed.endpoint);
    assert_eq!(world.notification(&formed).await, formed.notification);
    assert_eq!(world.take(5).await, [], "it is claimed for its first attempt");
    assert_eq!(world.store.attempts(world.org, id).await.unwrap(), []);
}

pub async fn forming_is_refused_when_the_endpoint_moved(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a"), (2, "b")]).await;
    assert_eq!(world.try_form(&[1], 1, 1).await, None);
    assert_eq!(world.try_form(&[1], -1, 1).await, None);
    world.try_form(&[1], 0, 1).await.unwrap();
    assert_eq!(world.try_form(&[2], 0, 1).await, None);
    world.try_form(&[2], 1, 1).await.unwrap();
    let rows = world.store.notifications(world.org, &any_notification()).await.unwrap();
    assert_eq!(rows.len(), 2, "a refusal writes nothing");
}

pub async fn forming_is_refused_for_members_that_are_not_free(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let open = world.formed(&[(1, "a")], 1).await;
    world.record(&[(2, "a"), (3, "b"), (4, "b"), (5, "c")]).await;
    let before = world.endpoint_row().await;
    let wrong: [&[i64]; 9] = [&[], &[2], &[3, 2], &[4], &[3, 4], &[3, 3], &[99], &[1], &[5, 3]];
    for members in wrong {
        assert_eq!(world.try_form(members, 1, 2).await, None, "{members:?}");
    }
    assert_eq!(world.endpoint_row().await, before);
    assert_eq!(world.store.notifications(world.org, &any_notification()).await.unwrap().len(), 1);
    let id = world.store.reserve_notification().await.unwrap();
    let nowhere = turnstone_core::id::EndpointId(999);
    let new = NewNotification { endpoint: nowhere, ..world.new_notification(&[3]) };
    assert_eq!(world.store.form(id, new, 0, at(2), LEASE).await.unwrap(), None);
    world.deliver(&open, 3).await;
    let right = world.try_form(&[2, 3, 5], 1, 3).await.expect("now they are free");
    assert_eq!(right.notification.events.len(), 3);
}

pub async fn an_id_forms_one_notification(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.formed(&[(1, "a")], 1).await;
    world.record(&[(2, "b")]).await;
    let again =
        world.store.form(first.notification.id, world.new_notification(&[2]), 1, at(2), LEASE).await.unwrap();
    assert_eq!(again, None);
    assert_eq!(world.notification(&first).await, first.notification);
    assert_eq!(world.waiting_objects().await, ["b"]);
}

pub async fn two_formers_make_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a")]).await;
    let mut formers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, new) = (world.store.clone(), world.new_notification(&[1]));
        formers.spawn(async move {
            let id = store.reserve_notification().await.unwrap();
            store.form(id, new, 0, at(1), LEASE).await.unwrap()
        });
    }
    let mut made = 0;
    while let Some(former) = formers.join_next().await {
        made += usize::from(former.unwrap().is_some());
    }
    assert_eq!(made, 1);
    assert_eq!(world.store.notifications(world.org, &any_notification()).await.unwrap().len(), 1);
}

pub async fn due_notifications_are_claimed_in_order(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut formed = Vec::new();
    for (number, due) in [(1, 30), (2, 20), (3, 30), (4, 99)] {
        let delivery = world.formed(&[(number, &number.to_string())], 1).await;
        world.retry(&delivery, due, 2).await;
        formed.push(delivery.notification.id);
    }
    assert_eq!(world.take(19).await, []);
    let first = world.store.claim_notifications(at(30), 2, 9, LEASE).await.unwrap();
    let ids: Vec<_> = first.iter().map(|delivery| delivery.notification.id).collect();
    assert_eq!(ids, [formed[1], formed[0]], "by time, then by id");
    assert_eq!(first[0].notification.failures, 1);
    assert_eq!(first[0].endpoint, world.endpoint_row().await);
    assert_eq!(world.take(30).await.len(), 1);
    assert_eq!(world.store.claim_notifications(at(99), 0, 9, LEASE).await.unwrap(), []);
}

pub async fn claims_per_endpoint_are_bounded(store: Arc<dyn Store>) {
    let mut world = World::new(store).await;
    for number in 1..=4_u8 {
        let delivery = world.formed(&[(number.into(), &number.to_string())], 1).await;
        world.retry(&delivery, 2, 2).await;
    }
    let (instance, pollers) = world.add(2, &["contacts"]).await;
    let (mine, theirs) = (world.endpoint, world.store.endpoints(world.org).await.unwrap()[1].id);
    (world.instance, world.poller, world.endpoint) = (instance, pollers[0], theirs);
    let other = world.formed(&[(9, "z")], 1).await;
    world.retry(&other, 3, 2).await;
    let claim = async |per_endpoint| {
        let claimed = world.store.claim_notifications(at(5), 9, per_endpoint, LEASE).await.unwrap();
        claimed.iter().map(|delivery| delivery.endpoint.id).collect::<Vec<_>>()
    };
    assert_eq!(claim(0).await, []);
    assert_eq!(claim(2).await, [mine, mine, theirs], "no endpoint hides the others");
    assert_eq!(claim(2).await, [], "claims that stand count");
    assert_eq!(claim(3).await, [mine]);
    assert_eq!(
        world.store.claim_notifications(at(65), 99, 1, LEASE).await.unwrap().len(),
        2,
        "lapsed ones do not"
    );
}

pub async fn a_lapsed_delivery_is_claimed_anew(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.formed(&[(1, "a")], 1).await;
    assert_eq!(world.take(60).await, []);
    let second = world.take(61).await.remove(0);
    assert_eq!(second.notification, first.notification);
    assert!(second.lease.epoch > first.lease.epoch);
    let late = world.store.finish_attempt(first.lease, world.delivered(&first, 62), at(62)).await.unwrap();
    assert_eq!(late, Committed::StaleLease);
    assert_eq!(world.notification(&first).await.state, NotificationState::Created);
    world.deliver(&second, 62).await;
    assert_eq!(world.store.attempts(world.org, first.notification.id).await.unwrap().len(), 1);
}

pub async fn stale_attempts_write_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    world.retry(&delivery, 10, 2).await;
    let (row, endpoint) = (world.notification(&delivery).await, world.endpoint_row().await);
    let foreign = Lease { id: delivery.lease.id, epoch: delivery.lease.epoch + 7 };
    let nowhere = Lease { id: turnstone_core::id::NotificationId(999), epoch: delivery.lease.epoch };
    for lease in [delivery.lease, foreign, nowhere] {
        let mut result = world.delivered(&delivery, 3);
        result.endpoint = Some((EndpointState::Disabled, "410".into()));
        assert_eq!(world.store.finish_attempt(lease, result, at(3)).await.unwrap(), Committed::StaleLease);
    }
    assert_eq!(world.notification(&delivery).await, row);
    assert_eq!(world.endpoint_row().await, endpoint);
    assert_eq!(world.store.attempts(world.org, delivery.notification.id).await.unwrap().len(), 1);
}

pub async fn delivering_closes(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    world.deliver(&delivery, 3).await;
    let row = world.notification(&delivery).await;
    assert_eq!((row.state, row.failures, row.first_failed_at), (NotificationState::Delivered, 0, None));
    assert_eq!((row.completed_at, row.next_due), (Some(at(3)), None));
    assert_eq!(
        (row.body, row.events),
        (delivery.notification.body.clone(), delivery.notification.events.clone())
    );
    assert_eq!(world.endpoint_row().await.accepted_at, Some(at(3)));
    assert_eq!(world.take(999).await, []);
    let attempts = world.store.attempts(world.org, delivery.notification.id).await.unwrap();
    assert_eq!(attempts, [world.delivered(&delivery, 3).attempt]);
}

pub async fn failing_waits_for_its_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    world.retry(&delivery, 10, 3).await;
    let row = world.notification(&delivery).await;
    assert_eq!((row.state, row.failures), (NotificationState::Retry, 1));
    assert_eq!((row.first_failed_at, row.next_due, row.completed_at), (Some(at(3)), Some(at(10)), None));
    assert_eq!(world.endpoint_row().await.accepted_at, None);
    assert_eq!(world.take(9).await, []);
    let second = world.take(10).await.remove(0);
    let at_once = world.result(&second, NotificationState::Retry, 11);
    world.end(&second, at_once, 11).await;
    let row = world.notification(&delivery).await;
    assert_eq!((row.failures, row.first_failed_at, row.next_due), (2, Some(at(3)), Some(at(11))));
    assert_eq!(row.body, delivery.notification.body);
}

pub async fn queueing_waits_for_release(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a"), (2, "a")], 1).await;
    world.fail(&delivery, NotificationState::Queued, 2).await;
    let row = world.notification(&delivery).await;
    assert_eq!((row.state, row.next_due, row.completed_at), (NotificationState::Queued, None, None));
    assert_eq!(world.take(9_999).await, []);
    assert_eq!(world.store.next_notification_due().await.unwrap(), None);
    assert!(world.waiting_objects().await.is_empty(), "what is queued is undelivered");
    assert_eq!(world.store.redeliver(world.org, &any_notification(), at(9)).await.unwrap(), 1);
    assert_eq!(world.take(9).await.len(), 1);
}

/// A result that splits a delivery of members 1, 2, … into single notifications.
async fn split(world: &World, delivery: &Delivery, members: &[i64]) -> AttemptResult {
    let mut singles = Vec::new();
    for member in members {
        let id = world.store.reserve_notification().await.unwrap();
        singles.push((id, world.new_notification(&[*member])));
    }
    AttemptResult { singles, ..world.result(delivery, NotificationState::Split, 5) }
}

pub async fn splitting_leaves_singles(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let group = world.formed(&[(1, "a"), (2, "b"), (3, "a")], 1).await;
    let result = split(&world, &group, &[1, 2]).await;
    let ids: Vec<_> = result.singles.iter().map(|(id, _)| *id).collect();
    world.end(&group, AttemptResult { next_due: Some(at(7)), ..result }, 5).await;
    let row = world.notification(&group).await;
    assert_eq!((row.state, row.completed_at, row.next_due), (NotificationState::Split, Some(at(5)), None));
    assert_eq!((row.events.len(), row.failures), (2, 1), "a group keeps its members");
    assert_eq!(world.store.next_notification_due().await.unwrap(), Some(at(7)));
    assert_eq!(world.take(6).await, []);
    let singles = world.take(7).await;
    assert_eq!(singles.iter().map(|single| single.notification.id).collect::<Vec<_>>(), ids);
    for (single, event) in singles.iter().zip([world.event(1, "a").id, world.event(2, "b").id]) {
        let row = &single.notification;
        assert_eq!((row.state, row.failures, row.first_failed_at), (NotificationState::Created, 0, None));
        assert_eq!((row.split_from, &row.events[..]), (Some(group.notification.id), &[event][..]));
        assert_eq!(row.created_at, at(5));
    }
    assert!(world.waiting_objects().await.is_empty(), "their records still wait");
    world.deliver(&singles[0], 8).await;
    assert_eq!(world.waiting_objects().await, ["a"]);
}

pub async fn bad_splits_write_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let group = world.formed(&[(1, "a"), (2, "b")], 1).await;
    for members in [&[] as &[i64], &[1], &[2, 1], &[1, 2, 2], &[1, 1]] {
        let result = split(&world, &group, members).await;
        let answer = world.store.finish_attempt(group.lease, result, at(5)).await;
        assert!(matches!(answer, Err(StoreError::Failed(_))), "{members:?}: {answer:?}");
    }
    let mut used = split(&world, &group, &[1, 2]).await;
    used.singles[1].0 = used.singles[0].0;
    assert!(world.store.finish_attempt(group.lease, used.clone(), at(5)).await.is_err(), "one id twice");
    used.singles[1].0 = group.notification.id;
    assert!(world.store.finish_attempt(group.lease, used, at(5)).await.is_err(), "a used id");
    let mut not_split = split(&world, &group, &[1, 2]).await;
    not_split.state = NotificationState::Retry;
    assert!(
        world.store.finish_attempt(group.lease, not_split, at(5)).await.is_err(),
        "singles without a split"
    );
    assert_eq!(world.notification(&group).await, group.notification);
    assert_eq!(world.store.attempts(world.org, group.notification.id).await.unwrap(), []);
    let right = split(&world, &group, &[1, 2]).await;
    world.end(&group, right, 5).await;
    assert_eq!(world.take(5).await.len(), 2, "without a time they are due at once");
}

pub async fn endpoints_that_are_off_keep_their_events(store: Arc<dyn Store>) {
    for state in [EndpointState::Deactivated, EndpointState::Disabled] {
        let number = if state == EndpointState::Disabled { 2 } else { 1 };
        let mut world = World {
            org: store.ensure_org("acme", at(0)).await.unwrap(),
            store: store.clone(),
            instance: turnstone_core::id::InstanceId(0),
            poller: turnstone_core::id::PollerId(0),
            endpoint: turnstone_core::id::EndpointId(0),
        };
        let (instance, pollers) = world.add(number, &["contacts"]).await;
        (world.instance, world.poller) = (instance, pollers[0]);
        world.endpoint = store.instance(world.org, instance).await.unwrap().endpoint.unwrap();
        let ids: Vec<u128> = (0..4).map(|step| u128::from(number) * 100 + step).collect();
        let waiting = world.formed(&[(ids[0], "a")], 1).await;
        world.retry(&waiting, 3, 2).await;
        let last = world.formed(&[(ids[1], "b")], 2).await;
        world.record(&[(ids[2], "c")]).await;
        world.deliver_and_switch(&last, state, 3).await;
        let row = world.endpoint_row().await;
        assert_eq!((row.state, row.reason.as_str()), (state, "it said so"));
        assert_eq!(world.endpoints_waiting().await, 0);
        assert!(world.waiting_objects().await.is_empty());
        assert_eq!(world.take(10).await, []);
        assert_eq!(world.store.next_notification_due().await.unwrap(), None);
        assert_eq!(world.try_form(&[row.position + 1], row.position, 4).await, None);
        let mine = NotificationFilter { instance: Some(instance), ..any_notification() };
        assert_eq!(world.store.redeliver(world.org, &mine, at(20)).await.unwrap(), 1);
        assert_eq!(world.waiting_objects().await, ["c"], "nothing was lost");
        assert_eq!(world.endpoint_row().await.position, row.position);
        let again = world.take(20).await;
        assert_eq!(again[0].notification.id, waiting.notification.id);
        world.deliver(&again[0], 21).await;
        let rest = world.form(21).await;
        world.deliver(&rest, 21).await;
    }
}

pub async fn redelivering_starts_from_zero(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a"), (2, "a")], 1).await;
    let mut dead = world.result(&delivery, NotificationState::Dead, 2);
    dead.failures = 9;
    world.end(&delivery, dead, 2).await;
    let row = world.notification(&delivery).await;
    assert_eq!((row.failures, row.completed_at), (9, Some(at(2))));
    assert_eq!(world.store.redeliver(world.org, &any_notification(), at(50)).await.unwrap(), 1);
    let row = world.notification(&delivery).await;
    assert_eq!((row.state, row.failures, row.first_failed_at), (NotificationState::Retry, 0, None));
    assert_eq!((row.next_due, row.completed_at), (Some(at(50)), None));
    assert!(world.waiting_objects().await.is_empty(), "it is undelivered again");
    let again = world.take(50).await.remove(0);
    assert_eq!((again.notification.body.as_str(), again.notification.id), (row.body.as_str(), row.id));
    world.deliver(&again, 51).await;
    assert_eq!(world.store.attempts(world.org, row.id).await.unwrap().len(), 2);
    assert_eq!(world.waiting_objects().await, ["a"]);
}

pub async fn redelivering_wakes_endpoints(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    let mut dead = world.result(&delivery, NotificationState::Dead, 2);
    dead.endpoint = Some((EndpointState::Deactivated, "nothing was accepted".into()));
    world.end(&delivery, dead, 2).await;
    assert_eq!(world.endpoint_row().await.state, EndpointState::Deactivated);
    let none = NotificationFilter { state: Some(NotificationState::Queued), ..any_notification() };
    assert_eq!(world.store.redeliver(world.org, &none, at(3)).await.unwrap(), 0);
    assert_eq!(world.endpoint_row().await.state, EndpointState::Deactivated);
    assert_eq!(world.store.redeliver(world.org, &any_notification(), at(3)).await.unwrap(), 1);
    let row = world.endpoint_row().await;
    assert_eq!((row.state, row.reason.as_str()), (EndpointState::Active, ""));
}

pub async fn redelivering_counts_what_it_releases(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    let states = [
        NotificationState::Dead,
        NotificationState::Delivered,
        NotificationState::Queued,
        NotificationState::Retry,
        NotificationState::Dead,
    ];
    for (number, state) in (1..).zip(states) {
        let delivery = world.formed(&[(number, &number.to_string())], 1).await;
        let mut result = world.result(&delivery, state, 2);
        result.next_due = Some(at(900));
        world.end(&delivery, result, 2).await;
        ids.push(delivery.notification.id);
    }
    let in_hand = world.formed(&[(6, "6")], 3).await;
    let again =
        async |filter: NotificationFilter| world.store.redeliver(world.org, &filter, at(4)).await.unwrap();
    assert_eq!(again(NotificationFilter { limit: 0, ..any_notification() }).await, 0);
    assert_eq!(again(NotificationFilter { id: Some(ids[1]), ..any_notification() }).await, 0, "delivered");
    assert_eq!(
        again(NotificationFilter { id: Some(in_hand.notification.id), ..any_notification() }).await,
        0
    );
    assert_eq!(again(NotificationFilter { id: Some(ids[4]), ..any_notification() }).await, 1);
    let dead = NotificationFilter { state: Some(NotificationState::Dead), ..any_notification() };
    assert_eq!(again(NotificationFilter { after: ids[0].0, ..dead.clone() }).await, 0);
    assert_eq!(again(NotificationFilter { limit: 2, ..any_notification() }).await, 2);
    let due: Vec<_> = world.take(4).await.iter().map(|delivery| delivery.notification.id).collect();
    assert_eq!(due, [ids[0], ids[2], ids[4]], "the limit takes the smallest ids");
    assert_eq!(again(any_notification()).await, 1, "those claimed meanwhile are being tried already");
    assert_eq!(again(dead).await, 0);
}

pub async fn redelivering_needs_an_endpoint(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let dead = world.formed(&[(1, "a")], 1).await;
    world.fail(&dead, NotificationState::Dead, 2).await;
    world.store.delete_instance(world.org, world.instance, at(3)).await.unwrap();
    assert_eq!(world.store.redeliver(world.org, &any_notification(), at(4)).await.unwrap(), 0);
    assert_eq!(world.notification(&dead).await.state, NotificationState::Dead);
}

pub async fn deleting_cancels_what_is_open(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivered = world.formed(&[(1, "a")], 1).await;
    world.deliver(&delivered, 1).await;
    let waiting = world.formed(&[(2, "b")], 1).await;
    world.retry(&waiting, 2, 2).await;
    let in_hand = world.formed(&[(3, "c")], 2).await;
    world.store.delete_instance(world.org, world.instance, at(5)).await.unwrap();
    for (delivery, state, end) in [
        (&delivered, NotificationState::Delivered, 1),
        (&waiting, NotificationState::Cancelled, 5),
        (&in_hand, NotificationState::Cancelled, 5),
    ] {
        let row = world.notification(delivery).await;
        assert_eq!((row.state, row.completed_at, row.next_due), (state, Some(at(end)), None));
    }
    let late = world.store.finish_attempt(in_hand.lease, world.delivered(&in_hand, 6), at(6)).await.unwrap();
    assert_eq!(late, Committed::StaleLease);
    assert_eq!(world.take(99).await, []);
    assert_eq!(world.store.next_notification_due().await.unwrap(), None);
    assert_eq!(world.store.attempts(world.org, waiting.notification.id).await.unwrap().len(), 1);
    assert_eq!(world.store.endpoints(world.org).await.unwrap(), []);
    assert_eq!(world.objects().await, ["a", "b", "c"]);
}

pub async fn notifications_are_filtered(store: Arc<dyn Store>) {
    let mut world = World::new(store).await;
    let first = world.formed(&[(1, "a")], 1).await;
    world.deliver(&first, 2).await;
    let second = world.formed(&[(2, "b")], 1).await;
    let (mine, my_instance) = (world.endpoint, world.instance);
    let (instance, pollers) = world.add(2, &["contacts"]).await;
    world.endpoint = world.store.instance(world.org, instance).await.unwrap().endpoint.unwrap();
    (world.instance, world.poller) = (instance, pollers[0]);
    let third = world.formed(&[(3, "c")], 1).await;
    let ids = [&first, &second, &third].map(|delivery| delivery.notification.id);
    let check = async |filter: NotificationFilter, expected: &[usize]| {
        let rows = world.store.notifications(world.org, &filter).await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| row.id).collect();
        let expected: Vec<_> = expected.iter().map(|place| ids[*place]).collect();
        assert_eq!(found, expected, "{filter:?}");
    };
    check(any_notification(), &[0, 1, 2]).await;
    check(NotificationFilter { limit: 2, ..any_notification() }, &[0, 1]).await;
    check(NotificationFilter { limit: 0, ..any_notification() }, &[]).await;
    check(NotificationFilter { after: ids[0].0, ..any_notification() }, &[1, 2]).await;
    check(NotificationFilter { endpoint: Some(mine), ..any_notification() }, &[0, 1]).await;
    check(NotificationFilter { instance: Some(my_instance), ..any_notification() }, &[0, 1]).await;
    check(NotificationFilter { instance: Some(instance), ..any_notification() }, &[2]).await;
    check(NotificationFilter { state: Some(NotificationState::Created), ..any_notification() }, &[1, 2])
        .await;
    check(NotificationFilter { state: Some(NotificationState::Dead), ..any_notification() }, &[]).await;
    check(NotificationFilter { id: Some(ids[1]), ..any_notification() }, &[1]).await;
    check(NotificationFilter { id: Some(ids[1]), after: ids[1].0, ..any_notification() }, &[]).await;
    let newest = NotificationFilter { newest_first: true, ..any_notification() };
    check(newest.clone(), &[2, 1, 0]).await;
    check(NotificationFilter { before: Some(ids[2].0), limit: 1, ..newest.clone() }, &[1]).await;
    check(NotificationFilter { before: Some(ids[2].0), after: ids[0].0, ..any_notification() }, &[1]).await;
    check(NotificationFilter { instance: Some(my_instance), ..newest.clone() }, &[1, 0]).await;
    check(NotificationFilter { endpoint: Some(mine), limit: 1, ..newest.clone() }, &[1]).await;
    let since = |seconds| Some(at(seconds));
    check(NotificationFilter { since: since(1), ..newest.clone() }, &[2, 1, 0]).await;
    check(NotificationFilter { since: since(2), ..newest.clone() }, &[]).await;
    check(NotificationFilter { since: since(2), ..any_notification() }, &[]).await;
    for (number, place) in [(1_u128, 0), (2, 1), (3, 2)] {
        let event = Some(EventId(number.to_be_bytes()));
        check(NotificationFilter { event, ..any_notification() }, &[place]).await;
        check(NotificationFilter { event, before: Some(ids[place].0), ..newest.clone() }, &[]).await;
    }
    let event = Some(EventId(9_u128.to_be_bytes()));
    check(NotificationFilter { event, ..any_notification() }, &[]).await;
    let brief = NotificationFilter { brief: true, ..any_notification() };
    let rows = world.store.notifications(world.org, &brief).await.unwrap();
    let whole = world.store.notifications(world.org, &any_notification()).await.unwrap();
    assert!(whole.iter().all(|row| !row.body.is_empty()));
    let without = |row: NotificationRow| NotificationRow { body: String::new(), ..row };
    assert_eq!(rows, whole.into_iter().map(without).collect::<Vec<_>>(), "only the body is left out");
}

pub async fn what_waits_is_listed_by_its_state(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for (number, state) in
        [(1, NotificationState::Dead), (2, NotificationState::Queued), (3, NotificationState::Dead)]
    {
        let delivery = world.formed(&[(number, &number.to_string())], number as i64 * 10).await;
        let result = world.result(&delivery, state, number as i64 * 10);
        world.end(&delivery, result, number as i64 * 10).await;
        ids.push(delivery.notification.id);
    }
    let check = async |filter: NotificationFilter, expected: &[usize]| {
        let rows = world.store.notifications(world.org, &filter).await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| row.id).collect();
        let expected: Vec<_> = expected.iter().map(|place| ids[*place]).collect();
        assert_eq!(found, expected, "{filter:?}");
    };
    let dead = NotificationFilter { state: Some(NotificationState::Dead), ..any_notification() };
    check(dead.clone(), &[0, 2]).await;
    check(NotificationFilter { newest_first: true, ..dead.clone() }, &[2, 0]).await;
    check(NotificationFilter { newest_first: true, limit: 1, ..dead.clone() }, &[2]).await;
    check(NotificationFilter { since: Some(at(15)), ..dead.clone() }, &[2]).await;
    check(NotificationFilter { since: Some(at(15)), newest_first: true, ..any_notification() }, &[2, 1])
        .await;
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    assert_eq!(world.store.notifications(other, &dead).await.unwrap(), vec![]);
    // Only what was formed since then is sent again.
    let since = NotificationFilter { since: Some(at(15)), ..any_notification() };
    assert_eq!(world.store.redeliver(world.org, &since, at(40)).await.unwrap(), 2);
    check(dead.clone(), &[0]).await;
    let event = NotificationFilter { event: Some(EventId(1_u128.to_be_bytes())), ..any_notification() };
    assert_eq!(world.store.redeliver(world.org, &event, at(40)).await.unwrap(), 1);
    check(dead, &[]).await;
}

pub async fn attempts_come_oldest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut delivery = world.formed(&[(1, "a\0b")], 1).await;
    let mut written = Vec::new();
    for (seconds, status) in [(2, Some(503)), (10, None), (20, Some(65_535))] {
        let mut result = world.result(&delivery, NotificationState::Retry, seconds);
        result.next_due = Some(at(seconds + 1));
        result.attempt.status = status;
        result.attempt.error = status.is_none().then(|| "timed\0out".into());
        result.attempt.answer = "é\0".into();
        result.attempt.duration_ms = i64::MAX;
        written.push(result.attempt.clone());
        world.end(&delivery, result, seconds).await;
        delivery = world.take(seconds + 1).await.remove(0);
    }
    assert_eq!(world.store.attempts(world.org, delivery.notification.id).await.unwrap(), written);
    assert_eq!(world.notification(&delivery).await.failures, 3);
}

pub async fn next_notification_due_is_the_earliest_free_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.formed(&[(1, "a")], 1).await;
    let second = world.formed(&[(2, "b")], 1).await;
    assert_eq!(world.store.next_notification_due().await.unwrap(), None, "both are in hand");
    world.retry(&first, 30, 2).await;
    world.retry(&second, 20, 2).await;
    assert_eq!(world.store.next_notification_due().await.unwrap(), Some(at(20)));
    let taken = world.take(20).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(world.store.next_notification_due().await.unwrap(), Some(at(30)));
    assert_eq!(world.store.expire_leases(at(80)).await.unwrap(), 1);
    assert_eq!(world.store.next_notification_due().await.unwrap(), Some(at(20)));
}

pub async fn other_instances_are_not_sent(store: Arc<dyn Store>) {
    let mut world = World::new(store).await;
    let (instance, pollers) = world.add(2, &["contacts"]).await;
    world.record(&[(1, "a")]).await;
    let theirs = world.store.instance(world.org, instance).await.unwrap().endpoint.unwrap();
    let mine = std::mem::replace(&mut world.endpoint, theirs);
    assert!(world.waiting_objects().await.is_empty());
    assert_eq!(world.try_form(&[1], 0, 1).await, None);
    (world.instance, world.poller) = (instance, pollers[0]);
    world.record(&[(2, "a")]).await;
    assert_eq!(world.waiting(9).await, [(2, "a".into())]);
    world.form(1).await;
    world.endpoint = mine;
    assert_eq!(world.waiting(9).await, [(1, "a".into())], "the same id elsewhere is another record");
}
