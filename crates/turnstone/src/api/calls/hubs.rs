//! Hubs: the words that connectors are grouped by.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use turnstone_core::connector::{Connector, ResourceKind, without_hub};
use turnstone_core::id::OrgId;
use turnstone_store::ElementRow;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::Query;
use crate::api::error::{Answer, ApiError};

/// A group of connectors.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Hub {
    /// The word.
    key: String,
    /// The same, for people.
    name: String,
    /// Whether one of its connectors is active.
    active: bool,
    /// Its connectors.
    elements: Vec<HubElement>,
    /// What they can be called with; only with `hydrate=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<Vec<HubResource>>,
}

/// A connector of a hub.
#[derive(Debug, Serialize, ToSchema)]
pub struct HubElement {
    /// Its id.
    id: i64,
    /// Its key.
    key: String,
    /// Its name.
    name: String,
    /// Whether instances of it may be made.
    active: bool,
}

/// A resource of a hub.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HubResource {
    /// Its path below the hub.
    path: String,
    /// Its method.
    method: String,
    /// What it is for.
    description: String,
    /// The connector that has it.
    element_key: String,
}

/// Lists the hubs of the organisation's connectors.
#[utoipa::path(
    get,
    path = "/hubs",
    tag = "hubs",
    operation_id = "listHubs",
    params(
        ("hydrate" = Option<bool>, Query, description = "`true` adds the resources.")
    ),
    responses((status = 200, body = Vec<Hub>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Answer<Json<Vec<Hub>>> {
    Ok(Json(hubs(&api, caller.org, query.flag("hydrate")?).await?))
}

/// One hub.
#[utoipa::path(
    get,
    path = "/hubs/{hub}",
    tag = "hubs",
    operation_id = "readHub",
    params(
        ("hub" = String, Path, description = "The hub's word."),
        ("hydrate" = Option<bool>, Query, description = "`true` adds the resources.")
    ),
    responses((status = 200, body = Hub)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    caller: Caller,
    Path(key): Path<String>,
    query: Query,
) -> Answer<Json<Hub>> {
    let hubs = hubs(&api, caller.org, query.flag("hydrate")?).await?;
    let hub = hubs.into_iter().find(|hub| hub.key == key);
    hub.map(Json).ok_or_else(|| ApiError::not_found("hub"))
}

async fn hubs(api: &Api, org: OrgId, hydrate: bool) -> Answer<Vec<Hub>> {
    let mut hubs: BTreeMap<String, Hub> = BTreeMap::new();
    let Some(connectors) = api.preparer.connectors() else { return Ok(Vec::new()) };
    for row in api.directory.elements(org).await? {
        // One that cannot be used has no hub that anything could be called at.
        let Ok(connector) = connectors.get(org, row.id, row.revision).await else { continue };
        let Some(key) = connector.hub.clone().filter(|hub| !hub.is_empty()) else { continue };
        let hub = hubs.entry(key.clone()).or_insert_with(|| Hub {
            name: key.clone(),
            key,
            resources: hydrate.then(Vec::new),
            ..Hub::default()
        });
        hub.active |= row.active;
        if let Some(resources) = &mut hub.resources {
            resources.extend(resources_of(&row, &connector));
        }
        hub.elements.push(HubElement { id: row.id.0, key: row.key, name: row.name, active: row.active });
    }
    Ok(hubs.into_values().collect())
}

fn resources_of(row: &ElementRow, connector: &Connector) -> Vec<HubResource> {
    let documented = connector.resources.iter().filter(|resource| resource.kind == ResourceKind::Api);
    let resource = |resource: &turnstone_core::connector::Resource| HubResource {
        path: without_hub(&resource.path).to_owned(),
        method: resource.method.clone(),
        description: resource.description.clone(),
        element_key: row.key.clone(),
    };
    documented.map(resource).collect()
}
