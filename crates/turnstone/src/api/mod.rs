//! The HTTP API: the field's paths and shapes, with what the field lacks (pollers, runs, explain) in the same style.
//!
//! One file per noun, each with its `routes`. Handlers translate between HTTP and the store's verbs and decide nothing
//! about polling or retries; who may call them is declared with them and decided before them (`access`). Every answer
//! carries a request id; every error has the same shape, whoever found it.
//!
//! Not here: timeouts of connections (`server`), the pages (`crate::console`).

pub mod access;
mod body;
mod calls;
mod clause;
mod date_formats;
mod deliveries;
mod elements;
mod endpoints;
mod error;
mod events;
mod health;
mod hooks;
mod instances;
mod intake;
pub mod markup;
pub mod monitors;
mod oauth;
mod openapi;
mod overview;
pub mod people;
mod pollers;
mod records;
mod retention;
mod runs;
pub mod server;
mod suggest;
mod webhooks;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use tokio::sync::{Mutex, Notify, Semaphore, SemaphorePermit};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use turnstone_engine::calls::Calls;
use turnstone_engine::clock::Entropy;
use turnstone_engine::deliverer::Vault;
use turnstone_engine::driver::Tools;
use turnstone_engine::egress::{BodyBudget, Guard};
use turnstone_engine::flows::Flows;
use turnstone_engine::intake::Intake;
use turnstone_engine::keeper::KeeperSettings;
use turnstone_engine::prepare::Preparer;
use turnstone_engine::stop::Stop;
use turnstone_store::{Directory, Monitors, Store, Watch};
use utoipa_axum::router::OpenApiRouter;

use self::access::{Rights, session};
use self::error::ApiError;
use self::instances::remembered::UnderWay;
use crate::console::Console;

/// Base of every path.
pub const BASE: &str = "/elements/api-v2";
/// Time for a whole request, a rehearsal against a slow provider included.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
/// Answers of at least so many bytes are packed for clients that take it.
const PACKED_FROM: u16 = 1_024;
/// Rehearsals at once: each one asks a provider and holds pages in memory.
const REHEARSALS_AT_ONCE: usize = 2;

/// What the handlers work with.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// People and connectors, in the same database.
    pub directory: Arc<dyn Directory>,
    /// Checks and opens documents.
    pub preparer: Arc<Preparer>,
    /// Keeps the secrets of endpoints.
    pub vault: Vault,
    /// Judges the addresses of new documents.
    pub guard: Guard,
    /// For rehearsals.
    pub tools: Tools,
    /// For those of instances that poll through their connector.
    pub calls: Calls,
    /// Memory of rehearsals' answers.
    pub budget: BodyBudget,
    /// Chance, for tokens, ids and jitter.
    pub entropy: Arc<dyn Entropy>,
    /// Tells the scheduler and the deliverer that there may be something to do.
    pub wake: Box<dyn Fn() + Send + Sync>,
    /// The figures of `/metrics`.
    pub metrics: PrometheusHandle,
    /// What providers sent.
    pub inbox: Arc<dyn turnstone_store::Intake>,
    /// Takes it in.
    pub intake: Intake,
    /// Monitors and subscriptions, in the same database.
    pub monitors: Arc<dyn Monitors>,
    /// Runs them; here only without writing.
    pub flows: Flows,
    /// What screens look at, in the same database.
    pub watch: Arc<dyn Watch>,
    /// Tells whoever waits that events were recorded. It carries no data: the log is looked at.
    pub recorded: Arc<Notify>,
    /// How long things are kept.
    pub kept: KeeperSettings,
    /// Asked when the server stops; rehearsals and streams look at it.
    pub stop: Stop,
    /// The beginning of our addresses as others reach us, without a slash at its end.
    pub public_url: String,
    /// The pages for people.
    pub console: Console,
}

/// The API's state. Clones share it.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

/// See [`Parts`].
pub struct Inner {
    parts: Parts,
    rehearsals: Semaphore,
    /// One change of a connector at a time: each is made on the newest revision, and waiting is better than trying
    /// again.
    element_changes: Mutex<()>,
    under_way: UnderWay,
    inbound_room: intake::Room,
    streams: events::live::Room,
    rights: Rights,
    /// The OpenAPI document, as it is served.
    document: String,
}

impl Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl Api {
    /// An API over these parts.
    pub fn new(parts: Parts) -> Api {
        let (_, document) = described();
        let rights = Rights::of_document(&document);
        let document = as_text(&document);
        Api(Arc::new(Inner {
            parts,
            rehearsals: Semaphore::new(REHEARSALS_AT_ONCE),
            element_changes: Mutex::new(()),
            under_way: UnderWay::default(),
            inbound_room: intake::Room::default(),
            streams: events::live::Room::default(),
            rights,
            document,
        }))
    }

    fn element_changes(&self) -> &Mutex<()> {
        &self.0.element_changes
    }

    /// A place among the rehearsals, for as long as it is held; 429 when all are taken.
    fn rehearsal(&self) -> error::Answer<SemaphorePermit<'_>> {
        self.0.rehearsals.try_acquire().map_err(|_| {
            let message = "other rehearsals are under way; try again in a moment";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "busy", message)
        })
    }

    fn under_way(&self) -> &UnderWay {
        &self.0.under_way
    }

    fn inbound_room(&self) -> &intake::Room {
        &self.0.inbound_room
    }

    fn streams(&self) -> &events::live::Room {
        &self.0.streams
    }

    fn rights(&self) -> &Rights {
        &self.0.rights
    }

    fn now(&self) -> jiff::Timestamp {
        self.tools.clock.now()
    }
}

/// A secret of 256 bits in base64, as the field's look.
pub fn secret(entropy: &dyn Entropy) -> String {
    use base64::Engine as _;
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&entropy.next_u64().to_be_bytes());
    }
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// A secret of an organisation: 32 hex digits, as the field's.
pub fn organization_secret(entropy: &dyn Entropy) -> String {
    format!("{:016x}{:016x}", entropy.next_u64(), entropy.next_u64())
}

/// The routes that the document describes, and the document.
fn described() -> (Router<Api>, utoipa::openapi::OpenApi) {
    let routes = OpenApiRouter::new()
        .merge(elements::routes())
        .merge(date_formats::routes())
        .merge(instances::routes())
        .merge(oauth::routes())
        .merge(suggest::routes())
        .merge(hooks::routes())
        .merge(calls::routes())
        .merge(pollers::routes())
        .merge(runs::routes())
        .merge(monitors::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(intake::routes())
        .merge(deliveries::routes())
        .merge(endpoints::routes())
        .merge(overview::routes())
        .merge(records::routes())
        .merge(retention::routes())
        .merge(people::routes())
        .merge(session::routes());
    let all = OpenApiRouter::with_openapi(openapi::head()).nest(BASE, routes).merge(health::routes());
    let (router, mut document) = all.split_for_parts();
    openapi::complete(&mut document);
    (router, document)
}

/// A document as it is served and committed.
fn as_text(document: &utoipa::openapi::OpenApi) -> String {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    order_extensions(&mut document);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The framework keeps extensions in no order, and the document must be the same every time.
fn order_extensions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<String> =
                members.keys().filter(|name| name.starts_with("x-")).cloned().collect();
            names.sort();
            for name in names {
                if let Some(extension) = members.shift_remove(&name) {
                    members.insert(name, extension);
                }
            }
            members.values_mut().for_each(order_extensions);
        }
        Value::Array(items) => items.iter_mut().for_each(order_extensions),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is answered when something of the field's is gone: 200 with `{}`, and not 204.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Gone {}

/// All routes.
pub fn router(api: Api) -> Router {
    let (routes, _) = described();
    let guarded = routes.route_layer(middleware::from_fn_with_state(api.clone(), access::guard));
    Router::new()
        .route("/openapi.json", get(served_document))
        .route("/sign-in", get(session::page).post(session::enter))
        .merge(guarded)
        .fallback(elsewhere)
        .method_not_allowed_fallback(calls::wrong_method)
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(PACKED_FROM).and(NotForContentType::SSE)))
        .layer(middleware::from_fn_with_state(api.clone(), finish))
        .with_state(api)
}

/// What no route takes: a page or a file of the console, a call of a connector's resource, or nothing.
async fn elsewhere(State(api): State<Api>, request: Request) -> Response {
    let path = request.uri().path();
    if !path.starts_with(BASE)
        && let Some(response) = api.console.answer(request.method(), path, request.headers())
    {
        return response;
    }
    calls::no_route(State(api), request).await.into_response()
}

async fn served_document(State(api): State<Api>) -> Response {
    ([(CONTENT_TYPE, "application/json")], api.0.document.clone()).into_response()
}

/// The id that a request has already, given to it while it was answered.
#[derive(Clone, Debug)]
pub struct KnownAs(pub String);

/// Headers that a browser may show to a page of another site; the list is the field's.
const EXPOSED: &str = "Elements-Returned-Count, Elements-Total-Count, Elements-Request-Id, Elements-Next-Page-Token, \
                       Elements-Trace-Id, Elements-Error, Content-Disposition";

/// The outermost layer: a request id, a time limit, errors in one shape, and a line in the log.
async fn finish(State(api): State<Api>, request: Request, next: Next) -> Response {
    let request_id = format!("{:016x}{:08x}", api.entropy.next_u64(), api.entropy.next_u64() as u32);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = api.tools.clock.monotonic();
    let mut response = match tokio::time::timeout(REQUEST_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("the request took longer than {} s", REQUEST_TIME_MAX.as_secs());
            ApiError::new(StatusCode::GATEWAY_TIMEOUT, "tookTooLong", message).into_response()
        }
    };
    let request_id = response.extensions_mut().remove::<KnownAs>().map_or(request_id, |known| known.0);
    let mut response = shaped(response, &request_id);
    guard_headers(&mut response);
    let took = api.tools.clock.monotonic().saturating_sub(started);
    let (status, duration_ms) = (response.status().as_u16(), took.as_millis() as u64);
    tracing::info!(%method, path, status, duration_ms, request_id, "request");
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("Elements-Request-Id", value);
        response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response
}

/// What holds for every answer: it is nobody else's to keep or to guess the type of, and a 401 says what it wants.
fn guard_headers(response: &mut Response) {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("User"));
    }
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Gives errors their body: ours, and those of the framework, which have none or a bare text. Pages stay pages.
fn shaped(mut response: Response, request_id: &str) -> Response {
    let status = response.status();
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None if (status.is_client_error() || status.is_server_error()) && !is_page(&response) => {
            let reason = status.canonical_reason().unwrap_or("the request failed").to_ascii_lowercase();
            let code = if status == StatusCode::BAD_REQUEST { "badRequest" } else { "refused" };
            ApiError::new(status, code, reason)
        }
        None => return response,
    };
    if let Some(detail) = &error.detail {
        tracing::error!(code = error.code, detail, request_id, "a request failed");
    }
    let body = serde_json::to_string(&error.body(request_id)).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

fn is_page(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let (_, document) = described();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(file, as_text(&document)).unwrap();
        }
        let committed = std::fs::read_to_string(file).unwrap();
        assert!(committed == as_text(&document), "docs/openapi.json is old; `make openapi` writes it anew");
    }

    #[test]
    fn every_operation_has_a_right_and_stands_in_the_manual() {
        let (_, document) = described();
        let rights = Rights::of_document(&document);
        let manual = include_str!("../../../../docs/api.md");
        let mut ids = std::collections::HashSet::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in access::operations(item) {
                let known = rights.of(&method, path);
                assert!(known.is_some(), "{method} {path} has no `x-right`");
                assert!(operation.summary.is_some(), "{method} {path} has no summary");
                let id = operation.operation_id.clone().unwrap();
                assert!(ids.insert(id.clone()), "{id} is the id of two operations");
            }
            let short = path.strip_prefix(BASE).unwrap_or(path);
            assert!(manual.contains(&format!("{short}`")), "`{short}` is missing in docs/api.md");
        }
        assert!(ids.len() > 25, "{} operations", ids.len());
    }
}
