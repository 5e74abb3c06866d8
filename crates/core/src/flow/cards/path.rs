//! Places inside values: dotted paths, as Get, Set, Pluck and the list cards take them.
//!
//! `a.2.b` and `a[2].b` are the same place; a position counts from 0. A member that is literally called like the whole
//! path wins over what the path would lead to. Nothing on the way gives nothing.

use std::sync::Arc;

use super::call::bad;
use super::{CardError, Object, Value};
use crate::json_path::{JsonPath, Segment};
use crate::limits::{FLOW_PATTERN_BYTES_MAX, JSON_DEPTH_MAX};

/// Positions that writing past the end of a list may fill with nothing.
const GAP_MAX: usize = 1_000;

/// A place inside a value.
#[derive(Debug)]
pub(super) struct Path {
    /// The text, which may be a key as it stands; `None` when keys were given one by one.
    whole: Option<String>,
    steps: Vec<Segment>,
}

impl Path {
    /// Reads a path; an error names the input.
    pub(super) fn parse(input: &str, text: &str) -> Result<Path, CardError> {
        if text.len() > FLOW_PATTERN_BYTES_MAX {
            let length = text.len();
            return Err(bad(
                input,
                format!("input `{input}` is a path of {length} bytes; at most {FLOW_PATTERN_BYTES_MAX}"),
            ));
        }
        let path = JsonPath::parse(text).map_err(|why| bad(input, format!("input `{input}`: {why}")))?;
        Path::of(input, Some(text.to_owned()), path.segments().to_vec())
    }

    /// As [`Path::parse`]; `None` for an empty text, which means the value itself.
    pub(super) fn parse_if_any(input: &str, text: &str) -> Result<Option<Path>, CardError> {
        if text.trim().is_empty() { Ok(None) } else { Path::parse(input, text).map(Some) }
    }

    /// A path of literal keys.
    pub(super) fn of_keys(input: &str, keys: &[Value]) -> Result<Path, CardError> {
        Path::of(input, None, keys.iter().map(|key| Segment::Key(key.to_text())).collect())
    }

    fn of(input: &str, whole: Option<String>, steps: Vec<Segment>) -> Result<Path, CardError> {
        match steps.len() {
            0 => Err(bad(input, format!("input `{input}` is an empty path; name a key"))),
            count if count > JSON_DEPTH_MAX => {
                Err(bad(input, format!("input `{input}` has {count} steps; at most {JSON_DEPTH_MAX}")))
            }
            _ => Ok(Path { whole, steps }),
        }
    }

    /// What stands there; nothing when nothing does.
    pub(super) fn get(&self, value: &Value) -> Value {
        self.find(value).cloned().unwrap_or_default()
    }

    /// What stands there.
    pub(super) fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        if let (Some(whole), Value::Object(members)) = (&self.whole, value)
            && let Some(found) = members.get(whole.as_str())
        {
            return Some(found);
        }
        self.steps.iter().try_fold(value, step)
    }

    /// The value with another one at this place; objects are made on the way.
    pub(super) fn set(&self, value: Value, new: Value) -> Result<Value, String> {
        if let (Some(whole), Value::Object(members)) = (&self.whole, &value)
            && members.contains_key(whole.as_str())
        {
            return put(value, &[Segment::Key(whole.clone())], new);
        }
        put(value, &self.steps, new)
    }

    /// The value without what stands there.
    pub(super) fn unset(&self, value: Value) -> Value {
        if let (Some(whole), Value::Object(members)) = (&self.whole, &value)
            && members.contains_key(whole.as_str())
        {
            return remove(value, &[Segment::Key(whole.clone())]);
        }
        if self.find(&value).is_none() { value } else { remove(value, &self.steps) }
    }
}

fn position(segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Index(index) => Some(*index),
        Segment::Key(key) => key.parse().ok(),
    }
}

fn key(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string(),
    }
}

fn step<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match (value, segment) {
        (Value::Object(members), Segment::Key(key)) => members.get(key.as_str()),
        (Value::Object(members), Segment::Index(index)) => members.get(&index.to_string()),
        (Value::List(items), segment) => items.get(position(segment)?),
        _ => None,
    }
}

/// Recursion ends with the path, whose length is bounded.
fn put(value: Value, steps: &[Segment], new: Value) -> Result<Value, String> {
    let Some((first, rest)) = steps.split_first() else { return Ok(new) };
    match value {
        Value::Object(members) => put_member(members, first, rest, new),
        Value::Null => match first {
            Segment::Key(_) => put_member(Arc::default(), first, rest, new),
            Segment::Index(_) => put_item(Arc::default(), first, rest, new),
        },
        Value::List(items) => put_item(items, first, rest, new),
        other => Err(format!("there is {} where `{}` would have to be inside", other.noun(), key(first))),
    }
}

fn put_member(
    mut members: Arc<Object>,
    first: &Segment,
    rest: &[Segment],
    new: Value,
) -> Result<Value, String> {
    let place = Arc::make_mut(&mut members).entry(key(first)).or_default();
    *place = put(std::mem::take(place), rest, new)?;
    Ok(Value::Object(members))
}

fn put_item(
    mut items: Arc<Vec<Value>>,
    first: &Segment,
    rest: &[Segment],
    new: Value,
) -> Result<Value, String> {
    let count = items.len();
    let at = position(first).filter(|at| *at <= count + GAP_MAX).ok_or_else(|| {
        format!("there is a list of {count} where `{}` would have to be inside", key(first))
    })?;
    let list = Arc::make_mut(&mut items);
    if list.len() <= at {
        list.resize(at + 1, Value::Null);
    }
    list[at] = put(std::mem::take(&mut list[at]), rest, new)?;
    Ok(Value::List(items))
}

/// What stands at the place is there: it was found.
fn remove(value: Value, steps: &[Segment]) -> Value {
    let Some((first, rest)) = steps.split_first() else { return value };
    match value {
        Value::Object(mut members) => {
            let object = Arc::make_mut(&mut members);
            if rest.is_empty() {
                object.shift_remove(&key(first));
            } else if let Some(place) = object.get_mut(&key(first)) {
                *place = remove(std::mem::take(place), rest);
            }
            Value::Object(members)
        }
        Value::List(mut items) => {
            let list = Arc::make_mut(&mut items);
            if let Some(at) = position(first).filter(|at| *at < list.len()) {
                if rest.is_empty() {
                    list.remove(at);
                } else {
                    list[at] = remove(std::mem::take(&mut list[at]), rest);
                }
            }
            Value::List(items)
        }
        other => other,
    }
}
