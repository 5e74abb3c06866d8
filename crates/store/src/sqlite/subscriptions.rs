//! Subscriptions of monitors, with their pollers, cursors and endpoints, and the verbs of [`crate::Monitors`] carried
//! to the one writer and the readers.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use turnstone_core::flow::records::RunMode;
use turnstone_core::id::{EndpointId, InstanceId, MonitorId, OrgId, PollerId, RunId, SubscriptionId};

use super::instances::{self, first_status, insert_revision, remove_poller, require_instance};
use super::row::{Columns, micros, span, statements};
use super::writer::{Class, Desk, Weight};
use super::{SqliteStore, endpoints, monitors};
use crate::monitors::*;
use crate::{NewEndpoint, Result, StoreError};

macro_rules! subscription_columns {
    ($document:literal, $version:literal) => {
        concat!(
            "
    select
        subscription.id,
        subscription.org_id,
        subscription.instance_id,
        subscription.monitor_id,
        subscription.monitor_version,
        poller.resource,
        subscription.options,
        subscription.run_mode,
        subscription.active,
        poller.interval_us,
        poller.cron,
        poller.zone,
        poller.id,
        endpoint.id,
        subscription.created_at,
        poller.revision",
            $document,
            "
    from subscription
    join poller on poller.subscription_id = subscription.id
    left join endpoint on endpoint.subscription_id = subscription.id",
            $version
        )
    };
}

statements! {
    SELECT_SUBSCRIPTION = concat!(subscription_columns!("", ""), "
    where subscription.id = ?1
    and subscription.org_id = ?2");

    SELECT_SUBSCRIPTIONS = concat!(subscription_columns!("", ""), "
    where subscription.org_id = ?1
    and (?2 is null or subscription.instance_id = ?2)
    and (?3 is null or subscription.monitor_id = ?3)
    order by subscription.id");

    SELECT_RUNNING = concat!(subscription_columns!(",
        monitor_version.document", "
    join monitor_version
        on monitor_version.monitor_id = subscription.monitor_id
        and monitor_version.version = subscription.monitor_version"), "
    where subscription.id = (select subscription_id from poller where poller.id = ?1)");

    SELECT_NAMED = "
    select subscription_id
    from poller
    where instance_id = ?1
    and kind = 'subscription'
    and resource = ?2";

    INSERT_SUBSCRIPTION = "
    insert into subscription (
        org_id, instance_id, monitor_id, monitor_version, options, run_mode, active, created_at
    )
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

    INSERT_POLLER = "
    insert into poller (
        org_id, instance_id, subscription_id, kind, resource, revision, interval_us, cron, zone, next_due, runnable,
        status_code, status_sentence, needs_attention, state
    )
    values (
        ?1, ?2, ?3, 'subscription', ?4, 1, ?5, ?6, ?7, ?8,
        (?9 and (select enabled from instance where instance.id = ?2)),
        ?10, ?11, ?12, ?13
    )";

    UPDATE_SUBSCRIPTION = "
    update subscription
    set monitor_version = ?2, options = ?3, run_mode = ?4
    where id = ?1";

    UPDATE_POLLER = "
    update poller
    set
        resource = ?2,
        revision = revision + 1,
        interval_us = ?3,
        cron = ?4,
        zone = ?5,
        next_due = coalesce(?6, next_due),
        regular_due = iif(?6 is null, regular_due, null)
    where id = ?1
    returning revision";

    UPDATE_ACTIVE = "
    update subscription
    set active = ?2
    where id = ?1";

    UPDATE_RUNNABLE = "
    update poller
    set
        runnable = (
            ?2
            and paused is null
            and (select enabled from instance where instance.id = poller.instance_id)
        ),
        next_due = iif(?2, ?3, next_due)
    where id = ?1";

    DELETE_SUBSCRIPTION = "
    delete from subscription
    where id = ?1";

    SELECT_CURSORS = "
    select id, state, watermark, replaced_at
    from cursor_history
    where poller_id = ?1
    order by id desc
    limit ?2";
}

fn mode_code(mode: RunMode) -> &'static str {
    match mode {
        RunMode::EachRecord => "eachRecord",
        RunMode::NoNewData => "noNewData",
        RunMode::EveryTime => "everyTime",
    }
}

fn mode_of(code: &str) -> Option<RunMode> {
    [RunMode::EachRecord, RunMode::NoNewData, RunMode::EveryTime]
        .into_iter()
        .find(|mode| mode_code(*mode) == code)
}

fn read_subscription(row: &Row<'_>) -> rusqlite::Result<SubscriptionRow> {
    let cron: Option<String> = row.get(10)?;
    let zone: Option<String> = row.get(11)?;
    Ok(SubscriptionRow {
        id: SubscriptionId(row.get(0)?),
        org: OrgId(row.get(1)?),
        instance: InstanceId(row.get(2)?),
        monitor: MonitorId(row.get(3)?),
        version: row.get(4)?,
        name: row.get(5)?,
        options: row.get(6)?,
        mode: row.code(7, mode_of)?,
        active: row.get(8)?,
        timing: Timing { interval: row.duration(9)?, cron: cron.zip(zone) },
        poller: PollerId(row.get(12)?),
        revision: row.get(15)?,
        endpoint: row.get::<_, Option<i64>>(13)?.map(EndpointId),
        created_at: row.instant(14)?,
    })
}

fn subscription(db: &Connection, org: OrgId, id: SubscriptionId) -> Result<SubscriptionRow> {
    let mut select = db.prepare_cached(SELECT_SUBSCRIPTION)?;
    let found = select.query_row([id.0, org.0], read_subscription).optional()?;
    found.ok_or(StoreError::NotFound("subscription"))
}

fn subscriptions(db: &Connection, org: OrgId, filter: SubscriptionFilter) -> Result<Vec<SubscriptionRow>> {
    let mut select = db.prepare_cached(SELECT_SUBSCRIPTIONS)?;
    let filter = params![org.0, filter.instance.map(|id| id.0), filter.monitor.map(|id| id.0)];
    Ok(select.query_map(filter, read_subscription)?.collect::<rusqlite::Result<_>>()?)
}

fn running(db: &Connection, poller: PollerId) -> Result<Option<(SubscriptionRow, String)>> {
    let mut select = db.prepare_cached(SELECT_RUNNING)?;
    let read = |row: &Row<'_>| Ok((read_subscription(row)?, row.get(16)?));
    Ok(select.query_row([poller.0], read).optional()?)
}

fn free_name(db: &Connection, instance: InstanceId, name: &str, own: Option<SubscriptionId>) -> Result<()> {
    let mut select = db.prepare_cached(SELECT_NAMED)?;
    let found: Option<i64> = select.query_row(params![instance.0, name], |row| row.get(0)).optional()?;
    match found {
        Some(id) if own != Some(SubscriptionId(id)) => Err(StoreError::Conflict(format!(
            "another subscription of this instance is named `{name}`; choose another name"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn subscribe(desk: &mut Desk, new: &NewSubscription, now: Timestamp) -> Result<SubscriptionId> {
    let (db, settings) = (&desk.db, &new.settings);
    require_instance(db, new.org, new.instance)?;
    monitors::version(db, new.org, new.monitor, settings.version)?;
    free_name(db, new.instance, &settings.name, None)?;
    db.prepare_cached(INSERT_SUBSCRIPTION)?.execute(params![
        new.org.0,
        new.instance.0,
        new.monitor.0,
        settings.version,
        settings.options,
        mode_code(settings.mode),
        new.active,
        micros(now)
    ])?;
    let id = SubscriptionId(db.last_insert_rowid());
    let (cron, zone) = settings.timing.cron.clone().unzip();
    let status = first_status();
    db.prepare_cached(INSERT_POLLER)?.execute(params![
        new.org.0,
        new.instance.0,
        id.0,
        settings.name,
        span(settings.timing.interval),
        cron,
        zone,
        micros(settings.next_due.unwrap_or(now)),
        new.active,
        status.code,
        status.sentence,
        status.needs_attention,
        new.state
    ])?;
    insert_revision(db, new.org, PollerId(db.last_insert_rowid()), 1, now)?;
    if let Some(endpoint) = &settings.endpoint {
        endpoints::insert(db, new.org, new.instance, Some(id), endpoint, now)?;
    }
    Ok(id)
}

/// Refuses a change that was made from what is not there any more, and a move that a run might cross.
fn as_it_was(
    desk: &mut Desk,
    before: &SubscriptionRow,
    change: &SubscriptionChange,
    now: Timestamp,
) -> Result<()> {
    if before.revision != change.was {
        return Err(changed_meanwhile());
    }
    if before.version == change.settings.version {
        return Ok(());
    }
    if desk.leases.is_poller_claimed(before.poller, now) {
        return Err(run_under_way());
    }
    let state = instances::poller(&desk.db, before.org, before.poller)?.state;
    if change.judged_by.as_ref() != Some(&state) {
        return Err(changed_meanwhile());
    }
    desk.leases.release_poller(before.poller);
    Ok(())
}

fn change(
    desk: &mut Desk,
    org: OrgId,
    id: SubscriptionId,
    change: &SubscriptionChange,
    now: Timestamp,
) -> Result<()> {
    let (before, settings) = (subscription(&desk.db, org, id)?, &change.settings);
    monitors::version(&desk.db, org, before.monitor, settings.version)?;
    free_name(&desk.db, before.instance, &settings.name, Some(id))?;
    as_it_was(desk, &before, change, now)?;
    if let Some(state) = &change.state {
        instances::set_state(desk, org, before.poller, state, None, now)?;
    }
    let db = &desk.db;
    let values = params![id.0, settings.version, settings.options, mode_code(settings.mode)];
    db.prepare_cached(UPDATE_SUBSCRIPTION)?.execute(values)?;
    let (cron, zone) = settings.timing.cron.clone().unzip();
    let values = params![
        before.poller.0,
        settings.name,
        span(settings.timing.interval),
        cron,
        zone,
        settings.next_due.map(micros)
    ];
    let revision = db.prepare_cached(UPDATE_POLLER)?.query_row(values, |row| row.get(0))?;
    insert_revision(db, org, before.poller, revision, now)?;
    replace_endpoint(desk, &before, settings.endpoint.as_ref(), now)
}

fn replace_endpoint(
    desk: &mut Desk,
    before: &SubscriptionRow,
    new: Option<&NewEndpoint>,
    now: Timestamp,
) -> Result<()> {
    match (before.endpoint, new) {
        (Some(known), Some(new)) => endpoints::update(&desk.db, known, new),
        (Some(known), None) => endpoints::remove(desk, known, now),
        (None, Some(new)) => {
            endpoints::insert(&desk.db, before.org, before.instance, Some(before.id), new, now)
        }
        (None, None) => Ok(()),
    }
}

fn set_active(desk: &mut Desk, org: OrgId, id: SubscriptionId, active: bool, due: Timestamp) -> Result<()> {
    let row = subscription(&desk.db, org, id)?;
    desk.db.prepare_cached(UPDATE_ACTIVE)?.execute(params![id.0, active])?;
    desk.db.prepare_cached(UPDATE_RUNNABLE)?.execute(params![row.poller.0, active, micros(due)])?;
    Ok(())
}

fn unsubscribe(desk: &mut Desk, org: OrgId, id: SubscriptionId, now: Timestamp) -> Result<()> {
    let row = subscription(&desk.db, org, id)?;
    if let Some(endpoint) = row.endpoint {
        endpoints::remove(desk, endpoint, now)?;
    }
    remove_poller(desk, org, row.poller, now)?;
    desk.db.prepare_cached(DELETE_SUBSCRIPTION)?.execute([id.0])?;
    Ok(())
}

/// The states that a poller had, the latest first.
fn cursors(db: &Connection, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<CursorRow>> {
    instances::poller(db, org, poller)?;
    let mut select = db.prepare_cached(SELECT_CURSORS)?;
    let rows = select.query_map(params![poller.0, limit], |row| {
        Ok(CursorRow {
            id: row.get(0)?,
            state: row.get(1)?,
            watermark: row.get(2)?,
            replaced_at: row.instant(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[async_trait]
impl Monitors for SqliteStore {
    async fn create_monitor(&self, org: OrgId, name: &str, draft: &str, now: Timestamp) -> Result<MonitorId> {
        let (name, draft) = (name.to_owned(), draft.to_owned());
        let weight = Weight { rows: 1, bytes: draft.len() };
        let work = move |desk: &mut Desk| monitors::create_monitor(desk, org, &name, &draft, now);
        self.write(Class::Api, weight, work).await
    }

    async fn monitors(&self, org: OrgId) -> Result<Vec<MonitorRow>> {
        self.read(Class::Api, move |db| monitors::monitors(db, org)).await
    }

    async fn monitor(&self, org: OrgId, id: MonitorId) -> Result<MonitorRow> {
        self.read(Class::Api, move |db| monitors::monitor(db, org, id)).await
    }

    async fn save_draft(
        &self,
        org: OrgId,
        id: MonitorId,
        was: i64,
        name: &str,
        draft: &str,
        now: Timestamp,
    ) -> Result<i64> {
        let (name, draft) = (name.to_owned(), draft.to_owned());
        let weight = Weight { rows: 1, bytes: draft.len() };
        let work = move |desk: &mut Desk| monitors::save_draft(desk, org, id, was, &name, &draft, now);
        self.write(Class::Api, weight, work).await
    }

    async fn deploy(&self, org: OrgId, id: MonitorId, was: i64, now: Timestamp) -> Result<i64> {
        self.write(Class::Api, Weight::SMALL, move |desk| monitors::deploy(desk, org, id, was, now)).await
    }

    async fn versions(&self, org: OrgId, id: MonitorId) -> Result<Vec<VersionRow>> {
        self.read(Class::Api, move |db| monitors::versions(db, org, id)).await
    }

    async fn version(&self, org: OrgId, id: MonitorId, version: i64) -> Result<VersionRow> {
        self.read(Class::Api, move |db| monitors::version(db, org, id, version)).await
    }

    async fn delete_monitor(&self, org: OrgId, id: MonitorId) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| monitors::delete_monitor(desk, org, id)).await
    }

    async fn subscribe(&self, new: NewSubscription, now: Timestamp) -> Result<SubscriptionId> {
        self.write(Class::Api, Weight::SMALL, move |desk| subscribe(desk, &new, now)).await
    }

    async fn subscriptions(&self, org: OrgId, filter: SubscriptionFilter) -> Result<Vec<SubscriptionRow>> {
        self.read(Class::Api, move |db| subscriptions(db, org, filter)).await
    }

    async fn subscription(&self, org: OrgId, id: SubscriptionId) -> Result<SubscriptionRow> {
        self.read(Class::Api, move |db| subscription(db, org, id)).await
    }

    async fn running(&self, poller: PollerId) -> Result<Option<(SubscriptionRow, String)>> {
        self.read(Class::Polls, move |db| running(db, poller)).await
    }

    async fn change_subscription(
        &self,
        org: OrgId,
        id: SubscriptionId,
        changed: SubscriptionChange,
        now: Timestamp,
    ) -> Result<()> {
        let work = move |desk: &mut Desk| change(desk, org, id, &changed, now);
        self.write(Class::Api, Weight::SMALL, work).await
    }

    async fn set_active(&self, org: OrgId, id: SubscriptionId, active: bool, due: Timestamp) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| set_active(desk, org, id, active, due)).await
    }

    async fn unsubscribe(&self, org: OrgId, id: SubscriptionId, now: Timestamp) -> Result<()> {
        self.write(Class::Api, Weight::SMALL, move |desk| unsubscribe(desk, org, id, now)).await
    }

    async fn cursors(&self, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<CursorRow>> {
        self.read(Class::Api, move |db| cursors(db, org, poller, limit)).await
    }

    async fn trace(&self, org: OrgId, run: RunId) -> Result<Option<String>> {
        self.read(Class::Api, move |db| monitors::trace(db, org, run)).await
    }
}
