//! What waits for somebody to come back from a provider.

use std::sync::Arc;

use turnstone_core::id::OrgId;

use super::Whole;
use super::world::{STRANGE, World, is_missing};
use crate::directory::*;
use crate::suite::world::at;

/// Something that waits under this state for this application, until second 100.
fn waits(org: OrgId, state: u8, client: u8) -> NewAuthorization {
    NewAuthorization {
        org,
        state_hash: [state; 32],
        client_hash: [client; 32],
        sealed: format!("{STRANGE}{state}"),
        expires_at: at(100),
    }
}

async fn take(world: &World, hash: u8, second: i64) -> Option<String> {
    let taken = world.store.take_authorization(world.org, [hash; 32], at(second)).await.unwrap();
    taken.map(|row| {
        assert_eq!(row.sealed, format!("{STRANGE}{}", row.state_hash[0]));
        row.sealed
    })
}

pub async fn a_state_is_taken_once(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.store.add_authorization(waits(world.org, 1, 9), at(0)).await.unwrap();
    assert_eq!(take(&world, 2, 1).await, None);
    assert!(take(&world, 1, 1).await.is_some());
    assert_eq!(take(&world, 1, 1).await, None);
    assert_eq!(take(&world, 9, 1).await, None);
}

pub async fn an_application_finds_what_waits_for_it_alone(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    for (state, client) in [(1, 8), (2, 9), (3, 9)] {
        world.store.add_authorization(waits(world.org, state, client), at(0)).await.unwrap();
    }
    assert_eq!(take(&world, 9, 1).await, None, "two wait for it");
    assert!(take(&world, 8, 1).await.is_some());
    assert!(take(&world, 2, 1).await.is_some());
    assert!(take(&world, 9, 1).await.is_some());
    assert_eq!(take(&world, 3, 1).await, None);
}

pub async fn authorisations_end_and_are_replaced(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.store.add_authorization(waits(world.org, 1, 9), at(0)).await.unwrap();
    assert_eq!(take(&world, 1, 100).await, None);
    let longer = NewAuthorization { expires_at: at(200), ..waits(world.org, 1, 8) };
    world.store.add_authorization(longer, at(150)).await.unwrap();
    assert_eq!(take(&world, 9, 150).await, None);
    assert!(take(&world, 8, 199).await.is_some());
}

pub async fn authorisations_belong_to_their_organisation(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    world.store.add_authorization(waits(other, 1, 9), at(0)).await.unwrap();
    assert_eq!(take(&world, 1, 1).await, None);
    assert!(world.store.take_authorization(other, [1; 32], at(1)).await.unwrap().is_some());
    is_missing(world.store.add_authorization(waits(OrgId(99), 1, 9), at(0)).await, "organisation");
}

pub async fn two_callers_share_no_state(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.store.add_authorization(waits(world.org, 1, 9), at(0)).await.unwrap();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (store, org) = (Arc::clone(&world.store), world.org);
            tokio::spawn(async move { store.take_authorization(org, [1; 32], at(1)).await.unwrap() })
        })
        .collect();
    let mut taken = 0;
    for caller in callers {
        taken += usize::from(caller.await.unwrap().is_some());
    }
    assert_eq!(taken, 1);
}
