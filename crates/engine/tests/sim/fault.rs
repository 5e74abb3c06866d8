//! Faults that are planted to prove that the oracle sees them. None of them touches the code under test: they change
//! what it is told, or what is done with what it says.

/// A planted fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A strict filter is declared as inclusive.
    StrictOperator,
    /// The watermark is set to the end of the pass.
    WatermarkAtEnd,
    /// Nothing is known of any version, and ids of events are drawn.
    NoLedger,
    /// A stale lease may write.
    NoFence,
    /// Shifting lists are read once.
    DriftUnchecked,
    /// The first pass takes everything as known.
    BaselineSwallows,
    /// Events leave before they are recorded.
    PrintBeforeCommit,
    /// Content is compared by its raw bytes.
    RawHash,
    /// What notifications name is forgotten. Nothing may come of it: polls reconcile.
    HintsForgotten,
    /// Runs that look at named records know nothing of the ledger, and their events' ids are drawn.
    LookWithoutLedger,
    /// A notification is answered before it is kept.
    AcknowledgedBeforeKept,
    /// A notification that is sent again is taken for a new one.
    RepeatsUnknown,
    /// What somebody else has settled is settled again.
    SettledTwice,
    /// Notifications are settled in another order than they came in.
    SettledUnordered,
    /// Dates of the cursor are read as they were saved.
    OverlapIgnored,
    /// *Now* is what our own clock says.
    NowByOurClock,
    /// A run that failed, or whose flow could not fetch, saves *Now* as its cursor all the same.
    FailureMovesCursor,
    /// The cursor is written first, and its events after it.
    CursorBeforeEvents,
    /// What one subscription reported is known to the others.
    LedgerShared,
    /// Nothing is known of what a subscription reported, and its events' ids are drawn.
    FlowWithoutLedger,
    /// Events are written first, and their run with its cursor after them.
    EventsBeforeCursor,
}

impl Fault {
    pub const ALL: [Fault; 8] = [
        Fault::StrictOperator,
        Fault::WatermarkAtEnd,
        Fault::NoLedger,
        Fault::NoFence,
        Fault::DriftUnchecked,
        Fault::BaselineSwallows,
        Fault::PrintBeforeCommit,
        Fault::RawHash,
    ];

    /// Those of providers that notify us.
    pub const OF_INTAKE: [Fault; 5] = [
        Fault::LookWithoutLedger,
        Fault::AcknowledgedBeforeKept,
        Fault::RepeatsUnknown,
        Fault::SettledTwice,
        Fault::SettledUnordered,
    ];

    /// Those of monitors.
    pub const OF_FLOWS: [Fault; 7] = [
        Fault::OverlapIgnored,
        Fault::NowByOurClock,
        Fault::FailureMovesCursor,
        Fault::CursorBeforeEvents,
        Fault::LedgerShared,
        Fault::FlowWithoutLedger,
        Fault::EventsBeforeCursor,
    ];
}
