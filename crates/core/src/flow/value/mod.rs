//! The values that travel along the wires of a flow.
//!
//! A value is what JSON has, and dates and files. Numbers keep the digits that a provider wrote until somebody does
//! arithmetic with them; members keep their order. A list or an object is shared, not copied, when one output feeds
//! many inputs. What JSON calls a text never becomes a date by itself: a declared type does that, by the table of
//! [`convert`].
//!
//! Deliberately not here: what cards do with values, and whether two declared types fit (a matter of the flow
//! document).

mod convert;
mod json;
mod number;
mod types;

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;

pub use convert::{ConvertError, convert};
pub use json::ValueError;
pub use number::{Decimal, Number};
pub use types::{Kind, Type};

/// Members of an object in their order. Two objects are equal when they have the same members in any order.
pub type Object = IndexMap<String, Value>;

/// One value of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing; also what an input has that nobody filled in.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A number with the digits that it was written with.
    Number(Number),
    /// A text.
    Text(String),
    /// An instant. Written as ISO 8601 in UTC with `Z`; never shown in a local zone.
    Date(Timestamp),
    /// An object.
    Object(Arc<Object>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A file.
    File(Arc<File>),
}

/// A file: a name, a content type, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, which may be empty.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes in standard Base64 with padding.
    pub bytes: String,
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// A list of these items.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// An object of these members.
    pub fn object(members: Object) -> Value {
        Value::Object(Arc::new(members))
    }

    /// A whole number.
    pub fn whole(number: i64) -> Value {
        Value::Number(Number::from(number))
    }

    /// Whether it is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// What it is, for a sentence: `a text`, `a list`.
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Boolean(_) => "a true/false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::Date(_) => "a date",
            Value::Object(_) => "an object",
            Value::List(_) => "a list",
            Value::File(_) => "a file",
        }
    }

    /// The type that it has of itself. A list of one kind of item is a list of that; a mixed or empty one is a list of
    /// anything.
    pub fn own_type(&self) -> Type {
        match self {
            Value::Null => Type::ANY,
            Value::Boolean(_) => Type::BOOLEAN,
            Value::Number(_) => Type::NUMBER,
            Value::Text(_) => Type::TEXT,
            Value::Date(_) => Type::DATE,
            Value::Object(_) => Type::OBJECT,
            Value::File(_) => Type::FILE,
            Value::List(items) => {
                let mut kinds = items
                    .iter()
                    .map(Value::own_type)
                    .map(|of| if of.collection { Kind::Any } else { of.kind });
                let first = kinds.next().unwrap_or(Kind::Any);
                Type {
                    kind: if kinds.all(|kind| kind == first) { first } else { Kind::Any },
                    collection: true,
                }
            }
        }
    }

    /// The value as text, whatever it is: a text as it is, `null` as nothing, a date as ISO 8601, a file as its name,
    /// anything else as its JSON.
    pub fn to_text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Text(text) => text.clone(),
            Value::Date(at) => json::date_text(*at),
            Value::File(file) => file.name.clone(),
            Value::Boolean(_) | Value::Number(_) | Value::Object(_) | Value::List(_) => self.to_json(),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Boolean(truth)
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Value {
        Value::Date(at)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_knows_its_type() {
        let of = |text: &str| Value::from_json(text).unwrap().own_type();
        assert_eq!(of("null"), Type::ANY);
        assert_eq!(of("[1,2]"), Type::NUMBER.list());
        assert_eq!(of("[1,\"2\"]"), Type::ANY.list());
        assert_eq!(of("[]"), Type::ANY.list());
        assert_eq!(of("[[1],[2]]"), Type::ANY.list());
        assert_eq!(of("{}"), Type::OBJECT);
    }

    #[test]
    fn any_value_is_a_text() {
        let text = |text: &str| Value::from_json(text).unwrap().to_text();
        assert_eq!(text("null"), "");
        assert_eq!(text("1.50"), "1.50");
        assert_eq!(text("true"), "true");
        assert_eq!(text("\"a\\nb\""), "a\nb");
        assert_eq!(text("{ \"a\" : [1 , null] }"), "{\"a\":[1,null]}");
        assert_eq!(Value::Date(Timestamp::UNIX_EPOCH).to_text(), "1970-01-01T00:00:00Z");
    }
}
