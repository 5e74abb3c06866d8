//! Monitors: drafts and deployed versions.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{MonitorId, OrgId, RunId};

use super::instances::require_org;
use super::row::{Columns, micros, statements};
use super::writer::Desk;
use crate::{MonitorRow, Result, StoreError, VersionRow};

macro_rules! monitor_columns {
    () => {
        "
    select
        monitor.id,
        monitor.org_id,
        monitor.name,
        monitor.draft,
        monitor.revision,
        monitor.created_at,
        monitor.updated_at,
        latest.version,
        latest.revision
    from monitor
    left join monitor_version as latest
        on latest.monitor_id = monitor.id
        and latest.version = (
            select max(version)
            from monitor_version
            where monitor_version.monitor_id = monitor.id
        )"
    };
}

statements! {
    SELECT_NAMED = "
    select id
    from monitor
    where org_id = ?1
    and name = ?2";

    INSERT_MONITOR = "
    insert into monitor (org_id, name, draft, revision, created_at, updated_at)
    values (?1, ?2, ?3, 1, ?4, ?4)";

    SELECT_MONITORS = concat!(monitor_columns!(), "
    where monitor.org_id = ?1
    order by monitor.id");

    SELECT_MONITOR = concat!(monitor_columns!(), "
    where monitor.id = ?1
    and monitor.org_id = ?2");

    UPDATE_DRAFT = "
    update monitor
    set name = ?2, draft = ?3, revision = revision + 1, updated_at = ?4
    where id = ?1";

    INSERT_VERSION = "
    insert into monitor_version (monitor_id, version, org_id, revision, document, created_at)
    select
        id,
        (select coalesce(max(version), 0) + 1 from monitor_version where monitor_id = ?1),
        org_id,
        revision,
        draft,
        ?2
    from monitor
    where id = ?1
    returning version";

    SELECT_VERSIONS = "
    select version, document, created_at
    from monitor_version
    where monitor_id = ?1
    order by version desc";

    SELECT_VERSION = "
    select version, document, created_at
    from monitor_version
    where monitor_id = ?1
    and version = ?2";

    SELECT_USED = "
    select poller.resource
    from subscription
    join poller on poller.subscription_id = subscription.id
    where subscription.monitor_id = ?1
    order by subscription.id
    limit 1";

    DELETE_MONITOR = "
    delete from monitor
    where id = ?1";

    SELECT_RUN = "
    select 1
    from run
    where id = ?1
    and org_id = ?2";

    SELECT_TRACE = "
    select trace
    from run_trace
    where run_id = ?1
    and org_id = ?2";
}

fn free_name(db: &Connection, org: OrgId, name: &str, own: Option<MonitorId>) -> Result<()> {
    let found: Option<i64> =
        db.prepare_cached(SELECT_NAMED)?.query_row(params![org.0, name], |row| row.get(0)).optional()?;
    match found {
        Some(id) if own != Some(MonitorId(id)) => {
            Err(StoreError::Conflict(format!("another monitor is named `{name}`; choose another name")))
        }
        Some(_) | None => Ok(()),
    }
}

/// See [`crate::Monitors::create_monitor`].
pub(super) fn create_monitor(
    desk: &mut Desk,
    org: OrgId,
    name: &str,
    draft: &str,
    now: Timestamp,
) -> Result<MonitorId> {
    require_org(&desk.db, org)?;
    free_name(&desk.db, org, name, None)?;
    desk.db.prepare_cached(INSERT_MONITOR)?.execute(params![org.0, name, draft, micros(now)])?;
    Ok(MonitorId(desk.db.last_insert_rowid()))
}

fn read_monitor(row: &Row<'_>) -> rusqlite::Result<MonitorRow> {
    Ok(MonitorRow {
        id: MonitorId(row.get(0)?),
        org: OrgId(row.get(1)?),
        name: row.get(2)?,
        draft: row.get(3)?,
        revision: row.get(4)?,
        created_at: row.instant(5)?,
        updated_at: row.instant(6)?,
        version: row.get(7)?,
        deployed_revision: row.get(8)?,
    })
}

/// See [`crate::Monitors::monitors`].
pub(super) fn monitors(db: &Connection, org: OrgId) -> Result<Vec<MonitorRow>> {
    let mut select = db.prepare_cached(SELECT_MONITORS)?;
    Ok(select.query_map([org.0], read_monitor)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Monitors::monitor`].
pub(super) fn monitor(db: &Connection, org: OrgId, id: MonitorId) -> Result<MonitorRow> {
    let found = db.prepare_cached(SELECT_MONITOR)?.query_row([id.0, org.0], read_monitor).optional()?;
    found.ok_or(StoreError::NotFound("monitor"))
}

fn at_revision(db: &Connection, org: OrgId, id: MonitorId, was: i64) -> Result<()> {
    match monitor(db, org, id)?.revision {
        revision if revision == was => Ok(()),
        revision => Err(StoreError::Conflict(format!(
            "the draft was changed meanwhile: it is number {revision} now, not {was}; read it again"
        ))),
    }
}

/// See [`crate::Monitors::save_draft`].
pub(super) fn save_draft(
    desk: &mut Desk,
    org: OrgId,
    id: MonitorId,
    was: i64,
    name: &str,
    draft: &str,
    now: Timestamp,
) -> Result<i64> {
    at_revision(&desk.db, org, id, was)?;
    free_name(&desk.db, org, name, Some(id))?;
    desk.db.prepare_cached(UPDATE_DRAFT)?.execute(params![id.0, name, draft, micros(now)])?;
    Ok(was + 1)
}

/// See [`crate::Monitors::deploy`].
pub(super) fn deploy(desk: &mut Desk, org: OrgId, id: MonitorId, was: i64, now: Timestamp) -> Result<i64> {
    at_revision(&desk.db, org, id, was)?;
    let mut insert = desk.db.prepare_cached(INSERT_VERSION)?;
    Ok(insert.query_row([id.0, micros(now)], |row| row.get(0))?)
}

fn read_version(row: &Row<'_>) -> rusqlite::Result<VersionRow> {
    Ok(VersionRow { version: row.get(0)?, document: row.get(1)?, created_at: row.instant(2)? })
}

/// See [`crate::Monitors::versions`].
pub(super) fn versions(db: &Connection, org: OrgId, id: MonitorId) -> Result<Vec<VersionRow>> {
    monitor(db, org, id)?;
    let mut select = db.prepare_cached(SELECT_VERSIONS)?;
    Ok(select.query_map([id.0], read_version)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Monitors::version`].
pub(super) fn version(db: &Connection, org: OrgId, id: MonitorId, version: i64) -> Result<VersionRow> {
    monitor(db, org, id)?;
    let found = db.prepare_cached(SELECT_VERSION)?.query_row([id.0, version], read_version).optional()?;
    found.ok_or(StoreError::NotFound("version"))
}

/// See [`crate::Monitors::delete_monitor`].
pub(super) fn delete_monitor(desk: &mut Desk, org: OrgId, id: MonitorId) -> Result<()> {
    monitor(&desk.db, org, id)?;
    let mut select = desk.db.prepare_cached(SELECT_USED)?;
    if let Some(name) = select.query_row([id.0], |row| row.get::<_, String>(0)).optional()? {
        return Err(StoreError::Conflict(format!(
            "the subscription `{name}` uses this monitor; remove its subscriptions first"
        )));
    }
    desk.db.prepare_cached(DELETE_MONITOR)?.execute([id.0])?;
    Ok(())
}

/// See [`crate::Monitors::trace`].
pub(super) fn trace(db: &Connection, org: OrgId, run: RunId) -> Result<Option<String>> {
    if !db.prepare_cached(SELECT_RUN)?.exists(params![run.0, org.0])? {
        return Err(StoreError::NotFound("run"));
    }
    Ok(db.prepare_cached(SELECT_TRACE)?.query_row(params![run.0, org.0], |row| row.get(0)).optional()?)
}
