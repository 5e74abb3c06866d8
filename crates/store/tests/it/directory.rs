//! People and connectors: every store against the same cases, and the databases against the model.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use turnstone_store::memory::MemoryStore;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::suite::directory::{self, Whole};
use turnstone_store::{Directory, InstanceFilter, Store};

/// Seeds of the comparison with the model; one that once failed stays in this list.
const SEEDS: std::ops::Range<u64> = 0..24;

#[tokio::test]
async fn memory_passes_the_suite() {
    directory::all(async || Arc::new(MemoryStore::new()) as Arc<dyn Whole>).await;
}

#[tokio::test]
async fn a_file_passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU32::new(0);
    directory::all(async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Arc::new(SqliteStore::open(folder.path().join(format!("{number}.db"))).unwrap()) as Arc<dyn Whole>
    })
    .await;
}

#[tokio::test]
async fn a_database_in_memory_passes_the_suite() {
    directory::all(async || Arc::new(SqliteStore::in_memory().unwrap()) as Arc<dyn Whole>).await;
}

#[tokio::test]
async fn a_database_on_the_callers_thread_passes_the_suite() {
    directory::all(async || Arc::new(SqliteStore::in_memory_inline().unwrap()) as Arc<dyn Whole>).await;
}

#[tokio::test]
async fn memory_reopens() {
    let store = Arc::new(MemoryStore::new());
    let same = store.clone();
    directory::reopens(store, async move |_| {
        same.reopen();
        same as Arc<dyn Whole>
    })
    .await;
}

#[tokio::test]
async fn a_restored_copy_is_what_it_was() {
    let store = Arc::new(MemoryStore::new());
    let same = store.clone();
    directory::reopens(store, async move |_| {
        let copy = same.snapshot();
        same.restore(&copy);
        same as Arc<dyn Whole>
    })
    .await;
}

#[tokio::test]
async fn a_file_reopens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    directory::reopens(Arc::new(SqliteStore::open(&path).unwrap()), async |store| {
        drop(store);
        Arc::new(SqliteStore::open(&path).unwrap()) as Arc<dyn Whole>
    })
    .await;
}

#[tokio::test]
async fn a_database_restarts() {
    let store = Arc::new(SqliteStore::in_memory_inline().unwrap());
    let same = store.clone();
    directory::reopens(store, async move |_| {
        same.restart().await.unwrap();
        same as Arc<dyn Whole>
    })
    .await;
}

/// The comparison passes, and gets far enough to mean something.
#[tokio::test]
async fn answers_as_the_model_does() {
    let (mut revisions, mut generations, mut sessions, mut in_use) = (0, 0, 0, 0);
    let everybody = InstanceFilter { limit: 1_000, ..InstanceFilter::default() };
    for seed in SEEDS {
        let model = Arc::new(MemoryStore::new());
        let store = Arc::new(SqliteStore::in_memory_inline().unwrap());
        directory::random(model.clone(), store, seed, 600).await;
        for org in model.orgs().await.unwrap() {
            let elements = model.elements(org.id).await.unwrap();
            revisions += elements.iter().map(|element| element.revision).sum::<i64>();
            for element in elements {
                in_use += usize::from(model.delete_element(org.id, element.id).await.is_err());
            }
            for instance in model.instances_page(org.id, &everybody).await.unwrap() {
                let connection = model.connection(org.id, instance.id).await.unwrap();
                generations += connection.map_or(0, |connection| connection.generation);
            }
            for user in model.users(org.id).await.unwrap() {
                sessions += model.close_sessions(org.id, user.id).await.unwrap();
            }
        }
    }
    assert!(revisions > 200, "{revisions} revisions");
    assert!(generations > 200, "{generations} generations of tokens");
    assert!(sessions > 20, "{sessions} sessions");
    assert!(in_use > 20, "{in_use} connectors in use");
}

/// The comparison sees a difference: one side begins with a setting of its own, and an older organisation.
#[tokio::test]
async fn a_difference_is_found() {
    for seed in 0..4 {
        let odd = Arc::new(MemoryStore::new());
        let org = odd.ensure_org("one", jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        odd.put_setting(org, "k\u{0}0", "odd").await.unwrap();
        let compared = directory::random(Arc::new(MemoryStore::new()), odd, seed, 600);
        assert!(tokio::spawn(compared).await.is_err(), "seed {seed}");
    }
}
