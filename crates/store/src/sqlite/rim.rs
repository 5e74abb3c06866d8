//! What an organisation keeps for itself: settings, date formats, the audit, answers given; and when such things go.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{AuditId, DateFormatId, OrgId, UserId};

use super::instances::require_org;
use super::row::{Columns, micros, statements};
use super::writer::Desk;
use crate::{
    AuditRow, DateFormatRow, DirectoryRetention, Kept, NewAnswer, NewAudit, RememberedAnswer, Result,
    StoreError,
};

statements! {
    SELECT_SETTING = "
    select value
    from setting
    where org_id = ?1
    and key = ?2";

    PUT_SETTING = "
    insert into setting (org_id, key, value)
    values (?1, ?2, ?3)
    on conflict (org_id, key) do update
    set value = excluded.value";

    SELECT_DATE_FORMATS = "
    select id, pattern, zone, created_at
    from date_format
    where org_id = ?1
    order by id";

    SELECT_DATE_FORMAT = "
    select id
    from date_format
    where org_id = ?1
    and pattern = ?2
    and zone is ?3";

    INSERT_DATE_FORMAT = "
    insert into date_format (org_id, pattern, zone, created_at)
    values (?1, ?2, ?3, ?4)";

    DELETE_DATE_FORMAT = "
    delete from date_format
    where id = ?1
    and org_id = ?2";

    INSERT_AUDIT = "
    insert into audit (org_id, user_id, at, action, target_kind, target_id, detail)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    SELECT_AUDIT = "
    select id, org_id, user_id, at, action, target_kind, target_id, detail
    from audit
    where org_id = ?1
    and id < ?2
    order by id desc
    limit ?3";

    INSERT_ANSWER = "
    insert into idempotency_key (org_id, key, request_hash, status, answer, created_at)
    values (?1, ?2, ?3, ?4, ?5, ?6)
    on conflict do nothing";

    SELECT_ANSWER = "
    select request_hash, status, answer, created_at
    from idempotency_key
    where org_id = ?1
    and key = ?2";

    DELETE_SESSIONS = "
    delete from session
    where session_hash in (
        select session_hash
        from session
        where expires_at <= ?1
        order by expires_at, session_hash
        limit ?2
    )";

    DELETE_CODES = "
    delete from sign_in_code
    where code_hash in (
        select code_hash
        from sign_in_code
        where expires_at <= ?1
        order by expires_at, code_hash
        limit ?2
    )";

    DELETE_ANSWERS = "
    delete from idempotency_key
    where (org_id, key) in (
        select org_id, key
        from idempotency_key
        where created_at < ?1
        order by created_at, org_id, key
        limit ?2
    )";
}

/// See [`crate::Directory::setting`].
pub(super) fn setting(db: &Connection, org: OrgId, key: &str) -> Result<Option<String>> {
    let mut select = db.prepare_cached(SELECT_SETTING)?;
    Ok(select.query_row(params![org.0, key], |row| row.get(0)).optional()?)
}

/// See [`crate::Directory::put_setting`].
pub(super) fn put_setting(desk: &mut Desk, org: OrgId, key: &str, value: &str) -> Result<()> {
    require_org(&desk.db, org)?;
    desk.db.prepare_cached(PUT_SETTING)?.execute(params![org.0, key, value])?;
    Ok(())
}

/// See [`crate::Directory::date_formats`].
pub(super) fn date_formats(db: &Connection, org: OrgId) -> Result<Vec<DateFormatRow>> {
    let mut select = db.prepare_cached(SELECT_DATE_FORMATS)?;
    let rows = select.query_map([org.0], |row| {
        Ok(DateFormatRow {
            id: DateFormatId(row.get(0)?),
            pattern: row.get(1)?,
            zone: row.get(2)?,
            created_at: row.instant(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Directory::add_date_format`].
pub(super) fn add_date_format(
    desk: &mut Desk,
    org: OrgId,
    pattern: &str,
    zone: Option<&str>,
    now: Timestamp,
) -> Result<DateFormatId> {
    let db = &desk.db;
    require_org(db, org)?;
    let mut select = db.prepare_cached(SELECT_DATE_FORMAT)?;
    let known = select.query_row(params![org.0, pattern, zone], |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(DateFormatId(id));
    }
    db.prepare_cached(INSERT_DATE_FORMAT)?.execute(params![org.0, pattern, zone, micros(now)])?;
    Ok(DateFormatId(db.last_insert_rowid()))
}

/// See [`crate::Directory::remove_date_format`].
pub(super) fn remove_date_format(desk: &mut Desk, org: OrgId, id: DateFormatId) -> Result<()> {
    match desk.db.prepare_cached(DELETE_DATE_FORMAT)?.execute([id.0, org.0])? {
        0 => Err(StoreError::NotFound("date format")),
        _ => Ok(()),
    }
}

/// See [`crate::Directory::audit`].
pub(super) fn audit(desk: &mut Desk, new: &NewAudit) -> Result<AuditId> {
    let db = &desk.db;
    require_org(db, new.org)?;
    db.prepare_cached(INSERT_AUDIT)?.execute(params![
        new.org.0,
        new.user.map(|user| user.0),
        micros(new.at),
        new.action,
        new.target_kind,
        new.target_id,
        new.detail
    ])?;
    Ok(AuditId(db.last_insert_rowid()))
}

fn read_audit(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        id: AuditId(row.get(0)?),
        entry: NewAudit {
            org: OrgId(row.get(1)?),
            user: row.get::<_, Option<i64>>(2)?.map(UserId),
            at: row.instant(3)?,
            action: row.get(4)?,
            target_kind: row.get(5)?,
            target_id: row.get(6)?,
            detail: row.get(7)?,
        },
    })
}

/// See [`crate::Directory::audit_entries`].
pub(super) fn audit_entries(
    db: &Connection,
    org: OrgId,
    before: Option<AuditId>,
    limit: u32,
) -> Result<Vec<AuditRow>> {
    let mut select = db.prepare_cached(SELECT_AUDIT)?;
    let end = before.map_or(i64::MAX, |id| id.0);
    Ok(select.query_map(params![org.0, end, limit], read_audit)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Directory::remember_answer`].
pub(super) fn remember_answer(desk: &mut Desk, new: &NewAnswer, now: Timestamp) -> Result<()> {
    require_org(&desk.db, new.org)?;
    let inserted = desk.db.prepare_cached(INSERT_ANSWER)?.execute(params![
        new.org.0,
        new.key,
        new.request_hash,
        new.status,
        new.answer,
        micros(now)
    ])?;
    match inserted {
        0 => Err(StoreError::Conflict("this idempotency key was answered already".into())),
        _ => Ok(()),
    }
}

/// See [`crate::Directory::remembered`].
pub(super) fn remembered(db: &Connection, org: OrgId, key: &str) -> Result<Option<RememberedAnswer>> {
    let mut select = db.prepare_cached(SELECT_ANSWER)?;
    let found = select.query_row(params![org.0, key], |row| {
        Ok(RememberedAnswer {
            request_hash: row.get(0)?,
            status: row.get(1)?,
            answer: row.get(2)?,
            created_at: row.instant(3)?,
        })
    });
    Ok(found.optional()?)
}

/// See [`crate::Directory::prune_directory`].
pub(super) fn prune(desk: &mut Desk, retention: &DirectoryRetention) -> Result<Kept> {
    let rows_max = i64::from(retention.rows_max);
    let mut kept = Kept::default();
    for (sql, end) in [
        (DELETE_SESSIONS, retention.ended_by),
        (DELETE_CODES, retention.ended_by),
        (DELETE_ANSWERS, retention.answers_before),
    ] {
        let removed = desk.db.prepare_cached(sql)?.execute([micros(end), rows_max])?;
        kept.removed += removed as u64;
        kept.more |= removed as i64 >= rows_max;
    }
    Ok(kept)
}
