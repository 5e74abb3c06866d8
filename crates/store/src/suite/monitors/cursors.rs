//! What a run of a subscription leaves: cursor, ledger, events, trace; all of it or nothing.

use std::sync::Arc;

use turnstone_core::id::{PollerId, RunId};
use turnstone_core::ledger::{Known, Recall};
use turnstone_core::poll::{Batch, RunKind};

use super::Both;
use super::world::{World, run_at, settings};
use crate::api::*;
use crate::monitors::*;
use crate::suite::world::{at, entry, everything_before, version};

async fn states(world: &World, row: &SubscriptionRow) -> Vec<String> {
    let cursors = world.monitors.cursors(world.org, row.poller, 1_000).await.unwrap();
    cursors.into_iter().map(|cursor| cursor.state).collect()
}

pub async fn a_run_that_moves_the_cursor_leaves_the_old_one(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    world.run_of(&row, &[], 10).await;
    world.run_of(&row, &[], 400).await;
    let lease = world.claim_of(row.poller, 800).await;
    let quiet = world.flow_finish(&row, Batch::default(), 800, false);
    world.store.finish(lease, quiet, at(800)).await.unwrap();
    assert_eq!(states(&world, &row).await, [r#"{"at":10}"#, ""]);
    assert_eq!(world.poller_row(row.poller).await.state, r#"{"at":800}"#);
}

pub async fn everything_of_a_run_is_written_together(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let lease = world.claim_of(row.poller, 10).await;
    let batch = Batch {
        events: vec![world.told(&row, 1, "x")],
        entries: vec![entry("x", 5, 0)],
        versions: vec![version("x", 4)],
        ..Batch::default()
    };
    let finish = world.flow_finish(&row, batch, 10, true);
    assert_eq!(world.store.finish(lease, finish, at(11)).await.unwrap(), Committed::Yes);
    let run = run_at(row.poller, 10);
    let (record, _) = world.store.run(world.org, run).await.unwrap();
    assert_eq!((record.kind, record.poller), (RunKind::Flow, row.poller));
    assert_eq!(world.store.runs(world.org, row.poller, 9).await.unwrap(), [record]);
    assert_eq!(world.monitors.trace(world.org, run).await.unwrap().as_deref(), Some(r#"{"at":10}"#));
    assert_eq!(world.objects().await, ["x"]);
    let asked = Recall::Versions(vec![version("x", 5), version("x", 4)]);
    let Known::Versions(known) = world.store.recall(row.poller, &asked).await.unwrap() else { panic!() };
    assert!(known.iter().all(|known| known.version));
}

pub async fn a_stale_lease_writes_nothing(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let lease = world.claim_of(row.poller, 10).await;
    let newer = world.claim_of(row.poller, 200).await;
    let batch = Batch { events: vec![world.told(&row, 1, "x")], ..Batch::default() };
    let finish = world.flow_finish(&row, batch, 10, true);
    assert_eq!(world.store.finish(lease, finish, at(201)).await.unwrap(), Committed::StaleLease);
    assert!(states(&world, &row).await.is_empty() && world.objects().await.is_empty());
    let run = run_at(row.poller, 10);
    assert!(matches!(world.monitors.trace(world.org, run).await, Err(StoreError::NotFound("run"))));
    assert_eq!(world.poller_row(row.poller).await.state, "");
    world.store.release(newer, at(0)).await.unwrap();
}

pub async fn two_subscriptions_share_no_ledger(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (a, b) = (world.subscribe(settings("a")).await, world.subscribe(settings("b")).await);
    let lease = world.claim_of(a.poller, 10).await;
    let batch = Batch { entries: vec![entry("x", 5, 0)], ..Batch::default() };
    world.store.finish(lease, world.flow_finish(&a, batch, 10, true), at(11)).await.unwrap();
    for (row, knows) in [(&a, true), (&b, false)] {
        let asked = Recall::Versions(vec![version("x", 5)]);
        let Known::Versions(known) = world.store.recall(row.poller, &asked).await.unwrap() else { panic!() };
        assert_eq!(known[0].version, knows);
    }
    assert_eq!((states(&world, &a).await.len(), states(&world, &b).await.len()), (1, 0));
    assert_eq!(world.poller_row(b.poller).await.state, "");
}

pub async fn replaced_cursors_are_listed_newest_first(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    world.run_of(&row, &[], 10).await;
    world.store.set_state(world.org, row.poller, "by hand", None, at(100)).await.unwrap();
    world.store.set_state(world.org, row.poller, "", None, at(101)).await.unwrap();
    let cursors = world.monitors.cursors(world.org, row.poller, 2).await.unwrap();
    let shown: Vec<_> = cursors.iter().map(|row| (row.state.as_str(), row.replaced_at)).collect();
    assert_eq!(shown, [("by hand", at(101)), (r#"{"at":10}"#, at(100))]);
    assert!(cursors[0].id > cursors[1].id);
    assert!(world.monitors.cursors(world.org, row.poller, 0).await.unwrap().is_empty());
}

pub async fn cursors_are_bounded(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (row, other) = (world.subscribe(settings("a")).await, world.subscribe(settings("b")).await);
    world.store.set_state(world.org, other.poller, "other", None, at(1)).await.unwrap();
    for number in 0..CURSORS_KEPT_MAX + 5 {
        world.store.set_state(world.org, row.poller, &number.to_string(), None, at(2)).await.unwrap();
    }
    let states = states(&world, &row).await;
    assert_eq!(states.len(), CURSORS_KEPT_MAX as usize);
    assert_eq!((states[0].as_str(), states.last().map(String::as_str)), ("203", Some("4")));
    assert_eq!(world.monitors.cursors(world.org, other.poller, 9).await.unwrap().len(), 1);
}

pub async fn traces_are_bounded_and_go_with_their_runs(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (row, other) = (world.subscribe(settings("a")).await, world.subscribe(settings("b")).await);
    let kept = world.run_of(&other, &[], 1).await;
    let mut runs = Vec::new();
    for number in 0..i64::from(TRACES_KEPT_MAX) + 2 {
        runs.push(world.run_of(&row, &[], 10 + number * 400).await);
    }
    for (at, run) in runs.iter().enumerate() {
        let trace = world.monitors.trace(world.org, *run).await.unwrap();
        assert_eq!(trace.is_some(), at >= 2, "{at}");
    }
    assert!(world.monitors.trace(world.org, kept).await.unwrap().is_some());
    world.store.prune(&everything_before(1_000)).await.unwrap();
    for run in [kept, runs[2], RunId([1; 16])] {
        assert!(matches!(world.monitors.trace(world.org, run).await, Err(StoreError::NotFound("run"))));
    }
    assert!(world.monitors.trace(world.org, runs[3]).await.unwrap().is_some());
    let (foreign, _) = world.others().await;
    assert!(matches!(world.monitors.trace(foreign, runs[3]).await, Err(StoreError::NotFound("run"))));
}

pub async fn declared_pollers_have_a_history_too(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let pollers = world.store.pollers(world.org, Some(world.instance)).await.unwrap();
    let declared = pollers.iter().find(|poller| poller.subscription.is_none()).unwrap().id;
    for (state, watermark, seconds) in [("one", Some(1), 1), ("two", None, 2), ("three", Some(3), 3)] {
        world.store.set_state(world.org, declared, state, watermark, at(seconds)).await.unwrap();
    }
    let found = world.monitors.cursors(world.org, declared, 9).await.unwrap();
    let told: Vec<_> =
        found.iter().map(|former| (former.state.as_str(), former.watermark, former.replaced_at)).collect();
    assert_eq!(told, [("two", None, at(3)), ("one", Some(1), at(2)), ("", None, at(1))]);
    assert!(found.windows(2).all(|pair| pair[0].id > pair[1].id));
    assert_eq!(world.monitors.cursors(world.org, declared, 1).await.unwrap(), found[..1]);
    assert!(world.monitors.cursors(world.org, row.poller, 9).await.unwrap().is_empty());
    let (other, _) = world.others().await;
    for (org, poller) in [(other, declared), (other, row.poller), (world.org, PollerId(999))] {
        let answer = world.monitors.cursors(org, poller, 9).await;
        assert!(matches!(answer, Err(StoreError::NotFound("poller"))), "{answer:?}");
    }
}
