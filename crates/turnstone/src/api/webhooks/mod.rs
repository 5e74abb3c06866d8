//! What people see and do of an instance's webhooks: its address, what came in, what was put aside and why, and running
//! it again.
//!
//! Not here: the routes that providers send to (`intake`), the events that came of it (`events`).

mod analytics;
mod requests;
mod samples;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use turnstone_core::connector::VendorType;
use turnstone_core::intake::Way;
use turnstone_engine::connections::CallbackAddresses;
use turnstone_engine::intake::{Address, new_address};
use turnstone_store::InstanceRow;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::told;
use super::error::{Answer, ApiError};
use super::instances::{At, both};
use super::{Api, BASE};

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    let router = OpenApiRouter::new()
        .merge(analytics::routes())
        .merge(samples::routes())
        .routes(routes!(requests::list_all));
    let router = both(router, routes!(read));
    let router = both(router, routes!(renew_address));
    let router = both(router, routes!(requests::list));
    let router = both(router, routes!(requests::read, requests::discard));
    let router = both(router, routes!(requests::replay));
    both(router, routes!(requests::replay_all))
}

/// How a provider's notifications reach an instance, and how that goes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// How changes reach us: `polling`, `webhooks` or `both`.
    #[schema(example = "both")]
    events: &'static str,
    /// The instance's own address, for the provider. Whoever knows it may send; none where only polls are made.
    url: Option<String>,
    /// The address that all instances of the connector share.
    element_url: Option<String>,
    /// How a notification shows that it is the provider's: `signature`, `basic`, `token`, or `none`.
    #[schema(example = "signature")]
    verification: &'static str,
    /// Whether the provider's questions are answered.
    answers_challenge: bool,
    /// How bodies are read: `json`, `form`, `query` or `text`.
    body: Option<&'static str>,
    /// What the provider calls our subscription, where the connector made one.
    subscription_id: Option<String>,
    /// Notifications whose hook has not run.
    waiting: u64,
    /// Notifications that were put aside: their hook failed.
    quarantined: u64,
    /// What was wrong with those that were refused, since the server began.
    refused: Option<Refused>,
}

/// Notifications that were refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// How many.
    count: u64,
    /// The last one.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What was wrong with it.
    reason: String,
}

/// How the provider's notifications reach an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/webhook",
    tag = "webhooks",
    operation_id = "readWebhook",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Webhook)),
    extensions(("x-right" = json!("member")))
)]
pub async fn read(State(api): State<Api>, at: At) -> Answer<Json<Webhook>> {
    shown(&api, &at.row).await.map(Json)
}

/// Gives an instance a new address; the one before is not known any more.
///
/// Where the connector made a subscription, the provider is told.
#[utoipa::path(
    post,
    path = "/instances/{id}/webhook/address",
    tag = "webhooks",
    operation_id = "renewWebhookAddress",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Webhook)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn renew_address(State(api): State<Api>, at: At) -> Answer<Response> {
    let row = at.row;
    if api.inbox.address(row.org, row.id).await?.is_none() {
        let message = "the instance takes no notifications; set `event.vendor.type` to `webhooks` or `both`";
        return Err(ApiError::conflict("notForWebhooks", message));
    }
    let connections = api.calls.connections();
    let was = addresses(&api, &row).await?;
    let (hash, sealed) = new_address(api.preparer.keys(), row.org, api.entropy.as_ref());
    api.inbox.replace_address(row.org, row.id, hash, &sealed, api.now()).await?;
    let provisioned = connections.webhook_subscription(&row).await.is_some();
    let mut notes = Vec::new();
    if provisioned && let Some(now) = addresses(&api, &row).await? {
        if let Some(was) = &was {
            notes.extend(connections.remove_webhook(&row, was).await.err().map(|fault| fault.message));
        }
        let told = connections.provision_webhook(&row, &now).await;
        told.map_err(|fault| ApiError::of_call(fault, "provisionFailed"))?;
    }
    let body = shown(&api, &row).await?;
    Ok(told(Json(body), json!({"instance": row.id, "notTakenBack": notes})))
}

/// The addresses of an instance, if its provider sends notifications.
pub async fn addresses(api: &Api, row: &InstanceRow) -> Answer<Option<CallbackAddresses>> {
    let Some(sealed) = api.inbox.address(row.org, row.id).await? else { return Ok(None) };
    let address = Address::open(&sealed, api.preparer.keys(), row.org).map_err(|error| ApiError {
        detail: Some(error.to_string()),
        ..ApiError::conflict("sealed", "the address does not open with this server's keys; renew it")
    })?;
    let common = format!("{}{BASE}/events/{}", api.public_url, escaped(&row.element_key));
    let encoded_id = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(row.id.to_string())
    };
    Ok(Some(CallbackAddresses { own: format!("{common}/{}", address.as_str()), common, encoded_id }))
}

/// A connector's key as a segment of a path.
fn escaped(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    key.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn shown(api: &Api, row: &InstanceRow) -> Answer<Webhook> {
    let prepared = api.preparer.prepare(row, api.now()).await;
    let prepared = prepared.map_err(|error| ApiError::conflict("badDocument", error.fault().message))?;
    let instance = &prepared.instance;
    let addresses = match &instance.webhook {
        Some(_) => addresses(api, row).await?,
        None => None,
    };
    let counts = api.inbox.request_counts(row.org, row.id).await?;
    let verification =
        instance.webhook.as_ref().and_then(|webhook| webhook.verification.as_ref()).map(|known| &known.way);
    let refused = api.intake.refusals(row.id);
    Ok(Webhook {
        events: match instance.events {
            VendorType::Polling => "polling",
            VendorType::Webhooks => "webhooks",
            VendorType::Both => "both",
        },
        url: addresses.as_ref().map(|addresses| addresses.own.clone()),
        element_url: addresses.map(|addresses| addresses.common),
        verification: match verification {
            None => "none",
            Some(Way::Signature(_)) => "signature",
            Some(Way::Basic) => "basic",
            Some(Way::Token(_)) => "token",
        },
        answers_challenge: instance.webhook.as_ref().is_some_and(|webhook| webhook.challenge.is_some()),
        body: instance.webhook.as_ref().map(|webhook| webhook.body.as_str()),
        subscription_id: api.calls.connections().webhook_subscription(row).await,
        waiting: counts.received,
        quarantined: counts.quarantined,
        refused: refused.map(|note| Refused { count: note.count, at: note.at, reason: note.reason }),
    })
}
