//! What can be known of a connector without reading it: its events, its resources, its description as OpenAPI.

use axum::extract::{Path, State};
use http::HeaderMap;
use http::header::HOST;
use turnstone_core::connector::Expand;
use turnstone_core::json_text;
use turnstone_core::openapi::{Description, describe};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::access::Caller;
use super::super::body::Query;
use super::super::error::Answer;
use super::super::{Api, Gone};
use super::stored::{self, Stored};
use super::{JsonText, list_of};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(all))
        .routes(routes!(one))
        .routes(routes!(docs))
        .routes(routes!(transformations))
}

/// Lists the metadata of all connectors.
#[utoipa::path(
    get,
    path = "/elements/metadata",
    tag = "elements",
    operation_id = "listElementMetadata",
    params(("expand" = Option<bool>, Query, description = "`true` shows all settings of the polled resources.")),
    responses((status = 200, body = Vec<Value>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn all(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<JsonText> {
    let (mut found, expand) = (Vec::new(), expand(&query)?);
    for row in api.directory.elements(org).await? {
        let stored = Stored::of(row)?;
        // A connector that is not understood any more says so when it is asked for alone.
        if let Ok(metadata) = metadata(&api, &stored, expand) {
            found.push(metadata);
        }
    }
    Ok(JsonText(list_of(&found)))
}

/// The metadata of a connector: whether and how it has events, and its resources.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/metadata",
    tag = "elements",
    operation_id = "readElementMetadata",
    params(
        ("keyOrId" = String, Path, description = "Key or id."),
        ("expand" = Option<bool>, Query, description = "`true` shows all settings of the polled resources.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn one(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
    query: Query,
) -> Answer<JsonText> {
    let stored = stored::find(&api, org, &element).await?;
    Ok(JsonText(metadata(&api, &stored, expand(&query)?)?))
}

fn expand(query: &Query) -> Answer<Expand> {
    Ok(match query.flag("expand")? {
        true => Expand::Full,
        false => Expand::Names,
    })
}

fn metadata(api: &Api, stored: &Stored, expand: Expand) -> Answer<String> {
    let connector = stored.understood(api)?;
    let text = json_text::with_member(&connector.metadata(expand), "id", &stored.row.id.0.to_string());
    Ok(json_text::with_member(&text, "description", &json_text::quote(&connector.description)))
}

/// A connector's calls as OpenAPI (Swagger 2), for the field's clients and consoles.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/docs",
    tag = "elements",
    operation_id = "describeElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn docs(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
    headers: HeaderMap,
) -> Answer<JsonText> {
    let connector = stored::find(&api, org, &element).await?.understood(&api)?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // A proxy that ends TLS says so; without one the server is reached as it listens.
    let forwarded = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
    let scheme = if forwarded == Some("https") { "https" } else { "http" };
    Ok(JsonText(describe(&connector, Description { title: &connector.name, host, scheme })))
}

/// The default transformations of a connector.
///
/// There are none: an object's mapping belongs to its resources and to instances.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/transformations",
    tag = "elements",
    operation_id = "listElementTransformations",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    responses((status = 200, body = Gone, description = "An empty object.")),
    extensions(("x-right" = json!("reader")))
)]
pub async fn transformations(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
) -> Answer<JsonText> {
    stored::find(&api, org, &element).await?;
    Ok(JsonText("{}".to_owned()))
}
