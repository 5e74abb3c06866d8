//! Reads texts, the way moment reads them.
//!
//! A token looks for its digits or words anywhere in what is left of the text and skips what stands before them; that
//! is what makes reading forgiving. Strictly, nothing may be skipped or left over. Then the parts are laid together:
//! the present fills in what is missing in front, the lowest value what is missing behind, weeks and days of the year
//! become dates, and whatever is out of its range is refused.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};
use regex::Regex;

use super::print::{MONTHS, WEEKDAYS};
use super::week::{ENGLISH, ISO, days_in_month, days_in_year};
use super::{Fit, Format, Piece};
use crate::date::Zone;
use crate::limits::FLOW_PATTERN_BYTES_MAX;

/// Says why a text does not read as a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not read as `{format}`: {why}")]
pub struct ReadError {
    text: String,
    format: String,
    why: String,
}

/// Digits of a year or a timestamp that mean anything; more are beyond every date.
const DIGITS_MAX: usize = 18;

/// The places of a date and time, in the order in which they are filled in.
const YEAR: usize = 0;
const MONTH: usize = 1;
const DAY: usize = 2;
const HOUR: usize = 3;
const MINUTE: usize = 4;
const SECOND: usize = 5;

/// What each token looks for: forgiving, and strictly where that differs.
const PATTERNS: [(&[&str], &str, &str); 22] = [
    (&["M", "D", "w", "W", "h", "k"], r"[0-9][0-9]?", r"^[1-9][0-9]?"),
    (&["H", "m", "s"], r"[0-9][0-9]?", r"^([1-9][0-9]|[0-9])"),
    (
        &["MM", "DD", "ww", "WW", "HH", "hh", "kk", "mm", "ss", "YY", "gg", "GG"],
        r"[0-9][0-9]?",
        r"[0-9][0-9]",
    ),
    (&["d", "e", "E"], r"[0-9][0-9]?", r"[0-9][0-9]?"),
    (&["MMM", "MMMM", "dd", "ddd", "dddd"], WORD, WORD),
    (&["Do"], r"[0-9]{1,2}(th|st|nd|rd)|[0-9]{1,2}", r"[0-9]{1,2}(th|st|nd|rd)"),
    (&["DDD"], r"[0-9]{1,3}", r"[0-9]{1,3}"),
    (&["DDDD"], r"[0-9]{3}", r"[0-9]{3}"),
    (&["Q"], r"[0-9]", r"[0-9]"),
    (&["Y", "G", "g", "x"], r"[+-]?[0-9]+", r"[+-]?[0-9]+"),
    (&["YYYY", "gggg", "GGGG"], r"[0-9]{1,4}", r"[0-9]{4}"),
    (&["YYYYY", "YYYYYY", "ggggg", "GGGGG"], r"[+-]?[0-9]{1,6}", r"[+-]?[0-9]{6}"),
    (&["y", "yy", "yyy", "yyyy", "yo"], r"[0-9]+", r"[0-9]+"),
    (&["N", "NN", "NNN"], ERAS, r"^(?i:AD|BC)"),
    (&["NNNN"], ERAS, r"^(?i:Anno Domini|Before Christ)"),
    (&["NNNNN"], ERAS, r"^(?i:AD|BC)"),
    (&["a", "A"], r"[aApP]\.?[mM]?\.?", r"[aApP]\.?[mM]?\.?"),
    (&["hmm", "Hmm"], r"[0-9]{3,4}", r"[0-9]{3,4}"),
    (&["hmmss", "Hmmss", "eHHmm"], r"[0-9]{5,6}", r"[0-9]{5,6}"),
    (&["SSSS", "SSSSS", "SSSSSS", "SSSSSSS", "SSSSSSSS", "SSSSSSSSS"], r"[0-9]+", r"[0-9]+"),
    (&["Z", "ZZ"], r"[Zz]|[+-][0-9][0-9](?::?[0-9][0-9])?", r"[Zz]|[+-][0-9][0-9](?::?[0-9][0-9])?"),
    (&["X"], r"[+-]?[0-9]+(\.[0-9]{1,3})?", r"[+-]?[0-9]+(\.[0-9]{1,3})?"),
];

/// A word of letters, with digits in front of it.
const WORD: &str =
    r"[0-9]*['a-zA-Z\u{A0}-\u{5FF}\u{700}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FF07}\u{FF10}-\u{FFEF}]+";
const ERAS: &str = r"^(?i:Anno Domini|AD|Before Christ|BC)";

/// What a token looks for, forgiving and strictly.
struct Finder {
    forgiving: Regex,
    strict: Regex,
}

static FINDERS: LazyLock<HashMap<&'static str, Finder>> = LazyLock::new(|| {
    let regex = |source: &str| Regex::new(source).expect("the patterns of the table compile");
    let fractions = (1..=3).map(|digits| (["S", "SS", "SSS"][digits - 1], digits));
    let fractions = fractions.map(|(token, digits)| {
        let strict = format!("[0-9]{{{digits}}}");
        (token, Finder { forgiving: regex("[0-9]{1,3}"), strict: regex(&strict) })
    });
    let each = PATTERNS.iter().flat_map(|(tokens, forgiving, strict)| {
        tokens.iter().map(|token| (*token, Finder { forgiving: regex(forgiving), strict: regex(strict) }))
    });
    each.chain(fractions).collect()
});

/// What was read of a text.
#[derive(Debug, Default)]
struct Parts {
    /// Year, month from 0, day, hour, minute, second.
    places: [Option<i64>; 6],
    nanosecond: Option<i64>,
    day_of_year: Option<i64>,
    week: Week,
    /// Seconds east of UTC.
    offset: Option<i64>,
    instant: Option<Timestamp>,
    afternoon: Option<bool>,
    before_christ: Option<bool>,
    twelve_hours: bool,
    /// A known token found something.
    any: bool,
}

#[derive(Debug, Default)]
struct Week {
    /// The year of an English week, the week, the weekday from Sunday, and the place in the week.
    english_year: Option<i64>,
    english: Option<i64>,
    weekday: Option<i64>,
    place: Option<i64>,
    /// The year of an ISO week, the week, and the weekday from Monday as 1.
    iso_year: Option<i64>,
    iso: Option<i64>,
    iso_weekday: Option<i64>,
}

pub(super) fn read(
    format: &Format,
    text: &str,
    zone: &Zone,
    now: Timestamp,
    fit: Fit,
) -> Result<Timestamp, ReadError> {
    let fail = |why: String| {
        let shown: String = text.chars().take(100).collect();
        ReadError { text: shown, format: format.text.clone(), why }
    };
    if text.len() > FLOW_PATTERN_BYTES_MAX {
        return Err(fail(format!("it has {} bytes; at most {FLOW_PATTERN_BYTES_MAX}", text.len())));
    }
    scan(format, text, fit).and_then(|parts| parts.instant(zone, now)).map_err(fail)
}

fn scan(format: &Format, text: &str, fit: Fit) -> Result<Parts, String> {
    let mut parts = Parts::default();
    let mut rest = text;
    for piece in &format.pieces {
        let found = match piece {
            Piece::Token(token) => FINDERS.get(token).map_or_else(
                // A token that can only be printed is looked for as its letters.
                || rest.find(token).map(|at| at..at + token.len()),
                |finder| {
                    let regex = if fit == Fit::Strict { &finder.strict } else { &finder.forgiving };
                    regex.find(rest).map(|found| found.range())
                },
            ),
            Piece::Literal(letters) => rest.find(letters.as_str()).map(|at| at..at + letters.len()),
        };
        let Some(found) = found.filter(|found| !found.is_empty()) else {
            match piece {
                _ if fit == Fit::Forgiving => continue,
                Piece::Token(token) => return Err(format!("nothing is left for `{token}`")),
                Piece::Literal(letters) if letters.is_empty() => continue,
                Piece::Literal(letters) => return Err(format!("`{letters}` is missing")),
            }
        };
        if fit == Fit::Strict && found.start > 0 {
            return Err(format!("`{}` is not expected", &rest[..found.start]));
        }
        if let Piece::Token(token) = piece {
            // `g` and `G` alone are no tokens of moment's; they only take digits along.
            parts.any |= !matches!(*token, "g" | "G");
            parts.take(token, &rest[found.clone()], fit)?;
        }
        rest = &rest[found.end..];
    }
    if fit == Fit::Strict && !rest.is_empty() {
        return Err(format!("`{rest}` is left over"));
    }
    if !parts.any {
        return Err("no part of it fits".to_owned());
    }
    let hour = parts.places[HOUR];
    if fit == Fit::Strict && parts.twelve_hours && !hour.is_some_and(|hour| (1..=12).contains(&hour)) {
        return Err("the hour is not one of a clock of twelve".to_owned());
    }
    Ok(parts)
}

/// A whole number with or without a sign; beyond all dates, a number beyond all dates.
fn whole(digits: &str) -> i64 {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let digits = digits.trim_start_matches('0');
    let beyond = 10i64.pow(17);
    let size = match digits.len() {
        0 => 0,
        1..DIGITS_MAX => digits.parse().unwrap_or(beyond),
        _ => beyond,
    };
    sign * size
}

fn two_digit_year(digits: &str) -> i64 {
    let year = whole(digits);
    year + if year > 68 { 1900 } else { 2000 }
}

/// The name that a word begins with, whole or by its first letters; strictly, the whole word must be the name.
fn name(word: &str, names: &[&str], lengths: &[usize], exact: Option<usize>) -> Option<i64> {
    let begins = |name: &str| match exact {
        // A length beyond the name means the whole name.
        Some(length) => word.eq_ignore_ascii_case(&name[..length.min(name.len())]),
        None => lengths.iter().any(|length| {
            let short = &name[..(*length).min(name.len())];
            word.get(..short.len()).is_some_and(|start| start.eq_ignore_ascii_case(short))
        }),
    };
    names.iter().position(|name| begins(name)).and_then(|at| i64::try_from(at).ok())
}

impl Parts {
    fn set(&mut self, place: usize, value: i64) {
        self.places[place] = Some(value);
    }

    fn take(&mut self, token: &str, found: &str, fit: Fit) -> Result<(), String> {
        match token.as_bytes()[0] {
            b'Y' | b'y' | b'g' | b'G' | b'w' | b'W' | b'd' | b'e' | b'E' | b'N' => {
                self.take_week(token, found, fit)
            }
            b'M' | b'D' | b'Q' => self.take_day(token, found, fit),
            b'Z' => self.take_offset(found),
            b'X' | b'x' => self.take_instant(token, found),
            _ => {
                self.take_time(token, found);
                Ok(())
            }
        }
    }

    fn take_week(&mut self, token: &str, found: &str, fit: Fit) -> Result<(), String> {
        match token {
            "YY" => self.set(YEAR, two_digit_year(found)),
            "YYYY" if found.len() == 2 => self.set(YEAR, two_digit_year(found)),
            "Y" | "YYYY" | "YYYYY" | "YYYYYY" | "y" | "yy" | "yyy" | "yyyy" | "yo" => {
                self.set(YEAR, whole(found))
            }
            "gg" => self.week.english_year = Some(two_digit_year(found)),
            "GG" => self.week.iso_year = Some(two_digit_year(found)),
            "gggg" | "ggggg" => self.week.english_year = Some(whole(found)),
            "GGGG" | "GGGGG" => self.week.iso_year = Some(whole(found)),
            "w" | "ww" => self.week.english = Some(whole(found)),
            "W" | "WW" => self.week.iso = Some(whole(found)),
            "d" => self.week.weekday = Some(whole(found)),
            "e" => self.week.place = Some(whole(found)),
            "E" => self.week.iso_weekday = Some(whole(found)),
            "eHHmm" => {
                let (start, minute) = found.split_at(found.len() - 2);
                let (place, hour) = start.split_at(start.len() - 2);
                self.week.place = Some(whole(place));
                self.set(HOUR, whole(hour));
                self.set(MINUTE, whole(minute));
            }
            "dd" | "ddd" | "dddd" => {
                let exact = (fit == Fit::Strict).then_some([2, 3, 99][token.len() - 2]);
                let day = name(found, &WEEKDAYS, &[99, 3, 2], exact);
                self.week.weekday = Some(day.ok_or_else(|| format!("`{found}` is no weekday"))?);
            }
            "N" | "NN" | "NNN" | "NNNN" | "NNNNN" => {
                self.before_christ =
                    Some(found.as_bytes().first().is_some_and(|byte| matches!(byte, b'B' | b'b')));
            }
            _ => {}
        }
        Ok(())
    }

    fn take_day(&mut self, token: &str, found: &str, fit: Fit) -> Result<(), String> {
        match token {
            "M" | "MM" => self.set(MONTH, whole(found) - 1),
            "MMM" | "MMMM" => {
                let exact = (fit == Fit::Strict).then_some(if token == "MMM" { 3 } else { 99 });
                let month = name(found, &MONTHS, &[99, 3], exact);
                self.set(MONTH, month.ok_or_else(|| format!("`{found}` is no month"))?);
            }
            "D" | "DD" => self.set(DAY, whole(found)),
            "Do" => self.set(DAY, whole(found.trim_end_matches(|char: char| !char.is_ascii_digit()))),
            "DDD" | "DDDD" => self.day_of_year = Some(whole(found)),
            "Q" => self.set(MONTH, (whole(found) - 1) * 3),
            _ => {}
        }
        Ok(())
    }

    fn take_time(&mut self, token: &str, found: &str) {
        match token {
            "H" | "HH" => self.set(HOUR, whole(found)),
            "k" | "kk" => self.set(HOUR, if whole(found) == 24 { 0 } else { whole(found) }),
            "h" | "hh" => {
                self.set(HOUR, whole(found));
                self.twelve_hours = true;
            }
            "hmm" | "Hmm" => {
                let (hour, minute) = found.split_at(found.len() - 2);
                self.set(HOUR, whole(hour));
                self.set(MINUTE, whole(minute));
                self.twelve_hours |= token == "hmm";
            }
            "hmmss" | "Hmmss" => {
                let (start, second) = found.split_at(found.len() - 2);
                let (hour, minute) = start.split_at(start.len() - 2);
                self.set(HOUR, whole(hour));
                self.set(MINUTE, whole(minute));
                self.set(SECOND, whole(second));
                self.twelve_hours |= token == "hmmss";
            }
            "m" | "mm" => self.set(MINUTE, whole(found)),
            "s" | "ss" => self.set(SECOND, whole(found)),
            "a" | "A" => self.afternoon = Some(found.starts_with(['p', 'P'])),
            _ if token.starts_with('S') => {
                // Moment keeps three digits; more are kept here, as many as an instant has.
                let digits: String = found.chars().chain("000000000".chars()).take(9).collect();
                self.nanosecond = Some(whole(&digits));
            }
            _ => {}
        }
    }

    fn take_offset(&mut self, found: &str) -> Result<(), String> {
        let digits: String = found.chars().filter(char::is_ascii_digit).collect();
        let (hours, minutes) = digits.split_at(digits.len().min(2));
        let (hours, minutes) = (whole(hours), whole(minutes));
        let size = hours * 60 + minutes;
        let west = found.starts_with('-');
        if minutes > 59 || size > if west { 12 * 60 } else { 14 * 60 } {
            return Err(format!("`{found}` is no offset of any place"));
        }
        self.offset = Some(if west { -size * 60 } else { size * 60 });
        Ok(())
    }

    fn take_instant(&mut self, token: &str, found: &str) -> Result<(), String> {
        let (count, fraction) = found.split_once('.').unwrap_or((found, ""));
        let at = if token == "x" {
            Timestamp::from_millisecond(whole(count))
        } else {
            let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
            let thousandths = if count.starts_with('-') { -whole(&thousandths) } else { whole(&thousandths) };
            Timestamp::from_millisecond(whole(count).saturating_mul(1_000).saturating_add(thousandths))
        };
        self.instant = Some(at.map_err(|_| format!("`{found}` is beyond all dates"))?);
        Ok(())
    }

    /// Lays the parts together.
    fn instant(mut self, zone: &Zone, now: Timestamp) -> Result<Timestamp, String> {
        let given = self.places.iter().any(Option::is_some) || self.nanosecond.is_some();
        if self.afternoon.is_some() && !given {
            return Err("there is no hour for its AM or PM".to_owned());
        }
        self.turn_clock();
        if let Some(at) = self.instant {
            self.check_given()?;
            return Ok(at);
        }
        // With an offset of its own, the text has nothing to do with the zone.
        let default_zone = if self.offset.is_some() { TimeZone::UTC } else { zone.time_zone().clone() };
        let present = default_zone.to_datetime(now);
        self.weeks(present)?;
        self.day_of_the_year(i64::from(present.year()))?;
        let defaulted = self.fill_in(present);
        let weekday = self.weekday_of_date();
        self.check()?;
        if let Some(wanted) = self.week.weekday
            && !defaulted
            && wanted != weekday
        {
            return Err("its weekday is not that of its date".to_owned());
        }
        self.resolve(zone)
    }

    fn turn_clock(&mut self) {
        if let (Some(hour), Some(afternoon)) = (self.places[HOUR], self.afternoon) {
            self.places[HOUR] = Some(match (afternoon, hour) {
                (true, hour) if hour < 12 => hour + 12,
                (false, 12) => 0,
                (_, hour) => hour,
            });
        }
        if let Some(before) = self.before_christ {
            let year = self.places[YEAR].unwrap_or(1);
            self.places[YEAR] = Some(if before { 1 - year } else { year });
        }
    }

    /// Turns a week and its day into a year and a day of it, when neither month nor day of the month is given.
    fn weeks(&mut self, present: DateTime) -> Result<(), String> {
        let week = &self.week;
        let any = [
            week.english_year,
            week.english,
            week.weekday,
            week.place,
            week.iso_year,
            week.iso,
            week.iso_weekday,
        ];
        if self.places[MONTH].is_some() || self.places[DAY].is_some() || any.iter().all(Option::is_none) {
            return Ok(());
        }
        let today = (i64::from(present.year()), i64::from(present.day_of_year()));
        let is_iso = week.iso_year.is_some() || week.iso.is_some() || week.iso_weekday.is_some();
        let (weeks, year, number, weekday, in_range) = if is_iso {
            let year = week.iso_year.or(self.places[YEAR]).unwrap_or_else(|| ISO.of(today.0, today.1).0);
            let weekday = week.iso_weekday.unwrap_or(1);
            (ISO, year, week.iso.unwrap_or(1), weekday, (1..=7).contains(&weekday))
        } else {
            let current = ENGLISH.of(today.0, today.1);
            let year = week.english_year.or(self.places[YEAR]).unwrap_or(current.0);
            let weekday = week.weekday.or(week.place).unwrap_or(ENGLISH.first_day());
            (ENGLISH, year, week.english.unwrap_or(current.1), weekday, (0..=6).contains(&weekday))
        };
        let year = in_years(year)?;
        if !(1..=weeks.in_year(year)).contains(&number) {
            return Err(format!("the year {year} has no week {number}"));
        }
        if !in_range {
            return Err(format!("there is no weekday {weekday}"));
        }
        let (year, day) = weeks.day(year, number, weekday);
        self.places[YEAR] = Some(year);
        self.day_of_year = Some(day);
        Ok(())
    }

    /// Turns a day of the year into a month and a day.
    fn day_of_the_year(&mut self, this_year: i64) -> Result<(), String> {
        let Some(day) = self.day_of_year else { return Ok(()) };
        let year = in_years(self.places[YEAR].unwrap_or(this_year))?;
        if !(1..=days_in_year(year)).contains(&day) {
            return Err(format!("the year {year} has no day {day}"));
        }
        let (month, day) = month_and_day(year, day);
        self.places[MONTH] = Some(month);
        self.places[DAY] = Some(day);
        Ok(())
    }

    /// Fills in what is missing; says whether a part of the date was.
    fn fill_in(&mut self, present: DateTime) -> bool {
        let today = [i64::from(present.year()), i64::from(present.month()) - 1, i64::from(present.day())];
        let defaulted = self.places[..=DAY].iter().any(Option::is_none);
        for (place, today) in self.places[..=DAY].iter_mut().zip(today) {
            if place.is_some() {
                break;
            }
            *place = Some(today);
        }
        let lowest = [0, 0, 1, 0, 0, 0];
        for (place, low) in self.places.iter_mut().zip(lowest) {
            place.get_or_insert(low);
        }
        self.nanosecond.get_or_insert(0);
        defaulted
    }

    fn place(&self, place: usize) -> i64 {
        self.places[place].unwrap_or(0)
    }

    /// The weekday of the date from Sunday; any number when there is no such date.
    fn weekday_of_date(&self) -> i64 {
        civil(self.place(YEAR), self.place(MONTH), self.place(DAY))
            .map_or(-1, |at| i64::from(at.weekday().to_sunday_zero_offset()))
    }

    fn check(&self) -> Result<(), String> {
        let midnight =
            self.place(MINUTE) == 0 && self.place(SECOND) == 0 && self.nanosecond.unwrap_or(0) == 0;
        let (year, month, day) = (in_years(self.place(YEAR))?, self.place(MONTH), self.place(DAY));
        if !(0..=11).contains(&month) {
            return Err(format!("there is no month {}", month + 1));
        }
        if !(1..=days_in_month(year, month)).contains(&day) {
            let name = MONTHS[usize::try_from(month).unwrap_or(0)];
            return Err(format!("{name} {year} has no day {day}"));
        }
        match self.place(HOUR) {
            0..=23 => {}
            24 if midnight => {}
            hour => return Err(format!("there is no hour {hour}")),
        }
        if !(0..=59).contains(&self.place(MINUTE)) {
            return Err(format!("there is no minute {}", self.place(MINUTE)));
        }
        if !(0..=59).contains(&self.place(SECOND)) {
            return Err(format!("there is no second {}", self.place(SECOND)));
        }
        Ok(())
    }

    /// What stands beside a whole instant says nothing, but must not be nonsense.
    fn check_given(&self) -> Result<(), String> {
        let mut filled = Parts { nanosecond: self.nanosecond, ..Parts::default() };
        let [year, month, day, hour, ..] = self.places;
        let harmless = [2000, 0, 1, 0, 0, 0];
        filled.places = std::array::from_fn(|place| Some(self.places[place].unwrap_or(harmless[place])));
        // Without a year and a month, nobody can say how many days there are.
        if year.is_none() || month.is_none() {
            filled.places[YEAR] = Some(2000);
            filled.places[DAY] = day.map_or(Some(1), |day| Some(day.min(1)));
        }
        if hour == Some(24) && (self.places[MINUTE].is_none() || self.places[SECOND].is_none()) {
            return Err("there is no hour 24".to_owned());
        }
        filled.check()
    }

    /// The instant of checked parts.
    fn resolve(&self, zone: &Zone) -> Result<Timestamp, String> {
        let beyond = |_| "it is beyond all dates".to_owned();
        let day =
            civil(self.place(YEAR), self.place(MONTH), self.place(DAY)).ok_or("there is no such day")?;
        let next_day = i64::from(self.place(HOUR) == 24);
        let time = Span::new()
            .hours(self.place(HOUR) % 24)
            .minutes(self.place(MINUTE))
            .seconds(self.place(SECOND))
            .nanoseconds(self.nanosecond.unwrap_or(0))
            .days(next_day);
        let local = day.checked_add(time).map_err(beyond)?;
        let rules = match self.offset {
            Some(seconds) => {
                let offset =
                    i32::try_from(seconds).ok().and_then(|seconds| Offset::from_seconds(seconds).ok());
                TimeZone::fixed(offset.ok_or("its offset is beyond all zones")?)
            }
            None => zone.time_zone().clone(),
        };
        rules.to_ambiguous_timestamp(local).compatible().map_err(beyond)
    }
}

/// A year that a date can have.
fn in_years(year: i64) -> Result<i64, String> {
    if (-9_998..=9_998).contains(&year) {
        Ok(year)
    } else {
        Err(format!("the year {year} is beyond all dates"))
    }
}

fn month_and_day(year: i64, day_of_year: i64) -> (i64, i64) {
    let mut day = day_of_year;
    for month in 0..11 {
        let length = days_in_month(year, month);
        if day <= length {
            return (month, day);
        }
        day -= length;
    }
    (11, day)
}

fn civil(year: i64, month: i64, day: i64) -> Option<DateTime> {
    let (year, month, day) =
        (i16::try_from(year).ok()?, i8::try_from(month + 1).ok()?, i8::try_from(day).ok()?);
    jiff::civil::Date::new(year, month, day).ok().map(|day| day.at(0, 0, 0, 0))
}
