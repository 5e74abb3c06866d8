//! Browsers: a cookie that scripts cannot read, a change token that other sites cannot know, and the link of the first
//! start.
//!
//! The cookie is `HttpOnly` and `SameSite=Strict`; a request that is not safe must also bring the change token in
//! [`CHANGE_HEADER`]. That token is derived from the cookie, so that a page that was loaded anew gets it again from
//! `GET /session`. The page behind the link asks before it uses the code up: a mail program that looks at links must
//! not sign anybody in.

use axum::Json;
use axum::extract::{RawForm, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;
use turnstone_core::event::seconds;
use turnstone_core::id::{OrgId, UserId};
use turnstone_store::{NewSession, NewSignInCode, UserRow};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Caller, Deed, hash, is_secure, record, unauthorized};
use crate::api::body::{Query, Typed, form};
use crate::api::error::{Answer, ApiError};
use crate::api::people::Role;
use crate::api::{Api, BASE, secret};
use crate::console::wants_page;

/// The cookie's name.
const COOKIE_NAME: &str = "turnstone_session";
/// The header that changes of a session must bring.
pub const CHANGE_HEADER: &str = "x-change-token";
/// How long a session lasts.
const SESSION_TIME: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a link to sign in is good.
pub const CODE_TIME: Duration = Duration::from_secs(60 * 60);

/// The operations on sessions.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read, open, close))
}

/// What signs a browser in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignIn {
    /// A user's secret.
    user: Option<String>,
    /// The code of a link that signs in once.
    code: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The user's id.
    user_id: i64,
    /// Their name.
    name: String,
    /// What they may do.
    role: Role,
    /// Their organisation's id.
    organization_id: i64,
    /// What a browser sends as `X-Change-Token` with every request that changes something; absent without a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_token: Option<String>,
    /// When the session ends.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_date: Option<String>,
}

impl Session {
    fn of(user: &UserRow) -> Session {
        Session {
            user_id: user.id.0,
            name: user.name.clone(),
            role: user.role.into(),
            organization_id: user.org.0,
            change_token: None,
            expires_date: None,
        }
    }
}

/// Who asks.
///
/// A browser gets its change token again.
#[utoipa::path(get, path = "/session", tag = "people", operation_id = "readSession",
    responses((status = 200, body = Session)), extensions(("x-right" = json!("reader"))))]
async fn read(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Answer<Json<Session>> {
    let mut session = Session::of(&caller.user);
    // Whoever asks by a header may have somebody else's cookie beside it.
    if let Some(cookie) = cookie(&headers)
        && let Some(row) = api.directory.session(hash(cookie), api.now()).await?
        && row.user.id == caller.user.id
    {
        session.change_token = Some(change_token(cookie));
        session.expires_date = Some(seconds(row.expires_at));
    }
    Ok(Json(session))
}

/// Signs a browser in.
///
/// With a user's secret, or with the code of a link that signs in once.
#[utoipa::path(post, path = "/session", tag = "people", operation_id = "openSession", request_body = SignIn,
    responses((status = 200, body = Session)), extensions(("x-right" = json!("public"))))]
async fn open(State(api): State<Api>, headers: HeaderMap, Typed(body): Typed<SignIn>) -> Answer<Response> {
    let way = if body.code.is_some() { "link" } else { "secret" };
    let user = match (body.user, body.code) {
        (Some(user), None) => api.directory.user_by_token(hash(&user)).await?,
        (None, Some(code)) => api.directory.use_sign_in_code(hash(&code), api.now()).await?,
        _ => {
            let message = "send `{\"user\": \"<secret>\"}`, or `{\"code\": \"<code of a link>\"}`";
            return Err(ApiError::bad("badDocument", message));
        }
    };
    let user =
        user.ok_or_else(|| unauthorized("the secret is not known, or the code was used or has ended"))?;
    let (session, cookie) = begin(&api, &user, &headers, way).await?;
    Ok(([(SET_COOKIE, cookie)], Json(session)).into_response())
}

/// Signs a browser out.
#[utoipa::path(delete, path = "/session", tag = "people", operation_id = "closeSession",
    responses((status = 204)), extensions(("x-right" = json!("reader")), ("x-audited" = json!(false))))]
async fn close(State(api): State<Api>, headers: HeaderMap) -> Answer<Response> {
    if let Some(cookie) = cookie(&headers) {
        api.directory.close_session(hash(cookie)).await?;
    }
    let cookie = cookie_text("", Duration::ZERO, is_secure(&headers));
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Opens a session in place of the browser's last one: what its owner is told, and the cookie.
async fn begin(
    api: &Api,
    user: &UserRow,
    headers: &HeaderMap,
    way: &'static str,
) -> Answer<(Session, HeaderValue)> {
    if let Some(before) = cookie(headers) {
        api.directory.close_session(hash(before)).await?;
    }
    let (token, now) = (secret(api.entropy.as_ref()), api.now());
    let expires_at = now + SESSION_TIME;
    let change = change_token(&token);
    let new = NewSession {
        org: user.org,
        user: user.id,
        session_hash: hash(&token),
        change_hash: hash(&change),
        expires_at,
    };
    api.directory.open_session(new, now).await?;
    let deed = Deed {
        action: "openSession".to_owned(),
        kind: "people".to_owned(),
        path: "/session".to_owned(),
        detail: json!({"by": way}),
    };
    record(api, user, deed).await;
    let mut session = Session::of(user);
    session.change_token = Some(change);
    session.expires_date = Some(seconds(expires_at));
    Ok((session, cookie_text(&token, SESSION_TIME, is_secure(headers))))
}

/// The user of a request's cookie. A change without its token is refused; a cookie of nobody is none.
pub async fn of(api: &Api, method: &Method, headers: &HeaderMap) -> Answer<Option<UserRow>> {
    let Some(cookie) = cookie(headers) else { return Ok(None) };
    let Some(session) = api.directory.session(hash(cookie), api.now()).await? else { return Ok(None) };
    let sent = headers.get(CHANGE_HEADER).and_then(|value| value.to_str().ok());
    if !method.is_safe() && sent.map(hash) != Some(session.change_hash) {
        let message = "a change needs the header `X-Change-Token` with what `GET /session` told";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "noChangeToken", message));
    }
    Ok(Some(session.user))
}

/// The session's cookie. Two of its name are none: one of them was set by somebody else, such as a neighbouring host.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut ours = all
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(name, value)| (name == COOKIE_NAME && !value.is_empty()).then_some(value));
    ours.next().filter(|_| ours.next().is_none())
}

/// `Secure` only where the browser's connection is: it would not keep the cookie otherwise.
fn cookie_text(value: &str, lasts: Duration, secure: bool) -> HeaderValue {
    let (seconds, secure) = (lasts.as_secs(), if secure { "; Secure" } else { "" });
    let text = format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Known only to who knows the cookie, and telling nothing about it.
fn change_token(cookie: &str) -> String {
    use base64::Engine as _;
    let hash = Sha256::digest(format!("change token of {cookie}"));
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)
}

/// Makes a code that signs a user in once, for a link to [`page`].
pub async fn sign_in_code(api: &Api, org: OrgId, user: UserId) -> Answer<String> {
    let (code, now) = (secret(api.entropy.as_ref()), api.now());
    let new = NewSignInCode { org, user, code_hash: hash(&code), expires_at: now + CODE_TIME };
    api.directory.add_sign_in_code(new, now).await?;
    Ok(code)
}

/// `GET /sign-in?code=…`: asks whether to sign in.
pub async fn page(query: Query) -> Response {
    let code: String = query.text("code").unwrap_or_default().chars().filter(|c| is_of_code(*c)).collect();
    sheet(&format!(
        "<p>This link signs you in once, in this browser, for {} hours.</p>\
         <form method=post action=/sign-in><input type=hidden name=code value='{code}'>\
         <button style='font:inherit;padding:.5rem 1.5rem'>Sign in</button></form>",
        SESSION_TIME.as_secs() / 3_600
    ))
}

/// A page of the program's own, for what happens before somebody is signed in.
fn sheet(text: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <meta name=color-scheme content='light dark'><title>Turnstone</title>\
         <body style='font:16px/1.5 system-ui;max-width:28rem;margin:20vh auto;padding:0 1rem'>\
         <main><h1>Turnstone</h1>{text}</main></body></html>"
    );
    framed(Html(page).into_response())
}

/// `POST /sign-in`: uses the code up, and goes on to the start page.
pub async fn enter(State(api): State<Api>, headers: HeaderMap, RawForm(body): RawForm) -> Answer<Response> {
    if is_from_elsewhere(&headers) {
        let message = "this was sent from another site; open the link itself";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "notAllowed", message));
    }
    let code = form(&body).find_map(|(name, value)| (name == "code").then_some(value)).unwrap_or_default();
    let user = api.directory.use_sign_in_code(hash(&code), api.now()).await?;
    let Some(user) = user else {
        let message = "the link was used or has ended; ask an owner for another one, or start the server with \
                       `--new-token`";
        if !wants_page(&headers) {
            return Err(unauthorized(message));
        }
        let page = sheet(
            "<p>This link was used already, or has ended.</p><p>Ask an owner for another one, or start the server \
             with <code>--new-token</code>.</p>",
        );
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let (_, cookie) = begin(&api, &user, &headers, "link").await?;
    let start = if api.console.is_built() { "/".to_owned() } else { format!("{BASE}/session") };
    let away = Redirect::to(&start);
    Ok(framed(([(SET_COOKIE, cookie)], away).into_response()))
}

/// Whether a form was sent by a page of another site, which would sign somebody in as whom it likes.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    // Browsers leave that header out where the connection is not trusted.
    let Some(origin) = text("origin") else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_none() || host != text("host")
}

/// A page that nobody frames, caches, or learns the address of.
fn framed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn is_of_code(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; turnstone_session=x-1; c=d"));
        assert_eq!(cookie(&headers), Some("x-1"));
        headers.clear();
        headers.append(COOKIE, HeaderValue::from_static("turnstone_session=; not_turnstone_session=y"));
        assert_eq!(cookie(&headers), None);
        headers.append(COOKIE, HeaderValue::from_static("turnstone_session=a"));
        assert_eq!(cookie(&headers), Some("a"));
        headers.append(COOKIE, HeaderValue::from_static("turnstone_session=b"));
        assert_eq!(cookie(&headers), None);
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        for (secure, end) in [(false, "Max-Age=43200"), (true, "Max-Age=43200; Secure")] {
            let text = cookie_text("x", SESSION_TIME, secure);
            let text = text.to_str().unwrap();
            assert!(text.contains("; HttpOnly; SameSite=Strict;") && text.ends_with(end), "{text}");
        }
    }

    #[test]
    fn a_form_of_another_site_is_told() {
        let check = |pairs: &[(&'static str, &'static str)], expect: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_from_elsewhere(&headers), expect, "{pairs:?}");
        };
        check(&[], false);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "null")], false);
        check(&[("sec-fetch-site", "cross-site")], true);
        check(&[("sec-fetch-site", "same-site"), ("origin", "http://a.test"), ("host", "a.test")], true);
        check(&[("origin", "http://a.test:80"), ("host", "a.test:80")], false);
        check(&[("origin", "http://b.test"), ("host", "a.test")], true);
        check(&[("origin", "null"), ("host", "a.test")], true);
    }

    #[test]
    fn a_change_token_belongs_to_one_cookie() {
        assert_eq!(change_token("a"), change_token("a"));
        assert_ne!(change_token("a"), change_token("b"));
    }
}
