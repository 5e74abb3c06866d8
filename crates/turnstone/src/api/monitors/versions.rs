//! Deployed versions of a monitor, which never change.

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use turnstone_core::id::OrgId;
use turnstone_store::{MonitorRow, VersionRow};
use utoipa::ToSchema;

use super::document::kept;
use super::drafts;
use crate::api::Api;
use crate::api::access::Caller;
use crate::api::error::{Answer, ApiError};

/// A deployed version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Its number.
    version: i64,
    /// When it was deployed.
    #[schema(value_type = String, format = DateTime)]
    created_date: Timestamp,
}

/// A deployed version with its document.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionWithDocument {
    #[serde(flatten)]
    version: Version,
    /// The document.
    #[schema(value_type = Object)]
    document: Value,
}

impl From<&VersionRow> for Version {
    fn from(row: &VersionRow) -> Version {
        Version { version: row.version, created_date: row.created_at }
    }
}

/// The deployed versions of a monitor, newest first.
#[utoipa::path(
    get,
    path = "/monitors/{id}/versions",
    tag = "monitors",
    operation_id = "listMonitorVersions",
    params(("id" = i64, Path, description = "The monitor.")),
    responses((status = 200, body = Vec<Version>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Vec<Version>>> {
    let monitor = drafts::find(&api, org, &id).await?;
    let rows = api.monitors.versions(org, monitor.id).await?;
    Ok(Json(rows.iter().map(Version::from).collect()))
}

/// One version with its document.
#[utoipa::path(
    get,
    path = "/monitors/{id}/versions/{version}",
    tag = "monitors",
    operation_id = "readMonitorVersion",
    params(
        ("id" = i64, Path, description = "The monitor."),
        ("version" = i64, Path, description = "The version's number.")
    ),
    responses((status = 200, body = VersionWithDocument)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((id, version)): Path<(String, String)>,
) -> Answer<Json<VersionWithDocument>> {
    let monitor = drafts::find(&api, org, &id).await?;
    let version = version.parse().map_err(|_| ApiError::not_found("version"))?;
    let row = find(&api, org, &monitor, version).await?;
    Ok(Json(VersionWithDocument { version: (&row).into(), document: kept(&row.document)? }))
}

/// A version of a monitor.
pub async fn find(api: &Api, org: OrgId, monitor: &MonitorRow, version: i64) -> Answer<VersionRow> {
    Ok(api.monitors.version(org, monitor.id, version).await?)
}
