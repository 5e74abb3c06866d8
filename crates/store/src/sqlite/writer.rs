//! The one writer: jobs wait in queues by class, and are committed in groups.
//!
//! A flush costs the same for one row as for two thousand, so whoever waits while a group is being flushed travels with
//! the next one. A group closes when nothing more waits, or at its bounds; nobody waits for company. Each member runs
//! in a savepoint of its own, so that a stale lease or a refused row fails alone. What a member answers is sent only
//! after the group is durable.
//!
//! A COMMIT that fails for want of space is rolled back and counts as not written. After any other failed COMMIT nobody
//! knows what is on the disk: all members are told so, and the store refuses work until it is opened again, because
//! pages in memory can no longer be trusted to match the disk.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::leases::Leases;
use super::recent::{ENTRIES_MAX, ENTRIES_MAX_IN_MEMORY, Recent};
use crate::{Result, StoreError};

/// Time after which a group takes no more members: the longest that a durable answer waits for others' work.
const GROUP_TIME_MAX: Duration = Duration::from_millis(5);

/// Rows after which a group takes no more members. Beyond this the flush is a small part of the cost anyway.
const GROUP_ROWS_MAX: usize = 2_000;

/// Bytes after which a group takes no more members.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Jobs that may wait. Whoever comes then waits outside, so that the queue's memory stays bounded.
const WAITING_MAX: usize = 4_096;

/// Every so often the job that waits longest goes first, whatever its class, so that no class starves.
const OLDEST_EVERY: u64 = 8;

/// Pages of the write-ahead log (of 4 KiB) after which the writer copies them into the database: 64 MiB. A page that
/// many commits touch, as those of the index of event ids, is then copied once; reading such a log back after a crash
/// takes a fraction of a second.
const CHECKPOINT_PAGES: i64 = 16_384;

/// Who is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Requests of providers, who wait for our answer and do not wait long.
    Intake,
    /// Outcomes of deliveries: what is not written is sent twice.
    Attempts,
    /// A person or a program waits.
    Api,
    /// Pollers and their batches.
    Polls,
    /// Whatever can wait.
    Keeper,
}

/// One queue for each class above.
const CLASS_COUNT: usize = 5;

/// What a job adds to its group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weight {
    pub rows: usize,
    pub bytes: usize,
}

impl Weight {
    /// A job of a few rows.
    pub const SMALL: Weight = Weight { rows: 4, bytes: 4_096 };

    fn add(&mut self, other: Weight) {
        self.rows = self.rows.saturating_add(other.rows);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    fn is_full(self) -> bool {
        self.rows >= GROUP_ROWS_MAX || self.bytes >= GROUP_BYTES_MAX
    }
}

/// Numbers handed out last, of rows that are numbered here. What was rolled back leaves gaps: no number comes twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastNumbers {
    pub notification: i64,
    pub inbound: i64,
}

/// What the writer works with.
pub(super) struct Desk {
    pub db: Connection,
    pub leases: Leases,
    pub recent: Recent,
    pub last: LastNumbers,
    unusable: Arc<AtomicBool>,
    is_checkpointing: bool,
}

/// One job in a group.
trait Member: Send {
    fn weight(&self) -> Weight;
    /// Does the work and keeps the answer; whether it stays.
    fn run(&mut self, desk: &mut Desk) -> bool;
    /// Sends the answer, or the reason why the whole group failed.
    fn settle(self: Box<Self>, failure: Option<&StoreError>);
}

struct Job<T, W> {
    weight: Weight,
    work: Option<W>,
    answer: Option<Result<T>>,
    sender: oneshot::Sender<Result<T>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<T, W> Member for Job<T, W>
where
    T: Send,
    W: FnOnce(&mut Desk) -> Result<T> + Send,
{
    fn weight(&self) -> Weight {
        self.weight
    }

    fn run(&mut self, desk: &mut Desk) -> bool {
        self.answer = self.work.take().map(|work| work(desk));
        matches!(self.answer, Some(Ok(_)))
    }

    fn settle(self: Box<Self>, failure: Option<&StoreError>) {
        let answer = match (failure, self.answer) {
            // A member's own error stands: it wrote nothing, whatever became of the group.
            (_, Some(Err(error))) => Err(error),
            (Some(failure), _) => Err(failure.clone()),
            (None, Some(answer)) => answer,
            (None, None) => Err(StoreError::Failed("the job was never run".into())),
        };
        let _ = self.sender.send(answer); // Whoever asked may be gone; the work is done all the same.
    }
}

impl Desk {
    pub fn new(db: Connection, open_epoch: u32, last: LastNumbers, is_checkpointing: bool) -> Desk {
        Desk {
            db,
            leases: Leases::new(open_epoch),
            recent: Recent::new(if is_checkpointing { ENTRIES_MAX } else { ENTRIES_MAX_IN_MEMORY }),
            last,
            unusable: Arc::new(AtomicBool::new(false)),
            is_checkpointing,
        }
    }

    /// Set once a flush failed.
    pub fn unusable_flag(&self) -> Arc<AtomicBool> {
        self.unusable.clone()
    }

    /// Runs one job as a group of its own.
    pub fn alone<T, W>(&mut self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Desk) -> Result<T> + Send + 'static,
    {
        let (sender, mut receiver) = oneshot::channel();
        let job = Job { weight: Weight::SMALL, work: Some(work), answer: None, sender, _permit: None };
        let mut job: Option<Box<dyn Member>> = Some(Box::new(job));
        self.group(&mut || job.take());
        receiver.try_recv().unwrap_or_else(|_| Err(StoreError::Failed("the job was never answered".into())))
    }

    /// Commits one group of what `next` has to give.
    fn group(&mut self, next: &mut dyn FnMut() -> Option<Box<dyn Member>>) {
        let Some(first) = next() else { return };
        if let Err(error) = usable(&self.unusable).and_then(|()| self.execute("begin immediate")) {
            first.settle(Some(&error));
            return;
        }
        let Some(second) = next() else { return self.single(first) };
        let started = Instant::now();
        let mut size = Weight::default();
        let mut members = Vec::new();
        let mut waiting = Some(second);
        let mut candidate = Some(first);
        let mut failure = None;
        while let Some(mut member) = candidate.take() {
            size.add(member.weight());
            failure = self.member(member.as_mut()).err();
            members.push(member);
            if failure.is_none() {
                let has_room = !size.is_full() && started.elapsed() < GROUP_TIME_MAX;
                candidate = waiting.take().or_else(|| has_room.then(&mut *next).flatten());
            }
        }
        members.extend(waiting); // Left over only when the group failed before its turn.
        let failure = match failure {
            Some(failure) => Some(self.abandon(failure)),
            None => self.commit().err(),
        };
        if failure.is_some() {
            self.roll_back((0, 0));
        }
        self.settle();
        for member in members {
            member.settle(failure.as_ref());
        }
        self.checkpoint();
    }

    /// Commits a group of one. It needs no savepoint, which would copy every page that it changes.
    fn single(&mut self, mut member: Box<dyn Member>) {
        let mark = self.mark();
        let mut failure = None;
        if member.run(self) {
            failure = self.commit().err();
            if failure.is_some() {
                self.roll_back((0, 0));
            }
        } else {
            self.roll_back(mark);
            if !self.db.is_autocommit() {
                failure = self.execute("rollback").err().map(|error| self.abandon(error));
            }
        }
        self.settle();
        member.settle(failure.as_ref());
        self.checkpoint();
    }

    /// Runs one member in a savepoint. An error here is one of the whole group.
    fn member(&mut self, member: &mut dyn Member) -> Result<()> {
        let mark = self.mark();
        self.execute("savepoint member")?;
        if member.run(self) {
            return self.execute("release member");
        }
        self.roll_back(mark);
        if self.db.is_autocommit() {
            // SQLite itself rolled back everything, as it does for some failures of the disk.
            return Err(StoreError::Failed(
                "the transaction was rolled back with another one that failed".into(),
            ));
        }
        self.execute("rollback to member")?;
        self.execute("release member")
    }

    /// A place in what is kept in memory, to come back to.
    fn mark(&self) -> (usize, usize) {
        (self.leases.mark(), self.recent.mark())
    }

    /// Takes back what was changed in memory since the mark.
    fn roll_back(&mut self, (leases, recent): (usize, usize)) {
        self.leases.roll_back(leases);
        self.recent.roll_back(recent);
    }

    /// What was changed in memory agrees with the file from now on.
    fn settle(&mut self) {
        self.leases.settle();
        self.recent.settle();
    }

    fn execute(&self, sql: &str) -> Result<()> {
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Ends a group that cannot be committed.
    fn abandon(&mut self, failure: StoreError) -> StoreError {
        if !self.db.is_autocommit() && self.execute("rollback").is_err() {
            return self.stop("a rollback failed");
        }
        if matches!(failure, StoreError::Unusable(_)) {
            self.unusable.store(true, Ordering::Release);
        }
        failure
    }

    fn commit(&mut self) -> Result<()> {
        let Err(error) = self.db.prepare_cached("commit").and_then(|mut commit| commit.execute([])) else {
            return Ok(());
        };
        if is_refused_before_flush(&error) {
            return Err(self.abandon(error.into()));
        }
        let failure = self.stop(&error.to_string());
        let _ = self.execute("rollback"); // The store takes no more work; opening it again recovers from the disk.
        Err(failure)
    }

    fn stop(&mut self, cause: &str) -> StoreError {
        self.unusable.store(true, Ordering::Release);
        StoreError::Unknown(format!("{cause}; the store stops until it is opened again"))
    }

    /// Copies the write-ahead log into the database once it is long, without waiting for readers.
    fn checkpoint(&mut self) {
        if !self.is_checkpointing || usable(&self.unusable).is_err() {
            return;
        }
        let pages = |sql| {
            self.db.prepare_cached(sql).and_then(|mut pragma| {
                pragma.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
            })
        };
        let result = match pages("pragma wal_checkpoint(noop)") {
            Ok(waiting) if waiting >= CHECKPOINT_PAGES => pages("pragma wal_checkpoint(passive)").map(drop),
            other => other.map(drop),
        };
        // Want of space only delays the copy: everything is safe in the log. A failed flush is another matter.
        if result.as_ref().is_err_and(|error| !is_refused_before_flush(error)) {
            self.unusable.store(true, Ordering::Release);
        }
    }
}

/// Whether a COMMIT failed in a way that leaves no doubt: no page was handed to the disk for good.
fn is_refused_before_flush(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::ReadOnly)
    ) || extended == Some(ffi::SQLITE_IOERR_WRITE)
}

/// Refuses once a flush failed.
pub(super) fn usable(unusable: &AtomicBool) -> Result<()> {
    match unusable.load(Ordering::Acquire) {
        true => Err(StoreError::Unusable(
            "the database reported a failed flush or damage and takes no more work; look at the disk, then restart"
                .into(),
        )),
        false => Ok(()),
    }
}

struct Ticket {
    number: u64,
    member: Box<dyn Member>,
}

#[derive(Default)]
struct Waiting {
    classes: [VecDeque<Ticket>; CLASS_COUNT],
    tickets: u64,
    picks: u64,
    is_closed: bool,
}

impl Waiting {
    fn push(&mut self, class: Class, member: Box<dyn Member>) {
        self.tickets += 1;
        self.classes[class as usize].push_back(Ticket { number: self.tickets, member });
    }

    fn pop(&mut self) -> Option<Box<dyn Member>> {
        self.picks += 1;
        let waiting = self.classes.iter_mut().filter(|class| !class.is_empty());
        let class = if self.picks.is_multiple_of(OLDEST_EVERY) {
            waiting.min_by_key(|class| class.front().map(|ticket| ticket.number))
        } else {
            waiting.into_iter().next()
        };
        class?.pop_front().map(|ticket| ticket.member)
    }
}

struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A panic inside the lock leaves whole tickets: nothing here is half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's thread and its queues.
pub(super) struct Writer {
    queue: Arc<Queue>,
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

/// Closes the queue when the thread ends, however it ends, so that nobody waits for it.
struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.is_closed = true;
        waiting.classes.iter_mut().for_each(VecDeque::clear);
    }
}

impl Writer {
    pub fn start(mut desk: Desk) -> Result<Writer> {
        let queue = Arc::new(Queue { waiting: Mutex::default(), arrived: Condvar::new() });
        let closing = Closing(queue.clone());
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let queue = &closing.0;
                while wait(queue) {
                    desk.group(&mut || queue.lock().pop());
                }
            })
            .map_err(|error| StoreError::Unusable(format!("cannot start the writer's thread: {error}")))?;
        Ok(Writer { queue, room: Arc::new(Semaphore::new(WAITING_MAX)), thread: Some(thread) })
    }

    /// Queues a job and waits until it is durable.
    pub async fn run<T, W>(&self, class: Class, weight: Weight, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Desk) -> Result<T> + Send + 'static,
    {
        let permit = self.room.clone().acquire_owned().await.map_err(|_| stopped())?;
        let (sender, receiver) = oneshot::channel();
        let job = Job { weight, work: Some(work), answer: None, sender, _permit: Some(permit) };
        {
            let mut waiting = self.queue.lock();
            if waiting.is_closed {
                return Err(stopped());
            }
            waiting.push(class, Box::new(job));
        }
        self.queue.arrived.notify_one();
        receiver.await.unwrap_or_else(|_| {
            Err(StoreError::Unknown("the writer stopped before it answered; restart".into()))
        })
    }
}

fn stopped() -> StoreError {
    StoreError::Unusable("the writer has stopped; restart".into())
}

/// Sleeps until there is work; false when there will be none any more.
fn wait(queue: &Queue) -> bool {
    let mut waiting = queue.lock();
    loop {
        if waiting.classes.iter().any(|class| !class.is_empty()) {
            return true;
        }
        if waiting.is_closed {
            return false;
        }
        waiting = queue.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Drop for Writer {
    /// Finishes what is queued, then stops.
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.arrived.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // A panic in there has answered everybody with `Unknown` already.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Named(&'static str);

    impl Member for Named {
        fn weight(&self) -> Weight {
            Weight { rows: self.0.len(), bytes: 0 }
        }
        fn run(&mut self, _: &mut Desk) -> bool {
            true
        }
        fn settle(self: Box<Self>, _: Option<&StoreError>) {}
    }

    fn desk() -> Desk {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "create table parent (id integer primary key) strict;
            create table child (id integer primary key, parent integer references parent (id)) strict",
        )
        .unwrap();
        Desk::new(db, 1, LastNumbers::default(), false)
    }

    fn insert(desk: &mut Desk, id: i64) -> Result<()> {
        desk.db.execute("insert into parent (id) values (?1)", [id])?;
        Ok(())
    }

    type Work = Box<dyn FnOnce(&mut Desk) -> Result<()> + Send>;

    /// Runs jobs as one group and returns their answers.
    fn group(desk: &mut Desk, works: Vec<Work>) -> Vec<Result<()>> {
        let mut members: VecDeque<Box<dyn Member>> = VecDeque::new();
        let mut receivers = Vec::new();
        for work in works {
            let (sender, receiver) = oneshot::channel();
            let weight = Weight::SMALL;
            members.push_back(Box::new(Job {
                weight,
                work: Some(work),
                answer: None,
                sender,
                _permit: None,
            }));
            receivers.push(receiver);
        }
        desk.group(&mut || members.pop_front());
        receivers.into_iter().map(|mut receiver| receiver.try_recv().unwrap()).collect()
    }

    fn count(desk: &Desk) -> i64 {
        desk.db.query_row("select count(*) from parent", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn classes_are_served_in_order_and_none_starves() {
        let mut waiting = Waiting::default();
        waiting.push(Class::Keeper, Box::new(Named("k")));
        for _ in 0..20 {
            waiting.push(Class::Attempts, Box::new(Named("attempts")));
        }
        let order: Vec<usize> =
            std::iter::from_fn(|| waiting.pop()).map(|member| member.weight().rows).collect();
        assert_eq!(order.len(), 21);
        assert_eq!(order.iter().position(|rows| *rows == 1), Some(7), "{order:?}");
    }

    #[test]
    fn a_member_that_fails_fails_alone() {
        let mut desk = desk();
        let answers = group(
            &mut desk,
            vec![
                Box::new(|desk| insert(desk, 1)),
                Box::new(|desk| insert(desk, 2).and_then(|()| insert(desk, 1))),
                Box::new(|desk| insert(desk, 3)),
            ],
        );
        assert!(matches!(answers[..], [Ok(()), Err(StoreError::Failed(_)), Ok(())]), "{answers:?}");
        assert_eq!(count(&desk), 2);
    }

    #[test]
    fn a_failed_commit_is_unknown_to_all_and_stops_the_store() {
        let mut desk = desk();
        let answers = group(
            &mut desk,
            vec![
                Box::new(|desk| insert(desk, 1)),
                Box::new(|desk| {
                    // A deferred reference to nothing is found by COMMIT, which then fails.
                    desk.db
                        .execute_batch("pragma defer_foreign_keys = on; insert into child values (1, 99)")?;
                    Ok(())
                }),
            ],
        );
        assert!(
            matches!(answers[..], [Err(StoreError::Unknown(_)), Err(StoreError::Unknown(_))]),
            "{answers:?}"
        );
        assert!(matches!(desk.alone(|desk| insert(desk, 2)), Err(StoreError::Unusable(_))));
        assert_eq!(count(&desk), 0);
    }

    #[test]
    fn want_of_space_rolls_back_and_work_resumes_when_there_is_space() {
        let directory = tempfile::tempdir().unwrap();
        let db = Connection::open(directory.path().join("full.db")).unwrap();
        db.execute_batch(
            "pragma journal_mode = wal;
            create table parent (id integer primary key, body blob);
            pragma max_page_count = 10",
        )
        .unwrap();
        let mut desk = Desk::new(db, 1, LastNumbers::default(), false);
        let answers = group(
            &mut desk,
            vec![
                Box::new(|desk| insert(desk, 1)),
                Box::new(|desk| {
                    desk.db.execute("insert into parent values (2, zeroblob(1000000))", [])?;
                    Ok(())
                }),
            ],
        );
        assert!(matches!(answers[1], Err(StoreError::Failed(_))), "{answers:?}");
        assert_eq!(count(&desk), i64::from(answers[0].is_ok()));
        desk.db.execute_batch("pragma max_page_count = 10000").unwrap();
        desk.alone(|desk| {
            desk.db.execute("insert into parent values (2, zeroblob(1000000))", [])?;
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn leases_are_taken_back_with_the_member_that_changed_them() {
        use jiff::Timestamp;
        use turnstone_core::id::PollerId;
        let mut desk = desk();
        group(
            &mut desk,
            vec![
                Box::new(|desk| {
                    desk.leases.claim_poller(PollerId(1), Timestamp::UNIX_EPOCH, Duration::from_secs(60));
                    Ok(())
                }),
                Box::new(|desk| {
                    desk.leases.claim_poller(PollerId(2), Timestamp::UNIX_EPOCH, Duration::from_secs(60));
                    Err(StoreError::NotFound("poller"))
                }),
            ],
        );
        assert!(desk.leases.poller(PollerId(1)).is_some());
        assert!(desk.leases.poller(PollerId(2)).is_none());
    }
}
