//! Which subscription a poller runs, in a map: the campaign is about runs, and needs no more of a store of monitors.

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::flow::records::RunMode;
use turnstone_core::id::{MonitorId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_store::*;

use super::hub::Hub;
use crate::hub::Point;

/// The subscriptions of a seed with the documents of their monitors.
pub struct Subscriptions {
    pub hub: Hub,
    pub rows: Vec<(SubscriptionRow, String)>,
}

/// A row of the map.
pub fn row(
    at: usize,
    poller: &PollerRow,
    by_id: bool,
    group: Option<&str>,
    now: Timestamp,
) -> SubscriptionRow {
    let options = group.map(|group| serde_json::json!({"Group": group})).unwrap_or(serde_json::json!({}));
    SubscriptionRow {
        id: SubscriptionId(at as i64 + 1),
        org: poller.org,
        instance: poller.instance,
        monitor: MonitorId(if by_id { 1 } else { 2 }),
        version: 1,
        name: poller.resource.clone(),
        options: options.to_string(),
        mode: RunMode::EachRecord,
        active: true,
        timing: Timing { interval: poller.interval, cron: None },
        poller: poller.id,
        endpoint: None,
        created_at: now,
    }
}

macro_rules! nothing_else {
    ($($verb:ident($($name:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Monitors for Subscriptions {
            async fn running(&self, poller: PollerId) -> Result<Option<(SubscriptionRow, String)>> {
                self.hub.pass(Point::Running).await;
                Ok(self.rows.iter().find(|(row, _)| row.poller == poller).cloned())
            }

            $(async fn $verb(&self, $($name: $type),*) -> Result<$answer> {
                let _ = ($($name,)*);
                panic!("a run of a monitor asks for nothing but its subscription")
            })*
        }
    };
}

nothing_else! {
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
    change_subscription(org: OrgId, id: SubscriptionId, settings: SubscriptionSettings, state: Option<String>, now: Timestamp) -> ();
    set_active(org: OrgId, id: SubscriptionId, active: bool, due: Timestamp) -> ();
    unsubscribe(org: OrgId, id: SubscriptionId, now: Timestamp) -> ();
    cursors(org: OrgId, id: SubscriptionId, limit: u32) -> Vec<CursorRow>;
    trace(org: OrgId, run: RunId) -> Option<String>;
}
