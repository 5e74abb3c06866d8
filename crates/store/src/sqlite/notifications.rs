//! Lists of notifications, and the attempts of one.
//!
//! A list finds its ids first, by the index that fits what is asked for, and reads the rows afterwards: bodies are
//! large, and most lists do without them.

use jiff::SignedDuration;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use turnstone_core::id::{AttemptId, EndpointId, EventId, InstanceId, NotificationId, OrgId};

use super::row::{Columns, micros, statements};
use crate::{AttemptRow, NotificationFilter, NotificationRow, NotificationState, Result, StoreError};

/// By how much a notification may have been formed before one of a smaller id: ids are reserved shortly before, and a
/// clock may be set back.
const OUT_OF_ORDER: SignedDuration = SignedDuration::from_hours(1);

macro_rules! notification_columns {
    ($body:literal) => {
        concat!(
            "
    select
        id,
        org_id,
        endpoint_id,
        instance_id,
        split_from,
        state,
        failures,
        first_failed_at,
        next_due,
        created_at,
        completed_at,
        ",
            $body,
            "
    from notification"
        )
    };
}

/// What every list may be narrowed by. The unary plus keeps the planner on the index that the statement's first clauses
/// name.
macro_rules! narrowed {
    ($from:literal, $order:literal) => {
        concat!(
            "
    select id, created_at
    from notification",
            $from,
            "
    and id > ?2
    and id < ?3
    and +org_id = ?1
    and (?4 is null or +instance_id = ?4)
    and (?5 is null or +endpoint_id = ?5)
    and (?6 is null or +state = ?6)
    order by id",
            $order
        )
    };
}

statements! {
    SELECT_NOTIFICATION = concat!(notification_columns!("body"), "
    where id = ?1");

    SELECT_BRIEF = concat!(notification_columns!("''"), "
    where id = ?1");

    SELECT_IDS = narrowed!("
    where org_id = ?1", "");

    SELECT_IDS_NEWEST = narrowed!("
    where org_id = ?1", " desc");

    SELECT_IDS_ASIDE = narrowed!("
    indexed by notification_aside
    where org_id = ?1
    and state = ?6
    and state in ('retry', 'dead', 'queued')", "");

    SELECT_IDS_ASIDE_NEWEST = narrowed!("
    indexed by notification_aside
    where org_id = ?1
    and state = ?6
    and state in ('retry', 'dead', 'queued')", " desc");

    SELECT_IDS_OF_INSTANCE = narrowed!("
    where instance_id = ?4", "");

    SELECT_IDS_OF_INSTANCE_NEWEST = narrowed!("
    where instance_id = ?4", " desc");

    SELECT_IDS_OF_ENDPOINT = narrowed!("
    where endpoint_id = ?5", "");

    SELECT_IDS_OF_ENDPOINT_NEWEST = narrowed!("
    where endpoint_id = ?5", " desc");

    /// One event is carried by few.
    SELECT_IDS_OF_EVENT = "
    select membership.notification_id
    from membership
    where membership.position = (select position from event where id = ?1)
    order by membership.notification_id";

    SELECT_MEMBERS = "
    select event_id
    from membership
    where notification_id = ?1
    order by ordinal";

    SELECT_NOTIFICATION_OF_ORG = "
    select 1
    from notification
    where id = ?1
    and org_id = ?2";

    SELECT_ATTEMPTS = "
    select id, notification_id, started_at, duration_ms, status, error, answer, request
    from attempt
    where notification_id = ?1
    order by started_at, id";
}

fn state_of(code: &str) -> Option<NotificationState> {
    use NotificationState::{Cancelled, Created, Dead, Delivered, Queued, Retry, Split};
    [Created, Retry, Delivered, Split, Dead, Queued, Cancelled]
        .into_iter()
        .find(|state| state.as_str() == code)
}

fn read_notification(row: &Row<'_>) -> rusqlite::Result<NotificationRow> {
    Ok(NotificationRow {
        id: NotificationId(row.get(0)?),
        org: OrgId(row.get(1)?),
        endpoint: EndpointId(row.get(2)?),
        instance: InstanceId(row.get(3)?),
        split_from: row.get::<_, Option<i64>>(4)?.map(NotificationId),
        state: row.code(5, state_of)?,
        failures: row.get(6)?,
        first_failed_at: row.instant_or_none(7)?,
        next_due: row.instant_or_none(8)?,
        created_at: row.instant(9)?,
        completed_at: row.instant_or_none(10)?,
        body: row.get(11)?,
        events: Vec::new(),
    })
}

fn members(select: &mut CachedStatement<'_>, id: NotificationId) -> rusqlite::Result<Vec<EventId>> {
    select.query_map([id.0], |row| row.get(0).map(EventId))?.collect()
}

/// One notification that is known to be there.
pub(super) fn notification(db: &Connection, id: NotificationId) -> Result<NotificationRow> {
    let mut row = db.prepare_cached(SELECT_NOTIFICATION)?.query_row([id.0], read_notification)?;
    row.events = members(&mut db.prepare_cached(SELECT_MEMBERS)?, id)?;
    Ok(row)
}

/// See [`crate::Store::notifications`].
pub(super) fn notifications(
    db: &Connection,
    org: OrgId,
    filter: &NotificationFilter,
) -> Result<Vec<NotificationRow>> {
    let ids = match (filter.id, filter.event) {
        (Some(id), _) => vec![id],
        (None, Some(event)) => of_event(db, event, filter.newest_first)?,
        (None, None) => ids(db, org, filter)?,
    };
    let mut select = db.prepare_cached(if filter.brief { SELECT_BRIEF } else { SELECT_NOTIFICATION })?;
    let mut select_members = db.prepare_cached(SELECT_MEMBERS)?;
    let mut found = Vec::new();
    for id in ids {
        if found.len() >= filter.limit as usize {
            break;
        }
        let Some(mut row) = select.query_row([id.0], read_notification).optional()? else { continue };
        row.events = members(&mut select_members, id)?;
        if row.org == org && matches(filter, &row) {
            found.push(row);
        }
    }
    Ok(found)
}

/// The rest of a filter, for rows that were found by an id or an event.
fn matches(filter: &NotificationFilter, row: &NotificationRow) -> bool {
    row.id.0 > filter.after
        && filter.before.is_none_or(|before| row.id.0 < before)
        && filter.instance.is_none_or(|instance| instance == row.instance)
        && filter.endpoint.is_none_or(|endpoint| endpoint == row.endpoint)
        && filter.state.is_none_or(|state| state == row.state)
        && filter.event.is_none_or(|event| row.events.contains(&event))
        && filter.since.is_none_or(|since| micros(row.created_at) >= micros(since))
}

fn of_event(db: &Connection, event: EventId, newest_first: bool) -> Result<Vec<NotificationId>> {
    let mut select = db.prepare_cached(SELECT_IDS_OF_EVENT)?;
    let rows = select.query_map([event.0], |row| row.get(0).map(NotificationId))?;
    let mut ids: Vec<NotificationId> = rows.collect::<rusqlite::Result<_>>()?;
    if newest_first {
        ids.reverse();
    }
    Ok(ids)
}

/// The ids that a filter lets through, in its order, as many as it wants.
fn ids(db: &Connection, org: OrgId, filter: &NotificationFilter) -> Result<Vec<NotificationId>> {
    let is_aside = filter.state.is_some_and(|state| {
        matches!(state, NotificationState::Retry | NotificationState::Dead | NotificationState::Queued)
    });
    let sql = match (filter.endpoint.is_some(), is_aside, filter.instance.is_some(), filter.newest_first) {
        (true, _, _, false) => SELECT_IDS_OF_ENDPOINT,
        (true, _, _, true) => SELECT_IDS_OF_ENDPOINT_NEWEST,
        (false, true, _, false) => SELECT_IDS_ASIDE,
        (false, true, _, true) => SELECT_IDS_ASIDE_NEWEST,
        (false, false, true, false) => SELECT_IDS_OF_INSTANCE,
        (false, false, true, true) => SELECT_IDS_OF_INSTANCE_NEWEST,
        (false, false, false, false) => SELECT_IDS,
        (false, false, false, true) => SELECT_IDS_NEWEST,
    };
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query(params![
        org.0,
        filter.after,
        filter.before.unwrap_or(i64::MAX),
        filter.instance.map(|id| id.0),
        filter.endpoint.map(|id| id.0),
        filter.state.map(NotificationState::as_str)
    ])?;
    let since = filter.since.map(micros);
    let over = since.map(|since| since.saturating_sub(OUT_OF_ORDER.as_micros() as i64));
    let mut ids = Vec::new();
    while ids.len() < filter.limit as usize
        && let Some(row) = rows.next()?
    {
        let formed: i64 = row.get(1)?;
        if filter.newest_first && over.is_some_and(|over| formed < over) {
            break;
        }
        if since.is_none_or(|since| formed >= since) {
            ids.push(NotificationId(row.get(0)?));
        }
    }
    Ok(ids)
}

/// See [`crate::Store::attempts`].
pub(super) fn attempts(db: &Connection, org: OrgId, id: NotificationId) -> Result<Vec<AttemptRow>> {
    if !db.prepare_cached(SELECT_NOTIFICATION_OF_ORG)?.exists([id.0, org.0])? {
        return Err(StoreError::NotFound("notification"));
    }
    let mut select = db.prepare_cached(SELECT_ATTEMPTS)?;
    let rows = select.query_map([id.0], |row| {
        Ok(AttemptRow {
            id: AttemptId(row.get(0)?),
            notification: NotificationId(row.get(1)?),
            started_at: row.instant(2)?,
            duration_ms: row.get(3)?,
            status: row.get(4)?,
            error: row.get(5)?,
            answer: row.get(6)?,
            request: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
