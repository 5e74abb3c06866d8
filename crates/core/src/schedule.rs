//! When a poller is due next: its interval with jitter after success, a growing pause after failure.
//!
//! Missed ticks collapse into one: the next due time is counted from the end of a run, never from the ticks that a
//! long run or a sleeping machine let pass. Jitter spreads pollers that were created or restarted together.

use std::time::Duration;

use jiff::Timestamp;

/// Longest pause after failures, unless the provider asks for more.
pub const BACKOFF_MAX: Duration = Duration::from_secs(3600);

/// Longest pause that a provider's `Retry-After` is taken at its word for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// The next due time after a completed run: one interval after the *planned* time when that is still ahead, so that an
/// interval of 15 minutes stays 15 minutes however long the run took, else now plus a small part of the interval.
pub fn after_success(due: Timestamp, now: Timestamp, interval: Duration, entropy: u64) -> Timestamp {
    let interval = interval.max(Duration::from_millis(1));
    let planned = add(due, interval);
    if planned > now {
        return planned;
    }
    // Ticks were missed. One run stands for all of them; the next one comes within a tenth of the interval.
    add(now, part(interval / 10, entropy))
}

/// The first due time of a poller: spread over a tenth of its interval, at most 10 seconds, so that many instances
/// created at once do not poll in step.
pub fn first(now: Timestamp, interval: Duration, entropy: u64) -> Timestamp {
    add(now, part((interval / 10).min(Duration::from_secs(10)), entropy))
}

/// The next due time after the n-th failure in a row (from 1): exponential from a quarter of the interval (between 1 s
/// and 60 s), with full jitter over its upper half, at most [`BACKOFF_MAX`] or the interval, whichever is longer, and
/// never earlier than the provider asked.
pub fn after_failure(
    now: Timestamp,
    interval: Duration,
    failures: u32,
    retry_after: Option<Duration>,
    entropy: u64,
) -> Timestamp {
    let base = (interval / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
    let ceiling = BACKOFF_MAX.max(interval);
    let grown = base.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(ceiling);
    let jittered = grown / 2 + part(grown / 2, entropy);
    let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    add(now, jittered.max(asked))
}

/// A pause between nothing and `whole`, chosen by `entropy`.
pub fn part(whole: Duration, entropy: u64) -> Duration {
    let nanos = whole.as_nanos() * u128::from(entropy) / u128::from(u64::MAX);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// `at + pause`, stopping at the end of representable time.
pub fn add(at: Timestamp, pause: Duration) -> Timestamp {
    at.checked_add(pause).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_run_in_time_keeps_the_rhythm() {
        assert_eq!(after_success(at(600), at(620), MINUTE, 0), at(660));
    }

    #[test]
    fn missed_ticks_collapse_into_one() {
        let next = after_success(at(600), at(6_000), MINUTE, u64::MAX);
        assert!(next > at(6_000) && next <= at(6_006), "{next}");
    }

    #[test]
    fn failures_wait_longer_and_longer_up_to_the_ceiling() {
        let wait = |failures| after_failure(at(0), 4 * MINUTE, failures, None, u64::MAX).as_second();
        assert_eq!([wait(1), wait(2), wait(3)], [60, 120, 240]);
        assert_eq!(wait(40), 3600);
        assert!(after_failure(at(0), 4 * MINUTE, 1, None, 0).as_second() >= 30);
    }

    #[test]
    fn the_provider_is_not_asked_earlier_than_it_said() {
        let next = after_failure(at(0), MINUTE, 1, Some(Duration::from_secs(7_000)), 0);
        assert_eq!(next, at(7_000));
        let next = after_failure(at(0), MINUTE, 1, Some(Duration::from_secs(1 << 40)), 0);
        assert_eq!(next, at(24 * 3600));
    }
}
