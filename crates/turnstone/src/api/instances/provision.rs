//! Has the provider told where to send its notifications, when an instance is made or begins to take them, and takes
//! that back when it ends.
//!
//! Not here: how a provider is told (the engine's `connections`), the addresses themselves (`webhooks`).

use turnstone_core::instance::Instance;
use turnstone_engine::connections::provisions;
use turnstone_store::InstanceRow;

use super::element::Chosen;
use crate::api::error::{Answer, ApiError};
use crate::api::{Api, webhooks};

/// Whether an instance has its provider told.
pub fn is_provisioned(instance: &Instance, chosen: Option<&Chosen>) -> bool {
    instance.enabled
        && instance.webhook.is_some()
        && chosen.is_some_and(|chosen| provisions(&chosen.connector))
}

/// Tells the provider. The instance must have its address.
pub async fn tell(api: &Api, row: &InstanceRow) -> Answer<()> {
    let Some(addresses) = webhooks::addresses(api, row).await? else { return Ok(()) };
    let told = api.calls.connections().provision_webhook(row, &addresses).await;
    told.map(|_| ()).map_err(|fault| ApiError::of_call(fault, "provisionFailed"))
}

/// Tells the provider of an instance that was changed. The change stands whatever comes of it; sent again, the provider
/// is told again.
pub async fn tell_changed(api: &Api, row: &InstanceRow) -> Answer<()> {
    tell(api, row).await.map_err(|error| {
        let message = format!(
            "the change is stored, but the provider did not accept our address; send it again to try again ({})",
            error.message
        );
        ApiError { message, ..error }
    })
}

/// Takes it back where the provider was told and is not to be any more. Answers whether it was.
pub async fn end_unless(wanted: bool, api: &Api, row: &InstanceRow) -> bool {
    let was_told = api.calls.connections().webhook_subscription(row).await.is_some();
    if was_told && !wanted {
        for words in take_back(api, row).await {
            tracing::warn!(instance = %row.id, "taking back a subscription did not work: {words}");
        }
    }
    was_told
}

/// Takes it back. What did not work is told, and holds nothing up.
pub async fn take_back(api: &Api, row: &InstanceRow) -> Vec<String> {
    let addresses = match webhooks::addresses(api, row).await {
        Ok(Some(addresses)) => addresses,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![error.message],
    };
    let removed = api.calls.connections().remove_webhook(row, &addresses).await;
    removed.err().map(|fault| fault.message).into_iter().collect()
}
