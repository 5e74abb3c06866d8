//! What changes between two documents, place by place, for people who must decide about it.
//!
//! Objects are compared member by member. Lists of things that have a name of their own (configuration entries,
//! parameters, resources) are compared by that name, so that one more resource is one line and not fifty. A text that
//! holds an object, as the field's poller configurations do, is compared as that object; `15` and `"15"` say the same.
//!
//! Not here: which values are secret. Whoever compares hides them before or after.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One place where two documents differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The place, as faults name it: `configuration."base.url"`.
    pub path: String,
    /// What was there; `None` when nothing was.
    pub from: Option<Value>,
    /// What shall be there; `None` when nothing.
    pub to: Option<Value>,
}

/// Where two documents differ, in the order of the new one; what is gone comes last at its level.
pub fn differences(from: &Value, to: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", from, to, &mut found);
    found
}

/// The path of a member of an object.
pub fn member_path(path: &str, name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    let name = if plain && !name.is_empty() { name.to_owned() } else { format!("{name:?}") };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn compare(path: &str, from: &Value, to: &Value, found: &mut Vec<Difference>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => compare_objects(path, from, to, found),
        (Value::Array(old), Value::Array(new)) => match (labels(old), labels(new)) {
            (Some(old_labels), Some(new_labels)) => {
                compare_lists(path, (old, &old_labels), (new, &new_labels), found);
            }
            _ if old != new => found.push(changed(path, from, to)),
            _ => {}
        },
        _ => match (object_of(from), object_of(to)) {
            (Some(from), Some(to)) => compare_objects(path, &from, &to, found),
            _ if !is_same_scalar(from, to) => found.push(changed(path, from, to)),
            _ => {}
        },
    }
}

fn changed(path: &str, from: &Value, to: &Value) -> Difference {
    Difference { path: path.to_owned(), from: Some(from.clone()), to: Some(to.clone()) }
}

fn compare_objects(
    path: &str,
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    found: &mut Vec<Difference>,
) {
    for (name, new) in to {
        let place = member_path(path, name);
        match from.get(name) {
            Some(old) => compare(&place, old, new, found),
            None => found.push(Difference { path: place, from: None, to: Some(new.clone()) }),
        }
    }
    for (name, old) in from.iter().filter(|(name, _)| !to.contains_key(*name)) {
        found.push(Difference { path: member_path(path, name), from: Some(old.clone()), to: None });
    }
}

/// Items with their labels.
type Labelled<'a> = (&'a [Value], &'a [String]);

fn compare_lists(path: &str, from: Labelled<'_>, to: Labelled<'_>, found: &mut Vec<Difference>) {
    let place = |label: &str| format!("{path}[{label}]");
    let old = |label: &String| from.1.iter().position(|known| known == label);
    for (label, new) in to.1.iter().zip(to.0) {
        match old(label) {
            Some(at) => compare(&place(label), &from.0[at], new, found),
            None => found.push(Difference { path: place(label), from: None, to: Some(new.clone()) }),
        }
    }
    let gone = from.1.iter().zip(from.0).filter(|(label, _)| !to.1.contains(label));
    found.extend(gone.map(|(label, old)| Difference {
        path: place(label),
        from: Some(old.clone()),
        to: None,
    }));
    let stay = |ours: &[String], others: &[String]| -> Vec<String> {
        ours.iter().filter(|label| others.contains(label)).cloned().collect()
    };
    let (before, after) = (stay(from.1, to.1), stay(to.1, from.1));
    if before != after {
        let (from, to) = (Some(Value::from(before)), Some(Value::from(after)));
        found.push(Difference { path: format!("{path} (their order)"), from, to });
    }
}

/// What the items of a list are called, where each is called something else.
fn labels(list: &[Value]) -> Option<Vec<String>> {
    let labels: Option<Vec<String>> = list.iter().map(label).collect();
    let labels = labels?;
    let distinct: BTreeSet<&String> = labels.iter().collect();
    (distinct.len() == labels.len()).then_some(labels)
}

fn label(item: &Value) -> Option<String> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(key) = text("key") {
        return Some(format!("{key:?}"));
    }
    let mut words: Vec<&str> = Vec::new();
    match (text("path"), text("name")) {
        (Some(path), _) => words.extend([text("method").unwrap_or("GET"), path]),
        (None, Some(name)) => words.push(name),
        (None, None) => {}
    }
    words.extend(text("type"));
    (!words.is_empty()).then(|| format!("{:?}", words.join(" ")))
}

/// The object that a value is, or that its text holds.
fn object_of(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members.clone()),
        Value::String(text) if text.trim_start().starts_with('{') => serde_json::from_str(text).ok(),
        _ => None,
    }
}

fn is_same_scalar(from: &Value, to: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    from == to || text(from).is_some_and(|from| text(to) == Some(from))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(from: Value, to: Value, expect: &[(&str, Value, Value)]) {
        let found = differences(&from, &to);
        let found: Vec<(&str, Value, Value)> =
            found.iter().map(|found| (found.path.as_str(), json!(found.from), json!(found.to))).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn members_are_compared_where_they_stand() {
        check(
            json!({"name": "a", "configuration": {"base.url": "x", "old": 1}}),
            json!({"name": "a", "configuration": {"base.url": "y", "new": [1]}}),
            &[
                ("configuration.\"base.url\"", json!("x"), json!("y")),
                ("configuration.new", json!(null), json!([1])),
                ("configuration.old", json!(1), json!(null)),
            ],
        );
        check(json!({"a": null}), json!({}), &[("a", json!(null), json!(null))]);
    }

    #[test]
    fn what_says_the_same_is_the_same() {
        check(json!({"a": "15", "b": true}), json!({"a": 15, "b": "true"}), &[]);
        check(json!({"a": "{\"x\": {\"url\": 1}}"}), json!({"a": {"x": {"url": 1}}}), &[]);
        check(
            json!({"a": "{\"x\": {\"url\": 1}}"}),
            json!({"a": {"x": {"url": 2}}}),
            &[("a.x.url", json!(1), json!(2))],
        );
        check(
            json!({"a": ["x", "y"]}),
            json!({"a": ["y", "x"]}),
            &[("a", json!(["x", "y"]), json!(["y", "x"]))],
        );
        check(json!({"a": "{not json"}), json!({"a": "{not json"}), &[]);
    }

    #[test]
    fn named_things_are_found_by_their_names() {
        let resource = |path: &str, more: u32| json!({"path": path, "method": "GET", "rootKey": more});
        check(
            json!({"resources": [resource("/a", 1), resource("/b", 2)]}),
            json!({"resources": [resource("/new", 0), resource("/a", 1), resource("/b", 3)]}),
            &[
                ("resources[\"GET /new\"]", json!(null), resource("/new", 0)),
                ("resources[\"GET /b\"].rootKey", json!(2), json!(3)),
            ],
        );
        check(
            json!({"c": [{"key": "a"}, {"key": "b"}]}),
            json!({"c": [{"key": "b"}, {"key": "a"}]}),
            &[("c (their order)", json!(["\"a\"", "\"b\""]), json!(["\"b\"", "\"a\""]))],
        );
    }
}
