//! The configuration of a connector, entry by entry; among them what a builder sets on the events page.
//!
//! An entry is addressed by its key, or by its number. Nobody makes a reserved key by hand (platform-api §2), so POST
//! refuses it; PUT and PATCH set it, and where it is missing it is made as the platform makes it.
//!
//! The default of a secret is written and never read: it is shown hidden, and sent back hidden it stays.

use axum::Json;
use axum::extract::{Path, State};
use turnstone_core::connector::{
    Document, EditError, Edited, Part, Place, SECRET_MASK, VendorType, event_entry, keys,
};
use turnstone_core::id::OrgId;
use turnstone_core::json_text::{self, Kind};
use turnstone_engine::connectors::seal_connector;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::access::Caller;
use super::super::body::TextBody;
use super::super::error::{Answer, ApiError};
use super::super::{Api, Gone, date_formats};
use super::JsonText;
use super::parts::{Which, all, arrived, refused, shown};
use super::stored::{self, Edit, Stored};

const PLACE: Place = Place::Element(Part::Configuration);

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, merge, remove))
}

/// Lists the configuration entries of a connector; defaults of secrets are hidden.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/configuration",
    tag = "elements",
    operation_id = "listElementConfiguration",
    params(("keyOrId" = String, Path, description = "Key or id of the element.")),
    responses((status = 200, body = Vec<Value>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
) -> Answer<JsonText> {
    all(&api, org, &element, Which::Element(Part::Configuration)).await
}

/// Adds a configuration entry.
///
/// Reserved keys are refused: they come with authentication, paging and events, and PUT sets them.
#[utoipa::path(
    post,
    path = "/elements/{keyOrId}/configuration",
    tag = "elements",
    operation_id = "addElementConfiguration",
    params(("keyOrId" = String, Path, description = "Key or id of the element.")),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn create(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
    TextBody(text): TextBody,
) -> Answer<JsonText> {
    let change = |stored: &Stored| {
        let entry = sealed(&api, stored, None, &arrived(stored, Part::Configuration, &text));
        stored.document.with_entry(&entry).map_err(of_reserved)
    };
    edit(&api, org, &element, change).await
}

fn of_reserved(error: EditError) -> ApiError {
    match error {
        EditError::Reserved(key) => {
            let message = format!(
                "the configuration key `{key}` is reserved and not made by hand; set it with PUT \
                 …/configuration/{key}, or in the whole document"
            );
            ApiError::bad("reservedKey", message)
        }
        other => refused(other),
    }
}

/// One configuration entry, by its key or its id.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/configuration/{configKey}",
    tag = "elements",
    operation_id = "readElementConfiguration",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("configKey" = String, Path, description = "Key or id of the entry.")
    ),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, key)): Path<(String, String)>,
) -> Answer<JsonText> {
    let stored = stored::find(&api, org, &element).await?;
    let position = position(&stored, &key).ok_or_else(|| missing(&key))?;
    shown(&stored, PLACE, position, &[])
}

/// Replaces a configuration entry.
///
/// An entry of a reserved key is made where it is missing. The default may be an object; it is kept as its text.
#[utoipa::path(
    put,
    path = "/elements/{keyOrId}/configuration/{configKey}",
    tag = "elements",
    operation_id = "replaceElementConfiguration",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("configKey" = String, Path, description = "Key or id of the entry.")
    ),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn replace(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, key)): Path<(String, String)>,
    TextBody(text): TextBody,
) -> Answer<JsonText> {
    edit(&api, org, &element, |stored| set(&api, stored, &key, &text, Existing::GoesAway)).await
}

/// Changes members of a configuration entry; `null` takes one out.
///
/// An entry of a reserved key is made where it is missing, so that `{"defaultValue": …}` is all that it takes to set up
/// events.
#[utoipa::path(
    patch,
    path = "/elements/{keyOrId}/configuration/{configKey}",
    tag = "elements",
    operation_id = "changeElementConfiguration",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("configKey" = String, Path, description = "Key or id of the entry.")
    ),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn merge(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, key)): Path<(String, String)>,
    TextBody(text): TextBody,
) -> Answer<JsonText> {
    edit(&api, org, &element, |stored| set(&api, stored, &key, &text, Existing::StaysBelow)).await
}

/// Removes a configuration entry.
#[utoipa::path(
    delete,
    path = "/elements/{keyOrId}/configuration/{configKey}",
    tag = "elements",
    operation_id = "removeElementConfiguration",
    params(
        ("keyOrId" = String, Path, description = "Key or id of the element."),
        ("configKey" = String, Path, description = "Key or id of the entry.")
    ),
    responses((status = 200, body = Gone)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((element, key)): Path<(String, String)>,
) -> Answer<Json<Gone>> {
    let change = |stored: &Stored| {
        let position = position(stored, &key).ok_or_else(|| missing(&key))?;
        Ok(stored.document.remove(PLACE, position).map_err(refused)?.into())
    };
    stored::edit(&api, org, &element, change).await?;
    Ok(Json(Gone {}))
}

/// What becomes of the entry that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    /// The new one takes its place.
    GoesAway,
    /// It keeps what the new one does not say.
    StaysBelow,
}

fn missing(key: &str) -> ApiError {
    refused(EditError::Missing(Part::Configuration.noun(), key.to_owned()))
}

fn position(stored: &Stored, key_or_id: &str) -> Option<usize> {
    let by_id = || stored.ids.position(PLACE, key_or_id.parse().ok()?);
    stored.document.entry_position(key_or_id).ok().or_else(by_id)
}

fn key_of(stored: &Stored, position: usize) -> Option<String> {
    let item = stored.document.items(Part::Configuration).get(position).copied()?;
    json_text::member(item, "key").and_then(json_text::text).map(|key| key.into_owned())
}

/// The document with this entry set.
fn set(api: &Api, stored: &Stored, key: &str, text: &str, existing: Existing) -> Answer<Edited> {
    let sent = arrived(stored, Part::Configuration, text);
    json_text::validate(&sent)
        .map_err(|error| refused(EditError::Json(Part::Configuration.noun(), error)))?;
    if json_text::kind(&sent) != Some(Kind::Object) {
        return Err(ApiError::bad(
            "badDocument",
            "the body is not an object; send the entry, or members of it",
        ));
    }
    let position = position(stored, key);
    let key = position.and_then(|position| key_of(stored, position)).unwrap_or_else(|| key.to_owned());
    let below = match position {
        Some(position) if existing == Existing::StaysBelow => {
            stored.document.items(Part::Configuration)[position].to_owned()
        }
        Some(_) => "{}".to_owned(),
        None if keys::is_reserved(&key) => made(stored, &key),
        None => return Err(missing(&key)),
    };
    let entry = with_text_default(&laid_over(&below, &sent));
    let entry =
        match json_text::member(&entry, "key").is_none_or(|key| json_text::kind(key) == Some(Kind::Null)) {
            true => json_text::with_member(&entry, "key", &json_text::quote(&key)),
            false => entry,
        };
    must_be_poller(&entry)?;
    let entry = sealed(api, stored, Some(&key), &entry);
    match position {
        Some(_) => stored.document.with_entry_replaced(&key, &entry).map_err(of_reserved),
        None => stored.document.add(PLACE, &entry).map_err(refused),
    }
}

/// An entry as the platform makes it.
fn made(stored: &Stored, key: &str) -> String {
    let name =
        json_text::member(stored.document.text(), "name").and_then(json_text::text).unwrap_or_default();
    event_entry(key, "", &name)
}

/// The members of one object over those of another; `null` takes one out.
fn laid_over(below: &str, above: &str) -> String {
    if below == "{}" {
        return above.to_owned();
    }
    let mut entry = below.to_owned();
    for member in json_text::members(above).unwrap_or_default() {
        entry = match json_text::kind(member.value) {
            Some(Kind::Null) => json_text::without_member(&entry, &member.name),
            _ => json_text::with_member(&entry, &member.name, member.value),
        };
    }
    entry
}

/// A default that was written as JSON is kept as its text, as the field keeps it.
fn with_text_default(entry: &str) -> String {
    match json_text::member(entry, "defaultValue") {
        Some(value) if !matches!(json_text::kind(value), Some(Kind::Text | Kind::Null)) => {
            json_text::with_member(entry, "defaultValue", &json_text::quote(value.trim_ascii()))
        }
        _ => entry.to_owned(),
    }
}

/// Refuses what no instance could use: here, unlike in an import, a person sits before it.
fn must_be_poller(entry: &str) -> Answer<()> {
    let word = |name: &str| json_text::member(entry, name).and_then(json_text::text).unwrap_or_default();
    let value = word("defaultValue");
    let bad = |message: String| Err(ApiError::bad("badDocument", message));
    match word("key").as_ref() {
        _ if value.trim().is_empty() => Ok(()),
        keys::POLLER_CONFIGURATION => match json_text::validate(&value).map(|()| json_text::kind(&value)) {
            Ok(Some(Kind::Object)) => Ok(()),
            Ok(found) => {
                let noun = found.map_or("nothing", Kind::noun);
                bad(format!(
                    "the poller configuration is {noun}; write an object with a member for each resource"
                ))
            }
            Err(error) => {
                bad(format!("the poller configuration cannot be read: {error}; write an object as text"))
            }
        },
        keys::EVENTS_VENDOR_TYPE if VendorType::parse(&value).is_none() => bad(format!(
            "`{}` is no vendor event type; write `polling`, `webhooks`, or `polling,webhooks`",
            value.chars().take(60).collect::<String>()
        )),
        _ => Ok(()),
    }
}

/// An entry with its default sealed if it is a secret. One that is sent hidden, or not at all, is the stored one; under
/// another key, or as no secret any more, it is blank.
fn sealed(api: &Api, stored: &Stored, key: Option<&str>, entry: &str) -> String {
    let alone = |entry: &str| Document::parse(format!("{{\"configuration\":[{entry}]}}")).ok();
    let only =
        |document: &Document| document.items(Part::Configuration).first().map(|item| (*item).to_owned());
    let before = key.and_then(|key| secret_of(stored, key));
    let word = |name: &str| json_text::member(entry, name).and_then(json_text::text);
    let stays = key.is_some() && word("key").as_deref() == key;
    let is_before = |value: &str| before.as_deref() == Some(value);
    let Some(document) = alone(entry) else { return entry.to_owned() };
    let hidden = document.with_secrets(|_, value| is_before(value).then(|| SECRET_MASK.to_owned()));
    let sealed = seal_connector(&hidden, api.preparer.keys(), stored.row.org, api.entropy.as_ref());
    let restored = before.clone().filter(|_| stays).unwrap_or_default();
    let whole = sealed.with_secrets(|_, value| (value == SECRET_MASK).then(|| restored.clone()));
    let entry = only(&whole).unwrap_or_else(|| entry.to_owned());
    let left = json_text::member(&entry, "defaultValue")
        .and_then(json_text::text)
        .is_some_and(|value| is_before(&value));
    let is_secret = alone(&entry).is_some_and(|document| document.export().blanked.len() == 1);
    if left && !is_secret { json_text::with_member(&entry, "defaultValue", "\"\"") } else { entry }
}

/// The stored default of a secret entry.
fn secret_of(stored: &Stored, key: &str) -> Option<String> {
    let mut found = None;
    stored.document.with_secrets(|known, value| {
        if known == key {
            found = Some(value.to_owned());
        }
        None
    });
    found
}

async fn edit(
    api: &Api,
    org: OrgId,
    element: &str,
    change: impl Fn(&Stored) -> Answer<Edited>,
) -> Answer<JsonText> {
    let (stored, edit) = stored::edit(api, org, element, |stored| Ok(change(stored)?.into())).await?;
    let Edit { changes, of_whole, .. } = edit;
    let position = changes.first().map_or(0, |change| change.position);
    date_formats::remember_of(api, org, &stored.document).await;
    let path = format!("configuration[{position}]");
    let warnings: Vec<_> = of_whole.into_iter().filter(|warning| warning.path.starts_with(&path)).collect();
    shown(&stored, PLACE, position, &warnings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_lie_over_what_is_there() {
        let entry = r#"{"key":"a","defaultValue":"1","x":1.50}"#;
        assert_eq!(laid_over(entry, r#"{"defaultValue":"2","x":null}"#), r#"{"key":"a","defaultValue":"2"}"#);
        assert_eq!(laid_over("{}", r#"{"key": "b"}"#), r#"{"key": "b"}"#);
    }

    #[test]
    fn a_default_is_a_text() {
        let written = r#"{"defaultValue": {"a": 1.0, "b": "x"} }"#;
        assert_eq!(with_text_default(written), r#"{"defaultValue": "{\"a\": 1.0, \"b\": \"x\"}" }"#);
        for (sent, kept) in
            [("true", r#""true""#), ("15", r#""15""#), (r#""15""#, r#""15""#), ("null", "null")]
        {
            let entry = with_text_default(&format!(r#"{{"defaultValue":{sent}}}"#));
            assert_eq!(json_text::member(&entry, "defaultValue"), Some(kept));
        }
    }

    #[test]
    fn what_no_instance_could_use_is_refused() {
        let judged = |key: &str, value: &str| {
            must_be_poller(&json!({"key": key, "defaultValue": value}).to_string())
                .map_err(|error| error.message)
        };
        assert!(judged("event.poller.configuration", r#"{"x":{}}"#).is_ok());
        assert!(judged("event.poller.configuration", "").is_ok());
        assert!(judged("event.poller.configuration", "[]").unwrap_err().contains("is a list"));
        assert!(judged("event.poller.configuration", "{").unwrap_err().contains("cannot be read"));
        assert!(judged("event.vendor.type", "carrier pigeon").unwrap_err().contains("carrier pigeon"));
        assert!(judged("event.vendor.type", "webhook").is_ok());
        assert!(judged("other", "[").is_ok());
    }
}
