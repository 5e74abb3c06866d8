//! A few records of a rehearsal as a person wants to see them: id, dates as they are understood, verdict and reason.
//!
//! The rehearsal itself keeps no record that leads to no event. So its way out is watched: of the answers that pass,
//! the first records are looked at and the rest is let go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use turnstone_core::event::Event;
use turnstone_core::poll::{Decision, Ignored, Verdict};
use turnstone_core::records::{Reader, Room, ShownDate};
use turnstone_core::resource::Resource;
use turnstone_core::run::{Reply, Request};
use turnstone_engine::driver::Rehearsal;
use turnstone_engine::egress::{Callback, CallbackReply, Connection, Net};
use utoipa::ToSchema;

/// Records of a sample. More than anybody compares by eye.
const RECORDS_MAX: usize = 20;
/// Bytes of a record that is shown.
const RECORD_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a date that is shown. No date is longer; what stands in its place may be.
const DATE_BYTES_MAX: usize = 1_000;

/// One record of a rehearsal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleRecord {
    /// Its id as the provider wrote it; `null` when it has none.
    id: Option<String>,
    /// Its dates.
    dates: SampleDates,
    /// The event's type, `SEEDED` or `IGNORED`; `null` where the run ended before it was decided.
    #[schema(example = "CREATED")]
    verdict: Option<&'static str>,
    /// Why it was ignored, for programs.
    #[schema(example = "before-window")]
    ignored: Option<&'static str>,
    /// Why, in words.
    reason: String,
    /// The record as the provider wrote it; `null` for one that is too large to be shown.
    #[schema(value_type = Value)]
    record: Option<Box<RawValue>>,
}

/// The dates of a record; `null` where the resource names no such field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleDates {
    /// The updated date.
    updated: Option<SampleDate>,
    /// The created date.
    created: Option<SampleDate>,
}

/// A date as it is written and as it is understood.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleDate {
    /// Its value; `null` where the record has none.
    #[schema(value_type = Value)]
    raw: Option<Box<RawValue>>,
    /// The instant that it means.
    #[schema(value_type = Option<String>, format = DateTime)]
    understood: Option<Timestamp>,
    /// Why it cannot be read.
    fault: Option<String>,
}

impl SampleDate {
    fn of(date: ShownDate<'_>) -> SampleDate {
        let raw = date.raw.filter(|raw| raw.len() <= DATE_BYTES_MAX).and_then(raw_value);
        let (understood, fault) = match date.understood {
            Ok(understood) => (understood, None),
            Err(fault) => (None, Some(fault)),
        };
        SampleDate { raw, understood, fault }
    }
}

fn raw_value(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

/// A way out that looks at the records which pass.
pub struct Watched {
    inner: Arc<dyn Net>,
    resource: Resource,
    reader: Reader,
    now: Timestamp,
    seen: Mutex<Vec<SampleRecord>>,
}

impl Watched {
    /// Watches the answers of one resource.
    pub fn new(inner: Arc<dyn Net>, resource: &Resource, now: Timestamp) -> Watched {
        let (reader, resource) = (Reader::new(resource), resource.clone());
        Watched { inner, resource, reader, now, seen: Mutex::default() }
    }

    /// The sample, with what was decided about its records.
    pub fn judged(&self, rehearsal: &Rehearsal) -> Vec<SampleRecord> {
        let verdicts = verdicts(rehearsal);
        let mut seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        for record in seen.iter_mut().filter(|record| record.verdict.is_none()) {
            let Some(said) = record.id.as_deref().and_then(|id| verdicts.get(id)) else { continue };
            record.verdict = Some(said.verdict);
            record.ignored = said.ignored;
            record.reason = said.reason.to_owned();
        }
        seen
    }

    fn look(&self, body: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= RECORDS_MAX {
            return;
        }
        // What is no page is told by the run.
        let Ok(page) = self.reader.page(body) else { return };
        for raw in page.records {
            let is_known =
                |known: &SampleRecord| known.record.as_ref().is_some_and(|known| known.get() == raw);
            if seen.len() < RECORDS_MAX && !seen.iter().any(is_known) {
                let record = self.record(body, raw);
                seen.push(record);
            }
        }
    }

    fn record(&self, body: &str, raw: &str) -> SampleRecord {
        let dates = self.reader.dates(&self.resource, raw, self.now);
        let item = self.reader.item(&self.resource, body, raw, self.now, &mut Room::default());
        let unreadable = item.err().map(|unreadable| unreadable.reason);
        SampleRecord {
            id: dates.object_id,
            dates: SampleDates {
                updated: dates.updated.map(SampleDate::of),
                created: dates.created.map(SampleDate::of),
            },
            verdict: unreadable.as_ref().map(|_| "IGNORED"),
            ignored: unreadable.as_ref().map(|_| Ignored::Quarantined.as_str()),
            reason: unreadable.unwrap_or_default(),
            record: Some(raw).filter(|raw| raw.len() <= RECORD_BYTES_MAX).and_then(raw_value),
        }
    }
}

#[async_trait]
impl Net for Watched {
    async fn send(&self, request: Request, connection: &Connection) -> Reply {
        let reply = self.inner.send(request, connection).await;
        if let Ok(response) = &reply.outcome
            && response.status == 200
        {
            self.look(&response.body);
        }
        reply
    }

    async fn post(&self, callback: Callback) -> CallbackReply {
        self.inner.post(callback).await
    }
}

/// What was decided about a record.
struct Said<'r> {
    verdict: &'static str,
    ignored: Option<&'static str>,
    reason: &'r str,
}

/// What was decided, by record. An event says more than a second look at the same record.
fn verdicts(rehearsal: &Rehearsal) -> HashMap<&str, Said<'_>> {
    let mut found = HashMap::new();
    let batches = || rehearsal.batches.iter().chain([&rehearsal.finish.batch]);
    for Event { object_id, event_type, reason, .. } in batches().flat_map(|batch| &batch.events) {
        let said = Said { verdict: event_type.as_str(), ignored: None, reason };
        found.entry(object_id.as_str()).or_insert(said);
    }
    for Decision { object_id, verdict, reason, .. } in batches().flat_map(|batch| &batch.decisions) {
        let (verdict, ignored) = match verdict {
            Verdict::Event(event_type) => (event_type.as_str(), None),
            Verdict::Seeded => ("SEEDED", None),
            Verdict::Ignored(why) => ("IGNORED", Some(why.as_str())),
        };
        found.entry(object_id.as_str()).or_insert(Said { verdict, ignored, reason });
    }
    found
}
