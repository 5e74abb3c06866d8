//! Runs that write nothing: a draft, a version or a document that is kept nowhere, over the connection of an instance.
//!
//! The flow runs as it would, requests that change something at the provider included; what is not done is ours: no
//! cursor is saved, no event recorded, no ledger written. What is told of it holds no secret of the connection. Because
//! requests go out with somebody's credentials, the audit says who tested what over which instance.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use turnstone_core::flow::Flow;
use turnstone_core::flow::records::{self, Judged};
use turnstone_core::flow::run::{Entry, FlowEnd, FlowError, Trace, read_cursor, redacted_json};
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::flow::value;
use turnstone_core::id::{MonitorId, OrgId};
use turnstone_engine::flows::{Link, Rehearsal, Rehearsed};
use turnstone_store::{InstanceRow, PollerRow, SubscriptionRow};
use utoipa::ToSchema;

use super::changes::kept_options;
use super::document::{deployed, judge, kept, sent};
use super::drafts;
use super::settings::{self, Faults, given};
use super::subscriptions;
use super::versions;
use crate::api::access::{Caller, told};
use crate::api::body::TypedText;
use crate::api::error::{Answer, ApiError};
use crate::api::events::RecordedEvent;
use crate::api::instances;
use crate::api::runs::Decision;
use crate::api::{Api, REQUEST_TIME_MAX};

/// Records and events that an answer shows.
const SHOWN_MAX: usize = 1_000;

/// What to run, and from what.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToTest {
    /// The instance whose connection is used.
    #[schema(value_type = Option<i64>)]
    instance_id: Option<Value>,
    /// Instead of it a subscription: its instance, and, where they are not sent, its cursor and its options. What would
    /// be reported is judged by what it knows.
    #[schema(value_type = Option<i64>)]
    subscription_id: Option<Value>,
    /// The deployed version to run; the draft when it is left out.
    #[schema(value_type = Option<i64>)]
    version: Option<Value>,
    /// A document that is kept nowhere: an object, or a text in YAML or JSON. Only of `POST /monitors/test`.
    document: Option<Value>,
    /// The cursor to start from; `null` is that of a first run.
    #[schema(value_type = Value)]
    #[serde(default, deserialize_with = "given")]
    cursor: Option<Box<RawValue>>,
    /// Values of the monitor's options by label.
    #[schema(value_type = Option<Object>)]
    options: Option<Value>,
    /// A helper flow to run instead of the monitor: `_authping`, or one that returns the values of a dropdown.
    #[schema(value_type = Option<String>)]
    flow: Option<Value>,
    /// Its parameters by name.
    #[schema(value_type = Option<Object>)]
    values: Option<Box<RawValue>>,
}

/// What a run would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tested {
    /// Whether it ended well.
    ok: bool,
    /// Why it did not.
    error: Option<CardError>,
    /// What every card got and gave.
    #[serde(flatten)]
    trace: TraceBody,
    /// Remarks.
    notes: Vec<String>,
    /// Cards that ran.
    cards_run: u64,
    /// Requests that were sent.
    requests: u64,
    /// Our clock at its end.
    #[schema(value_type = String, format = DateTime)]
    finished_at: Timestamp,
    /// How many records it returned.
    record_count: usize,
    /// They themselves, the first 1,000.
    #[schema(value_type = Vec<Value>)]
    records: Vec<Option<Box<RawValue>>>,
    /// The cursor that would be saved; `null` when the old one would stay.
    #[schema(value_type = Value)]
    cursor: Option<Box<RawValue>>,
    /// Whether one would be saved.
    saves_cursor: bool,
    /// What a helper flow returned.
    #[schema(value_type = Value)]
    returned: Option<Box<RawValue>>,
    /// What would be reported; only where a subscription is named and the monitor itself ran.
    reported: Option<Reported>,
}

/// The card that ended a run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CardError {
    /// The failing card.
    card: String,
    /// Its place in the document.
    place: String,
    /// The flow that it stands in.
    flow: String,
    /// The input at fault, when one is.
    input: Option<String>,
    /// For programs.
    #[schema(example = "http-503")]
    code: String,
    /// A sentence.
    message: String,
    /// Status of the provider's answer, or of a Return Error.
    status: Option<u16>,
    /// The provider's own words.
    raw: Option<String>,
    /// Whether trying again without a person may help.
    transient: bool,
}

/// What would be reported of a run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reported {
    /// How many events.
    event_count: usize,
    /// They themselves, the first 1,000.
    events: Vec<RecordedEvent>,
    /// Why other records would not be reported.
    decisions: Vec<Decision>,
    /// Why the records could not be judged.
    error: Option<String>,
}

/// The cards of a run, in the order in which they began.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TraceBody {
    /// What is shown of them.
    cards: Vec<CardBody>,
    /// Cards that are not shown.
    left_out: u64,
}

/// One card of a run.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CardBody {
    /// The flow.
    flow: String,
    /// The card's id, or what it is.
    card: String,
    /// Its place in the document.
    place: String,
    /// What it is.
    kind: String,
    /// Position of the call that it belongs to, in the nearest loop.
    index: Option<u64>,
    /// Our clock at its start.
    started_at: Option<String>,
    /// Our clock at its end.
    finished_at: Option<String>,
    /// Its inputs by name, large ones cut.
    #[schema(value_type = Value)]
    inputs: Option<Box<RawValue>>,
    /// Its outputs by name, large ones cut.
    #[schema(value_type = Value)]
    outputs: Option<Box<RawValue>>,
    /// Why it failed.
    error: Option<String>,
    /// The provider's own words about it.
    raw: Option<String>,
}

impl TraceBody {
    /// The same with values in place of their texts.
    #[must_use]
    pub fn opened(mut self) -> TraceBody {
        for card in &mut self.cards {
            for values in [&mut card.inputs, &mut card.outputs] {
                let text = values.as_ref().and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
                if let Some(read) = text.and_then(|text| RawValue::from_string(text).ok()) {
                    *values = Some(read);
                }
            }
        }
        self
    }

    fn of(trace: &Trace, link: &Link) -> TraceBody {
        let text = serde_json::to_string(trace).unwrap_or_default();
        let mut body: TraceBody = serde_json::from_str::<TraceBody>(&text).unwrap_or_default().opened();
        for card in &mut body.cards {
            for values in [&mut card.inputs, &mut card.outputs] {
                *values = values.as_ref().and_then(|raw| cleaned(raw.get(), link));
            }
            for words in [&mut card.error, &mut card.raw] {
                *words = words.as_deref().map(|words| link.redacted(words));
            }
        }
        body
    }
}

/// A value of which every text and name is without secrets of the connection. Numbers keep their digits.
fn cleaned(text: &str, link: &Link) -> Option<Box<RawValue>> {
    RawValue::from_string(redacted_json(text, &|text| link.redacted(text))).ok()
}

/// Runs a monitor without writing anything: no cursor, no events.
///
/// Requests are sent as in a run, with the credentials of the named instance; so it is written down.
#[utoipa::path(
    post,
    path = "/monitors/{id}/test",
    tag = "monitors",
    operation_id = "testMonitor",
    params(("id" = i64, Path, description = "The monitor.")),
    request_body = ToTest,
    responses((status = 200, body = Tested)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn test(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    TypedText(body): TypedText<ToTest>,
) -> Answer<Response> {
    let monitor = drafts::find(&api, org, &id).await?;
    let mut faults = Faults::default();
    if body.document.is_some() {
        faults.add("document", "the monitor has one", "leave it out, or POST /monitors/test");
    }
    let version = body.version.as_ref().map(|version| settings::number("version", version, &mut faults));
    if !faults.0.is_empty() {
        return Err(ApiError::faults(faults.0));
    }
    let version = version.flatten();
    let flow = match version {
        Some(version) => deployed(&versions::find(&api, org, &monitor, version).await?)?,
        None => judge(&kept(&monitor.draft)?).sound()?,
    };
    let over = over(&api, org, Some(monitor.id), &body).await?;
    let mut detail = json!({"monitor": monitor.id.0, "instance": over.instance.id.0});
    match version {
        Some(version) => detail["version"] = json!(version),
        None => detail["revision"] = json!(monitor.revision),
    }
    Ok(told(Json(rehearsed(&api, flow, over, &body).await?), detail))
}

/// Runs a document that is kept nowhere.
#[utoipa::path(
    post,
    path = "/monitors/test",
    tag = "monitors",
    operation_id = "testDocument",
    request_body = ToTest,
    responses((status = 200, body = Tested)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn test_document(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    TypedText(mut body): TypedText<ToTest>,
) -> Answer<Response> {
    let mut faults = Faults::default();
    if body.version.is_some() {
        faults.add("version", "a document has none", "leave it out, or POST /monitors/{id}/test");
    }
    let document = body.document.take();
    if document.is_none() {
        faults.add("document", "it is not given", "send the monitor's document");
    }
    let (Some(document), []) = (document, faults.0.as_slice()) else {
        return Err(ApiError::faults(faults.0));
    };
    let document = sent(document)?;
    let flow = judge(&document).sound()?;
    let over = over(&api, org, None, &body).await?;
    let detail = json!({"document": document["name"], "instance": over.instance.id.0});
    Ok(told(Json(rehearsed(&api, flow, over, &body).await?), detail))
}

/// Whose connection is used, and whose ledger.
struct Over {
    instance: InstanceRow,
    subscription: Option<(SubscriptionRow, PollerRow)>,
}

/// `monitor` is the one that is tested; a document that is kept nowhere may be tried over any subscription.
async fn over(api: &Api, org: OrgId, monitor: Option<MonitorId>, body: &ToTest) -> Answer<Over> {
    let mut faults = Faults::default();
    let found = match (&body.instance_id, &body.subscription_id) {
        (Some(id), None) => settings::number("instanceId", id, &mut faults).map(|id| (id, false)),
        (None, Some(id)) => settings::number("subscriptionId", id, &mut faults).map(|id| (id, true)),
        (Some(_), Some(_)) => {
            faults.add("instanceId", "the subscription says it", "send one of the two");
            None
        }
        (None, None) => {
            let remedy = "send it, or `subscriptionId`: a run needs a connection";
            faults.add("instanceId", "it is not given", remedy);
            None
        }
    };
    match found {
        None => Err(ApiError::faults(faults.0)),
        Some((id, false)) => {
            let instance = instances::find(api, org, &id.to_string()).await?;
            Ok(Over { instance, subscription: None })
        }
        Some((id, true)) => {
            let (row, poller) = subscriptions::find(api, org, &id.to_string()).await?;
            if monitor.is_some_and(|monitor| monitor != row.monitor) {
                let remedy = format!(
                    "name one of `GET /subscriptions?monitorId={}`, or test monitor {}",
                    monitor.map_or(0, |monitor| monitor.0),
                    row.monitor
                );
                faults.add("subscriptionId", "it is a subscription of another monitor", remedy);
                return Err(ApiError::faults(faults.0));
            }
            let instance = api.store.instance(org, row.instance).await?;
            Ok(Over { instance, subscription: Some((row, poller)) })
        }
    }
}

async fn rehearsed(api: &Api, flow: Arc<Flow>, over: Over, body: &ToTest) -> Answer<Tested> {
    let rehearsal = rehearsal(flow, body, &over)?;
    if !over.instance.enabled {
        return Err(ApiError::conflict("disabled", "the instance is disabled; enable it first"));
    }
    let _place = api.rehearsal()?;
    let link = api.flows.link(&over.instance).await.map_err(|fault| {
        let message = fault.message;
        ApiError::conflict("notConnected", message)
    })?;
    let is_judged = rehearsal.subscription.is_some();
    // What is written down goes on when its client goes away; so it has an end of its own.
    let running = api.flows.rehearse(rehearsal, &link, &api.stop);
    let ended = tokio::time::timeout(REQUEST_TIME_MAX, running).await.map_err(|_| {
        let message =
            format!("the run took longer than {} s; nothing was written", REQUEST_TIME_MAX.as_secs());
        ApiError::new(StatusCode::GATEWAY_TIMEOUT, "tookTooLong", message)
    })?;
    let Some(mut rehearsed) = ended else {
        let message = "the server stops; nothing was written; try again when it runs";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", message));
    };
    // Without a ledger nothing is known, and everything would seem new.
    rehearsed.judged = rehearsed.judged.filter(|_| is_judged);
    Ok(Tested::of(rehearsed, &link))
}

/// What is run, judged as far as it can be before anybody is asked. Every fault at once.
fn rehearsal(flow: Arc<Flow>, body: &ToTest, over: &Over) -> Answer<Rehearsal> {
    let mut faults = Faults::default();
    settings::fits(&flow, &over.instance, &mut faults);
    let entry = entry(&flow, body, &mut faults);
    // A helper flow of a dropdown is asked before the options are chosen.
    let judged_by = (entry == Entry::Monitor).then_some(flow.as_ref());
    let state = over.subscription.as_ref().map(|(_, poller)| subscriptions::state_of(poller)).transpose()?;
    let state: SubscriptionState = state.unwrap_or_default();
    let cursor = match &body.cursor {
        Some(raw) => settings::cursor(raw, &flow, &mut faults),
        None => kept_cursor(&state, judged_by, &mut faults),
    };
    let options = match (&body.options, &over.subscription) {
        (Some(options), _) => settings::options(options, judged_by, &mut faults),
        // Another version may want other ones.
        (None, Some((row, _))) => settings::options(&kept_options(row), judged_by, &mut faults),
        (None, None) => settings::options(&json!({}), judged_by, &mut faults),
    };
    if !faults.0.is_empty() {
        return Err(ApiError::faults(faults.0));
    }
    let subscription = over.subscription.as_ref().map(|(row, _)| records::Subscription {
        org: row.org,
        instance: row.instance,
        poller: row.poller,
        element_key: over.instance.element_key.clone(),
        mode: row.mode,
    });
    let state = SubscriptionState { cursor, ..state };
    Ok(Rehearsal { flow, entry, state, options, subscription })
}

/// The saved cursor. A monitor must be able to read it.
fn kept_cursor(state: &SubscriptionState, flow: Option<&Flow>, faults: &mut Faults) -> Option<String> {
    let cursor = state.cursor.clone();
    if let (Some(text), Some(flow)) = (&cursor, flow)
        && let Err(sentence) = read_cursor(flow, text)
    {
        let problem = format!("that of the subscription is of another type: {sentence}");
        faults.add("cursor", problem, "send a converted `cursor` with it, or null");
    }
    cursor
}

/// Where the run begins.
fn entry(flow: &Flow, body: &ToTest, faults: &mut Faults) -> Entry {
    let Some(name) = &body.flow else {
        if body.values.is_some() {
            faults.add(
                "values",
                "they are parameters of a helper flow, and none is named",
                "name it as `flow`",
            );
        }
        return Entry::Monitor;
    };
    let name = name.as_str().unwrap_or_default();
    if !flow.has_helper(name) {
        let remedy = "name one under `flows` of the document, such as `_authping`";
        faults.add("flow", format!("there is no helper flow `{name}`"), remedy);
    }
    let values = match body.values.as_ref().map(|raw| value::Value::from_json(raw.get())) {
        None => value::Object::new(),
        Some(Ok(value::Value::Object(members))) => (*members).clone(),
        Some(Ok(_)) => {
            faults.add("values", "it is not an object", "write the parameters by name");
            value::Object::new()
        }
        Some(Err(why)) => {
            faults.add("values", why.to_string(), "correct it");
            value::Object::new()
        }
    };
    Entry::Helper { name: name.to_owned(), values }
}

impl Tested {
    /// What came of a run, without secrets of the connection.
    pub fn of(rehearsed: Rehearsed, link: &Link) -> Tested {
        let Rehearsed { end, judged } = rehearsed;
        let FlowEnd { result, trace, notes, cards, requests, finished_at } = end;
        let (outcome, error) = match result {
            Ok(outcome) => (outcome, None),
            Err(error) => (Default::default(), Some(failure(&error, link))),
        };
        let shown = outcome.records.iter().take(SHOWN_MAX);
        let returned = value::Value::object(outcome.returned).to_json();
        Tested {
            ok: error.is_none(),
            error,
            trace: TraceBody::of(&trace, link),
            notes: notes.iter().map(|note| link.redacted(note)).collect(),
            cards_run: cards,
            requests,
            finished_at,
            record_count: outcome.records.len(),
            records: shown.map(|record| cleaned(&record.body, link)).collect(),
            saves_cursor: outcome.cursor.is_some(),
            cursor: outcome.cursor.and_then(|cursor| cleaned(&cursor, link)),
            returned: cleaned(&returned, link),
            reported: judged.map(|judged| reported(judged, link)),
        }
    }
}

fn failure(error: &FlowError, link: &Link) -> CardError {
    CardError {
        card: error.card.clone(),
        place: error.place.clone(),
        flow: error.flow.clone(),
        input: error.input.clone(),
        code: error.code.clone(),
        message: link.redacted(&error.message),
        status: error.status,
        raw: error.raw.as_deref().map(|raw| link.redacted(raw)),
        transient: error.transient,
    }
}

fn reported(judged: Result<Judged, String>, link: &Link) -> Reported {
    let batch = match judged {
        Ok(judged) => judged.batch,
        Err(error) => {
            let error = Some(link.redacted(&error));
            return Reported { event_count: 0, events: Vec::new(), decisions: Vec::new(), error };
        }
    };
    let clean = |event: &turnstone_core::event::Event| {
        let mut event = event.clone();
        event.record = event.record.and_then(|record| cleaned(&record, link)).map(|raw| raw.get().to_owned());
        RecordedEvent::from(&event)
    };
    Reported {
        event_count: batch.events.len(),
        events: batch.events.iter().take(SHOWN_MAX).map(clean).collect(),
        decisions: batch.decisions.into_iter().map(Decision::from).collect(),
        error: None,
    }
}
