//! The OpenAPI document: what the routes say of themselves, completed with what holds for all of them.
//!
//! It is served at `/openapi.json`, committed as `docs/openapi.json`, and a test compares the two.

use http::Method;
use utoipa::OpenApi as _;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
};

use super::access::{CHANGE_HEADER, Right, Rights};
use super::body::PAGE_SIZE_MAX;
use super::error::ErrorBody;

/// Security schemes by name.
const HEADER: &str = "secrets";
const COOKIE: &str = "session";

/// Statuses whose body is an error, and what they say.
const ERRORS: [(&str, &str); 2] = [
    ("4XX", "The request is wrong, or not allowed, or about nothing that is there."),
    ("5XX", "It could not be done now."),
];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Turnstone",
        description = "Watches APIs that cannot call you, and tells you of every change exactly once.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "elements", description = "Connectors: what a provider offers, and how it is called and polled."),
        (name = "date formats", description = "Formats of dates to choose from."),
        (name = "instances", description = "Connected accounts: what is polled, and whom it tells."),
        (name = "oauth", description = "The way to an authorisation."),
        (name = "hubs", description = "Calls of an instance's resources, through its connector."),
        (name = "pollers", description = "One resource of an instance with its cursor."),
        (name = "monitors", description = "Polling monitors: flows of cards, and the subscriptions that run them."),
        (name = "events", description = "The log of what happened."),
        (name = "deliveries", description = "Notifications, their attempts, their release."),
        (name = "people", description = "Organisations, users, tokens, sessions, and who did what."),
        (name = "server", description = "The server itself."),
    ),
    components(schemas(ErrorBody)),
)]
struct Head;

/// The document before any route is in it.
pub fn head() -> OpenApi {
    Head::openapi()
}

/// Adds to every operation what all of them have: how to authorise, and the shape of errors.
pub fn complete(document: &mut OpenApi) {
    // The router's sign for "the rest of the path" is a plain parameter for everybody else.
    document.paths.paths = std::mem::take(&mut document.paths.paths)
        .into_iter()
        .map(|(path, item)| (path.replace("{*", "{"), item))
        .collect();
    let rights = Rights::of_document(document);
    let components = document.components.get_or_insert_with(|| ComponentsBuilder::new().build());
    let header = ApiKeyValue::with_description(
        "Authorization",
        "Pairs of a kind and a secret: `User <secret>, Organization <secret>[, Element <token>]`.",
    );
    components.add_security_scheme(HEADER, SecurityScheme::ApiKey(ApiKey::Header(header)));
    let words = format!("The cookie of `POST /session`. Changes need the header `{CHANGE_HEADER}` as well.");
    let cookie = ApiKeyValue::with_description("turnstone_session", words.as_str());
    components.add_security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let none: [&str; 0] = [];
    for (path, item) in &mut document.paths.paths {
        let all = [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
            (Method::PATCH, &mut item.patch),
        ];
        for (method, operation) in
            all.into_iter().filter_map(|(method, found)| Some((method, found.as_mut()?)))
        {
            for (statuses, words) in ERRORS {
                let error = || {
                    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
                    ResponseBuilder::new().description(words).content("application/json", content).build()
                };
                operation.responses.responses.entry(statuses.to_owned()).or_insert_with(|| error().into());
            }
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    response.headers.insert("Elements-Request-Id".to_owned(), request_id().into());
                }
            }
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter {
                    said_or_not(parameter);
                }
            }
            let is_public =
                rights.of(&method, path).is_some_and(|operation| operation.right == Right::Public);
            operation.security = Some(match is_public {
                true => Vec::new(),
                false => {
                    vec![SecurityRequirement::new(HEADER, none), SecurityRequirement::new(COOKIE, none)]
                }
            });
        }
    }
}

fn request_id() -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let mut header = Header::new(text);
    header.description = Some("Names the request; the log has it too.".to_owned());
    header
}

/// A parameter is there or is left out; there is no way to write `null` in a query.
fn said_or_not(parameter: &mut Parameter) {
    if !matches!(parameter.parameter_in, ParameterIn::Query | ParameterIn::Header) {
        return;
    }
    let Some(RefOr::T(schema)) = &mut parameter.schema else { return };
    match schema {
        Schema::Object(object) => {
            without_null(&mut object.schema_type);
            // One of ours counts from 0 by its type; those of resource calls are the connectors' own.
            if parameter.name == "pageSize" && object.minimum.is_some() {
                object.minimum = Some(1_u32.into());
                object.maximum = Some(PAGE_SIZE_MAX.into());
            }
            // Positions and ids are counted from 1, and 0 is before all of them.
            let is_integer = object.schema_type == SchemaType::Type(Type::Integer);
            if is_integer && ["nextPage", "after", "before", "instanceId"].contains(&parameter.name.as_str())
            {
                object.minimum = Some(0_u32.into());
            }
        }
        Schema::Array(array) => without_null(&mut array.schema_type),
        _ => {}
    }
}

fn without_null(kind: &mut SchemaType) {
    if let SchemaType::Array(kinds) = kind {
        kinds.retain(|kind| *kind != Type::Null);
        if let [only] = kinds.as_slice() {
            *kind = SchemaType::Type(only.clone());
        }
    }
}
