//! Monitors, subscriptions, their cursors and what their runs did.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{InstanceId, MonitorId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_core::poll::{FlowRecord, Status};

use super::MemoryStore;
use super::state::{Poller, State, micros, next, stands};
use crate::api::*;
use crate::monitors::*;

/// The rows of this noun.
#[derive(Clone, Default)]
pub(super) struct Flows {
    monitors: BTreeMap<MonitorId, (MonitorRow, Vec<VersionRow>)>,
    subscriptions: BTreeMap<SubscriptionId, SubscriptionRow>,
    cursors: BTreeMap<PollerId, Vec<CursorRow>>,
    /// In the order of their writing, the oldest first.
    traces: BTreeMap<PollerId, Vec<(RunId, String)>>,
    numbers: (i64, i64, i64),
}

impl State {
    /// Whether a poller's subscription, if it has one, is active.
    pub fn is_active(&self, poller: &PollerRow) -> bool {
        let subscription = poller.subscription.and_then(|id| self.flows.subscriptions.get(&id));
        subscription.is_none_or(|row| row.active)
    }

    /// The channel of a poller's events: see the column of `event_batch`.
    pub fn channel_of(&self, poller: &PollerRow) -> i64 {
        let own = poller.subscription.and_then(|id| self.flows.subscriptions.get(&id));
        match own {
            Some(SubscriptionRow { id, endpoint: Some(_), .. }) => -id.0,
            Some(SubscriptionRow { endpoint: None, .. }) | None => poller.instance.0,
        }
    }

    /// Puts a poller's state into its history, before another one takes its place.
    pub fn remember_state(&mut self, poller: PollerId, now: Timestamp) {
        let Some(known) = self.pollers.get(&poller) else { return };
        let row = CursorRow {
            id: next(&mut self.flows.numbers.2),
            state: known.row.state.clone(),
            watermark: known.row.watermark,
            replaced_at: micros(now),
        };
        let history = self.flows.cursors.entry(poller).or_default();
        history.push(row);
        let surplus = history.len().saturating_sub(CURSORS_KEPT_MAX as usize);
        history.drain(..surplus);
    }

    /// An organisation's subscriptions.
    pub fn subscription_rows(&self, org: OrgId) -> Vec<&SubscriptionRow> {
        self.flows.subscriptions.values().filter(|row| row.org == org).collect()
    }

    pub fn keep_trace(&mut self, poller: PollerId, run: RunId, flow: FlowRecord) {
        let traces = self.flows.traces.entry(poller).or_default();
        traces.push((run, flow.trace));
        let surplus = traces.len().saturating_sub(TRACES_KEPT_MAX as usize);
        traces.drain(..surplus);
    }

    /// What goes along with a run.
    pub fn forget_trace(&mut self, run: RunId) {
        for traces in self.flows.traces.values_mut() {
            traces.retain(|(known, _)| *known != run);
        }
    }

    /// What goes along with an instance: its subscriptions and their endpoints. Their pollers go with the others.
    pub fn forget_subscriptions(&mut self, instance: InstanceId, now: Timestamp) {
        let of_instance = self.flows.subscriptions.values().filter(|row| row.instance == instance);
        let gone: Vec<SubscriptionRow> = of_instance.cloned().collect();
        for row in gone {
            self.flows.subscriptions.remove(&row.id);
            self.flows.cursors.remove(&row.poller);
            if let Some(endpoint) = row.endpoint {
                self.remove_endpoint(endpoint, now);
            }
        }
    }

    fn monitor(&self, org: OrgId, id: MonitorId) -> Result<&(MonitorRow, Vec<VersionRow>)> {
        let known = self.flows.monitors.get(&id).filter(|(row, _)| row.org == org);
        known.ok_or(StoreError::NotFound("monitor"))
    }

    fn free_monitor_name(&self, org: OrgId, name: &str, own: Option<MonitorId>) -> Result<()> {
        let mut rows = self.flows.monitors.values().map(|(row, _)| row);
        match rows.any(|row| row.org == org && row.name == name && Some(row.id) != own) {
            true => {
                Err(StoreError::Conflict(format!("another monitor is named `{name}`; choose another name")))
            }
            false => Ok(()),
        }
    }

    fn at_revision(
        &mut self,
        org: OrgId,
        id: MonitorId,
        was: i64,
    ) -> Result<&mut (MonitorRow, Vec<VersionRow>)> {
        let revision = self.monitor(org, id)?.0.revision;
        if revision != was {
            return Err(StoreError::Conflict(format!(
                "the draft was changed meanwhile: it is number {revision} now, not {was}; read it again"
            )));
        }
        self.flows.monitors.get_mut(&id).ok_or(StoreError::NotFound("monitor"))
    }

    fn version(&self, org: OrgId, id: MonitorId, version: i64) -> Result<&VersionRow> {
        let (_, versions) = self.monitor(org, id)?;
        versions.iter().find(|row| row.version == version).ok_or(StoreError::NotFound("version"))
    }

    fn subscription(&self, org: OrgId, id: SubscriptionId) -> Result<&SubscriptionRow> {
        let known = self.flows.subscriptions.get(&id).filter(|row| row.org == org);
        known.ok_or(StoreError::NotFound("subscription"))
    }

    fn free_name(&self, instance: InstanceId, name: &str, own: Option<SubscriptionId>) -> Result<()> {
        let mut rows = self.flows.subscriptions.values();
        match rows.any(|row| row.instance == instance && row.name == name && Some(row.id) != own) {
            true => Err(StoreError::Conflict(format!(
                "another subscription of this instance is named `{name}`; choose another name"
            ))),
            false => Ok(()),
        }
    }

    fn subscribe(&mut self, new: NewSubscription, now: Timestamp) -> Result<SubscriptionId> {
        let settings = new.settings;
        self.instance(new.org, new.instance)?;
        self.version(new.org, new.monitor, settings.version)?;
        self.free_name(new.instance, &settings.name, None)?;
        let id = SubscriptionId(next(&mut self.flows.numbers.1));
        let poller = PollerId(next(&mut self.numbers.poller));
        let row = PollerRow {
            id: poller,
            org: new.org,
            instance: new.instance,
            resource: settings.name.clone(),
            subscription: Some(id),
            revision: 1,
            interval: settings.timing.interval,
            next_due: micros(settings.next_due.unwrap_or(now)),
            regular_due: None,
            paused: None,
            status: Status { code: "starting".into(), sentence: String::new(), needs_attention: false },
            watermark: None,
            state: new.state,
            checkpoint: None,
        };
        self.pollers.insert(poller, Poller::new(row));
        let own = settings.endpoint.map(|new_endpoint| {
            let endpoint = self.add_endpoint(new.org, new.instance, new_endpoint);
            if let Some(known) = self.endpoints.get_mut(&endpoint) {
                known.row.subscription = Some(id);
            }
            endpoint
        });
        let row = SubscriptionRow {
            id,
            org: new.org,
            instance: new.instance,
            monitor: new.monitor,
            version: settings.version,
            name: settings.name,
            options: settings.options,
            mode: settings.mode,
            active: new.active,
            timing: settings.timing,
            poller,
            revision: 1,
            endpoint: own,
            created_at: micros(now),
        };
        self.flows.subscriptions.insert(id, row);
        Ok(id)
    }

    /// See the same in SQLite.
    fn as_it_was(
        &mut self,
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
        let Some(poller) = self.pollers.get_mut(&before.poller) else { return Err(changed_meanwhile()) };
        if stands(poller.claim, now) {
            return Err(run_under_way());
        }
        if change.judged_by.as_ref() != Some(&poller.row.state) {
            return Err(changed_meanwhile());
        }
        poller.give_up();
        Ok(())
    }

    fn change_subscription(
        &mut self,
        org: OrgId,
        id: SubscriptionId,
        change: SubscriptionChange,
        now: Timestamp,
    ) -> Result<()> {
        let before = self.subscription(org, id)?.clone();
        self.version(org, before.monitor, change.settings.version)?;
        self.free_name(before.instance, &change.settings.name, Some(id))?;
        self.as_it_was(&before, &change, now)?;
        if let Some(state) = change.state {
            self.set_state(org, before.poller, &state, None, now)?;
        }
        let settings = change.settings;
        if let Some(poller) = self.pollers.get_mut(&before.poller) {
            poller.row.resource.clone_from(&settings.name);
            poller.row.revision += 1;
            poller.row.interval = settings.timing.interval;
            if let Some(due) = settings.next_due {
                poller.row.next_due = micros(due);
                poller.row.regular_due = None;
            }
        }
        let endpoint = match (before.endpoint, settings.endpoint) {
            (Some(known), Some(new)) => {
                if let Some(endpoint) = self.endpoints.get_mut(&known) {
                    endpoint.row.kind = new.kind;
                    endpoint.row.config = new.config;
                }
                Some(known)
            }
            (Some(known), None) => {
                self.remove_endpoint(known, now);
                None
            }
            (None, Some(new)) => {
                let endpoint = self.add_endpoint(org, before.instance, new);
                if let Some(known) = self.endpoints.get_mut(&endpoint) {
                    known.row.subscription = Some(id);
                }
                Some(endpoint)
            }
            (None, None) => None,
        };
        let row = SubscriptionRow {
            version: settings.version,
            name: settings.name,
            options: settings.options,
            mode: settings.mode,
            timing: settings.timing,
            revision: before.revision + 1,
            endpoint,
            ..before
        };
        self.flows.subscriptions.insert(id, row);
        Ok(())
    }
}

#[async_trait]
impl Monitors for MemoryStore {
    async fn create_monitor(&self, org: OrgId, name: &str, draft: &str, now: Timestamp) -> Result<MonitorId> {
        let mut state = self.lock();
        state.known_org(org)?;
        state.free_monitor_name(org, name, None)?;
        let id = MonitorId(next(&mut state.flows.numbers.0));
        let row = MonitorRow {
            id,
            org,
            name: name.to_owned(),
            draft: draft.to_owned(),
            revision: 1,
            version: None,
            deployed_revision: None,
            created_at: micros(now),
            updated_at: micros(now),
        };
        state.flows.monitors.insert(id, (row, Vec::new()));
        Ok(id)
    }

    async fn monitors(&self, org: OrgId) -> Result<Vec<MonitorRow>> {
        let state = self.lock();
        let rows = state.flows.monitors.values().map(|(row, _)| row);
        Ok(rows.filter(|row| row.org == org).cloned().collect())
    }

    async fn monitor(&self, org: OrgId, id: MonitorId) -> Result<MonitorRow> {
        self.lock().monitor(org, id).map(|(row, _)| row.clone())
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
        let mut state = self.lock();
        state.at_revision(org, id, was)?;
        state.free_monitor_name(org, name, Some(id))?;
        let (row, _) = state.at_revision(org, id, was)?;
        row.name = name.to_owned();
        row.draft = draft.to_owned();
        row.revision += 1;
        row.updated_at = micros(now);
        Ok(row.revision)
    }

    async fn deploy(&self, org: OrgId, id: MonitorId, was: i64, now: Timestamp) -> Result<i64> {
        let mut state = self.lock();
        let (row, versions) = state.at_revision(org, id, was)?;
        let version = row.version.unwrap_or(0) + 1;
        row.version = Some(version);
        row.deployed_revision = Some(row.revision);
        versions.push(VersionRow { version, document: row.draft.clone(), created_at: micros(now) });
        Ok(version)
    }

    async fn versions(&self, org: OrgId, id: MonitorId) -> Result<Vec<VersionRow>> {
        self.lock().monitor(org, id).map(|(_, versions)| versions.iter().rev().cloned().collect())
    }

    async fn version(&self, org: OrgId, id: MonitorId, version: i64) -> Result<VersionRow> {
        self.lock().version(org, id, version).cloned()
    }

    async fn delete_monitor(&self, org: OrgId, id: MonitorId) -> Result<()> {
        let mut state = self.lock();
        state.monitor(org, id)?;
        if let Some(row) = state.flows.subscriptions.values().find(|row| row.monitor == id) {
            return Err(StoreError::Conflict(format!(
                "the subscription `{}` uses this monitor; remove its subscriptions first",
                row.name
            )));
        }
        state.flows.monitors.remove(&id);
        Ok(())
    }

    async fn subscribe(&self, new: NewSubscription, now: Timestamp) -> Result<SubscriptionId> {
        self.lock().subscribe(new, now)
    }

    async fn subscriptions(&self, org: OrgId, filter: SubscriptionFilter) -> Result<Vec<SubscriptionRow>> {
        let state = self.lock();
        let rows = state.flows.subscriptions.values().filter(|row| {
            row.org == org
                && filter.instance.is_none_or(|id| id == row.instance)
                && filter.monitor.is_none_or(|id| id == row.monitor)
        });
        Ok(rows.cloned().collect())
    }

    async fn subscription(&self, org: OrgId, id: SubscriptionId) -> Result<SubscriptionRow> {
        self.lock().subscription(org, id).cloned()
    }

    async fn running(&self, poller: PollerId) -> Result<Option<(SubscriptionRow, String)>> {
        let state = self.lock();
        let Some(row) = state.flows.subscriptions.values().find(|row| row.poller == poller) else {
            return Ok(None);
        };
        let version = state.version(row.org, row.monitor, row.version)?;
        Ok(Some((row.clone(), version.document.clone())))
    }

    async fn change_subscription(
        &self,
        org: OrgId,
        id: SubscriptionId,
        change: SubscriptionChange,
        now: Timestamp,
    ) -> Result<()> {
        self.lock().change_subscription(org, id, change, now)
    }

    async fn set_active(&self, org: OrgId, id: SubscriptionId, active: bool, due: Timestamp) -> Result<()> {
        let mut state = self.lock();
        let poller = state.subscription(org, id)?.poller;
        if let Some(row) = state.flows.subscriptions.get_mut(&id) {
            row.active = active;
        }
        if let Some(poller) = state.pollers.get_mut(&poller).filter(|_| active) {
            poller.row.next_due = micros(due);
        }
        Ok(())
    }

    async fn unsubscribe(&self, org: OrgId, id: SubscriptionId, now: Timestamp) -> Result<()> {
        let mut state = self.lock();
        let row = state.subscription(org, id)?.clone();
        if let Some(endpoint) = row.endpoint {
            state.remove_endpoint(endpoint, now);
        }
        state.pollers.remove(&row.poller);
        state.flows.cursors.remove(&row.poller);
        state.flows.subscriptions.remove(&id);
        Ok(())
    }

    async fn cursors(&self, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<CursorRow>> {
        let state = self.lock();
        state.poller(org, poller)?;
        let history = state.flows.cursors.get(&poller).map(Vec::as_slice).unwrap_or_default();
        Ok(history.iter().rev().take(limit as usize).cloned().collect())
    }

    async fn trace(&self, org: OrgId, run: RunId) -> Result<Option<String>> {
        let state = self.lock();
        state.run(org, run)?;
        let mut traces = state.flows.traces.values().flatten();
        Ok(traces.find(|(known, _)| *known == run).map(|(_, trace)| trace.clone()))
    }
}
