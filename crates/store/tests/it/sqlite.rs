//! The store in SQLite: in a file, in memory, and on the caller's thread.

use std::sync::Arc;

use turnstone_store::memory::MemoryStore;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{Store, suite};

/// Seeds of the comparison with the model; one that once failed stays in this list.
const SEEDS: std::ops::Range<u64> = 0..24;

#[tokio::test]
async fn passes_the_suite_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    suite::all(async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let store = SqliteStore::open(directory.path().join(format!("{number}.db"))).unwrap();
        Arc::new(store) as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn passes_the_suite_in_memory() {
    suite::all(async || Arc::new(SqliteStore::in_memory().unwrap()) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn passes_the_suite_on_the_callers_thread() {
    suite::all(async || Arc::new(SqliteStore::in_memory_inline().unwrap()) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn reopens_with_every_lease_stale() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    suite::reopens(Arc::new(SqliteStore::open(&path).unwrap()), async |store| {
        drop(store);
        Arc::new(SqliteStore::open(&path).unwrap()) as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn restarts_with_every_lease_stale() {
    let store = Arc::new(SqliteStore::in_memory_inline().unwrap());
    let same = store.clone();
    suite::reopens(store, async move |_| {
        same.restart().await.unwrap();
        same as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn answers_as_the_model_does() {
    for seed in SEEDS {
        let store = Arc::new(SqliteStore::in_memory_inline().unwrap());
        suite::random(store, Arc::new(MemoryStore::new()), seed, 400).await;
    }
}
