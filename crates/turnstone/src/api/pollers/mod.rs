//! Pollers of an instance, by resource name: how they are, poll now, pause, explain, and the release of the brake;
//! their cursors (`cursor`), and those of the whole organisation (`all`).

mod all;
mod cursor;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use turnstone_core::date::DateFormat;
use turnstone_core::id::{OrgId, RunId};
use turnstone_core::poll::{self, Batch, Options, Pass, PollerState, RunKind, Start, Status};
use turnstone_core::resource::{ComparedBy, Resource};
use turnstone_engine::driver::{Rehearsal, Tools, rehearse};
use turnstone_engine::egress::Bodies;
use turnstone_store::{InstanceRow, PollerRow, RunFilter};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::access::{Caller, told};
use crate::api::body::{OptionalTyped, Query};
use crate::api::error::{Answer, ApiError};
use crate::api::events::RecordedEvent;
use crate::api::instances::{At, EVENTS_OFF, both};
use crate::api::runs::{self, Decision, Run};

pub use self::all::{PollerOfAll, shown_all};

/// Runs that a poller's answer shows.
const LAST_RUNS: u32 = 5;
/// Pages that a rehearsal reads before it stops.
const REHEARSED_PAGES_MAX: u32 = 20;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    let router = both(OpenApiRouter::new(), routes!(list));
    let router = both(router, routes!(read));
    let router = both(router, routes!(run));
    let router = both(router, routes!(pause, resume));
    let router = both(router, routes!(runs));
    let router = both(router, routes!(confirm_deletes));
    let router = both(router, routes!(explain));
    let router = both(router, routes!(cursor::read, cursor::set));
    let router = both(router, routes!(cursor::list));
    both(router, routes!(cursor::rewind)).routes(routes!(all::list_all))
}

/// One resource of an instance with its cursor.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Poller {
    /// Its id.
    id: i64,
    /// Its instance.
    instance_id: i64,
    /// The resource's name.
    resource: String,
    /// How it is.
    status: PollerStatus,
    /// Why it is paused, if it is.
    paused: Option<String>,
    /// Whether its instance is switched on.
    enabled: bool,
    /// How often it polls.
    interval_seconds: f64,
    /// When it is due.
    #[schema(value_type = String, format = DateTime)]
    next_due: Timestamp,
    /// Number of its configuration.
    revision: i64,
    /// Microseconds since 1970; the number itself where `cursorField` counts.
    watermark: Option<i64>,
    /// The watermark as a date, where it is one.
    #[schema(value_type = Option<String>, format = DateTime)]
    watermark_date: Option<Timestamp>,
    /// The provider's instant up to which everything is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    complete_to: Option<Timestamp>,
    /// How late records arrive.
    lateness: Lateness,
    /// The `pollDelay` in seconds that would have covered every late record so far.
    suggested_poll_delay: Option<u64>,
    /// Failed runs since the last good one.
    failures_in_a_row: u32,
    /// Complete passes.
    passes: u64,
    /// Complete sweeps.
    sweeps: u64,
    /// When the last sweep was complete.
    #[schema(value_type = Option<String>, format = DateTime)]
    swept_at: Option<Timestamp>,
    /// Whether a pass is under way over several runs.
    pass_open: bool,
    /// A sweep that missed too many records, and waits for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    brake: Option<Brake>,
}

/// How a poller is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollerStatus {
    /// `ok`, `starting`, or the code of what is wrong.
    #[schema(example = "ok")]
    code: String,
    /// What is wrong and what helps; empty when all is well.
    sentence: String,
    /// Whether a person is needed.
    needs_attention: bool,
}

impl From<Status> for PollerStatus {
    fn from(status: Status) -> PollerStatus {
        let Status { code, sentence, needs_attention } = status;
        PollerStatus { code, sentence, needs_attention }
    }
}

/// How late records arrive: dated before the start of a pass that did not see them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lateness {
    /// Late records so far.
    count: u64,
    /// The latest by how much.
    worst_seconds: u64,
}

/// A sweep that missed too many records.
#[derive(Debug, Serialize, ToSchema)]
pub struct Brake {
    /// Records missing.
    missing: u64,
    /// Records known.
    known: u64,
    /// A person has said that they are really gone.
    released: bool,
}

/// A poller with its last runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollerWithRuns {
    #[serde(flatten)]
    poller: Poller,
    /// The newest first.
    last_runs: Vec<Run>,
}

/// What a run would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    #[serde(flatten)]
    run: Run,
    /// The resource's name.
    resource: String,
    /// How the poller would be.
    status: PollerStatus,
    /// The watermark as it is.
    watermark_before: Option<i64>,
    /// The watermark as it would be.
    watermark_after: Option<i64>,
    /// What would be recorded.
    events: Vec<RecordedEvent>,
    /// What would be decided about single records.
    decisions: Vec<Decision>,
}

/// Why a poller is paused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// In a person's words; the first 500 characters are kept.
    reason: Option<String>,
}

/// Lists the pollers of an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/pollers",
    tag = "pollers",
    operation_id = "listPollers",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Vec<Poller>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(
    State(api): State<Api>,
    At { caller: Caller { org, .. }, row: instance, .. }: At,
) -> Answer<Json<Vec<Poller>>> {
    let pollers = api.store.pollers(org, Some(instance.id)).await?;
    let mut all = Vec::new();
    // Those of subscriptions have routes of their own.
    for poller in pollers.iter().filter(|poller| poller.subscription.is_none()) {
        all.push(shown(&api, poller, &instance).await);
    }
    Ok(Json(all))
}

/// One poller, with its last runs.
#[utoipa::path(
    get,
    path = "/instances/{id}/pollers/{resource}",
    tag = "pollers",
    operation_id = "readPoller",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name.")
    ),
    responses((status = 200, body = PollerWithRuns)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, at: At) -> Answer<Json<PollerWithRuns>> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    let last = api.store.runs(org, poller.id, LAST_RUNS).await?;
    let poller = shown(&api, &poller, &instance).await;
    Ok(Json(PollerWithRuns { poller, last_runs: last.into_iter().map(Run::from).collect() }))
}

/// Polls now.
#[utoipa::path(
    post,
    path = "/instances/{id}/pollers/{resource}/run",
    tag = "pollers",
    operation_id = "runPoller",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name.")
    ),
    responses((status = 202, body = Poller)),
    extensions(("x-right" = json!("member")))
)]
pub async fn run(State(api): State<Api>, at: At) -> Answer<(StatusCode, Json<Poller>)> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    if !instance.enabled {
        return Err(ApiError::conflict("disabled", "the instance is disabled; enable it first"));
    }
    if let Some(reason) = &poller.paused {
        return Err(ApiError::conflict(
            "paused",
            format!("the poller is paused ({reason}); resume it first"),
        ));
    }
    due_now(&api, org, &poller, &instance).await
}

async fn due_now(
    api: &Api,
    org: OrgId,
    poller: &PollerRow,
    instance: &InstanceRow,
) -> Answer<(StatusCode, Json<Poller>)> {
    api.store.set_due(org, poller.id, api.now(), true).await?;
    (api.wake)();
    let poller = api.store.poller(org, poller.id).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(api, &poller, instance).await)))
}

/// Pauses a poller, with `{"reason": …}` or nothing.
#[utoipa::path(
    put,
    path = "/instances/{id}/pollers/{resource}/paused",
    tag = "pollers",
    operation_id = "pausePoller",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name.")
    ),
    request_body = Option<Pause>,
    responses((status = 200, body = Poller)),
    extensions(("x-right" = json!("member")))
)]
pub async fn pause(
    State(api): State<Api>,
    at: At,
    OptionalTyped(body): OptionalTyped<Pause>,
) -> Answer<Response> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    let reason = match body.and_then(|body| body.reason) {
        None => "a person paused it".to_owned(),
        Some(reason) => reason.chars().filter(|letter| !letter.is_control()).take(500).collect(),
    };
    api.store.pause(org, poller.id, &reason).await?;
    let paused = shown(&api, &api.store.poller(org, poller.id).await?, &instance).await;
    Ok(told(Json(paused), json!({"reason": reason})))
}

/// Goes on, and polls now.
#[utoipa::path(
    delete,
    path = "/instances/{id}/pollers/{resource}/paused",
    tag = "pollers",
    operation_id = "resumePoller",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name.")
    ),
    responses((status = 202, body = Poller)),
    extensions(("x-right" = json!("member")))
)]
pub async fn resume(State(api): State<Api>, at: At) -> Answer<(StatusCode, Json<Poller>)> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    if poller.paused.as_deref().is_some_and(|reason| reason.starts_with(EVENTS_OFF)) {
        let message = "the instance wants no events; set `event.notification.enabled` to true";
        return Err(ApiError::conflict("eventsOff", message));
    }
    due_now(&api, org, &poller, &instance).await
}

/// The runs of a poller, newest first.
#[utoipa::path(
    get,
    path = "/instances/{id}/pollers/{resource}/runs",
    tag = "pollers",
    operation_id = "listRuns",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name."),
        ("before" = Option<String>, Query, description = "Only those before this run, such as `Elements-Next-Page-Token` said."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said.")
    ),
    responses((status = 200, body = Vec<Run>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn runs(State(api): State<Api>, at: At, query: Query) -> Answer<Response> {
    let (instance, poller) = find(&api, at).await?;
    let filter = RunFilter { poller: Some(poller.id), ..runs::asked(&query)? };
    let found = api.watch.run_page(instance.org, &filter).await?;
    let next = runs::next(&found, filter.limit);
    let mut response = Json(found.into_iter().map(Run::from).collect::<Vec<_>>()).into_response();
    runs::paged(&mut response, next);
    Ok(response)
}

/// Confirms what a braked sweep missed.
///
/// The records are really gone: the next sweep looks again and reports them.
#[utoipa::path(
    post,
    path = "/instances/{id}/pollers/{resource}/confirm-deletes",
    tag = "pollers",
    operation_id = "confirmDeletes",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name.")
    ),
    responses((status = 202, body = Poller)),
    extensions(("x-right" = json!("member")))
)]
pub async fn confirm_deletes(State(api): State<Api>, at: At) -> Answer<(StatusCode, Json<Poller>)> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    let mut state = state_of(&poller)?;
    match &mut state.brake {
        None => {
            return Err(ApiError::conflict("notBraked", "no sweep of this poller waits for a confirmation"));
        }
        Some(brake) => brake.released = true,
    }
    state.sweep_next = true;
    api.store.set_state(org, poller.id, &state.write(), poller.watermark, api.now()).await?;
    due_now(&api, org, &poller, &instance).await
}

/// What a run would do now.
///
/// Nothing is written and nothing is sent.
#[utoipa::path(
    get,
    path = "/instances/{id}/pollers/{resource}/explain",
    tag = "pollers",
    operation_id = "explainPoller",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name."),
        ("kind" = Option<String>, Query, description = "`poll` or `sweep`.")
    ),
    responses((status = 200, body = Explanation)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn explain(State(api): State<Api>, at: At, query: Query) -> Answer<Json<Explanation>> {
    let (instance, poller) = find(&api, at).await?;
    let kind = match query.text("kind") {
        None => None,
        Some("poll") => Some(RunKind::Poll),
        Some("sweep") => Some(RunKind::Sweep),
        Some(other) => {
            return Err(ApiError::bad(
                "badParameter",
                format!("`kind` is `{other}`; write `poll` or `sweep`"),
            ));
        }
    };
    let _place = api.rehearsal()?;
    let rehearsal = rehearsed(&api, &instance, &poller, kind).await?;
    let resource = resource_of(&api, &poller, &instance).await;
    let dates = resource.as_ref().and_then(Resource::compared_format);
    Ok(Json(Explanation::of(rehearsal, poller.resource, poller.watermark, dates)))
}

async fn rehearsed(
    api: &Api,
    instance: &InstanceRow,
    poller: &PollerRow,
    kind: Option<RunKind>,
) -> Answer<Rehearsal> {
    let unsound = |error: turnstone_engine::prepare::PrepareError| {
        ApiError::conflict("badConfiguration", error.to_string())
    };
    let now = api.now();
    let prepared = api.preparer.prepare(instance, now).await.map_err(unsound)?;
    let plan = prepared.plan(poller).map_err(unsound)?;
    let connection = prepared.connection(&plan.resource, Bodies::new(&api.budget)).map_err(unsound)?;
    // A provider that may answer "not modified" would leave nothing to explain.
    let state = PollerState { validators: None, ..state_of(poller)? };
    let pass = poller.checkpoint.as_deref().map(Pass::read).transpose().ok().flatten();
    let step = poll::start(Start {
        plan: Arc::clone(&plan),
        state,
        pass,
        run: RunId::new(now, api.entropy.next_u64()),
        now,
        due: poller.next_due,
        entropy: api.entropy.next_u64(),
        options: Options { kind, pages_max: REHEARSED_PAGES_MAX, ..Options::default() },
        notices: None,
    });
    let net = match instance.element {
        Some(_) => api.calls.net(instance.clone(), Arc::clone(&api.tools.net)),
        None => Arc::clone(&api.tools.net),
    };
    let tools = Tools { net, ..api.tools.clone() };
    Ok(rehearse(step, poller.id, &tools, &connection).await?)
}

impl Explanation {
    /// What came of a rehearsal that started from this watermark; its decisions are dated in this format.
    pub fn of(
        rehearsal: Rehearsal,
        resource: String,
        watermark_before: Option<i64>,
        dates: Option<&DateFormat>,
    ) -> Explanation {
        let Rehearsal { batches, finish, .. } = rehearsal;
        let (mut events, mut decisions) = (Vec::new(), Vec::new());
        for batch in batches.into_iter().chain([finish.batch]) {
            let Batch { events: recorded, decisions: decided, .. } = batch;
            events.extend(recorded.iter().map(RecordedEvent::from));
            decisions.extend(decided.into_iter().map(|decision| Decision::from(decision).dated(dates)));
        }
        Explanation {
            run: finish.run.into(),
            resource,
            status: finish.status.into(),
            watermark_before,
            watermark_after: finish.watermark,
            events,
            decisions,
        }
    }
}

/// The instance and the poller of a path.
async fn find(api: &Api, at: At) -> Answer<(InstanceRow, PollerRow)> {
    let pollers = api.store.pollers(at.row.org, Some(at.row.id)).await?;
    let named = |poller: &PollerRow| poller.subscription.is_none() && poller.resource == at.part("resource");
    let poller = pollers.into_iter().find(named);
    Ok((at.row, poller.ok_or_else(|| ApiError::not_found("poller"))?))
}

fn state_of(poller: &PollerRow) -> Answer<PollerState> {
    PollerState::read(&poller.state).map_err(|error| ApiError {
        detail: Some(format!("state of poller {}: {error}", poller.id)),
        ..ApiError::conflict(
            "badState",
            "the poller's state cannot be read by this version; upgrade the program",
        )
    })
}

/// What a poller polls, as it is configured now; nothing for subscriptions, and where that cannot be had.
pub async fn resource_of(api: &Api, poller: &PollerRow, instance: &InstanceRow) -> Option<Resource> {
    if poller.subscription.is_some() {
        return None;
    }
    let connector = api.preparer.connector_of(instance).await.ok().flatten();
    let resources = api.preparer.stored_resources(&instance.document, connector.as_ref(), api.now());
    resources.into_iter().find(|resource| resource.name == poller.resource)
}

/// Whether what a poller compares is a number of `cursorField`, and no date.
async fn counts(api: &Api, poller: &PollerRow, instance: &InstanceRow) -> bool {
    // Without its resource, a number would be shown as a date; the runs tell why it cannot be had.
    let resource = resource_of(api, poller, instance).await;
    resource.is_some_and(|resource| matches!(resource.compared, ComparedBy::Cursor(_)))
}

/// A poller as the API shows it. Its watermark is a date in microseconds, or a number where `cursorField` counts.
async fn shown(api: &Api, poller: &PollerRow, instance: &InstanceRow) -> Poller {
    let state = PollerState::read(&poller.state).unwrap_or_default();
    let counts = counts(api, poller, instance).await;
    let date = poller.watermark.filter(|_| !counts);
    let brake =
        |brake: poll::Brake| Brake { missing: brake.missing, known: brake.known, released: brake.released };
    Poller {
        id: poller.id.0,
        instance_id: poller.instance.0,
        resource: poller.resource.clone(),
        status: poller.status.clone().into(),
        paused: poller.paused.clone(),
        enabled: instance.enabled,
        interval_seconds: poller.interval.as_secs_f64(),
        next_due: poller.next_due,
        revision: poller.revision,
        watermark: poller.watermark,
        watermark_date: date.and_then(|value| Timestamp::from_microsecond(value).ok()),
        complete_to: state.complete_to,
        lateness: Lateness { count: state.lateness.count, worst_seconds: state.lateness.worst_seconds },
        suggested_poll_delay: state.suggested_poll_delay(),
        failures_in_a_row: state.failures,
        passes: state.passes,
        sweeps: state.sweeps,
        swept_at: state.swept_at,
        pass_open: poller.checkpoint.is_some(),
        brake: state.brake.map(brake),
    }
}
