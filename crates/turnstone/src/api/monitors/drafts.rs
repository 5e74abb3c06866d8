//! Monitors and their drafts: made, listed, read, saved, deployed, removed.
//!
//! A draft with a fault is not saved. Name and document never say two things: the name of the document is the
//! monitor's. Somebody else's change is not overwritten by whoever says which revision they read.

use axum::Extension;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use turnstone_core::flow::document::scaffold;
use turnstone_core::id::{MonitorId, OrgId};
use turnstone_store::MonitorRow;
use utoipa::ToSchema;

use super::document::{Judged, judge, kept, sent};
use super::{findings, page};
use crate::api::access::{Caller, Unaudited, told};
use crate::api::body::{OptionalTyped, Query, Typed, paged};
use crate::api::error::{Answer, ApiError, FaultBody};
use crate::api::{Api, Gone, markup};

/// Letters of a name.
const NAME_CHARS_MAX: usize = 200;

/// A monitor with its draft.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Monitor {
    #[serde(flatten)]
    summary: MonitorSummary,
    /// The document that is worked on.
    #[schema(value_type = Object)]
    draft: Value,
    /// What must be put right before it can be deployed.
    faults: Vec<FaultBody>,
    /// What works and could be better.
    warnings: Vec<FaultBody>,
}

/// A monitor.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitorSummary {
    /// Its id.
    id: i64,
    /// Its name; no other monitor of the organisation has it.
    name: String,
    /// The connector that its draft is for, if it names one.
    connector: Option<String>,
    /// Number of the draft; grows with every change.
    revision: i64,
    /// The version that was deployed last.
    version: Option<i64>,
    /// The draft that this version was made of.
    deployed_revision: Option<i64>,
    /// Whether the draft is another one than what was deployed last.
    changed: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_date: Timestamp,
    /// When its draft was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_date: Timestamp,
}

impl From<&MonitorRow> for MonitorSummary {
    fn from(row: &MonitorRow) -> MonitorSummary {
        MonitorSummary {
            id: row.id.0,
            name: row.name.clone(),
            connector: connector_of(&row.draft),
            revision: row.revision,
            version: row.version,
            deployed_revision: row.deployed_revision,
            changed: row.deployed_revision != Some(row.revision),
            created_date: row.created_at,
            updated_date: row.updated_at,
        }
    }
}

/// The connector that a draft names; drafts may be unsound.
fn connector_of(draft: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        connector: Option<String>,
    }
    serde_json::from_str::<Named>(draft).ok()?.connector
}

/// A new monitor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMonitor {
    /// Its name; the document's when it is left out.
    name: Option<String>,
    /// An object, or a text in YAML or JSON. Left out: a first document with the Cursor and Return Outputs cards.
    document: Option<Value>,
}

/// A change of a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedMonitor {
    /// Its name; the document's when it is left out.
    name: Option<String>,
    /// An object, or a text in YAML or JSON; the present draft when it is left out.
    document: Option<Value>,
    /// The revision that was read; 409 when the draft was changed since. The newest when it is left out.
    revision: Option<i64>,
}

/// A draft that may be kept.
struct Draft {
    name: String,
    document: Value,
    judged: Judged,
}

/// A document under its name, judged. Every fault at once.
fn draft(name: Option<String>, document: Value) -> Answer<Draft> {
    let mut document = document;
    let own = document.get("name").and_then(Value::as_str).map(str::to_owned);
    let name = markup::strip(&name.or(own).unwrap_or_default());
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("give the monitor a `name` of 1 to {NAME_CHARS_MAX} letters");
        return Err(ApiError::bad("badDocument", message));
    }
    document["name"] = json!(name);
    let judged = judge(&document);
    match judged.flow {
        Some(_) => Ok(Draft { name, document, judged }),
        None => Err(ApiError::faults(judged.faults)),
    }
}

/// The monitor of a path. What is no number is no monitor.
pub async fn find(api: &Api, org: OrgId, id: &str) -> Answer<MonitorRow> {
    let id = id.parse().map(MonitorId).map_err(|_| ApiError::not_found("monitor"))?;
    Ok(api.monitors.monitor(org, id).await?)
}

fn shown(row: &MonitorRow, draft: Value, judged: &Judged) -> Monitor {
    Monitor {
        summary: row.into(),
        draft,
        faults: findings(&judged.faults),
        warnings: findings(&judged.warnings),
    }
}

/// Lists the monitors.
#[utoipa::path(
    get,
    path = "/monitors",
    tag = "monitors",
    operation_id = "listMonitors",
    params(
        ("connector" = Option<String>, Query, description = "Only those whose draft names this connector."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<MonitorSummary>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let mut rows = api.monitors.monitors(org).await?;
    if let Some(wanted) = query.text("connector") {
        rows.retain(|row| connector_of(&row.draft).as_deref() == Some(wanted));
    }
    let (rows, next) = page(&query, rows, |row| row.id.0)?;
    let bodies: Vec<MonitorSummary> = rows.iter().map(MonitorSummary::from).collect();
    let mut response = Json(bodies).into_response();
    paged(&mut response, rows.len(), next);
    Ok(response)
}

/// Makes a monitor.
///
/// Without a document it begins with the two cards that every monitor has, Cursor and Return Outputs. It runs nowhere
/// before it is deployed and subscribed to. A document with a fault is refused, with all its faults.
#[utoipa::path(
    post,
    path = "/monitors",
    tag = "monitors",
    operation_id = "createMonitor",
    request_body = NewMonitor,
    responses((status = 200, body = Monitor)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn create(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Typed(NewMonitor { name, document }): Typed<NewMonitor>,
) -> Answer<Response> {
    let document = match document {
        Some(document) => sent(document)?,
        None => {
            let mut first = scaffold(name.as_deref().unwrap_or_default());
            // A monitor is found by its name; one that nobody gave would only be in the way.
            first["name"] = json!(name);
            first
        }
    };
    let Draft { name, document, judged } = draft(name, document)?;
    let id = api.monitors.create_monitor(org, &name, &document.to_string(), api.now()).await?;
    let row = api.monitors.monitor(org, id).await?;
    Ok(told(Json(shown(&row, document, &judged)), json!({"monitor": id.0, "name": name})))
}

/// One monitor with its draft.
#[utoipa::path(
    get,
    path = "/monitors/{id}",
    tag = "monitors",
    operation_id = "readMonitor",
    params(("id" = i64, Path, description = "The monitor.")),
    responses((status = 200, body = Monitor)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Monitor>> {
    let row = find(&api, org, &id).await?;
    let draft = kept(&row.draft)?;
    let judged = judge(&draft);
    Ok(Json(shown(&row, draft, &judged)))
}

/// Saves a draft.
///
/// Deployed versions and the subscriptions that use them stay as they are. A document with a fault is refused, with
/// all its faults, and the draft stays.
#[utoipa::path(
    put,
    path = "/monitors/{id}",
    tag = "monitors",
    operation_id = "replaceMonitor",
    params(("id" = i64, Path, description = "The monitor.")),
    request_body = ChangedMonitor,
    responses((status = 200, body = Monitor)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn replace(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    Typed(ChangedMonitor { name, document, revision }): Typed<ChangedMonitor>,
) -> Answer<Response> {
    let row = find(&api, org, &id).await?;
    unchanged_since(&row, revision)?;
    let document = match document {
        Some(document) => sent(document)?,
        None => kept(&row.draft)?,
    };
    let Draft { name, document, judged } = draft(name, document)?;
    let text = document.to_string();
    let revision = api.monitors.save_draft(org, row.id, row.revision, &name, &text, api.now()).await?;
    let row = api.monitors.monitor(org, row.id).await?;
    Ok(told(Json(shown(&row, document, &judged)), json!({"name": name, "revision": revision})))
}

/// 409 when somebody changed the draft after it was read.
fn unchanged_since(row: &MonitorRow, revision: Option<i64>) -> Answer<()> {
    match revision {
        Some(revision) if revision != row.revision => {
            let message = format!(
                "the draft was changed since: it is revision {} by now, and yours is {revision}; read it again, \
                 and make your change to that",
                row.revision
            );
            Err(ApiError::conflict("changed", message))
        }
        Some(_) | None => Ok(()),
    }
}

/// Removes a monitor with its versions; 409 while a subscription uses it.
#[utoipa::path(
    delete,
    path = "/monitors/{id}",
    tag = "monitors",
    operation_id = "deleteMonitor",
    params(("id" = i64, Path, description = "The monitor.")),
    responses((status = 200, body = Gone)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let row = find(&api, org, &id).await?;
    api.monitors.delete_monitor(org, row.id).await?;
    Ok(told(Json(Gone {}), json!({"name": row.name})))
}

/// Which draft to deploy.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToDeploy {
    /// The revision that was read; 409 when the draft was changed since. The newest when it is left out.
    revision: Option<i64>,
}

/// A version that can be subscribed to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deployed {
    /// Its number.
    version: i64,
}

/// Makes the draft the next version, which never changes.
///
/// Subscriptions stay with the version that they use. A draft that is deployed already gets no second number.
#[utoipa::path(
    post,
    path = "/monitors/{id}/deploy",
    tag = "monitors",
    operation_id = "deployMonitor",
    params(("id" = i64, Path, description = "The monitor.")),
    request_body = Option<ToDeploy>,
    responses((status = 200, body = Deployed)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn deploy(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    OptionalTyped(body): OptionalTyped<ToDeploy>,
) -> Answer<Response> {
    let row = find(&api, org, &id).await?;
    unchanged_since(&row, body.unwrap_or_default().revision)?;
    judge(&kept(&row.draft)?).sound()?;
    if let Some(version) = row.version.filter(|_| row.deployed_revision == Some(row.revision)) {
        return Ok((Extension(Unaudited), Json(Deployed { version })).into_response());
    }
    let version = api.monitors.deploy(org, row.id, row.revision, api.now()).await?;
    Ok(told(Json(Deployed { version }), json!({"version": version, "revision": row.revision})))
}
