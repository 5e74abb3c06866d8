//! Values from JSON text and back.

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

use super::{File, Number, Object, Value};
use crate::json_text;
use crate::limits::JSON_DEPTH_MAX;

/// Why a text is not a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    Malformed(String),
    /// JSON that is nested too deep.
    #[error("it is nested more than {JSON_DEPTH_MAX} deep; flatten it")]
    TooDeep,
}

impl Value {
    /// Reads one JSON value. Numbers keep their digits, members their order; of members with one name the last counts,
    /// in the place of the first.
    pub fn from_json(text: &str) -> Result<Value, ValueError> {
        json_text::validate(text).map_err(|error| match error {
            json_text::JsonTextError::TooDeep => ValueError::TooDeep,
            json_text::JsonTextError::Malformed(why) => ValueError::Malformed(why),
        })?;
        Ok(Reader { text, at: 0 }.value())
    }

    /// Writes the value as JSON: dates as ISO 8601 in UTC, a file as `{name, contentType, bytes}`.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    /// Appends the value's JSON.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) => out.push_str(&number.as_str()),
            Value::Text(text) => out.push_str(&json_text::quote(text)),
            Value::Date(at) => {
                out.push('"');
                out.push_str(&date_text(*at));
                out.push('"');
            }
            Value::Object(members) => write_members(members, out),
            Value::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write_json(out);
                }
                out.push(']');
            }
            Value::File(file) => write_members(&file.to_object(), out),
        }
    }

    /// The bytes that [`Value::to_json`] would write, without writing them.
    pub fn json_bytes(&self) -> usize {
        self.measure().bytes
    }

    /// Bytes and nesting of the value's JSON, in one walk. A scalar is nested 0 deep.
    pub fn measure(&self) -> Measure {
        let flat = |bytes| Measure { bytes, depth: 0 };
        match self {
            Value::Null => flat(4),
            Value::Boolean(truth) => flat(if *truth { 4 } else { 5 }),
            Value::Number(number) => flat(number.as_str().len()),
            Value::Text(text) => flat(text_bytes(text)),
            Value::Date(at) => flat(date_text(*at).len() + 2),
            Value::File(file) => Value::object(file.to_object()).measure(),
            Value::List(items) => {
                let mut sum = Measure { bytes: 2 + items.len().saturating_sub(1), depth: 1 };
                for item in items.iter() {
                    sum.add(item.measure(), 0);
                }
                sum
            }
            Value::Object(members) => {
                let mut sum = Measure { bytes: 2 + members.len().saturating_sub(1), depth: 1 };
                for (name, value) in members.iter() {
                    sum.add(value.measure(), text_bytes(name) + 1);
                }
                sum
            }
        }
    }
}

/// How large a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Bytes of its JSON.
    pub bytes: usize,
    /// Objects and lists around its deepest scalar.
    pub depth: usize,
}

impl Measure {
    fn add(&mut self, inner: Measure, more: usize) {
        self.bytes += inner.bytes + more;
        self.depth = self.depth.max(inner.depth + 1);
    }
}

impl File {
    /// The file as an object of texts.
    pub fn to_object(&self) -> Object {
        let members = [("name", &self.name), ("contentType", &self.content_type), ("bytes", &self.bytes)];
        members.into_iter().map(|(key, text)| (key.to_owned(), Value::Text(text.clone()))).collect()
    }
}

/// ISO 8601 in UTC: no fraction when there is none, else milliseconds, or as many thousandths of them as there are.
pub(super) fn date_text(at: Timestamp) -> String {
    let mut text = String::with_capacity(24);
    let nanoseconds = at.subsec_nanosecond();
    let digits = match nanoseconds {
        0 => 0,
        _ if nanoseconds % 1_000_000 == 0 => 3,
        _ if nanoseconds % 1_000 == 0 => 6,
        _ => 9,
    };
    // Writing into a String cannot fail.
    let _ = write!(text, "{at:.digits$}");
    text
}

fn write_members(members: &Object, out: &mut String) {
    out.push('{');
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&json_text::quote(name));
        out.push(':');
        value.write_json(out);
    }
    out.push('}');
}

/// Bytes of a text as JSON, quotes included.
fn text_bytes(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 1,
        0..=0x1F => 5,
        _ => 0,
    };
    text.len() + 2 + text.bytes().map(escaped).sum::<usize>()
}

/// Walks text that was validated, so every step finds what it looks for.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(b'n')
    }

    fn value(&mut self) -> Value {
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Value::Text(self.string()),
            b't' => self.word(4, Value::Boolean(true)),
            b'f' => self.word(5, Value::Boolean(false)),
            b'n' => self.word(4, Value::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, length: usize, value: Value) -> Value {
        self.at += length;
        value
    }

    fn number(&mut self) -> Value {
        let rest = &self.text[self.at..];
        let is_part = |char: char| char.is_ascii_digit() || matches!(char, '-' | '+' | '.' | 'e' | 'E');
        let length = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        self.at += length;
        Number::parse(&rest[..length]).map_or(Value::Null, Value::Number)
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        let mut plain = true;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => {
                    plain = false;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at = (self.at + 1).min(bytes.len());
        if plain {
            return self.text[start + 1..self.at - 1].to_owned();
        }
        json_text::text(&self.text[start..self.at]).unwrap_or_default().into_owned()
    }

    fn list(&mut self) -> Value {
        let mut items = Vec::new();
        self.at += 1;
        while self.peek() != b']' {
            items.push(self.value());
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Value::List(Arc::new(items))
    }

    fn object(&mut self) -> Value {
        let mut members = Object::new();
        self.at += 1;
        while self.peek() != b'}' {
            let name = self.string();
            self.peek();
            self.at += 1; // The colon.
            let value = self.value();
            members.insert(name, value);
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Value::Object(Arc::new(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round(text: &str, expect: &str) {
        let value = Value::from_json(text).unwrap();
        assert_eq!(value.to_json(), expect);
        assert_eq!(value.json_bytes(), expect.len(), "{expect}");
    }

    #[test]
    fn what_is_read_is_written() {
        round(" { \"b\" : [ 1 , -2.50e+3, {} , [ ] ], \"a\":\"x\" } ", r#"{"b":[1,-2.50e+3,{},[]],"a":"x"}"#);
        round("10000000000000000000001.10", "10000000000000000000001.10");
        round("-0", "-0");
        round(r#""a\"b\\c\n\u0001é\u00e9""#, "\"a\\\"b\\\\c\\n\\u0001éé\"");
        round(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
        round(r#"{"":[true,false,null]}"#, r#"{"":[true,false,null]}"#);
        round("\"\\b\\f\\r\\t\\u001f\"", "\"\\b\\f\\r\\t\\u001f\"");
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "[1,]", "01", "'a'", "nul", "1 2"] {
            assert!(matches!(Value::from_json(text), Err(ValueError::Malformed(_))), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(JSON_DEPTH_MAX + 1), "]".repeat(JSON_DEPTH_MAX + 1));
        assert_eq!(Value::from_json(&deep), Err(ValueError::TooDeep));
    }

    #[test]
    fn dates_are_written_in_utc() {
        let text = |text: &str| date_text(text.parse().unwrap());
        assert_eq!(text("2019-05-09T13:37:30-07:00"), "2019-05-09T20:37:30Z");
        assert_eq!(text("2019-05-09T13:37:30.120Z"), "2019-05-09T13:37:30.120Z");
        assert_eq!(text("2019-05-09T13:37:30.123456Z"), "2019-05-09T13:37:30.123456Z");
        assert_eq!(text("2019-05-09T13:37:30.123456789Z"), "2019-05-09T13:37:30.123456789Z");
    }

    #[test]
    fn nesting_is_measured() {
        let depth = |text: &str| Value::from_json(text).unwrap().measure().depth;
        assert_eq!((depth("1"), depth("[]"), depth("[1]"), depth(r#"{"a":[1,{"b":2}]}"#)), (0, 1, 1, 3));
    }
}
