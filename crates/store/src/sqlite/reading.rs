//! Lists for people and programs: events, notifications, attempts, runs.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{
    AttemptId, EndpointId, EventId, InboundId, InstanceId, NotificationId, OrgId, PollerId, RunId,
};
use turnstone_core::poll::{Decision, RunKind, RunOutcome, RunRecord};

use super::instances;
use super::row::{Columns, statements};
use crate::{
    AttemptRow, EventFilter, LoggedEvent, NotificationFilter, NotificationRow, NotificationState, Result,
    StoreError,
};

macro_rules! event_columns {
    ($from:expr) => {
        concat!(
            "
    select
        event.position,
        event.recorded_at,
        event.id,
        event.poller_id,
        event.instance_id,
        event_batch.run_id,
        event.event_type,
        event.object_type,
        event.object_id,
        event_batch.element_key,
        event.date,
        event.sequence,
        event.reason,
        event_body.record,
        event.inbound_id
    from ",
            $from,
            "
    left join event_body using (position)"
        )
    };
}

/// The events beyond `?2` of the batches that a statement names, from the batch that holds that position on.
macro_rules! events_in_batches {
    () => {
        "event_batch
    cross join event on event.position between max(event_batch.first, ?2 + 1) and event_batch.last"
    };
}

/// Single events, each with its batch.
macro_rules! event_and_batch {
    () => {
        "event
    cross join event_batch on event_batch.first = (
        select max(batch.first)
        from event_batch as batch
        where batch.first <= event.position
    )"
    };
}

/// What every list of events may be narrowed by. The unary plus keeps the planner on the index that the statement's
/// first clauses name.
macro_rules! event_filter {
    () => {
        "
    and +event.org_id = ?1
    and +event.position > ?2
    and (?3 is null or +event.instance_id = ?3)
    and (?5 is null or +event.object_id = ?5)
    and (?4 is null or +event.object_type = ?4)
    and (?6 is null or +event.id = ?6)"
    };
}

macro_rules! in_order {
    () => {
        "
    order by event_batch.first, event.position
    limit ?7"
    };
}

macro_rules! newest_first {
    () => {
        "
    order by event_batch.first desc, event.position desc
    limit ?7"
    };
}

macro_rules! batches_of_instance {
    () => {
        "
    where event_batch.instance_id = ?3
    and event_batch.first >= coalesce(
        (select max(first) from event_batch where instance_id = ?3 and first <= ?2),
        0
    )"
    };
}

macro_rules! batches_of_org {
    () => {
        "
    where event_batch.org_id = ?1
    and event_batch.first >= coalesce(
        (select max(first) from event_batch where org_id = ?1 and first <= ?2),
        0
    )"
    };
}

macro_rules! notification_columns {
    () => {
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
        body
    from notification"
    };
}

macro_rules! run_columns {
    () => {
        "
    select
        id,
        poller_id,
        kind,
        started_at,
        finished_at,
        outcome,
        error,
        counts,
        story,
        lease_epoch
    from run"
    };
}

statements! {
    SELECT_EVENT_AT = concat!(event_columns!(event_and_batch!()), "
    where event.position = ?1");

    SELECT_EVENT_BY_ID = concat!(event_columns!(event_and_batch!()), "
    where event.id = ?6", event_filter!(), "
    limit ?7");

    SELECT_EVENTS_OF_INSTANCE = concat!(
        event_columns!(events_in_batches!()), batches_of_instance!(), event_filter!(), in_order!()
    );

    SELECT_EVENTS_OF_INSTANCE_NEWEST = concat!(
        event_columns!(events_in_batches!()), batches_of_instance!(), event_filter!(), newest_first!()
    );

    SELECT_EVENTS = concat!(
        event_columns!(events_in_batches!()), batches_of_org!(), event_filter!(), in_order!()
    );

    SELECT_EVENTS_NEWEST = concat!(
        event_columns!(events_in_batches!()), batches_of_org!(), event_filter!(), newest_first!()
    );

    SELECT_NOTIFICATION = concat!(notification_columns!(), "
    where id = ?1");

    SELECT_NOTIFICATIONS = concat!(notification_columns!(), "
    where org_id = ?1
    and id > ?2
    and (?3 is null or instance_id = ?3)
    and (?4 is null or state = ?4)
    and (?5 is null or id = ?5)
    order by id
    limit ?6");

    SELECT_NOTIFICATIONS_OF_ENDPOINT = concat!(notification_columns!(), "
    where endpoint_id = ?7
    and +org_id = ?1
    and id > ?2
    and (?3 is null or instance_id = ?3)
    and (?4 is null or state = ?4)
    and (?5 is null or id = ?5)
    order by id
    limit ?6");

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
    select id, notification_id, started_at, duration_ms, status, error, answer
    from attempt
    where notification_id = ?1
    order by started_at, id";

    SELECT_RUNS = concat!(run_columns!(), "
    where poller_id = ?1
    and org_id = ?2
    order by started_at desc, id desc
    limit ?3");

    SELECT_RUN = concat!(run_columns!(), "
    where id = ?1
    and org_id = ?2");

    SELECT_DECISIONS = "
    select object_id, verdict, reason, compared, page
    from decision
    where poller_id = ?1
    and lease_epoch = ?2
    order by ordinal";
}

fn read_event(row: &Row<'_>) -> rusqlite::Result<LoggedEvent> {
    Ok(LoggedEvent {
        position: row.get(0)?,
        recorded_at: row.instant(1)?,
        event: Event {
            id: EventId(row.get(2)?),
            poller: PollerId(row.get(3)?),
            instance: InstanceId(row.get(4)?),
            run: RunId(row.get(5)?),
            event_type: row.code(6, |code| code.parse::<EventType>().ok())?,
            object_type: row.get(7)?,
            object_id: row.get(8)?,
            element_key: row.get(9)?,
            date: row.instant(10)?,
            sequence: row.count(11)?,
            reason: row.get(12)?,
            record: row.get(13)?,
            inbound: row.get::<_, Option<i64>>(14)?.map(InboundId),
        },
    })
}

/// The event at a position that is known to be there.
pub(super) fn event_at(db: &Connection, position: i64) -> Result<LoggedEvent> {
    Ok(db.prepare_cached(SELECT_EVENT_AT)?.query_row([position], read_event)?)
}

/// See [`crate::Store::events`].
pub(super) fn events(db: &Connection, org: OrgId, filter: &EventFilter) -> Result<Vec<LoggedEvent>> {
    let sql = match (filter.id.is_some(), filter.instance.is_some(), filter.newest_first) {
        (true, _, _) => SELECT_EVENT_BY_ID,
        (false, true, false) => SELECT_EVENTS_OF_INSTANCE,
        (false, true, true) => SELECT_EVENTS_OF_INSTANCE_NEWEST,
        (false, false, false) => SELECT_EVENTS,
        (false, false, true) => SELECT_EVENTS_NEWEST,
    };
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map(
        params![
            org.0,
            filter.after,
            filter.instance.map(|id| id.0),
            filter.resource,
            filter.object_id,
            filter.id.map(|id| id.0),
            filter.limit
        ],
        read_event,
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
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
    let instance = filter.instance.map(|id| id.0);
    let state = filter.state.map(NotificationState::as_str);
    let id = filter.id.map(|id| id.0);
    let mut select;
    let rows = match filter.endpoint {
        None => {
            select = db.prepare_cached(SELECT_NOTIFICATIONS)?;
            let values = params![org.0, filter.after, instance, state, id, filter.limit];
            select.query_map(values, read_notification)?
        }
        Some(endpoint) => {
            select = db.prepare_cached(SELECT_NOTIFICATIONS_OF_ENDPOINT)?;
            let values = params![org.0, filter.after, instance, state, id, filter.limit, endpoint.0];
            select.query_map(values, read_notification)?
        }
    };
    let mut rows: Vec<NotificationRow> = rows.collect::<rusqlite::Result<_>>()?;
    let mut select_members = db.prepare_cached(SELECT_MEMBERS)?;
    for row in &mut rows {
        row.events = members(&mut select_members, row.id)?;
    }
    Ok(rows)
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
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<(RunRecord, i64)> {
    let kind = |code: &str| {
        [RunKind::Poll, RunKind::Sweep, RunKind::Look, RunKind::Flow]
            .into_iter()
            .find(|kind| kind.as_str() == code)
    };
    let outcome = |code: &str| {
        [RunOutcome::Completed, RunOutcome::Yielded, RunOutcome::Failed]
            .into_iter()
            .find(|outcome| outcome.as_str() == code)
    };
    let error = match row.get_ref(6)? {
        rusqlite::types::ValueRef::Null => None,
        _ => Some(row.json(6)?),
    };
    let record = RunRecord {
        id: RunId(row.get(0)?),
        poller: PollerId(row.get(1)?),
        kind: row.code(2, kind)?,
        started_at: row.instant(3)?,
        finished_at: row.instant(4)?,
        outcome: row.code(5, outcome)?,
        error,
        counts: row.json(7)?,
        story: row.json(8)?,
    };
    Ok((record, row.get(9)?))
}

/// See [`crate::Store::runs`].
pub(super) fn runs(db: &Connection, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<RunRecord>> {
    instances::poller(db, org, poller)?;
    let mut select = db.prepare_cached(SELECT_RUNS)?;
    let rows = select.query_map([poller.0, org.0, i64::from(limit)], read_run)?;
    Ok(rows.map(|row| row.map(|(record, _)| record)).collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Store::run`].
pub(super) fn run(db: &Connection, org: OrgId, id: RunId) -> Result<(RunRecord, Vec<Decision>)> {
    let found = db.prepare_cached(SELECT_RUN)?.query_row(params![id.0, org.0], read_run).optional()?;
    let (record, epoch) = found.ok_or(StoreError::NotFound("run"))?;
    let mut select = db.prepare_cached(SELECT_DECISIONS)?;
    let decisions = select.query_map([record.poller.0, epoch], |row| {
        Ok(Decision {
            object_id: row.get(0)?,
            verdict: row.json(1)?,
            reason: row.get(2)?,
            compared: row.get(3)?,
            page: row.get(4)?,
        })
    })?;
    let decisions = decisions.collect::<rusqlite::Result<_>>()?;
    Ok((record, decisions))
}
