//! Turns, claims and what runs write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use turnstone_core::poll::{RunFault, RunOutcome, Status};

use super::world::{LEASE, World, at, decision, entry, new_instance, version};
use crate::api::*;

pub async fn the_earliest_are_due_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (instance, others) = world.add(2, &["a", "b", "c"]).await;
    world.store.set_due(world.org, others[1], at(-5), false).await.unwrap();
    world.store.set_due(world.org, others[0], at(5), false).await.unwrap();
    let due = world.store.due(at(5), 9, 9).await.unwrap();
    let order: Vec<_> = due.iter().map(|turn| (turn.poller, turn.due)).collect();
    let expected = [(others[1], at(-5)), (world.poller, at(0)), (others[2], at(0)), (others[0], at(5))];
    assert_eq!(order, expected, "by time, then by id");
    assert_eq!((due[0].org, due[0].instance, due[1].instance), (world.org, instance, world.instance));
    assert_eq!(world.store.due(at(5), 2, 9).await.unwrap(), due[..2]);
    assert_eq!(world.store.due(at(5), 0, 9).await.unwrap(), []);
}

pub async fn no_organisation_hides_the_others(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.add(2, &["a", "b", "c", "d", "e"]).await;
    let small = world.store.ensure_org("small", at(0)).await.unwrap();
    let id = world.store.create_instance(new_instance(small, 3, &["x"]), at(0)).await.unwrap();
    let poller = world.store.pollers(small, Some(id)).await.unwrap()[0].id;
    world.store.set_due(small, poller, at(1), false).await.unwrap();
    let due = world.store.due(at(9), 3, 2).await.unwrap();
    let orgs: Vec<_> = due.iter().map(|turn| turn.org).collect();
    assert_eq!(orgs, [world.org, world.org, small]);
    assert_eq!(world.store.due(at(9), 99, 1).await.unwrap().len(), 2);
    assert_eq!(world.store.due(at(9), 99, 0).await.unwrap(), []);
}

pub async fn due_needs_its_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.store.due(at(-1), 9, 9).await.unwrap(), []);
    assert_eq!(world.store.claim(world.poller, at(-1), LEASE).await.unwrap(), None);
    assert_eq!(world.store.due(at(0), 9, 9).await.unwrap().len(), 1);
    assert!(world.store.claim(world.poller, at(0), LEASE).await.unwrap().is_some());
    assert_eq!(world.store.due(at(0), 9, 9).await.unwrap(), []);
}

pub async fn next_due_is_the_earliest_free_one(store: Arc<dyn Store>) {
    assert_eq!(store.next_due().await.unwrap(), None);
    let world = World::new(store).await;
    let (_, others) = world.add(2, &["a"]).await;
    world.store.set_due(world.org, others[0], at(7), false).await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(0)));
    let lease = world.claim(1).await;
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(7)));
    world.store.release(lease, at(3)).await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(3)));
}

pub async fn a_claim_is_exclusive(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    assert_eq!(lease.id, world.poller);
    assert_eq!(world.store.claim(world.poller, at(2), LEASE).await.unwrap(), None);
    assert_eq!(world.store.claim(world.poller, at(60), LEASE).await.unwrap(), None);
    world.store.release(lease, at(2)).await.unwrap();
    assert!(world.claim(2).await.epoch > lease.epoch);
}

pub async fn a_claim_carries_everything(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.store.set_state(world.org, world.poller, "state", Some(3), at(0)).await.unwrap();
    let mut batch = world.batch(&[]);
    batch.checkpoint = Some("open".into());
    world.write(batch).await;
    let claim = world.store.claim(world.poller, at(1), LEASE).await.unwrap().unwrap();
    assert_eq!(claim.poller, world.store.poller(world.org, world.poller).await.unwrap());
    assert_eq!(claim.instance, world.store.instance(world.org, world.instance).await.unwrap());
    assert_eq!((claim.poller.state.as_str(), claim.poller.watermark), ("state", Some(3)));
    assert_eq!(claim.poller.checkpoint.as_deref(), Some("open"));
}

pub async fn a_lapsed_claim_can_be_taken(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.claim(1).await;
    assert_eq!(world.store.due(at(60), 9, 9).await.unwrap(), []);
    assert_eq!(world.store.due(at(61), 9, 9).await.unwrap().len(), 1);
    let second = world.claim(61).await;
    assert!(second.epoch > first.epoch);
    assert_eq!(world.try_commit(first, world.batch(&[(1, "a")]), 62).await, Committed::StaleLease);
    world.store.release(first, at(99)).await.unwrap();
    world.commit(second, world.batch(&[(2, "b")]), 62).await;
    assert_eq!(world.objects().await, ["b"]);
}

pub async fn a_late_holder_may_write_until_replaced(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    world.commit(lease, world.batch(&[(1, "a")]), 1_000).await;
    let finish = world.finish(world.batch(&[(2, "b")]), 1_000);
    assert_eq!(world.store.finish(lease, finish, at(1_001)).await.unwrap(), Committed::Yes);
    assert_eq!(world.objects().await, ["a", "b"]);
}

pub async fn renewing_keeps_the_claim(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    assert_eq!(world.store.renew(lease, at(50), LEASE).await.unwrap(), Committed::Yes);
    assert_eq!(world.store.claim(world.poller, at(109), LEASE).await.unwrap(), None);
    assert_eq!(world.store.renew(lease, at(200), LEASE).await.unwrap(), Committed::Yes, "nobody took it");
    assert_eq!(world.store.claim(world.poller, at(259), LEASE).await.unwrap(), None);
    world.claim(260).await;
    assert_eq!(world.store.renew(lease, at(260), LEASE).await.unwrap(), Committed::StaleLease);
}

pub async fn stale_leases_write_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let stale = world.claim(1).await;
    world.store.release(stale, at(0)).await.unwrap();
    let before = world.store.poller(world.org, world.poller).await.unwrap();
    let mut batch = world.batch(&[(1, "a")]);
    batch.entries = vec![entry("a", 1, 0)];
    batch.versions = vec![version("a", 2)];
    batch.checkpoint = Some("open".into());
    batch.decisions = vec![decision("a")];
    for claimed in [false, true] {
        if claimed {
            world.claim(1).await;
        }
        assert_eq!(world.try_commit(stale, batch.clone(), 2).await, Committed::StaleLease);
        let finish = world.finish(batch.clone(), 2);
        let run = finish.run.id;
        assert_eq!(world.store.finish(stale, finish, at(2)).await.unwrap(), Committed::StaleLease);
        assert_eq!(world.store.renew(stale, at(2), LEASE).await.unwrap(), Committed::StaleLease);
        world.store.release(stale, at(77)).await.unwrap();
        assert_eq!(world.store.poller(world.org, world.poller).await.unwrap(), before);
        assert!(world.objects().await.is_empty());
        assert!(!world.knows("a", 1).await && !world.knows("a", 2).await);
        assert!(world.store.run(world.org, run).await.is_err());
    }
}

pub async fn a_foreign_epoch_is_stale(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (_, others) = world.add(2, &["a"]).await;
    let lease = world.claim(1).await;
    for epoch in [0, lease.epoch - 1, lease.epoch + 1, u64::MAX] {
        let wrong = Lease { id: world.poller, epoch };
        assert_eq!(world.try_commit(wrong, world.batch(&[(1, "a")]), 2).await, Committed::StaleLease);
    }
    let unclaimed = Lease { id: others[0], epoch: lease.epoch };
    assert_eq!(world.try_commit(unclaimed, world.batch(&[(1, "a")]), 2).await, Committed::StaleLease);
    assert!(world.objects().await.is_empty());
}

pub async fn finishing_writes_everything(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    let mut batch = world.batch(&[(1, "a")]);
    batch.entries = vec![entry("a", 5, 1)];
    batch.versions = vec![version("a", 4)];
    batch.decisions = vec![decision("x"), decision("y")];
    batch.checkpoint = Some("open".into());
    let mut finish = world.finish(batch, 1);
    finish.status = Status { code: "slow".into(), sentence: "it is slow".into(), needs_attention: true };
    finish.run.outcome = RunOutcome::Failed;
    finish.run.error = Some(RunFault { code: "unreachable".into(), message: "no".into(), transient: true });
    assert_eq!(world.store.finish(lease, finish.clone(), at(2)).await.unwrap(), Committed::Yes);
    let row = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!((row.state, row.watermark), (finish.state, Some(1)));
    assert_eq!((row.status, row.next_due), (finish.status, at(301)));
    assert_eq!(row.checkpoint, None, "the pass is closed");
    assert!(world.knows("a", 5).await && world.knows("a", 4).await);
    assert_eq!(world.objects().await, ["a"]);
    let (run, decisions) = world.store.run(world.org, finish.run.id).await.unwrap();
    assert_eq!(run, finish.run);
    assert_eq!(decisions, [decision("x"), decision("y")]);
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(301)), "the claim is released");
    assert_eq!(world.try_commit(lease, world.batch(&[(2, "b")]), 3).await, Committed::StaleLease);
}

pub async fn an_open_pass_outlives_its_run(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let checkpoint = async || world.store.poller(world.org, world.poller).await.unwrap().checkpoint;
    let lease = world.claim(1).await;
    let mut batch = world.batch(&[]);
    batch.checkpoint = Some("page 1".into());
    world.commit(lease, batch.clone(), 1).await;
    world.commit(lease, world.batch(&[(1, "a")]), 1).await;
    assert_eq!(checkpoint().await.as_deref(), Some("page 1"), "a batch without one leaves it");
    let mut yielded = world.finish(world.batch(&[]), 1);
    yielded.pass_closed = false;
    world.store.finish(lease, yielded, at(2)).await.unwrap();
    assert_eq!(checkpoint().await.as_deref(), Some("page 1"));
    let lease = world.claim(400).await;
    batch.checkpoint = Some("page 2".into());
    let mut yielded = world.finish(batch, 400);
    yielded.pass_closed = false;
    world.store.finish(lease, yielded, at(401)).await.unwrap();
    assert_eq!(checkpoint().await.as_deref(), Some("page 2"));
    let lease = world.claim(800).await;
    world.store.finish(lease, world.finish(world.batch(&[]), 800), at(801)).await.unwrap();
    assert_eq!(checkpoint().await, None);
}

pub async fn releasing_leaves_no_trace(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let before = world.store.poller(world.org, world.poller).await.unwrap();
    let lease = world.claim(1).await;
    world.store.release(lease, at(5)).await.unwrap();
    let after = world.store.poller(world.org, world.poller).await.unwrap();
    assert_eq!(after, PollerRow { next_due: at(5), ..before });
    assert_eq!(world.store.runs(world.org, world.poller, 9).await.unwrap(), []);
    world.store.release(lease, at(50)).await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(at(5)), "a stale lease releases nothing");
}

pub async fn decisions_belong_to_the_run_that_finishes(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    let mut batch = world.batch(&[]);
    batch.decisions = vec![decision("1"), decision("2")];
    world.commit(lease, batch.clone(), 1).await;
    batch.decisions = vec![decision("3")];
    world.commit(lease, batch.clone(), 1).await;
    batch.decisions = vec![decision("4")];
    let finish = world.finish(batch, 1);
    let first = finish.run.id;
    world.store.finish(lease, finish, at(2)).await.unwrap();
    let lease = world.claim(400).await;
    let finish = world.finish(world.batch(&[]), 400);
    let second = finish.run.id;
    world.store.finish(lease, finish, at(401)).await.unwrap();
    let (_, decisions) = world.store.run(world.org, first).await.unwrap();
    assert_eq!(decisions, ["1", "2", "3", "4"].map(decision));
    assert_eq!(world.store.run(world.org, second).await.unwrap().1, []);
}

pub async fn decisions_of_a_lost_run_are_lost(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.decisions = vec![decision("lost")];
    world.write(batch.clone()).await;
    let lapsed = world.claim(1).await;
    world.commit(lapsed, batch.clone(), 1).await;
    let expired = world.claim(61).await;
    world.commit(expired, batch, 61).await;
    assert_eq!(world.store.expire_leases(at(121)).await.unwrap(), 1);
    let lease = world.claim(121).await;
    let mut last = world.batch(&[]);
    last.decisions = vec![decision("kept")];
    let finish = world.finish(last, 121);
    let run = finish.run.id;
    world.store.finish(lease, finish, at(122)).await.unwrap();
    assert_eq!(world.store.run(world.org, run).await.unwrap().1, [decision("kept")]);
}

pub async fn runs_are_listed_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut expected = Vec::new();
    for seconds in [0, 400, 800, 1_200] {
        let lease = world.claim(seconds).await;
        let finish = world.finish(world.batch(&[]), seconds);
        expected.insert(0, finish.run.clone());
        world.store.finish(lease, finish, at(seconds + 1)).await.unwrap();
    }
    assert_eq!(world.store.runs(world.org, world.poller, 9).await.unwrap(), expected);
    assert_eq!(world.store.runs(world.org, world.poller, 2).await.unwrap(), expected[..2]);
    assert_eq!(world.store.runs(world.org, world.poller, 0).await.unwrap(), []);
}

pub async fn runs_need_their_organisation(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    let lease = world.claim(1).await;
    let finish = world.finish(world.batch(&[]), 1);
    let run = finish.run.id;
    world.store.finish(lease, finish, at(2)).await.unwrap();
    assert!(world.store.run(world.org, run).await.is_ok());
    assert!(matches!(world.store.run(other, run).await, Err(StoreError::NotFound("run"))));
    assert!(matches!(world.store.runs(other, world.poller, 9).await, Err(StoreError::NotFound("poller"))));
    let (_, others) = world.add(2, &["a"]).await;
    assert_eq!(world.store.runs(world.org, others[0], 9).await.unwrap(), []);
}

/// Commits of one group are independent: the members with a stale lease fail, the others do not.
pub async fn one_stale_lease_fails_alone(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let names: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (_, pollers) = world.add(2, &names).await;
    let mut writes = tokio::task::JoinSet::new();
    for (number, poller) in pollers.into_iter().enumerate() {
        let mut lease = world.claim_of(poller, 1).await;
        lease.epoch += u64::from(number % 5 == 3) << 20;
        let object = number.to_string();
        let batch = world.batch(&[(number as u128, &object), (1_000 + number as u128, &object)]);
        let store = world.store.clone();
        writes.spawn(async move { (number, store.commit(lease, batch, at(2)).await.unwrap()) });
    }
    while let Some(written) = writes.join_next().await {
        let (number, committed) = written.unwrap();
        let expected = if number % 5 == 3 { Committed::StaleLease } else { Committed::Yes };
        assert_eq!(committed, expected, "{number}");
    }
    let objects = world.objects().await;
    assert_eq!(objects.len(), 32);
    assert!(objects.iter().all(|object| object.parse::<u32>().unwrap() % 5 != 3));
}

pub async fn many_pollers_commit_at_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (_, pollers) = world.add(2, &["a", "b", "c", "d"]).await;
    let mut writes = tokio::task::JoinSet::new();
    for (number, poller) in pollers.into_iter().enumerate() {
        let lease = world.claim_of(poller, 1).await;
        let store = world.store.clone();
        let batches: Vec<_> = (0..25)
            .map(|turn| world.batch(&[(1 + turn + 25 * number as u128, &format!("{number}-{turn:02}"))]))
            .collect();
        writes.spawn(async move {
            for batch in batches {
                assert_eq!(store.commit(lease, batch, at(2)).await.unwrap(), Committed::Yes);
            }
        });
    }
    while let Some(written) = writes.join_next().await {
        written.unwrap();
    }
    let objects = world.objects().await;
    assert_eq!(objects.len(), 100);
    for number in 0..4 {
        let prefix = format!("{number}-");
        let own: Vec<&String> = objects.iter().filter(|object| object.starts_with(&prefix)).collect();
        assert!(own.len() == 25 && own.is_sorted(), "each poller's events stay in its order");
    }
}

pub async fn one_claim_among_many_wins(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, poller) = (world.store.clone(), world.poller);
        claims.spawn(async move { store.claim(poller, at(1), Duration::from_secs(9)).await.unwrap() });
    }
    let mut epochs = BTreeSet::new();
    while let Some(claim) = claims.join_next().await {
        epochs.extend(claim.unwrap().map(|claim| claim.lease.epoch));
    }
    assert_eq!(epochs.len(), 1);
}
