//! Hooks: the contract between a request, an event or a response and a connector's JavaScript.
//!
//! A run of a hook is a value going in ([`HookCall`]: the script, its inputs, its limits, its time and its chance)
//! and a value coming out ([`HookOutcome`], or a [`HookFault`] that says in one sentence why there is none). What an
//! outcome does to a request or a response is decided here too ([`VendorRequest`], [`HookResponse`]), so that a
//! caller knows no merge rule. Values cross as JSON *text*: no number goes through a float on the way.
//!
//! Not here: a JavaScript engine, processes and clocks (the engine's `hooks`), and when a hook is called.

mod apply;
mod fault;
mod inputs;
mod outcome;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use apply::merge;
pub use apply::{HookBody, HookResponse, Next, VendorRequest};
pub use fault::{HookFault, Limit};
pub use inputs::{HookInputs, InputName};
pub use outcome::{HookEvent, HookOutcome, ResponseChange, VendorChange};

use crate::limits;

/// Where a hook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HookKind {
    /// Before a request goes to the provider.
    PreRequest,
    /// After its answer came.
    PostRequest,
    /// For a webhook of the provider.
    Event,
}

impl HookKind {
    /// The field's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            HookKind::PreRequest => "preRequest",
            HookKind::PostRequest => "postRequest",
            HookKind::Event => "event",
        }
    }
}

impl std::str::FromStr for HookKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "preRequest" => Ok(HookKind::PreRequest),
            "postRequest" => Ok(HookKind::PostRequest),
            "event" => Ok(HookKind::Event),
            _ => Err(()),
        }
    }
}

/// What one run of a hook may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookLimits {
    /// Time from the first instruction to the result.
    pub time: Duration,
    /// Bytes of the script's own memory.
    pub memory_bytes: usize,
    /// Bytes of its stack.
    pub stack_bytes: usize,
    /// Bytes of what it hands to `done`, as JSON.
    pub output_bytes: usize,
}

impl Default for HookLimits {
    fn default() -> Self {
        HookLimits {
            time: limits::HOOK_TIME_MAX,
            memory_bytes: limits::HOOK_MEMORY_BYTES_MAX,
            stack_bytes: limits::HOOK_STACK_BYTES_MAX,
            output_bytes: limits::HOOK_OUTPUT_BYTES_MAX,
        }
    }
}

/// One run of a hook, complete: the same call gives the same outcome, whenever and wherever it is made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HookCall {
    /// Where it stands.
    pub kind: HookKind,
    /// The script: the body of a function.
    pub body: String,
    /// An older hook: returns its result, and is not strict.
    pub is_legacy: bool,
    /// What it may read.
    pub inputs: HookInputs,
    /// What it may use.
    pub limits: HookLimits,
    /// The time that the script is told. Every look moves it on by a millisecond.
    pub now: Timestamp,
    /// Where its chance begins.
    pub seed: u64,
}

impl HookCall {
    /// Refuses a call that is too large to be sent to a worker.
    pub fn check_size(&self) -> Result<(), HookFault> {
        if self.body.len() > limits::HOOK_SCRIPT_BYTES_MAX {
            return Err(HookFault::TooLarge {
                what: "the script",
                bytes: self.body.len(),
                limit: limits::HOOK_SCRIPT_BYTES_MAX,
            });
        }
        let bytes = self.inputs.len_bytes();
        if bytes > limits::HOOK_INPUT_BYTES_MAX {
            return Err(HookFault::TooLarge {
                what: "the input",
                bytes,
                limit: limits::HOOK_INPUT_BYTES_MAX,
            });
        }
        Ok(())
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct HookReply {
    /// What the hook wants, or why nothing is known of it.
    pub result: Result<HookOutcome, HookFault>,
    /// What it said with `console.log`, at most [`limits::HOOK_LOG_LINES_MAX`] lines.
    pub log: Vec<String>,
    /// Lines that were not kept.
    pub log_dropped: u64,
    /// From sending the call to having the answer, waiting for a worker not counted.
    pub took: Duration,
}

impl HookReply {
    /// A reply without a run.
    pub fn failed(fault: HookFault) -> Self {
        HookReply { result: Err(fault), log: Vec::new(), log_dropped: 0, took: Duration::ZERO }
    }
}
