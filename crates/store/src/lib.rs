//! Where Turnstone keeps what it knows: five traits of the domain's verbs, several databases behind them.
//!
//! [`Store`] is what pollers and deliverers need; [`Intake`] is what providers send us; [`Monitors`] is flows of cards
//! and who uses them; [`Directory`] is people, connectors and what belongs to them; [`Watch`] is what people look at.
//!
//! Every verb holds its transaction inside; nobody reads, thinks and writes from outside. What must agree is written
//! together, and every write on behalf of a run or an attempt checks its lease first. All databases pass the same
//! [`suite`].
//!
//! Not here: HTTP, hooks, and policy. When to retry, what a record means and who is next are decided elsewhere.

pub mod api;
pub mod directory;
pub mod faulty;
pub mod intake;
pub mod memory;
pub mod monitors;
pub mod sqlite;
pub mod suite;
pub mod watch;

pub use api::*;
pub use directory::*;
pub use intake::{
    EventCount, InboundCounts, InboundFilter, InboundOutcome, InboundRow, InboundState, Intake, Interval,
    NewInbound, NewIntake, Received, SettledAs, Settlement, WaitingRequest,
};
pub use monitors::{
    CURSORS_KEPT_MAX, CursorRow, MonitorRow, Monitors, NewSubscription, SubscriptionChange,
    SubscriptionFilter, SubscriptionRow, SubscriptionSettings, TRACES_KEPT_MAX, Timing, VersionRow,
};
pub use watch::{
    EndpointFilter, EndpointView, Health, Open, Overview, Place, PollerFilter, RecordStory, RunFilter, Watch,
};
