//! The words that instances are found by.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::at::At;
use super::change;
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::Typed;
use crate::api::error::Answer;

/// A tag that is in use.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tag {
    /// The tag.
    tag: String,
    /// How many instances have it.
    count: u64,
}

/// Lists the tags in use, with how many instances have each.
#[utoipa::path(
    get,
    path = "/tags",
    tag = "instances",
    operation_id = "listTags",
    responses((status = 200, body = Vec<Tag>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, caller: Caller) -> Answer<Json<Vec<Tag>>> {
    let tags = api.directory.tags(caller.org).await?;
    Ok(Json(tags.into_iter().map(|tag| Tag { tag: tag.tag, count: tag.instances }).collect()))
}

/// The tags of an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/tags",
    tag = "instances",
    operation_id = "readInstanceTags",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Vec<String>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(at: At) -> Json<Vec<String>> {
    Json(at.row.tags)
}

/// Replaces the tags of an instance.
#[utoipa::path(
    put,
    path = "/instances/{id}/tags",
    tag = "instances",
    operation_id = "replaceInstanceTags",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    request_body = Vec<String>,
    responses((status = 200, body = Vec<String>)),
    extensions(("x-right" = json!("member")))
)]
pub async fn replace(
    State(api): State<Api>,
    at: At,
    Typed(tags): Typed<Vec<String>>,
) -> Answer<Json<Vec<String>>> {
    let row = change::merge_members(&api, &at.caller, at.row, json!({"tags": Value::from(tags)})).await?;
    Ok(Json(row.tags))
}
