//! What a member may not do to an instance: decide how resources are polled, and where credentials go.
//!
//! "Changing polling resource configuration is recommended only for the most technical users, but updating a polling
//! interval can be done by anyone": the first needs an admin, everything else about an instance a member (decision
//! 0045). What counts is the meaning: the same configuration written differently is no change, and the connector's
//! default is nobody's edit.

use std::collections::BTreeSet;

use serde_json::Value;
use turnstone_core::connector::{Connector, keys};
use turnstone_core::resource::Resource;
use turnstone_store::Role;

use super::document::configuration;
use super::element::Chosen;
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::error::Answer;

/// The configuration that says where requests go, and with which headers; and who may send to us.
const ADDRESSES: [&str; 10] = [
    keys::BASE_URL,
    "http.headers",
    "authentication.type",
    "oauth.authorization.url",
    "oauth.token.url",
    "oauth.token.refresh_url",
    "oauth.token.revoke_url",
    "oauth.request.url",
    "event.webhook.open",
    "event.webhook.verification",
];

/// What was, for comparing.
pub struct Was<'a> {
    /// The document, secrets open; `None` for a new instance.
    pub document: Option<&'a Value>,
    /// What it polled.
    pub resources: &'a [Resource],
}

/// Whether the caller may make this of an instance. 403 with a sentence when an admin has to.
pub fn may(
    api: &Api,
    caller: &Caller,
    was: &Was<'_>,
    document: &Value,
    resources: &[Resource],
    chosen: Option<&Chosen>,
) -> Answer<()> {
    // Nobody but those who must be refused needs the comparison.
    if caller.must_be(Role::Admin, "").is_ok() {
        return Ok(());
    }
    let defaults = chosen.map(|chosen| defaults(api, document, chosen)).unwrap_or_default();
    let is_known =
        |resource: &&Resource| was.resources.iter().chain(&defaults).any(|known| same(known, resource));
    let edited = resources.iter().find(|resource| !is_known(resource)).map(|resource| &resource.name);
    let is_gone = |old: &&Resource| !resources.iter().any(|resource| resource.name == old.name);
    let removed = was.resources.iter().find(is_gone).map(|resource| &resource.name);
    if let Some(name) = edited.or(removed) {
        return caller.must_be(Role::Admin, &sentence(caller, &format!("of the resource `{name}`")));
    }
    let connector = chosen.map(|chosen| chosen.connector.as_ref());
    match guarded(connector).into_iter().find(|key| differs(key, was.document, document, connector)) {
        Some(key) => caller.must_be(Role::Admin, &sentence(caller, &format!("(`{key}`)"))),
        None => Ok(()),
    }
}

fn sentence(caller: &Caller, what: &str) -> String {
    format!(
        "changing the polling configuration {what} needs the role `admin`, and yours is `{}`; the polling interval \
         (`{}`) can be changed by anyone: send it without the rest, or ask an admin",
        caller.user.role.as_str(),
        keys::POLLER_INTERVAL
    )
}

/// What the connector itself would poll for this document.
fn defaults(api: &Api, document: &Value, chosen: &Chosen) -> Vec<Resource> {
    let mut plain = document.clone();
    if let Some(configuration) = plain.get_mut("configuration").and_then(Value::as_object_mut) {
        configuration.shift_remove(keys::POLLER_CONFIGURATION);
    }
    let checked = api.preparer.check_for(&plain, Some(&chosen.connector), api.now());
    checked.instance.map(|instance| instance.resources).unwrap_or_default()
}

/// Settings show themselves completely; there is no other equality on templates.
fn same(one: &Resource, other: &Resource) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

/// The keys of addresses, and those that a connector's addresses are filled in with.
fn guarded(connector: Option<&Connector>) -> Vec<String> {
    let mut keys: BTreeSet<String> = ADDRESSES.iter().map(|key| (*key).to_owned()).collect();
    let entries = connector.map(|connector| &connector.configuration).into_iter().flatten();
    for entry in entries.filter(|entry| ADDRESSES.contains(&entry.key.as_str())) {
        keys.extend(places(entry.default.as_deref().unwrap_or_default()));
    }
    keys.into_iter().collect()
}

/// The names in braces of an address.
pub fn places(text: &str) -> Vec<String> {
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name.trim().trim_start_matches("configuration.").to_owned()).collect()
}

/// Whether a key means something else than it did; in a new instance, than its connector has it. What a connector
/// leaves open is for whoever makes the instance.
fn differs(key: &str, was: Option<&Value>, document: &Value, connector: Option<&Connector>) -> bool {
    let value = |document: &Value| {
        let value = configuration(document).and_then(|configuration| configuration.get(key)).cloned();
        value.filter(|value| !value.is_null() && value.as_str() != Some(""))
    };
    let entry = connector.and_then(|connector| connector.entry(key));
    let default = entry.and_then(|entry| entry.default.clone()).filter(|default| !default.is_empty());
    let default = default.map(Value::String);
    let now = value(document).or_else(|| default.clone());
    match was {
        Some(was) => text(&value(was).or(default)) != text(&now),
        None => match (&default, connector) {
            (Some(_), _) => text(&default) != text(&now),
            // An address without a default is the account's own; headers are ours and no connector leaves them open.
            (None, Some(_)) => now.is_some() && key == "http.headers",
            (None, None) => now.is_some(),
        },
    }
}

/// A value as its text: `15` and `"15"` are one.
fn text(value: &Option<Value>) -> Option<String> {
    value.as_ref().map(|value| match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_name_what_they_are_filled_with() {
        assert_eq!(places("https://{subdomain}.x.test/{a.b}/v1"), ["subdomain", "a.b"]);
        assert!(places("https://x.test/{open").is_empty() && places("").is_empty());
    }

    #[test]
    fn a_value_written_differently_is_the_same() {
        let of = |value: Value| json!({"configuration": {"base.url": value}});
        let was = of(json!("https://a.test"));
        assert!(!differs("base.url", Some(&was), &of(json!(" https://a.test ")), None));
        assert!(differs("base.url", Some(&was), &of(json!("https://b.test")), None));
        assert!(differs("base.url", Some(&was), &json!({}), None), "taken out");
        assert!(differs("base.url", None, &was, None), "a new one without a connector");
        assert!(!differs("base.url", None, &json!({}), None));
    }
}
