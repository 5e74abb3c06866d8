//! How long things are kept. Whoever runs the server decides it, at its start; everybody may know it.
//!
//! Not here: removing what is older (the engine's `keeper`).

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use turnstone_engine::keeper::DAY;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read))
}

/// How long things are kept, in days.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionDays {
    /// Events. One that waits for its delivery stays until it is there.
    #[schema(example = 30)]
    events: u64,
    /// Runs, with what they decided.
    #[schema(example = 14)]
    runs: u64,
    /// Attempts of deliveries.
    #[schema(example = 30)]
    attempts: u64,
    /// Providers' webhooks as they came, once they are settled; never shorter than an event that came of them.
    #[schema(example = 7)]
    webhooks: u64,
    /// What is known of a record after it was deleted. If it comes back later, it is CREATED again all the same.
    #[schema(example = 30)]
    deleted_records: u64,
}

/// How long things are kept.
#[utoipa::path(
    get,
    path = "/retention",
    tag = "server",
    operation_id = "readRetention",
    responses((status = 200, body = RetentionDays)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, _: Caller) -> Json<RetentionDays> {
    let days = |kept: Duration| kept.as_secs() / DAY.as_secs();
    Json(RetentionDays {
        events: days(api.kept.events),
        runs: days(api.kept.runs),
        attempts: days(api.kept.attempts),
        webhooks: days(api.kept.requests),
        deleted_records: days(api.kept.deleted_entries),
    })
}
