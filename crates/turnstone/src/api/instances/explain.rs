//! What the first poll of a configuration would do that is kept nowhere: the live preview of whoever writes it.
//!
//! The document is judged exactly as if it were to be stored, then polled in memory: the ledger is empty, nothing is
//! written, and nothing is sent but reads and, where an account needs it, a request for a token that nobody keeps.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use turnstone_core::check::Fault;
use turnstone_core::id::{InstanceId, PollerId, RunId};
use turnstone_core::poll::{self, Options, Plan, PollerState, Start};
use turnstone_core::resource::{Resource, StartFrom};
use turnstone_engine::driver::{Tools, rehearse};
use turnstone_engine::egress::{Bodies, Net};
use turnstone_engine::prepare::Prepared;
use turnstone_store::InstanceRow;
use turnstone_store::memory::MemoryStore;
use utoipa::ToSchema;

use super::create::{self, Draft, not_signed_in};
use super::document::understand;
use super::element::{Chosen, write_reference};
use super::sample::{SampleRecord, Watched};
use super::{change, find};
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::Typed;
use crate::api::elements;
use crate::api::error::{Answer, ApiError, FaultBody};
use crate::api::pollers::Explanation;

/// Pages that are read of each resource.
const PAGES_MAX: u32 = 20;
/// The poller of a trial, which has none.
const NOTHING: PollerId = PollerId(0);
/// Resources that are rehearsed at once: a document may have hundreds, and each asks the provider.
const RESOURCES_MAX: usize = 20;

/// A configuration to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToExplain {
    /// The document, as `POST /instances` takes it.
    instance: Value,
    /// A stored instance that the document would replace: secrets that are sent as they are shown are its own, and its
    /// account is used.
    instance_id: Option<i64>,
    /// Only this resource. Needed where there are more than 20.
    resource: Option<String>,
    /// Pages to read of each resource; 1 when it is not said.
    #[schema(minimum = 1, maximum = 20)]
    pages: Option<u32>,
    /// What the first poll is to report instead of what the configuration says: `now`, `beginning`, or an instant. A
    /// poll from now on finds nothing in a list that did not change.
    #[schema(example = "beginning")]
    start_from: Option<String>,
}

/// A connector to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ElementToExplain {
    /// The connector as it is to be; as it is when it is left out. Secrets that are sent as they are shown are its own.
    #[schema(value_type = Option<Object>)]
    element: Option<Value>,
    /// The values of a trial account: what an instance's `configuration` would be.
    #[schema(value_type = Option<Object>)]
    configuration: Option<Map<String, Value>>,
    /// Only this resource. Needed where there are more than 20.
    resource: Option<String>,
    /// Pages to read of each resource; 1 when it is not said.
    #[schema(minimum = 1, maximum = 20)]
    pages: Option<u32>,
    /// What the first poll is to report instead of what the configuration says: `now`, `beginning`, or an instant. A
    /// poll from now on finds nothing in a list that did not change.
    #[schema(example = "beginning")]
    start_from: Option<String>,
}

/// What a first poll of a resource would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedResource {
    /// The resource's name.
    resource: String,
    /// Why it cannot be polled, if it cannot be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<FaultBody>,
    /// What the poll would do; `null` where it cannot begin.
    explanation: Option<TriedExplanation>,
}

/// What a first poll would do, with some of its records.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedExplanation {
    #[serde(flatten)]
    explanation: Explanation,
    /// The first records, at most 20.
    sample: Vec<SampleRecord>,
}

/// What the first poll of an instance would do that is not stored.
///
/// The document is judged as by `POST /instances`, with the same faults. What the provider says, and where it cannot be
/// reached, stands in `error` of each explanation. Nothing is written.
#[utoipa::path(
    post,
    path = "/instances/explain",
    tag = "instances",
    operation_id = "explainInstance",
    request_body = ToExplain,
    responses((status = 200, body = Vec<ExplainedResource>)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn explain(
    State(api): State<Api>,
    caller: Caller,
    Typed(body): Typed<ToExplain>,
) -> Answer<Json<Vec<ExplainedResource>>> {
    let ToExplain { instance, instance_id, resource, pages, start_from } = body;
    let bounds = Bounds::of(resource, pages, start_from)?;
    let row = match instance_id {
        Some(id) => Some(find(&api, caller.org, &id.to_string()).await?),
        None => None,
    };
    let draft = match &row {
        Some(row) => change::draft(&api, &caller, row.clone(), instance).await?,
        None => create::draft(&api, &caller, instance).await?,
    };
    Ok(Json(explained(&api, &caller, draft, row, bounds).await?))
}

/// What the first poll of an instance of a connector would do, with a trial account.
///
/// The connector may be sent as it is to be; neither it nor the account is stored.
#[utoipa::path(
    post,
    path = "/elements/{keyOrId}/explain",
    tag = "elements",
    operation_id = "explainElement",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id.")
    ),
    request_body = ElementToExplain,
    responses((status = 200, body = Vec<ExplainedResource>)),
    extensions(("x-right" = json!("admin")), ("x-audited" = json!(false)))
)]
pub async fn explain_element(
    State(api): State<Api>,
    caller: Caller,
    Path(key_or_id): Path<String>,
    Typed(body): Typed<ElementToExplain>,
) -> Answer<Json<Vec<ExplainedResource>>> {
    let ElementToExplain { element, configuration, resource, pages, start_from } = body;
    let bounds = Bounds::of(resource, pages, start_from)?;
    let row = elements::row(&api, caller.org, &key_or_id).await?;
    let mut chosen = Chosen::current(&api, &row).await?;
    if let Some(element) = element {
        chosen.connector = Arc::new(elements::tried(&api, row, element)?);
    }
    let configuration = configuration.unwrap_or_default();
    let mut document = json!({"name": "a trial", "configuration": configuration});
    write_reference(&mut document, &chosen);
    let read = understand(&api, caller.org, &document, Some(&chosen.connector))?;
    let draft = Draft { document, chosen: Some(chosen), read };
    Ok(Json(explained(&api, &caller, draft, None, bounds).await?))
}

/// How much is tried, judged.
struct Bounds {
    resource: Option<String>,
    pages: u32,
    start_from: Option<StartFrom>,
}

impl Bounds {
    fn of(resource: Option<String>, pages: Option<u32>, start_from: Option<String>) -> Answer<Bounds> {
        let pages = pages.unwrap_or(1);
        if !(1..=PAGES_MAX).contains(&pages) {
            let message = format!("`pages` is {pages}; write 1 to {PAGES_MAX}");
            return Err(ApiError::bad("badParameter", message));
        }
        let start_from = start_from.map(|text| match text.trim() {
            "now" => Ok(StartFrom::Now),
            "beginning" => Ok(StartFrom::Beginning),
            text => text.parse::<Timestamp>().map(StartFrom::Instant).map_err(|_| {
                let message = "`startFrom` is neither `now`, `beginning` nor an instant such as \
                               `2026-01-31T00:00:00Z`; write one of them";
                ApiError::bad("badParameter", message)
            }),
        });
        Ok(Bounds { resource, pages, start_from: start_from.transpose()? })
    }
}

/// The resources that are asked for.
fn selected(resources: &[Resource], bounds: &Bounds) -> Answer<Vec<Resource>> {
    let fault = |problem: String, remedy: String| {
        ApiError::faults(vec![Fault { path: "resource".to_owned(), problem, remedy }])
    };
    let names = || resources.iter().take(10).map(|resource| format!("`{}`", resource.name));
    let selected: Vec<Resource> = match &bounds.resource {
        None => resources.to_vec(),
        Some(name) => resources.iter().filter(|resource| resource.name == *name).cloned().collect(),
    };
    match (selected.len(), &bounds.resource) {
        (0, Some(name)) => {
            let remedy = format!("name one of those there are: {}", names().collect::<Vec<_>>().join(", "));
            Err(fault(format!("there is no resource `{name}`"), remedy))
        }
        (0, None) => {
            let remedy = "name one in `event.poller.configuration`".to_owned();
            Err(fault("nothing is polled".to_owned(), remedy))
        }
        (count, _) if count > RESOURCES_MAX => {
            let problem = format!("{count} resources are more than {RESOURCES_MAX} at once");
            Err(fault(problem, "name one of them as `resource`".to_owned()))
        }
        _ => Ok(selected),
    }
}

/// Polls the resources one after another. `row` is the instance whose account is used; without it one is made for the
/// trial.
async fn explained(
    api: &Api,
    caller: &Caller,
    draft: Draft,
    row: Option<InstanceRow>,
    bounds: Bounds,
) -> Answer<Vec<ExplainedResource>> {
    let Draft { document, chosen, read } = draft;
    let resources = selected(&read.instance.resources, &bounds)?;
    let _place = api.rehearsal()?;
    let connector = chosen.as_ref().map(|chosen| &chosen.connector);
    let net = way_out(api, caller, &document, chosen.as_ref(), row).await?;
    let prepared = api.preparer.unsaved(read.instance, connector.map(AsRef::as_ref), &document);
    let trying = async {
        let mut all = Vec::new();
        for mut resource in resources {
            resource.start_from = bounds.start_from.unwrap_or(resource.start_from);
            all.push(tried(api, caller, &prepared, resource, &net, bounds.pages).await?);
        }
        Ok(all)
    };
    // How long it may take is the outermost layer's to say.
    api.stop.unless_asked(trying).await.unwrap_or_else(|| {
        let message = "the server stops; nothing was written; try again when it runs";
        Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", message))
    })
}

/// The way to the provider: by the account of an instance, by one that is made for the trial, or without a connector.
async fn way_out(
    api: &Api,
    caller: &Caller,
    document: &Value,
    chosen: Option<&Chosen>,
    row: Option<InstanceRow>,
) -> Answer<Arc<dyn Net>> {
    let plain = Arc::clone(&api.tools.net);
    Ok(match (chosen, row) {
        (None, _) => plain,
        (Some(chosen), Some(row)) => {
            let element = Some((chosen.id, chosen.revision));
            api.calls.net(InstanceRow { document: document.to_string(), element, ..row }, plain)
        }
        (Some(chosen), None) => {
            let connections = api.calls.connections();
            let trial = connections.trial(caller.org, &chosen.connector, document);
            api.calls.trial_net(trial.await.map_err(not_signed_in)?, plain)
        }
    })
}

/// One resource, polled for the first time.
async fn tried(
    api: &Api,
    caller: &Caller,
    prepared: &Prepared,
    resource: Resource,
    net: &Arc<dyn Net>,
    pages: u32,
) -> Answer<ExplainedResource> {
    let name = resource.name.clone();
    let connection = match prepared.connection(&resource, Bodies::new(&api.budget)) {
        Ok(connection) => connection,
        Err(error) => {
            let remedy = "correct the configuration, or give the secret itself".to_owned();
            let fault = Fault { path: name.clone(), problem: error.to_string(), remedy };
            let faults = vec![(&fault).into()];
            return Ok(ExplainedResource { resource: name, faults, explanation: None });
        }
    };
    let dates = resource.compared_format().cloned();
    let now = api.now();
    let watched = Arc::new(Watched::new(Arc::clone(net), &resource, now));
    let step = poll::start(Start {
        plan: Arc::new(plan(caller, prepared, resource)),
        state: PollerState::default(),
        pass: None,
        run: RunId::new(now, api.entropy.next_u64()),
        now,
        due: now,
        entropy: api.entropy.next_u64(),
        options: Options { pages_max: pages, ..Options::default() },
        notices: None,
    });
    let (store, net) = (Arc::new(MemoryStore::new()), Arc::clone(&watched) as Arc<dyn Net>);
    let tools = Tools { store, net, clock: Arc::clone(&api.tools.clock) };
    let rehearsal = rehearse(step, NOTHING, &tools, &connection).await?;
    let sample = watched.judged(&rehearsal);
    let explanation = Explanation::of(rehearsal, name.clone(), None, dates.as_ref());
    let explanation = TriedExplanation { explanation, sample };
    Ok(ExplainedResource { resource: name, faults: Vec::new(), explanation: Some(explanation) })
}

/// What is polled. It belongs to nobody yet.
fn plan(caller: &Caller, prepared: &Prepared, resource: Resource) -> Plan {
    Plan {
        org: caller.org,
        instance: InstanceId(0),
        poller: NOTHING,
        element_key: prepared.instance.element_key.clone(),
        resource,
        revision: 1,
        interval: prepared.instance.interval,
    }
}
