//! The steps of monitors and their subscriptions, among all the others: those claim, record, form and prune.

use std::time::Duration;

use turnstone_core::flow::records::RunMode;
use turnstone_core::id::{InstanceId, MonitorId, OrgId, RunId, SubscriptionId};
use turnstone_core::poll::FlowRecord;

use super::{Chance, Names, Side, told};
use crate::api::*;
use crate::monitors::*;
use crate::suite::world::at;

/// What a store told of monitors so far.
#[derive(Default)]
pub(super) struct Known {
    monitors: Vec<(OrgId, MonitorId)>,
    subscriptions: Vec<(OrgId, SubscriptionId)>,
    /// Runs that were finished, or were to be.
    pub(super) runs: Vec<RunId>,
    monitor_names: Names,
    cursor_names: Names,
    pub(super) subscription_names: Names,
}

impl Known {
    /// The id of a run that ends: mostly one that was never there.
    pub(super) fn run(&self, chance: &mut Chance, now: i64) -> RunId {
        let fresh = RunId::new(at(now), chance.draw());
        let again = chance.of(&self.runs).filter(|_| chance.one_in(12));
        again.unwrap_or(fresh)
    }
}

/// What a run of a monitor leaves.
pub(super) fn record(chance: &mut Chance) -> FlowRecord {
    FlowRecord {
        trace: format!("[{}]\0", chance.below(99)),
        cursor_changed: chance.one_in(2),
        version: 1 + chance.below(2) as i64,
        revision: 1 + chance.below(3) as i64,
    }
}

fn name(chance: &mut Chance) -> String {
    // One of them is a resource, too.
    chance.of(&["contacts", "n\0a", "n\0b", "n\0c"]).expect("there are four").to_string()
}

impl Side {
    pub(super) async fn flow(&mut self, chance: &mut Chance, now: i64) -> String {
        match chance.below(30) {
            0 => self.create_monitor(chance, now).await,
            1 | 2 => self.save_draft(chance, now).await,
            3 | 4 => self.deploy(chance, now).await,
            5 => {
                let Some((org, id)) = self.monitor(chance) else { return String::new() };
                told("delete_monitor", self.store.delete_monitor(org, id).await)
            }
            6..10 => self.subscribe(chance, now).await,
            10..14 => self.change_subscription(chance, now).await,
            14..17 => {
                let Some((org, id)) = self.subscription(chance) else { return String::new() };
                let due = at(now + chance.below(9) as i64);
                told("set_active", self.store.set_active(org, id, !chance.one_in(3), due).await)
            }
            17 => {
                let Some((org, id)) = self.subscription(chance) else { return String::new() };
                told("unsubscribe", self.store.unsubscribe(org, id, at(now)).await)
            }
            18 => self.cursors(chance).await,
            20..30 => self.turn(chance, now).await,
            _ => {
                let org = chance.of(&self.orgs).expect("there are two");
                let filter = SubscriptionFilter {
                    instance: chance.of(&self.instances).map(|(_, id)| id).filter(|_| chance.one_in(2)),
                    monitor: chance.of(&self.flows.monitors).map(|(_, id)| id).filter(|_| chance.one_in(2)),
                };
                self.subscriptions(org, filter).await
            }
        }
    }

    /// A monitor, seldom under the other organisation.
    fn monitor(&self, chance: &mut Chance) -> Option<(OrgId, MonitorId)> {
        let (org, id) = chance.of(&self.flows.monitors)?;
        Some((self.mostly(chance, org), id))
    }

    fn subscription(&self, chance: &mut Chance) -> Option<(OrgId, SubscriptionId)> {
        let (org, id) = chance.of(&self.flows.subscriptions)?;
        Some((self.mostly(chance, org), id))
    }

    fn mostly(&self, chance: &mut Chance, org: OrgId) -> OrgId {
        if chance.one_in(15) { chance.of(&self.orgs).expect("there are two") } else { org }
    }

    async fn create_monitor(&mut self, chance: &mut Chance, now: i64) -> String {
        let org = chance.of(&self.orgs).expect("there are two");
        let draft = format!("d{}", chance.below(99));
        let mut made = self.store.create_monitor(org, &name(chance), &draft, at(now)).await;
        if let Ok(id) = &mut made {
            self.flows.monitors.push((org, *id));
            self.flows.monitor_names.rename(&mut id.0);
        }
        told("create_monitor", made)
    }

    /// The number of a draft: mostly the present one.
    async fn revision(&self, chance: &mut Chance, org: OrgId, id: MonitorId) -> i64 {
        let revision = self.store.monitor(org, id).await.map_or(1, |row| row.revision);
        revision - i64::from(chance.one_in(6))
    }

    async fn save_draft(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id)) = self.monitor(chance) else { return String::new() };
        let was = self.revision(chance, org, id).await;
        let (name, draft) = (name(chance), format!("d\0{}", chance.below(99)));
        told("save_draft", self.store.save_draft(org, id, was, &name, &draft, at(now)).await)
    }

    async fn deploy(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id)) = self.monitor(chance) else { return self.create_monitor(chance, now).await };
        let was = self.revision(chance, org, id).await;
        told("deploy", self.store.deploy(org, id, was, at(now)).await)
    }

    /// Settings; the version is mostly one that there is.
    async fn settings(
        &self,
        chance: &mut Chance,
        org: OrgId,
        id: MonitorId,
        now: i64,
    ) -> SubscriptionSettings {
        let last = self.store.monitor(org, id).await.ok().and_then(|row| row.version).unwrap_or(1);
        let modes = [RunMode::EachRecord, RunMode::NoNewData, RunMode::EveryTime];
        let endpoint = NewEndpoint { kind: "callback".into(), config: format!("own {}", chance.below(9)) };
        SubscriptionSettings {
            name: name(chance),
            version: 1 + chance.below(last as u64) as i64 + i64::from(chance.one_in(20)),
            options: format!("{{\"o\":\"{}\"}}", chance.below(9)),
            mode: chance.of(&modes).expect("there are three"),
            timing: Timing {
                interval: Duration::from_secs(1 + chance.below(60)),
                cron: chance.one_in(2).then(|| ("0 5 * * *".to_string(), "Europe/Paris".to_string())),
            },
            next_due: chance.one_in(2).then(|| at(now - 3 + chance.below(9) as i64)),
            endpoint: (!chance.one_in(6)).then_some(endpoint),
        }
    }

    async fn subscribe(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, instance)) = chance.of(&self.instances) else { return String::new() };
        let org = self.mostly(chance, org);
        let of_org: Vec<MonitorId> =
            self.flows.monitors.iter().filter(|(of, _)| *of == org).map(|(_, id)| *id).collect();
        let Some(monitor) = chance.of(&of_org) else { return self.create_monitor(chance, now).await };
        if self.store.monitor(org, monitor).await.is_ok_and(|row| row.version.is_none()) && !chance.one_in(6)
        {
            return told("deploy", self.store.deploy(org, monitor, 1, at(now)).await);
        }
        let settings = self.settings(chance, org, monitor, now).await;
        let state = if chance.one_in(2) { String::new() } else { format!("s{}", chance.below(9)) };
        let active = !chance.one_in(5);
        let new = NewSubscription { org, instance, monitor, settings, state, active };
        let mut made = self.store.subscribe(new, at(now)).await;
        if let Ok(id) = &mut made {
            self.flows.subscriptions.push((org, *id));
            self.learn_subscription(org, instance, *id).await;
            self.flows.subscription_names.rename(&mut id.0);
        }
        told("subscribe", made)
    }

    /// Claims the poller of a subscription: other pollers are many, and what a run tells goes elsewhere from here.
    async fn turn(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id)) = self.subscription(chance) else { return self.subscribe(chance, now).await };
        let Ok(row) = self.store.subscription(org, id).await else { return "no subscription".into() };
        self.claim_of(chance, row.poller, now).await
    }

    /// Notes the poller and the endpoint of a subscription.
    async fn learn_subscription(&mut self, org: OrgId, instance: InstanceId, id: SubscriptionId) {
        let Ok(row) = self.store.subscription(org, id).await else { return };
        if !self.pollers.iter().any(|(_, known, _)| *known == row.poller) {
            self.pollers.push((org, row.poller, instance));
        }
        self.endpoints.extend(row.endpoint.filter(|endpoint| !self.endpoints.contains(endpoint)));
    }

    async fn change_subscription(&mut self, chance: &mut Chance, now: i64) -> String {
        let Some((org, id)) = self.subscription(chance) else { return String::new() };
        let Ok(row) = self.store.subscription(org, id).await else { return "no subscription".into() };
        let settings = self.settings(chance, org, row.monitor, now).await;
        let state = chance.one_in(3).then(|| format!("s{}", chance.below(9)));
        let judged_by = match self.store.poller(org, row.poller).await {
            Ok(poller) if !chance.one_in(6) => Some(poller.state),
            Ok(_) | Err(_) => None,
        };
        let was = row.revision - i64::from(chance.one_in(8));
        let change = SubscriptionChange { was, settings, judged_by, state };
        let changed = self.store.change_subscription(org, id, change, at(now)).await;
        self.learn_subscription(org, row.instance, id).await;
        told("change_subscription", changed)
    }

    async fn cursors(&mut self, chance: &mut Chance) -> String {
        let Some((org, id)) = self.subscription(chance) else { return String::new() };
        let limit = chance.below(5) as u32;
        self.cursors_of(org, id, limit).await
    }

    async fn cursors_of(&mut self, org: OrgId, id: SubscriptionId, limit: u32) -> String {
        let mut rows = match self.store.subscription(org, id).await {
            Ok(row) => self.store.cursors(org, row.poller, limit).await,
            Err(error) => Err(error),
        };
        rows.iter_mut().flatten().for_each(|row| self.flows.cursor_names.rename(&mut row.id));
        told("cursors", rows)
    }

    async fn subscriptions(&mut self, org: OrgId, filter: SubscriptionFilter) -> String {
        let mut rows = self.store.subscriptions(org, filter).await;
        rows.iter_mut().flatten().for_each(|row| self.subscribed(row));
        told("subscriptions", rows)
    }

    fn subscribed(&mut self, row: &mut SubscriptionRow) {
        self.flows.subscription_names.rename(&mut row.id.0);
        self.instance_names.rename(&mut row.instance.0);
        self.flows.monitor_names.rename(&mut row.monitor.0);
        self.poller_names.rename(&mut row.poller.0);
        if let Some(endpoint) = &mut row.endpoint {
            self.endpoint_names.rename(&mut endpoint.0);
        }
    }

    /// All that can be read of monitors and subscriptions.
    pub(super) async fn every_flow(&mut self) -> String {
        let mut answers = Vec::new();
        for org in self.orgs.clone() {
            let mut rows = self.store.monitors(org).await;
            rows.iter_mut().flatten().for_each(|row| self.flows.monitor_names.rename(&mut row.id.0));
            answers.push(told("monitors", rows));
            answers.push(self.subscriptions(org, SubscriptionFilter::default()).await);
            for run in self.flows.runs.clone() {
                answers.push(told("trace", self.store.trace(org, run).await));
            }
        }
        for (org, id) in self.flows.monitors.clone() {
            answers.push(told("versions", self.store.versions(org, id).await));
        }
        for (org, id) in self.flows.subscriptions.clone() {
            answers.push(self.cursors_of(org, id, 1_000).await);
        }
        for (_, poller, _) in self.pollers.clone() {
            let mut running = self.store.running(poller).await;
            if let Ok(Some((row, _))) = &mut running {
                self.subscribed(row);
            }
            answers.push(told("running", running));
        }
        answers.join("\n")
    }
}
