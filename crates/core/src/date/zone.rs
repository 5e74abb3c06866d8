//! Reads the zones that providers and configurations name.
//!
//! A zone is an IANA region, an offset in one of the field's shapes, or an abbreviation. IANA data knows no `PST`, and
//! the same three letters mean different things to different people, so abbreviations come from one table of fixed
//! offsets, printed in `docs/dates.md`. Java's reading of the short names as regions with daylight saving is a switch.
//!
//! Deliberately not here: long names (`Pacific Standard Time`) and the machine's own zone.

use std::fmt;

use jiff::tz::{Offset, TimeZone};
use thiserror::Error;

/// How short zone names are understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ZoneRules {
    /// Reads the short names that Java knows as regions: `PST` is then Los Angeles with its daylight saving.
    /// Without it `PST` is −8:00 all year. Concerns declared zones only; a name inside a date is always an offset.
    pub java_daylight_saving: bool,
}

/// The zone in which dates without one of their own are read and printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    name: String,
    time_zone: TimeZone,
    fixed: Option<Offset>,
    label: Label,
}

/// What the pattern letter `z` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    /// The abbreviation that was declared.
    Abbreviation(&'static str),
    /// `GMT-08:00`, as Java does for a bare offset.
    Offset,
    /// Whatever the region uses at that instant.
    Region,
}

/// Says why a text names no zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZoneError {
    /// A place left to be filled in, such as `{Name}`.
    #[error("zone `{0}` is a fill-in: put a zone there, such as `America/New_York`, `-5:00` or `EST`")]
    FillIn(String),
    /// Begins like an offset and is none.
    #[error(
        "offset `{0}` is not readable: write `+7:00`, `+07:00` or `+0700`, hours 0 to 23, minutes 00 to 59 in two digits"
    )]
    Offset(String),
    /// No region, offset or known abbreviation.
    #[error(
        "zone `{0}` is not known: write an IANA name such as `America/New_York`, an offset such as `-5:00`, or one of the documented abbreviations"
    )]
    Unknown(String),
}

impl Zone {
    /// The zone of everything that declares none.
    pub fn utc() -> Zone {
        Zone::fixed("UTC".to_owned(), Offset::UTC, Label::Abbreviation("UTC"))
    }

    /// Reads a declared zone. Blank text is UTC; letter case does not matter.
    ///
    /// An abbreviation of the table comes before an IANA name of the same letters: `CET` is +1:00 all year, as `CEST`
    /// is +2:00; `Europe/Paris` changes between them.
    pub fn parse(text: &str, rules: ZoneRules) -> Result<Zone, ZoneError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Zone::utc());
        }
        if text.contains(['{', '}']) {
            return Err(ZoneError::FillIn(text.to_owned()));
        }
        if let Some(offset) = offset_text(text) {
            let offset = offset.ok_or_else(|| ZoneError::Offset(text.to_owned()))?;
            let label = if offset == Offset::UTC { Label::Abbreviation("GMT") } else { Label::Offset };
            return Ok(Zone::fixed(OffsetName(offset).to_string(), offset, label));
        }
        if rules.java_daylight_saving
            && let Some((short, region)) =
                JAVA_REGIONS.iter().find(|(short, _)| short.eq_ignore_ascii_case(text))
        {
            return Zone::region(region).map(|zone| Zone { name: (*short).to_owned(), ..zone });
        }
        if let Some((short, offset)) = abbreviation(text.as_bytes()) {
            return Ok(Zone::fixed(short.to_owned(), offset, Label::Abbreviation(short)));
        }
        Zone::region(text)
    }

    fn region(text: &str) -> Result<Zone, ZoneError> {
        let time_zone = TimeZone::get(text).map_err(|_| ZoneError::Unknown(text.to_owned()))?;
        let name = time_zone.iana_name().unwrap_or(text).to_owned();
        let fixed = time_zone.to_fixed_offset().ok();
        Ok(Zone { name, time_zone, fixed, label: Label::Region })
    }

    fn fixed(name: String, offset: Offset, label: Label) -> Zone {
        Zone { name, time_zone: TimeZone::fixed(offset), fixed: Some(offset), label }
    }

    /// The name in its usual spelling: `America/New_York`, `PST`, `-08:00`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules behind the name.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// The offset, when the zone never changes it.
    pub(super) fn fixed_offset(&self) -> Option<Offset> {
        self.fixed
    }

    /// Appends what `z` prints for an instant.
    pub(crate) fn print_name(&self, at: jiff::Timestamp, out: &mut String) {
        match self.label {
            Label::Abbreviation(short) => out.push_str(short),
            Label::Offset => {
                out.push_str("GMT");
                out.push_str(&OffsetName(self.fixed.unwrap_or(Offset::UTC)).to_string());
            }
            Label::Region => out.push_str(self.time_zone.to_offset_info(at).abbreviation()),
        }
    }

    /// The offset that an abbreviation has in this zone around a local time.
    ///
    /// Whoever declares `Asia/Shanghai` means China by `CST`, so the zone's own names come before the table.
    pub(super) fn own_abbreviation(&self, text: &[u8], local: jiff::civil::DateTime) -> Option<Offset> {
        match self.label {
            Label::Offset => None,
            Label::Abbreviation(short) => {
                short.as_bytes().eq_ignore_ascii_case(text).then_some(self.fixed).flatten()
            }
            Label::Region => self.region_abbreviation(text, local),
        }
    }

    fn region_abbreviation(&self, text: &[u8], local: jiff::civil::DateTime) -> Option<Offset> {
        let here = self.time_zone.to_ambiguous_timestamp(local);
        let january = jiff::civil::date(local.year(), 1, 1).at(12, 0, 0, 0);
        let july = jiff::civil::date(local.year(), 7, 1).at(12, 0, 0, 0);
        let instants = [
            here.earlier().ok(),
            here.later().ok(),
            self.time_zone.to_timestamp(january).ok(),
            self.time_zone.to_timestamp(july).ok(),
        ];
        instants.into_iter().flatten().find_map(|at| {
            let info = self.time_zone.to_offset_info(at);
            info.abbreviation().as_bytes().eq_ignore_ascii_case(text).then(|| info.offset())
        })
    }
}

/// Which shapes of an offset may be read at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Every shape of the field: `+7:00`, `+07:00`, `+0700`, `+07`.
    Any,
    /// `+07` only.
    Hours,
    /// `+0700` only.
    Plain,
    /// `+07:00` only.
    Colon,
}

/// Reads an offset that begins with its sign; returns it with the position after it.
pub(super) fn offset_at(text: &[u8], at: usize, shape: Shape) -> Option<(Offset, usize)> {
    let negative = match text.get(at)? {
        b'+' => false,
        b'-' => true,
        _ => return None,
    };
    let digit = |index: usize| {
        text.get(index).filter(|byte| byte.is_ascii_digit()).map(|byte| i32::from(byte - b'0'))
    };
    let two = |index: usize| Some(digit(index)? * 10 + digit(index + 1)?);
    let (hours, wide, after) = match two(at + 1) {
        Some(hours) => (hours, true, at + 3),
        None => (digit(at + 1)?, false, at + 2),
    };
    let colon = text.get(after) == Some(&b':');
    let (minutes, end) = match shape {
        Shape::Any if colon => (two(after + 1)?, after + 3),
        Shape::Any | Shape::Hours if !wide => return None,
        Shape::Any => two(after).map_or((0, after), |minutes| (minutes, after + 2)),
        Shape::Hours => (0, after),
        Shape::Plain if wide => (two(after)?, after + 2),
        Shape::Colon if wide && colon => (two(after + 1)?, after + 3),
        Shape::Plain | Shape::Colon => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    let offset = Offset::from_seconds(if negative { -seconds } else { seconds }).ok()?;
    Some((offset, end))
}

/// The length of `GMT`, `UTC` or `UT` before a sign at this place, else zero.
pub(super) fn offset_prefix(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    ["GMT", "UTC", "UT"]
        .iter()
        .map(|prefix| prefix.len())
        .zip(["GMT", "UTC", "UT"])
        .find(|(length, prefix)| {
            rest.len() > *length
                && rest[..*length].eq_ignore_ascii_case(prefix.as_bytes())
                && matches!(rest[*length], b'+' | b'-')
        })
        .map_or(0, |(length, _)| length)
}

/// `None`: not an offset at all. `Some(None)`: begins like one and is wrong.
fn offset_text(text: &str) -> Option<Option<Offset>> {
    let bytes = text.as_bytes();
    let prefix = offset_prefix(bytes, 0);
    if !matches!(bytes.get(prefix), Some(b'+' | b'-')) {
        return None;
    }
    // `GMT+8` is common in declarations; a single digit without minutes means hours there.
    if prefix > 0 && bytes.len() == prefix + 2 && bytes[prefix + 1].is_ascii_digit() {
        let hours = i32::from(bytes[prefix + 1] - b'0') * if bytes[prefix] == b'-' { -1 } else { 1 };
        return Some(Offset::from_seconds(hours * 3600).ok());
    }
    Some(
        offset_at(bytes, prefix, Shape::Any).filter(|(_, end)| *end == bytes.len()).map(|(offset, _)| offset),
    )
}

/// Finds an abbreviation of the table, in any letter case.
pub(super) fn abbreviation(text: &[u8]) -> Option<(&'static str, Offset)> {
    let (short, minutes) =
        ABBREVIATIONS.iter().find(|(short, _)| short.as_bytes().eq_ignore_ascii_case(text))?;
    Some((short, Offset::from_seconds(i32::from(*minutes) * 60).ok()?))
}

/// Prints an offset as `+07:00`; seconds are dropped.
pub(super) struct OffsetName(pub(super) Offset);

impl fmt::Display for OffsetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        write!(out, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }
}

/// Abbreviations with their fixed offsets in minutes. Where several places share one, the reading that Java's own
/// parser gives is taken, save for `BST` (British summer time).
pub(super) const ABBREVIATIONS: &[(&str, i16)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("UT", 0),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("HDT", -540),
    ("AST", -240),
    ("ADT", -180),
    ("NST", -210),
    ("NDT", -150),
    ("BRT", -180),
    ("BRST", -120),
    ("ART", -180),
    ("CLT", -240),
    ("CLST", -180),
    ("COT", -300),
    ("PET", -300),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MET", 60),
    ("MEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("WAT", 60),
    ("CAT", 120),
    ("SAST", 120),
    ("EAT", 180),
    ("IDT", 180),
    ("TRT", 180),
    ("GST", 240),
    ("PKT", 300),
    ("IST", 330),
    ("NPT", 345),
    ("ICT", 420),
    ("WIB", 420),
    ("HKT", 480),
    ("SGT", 480),
    ("MYT", 480),
    ("PHT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("LHST", 630),
    ("LHDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
];

/// The short names that Java reads as regions; only used with [`ZoneRules::java_daylight_saving`].
const JAVA_REGIONS: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CET", "Europe/Brussels"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EET", "Europe/Athens"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MET", "Europe/Brussels"),
    ("MIT", "Pacific/Apia"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
    ("WET", "Europe/Lisbon"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const JULY: &str = "2019-07-01T00:00:00Z";

    #[track_caller]
    fn check_with(text: &str, rules: ZoneRules, expect: &str) {
        let zone = Zone::parse(text, rules).unwrap();
        let offset = zone.time_zone().to_offset(JULY.parse().unwrap());
        assert_eq!(format!("{} {}", zone.name(), OffsetName(offset)), expect, "zone `{text}`");
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        check_with(text, ZoneRules::default(), expect);
    }

    #[track_caller]
    fn refuse(text: &str, part: &str) {
        let error = Zone::parse(text, ZoneRules::default()).unwrap_err().to_string();
        assert!(error.contains(part), "zone `{text}`: {error}");
    }

    #[test]
    fn blank_is_utc() {
        check("", "UTC +00:00");
        check("  ", "UTC +00:00");
    }

    #[test]
    fn offsets_in_every_shape() {
        for text in ["-8:00", "-08:00", "-0800", "-08", "GMT-8", "GMT-8:00", "UTC-08:00", " -8:00 "] {
            check(text, "-08:00 -08:00");
        }
        check("+05:30", "+05:30 +05:30");
        check("-00:00", "+00:00 +00:00");
    }

    #[test]
    fn wrong_offsets() {
        for text in ["+7:0", "+24:00", "+7", "+07:60", "+7:000", "+", "+070", "-8:00x", "GMT+25:00"] {
            refuse(text, "is not readable");
        }
    }

    #[test]
    fn abbreviations_are_fixed() {
        check("PST", "PST -08:00");
        check("pdt", "PDT -07:00");
        check("CET", "CET +01:00");
        check("CEST", "CEST +02:00");
        check("Z", "Z +00:00");
    }

    #[test]
    fn java_reads_short_names_as_regions() {
        let java = ZoneRules { java_daylight_saving: true };
        check_with("PST", java, "PST -07:00");
        check_with("EST", java, "EST -05:00");
        check_with("CET", java, "CET +02:00");
        check_with("BST", java, "BST +06:00");
    }

    #[test]
    fn every_java_region_exists() {
        for (short, region) in JAVA_REGIONS {
            assert!(Zone::region(region).is_ok(), "{short} {region}");
        }
    }

    #[test]
    fn abbreviations_are_unique_and_short() {
        for (index, (short, _)) in ABBREVIATIONS.iter().enumerate() {
            assert!(short.len() <= 4, "{short}");
            assert!(
                ABBREVIATIONS[index + 1..].iter().all(|(other, _)| other != short),
                "{short} occurs twice"
            );
        }
    }

    /// Reads the table of `docs/dates.md`: offsets by comma, their abbreviations by semicolon, in the same order.
    #[test]
    fn the_documented_table_is_this_one() {
        let mut documented = Vec::new();
        let page = include_str!("../../../../docs/dates.md");
        let table = page.split("| offset | abbreviations |").nth(1).unwrap().split("\n\n").next().unwrap();
        for line in table.lines().filter(|line| line.contains(':')) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let offsets: Vec<&str> = cells[0].split(", ").collect();
            let groups: Vec<&str> = cells[1].split("; ").collect();
            assert_eq!(offsets.len(), groups.len(), "{line}");
            for (offset, group) in offsets.iter().zip(groups) {
                let (hours, minutes) = offset.trim_start_matches(['+', '−']).split_once(':').unwrap();
                let minutes = hours.parse::<i16>().unwrap() * 60 + minutes.parse::<i16>().unwrap();
                let minutes = if offset.starts_with('−') { -minutes } else { minutes };
                documented.extend(group.split(", ").map(|short| (short, minutes)));
            }
        }
        let mut ours = ABBREVIATIONS.to_vec();
        ours.sort_unstable();
        documented.sort_unstable();
        assert_eq!(documented, ours);
    }

    #[test]
    fn regions_in_any_letter_case() {
        check("america/new_york", "America/New_York -04:00");
        check("Asia/Kolkata", "Asia/Kolkata +05:30");
    }

    #[test]
    fn unknown_names() {
        refuse("Mars/Olympus", "is not known");
        refuse("XYZ", "is not known");
        refuse("{Name}", "is a fill-in");
    }
}
