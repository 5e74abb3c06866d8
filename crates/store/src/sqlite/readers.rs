//! A few connections that only read, each on its own thread.
//!
//! What a poll asks of the ledger must not wait behind a flush, so reads do not pass the writer. Every read sees one
//! snapshot, because it runs in one transaction, and it sees every write that was answered before.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use crate::{Result, StoreError};

/// Reads that may wait; whoever comes then waits outside.
const WAITING_MAX: usize = 4_096;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// The readers' threads and their queue.
pub(super) struct Readers {
    queue: Option<Sender<Read>>,
    room: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub fn start(connections: Vec<Connection>) -> Result<Readers> {
        let (sender, receiver) = channel::<Read>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for (number, db) in connections.into_iter().enumerate() {
            let receiver = receiver.clone();
            let thread = std::thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || {
                    while let Some(read) = next(&receiver) {
                        read(&db);
                    }
                })
                .map_err(|error| StoreError::Unusable(format!("cannot start a reader's thread: {error}")))?;
            threads.push(thread);
        }
        Ok(Readers { queue: Some(sender), room: Arc::new(Semaphore::new(WAITING_MAX)), threads })
    }

    /// Reads in one snapshot.
    pub async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let stopped = || StoreError::Unusable("the readers have stopped; restart".into());
        let permit = self.room.clone().acquire_owned().await.map_err(|_| stopped())?;
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |db| {
            let _permit = permit;
            let _ = sender.send(snapshot(db, work)); // Whoever asked may be gone.
        });
        self.queue.as_ref().ok_or_else(stopped)?.send(read).map_err(|_| stopped())?;
        receiver.await.unwrap_or_else(|_| Err(StoreError::Failed("a read broke off".into())))
    }
}

fn next(receiver: &Mutex<Receiver<Read>>) -> Option<Read> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Runs a read in a transaction of its own.
pub(super) fn snapshot<T>(db: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.prepare_cached("begin")?.execute([])?;
    let answer = work(db);
    db.prepare_cached("rollback")?.execute([])?;
    answer
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // A read that panicked has answered with an error already.
        }
    }
}
