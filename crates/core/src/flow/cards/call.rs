//! Between a card's declaration and its function: conversion, defaults, and bounds.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::spec::{CardSpec, InputSpec, Runs};
use super::{AuthorOutput, CardError, Context, ErrorCode, Inputs, Object, Outputs};
use crate::flow::value::{Number, Type, Value, convert};
use crate::limits::{FLOW_LIST_ITEMS_MAX, FLOW_TEXT_BYTES_MAX, FLOW_VALUE_BYTES_MAX, JSON_DEPTH_MAX};

/// One evaluation of a card: its inputs in their declared types.
pub(super) struct Call<'c> {
    pub(super) context: &'c Context,
    inputs: &'c Inputs,
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
    let mut call = Call { context, inputs, spec, values: Object::new() };
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
    let (section, name) = id.split_once('.')?;
    match section {
        "boolean" | "control" => super::logic::function(id),
        "date" => super::date::function(name),
        "encryption" | "url" => super::encoding::function(id),
        "json" => super::json::function(name),
        "list" => super::list::function(name),
        "math" => super::number::function(name),
        "object" => super::object::function(name),
        "string" => super::text::function(name),
        _ => None,
    }
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
            match self.given(name) {
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

    /// The given input that a name means. A label gives way to the author's own input when the key is there too.
    fn given(&self, name: &str) -> Option<&'static InputSpec> {
        let input = self.spec.input(name)?;
        let by_label = input.key != name && !input.repeated;
        let own = by_label && self.spec.author_inputs && self.inputs.get(input.key).is_some();
        (!own).then_some(input)
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

    /// The value of an input, once.
    pub(super) fn take(&mut self, key: &str) -> Value {
        self.values.get_mut(key).map(std::mem::take).unwrap_or_default()
    }

    /// A text; nothing is an empty one.
    pub(super) fn text(&mut self, key: &str) -> String {
        match self.take(key) {
            Value::Text(text) => text,
            other => other.to_text(),
        }
    }

    /// A text input that may be left out.
    pub(super) fn text_if_any(&mut self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    pub(super) fn truth(&mut self, key: &str) -> bool {
        self.take(key) == Value::Boolean(true)
    }

    pub(super) fn number(&mut self, key: &str) -> Result<Number, CardError> {
        self.number_if_any(key).ok_or_else(|| missing(key))
    }

    pub(super) fn number_if_any(&mut self, key: &str) -> Option<Number> {
        match self.take(key) {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A whole number inside these bounds.
    pub(super) fn whole(&mut self, key: &str, low: i64, high: i64) -> Result<i64, CardError> {
        let number = self.number(key)?;
        whole_of(key, &number, low, high)
    }

    pub(super) fn whole_if_any(&mut self, key: &str, low: i64, high: i64) -> Result<Option<i64>, CardError> {
        self.number_if_any(key).map(|number| whole_of(key, &number, low, high)).transpose()
    }

    pub(super) fn date(&mut self, key: &str) -> Result<Timestamp, CardError> {
        match self.take(key) {
            Value::Date(at) => Ok(at),
            _ => Err(missing(key)),
        }
    }

    /// An object; nothing is an empty one.
    pub(super) fn object(&mut self, key: &str) -> Arc<Object> {
        match self.take(key) {
            Value::Object(members) => members,
            _ => Arc::default(),
        }
    }

    /// A list; nothing is an empty one.
    pub(super) fn list(&mut self, key: &str) -> Arc<Vec<Value>> {
        match self.take(key) {
            Value::List(items) => items,
            _ => Arc::default(),
        }
    }

    /// The values of a repeated input in the order of their numbers, with their names.
    pub(super) fn repeated(&mut self, key: &str) -> Result<Vec<(String, Value)>, CardError> {
        let Some(input) = self.spec.inputs.iter().find(|input| input.key == key) else {
            return Ok(Vec::new());
        };
        let mut numbered: Vec<(u32, String, Value)> = Vec::new();
        for (name, value) in &mut self.values {
            if let Some(number) = input.number_of(name) {
                if value.is_null() && input.required && !input.nullable {
                    return Err(missing(name));
                }
                numbered.push((number, name.clone(), std::mem::take(value)));
            }
        }
        if numbered.is_empty() && input.required {
            return Err(missing(&format!("{key} 1")));
        }
        numbered.sort_by_key(|(number, _, _)| *number);
        Ok(numbered.into_iter().map(|(_, name, value)| (name, value)).collect())
    }

    /// The lists of a repeated input; together at most as many items as a card may handle.
    pub(super) fn lists(&mut self, key: &str) -> Result<Vec<Arc<Vec<Value>>>, CardError> {
        let mut lists = Vec::new();
        for (name, value) in self.repeated(key)? {
            if let Value::List(items) = value {
                lists.push((name, items));
            }
        }
        check_items(key, lists.iter().map(|(_, items)| items.len()).sum())?;
        Ok(lists.into_iter().map(|(_, items)| items).collect())
    }

    /// The author's own inputs in their order.
    pub(super) fn author(&self) -> impl Iterator<Item = (&str, &Value)> {
        let own = self.inputs.values().iter().filter(|(name, _)| self.given(name).is_none());
        own.map(|(name, value)| (name.as_str(), value))
    }

    /// All inputs as they came, in their order.
    pub(super) fn as_given(&self) -> &Object {
        self.inputs.values()
    }

    /// The outputs that the author declared.
    pub(super) fn declared(&self) -> &[AuthorOutput] {
        &self.inputs.outputs
    }

    fn unknown(&self, name: &str) -> CardError {
        let known: Vec<&str> = self.spec.inputs.iter().map(|input| input.key).collect();
        let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
        let message = format!("card `{}` has no input `{name}`; it has {known}", self.spec.id);
        CardError::of_input(ErrorCode::UnknownInput, name, message)
    }
}

/// A whole number inside bounds.
pub(super) fn whole_of(input: &str, number: &Number, low: i64, high: i64) -> Result<i64, CardError> {
    number.as_i64().filter(|whole| (low..=high).contains(whole)).ok_or_else(|| {
        bad(input, format!("input `{input}` is {number}; give a whole number from {low} to {high}"))
    })
}

/// One output.
pub(super) fn one(key: &str, value: impl Into<Value>) -> Outputs {
    std::iter::once((key.to_owned(), value.into())).collect()
}

/// A failure of a value that has the right type.
pub(super) fn bad(input: &str, message: impl Into<String>) -> CardError {
    CardError::of_input(ErrorCode::BadValue, input, message)
}

/// Refuses to make a list that is too long.
pub(super) fn check_items(input: &str, count: usize) -> Result<(), CardError> {
    if count <= FLOW_LIST_ITEMS_MAX {
        return Ok(());
    }
    let message = format!("input `{input}` makes a list of {count} items; at most {FLOW_LIST_ITEMS_MAX}");
    Err(CardError::of_input(ErrorCode::TooLarge, input, message))
}

/// Refuses to make a text that is too long.
pub(super) fn check_text(input: &str, bytes: usize) -> Result<(), CardError> {
    if bytes <= FLOW_TEXT_BYTES_MAX {
        return Ok(());
    }
    let message = format!("input `{input}` makes a text of {bytes} bytes; at most {FLOW_TEXT_BYTES_MAX}");
    Err(CardError::of_input(ErrorCode::TooLarge, input, message))
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
