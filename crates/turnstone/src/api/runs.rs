//! Runs: what a poller did, counted, told, and with the single decisions.

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use turnstone_core::id::RunId;
use turnstone_core::poll::{RunFault, RunRecord, Verdict};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::error::{Answer, ApiError};
use super::monitors::{CardError, TraceBody};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(trace))
}

/// One sitting of a poller.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The run's id.
    #[schema(value_type = String, example = "run_000sgd55y9j9as69x6xakyqqhw")]
    id: RunId,
    /// Its poller.
    poller_id: i64,
    /// `poll` reads what changed, `sweep` reads everything, `look` reads single records that notifications named,
    /// `flow` carries out a monitor.
    #[schema(example = "poll")]
    kind: &'static str,
    /// Our clock at its start.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Our clock at its end.
    #[schema(value_type = String, format = DateTime)]
    finished_at: Timestamp,
    /// `completed`, `yielded` (the pass goes on in the next run) or `failed`.
    #[schema(example = "completed")]
    outcome: &'static str,
    /// What went wrong, if anything.
    error: Option<RunError>,
    /// What was decided, counted.
    counts: Counts,
    /// What was asked for.
    window: Window,
    /// Our clock minus the provider's.
    clock_skew_ms: Option<i64>,
    /// The first requests, in order.
    requests: Vec<String>,
    /// Remarks.
    notes: Vec<String>,
    /// The provider's instant up to which everything is known after it.
    #[schema(value_type = Option<String>, format = DateTime)]
    complete_to: Option<Timestamp>,
}

/// What went wrong in a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunError {
    /// For programs.
    #[schema(example = "unreachable")]
    code: String,
    /// A sentence that names the place and the remedy.
    message: String,
    /// Whether trying again without a person may help.
    transient: bool,
}

/// What a run decided, counted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Pages fetched.
    pages: u64,
    /// Records read, repeats included.
    records: u64,
    /// CREATED events.
    created: u64,
    /// UPDATED events.
    updated: u64,
    /// DELETED events.
    deleted: u64,
    /// Versions taken as known without an event.
    seeded: u64,
    /// Ignored: reported already.
    reported: u64,
    /// Ignored: older than the window.
    before_window: u64,
    /// Ignored: replaced by a later version that was reported.
    superseded: u64,
    /// Ignored: no id, or unreadable.
    quarantined: u64,
    /// Ignored by configuration.
    filtered: u64,
    /// Events of records that a notification of the provider had named.
    announced: u64,
    /// Events that a poll found and no notification had named, where the provider is to notify us.
    unannounced: u64,
}

/// The span of time that a run asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Window {
    /// Its lower bound.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The provider's time at the start of the pass.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// What was decided about one record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The record's id as the provider wrote it; empty when it has none.
    object_id: String,
    /// The event's type, `SEEDED` or `IGNORED`.
    #[schema(example = "IGNORED")]
    verdict: &'static str,
    /// Why it was ignored, for programs.
    #[schema(example = "reported")]
    ignored: Option<&'static str>,
    /// Why, in words.
    reason: String,
    /// The compared value as the provider wrote it.
    compared: String,
    /// The page of the pass, from 1.
    page: u32,
}

/// A run with its single decisions.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunWithDecisions {
    #[serde(flatten)]
    run: Run,
    /// What was decided about single records.
    decisions: Vec<Decision>,
}

/// What the cards of a monitor's run did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunTrace {
    #[serde(flatten)]
    trace: TraceBody,
    /// Cards that ran.
    cards_run: u64,
    /// Requests that were sent.
    requests: u64,
    /// Remarks.
    notes: Vec<String>,
    /// The cursor that it started from.
    #[schema(value_type = serde_json::Value)]
    cursor_before: Option<Box<RawValue>>,
    /// The cursor after it.
    #[schema(value_type = serde_json::Value)]
    cursor_after: Option<Box<RawValue>>,
    /// What went wrong, if anything.
    error: Option<RunError>,
    /// The card that ended the run, with the provider's own words.
    failed_card: Option<CardError>,
}

/// The same as it is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KeptTrace {
    trace: TraceBody,
    cards: u64,
    requests: u64,
    notes: Vec<String>,
    cursor_before: Option<Box<RawValue>>,
    cursor_after: Option<Box<RawValue>>,
    error: Option<RunFault>,
    failed_card: Option<CardError>,
}

impl From<KeptTrace> for RunTrace {
    fn from(kept: KeptTrace) -> RunTrace {
        RunTrace {
            trace: kept.trace.opened(),
            cards_run: kept.cards,
            requests: kept.requests,
            notes: kept.notes,
            cursor_before: kept.cursor_before,
            cursor_after: kept.cursor_after,
            error: kept.error.map(RunError::from),
            failed_card: kept.failed_card,
        }
    }
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
    responses((status = 200, body = RunWithDecisions)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<RunWithDecisions>> {
    let id: RunId = id.parse().map_err(|_| ApiError::not_found("run"))?;
    let (run, decisions) = api.store.run(org, id).await?;
    let decisions = decisions.into_iter().map(Decision::from).collect();
    Ok(Json(RunWithDecisions { run: run.into(), decisions }))
}

/// What the cards of a monitor's run did: inputs, outputs, times and errors.
///
/// Of each subscription the last 50 runs are kept; 404 for others, and for runs of no monitor.
#[utoipa::path(
    get,
    path = "/runs/{id}/trace",
    tag = "monitors",
    operation_id = "readTrace",
    params(
        ("id" = String, Path, description = "The run's id.")
    ),
    responses((status = 200, body = RunTrace)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn trace(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<RunTrace>> {
    let id: RunId = id.parse().map_err(|_| ApiError::not_found("run"))?;
    let trace = api.monitors.trace(org, id).await?.ok_or_else(|| ApiError::not_found("trace"))?;
    let kept: KeptTrace = serde_json::from_str(&trace).map_err(|error| ApiError {
        detail: Some(format!("trace of run {id}: {error}")),
        ..ApiError::conflict("badTrace", "what is kept of the run cannot be read by this version")
    })?;
    Ok(Json(kept.into()))
}

impl From<RunRecord> for Run {
    fn from(run: RunRecord) -> Run {
        Run {
            id: run.id,
            poller_id: run.poller.0,
            kind: run.kind.as_str(),
            started_at: run.started_at,
            finished_at: run.finished_at,
            outcome: run.outcome.as_str(),
            error: run.error.map(RunError::from),
            counts: run.counts.into(),
            window: Window { from: run.story.lower_bound, to: run.story.provider_time },
            clock_skew_ms: run.story.clock_skew_ms,
            requests: run.story.requests,
            notes: run.story.notes,
            complete_to: run.story.complete_to,
        }
    }
}

impl From<RunFault> for RunError {
    fn from(fault: RunFault) -> RunError {
        let RunFault { code, message, transient } = fault;
        RunError { code, message, transient }
    }
}

impl From<turnstone_core::ledger::Counts> for Counts {
    fn from(counts: turnstone_core::ledger::Counts) -> Counts {
        Counts {
            pages: counts.pages,
            records: counts.records,
            created: counts.created,
            updated: counts.updated,
            deleted: counts.deleted,
            seeded: counts.seeded,
            reported: counts.reported,
            before_window: counts.before_window,
            superseded: counts.superseded,
            quarantined: counts.quarantined,
            filtered: counts.filtered,
            announced: counts.announced,
            unannounced: counts.unannounced,
        }
    }
}

impl From<turnstone_core::poll::Decision> for Decision {
    fn from(decision: turnstone_core::poll::Decision) -> Decision {
        let (verdict, ignored) = match decision.verdict {
            Verdict::Event(event_type) => (event_type.as_str(), None),
            Verdict::Seeded => ("SEEDED", None),
            Verdict::Ignored(reason) => ("IGNORED", Some(reason.as_str())),
        };
        Decision {
            object_id: decision.object_id,
            verdict,
            ignored,
            reason: decision.reason,
            compared: decision.compared,
            page: decision.page,
        }
    }
}
