//! What providers send: every store against the same cases, and the databases against the model.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use turnstone_core::id::OrgId;
use turnstone_store::faulty::{Fault, Faulty, Verb};
use turnstone_store::memory::MemoryStore;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::suite::intake::{self, Both};
use turnstone_store::{EventFilter, InboundFilter, InboundState, Intake, Store};

/// Seeds of the comparison with the model; one that once failed stays in this list.
const SEEDS: std::ops::Range<u64> = 0..40;

#[tokio::test]
async fn memory_passes_the_suite() {
    intake::all(async || Arc::new(MemoryStore::new()) as Arc<dyn Both>).await;
}

#[tokio::test]
async fn a_file_passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU32::new(0);
    intake::all(async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Arc::new(SqliteStore::open(folder.path().join(format!("{number}.db"))).unwrap()) as Arc<dyn Both>
    })
    .await;
}

#[tokio::test]
async fn a_database_in_memory_passes_the_suite() {
    intake::all(async || Arc::new(SqliteStore::in_memory().unwrap()) as Arc<dyn Both>).await;
}

#[tokio::test]
async fn a_database_on_the_callers_thread_passes_the_suite() {
    intake::all(async || Arc::new(SqliteStore::in_memory_inline().unwrap()) as Arc<dyn Both>).await;
}

#[tokio::test]
async fn memory_reopens() {
    let store = Arc::new(MemoryStore::new());
    let same = store.clone();
    intake::reopens(store, async move |_| {
        same.reopen();
        same as Arc<dyn Both>
    })
    .await;
}

#[tokio::test]
async fn a_file_reopens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    intake::reopens(Arc::new(SqliteStore::open(&path).unwrap()), async |store| {
        drop(store);
        Arc::new(SqliteStore::open(&path).unwrap()) as Arc<dyn Both>
    })
    .await;
}

#[tokio::test]
async fn a_database_restarts() {
    let store = Arc::new(SqliteStore::in_memory_inline().unwrap());
    let same = store.clone();
    intake::reopens(store, async move |_| {
        same.restart().await.unwrap();
        same as Arc<dyn Both>
    })
    .await;
}

/// The comparison passes, and gets far enough to mean something.
#[tokio::test]
async fn answers_as_the_model_does() {
    let (mut received, mut repeats, mut hints, mut states) = (0, 0, 0, [0; 4]);
    for seed in SEEDS {
        let model = Arc::new(Faulty::new(Arc::new(MemoryStore::new())));
        let store = Arc::new(SqliteStore::in_memory_inline().unwrap());
        intake::random(model.clone(), store, seed, 700).await;
        for verb in [Verb::Settle, Verb::Replay, Verb::Discard, Verb::Form, Verb::Prune, Verb::EventCounts] {
            assert!(model.calls(verb) > 0, "seed {seed}: {}", verb.name());
        }
        for org in [OrgId(1), OrgId(2)] {
            let every = EventFilter { limit: 100_000, ..EventFilter::default() };
            let events = model.events(org, &every).await.unwrap();
            received += events.iter().filter(|logged| logged.event.inbound.is_some()).count();
            let every = InboundFilter { limit: 100_000, ..InboundFilter::default() };
            for row in model.requests(org, &every).await.unwrap() {
                repeats += row.repeats;
                states[match row.state {
                    InboundState::Received => 0,
                    InboundState::Settled => 1,
                    InboundState::Quarantined => 2,
                    InboundState::Discarded => 3,
                }] += 1;
            }
            for poller in model.pollers(org, None).await.unwrap() {
                hints += model.hints(poller.id, 100).await.unwrap().len();
            }
        }
    }
    assert!(received > 1_000, "{received} events that requests brought");
    assert!(repeats > 1_000, "{repeats} repeats");
    assert!(hints > 100, "{hints} hints");
    assert!(states.iter().all(|count| *count > 20), "{states:?}");
}

/// The comparison sees a difference that no answer admits at once: settlements that are told and were never written.
#[tokio::test]
async fn a_silent_loss_is_found() {
    for seed in 0..6 {
        let odd = Arc::new(Faulty::new(Arc::new(MemoryStore::new())));
        odd.plan(|call| (call.verb == Verb::Replay).then_some(Fault::Before));
        let compared = intake::random(Arc::new(MemoryStore::new()), odd, seed, 700);
        assert!(tokio::spawn(compared).await.is_err(), "seed {seed}");
    }
}
