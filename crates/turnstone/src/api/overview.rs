//! One answer for the first screen: what there is, counted, and what needs somebody first. It is small, whatever an
//! organisation has.
//!
//! Not here: events over time, which have an answer of their own (`/instances/events/analytics`).

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use turnstone_store::{Health, PollerFilter};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::endpoints::{self, Endpoint, OpenDeliveries};
use super::error::Answer;
use super::pollers::{PollerOfAll, shown_all};

/// Failing pollers and endpoints that are shown.
const SHOWN: u32 = 10;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read))
}

/// What an organisation has, and how that is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Overview)]
pub struct OverviewBody {
    /// Its instances.
    instances: InstanceCounts,
    /// Its pollers, those of subscriptions included.
    pollers: PollerCounts,
    /// Its subscriptions.
    subscriptions: SubscriptionCounts,
    /// Its endpoints.
    endpoints: EndpointCounts,
    /// Deliveries that wait.
    deliveries: OpenDeliveries,
    /// Connectors that it keeps.
    connectors: u64,
    /// The pollers that fail, those that need a person first, at most ten.
    failing_pollers: Vec<PollerOfAll>,
    /// The endpoints that are off or where something waits, at most ten.
    failing_endpoints: Vec<Endpoint>,
    /// When this was counted.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// Instances, counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstanceCounts {
    /// All.
    total: u64,
    /// Those that are switched on.
    enabled: u64,
    /// Of these, those with a poller that fails.
    failing: u64,
}

/// Pollers, counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct PollerCounts {
    /// All.
    total: u64,
    /// Those that are well.
    ok: u64,
    /// Those that something is wrong with.
    failing: u64,
    /// Those that are paused.
    paused: u64,
    /// Those that have not polled yet.
    starting: u64,
}

/// Subscriptions, counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionCounts {
    /// All.
    total: u64,
    /// Those that run.
    active: u64,
}

/// Endpoints, counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointCounts {
    /// All.
    total: u64,
    /// Those that take notifications.
    active: u64,
    /// Those whose last retry failed.
    deactivated: u64,
    /// Those that are off.
    disabled: u64,
}

/// What there is, counted, and what needs somebody first.
#[utoipa::path(
    get,
    path = "/overview",
    tag = "instances",
    operation_id = "readOverview",
    responses((status = 200, body = OverviewBody)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, Caller { org, .. }: Caller) -> Answer<Json<OverviewBody>> {
    let since = api.now();
    let found = api.watch.overview(org).await?;
    let failing = PollerFilter {
        health: vec![Health::NeedsAttention, Health::Failing],
        limit: SHOWN,
        ..PollerFilter::default()
    };
    let (pollers, _) = api.watch.poller_page(org, &failing).await?;
    let polled = [found.pollers_ok, found.pollers_failing, found.pollers_paused, found.pollers_starting];
    let told = [found.endpoints_active, found.endpoints_deactivated, found.endpoints_disabled];
    Ok(Json(OverviewBody {
        instances: InstanceCounts {
            total: found.instances,
            enabled: found.instances_enabled,
            failing: found.instances_failing,
        },
        pollers: PollerCounts {
            total: polled.iter().sum(),
            ok: found.pollers_ok,
            failing: found.pollers_failing,
            paused: found.pollers_paused,
            starting: found.pollers_starting,
        },
        subscriptions: SubscriptionCounts { total: found.subscriptions, active: found.subscriptions_active },
        endpoints: EndpointCounts {
            total: told.iter().sum(),
            active: found.endpoints_active,
            deactivated: found.endpoints_deactivated,
            disabled: found.endpoints_disabled,
        },
        deliveries: found.open.into(),
        connectors: found.connectors,
        failing_pollers: shown_all(&api, org, &pollers).await?,
        failing_endpoints: endpoints::failing(&api, org, SHOWN).await?,
        since,
    }))
}
