//! The poll: one pass over a resource, as a run of steps.

mod outcome;

pub use outcome::{
    Batch, Decision, Finish, Ignored, RunFault, RunKind, RunOutcome, RunRecord, Status, Story, Verdict,
};
