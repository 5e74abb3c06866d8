//! What goes when its time is over, and what may not go.

use std::sync::Arc;

use super::world::{World, any_notification, at, decision, entry, everything_before, new_instance, version};
use crate::api::*;

const NOTHING: Kept = Kept { removed: 0, more: false };

pub async fn lapsed_claims_are_given_up(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    let lease = world.claim(1).await;
    assert_eq!(world.store.expire_leases(at(60)).await.unwrap(), 0);
    assert_eq!(world.store.next_due().await.unwrap(), None);
    assert_eq!(world.store.expire_leases(at(61)).await.unwrap(), 2);
    assert_eq!(world.store.expire_leases(at(61)).await.unwrap(), 0);
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(0)));
    assert_eq!(world.store.next_notification_due().await.unwrap(), Some(at(1)));
    assert_eq!(world.try_commit(lease, world.batch(&[(2, "b")]), 62).await, Committed::StaleLease);
    let late =
        world.store.finish_attempt(delivery.lease, world.delivered(&delivery, 62), at(62)).await.unwrap();
    assert_eq!(late, Committed::StaleLease);
    assert!(world.claim(62).await.epoch > lease.epoch);
    assert_eq!(world.take(62).await.len(), 1);
}

pub async fn standing_claims_are_left(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    world.store.renew(lease, at(50), super::world::LEASE).await.unwrap();
    assert_eq!(world.store.expire_leases(at(100)).await.unwrap(), 0);
    world.commit(lease, world.batch(&[(1, "a")]), 100).await;
}

pub async fn undelivered_events_stay(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a"), (2, "b")]).await;
    assert_eq!(world.store.prune(&everything_before(9_999)).await.unwrap(), NOTHING, "not passed yet");
    let delivery = world.form(2).await;
    assert_eq!(world.store.prune(&everything_before(9_999)).await.unwrap(), NOTHING, "on their way");
    world.fail(&delivery, NotificationState::Queued, 3).await;
    assert_eq!(world.store.prune(&everything_before(9_999)).await.unwrap().removed, 1, "only the attempt");
    assert_eq!(world.store.prune(&everything_before(9_999)).await.unwrap(), NOTHING, "queued");
    assert_eq!(world.objects().await, ["a", "b"]);
    assert_eq!(world.notification(&delivery).await.events.len(), 2);
}

pub async fn held_events_stay(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.formed(&[(1, "a")], 1).await;
    world.record(&[(2, "a"), (3, "b")]).await;
    let second = world.form(1).await;
    world.deliver(&second, 2).await;
    let kept = world.store.prune(&everything_before(9_999)).await.unwrap();
    assert_eq!(kept.removed, 3, "an attempt, its notification and event `b`");
    assert_eq!(world.objects().await, ["a", "a"]);
    world.deliver(&first, 3).await;
    world.store.prune(&everything_before(9_999)).await.unwrap();
    assert_eq!(world.objects().await, ["a"], "the held one is still to be sent");
    assert_eq!(world.waiting_objects().await, ["a"]);
}

pub async fn events_of_switched_off_endpoints_stay(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a")], 1).await;
    world.record(&[(2, "b")]).await;
    world.deliver_and_switch(&delivery, EndpointState::Disabled, 2).await;
    world.store.prune(&everything_before(9_999)).await.unwrap();
    assert_eq!(world.objects().await, ["b"]);
}

pub async fn delivered_events_go_with_their_notification(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let delivery = world.formed(&[(1, "a"), (2, "b")], 1).await;
    world.deliver(&delivery, 20).await;
    assert_eq!(world.store.prune(&everything_before(1)).await.unwrap(), NOTHING, "nothing is so old");
    assert_eq!(world.store.prune(&everything_before(20)).await.unwrap(), NOTHING, "the notification stays");
    let attempts_stay = Retention { attempts_before: at(20), ..everything_before(21) };
    assert_eq!(world.store.prune(&attempts_stay).await.unwrap(), NOTHING, "its attempt stays");
    assert_eq!(world.notification(&delivery).await.events.len(), 2);
    let kept = world.store.prune(&everything_before(21)).await.unwrap();
    assert_eq!(kept, Kept { removed: 4, more: false });
    assert!(world.objects().await.is_empty());
    assert_eq!(world.store.notifications(world.org, &any_notification()).await.unwrap(), []);
    assert!(world.store.attempts(world.org, delivery.notification.id).await.is_err());
    world.record(&[(3, "c")]).await;
    assert_eq!(world.waiting(9).await, [(3, "c".into())], "positions are never used twice");
}

pub async fn events_without_an_endpoint_go(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let without = NewInstance { endpoint: None, ..new_instance(world.org, 1, &["contacts"]) };
    world.store.update_instance(world.org, world.instance, without, at(0)).await.unwrap();
    world.record(&[(1, "a")]).await;
    let lease = world.claim(5).await;
    world.commit(lease, world.batch(&[(2, "b")]), 5).await;
    assert_eq!(world.store.prune(&everything_before(5)).await.unwrap().removed, 1);
    assert_eq!(world.objects().await, ["b"]);
}

pub async fn runs_go_with_their_decisions(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut runs = Vec::new();
    for seconds in [0, 400] {
        let lease = world.claim(seconds).await;
        let mut batch = world.batch(&[]);
        batch.decisions = vec![decision("x")];
        let finish = world.finish(batch, seconds);
        runs.push(finish.run.id);
        world.store.finish(lease, finish, at(seconds + 1)).await.unwrap();
    }
    assert_eq!(world.store.prune(&everything_before(401)).await.unwrap().removed, 1);
    assert!(matches!(world.store.run(world.org, runs[0]).await, Err(StoreError::NotFound("run"))));
    assert_eq!(world.store.run(world.org, runs[1]).await.unwrap().1, [decision("x")]);
    assert_eq!(world.store.runs(world.org, world.poller, 9).await.unwrap().len(), 1);
}

pub async fn deleted_entries_go_with_their_versions(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0), entry("b", 1, 0)];
    batch.entries[0].deleted_at = Some(at(5));
    batch.entries[1].deleted_at = Some(at(6));
    batch.versions = vec![version("a", 2), version("b", 2)];
    world.write(batch).await;
    assert_eq!(world.store.prune(&everything_before(6)).await.unwrap().removed, 1);
    assert_eq!(world.known(&[version("a", 1)]).await[0].entry, None);
    assert!(!world.knows("a", 2).await);
    assert!(world.knows("b", 1).await && world.knows("b", 2).await);
}

pub async fn living_entries_stay(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0)];
    batch.versions = vec![version("a", 0), version("lone", 1)];
    batch.checkpoint = Some("open".into());
    world.write(batch).await;
    assert_eq!(world.store.prune(&everything_before(999_999)).await.unwrap(), NOTHING);
    assert!(world.knows("a", 1).await && world.knows("a", 0).await && world.knows("lone", 1).await);
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!(row.checkpoint.as_deref(), Some("open"));
}

pub async fn upkeep_is_bounded(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = (0..7).map(|number| entry(&number.to_string(), 1, 0)).collect();
    batch.entries.iter_mut().for_each(|entry| entry.deleted_at = Some(at(1)));
    world.write(batch).await;
    let retention = Retention { rows_max: 3, ..everything_before(9) };
    assert_eq!(world.store.prune(&retention).await.unwrap(), Kept { removed: 3, more: true });
    assert_eq!(world.store.prune(&retention).await.unwrap(), Kept { removed: 3, more: true });
    assert_eq!(world.store.prune(&retention).await.unwrap(), Kept { removed: 1, more: false });
    assert_eq!(world.store.prune(&retention).await.unwrap(), NOTHING);
    let ids: Vec<_> = (0..7).map(|number| version(&number.to_string(), 1)).collect();
    assert!(world.known(&ids).await.iter().all(|answer| answer.entry.is_none()));
}
