//! The little world that the cases of monitors start from: that of the other cases, with a deployed monitor.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use turnstone_core::event::Event;
use turnstone_core::flow::records::RunMode;
use turnstone_core::id::{EndpointId, InstanceId, MonitorId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_core::poll::{Batch, Finish, FlowRecord, RunKind, RunRecord};

use super::Both;
use crate::api::*;
use crate::monitors::*;
use crate::suite::world::{self, LEASE, at, most};

/// A store, the other cases' world in it, and a monitor with one version.
pub struct World {
    base: world::World,
    pub monitors: Arc<dyn Both>,
    pub monitor: MonitorId,
}

impl Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.base
    }
}

/// Where a subscription's events go.
pub fn callback(name: &str) -> NewEndpoint {
    NewEndpoint { kind: "callback".into(), config: format!(r#"{{"url":"https://{name}.example"}}"#) }
}

/// Due from 0 on, every five minutes.
pub fn settings(name: &str) -> SubscriptionSettings {
    SubscriptionSettings {
        name: name.into(),
        version: 1,
        options: r#"{"Group":"all\u0000"}"#.into(),
        mode: RunMode::EachRecord,
        timing: Timing { interval: Duration::from_secs(300), cron: None },
        next_due: Some(at(0)),
        endpoint: None,
    }
}

impl World {
    pub async fn new(monitors: Arc<dyn Both>) -> World {
        let store: Arc<dyn Store> = monitors.clone();
        let base = world::World::new(store).await;
        let monitor = monitors.create_monitor(base.org, "users", r#"{"n":1}"#, at(0)).await.unwrap();
        assert_eq!(monitors.deploy(base.org, monitor, 1, at(1)).await.unwrap(), 1);
        World { base, monitors, monitor }
    }

    pub fn new_subscription(&self, settings: SubscriptionSettings) -> NewSubscription {
        NewSubscription {
            org: self.org,
            instance: self.instance,
            monitor: self.monitor,
            settings,
            state: String::new(),
            active: true,
        }
    }

    pub async fn subscribe(&self, settings: SubscriptionSettings) -> SubscriptionRow {
        let id = self.monitors.subscribe(self.new_subscription(settings), at(2)).await.unwrap();
        self.row(id).await
    }

    pub async fn row(&self, id: SubscriptionId) -> SubscriptionRow {
        self.monitors.subscription(self.org, id).await.unwrap()
    }

    pub async fn poller_row(&self, id: PollerId) -> PollerRow {
        self.store.poller(self.org, id).await.unwrap()
    }

    /// A change that was made from what is there.
    pub async fn change_to(
        &self,
        id: SubscriptionId,
        settings: SubscriptionSettings,
        state: Option<&str>,
    ) -> SubscriptionChange {
        let row = self.row(id).await;
        let judged_by = Some(self.poller_row(row.poller).await.state);
        SubscriptionChange { was: row.revision, settings, judged_by, state: state.map(str::to_owned) }
    }

    pub async fn change(
        &self,
        id: SubscriptionId,
        settings: SubscriptionSettings,
        state: Option<&str>,
    ) -> Result<()> {
        let change = self.change_to(id, settings, state).await;
        self.monitors.change_subscription(self.org, id, change, at(3)).await
    }

    /// An event of a subscription.
    pub fn told(&self, row: &SubscriptionRow, number: u128, object_id: &str) -> Event {
        Event { poller: row.poller, object_type: "User".into(), ..self.event(number, object_id) }
    }

    /// The end of a run of a subscription.
    pub fn flow_finish(
        &self,
        row: &SubscriptionRow,
        batch: Batch,
        seconds: i64,
        cursor_changed: bool,
    ) -> Finish {
        let finish = self.finish(batch, seconds);
        let run = RunRecord {
            id: run_at(row.poller, seconds),
            poller: row.poller,
            kind: RunKind::Flow,
            ..finish.run
        };
        let trace = format!(r#"{{"at":{seconds}}}"#);
        Finish {
            run,
            watermark: None,
            flow: Some(FlowRecord { trace, cursor_changed, version: row.version, revision: row.revision }),
            ..finish
        }
    }

    /// A whole run of a subscription that records events; it moves the cursor.
    pub async fn run_of(&self, row: &SubscriptionRow, events: &[(u128, &str)], seconds: i64) -> RunId {
        let lease = self.claim_of(row.poller, seconds).await;
        let events = events.iter().map(|(number, object)| self.told(row, *number, object)).collect();
        let finish = self.flow_finish(row, Batch { events, ..Batch::default() }, seconds, true);
        let run = finish.run.id;
        assert_eq!(self.store.finish(lease, finish, at(seconds)).await.unwrap(), Committed::Yes);
        run
    }

    pub async fn is_due(&self, poller: PollerId, seconds: i64) -> bool {
        let due = self.store.due(at(seconds), 100, 100).await.unwrap().iter().any(|due| due.poller == poller);
        let claimed = self.store.claim(poller, at(seconds), LEASE).await.unwrap();
        if let Some(claim) = &claimed {
            self.store.release(claim.lease, claim.poller.next_due).await.unwrap();
        }
        assert_eq!(due, claimed.is_some());
        due
    }

    /// Records of the events that wait at an endpoint.
    pub async fn waiting_at(&self, endpoint: EndpointId) -> Vec<String> {
        let waiting = self.store.waiting(endpoint, most(100)).await.unwrap();
        waiting.events.into_iter().map(|logged| logged.event.object_id).collect()
    }

    /// Forms a notification of these positions and delivers it, or not.
    pub async fn form(&self, endpoint: EndpointId, members: Vec<i64>) -> Option<Delivery> {
        let was = self.store.endpoints(self.org).await.unwrap();
        let position_was = was.into_iter().find(|row| row.id == endpoint).unwrap().position;
        let id = self.store.reserve_notification().await.unwrap();
        let new = NewNotification { endpoint, split_from: None, members, body: "{}".into() };
        self.store.form(id, new, position_was, at(50), LEASE).await.unwrap()
    }

    pub async fn others(&self) -> (OrgId, InstanceId) {
        let org = self.store.ensure_org("other", at(0)).await.unwrap();
        let new = world::new_instance(org, 9, &["contacts"]);
        (org, self.store.create_instance(new, at(0)).await.unwrap())
    }
}

/// The id of a poller's run that starts at a second.
pub fn run_at(poller: PollerId, seconds: i64) -> RunId {
    RunId::new(at(seconds), poller.0.unsigned_abs())
}
