//! A parameter's value on its way: text in an address or a header, JSON in a body, converted as the two sides declare.

use crate::connector::DataType;
use crate::json_text::{self, Kind};

/// A value between its two places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Text from an address, a header, a form or the configuration.
    Text(String),
    /// JSON from a body.
    Json(String),
}

impl Value {
    /// The value as text: scalars as they are written, objects and lists as their JSON, `null` as nothing.
    pub(super) fn into_text(self, to: Option<DataType>) -> Result<String, String> {
        let text = match self {
            Value::Text(text) => text,
            Value::Json(raw) => match json_text::scalar(&raw) {
                Some(text) => text.into_owned(),
                None if json_text::kind(&raw) == Some(Kind::Null) => String::new(),
                None => raw,
            },
        };
        match to {
            Some(kind @ (DataType::Integer | DataType::Number | DataType::Boolean)) if !text.is_empty() => {
                typed(&text, kind)
            }
            _ => Ok(text),
        }
    }

    /// The value as JSON for a body. Text without a declared type stays text; JSON without one stays as it is.
    pub(super) fn into_json(self, to: Option<DataType>) -> Result<String, String> {
        match (self, to) {
            (Value::Json(raw), None | Some(DataType::Structure)) => Ok(raw),
            (Value::Json(raw), Some(kind)) => convert(raw, kind),
            (Value::Text(text), None | Some(DataType::Text)) => Ok(json_text::quote(&text)),
            (Value::Text(text), Some(DataType::Structure)) => Ok(match json_text::validate(&text) {
                Ok(()) => text,
                Err(_) => json_text::quote(&text),
            }),
            (Value::Text(text), Some(kind)) => typed(text.trim(), kind),
        }
    }
}

/// Converts JSON to a declared type; lists item by item, `null` and objects as they are.
pub(super) fn convert(raw: String, to: DataType) -> Result<String, String> {
    match json_text::kind(&raw) {
        Some(Kind::List) => {
            let items = json_text::items(&raw).unwrap_or_default();
            let items: Result<Vec<String>, String> =
                items.into_iter().map(|item| convert(item.to_string(), to)).collect();
            Ok(format!("[{}]", items?.join(",")))
        }
        Some(Kind::Bool | Kind::Number | Kind::Text) => {
            let text = json_text::scalar(&raw).unwrap_or_default().into_owned();
            match to {
                DataType::Text if json_text::kind(&raw) == Some(Kind::Text) => Ok(raw),
                DataType::Text => Ok(json_text::quote(&text)),
                DataType::Structure => Ok(raw),
                DataType::Integer | DataType::Number | DataType::Boolean => typed(text.trim(), to),
            }
        }
        Some(Kind::Null | Kind::Object) | None => Ok(raw),
    }
}

/// Text as a number or a truth value of JSON. Digits stay as they are written.
fn typed(text: &str, to: DataType) -> Result<String, String> {
    let is_number = |text: &str| {
        json_text::kind(text) == Some(Kind::Number)
            && json_text::validate(text).is_ok()
            && text.trim() == text
    };
    match to {
        DataType::Integer => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let zeros = digits.split_once('.').map_or("", |(_, fraction)| fraction);
            match digits.split('.').next() {
                Some(whole)
                    if zeros.bytes().all(|byte| byte == b'0')
                        && whole.bytes().all(|byte| byte.is_ascii_digit())
                        && is_number(whole) =>
                {
                    let end = text.find('.').unwrap_or(text.len());
                    Ok(text[..end].to_string())
                }
                _ => Err(format!("`{text}` is not a whole number")),
            }
        }
        DataType::Number if is_number(text) => Ok(text.to_string()),
        DataType::Number => Err(format!("`{text}` is not a number")),
        DataType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok("true".to_string()),
            "false" | "no" | "0" => Ok("false".to_string()),
            _ => Err(format!("`{text}` is neither true nor false")),
        },
        DataType::Text | DataType::Structure => Ok(text.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn json(value: Value, to: Option<DataType>, expect: &str) {
        assert_eq!(value.into_json(to).unwrap_or_else(|error| error), expect);
    }

    #[test]
    fn values_become_json_of_the_declared_type() {
        let text = |text: &str| Value::Text(text.into());
        let raw = |text: &str| Value::Json(text.into());
        json(text("5"), None, r#""5""#);
        json(text("5"), Some(DataType::Integer), "5");
        json(text("5.00"), Some(DataType::Integer), "5");
        json(text("5.5"), Some(DataType::Integer), "`5.5` is not a whole number");
        json(text("1e3"), Some(DataType::Integer), "`1e3` is not a whole number");
        json(text("007"), Some(DataType::Integer), "`007` is not a whole number");
        json(text("10000000000000000000001.10"), Some(DataType::Number), "10000000000000000000001.10");
        json(text("x"), Some(DataType::Number), "`x` is not a number");
        json(text("Yes"), Some(DataType::Boolean), "true");
        json(text("maybe"), Some(DataType::Boolean), "`maybe` is neither true nor false");
        json(text(r#"{"a":1}"#), Some(DataType::Structure), r#"{"a":1}"#);
        json(text("{"), Some(DataType::Structure), r#""{""#);
        json(raw("1.50"), None, "1.50");
        json(raw("1.50"), Some(DataType::Text), r#""1.50""#);
        json(raw(r#""1.50""#), Some(DataType::Number), "1.50");
        json(raw(r#"["1","2"]"#), Some(DataType::Integer), "[1,2]");
        json(raw("null"), Some(DataType::Integer), "null");
        json(raw(r#"{"a":1}"#), Some(DataType::Integer), r#"{"a":1}"#);
    }

    #[test]
    fn values_become_text() {
        assert_eq!(Value::Json("1.50".into()).into_text(None).unwrap(), "1.50");
        assert_eq!(Value::Json(r#""a\"b""#.into()).into_text(None).unwrap(), "a\"b");
        assert_eq!(Value::Json("[1]".into()).into_text(None).unwrap(), "[1]");
        assert_eq!(Value::Json("null".into()).into_text(None).unwrap(), "");
        assert!(Value::Text("x".into()).into_text(Some(DataType::Integer)).is_err());
    }
}
