//! Connectors: keys, revisions, the numbers of their parts.

use std::collections::BTreeSet;
use std::sync::Arc;

use turnstone_core::id::{ElementId, OrgId};

use super::Whole;
use super::world::{STRANGE, World, change, is_missing, is_taken, new_element};
use crate::directory::*;
use crate::suite::world::at;

pub async fn part_numbers_are_handed_out_once(store: Arc<dyn Whole>) {
    let first = store.reserve_part_ids(3).await.unwrap();
    assert!(first >= 1);
    assert_eq!(store.reserve_part_ids(1).await.unwrap(), first + 3);
    assert_eq!(store.reserve_part_ids(0).await.unwrap(), first + 4);
    assert_eq!(store.reserve_part_ids(u32::MAX).await.unwrap(), first + 4, "none was handed out before");
    assert_eq!(store.reserve_part_ids(1).await.unwrap(), first + 4 + i64::from(u32::MAX));
}

pub async fn many_hands_get_different_part_numbers(store: Arc<dyn Whole>) {
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.reserve_part_ids(5).await.unwrap() })
        })
        .collect();
    let mut numbers = BTreeSet::new();
    for task in tasks {
        let first = task.await.unwrap();
        numbers.extend(first..first + 5);
    }
    assert_eq!(numbers.len(), 200);
}

pub async fn connectors_come_back_as_they_were_made(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let new = new_element(world.org, "crm");
    let row = world.row().await;
    assert_eq!((row.id, row.org, row.revision), (world.element, world.org, 1));
    assert_eq!((&row.key, &row.name, &row.document), (&new.key, &new.name, &new.document));
    assert_eq!((&row.ids, row.active), (&new.ids, true));
    assert_eq!((row.created_at, row.updated_at), (at(0), at(0)));
    assert_eq!(world.store.element_by_key(world.org, "crm").await.unwrap(), Some(row.clone()));
    assert_eq!(world.store.elements(world.org).await.unwrap(), [row]);
    assert_eq!(world.store.element_at(world.org, world.element, 1).await.unwrap(), new.document);
}

pub async fn connectors_need_an_organisation(store: Arc<dyn Whole>) {
    is_missing(store.create_element(new_element(OrgId(9), "crm"), at(0)).await, "organisation");
    assert_eq!(store.elements(OrgId(9)).await.unwrap(), []);
    assert_eq!(store.element_by_key(OrgId(9), "crm").await.unwrap(), None);
}

pub async fn a_key_is_taken_once_per_organisation(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let sentence = is_taken(world.store.create_element(new_element(world.org, "crm"), at(1)).await);
    assert!(sentence.contains("`crm`"), "{sentence}");
    assert_eq!(world.store.elements(world.org).await.unwrap().len(), 1);
    for key in ["Crm", "crm ", "", "crm\0"] {
        world.store.create_element(new_element(world.org, key), at(1)).await.unwrap();
    }
    let other = world.other().await;
    let foreign = world.store.create_element(new_element(other, "crm"), at(1)).await.unwrap();
    let found = world.store.element_by_key(other, "crm").await.unwrap().unwrap();
    assert_eq!((found.id, found.org), (foreign, other));
    assert_eq!(world.store.element_by_key(world.org, "crm").await.unwrap().unwrap().id, world.element);
}

pub async fn a_change_makes_a_revision(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let change = change("sales", "{}");
    let made = world.store.update_element(world.org, world.element, 1, change.clone(), at(5)).await.unwrap();
    assert_eq!(made, 2);
    let row = world.row().await;
    assert_eq!((row.key, row.name, row.document), (change.key, change.name, change.document));
    assert_eq!((row.ids, row.active, row.revision), (change.ids, false, 2));
    assert_eq!((row.created_at, row.updated_at), (at(0), at(5)));
    assert_eq!(world.store.element_by_key(world.org, "crm").await.unwrap(), None);
    assert!(world.store.element_by_key(world.org, "sales").await.unwrap().is_some());
    world.store.create_element(new_element(world.org, "crm"), at(6)).await.unwrap();
}

pub async fn an_old_revision_is_refused(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.change(1, "second", 1).await.unwrap();
    for revision in [1, 0, 3, -1, i64::MAX, i64::MIN] {
        is_taken(world.change(revision, "wrong", 2).await);
    }
    assert_eq!(world.row().await.document, "second");
    is_missing(world.store.element_at(world.org, world.element, 3).await, "revision");
    assert_eq!(world.change(2, "third", 3).await.unwrap(), 3);
}

pub async fn one_of_two_changes_wins(store: Arc<dyn Whole>) {
    let world = Arc::new(World::new(store).await);
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let world = world.clone();
            tokio::spawn(async move { world.change(1, &format!("{number}"), 1).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
    assert_eq!(world.row().await.revision, 2);
}

pub async fn a_change_may_keep_its_key_and_not_take_anothers(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let second = world.store.create_element(new_element(world.org, "erp"), at(0)).await.unwrap();
    let taking = world.store.update_element(world.org, second, 1, change("crm", "{}"), at(1)).await;
    is_taken(taking);
    let row = world.store.element(world.org, second).await.unwrap();
    assert_eq!((row.key.as_str(), row.revision, row.active), ("erp", 1, true), "nothing was written");
    is_missing(world.store.element_at(world.org, second, 2).await, "revision");
    let keeping = world.store.update_element(world.org, second, 1, change("erp", "{}"), at(1)).await;
    assert_eq!(keeping.unwrap(), 2);
}

pub async fn every_revision_keeps_its_document(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let first = world.row().await.document;
    for revision in 1..30 {
        let document = format!("document {}", revision + 1);
        assert_eq!(world.change(revision, &document, revision).await.unwrap(), revision + 1);
    }
    assert_eq!(world.store.element_at(world.org, world.element, 1).await.unwrap(), first);
    for revision in 2..=30 {
        let document = world.store.element_at(world.org, world.element, revision).await.unwrap();
        assert_eq!(document, format!("document {revision}"));
    }
}

pub async fn revisions_that_never_were_are_missing(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    for revision in [0, 2, -1, i64::MAX, i64::MIN] {
        is_missing(world.store.element_at(world.org, world.element, revision).await, "revision");
    }
    is_missing(world.store.element_at(world.org, ElementId(99), 1).await, "connector");
}

pub async fn a_connector_in_use_stays(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.instance(1).await;
    let first = world.tagged(2, &[]).await;
    let sentence = is_taken(world.store.delete_element(world.org, world.element).await);
    assert!(sentence.contains("one instance") || sentence.contains("1 instance"), "{sentence}");
    let second = world.tagged(3, &[]).await;
    let sentence = is_taken(world.store.delete_element(world.org, world.element).await);
    assert!(sentence.contains("2 instances"), "{sentence}");
    assert_eq!(world.row().await.revision, 1);
    world.store.delete_instance(world.org, first, at(1)).await.unwrap();
    is_taken(world.store.delete_element(world.org, world.element).await);
    world.store.delete_instance(world.org, second, at(1)).await.unwrap();
    world.store.delete_element(world.org, world.element).await.unwrap();
    is_missing(world.store.element(world.org, world.element).await, "connector");
}

pub async fn deleting_frees_the_key_and_not_the_id(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.change(1, "second", 1).await.unwrap();
    world.store.delete_element(world.org, world.element).await.unwrap();
    is_missing(world.store.delete_element(world.org, world.element).await, "connector");
    is_missing(world.store.element_at(world.org, world.element, 1).await, "connector");
    is_missing(world.change(2, "third", 1).await, "connector");
    assert_eq!(world.store.elements(world.org).await.unwrap(), []);
    let again = world.store.create_element(new_element(world.org, "crm"), at(2)).await.unwrap();
    assert!(again > world.element);
    assert_eq!(world.store.element(world.org, again).await.unwrap().revision, 1);
    is_missing(world.store.element_at(world.org, again, 2).await, "revision");
}

pub async fn organisations_do_not_share_connectors(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let (other, id) = (world.other().await, world.element);
    is_missing(world.store.element(other, id).await, "connector");
    is_missing(world.store.element_at(other, id, 1).await, "connector");
    is_missing(world.store.update_element(other, id, 1, change("x", "{}"), at(1)).await, "connector");
    is_missing(world.store.delete_element(other, id).await, "connector");
    assert_eq!(world.store.element_by_key(other, "crm").await.unwrap(), None);
    assert_eq!(world.store.elements(other).await.unwrap(), []);
    assert_eq!(world.row().await.revision, 1, "nothing was written");
}

pub async fn connectors_hold_any_text(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let new = NewElement {
        org: world.org,
        key: STRANGE.into(),
        name: STRANGE.into(),
        document: STRANGE.into(),
        ids: STRANGE.into(),
        active: false,
    };
    let id = world.store.create_element(new.clone(), at(0)).await.unwrap();
    is_taken(world.store.create_element(new, at(0)).await);
    let row = world.store.element_by_key(world.org, STRANGE).await.unwrap().unwrap();
    assert_eq!((row.id, row.active), (id, false));
    for text in [row.key, row.name, row.document, row.ids] {
        assert_eq!(text, STRANGE);
    }
    assert_eq!(world.store.element_by_key(world.org, "a").await.unwrap(), None, "a NUL does not end a text");
    let empty = ElementChange {
        key: String::new(),
        name: String::new(),
        document: String::new(),
        ids: String::new(),
        active: true,
    };
    world.store.update_element(world.org, id, 1, empty, at(1)).await.unwrap();
    assert_eq!(world.store.element_at(world.org, id, 2).await.unwrap(), "");
    assert_eq!(world.store.element_at(world.org, id, 1).await.unwrap(), STRANGE);
}

pub async fn large_documents_come_back_whole(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let document: String = (0..200_000).map(|number| format!("{number},")).collect();
    world.change(1, &document, 1).await.unwrap();
    assert!(world.row().await.document == document);
    assert!(world.store.element_at(world.org, world.element, 2).await.unwrap() == document);
}
