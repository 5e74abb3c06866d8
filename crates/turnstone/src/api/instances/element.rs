//! The connector of an instance: which one a document names, and the instances of one connector.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use turnstone_core::connector::Connector;
use turnstone_core::id::{ElementId, OrgId};
use turnstone_engine::connectors::ConnectorError;
use turnstone_store::{ElementRow, InstanceFilter, InstanceRow};

use super::shape::{InstanceBody, InstanceOrPlan, shown};
use super::{change, create, listed};
use crate::api::access::Caller;
use crate::api::body::{Body, Query};
use crate::api::elements::row as of_path;
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, Gone};

/// A stored connector in one of its revisions.
#[derive(Clone)]
pub struct Chosen {
    /// Its id.
    pub id: ElementId,
    /// The revision.
    pub revision: i64,
    /// Its key.
    pub key: String,
    /// What it means.
    pub connector: Arc<Connector>,
}

impl Chosen {
    /// The present revision of a connector.
    pub async fn current(api: &Api, row: &ElementRow) -> Answer<Chosen> {
        Chosen::at(api, row.org, row.id, row.revision).await
    }

    /// A revision of a connector.
    pub async fn at(api: &Api, org: OrgId, id: ElementId, revision: i64) -> Answer<Chosen> {
        let Some(connectors) = api.preparer.connectors() else {
            return Err(ApiError::not_found("connector"));
        };
        let connector = connectors.get(org, id, revision).await.map_err(|error| match error {
            ConnectorError::Store(error) => ApiError::from(error),
            ConnectorError::Unusable { .. } => ApiError::conflict("badConnector", error.to_string()),
        })?;
        Ok(Chosen { id, revision, key: connector.key.clone(), connector })
    }
}

/// What a document's `element` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// A connector's id.
    pub id: Option<i64>,
    /// A connector's key.
    pub key: Option<String>,
}

impl Reference {
    /// Reads it. What is no reference is left to whoever checks the document.
    pub fn of(document: &Value) -> Reference {
        let element = &document["element"];
        let id = match &element["id"] {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        let key = element["key"].as_str().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        Reference { id, key }
    }

    /// The connector that it names: by its id, else by its key. `None` when the organisation has none of that key.
    pub async fn row(&self, api: &Api, org: OrgId) -> Answer<Option<ElementRow>> {
        let row = match (self.id, &self.key) {
            (Some(id), _) => Some(api.directory.element(org, ElementId(id)).await?),
            (None, Some(key)) => api.directory.element_by_key(org, key).await?,
            (None, None) => None,
        };
        if let (Some(row), Some(key)) = (&row, &self.key)
            && row.key != *key
        {
            let message = format!(
                "`element.id` is {}, which is `{}`, and `element.key` is `{key}`; send one of them",
                row.id, row.key
            );
            return Err(ApiError::bad("badDocument", message));
        }
        Ok(row)
    }
}

/// The connector that new instances of a row are made from.
pub async fn for_new(api: &Api, row: &ElementRow) -> Answer<Chosen> {
    if !row.active {
        let message = format!(
            "the connector `{}` is deactivated, so no instances of it are made; activate it first",
            row.key
        );
        return Err(ApiError::conflict("elementInactive", message));
    }
    Chosen::current(api, row).await
}

/// Writes into a document which connector it is of.
pub fn write_reference(document: &mut Value, chosen: &Chosen) {
    document["element"] = json!({"id": chosen.id.0, "key": chosen.key});
}

/// Makes an instance of a connector.
///
/// The body is the one of `POST /instances`; its `element` may be left out.
#[utoipa::path(
    post,
    path = "/elements/{keyOrId}/instances",
    tag = "instances",
    operation_id = "createInstanceOfElement",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("plan" = Option<bool>, Query, description = "`true` says what would be done, and does nothing.")
    ),
    request_body = Value,
    responses((status = 200, body = InstanceOrPlan)),
    extensions(("x-right" = json!("member")))
)]
pub async fn create_of(
    State(api): State<Api>,
    caller: Caller,
    Path(key_or_id): Path<String>,
    query: Query,
    headers: HeaderMap,
    Body(mut document): Body,
) -> Answer<Response> {
    let row = of_path(&api, caller.org, &key_or_id).await?;
    if document.is_object() {
        document["element"] = json!({"id": row.id.0});
    }
    create::answer(&api, &caller, document, &query, &headers).await
}

/// Lists the instances of a connector.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/instances",
    tag = "instances",
    operation_id = "listInstancesOfElement",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("tags[]" = Option<Vec<String>>, Query, description = "Only those that have all of these tags."),
        ("search" = Option<String>, Query, description = "Only those whose name holds this text, in any letter case."),
        ("hydrate" = Option<bool>, Query, description = "`false` leaves the configuration out."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<InstanceBody>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list_of(
    State(api): State<Api>,
    caller: Caller,
    Path(key_or_id): Path<String>,
    query: Query,
) -> Answer<Response> {
    let row = of_path(&api, caller.org, &key_or_id).await?;
    let filter = InstanceFilter { element: Some(row.id), ..InstanceFilter::default() };
    listed(&api, caller.org, filter, &query).await
}

/// The instance of a path below a connector's.
async fn of_both(api: &Api, caller: &Caller, key_or_id: &str, id: &str) -> Answer<InstanceRow> {
    let element = of_path(api, caller.org, key_or_id).await?;
    let row = super::find(api, caller.org, id).await?;
    match row.element {
        Some((of, _)) if of == element.id => Ok(row),
        Some(_) | None => Err(ApiError::not_found("instance of this connector")),
    }
}

/// One instance of a connector.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/instances/{id}",
    tag = "instances",
    operation_id = "readInstanceOfElement",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = InstanceBody)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read_of(
    State(api): State<Api>,
    caller: Caller,
    Path((key_or_id, id)): Path<(String, String)>,
) -> Answer<Json<InstanceBody>> {
    Ok(Json(shown(&api, &of_both(&api, &caller, &key_or_id, &id).await?).await?))
}

/// Replaces the document of an instance of a connector.
#[utoipa::path(
    put,
    path = "/elements/{keyOrId}/instances/{id}",
    tag = "instances",
    operation_id = "replaceInstanceOfElement",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("id" = i64, Path, description = "The instance."),
        ("plan" = Option<bool>, Query, description = "`true` says what would be done, and does nothing.")
    ),
    request_body = Value,
    responses((status = 200, body = InstanceOrPlan)),
    extensions(("x-right" = json!("member")))
)]
pub async fn replace_of(
    State(api): State<Api>,
    caller: Caller,
    Path((key_or_id, id)): Path<(String, String)>,
    query: Query,
    Body(mut document): Body,
) -> Answer<Response> {
    let row = of_both(&api, &caller, &key_or_id, &id).await?;
    if document.is_object() && document.get("element").is_none() {
        document["element"] = json!({"key": row.element_key});
    }
    change::replace_with(&api, &caller, row, document, &query).await
}

/// Changes an instance of a connector.
#[utoipa::path(
    patch,
    path = "/elements/{keyOrId}/instances/{id}",
    tag = "instances",
    operation_id = "changeInstanceOfElement",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("id" = i64, Path, description = "The instance."),
        ("plan" = Option<bool>, Query, description = "`true` says what would be done, and does nothing.")
    ),
    request_body = Value,
    responses((status = 200, body = InstanceOrPlan)),
    extensions(("x-right" = json!("member")))
)]
pub async fn merge_of(
    State(api): State<Api>,
    caller: Caller,
    Path((key_or_id, id)): Path<(String, String)>,
    query: Query,
    Body(patch): Body,
) -> Answer<Response> {
    let row = of_both(&api, &caller, &key_or_id, &id).await?;
    change::merge_with(&api, &caller, row, patch, &query).await
}

/// Removes an instance of a connector.
#[utoipa::path(
    delete,
    path = "/elements/{keyOrId}/instances/{id}",
    tag = "instances",
    operation_id = "deleteInstanceOfElement",
    params(
        ("keyOrId" = String, Path, description = "The connector's key, or its id."),
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Gone)),
    extensions(("x-right" = json!("member")))
)]
pub async fn remove_of(
    State(api): State<Api>,
    caller: Caller,
    Path((key_or_id, id)): Path<(String, String)>,
) -> Answer<(axum::Extension<crate::api::access::Particulars>, Json<Gone>)> {
    change::remove_row(&api, of_both(&api, &caller, &key_or_id, &id).await?).await
}

/// The connector that a row was made from, as it is in that revision.
pub async fn of_row(api: &Api, row: &InstanceRow) -> Answer<Option<Chosen>> {
    match row.element {
        Some((id, revision)) => Chosen::at(api, row.org, id, revision).await.map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_clients_write_it() {
        let of = |element: Value| Reference::of(&json!({"element": element}));
        assert_eq!(of(json!({"key": " a "})), Reference { id: None, key: Some("a".into()) });
        assert_eq!(of(json!({"id": "12"})), Reference { id: Some(12), key: None });
        assert_eq!(
            of(json!({"id": 12, "key": "a", "name": "A"})),
            Reference { id: Some(12), key: Some("a".into()) }
        );
        for element in [json!(null), json!("a"), json!({}), json!({"id": true, "key": ""})] {
            assert_eq!(of(element), Reference::default());
        }
    }
}
