//! Whether the program lives, whether it can work, and its figures.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::error::{Answer, ApiError};
use super::people::is_first;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(ready_too))
        .routes(routes!(metrics))
}

/// Whether the server works.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// The process answers.
    live: bool,
    /// The store answers too.
    ready: bool,
    /// What is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Whether the process answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Life {
    /// It does.
    live: bool,
}

/// Whether the process answers.
#[utoipa::path(get, path = "/health/live", tag = "server", operation_id = "isLive",
    responses((status = 200, body = Life)), extensions(("x-right" = json!("public"))))]
pub async fn live() -> impl IntoResponse {
    Json(Life { live: true })
}

/// Whether the store answers too.
#[utoipa::path(get, path = "/health", tag = "server", operation_id = "isHealthy",
    responses((status = 200, body = Health), (status = 503, body = Health)),
    extensions(("x-right" = json!("public"))))]
pub async fn ready_too(state: State<Api>) -> impl IntoResponse {
    ready(state).await
}

/// Whether the store answers too.
#[utoipa::path(get, path = "/health/ready", tag = "server", operation_id = "isReady",
    responses((status = 200, body = Health), (status = 503, body = Health)),
    extensions(("x-right" = json!("public"))))]
pub async fn ready(State(api): State<Api>) -> impl IntoResponse {
    match api.store.next_due().await {
        Ok(_) => (StatusCode::OK, Json(Health { live: true, ready: true, reason: None })),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            let reason = Some("the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, Json(Health { live: true, ready: false, reason }))
        }
    }
}

/// The figures as Prometheus reads them.
///
/// They are of the whole server, and so for those who run it: users of its first organisation.
#[utoipa::path(get, path = "/metrics", tag = "server", operation_id = "readMetrics",
    responses((status = 200, content_type = "text/plain", body = String)),
    extensions(("x-right" = json!("reader"))))]
pub async fn metrics(State(api): State<Api>, caller: Caller) -> Answer<impl IntoResponse> {
    if !is_first(&api.directory.orgs().await?, caller.org) {
        let message = "the figures are of the whole server; they are for users of its first organisation";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "notAllowed", message));
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], api.metrics.render()))
}
