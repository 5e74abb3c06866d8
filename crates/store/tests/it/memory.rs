//! The store in memory.

use std::sync::Arc;

use turnstone_store::memory::MemoryStore;
use turnstone_store::{Store, suite};

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
