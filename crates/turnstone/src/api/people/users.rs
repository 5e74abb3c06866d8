//! The users of an organisation: owners add them, change their roles, and take them away.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::HOST;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use turnstone_core::event::seconds;
use turnstone_core::id::{OrgId, UserId};
use turnstone_store::{NewUser, UserChange, UserRow};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Role, User, UserWithSecret, address, name};
use crate::api::access::{Caller, hash, is_secure, session, told};
use crate::api::body::Typed;
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, secret};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, change, remove))
        .routes(routes!(renew))
        .routes(routes!(link))
}

/// A user to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUserBody {
    /// Their name, once per organisation. Markup is taken out.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Their e-mail address.
    #[serde(default)]
    #[schema(max_length = 254)]
    email_address: String,
    /// What they may do.
    role: Role,
}

/// What changes of a user; what is absent or `null` stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPatch {
    /// Their name, once per organisation.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Their e-mail address.
    #[schema(max_length = 254)]
    email_address: Option<String>,
    /// What they may do.
    role: Option<Role>,
}

/// A link that signs a browser in once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInLink {
    /// The address to open, under the name that this request was sent to. Shown only now.
    url: String,
    /// The code of the link, for `POST /session`.
    code: String,
    /// When it ends, used or not.
    #[schema(format = DateTime)]
    expires_date: String,
}

/// Lists the users of the organisation.
#[utoipa::path(get, path = "/users", tag = "people", operation_id = "listUsers",
    responses((status = 200, body = Vec<User>)), extensions(("x-right" = json!("admin"))))]
async fn list(State(api): State<Api>, Caller { org, .. }: Caller) -> Answer<Json<Vec<User>>> {
    Ok(Json(api.directory.users(org).await?.into_iter().map(User::from).collect()))
}

/// Adds a user, and shows their secret once.
#[utoipa::path(post, path = "/users", tag = "people", operation_id = "createUser", request_body = NewUserBody,
    responses((status = 200, body = UserWithSecret)), extensions(("x-right" = json!("owner"))))]
async fn create(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Typed(body): Typed<NewUserBody>,
) -> Answer<Response> {
    let made = add(&api, org, &body.name, &body.email_address, body.role).await?;
    let particulars = json!({"id": made.user.id, "name": made.user.name, "role": made.user.role});
    Ok(told(Json(made), particulars))
}

/// Adds a user to an organisation.
pub async fn add(api: &Api, org: OrgId, called: &str, mail: &str, role: Role) -> Answer<UserWithSecret> {
    let secret = secret(api.entropy.as_ref());
    let (name, email) = (name(called)?, address(mail)?);
    let new = NewUser { org, name, email, role: role.into(), token_hash: hash(&secret) };
    let id = api.directory.create_user(new, api.now()).await?;
    Ok(UserWithSecret { user: api.directory.user(org, id).await?.into(), secret })
}

/// One user.
#[utoipa::path(get, path = "/users/{id}", tag = "people", operation_id = "readUser",
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 200, body = User)), extensions(("x-right" = json!("admin"))))]
async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<User>> {
    Ok(Json(find(&api, org, &id).await?.into()))
}

/// Changes a user's name, address or role.
///
/// An organisation keeps an owner: the last one cannot be given a lower role.
#[utoipa::path(patch, path = "/users/{id}", tag = "people", operation_id = "changeUser", request_body = UserPatch,
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 200, body = User)), extensions(("x-right" = json!("owner"))))]
async fn change(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    Typed(body): Typed<UserPatch>,
) -> Answer<Response> {
    let before = find(&api, org, &id).await?;
    let change = UserChange {
        name: body.name.as_deref().map(name).transpose()?,
        email: body.email_address.as_deref().map(address).transpose()?,
        role: body.role.map(Into::into),
    };
    api.directory.change_user(org, before.id, change).await?;
    let after = api.directory.user(org, before.id).await?;
    let particulars = changes(&before, &after);
    Ok(told(Json(User::from(after)), particulars))
}

/// What the audit says of a change.
pub fn changes(before: &UserRow, after: &UserRow) -> Value {
    let mut changes = serde_json::Map::new();
    let mut changed = |member: &str, old: &str, new: &str| {
        if old != new {
            changes.insert(member.to_owned(), json!({"from": old, "to": new}));
        }
    };
    changed("name", &before.name, &after.name);
    changed("emailAddress", &before.email, &after.email);
    changed("role", before.role.as_str(), after.role.as_str());
    changes.into()
}

/// Removes a user.
///
/// Their secret, sessions and sign-in links end at once. What they made belongs to the organisation and stays. The last
/// owner cannot be removed.
#[utoipa::path(delete, path = "/users/{id}", tag = "people", operation_id = "deleteUser",
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 204)), extensions(("x-right" = json!("owner"))))]
async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let user = find(&api, org, &id).await?;
    api.directory.remove_user(org, user.id).await?;
    let particulars = json!({"name": user.name, "role": user.role.as_str()});
    Ok(told(StatusCode::NO_CONTENT, particulars))
}

/// Gives a user a new secret, and shows it once.
///
/// The old secret, all their sessions and unused sign-in links end.
#[utoipa::path(post, path = "/users/{id}/token", tag = "people", operation_id = "renewSecret",
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 200, body = UserWithSecret)), extensions(("x-right" = json!("owner"))))]
async fn renew(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    renewed(&api, find(&api, org, &id).await?).await
}

/// Gives a user a new secret.
pub async fn renewed(api: &Api, user: UserRow) -> Answer<Response> {
    let secret = secret(api.entropy.as_ref());
    api.directory.replace_user_token(user.org, user.id, hash(&secret), api.now()).await?;
    let sessions_closed = api.directory.close_sessions(user.org, user.id).await?;
    let made = UserWithSecret { user: user.into(), secret };
    Ok(told(Json(made), json!({"sessionsClosed": sessions_closed})))
}

/// Makes a link that signs a user's browser in once.
///
/// It is good for an hour.
#[utoipa::path(post, path = "/users/{id}/sign-in-link", tag = "people", operation_id = "createSignInLink",
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 200, body = SignInLink)), extensions(("x-right" = json!("owner"))))]
async fn link(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer<Json<SignInLink>> {
    let user = find(&api, org, &id).await?;
    let expires_at = api.now() + session::CODE_TIME;
    let code = session::sign_in_code(&api, org, user.id).await?;
    let url = sign_in_address(&origin(&headers), &code);
    Ok(Json(SignInLink { url, code, expires_date: seconds(expires_at) }))
}

/// The address that a sign-in code is opened at.
pub fn sign_in_address(origin: &str, code: &str) -> String {
    format!("{origin}/sign-in?code={code}")
}

/// Scheme and host that a client sees of this server; empty where it did not say.
fn origin(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let fits = host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._:[]".contains(letter));
    let scheme = if is_secure(headers) { "https" } else { "http" };
    if fits && !host.is_empty() { format!("{scheme}://{host}") } else { String::new() }
}

async fn find(api: &Api, org: OrgId, id: &str) -> Answer<UserRow> {
    let id = id.parse().map(UserId).map_err(|_| ApiError::not_found("user"))?;
    Ok(api.directory.user(org, id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn an_origin_is_the_one_that_was_asked() {
        let mut headers = HeaderMap::new();
        assert_eq!(origin(&headers), "");
        headers.insert(HOST, HeaderValue::from_static("a.test:8080"));
        assert_eq!(origin(&headers), "http://a.test:8080");
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        assert_eq!(origin(&headers), "https://a.test:8080");
        headers.insert(HOST, HeaderValue::from_static("a.test/x?<"));
        assert_eq!(origin(&headers), "");
    }
}
