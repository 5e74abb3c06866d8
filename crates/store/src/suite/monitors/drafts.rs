//! Drafts and deployed versions.

use std::sync::Arc;

use turnstone_core::id::MonitorId;

use super::Both;
use super::world::{World, settings};
use crate::api::*;
use crate::suite::world::at;

pub async fn a_draft_comes_back_as_it_was_saved(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (org, text) = (world.org, "{\"x\":\"\\u0000 é\"}\0");
    let id = world.monitors.create_monitor(org, "a\0", text, at(5)).await.unwrap();
    let row = world.monitors.monitor(org, id).await.unwrap();
    assert_eq!((row.name.as_str(), row.draft.as_str(), row.revision), ("a\0", text, 1));
    assert_eq!((row.version, row.deployed_revision), (None, None));
    assert_eq!((row.created_at, row.updated_at), (at(5), at(5)));
    let names: Vec<String> =
        world.monitors.monitors(org).await.unwrap().into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["users", "a\0"]);
    world.monitors.delete_monitor(org, id).await.unwrap();
    assert!(matches!(world.monitors.monitor(org, id).await, Err(StoreError::NotFound("monitor"))));
    let again = world.monitors.create_monitor(org, "a\0", text, at(6)).await.unwrap();
    assert!(again > id, "ids are never used twice");
}

pub async fn a_draft_is_changed_where_it_was_read(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (org, id) = (world.org, world.monitor);
    assert_eq!(world.monitors.save_draft(org, id, 1, "people", "2", at(7)).await.unwrap(), 2);
    let stale = world.monitors.save_draft(org, id, 1, "late", "3", at(8)).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    assert!(matches!(world.monitors.deploy(org, id, 1, at(8)).await, Err(StoreError::Conflict(_))));
    let row = world.monitors.monitor(org, id).await.unwrap();
    assert_eq!((row.name.as_str(), row.draft.as_str(), row.revision), ("people", "2", 2));
    assert_eq!((row.version, row.deployed_revision, row.updated_at), (Some(1), Some(1), at(7)));
}

pub async fn names_are_taken_once(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let org = world.org;
    let taken = world.monitors.create_monitor(org, "users", "1", at(1)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    let id = world.monitors.create_monitor(org, "deals", "1", at(1)).await.unwrap();
    let taken = world.monitors.save_draft(org, id, 1, "users", "2", at(1)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_eq!(world.monitors.save_draft(org, id, 1, "deals", "2", at(1)).await.unwrap(), 2);
    let (other, _) = world.others().await;
    world.monitors.create_monitor(other, "users", "1", at(1)).await.unwrap();
}

pub async fn versions_are_numbered_and_stay(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (org, id) = (world.org, world.monitor);
    assert_eq!(world.monitors.save_draft(org, id, 1, "users", r#"{"n":2}"#, at(5)).await.unwrap(), 2);
    assert_eq!(world.monitors.deploy(org, id, 2, at(6)).await.unwrap(), 2);
    assert_eq!(world.monitors.deploy(org, id, 2, at(7)).await.unwrap(), 3);
    let versions = world.monitors.versions(org, id).await.unwrap();
    let shown: Vec<_> =
        versions.iter().map(|row| (row.version, row.document.as_str(), row.created_at)).collect();
    assert_eq!(shown, [(3, r#"{"n":2}"#, at(7)), (2, r#"{"n":2}"#, at(6)), (1, r#"{"n":1}"#, at(1))]);
    assert_eq!(world.monitors.version(org, id, 2).await.unwrap(), versions[1]);
    for absent in [0, 4] {
        assert!(matches!(
            world.monitors.version(org, id, absent).await,
            Err(StoreError::NotFound("version"))
        ));
    }
    let row = world.monitors.monitor(org, id).await.unwrap();
    assert_eq!((row.version, row.deployed_revision), (Some(3), Some(2)));
}

pub async fn a_monitor_in_use_is_not_removed(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let row = world.subscribe(settings("a")).await;
    let refused = world.monitors.delete_monitor(world.org, world.monitor).await;
    assert!(matches!(&refused, Err(StoreError::Conflict(words)) if words.contains("`a`")), "{refused:?}");
    world.monitors.unsubscribe(world.org, row.id, at(5)).await.unwrap();
    world.monitors.delete_monitor(world.org, world.monitor).await.unwrap();
}

pub async fn monitors_belong_to_their_organisation(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let (other, _) = world.others().await;
    let id = world.monitor;
    let gone = |answer: Result<()>| assert!(matches!(answer, Err(StoreError::NotFound("monitor"))));
    for (org, id) in [(other, id), (world.org, MonitorId(999))] {
        gone(world.monitors.monitor(org, id).await.map(drop));
        gone(world.monitors.save_draft(org, id, 1, "x", "x", at(1)).await.map(drop));
        gone(world.monitors.deploy(org, id, 1, at(1)).await.map(drop));
        gone(world.monitors.versions(org, id).await.map(drop));
        gone(world.monitors.version(org, id, 1).await.map(drop));
        gone(world.monitors.delete_monitor(org, id).await);
    }
    assert!(world.monitors.monitors(other).await.unwrap().is_empty());
}
