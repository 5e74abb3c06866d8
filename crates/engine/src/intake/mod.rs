//! Takes in what providers notify: durable first, then answered, then made into events.
//!
//! ```text
//!   request ─► door (whose, allowed, a question?) ─► store: kept ─► answered
//!                                                      │
//!                                      settling ◄──────┘  event hook ─► events, hints for pollers, or put aside
//! ```
//!
//! The two halves share nothing but rows. A crash before a request is kept leaves it unanswered, and its sender tries
//! again; a crash after it finds the row. Running a hook twice gives the same events under the same ids, and a request
//! is settled in one transaction or not at all.
//!
//! Not here: reading requests from sockets (the binary), what a scheme of verification says and what a reported event
//! means (the core), sending notifications (`deliverer`), reading the records that were named (`poller`).

mod address;
mod backlog;
mod door;
mod hooks;
mod settling;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use turnstone_core::id::OrgId;
use turnstone_store::StoreError;

use self::backlog::Backlog;
use self::door::Refusals;
use crate::clock::{Clock, Entropy};
use crate::prepare::Preparer;

pub use address::{Address, new_address, new_intake};
pub use door::{Answer, RefusalNote, Target};
pub use hooks::{ConnectorHooks, EventHooks, Failure};
pub use settling::Settled;

/// What intake works with.
pub struct Parts {
    /// Where requests are kept.
    pub store: Arc<dyn turnstone_store::Intake>,
    /// Checks and opens documents, and knows connectors.
    pub preparer: Arc<Preparer>,
    /// Runs event hooks.
    pub hooks: Arc<dyn EventHooks>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Bounds.
    pub limits: Limits,
    /// Told when events were recorded or pollers made due.
    pub on_settled: Arc<dyn Fn(Settled) + Send + Sync>,
}

/// Bounds of intake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests that are being kept at once; more are told to come back.
    pub keeping: usize,
    /// Requests of one organisation that wait for their hooks; more are told to come back.
    pub waiting_per_org: u64,
    /// Hooks at once.
    pub hooks: usize,
    /// How often the store is looked at without a hint.
    pub scan: Duration,
    /// How long after a notification its records are looked at: those named together are looked at together.
    pub look_after: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            keeping: 512,
            waiting_per_org: 50_000,
            hooks: 8,
            scan: Duration::from_secs(5),
            look_after: Duration::from_secs(1),
        }
    }
}

/// Takes in requests, and makes events of them. Clones share everything.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    parts: Parts,
    keeping: tokio::sync::Semaphore,
    backlog: Backlog,
    refusals: Refusals,
    wake: Notify,
}

impl Intake {
    /// An intake over these parts.
    pub fn new(parts: Parts) -> Intake {
        Intake(Arc::new(Inner {
            keeping: tokio::sync::Semaphore::new(parts.limits.keeping),
            backlog: Backlog::default(),
            refusals: Refusals::default(),
            wake: Notify::new(),
            parts,
        }))
    }

    /// Tells that a request of an organisation waits for its hook again.
    pub fn released(&self, org: OrgId) {
        self.0.backlog.add(org);
        self.wake();
    }

    /// Hints that a request may wait for its hook. A hint that is lost costs at most one [`Limits::scan`].
    fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Counts what waits: at the start, so that the bound of an organisation holds from then on, and before it is told
    /// to come back.
    async fn count(&self) -> Result<(), StoreError> {
        let counts = self.0.parts.store.waiting_by_org().await?;
        self.0.backlog.set(counts);
        Ok(())
    }
}
