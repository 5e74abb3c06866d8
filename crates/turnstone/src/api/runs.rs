//! Runs: what a poller did, counted, told, and with the single decisions.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use turnstone_core::date::DateFormat;
use turnstone_core::event::Event;
use turnstone_core::id::{EventId, InstanceId, OrgId, PollerId, RunId};
use turnstone_core::limits::IGNORED_DECISIONS_PER_RUN_MAX;
use turnstone_core::poll::{RunFault, RunOutcome, RunRecord, Verdict};
use turnstone_core::resource::Resource;
use turnstone_store::{EventFilter, Place, RunFilter};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::body::Query;
use super::error::{Answer, ApiError};
use super::monitors::{CardError, TraceBody};
use super::pollers;

/// Events of one run that are shown, as many as single decisions are kept.
const EVENTS_MAX: usize = IGNORED_DECISIONS_PER_RUN_MAX;
/// Events that are read at once: each brings its record.
const EVENTS_AT_ONCE: u32 = 100;
/// Time that a run's last transaction may take after its end.
const COMMIT_TIME: SignedDuration = SignedDuration::from_secs(60);

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(trace))
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
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Window {
    /// Its lower bound.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The provider's time at the start of the pass.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl Window {
    /// What a run asked for.
    pub fn of(run: &RunRecord) -> Window {
        Window { from: run.story.lower_bound, to: run.story.provider_time }
    }
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
    /// The compared value as the provider wrote it; empty where there was none.
    compared: String,
    /// The same as an instant, where the resource as it is configured now reads it as a date.
    #[schema(value_type = Option<String>, format = DateTime)]
    compared_date: Option<Timestamp>,
    /// The page of the pass, from 1; 0 where no page held it: an absence, or a monitor's run.
    page: u32,
    /// The event that it became.
    #[schema(value_type = Option<String>)]
    event_id: Option<EventId>,
}

impl Decision {
    /// With the instant of its compared value, read in this format.
    pub fn dated(mut self, format: Option<&DateFormat>) -> Decision {
        self.compared_date = format.and_then(|format| format.parse(&self.compared).ok()).map(|read| read.at);
        self
    }

    /// The decision that an event stands for: those about events are not kept twice.
    pub fn of_event(event: &Event) -> Decision {
        Decision {
            object_id: event.object_id.clone(),
            verdict: event.event_type.as_str(),
            ignored: None,
            reason: event.reason.clone(),
            compared: event.compared.clone(),
            compared_date: None,
            page: event.page,
            event_id: Some(event.id),
        }
    }
}

/// A run with where its poller belongs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunOfAll {
    #[serde(flatten)]
    run: Run,
    #[serde(flatten)]
    place: RunPlace,
}

/// Where a run's poller belongs; `null` where the poller is gone.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunPlace {
    /// The instance.
    instance_id: Option<i64>,
    /// The instance's name.
    instance_name: Option<String>,
    /// The resource's name, or the subscription's.
    resource: Option<String>,
    /// The subscription, if it is one of a monitor.
    subscription_id: Option<i64>,
}

impl From<&Place> for RunPlace {
    fn from(place: &Place) -> RunPlace {
        RunPlace {
            instance_id: Some(place.instance.0),
            instance_name: Some(place.instance_name.clone()),
            resource: Some(place.resource.clone()),
            subscription_id: place.subscription.map(|id| id.0),
        }
    }
}

/// A run with its single decisions.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunWithDecisions {
    #[serde(flatten)]
    run: RunOfAll,
    /// What was decided about single records: first the events, in log order, then what is no event.
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

/// The runs of the organisation, newest first.
#[utoipa::path(
    get,
    path = "/runs",
    tag = "pollers",
    operation_id = "listAllRuns",
    params(
        ("pollerId" = Option<i64>, Query, minimum = 0, description = "Only this poller's."),
        ("instanceId" = Option<i64>, Query, description = "Only those of this instance's pollers."),
        ("outcome" = Option<String>, Query, description = "Only `completed`, `yielded` or `failed` ones."),
        ("before" = Option<String>, Query, description = "Only those before this run, such as `Elements-Next-Page-Token` said."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said.")
    ),
    responses((status = 200, body = Vec<RunOfAll>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let outcome = match query.text("outcome") {
        None => None,
        Some("completed") => Some(RunOutcome::Completed),
        Some("yielded") => Some(RunOutcome::Yielded),
        Some("failed") => Some(RunOutcome::Failed),
        Some(other) => {
            let message = format!("`outcome` is `{other}`; write `completed`, `yielded` or `failed`");
            return Err(ApiError::bad("badParameter", message));
        }
    };
    let filter = RunFilter {
        poller: query.number("pollerId")?.map(PollerId),
        instance: query.number("instanceId")?.map(InstanceId),
        outcome,
        ..asked(&query)?
    };
    let found = api.watch.run_page(org, &filter).await?;
    let next = next(&found, filter.limit);
    let pollers: BTreeSet<PollerId> = found.iter().map(|run| run.poller).collect();
    let places = api.watch.places(org, &pollers.into_iter().collect::<Vec<_>>()).await?;
    let place = |run: &RunRecord| places.iter().find(|place| place.poller == run.poller).map(RunPlace::from);
    let entries: Vec<RunOfAll> = found
        .into_iter()
        .map(|run| RunOfAll { place: place(&run).unwrap_or_default(), run: run.into() })
        .collect();
    let mut response = Json(entries).into_response();
    paged(&mut response, next);
    Ok(response)
}

/// What every list of runs takes: where to go on, and how many.
pub fn asked(query: &Query) -> Answer<RunFilter> {
    let before = query.text("before").or_else(|| query.text("nextPage"));
    let before = before.map(str::parse::<RunId>).transpose().map_err(|_| {
        let text = before.unwrap_or_default();
        ApiError::bad("badParameter", format!("`before` is `{text}`; write the id of a run"))
    })?;
    Ok(RunFilter { before, limit: query.page_size()?, ..RunFilter::default() })
}

/// The run to go on before, if there may be more.
pub fn next(found: &[RunRecord], limit: u32) -> Option<RunId> {
    found.last().filter(|_| found.len() == limit as usize).map(|last| last.id)
}

/// Tells which run to go on before.
pub fn paged(response: &mut Response, next: Option<RunId>) {
    if let Some(value) = next.and_then(|next| HeaderValue::from_str(&next.to_string()).ok()) {
        response.headers_mut().insert("Elements-Next-Page-Token", value);
    }
}

/// One run with its single decisions.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    tag = "pollers",
    operation_id = "readRun",
    params(
        ("id" = String, Path, description = "The run's id."),
        ("objectId" = Option<String>, Query, description = "Only decisions about this record.")
    ),
    responses((status = 200, body = RunWithDecisions)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<RunWithDecisions>> {
    let id: RunId = id.parse().map_err(|_| ApiError::not_found("run"))?;
    let object_id = query.text("objectId");
    let (run, decided) = api.store.run(org, id).await?;
    let mut decisions = events_of(&api, org, &run, object_id).await?;
    let wanted = |decision: &Decision| object_id.is_none_or(|id| id == decision.object_id);
    decisions.extend(decided.into_iter().map(Decision::from).filter(wanted));
    let resource = polled_by(&api, org, run.poller).await;
    let dates = resource.as_ref().and_then(Resource::compared_format);
    let decisions = decisions.into_iter().map(|decision| decision.dated(dates)).collect();
    let places = api.watch.places(org, &[run.poller]).await?;
    let place = places.first().map(RunPlace::from).unwrap_or_default();
    Ok(Json(RunWithDecisions { run: RunOfAll { run: run.into(), place }, decisions }))
}

/// What a poller polls, as it is configured now; nothing of one that is gone.
async fn polled_by(api: &Api, org: OrgId, poller: PollerId) -> Option<Resource> {
    let poller = api.store.poller(org, poller).await.ok()?;
    let instance = api.store.instance(org, poller.instance).await.ok()?;
    pollers::resource_of(api, &poller, &instance).await
}

/// What a run recorded. Its events stand in the log between its start and shortly after its end.
async fn events_of(api: &Api, org: OrgId, run: &RunRecord, object_id: Option<&str>) -> Answer<Vec<Decision>> {
    let mut filter = EventFilter {
        poller: Some(run.poller),
        object_id: object_id.map(str::to_owned),
        from: Some(run.started_at),
        to: run.finished_at.checked_add(COMMIT_TIME).ok(),
        limit: EVENTS_AT_ONCE,
        ..EventFilter::default()
    };
    let mut found = Vec::new();
    loop {
        let page = api.store.events(org, &filter).await?;
        let is_last = page.len() < EVENTS_AT_ONCE as usize;
        filter.after = page.last().map_or(filter.after, |last| last.position);
        let own = page.iter().filter(|logged| logged.event.run == run.id);
        found.extend(own.map(|logged| Decision::of_event(&logged.event)));
        if is_last || found.len() >= EVENTS_MAX {
            found.truncate(EVENTS_MAX);
            return Ok(found);
        }
    }
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
            window: Window::of(&run),
            error: run.error.map(RunError::from),
            counts: run.counts.into(),
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
            compared_date: None,
            page: decision.page,
            event_id: None,
        }
    }
}
