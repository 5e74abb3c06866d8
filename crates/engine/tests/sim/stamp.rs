//! How the scripted provider writes and reads its dates. Shares nothing with the code under test but the calendar.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Disambiguation, TimeZone};

/// Microseconds since 1970, in true time.
pub type Micros = i64;

pub const MILLI: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;
pub const MINUTE: Micros = 60 * SECOND;
pub const HOUR: Micros = 60 * MINUTE;
pub const DAY: Micros = 24 * HOUR;

/// A way to write an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    IsoMillis,
    IsoSeconds,
    Minutes,
    Days,
    /// Local time of New York, without an offset.
    Local,
    EpochMillis,
    EpochSeconds,
}

impl Stamp {
    pub const ALL: [Stamp; 7] = [
        Stamp::IsoMillis,
        Stamp::IsoSeconds,
        Stamp::Minutes,
        Stamp::Days,
        Stamp::Local,
        Stamp::EpochMillis,
        Stamp::EpochSeconds,
    ];

    /// The pattern for `datesConfiguration`.
    pub fn pattern(self) -> &'static str {
        match self {
            Stamp::IsoMillis => "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
            Stamp::IsoSeconds => "yyyy-MM-dd'T'HH:mm:ss'Z'",
            Stamp::Minutes => "yyyy-MM-dd HH:mm",
            Stamp::Days => "yyyy-MM-dd",
            Stamp::Local => "yyyy-MM-dd HH:mm:ss",
            Stamp::EpochMillis => "milliseconds",
            Stamp::EpochSeconds => "seconds",
        }
    }

    /// The zone for `datesConfiguration`, where the text has none.
    pub fn zone(self) -> Option<&'static str> {
        (self == Stamp::Local).then_some("America/New_York")
    }

    /// The placeholder for a URL.
    pub fn placeholder(self) -> String {
        match self {
            Stamp::EpochMillis => "${epoch:ms}".into(),
            Stamp::EpochSeconds => "${epoch:s}".into(),
            Stamp::Local => format!("${{dateTimeZone:America/New_York:{}}}", self.pattern()),
            _ => format!("${{gmtDate:{}}}", self.pattern()),
        }
    }

    /// What one step of the text means.
    pub fn unit(self) -> Micros {
        match self {
            Stamp::IsoMillis | Stamp::EpochMillis => MILLI,
            Stamp::IsoSeconds | Stamp::Local | Stamp::EpochSeconds => SECOND,
            Stamp::Minutes => MINUTE,
            Stamp::Days => DAY,
        }
    }

    /// The instant as a JSON value.
    pub fn print(self, at: Micros) -> String {
        match self {
            Stamp::EpochMillis => at.div_euclid(MILLI).to_string(),
            Stamp::EpochSeconds => at.div_euclid(SECOND).to_string(),
            _ => format!("\"{}\"", self.text(at)),
        }
    }

    fn text(self, at: Micros) -> String {
        let zone = if self == Stamp::Local { new_york() } else { TimeZone::UTC };
        let civil = zone.to_datetime(timestamp(at));
        let (date, h, m, s) = (civil.date(), civil.hour(), civil.minute(), civil.second());
        match self {
            Stamp::IsoMillis => format!("{date}T{h:02}:{m:02}:{s:02}.{:03}Z", civil.millisecond()),
            Stamp::IsoSeconds => format!("{date}T{h:02}:{m:02}:{s:02}Z"),
            Stamp::Minutes => format!("{date} {h:02}:{m:02}"),
            Stamp::Days => date.to_string(),
            Stamp::Local => format!("{date} {h:02}:{m:02}:{s:02}"),
            Stamp::EpochMillis | Stamp::EpochSeconds => String::new(),
        }
    }

    /// The instant that a text of this form names. A local time that occurs twice is the earlier one, or the later one
    /// for a provider that reads it so.
    pub fn read(self, text: &str, later: bool) -> Option<Micros> {
        let text = text.trim_matches('"');
        let civil = match self {
            Stamp::EpochMillis => return text.parse::<i64>().ok().map(|at| at * MILLI),
            Stamp::EpochSeconds => return text.parse::<i64>().ok().map(|at| at * SECOND),
            Stamp::Days => text.parse::<jiff::civil::Date>().ok()?.to_datetime(Default::default()),
            Stamp::Minutes => text.replace(' ', "T").parse::<DateTime>().ok()?,
            Stamp::Local => text.replace(' ', "T").parse().ok()?,
            Stamp::IsoMillis | Stamp::IsoSeconds => text.strip_suffix('Z')?.parse().ok()?,
        };
        let zone = if self == Stamp::Local { new_york() } else { TimeZone::UTC };
        let which = if later { Disambiguation::Later } else { Disambiguation::Compatible };
        let at = zone.to_ambiguous_zoned(civil).disambiguate(which).ok()?.timestamp();
        Some(at.as_microsecond())
    }

    /// Whether New York's clocks change soon.
    pub fn changes_within(at: Micros, time: Micros) -> bool {
        let offset = |at: Micros| new_york().to_offset(timestamp(at));
        offset(at) != offset(at + time)
    }

    /// The instant as a reader of the text sees it.
    pub fn shown(self, at: Micros) -> Micros {
        match self {
            Stamp::Local => self.read(&self.text(at), false).unwrap_or(at),
            _ => at.div_euclid(self.unit()) * self.unit(),
        }
    }
}

fn new_york() -> TimeZone {
    TimeZone::get("America/New_York").expect("the zone table is bundled")
}

/// An instant as the code under test takes it.
pub fn timestamp(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(at).expect("the simulation stays inside the calendar")
}

/// The `Date` header of an instant.
pub fn http_date(at: Micros) -> String {
    timestamp(at).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
