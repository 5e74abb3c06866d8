//! Decides whether the letters of a pattern add up to a date.
//!
//! Words hold pattern letters by accident, and slips such as `YYYY` or `mm` for the month make valid patterns that read
//! nonsense. Each rule here is such a case with the sentence that puts it right.

use super::pattern::{Letter, Piece, is_number};

/// Letters in one number. Longer ones hold nothing but zeros.
const COUNT_MAX: usize = 20;

/// Digits of a fraction.
const FRACTION_MAX: usize = 9;

/// Which letters a pattern has, and which it has twice.
pub(super) struct Present {
    once: u32,
    twice: u32,
}

impl Present {
    pub(super) fn of(pieces: &[Piece]) -> Present {
        let mut present = Present { once: 0, twice: 0 };
        for piece in pieces {
            if let Piece::Letters(letter, _) = piece {
                let bit = 1 << *letter as u32;
                present.twice |= present.once & bit;
                present.once |= bit;
            }
        }
        present
    }

    pub(super) fn has(&self, letter: Letter) -> bool {
        self.once & (1 << letter as u32) != 0
    }

    fn doubled(&self, letter: Letter) -> bool {
        self.twice & (1 << letter as u32) != 0
    }

    fn weekday(&self) -> bool {
        self.has(Letter::Weekday) || self.has(Letter::WeekdayNumber)
    }

    pub(super) fn zone(&self) -> bool {
        self.has(Letter::ZoneName) || self.has(Letter::ZoneOffset) || self.has(Letter::ZoneIso)
    }

    pub(super) fn full_hour(&self) -> bool {
        self.has(Letter::Hour) || self.has(Letter::HourFromOne)
    }

    pub(super) fn halved_hour(&self) -> bool {
        !self.full_hour() && (self.has(Letter::HalfHour) || self.has(Letter::HalfHourFromOne))
    }

    /// Whether the letters fix one day.
    pub(super) fn day(&self) -> bool {
        let month = self.has(Letter::Month);
        let week = self.has(Letter::WeekOfMonth) || self.has(Letter::NthWeekday);
        self.has(Letter::WeekYear)
            || self.has(Letter::DayOfYear)
            || (month && self.has(Letter::Day))
            || (month && week && self.weekday())
    }
}

/// What makes a pattern unusable, if anything.
pub(super) fn judge(pieces: &[Piece], present: &Present) -> Option<&'static str> {
    let day_letters = [
        Letter::Day,
        Letter::Weekday,
        Letter::WeekdayNumber,
        Letter::WeekOfYear,
        Letter::WeekOfMonth,
        Letter::NthWeekday,
    ];
    if present.once == 0 {
        return Some(
            "it has no date letters; write a pattern such as `yyyy-MM-dd'T'HH:mm:ssXXX`, or `seconds` or `milliseconds` for a number counted from 1970",
        );
    }
    if present.doubled(Letter::Month) {
        return Some("it has the month twice; `M` is the month, `m` the minute");
    }
    if present.doubled(Letter::Minute) {
        return Some("it has the minute twice; `M` is the month, `m` the minute");
    }
    if present.twice != 0 {
        return Some("it has a letter twice; keep one of them");
    }
    let rules = [
        (
            present.has(Letter::WeekYear) && present.has(Letter::Year),
            "it has `y` and `Y`, which differ around New Year; keep `y`",
        ),
        (
            present.has(Letter::WeekYear) && !(present.has(Letter::WeekOfYear) && present.weekday()),
            "`Y` is the year of the week and needs `w` with `E` or `u`; write `yyyy` for the calendar year",
        ),
        (
            !present.has(Letter::Year) && !present.has(Letter::WeekYear),
            "it has no year; write a pattern such as `yyyy-MM-dd'T'HH:mm:ssXXX`, or `seconds` or `milliseconds` for a number counted from 1970",
        ),
        (
            present.has(Letter::DayOfYear) && present.has(Letter::Month) && !present.has(Letter::Day),
            "`D` is the day of the year; write `d` for the day of the month",
        ),
        (
            !present.day() && present.has(Letter::Day),
            "it has a day without a month; `M` is the month, `m` the minute",
        ),
        (
            !present.day() && day_letters.into_iter().any(|letter| present.has(letter)),
            "its week or weekday does not fix a day; add month and day (`MM` and `dd`)",
        ),
        (
            pieces.contains(&Piece::Letters(Letter::ZoneIso, 1))
                && (present.has(Letter::ZoneName) || present.has(Letter::ZoneOffset)),
            "it has `X`, an offset in whole hours, beside another zone; write `XXX` or drop it",
        ),
        (
            present.has(Letter::HalfDay) && !present.full_hour() && !present.halved_hour(),
            "it has AM or PM (`a`) without an hour; add `h`",
        ),
    ];
    let first = rules.into_iter().find(|(broken, _)| *broken).map(|(_, why)| why);
    first.or_else(|| pieces.iter().find_map(judge_count)).or_else(|| pieces.windows(2).find_map(judge_width))
}

fn judge_count(piece: &Piece) -> Option<&'static str> {
    match piece {
        Piece::Letters(Letter::ZoneIso, 4..) => Some("`X` stands one to three times; write `XXX`"),
        Piece::Letters(Letter::ZoneName, 4..) => {
            Some("long zone names (`zzzz`) are not supported; write `z` or `XXX`")
        }
        Piece::Letters(Letter::Fraction, count) if *count > FRACTION_MAX => {
            Some("`S` stands one to nine times")
        }
        Piece::Letters(_, count) if *count > COUNT_MAX => Some("it has more than 20 of one letter in a row"),
        Piece::Letters(..) | Piece::Text(_) => None,
    }
}

/// Numbers that run together are told apart by their width alone.
fn judge_width(pair: &[Piece]) -> Option<&'static str> {
    let [Piece::Letters(letter, count), next] = pair else { return None };
    if !is_number(&pair[0]) || !is_number(next) {
        return None;
    }
    let wide = match letter {
        Letter::Year | Letter::WeekYear => *count == 2 || *count >= 4,
        Letter::DayOfYear => *count >= 3,
        Letter::WeekOfMonth | Letter::NthWeekday | Letter::WeekdayNumber | Letter::Fraction => true,
        _ => *count >= 2,
    };
    (!wide).then_some("its numbers run together; write each in its full width, as in `yyyyMMddHHmmss`")
}
