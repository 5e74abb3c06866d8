//! Lists for screens.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use async_trait::async_trait;
use turnstone_core::id::{EndpointId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::poll::RunRecord;

use super::MemoryStore;
use super::state::{Endpoint, State};
use crate::api::*;
use crate::watch::*;

impl State {
    /// The pollers of an organisation that poll.
    fn polling(&self, org: OrgId) -> impl Iterator<Item = &PollerRow> {
        let all = self.pollers.values().filter(move |poller| poller.row.org == org && !poller.is_intake);
        all.map(|poller| &poller.row)
    }

    fn poller_page(&self, org: OrgId, filter: &PollerFilter) -> (Vec<PollerRow>, u64) {
        let mut all: Vec<&PollerRow> = self
            .polling(org)
            .filter(|row| filter.instances.is_empty() || filter.instances.contains(&row.instance))
            .filter(|row| filter.health.is_empty() || filter.health.contains(&Health::of_row(row)))
            .collect();
        all.sort_by_key(|row| (Health::of_row(row), row.id));
        let page = all.iter().skip(filter.skip as usize).take(filter.limit as usize);
        (page.map(|row| (*row).clone()).collect(), all.len() as u64)
    }

    fn overview(&self, org: OrgId) -> Overview {
        let instances = || self.instances.values().filter(|instance| instance.row.org == org);
        let enabled: BTreeSet<InstanceId> =
            instances().filter(|instance| instance.row.enabled).map(|instance| instance.row.id).collect();
        let of = |health: &[Health]| {
            self.polling(org).filter(|row| health.contains(&Health::of_row(row))).count() as u64
        };
        let failing = self.polling(org).filter(|row| Health::of_row(row).is_wrong());
        let failing: BTreeSet<InstanceId> = failing.map(|row| row.instance).collect();
        let subscriptions = self.subscription_rows(org);
        let at = |state: EndpointState| {
            let of_org = self.endpoints.values().filter(|endpoint| endpoint.row.org == org);
            of_org.filter(|endpoint| endpoint.row.state == state).count() as u64
        };
        Overview {
            instances: instances().count() as u64,
            instances_enabled: enabled.len() as u64,
            instances_failing: failing.intersection(&enabled).count() as u64,
            pollers_ok: of(&[Health::Ok]),
            pollers_failing: of(&[Health::Failing, Health::NeedsAttention]),
            pollers_paused: of(&[Health::Paused]),
            pollers_starting: of(&[Health::Starting]),
            subscriptions: subscriptions.len() as u64,
            subscriptions_active: subscriptions.iter().filter(|row| row.active).count() as u64,
            endpoints_active: at(EndpointState::Active),
            endpoints_deactivated: at(EndpointState::Deactivated),
            endpoints_disabled: at(EndpointState::Disabled),
            open: self.aside(|row| row.org == org),
            connectors: self.directory.elements.values().filter(|element| element.row.org == org).count()
                as u64,
        }
    }

    fn aside(&self, wanted: impl Fn(&NotificationRow) -> bool) -> Open {
        let mut open = Open::default();
        for row in self.notifications.values().map(|known| &known.row).filter(|row| wanted(row)) {
            match row.state {
                NotificationState::Retry => open.retry += 1,
                NotificationState::Dead => open.dead += 1,
                NotificationState::Queued => open.queued += 1,
                NotificationState::Created
                | NotificationState::Delivered
                | NotificationState::Split
                | NotificationState::Cancelled => {}
            }
        }
        open
    }

    fn run_page(&self, org: OrgId, filter: &RunFilter) -> Vec<RunRecord> {
        let place = |record: &RunRecord| (record.started_at, record.id);
        let before = match filter.before {
            None => None,
            Some(id) => match self.runs.get(&id).filter(|run| run.org == org) {
                None => return Vec::new(),
                Some(run) => Some(place(&run.record)),
            },
        };
        let of_instance = |record: &RunRecord| {
            let row = self.polling(org).find(|row| row.id == record.poller);
            filter.instance.is_none_or(|instance| row.is_some_and(|row| row.instance == instance))
        };
        let mut found: Vec<&RunRecord> = self
            .runs
            .values()
            .filter(|run| run.org == org)
            .map(|run| &run.record)
            .filter(|record| filter.poller.is_none_or(|poller| poller == record.poller))
            .filter(|record| filter.outcome.is_none_or(|outcome| outcome == record.outcome))
            .filter(|record| before.is_none_or(|before| place(record) < before))
            .filter(|record| of_instance(record))
            .collect();
        found.sort_by_key(|record| Reverse(place(record)));
        found.into_iter().take(filter.limit as usize).cloned().collect()
    }

    fn places(&self, org: OrgId, pollers: &[PollerId]) -> Vec<Place> {
        let place = |id: &PollerId| {
            let row = &self.pollers.get(id).filter(|poller| poller.row.org == org)?.row;
            Some(Place {
                poller: row.id,
                instance: row.instance,
                instance_name: self.instances.get(&row.instance)?.row.name.clone(),
                resource: row.resource.clone(),
                subscription: row.subscription,
            })
        };
        pollers.iter().filter_map(place).collect()
    }

    fn record_story(&self, org: OrgId, id: PollerId, object_id: &str, limit: u32) -> Result<RecordStory> {
        let poller = self.poller(org, id)?;
        let (entry, versions) = poller.ledger.of_record(object_id);
        let mut runs: Vec<_> = self.runs.values().filter(|run| run.record.poller == id).collect();
        runs.sort_by_key(|run| Reverse((run.record.started_at, run.record.id)));
        let decisions = runs
            .into_iter()
            .flat_map(|run| run.decisions.iter().rev().map(|decision| (run.record.id, decision.clone())));
        let decisions = decisions.filter(|(_, decision)| decision.object_id == object_id);
        Ok(RecordStory { entry, versions, decisions: decisions.take(limit as usize).collect() })
    }

    fn endpoint_page(&self, org: OrgId, filter: &EndpointFilter) -> (Vec<EndpointView>, u64) {
        let open = |endpoint: &Endpoint| self.aside(|row| row.org == org && row.endpoint == endpoint.row.id);
        let mut all: Vec<&Endpoint> = self
            .endpoints
            .values()
            .filter(|endpoint| endpoint.row.org == org)
            .filter(|endpoint| filter.id.is_none_or(|id| id == endpoint.row.id))
            .collect();
        all.sort_by_key(|endpoint| {
            let is_active = endpoint.row.state == EndpointState::Active;
            (is_active, open(endpoint) == Open::default(), endpoint.row.id)
        });
        let view = |endpoint: &&Endpoint| {
            let row = endpoint.row.clone();
            let beyond = self.log.of_channel(row.channel(), row.position).next().is_some();
            Some(EndpointView {
                instance_name: self.instances.get(&row.instance)?.row.name.clone(),
                is_behind: beyond || !endpoint.held.is_empty(),
                open: open(endpoint),
                row,
            })
        };
        let page = all.iter().skip(filter.skip as usize).take(filter.limit as usize);
        (page.filter_map(view).collect(), all.len() as u64)
    }
}

#[async_trait]
impl Watch for MemoryStore {
    async fn poller_page(&self, org: OrgId, filter: &PollerFilter) -> Result<(Vec<PollerRow>, u64)> {
        Ok(self.lock().poller_page(org, filter))
    }

    async fn overview(&self, org: OrgId) -> Result<Overview> {
        Ok(self.lock().overview(org))
    }

    async fn run_page(&self, org: OrgId, filter: &RunFilter) -> Result<Vec<RunRecord>> {
        Ok(self.lock().run_page(org, filter))
    }

    async fn run_records(&self, org: OrgId, ids: &[RunId]) -> Result<Vec<RunRecord>> {
        let state = self.lock();
        let found = ids.iter().filter_map(|id| state.runs.get(id)).filter(|run| run.org == org);
        Ok(found.map(|run| run.record.clone()).collect())
    }

    async fn instance_names(&self, org: OrgId, ids: &[InstanceId]) -> Result<Vec<(InstanceId, String)>> {
        let state = self.lock();
        let found = ids.iter().filter_map(|id| state.instances.get(id)).filter(|known| known.row.org == org);
        Ok(found.map(|known| (known.row.id, known.row.name.clone())).collect())
    }

    async fn places(&self, org: OrgId, pollers: &[PollerId]) -> Result<Vec<Place>> {
        Ok(self.lock().places(org, pollers))
    }

    async fn record_story(
        &self,
        org: OrgId,
        poller: PollerId,
        object_id: &str,
        limit: u32,
    ) -> Result<RecordStory> {
        self.lock().record_story(org, poller, object_id, limit)
    }

    async fn endpoint_page(&self, org: OrgId, filter: &EndpointFilter) -> Result<(Vec<EndpointView>, u64)> {
        Ok(self.lock().endpoint_page(org, filter))
    }

    async fn switch_endpoint(
        &self,
        org: OrgId,
        id: EndpointId,
        state: EndpointState,
        reason: &str,
    ) -> Result<()> {
        let mut all = self.lock();
        let endpoint = all.endpoints.get_mut(&id).filter(|endpoint| endpoint.row.org == org);
        let endpoint = endpoint.ok_or(StoreError::NotFound("endpoint"))?;
        endpoint.row.state = state;
        endpoint.row.reason = reason.to_owned();
        Ok(())
    }
}
