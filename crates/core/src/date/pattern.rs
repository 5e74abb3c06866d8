//! Compiles a pattern of Java's `SimpleDateFormat` letters into tokens, and refuses what is no usable format.
//!
//! Published configurations hold words, numbers and prose where a format belongs. Many of their letters are pattern
//! letters, so a format must also make sense: a year, and every finer part anchored in the coarser ones. Whatever is
//! refused is refused when it is saved, with the place and what to write instead.

use thiserror::Error;

use super::sense::{Present, judge};
use super::{DateFormat, EpochUnit, Kind, Resolution, Zone};

/// A format and what had to be mended or deserves a warning.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The usable format.
    pub format: DateFormat,
    /// Sentences for the person who wrote the format; empty for a clean one.
    pub repairs: Vec<String>,
}

/// Says why a text is no usable format. Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// A quote that opens and never closes.
    #[error(
        "the quote at character {at} of `{pattern}` is never closed: close it, or write `''` for a quote"
    )]
    Quote {
        /// The pattern.
        pattern: String,
        /// Where the quote opens.
        at: usize,
    },
    /// A letter that means nothing.
    #[error(
        "`{letter}` at character {at} of `{pattern}` is no pattern letter: put literal words in quotes, or write `seconds` or `milliseconds` for a number counted from 1970"
    )]
    Letter {
        /// The pattern.
        pattern: String,
        /// The letter.
        letter: char,
        /// Where it stands.
        at: usize,
    },
    /// Letters that do not add up to a date.
    #[error("`{pattern}` is no usable date format: {why}")]
    Unusable {
        /// The pattern.
        pattern: String,
        /// What is wrong and what to write.
        why: &'static str,
    },
}

/// A checked pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    pub(super) tokens: Vec<Token>,
    pub(super) has_offset: bool,
    /// Seconds of the smallest step that the printed offset can say.
    pub(super) offset_step: i32,
    pub(super) resolution: Resolution,
}

/// One step of reading or printing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Text that stands for itself.
    Text(Box<str>),
    /// A number; `exact` when another number follows at once, so that the count of letters is its width.
    Number { letter: Letter, count: u8, exact: bool },
    /// A name of a month, weekday, era or half day; `long` prints the full one.
    Name { letter: Letter, long: bool },
    /// Digits after the point. The point belongs to it because it goes when the digits go.
    Fraction { point: Option<u8>, count: u8, exact: bool },
    /// A zone; `own_shape` when what follows could be taken for more of an offset.
    Zone { style: ZoneStyle, own_shape: bool },
}

/// The pattern letters, each with what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Letter {
    Era,
    Year,
    WeekYear,
    Month,
    Day,
    DayOfYear,
    WeekOfYear,
    WeekOfMonth,
    NthWeekday,
    Weekday,
    WeekdayNumber,
    HalfDay,
    Hour,
    HourFromOne,
    HalfHour,
    HalfHourFromOne,
    Minute,
    Second,
    Fraction,
    ZoneName,
    ZoneOffset,
    ZoneIso,
}

/// The number of letters; see [`Letter`].
pub(super) const LETTER_COUNT: usize = 22;

/// How a zone is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZoneStyle {
    /// `z`: EST.
    Name,
    /// `Z`: -0500.
    Plain,
    /// `X`: -05.
    IsoHours,
    /// `XX`: -0500, zero is `Z`.
    IsoPlain,
    /// `XXX`: -05:00, zero is `Z`.
    IsoColon,
}

/// Characters in a pattern. Real ones have at most 40.
const PATTERN_LENGTH_MAX: usize = 200;

impl Letter {
    fn of(letter: char) -> Option<Letter> {
        Some(match letter {
            'G' => Letter::Era,
            'y' => Letter::Year,
            'Y' => Letter::WeekYear,
            'M' | 'L' => Letter::Month,
            'd' => Letter::Day,
            'D' => Letter::DayOfYear,
            'w' => Letter::WeekOfYear,
            'W' => Letter::WeekOfMonth,
            'F' => Letter::NthWeekday,
            'E' => Letter::Weekday,
            'u' => Letter::WeekdayNumber,
            'a' => Letter::HalfDay,
            'H' => Letter::Hour,
            'k' => Letter::HourFromOne,
            'K' => Letter::HalfHour,
            'h' => Letter::HalfHourFromOne,
            'm' => Letter::Minute,
            's' => Letter::Second,
            'S' => Letter::Fraction,
            'z' => Letter::ZoneName,
            'Z' => Letter::ZoneOffset,
            'X' => Letter::ZoneIso,
            _ => return None,
        })
    }

    /// What an error calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Letter::Era => "era (`G`)",
            Letter::Year => "year (`y`)",
            Letter::WeekYear => "year of the week (`Y`)",
            Letter::Month => "month (`M`)",
            Letter::Day => "day of the month (`d`)",
            Letter::DayOfYear => "day of the year (`D`)",
            Letter::WeekOfYear => "week of the year (`w`)",
            Letter::WeekOfMonth => "week of the month (`W`)",
            Letter::NthWeekday => "count of the weekday in the month (`F`)",
            Letter::Weekday => "weekday (`E`)",
            Letter::WeekdayNumber => "number of the weekday (`u`)",
            Letter::HalfDay => "AM or PM (`a`)",
            Letter::Hour => "hour (`H`)",
            Letter::HourFromOne => "hour from 1 to 24 (`k`)",
            Letter::HalfHour => "hour from 0 to 11 (`K`)",
            Letter::HalfHourFromOne => "hour from 1 to 12 (`h`)",
            Letter::Minute => "minute (`m`)",
            Letter::Second => "second (`s`)",
            Letter::Fraction => "fraction of a second (`S`)",
            Letter::ZoneName | Letter::ZoneOffset | Letter::ZoneIso => "zone",
        }
    }
}

/// A run of one letter, or literal text.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Letters(Letter, usize),
}

/// See [`DateFormat::compile`].
pub(super) fn compile(text: &str, zone: &Zone) -> Result<Compiled, PatternError> {
    if text.chars().count() > PATTERN_LENGTH_MAX {
        let pattern = text.chars().take(40).chain(['…']).collect();
        return Err(PatternError::Unusable { pattern, why: "it is longer than 200 characters" });
    }
    let mut repairs = Vec::new();
    let mended = mend(text);
    if mended != text {
        repairs.push(format!("dropped the stray quote at the end of `{text}`"));
    }
    if let Some(unit) = EpochUnit::named(mended.trim()) {
        return Ok(Compiled { format: DateFormat { kind: Kind::Epoch(unit), zone: zone.clone() }, repairs });
    }
    let pieces = split(mended)?;
    let present = Present::of(&pieces);
    judge(&pieces, &present)
        .map_or(Ok(()), |why| Err(PatternError::Unusable { pattern: mended.to_owned(), why }))?;
    if mended.trim() != mended {
        repairs.push(format!("`{mended}` has blanks at its ends, and so must every date"));
    }
    if present.halved_hour() && !present.has(Letter::HalfDay) {
        repairs.push(format!(
            "`{mended}` has hours of a half day and no `a`: every hour is taken as before noon; write `HH` for 0 to 23"
        ));
    }
    let pattern = Pattern {
        tokens: tokens(&pieces),
        has_offset: present.zone(),
        offset_step: offset_step(&pieces),
        resolution: resolution(&pieces, &present),
    };
    Ok(Compiled { format: DateFormat { kind: Kind::Pattern(pattern), zone: zone.clone() }, repairs })
}

/// Drops a last quote that has no partner.
fn mend(pattern: &str) -> &str {
    match pattern.strip_suffix('\'') {
        Some(shorter) if open_quote(pattern).is_some() && open_quote(shorter).is_none() => shorter,
        Some(_) | None => pattern,
    }
}

/// The position in characters, from 1, of a quote that never closes.
fn open_quote(pattern: &str) -> Option<usize> {
    let mut open = None;
    let mut chars = pattern.chars().enumerate().peekable();
    while let Some((index, char)) = chars.next() {
        if char == '\'' && chars.next_if(|(_, next)| *next == '\'').is_none() {
            open = if open.is_some() { None } else { Some(index + 1) };
        }
    }
    open
}

fn split(pattern: &str) -> Result<Vec<Piece>, PatternError> {
    if let Some(at) = open_quote(pattern) {
        return Err(PatternError::Quote { pattern: pattern.to_owned(), at });
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut quoted = false;
    let mut broken = true; // Whether a letter starts a new run even if the last one is the same.
    let mut previous = '\0';
    let mut chars = pattern.chars().enumerate().peekable();
    while let Some((index, char)) = chars.next() {
        if char == '\'' {
            if chars.next_if(|(_, next)| *next == '\'').is_some() {
                push_text(&mut pieces, '\'');
            } else {
                quoted = !quoted;
            }
            broken = true;
        } else if quoted || !char.is_ascii_alphabetic() {
            push_text(&mut pieces, char);
            broken = true;
        } else {
            let error = || PatternError::Letter { pattern: pattern.to_owned(), letter: char, at: index + 1 };
            let letter = Letter::of(char).ok_or_else(error)?;
            match pieces.last_mut() {
                Some(Piece::Letters(_, count)) if !broken && previous == char => *count += 1,
                Some(_) | None => pieces.push(Piece::Letters(letter, 1)),
            }
            (broken, previous) = (false, char);
        }
    }
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, char: char) {
    match pieces.last_mut() {
        Some(Piece::Text(text)) => text.push(char),
        Some(Piece::Letters(..)) | None => pieces.push(Piece::Text(char.to_string())),
    }
}

fn tokens(pieces: &[Piece]) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.iter().enumerate() {
        let next = pieces.get(index + 1);
        let exact = next.is_some_and(is_number);
        let token = match piece {
            Piece::Text(text) => Token::Text(text.as_str().into()),
            Piece::Letters(letter, count) => match letter {
                Letter::Fraction => {
                    Token::Fraction { point: take_point(&mut tokens), count: width(*count), exact }
                }
                Letter::ZoneName | Letter::ZoneOffset | Letter::ZoneIso => Token::Zone {
                    style: zone_style(*letter, *count),
                    own_shape: next.is_some_and(continues_offset),
                },
                Letter::Era | Letter::HalfDay | Letter::Weekday => {
                    Token::Name { letter: *letter, long: *count >= 4 }
                }
                Letter::Month if *count >= 3 => Token::Name { letter: *letter, long: *count >= 4 },
                _ => Token::Number { letter: *letter, count: width(*count), exact },
            },
        };
        tokens.push(token);
    }
    tokens
}

/// Takes a decimal point off the text before a fraction.
fn take_point(tokens: &mut Vec<Token>) -> Option<u8> {
    let Some(Token::Text(text)) = tokens.last_mut() else { return None };
    let point = *text.as_bytes().last()?;
    if !matches!(point, b'.' | b',') {
        return None;
    }
    *text = text[..text.len() - 1].into();
    if text.is_empty() {
        tokens.pop();
    }
    Some(point)
}

fn width(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

pub(super) fn is_number(piece: &Piece) -> bool {
    match piece {
        Piece::Text(_) => false,
        Piece::Letters(Letter::Month, count) => *count <= 2,
        Piece::Letters(letter, _) => !matches!(
            letter,
            Letter::Era
                | Letter::HalfDay
                | Letter::Weekday
                | Letter::ZoneName
                | Letter::ZoneOffset
                | Letter::ZoneIso
        ),
    }
}

/// Whether the text of this piece could be taken for more of an offset before it.
fn continues_offset(piece: &Piece) -> bool {
    match piece {
        Piece::Text(text) => {
            text.starts_with(|char: char| char.is_ascii_digit() || matches!(char, ':' | '+' | '-'))
        }
        Piece::Letters(..) => is_number(piece),
    }
}

fn zone_style(letter: Letter, count: usize) -> ZoneStyle {
    match (letter, count) {
        (Letter::ZoneName, _) => ZoneStyle::Name,
        (Letter::ZoneIso, 1) => ZoneStyle::IsoHours,
        (Letter::ZoneIso, 2) => ZoneStyle::IsoPlain,
        (Letter::ZoneIso, _) => ZoneStyle::IsoColon,
        (_, _) => ZoneStyle::Plain,
    }
}

/// `X` says whole hours and the other numbers whole minutes; a name says everything.
fn offset_step(pieces: &[Piece]) -> i32 {
    let step = |piece: &Piece| match piece {
        Piece::Letters(Letter::ZoneIso, 1) => 3_600,
        Piece::Letters(Letter::ZoneIso | Letter::ZoneOffset, _) => 60,
        Piece::Letters(..) | Piece::Text(_) => 1,
    };
    pieces.iter().map(step).max().unwrap_or(1)
}

/// The finest unit below which nothing is said and above which nothing is missing.
fn resolution(pieces: &[Piece], present: &Present) -> Resolution {
    let fraction = pieces.iter().find_map(|piece| match piece {
        Piece::Letters(Letter::Fraction, count) => Some(*count),
        Piece::Letters(..) | Piece::Text(_) => None,
    });
    let hour = present.full_hour() || (present.halved_hour() && present.has(Letter::HalfDay));
    if !present.day() {
        return if present.has(Letter::Month) { Resolution::Month } else { Resolution::Year };
    }
    match (hour, present.has(Letter::Minute), present.has(Letter::Second), fraction) {
        (false, ..) => Resolution::Day,
        (true, false, ..) => Resolution::Hour,
        (true, true, false, _) => Resolution::Minute,
        (true, true, true, None | Some(0..=2)) => Resolution::Second,
        (true, true, true, Some(3..=5)) => Resolution::Millis,
        (true, true, true, Some(_)) => Resolution::Micros,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, resolution: Resolution, repairs: usize) {
        let compiled = DateFormat::compile(pattern, &Zone::utc()).unwrap();
        assert_eq!(compiled.format.resolution(), resolution, "{pattern}");
        assert_eq!(compiled.repairs.len(), repairs, "{pattern}: {:?}", compiled.repairs);
    }

    #[track_caller]
    fn refuse(pattern: &str, part: &str) {
        let error = DateFormat::compile(pattern, &Zone::utc()).unwrap_err().to_string();
        assert!(error.contains(part), "{pattern}: {error}");
    }

    #[test]
    fn resolutions() {
        check("yyyy", Resolution::Year, 0);
        check("yyyy-MM", Resolution::Month, 0);
        check("MM/dd/yyyy", Resolution::Day, 0);
        check("yyyy-DDD", Resolution::Day, 0);
        check("YYYY-'W'ww-u", Resolution::Day, 0);
        check("yyyy-MM-dd HH", Resolution::Hour, 0);
        check("yyyy-MM-dd'T'HH:mmz", Resolution::Minute, 0);
        check("yyyy-MM-dd HH:mm:ss", Resolution::Second, 0);
        check("yyyy-MM-dd HH:mm:ss.S", Resolution::Second, 0);
        check("yyyy-MM-dd HH:mm:ss.SSS", Resolution::Millis, 0);
        check("yyyy-MM-dd HH:mm:ss.SSSSSS", Resolution::Micros, 0);
        check("yyyy-MM-dd mm:ss", Resolution::Day, 0);
        check("milliseconds", Resolution::Millis, 0);
        check("Epoch:US", Resolution::Micros, 0);
    }

    #[test]
    fn stray_quotes_are_dropped() {
        check("yyyy-MM-dd'T'HH:mm:ssXXX'", Resolution::Second, 1);
        check("milliseconds'", Resolution::Millis, 1);
        check("yyyy-MM-dd ", Resolution::Day, 1);
        check("yyyy-MM-dd'T'HH:mm:ss'Z''", Resolution::Second, 1);
        check("yyyy''", Resolution::Year, 0);
    }

    #[test]
    fn half_days_without_am_or_pm_are_warned_about() {
        check("yyyy-MM-dd hh:mm:ss", Resolution::Day, 1);
        check("yyyy-MM-dd hh:mm:ss a", Resolution::Second, 0);
    }

    #[test]
    fn open_quotes() {
        refuse("yyyy-MM-dd'T HH:mm", "the quote at character 11");
        refuse("yyyy-MM-ddTHH:mm:ss'Z", "the quote at character 20");
    }

    #[test]
    fn words_and_prose() {
        refuse("key", "`e` at character 2");
        refuse("employees", "`e` at character 1");
        refuse("credit-terms", "`c` at character 1");
        refuse("10 digit integer Unix time", "write `seconds`");
        refuse("518862600", "has no date letters");
        refuse("", "has no date letters");
        refuse("day", "without a month");
        refuse("Day", "without an hour");
        refuse("yyyy-MM-ddTHH:mm:ss", "`T` at character 11");
        refuse(&"y".repeat(201), "longer than 200");
    }

    #[test]
    fn common_slips() {
        refuse("yyyy-MM-dd HH:MM:ss", "`M` is the month, `m` the minute");
        refuse("yyyy-mm-dd HH:mm:ss", "`M` is the month, `m` the minute");
        refuse("yyyy-mm-dd", "`M` is the month, `m` the minute");
        refuse("YYYY-MM-dd", "write `yyyy`");
        refuse("yyyy-MM-DD", "write `d`");
        refuse("HH:mm:ss", "has no year");
        refuse("yyyy-MM-dd'T'HH:mm:ssXXXX", "one to three times");
        refuse("yyyy-MM-dd HH:mm zzzz", "long zone names");
        refuse("EEE yyyy", "does not fix a day");
        refuse("yMMdd", "run together");
        refuse("yyyyMdd", "run together");
        refuse("yyyy-MM-dd HH X z", "beside another zone");
    }
}
