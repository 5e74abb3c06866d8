//! The names of all metrics, in one place, with what they count.
//!
//! Whoever counts uses a constant of this module; whoever exports calls [`describe`] once. Labels are few and bounded:
//! never an id, a host or a name that a tenant chose.
//!
//! Not here: the exporter, which is the program's.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Runs that ended, by `outcome`: `completed`, `yielded`, `failed`, `lost` (its lease), `stopped`, `store`, `panicked`.
pub const RUNS: &str = "turnstone_runs_total";
/// How long runs took.
pub const RUN_SECONDS: &str = "turnstone_run_seconds";
/// Runs under way.
pub const RUNS_IN_FLIGHT: &str = "turnstone_runs_in_flight";
/// How long after its due time a run began.
pub const RUN_LAG_SECONDS: &str = "turnstone_run_lag_seconds";
/// Pages read.
pub const PAGES: &str = "turnstone_pages_total";
/// Records judged, by `verdict`: `created`, `updated`, `deleted`, `seeded`, or the reason for ignoring.
pub const RECORDS: &str = "turnstone_records_total";
/// Claims that were lost while their run was under way.
pub const LEASES_LOST: &str = "turnstone_leases_lost_total";
/// Claims of processes that are gone, given up by the keeper.
pub const LEASES_EXPIRED: &str = "turnstone_leases_expired_total";
/// Rows removed because their retention is over.
pub const ROWS_PRUNED: &str = "turnstone_rows_pruned_total";
/// Verbs of the store that failed, by the `loop` that called them: `poller`, `intake` or `keeper`.
pub const STORE_FAILURES: &str = "turnstone_store_failures_total";

/// Notifications of providers, by `outcome`: `kept`, `challenge`, `unknown`, `refused`, `busy`.
pub const INBOUND: &str = "turnstone_inbound_total";
/// Of the kept ones, those that had been sent before.
pub const INBOUND_REPEATS: &str = "turnstone_inbound_repeats_total";
/// Notifications whose hook has run, by `outcome`: `settled`, `quarantined`, `postponed`.
pub const INBOUND_SETTLED: &str = "turnstone_inbound_settled_total";
/// How long that took.
pub const INBOUND_SECONDS: &str = "turnstone_inbound_seconds";

/// Tells the exporter what each metric means.
pub fn describe() {
    describe_counter!(RUNS, Unit::Count, "Runs that ended, by outcome");
    describe_histogram!(RUN_SECONDS, Unit::Seconds, "How long runs took");
    describe_gauge!(RUNS_IN_FLIGHT, Unit::Count, "Runs under way");
    describe_histogram!(RUN_LAG_SECONDS, Unit::Seconds, "How long after its due time a run began");
    describe_counter!(PAGES, Unit::Count, "Pages read");
    describe_counter!(RECORDS, Unit::Count, "Records judged, by verdict");
    describe_counter!(LEASES_LOST, Unit::Count, "Claims lost while their run was under way");
    describe_counter!(LEASES_EXPIRED, Unit::Count, "Claims of processes that are gone");
    describe_counter!(INBOUND, Unit::Count, "Notifications of providers, by outcome");
    describe_counter!(INBOUND_REPEATS, Unit::Count, "Notifications that had been sent before");
    describe_counter!(INBOUND_SETTLED, Unit::Count, "Notifications whose hook has run, by outcome");
    describe_histogram!(INBOUND_SECONDS, Unit::Seconds, "How long hooks of notifications took");
    describe_counter!(ROWS_PRUNED, Unit::Count, "Rows removed after their retention");
    describe_counter!(
        STORE_FAILURES,
        Unit::Count,
        "Verbs of the store that failed, by the loop that called them"
    );
}
