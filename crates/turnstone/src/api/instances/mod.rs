//! Instances: made from a connector or from settings of their own, read back without their secrets, changed, switched,
//! connected anew and removed.
//!
//! A document with a fault is refused as a whole, with all its faults; what works less well than it could comes back
//! under `warnings` and `repairs`. An address that the guard would refuse later is refused now, where somebody reads
//! it. Every route of `/instances/{id}` exists without the id as well (`at`).
//!
//! Not here: calling an instance's resources (`calls`), its pollers, events and deliveries.

mod at;
mod change;
mod check;
mod configuration;
mod create;
mod docs;
mod document;
pub mod element;
mod explain;
mod plan;
mod provision;
pub mod remembered;
mod rights;
mod sample;
mod shape;
mod switch;
mod tags;

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_store::{InstanceFilter, InstanceRow};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use self::at::{At, both};
pub use self::check::CheckedBody;
pub use self::create::not_signed_in;
pub use self::rights::places;
pub use self::switch::EVENTS_OFF;

use self::shape::{InstanceBody, Shower, shown};
use super::Api;
use super::access::Caller;
use super::body::{Query, paged};
use super::error::{Answer, ApiError};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    let router = OpenApiRouter::new()
        .routes(routes!(create::create, list))
        .routes(routes!(read))
        .routes(routes!(tags::list))
        .routes(routes!(check::check))
        .routes(routes!(explain::explain))
        .routes(routes!(explain::explain_element))
        .routes(routes!(element::create_of, element::list_of))
        .routes(routes!(element::read_of, element::replace_of, element::merge_of, element::remove_of));
    let router = both(router, routes!(change::replace, change::merge, change::remove));
    let router = both(router, routes!(switch::enable, switch::disable));
    let router = both(router, routes!(configuration::list));
    let router = both(router, routes!(configuration::read, configuration::merge));
    let router = both(router, routes!(tags::read, tags::replace));
    both(router, routes!(docs::read))
}

/// The instances that were asked for, or the one of the Element token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// With an Element token.
    One(Box<InstanceBody>),
    /// Without.
    Many(Vec<InstanceBody>),
}

/// Lists instances.
///
/// With an Element token in the `Authorization` header, answers that one instance, as in the field.
#[utoipa::path(
    get,
    path = "/instances",
    tag = "instances",
    operation_id = "listInstances",
    params(
        ("tags[]" = Option<Vec<String>>, Query, description = "Only those that have all of these tags."),
        ("search" = Option<String>, Query, description = "Only those whose name holds this text, in any letter case."),
        ("hydrate" = Option<bool>, Query, description = "`false` leaves the configuration out."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = OneOrMany)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Answer<Response> {
    if let Some(own) = caller.element {
        let row = api.store.instance(caller.org, own).await?;
        return Ok(Json(OneOrMany::One(Box::new(shown(&api, &row).await?))).into_response());
    }
    listed(&api, caller.org, InstanceFilter::default(), &query).await
}

/// A page of instances; `filter` gets what the query says.
async fn listed(api: &Api, org: OrgId, mut filter: InstanceFilter, query: &Query) -> Answer<Response> {
    let hydrate = query.flag_or("hydrate", true)?;
    filter.tags = query.all("tags[]").iter().chain(query.all("tags")).cloned().collect();
    filter.search = query.text("search").unwrap_or_default().to_owned();
    filter.after = query.number("nextPage")?.unwrap_or(0);
    filter.limit = query.page_size()?;
    let rows = api.directory.instances_page(org, &filter).await?;
    let shower = Shower::new(api, org).await?;
    let mut bodies = Vec::with_capacity(rows.len());
    for row in &rows {
        bodies.push(shower.show(row, hydrate).await?);
    }
    let next = rows.last().filter(|_| rows.len() == filter.limit as usize).map(|row| row.id.0);
    let mut response = Json(OneOrMany::Many(bodies)).into_response();
    paged(&mut response, rows.len(), next);
    Ok(response)
}

/// One instance.
#[utoipa::path(
    get,
    path = "/instances/{id}",
    tag = "instances",
    operation_id = "readInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = InstanceBody)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Json<InstanceBody>> {
    Ok(Json(shown(&api, &find(&api, caller.org, &id).await?).await?))
}

/// The names of these instances, by their ids, as far as they are there.
pub async fn names_of(
    api: &Api,
    org: OrgId,
    ids: impl IntoIterator<Item = i64>,
) -> Answer<HashMap<i64, String>> {
    let ids: BTreeSet<InstanceId> = ids.into_iter().map(InstanceId).collect();
    let ids: Vec<InstanceId> = ids.into_iter().collect();
    let found = api.watch.instance_names(org, &ids).await?;
    Ok(found.into_iter().map(|(id, name)| (id.0, name)).collect())
}

/// The instance of a path. What is no number is no instance.
pub async fn find(api: &Api, org: OrgId, id: &str) -> Answer<InstanceRow> {
    let id = id.parse().map(InstanceId).map_err(|_| ApiError::not_found("instance"))?;
    Ok(api.store.instance(org, id).await?)
}
