//! Return Outputs: from a list of `{group: {field: value}}` to records.

use crate::event::EventType;
use crate::flow::program::{Flow, Identity, TypeOfEvent};
use crate::flow::value::{Object, Type, Value, convert};
use crate::limits::RECORD_BYTES_MAX;

use super::RecordOut;
use super::cards::at_path;

/// Checks every item against the declared groups and fields, and converts fields to their types. The sentence names
/// the item, from 0.
pub(super) fn records(flow: &Flow, list: &Value) -> Result<Vec<RecordOut>, String> {
    let items = match list {
        Value::Null => return Ok(Vec::new()),
        Value::List(items) => items,
        other => return Err(format!("{} is given, a list of objects is wanted", other.noun())),
    };
    let read =
        |(at, item): (usize, &Value)| record(flow, item).map_err(|problem| format!("item {at}: {problem}"));
    items.iter().enumerate().map(read).collect()
}

fn record(flow: &Flow, item: &Value) -> Result<RecordOut, String> {
    let shape = || {
        let groups: Vec<&str> = flow.outputs.iter().map(|group| group.name.as_str()).collect();
        format!("write an object of the groups {}", groups.join(", "))
    };
    let Value::Object(groups) = item else {
        return Err(format!("it is {}; {}", item.noun(), shape()));
    };
    for name in groups.keys() {
        if !flow.outputs.iter().any(|group| group.name == *name) {
            return Err(format!("the group `{name}` is not declared; {}", shape()));
        }
    }
    let mut whole = Object::with_capacity(flow.outputs.len());
    for group in &flow.outputs {
        let fields = match groups.get(&group.name) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(fields)) => fields,
            Some(other) => {
                return Err(format!(
                    "group `{}` is {}, an object of its fields is wanted",
                    group.name,
                    other.noun()
                ));
            }
        };
        whole.insert(group.name.clone(), Value::object(group_fields(&group.name, &group.fields, fields)?));
    }
    let whole = Value::object(whole);
    let body = whole.to_json();
    if body.len() > RECORD_BYTES_MAX {
        let problem = format!("it has {} bytes as JSON", body.len());
        return Err(format!("{problem}, and an event holds at most {RECORD_BYTES_MAX}; leave fields out"));
    }
    let mut record = RecordOut { body, id: None, updated: None, event_type: None };
    if let Some(identity) = &flow.record {
        identify(identity, &whole, &mut record)?;
    }
    Ok(record)
}

fn group_fields(group: &str, declared: &[(String, Type)], given: &Object) -> Result<Object, String> {
    for name in given.keys() {
        if !declared.iter().any(|(known, _)| known == name) {
            let known: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
            let problem = format!("the field `{name}` of group `{group}` is not declared");
            return Err(format!("{problem}; declared are {}", known.join(", ")));
        }
    }
    let mut fields = Object::with_capacity(declared.len());
    for (name, of) in declared {
        let value = given.get(name).cloned().unwrap_or_default();
        let value = convert(value, *of).map_err(|why| format!("field `{name}` of group `{group}`: {why}"))?;
        fields.insert(name.clone(), value);
    }
    Ok(fields)
}

fn identify(identity: &Identity, whole: &Value, record: &mut RecordOut) -> Result<(), String> {
    if let Some(path) = &identity.id {
        record.id = match at_path(whole, path) {
            Value::Null => None,
            id @ (Value::Object(_) | Value::List(_) | Value::File(_)) => {
                return Err(format!(
                    "the id at `{}` is {}; name a field that is a text",
                    path.join("."),
                    id.noun()
                ));
            }
            id => Some(id.to_text()).filter(|id| !id.is_empty()),
        };
    }
    if let Some(path) = &identity.updated {
        let value = at_path(whole, path);
        let text = value.to_text();
        match convert(value, Type::DATE) {
            Ok(Value::Date(at)) => record.updated = Some((text, at)),
            Ok(_) => {}
            Err(why) => return Err(format!("the date at `{}`: {why}", path.join("."))),
        }
    }
    record.event_type = match &identity.event_type {
        TypeOfEvent::ByLedger => None,
        TypeOfEvent::Always(event_type) => Some(*event_type),
        TypeOfEvent::At(path) => event_type(&at_path(whole, path).to_text(), path)?,
    };
    Ok(())
}

/// A word for what happened, as providers write them.
fn event_type(word: &str, path: &[String]) -> Result<Option<EventType>, String> {
    let read = match word.trim().to_ascii_lowercase().as_str() {
        "" => None,
        "created" | "create" | "added" | "new" | "insert" | "inserted" => Some(EventType::Created),
        "updated" | "update" | "changed" | "modified" => Some(EventType::Updated),
        "deleted" | "delete" | "removed" => Some(EventType::Deleted),
        "unknown" => Some(EventType::Unknown),
        _ => {
            return Err(format!(
                "`{word}` at `{}` is not a kind of event; write CREATED, UPDATED or DELETED",
                path.join(".")
            ));
        }
    };
    Ok(read)
}
