//! Makes every notification that is being retried as old as one that has one try left, in the data directory of a
//! server that is not running: `aged DIR`. For tests of what follows the last try, which otherwise comes after three
//! days. The last try itself is the server's.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use turnstone_core::delivery::RETRIES_MAX;
use turnstone_core::id::AttemptId;
use turnstone_store::sqlite::SqliteStore;
use turnstone_store::{AttemptResult, AttemptRow, Committed, NotificationState, Store};

/// Longer than any pause between two tries, so that every one of them is due by then.
const PAUSE_MAX: Duration = Duration::from_secs(400_000);
const MANY: u32 = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let dir = std::env::args().nth(1).context("usage: aged DIR")?;
    let store = SqliteStore::open(Path::new(&dir).join("turnstone.db"))?;
    let now = Timestamp::now();
    let retrying = store.claim_notifications(now + PAUSE_MAX, MANY, MANY, Duration::from_secs(60)).await?;
    for (count, delivery) in retrying.iter().enumerate() {
        let attempt = AttemptRow {
            id: AttemptId::new(now, count as u64),
            notification: delivery.notification.id,
            started_at: now,
            duration_ms: 1,
            status: Some(500),
            error: Some("the callback answered 500".into()),
            answer: String::new(),
            request: String::new(),
        };
        let result = AttemptResult {
            attempt,
            state: NotificationState::Retry,
            next_due: Some(now),
            failures: RETRIES_MAX,
            singles: Vec::new(),
            endpoint: None,
        };
        ensure!(store.finish_attempt(delivery.lease, result, now).await? == Committed::Yes, "it is claimed");
    }
    println!("{} notifications", retrying.len());
    Ok(())
}
