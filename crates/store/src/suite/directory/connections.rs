//! Connections: generations of tokens, and who fetches the next one.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{InstanceId, OrgId};

use super::Whole;
use super::world::{STRANGE, World, is_missing};
use crate::api::Lease;
use crate::directory::*;
use crate::suite::world::{LEASE, at};

/// A world and one instance in it.
struct Connected {
    world: World,
    org: OrgId,
    id: InstanceId,
}

impl Connected {
    async fn new(store: Arc<dyn Whole>) -> Connected {
        let world = World::new(store).await;
        let (org, id) = (world.org, world.instance(1).await);
        Connected { world, org, id }
    }

    async fn row(&self) -> ConnectionRow {
        self.world.store.connection(self.org, self.id).await.unwrap().expect("something was written")
    }

    async fn put(&self, generation_was: i64) -> Written {
        let tokens = self.world.tokens(generation_was);
        self.world.store.put_tokens(self.org, self.id, tokens).await.unwrap()
    }

    async fn mark(&self, generation: i64) -> Written {
        self.world.store.mark_reconnect(self.org, self.id, generation, "it was revoked").await.unwrap()
    }

    async fn begin(&self, generation: i64, seconds: i64) -> Option<Lease<InstanceId>> {
        self.world.store.begin_refresh(self.org, self.id, generation, at(seconds), LEASE).await.unwrap()
    }

    async fn end(&self, lease: Lease<InstanceId>) {
        self.world.store.end_refresh(lease).await.unwrap();
    }
}

pub async fn nothing_is_known_at_first(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    assert_eq!(connected.world.store.connection(connected.org, connected.id).await.unwrap(), None);
    is_missing(connected.world.store.connection(connected.org, InstanceId(99)).await, "instance");
    assert_eq!(connected.mark(1).await, Written::Moved);
    assert_eq!(connected.begin(1, 0).await, None);
    assert_eq!(connected.world.store.connection(connected.org, connected.id).await.unwrap(), None);
    connected.end(Lease { id: connected.id, epoch: 0 }).await;
}

pub async fn tokens_count_generations(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    for generation in 0..5 {
        assert_eq!(connected.put(generation).await, Written::Yes);
        let row = connected.row().await;
        assert_eq!(row.generation, generation + 1);
        assert_eq!(row.tokens_sealed.as_deref(), Some(format!("sealed after {generation}").as_str()));
        assert_eq!((row.tokens_expire_at, row.state), (Some(at(generation)), ConnectionState::Connected));
        assert_eq!(row.reason, "");
    }
    let endless = NewTokens { expire_at: None, ..connected.world.tokens(5) };
    connected.world.store.put_tokens(connected.org, connected.id, endless).await.unwrap();
    assert_eq!(connected.row().await.tokens_expire_at, None);
}

pub async fn an_old_generation_writes_nothing(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    connected.put(0).await;
    connected.put(1).await;
    let before = connected.row().await;
    assert_eq!(connected.put(0).await, Written::Moved);
    assert_eq!(connected.put(1).await, Written::Moved);
    assert_eq!(connected.row().await, before);
}

pub async fn one_of_two_writers_wins(store: Arc<dyn Whole>) {
    let connected = Arc::new(Connected::new(store).await);
    for generation in 0..5 {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let connected = connected.clone();
                tokio::spawn(async move { connected.put(generation).await })
            })
            .collect();
        let mut written = 0;
        for task in tasks {
            written += usize::from(task.await.unwrap() == Written::Yes);
        }
        assert_eq!((written, connected.row().await.generation), (1, generation + 1));
    }
}

pub async fn a_generation_that_never_was_is_moved(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    for generation in [1, -1, i64::MAX, i64::MIN] {
        let tokens = NewTokens { generation_was: generation, ..connected.world.tokens(0) };
        let written = connected.world.store.put_tokens(connected.org, connected.id, tokens).await.unwrap();
        assert_eq!(written, Written::Moved);
        assert_eq!(connected.mark(generation).await, Written::Moved);
        assert_eq!(connected.begin(generation, 0).await, None);
    }
    assert_eq!(connected.world.store.connection(connected.org, connected.id).await.unwrap(), None);
}

pub async fn reconnecting_keeps_the_tokens(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    assert_eq!(connected.mark(0).await, Written::Yes);
    let row = connected.row().await;
    assert_eq!((row.generation, row.tokens_sealed, row.state), (0, None, ConnectionState::ReconnectNeeded));
    assert_eq!(row.reason, "it was revoked");
    connected.put(0).await;
    let before = connected.row().await;
    assert_eq!(connected.mark(1).await, Written::Yes);
    let after = connected.row().await;
    assert_eq!((after.generation, after.tokens_sealed), (1, before.tokens_sealed));
    assert_eq!(after.tokens_expire_at, before.tokens_expire_at);
    assert_eq!(after.state, ConnectionState::ReconnectNeeded);
}

pub async fn new_tokens_reconnect(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    connected.put(0).await;
    connected.mark(1).await;
    assert_eq!(connected.put(1).await, Written::Yes);
    let row = connected.row().await;
    assert_eq!((row.state, row.reason.as_str()), (ConnectionState::Connected, ""));
}

pub async fn an_old_refusal_changes_nothing(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    connected.put(0).await;
    assert_eq!(connected.mark(0).await, Written::Moved, "these tokens were replaced meanwhile");
    assert_eq!(connected.mark(2).await, Written::Moved);
    assert_eq!(connected.row().await.state, ConnectionState::Connected);
}

pub async fn one_refresh_is_in_flight(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    let second = connected.world.instance(2).await;
    let lease = connected.begin(0, 0).await.unwrap();
    assert_eq!(lease.id, connected.id);
    assert_eq!(connected.begin(0, 0).await, None);
    assert_eq!(connected.begin(0, 59).await, None);
    let other = connected.world.store.begin_refresh(connected.org, second, 0, at(1), LEASE).await.unwrap();
    assert!(other.is_some(), "each instance has its own");
    connected.end(lease).await;
    let again = connected.begin(0, 1).await.unwrap();
    assert_ne!(again, lease);
    let row = connected.row().await;
    assert_eq!((row.generation, row.tokens_sealed, row.state), (0, None, ConnectionState::Connected));
}

pub async fn many_callers_make_one_refresh(store: Arc<dyn Whole>) {
    let connected = Arc::new(Connected::new(store).await);
    connected.put(0).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let connected = connected.clone();
            tokio::spawn(async move { connected.begin(1, 0).await.is_some() })
        })
        .collect();
    let mut begun = 0;
    for task in tasks {
        begun += usize::from(task.await.unwrap());
    }
    assert_eq!(begun, 1);
}

pub async fn a_lapsed_refresh_gives_way(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    let first = connected.begin(0, 0).await.unwrap();
    let second = connected.begin(0, 60).await.unwrap();
    assert!(second.epoch > first.epoch);
    assert_eq!(connected.begin(0, 119).await, None);
    let (store, org, id) = (&connected.world.store, connected.org, connected.id);
    let none = store.begin_refresh(org, id, 0, at(120), Duration::ZERO).await.unwrap();
    assert!(none.is_some(), "a claim of no length is over at once");
    let long = store.begin_refresh(org, id, 0, at(120), Duration::MAX).await.unwrap();
    assert!(long.is_some());
    assert_eq!(store.begin_refresh(org, id, 0, Timestamp::MAX, LEASE).await.unwrap(), None);
}

pub async fn a_late_holder_ends_nothing(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    let first = connected.begin(0, 0).await.unwrap();
    let second = connected.begin(0, 60).await.unwrap();
    connected.end(first).await;
    assert_eq!(connected.begin(0, 61).await, None, "the second one stands");
    connected.end(Lease { id: InstanceId(99), epoch: second.epoch }).await;
    assert_eq!(connected.begin(0, 61).await, None);
    connected.end(second).await;
    connected.end(second).await;
    assert!(connected.begin(0, 61).await.is_some());
}

pub async fn a_late_refresh_still_brings_its_tokens(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    connected.begin(0, 0).await.unwrap();
    let second = connected.begin(0, 60).await.unwrap();
    assert_eq!(connected.put(0).await, Written::Yes, "the first one came in after all");
    assert_eq!(connected.put(0).await, Written::Moved);
    connected.end(second).await;
    assert_eq!(connected.row().await.generation, 1);
}

pub async fn new_tokens_end_the_refresh(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    let lease = connected.begin(0, 0).await.unwrap();
    connected.put(0).await;
    let next = connected.begin(1, 1).await.expect("another generation, another refresh");
    connected.end(lease).await;
    assert_eq!(connected.begin(1, 2).await, None, "the old lease ends nothing");
    connected.mark(1).await;
    assert!(connected.begin(1, 3).await.is_some(), "a refusal ends it too");
    connected.end(next).await;
    assert_eq!(connected.begin(1, 4).await, None);
}

pub async fn a_refresh_belongs_to_its_generation(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    connected.put(0).await;
    assert_eq!(connected.begin(0, 0).await, None, "somebody refreshed already");
    assert_eq!(connected.begin(2, 0).await, None);
    assert!(connected.begin(1, 0).await.is_some());
}

pub async fn connections_go_with_their_instance(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    connected.put(0).await;
    let lease = connected.begin(1, 0).await.unwrap();
    connected.world.store.delete_instance(connected.org, connected.id, at(1)).await.unwrap();
    connected.end(lease).await;
    let (store, org, id) = (&connected.world.store, connected.org, connected.id);
    is_missing(store.connection(org, id).await, "instance");
    is_missing(store.put_tokens(org, id, connected.world.tokens(1)).await, "instance");
    let again = connected.world.instance(1).await;
    assert_eq!(store.connection(org, again).await.unwrap(), None);
}

pub async fn organisations_do_not_share_connections(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    connected.put(0).await;
    let (store, id) = (&connected.world.store, connected.id);
    let other = connected.world.other().await;
    is_missing(store.connection(other, id).await, "instance");
    is_missing(store.put_tokens(other, id, connected.world.tokens(1)).await, "instance");
    is_missing(store.mark_reconnect(other, id, 1, "no").await, "instance");
    is_missing(store.begin_refresh(other, id, 1, at(0), LEASE).await, "instance");
    let row = connected.row().await;
    assert_eq!((row.generation, row.state), (1, ConnectionState::Connected), "nothing was written");
    assert!(connected.begin(1, 0).await.is_some());
}

pub async fn connections_hold_any_text(store: Arc<dyn Whole>) {
    let connected = Connected::new(store).await;
    let (store, org, id) = (&connected.world.store, connected.org, connected.id);
    let tokens = NewTokens { tokens_sealed: STRANGE.into(), ..connected.world.tokens(0) };
    store.put_tokens(org, id, tokens).await.unwrap();
    store.mark_reconnect(org, id, 1, STRANGE).await.unwrap();
    let row = connected.row().await;
    assert_eq!((row.tokens_sealed.as_deref(), row.reason.as_str()), (Some(STRANGE), STRANGE));
    let tokens = NewTokens { tokens_sealed: String::new(), ..connected.world.tokens(1) };
    store.put_tokens(org, id, tokens).await.unwrap();
    assert_eq!(connected.row().await.tokens_sealed.as_deref(), Some(""));
}
