//! Between a card's declaration and its function: conversion, defaults, and bounds.

use std::borrow::Cow;

use super::spec::{CardSpec, InputSpec, Runs};
use super::{CardError, Context, ErrorCode, Inputs, Object, Outputs};
use crate::flow::value::{Kind, Number, Type, Value, convert};
use crate::limits::{FLOW_VALUE_BYTES_MAX, JSON_DEPTH_MAX};

/// One evaluation of a card: its inputs in their declared types.
pub(super) struct Call<'c> {
    pub(super) inputs: &'c Inputs,
    pub(super) context: &'c Context,
    spec: &'static CardSpec,
    values: Object,
}

/// The function of a pure card.
pub(super) type Function = fn(&mut Call<'_>) -> Result<Outputs, CardError>;

pub(super) fn carry_out(
    spec: &'static CardSpec,
    inputs: &Inputs,
    context: &Context,
) -> Result<Outputs, CardError> {
    let function = function(spec.id).filter(|_| spec.runs == Runs::Pure).ok_or_else(|| CardError {
        code: ErrorCode::UnknownCard,
        message: format!("card `{}` is carried out by the run", spec.id),
        input: None,
    })?;
    let mut call = Call { inputs, context, spec, values: Object::new() };
    call.prepare()?;
    let mut outputs = function(&mut call)?;
    for output in &inputs.outputs {
        if let Some(value) = outputs.get_mut(&output.key) {
            let converted = convert(std::mem::take(value), output.of).map_err(|why| CardError {
                code: ErrorCode::WrongType,
                message: format!("output `{}` should be {}: {why}", output.key, output.of),
                input: None,
            })?;
            *value = converted;
        }
    }
    bound(&outputs)?;
    Ok(outputs)
}

fn function(id: &str) -> Option<Function> {
    let _ = id;
    None
}

/// Refuses outputs that are too large or too deep for the rest of the run.
fn bound(outputs: &Outputs) -> Result<(), CardError> {
    for (key, value) in outputs {
        let measure = value.measure();
        let too = if measure.bytes > FLOW_VALUE_BYTES_MAX {
            format!("{} bytes as JSON; at most {FLOW_VALUE_BYTES_MAX} may travel along a wire", measure.bytes)
        } else if measure.depth > JSON_DEPTH_MAX {
            format!("nested {} deep; at most {JSON_DEPTH_MAX}", measure.depth)
        } else {
            continue;
        };
        let message = format!("output `{key}` is {too}");
        return Err(CardError { code: ErrorCode::TooLarge, message, input: None });
    }
    Ok(())
}

impl Call<'_> {
    /// Converts every given input; refuses those that the card does not have.
    fn prepare(&mut self) -> Result<(), CardError> {
        for (name, value) in self.inputs.values() {
            match self.spec.input(name) {
                Some(input) => {
                    let key =
                        if input.repeated { Cow::Borrowed(name.as_str()) } else { Cow::Borrowed(input.key) };
                    let converted = convert(value.clone(), input.of).map_err(|why| wrong_type(name, &why))?;
                    self.values.insert(key.into_owned(), converted);
                }
                None if self.spec.author_inputs => {}
                None => return Err(self.unknown(name)),
            }
        }
        self.spec.inputs.iter().filter(|input| !input.repeated).try_for_each(|input| self.fill(input))
    }

    fn fill(&mut self, input: &InputSpec) -> Result<(), CardError> {
        if self.values.get(input.key).is_some_and(|value| !value.is_null()) {
            return Ok(());
        }
        let value = match input.default {
            Some(json) => Value::from_json(json).unwrap_or_default(),
            None if input.of == Type::TEXT && input.required => Value::text(""),
            None if input.required && !input.nullable => return Err(missing(input.key)),
            None => Value::Null,
        };
        self.values.insert(input.key.to_owned(), value);
        Ok(())
    }

    fn unknown(&self, name: &str) -> CardError {
        let known: Vec<&str> = self.spec.inputs.iter().map(|input| input.key).collect();
        let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
        let message = format!("card `{}` has no input `{name}`; it has {known}", self.spec.id);
        CardError::of_input(ErrorCode::UnknownInput, name, message)
    }
}

fn missing(input: &str) -> CardError {
    CardError::of_input(
        ErrorCode::MissingInput,
        input,
        format!("input `{input}` has no value; wire one to it"),
    )
}

fn wrong_type(input: &str, why: &dyn std::fmt::Display) -> CardError {
    CardError::of_input(ErrorCode::WrongType, input, format!("input `{input}`: {why}"))
}
