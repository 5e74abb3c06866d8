//! Resource calls: `/hubs/{hub}/{object}…` of the instance whose Element token was sent, and the same without a hub.
//!
//! The connector decides which paths there are, so one route stands for all of them. Below the base, a path that is no
//! other route is a call too when an Element token comes with it; `/hubs/…` reaches a resource whatever it is called.
//! What the provider refuses is passed on in the shape of errors, never as a failure of ours (`answer`).
//!
//! Not here: mapping, hooks, paging (the core's `call`), tokens (the engine).

mod answer;
mod hubs;
mod objects;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use turnstone_core::call::{CallBody, CallRequest, NoRoute, find};
use turnstone_core::connector::without_hub;
use turnstone_engine::egress::Bodies;
use turnstone_store::{InstanceRow, Role};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{self, Caller};
use super::body::{BODY_BYTES_MAX, bytes, pairs};
use super::error::{Answer, ApiError};
use super::{Api, BASE};

/// Headers that are between the client and us.
const OURS: [&str; 14] = [
    "authorization",
    "cookie",
    access::CHANGE_HEADER,
    "host",
    "content-length",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-connection",
];

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(hubs::list))
        .routes(routes!(hubs::read))
        .routes(routes!(objects::list))
        .routes(routes!(objects::metadata))
        .routes(routes!(objects::ping))
        .routes(routes!(get, post, put, patch, delete))
}

/// Reads records, or one, through the connector of an instance.
///
/// Needs an Element token. The hub is ignored: `/hubs/crm/x`, `/hubs/anything/x` and `/x` are one. Every other query
/// parameter that the resource declares is passed on.
#[utoipa::path(
    get,
    path = "/hubs/{hub}/{*path}",
    tag = "hubs",
    operation_id = "callGet",
    params(
        ("hub" = String, Path, description = "Any word."),
        ("path" = String, Path, description = "The resource: `contacts`, `contacts/12`, `contacts/12/notes` and so on."),
        ("where" = Option<String>, Query, description = "Which records, as in `lastName='Miller' and active=true`."),
        ("fields" = Option<String>, Query, description = "Names of the members to answer, separated by commas."),
        ("orderBy" = Option<String>, Query, description = "A member, with `asc` or `desc`."),
        ("page" = Option<String>, Query, description = "A page, counted from 1 where the resource counts them."),
        ("pageSize" = Option<String>, Query, description = "Records of a page."),
        ("nextPage" = Option<String>, Query, description = "What `Elements-Next-Page-Token` said.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn get(State(api): State<Api>, caller: Caller, request: Request) -> Answer<Response> {
    call(&api, &caller, request).await
}

/// Makes a record, or whatever the resource does on POST.
#[utoipa::path(
    post,
    path = "/hubs/{hub}/{*path}",
    tag = "hubs",
    operation_id = "callPost",
    params(
        ("hub" = String, Path, description = "Any word."),
        ("path" = String, Path, description = "The resource.")
    ),
    request_body = Option<Value>,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn post(State(api): State<Api>, caller: Caller, request: Request) -> Answer<Response> {
    call(&api, &caller, request).await
}

/// Replaces a record.
#[utoipa::path(
    put,
    path = "/hubs/{hub}/{*path}",
    tag = "hubs",
    operation_id = "callPut",
    params(
        ("hub" = String, Path, description = "Any word."),
        ("path" = String, Path, description = "The resource.")
    ),
    request_body = Option<Value>,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn put(State(api): State<Api>, caller: Caller, request: Request) -> Answer<Response> {
    call(&api, &caller, request).await
}

/// Changes a record.
#[utoipa::path(
    patch,
    path = "/hubs/{hub}/{*path}",
    tag = "hubs",
    operation_id = "callPatch",
    params(
        ("hub" = String, Path, description = "Any word."),
        ("path" = String, Path, description = "The resource.")
    ),
    request_body = Option<Value>,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn patch(State(api): State<Api>, caller: Caller, request: Request) -> Answer<Response> {
    call(&api, &caller, request).await
}

/// Removes a record.
#[utoipa::path(
    delete,
    path = "/hubs/{hub}/{*path}",
    tag = "hubs",
    operation_id = "callDelete",
    params(
        ("hub" = String, Path, description = "Any word."),
        ("path" = String, Path, description = "The resource.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("member")), ("x-audited" = json!(false)))
)]
pub async fn delete(State(api): State<Api>, caller: Caller, request: Request) -> Answer<Response> {
    call(&api, &caller, request).await
}

/// A path that is no other route: a call, when it is below the base and an Element token comes with it.
pub async fn no_route(State(api): State<Api>, request: Request) -> Answer<Response> {
    if !may_be_a_call(&request) {
        let message = format!("there is no such path; the API begins at {BASE}");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "noSuchRoute", message));
    }
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &api).await?;
    call(&api, &caller, Request::from_parts(parts, body)).await
}

/// A method that a route of ours does not have: perhaps the connector has a resource of that name which does.
pub async fn wrong_method(State(api): State<Api>, request: Request) -> Answer<Response> {
    let message = format!("{} is not possible here", request.method());
    let refused = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "methodNotAllowed", message);
    if !may_be_a_call(&request) {
        return Err(refused);
    }
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &api).await?;
    let row = api.store.instance(caller.org, caller.own_instance()?).await?;
    let connector = api.preparer.connector_of(&row).await.ok().flatten();
    let path = below_base(parts.uri.path());
    match connector.map(|connector| find(&connector, parts.method.as_str(), path).is_ok()) {
        Some(true) => call(&api, &caller, Request::from_parts(parts, body)).await,
        Some(false) | None => Err(refused),
    }
}

fn may_be_a_call(request: &Request) -> bool {
    request.uri().path().strip_prefix(BASE).is_some_and(|rest| rest.len() > 1 && rest.starts_with('/'))
        && access::names_instance(request.headers())
}

/// The path below the base; the router has taken the base away where it knew the route.
fn below_base(path: &str) -> &str {
    path.strip_prefix(BASE).unwrap_or(path)
}

/// Calls a resource, or answers what every connector has.
async fn call(api: &Api, caller: &Caller, request: Request) -> Answer<Response> {
    let role = if request.method().is_safe() { Role::Reader } else { Role::Member };
    let sentence = format!("this needs the role `{}`; ask somebody with that role", role.as_str());
    caller.must_be(role, &sentence)?;
    let row = api.store.instance(caller.org, caller.own_instance()?).await?;
    let connector = api.preparer.connector_of(&row).await;
    let connector = connector.map_err(|error| ApiError::conflict("badConnector", error.to_string()))?;
    let method = called_method(request.method());
    let path = below_base(request.uri().path()).to_owned();
    let own = connector.as_ref().map(|connector| find(connector, method.as_str(), &path));
    if let (Some(connector), Some(Err(NoRoute::Path))) = (&connector, own)
        && method == Method::GET
        && let Some(built_in) = objects::built_in(without_hub(&path))
    {
        return objects::answer(api, &row, connector, built_in).await;
    }
    must_be_on(&row)?;
    let request = read(method, path, request).await?;
    Ok(answer::of(api.calls.call_row(&row, request, &Bodies::new(&api.budget)).await))
}

fn must_be_on(row: &InstanceRow) -> Answer<()> {
    if row.enabled {
        return Ok(());
    }
    let message = "the instance is disabled, so its resources cannot be called; enable it first";
    Err(ApiError::new(StatusCode::FORBIDDEN, "instanceDisabled", message))
}

fn called_method(method: &Method) -> Method {
    if method == Method::HEAD { Method::GET } else { method.clone() }
}

/// The call that a request is.
async fn read(method: Method, path: String, request: Request) -> Answer<CallRequest> {
    let query = pairs(request.uri().query().unwrap_or_default());
    let headers = passed_on(request.headers());
    let body = body_of(request).await?;
    Ok(CallRequest { method: method.to_string(), path, query, headers, body })
}

fn passed_on(headers: &HeaderMap) -> Vec<(String, String)> {
    let theirs = headers.iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
    // A header that is no text has nothing that could be mapped.
    theirs.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}

async fn body_of(request: Request) -> Answer<CallBody> {
    let declared = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let declared =
        declared.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let bytes = bytes(request, BODY_BYTES_MAX).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(CallBody::Empty);
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let message =
            format!("the body is not UTF-8 at byte {}; send it in that encoding", error.valid_up_to());
        ApiError::bad("malformedJson", message)
    })?;
    match declared.as_deref() {
        Some("application/x-www-form-urlencoded") => Ok(CallBody::Form(pairs(text))),
        Some(kind) if kind == "application/json" || kind.ends_with("+json") => {
            Ok(CallBody::Json(text.to_owned()))
        }
        other => {
            let message = format!(
                "`{}` is not read here; send `Content-Type: application/json`",
                other.unwrap_or("a body without a type")
            );
            Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupportedMediaType", message))
        }
    }
}

/// So that a handler with a fixed path goes the way of all calls.
async fn through(api: &Api, caller: &Caller, request: Request) -> Response {
    call(api, caller, request).await.into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn a_call_is_read_without_what_is_between_us() {
        let request = Request::builder()
            .method("POST")
            .uri("/hubs/crm/a%2Fb?where=x%3D1&pageSize=2&where=y")
            .header("Authorization", "User canary")
            .header("Cookie", "canary")
            .header("X-Other", "1")
            .header("Content-Type", "application/json; charset=utf-8")
            .body(Body::from(r#"{"a": 1.50}"#))
            .unwrap();
        let path = request.uri().path().to_owned();
        let call = read(Method::POST, path, request).await.unwrap();
        assert_eq!((call.path.as_str(), call.parameter("where")), ("/hubs/crm/a%2Fb", Some("x=1")));
        assert_eq!(call.query.len(), 3);
        assert_eq!(call.body, CallBody::Json(r#"{"a": 1.50}"#.into()));
        assert!(!format!("{call:?}").contains("canary") && call.header("x-other") == Some("1"));
    }

    #[tokio::test]
    async fn bodies_are_what_they_say_they_are() {
        let of = async |kind: Option<&str>, text: &'static str| {
            let mut request = Request::builder().method("PUT").uri("/x");
            if let Some(kind) = kind {
                request = request.header("Content-Type", kind);
            }
            body_of(request.body(Body::from(text)).unwrap()).await
        };
        assert_eq!(of(None, "").await.unwrap(), CallBody::Empty);
        assert_eq!(of(Some("application/json"), " \n").await.unwrap(), CallBody::Empty);
        let form = of(Some("application/x-www-form-urlencoded"), "a=b+c").await.unwrap();
        assert_eq!(form, CallBody::Form(vec![("a".into(), "b c".into())]));
        for kind in [None, Some("text/plain"), Some("application/xml")] {
            assert_eq!(of(kind, "{}").await.unwrap_err().status, 415, "{kind:?}");
        }
    }
}
