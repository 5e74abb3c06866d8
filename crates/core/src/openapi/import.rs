//! An OpenAPI 2 or 3 document becomes a connector's document.
//!
//! Every operation becomes a resource below the hub `general`, with its parameters under their own names. Paging and
//! filter parameters get our names (`page`, `pageSize`, `nextPage`, `where`), as far as theirs say what they are, and a
//! list that stands below one member of the answer gets that as its `rootKey`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::check::Fault;
use crate::connector::{Document, key_of};
use crate::limits::OPENAPI_OPERATIONS_MAX;

use super::security::{self, SignIn};
use super::{ImportError, Imported, members, resolve, text};

const HUB: &str = "general";

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// Turns a description into a connector. What has no counterpart is left out and named in the warnings.
///
/// Fails when it is no description, has nothing to call, or more than [`OPENAPI_OPERATIONS_MAX`] operations.
pub fn import(root: &Value) -> Result<Imported, ImportError> {
    let version = |name: &str, wanted: &str| {
        root.get(name).is_some_and(|value| value.to_string().trim_matches('"').starts_with(wanted))
    };
    if !version("swagger", "2") && !version("openapi", "3") {
        return Err(ImportError::NoDescription);
    }
    let mut warnings = Vec::new();
    let mut resources = Vec::new();
    for (path, item) in members(root.get("paths")) {
        let item = resolve(root, item);
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let place = format!("paths.{path:?}.{method}");
            resources.push(Operation { root, path, item, method, operation, place }.resource(&mut warnings));
        }
    }
    if resources.is_empty() {
        return Err(ImportError::NoPaths);
    }
    if resources.len() > OPENAPI_OPERATIONS_MAX {
        return Err(ImportError::TooLarge(resources.len()));
    }
    unique_shapes(&mut resources, &mut warnings);
    let sign_in = security::read(root, &mut warnings);
    let element = element(root, sign_in, resources);
    let document =
        Document::parse(element.to_string()).map_err(|error| ImportError::Unusable(error.to_string()))?;
    Ok(Imported { document, warnings })
}

fn element(root: &Value, sign_in: SignIn, resources: Vec<Value>) -> Value {
    let empty = Value::Null;
    let info = root.get("info").unwrap_or(&empty);
    let name = text(info, "title").unwrap_or("Imported API");
    let key = match key_of(name) {
        key if key.chars().any(char::is_alphanumeric) => key,
        _ => "importedapi".to_string(),
    };
    let (base, variables) = base_url(root);
    let mut configuration = vec![entry("base.url", "Base URL", "TEXTFIELD_1000", Some(&base), false)];
    for (name, default) in &variables {
        configuration.push(entry(name, name, "TEXTFIELD_1000", default.as_deref(), default.is_none()));
    }
    for (key, title, kind, value, required) in &sign_in.entries {
        configuration.push(entry(key, title, kind, value.as_deref(), *required));
    }
    for (position, entry) in configuration.iter_mut().enumerate() {
        entry["displayOrder"] = position.into();
    }
    json!({
        "key": key,
        "name": name,
        "description": text(info, "description").unwrap_or(name),
        "hub": HUB,
        "authentication": {"type": sign_in.kind},
        "typeOauth": sign_in.kind.starts_with("oauth"),
        "active": true,
        "deleted": false,
        "private": true,
        "extended": false,
        "cloneable": true,
        "extendable": false,
        "protocolType": "http",
        "configuration": configuration,
        "parameters": sign_in.parameters,
        "hooks": [],
        "resources": resources,
        "objects": [],
    })
}

fn entry(key: &str, title: &str, kind: &str, value: Option<&str>, required: bool) -> Value {
    let mut entry = json!({
        "name": title, "key": key, "description": title, "type": kind, "required": required, "active": true,
        "internal": false, "groupControl": false, "resellerConfig": false, "companyConfig": false,
        "hideFromConsole": false,
    });
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        entry["defaultValue"] = value.into();
    }
    entry
}

/// Where the API begins, and the variables of that address with their defaults.
fn base_url(root: &Value) -> (String, Vec<(String, Option<String>)>) {
    if root.get("swagger").is_some() {
        let schemes = root.get("schemes").and_then(Value::as_array);
        let secure = schemes.is_none_or(|schemes| schemes.iter().any(|scheme| scheme == "https"));
        let scheme = if secure { "https" } else { "http" };
        let host = text(root, "host").unwrap_or_default();
        let path = text(root, "basePath").unwrap_or_default().trim_end_matches('/');
        let url = if host.is_empty() { String::new() } else { format!("{scheme}://{host}{path}") };
        return (url, Vec::new());
    }
    let Some(server) = root.pointer("/servers/0") else { return (String::new(), Vec::new()) };
    let url = text(server, "url").unwrap_or_default().trim_end_matches('/').to_string();
    let variable =
        |(name, value): (&String, &Value)| (name.clone(), text(value, "default").map(str::to_string));
    let variables = members(server.get("variables")).map(variable).collect();
    (if url.starts_with("http") { url } else { String::new() }, variables)
}

/// Two operations that answer the same calls would hide one another.
fn unique_shapes(resources: &mut Vec<Value>, warnings: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    resources.retain(|resource| {
        let path = resource["path"].as_str().unwrap_or_default();
        let part = |part: &str| if part.starts_with('{') { "{}".to_string() } else { part.to_string() };
        let shape: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(part).collect();
        let is_new = seen.insert((resource["method"].to_string(), shape));
        if !is_new {
            warnings.push(Fault {
                path: format!("paths.{:?}", resource["vendorPath"].as_str().unwrap_or_default()),
                problem: "another path answers the same calls".into(),
                remedy: "add it by hand under another path".into(),
            });
        }
        is_new
    });
}

/// One operation and where it stands.
struct Operation<'d> {
    root: &'d Value,
    path: &'d str,
    item: &'d Value,
    method: &'static str,
    operation: &'d Value,
    place: String,
}

impl Operation<'_> {
    fn resource(&self, warnings: &mut Vec<Fault>) -> Value {
        let method = self.method.to_ascii_uppercase();
        let (mut parameters, mut body) = self.parameters(warnings);
        if let Some(request) = self.operation.get("requestBody") {
            self.request_body(resolve(self.root, request), &mut parameters, &mut body, warnings);
        }
        let answer = self.answer_schema();
        let list = (method == "GET").then(|| self.list_place(answer)).flatten();
        if list.is_some() && !parameters.iter().any(|parameter| parameter["name"] == "where") {
            parameters.insert(
                0,
                json!({
                    "name": "where", "vendorName": "where", "type": "query", "vendorType": "query",
                    "dataType": "string", "source": "request", "required": false,
                    "converter": "toQueryParameters", "description": "The CEQL search expression.",
                }),
            );
        }
        let mut resource = json!({
            "type": "api",
            "method": method,
            "path": format!("/hubs/{HUB}{}", self.path),
            "vendorMethod": method,
            "vendorPath": self.path,
            "description": text(self.operation, "summary").or(text(self.operation, "description")).unwrap_or_default(),
            "parameters": parameters,
            "hooks": [],
            "paginationType": "VENDOR_SUPPORTED",
            "response": {"contentType": "application/json"},
        });
        if let Some(name) = text(self.operation, "operationId") {
            resource["operationId"] = name.into();
        }
        if let Some(key) = list.filter(|key| !key.is_empty()) {
            resource["rootKey"] = format!("|{key}").into();
        }
        if let Some(schema) = body.or(answer) {
            resource["model"] =
                json!({"name": model_name(schema, self.path), "schema": resolve(self.root, schema)});
        }
        resource
    }

    /// The parameters of path and operation, and the schema of the body, as Swagger 2 has it among them.
    fn parameters(&self, warnings: &mut Vec<Fault>) -> (Vec<Value>, Option<&Value>) {
        let mut parameters: Vec<Value> = Vec::new();
        let mut body = None;
        let shared = self.item.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let own = self.operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        for declared in shared.chain(own) {
            let declared = resolve(self.root, declared);
            if declared.get("in").and_then(Value::as_str) == Some("body") {
                body = declared.get("schema");
                parameters.push(self.body_parameter(declared));
                continue;
            }
            match self.parameter(declared) {
                Some(parameter) => {
                    let same = |known: &Value| {
                        known["vendorName"] == parameter["vendorName"]
                            && known["vendorType"] == parameter["vendorType"]
                    };
                    parameters.retain(|known| !same(known));
                    parameters.push(parameter);
                }
                None => warnings.push(Fault {
                    path: self.place.clone(),
                    problem: format!(
                        "the parameter `{}` has no counterpart",
                        text(declared, "name").unwrap_or("?")
                    ),
                    remedy: "set what it carries in a hook".into(),
                }),
            }
        }
        (parameters, body)
    }

    fn parameter(&self, declared: &Value) -> Option<Value> {
        let name = text(declared, "name")?;
        let place = match text(declared, "in")? {
            place @ ("path" | "query" | "header") => place,
            "formData" if declared.get("type").and_then(Value::as_str) == Some("file") => return None,
            "formData" => "form",
            _ => return None,
        };
        let schema = resolve(self.root, declared.get("schema").unwrap_or(declared));
        let ours = if place == "query" && self.method == "get" { our_name(name) } else { name };
        Some(json!({
            "name": ours, "vendorName": name, "type": place, "vendorType": place,
            "dataType": data_type(schema), "vendorDataType": data_type(schema), "source": "request",
            "required": place == "path" || (declared.get("required") == Some(&Value::Bool(true)) && ours == name),
            "description": text(declared, "description").unwrap_or_default(),
        }))
    }

    fn body_parameter(&self, declared: &Value) -> Value {
        let model = model_name(declared.get("schema").unwrap_or(&Value::Null), self.path);
        json!({
            "name": "body", "vendorName": "body", "type": "body", "vendorType": "body", "dataType": model,
            "source": "request", "required": declared.get("required") == Some(&Value::Bool(true)),
            "description": text(declared, "description").unwrap_or_default(),
        })
    }

    /// The body of OpenAPI 3: JSON, or a form whose members become parameters.
    fn request_body<'s>(
        &'s self,
        request: &'s Value,
        parameters: &mut Vec<Value>,
        body: &mut Option<&'s Value>,
        warnings: &mut Vec<Fault>,
    ) {
        let content: Vec<(&String, &Value)> = members(request.get("content")).collect();
        let of_kind =
            |kind: &str| content.iter().find(|(name, _)| name.contains(kind)).map(|(_, value)| *value);
        if let Some(media) = of_kind("json") {
            *body = media.get("schema");
            let required = request.get("required").cloned().unwrap_or(Value::Bool(false));
            parameters
                .push(self.body_parameter(&json!({"schema": media.get("schema"), "required": required})));
        } else if let Some(media) = of_kind("x-www-form-urlencoded") {
            let schema = resolve(self.root, media.get("schema").unwrap_or(&Value::Null));
            for (name, value) in members(schema.get("properties")) {
                parameters.push(json!({
                    "name": name, "vendorName": name, "type": "bodyField", "vendorType": "form",
                    "dataType": data_type(resolve(self.root, value)), "source": "request", "required": false,
                }));
            }
        } else if !content.is_empty() {
            let names: Vec<&str> = content.iter().map(|(name, _)| name.as_str()).collect();
            warnings.push(Fault {
                path: format!("{}.requestBody", self.place),
                problem: format!("a body of {} has no counterpart", names.join(", ")),
                remedy: "write it in a hook as `request_vendor_body`".into(),
            });
        }
    }

    /// The schema of the first successful answer.
    fn answer_schema(&self) -> Option<&Value> {
        let responses = self.operation.get("responses")?;
        let found =
            members(Some(responses)).find(|(status, _)| status.starts_with('2') || *status == "default");
        let response = resolve(self.root, found?.1);
        let content = members(response.get("content")).find(|(name, _)| name.contains("json"));
        response.get("schema").or_else(|| content?.1.get("schema"))
    }

    /// Where a list stands in an answer: empty for the answer itself.
    fn list_place(&self, schema: Option<&Value>) -> Option<String> {
        let schema = resolve(self.root, schema?);
        let is_list = |schema: &Value| {
            let schema = resolve(self.root, schema);
            schema.get("type").and_then(Value::as_str) == Some("array") || schema.get("items").is_some()
        };
        if is_list(schema) {
            return Some(String::new());
        }
        // An object with one list of objects around which only numbers and links stand.
        let ends_in_variable = self.path.trim_end_matches('/').ends_with('}');
        let mut lists = members(schema.get("properties")).filter(|(_, value)| is_list(value));
        match (lists.next(), lists.next()) {
            (Some((name, _)), None) if !ends_in_variable && !name.contains(['.', '[', '|']) => {
                Some(name.clone())
            }
            _ => None,
        }
    }
}

/// Our name of a paging parameter, or its own.
fn our_name(name: &str) -> &str {
    let plain: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.as_str() {
        "page" | "pagenumber" | "pageno" | "pageindex" | "offset" | "skip" | "startindex" | "startat" => {
            "page"
        }
        "limit" | "pagesize" | "perpage" | "maxresults" | "itemsperpage" | "top" => "pageSize",
        "cursor" | "pagetoken" | "nextpagetoken" | "after" | "startingafter" | "continuationtoken" => {
            "nextPage"
        }
        "sort" | "orderby" | "sortby" => "orderBy",
        _ => name,
    }
}

fn data_type(schema: &Value) -> &'static str {
    match text(schema, "type") {
        Some("integer") => "integer",
        Some("number") => "double",
        Some("boolean") => "boolean",
        _ => "string",
    }
}

/// The last word of a reference, or of the path.
fn model_name(schema: &Value, path: &str) -> String {
    let items = schema.get("items").unwrap_or(schema);
    let reference = items.get("$ref").or(schema.get("$ref")).and_then(Value::as_str);
    let named = reference.and_then(|reference| reference.rsplit('/').next());
    let of_path = || path.split('/').rfind(|part| !part.is_empty() && !part.starts_with('{'));
    named.or_else(of_path).unwrap_or("object").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_in_a_circle_end() {
        let root = json!({
            "openapi": "3.0.0", "info": {"title": "Circle"},
            "paths": {"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/p"}]}}},
            "components": {"parameters": {"p": {"$ref": "#/components/parameters/p"}}},
        });
        let imported = import(&root).unwrap();
        assert_eq!(imported.warnings.len(), 1, "{:?}", imported.warnings);
        let resources: Value = serde_json::from_str(imported.document.text()).unwrap();
        assert_eq!(resources["resources"].as_array().unwrap().len(), 1);
    }
}
