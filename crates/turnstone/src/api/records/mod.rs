//! Ask about a record: every run that could have seen it, what was decided and why, what became of its events, and one
//! sentence that answers "why did this record (not) fire?".
//!
//! Everything is read from what is kept: the ledger, the single decisions of runs, the log, and the deliveries. What is
//! not kept any more is said to be so. The sentence is made by [`told`], which decides nothing but words.

mod told;

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use turnstone_core::date::DateFormat;
use turnstone_core::id::{EventId, OrgId, PollerId, RunId};
use turnstone_core::ledger::{Entry, Version};
use turnstone_core::limits::IGNORED_DECISIONS_PER_RUN_MAX;
use turnstone_core::poll::{RunKind, RunOutcome, RunRecord};
use turnstone_core::resource::{ComparedBy, Resource};
use turnstone_store::{
    EndpointRow, EventFilter, InstanceRow, LoggedEvent, NotificationFilter, NotificationRow, PollerRow,
    RecordStory, RunFilter,
};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::told::Facts;
use super::Api;
use super::access::Caller;
use super::deliveries::Delivery;
use super::error::{Answer, ApiError};
use super::events::{self, LogEntry};
use super::pollers::resource_of;
use super::runs::{Decision, Window};

/// Sightings and events of one answer.
const SHOWN_MAX: u32 = 200;
/// Deliveries of one answer.
const DELIVERIES_MAX: usize = 200;
/// Runs that are looked at for those that could have listed it and did not.
const RUNS_LOOKED_AT: u32 = 1_000;
/// Of these, those that are named.
const RUNS_NAMED: usize = 20;

/// The operations.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read))
}

/// What is known of one record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordAnswer {
    /// Its poller.
    poller_id: i64,
    /// The poller's instance.
    instance_id: i64,
    /// The resource's name.
    resource: String,
    /// The record's id.
    object_id: String,
    /// Whether the ledger, a run or the log knows it.
    known: bool,
    /// One sentence that answers why it did, or did not, become an event, and where that event is.
    sentence: String,
    /// Versions that the ledger keeps: the last one, and those in the window that it replaced.
    versions: Vec<KeptVersion>,
    /// When it was read last, as far as that is kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen: Option<Timestamp>,
    /// When it was reported as DELETED.
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
    /// Runs that saw it, with what they decided, newest first; at most 200.
    sightings: Vec<Sighting>,
    /// Its events, newest first; at most 200.
    events: Vec<LogEntry>,
    /// Deliveries of these events, newest first; at most 200.
    deliveries: Vec<DeliveryOfRecord>,
    /// Runs that could have listed it and did not.
    runs_without: RunsWithout,
}

/// A version of a record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptVersion {
    /// Its compared value: microseconds since 1970, or the number itself where `cursorField` counts; `null` where the
    /// record carries none.
    compared: Option<i64>,
    /// The same as a date, where it is one.
    #[schema(value_type = Option<String>, format = DateTime)]
    compared_date: Option<Timestamp>,
    /// `last`, `replaced` (by a later one) or `deleted`.
    #[schema(example = "last")]
    state: &'static str,
}

/// A run that saw a record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sighting {
    /// The run.
    run: SightingRun,
    /// What it decided.
    decision: Decision,
    /// The event that came of it.
    #[schema(value_type = Option<String>)]
    event_id: Option<EventId>,
}

/// The run of a sighting.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SightingRun {
    /// Its id.
    #[schema(value_type = String)]
    id: RunId,
    /// `poll`, `sweep`, `look` or `flow`; empty where the run is not kept any more.
    kind: &'static str,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// `completed`, `yielded` or `failed`; empty where the run is not kept any more.
    outcome: &'static str,
    /// What was asked for.
    window: Window,
}

/// A delivery of a record's event.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryOfRecord {
    #[serde(flatten)]
    delivery: Delivery,
    /// How often it was tried, as far as attempts are kept.
    attempts: u64,
}

/// Runs whose window could have held a record, and which did not list it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunsWithout {
    /// How many, of the last 1,000 runs.
    count: u64,
    /// When the first of them began.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// The newest 20.
    #[schema(value_type = Vec<String>)]
    runs: Vec<RunId>,
}

/// Why a record did, or did not, become an event.
///
/// A record that no run saw is answered with `known: false` and the sentence. The id is percent-encoded in the path.
#[utoipa::path(
    get,
    path = "/records/{poller}/{id}",
    tag = "pollers",
    operation_id = "readRecord",
    params(
        ("poller" = i64, Path, description = "The poller."),
        ("id" = String, Path, description = "The record's id, as the provider writes it.")
    ),
    responses((status = 200, body = RecordAnswer)),
    extensions(("x-right" = json!("reader")))
)]
pub async fn read(
    State(api): State<Api>,
    Caller { org, .. }: Caller,
    Path((poller, object_id)): Path<(String, String)>,
) -> Answer<Json<RecordAnswer>> {
    let unknown = || ApiError::not_found("poller");
    let poller = poller.parse().map(PollerId).map_err(|_| unknown())?;
    let poller = api.store.poller(org, poller).await?;
    let instance = api.store.instance(org, poller.instance).await?;
    let looked = Looked::at(&api, org, poller, instance, object_id).await?;
    Ok(Json(looked.answer(&api, org).await?))
}

/// Everything that is read for one answer.
struct Looked {
    poller: PollerRow,
    instance: InstanceRow,
    object_id: String,
    counts: bool,
    format: Option<DateFormat>,
    story: RecordStory,
    events: Vec<LoggedEvent>,
    deliveries: Vec<NotificationRow>,
    runs: HashMap<RunId, RunRecord>,
    endpoint: Option<EndpointRow>,
}

impl Looked {
    async fn at(
        api: &Api,
        org: OrgId,
        poller: PollerRow,
        instance: InstanceRow,
        object_id: String,
    ) -> Answer<Looked> {
        let resource = resource_of(api, &poller, &instance).await;
        let counts = resource.as_ref().is_some_and(|found| matches!(found.compared, ComparedBy::Cursor(_)));
        let folds = resource.as_ref().is_some_and(|found| found.case_insensitive_ids);
        let format = resource.as_ref().and_then(Resource::compared_format).cloned();
        let story = story_of(api, &poller, &object_id, folds).await?;
        let filter = EventFilter {
            // Its batches are what is searched: there is no index by record.
            instance: Some(poller.instance),
            poller: Some(poller.id),
            object_id: Some(object_id.clone()),
            newest_first: true,
            limit: SHOWN_MAX,
            ..EventFilter::default()
        };
        let events = api.store.events(org, &filter).await?;
        let deliveries = carrying(api, org, &events).await?;
        let decided = story.decisions.iter().map(|(run, _)| *run);
        let ids: HashSet<RunId> = decided.chain(events.iter().map(|logged| logged.event.run)).collect();
        let ids: Vec<RunId> = ids.into_iter().collect();
        let runs = api.watch.run_records(org, &ids).await?;
        let runs = runs.into_iter().map(|run| (run.id, run)).collect();
        let endpoint = endpoint_of(api, &poller).await?;
        Ok(Looked { poller, instance, object_id, counts, format, story, events, deliveries, runs, endpoint })
    }

    async fn answer(self, api: &Api, org: OrgId) -> Answer<RecordAnswer> {
        let entries = events::entries(api, org, self.events.clone()).await?;
        let runs_without = self.runs_without(api, org).await?;
        let facts = Facts {
            poller: &self.poller,
            instance: &self.instance,
            object_id: &self.object_id,
            story: &self.story,
            events: &self.events,
            statuses: entries.iter().map(LogEntry::status).collect(),
            deliveries: &self.deliveries,
            runs: &self.runs,
            endpoint: self.endpoint.as_ref(),
        };
        let sentence = facts.sentence();
        let mut deliveries = Vec::with_capacity(self.deliveries.len());
        for row in &self.deliveries {
            let attempts = api.store.attempts(org, row.id).await?.len() as u64;
            deliveries.push(DeliveryOfRecord { delivery: Delivery::of(row, &self.instance.name), attempts });
        }
        let sightings = self.sightings();
        let read_first = self.story.entry.as_ref().map(|entry| entry.first_read_at);
        let last_run = sightings.iter().map(|sighting| sighting.run.started_at).max();
        Ok(RecordAnswer {
            poller_id: self.poller.id.0,
            instance_id: self.instance.id.0,
            resource: self.poller.resource.clone(),
            known: self.story.entry.is_some() || !sightings.is_empty(),
            sentence,
            versions: self.versions(),
            last_seen: last_run.max(read_first),
            deleted_at: self.story.entry.as_ref().and_then(|entry| entry.deleted_at),
            sightings,
            events: entries,
            deliveries,
            runs_without,
            object_id: self.object_id,
        })
    }

    fn versions(&self) -> Vec<KeptVersion> {
        let date = |value: Option<i64>| {
            value.filter(|_| !self.counts).and_then(|value| Timestamp::from_microsecond(value).ok())
        };
        let kept = |compared, state| KeptVersion { compared, compared_date: date(compared), state };
        let last = self.story.entry.as_ref().map(|entry: &Entry| {
            kept(entry.compared, if entry.deleted_at.is_some() { "deleted" } else { "last" })
        });
        let is_last = |version: &&Version| {
            self.story
                .entry
                .as_ref()
                .is_some_and(|entry| entry.compared == version.compared && entry.hash == version.hash)
        };
        let replaced = self.story.versions.iter().rev().filter(|version| !is_last(version));
        last.into_iter().chain(replaced.map(|version| kept(version.compared, "replaced"))).collect()
    }

    fn sightings(&self) -> Vec<Sighting> {
        let mut found: Vec<Sighting> = Vec::new();
        for (run, decision) in &self.story.decisions {
            found.extend(self.runs.get(run).map(|run| Sighting {
                run: SightingRun::of(run),
                decision: Decision::from(decision.clone()).dated(self.format.as_ref()),
                event_id: None,
            }));
        }
        for logged in &self.events {
            let event = &logged.event;
            let run = match self.runs.get(&event.run) {
                Some(run) => SightingRun::of(run),
                None => SightingRun {
                    id: event.run,
                    kind: "",
                    started_at: logged.recorded_at,
                    outcome: "",
                    window: Window::default(),
                },
            };
            let decision = Decision::of_event(event).dated(self.format.as_ref());
            found.push(Sighting { run, decision, event_id: Some(event.id) });
        }
        found.sort_by_key(|sighting| std::cmp::Reverse((sighting.run.started_at, sighting.run.id)));
        found.truncate(SHOWN_MAX as usize);
        found
    }

    /// Completed polls and sweeps whose window held the record's last value, or of a record that nobody saw any: as far
    /// as the single decisions of a run are complete.
    async fn runs_without(&self, api: &Api, org: OrgId) -> Answer<RunsWithout> {
        let filter = RunFilter {
            poller: Some(self.poller.id),
            outcome: Some(RunOutcome::Completed),
            limit: RUNS_LOOKED_AT,
            ..RunFilter::default()
        };
        let value = self.story.entry.as_ref().and_then(|entry| entry.compared).filter(|_| !self.counts);
        let value = value.and_then(|value| Timestamp::from_microsecond(value).ok());
        let could_hold = |run: &RunRecord| {
            let is_whole = run.counts.ignored() + run.counts.seeded <= IGNORED_DECISIONS_PER_RUN_MAX as u64;
            let reads = match run.kind {
                RunKind::Poll | RunKind::Sweep => true,
                RunKind::Look | RunKind::Flow => false,
            };
            let from = run.story.lower_bound.zip(value).is_none_or(|(bound, value)| bound <= value);
            let to = run.story.provider_time.zip(value).is_none_or(|(end, value)| value <= end);
            is_whole && reads && from && to && !self.runs.contains_key(&run.id)
        };
        let runs = api.watch.run_page(org, &filter).await?;
        let without: Vec<&RunRecord> = runs.iter().filter(|run| could_hold(run)).collect();
        Ok(RunsWithout {
            count: without.len() as u64,
            since: without.last().map(|run| run.started_at),
            runs: without.iter().take(RUNS_NAMED).map(|run| run.id).collect(),
        })
    }
}

/// What is kept of a record. Where case does not count, the ledger knows it by its canonical id; runs and events by the
/// provider's.
async fn story_of(api: &Api, poller: &PollerRow, object_id: &str, folds: bool) -> Answer<RecordStory> {
    let mut story = api.watch.record_story(poller.org, poller.id, object_id, SHOWN_MAX).await?;
    let canonical = object_id.to_lowercase();
    if folds && canonical != object_id {
        let kept = api.watch.record_story(poller.org, poller.id, &canonical, SHOWN_MAX).await?;
        (story.entry, story.versions) = (kept.entry, kept.versions);
    }
    Ok(story)
}

/// The deliveries of these events, newest first.
async fn carrying(api: &Api, org: OrgId, events: &[LoggedEvent]) -> Answer<Vec<NotificationRow>> {
    let mut deliveries: Vec<NotificationRow> = Vec::new();
    for logged in events {
        if deliveries.len() >= DELIVERIES_MAX {
            break;
        }
        let carrying = NotificationFilter {
            event: Some(logged.event.id),
            newest_first: true,
            brief: true,
            limit: SHOWN_MAX,
            ..NotificationFilter::default()
        };
        deliveries.extend(api.store.notifications(org, &carrying).await?);
    }
    deliveries.sort_by_key(|delivery| std::cmp::Reverse(delivery.id));
    deliveries.dedup_by_key(|delivery| delivery.id);
    deliveries.truncate(DELIVERIES_MAX);
    Ok(deliveries)
}

/// Where a poller's events go: to its subscription's own endpoint, or to its instance's.
async fn endpoint_of(api: &Api, poller: &PollerRow) -> Answer<Option<EndpointRow>> {
    let endpoints = api.store.endpoints(poller.org).await?;
    let of = |subscription| {
        endpoints
            .iter()
            .find(|endpoint| endpoint.instance == poller.instance && endpoint.subscription == subscription)
    };
    let own = poller.subscription.and_then(|id| of(Some(id)));
    Ok(own.or_else(|| of(None)).cloned())
}

impl SightingRun {
    fn of(run: &RunRecord) -> SightingRun {
        SightingRun {
            id: run.id,
            kind: run.kind.as_str(),
            started_at: run.started_at,
            outcome: run.outcome.as_str(),
            window: Window::of(run),
        }
    }
}
