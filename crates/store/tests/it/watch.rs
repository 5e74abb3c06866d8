//! What screens look at: every store against the same cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use turnstone_store::memory::MemoryStore;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::suite::watch::{self, Watched};

#[tokio::test]
async fn memory_passes_the_suite() {
    watch::all(async || Arc::new(MemoryStore::new()) as Arc<dyn Watched>).await;
}

#[tokio::test]
async fn a_file_passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU32::new(0);
    watch::all(async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Arc::new(SqliteStore::open(folder.path().join(format!("{number}.db"))).unwrap()) as Arc<dyn Watched>
    })
    .await;
}

#[tokio::test]
async fn a_database_on_the_callers_thread_passes_the_suite() {
    watch::all(async || Arc::new(SqliteStore::in_memory_inline().unwrap()) as Arc<dyn Watched>).await;
}
