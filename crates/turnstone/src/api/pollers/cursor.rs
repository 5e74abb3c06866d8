//! The cursor of a polled resource: seen, moved, its history, and a rewind with a rehearsal of what it would do.
//!
//! A rewind reads again and reports nothing twice that the ledger knows as reported (decision 0072): to send again what
//! was sent, deliveries are sent again. So it costs requests, and finds what was missed.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use turnstone_core::ledger::Compared;
use turnstone_core::poll::{PollerState, RunOutcome};
use turnstone_core::resource::Resource;
use turnstone_store::{CURSORS_KEPT_MAX, InstanceRow, PollerRow};
use utoipa::ToSchema;

use super::{Explanation, Poller, counts, due_now, find, rehearsed, resource_of, state_of};
use crate::api::Api;
use crate::api::access::told;
use crate::api::body::{Query, Typed};
use crate::api::error::{Answer, ApiError};
use crate::api::instances::At;
use crate::api::monitors::under_way;

/// Where a poller stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollerCursor {
    /// Microseconds since 1970; the number itself where `cursorField` counts; `null` before the first pass.
    watermark: Option<i64>,
    /// The watermark as a date, where it is one.
    #[schema(value_type = Option<String>, format = DateTime)]
    watermark_date: Option<Timestamp>,
    /// The provider's instant up to which everything is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    complete_to: Option<Timestamp>,
    /// Whether the watermark is a number of `cursorField`, and no date.
    counts: bool,
}

/// Where a poller stood.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FormerPollerCursor {
    /// Its number.
    id: i64,
    /// As in the cursor.
    watermark: Option<i64>,
    /// As in the cursor.
    #[schema(value_type = Option<String>, format = DateTime)]
    watermark_date: Option<Timestamp>,
    /// When another one took its place.
    #[schema(value_type = String, format = DateTime)]
    replaced_at: Timestamp,
}

/// Where a poller shall stand: one of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PollerCursorBody {
    /// An instant of the provider.
    #[schema(value_type = Option<String>, format = DateTime)]
    date: Option<Timestamp>,
    /// The watermark itself.
    watermark: Option<i64>,
    /// The number of a cursor that it had.
    to: Option<i64>,
}

/// What a rewind would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewindPreview {
    /// Where it stands.
    from: PollerCursor,
    /// Where it would stand.
    to: PollerCursor,
    /// The next run from there, rehearsed: nothing is written, nothing is sent.
    explanation: Explanation,
    /// Events that it would record.
    events: RewindEvents,
    /// Records that it would read, repeats included.
    records: u64,
    /// Pages that it would fetch.
    pages: u64,
    /// Whether the rehearsal ended at its bound of pages before the pass was complete, so that there is more.
    more: bool,
}

/// Events by type.
#[derive(Debug, Serialize, ToSchema)]
pub struct RewindEvents {
    /// CREATED.
    created: u64,
    /// UPDATED.
    updated: u64,
    /// DELETED.
    deleted: u64,
}

fn date_of(watermark: Option<Compared>, counts: bool) -> Option<Timestamp> {
    watermark.filter(|_| !counts).and_then(|value| Timestamp::from_microsecond(value).ok())
}

fn cursor_of(state: &PollerState, watermark: Option<Compared>, counts: bool) -> PollerCursor {
    let watermark_date = date_of(watermark, counts);
    PollerCursor { watermark, watermark_date, complete_to: state.complete_to, counts }
}

/// The cursor of a poller.
#[utoipa::path(
    get,
    path = "/instances/{id}/pollers/{resource}/cursor",
    tag = "pollers",
    operation_id = "readPollerCursor",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name.")
    ),
    responses((status = 200, body = PollerCursor)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(State(api): State<Api>, at: At) -> Answer<Json<PollerCursor>> {
    let (instance, poller) = find(&api, at).await?;
    let counts = counts(&api, &poller, &instance).await;
    Ok(Json(cursor_of(&state_of(&poller)?, poller.watermark, counts)))
}

/// Moves the cursor, back or on.
///
/// What the ledger knows as reported is not reported again. An open pass ends. 409 while a run is under way.
#[utoipa::path(
    put,
    path = "/instances/{id}/pollers/{resource}/cursor",
    tag = "pollers",
    operation_id = "setPollerCursor",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name.")
    ),
    request_body = PollerCursorBody,
    responses((status = 200, body = PollerCursor)),
    extensions(("x-right" = json!("member")))
)]
pub async fn set(State(api): State<Api>, at: At, Typed(body): Typed<PollerCursorBody>) -> Answer<Response> {
    let (instance, poller) = find(&api, at).await?;
    let moved = Moved::read(&api, &instance, &poller, &body).await?;
    moved.write(&api, &poller).await?;
    let detail = moved.detail(&poller);
    Ok(told(Json(cursor_of(&moved.state, moved.state.watermark, moved.counts)), detail))
}

/// The cursors that a poller had and that were replaced by a person, the latest first.
///
/// Of each poller the last 200 are kept.
#[utoipa::path(
    get,
    path = "/instances/{id}/pollers/{resource}/cursors",
    tag = "pollers",
    operation_id = "listPollerCursors",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name."),
        ("pageSize" = Option<u32>, Query, description = "Entries of the answer; 1 to 1,000, and 200 when it is not said.")
    ),
    responses((status = 200, body = Vec<FormerPollerCursor>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, at: At, query: Query) -> Answer<Json<Vec<FormerPollerCursor>>> {
    let size = query.page_size()?;
    let (instance, poller) = find(&api, at).await?;
    let counts = counts(&api, &poller, &instance).await;
    let former = api.monitors.cursors(instance.org, poller.id, size).await?;
    let former = former.into_iter().map(|former| FormerPollerCursor {
        id: former.id,
        watermark: former.watermark,
        watermark_date: date_of(former.watermark, counts),
        replaced_at: former.replaced_at,
    });
    Ok(Json(former.collect()))
}

/// Moves the cursor and polls now; with `preview` says what that would do, and does nothing.
///
/// Records are read again, and what the ledger knows as reported is not reported again. 409 while a run is under way,
/// and for a poller that is paused.
#[utoipa::path(
    post,
    path = "/instances/{id}/pollers/{resource}/rewind",
    tag = "pollers",
    operation_id = "rewindPoller",
    params(
        ("id" = i64, Path, description = "The instance."),
        ("resource" = String, Path, description = "The resource's name."),
        ("preview" = Option<bool>, Query, description = "`true` rehearses the next run from there, and writes nothing.")
    ),
    request_body = PollerCursorBody,
    responses(
        (status = 200, description = "What it would do.", body = RewindPreview),
        (status = 202, description = "It is moved, and polls now.", body = Poller)
    ),
    extensions(("x-right" = json!("member")))
)]
pub async fn rewind(
    State(api): State<Api>,
    at: At,
    query: Query,
    Typed(body): Typed<PollerCursorBody>,
) -> Answer<Response> {
    let is_preview = query.flag("preview")?;
    let (instance, poller) = find(&api, at).await?;
    let moved = Moved::read(&api, &instance, &poller, &body).await?;
    if is_preview {
        let preview = previewed(&api, &instance, &poller, &moved).await?;
        return Ok((axum::Extension(crate::api::access::Unaudited), Json(preview)).into_response());
    }
    if let Some(reason) = &poller.paused {
        let message = format!("the poller is paused ({reason}); resume it first, or set the cursor alone");
        return Err(ApiError::conflict("paused", message));
    }
    if !instance.enabled {
        return Err(ApiError::conflict("disabled", "the instance is disabled; enable it first"));
    }
    moved.write(&api, &poller).await?;
    let detail = moved.detail(&poller);
    let (status, body): (StatusCode, Json<Poller>) = due_now(&api, instance.org, &poller, &instance).await?;
    Ok(told((status, body), detail))
}

async fn previewed(
    api: &Api,
    instance: &InstanceRow,
    poller: &PollerRow,
    moved: &Moved,
) -> Answer<RewindPreview> {
    let _place = api.rehearsal()?;
    let from = cursor_of(&state_of(poller)?, poller.watermark, moved.counts);
    let rewound = PollerRow {
        state: moved.state.write(),
        watermark: moved.state.watermark,
        checkpoint: None,
        ..poller.clone()
    };
    let kind = Some(turnstone_core::poll::RunKind::Poll);
    let rehearsal = rehearsed(api, instance, &rewound, kind).await?;
    let resource = resource_of(api, poller, instance).await;
    let dates = resource.as_ref().and_then(Resource::compared_format);
    let run = &rehearsal.finish.run;
    let (counts, more) = (run.counts.clone(), run.outcome == RunOutcome::Yielded);
    Ok(RewindPreview {
        from,
        to: cursor_of(&moved.state, moved.state.watermark, moved.counts),
        explanation: Explanation::of(rehearsal, rewound.resource, rewound.watermark, dates),
        events: RewindEvents { created: counts.created, updated: counts.updated, deleted: counts.deleted },
        records: counts.records,
        pages: counts.pages,
        more,
    })
}

/// The state that a poller shall have.
struct Moved {
    state: PollerState,
    counts: bool,
}

impl Moved {
    async fn read(
        api: &Api,
        instance: &InstanceRow,
        poller: &PollerRow,
        body: &PollerCursorBody,
    ) -> Answer<Moved> {
        let counts = counts(api, poller, instance).await;
        let state = state_of(poller)?;
        if !state.primed {
            let message =
                "its first pass is not complete yet; wait for it, or set `startFrom` in its configuration";
            return Err(ApiError::conflict("notPrimed", message));
        }
        let watermark = wanted(api, poller, body, counts).await?;
        if !counts {
            let date = Timestamp::from_microsecond(watermark).map_err(|_| {
                bad(format!("`watermark` is {watermark}, which is no date in microseconds; send `date`"))
            })?;
            if date > api.now() {
                let message = format!("{date} is still to come; a cursor is never ahead of its provider");
                return Err(bad(message));
            }
        }
        Ok(Moved { state: state.moved_to(watermark, !counts), counts })
    }

    async fn write(&self, api: &Api, poller: &PollerRow) -> Answer<()> {
        let text = self.state.write();
        let done = api.store.set_state(poller.org, poller.id, &text, self.state.watermark, api.now());
        done.await.map_err(under_way)
    }

    fn detail(&self, poller: &PollerRow) -> serde_json::Value {
        json!({"watermark": {"from": poller.watermark, "to": self.state.watermark}})
    }
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::bad("badCursor", message)
}

/// The watermark that a body names.
async fn wanted(api: &Api, poller: &PollerRow, body: &PollerCursorBody, counts: bool) -> Answer<Compared> {
    match (body.date, body.watermark, body.to) {
        (Some(_), None, None) if counts => {
            Err(bad("the cursor of this poller is a number; send `watermark`"))
        }
        (Some(date), None, None) => Ok(date.as_microsecond()),
        (None, Some(watermark), None) => Ok(watermark),
        (None, None, Some(to)) => {
            let former = api.monitors.cursors(poller.org, poller.id, CURSORS_KEPT_MAX).await?;
            let former = former.into_iter().find(|former| former.id == to);
            let former = former.ok_or_else(|| ApiError::not_found("cursor"))?;
            former.watermark.ok_or_else(|| {
                ApiError::conflict("notPrimed", "that cursor is from before the first pass; send a `date`")
            })
        }
        _ => Err(bad("send one of `date`, `watermark` and `to`")),
    }
}
