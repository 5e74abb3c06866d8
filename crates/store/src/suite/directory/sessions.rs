//! Sessions of browsers, and codes that open them.

use std::sync::Arc;

use jiff::Timestamp;
use turnstone_core::id::UserId;

use super::Whole;
use super::world::{World, is_missing, is_taken};
use crate::directory::*;
use crate::suite::world::at;

async fn world_of_two(store: Arc<dyn Whole>) -> (World, UserId, UserId) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Owner, 1).await;
    let bob = world.user("bob", Role::Member, 2).await;
    (world, ann, bob)
}

pub async fn sessions_stand_until_they_end(store: Arc<dyn Whole>) {
    let (world, ann, _) = world_of_two(store).await;
    world.store.open_session(world.session_of(ann, 5), at(3)).await.unwrap();
    let row = world.store.session([5; 32], at(3)).await.unwrap().unwrap();
    assert_eq!(row.user, world.store.user(world.org, ann).await.unwrap());
    assert_eq!((row.change_hash, row.created_at, row.expires_at), ([0xfa; 32], at(3), at(100)));
    let last = at(100) - jiff::SignedDuration::from_micros(1);
    assert_eq!(world.store.session([5; 32], last).await.unwrap(), Some(row));
    assert_eq!(world.store.session([5; 32], at(100)).await.unwrap(), None);
    assert_eq!(world.store.session([5; 32], Timestamp::MAX).await.unwrap(), None);
    assert_eq!(world.store.session([0xfa; 32], at(3)).await.unwrap(), None, "the change token opens nothing");
    assert_eq!(world.store.session([1; 32], at(3)).await.unwrap(), None, "nor does the user's token");
}

pub async fn sessions_follow_their_user(store: Arc<dyn Whole>) {
    let (world, _, bob) = world_of_two(store).await;
    world.store.open_session(world.session_of(bob, 5), at(0)).await.unwrap();
    world.store.change_user(world.org, bob, UserChange::of_role(Role::Reader)).await.unwrap();
    assert_eq!(world.store.session([5; 32], at(1)).await.unwrap().unwrap().user.role, Role::Reader);
}

pub async fn sessions_need_a_user(store: Arc<dyn Whole>) {
    let (world, ann, _) = world_of_two(store).await;
    let foreign = NewSession { org: world.other().await, ..world.session_of(ann, 5) };
    is_missing(world.store.open_session(foreign, at(0)).await, "user");
    is_missing(world.store.open_session(world.session_of(UserId(99), 5), at(0)).await, "user");
    is_missing(world.store.close_sessions(world.org, UserId(99)).await, "user");
    assert_eq!(world.store.session([5; 32], at(0)).await.unwrap(), None);
}

pub async fn a_session_is_opened_once(store: Arc<dyn Whole>) {
    let (world, ann, bob) = world_of_two(store).await;
    world.store.open_session(world.session_of(ann, 5), at(0)).await.unwrap();
    is_taken(world.store.open_session(world.session_of(bob, 5), at(1)).await);
    assert_eq!(world.store.session([5; 32], at(1)).await.unwrap().unwrap().user.id, ann);
    is_taken(world.store.open_session(world.session_of(bob, 5), at(200)).await);
}

pub async fn closing_ends_one_session(store: Arc<dyn Whole>) {
    let (world, ann, _) = world_of_two(store).await;
    for hash in [5, 6] {
        world.store.open_session(world.session_of(ann, hash), at(0)).await.unwrap();
    }
    world.store.close_session([5; 32]).await.unwrap();
    world.store.close_session([5; 32]).await.unwrap();
    world.store.close_session([7; 32]).await.unwrap();
    assert_eq!(world.store.session([5; 32], at(1)).await.unwrap(), None);
    assert!(world.store.session([6; 32], at(1)).await.unwrap().is_some());
    assert!(world.store.user_by_token([1; 32]).await.unwrap().is_some());
}

pub async fn closing_all_ends_those_of_one_user(store: Arc<dyn Whole>) {
    let (world, ann, bob) = world_of_two(store).await;
    for (user, hash) in [(ann, 5), (ann, 6), (bob, 7)] {
        world.store.open_session(world.session_of(user, hash), at(0)).await.unwrap();
    }
    world.store.add_sign_in_code(world.code_of(ann, 8), at(0)).await.unwrap();
    world.store.add_sign_in_code(world.code_of(bob, 9), at(0)).await.unwrap();
    assert_eq!(world.store.close_sessions(world.org, ann).await.unwrap(), 2);
    assert_eq!(world.store.close_sessions(world.org, ann).await.unwrap(), 0);
    assert_eq!(world.store.session([5; 32], at(1)).await.unwrap(), None);
    assert!(world.store.session([7; 32], at(1)).await.unwrap().is_some());
    assert_eq!(world.store.use_sign_in_code([8; 32], at(1)).await.unwrap(), None);
    assert_eq!(world.store.use_sign_in_code([9; 32], at(1)).await.unwrap().unwrap().id, bob);
}

pub async fn sessions_go_with_their_user(store: Arc<dyn Whole>) {
    let (world, _, bob) = world_of_two(store).await;
    world.store.open_session(world.session_of(bob, 5), at(0)).await.unwrap();
    world.store.remove_user(world.org, bob).await.unwrap();
    assert_eq!(world.store.session([5; 32], at(1)).await.unwrap(), None);
}

pub async fn codes_sign_in_once(store: Arc<dyn Whole>) {
    let (world, ann, bob) = world_of_two(store).await;
    world.store.add_sign_in_code(world.code_of(ann, 5), at(0)).await.unwrap();
    is_taken(world.store.add_sign_in_code(world.code_of(bob, 5), at(0)).await);
    assert_eq!(world.store.use_sign_in_code([6; 32], at(1)).await.unwrap(), None);
    let user = world.store.use_sign_in_code([5; 32], at(1)).await.unwrap();
    assert_eq!(user, Some(world.store.user(world.org, ann).await.unwrap()));
    assert_eq!(world.store.use_sign_in_code([5; 32], at(1)).await.unwrap(), None);
}

pub async fn two_callers_share_no_code(store: Arc<dyn Whole>) {
    let (world, ann, _) = world_of_two(store).await;
    let world = Arc::new(world);
    for code in 10..20 {
        world.store.add_sign_in_code(world.code_of(ann, code), at(0)).await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let world = world.clone();
                tokio::spawn(async move { world.store.use_sign_in_code([code; 32], at(1)).await.unwrap() })
            })
            .collect();
        let mut signed_in = 0;
        for task in tasks {
            signed_in += usize::from(task.await.unwrap().is_some());
        }
        assert_eq!(signed_in, 1);
    }
}

pub async fn codes_end(store: Arc<dyn Whole>) {
    let (world, ann, _) = world_of_two(store).await;
    world.store.add_sign_in_code(world.code_of(ann, 5), at(0)).await.unwrap();
    assert_eq!(world.store.use_sign_in_code([5; 32], at(100)).await.unwrap(), None);
    let last = at(100) - jiff::SignedDuration::from_micros(1);
    assert!(
        world.store.use_sign_in_code([5; 32], last).await.unwrap().is_some(),
        "coming late takes nothing"
    );
}

pub async fn codes_need_a_user(store: Arc<dyn Whole>) {
    let (world, ann, _) = world_of_two(store).await;
    let foreign = NewSignInCode { org: world.other().await, ..world.code_of(ann, 5) };
    is_missing(world.store.add_sign_in_code(foreign, at(0)).await, "user");
    is_missing(world.store.add_sign_in_code(world.code_of(UserId(99), 5), at(0)).await, "user");
    assert_eq!(world.store.use_sign_in_code([5; 32], at(0)).await.unwrap(), None);
}

pub async fn codes_go_with_their_user(store: Arc<dyn Whole>) {
    let (world, _, bob) = world_of_two(store).await;
    world.store.add_sign_in_code(world.code_of(bob, 5), at(0)).await.unwrap();
    world.store.remove_user(world.org, bob).await.unwrap();
    assert_eq!(world.store.use_sign_in_code([5; 32], at(1)).await.unwrap(), None);
}

pub async fn instants_are_cut_to_microseconds(store: Arc<dyn Whole>) {
    let (world, ann, _) = world_of_two(store).await;
    let fine = Timestamp::from_nanosecond(1_700_000_000_123_456_789).expect("a valid instant");
    let cut = Timestamp::from_microsecond(1_700_000_000_123_456).expect("a valid instant");
    let session = NewSession { expires_at: fine, ..world.session_of(ann, 5) };
    world.store.open_session(session, fine - jiff::SignedDuration::from_secs(1)).await.unwrap();
    let row = world.store.session([5; 32], at(0)).await.unwrap().unwrap();
    assert_eq!(row.expires_at, cut);
    assert_eq!(row.created_at, cut - jiff::SignedDuration::from_secs(1));
    assert_eq!(world.store.session([5; 32], fine).await.unwrap(), None);
    assert_eq!(world.store.session([5; 32], cut).await.unwrap(), None);
}
