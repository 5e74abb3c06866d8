//! Events: the log in the field's shape, newest first, and a feed to pull from, in log order, or to be told by
//! (`live`).
//!
//! The field's `status` says how far an event is on its way. It is derived from the endpoint's position and from what
//! is open there, because nothing but the log and the notifications is kept.

pub mod live;

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use turnstone_core::event::{Event, EventType, line, seconds};
use turnstone_core::id::{EventId, InboundId, InstanceId, OrgId, PollerId, RunId, SubscriptionId};
use turnstone_store::{
    EndpointRow, EventFilter, InboundFilter, LoggedEvent, NotificationFilter, NotificationState,
    SubscriptionFilter,
};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::Caller;
use super::body::{Query, paged};
use super::error::{Answer, ApiError};
use super::instances::names_of;
use super::{Api, deliveries, instances};

/// Bytes of records that one answer gathers before it ends early. Ten thousand ordinary records fit; a thousand of the
/// largest would be more than the machine has.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Events that are read at once.
const CHUNK: u32 = 50;
/// Open notifications of one endpoint that are looked at for the status of events.
const OPEN_MAX: u32 = 1_000;
/// Events of one record that are looked at, to see whether one waits for another.
const OF_RECORD_MAX: u32 = 100;
/// Deliveries of one event that are named: one, and the single ones that it was split into, of every redelivery.
const DELIVERIES_MAX: u32 = 100;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(list_all))
        .routes(routes!(one))
        .routes(routes!(one_of_all))
        .routes(routes!(feed))
}

/// An entry of the log, in the field's shape.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// The event's id.
    #[schema(value_type = String, example = "evt_579em8vscea3awd92st21wsd34")]
    id: EventId,
    /// Its position in the log.
    position: i64,
    /// When it was recorded.
    #[schema(format = DateTime)]
    event_date: String,
    /// `NEW`: recorded, not sent yet. `DISPATCHED`: being sent. `NOTIFIED`: accepted by the endpoint. `RECEIVED`: its
    /// instance has no endpoint.
    #[schema(example = "NOTIFIED")]
    status: &'static str,
    /// Its instance.
    instance_id: i64,
    /// The instance's name; `null` when it was removed.
    instance_name: Option<String>,
    /// The connector's key.
    element_key: String,
    /// The run that recorded it.
    #[schema(value_type = String)]
    run_id: RunId,
    /// Number of the event among the record's events, from 1.
    sequence: u64,
    /// Why it is an event, in words.
    reason: String,
    /// The provider's notification that brought it; none for what a poll saw.
    request_id: Option<i64>,
    /// The record as the provider wrote it, or the whole notification; empty where none is known, and left out of a
    /// list that would be too large.
    provider_data: String,
    /// What goes out.
    notified_data: Vec<NotifiedEvent>,
}

impl LogEntry {
    /// How far its event is on its way.
    pub fn status(&self) -> &'static str {
        self.status
    }
}

/// An entry of the log with what stands around it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogEntryWithMore {
    #[serde(flatten)]
    entry: LogEntry,
    /// The record as it was at the event before, as the provider wrote it then; absent where the log has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    before: Option<String>,
    /// Deliveries that carry it, by id.
    deliveries: Vec<i64>,
}

/// What is told of an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotifiedEvent {
    /// `CREATED`, `UPDATED` or `DELETED`.
    #[schema(example = "UPDATED")]
    event_type: &'static str,
    /// The resource's name.
    object_type: String,
    /// The record's id.
    object_id: String,
    /// When it happened.
    #[schema(format = DateTime)]
    date: String,
    /// The connector's key.
    element_key: String,
}

/// A recorded change with its record.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordedEvent {
    /// The event's id.
    #[schema(value_type = String)]
    id: EventId,
    /// `CREATED`, `UPDATED` or `DELETED`.
    #[schema(example = "UPDATED")]
    event_type: String,
    /// The resource's name.
    object_type: String,
    /// The record's id.
    object_id: String,
    /// When it happened by the provider's account.
    #[schema(format = DateTime)]
    date: String,
    /// The connector's key.
    element_key: String,
    /// Its instance.
    instance_id: i64,
    /// Number of the event among the record's events, from 1.
    sequence: u64,
    /// Why it is an event, in words.
    reason: String,
    /// The record as the provider wrote it; `null` where none is known.
    #[schema(value_type = Value)]
    record: Option<Box<RawValue>>,
}

impl From<&Event> for RecordedEvent {
    fn from(event: &Event) -> RecordedEvent {
        serde_json::from_str(&line(event)).expect("it is what `line` writes; a test compares them")
    }
}

/// An event of the feed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedEvent {
    /// Its position in the log.
    position: i64,
    /// What its instance is called; absent when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance_name: Option<String>,
    #[serde(flatten)]
    event: RecordedEvent,
}

/// The events of an instance, newest first.
#[utoipa::path(
    get,
    path = "/instances/{id}/events",
    tag = "events",
    operation_id = "listEventsOfInstance",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, minimum = 0, description = "What `Elements-Next-Page-Token` said."),
        ("objectType" = Option<String>, Query, description = "Only this resource's."),
        ("before" = Option<i64>, Query, minimum = 0, description = "Only positions before this one."),
        ("objectId" = Option<String>, Query, description = "Only this record's."),
        ("eventType" = Option<String>, Query, description = "Only `CREATED`, `UPDATED` or `DELETED`."),
        ("from" = Option<String>, Query, description = "Only what was recorded at this instant or later."),
        ("to" = Option<String>, Query, description = "Only what was recorded before this instant."),
        ("order" = Option<String>, Query, description = "`asc` begins with the oldest.")
    ),
    responses((status = 200, body = Vec<LogEntry>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    let instance = instances::find(&api, org, &id).await?;
    log(&api, org, Some(instance.id), &query).await
}

/// Events, newest first.
///
/// With an Element token in the `Authorization` header, those of its instance.
#[utoipa::path(
    get,
    path = "/instances/events",
    tag = "events",
    operation_id = "listEvents",
    params(
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, minimum = 0, description = "What `Elements-Next-Page-Token` said."),
        ("objectType" = Option<String>, Query, description = "Only this resource's."),
        ("before" = Option<i64>, Query, minimum = 0, description = "Only positions before this one."),
        ("objectId" = Option<String>, Query, description = "Only this record's."),
        ("eventType" = Option<String>, Query, description = "Only `CREATED`, `UPDATED` or `DELETED`."),
        ("from" = Option<String>, Query, description = "Only what was recorded at this instant or later."),
        ("to" = Option<String>, Query, description = "Only what was recorded before this instant."),
        ("order" = Option<String>, Query, description = "`asc` begins with the oldest.")
    ),
    responses((status = 200, body = Vec<LogEntry>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list_all(State(api): State<Api>, caller: Caller, query: Query) -> Answer<Response> {
    log(&api, caller.org, caller.element, &query).await
}

/// One event of an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/events/{event}",
    tag = "events",
    operation_id = "readEventOfInstance",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("event" = String, Path, description = "The event's id.")
    ),
    responses((status = 200, body = LogEntryWithMore)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn one(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((id, event)): Path<(String, String)>,
) -> Answer<Json<LogEntryWithMore>> {
    let instance = instances::find(&api, org, &id).await?;
    single(&api, org, Some(instance.id), &event).await
}

/// One event.
///
/// With an Element token in the `Authorization` header, only one of its instance.
#[utoipa::path(
    get,
    path = "/instances/events/{event}",
    tag = "events",
    operation_id = "readEvent",
    params(
        ("event" = String, Path, description = "The event's id.")
    ),
    responses((status = 200, body = LogEntryWithMore)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn one_of_all(
    State(api): State<Api>,
    caller: Caller,
    Path(event): Path<String>,
) -> Answer<Json<LogEntryWithMore>> {
    single(&api, caller.org, caller.element, &event).await
}

async fn single(
    api: &Api,
    org: OrgId,
    instance: Option<InstanceId>,
    event: &str,
) -> Answer<Json<LogEntryWithMore>> {
    let id: EventId = event.parse().map_err(|_| ApiError::not_found("event"))?;
    let filter = EventFilter { instance, id: Some(id), limit: 1, ..EventFilter::default() };
    let found = api.store.events(org, &filter).await?.pop().ok_or_else(|| ApiError::not_found("event"))?;
    let mut statuses = Statuses::new(api, org).await?;
    let status = statuses.of(&found).await?;
    let data = Sources::default().of(api, org, &found.event).await?;
    let earlier = EventFilter {
        instance: Some(found.event.instance),
        resource: Some(found.event.object_type.clone()),
        object_id: Some(found.event.object_id.clone()),
        before: Some(found.position),
        newest_first: true,
        limit: 1,
        ..EventFilter::default()
    };
    let before = api.store.events(org, &earlier).await?.pop().and_then(|earlier| earlier.event.record);
    let carrying = NotificationFilter {
        event: Some(id),
        brief: true,
        limit: DELIVERIES_MAX,
        ..NotificationFilter::default()
    };
    let deliveries = api.store.notifications(org, &carrying).await?;
    let deliveries = deliveries.iter().map(|delivery| delivery.id.0).collect();
    let instance = found.event.instance.0;
    let name = names_of(api, org, [instance]).await?.remove(&instance);
    Ok(Json(LogEntryWithMore { entry: shown(found, status, data, name), before, deliveries }))
}

/// What the query of a list says, but for its order and its pages.
fn asked(instance: Option<InstanceId>, query: &Query) -> Answer<EventFilter> {
    let event_type = query.text("eventType").map(str::parse::<EventType>).transpose().map_err(|_| {
        let text = query.text("eventType").unwrap_or_default();
        let message = format!("`eventType` is `{text}`; write `CREATED`, `UPDATED` or `DELETED`");
        ApiError::bad("badParameter", message)
    })?;
    Ok(EventFilter {
        instance,
        resource: query.text("objectType").map(str::to_owned),
        object_id: query.text("objectId").map(str::to_owned),
        event_type,
        before: query.number("before")?,
        from: query.instant("from")?,
        to: query.instant("to")?,
        ..EventFilter::default()
    })
}

/// The log, newest first. `nextPage` continues below the position that the answer's `Elements-Next-Page-Token` names,
/// or above it where the oldest come first.
async fn log(api: &Api, org: OrgId, instance: Option<InstanceId>, query: &Query) -> Answer<Response> {
    let size = query.page_size()?;
    let newest_first = query.text("order") != Some("asc");
    let mut filter = EventFilter { newest_first, limit: size, ..asked(instance, query)? };
    match (query.number("nextPage")?, newest_first) {
        (None, _) => {}
        (Some(position), false) => filter.after = position,
        (Some(position), true) => {
            filter.before = Some(filter.before.map_or(position, |before| before.min(position)));
        }
    }
    let (found, is_more) = gather(api, org, filter, size).await?;
    let (count, next) = (found.len(), found.last().filter(|_| is_more).map(|last| last.position));
    let mut response = Json(entries(api, org, found).await?).into_response();
    paged(&mut response, count, next);
    Ok(response)
}

/// Entries of the log, each with how far its event is on its way.
pub async fn entries(api: &Api, org: OrgId, found: Vec<LoggedEvent>) -> Answer<Vec<LogEntry>> {
    let mut statuses = Statuses::new(api, org).await?;
    let mut entries = Vec::with_capacity(found.len());
    let mut sources = Sources::default();
    let names = names_in(api, org, &found).await?;
    for event in found {
        let status = statuses.of(&event).await?;
        let data = sources.of(api, org, &event.event).await?;
        let name = names.get(&event.event.instance.0).cloned();
        entries.push(shown(event, status, data, name));
    }
    Ok(entries)
}

/// Up to `size` events, fewer when their records are large, and whether there may be more.
async fn gather(
    api: &Api,
    org: OrgId,
    mut filter: EventFilter,
    size: u32,
) -> Answer<(Vec<LoggedEvent>, bool)> {
    let bytes = |events: &[LoggedEvent]| -> usize {
        events.iter().map(|logged| logged.event.record.as_deref().map_or(0, str::len)).sum()
    };
    let mut found: Vec<LoggedEvent> = Vec::new();
    filter.limit = CHUNK.min(size);
    loop {
        let chunk = api.store.events(org, &filter).await?;
        let last = (chunk.len() as u64) < u64::from(filter.limit);
        found.extend(chunk);
        if last {
            return Ok((found, false));
        }
        let (count, full) = (found.len() as u32, bytes(&found) >= RECORD_BYTES_MAX);
        if count >= size || full {
            return Ok((found, true));
        }
        let reached = found.last().map(|last| last.position);
        match filter.newest_first {
            true => filter.before = reached,
            false => filter.after = reached.unwrap_or(filter.after),
        }
        filter.limit = CHUNK.min(size - count);
    }
}

/// What providers sent, for the events of one answer: one notification may have brought many of them.
#[derive(Default)]
struct Sources {
    last: Option<(InboundId, String)>,
    bytes: usize,
}

impl Sources {
    /// What the provider sent that an event came of.
    async fn of(&mut self, api: &Api, org: OrgId, event: &Event) -> Answer<String> {
        let Some(id) = event.inbound else { return Ok(event.record.clone().unwrap_or_default()) };
        if self.last.as_ref().is_none_or(|(known, _)| *known != id) {
            let filter = InboundFilter { id: Some(id), limit: 1, ..InboundFilter::default() };
            let row = api.inbox.requests(org, &filter).await?.pop();
            let text = match row {
                Some(row) => {
                    let raw = api.inbox.request(org, id).await?;
                    raw.content(row.format.unwrap_or_default())
                        .map(|text| text.into_owned())
                        .unwrap_or_default()
                }
                None => String::new(),
            };
            self.last = Some((id, text));
        }
        let text = self.last.as_ref().map(|(_, text)| text.clone()).unwrap_or_default();
        self.bytes += text.len();
        Ok(if self.bytes > RECORD_BYTES_MAX { String::new() } else { text })
    }
}

/// A log entry in the field's shape.
fn shown(
    logged: LoggedEvent,
    status: &'static str,
    provider_data: String,
    instance_name: Option<String>,
) -> LogEntry {
    let event = logged.event;
    let notified = NotifiedEvent {
        event_type: event.event_type.as_str(),
        object_type: event.object_type,
        object_id: event.object_id,
        date: seconds(event.date),
        element_key: event.element_key.clone(),
    };
    LogEntry {
        id: event.id,
        position: logged.position,
        event_date: seconds(logged.recorded_at),
        status,
        instance_id: event.instance.0,
        instance_name,
        element_key: event.element_key,
        run_id: event.run,
        sequence: event.sequence,
        reason: event.reason,
        request_id: event.inbound.map(|id| id.0),
        provider_data,
        notified_data: vec![notified],
    }
}

/// How far events are on their way to the endpoint that takes them: their instance's, or their subscription's own.
struct Statuses<'a> {
    api: &'a Api,
    org: OrgId,
    endpoints: Vec<(EndpointRow, Option<HashSet<EventId>>)>,
    /// Pollers of subscriptions with an endpoint of their own.
    own: HashMap<PollerId, SubscriptionId>,
}

impl<'a> Statuses<'a> {
    async fn new(api: &'a Api, org: OrgId) -> Answer<Statuses<'a>> {
        let endpoints = api.store.endpoints(org).await?;
        let mut own = HashMap::new();
        if endpoints.iter().any(|endpoint| endpoint.subscription.is_some()) {
            let rows = api.monitors.subscriptions(org, SubscriptionFilter::default()).await?;
            own.extend(rows.iter().filter(|row| row.endpoint.is_some()).map(|row| (row.poller, row.id)));
        }
        let endpoints = endpoints.into_iter().map(|endpoint| (endpoint, None)).collect();
        Ok(Statuses { api, org, endpoints, own })
    }

    /// `NEW`: recorded, not sent yet. `DISPATCHED`: being sent. `NOTIFIED`: accepted by the endpoint. `RECEIVED`: its
    /// instance has no endpoint.
    async fn of(&mut self, event: &LoggedEvent) -> Answer<&'static str> {
        let (api, org) = (self.api, self.org);
        let own = self.own.get(&event.event.poller).copied();
        let takes_it = |(endpoint, _): &&mut (EndpointRow, _)| {
            endpoint.instance == event.event.instance && endpoint.subscription == own
        };
        let Some((endpoint, open)) = self.endpoints.iter_mut().find(takes_it) else {
            return Ok("RECEIVED");
        };
        if event.position > endpoint.position {
            return Ok("NEW");
        }
        if open.is_none() {
            *open = Some(open_events(api, org, endpoint).await?);
        }
        let open = open.as_ref().expect("it was filled above");
        if open.contains(&event.event.id) {
            return Ok("DISPATCHED");
        }
        if open.is_empty() {
            return Ok("NOTIFIED");
        }
        // It may have been passed over, because an earlier event of its record is open.
        let earlier = EventFilter {
            instance: Some(event.event.instance),
            resource: Some(event.event.object_type.clone()),
            object_id: Some(event.event.object_id.clone()),
            before: Some(event.position),
            newest_first: true,
            limit: OF_RECORD_MAX,
            ..EventFilter::default()
        };
        let of_record = api.store.events(org, &earlier).await?;
        let waits = of_record.iter().any(|other| open.contains(&other.event.id));
        Ok(if waits { "NEW" } else { "NOTIFIED" })
    }
}

async fn open_events(api: &Api, org: OrgId, endpoint: &EndpointRow) -> Answer<HashSet<EventId>> {
    let mut open = HashSet::new();
    for state in [
        NotificationState::Created,
        NotificationState::Retry,
        NotificationState::Queued,
        NotificationState::Dead,
    ] {
        let filter = NotificationFilter {
            endpoint: Some(endpoint.id),
            state: Some(state),
            brief: true,
            ..NotificationFilter::default()
        };
        deliveries::each(api, org, filter, OPEN_MAX, |notification| open.extend(notification.events)).await?;
    }
    Ok(open)
}

/// Events in log order, each with its position.
///
/// JSON lines where the client accepts `application/x-ndjson`, else an array. `Elements-Next-Page-Token` is the
/// position to ask after next. With `Accept: text/event-stream` the answer does not end: every event is told as it is
/// recorded, with its position as `id`, from now on where neither `after` nor `Last-Event-ID` says where to begin. The
/// first message, `start`, says the position that the stream goes on after.
#[utoipa::path(
    get,
    path = "/events",
    tag = "events",
    operation_id = "readFeed",
    params(
        ("after" = Option<i64>, Query, description = "The position to go on after."),
        ("instanceId" = Option<i64>, Query, description = "Only this instance's."),
        ("objectType" = Option<String>, Query, description = "Only this resource's."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said.")
    ),
    responses((status = 200, content(
        (Vec<FeedEvent> = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/event-stream")
    ))),
    extensions(("x-right" = json!("reader")))
)]
pub async fn feed(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Answer<Response> {
    let after = query.number("after")?;
    let filter = EventFilter {
        instance: query.number("instanceId")?.map(InstanceId),
        resource: query.text("objectType").map(str::to_owned),
        after: after.unwrap_or(0),
        ..EventFilter::default()
    };
    let size = query.page_size()?;
    let accepts = |wanted: fn(&str) -> bool| {
        headers.get_all(ACCEPT).iter().any(|value| value.to_str().is_ok_and(wanted))
    };
    if accepts(live::is_wanted) {
        return live::answer(&api, caller, &headers, filter, after).await;
    }
    let (found, _) = gather(&api, caller.org, filter, size).await?;
    let wants_lines =
        accepts(|text| text.contains("application/x-ndjson") || text.contains("application/jsonl"));
    let names = names_in(&api, caller.org, &found).await?;
    let lines = found.iter().map(|logged| positioned(logged, &names));
    let (kind, body) = if wants_lines {
        ("application/x-ndjson", lines.map(|line| line + "\n").collect::<String>())
    } else {
        ("application/json", format!("[{}]", lines.collect::<Vec<_>>().join(",\n")))
    };
    let mut response = ([(CONTENT_TYPE, kind)], body).into_response();
    let next = found.last().map_or(after.unwrap_or(0), |last| last.position);
    paged(&mut response, found.len(), Some(next));
    Ok(response)
}

/// What the instances of these events are called.
async fn names_in(api: &Api, org: OrgId, found: &[LoggedEvent]) -> Answer<HashMap<i64, String>> {
    names_of(api, org, found.iter().map(|logged| logged.event.instance.0)).await
}

/// An event's line with its position and its instance's name before it. The record stays as the provider wrote it.
fn positioned(logged: &LoggedEvent, names: &HashMap<i64, String>) -> String {
    let line = line(&logged.event);
    let line = line.strip_prefix('{').unwrap_or(&line);
    match names.get(&logged.event.instance.0) {
        Some(name) => {
            let name = serde_json::Value::from(name.as_str());
            format!("{{\"position\":{},\"instanceName\":{name},{line}", logged.position)
        }
        None => format!("{{\"position\":{},{line}", logged.position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnstone_core::event::EventType;
    use turnstone_core::id::PollerId;

    #[test]
    fn the_feed_is_what_its_schema_says() {
        for record in [None, Some("null"), Some("7"), Some("{\"id\": 1.50,\n \"a\": [1e400]}")] {
            let event = Event {
                id: EventId([7; 16]),
                poller: PollerId(1),
                instance: InstanceId(2),
                run: RunId([3; 16]),
                inbound: None,
                event_type: EventType::Updated,
                object_type: "a\"b".into(),
                object_id: "é".into(),
                element_key: "crm".into(),
                date: jiff::Timestamp::UNIX_EPOCH,
                sequence: 4,
                reason: "new".into(),
                compared: String::new(),
                page: 0,
                record: record.map(str::to_owned),
            };
            let written = line(&event);
            assert_eq!(serde_json::to_string(&RecordedEvent::from(&event)).unwrap(), written);
            let logged = LoggedEvent { position: 9, recorded_at: jiff::Timestamp::UNIX_EPOCH, event };
            let names = HashMap::from([(2, "the \"north\"".to_owned())]);
            assert_eq!(positioned(&logged, &HashMap::new()), written.replacen('{', "{\"position\":9,", 1));
            let named = "{\"position\":9,\"instanceName\":\"the \\\"north\\\"\",";
            assert_eq!(positioned(&logged, &names), written.replacen('{', named, 1));
        }
    }
}
