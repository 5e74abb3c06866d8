//! Why a run of a hook has no outcome, in one sentence.
//!
//! Not here: what the caller does about it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A bound that a script ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// Its time.
    Time,
    /// Its memory.
    Memory,
    /// Its stack.
    Stack,
    /// The size of its result.
    Output,
}

/// Why a run has no outcome. The sentence names the place and, where there is one, the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookFault {
    /// The script is not JavaScript.
    #[error("the hook does not compile{}: {message}", at(*line))]
    Syntax {
        /// Counted from 1, when the engine says.
        line: Option<u32>,
        /// The engine's words.
        message: String,
    },
    /// The script threw.
    #[error("the hook threw{}: {message}", at(*line))]
    Thrown {
        /// Counted from 1, when the engine says.
        line: Option<u32>,
        /// What was thrown.
        message: String,
    },
    /// It ended without a result.
    #[error(
        "the hook ended without a result; {}",
        if *.is_legacy { "return an object" } else { "call done({…}), or done() to change nothing" }
    )]
    NoDone {
        /// Whether it should have returned one.
        is_legacy: bool,
    },
    /// Its result has the wrong shape.
    #[error("the hook's result is wrong at `{member}`: {problem}")]
    Shape {
        /// The member, as a path: `events[2].event_type`.
        member: String,
        /// What is wrong there and what would be right.
        problem: String,
    },
    /// It took too long.
    #[error("the hook took longer than {} ms{}, make it do less at a time", limit.as_millis(), at(*line))]
    Deadline {
        /// The time it had.
        limit: Duration,
        /// Where it was, when the engine knows.
        line: Option<u32>,
    },
    /// It wanted too much memory.
    #[error("the hook wanted more than {} MiB of memory, make it hold less at a time", limit_bytes >> 20)]
    Memory {
        /// The memory it had.
        limit_bytes: usize,
    },
    /// It called itself too deeply.
    #[error("the hook's calls went too deep{}, replace the recursion by a loop", at(*line))]
    Stack {
        /// Counted from 1, when the engine says.
        line: Option<u32>,
    },
    /// Its result is too large.
    #[error("the hook's result has more than {limit} bytes, hand less to done")]
    OutputTooLarge {
        /// The bytes it had.
        limit: usize,
    },
    /// The script or its input is too large to be run.
    #[error("{what} of the hook has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// The script or the input.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// It asked for something that hooks do not get here.
    #[error(
        "the hook asks for {capability}, which hooks do not get here; make the request a resource of the connector"
    )]
    Refused {
        /// What it asked for.
        capability: String,
    },
    /// The process that ran it ended.
    #[error(
        "the process that ran the hook died ({how}); the hook may be at fault, try it with `turnstone hook run`"
    )]
    WorkerDied {
        /// How it ended.
        how: String,
    },
    /// Too many hooks wait already.
    #[error("{waiting} hooks wait for a worker already, try again later")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// No worker could be started.
    #[error("cannot start a worker for hooks ({why})")]
    NoWorker {
        /// The system's words.
        why: String,
    },
}

impl HookFault {
    /// The stable name of the kind.
    pub fn code(&self) -> &'static str {
        match self {
            HookFault::Syntax { .. } => "syntax",
            HookFault::Thrown { .. } => "thrown",
            HookFault::NoDone { .. } => "no-result",
            HookFault::Shape { .. } => "wrong-result",
            HookFault::Deadline { .. } => "time",
            HookFault::Memory { .. } => "memory",
            HookFault::Stack { .. } => "stack",
            HookFault::OutputTooLarge { .. } => "output",
            HookFault::TooLarge { .. } => "too-large",
            HookFault::Refused { .. } => "refused",
            HookFault::WorkerDied { .. } => "worker-died",
            HookFault::Busy { .. } => "busy",
            HookFault::NoWorker { .. } => "no-worker",
        }
    }

    /// The line of the script, counted from 1, when one is known.
    pub fn line(&self) -> Option<u32> {
        match self {
            HookFault::Syntax { line, .. }
            | HookFault::Thrown { line, .. }
            | HookFault::Deadline { line, .. }
            | HookFault::Stack { line } => *line,
            HookFault::NoDone { .. }
            | HookFault::Shape { .. }
            | HookFault::Memory { .. }
            | HookFault::OutputTooLarge { .. }
            | HookFault::TooLarge { .. }
            | HookFault::Refused { .. }
            | HookFault::WorkerDied { .. }
            | HookFault::Busy { .. }
            | HookFault::NoWorker { .. } => None,
        }
    }

    /// Whether the script ran into a bound.
    pub fn limit(&self) -> Option<Limit> {
        match self {
            HookFault::Deadline { .. } => Some(Limit::Time),
            HookFault::Memory { .. } => Some(Limit::Memory),
            HookFault::Stack { .. } => Some(Limit::Stack),
            HookFault::OutputTooLarge { .. } => Some(Limit::Output),
            HookFault::Syntax { .. }
            | HookFault::Thrown { .. }
            | HookFault::NoDone { .. }
            | HookFault::Shape { .. }
            | HookFault::TooLarge { .. }
            | HookFault::Refused { .. }
            | HookFault::WorkerDied { .. }
            | HookFault::Busy { .. }
            | HookFault::NoWorker { .. } => None,
        }
    }

    /// Whether the same call may well succeed later: the script is not at fault.
    pub fn is_passing(&self) -> bool {
        matches!(self, HookFault::Busy { .. } | HookFault::NoWorker { .. })
    }

    /// A wrong member of a result.
    pub(super) fn shape(member: impl Into<String>, problem: impl Into<String>) -> Self {
        HookFault::Shape { member: member.into(), problem: problem.into() }
    }
}

fn at(line: Option<u32>) -> String {
    line.map(|line| format!(" at line {line}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_sentence_with_its_place() {
        let cases = [
            (
                HookFault::Syntax { line: Some(3), message: "expecting ';'".into() },
                "the hook does not compile at line 3: expecting ';'",
            ),
            (HookFault::Thrown { line: None, message: "no".into() }, "the hook threw: no"),
            (
                HookFault::Deadline { limit: Duration::from_millis(2_000), line: Some(1) },
                "the hook took longer than 2000 ms at line 1, make it do less at a time",
            ),
            (HookFault::NoDone { is_legacy: true }, "the hook ended without a result; return an object"),
            (
                HookFault::Memory { limit_bytes: 64 << 20 },
                "the hook wanted more than 64 MiB of memory, make it hold less at a time",
            ),
        ];
        for (fault, expect) in cases {
            assert_eq!(fault.to_string(), expect);
        }
    }
}
