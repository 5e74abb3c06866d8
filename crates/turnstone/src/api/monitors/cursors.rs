//! The cursor of a subscription: read, set, reset, and put back to one that it had.
//!
//! Every change is written down with the cursor before and after. While a run is under way there is none: it would be
//! overwritten by what the run saves.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use turnstone_core::flow::run::read_cursor;
use turnstone_core::flow::state::SubscriptionState;
use turnstone_core::flow::type_word;
use turnstone_core::id::RunId;
use turnstone_store::{CURSORS_KEPT_MAX, PollerRow, SubscriptionRow};
use utoipa::ToSchema;

use super::changes::{flow_now, not_sound};
use super::settings::given;
use super::subscriptions::{find, raw, state_of, under_way};
use crate::api::Api;
use crate::api::access::{Caller, told};
use crate::api::body::{Query, Typed, TypedText};
use crate::api::error::{Answer, ApiError};

/// A saved cursor.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    /// The cursor; `null` before a run saved one.
    #[schema(value_type = Value)]
    cursor: Option<Box<RawValue>>,
    /// Its bytes as JSON; at most 10,240 are kept.
    bytes: usize,
    /// When it was saved.
    #[schema(value_type = Option<String>, format = DateTime)]
    saved_date: Option<Timestamp>,
    /// The run that saved it; `null` where a person set it.
    #[schema(value_type = Option<String>)]
    saved_by: Option<RunId>,
    /// What the monitor's cursor is.
    #[schema(example = "date")]
    r#type: Option<String>,
}

/// A cursor that was replaced.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FormerCursor {
    /// Its number, for `rewind`.
    id: i64,
    /// The cursor; `null` where there was none.
    #[schema(value_type = Value)]
    cursor: Option<Box<RawValue>>,
    /// Its bytes as JSON.
    bytes: usize,
    /// When it was saved.
    #[schema(value_type = Option<String>, format = DateTime)]
    saved_date: Option<Timestamp>,
    /// The run that saved it; `null` where a person set it.
    #[schema(value_type = Option<String>)]
    saved_by: Option<RunId>,
    /// When it was replaced.
    #[schema(value_type = String, format = DateTime)]
    replaced_date: Timestamp,
}

/// A cursor to set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CursorToSet {
    /// Any JSON of the monitor's cursor type; `null` is none.
    #[schema(value_type = Value)]
    #[serde(default, deserialize_with = "given")]
    cursor: Option<Box<RawValue>>,
}

/// A cursor to put back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToRewind {
    /// Its number, as `/subscriptions/{id}/cursors` says it.
    to: i64,
}

async fn shown(api: &Api, row: &SubscriptionRow, state: &SubscriptionState) -> Answer<Cursor> {
    let flow = flow_now(api, row).await?;
    Ok(Cursor {
        cursor: raw(state.cursor.as_ref()),
        bytes: state.cursor_bytes(),
        saved_date: state.saved_at,
        saved_by: state.saved_by,
        r#type: flow.map(|flow| type_word(flow.cursor)),
    })
}

/// The saved cursor of a subscription.
#[utoipa::path(
    get,
    path = "/subscriptions/{id}/cursor",
    tag = "monitors",
    operation_id = "readCursor",
    params(("id" = i64, Path, description = "The subscription.")),
    responses((status = 200, body = Cursor)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Cursor>> {
    let (row, poller) = find(&api, org, &id).await?;
    Ok(Json(shown(&api, &row, &state_of(&poller)?).await?))
}

/// Sets the cursor that the next run starts from.
///
/// It must be of the monitor's cursor type, and have at most 10,240 bytes as JSON. 409 while a run is under way.
#[utoipa::path(
    put,
    path = "/subscriptions/{id}/cursor",
    tag = "monitors",
    operation_id = "replaceCursor",
    params(("id" = i64, Path, description = "The subscription.")),
    request_body = CursorToSet,
    responses((status = 200, body = Cursor)),
    extensions(("x-right" = json!("member")))
)]
pub async fn replace(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    TypedText(body): TypedText<CursorToSet>,
) -> Answer<Response> {
    let (row, poller) = find(&api, org, &id).await?;
    let Some(sent) = body.cursor else {
        let message = "`cursor` is not given; send `{\"cursor\": …}`, or DELETE it to begin anew";
        return Err(ApiError::bad("badDocument", message));
    };
    let cursor =
        fitting(&api, &row, sent.get()).await?.map_err(|sentence| ApiError::bad("badCursor", sentence))?;
    set(&api, &row, &poller, cursor).await
}

/// The text to keep of a cursor, if it is one for the version in use.
async fn fitting(api: &Api, row: &SubscriptionRow, text: &str) -> Answer<Result<Option<String>, String>> {
    let flow = flow_now(api, row).await?.ok_or_else(|| not_sound(row))?;
    Ok(read_cursor(&flow, text))
}

/// Forgets the cursor: the next run is like the first.
#[utoipa::path(
    delete,
    path = "/subscriptions/{id}/cursor",
    tag = "monitors",
    operation_id = "resetCursor",
    params(("id" = i64, Path, description = "The subscription.")),
    responses((status = 200, body = Cursor)),
    extensions(("x-right" = json!("member")))
)]
pub async fn reset(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let (row, poller) = find(&api, org, &id).await?;
    set(&api, &row, &poller, None).await
}

/// Replaces the cursor, and tells the audit which one it was.
async fn set(
    api: &Api,
    row: &SubscriptionRow,
    poller: &PollerRow,
    cursor: Option<String>,
) -> Answer<Response> {
    // A state that cannot be read is what a reset is for.
    let before = SubscriptionState::read(&poller.state).unwrap_or_default();
    let after = before.with_cursor(cursor, api.now());
    let text = after.write();
    api.store.set_state(row.org, poller.id, &text, poller.watermark, api.now()).await.map_err(under_way)?;
    let detail = json!({"cursor": {"from": before.cursor, "to": after.cursor}});
    Ok(told(Json(shown(api, row, &after).await?), detail))
}

/// The cursors that were replaced, the latest first.
///
/// Of each subscription the last 200 are kept.
#[utoipa::path(
    get,
    path = "/subscriptions/{id}/cursors",
    tag = "monitors",
    operation_id = "listCursors",
    params(
        ("id" = i64, Path, description = "The subscription."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said.")
    ),
    responses((status = 200, body = Vec<FormerCursor>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Json<Vec<FormerCursor>>> {
    let size = query.page_size()?;
    let (row, _) = find(&api, org, &id).await?;
    let rows = api.monitors.cursors(org, row.poller, size).await?;
    let former = rows.into_iter().map(|former| {
        let state = SubscriptionState::read(&former.state).unwrap_or_default();
        FormerCursor {
            id: former.id,
            cursor: raw(state.cursor.as_ref()),
            bytes: state.cursor_bytes(),
            saved_date: state.saved_at,
            saved_by: state.saved_by,
            replaced_date: former.replaced_at,
        }
    });
    Ok(Json(former.collect()))
}

/// Puts back a cursor that the subscription had.
///
/// Records that were reported are not reported again where the monitor declares `record.id`.
#[utoipa::path(
    post,
    path = "/subscriptions/{id}/rewind",
    tag = "monitors",
    operation_id = "rewindCursor",
    params(("id" = i64, Path, description = "The subscription.")),
    request_body = ToRewind,
    responses((status = 200, body = Cursor)),
    extensions(("x-right" = json!("member")))
)]
pub async fn rewind(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
    Typed(ToRewind { to }): Typed<ToRewind>,
) -> Answer<Response> {
    let (row, poller) = find(&api, org, &id).await?;
    let rows = api.monitors.cursors(org, row.poller, CURSORS_KEPT_MAX).await?;
    let Some(former) = rows.into_iter().find(|former| former.id == to) else {
        return Err(ApiError::not_found("cursor"));
    };
    let state = SubscriptionState::read(&former.state).map_err(|error| ApiError {
        detail: Some(format!("cursor {to} of subscription {}: {error}", row.id)),
        ..ApiError::conflict("badState", "that cursor cannot be read; choose another one")
    })?;
    let cursor = match &state.cursor {
        None => None,
        Some(text) => fitting(&api, &row, text).await?.map_err(|sentence| {
            let message = format!("that cursor is none of the version in use: {sentence}; set one that is");
            ApiError::conflict("cursorType", message)
        })?,
    };
    set(&api, &row, &poller, cursor).await
}
