//! The store in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use turnstone_core::id::OrgId;
use turnstone_store::faulty::{Faulty, Verb};
use turnstone_store::memory::MemoryStore;
use turnstone_store::{EventFilter, Monitors, NotificationFilter, Store, SubscriptionFilter, suite};

fn every_notification() -> NotificationFilter {
    NotificationFilter { limit: 10_000, ..NotificationFilter::default() }
}

#[tokio::test]
async fn passes_the_suite() {
    suite::all(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn reopens_with_every_lease_stale() {
    let store = Arc::new(MemoryStore::new());
    let same = store.clone();
    suite::reopens(store, async move |_| {
        same.reopen();
        same as Arc<dyn Store>
    })
    .await;
}

/// The comparison itself: it passes for equals, and gets far enough to mean something.
#[tokio::test]
async fn agrees_with_itself() {
    let (mut events, mut states) = (0, BTreeSet::new());
    let (mut own_sent, mut cursors, mut traces) = (0, 0, 0);
    for seed in 0..20 {
        let counted = Arc::new(Faulty::new(Arc::new(MemoryStore::new())));
        suite::random(Arc::new(MemoryStore::new()), counted.clone(), seed, 500).await;
        for verb in [Verb::Commit, Verb::Finish, Verb::Form, Verb::FinishAttempt, Verb::Recall, Verb::Prune] {
            assert!(counted.calls(verb) > 0, "seed {seed}: {}", verb.name());
        }
        for org in [OrgId(1), OrgId(2)] {
            let endpoints = counted.endpoints(org).await.unwrap();
            let own = endpoints.iter().filter(|row| row.subscription.is_some());
            let own: BTreeSet<_> = own.map(|row| row.id).collect();
            let sent = counted.notifications(org, &every_notification()).await.unwrap();
            own_sent += sent.iter().filter(|row| own.contains(&row.endpoint)).count();
            for row in counted.subscriptions(org, SubscriptionFilter::default()).await.unwrap() {
                cursors += counted.cursors(org, row.poller, 1_000).await.unwrap().len();
            }
            for poller in counted.pollers(org, None).await.unwrap() {
                for run in counted.runs(org, poller.id, 1_000).await.unwrap() {
                    traces += usize::from(counted.trace(org, run.id).await.unwrap().is_some());
                }
            }
        }
        for org in [OrgId(1), OrgId(2)] {
            let filter = EventFilter { limit: 10_000, ..EventFilter::default() };
            events += counted.events(org, &filter).await.unwrap().len();
            let rows = counted.notifications(org, &every_notification()).await.unwrap();
            states.extend(rows.iter().map(|row| row.state.as_str()));
        }
    }
    assert!(events > 1_000, "{events} events");
    assert_eq!(states.len(), 7, "every state is reached: {states:?}");
    assert!(own_sent > 20, "{own_sent} notifications of subscriptions' own endpoints");
    assert!(cursors > 20 && traces > 20, "{cursors} cursors, {traces} traces");
}

/// The comparison sees a difference that no answer admits at once: a store whose claims end in silence.
#[tokio::test]
async fn a_silent_loss_is_found() {
    for seed in 0..10 {
        let inner = Arc::new(MemoryStore::new());
        let forgetful = Arc::new(Faulty::new(inner.clone()));
        forgetful.plan(move |call| {
            if call.verb == Verb::Commit && call.of_verb % 5 == 0 {
                inner.reopen();
            }
            None
        });
        let compared = suite::random(Arc::new(MemoryStore::new()), forgetful, seed, 500);
        assert!(tokio::spawn(compared).await.is_err(), "seed {seed}");
    }
}

#[tokio::test]
async fn a_restored_copy_is_what_it_was() {
    let store = MemoryStore::new();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let org = store.ensure_org("acme", now).await.unwrap();
    let copy = store.snapshot();
    let later = store.ensure_org("later", now).await.unwrap();
    store.restore(&copy);
    assert_eq!(store.ensure_org("acme", now).await.unwrap(), org);
    assert_eq!(store.ensure_org("another", now).await.unwrap(), later, "what came after the copy is gone");
}

#[tokio::test]
async fn a_restored_copy_has_no_lease_that_holds() {
    let store = Arc::new(MemoryStore::new());
    let same = store.clone();
    suite::reopens(store, async move |_| {
        let copy = same.snapshot();
        same.restore(&copy);
        same as Arc<dyn Store>
    })
    .await;
}
