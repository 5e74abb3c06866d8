//! What a change would do to the cursors of an instance, before anybody does it.

use serde::Serialize;
use serde_json::Value;
use turnstone_core::poll::PollerState;
use turnstone_core::resource::Resource;
use turnstone_store::{NewPoller, PollerRow};
use utoipa::ToSchema;

use super::document::configuration;
use super::shape::findings;
use crate::api::error::FaultBody;
use crate::api::markup;

/// What would be done. Nothing was.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plan {
    /// What becomes of the place of each resource.
    pub changes: Vec<PlannedChange>,
    /// The members of the document that would be another: `name`, `tags`, `element`, `configuration."<key>"`.
    pub document: Vec<String>,
    /// What would work less well than it could.
    pub warnings: Vec<FaultBody>,
    /// What is misspelt and would be read as it is meant.
    pub repairs: Vec<FaultBody>,
}

/// What becomes of one resource.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlannedChange {
    /// Its name.
    pub resource: String,
    /// `kept`, `begins anew`, `new` or `removed`.
    pub cursor: &'static str,
    /// Why, in words.
    pub why: String,
}

impl Plan {
    /// A plan with what was found in the document.
    pub fn new(
        changes: Vec<PlannedChange>,
        document: Vec<String>,
        read: &super::document::Understood,
    ) -> Plan {
        Plan {
            changes,
            document,
            warnings: findings(&read.warnings).unwrap_or_default(),
            repairs: findings(&read.repairs).unwrap_or_default(),
        }
    }
}

/// What becomes of every resource, those that go last.
pub fn changes(before: &[PollerRow], new: &[NewPoller], resources: &[Resource]) -> Vec<PlannedChange> {
    let mut changes: Vec<PlannedChange> = new
        .iter()
        .map(|poller| {
            let known = before.iter().find(|known| known.resource == poller.resource);
            let resource = resources.iter().find(|resource| resource.name == poller.resource);
            let (cursor, why) = fate(known, poller, resource);
            PlannedChange { resource: poller.resource.clone(), cursor, why }
        })
        .collect();
    let gone = before.iter().filter(|known| !new.iter().any(|poller| poller.resource == known.resource));
    changes.extend(gone.map(|known| {
        PlannedChange {
            resource: known.resource.clone(),
            cursor: "removed",
            why: "it is not polled any more: its cursor and what is known of its records go, its events stay"
                .into(),
        }
    }));
    changes
}

fn fate(known: Option<&PollerRow>, new: &NewPoller, resource: Option<&Resource>) -> (&'static str, String) {
    let Some(known) = known else { return ("new", "it was not polled before".to_owned()) };
    if known.revision == new.revision {
        let why = match known.interval == new.interval {
            true => "it is polled as before".to_owned(),
            false => format!("only the interval is another: {} s", new.interval.as_secs_f64()),
        };
        return ("kept", why);
    }
    let state = PollerState::read(&known.state).unwrap_or_default();
    let name = resource.map_or("", |resource| resource.compared.name());
    if state.compared.is_empty() || state.compared == name {
        let why = "it is configured anew and goes on from where it stands; a pass that is open starts over";
        return ("kept", why.to_owned());
    }
    let why = format!(
        "versions were told by `{}` and would be by `{name}`: what is there is taken as known, without events",
        state.compared
    );
    ("begins anew", why)
}

/// The members of a document that are another than they were, for people; values may be secrets and stay out.
pub fn changed_members(was: &Value, now: &Value) -> Vec<String> {
    let mut changed: Vec<String> = ["name", "description", "tags", "externalAuthentication"]
        .into_iter()
        .filter(|name| as_shown(name, was) != as_shown(name, now))
        .map(str::to_owned)
        .collect();
    changed.extend(changed_keys(was, now).iter().map(|key| format!("configuration.{key:?}")));
    changed
}

/// A member as it is shown: a document that was read and is sent back is no change.
fn as_shown(name: &str, document: &Value) -> Value {
    let plain = |value: &Value| match value {
        Value::String(text) => Value::String(markup::strip(text)),
        other => other.clone(),
    };
    match (name, document.get(name)) {
        ("tags", Some(Value::Array(tags))) => tags.iter().map(plain).collect(),
        ("tags", Some(Value::String(tag))) => Value::Array(vec![Value::String(markup::strip(tag))]),
        ("tags", _) => Value::Array(Vec::new()),
        ("externalAuthentication", None | Some(Value::Null)) => Value::String("none".to_owned()),
        (_, value) => value.map(plain).unwrap_or_default(),
    }
}

/// The keys of the configuration whose values are another, by key.
pub fn changed_keys(was: &Value, now: &Value) -> Vec<String> {
    let (was, now) = (configuration(was), configuration(now));
    let all = was.into_iter().chain(now).flatten().map(|(key, _)| key.clone());
    let all: std::collections::BTreeSet<String> = all.collect();
    // A number that was sealed comes back as its text.
    let value = |side: Option<&serde_json::Map<String, Value>>, key: &str| match side?.get(key)? {
        Value::Null => None,
        scalar @ (Value::Bool(_) | Value::Number(_)) => Some(Value::String(scalar.to_string())),
        other => Some(other.clone()),
    };
    all.into_iter().filter(|key| value(was, key) != value(now, key)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_changed_are_named_without_their_values() {
        let was = json!({"name": "a", "tags": ["x"], "configuration": {"b": 1, "c": "s", "d": null}});
        let now = json!({"name": "b", "tags": ["x"], "configuration": {"b": 1, "c": "t", "e": {}}});
        assert_eq!(changed_members(&was, &now), ["name", r#"configuration."c""#, r#"configuration."e""#]);
        assert!(changed_members(&was, &was).is_empty());
        let shown = json!({"name": "a", "tags": ["x"], "externalAuthentication": "none"});
        let stored = json!({"name": "<i>a</i>", "tags": "x"});
        assert!(changed_members(&stored, &shown).is_empty());
    }
}
