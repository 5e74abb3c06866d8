//! JSON cards (catalogue §9).

use super::call::{Call, Function, bad, one};
use super::{CardError, Outputs};
use crate::flow::value::Value;

pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "parse" => parse,
        "stringify" => stringify,
        _ => return None,
    })
}

fn parse(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let text = call.text("string");
    if text.trim().is_empty() {
        return Ok(one("output", Value::Null));
    }
    let value = Value::from_json(&text).map_err(|why| bad("string", format!("input `string`: {why}")))?;
    Ok(one("output", value))
}

fn stringify(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", call.take("value").to_json()))
}
