//! How instances are connected to their providers: tokens by generation, and the claim of whoever fetches new ones.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{InstanceId, OrgId};

use super::instances::require_instance;
use super::row::{Columns, micros, span, statements};
use super::writer::Desk;
use crate::{ConnectionRow, ConnectionState, Lease, NewTokens, Result, Written};

statements! {
    SELECT_CONNECTION = "
    select token_generation, tokens_sealed, tokens_expire_at, state, reason
    from connection
    where instance_id = ?1";

    INSERT_CONNECTION = "
    insert into connection (instance_id, org_id)
    values (?1, ?2)
    on conflict do nothing";

    UPDATE_TOKENS = "
    update connection
    set
        token_generation = token_generation + 1,
        tokens_sealed = ?3,
        tokens_expire_at = ?4,
        state = 'connected',
        reason = '',
        refresh_until = null
    where instance_id = ?1
    and token_generation = ?2";

    UPDATE_RECONNECT = "
    update connection
    set state = 'reconnect needed', reason = ?3, refresh_until = null
    where instance_id = ?1
    and token_generation = ?2";

    CLAIM_REFRESH = "
    update connection
    set refresh_epoch = refresh_epoch + 1, refresh_until = ?4
    where instance_id = ?1
    and token_generation = ?2
    and (refresh_until is null or refresh_until <= ?3)
    returning refresh_epoch";

    END_REFRESH = "
    update connection
    set refresh_until = null
    where instance_id = ?1
    and refresh_epoch = ?2";
}

fn state_of(code: &str) -> Option<ConnectionState> {
    ConnectionState::ALL.into_iter().find(|state| state.as_str() == code)
}

fn read_connection(row: &Row<'_>) -> rusqlite::Result<ConnectionRow> {
    Ok(ConnectionRow {
        generation: row.get(0)?,
        tokens_sealed: row.get(1)?,
        tokens_expire_at: row.instant_or_none(2)?,
        state: row.code(3, state_of)?,
        reason: row.get(4)?,
    })
}

/// See [`crate::Directory::connection`].
pub(super) fn connection(db: &Connection, org: OrgId, instance: InstanceId) -> Result<Option<ConnectionRow>> {
    require_instance(db, org, instance)?;
    Ok(db.prepare_cached(SELECT_CONNECTION)?.query_row([instance.0], read_connection).optional()?)
}

/// Makes the row of an instance that must be there, when the caller speaks of the generation before all tokens.
fn prepare(db: &Connection, org: OrgId, instance: InstanceId, generation: i64) -> Result<()> {
    require_instance(db, org, instance)?;
    if generation == 0 {
        db.prepare_cached(INSERT_CONNECTION)?.execute([instance.0, org.0])?;
    }
    Ok(())
}

fn written(rows: usize) -> Written {
    match rows {
        0 => Written::Moved,
        _ => Written::Yes,
    }
}

/// See [`crate::Directory::put_tokens`].
pub(super) fn put_tokens(
    desk: &mut Desk,
    org: OrgId,
    instance: InstanceId,
    tokens: &NewTokens,
) -> Result<Written> {
    prepare(&desk.db, org, instance, tokens.generation_was)?;
    let rows = desk.db.prepare_cached(UPDATE_TOKENS)?.execute(params![
        instance.0,
        tokens.generation_was,
        tokens.tokens_sealed,
        tokens.expire_at.map(micros)
    ])?;
    Ok(written(rows))
}

/// See [`crate::Directory::mark_reconnect`].
pub(super) fn mark_reconnect(
    desk: &mut Desk,
    org: OrgId,
    instance: InstanceId,
    generation: i64,
    reason: &str,
) -> Result<Written> {
    prepare(&desk.db, org, instance, generation)?;
    let mut update = desk.db.prepare_cached(UPDATE_RECONNECT)?;
    Ok(written(update.execute(params![instance.0, generation, reason])?))
}

/// See [`crate::Directory::begin_refresh`].
pub(super) fn begin_refresh(
    desk: &mut Desk,
    org: OrgId,
    instance: InstanceId,
    generation: i64,
    now: Timestamp,
    lease_for: Duration,
) -> Result<Option<Lease<InstanceId>>> {
    prepare(&desk.db, org, instance, generation)?;
    let until = micros(now).saturating_add(span(lease_for));
    let mut claim = desk.db.prepare_cached(CLAIM_REFRESH)?;
    let epoch = claim.query_row([instance.0, generation, micros(now), until], |row| row.count(0));
    Ok(epoch.optional()?.map(|epoch| Lease { id: instance, epoch }))
}

/// See [`crate::Directory::end_refresh`].
pub(super) fn end_refresh(desk: &mut Desk, lease: Lease<InstanceId>) -> Result<()> {
    let epoch = super::row::whole(lease.epoch)?;
    desk.db.prepare_cached(END_REFRESH)?.execute([lease.id.0, epoch])?;
    Ok(())
}
