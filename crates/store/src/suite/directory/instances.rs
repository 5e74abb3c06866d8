//! Instances: their connector, their token, their tags.

use std::sync::Arc;

use turnstone_core::id::{ElementId, InstanceId};

use super::Whole;
use super::world::{STRANGE, World, is_missing, new_element};
use crate::api::NewInstance;
use crate::directory::*;
use crate::suite::world::{LEASE, at, new_instance};

fn page() -> InstanceFilter {
    InstanceFilter { limit: 100, ..InstanceFilter::default() }
}

fn tagged(tags: &[&str]) -> InstanceFilter {
    InstanceFilter { tags: tags.iter().map(|tag| tag.to_string()).collect(), ..page() }
}

pub async fn instances_know_their_connector(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let (with, without) = (world.tagged(1, &[]).await, world.instance(2).await);
    let row = world.store.instance(world.org, with).await.unwrap();
    assert_eq!(row.element, Some((world.element, 1)));
    assert_eq!(world.store.instance(world.org, without).await.unwrap().element, None);
    let rows = world.store.instances(world.org).await.unwrap();
    assert_eq!(rows[0], row);
    assert_eq!(world.store.instance_by_token([1; 32]).await.unwrap(), Some(row));
}

pub async fn a_connector_must_be_there(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    let foreign = world.store.create_element(new_element(other, "crm"), at(0)).await.unwrap();
    let id = world.tagged(1, &["a"]).await;
    for element in [(ElementId(99), 1), (world.element, 2), (world.element, 0), (foreign, 1)] {
        let new = NewInstance { element: Some(element), ..new_instance(world.org, 2, &["x"]) };
        is_missing(world.store.create_instance(new.clone(), at(0)).await, "connector");
        is_missing(world.store.update_instance(world.org, id, new, at(0)).await, "connector");
    }
    assert_eq!(world.store.instances(world.org).await.unwrap().len(), 1);
    assert_eq!(world.store.pollers(world.org, None).await.unwrap(), [], "nothing was written");
    assert_eq!(world.store.instance(world.org, id).await.unwrap().tags, ["a"]);
}

pub async fn instances_keep_their_revision(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let id = world.tagged(1, &[]).await;
    world.change(1, "second", 1).await.unwrap();
    let row = world.store.instance(world.org, id).await.unwrap();
    assert_eq!(row.element, Some((world.element, 1)));
    let new = NewInstance { element: Some((world.element, 2)), ..new_instance(world.org, 1, &[]) };
    world.store.update_instance(world.org, id, new, at(2)).await.unwrap();
    let row = world.store.instance(world.org, id).await.unwrap();
    assert_eq!(row.element, Some((world.element, 2)));
    let late = NewInstance { element: Some((world.element, 1)), ..new_instance(world.org, 2, &[]) };
    world.store.create_instance(late, at(3)).await.unwrap();
}

pub async fn an_instance_moves_to_another_connector(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let id = world.tagged(1, &[]).await;
    let clone = world.store.create_element(new_element(world.org, "clone"), at(0)).await.unwrap();
    let new = NewInstance {
        element: Some((clone, 1)),
        element_key: "clone".into(),
        ..new_instance(world.org, 1, &[])
    };
    world.store.update_instance(world.org, id, new, at(1)).await.unwrap();
    let row = world.store.instance(world.org, id).await.unwrap();
    assert_eq!((row.element, row.element_key.as_str()), (Some((clone, 1)), "clone"));
    world.store.delete_element(world.org, world.element).await.unwrap();
    assert!(world.store.delete_element(world.org, clone).await.is_err());
}

pub async fn an_instance_leaves_its_connector(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let id = world.tagged(1, &[]).await;
    let new = NewInstance { element_key: "other".into(), ..new_instance(world.org, 1, &[]) };
    world.store.update_instance(world.org, id, new, at(1)).await.unwrap();
    let row = world.store.instance(world.org, id).await.unwrap();
    assert_eq!((row.element, row.element_key.as_str()), (None, "crm"));
    world.store.delete_element(world.org, world.element).await.unwrap();
}

pub async fn tokens_find_their_instance(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    let first = world.tagged(1, &["b", "a"]).await;
    let foreign = world.store.create_instance(new_instance(other, 2, &[]), at(0)).await.unwrap();
    let row = world.store.instance_by_token([1; 32]).await.unwrap().unwrap();
    assert_eq!((row.id, row.org, row.tags), (first, world.org, vec!["b".to_string(), "a".to_string()]));
    let row = world.store.instance_by_token([2; 32]).await.unwrap().unwrap();
    assert_eq!((row.id, row.org), (foreign, other));
    assert_eq!(world.store.instance_by_token([3; 32]).await.unwrap(), None);
    let disabled = NewInstance { enabled: false, ..new_instance(world.org, 4, &[]) };
    world.store.create_instance(disabled, at(0)).await.unwrap();
    assert!(!world.store.instance_by_token([4; 32]).await.unwrap().unwrap().enabled);
    world.store.delete_instance(world.org, first, at(1)).await.unwrap();
    assert_eq!(world.store.instance_by_token([1; 32]).await.unwrap(), None);
    world.user("u", Role::Owner, 5).await;
    assert_eq!(world.store.instance_by_token([5; 32]).await.unwrap(), None);
}

pub async fn pages_follow_each_other(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for token in 1..=7 {
        ids.push(world.tagged(token, &["a"]).await);
    }
    for filter in [page(), tagged(&["a"]), InstanceFilter { element: Some(world.element), ..page() }] {
        let mut seen: Vec<InstanceId> = Vec::new();
        loop {
            let after = seen.last().map_or(0, |id| id.0);
            let next = world.page(InstanceFilter { after, limit: 3, ..filter.clone() }).await;
            assert!(next.len() <= 3);
            if next.is_empty() {
                break;
            }
            seen.extend(next);
        }
        assert_eq!(seen, ids, "{filter:?}");
        assert!(world.page(InstanceFilter { limit: 0, ..filter.clone() }).await.is_empty());
        assert!(world.page(InstanceFilter { after: i64::MAX, ..filter.clone() }).await.is_empty());
        assert_eq!(world.page(InstanceFilter { after: i64::MIN, limit: u32::MAX, ..filter }).await, ids);
    }
    assert_eq!(
        world.store.instances_page(world.org, &page()).await.unwrap(),
        world.store.instances(world.org).await.unwrap()
    );
}

pub async fn pages_are_narrowed_by_tags(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let both = world.tagged(1, &["a", "b"]).await;
    let doubled = world.tagged(2, &["a", "a"]).await;
    let other = world.tagged(3, &["b", "c", "a"]).await;
    world.tagged(4, &[]).await;
    assert_eq!(world.page(tagged(&["a"])).await, [both, doubled, other]);
    assert_eq!(world.page(tagged(&["a", "b"])).await, [both, other]);
    assert_eq!(world.page(tagged(&["b", "a"])).await, [both, other]);
    assert_eq!(world.page(tagged(&["a", "a"])).await, [both, doubled, other]);
    assert_eq!(world.page(tagged(&["c", "b", "a"])).await, [other]);
    assert!(world.page(tagged(&["a", "d"])).await.is_empty());
    assert!(world.page(tagged(&["A"])).await.is_empty());
    assert!(world.page(tagged(&[""])).await.is_empty());
    let one = InstanceFilter { limit: 1, ..tagged(&["b", "a"]) };
    assert_eq!(world.page(one).await, [both]);
    let untagged = NewInstance { tags: vec![], ..new_instance(world.org, 1, &[]) };
    world.store.update_instance(world.org, both, untagged, at(1)).await.unwrap();
    assert_eq!(world.page(tagged(&["b"])).await, [other]);
}

pub async fn pages_are_narrowed_by_connector(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let first = world.tagged(1, &["a"]).await;
    world.instance(2).await;
    let second = world.tagged(3, &[]).await;
    let of = |element| InstanceFilter { element: Some(element), ..page() };
    assert_eq!(world.page(of(world.element)).await, [first, second]);
    let narrow = InstanceFilter { element: Some(world.element), ..tagged(&["a"]) };
    assert_eq!(world.page(narrow).await, [first]);
    let none = InstanceFilter { element: Some(ElementId(99)), ..tagged(&["a"]) };
    assert!(world.page(none).await.is_empty());
    assert!(world.page(of(ElementId(99))).await.is_empty());
}

pub async fn pages_hold_nothing_foreign(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    world.tagged(1, &["a"]).await;
    let of_it = InstanceFilter { element: Some(world.element), ..page() };
    for filter in [page(), tagged(&["a"]), of_it] {
        assert_eq!(world.store.instances_page(other, &filter).await.unwrap(), []);
    }
    assert_eq!(world.store.tags(other).await.unwrap(), []);
}

pub async fn tags_are_counted(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    assert_eq!(world.store.tags(world.org).await.unwrap(), []);
    world.tagged(1, &["b", "a"]).await;
    let gone = world.tagged(2, &["a", "a", "B"]).await;
    let count = |tag: &str, instances| TagCount { tag: tag.into(), instances };
    assert_eq!(
        world.store.tags(world.org).await.unwrap(),
        [count("B", 1), count("a", 2), count("b", 1)],
        "by their bytes, and an instance counts once"
    );
    world.store.delete_instance(world.org, gone, at(1)).await.unwrap();
    assert_eq!(world.store.tags(world.org).await.unwrap(), [count("a", 1), count("b", 1)]);
}

pub async fn tags_hold_any_text(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let id = world.tagged(1, &[STRANGE, ""]).await;
    world.tagged(2, &["a"]).await;
    assert_eq!(world.page(tagged(&[STRANGE])).await, [id]);
    assert_eq!(world.page(tagged(&["", STRANGE])).await, [id]);
    let tags: Vec<String> =
        world.store.tags(world.org).await.unwrap().into_iter().map(|count| count.tag).collect();
    assert_eq!(tags, ["", "a", STRANGE]);
}

pub async fn claims_carry_the_connector(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let new = NewInstance { element: Some((world.element, 1)), ..new_instance(world.org, 1, &["contacts"]) };
    let id = world.store.create_instance(new, at(0)).await.unwrap();
    let poller = world.store.pollers(world.org, Some(id)).await.unwrap()[0].id;
    let claim = world.store.claim(poller, at(1), LEASE).await.unwrap().unwrap();
    assert_eq!(claim.instance.element, Some((world.element, 1)));
}

pub async fn names_are_searched(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for token in 1..=3 {
        ids.push(world.tagged(token, &["a"]).await);
    }
    let names: Vec<String> =
        world.store.instances(world.org).await.unwrap().into_iter().map(|row| row.name).collect();
    let search = |text: &str| InstanceFilter { search: text.into(), ..page() };
    assert_eq!(world.page(search(&names[1].to_uppercase())).await, [ids[1]]);
    let common: String = names[0].chars().take(3).collect();
    assert_eq!(world.page(search(&common)).await, ids);
    assert_eq!(world.page(InstanceFilter { limit: 1, after: ids[0].0, ..search(&common) }).await, [ids[1]]);
    assert!(world.page(search("nobody is called that %")).await.is_empty());
    let both = InstanceFilter { tags: vec!["a".into()], ..search(&names[2]) };
    assert_eq!(world.page(both).await, [ids[2]]);
    let of_connector = InstanceFilter { element: Some(world.element), ..search(&names[2]) };
    assert_eq!(world.page(of_connector).await, [ids[2]]);
}
