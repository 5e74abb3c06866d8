//! The condition of a branching card: value a, comparison, value b (catalogue §4).

use crate::flow::cards::compare::{Operator, compare};
use crate::flow::cards::{CardError, ErrorCode};
use crate::flow::value::{Object, Type, Value};

/// Whether the condition in a card's inputs holds. `declared` is the type of value a, where the flow declares one.
pub(super) fn holds(given: &Object, declared: Type) -> Result<bool, CardError> {
    let value = |key: &str| given.get(key).cloned().unwrap_or_default();
    let word = value("operator").to_text();
    let word = if word.is_empty() { "==".to_string() } else { word };
    let Some(operator) = Operator::parse(&word) else {
        let message = format!("`{word}` is not a comparison; write one such as `==`, `>` or `is empty`");
        return Err(CardError::of_input(ErrorCode::BadValue, "comparison", message));
    };
    let left = value("left-operand");
    // An empty value of a declared type is compared as nothing.
    let declared = if matches!(left, Value::Null) { Type::ANY } else { declared };
    compare(&left, operator, &value("right-operand"), declared)
}
