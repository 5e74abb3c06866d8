//! What an instance can be called with, as a description that clients and consoles read.

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use http::header::HOST;
use serde_json::Value;
use turnstone_core::openapi::{Description, describe};

use super::at::At;
use super::element::of_row;
use crate::api::Api;
use crate::api::error::{Answer, ApiError};

/// Describes the resources of an instance.
///
/// An OpenAPI document (Swagger 2) of what its connector can be called with.
#[utoipa::path(
    get,
    path = "/instances/{id}/docs",
    tag = "instances",
    operation_id = "readInstanceDocs",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, at: At, headers: HeaderMap) -> Answer<Json<Value>> {
    let Some(chosen) = of_row(&api, &at.row).await? else {
        let message =
            "the instance brings its own settings, so it has no resources to call; make it from a connector";
        return Err(ApiError::new(http::StatusCode::NOT_FOUND, "noConnector", message));
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let forwarded = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
    let scheme = if forwarded == Some("https") { "https" } else { "http" };
    let text = describe(&chosen.connector, Description { title: &at.row.name, host, scheme });
    serde_json::from_str(&text).map(Json).map_err(|error| ApiError {
        detail: Some(error.to_string()),
        ..ApiError::conflict("badConnector", "the connector cannot be described; correct its models")
    })
}
