//! Subscriptions as pollers: made, changed, switched, removed.

use std::sync::Arc;
use std::time::Duration;

use turnstone_core::flow::records::RunMode;
use turnstone_core::id::{InstanceId, MonitorId, PollerId, SubscriptionId};

use super::Both;
use super::world::{World, callback, settings};
use crate::api::*;
use crate::monitors::*;
use crate::suite::world::{LEASE, any_event, at, new_instance};

pub async fn a_subscription_is_a_poller(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let cron = Some(("0 6 * * *".to_owned(), "Europe/Berlin".to_owned()));
    let wanted = SubscriptionSettings {
        mode: RunMode::EveryTime,
        timing: Timing { interval: Duration::from_secs(600), cron },
        endpoint: Some(callback("own")),
        ..settings("a")
    };
    let new =
        NewSubscription { state: "{\"cursor\":\"1\"}".into(), ..world.new_subscription(wanted.clone()) };
    let id = world.monitors.subscribe(new, at(2)).await.unwrap();
    let row = world.row(id).await;
    assert_eq!(
        (row.instance, row.monitor, row.version, row.active),
        (world.instance, world.monitor, 1, true)
    );
    assert_eq!(
        (&row.name, &row.options, row.mode, &row.timing),
        (&wanted.name, &wanted.options, wanted.mode, &wanted.timing)
    );
    assert_eq!(row.created_at, at(2));
    let poller = world.poller_row(row.poller).await;
    assert_eq!((poller.subscription, poller.resource.as_str(), poller.revision), (Some(id), "a", 1));
    assert_eq!(
        (poller.state.as_str(), poller.interval, poller.next_due),
        ("{\"cursor\":\"1\"}", wanted.timing.interval, at(0))
    );
    let endpoint = world
        .store
        .endpoints(world.org)
        .await
        .unwrap()
        .into_iter()
        .find(|known| Some(known.id) == row.endpoint)
        .unwrap();
    assert_eq!(
        (endpoint.subscription, endpoint.instance, endpoint.config),
        (Some(id), world.instance, callback("own").config)
    );
    assert_eq!(world.store.instance(world.org, world.instance).await.unwrap().endpoint, Some(world.endpoint));
    let (running, document) = world.monitors.running(row.poller).await.unwrap().unwrap();
    assert_eq!((running, document.as_str()), (row.clone(), r#"{"n":1}"#));
    assert_eq!(world.monitors.running(world.poller).await.unwrap(), None);
    assert_eq!(world.monitors.running(PollerId(999)).await.unwrap(), None);
    let claim = world.store.claim(row.poller, at(2), LEASE).await.unwrap().unwrap();
    assert_eq!((claim.poller.subscription, claim.instance.id), (Some(id), world.instance));
    let listed = world.store.pollers(world.org, Some(world.instance)).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), [world.poller, row.poller]);
}

pub async fn a_subscription_needs_its_parts(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (_, foreign) = world.others().await;
    let new = || world.new_subscription(settings("a"));
    let no_version =
        NewSubscription { settings: SubscriptionSettings { version: 2, ..settings("a") }, ..new() };
    for (wrong, word) in [
        (NewSubscription { instance: InstanceId(999), ..new() }, "instance"),
        (NewSubscription { instance: foreign, ..new() }, "instance"),
        (NewSubscription { monitor: MonitorId(999), ..new() }, "monitor"),
        (no_version, "version"),
    ] {
        let answer = world.monitors.subscribe(wrong, at(2)).await;
        assert!(matches!(answer, Err(StoreError::NotFound(what)) if what == word), "{word}: {answer:?}");
    }
    assert!(world.monitors.subscriptions(world.org, SubscriptionFilter::default()).await.unwrap().is_empty());
    assert_eq!(world.store.pollers(world.org, None).await.unwrap().len(), 1);
}

pub async fn names_are_taken_once_per_instance(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    world.subscribe(settings("a")).await;
    // A resource of the same name is something else.
    world.subscribe(settings("contacts")).await;
    let other = world.subscribe(settings("b")).await;
    let taken = world.monitors.subscribe(world.new_subscription(settings("a")), at(2)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert!(matches!(world.change(other.id, settings("a"), None).await, Err(StoreError::Conflict(_))));
    world.change(other.id, settings("b"), None).await.unwrap();
    let (instance, _) = world.add(7, &[]).await;
    let elsewhere = NewSubscription { instance, ..world.new_subscription(settings("a")) };
    world.monitors.subscribe(elsewhere, at(2)).await.unwrap();
}

pub async fn a_change_keeps_what_it_does_not_name(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    world.run_of(&row, &[(1, "x")], 10).await;
    world.monitors.save_draft(world.org, world.monitor, 1, "users", "two", at(5)).await.unwrap();
    world.monitors.deploy(world.org, world.monitor, 2, at(5)).await.unwrap();
    let before = world.poller_row(row.poller).await;
    let wanted = SubscriptionSettings {
        version: 2,
        options: "{}".into(),
        mode: RunMode::NoNewData,
        timing: Timing { interval: Duration::from_secs(900), cron: None },
        next_due: Some(at(77)),
        ..settings("renamed")
    };
    world.change(row.id, wanted, None).await.unwrap();
    let (changed, document) = world.monitors.running(row.poller).await.unwrap().unwrap();
    assert_eq!(
        (changed.version, changed.name.as_str(), changed.mode, document.as_str()),
        (2, "renamed", RunMode::NoNewData, "two")
    );
    assert_eq!(
        (changed.id, changed.poller, changed.created_at, changed.active),
        (row.id, row.poller, row.created_at, true)
    );
    let after = world.poller_row(row.poller).await;
    assert_eq!((after.revision, after.next_due, after.interval), (2, at(77), Duration::from_secs(900)));
    assert_eq!((after.state, after.status), (before.state, before.status));
    let gone = world.change(row.id, SubscriptionSettings { version: 9, ..settings("a") }, None).await;
    assert!(matches!(gone, Err(StoreError::NotFound("version"))), "{gone:?}");
}

pub async fn a_changed_state_waits_for_the_run(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let lease = world.claim_of(row.poller, 10).await;
    let change = world.change_to(row.id, settings("b"), Some("new")).await;
    let busy = world.monitors.change_subscription(world.org, row.id, change, at(11)).await;
    assert!(matches!(busy, Err(StoreError::Conflict(_))), "{busy:?}");
    assert_eq!(world.row(row.id).await, row, "nothing was written");
    world.store.release(lease, at(0)).await.unwrap();
    world.change(row.id, settings("b"), Some("new")).await.unwrap();
    assert_eq!(
        (world.row(row.id).await.name, world.poller_row(row.poller).await.state),
        ("b".into(), "new".into())
    );
    let cursors = world.monitors.cursors(world.org, row.poller, 9).await.unwrap();
    assert_eq!(
        cursors.iter().map(|row| (row.state.as_str(), row.replaced_at)).collect::<Vec<_>>(),
        [("", at(3))]
    );
}

pub async fn a_change_is_made_from_what_is_there(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let late = world.change_to(row.id, settings("late"), None).await;
    world.change(row.id, settings("first"), None).await.unwrap();
    let stale = world.monitors.change_subscription(world.org, row.id, late, at(4)).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    assert_eq!((world.row(row.id).await.name, world.row(row.id).await.revision), ("first".into(), 2));
}

pub async fn a_move_is_not_crossed_by_a_run(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    world.monitors.deploy(world.org, world.monitor, 1, at(5)).await.unwrap();
    let moved = || SubscriptionSettings { version: 2, ..settings("a") };
    let change = world.change_to(row.id, moved(), None).await;
    let lease = world.claim_of(row.poller, 10).await;
    let busy = world.monitors.change_subscription(world.org, row.id, change.clone(), at(11)).await;
    assert!(matches!(busy, Err(StoreError::Conflict(_))), "a run is under way: {busy:?}");
    let finish = world.flow_finish(&row, turnstone_core::poll::Batch::default(), 10, true);
    world.store.finish(lease, finish, at(12)).await.unwrap();
    let judged_before = world.monitors.change_subscription(world.org, row.id, change, at(13)).await;
    assert!(
        matches!(judged_before, Err(StoreError::Conflict(_))),
        "the run moved the cursor: {judged_before:?}"
    );
    let unjudged = SubscriptionChange { judged_by: None, ..world.change_to(row.id, moved(), None).await };
    let unjudged = world.monitors.change_subscription(world.org, row.id, unjudged, at(13)).await;
    assert!(matches!(unjudged, Err(StoreError::Conflict(_))), "{unjudged:?}");
    assert_eq!(world.row(row.id).await.version, 1);
    world.change(row.id, moved(), None).await.unwrap();
    assert_eq!(world.row(row.id).await.version, 2);
}

pub async fn a_run_that_was_overtaken_leaves_the_due_time(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let lease = world.claim_of(row.poller, 10).await;
    world
        .change(row.id, SubscriptionSettings { next_due: Some(at(70)), ..settings("a") }, None)
        .await
        .unwrap();
    let finish = world.flow_finish(&row, turnstone_core::poll::Batch::default(), 10, false);
    assert_eq!(world.store.finish(lease, finish, at(12)).await.unwrap(), Committed::Yes);
    assert_eq!(world.poller_row(row.poller).await.next_due, at(70));
    world.change(row.id, SubscriptionSettings { next_due: None, ..settings("b") }, None).await.unwrap();
    assert_eq!(world.poller_row(row.poller).await.next_due, at(70), "a change of something else");
}

pub async fn only_active_ones_are_due(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let new = NewSubscription { active: false, ..world.new_subscription(settings("a")) };
    let id = world.monitors.subscribe(new, at(2)).await.unwrap();
    let row = world.row(id).await;
    assert!(!row.active && !world.is_due(row.poller, 10).await);
    world.monitors.set_active(world.org, id, true, at(20)).await.unwrap();
    assert!(world.row(id).await.active);
    assert_eq!((world.is_due(row.poller, 19).await, world.is_due(row.poller, 20).await), (false, true));
    let lease = world.claim_of(row.poller, 20).await;
    world.monitors.set_active(world.org, id, false, at(0)).await.unwrap();
    let finish = world.flow_finish(&row, turnstone_core::poll::Batch::default(), 21, false);
    assert_eq!(
        world.store.finish(lease, finish, at(22)).await.unwrap(),
        Committed::Yes,
        "a run in flight may finish"
    );
    assert_eq!(world.poller_row(row.poller).await.next_due, at(321));
    assert!(!world.is_due(row.poller, 1_000).await);
}

pub async fn pausing_and_switching_do_not_activate(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    for active in [true, false] {
        for enabled in [true, false] {
            for paused in [true, false] {
                // Each order of the three leads to the same.
                for order in 0..3 {
                    for step in 0..3 {
                        match (order + step) % 3 {
                            0 => world.monitors.set_active(world.org, row.id, active, at(0)).await.unwrap(),
                            1 => world.store.set_enabled(world.org, world.instance, enabled).await.unwrap(),
                            _ if paused => world.store.pause(world.org, row.poller, "why").await.unwrap(),
                            _ => world.store.set_due(world.org, row.poller, at(0), true).await.unwrap(),
                        }
                    }
                    let due = world.is_due(row.poller, 5).await;
                    assert_eq!(due, active && enabled && !paused, "{active} {enabled} {paused} {order}");
                    let next = world.store.next_due().await.unwrap();
                    assert_eq!(next.is_some(), due || enabled, "the resource's own poller counts");
                }
            }
        }
    }
}

pub async fn updates_of_the_instance_leave_them_alone(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world
        .subscribe(SubscriptionSettings { endpoint: Some(callback("own")), ..settings("contacts") })
        .await;
    world.run_of(&row, &[(1, "x")], 10).await;
    let before = world.poller_row(row.poller).await;
    let new = NewInstance { endpoint: None, ..new_instance(world.org, 1, &["deals"]) };
    world.store.update_instance(world.org, world.instance, new, at(20)).await.unwrap();
    assert_eq!(world.poller_row(row.poller).await, before);
    assert_eq!(world.row(row.id).await, row);
    assert_eq!(world.waiting_at(row.endpoint.unwrap()).await, ["x"]);
    assert_eq!(world.store.instance(world.org, world.instance).await.unwrap().endpoint, None);
    let names: Vec<String> = world
        .store
        .pollers(world.org, Some(world.instance))
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.resource)
        .collect();
    assert_eq!(names, ["contacts", "deals"]);
}

pub async fn unsubscribing_leaves_events_and_runs(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let run = world.run_of(&row, &[(1, "x")], 10).await;
    let lease = world.claim_of(row.poller, 400).await;
    world.monitors.unsubscribe(world.org, row.id, at(401)).await.unwrap();
    let late = world.flow_finish(&row, turnstone_core::poll::Batch::default(), 402, true);
    assert_eq!(world.store.finish(lease, late, at(403)).await.unwrap(), Committed::StaleLease);
    assert_eq!(world.store.events(world.org, &any_event()).await.unwrap().len(), 1);
    assert_eq!(world.store.run(world.org, run).await.unwrap().0.poller, row.poller);
    assert!(matches!(world.store.poller(world.org, row.poller).await, Err(StoreError::NotFound("poller"))));
    assert!(matches!(
        world.monitors.subscription(world.org, row.id).await,
        Err(StoreError::NotFound("subscription"))
    ));
    let again = world.subscribe(settings("a")).await;
    assert!(again.id > row.id && again.poller > row.poller);
    assert_eq!(world.poller_row(again.poller).await.state, "");
    assert_eq!(world.waiting_at(world.endpoint).await, ["x"], "what was told is delivered");
}

pub async fn they_go_with_their_instance(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row =
        world.subscribe(SubscriptionSettings { endpoint: Some(callback("own")), ..settings("a") }).await;
    world.run_of(&row, &[(1, "x")], 10).await;
    let delivery = world.form(row.endpoint.unwrap(), vec![1]).await.unwrap();
    world.store.delete_instance(world.org, world.instance, at(60)).await.unwrap();
    assert!(matches!(
        world.monitors.subscription(world.org, row.id).await,
        Err(StoreError::NotFound("subscription"))
    ));
    assert!(world.store.endpoints(world.org).await.unwrap().is_empty());
    let filter =
        NotificationFilter { id: Some(delivery.notification.id), limit: 1, ..NotificationFilter::default() };
    let state = world.store.notifications(world.org, &filter).await.unwrap()[0].state;
    assert_eq!(state, NotificationState::Cancelled);
    world.monitors.delete_monitor(world.org, world.monitor).await.unwrap();
}

pub async fn subscriptions_are_filtered(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let a = world.subscribe(settings("a")).await;
    let (instance, _) = world.add(7, &[]).await;
    let elsewhere = NewSubscription { instance, ..world.new_subscription(settings("b")) };
    let b = world.monitors.subscribe(elsewhere, at(2)).await.unwrap();
    let monitor = world.monitors.create_monitor(world.org, "other", "1", at(2)).await.unwrap();
    world.monitors.deploy(world.org, monitor, 1, at(2)).await.unwrap();
    let third = NewSubscription { monitor, ..world.new_subscription(settings("c")) };
    let c = world.monitors.subscribe(third, at(2)).await.unwrap();
    for (filter, expect) in [
        (SubscriptionFilter::default(), vec![a.id, b, c]),
        (SubscriptionFilter { instance: Some(world.instance), monitor: None }, vec![a.id, c]),
        (SubscriptionFilter { instance: None, monitor: Some(world.monitor) }, vec![a.id, b]),
        (SubscriptionFilter { instance: Some(instance), monitor: Some(monitor) }, vec![]),
    ] {
        let rows = world.monitors.subscriptions(world.org, filter).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), expect, "{filter:?}");
    }
}

pub async fn subscriptions_belong_to_their_organisation(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let (other, _) = world.others().await;
    let gone = |answer: Result<()>| {
        assert!(matches!(answer, Err(StoreError::NotFound("subscription"))), "{answer:?}")
    };
    for (org, id) in [(other, row.id), (world.org, SubscriptionId(999))] {
        gone(world.monitors.subscription(org, id).await.map(drop));
        let change = world.change_to(row.id, settings("x"), None).await;
        gone(world.monitors.change_subscription(org, id, change, at(1)).await);
        gone(world.monitors.set_active(org, id, false, at(1)).await);
        gone(world.monitors.unsubscribe(org, id, at(1)).await);
    }
    assert!(world.monitors.subscriptions(other, SubscriptionFilter::default()).await.unwrap().is_empty());
    assert_eq!(world.row(row.id).await, row);
}
