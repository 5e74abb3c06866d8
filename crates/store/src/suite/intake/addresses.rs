//! How requests find their instance.

use std::sync::Arc;

use turnstone_core::id::InstanceId;

use super::Both;
use super::world::World;
use crate::api::*;
use crate::intake::*;
use crate::suite::world::{at, new_instance};

fn intake(address: Option<u8>, matches: &[u8]) -> Option<NewIntake> {
    Some(NewIntake {
        address: address.map(|number| ([number; 32], format!("sealed {number}"))),
        matches: matches.iter().map(|number| [*number; 32]).collect(),
    })
}

async fn make(world: &World, token: u8, intake: Option<NewIntake>) -> InstanceId {
    let new = NewInstance { intake, ..new_instance(world.org, token, &[]) };
    world.store.create_instance(new, at(0)).await.unwrap()
}

async fn change(world: &World, id: InstanceId, intake: Option<NewIntake>) -> Result<()> {
    let new = NewInstance { intake, ..new_instance(world.org, 0, &[]) };
    world.store.update_instance(world.org, id, new, at(1)).await
}

async fn found(world: &World, address: u8) -> Option<InstanceId> {
    world.intake.instance_by_address([address; 32]).await.unwrap().map(|row| row.id)
}

async fn matching(world: &World, value: u8, limit: u32) -> Vec<InstanceId> {
    let rows = world.intake.instances_by_match("crm", [value; 32], limit).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

pub async fn an_address_finds_its_instance(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = make(&world, 2, intake(Some(1), &[])).await;
    let row = world.intake.instance_by_address([1; 32]).await.unwrap().unwrap();
    assert_eq!(row, world.store.instance(world.org, id).await.unwrap());
    assert_eq!(world.intake.address(world.org, id).await.unwrap().as_deref(), Some("sealed 1"));
    assert_eq!(found(&world, 2).await, None);
    assert_eq!(world.intake.address(world.org, world.instance).await.unwrap(), None);
}

pub async fn an_address_is_taken_once(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = make(&world, 2, intake(Some(1), &[])).await;
    let second = make(&world, 3, intake(Some(2), &[])).await;
    let bare = make(&world, 4, None).await;
    let before = world.store.instances(world.org).await.unwrap();
    let new = NewInstance { intake: intake(Some(1), &[7]), ..new_instance(world.org, 5, &["deals"]) };
    assert!(matches!(world.store.create_instance(new, at(0)).await, Err(StoreError::Conflict(_))));
    let taken = world.intake.replace_address(world.org, second, [1; 32], "x", at(0)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))));
    assert!(matches!(change(&world, bare, intake(Some(1), &[7])).await, Err(StoreError::Conflict(_))));
    assert_eq!(world.store.instances(world.org).await.unwrap(), before, "nothing was written");
    assert_eq!(matching(&world, 7, 9).await, []);
    assert_eq!((found(&world, 1).await, found(&world, 2).await), (Some(first), Some(second)));
    world.intake.replace_address(world.org, first, [1; 32], "again", at(0)).await.unwrap();
    assert_eq!(world.intake.address(world.org, first).await.unwrap().as_deref(), Some("again"));
}

pub async fn an_address_is_replaced(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = make(&world, 2, intake(Some(1), &[])).await;
    world.intake.replace_address(world.org, id, [3; 32], "sealed\0 3", at(1)).await.unwrap();
    assert_eq!((found(&world, 1).await, found(&world, 3).await), (None, Some(id)));
    assert_eq!(world.intake.address(world.org, id).await.unwrap().as_deref(), Some("sealed\0 3"));
    make(&world, 3, intake(Some(1), &[])).await;
    world.intake.replace_address(world.org, world.instance, [4; 32], "its first", at(1)).await.unwrap();
    assert_eq!(found(&world, 4).await, Some(world.instance));
}

pub async fn changes_keep_the_address(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = make(&world, 2, intake(Some(1), &[])).await;
    change(&world, id, intake(Some(2), &[])).await.unwrap();
    assert_eq!((found(&world, 1).await, found(&world, 2).await), (Some(id), None));
    change(&world, id, intake(None, &[])).await.unwrap();
    assert_eq!(found(&world, 1).await, Some(id));
    let bare = make(&world, 3, None).await;
    change(&world, bare, intake(Some(2), &[])).await.unwrap();
    assert_eq!(found(&world, 2).await, Some(bare));
}

pub async fn an_intake_that_is_left_out_is_removed(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = make(&world, 2, intake(Some(1), &[5])).await;
    let kept = world.take_in(id, super::world::named(1), 1).await;
    change(&world, id, None).await.unwrap();
    assert_eq!((found(&world, 1).await, matching(&world, 5, 9).await), (None, vec![]));
    assert_eq!(world.intake.address(world.org, id).await.unwrap(), None);
    assert_eq!(world.due_requests(1).await.len(), 1, "{kept:?} stays");
    change(&world, id, intake(Some(2), &[])).await.unwrap();
    assert_eq!((found(&world, 1).await, found(&world, 2).await), (None, Some(id)));
}

pub async fn values_find_instances(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let first = make(&world, 2, intake(None, &[5, 6, 5])).await;
    let second = make(&world, 3, intake(None, &[5])).await;
    let other = NewInstance {
        element_key: "shop".into(),
        intake: intake(None, &[5]),
        ..new_instance(world.org, 4, &[])
    };
    let other = world.store.create_instance(other, at(0)).await.unwrap();
    assert_eq!(matching(&world, 5, 9).await, [first, second]);
    assert_eq!(matching(&world, 5, 1).await, [first]);
    assert_eq!(matching(&world, 5, 0).await, []);
    assert_eq!(matching(&world, 6, 9).await, [first]);
    assert_eq!(matching(&world, 7, 9).await, []);
    let rows = world.intake.instances_by_match("shop", [5; 32], 9).await.unwrap();
    assert_eq!(rows, [world.store.instance(world.org, other).await.unwrap()]);
}

pub async fn values_are_replaced(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = make(&world, 2, intake(Some(1), &[5, 6])).await;
    change(&world, id, intake(Some(1), &[6, 7])).await.unwrap();
    assert_eq!(matching(&world, 5, 9).await, []);
    assert_eq!((matching(&world, 6, 9).await, matching(&world, 7, 9).await), (vec![id], vec![id]));
}

pub async fn an_id_finds_any_instance(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    let id = world.store.create_instance(new_instance(other, 7, &[]), at(0)).await.unwrap();
    let row = world.intake.instance_anywhere(id).await.unwrap().unwrap();
    assert_eq!(row, world.store.instance(other, id).await.unwrap());
    assert_eq!(world.intake.instance_anywhere(InstanceId(999)).await.unwrap(), None);
}

pub async fn addresses_go_with_their_instance(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = make(&world, 2, intake(Some(1), &[5])).await;
    world.store.delete_instance(world.org, id, at(1)).await.unwrap();
    assert_eq!((found(&world, 1).await, matching(&world, 5, 9).await), (None, vec![]));
    assert_eq!(world.intake.instance_anywhere(id).await.unwrap(), None);
    let next = make(&world, 2, intake(Some(1), &[])).await;
    assert_eq!(found(&world, 1).await, Some(next));
}

pub async fn addresses_belong_to_their_organisation(store: Arc<dyn Both>) {
    let world = World::new(store).await;
    let id = make(&world, 2, intake(Some(1), &[])).await;
    let other = world.store.ensure_org("other", at(0)).await.unwrap();
    let answer = world.intake.address(other, id).await;
    assert!(matches!(answer, Err(StoreError::NotFound("instance"))), "{answer:?}");
    let answer = world.intake.replace_address(other, id, [2; 32], "x", at(0)).await;
    assert!(matches!(answer, Err(StoreError::NotFound("instance"))), "{answer:?}");
    assert_eq!(found(&world, 1).await, Some(id));
}
