//! Deliveries: the notifications of an instance with their attempts, and their release.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use turnstone_core::event::seconds;
use turnstone_core::id::{AttemptId, EndpointId, EventId, InstanceId, NotificationId, OrgId};
use turnstone_engine::deliverer::{EndpointConfig, Request};
use turnstone_store::{AttemptRow, EndpointRow, NotificationFilter, NotificationRow, NotificationState};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{Caller, told};
use super::body::{Query, Typed, paged};
use super::clause::{self, Equal};
use super::error::{Answer, ApiError};
use super::instances::{At, both, names_of};

/// Notifications that are read at once: bodies of a mebibyte are usual for large records.
const CHUNK: u32 = 20;

const STATES: [NotificationState; 7] = [
    NotificationState::Created,
    NotificationState::Retry,
    NotificationState::Delivered,
    NotificationState::Split,
    NotificationState::Dead,
    NotificationState::Queued,
    NotificationState::Cancelled,
];

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    both(OpenApiRouter::new(), routes!(list))
        .routes(routes!(read))
        .routes(routes!(list_all))
        .routes(routes!(redeliver))
        .routes(routes!(redeliver_where))
        .routes(routes!(search, release))
}

/// A notification on its way to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id.
    id: i64,
    /// The same, under the field's name.
    notification_id: i64,
    /// Its endpoint.
    subscription_id: i64,
    /// Its instance.
    instance_id: i64,
    /// The instance's name; `null` when it was removed.
    instance_name: Option<String>,
    /// `created`, `retry`, `delivered`, `split`, `dead`, `queued` or `cancelled`.
    #[schema(example = "delivered")]
    status: &'static str,
    /// Failed attempts so far.
    failures: u32,
    /// When it was formed.
    #[schema(format = DateTime)]
    created_date: String,
    /// When it was closed.
    #[schema(format = DateTime)]
    completed_date: Option<String>,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_due: Option<Timestamp>,
    /// When the first attempt failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_failed_at: Option<Timestamp>,
    /// The delivery that it was split from.
    split_from: Option<i64>,
    /// Its events, in log order.
    #[schema(value_type = Vec<String>)]
    events: Vec<EventId>,
    /// The request's body, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Value>,
}

/// A delivery with its attempts and its body.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryWithAttempts {
    #[serde(flatten)]
    delivery: Delivery,
    /// Every try, the oldest first.
    attempts: Vec<Attempt>,
}

/// One try of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its id.
    #[schema(value_type = String)]
    id: AttemptId,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// How long it took.
    duration_ms: i64,
    /// The answer's status, if there was one.
    status: Option<u16>,
    /// Why there was none.
    error: Option<String>,
    /// The first bytes of the answer.
    answer: String,
    /// What was asked for; `null` where nothing could be sent, and of attempts from before this was kept.
    request: Option<AttemptRequest>,
}

/// What was sent, beside the body, which is the notification.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptRequest {
    /// The method.
    #[schema(example = "POST")]
    method: String,
    /// Where to.
    url: String,
    /// The headers that the endpoint's settings and we gave it. Values of the endpoint's own ones are hidden.
    headers: Vec<AttemptHeader>,
}

/// A header of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptHeader {
    /// Its name.
    name: String,
    /// Its value, or `********`.
    value: String,
}

/// What a release did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Released {
    /// Deliveries that are sent again.
    released: u64,
}

/// The deliveries of an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/deliveries",
    tag = "deliveries",
    operation_id = "listDeliveries",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("status" = Option<String>, Query, description = "Only those in this state."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<Delivery>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(
    State(api): State<Api>,
    At { caller: Caller { org, .. }, row: instance, .. }: At,
    query: Query,
) -> Answer<Response> {
    let size = query.page_size()?;
    let state = match query.text("status") {
        None => None,
        Some(text) => Some(state(text)?),
    };
    let filter = NotificationFilter {
        instance: Some(instance.id),
        state,
        after: query.number("nextPage")?.unwrap_or(0),
        ..NotificationFilter::default()
    };
    let (mut entries, mut last) = (Vec::new(), None);
    each(&api, org, filter, size, |notification| {
        last = Some(notification.id.0);
        entries.push(shown(&notification));
    })
    .await?;
    let (count, next) = (entries.len(), last.filter(|_| entries.len() == size as usize));
    let mut response = Json(named(&api, org, entries).await?).into_response();
    paged(&mut response, count, next);
    Ok(response)
}

/// The deliveries of the organisation, newest first.
#[utoipa::path(
    get,
    path = "/deliveries",
    tag = "deliveries",
    operation_id = "listAllDeliveries",
    params(
        ("instanceId" = Option<i64>, Query, description = "Only this instance's."),
        ("endpointId" = Option<i64>, Query, minimum = 0, description = "Only this endpoint's."),
        ("status" = Option<String>, Query, description = "Only those in this state."),
        ("eventId" = Option<String>, Query, description = "Only those that carry this event."),
        ("since" = Option<String>, Query, description = "Only what was formed at this instant or later."),
        ("before" = Option<i64>, Query, description = "Only ids before this one."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<Delivery>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list_all(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let size = query.page_size()?;
    let event = query.text("eventId").map(str::parse::<EventId>).transpose().map_err(|_| {
        let text = query.text("eventId").unwrap_or_default();
        ApiError::bad("badParameter", format!("`eventId` is `{text}`; write one such as `evt_579em8vs…`"))
    })?;
    let before = [query.number("before")?, query.number("nextPage")?].into_iter().flatten().min();
    let filter = NotificationFilter {
        instance: query.number("instanceId")?.map(InstanceId),
        endpoint: query.number("endpointId")?.map(EndpointId),
        state: query.text("status").map(state).transpose()?,
        event,
        since: query.instant("since")?,
        before,
        newest_first: true,
        brief: true,
        limit: size,
        ..NotificationFilter::default()
    };
    let found = api.store.notifications(org, &filter).await?;
    let next = found.last().filter(|_| found.len() == size as usize).map(|last| last.id.0);
    let entries = named(&api, org, found.iter().map(shown).collect()).await?;
    let mut response = Json(entries).into_response();
    paged(&mut response, found.len(), next);
    Ok(response)
}

/// Calls for at most `limit` notifications. They are read a few at a time where each brings its body.
pub async fn each(
    api: &Api,
    org: OrgId,
    mut filter: NotificationFilter,
    limit: u32,
    mut call: impl FnMut(NotificationRow),
) -> Answer<()> {
    let mut left = limit;
    while left > 0 {
        filter.limit = if filter.brief { left } else { CHUNK.min(left) };
        let found = api.store.notifications(org, &filter).await?;
        let is_last = (found.len() as u64) < u64::from(filter.limit);
        left -= found.len() as u32;
        for notification in found {
            match filter.newest_first {
                true => filter.before = Some(notification.id.0),
                false => filter.after = notification.id.0,
            }
            call(notification);
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

fn state(text: &str) -> Answer<NotificationState> {
    STATES.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
        let known: Vec<&str> = STATES.iter().map(|state| state.as_str()).collect();
        ApiError::bad("badParameter", format!("`{text}` is no status; write one of {}", known.join(", ")))
    })
}

/// One delivery, with its attempts and its body.
#[utoipa::path(
    get,
    path = "/deliveries/{id}",
    tag = "deliveries",
    operation_id = "readDelivery",
    params(
        ("id" = i64, Path, description = "The delivery.")
    ),
    responses((status = 200, body = DeliveryWithAttempts)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<DeliveryWithAttempts>> {
    let found = find(&api, org, &id).await?;
    let attempts = api.store.attempts(org, found.id).await?.into_iter().map(Attempt::from).collect();
    let delivery = named(&api, org, vec![hydrated(&found)]).await?.remove(0);
    Ok(Json(DeliveryWithAttempts { delivery, attempts }))
}

/// Sends a delivery again, counted from zero.
#[utoipa::path(
    post,
    path = "/deliveries/{id}/redeliver",
    tag = "deliveries",
    operation_id = "redeliver",
    params(
        ("id" = i64, Path, description = "The delivery.")
    ),
    responses((status = 202, body = Delivery)),
    extensions(("x-right" = json!("member")))
)]
pub async fn redeliver(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<(StatusCode, Json<Delivery>)> {
    let found = find(&api, org, &id).await?;
    let filter = NotificationFilter { id: Some(found.id), limit: 1, ..NotificationFilter::default() };
    if api.store.redeliver(org, &filter, api.now()).await? == 0 {
        let state =
            api.store.notifications(org, &filter).await?.pop().map_or("gone", |now| now.state.as_str());
        let message = format!("the delivery is {state}; only dead, queued and retrying ones are sent again");
        return Err(ApiError::conflict("notWaiting", message));
    }
    (api.wake)();
    let delivery = named(&api, org, vec![shown(&find(&api, org, &id).await?)]).await?.remove(0);
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}

/// Searches deliveries.
#[utoipa::path(
    get,
    path = "/notifications/subscriptions/deliveries",
    tag = "deliveries",
    operation_id = "searchDeliveries",
    params(
        ("where" = Option<String>, Query, description = "`channel='webhook' and status='queued'`, and `config.url='…'` if wanted."),
        ("hydrate" = Option<bool>, Query, description = "Adds the notification itself.")
    ),
    responses((status = 200, body = Vec<Delivery>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn search(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    query: Query,
) -> Answer<Json<Vec<Delivery>>> {
    let mut found = Vec::new();
    let size = query.page_size()?;
    let show = if query.flag("hydrate")? { hydrated } else { shown };
    for filter in filters(&api, org, &query).await? {
        each(&api, org, filter, size, |notification| found.push(show(&notification))).await?;
    }
    found.sort_by_key(|delivery| delivery.id);
    found.truncate(size as usize);
    Ok(Json(named(&api, org, found).await?))
}

/// Sends again what waits, and lets its subscriptions go on.
#[utoipa::path(
    put,
    path = "/notifications/subscriptions/deliveries",
    tag = "deliveries",
    operation_id = "releaseDeliveries",
    params(
        ("where" = Option<String>, Query, description = "As for the search.")
    ),
    responses((status = 200, body = Released)),
    extensions(("x-right" = json!("member")))
)]
pub async fn release(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let mut released = 0;
    for filter in filters(&api, org, &query).await? {
        let filter = NotificationFilter { limit: u32::MAX, ..filter };
        released += api.store.redeliver(org, &filter, api.now()).await?;
    }
    (api.wake)();
    let particulars = json!({"where": query.text("where"), "released": released});
    Ok(told(Json(Released { released }), particulars))
}

/// Which deliveries are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToRedeliver {
    /// As for the search: `status='dead'`, with `instanceId='…'`, `config.url='…'` if wanted.
    #[serde(rename = "where")]
    #[schema(example = "status='queued'")]
    clause: String,
    /// Only what was formed at this instant or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// Sends again what waits and was formed since a time, and lets its endpoints go on.
#[utoipa::path(
    post,
    path = "/deliveries/redeliver",
    tag = "deliveries",
    operation_id = "redeliverWhere",
    request_body = ToRedeliver,
    responses((status = 200, body = Released)),
    extensions(("x-right" = json!("member")))
)]
pub async fn redeliver_where(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Typed(body): Typed<ToRedeliver>,
) -> Answer<Response> {
    let mut released = 0;
    for filter in filters_of(&api, org, &body.clause).await? {
        let filter = NotificationFilter { since: body.since, limit: u32::MAX, ..filter };
        released += api.store.redeliver(org, &filter, api.now()).await?;
    }
    (api.wake)();
    let particulars = json!({"where": body.clause, "since": body.since, "released": released});
    Ok(told(Json(Released { released }), particulars))
}

/// The store's filters for the `where` clause of a query.
async fn filters(api: &Api, org: OrgId, query: &Query) -> Answer<Vec<NotificationFilter>> {
    let text = query.text("where").ok_or_else(|| {
        let message = "`where` is missing; write `where=channel='webhook' and status='queued'`";
        ApiError::bad("badParameter", message)
    })?;
    filters_of(api, org, text).await
}

/// The store's filters for a `where` clause: one per endpoint and state.
async fn filters_of(api: &Api, org: OrgId, text: &str) -> Answer<Vec<NotificationFilter>> {
    let wanted = Wanted::read(text).map_err(|message| ApiError::bad("badWhere", message))?;
    let endpoints = api.store.endpoints(org).await?;
    let of_url = |endpoint: &&EndpointRow| {
        let config = EndpointConfig::from_json(&endpoint.config).ok();
        wanted.url.as_ref().is_none_or(|url| config.is_some_and(|config| config.url == *url))
    };
    let of_instance =
        |endpoint: &&EndpointRow| wanted.instance.is_none_or(|instance| endpoint.instance.0 == instance);
    let mut filters = Vec::new();
    for endpoint in endpoints.iter().filter(of_url).filter(of_instance) {
        for state in &wanted.states {
            let (endpoint, state) = (Some(endpoint.id), Some(*state));
            filters.push(NotificationFilter { endpoint, state, ..NotificationFilter::default() });
        }
    }
    Ok(filters)
}

/// What a clause asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    states: Vec<NotificationState>,
    url: Option<String>,
    instance: Option<i64>,
}

impl Wanted {
    /// The field knows one state of waiting, `queued`; here a dead letter is one too.
    fn read(text: &str) -> Result<Wanted, String> {
        let mut wanted = Wanted { states: Vec::new(), url: None, instance: None };
        for Equal { field, value } in clause::read(text)? {
            match field.as_str() {
                "channel" if value == "webhook" => {}
                "channel" => return Err(format!("`channel` is `{value}`; only `webhook` is served")),
                "status" if value == "queued" => {
                    wanted.states = vec![NotificationState::Queued, NotificationState::Dead];
                }
                "status" => wanted.states = vec![state(&value).map_err(|error| error.message)?],
                "config.url" => wanted.url = Some(value),
                "instanceId" => {
                    let id = value
                        .parse()
                        .map_err(|_| format!("`instanceId` is `{value}`, which is no number"))?;
                    wanted.instance = Some(id);
                }
                other => {
                    return Err(format!(
                        "`{other}` is not known here; use channel, status, config.url or instanceId"
                    ));
                }
            }
        }
        if wanted.states.is_empty() {
            return Err("`status` is missing; write `status='queued'`".to_owned());
        }
        Ok(wanted)
    }
}

async fn find(api: &Api, org: OrgId, id: &str) -> Answer<NotificationRow> {
    let unknown = || ApiError::not_found("delivery");
    let id = id.parse().map(NotificationId).map_err(|_| unknown())?;
    let filter = NotificationFilter { id: Some(id), limit: 1, ..NotificationFilter::default() };
    api.store.notifications(org, &filter).await?.pop().ok_or_else(unknown)
}

impl Delivery {
    /// A delivery of an instance of this name, without its body.
    pub fn of(notification: &NotificationRow, instance_name: &str) -> Delivery {
        Delivery { instance_name: Some(instance_name.to_owned()), ..shown(notification) }
    }
}

/// A notification as the API shows it; the field's names where it has them.
fn shown(notification: &NotificationRow) -> Delivery {
    Delivery {
        id: notification.id.0,
        notification_id: notification.id.0,
        subscription_id: notification.endpoint.0,
        instance_id: notification.instance.0,
        instance_name: None,
        status: notification.state.as_str(),
        failures: notification.failures,
        created_date: seconds(notification.created_at),
        completed_date: notification.completed_at.map(seconds),
        next_due: notification.next_due,
        first_failed_at: notification.first_failed_at,
        split_from: notification.split_from.map(|id| id.0),
        events: notification.events.clone(),
        notification: None,
    }
}

/// With the names of their instances.
async fn named(api: &Api, org: OrgId, mut deliveries: Vec<Delivery>) -> Answer<Vec<Delivery>> {
    let names = names_of(api, org, deliveries.iter().map(|delivery| delivery.instance_id)).await?;
    for delivery in &mut deliveries {
        delivery.instance_name = names.get(&delivery.instance_id).cloned();
    }
    Ok(deliveries)
}

/// The same with its body.
fn hydrated(notification: &NotificationRow) -> Delivery {
    let body = serde_json::from_str(&notification.body).unwrap_or(Value::Null);
    Delivery { notification: Some(body), ..shown(notification) }
}

impl From<Request> for AttemptRequest {
    fn from(request: Request) -> AttemptRequest {
        let headers = request.headers.into_iter().map(|(name, value)| AttemptHeader { name, value });
        AttemptRequest { method: request.method, url: request.url, headers: headers.collect() }
    }
}

impl From<AttemptRow> for Attempt {
    fn from(attempt: AttemptRow) -> Attempt {
        Attempt {
            id: attempt.id,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            error: attempt.error,
            answer: attempt.answer,
            request: Request::from_json(&attempt.request).map(AttemptRequest::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_clause_means_everything_that_waits() {
        let wanted =
            Wanted::read("channel='webhook' and status='queued' and config.url='https://a/b'").unwrap();
        assert_eq!(wanted.states, [NotificationState::Queued, NotificationState::Dead]);
        assert_eq!(wanted.url.as_deref(), Some("https://a/b"));
        assert_eq!(Wanted::read("status='retry'").unwrap().states, [NotificationState::Retry]);
    }

    #[test]
    fn what_is_not_understood_releases_nothing() {
        for text in ["channel='email' and status='queued'", "status='waiting'", "channel='webhook'", "x='1'"]
        {
            assert!(Wanted::read(text).is_err(), "{text}");
        }
    }
}
