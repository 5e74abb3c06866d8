//! What goes when its time is over, and what is done at every opening.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use turnstone_core::id::{OrgId, PollerId};

use super::row::{micros, statements};
use super::writer::Desk;
use super::{hints, inbound};
use crate::{Kept, Result, Retention, StoreError};

/// Rows of a removed poller's ledger that go at once. The rest is left to the keeper, so that the removal of a poller
/// with millions of records does not hold up everybody's commits.
const REMOVED_AT_ONCE_MAX: i64 = 10_000;

/// A list of records that one call of [`prune`] works through, private to the writer's connection.
const CREATE_DOOMED: &str = "
    create temp table if not exists doomed (
        poller_id integer not null,
        id text not null,
        primary key (poller_id, id)
    ) strict, without rowid";

statements! {
    RAISE_OPEN_EPOCH = "
    update store_meta
    set open_epoch = open_epoch + 1
    returning open_epoch";

    DELETE_RECORDS_OF_POLLER = "
    delete from record
    where (poller_id, id) in (
        select poller_id, id
        from record
        where poller_id = ?1
        limit ?2
    )";

    DELETE_BODIES_OF_POLLER = "
    delete from record_body
    where rowid in (
        select rowid
        from record_body
        where poller_id = ?1
        limit ?2
    )";

    DELETE_VERSIONS_OF_POLLER = "
    delete from version
    where (poller_id, dated, compared, record_id, hash) in (
        select poller_id, dated, compared, record_id, hash
        from version
        where poller_id = ?1
        limit ?2
    )";

    DELETE_OPEN_DECISIONS = "
    delete from decision
    where poller_id = ?1
    and lease_epoch > (select lease_epoch from poller where id = ?1)";

    INSERT_REMOVED = "
    insert into removed_poller (poller_id, org_id, removed_at)
    values (?1, ?2, ?3)
    on conflict do nothing";

    SELECT_REMOVED = "
    select poller_id
    from removed_poller
    order by poller_id
    limit 1";

    DELETE_REMOVED = "
    delete from removed_poller
    where poller_id = ?1";

    DELETE_ATTEMPTS = "
    delete from attempt
    where id in (
        select id
        from attempt
        where started_at < ?1
        order by notification_id, started_at, id
        limit ?2
    )";

    DELETE_NOTIFICATIONS = "
    delete from notification
    where id in (
        select id
        from notification
        where completed_at < ?1
        and state <> 'dead'
        and not exists (
            select 1
            from attempt
            where attempt.notification_id = notification.id
        )
        order by id
        limit ?2
    )";

    SELECT_LOG_ENDS = "
    select coalesce((select min(position) from event), 0), coalesce((select max(position) from event), 0)";

    SELECT_RECORDED_FROM = "
    select recorded_at
    from event
    where position >= ?1
    order by position
    limit 1";

    DELETE_EVENTS = "
    delete from event
    where position in (
        select position
        from event
        where position <= ?3
        and recorded_at < ?1
        and not exists (
            select 1
            from membership
            where membership.position = event.position
        )
        and not exists (
            select 1
            from endpoint
            where endpoint.channel = (
                select event_batch.channel
                from event_batch
                where event_batch.first <= event.position
                order by event_batch.first desc
                limit 1
            )
            and (
                endpoint.position < event.position
                or exists (
                    select 1
                    from held_event
                    where held_event.endpoint_id = endpoint.id
                    and held_event.position = event.position
                )
            )
        )
        order by position
        limit ?2
    )
    returning position, inbound_id";

    UPDATE_EVENTS_LOGGED = "
    update inbound
    set events_logged = events_logged - 1
    where id = ?1";

    DELETE_EVENT_BODY = "
    delete from event_body
    where position = ?1";

    DELETE_EMPTY_BATCHES = "
    delete from event_batch
    where first >= coalesce((select max(first) from event_batch where first <= ?1), 0)
    and first <= ?2
    and not exists (
        select 1
        from event
        where event.position between event_batch.first and event_batch.last
    )";

    DELETE_RUNS = "
    delete from run
    where id in (
        select id
        from run
        where finished_at < ?1
        order by id
        limit ?2
    )
    returning poller_id, lease_epoch";

    DELETE_DECISIONS = "
    delete from decision
    where poller_id = ?1
    and lease_epoch = ?2";

    CLEAR_DOOMED = "
    delete from temp.doomed";

    INSERT_DOOMED = "
    insert into temp.doomed (poller_id, id)
    select poller_id, id
    from record
    where deleted_at < ?1
    and not exists (
        select 1
        from removed_poller
        where removed_poller.poller_id = record.poller_id
    )
    order by poller_id, id
    limit ?2";

    DELETE_DOOMED_RECORDS = "
    delete from record
    where (poller_id, id) in (select poller_id, id from temp.doomed)";

    DELETE_DOOMED_BODIES = "
    delete from record_body
    where (poller_id, id) in (select poller_id, id from temp.doomed)";

    DELETE_DOOMED_VERSIONS = "
    delete from version
    where poller_id in (select distinct poller_id from temp.doomed)
    and (poller_id, record_id) in (select poller_id, id from temp.doomed)";
}

/// Counts this opening and prepares the connection for [`prune`].
pub(super) fn raise_open_epoch(db: &Connection) -> Result<u32> {
    db.execute_batch(CREATE_DOOMED)?;
    let epoch: i64 = db.query_row(RAISE_OPEN_EPOCH, [], |row| row.get(0))?;
    u32::try_from(epoch).map_err(|_| {
        StoreError::Unusable("the database was opened too often; restore it into a new file".into())
    })
}

/// Removes what a poller remembers, or the first part of it.
pub(super) fn remove_ledger(desk: &mut Desk, org: OrgId, poller: PollerId, now: Timestamp) -> Result<()> {
    let db = &desk.db;
    desk.recent.move_all(db)?;
    db.prepare_cached(DELETE_OPEN_DECISIONS)?.execute([poller.0])?;
    if remove_part(db, poller, REMOVED_AT_ONCE_MAX)? {
        db.prepare_cached(INSERT_REMOVED)?.execute([poller.0, org.0, micros(now)])?;
    }
    Ok(())
}

/// Removes at most so many rows of each kind of a poller's ledger; whether some may be left.
fn remove_part(db: &Connection, poller: PollerId, rows_max: i64) -> Result<bool> {
    let mut is_more = false;
    for sql in [DELETE_RECORDS_OF_POLLER, DELETE_BODIES_OF_POLLER, DELETE_VERSIONS_OF_POLLER] {
        let removed = db.prepare_cached(sql)?.execute([poller.0, rows_max])?;
        is_more |= removed as i64 >= rows_max;
    }
    Ok(is_more)
}

/// See [`crate::Store::expire_leases`].
pub(super) fn expire_leases(desk: &mut Desk, now: Timestamp) -> Result<u64> {
    Ok(desk.leases.expire(now))
}

/// See [`crate::Store::prune`]. Attempts first, then notifications without any, then events in none: one call takes
/// down what hangs together.
pub(super) fn prune(desk: &mut Desk, retention: &Retention) -> Result<Kept> {
    let db = &desk.db;
    desk.recent.move_all(db)?;
    let rows_max = i64::from(retention.rows_max);
    let removed = [
        delete(db, DELETE_ATTEMPTS, retention.attempts_before, rows_max)?,
        delete(db, DELETE_NOTIFICATIONS, retention.events_before, rows_max)?,
        prune_events(db, retention.events_before, rows_max)?,
        prune_runs(db, retention.runs_before, rows_max)?,
        prune_entries(db, retention.deleted_entries_before, rows_max)?,
        inbound::prune(db, retention.requests_before, rows_max)?,
    ];
    let hints = hints::prune(db, retention.runs_before, rows_max)?;
    let is_left = remove_leftovers(db, rows_max)? || hints as i64 >= rows_max;
    Ok(Kept {
        removed: removed.iter().map(|rows| *rows as u64).sum(),
        more: is_left || removed.iter().any(|rows| *rows as i64 >= rows_max),
    })
}

fn delete(db: &Connection, sql: &str, before: Timestamp, rows_max: i64) -> Result<usize> {
    Ok(db.prepare_cached(sql)?.execute(params![micros(before), rows_max])?)
}

fn prune_events(db: &Connection, before: Timestamp, rows_max: i64) -> Result<usize> {
    let end = old_end(db, before)?;
    let mut delete = db.prepare_cached(DELETE_EVENTS)?;
    let gone: Vec<(i64, Option<i64>)> = delete
        .query_map(params![micros(before), rows_max, end], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut delete_body = db.prepare_cached(DELETE_EVENT_BODY)?;
    let mut uncount = db.prepare_cached(UPDATE_EVENTS_LOGGED)?;
    for (position, inbound) in &gone {
        delete_body.execute([position])?;
        if let Some(inbound) = inbound {
            uncount.execute([inbound])?;
        }
    }
    let positions = || gone.iter().map(|(position, _)| position);
    if let (Some(lowest), Some(highest)) = (positions().min(), positions().max()) {
        db.prepare_cached(DELETE_EMPTY_BATCHES)?.execute([lowest, highest])?;
    }
    Ok(gone.len())
}

/// The last position that may be older than this. The log is in commit order, so that halving finds it without an
/// index by time; events that a clock set back put out of order go a little later.
pub(super) fn old_end(db: &Connection, before: Timestamp) -> Result<i64> {
    let (mut old, mut last): (i64, i64) =
        db.prepare_cached(SELECT_LOG_ENDS)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut select = db.prepare_cached(SELECT_RECORDED_FROM)?;
    while old < last {
        let middle = last - (last - old) / 2;
        let recorded_at: i64 = select.query_row([middle], |row| row.get(0))?;
        if recorded_at < micros(before) {
            old = middle;
        } else {
            last = middle - 1;
        }
    }
    Ok(old)
}

fn prune_runs(db: &Connection, before: Timestamp, rows_max: i64) -> Result<usize> {
    let mut delete = db.prepare_cached(DELETE_RUNS)?;
    let runs: Vec<(i64, i64)> = delete
        .query_map(params![micros(before), rows_max], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut delete_decisions = db.prepare_cached(DELETE_DECISIONS)?;
    for (poller, epoch) in &runs {
        delete_decisions.execute([poller, epoch])?;
    }
    Ok(runs.len())
}

fn prune_entries(db: &Connection, before: Timestamp, rows_max: i64) -> Result<usize> {
    db.prepare_cached(CLEAR_DOOMED)?.execute([])?;
    let count = delete(db, INSERT_DOOMED, before, rows_max)?;
    if count > 0 {
        for sql in [DELETE_DOOMED_RECORDS, DELETE_DOOMED_BODIES, DELETE_DOOMED_VERSIONS] {
            db.prepare_cached(sql)?.execute([])?;
        }
    }
    Ok(count)
}

/// Goes on with the ledger of a poller that was too large to be removed at once; whether some is left.
fn remove_leftovers(db: &Connection, rows_max: i64) -> Result<bool> {
    use rusqlite::OptionalExtension;
    let Some(poller) = db.prepare_cached(SELECT_REMOVED)?.query_row([], |row| row.get(0)).optional()? else {
        return Ok(false);
    };
    if rows_max > 0 && !remove_part(db, PollerId(poller), rows_max)? {
        db.prepare_cached(DELETE_REMOVED)?.execute([poller])?;
    }
    Ok(db.prepare_cached(SELECT_REMOVED)?.exists([])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::open;

    #[test]
    fn a_large_ledger_is_removed_in_steps() {
        let mut desk = open::memory().unwrap();
        let fill = "
            with recursive number (n) as (values (1) union all select n + 1 from number where n < 25000)
            insert into version (poller_id, dated, compared, record_id, hash, org_id)
            select iif(n > 24990, 8, 7), 1, n, 'record ' || n, zeroblob(16), 1 from number";
        desk.db.execute(fill, []).unwrap();
        let count = |desk: &Desk, poller: i64| -> i64 {
            let sql = "select count(*) from version where poller_id = ?1";
            desk.db.query_row(sql, [poller], |row| row.get(0)).unwrap()
        };
        remove_ledger(&mut desk, OrgId(1), PollerId(7), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(count(&desk, 7), 14_990);

        let never = Timestamp::MIN;
        let retention = Retention {
            events_before: never,
            runs_before: never,
            attempts_before: never,
            deleted_entries_before: never,
            requests_before: never,
            rows_max: 10_000,
        };
        assert_eq!(prune(&mut desk, &retention).unwrap(), Kept { removed: 0, more: true });
        assert_eq!(prune(&mut desk, &retention).unwrap(), Kept { removed: 0, more: false });
        assert_eq!((count(&desk, 7), count(&desk, 8)), (0, 10));
    }

    /// What goes is found for itself: neither every event's upkeep nor a row that takes others along may read through
    /// all endpoints.
    #[test]
    fn endpoints_are_found_and_not_searched() {
        let desk = open::memory().unwrap();
        let cascades = [
            DELETE_EVENTS,
            "delete from endpoint where instance_id = ?1",
            "delete from endpoint where subscription_id = ?1",
            "delete from poller where subscription_id = ?1",
            "delete from subscription where instance_id = ?1",
            "delete from run_trace where run_id = ?1",
        ];
        for sql in cascades {
            let mut explain = desk.db.prepare(&format!("explain query plan {sql}")).unwrap();
            let none = vec![rusqlite::types::Null; explain.parameter_count()];
            let plan: Vec<String> = explain
                .query_map(rusqlite::params_from_iter(none), |row| row.get(3))
                .unwrap()
                .map(|line| line.unwrap())
                .collect();
            assert!(!plan.iter().any(|line| line.starts_with("SCAN")), "{sql}: {plan:#?}");
        }
    }

    #[test]
    fn a_batch_goes_with_its_last_event() {
        let mut desk = open::memory().unwrap();
        let fill = "
            insert into event_batch (first, last, org_id, instance_id, channel, run_id, element_key)
            values
                (1, 2, 1, 1, 1, zeroblob(16), 'x'),
                (3, 4, 1, 2, 2, zeroblob(16), 'x'),
                (5, 6, 1, 1, 1, zeroblob(16), 'x');
            insert into event (
                position, org_id, id, poller_id, instance_id, event_type, object_type, object_id, date, sequence,
                reason, recorded_at
            )
            select value, 1, unhex(printf('%032x', value)), 1, 1, 'CREATED', 'x', 'x', 0, 1, '', value
            from json_each('[1, 2, 3, 4, 5, 6]')";
        desk.db.execute_batch(fill).unwrap();
        for (before, stays) in [(4, "3-4 5-6"), (5, "5-6"), (7, "")] {
            let retention = Retention {
                events_before: Timestamp::from_microsecond(before).unwrap(),
                runs_before: Timestamp::MIN,
                attempts_before: Timestamp::MIN,
                deleted_entries_before: Timestamp::MIN,
                requests_before: Timestamp::MIN,
                rows_max: 10,
            };
            prune(&mut desk, &retention).unwrap();
            let sql = "select coalesce(group_concat(first || '-' || last, ' '), '') from event_batch";
            let left: String = desk.db.query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!(left, stays, "before {before}");
        }
    }
}
