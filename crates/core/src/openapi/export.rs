//! What a connector can be called with, as Swagger 2 (`GET /elements/{keyOrId}/docs`, `GET /instances/{id}/docs`).
//!
//! Documented resources only; the parameters are those of our side. Platform parameters, headers and errors are
//! described once, because every resource has them.

use serde_json::{Map, Value, json};

use crate::connector::{
    Connector, DataType, Parameter, ParameterPlace, Resource, ResourceKind, Source, without_hub,
};

/// What a description is of.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// Its title: the connector's or the instance's name.
    pub title: &'a str,
    /// Host and port of this server; left out when empty.
    pub host: &'a str,
    /// `https`, or `http` for a server of one's own.
    pub scheme: &'a str,
}

/// Writes the description as JSON text.
pub fn describe(connector: &Connector, description: Description<'_>) -> String {
    let mut paths: Map<String, Value> = Map::new();
    let mut definitions = Map::new();
    definitions.insert("Error".into(), error_model());
    for resource in connector.resources.iter().filter(|resource| resource.kind == ResourceKind::Api) {
        let model = resource.model.as_deref().and_then(|model| collect_models(model, &mut definitions));
        let path = without_hub(&resource.path).to_string();
        let operation = operation(connector, resource, model);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[resource.method.to_ascii_lowercase()] = operation;
    }
    let mut document = json!({
        "swagger": "2.0",
        "info": {
            "title": description.title,
            "description": connector.description,
            "version": "api-v2",
        },
        "basePath": "/elements/api-v2",
        "schemes": [description.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"Authorization": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`User <user secret>, Element <instance token>`",
        }},
        "security": [{"Authorization": []}],
        "paths": paths,
        "definitions": definitions,
    });
    if !description.host.is_empty() {
        document["host"] = description.host.into();
    }
    document.to_string()
}

fn operation(connector: &Connector, resource: &Resource, model: Option<String>) -> Value {
    let path = without_hub(&resource.path);
    let object = path.split('/').find(|part| !part.is_empty()).unwrap_or("objects");
    let parameters = resource_parameters(connector, resource, &model);
    let is_list = resource.method == "GET" && !path.trim_end_matches('/').ends_with('}');
    let schema = match (&model, is_list) {
        (Some(name), true) => json!({"type": "array", "items": {"$ref": format!("#/definitions/{name}")}}),
        (Some(name), false) => json!({"$ref": format!("#/definitions/{name}")}),
        (None, true) => json!({"type": "array", "items": {"type": "object"}}),
        (None, false) => json!({"type": "object"}),
    };
    let mut success = json!({"description": "The answer.", "schema": schema});
    if is_list {
        success["headers"] = json!({
            "Elements-Returned-Count": {"type": "integer", "description": "Items of this page."},
            "Elements-Next-Page-Token": {"type": "string", "description": "For `nextPage`; absent on the last page."},
        });
    }
    if let Some(sample) =
        resource.sample.as_deref().and_then(|sample| serde_json::from_str::<Value>(sample).ok())
    {
        success["examples"] = json!({"application/json": sample});
    }
    let failure = |words: &str| json!({"description": words, "schema": {"$ref": "#/definitions/Error"}});
    let mut operation = json!({
        "summary": resource.description,
        "tags": [object],
        "parameters": parameters,
        "responses": {
            "200": success,
            "400": failure("The request lacks something, or holds what does not fit."),
            "401": failure("The provider refused the credentials."),
            "403": failure("The provider forbids it."),
            "404": failure("There is no such thing."),
            "429": failure("The provider asks to slow down."),
            "502": failure("The provider failed."),
        },
    });
    if let Some(name) = &resource.operation_id {
        operation["operationId"] = name.as_str().into();
    }
    operation
}

fn resource_parameters(connector: &Connector, resource: &Resource, model: &Option<String>) -> Vec<Value> {
    let mut described: Vec<Value> = Vec::new();
    for parameter in connector.parameters.iter().chain(&resource.parameters) {
        if parameter.source != Source::Request {
            continue;
        }
        let Some(one) = described_parameter(parameter, resource, model) else { continue };
        described.retain(|known| !(known["name"] == one["name"] && known["in"] == one["in"]));
        described.push(one);
    }
    // A variable of the path is a parameter even where the mapping leaves it unsaid.
    let path = without_hub(&resource.path);
    let variables = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in variables {
        if !described.iter().any(|known| known["name"] == name && known["in"] == "path") {
            described.push(json!({"name": name, "in": "path", "required": true, "type": "string"}));
        }
    }
    described
}

fn described_parameter(parameter: &Parameter, resource: &Resource, model: &Option<String>) -> Option<Value> {
    let place = match parameter.place {
        ParameterPlace::Header => "header",
        ParameterPlace::Path => "path",
        ParameterPlace::Query => "query",
        ParameterPlace::Form | ParameterPlace::Multipart => "formData",
        ParameterPlace::Body => {
            let schema = match model {
                Some(name) => json!({"$ref": format!("#/definitions/{name}")}),
                None => json!({"type": "object"}),
            };
            return Some(
                json!({"name": "body", "in": "body", "required": parameter.required, "schema": schema}),
            );
        }
        ParameterPlace::Configuration
        | ParameterPlace::BodyField
        | ParameterPlace::File
        | ParameterPlace::Value
        | ParameterPlace::PrevBody
        | ParameterPlace::PrevBodyField
        | ParameterPlace::BodyToken
        | ParameterPlace::NoOp
        | ParameterPlace::Unknown => return None,
    };
    let in_path = resource.path.contains(&format!("{{{}}}", parameter.name));
    if place == "path" && !in_path {
        return None;
    }
    let kind = match parameter.data_type {
        Some(DataType::Integer) => "integer",
        Some(DataType::Number) => "number",
        Some(DataType::Boolean) => "boolean",
        Some(DataType::Text | DataType::Structure) | None => "string",
    };
    Some(json!({
        "name": parameter.name, "in": place, "required": place == "path" || parameter.required, "type": kind,
        "description": parameter.description,
    }))
}

/// The models of a resource: `{name, schema}`, or an object of models by name. Their own name comes back.
fn collect_models(model: &str, definitions: &mut Map<String, Value>) -> Option<String> {
    let value: Value = serde_json::from_str(model).ok()?;
    if let (Some(name), Some(schema)) = (value.get("name").and_then(Value::as_str), value.get("schema")) {
        let name = definition_name(name);
        definitions.entry(name.clone()).or_insert_with(|| schema_of(schema));
        return Some(name);
    }
    let mut first = None;
    for (name, schema) in value.as_object()?.iter().filter(|(_, schema)| schema.get("properties").is_some()) {
        let name = definition_name(name);
        definitions.entry(name.clone()).or_insert_with(|| schema_of(schema));
        first = first.or(Some(name));
    }
    first
}

/// A name that a reference can hold.
fn definition_name(name: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    name.chars().map(|letter| if fits(letter) { letter } else { '_' }).collect()
}

/// A schema without references, which would lead out of this document.
fn schema_of(schema: &Value) -> Value {
    let mut schema = schema.clone();
    without_references(&mut schema);
    if !schema.is_object() {
        return json!({"type": "object"});
    }
    if schema.get("type").is_none() {
        schema["type"] = "object".into();
    }
    schema
}

fn without_references(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.remove("$ref").is_some() {
                members.insert("type".into(), "object".into());
            }
            // The field writes names of models as types.
            let known = ["string", "number", "integer", "boolean", "array", "object", "file"];
            if members.get("type").and_then(Value::as_str).is_some_and(|kind| !known.contains(&kind)) {
                members.insert("type".into(), "object".into());
            }
            members.values_mut().for_each(without_references);
        }
        Value::Array(items) => items.iter_mut().for_each(without_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn error_model() -> Value {
    json!({
        "type": "object",
        "properties": {
            "requestId": {"type": "string"},
            "message": {"type": "string"},
            "providerMessage": {"type": "string"},
        },
        "required": ["requestId", "message"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_references() {
        assert_eq!(definition_name("a b/c"), "a_b_c");
        assert!(crate::json_text::validate(&error_model().to_string()).is_ok());
    }
}
