//! Instances: created from a checked document, read back without its secrets, changed, switched and removed.
//!
//! A document with a fault is refused as a whole, with all its faults; what works less well than it could comes back
//! under `warnings` and `repairs`. An address that the guard would refuse later is refused now, where somebody reads
//! it.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Map, Value, json};
use turnstone_core::check::{Checked, Fault};
use turnstone_core::event::seconds;
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_core::instance::Instance;
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_engine::document::{open_document, redact_document, restore_hidden, seal_document};
use turnstone_engine::egress::{Guard, Policy};
use turnstone_engine::prepare::{Before, pollers_of};
use turnstone_store::{InstanceRow, NewEndpoint, NewInstance};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::Caller;
use super::body::{Body, Query};
use super::error::{Answer, ApiError, FaultBody};
use super::{Api, access, markup, secret};

const ENABLED: &str = "event.notification.enabled";

/// What an answer adds to the document; a document that was read and is sent back is stored without it.
const ADDED: [&str; 8] =
    ["id", "token", "valid", "disabled", "eventsEnabled", "createdDate", "warnings", "repairs"];

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(read, replace, merge, remove))
        .routes(routes!(enable, disable))
}

/// Makes an instance and starts its pollers.
#[utoipa::path(
    post,
    path = "/instances",
    tag = "instances",
    operation_id = "createInstance",
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn create(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Body(document): Body,
) -> Answer<Json<Value>> {
    let read = understand(&api, &document)?;
    let token = secret(api.entropy.as_ref());
    let new = new_instance(&api, org, &read, &document, access::hash(&token), Before::default())?;
    let id = api.store.create_instance(new, api.now()).await?;
    (api.wake)();
    let row = api.store.instance(org, id).await?;
    let mut shown = shown(&row, true);
    shown["token"] = json!(token);
    Ok(Json(with_findings(shown, &read)))
}

/// Lists instances.
#[utoipa::path(
    get,
    path = "/instances",
    tag = "instances",
    operation_id = "listInstances",
    params(
        ("tags[]" = Option<Vec<String>>, Query, description = "Only those that have all of these tags."),
        ("hydrate" = Option<bool>, Query, description = "`false` leaves the configuration out.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Json<Value>> {
    let tags = query.all("tags[]");
    let hydrate = query.text("hydrate") != Some("false");
    let rows = api.store.instances(org).await?;
    let wanted = rows.iter().filter(|row| tags.iter().all(|tag| row.tags.contains(tag)));
    Ok(Json(wanted.map(|row| shown(row, hydrate)).collect()))
}

/// One instance.
#[utoipa::path(
    get,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "readInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Value>> {
    Ok(Json(shown(&find(&api, org, &id).await?, true)))
}

/// Replaces an instance's document.
///
/// Secrets that are sent as they were shown stay as they are, and resources that stay the same keep their place.
#[utoipa::path(
    put,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "replaceInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn replace(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    Body(mut document): Body,
) -> Answer<Json<Value>> {
    let row = find(&api, org, &id).await?;
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| !ADDED.contains(&name.as_str()));
    }
    change(&api, &row, document).await
}

/// Changes an instance.
///
/// Merges `name`, `tags` and the members of `configuration`; `null` takes one out.
#[utoipa::path(
    patch,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "changeInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn merge(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    Body(patch): Body,
) -> Answer<Json<Value>> {
    let row = find(&api, org, &id).await?;
    let Value::Object(patch) = patch else {
        return Err(ApiError::bad("badDocument", "the body is not an object; send the members to change"));
    };
    let mut document = stored_document(&row)?;
    for (name, value) in patch {
        match name.as_str() {
            "name" | "tags" => document[name.as_str()] = value,
            "configuration" => merge_configuration(&mut document, value)?,
            other => {
                let message =
                    format!("`{other}` cannot be changed this way; send `name`, `tags` or `configuration`");
                return Err(ApiError::bad("badDocument", message));
            }
        }
    }
    change(&api, &row, document).await
}

fn merge_configuration(document: &mut Value, patch: Value) -> Answer<()> {
    let Value::Object(patch) = patch else {
        return Err(ApiError::bad("badDocument", "`configuration` is not an object"));
    };
    let configuration = document
        .as_object_mut()
        .map(|members| members.entry("configuration").or_insert_with(|| Value::Object(Map::new())));
    let Some(configuration) = configuration.and_then(Value::as_object_mut) else {
        return Err(ApiError::conflict(
            "badDocument",
            "the stored document has no configuration; PUT it anew",
        ));
    };
    for (key, value) in patch {
        if value.is_null() {
            configuration.shift_remove(&key);
        } else {
            configuration.insert(key, value);
        }
    }
    Ok(())
}

async fn change(api: &Api, row: &InstanceRow, document: Value) -> Answer<Json<Value>> {
    let stored = open_document(&stored_document(row)?, api.preparer.keys(), row.org).map_err(sealed)?;
    let document = restore_hidden(&document, &stored);
    // Members that were merged in may be sealed still.
    let document = open_document(&document, api.preparer.keys(), row.org).map_err(sealed)?;
    let read = understand(api, &document)?;
    if read.instance.element_key != row.element_key {
        let message =
            format!("the element is `{}` and cannot be changed; make a new instance", row.element_key);
        return Err(ApiError::conflict("elementChanged", message));
    }
    let pollers = api.store.pollers(row.org, Some(row.id)).await?;
    // A connector that cannot be had now is told by the runs; here it only means that passes begin anew.
    let connector = api.preparer.connector_of(row).await.ok().flatten();
    let resources = api.preparer.stored_resources(&row.document, connector.as_ref(), api.now());
    let before = Before { pollers: &pollers, resources: &resources };
    // The token stays as it is; the store does not look at this one.
    let new = new_instance(api, row.org, &read, &document, [0; 32], before)?;
    api.store.update_instance(row.org, row.id, new, api.now()).await?;
    if wants_events(&stored) != read.instance.enabled {
        api.store.set_enabled(row.org, row.id, read.instance.enabled).await?;
    }
    (api.wake)();
    let row = api.store.instance(row.org, row.id).await?;
    Ok(Json(with_findings(shown(&row, true), &read)))
}

fn sealed(error: turnstone_engine::secrets::SecretError) -> ApiError {
    let message =
        "the stored secrets do not open with this server's keys; send the document with its secrets";
    ApiError { detail: Some(error.to_string()), ..ApiError::conflict("sealed", message) }
}

/// Removes an instance.
///
/// Its pollers go with it; its events and deliveries stay for their retention.
#[utoipa::path(
    delete,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "deleteInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 204)),
    extensions(("x-right" = json!("member")))
)]
pub async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let id = instance_id(&id)?;
    api.store.delete_instance(org, id, api.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Switches an instance on.
#[utoipa::path(
    put,
    path = "/instances/{id}/enabled",
    tag = "instances",
    operation_id = "enableInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn enable(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Value>> {
    let row = find(&api, org, &id).await?;
    if !wants_events(&stored_document(&row)?) {
        let message = format!("`{ENABLED}` is false in its configuration; set it to true");
        return Err(ApiError::conflict("eventsOff", message));
    }
    switch(&api, &row, true).await
}

/// Switches an instance off.
#[utoipa::path(
    delete,
    path = "/instances/{id}/enabled",
    tag = "instances",
    operation_id = "disableInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn disable(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Value>> {
    let row = find(&api, org, &id).await?;
    switch(&api, &row, false).await
}

async fn switch(api: &Api, row: &InstanceRow, enabled: bool) -> Answer<Json<Value>> {
    api.store.set_enabled(row.org, row.id, enabled).await?;
    (api.wake)();
    Ok(Json(shown(&api.store.instance(row.org, row.id).await?, true)))
}

/// The instance of a path. What is no number is no instance.
pub async fn find(api: &Api, org: OrgId, id: &str) -> Answer<InstanceRow> {
    Ok(api.store.instance(org, instance_id(id)?).await?)
}

fn instance_id(id: &str) -> Answer<InstanceId> {
    id.parse().map(InstanceId).map_err(|_| ApiError::not_found("instance"))
}

/// A document that was understood.
struct Understood {
    instance: Instance,
    repairs: Vec<Fault>,
    warnings: Vec<Fault>,
}

fn understand(api: &Api, document: &Value) -> Answer<Understood> {
    let Checked { instance, mut faults, repairs, warnings } = api.preparer.check(document, api.now());
    let Some(instance) = instance else { return Err(ApiError::faults(faults)) };
    faults.extend(forbidden(api, &instance));
    if !faults.is_empty() {
        return Err(ApiError::faults(faults));
    }
    Ok(Understood { instance, repairs, warnings })
}

/// Addresses that nothing would ever be sent to. Names are judged when they are resolved, at every request.
fn forbidden(api: &Api, instance: &Instance) -> Vec<Fault> {
    let mut addresses: Vec<(String, String)> = Vec::new();
    let configuration = |key: &str| format!("configuration.{key:?}");
    if let Some(callback) = &instance.callback {
        addresses.push((configuration("event.notification.callback.url"), callback.url.clone()));
    }
    if let Some(base) = &instance.base_url {
        addresses.push((configuration("base.url"), base.clone()));
    }
    for resource in &instance.resources {
        let place = format!("{}.{}", configuration("event.poller.configuration"), member(&resource.name));
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

fn new_instance(
    api: &Api,
    org: OrgId,
    read: &Understood,
    document: &Value,
    token_hash: [u8; 32],
    before: Before<'_>,
) -> Answer<NewInstance> {
    let instance = &read.instance;
    let endpoint = match &instance.callback {
        None => None,
        Some(callback) => {
            let config = EndpointConfig::of_callback(callback, org, &api.vault, api.entropy.as_ref())
                .map_err(|error| ApiError::bad("badDocument", error.to_string()))?;
            Some(NewEndpoint { kind: "callback".into(), config: config.to_json() })
        }
    };
    Ok(NewInstance {
        org,
        element_key: instance.element_key.clone(),
        element: None,
        name: markup::strip(&instance.name),
        tags: instance.tags.iter().map(|tag| markup::strip(tag)).collect(),
        token_hash,
        document: seal_document(document, api.preparer.keys(), org, api.entropy.as_ref()).to_string(),
        enabled: instance.enabled,
        pollers: pollers_of(instance, before, api.now(), api.entropy.as_ref()),
        endpoint,
    })
}

fn stored_document(row: &InstanceRow) -> Answer<Value> {
    serde_json::from_str(&row.document).map_err(|error| ApiError {
        detail: Some(format!("document of instance {}: {error}", row.id)),
        ..ApiError::conflict("badDocument", "the stored document cannot be read; PUT it anew")
    })
}

/// Whether a document asks for events.
fn wants_events(document: &Value) -> bool {
    match document.get("configuration").and_then(|configuration| configuration.get(ENABLED)) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// An instance as the API shows it: the document without its secrets, and what is known beside it.
fn shown(row: &InstanceRow, hydrate: bool) -> Value {
    let document = serde_json::from_str(&row.document).unwrap_or(Value::Null);
    let configuration = redact_document(&document).get("configuration").cloned().unwrap_or_else(|| json!({}));
    let events = wants_events(&document);
    let mut shown = json!({
        "id": row.id,
        "name": row.name,
        "tags": row.tags,
        "element": {"key": row.element_key},
        "valid": true,
        "disabled": events && !row.enabled,
        "eventsEnabled": events && row.enabled,
        "createdDate": seconds(row.created_at),
    });
    if hydrate {
        shown["configuration"] = configuration;
    }
    shown
}

fn with_findings(mut shown: Value, read: &Understood) -> Value {
    shown["warnings"] = json!(read.warnings.iter().map(FaultBody::from).collect::<Vec<_>>());
    shown["repairs"] = json!(read.repairs.iter().map(FaultBody::from).collect::<Vec<_>>());
    shown
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
    fn a_patch_adds_replaces_and_takes_out() {
        let mut document = json!({"configuration": {"a": 1, "b": 2}});
        merge_configuration(&mut document, json!({"a": null, "b": 3, "c": {"d": 4}})).unwrap();
        assert_eq!(document, json!({"configuration": {"b": 3, "c": {"d": 4}}}));
        assert!(merge_configuration(&mut document, json!([])).is_err());
    }
}
