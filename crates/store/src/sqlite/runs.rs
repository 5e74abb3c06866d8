//! Turns and runs: who is due, claims, batches, the end of a run.
//!
//! A batch is written row by row through prepared statements. The lease is checked first, inside the same transaction
//! as the writes: whoever lost it writes nothing.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use turnstone_core::event::Event;
use turnstone_core::id::{InstanceId, OrgId, PollerId};
use turnstone_core::poll::{Batch, Decision, Finish, RunRecord};

use super::row::{Columns, json, micros, statements, whole};
use super::writer::{Desk, Weight};
use super::{hints, instances, ledger};
use crate::{Claim, Committed, Due, Lease, Result, TRACES_KEPT_MAX};

statements! {
    SELECT_ORGS = "
    select id
    from org
    order by id";

    SELECT_DUE_OF_ORG = "
    select id, instance_id, next_due
    from poller
    where runnable = 1
    and org_id = ?1
    and next_due <= ?2
    order by next_due, id";

    SELECT_NEXT_DUE = "
    select id, next_due
    from poller
    where runnable = 1
    order by next_due, id";

    SELECT_RUNNABLE = "
    select 1
    from poller
    where id = ?1
    and runnable = 1
    and next_due <= ?2";

    SELECT_POLLER_PLACE = "
    select
        poller.org_id,
        poller.revision,
        subscription.monitor_version,
        (select -subscription_id from endpoint where endpoint.subscription_id = poller.subscription_id)
    from poller
    left join subscription on subscription.id = poller.subscription_id
    where poller.id = ?1";

    UPDATE_DUE = "
    update poller
    set next_due = ?2, regular_due = iif(regular_due > ?2, regular_due, null)
    where id = ?1";

    SELECT_EVENT_COUNTER = "
    select value
    from counter
    where name = 'event'";

    UPDATE_EVENT_COUNTER = "
    update counter
    set value = ?1
    where name = 'event'";

    INSERT_EVENT = "
    insert into event (
        position, org_id, id, poller_id, instance_id, event_type, object_type, object_id, date, sequence, reason,
        recorded_at, inbound_id, compared, page
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
    on conflict (id) do nothing";

    INSERT_EVENT_BODY = "
    insert into event_body (position, org_id, record)
    values (?1, ?2, ?3)";

    INSERT_EVENT_BATCH = "
    insert into event_batch (
        first, last, org_id, instance_id, run_id, element_key, poller_revision, element_revision, monitor_version,
        channel
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

    SELECT_LAST_DECISION = "
    select coalesce(max(ordinal), 0)
    from decision
    where poller_id = ?1
    and lease_epoch = ?2";

    INSERT_DECISION = "
    insert into decision (
        poller_id, lease_epoch, ordinal, org_id, object_id, verdict, reason, compared, page
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

    DELETE_ORPHANED_DECISIONS = "
    delete from decision
    where poller_id = ?1
    and lease_epoch > (select lease_epoch from poller where id = ?1)
    and lease_epoch < ?2";

    UPSERT_PASS = "
    insert into pass (poller_id, org_id, revision, checkpoint, updated_at)
    values (?1, ?2, ?3, ?4, ?5)
    on conflict (poller_id) do update
    set
        revision = excluded.revision,
        checkpoint = excluded.checkpoint,
        updated_at = excluded.updated_at";

    DELETE_PASS = "
    delete from pass
    where poller_id = ?1";

    UPDATE_FINISHED = "
    update poller
    set
        state = ?2,
        watermark = ?3,
        status_code = ?4,
        status_sentence = ?5,
        needs_attention = ?6,
        next_due = coalesce(?7, next_due),
        lease_epoch = ?8,
        regular_due = ?9
    where id = ?1";

    INSERT_RUN = "
    insert or replace into run (
        id, org_id, poller_id, poller_revision, lease_epoch, kind, outcome, started_at, finished_at, error, counts,
        story, monitor_version
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

    INSERT_TRACE = "
    insert or replace into run_trace (run_id, org_id, poller_id, trace)
    values (?1, ?2, ?3, ?4)";

    DELETE_OLD_TRACES = "
    delete from run_trace
    where poller_id = ?1
    and number <= (
        select number
        from run_trace
        where poller_id = ?1
        order by number desc
        limit 1
        offset ?2
    )";
}

/// See [`crate::Store::due`]. Each organisation is asked by itself, so that a million pollers of one do not cost the
/// others anything.
pub(super) fn due(desk: &mut Desk, now: Timestamp, limit: u32, per_org: u32) -> Result<Vec<Due>> {
    let mut orgs = desk.db.prepare_cached(SELECT_ORGS)?;
    let orgs: Vec<OrgId> =
        orgs.query_map([], |row| row.get(0).map(OrgId))?.collect::<rusqlite::Result<_>>()?;
    let mut select = desk.db.prepare_cached(SELECT_DUE_OF_ORG)?;
    let most = per_org.min(limit) as usize;
    let mut found = Vec::new();
    for org in orgs {
        let mut rows = select.query(params![org.0, micros(now)])?;
        let mut count = 0;
        while count < most {
            let Some(row) = rows.next()? else { break };
            let poller = PollerId(row.get(0)?);
            if desk.leases.is_poller_claimed(poller, now) {
                continue;
            }
            found.push(Due { poller, org, instance: InstanceId(row.get(1)?), due: row.instant(2)? });
            count += 1;
        }
    }
    found.sort_unstable_by_key(|due| (due.due, due.poller));
    found.truncate(limit as usize);
    Ok(found)
}

/// See [`crate::Store::next_due`].
pub(super) fn next_due(desk: &mut Desk) -> Result<Option<Timestamp>> {
    let mut select = desk.db.prepare_cached(SELECT_NEXT_DUE)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        if desk.leases.poller(PollerId(row.get(0)?)).is_none() {
            return Ok(Some(row.instant(1)?));
        }
    }
    Ok(None)
}

/// See [`crate::Store::claim`].
pub(super) fn claim(
    desk: &mut Desk,
    id: PollerId,
    now: Timestamp,
    lease_for: Duration,
) -> Result<Option<Claim>> {
    if desk.leases.is_poller_claimed(id, now) {
        return Ok(None);
    }
    if !desk.db.prepare_cached(SELECT_RUNNABLE)?.exists([id.0, micros(now)])? {
        return Ok(None);
    }
    let Some(poller) = instances::any_poller(&desk.db, id)? else { return Ok(None) };
    let instance = instances::instance(&desk.db, poller.org, poller.instance)?;
    let lease = desk.leases.claim_poller(id, now, lease_for);
    Ok(Some(Claim { lease, poller, instance }))
}

/// See [`crate::Store::renew`].
pub(super) fn renew(
    desk: &mut Desk,
    lease: Lease<PollerId>,
    now: Timestamp,
    lease_for: Duration,
) -> Result<Committed> {
    Ok(match desk.leases.renew_poller(lease, now, lease_for) {
        true => Committed::Yes,
        false => Committed::StaleLease,
    })
}

/// See [`crate::Store::release`].
pub(super) fn release(desk: &mut Desk, lease: Lease<PollerId>, due: Timestamp) -> Result<()> {
    if desk.leases.holds_poller(lease) {
        desk.db.prepare_cached(UPDATE_DUE)?.execute(params![lease.id.0, micros(due)])?;
        desk.leases.release_poller(lease.id);
    }
    Ok(())
}

/// Where a batch belongs.
struct Place {
    org: OrgId,
    revision: i64,
    epoch: i64,
    now: i64,
    /// Of a subscription: the version that it uses, and the channel of its own endpoint.
    monitor_version: Option<i64>,
    channel: Option<i64>,
}

/// The poller of a lease that still holds.
fn place(desk: &Desk, lease: Lease<PollerId>, now: Timestamp) -> Result<Option<Place>> {
    if !desk.leases.holds_poller(lease) {
        return Ok(None);
    }
    let epoch = whole(lease.epoch)?;
    let mut select = desk.db.prepare_cached(SELECT_POLLER_PLACE)?;
    let place = select.query_row([lease.id.0], |row| {
        let (org, revision) = (OrgId(row.get(0)?), row.get(1)?);
        Ok(Place {
            org,
            revision,
            epoch,
            now: micros(now),
            monitor_version: row.get(2)?,
            channel: row.get(3)?,
        })
    });
    Ok(place.optional()?)
}

/// See [`crate::Store::commit`].
pub(super) fn commit(
    desk: &mut Desk,
    lease: Lease<PollerId>,
    batch: Batch,
    now: Timestamp,
) -> Result<Committed> {
    let Some(place) = place(desk, lease, now)? else { return Ok(Committed::StaleLease) };
    write_batch(desk, lease.id, &place, batch)?;
    Ok(Committed::Yes)
}

fn write_batch(desk: &mut Desk, poller: PollerId, place: &Place, batch: Batch) -> Result<()> {
    ledger::write_entries(desk, poller, place.org, batch.entries)?;
    ledger::write_versions(&desk.db, poller, place.org, &batch.versions)?;
    ledger::write_swept(desk, poller, &batch.swept, batch.sweep)?;
    let db = &desk.db;
    let origin = Origin {
        org: place.org,
        poller_revision: Some(place.revision),
        element_revision: None,
        monitor_version: place.monitor_version,
        channel: place.channel,
    };
    write_events(db, &origin, &batch.events, place.now)?;
    hints::write_heard(db, poller, &batch.heard)?;
    write_decisions(db, poller, place, &batch.decisions)?;
    if let Some(checkpoint) = &batch.checkpoint {
        db.prepare_cached(UPSERT_PASS)?.execute(params![
            poller.0,
            place.org.0,
            place.revision,
            checkpoint,
            place.now
        ])?;
    }
    Ok(())
}

/// Where events come from, as far as it does not stand in them.
pub(super) struct Origin {
    pub org: OrgId,
    pub poller_revision: Option<i64>,
    pub element_revision: Option<i64>,
    pub monitor_version: Option<i64>,
    /// Whose endpoint takes them, if not the instance's; see `event_batch`.
    pub channel: Option<i64>,
}

/// Positions are handed out here: the one writer makes their order the order of commits, and an event that is already
/// in the log takes none.
pub(super) fn write_events(db: &Connection, origin: &Origin, events: &[Event], now: i64) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let before: i64 = db.prepare_cached(SELECT_EVENT_COUNTER)?.query_row([], |row| row.get(0))?;
    let mut position = before;
    let mut insert = db.prepare_cached(INSERT_EVENT)?;
    let mut insert_body = db.prepare_cached(INSERT_EVENT_BODY)?;
    // Where a batch begins in the log, and its first event.
    let mut batch: Option<(i64, &Event)> = None;
    for event in events {
        let inserted = insert.execute(params![
            position + 1,
            origin.org.0,
            event.id.0,
            event.poller.0,
            event.instance.0,
            event.event_type.as_str(),
            event.object_type,
            event.object_id,
            micros(event.date),
            whole(event.sequence)?,
            event.reason,
            now,
            event.inbound.map(|id| id.0),
            event.compared,
            event.page
        ])?;
        if inserted == 0 {
            continue;
        }
        if let Some((first, other)) = batch
            && !stand_together(event, other)
        {
            insert_event_batch(db, origin, other, first..=position)?;
            batch = None;
        }
        position += 1;
        batch.get_or_insert((position, event));
        if let Some(record) = &event.record {
            insert_body.execute(params![position, origin.org.0, record])?;
        }
    }
    if let Some((first, event)) = batch {
        insert_event_batch(db, origin, event, first..=position)?;
        db.prepare_cached(UPDATE_EVENT_COUNTER)?.execute([position])?;
    }
    Ok(())
}

/// Whether what a batch says of its events is the same for both.
fn stand_together(one: &Event, other: &Event) -> bool {
    one.instance == other.instance && one.run == other.run && one.element_key == other.element_key
}

fn insert_event_batch(
    db: &Connection,
    origin: &Origin,
    event: &Event,
    positions: RangeInclusive<i64>,
) -> Result<()> {
    db.prepare_cached(INSERT_EVENT_BATCH)?.execute(params![
        positions.start(),
        positions.end(),
        origin.org.0,
        event.instance.0,
        event.run.0,
        event.element_key,
        origin.poller_revision,
        origin.element_revision,
        origin.monitor_version,
        origin.channel.unwrap_or(event.instance.0)
    ])?;
    Ok(())
}

fn write_decisions(db: &Connection, poller: PollerId, place: &Place, decisions: &[Decision]) -> Result<()> {
    if decisions.is_empty() {
        return Ok(());
    }
    let mut ordinal: i64 =
        db.prepare_cached(SELECT_LAST_DECISION)?.query_row([poller.0, place.epoch], |row| row.get(0))?;
    let mut insert = db.prepare_cached(INSERT_DECISION)?;
    // A batch has few kinds of verdicts and many decisions.
    let mut verdicts = HashMap::new();
    for decision in decisions {
        ordinal += 1;
        let key = format!("{:?}", decision.verdict);
        if !verdicts.contains_key(&key) {
            verdicts.insert(key.clone(), json(&decision.verdict)?);
        }
        insert.execute(params![
            poller.0,
            place.epoch,
            ordinal,
            place.org.0,
            decision.object_id,
            verdicts[&key],
            decision.reason,
            decision.compared,
            decision.page
        ])?;
    }
    Ok(())
}

/// See [`crate::Store::finish`].
pub(super) fn finish(
    desk: &mut Desk,
    lease: Lease<PollerId>,
    finish: Finish,
    now: Timestamp,
) -> Result<Committed> {
    let Some(mut place) = place(desk, lease, now)? else { return Ok(Committed::StaleLease) };
    // What ran may not be what the subscription uses by now.
    let mut next_due = Some(finish.next_due);
    if let Some(flow) = &finish.flow {
        next_due = next_due.filter(|_| place.revision == flow.revision);
        (place.revision, place.monitor_version) = (flow.revision, Some(flow.version));
    }
    write_batch(desk, lease.id, &place, finish.batch)?;
    let db = &desk.db;
    if finish.flow.as_ref().is_some_and(|flow| flow.cursor_changed) {
        instances::remember_state(db, lease.id, now)?;
    }
    if finish.pass_closed {
        db.prepare_cached(DELETE_PASS)?.execute([lease.id.0])?;
    }
    if let Some(below) = finish.prune_versions_below {
        ledger::prune_versions(db, lease.id, below)?;
    }
    // Decisions of claims that ended without a run belong to nobody.
    db.prepare_cached(DELETE_ORPHANED_DECISIONS)?.execute([lease.id.0, place.epoch])?;
    db.prepare_cached(UPDATE_FINISHED)?.execute(params![
        lease.id.0,
        finish.state,
        finish.watermark,
        finish.status.code,
        finish.status.sentence,
        finish.status.needs_attention,
        next_due.map(micros),
        place.epoch,
        finish.regular_due.map(micros)
    ])?;
    if crate::intake::heeds_hints(&finish.status, finish.run.outcome) {
        hints::pull_after_run(db, lease.id, finish.hints_known, now)?;
    }
    insert_run(db, lease.id, &place, &finish.run)?;
    if let Some(flow) = &finish.flow {
        let run = finish.run.id.0;
        db.prepare_cached(INSERT_TRACE)?.execute(params![run, place.org.0, lease.id.0, flow.trace])?;
        db.prepare_cached(DELETE_OLD_TRACES)?.execute([lease.id.0, i64::from(TRACES_KEPT_MAX)])?;
    }
    desk.leases.release_poller(lease.id);
    Ok(Committed::Yes)
}

fn insert_run(db: &Connection, poller: PollerId, place: &Place, run: &RunRecord) -> Result<()> {
    let error = run.error.as_ref().map(json).transpose()?;
    db.prepare_cached(INSERT_RUN)?.execute(params![
        run.id.0,
        place.org.0,
        poller.0,
        place.revision,
        place.epoch,
        run.kind.as_str(),
        run.outcome.as_str(),
        micros(run.started_at),
        micros(run.finished_at),
        error,
        json(&run.counts)?,
        json(&run.story)?,
        place.monitor_version
    ])?;
    Ok(())
}

/// What a batch adds to its group of commits.
pub(super) fn weight(batch: &Batch) -> Weight {
    let entries: usize =
        batch.entries.iter().map(|entry| 150 + entry.last_body.as_ref().map_or(0, String::len)).sum();
    let events: usize =
        batch.events.iter().map(|event| 300 + event.record.as_ref().map_or(0, String::len)).sum();
    let rest = 64 * (batch.versions.len() + batch.swept.len() + batch.decisions.len() + batch.heard.len());
    let checkpoint = batch.checkpoint.as_ref().map_or(0, String::len);
    Weight { rows: batch.rows() + 1, bytes: entries + events + rest + checkpoint }
}
