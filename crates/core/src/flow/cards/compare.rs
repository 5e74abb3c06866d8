//! The comparisons that If, Assign If, Continue If, Filter, Find and their like share.
//!
//! A comparison follows a type: the declared one of its left operand, or what the left value is when nothing narrower
//! is declared. The right operand is converted to it. Numbers compare by value, exactly; texts by their characters'
//! code points, so that `80 > 9` holds for numbers and not for texts; dates as instants.
//!
//! - `==` `!=`: nothing equals only nothing; objects are equal whatever the order of their members.
//! - `>` `<` `>=` `<=`: texts, numbers and dates; false where either is nothing.
//! - `%`: numbers, and texts that write one; of zero only zero is a multiple.
//! - `in` `not in`: as text inside b as text; where b is a list, an item of it.
//! - `has` `doesn't have`: objects, and texts that are JSON objects; nothing has no key.
//! - `is empty` `is not empty`: nothing, an empty text, list or object, a file without bytes.
//!
//! A comparison that means nothing for the type of a is an error.

use std::cmp::Ordering;

use super::{CardError, ErrorCode};
use crate::flow::value::{Kind, Type, Value, convert};

/// A comparison of the catalogue's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `>`.
    Greater,
    /// `<`.
    Less,
    /// `>=`.
    AtLeast,
    /// `<=`.
    AtMost,
    /// `%`: a is an exact multiple of b.
    MultipleOf,
    /// `in`: a is inside b.
    In,
    /// `not in`.
    NotIn,
    /// `has`: object a has the key b.
    Has,
    /// `doesn't have`.
    HasNot,
    /// `is empty`; takes no b.
    Empty,
    /// `is not empty`; takes no b.
    NotEmpty,
}

impl Operator {
    /// Every comparison, in the order in which exports list them.
    pub const ALL: [Operator; 13] = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::AtLeast,
        Operator::AtMost,
        Operator::Greater,
        Operator::Less,
        Operator::MultipleOf,
        Operator::In,
        Operator::NotIn,
        Operator::Has,
        Operator::HasNot,
        Operator::Empty,
        Operator::NotEmpty,
    ];

    /// The code in exported flows.
    pub fn code(self) -> &'static str {
        match self {
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Greater => ">",
            Operator::Less => "<",
            Operator::AtLeast => ">=",
            Operator::AtMost => "<=",
            Operator::MultipleOf => "%",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::Has => "has",
            Operator::HasNot => "doesn't have",
            Operator::Empty => "is empty",
            Operator::NotEmpty => "is not empty",
        }
    }

    /// The words that people see.
    pub fn label(self) -> &'static str {
        match self {
            Operator::Equal => "equal to",
            Operator::NotEqual => "not equal to",
            Operator::Greater => "greater than",
            Operator::Less => "less than",
            Operator::AtLeast => "greater than or equal to",
            Operator::AtMost => "less than or equal to",
            Operator::MultipleOf => "a multiple of",
            Operator::In | Operator::NotIn | Operator::Empty | Operator::NotEmpty => self.code(),
            Operator::Has => "has key",
            Operator::HasNot => "does not have key",
        }
    }

    /// Reads a code or the words that people see, in any letter case.
    pub fn parse(text: &str) -> Option<Operator> {
        let text = text.trim();
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let known = |operator: &Operator| is(operator.code()) || is(operator.label());
        let more = [
            ("=", Operator::Equal),
            ("not equal", Operator::NotEqual),
            ("greater than or equal", Operator::AtLeast),
            ("less than or equal", Operator::AtMost),
            ("multiple of", Operator::MultipleOf),
            ("doesn't have key", Operator::HasNot),
        ];
        let by_word = || more.iter().find(|(word, _)| is(word)).map(|(_, operator)| *operator);
        Operator::ALL.iter().copied().find(known).or_else(by_word)
    }

    /// Whether it looks at a alone.
    pub fn is_unary(self) -> bool {
        matches!(self, Operator::Empty | Operator::NotEmpty)
    }
}

/// Whether a comparison holds. `declared` is the type of the left operand; [`Type::ANY`] follows the left value.
///
/// Fails when the comparison means nothing for the type, and when the left value has no form of the declared type. A
/// right value that cannot be converted is unequal, and an error where an order is asked for.
pub fn compare(left: &Value, operator: Operator, right: &Value, declared: Type) -> Result<bool, CardError> {
    let declared =
        if declared.kind == Kind::Any && !declared.collection { left.own_type() } else { declared };
    let left = convert(left.clone(), declared).map_err(|why| operand("value a", &why))?;
    match operator {
        Operator::Equal => Ok(equal(&left, right, declared)),
        Operator::NotEqual => Ok(!equal(&left, right, declared)),
        Operator::Greater => ordered(&left, operator, right, &[Ordering::Greater]),
        Operator::Less => ordered(&left, operator, right, &[Ordering::Less]),
        Operator::AtLeast => ordered(&left, operator, right, &[Ordering::Greater, Ordering::Equal]),
        Operator::AtMost => ordered(&left, operator, right, &[Ordering::Less, Ordering::Equal]),
        Operator::MultipleOf => is_multiple(&left, right),
        Operator::In => Ok(is_inside(&left, right)),
        Operator::NotIn => Ok(!is_inside(&left, right)),
        Operator::Has => has_key(left, right),
        Operator::HasNot => has_key(left, right).map(|has| !has),
        Operator::Empty => Ok(is_empty(&left)),
        Operator::NotEmpty => Ok(!is_empty(&left)),
    }
}

/// Whether a value is empty: nothing, an empty text, list or object, a file without bytes.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::File(file) => file.bytes.is_empty(),
        Value::Boolean(_) | Value::Number(_) | Value::Date(_) => false,
    }
}

/// The order of two values of one type; `None` when they have none. Nothing comes last. Sort uses it too.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Null, _) => Some(Ordering::Greater),
        (_, Value::Null) => Some(Ordering::Less),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value, of: Type) -> bool {
    if left.is_null() || right.is_null() {
        return left.is_null() && right.is_null();
    }
    // A mixed list has no item type to convert to; its items are compared as they are.
    convert(right.clone(), of).is_ok_and(|right| *left == right)
}

fn ordered(left: &Value, operator: Operator, right: &Value, wanted: &[Ordering]) -> Result<bool, CardError> {
    if left.is_null() || right.is_null() {
        return Ok(false);
    }
    let kind = match left {
        Value::Number(_) => Kind::Number,
        Value::Text(_) => Kind::Text,
        Value::Date(_) => Kind::Date,
        Value::Null | Value::Boolean(_) | Value::Object(_) | Value::List(_) | Value::File(_) => {
            return Err(no_meaning(left, operator, "numbers, texts and dates"));
        }
    };
    let right = convert(right.clone(), Type::of(kind)).map_err(|why| operand("value b", &why))?;
    Ok(order(left, &right).is_some_and(|order| wanted.contains(&order)))
}

fn is_multiple(left: &Value, right: &Value) -> Result<bool, CardError> {
    if left.is_null() || right.is_null() {
        return Ok(false);
    }
    if !matches!(left, Value::Number(_) | Value::Text(_)) {
        return Err(no_meaning(left, Operator::MultipleOf, "numbers"));
    }
    let number = |value: &Value, name| match convert(value.clone(), Type::NUMBER) {
        Ok(Value::Number(number)) => Ok(Some(number)),
        Ok(_) => Ok(None),
        Err(why) => Err(operand(name, &why)),
    };
    let (Some(left), Some(right)) = (number(left, "value a")?, number(right, "value b")?) else {
        return Ok(false);
    };
    if let (Some(left), Some(right)) = (left.decimal(), right.decimal()) {
        // Of zero only zero is a multiple.
        return Ok(match right.digits {
            0 => left.digits == 0,
            _ => left.remainder(right).is_some_and(|rest| rest.digits == 0),
        });
    }
    Ok(left.as_f64() % right.as_f64() == 0.0)
}

fn is_inside(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => false,
        // Every number is true or false when it must be; an item of a list is not asked to be.
        (Value::Boolean(_), Value::List(items)) => items.contains(left),
        (left, Value::List(items)) => items.iter().any(|item| equal(left, item, left.own_type())),
        (Value::Object(_) | Value::List(_), _) => false,
        (left, right) => right.to_text().contains(&left.to_text()),
    }
}

fn has_key(left: Value, right: &Value) -> Result<bool, CardError> {
    let object = match left {
        Value::Null => return Ok(false),
        Value::Text(_) | Value::Object(_) | Value::File(_) => {
            convert(left, Type::OBJECT).map_err(|why| operand("value a", &why))?
        }
        other => return Err(no_meaning(&other, Operator::Has, "objects")),
    };
    let Value::Object(members) = object else { return Ok(false) };
    Ok(members.contains_key(&right.to_text()))
}

fn operand(name: &'static str, why: &dyn std::fmt::Display) -> CardError {
    CardError::of_input(ErrorCode::WrongType, name, format!("{name}: {why}"))
}

fn no_meaning(left: &Value, operator: Operator, meant: &str) -> CardError {
    let message = format!(
        "value a is {}, and `{}` compares {meant}; choose another comparison",
        left.noun(),
        operator.code()
    );
    CardError::of_input(ErrorCode::WrongType, "value a", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_read_by_code_and_by_label() {
        for operator in Operator::ALL {
            assert_eq!(Operator::parse(operator.code()), Some(operator));
            assert_eq!(Operator::parse(&operator.label().to_uppercase()), Some(operator));
        }
        assert_eq!(Operator::parse("doesn't have key"), Some(Operator::HasNot));
        assert_eq!(Operator::parse("not equal"), Some(Operator::NotEqual));
        assert_eq!(Operator::parse("like"), None);
    }

    #[test]
    fn the_declared_type_decides() {
        let (left, right) = (Value::text("80"), Value::text("9"));
        assert_eq!(compare(&left, Operator::Greater, &right, Type::NUMBER), Ok(true));
        assert_eq!(compare(&left, Operator::Greater, &right, Type::TEXT), Ok(false));
        assert_eq!(compare(&left, Operator::Greater, &right, Type::ANY), Ok(false));
    }
}
