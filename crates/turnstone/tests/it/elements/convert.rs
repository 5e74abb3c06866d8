//! Connectors made of API descriptions.

use serde_json::{Value, json};

use super::world::World;

const SWAGGER: &str = r#"{"swagger": "2.0", "info": {"title": "Pet Shop", "version": "1"}, "host": "api.pets.test", "basePath": "/v1",
    "schemes": ["https"], "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}, "security": [{"key": []}],
    "paths": {"/pets": {"get": {"summary": "All pets", "parameters": [{"name": "limit", "in": "query", "type": "integer"}],
        "responses": {"200": {"description": "ok", "schema": {"type": "array", "items": {"type": "object"}}}}}},
        "/pets/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "type": "string"}], "responses": {"200": {"description": "ok"}}}}}}"#;

const OPENAPI: &str = "openapi: 3.0.3
info: {title: Tasks, version: '1'}
servers: [{url: 'https://{tenant}.tasks.test/api', variables: {tenant: {default: acme}}}]
components:
  securitySchemes:
    login: {type: oauth2, flows: {authorizationCode: {authorizationUrl: 'https://login.test/a', tokenUrl: 'https://login.test/t', scopes: {}}}}
security: [{login: []}]
paths:
  /tasks:
    get: {operationId: listTasks, responses: {'200': {description: ok}}}
    post: {operationId: addTask, requestBody: {content: {application/json: {schema: {type: object}}}}, responses: {'200': {description: ok}}}
";

fn form(name: &str, content: &str) -> (String, Vec<u8>) {
    let body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--cut\r\nContent-Disposition: form-data; \
         name=\"{name}\"; filename=\"api.json\"\r\nContent-Type: application/octet-stream\r\n\r\n{content}\r\n--cut--\r\n"
    );
    ("multipart/form-data; boundary=cut".to_owned(), body.into_bytes())
}

#[test]
fn what_comes_of_a_description_imports() {
    let world = World::new();
    let path = "/elements/convert?type=swagger";
    let (kind, body) = form("file", SWAGGER);
    let made = world.typed("POST", path, &kind, &body).expect(200);
    assert_eq!((&made["name"], &made["key"]), (&json!("Pet Shop"), &json!("petshop")));
    assert_eq!(world.get("/elements").json(), json!([]), "it is not stored");
    let bare: Vec<Value> = vec![
        world.typed("POST", path, "application/json", SWAGGER.as_bytes()).expect(200),
        world.typed("POST", "/elements/convert", "application/json", SWAGGER.as_bytes()).expect(200),
        {
            let (kind, body) = form("api", SWAGGER);
            world.typed("POST", path, &kind, &body).expect(200)
        },
    ];
    assert!(bare.iter().all(|other| other == &made));
    let stored = world.import(&made.to_string());
    assert_eq!(stored["resources"].as_array().unwrap().len(), 2, "{stored}");
    assert_eq!(stored["authentication"]["type"], "apiKey");
    assert!(!world.get("/elements/petshop/export").body.contains("warnings"));

    for kind in ["application/yaml", "text/yaml"] {
        let made = world.typed("POST", path, kind, OPENAPI.as_bytes()).expect(200);
        assert_eq!((&made["key"], &made["authentication"]["type"]), (&json!("tasks"), &json!("oauth2")));
    }
    let (kind, body) = form("file", OPENAPI);
    let made = world.typed("POST", path, &kind, &body).expect(200);
    let stored = world.import(&made.to_string());
    let docs = world.get(&format!("/elements/{}/docs", stored["key"].as_str().unwrap())).expect(200);
    assert!(docs["paths"].as_object().unwrap().keys().any(|path| path.ends_with("/tasks")), "{docs}");
}

#[test]
fn what_is_no_description_is_refused() {
    let world = World::new();
    for (path, kind, body, status) in [
        ("/elements/convert?type=swagger", "application/json", "", 400),
        ("/elements/convert?type=swagger", "application/json", "{", 400),
        ("/elements/convert?type=swagger", "application/json", "{}", 400),
        ("/elements/convert?type=swagger", "application/json", "[1]", 400),
        ("/elements/convert?type=swagger", "application/yaml", "a: [", 400),
        ("/elements/convert?type=swagger", "application/json", r#"{"openapi": "3.0.0", "paths": {}}"#, 400),
        ("/elements/convert?type=soap", "application/json", SWAGGER, 400),
        ("/elements/convert?type=magic", "application/json", SWAGGER, 400),
        ("/elements/convert?type=swagger", "multipart/form-data", "x", 400),
        ("/elements/convert?type=swagger", "multipart/form-data; boundary=cut", "--cut--\r\n", 400),
        ("/elements/convert?type=swagger", "multipart/form-data; boundary=cut", "nothing", 400),
        ("/elements/convert?type=swagger", "application/x-www-form-urlencoded", "file=x", 415),
    ] {
        let answer = world.typed("POST", path, kind, body.as_bytes());
        assert_eq!(answer.status, status, "{path} {kind} {body}: {}", answer.body);
        assert!(!answer.json()["message"].as_str().unwrap().is_empty());
    }
}
