//! What becomes of the records that a run of a monitor returned: the batch that the engine commits with the cursor.
//!
//! With `record.id` they are judged like those of a polled resource, by the same rules over the same ledger
//! ([`crate::change`]): a version that was reported is not reported again. Without an id every returned record is one
//! event, whose id comes from subscription, run and position. Run modes decide how events leave (catalogue 2.2).
//!
//! Pure: the caller brings what the ledger knows. Not here: the transaction, the schedule, the cursor's history.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::program::Flow;
use super::run::RecordOut;
use crate::change::{Change, Circumstances, entry_after, judge};
use crate::check::{CheckSettings, check_resource};
use crate::event::{Event, EventType, Identity, Moment};
use crate::id::{InstanceId, OrgId, PollerId, RunId};
use crate::json_hash::content_hash;
use crate::ledger::{Counts, Entry, KnownVersion, Recall, Version};
use crate::limits::{IGNORED_DECISIONS_PER_RUN_MAX, RECORD_BYTES_MAX};
use crate::poll::{Batch, Decision, Ignored, Overlay, Verdict, order, repeated};
use crate::records::Item;
use crate::resource::Resource;

/// How the records of a run leave (catalogue 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunMode {
    /// One event per record.
    #[default]
    EachRecord,
    /// One event when there was no new record, none otherwise.
    NoNewData,
    /// One event per run that holds all records in a list.
    EveryTime,
}

/// Whose records they are.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The organisation.
    pub org: OrgId,
    /// The instance whose connection was used.
    pub instance: InstanceId,
    /// The subscription: its ledger, and part of its events' ids.
    pub poller: PollerId,
    /// The connector's key.
    pub element_key: String,
    /// How its records leave.
    pub mode: RunMode,
}

/// Records of a run, ready to be judged.
#[derive(Debug)]
pub struct Returned {
    flow: Arc<Flow>,
    resource: Resource,
    items: Vec<Item>,
    /// Bodies of the items, and declared kinds of event.
    bodies: Vec<(String, Option<EventType>)>,
    /// Positions of records without an id.
    nameless: Vec<usize>,
}

/// When and by whom records were returned.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    /// The run.
    pub run: RunId,
    /// Our clock when the run began.
    pub started_at: Timestamp,
    /// Our clock when the run ended.
    pub finished_at: Timestamp,
    /// The provider's time at the start of the run.
    pub provider_time: Timestamp,
}

/// What is to be committed, and what it was decided from.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Ledger rows and events.
    pub batch: Batch,
    /// Decisions, counted.
    pub counts: Counts,
}

impl Returned {
    /// Takes over what a run returned.
    pub fn new(flow: &Arc<Flow>, records: Vec<RecordOut>) -> Returned {
        let mut returned = Returned {
            flow: Arc::clone(flow),
            resource: resource(flow),
            items: Vec::new(),
            bodies: Vec::new(),
            nameless: Vec::new(),
        };
        for (at, record) in records.into_iter().enumerate() {
            match returned.item(&record) {
                Some(item) => returned.items.push(item),
                None => returned.nameless.push(at),
            }
            returned.bodies.push((record.body, record.event_type));
        }
        returned
    }

    /// Whether the ledger has a say.
    pub fn is_known_by_id(&self) -> bool {
        self.flow.record.as_ref().is_some_and(|identity| identity.id.is_some())
    }

    /// What to ask the ledger; `None` when it has no say.
    pub fn recall(&self) -> Option<Recall> {
        self.is_known_by_id().then(|| Recall::Versions(self.items.iter().map(Item::version).collect()))
    }

    /// A record with an id. `raw` is its position among all.
    fn item(&self, record: &RecordOut) -> Option<Item> {
        let id = record.id.clone()?;
        let at = self.bodies.len();
        // A body that we wrote is well-formed, and a value of ours is never nested too deep to compare.
        let hash = content_hash(&record.body, &[]).ok()?;
        let (text, updated) = record.updated.clone().unzip();
        Some(Item {
            object_id: id.clone(),
            id,
            compared: updated.map(Timestamp::as_microsecond),
            compared_text: text.unwrap_or_default(),
            updated,
            created: None,
            fell_back: false,
            deleted: record.event_type == Some(EventType::Deleted),
            hash,
            raw: at..at + 1,
        })
    }

    /// Judges the records. `known` answers [`Returned::recall`], in its order; a wrong number is an `Err`.
    pub fn judge(
        &self,
        subscription: &Subscription,
        moments: Moments,
        known: Vec<KnownVersion>,
    ) -> Result<Judged, String> {
        let mut judged = Judged { batch: Batch::default(), counts: Counts::default() };
        judged.counts.records = self.bodies.len() as u64;
        if self.is_known_by_id() {
            if known.len() != self.items.len() {
                return Err("the store answered another question; try again".into());
            }
            self.by_ledger(subscription, moments, known, &mut judged);
        } else {
            for at in 0..self.bodies.len() {
                let event = self.unnamed(subscription, moments, at);
                count_event(event.event_type, &mut judged.counts);
                judged.batch.events.push(event);
            }
        }
        self.by_mode(subscription, moments, &mut judged)?;
        Ok(judged)
    }

    fn by_ledger(
        &self,
        subscription: &Subscription,
        moments: Moments,
        mut known: Vec<KnownVersion>,
        judged: &mut Judged,
    ) {
        let mut overlay = Overlay::of(repeated(&self.items));
        for at in order(&self.items, overlay.repeats()) {
            let item = &self.items[at];
            let known = overlay.over(item, std::mem::take(&mut known[at]));
            let now = self.circumstances(moments, overlay.has_newer(item));
            let change = judge(item, &known, &now);
            let entry = entry_after(item, known.entry.as_ref(), &change, &now, 0);
            self.count(item, &change, judged);
            if matches!(change, Change::Ignored(Ignored::Superseded, _)) && !known.version {
                overlay.saw(item.version());
                judged.batch.versions.push(item.version());
            }
            let Some(entry) = entry else { continue };
            if let Change::Event { event_type, reason, .. } = &change {
                judged.batch.events.push(self.event(
                    subscription,
                    moments,
                    item,
                    &entry,
                    *event_type,
                    reason,
                ));
            }
            let replaced: Option<Version> = known.entry.as_ref().map(Entry::version);
            if let Some(replaced) = replaced.filter(|old| *old != entry.version()) {
                overlay.saw(replaced.clone());
                judged.batch.versions.push(replaced);
            }
            overlay.wrote(&entry);
            judged.batch.entries.push(entry);
        }
        for at in &self.nameless {
            judged.counts.quarantined += 1;
            let reason = format!("record {at} of the run has no id; correct `record.id`, or the flow");
            self.decision("", Verdict::Ignored(Ignored::Quarantined), reason, "", judged);
        }
    }

    fn circumstances(&self, moments: Moments, beside_newer: bool) -> Circumstances<'_> {
        Circumstances {
            resource: &self.resource,
            bound: None,
            provider_time: moments.provider_time,
            read_at: moments.finished_at,
            ahead: crate::schedule::add(
                moments.finished_at.max(moments.provider_time),
                crate::limits::UNDATED_PROVIDER_MARGIN,
            ),
            as_of: moments.started_at,
            was_parked: false,
            sweep: false,
            polled_below: None,
            beside_newer,
            baseline: None,
        }
    }

    fn count(&self, item: &Item, change: &Change, judged: &mut Judged) {
        let (verdict, reason) = match change {
            Change::Event { event_type, .. } => {
                let declared = self.bodies[item.raw.start].1.unwrap_or(*event_type);
                return count_event(declared, &mut judged.counts);
            }
            Change::Seeded | Change::Rebased => {
                judged.counts.seeded += 1;
                (Verdict::Seeded, Cow::from("compared by a new recipe from now on"))
            }
            Change::Ignored(why, reason) => {
                match why {
                    Ignored::Reported => judged.counts.reported += 1,
                    Ignored::BeforeWindow => judged.counts.before_window += 1,
                    Ignored::Superseded => judged.counts.superseded += 1,
                    Ignored::Quarantined => judged.counts.quarantined += 1,
                    Ignored::Filtered => judged.counts.filtered += 1,
                }
                (Verdict::Ignored(*why), reason.clone())
            }
            Change::Fault(reason) => (Verdict::Ignored(Ignored::Quarantined), Cow::from(reason.clone())),
        };
        self.decision(&item.object_id, verdict, reason.into_owned(), &item.compared_text, judged);
    }

    fn decision(
        &self,
        object_id: &str,
        verdict: Verdict,
        reason: String,
        compared: &str,
        judged: &mut Judged,
    ) {
        if judged.batch.decisions.len() < IGNORED_DECISIONS_PER_RUN_MAX {
            let (object_id, compared) = (object_id.to_string(), compared.to_string());
            judged.batch.decisions.push(Decision { object_id, verdict, reason, compared, page: 1 });
        }
    }

    /// The name under which ids of events are made: two subscriptions share no event, and a new version of the monitor
    /// under another name makes none anew.
    fn name(subscription: &Subscription) -> String {
        format!("subscription {}", subscription.poller)
    }

    fn object_type(&self) -> String {
        self.flow.record.as_ref().map_or_else(|| self.flow.name.clone(), |identity| identity.group.clone())
    }

    fn event(
        &self,
        subscription: &Subscription,
        moments: Moments,
        item: &Item,
        entry: &Entry,
        event_type: EventType,
        reason: &str,
    ) -> Event {
        let (body, declared) = &self.bodies[item.raw.start];
        // What the monitor says about the kind of change is known better than by dates; deletions were judged as such.
        let event_type = declared.unwrap_or(event_type);
        let moment = match event_type {
            EventType::Deleted => Moment::Deleted { compared: &item.compared_text, hash: item.hash },
            EventType::Created | EventType::Updated | EventType::Unknown => Moment::Version {
                order: item.compared.map(|value| value.div_euclid(1_000_000)),
                compared: &item.compared_text,
                hash: item.hash,
                recurrence: entry.recurrence,
            },
        };
        let identity = Identity {
            org: subscription.org,
            instance: subscription.instance,
            resource: &Self::name(subscription),
            object_id: &item.id,
            incarnation: entry.incarnation,
            moment,
        };
        Event {
            id: identity.id(),
            poller: subscription.poller,
            instance: subscription.instance,
            run: moments.run,
            inbound: None,
            event_type,
            object_type: self.object_type(),
            object_id: item.object_id.clone(),
            element_key: subscription.element_key.clone(),
            date: item.updated.unwrap_or(moments.finished_at),
            sequence: entry.sequence,
            reason: reason.to_string(),
            compared: item.compared_text.clone(),
            page: 0,
            record: Some(body.clone()),
        }
    }

    /// The event of a record that nobody can recognise again.
    fn unnamed(&self, subscription: &Subscription, moments: Moments, at: usize) -> Event {
        let (body, declared) = &self.bodies[at];
        let reason = "returned by the monitor; without `record.id` repeats are not suppressed";
        let event_type = declared.unwrap_or(EventType::Unknown);
        self.of_run(subscription, moments, &at.to_string(), event_type, reason, body.clone())
    }

    /// An event whose id comes from subscription, run and a word.
    fn of_run(
        &self,
        subscription: &Subscription,
        moments: Moments,
        word: &str,
        event_type: EventType,
        reason: &str,
        body: String,
    ) -> Event {
        let object_id = format!("{}/{word}", moments.run);
        let hash = content_hash(&body, &[]).unwrap_or(crate::json_hash::ContentHash([0; 16]));
        let moment = Moment::Version {
            order: Some(moments.provider_time.as_second()),
            compared: "",
            hash,
            recurrence: 0,
        };
        let identity = Identity {
            org: subscription.org,
            instance: subscription.instance,
            resource: &Self::name(subscription),
            object_id: &object_id,
            incarnation: 1,
            moment,
        };
        Event {
            id: identity.id(),
            poller: subscription.poller,
            instance: subscription.instance,
            run: moments.run,
            inbound: None,
            event_type,
            object_type: self.object_type(),
            object_id,
            element_key: subscription.element_key.clone(),
            date: moments.provider_time,
            sequence: 1,
            reason: reason.to_string(),
            compared: String::new(),
            page: 0,
            record: Some(body),
        }
    }

    /// Events of single records become what the run mode sends.
    fn by_mode(
        &self,
        subscription: &Subscription,
        moments: Moments,
        judged: &mut Judged,
    ) -> Result<(), String> {
        let events = &mut judged.batch.events;
        let (word, reason, body) = match subscription.mode {
            RunMode::EachRecord => return Ok(()),
            RunMode::NoNewData if !events.is_empty() => {
                events.clear();
                return Ok(());
            }
            RunMode::NoNewData => ("none", "no new data in this run", "[]".to_string()),
            RunMode::EveryTime => {
                let bodies: Vec<&str> = events.iter().filter_map(|event| event.record.as_deref()).collect();
                ("all", "every run is an event", format!("[{}]", bodies.join(",")))
            }
        };
        if body.len() > RECORD_BYTES_MAX {
            return Err(format!(
                "the records of this run have {} bytes, and an event holds at most {RECORD_BYTES_MAX}; \
                 use the run mode Each record, or fetch less per run",
                body.len()
            ));
        }
        *events = vec![self.of_run(subscription, moments, word, EventType::Unknown, reason, body)];
        Ok(())
    }
}

fn count_event(event_type: EventType, counts: &mut Counts) {
    match event_type {
        EventType::Created => counts.created += 1,
        EventType::Updated | EventType::Unknown => counts.updated += 1,
        EventType::Deleted => counts.deleted += 1,
    }
}

/// What the rules of polling need to know of a monitor, as settings of a resource. Nothing is fetched by it.
fn resource(flow: &Flow) -> Resource {
    let identity = flow.record.as_ref();
    let dated = identity.is_some_and(|identity| identity.updated.is_some());
    let mut settings = serde_json::json!({
        "url": "https://monitor.invalid/", "idField": "id", "pagination": {"type": "none"},
        "overlap": flow.cursor_overlap.as_secs(), "startFrom": "beginning",
    });
    if dated {
        settings["datesConfiguration"] =
            serde_json::json!({"updatedDateField": "updated", "updatedDateFormat": "microseconds"});
    }
    let checked = check_resource(&flow.name, &settings, &CheckSettings::new(Timestamp::UNIX_EPOCH), None);
    checked.resources.into_iter().next().expect("these settings are sound")
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::json;

    use super::super::check::check;
    use super::super::document::Document;
    use super::*;

    fn flow(record: serde_json::Value) -> Arc<Flow> {
        let mut document = json!({
            "name": "Users", "cursor": "date", "outputs": {"User": {"id": "text", "at": "date", "n": "number"}},
            "cards": [{"card": "control.returnOutputs"}],
        });
        if !record.is_null() {
            document["record"] = record;
        }
        Arc::new(check(&Document::read(&document).unwrap()).flow.unwrap())
    }

    fn by_id() -> Arc<Flow> {
        flow(json!({"group": "User", "id": "id", "updated": "at"}))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_740_000_000 + seconds).unwrap()
    }

    fn record(id: &str, seconds: i64, n: i64) -> RecordOut {
        let updated = at(seconds);
        RecordOut {
            body: format!(r#"{{"User":{{"id":"{id}","at":"{updated}","n":{n}}}}}"#),
            id: Some(id.to_string()).filter(|id| !id.is_empty()),
            updated: Some((updated.to_string(), updated)),
            event_type: None,
        }
    }

    fn subscription(poller: i64, mode: RunMode) -> Subscription {
        Subscription {
            org: OrgId(1),
            instance: InstanceId(2),
            poller: PollerId(poller),
            element_key: "people".into(),
            mode,
        }
    }

    /// A ledger in memory, and runs over it.
    struct Runs {
        flow: Arc<Flow>,
        subscription: Subscription,
        entries: HashMap<String, Entry>,
        versions: HashSet<Version>,
        run: u8,
    }

    impl Runs {
        fn new(flow: Arc<Flow>, mode: RunMode) -> Runs {
            let subscription = subscription(3, mode);
            Runs { flow, subscription, entries: HashMap::new(), versions: HashSet::new(), run: 0 }
        }

        /// One run at this second of the clock.
        fn run(&mut self, seconds: i64, records: Vec<RecordOut>) -> Judged {
            self.run += 1;
            let returned = Returned::new(&self.flow, records);
            let known = match returned.recall() {
                Some(Recall::Versions(versions)) => {
                    versions.iter().map(|version| self.known(version)).collect()
                }
                _ => Vec::new(),
            };
            let moments = Moments {
                run: RunId([self.run; 16]),
                started_at: at(seconds),
                finished_at: at(seconds + 1),
                provider_time: at(seconds),
            };
            let judged = returned.judge(&self.subscription, moments, known).unwrap();
            for entry in &judged.batch.entries {
                self.entries.insert(entry.id.clone(), entry.clone());
            }
            self.versions.extend(judged.batch.versions.iter().cloned());
            judged
        }

        fn known(&self, version: &Version) -> KnownVersion {
            let entry = self.entries.get(&version.id).cloned();
            let is_last = entry.as_ref().is_some_and(|entry| entry.version() == *version);
            KnownVersion { version: is_last || self.versions.contains(version), entry, announced_at: None }
        }
    }

    fn told(judged: &Judged) -> Vec<String> {
        judged.batch.events.iter().map(|event| format!("{} {}", event.event_type, event.object_id)).collect()
    }

    #[test]
    fn records_with_an_id_are_judged_like_polled_ones() {
        let mut runs = Runs::new(by_id(), RunMode::EachRecord);
        let first = runs.run(100, vec![record("a", 10, 1), record("b", 20, 1)]);
        assert_eq!(told(&first), ["CREATED a", "CREATED b"]);
        assert_eq!(first.batch.events[0].object_type, "User");
        assert_eq!(first.batch.events[0].date, at(10));
        // The overlap returns them again: nothing is said of what was reported.
        let again = runs.run(400, vec![record("b", 20, 1), record("a", 350, 2)]);
        assert_eq!(told(&again), ["UPDATED a"]);
        assert_eq!((again.counts.reported, again.counts.updated), (1, 1));
        assert_eq!(again.batch.events[0].sequence, 2);
        // A stale answer just after is no news; served for good it is.
        assert_eq!(told(&runs.run(402, vec![record("a", 10, 1)])), [""; 0]);
        assert_eq!(told(&runs.run(2_000, vec![record("a", 10, 1)])), ["UPDATED a"]);
    }

    #[test]
    fn what_the_record_says_of_itself_counts() {
        let mut runs = Runs::new(by_id(), RunMode::EachRecord);
        let of = |id: &str, seconds, event_type| RecordOut {
            event_type: Some(event_type),
            ..record(id, seconds, seconds)
        };
        let judged = runs.run(1_000, vec![of("a", 10, EventType::Updated), of("b", 10, EventType::Unknown)]);
        assert_eq!(told(&judged), ["UPDATED a", "UNKNOWN b"]);
        let judged = runs.run(2_000, vec![of("a", 1_500, EventType::Deleted)]);
        assert_eq!(told(&judged), ["DELETED a"]);
        assert_eq!(told(&runs.run(3_000, vec![of("a", 1_500, EventType::Deleted)])), [""; 0]);
    }

    #[test]
    fn several_versions_in_one_run_become_events_in_their_order() {
        let mut runs = Runs::new(by_id(), RunMode::EachRecord);
        let judged = runs.run(100, vec![record("a", 30, 3), record("a", 10, 1), record("a", 30, 3)]);
        assert_eq!(told(&judged), ["CREATED a", "UPDATED a"]);
        assert_eq!(judged.counts.reported, 1);
    }

    #[test]
    fn a_record_without_an_id_is_put_aside_where_one_is_declared() {
        let mut runs = Runs::new(by_id(), RunMode::EachRecord);
        let judged = runs.run(100, vec![record("", 10, 1), record("a", 10, 1)]);
        assert_eq!((told(&judged), judged.counts.quarantined), (vec!["CREATED a".to_string()], 1));
        assert!(judged.batch.decisions[0].reason.contains("record 0 of the run has no id"));
    }

    #[test]
    fn without_an_id_every_record_is_an_event_of_its_run() {
        let mut runs = Runs::new(flow(serde_json::Value::Null), RunMode::EachRecord);
        let bare = || vec![RecordOut { id: None, ..record("a", 10, 1) }; 2];
        let (first, second) = (runs.run(100, bare()), runs.run(200, bare()));
        let ids: HashSet<_> =
            first.batch.events.iter().chain(&second.batch.events).map(|event| event.id).collect();
        assert_eq!(ids.len(), 4);
        assert!(told(&first).iter().all(|event| event.starts_with("UNKNOWN run_")), "{:?}", told(&first));
        assert!(first.batch.entries.is_empty());
        // The same run judged again gives the same ids.
        runs.run = 0;
        assert_eq!(runs.run(100, bare()).batch.events, first.batch.events);
    }

    #[test]
    fn two_subscriptions_share_no_event() {
        let (mut one, mut other) =
            (Runs::new(by_id(), RunMode::EachRecord), Runs::new(by_id(), RunMode::EachRecord));
        other.subscription.poller = PollerId(4);
        let id = |judged: Judged| judged.batch.events[0].id;
        assert_ne!(id(one.run(100, vec![record("a", 1, 1)])), id(other.run(100, vec![record("a", 1, 1)])));
    }

    #[test]
    fn run_modes_make_one_event_per_run() {
        let mut all = Runs::new(by_id(), RunMode::EveryTime);
        let judged = all.run(100, vec![record("a", 10, 1), record("b", 10, 1)]);
        let body = judged.batch.events[0].record.as_deref().unwrap();
        assert_eq!((judged.batch.events.len(), judged.batch.entries.len()), (1, 2));
        assert!(
            body.starts_with(r#"[{"User":{"id":"a","#) && body.contains(r#"},{"User":{"id":"b","#),
            "{body}"
        );
        let judged = all.run(200, vec![record("a", 10, 1)]);
        assert_eq!(judged.batch.events[0].record.as_deref(), Some("[]"));
        let mut none = Runs::new(by_id(), RunMode::NoNewData);
        assert_eq!(none.run(100, vec![record("a", 10, 1)]).batch.events.len(), 0);
        assert_eq!(none.run(200, vec![record("a", 10, 1)]).batch.events.len(), 1);
        let moments =
            Moments { run: RunId([9; 16]), started_at: at(0), finished_at: at(0), provider_time: at(0) };
        let large = RecordOut { body: format!("\"{}\"", "x".repeat(3 << 20)), ..record("a", 1, 1) };
        let returned = Returned::new(&flow(serde_json::Value::Null), vec![large.clone(), large]);
        let error = returned.judge(&subscription(1, RunMode::EveryTime), moments, Vec::new()).unwrap_err();
        assert!(error.contains("use the run mode Each record"), "{error}");
        assert!(
            Returned::new(&by_id(), vec![record("a", 1, 1)])
                .judge(&subscription(1, RunMode::EachRecord), moments, Vec::new())
                .is_err()
        );
    }
}
