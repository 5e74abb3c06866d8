//! Deliveries: the notifications of an instance with their attempts, and their release.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use turnstone_core::event::seconds;
use turnstone_core::id::{NotificationId, OrgId};
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_store::{AttemptRow, EndpointRow, NotificationFilter, NotificationRow, NotificationState};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::body::{Query, paged};
use super::clause::{self, Equal};
use super::error::{Answer, ApiError};
use super::instances::{At, both};

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
        .routes(routes!(redeliver))
        .routes(routes!(search, release))
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
    responses((status = 200, body = Value)),
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
    let mut response = Json(Value::from(entries)).into_response();
    paged(&mut response, count, next);
    Ok(response)
}

/// Calls for at most `limit` notifications. They are read a few at a time, because each brings its body.
pub async fn each(
    api: &Api,
    org: OrgId,
    mut filter: NotificationFilter,
    limit: u32,
    mut call: impl FnMut(NotificationRow),
) -> Answer<()> {
    let mut left = limit;
    while left > 0 {
        filter.limit = CHUNK.min(left);
        let found = api.store.notifications(org, &filter).await?;
        let is_last = (found.len() as u64) < u64::from(filter.limit);
        left -= found.len() as u32;
        for notification in found {
            filter.after = notification.id.0;
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
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Value>> {
    let found = find(&api, org, &id).await?;
    let attempts = api.store.attempts(org, found.id).await?;
    let mut shown = shown(&found);
    shown["attempts"] = attempts.iter().map(attempt).collect();
    shown["notification"] = serde_json::from_str(&found.body).unwrap_or(Value::Null);
    Ok(Json(shown))
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
    responses((status = 202, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn redeliver(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<(StatusCode, Json<Value>)> {
    let found = find(&api, org, &id).await?;
    let filter = NotificationFilter { id: Some(found.id), limit: 1, ..NotificationFilter::default() };
    if api.store.redeliver(org, &filter, api.now()).await? == 0 {
        let state =
            api.store.notifications(org, &filter).await?.pop().map_or("gone", |now| now.state.as_str());
        let message = format!("the delivery is {state}; only dead, queued and retrying ones are sent again");
        return Err(ApiError::conflict("notWaiting", message));
    }
    (api.wake)();
    Ok((StatusCode::ACCEPTED, Json(shown(&find(&api, org, &id).await?))))
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
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn search(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Json<Value>> {
    let mut found = Vec::new();
    let size = query.page_size()?;
    for filter in filters(&api, org, &query).await? {
        each(&api, org, filter, size, |notification| found.push((notification.id, shown(&notification))))
            .await?;
    }
    found.sort_by_key(|(id, _)| *id);
    Ok(Json(found.into_iter().take(size as usize).map(|(_, shown)| shown).collect()))
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
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")))
)]
pub async fn release(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    query: Query,
) -> Answer<Json<Value>> {
    let mut released = 0;
    for filter in filters(&api, org, &query).await? {
        let filter = NotificationFilter { limit: u32::MAX, ..filter };
        released += api.store.redeliver(org, &filter, api.now()).await?;
    }
    (api.wake)();
    Ok(Json(json!({"released": released})))
}

/// The store's filters for a `where` clause: one per endpoint and state.
async fn filters(api: &Api, org: OrgId, query: &Query) -> Answer<Vec<NotificationFilter>> {
    let text = query.text("where").ok_or_else(|| {
        let message = "`where` is missing; write `where=channel='webhook' and status='queued'`";
        ApiError::bad("badParameter", message)
    })?;
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

/// A notification as the API shows it; the field's names where it has them.
fn shown(notification: &NotificationRow) -> Value {
    json!({
        "id": notification.id,
        "notificationId": notification.id,
        "subscriptionId": notification.endpoint,
        "instanceId": notification.instance,
        "status": notification.state.as_str(),
        "failures": notification.failures,
        "createdDate": seconds(notification.created_at),
        "completedDate": notification.completed_at.map(seconds),
        "nextDue": notification.next_due,
        "firstFailedAt": notification.first_failed_at,
        "splitFrom": notification.split_from,
        "events": notification.events,
    })
}

fn attempt(attempt: &AttemptRow) -> Value {
    json!({
        "id": attempt.id,
        "startedAt": attempt.started_at,
        "durationMs": attempt.duration_ms,
        "status": attempt.status,
        "error": attempt.error,
        "answer": attempt.answer,
    })
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
