//! The poll: one pass over a resource, as a run of steps.
//!
//! ```text
//!            ┌───────────────────────── next page ──────────────────────────┐
//!            ▼                                                              │
//!  start ─► Fetch ─► reading ─► Recall ─► deciding ─► Commit ───────────────┤
//!            ▲        │ border broken,      │                               │
//!            └────────┘ order broken        │ end of the read               │
//!                                           ▼                               │
//!                                    do the reads agree? ── no ─────────────┘
//!                                           │ yes
//!                      sweep: look at what is missing ─► Done
//! ```
//!
//! Beside it, `looking` reads single records that notifications of the provider named.
//!
//! A pass may take several runs: its row (the checkpoint) goes with every commit. The machine decides and does no IO;
//! rules are those of design section 4, by number in the comments.
//!
//! Not here: what a record means (`change`), the bound (`window`), the way to the next page (`page`).

mod closing;
mod deciding;
mod looking;
mod machine;
mod outcome;
mod reading;
mod sighting;
mod state;
mod sweeping;
#[cfg(test)]
mod tests;

pub(crate) use deciding::{Overlay, order, repeated};
pub use looking::{Named, Notices};
pub(crate) use machine::redacted;
pub use machine::{Options, Plan, Start, start};
pub use outcome::{
    Batch, Decision, Finish, FlowRecord, Heard, Ignored, RunFault, RunKind, RunOutcome, RunRecord, Status,
    Story, Verdict,
};
pub use reading::RECONNECT_NEEDED;
pub use state::{BaselineState, Brake, Group, Hold, Lateness, Pass, PollerState, TrailMark, Validators};
