//! Records that notifications of a provider named, to be looked at by their poller.
//!
//! Every naming has a larger number than the one before it, so that a run can say which of them it heard. That number
//! is the request's, unless requests are settled out of their order, as those are that somebody had run again.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use turnstone_core::event::EventType;
use turnstone_core::id::{InboundId, OrgId, PollerId};
use turnstone_core::intake::Hint;
use turnstone_core::poll::{Heard, Named};

use super::row::{Columns, micros, statements};
use crate::Result;

statements! {
    RAISE_HINTED = "
    update poller
    set hinted = max(hinted + 1, ?2)
    where id = ?1
    returning hinted";

    UPSERT_HINT = "
    insert into hint (
        poller_id, object_id, org_id, event_type, dated, inbound_id, announced_at, looks, open
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 1)
    on conflict (poller_id, object_id) do update
    set
        event_type = iif(hint.open = 1 and excluded.dated < hint.dated, hint.event_type, excluded.event_type),
        dated = iif(hint.open = 1 and excluded.dated < hint.dated, hint.dated, excluded.dated),
        inbound_id = excluded.inbound_id,
        announced_at = excluded.announced_at,
        looks = 0,
        open = 1";

    PULL_TO_LOOK = "
    update poller
    set regular_due = coalesce(regular_due, next_due), next_due = ?2
    where id = ?1
    and runnable = 1
    and status_code = 'ok'
    and next_due > ?2";

    PULL_AFTER_RUN = "
    update poller
    set regular_due = coalesce(regular_due, next_due), next_due = ?2
    where id = ?1
    and next_due > ?2
    and exists (
        select 1
        from hint
        where hint.poller_id = ?1
        and hint.open = 1
        and hint.inbound_id > ?3
    )";

    UPDATE_LOOKED = "
    update hint
    set looks = looks + ?4, open = ?4
    where poller_id = ?1
    and object_id = ?2
    and inbound_id <= ?3
    and open = 1";

    SELECT_OPEN = "
    select object_id, event_type, dated, inbound_id, announced_at, looks
    from hint
    where poller_id = ?1
    and open = 1
    order by inbound_id, object_id
    limit ?2";

    DELETE_HINTS = "
    delete from hint
    where (poller_id, object_id) in (
        select poller_id, object_id
        from hint
        where open = 0
        and announced_at < ?1
        order by announced_at
        limit ?2
    )";
}

/// The number under which a poller is told of what a request named.
pub(super) fn raise(db: &Connection, poller: PollerId, request: InboundId) -> Result<InboundId> {
    let mut raise = db.prepare_cached(RAISE_HINTED)?;
    Ok(raise.query_row([poller.0, request.0], |row| row.get(0).map(InboundId))?)
}

/// Keeps a hint, as the last one of its record.
pub(super) fn put(
    db: &Connection,
    org: OrgId,
    poller: PollerId,
    hint: &Hint,
    number: InboundId,
    announced_at: i64,
) -> Result<()> {
    db.prepare_cached(UPSERT_HINT)?.execute(params![
        poller.0,
        hint.object_id,
        org.0,
        hint.event_type.as_str(),
        hint.date.map(micros),
        number.0,
        announced_at
    ])?;
    Ok(())
}

/// Makes a poller due earlier, if it is well and not paused; whether that changed anything.
pub(super) fn pull(db: &Connection, poller: PollerId, look_at: Timestamp) -> Result<bool> {
    Ok(db.prepare_cached(PULL_TO_LOOK)?.execute([poller.0, micros(look_at)])? > 0)
}

/// Makes a poller due at once whose run ends without knowing of what was named last.
pub(super) fn pull_after_run(
    db: &Connection,
    poller: PollerId,
    known: InboundId,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(PULL_AFTER_RUN)?.execute([poller.0, micros(now), known.0])?;
    Ok(())
}

/// Notes what was looked at.
pub(super) fn write_heard(db: &Connection, poller: PollerId, heard: &[Heard]) -> Result<()> {
    let mut update = db.prepare_cached(UPDATE_LOOKED)?;
    for heard in heard {
        update.execute(params![poller.0, heard.object_id, heard.inbound.0, heard.again])?;
    }
    Ok(())
}

/// See [`crate::Intake::hints`].
pub(super) fn hints(db: &Connection, poller: PollerId, limit: u32) -> Result<Vec<Named>> {
    let mut select = db.prepare_cached(SELECT_OPEN)?;
    let rows = select.query_map([poller.0, i64::from(limit)], read_named)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_named(row: &Row<'_>) -> rusqlite::Result<Named> {
    Ok(Named {
        object_id: row.get(0)?,
        event_type: row.code(1, |code| code.parse::<EventType>().ok())?,
        date: row.instant_or_none(2)?,
        inbound: InboundId(row.get(3)?),
        announced_at: row.instant(4)?,
        looks: row.get(5)?,
    })
}

/// Removes hints that were looked at and are old; how many.
pub(super) fn prune(db: &Connection, before: Timestamp, rows_max: i64) -> Result<usize> {
    Ok(db.prepare_cached(DELETE_HINTS)?.execute([micros(before), rows_max])?)
}
