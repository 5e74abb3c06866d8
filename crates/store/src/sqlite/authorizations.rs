//! What waits for an authorisation at a provider to come back.

use jiff::Timestamp;
use rusqlite::params;
use turnstone_core::id::OrgId;

use super::instances::require_org;
use super::row::{micros, statements};
use super::writer::Desk;
use crate::{AuthorizationRow, NewAuthorization, Result};

statements! {
    DELETE_ENDED = "
    delete from authorization_wait
    where (org_id, state_hash) in (
        select org_id, state_hash
        from authorization_wait
        where expires_at <= ?1
        order by expires_at
        limit 100
    )";

    PUT = "
    insert into authorization_wait (org_id, state_hash, client_hash, sealed, expires_at)
    values (?1, ?2, ?3, ?4, ?5)
    on conflict (org_id, state_hash) do update
    set client_hash = excluded.client_hash,
        sealed = excluded.sealed,
        expires_at = excluded.expires_at";

    SELECT = "
    select state_hash, sealed
    from authorization_wait
    where org_id = ?1
    and (state_hash = ?2 or client_hash = ?2)
    and expires_at > ?3
    order by state_hash
    limit 2";

    DELETE = "
    delete from authorization_wait
    where org_id = ?1
    and state_hash = ?2";
}

/// See [`crate::Directory::add_authorization`].
pub(super) fn add_authorization(desk: &mut Desk, new: &NewAuthorization, now: Timestamp) -> Result<()> {
    let db = &desk.db;
    require_org(db, new.org)?;
    db.prepare_cached(DELETE_ENDED)?.execute([micros(now)])?;
    db.prepare_cached(PUT)?.execute(params![
        new.org.0,
        new.state_hash,
        new.client_hash,
        new.sealed,
        micros(new.expires_at)
    ])?;
    Ok(())
}

/// See [`crate::Directory::take_authorization`].
pub(super) fn take_authorization(
    desk: &mut Desk,
    org: OrgId,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<AuthorizationRow>> {
    let db = &desk.db;
    let mut select = db.prepare_cached(SELECT)?;
    let waiting = select
        .query_map(params![org.0, hash, micros(now)], |row| {
            Ok(AuthorizationRow { state_hash: row.get(0)?, sealed: row.get(1)? })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let Ok([taken]) = <[AuthorizationRow; 1]>::try_from(waiting) else { return Ok(None) };
    db.prepare_cached(DELETE)?.execute(params![org.0, taken.state_hash])?;
    Ok(Some(taken))
}
