//! Runs of monitors: a subscription's turn from claim to commit, and rehearsals that write nothing.
//!
//! ```text
//!   claim ─► subscription, version, connection ─► flow ─► ledger asked ─► one transaction: events, ledger, cursor
//!                                     (`driver` over `link`)
//! ```
//!
//! Not here: when a run is due and who may claim it (`poller`), what cards do and what becomes of records (the core's
//! `flow`).

mod driver;
mod link;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use turnstone_core::cadence::{Cadence, Pattern};
use turnstone_core::date::ZoneRules;
use turnstone_core::flow::Flow;
use turnstone_core::flow::check::check;
use turnstone_core::flow::document::Document;
use turnstone_core::flow::records::{Judged, Moments, Returned, Subscription};
use turnstone_core::flow::run::{Bounds, Entry, FlowEnd, FlowStart};
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::flow::turn::{FlowPlan, FlowTurn, now_at};
use turnstone_core::id::{MonitorId, PollerId, RunId};
use turnstone_core::ledger::Known;
use turnstone_core::poll::{Finish, RunFault};
use turnstone_store::{Claim, InstanceRow, Monitors, Store, StoreError, SubscriptionRow, Timing};

pub use self::link::Link;
use crate::calls::Calls;
use crate::clock::{Clock, Entropy};
use crate::egress::{Bodies, BodyBudget, Net};
use crate::prepare::Preparer;
use crate::stop::Stop;

/// Versions that are kept ready to run; beyond this number all are forgotten and read again.
const READY_MAX: usize = 1_000;

/// What flows are run with.
pub struct Parts {
    /// Ledgers.
    pub store: Arc<dyn Store>,
    /// Monitors and subscriptions, in the same database.
    pub monitors: Arc<dyn Monitors>,
    /// Opens documents of instances.
    pub preparer: Arc<Preparer>,
    /// Makes authorised requests of instances that were made from connectors; `None` where there are none.
    pub calls: Option<Calls>,
    /// The way out.
    pub net: Arc<dyn Net>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Memory of all answers.
    pub budget: BodyBudget,
    /// How zone names are understood.
    pub zones: ZoneRules,
}

/// Runs monitors. Clones share what is kept ready.
#[derive(Clone)]
pub struct Flows(Arc<Inner>);

struct Inner {
    parts: Parts,
    ready: Mutex<HashMap<(MonitorId, i64), Arc<Flow>>>,
}

/// What came of a turn.
pub(crate) enum FlowRun {
    /// Its end, to be written.
    Finish(Box<Finish>),
    /// A stop was asked for; nothing came of it.
    Stopped,
}

/// A run that writes nothing.
pub struct Rehearsal {
    /// What runs.
    pub flow: Arc<Flow>,
    /// Where it begins.
    pub entry: Entry,
    /// The state that it starts from: its cursor, and what is known of the provider's clock.
    pub state: SubscriptionState,
    /// Values of options by label.
    pub options: Vec<(String, String)>,
    /// The subscription whose ledger is asked what would be reported; without one nothing is known.
    pub subscription: Option<Subscription>,
}

/// What came of a rehearsal.
#[derive(Debug)]
pub struct Rehearsed {
    /// The end of the flow, with what every card got and gave. Texts of the provider may repeat secrets:
    /// [`Link::redacted`] takes them out.
    pub end: FlowEnd,
    /// What would be reported of its records, and why not of others. `Err`: they could not be judged.
    pub judged: Option<Result<Judged, String>>,
}

impl Flows {
    /// Flows with these parts.
    pub fn new(parts: Parts) -> Flows {
        Flows(Arc::new(Inner { parts, ready: Mutex::default() }))
    }

    /// The connection of an instance, for flows.
    pub async fn link(&self, row: &InstanceRow) -> Result<Link, RunFault> {
        let Parts { preparer, calls, net, clock, budget, .. } = &self.0.parts;
        let (net, clock, bodies) = (Arc::clone(net), Arc::clone(clock), Bodies::new(budget));
        match (calls, row.element) {
            (Some(calls), Some(_)) => Link::of_account(calls.clone(), row, net, clock, bodies).await,
            (None, _) | (_, None) => {
                let prepared = preparer.prepare(row, clock.now()).await.map_err(|error| error.fault())?;
                Link::of_document(&prepared, net, clock, bodies)
            }
        }
    }

    /// Runs a flow over a link, and writes nothing.
    pub async fn rehearse(&self, rehearsal: Rehearsal, link: &Link, stop: &Stop) -> Option<Rehearsed> {
        let Parts { store, clock, entropy, zones, .. } = &self.0.parts;
        let started_at = clock.now();
        let provider_now = now_at(&rehearsal.state, started_at);
        let run = RunId::new(started_at, entropy.next_u64());
        let judges = rehearsal.entry == Entry::Monitor;
        let start = FlowStart {
            flow: Arc::clone(&rehearsal.flow),
            entry: rehearsal.entry,
            cursor: rehearsal.state.cursor,
            options: rehearsal.options,
            now: started_at,
            provider_now,
            seed: entropy.next_u64(),
            execution: run.to_string(),
            base_url: link.base_url().map(str::to_owned),
            zones: *zones,
            bounds: Bounds::default(),
        };
        let (end, _) = driver::drive(start, link, clock.as_ref(), stop).await?;
        let Ok(outcome) = end.result.as_ref().map_err(|_| ()).cloned() else {
            return Some(Rehearsed { end, judged: None });
        };
        if !judges {
            return Some(Rehearsed { end, judged: None });
        }
        let moments = Moments { run, started_at, finished_at: end.finished_at, provider_time: provider_now };
        let returned = Returned::new(&rehearsal.flow, outcome.records);
        let judged = judged(store.as_ref(), &returned, rehearsal.subscription, moments).await;
        Some(Rehearsed { end, judged: Some(judged) })
    }

    /// Carries out a turn of a claimed subscription up to its end, which the caller writes.
    pub(crate) async fn turn(
        &self,
        claim: &Claim,
        run: RunId,
        now: Timestamp,
        stop: &Stop,
    ) -> Result<FlowRun, TurnError> {
        let Parts { store, clock, entropy, .. } = &self.0.parts;
        let (plan, link) = self.plan(claim).await?;
        let state = SubscriptionState::read(&claim.poller.state).map_err(|error| {
            let sentence = format!(
                "the state of subscription `{}` cannot be read ({error}); reset its cursor",
                claim.poller.resource
            );
            RunFault::new("badState", sentence, false)
        })?;
        let mut turn = FlowTurn {
            plan,
            state,
            run,
            started_at: now,
            due: claim.poller.next_due,
            entropy: entropy.next_u64(),
            bounds: Bounds::default(),
            ceiling: None,
        };
        let Some((mut end, mut seen)) = driver::drive(turn.start(), &link, clock.as_ref(), stop).await else {
            return Ok(FlowRun::Stopped);
        };
        if let Some(again) = turn.again(&end, seen, clock.now()) {
            tracing::info!(%run, poller = %claim.poller.id, "the provider's clock is behind; the run begins anew");
            turn = again;
            match driver::drive(turn.start(), &link, clock.as_ref(), stop).await {
                Some((second, clock)) => (end, seen) = (second, clock),
                None => return Ok(FlowRun::Stopped),
            }
            if turn.was_ahead(&end, seen) {
                let sentence = format!(
                    "the provider's clock moves by more than a second from request to request, so `{}` cannot tell \
                     what is new; nothing was written, and it is tried again",
                    claim.poller.resource
                );
                return Err(RunFault::new("unsteadyClock", sentence, true).into());
            }
        }
        let ended = turn.ended(end, seen);
        let known = match ended.recall() {
            Some(recall) => Some(store.recall(claim.poller.id, &recall).await?),
            None => None,
        };
        Ok(FlowRun::Finish(Box::new(ended.finish(known, &|text| link.redacted(text)))))
    }

    /// Everything that a run of a subscription starts from, or why it cannot.
    async fn plan(&self, claim: &Claim) -> Result<(FlowPlan, Link), TurnError> {
        let Parts { monitors, zones, .. } = &self.0.parts;
        let Some((row, document)) = monitors.running(claim.poller.id).await? else {
            let sentence = format!("the subscription `{}` is gone; nothing is run", claim.poller.resource);
            return Err(RunFault::new("gone", sentence, false).into());
        };
        let flow = self.ready(&row, &document)?;
        let link = self.link(&claim.instance).await?;
        let cadence = cadence(&row.timing, *zones).map_err(|sentence| {
            RunFault::new("badConfiguration", format!("`{}`: {sentence}", row.name), false)
        })?;
        let subscription = Subscription {
            org: row.org,
            instance: row.instance,
            poller: claim.poller.id,
            element_key: claim.instance.element_key.clone(),
            mode: row.mode,
        };
        let plan = FlowPlan {
            subscription,
            flow,
            version: row.version,
            revision: row.revision,
            options: options_of(&row.options),
            cadence,
            interval: row.timing.interval,
            base_url: link.base_url().map(str::to_owned),
            zones: *zones,
        };
        Ok((plan, link))
    }

    /// When a claimed subscription is due, for a run that did not come so far as to know; `None` when that cannot be
    /// told.
    pub(crate) async fn cadence_of(&self, poller: PollerId) -> Option<Cadence> {
        let Parts { monitors, zones, .. } = &self.0.parts;
        let (row, _) = monitors.running(poller).await.ok()??;
        cadence(&row.timing, *zones).ok()
    }

    /// A deployed version, checked once.
    fn ready(&self, row: &SubscriptionRow, document: &str) -> Result<Arc<Flow>, RunFault> {
        let key = (row.monitor, row.version);
        let lock = || self.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flow) = lock().get(&key) {
            return Ok(Arc::clone(flow));
        }
        let flow = read_flow(document).map_err(|sentence| {
            let sentence = format!(
                "version {} of the monitor of `{}` cannot be run: {sentence}; deploy another one",
                row.version, row.name
            );
            RunFault::new("badMonitor", sentence, false)
        })?;
        let mut ready = lock();
        if ready.len() >= READY_MAX {
            ready.clear();
        }
        ready.insert(key, Arc::clone(&flow));
        Ok(flow)
    }
}

/// Why a turn has no end of its own.
pub(crate) enum TurnError {
    /// The run failed before or beside its flow.
    Fault(RunFault),
    /// The store did not answer.
    Store(StoreError),
}

impl From<RunFault> for TurnError {
    fn from(fault: RunFault) -> TurnError {
        TurnError::Fault(fault)
    }
}

impl From<StoreError> for TurnError {
    fn from(error: StoreError) -> TurnError {
        TurnError::Store(error)
    }
}

/// What would become of records. Without a subscription the ledger knows nothing.
async fn judged(
    store: &dyn Store,
    returned: &Returned,
    subscription: Option<Subscription>,
    moments: Moments,
) -> Result<Judged, String> {
    let known = match (returned.recall(), &subscription) {
        (Some(recall), Some(subscription)) => match store.recall(subscription.poller, &recall).await {
            Ok(Known::Versions(known)) => known,
            Ok(Known::Missing { .. }) => Vec::new(),
            Err(error) => return Err(format!("the ledger cannot be read ({error}); try again")),
        },
        (Some(turnstone_core::ledger::Recall::Versions(versions)), None) => {
            versions.iter().map(|_| turnstone_core::ledger::KnownVersion::default()).collect()
        }
        (Some(_), None) | (None, _) => Vec::new(),
    };
    let nobody = || Subscription {
        org: turnstone_core::id::OrgId(0),
        instance: turnstone_core::id::InstanceId(0),
        poller: PollerId(0),
        element_key: String::new(),
        mode: turnstone_core::flow::records::RunMode::EachRecord,
    };
    returned.judge(&subscription.unwrap_or_else(nobody), moments, known)
}

/// Reads and checks a stored document. The error is its first fault.
pub fn read_flow(document: &str) -> Result<Arc<Flow>, String> {
    let value: serde_json::Value = serde_json::from_str(document).map_err(|error| error.to_string())?;
    let document = Document::read(&value).map_err(|faults| first(&faults))?;
    let checked = check(&document);
    checked.flow.map(Arc::new).ok_or_else(|| first(&checked.faults))
}

fn first(faults: &[turnstone_core::check::Fault]) -> String {
    faults.first().map_or_else(|| "it is not understood".to_owned(), ToString::to_string)
}

/// When a subscription is due, from what is stored of it.
pub fn cadence(timing: &Timing, zones: ZoneRules) -> Result<Cadence, String> {
    match &timing.cron {
        None => Ok(Cadence::Every(timing.interval)),
        Some((pattern, zone)) => {
            Pattern::parse(pattern, zone, zones).map(|pattern| Cadence::At(Box::new(pattern)))
        }
    }
}

/// Values of options by label, from what is stored of them.
pub fn options_of(text: &str) -> Vec<(String, String)> {
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let value = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    members.into_iter().map(|(label, member)| (label, value(member))).collect()
}
