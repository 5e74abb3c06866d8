//! Rounds instants down to what a format can say, and knows when a local time occurs twice.
//!
//! Query bounds go down by these rules. Down means the earlier reading everywhere: a bound too low reads a few records
//! again, a bound too high loses some.

use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

use super::{DateFormat, EpochUnit, Kind};

/// The finest unit that a text can say. The coarser one is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// A microsecond; nothing here is finer.
    Micros,
    /// A millisecond.
    Millis,
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of the zone.
    Day,
    /// A month of the zone.
    Month,
    /// A year of the zone.
    Year,
}

impl Resolution {
    /// The length of units that always have the same one.
    fn nanos(self) -> Option<i128> {
        Some(match self {
            Resolution::Micros => 1_000,
            Resolution::Millis => 1_000_000,
            Resolution::Second => 1_000_000_000,
            Resolution::Minute => 60_000_000_000,
            Resolution::Hour => 3_600_000_000_000,
            Resolution::Day | Resolution::Month | Resolution::Year => return None,
        })
    }
}

impl DateFormat {
    /// The finest unit that this format says without leaving out a coarser one.
    pub fn resolution(&self) -> Resolution {
        match &self.kind {
            Kind::Epoch(EpochUnit::Micros) => Resolution::Micros,
            Kind::Epoch(EpochUnit::Millis) => Resolution::Millis,
            Kind::Epoch(EpochUnit::Seconds) => Resolution::Second,
            Kind::Pattern(pattern) => pattern.resolution,
        }
    }

    /// The start of the unit that holds the instant, in the format's zone. Never later than the instant; where that
    /// start occurs twice, the earlier one.
    pub fn floor(&self, at: Timestamp, unit: Resolution) -> Timestamp {
        if let Some(nanos) = unit.nanos().filter(|nanos| *nanos <= 1_000_000_000) {
            let rest = at.as_nanosecond().rem_euclid(nanos);
            return Timestamp::from_nanosecond(at.as_nanosecond() - rest).unwrap_or(Timestamp::MIN);
        }
        let zone = self.zone.time_zone();
        let local = zone.to_datetime(at);
        let date = local.date();
        let start = match unit {
            Resolution::Year => date.first_of_year().at(0, 0, 0, 0),
            Resolution::Month => date.first_of_month().at(0, 0, 0, 0),
            Resolution::Day => date.at(0, 0, 0, 0),
            Resolution::Hour => date.at(local.hour(), 0, 0, 0),
            Resolution::Minute => date.at(local.hour(), local.minute(), 0, 0),
            Resolution::Second | Resolution::Millis | Resolution::Micros => local,
        };
        zone.to_ambiguous_timestamp(start).compatible().unwrap_or(Timestamp::MIN).min(at)
    }

    /// The instant one unit earlier, in the format's zone.
    pub fn minus_one_unit(&self, at: Timestamp, unit: Resolution) -> Timestamp {
        if let Some(nanos) = unit.nanos() {
            return Timestamp::from_nanosecond(at.as_nanosecond() - nanos).unwrap_or(Timestamp::MIN);
        }
        let just_before = Timestamp::from_nanosecond(at.as_nanosecond() - 1).unwrap_or(Timestamp::MIN);
        if self.floor(at, unit) == at {
            return self.floor(just_before, unit); // A day may begin at one o'clock and the one before at midnight.
        }
        let span: Span = match unit {
            Resolution::Month => 1.month(),
            Resolution::Year => 1.year(),
            _ => 1.day(),
        };
        let zone = self.zone.time_zone();
        let earlier = zone.to_datetime(at).checked_sub(span).ok();
        earlier
            .and_then(|local| zone.to_ambiguous_timestamp(local).compatible().ok())
            .unwrap_or(Timestamp::MIN)
            .min(at)
    }

    /// How far clocks go back over the local time of this instant, when a printed text would not tell which of its two
    /// occurrences is meant. The bound of a query is lowered by it.
    pub fn fold_before(&self, at: Timestamp) -> Option<SignedDuration> {
        if self.has_offset() || self.zone.fixed_offset().is_some() {
            return None;
        }
        let zone = self.zone.time_zone();
        match zone.to_ambiguous_timestamp(zone.to_datetime(at)).offset() {
            AmbiguousOffset::Fold { before, after } => {
                Some(SignedDuration::from_secs(i64::from(before.seconds()) - i64::from(after.seconds())))
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Zone, ZoneRules};
    use super::*;
    use proptest::prelude::*;

    fn format(pattern: &str, zone: &str) -> DateFormat {
        DateFormat::compile(pattern, &Zone::parse(zone, ZoneRules::default()).unwrap()).unwrap().format
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(zone: &str, instant: &str, unit: Resolution, floor: &str, before: &str) {
        let format = format("yyyy-MM-dd HH:mm:ss", zone);
        let start = format.floor(at(instant), unit);
        let shown = (start.to_string(), format.minus_one_unit(start, unit).to_string());
        assert_eq!(shown, (floor.to_owned(), before.to_owned()), "{unit:?} of {instant} in {zone}");
    }

    #[test]
    fn starts_of_units() {
        let instant = "2019-05-09T13:37:30.123456789Z";
        check(
            "UTC",
            instant,
            Resolution::Micros,
            "2019-05-09T13:37:30.123456Z",
            "2019-05-09T13:37:30.123455Z",
        );
        check("UTC", instant, Resolution::Millis, "2019-05-09T13:37:30.123Z", "2019-05-09T13:37:30.122Z");
        check("UTC", instant, Resolution::Second, "2019-05-09T13:37:30Z", "2019-05-09T13:37:29Z");
        check("Asia/Kolkata", instant, Resolution::Hour, "2019-05-09T13:30:00Z", "2019-05-09T12:30:00Z");
        check("America/New_York", instant, Resolution::Day, "2019-05-09T04:00:00Z", "2019-05-08T04:00:00Z");
        check("UTC", instant, Resolution::Month, "2019-05-01T00:00:00Z", "2019-04-01T00:00:00Z");
        check("UTC", instant, Resolution::Year, "2019-01-01T00:00:00Z", "2018-01-01T00:00:00Z");
        check(
            "America/New_York",
            "2019-03-11T12:00:00Z",
            Resolution::Day,
            "2019-03-11T04:00:00Z",
            "2019-03-10T05:00:00Z",
        );
        check(
            "America/Sao_Paulo",
            "2018-11-04T12:00:00Z",
            Resolution::Day,
            "2018-11-04T03:00:00Z",
            "2018-11-03T03:00:00Z",
        );
        check(
            "UTC",
            "1969-12-31T23:59:59.5Z",
            Resolution::Second,
            "1969-12-31T23:59:59Z",
            "1969-12-31T23:59:58Z",
        );
    }

    #[test]
    fn local_times_that_occur_twice() {
        let new_york = format("yyyy-MM-dd HH:mm:ss", "America/New_York");
        assert_eq!(new_york.fold_before(at("2019-11-03T05:30:00Z")), Some(SignedDuration::from_hours(1)));
        assert_eq!(new_york.fold_before(at("2019-11-03T06:30:00Z")), Some(SignedDuration::from_hours(1)));
        assert_eq!(new_york.fold_before(at("2019-11-03T07:00:00Z")), None);
        let lord_howe = format("yyyy-MM-dd HH:mm:ss", "Australia/Lord_Howe");
        assert_eq!(lord_howe.fold_before(at("2019-04-06T14:45:00Z")), Some(SignedDuration::from_mins(30)));
        let with_offset = format("yyyy-MM-dd HH:mm:ssXXX", "America/New_York");
        assert_eq!(with_offset.fold_before(at("2019-11-03T05:30:00Z")), None);
        assert_eq!(format("milliseconds", "America/New_York").fold_before(at("2019-11-03T05:30:00Z")), None);
    }

    #[test]
    fn the_ends_of_time() {
        let format = format("yyyy-MM-dd", "America/New_York");
        for unit in
            [Resolution::Micros, Resolution::Hour, Resolution::Day, Resolution::Month, Resolution::Year]
        {
            for end in [Timestamp::MIN, Timestamp::MAX] {
                assert!(format.minus_one_unit(format.floor(end, unit), unit) <= end);
                let _ = (format.print(end), format.fold_before(end)); // Only a panic would matter.
            }
        }
    }

    const PATTERNS: [&str; 22] = [
        "yyyy-MM-dd'T'HH:mm:ssXXX",
        "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
        "yyyy-MM-dd'T'HH:mm:ss.SX",
        "yyyy-MM-dd'T'HH:mm:ssX",
        "EEE, dd MMM yyyy HH:mm:ss Z",
        "yyyy-MM-dd'T'HH:mmz",
        "yyyyMMddHHmmssSSS",
        "MM/dd/yyyy hh:mm:ss a",
        "MM/dd/yyyy hh:mm:ss",
        "M/d/yy k:m",
        "dd/MM/yyyy",
        "yyyy-DDD K a",
        "YYYY w u",
        "yyyy-MM W E",
        "yyyy MMMM F EEEE",
        "yyyy-MM",
        "yyyy",
        "yyyy-MM-dd mm:ss",
        "yyyy-MM-dd HH.SSS",
        "milliseconds",
        "seconds",
        "microseconds",
    ];
    const ZONES: [&str; 12] = [
        "UTC",
        "PST",
        "+05:30",
        "America/New_York",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Australia/Sydney",
        "America/Havana",
        "America/Sao_Paulo",
        "Europe/London",
        "Asia/Shanghai",
        "Asia/Kathmandu",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn reading_a_print_never_gives_a_later_instant(
            micros in 0_i64..3_155_000_000_000_000, pattern in 0..PATTERNS.len(), zone in 0..ZONES.len(),
        ) {
            let format = format(PATTERNS[pattern], ZONES[zone]);
            let at = Timestamp::from_microsecond(micros).unwrap();
            let text = format.print(at);
            let read = format.parse(&text).unwrap_or_else(|error| panic!("{} `{text}`: {error}", PATTERNS[pattern]));
            prop_assert!(read.at <= at, "{} in {}: `{text}` is later than {at}", PATTERNS[pattern], ZONES[zone]);
            prop_assert!(!read.shifted);
            // The start of the unit is printed and read without loss, or the fold says how far off it may be.
            let floor = format.floor(at, format.resolution());
            let again = format.parse(&format.print(floor)).unwrap().at;
            let fold = format.fold_before(floor).unwrap_or_default();
            prop_assert!(floor <= at && again <= floor && floor.duration_since(again) <= fold, "{floor} {again}");
            prop_assert!(format.minus_one_unit(floor, format.resolution()) < floor);
        }
    }
}
