//! How many events there were, over time: of the whole organisation, by instance, by account (platform-api §6).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use turnstone_core::id::InstanceId;
use turnstone_core::notification::AccountIds;
use turnstone_store::{EventCount, Interval};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::Api;
use crate::api::access::Caller;
use crate::api::body::Query;
use crate::api::error::{Answer, ApiError};

/// Points of one answer. A week of minutes fits.
const POINTS_MAX: i64 = 11_000;
const MINUTE: i64 = 60 * 1_000_000;
/// The intervals by their words, in microseconds.
const INTERVALS: [(&str, i64); 3] = [("minute", MINUTE), ("hour", 60 * MINUTE), ("day", 24 * 60 * MINUTE)];
/// What is shown when no beginning is named: so many hours.
const HOURS_SHOWN: i64 = 24;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(total)).routes(routes!(by_instance)).routes(routes!(by_account))
}

/// Events of one step of time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Point {
    /// The beginning of the step.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// Events that were recorded in it.
    count: u64,
}

/// Events of one step of time, by instance.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstancePoint {
    /// The beginning of the step.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// Events that were recorded in it.
    total: u64,
    /// Of which instances.
    records: Vec<InstanceRecord>,
}

/// Events of one instance in one step of time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRecord {
    /// The instance.
    instance_id: i64,
    /// Events that were recorded.
    count: u64,
    /// Of these, those that the endpoint accepted, or that have none to go to.
    success: u64,
    /// Of these, those that were given up.
    failed: u64,
}

/// Events of one step of time, by account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountPoint {
    /// The beginning of the step.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// Events that were recorded in it.
    total: u64,
    /// Of which accounts.
    records: Vec<AccountRecord>,
}

/// Events of one account in one step of time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountRecord {
    /// The account.
    account_id: i64,
    /// Events that were recorded.
    count: u64,
    /// Of these, those that the endpoint accepted, or that have none to go to.
    success: u64,
    /// Of these, those that were given up.
    failed: u64,
}

/// How many events there were, over time.
#[utoipa::path(
    get,
    path = "/instances/events/analytics",
    tag = "events",
    operation_id = "countEvents",
    params(
        ("from" = Option<String>, Query, description = "The first instant, ISO 8601; a day before `to` when it is not said."),
        ("to" = Option<String>, Query, description = "The last instant, ISO 8601; now when it is not said."),
        ("interval" = Option<String>, Query, description = "`minute`, `hour` or `day`; `hour` when it is not said."),
        ("accountIds[]" = Option<Vec<i64>>, Query, description = "Only these accounts.")
    ),
    responses((status = 200, body = Vec<Point>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn total(State(api): State<Api>, caller: Caller, query: Query) -> Answer<Json<Vec<Point>>> {
    let history = History::read(&api, &caller, &query).await?;
    let point = |(timestamp, counts): (Timestamp, Vec<EventCount>)| Point {
        timestamp,
        count: counts.iter().map(|count| count.count).sum(),
    };
    Ok(Json(history.points().map(point).collect()))
}

/// How many events there were, over time and by instance.
#[utoipa::path(
    get,
    path = "/instances/events/analytics/instances",
    tag = "events",
    operation_id = "countEventsByInstance",
    params(
        ("from" = Option<String>, Query, description = "The first instant, ISO 8601; a day before `to` when it is not said."),
        ("to" = Option<String>, Query, description = "The last instant, ISO 8601; now when it is not said."),
        ("interval" = Option<String>, Query, description = "`minute`, `hour` or `day`; `hour` when it is not said."),
        ("accountIds[]" = Option<Vec<i64>>, Query, description = "Only these accounts.")
    ),
    responses((status = 200, body = Vec<InstancePoint>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn by_instance(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
) -> Answer<Json<Vec<InstancePoint>>> {
    let history = History::read(&api, &caller, &query).await?;
    let record = |count: &EventCount| InstanceRecord {
        instance_id: count.instance.0,
        count: count.count,
        success: count.success,
        failed: count.failed,
    };
    let point = |(timestamp, counts): (Timestamp, Vec<EventCount>)| InstancePoint {
        timestamp,
        total: counts.iter().map(|count| count.count).sum(),
        records: counts.iter().map(record).collect(),
    };
    Ok(Json(history.points().map(point).collect()))
}

/// How many events there were, over time and by account.
#[utoipa::path(
    get,
    path = "/instances/events/analytics/accounts",
    tag = "events",
    operation_id = "countEventsByAccount",
    params(
        ("from" = Option<String>, Query, description = "The first instant, ISO 8601; a day before `to` when it is not said."),
        ("to" = Option<String>, Query, description = "The last instant, ISO 8601; now when it is not said."),
        ("interval" = Option<String>, Query, description = "`minute`, `hour` or `day`; `hour` when it is not said."),
        ("accountIds[]" = Option<Vec<i64>>, Query, description = "Only these accounts.")
    ),
    responses((status = 200, body = Vec<AccountPoint>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn by_account(
    State(api): State<Api>,
    caller: Caller,
    query: Query,
) -> Answer<Json<Vec<AccountPoint>>> {
    let history = History::read(&api, &caller, &query).await?;
    let account_id = AccountIds::of_organisation(caller.org).account;
    let point = |(timestamp, counts): (Timestamp, Vec<EventCount>)| {
        let sum = |of: fn(&EventCount) -> u64| counts.iter().map(of).sum();
        let total = sum(|count| count.count);
        let all = AccountRecord {
            account_id,
            count: total,
            success: sum(|count| count.success),
            failed: sum(|count| count.failed),
        };
        let records = if total > 0 { vec![all] } else { Vec::new() };
        AccountPoint { timestamp, total, records }
    };
    Ok(Json(history.points().map(point).collect()))
}

/// The counts of a stretch of time.
struct History {
    first: Timestamp,
    step: i64,
    steps: i64,
    counts: BTreeMap<u64, Vec<EventCount>>,
}

impl History {
    async fn read(api: &Api, caller: &Caller, query: &Query) -> Answer<History> {
        own_accounts(caller, query)?;
        let step = interval(query)?;
        let to = query.instant("to")?.unwrap_or_else(|| api.now());
        let before = || to.checked_sub(jiff::SignedDuration::from_hours(HOURS_SHOWN)).unwrap_or(to);
        let from = query.instant("from")?.unwrap_or_else(before);
        if to < from {
            return Err(ApiError::bad("badParameter", format!("`to` ({to}) is before `from` ({from})")));
        }
        let (first, last) = (from.as_microsecond().div_euclid(step), to.as_microsecond().div_euclid(step));
        let steps = last - first + 1;
        if steps > POINTS_MAX {
            let message =
                format!("{steps} points are asked for, {POINTS_MAX} are given; take a longer `interval`");
            return Err(ApiError::bad("badParameter", message));
        }
        let at = |number: i64| {
            Timestamp::from_microsecond(number.saturating_mul(step))
                .map_err(|_| ApiError::bad("badParameter", "the instants are beyond the calendar"))
        };
        let (first, end) = (at(first)?, at(last + 1)?);
        let found = api.inbox.event_counts(caller.org, first, end, Interval { step }).await?;
        let own = caller.element.map(|own| InstanceId(own.0));
        let mut counts: BTreeMap<u64, Vec<EventCount>> = BTreeMap::new();
        for count in found.into_iter().filter(|count| own.is_none_or(|own| count.instance == own)) {
            counts.entry(count.step).or_default().push(count);
        }
        Ok(History { first, step, steps, counts })
    }

    fn points(mut self) -> impl Iterator<Item = (Timestamp, Vec<EventCount>)> {
        (0..self.steps).filter_map(move |number| {
            let at = self.first.as_microsecond().checked_add(number.checked_mul(self.step)?)?;
            let counts = self.counts.remove(&u64::try_from(number).ok()?).unwrap_or_default();
            Some((Timestamp::from_microsecond(at).ok()?, counts))
        })
    }
}

/// There is one account for each organisation; anybody else's is nobody's business.
fn own_accounts(caller: &Caller, query: &Query) -> Answer<()> {
    let own = AccountIds::of_organisation(caller.org).account;
    for text in query.all("accountIds[]").iter().chain(query.all("accountIds")) {
        let id: i64 = text.trim().parse().map_err(|_| {
            ApiError::bad("badParameter", format!("`accountIds[]` is `{text}`; write a whole number"))
        })?;
        if id != own {
            let message = format!("the account {id} is not yours; yours is {own}");
            return Err(ApiError::new(http::StatusCode::FORBIDDEN, "forbidden", message));
        }
    }
    Ok(())
}

fn interval(query: &Query) -> Answer<i64> {
    let text = query.text("interval").unwrap_or("hour");
    let known = INTERVALS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
    known.map(|(_, step)| *step).ok_or_else(|| {
        let message = format!("`interval` is `{text}`; write `minute`, `hour` or `day`");
        ApiError::bad("badParameter", message)
    })
}
