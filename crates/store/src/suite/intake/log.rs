//! Events that requests brought, on their way out; and what goes in time.

use std::sync::Arc;

use turnstone_core::event::EventType;
use turnstone_core::id::InboundId;

use super::Both;
use super::world::{World, any_request, event, named, order, request};
use crate::api::*;
use crate::intake::*;
use crate::suite::world::{any_event, at, everything_before, new_instance};

fn note(number: u128, object_id: &str) -> turnstone_core::intake::Reported {
    event(number, "notes", object_id, EventType::Created)
}

/// Records of the events that wait.
async fn waiting(world: &World, polled: u32, received: u32) -> Vec<String> {
    let waiting = world.store.waiting(world.endpoint, EventsMax { polled, received }).await.unwrap();
    waiting.events.into_iter().map(|logged| logged.event.object_id).collect()
}

pub async fn one_request_is_one_notification(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = world.tell(1, vec![order(1, "a"), note(2, "b"), order(3, "c")], 1).await;
    let second = world.tell(2, vec![order(4, "d")], 2).await;
    let inbound = async || -> Vec<Option<InboundId>> {
        let waiting =
            world.store.waiting(world.endpoint, EventsMax { polled: 9, received: 9 }).await.unwrap();
        waiting.events.iter().map(|logged| logged.event.inbound).collect()
    };
    assert_eq!(inbound().await, [Some(first); 3]);
    let delivery = world.form(3).await;
    assert_eq!(delivery.notification.events.len(), 3);
    assert_eq!(inbound().await, [Some(second)]);
    world.form(4).await;
    assert_eq!(inbound().await, []);
}

pub async fn events_of_polls_and_requests_do_not_mix(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.record(&[(90, "p1")]).await;
    world.tell(1, vec![order(1, "r1")], 1).await;
    world.record(&[(91, "p2")]).await;
    world.tell(2, vec![order(2, "r2")], 2).await;
    assert_eq!(waiting(&world, 9, 9).await, ["p1", "p2"]);
    world.form(3).await;
    assert_eq!(waiting(&world, 9, 9).await, ["r1"], "passed over, and held");
    world.form(4).await;
    assert_eq!(waiting(&world, 9, 9).await, ["r2"]);
    assert_eq!(world.endpoints_waiting().await, 1);
    world.form(5).await;
    assert_eq!((waiting(&world, 9, 9).await, world.endpoints_waiting().await), (vec![], 0));
}

pub async fn limits_go_by_kind(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, (0..5).map(|number| order(number, &format!("r{number}"))).collect(), 1).await;
    world.record(&[(90, "p0"), (91, "p1"), (92, "p2")]).await;
    assert_eq!(waiting(&world, 1, 2).await, ["r0", "r1"]);
    assert_eq!(waiting(&world, 9, 0).await, Vec::<String>::new());
    assert_eq!(waiting(&world, 0, 9).await.len(), 5);
    world.form(2).await;
    assert_eq!(waiting(&world, 1, 9).await, ["p0"]);
    assert_eq!(waiting(&world, 2, 0).await, ["p0", "p1"]);
}

pub async fn a_record_waits_for_its_earlier_event(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![order(1, "a"), order(2, "a"), note(3, "a")], 1).await;
    world.tell(2, vec![order(4, "a"), order(5, "b")], 2).await;
    assert_eq!(waiting(&world, 9, 9).await, ["a", "a"], "an order and a note are two records");
    let first = world.form(3).await;
    assert_eq!(waiting(&world, 9, 9).await, ["b"], "the second request's first record is not free");
    let second = world.form(4).await;
    assert_eq!(waiting(&world, 9, 9).await, Vec::<String>::new());
    world.deliver(&second, 5).await;
    world.deliver(&first, 6).await;
    for (seconds, number) in [(7, 2u128), (8, 4)] {
        let delivery = world.form(seconds).await;
        assert_eq!(delivery.notification.events, [turnstone_core::id::EventId(number.to_be_bytes())]);
        world.deliver(&delivery, seconds).await;
    }
}

pub async fn forming_is_refused_for_two_requests(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.tell(1, vec![order(1, "a"), note(2, "b")], 1).await;
    world.tell(2, vec![order(3, "c")], 2).await;
    world.record(&[(90, "p")]).await;
    let positions: Vec<i64> = world
        .store
        .events(world.org, &any_event())
        .await
        .unwrap()
        .iter()
        .map(|logged| logged.position)
        .collect();
    let before = world.endpoint_row().await.position;
    for members in [vec![0, 2], vec![0, 1, 2], vec![2, 3], vec![0, 3], vec![]] {
        let members: Vec<i64> = members.into_iter().map(|at: usize| positions[at]).collect();
        assert_eq!(world.try_form(&members, before, 3).await, None, "{members:?}");
    }
    let both = [positions[0], positions[1]];
    assert!(world.try_form(&both, before, 3).await.is_some());
}

pub async fn requests_stay_as_long_as_their_events(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let told = world.tell(1, vec![order(1, "a"), order(2, "b")], 1).await;
    world.tell(2, vec![], 1).await;
    let requests_only = |seconds| Retention { requests_before: at(seconds), ..everything_before(-1_000) };
    assert_eq!(world.store.prune(&requests_only(1)).await.unwrap().removed, 0, "their time is not over");
    assert_eq!(world.store.prune(&requests_only(99)).await.unwrap().removed, 1);
    assert_eq!(world.ids(any_request()).await, [told]);
    // One of its two events is delivered and goes; the other one waits.
    let positions: Vec<i64> = world.waiting(9).await.into_iter().map(|(position, _)| position).collect();
    let position = world.endpoint_row().await.position;
    let delivery = world.try_form(&positions[..1], position, 2).await.unwrap();
    world.deliver(&delivery, 2).await;
    assert_eq!(
        world.store.prune(&everything_before(99)).await.unwrap().removed,
        3,
        "attempt, notification, event"
    );
    assert_eq!(world.ids(any_request()).await, [told]);
    assert_eq!(world.intake.request(world.org, told).await.unwrap(), request(1));
    let delivery = world.form(100).await;
    world.deliver(&delivery, 100).await;
    assert_eq!(world.store.prune(&everything_before(999)).await.unwrap().removed, 4, "and the request");
    assert_eq!(world.ids(any_request()).await, []);
}

pub async fn requests_that_wait_for_somebody_stay(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let aside = world.receive(1, 1).await;
    world.put_aside(aside, 1).await;
    let waiting = world.receive(2, 1).await;
    assert_eq!(world.store.prune(&everything_before(999)).await.unwrap().removed, 0);
    assert_eq!(world.ids(any_request()).await, [aside, waiting]);
    world.intake.discard(world.org, &any_request(), at(5)).await.unwrap();
    assert_eq!(world.store.prune(&everything_before(5)).await.unwrap().removed, 0);
    assert_eq!(world.store.prune(&everything_before(6)).await.unwrap().removed, 1);
    assert_eq!(world.ids(any_request()).await, [waiting]);
}

pub async fn old_requests_go_with_what_they_said(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = world.tell(1, vec![], 1).await;
    world.store.prune(&everything_before(2)).await.unwrap();
    let gone = world.intake.request(world.org, id).await;
    assert!(matches!(gone, Err(StoreError::NotFound("request"))), "{gone:?}");
    assert_eq!(world.intake.replay(world.org, &any_request(), at(3)).await.unwrap(), 0);
}

pub async fn upkeep_is_bounded(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    for number in 1..=5 {
        world.tell(number, vec![], 1).await;
    }
    let few = Retention { rows_max: 2, ..everything_before(9) };
    let removed = async || world.store.prune(&few).await.unwrap();
    assert_eq!(removed().await, Kept { removed: 2, more: true });
    assert_eq!(removed().await, Kept { removed: 2, more: true });
    assert_eq!(removed().await, Kept { removed: 1, more: false });
}

async fn counted(world: &World, from: i64, to: i64, seconds: i64) -> Vec<(u64, u64, u64, u64)> {
    let interval = Interval { step: seconds * 1_000_000 };
    let counts = world.intake.event_counts(world.org, at(from), at(to), interval).await.unwrap();
    counts.into_iter().map(|count| (count.step, count.count, count.success, count.failed)).collect()
}

pub async fn events_are_counted_by_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    assert_eq!(counted(&world, 0, 100, 10).await, []);
    let (other, _) = world.add(2, &[]).await;
    for (number, seconds) in [(1u8, 10i64), (2, 19), (3, 20), (4, 45)] {
        world.tell(number, vec![order(number.into(), "a")], seconds).await;
    }
    let Received::New(id) = world.take_in(other, named(9), 45).await else { panic!() };
    world.settle(id, vec![order(9, "a"), order(10, "b")], 45).await;
    assert_eq!(counted(&world, 10, 100, 10).await, [(0, 2, 0, 0), (1, 1, 0, 0), (3, 1, 0, 0), (3, 2, 0, 0)]);
    assert_eq!(counted(&world, 10, 45, 100).await, [(0, 3, 0, 0)], "the end is not part of it");
    assert_eq!(counted(&world, 11, 46, 10).await, [(0, 2, 0, 0), (3, 1, 0, 0), (3, 2, 0, 0)]);
    assert_eq!(counted(&world, 46, 100, 10).await, []);
    assert_eq!(counted(&world, 0, 10, 10).await, []);
    assert_eq!(counted(&world, 50, 10, 10).await, []);
    assert_eq!(counted(&world, 45, 46, 0).await.len(), 2, "a step of nothing is the smallest one");
    let interval = Interval { step: 100_000_000 };
    let counts = world.intake.event_counts(world.org, at(0), at(99), interval).await.unwrap();
    assert_eq!(counts.iter().map(|count| count.instance).collect::<Vec<_>>(), [world.instance, other]);
    let foreign = world.store.ensure_org("other", at(0)).await.unwrap();
    assert_eq!(world.intake.event_counts(foreign, at(0), at(99), interval).await.unwrap(), []);
}

pub async fn events_are_counted_by_what_became_of_them(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let whole = async || counted(&world, 0, 1_000, 1_000).await;
    world.tell(1, vec![order(1, "a"), order(2, "b")], 1).await;
    world.record(&[(90, "p")]).await;
    assert_eq!(whole().await, [(0, 3, 0, 0)]);
    let first = world.form(2).await;
    assert_eq!(whole().await, [(0, 3, 0, 0)], "nothing is decided");
    world.deliver(&first, 3).await;
    assert_eq!(whole().await, [(0, 3, 2, 0)]);
    let second = world.form(4).await;
    world.retry(&second, 5, 4).await;
    assert_eq!(whole().await, [(0, 3, 2, 0)]);
    let second = world.take(5).await.remove(0);
    world.fail(&second, NotificationState::Dead, 5).await;
    assert_eq!(whole().await, [(0, 3, 2, 1)]);
    world.store.redeliver(world.org, &crate::suite::world::any_notification(), at(6)).await.unwrap();
    let second = world.take(6).await.remove(0);
    world.deliver(&second, 6).await;
    assert_eq!(whole().await, [(0, 3, 3, 0)]);

    // Where events have nowhere to go, all is well; a new endpoint has accepted nothing yet.
    let without = NewInstance { endpoint: None, ..new_instance(world.org, 1, &["contacts"]) };
    world.tell(2, vec![order(3, "c")], 7).await;
    assert_eq!(whole().await, [(0, 4, 3, 0)]);
    world.store.update_instance(world.org, world.instance, without, at(8)).await.unwrap();
    assert_eq!(whole().await, [(0, 4, 4, 0)]);
    let with = new_instance(world.org, 1, &["contacts"]);
    world.store.update_instance(world.org, world.instance, with, at(9)).await.unwrap();
    assert_eq!(whole().await, [(0, 4, 0, 0)]);
    world.store.delete_instance(world.org, world.instance, at(10)).await.unwrap();
    assert_eq!(whole().await, [(0, 4, 4, 0)]);
}
