//! Organisations, their tokens and their users.

use std::sync::Arc;

use turnstone_core::id::{OrgId, TokenId, UserId};

use super::Whole;
use super::world::{STRANGE, World, is_missing, is_taken, new_user};
use crate::directory::*;
use crate::suite::world::at;

pub async fn organisations_are_listed(store: Arc<dyn Whole>) {
    assert_eq!(store.orgs().await.unwrap(), []);
    let second = store.ensure_org("b", at(3)).await.unwrap();
    let first = store.ensure_org("a", at(4)).await.unwrap();
    store.ensure_org("b", at(9)).await.unwrap();
    let row = |id, name: &str, seconds| OrgRow { id, name: name.into(), created_at: at(seconds) };
    assert_eq!(store.orgs().await.unwrap(), [row(second, "b", 3), row(first, "a", 4)]);
    assert_eq!(store.org(first).await.unwrap(), row(first, "a", 4));
    assert_eq!(store.org_by_name("b").await.unwrap(), Some(row(second, "b", 3)));
    assert_eq!(store.org_by_name("B").await.unwrap(), None);
    is_missing(store.org(OrgId(99)).await, "organisation");
    is_missing(store.org(OrgId(0)).await, "organisation");
}

pub async fn organisation_tokens_are_listed_and_removed(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    let added = world.store.add_org_token(world.org, [9; 32], at(1)).await.unwrap();
    world.store.add_org_token(other, [8; 32], at(2)).await.unwrap();
    world.store.add_org_token(world.org, [1; 32], at(3)).await.unwrap();
    world.user("u", Role::Owner, 7).await;
    let rows = world.store.org_tokens(world.org).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.created_at).collect::<Vec<_>>(), [at(1), at(3)]);
    assert!(rows[0].id == added && added < rows[1].id);
    is_missing(world.store.remove_org_token(other, rows[0].id).await, "token");
    is_missing(world.store.remove_org_token(world.org, TokenId(99)).await, "token");
    assert_eq!(world.store.org_by_token([9; 32]).await.unwrap(), Some(world.org));
    world.store.remove_org_token(world.org, rows[0].id).await.unwrap();
    is_missing(world.store.remove_org_token(world.org, rows[0].id).await, "token");
    assert_eq!(world.store.org_by_token([9; 32]).await.unwrap(), None);
    assert_eq!(world.store.org_by_token([1; 32]).await.unwrap(), Some(world.org));
    assert_eq!(world.store.org_tokens(world.org).await.unwrap(), rows[1..]);
    assert_eq!(world.store.org_tokens(OrgId(99)).await.unwrap(), []);
}

pub async fn a_removed_organisation_token_is_free(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.store.add_org_token(world.org, [9; 32], at(1)).await.unwrap();
    let was = world.store.org_tokens(world.org).await.unwrap()[0].id;
    world.store.remove_org_token(world.org, was).await.unwrap();
    world.store.add_org_token(world.other().await, [9; 32], at(2)).await.unwrap();
    let is = world.store.org_tokens(world.other().await).await.unwrap()[0].id;
    assert!(is > was, "ids are not used again");
}

pub async fn users_come_back_as_they_were_made(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    assert_eq!(world.store.users(world.org).await.unwrap(), []);
    let mut ids = Vec::new();
    for (number, role) in Role::ALL.into_iter().enumerate() {
        let new = new_user(world.org, &format!("u{number}"), role, number as u8);
        let id = world.store.create_user(new.clone(), at(number as i64)).await.unwrap();
        let row = world.store.user(world.org, id).await.unwrap();
        assert_eq!((row.id, row.org, &row.name, &row.email), (id, world.org, &new.name, &new.email));
        assert_eq!((row.role, row.created_at), (role, at(number as i64)));
        assert_eq!(world.store.user_by_token([number as u8; 32]).await.unwrap(), Some(row));
        ids.push(id);
    }
    let listed = world.store.users(world.org).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
    assert!(ids.is_sorted());
    assert_eq!(world.store.user_by_token([99; 32]).await.unwrap(), None);
    is_missing(world.store.user(world.org, UserId(99)).await, "user");
}

pub async fn users_need_an_organisation(store: Arc<dyn Whole>) {
    is_missing(store.create_user(new_user(OrgId(9), "a", Role::Owner, 1), at(0)).await, "organisation");
    assert_eq!(store.user_by_token([1; 32]).await.unwrap(), None);
    assert_eq!(store.users(OrgId(9)).await.unwrap(), []);
}

pub async fn names_are_taken_once_per_organisation(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.user("ann", Role::Owner, 1).await;
    is_taken(world.store.create_user(new_user(world.org, "ann", Role::Reader, 2), at(0)).await);
    assert_eq!(world.store.user_by_token([2; 32]).await.unwrap(), None, "nothing was written");
    world.user("Ann", Role::Reader, 2).await;
    let other = world.other().await;
    let foreign = world.store.create_user(new_user(other, "ann", Role::Reader, 3), at(0)).await.unwrap();
    assert_eq!(world.store.user(other, foreign).await.unwrap().role, Role::Reader);
}

pub async fn tokens_are_taken_once_by_anybody(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let other = world.other().await;
    let ann = world.user("ann", Role::Owner, 1).await;
    world.store.add_org_token(other, [2; 32], at(0)).await.unwrap();
    for token in [1, 2] {
        is_taken(world.store.create_user(new_user(world.org, "bob", Role::Member, token), at(0)).await);
        is_taken(world.store.create_user(new_user(other, "bob", Role::Member, token), at(0)).await);
        is_taken(world.store.add_org_token(world.org, [token; 32], at(0)).await);
        is_taken(world.store.replace_user_token(world.org, ann, [token; 32], at(0)).await);
    }
    assert_eq!(world.store.users(world.org).await.unwrap().len(), 1);
    assert_eq!(world.store.users(other).await.unwrap(), []);
    assert_eq!(world.store.user_by_token([1; 32]).await.unwrap().unwrap().id, ann);
}

pub async fn user_tokens_are_no_organisation_tokens(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.user("ann", Role::Owner, 1).await;
    world.store.add_org_token(world.org, [2; 32], at(0)).await.unwrap();
    assert_eq!(world.store.org_by_token([1; 32]).await.unwrap(), None);
    assert_eq!(world.store.user_by_token([2; 32]).await.unwrap(), None);
    assert_eq!(world.store.org_tokens(world.org).await.unwrap().len(), 1);
    for id in 0..9 {
        // The user's token has one of these ids, and is not to be had this way.
        let _ = world.store.remove_org_token(world.org, TokenId(id)).await; // Most are missing.
    }
    assert!(world.store.user_by_token([1; 32]).await.unwrap().is_some());
    assert_eq!(world.store.org_tokens(world.org).await.unwrap(), []);
}

pub async fn roles_change(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.user("ann", Role::Owner, 1).await;
    let bob = world.user("bob", Role::Reader, 2).await;
    for role in Role::ALL {
        world.store.change_user(world.org, bob, UserChange::of_role(role)).await.unwrap();
        let row = world.store.user(world.org, bob).await.unwrap();
        assert_eq!((row.role, row.name.as_str(), row.created_at), (role, "bob", at(0)));
        assert_eq!(world.store.user_by_token([2; 32]).await.unwrap(), Some(row));
    }
    is_missing(
        world.store.change_user(world.org, UserId(99), UserChange::of_role(Role::Owner)).await,
        "user",
    );
}

pub async fn users_change_as_a_whole_or_not_at_all(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Owner, 1).await;
    let bob = world.user("bob", Role::Member, 2).await;
    let other = world.other().await;
    world.store.create_user(new_user(other, "eve", Role::Owner, 3), at(0)).await.unwrap();
    let named = |name: &str| UserChange { name: Some(name.into()), ..UserChange::default() };
    // A name of another organisation is free, and one's own is no other's.
    world.store.change_user(world.org, bob, named("eve")).await.unwrap();
    world.store.change_user(world.org, bob, named("eve")).await.unwrap();
    let change = UserChange { email: Some(STRANGE.into()), ..named(STRANGE) };
    world.store.change_user(world.org, bob, change).await.unwrap();
    let row = world.store.user(world.org, bob).await.unwrap();
    assert_eq!((row.name.as_str(), row.email.as_str(), row.role), (STRANGE, STRANGE, Role::Member));
    world.store.change_user(world.org, bob, UserChange::default()).await.unwrap();
    assert_eq!(world.store.user(world.org, bob).await.unwrap(), row);
    let taken = UserChange { role: Some(Role::Owner), email: Some("x".into()), ..named("ann") };
    is_taken(world.store.change_user(world.org, bob, taken).await);
    assert_eq!(world.store.user(world.org, bob).await.unwrap(), row);
    let last = UserChange { role: Some(Role::Reader), ..named("anna") };
    is_taken(world.store.change_user(world.org, ann, last).await);
    assert_eq!(world.store.user(world.org, ann).await.unwrap().name, "ann");
    is_missing(world.store.change_user(other, bob, named("x")).await, "user");
}

pub async fn the_last_owner_stays(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Owner, 1).await;
    let bob = world.user("bob", Role::Admin, 2).await;
    let other = world.other().await;
    world.store.create_user(new_user(other, "eve", Role::Owner, 3), at(0)).await.unwrap();
    for role in [Role::Admin, Role::Member, Role::Reader] {
        is_taken(world.store.change_user(world.org, ann, UserChange::of_role(role)).await);
    }
    is_taken(world.store.remove_user(world.org, ann).await);
    assert_eq!(world.store.user(world.org, ann).await.unwrap().role, Role::Owner);
    assert!(world.store.user_by_token([1; 32]).await.unwrap().is_some());
    world.store.change_user(world.org, ann, UserChange::of_role(Role::Owner)).await.unwrap();
    world.store.change_user(world.org, bob, UserChange::of_role(Role::Owner)).await.unwrap();
    world.store.change_user(world.org, ann, UserChange::of_role(Role::Reader)).await.unwrap();
    world.store.remove_user(world.org, ann).await.unwrap();
    is_taken(world.store.remove_user(world.org, bob).await);
}

pub async fn two_owners_leave_one(store: Arc<dyn Whole>) {
    let world = Arc::new(World::new(store).await);
    let owners = [world.user("ann", Role::Owner, 1).await, world.user("bob", Role::Owner, 2).await];
    let tasks = owners.map(|id| {
        let world = world.clone();
        tokio::spawn(async move { world.store.remove_user(world.org, id).await.is_ok() })
    });
    let mut removed = 0;
    for task in tasks {
        removed += usize::from(task.await.unwrap());
    }
    assert_eq!(removed, 1);
    assert_eq!(world.store.users(world.org).await.unwrap().len(), 1);
}

pub async fn an_organisation_without_owner_may_stay_so(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Member, 1).await;
    world.store.change_user(world.org, ann, UserChange::of_role(Role::Reader)).await.unwrap();
    world.store.remove_user(world.org, ann).await.unwrap();
    assert_eq!(world.store.users(world.org).await.unwrap(), []);
}

pub async fn removed_users_are_forgotten(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    world.user("ann", Role::Owner, 1).await;
    let bob = world.user("bob", Role::Member, 2).await;
    world.store.remove_user(world.org, bob).await.unwrap();
    is_missing(world.store.user(world.org, bob).await, "user");
    is_missing(world.store.remove_user(world.org, bob).await, "user");
    is_missing(world.store.change_user(world.org, bob, UserChange::of_role(Role::Owner)).await, "user");
    is_missing(world.store.replace_user_token(world.org, bob, [9; 32], at(1)).await, "user");
    assert_eq!(world.store.user_by_token([2; 32]).await.unwrap(), None);
    world.store.add_org_token(world.org, [2; 32], at(1)).await.unwrap();
    world.user("bob", Role::Member, 3).await;
}

pub async fn user_ids_are_never_used_twice(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Member, 1).await;
    world.store.remove_user(world.org, ann).await.unwrap();
    assert!(world.user("ann", Role::Member, 1).await > ann);
}

pub async fn tokens_are_replaced(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let ann = world.user("ann", Role::Owner, 1).await;
    world.store.open_session(world.session_of(ann, 5), at(0)).await.unwrap();
    world.store.replace_user_token(world.org, ann, [2; 32], at(1)).await.unwrap();
    assert_eq!(world.store.user_by_token([1; 32]).await.unwrap(), None);
    assert_eq!(world.store.user_by_token([2; 32]).await.unwrap().unwrap().id, ann);
    assert!(world.store.session([5; 32], at(1)).await.unwrap().is_some(), "sessions stay");
    world.user("bob", Role::Reader, 1).await;
    is_taken(world.store.replace_user_token(world.org, ann, [1; 32], at(2)).await);
    assert_eq!(world.store.user_by_token([2; 32]).await.unwrap().unwrap().id, ann);
}

pub async fn organisations_do_not_share_users(store: Arc<dyn Whole>) {
    let world = World::new(store).await;
    let (ann, other) = (world.user("ann", Role::Owner, 1).await, world.other().await);
    world.user("bob", Role::Owner, 2).await;
    is_missing(world.store.user(other, ann).await, "user");
    is_missing(world.store.change_user(other, ann, UserChange::of_role(Role::Reader)).await, "user");
    is_missing(world.store.remove_user(other, ann).await, "user");
    is_missing(world.store.replace_user_token(other, ann, [9; 32], at(1)).await, "user");
    is_missing(world.store.close_sessions(other, ann).await, "user");
    assert_eq!(world.store.users(other).await.unwrap(), []);
    let row = world.store.user_by_token([1; 32]).await.unwrap().unwrap();
    assert_eq!((row.org, row.role), (world.org, Role::Owner), "nothing was written");
}

pub async fn people_have_any_name(store: Arc<dyn Whole>) {
    let org = store.ensure_org(STRANGE, at(0)).await.unwrap();
    assert_eq!(store.org_by_name(STRANGE).await.unwrap().unwrap().id, org);
    assert_eq!(store.org(org).await.unwrap().name, STRANGE);
    let mut new = new_user(org, STRANGE, Role::Owner, 1);
    new.email = STRANGE.into();
    let id = store.create_user(new.clone(), at(0)).await.unwrap();
    let row = store.user(org, id).await.unwrap();
    assert_eq!((row.name.as_str(), row.email.as_str()), (STRANGE, STRANGE));
    new.token_hash = [2; 32];
    is_taken(store.create_user(new.clone(), at(0)).await);
    new.name = "a".into();
    new.email = String::new();
    store.create_user(new, at(0)).await.unwrap();
}
