//! The placeholders of a template: finding them and reading what they ask for.

use crate::date::{DateFormat, EpochUnit, Zone, ZoneRules};

use super::{DATE_REMEDY, Notes, TemplateProblem};

/// Stands for a placeholder in the text that it was taken out of. Control characters were refused before.
pub(super) const HOLE: char = '\0';

/// What a placeholder asks for.
#[derive(Clone, Debug)]
pub(super) enum Hole {
    /// A bound of the window, written in this format.
    Instant { moment: Moment, format: DateFormat },
    /// The last number seen.
    Cursor,
}

/// The bounds of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Start,
    End,
}

/// What zones are read with.
pub(super) struct Zones<'z> {
    /// The zone of `${date:…}`.
    pub(super) server: &'z Zone,
    /// How zone names are understood.
    pub(super) rules: ZoneRules,
}

const KNOWN: &str = "use `${gmtDate:FORMAT}`, `${dateTimeZone:ZONE:FORMAT}`, `${date:FORMAT}`, `${epoch}`, `${epoch:s}`, \
                     `${epoch:us}`, `${milliseconds}`, `${cursor}`, or one of these behind `end.`";

/// Takes the placeholders out of `text` and leaves a [`HOLE`] for each.
pub(super) fn take_out(text: &str, zones: &Zones<'_>, notes: &mut Notes) -> (String, Vec<Hole>) {
    let mut flat = String::with_capacity(text.len());
    let mut holes = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        flat.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        let Some(length) = closing(inner) else {
            notes.problem(
                format!("`{}` is not closed", shorten(&rest[start..])),
                "end the placeholder with `}`",
            );
            return (flat, holes);
        };
        match read(&inner[..length], zones, notes) {
            Ok(hole) => {
                holes.push(hole);
                flat.push(HOLE);
            }
            Err(problem) => notes.problems.push(problem),
        }
        rest = &inner[length + 1..];
    }
    flat.push_str(rest);
    (flat, holes)
}

/// The place of the `}` that closes a placeholder. Formats hold no braces; a zone that was left to fill in does.
fn closing(inner: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn read(inner: &str, zones: &Zones<'_>, notes: &mut Notes) -> Result<Hole, TemplateProblem> {
    let (descriptor, argument) = match inner.split_once(':') {
        Some((descriptor, argument)) => (descriptor, Some(argument)),
        None => (inner, None),
    };
    let lower = descriptor.trim().to_ascii_lowercase();
    let (moment, name) = match lower.strip_prefix("end.") {
        Some(name) => (Moment::End, name),
        None => (Moment::Start, lower.as_str()),
    };
    let unknown = || TemplateProblem::new(format!("`${{{}}}` is not a placeholder", shorten(inner)), KNOWN);
    let format = match (name, argument) {
        ("cursor", None) if moment == Moment::Start => return Ok(Hole::Cursor),
        ("date" | "milliseconds" | "epoch", None) => DateFormat::epoch(EpochUnit::Millis),
        ("epoch", Some(unit)) => match unit.trim().to_ascii_lowercase().as_str() {
            "s" => DateFormat::epoch(EpochUnit::Seconds),
            "ms" => DateFormat::epoch(EpochUnit::Millis),
            "us" => DateFormat::epoch(EpochUnit::Micros),
            _ => {
                let problem = format!("`{}` is not a unit of `epoch`", shorten(unit));
                return Err(TemplateProblem::new(problem, "use `s`, `ms` or `us`"));
            }
        },
        ("date", Some(pattern)) => {
            let advice =
                "`date` uses the zone of the server: write `gmtDate`, which says the same wherever this runs";
            if !notes.advice.iter().any(|known| known == advice) {
                notes.advice.push(advice.into());
            }
            compile(pattern, zones.server, notes)?
        }
        ("gmtdate", Some(pattern)) => compile(pattern, &gmt(zones.rules), notes)?,
        ("gmtdate", None) => {
            let remedy =
                format!("write `${{{descriptor}:yyyy-MM-dd'T'HH:mm:ssXXX}}`, in the provider's format");
            return Err(TemplateProblem::new(format!("`${{{descriptor}}}` has no format"), remedy));
        }
        ("datetimezone", argument) => zoned(argument.unwrap_or_default(), zones, notes)?,
        _ => return Err(unknown()),
    };
    Ok(Hole::Instant { moment, format })
}

/// `ZONE:FORMAT`, where the zone may be an offset that itself holds a colon.
fn zoned(argument: &str, zones: &Zones<'_>, notes: &mut Notes) -> Result<DateFormat, TemplateProblem> {
    let incomplete = || {
        let remedy = "write `${dateTimeZone:PST:yyyy-MM-dd'T'HH:mm:ss}`";
        TemplateProblem::new("`dateTimeZone` needs a zone and a format", remedy)
    };
    let (mut zone, mut pattern) = argument.split_once(':').ok_or_else(incomplete)?;
    let digits = zone.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()).trim();
    let is_hour = digits
        .strip_prefix(['+', '-'])
        .is_some_and(|hour| matches!(hour.len(), 1 | 2) && hour.bytes().all(|byte| byte.is_ascii_digit()));
    if is_hour
        && let Some((minute, format)) = pattern.split_once(':')
        && minute.len() == 2
        && minute.bytes().all(|byte| byte.is_ascii_digit())
    {
        zone = &argument[..zone.len() + 3];
        pattern = format;
    }
    if zone.trim().is_empty() || pattern.is_empty() {
        return Err(incomplete());
    }
    if zone.contains(['{', '<', '%']) {
        let problem = format!("the zone `{}` is left to fill in", shorten(zone));
        return Err(TemplateProblem::new(
            problem,
            "name the zone, for example `PST`, `-8:00` or `Europe/Berlin`",
        ));
    }
    let zone = Zone::parse(zone.trim(), zones.rules)
        .map_err(|error| TemplateProblem::from_sentence(&error.to_string(), DATE_REMEDY))?;
    compile(pattern, &zone, notes)
}

/// GMT under that name, which is what the letter `z` prints.
fn gmt(rules: ZoneRules) -> Zone {
    Zone::parse("GMT", rules).unwrap_or_else(|_| Zone::utc())
}

fn compile(pattern: &str, zone: &Zone, notes: &mut Notes) -> Result<DateFormat, TemplateProblem> {
    let compiled = DateFormat::compile(pattern, zone)
        .map_err(|error| TemplateProblem::from_sentence(&error.to_string(), DATE_REMEDY))?;
    notes.repairs.extend(compiled.repairs);
    Ok(compiled.format)
}

/// The beginning of a text, for a message.
fn shorten(text: &str) -> String {
    const LENGTH: usize = 60;
    let mut short: String = text.chars().take(LENGTH).collect();
    if text.chars().nth(LENGTH).is_some() {
        short.push('…');
    }
    short
}
