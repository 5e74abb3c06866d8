//! Instances as the API shows them, in the field's members and without a secret.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use turnstone_core::check::Fault;
use turnstone_core::connector::Connector;
use turnstone_core::event::seconds;
use turnstone_core::id::OrgId;
use turnstone_engine::document::redact_document;
use turnstone_store::{ConnectionState, InstanceRow, UserRow};
use utoipa::ToSchema;

use super::document::wants_events;
use crate::api::Api;
use crate::api::error::{Answer, FaultBody};

/// What an answer adds to the document; a document that was read and is sent back is stored without it.
pub const ADDED: [&str; 17] = [
    "id",
    "token",
    "valid",
    "disabled",
    "connection",
    "elementId",
    "user",
    "provisionInteractions",
    "maxCacheSize",
    "cacheTimeToLive",
    "cachingEnabled",
    "traceLoggingEnabled",
    "eventsEnabled",
    "createdDate",
    "warnings",
    "repairs",
    "updatedDate",
];

/// A connected account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Instance)]
#[serde(rename_all = "camelCase")]
pub struct InstanceBody {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Free words about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its token, for the `Element` pair of the `Authorization` header. Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Whether its provider takes its credentials, as far as anybody knows.
    pub valid: bool,
    /// Whether it is switched off: it is not polled, and its resources cannot be called.
    pub disabled: bool,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The connector that it was made from.
    pub element: ElementOfInstance,
    /// The same connector's id; absent when the instance brings its own settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element_id: Option<i64>,
    /// Its own settings; what the connector gives is not repeated. Left out by `hydrate=false`.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Map<String, Value>>,
    /// Who made it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserOfInstance>,
    /// Always empty: nobody is asked anything while an instance is made.
    #[schema(value_type = Vec<Object>)]
    pub provision_interactions: Vec<Value>,
    /// Always 0: answers are not kept.
    pub max_cache_size: u32,
    /// Always 0: answers are not kept.
    pub cache_time_to_live: u32,
    /// Always false: answers are not kept.
    pub caching_enabled: bool,
    /// Whether it asks for events.
    pub events_enabled: bool,
    /// Always false: every run and every attempt is traced anyway.
    pub trace_logging_enabled: bool,
    /// `initial` where its first tokens were obtained elsewhere, else `none`.
    #[schema(example = "none")]
    pub external_authentication: String,
    /// When it was made.
    pub created_date: String,
    /// How it is connected to its provider.
    pub connection: ConnectionBody,
    /// What works less well than it could. Only in answers to a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<FaultBody>>,
    /// What was misspelt and is read as it was meant. Only in answers to a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repairs: Option<Vec<FaultBody>>,
}

/// The connector of an instance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElementOfInstance {
    /// Its id; absent when the instance brings its own settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Its key, as events name it.
    pub key: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
    /// The revision that the instance works with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}

impl ElementOfInstance {
    fn of(row: &InstanceRow, connector: Option<&Connector>) -> ElementOfInstance {
        ElementOfInstance {
            id: row.element.map(|(id, _)| id.0),
            key: row.element_key.clone(),
            name: connector.map(|connector| connector.name.clone()),
            hub: connector.and_then(|connector| connector.hub.clone()),
            revision: row.element.map(|(_, revision)| revision),
        }
    }
}

/// Who made an instance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserOfInstance {
    /// Their id.
    pub id: i64,
    /// Their address.
    pub email_address: String,
    /// Their name.
    pub first_name: String,
    /// Always empty: names are kept as they are written.
    pub last_name: String,
}

/// How an instance is connected.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionBody {
    /// `connected`, or `reconnect needed`: then nothing is sent to the provider until a person signs in anew.
    #[schema(example = "connected")]
    pub state: &'static str,
    /// Why it must be connected anew; empty while it is connected.
    pub reason: String,
}

/// What the instances of one answer share.
pub struct Shower<'a> {
    api: &'a Api,
    users: HashMap<i64, UserRow>,
}

impl<'a> Shower<'a> {
    /// Reads what is shared by all instances of an organisation.
    pub async fn new(api: &'a Api, org: OrgId) -> Answer<Shower<'a>> {
        let users = api.directory.users(org).await?;
        Ok(Shower { api, users: users.into_iter().map(|user| (user.id.0, user)).collect() })
    }

    /// One instance; `hydrate` false leaves its configuration out.
    pub async fn show(&self, row: &InstanceRow, hydrate: bool) -> Answer<InstanceBody> {
        // One that cannot be had is told by the runs; the rest of the instance is shown all the same.
        let connector = self.api.preparer.connector_of(row).await.ok().flatten();
        let connection = match row.element {
            Some(_) => self.api.directory.connection(row.org, row.id).await?,
            None => None,
        };
        let document: Value = serde_json::from_str(&row.document).unwrap_or(Value::Null);
        let shown = redact_document(&document);
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let state = connection.as_ref().map_or(ConnectionState::Connected, |connection| connection.state);
        let configuration = shown.get("configuration").and_then(Value::as_object).cloned();
        Ok(InstanceBody {
            id: row.id.0,
            name: row.name.clone(),
            description: text("description"),
            token: None,
            valid: state == ConnectionState::Connected,
            disabled: !row.enabled,
            tags: row.tags.clone(),
            element: ElementOfInstance::of(row, connector.as_deref()),
            element_id: row.element.map(|(id, _)| id.0),
            configuration: hydrate.then(|| configuration.unwrap_or_default()),
            user: self.user(&document),
            provision_interactions: Vec::new(),
            max_cache_size: 0,
            cache_time_to_live: 0,
            caching_enabled: false,
            events_enabled: wants_events(&document, connector.as_deref()),
            trace_logging_enabled: false,
            external_authentication: text("externalAuthentication").unwrap_or_else(|| "none".to_owned()),
            created_date: seconds(row.created_at),
            connection: ConnectionBody {
                state: state.as_str(),
                reason: connection.map(|connection| connection.reason).unwrap_or_default(),
            },
            warnings: None,
            repairs: None,
        })
    }

    fn user(&self, document: &Value) -> Option<UserOfInstance> {
        let id = document.get("user")?.get("id")?.as_i64()?;
        let user = self.users.get(&id);
        Some(UserOfInstance {
            id,
            email_address: user.map(|user| user.email.clone()).unwrap_or_default(),
            first_name: user.map(|user| user.name.clone()).unwrap_or_default(),
            last_name: String::new(),
        })
    }
}

/// One instance, shown.
pub async fn shown(api: &Api, row: &InstanceRow) -> Answer<InstanceBody> {
    Shower::new(api, row.org).await?.show(row, true).await
}

/// What is to say about a document, as an answer holds it.
pub fn findings(faults: &[Fault]) -> Option<Vec<FaultBody>> {
    Some(faults.iter().map(FaultBody::from).collect())
}

/// What a request for one instance is answered with, and what one that only plans.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum InstanceOrPlan {
    /// What there is now.
    Instance(Box<InstanceBody>),
    /// What there would be.
    Plan(super::plan::Plan),
}

/// The user of a new document.
pub fn made_by(user: &UserRow) -> Value {
    json!({"id": user.id.0})
}
