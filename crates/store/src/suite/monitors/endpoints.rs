//! Endpoints of subscriptions: whose events they take, and what becomes of them.

use std::sync::Arc;

use jiff::Timestamp;
use turnstone_core::id::AttemptId;

use super::Both;
use super::world::{World, callback, settings};
use crate::api::*;
use crate::monitors::*;
use crate::suite::world::{any_event, at, everything_before};

async fn own(world: &World, name: &str) -> SubscriptionRow {
    world.subscribe(SubscriptionSettings { endpoint: Some(callback(name)), ..settings(name) }).await
}

async fn deliver(world: &World, delivery: Delivery) {
    let attempt = AttemptRow {
        id: AttemptId::new(at(50), u64::try_from(delivery.notification.id.0).unwrap()),
        notification: delivery.notification.id,
        started_at: at(50),
        duration_ms: 1,
        status: Some(200),
        error: None,
        answer: String::new(),
        request: String::new(),
    };
    let result = AttemptResult {
        attempt,
        state: NotificationState::Delivered,
        next_due: None,
        failures: 0,
        singles: Vec::new(),
        endpoint: None,
    };
    assert_eq!(world.store.finish_attempt(delivery.lease, result, at(51)).await.unwrap(), Committed::Yes);
}

pub async fn an_own_endpoint_takes_what_its_subscription_tells(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (a, b, plain) =
        (own(&world, "a").await, own(&world, "b").await, world.subscribe(settings("plain")).await);
    world.record(&[(1, "polled")]).await;
    world.run_of(&a, &[(2, "of a"), (3, "of a too")], 10).await;
    world.run_of(&b, &[(4, "of b")], 11).await;
    world.run_of(&plain, &[(5, "plain")], 12).await;
    let (at_a, at_b) = (a.endpoint.unwrap(), b.endpoint.unwrap());
    assert_eq!(world.waiting_at(at_a).await, ["of a", "of a too"]);
    assert_eq!(world.waiting_at(at_b).await, ["of b"]);
    // One notification carries one resource: first the polled one.
    assert_eq!(world.waiting_at(world.endpoint).await, ["polled"]);
    let waiting = world.store.endpoints_waiting(10).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.id).collect::<Vec<_>>(), [world.endpoint, at_a, at_b]);
    let delivery = world.form(world.endpoint, vec![1]).await.unwrap();
    assert_eq!(world.waiting_at(world.endpoint).await, ["plain"]);
    deliver(&world, delivery).await;
    let delivery = world.form(at_a, vec![2, 3]).await.unwrap();
    assert_eq!((delivery.endpoint.id, delivery.endpoint.subscription), (at_a, Some(a.id)));
    deliver(&world, delivery).await;
    let waiting = world.store.endpoints_waiting(10).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.id).collect::<Vec<_>>(), [at_b, world.endpoint]);
}

pub async fn events_stay_where_they_were_recorded(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    world.run_of(&row, &[(1, "before")], 10).await;
    world
        .change(row.id, SubscriptionSettings { endpoint: Some(callback("own")), ..settings("a") }, None)
        .await
        .unwrap();
    let endpoint = world.row(row.id).await.endpoint.unwrap();
    assert!(world.waiting_at(endpoint).await.is_empty(), "it starts at the end of the log");
    world.run_of(&row, &[(2, "after")], 400).await;
    assert_eq!(world.waiting_at(world.endpoint).await, ["before"]);
    assert_eq!(world.waiting_at(endpoint).await, ["after"]);
    let settings = SubscriptionSettings { endpoint: Some(callback("moved")), ..settings("a") };
    world.change(row.id, settings, None).await.unwrap();
    assert_eq!(world.row(row.id).await.endpoint, Some(endpoint), "a changed endpoint keeps its place");
    assert_eq!(world.waiting_at(endpoint).await, ["after"]);
}

pub async fn a_record_waits_at_an_own_endpoint(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = own(&world, "a").await;
    let endpoint = row.endpoint.unwrap();
    world.run_of(&row, &[(1, "x"), (2, "x"), (3, "y")], 10).await;
    assert_eq!(world.waiting_at(endpoint).await, ["x", "y"]);
    assert!(world.form(endpoint, vec![2]).await.is_none(), "not the first of its record");
    let first = world.form(endpoint, vec![1]).await.unwrap();
    assert_eq!(world.waiting_at(endpoint).await, ["y"]);
    let third = world.form(endpoint, vec![3]).await.unwrap();
    assert!(world.waiting_at(endpoint).await.is_empty());
    deliver(&world, third).await;
    deliver(&world, first).await;
    assert_eq!(world.waiting_at(endpoint).await, ["x"], "it was held meanwhile");
    assert!(world.form(endpoint, vec![2]).await.is_some());
}

pub async fn forming_is_refused_across_channels(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (a, b) = (own(&world, "a").await, own(&world, "b").await);
    world.run_of(&a, &[(1, "x")], 10).await;
    world.run_of(&b, &[(2, "x")], 10).await;
    world.record(&[(3, "x")]).await;
    for (endpoint, own) in [(a.endpoint.unwrap(), 1), (b.endpoint.unwrap(), 2), (world.endpoint, 3)] {
        for foreign in (1..=3).filter(|position| *position != own) {
            assert!(world.form(endpoint, vec![foreign]).await.is_none(), "{foreign}");
        }
        assert!(world.form(endpoint, vec![own]).await.is_some());
    }
}

pub async fn an_endpoint_that_is_left_out_is_removed(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = own(&world, "a").await;
    world.run_of(&row, &[(1, "x"), (2, "y")], 10).await;
    let delivery = world.form(row.endpoint.unwrap(), vec![1]).await.unwrap();
    world.change(row.id, settings("a"), None).await.unwrap();
    assert_eq!(world.row(row.id).await.endpoint, None);
    let filter =
        NotificationFilter { id: Some(delivery.notification.id), limit: 1, ..NotificationFilter::default() };
    let state = world.store.notifications(world.org, &filter).await.unwrap()[0].state;
    assert_eq!(state, NotificationState::Cancelled);
    world.run_of(&row, &[(3, "z")], 400).await;
    assert_eq!(world.waiting_at(world.endpoint).await, ["z"], "later events go where the instance's go");
}

pub async fn what_is_undelivered_stays(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = own(&world, "a").await;
    world.record(&[(1, "polled")]).await;
    world.run_of(&row, &[(2, "x")], 10).await;
    let logged = async || {
        let events = world.store.events(world.org, &any_event()).await.unwrap();
        events.into_iter().map(|logged| logged.position).collect::<Vec<i64>>()
    };
    let old = Retention { runs_before: Timestamp::MIN, ..everything_before(5_000) };
    world.store.prune(&old).await.unwrap();
    assert_eq!(logged().await, [1, 2]);
    let delivery = world.form(world.endpoint, vec![1]).await.unwrap();
    deliver(&world, delivery).await;
    world.store.prune(&old).await.unwrap();
    world.store.prune(&old).await.unwrap();
    assert_eq!(logged().await, [2], "it waits at an endpoint that is not the instance's");
    world.monitors.unsubscribe(world.org, row.id, at(90)).await.unwrap();
    world.store.prune(&old).await.unwrap();
    assert!(logged().await.is_empty(), "nobody waits for it any more");
}
