//! The lenient conversions along a wire.
//!
//! Exported flows say that values are converted between the types of a wire's two ends "where that is possible"; what
//! is possible is this table, written down so that a run never surprises. Nothing is guessed from the look of a value
//! whose type was not declared, and nothing is dropped: several items do not become one.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::{File, Kind, Number, Type, Value};

/// Why a value has no form of the wanted type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// No conversion between the two.
    #[error("{found} cannot become {wanted}")]
    NoWay {
        /// What there is, in a sentence.
        found: &'static str,
        /// What is declared.
        wanted: Type,
    },
    /// A text that does not read as the wanted type.
    #[error("`{text}` is not {wanted_noun}; {remedy}")]
    Unreadable {
        /// The text's beginning.
        text: String,
        /// What it should be, in a sentence.
        wanted_noun: &'static str,
        /// What would be read.
        remedy: &'static str,
    },
    /// One item of a list has no form of the wanted type.
    #[error("item {index}: {why}")]
    Item {
        /// Its position, from 0.
        index: usize,
        /// What is wrong with it.
        why: Box<ConvertError>,
    },
}

/// Converts a value to a declared type. Nothing stays nothing, and a blank text becomes nothing where no text is
/// wanted.
///
/// - Text, or a flow: a number as its digits, true/false as its word, a date as ISO 8601 in UTC, an object or a list as
///   its JSON, a file as its content when that is UTF-8.
/// - Number: a text as the number that it writes, true/false as 1 and 0, a date as milliseconds since 1970.
/// - True/False: `true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0` in any letter case; of numbers 0 is false.
/// - Date & Time: a text in ISO 8601, without an offset in UTC; a whole number as milliseconds since 1970.
/// - Object: a text as its JSON object; a file as `{name, contentType, bytes}`. File: such an object.
/// - A list: a list item by item; a text that is a JSON list is read as one, unless texts are wanted; anything else
///   becomes the only item.
/// - Anything: everything as it is.
///
/// What is not named is an error; `docs/flow-cards.md` has it as a table.
///
/// ```
/// use turnstone_core::flow::value::{Type, Value, convert};
///
/// let count = convert(Value::text(" 42 "), Type::NUMBER).unwrap();
/// assert_eq!(count, Value::whole(42));
/// assert!(convert(Value::text("many"), Type::NUMBER).is_err());
/// ```
pub fn convert(value: Value, to: Type) -> Result<Value, ConvertError> {
    if value.is_null() {
        return Ok(value);
    }
    if to.collection { to_list(value, to) } else { to_one(value, to.kind) }
}

fn to_list(value: Value, to: Type) -> Result<Value, ConvertError> {
    let items = match value {
        Value::List(items) => items,
        Value::Text(text) if to.kind != Kind::Text && text.trim_start().starts_with('[') => {
            match Value::from_json(&text) {
                Ok(Value::List(items)) => items,
                _ => Arc::new(vec![Value::Text(text)]),
            }
        }
        other => Arc::new(vec![other]),
    };
    if items.iter().all(|item| fits(item, to.kind)) {
        return Ok(Value::List(items));
    }
    let items = Arc::unwrap_or_clone(items);
    let converted = items.into_iter().enumerate().map(|(index, item)| {
        convert(item, to.item()).map_err(|why| ConvertError::Item { index, why: Box::new(why) })
    });
    Ok(Value::list(converted.collect::<Result<_, _>>()?))
}

/// Whether a value needs no conversion.
fn fits(value: &Value, kind: Kind) -> bool {
    match value {
        Value::Null => true,
        Value::Boolean(_) => matches!(kind, Kind::Boolean | Kind::Any),
        Value::Number(_) => matches!(kind, Kind::Number | Kind::Any),
        Value::Text(_) => matches!(kind, Kind::Text | Kind::Flow | Kind::Any),
        Value::Date(_) => matches!(kind, Kind::Date | Kind::Any),
        Value::Object(_) => matches!(kind, Kind::Object | Kind::Any),
        Value::File(_) => matches!(kind, Kind::File | Kind::Any),
        Value::List(_) => kind == Kind::Any,
    }
}

fn to_one(value: Value, kind: Kind) -> Result<Value, ConvertError> {
    if fits(&value, kind) {
        return Ok(value);
    }
    let no_way = Err(ConvertError::NoWay { found: value.noun(), wanted: Type::of(kind) });
    match (kind, value) {
        (Kind::Any, value) => Ok(value),
        (Kind::Text | Kind::Flow, Value::File(file)) => content(&file),
        (Kind::Text | Kind::Flow, value) => Ok(Value::Text(value.to_text())),
        (_, Value::Text(text)) if text.trim().is_empty() && kind != Kind::File => Ok(Value::Null),
        (Kind::Number, Value::Text(text)) => number_of(&text),
        (Kind::Number, Value::Boolean(truth)) => Ok(Value::whole(i64::from(truth))),
        (Kind::Number, Value::Date(at)) => Ok(Value::whole(at.as_millisecond())),
        (Kind::Boolean, Value::Text(text)) => boolean_of(&text),
        (Kind::Boolean, Value::Number(number)) => Ok(Value::Boolean(number != Number::from(0))),
        (Kind::Date, Value::Text(text)) => match date_of(&text) {
            Some(at) => Ok(Value::Date(at)),
            None => Err(unreadable(
                &text,
                "a date",
                "write it as `2025-01-31T09:30:00Z`, or read it with Text to Date",
            )),
        },
        (Kind::Date, Value::Number(number)) => milliseconds(&number),
        (Kind::Object, Value::Text(text)) => match Value::from_json(&text) {
            Ok(object @ Value::Object(_)) => Ok(object),
            _ => Err(unreadable(&text, "an object", "write it as JSON, such as `{\"key\": \"value\"}`")),
        },
        (Kind::Object, Value::File(file)) => Ok(Value::object(file.to_object())),
        (Kind::File, Value::Object(members)) => file_of(&members).map_or(no_way, Ok),
        _ => no_way,
    }
}

fn unreadable(text: &str, wanted_noun: &'static str, remedy: &'static str) -> ConvertError {
    ConvertError::Unreadable { text: beginning(text), wanted_noun, remedy }
}

/// As much of a text as a message needs.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn number_of(text: &str) -> Result<Value, ConvertError> {
    let trimmed = text.trim();
    let fail = || unreadable(text, "a number", "write digits, with a point before the fraction");
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if let Some(number) = Number::parse(trimmed) {
        return Ok(number.into());
    }
    // What people write and JSON refuses: a plus sign, leading zeros, a bare point.
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Err(fail());
    }
    let stripped = digits.trim_start_matches('0');
    let whole = if stripped.starts_with(|first: char| first.is_ascii_digit()) { "" } else { "0" };
    Number::parse(&format!("{sign}{whole}{stripped}")).map(Value::Number).ok_or_else(fail)
}

fn boolean_of(text: &str) -> Result<Value, ConvertError> {
    let word = text.trim();
    let is = |words: [&str; 4]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(["true", "yes", "on", "1"]) {
        Ok(Value::Boolean(true))
    } else if is(["false", "no", "off", "0"]) {
        Ok(Value::Boolean(false))
    } else {
        Err(unreadable(text, "true or false", "write `true` or `false`"))
    }
}

/// ISO 8601: a date, or date and time with `T` or a blank; without an offset it is UTC.
pub(in crate::flow) fn date_of(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // Whatever is read must begin with a four-digit year, so that no number or bare time slips through.
    if text.len() < 10 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let utc = |local: DateTime| local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    if text.len() == 10 {
        return text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)).and_then(utc);
    }
    text.parse::<DateTime>().ok().and_then(utc)
}

fn milliseconds(number: &Number) -> Result<Value, ConvertError> {
    let at = number.as_i64().and_then(|count| Timestamp::from_millisecond(count).ok());
    at.map(Value::Date).ok_or_else(|| {
        unreadable(&number.as_str(), "a date", "as a number a date is whole milliseconds since 1970")
    })
}

fn content(file: &File) -> Result<Value, ConvertError> {
    let bytes = STANDARD.decode(&file.bytes).unwrap_or_default();
    String::from_utf8(bytes).map(Value::Text).map_err(|_| {
        unreadable(&file.name, "a text file", "its bytes are not UTF-8; encode them with Base64")
    })
}

fn file_of(members: &super::Object) -> Option<Value> {
    let text = |key: &str| match members.get(key) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let bytes = text("bytes").filter(|bytes| STANDARD.decode(bytes).is_ok())?;
    let content_type = text("contentType").unwrap_or_else(|| "application/octet-stream".to_owned());
    Some(Value::File(Arc::new(File { name: text("name")?, content_type, bytes })))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `date:…` and `file` stand for what JSON has no form of.
    fn value(text: &str) -> Value {
        if let Some(at) = text.strip_prefix("date:") {
            return Value::Date(at.parse().unwrap());
        }
        if let Some(bytes) = text.strip_prefix("file:") {
            let (name, content_type) = ("a.txt".to_owned(), "text/plain".to_owned());
            return Value::File(Arc::new(File { name, content_type, bytes: bytes.to_owned() }));
        }
        Value::from_json(text).unwrap()
    }

    #[test]
    fn the_table_holds() {
        let file = r#"{"name":"a.txt","contentType":"text/plain","bytes":"aGk="}"#;
        let cases = [
            ("null", "Text", "null"),
            ("\"a\"", "Text", "\"a\""),
            ("1.50", "Text", "\"1.50\""),
            ("true", "Text", "\"true\""),
            ("date:2025-01-01T00:00:00.5Z", "Text", "\"2025-01-01T00:00:00.500Z\""),
            ("{\"a\":1}", "Text", "\"{\\\"a\\\":1}\""),
            ("[1,2]", "Text", "\"[1,2]\""),
            ("file:aGk=", "Text", "\"hi\""),
            (
                "file:/w==",
                "Text",
                "`a.txt` is not a text file; its bytes are not UTF-8; encode them with Base64",
            ),
            ("\" 1.50 \"", "Number", "1.50"),
            ("\"+007.5\"", "Number", "7.5"),
            ("\"-.5\"", "Number", "-0.5"),
            ("\"000\"", "Number", "0"),
            ("\"1e3\"", "Number", "1e3"),
            ("\" \"", "Number", "null"),
            ("\"1,5\"", "Number", "`1,5` is not a number; write digits, with a point before the fraction"),
            ("\"--1\"", "Number", "`--1` is not a number; write digits, with a point before the fraction"),
            ("\"+-1\"", "Number", "`+-1` is not a number; write digits, with a point before the fraction"),
            ("true", "Number", "1"),
            ("date:1970-01-01T00:00:01.5Z", "Number", "1500"),
            ("{}", "Number", "an object cannot become Number"),
            ("[1]", "Number", "a list cannot become Number"),
            ("\"Yes\"", "True/False", "true"),
            ("\"off\"", "True/False", "false"),
            ("\"\"", "True/False", "null"),
            ("\"maybe\"", "True/False", "`maybe` is not true or false; write `true` or `false`"),
            ("0.0", "True/False", "false"),
            ("2", "True/False", "true"),
            ("date:2025-01-01T00:00:00Z", "True/False", "a date cannot become True/False"),
            ("\"2025-01-31\"", "Date", "\"2025-01-31T00:00:00Z\""),
            ("\"2025-01-31 10:00:00\"", "Date", "\"2025-01-31T10:00:00Z\""),
            ("\"2025-01-31T10:00+02:00\"", "Date", "\"2025-01-31T08:00:00Z\""),
            (
                "\"soon\"",
                "Date",
                "`soon` is not a date; write it as `2025-01-31T09:30:00Z`, or read it with Text to Date",
            ),
            ("1500", "Date", "\"1970-01-01T00:00:01.500Z\""),
            ("1.5", "Date", "`1.5` is not a date; as a number a date is whole milliseconds since 1970"),
            ("true", "Date", "a true/false cannot become Date & Time"),
            ("\"{\\\"a\\\":1}\"", "Object", "{\"a\":1}"),
            ("\"[1]\"", "Object", "`[1]` is not an object; write it as JSON, such as `{\"key\": \"value\"}`"),
            ("file:aGk=", "Object", file),
            (file, "File", file),
            ("{\"name\":\"a\",\"bytes\":\"?\"}", "File", "an object cannot become File"),
            ("\"a\"", "File", "a text cannot become File"),
            ("\"a\"", "List of Text", "[\"a\"]"),
            ("\"[1]\"", "List of Text", "[\"[1]\"]"),
            ("\"[1,\\\"2\\\"]\"", "List of Number", "[1,2]"),
            ("[1,null,\"3\"]", "List of Number", "[1,null,3]"),
            (
                "[1,\"x\"]",
                "List of Number",
                "item 1: `x` is not a number; write digits, with a point before the fraction",
            ),
            ("null", "List of Number", "null"),
            ("{\"a\":1}", "List of Any", "[{\"a\":1}]"),
            ("[[1]]", "List of Any", "[[1]]"),
            ("\"helper\"", "Flow", "\"helper\""),
        ];
        for (from, to, expect) in cases {
            let to = Type::parse(to).unwrap();
            let shown =
                convert(value(from), to).map_or_else(|error| error.to_string(), |value| value.to_json());
            assert_eq!(shown, expect, "{from} to {to}");
        }
    }

    #[test]
    fn long_texts_are_cut_in_messages() {
        let error = convert(Value::text("x".repeat(1_000)), Type::NUMBER).unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
    }
}
