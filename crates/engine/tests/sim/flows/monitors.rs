//! The store of monitors of a simulated node: the real one behind it, and a crash point before a run learns what it
//! runs.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::id::{MonitorId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_store::*;

use super::hub::Hub;
use crate::hub::Point;

/// A store of monitors that crashes on demand.
pub struct SimMonitors {
    pub inner: Arc<dyn Monitors>,
    pub hub: Hub,
}

macro_rules! monitors {
    ($($verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Monitors for SimMonitors {
            async fn running(&self, poller: PollerId) -> Result<Option<(SubscriptionRow, String)>> {
                self.hub.pass(Point::Running).await;
                self.inner.running(poller).await
            }

            $(async fn $verb(&self, $($name: $type),*) -> Result<$answer> {
                self.inner.$verb($($name),*).await
            })*
        }
    };
}

monitors! {
    create_monitor(org: OrgId, name: &str, draft: &str, now: Timestamp) -> MonitorId;
    monitors(org: OrgId) -> Vec<MonitorRow>;
    monitor(org: OrgId, id: MonitorId) -> MonitorRow;
    save_draft(org: OrgId, id: MonitorId, was: i64, name: &str, draft: &str, now: Timestamp) -> i64;
    deploy(org: OrgId, id: MonitorId, was: i64, now: Timestamp) -> i64;
    versions(org: OrgId, id: MonitorId) -> Vec<VersionRow>;
    version(org: OrgId, id: MonitorId, version: i64) -> VersionRow;
    delete_monitor(org: OrgId, id: MonitorId) -> ();
    subscribe(new: NewSubscription, now: Timestamp) -> SubscriptionId;
    subscriptions(org: OrgId, filter: SubscriptionFilter) -> Vec<SubscriptionRow>;
    subscription(org: OrgId, id: SubscriptionId) -> SubscriptionRow;
    change_subscription(org: OrgId, id: SubscriptionId, change: SubscriptionChange, now: Timestamp) -> ();
    set_active(org: OrgId, id: SubscriptionId, active: bool, due: Timestamp) -> ();
    unsubscribe(org: OrgId, id: SubscriptionId, now: Timestamp) -> ();
    cursors(org: OrgId, poller: PollerId, limit: u32) -> Vec<CursorRow>;
    trace(org: OrgId, run: RunId) -> Option<String>;
}
