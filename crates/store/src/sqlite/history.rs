//! How many events there were over time, and what became of them.
//!
//! The log is in commit order, so that a span of time is a range of positions, found by halving. The range is read
//! once, and so are the memberships of that range.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use turnstone_core::id::{InstanceId, OrgId};

use super::row::{micros, statements};
use super::upkeep::old_end;
use crate::{EventCount, Interval, Result};

statements! {
    SELECT_FATES = "
    select membership.position, notification.endpoint_id, notification.state = 'delivered'
    from membership indexed by membership_of_event
    cross join notification on notification.id = membership.notification_id
    where membership.position between ?2 and ?3
    and notification.org_id = ?1
    and notification.state in ('delivered', 'dead')";

    SELECT_ENDPOINTS = "
    select channel, id
    from endpoint
    where org_id = ?1";

    SELECT_RANGE = "
    select event.position, event.instance_id, event.recorded_at, event_batch.channel
    from event_batch
    cross join event on event.position between max(event_batch.first, ?2) and min(event_batch.last, ?3)
    where event_batch.org_id = ?1
    and event_batch.first >= coalesce(
        (select max(first) from event_batch where org_id = ?1 and first <= ?2),
        0
    )
    and event_batch.first <= ?3";
}

/// See [`crate::Intake::event_counts`].
pub(super) fn event_counts(
    db: &Connection,
    org: OrgId,
    from: Timestamp,
    to: Timestamp,
    interval: Interval,
) -> Result<Vec<EventCount>> {
    let (from_us, to_us) = (micros(from), micros(to));
    let (first, last) = (old_end(db, from)?, old_end(db, to)?);
    if from_us >= to_us || first > last {
        return Ok(Vec::new());
    }
    let endpoints = endpoints(db, org)?;
    let fates = fates(db, org, first, last)?;
    let mut counts: BTreeMap<(u64, InstanceId), EventCount> = BTreeMap::new();
    let mut select = db.prepare_cached(SELECT_RANGE)?;
    let mut rows = select.query(params![org.0, first, last])?;
    while let Some(row) = rows.next()? {
        let (position, instance, recorded_at): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let channel: i64 = row.get(3)?;
        // A clock that was set back leaves such events among the others.
        if recorded_at < from_us || recorded_at >= to_us {
            continue;
        }
        let step = recorded_at.abs_diff(from_us) / interval.step.max(1).unsigned_abs();
        let instance = InstanceId(instance);
        let count = counts.entry((step, instance)).or_insert(EventCount {
            step,
            instance,
            count: 0,
            success: 0,
            failed: 0,
        });
        count.count += 1;
        let fate = match endpoints.get(&channel) {
            None => Some(true),
            Some(endpoint) => fates.get(&(position, *endpoint)).copied(),
        };
        match fate {
            Some(true) => count.success += 1,
            Some(false) => count.failed += 1,
            None => {}
        }
    }
    Ok(counts.into_values().collect())
}

fn endpoints(db: &Connection, org: OrgId) -> Result<HashMap<i64, i64>> {
    let mut select = db.prepare_cached(SELECT_ENDPOINTS)?;
    let rows = select.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether the events of a range were delivered at an endpoint, as far as that is decided.
fn fates(db: &Connection, org: OrgId, first: i64, last: i64) -> Result<HashMap<(i64, i64), bool>> {
    let mut fates = HashMap::new();
    let mut select = db.prepare_cached(SELECT_FATES)?;
    let mut rows = select.query(params![org.0, first, last])?;
    while let Some(row) = rows.next()? {
        let is_delivered: bool = row.get(2)?;
        *fates.entry((row.get(0)?, row.get(1)?)).or_insert(false) |= is_delivered;
    }
    Ok(fates)
}
