//! The cursor of a run: how it is read, lowered, and saved.
//!
//! Dates that are read from the cursor are lowered by `cursorOverlap`, so that records which the provider shows late
//! are read again; the ledger suppresses what was reported. What is saved stays exact: a lowered date that reaches the
//! Cursor card is put back to what it was, so that a flow which saves its old cursor does not creep backwards.
//!
//! A date is a cursor of the type Date & Time, and any text that is a full ISO 8601 instant with its offset. Numbers
//! are never lowered: nothing says that one is a time.

use std::time::Duration;

use jiff::Timestamp;

use super::{Entry, FlowStart};
use crate::flow::Flow;
use crate::flow::value::{Kind, Object, Type, Value, convert};
use crate::limits::CURSOR_BYTES_MAX;
use crate::window::minus;

/// The cursor as the flow reads it, and what its lowered dates were.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    pub(super) value: Value,
    dates: Vec<(Timestamp, Timestamp)>,
}

/// Reads the saved cursor of a monitor.
pub(super) fn read(start: &FlowStart) -> Result<Lowered, String> {
    let Some(text) = start.cursor.as_ref().filter(|_| start.entry == Entry::Monitor) else {
        return Ok(Lowered::default());
    };
    let of = start.flow.cursor;
    let refuse =
        |why: String| format!("the cursor cannot be read as {of}: {why}; set one that can, or reset it");
    let value = Value::from_json(text).map_err(|why| refuse(why.to_string()))?;
    let value = convert(value, of).map_err(|why| refuse(why.to_string()))?;
    let mut lowered = Lowered::default();
    let overlap = start.flow.cursor_overlap;
    lowered.value = if overlap.is_zero() { value } else { lower(value, overlap, &mut lowered.dates) };
    Ok(lowered)
}

fn lower(value: Value, overlap: Duration, dates: &mut Vec<(Timestamp, Timestamp)>) -> Value {
    change_dates(value, &mut |at| {
        let lowered = minus(at, overlap);
        dates.push((lowered, at));
        lowered
    })
}

/// Changes every date of a value. Texts stay texts.
fn change_dates(value: Value, change: &mut impl FnMut(Timestamp) -> Timestamp) -> Value {
    match value {
        Value::Date(at) => Value::Date(change(at)),
        Value::Text(text) => match instant(&text) {
            Some(at) => {
                let changed = change(at);
                if changed == at { Value::Text(text) } else { Value::text(Value::Date(changed).to_text()) }
            }
            None => Value::Text(text),
        },
        Value::Object(members) => {
            let members = members.iter();
            let changed: Object =
                members.map(|(name, value)| (name.clone(), change_dates(value.clone(), change))).collect();
            Value::object(changed)
        }
        Value::List(items) => {
            Value::list(items.iter().map(|item| change_dates(item.clone(), change)).collect())
        }
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::File(_) => value,
    }
}

/// A text that is a whole instant: date, time and offset, and nothing besides.
fn instant(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shaped =
        bytes.len() >= 17 && bytes.get(4) == Some(&b'-') && matches!(bytes.get(10), Some(b'T' | b't'));
    shaped.then(|| text.parse().ok())?
}

/// The JSON of a value that may be saved; the code and the sentence of what is wrong otherwise.
pub(super) fn saved(value: Value, of: Type, lowered: &Lowered) -> Result<String, (&'static str, String)> {
    if value.is_null() {
        let message = "nothing cannot be saved as the cursor; leave the card out to keep the old one";
        return Err(("missing-input", message.into()));
    }
    let found = value.noun();
    let value = convert(value, of).map_err(|why| {
        let message = format!("the cursor of this monitor is {of}, and {found} was given: {why}");
        ("wrong-type", message)
    })?;
    if value.is_null() {
        let message = format!("the cursor of this monitor is {of}, and what was given is empty");
        return Err(("wrong-type", message));
    }
    let value = if lowered.dates.is_empty() {
        value
    } else {
        let exact =
            |at: Timestamp| lowered.dates.iter().find(|(low, _)| *low == at).map_or(at, |(_, was)| *was);
        change_dates(value, &mut |at| exact(at))
    };
    let text = value.to_json();
    if text.len() > CURSOR_BYTES_MAX {
        let message = format!(
            "the cursor has {} bytes as JSON, at most {CURSOR_BYTES_MAX} are kept; save less, such as a date",
            text.len()
        );
        return Err(("cursor-too-large", message));
    }
    Ok(text)
}

/// Reads a cursor that a person gives for a monitor: JSON of the declared type, at most [`CURSOR_BYTES_MAX`] bytes;
/// `null` is none. Answers the text to keep; the error is one sentence with its remedy.
pub fn read_cursor(flow: &Flow, text: &str) -> Result<Option<String>, String> {
    let value = Value::from_json(text).map_err(|why| format!("the cursor is no JSON ({why}); correct it"))?;
    if value.is_null() {
        return Ok(None);
    }
    saved(value, flow.cursor, &Lowered::default()).map(Some).map_err(|(_, sentence)| sentence)
}

/// Whether a type can be that of a cursor.
pub(in crate::flow) fn can_be_cursor(of: Type) -> bool {
    !matches!(of.kind, Kind::File | Kind::Flow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowered(json: &str, of: Type, overlap: u64) -> Lowered {
        let mut lowered = Lowered::default();
        let value = convert(Value::from_json(json).unwrap(), of).unwrap();
        lowered.value = lower(value, Duration::from_secs(overlap), &mut lowered.dates);
        lowered
    }

    #[test]
    fn dates_are_lowered_and_nothing_else_is() {
        let cases = [
            ("\"2025-01-01T00:02:00Z\"", Type::DATE, "\"2025-01-01T00:00:00Z\""),
            ("\"2025-01-01T00:02:00Z\"", Type::TEXT, "\"2025-01-01T00:00:00Z\""),
            ("\"2025-01-01T02:02:00.123456+02:00\"", Type::TEXT, "\"2025-01-01T00:00:00.123456Z\""),
            ("\"2025-01-01\"", Type::TEXT, "\"2025-01-01\""),
            ("\"2025-01-01T00:02:00\"", Type::TEXT, "\"2025-01-01T00:02:00\""),
            ("\"since 2025-01-01T00:02:00Z\"", Type::TEXT, "\"since 2025-01-01T00:02:00Z\""),
            ("1735689720000", Type::NUMBER, "1735689720000"),
            (
                "{\"a\":[{\"at\":\"2025-01-01T00:02:00Z\"}],\"n\":1}",
                Type::OBJECT,
                "{\"a\":[{\"at\":\"2025-01-01T00:00:00Z\"}],\"n\":1}",
            ),
            ("[\"2025-01-01T00:02:00Z\"]", Type::DATE.list(), "[\"2025-01-01T00:00:00Z\"]"),
        ];
        for (json, of, expect) in cases {
            let lowered = lowered(json, of, 120);
            assert_eq!(lowered.value.to_json(), expect, "{json} as {of}");
            // Saved as it was read, it is what it was; only its spelling may be another.
            let back = saved(lowered.value.clone(), of, &lowered).unwrap();
            let was = convert(Value::from_json(json).unwrap(), of).unwrap();
            let instants = |text: &str| text.replace("02:02:00.123456+02:00", "00:02:00.123456Z");
            assert_eq!(back, instants(&was.to_json()), "{json} as {of}");
        }
    }

    #[test]
    fn ten_kibibytes_are_kept_and_no_more() {
        let none = Lowered::default();
        let fits = Value::text("x".repeat(CURSOR_BYTES_MAX - 2));
        assert_eq!(saved(fits, Type::TEXT, &none).unwrap().len(), 10_240);
        let (code, message) = saved(Value::text("x".repeat(10_239)), Type::TEXT, &none).unwrap_err();
        assert_eq!(code, "cursor-too-large");
        assert_eq!(
            message,
            "the cursor has 10241 bytes as JSON, at most 10240 are kept; save less, such as a date"
        );
        // Bytes count, not letters.
        assert!(saved(Value::text("ü".repeat(5_120)), Type::TEXT, &none).is_err());
    }

    #[test]
    fn what_is_no_cursor_of_this_monitor_is_refused() {
        let none = Lowered::default();
        let code = |value: Value, of| saved(value, of, &none).unwrap_err().0;
        assert_eq!(code(Value::Null, Type::OBJECT), "missing-input");
        assert_eq!(code(Value::text(" "), Type::NUMBER), "wrong-type");
        assert_eq!(code(Value::object(Object::new()), Type::NUMBER), "wrong-type");
        assert_eq!(code(Value::text("soon"), Type::DATE), "wrong-type");
    }
}
