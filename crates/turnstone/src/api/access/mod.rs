//! Who asks, and whether they may: the guard before every route.
//!
//! The `Authorization` header is the field's: pairs of a kind and a secret (`header`). A browser has a cookie instead
//! (`session`). What an operation demands stands with it in the OpenAPI document (`rights`), so that what is documented
//! is what is enforced. Whoever changed something stands in the audit, without the handler's doing.
//!
//! Tokens are random, so their SHA-256 is all that is kept, and looking one up by its hash tells nothing about others.

mod header;
mod rights;
pub mod session;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use turnstone_core::id::{InstanceId, OrgId};
use turnstone_store::{NewAudit, Role, UserRow};

use self::header::Credentials;
#[cfg(test)]
pub use self::rights::operations;
pub use self::rights::{Operation, Right, Rights};
pub use self::session::CHANGE_HEADER;
use super::error::{Answer, ApiError};
use super::{Api, BASE};

/// Characters of a token that somebody chooses; shorter ones can be guessed.
pub const TOKEN_CHARS_MIN: usize = 16;
/// Characters of a path that the audit keeps; those of real things are shorter.
const AUDIT_TARGET_CHARS_MAX: usize = 500;
/// How the header looks, for whoever sent none.
const EXAMPLE: &str = "send `Authorization: User <secret>, Organization <secret>`";

/// Whether a request names an instance by its token.
pub fn names_instance(headers: &HeaderMap) -> bool {
    let header = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    header.and_then(|text| Credentials::read(text).ok()).is_some_and(|sent| sent.element.is_some())
}

/// The hash by which a token is known.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Their organisation.
    pub org: OrgId,
    /// Themselves.
    pub user: UserRow,
    /// The instance whose token they sent along.
    pub element: Option<InstanceId>,
}

impl Caller {
    /// The instance that routes without an id act on: the one of the Element token.
    pub fn own_instance(&self) -> Answer<InstanceId> {
        self.element.ok_or_else(|| {
            let message = "this path acts on the instance of an Element token, and none was sent; add \
                           `, Element <token>` to the Authorization header, or name the instance in the path";
            ApiError::bad("noElementToken", message)
        })
    }

    /// 403 with this sentence for everybody below a role.
    pub fn must_be(&self, role: Role, sentence: &str) -> Answer<()> {
        if rights::reaches(self.user.role, role) {
            return Ok(());
        }
        Err(ApiError::new(StatusCode::FORBIDDEN, "notAllowed", sentence))
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    /// Whom the guard let in; or, where no guard stands, whoever asks.
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Answer<Caller> {
        match parts.extensions.get::<Caller>() {
            Some(caller) => Ok(caller.clone()),
            None => authenticate(api, &parts.method, &parts.headers).await,
        }
    }
}

/// What a handler wants the audit to say of a change beside who, what and when; secrets have no place in it.
#[derive(Clone, Debug)]
pub struct Particulars(pub Value);

/// An answer that tells the audit something.
pub fn told(answer: impl IntoResponse, particulars: Value) -> Response {
    let mut response = answer.into_response();
    response.extensions_mut().insert(Particulars(particulars));
    response
}

/// Whether the client's own connection is TLS, as far as the proxy before this server says so. Somebody who says it
/// falsely gets a cookie that their own browser keeps to itself.
pub fn is_secure(headers: &HeaderMap) -> bool {
    let said = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    said.and_then(|list| list.split(',').next())
        .is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
}
/// What a handler adds to an answer that changed nothing, so that the audit does not say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Unaudited;

/// Lets a request pass with its [`Caller`] as an extension, or answers 401 or 403; and writes the audit.
pub async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let Some(operation) = template.and_then(|path| api.rights().of(request.method(), &path)) else {
        // A route that nobody gave a right is nobody's; a test sees to it that there is none.
        return ApiError::new(StatusCode::FORBIDDEN, "notAllowed", "nobody may do this").into_response();
    };
    let Right::AtLeast(role) = operation.right else { return next.run(request).await };
    let caller = match authenticate(&api, request.method(), request.headers()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    if !rights::reaches(caller.user.role, role) {
        let message = format!(
            "this needs the role `{}`, and yours is `{}`; ask somebody with that role, or an owner for it",
            role.as_str(),
            caller.user.role.as_str()
        );
        return ApiError::new(StatusCode::FORBIDDEN, "notAllowed", message).into_response();
    }
    let is_change = operation.audited && !request.method().is_safe();
    request.extensions_mut().insert(caller.clone());
    if !is_change {
        return next.run(request).await;
    }
    let operation = operation.clone();
    // A task of its own: a client that goes away must not leave a change behind that nobody wrote down.
    let work = tokio::spawn(async move { changed(&api, &caller, &operation, request, next).await });
    work.await.unwrap_or_else(|error| {
        let detail = Some(error.to_string());
        let message = "the server made a mistake; what was asked for may or may not have been done";
        let failed = ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
        ApiError { detail, ..failed }.into_response()
    })
}

/// Runs a change, and writes it down when it succeeds.
async fn changed(
    api: &Api,
    caller: &Caller,
    operation: &Operation,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let unchanged = response.extensions_mut().remove::<Unaudited>().is_some();
    if response.status().is_success() && !unchanged {
        let told = response.extensions_mut().remove::<Particulars>();
        // A path without an id does not say what it was about.
        let own = caller.element.map_or(json!({}), |id| json!({"element instance": id}));
        let detail = told.map_or(own, |told| told.0);
        let (action, kind) = (operation.id.clone(), operation.kind.clone());
        record(api, &caller.user, Deed { action, kind, path, detail }).await;
    }
    response
}

/// What somebody did.
struct Deed {
    action: String,
    kind: String,
    path: String,
    detail: Value,
}

async fn record(api: &Api, user: &UserRow, deed: Deed) {
    let path = deed.path.strip_prefix(BASE).unwrap_or(&deed.path);
    let entry = NewAudit {
        org: user.org,
        user: Some(user.id),
        at: api.now(),
        action: deed.action,
        target_kind: deed.kind,
        target_id: path.chars().take(AUDIT_TARGET_CHARS_MAX).collect(),
        detail: deed.detail.to_string(),
    };
    let action = entry.action.clone();
    // What was done is done, and its answer is right: a missing entry is told where somebody looks for it.
    if let Err(error) = api.directory.audit(entry).await {
        tracing::error!(%error, action, path, "the audit could not be written");
    }
}

/// Whether somebody whose request is still being answered may go on looking: with the same secrets they would be let in
/// as the same person. While the store does not answer, nothing says otherwise.
pub async fn may_still_look(api: &Api, caller: &Caller, headers: &HeaderMap) -> bool {
    match authenticate(api, &Method::GET, headers).await {
        Ok(now) => now.user.id == caller.user.id && now.org == caller.org,
        Err(error) => error.status.is_server_error(),
    }
}

fn unauthorized(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

/// Finds out who asks.
async fn authenticate(api: &Api, method: &Method, headers: &HeaderMap) -> Answer<Caller> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let header = match (all.next(), all.next()) {
        (Some(header), None) => header,
        (None, _) => {
            return match session::of(api, method, headers).await? {
                Some(user) => Ok(Caller { org: user.org, user, element: None }),
                None => Err(unauthorized(format!("the Authorization header is missing; {EXAMPLE}"))),
            };
        }
        // Which one counts is a matter of taste among proxies; none of ours.
        (Some(_), Some(_)) => {
            return Err(unauthorized("the Authorization header stands twice; send all pairs in one"));
        }
    };
    let text = header.to_str().map_err(|_| unauthorized(format!("the header is no text; {EXAMPLE}")))?;
    let sent = Credentials::read(text).map_err(|problem| unauthorized(format!("{problem}; {EXAMPLE}")))?;
    let user = match sent.user {
        Some(secret) => api.directory.user_by_token(hash(secret)).await?,
        // A browser names an instance beside its own session.
        None if sent.element.is_some() => session::of(api, method, headers).await?,
        None => None,
    };
    let user = user.ok_or_else(|| match sent.user {
        Some(_) => unauthorized("the user secret is not known"),
        None => unauthorized(format!("the Authorization header names no user; {EXAMPLE}")),
    })?;
    if let Some(secret) = sent.organization {
        // It identifies and does not authorise, and must not speak for somebody else's organisation.
        let org = api.store.org_by_token(hash(secret)).await?;
        if org != Some(user.org) {
            return Err(unauthorized("the organization secret is not known, or is not the one of this user"));
        }
    }
    let element = match sent.element {
        Some(token) => Some(element_of(api, &user, token).await?),
        None => None,
    };
    Ok(Caller { org: user.org, user, element })
}

/// The instance of an Element token, if it is the user's organisation's.
async fn element_of(api: &Api, user: &UserRow, token: &str) -> Answer<InstanceId> {
    let row = api.directory.instance_by_token(hash(token)).await?.filter(|row| row.org == user.org);
    let row = row.ok_or_else(|| unauthorized("the element token is not known; its instance may be gone"))?;
    Ok(row.id)
}
