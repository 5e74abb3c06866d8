//! Organisations, instances, and what hangs on them: tags, pollers, the endpoint.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{ElementId, EndpointId, InstanceId, OrgId, PollerId, SubscriptionId, TokenId};
use turnstone_core::ledger::Compared;
use turnstone_core::poll::Status;

use super::row::{Columns, micros, span, statements};
use super::writer::Desk;
use super::{addresses, endpoints, inbound, upkeep};
use crate::monitors::run_under_way;
use crate::{
    CURSORS_KEPT_MAX, InstanceRow, NewEndpoint, NewInstance, NewPoller, PollerRow, Result, StoreError,
};

macro_rules! instance_columns {
    () => {
        "
    select
        instance.id,
        instance.org_id,
        instance.element_key,
        instance.name,
        instance.document,
        instance.enabled,
        instance.created_at,
        endpoint.id,
        instance.element_id,
        instance.element_revision
    from instance
    left join endpoint on endpoint.instance_id = instance.id and endpoint.subscription_id is null"
    };
}
pub(super) use instance_columns;

macro_rules! poller_columns {
    () => {
        "
    select
        poller.id,
        poller.org_id,
        poller.instance_id,
        poller.resource,
        poller.revision,
        poller.interval_us,
        poller.next_due,
        poller.paused,
        poller.status_code,
        poller.status_sentence,
        poller.needs_attention,
        poller.watermark,
        poller.state,
        pass.checkpoint,
        poller.regular_due,
        poller.subscription_id
    from poller
    left join pass on pass.poller_id = poller.id"
    };
}

statements! {
    SELECT_ORG_BY_NAME = "
    select id
    from org
    where name = ?1";

    SELECT_ORG = "
    select 1
    from org
    where id = ?1";

    INSERT_ORG = "
    insert into org (name, created_at)
    values (?1, ?2)";

    SELECT_ORG_BY_TOKEN = "
    select org_id
    from token
    where token_hash = ?1
    and user_id is null";

    INSERT_TOKEN = "
    insert into token (token_hash, org_id, created_at)
    values (?1, ?2, ?3)
    on conflict do nothing";

    SELECT_INSTANCE_BY_TOKEN = "
    select id
    from instance
    where token_hash = ?1";

    INSERT_INSTANCE = "
    insert into instance (
        org_id, element_key, name, token_hash, document, enabled, created_at, element_id, element_revision
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

    UPDATE_INSTANCE = "
    update instance
    set
        name = ?2,
        document = ?3,
        element_id = ?4,
        element_revision = ?5,
        element_key = iif(?4 is null, element_key, ?6)
    where id = ?1";

    SELECT_ELEMENT_REVISION = "
    select 1
    from element_revision
    where element_id = ?1
    and revision = ?2
    and org_id = ?3";

    SELECT_INSTANCE = concat!(instance_columns!(), "
    where instance.id = ?1
    and instance.org_id = ?2");

    SELECT_INSTANCES = concat!(instance_columns!(), "
    where instance.org_id = ?1
    order by instance.id");

    DELETE_INSTANCE = "
    delete from instance
    where id = ?1";

    UPDATE_ENABLED = "
    update instance
    set enabled = ?3
    where id = ?1
    and org_id = ?2";

    UPDATE_RUNNABLE = "
    update poller
    set runnable = (
        ?2
        and paused is null
        and coalesce((select active from subscription where subscription.id = poller.subscription_id), 1)
    )
    where instance_id = ?1
    and kind <> 'intake'";

    SELECT_INSTANCE_KNOWN = "
    select 1
    from instance
    where id = ?1
    and org_id = ?2";

    SELECT_TAGS = "
    select tag
    from instance_tag
    where instance_id = ?1
    order by ordinal";

    DELETE_TAGS = "
    delete from instance_tag
    where instance_id = ?1";

    INSERT_TAG = "
    insert into instance_tag (instance_id, ordinal, org_id, tag)
    values (?1, ?2, ?3, ?4)";

    INSERT_POLLER = "
    insert into poller (
        org_id, instance_id, resource, revision, interval_us, next_due, runnable,
        status_code, status_sentence, needs_attention, state
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, '')";

    INSERT_POLLER_REVISION = "
    insert into poller_revision (poller_id, revision, org_id, created_at)
    values (?1, ?2, ?3, ?4)
    on conflict do nothing";

    UPDATE_POLLER = "
    update poller
    set
        next_due = iif(revision = ?2, next_due, ?4),
        regular_due = iif(revision = ?2, regular_due, null),
        revision = ?2,
        interval_us = ?3
    where id = ?1";

    SELECT_POLLER_NAMES = "
    select id, resource
    from poller
    where instance_id = ?1
    and kind = 'resource'";

    SELECT_POLLER_IDS = "
    select id
    from poller
    where instance_id = ?1";

    DELETE_POLLER = "
    delete from poller
    where id = ?1";

    SELECT_POLLER = concat!(poller_columns!(), "
    where poller.id = ?1
    and poller.org_id = ?2
    and poller.kind <> 'intake'");

    SELECT_ANY_POLLER = concat!(poller_columns!(), "
    where poller.id = ?1");

    SELECT_POLLERS = concat!(poller_columns!(), "
    where poller.org_id = ?1
    and poller.kind <> 'intake'
    order by poller.id");

    SELECT_POLLERS_OF_INSTANCE = concat!(poller_columns!(), "
    where poller.instance_id = ?2
    and poller.org_id = ?1
    and poller.kind <> 'intake'
    order by poller.id");

    UPDATE_DUE = "
    update poller
    set next_due = ?3, regular_due = null
    where id = ?1
    and org_id = ?2
    and kind <> 'intake'";

    UPDATE_UNPAUSE = "
    update poller
    set
        paused = null,
        runnable = (
            (select enabled from instance where instance.id = poller.instance_id)
            and coalesce((select active from subscription where subscription.id = poller.subscription_id), 1)
        )
    where id = ?1";

    UPDATE_PAUSE = "
    update poller
    set paused = ?3, runnable = 0
    where id = ?1
    and org_id = ?2
    and kind <> 'intake'";

    INSERT_CURSOR_HISTORY = "
    insert into cursor_history (org_id, poller_id, state, watermark, replaced_at)
    select org_id, id, state, watermark, ?2
    from poller
    where id = ?1";

    DELETE_OLD_CURSORS = "
    delete from cursor_history
    where poller_id = ?1
    and id <= (
        select id
        from cursor_history
        where poller_id = ?1
        order by id desc
        limit 1
        offset ?2
    )";

    UPDATE_STATE = "
    update poller
    set state = ?2, watermark = ?3
    where id = ?1";

    DELETE_PASS = "
    delete from pass
    where poller_id = ?1";
}

/// Refuses an organisation that is not there.
pub(super) fn require_org(db: &Connection, org: OrgId) -> Result<()> {
    match db.prepare_cached(SELECT_ORG)?.exists([org.0])? {
        true => Ok(()),
        false => Err(StoreError::NotFound("organisation")),
    }
}

/// See [`crate::Store::ensure_org`].
pub(super) fn ensure_org(desk: &mut Desk, name: &str, now: Timestamp) -> Result<OrgId> {
    let known = desk.db.prepare_cached(SELECT_ORG_BY_NAME)?.query_row([name], |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(OrgId(id));
    }
    desk.db.prepare_cached(INSERT_ORG)?.execute(params![name, micros(now)])?;
    Ok(OrgId(desk.db.last_insert_rowid()))
}

/// See [`crate::Store::org_by_token`].
pub(super) fn org_by_token(db: &Connection, token_hash: [u8; 32]) -> Result<Option<OrgId>> {
    let mut select = db.prepare_cached(SELECT_ORG_BY_TOKEN)?;
    Ok(select.query_row([token_hash], |row| row.get(0).map(OrgId)).optional()?)
}

/// See [`crate::Store::add_org_token`].
pub(super) fn add_org_token(
    desk: &mut Desk,
    org: OrgId,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<TokenId> {
    require_org(&desk.db, org)?;
    let inserted = desk.db.prepare_cached(INSERT_TOKEN)?.execute(params![token_hash, org.0, micros(now)])?;
    match inserted {
        0 => Err(StoreError::Conflict("this token is already known".into())),
        _ => Ok(TokenId(desk.db.last_insert_rowid())),
    }
}

/// See [`crate::Store::create_instance`].
pub(super) fn create_instance(desk: &mut Desk, new: &NewInstance, now: Timestamp) -> Result<InstanceId> {
    let db = &desk.db;
    require_org(db, new.org)?;
    refuse_doubles(&new.pollers)?;
    require_element(db, new.org, new.element)?;
    if db.prepare_cached(SELECT_INSTANCE_BY_TOKEN)?.exists([new.token_hash])? {
        return Err(StoreError::Conflict("this token belongs to another instance".into()));
    }
    db.prepare_cached(INSERT_INSTANCE)?.execute(params![
        new.org.0,
        new.element_key,
        new.name,
        new.token_hash,
        new.document,
        new.enabled,
        micros(now),
        new.element.map(|(element, _)| element.0),
        new.element.map(|(_, revision)| revision)
    ])?;
    let id = InstanceId(db.last_insert_rowid());
    write_tags(db, new.org, id, &new.tags)?;
    for poller in &new.pollers {
        insert_poller(db, new.org, id, poller, new.enabled, now)?;
    }
    if let Some(endpoint) = &new.endpoint {
        endpoints::insert(db, new.org, id, None, endpoint, now)?;
    }
    addresses::replace_intake(db, new.org, id, new.intake.as_ref(), now)?;
    Ok(id)
}

/// Refuses a connector of another organisation, and a revision that never was.
fn require_element(db: &Connection, org: OrgId, element: Option<(ElementId, i64)>) -> Result<()> {
    let Some((element, revision)) = element else { return Ok(()) };
    match db.prepare_cached(SELECT_ELEMENT_REVISION)?.exists([element.0, revision, org.0])? {
        true => Ok(()),
        false => Err(StoreError::NotFound("connector")),
    }
}

fn refuse_doubles(pollers: &[NewPoller]) -> Result<()> {
    let mut names: Vec<&str> = pollers.iter().map(|poller| poller.resource.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(StoreError::Conflict(format!("the resource `{}` stands twice", pair[0]))),
        None => Ok(()),
    }
}

fn write_tags(db: &Connection, org: OrgId, id: InstanceId, tags: &[String]) -> Result<()> {
    db.prepare_cached(DELETE_TAGS)?.execute([id.0])?;
    let mut insert = db.prepare_cached(INSERT_TAG)?;
    for (ordinal, tag) in tags.iter().enumerate() {
        insert.execute(params![id.0, ordinal as i64, org.0, tag])?;
    }
    Ok(())
}

fn insert_poller(
    db: &Connection,
    org: OrgId,
    instance: InstanceId,
    new: &NewPoller,
    is_runnable: bool,
    now: Timestamp,
) -> Result<()> {
    let status = first_status();
    db.prepare_cached(INSERT_POLLER)?.execute(params![
        org.0,
        instance.0,
        new.resource,
        new.revision,
        span(new.interval),
        micros(new.next_due),
        is_runnable,
        status.code,
        status.sentence,
        status.needs_attention
    ])?;
    insert_revision(db, org, PollerId(db.last_insert_rowid()), new.revision, now)
}

/// How a poller is before its first run.
pub(super) fn first_status() -> Status {
    Status { code: "starting".into(), sentence: String::new(), needs_attention: false }
}

pub(super) fn insert_revision(
    db: &Connection,
    org: OrgId,
    poller: PollerId,
    revision: i64,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(INSERT_POLLER_REVISION)?.execute(params![poller.0, revision, org.0, micros(now)])?;
    Ok(())
}

/// An instance without its tags, from [`instance_columns`].
pub(super) fn read_instance(row: &Row<'_>) -> rusqlite::Result<InstanceRow> {
    Ok(InstanceRow {
        id: InstanceId(row.get(0)?),
        org: OrgId(row.get(1)?),
        element_key: row.get(2)?,
        name: row.get(3)?,
        tags: Vec::new(),
        document: row.get(4)?,
        enabled: row.get(5)?,
        created_at: row.instant(6)?,
        endpoint: row.get::<_, Option<i64>>(7)?.map(EndpointId),
        element: match (row.get::<_, Option<i64>>(8)?, row.get(9)?) {
            (Some(element), Some(revision)) => Some((ElementId(element), revision)),
            _ => None,
        },
    })
}

/// Adds its tags to an instance that was read.
pub(super) fn with_tags(db: &Connection, mut instance: InstanceRow) -> Result<InstanceRow> {
    let mut select = db.prepare_cached(SELECT_TAGS)?;
    instance.tags = select.query_map([instance.id.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(instance)
}

/// See [`crate::Store::instance`].
pub(super) fn instance(db: &Connection, org: OrgId, id: InstanceId) -> Result<InstanceRow> {
    let found = db.prepare_cached(SELECT_INSTANCE)?.query_row([id.0, org.0], read_instance).optional()?;
    with_tags(db, found.ok_or(StoreError::NotFound("instance"))?)
}

/// See [`crate::Store::instances`].
pub(super) fn instances(db: &Connection, org: OrgId) -> Result<Vec<InstanceRow>> {
    let mut select = db.prepare_cached(SELECT_INSTANCES)?;
    let rows: Vec<InstanceRow> =
        select.query_map([org.0], read_instance)?.collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(|row| with_tags(db, row)).collect()
}

/// See [`crate::Store::update_instance`].
pub(super) fn update_instance(
    desk: &mut Desk,
    org: OrgId,
    id: InstanceId,
    new: &NewInstance,
    now: Timestamp,
) -> Result<()> {
    refuse_doubles(&new.pollers)?;
    let before = instance(&desk.db, org, id)?;
    require_element(&desk.db, org, new.element)?;
    desk.db.prepare_cached(UPDATE_INSTANCE)?.execute(params![
        id.0,
        new.name,
        new.document,
        new.element.map(|(element, _)| element.0),
        new.element.map(|(_, revision)| revision),
        new.element_key
    ])?;
    write_tags(&desk.db, org, id, &new.tags)?;
    let known = poller_names(&desk.db, id)?;
    for (poller, resource) in &known {
        if !new.pollers.iter().any(|new| new.resource == *resource) {
            remove_poller(desk, org, *poller, now)?;
        }
    }
    for poller in &new.pollers {
        match known.iter().find(|(_, resource)| *resource == poller.resource) {
            Some((known, _)) => {
                desk.db.prepare_cached(UPDATE_POLLER)?.execute(params![
                    known.0,
                    poller.revision,
                    span(poller.interval),
                    micros(poller.next_due)
                ])?;
                insert_revision(&desk.db, org, *known, poller.revision, now)?;
            }
            None => insert_poller(&desk.db, org, id, poller, before.enabled, now)?,
        }
    }
    addresses::replace_intake(&desk.db, org, id, new.intake.as_ref(), now)?;
    replace_endpoint(desk, &before, new.endpoint.as_ref(), now)
}

fn replace_endpoint(
    desk: &mut Desk,
    before: &InstanceRow,
    new: Option<&NewEndpoint>,
    now: Timestamp,
) -> Result<()> {
    match (before.endpoint, new) {
        (Some(known), Some(new)) => endpoints::update(&desk.db, known, new),
        (Some(known), None) => endpoints::remove(desk, known, now),
        (None, Some(new)) => endpoints::insert(&desk.db, before.org, before.id, None, new, now),
        (None, None) => Ok(()),
    }
}

fn poller_names(db: &Connection, instance: InstanceId) -> Result<Vec<(PollerId, String)>> {
    let mut select = db.prepare_cached(SELECT_POLLER_NAMES)?;
    let rows = select.query_map([instance.0], |row| Ok((PollerId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// All of them, those that never run included.
fn poller_ids(db: &Connection, instance: InstanceId) -> Result<Vec<PollerId>> {
    let mut select = db.prepare_cached(SELECT_POLLER_IDS)?;
    let rows = select.query_map([instance.0], |row| row.get(0).map(PollerId))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn remove_poller(desk: &mut Desk, org: OrgId, poller: PollerId, now: Timestamp) -> Result<()> {
    upkeep::remove_ledger(desk, org, poller, now)?;
    desk.db.prepare_cached(DELETE_POLLER)?.execute([poller.0])?;
    desk.leases.release_poller(poller);
    Ok(())
}

/// See [`crate::Store::set_enabled`].
pub(super) fn set_enabled(desk: &mut Desk, org: OrgId, id: InstanceId, enabled: bool) -> Result<()> {
    let changed = desk.db.prepare_cached(UPDATE_ENABLED)?.execute(params![id.0, org.0, enabled])?;
    if changed == 0 {
        return Err(StoreError::NotFound("instance"));
    }
    desk.db.prepare_cached(UPDATE_RUNNABLE)?.execute(params![id.0, enabled])?;
    Ok(())
}

/// See [`crate::Store::delete_instance`].
pub(super) fn delete_instance(desk: &mut Desk, org: OrgId, id: InstanceId, now: Timestamp) -> Result<()> {
    instance(&desk.db, org, id)?;
    for poller in poller_ids(&desk.db, id)? {
        remove_poller(desk, org, poller, now)?;
    }
    inbound::close_requests(&desk.db, id, now)?;
    for endpoint in endpoints::of_instance(&desk.db, id)? {
        endpoints::remove(desk, endpoint, now)?;
    }
    desk.db.prepare_cached(DELETE_INSTANCE)?.execute([id.0])?;
    Ok(())
}

pub(super) fn read_poller(row: &Row<'_>) -> rusqlite::Result<PollerRow> {
    Ok(PollerRow {
        subscription: row.get::<_, Option<i64>>(15)?.map(SubscriptionId),
        id: PollerId(row.get(0)?),
        org: OrgId(row.get(1)?),
        instance: InstanceId(row.get(2)?),
        resource: row.get(3)?,
        revision: row.get(4)?,
        interval: row.duration(5)?,
        next_due: row.instant(6)?,
        paused: row.get(7)?,
        status: Status { code: row.get(8)?, sentence: row.get(9)?, needs_attention: row.get(10)? },
        watermark: row.get(11)?,
        state: row.get(12)?,
        checkpoint: row.get(13)?,
        regular_due: row.instant_or_none(14)?,
    })
}

/// See [`crate::Store::pollers`].
pub(super) fn pollers(db: &Connection, org: OrgId, instance: Option<InstanceId>) -> Result<Vec<PollerRow>> {
    let mut select;
    let rows = match instance {
        None => {
            select = db.prepare_cached(SELECT_POLLERS)?;
            select.query_map([org.0], read_poller)?
        }
        Some(id) => {
            require_instance(db, org, id)?;
            select = db.prepare_cached(SELECT_POLLERS_OF_INSTANCE)?;
            select.query_map([org.0, id.0], read_poller)?
        }
    };
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Refuses an instance that is not there.
pub(super) fn require_instance(db: &Connection, org: OrgId, id: InstanceId) -> Result<()> {
    match db.prepare_cached(SELECT_INSTANCE_KNOWN)?.exists([id.0, org.0])? {
        true => Ok(()),
        false => Err(StoreError::NotFound("instance")),
    }
}

/// See [`crate::Store::poller`].
pub(super) fn poller(db: &Connection, org: OrgId, id: PollerId) -> Result<PollerRow> {
    let found = db.prepare_cached(SELECT_POLLER)?.query_row([id.0, org.0], read_poller).optional()?;
    found.ok_or(StoreError::NotFound("poller"))
}

/// A poller of any organisation, for the scheduler.
pub(super) fn any_poller(db: &Connection, id: PollerId) -> Result<Option<PollerRow>> {
    Ok(db.prepare_cached(SELECT_ANY_POLLER)?.query_row([id.0], read_poller).optional()?)
}

/// See [`crate::Store::set_due`].
pub(super) fn set_due(
    desk: &mut Desk,
    org: OrgId,
    id: PollerId,
    due: Timestamp,
    unpause: bool,
) -> Result<()> {
    let changed = desk.db.prepare_cached(UPDATE_DUE)?.execute(params![id.0, org.0, micros(due)])?;
    if changed == 0 {
        return Err(StoreError::NotFound("poller"));
    }
    if unpause {
        desk.db.prepare_cached(UPDATE_UNPAUSE)?.execute([id.0])?;
    }
    Ok(())
}

/// See [`crate::Store::pause`].
pub(super) fn pause(desk: &mut Desk, org: OrgId, id: PollerId, reason: &str) -> Result<()> {
    match desk.db.prepare_cached(UPDATE_PAUSE)?.execute(params![id.0, org.0, reason])? {
        0 => Err(StoreError::NotFound("poller")),
        _ => Ok(()),
    }
}

/// See [`crate::Store::set_state`].
pub(super) fn set_state(
    desk: &mut Desk,
    org: OrgId,
    id: PollerId,
    state: &str,
    watermark: Option<Compared>,
    now: Timestamp,
) -> Result<()> {
    poller(&desk.db, org, id)?;
    if desk.leases.is_poller_claimed(id, now) {
        return Err(run_under_way());
    }
    desk.leases.release_poller(id);
    remember_state(&desk.db, id, now)?;
    desk.db.prepare_cached(UPDATE_STATE)?.execute(params![id.0, state, watermark])?;
    desk.db.prepare_cached(DELETE_PASS)?.execute([id.0])?;
    Ok(())
}

/// Puts a poller's state into its history, before another one takes its place.
pub(super) fn remember_state(db: &Connection, poller: PollerId, now: Timestamp) -> Result<()> {
    db.prepare_cached(INSERT_CURSOR_HISTORY)?.execute(params![poller.0, micros(now)])?;
    db.prepare_cached(DELETE_OLD_CURSORS)?.execute([poller.0, i64::from(CURSORS_KEPT_MAX)])?;
    Ok(())
}
