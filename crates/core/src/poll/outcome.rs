//! What a poll hands to the store: batches while it runs, and its finish.
//!
//! Everything that must agree is in one value: the events, the ledger rows they rest on and the checkpoint of the pass
//! travel together, so that the store can write them in one transaction.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Event, EventType};
use crate::id::{InboundId, PollerId, RunId};
use crate::ledger::{Compared, Counts, Entry, Version};

/// One transaction of a running poll.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Entries to write, whole, replacing what is there.
    pub entries: Vec<Entry>,
    /// Versions that are known from now on.
    pub versions: Vec<Version>,
    /// Ids that this sweep has seen and that need no other change.
    pub swept: Vec<String>,
    /// The sweep that saw them.
    pub sweep: u64,
    /// Events, in order per record.
    pub events: Vec<Event>,
    /// Single decisions about records that led to no event.
    pub decisions: Vec<Decision>,
    /// The open pass, to be resumed after a crash. `None` leaves the stored one as it is.
    pub checkpoint: Option<String>,
    /// Records that a notification of the provider named and that were looked at.
    pub heard: Vec<Heard>,
}

/// A look at a record that a notification named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The record's id.
    pub object_id: String,
    /// The last request that named it before the look; a later one keeps it to be looked at.
    pub inbound: InboundId,
    /// Whether the look decided nothing, so that another one is due.
    pub again: bool,
}

impl Batch {
    /// Whether committing this would change nothing that matters: single decisions alone can wait for a later batch.
    pub fn is_idle(&self) -> bool {
        self.entries.is_empty()
            && self.versions.is_empty()
            && self.swept.is_empty()
            && self.events.is_empty()
            && self.heard.is_empty()
            && self.checkpoint.is_none()
    }

    /// Rows that this batch writes, for the bound of a commit group.
    pub fn rows(&self) -> usize {
        self.entries.len()
            + self.versions.len()
            + self.swept.len()
            + 2 * self.events.len()
            + self.decisions.len()
            + self.heard.len()
    }
}

/// What was decided about one record, for the run's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The record's id as the provider wrote it; empty when it has none.
    pub object_id: String,
    /// The event type, or `IGNORED` with the reason's code.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// Compared value as the provider wrote it.
    pub compared: String,
    /// Page of the pass, from 1.
    pub page: u32,
}

/// The verdict on one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// An event.
    Event(EventType),
    /// Taken as known without an event.
    Seeded,
    /// No event.
    Ignored(Ignored),
}

/// Why a record led to no event (design section 4, rule 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ignored {
    /// This version is in the ledger.
    Reported,
    /// Older than the rendered lower bound.
    BeforeWindow,
    /// Older than, or already replaced by, the last reported version, and read soon after that one.
    Superseded,
    /// No id, or unreadable.
    Quarantined,
    /// Left out by configuration.
    Filtered,
}

impl Ignored {
    /// The reason's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Ignored::Reported => "reported",
            Ignored::BeforeWindow => "before-window",
            Ignored::Superseded => "superseded",
            Ignored::Quarantined => "quarantined",
            Ignored::Filtered => "filtered",
        }
    }
}

/// The end of a run: its last transaction, which also releases the lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    /// What the last page brought.
    pub batch: Batch,
    /// Whether the pass is closed: its stored checkpoint is removed. An open pass keeps the batch's or the stored one.
    pub pass_closed: bool,
    /// The poller's state after the run, as [`crate::poll::PollerState`] writes it.
    pub state: String,
    /// The watermark after the run, for people and lists.
    pub watermark: Option<Compared>,
    /// How the poller is, for people and lists.
    pub status: Status,
    /// When it is due again.
    pub next_due: Timestamp,
    /// When it would be due without what notifications of its provider still have it look at, if that is later.
    pub regular_due: Option<Timestamp>,
    /// The last request whose hints the run knew of.
    pub hints_known: InboundId,
    /// Versions older than this leave the ledger.
    pub prune_versions_below: Option<Compared>,
    /// The run's record.
    pub run: RunRecord,
    /// What a run of a monitor leaves beside it.
    pub flow: Option<FlowRecord>,
}

/// What a run of a monitor leaves beside its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// What its cards did, as JSON: bounded, and without secrets.
    pub trace: String,
    /// Whether the cursor changed: then the state before goes into the cursor history.
    pub cursor_changed: bool,
    /// The version of the monitor that ran.
    pub version: i64,
    /// The revision of the subscription's settings that it ran under. When they were changed meanwhile, the due time
    /// that came with the change stays.
    pub revision: i64,
}

/// How a poller is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Stable code: `ok`, `starting`, or the code of what is wrong.
    pub code: String,
    /// One sentence for a person; empty when all is well.
    pub sentence: String,
    /// Whether a person is needed.
    pub needs_attention: bool,
}

impl Status {
    /// All is well.
    pub fn ok() -> Status {
        Status { code: "ok".into(), sentence: String::new(), needs_attention: false }
    }
}

/// One run, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Its poller.
    pub poller: PollerId,
    /// What it did.
    pub kind: RunKind,
    /// Our clock at its start.
    pub started_at: Timestamp,
    /// Our clock at its end.
    pub finished_at: Timestamp,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Code and sentence of what went wrong, if anything.
    pub error: Option<RunFault>,
    /// What it decided, counted.
    pub counts: Counts,
    /// Window, requests and notes, for people.
    pub story: Story,
}

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunKind {
    /// Reads what changed.
    Poll,
    /// Reads everything, to find what is gone or was missed.
    Sweep,
    /// Looks at the records that notifications of the provider named, one by one.
    Look,
    /// Carries out the flow of a monitor.
    Flow,
}

impl RunKind {
    /// The kind's code.
    pub fn as_str(self) -> &'static str {
        match self {
            RunKind::Poll => "poll",
            RunKind::Sweep => "sweep",
            RunKind::Look => "look",
            RunKind::Flow => "flow",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    /// The pass is complete.
    Completed,
    /// The pass goes on in the next run.
    Yielded,
    /// Something went wrong; the watermark stays.
    Failed,
}

impl RunOutcome {
    /// The outcome's code.
    pub fn as_str(self) -> &'static str {
        match self {
            RunOutcome::Completed => "completed",
            RunOutcome::Yielded => "yielded",
            RunOutcome::Failed => "failed",
        }
    }
}

/// What went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFault {
    /// Stable code, such as `notAList` or `unreachable`.
    pub code: String,
    /// One sentence that names the place and the remedy.
    pub message: String,
    /// Whether trying again without a person may help.
    pub transient: bool,
}

/// What a person wants to see of a run, beyond its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Story {
    /// Lower bound of the window that was asked for.
    pub lower_bound: Option<Timestamp>,
    /// Provider's time at the start of the pass.
    pub provider_time: Option<Timestamp>,
    /// Our clock minus the provider's, in milliseconds, as measured at the start of the pass.
    pub clock_skew_ms: Option<i64>,
    /// The first requests, in order.
    pub requests: Vec<String>,
    /// Remarks: page borders that broke, reads that were repeated, modes that were left.
    pub notes: Vec<String>,
    /// The provider instant to which the poller is complete after this run.
    pub complete_to: Option<Timestamp>,
}
