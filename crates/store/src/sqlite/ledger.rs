//! The ledger's rows: what every poll reads and writes by the thousand.

use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{OrgId, PollerId};
use turnstone_core::json_hash::ContentHash;
use turnstone_core::ledger::{Compared, Entry, Known, KnownVersion, Recall, Version};

use super::recent::{Found, Latest};
use super::row::{Columns, statements, whole};
use super::writer::Desk;
use crate::Result;

macro_rules! entry_columns {
    () => {
        "
    select
        id,
        incarnation,
        sequence,
        compared_text,
        compared,
        hash,
        shape,
        recurrence,
        first_read_at,
        last_sweep,
        deleted_at,
        has_body
    from record"
    };
}

statements! {
    SELECT_ENTRY = concat!(entry_columns!(), "
    where poller_id = ?1
    and id = ?2");

    SELECT_BODY = "
    select body
    from record_body
    where poller_id = ?1
    and id = ?2";

    SELECT_ANY_BODY = "
    select 1
    from record_body
    where poller_id = ?1
    limit 1";

    SELECT_VERSION = "
    select 1
    from version
    where poller_id = ?1
    and dated = ?2
    and compared = ?3
    and record_id = ?4
    and hash = ?5";

    SELECT_ANY_HINT = "
    select 1
    from hint
    where poller_id = ?1
    limit 1";

    SELECT_ANNOUNCED = "
    select announced_at
    from hint
    where poller_id = ?1
    and object_id = ?2";

    SELECT_ANY_VERSION = "
    select 1
    from version
    where poller_id = ?1
    limit 1";

    SELECT_MISSING = concat!(entry_columns!(), "
    where poller_id = ?1
    and deleted_at is null
    and last_sweep < ?2
    and (?3 is null or id > ?3)
    order by id
    limit ?4");

    COUNT_ALIVE = "
    select count(*) filter (where last_sweep < ?2), count(*)
    from record
    where poller_id = ?1
    and deleted_at is null";

    UPSERT_BODY = "
    insert into record_body (poller_id, id, org_id, body)
    values (?1, ?2, ?3, ?4)
    on conflict (poller_id, id) do update
    set body = excluded.body";

    DELETE_BODY = "
    delete from record_body
    where poller_id = ?1
    and id = ?2";

    INSERT_VERSION = "
    insert into version (poller_id, dated, compared, record_id, hash, org_id)
    values (?1, ?2, ?3, ?4, ?5, ?6)
    on conflict do nothing";

    UPDATE_SWEPT = "
    update record
    set last_sweep = ?3
    where poller_id = ?1
    and id = ?2";

    DELETE_VERSIONS_BELOW = "
    delete from version
    where poller_id = ?1
    and dated = 1
    and compared < ?2";
}

/// See [`crate::Store::recall`].
pub(super) fn recall(db: &Connection, latest: &Latest, poller: PollerId, recall: &Recall) -> Result<Known> {
    match recall {
        Recall::Versions(versions) => versions_known(db, latest, poller, versions).map(Known::Versions),
        Recall::Missing { last_sweep_below, after, limit } => {
            missing(db, poller, *last_sweep_below, after.as_deref(), *limit)
        }
    }
}

/// One point read where the version asked for is the record's last one, or where no version was replaced yet; only what
/// may have been replaced is looked for in the window.
fn versions_known(
    db: &Connection,
    latest: &Latest,
    poller: PollerId,
    asked: &[Version],
) -> Result<Vec<KnownVersion>> {
    // Before the first statement, with which the transaction's view of the file begins.
    let latest = latest.of(poller, asked);
    let has_window = db.prepare_cached(SELECT_ANY_VERSION)?.exists([poller.0])?;
    let has_hints = db.prepare_cached(SELECT_ANY_HINT)?.exists([poller.0])?;
    let mut select = db.prepare_cached(SELECT_ENTRY)?;
    let mut select_version = db.prepare_cached(SELECT_VERSION)?;
    let mut select_announced = db.prepare_cached(SELECT_ANNOUNCED)?;
    let mut known = Vec::with_capacity(asked.len());
    for asked in asked {
        let found = match latest.get(&asked.id) {
            Some(found) => Some(found.clone()),
            None => select.query_row(params![poller.0, asked.id], read_entry).optional()?,
        };
        let entry = found.map(|found| with_body(db, poller, found)).transpose()?;
        let is_last =
            entry.as_ref().is_some_and(|entry| entry.hash == asked.hash && entry.compared == asked.compared);
        let dated = asked.compared.is_some();
        let key = params![poller.0, dated, asked.compared.unwrap_or(0), asked.id, asked.hash.0];
        let version = is_last || (has_window && select_version.exists(key)?);
        let announced_at = match has_hints {
            true => {
                select_announced.query_row(params![poller.0, asked.id], |row| row.instant(0)).optional()?
            }
            false => None,
        };
        known.push(KnownVersion { entry, version, announced_at });
    }
    Ok(known)
}

/// The entry of one record, without its body, as the open transaction of the writer sees it.
pub(super) fn entry(desk: &Desk, poller: PollerId, id: &str) -> Result<Option<Entry>> {
    if let Some((entry, _)) = desk.recent.find(poller, id) {
        return Ok(Some(entry));
    }
    let found =
        desk.db.prepare_cached(SELECT_ENTRY)?.query_row(params![poller.0, id], read_entry).optional()?;
    Ok(found.map(|(entry, _)| entry))
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<Found> {
    let entry = Entry {
        id: row.get(0)?,
        incarnation: row.get(1)?,
        sequence: row.count(2)?,
        compared_text: row.get(3)?,
        compared: row.get(4)?,
        hash: ContentHash(row.get(5)?),
        shape: row.get(6)?,
        recurrence: row.get(7)?,
        first_read_at: row.instant(8)?,
        last_sweep: row.count(9)?,
        deleted_at: row.instant_or_none(10)?,
        last_body: None,
    };
    Ok((entry, row.get(11)?))
}

fn with_body(db: &Connection, poller: PollerId, (mut entry, has_body): Found) -> Result<Entry> {
    if has_body {
        let mut select = db.prepare_cached(SELECT_BODY)?;
        entry.last_body = select.query_row(params![poller.0, entry.id], |row| row.get(0)).optional()?;
    }
    Ok(entry)
}

/// Entries of this poller must have been moved to their places before.
fn missing(db: &Connection, poller: PollerId, below: u64, after: Option<&str>, limit: u32) -> Result<Known> {
    let below = i64::try_from(below).unwrap_or(i64::MAX); // No stored sweep is larger than that.
    let mut select = db.prepare_cached(SELECT_MISSING)?;
    let found: Vec<Found> = select
        .query_map(params![poller.0, below, after, limit], read_entry)?
        .collect::<rusqlite::Result<_>>()?;
    let entries = found.into_iter().map(|found| with_body(db, poller, found)).collect::<Result<_>>()?;
    let mut count = db.prepare_cached(COUNT_ALIVE)?;
    let (missing, alive) = count.query_row([poller.0, below], |row| Ok((row.count(0)?, row.count(1)?)))?;
    Ok(Known::Missing { entries, missing, alive })
}

/// Writes entries, whole.
pub(super) fn write_entries(
    desk: &mut Desk,
    poller: PollerId,
    org: OrgId,
    entries: Vec<Entry>,
) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let db = &desk.db;
    // Few pollers keep bodies; the others need not look for one to remove.
    let keeps = db.prepare_cached(SELECT_ANY_BODY)?.exists([poller.0])?;
    for entry in &entries {
        match &entry.last_body {
            Some(body) => {
                db.prepare_cached(UPSERT_BODY)?.execute(params![poller.0, entry.id, org.0, body])?;
            }
            None if keeps => {
                db.prepare_cached(DELETE_BODY)?.execute(params![poller.0, entry.id])?;
            }
            None => {}
        }
    }
    desk.recent.write(db, poller, org, entries)
}

/// Writes versions; those that are known stay.
pub(super) fn write_versions(
    db: &Connection,
    poller: PollerId,
    org: OrgId,
    versions: &[Version],
) -> Result<()> {
    let mut insert = db.prepare_cached(INSERT_VERSION)?;
    for version in versions {
        let dated = version.compared.is_some();
        let compared = version.compared.unwrap_or(0);
        insert.execute(params![poller.0, dated, compared, version.id, version.hash.0, org.0])?;
    }
    Ok(())
}

/// Notes that a sweep saw these ids.
pub(super) fn write_swept(desk: &mut Desk, poller: PollerId, swept: &[String], sweep: u64) -> Result<()> {
    if swept.is_empty() {
        return Ok(());
    }
    let sweep = whole(sweep)?;
    let db = &desk.db;
    desk.recent.move_all(db)?;
    let mut update = db.prepare_cached(UPDATE_SWEPT)?;
    for id in swept {
        update.execute(params![poller.0, id, sweep])?;
    }
    Ok(())
}

/// Removes versions older than this. Those without a compared value stay.
pub(super) fn prune_versions(db: &Connection, poller: PollerId, below: Compared) -> Result<()> {
    db.prepare_cached(DELETE_VERSIONS_BELOW)?.execute([poller.0, below])?;
    Ok(())
}
