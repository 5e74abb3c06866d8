//! Telling a provider where to send its notifications, and taking that back: the connector's `onProvisionWebhook` and
//! `onDeleteWebhook`.
//!
//! Both are ordinary resources with their parameters and hooks. Our addresses stand in the body that they get, and fill
//! `{webhookCallbackUrl}`, `{elementWebhookCallbackUrl}` and `{encodedId}` wherever the connector writes them. What the
//! provider calls the subscription is kept as `event.notification.subscription.id`: a hook may set it, else it is the
//! `id` of the answer.
//!
//! Not here: what the addresses are (`intake`), when an instance has its provider told (the API).

use serde_json::{Value, json};
use turnstone_core::call::{CallBody, CallFault, Change};
use turnstone_core::connector::{Connector, ResourceKind};
use turnstone_store::InstanceRow;

use super::{Account, Connections};

/// The key under which the subscription's name is kept.
pub const SUBSCRIPTION_ID: &str = "event.notification.subscription.id";

/// Where an instance's provider sends its notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackAddresses {
    /// The instance's own address.
    pub own: String,
    /// The address that all instances of its connector share.
    pub common: String,
    /// The instance's number in base64, as the field's addresses end.
    pub encoded_id: String,
}

impl CallbackAddresses {
    fn values(&self) -> [(&'static str, &str); 3] {
        [
            ("webhookCallbackUrl", &self.own),
            ("elementWebhookCallbackUrl", &self.common),
            ("encodedId", &self.encoded_id),
        ]
    }
}

/// Whether a connector has its provider told where to send notifications.
pub fn provisions(connector: &Connector) -> bool {
    connector.resource_of(ResourceKind::OnProvisionWebhook).is_some()
}

impl Connections {
    /// Tells the provider where to send its notifications, and keeps what it calls the subscription. Answers that name.
    pub async fn provision_webhook(
        &self,
        row: &InstanceRow,
        addresses: &CallbackAddresses,
    ) -> Result<Option<String>, CallFault> {
        let mut account = self.account(row).await.map_err(|error| error.fault())?;
        let Some(step) = account.connector.resource_of(ResourceKind::OnProvisionWebhook) else {
            return Ok(None);
        };
        let answer = self.webhook_step(row, &mut account, step, addresses).await?;
        let mut changes = answer.configuration;
        changes.retain(|(key, _)| !addresses.values().iter().any(|(known, _)| known == key));
        let is_set =
            |changes: &[Change]| changes.iter().any(|(key, value)| key == SUBSCRIPTION_ID && value.is_some());
        if !is_set(&changes)
            && let Some(id) = answer.body.as_deref().and_then(id_of)
        {
            changes.push((SUBSCRIPTION_ID.to_owned(), Some(id)));
        }
        let id = changes.iter().find(|(key, _)| key == SUBSCRIPTION_ID).and_then(|(_, value)| value.clone());
        self.remember(row, changes).await.map_err(|error| error.fault())?;
        Ok(id)
    }

    /// Takes the subscription back, if there is one. One that the provider does not know any more is taken back.
    pub async fn remove_webhook(
        &self,
        row: &InstanceRow,
        addresses: &CallbackAddresses,
    ) -> Result<(), CallFault> {
        let mut account = self.account(row).await.map_err(|error| error.fault())?;
        if account.settings.filled(SUBSCRIPTION_ID).is_none() {
            return Ok(());
        }
        if let Some(step) = account.connector.resource_of(ResourceKind::OnDeleteWebhook) {
            match self.webhook_step(row, &mut account, step, addresses).await {
                Ok(_) => {}
                Err(fault) if matches!(fault.status, 404 | 410) => {}
                Err(fault) => return Err(fault),
            }
        }
        let forgotten = self.forget(row, &[SUBSCRIPTION_ID.to_owned()]).await;
        forgotten.map_err(|error| error.fault())
    }

    /// What the provider calls the subscription, as it is kept.
    pub async fn webhook_subscription(&self, row: &InstanceRow) -> Option<String> {
        let account = self.account(row).await.ok()?;
        account.settings.filled(SUBSCRIPTION_ID).map(str::to_owned)
    }

    async fn webhook_step(
        &self,
        row: &InstanceRow,
        account: &mut Account,
        step: usize,
        addresses: &CallbackAddresses,
    ) -> Result<turnstone_core::call::CallAnswer, CallFault> {
        for (name, value) in addresses.values() {
            account.settings.set(name, value);
        }
        let body: serde_json::Map<String, Value> =
            addresses.values().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let body = CallBody::Json(Value::Object(body).to_string());
        self.0.answer(row.org, row.id, &account.connector, &account.settings, step, body).await
    }
}

/// The `id` of an answer, or of its only member: `{"id": 7}`, `{"webhook": {"id": "x"}}`.
fn id_of(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let members = value.as_object()?;
    let own = members.get("id").and_then(text);
    let mut inner = members.values();
    own.or_else(|| match (inner.next(), inner.next()) {
        (Some(only), None) => only.get("id").and_then(text),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_subscription_stands_at_the_top_or_one_below() {
        for (body, id) in [
            (r#"{"id": 9007199254740993, "url": "x"}"#, Some("9007199254740993")),
            (r#"{"webhook": {"id": "w-1"}}"#, Some("w-1")),
            (r#"{"a": {"id": 1}, "b": {}}"#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(id_of(body).as_deref(), id, "{body}");
        }
    }
}
