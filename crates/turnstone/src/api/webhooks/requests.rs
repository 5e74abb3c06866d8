//! The notifications that came in: listed, read with what they say, run again, discarded.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use turnstone_core::id::{InboundId, InstanceId, OrgId};
use turnstone_core::intake::{BodyFormat, Quarantine};
use turnstone_engine::document::HIDDEN;
use turnstone_store::{InboundFilter, InboundRow, InboundState};
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::access::{Caller, told};
use crate::api::body::{Query, paged};
use crate::api::error::{Answer, ApiError};
use crate::api::instances::At;

/// Headers whose values may let somebody in: shown to nobody.
const SECRET_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// A notification that came in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedRequest {
    /// Its id; grows in the order of arrival.
    id: i64,
    /// Its instance.
    instance_id: i64,
    /// `GET` or `POST`.
    method: String,
    /// Bytes of its body.
    body_bytes: u64,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// How often it came again.
    repeats: u32,
    /// `received`: its hook has not run. `settled`: its events are recorded. `quarantined`: its hook failed.
    /// `discarded`: nothing shall come of it.
    #[schema(example = "settled")]
    state: &'static str,
    /// Failures that are being tried again.
    failures: u32,
    /// When it is tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_due: Option<Timestamp>,
    /// Why it was put aside.
    quarantine: Option<QuarantineBody>,
    /// The revision of the connector whose hook ran.
    element_revision: Option<i64>,
    /// Events that were recorded.
    events: u32,
    /// Records that polls were told to look at.
    hints: u32,
    /// When it was settled, put aside or discarded.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

/// Why a notification was put aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantineBody {
    /// For programs.
    #[schema(example = "thrown")]
    code: String,
    /// A sentence that names the place and the remedy.
    reason: String,
    /// The line of the hook at which it failed, from 1.
    line: Option<u32>,
}

/// A notification with what it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestWithContent {
    #[serde(flatten)]
    request: ReceivedRequest,
    /// Its headers in their order; values that may let somebody in are hidden.
    headers: Vec<(String, String)>,
    /// Its query parameters, decoded, in their order.
    query: Vec<(String, String)>,
    /// Its body as text; bytes that are none are replaced.
    body: String,
    /// What it says, as the event hook reads it; `null` where the body is not what is declared.
    #[schema(value_type = Value)]
    content: Option<Box<RawValue>>,
}

/// How many notifications run again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// So many.
    replayed: u64,
}

impl From<InboundRow> for ReceivedRequest {
    fn from(row: InboundRow) -> ReceivedRequest {
        let quarantine =
            row.quarantine.map(|Quarantine { code, reason, line }| QuarantineBody { code, reason, line });
        ReceivedRequest {
            id: row.id.0,
            instance_id: row.instance.0,
            method: row.method,
            body_bytes: row.body_bytes,
            received_at: row.received_at,
            repeats: row.repeats,
            state: row.state.as_str(),
            failures: row.failures,
            next_due: row.next_due,
            quarantine,
            element_revision: row.element_revision,
            events: row.events,
            hints: row.hints,
            settled_at: row.settled_at,
        }
    }
}

/// The notifications of an instance, newest first.
#[utoipa::path(
    get,
    path = "/instances/{id}/webhook/requests",
    tag = "webhooks",
    operation_id = "listWebhookRequests",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("state" = Option<String>, Query, description = "Only `received`, `settled`, `quarantined` or `discarded` ones."),
        ("order" = Option<String>, Query, description = "`asc` begins with the oldest."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, minimum = 0, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<ReceivedRequest>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, at: At, query: Query) -> Answer<Response> {
    listed(&api, at.row.org, Some(at.row.id), &query).await
}

/// The notifications of all instances, newest first.
#[utoipa::path(
    get,
    path = "/webhooks/requests",
    tag = "webhooks",
    operation_id = "listAllWebhookRequests",
    params(
        ("state" = Option<String>, Query, description = "Only `received`, `settled`, `quarantined` or `discarded` ones."),
        ("order" = Option<String>, Query, description = "`asc` begins with the oldest."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, minimum = 0, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<ReceivedRequest>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list_all(State(api): State<Api>, caller: Caller, query: Query) -> Answer<Response> {
    listed(&api, caller.org, None, &query).await
}

async fn listed(api: &Api, org: OrgId, instance: Option<InstanceId>, query: &Query) -> Answer<Response> {
    let filter = InboundFilter {
        instance,
        state: state(query)?,
        after: query.number("nextPage")?.unwrap_or(0),
        newest_first: newest_first(query)?,
        limit: query.page_size()?,
        ..InboundFilter::default()
    };
    let rows = api.inbox.requests(org, &filter).await?;
    let next = rows.last().filter(|_| rows.len() == filter.limit as usize).map(|row| row.id.0);
    let bodies: Vec<ReceivedRequest> = rows.into_iter().map(ReceivedRequest::from).collect();
    let count = bodies.len();
    let mut response = Json(bodies).into_response();
    paged(&mut response, count, next);
    Ok(response)
}

fn state(query: &Query) -> Answer<Option<InboundState>> {
    let Some(text) = query.text("state") else { return Ok(None) };
    text.parse().map(Some).map_err(|()| {
        let message =
            format!("`state` is `{text}`; write `received`, `settled`, `quarantined` or `discarded`");
        ApiError::bad("badParameter", message)
    })
}

fn newest_first(query: &Query) -> Answer<bool> {
    match query.text("order") {
        None | Some("desc") => Ok(true),
        Some("asc") => Ok(false),
        Some(other) => {
            let message = format!("`order` is `{other}`; write `asc` or `desc`");
            Err(ApiError::bad("badParameter", message))
        }
    }
}

/// One notification, with what it says.
#[utoipa::path(
    get,
    path = "/instances/{id}/webhook/requests/{requestId}",
    tag = "webhooks",
    operation_id = "readWebhookRequest",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("requestId" = i64, Path, description = "The notification.")
    ),
    responses((status = 200, body = RequestWithContent)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, at: At) -> Answer<Json<RequestWithContent>> {
    let row = find(&api, &at).await?;
    let raw = api.inbox.request(row.org, row.id).await?;
    let format = match row.format {
        Some(format) => format,
        None => declared(&api, &at).await,
    };
    let content = raw.content(format).ok().and_then(|text| RawValue::from_string(text.into_owned()).ok());
    let hidden = |(name, value): (String, String)| {
        let is_secret = SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str());
        (name, if is_secret { HIDDEN.to_owned() } else { value })
    };
    Ok(Json(RequestWithContent {
        request: row.into(),
        body: String::from_utf8_lossy(&raw.body).into_owned(),
        query: raw.query,
        content,
        headers: raw.headers.into_iter().map(hidden).collect(),
    }))
}

async fn declared(api: &Api, at: &At) -> BodyFormat {
    let prepared = api.preparer.prepare(&at.row, api.now()).await.ok();
    prepared.and_then(|prepared| Some(prepared.instance.webhook.as_ref()?.body)).unwrap_or_default()
}

/// Runs a notification that was put aside, or discarded, again.
#[utoipa::path(
    post,
    path = "/instances/{id}/webhook/requests/{requestId}/replay",
    tag = "webhooks",
    operation_id = "replayWebhookRequest",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("requestId" = i64, Path, description = "The notification.")
    ),
    responses((status = 200, body = ReceivedRequest)),
    extensions(("x-right" = json!("member")))
)]
pub async fn replay(State(api): State<Api>, at: At) -> Answer<Response> {
    let row = find(&api, &at).await?;
    let filter = InboundFilter { id: Some(row.id), limit: 1, ..InboundFilter::default() };
    if api.inbox.replay(row.org, &filter, api.now()).await? == 0 {
        let message =
            format!("it is `{}`; only what was put aside or discarded runs again", row.state.as_str());
        return Err(ApiError::conflict("notPutAside", message));
    }
    api.intake.released(row.org);
    let row = find(&api, &at).await?;
    let id = row.id.0;
    Ok(told(Json(ReceivedRequest::from(row)), json!({"request": id})))
}

/// Runs everything again that was put aside.
#[utoipa::path(
    post,
    path = "/instances/{id}/webhook/replay",
    tag = "webhooks",
    operation_id = "replayWebhookRequests",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Replayed)),
    extensions(("x-right" = json!("member")))
)]
pub async fn replay_all(State(api): State<Api>, at: At) -> Answer<Response> {
    let filter = InboundFilter {
        instance: Some(at.row.id),
        state: Some(InboundState::Quarantined),
        limit: u32::MAX,
        ..InboundFilter::default()
    };
    let replayed = api.inbox.replay(at.row.org, &filter, api.now()).await?;
    for _ in 0..replayed {
        api.intake.released(at.row.org);
    }
    Ok(told(Json(Replayed { replayed }), json!({"instance": at.row.id, "replayed": replayed})))
}

/// Discards a notification that was put aside: nothing shall come of it.
#[utoipa::path(
    delete,
    path = "/instances/{id}/webhook/requests/{requestId}",
    tag = "webhooks",
    operation_id = "discardWebhookRequest",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("requestId" = i64, Path, description = "The notification.")
    ),
    responses((status = 200, body = ReceivedRequest)),
    extensions(("x-right" = json!("member")))
)]
pub async fn discard(State(api): State<Api>, at: At) -> Answer<Response> {
    let row = find(&api, &at).await?;
    let filter = InboundFilter { id: Some(row.id), limit: 1, ..InboundFilter::default() };
    if api.inbox.discard(row.org, &filter, api.now()).await? == 0 {
        let message = format!("it is `{}`; only what was put aside is discarded", row.state.as_str());
        return Err(ApiError::conflict("notPutAside", message));
    }
    let row = find(&api, &at).await?;
    let id = row.id.0;
    Ok(told(Json(ReceivedRequest::from(row)), json!({"request": id})))
}

async fn find(api: &Api, at: &At) -> Answer<InboundRow> {
    let not_found = || ApiError::not_found("request");
    let id = at.part("requestId").parse().map(InboundId).map_err(|_| not_found())?;
    let filter =
        InboundFilter { instance: Some(at.row.id), id: Some(id), limit: 1, ..InboundFilter::default() };
    let found = api.inbox.requests(at.row.org, &filter).await?;
    found.into_iter().next().ok_or_else(not_found)
}
