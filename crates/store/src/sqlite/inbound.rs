//! Requests of providers: kept before they are answered, found again when they are repeated, listed, run again.
//!
//! Their numbers are handed out by the one writer, in the order of arrival. What a request says stands apart from its
//! row, so that counting and listing reads past nothing.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{InboundId, InstanceId, OrgId};
use turnstone_core::intake::{BodyFormat, DeliveryKey, RawRequest, Recognition};

use super::instances::require_instance;
use super::row::{Columns, json, micros, span, statements};
use super::writer::{Desk, Weight};
use super::{addresses, delivery};
use crate::{
    InboundCounts, InboundFilter, InboundRow, InboundState, NewInbound, Received, Result, StoreError,
    WaitingRequest,
};

macro_rules! inbound_columns {
    ($from:expr) => {
        concat!(
            "
    select
        inbound.id,
        inbound.org_id,
        inbound.instance_id,
        inbound.key_hash,
        inbound.key_window,
        inbound.method,
        inbound.body_bytes,
        inbound.received_at,
        inbound.repeats,
        inbound.state,
        inbound.failures,
        inbound.next_due,
        inbound.quarantine,
        inbound.format,
        inbound.element_revision,
        inbound.events,
        inbound.hints,
        inbound.settled_at
    from ",
            $from
        )
    };
}

/// The first waiting request of each instance. One instance after the other is looked up, so that a long queue of one
/// costs nothing.
macro_rules! heads {
    () => {
        "
    with recursive waiting (instance_id) as (
        select min(instance_id)
        from inbound
        where state = 'received'
        union all
        select (
            select min(inbound.instance_id)
            from inbound
            where inbound.state = 'received'
            and inbound.instance_id > waiting.instance_id
        )
        from waiting
        where waiting.instance_id is not null
    )"
    };
}

macro_rules! heads_of_waiting {
    () => {
        "waiting
    cross join inbound on inbound.id = (
        select min(first.id)
        from inbound as first
        where first.state = 'received'
        and first.instance_id = waiting.instance_id
    )"
    };
}

/// What every list of requests may be narrowed by; the unary plus keeps the planner on the index that is named before.
macro_rules! request_filter {
    () => {
        "
    and +inbound.org_id = ?1
    and (?2 is null or +inbound.instance_id = ?2)
    and (?3 is null or +inbound.state = ?3)
    and (?4 is null or +inbound.id = ?4)"
    };
}

/// Requests that no hook is going to run for.
macro_rules! aside {
    () => {
        "
    where inbound.org_id = ?1
    and inbound.state in ('quarantined', 'discarded')"
    };
}

macro_rules! of_known_instance {
    () => {
        "
    and exists (select 1 from instance where instance.id = inbound.instance_id)"
    };
}

macro_rules! in_order {
    () => {
        "
    and inbound.id > ?5
    order by inbound.id
    limit ?6"
    };
}

macro_rules! newest_first {
    () => {
        "
    and inbound.id < iif(?5 = 0, 9223372036854775807, ?5)
    order by inbound.id desc
    limit ?6"
    };
}

statements! {
    SELECT_REPEATED = "
    select id
    from inbound
    where key_hash = ?1
    and +instance_id = ?2
    and (?3 is null or received_at > ?3)
    order by id desc
    limit 1";

    UPDATE_REPEATED = "
    update inbound
    set repeats = repeats + 1
    where id = ?1";

    INSERT_INBOUND = "
    insert into inbound (
        id, org_id, instance_id, key_hash, key_window, method, body_bytes, received_at, state, next_due
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'received', ?8)";

    INSERT_INBOUND_BODY = "
    insert into inbound_body (inbound_id, org_id, url, query, headers, body)
    values (?1, ?2, ?3, ?4, ?5, ?6)";

    SELECT_DUE = concat!(heads!(), inbound_columns!(heads_of_waiting!()), "
    where inbound.next_due <= ?1
    order by inbound.id
    limit ?2");

    SELECT_NEXT_DUE = concat!(heads!(), "
    select min(inbound.next_due)
    from ", heads_of_waiting!());

    COUNT_BY_ORG = "
    select org_id, count(*)
    from inbound
    where state = 'received'
    group by org_id
    order by org_id";

    SELECT_REQUESTS = concat!(inbound_columns!("inbound"), "
    where inbound.org_id = ?1", request_filter!(), in_order!());

    SELECT_REQUESTS_NEWEST = concat!(inbound_columns!("inbound"), "
    where inbound.org_id = ?1", request_filter!(), newest_first!());

    SELECT_REQUESTS_OF_INSTANCE = concat!(inbound_columns!("inbound"), "
    where inbound.instance_id = ?2", request_filter!(), in_order!());

    SELECT_REQUESTS_OF_INSTANCE_NEWEST = concat!(inbound_columns!("inbound"), "
    where inbound.instance_id = ?2", request_filter!(), newest_first!());

    SELECT_ASIDE = concat!(inbound_columns!("inbound"), aside!(), request_filter!(), in_order!());

    SELECT_ASIDE_NEWEST = concat!(inbound_columns!("inbound"), aside!(), request_filter!(), newest_first!());

    CHOOSE_ASIDE = concat!("
    select inbound.id
    from inbound", aside!(), of_known_instance!(), request_filter!(), in_order!());

    CHOOSE_ASIDE_NEWEST = concat!("
    select inbound.id
    from inbound", aside!(), of_known_instance!(), request_filter!(), newest_first!());

    SELECT_CONTENT = "
    select inbound.method, inbound_body.url, inbound_body.query, inbound_body.headers, inbound_body.body
    from inbound
    cross join inbound_body on inbound_body.inbound_id = inbound.id
    where inbound.id = ?1
    and inbound.org_id = ?2";

    UPDATE_REPLAYED = "
    update inbound
    set state = 'received', failures = 0, next_due = ?2, settled_at = null
    where id = ?1";

    UPDATE_DISCARDED = "
    update inbound
    set state = 'discarded', failures = 0, next_due = null, settled_at = ?2
    where id = ?1";

    CLOSE_REQUESTS = "
    update inbound
    set state = 'discarded', failures = 0, next_due = null, settled_at = ?2
    where id in (
        select id
        from inbound
        where state = 'received'
        and instance_id = ?1
        union all
        select id
        from inbound
        where state = 'quarantined'
        and instance_id = ?1
    )";

    COUNT_RECEIVED = "
    select count(*)
    from inbound
    where state = 'received'
    and instance_id = ?1";

    COUNT_QUARANTINED = "
    select count(*)
    from inbound
    where state = 'quarantined'
    and instance_id = ?1";

    DELETE_REQUESTS = "
    delete from inbound
    where id in (
        select id
        from inbound
        where state in ('settled', 'discarded')
        and events_logged = 0
        and settled_at < ?1
        order by settled_at
        limit ?2
    )";
}

/// What keeping requests adds to its group of commits.
pub(super) fn weight(new: &[NewInbound]) -> Weight {
    let bytes = new.iter().map(|new| 500 + head_bytes(&new.request) + new.request.body.len()).sum();
    Weight { rows: 2 * new.len() + 1, bytes }
}

fn head_bytes(request: &RawRequest) -> usize {
    let pairs = request.query.iter().chain(&request.headers);
    request.url.len() + pairs.map(|(name, value)| name.len() + value.len() + 8).sum::<usize>()
}

/// See [`crate::Intake::receive`].
pub(super) fn receive(desk: &mut Desk, new: &[NewInbound], now: Timestamp) -> Result<Vec<Received>> {
    let last = desk.last.inbound;
    let received = new.iter().map(|new| keep(desk, new, now)).collect::<Result<_>>()?;
    if desk.last.inbound > last {
        delivery::raise_number(&desk.db, "inbound", desk.last.inbound)?;
    }
    Ok(received)
}

fn keep(desk: &mut Desk, new: &NewInbound, now: Timestamp) -> Result<Received> {
    require_instance(&desk.db, new.org, new.instance)?;
    if let Some(known) = repeated(&desk.db, new, now)? {
        desk.db.prepare_cached(UPDATE_REPEATED)?.execute([known.0])?;
        return Ok(Received::Repeated(known));
    }
    desk.last.inbound += 1;
    let id = desk.last.inbound;
    let window = match new.key.recognition {
        Recognition::Named => None,
        Recognition::Content(window) => Some(span(window)),
    };
    let RawRequest { method, url, query, headers, body } = &new.request;
    desk.db.prepare_cached(INSERT_INBOUND)?.execute(params![
        id,
        new.org.0,
        new.instance.0,
        new.key.hash,
        window,
        method,
        body.len() as i64,
        micros(now)
    ])?;
    let content = params![id, new.org.0, url, json(query)?, json(headers)?, body];
    desk.db.prepare_cached(INSERT_INBOUND_BODY)?.execute(content)?;
    Ok(Received::New(InboundId(id)))
}

/// The request that a new one repeats.
fn repeated(db: &Connection, new: &NewInbound, now: Timestamp) -> Result<Option<InboundId>> {
    let after = match new.key.recognition {
        Recognition::Named => None,
        Recognition::Content(window) if span(window) == 0 => return Ok(None),
        Recognition::Content(window) => Some(micros(now).saturating_sub(span(window))),
    };
    let mut select = db.prepare_cached(SELECT_REPEATED)?;
    let known = select.query_row(params![new.key.hash, new.instance.0, after], |row| row.get(0));
    Ok(known.optional()?.map(InboundId))
}

fn format_of(word: &str) -> Option<BodyFormat> {
    BodyFormat::ALL.into_iter().find(|(known, _)| *known == word).map(|(_, format)| format)
}

fn is_null(row: &Row<'_>, column: usize) -> rusqlite::Result<bool> {
    Ok(matches!(row.get_ref(column)?, rusqlite::types::ValueRef::Null))
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<InboundRow> {
    let recognition = match row.get::<_, Option<i64>>(4)? {
        None => Recognition::Named,
        Some(_) => Recognition::Content(row.duration(4)?),
    };
    Ok(InboundRow {
        id: InboundId(row.get(0)?),
        org: OrgId(row.get(1)?),
        instance: InstanceId(row.get(2)?),
        key: DeliveryKey { hash: row.get(3)?, recognition },
        method: row.get(5)?,
        body_bytes: row.count(6)?,
        received_at: row.instant(7)?,
        repeats: row.get(8)?,
        state: row.code(9, |code| code.parse::<InboundState>().ok())?,
        failures: row.get(10)?,
        next_due: row.instant_or_none(11)?,
        quarantine: if is_null(row, 12)? { None } else { Some(row.json(12)?) },
        format: if is_null(row, 13)? { None } else { Some(row.code(13, format_of)?) },
        element_revision: row.get(14)?,
        events: row.get(15)?,
        hints: row.get(16)?,
        settled_at: row.instant_or_none(17)?,
    })
}

/// See [`crate::Intake::waiting_requests`].
pub(super) fn waiting_requests(db: &Connection, now: Timestamp, limit: u32) -> Result<Vec<WaitingRequest>> {
    let mut select = db.prepare_cached(SELECT_DUE)?;
    let rows: Vec<InboundRow> =
        select.query_map([micros(now), i64::from(limit)], read_row)?.collect::<rusqlite::Result<_>>()?;
    let mut waiting = Vec::with_capacity(rows.len());
    for row in rows {
        let request = request(db, row.org, row.id)?;
        let instance =
            addresses::instance_anywhere(db, row.instance)?.ok_or(StoreError::NotFound("instance"))?;
        waiting.push(WaitingRequest { row, request, instance });
    }
    Ok(waiting)
}

/// See [`crate::Intake::next_request_due`].
pub(super) fn next_request_due(db: &Connection) -> Result<Option<Timestamp>> {
    Ok(db.prepare_cached(SELECT_NEXT_DUE)?.query_row([], |row| row.instant_or_none(0))?)
}

/// See [`crate::Intake::waiting_by_org`].
pub(super) fn waiting_by_org(db: &Connection) -> Result<Vec<(OrgId, u64)>> {
    let mut select = db.prepare_cached(COUNT_BY_ORG)?;
    let rows = select.query_map([], |row| Ok((OrgId(row.get(0)?), row.count(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Intake::requests`].
pub(super) fn requests(db: &Connection, org: OrgId, filter: &InboundFilter) -> Result<Vec<InboundRow>> {
    let is_aside = matches!(filter.state, Some(InboundState::Quarantined | InboundState::Discarded));
    let sql = match (filter.instance.is_some(), is_aside, filter.newest_first) {
        (true, _, false) => SELECT_REQUESTS_OF_INSTANCE,
        (true, _, true) => SELECT_REQUESTS_OF_INSTANCE_NEWEST,
        (false, true, false) => SELECT_ASIDE,
        (false, true, true) => SELECT_ASIDE_NEWEST,
        (false, false, false) => SELECT_REQUESTS,
        (false, false, true) => SELECT_REQUESTS_NEWEST,
    };
    let mut select = db.prepare_cached(sql)?;
    let instance = filter.instance.map(|id| id.0);
    let state = filter.state.map(InboundState::as_str);
    let id = filter.id.map(|id| id.0);
    let values = params![org.0, instance, state, id, filter.after, filter.limit];
    Ok(select.query_map(values, read_row)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Intake::request`].
pub(super) fn request(db: &Connection, org: OrgId, id: InboundId) -> Result<RawRequest> {
    let mut select = db.prepare_cached(SELECT_CONTENT)?;
    let found = select.query_row([id.0, org.0], |row| {
        Ok(RawRequest {
            method: row.get(0)?,
            url: row.get(1)?,
            query: row.json(2)?,
            headers: row.json(3)?,
            body: row.get(4)?,
        })
    });
    found.optional()?.ok_or(StoreError::NotFound("request"))
}

/// Requests that were put aside or discarded and that a filter names, as long as their instance is there.
fn chosen(
    db: &Connection,
    org: OrgId,
    filter: &InboundFilter,
    state: Option<InboundState>,
) -> Result<Vec<i64>> {
    let sql = if filter.newest_first { CHOOSE_ASIDE_NEWEST } else { CHOOSE_ASIDE };
    let mut select = db.prepare_cached(sql)?;
    let instance = filter.instance.map(|id| id.0);
    let state = state.map(InboundState::as_str);
    let id = filter.id.map(|id| id.0);
    let values = params![org.0, instance, state, id, filter.after, filter.limit];
    Ok(select.query_map(values, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

fn change_each(db: &Connection, sql: &str, ids: &[i64], now: Timestamp) -> Result<u64> {
    let mut update = db.prepare_cached(sql)?;
    for id in ids {
        update.execute([*id, micros(now)])?;
    }
    Ok(ids.len() as u64)
}

/// See [`crate::Intake::replay`]. Requests of instances that are gone were discarded with them and stay so.
pub(super) fn replay(desk: &mut Desk, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64> {
    let ids = chosen(&desk.db, org, filter, filter.state)?;
    change_each(&desk.db, UPDATE_REPLAYED, &ids, now)
}

/// See [`crate::Intake::discard`].
pub(super) fn discard(desk: &mut Desk, org: OrgId, filter: &InboundFilter, now: Timestamp) -> Result<u64> {
    if filter.state.is_some_and(|state| state != InboundState::Quarantined) {
        return Ok(0);
    }
    let ids = chosen(&desk.db, org, filter, Some(InboundState::Quarantined))?;
    change_each(&desk.db, UPDATE_DISCARDED, &ids, now)
}

/// Gives up what an instance that goes away has not settled.
pub(super) fn close_requests(db: &Connection, instance: InstanceId, now: Timestamp) -> Result<()> {
    db.prepare_cached(CLOSE_REQUESTS)?.execute([instance.0, micros(now)])?;
    Ok(())
}

/// See [`crate::Intake::request_counts`].
pub(super) fn request_counts(db: &Connection, org: OrgId, instance: InstanceId) -> Result<InboundCounts> {
    require_instance(db, org, instance)?;
    let count = |sql| db.prepare_cached(sql)?.query_row([instance.0], |row| row.count(0));
    Ok(InboundCounts { received: count(COUNT_RECEIVED)?, quarantined: count(COUNT_QUARANTINED)? })
}

/// Removes old requests, with what they said; how many. Those with events in the log stay.
pub(super) fn prune(db: &Connection, before: Timestamp, rows_max: i64) -> Result<usize> {
    Ok(db.prepare_cached(DELETE_REQUESTS)?.execute([micros(before), rows_max])?)
}
