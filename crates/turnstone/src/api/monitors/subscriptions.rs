//! Subscriptions: a deployed version on a schedule, over the connection of an instance.
//!
//! Where events go, how a run is retried and what is remembered of it are the same as for polled resources. A
//! subscription that is switched off keeps its cursor and its ledger.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use turnstone_core::flow::records::RunMode;
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::id::{InstanceId, MonitorId, OrgId, SubscriptionId};
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_store::{EndpointRow, PollerRow, SubscriptionFilter, SubscriptionRow, Timing};
use utoipa::ToSchema;

use super::settings::{SubscriptionBody, cadence, shown_callback};
use super::{changes, page};
use crate::api::access::{Caller, Unaudited, told};
use crate::api::body::{Query, TypedText, paged};
use crate::api::error::{Answer, ApiError};
use crate::api::instances::At;
use crate::api::pollers::PollerStatus;
use crate::api::runs::Run;
use crate::api::{Api, Gone};

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    id: i64,
    /// Its name.
    name: String,
    /// The monitor.
    monitor_id: i64,
    /// The version that it uses.
    version: i64,
    /// The instance whose connection it uses.
    instance_id: i64,
    /// Values of the monitor's options by label.
    #[schema(value_type = Object)]
    options: Value,
    /// How its records leave: `eachRecord`, `noNewData` or `everyTime`.
    #[schema(value_type = String, example = "eachRecord")]
    run_mode: RunMode,
    /// When it is due: `interval`, or `cron` and `zone`.
    schedule: Schedule,
    /// Where its events go, secrets hidden; `null` where the instance's go.
    #[schema(value_type = Option<Object>)]
    callback: Option<Value>,
    /// Whether it runs.
    active: bool,
    /// The saved cursor; `null` before a run saved one.
    #[schema(value_type = Value)]
    cursor: Option<Box<RawValue>>,
    /// How it is.
    status: PollerStatus,
    /// Why it rests, if it does.
    paused: Option<String>,
    /// When it is due.
    #[schema(value_type = String, format = DateTime)]
    next_due: Timestamp,
    /// Runs that ended well.
    runs: u64,
    /// Failed runs since the last good one.
    failures_in_a_row: u32,
    /// Its last run.
    last_run: Option<Run>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_date: Timestamp,
}

/// When a subscription is due.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Schedule {
    /// At an interval.
    Every {
        /// Time between two runs.
        #[schema(example = "5m")]
        interval: String,
    },
    /// At the times of a pattern.
    At {
        /// Minute, hour, day, month, weekday.
        #[schema(example = "0 6 * * MON-FRI")]
        cron: String,
        /// Whose hours are meant.
        #[schema(example = "Europe/Berlin")]
        zone: String,
    },
}

impl From<&Timing> for Schedule {
    fn from(timing: &Timing) -> Schedule {
        match &timing.cron {
            Some((cron, zone)) => Schedule::At { cron: cron.clone(), zone: zone.clone() },
            None => {
                let seconds = timing.interval.as_secs();
                let interval = if seconds.is_multiple_of(60) {
                    format!("{}m", seconds / 60)
                } else {
                    format!("{seconds}s")
                };
                Schedule::Every { interval }
            }
        }
    }
}

/// The subscription of a path with its poller. What is no number is no subscription.
pub async fn find(api: &Api, org: OrgId, id: &str) -> Answer<(SubscriptionRow, PollerRow)> {
    let id = id.parse().map(SubscriptionId).map_err(|_| ApiError::not_found("subscription"))?;
    let row = api.monitors.subscription(org, id).await?;
    let poller = api.store.poller(org, row.poller).await?;
    Ok((row, poller))
}

/// The state of a subscription.
pub fn state_of(poller: &PollerRow) -> Answer<SubscriptionState> {
    SubscriptionState::read(&poller.state).map_err(|error| ApiError {
        detail: Some(format!("state of poller {}: {error}", poller.id)),
        ..ApiError::conflict("badState", "the subscription's state cannot be read; reset its cursor")
    })
}

/// A kept cursor, digit by digit.
pub fn raw(cursor: Option<&String>) -> Option<Box<RawValue>> {
    cursor.and_then(|text| RawValue::from_string(text.clone()).ok())
}

/// The settings of a subscription's own endpoint.
pub async fn own_endpoint(api: &Api, row: &SubscriptionRow) -> Answer<Option<EndpointConfig>> {
    Ok(Shower::of(api, std::slice::from_ref(row)).await?.own_endpoint(row))
}

/// A subscription as the API shows it.
pub async fn shown(api: &Api, row: &SubscriptionRow, poller: &PollerRow) -> Answer<Subscription> {
    Shower::of(api, std::slice::from_ref(row)).await?.show(row, poller).await
}

/// Shows subscriptions of one organisation; where their events go is read once for all.
struct Shower<'a> {
    api: &'a Api,
    endpoints: Vec<EndpointRow>,
}

impl<'a> Shower<'a> {
    async fn of(api: &'a Api, rows: &[SubscriptionRow]) -> Answer<Shower<'a>> {
        let endpoints = match rows.iter().find(|row| row.endpoint.is_some()) {
            Some(row) => api.store.endpoints(row.org).await?,
            None => Vec::new(),
        };
        Ok(Shower { api, endpoints })
    }

    fn own_endpoint(&self, row: &SubscriptionRow) -> Option<EndpointConfig> {
        let own = row.endpoint?;
        let endpoint = self.endpoints.iter().find(|endpoint| endpoint.id == own)?;
        EndpointConfig::from_json(&endpoint.config).ok()
    }

    async fn show(&self, row: &SubscriptionRow, poller: &PollerRow) -> Answer<Subscription> {
        // One that cannot be read is told where its cursor is asked for; the rest is shown.
        let state = SubscriptionState::read(&poller.state).unwrap_or_default();
        let last = self.api.store.runs(row.org, row.poller, 1).await?;
        Ok(Subscription {
            id: row.id.0,
            name: row.name.clone(),
            monitor_id: row.monitor.0,
            version: row.version,
            instance_id: row.instance.0,
            options: serde_json::from_str(&row.options).unwrap_or_else(|_| json!({})),
            run_mode: row.mode,
            schedule: (&row.timing).into(),
            callback: self.own_endpoint(row).as_ref().map(shown_callback),
            active: row.active,
            cursor: raw(state.cursor.as_ref()),
            status: poller.status.clone().into(),
            paused: poller.paused.clone(),
            next_due: poller.next_due,
            runs: state.runs,
            failures_in_a_row: state.failures,
            last_run: last.into_iter().next().map(Run::from),
            created_date: row.created_at,
        })
    }
}

async fn listed(api: &Api, org: OrgId, filter: SubscriptionFilter, query: &Query) -> Answer<Response> {
    let (rows, next) = page(query, api.monitors.subscriptions(org, filter).await?, |row| row.id.0)?;
    let shower = Shower::of(api, &rows).await?;
    let mut bodies = Vec::with_capacity(rows.len());
    for row in &rows {
        match api.store.poller(org, row.poller).await {
            Ok(poller) => bodies.push(shower.show(row, &poller).await?),
            // It was removed while the list was made.
            Err(turnstone_store::StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let returned = bodies.len();
    let mut response = Json(bodies).into_response();
    paged(&mut response, returned, next);
    Ok(response)
}

/// Lists subscriptions.
#[utoipa::path(
    get,
    path = "/subscriptions",
    tag = "monitors",
    operation_id = "listSubscriptions",
    params(
        ("monitorId" = Option<i64>, Query, minimum = 0, description = "Only those of this monitor."),
        ("instanceId" = Option<i64>, Query, minimum = 0, description = "Only those of this instance."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<Subscription>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let (instance, monitor) = (query.number("instanceId")?, query.number("monitorId")?);
    let filter = SubscriptionFilter { instance: instance.map(InstanceId), monitor: monitor.map(MonitorId) };
    listed(&api, org, filter, &query).await
}

/// The subscriptions of an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/subscriptions",
    tag = "monitors",
    operation_id = "listSubscriptionsOfInstance",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<Subscription>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list_of_instance(State(api): State<Api>, at: At, query: Query) -> Answer<Response> {
    let filter = SubscriptionFilter { instance: Some(at.row.id), monitor: None };
    listed(&api, at.row.org, filter, &query).await
}

/// Subscribes an instance to a monitor.
///
/// Its first run gets no cursor, unless one is sent. What is wrong is told all at once, with the member that has it.
#[utoipa::path(
    post,
    path = "/instances/{id}/subscriptions",
    tag = "monitors",
    operation_id = "createSubscription",
    params(("id" = i64, Path, description = "The instance.")),
    request_body = SubscriptionBody,
    responses((status = 200, body = Subscription)),
    extensions(("x-right" = json!("member")))
)]
pub async fn create(
    State(api): State<Api>,
    at: At,
    TypedText(body): TypedText<SubscriptionBody>,
) -> Answer<Response> {
    let new = changes::new(&api, &at.row, &body).await?;
    let mut told_of =
        json!({"name": new.settings.name, "monitor": new.monitor.0, "version": new.settings.version});
    let cursor = SubscriptionState::read(&new.state).ok().and_then(|state| state.cursor);
    if let Some(cursor) = cursor {
        told_of["cursor"] = json!({"from": null, "to": cursor});
    }
    let id = api.monitors.subscribe(new, api.now()).await?;
    (api.wake)();
    let (row, poller) = find(&api, at.row.org, &id.0.to_string()).await?;
    Ok(told(Json(shown(&api, &row, &poller).await?), told_of))
}

/// One subscription.
#[utoipa::path(
    get,
    path = "/subscriptions/{id}",
    tag = "monitors",
    operation_id = "readSubscription",
    params(("id" = i64, Path, description = "The subscription.")),
    responses((status = 200, body = Subscription)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Subscription>> {
    let (row, poller) = find(&api, org, &id).await?;
    Ok(Json(shown(&api, &row, &poller).await?))
}

/// Changes a subscription.
///
/// Members that are left out stay. Moving to a version with a cursor of another type is refused with 409, unless a
/// converted `cursor` is sent with it; `null` begins anew. 409 while a run is under way and a cursor or another version
/// is sent.
#[utoipa::path(
    patch,
    path = "/subscriptions/{id}",
    tag = "monitors",
    operation_id = "changeSubscription",
    params(("id" = i64, Path, description = "The subscription.")),
    request_body = SubscriptionBody,
    responses((status = 200, body = Subscription)),
    extensions(("x-right" = json!("member")))
)]
pub async fn change(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    TypedText(body): TypedText<SubscriptionBody>,
) -> Answer<Response> {
    let (row, poller) = find(&api, org, &id).await?;
    if body.is_empty() {
        return Ok((Extension(Unaudited), Json(shown(&api, &row, &poller).await?)).into_response());
    }
    let change = changes::changed(&api, &row, &poller, &body).await?;
    let done = api.monitors.change_subscription(org, row.id, change.write, api.now()).await;
    done.map_err(under_way)?;
    (api.wake)();
    let (row, poller) = find(&api, org, &id).await?;
    Ok(told(Json(shown(&api, &row, &poller).await?), change.told))
}

/// 409 in words that say what to do, where a run holds the subscription.
pub fn under_way(error: turnstone_store::StoreError) -> ApiError {
    match error {
        turnstone_store::StoreError::Conflict(what) if what.contains("under way") => {
            ApiError::conflict("underWay", "a run is under way; try again in a moment")
        }
        other => other.into(),
    }
}

/// Removes a subscription with its cursor and what it remembers of records.
///
/// Its events and runs stay as long as others.
#[utoipa::path(
    delete,
    path = "/subscriptions/{id}",
    tag = "monitors",
    operation_id = "deleteSubscription",
    params(("id" = i64, Path, description = "The subscription.")),
    responses((status = 200, body = Gone)),
    extensions(("x-right" = json!("member")))
)]
pub async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let (row, _) = find(&api, org, &id).await?;
    api.monitors.unsubscribe(org, row.id, api.now()).await?;
    Ok(told(Json(Gone {}), json!({"name": row.name})))
}

/// Switches a subscription on; it goes on from its cursor.
#[utoipa::path(
    put,
    path = "/subscriptions/{id}/active",
    tag = "monitors",
    operation_id = "activateSubscription",
    params(("id" = i64, Path, description = "The subscription.")),
    responses((status = 200, body = Subscription)),
    extensions(("x-right" = json!("member")))
)]
pub async fn activate(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    switched(&api, org, &id, true).await
}

/// Switches a subscription off; its cursor stays.
#[utoipa::path(
    delete,
    path = "/subscriptions/{id}/active",
    tag = "monitors",
    operation_id = "deactivateSubscription",
    params(("id" = i64, Path, description = "The subscription.")),
    responses((status = 200, body = Subscription)),
    extensions(("x-right" = json!("member")))
)]
pub async fn deactivate(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    switched(&api, org, &id, false).await
}

async fn switched(api: &Api, org: OrgId, id: &str, active: bool) -> Answer<Response> {
    let (row, poller) = find(api, org, id).await?;
    if row.active == active {
        return Ok((Extension(Unaudited), Json(shown(api, &row, &poller).await?)).into_response());
    }
    let due = cadence(&row.timing).first(api.now(), api.entropy.next_u64());
    api.monitors.set_active(org, row.id, active, due).await?;
    (api.wake)();
    let (row, poller) = find(api, org, id).await?;
    Ok(Json(shown(api, &row, &poller).await?).into_response())
}

/// Polls now, also where it rests because of a failure that only a person could mend.
#[utoipa::path(
    post,
    path = "/subscriptions/{id}/run",
    tag = "monitors",
    operation_id = "runSubscription",
    params(("id" = i64, Path, description = "The subscription.")),
    responses((status = 202, body = Subscription)),
    extensions(("x-right" = json!("member")))
)]
pub async fn run(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<(StatusCode, Json<Subscription>)> {
    let (row, _) = find(&api, org, &id).await?;
    if !row.active {
        let message = "the subscription is switched off; PUT /subscriptions/{id}/active first";
        return Err(ApiError::conflict("inactive", message));
    }
    if !api.store.instance(org, row.instance).await?.enabled {
        return Err(ApiError::conflict("disabled", "the instance is disabled; enable it first"));
    }
    api.store.set_due(org, row.poller, api.now(), true).await?;
    (api.wake)();
    let (row, poller) = find(&api, org, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(&api, &row, &poller).await?)))
}

/// The runs of a subscription, newest first.
#[utoipa::path(
    get,
    path = "/subscriptions/{id}/runs",
    tag = "monitors",
    operation_id = "listRunsOfSubscription",
    params(
        ("id" = i64, Path, description = "The subscription."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said.")
    ),
    responses((status = 200, body = Vec<Run>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn runs(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<Vec<Run>>> {
    let size = query.page_size()?;
    let (row, _) = find(&api, org, &id).await?;
    let found = api.store.runs(org, row.poller, size).await?;
    Ok(Json(found.into_iter().map(Run::from).collect()))
}
