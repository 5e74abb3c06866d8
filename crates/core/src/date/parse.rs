//! Reads a text by a compiled pattern.
//!
//! Two steps: the tokens collect fields, then the fields become one instant. Every field that the text names must agree
//! with that instant, so a wrong weekday, a 31 June or a 13:00 PM is refused instead of being rolled over. Nothing is
//! allocated while reading.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use thiserror::Error;

use super::pattern::{LETTER_COUNT, Letter, Pattern, Token, ZoneStyle};
use super::week;
use super::zone::{Shape, abbreviation, offset_at, offset_prefix};
use super::{EpochUnit, Zone};

/// An instant that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// The instant.
    pub at: Timestamp,
    /// The local time does not occur in its zone (clocks went forward over it); `at` lies later by the gap.
    pub shifted: bool,
}

/// Says where and why a text does not fit its format. Positions count bytes from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Something else was due.
    #[error("expected the {what} at byte {at}")]
    Expected {
        /// What was due.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// Literal text of the pattern is missing.
    #[error("expected the literal text of the format at byte {at}")]
    Literal {
        /// Where.
        at: usize,
    },
    /// A number that the field cannot have.
    #[error("the {what} is out of range")]
    Range {
        /// The field.
        what: &'static str,
    },
    /// A field that does not belong to the date that the others name.
    #[error("the {what} contradicts the rest of the date")]
    Contradiction {
        /// The field.
        what: &'static str,
    },
    /// Something shaped like an offset that is none.
    #[error("the offset at byte {at} is not readable: hours 0 to 23, minutes 00 to 59 in two digits")]
    Offset {
        /// Where.
        at: usize,
    },
    /// A name that is no known zone.
    #[error("the zone at byte {at} is not known")]
    Zone {
        /// Where.
        at: usize,
    },
    /// Text after the end of the format.
    #[error("the date ends at byte {at}, but the text goes on")]
    LeftOver {
        /// Where the format ends.
        at: usize,
    },
    /// An epoch format and no number.
    #[error("expected a number counted from 1970")]
    EpochNumber,
    /// A number beyond every date.
    #[error("the number is beyond every date in {declared}{}", EpochHint(*.likely))]
    EpochRange {
        /// The unit of the format.
        declared: EpochUnit,
        /// The unit that would make it a date of our time.
        likely: Option<EpochUnit>,
    },
}

struct EpochHint(Option<EpochUnit>);

impl std::fmt::Display for EpochHint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(unit) => write!(out, ", but fits {unit}: declare `{unit}`"),
            None => Ok(()),
        }
    }
}

/// First year of the hundred that two digits can mean. A fixed rule, so that a text means the same whenever it is read.
const CENTURY_START: i32 = 1970;

/// A number that no field can have; keeps absurdly long ones from overflowing.
const NUMBER_MAX: i32 = 100_000_000;

/// Letters of the longest zone abbreviation in the zone data.
const ZONE_NAME_LENGTH_MAX: usize = 6;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The zone that a text names.
#[derive(Debug, Clone)]
enum ZoneText {
    Offset(Offset),
    Region(TimeZone),
    /// An abbreviation: bytes from start to end, decided once the local time is known.
    Short(usize, usize),
}

/// What the tokens found.
struct Fields {
    values: [i32; LETTER_COUNT],
    set: u32,
    nanos: i32,
    zones: [Option<ZoneText>; 3],
}

impl Fields {
    fn get(&self, letter: Letter) -> Option<i32> {
        (self.set & (1 << letter as u32) != 0).then(|| self.values[letter as usize])
    }

    fn set(&mut self, letter: Letter, value: i32) {
        self.set |= 1 << letter as u32;
        self.values[letter as usize] = value;
    }
}

/// See [`super::DateFormat::parse`].
pub(super) fn parse(pattern: &Pattern, zone: &Zone, text: &str) -> Result<Parsed, ParseError> {
    let text = text.as_bytes();
    let mut fields = Fields { values: [0; LETTER_COUNT], set: 0, nanos: 0, zones: [None, None, None] };
    let mut at = 0;
    for token in &pattern.tokens {
        at = match token {
            Token::Text(literal) if text[at..].starts_with(literal.as_bytes()) => at + literal.len(),
            Token::Text(_) => return Err(ParseError::Literal { at: at + 1 }),
            Token::Number { letter, count, exact } => {
                read_number(text, at, *letter, *count, *exact, &mut fields)?
            }
            Token::Name { letter, .. } => read_name(text, at, *letter, &mut fields)?,
            Token::Fraction { point, count, exact } => {
                read_fraction(text, at, *point, exact.then_some(*count), &mut fields)?
            }
            Token::Zone { style, own_shape } => read_zone(text, at, *style, *own_shape, zone, &mut fields)?,
        };
    }
    if at < text.len() {
        return Err(ParseError::LeftOver { at });
    }
    resolve(&fields, zone, text)
}

fn skip_blanks(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn read_number(
    text: &[u8],
    at: usize,
    letter: Letter,
    count: u8,
    exact: bool,
    fields: &mut Fields,
) -> Result<usize, ParseError> {
    let start = skip_blanks(text, at);
    let limit = if exact { text.len().min(at + usize::from(count)) } else { text.len() };
    let mut end = start;
    let mut value = 0_i32;
    while end < limit && text[end].is_ascii_digit() {
        value = if value < NUMBER_MAX { value * 10 + i32::from(text[end] - b'0') } else { value };
        end += 1;
    }
    if end == start {
        return Err(ParseError::Expected { what: letter.name(), at: start + 1 });
    }
    if matches!(letter, Letter::Year | Letter::WeekYear) && count <= 2 && end - start == 2 {
        let century = CENTURY_START - CENTURY_START % 100;
        value += century + if value < CENTURY_START % 100 { 100 } else { 0 };
    }
    let range = match letter {
        Letter::Year | Letter::WeekYear => 1..=9999,
        Letter::Month => 1..=12,
        Letter::Day => 1..=31,
        Letter::DayOfYear => 1..=366,
        Letter::WeekOfYear => 1..=53,
        Letter::WeekOfMonth => 1..=6,
        Letter::NthWeekday => 1..=5,
        Letter::WeekdayNumber => 1..=7,
        Letter::Hour | Letter::HourFromOne => i32::from(letter == Letter::HourFromOne)..=24,
        Letter::HalfHour => 0..=11,
        Letter::HalfHourFromOne => 1..=12,
        Letter::Minute => 0..=59,
        Letter::Second => 0..=60,
        Letter::Era | Letter::Weekday | Letter::HalfDay | Letter::Fraction => 0..=NUMBER_MAX,
        Letter::ZoneName | Letter::ZoneOffset | Letter::ZoneIso => 0..=NUMBER_MAX,
    };
    if !range.contains(&value) {
        return Err(ParseError::Range { what: letter.name() });
    }
    fields.set(letter, value);
    Ok(end)
}

fn read_name(text: &[u8], at: usize, letter: Letter, fields: &mut Fields) -> Result<usize, ParseError> {
    let rest = &text[at..];
    let begins =
        |name: &str| rest.len() >= name.len() && rest[..name.len()].eq_ignore_ascii_case(name.as_bytes());
    let find = |names: &[&str], first: i32| {
        names.iter().zip(first..).find_map(|(name, value)| {
            let length = if begins(name) { name.len() } else { 3 };
            begins(&name[..length]).then_some((value, length))
        })
    };
    let found = match letter {
        Letter::Month => find(&MONTHS, 1),
        Letter::Weekday => find(&WEEKDAYS, 0),
        Letter::HalfDay => {
            [("AM", 0), ("PM", 1)].into_iter().find(|(name, _)| begins(name)).map(|(_, half)| (half, 2))
        }
        _ => ["Anno Domini", "AD"].into_iter().find(|name| begins(name)).map(|name| (1, name.len())),
    };
    let (value, length) = found.ok_or(ParseError::Expected { what: letter.name(), at: at + 1 })?;
    fields.set(letter, value);
    Ok(at + length)
}

/// Digits after the point, none to nine of them, whatever the count of letters; the point goes with the digits.
fn read_fraction(
    text: &[u8],
    at: usize,
    point: Option<u8>,
    exact: Option<u8>,
    fields: &mut Fields,
) -> Result<usize, ParseError> {
    let start = match point {
        Some(point) if text.get(at) == Some(&point) => at + 1,
        Some(_) => return Ok(at),
        None => at,
    };
    let skipped = skip_blanks(text, start);
    let start = if text.get(skipped).is_some_and(u8::is_ascii_digit) { skipped } else { start };
    let limit = exact.map_or(text.len(), |count| text.len().min(start + usize::from(count)));
    let digits = text[start..limit].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 9 || (digits == 0 && point.is_none()) {
        return Err(ParseError::Expected {
            what: "fraction of a second (`S`), up to nine digits,",
            at: start + 1,
        });
    }
    let value =
        text[start..start + digits].iter().fold(0_i32, |value, digit| value * 10 + i32::from(digit - b'0'));
    fields.nanos = value * 10_i32.pow(9 - u32::try_from(digits).unwrap_or(9));
    fields.set(Letter::Fraction, 0);
    Ok(start + digits)
}

fn read_zone(
    text: &[u8],
    at: usize,
    style: ZoneStyle,
    own_shape: bool,
    zone: &Zone,
    fields: &mut Fields,
) -> Result<usize, ParseError> {
    let start = skip_blanks(text, at);
    let mut sign = start + offset_prefix(text, start);
    if own_shape && sign > start && !colon_offset(text, sign) {
        sign = start; // The sign after the name belongs to what follows, as in `z-mm`.
    }
    let (found, end) = if matches!(text.get(sign), Some(b'+' | b'-')) {
        let shape = match style {
            _ if !own_shape || sign > start => Shape::Any,
            ZoneStyle::IsoHours => Shape::Hours,
            ZoneStyle::IsoColon => Shape::Colon,
            ZoneStyle::Name | ZoneStyle::Plain | ZoneStyle::IsoPlain => Shape::Plain,
        };
        let offset = offset_at(text, sign, shape).or_else(|| short_prefixed(text, start, sign));
        let (offset, end) = offset.ok_or(ParseError::Offset { at: sign + 1 })?;
        (ZoneText::Offset(offset), end)
    } else {
        let named = text.get(start).is_some_and(u8::is_ascii_alphabetic);
        let error = if named {
            ParseError::Zone { at: start + 1 }
        } else {
            ParseError::Expected { what: "zone", at: start + 1 }
        };
        read_zone_name(text, start, zone).ok_or(error)?
    };
    if let Some(free) = fields.zones.iter_mut().find(|zone| zone.is_none()) {
        *free = Some(found);
    }
    Ok(end)
}

/// Whether an offset with a colon begins here: nothing else looks like it.
fn colon_offset(text: &[u8], sign: usize) -> bool {
    offset_at(text, sign, Shape::Any).is_some_and(|(_, end)| text[sign..end].contains(&b':'))
}

/// `GMT+8` and `GMT+8:00`: only after a prefix may the hour stand alone in one digit.
fn short_prefixed(text: &[u8], start: usize, sign: usize) -> Option<(Offset, usize)> {
    if sign == start {
        return None;
    }
    let digit = text.get(sign + 1).filter(|byte| byte.is_ascii_digit())?;
    let hours = i32::from(digit - b'0') * if text[sign] == b'-' { -1 } else { 1 };
    (text.get(sign + 2) != Some(&b':')).then_some((Offset::from_seconds(hours * 3600).ok()?, sign + 2))
}

fn read_zone_name(text: &[u8], start: usize, zone: &Zone) -> Option<(ZoneText, usize)> {
    let rest = &text[start..];
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    if matches!(rest.get(letters), Some(b'/' | b'_')) {
        let run = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+'));
        let name = std::str::from_utf8(&rest[..run.count()]).ok()?;
        if let Ok(region) = TimeZone::get(name) {
            return Some((ZoneText::Region(region), start + name.len()));
        }
    }
    // The declared zone may use a name that the table lacks. It is asked for today's names here, to see where the name
    // ends, and for those of the date itself once that is known.
    let known = |length: usize| {
        let year_2020 = DateTime::constant(2020, 1, 1, 12, 0, 0, 0);
        abbreviation(&rest[..length]).is_some() || zone.own_abbreviation(&rest[..length], year_2020).is_some()
    };
    let longest = letters.min(ZONE_NAME_LENGTH_MAX);
    let historic = || (letters == longest && letters > 0 && zone.fixed_offset().is_none()).then_some(letters);
    let length = (1..=longest).rev().find(|length| known(*length)).or_else(historic)?;
    Some((ZoneText::Short(start, start + length), start + length))
}

/// Turns the fields into an instant and checks each of them against it.
fn resolve(fields: &Fields, zone: &Zone, text: &[u8]) -> Result<Parsed, ParseError> {
    let date = resolve_date(fields)?;
    check_date(fields, date)?;
    let clock = resolve_clock(fields)?;
    let time = Time::new(clock.hour % 24, clock.minute, clock.second.min(59), fields.nanos)
        .map_err(|_| ParseError::Range { what: "time" })?;
    // 24:00 is the first moment of the next day.
    let date = if clock.hour == 24 { date.tomorrow().unwrap_or(date) } else { date };
    let mut parsed = locate(fields, zone, text, date.to_datetime(time))?;
    parsed.shifted &= fields.set & HOURS != 0; // A date alone does not claim that its midnight occurs.
    if clock.second == 60 {
        // A leap second stands at the end of 23:59 UTC; nowhere else.
        if parsed.at.as_second().rem_euclid(86_400) != 86_399 {
            return Err(ParseError::Range { what: Letter::Second.name() });
        }
        parsed.at = Timestamp::new(parsed.at.as_second(), 999_999_000).unwrap_or(parsed.at);
    }
    Ok(parsed)
}

fn resolve_date(fields: &Fields) -> Result<Date, ParseError> {
    let number = |letter| fields.get(letter);
    let weekday =
        fields.get(Letter::Weekday).or_else(|| fields.get(Letter::WeekdayNumber).map(|number| number % 7));
    if let Some(year) = number(Letter::WeekYear) {
        let (Some(week), Some(weekday)) = (number(Letter::WeekOfYear), weekday) else {
            return Err(ParseError::Contradiction { what: Letter::WeekYear.name() });
        };
        return week::date_of_week(small(year), week, weekday)
            .filter(|date| (1..=9999).contains(&date.year()))
            .ok_or(ParseError::Range { what: Letter::WeekOfYear.name() });
    }
    let year = small(number(Letter::Year).unwrap_or(1970));
    let month = i8::try_from(number(Letter::Month).unwrap_or(1)).unwrap_or(1);
    if let (Some(day), true) = (number(Letter::Day), number(Letter::Month).is_some()) {
        let day = i8::try_from(day).unwrap_or(0);
        return Date::new(year, month, day).map_err(|_| ParseError::Range { what: Letter::Day.name() });
    }
    if let Some(day) = number(Letter::DayOfYear) {
        let first = Date::new(year, 1, 1).map_err(|_| ParseError::Range { what: Letter::Year.name() })?;
        return first
            .with()
            .day_of_year(small(day))
            .build()
            .map_err(|_| ParseError::Range { what: Letter::DayOfYear.name() });
    }
    let by_week = |week: Option<i32>, date_of: fn(i16, i8, i32, i32) -> Option<Date>, letter: Letter| {
        let (week, weekday) = (week?, weekday?);
        Some(date_of(year, month, week, weekday).ok_or(ParseError::Range { what: letter.name() }))
    };
    by_week(number(Letter::WeekOfMonth), week::date_of_month_week, Letter::WeekOfMonth)
        .or_else(|| by_week(number(Letter::NthWeekday), week::date_of_nth_weekday, Letter::NthWeekday))
        .unwrap_or_else(|| {
            Date::new(year, month, 1).map_err(|_| ParseError::Range { what: Letter::Year.name() })
        })
}

fn small(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

fn check_date(fields: &Fields, date: Date) -> Result<(), ParseError> {
    const COMMON: u32 = (1 << Letter::Year as u32) | (1 << Letter::Month as u32) | (1 << Letter::Day as u32);
    const CLOCK: u32 = !((1 << Letter::HalfDay as u32) - 1);
    if fields.set & !(COMMON | CLOCK) == 0 {
        return Ok(()); // Nothing but year, month and day: they made the date.
    }
    let (_, week_of_year) = week::week_of_year(date);
    let weekday = week::sunday_based(date.weekday());
    let truth = [
        (Letter::Month, i32::from(date.month())),
        (Letter::Day, i32::from(date.day())),
        (Letter::DayOfYear, i32::from(date.day_of_year())),
        (Letter::WeekOfYear, week_of_year),
        (Letter::WeekOfMonth, week::week_of_month(date)),
        (Letter::NthWeekday, (i32::from(date.day()) - 1) / 7 + 1),
        (Letter::Weekday, weekday),
        (Letter::WeekdayNumber, if weekday == 0 { 7 } else { weekday }),
    ];
    match truth.into_iter().find(|(letter, value)| fields.get(*letter).is_some_and(|read| read != *value)) {
        Some((letter, _)) => Err(ParseError::Contradiction { what: letter.name() }),
        None => Ok(()),
    }
}

/// Every letter that names an hour.
const HOURS: u32 = (1 << Letter::Hour as u32)
    | (1 << Letter::HourFromOne as u32)
    | (1 << Letter::HalfHour as u32)
    | (1 << Letter::HalfHourFromOne as u32);

struct Clock {
    hour: i8,
    minute: i8,
    second: i8,
}

fn resolve_clock(fields: &Fields) -> Result<Clock, ParseError> {
    let minute = fields.get(Letter::Minute).unwrap_or(0);
    let second = fields.get(Letter::Second).unwrap_or(0);
    let half = fields.get(Letter::HalfDay);
    let short = fields.get(Letter::HalfHour);
    let short_from_one = fields.get(Letter::HalfHourFromOne).map(|hour| hour % 12);
    let from_one = fields.get(Letter::HourFromOne).map(|hour| hour % 24);
    let hour = fields
        .get(Letter::Hour)
        .or(from_one)
        .unwrap_or_else(|| short.or(short_from_one).unwrap_or(0) + 12 * half.unwrap_or(0));
    let contradiction = |letter: Letter| Err(ParseError::Contradiction { what: letter.name() });
    if hour == 24 && (minute != 0 || second != 0 || fields.nanos != 0) {
        return Err(ParseError::Range { what: Letter::Hour.name() });
    }
    let shown = hour % 24;
    if from_one.is_some_and(|read| read != shown) {
        return contradiction(Letter::HourFromOne);
    }
    if short.is_some_and(|read| read != shown % 12) {
        return contradiction(Letter::HalfHour);
    }
    if short_from_one.is_some_and(|read| read != shown % 12) {
        return contradiction(Letter::HalfHourFromOne);
    }
    if half.is_some_and(|read| read != shown / 12) {
        return contradiction(Letter::HalfDay);
    }
    let narrow = |number: i32| i8::try_from(number).unwrap_or(0);
    Ok(Clock { hour: narrow(hour), minute: narrow(minute), second: narrow(second) })
}

/// Finds the instant of a local time in the zone of the text, else in the declared one.
fn locate(fields: &Fields, zone: &Zone, text: &[u8], local: DateTime) -> Result<Parsed, ParseError> {
    let mut found: Option<Parsed> = None;
    for named in fields.zones.iter().flatten() {
        let parsed = match named {
            ZoneText::Offset(offset) => fixed(*offset, local),
            ZoneText::Region(region) => regional(region, local),
            ZoneText::Short(start, end) => {
                let name = &text[*start..*end];
                let offset = zone
                    .own_abbreviation(name, local)
                    .or_else(|| abbreviation(name).map(|(_, offset)| offset));
                fixed(offset.ok_or(ParseError::Zone { at: start + 1 })?, local)
            }
        };
        if found.is_some_and(|first| first.at != parsed.at) {
            return Err(ParseError::Contradiction { what: "zone" });
        }
        found = found.or(Some(parsed));
    }
    Ok(found.unwrap_or_else(|| match zone.fixed_offset() {
        Some(offset) => fixed(offset, local),
        None => regional(zone.time_zone(), local),
    }))
}

fn fixed(offset: Offset, local: DateTime) -> Parsed {
    Parsed { at: offset.to_timestamp(local).unwrap_or(nearest(local)), shifted: false }
}

fn regional(zone: &TimeZone, local: DateTime) -> Parsed {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let shifted = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    Parsed { at: ambiguous.compatible().unwrap_or(nearest(local)), shifted }
}

/// The last days of 9999, which are common for "never", lie beyond the last instant that can be held.
fn nearest(local: DateTime) -> Timestamp {
    if local.year() > 0 { Timestamp::MAX } else { Timestamp::MIN }
}

#[cfg(test)]
mod tests {
    use super::super::{DateFormat, ZoneRules};
    use super::*;

    fn format(pattern: &str, zone: &str) -> DateFormat {
        let zone = Zone::parse(zone, ZoneRules::default()).unwrap();
        DateFormat::compile(pattern, &zone).unwrap().format
    }

    #[track_caller]
    fn check_in(pattern: &str, zone: &str, text: &str, expect: &str) {
        let parsed = format(pattern, zone).parse(text);
        let shown = parsed.map_or_else(|error| error.to_string(), |parsed| parsed.at.to_string());
        assert_eq!(shown, expect, "`{pattern}` in {zone}: `{text}`");
    }

    #[track_caller]
    fn check(pattern: &str, text: &str, expect: &str) {
        check_in(pattern, "UTC", text, expect);
    }

    #[track_caller]
    fn refuse(pattern: &str, text: &str) {
        let parsed = format(pattern, "UTC").parse(text);
        assert!(parsed.is_err(), "`{pattern}`: `{text}` was read as {parsed:?}");
    }

    const ISO: &str = "yyyy-MM-dd'T'HH:mm:ssXXX";

    #[test]
    fn zones_of_the_text() {
        for zone in
            ["-07:00", "-7:00", "-0700", "-07", "MST", "mst", "PDT", "GMT-7", "GMT-7:00", "America/Phoenix"]
        {
            for letters in ["XXX", "XX", "X", "Z", "z"] {
                let pattern = format!("yyyy-MM-dd'T'HH:mm:ss{letters}");
                check(&pattern, &format!("2019-05-09T13:37:30{zone}"), "2019-05-09T20:37:30Z");
            }
        }
        for zone in ["Z", "+0000", "+00:00", "-00:00", "UTC", "GMT", "Etc/UTC"] {
            check(ISO, &format!("2019-05-09T13:37:30{zone}"), "2019-05-09T13:37:30Z");
        }
    }

    #[test]
    fn wrong_zones() {
        for zone in
            ["+7:0", "+24:00", "+7", "-0760", "+07:000", "", "XYZ", "+", "Mars/Olympus", "é", "+07:00:00"]
        {
            refuse(ISO, &format!("2019-05-09T13:37:30{zone}"));
        }
    }

    #[test]
    fn the_declared_zone_names_its_own() {
        let pattern = "yyyy-MM-dd HH:mm z";
        check_in(pattern, "Asia/Shanghai", "2019-05-09 08:00 CST", "2019-05-09T00:00:00Z");
        check_in(pattern, "America/Chicago", "2019-01-09 08:00 CST", "2019-01-09T14:00:00Z");
        check_in(pattern, "America/New_York", "2019-11-03 01:30 EDT", "2019-11-03T05:30:00Z");
        check_in(pattern, "America/New_York", "2019-11-03 01:30 EST", "2019-11-03T06:30:00Z");
        check("yyyy-MM-dd z-HH", "2019-05-09 UTC-13", "2019-05-09T13:00:00Z");
        check("yyyy-MM-dd z-HH", "2019-05-09 GMT+7:00-13", "2019-05-09T06:00:00Z");
        check("yyyy-MM-dd X:HH", "2019-05-09 +07:13", "2019-05-09T06:00:00Z");
    }

    #[test]
    fn fractions_of_any_length() {
        let pattern = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";
        check(pattern, "2019-05-09T13:37:30.5Z", "2019-05-09T13:37:30.5Z");
        check(pattern, "2019-05-09T13:37:30.123456Z", "2019-05-09T13:37:30.123456Z");
        check(pattern, "2019-05-09T13:37:30Z", "2019-05-09T13:37:30Z");
        check(pattern, "2019-05-09T13:37:30.Z", "2019-05-09T13:37:30Z");
        check(pattern, "2019-05-09T13:37:30.000000001Z", "2019-05-09T13:37:30.000000001Z");
        refuse(pattern, "2019-05-09T13:37:30.0000000001Z");
        refuse(ISO, "2019-05-09T13:37:30.5Z");
        check("yyyyMMddHHmmssSSS", "20190509133730123", "2019-05-09T13:37:30.123Z");
    }

    #[test]
    fn clocks_that_change() {
        let pattern = "yyyy-MM-dd HH:mm:ss";
        check_in(pattern, "America/New_York", "2019-11-03 01:30:00", "2019-11-03T05:30:00Z");
        check_in(pattern, "America/New_York", "2019-03-10 02:30:00", "2019-03-10T07:30:00Z");
        check_in(pattern, "Australia/Lord_Howe", "2019-04-07 01:45:00", "2019-04-06T14:45:00Z");
        check_in(pattern, "America/Sao_Paulo", "2018-11-04 00:30:00", "2018-11-04T03:30:00Z");
        check_in(pattern, "PST", "2019-07-01 00:00:00", "2019-07-01T08:00:00Z");
        let shifted = |text| format(pattern, "America/New_York").parse(text).unwrap().shifted;
        assert!(shifted("2019-03-10 02:30:00"));
        assert!(!shifted("2019-03-10 03:30:00"));
    }

    #[test]
    fn edges_of_the_calendar() {
        check(ISO, "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z");
        check(ISO, "2017-01-01T05:29:60+05:30", "2016-12-31T23:59:59.999999Z");
        refuse(ISO, "2016-12-31T22:59:60Z");
        check(ISO, "2019-05-09T24:00:00Z", "2019-05-10T00:00:00Z");
        check_in("yyyy-MM-dd HH:mm", "America/New_York", "2019-03-10 24:00", "2019-03-11T04:00:00Z");
        check(ISO, "9999-12-31T24:00:00Z", &Timestamp::MAX.to_string());
        refuse(ISO, "2019-05-09T24:00:01Z");
        check(ISO, "2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z");
        check(ISO, "9999-12-31T23:59:59Z", &Timestamp::MAX.to_string());
        check(ISO, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
        check(ISO, "2020-02-29T00:00:00Z", "2020-02-29T00:00:00Z");
        for text in [
            "2019-02-29",
            "2019-13-01",
            "2019-00-01",
            "2019-04-31",
            "0000-01-01",
            "-001-01-01",
            "10000-01-01",
        ] {
            refuse("yyyy-MM-dd", text);
        }
    }

    #[test]
    fn nothing_may_contradict() {
        let pattern = "EEE, dd MMM yyyy HH:mm:ss Z";
        check(pattern, "Thu, 09 May 2019 13:41:35 -0700", "2019-05-09T20:41:35Z");
        check(pattern, "thursday, 9 MAY 2019 13:41:35 EDT", "2019-05-09T17:41:35Z");
        refuse(pattern, "Fri, 09 May 2019 13:41:35 -0700");
        refuse("yyyy-MM-dd HH:mm a", "2019-05-09 13:00 AM");
        check("yyyy-MM-dd h:mm a", "2019-05-09 12:05 AM", "2019-05-09T00:05:00Z");
        check("yyyy-MM-dd K:mm a", "2019-05-09 0:05 PM", "2019-05-09T12:05:00Z");
        check("yyyy-MM-dd kk:mm", "2019-05-09 24:05", "2019-05-09T00:05:00Z");
        check("yyyy-MM-dd HH:mm:ss Z (z)", "2019-05-09 13:00:00 -0700 (PDT)", "2019-05-09T20:00:00Z");
        refuse("yyyy-MM-dd HH:mm:ss Z (z)", "2019-05-09 13:00:00 -0700 (EST)");
    }

    #[test]
    fn left_over_text() {
        check("yyyy-MM-dd", "2019-05-09T00:00:00Z", "the date ends at byte 10, but the text goes on");
        refuse("yyyy-MM-dd", "2019-05-09 ");
    }

    #[test]
    fn short_years_and_other_dates() {
        check("MM/dd/yy", "05/09/69", "2069-05-09T00:00:00Z");
        check("MM/dd/yy", "05/09/70", "1970-05-09T00:00:00Z");
        check("MM/dd/yyy'T'HH:mm:ssXXX", "05/09/2019T13:37:30-07:00", "2019-05-09T20:37:30Z");
        check("yyyy-DDD", "2020-366", "2020-12-31T00:00:00Z");
        refuse("yyyy-DDD", "2019-366");
        check("YYYY-'W'ww-u", "2019-W19-4", "2019-05-09T00:00:00Z");
        check("yyyy MMM F EEE", "2019 May 2 Thu", "2019-05-09T00:00:00Z");
        check("yyyyMMdd G", "20190509 AD", "2019-05-09T00:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}", pattern in 0..6_usize) {
            let patterns = [ISO, "EEE, dd MMM yyyy HH:mm:ss z", "yyyyMMddHHmmssSSSX", "milliseconds", "yyyy-DDD G", "YY w u h a"];
            let _ = format(patterns[pattern], "America/New_York").parse(&text); // Only a panic would matter.
        }

        #[test]
        fn no_date_text_panics(text in "[-+:./TZ 0-9]{0,32}") {
            for pattern in ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "seconds", "microseconds", "yy-M-d k z"] {
                let _ = format(pattern, "Australia/Lord_Howe").parse(&text); // Only a panic would matter.
            }
        }

        #[test]
        fn no_pattern_panics(pattern in "[GyYMLdDwWFEuaHkKhmsSzZX':. -]{0,24}", seconds in -377_705_000_000_i64..253_402_200_000) {
            if let Ok(compiled) = DateFormat::compile(&pattern, &Zone::utc()) {
                let at = Timestamp::new(seconds, 123_456_789).unwrap();
                let _ = compiled.format.parse(&compiled.format.print(at)); // Only a panic would matter.
            }
        }
    }
}
