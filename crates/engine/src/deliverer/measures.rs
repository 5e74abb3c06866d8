//! What is measured of deliveries. Every name stands here.
//!
//! - `turnstone_delivery_attempts_total`, counter by `outcome`: attempts by what they led to. `delivered`, `retry`,
//!   `split`, `queued`, `dead`, `disabled`, or `stale` when somebody else had taken over.
//! - `turnstone_delivery_lag_seconds`, histogram: from the commit of a notification's oldest event until it was
//!   accepted.
//! - `turnstone_delivery_attempt_seconds`, histogram: how long the receiver took.
//! - `turnstone_delivery_in_flight`, gauge: attempts under way in this process.
//! - `turnstone_endpoints_stopped_total`, counter by `state`: endpoints that became `deactivated` or `disabled`.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

const ATTEMPTS: &str = "turnstone_delivery_attempts_total";
const LAG: &str = "turnstone_delivery_lag_seconds";
const ATTEMPT: &str = "turnstone_delivery_attempt_seconds";
const IN_FLIGHT: &str = "turnstone_delivery_in_flight";
const STOPPED: &str = "turnstone_endpoints_stopped_total";

pub(super) fn attempt(outcome: &'static str, duration: Duration) {
    counter!(ATTEMPTS, "outcome" => outcome).increment(1);
    histogram!(ATTEMPT).record(duration);
}

pub(super) fn lag(lag: Duration) {
    histogram!(LAG).record(lag);
}

pub(super) fn in_flight(count: usize) {
    // Counts of attempts are far below the integers that a float holds exactly.
    gauge!(IN_FLIGHT).set(count as f64);
}

pub(super) fn stopped(state: &'static str) {
    counter!(STOPPED, "state" => state).increment(1);
}
