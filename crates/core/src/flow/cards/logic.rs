//! Conditions and names: Compare, And, Or, Not, Assign, Assign If, Lookup, Comment (catalogue §3, §4, §9).

use super::call::{Call, Function, bad, one};
use super::compare::{Operator, compare};
use super::{CardError, Outputs};
use crate::flow::value::{Type, Value};

pub(super) fn function(id: &str) -> Option<Function> {
    Some(match id {
        "boolean.compare" => compare_two,
        "boolean.and" => and,
        "boolean.or" => or,
        "boolean.xor" => xor,
        "boolean.not" => not,
        "control.let" => assign,
        "control.assignIf" => assign_if,
        "control.lookup" => lookup,
        "control.comment" => comment,
        _ => return None,
    })
}

/// A comparison by its code or words.
pub(super) fn operator(input: &str, text: &str) -> Result<Operator, CardError> {
    Operator::parse(text).ok_or_else(|| {
        let codes: Vec<&str> = Operator::ALL.iter().map(|operator| operator.code()).collect();
        bad(input, format!("input `{input}` is `{text}`; it must be one of `{}`", codes.join("`, `")))
    })
}

fn condition(call: &mut Call<'_>) -> Result<bool, CardError> {
    let operator = operator("operator", &call.text("operator"))?;
    let (left, right) = (call.take("left-operand"), call.take("right-operand"));
    compare(&left, operator, &right, Type::ANY)
}

fn compare_two(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", condition(call)?))
}

fn truths(call: &mut Call<'_>) -> Result<Vec<bool>, CardError> {
    let values = call.repeated("value")?;
    Ok(values.into_iter().map(|(_, value)| value == Value::Boolean(true)).collect())
}

fn and(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", truths(call)?.into_iter().all(|truth| truth)))
}

fn or(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", truths(call)?.into_iter().any(|truth| truth)))
}

fn xor(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", truths(call)?.into_iter().filter(|truth| *truth).count() == 1))
}

fn not(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", !call.truth("value")))
}

fn assign(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(call.as_given().clone())
}

fn assign_if(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let key = if condition(call)? { "value if true" } else { "value if false" };
    Ok(one("output", call.take(key)))
}

fn lookup(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let key = call.text("key");
    let own = call.author().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
    let grouped = || match call.author().find(|(name, _)| *name == "options") {
        Some((_, Value::Object(options))) => options.get(&key).cloned(),
        _ => None,
    };
    let found = own.or_else(grouped);
    Ok(one("result", found.unwrap_or_else(|| call.take("else"))))
}

fn comment(_: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(Outputs::new())
}
