//! Date & Time cards (catalogue §8).
//!
//! Everything is reckoned in UTC; a zone matters only where a text is read or written.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use super::call::{Call, Function, bad, one};
use super::number::multiply;
use super::{CardError, Outputs};
use crate::date::Zone;
use crate::flow::moment::{Fit, Format};
use crate::flow::value::{Number, Type, Value, convert};

pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "now" => now,
        "add" => add,
        "subtract" => subtract,
        "difference" => difference,
        "format" => to_text,
        "parse" => to_date,
        "fromISO" => convert_date,
        "unix" => unix,
        "epoch" => epoch,
        _ => return None,
    })
}

/// What Now and Convert call the full form.
const FULL: &str = "LLLL";

fn printed(format: &str, at: Timestamp, zone: &Zone) -> String {
    Format::compile(format).expect("our own formats compile").print(at, zone)
}

/// Without what is finer than a millisecond.
fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_nanosecond().div_euclid(1_000_000).try_into().unwrap_or(0))
        .unwrap_or(at)
}

fn now(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let at = to_millisecond(call.context.now);
    let local = Offset::UTC.to_datetime(at);
    let utc = Zone::utc();
    let parts = [
        ("date", Value::Date(at)),
        ("iso", Value::text(Value::Date(at).to_text())),
        ("full", Value::text(printed(FULL, at, &utc))),
        ("year", Value::whole(i64::from(local.year()))),
        ("month", Value::text(printed("MMMM", at, &utc))),
        ("day", Value::whole(i64::from(local.day()))),
        ("hour", Value::whole(i64::from(local.hour()))),
        ("minute", Value::whole(i64::from(local.minute()))),
        ("time", Value::text(printed("LT", at, &utc))),
    ];
    Ok(parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// The units of Add and Subtract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// So many milliseconds, whatever the calendar.
    Fixed(i64),
    /// So many months.
    Months(i64),
}

fn unit(text: &str) -> Result<Unit, CardError> {
    let name = text.trim().to_ascii_lowercase();
    let singular = name.strip_suffix('s').unwrap_or(&name);
    Ok(match singular {
        "millisecond" => Unit::Fixed(1),
        "second" => Unit::Fixed(1_000),
        "minute" => Unit::Fixed(60_000),
        "hour" => Unit::Fixed(3_600_000),
        "day" => Unit::Fixed(86_400_000),
        "week" => Unit::Fixed(7 * 86_400_000),
        "month" => Unit::Months(1),
        "year" => Unit::Months(12),
        _ => {
            let message = format!(
                "input `units` is `{text}`; it must be milliseconds, seconds, minutes, hours, days, weeks, months or years"
            );
            return Err(bad("units", message));
        }
    })
}

fn add(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    shifted(call, 1)
}

fn subtract(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    shifted(call, -1)
}

fn shifted(call: &mut Call<'_>, sign: i64) -> Result<Outputs, CardError> {
    let (start, scale) = (call.date("start")?, call.number("scale")?);
    let unit = unit(&call.text("units"))?;
    let per = match unit {
        Unit::Fixed(per) | Unit::Months(per) => per,
    };
    let count = multiply(&scale, &Number::from(per * sign)).ok().and_then(|count| count.as_i64());
    let Some(count) = count else {
        let finest = if matches!(unit, Unit::Fixed(_)) { "milliseconds" } else { "months" };
        let message =
            format!("input `scale` is {scale}, no whole number of {finest}; round it or choose a finer unit");
        return Err(bad("scale", message));
    };
    let moved = match unit {
        Unit::Fixed(_) => start.checked_add(SignedDuration::from_millis(count)).ok(),
        Unit::Months(_) => add_months(start, count),
    };
    let moved = moved.ok_or_else(|| {
        bad("scale", format!("input `scale` is {scale} and leads beyond all dates; give a smaller number"))
    })?;
    Ok(one("output", moved))
}

/// The same day so many months on, or the last day of a month that is too short.
fn add_months(at: Timestamp, months: i64) -> Option<Timestamp> {
    let span = Span::new().try_months(months).ok()?;
    at.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|moved| moved.timestamp())
}

/// Whole months from one instant to another, cut towards zero.
fn months_between(start: Timestamp, end: Timestamp) -> Option<i64> {
    let (from, to) = (Offset::UTC.to_datetime(start), Offset::UTC.to_datetime(end));
    if to.day() < from.day() {
        // Counted from the longer month, so that the last days of two months are a month apart.
        return whole_months(start, end);
    }
    whole_months(end, start).map(|months| -months)
}

/// Whole months from `anchor` to `other`, where `anchor` has the later day of the month.
fn whole_months(anchor: Timestamp, other: Timestamp) -> Option<i64> {
    let (from, to) = (Offset::UTC.to_datetime(anchor), Offset::UTC.to_datetime(other));
    let years = i64::from(to.year()) - i64::from(from.year());
    let months = years * 12 + i64::from(to.month()) - i64::from(from.month());
    let reached = add_months(anchor, months)?;
    Some(match other.cmp(&reached) {
        std::cmp::Ordering::Less if months > 0 => months - 1,
        std::cmp::Ordering::Greater if months < 0 => months + 1,
        _ => months,
    })
}

fn difference(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (start, end) = (call.date("start")?, call.date("end")?);
    let milliseconds = to_millisecond(end).as_millisecond() - to_millisecond(start).as_millisecond();
    let months = months_between(to_millisecond(start), to_millisecond(end))
        .ok_or_else(|| bad("end", "input `end` is too far from `start` to count months"))?;
    let parts = [
        ("years", months / 12),
        ("months", months),
        ("days", milliseconds / 86_400_000),
        ("hours", milliseconds / 3_600_000),
        ("minutes", milliseconds / 60_000),
        ("seconds", milliseconds / 1_000),
        ("milliseconds", milliseconds),
    ];
    Ok(parts.into_iter().map(|(key, count)| (key.to_owned(), Value::whole(count))).collect())
}

fn zone(call: &mut Call<'_>) -> Result<Zone, CardError> {
    let text = call.text("zone");
    Zone::parse(&text, call.context.zones).map_err(|why| bad("zone", format!("input `zone`: {why}")))
}

fn format(call: &mut Call<'_>) -> Result<Option<Format>, CardError> {
    let Some(text) = call.text_if_any("format") else { return Ok(None) };
    Format::compile(&text).map(Some).map_err(|why| bad("format", format!("input `format`: {why}")))
}

fn to_text(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (at, format, zone) = (call.date("start")?, format(call)?, zone(call)?);
    let text = match format {
        Some(format) => format.print(at, &zone),
        None if zone.time_zone().to_offset(at) == Offset::UTC => Value::Date(at).to_text(),
        None => printed("YYYY-MM-DDTHH:mm:ss.SSSZ", at, &zone),
    };
    Ok(one("output", text))
}

fn to_date(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, format, zone) = (call.text("start"), format(call)?, zone(call)?);
    let fit = if call.truth("strict") { Fit::Strict } else { Fit::Forgiving };
    let Some(format) = format else { return iso(&text, &zone).map(|at| one("output", at)) };
    let read = format.read(text.trim(), &zone, to_millisecond(call.context.now), fit);
    read.map(|at| one("output", at)).map_err(|why| bad("start", format!("input `start`: {why}")))
}

/// Reads ISO 8601; what has no offset is in the zone.
fn iso(text: &str, zone: &Zone) -> Result<Timestamp, CardError> {
    let fail = |why: &dyn std::fmt::Display| bad("start", format!("input `start`: {why}"));
    let text = text.trim();
    if text.is_empty() {
        return Err(fail(&"it is empty; give a date such as `2025-01-31T09:30:00Z`"));
    }
    let has_offset = text.parse::<Timestamp>().is_ok();
    match convert(Value::text(text), Type::DATE) {
        Ok(Value::Date(at)) if has_offset => Ok(at),
        Ok(Value::Date(at)) => {
            let local = Offset::UTC.to_datetime(at);
            let resolved = zone.time_zone().to_ambiguous_timestamp(local).compatible();
            resolved.map_err(|why| fail(&why))
        }
        Ok(_) => Err(fail(&"it is no date")),
        Err(why) => Err(fail(&why)),
    }
}

fn convert_date(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (text, format, zone) = (call.text("start"), format(call)?, zone(call)?);
    let at = iso(&text, &zone)?;
    let custom = format.map_or_else(|| Value::Date(at).to_text(), |format| format.print(at, &zone));
    let parts = [
        ("date", Value::Date(at)),
        ("iso", Value::text(Value::Date(at).to_text())),
        ("epoch", Value::whole(to_millisecond(at).as_millisecond())),
        ("unix", Value::whole(seconds(at))),
        ("human", Value::text(printed(FULL, at, &zone))),
        ("custom", Value::text(custom)),
    ];
    Ok(parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Whole seconds since 1970, rounded down.
fn seconds(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(1_000)
}

fn unix(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", Value::whole(seconds(to_millisecond(call.date("start")?)))))
}

fn epoch(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", Value::whole(to_millisecond(call.date("start")?).as_millisecond())))
}
