//! From what somebody sent to what can be stored: the document read, judged, and turned into a row.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use turnstone_core::check::{Checked, Fault};
use turnstone_core::connector::{Connector, keys};
use turnstone_core::id::OrgId;
use turnstone_core::instance::Instance;
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_engine::document::{HIDDEN, open_document, seal_document_of};
use turnstone_engine::egress::{Guard, Policy};
use turnstone_engine::secrets::SecretError;
use turnstone_store::{InstanceRow, NewEndpoint, NewInstance, NewPoller};

use super::element::Chosen;
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, markup};

/// Values of `externalAuthentication` that are taken.
const EXTERNAL: [&str; 2] = ["none", "initial"];

/// A document that was understood.
pub struct Understood {
    /// What it says.
    pub instance: Instance,
    /// What was misspelt and is read as it was meant.
    pub repairs: Vec<Fault>,
    /// What works less well than it could.
    pub warnings: Vec<Fault>,
    endpoint: Option<NewEndpoint>,
}

/// Reads a document, its secrets open, for an instance of a connector or of none. Every fault at once.
pub fn understand(
    api: &Api,
    org: OrgId,
    document: &Value,
    connector: Option<&Arc<Connector>>,
) -> Answer<Understood> {
    let Checked { instance, mut faults, repairs, mut warnings } =
        api.preparer.check_for(document, connector, api.now());
    faults.extend(not_there(document));
    faults.extend(external(document));
    let Some(instance) = instance else { return Err(ApiError::faults(faults)) };
    faults.extend(forbidden(api, &instance));
    if !faults.is_empty() {
        return Err(ApiError::faults(faults));
    }
    warnings.extend(connector.into_iter().flat_map(|connector| left_open(document, connector)));
    let endpoint = match &instance.callback {
        None => None,
        Some(callback) => {
            let config = EndpointConfig::of_callback(callback, org, &api.vault, api.entropy.as_ref())
                .map_err(|error| ApiError::bad("badDocument", error.to_string()))?;
            Some(NewEndpoint { kind: "callback".into(), config: config.to_json() })
        }
    };
    Ok(Understood { instance, repairs, warnings, endpoint })
}

/// Secrets that are sent as they are shown, where there is none that they could stand for.
fn not_there(document: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    for (key, value) in configuration(document).into_iter().flatten() {
        let path = format!("configuration.{key:?}");
        let hidden = |value: &Value| value.as_str() == Some(HIDDEN);
        if hidden(value) {
            found.push(path);
        } else if let Value::Object(members) = value {
            let inner = members.iter().filter(|(_, value)| hidden(value));
            found.extend(inner.map(|(name, _)| format!("{path}.{name:?}")));
        }
    }
    let fault = |path| Fault {
        path,
        problem: format!("`{HIDDEN}` stands for a secret that is kept, and none is kept here"),
        remedy: "send the secret itself, or leave it out".to_owned(),
    };
    found.into_iter().map(fault).collect()
}

fn external(document: &Value) -> Option<Fault> {
    let value = document.get("externalAuthentication").filter(|value| !value.is_null())?;
    let known = value.as_str().is_some_and(|text| EXTERNAL.contains(&text));
    (!known).then(|| Fault {
        path: "externalAuthentication".to_owned(),
        problem: format!("{value} is not possible"),
        remedy: "write `initial` when the first tokens stand in `configuration`, else leave it out"
            .to_owned(),
    })
}

/// Entries that the connector calls required and that nothing fills. A warning: signing in may bring them.
fn left_open(document: &Value, connector: &Connector) -> Vec<Fault> {
    let own = configuration(document);
    let is_filled = |key: &str| {
        own.and_then(|own| own.get(key)).is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
    };
    let open = connector.configuration.iter().filter(|entry| {
        let brought = entry.key.starts_with("oauth.user.") || entry.key.starts_with("event.");
        let has_default = entry.default.as_deref().is_some_and(|default| !default.is_empty());
        entry.required && !brought && !has_default && !is_filled(&entry.key)
    });
    let fault = |entry: &turnstone_core::connector::ConfigurationEntry| Fault {
        path: format!("configuration.{:?}", entry.key),
        problem: format!(
            "the connector calls `{}` ({}) required, and it is not given",
            entry.key, entry.name
        ),
        remedy: "give it, unless signing in brings it".to_owned(),
    };
    open.map(fault).collect()
}

/// Addresses that nothing would ever be sent to. Names are judged when they are resolved, at every request.
fn forbidden(api: &Api, instance: &Instance) -> Vec<Fault> {
    let mut addresses: Vec<(String, String)> = Vec::new();
    let configuration = |key: &str| format!("configuration.{key:?}");
    if let Some(callback) = &instance.callback {
        addresses.push((configuration("event.notification.callback.url"), callback.url.clone()));
    }
    if let Some(base) = &instance.base_url {
        addresses.push((configuration(keys::BASE_URL), base.clone()));
    }
    for resource in &instance.resources {
        let place = format!("{}.{}", configuration(keys::POLLER_CONFIGURATION), member(&resource.name));
        let sweep = resource.sweep.as_ref();
        let read_url = sweep.and_then(|sweep| sweep.read_url.clone()).and_then(|url| origin(&url));
        let urls = [resource.url.origin(), sweep.and_then(|sweep| sweep.url.origin()), read_url];
        addresses.extend(urls.into_iter().flatten().map(|url| (place.clone(), url)));
    }
    addresses.dedup();
    let judged = addresses.into_iter().filter_map(|(path, url)| {
        let error = api.guard.check_url(&url).err()?;
        let lifted = Guard::new(Policy::AllowPrivate).check_url(&url).is_ok();
        let remedy = match lifted {
            true => "use an address of the public internet, or start the server with `--allow-private`",
            false => "use an address of the public internet",
        };
        Some(Fault { path, problem: error.to_string(), remedy: remedy.to_owned() })
    });
    judged.collect()
}

/// A member's name in a path: in quotes unless it is a plain word.
fn member(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    if plain && !name.is_empty() { name.to_owned() } else { format!("{name:?}") }
}

/// Scheme, host and port of an address that may hold a placeholder in its path.
fn origin(url: &str) -> Option<String> {
    let after = url.find("://")? + 3;
    let end = url[after..].find(['/', '?', '#']).map_or(url.len(), |length| after + length);
    Some(url[..end].to_owned())
}

/// What is written of an instance: its document sealed, the rest beside it.
pub fn new_instance(
    api: &Api,
    org: OrgId,
    read: Understood,
    document: &Value,
    chosen: Option<&Chosen>,
    pollers: Vec<NewPoller>,
) -> NewInstance {
    let connector = chosen.map(|chosen| chosen.connector.as_ref());
    let sealed = seal_document_of(connector, document, api.preparer.keys(), org, api.entropy.as_ref());
    NewInstance {
        org,
        element_key: read.instance.element_key,
        element: chosen.map(|chosen| (chosen.id, chosen.revision)),
        name: markup::strip(&read.instance.name),
        tags: read.instance.tags.iter().map(|tag| markup::strip(tag)).collect(),
        // Of a new instance it is set by whoever makes it; of others the store does not look at it.
        token_hash: [0; 32],
        document: sealed.to_string(),
        enabled: true,
        pollers,
        endpoint: read.endpoint,
        intake: None,
    }
}

/// The document of an instance, secrets sealed.
pub fn stored_document(row: &InstanceRow) -> Answer<Value> {
    serde_json::from_str(&row.document).map_err(|error| ApiError {
        detail: Some(format!("document of instance {}: {error}", row.id)),
        ..ApiError::conflict("badDocument", "the stored document cannot be read; PUT it anew")
    })
}

/// A document with its secrets open.
pub fn opened(api: &Api, org: OrgId, document: &Value) -> Answer<Value> {
    open_document(document, api.preparer.keys(), org).map_err(|error: SecretError| {
        let message =
            "the stored secrets do not open with this server's keys; send the document with its secrets";
        ApiError { detail: Some(error.to_string()), ..ApiError::conflict("sealed", message) }
    })
}

/// The configuration of a document.
pub fn configuration(document: &Value) -> Option<&Map<String, Value>> {
    document.get("configuration").and_then(Value::as_object)
}

/// The configuration of a document to change, made when there is none.
pub fn configuration_mut(document: &mut Value) -> Answer<&mut Map<String, Value>> {
    let members = document.as_object_mut();
    let configuration = members.map(|members| members.entry("configuration").or_insert_with(|| json!({})));
    configuration.and_then(Value::as_object_mut).ok_or_else(|| {
        ApiError::conflict("badDocument", "the stored document has no configuration; PUT it anew")
    })
}

/// Whether a document asks for events, by itself or by its connector.
pub fn wants_events(document: &Value, connector: Option<&Connector>) -> bool {
    let is_true = |text: &str| text.trim().eq_ignore_ascii_case("true");
    let default = || {
        let entry = connector.and_then(|connector| connector.entry(keys::EVENTS_ENABLED));
        entry.and_then(|entry| entry.default.as_deref()).is_some_and(is_true)
    };
    match configuration(document).and_then(|configuration| configuration.get(keys::EVENTS_ENABLED)) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) if !text.trim().is_empty() => is_true(text),
        Some(Value::Null | Value::String(_)) | None => default(),
        Some(Value::Number(_) | Value::Array(_) | Value::Object(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_ends_before_the_path() {
        assert_eq!(origin("https://a.test:8/x/{id}").as_deref(), Some("https://a.test:8"));
        assert_eq!(origin("https://a.test?x={id}").as_deref(), Some("https://a.test"));
        assert_eq!(origin("https://a.test").as_deref(), Some("https://a.test"));
        assert_eq!(origin("/x/{id}"), None);
    }

    #[test]
    fn a_secret_that_is_not_there_is_named() {
        let document =
            json!({"configuration": {"password": HIDDEN, "http.headers": {"X-Key": HIDDEN}, "a": "b"}});
        let places: Vec<String> = not_there(&document).into_iter().map(|fault| fault.path).collect();
        assert_eq!(places, [r#"configuration."password""#, r#"configuration."http.headers"."X-Key""#]);
    }

    #[test]
    fn tokens_may_come_from_elsewhere_first_and_never_later() {
        for (value, fits) in
            [(json!(null), true), (json!("initial"), true), (json!("all"), false), (json!(1), false)]
        {
            assert_eq!(external(&json!({"externalAuthentication": value})).is_none(), fits);
        }
    }
}
