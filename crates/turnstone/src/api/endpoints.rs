//! Endpoints: where notifications go, how that goes, and their switch.
//!
//! Not here: their settings, which belong to the instance or the subscription; what was sent (`deliveries`).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use turnstone_core::id::{EndpointId, OrgId};
use turnstone_engine::deliverer::EndpointConfig;
use turnstone_store::{EndpointFilter, EndpointState, EndpointView};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{Caller, Unaudited, told};
use super::body::{Query, counted};
use super::error::{Answer, ApiError};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(activate, deactivate))
}

/// A place for notifications.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Its id.
    id: i64,
    /// Its instance.
    instance_id: i64,
    /// The instance's name.
    instance_name: String,
    /// The subscription whose own it is; `null` where it is the instance's.
    subscription_id: Option<i64>,
    /// `callback` or `stdout`.
    #[schema(example = "callback")]
    kind: String,
    /// Where it is.
    url: Option<String>,
    /// How many keys sign what is sent there; 0 where nothing is signed.
    signature_keys: u32,
    /// `active`, `deactivated` (its last retry failed) or `disabled` (by 410, or by a person).
    #[schema(example = "active")]
    state: &'static str,
    /// Why it is in that state; empty while it is active.
    reason: String,
    /// Up to where it has taken events from the log.
    position: i64,
    /// Whether there are events that it has not taken yet.
    behind: bool,
    /// The last time that it accepted anything.
    #[schema(value_type = Option<String>, format = DateTime)]
    accepted_at: Option<Timestamp>,
    /// Deliveries to it that wait.
    open: OpenDeliveries,
}

/// Deliveries that wait for their time or for somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenDeliveries {
    /// Those that failed, and are tried again.
    retry: u64,
    /// Dead letters.
    dead: u64,
    /// Those that wait for their release.
    queued: u64,
}

impl From<turnstone_store::Open> for OpenDeliveries {
    fn from(open: turnstone_store::Open) -> OpenDeliveries {
        let turnstone_store::Open { retry, dead, queued } = open;
        OpenDeliveries { retry, dead, queued }
    }
}

impl From<EndpointView> for Endpoint {
    fn from(view: EndpointView) -> Endpoint {
        let EndpointView { row, instance_name, is_behind, open } = view;
        let config = EndpointConfig::from_json(&row.config).ok();
        Endpoint {
            id: row.id.0,
            instance_id: row.instance.0,
            instance_name,
            subscription_id: row.subscription.map(|id| id.0),
            kind: row.kind,
            signature_keys: config.as_ref().map_or(0, |config| config.signature_keys.len() as u32),
            url: config.map(|config| config.url).filter(|url| !url.is_empty()),
            state: row.state.as_str(),
            reason: row.reason,
            position: row.position,
            behind: is_behind,
            accepted_at: row.accepted_at,
            open: open.into(),
        }
    }
}

/// The endpoints of the organisation: those that are off first, then those where something waits.
#[utoipa::path(
    get,
    path = "/endpoints",
    tag = "deliveries",
    operation_id = "listEndpoints",
    params(
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<Endpoint>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let filter = EndpointFilter { id: None, skip: query.skip()?, limit: query.page_size()? };
    let (views, total) = api.watch.endpoint_page(org, &filter).await?;
    let returned = views.len();
    let mut response = Json(views.into_iter().map(Endpoint::from).collect::<Vec<_>>()).into_response();
    counted(&mut response, filter.skip, returned, total);
    Ok(response)
}

/// Endpoints that are off or where something waits, at most so many.
pub async fn failing(api: &Api, org: OrgId, limit: u32) -> Answer<Vec<Endpoint>> {
    let filter = EndpointFilter { id: None, skip: 0, limit };
    let (views, _) = api.watch.endpoint_page(org, &filter).await?;
    let fails = |view: &EndpointView| {
        view.row.state != EndpointState::Active || view.open != turnstone_store::Open::default()
    };
    Ok(views.into_iter().filter(fails).map(Endpoint::from).collect())
}

/// The endpoint of a path. What is no number is no endpoint.
async fn find(api: &Api, org: OrgId, id: &str) -> Answer<EndpointView> {
    let unknown = || ApiError::not_found("endpoint");
    let id = id.parse().map(EndpointId).map_err(|_| unknown())?;
    let filter = EndpointFilter { id: Some(id), skip: 0, limit: 1 };
    api.watch.endpoint_page(org, &filter).await?.0.pop().ok_or_else(unknown)
}

/// One endpoint.
#[utoipa::path(
    get,
    path = "/endpoints/{id}",
    tag = "deliveries",
    operation_id = "readEndpoint",
    params(("id" = i64, Path, description = "The endpoint.")),
    responses((status = 200, body = Endpoint)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Endpoint>> {
    Ok(Json(find(&api, org, &id).await?.into()))
}

/// Switches an endpoint on: it goes on where it was.
///
/// What is dead or queued there stays so; `POST /deliveries/redeliver` releases it.
#[utoipa::path(
    put,
    path = "/endpoints/{id}/active",
    tag = "deliveries",
    operation_id = "activateEndpoint",
    params(("id" = i64, Path, description = "The endpoint.")),
    responses((status = 200, body = Endpoint)),
    extensions(("x-right" = json!("member")))
)]
pub async fn activate(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    switched(&api, org, &id, EndpointState::Active, "").await
}

/// Switches an endpoint off: nothing is sent there, and its events wait.
#[utoipa::path(
    delete,
    path = "/endpoints/{id}/active",
    tag = "deliveries",
    operation_id = "deactivateEndpoint",
    params(("id" = i64, Path, description = "The endpoint.")),
    responses((status = 200, body = Endpoint)),
    extensions(("x-right" = json!("member")))
)]
pub async fn deactivate(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    switched(&api, org, &id, EndpointState::Disabled, "a person switched it off").await
}

async fn switched(api: &Api, org: OrgId, id: &str, state: EndpointState, reason: &str) -> Answer<Response> {
    let found = find(api, org, id).await?;
    let (before, endpoint) = (found.row.state, found.row.id);
    if before == state {
        return Ok((Extension(Unaudited), Json(Endpoint::from(found))).into_response());
    }
    api.watch.switch_endpoint(org, endpoint, state, reason).await?;
    (api.wake)();
    let detail = json!({"state": {"from": before.as_str(), "to": state.as_str()}});
    Ok(told(Json(Endpoint::from(find(api, org, id).await?)), detail))
}
