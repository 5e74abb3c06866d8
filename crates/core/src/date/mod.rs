//! Dates as providers write them: formats, zones, reading, printing, rounding.
//!
//! A format is a pattern in the letters of Java's `SimpleDateFormat`, the language of every published configuration, or
//! a number counted from 1970. Reading is strict: the whole text, fields in range, nothing contradictory. Printing
//! never names a later instant than the one given, because a printed date bounds a query from below and a bound that is
//! too high loses records. Where this differs from Java is told, class by class, in `docs/dates.md`.
//!
//! Deliberately not here: the clock, languages other than English, calendars other than the Gregorian one, and long
//! zone names.

mod epoch;
mod parse;
mod pattern;
mod print;
mod round;
mod sense;
mod week;
mod zone;

pub use epoch::{EpochUnit, Implausible};
pub use parse::{ParseError, Parsed};
pub use pattern::{Compiled, PatternError};
pub use round::Resolution;
pub use zone::{Zone, ZoneError, ZoneRules};

use jiff::Timestamp;

/// A compiled date format. Exists only when it can be used: it names at least a year, and no part of it is ambiguous.
///
/// ```
/// use turnstone_core::date::{DateFormat, Zone};
///
/// let format = DateFormat::compile("yyyy-MM-dd'T'HH:mm:ssXXX", &Zone::utc()).unwrap().format;
/// let parsed = format.parse("2019-05-09T13:37:30-07:00").unwrap();
/// assert_eq!(parsed.at.to_string(), "2019-05-09T20:37:30Z");
/// assert_eq!(format.print(parsed.at), "2019-05-09T20:37:30Z");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DateFormat {
    kind: Kind,
    zone: Zone,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Epoch(EpochUnit),
    Pattern(pattern::Pattern),
}

impl DateFormat {
    /// Compiles a pattern, or the name of an epoch format: `milliseconds`, `seconds`, `microseconds`, `epoch`,
    /// `epoch:s`, `epoch:ms`, `epoch:us`, in any letter case.
    ///
    /// Texts without a zone of their own are read and printed in `zone`. A stray quote at the end is dropped, and said
    /// so in [`Compiled::repairs`].
    pub fn compile(text: &str, zone: &Zone) -> Result<Compiled, PatternError> {
        pattern::compile(text, zone)
    }

    /// The format for numbers counted from 1970.
    pub fn epoch(unit: EpochUnit) -> DateFormat {
        DateFormat { kind: Kind::Epoch(unit), zone: Zone::utc() }
    }

    /// Reads a whole text. A zone in the text wins over the declared one.
    ///
    /// A local time that occurs twice is taken as the earlier one; one that does not occur is moved forward by the
    /// gap and flagged. Two-digit years are 1970 to 2069. `23:59:60` is the last microsecond of that minute, and an
    /// instant beyond the last one that can be held is that last one. Never panics.
    pub fn parse(&self, text: &str) -> Result<Parsed, ParseError> {
        match &self.kind {
            Kind::Epoch(unit) => epoch::parse(*unit, text).map(|at| Parsed { at, shifted: false }),
            Kind::Pattern(pattern) => parse::parse(pattern, &self.zone, text),
        }
    }

    /// Prints an instant in the format's zone. What does not fit is cut off, never rounded up, so that reading the
    /// result back gives the instant or an earlier one (for years that the format can hold).
    pub fn print(&self, at: Timestamp) -> String {
        match &self.kind {
            Kind::Epoch(unit) => epoch::print(*unit, at),
            Kind::Pattern(pattern) => print::print(pattern, &self.zone, at),
        }
    }

    /// Whether a printed text carries its own zone. Epoch numbers do: they need none.
    pub fn has_offset(&self) -> bool {
        match &self.kind {
            Kind::Epoch(_) => true,
            Kind::Pattern(pattern) => pattern.has_offset,
        }
    }

    /// The unit when this is an epoch format.
    pub fn epoch_unit(&self) -> Option<EpochUnit> {
        match &self.kind {
            Kind::Epoch(unit) => Some(*unit),
            Kind::Pattern(_) => None,
        }
    }

    /// The zone in which texts without their own are read.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether an instant read by an epoch format is one that a record can have: 1990 to ten years from `now`. Outside
    /// of it the unit is most likely wrong, and the error names the right one. Patterns are always plausible.
    pub fn plausible(&self, at: Timestamp, now: Timestamp) -> Result<(), Implausible> {
        match &self.kind {
            Kind::Epoch(unit) => epoch::plausible(*unit, at, now),
            Kind::Pattern(_) => Ok(()),
        }
    }
}
