//! How often something runs: at an interval, or at the times of a cron pattern in a zone.
//!
//! A pattern has the five fields of cron (minute, hour, day, month, weekday) and may begin with seconds; names, lists,
//! ranges, steps, `L`, `W`, `#` and nicknames such as `@daily` work as the library `croner` reads them. Its hours are
//! those of the zone: a time that a change of clocks leaves out runs when the gap ends, one that comes twice runs once
//! unless the pattern says every hour.
//!
//! Not here: pauses after failures ([`crate::schedule`]).

use std::time::Duration;

use croner::Cron;
use jiff::Timestamp;

use crate::date::{Zone, ZoneRules};
use crate::schedule;

/// Times of a pattern that are looked at to find the shortest pause between two of them.
const TIMES_LOOKED_AT: usize = 500;

/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 256;

/// When the next run is due.
#[derive(Clone, Debug)]
pub enum Cadence {
    /// So long after the last one was due.
    Every(Duration),
    /// At the times of a pattern.
    At(Box<Pattern>),
}

/// A cron pattern in a zone.
#[derive(Clone, Debug)]
pub struct Pattern {
    cron: Cron,
    zone: Zone,
}

impl Pattern {
    /// Reads a pattern and an IANA zone (or an offset). The error is one sentence for whoever wrote them.
    pub fn parse(pattern: &str, zone: &str, rules: ZoneRules) -> Result<Pattern, String> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(format!("the cron pattern is longer than {PATTERN_BYTES_MAX} bytes; shorten it"));
        }
        let cron = pattern.parse::<Cron>().map_err(|error| {
            let why = error.to_string();
            format!(
                "`{}` is no cron pattern ({}); write minute, hour, day, month and weekday, such as `0 6 * * MON-FRI`",
                pattern.escape_debug(),
                why.trim_end_matches('.')
            )
        })?;
        let zone = Zone::parse(zone, rules).map_err(|error| error.to_string())?;
        Ok(Pattern { cron, zone })
    }

    /// The first time after this one; `None` when there is none within the years that the library looks at.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let from = at.to_zoned(self.zone.time_zone().clone());
        let next = self.cron.find_next_occurrence(&from, false).ok()?.timestamp();
        (next > at).then_some(next)
    }

    /// Whether it has another time after this one, up to that one.
    fn comes_round(&self, after: Timestamp, until: Timestamp) -> bool {
        self.next_after(after).is_some_and(|next| next <= until)
    }

    /// The shortest pause between two times, of the next some hundred; `None` when there are fewer than two.
    pub fn shortest_pause(&self, from: Timestamp) -> Option<Duration> {
        let mut shortest: Option<Duration> = None;
        let mut before = self.next_after(from)?;
        for _ in 0..TIMES_LOOKED_AT {
            let Some(next) = self.next_after(before) else { break };
            let pause = Duration::try_from(next.duration_since(before)).unwrap_or_default();
            shortest = Some(shortest.map_or(pause, |known| known.min(pause)));
            before = next;
        }
        shortest
    }
}

impl Cadence {
    /// The first due time of what begins now.
    pub fn first(&self, now: Timestamp, entropy: u64) -> Timestamp {
        match self {
            Cadence::Every(interval) => schedule::first(now, *interval, entropy),
            Cadence::At(pattern) => pattern.next_after(now).unwrap_or(Timestamp::MAX),
        }
    }

    /// The next due time after a completed run that was due at `due`. Missed times collapse into one run.
    pub fn after_success(&self, due: Timestamp, now: Timestamp, entropy: u64) -> Timestamp {
        match self {
            Cadence::Every(interval) => schedule::after_success(due, now, *interval, entropy),
            Cadence::At(pattern) => pattern.next_after(now.max(due)).unwrap_or(Timestamp::MAX),
        }
    }

    /// The next due time after the n-th failure in a row: the pause that grows, but at the latest the next time of a
    /// pattern that does not come round within the pause.
    pub fn after_failure(
        &self,
        now: Timestamp,
        interval: Duration,
        failures: u32,
        retry_after: Option<Duration>,
        entropy: u64,
    ) -> Timestamp {
        let paused = schedule::after_failure(now, interval, failures, retry_after, entropy);
        match self {
            Cadence::Every(_) => paused,
            Cadence::At(_) if retry_after.is_some() => paused,
            Cadence::At(pattern) => match pattern.next_after(now) {
                // A pattern that comes round within the pause would be no pause at all.
                Some(regular) if regular < paused && !pattern.comes_round(regular, paused) => regular,
                Some(_) | None => paused,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn pattern(text: &str, zone: &str) -> Pattern {
        Pattern::parse(text, zone, ZoneRules::default()).unwrap()
    }

    #[test]
    fn a_pattern_means_the_hours_of_its_zone() {
        let weekdays = pattern("0 6 * * MON-FRI", "Europe/Berlin");
        // A Friday in winter, then the Monday; and a Friday in summer.
        assert_eq!(weekdays.next_after(at("2026-01-09T00:00:00Z")), Some(at("2026-01-09T05:00:00Z")));
        assert_eq!(weekdays.next_after(at("2026-01-09T05:00:00Z")), Some(at("2026-01-12T05:00:00Z")));
        assert_eq!(weekdays.next_after(at("2026-07-10T00:00:00Z")), Some(at("2026-07-10T04:00:00Z")));
        assert_eq!(
            pattern("30 */5 * * * *", "UTC").next_after(at("2026-01-09T00:00:00Z")),
            Some(at("2026-01-09T00:00:30Z"))
        );
    }

    #[test]
    fn a_change_of_clocks_leaves_out_no_day_and_doubles_none() {
        let nightly = pattern("30 2 * * *", "Europe/Berlin");
        let mut times = vec![at("2026-03-27T12:00:00Z")];
        for _ in 0..4 {
            times.push(nightly.next_after(*times.last().unwrap()).unwrap());
        }
        let days = |times: &[Timestamp]| {
            let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
            times.iter().map(|at| at.to_zoned(zone.clone()).day()).collect::<Vec<_>>()
        };
        assert_eq!(days(&times[1..]), [28, 29, 30, 31]);
        let mut times = vec![at("2026-10-24T12:00:00Z")];
        for _ in 0..3 {
            times.push(nightly.next_after(*times.last().unwrap()).unwrap());
        }
        assert_eq!(days(&times[1..]), [25, 26, 27]);
    }

    #[test]
    fn the_shortest_pause_is_found_also_where_pauses_differ() {
        let from = at("2026-01-09T00:00:00Z");
        let pause = |text: &str| pattern(text, "UTC").shortest_pause(from).unwrap().as_secs();
        assert_eq!(
            [pause("*/5 * * * *"), pause("0,7 6 * * *"), pause("@daily"), pause("* * * * * *")],
            [300, 420, 86_400, 1]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_a_remedy() {
        let refused = |text: &str, zone: &str| Pattern::parse(text, zone, ZoneRules::default()).unwrap_err();
        for text in ["", "* * *", "61 * * * *", "every day", "* * * * * * * *", "\u{0}"] {
            let sentence = refused(text, "UTC");
            assert!(
                sentence.contains("is no cron pattern") && sentence.contains("0 6 * * MON-FRI"),
                "{sentence}"
            );
        }
        assert!(refused("0 6 * * *", "Europe/Nowhere").contains("Europe/Nowhere"));
        assert!(refused(&"1,".repeat(300), "UTC").contains("shorten it"));
        // One that never comes is a pattern, and never due.
        assert_eq!(pattern("0 0 30 2 *", "UTC").next_after(at("2026-01-09T00:00:00Z")), None);
    }

    #[test]
    fn a_failure_is_tried_again_before_the_next_time_of_the_pattern() {
        let (now, hour) = (at("2026-01-09T05:00:00Z"), Duration::from_secs(3600));
        let daily = Cadence::At(Box::new(pattern("0 6 * * *", "UTC")));
        let next = daily.after_failure(now, hour, 1, None, u64::MAX);
        assert_eq!(next, at("2026-01-09T05:01:00Z"));
        assert_eq!(daily.after_failure(now, hour, 30, None, u64::MAX), at("2026-01-09T06:00:00Z"));
        // One that comes every minute waits like an interval does.
        let minutely = Cadence::At(Box::new(pattern("* * * * *", "UTC")));
        assert_eq!(
            minutely.after_failure(now, Duration::from_secs(60), 30, None, u64::MAX),
            at("2026-01-09T06:00:00Z")
        );
        let asked = daily.after_failure(now, hour, 1, Some(2 * hour), u64::MAX);
        assert_eq!(asked, at("2026-01-09T07:00:00Z"), "not earlier than the provider asks");
        assert_eq!(daily.after_success(now, now, 0), at("2026-01-09T06:00:00Z"));
        assert_eq!(daily.first(now, 7), at("2026-01-09T06:00:00Z"));
    }
}
