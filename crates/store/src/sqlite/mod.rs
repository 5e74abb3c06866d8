//! The store in one SQLite file: for one process, with nothing to install beside it.
//!
//! One connection writes, on a thread of its own, and commits in groups ([`writer`]); a few others read ([`readers`]).
//! Claims live in memory ([`leases`]). A second process is refused, and so is a file on another machine's disk.
//!
//! Not here: what the verbs mean (they are described at [`Store`], [`crate::Intake`] and [`crate::Directory`]), and
//! PostgreSQL.

mod addresses;
mod authorizations;
mod connections;
mod delivery;
mod directory;
mod elements;
mod endpoints;
mod hints;
mod history;
mod inbound;
mod instances;
mod intake;
mod leases;
mod ledger;
mod migrate;
mod monitors;
mod notifications;
mod open;
mod people;
mod readers;
mod reading;
mod recent;
mod rim;
mod row;
mod runs;
mod settling;
mod subscriptions;
mod upkeep;
mod watch;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use turnstone_core::id::{EndpointId, InstanceId, NotificationId, OrgId, PollerId, RunId, TokenId};
use turnstone_core::ledger::{Compared, Known, Recall};
use turnstone_core::poll::{Batch, Decision, Finish, RunRecord};

use crate::api::*;
use readers::{Readers, snapshot};
use recent::Latest;
use writer::{Class, Desk, Weight, Writer, usable};

/// Connections that only read. A read takes microseconds unless it waits for the disk; a few keep all cores busy.
const READERS: usize = 3;

/// The store in one SQLite file, or in memory.
///
/// Dropping it finishes what is queued, so that a clean end leaves an empty write-ahead log.
pub struct SqliteStore {
    work: Work,
    unusable: Arc<AtomicBool>,
    latest: Latest,
    // Released last: fields are dropped in order.
    _lock: Option<File>,
}

enum Work {
    /// Every verb runs on the caller's thread.
    Inline(Box<Mutex<Desk>>),
    /// Verbs travel to the writer's thread, reads to the readers'. Readers are dropped first: the connection that is
    /// closed last empties the write-ahead log.
    Threads { readers: Option<Readers>, writer: Writer },
}

impl SqliteStore {
    /// Opens a database file, or makes it. `Unusable` says in one sentence why it cannot be used: another process has
    /// it, it is damaged, it is another program's, it is newer than this program, or it is on a network file system.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore> {
        let opened = open::file(path.as_ref(), READERS)?;
        let (unusable, latest) = (opened.desk.unusable_flag(), opened.desk.recent.latest());
        let readers = Some(Readers::start(opened.readers)?);
        let writer = Writer::start(opened.desk)?;
        Ok(SqliteStore {
            work: Work::Threads { readers, writer },
            unusable,
            latest,
            _lock: Some(opened.lock),
        })
    }

    /// Opens a database file whose verbs run on the calling thread, as with [`SqliteStore::in_memory_inline`].
    pub fn open_inline(path: impl AsRef<Path>) -> Result<SqliteStore> {
        let opened = open::file(path.as_ref(), 0)?;
        let (unusable, latest) = (opened.desk.unusable_flag(), opened.desk.recent.latest());
        Ok(SqliteStore {
            work: Work::Inline(Box::new(Mutex::new(opened.desk))),
            unusable,
            latest,
            _lock: Some(opened.lock),
        })
    }

    /// Makes a database that is gone when the store is dropped. Verbs run on the writer's thread.
    pub fn in_memory() -> Result<SqliteStore> {
        let desk = open::memory()?;
        let (unusable, latest) = (desk.unusable_flag(), desk.recent.latest());
        let writer = Writer::start(desk)?;
        Ok(SqliteStore { work: Work::Threads { readers: None, writer }, unusable, latest, _lock: None })
    }

    /// Makes a database in memory whose verbs run on the calling thread: every future is ready when it is first polled,
    /// so that a simulator needs no runtime.
    pub fn in_memory_inline() -> Result<SqliteStore> {
        let desk = open::memory()?;
        let (unusable, latest) = (desk.unusable_flag(), desk.recent.latest());
        Ok(SqliteStore { work: Work::Inline(Box::new(Mutex::new(desk))), unusable, latest, _lock: None })
    }

    /// Ends all claims and raises the epoch, as a restart of the process would: whoever held a lease finds it stale.
    pub async fn restart(&self) -> Result<()> {
        self.write(Class::Keeper, Weight::SMALL, |desk| {
            let epoch = upkeep::raise_open_epoch(&desk.db)?;
            desk.leases = leases::Leases::new(epoch);
            Ok(())
        })
        .await
    }

    /// Copies the database, as it is at this moment, into a new file, while work goes on. The copy appears under its
    /// name only when it is complete. Refuses to replace a file.
    pub async fn backup(&self, path: impl Into<PathBuf>) -> Result<()> {
        let path = path.into();
        self.read(Class::Keeper, move |db| backup(db, &path)).await
    }

    async fn write<T, W>(&self, class: Class, weight: Weight, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Desk) -> Result<T> + Send + 'static,
    {
        usable(&self.unusable)?;
        let answer = match &self.work {
            Work::Inline(desk) => desk.lock().unwrap_or_else(PoisonError::into_inner).alone(work),
            Work::Threads { writer, .. } => writer.run(class, weight, work).await,
        };
        self.heed(answer)
    }

    /// Damage that any verb meets stops all of them: what a damaged file says cannot be built upon.
    fn heed<T>(&self, answer: Result<T>) -> Result<T> {
        if let Err(StoreError::Unusable(_)) = &answer {
            self.unusable.store(true, Ordering::Release);
        }
        answer
    }

    async fn read<T, W>(&self, class: Class, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        usable(&self.unusable)?;
        match &self.work {
            Work::Inline(desk) => {
                self.heed(snapshot(&desk.lock().unwrap_or_else(PoisonError::into_inner).db, work))
            }
            Work::Threads { readers: Some(readers), .. } => self.heed(readers.run(work).await),
            Work::Threads { readers: None, writer } => {
                self.heed(writer.run(class, Weight::SMALL, move |desk| work(&desk.db)).await)
            }
        }
    }
}

fn backup(db: &Connection, path: &Path) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        StoreError::Failed(format!("cannot write the backup `{}`: {error}", path.display()))
    };
    if path.exists() {
        return Err(StoreError::Conflict(format!("`{}` exists; name a new file", path.display())));
    }
    let mut name = path.as_os_str().to_owned();
    name.push("-unfinished");
    let unfinished = PathBuf::from(name);
    let _ = std::fs::remove_file(&unfinished); // Left over from a backup that was interrupted, if it is there at all.
    let copied = copy(db, &unfinished).map_err(|error| failed(&error));
    let done = copied.and_then(|()| std::fs::rename(&unfinished, path).map_err(|error| failed(&error)));
    if done.is_err() {
        let _ = std::fs::remove_file(&unfinished); // The error is reported; a leftover is replaced next time.
    }
    done
}

fn copy(db: &Connection, path: &Path) -> rusqlite::Result<()> {
    let mut target = Connection::open(path)?;
    {
        let backup = Backup::new(db, &mut target)?;
        // The snapshot was taken when the transaction began, so that steps never start over.
        while backup.step(1_000)? != StepResult::Done {}
    }
    target.close().map_err(|(_, error)| error)
}

#[async_trait]
impl Store for SqliteStore {
    async fn ensure_org(&self, name: &str, now: Timestamp) -> Result<OrgId> {
        let name = name.to_owned();
        self.write(Class::Api, Weight::SMALL, move |desk| instances::ensure_org(desk, &name, now)).await
    }

    async fn org_by_token(&self, token_hash: [u8; 32]) -> Result<Option<OrgId>> {
        self.read(Class::Api, move |db| instances::org_by_token(db, token_hash)).await
    }

    async fn add_org_token(&self, org: OrgId, token_hash: [u8; 32], now: Timestamp) -> Result<TokenId> {
        self.write(Class::Api, Weight::SMALL, move |desk| {
            instances::add_org_token(desk, org, token_hash, now)
        })
        .await
    }

    async fn create_instance(&self, new: NewInstance, now: Timestamp) -> Result<InstanceId> {
        let weight = Weight { rows: 2 + new.pollers.len() + new.tags.len(), bytes: new.document.len() };
        self.write(Class::Api, weight, move |desk| instances::create_instance(desk, &new, now)).await
    }

    async fn instance(&self, org: OrgId, id: InstanceId) -> Result<InstanceRow> {
        self.read(Class::Api, move |db| instances::instance(db, org, id)).await
    }

    async fn instances(&self, org: OrgId) -> Result<Vec<InstanceRow>> {
        self.read(Class::Api, move |db| instances::instances(db, org)).await
    }

    async fn update_instance(
        &self,
        org: OrgId,
        id: InstanceId,
        new: NewInstance,
        now: Timestamp,
    ) -> Result<()> {
        let weight = Weight { rows: 2 + new.pollers.len() + new.tags.len(), bytes: new.document.len() };
        self.write(Class::Api, weight, move |desk| instances::update_instance(desk, org, id, &new, now)).await
    }

    async fn set_enabled(&self, org: OrgId, id: InstanceId, enabled: bool) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| instances::set_enabled(desk, org, id, enabled))
            .await
    }

    async fn delete_instance(&self, org: OrgId, id: InstanceId, now: Timestamp) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| instances::delete_instance(desk, org, id, now))
            .await
    }

    async fn pollers(&self, org: OrgId, instance: Option<InstanceId>) -> Result<Vec<PollerRow>> {
        self.read(Class::Api, move |db| instances::pollers(db, org, instance)).await
    }

    async fn poller(&self, org: OrgId, id: PollerId) -> Result<PollerRow> {
        self.read(Class::Api, move |db| instances::poller(db, org, id)).await
    }

    async fn set_due(&self, org: OrgId, id: PollerId, due: Timestamp, unpause: bool) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| instances::set_due(desk, org, id, due, unpause))
            .await
    }

    async fn pause(&self, org: OrgId, id: PollerId, reason: &str) -> Result<()> {
        let reason = reason.to_owned();
        self.write(Class::Api, Weight::SMALL, move |desk| instances::pause(desk, org, id, &reason)).await
    }

    async fn set_state(
        &self,
        org: OrgId,
        id: PollerId,
        state: &str,
        watermark: Option<Compared>,
        now: Timestamp,
    ) -> Result<()> {
        let state = state.to_owned();
        let work = move |desk: &mut Desk| instances::set_state(desk, org, id, &state, watermark, now);
        self.write(Class::Api, Weight::SMALL, work).await
    }

    async fn due(&self, now: Timestamp, limit: u32, per_org: u32) -> Result<Vec<Due>> {
        self.write(Class::Polls, Weight::SMALL, move |desk| runs::due(desk, now, limit, per_org)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.write(Class::Polls, Weight::SMALL, runs::next_due).await
    }

    async fn claim(&self, poller: PollerId, now: Timestamp, lease_for: Duration) -> Result<Option<Claim>> {
        self.write(Class::Polls, Weight::SMALL, move |desk| runs::claim(desk, poller, now, lease_for)).await
    }

    async fn renew(&self, lease: Lease<PollerId>, now: Timestamp, lease_for: Duration) -> Result<Committed> {
        self.write(Class::Polls, Weight::SMALL, move |desk| runs::renew(desk, lease, now, lease_for)).await
    }

    async fn recall(&self, poller: PollerId, recall: &Recall) -> Result<Known> {
        if matches!(recall, Recall::Missing { .. }) && self.latest.has(poller) {
            self.write(Class::Polls, Weight::SMALL, |desk| desk.recent.move_all(&desk.db)).await?;
        }
        let (recall, latest) = (recall.clone(), self.latest.clone());
        self.read(Class::Polls, move |db| ledger::recall(db, &latest, poller, &recall)).await
    }

    async fn commit(&self, lease: Lease<PollerId>, batch: Batch, now: Timestamp) -> Result<Committed> {
        let weight = runs::weight(&batch);
        self.write(Class::Polls, weight, move |desk| runs::commit(desk, lease, batch, now)).await
    }

    async fn finish(&self, lease: Lease<PollerId>, finish: Finish, now: Timestamp) -> Result<Committed> {
        let mut weight = runs::weight(&finish.batch);
        weight.bytes += finish.flow.as_ref().map_or(0, |flow| flow.trace.len());
        self.write(Class::Polls, weight, move |desk| runs::finish(desk, lease, finish, now)).await
    }

    async fn release(&self, lease: Lease<PollerId>, due: Timestamp) -> Result<()> {
        self.write(Class::Polls, Weight::SMALL, move |desk| runs::release(desk, lease, due)).await
    }

    async fn runs(&self, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<RunRecord>> {
        self.read(Class::Api, move |db| reading::runs(db, org, poller, limit)).await
    }

    async fn run(&self, org: OrgId, id: RunId) -> Result<(RunRecord, Vec<Decision>)> {
        self.read(Class::Api, move |db| reading::run(db, org, id)).await
    }

    async fn events(&self, org: OrgId, filter: &EventFilter) -> Result<Vec<LoggedEvent>> {
        let filter = filter.clone();
        self.read(Class::Api, move |db| reading::events(db, org, &filter)).await
    }

    async fn endpoints_waiting(&self, limit: u32) -> Result<Vec<EndpointRow>> {
        self.read(Class::Attempts, move |db| delivery::endpoints_waiting(db, limit)).await
    }

    async fn waiting(&self, endpoint: EndpointId, events_max: EventsMax) -> Result<Waiting> {
        self.read(Class::Attempts, move |db| delivery::waiting(db, endpoint, events_max)).await
    }

    async fn reserve_notification(&self) -> Result<NotificationId> {
        self.write(Class::Attempts, Weight::SMALL, delivery::reserve_notification).await
    }

    async fn form(
        &self,
        id: NotificationId,
        new: NewNotification,
        position_was: i64,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Delivery>> {
        let weight = Weight { rows: 2 + 3 * new.members.len(), bytes: new.body.len() };
        let work = move |desk: &mut Desk| delivery::form(desk, id, &new, position_was, now, lease_for);
        self.write(Class::Attempts, weight, work).await
    }

    async fn claim_notifications(
        &self,
        now: Timestamp,
        limit: u32,
        per_endpoint: u32,
        lease_for: Duration,
    ) -> Result<Vec<Delivery>> {
        let work =
            move |desk: &mut Desk| delivery::claim_notifications(desk, now, limit, per_endpoint, lease_for);
        self.write(Class::Attempts, Weight::SMALL, work).await
    }

    async fn finish_attempt(
        &self,
        lease: Lease<NotificationId>,
        result: AttemptResult,
        now: Timestamp,
    ) -> Result<Committed> {
        let bodies: usize = result.singles.iter().map(|(_, single)| single.body.len()).sum();
        let told = result.attempt.answer.len() + result.attempt.request.len();
        let weight = Weight { rows: 3 + 3 * result.singles.len(), bytes: bodies + told };
        self.write(Class::Attempts, weight, move |desk| delivery::finish_attempt(desk, lease, &result, now))
            .await
    }

    async fn redeliver(&self, org: OrgId, filter: &NotificationFilter, now: Timestamp) -> Result<u64> {
        let filter = filter.clone();
        self.write(Class::Api, Weight::SMALL, move |desk| delivery::redeliver(desk, org, &filter, now)).await
    }

    async fn next_notification_due(&self) -> Result<Option<Timestamp>> {
        self.write(Class::Attempts, Weight::SMALL, delivery::next_notification_due).await
    }

    async fn endpoints(&self, org: OrgId) -> Result<Vec<EndpointRow>> {
        self.read(Class::Api, move |db| endpoints::endpoints(db, org)).await
    }

    async fn notifications(&self, org: OrgId, filter: &NotificationFilter) -> Result<Vec<NotificationRow>> {
        let filter = filter.clone();
        self.read(Class::Api, move |db| notifications::notifications(db, org, &filter)).await
    }

    async fn attempts(&self, org: OrgId, notification: NotificationId) -> Result<Vec<AttemptRow>> {
        self.read(Class::Api, move |db| notifications::attempts(db, org, notification)).await
    }

    async fn expire_leases(&self, now: Timestamp) -> Result<u64> {
        self.write(Class::Keeper, Weight::SMALL, move |desk| upkeep::expire_leases(desk, now)).await
    }

    async fn prune(&self, retention: &Retention) -> Result<Kept> {
        let retention = *retention;
        let weight = Weight { rows: retention.rows_max as usize, bytes: 0 };
        self.write(Class::Keeper, weight, move |desk| upkeep::prune(desk, &retention)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_prepares() {
        let desk = open::memory().unwrap();
        let modules = [
            instances::STATEMENTS,
            runs::STATEMENTS,
            ledger::STATEMENTS,
            recent::STATEMENTS,
            delivery::STATEMENTS,
            endpoints::STATEMENTS,
            reading::STATEMENTS,
            notifications::STATEMENTS,
            watch::STATEMENTS,
            upkeep::STATEMENTS,
            addresses::STATEMENTS,
            hints::STATEMENTS,
            history::STATEMENTS,
            inbound::STATEMENTS,
            settling::STATEMENTS,
            monitors::STATEMENTS,
            subscriptions::STATEMENTS,
        ];
        for (name, sql) in modules.concat() {
            if let Err(error) = desk.db.prepare(sql) {
                panic!("{name}: {error}");
            }
        }
    }

    /// Point reads and ranges only: a statement of the hot path that scans a table would be a mistake of the schema.
    #[test]
    fn no_statement_of_the_hot_path_scans() {
        let desk = open::memory().unwrap();
        let intake =
            [addresses::STATEMENTS, hints::STATEMENTS, history::STATEMENTS, inbound::STATEMENTS].concat();
        let delivery = [delivery::STATEMENTS, endpoints::STATEMENTS].concat();
        let hot = [ledger::STATEMENTS, runs::STATEMENTS, &delivery, settling::STATEMENTS, &intake].concat();
        for (name, sql) in hot {
            if name == "SELECT_ORGS" {
                continue; // One row per tenant, read in full on purpose.
            }
            let mut explain = desk.db.prepare(&format!("explain query plan {sql}")).unwrap();
            let columns = explain.parameter_count();
            let none = vec![rusqlite::types::Null; columns];
            let plan: Vec<String> = explain
                .query_map(rusqlite::params_from_iter(none), |row| row.get(3))
                .unwrap()
                .map(|line| line.unwrap())
                .collect();
            // `waiting` is no table: it has a row for each instance with a queue.
            let scans = |line: &&String| {
                line.starts_with("SCAN")
                    && !line.contains("USING")
                    && !line.contains("CONSTANT")
                    && *line != "SCAN waiting"
            };
            assert_eq!(plan.iter().find(scans), None, "{name}: {plan:?}");
        }
    }

    /// What is read in log order is found in log order: a list that had to be sorted would be read to its end first.
    #[test]
    fn no_list_of_events_is_sorted() {
        let desk = open::memory().unwrap();
        let lists = [delivery::STATEMENTS, reading::STATEMENTS].concat();
        let lists = lists.iter().filter(|(_, sql)| sql.contains("between max(event_batch.first"));
        let mut count = 0;
        for (name, sql) in lists {
            let mut explain = desk.db.prepare(&format!("explain query plan {sql}")).unwrap();
            let none = vec![rusqlite::types::Null; explain.parameter_count()];
            let plan: Vec<String> = explain
                .query_map(rusqlite::params_from_iter(none), |row| row.get(3))
                .unwrap()
                .map(|line| line.unwrap())
                .collect();
            // Endpoints themselves are few and sorted by how far they are behind.
            let sorts =
                plan.iter().any(|line| line.contains("B-TREE")) && *name != "SELECT_ENDPOINTS_WAITING";
            let ranges = plan
                .iter()
                .any(|line| line.contains("event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
            assert!(!sorts && ranges, "{name}: {plan:?}");
            count += 1;
        }
        assert_eq!(count, 8);
    }

    /// What is listed newest first is found by an index in that order, and nothing is read in full.
    #[test]
    fn no_list_for_people_is_sorted() {
        let desk = open::memory().unwrap();
        let ids = notifications::STATEMENTS.iter().filter(|(name, _)| name.contains("_IDS"));
        let runs = watch::STATEMENTS.iter().filter(|(name, _)| name.contains("RUN"));
        let mut count = 0;
        for (name, sql) in ids.chain(runs) {
            let mut explain = desk.db.prepare(&format!("explain query plan {sql}")).unwrap();
            let none = vec![rusqlite::types::Null; explain.parameter_count()];
            let plan: Vec<String> = explain
                .query_map(rusqlite::params_from_iter(none), |row| row.get(3))
                .unwrap()
                .map(|line| line.unwrap())
                .collect();
            let is_read_in_full = plan.iter().any(|line| line.starts_with("SCAN"));
            let sorts = plan.iter().any(|line| line.contains("B-TREE")) && *name != "SELECT_IDS_OF_EVENT";
            assert!(!is_read_in_full && !sorts, "{name}: {plan:?}");
            count += 1;
        }
        assert_eq!(count, 15);
    }

    /// Polls a future once: it must be ready, as a simulator expects.
    fn ready<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("the future is not ready"),
        }
    }

    #[test]
    fn inline_verbs_are_ready_at_once() {
        let store = SqliteStore::in_memory_inline().unwrap();
        let org = ready(store.ensure_org("a\0b", Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!(ready(store.ensure_org("a\0b", Timestamp::UNIX_EPOCH)).unwrap(), org);
        assert_ne!(ready(store.ensure_org("a", Timestamp::UNIX_EPOCH)).unwrap(), org);
        assert_eq!(ready(store.instances(org)).unwrap(), vec![]);
    }

    #[tokio::test]
    async fn a_backup_is_a_database_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("a.db")).unwrap();
        let org = store.ensure_org("here", Timestamp::UNIX_EPOCH).await.unwrap();
        let copy = directory.path().join("copy.db");
        store.backup(&copy).await.unwrap();
        store.ensure_org("later", Timestamp::UNIX_EPOCH).await.unwrap();
        assert!(matches!(store.backup(&copy).await, Err(StoreError::Conflict(_))));

        let restored = SqliteStore::open(&copy).unwrap();
        assert_eq!(restored.ensure_org("here", Timestamp::UNIX_EPOCH).await.unwrap(), org);
        assert_eq!(restored.ensure_org("other", Timestamp::UNIX_EPOCH).await.unwrap(), OrgId(org.0 + 1));
    }

    #[tokio::test]
    async fn what_was_answered_is_there_after_opening_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let store = Arc::new(SqliteStore::open(&path).unwrap());
        let tasks = (0..200).map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.ensure_org(&format!("{number}"), Timestamp::UNIX_EPOCH).await })
        });
        let mut ids = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            ids.push(task.await.unwrap().unwrap());
        }
        drop(store);
        let store = SqliteStore::open(&path).unwrap();
        for (number, id) in ids.into_iter().enumerate() {
            assert_eq!(store.ensure_org(&format!("{number}"), Timestamp::UNIX_EPOCH).await.unwrap(), id);
        }
    }
}
