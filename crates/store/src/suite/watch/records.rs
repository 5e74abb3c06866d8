//! One record's story, and the states that a poller had.

use std::sync::Arc;

use turnstone_core::poll::{Batch, Decision, RunOutcome, Status};

use super::{Watched, World};
use crate::suite::world::{decision, entry, version};

pub async fn a_record_has_its_story(store: Arc<dyn Watched>) {
    let world = World::new(store).await;
    let told = |object_id: &str, page: u32| Decision { page, ..decision(object_id) };
    let batch = |page: u32| Batch {
        entries: vec![entry("a", page.into(), 0), entry("b", 1, 0)],
        versions: vec![version("a", i64::from(page) + 10), version("b", 7)],
        decisions: vec![told("a", page), told("b", page), told("a", page + 100)],
        ..Batch::default()
    };
    let mut runs = Vec::new();
    for page in 1..=5 {
        let seconds = i64::from(page) * 10;
        let run = world.run_of(world.poller, batch(page), seconds, Status::ok(), RunOutcome::Completed).await;
        runs.push(run);
    }
    let story = async |object_id: &str, limit| {
        world.watch.record_story(world.org, world.poller, object_id, limit).await.unwrap()
    };
    let found = story("a", 100).await;
    assert_eq!(found.entry, Some(entry("a", 5, 0)));
    assert_eq!(found.versions, [11, 12, 13, 14, 15].map(|value| version("a", value)));
    let expected: Vec<_> = (1..=5_u32)
        .rev()
        .flat_map(|page| {
            let run = runs[page as usize - 1];
            [(run, told("a", page + 100)), (run, told("a", page))]
        })
        .collect();
    assert_eq!(found.decisions, expected, "the latest first");
    assert_eq!(story("a", 3).await.decisions, expected[..3]);
    assert_eq!(story("A", 100).await, crate::RecordStory::default(), "an id is taken as it is written");
    let (_, others) = world.add(2, &["contacts"]).await;
    let other = world.watch.record_story(world.org, others[0], "a", 9).await.unwrap();
    assert_eq!(other, crate::RecordStory::default());
}

pub async fn what_a_run_under_way_decided_is_no_story(store: Arc<dyn Watched>) {
    let world = World::new(store).await;
    let first = Batch { decisions: vec![decision("a")], ..Batch::default() };
    let run = world.run_of(world.poller, first.clone(), 10, Status::ok(), RunOutcome::Completed).await;
    let lease = world.claim(20).await;
    world.commit(lease, first, 20).await;
    let found = world.watch.record_story(world.org, world.poller, "a", 9).await.unwrap();
    assert_eq!(found.decisions, [(run, decision("a"))]);
}
