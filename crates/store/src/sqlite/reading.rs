//! Lists for people and programs: events and runs.

use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::event::{Event, EventType};
use turnstone_core::id::{EventId, InboundId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::poll::{Decision, RunKind, RunOutcome, RunRecord};

use super::row::{Columns, micros, statements};
use super::{instances, upkeep};
use crate::{EventFilter, LoggedEvent, Result, StoreError};

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
        event.inbound_id,
        event.compared,
        event.page
    from ",
            $from,
            "
    left join event_body using (position)"
        )
    };
}

/// The events beyond `?2` and before `?8` of the batches that a statement names, from the batch that holds the first of
/// these positions on.
macro_rules! events_in_batches {
    () => {
        "event_batch
    cross join event on event.position between max(event_batch.first, ?2 + 1) and min(event_batch.last, ?8 - 1)"
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
    and (?6 is null or +event.id = ?6)
    and +event.position < ?8
    and (?9 is null or +event.event_type = ?9)
    and (?10 is null or +event.recorded_at >= ?10)
    and (?11 is null or +event.recorded_at < ?11)
    and (?12 is null or +event.poller_id = ?12)"
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
    )
    and event_batch.first < ?8"
    };
}

macro_rules! batches_of_org {
    () => {
        "
    where event_batch.org_id = ?1
    and event_batch.first >= coalesce(
        (select max(first) from event_batch where org_id = ?1 and first <= ?2),
        0
    )
    and event_batch.first < ?8"
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
            compared: row.get(15)?,
            page: row.get(16)?,
        },
    })
}

/// The event at a position that is known to be there.
pub(super) fn event_at(db: &Connection, position: i64) -> Result<LoggedEvent> {
    Ok(db.prepare_cached(SELECT_EVENT_AT)?.query_row([position], read_event)?)
}

/// See [`crate::Store::events`].
pub(super) fn events(db: &Connection, org: OrgId, filter: &EventFilter) -> Result<Vec<LoggedEvent>> {
    let sql = match (&filter.id, &filter.instance, filter.newest_first) {
        (Some(_), _, _) => SELECT_EVENT_BY_ID,
        (None, Some(_), false) => SELECT_EVENTS_OF_INSTANCE,
        (None, Some(_), true) => SELECT_EVENTS_OF_INSTANCE_NEWEST,
        (None, None, false) => SELECT_EVENTS,
        (None, None, true) => SELECT_EVENTS_NEWEST,
    };
    let (mut after, mut before) = (filter.after, filter.before.unwrap_or(i64::MAX));
    // A span of time is a range of positions. The instants are compared as well: a clock may have been set back.
    if let Some(from) = filter.from {
        after = after.max(upkeep::old_end(db, from)?.saturating_sub(1));
    }
    if let Some(to) = filter.to {
        before = before.min(upkeep::old_end(db, to)?.saturating_add(1));
    }
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map(
        params![
            org.0,
            after,
            filter.instance.map(|id| id.0),
            filter.resource,
            filter.object_id,
            filter.id.map(|id| id.0),
            filter.limit,
            before,
            filter.event_type.map(EventType::as_str),
            filter.from.map(micros),
            filter.to.map(micros),
            filter.poller.map(|id| id.0)
        ],
        read_event,
    )?;
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

/// The record of one run, and its claim.
pub(super) fn run_record(db: &Connection, org: OrgId, id: RunId) -> Result<Option<(RunRecord, i64)>> {
    Ok(db.prepare_cached(SELECT_RUN)?.query_row(params![id.0, org.0], read_run).optional()?)
}

/// See [`crate::Store::run`].
pub(super) fn run(db: &Connection, org: OrgId, id: RunId) -> Result<(RunRecord, Vec<Decision>)> {
    let (record, epoch) = run_record(db, org, id)?.ok_or(StoreError::NotFound("run"))?;
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
