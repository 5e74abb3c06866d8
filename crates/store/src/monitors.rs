//! Polling monitors and their subscriptions: the verbs beside [`crate::Store`] for what is run on a schedule without
//! being a declared resource.
//!
//! A monitor has a draft and deployed versions, numbered from 1, which never change. A subscription uses one version
//! and is a poller of its own ([`crate::PollerRow::subscription`]): claim, ledger, finish and due times are the verbs
//! of [`crate::Store`], and so is replacing its state, which holds the cursor. The conventions are those of
//! [`crate::api`]; the words of `NotFound` here are `monitor`, `version`, `instance`, `subscription`, `poller` and
//! `run`.
//!
//! Not here: what a document means, and whether options fit it (the core's `flow`).

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use turnstone_core::flow::records::RunMode;
use turnstone_core::id::{EndpointId, InstanceId, MonitorId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_core::ledger::Compared;

use crate::api::{NewEndpoint, Result, StoreError};

/// Cursors that are remembered of one poller; older ones go when a new one comes.
pub const CURSORS_KEPT_MAX: u32 = 200;

/// Runs of one subscription whose cards are remembered; of older ones the record stays.
pub const TRACES_KEPT_MAX: u32 = 50;

/// A monitor as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorRow {
    /// Its id.
    pub id: MonitorId,
    /// Its organisation.
    pub org: OrgId,
    /// Its name; no other monitor of the organisation has it.
    pub name: String,
    /// Its draft: a document as text, sound or not.
    pub draft: String,
    /// Number of the draft; grows with every change of it, from 1.
    pub revision: i64,
    /// The last version that was deployed, if one was.
    pub version: Option<i64>,
    /// The draft that this version was made of; equal to `revision` when nothing was changed since.
    pub deployed_revision: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its draft was changed last.
    pub updated_at: Timestamp,
}

/// A deployed version of a monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Its number.
    pub version: i64,
    /// The document.
    pub document: String,
    /// When it was deployed.
    pub created_at: Timestamp,
}

/// When a subscription is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Time between two runs; with `cron` what pauses after failures are measured by.
    pub interval: Duration,
    /// A cron pattern and an IANA zone, instead of the interval.
    pub cron: Option<(String, String)>,
}

/// A new subscription, checked and sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSubscription {
    /// Its organisation.
    pub org: OrgId,
    /// The instance whose connection it uses.
    pub instance: InstanceId,
    /// The monitor.
    pub monitor: MonitorId,
    /// What can be changed of it later.
    pub settings: SubscriptionSettings,
    /// The state of its poller, with the cursor that it starts from; empty for none.
    pub state: String,
    /// Whether it runs.
    pub active: bool,
}

/// What can be changed of a subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionSettings {
    /// Its name; no other subscription of the instance has it.
    pub name: String,
    /// The version that it uses.
    pub version: i64,
    /// Values of the monitor's options by label, as a JSON object of texts.
    pub options: String,
    /// How its records leave.
    pub mode: RunMode,
    /// When it is due.
    pub timing: Timing,
    /// The next due time; `None` leaves it as it is, and is at once for a new one.
    pub next_due: Option<Timestamp>,
    /// Where its events go, if not where the instance's go.
    pub endpoint: Option<NewEndpoint>,
}

/// A subscription as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Its id.
    pub id: SubscriptionId,
    /// Its organisation.
    pub org: OrgId,
    /// The instance whose connection it uses.
    pub instance: InstanceId,
    /// The monitor.
    pub monitor: MonitorId,
    /// The version that it uses.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Values of the monitor's options by label, as a JSON object of texts.
    pub options: String,
    /// How its records leave.
    pub mode: RunMode,
    /// Whether it runs.
    pub active: bool,
    /// When it is due.
    pub timing: Timing,
    /// Its poller.
    pub poller: PollerId,
    /// Number of its settings; grows with every change.
    pub revision: i64,
    /// Its own endpoint.
    pub endpoint: Option<EndpointId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A change of a subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionChange {
    /// The revision that it was made from.
    pub was: i64,
    /// All of its settings from now on.
    pub settings: SubscriptionSettings,
    /// The state of the poller that a move to another version was judged by. It must still be that, and no run may be
    /// under way: a run of the version before would save a cursor that nobody has judged.
    pub judged_by: Option<String>,
    /// Another state, if there shall be one.
    pub state: Option<String>,
}

/// Which subscriptions to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionFilter {
    /// Only of this instance.
    pub instance: Option<InstanceId>,
    /// Only of this monitor.
    pub monitor: Option<MonitorId>,
}

/// A state that was replaced by a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorRow {
    /// Its number, growing.
    pub id: i64,
    /// The state, as the core wrote it.
    pub state: String,
    /// The watermark that went with it.
    pub watermark: Option<Compared>,
    /// When it was replaced.
    pub replaced_at: Timestamp,
}

/// The verbs. Object safe; one implementation per database.
#[async_trait]
pub trait Monitors: Send + Sync {
    /// Makes a monitor of a draft. `Conflict` when the name is taken.
    async fn create_monitor(&self, org: OrgId, name: &str, draft: &str, now: Timestamp) -> Result<MonitorId>;
    /// The organisation's monitors, by id.
    async fn monitors(&self, org: OrgId) -> Result<Vec<MonitorRow>>;
    /// One monitor.
    async fn monitor(&self, org: OrgId, id: MonitorId) -> Result<MonitorRow>;
    /// Replaces the draft, and answers its new number. `Conflict` when it is not number `was` any more, or the name is
    /// taken. Deployed versions stay as they are.
    async fn save_draft(
        &self,
        org: OrgId,
        id: MonitorId,
        was: i64,
        name: &str,
        draft: &str,
        now: Timestamp,
    ) -> Result<i64>;
    /// Makes the draft the next version, and answers its number. `Conflict` when the draft is not number `was` any
    /// more.
    async fn deploy(&self, org: OrgId, id: MonitorId, was: i64, now: Timestamp) -> Result<i64>;
    /// The deployed versions of a monitor, newest first.
    async fn versions(&self, org: OrgId, id: MonitorId) -> Result<Vec<VersionRow>>;
    /// One of them.
    async fn version(&self, org: OrgId, id: MonitorId, version: i64) -> Result<VersionRow>;
    /// Removes a monitor with its versions. `Conflict` while a subscription uses it.
    async fn delete_monitor(&self, org: OrgId, id: MonitorId) -> Result<()>;

    /// Makes a subscription with its poller (kind `subscription`, named like it, revision 1) and its own endpoint, if
    /// it has one, which starts at the end of the log. `Conflict` when another subscription of the instance has the
    /// name.
    async fn subscribe(&self, new: NewSubscription, now: Timestamp) -> Result<SubscriptionId>;
    /// Subscriptions of an organisation, by id.
    async fn subscriptions(&self, org: OrgId, filter: SubscriptionFilter) -> Result<Vec<SubscriptionRow>>;
    /// One subscription.
    async fn subscription(&self, org: OrgId, id: SubscriptionId) -> Result<SubscriptionRow>;
    /// The subscription that a poller runs, and the document of its version. `None` when there is none.
    async fn running(&self, poller: PollerId) -> Result<Option<(SubscriptionRow, String)>>;
    /// Changes a subscription; its poller gets the next revision and keeps ledger and claim. `Conflict` when it is not
    /// at revision `was` any more. Another version needs `judged_by` (`Conflict` without), and is refused with
    /// `Conflict` when the poller's state is another one or a run holds the lease. With `state` the poller's state is
    /// replaced in the same transaction, as by [`crate::Store::set_state`], under the same condition. An endpoint keeps
    /// position and state; one that is new starts at the end of the log; one that is left out is removed and its open
    /// notifications are cancelled: later events go where the instance's go.
    async fn change_subscription(
        &self,
        org: OrgId,
        id: SubscriptionId,
        change: SubscriptionChange,
        now: Timestamp,
    ) -> Result<()>;
    /// Switches a subscription on (due at `due`) or off. A run in flight may still finish; cursor and ledger stay. One
    /// that is switched on runs only while its instance is enabled and its poller is not paused.
    async fn set_active(&self, org: OrgId, id: SubscriptionId, active: bool, due: Timestamp) -> Result<()>;
    /// Removes a subscription: its poller, ledger, cursors and endpoint; open notifications of that endpoint are
    /// cancelled. Its events, runs and notifications stay for their retention.
    async fn unsubscribe(&self, org: OrgId, id: SubscriptionId, now: Timestamp) -> Result<()>;
    /// States of a poller that were replaced, the latest first, at most `limit`: by [`crate::Store::set_state`], and
    /// those of a subscription also by runs that changed the cursor
    /// ([`turnstone_core::poll::FlowRecord::cursor_changed`]). Of each poller [`CURSORS_KEPT_MAX`] are kept.
    async fn cursors(&self, org: OrgId, poller: PollerId, limit: u32) -> Result<Vec<CursorRow>>;
    /// What the cards of a run did, as JSON; `None` where it is not kept (any more): of each subscription the last
    /// [`TRACES_KEPT_MAX`] are. It goes with its run.
    async fn trace(&self, org: OrgId, run: RunId) -> Result<Option<String>>;
}

/// Why a change is refused that was made from what is not there any more.
pub(crate) fn changed_meanwhile() -> StoreError {
    StoreError::Conflict("the subscription was changed meanwhile; read it again".into())
}

/// Why a change is refused that a run might cross.
pub(crate) fn run_under_way() -> StoreError {
    StoreError::Conflict("a run of this poller is under way; try again when it is over".into())
}
