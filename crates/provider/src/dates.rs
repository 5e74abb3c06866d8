//! Prints and reads dates in every style that the field's providers use.
//!
//! A style is a short layout of parts; printing and reading both walk the layout, so that a filter can be sent in the
//! style in which the records are served. The calendar is computed here and zone offsets come from the zone database:
//! nothing is shared with the date code that this fake exists to test. What is deliberately absent is any leniency:
//! a provider refuses a filter that it does not understand.

use serde::{Deserialize, Serialize};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// How the dates of a record are written. The examples are one instant in Pacific daylight time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateStyle {
    /// `2019-05-09T20:37:30Z`: always UTC.
    IsoZ,
    /// `2019-05-09T20:37:30.123Z`.
    IsoMillis,
    /// `2019-05-09T20:37:30.123456Z`.
    IsoMicros,
    /// `2019-05-09T13:37:30-07:00`; a zero offset is written `Z`.
    IsoOffset,
    /// `2019-05-09T13:37:30.123-07:00`.
    IsoMillisOffset,
    /// `2019-05-09T13:37:30.123456-07:00`.
    IsoMicrosOffset,
    /// `2019-05-09T13:37:30-0700`.
    IsoBasicOffset,
    /// `2019-05-09T13:37:30-7:00`: one digit of hours where one is enough.
    IsoShortOffset,
    /// `2019-05-09T13:37:30`: local time of the declared zone, which is not written.
    Local,
    /// `2019-05-09 13:37:30`: as `local`, with a space.
    LocalSpace,
    /// `2019-05-09 13:37:30 PDT`.
    Abbreviation,
    /// `2019-05-09`.
    Date,
    /// `2019/05/09 13:37:30`.
    Slashes,
    /// `05/09/2019T13:37:30-07:00`.
    UsOffset,
    /// `05/09/2019`.
    UsDate,
    /// `09/05/2019T13:37:30-07:00`.
    EuOffset,
    /// `09/05/2019`.
    EuDate,
    /// `Thu, 09 May 2019 13:37:30 -0700`.
    Rfc822,
    /// `1557434250` as a number.
    EpochS,
    /// `1557434250123` as a number.
    EpochMs,
    /// `1557434250123456` as a number.
    EpochUs,
    /// `"1557434250"`.
    EpochSText,
    /// `"1557434250123"`.
    EpochMsText,
    /// `"1557434250123456"`.
    EpochUsText,
    /// `null`.
    Null,
    /// The member is absent.
    Missing,
}

/// One part of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millis,
    Micros,
    MonthName,
    Weekday,
    /// `Z` or `+hh:mm`.
    OffsetColon,
    /// `+hhmm`, also for zero.
    OffsetBasic,
    /// `+h:mm`.
    OffsetShort,
    /// `PDT`.
    ZoneName,
    Text(&'static str),
}

use Part::{
    Day, Hour, Micros, Millis, Minute, Month, MonthName, OffsetBasic, OffsetColon, OffsetShort, Second, Text,
    Weekday, Year, ZoneName,
};

const DASH: Part = Text("-");
const SLASH: Part = Text("/");
const COLON: Part = Text(":");
const DOT: Part = Text(".");
const SPACE: Part = Text(" ");
const T: Part = Text("T");
const Z: Part = Text("Z");

const HTTP_DATE: &[Part] = &[
    Weekday,
    Text(", "),
    Day,
    SPACE,
    MonthName,
    SPACE,
    Year,
    SPACE,
    Hour,
    COLON,
    Minute,
    COLON,
    Second,
    Text(" GMT"),
];

impl DateStyle {
    /// Every style, in the order in which a filter of unknown style is tried.
    pub const ALL: [DateStyle; 26] = [
        DateStyle::IsoMicros,
        DateStyle::IsoMillis,
        DateStyle::IsoZ,
        DateStyle::IsoMicrosOffset,
        DateStyle::IsoMillisOffset,
        DateStyle::IsoOffset,
        DateStyle::IsoBasicOffset,
        DateStyle::IsoShortOffset,
        DateStyle::Local,
        DateStyle::LocalSpace,
        DateStyle::Abbreviation,
        DateStyle::Date,
        DateStyle::Slashes,
        DateStyle::UsOffset,
        DateStyle::UsDate,
        DateStyle::EuOffset,
        DateStyle::EuDate,
        DateStyle::Rfc822,
        DateStyle::EpochS,
        DateStyle::EpochMs,
        DateStyle::EpochUs,
        DateStyle::EpochSText,
        DateStyle::EpochMsText,
        DateStyle::EpochUsText,
        DateStyle::Null,
        DateStyle::Missing,
    ];

    /// Reads the name used in queries (`iso_offset`).
    pub fn from_name(name: &str) -> Option<DateStyle> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }

    /// Microseconds of one unit of this style: what printing loses is smaller than this.
    pub fn unit_micros(self) -> i64 {
        match self {
            Self::Date | Self::UsDate | Self::EuDate => SECONDS_PER_DAY * MICROS_PER_SECOND,
            Self::IsoMillis | Self::IsoMillisOffset | Self::EpochMs | Self::EpochMsText => 1_000,
            Self::IsoMicros | Self::IsoMicrosOffset | Self::EpochUs | Self::EpochUsText => 1,
            Self::IsoZ
            | Self::IsoOffset
            | Self::IsoBasicOffset
            | Self::IsoShortOffset
            | Self::Local
            | Self::LocalSpace
            | Self::Abbreviation
            | Self::Slashes
            | Self::UsOffset
            | Self::EuOffset
            | Self::Rfc822
            | Self::EpochS
            | Self::EpochSText
            | Self::Null
            | Self::Missing => MICROS_PER_SECOND,
        }
    }

    fn is_utc(self) -> bool {
        matches!(self, Self::IsoZ | Self::IsoMillis | Self::IsoMicros)
    }

    fn layout(self) -> &'static [Part] {
        match self {
            Self::IsoZ => &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, Z],
            Self::IsoMillis => {
                &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, DOT, Millis, Z]
            }
            Self::IsoMicros => {
                &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, DOT, Micros, Z]
            }
            Self::IsoOffset => {
                &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, OffsetColon]
            }
            Self::IsoMillisOffset => &[
                Year,
                DASH,
                Month,
                DASH,
                Day,
                T,
                Hour,
                COLON,
                Minute,
                COLON,
                Second,
                DOT,
                Millis,
                OffsetColon,
            ],
            Self::IsoMicrosOffset => &[
                Year,
                DASH,
                Month,
                DASH,
                Day,
                T,
                Hour,
                COLON,
                Minute,
                COLON,
                Second,
                DOT,
                Micros,
                OffsetColon,
            ],
            Self::IsoBasicOffset => {
                &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, OffsetBasic]
            }
            Self::IsoShortOffset => {
                &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second, OffsetShort]
            }
            Self::Local => &[Year, DASH, Month, DASH, Day, T, Hour, COLON, Minute, COLON, Second],
            Self::LocalSpace => &[Year, DASH, Month, DASH, Day, SPACE, Hour, COLON, Minute, COLON, Second],
            Self::Abbreviation => {
                &[Year, DASH, Month, DASH, Day, SPACE, Hour, COLON, Minute, COLON, Second, SPACE, ZoneName]
            }
            Self::Date => &[Year, DASH, Month, DASH, Day],
            Self::Slashes => &[Year, SLASH, Month, SLASH, Day, SPACE, Hour, COLON, Minute, COLON, Second],
            Self::UsOffset => {
                &[Month, SLASH, Day, SLASH, Year, T, Hour, COLON, Minute, COLON, Second, OffsetColon]
            }
            Self::UsDate => &[Month, SLASH, Day, SLASH, Year],
            Self::EuOffset => {
                &[Day, SLASH, Month, SLASH, Year, T, Hour, COLON, Minute, COLON, Second, OffsetColon]
            }
            Self::EuDate => &[Day, SLASH, Month, SLASH, Year],
            Self::Rfc822 => &[
                Weekday,
                Text(", "),
                Day,
                SPACE,
                MonthName,
                SPACE,
                Year,
                SPACE,
                Hour,
                COLON,
                Minute,
                COLON,
                Second,
                SPACE,
                OffsetBasic,
            ],
            Self::EpochS
            | Self::EpochMs
            | Self::EpochUs
            | Self::EpochSText
            | Self::EpochMsText
            | Self::EpochUsText
            | Self::Null
            | Self::Missing => &[],
        }
    }

    /// Appends the date as a JSON value. Returns false, and appends nothing, for `missing`.
    pub fn write_json(self, out: &mut Vec<u8>, micros: i64, zone: &Zone) -> bool {
        match self {
            Self::Missing => return false,
            Self::Null => out.extend_from_slice(b"null"),
            Self::EpochS | Self::EpochMs | Self::EpochUs => self.write(out, micros, zone),
            _ => {
                out.push(b'"');
                self.write(out, micros, zone);
                out.push(b'"');
            }
        }
        true
    }

    /// Appends the date as plain text.
    pub fn write(self, out: &mut Vec<u8>, micros: i64, zone: &Zone) {
        match self {
            Self::EpochS | Self::EpochSText => write_int(out, micros.div_euclid(MICROS_PER_SECOND)),
            Self::EpochMs | Self::EpochMsText => write_int(out, micros.div_euclid(1_000)),
            Self::EpochUs | Self::EpochUsText => write_int(out, micros),
            Self::Null | Self::Missing => {}
            _ if self.is_utc() => write_layout(self.layout(), out, micros, &Zone::utc()),
            _ => write_layout(self.layout(), out, micros, zone),
        }
    }

    /// The date as plain text.
    pub fn text(self, micros: i64, zone: &Zone) -> String {
        let mut out = Vec::with_capacity(40);
        self.write(&mut out, micros, zone);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Reads exactly this style; anything else is `None`.
    pub fn parse(self, text: &str, zone: &Zone) -> Option<i64> {
        match self {
            Self::EpochS | Self::EpochSText => text.parse::<i64>().ok()?.checked_mul(MICROS_PER_SECOND),
            Self::EpochMs | Self::EpochMsText => text.parse::<i64>().ok()?.checked_mul(1_000),
            Self::EpochUs | Self::EpochUsText => text.parse::<i64>().ok(),
            Self::Null | Self::Missing => None,
            _ if self.is_utc() => read_layout(self.layout(), text, &Zone::utc()),
            _ => read_layout(self.layout(), text, zone),
        }
    }
}

/// Reads a date in the preferred style, else in the first style of [`DateStyle::ALL`] that fits. Bare digits of unknown
/// style are told apart by size: seconds to 11 digits, milliseconds to 14, else microseconds.
pub fn parse_any(text: &str, preferred: DateStyle, zone: &Zone) -> Option<i64> {
    if let Some(micros) = preferred.parse(text, zone) {
        return Some(micros);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse::<i64>().ok()?;
        return match text.len() {
            0..=11 => number.checked_mul(MICROS_PER_SECOND),
            12..=14 => number.checked_mul(1_000),
            _ => Some(number),
        };
    }
    DateStyle::ALL.iter().filter(|style| !style.layout().is_empty()).find_map(|style| style.parse(text, zone))
}

/// The instant as the `Date` header writes it.
pub fn http_date(micros: i64) -> String {
    let mut out = Vec::with_capacity(29);
    write_layout(HTTP_DATE, &mut out, micros, &Zone::utc());
    String::from_utf8_lossy(&out).into_owned()
}

/// A zone in which a provider writes local times.
#[derive(Clone, Debug)]
pub struct Zone {
    rules: Rules,
}

#[derive(Clone, Debug)]
enum Rules {
    Fixed(i64),
    Named(jiff::tz::TimeZone),
}

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone { rules: Rules::Fixed(0) }
    }

    /// Reads `UTC`, `GMT`, an offset such as `-07:00`, or an IANA name.
    pub fn from_name(name: &str) -> Option<Zone> {
        if matches!(name, "" | "UTC" | "GMT" | "Z") {
            return Some(Zone::utc());
        }
        if let Some((seconds, "")) = read_offset(name) {
            return Some(Zone { rules: Rules::Fixed(seconds) });
        }
        jiff::tz::TimeZone::get(name).ok().map(|zone| Zone { rules: Rules::Named(zone) })
    }

    fn offset_seconds(&self, micros: i64) -> i64 {
        match &self.rules {
            Rules::Fixed(seconds) => *seconds,
            Rules::Named(zone) => jiff::Timestamp::from_microsecond(micros)
                .map_or(0, |timestamp| i64::from(zone.to_offset(timestamp).seconds())),
        }
    }

    fn abbreviation(&self, micros: i64) -> String {
        match &self.rules {
            Rules::Fixed(0) => "UTC".to_owned(),
            Rules::Fixed(_) => String::new(),
            Rules::Named(zone) => jiff::Timestamp::from_microsecond(micros)
                .map_or_else(|_| String::new(), |t| zone.to_offset_info(t).abbreviation().to_owned()),
        }
    }

    /// The instant of a local time; the earlier one where it occurs twice, shifted forward where it does not exist.
    fn instant_of_local(&self, local_micros: i64) -> i64 {
        let day = SECONDS_PER_DAY * MICROS_PER_SECOND;
        let before = self.offset_seconds(local_micros.saturating_sub(day));
        let after = self.offset_seconds(local_micros.saturating_add(day));
        let with = |offset: i64| local_micros - offset * MICROS_PER_SECOND;
        let valid = |offset: i64| self.offset_seconds(with(offset)) == offset;
        match (valid(before), valid(after)) {
            (true, true) => with(before).min(with(after)),
            (false, true) => with(after),
            (true, false) | (false, false) => with(before),
        }
    }
}

fn write_layout(layout: &[Part], out: &mut Vec<u8>, micros: i64, zone: &Zone) {
    let offset = zone.offset_seconds(micros);
    let local_seconds = micros.div_euclid(MICROS_PER_SECOND) + offset;
    let fraction = micros.rem_euclid(MICROS_PER_SECOND);
    let days = local_seconds.div_euclid(SECONDS_PER_DAY);
    let second_of_day = local_seconds.rem_euclid(SECONDS_PER_DAY);
    let (year, month, day) = civil_from_days(days);
    for part in layout {
        match part {
            Year => write_padded(out, year, 4),
            Month => write_padded(out, month, 2),
            Day => write_padded(out, day, 2),
            Hour => write_padded(out, second_of_day / 3_600, 2),
            Minute => write_padded(out, second_of_day / 60 % 60, 2),
            Second => write_padded(out, second_of_day % 60, 2),
            Millis => write_padded(out, fraction / 1_000, 3),
            Micros => write_padded(out, fraction, 6),
            MonthName => out.extend_from_slice(MONTHS[(month - 1) as usize].as_bytes()),
            Weekday => out.extend_from_slice(weekday(days).as_bytes()),
            OffsetColon if offset == 0 => out.push(b'Z'),
            OffsetColon => write_offset(out, offset, 2, ":"),
            OffsetBasic => write_offset(out, offset, 2, ""),
            OffsetShort => write_offset(out, offset, 1, ":"),
            ZoneName => out.extend_from_slice(zone.abbreviation(micros).as_bytes()),
            Text(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

fn read_layout(layout: &[Part], text: &str, zone: &Zone) -> Option<i64> {
    let mut rest = text;
    let (mut year, mut month, mut day) = (1970, 1, 1);
    let (mut hour, mut minute, mut second, mut fraction) = (0, 0, 0, 0);
    let mut offset = None;
    for part in layout {
        match part {
            Year => year = take_digits(&mut rest, 4)?,
            Month => month = take_digits(&mut rest, 2)?,
            Day => day = take_digits(&mut rest, 2)?,
            Hour => hour = take_digits(&mut rest, 2)?,
            Minute => minute = take_digits(&mut rest, 2)?,
            Second => second = take_digits(&mut rest, 2)?,
            Millis => fraction = take_digits(&mut rest, 3)? * 1_000,
            Micros => fraction = take_digits(&mut rest, 6)?,
            MonthName => {
                let index = MONTHS.iter().position(|name| rest.starts_with(name))?;
                month = index as i64 + 1;
                rest = &rest[3..];
            }
            Weekday => {
                WEEKDAYS.iter().position(|name| rest.starts_with(name))?;
                rest = &rest[3..];
            }
            OffsetColon | OffsetBasic | OffsetShort => {
                let (seconds, left) = read_offset(rest)?;
                offset = Some(seconds);
                rest = left;
            }
            // An abbreviation is only understood as the name of the declared zone's own time.
            ZoneName => {
                if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    return None;
                }
                rest = "";
            }
            Text(literal) => rest = rest.strip_prefix(literal)?,
        }
    }
    let in_range = (1..=12).contains(&month)
        && day >= 1
        && day <= days_in_month(year, month)
        && hour < 24
        && minute < 60
        && second < 60;
    if !rest.is_empty() || !in_range {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second;
    let local = seconds * MICROS_PER_SECOND + fraction;
    Some(match offset {
        Some(offset) => local - offset * MICROS_PER_SECOND,
        None => zone.instant_of_local(local),
    })
}

/// Reads `Z`, `±hh:mm`, `±h:mm` or `±hhmm` and returns the seconds and what follows.
fn read_offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let hours = take_digits(&mut rest, if digits == 1 { 1 } else { 2 })?;
    if digits != 4 {
        rest = rest.strip_prefix(':')?;
    }
    let minutes = take_digits(&mut rest, 2)?;
    (hours < 24 && minutes < 60).then_some((sign * (hours * 3_600 + minutes * 60), rest))
}

fn take_digits(rest: &mut &str, count: usize) -> Option<i64> {
    let digits = rest.get(..count)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = &rest[count..];
    digits.parse().ok()
}

fn write_offset(out: &mut Vec<u8>, offset: i64, hour_digits: usize, between: &str) {
    out.push(if offset < 0 { b'-' } else { b'+' });
    write_padded(out, offset.abs() / 3_600, hour_digits);
    out.extend_from_slice(between.as_bytes());
    write_padded(out, offset.abs() / 60 % 60, 2);
}

fn write_padded(out: &mut Vec<u8>, value: i64, width: usize) {
    let start = out.len();
    let mut left = value.unsigned_abs();
    while left > 0 || out.len() - start < width {
        out.push(b'0' + (left % 10) as u8);
        left /= 10;
    }
    out[start..].reverse();
}

/// Appends a whole number in decimal.
pub(crate) fn write_int(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    write_padded(out, value, 1);
}

fn weekday(days: i64) -> &'static str {
    WEEKDAYS[(days + 3).rem_euclid(7) as usize] // Day 0 was a Thursday.
}

/// The proleptic Gregorian date of a day number, 0 = 1970-01-01, counted in eras of 400 years that begin in March.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = year - i64::from(month <= 2);
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2019-05-09T20:37:30.123456Z.
    const INSTANT: i64 = 1_557_434_250_123_456;

    #[track_caller]
    fn check(style: DateStyle, zone: &str, micros: i64, expect: &str) {
        let zone = Zone::from_name(zone).expect("a known zone");
        assert_eq!(style.text(micros, &zone), expect);
        let unit = style.unit_micros();
        let parsed = style.parse(expect, &zone).expect("reads what it printed");
        assert!((0..unit).contains(&(micros - parsed)), "{expect} was read as {parsed}");
    }

    #[test]
    fn styles_of_the_field() {
        let pacific = "America/Los_Angeles";
        let at = |clock_seconds: i64| INSTANT + clock_seconds * MICROS_PER_SECOND;
        check(DateStyle::IsoOffset, pacific, INSTANT, "2019-05-09T13:37:30-07:00");
        check(DateStyle::IsoOffset, "-07:00", INSTANT, "2019-05-09T13:37:30-07:00");
        check(DateStyle::IsoBasicOffset, pacific, at(31), "2019-05-09T13:38:01-0700");
        check(DateStyle::IsoZ, pacific, at(71), "2019-05-09T20:38:41Z");
        check(DateStyle::Date, pacific, INSTANT, "2019-05-09");
        check(DateStyle::Slashes, pacific, at(101), "2019/05/09 13:39:11");
        check(DateStyle::UsOffset, pacific, at(124), "05/09/2019T13:39:34-07:00");
        check(DateStyle::UsDate, pacific, INSTANT, "05/09/2019");
        check(DateStyle::EuOffset, pacific, at(170), "09/05/2019T13:40:20-07:00");
        check(DateStyle::EuDate, pacific, INSTANT, "09/05/2019");
        check(DateStyle::Rfc822, pacific, at(245), "Thu, 09 May 2019 13:41:35 -0700");
    }

    #[test]
    fn styles_beyond_the_table() {
        let pacific = "America/Los_Angeles";
        check(DateStyle::IsoMillis, pacific, INSTANT, "2019-05-09T20:37:30.123Z");
        check(DateStyle::IsoMicros, pacific, INSTANT, "2019-05-09T20:37:30.123456Z");
        check(DateStyle::IsoMicrosOffset, pacific, INSTANT, "2019-05-09T13:37:30.123456-07:00");
        check(DateStyle::IsoMillisOffset, "+05:45", INSTANT, "2019-05-10T02:22:30.123+05:45");
        check(DateStyle::IsoShortOffset, pacific, INSTANT, "2019-05-09T13:37:30-7:00");
        check(DateStyle::IsoOffset, "UTC", INSTANT, "2019-05-09T20:37:30Z");
        check(DateStyle::Local, pacific, INSTANT, "2019-05-09T13:37:30");
        check(DateStyle::LocalSpace, pacific, INSTANT, "2019-05-09 13:37:30");
        check(DateStyle::Abbreviation, pacific, INSTANT, "2019-05-09 13:37:30 PDT");
        check(DateStyle::EpochS, "UTC", INSTANT, "1557434250");
        check(DateStyle::EpochMs, "UTC", INSTANT, "1557434250123");
        check(DateStyle::EpochUs, "UTC", INSTANT, "1557434250123456");
        check(DateStyle::IsoZ, "UTC", -1, "1969-12-31T23:59:59Z");
        check(DateStyle::IsoZ, "UTC", 951_782_400_000_000, "2000-02-29T00:00:00Z");
    }

    #[test]
    fn refuses_what_is_not_the_style() {
        let utc = Zone::utc();
        for text in
            ["", "2019-05-09T13:37:30 02:00", "2019-02-29", "2019-05-09T24:00:00Z", "2019-05-09T13:37:30+7:0"]
        {
            assert_eq!(parse_any(text, DateStyle::IsoOffset, &utc), None, "{text:?}");
        }
    }

    #[test]
    fn a_local_time_that_occurs_twice_is_the_earlier_one() {
        let zone = Zone::from_name("America/New_York").expect("a known zone");
        let twice = DateStyle::Local.parse("2019-11-03T01:30:00", &zone).expect("reads");
        assert_eq!(DateStyle::IsoZ.text(twice, &zone), "2019-11-03T05:30:00Z");
        let never = DateStyle::Local.parse("2019-03-10T02:30:00", &zone).expect("reads");
        assert_eq!(DateStyle::IsoOffset.text(never, &zone), "2019-03-10T03:30:00-04:00");
    }

    #[test]
    fn http_dates() {
        assert_eq!(http_date(784_111_777_000_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
