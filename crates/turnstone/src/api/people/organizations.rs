//! Organisations: the owners of the first one make others, which see nothing of each other.
//!
//! Whoever runs a server owns its first organisation, and hands the owner's secret of another one to somebody else.
//! From then on nobody of the first organisation sees into it.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use turnstone_core::event::seconds;
use turnstone_core::id::OrgId;
use turnstone_store::OrgRow;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Role, UserWithSecret, address, name, users};
use crate::api::access::{Caller, hash, told};
use crate::api::body::{Typed, as_object};
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, organization_secret};

/// What the first user of an organisation is called when nobody says.
const OWNER: &str = "owner";

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create))
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Its id.
    id: i64,
    /// Its name, once per server.
    name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_date: String,
}

impl From<OrgRow> for Organization {
    fn from(row: OrgRow) -> Organization {
        Organization { id: row.id.0, name: row.name, created_date: seconds(row.created_at) }
    }
}

/// An organisation to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrganizationBody {
    /// Its name, once per server. Markup is taken out.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Its first user; called `owner` when nobody says.
    #[serde(default, deserialize_with = "as_object")]
    owner: Option<NewOwnerBody>,
}

/// The first user of an organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOwnerBody {
    /// Their name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Their e-mail address.
    #[serde(default)]
    #[schema(max_length = 254)]
    email_address: String,
}

/// An organisation that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewOrganization {
    #[serde(flatten)]
    organization: Organization,
    /// What its users may send as `Organization <secret>`. Shown only now.
    secret: String,
    /// Its first user, with their secret.
    owner: UserWithSecret,
}

/// Lists the organisations that one may see.
///
/// One's own; and all of them for an owner of the server's first organisation.
#[utoipa::path(get, path = "/organizations", tag = "people", operation_id = "listOrganizations",
    responses((status = 200, body = Vec<Organization>)), extensions(("x-right" = json!("reader"))))]
async fn list(State(api): State<Api>, caller: Caller) -> Answer<Json<Vec<Organization>>> {
    let all = api.directory.orgs().await?;
    let sees_all = caller.user.role == turnstone_store::Role::Owner && is_first(&all, caller.org);
    let seen = all.into_iter().filter(|row| sees_all || row.id == caller.org);
    Ok(Json(seen.map(Organization::from).collect()))
}

/// Makes an organisation with its owner, and shows their secrets once.
///
/// Only owners of the server's first organisation may; they see nothing of what the new one does.
#[utoipa::path(post, path = "/organizations", tag = "people", operation_id = "createOrganization",
    request_body = NewOrganizationBody,
    responses((status = 200, body = NewOrganization)), extensions(("x-right" = json!("owner"))))]
async fn create(
    State(api): State<Api>,
    caller: Caller,
    Typed(body): Typed<NewOrganizationBody>,
) -> Answer<Response> {
    if !is_first(&api.directory.orgs().await?, caller.org) {
        let message = "only owners of the server's first organisation make others; ask one of them";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "notAllowed", message));
    }
    let called = name(&body.name)?;
    let (owner_name, owner_address) = match &body.owner {
        Some(owner) => (name(&owner.name)?, address(&owner.email_address)?),
        None => (OWNER.to_owned(), String::new()),
    };
    let now = api.now();
    let org = api.store.ensure_org(&called, now).await?;
    // One without users was begun and not finished; one with users is somebody's.
    let is_taken = !api.directory.users(org).await?.is_empty();
    if is_taken {
        return Err(ApiError::conflict("conflict", format!("there is an organisation `{called}` already")));
    }
    let owner = users::add(&api, org, &owner_name, &owner_address, Role::Owner).await?;
    let secret = organization_secret(api.entropy.as_ref());
    api.store.add_org_token(org, hash(&secret), now).await?;
    let organization = api.directory.org(org).await?.into();
    let made = NewOrganization { organization, secret, owner };
    Ok(told(Json(made), json!({"id": org, "name": called})))
}

/// Whether an organisation is the one that the server's first start made: that of whoever runs it.
pub fn is_first(all: &[OrgRow], org: OrgId) -> bool {
    all.first().is_some_and(|first| first.id == org)
}
