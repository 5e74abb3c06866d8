//! Pollers of an instance, by resource name: how they are, poll now, pause, explain, and the release of the brake.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};
use turnstone_core::id::{OrgId, RunId};
use turnstone_core::poll::{self, Options, Pass, PollerState, RunKind, Start};
use turnstone_core::resource::ComparedBy;
use turnstone_engine::driver::{Rehearsal, Tools, rehearse};
use turnstone_engine::egress::Bodies;
use turnstone_store::{InstanceRow, PollerRow};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::Caller;
use super::body::{OptionalBody, Query};
use super::error::{Answer, ApiError};
use super::instances::{At, EVENTS_OFF, both};
use super::{Api, runs};

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
    both(router, routes!(explain))
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
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(
    State(api): State<Api>,
    At { caller: Caller { org, .. }, row: instance, .. }: At,
) -> Answer<Json<Value>> {
    let pollers = api.store.pollers(org, Some(instance.id)).await?;
    let mut all = Vec::new();
    for poller in &pollers {
        all.push(shown(&api, poller, &instance).await);
    }
    Ok(Json(Value::Array(all)))
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
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, at: At) -> Answer<Json<Value>> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    let last = api.store.runs(org, poller.id, LAST_RUNS).await?;
    let mut shown = shown(&api, &poller, &instance).await;
    shown["lastRuns"] = last.iter().map(runs::shown).collect();
    Ok(Json(shown))
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
    responses((status = 202, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn run(State(api): State<Api>, at: At) -> Answer<(StatusCode, Json<Value>)> {
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
) -> Answer<(StatusCode, Json<Value>)> {
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
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn pause(State(api): State<Api>, at: At, OptionalBody(body): OptionalBody) -> Answer<Json<Value>> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    let reason = match body.as_ref().map(|body| &body["reason"]) {
        None | Some(Value::Null) => "a person paused it".to_owned(),
        Some(Value::String(reason)) => {
            reason.chars().filter(|letter| !letter.is_control()).take(500).collect()
        }
        Some(_) => return Err(ApiError::bad("badDocument", "`reason` is not a text; write it in quotes")),
    };
    api.store.pause(org, poller.id, &reason).await?;
    Ok(Json(shown(&api, &api.store.poller(org, poller.id).await?, &instance).await))
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
    responses((status = 202, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn resume(State(api): State<Api>, at: At) -> Answer<(StatusCode, Json<Value>)> {
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
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn runs(State(api): State<Api>, at: At, query: Query) -> Answer<Json<Value>> {
    let (instance, poller) = find(&api, at).await?;
    let org = instance.org;
    let found = api.store.runs(org, poller.id, query.page_size()?).await?;
    Ok(Json(found.iter().map(runs::shown).collect()))
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
    responses((status = 202, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn confirm_deletes(State(api): State<Api>, at: At) -> Answer<(StatusCode, Json<Value>)> {
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
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn explain(State(api): State<Api>, at: At, query: Query) -> Answer<Json<Value>> {
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
    let Ok(_place) = api.rehearsals().try_acquire() else {
        let message = "other rehearsals are under way; try again in a moment";
        return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", message));
    };
    let rehearsal = rehearsed(&api, &instance, &poller, kind).await?;
    Ok(Json(told(&rehearsal, &poller)))
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
    });
    let net = match instance.element {
        Some(_) => api.calls.net(instance.clone(), Arc::clone(&api.tools.net)),
        None => Arc::clone(&api.tools.net),
    };
    let tools = Tools { net, ..api.tools.clone() };
    Ok(rehearse(step, poller.id, &tools, &connection).await?)
}

fn told(rehearsal: &Rehearsal, poller: &PollerRow) -> Value {
    let finish = &rehearsal.finish;
    let batches = rehearsal.batches.iter().chain([&finish.batch]);
    let mut events = Vec::new();
    let mut decisions = Vec::new();
    for batch in batches {
        let line =
            |event| serde_json::from_str::<Value>(&turnstone_core::event::line(event)).unwrap_or(Value::Null);
        events.extend(batch.events.iter().map(line));
        decisions.extend(batch.decisions.iter().map(runs::decision));
    }
    let mut told = runs::shown(&finish.run);
    told["resource"] = json!(poller.resource);
    told["status"] = json!(finish.status);
    told["watermarkBefore"] = json!(poller.watermark);
    told["watermarkAfter"] = json!(finish.watermark);
    told["events"] = json!(events);
    told["decisions"] = json!(decisions);
    told
}

/// The instance and the poller of a path.
async fn find(api: &Api, at: At) -> Answer<(InstanceRow, PollerRow)> {
    let pollers = api.store.pollers(at.row.org, Some(at.row.id)).await?;
    let poller = pollers.into_iter().find(|poller| poller.resource == at.part("resource"));
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

/// A poller as the API shows it. Its watermark is a date in microseconds, or a number where `cursorField` counts.
async fn shown(api: &Api, poller: &PollerRow, instance: &InstanceRow) -> Value {
    let state = PollerState::read(&poller.state).unwrap_or_default();
    // Without it, a number would be shown as a date; the runs tell why it cannot be had.
    let connector = api.preparer.connector_of(instance).await.ok().flatten();
    let resources = api.preparer.stored_resources(&instance.document, connector.as_ref(), api.now());
    let resource = resources.iter().find(|resource| resource.name == poller.resource);
    let counts = resource.is_some_and(|resource| matches!(resource.compared, ComparedBy::Cursor(_)));
    let date = poller.watermark.filter(|_| !counts);
    let mut shown = json!({
        "id": poller.id,
        "instanceId": poller.instance,
        "resource": poller.resource,
        "status": poller.status,
        "paused": poller.paused,
        "enabled": instance.enabled,
        "intervalSeconds": poller.interval.as_secs_f64(),
        "nextDue": poller.next_due,
        "revision": poller.revision,
        "watermark": poller.watermark,
        "watermarkDate": date.and_then(|value| jiff::Timestamp::from_microsecond(value).ok()),
        "completeTo": state.complete_to,
        "lateness": state.lateness,
        "suggestedPollDelay": state.suggested_poll_delay(),
        "failuresInARow": state.failures,
        "passes": state.passes,
        "sweeps": state.sweeps,
        "sweptAt": state.swept_at,
        "passOpen": poller.checkpoint.is_some(),
    });
    if let Some(brake) = state.brake {
        shown["brake"] = json!(brake);
    }
    shown
}
