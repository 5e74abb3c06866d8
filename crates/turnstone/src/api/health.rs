//! Whether the program lives, whether it can work, and its figures.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use super::Api;

/// `GET /health/live`: the process answers.
pub async fn live() -> impl IntoResponse {
    Json(json!({"live": true}))
}

/// `GET /health` and `/health/ready`: the store answers too.
pub async fn ready(State(api): State<Api>) -> impl IntoResponse {
    match api.store.next_due().await {
        Ok(_) => (StatusCode::OK, Json(json!({"live": true, "ready": true}))),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            let answer = json!({"live": true, "ready": false, "reason": "the store does not answer"});
            (StatusCode::SERVICE_UNAVAILABLE, Json(answer))
        }
    }
}

/// `GET /metrics`: the figures as Prometheus reads them.
pub async fn metrics(State(api): State<Api>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], api.metrics.render())
}
