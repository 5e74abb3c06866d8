//! Switching an instance on and off, and letting its pollers rest while it wants no events.
//!
//! Off means that nobody uses the account: no polls, and calls of its resources are refused. An instance without events
//! is on: its resources can be called, and pollers that it has rest where they stand.

use axum::Json;
use axum::extract::State;
use turnstone_store::InstanceRow;

use super::at::At;
use super::shape::{InstanceBody, shown};
use crate::api::Api;
use crate::api::error::Answer;

/// What the reason of a poller begins with that rests because its instance wants no events.
pub const EVENTS_OFF: &str = "events are off";

/// Switches an instance on.
#[utoipa::path(
    put,
    path = "/instances/{id}/enabled",
    tag = "instances",
    operation_id = "enableInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = InstanceBody)),
    extensions(("x-right" = json!("member")))
)]
pub async fn enable(State(api): State<Api>, at: At) -> Answer<Json<InstanceBody>> {
    switched(&api, &at.row, true).await
}

/// Switches an instance off.
///
/// It is not polled, and calls of its resources are refused with 403.
#[utoipa::path(
    delete,
    path = "/instances/{id}/enabled",
    tag = "instances",
    operation_id = "disableInstance",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = InstanceBody)),
    extensions(("x-right" = json!("member")))
)]
pub async fn disable(State(api): State<Api>, at: At) -> Answer<Json<InstanceBody>> {
    switched(&api, &at.row, false).await
}

async fn switched(api: &Api, row: &InstanceRow, enabled: bool) -> Answer<Json<InstanceBody>> {
    api.store.set_enabled(row.org, row.id, enabled).await?;
    (api.wake)();
    Ok(Json(shown(api, &api.store.instance(row.org, row.id).await?).await?))
}

/// Lets the pollers of an instance rest while it wants no events, and go on when it does. Subscriptions of monitors
/// have a switch of their own.
pub async fn follow_events(api: &Api, row: &InstanceRow, wanted: bool) -> Answer<()> {
    for poller in api.store.pollers(row.org, Some(row.id)).await? {
        if poller.subscription.is_some() {
            continue;
        }
        match &poller.paused {
            None if !wanted => {
                let reason = format!("{EVENTS_OFF}: set `event.notification.enabled` to true");
                api.store.pause(row.org, poller.id, &reason).await?;
            }
            Some(reason) if wanted && reason.starts_with(EVENTS_OFF) => {
                api.store.set_due(row.org, poller.id, api.now(), true).await?;
            }
            None | Some(_) => {}
        }
    }
    Ok(())
}
