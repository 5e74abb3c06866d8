//! The event hook of a connector: from a request to what it says happened.
//!
//! Behind a trait, because the simulator has no processes to run JavaScript in.
//!
//! Not here: what becomes of what a hook reports (`settling`), the contract (the core's `hook`).

use async_trait::async_trait;
use serde_json::value::RawValue;
use turnstone_core::connector::Hook;
use turnstone_core::hook::{HookCall, HookEvent, HookFault, HookInputs, HookKind, HookLimits, InputName};
use turnstone_core::intake::{BodyFormat, Quarantine};
use turnstone_store::WaitingRequest;

use crate::calls::Calls;
use crate::clock::{Clock, Entropy};
use crate::connections::{Account, ConnectionError};
use crate::prepare::PrepareError;

/// Says what a request reports.
#[async_trait]
pub trait EventHooks: Send + Sync {
    /// The events of a request whose body is read like this, in the order of the report.
    async fn events(&self, waiting: &WaitingRequest, format: BodyFormat) -> Result<Vec<HookEvent>, Failure>;
}

/// Runs the event hooks of stored connectors.
pub struct ConnectorHooks {
    /// Runs hooks, and knows what an instance's hooks read.
    pub calls: Calls,
    /// The time that a hook is told.
    pub clock: std::sync::Arc<dyn Clock>,
    /// Where its chance begins.
    pub entropy: std::sync::Arc<dyn Entropy>,
}

#[async_trait]
impl EventHooks for ConnectorHooks {
    async fn events(&self, waiting: &WaitingRequest, format: BodyFormat) -> Result<Vec<HookEvent>, Failure> {
        let row = &waiting.row;
        let account = self.calls.connections().account(&waiting.instance).await?;
        let hook = account.connector.hooks.iter().find(|hook| hook.kind == HookKind::Event);
        let Some(hook) = hook else {
            let reason = "the connector has no event hook; give it one, then run this request again";
            return Err(Failure::aside("noHook", reason));
        };
        let events = waiting.request.hook_events(format, &row.id.to_string());
        let events = events.map_err(|error| Failure::aside("badBody", error.to_string()))?;
        let call = self.call(hook, events, &account)?;
        let Some(pool) = self.calls.hooks() else {
            let why = "hooks are switched off in this process".to_owned();
            return Err(Failure::Hook(HookFault::NoWorker { why }));
        };
        let reply = pool.run(row.org, &call).await;
        for line in &reply.log {
            tracing::debug!(org = %row.org, request = %row.id, "an event hook says: {line}");
        }
        Ok(reply.result?.events)
    }
}

impl ConnectorHooks {
    fn call(&self, hook: &Hook, events: String, account: &Account) -> Result<HookCall, Failure> {
        let raw = |text: String| {
            let wrong = |error: serde_json::Error| Failure::aside("badBody", error.to_string());
            RawValue::from_string(text).map_err(wrong)
        };
        let configuration: serde_json::Map<String, serde_json::Value> =
            account.settings.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        let configuration = serde_json::Value::Object(configuration).to_string();
        let inputs = HookInputs::new()
            .with(InputName::Events, raw(events)?)
            .with(InputName::Configuration, raw(configuration)?);
        Ok(HookCall {
            kind: HookKind::Event,
            body: hook.body.clone(),
            is_legacy: hook.legacy,
            inputs,
            limits: HookLimits::default(),
            now: self.clock.now(),
            seed: self.entropy.next_u64(),
        })
    }
}

/// Why a hook brought nothing.
pub enum Failure {
    /// Somebody has to look.
    Aside(Quarantine),
    /// It may work later.
    Passing(String),
    /// The hook's.
    Hook(HookFault),
}

impl Failure {
    /// Put aside, with a code and a sentence.
    pub fn aside(code: &str, reason: impl Into<String>) -> Failure {
        Failure::Aside(Quarantine { code: code.to_owned(), reason: reason.into(), line: None })
    }
}

impl From<HookFault> for Failure {
    fn from(fault: HookFault) -> Failure {
        Failure::Hook(fault)
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Failure {
        let fault = error.fault();
        match fault.transient {
            true => Failure::Passing(fault.message),
            false => Failure::aside(&fault.code, fault.message),
        }
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Failure {
        match error {
            ConnectionError::Prepare(error) => error.into(),
            ConnectionError::NoConnector(_) => Failure::aside("noHook", error.to_string()),
            ConnectionError::Store(_) | ConnectionError::Busy(_) => Failure::Passing(error.to_string()),
            ConnectionError::Sealed(_) => Failure::aside("sealed", error.to_string()),
        }
    }
}
