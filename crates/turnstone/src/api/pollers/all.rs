//! The pollers of a whole organisation: those that need somebody first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_store::{Health, InstanceRow, PollerFilter, PollerRow, StoreError};
use utoipa::ToSchema;

use super::{Poller, shown};
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Query, counted};
use crate::api::error::{Answer, ApiError};

/// A poller with where it belongs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollerOfAll {
    #[serde(flatten)]
    poller: Poller,
    /// Its instance's name.
    instance_name: String,
    /// The connector's key.
    element_key: String,
    /// The subscription that it runs, if it is one of a monitor; `resource` is its name then.
    subscription_id: Option<i64>,
    /// The monitor.
    monitor_id: Option<i64>,
}

/// The pollers of the organisation, those of subscriptions included.
///
/// Those that need a person come first, then those that fail, those that are paused, and the others.
#[utoipa::path(
    get,
    path = "/pollers",
    tag = "pollers",
    operation_id = "listAllPollers",
    params(
        ("status" = Option<String>, Query, description = "`failing`, `paused`, `ok` (those that have not polled yet included) or `all`."),
        ("instanceId" = Option<Vec<i64>>, Query, description = "Only these instances'; once for each."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<PollerOfAll>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list_all(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let health = match query.text("status") {
        None | Some("all") => Vec::new(),
        Some("failing") => vec![Health::NeedsAttention, Health::Failing],
        Some("paused") => vec![Health::Paused],
        Some("ok") => vec![Health::Ok, Health::Starting],
        Some(other) => {
            let message = format!("`status` is `{other}`; write `failing`, `paused`, `ok` or `all`");
            return Err(ApiError::bad("badParameter", message));
        }
    };
    let filter = PollerFilter {
        health,
        instances: query.numbers("instanceId")?.into_iter().map(InstanceId).collect(),
        skip: query.skip()?,
        limit: query.page_size()?,
    };
    let (rows, total) = api.watch.poller_page(org, &filter).await?;
    let entries = shown_all(&api, org, &rows).await?;
    let mut response = Json(entries).into_response();
    counted(&mut response, filter.skip, rows.len(), total);
    Ok(response)
}

/// Pollers with where they belong. Those whose instance was removed meanwhile are left out.
pub async fn shown_all(api: &Api, org: OrgId, rows: &[PollerRow]) -> Answer<Vec<PollerOfAll>> {
    let mut instances: HashMap<InstanceId, Option<InstanceRow>> = HashMap::new();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let instance = match instances.entry(row.instance) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(there(api.store.instance(org, row.instance).await)?),
        };
        let Some(instance) = instance else { continue };
        let monitor = match row.subscription {
            None => None,
            Some(id) => there(api.monitors.subscription(org, id).await)?.map(|row| row.monitor.0),
        };
        entries.push(PollerOfAll {
            poller: shown(api, row, instance).await,
            instance_name: instance.name.clone(),
            element_key: instance.element_key.clone(),
            subscription_id: row.subscription.map(|id| id.0),
            monitor_id: monitor,
        });
    }
    Ok(entries)
}

/// A row, or nothing where it is gone.
fn there<T>(found: Result<T, StoreError>) -> Answer<Option<T>> {
    match found {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
