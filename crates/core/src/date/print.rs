//! Prints an instant by a compiled pattern.
//!
//! Everything is cut off, nothing rounded: a printed lower bound must not lie after the instant it stands for.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::pattern::{Letter, Pattern, Token, ZoneStyle};
use super::zone::OffsetName;
use super::{Zone, week};

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

/// See [`super::DateFormat::print`].
pub(super) fn print(pattern: &Pattern, zone: &Zone, at: Timestamp) -> String {
    let offset = zone.fixed_offset().unwrap_or_else(|| zone.time_zone().to_offset(at));
    let offset = sayable(offset, pattern.offset_step);
    let local = offset.to_datetime(at);
    let mut out = String::with_capacity(32);
    for token in &pattern.tokens {
        match token {
            Token::Text(text) => out.push_str(text),
            Token::Number { letter, count, .. } => push_number(&mut out, *letter, *count, local),
            Token::Name { letter, long } => push_name(&mut out, *letter, *long, local),
            Token::Fraction { point, count, .. } => push_fraction(&mut out, *point, *count, local),
            Token::Zone { style, .. } => push_zone(&mut out, *style, zone, offset, at),
        }
    }
    out
}

/// Cuts an offset down to what the pattern can print. `X` says `+05` in India: with the local time of +5:30 the text
/// would name an instant half an hour too late, so the local time of +5:00 is printed with it.
fn sayable(offset: Offset, step: i32) -> Offset {
    Offset::from_seconds(offset.seconds() / step * step).unwrap_or(offset)
}

fn push_number(out: &mut String, letter: Letter, count: u8, local: DateTime) {
    let date = local.date();
    let hour = i32::from(local.hour());
    let (value, width) = match letter {
        Letter::Year => year(i32::from(date.year()), count),
        Letter::WeekYear => year(i32::from(week::week_of_year(date).0), count),
        Letter::Month => (i32::from(date.month()), count),
        Letter::Day => (i32::from(date.day()), count),
        Letter::DayOfYear => (i32::from(date.day_of_year()), count),
        Letter::WeekOfYear => (week::week_of_year(date).1, count),
        Letter::WeekOfMonth => (week::week_of_month(date), count),
        Letter::NthWeekday => ((i32::from(date.day()) - 1) / 7 + 1, count),
        Letter::WeekdayNumber => (i32::from(date.weekday().to_monday_one_offset()), count),
        Letter::Hour => (hour, count),
        Letter::HourFromOne => (if hour == 0 { 24 } else { hour }, count),
        Letter::HalfHour => (hour % 12, count),
        Letter::HalfHourFromOne => (if hour % 12 == 0 { 12 } else { hour % 12 }, count),
        Letter::Minute => (i32::from(local.minute()), count),
        Letter::Second => (i32::from(local.second()), count),
        // Names, fractions and zones are tokens of their own.
        Letter::Era | Letter::Weekday | Letter::HalfDay | Letter::Fraction => return,
        Letter::ZoneName | Letter::ZoneOffset | Letter::ZoneIso => return,
    };
    push_padded(out, value, usize::from(width));
}

/// Two letters print two digits; years before 1 are counted backwards from it, as `G` does.
fn year(year: i32, count: u8) -> (i32, u8) {
    let year = if year < 1 { 1 - year } else { year };
    if count == 2 { (year % 100, 2) } else { (year, count) }
}

fn push_padded(out: &mut String, value: i32, width: usize) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{value:0width$}");
}

fn push_name(out: &mut String, letter: Letter, long: bool, local: DateTime) {
    let name = match letter {
        Letter::Month => MONTHS[usize::from(local.month().unsigned_abs()).clamp(1, 12) - 1],
        Letter::Weekday => {
            WEEKDAYS[usize::from(local.weekday().to_sunday_zero_offset().unsigned_abs()).min(6)]
        }
        Letter::HalfDay => return out.push_str(if local.hour() < 12 { "AM" } else { "PM" }),
        _ => return out.push_str(if local.year() > 0 { "AD" } else { "BC" }),
    };
    out.push_str(if long { name } else { &name[..3] });
}

fn push_fraction(out: &mut String, point: Option<u8>, count: u8, local: DateTime) {
    out.extend(point.map(char::from));
    let digits = local.subsec_nanosecond() / 10_i32.pow(9 - u32::from(count.min(9)));
    push_padded(out, digits, usize::from(count));
}

fn push_zone(out: &mut String, style: ZoneStyle, zone: &Zone, offset: Offset, at: Timestamp) {
    let iso = matches!(style, ZoneStyle::IsoHours | ZoneStyle::IsoPlain | ZoneStyle::IsoColon);
    if iso && offset.is_zero() {
        return out.push('Z');
    }
    let text = OffsetName(offset).to_string();
    match style {
        ZoneStyle::Name => zone.print_name(at, out),
        ZoneStyle::IsoColon => out.push_str(&text),
        ZoneStyle::IsoHours => out.push_str(&text[..3]),
        ZoneStyle::Plain | ZoneStyle::IsoPlain => out.extend(text.chars().filter(|char| *char != ':')),
    }
}
