//! Monitors and subscriptions: every store against the same cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use turnstone_store::memory::MemoryStore;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::suite::monitors::{self, Both};

#[tokio::test]
async fn memory_passes_the_suite() {
    monitors::all(async || Arc::new(MemoryStore::new()) as Arc<dyn Both>).await;
}

#[tokio::test]
async fn a_file_passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU32::new(0);
    monitors::all(async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Arc::new(SqliteStore::open(folder.path().join(format!("{number}.db"))).unwrap()) as Arc<dyn Both>
    })
    .await;
}

#[tokio::test]
async fn a_database_on_the_callers_thread_passes_the_suite() {
    monitors::all(async || Arc::new(SqliteStore::in_memory_inline().unwrap()) as Arc<dyn Both>).await;
}
