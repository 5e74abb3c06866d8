//! Runs: what a poller did, counted, told, and with the single decisions.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use turnstone_core::id::RunId;
use turnstone_core::poll::{Decision, RunRecord, Verdict};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::error::{Answer, ApiError};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read))
}

/// One run with its single decisions.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    tag = "pollers",
    operation_id = "readRun",
    params(
        ("id" = String, Path, description = "The run's id.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Value>> {
    let id: RunId = id.parse().map_err(|_| ApiError::not_found("run"))?;
    let (run, decisions) = api.store.run(org, id).await?;
    let mut shown = shown(&run);
    shown["decisions"] = decisions.iter().map(decision).collect();
    Ok(Json(shown))
}

/// A run as the API shows it.
pub fn shown(run: &RunRecord) -> Value {
    json!({
        "id": run.id,
        "pollerId": run.poller,
        "kind": run.kind.as_str(),
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "outcome": run.outcome.as_str(),
        "error": run.error,
        "counts": run.counts,
        "window": {"from": run.story.lower_bound, "to": run.story.provider_time},
        "clockSkewMs": run.story.clock_skew_ms,
        "requests": run.story.requests,
        "notes": run.story.notes,
        "completeTo": run.story.complete_to,
    })
}

/// A decision as the API shows it.
pub fn decision(decision: &Decision) -> Value {
    let (verdict, ignored) = match decision.verdict {
        Verdict::Event(event_type) => (event_type.as_str(), None),
        Verdict::Seeded => ("SEEDED", None),
        Verdict::Ignored(reason) => ("IGNORED", Some(reason.as_str())),
    };
    json!({
        "objectId": decision.object_id,
        "verdict": verdict,
        "ignored": ignored,
        "reason": decision.reason,
        "compared": decision.compared,
        "page": decision.page,
    })
}
