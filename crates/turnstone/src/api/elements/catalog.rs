//! Whole connectors: listed, imported, read, replaced, exported, copied, switched and removed.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_DISPOSITION;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use turnstone_core::connector::{Activity, Document};
use turnstone_core::json_text;
use turnstone_core::query::{Comparator, Expression};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::access::Caller;
use super::super::body::{OptionalBody, Query, TextBody};
use super::super::error::{Answer, ApiError};
use super::super::{Api, Gone};
use super::stored::{self, Edit, Stored, with_warnings};
use super::{JsonText, list_of};

/// Copies of one connector that get a key of their own without being asked for one.
const COPIES_MAX: u32 = 100;
/// Header of an export that names the configuration keys whose default was a secret and is blank.
const BLANKED: HeaderName = HeaderName::from_static("elements-blanked-secrets");

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(keys))
        .routes(routes!(read, replace, remove))
        .routes(routes!(export))
        .routes(routes!(copy))
        .routes(routes!(activate, deactivate))
}

/// Lists connectors as short records.
///
/// `abridged='false'` in the clause asks for whole ones.
#[utoipa::path(
    get,
    path = "/elements",
    tag = "elements",
    operation_id = "listElements",
    params(
        ("where" = Option<String>, Query, description = "CEQL over a short record, such as `private='true' and key in ('a','b')`."),
        ("pageSize" = Option<i64>, Query, description = "At most so many; all when it is left out.", minimum = 1, maximum = 1000),
        ("nextPage" = Option<i64>, Query, description = "Continues after this one.", minimum = 0)
    ),
    responses((status = 200, body = Vec<Value>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, Caller { org, .. }: Caller, query: Query) -> Answer<Response> {
    let clause = match query.text("where").filter(|text| !text.trim().is_empty()) {
        None => None,
        Some(text) => {
            Some(Expression::parse(text).map_err(|error| ApiError::bad("badWhere", error.to_string()))?)
        }
    };
    let size = match query.text("pageSize") {
        None => usize::MAX,
        Some(_) => query.page_size()? as usize,
    };
    let after = query.number("nextPage")?.unwrap_or(0);
    let in_full = clause.as_ref().is_some_and(asks_for_all);
    let mut found = Vec::new();
    let (mut last, mut more) = (after, false);
    for row in api.directory.elements(org).await?.into_iter().filter(|row| row.id.0 > after) {
        let id = row.id.0;
        let stored = Stored::of(row)?;
        let short = stored.document.abridged(id);
        let judged = json_text::with_member(&short, "abridged", if in_full { "false" } else { "true" });
        if clause.as_ref().is_some_and(|clause| !clause.matches(&judged)) {
            continue;
        }
        if found.len() == size {
            more = true;
            break;
        }
        found.push(if in_full { stored.shown() } else { short });
        last = id;
    }
    let mut response = JsonText(list_of(&found)).into_response();
    super::super::body::paged(&mut response, found.len(), more.then_some(last));
    Ok(response)
}

/// Whether a clause wants whole documents.
fn asks_for_all(clause: &Expression) -> bool {
    match clause {
        Expression::Is(comparison) => {
            comparison.field == "abridged"
                && comparison.comparator == Comparator::Equal
                && comparison.values.iter().any(|value| value.text.eq_ignore_ascii_case("false"))
        }
        Expression::All(parts) => parts.iter().any(asks_for_all),
        Expression::Any(_) => false,
    }
}

/// Lists the keys of all connectors.
#[utoipa::path(
    get,
    path = "/elements/keys",
    tag = "elements",
    operation_id = "listElementKeys",
    responses((status = 200, body = Vec<String>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn keys(State(api): State<Api>, Caller { org, .. }: Caller) -> Answer<Json<Vec<String>>> {
    Ok(Json(api.directory.elements(org).await?.into_iter().map(|row| row.key).collect()))
}

/// Makes a connector from element JSON, such as an export.
///
/// The document is kept as it is written. With a fault nothing is stored; `warnings` of the answer say what works less
/// than it seems.
#[utoipa::path(
    post,
    path = "/elements",
    tag = "elements",
    operation_id = "createElement",
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn create(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    TextBody(text): TextBody,
) -> Answer<JsonText> {
    let arrived = stored::arrive(&api, org, text)?;
    let (made, warnings) = stored::create(&api, org, arrived).await?;
    Ok(JsonText(with_warnings(&made.shown(), &warnings)))
}

/// One connector, with the ids of its parts; defaults of secrets are hidden.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}",
    tag = "elements",
    operation_id = "readElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
) -> Answer<JsonText> {
    Ok(JsonText(stored::find(&api, org, &element).await?.shown()))
}

/// Replaces a connector's document.
///
/// Parts that stay keep their ids. Secrets that are sent as they were shown (`********`) or exported (blank) stay as
/// they are. Instances keep the revision that they were made from.
#[utoipa::path(
    put,
    path = "/elements/{keyOrId}",
    tag = "elements",
    operation_id = "replaceElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    request_body = Value,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn replace(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
    TextBody(text): TextBody,
) -> Answer<JsonText> {
    let arrived = stored::arrive(&api, org, text)?;
    let (stored, warnings) = stored::replace(&api, org, &element, &arrived).await?;
    Ok(JsonText(with_warnings(&stored.shown(), &warnings)))
}

/// Removes a connector that has no instances.
#[utoipa::path(
    delete,
    path = "/elements/{keyOrId}",
    tag = "elements",
    operation_id = "deleteElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    responses((status = 200, body = Gone)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
) -> Answer<Json<Gone>> {
    let found = stored::find(&api, org, &element).await?;
    api.directory.delete_element(org, found.row.id).await?;
    Ok(Json(Gone {}))
}

/// The whole document, to be kept or imported elsewhere.
///
/// It is the text that was imported; key and lists that it lacked are added at its end. Defaults of secrets are blank,
/// and the header `Elements-Blanked-Secrets` names their keys.
#[utoipa::path(
    get,
    path = "/elements/{keyOrId}/export",
    tag = "elements",
    operation_id = "exportElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn export(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
) -> Answer<Response> {
    let found = stored::find(&api, org, &element).await?;
    let export = found.document.completed().export();
    let mut response = JsonText(export.text).into_response();
    let headers = response.headers_mut();
    // A key of other letters than a header's has no place in one.
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}.json\"", found.row.key)) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    if !export.blanked.is_empty()
        && let Ok(keys) = HeaderValue::from_str(&export.blanked.join(", "))
    {
        headers.insert(BLANKED, keys);
    }
    Ok(response)
}

/// Makes a private copy of a connector.
///
/// Key and name may be given; defaults of secrets are blank in the copy.
#[utoipa::path(
    post,
    path = "/elements/{keyOrId}/clone",
    tag = "elements",
    operation_id = "cloneElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    request_body = Option<Value>,
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn copy(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
    OptionalBody(wishes): OptionalBody,
) -> Answer<JsonText> {
    let found = stored::find(&api, org, &element).await?;
    let wishes = wishes.unwrap_or_else(|| json!({}));
    let (key, name) = (wish(&wishes, "key")?, wish(&wishes, "name")?);
    for number in 1..=COPIES_MAX {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let own = key.clone().unwrap_or_else(|| format!("{}-copy{suffix}", found.row.key));
        let named =
            name.clone().unwrap_or_else(|| format!("{} (copy{})", found.row.name, suffix.replace('-', " ")));
        let text = found.document.cloned_as(&own, &named).text().to_owned();
        let arrived = stored::arrive(&api, org, json_text::without_member(&text, "id"))?;
        match stored::create(&api, org, arrived).await {
            Err(error) if error.code == "exists" && key.is_none() && number < COPIES_MAX => {}
            made => {
                let (made, warnings) = made?;
                return Ok(JsonText(with_warnings(&made.shown(), &warnings)));
            }
        }
    }
    Err(ApiError::conflict("exists", "there are too many copies of this element; send a `key` for the next"))
}

fn wish(wishes: &Value, name: &str) -> Answer<Option<String>> {
    let Some(members) = wishes.as_object() else {
        return Err(ApiError::bad(
            "badDocument",
            "the body is not an object; send `key` and `name`, or no body",
        ));
    };
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
        Some(_) => {
            Err(ApiError::bad("badDocument", format!("`{name}` is not a text; write one, or leave it out")))
        }
    }
}

/// Lets instances of a connector be made.
#[utoipa::path(
    put,
    path = "/elements/{keyOrId}/active",
    tag = "elements",
    operation_id = "activateElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn activate(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
) -> Answer<JsonText> {
    switch(&api, org, &element, Activity::Active).await
}

/// Lets no more instances of a connector be made; those that there are go on.
#[utoipa::path(
    delete,
    path = "/elements/{keyOrId}/active",
    tag = "elements",
    operation_id = "deactivateElement",
    params(("keyOrId" = String, Path, description = "Key or id.")),
    responses((status = 200, body = Value)),
    extensions(("x-right" = json!("admin")))
)]
pub async fn deactivate(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(element): Path<String>,
) -> Answer<JsonText> {
    switch(&api, org, &element, Activity::Inactive).await
}

async fn switch(
    api: &Api,
    org: turnstone_core::id::OrgId,
    element: &str,
    activity: Activity,
) -> Answer<JsonText> {
    let change = |stored: &Stored| {
        let as_wanted = stored.row.active == (activity == Activity::Active);
        // A document that says nothing is active, and stays as it is when it shall be.
        let document: Document =
            if as_wanted { stored.document.clone() } else { stored.document.with_active(activity) };
        Ok(Edit { document, changes: Vec::new(), warnings: Vec::new(), of_whole: Vec::new() })
    };
    let (stored, _) = stored::edit(api, org, element, change).await?;
    Ok(JsonText(stored.document.abridged(stored.row.id.0)))
}
