//! What every connector has: the names of its objects, what is known of their members, and a sign of life.
//!
//! A connector that has a resource of one of these paths itself is called instead.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use turnstone_core::call::CallRequest;
use turnstone_core::connector::{Connector, ParameterPlace, Resource, ResourceKind, Source, without_hub};
use turnstone_core::event::seconds;
use turnstone_engine::egress::Bodies;
use turnstone_store::InstanceRow;
use utoipa::ToSchema;

use super::{answer as answered, must_be_on, through};
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::error::{Answer, ApiError};

/// Members of a model that are followed inwards.
const DEPTH_MAX: usize = 4;

/// A path that every connector answers.
pub enum BuiltIn {
    /// `/objects`.
    Objects,
    /// `/objects/{name}/metadata`.
    Metadata(String),
    /// `/ping`.
    Ping,
}

/// Which of them a path is, its hub left out.
pub fn built_in(path: &str) -> Option<BuiltIn> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["objects"] => Some(BuiltIn::Objects),
        ["objects", name, "metadata"] => Some(BuiltIn::Metadata((*name).to_owned())),
        ["ping"] => Some(BuiltIn::Ping),
        _ => None,
    }
}

/// What is known of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    /// Its members.
    fields: Vec<Field>,
}

/// A member of an object.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Where it stands in our records.
    path: String,
    /// Where the provider has it.
    vendor_path: String,
    /// What it is.
    #[serde(rename = "type")]
    #[schema(example = "string")]
    kind: String,
}

/// A sign of life.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ping {
    /// The connector's key.
    endpoint: String,
    /// When the provider answered.
    date_time: String,
}

/// The names of an instance's objects.
///
/// Answered for a disabled instance too.
#[utoipa::path(
    get,
    path = "/hubs/{hub}/objects",
    tag = "hubs",
    operation_id = "listObjects",
    params(
        ("hub" = String, Path, description = "Any word.")
    ),
    responses((status = 200, body = Vec<String>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, caller: Caller, request: Request) -> Response {
    through(&api, &caller, request).await
}

/// What is known of the members of an object.
///
/// By the connector's models, its samples and its mapping; nothing is asked of the provider.
#[utoipa::path(
    get,
    path = "/hubs/{hub}/objects/{name}/metadata",
    tag = "hubs",
    operation_id = "readObjectMetadata",
    params(
        ("hub" = String, Path, description = "Any word."),
        ("name" = String, Path, description = "The object.")
    ),
    responses((status = 200, body = Metadata)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn metadata(State(api): State<Api>, caller: Caller, request: Request) -> Response {
    through(&api, &caller, request).await
}

/// Asks the provider for something small.
///
/// Reads one record of the first list that needs no parameters, so that credentials and address are tried.
#[utoipa::path(
    get,
    path = "/hubs/{hub}/ping",
    tag = "hubs",
    operation_id = "ping",
    params(
        ("hub" = String, Path, description = "Any word.")
    ),
    responses((status = 200, body = Ping)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn ping(State(api): State<Api>, caller: Caller, request: Request) -> Response {
    through(&api, &caller, request).await
}

/// Answers one of them.
pub async fn answer(
    api: &Api,
    row: &InstanceRow,
    connector: &Arc<Connector>,
    built_in: BuiltIn,
) -> Answer<Response> {
    match built_in {
        BuiltIn::Objects => Ok(Json(names(connector)).into_response()),
        BuiltIn::Metadata(name) => {
            let fields = fields(connector, &name).ok_or_else(|| ApiError::not_found("object"))?;
            Ok(Json(Metadata { fields }).into_response())
        }
        BuiltIn::Ping => {
            must_be_on(row)?;
            pinged(api, row, connector).await
        }
    }
}

async fn pinged(api: &Api, row: &InstanceRow, connector: &Connector) -> Answer<Response> {
    if let Some(resource) = connector.resources.iter().find(|resource| asks_for_nothing(resource, connector))
    {
        let call = CallRequest::get(&format!("{}?pageSize=1", resource.path));
        let answer = api.calls.call_row(row, call, &Bodies::new(&api.budget)).await;
        if answer.fault.is_some() {
            return Ok(answered::of(answer));
        }
    }
    let ping = Ping { endpoint: connector.key.clone(), date_time: seconds(api.now()) };
    Ok(Json(ping).into_response())
}

/// Whether a resource is a list that can be read without knowing anything.
fn asks_for_nothing(resource: &Resource, connector: &Connector) -> bool {
    let mut parameters = connector.parameters.iter().chain(&resource.parameters);
    let is_open = |place| {
        !matches!(place, ParameterPlace::Value | ParameterPlace::Configuration | ParameterPlace::NoOp)
    };
    resource.kind == ResourceKind::Api
        && resource.method == "GET"
        && !resource.path.contains('{')
        && !parameters.any(|one| one.required && one.source == Source::Request && is_open(one.place))
}

/// The objects: the first segments of the paths of documented resources, in their order.
fn names(connector: &Connector) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for resource in connector.resources.iter().filter(|resource| resource.kind == ResourceKind::Api) {
        if let Some(name) = object_of(resource)
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

fn object_of(resource: &Resource) -> Option<String> {
    let name = without_hub(&resource.path).split('/').find(|part| !part.is_empty())?;
    (!name.starts_with('{')).then(|| name.to_owned())
}

/// The members of an object; `None` when there is no such object.
fn fields(connector: &Connector, name: &str) -> Option<Vec<Field>> {
    let is_it = |resource: &&Resource| {
        let path = without_hub(&resource.path);
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let own = segments.len() == 1 || segments.len() == 2 && segments[1].starts_with('{');
        resource.kind == ResourceKind::Api && own && segments[0] == name
    };
    let mut resources: Vec<&Resource> = connector.resources.iter().filter(is_it).collect();
    if resources.is_empty() {
        return names(connector).iter().any(|known| known == name).then(Vec::new);
    }
    // What is read describes a record better than what is sent.
    resources.sort_by_key(|resource| resource.method != "GET");
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for resource in &resources {
        of_model(resource.model.as_deref(), &mut found);
        if found.is_empty() {
            of_sample(resource.sample.as_deref(), &mut found);
        }
    }
    let mapped = |resource: &&Resource| {
        let all = connector.parameters.iter().chain(&resource.parameters);
        let fields =
            all.filter(|one| one.source == Source::Response && one.place == ParameterPlace::BodyField);
        fields.map(|one| (one.name.clone(), one.vendor_name.clone())).collect::<Vec<_>>()
    };
    let mapped: BTreeMap<String, String> = resources.iter().flat_map(mapped).collect();
    for ours in mapped.keys() {
        found.entry(ours.clone()).or_insert_with(|| "string".to_owned());
    }
    let field = |(path, kind): (String, String)| {
        let vendor_path = mapped.get(&path).cloned().unwrap_or_else(|| path.clone());
        Field { path, vendor_path, kind }
    };
    Some(found.into_iter().map(field).collect())
}

/// A model: `{name, schema}`, or schemas by name, or a schema alone.
fn of_model(model: Option<&str>, found: &mut BTreeMap<String, String>) {
    let Some(model) = model.and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return };
    let by_name = || model.as_object()?.values().find(|schema| schema.get("properties").is_some());
    let schema = match (model.get("schema"), model.get("properties")) {
        (Some(schema), _) => Some(schema),
        (None, Some(_)) => Some(&model),
        (None, None) => by_name(),
    };
    if let Some(schema) = schema {
        of_schema(schema, "", 0, found);
    }
}

fn of_schema(schema: &Value, prefix: &str, depth: usize, found: &mut BTreeMap<String, String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let kind = property.get("type").and_then(Value::as_str).unwrap_or("object").to_owned();
        if depth < DEPTH_MAX {
            of_schema(property, &path, depth + 1, found);
            if let Some(items) = property.get("items") {
                of_schema(items, &format!("{path}[*]"), depth + 1, found);
            }
        }
        found.insert(path, kind);
    }
}

/// The members of an example.
fn of_sample(sample: Option<&str>, found: &mut BTreeMap<String, String>) {
    let Some(sample) = sample.and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return };
    // Samples are kept as JSON or as its text.
    let sample = match &sample {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    };
    let record = if sample.is_array() { &sample[0] } else { &sample };
    for (name, value) in record.as_object().into_iter().flatten() {
        let kind = match value {
            Value::Null | Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        found.insert(name.clone(), kind.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_paths_are_known() {
        assert!(matches!(built_in("/objects"), Some(BuiltIn::Objects)));
        assert!(matches!(built_in("/objects/a/metadata"), Some(BuiltIn::Metadata(name)) if name == "a"));
        assert!(matches!(built_in("ping/"), Some(BuiltIn::Ping)));
        for path in ["/", "/objects/a", "/ping/a", "/contacts"] {
            assert!(built_in(path).is_none(), "{path}");
        }
    }

    #[test]
    fn members_are_found_in_models_and_samples() {
        let mut found = BTreeMap::new();
        let model = r#"{"name": "A", "schema": {"properties": {"id": {"type": "integer"},
            "owner": {"type": "object", "properties": {"name": {"type": "string"}}}}}}"#;
        of_model(Some(model), &mut found);
        let expect = [("id", "integer"), ("owner", "object"), ("owner.name", "string")];
        assert_eq!(found, expect.map(|(path, kind)| (path.to_owned(), kind.to_owned())).into());
        let mut found = BTreeMap::new();
        of_sample(Some(r#""[{\"a\": 1, \"b\": null}]""#), &mut found);
        assert_eq!(found.len(), 2);
        of_model(Some("no json"), &mut found);
        of_sample(None, &mut found);
        assert_eq!(found.len(), 2);
    }
}
