//! Lists for screens, and the verbs of [`crate::Watch`] carried to the one writer and the readers.
//!
//! What is counted or put into an order is read in one pass that opens nothing: neither documents nor states. The rows
//! of the page are read one by one afterwards.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::id::{EndpointId, InstanceId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_core::json_hash::ContentHash;
use turnstone_core::ledger::{Entry, Known, Recall, Version};
use turnstone_core::poll::{Decision, RunOutcome, RunRecord};

use super::recent::Latest;
use super::row::{Columns, statements};
use super::writer::{Class, Weight};
use super::{SqliteStore, endpoints, instances, ledger, reading};
use crate::watch::*;
use crate::{EndpointState, PollerRow, Result, StoreError};

statements! {
    SELECT_HEALTH = "
    select id, instance_id, paused is not null, needs_attention, status_code
    from poller
    where org_id = ?1
    and kind <> 'intake'";

    SELECT_HEALTH_OF_INSTANCE = "
    select id, instance_id, paused is not null, needs_attention, status_code
    from poller
    where instance_id = ?2
    and org_id = ?1
    and kind <> 'intake'";

    SELECT_ENABLED = "
    select id, enabled
    from instance
    where org_id = ?1";

    COUNT_SUBSCRIPTIONS = "
    select count(*), coalesce(sum(active), 0)
    from subscription
    where org_id = ?1";

    COUNT_ENDPOINTS = "
    select state, count(*)
    from endpoint
    where org_id = ?1
    group by state";

    COUNT_ASIDE = "
    select endpoint_id, state, count(*)
    from notification indexed by notification_aside
    where org_id = ?1
    and state in ('retry', 'dead', 'queued')
    group by endpoint_id, state";

    COUNT_ELEMENTS = "
    select count(*)
    from element
    where org_id = ?1";

    SELECT_START = "
    select started_at
    from run
    where id = ?1
    and org_id = ?2";

    SELECT_RUN_IDS = "
    select id
    from run indexed by run_of_org
    where org_id = ?1
    and (started_at, id) < (?2, ?3)
    order by started_at desc, id desc
    limit ?4";

    SELECT_COMPLETED_RUN_IDS = "
    select id
    from run indexed by run_of_org
    where org_id = ?1
    and (started_at, id) < (?2, ?3)
    and outcome = 'completed'
    order by started_at desc, id desc
    limit ?4";

    SELECT_OTHER_RUN_IDS = "
    select id
    from run indexed by run_not_completed
    where org_id = ?1
    and (started_at, id) < (?2, ?3)
    and outcome <> 'completed'
    and outcome = ?5
    order by started_at desc, id desc
    limit ?4";

    SELECT_RUN_IDS_OF_POLLER = "
    select started_at, id
    from run indexed by run_of_poller
    where poller_id = ?5
    and org_id = ?1
    and (started_at, id) < (?2, ?3)
    and (?6 is null or outcome = ?6)
    order by started_at desc, id desc
    limit ?4";

    SELECT_POLLERS_OF_INSTANCE = "
    select id
    from poller
    where instance_id = ?1
    and org_id = ?2
    and kind <> 'intake'";

    SELECT_INSTANCE_NAME = "
    select name
    from instance
    where id = ?1
    and org_id = ?2";

    SELECT_PLACE = "
    select poller.id, poller.instance_id, instance.name, poller.resource, poller.subscription_id
    from poller
    join instance on instance.id = poller.instance_id
    where poller.id = ?1
    and poller.org_id = ?2";

    SELECT_VERSIONS_OF_RECORD = "
    select dated, compared, hash
    from version
    where poller_id = ?1
    and record_id = ?2
    order by dated, compared, hash";

    SELECT_DECISIONS_OF_RECORD = "
    select lease_epoch, object_id, verdict, reason, compared, page
    from decision
    where poller_id = ?1
    and object_id = ?2
    order by lease_epoch desc, ordinal desc";

    SELECT_RUN_ENDS = "
    select min(started_at), max(started_at)
    from run
    where poller_id = ?1";

    SELECT_RUN_UNTIL = "
    select started_at, lease_epoch, id
    from run indexed by run_of_poller
    where poller_id = ?1
    and started_at <= ?2
    order by started_at desc, id desc
    limit 1";

    SELECT_ENDPOINT_STATES = "
    select id, state
    from endpoint
    where org_id = ?1";

    SELECT_IS_BEHIND = "
    select exists (
        select 1
        from event_batch
        where event_batch.channel = ?2
        and event_batch.first > coalesce(
            (select max(batch.first) from event_batch as batch where batch.channel = ?2 and batch.first <= ?3),
            -1
        )
    ) or exists (
        select 1
        from event_batch
        where event_batch.channel = ?2
        and event_batch.first <= ?3
        and event_batch.last > ?3
    ) or exists (
        select 1
        from held_event
        where endpoint_id = ?1
    )";

    UPDATE_ENDPOINT_STATE = "
    update endpoint
    set state = ?3, reason = ?4
    where id = ?1
    and org_id = ?2";
}

/// A poller as it is counted.
struct Counted {
    id: PollerId,
    instance: InstanceId,
    health: Health,
}

fn read_counted(row: &Row<'_>) -> rusqlite::Result<Counted> {
    let code = row.get_ref(4)?.as_str()?;
    Ok(Counted {
        id: PollerId(row.get(0)?),
        instance: InstanceId(row.get(1)?),
        health: Health::of(row.get(2)?, row.get(3)?, code),
    })
}

/// The pollers of an organisation, or of these instances of it.
fn counted(db: &Connection, org: OrgId, instances: &[InstanceId]) -> Result<Vec<Counted>> {
    if instances.is_empty() {
        let mut select = db.prepare_cached(SELECT_HEALTH)?;
        return Ok(select.query_map([org.0], read_counted)?.collect::<rusqlite::Result<_>>()?);
    }
    let mut select = db.prepare_cached(SELECT_HEALTH_OF_INSTANCE)?;
    let mut found = Vec::new();
    for id in instances.iter().collect::<BTreeSet<_>>() {
        for one in select.query_map([org.0, id.0], read_counted)? {
            found.push(one?);
        }
    }
    Ok(found)
}

fn poller_page(db: &Connection, org: OrgId, filter: &PollerFilter) -> Result<(Vec<PollerRow>, u64)> {
    let mut all = counted(db, org, &filter.instances)?;
    all.retain(|one| filter.health.is_empty() || filter.health.contains(&one.health));
    all.sort_unstable_by_key(|one| (one.health, one.id));
    let page = all.iter().skip(filter.skip as usize).take(filter.limit as usize);
    let rows = page.map(|one| instances::poller(db, org, one.id)).collect::<Result<_>>()?;
    Ok((rows, all.len() as u64))
}

fn overview(db: &Connection, org: OrgId) -> Result<Overview> {
    let mut found = Overview::default();
    let mut select = db.prepare_cached(SELECT_ENABLED)?;
    let mut rows = select.query([org.0])?;
    let mut enabled = HashSet::new();
    while let Some(row) = rows.next()? {
        found.instances += 1;
        if row.get::<_, bool>(1)? {
            enabled.insert(InstanceId(row.get(0)?));
        }
    }
    found.instances_enabled = enabled.len() as u64;
    let mut failing = HashSet::new();
    for one in counted(db, org, &[])? {
        match one.health {
            Health::NeedsAttention | Health::Failing => found.pollers_failing += 1,
            Health::Paused => found.pollers_paused += 1,
            Health::Starting => found.pollers_starting += 1,
            Health::Ok => found.pollers_ok += 1,
        }
        if one.health.is_wrong() && enabled.contains(&one.instance) {
            failing.insert(one.instance);
        }
    }
    found.instances_failing = failing.len() as u64;
    (found.subscriptions, found.subscriptions_active) = db
        .prepare_cached(COUNT_SUBSCRIPTIONS)?
        .query_row([org.0], |row| Ok((row.count(0)?, row.count(1)?)))?;
    let mut select = db.prepare_cached(COUNT_ENDPOINTS)?;
    let mut rows = select.query([org.0])?;
    while let Some(row) = rows.next()? {
        let (state, count) = (row.code(0, endpoints::state_of)?, row.count(1)?);
        match state {
            EndpointState::Active => found.endpoints_active = count,
            EndpointState::Deactivated => found.endpoints_deactivated = count,
            EndpointState::Disabled => found.endpoints_disabled = count,
        }
    }
    for open in aside(db, org)?.values() {
        found.open.retry += open.retry;
        found.open.dead += open.dead;
        found.open.queued += open.queued;
    }
    found.connectors = db.prepare_cached(COUNT_ELEMENTS)?.query_row([org.0], |row| row.count(0))?;
    Ok(found)
}

/// What is open or dead, by endpoint; also at those that are gone.
fn aside(db: &Connection, org: OrgId) -> Result<HashMap<EndpointId, Open>> {
    let mut found: HashMap<EndpointId, Open> = HashMap::new();
    let mut select = db.prepare_cached(COUNT_ASIDE)?;
    let mut rows = select.query([org.0])?;
    while let Some(row) = rows.next()? {
        let open = found.entry(EndpointId(row.get(0)?)).or_default();
        let count = row.count(2)?;
        match row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)? {
            "retry" => open.retry = count,
            "dead" => open.dead = count,
            _ => open.queued = count,
        }
    }
    Ok(found)
}

fn run_page(db: &Connection, org: OrgId, filter: &RunFilter) -> Result<Vec<RunRecord>> {
    let (before, id) = match filter.before {
        None => (i64::MAX, RunId([255; 16])),
        Some(id) => {
            let start = db.prepare_cached(SELECT_START)?.query_row(params![id.0, org.0], |row| row.get(0));
            let Some(start) = start.optional()? else { return Ok(Vec::new()) };
            (start, id)
        }
    };
    let pollers: Option<Vec<i64>> = match (filter.poller, filter.instance) {
        (None, None) => None,
        (poller, None) => Some(poller.iter().map(|poller| poller.0).collect()),
        (poller, Some(instance)) => {
            let mut select = db.prepare_cached(SELECT_POLLERS_OF_INSTANCE)?;
            let rows = select.query_map([instance.0, org.0], |row| row.get(0))?;
            let all: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
            Some(all.into_iter().filter(|id| poller.is_none_or(|poller| poller.0 == *id)).collect())
        }
    };
    let outcome = filter.outcome.map(RunOutcome::as_str);
    let mut ids: Vec<RunId> = Vec::new();
    if let Some(pollers) = pollers {
        let mut found: Vec<(i64, RunId)> = Vec::new();
        let mut select = db.prepare_cached(SELECT_RUN_IDS_OF_POLLER)?;
        for poller in pollers {
            let values = params![org.0, before, id.0, filter.limit, poller, outcome];
            let rows = select.query_map(values, |row| Ok((row.get(0)?, RunId(row.get(1)?))))?;
            for row in rows {
                found.push(row?);
            }
        }
        found.sort_unstable_by_key(|one| Reverse(*one));
        found.truncate(filter.limit as usize);
        ids.extend(found.into_iter().map(|(_, id)| id));
    } else {
        let read = |row: &Row<'_>| row.get(0).map(RunId);
        let plain = params![org.0, before, id.0, filter.limit];
        let mut select;
        let rows = match filter.outcome {
            None => {
                select = db.prepare_cached(SELECT_RUN_IDS)?;
                select.query_map(plain, read)?
            }
            Some(RunOutcome::Completed) => {
                select = db.prepare_cached(SELECT_COMPLETED_RUN_IDS)?;
                select.query_map(plain, read)?
            }
            Some(RunOutcome::Yielded | RunOutcome::Failed) => {
                select = db.prepare_cached(SELECT_OTHER_RUN_IDS)?;
                select.query_map(params![org.0, before, id.0, filter.limit, outcome], read)?
            }
        };
        for row in rows {
            ids.push(row?);
        }
    }
    run_records(db, org, &ids)
}

fn run_records(db: &Connection, org: OrgId, ids: &[RunId]) -> Result<Vec<RunRecord>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(reading::run_record(db, org, *id)?.map(|(record, _)| record));
    }
    Ok(found)
}

fn instance_names(db: &Connection, org: OrgId, ids: &[InstanceId]) -> Result<Vec<(InstanceId, String)>> {
    let mut select = db.prepare_cached(SELECT_INSTANCE_NAME)?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let name: Option<String> = select.query_row([id.0, org.0], |row| row.get(0)).optional()?;
        found.extend(name.map(|name| (*id, name)));
    }
    Ok(found)
}

fn places(db: &Connection, org: OrgId, pollers: &[PollerId]) -> Result<Vec<Place>> {
    let mut select = db.prepare_cached(SELECT_PLACE)?;
    let mut found = Vec::with_capacity(pollers.len());
    for poller in pollers {
        let place = select.query_row([poller.0, org.0], |row| {
            Ok(Place {
                poller: PollerId(row.get(0)?),
                instance: InstanceId(row.get(1)?),
                instance_name: row.get(2)?,
                resource: row.get(3)?,
                subscription: row.get::<_, Option<i64>>(4)?.map(SubscriptionId),
            })
        });
        found.extend(place.optional()?);
    }
    Ok(found)
}

fn record_story(
    db: &Connection,
    latest: &Latest,
    org: OrgId,
    poller: PollerId,
    object_id: &str,
    limit: u32,
) -> Result<RecordStory> {
    let entry = entry(db, latest, poller, object_id)?;
    instances::poller(db, org, poller)?;
    let mut select = db.prepare_cached(SELECT_VERSIONS_OF_RECORD)?;
    let versions = select.query_map(params![poller.0, object_id], |row| {
        let compared: i64 = row.get(1)?;
        Ok(Version {
            id: object_id.to_owned(),
            compared: row.get::<_, bool>(0)?.then_some(compared),
            hash: ContentHash(row.get(2)?),
        })
    })?;
    let versions = versions.collect::<rusqlite::Result<_>>()?;
    let mut decisions = Vec::new();
    let mut runs: HashMap<i64, Option<RunId>> = HashMap::new();
    let mut select = db.prepare_cached(SELECT_DECISIONS_OF_RECORD)?;
    let mut rows = select.query(params![poller.0, object_id])?;
    while decisions.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        let epoch: i64 = row.get(0)?;
        let run = match runs.get(&epoch) {
            Some(known) => *known,
            None => *runs.entry(epoch).or_insert(run_of_claim(db, poller, epoch)?),
        };
        // Without a run they are those of one that is under way.
        let Some(run) = run else { continue };
        let decision = Decision {
            object_id: row.get(1)?,
            verdict: row.json(2)?,
            reason: row.get(3)?,
            compared: row.get(4)?,
            page: row.get(5)?,
        };
        decisions.push((run, decision));
    }
    Ok(RecordStory { entry, versions, decisions })
}

/// The entry of one record, asked for as a run would.
fn entry(db: &Connection, latest: &Latest, poller: PollerId, id: &str) -> Result<Option<Entry>> {
    let asked = Version { id: id.to_owned(), compared: None, hash: ContentHash([0; 16]) };
    match ledger::recall(db, latest, poller, &Recall::Versions(vec![asked]))? {
        Known::Versions(mut known) => Ok(known.pop().and_then(|known| known.entry)),
        Known::Missing { .. } => Ok(None),
    }
}

/// The run that held a claim. Claims of a poller grow with the starts of its runs, so that halving the time between its
/// first and its last start finds it: an index by claim would be one more row to write with every run. Only where a
/// clock was set back a run may not be found, and then all of the poller's are looked through.
fn run_of_claim(db: &Connection, poller: PollerId, epoch: i64) -> Result<Option<RunId>> {
    let ends: (Option<i64>, Option<i64>) =
        db.prepare_cached(SELECT_RUN_ENDS)?.query_row([poller.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(mut low), Some(mut high)) = ends else { return Ok(None) };
    let last = high;
    let mut select = db.prepare_cached(SELECT_RUN_UNTIL)?;
    while low <= high {
        let middle = low + (high - low) / 2;
        let found = select.query_row([poller.0, middle], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, RunId(row.get(2)?)))
        });
        let Some((started_at, of, id)) = found.optional()? else { break };
        match of.cmp(&epoch) {
            std::cmp::Ordering::Equal => return Ok(Some(id)),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = started_at - 1,
        }
    }
    let mut until = last;
    loop {
        let found = select.query_row([poller.0, until], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, RunId(row.get(2)?)))
        });
        match found.optional()? {
            None => return Ok(None),
            Some((_, of, id)) if of == epoch => return Ok(Some(id)),
            Some((started_at, _, _)) => until = started_at - 1,
        }
    }
}

fn endpoint_page(db: &Connection, org: OrgId, filter: &EndpointFilter) -> Result<(Vec<EndpointView>, u64)> {
    let aside = aside(db, org)?;
    let open = |id: EndpointId| aside.get(&id).copied().unwrap_or_default();
    let mut select = db.prepare_cached(SELECT_ENDPOINT_STATES)?;
    let rows =
        select.query_map([org.0], |row| Ok((EndpointId(row.get(0)?), row.code(1, endpoints::state_of)?)))?;
    let mut all: Vec<(EndpointId, EndpointState)> = rows.collect::<rusqlite::Result<_>>()?;
    all.retain(|(id, _)| filter.id.is_none_or(|wanted| wanted == *id));
    all.sort_unstable_by_key(|(id, state)| {
        (*state == EndpointState::Active, open(*id) == Open::default(), *id)
    });
    let mut page = Vec::new();
    for (id, _) in all.iter().skip(filter.skip as usize).take(filter.limit as usize) {
        let row = endpoints::endpoint(db, *id)?.ok_or(StoreError::NotFound("endpoint"))?;
        let name =
            db.prepare_cached(SELECT_INSTANCE_NAME)?.query_row([row.instance.0, org.0], |row| row.get(0))?;
        let is_behind = db
            .prepare_cached(SELECT_IS_BEHIND)?
            .query_row([id.0, row.channel(), row.position], |row| row.get(0))?;
        page.push(EndpointView { instance_name: name, is_behind, open: open(*id), row });
    }
    Ok((page, all.len() as u64))
}

#[async_trait]
impl Watch for SqliteStore {
    async fn poller_page(&self, org: OrgId, filter: &PollerFilter) -> Result<(Vec<PollerRow>, u64)> {
        let filter = filter.clone();
        self.read(Class::Api, move |db| poller_page(db, org, &filter)).await
    }

    async fn overview(&self, org: OrgId) -> Result<Overview> {
        self.read(Class::Api, move |db| overview(db, org)).await
    }

    async fn run_page(&self, org: OrgId, filter: &RunFilter) -> Result<Vec<RunRecord>> {
        let filter = filter.clone();
        self.read(Class::Api, move |db| run_page(db, org, &filter)).await
    }

    async fn run_records(&self, org: OrgId, ids: &[RunId]) -> Result<Vec<RunRecord>> {
        let ids = ids.to_vec();
        self.read(Class::Api, move |db| run_records(db, org, &ids)).await
    }

    async fn instance_names(&self, org: OrgId, ids: &[InstanceId]) -> Result<Vec<(InstanceId, String)>> {
        let ids = ids.to_vec();
        self.read(Class::Api, move |db| instance_names(db, org, &ids)).await
    }

    async fn places(&self, org: OrgId, pollers: &[PollerId]) -> Result<Vec<Place>> {
        let pollers = pollers.to_vec();
        self.read(Class::Api, move |db| places(db, org, &pollers)).await
    }

    async fn record_story(
        &self,
        org: OrgId,
        poller: PollerId,
        object_id: &str,
        limit: u32,
    ) -> Result<RecordStory> {
        let (object_id, latest) = (object_id.to_owned(), self.latest.clone());
        self.read(Class::Api, move |db| record_story(db, &latest, org, poller, &object_id, limit)).await
    }

    async fn endpoint_page(&self, org: OrgId, filter: &EndpointFilter) -> Result<(Vec<EndpointView>, u64)> {
        let filter = *filter;
        self.read(Class::Api, move |db| endpoint_page(db, org, &filter)).await
    }

    async fn switch_endpoint(
        &self,
        org: OrgId,
        id: EndpointId,
        state: EndpointState,
        reason: &str,
    ) -> Result<()> {
        let reason = reason.to_owned();
        self.write(Class::Api, Weight::SMALL, move |desk| {
            let values = params![id.0, org.0, state.as_str(), reason];
            match desk.db.prepare_cached(UPDATE_ENDPOINT_STATE)?.execute(values)? {
                0 => Err(StoreError::NotFound("endpoint")),
                _ => Ok(()),
            }
        })
        .await
    }
}
