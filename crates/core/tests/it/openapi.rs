//! Descriptions become connectors that can be called, and connectors become descriptions.

use proptest::prelude::*;
use serde_json::{Value, json};
use turnstone_core::call::{CallContext, CallRequest, CallStep, start};
use turnstone_core::check::{CheckSettings, Fault};
use turnstone_core::connector::{AuthenticationKind, Connector, ParameterPlace, check};
use turnstone_core::openapi::{Description, describe, import};

use super::connector::{DEALS, REVEL, SAGEONE, SERVICENOW, connector};

const PETS: &str = r##"{
  "swagger": "2.0",
  "info": {"title": "Pet Shop API", "description": "Pets", "version": "1.0"},
  "host": "pets.example.com", "basePath": "/v2/", "schemes": ["http", "https"],
  "securityDefinitions": {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "login": {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "https://pets.example.com/auth",
              "tokenUrl": "https://pets.example.com/token", "scopes": {"read": "", "write": ""}},
    "old": {"type": "oauth2", "flow": "implicit", "authorizationUrl": "https://pets.example.com/auth"}
  },
  "parameters": {"limit": {"name": "limit", "in": "query", "type": "integer"}},
  "paths": {
    "/pets": {
      "get": {
        "operationId": "listPets", "summary": "Lists pets",
        "parameters": [{"$ref": "#/parameters/limit"}, {"name": "offset", "in": "query", "type": "integer"},
                       {"name": "session", "in": "cookie"}, {"name": "X-Trace", "in": "header", "type": "string"}],
        "responses": {"200": {"schema": {"$ref": "#/definitions/PetList"}}}
      },
      "post": {
        "parameters": [{"name": "pet", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Pet"}}],
        "responses": {"201": {"schema": {"$ref": "#/definitions/Pet"}}}
      }
    },
    "/pets/{petId}": {
      "parameters": [{"name": "petId", "in": "path", "required": true, "type": "integer"}],
      "get": {"responses": {"200": {"schema": {"$ref": "#/definitions/Pet"}}}},
      "delete": {"responses": {"204": {}}}
    },
    "/pets/{other}": {"get": {"responses": {}}}
  },
  "definitions": {
    "Pet": {"type": "object", "properties": {"id": {"type": "integer"}, "owner": {"$ref": "#/definitions/Pet"}}},
    "PetList": {"type": "object", "properties": {"pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
                "total": {"type": "integer"}}}
  }
}"##;

const TASKS: &str = r##"{
  "openapi": "3.0.3",
  "info": {"title": "Tasks"},
  "servers": [{"url": "https://{region}.tasks.example.com/v1/", "variables": {"region": {"default": "eu"}}}],
  "components": {
    "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    "schemas": {"Task": {"type": "object", "properties": {"id": {"type": "string"}}}}
  },
  "paths": {
    "/tasks": {
      "get": {"parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}},
                             {"name": "per_page", "in": "query", "schema": {"type": "integer"}},
                             {"name": "updated_since", "in": "query", "schema": {"type": "string"}}],
              "responses": {"200": {"content": {"application/json": {"schema": {"type": "array",
                  "items": {"$ref": "#/components/schemas/Task"}}}}}}},
      "post": {"requestBody": {"required": true, "content": {"application/json": {"schema":
                  {"$ref": "#/components/schemas/Task"}}}}, "responses": {}},
      "put": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema":
                  {"properties": {"name": {"type": "string"}, "done": {"type": "boolean"}}}}}}, "responses": {}},
      "patch": {"requestBody": {"content": {"application/xml": {}}}, "responses": {}}
    }
  }
}"##;

fn read(text: &str) -> (Connector, Vec<String>) {
    let imported = import(&serde_json::from_str(text).unwrap()).unwrap();
    let checked = check(&imported.document, &CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap()));
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    (checked.connector.unwrap(), imported.warnings.iter().map(Fault::to_string).collect())
}

fn sent(connector: &Connector, settings: &[(&str, &str)], request: &str) -> String {
    let own = settings.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let context = CallContext {
        connector: connector.clone().into(),
        settings: connector.settings(&own),
        instance: 1,
        request_id: "r".into(),
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
        nonce: "n".into(),
    };
    match start(context, CallRequest::get(request)) {
        CallStep::Fetch(request, _) => request.url,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_swagger_2_document_becomes_a_connector() {
    let (pets, warnings) = read(PETS);
    assert_eq!((pets.key.as_str(), pets.name.as_str()), ("petshopapi", "Pet Shop API"));
    assert_eq!(pets.authentication, AuthenticationKind::OAuth2);
    assert_eq!(pets.entry("oauth.scope").unwrap().default.as_deref(), Some("read write"));
    assert_eq!(pets.resources.len(), 4);
    assert_eq!(pets.resources[0].root_key.as_deref(), Some("|pets"));
    assert_eq!(pets.resources[0].operation_id.as_deref(), Some("listPets"));
    assert_eq!(pets.resources[1].parameters[0].place, ParameterPlace::Body);
    let token = [("oauth.user.token", "t")];
    assert_eq!(
        sent(&pets, &token, "/hubs/general/pets?pageSize=5&page=3&where=kind%3D'dog'"),
        "https://pets.example.com/v2/pets?limit=5&offset=10&kind=dog"
    );
    assert_eq!(sent(&pets, &token, "/pets/7"), "https://pets.example.com/v2/pets/7");
    assert_eq!(
        warnings,
        [
            "paths.\"/pets\".get: the parameter `session` has no counterpart; set what it carries in a hook",
            "paths.\"/pets/{other}\": another path answers the same calls; add it by hand under another path",
            "securityDefinitions.old: this way of signing in has no counterpart; set the connector's `authentication` and \
             its parameters by hand",
            "securityDefinitions.key: a connector has one way of signing in, and it is `login`; change the connector's \
             `authentication` if this one is wanted",
        ]
    );
}

#[test]
fn an_openapi_3_document_becomes_a_connector() {
    let (tasks, warnings) = read(TASKS);
    assert_eq!(tasks.authentication, AuthenticationKind::ApiKey);
    assert_eq!(tasks.entry("region").unwrap().default.as_deref(), Some("eu"));
    let key = [("api.key", "k")];
    assert_eq!(
        sent(&tasks, &key, "/tasks?page=2&pageSize=50&where=updated_since%3D'2020'"),
        "https://eu.tasks.example.com/v1/tasks?page=2&per_page=50&updated_since=2020"
    );
    assert_eq!(tasks.resources[2].parameters[1].vendor_place, ParameterPlace::Form);
    assert_eq!(
        warnings,
        [
            "paths.\"/tasks\".patch.requestBody: a body of application/xml has no counterpart; write it in a hook as \
          `request_vendor_body`"
        ]
    );
}

#[test]
fn what_is_no_description_is_refused() {
    let fault = |value: Value| import(&value).unwrap_err().to_string();
    let no = "the document has neither `\"swagger\": \"2.0\"` nor `\"openapi\": \"3.…\"`; send an OpenAPI description";
    assert_eq!(fault(json!([])), no);
    assert_eq!(fault(json!({"swagger": "1.2"})), no);
    assert_eq!(
        fault(json!({"swagger": "2.0", "paths": {}})),
        "the description has no `paths`; describe at least one operation"
    );
    let paths: serde_json::Map<String, Value> =
        (0..5_001).map(|number| (format!("/p{number}"), json!({"get": {}}))).collect();
    assert_eq!(
        fault(json!({"openapi": "3.1.0", "paths": paths})),
        "the description has 5001 operations, more than 5000; split it"
    );
}

#[test]
fn connectors_are_described() {
    for text in [REVEL, SERVICENOW, DEALS, SAGEONE] {
        let connector = connector(text);
        let described =
            describe(&connector, Description { title: "My account", host: "t.example.com", scheme: "https" });
        let value: Value = serde_json::from_str(&described).unwrap();
        assert_eq!((&value["swagger"], &value["host"]), (&json!("2.0"), &json!("t.example.com")));
        let paths = value["paths"].as_object().unwrap();
        assert!(paths.keys().all(|path| path.starts_with('/') && !path.contains("onProvision")), "{paths:?}");
        for operation in paths.values().flat_map(|item| item.as_object().unwrap().values()) {
            for parameter in operation["parameters"].as_array().unwrap() {
                assert!(parameter["name"].is_string() && parameter["in"].is_string(), "{parameter}");
            }
        }
        assert!(!described.contains("oauth.user.token"), "mapped configuration is nobody's parameter");
        // Every reference leads somewhere.
        for (at, _) in described.match_indices("#/definitions/") {
            let name = described[at + 14..].split('"').next().unwrap();
            assert!(value["definitions"].get(name).is_some(), "{name}");
        }
        // And what is described can be imported again.
        import(&value).unwrap();
    }
    let revel: Value = serde_json::from_str(&describe(
        &connector(REVEL),
        Description { title: "Revel", host: "", scheme: "https" },
    ))
    .unwrap();
    let list = &revel["paths"]["/employees"]["get"];
    let names: Vec<&str> =
        list["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["where", "page", "pageSize", "orderBy"]);
    assert_eq!(list["responses"]["200"]["schema"]["items"]["$ref"], "#/definitions/employees");
}

proptest! {
    #[test]
    fn any_document_is_imported_or_refused(text in openapi_like(4)) {
        let value: Value = serde_json::from_str(&text).unwrap();
        for head in [json!({"swagger": "2.0"}), json!({"openapi": "3.0.0"})] {
            let mut root = value.clone();
            if let (Value::Object(root), Value::Object(head)) = (&mut root, head) {
                root.extend(head);
            }
            if let Ok(imported) = import(&root) {
                let settings = CheckSettings::new("2026-01-01T00:00:00Z".parse().unwrap());
                let checked = check(&imported.document, &settings);
                if let Some(connector) = checked.connector {
                    let described = describe(&connector, Description { title: "t", host: "", scheme: "https" });
                    prop_assert!(serde_json::from_str::<Value>(&described).is_ok());
                }
            }
        }
    }
}

fn openapi_like(depth: u32) -> impl Strategy<Value = String> {
    let names = proptest::sample::select(vec![
        "paths",
        "get",
        "post",
        "parameters",
        "in",
        "name",
        "schema",
        "$ref",
        "type",
        "items",
        "properties",
        "responses",
        "200",
        "/a/{b}",
        "/a",
        "servers",
        "url",
        "variables",
        "info",
        "title",
        "securityDefinitions",
        "components",
        "securitySchemes",
        "flows",
        "flow",
        "requestBody",
        "content",
        "application/json",
        "host",
        "basePath",
    ]);
    let words = proptest::sample::select(vec![
        "\"query\"",
        "\"path\"",
        "\"body\"",
        "\"array\"",
        "\"object\"",
        "\"#/paths\"",
        "\"#\"",
        "\"oauth2\"",
        "\"b\"",
        "\"accessCode\"",
        "\"https://{x}.example.com\"",
        "null",
        "7",
        "true",
        "\"\"",
        "\"a.b[\"",
    ]);
    let leaf = words.prop_map(str::to_string);
    leaf.prop_recursive(depth + 3, 90, 7, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            4 => proptest::collection::vec((names.clone(), inner), 0..7).prop_map(|members| {
                let member = |(name, value): &(&str, String)| format!("{name:?}:{value}");
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }),
        ]
    })
}
