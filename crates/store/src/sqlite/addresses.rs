//! How requests of providers find their instance: by an address of its own, by a value, by its id.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use turnstone_core::id::{InstanceId, OrgId};

use super::instances::{instance_columns, read_instance, require_instance, with_tags};
use super::row::{micros, statements};
use super::writer::Desk;
use crate::{InstanceRow, NewIntake, Result, StoreError};

statements! {
    SELECT_BY_ADDRESS = concat!(instance_columns!(), "
    where instance.id = (select instance_id from intake_address where address_hash = ?1)");

    SELECT_ANYWHERE = concat!(instance_columns!(), "
    where instance.id = ?1");

    SELECT_BY_MATCH = concat!(instance_columns!(), "
    where instance.id in (select instance_id from intake_match where value_hash = ?2)
    and +instance.element_key = ?1
    order by instance.id
    limit ?3");

    SELECT_ADDRESS = "
    select sealed
    from intake_address
    where instance_id = ?1";

    SELECT_ADDRESS_TAKEN = "
    select 1
    from intake_address
    where address_hash = ?1
    and instance_id <> ?2";

    UPSERT_ADDRESS = "
    insert into intake_address (instance_id, org_id, address_hash, sealed, created_at)
    values (?1, ?2, ?3, ?4, ?5)
    on conflict (instance_id) do update
    set
        address_hash = excluded.address_hash,
        sealed = excluded.sealed,
        created_at = excluded.created_at";

    DELETE_ADDRESS = "
    delete from intake_address
    where instance_id = ?1";

    DELETE_MATCHES = "
    delete from intake_match
    where instance_id = ?1";

    INSERT_MATCH = "
    insert into intake_match (value_hash, instance_id, org_id)
    values (?1, ?2, ?3)
    on conflict do nothing";
}

/// Gives an instance the intake that it shall have. An address that it has stays.
pub(super) fn replace_intake(
    db: &Connection,
    org: OrgId,
    instance: InstanceId,
    new: Option<&NewIntake>,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(DELETE_MATCHES)?.execute([instance.0])?;
    let Some(new) = new else {
        db.prepare_cached(DELETE_ADDRESS)?.execute([instance.0])?;
        return Ok(());
    };
    let mut insert = db.prepare_cached(INSERT_MATCH)?;
    for value in &new.matches {
        insert.execute(params![value, instance.0, org.0])?;
    }
    match &new.address {
        Some((hash, sealed)) if !db.prepare_cached(SELECT_ADDRESS)?.exists([instance.0])? => {
            put_address(db, org, instance, hash, sealed, now)
        }
        _ => Ok(()),
    }
}

fn put_address(
    db: &Connection,
    org: OrgId,
    instance: InstanceId,
    hash: &[u8; 32],
    sealed: &str,
    now: Timestamp,
) -> Result<()> {
    if db.prepare_cached(SELECT_ADDRESS_TAKEN)?.exists(params![hash, instance.0])? {
        return Err(StoreError::Conflict("this address belongs to another instance".into()));
    }
    db.prepare_cached(UPSERT_ADDRESS)?.execute(params![instance.0, org.0, hash, sealed, micros(now)])?;
    Ok(())
}

/// See [`crate::Intake::instance_by_address`].
pub(super) fn instance_by_address(db: &Connection, hash: [u8; 32]) -> Result<Option<InstanceRow>> {
    let found = db.prepare_cached(SELECT_BY_ADDRESS)?.query_row([hash], read_instance).optional()?;
    found.map(|row| with_tags(db, row)).transpose()
}

/// See [`crate::Intake::instance_anywhere`].
pub(super) fn instance_anywhere(db: &Connection, id: InstanceId) -> Result<Option<InstanceRow>> {
    let found = db.prepare_cached(SELECT_ANYWHERE)?.query_row([id.0], read_instance).optional()?;
    found.map(|row| with_tags(db, row)).transpose()
}

/// See [`crate::Intake::instances_by_match`].
pub(super) fn instances_by_match(
    db: &Connection,
    element_key: &str,
    value_hash: [u8; 32],
    limit: u32,
) -> Result<Vec<InstanceRow>> {
    let mut select = db.prepare_cached(SELECT_BY_MATCH)?;
    let rows = select.query_map(params![element_key, value_hash, limit], read_instance)?;
    let rows: Vec<InstanceRow> = rows.collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(|row| with_tags(db, row)).collect()
}

/// See [`crate::Intake::address`].
pub(super) fn address(db: &Connection, org: OrgId, instance: InstanceId) -> Result<Option<String>> {
    require_instance(db, org, instance)?;
    Ok(db.prepare_cached(SELECT_ADDRESS)?.query_row([instance.0], |row| row.get(0)).optional()?)
}

/// See [`crate::Intake::replace_address`].
pub(super) fn replace_address(
    desk: &mut Desk,
    org: OrgId,
    instance: InstanceId,
    hash: [u8; 32],
    sealed: &str,
    now: Timestamp,
) -> Result<()> {
    require_instance(&desk.db, org, instance)?;
    put_address(&desk.db, org, instance, &hash, sealed, now)
}
