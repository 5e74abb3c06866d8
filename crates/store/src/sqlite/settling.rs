//! What became of a request: events, hints and its state, in one transaction.
//!
//! Events of resources that nobody polls are numbered per record like all others, so they have a poller row and a
//! ledger of their own. That row is never due.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use turnstone_core::event::Event;
use turnstone_core::id::{EventId, InboundId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::intake::{Hint, ReceivedEvent, Reported};
use turnstone_core::ledger::Entry;
use turnstone_core::limits::NOTIFIED_RESOURCES_MAX;

use super::row::{json, micros, statements};
use super::runs::{Origin, write_events};
use super::writer::{Desk, Weight};
use super::{hints, ledger};
use crate::intake::{next_entry, too_many_resources};
use crate::{InboundOutcome, Result, SettledAs, Settlement};

statements! {
    SELECT_FIRST_WAITING = "
    select inbound.org_id, inbound.instance_id, inbound.received_at, instance.element_key
    from inbound
    cross join instance on instance.id = inbound.instance_id
    where inbound.id = ?1
    and inbound.state = 'received'
    and not exists (
        select 1
        from inbound as earlier
        where earlier.state = 'received'
        and earlier.instance_id = inbound.instance_id
        and earlier.id < inbound.id
    )";

    SELECT_EVENT_KNOWN = "
    select 1
    from event
    where id = ?1";

    SELECT_POLLER_OF_RESOURCE = "
    select id
    from poller
    where instance_id = ?1
    and kind = ?2
    and resource = ?3";

    COUNT_INTAKE_POLLERS = "
    select count(*)
    from poller
    where instance_id = ?1
    and kind = 'intake'";

    INSERT_INTAKE_POLLER = "
    insert into poller (
        org_id, instance_id, kind, resource, revision, interval_us, next_due, runnable,
        status_code, status_sentence, needs_attention, state
    )
    values (?1, ?2, 'intake', ?3, 0, 0, ?4, 0, 'ok', '', 0, '')";

    UPDATE_SETTLED = "
    update inbound
    set
        state = 'settled',
        failures = 0,
        next_due = null,
        quarantine = null,
        format = ?2,
        element_revision = ?3,
        events = ?4,
        hints = ?5,
        events_logged = ?4,
        settled_at = ?6
    where id = ?1";

    UPDATE_QUARANTINED = "
    update inbound
    set
        state = 'quarantined',
        failures = 0,
        next_due = null,
        quarantine = ?4,
        format = ?2,
        element_revision = ?3,
        settled_at = ?5
    where id = ?1";

    UPDATE_POSTPONED = "
    update inbound
    set failures = ?4, next_due = ?5, format = ?2, element_revision = ?3
    where id = ?1";
}

/// What settling adds to its group of commits.
pub(super) fn weight(settlement: &Settlement) -> Weight {
    let InboundOutcome::Settled(reported) = &settlement.outcome else { return Weight::SMALL };
    Weight { rows: 3 + 3 * reported.len(), bytes: 1_000 + 500 * reported.len() }
}

/// Where a request belongs.
struct Place {
    org: OrgId,
    instance: InstanceId,
    element_key: String,
    request: InboundId,
    run: RunId,
    received_at: i64,
    now: Timestamp,
}

/// See [`crate::Intake::settle`].
pub(super) fn settle(
    desk: &mut Desk,
    id: InboundId,
    settlement: Settlement,
    now: Timestamp,
) -> Result<SettledAs> {
    let place = desk.db.prepare_cached(SELECT_FIRST_WAITING)?.query_row([id.0], |row| {
        Ok(Place {
            org: OrgId(row.get(0)?),
            instance: InstanceId(row.get(1)?),
            received_at: row.get(2)?,
            element_key: row.get(3)?,
            request: id,
            run: settlement.run,
            now,
        })
    });
    let Some(place) = place.optional()? else { return Ok(SettledAs::Stale) };
    let (format, revision) = (settlement.format.as_str(), settlement.element_revision);
    match settlement.outcome {
        InboundOutcome::Settled(reported) => {
            let (mut events, mut named) = (Vec::new(), Vec::new());
            for reported in reported {
                match reported {
                    Reported::Event(event) => events.push(*event),
                    Reported::Hint(hint) => named.push(hint),
                }
            }
            let events = record_events(desk, &place, events, revision)?;
            let (hints, pollers) = keep_hints(desk, &place, &named, settlement.look_at)?;
            let mut update = desk.db.prepare_cached(UPDATE_SETTLED)?;
            update.execute(params![id.0, format, revision, events, hints, micros(now)])?;
            Ok(SettledAs::Done { events, pollers })
        }
        InboundOutcome::Quarantined(quarantine) => {
            let values = params![id.0, format, revision, json(&quarantine)?, micros(now)];
            desk.db.prepare_cached(UPDATE_QUARANTINED)?.execute(values)?;
            Ok(SettledAs::Done { events: 0, pollers: 0 })
        }
        InboundOutcome::Postponed { failures, next_due } => {
            let values = params![id.0, format, revision, failures, micros(next_due)];
            desk.db.prepare_cached(UPDATE_POSTPONED)?.execute(values)?;
            Ok(SettledAs::Done { events: 0, pollers: 0 })
        }
    }
}

/// Writes events with the entries that number them; how many are new.
fn record_events(
    desk: &mut Desk,
    place: &Place,
    received: Vec<ReceivedEvent>,
    element_revision: Option<i64>,
) -> Result<u32> {
    let mut ids: HashSet<EventId> = HashSet::new();
    let mut pollers: HashMap<String, PollerId> = HashMap::new();
    let mut entries: HashMap<PollerId, HashMap<String, Entry>> = HashMap::new();
    let mut events: Vec<Event> = Vec::new();
    for event in received {
        let is_known = desk.db.prepare_cached(SELECT_EVENT_KNOWN)?.exists([event.id.0])?;
        if is_known || !ids.insert(event.id) {
            continue;
        }
        let poller = match pollers.get(&event.object_type) {
            Some(poller) => *poller,
            None => {
                let poller = intake_poller(desk, place, &event.object_type)?;
                *pollers.entry(event.object_type.clone()).or_insert(poller)
            }
        };
        let entries = entries.entry(poller).or_default();
        let before = match entries.remove(&event.object_id) {
            Some(entry) => Some(entry),
            None => ledger::entry(desk, poller, &event.object_id)?,
        };
        let entry = next_entry(before.as_ref(), &event, place.now);
        events.push(Event {
            id: event.id,
            poller,
            instance: place.instance,
            run: place.run,
            inbound: Some(place.request),
            event_type: event.event_type,
            object_type: event.object_type,
            object_id: event.object_id,
            element_key: place.element_key.clone(),
            date: event.date,
            sequence: entry.sequence,
            reason: event.reason,
            compared: String::new(),
            page: 0,
            record: None,
        });
        entries.insert(entry.id.clone(), entry);
    }
    for (poller, entries) in entries {
        ledger::write_entries(desk, poller, place.org, entries.into_values().collect())?;
    }
    let origin = Origin {
        org: place.org,
        poller_revision: None,
        element_revision,
        monitor_version: None,
        channel: None,
    };
    write_events(&desk.db, &origin, &events, micros(place.now))?;
    Ok(u32::try_from(events.len()).unwrap_or(u32::MAX))
}

/// The row that numbers the records of a resource that is only notified; made when it is not there.
fn intake_poller(desk: &Desk, place: &Place, resource: &str) -> Result<PollerId> {
    if let Some(poller) = poller_of(desk, place, "intake", resource)? {
        return Ok(poller);
    }
    let mut count = desk.db.prepare_cached(COUNT_INTAKE_POLLERS)?;
    let count: i64 = count.query_row([place.instance.0], |row| row.get(0))?;
    if count >= NOTIFIED_RESOURCES_MAX as i64 {
        return Err(too_many_resources());
    }
    let values = params![place.org.0, place.instance.0, resource, micros(place.now)];
    desk.db.prepare_cached(INSERT_INTAKE_POLLER)?.execute(values)?;
    Ok(PollerId(desk.db.last_insert_rowid()))
}

fn poller_of(desk: &Desk, place: &Place, kind: &str, resource: &str) -> Result<Option<PollerId>> {
    let mut select = desk.db.prepare_cached(SELECT_POLLER_OF_RESOURCE)?;
    let found = select.query_row(params![place.instance.0, kind, resource], |row| row.get(0).map(PollerId));
    Ok(found.optional()?)
}

/// Keeps hints for the pollers that are there; how many records these are, and how many pollers became due by them.
fn keep_hints(desk: &Desk, place: &Place, named: &[Hint], look_at: Timestamp) -> Result<(u32, u32)> {
    let mut pollers: HashMap<&str, Option<(PollerId, InboundId)>> = HashMap::new();
    let mut records: BTreeSet<(PollerId, &str)> = BTreeSet::new();
    for hint in named {
        let target = match pollers.get(hint.resource.as_str()) {
            Some(target) => *target,
            None => {
                let target = match poller_of(desk, place, "resource", &hint.resource)? {
                    Some(poller) => Some((poller, hints::raise(&desk.db, poller, place.request)?)),
                    None => None,
                };
                *pollers.entry(&hint.resource).or_insert(target)
            }
        };
        if let Some((poller, number)) = target {
            hints::put(&desk.db, place.org, poller, hint, number, place.received_at)?;
            records.insert((poller, &hint.object_id));
        }
    }
    let mut pulled = 0;
    for (poller, _) in pollers.into_values().flatten() {
        pulled += u32::from(hints::pull(&desk.db, poller, look_at)?);
    }
    Ok((u32::try_from(records.len()).unwrap_or(u32::MAX), pulled))
}
