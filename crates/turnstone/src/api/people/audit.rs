//! Who did what: read here, written by the guard after every change (`access`).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use turnstone_core::event::seconds;
use turnstone_core::id::AuditId;
use turnstone_store::AuditRow;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::{Query, paged};
use crate::api::error::Answer;

/// The operation.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Something that somebody did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its id; grows with every entry.
    id: i64,
    /// When.
    #[schema(format = DateTime)]
    date: String,
    /// By whom; the user may be gone. `null`: by the program itself.
    user_id: Option<i64>,
    /// What: the operation's id.
    #[schema(example = "changeUser")]
    action: String,
    /// What kind of thing it was done to.
    #[schema(example = "people")]
    kind: String,
    /// To which: the path of the request.
    #[schema(example = "/users/7")]
    target: String,
    /// The particulars, as far as there are any. Secrets are none.
    #[schema(value_type = Object)]
    detail: Value,
}

impl From<AuditRow> for AuditEntry {
    fn from(AuditRow { id, entry }: AuditRow) -> AuditEntry {
        AuditEntry {
            id: id.0,
            date: seconds(entry.at),
            user_id: entry.user.map(|user| user.0),
            action: entry.action,
            kind: entry.target_kind,
            target: entry.target_id,
            detail: serde_json::from_str(&entry.detail).unwrap_or_else(|_| Value::Object(Default::default())),
        }
    }
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/audit", tag = "people", operation_id = "readAudit",
    params(
        ("pageSize" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said."),
        ("nextPage" = Option<i64>, Query, minimum = 0, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Vec<AuditEntry>)), extensions(("x-right" = json!("admin"))))]
async fn list(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let size = query.page_size()?;
    let before = query.number("nextPage")?.map(AuditId);
    let rows = api.directory.audit_entries(org, before, size).await?;
    let next = rows.last().filter(|_| rows.len() == size as usize).map(|last| last.id.0);
    let entries: Vec<AuditEntry> = rows.into_iter().map(AuditEntry::from).collect();
    let count = entries.len();
    let mut response = Json(entries).into_response();
    paged(&mut response, count, next);
    Ok(response)
}
