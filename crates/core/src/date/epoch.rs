//! Dates that are numbers counted from 1970.
//!
//! The unit is declared, never guessed; a value that only makes sense in another unit is an error that names it.

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::ParseError;

/// What one step of an epoch number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EpochUnit {
    /// Microseconds, 16 digits today.
    Micros,
    /// Milliseconds, 13 digits today.
    Millis,
    /// Seconds, 10 digits today.
    Seconds,
}

/// Says that an epoch number cannot be the date of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Implausible {
    /// The same number in another unit is a date of our time.
    #[error("the number is no date of our time in {declared}, but it is in {likely}: declare `{likely}`")]
    OtherUnit {
        /// The unit of the format.
        declared: EpochUnit,
        /// The unit that fits.
        likely: EpochUnit,
    },
    /// No unit makes it a date between 1990 and ten years from now.
    #[error(
        "the number is no date between 1990 and ten years from now, neither in {declared} nor in another unit"
    )]
    NoUnit {
        /// The unit of the format.
        declared: EpochUnit,
    },
}

/// 1990-01-01T00:00:00Z in seconds.
const PLAUSIBLE_FROM: i64 = 631_152_000;

/// Ten years of which two or three are leap years.
const PLAUSIBLE_AHEAD: SignedDuration = SignedDuration::from_hours(3_653 * 24);

/// Stands in for "ten years from now" where an error is made without a clock: 2100-01-01T00:00:00Z.
const GUESS_UNTIL: i64 = 4_102_444_800;

/// Significant digits that are read; more cannot be a date in any unit.
const DIGITS_MAX: u32 = 30;

const UNITS: [EpochUnit; 3] = [EpochUnit::Seconds, EpochUnit::Millis, EpochUnit::Micros];

impl EpochUnit {
    /// Reads the name of an epoch format, in any letter case.
    pub(super) fn named(text: &str) -> Option<EpochUnit> {
        let names = [
            ("milliseconds", EpochUnit::Millis),
            ("seconds", EpochUnit::Seconds),
            ("microseconds", EpochUnit::Micros),
            ("epoch", EpochUnit::Millis),
            ("epoch:ms", EpochUnit::Millis),
            ("epoch:s", EpochUnit::Seconds),
            ("epoch:us", EpochUnit::Micros),
        ];
        names.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, unit)| unit)
    }

    /// The name as a date format is declared.
    pub fn name(self) -> &'static str {
        match self {
            EpochUnit::Micros => "microseconds",
            EpochUnit::Millis => "milliseconds",
            EpochUnit::Seconds => "seconds",
        }
    }

    fn decimals(self) -> i32 {
        match self {
            EpochUnit::Micros => 6,
            EpochUnit::Millis => 3,
            EpochUnit::Seconds => 0,
        }
    }

    fn nanos(self) -> i128 {
        10_i128.pow(9 - self.decimals().unsigned_abs())
    }
}

impl std::fmt::Display for EpochUnit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

/// Reads `-12`, `12.5`, `1.2e9`: whatever JSON calls a number, and the same as text. Cut off at nanoseconds, downwards.
pub(super) fn parse(unit: EpochUnit, text: &str) -> Result<Timestamp, ParseError> {
    let (mantissa, exponent) = number(text).ok_or(ParseError::EpochNumber)?;
    let scale = exponent + 9 - unit.decimals();
    let nanos = if scale >= 0 {
        10_i128.checked_pow(scale.unsigned_abs()).and_then(|power| mantissa.checked_mul(power))
    } else {
        Some(10_i128.checked_pow(scale.unsigned_abs()).map_or(0, |power| mantissa.div_euclid(power)))
    };
    nanos.and_then(|nanos| Timestamp::from_nanosecond(nanos).ok()).ok_or_else(|| ParseError::EpochRange {
        declared: unit,
        likely: nanos.and_then(|nanos| likely(unit, nanos, GUESS_UNTIL)),
    })
}

/// Splits a number into mantissa and decimal exponent.
fn number(text: &str) -> Option<(i128, i32)> {
    let bytes = text.as_bytes();
    let negative = bytes.first() == Some(&b'-');
    let mut index = usize::from(negative || bytes.first() == Some(&b'+'));
    let (mut mantissa, mut exponent, mut digits) = (0_i128, 0_i32, 0_u32);
    let mut point = false;
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'0'..=b'9' if digits < DIGITS_MAX => {
                mantissa = mantissa * 10 + i128::from(byte - b'0');
                digits += 1;
                exponent -= i32::from(point);
            }
            b'.' if !point && digits > 0 => point = true,
            b'e' | b'E' if digits > 0 => break,
            _ => return None,
        }
        index += 1;
    }
    if digits == 0 || bytes.get(index.wrapping_sub(1)) == Some(&b'.') {
        return None;
    }
    if index < bytes.len() {
        let written = text.get(index + 1..)?;
        let sound =
            written.strip_prefix(['+', '-']).unwrap_or(written).bytes().all(|byte| byte.is_ascii_digit());
        let written = written.parse::<i32>().ok().filter(|written| sound && written.abs() <= 40)?;
        exponent += written;
    }
    Some((if negative { -mantissa } else { mantissa }, exponent))
}

/// Prints the whole number of units that have passed, rounded down.
pub(super) fn print(unit: EpochUnit, at: Timestamp) -> String {
    at.as_nanosecond().div_euclid(unit.nanos()).to_string()
}

/// See [`super::DateFormat::plausible`].
pub(super) fn plausible(declared: EpochUnit, at: Timestamp, now: Timestamp) -> Result<(), Implausible> {
    let until = now.saturating_add(PLAUSIBLE_AHEAD).map_or(GUESS_UNTIL, Timestamp::as_second);
    if (PLAUSIBLE_FROM..=until).contains(&at.as_second()) {
        return Ok(());
    }
    Err(match likely(declared, at.as_nanosecond(), until) {
        Some(likely) => Implausible::OtherUnit { declared, likely },
        None => Implausible::NoUnit { declared },
    })
}

/// The unit in which the same number is a date between 1990 and `until` seconds.
fn likely(declared: EpochUnit, nanos: i128, until: i64) -> Option<EpochUnit> {
    UNITS.into_iter().filter(|unit| *unit != declared).find(|unit| {
        let seconds = (nanos / declared.nanos()).saturating_mul(unit.nanos()) / 1_000_000_000;
        (i128::from(PLAUSIBLE_FROM)..=i128::from(until)).contains(&seconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unit: EpochUnit, text: &str, expect: &str) {
        let at = parse(unit, text).map_or_else(|error| error.to_string(), |at| at.to_string());
        assert_eq!(at, expect, "{unit} `{text}`");
    }

    #[test]
    fn numbers_in_their_unit() {
        check(EpochUnit::Millis, "1506544512258", "2017-09-27T20:35:12.258Z");
        check(EpochUnit::Seconds, "1506544512", "2017-09-27T20:35:12Z");
        check(EpochUnit::Micros, "1506544512258001", "2017-09-27T20:35:12.258001Z");
        check(EpochUnit::Seconds, "1506544512.25", "2017-09-27T20:35:12.25Z");
        check(EpochUnit::Millis, "1.506544512258E12", "2017-09-27T20:35:12.258Z");
        check(EpochUnit::Millis, "-1", "1969-12-31T23:59:59.999Z");
        check(EpochUnit::Micros, "-0.0001", "1969-12-31T23:59:59.999999999Z");
        check(EpochUnit::Seconds, "0", "1970-01-01T00:00:00Z");
    }

    #[test]
    fn no_numbers() {
        for text in
            ["", "-", "1.", ".5", "1e", "1e99", "12a", " 1", "1 ", "0x10", "1e+-2", "²", "1.2.3", "NaN"]
        {
            check(EpochUnit::Millis, text, &ParseError::EpochNumber.to_string());
        }
    }

    #[test]
    fn beyond_every_date() {
        check(
            EpochUnit::Seconds,
            "1506544512258",
            "the number is beyond every date in seconds, but fits milliseconds: declare `milliseconds`",
        );
        check(EpochUnit::Seconds, "9999999999999999999999999999999999", &ParseError::EpochNumber.to_string());
        check(EpochUnit::Seconds, "1e40", "the number is beyond every date in seconds");
    }

    #[test]
    fn printing_rounds_down() {
        let at: Timestamp = "1969-12-31T23:59:59.9999Z".parse().unwrap();
        assert_eq!(print(EpochUnit::Seconds, at), "-1");
        assert_eq!(print(EpochUnit::Millis, at), "-1");
        assert_eq!(print(EpochUnit::Micros, at), "-100");
    }

    #[track_caller]
    fn check_plausible(unit: EpochUnit, text: &str, expect: Option<Implausible>) {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(plausible(unit, parse(unit, text).unwrap(), now).err(), expect, "{unit} `{text}`");
    }

    #[test]
    fn the_right_unit_is_named() {
        let other = |declared, likely| Some(Implausible::OtherUnit { declared, likely });
        check_plausible(EpochUnit::Millis, "1506544512258", None);
        check_plausible(EpochUnit::Millis, "1506544512", other(EpochUnit::Millis, EpochUnit::Seconds));
        check_plausible(EpochUnit::Micros, "1506544512", other(EpochUnit::Micros, EpochUnit::Seconds));
        check_plausible(EpochUnit::Micros, "1506544512258", other(EpochUnit::Micros, EpochUnit::Millis));
        check_plausible(EpochUnit::Seconds, "0", Some(Implausible::NoUnit { declared: EpochUnit::Seconds }));
        check_plausible(EpochUnit::Seconds, "2082758399", None);
        check_plausible(
            EpochUnit::Seconds,
            "2082931200",
            Some(Implausible::NoUnit { declared: EpochUnit::Seconds }),
        );
        check_plausible(EpochUnit::Seconds, "631152000", None);
    }
}
