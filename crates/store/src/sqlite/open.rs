//! Opening a database file: who may, where it may stand, whether it is whole, and its settings.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::migrate::{MIGRATIONS, migrate};
use super::writer::{Desk, LastNumbers};
use crate::{Result, StoreError};

/// Oldest SQLite that is trusted: earlier ones could lose a commit when a log was reset at the wrong moment.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Marks our files ("TSTN"), so that another program's database is not taken for ours.
const APPLICATION_ID: i32 = 0x5453_544e;

/// Larger files are not read through at every start: half a gigabyte takes a second from a disk. SQLite still reports
/// damage when it meets it.
const QUICK_CHECK_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Prepared statements kept per connection; there are fewer than this.
const STATEMENTS_MAX: usize = 512;

/// How long a statement waits for a lock of another process, such as a backup tool that reads the file.
const BUSY_MS: u64 = 5_000;

/// File systems of other machines: their locks and shared memory do not keep SQLite's promises.
const NETWORK: &[&str] = &[
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "fuse.cephfs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb2",
    "smb3",
    "smbfs",
];

fn unusable(sentence: impl Into<String>) -> StoreError {
    StoreError::Unusable(sentence.into())
}

/// An open database file with its lock. In this order they are dropped: only the writer's connection may be the last
/// one to close, because it empties the write-ahead log then.
pub(super) struct Opened {
    pub readers: Vec<Connection>,
    pub desk: Desk,
    pub lock: File,
}

/// Opens or makes a database file.
pub(super) fn file(path: &Path, readers: usize) -> Result<Opened> {
    version()?;
    refuse_network(path)?;
    let lock = lock(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let mut db = Connection::open_with_flags(path, flags)
        .map_err(|error| unusable(format!("cannot open `{}`: {error}", path.display())))?;
    // Until the file is known to be whole and ours, closing it again must not change it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    inspect(&db, path)?;
    db.execute_batch(&format!("pragma application_id = {APPLICATION_ID}"))?;
    let mode: String = db.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(unusable(format!("`{}` cannot use a write-ahead log; use a local disk", path.display())));
    }
    // Flushed before it is acknowledged; checkpoints only by the writer between groups; a log that grew is cut.
    db.execute_batch(
        "pragma synchronous = full;
        pragma wal_autocheckpoint = 0;
        pragma journal_size_limit = 134217728",
    )?;
    // The writer's pages: the tops of all trees and the hot ends of the log, for a ledger of some million records.
    settings(&db, 64)?;
    let desk = desk(&mut db, path)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    let readers = (0..readers).map(|_| reader(path)).collect::<Result<_>>()?;
    Ok(Opened { desk: desk.with(db, true), readers, lock })
}

/// Makes a database that lives as long as it is open.
pub(super) fn memory() -> Result<Desk> {
    version()?;
    let mut db = Connection::open_in_memory_with_flags(
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_MEMORY,
    )?;
    settings(&db, 64)?;
    let desk = desk(&mut db, Path::new(":memory:"))?;
    Ok(desk.with(db, false))
}

fn reader(path: &Path) -> Result<Connection> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE,
    )?;
    settings(&db, 32)?;
    Ok(db)
}

/// No memory map: reading a mapped file that was cut or whose disk fails kills the process, a plain read is an error.
fn settings(db: &Connection, cache_mebibytes: u32) -> Result<()> {
    db.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.execute_batch(&format!(
        "pragma foreign_keys = on;
        pragma trusted_schema = off;
        pragma temp_store = memory;
        pragma mmap_size = 0;
        pragma cache_size = -{}",
        cache_mebibytes * 1024
    ))?;
    Ok(())
}

/// What a desk starts from, read before its connection is handed over.
struct Start {
    open_epoch: u32,
    last: LastNumbers,
}

impl Start {
    fn with(self, db: Connection, is_checkpointing: bool) -> Desk {
        Desk::new(db, self.open_epoch, self.last, is_checkpointing)
    }
}

fn desk(db: &mut Connection, path: &Path) -> Result<Start> {
    migrate(db, MIGRATIONS).map_err(|error| match error {
        StoreError::Unusable(sentence) => unusable(format!("cannot use `{}`: {sentence}", path.display())),
        other => unusable(format!("cannot bring `{}` to the present schema: {other}", path.display())),
    })?;
    // What is kept in memory of them is gone with the process that wrote them.
    let moving = db.transaction()?;
    super::recent::move_all(&moving)?;
    moving.commit()?;
    let open_epoch = super::upkeep::raise_open_epoch(db)?;
    let last = LastNumbers {
        notification: super::delivery::last_number(db, "notification")?,
        inbound: super::delivery::last_number(db, "inbound")?,
    };
    Ok(Start { open_epoch, last })
}

fn version() -> Result<()> {
    match rusqlite::version_number() {
        number if number >= SQLITE_VERSION_MIN => Ok(()),
        _ => Err(unusable(format!("SQLite {} is too old; 3.51.3 or later is needed", rusqlite::version()))),
    }
}

/// The name of the lock file beside a database.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

/// Takes the lock that keeps a second process away. The file stays; the system frees the lock with the process.
fn lock(path: &Path) -> Result<File> {
    let beside = lock_path(path);
    let file =
        File::options().create(true).truncate(false).read(true).write(true).open(&beside).map_err(
            |error| unusable(format!("cannot make the lock file `{}`: {error}", beside.display())),
        )?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(unusable(format!("`{}` is in use by another process; stop that one first", path.display())))
        }
        Err(TryLockError::Error(error)) => {
            Err(unusable(format!("cannot lock `{}`: {error}; use a local disk", beside.display())))
        }
    }
}

/// Refuses foreign and damaged files, and changes nothing.
fn inspect(db: &Connection, path: &Path) -> Result<()> {
    let refused = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            unusable(format!("`{}` is not a database; it was left as it is", path.display()))
        }
        _ => damaged(path, &error.to_string()),
    };
    db.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    let application: i32 = db.query_row("pragma application_id", [], |row| row.get(0)).map_err(refused)?;
    let tables: i64 =
        db.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(refused)?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(unusable(format!(
            "`{}` is a database of another program; name another file",
            path.display()
        )));
    }
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    if bytes > QUICK_CHECK_BYTES_MAX {
        return Ok(());
    }
    let verdict: String = db.query_row("pragma quick_check(1)", [], |row| row.get(0)).map_err(refused)?;
    match verdict.as_str() {
        "ok" => Ok(()),
        fault => Err(damaged(path, fault)),
    }
}

fn damaged(path: &Path, fault: &str) -> StoreError {
    unusable(format!(
        "`{}` is damaged ({fault}); it was left as it is: keep a copy and restore a backup",
        path.display()
    ))
}

/// Refuses a file on another machine's disk. Where the system does not tell, the file is taken as local.
fn refuse_network(path: &Path) -> Result<()> {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mounts") else { return Ok(()) };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = directory
        .canonicalize()
        .map_err(|error| unusable(format!("cannot use the directory `{}`: {error}", directory.display())))?;
    match file_system(&mounts, &directory) {
        Some(kind) if NETWORK.contains(&kind) => Err(unusable(format!(
            "`{}` is on a network file system ({kind}), whose locks a database cannot trust; \
            use a local disk, or PostgreSQL for several nodes",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// The kind of the file system that holds a directory: the longest mount point above it, the last one of equals.
fn file_system<'m>(mounts: &'m str, directory: &Path) -> Option<&'m str> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(_), Some(point), Some(kind)) = (words.next(), words.next(), words.next()) else { continue };
        let point = PathBuf::from(unescape(point));
        let depth = point.components().count();
        if directory.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind)
}

/// Blanks in mount points are written as three octal digits after a backslash.
fn unescape(text: &str) -> String {
    let mut plain = text.to_owned();
    for (escaped, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(escaped, character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
/dev/sda / ext4 rw 0 0
server:/data /data nfs4 rw 0 0
/dev/sdb /data/local\\040disk xfs rw 0 0
tmpfs /data/me tmpfs rw 0 0
server:/me /data/me cifs rw 0 0
";

    #[track_caller]
    fn check(directory: &str, expect: &str) {
        assert_eq!(file_system(MOUNTS, Path::new(directory)), Some(expect), "{directory}");
    }

    #[test]
    fn the_deepest_and_latest_mount_counts() {
        check("/var/lib", "ext4");
        check("/data/you", "nfs4");
        check("/datas", "ext4");
        check("/data/local disk/db", "xfs");
        check("/data/me/db", "cifs");
    }

    #[test]
    fn the_version_floor_holds() {
        version().unwrap();
    }

    #[track_caller]
    fn refused(path: &Path) -> String {
        match file(path, 1) {
            Err(StoreError::Unusable(sentence)) => sentence,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("opened"),
        }
    }

    #[test]
    fn a_second_opening_is_refused_and_a_later_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let first = file(&path, 1).unwrap();
        assert!(refused(&path).contains("in use by another process"));
        drop(first);
        file(&path, 1).map(drop).unwrap();
    }

    #[test]
    fn foreign_files_are_left_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().join("text.db");
        let content = "This is a letter and no database. ".repeat(200);
        std::fs::write(&text, &content).unwrap();
        assert!(refused(&text).contains("is not a database"));
        assert_eq!(std::fs::read_to_string(&text).unwrap(), content);

        let other = directory.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("create table a (b)").unwrap();
        let before = std::fs::read(&other).unwrap();
        assert!(refused(&other).contains("another program"));
        assert_eq!(std::fs::read(&other).unwrap(), before);
    }

    /// A closed database with some rows.
    fn sample(path: &Path) -> Vec<u8> {
        let opened = file(path, 1).unwrap();
        for number in 0..500 {
            let sql = "insert into org (name, created_at) values (?1, 0)";
            opened.desk.db.execute(sql, [format!("organisation {number} {}", "x".repeat(100))]).unwrap();
        }
        drop(opened);
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_cut_file_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let whole = sample(&path);
        for bytes in [whole.len() / 2, whole.len() - 4096, 5000] {
            std::fs::write(&path, &whole[..bytes]).unwrap();
            let sentence = refused(&path);
            assert!(sentence.contains("damaged") && sentence.contains("backup"), "{bytes}: {sentence}");
            assert_eq!(std::fs::read(&path).unwrap(), &whole[..bytes]);
        }
        std::fs::write(&path, &whole).unwrap();
        file(&path, 1).map(drop).unwrap();
    }

    #[test]
    fn overwritten_pages_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let whole = sample(&path);
        let pages = whole.len() / 4096;
        for page in [1, pages / 2, pages - 1] {
            let mut broken = whole.clone();
            broken[page * 4096..(page + 1) * 4096].fill(0xa5);
            std::fs::write(&path, &broken).unwrap();
            assert!(refused(&path).contains("damaged"), "page {page}");
            assert_eq!(std::fs::read(&path).unwrap(), broken);
        }
    }

    #[test]
    fn epochs_grow_with_every_opening() {
        use jiff::Timestamp;
        use turnstone_core::id::PollerId;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let mut last = 0;
        for _ in 0..3 {
            let mut opened = file(&path, 0).unwrap();
            let now = Timestamp::UNIX_EPOCH;
            let lease = opened.desk.leases.claim_poller(PollerId(1), now, std::time::Duration::from_secs(1));
            assert!(lease.epoch > last);
            last = lease.epoch;
        }
    }
}
