//! Prints instants.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::Piece;
use super::week::{ENGLISH, ISO};
use crate::date::Zone;

pub(super) const MONTHS: [&str; 12] = [
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

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// An instant's parts in a zone.
struct Parts<'z> {
    at: Timestamp,
    zone: &'z Zone,
    local: DateTime,
    offset_minutes: i32,
}

pub(super) fn print(pieces: &[Piece], at: Timestamp, zone: &Zone) -> String {
    let offset = zone.time_zone().to_offset(at);
    let parts = Parts { at, zone, local: offset.to_datetime(at), offset_minutes: offset.seconds() / 60 };
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Token(token) => parts.token(token, &mut out),
        }
    }
    out
}

/// Digits filled with zeros to a width; the sign does not count.
fn fill(number: i64, width: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0>width$}", number.unsigned_abs())
}

fn ordinal(number: i64) -> String {
    let ending = match (number % 100 / 10, number % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

impl Parts<'_> {
    fn year(&self) -> i64 {
        i64::from(self.local.year())
    }

    fn month(&self) -> i64 {
        i64::from(self.local.month())
    }

    fn day_of_year(&self) -> i64 {
        i64::from(self.local.day_of_year())
    }

    fn weekday(&self) -> i64 {
        i64::from(self.local.weekday().to_sunday_zero_offset())
    }

    fn hour(&self) -> i64 {
        i64::from(self.local.hour())
    }

    fn hour12(&self) -> i64 {
        match self.hour() % 12 {
            0 => 12,
            hour => hour,
        }
    }

    fn minute(&self) -> i64 {
        i64::from(self.local.minute())
    }

    fn second(&self) -> i64 {
        i64::from(self.local.second())
    }

    /// The first so many digits after the point.
    fn fraction(&self, digits: usize) -> String {
        let mut text = fill(i64::from(self.local.subsec_nanosecond()), 9);
        text.truncate(digits);
        text
    }

    fn token(&self, token: &str, out: &mut String) {
        let text = match token.as_bytes()[0] {
            b'Y' | b'y' | b'G' | b'g' | b'N' | b'w' | b'W' => self.year_token(token),
            b'M' | b'D' | b'd' | b'Q' | b'e' | b'E' => self.day_token(token),
            b'H' | b'h' | b'k' | b'm' | b's' | b'S' | b'a' | b'A' => self.time_token(token),
            _ => self.zone_token(token),
        };
        out.push_str(&text);
    }

    fn year_token(&self, token: &str) -> String {
        let year = self.year();
        let (english, iso) = (ENGLISH.of(year, self.day_of_year()), ISO.of(year, self.day_of_year()));
        let era_year = if year > 0 { year } else { 1 - year };
        match token {
            "YY" => fill(year % 100, 2),
            "YYYYYY" if year >= 0 => format!("+{}", fill(year, 6)),
            "YYYY" | "YYYYY" | "YYYYYY" => fill(year, token.len()),
            "Y" => fill(year, 4),
            "y" | "yy" | "yyy" | "yyyy" => fill(era_year, token.len()),
            "yo" => ordinal(era_year),
            "gg" => fill(english.0 % 100, 2),
            "GG" => fill(iso.0 % 100, 2),
            "gggg" | "ggggg" => fill(english.0, token.len()),
            "GGGG" | "GGGGG" => fill(iso.0, token.len()),
            "NNNN" => if year > 0 { "Anno Domini" } else { "Before Christ" }.to_owned(),
            "N" | "NN" | "NNN" | "NNNNN" => if year > 0 { "AD" } else { "BC" }.to_owned(),
            "w" | "ww" => fill(english.1, token.len()),
            "W" | "WW" => fill(iso.1, token.len()),
            "wo" => ordinal(english.1),
            "Wo" => ordinal(iso.1),
            // `g` and `G` alone print nothing but themselves.
            other => other.to_owned(),
        }
    }

    fn day_token(&self, token: &str) -> String {
        let day = i64::from(self.local.day());
        let month_name = MONTHS[usize::from(self.local.month().unsigned_abs()) - 1];
        let weekday_name = WEEKDAYS[usize::try_from(self.weekday()).unwrap_or(0)];
        let quarter = (self.month() + 2) / 3;
        match token {
            "M" | "MM" => fill(self.month(), token.len()),
            "Mo" => ordinal(self.month()),
            "MMM" => month_name[..3].to_owned(),
            "MMMM" => month_name.to_owned(),
            "D" | "DD" => fill(day, token.len()),
            "Do" => ordinal(day),
            "DDD" => fill(self.day_of_year(), 1),
            "DDDD" => fill(self.day_of_year(), 3),
            "DDDo" => ordinal(self.day_of_year()),
            "do" => ordinal(self.weekday()),
            "dd" => weekday_name[..2].to_owned(),
            "ddd" => weekday_name[..3].to_owned(),
            "dddd" => weekday_name.to_owned(),
            "Q" => fill(quarter, 1),
            "Qo" => ordinal(quarter),
            "E" if self.weekday() == 0 => "7".to_owned(),
            "eHHmm" => format!("{}{}{}", self.weekday(), fill(self.hour(), 2), fill(self.minute(), 2)),
            // `d`, `e` and `E`.
            _ => fill(self.weekday(), 1),
        }
    }

    fn time_token(&self, token: &str) -> String {
        let (minute, second) = (fill(self.minute(), 2), fill(self.second(), 2));
        match token {
            "H" | "HH" => fill(self.hour(), token.len()),
            "h" | "hh" => fill(self.hour12(), token.len()),
            "k" | "kk" => fill(if self.hour() == 0 { 24 } else { self.hour() }, token.len()),
            "Hmm" => format!("{}{minute}", self.hour()),
            "hmm" => format!("{}{minute}", self.hour12()),
            "Hmmss" => format!("{}{minute}{second}", self.hour()),
            "hmmss" => format!("{}{minute}{second}", self.hour12()),
            "m" | "mm" => fill(self.minute(), token.len()),
            "s" | "ss" => fill(self.second(), token.len()),
            "a" => if self.hour() < 12 { "am" } else { "pm" }.to_owned(),
            "A" => if self.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            // `S` to `SSSSSSSSS`.
            digits => self.fraction(digits.len()),
        }
    }

    fn zone_token(&self, token: &str) -> String {
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (self.offset_minutes.abs() / 60, self.offset_minutes.abs() % 60);
        match token {
            "Z" => format!("{sign}{hours:02}:{minutes:02}"),
            "ZZ" => format!("{sign}{hours:02}{minutes:02}"),
            "X" => self.at.as_nanosecond().div_euclid(1_000_000_000).to_string(),
            "x" => self.at.as_nanosecond().div_euclid(1_000_000).to_string(),
            "zz" if self.zone.name() == "UTC" => "Coordinated Universal Time".to_owned(),
            // `z` and `zz`.
            _ => {
                let mut name = String::new();
                self.zone.print_name(self.at, &mut name);
                name
            }
        }
    }
}
