//! The run of a flow, as a machine of steps in the habits of [`crate::run`].
//!
//! ```text
//!   start ─► cards, as far as they go ─► Fetch (≤ 16 requests) ─┐
//!              ▲                    └──► Wait ──────────────────┤
//!              └────────────────────────────────────────────────┘
//!                                   └──► Done: records and cursor, or why there are none; and the trace
//! ```
//!
//! It decides everything and does no IO. Time and chance are inputs; a failed request is an answer, and the flow
//! decides what it means. A run changes nothing before its end: what the engine commits is the outcome, whole, or
//! nothing.
//!
//! Not here: credentials (the engine adds them to requests that are [`FlowRequest::authorised`]), what becomes of
//! records (`records`), schedules.

mod beginning;
mod cards;
mod conditions;
mod cursor;
mod http;
mod loops;
mod machine;
mod outputs;
mod showing;
mod trace;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::program::Flow;
use super::value::{Number, Object, Value};
use crate::date::ZoneRules;
use crate::event::EventType;
use crate::limits;
use crate::run::{Reply, Request};

pub(super) use cursor::can_be_cursor;
pub use cursor::read_cursor;
pub use trace::{CardTrace, Trace, redacted_json};

/// Everything that a run starts from.
#[derive(Clone, Debug)]
pub struct FlowStart {
    /// What runs.
    pub flow: Arc<Flow>,
    /// Where it begins.
    pub entry: Entry,
    /// The cursor that the last committed run saved, as JSON; `None` on the first run.
    pub cursor: Option<String>,
    /// Values of options by label.
    pub options: Vec<(String, String)>,
    /// Our clock.
    pub now: Timestamp,
    /// The provider's clock at the start of the run: what *Now* gives, for the whole run.
    pub provider_now: Timestamp,
    /// Chance.
    pub seed: u64,
    /// The run's id, for `execution` of errors and `context`.
    pub execution: String,
    /// Address that relative URLs continue, and whose origin gets the connection's credentials.
    pub base_url: Option<String>,
    /// How zone names are understood.
    pub zones: ZoneRules,
    /// What it may use.
    pub bounds: Bounds,
}

/// Where a run begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// The monitor itself.
    Monitor,
    /// A helper flow: `_authping`, or one that returns the values of a dropdown.
    Helper {
        /// Its name.
        name: String,
        /// Its parameters by name.
        values: Object,
    },
}

/// What a run may use. Crossing one of these ends the run, whatever `try` stands around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Cards.
    pub cards: u64,
    /// Flows that call one another.
    pub depth: usize,
    /// Time spent waiting.
    pub waits: Duration,
    /// Time from start to end, as answers and waits show it.
    pub time: Duration,
    /// Pages of a Paginate, calls of a Repeat.
    pub iterations: usize,
    /// Records of a Return Outputs.
    pub records: usize,
    /// Bytes of the values held at once, as JSON.
    pub value_bytes: usize,
    /// Bytes of all values ever made, as JSON: a bound on time that no step would show.
    pub work_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            cards: limits::FLOW_CARDS_MAX,
            depth: limits::FLOW_DEPTH_MAX,
            waits: limits::FLOW_WAITS_MAX,
            time: limits::FLOW_TIME_MAX,
            iterations: limits::FLOW_ITERATIONS_MAX,
            records: limits::FLOW_RECORDS_MAX,
            value_bytes: limits::FLOW_VALUE_BYTES_MAX,
            work_bytes: limits::FLOW_WORK_BYTES_MAX,
        }
    }
}

/// A request of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRequest {
    /// The request, with an absolute URL.
    pub request: Request,
    /// Whether it goes to the connection's own origin, so that the connection's credentials are added.
    pub authorised: bool,
    /// How long the card may take; the sender's own bound where the card names none.
    pub timeout: Option<Duration>,
}

/// What a run needs next.
#[derive(Debug)]
pub enum FlowStep {
    /// Send these requests, one to sixteen; answers come back in their order.
    Fetch(Vec<FlowRequest>, AwaitFetched),
    /// Wait.
    Wait(Duration, AwaitPause),
    /// The run is over.
    Done(Box<FlowEnd>),
}

/// Waits for the answers of a `Fetch`.
pub struct AwaitFetched(Box<machine::Machine>);

impl AwaitFetched {
    /// Answers with what came of the requests, in their order.
    pub fn resume(self, replies: Vec<Reply>) -> FlowStep {
        self.0.fetched(replies)
    }
}

/// Waits for the end of a pause.
pub struct AwaitPause(Box<machine::Machine>);

impl AwaitPause {
    /// Goes on. `now` is our clock after the pause.
    pub fn resume(self, now: Timestamp) -> FlowStep {
        self.0.woken(now)
    }
}

impl fmt::Debug for AwaitFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitFetched")
    }
}

impl fmt::Debug for AwaitPause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwaitPause")
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowEnd {
    /// What is to be committed, or why nothing is.
    pub result: Result<FlowOutcome, FlowError>,
    /// What every card got and gave.
    pub trace: Trace,
    /// Remarks for people, such as failures of flows that were called asynchronously.
    pub notes: Vec<String>,
    /// Cards that ran.
    pub cards: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Our clock at the end, as the last answer or wait showed it.
    pub finished_at: Timestamp,
}

/// What a run brings when it ends well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowOutcome {
    /// What Return Outputs was given.
    pub records: Vec<RecordOut>,
    /// The cursor that the last executed Cursor card saved, as JSON; `None` leaves the old one.
    pub cursor: Option<String>,
    /// What a helper flow returned, when the run began with one.
    pub returned: Object,
}

/// One returned record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordOut {
    /// The returned object, `{group: {field: value}}`, as JSON.
    pub body: String,
    /// Its id, where the monitor declares one and the record has it.
    pub id: Option<String>,
    /// The date of its last change, as the record has it.
    pub updated: Option<(String, Timestamp)>,
    /// What kind of event it is, where the monitor or the record says so.
    pub event_type: Option<EventType>,
}

/// Why a card, and with it perhaps the run, failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("card `{card}` of {flow}: {message}")]
pub struct FlowError {
    /// The failing card.
    pub card: String,
    /// Its place in the document.
    pub place: String,
    /// The flow that it stands in.
    pub flow: String,
    /// The input at fault, when one is.
    pub input: Option<String>,
    /// Stable code: that of a card (`missing-input`), `http-` and the status, the kind of a failed request, or the
    /// limit that was crossed.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// Status of the provider's answer, or of a Return Error.
    pub status: Option<u16>,
    /// The provider's own words, at most 8 KiB of them.
    pub raw: Option<String>,
    /// Whether trying again without a person may help.
    pub transient: bool,
    /// No `try` catches it: a bound of the run.
    pub fatal: bool,
    /// The pause that the provider asked for.
    #[serde(skip)]
    pub(in crate::flow) retry_after: Option<Duration>,
}

impl FlowError {
    /// The `error` that an If Error block and a handling flow get.
    pub(super) fn object(&self, execution: &str) -> Value {
        let code = match self.status {
            Some(status) => Value::Number(Number::from(i64::from(status))),
            None => Value::text(self.code.as_str()),
        };
        let mut members = Object::new();
        members.insert("message".into(), Value::text(self.message.as_str()));
        members.insert("code".into(), code);
        members.insert("method".into(), Value::text(self.card.as_str()));
        members.insert("flo".into(), Value::text(self.flow.as_str()));
        members.insert("execution".into(), Value::text(execution));
        members.insert("body".into(), self.raw.as_deref().map_or(Value::Null, Value::text));
        Value::object(members)
    }
}

/// Begins a run.
pub fn start(start: FlowStart) -> FlowStep {
    machine::Machine::start(start)
}
