//! The rows and the claims on them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use turnstone_core::id::{EndpointId, InstanceId, NotificationId, OrgId, PollerId, RunId, TokenId, UserId};
use turnstone_core::poll::{Decision, RunRecord};

use super::directory::Rows;
use super::intake::{Hint, Requests};
use super::log::Log;
use super::monitors::Flows;
use super::polls::Ledger;
use crate::api::*;
use crate::directory::OrgRow;

/// Everything, in ordered maps, so that what a simulated world sees does not depend on chance.
#[derive(Clone, Default)]
pub(super) struct State {
    open_epoch: u64,
    claims: u64,
    pub numbers: Numbers,
    pub orgs: BTreeMap<OrgId, OrgRow>,
    pub tokens: BTreeMap<[u8; 32], Token>,
    pub directory: Rows,
    pub instances: BTreeMap<InstanceId, Instance>,
    pub instance_tokens: HashMap<[u8; 32], InstanceId>,
    pub pollers: BTreeMap<PollerId, Poller>,
    pub runs: BTreeMap<RunId, Run>,
    pub endpoints: BTreeMap<EndpointId, Endpoint>,
    pub notifications: BTreeMap<NotificationId, Notification>,
    pub log: Log,
    pub intake: Requests,
    pub flows: Flows,
}

/// The last number given to each kind of row.
#[derive(Clone, Default)]
pub(super) struct Numbers {
    pub org: i64,
    pub token: i64,
    pub user: i64,
    pub part: i64,
    pub element: i64,
    pub date_format: i64,
    pub audit: i64,
    pub instance: i64,
    pub poller: i64,
    pub endpoint: i64,
    pub notification: i64,
    pub inbound: i64,
}

/// The number after the last one.
pub(super) fn next(number: &mut i64) -> i64 {
    *number += 1;
    *number
}

/// A token of an organisation or of a user.
#[derive(Clone)]
pub(super) struct Token {
    pub id: TokenId,
    pub org: OrgId,
    pub user: Option<UserId>,
    pub created_at: Timestamp,
}

/// An instance and its token.
#[derive(Clone)]
pub(super) struct Instance {
    pub row: InstanceRow,
    pub token_hash: [u8; 32],
}

/// A poller, its claim and its ledger.
#[derive(Clone)]
pub(super) struct Poller {
    pub row: PollerRow,
    /// Whether it never runs: it numbers the records of a resource that only notifications tell of.
    pub is_intake: bool,
    /// What notifications named, by record.
    pub hints: BTreeMap<String, Hint>,
    /// The largest number under which something was named.
    pub hinted: i64,
    pub claim: Option<Held>,
    /// Decisions of the run that holds the claim; they belong to it once it finishes.
    pub decisions: Vec<Decision>,
    pub ledger: Ledger,
}

/// A run that ended.
#[derive(Clone)]
pub(super) struct Run {
    pub org: OrgId,
    pub record: RunRecord,
    pub decisions: Vec<Decision>,
}

/// An endpoint and what waits there.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub row: EndpointRow,
    /// Positions that it passed over because their record had to wait.
    pub held: BTreeSet<i64>,
    /// Its open notifications.
    pub open: BTreeSet<NotificationId>,
}

/// A notification, its members and its attempts.
#[derive(Clone)]
pub(super) struct Notification {
    pub row: NotificationRow,
    pub members: Vec<i64>,
    pub claim: Option<Held>,
    pub attempts: Vec<AttemptRow>,
}

/// A claim on a row.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub epoch: u64,
    until: i64,
}

impl Held {
    /// Whether somebody else may take the row.
    pub fn ran_out(self, now: Timestamp) -> bool {
        self.until <= now.as_microsecond()
    }

    /// Makes it last from `now` on.
    pub fn prolong(&mut self, now: Timestamp, lease_for: Duration) {
        self.until = end(now, lease_for);
    }
}

/// Whether a claim stands at `now`.
pub(super) fn stands(claim: Option<Held>, now: Timestamp) -> bool {
    claim.is_some_and(|held| !held.ran_out(now))
}

/// The end of a lease in microseconds; a lease longer than time itself ends with it.
pub(super) fn end(now: Timestamp, lease_for: Duration) -> i64 {
    let length = i64::try_from(lease_for.as_micros()).unwrap_or(i64::MAX);
    now.as_microsecond().saturating_add(length)
}

/// The instant as it is kept: in whole microseconds.
pub(super) fn micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

impl State {
    /// How often it was opened.
    pub fn open_epoch(&self) -> u64 {
        self.open_epoch
    }

    /// Ends every claim; leases of any earlier opening, and of those up to `other_epoch`, never match again.
    pub fn open_anew(&mut self, other_epoch: u64) {
        self.open_epoch = self.open_epoch.max(other_epoch) + 1;
        self.claims = 0;
        for poller in self.pollers.values_mut() {
            poller.give_up();
        }
        for notification in self.notifications.values_mut() {
            notification.claim = None;
        }
    }

    /// A claim that no earlier lease matches.
    pub fn new_claim(&mut self, now: Timestamp, lease_for: Duration) -> Held {
        self.claims += 1;
        Held { epoch: (self.open_epoch << 32) + self.claims, until: end(now, lease_for) }
    }

    /// The poller of a lease that holds.
    pub fn leased(&mut self, lease: Lease<PollerId>) -> Option<&mut Poller> {
        let poller = self.pollers.get_mut(&lease.id)?;
        poller.claim.is_some_and(|held| held.epoch == lease.epoch).then_some(poller)
    }
}

impl Poller {
    /// Ends its claim, and with it what an unfinished run decided.
    pub fn give_up(&mut self) {
        self.claim = None;
        self.decisions.clear();
    }
}
