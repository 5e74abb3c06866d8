//! Keeps the date formats that somebody typed, so that they can be chosen the next time.

use std::collections::BTreeSet;

use serde_json::Value;
use turnstone_core::connector::keys;
use turnstone_core::id::OrgId;
use turnstone_core::resource::Resource;

use super::document::configuration;
use crate::api::Api;

/// The formats of the mission's table, which everybody can choose anyway.
pub const PUBLISHED: [&str; 10] = [
    "yyyy-MM-dd'T'HH:mm:ssXXX",
    "yyyy-MM-dd'T'HH:mm:ssZ",
    "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "yyyy-MM-dd",
    "yyyy/MM/dd HH:mm:ss",
    "MM/dd/yyyy'T'HH:mm:ssXXX",
    "MM/dd/yyyy",
    "dd/MM/yyyy'T'HH:mm:ssXXX",
    "dd/MM/yyyy",
    "EEE, dd MMM yyyy HH:mm:ss Z",
];

/// Keeps the new formats of a document that was stored. What cannot be kept is only missing from a list.
pub async fn keep(api: &Api, org: OrgId, document: &Value, resources: &[Resource]) {
    for pattern in typed(document, resources) {
        if let Err(error) = api.directory.add_date_format(org, &pattern, None, api.now()).await {
            tracing::warn!(%error, "a date format could not be kept");
        }
    }
}

/// The patterns that a document writes itself, except those that everybody knows.
fn typed(document: &Value, resources: &[Resource]) -> BTreeSet<String> {
    let polled = configuration(document).and_then(|own| own.get(keys::POLLER_CONFIGURATION));
    let polled = match polled {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
        Some(other) => other.clone(),
        None => Value::Null,
    };
    let mut found = BTreeSet::new();
    for resource in resources {
        let dates = &polled[resource.name.as_str()]["datesConfiguration"];
        for name in ["updatedDateFormat", "createdDateFormat"] {
            // A stray quote at the end is read as if it were not there, and not kept either.
            let pattern = dates[name].as_str().unwrap_or_default().trim();
            let stray = pattern.matches('\'').count() % 2 == 1;
            let pattern = if stray { pattern.strip_suffix('\'').unwrap_or(pattern) } else { pattern };
            let is_pattern = pattern.contains("yy");
            if is_pattern && !PUBLISHED.contains(&pattern) {
                found.insert(pattern.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use turnstone_core::check::{CheckSettings, check};

    use super::*;

    #[test]
    fn what_is_new_is_kept_once_and_as_it_is_read() {
        let resource = |updated: &str, created: &str| {
            json!({"url": "https://a.test/x", "idField": "id", "datesConfiguration": {
                "updatedDateField": "u", "updatedDateFormat": updated,
                "createdDateField": "c", "createdDateFormat": created}})
        };
        let polled = json!({
            "a": resource("yyyy-MM-dd HH:mm:ss", "milliseconds"),
            "b": resource("yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssXXX'"),
            "c": resource("dd.MM.yyyy HH:mm", "yyyy-MM-dd"),
        });
        for polled in [polled.clone(), Value::String(polled.to_string())] {
            let document =
                json!({"element": {"key": "k"}, "configuration": {"event.poller.configuration": polled}});
            let now = "2026-01-01T00:00:00Z".parse().unwrap();
            let resources = check(&document, &CheckSettings::new(now)).instance.unwrap().resources;
            let found: Vec<String> = typed(&document, &resources).into_iter().collect();
            assert_eq!(found, ["dd.MM.yyyy HH:mm", "yyyy-MM-dd HH:mm:ss"]);
        }
    }
}
