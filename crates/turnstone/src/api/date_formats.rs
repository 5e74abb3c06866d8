//! Date formats to choose from: those that are published, and those that an organisation has typed.
//!
//! "If the date format used by the API provider is not available, you can type it and we'll save it for future use"
//! (mission, "Set Up Polling"): whoever saves a poller's configuration keeps its formats here. A format that is removed
//! goes on working where it is used.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use turnstone_core::check::Fault;
use turnstone_core::connector::{Document, keys};
use turnstone_core::date::{DateFormat, Zone, ZoneRules};
use turnstone_core::event::seconds;
use turnstone_core::id::{DateFormatId, OrgId};
use turnstone_store::DateFormatRow;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Caller;
use super::body::Typed;
use super::error::{Answer, ApiError};

/// What everybody can choose: the mission's table first, then what published configurations use beside it, most used
/// first.
const PUBLISHED: [&str; 22] = [
    "yyyy-MM-dd'T'HH:mm:ssXXX",
    "yyyy-MM-dd'T'HH:mm:ssZ",
    "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "yyyy-MM-dd",
    "yyyy/MM/dd HH:mm:ss",
    "MM/dd/yyyy'T'HH:mm:ssXXX",
    "MM/dd/yyyy",
    "dd/MM/yyyy'T'HH:mm:ssXXX",
    "dd/MM/yyyy",
    "EEE, dd MMM yyyy HH:mm:ss Z",
    "milliseconds",
    "seconds",
    "MM/dd/yyyy HH:mm:ss",
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    "yyyy-MM-dd'T'HH:mm:ss",
    "yyyy-MM-dd'T'HH:mm:ss.SSS",
    "yyyy-MM-dd'T'HH:mmz",
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "yyyy-MM-dd' 'HH:mm:ss",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX",
];
/// The instant of the examples, as the mission shows it: 2019-05-09T20:37:30Z.
const EXAMPLE_SECONDS: i64 = 1_557_434_250;
/// Characters of a format.
const FORMAT_CHARS_MAX: usize = 200;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// A date format to choose.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DateFormat)]
#[serde(rename_all = "camelCase")]
pub struct DateFormatBody {
    /// Its id; `null` for one that is built in.
    id: Option<i64>,
    /// The pattern, in the letters of Java's `SimpleDateFormat`, or `milliseconds`, `seconds`.
    #[schema(example = "yyyy-MM-dd'T'HH:mm:ssXXX")]
    format: String,
    /// The zone of texts without one.
    timezone: Option<String>,
    /// An instant in this format.
    #[schema(example = "2019-05-09T20:37:30Z")]
    example: String,
    /// Whether everybody has it.
    built_in: bool,
    /// When it was kept.
    created_date: Option<String>,
}

/// A date format to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDateFormat {
    /// The pattern.
    #[schema(example = "dd.MM.yyyy HH:mm", max_length = 200)]
    format: String,
    /// The zone of texts without one.
    timezone: Option<String>,
}

/// Nothing more to say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Removed {}

/// Lists the date formats to choose from: the built-in ones, then the organisation's own.
#[utoipa::path(
    get,
    path = "/date-formats",
    tag = "date formats",
    operation_id = "listDateFormats",
    responses((status = 200, body = Vec<DateFormatBody>)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn list(State(api): State<Api>, Caller { org, .. }: Caller) -> Answer<Json<Vec<DateFormatBody>>> {
    let own = api.directory.date_formats(org).await?;
    Ok(Json(PUBLISHED.iter().map(|format| built_in(format)).chain(own.iter().map(kept)).collect()))
}

/// Keeps a date format; one that is there already is answered as it is.
#[utoipa::path(
    post,
    path = "/date-formats",
    tag = "date formats",
    operation_id = "addDateFormat",
    request_body = NewDateFormat,
    responses((status = 200, body = DateFormatBody)),
    extensions(("x-right" = json!("member")))
)]
pub async fn create(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Typed(new): Typed<NewDateFormat>,
) -> Answer<Json<DateFormatBody>> {
    let zone = new.timezone.as_deref().map(str::trim).filter(|zone| !zone.is_empty());
    let pattern = tidy(&new.format);
    let mut faults = Vec::new();
    let mut fault = |path: &str, problem: String, remedy: &str| {
        faults.push(Fault { path: path.to_owned(), problem, remedy: remedy.to_owned() });
    };
    let read_zone = match zone.map(|zone| Zone::parse(zone, ZoneRules::default())) {
        Some(Err(error)) => {
            fault("timezone", error.to_string(), "write a zone such as `Europe/Berlin` or `-08:00`");
            Zone::utc()
        }
        Some(Ok(zone)) => zone,
        None => Zone::utc(),
    };
    if pattern.chars().count() > FORMAT_CHARS_MAX {
        let problem = format!("the format has more than {FORMAT_CHARS_MAX} characters");
        fault("format", problem, "write a shorter one");
    } else if let Err(error) = DateFormat::compile(pattern, &read_zone) {
        fault("format", error.to_string(), "write a pattern such as `yyyy-MM-dd'T'HH:mm:ssXXX`");
    }
    if !faults.is_empty() {
        return Err(ApiError::faults(faults));
    }
    if zone.is_none() && PUBLISHED.contains(&pattern) {
        return Ok(Json(built_in(pattern)));
    }
    let id = api.directory.add_date_format(org, pattern, zone, api.now()).await?;
    let own = api.directory.date_formats(org).await?;
    let row = own.iter().find(|row| row.id == id).ok_or_else(|| ApiError::not_found("date format"))?;
    Ok(Json(kept(row)))
}

/// Removes a date format of the organisation; where it is used it goes on working.
#[utoipa::path(
    delete,
    path = "/date-formats/{id}",
    tag = "date formats",
    operation_id = "removeDateFormat",
    params(("id" = i64, Path, description = "The format.")),
    responses((status = 200, body = Removed)),
    extensions(("x-right" = json!("member")))
)]
pub async fn remove(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path(id): Path<String>,
) -> Answer<Json<Removed>> {
    let id = id.parse().map(DateFormatId).map_err(|_| ApiError::not_found("date format"))?;
    api.directory.remove_date_format(org, id).await?;
    Ok(Json(Removed {}))
}

/// Keeps the new formats of a poller's configuration (an object, or its text). What cannot be kept is only missing from
/// a list, so it never fails.
async fn remember(api: &Api, org: OrgId, polled: &Value) {
    for (pattern, zone) in typed(polled) {
        if let Err(error) = api.directory.add_date_format(org, &pattern, zone.as_deref(), api.now()).await {
            tracing::warn!(%error, "a date format could not be kept");
        }
    }
}

/// The same for a connector.
pub async fn remember_of(api: &Api, org: OrgId, document: &Document) {
    if let Some(polled) = document.events().poller {
        remember(api, org, &Value::String(polled)).await;
    }
}

/// The same for an instance's document.
pub async fn remember_of_instance(api: &Api, org: OrgId, document: &Value) {
    let configuration = document.get("configuration");
    if let Some(polled) =
        configuration.and_then(|configuration| configuration.get(keys::POLLER_CONFIGURATION))
    {
        remember(api, org, polled).await;
    }
}

/// The patterns of a poller's configuration, with their zones, that can be used and that not everybody knows.
fn typed(polled: &Value) -> BTreeSet<(String, Option<String>)> {
    let parsed;
    let resources = match polled {
        Value::String(text) => {
            parsed = serde_json::from_str(text).unwrap_or(Value::Null);
            &parsed
        }
        other => other,
    };
    let dates = resources.as_object().into_iter().flat_map(|resources| resources.values());
    let mut found = BTreeSet::new();
    for dates in dates.filter_map(|resource| resource.get("datesConfiguration")) {
        for side in ["updated", "created"] {
            let word =
                |name: &str| dates.get(format!("{side}Date{name}")).and_then(Value::as_str).map(str::trim);
            let pattern = tidy(word("Format").unwrap_or_default());
            let zone = word("Timezone").filter(|zone| Zone::parse(zone, ZoneRules::default()).is_ok());
            let usable = pattern.chars().count() <= FORMAT_CHARS_MAX
                && DateFormat::compile(pattern, &Zone::utc()).is_ok();
            if usable && !PUBLISHED.contains(&pattern) {
                found.insert((pattern.to_owned(), zone.map(str::to_owned)));
            }
        }
    }
    found
}

/// A pattern as it is read: a stray quote at its end does not count.
fn tidy(pattern: &str) -> &str {
    let pattern = pattern.trim();
    let stray = pattern.matches('\'').count() % 2 == 1;
    if stray { pattern.strip_suffix('\'').unwrap_or(pattern) } else { pattern }
}

fn built_in(format: &str) -> DateFormatBody {
    DateFormatBody {
        id: None,
        format: format.to_owned(),
        timezone: None,
        example: example(format, None),
        built_in: true,
        created_date: None,
    }
}

fn kept(row: &DateFormatRow) -> DateFormatBody {
    DateFormatBody {
        id: Some(row.id.0),
        format: row.pattern.clone(),
        timezone: row.zone.clone(),
        example: example(&row.pattern, row.zone.as_deref()),
        built_in: false,
        created_date: Some(seconds(row.created_at)),
    }
}

fn example(format: &str, zone: Option<&str>) -> String {
    let zone = zone.and_then(|zone| Zone::parse(zone, ZoneRules::default()).ok()).unwrap_or_else(Zone::utc);
    let at = Timestamp::from_second(EXAMPLE_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH);
    DateFormat::compile(format, &zone).map(|compiled| compiled.format.print(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_built_in_format_can_be_used_and_shows_its_example() {
        for format in PUBLISHED {
            assert_eq!(tidy(format), format);
            assert!(!example(format, None).is_empty(), "{format}");
        }
        assert_eq!(example(PUBLISHED[0], Some("-07:00")), "2019-05-09T13:37:30-07:00");
        assert_eq!(example("milliseconds", None), "1557434250000");
        let unique: BTreeSet<_> = PUBLISHED.iter().collect();
        assert_eq!(unique.len(), PUBLISHED.len());
    }

    #[test]
    fn what_is_new_is_found_once_and_as_it_is_read() {
        let resource = |updated: &str, created: &str, zone: &str| {
            json!({"url": "/x", "datesConfiguration": {
                "updatedDateFormat": updated, "createdDateFormat": created, "createdDateTimezone": zone}})
        };
        let polled = json!({
            "a": resource("dd.MM.yyyy HH:mm", "milliseconds", ""),
            "b": resource(" dd.MM.yyyy HH:mm ", "yyyy-MM-dd'T'HH:mm:ssXXX'", "PST"),
            "c": resource("yyyy-MM-dd'T'HH.mm'", "dd MMM yyyy", "Europe/Berlin"),
            "d": resource("no format", "''", "nowhere"),
            "e": 5
        });
        let expect = [
            ("dd MMM yyyy", Some("Europe/Berlin")),
            ("dd.MM.yyyy HH:mm", None),
            ("yyyy-MM-dd'T'HH.mm", None),
        ];
        let expect: BTreeSet<_> =
            expect.iter().map(|(pattern, zone)| ((*pattern).to_owned(), zone.map(str::to_owned))).collect();
        assert_eq!(typed(&polled), expect);
        assert_eq!(typed(&Value::String(polled.to_string())), expect);
        assert!(typed(&json!("no object")).is_empty() && typed(&Value::Null).is_empty());
    }
}
