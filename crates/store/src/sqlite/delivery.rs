//! What waits at endpoints, notifications and their attempts.
//!
//! An endpoint has a position in the log: beyond it everything is unsent, below it only what stands in `held_event`.
//! A record with a member of an open notification stands in `blocked_record`, so that "may this be sent?" is a question
//! about a few rows however long the log is.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{EndpointId, InboundId, NotificationId, OrgId, PollerId};

use super::endpoints::{endpoint, endpoint_columns, read_endpoint};
use super::row::{Columns, micros, statements};
use super::writer::Desk;
use super::{notifications, reading};
use crate::intake::Group;
use crate::{
    AttemptResult, AttemptRow, Committed, Delivery, EndpointRow, EndpointState, EventsMax, Lease,
    NewNotification, NotificationFilter, NotificationState, Result, StoreError, Waiting,
};

/// The events of a channel beyond a position, up to a last one: batch by batch, from the batch that holds the
/// position on. Without the condition on `event_batch.first` all earlier batches would be looked at, too.
macro_rules! events_beyond {
    ($channel:literal, $position:literal, $last:literal) => {
        concat!(
            "event_batch
            cross join event
                on event.position between max(event_batch.first, ",
            $position,
            " + 1) and ",
            $last,
            "
            where event_batch.channel = ",
            $channel,
            "
            and event_batch.first >= coalesce(
                (
                    select max(batch.first)
                    from event_batch as batch
                    where batch.channel = ",
            $channel,
            "
                    and batch.first <= ",
            $position,
            "
                ),
                0
            )"
        )
    };
}

statements! {
    SELECT_COUNTER = "
    select value
    from counter
    where name = ?1";

    RAISE_COUNTER = "
    update counter
    set value = max(value, ?2)
    where name = ?1";

    SELECT_ENDPOINTS_WAITING = concat!(endpoint_columns!(), "
    where state = 'active'
    and (
        exists (
            select 1
            from held_event
            cross join event using (position)
            where held_event.endpoint_id = endpoint.id
            and not exists (
                select 1
                from blocked_record
                where blocked_record.endpoint_id = endpoint.id
                and blocked_record.poller_id = event.poller_id
                and blocked_record.object_id = event.object_id
            )
        )
        or exists (
            select 1
            from ", events_beyond!("endpoint.channel", "endpoint.position", "event_batch.last"), "
            and not exists (
                select 1
                from blocked_record
                where blocked_record.endpoint_id = endpoint.id
                and blocked_record.poller_id = event.poller_id
                and blocked_record.object_id = event.object_id
            )
        )
    )
    order by position, id
    limit ?1");

    SELECT_HELD = "
    select
        event.position,
        event.poller_id,
        event.object_id,
        exists (
            select 1
            from blocked_record
            where blocked_record.endpoint_id = ?1
            and blocked_record.poller_id = event.poller_id
            and blocked_record.object_id = event.object_id
        ),
        event.inbound_id
    from held_event
    cross join event using (position)
    where held_event.endpoint_id = ?1
    order by held_event.position";

    SELECT_BEYOND = concat!("
    select
        event.position,
        event.poller_id,
        event.object_id,
        exists (
            select 1
            from blocked_record
            where blocked_record.endpoint_id = ?1
            and blocked_record.poller_id = event.poller_id
            and blocked_record.object_id = event.object_id
        ),
        event.inbound_id
    from ", events_beyond!("?2", "?3", "event_batch.last"), "
    order by event_batch.first, event.position");

    SELECT_NOTIFICATION_KNOWN = "
    select 1
    from notification
    where id = ?1";

    SELECT_MEMBER = "
    select id, poller_id, object_id, inbound_id
    from event
    where position = ?1
    and ?2 = (select channel from event_batch where first <= ?1 order by first desc limit 1)";

    SELECT_IS_HELD = "
    select 1
    from held_event
    where endpoint_id = ?1
    and position = ?2";

    SELECT_IS_BLOCKED = "
    select 1
    from blocked_record
    where endpoint_id = ?1
    and poller_id = ?2
    and object_id = ?3";

    SELECT_EARLIER_BEYOND = concat!("
    select 1
    from ", events_beyond!("?1", "?2", "min(event_batch.last, ?3 - 1)"), "
    and event_batch.first < ?3
    and event.poller_id = ?4
    and event.object_id = ?5");

    SELECT_EARLIER_HELD = "
    select 1
    from held_event
    cross join event using (position)
    where held_event.endpoint_id = ?1
    and held_event.position < ?2
    and event.poller_id = ?3
    and event.object_id = ?4";

    INSERT_PASSED = concat!("
    insert into held_event (endpoint_id, position, org_id)
    select ?1, event.position, ?2
    from ", events_beyond!("?3", "?4", "min(event_batch.last, ?5)"), "
    and event_batch.first <= ?5");

    DELETE_HELD = "
    delete from held_event
    where endpoint_id = ?1
    and position = ?2";

    UPDATE_POSITION = "
    update endpoint
    set position = ?2
    where id = ?1";

    INSERT_NOTIFICATION = "
    insert into notification (
        id, org_id, endpoint_id, instance_id, split_from, state, failures, next_due, created_at, body
    )
    values (?1, ?2, ?3, ?4, ?5, 'created', 0, ?6, ?7, ?8)";

    INSERT_MEMBER = "
    insert into membership (notification_id, ordinal, org_id, position, event_id)
    values (?1, ?2, ?3, ?4, ?5)";

    INSERT_BLOCKED = "
    insert into blocked_record (endpoint_id, poller_id, object_id, notification_id, org_id)
    values (?1, ?2, ?3, ?4, ?5)
    on conflict do nothing";

    INSERT_BLOCKED_AGAIN = "
    insert into blocked_record (endpoint_id, poller_id, object_id, notification_id, org_id)
    select ?2, event.poller_id, event.object_id, ?1, event.org_id
    from membership
    cross join event using (position)
    where membership.notification_id = ?1
    on conflict do nothing";

    DELETE_BLOCKED = "
    delete from blocked_record
    where notification_id = ?1";

    SELECT_DUE = "
    select notification.id, notification.endpoint_id
    from notification
    join endpoint on endpoint.id = notification.endpoint_id
    where notification.next_due <= ?1
    and endpoint.state = 'active'
    order by notification.next_due, notification.id";

    SELECT_NEXT_DUE = "
    select notification.id, notification.next_due
    from notification
    join endpoint on endpoint.id = notification.endpoint_id
    where notification.next_due is not null
    and endpoint.state = 'active'
    order by notification.next_due, notification.id";

    SELECT_OPEN = "
    select endpoint_id
    from notification
    where id = ?1
    and completed_at is null";

    SELECT_MEMBERS = "
    select position
    from membership
    where notification_id = ?1
    order by ordinal";

    INSERT_ATTEMPT = "
    insert or replace into attempt (
        id, org_id, notification_id, started_at, duration_ms, status, error, answer, request
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

    UPDATE_NOTIFICATION = "
    update notification
    set
        state = ?2,
        failures = ?3,
        first_failed_at = coalesce(first_failed_at, iif(?3 > 0, ?6, null)),
        next_due = ?4,
        completed_at = ?5
    where id = ?1";

    UPDATE_ACCEPTED = "
    update endpoint
    set accepted_at = ?2
    where id = ?1";

    UPDATE_ENDPOINT_STATE = "
    update endpoint
    set state = ?2, reason = ?3
    where id = ?1";

    SELECT_REDELIVERABLE = "
    select id, endpoint_id
    from notification
    where org_id = ?1
    and id > ?2
    and state in ('dead', 'queued', 'retry')
    and (?3 is null or instance_id = ?3)
    and (?4 is null or endpoint_id = ?4)
    and (?5 is null or state = ?5)
    and (?6 is null or id = ?6)
    and id < ?7
    and (?8 is null or created_at >= ?8)
    and (?9 is null or exists (
        select 1
        from membership
        where membership.notification_id = notification.id
        and membership.event_id = ?9
    ))
    and exists (select 1 from endpoint where endpoint.id = notification.endpoint_id)
    order by id";

    UPDATE_REDELIVERED = "
    update notification
    set
        state = 'retry',
        failures = 0,
        first_failed_at = null,
        completed_at = null,
        next_due = ?2
    where id = ?1";
}

/// The last number of a kind of rows that a restart must not hand out again.
pub(super) fn last_number(db: &Connection, counter: &str) -> Result<i64> {
    Ok(db.query_row(SELECT_COUNTER, [counter], |row| row.get(0))?)
}

/// Keeps the last number of a kind of rows.
pub(super) fn raise_number(db: &Connection, counter: &str, last: i64) -> Result<()> {
    db.prepare_cached(RAISE_COUNTER)?.execute(params![counter, last])?;
    Ok(())
}

/// See [`crate::Store::endpoints_waiting`]. An endpoint has something to send when any unsent event's record is free:
/// the earliest unsent event of that record then is.
pub(super) fn endpoints_waiting(db: &Connection, limit: u32) -> Result<Vec<EndpointRow>> {
    let mut select = db.prepare_cached(SELECT_ENDPOINTS_WAITING)?;
    Ok(select.query_map([limit], read_endpoint)?.collect::<rusqlite::Result<_>>()?)
}

/// See [`crate::Store::waiting`].
pub(super) fn waiting(db: &Connection, id: EndpointId, events_max: EventsMax) -> Result<Waiting> {
    let endpoint = endpoint(db, id)?.ok_or(StoreError::NotFound("endpoint"))?;
    let mut events = Vec::new();
    if endpoint.state == EndpointState::Active {
        for position in next_positions(db, &endpoint, events_max)? {
            events.push(reading::event_at(db, position)?);
        }
    }
    Ok(Waiting { endpoint, events })
}

/// Positions of the next events, of one group. A record is met first by its earliest unsent event, so that of a record
/// met before nothing may go.
fn next_positions(db: &Connection, endpoint: &EndpointRow, events_max: EventsMax) -> Result<Vec<i64>> {
    let mut met: HashSet<(i64, String)> = HashSet::new();
    let mut chosen: Option<Group> = None;
    let mut positions = Vec::new();
    let mut take = |row: &Row<'_>| -> rusqlite::Result<bool> {
        let (poller, is_blocked): (i64, bool) = (row.get(1)?, row.get(3)?);
        let group = Group::of(PollerId(poller), row.get::<_, Option<i64>>(4)?.map(InboundId));
        let is_first = met.insert((poller, row.get(2)?));
        if !is_first || is_blocked || *chosen.get_or_insert(group) != group {
            return Ok(true);
        }
        let most = group.events_max(events_max);
        if positions.len() < most {
            positions.push(row.get(0)?);
        }
        Ok(positions.len() < most)
    };
    let mut held = db.prepare_cached(SELECT_HELD)?;
    let mut rows = held.query([endpoint.id.0])?;
    let mut wants_more = true;
    while wants_more && let Some(row) = rows.next()? {
        wants_more = take(row)?;
    }
    let mut beyond = db.prepare_cached(SELECT_BEYOND)?;
    let mut rows = beyond.query([endpoint.id.0, endpoint.channel(), endpoint.position])?;
    while wants_more && let Some(row) = rows.next()? {
        wants_more = take(row)?;
    }
    Ok(positions)
}

/// See [`crate::Store::reserve_notification`].
pub(super) fn reserve_notification(desk: &mut Desk) -> Result<NotificationId> {
    desk.last.notification += 1;
    Ok(NotificationId(desk.last.notification))
}

/// One member of a notification to be.
struct Member {
    position: i64,
    event: [u8; 16],
    poller: i64,
    object_id: String,
    group: Group,
}

impl Member {
    /// From `SELECT_MEMBER`.
    fn read(position: i64, row: &Row<'_>) -> rusqlite::Result<Member> {
        let poller = row.get(1)?;
        Ok(Member {
            position,
            event: row.get(0)?,
            poller,
            object_id: row.get(2)?,
            group: Group::of(PollerId(poller), row.get::<_, Option<i64>>(3)?.map(InboundId)),
        })
    }
}

/// The members, if each of them may be sent now.
fn free_members(db: &Connection, endpoint: &EndpointRow, positions: &[i64]) -> Result<Option<Vec<Member>>> {
    let mut members: Vec<Member> = Vec::with_capacity(positions.len());
    for position in positions {
        let mut select = db.prepare_cached(SELECT_MEMBER)?;
        let found = select.query_row([*position, endpoint.channel()], |row| Member::read(*position, row));
        let Some(member) = found.optional()? else { return Ok(None) };
        // Ascending positions make doubles impossible, and an earlier event of the same record is unsent until now.
        let follows =
            members.last().is_none_or(|last| last.position < *position && last.group == member.group);
        if !follows || !is_free(db, endpoint, &member)? {
            return Ok(None);
        }
        members.push(member);
    }
    Ok(Some(members).filter(|members| !members.is_empty()))
}

fn is_free(db: &Connection, endpoint: &EndpointRow, member: &Member) -> Result<bool> {
    let id = endpoint.id.0;
    let is_unsent = member.position > endpoint.position
        || db.prepare_cached(SELECT_IS_HELD)?.exists([id, member.position])?;
    if !is_unsent {
        return Ok(false);
    }
    let blocked = params![id, member.poller, member.object_id];
    if db.prepare_cached(SELECT_IS_BLOCKED)?.exists(blocked)? {
        return Ok(false);
    }
    let channel = endpoint.channel();
    let beyond = params![channel, endpoint.position, member.position, member.poller, member.object_id];
    let held = params![id, member.position, member.poller, member.object_id];
    let has_earlier = db.prepare_cached(SELECT_EARLIER_BEYOND)?.exists(beyond)?
        || db.prepare_cached(SELECT_EARLIER_HELD)?.exists(held)?;
    Ok(!has_earlier)
}

/// See [`crate::Store::form`].
pub(super) fn form(
    desk: &mut Desk,
    id: NotificationId,
    new: &NewNotification,
    position_was: i64,
    now: Timestamp,
    lease_for: Duration,
) -> Result<Option<Delivery>> {
    let db = &desk.db;
    let Some(endpoint) = endpoint(db, new.endpoint)? else { return Ok(None) };
    if endpoint.state != EndpointState::Active
        || endpoint.position != position_was
        || db.prepare_cached(SELECT_NOTIFICATION_KNOWN)?.exists([id.0])?
    {
        return Ok(None);
    }
    let Some(members) = free_members(db, &endpoint, &new.members)? else { return Ok(None) };
    let position = members.iter().map(|member| member.position).fold(position_was, i64::max);
    db.prepare_cached(INSERT_PASSED)?.execute(params![
        endpoint.id.0,
        endpoint.org.0,
        endpoint.channel(),
        position_was,
        position
    ])?;
    for member in &members {
        db.prepare_cached(DELETE_HELD)?.execute([endpoint.id.0, member.position])?;
    }
    db.prepare_cached(UPDATE_POSITION)?.execute([endpoint.id.0, position])?;
    let split_from = new.split_from;
    insert_notification(db, id, &endpoint, split_from, &new.body, &members, Times { now, due: now })?;
    desk.last.notification = desk.last.notification.max(id.0);
    deliver(desk, id, endpoint.id, now, lease_for).map(Some)
}

#[derive(Clone, Copy)]
struct Times {
    now: Timestamp,
    due: Timestamp,
}

fn insert_notification(
    db: &Connection,
    id: NotificationId,
    endpoint: &EndpointRow,
    split_from: Option<NotificationId>,
    body: &str,
    members: &[Member],
    times: Times,
) -> Result<()> {
    raise_number(db, "notification", id.0)?;
    db.prepare_cached(INSERT_NOTIFICATION)?.execute(params![
        id.0,
        endpoint.org.0,
        endpoint.id.0,
        endpoint.instance.0,
        split_from.map(|id| id.0),
        micros(times.due),
        micros(times.now),
        body
    ])?;
    let mut insert = db.prepare_cached(INSERT_MEMBER)?;
    let mut block = db.prepare_cached(INSERT_BLOCKED)?;
    for (ordinal, member) in members.iter().enumerate() {
        insert.execute(params![id.0, ordinal as i64, endpoint.org.0, member.position, member.event])?;
        block.execute(params![endpoint.id.0, member.poller, member.object_id, id.0, endpoint.org.0])?;
    }
    Ok(())
}

/// Claims a notification and reads what is needed to send it.
fn deliver(
    desk: &mut Desk,
    id: NotificationId,
    endpoint_id: EndpointId,
    now: Timestamp,
    lease_for: Duration,
) -> Result<Delivery> {
    let notification = notifications::notification(&desk.db, id)?;
    let endpoint = endpoint(&desk.db, endpoint_id)?.ok_or(StoreError::NotFound("endpoint"))?;
    let lease = desk.leases.claim_notification(id, endpoint_id, now, lease_for);
    Ok(Delivery { lease, notification, endpoint })
}

/// See [`crate::Store::claim_notifications`].
pub(super) fn claim_notifications(
    desk: &mut Desk,
    now: Timestamp,
    limit: u32,
    per_endpoint: u32,
    lease_for: Duration,
) -> Result<Vec<Delivery>> {
    let mut taken = desk.leases.count_by_endpoint(now);
    let mut chosen: Vec<(NotificationId, EndpointId)> = Vec::new();
    {
        let mut select = desk.db.prepare_cached(SELECT_DUE)?;
        let mut rows = select.query([micros(now)])?;
        while chosen.len() < limit as usize
            && let Some(row) = rows.next()?
        {
            let (id, endpoint) = (NotificationId(row.get(0)?), EndpointId(row.get(1)?));
            let open = taken.entry(endpoint).or_default();
            if *open < per_endpoint && !desk.leases.is_notification_claimed(id, now) {
                *open += 1;
                chosen.push((id, endpoint));
            }
        }
    }
    chosen.into_iter().map(|(id, endpoint)| deliver(desk, id, endpoint, now, lease_for)).collect()
}

/// See [`crate::Store::next_notification_due`].
pub(super) fn next_notification_due(desk: &mut Desk) -> Result<Option<Timestamp>> {
    let mut select = desk.db.prepare_cached(SELECT_NEXT_DUE)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if desk.leases.notification(NotificationId(row.get(0)?)).is_none() {
            return Ok(Some(row.instant(1)?));
        }
    }
    Ok(None)
}

/// See [`crate::Store::finish_attempt`].
pub(super) fn finish_attempt(
    desk: &mut Desk,
    lease: Lease<NotificationId>,
    result: &AttemptResult,
    now: Timestamp,
) -> Result<Committed> {
    if !desk.leases.holds_notification(lease) {
        return Ok(Committed::StaleLease);
    }
    let db = &desk.db;
    let open: Option<i64> =
        db.prepare_cached(SELECT_OPEN)?.query_row([lease.id.0], |row| row.get(0)).optional()?;
    let Some(endpoint) = open.map(|id| endpoint(db, EndpointId(id))).transpose()?.flatten() else {
        return Ok(Committed::StaleLease);
    };
    let due = result.next_due.unwrap_or(now);
    let singles = singles(db, lease.id, &endpoint, result)?;
    insert_attempt(db, endpoint.org, lease.id, &result.attempt)?;
    let is_tried = matches!(result.state, NotificationState::Created | NotificationState::Retry);
    db.prepare_cached(UPDATE_NOTIFICATION)?.execute(params![
        lease.id.0,
        result.state.as_str(),
        result.failures,
        is_tried.then(|| micros(due)),
        (!result.state.is_open()).then(|| micros(now)),
        micros(now)
    ])?;
    if !result.state.is_open() {
        db.prepare_cached(DELETE_BLOCKED)?.execute([lease.id.0])?;
    }
    for (id, single) in &result.singles {
        let Some(member) = singles.iter().find(|member| single.members == [member.position]) else {
            continue;
        };
        let times = Times { now, due };
        let members = std::slice::from_ref(member);
        insert_notification(db, *id, &endpoint, Some(lease.id), &single.body, members, times)?;
    }
    if result.state == NotificationState::Delivered {
        db.prepare_cached(UPDATE_ACCEPTED)?.execute([endpoint.id.0, micros(now)])?;
    }
    if let Some((state, reason)) = &result.endpoint {
        db.prepare_cached(UPDATE_ENDPOINT_STATE)?.execute(params![endpoint.id.0, state.as_str(), reason])?;
    }
    let last = result.singles.iter().map(|(id, _)| id.0).fold(desk.last.notification, i64::max);
    desk.last.notification = last;
    desk.leases.release_notification(lease.id);
    Ok(Committed::Yes)
}

/// The members of a split, once it is known that its singles fit them.
fn singles(
    db: &Connection,
    id: NotificationId,
    endpoint: &EndpointRow,
    result: &AttemptResult,
) -> Result<Vec<Member>> {
    let mut positions: Vec<i64> = Vec::new();
    if result.state == NotificationState::Split {
        let mut select = db.prepare_cached(SELECT_MEMBERS)?;
        positions = select.query_map([id.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    }
    let fit = positions.len() == result.singles.len()
        && positions.iter().zip(&result.singles).all(|(position, (_, single))| single.members == [*position]);
    if !fit {
        return Err(StoreError::Failed("a split needs one notification per member, in order".into()));
    }
    let mut ids = BTreeSet::new();
    for (single, _) in &result.singles {
        if !ids.insert(*single) || db.prepare_cached(SELECT_NOTIFICATION_KNOWN)?.exists([single.0])? {
            return Err(StoreError::Failed(format!("the notification id {single} is used")));
        }
    }
    let mut select = db.prepare_cached(SELECT_MEMBER)?;
    let members = positions
        .into_iter()
        .map(|position| select.query_row([position, endpoint.channel()], |row| Member::read(position, row)));
    Ok(members.collect::<rusqlite::Result<_>>()?)
}

fn insert_attempt(
    db: &Connection,
    org: OrgId,
    notification: NotificationId,
    attempt: &AttemptRow,
) -> Result<()> {
    db.prepare_cached(INSERT_ATTEMPT)?.execute(params![
        attempt.id.0,
        org.0,
        notification.0,
        micros(attempt.started_at),
        attempt.duration_ms,
        attempt.status,
        attempt.error,
        attempt.answer,
        attempt.request
    ])?;
    Ok(())
}

/// See [`crate::Store::redeliver`].
pub(super) fn redeliver(
    desk: &mut Desk,
    org: OrgId,
    filter: &NotificationFilter,
    now: Timestamp,
) -> Result<u64> {
    let mut chosen: Vec<(NotificationId, EndpointId)> = Vec::new();
    {
        let mut select = desk.db.prepare_cached(SELECT_REDELIVERABLE)?;
        let mut rows = select.query(params![
            org.0,
            filter.after,
            filter.instance.map(|id| id.0),
            filter.endpoint.map(|id| id.0),
            filter.state.map(NotificationState::as_str),
            filter.id.map(|id| id.0),
            filter.before.unwrap_or(i64::MAX),
            filter.since.map(micros),
            filter.event.map(|id| id.0)
        ])?;
        while chosen.len() < filter.limit as usize
            && let Some(row) = rows.next()?
        {
            let id = NotificationId(row.get(0)?);
            if !desk.leases.is_notification_claimed(id, now) {
                chosen.push((id, EndpointId(row.get(1)?)));
            }
        }
    }
    for (id, endpoint) in &chosen {
        desk.leases.release_notification(*id);
        desk.db.prepare_cached(UPDATE_REDELIVERED)?.execute([id.0, micros(now)])?;
        desk.db.prepare_cached(INSERT_BLOCKED_AGAIN)?.execute([id.0, endpoint.0])?;
        let active = params![endpoint.0, EndpointState::Active.as_str(), ""];
        desk.db.prepare_cached(UPDATE_ENDPOINT_STATE)?.execute(active)?;
    }
    Ok(chosen.len() as u64)
}
