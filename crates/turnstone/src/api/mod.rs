//! The HTTP API: the field's paths and shapes, with what the field lacks (pollers, runs, explain) in the same style.
//!
//! One file per noun. Handlers translate between HTTP and the store's verbs and decide nothing about polling or
//! retries. Every answer carries a request id; every error has the same shape, whoever found it.
//!
//! Not here: timeouts of connections (`server`), the console, connectors and hub calls.

pub mod auth;
mod body;
mod clause;
mod deliveries;
mod error;
mod events;
mod health;
mod instances;
mod markup;
mod pollers;
mod runs;
pub mod server;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use turnstone_engine::calls::Calls;
use turnstone_engine::clock::Entropy;
use turnstone_engine::deliverer::Vault;
use turnstone_engine::driver::Tools;
use turnstone_engine::egress::{BodyBudget, Guard};
use turnstone_engine::prepare::Preparer;
use turnstone_store::Store;

use self::error::ApiError;

/// Base of every path.
pub const BASE: &str = "/elements/api-v2";
/// Time for a whole request, a rehearsal against a slow provider included.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
/// Rehearsals at once: each one asks a provider and holds pages in memory.
const REHEARSALS_AT_ONCE: usize = 2;

/// What the handlers work with.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
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
}

/// The API's state. Clones share it.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

/// See [`Parts`].
pub struct Inner {
    parts: Parts,
    rehearsals: Semaphore,
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
        Api(Arc::new(Inner { parts, rehearsals: Semaphore::new(REHEARSALS_AT_ONCE) }))
    }

    fn rehearsals(&self) -> &Semaphore {
        &self.0.rehearsals
    }

    fn now(&self) -> jiff::Timestamp {
        self.tools.clock.now()
    }
}

/// All routes.
pub fn router(api: Api) -> Router {
    let routes = Router::new()
        .route("/instances", get(instances::list).post(instances::create))
        .route("/instances/events", get(events::list_all))
        .route("/instances/events/{event}", get(events::one_of_all))
        .route(
            "/instances/{id}",
            get(instances::read).put(instances::replace).patch(instances::merge).delete(instances::remove),
        )
        .route("/instances/{id}/enabled", put(instances::enable).delete(instances::disable))
        .route("/instances/{id}/pollers", get(pollers::list))
        .route("/instances/{id}/pollers/{resource}", get(pollers::read))
        .route("/instances/{id}/pollers/{resource}/run", post(pollers::run))
        .route("/instances/{id}/pollers/{resource}/paused", put(pollers::pause).delete(pollers::resume))
        .route("/instances/{id}/pollers/{resource}/runs", get(pollers::runs))
        .route("/instances/{id}/pollers/{resource}/explain", get(pollers::explain))
        .route("/instances/{id}/pollers/{resource}/confirm-deletes", post(pollers::confirm_deletes))
        .route("/instances/{id}/events", get(events::list))
        .route("/instances/{id}/events/{event}", get(events::one))
        .route("/instances/{id}/deliveries", get(deliveries::list))
        .route("/runs/{id}", get(runs::read))
        .route("/events", get(events::feed))
        .route("/deliveries/{id}", get(deliveries::read))
        .route("/deliveries/{id}/redeliver", post(deliveries::redeliver))
        .route("/notifications/subscriptions/deliveries", get(deliveries::search).put(deliveries::release));
    let guarded = Router::new()
        .nest(BASE, routes)
        .route("/metrics", get(health::metrics))
        .route_layer(middleware::from_fn_with_state(api.clone(), auth::require));
    Router::new()
        .route("/health", get(health::ready))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .merge(guarded)
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), finish))
        .with_state(api)
}

async fn no_route() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "noSuchRoute",
        format!("there is no such path; the API begins at {BASE}"),
    )
}

async fn wrong_method(request: Request) -> ApiError {
    let message = format!("{} is not possible here", request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "methodNotAllowed", message)
}

/// The outermost layer: a request id, a time limit, errors in one shape, and a line in the log.
async fn finish(State(api): State<Api>, request: Request, next: Next) -> Response {
    let request_id = format!("{:016x}{:08x}", api.entropy.next_u64(), api.entropy.next_u64() as u32);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = api.tools.clock.monotonic();
    let response = match tokio::time::timeout(REQUEST_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("the request took longer than {} s", REQUEST_TIME_MAX.as_secs());
            ApiError::new(StatusCode::GATEWAY_TIMEOUT, "tookTooLong", message).into_response()
        }
    };
    let mut response = shaped(response, &request_id);
    let took = api.tools.clock.monotonic().saturating_sub(started);
    let (status, duration_ms) = (response.status().as_u16(), took.as_millis() as u64);
    tracing::info!(%method, path, status, duration_ms, request_id, "request");
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("Elements-Request-Id", value);
    }
    response
}

/// Gives errors their body: ours, and those of the framework, which have none or a bare text.
fn shaped(mut response: Response, request_id: &str) -> Response {
    let status = response.status();
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None if status.is_client_error() || status.is_server_error() => {
            let reason = status.canonical_reason().unwrap_or("the request failed").to_ascii_lowercase();
            let code = if status == StatusCode::BAD_REQUEST { "badRequest" } else { "refused" };
            ApiError::new(status, code, reason)
        }
        None => return response,
    };
    if let Some(detail) = &error.detail {
        tracing::error!(code = error.code, detail, request_id, "a request failed");
    }
    let body = error.body(request_id).to_string();
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_route_stands_in_the_manual() {
        let manual = include_str!("../../../../docs/api.md");
        let routes = include_str!("mod.rs").split(".route(").skip(1);
        let mut count = 0;
        for route in routes {
            let path = route.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            let Some(path) = path.filter(|path| path.starts_with('/')) else { continue };
            assert!(manual.contains(&format!("{path}`")), "`{path}` is missing in docs/api.md");
            count += 1;
        }
        assert!(count > 20, "{count} routes");
    }
}
