//! Object cards (catalogue §6).

use std::sync::Arc;

use super::call::{Call, Function, bad, one};
use super::compare::is_empty;
use super::path::Path;
use super::{CardError, Object, Outputs};
use crate::flow::value::Value;

pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "construct" => construct,
        "get" => get,
        "pick" => pick,
        "merge" => merge,
        "set" => set,
        "unset" => unset,
        "move" => move_value,
        "keys" => keys,
        "values" => values,
        "size" => size,
        "filter" => filter,
        "clearEmpty" => clear_empty,
        "zip" => zip,
        "unzip" => unzip,
        "collapse" => collapse,
        "split" => split,
        "expand" => expand,
        _ => return None,
    })
}

fn construct(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("output", Value::object(call.as_given().clone())))
}

fn get(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let object = call.take("object");
    let path = match call.take("path") {
        Value::List(keys) => Path::of_keys("path", &keys)?,
        path => Path::parse("path", &path.to_text())?,
    };
    Ok(one("output", path.get(&object)))
}

fn pick(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let object = call.take("object");
    let mut outputs = Outputs::new();
    for output in call.declared() {
        let path = Path::parse(&output.key, &output.key)?;
        outputs.insert(output.key.clone(), path.get(&object));
    }
    Ok(outputs)
}

fn expand(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let members = call.object("object");
    let member = |key: &String| members.get(key).cloned().unwrap_or_default();
    if call.declared().is_empty() {
        return Ok(members.as_ref().clone());
    }
    Ok(call.declared().iter().map(|output| (output.key.clone(), member(&output.key))).collect())
}

fn merge(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut merged = call.object("start");
    let mut others = vec![call.object("sink")];
    others.extend(call.repeated("object")?.into_iter().filter_map(|(_, value)| match value {
        Value::Object(members) => Some(members),
        _ => None,
    }));
    for other in others {
        add_all(&mut merged, &other);
    }
    Ok(one("output", Value::Object(merged)))
}

/// Members of one name are exchanged in their place.
pub(super) fn add_all(into: &mut Arc<Object>, more: &Object) {
    if more.is_empty() {
        return;
    }
    let into = Arc::make_mut(into);
    for (key, value) in more {
        into.insert(key.clone(), value.clone());
    }
}

fn set(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let path = Path::parse("path", &call.text("path"))?;
    let object = Value::Object(call.object("object"));
    let value = call.take("value");
    let changed = path.set(object, value).map_err(|why| bad("path", format!("input `path`: {why}")))?;
    Ok(one("output", changed))
}

fn unset(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let path = Path::parse("path", &call.text("path"))?;
    Ok(one("output", path.unset(call.take("object"))))
}

fn move_value(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let from = Path::parse("from", &call.text("from"))?;
    let to = Path::parse("to", &call.text("to"))?;
    let object = call.take("object");
    let Some(value) = from.find(&object).cloned() else { return Ok(one("output", object)) };
    let without = from.unset(object);
    let moved = to.set(without, value).map_err(|why| bad("to", format!("input `to`: {why}")))?;
    Ok(one("output", moved))
}

fn key_list(members: &Object) -> Value {
    Value::list(members.keys().map(|key| Value::text(key.clone())).collect())
}

fn value_list(members: &Object) -> Value {
    Value::list(members.values().cloned().collect())
}

fn keys(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("keys", key_list(&call.object("object"))))
}

fn values(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("values", value_list(&call.object("object"))))
}

fn unzip(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let members = call.object("object");
    let mut outputs = one("keys", key_list(&members));
    outputs.insert("values".to_owned(), value_list(&members));
    Ok(outputs)
}

fn size(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    Ok(one("size", count(call.object("object").len())))
}

/// A count as a number; what fits in memory fits 63 bits.
pub(super) fn count(count: usize) -> Value {
    Value::whole(i64::try_from(count).unwrap_or(i64::MAX))
}

fn filter(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut members = call.object("object");
    Arc::make_mut(&mut members).retain(|_, value| !is_empty(value));
    Ok(one("output", Value::Object(members)))
}

fn clear_empty(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    if !call.truth("recursive") {
        return filter(call);
    }
    Ok(one("output", cleared(call.take("object"))))
}

/// Values are of bounded depth: they were read or bounded before they came here.
fn cleared(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = Arc::unwrap_or_clone(members);
            let kept = members.into_iter().map(|(key, value)| (key, cleared(value)));
            Value::object(kept.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::List(items) => Value::list(Arc::unwrap_or_clone(items).into_iter().map(cleared).collect()),
        other => other,
    }
}

fn zip(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let (keys, values) = (call.list("keys"), call.list("values"));
    if keys.len() != values.len() {
        let message = format!(
            "input `values` has {} items and `keys` has {}; give as many values as keys",
            values.len(),
            keys.len()
        );
        return Err(bad("values", message));
    }
    let members = keys.iter().zip(values.iter()).map(|(key, value)| (key.to_text(), value.clone()));
    Ok(one("output", Value::object(members.collect())))
}

fn collapse(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let mut members = Object::new();
    for list in call.lists("list")? {
        for (at, item) in list.iter().enumerate() {
            let Value::Object(pair) = item else { continue };
            let key = pair.get("key").filter(|key| !key.is_null()).ok_or_else(|| {
                bad("list", format!("item {at} of `list` has no `key`; items must be like `{{key, value}}`"))
            })?;
            members.insert(key.to_text(), pair.get("value").cloned().unwrap_or_default());
        }
    }
    Ok(one("output", Value::object(members)))
}

fn split(call: &mut Call<'_>) -> Result<Outputs, CardError> {
    let pair = |(key, value): (&String, &Value)| {
        let members = [("key".to_owned(), Value::text(key.clone())), ("value".to_owned(), value.clone())];
        Value::object(members.into_iter().collect())
    };
    Ok(one("list", Value::list(call.object("object").iter().map(pair).collect())))
}
