//! The organisation's own secrets. They name the organisation beside a user's secret and open nothing alone, so that
//! several may be in use while scripts move from one to the next.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use turnstone_core::event::seconds;
use turnstone_core::id::TokenId;
use turnstone_store::OrgTokenRow;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::access::{Caller, hash, told};
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, organization_secret};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// A secret of the organisation, by its number.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationToken {
    /// Its id.
    id: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    created_date: String,
}

impl From<OrgTokenRow> for OrganizationToken {
    fn from(row: OrgTokenRow) -> OrganizationToken {
        OrganizationToken { id: row.id.0, created_date: seconds(row.created_at) }
    }
}

/// A secret of the organisation that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewOrganizationToken {
    #[serde(flatten)]
    token: OrganizationToken,
    /// What is sent as `Organization <secret>`. Shown only now.
    secret: String,
}

/// Lists the organisation's secrets, without the secrets.
#[utoipa::path(get, path = "/organizations/tokens", tag = "people", operation_id = "listOrganizationTokens",
    responses((status = 200, body = Vec<OrganizationToken>)), extensions(("x-right" = json!("owner"))))]
async fn list(State(api): State<Api>, Caller { org, .. }: Caller) -> Answer<Json<Vec<OrganizationToken>>> {
    let rows = api.directory.org_tokens(org).await?;
    Ok(Json(rows.into_iter().map(OrganizationToken::from).collect()))
}

/// Makes a further secret of the organisation, and shows it once.
#[utoipa::path(post, path = "/organizations/tokens", tag = "people", operation_id = "createOrganizationToken",
    responses((status = 200, body = NewOrganizationToken)), extensions(("x-right" = json!("owner"))))]
async fn create(State(api): State<Api>, Caller { org, .. }: Caller) -> Answer<Response> {
    let (secret, now) = (organization_secret(api.entropy.as_ref()), api.now());
    let id = api.store.add_org_token(org, hash(&secret), now).await?;
    let token = OrganizationToken { id: id.0, created_date: seconds(now) };
    Ok(told(Json(NewOrganizationToken { token, secret }), json!({"id": id})))
}

/// Ends a secret of the organisation.
///
/// Users go on with their own secrets; whoever sends the ended one beside theirs is answered 401.
#[utoipa::path(delete, path = "/organizations/tokens/{id}", tag = "people", operation_id = "deleteOrganizationToken",
    params(("id" = i64, Path, description = "The secret's id.")),
    responses((status = 204)), extensions(("x-right" = json!("owner"))))]
async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let id = id.parse().map(TokenId).map_err(|_| ApiError::not_found("token"))?;
    api.directory.remove_org_token(org, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
