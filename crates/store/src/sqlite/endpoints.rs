//! Where notifications go: the endpoint of an instance, and those that subscriptions have for themselves.
//!
//! An endpoint takes the events of its channel. One that is made starts at the end of the log; one that is removed
//! takes along what it still had to send.
//!
//! Not here: what is sent ([`super::delivery`]).

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{EndpointId, InstanceId, NotificationId, OrgId, SubscriptionId};

use super::row::{Columns, micros, statements};
use super::writer::Desk;
use crate::{EndpointRow, EndpointState, NewEndpoint, Result};

macro_rules! endpoint_columns {
    () => {
        "
    select
        id,
        org_id,
        instance_id,
        kind,
        config,
        position,
        state,
        reason,
        accepted_at,
        subscription_id
    from endpoint"
    };
}
pub(super) use endpoint_columns;

statements! {
    INSERT_ENDPOINT = "
    insert into endpoint (
        org_id, instance_id, subscription_id, kind, config, position, state, reason, created_at
    )
    select ?1, ?2, ?6, ?3, ?4, value, 'active', '', ?5
    from counter
    where name = 'event'";

    UPDATE_ENDPOINT = "
    update endpoint
    set kind = ?2, config = ?3
    where id = ?1";

    DELETE_ENDPOINT = "
    delete from endpoint
    where id = ?1";

    SELECT_OPEN_OF_ENDPOINT = "
    select distinct notification_id
    from blocked_record
    where endpoint_id = ?1";

    UPDATE_CANCELLED = "
    update notification
    set state = 'cancelled', next_due = null, completed_at = ?2
    where id = ?1";

    DELETE_BLOCKED_AT = "
    delete from blocked_record
    where endpoint_id = ?1";

    SELECT_ENDPOINT = concat!(endpoint_columns!(), "
    where id = ?1");

    SELECT_ENDPOINTS_OF_INSTANCE = "
    select id
    from endpoint
    where instance_id = ?1
    order by id";

    SELECT_ENDPOINTS = concat!(endpoint_columns!(), "
    where org_id = ?1
    order by id");
}

/// Adds an endpoint that starts at the end of the log.
pub(super) fn insert(
    db: &Connection,
    org: OrgId,
    instance: InstanceId,
    subscription: Option<SubscriptionId>,
    new: &NewEndpoint,
    now: Timestamp,
) -> Result<()> {
    let own = subscription.map(|id| id.0);
    let values = params![org.0, instance.0, new.kind, new.config, micros(now), own];
    db.prepare_cached(INSERT_ENDPOINT)?.execute(values)?;
    Ok(())
}

/// Replaces an endpoint's settings; position and state stay.
pub(super) fn update(db: &Connection, id: EndpointId, new: &NewEndpoint) -> Result<()> {
    db.prepare_cached(UPDATE_ENDPOINT)?.execute(params![id.0, new.kind, new.config])?;
    Ok(())
}

/// Takes an endpoint away; what it still had to send is cancelled.
pub(super) fn remove(desk: &mut Desk, id: EndpointId, now: Timestamp) -> Result<()> {
    let db = &desk.db;
    let mut select = db.prepare_cached(SELECT_OPEN_OF_ENDPOINT)?;
    let open: Vec<i64> = select.query_map([id.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for notification in open {
        db.prepare_cached(UPDATE_CANCELLED)?.execute([notification, micros(now)])?;
        desk.leases.release_notification(NotificationId(notification));
    }
    db.prepare_cached(DELETE_BLOCKED_AT)?.execute([id.0])?;
    db.prepare_cached(DELETE_ENDPOINT)?.execute([id.0])?;
    Ok(())
}

pub(super) fn state_of(code: &str) -> Option<EndpointState> {
    [EndpointState::Active, EndpointState::Deactivated, EndpointState::Disabled]
        .into_iter()
        .find(|state| state.as_str() == code)
}

/// An endpoint from [`endpoint_columns`].
pub(super) fn read_endpoint(row: &Row<'_>) -> rusqlite::Result<EndpointRow> {
    Ok(EndpointRow {
        subscription: row.get::<_, Option<i64>>(9)?.map(SubscriptionId),
        id: EndpointId(row.get(0)?),
        org: OrgId(row.get(1)?),
        instance: InstanceId(row.get(2)?),
        kind: row.get(3)?,
        config: row.get(4)?,
        position: row.get(5)?,
        state: row.code(6, state_of)?,
        reason: row.get(7)?,
        accepted_at: row.instant_or_none(8)?,
    })
}

/// All endpoints of an instance: its own, and those of its subscriptions.
pub(super) fn of_instance(db: &Connection, instance: InstanceId) -> Result<Vec<EndpointId>> {
    let mut select = db.prepare_cached(SELECT_ENDPOINTS_OF_INSTANCE)?;
    let rows = select.query_map([instance.0], |row| row.get(0).map(EndpointId))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One endpoint of any organisation.
pub(super) fn endpoint(db: &Connection, id: EndpointId) -> Result<Option<EndpointRow>> {
    Ok(db.prepare_cached(SELECT_ENDPOINT)?.query_row([id.0], read_endpoint).optional()?)
}

/// See [`crate::Store::endpoints`].
pub(super) fn endpoints(db: &Connection, org: OrgId) -> Result<Vec<EndpointRow>> {
    let mut select = db.prepare_cached(SELECT_ENDPOINTS)?;
    Ok(select.query_map([org.0], read_endpoint)?.collect::<rusqlite::Result<_>>()?)
}
