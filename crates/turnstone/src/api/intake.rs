//! Where providers send their notifications: the only routes that take what a stranger sends.
//!
//! A request is read within a size, a time and a share of memory, kept durably, and answered; everything else happens
//! later. What is answered tells a stranger nothing: an unknown address is 404, whatever it is that is not there, and
//! every failed proof is the same 401.
//!
//! Not here: whose a request is and whether it comes in (the engine's `intake`), what became of it (`webhooks`).

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use tokio::sync::Semaphore;
use turnstone_core::intake::RawRequest;
use turnstone_core::limits::{INBOUND_BODY_BYTES_MAX, INBOUND_HEAD_BYTES_MAX};
use turnstone_engine::intake::{Answer as Said, Target};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::{Answer, ApiError};
use super::{Api, BASE, body};

/// Bytes of all bodies that are being read at once.
const BYTES_AT_ONCE: usize = 128 * 1024 * 1024;

/// Bytes that one permit stands for.
const PERMIT_BYTES: usize = 1_024;

/// Headers that are ours or the transport's: they say nothing of the provider, or what only we may know.
const LEFT_OUT: [&str; 3] = ["connection", "transfer-encoding", "keep-alive"];

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(notify, notify_by_query))
        .routes(routes!(notify_one, notify_one_by_query))
}

/// The memory of bodies that are being read.
pub struct Room(Semaphore);

impl Default for Room {
    fn default() -> Room {
        Room(Semaphore::new(BYTES_AT_ONCE / PERMIT_BYTES))
    }
}

/// A notification was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Taken {}

/// Takes in a notification for the instances of a connector.
///
/// Which ones, the header `Element-Instances` says, or a value in the request (`event.notification.instance.finder`).
/// Only instances that tell their provider by a signature, a token or a password take part, or those whose admin opened
/// them.
#[utoipa::path(
    post,
    path = "/events/{elementKey}",
    tag = "intake",
    operation_id = "notify",
    params(
        ("elementKey" = String, Path, description = "The connector's key."),
        ("Element-Instances" = Option<String>, Header, description = "Ids of instances, between commas.")
    ),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, body = Taken)),
    extensions(("x-right" = json!("public")), ("x-audited" = json!(false)))
)]
pub async fn notify(
    State(api): State<Api>,
    key: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    common(&api, key, request).await
}

/// Takes in a notification for the instances of a connector, from a provider that sends it in the query.
#[utoipa::path(
    get,
    path = "/events/{elementKey}",
    tag = "intake",
    operation_id = "notifyByQuery",
    params(
        ("elementKey" = String, Path, description = "The connector's key."),
        ("Element-Instances" = Option<String>, Header, description = "Ids of instances, between commas.")
    ),
    responses((status = 200, body = Taken)),
    extensions(("x-right" = json!("public")), ("x-audited" = json!(false)))
)]
pub async fn notify_by_query(
    State(api): State<Api>,
    key: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    common(&api, key, request).await
}

/// Takes in a notification for one instance.
#[utoipa::path(
    post,
    path = "/events/{elementKey}/{encodedId}",
    tag = "intake",
    operation_id = "notifyInstance",
    params(
        ("elementKey" = String, Path, description = "The connector's key."),
        ("encodedId" = String, Path, description = "The end of the instance's address; or its id in base64, where it tells its provider by a signature, a token or a password.")
    ),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 200, body = Taken)),
    extensions(("x-right" = json!("public")), ("x-audited" = json!(false)))
)]
pub async fn notify_one(
    State(api): State<Api>,
    ends: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    own(&api, ends, request).await
}

/// Takes in a notification for one instance, from a provider that sends it in the query.
#[utoipa::path(
    get,
    path = "/events/{elementKey}/{encodedId}",
    tag = "intake",
    operation_id = "notifyInstanceByQuery",
    params(
        ("elementKey" = String, Path, description = "The connector's key."),
        ("encodedId" = String, Path, description = "The end of the instance's address; or its id in base64, where it tells its provider by a signature, a token or a password.")
    ),
    responses((status = 200, body = Taken)),
    extensions(("x-right" = json!("public")), ("x-audited" = json!(false)))
)]
pub async fn notify_one_by_query(
    State(api): State<Api>,
    ends: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    own(&api, ends, request).await
}

async fn own(api: &Api, ends: Result<Path<(String, String)>, PathRejection>, request: Request) -> Response {
    // What cannot be read as an address is nobody's.
    let Ok(Path((key, end))) = ends else { return ApiError::not_found("address").into_response() };
    take(api, Target::Own { element_key: &key, address: &end }, request).await
}

async fn common(api: &Api, key: Result<Path<String>, PathRejection>, request: Request) -> Response {
    let Ok(Path(key)) = key else { return ApiError::not_found("address").into_response() };
    let element_key = &key;
    let listed = request.headers().get("element-instances").and_then(|value| value.to_str().ok());
    let listed = listed.map(str::to_owned);
    let target = Target::Common { element_key, instances: listed.as_deref() };
    take(api, target, request).await
}

async fn take(api: &Api, target: Target<'_>, request: Request) -> Response {
    let hint = axum::body::HttpBody::size_hint(request.body()).exact();
    let expected = hint.map_or(INBOUND_BODY_BYTES_MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let permits = expected.min(INBOUND_BODY_BYTES_MAX).div_ceil(PERMIT_BYTES).max(1);
    // Held until the request is kept: it is in memory as long.
    let room = api.inbound_room().0.try_acquire_many(u32::try_from(permits).unwrap_or(u32::MAX));
    if room.is_err() {
        return come_back(Duration::from_secs(1), false);
    }
    let request = match read(api, request).await {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    match api.intake.take(target, request).await {
        Said::Kept { .. } => Json(Taken {}).into_response(),
        Said::Challenge { header, content_type, body } => challenge(header, content_type, body),
        Said::Unknown => ApiError::not_found("address").into_response(),
        Said::Refused => {
            let message = "the notification does not show that it is the provider's";
            ApiError::new(StatusCode::UNAUTHORIZED, "notVerified", message).into_response()
        }
        Said::ComeBack { after, is_theirs } => come_back(after, is_theirs),
    }
}

fn challenge(header: Option<(String, String)>, content_type: &'static str, body: String) -> Response {
    let mut response = ([(CONTENT_TYPE, content_type)], body).into_response();
    let named = header.and_then(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    if let Some((name, value)) = named {
        response.headers_mut().insert(name, value);
    }
    response
}

fn come_back(after: Duration, is_theirs: bool) -> Response {
    let (status, code, words) = match is_theirs {
        true => (
            StatusCode::TOO_MANY_REQUESTS,
            "tooManyRequests",
            "too many notifications wait already; send it again later",
        ),
        false => (StatusCode::SERVICE_UNAVAILABLE, "busy", "it cannot be kept now; send it again later"),
    };
    let mut response = ApiError::new(status, code, words).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    response
}

/// Reads a request to be kept, within its bounds.
async fn read(api: &Api, request: Request) -> Answer<RawRequest> {
    let url = sent_to(api, &request);
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().as_str().to_owned();
    let headers = kept_headers(request.headers());
    let head_bytes =
        headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + query.len();
    if head_bytes > INBOUND_HEAD_BYTES_MAX {
        let message = format!("headers and query are larger than {INBOUND_HEAD_BYTES_MAX} bytes");
        return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headTooLarge", message));
    }
    let body = body::bytes(request, INBOUND_BODY_BYTES_MAX).await?;
    Ok(RawRequest { method, url, query: body::pairs(&query), headers, body: body.to_vec() })
}

/// The address that the provider was given: some sign it.
fn sent_to(api: &Api, request: &Request) -> String {
    // Below a router of a nested path the beginning is taken off.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let base = if path.starts_with(BASE) { "" } else { BASE };
    format!("{}{base}{path}", api.public_url)
}

/// Headers in their order. Bytes that are no text become replacement characters: no scheme signs such.
fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = headers.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
    kept.map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
    .collect()
}
