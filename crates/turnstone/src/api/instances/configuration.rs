//! The configuration of an instance entry by entry, as the field lists it: every entry of its connector with the value
//! that counts, and whatever else the instance has set.
//!
//! Numbers of entries are those of the connector. A key that the connector has no entry for gets a number that is made
//! from its name, far above the others, so that it can be addressed as well.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value, json};
use turnstone_core::connector::{Connector, EntryKind, Ids, SECRET_MASK, Settings, keys};
use turnstone_engine::document::redact_document;
use turnstone_store::InstanceRow;
use utoipa::ToSchema;

use super::at::At;
use super::document::{configuration, stored_document};
use super::{change, element};
use crate::api::Api;
use crate::api::body::Body;
use crate::api::error::{Answer, ApiError};

/// Where numbers of keys begin that no connector has an entry for.
const MADE_FROM_NAMES: i64 = 1 << 40;

/// One setting of an instance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its number.
    id: i64,
    /// Its key.
    key: String,
    /// Its name for people.
    name: String,
    /// The value that counts, always as text: the instance's own, else the connector's. A secret reads `********`.
    property_value: String,
    /// How it is entered.
    #[serde(rename = "type")]
    #[schema(example = "TEXTFIELD_1000")]
    kind: String,
    /// Whether the connector calls it required.
    required: bool,
    /// Whether its value never leaves.
    secret: bool,
    /// Whether the instance has set it itself.
    own: bool,
}

/// The configuration of an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/configuration",
    tag = "instances",
    operation_id = "listInstanceConfiguration",
    params(
        ("id" = i64, Path, description = "The instance.")
    ),
    responses((status = 200, body = Vec<Entry>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, at: At) -> Answer<Json<Vec<Entry>>> {
    Ok(Json(entries(&api, &at.row).await?))
}

/// One setting of an instance.
#[utoipa::path(
    get,
    path = "/instances/{id}/configuration/{entry}",
    tag = "instances",
    operation_id = "readInstanceConfiguration",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("entry" = String, Path, description = "The entry's number, or its key.")
    ),
    responses((status = 200, body = Entry)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, at: At) -> Answer<Json<Entry>> {
    Ok(Json(entry(&api, &at.row, at.part("entry")).await?))
}

/// Changes one setting of an instance.
///
/// The body is the entry with a new `propertyValue`. A secret that is sent as it was shown stays as it is.
#[utoipa::path(
    patch,
    path = "/instances/{id}/configuration/{entry}",
    tag = "instances",
    operation_id = "changeInstanceConfiguration",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("entry" = String, Path, description = "The entry's number, or its key.")
    ),
    request_body = Value,
    responses((status = 200, body = Entry)),
    extensions(("x-right" = json!("member")))
)]
pub async fn merge(State(api): State<Api>, at: At, Body(body): Body) -> Answer<Json<Entry>> {
    let named = at.part("entry").to_owned();
    let key = match entry(&api, &at.row, &named).await {
        Ok(entry) => {
            let unchanged = body["propertyValue"].as_str() == Some(SECRET_MASK);
            if unchanged && entry.property_value == SECRET_MASK {
                return Ok(Json(entry));
            }
            entry.key
        }
        // What the platform gives a meaning may be set though nobody has set it yet.
        Err(_) if keys::is_reserved(&named) || named == "http.headers" => named,
        Err(error) => return Err(error),
    };
    let Some(value) = body.get("propertyValue") else {
        let message = "`propertyValue` is missing; send the entry with its new value";
        return Err(ApiError::bad("badDocument", message));
    };
    let patch = json!({"configuration": {key.clone(): value}});
    let row = change::merge_members(&api, &at.caller, at.row, patch).await?;
    Ok(Json(match entry(&api, &row, &key).await {
        Ok(entry) => entry,
        // It was taken out, and the connector has none of it.
        Err(_) => of_key(&key, String::new(), None, false),
    }))
}

/// One entry, by its number or its key.
async fn entry(api: &Api, row: &InstanceRow, named: &str) -> Answer<Entry> {
    let number = named.parse::<i64>().ok();
    let found = entries(api, row).await?;
    let found = found.into_iter().find(|entry| Some(entry.id) == number || entry.key == named);
    found.ok_or_else(|| ApiError::not_found("configuration entry"))
}

async fn entries(api: &Api, row: &InstanceRow) -> Answer<Vec<Entry>> {
    let chosen = element::of_row(api, row).await?;
    let document = redact_document(&stored_document(row)?);
    let empty = Map::new();
    let own = configuration(&document).unwrap_or(&empty);
    let mut found = match &chosen {
        Some(chosen) => {
            let numbers = numbers(api, row, &chosen.connector).await?;
            let all = chosen.connector.configuration.iter().zip(numbers);
            all.map(|(entry, id)| of_entry(&chosen.connector, entry, id, own)).collect()
        }
        None => Vec::new(),
    };
    let others = own.iter().filter(|(key, _)| found.iter().all(|entry: &Entry| entry.key != **key));
    let others: Vec<Entry> = others
        .map(|(key, value)| {
            let connector = chosen.as_ref().map(|chosen| &chosen.connector);
            of_key(key, as_text(value), connector, true)
        })
        .collect();
    found.extend(others);
    Ok(found)
}

/// The numbers of a connector's entries: those of its present revision, found by their keys.
async fn numbers(api: &Api, row: &InstanceRow, connector: &Connector) -> Answer<Vec<i64>> {
    let Some((id, _)) = row.element else { return Ok(Vec::new()) };
    let element = api.directory.element(row.org, id).await?;
    let ids: Ids = serde_json::from_str(&element.ids).unwrap_or_default();
    let current = element::Chosen::current(api, &element).await.ok();
    let keys = current.iter().flat_map(|current| &current.connector.configuration).map(|entry| &entry.key);
    let known: Vec<(&String, i64)> = keys.zip(ids.configuration.iter().copied()).collect();
    let number = |key: &String| {
        known.iter().find(|(known, _)| *known == key).map_or_else(|| made_from(key), |(_, id)| *id)
    };
    Ok(connector.configuration.iter().map(|entry| number(&entry.key)).collect())
}

fn of_entry(
    connector: &Connector,
    entry: &turnstone_core::connector::ConfigurationEntry,
    id: i64,
    own: &Map<String, Value>,
) -> Entry {
    let set = own.get(&entry.key).map(as_text).filter(|text| !text.is_empty());
    let value = set.clone().or_else(|| entry.default.clone()).unwrap_or_default();
    Entry {
        id,
        key: entry.key.clone(),
        name: entry.name.clone(),
        property_value: connector.shown_value(&entry.key, &value).to_owned(),
        kind: word(entry.kind),
        required: entry.required,
        secret: entry.secret,
        own: set.is_some(),
    }
}

fn of_key(key: &str, value: String, connector: Option<&Arc<Connector>>, own: bool) -> Entry {
    let secret = value == SECRET_MASK
        || connector.map_or_else(|| keys::is_secret(key), |connector| connector.shown_value(key, "x") != "x");
    Entry {
        id: made_from(key),
        key: key.to_owned(),
        name: key.to_owned(),
        property_value: if secret && !value.is_empty() { SECRET_MASK.to_owned() } else { value },
        kind: if secret { "PASSWORD" } else { "TEXTAREA" }.to_owned(),
        required: false,
        secret,
        own,
    }
}

/// A value as the text that the field keeps.
fn as_text(value: &Value) -> String {
    Settings::text_of(&value.to_string()).unwrap_or_default()
}

/// The field's word for how a value is entered.
fn word(kind: EntryKind) -> String {
    match kind {
        EntryKind::Boolean => "BOOLEAN".to_owned(),
        EntryKind::Password => "PASSWORD".to_owned(),
        EntryKind::TextArea => "TEXTAREA".to_owned(),
        EntryKind::TextField(length) => format!("TEXTFIELD_{length}"),
        EntryKind::Combo => "COMBO".to_owned(),
    }
}

/// A number that a key always has (FNV-1a, 40 bits), above those that are handed out.
fn made_from(key: &str) -> i64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    MADE_FROM_NAMES + i64::try_from(hash >> 24).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_keys_stay_and_fit_a_double() {
        let (one, other) = (made_from("http.headers"), made_from("base.url"));
        assert_eq!(one, made_from("http.headers"));
        assert!(one != other && (MADE_FROM_NAMES..1 << 53).contains(&one), "{one}");
    }

    #[test]
    fn values_are_texts() {
        assert_eq!(as_text(&json!(true)), "true");
        assert_eq!(as_text(&json!({"a": {}})), r#"{"a":{}}"#);
        assert_eq!(as_text(&json!("x")), "x");
        assert_eq!(as_text(&json!(null)), "");
    }
}
