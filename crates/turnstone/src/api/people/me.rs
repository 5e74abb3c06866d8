//! One's own account: everybody may look at it, correct it, and take a new secret. Nobody can change their own role
//! here.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use turnstone_store::UserChange;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::users::{changes, renewed};
use super::{User, UserWithSecret, address, name};
use crate::api::Api;
use crate::api::access::{Caller, told};
use crate::api::body::Typed;
use crate::api::error::Answer;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read, change)).routes(routes!(renew))
}

/// What changes of one's own account; what is absent or `null` stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnPatch {
    /// One's name, once per organisation.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// One's e-mail address.
    #[schema(max_length = 254)]
    email_address: Option<String>,
}

/// One's own account.
#[utoipa::path(get, path = "/users/me", tag = "people", operation_id = "readMe",
    responses((status = 200, body = User)), extensions(("x-right" = json!("reader"))))]
async fn read(caller: Caller) -> Json<User> {
    Json(caller.user.into())
}

/// Changes one's own name or address.
#[utoipa::path(patch, path = "/users/me", tag = "people", operation_id = "changeMe", request_body = OwnPatch,
    responses((status = 200, body = User)), extensions(("x-right" = json!("reader"))))]
async fn change(
    State(api): State<Api>,
    Caller { org, user, .. }: Caller,
    Typed(body): Typed<OwnPatch>,
) -> Answer<Response> {
    let change = UserChange {
        name: body.name.as_deref().map(name).transpose()?,
        email: body.email_address.as_deref().map(address).transpose()?,
        role: None,
    };
    api.directory.change_user(org, user.id, change).await?;
    let after = api.directory.user(org, user.id).await?;
    let particulars = changes(&user, &after);
    Ok(told(Json(User::from(after)), particulars))
}

/// Takes a new secret, and shows it once.
///
/// The old one ends, and so do all one's sessions, the one that asks included.
#[utoipa::path(post, path = "/users/me/token", tag = "people", operation_id = "renewMySecret",
    responses((status = 200, body = UserWithSecret)), extensions(("x-right" = json!("reader"))))]
async fn renew(State(api): State<Api>, caller: Caller) -> Answer<Response> {
    renewed(&api, caller.user).await
}
