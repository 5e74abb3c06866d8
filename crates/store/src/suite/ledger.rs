//! What is known of records, and the log of events.

use std::sync::Arc;

use turnstone_core::event::EventType;
use turnstone_core::id::EventId;
use turnstone_core::ledger::{KnownVersion, Version};

use super::world::{World, any_event, at, decision, entry, hash, version};
use crate::api::*;

pub async fn nothing_is_known_at_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let nothing = KnownVersion::default();
    assert_eq!(world.known(&[version("a", 1), version("b", 1)]).await, [nothing.clone(), nothing]);
    assert_eq!(world.known(&[]).await, []);
    assert_eq!(world.missing(u64::MAX >> 1, None, 9).await, (vec![], 0, 0));
}

pub async fn answers_come_in_the_order_asked(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0), entry("b", 2, 0), entry("c", 3, 0)];
    world.write(batch).await;
    let asked = [version("c", 3), version("x", 1), version("a", 1), version("c", 3), version("b", 1)];
    let answers = world.known(&asked).await;
    let ids: Vec<Option<&str>> =
        answers.iter().map(|answer| answer.entry.as_ref().map(|entry| entry.id.as_str())).collect();
    assert_eq!(ids, [Some("c"), None, Some("a"), Some("c"), Some("b")]);
    let known: Vec<bool> = answers.iter().map(|answer| answer.version).collect();
    assert_eq!(known, [true, false, true, true, false]);
}

pub async fn the_last_version_is_known(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0)];
    world.write(batch).await;
    assert!(world.knows("a", 1).await);
    assert!(!world.knows("a", 2).await && !world.knows("A", 1).await);
    let other_content = Version { hash: hash(9), ..version("a", 1) };
    let no_value = Version { compared: None, ..version("a", 1) };
    let answers = world.known(&[other_content, no_value]).await;
    assert!(answers.iter().all(|answer| !answer.version && answer.entry.is_some()));
}

pub async fn versions_in_the_window_are_known(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 3, 0)];
    batch.versions = vec![version("a", 1), version("a", 2), version("a", 1), version("lone", 5)];
    world.write(batch.clone()).await;
    world.write(batch).await;
    for compared in [1, 2, 3] {
        assert!(world.knows("a", compared).await, "{compared}");
    }
    assert!(!world.knows("a", 4).await);
    let lone = world.known(&[version("lone", 5)]).await.remove(0);
    assert_eq!(lone, KnownVersion { version: true, ..KnownVersion::default() });
}

pub async fn versions_without_a_value_are_versions(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let bare = |id: &str, content| Version { id: id.into(), compared: None, hash: hash(content) };
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0)];
    batch.entries[0].compared = None;
    batch.versions = vec![bare("a", 2), bare("b", 3), bare("b", 3)];
    world.write(batch).await;
    let answers =
        world.known(&[bare("a", 1), bare("a", 2), bare("b", 3), bare("b", 4), version("a", 1)]).await;
    let known: Vec<bool> = answers.iter().map(|answer| answer.version).collect();
    assert_eq!(known, [true, true, true, false, false]);
    assert_eq!(answers[0].entry.as_ref().unwrap().compared, None);
}

pub async fn entries_are_replaced_whole(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut rich = entry("a", 1, 4);
    rich.deleted_at = Some(at(3));
    rich.last_body = Some("{}".into());
    rich.incarnation = 3;
    rich.recurrence = 2;
    let mut batch = world.batch(&[]);
    batch.entries = vec![rich.clone()];
    world.write(batch.clone()).await;
    assert_eq!(world.known(&[version("a", 1)]).await[0].entry, Some(rich));
    let poor = entry("a", 2, 1);
    batch.entries = vec![entry("a", 7, 7), poor.clone()];
    world.write(batch).await;
    let answer = world.known(&[version("a", 1)]).await.remove(0);
    assert_eq!(answer.entry, Some(poor), "the last of a batch wins");
    assert!(!answer.version, "an entry's earlier version is only known if it was put into the window");
}

pub async fn pruning_forgets_only_older_versions(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let bare = Version { id: "a".into(), compared: None, hash: hash(1) };
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("e", 1, 0)];
    batch.versions = vec![version("a", 9), version("a", 10), version("a", 11), version("b", 9), bare.clone()];
    batch.versions.push(Version { hash: hash(99), ..version("a", 9) });
    let mut finish = world.finish(batch, 1);
    finish.prune_versions_below = Some(10);
    let lease = world.claim(1).await;
    world.store.finish(lease, finish, at(2)).await.unwrap();
    assert!(!world.knows("a", 9).await && !world.knows("b", 9).await);
    assert!(world.knows("a", 10).await && world.knows("a", 11).await);
    assert!(world.known(&[bare]).await[0].version, "a version without a value has no age");
    assert!(!world.known(&[Version { hash: hash(99), ..version("a", 9) }]).await[0].version);
    assert!(world.knows("e", 1).await, "entries are not pruned");
    let lease = world.claim(400).await;
    world.store.finish(lease, world.finish(world.batch(&[]), 400), at(401)).await.unwrap();
    assert!(world.knows("a", 10).await, "no bound, no pruning");
}

pub async fn sweeping_marks_what_was_seen(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0), entry("b", 1, 0), entry("c", 1, 0)];
    world.write(batch).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("d", 1, 0)];
    batch.swept = vec!["a".into(), "d".into(), "unknown".into()];
    batch.sweep = 2;
    world.write(batch).await;
    assert_eq!(world.missing(2, None, 9).await, (vec!["b".into(), "c".into()], 2, 4));
    let swept = world.known(&[version("a", 1)]).await.remove(0).entry.unwrap();
    assert_eq!(swept, entry("a", 1, 2), "nothing else changes");
    assert_eq!(world.known(&[version("unknown", 1)]).await[0].entry, None);
}

pub async fn missing_entries_come_in_pages(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = ["b", "a", "B", "é", "10", "9", ""].map(|id| entry(id, 1, 3)).to_vec();
    batch.entries.push(entry("seen", 1, 4));
    world.write(batch).await;
    let first = world.missing(4, None, 3).await;
    assert_eq!(first, (vec!["".into(), "10".into(), "9".into()], 7, 8), "by bytes, with the totals");
    let second = world.missing(4, Some("9"), 3).await;
    assert_eq!(second, (vec!["B".into(), "a".into(), "b".into()], 7, 8));
    assert_eq!(world.missing(4, Some("b"), 3).await.0, ["é"]);
    assert_eq!(world.missing(4, Some("é"), 3).await, (vec![], 7, 8));
    assert_eq!(world.missing(4, Some("aa"), 1).await.0, ["b"], "the id to go on from need not be there");
    assert_eq!(world.missing(4, None, 0).await, (vec![], 7, 8));
    assert_eq!(world.missing(3, None, 9).await, (vec![], 0, 8));
}

pub async fn deleted_entries_are_not_missing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0), entry("b", 1, 0)];
    batch.entries[0].deleted_at = Some(at(1));
    world.write(batch).await;
    assert_eq!(world.missing(5, None, 9).await, (vec!["b".into()], 1, 1));
    assert!(world.knows("a", 1).await, "what a deleted entry means is not the store's question");
}

pub async fn pollers_do_not_share_a_ledger(store: Arc<dyn Store>) {
    let mut world = World::new(store).await;
    let (_, others) = world.add(2, &["contacts"]).await;
    let mut batch = world.batch(&[]);
    batch.entries = vec![entry("a", 1, 0)];
    batch.versions = vec![version("a", 2)];
    world.write(batch).await;
    world.poller = others[0];
    assert!(!world.knows("a", 1).await && !world.knows("a", 2).await);
    assert_eq!(world.missing(9, None, 9).await, (vec![], 0, 0));
}

pub async fn events_are_written_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a"), (2, "b")]).await;
    let before = world.store.events(world.org, &any_event()).await.unwrap();
    let lease = world.claim(9).await;
    world.commit(lease, world.batch(&[(2, "b"), (1, "a"), (3, "c"), (3, "c")]), 9).await;
    let after = world.store.events(world.org, &any_event()).await.unwrap();
    assert_eq!(after[..2], before, "a repeated event keeps its position and its time");
    assert_eq!(after.len(), 3);
    assert_eq!(after[2].recorded_at, at(9));
}

pub async fn a_repeated_event_does_not_stop_its_batch(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(1, "a")]).await;
    let mut batch = world.batch(&[(1, "a")]);
    batch.entries = vec![entry("a", 1, 0)];
    batch.versions = vec![version("a", 2)];
    batch.checkpoint = Some("open".into());
    batch.decisions = vec![decision("d")];
    let lease = world.claim(1).await;
    world.commit(lease, batch, 1).await;
    let finish = world.finish(world.batch(&[(1, "a")]), 1);
    let run = finish.run.id;
    world.store.finish(lease, finish, at(2)).await.unwrap();
    assert!(world.knows("a", 1).await && world.knows("a", 2).await);
    assert_eq!(world.store.run(world.org, run).await.unwrap().1, [decision("d")]);
    assert_eq!(world.objects().await, ["a"]);
}

pub async fn positions_grow_in_commit_order(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.record(&[(9, "a"), (3, "b")]).await;
    world.record(&[(5, "c")]).await;
    let events = world.store.events(world.org, &any_event()).await.unwrap();
    let objects: Vec<&str> = events.iter().map(|logged| logged.event.object_id.as_str()).collect();
    assert_eq!(objects, ["a", "b", "c"]);
    assert!(events[0].position >= 1);
    assert!(events.is_sorted_by(|one, next| one.position < next.position));
}

pub async fn events_are_filtered(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (instance, _) = world.add(2, &["deals"]).await;
    let mut batch = world.batch(&[(1, "a"), (2, "b"), (3, "a"), (4, "a")]);
    batch.events[3].object_type = "deals".into();
    batch.events[1].instance = instance;
    world.write(batch).await;
    let all = world.store.events(world.org, &any_event()).await.unwrap();
    let check = async |filter: EventFilter, expected: &[u128]| {
        let events = world.store.events(world.org, &filter).await.unwrap();
        let ids: Vec<u128> = events.iter().map(|logged| u128::from_be_bytes(logged.event.id.0)).collect();
        assert_eq!(ids, expected, "{filter:?}");
    };
    check(any_event(), &[1, 2, 3, 4]).await;
    check(EventFilter { limit: 0, ..any_event() }, &[]).await;
    check(EventFilter { limit: 2, ..any_event() }, &[1, 2]).await;
    check(EventFilter { newest_first: true, limit: 3, ..any_event() }, &[4, 3, 2]).await;
    check(EventFilter { after: all[1].position, ..any_event() }, &[3, 4]).await;
    check(EventFilter { after: all[1].position, newest_first: true, limit: 1, ..any_event() }, &[4]).await;
    check(EventFilter { instance: Some(instance), ..any_event() }, &[2]).await;
    check(EventFilter { object_id: Some("a".into()), ..any_event() }, &[1, 3, 4]).await;
    check(EventFilter { object_id: Some("A".into()), ..any_event() }, &[]).await;
    check(EventFilter { resource: Some("deals".into()), ..any_event() }, &[4]).await;
    let both = EventFilter { object_id: Some("a".into()), resource: Some("contacts".into()), ..any_event() };
    check(EventFilter { newest_first: true, ..both }, &[3, 1]).await;
    let one = EventFilter { id: Some(EventId(2_u128.to_be_bytes())), ..any_event() };
    check(one.clone(), &[2]).await;
    check(EventFilter { instance: Some(world.instance), ..one.clone() }, &[]).await;
    check(EventFilter { after: all[1].position, ..one }, &[]).await;
    let newest = EventFilter { newest_first: true, ..any_event() };
    check(EventFilter { before: Some(all[2].position), ..newest.clone() }, &[2, 1]).await;
    check(EventFilter { before: Some(all[3].position), limit: 1, ..newest.clone() }, &[3]).await;
    check(EventFilter { before: Some(all[2].position), ..any_event() }, &[1, 2]).await;
    check(EventFilter { before: Some(0), ..newest.clone() }, &[]).await;
    check(EventFilter { before: Some(all[3].position), after: all[0].position, ..newest.clone() }, &[3, 2])
        .await;
    let of_record = EventFilter { object_id: Some("a".into()), ..newest.clone() };
    check(EventFilter { before: Some(all[3].position), ..of_record.clone() }, &[3, 1]).await;
    check(EventFilter { before: Some(all[3].position), limit: 1, ..of_record }, &[3]).await;
    let of_instance = EventFilter { instance: Some(world.instance), ..newest };
    check(EventFilter { before: Some(all[2].position), ..of_instance }, &[1]).await;
}

pub async fn events_are_filtered_by_time_and_type(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[(1, "a"), (2, "b")]);
    batch.events[0].event_type = EventType::Created;
    let lease = world.claim(1).await;
    world.commit(lease, batch, 10).await;
    world.commit(lease, world.batch(&[(3, "a")]), 20).await;
    world.commit(lease, world.batch(&[(4, "b")]), 30).await;
    let check = async |filter: EventFilter, expected: &[u128]| {
        let events = world.store.events(world.org, &filter).await.unwrap();
        let ids: Vec<u128> = events.iter().map(|logged| u128::from_be_bytes(logged.event.id.0)).collect();
        assert_eq!(ids, expected, "{filter:?}");
    };
    check(EventFilter { event_type: Some(EventType::Created), ..any_event() }, &[1]).await;
    check(EventFilter { event_type: Some(EventType::Deleted), ..any_event() }, &[]).await;
    let newest = EventFilter { newest_first: true, ..any_event() };
    for (from, to, expected) in [
        (None, None, &[4, 3, 2, 1][..]),
        (Some(0), Some(10), &[]),
        (Some(10), Some(11), &[2, 1]),
        (Some(11), Some(20), &[]),
        (Some(11), Some(31), &[4, 3]),
        (Some(20), None, &[4, 3]),
        (None, Some(30), &[3, 2, 1]),
        (Some(30), None, &[4]),
        (Some(31), None, &[]),
        (Some(20), Some(10), &[]),
    ] {
        let (from, to) = (from.map(at), to.map(at));
        check(EventFilter { from, to, ..newest.clone() }, expected).await;
        let mut ascending = expected.to_vec();
        ascending.reverse();
        check(EventFilter { from, to, instance: Some(world.instance), ..any_event() }, &ascending).await;
    }
    check(EventFilter { from: Some(at(11)), object_id: Some("a".into()), ..newest }, &[3]).await;
}

pub async fn events_come_back_untouched(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut batch = world.batch(&[(1, "a"), (2, ""), (3, "c"), (4, "d")]);
    let types = [EventType::Created, EventType::Updated, EventType::Deleted, EventType::Unknown];
    for (event, event_type) in batch.events.iter_mut().zip(types) {
        event.event_type = event_type;
    }
    batch.events[0].record = None;
    batch.events[1].record = Some(String::new());
    batch.events[2].record = Some("{ \"a\" :\n 1.10, \"a\": 2 }".into());
    batch.events[3].record = Some("x".repeat(300_000));
    let written = batch.events.clone();
    world.write(batch).await;
    let events = world.store.events(world.org, &any_event()).await.unwrap();
    let events: Vec<_> = events.into_iter().map(|logged| logged.event).collect();
    assert!(events == written, "bodies are kept byte by byte");
}

pub async fn big_batches_are_written_whole(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let ids: Vec<String> = (0..5_000).map(|number| format!("{number:05}")).collect();
    let mut batch = world.batch(&[]);
    batch.entries = ids.iter().map(|id| entry(id, 1, 1)).collect();
    batch.versions = ids.iter().map(|id| version(id, 2)).collect();
    batch.events = (0..).zip(&ids).map(|(number, id)| world.event(number, id)).collect();
    batch.decisions = ids.iter().map(|id| decision(id)).collect();
    batch.swept = ids[..4_000].to_vec();
    batch.sweep = 2;
    let lease = world.claim(1).await;
    let finish = world.finish(batch, 1);
    let run = finish.run.id;
    world.store.finish(lease, finish, at(1)).await.unwrap();
    assert_eq!(world.objects().await, ids);
    let (first, missing, alive) = world.missing(2, None, 1).await;
    assert_eq!((first[0].as_str(), missing, alive), ("04000", 1_000, 5_000));
    let asked: Vec<Version> =
        ids.iter().flat_map(|id| [version(id, 1), version(id, 2), version(id, 3)]).collect();
    let answers = world.known(&asked).await;
    for (place, answer) in answers.iter().enumerate() {
        assert_eq!(answer.version, place % 3 != 2, "{place}");
        assert_eq!(answer.entry.as_ref().map(|entry| &entry.id), Some(&asked[place].id));
    }
    assert_eq!(world.store.run(world.org, run).await.unwrap().1.len(), 5_000);
}

pub async fn an_empty_batch_is_a_batch(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let lease = world.claim(1).await;
    let before = world.store.poller(world.org, world.poller).await.unwrap();
    world.commit(lease, world.batch(&[]), 1).await;
    assert_eq!(world.store.poller(world.org, world.poller).await.unwrap(), before);
    world.store.release(lease, at(0)).await.unwrap();
    assert_eq!(world.try_commit(lease, world.batch(&[]), 1).await, Committed::StaleLease);
}
